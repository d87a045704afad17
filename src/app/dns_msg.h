/* DNS messages: the walk over every octet that comes before anything else sees them, and the views
 * that readers use afterwards. */
#ifndef APP_DNS_MSG_H
#define APP_DNS_MSG_H

#include "app/dns_name.h"

enum {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_HINFO = 13,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_SIG = 24,
	DNS_KEY = 25,
	DNS_AAAA = 28,
	DNS_SRV = 33,
	DNS_NAPTR = 35,
	DNS_DNAME = 39,
	DNS_OPT = 41,
	DNS_DS = 43,
	DNS_RRSIG = 46,
	DNS_NSEC = 47,
	DNS_TSIG = 250,
	DNS_IXFR = 251,
	DNS_AXFR = 252,
	DNS_MAILB = 253,
	DNS_MAILA = 254,
	DNS_ANY = 255
};
enum { DNS_IN = 1, DNS_CLASS_ANY = 255 };
enum dns_rcode {
	DNS_NOERROR,
	DNS_FORMERR,
	DNS_SERVFAIL,
	DNS_NXDOMAIN,
	DNS_NOTIMP,
	DNS_REFUSED,
	DNS_YXDOMAIN,
	DNS_BADVERS = 16
};
enum { DNS_OP_QUERY = 0, DNS_OP_NOTIFY = 4, DNS_OP_UPDATE = 5 };
enum { /* header's second word */
       DNS_QR = 0x8000,
       DNS_AA = 0x0400,
       DNS_TC = 0x0200,
       DNS_RD = 0x0100,
       DNS_RA = 0x0080,
       DNS_AD = 0x0020,
       DNS_CD = 0x0010
};
enum dns_section { DNS_QD, DNS_AN, DNS_AUTH, DNS_AR };

#define DNS_PORT 53
#define DNS_HDR_LEN 12
#define DNS_UDP_MIN 512    /* without EDNS (RFC 1035 4.2.1) */
#define DNS_EDNS_SIZE 1232 /* what we offer and the most we send: never an IP fragment (DR-16) */
#define DNS_MSG_MAX 65535
#define DNS_PTR_HOPS_MAX 64 /* pointers in one name; a legal chain needs at most 127 labels */

enum dns_fault {
	DNS_FINE,
	DNS_BAD_HEADER,   /* shorter than 12 octets: no answer possible */
	DNS_BAD_NAME,
	DNS_BAD_COUNT,    /* a count promises more than there is, or the question is not one */
	DNS_BAD_RDATA,
	DNS_BAD_OPT,
	DNS_BAD_TRAILER,  /* octets after the last record */
	DNS_BAD_BUDGET    /* names cost more than a message of this size may */
};
const char *dns_fault_text(enum dns_fault f);

struct dns_edns {
	bool present, dnssec_ok;
	uint16_t udp_size; /* at least 512 */
	uint8_t version, ext_rcode;
};
/* A checked message. Borrowed octets. */
struct dns_msg {
	const uint8_t *p;
	size_t len;
	uint16_t id, flags;
	uint16_t count[4];
	bool has_question; /* exactly one */
	struct dname qname;
	uint16_t qtype, qclass;
	size_t body; /* first octet after the question */
	struct dns_edns edns;
};
static inline unsigned dns_opcode(const struct dns_msg *m) { return (m->flags >> 11) & 15; }
/* With the OPT's upper bits. */
static inline unsigned dns_rcode(const struct dns_msg *m)
{
	return (m->flags & 15u) | (unsigned)m->edns.ext_rcode << 4;
}

/* Walk the whole message. On a fault other than DNS_BAD_HEADER id, flags and count[] are filled;
 * everything else only when DNS_FINE. Cost is linear in len. */
enum dns_fault dns_msg_check(struct dns_msg *m, const uint8_t *p, size_t len);

struct dns_rr {
	enum dns_section section;
	struct dname owner;
	uint16_t type, cls;
	uint32_t ttl;      /* above 2^31-1 already made 0 (RFC 2181 8) */
	uint32_t rd;       /* offset of RDATA in the message */
	uint16_t rdlen;    /* as sent */
};
struct dns_walk {
	const struct dns_msg *m;
	size_t at;
	unsigned section;
	uint32_t left;
};
/* Records of a checked message, in order. */
void dns_walk_init(struct dns_walk *w, const struct dns_msg *m);
bool dns_walk_next(struct dns_walk *w, struct dns_rr *rr);

#define DNS_RDATA_MAX 65535
/* RDATA with its names expanded, into out (room octets). Length, or -1 when it does not fit. Only
 * for records of a checked message. */
int dns_rdata_expand(const struct dns_msg *m, const struct dns_rr *rr, uint8_t *out, size_t room);
/* Whether RDATA without compression has the shape its type demands. */
bool dns_rdata_valid(uint16_t type, const uint8_t *rd, size_t len);
/* First name inside uncompressed RDATA (NS, CNAME, PTR, MX, SRV, DNAME, SOA's MNAME); false: none.
 */
bool dns_rdata_name(uint16_t type, const uint8_t *rd, size_t len, struct dname *out);
/* Whether we know the shape of type (else it is opaque, RFC 3597). */
bool dns_type_known(uint16_t type);

#endif

/* Building DNS messages, through ldns: queries, and answers that must fit a size. */
#ifndef APP_DNS_BUILD_H
#define APP_DNS_BUILD_H

#include "app/dns_msg.h"
#include "app/dns_rrset.h"

/* A query with one question. edns_size 0: no OPT. Length, or -1 (room). */
int dns_build_query(uint8_t *out, size_t room, uint16_t id, bool rd, const struct dname *name,
		    uint16_t type, uint16_t edns_size);

#define DNS_OUT_MAX_SETS 192
struct dns_out_set {
	struct dname owner;
	struct rrset *set; /* held */
	uint32_t ttl;
	uint8_t section;
	bool must; /* in the additional section: TC rather than leave it out (RFC 9471) */
};
/* An answer being collected. Big: from the heap. */
struct dns_out {
	uint16_t id, flags; /* flags: header bits without the rcode; QR is added */
	unsigned rcode;
	bool question;
	struct dname qname;
	uint16_t qtype, qclass;
	bool edns;          /* add an OPT */
	uint16_t n;
	bool overflow;      /* more sets than fit: the answer is not complete */
	struct dns_out_set set[DNS_OUT_MAX_SETS];
};
struct dns_out *dns_out_new(void);
void dns_out_free(struct dns_out *o);
void dns_out_reset(struct dns_out *o);
/* Header, question and RD as in q; EDNS answered when asked with. */
void dns_out_reply_to(struct dns_out *o, const struct dns_msg *q);
/* Takes a reference. A set already there (same owner, type) in an earlier or the same section is
 * not added again. */
void dns_out_add(struct dns_out *o, enum dns_section s, const struct dname *owner,
		 struct rrset *set, uint32_t ttl);
void dns_out_add_must(struct dns_out *o, const struct dname *owner, struct rrset *set);
bool dns_out_has(const struct dns_out *o, enum dns_section s, const struct dname *owner,
		 uint16_t type);
/* Wire form of at most limit octets (at least DNS_UDP_MIN): optional additional records go first,
 * then the message becomes question and OPT with TC. Malloc'd; NULL only when ldns refuses. */
uint8_t *dns_out_wire(const struct dns_out *o, size_t limit, size_t *len);
/* Header-only answer to what could not be parsed: id, opcode, RD of q; rcode. Always 12 octets. */
void dns_build_error(uint8_t out[DNS_HDR_LEN], const struct dns_msg *q, unsigned rcode);

#endif

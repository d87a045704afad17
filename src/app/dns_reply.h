/* The authoritative server without its sockets: from the octets of a query to the octets of an
 * answer. */
#ifndef APP_DNS_REPLY_H
#define APP_DNS_REPLY_H

#include "app/dns_build.h"
#include "app/dns_zone.h"

#define DNS_CHAIN_MAX 12   /* aliases followed in one answer (DR-07) */
#define DNS_ZONES_MAX 4096

struct dns_authority {
	struct zone *zones; /* owned */
	uint32_t n_zones;
};
/* Takes z. 0, or -EEXIST when there is such a zone, -ENOSPC. */
int dns_authority_add(struct dns_authority *a, struct zone *z);
void dns_authority_free(struct dns_authority *a);
/* The zone nearest above name; NULL: none. */
struct zone *dns_authority_zone(const struct dns_authority *a, const struct dname *name);

struct dns_from {
	uint32_t addr;
	uint16_t port;
	bool tcp;
};
struct dns_done {
	unsigned rcode;
	bool truncated;
	char text[DNAME_TEXT_MAX + 64]; /* "referral com.", "answer www.server.com. A", ... */
};
/* One query in; a malloc'd answer out, or NULL: say nothing (too short, a response, a reflector's
 * port). o: working space from dns_out_new(). */
uint8_t *dns_authority_reply(const struct dns_authority *a, const uint8_t *q, size_t len,
			     const struct dns_from *from, struct dns_out *o, size_t *out_len,
			     struct dns_done *done);
/* Checks common to both servers: whether a datagram may be answered at all (DS-01). */
bool dns_may_answer(const uint8_t *q, size_t len, const struct dns_from *from);
/* The rcode that settles a query before any data is looked at (f: what dns_msg_check said); -1:
 * none. */
int dns_query_rcode(const struct dns_msg *q, enum dns_fault f);
/* A header and nothing more; malloc'd. */
uint8_t *dns_short_error(const struct dns_msg *q, unsigned rcode, size_t *len);
/* RFC 8482 4.2: the answer to ANY. */
struct rrset *dns_any_hinfo(void);
/* How many octets the answer to q may have. */
size_t dns_answer_limit(const struct dns_msg *q, bool tcp);

#endif

/* RRsets: the records of one owner, class IN and type (RFC 2181 5), RDATA uncompressed. Immutable
 * once shared; counted references. */
#ifndef APP_DNS_RRSET_H
#define APP_DNS_RRSET_H

#include "app/dns_name.h"
#include "base/strbuf.h"

#define RRSET_MAX_RECORDS 4096
#define RRSET_MAX_BYTES 65000

struct rrset {
	uint32_t refs;
	uint16_t type;
	uint16_t n;
	uint32_t ttl;
	uint32_t bytes, room; /* of data: { be16 length, octets } n times */
	uint8_t *data;
};
struct rdata {
	const uint8_t *p;
	uint16_t len;
};

struct rrset *rrset_new(uint16_t type, uint32_t ttl);
static inline struct rrset *rrset_hold(struct rrset *s)
{
	s->refs++;
	return s;
}
/* NULL is fine. */
void rrset_put(struct rrset *s);
/* Duplicates are suppressed (RFC 2181 5); the lower TTL wins. 0; -ENOSPC beyond the bounds. */
int rrset_add(struct rrset *s, const uint8_t *rd, uint16_t len, uint32_t ttl);
/* Record i, from 0: walk with *pos = 0 at first. False at the end. */
bool rrset_next(const struct rrset *s, uint32_t *pos, struct rdata *rd);

/* Presentation of RDATA by ldns; of unknown types as in RFC 3597. */
void dns_rdata_text(struct strbuf *sb, uint16_t type, const uint8_t *rd, size_t len);
/* "A", "TYPE1234". */
const char *dns_type_text(char buf[16], uint16_t type);
/* "a" or "TYPE1"; 0, -EINVAL. */
int dns_type_parse(const char *s, uint16_t *type);
const char *dns_rcode_text(unsigned rcode);

#endif

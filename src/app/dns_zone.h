/* A zone in memory and the lookup of RFC 1034 4.3.2 step 3 in it. */
#ifndef APP_DNS_ZONE_H
#define APP_DNS_ZONE_H

#include "app/dns_master.h"
#include "app/dns_rrset.h"

struct zone_node {
	struct zone_node *next; /* hash chain */
	uint64_t hash;
	struct rrset **sets; /* NULL: an empty non-terminal */
	uint16_t n_sets;
	uint8_t len;
	uint8_t w[];
};
struct zone {
	struct zone *next; /* owner's list */
	struct dname apex;
	char text[DNAME_TEXT_MAX]; /* apex */
	uint8_t key[16];
	struct zone_node **bucket;
	uint32_t n_buckets, n_nodes, n_records;
	struct rrset *soa; /* of the apex; borrowed */
	uint32_t negative_ttl; /* min(SOA TTL, MINIMUM), RFC 2308 3 */
};

struct zone *zone_new(const struct dname *apex, const uint8_t key[16]);
void zone_free(struct zone *z);
/* 0, or -1 with why: outside the zone, CNAME beside other data, two SOAs, ... */
int zone_add(struct zone *z, const struct dns_record *r, char *why, size_t room);
/* What only the whole can tell: SOA and NS at the apex, nothing below a DNAME. 0, or -1 with why.
 */
int zone_finish(struct zone *z, char *why, size_t room);
/* zone_new + master file + zone_finish. NULL: err (MASTER_ERR octets) has "file:line: text".
 * ops->record is ignored. */
struct zone *zone_load(const char *path, const struct dname *apex, const uint8_t key[16],
		       int (*read)(void *arg, const char *path, struct strbuf *sb), void *arg,
		       char *err);

enum zone_result {
	ZONE_ANSWER,   /* set */
	ZONE_ANY,      /* qtype ANY: node has sets */
	ZONE_CNAME,    /* set, to be followed */
	ZONE_DNAME,    /* set at owner, above the name asked */
	ZONE_REFERRAL, /* set: NS at owner */
	ZONE_NODATA,
	ZONE_NXDOMAIN
};
struct zone_hit {
	enum zone_result result;
	const struct zone_node *node;
	struct rrset *set;   /* borrowed */
	struct dname owner;  /* of the DNAME or the cut */
	bool wildcard;       /* the answer was made from "*" (RFC 4592) */
};
/* name must be at or below the apex. */
void zone_find(const struct zone *z, const struct dname *name, uint16_t type, struct zone_hit *hit);
/* Exactly this set, cuts disregarded (glue). NULL: none. */
struct rrset *zone_get(const struct zone *z, const struct dname *name, uint16_t type);

#endif

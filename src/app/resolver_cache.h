/* The resolver's cache: RRsets and negative answers with their ends, ranked by trust (RFC
 * 2181 5.4.1). */
#ifndef APP_RESOLVER_CACHE_H
#define APP_RESOLVER_CACHE_H

#include "app/dns_rrset.h"
#include "base/list.h"

#define RCACHE_MAX_TTL (7u * 86400u)  /* DR-14 */
#define RCACHE_MAX_NEGATIVE 10800u    /* RFC 2308 5: one to three hours */
#define RCACHE_FAIL_TTL 5u            /* RFC 9520 3.2: between 1 s and 5 min */
#define RCACHE_MAX_BYTES (8u << 20)
#define RCACHE_NEGATIVE_SHARE 4       /* negative answers take at most a quarter (DR-19) */

enum rcache_kind { RC_DATA, RC_NODATA, RC_NXDOMAIN, RC_FAIL };
/* Who said it; a lower rank never replaces a living higher one. */
enum rcache_rank { RANK_ADDITIONAL = 1, RANK_REFERRAL, RANK_AUTH_ANSWER };

struct rcache_entry {
	struct hlist_node node;
	struct list_head lru;
	struct dname name;
	uint64_t hash, expires_ns;
	uint32_t bytes;
	uint16_t type;  /* 0 for RC_NXDOMAIN: every type */
	uint8_t kind, rank;
	struct rrset *set;   /* data, or the zone's SOA; NULL for RC_FAIL */
	struct dname soa_owner;
};
struct rcache {
	uint8_t key[16];
	struct hlist_head *bucket;
	uint32_t n_buckets, n, n_negative;
	uint64_t bytes, negative_bytes, max_bytes;
	struct list_head lru, negative; /* data, the rest; oldest first */
	uint64_t hits, misses, evicted;
};

struct rcache *rcache_new(uint64_t max_bytes, const uint8_t key[16]);
void rcache_free(struct rcache *c);
void rcache_flush(struct rcache *c);
/* A living entry, made the newest; NULL: none. Borrowed until the next change. RC_NXDOMAIN is found
 * under type 0. */
const struct rcache_entry *rcache_get(struct rcache *c, const struct dname *name, uint16_t type,
				      uint64_t now_ns);
/* Keep set (a reference is taken) for ttl seconds, capped. ttl 0 is not kept. NS sets never live
 * longer than the living set that they replace (DR-13). soa_owner: for negative kinds. */
void rcache_put(struct rcache *c, const struct dname *name, uint16_t type, enum rcache_kind kind,
		enum rcache_rank rank, struct rrset *set, const struct dname *soa_owner,
		uint32_t ttl, uint64_t now_ns);
/* The living NXDOMAIN of name or of a name above it (RFC 8020). */
const struct rcache_entry *rcache_nxdomain(struct rcache *c, const struct dname *name,
					   uint64_t now_ns);
/* Seconds left: the TTL less the whole seconds gone by. */
static inline uint32_t rcache_ttl(const struct rcache_entry *e, uint64_t now_ns)
{
	return e->expires_ns > now_ns
		   ? (uint32_t)((e->expires_ns - now_ns + NSEC_PER_SEC - 1) / NSEC_PER_SEC)
		   : 0;
}
/* All living entries as text, in canonical order of names, then types. */
void rcache_dump(const struct rcache *c, uint64_t now_ns, struct strbuf *sb);

#endif

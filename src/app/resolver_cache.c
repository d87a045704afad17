/* The resolver's cache. A hash table with two LRU lists (data; negative answers), bounded in
 * octets.
 *
 * Decides what may replace what (rank, RFC 2181 5.4.1), how long it lives (RFC 2181 8, RFC 2308 5,
 * caps of DR-14), and what is thrown out when it is full. Called by resolver_job.c. Time is an
 * argument. Tests: tests/unit/app/test_resolver_cache.c. */
#include <stdlib.h>
#include <string.h>

#include "app/dns_msg.h"
#include "app/resolver_cache.h"
#include "base/pool.h"
#include "base/rng.h"

struct rcache *rcache_new(uint64_t max_bytes, const uint8_t key[16])
{
	struct rcache *c = xcalloc(1, sizeof(*c));

	memcpy(c->key, key, 16);
	c->max_bytes = max_bytes;
	c->n_buckets = 64;
	c->bucket = xcalloc(c->n_buckets, sizeof(c->bucket[0]));
	list_init(&c->lru);
	list_init(&c->negative);
	return c;
}

static struct list_head *lru_of(struct rcache *c, const struct rcache_entry *e)
{
	return e->kind == RC_DATA ? &c->lru : &c->negative;
}

static void entry_drop(struct rcache *c, struct rcache_entry *e)
{
	c->n--;
	c->bytes -= e->bytes;
	if (e->kind != RC_DATA) {
		c->n_negative--;
		c->negative_bytes -= e->bytes;
	}
	hlist_del_init(&e->node);
	list_del_init(&e->lru);
	rrset_put(e->set);
	free(e);
}

void rcache_flush(struct rcache *c)
{
	while (!list_empty(&c->lru))
		entry_drop(c, list_first_entry(&c->lru, struct rcache_entry, lru));
	while (!list_empty(&c->negative))
		entry_drop(c, list_first_entry(&c->negative, struct rcache_entry, lru));
}

void rcache_free(struct rcache *c)
{
	if (!c)
		return;
	rcache_flush(c);
	free(c->bucket);
	free(c);
}

static struct rcache_entry *find(const struct rcache *c, const struct dname *name, uint16_t type,
				 uint64_t hash)
{
	struct rcache_entry *e;

	hlist_for_each_entry(e, &c->bucket[hash & (c->n_buckets - 1)], node)
		if (e->hash == hash && e->type == type && dname_eq(&e->name, name))
			return e;
	return NULL;
}

const struct rcache_entry *rcache_get(struct rcache *c, const struct dname *name, uint16_t type,
				      uint64_t now_ns)
{
	struct rcache_entry *e = find(c, name, type, dname_hash(c->key, name, type));

	if (e && e->expires_ns <= now_ns) {
		entry_drop(c, e);
		e = NULL;
	}
	if (!e) {
		c->misses++;
		return NULL;
	}
	c->hits++;
	list_del_init(&e->lru);
	list_add_tail(&e->lru, lru_of(c, e));
	return e;
}

const struct rcache_entry *rcache_nxdomain(struct rcache *c, const struct dname *name,
					   uint64_t now_ns)
{
	struct dname n = *name;

	do {
		const struct rcache_entry *e = rcache_get(c, &n, 0, now_ns);

		if (e)
			return e;
	} while (dname_parent(&n, &n));
	return NULL;
}

static void grow(struct rcache *c)
{
	uint32_t n = c->n_buckets * 2, i;
	struct hlist_head *b = xcalloc(n, sizeof(b[0]));

	for (i = 0; i < c->n_buckets; i++) {
		while (c->bucket[i].first) {
			struct rcache_entry *e =
			    container_of(c->bucket[i].first, struct rcache_entry, node);

			hlist_del_init(&e->node);
			hlist_add_head(&e->node, &b[e->hash & (n - 1)]);
		}
	}
	free(c->bucket);
	c->bucket = b;
	c->n_buckets = n;
}

/* A flood of names that do not exist pushes out only its like (DR-19). */
static void make_room(struct rcache *c, uint32_t bytes, bool negative)
{
	while (negative && c->n_negative &&
	       c->negative_bytes + bytes > c->max_bytes / RCACHE_NEGATIVE_SHARE) {
		entry_drop(c, list_first_entry(&c->negative, struct rcache_entry, lru));
		c->evicted++;
	}
	while (c->n && c->bytes + bytes > c->max_bytes) {
		struct list_head *h = list_empty(&c->lru) ? &c->negative : &c->lru;

		entry_drop(c, list_first_entry(h, struct rcache_entry, lru));
		c->evicted++;
	}
}

/* Whether new data of this rank may take the place of e. */
static bool may_replace(const struct rcache_entry *e, enum rcache_kind kind, enum rcache_rank rank,
			uint64_t now_ns)
{
	if (e->expires_ns <= now_ns || e->kind == RC_FAIL)
		return true;
	if (kind == RC_FAIL)
		return false;
	return rank >= e->rank;
}

void rcache_put(struct rcache *c, const struct dname *name, uint16_t type, enum rcache_kind kind,
		enum rcache_rank rank, struct rrset *set, const struct dname *soa_owner,
		uint32_t ttl, uint64_t now_ns)
{
	uint16_t t = kind == RC_NXDOMAIN ? 0 : type;
	uint64_t hash = dname_hash(c->key, name, t), expires;
	struct rcache_entry *old = find(c, name, t, hash), *e;
	uint32_t cap = kind == RC_DATA	 ? RCACHE_MAX_TTL
		       : kind == RC_FAIL ? RCACHE_FAIL_TTL
					 : RCACHE_MAX_NEGATIVE;
	uint32_t bytes = (uint32_t)sizeof(*e) + (set ? (uint32_t)sizeof(*set) + set->room : 0);

	ttl = min_u32(ttl, cap);
	if (ttl == 0 || bytes > c->max_bytes / 8)
		return;
	expires = now_ns + ttl * NSEC_PER_SEC;
	if (old) {
		if (!may_replace(old, kind, rank, now_ns))
			return;
		if (type == DNS_NS && kind == RC_DATA && old->kind == RC_DATA &&
		    old->expires_ns > now_ns)
			expires = min_u64(expires, old->expires_ns);
		entry_drop(c, old);
	}
	make_room(c, bytes, kind != RC_DATA);
	if (c->n >= c->n_buckets)
		grow(c);
	e = xcalloc(1, sizeof(*e));
	e->name = *name;
	e->type = t;
	e->kind = (uint8_t)kind;
	e->rank = (uint8_t)rank;
	e->set = set ? rrset_hold(set) : NULL;
	if (soa_owner)
		e->soa_owner = *soa_owner;
	e->hash = hash;
	e->expires_ns = expires;
	e->bytes = bytes;
	hlist_add_head(&e->node, &c->bucket[hash & (c->n_buckets - 1)]);
	list_add_tail(&e->lru, lru_of(c, e));
	c->n++;
	c->bytes += bytes;
	if (kind != RC_DATA) {
		c->n_negative++;
		c->negative_bytes += bytes;
	}
}

static int by_name(const void *a, const void *b)
{
	const struct rcache_entry *x = *(const struct rcache_entry *const *)a,
				  *y = *(const struct rcache_entry *const *)b;
	int c = dname_cmp(&x->name, &y->name);

	return c ? c : (int)x->type - (int)y->type;
}

static void dump_entry(const struct rcache_entry *e, uint64_t now_ns, struct strbuf *sb)
{
	static const char *const ranks[] = { "?", "additional", "referral", "answer" };
	char name[DNAME_TEXT_MAX], type[16];
	struct rdata rd;
	uint32_t pos = 0;

	dname_text(name, &e->name);
	if (e->kind != RC_DATA) {
		sb_printf(sb, "%s\t%u\tIN\t%s\t; %s\n", name, rcache_ttl(e, now_ns),
			  e->type ? dns_type_text(type, e->type) : "ANY",
			  e->kind == RC_NODATA	   ? "NODATA"
			  : e->kind == RC_NXDOMAIN ? "NXDOMAIN"
						   : "SERVFAIL");
		return;
	}
	while (rrset_next(e->set, &pos, &rd)) {
		sb_printf(sb, "%s\t%u\tIN\t%s\t", name, rcache_ttl(e, now_ns),
			  dns_type_text(type, e->type));
		dns_rdata_text(sb, e->type, rd.p, rd.len);
		sb_printf(sb, "\t; %s\n", ranks[e->rank]);
	}
}

void rcache_dump(const struct rcache *c, uint64_t now_ns, struct strbuf *sb)
{
	const struct rcache_entry **v = xcalloc(c->n + 1u, sizeof(v[0])), *e;
	uint32_t n = 0, i;

	list_for_each_entry(e, &c->lru, lru)
		if (e->expires_ns > now_ns)
			v[n++] = e;
	list_for_each_entry(e, &c->negative, lru)
		if (e->expires_ns > now_ns)
			v[n++] = e;
	qsort(v, n, sizeof(v[0]), by_name);
	for (i = 0; i < n; i++)
		dump_entry(v[i], now_ns, sb);
	free(v);
}

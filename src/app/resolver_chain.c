/* What the resolver knows without asking: aliases, answers and negative answers in its cache, the
 * root hints, and the nearest delegation.
 *
 * Decides whether a question can be answered now (RFC 1034 5.3.3 step 1) and from which zone the
 * walk starts (step 2). Called by resolver_job.c and resolver_msg.c. Tests:
 * tests/unit/app/test_resolver.c. */
#include <stdio.h>
#include <string.h>

#include "app/resolver_int.h"

void ranswer_add(struct ranswer *a, enum dns_section s, const struct dname *owner,
		 struct rrset *set, uint64_t expires_ns)
{
	struct ranswer_set *e;

	if (a->n == RES_ANSWER_SETS)
		return;
	e = &a->set[a->n++];
	e->owner = *owner;
	e->set = rrset_hold(set);
	e->expires_ns = expires_ns;
	e->section = (uint8_t)s;
}

void ranswer_clear(struct ranswer *a)
{
	while (a->n)
		rrset_put(a->set[--a->n].set);
	a->rcode = 0;
}

void ranswer_fill(const struct ranswer *a, struct dns_out *o, uint64_t now_ns)
{
	unsigned i;

	o->rcode = a->rcode;
	for (i = 0; i < a->n; i++) {
		const struct ranswer_set *e = &a->set[i];
		uint64_t left = e->expires_ns > now_ns
				    ? (e->expires_ns - now_ns + NSEC_PER_SEC - 1) / NSEC_PER_SEC
				    : 0;

		dns_out_add(o, (enum dns_section)e->section, &e->owner, e->set,
			    (uint32_t)min_u64(left, RCACHE_MAX_TTL));
	}
}

bool rset_cname(const struct rrset *s, struct dname *to)
{
	struct rdata rd;
	uint32_t pos = 0;

	return rrset_next(s, &pos, &rd) && dns_rdata_name(DNS_CNAME, rd.p, rd.len, to);
}

/* ---- hints ---- */

static struct rhint *hint_find(struct resolver *r, const struct dname *name)
{
	unsigned i;

	for (i = 0; i < r->n_hints; i++)
		if (dname_eq(&r->hint[i].name, name))
			return &r->hint[i];
	return NULL;
}

int resolver_hint(struct resolver *r, const struct dns_record *rec, char *why, size_t room)
{
	struct dname host;
	struct rhint *h;

	if (rec->type == DNS_AAAA)
		return 0; /* we speak IPv4 */
	if (rec->type == DNS_NS && dname_is_root(rec->owner) &&
	    dns_rdata_name(DNS_NS, rec->rd, rec->rdlen, &host)) {
		if (hint_find(r, &host))
			return 0;
		if (r->n_hints == RES_MAX_HINTS) {
			snprintf(why, room, "more than %d root servers", RES_MAX_HINTS);
			return -1;
		}
		r->hint[r->n_hints++].name = host;
		if (!r->hint_ns)
			r->hint_ns = rrset_new(DNS_NS, rec->ttl);
		return rrset_add(r->hint_ns, rec->rd, rec->rdlen, rec->ttl);
	}
	h = rec->type == DNS_A ? hint_find(r, rec->owner) : NULL;
	if (!h) {
		snprintf(why, room,
			 "root hints hold NS records of the root and, after them, their addresses; "
			 "not this");
		return -1;
	}
	if (!h->a)
		h->a = rrset_new(DNS_A, rec->ttl);
	return rrset_add(h->a, rec->rd, rec->rdlen, rec->ttl);
}

bool resolver_has_hints(const struct resolver *r)
{
	unsigned i;

	for (i = 0; i < r->n_hints; i++)
		if (r->hint[i].a)
			return true;
	return false;
}

static uint64_t hint_end(const struct resolver *r, const struct rrset *s)
{
	return r->now_ns + (uint64_t)min_u32(s->ttl, RCACHE_MAX_TTL) * NSEC_PER_SEC;
}

/* ". NS" with the addresses, and the addresses alone: dig +trace begins with them. */
static bool hint_answer(struct resolver *r, struct ranswer *a, const struct dname *name,
			uint16_t type)
{
	struct rhint *h;
	unsigned i;

	if (r->p.prime)
		return false;
	if (type == DNS_NS && dname_is_root(name) && r->hint_ns) {
		ranswer_add(a, DNS_AN, name, r->hint_ns, hint_end(r, r->hint_ns));
		for (i = 0; i < r->n_hints; i++)
			if (r->hint[i].a)
				ranswer_add(a, DNS_AR, &r->hint[i].name, r->hint[i].a,
					    hint_end(r, r->hint[i].a));
		return true;
	}
	h = type == DNS_A ? hint_find(r, name) : NULL;
	if (!h || !h->a)
		return false;
	ranswer_add(a, DNS_AN, name, h->a, hint_end(r, h->a));
	return true;
}

/* ---- answers ---- */

static enum rlook take_entry(struct ranswer *a, const struct dname *cur,
			     const struct rcache_entry *e)
{
	static const uint8_t rcode[] = { DNS_NOERROR, DNS_NOERROR, DNS_NXDOMAIN, DNS_SERVFAIL };

	a->rcode = rcode[e->kind];
	if (e->kind == RC_DATA)
		ranswer_add(a, DNS_AN, cur, e->set, e->expires_ns);
	else if (e->set)
		ranswer_add(a, DNS_AUTH, &e->soa_owner, e->set, e->expires_ns);
	return LOOK_DONE;
}

static bool is_answer(const struct rcache_entry *e)
{
	return e && (e->kind != RC_DATA || e->rank == RANK_AUTH_ANSWER);
}

enum rlook rchain_lookup(struct resolver *r, struct ranswer *a, struct dname *cur, uint16_t type,
			 unsigned *links)
{
	for (;;) {
		const struct rcache_entry *e = rcache_get(r->cache, cur, type, r->now_ns);
		struct dname to;

		if (is_answer(e))
			return take_entry(a, cur, e);
		e = rcache_nxdomain(r->cache, cur, r->now_ns);
		if (e)
			return take_entry(a, cur, e);
		if (hint_answer(r, a, cur, type))
			return LOOK_DONE;
		e = type != DNS_CNAME ? rcache_get(r->cache, cur, DNS_CNAME, r->now_ns) : NULL;
		if (!is_answer(e) || e->kind != RC_DATA || !rset_cname(e->set, &to))
			return LOOK_MISS;
		if (++*links > RES_MAX_LINKS) {
			a->rcode = DNS_SERVFAIL;
			return LOOK_DONE;
		}
		ranswer_add(a, DNS_AN, cur, e->set, e->expires_ns);
		*cur = to;
	}
}

/* ---- delegations ---- */

struct rrset *rchain_addrs(struct resolver *r, const struct dname *ns)
{
	const struct rcache_entry *e = rcache_get(r->cache, ns, DNS_A, r->now_ns);
	struct rhint *h = hint_find(r, ns);

	if (e && e->kind == RC_DATA)
		return e->set;
	return h ? h->a : NULL;
}

void rdeleg_add_addrs(struct rdeleg *d, const struct rrset *a)
{
	struct rdata rd;
	uint32_t pos = 0;
	unsigned i;

	while (rrset_next(a, &pos, &rd)) {
		uint32_t addr = get_be32(rd.p);

		for (i = 0; i < d->n_addrs && d->addr[i].addr != addr; i++)
			;
		if (i < d->n_addrs || i == RES_MAX_ADDRS)
			continue;
		d->addr[i].addr = addr;
		d->addr[i].tries = 0;
		d->n_addrs++;
	}
}

static void deleg_fill(struct resolver *r, struct rdeleg *d, const struct dname *zone,
		       const struct rrset *ns)
{
	struct rdata rd;
	uint32_t pos = 0;

	memset(d, 0, sizeof(*d));
	d->known = true;
	d->zone = *zone;
	while (rrset_next(ns, &pos, &rd) && d->n_ns < RES_MAX_NS) {
		struct rrset *a;

		if (!dns_rdata_name(DNS_NS, rd.p, rd.len, &d->ns[d->n_ns].name))
			continue;
		a = rchain_addrs(r, &d->ns[d->n_ns].name);
		if (a) {
			d->ns[d->n_ns].resolved = true;
			rdeleg_add_addrs(d, a);
		}
		d->n_ns++;
	}
}

void rdeleg_find(struct resolver *r, const struct dname *name, struct rdeleg *d)
{
	struct dname n = *name;

	do {
		const struct rcache_entry *e = rcache_get(r->cache, &n, DNS_NS, r->now_ns);

		if (e && e->kind == RC_DATA) {
			deleg_fill(r, d, &n, e->set);
			return;
		}
	} while (dname_parent(&n, &n));
	memset(d, 0, sizeof(*d));
	dname_root(&n);
	if (r->hint_ns)
		deleg_fill(r, d, &n, r->hint_ns);
}

bool resolver_peek(struct resolver *r, const struct dname *name, uint16_t type, struct ranswer *out,
		   uint64_t now_ns)
{
	const struct rcache_entry *e;
	struct dname cur = *name;
	unsigned links = 0;
	bool more;

	r->now_ns = max_u64(r->now_ns, now_ns);
	memset(out, 0, sizeof(*out));
	if (rchain_lookup(r, out, &cur, type, &links) == LOOK_DONE)
		return true;
	do {
		e = rcache_get(r->cache, &cur, DNS_NS, r->now_ns);
		more = !(e && e->kind == RC_DATA) && dname_parent(&cur, &cur);
	} while (more);
	if (e && e->kind == RC_DATA)
		ranswer_add(out, DNS_AUTH, &cur, e->set, e->expires_ns);
	else if (r->hint_ns)
		ranswer_add(out, DNS_AUTH, &cur, r->hint_ns, hint_end(r, r->hint_ns));
	return false;
}

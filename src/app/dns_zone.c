/* A zone: a hash of nodes, every name between the apex and a record's owner being one (so that
 * empty non-terminals exist, RFC 4592 2.2.2), and the walk down from the apex.
 *
 * Decides answer, referral, alias, wildcard, NODATA or NXDOMAIN (RFC 1034 4.3.2, RFC 4592, RFC
 * 6672), and which records may not stand together. Called by dns_reply.c. Tests:
 * tests/unit/app/test_dns_reply.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/dns_msg.h"
#include "app/dns_zone.h"
#include "base/pool.h"

struct zone *zone_new(const struct dname *apex, const uint8_t key[16])
{
	struct zone *z = xcalloc(1, sizeof(*z));

	z->apex = *apex;
	dname_text(z->text, apex);
	memcpy(z->key, key, 16);
	z->n_buckets = 16;
	z->bucket = xcalloc(z->n_buckets, sizeof(z->bucket[0]));
	return z;
}

void zone_free(struct zone *z)
{
	uint32_t i;
	unsigned k;

	if (!z)
		return;
	for (i = 0; i < z->n_buckets; i++) {
		while (z->bucket[i]) {
			struct zone_node *n = z->bucket[i];

			z->bucket[i] = n->next;
			for (k = 0; k < n->n_sets; k++)
				rrset_put(n->sets[k]);
			free(n->sets);
			free(n);
		}
	}
	free(z->bucket);
	free(z);
}

static bool node_is(const struct zone_node *n, const struct dname *name)
{
	struct dname t;

	if (n->len != name->len)
		return false;
	memcpy(t.w, n->w, n->len);
	t.len = n->len;
	return dname_eq(&t, name);
}

static struct zone_node *node_find(const struct zone *z, const struct dname *name)
{
	uint64_t h = dname_hash(z->key, name, 0);
	struct zone_node *n;

	for (n = z->bucket[h & (z->n_buckets - 1)]; n; n = n->next)
		if (n->hash == h && node_is(n, name))
			return n;
	return NULL;
}

static void grow(struct zone *z)
{
	uint32_t n = z->n_buckets * 2, i;
	struct zone_node **b = xcalloc(n, sizeof(b[0]));

	for (i = 0; i < z->n_buckets; i++) {
		while (z->bucket[i]) {
			struct zone_node *e = z->bucket[i];

			z->bucket[i] = e->next;
			e->next = b[e->hash & (n - 1)];
			b[e->hash & (n - 1)] = e;
		}
	}
	free(z->bucket);
	z->bucket = b;
	z->n_buckets = n;
}

static struct zone_node *node_make(struct zone *z, const struct dname *name)
{
	struct zone_node *n = node_find(z, name);

	if (n)
		return n;
	if (z->n_nodes >= z->n_buckets)
		grow(z);
	n = xcalloc(1, sizeof(*n) + name->len);
	n->hash = dname_hash(z->key, name, 0);
	n->len = name->len;
	memcpy(n->w, name->w, name->len);
	n->next = z->bucket[n->hash & (z->n_buckets - 1)];
	z->bucket[n->hash & (z->n_buckets - 1)] = n;
	z->n_nodes++;
	return n;
}

static struct rrset *node_get(const struct zone_node *n, uint16_t type)
{
	unsigned i;

	for (i = 0; i < n->n_sets; i++)
		if (n->sets[i]->type == type)
			return n->sets[i];
	return NULL;
}

struct rrset *zone_get(const struct zone *z, const struct dname *name, uint16_t type)
{
	struct zone_node *n = node_find(z, name);

	return n ? node_get(n, type) : NULL;
}

/* ---- building ---- */

/* What DNSSEC puts beside a CNAME does not count as other data (RFC 2181 10.1, RFC 4034). */
static bool beside_cname(uint16_t type)
{
	return type == DNS_CNAME || type == DNS_KEY || type == DNS_SIG || type == DNS_RRSIG ||
	       type == DNS_NSEC;
}

static const char *conflict(const struct zone *z, const struct zone_node *n,
			    const struct dns_record *r)
{
	struct rrset *same = node_get(n, r->type);
	unsigned i;

	if (r->type == DNS_SOA && !dname_eq(r->owner, &z->apex))
		return "SOA is allowed only at the zone's name";
	if (same && (r->type == DNS_SOA || r->type == DNS_CNAME || r->type == DNS_DNAME))
		return "a second record of a type that a name has once";
	if (r->type == DNS_CNAME) {
		for (i = 0; i < n->n_sets; i++)
			if (!beside_cname(n->sets[i]->type))
				return "CNAME and other data at the same name";
	} else if (!beside_cname(r->type) && node_get(n, DNS_CNAME)) {
		return "CNAME and other data at the same name";
	}
	return NULL;
}

int zone_add(struct zone *z, const struct dns_record *r, char *why, size_t room)
{
	char text[DNAME_TEXT_MAX];
	struct zone_node *n;
	struct rrset *s;
	struct dname up;
	const char *bad;

	if (!dname_under(r->owner, &z->apex)) {
		snprintf(why, room, "%.100s is outside the zone %.100s", dname_text(text, r->owner),
			 z->text);
		return -1;
	}
	n = node_make(z, r->owner);
	bad = conflict(z, n, r);
	if (bad) {
		snprintf(why, room, "%.150s: %s", dname_text(text, r->owner), bad);
		return -1;
	}
	for (up = *r->owner;
	     !dname_eq(&up, &z->apex) && dname_parent(&up, &up) && !node_find(z, &up);)
		node_make(z, &up);
	s = node_get(n, r->type);
	if (!s) {
		s = rrset_new(r->type, r->ttl);
		n->sets = xrealloc(n->sets, (n->n_sets + 1u) * sizeof(n->sets[0]));
		n->sets[n->n_sets++] = s;
	}
	if (rrset_add(s, r->rd, r->rdlen, r->ttl)) {
		snprintf(why, room, "more than %d records of one type at %.100s", RRSET_MAX_RECORDS,
			 dname_text(text, r->owner));
		return -1;
	}
	z->n_records++;
	if (r->type == DNS_SOA) {
		z->soa = s;
		z->negative_ttl = min_u32(s->ttl, get_be32(r->rd + r->rdlen - 4));
	}
	return 0;
}

/* RFC 6672 2.4: nothing exists below a DNAME. */
static bool below_dname(const struct zone *z, const struct zone_node *n)
{
	struct dname up;

	memcpy(up.w, n->w, n->len);
	up.len = n->len;
	while (!dname_eq(&up, &z->apex)) {
		if (!dname_parent(&up, &up))
			break;
		if (zone_get(z, &up, DNS_DNAME))
			return true;
	}
	return false;
}

int zone_finish(struct zone *z, char *why, size_t room)
{
	uint32_t i;

	if (!z->soa) {
		snprintf(why, room, "zone %.200s has no SOA record", z->text);
		return -1;
	}
	if (!zone_get(z, &z->apex, DNS_NS)) {
		snprintf(why, room, "zone %.200s has no NS record at its name", z->text);
		return -1;
	}
	for (i = 0; i < z->n_buckets; i++) {
		const struct zone_node *n;

		for (n = z->bucket[i]; n; n = n->next) {
			if (below_dname(z, n)) {
				snprintf(why, room, "zone %.200s has names below a DNAME", z->text);
				return -1;
			}
		}
	}
	return 0;
}

struct load {
	struct zone *z;
	int (*read)(void *arg, const char *path, struct strbuf *sb);
	void *arg;
};

static int load_read(void *arg, const char *path, struct strbuf *sb)
{
	struct load *l = arg;

	return l->read(l->arg, path, sb);
}

static int load_record(void *arg, const struct dns_record *r, char *why, size_t room)
{
	struct load *l = arg;

	return zone_add(l->z, r, why, room);
}

struct zone *zone_load(const char *path, const struct dname *apex, const uint8_t key[16],
		       int (*read)(void *arg, const char *path, struct strbuf *sb), void *arg,
		       char *err)
{
	static const struct dns_master_ops ops = { load_read, load_record, 0 };
	struct load l = { zone_new(apex, key), read, arg };
	char why[256];

	if (!dns_master_load(path, apex, &ops, &l, err)) {
		if (!zone_finish(l.z, why, sizeof(why)))
			return l.z;
		snprintf(err, MASTER_ERR, "%.200s: %s", path, why);
	}
	zone_free(l.z);
	return NULL;
}

/* ---- lookup ---- */

/* The node is the one asked for (or the wildcard): what it says. */
static void answer_at(const struct zone_node *n, uint16_t type, struct zone_hit *hit)
{
	hit->node = n;
	hit->set = node_get(n, type);
	if (type == DNS_ANY && n->n_sets) {
		hit->result = ZONE_ANY;
	} else if (hit->set) {
		hit->result = ZONE_ANSWER;
	} else if ((hit->set = node_get(n, DNS_CNAME))) {
		hit->result = ZONE_CNAME;
	} else {
		hit->result = ZONE_NODATA;
	}
}

/* Step 3b: a cut or a DNAME on the way down. Whether the walk ends here. */
static bool stops(const struct zone *z, const struct zone_node *n, const struct dname *at,
		  const struct dname *name, uint16_t type, struct zone_hit *hit)
{
	bool last = at->len == name->len;

	if (at->len > z->apex.len && !(last && type == DNS_DS) &&
	    (hit->set = node_get(n, DNS_NS))) {
		hit->result = ZONE_REFERRAL; /* DS lives on the parent's side (RFC 4035 3.1.4.1) */
	} else if (!last && (hit->set = node_get(n, DNS_DNAME))) {
		hit->result = ZONE_DNAME;
	} else {
		return false;
	}
	hit->node = n;
	hit->owner = *at;
	return true;
}

void zone_find(const struct zone *z, const struct dname *name, uint16_t type, struct zone_hit *hit)
{
	unsigned k, total = dname_labels(name);
	struct dname at = z->apex, wild;
	const struct zone_node *n;

	memset(hit, 0, sizeof(*hit));
	for (k = dname_labels(&z->apex);; k++) {
		dname_suffix(&at, name, k);
		n = node_find(z, &at);
		if (!n)
			break;
		if (stops(z, n, &at, name, type, hit))
			return;
		if (k == total) {
			answer_at(n, type, hit);
			return;
		}
	}
	/* Step 3c: the closest encloser is one label above; its "*" alone may serve (RFC
	 * 4592 3.3.1). */
	hit->result = ZONE_NXDOMAIN;
	dname_suffix(&at, name, k - 1);
	if (!dname_prepend(&wild, "*", &at) || !(n = node_find(z, &wild)))
		return;
	answer_at(n, type, hit);
	hit->wildcard = true;
}

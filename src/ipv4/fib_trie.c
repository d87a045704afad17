/* Longest prefix match (RFC 1812 5.2.4.3, RFC 4632 5.1): which routes of one table fit an address, best first.
 *
 * Called by: fib_lookup (fib_rules.c) for each packet without a cached route, fib_frontend.c and fib_rtnl.c to
 * change and show tables. Hands on: the fib_info that was found. The structure's theory is in fib_trie.h.
 * Tests: tests/unit/ipv4/test_fib.c (S2-25, S2-26, S3-69 to S3-71, S3-110). */
#include <errno.h>
#include <stdlib.h>
#include "ipv4/fib_trie.h"
#include "ipv4/netns_ipv4.h"

/* Written out: the builtin is a call into a table where the machine's own instruction may not be assumed. */
static inline unsigned popcount64(uint64_t v)
{
	v -= v >> 1 & 0x5555555555555555ULL;
	v = (v & 0x3333333333333333ULL) + (v >> 2 & 0x3333333333333333ULL);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return (unsigned)(v * 0x0101010101010101ULL >> 56);
}

/* How many bits below bit are set: the index in the packed array. Mostly none: few prefixes share a node. */
static inline unsigned rank64(uint64_t map, unsigned bit)
{
	uint64_t below = map & ((1ULL << bit) - 1);

	return likely(!below) ? 0 : popcount64(below);
}

/* The heap numbers of the prefixes inside a node that cover these six bits. */
static inline uint64_t ancestors(unsigned six)
{
	return 1ULL << 1 | 1ULL << (2 | six >> 5) | 1ULL << (4 | six >> 4) | 1ULL << (8 | six >> 3) |
	       1ULL << (16 | six >> 2) | 1ULL << (32 | six >> 1);
}

static inline unsigned six_bits(uint32_t key, unsigned off)
{
	return (key << off) >> 26;
}

/* Heap number of a prefix that ends len (0..5) bits inside the node at off. */
static inline unsigned heap_nr(uint32_t key, unsigned off, unsigned len)
{
	return 1u << len | six_bits(key, off) >> (TRIE_STRIDE - len);
}

static void *array_insert(void *array, size_t n, size_t at, size_t size)
{
	char *a = xrealloc(array, (n + 1) * size);

	memmove(a + (at + 1) * size, a + at * size, (n - at) * size);
	memset(a + at * size, 0, size);
	return a;
}

static void *array_remove(void *array, size_t n, size_t at, size_t size)
{
	char *a = array;

	memmove(a + at * size, a + (at + 1) * size, (n - at - 1) * size);
	if (n == 1) {
		free(a);
		return NULL;
	}
	return xrealloc(a, (n - 1) * size);
}

/* Does the address (or prefix) lie below the node? */
static inline bool node_covers(const struct trie_node *n, uint32_t key)
{
	return ((key ^ n->key) & ip4_mask(n->off)) == 0;
}

/* Where the node of a prefix stands. */
static inline unsigned node_off(uint8_t plen)
{
	return plen - plen % TRIE_STRIDE;
}

struct fib_alias **trie_find(struct fib_table *tb, uint32_t key, uint8_t plen)
{
	struct trie_node *n = &tb->root;
	unsigned off = node_off(plen), h;

	while (n->off < off) {
		unsigned six = six_bits(key, n->off);

		if (!(n->external >> six & 1))
			return NULL;
		n = &n->child[rank64(n->external, six)];
		if (n->off > off || !node_covers(n, key))
			return NULL;
	}
	h = heap_nr(key, off, plen - off);
	return n->internal >> h & 1 ? &n->leaf[rank64(n->internal, h)] : NULL;
}

/* A node between n and its child c, where the way to (key, off) leaves the way to c. It takes c's place. */
static void node_split(struct trie_node *c, uint32_t key, unsigned off)
{
	uint32_t diff = (key ^ c->key) & ip4_mask(min_u32(c->off, off));
	unsigned at = diff ? (unsigned)__builtin_clz(diff) / TRIE_STRIDE * TRIE_STRIDE : off;
	struct trie_node mid = { .key = key & ip4_mask(at), .off = at, .external = 1ULL << six_bits(c->key, at) };

	mid.child = xrealloc(NULL, sizeof(*c));
	*mid.child = *c;
	*c = mid;
}

struct fib_alias **trie_find_or_add(struct fib_table *tb, uint32_t key, uint8_t plen)
{
	struct trie_node *n = &tb->root;
	unsigned off = node_off(plen), h, at;

	while (n->off < off) {
		unsigned six = six_bits(key, n->off);

		at = rank64(n->external, six);
		if (!(n->external >> six & 1)) {
			n->child = array_insert(n->child, popcount64(n->external), at, sizeof(*n));
			n->external |= 1ULL << six;
			n->child[at].key = key & ip4_mask(off);
			n->child[at].off = off;
		} else if (n->child[at].off > off || !node_covers(&n->child[at], key)) {
			node_split(&n->child[at], key, off);
		}
		n = &n->child[at];
	}
	h = heap_nr(key, off, plen - off);
	at = rank64(n->internal, h);
	if (!(n->internal >> h & 1)) {
		n->leaf = array_insert(n->leaf, popcount64(n->internal), at, sizeof(*n->leaf));
		n->internal |= 1ULL << h;
		tb->nr_prefixes++;
	}
	return &n->leaf[at];
}

/* A child that lost a prefix or a child: gone if it is empty, replaced by its only child if it holds nothing else.
 * True: up lost a child. */
static bool node_prune(struct trie_node *up, uint32_t key)
{
	unsigned six = six_bits(key, up->off), at = rank64(up->external, six);
	struct trie_node *n = &up->child[at], *only = n->child;

	if (n->internal || n->external & (n->external - 1))
		return false;
	if (n->external) {
		*n = *only;
		free(only);
		return false;
	}
	up->child = array_remove(up->child, popcount64(up->external), at, sizeof(*n));
	up->external &= ~(1ULL << six);
	return true;
}

void trie_remove(struct fib_table *tb, uint32_t key, uint8_t plen)
{
	struct trie_node *path[6], *n = &tb->root;
	unsigned depth = 0, off = node_off(plen), h;

	while (n->off < off) {
		path[depth++] = n;
		n = &n->child[rank64(n->external, six_bits(key, n->off))];
	}
	h = heap_nr(key, off, plen - off);
	n->leaf = array_remove(n->leaf, popcount64(n->internal), rank64(n->internal, h), sizeof(*n->leaf));
	n->internal &= ~(1ULL << h);
	tb->nr_prefixes--;
	while (depth && node_prune(path[depth - 1], key))
		depth--;
}

/* Below heap number h of a node: first the prefix itself, then its two halves. Depth is bounded by 32 bits. */
static void node_walk(struct trie_node *n, unsigned h, fib_walk_fn fn, void *arg)
{
	unsigned len = 31u - (unsigned)__builtin_clz(h);

	if (n->internal >> h & 1) {
		struct fib_alias *fa = n->leaf[rank64(n->internal, h)];
		uint32_t bits = h & ((1u << len) - 1), key = bits ? n->key | bits << (32 - n->off - len) : n->key;

		for (; fa; fa = fa->next)
			fn(arg, key, (uint8_t)(n->off + len), fa);
	}
	if (len < TRIE_STRIDE - 1) {
		node_walk(n, 2 * h, fn, arg);
		node_walk(n, 2 * h + 1, fn, arg);
		return;
	}
	for (unsigned b = 0; b < 2; b++) {
		unsigned six = (h & 31) << 1 | b;

		if (n->external >> six & 1)
			node_walk(&n->child[rank64(n->external, six)], 1, fn, arg);
	}
}

void trie_walk(struct fib_table *tb, fib_walk_fn fn, void *arg)
{
	node_walk(&tb->root, 1, fn, arg);
}

static void node_free(struct trie_node *n, struct pool *aliases)
{
	for (unsigned i = 0; i < popcount64(n->external); i++)
		node_free(&n->child[i], aliases);
	for (unsigned i = 0; i < popcount64(n->internal); i++) {
		struct fib_alias *fa = n->leaf[i], *next;

		for (; fa; fa = next) {
			next = fa->next;
			fib_release_info(fa->fi);
			pool_put(aliases, fa);
		}
	}
	free(n->child);
	free(n->leaf);
	memset(n, 0, sizeof(*n));
}

void trie_free(struct fib_table *tb)
{
	node_free(&tb->root, &tb->net->ipv4->alias_pool);
	tb->nr_routes = tb->nr_prefixes = 0;
}

/* Does one of the routes of a prefix serve this flow? 0: *nhsel says by which next hop. 1: no. <0: the route
 * says no (unreachable, prohibit, blackhole). */
static int alias_match(const struct fib_alias *fa, const struct flowi4 *flp, uint8_t *nhsel)
{
	const struct fib_info *fi = fa->fi;
	int err = fib_prop_of(fa->type)->error;

	if ((fa->tos && fa->tos != flp->tos) || fi->dead || fi->scope < flp->scope)
		return 1;
	if (err)
		return err;
	for (uint32_t i = 0; i < fi->nhs; i++) {
		const struct fib_nh *nh = &fi->nh[i];

		if ((nh->flags & RTNH_F_DEAD) || (flp->oif && flp->oif != nh->oif))
			continue;
		*nhsel = (uint8_t)i;
		return 0;
	}
	return 1;
}

struct trie_try { /* a node on the way, and the prefixes in it that cover the address */
	const struct trie_node *n;
	uint64_t match;
};

/* From the longest covering prefix to the shortest. */
static int trie_best(const struct trie_try *path, unsigned depth, const struct flowi4 *flp, struct fib_result *res)
{
	while (depth--) {
		uint64_t m = path[depth].match;

		while (m) {
			unsigned h = 63u - (unsigned)__builtin_clzll(m);
			unsigned plen = path[depth].n->off + 31u - (unsigned)__builtin_clz(h);
			const struct fib_alias *fa = path[depth].n->leaf[rank64(path[depth].n->internal, h)];

			res->chain = fa;
			for (; fa; fa = fa->next) {
				int err = alias_match(fa, flp, &res->nh_sel);

				if (err > 0)
					continue;
				res->prefixlen = (uint8_t)plen;
				res->prefix = flp->daddr & ip4_mask(plen);
				res->type = fa->type;
				res->scope = fa->fi->scope;
				res->fi = fa->fi;
				return err;
			}
			m &= ~(1ULL << h);
		}
	}
	return -EAGAIN;
}

static void trace_lookup(struct fib_table *tb, const struct flowi4 *flp, const struct fib_result *res, int err)
{
	struct probe *p = &tb->net->probe;
	char a[IP4_STRLEN], b[IP4_STRLEN], c[IP4_STRLEN], d[IP4_STRLEN] = "-";
	const struct fib_nh *nh;

	if (likely(!p->on))
		return;
	ip4_str(a, flp->daddr);
	if (err) {
		probe_emit_(p, TR_ROUTE, "fib_table_lookup", 0, "table=%u dst=%s result=%s", tb->id, a,
			    err == -EAGAIN ? "miss" : fib_prop_of(res->type)->name);
		return;
	}
	nh = &res->fi->nh[res->nh_sel];
	ip4_str(b, res->prefix);
	ip4_str(c, ip4_mask(res->prefixlen));
	if (nh->gw)
		ip4_str(d, nh->gw);
	/* The match rule in figures (S3-69): dst AND mask is the entry's destination. */
	probe_emit_(p, TR_ROUTE, "fib_table_lookup", 0,
		    "table=%u dst=%s result=hit prefix=%s/%u mask=%s and=%s type=%s scope=%u dev=%s gateway=%s metric=%u",
		    tb->id, a, b, res->prefixlen, c, b, fib_prop_of(res->type)->name, res->scope,
		    nh->dev ? nh->dev->name : "-", d, res->fi->priority);
}

int fib_table_lookup(struct fib_table *tb, const struct flowi4 *flp, struct fib_result *res, int fib_flags)
{
	TRACE_FN(&tb->net->probe, 0);
	struct trie_try path[6];
	const struct trie_node *n = &tb->root;
	unsigned depth = 0;
	int err;

	do {
		unsigned six = six_bits(flp->daddr, n->off);

		if (n->internal) {
			uint64_t m = n->internal & ancestors(six);

			if (m)
				path[depth++] = (struct trie_try){ n, m };
		}
		if (!(n->external >> six & 1))
			break;
		n = &n->child[rank64(n->external, six)];
	} while (node_covers(n, flp->daddr));
	res->table_id = tb->id;
	err = trie_best(path, depth, flp, res);
	trace_lookup(tb, flp, res, err);
	return err;
}

struct collect {
	struct fib_dump_item *v;
	size_t n, room;
};

static void collect_one(void *arg, uint32_t key, uint8_t plen, struct fib_alias *fa)
{
	struct collect *c = arg;

	if (c->n == c->room) {
		c->room = c->room ? 2 * c->room : 64;
		c->v = xrealloc(c->v, c->room * sizeof(*c->v));
	}
	c->v[c->n++] = (struct fib_dump_item){ key, plen, fa };
}

/* Within a run of one address, the groups of one prefix length go from the longest to the shortest; the order
 * inside a group (TOS, priority) stays. */
static void run_longest_first(struct fib_dump_item *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct fib_dump_item x = v[i];
		size_t j = i;

		for (; j && v[j - 1].plen < x.plen; j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
}

struct fib_dump_item *fib_table_collect(struct fib_table *tb, size_t *n)
{
	struct collect c = { 0 };

	trie_walk(tb, collect_one, &c);
	for (size_t i = 0, j; i < c.n; i = j) {
		for (j = i + 1; j < c.n && c.v[j].key == c.v[i].key; j++)
			;
		run_longest_first(c.v + i, j - i);
	}
	*n = c.n;
	return c.v;
}

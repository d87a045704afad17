/* NAT: which address and port a connection gets.
 *
 * Decides: the mapping that an inside port has already, else a free one: see nf_nat.h. Called with a connection that is not
 * confirmed, so nobody else has seen its reply tuple. RFC 4787 REQ-1 to REQ-4, RFC 5382 REQ-1 and REQ-7, RFC 5508 REQ-1,
 * RFC 6056 3.3.1 (what is chosen by chance is uniform).
 * Called by ip_tables.c (targets) and nf_nat_hooks.c. Tests: tests/unit/netfilter/test_nat.c (NAT-01, 02, 08, 12, 15). */
#include <stdlib.h>
#include <string.h>
#include "netfilter/nf_nat.h"

/* ---- mappings ---- */

static struct hlist_head *map_bucket(const struct nf_nat_net *nn, struct hlist_head *table, uint32_t proto, uint32_t addr,
				     uint16_t port)
{
	return &table[hash_words(nn->cn->net->hash_key, addr, (uint64_t)proto << 16 | port) & (nn->nr_buckets - 1)];
}

static void map_link(struct nf_nat_net *nn, struct nat_map *m)
{
	hlist_add_head(&m->by_in, map_bucket(nn, nn->by_in, m->proto, m->in_addr, m->in_port));
	hlist_add_head(&m->by_out, map_bucket(nn, nn->by_out, m->proto, m->out_addr, m->out_port));
}

static void maps_grow(struct nf_nat_net *nn)
{
	uint32_t old_n = nn->nr_buckets;
	struct hlist_head *old_in = nn->by_in, *old_out = nn->by_out;
	struct nat_map *m;
	struct hlist_node *tmp;

	nn->nr_buckets = old_n ? old_n * 4 : NAT_MAPS_MIN;
	nn->by_in = xcalloc(nn->nr_buckets, sizeof(*nn->by_in));
	nn->by_out = xcalloc(nn->nr_buckets, sizeof(*nn->by_out));
	for (uint32_t i = 0; i < old_n; i++) {
		hlist_for_each_entry_safe(m, tmp, &old_in[i], by_in) {
			hlist_del_init(&m->by_in);
			hlist_del_init(&m->by_out);
			map_link(nn, m);
		}
	}
	free(old_in);
	free(old_out);
}

struct nat_map *nf_nat_map_by_out(const struct nf_nat_net *nn, uint32_t proto, uint32_t addr, uint16_t port)
{
	struct nat_map *m;

	if (!nn->nr_buckets)
		return NULL;
	hlist_for_each_entry(m, map_bucket(nn, nn->by_out, proto, addr, port), by_out) {
		if (m->proto == proto && m->out_addr == addr && m->out_port == port)
			return m;
	}
	return NULL;
}

static bool map_is_of(const struct nat_map *m, const struct nf_conn *ct)
{
	const struct nf_conntrack_tuple *o = &ct->hash[0].tuple;

	return m->proto == o->proto && m->in_addr == o->src && m->in_port == o->sport;
}

static bool in_range(const struct nf_nat_range *r, uint32_t addr, uint16_t port)
{
	if ((r->flags & NF_NAT_RANGE_MAP_IPS) && (addr < r->min_addr || addr > r->max_addr))
		return false;
	return !(r->flags & NF_NAT_RANGE_PROTO_SPECIFIED) || (port >= r->min_port && port <= r->max_port);
}

/* What the inside port has already, if the range allows it. */
static struct nat_map *map_reusable(const struct nf_nat_net *nn, const struct nf_conn *ct, const struct nf_nat_range *r)
{
	const struct nf_conntrack_tuple *o = &ct->hash[0].tuple;
	struct nat_map *m;

	if (!nn->nr_buckets)
		return NULL;
	hlist_for_each_entry(m, map_bucket(nn, nn->by_in, o->proto, o->src, o->sport), by_in) {
		if (map_is_of(m, ct) && in_range(r, m->out_addr, m->out_port))
			return m;
	}
	return NULL;
}

static void map_use(struct nf_nat_net *nn, struct nf_conn *ct, uint32_t addr, uint16_t port)
{
	const struct nf_conntrack_tuple *o = &ct->hash[0].tuple;
	struct nat_map *m = nf_nat_map_by_out(nn, o->proto, addr, port);

	if (!m || !map_is_of(m, ct)) {
		if (nn->nr_maps >= nn->nr_buckets)
			maps_grow(nn);
		m = pool_zget(&nn->map_pool);
		m->proto = o->proto;
		m->in_addr = o->src;
		m->in_port = o->sport;
		m->out_addr = addr;
		m->out_port = port;
		map_link(nn, m);
		nn->nr_maps++;
	}
	m->refs++;
	ct->map = m;
}

void nf_nat_cleanup_conntrack(struct nf_conn *ct)
{
	struct nf_nat_net *nn = ct->cn->nat;
	struct nat_map *m = ct->map;

	ct->map = NULL;
	if (!m || --m->refs)
		return;
	hlist_del_init(&m->by_in);
	hlist_del_init(&m->by_out);
	nn->nr_maps--;
	pool_put(&nn->map_pool, m);
}

/* ---- choosing ---- */

static bool has_ports(uint32_t proto)
{
	return proto == NF_PROTO_TCP || proto == NF_PROTO_UDP || proto == NF_PROTO_ICMP;
}

/* Would the answers of a packet that looks like t come for nobody else? */
static bool answers_unique(const struct nf_conn *ct, const struct nf_conntrack_tuple *t)
{
	struct nf_conntrack_tuple reply;

	return nf_ct_invert_tuple(&reply, t) && !nf_conntrack_tuple_taken(&reply, ct);
}

/* May this connection leave as t->src:t->sport? Nobody else's mapping, no program's port, no other's answers. */
static bool src_free(const struct nf_nat_net *nn, const struct nf_conn *ct, const struct nf_conntrack_tuple *t)
{
	const struct nat_map *m = nf_nat_map_by_out(nn, t->proto, t->src, t->sport);
	const struct nf_conntrack_tuple *o = &ct->hash[0].tuple;
	struct net *net = nn->cn->net;
	bool own = o->src == t->src && o->sport == t->sport;

	if (m && !map_is_of(m, ct))
		return false;
	if (!own && net->nf->ip->port_used(net, (uint8_t)t->proto, t->src, t->sport, 0, 0))
		return false;
	return answers_unique(ct, t);
}

/* min, min + step, ... : the ports that may be chosen among. */
struct port_set {
	uint32_t min, n, step;
};

static struct port_set ports_of(const struct nf_nat_range *r, uint32_t proto, uint16_t port)
{
	struct port_set s = { 1024, 65536 - 1024, 1 };

	if (r->flags & NF_NAT_RANGE_PROTO_SPECIFIED)
		return (struct port_set){ r->min_port, (uint32_t)(r->max_port - r->min_port) + 1, 1 };
	if (proto == NF_PROTO_ICMP)
		return (struct port_set){ 0, 65536, 1 };
	if (port < 1024)
		s = (struct port_set){ 1, 1023, 1 };
	if (proto == NF_PROTO_UDP && !(r->flags & NF_NAT_RANGE_ANY_RANDOM)) {
		s.min += (s.min ^ port) & 1u;
		s.n = (s.n + (port & 1u)) / 2;
		s.step = 2;
	}
	return s;
}

/* A port for t->src. False: there is none, or it would take too long to find it. */
static bool find_port(struct nf_nat_net *nn, const struct nf_conn *ct, const struct nf_nat_range *r, struct nf_conntrack_tuple *t)
{
	struct port_set s = ports_of(r, t->proto, t->sport);
	uint32_t at;

	if (!(r->flags & NF_NAT_RANGE_ANY_RANDOM) && in_range(r, t->src, t->sport) && src_free(nn, ct, t))
		return true;
	for (unsigned i = 0; i < NAT_PORT_DRAWS; i++) {
		t->sport = (uint16_t)(s.min + s.step * rng_below(&nn->rng, s.n));
		if (src_free(nn, ct, t))
			return true;
	}
	at = rng_below(&nn->rng, s.n);
	for (unsigned i = 0; i < NAT_PORT_SCAN && i < s.n; i++) {
		t->sport = (uint16_t)(s.min + s.step * ((at + i) % s.n));
		if (src_free(nn, ct, t))
			return true;
	}
	return false;
}

/* RFC 4787 REQ-2: one inside host, one outside address. */
static uint32_t choose_addr(const struct nf_nat_net *nn, const struct nf_nat_range *r, const struct nf_conn *ct, uint32_t was)
{
	uint64_t n = (uint64_t)r->max_addr - r->min_addr + 1;

	if (!(r->flags & NF_NAT_RANGE_MAP_IPS))
		return was;
	return r->min_addr + (uint32_t)(hash_words(nn->cn->net->hash_key, ct->hash[0].tuple.src, 0) % n);
}

static bool choose_src(struct nf_nat_net *nn, struct nf_conn *ct, const struct nf_nat_range *r, struct nf_conntrack_tuple *t)
{
	const struct nat_map *m;
	struct nf_conntrack_tuple again = *t;

	if (!r->flags && (!has_ports(t->proto) || answers_unique(ct, t)))
		return true; /* no rule wants it changed */
	t->src = choose_addr(nn, r, ct, t->src);
	if (!has_ports(t->proto))
		return answers_unique(ct, t);
	m = map_reusable(nn, ct, r);
	if (m) {
		again.src = m->out_addr;
		again.sport = m->out_port;
		if (answers_unique(ct, &again)) {
			*t = again;
			map_use(nn, ct, t->src, t->sport);
			return true;
		}
	}
	if (!find_port(nn, ct, r, t))
		return false;
	map_use(nn, ct, t->src, t->sport);
	return true;
}

/* A clash of answers is mended when the source is chosen. */
static void choose_dst(struct nf_nat_net *nn, struct nf_conn *ct, const struct nf_nat_range *r, struct nf_conntrack_tuple *t)
{
	uint32_t n = (uint32_t)(r->max_port - r->min_port) + 1;

	t->dst = choose_addr(nn, r, ct, t->dst);
	if (!(r->flags & NF_NAT_RANGE_PROTO_SPECIFIED) || t->proto == NF_PROTO_ICMP || !has_ports(t->proto))
		return;
	if (n == 1) {
		t->dport = r->min_port;
		return;
	}
	if (!(r->flags & NF_NAT_RANGE_ANY_RANDOM) && t->dport >= r->min_port && t->dport <= r->max_port)
		return;
	for (unsigned i = 0; i < NAT_PORT_DRAWS; i++) {
		t->dport = (uint16_t)(r->min_port + rng_below(&nn->rng, n));
		if (answers_unique(ct, t))
			return;
	}
}

static void note_binding(const struct nf_conn *ct, enum nf_nat_manip_type manip, const struct nf_conntrack_tuple *was,
			 const struct nf_conntrack_tuple *t)
{
	char a[IP4_STRLEN], b[IP4_STRLEN];
	struct probe *p = &ct->cn->net->probe;

	if (likely(!p->on))
		return;
	if (manip == NF_NAT_MANIP_SRC)
		TRACE(p, TR_NOTE, 0, "nat %llu source %s:%u becomes %s:%u", (unsigned long long)ct->id, ip4_str(a, was->src),
		      was->sport, ip4_str(b, t->src), t->sport);
	else
		TRACE(p, TR_NOTE, 0, "nat %llu destination %s:%u becomes %s:%u", (unsigned long long)ct->id,
		      ip4_str(a, was->dst), was->dport, ip4_str(b, t->dst), t->dport);
}

unsigned nf_nat_setup_info(struct nf_conn *ct, const struct nf_nat_range *range, enum nf_nat_manip_type manip)
{
	TRACE_FN(&ct->cn->net->probe, 0);
	struct nf_nat_net *nn = ct->cn->nat;
	struct nf_conntrack_tuple was, t;

	nf_ct_invert_tuple(&was, &ct->hash[1].tuple);
	t = was;
	if (manip == NF_NAT_MANIP_DST)
		choose_dst(nn, ct, range, &t);
	else if (!choose_src(nn, ct, range, &t))
		return NF_DROP_REASON(DROP_NAT_TABLE_FULL);
	if (!nf_ct_tuple_equal(&t, &was)) {
		nf_ct_invert_tuple(&ct->hash[1].tuple, &t);
		ct->status |= manip == NF_NAT_MANIP_SRC ? IPS_SRC_NAT : IPS_DST_NAT;
		note_binding(ct, manip, &was, &t);
	}
	ct->status |= manip == NF_NAT_MANIP_SRC ? IPS_SRC_NAT_DONE : IPS_DST_NAT_DONE;
	return NF_ACCEPT;
}

/* ---- on and off ---- */

static bool uses_device(struct nf_conn *ct, const void *arg)
{
	return ct->masq_index == *(const int *)arg;
}

/* A device that went down may come up with another address: what was hidden behind it begins anew. */
static void nat_netdev_event(struct netdev_notifier *n, struct net_device *dev, enum netdev_event ev)
{
	struct nf_nat_net *nn = container_of(n, struct nf_nat_net, notifier);

	if (ev != NETDEV_DOWN_ && ev != NETDEV_UNREGISTER_)
		return;
	nf_ct_iterate_cleanup(nn->cn, uses_device, &dev->ifindex);
	nf_nat_syn_purge(nn, dev);
}

void nf_nat_enable(struct net *net)
{
	struct nf_ct_net *cn = nf_ct_net(net);
	struct nf_nat_net *nn;

	if (cn->nat)
		return;
	nn = xcalloc(1, sizeof(*nn));
	nn->cn = cn;
	cn->nat = nn;
	pool_init(&nn->map_pool, "nat_map", sizeof(struct nat_map), 64);
	rng_derive(&nn->rng, net->seed, net->name, "nat-port");
	/* Who knows the seed must not know the ports where the owner has better chance. */
	nn->rng.s[0] ^= get_be32(net->secret) | (uint64_t)get_be32(net->secret + 4) << 32;
	nn->rng.s[1] ^= get_be32(net->secret + 8) | (uint64_t)get_be32(net->secret + 12) << 32;
	nf_ct_netns_get(net);
	nf_nat_hooks_init(nn);
	nn->notifier.fn = nat_netdev_event;
	register_netdev_notifier(net, &nn->notifier);
}

void nf_nat_net_exit(struct nf_ct_net *cn)
{
	struct nf_nat_net *nn = cn->nat;

	if (!nn)
		return;
	nf_nat_syn_purge(nn, NULL);
	unregister_netdev_notifier(&nn->notifier);
	for (size_t i = 0; i < ARRAY_SIZE(nn->ops); i++)
		nf_unregister_net_hook(cn->net, &nn->ops[i]);
	pool_destroy(&nn->map_pool);
	free(nn->by_in);
	free(nn->by_out);
	free(nn);
	cn->nat = NULL;
}

/* Links of a lab file: containerlab's brief form (endpoints: ["a:eth1", "b:eth1"]), its extended forms veth and
 * host, and the cable's own properties in vars. Called by labfile.c after all nodes are known.
 * Tests: tests/unit/lab/test_labfile.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/pool.h"
#include "base/strbuf.h"
#include "lab/labfile.h"
#include "lab/units.h"
#include "wire/ethernet.h"

#define TC_MAX_DROP 100000u
#define TC_MAX_NS (3600 * NSEC_PER_SEC)
#define NS_PER_METRE 5u /* light in copper and glass: two thirds of c */

/* The link under way. vars come before or after the endpoints, so both tc maps are kept until the end. */
struct lf_link_state {
	struct topo_link *l;
	const struct ynode *endpoints, *endpoint, *vars, *host_if, *type;
};

/* ---- vars.tc ---- */

static bool tc_time(struct labfile *lf, const struct ynode *v, const char *what, uint64_t *out)
{
	if (!lf_time(lf, v, what, out))
		return false;
	return *out <= TC_MAX_NS ? true : lf_fail(lf, v, "%s is at most 1h", what);
}

static bool tc_percent(struct labfile *lf, const struct ynode *v, const char *what, uint32_t *out)
{
	const char *s = lf_text(lf, v, what), *why;

	if (!s)
		return false;
	why = unit_percent(s, out);
	return why ? lf_fail(lf, v, "%s: %s, not '%.40s'", what, why, s) : true;
}

static bool tc_delay(struct labfile *lf, void *obj, const struct ynode *v)
{
	return tc_time(lf, v, "delay", &((struct tc_params *)obj)->delay_ns);
}

static bool tc_jitter(struct labfile *lf, void *obj, const struct ynode *v)
{
	return tc_time(lf, v, "jitter", &((struct tc_params *)obj)->jitter_ns);
}

static bool tc_loss(struct labfile *lf, void *obj, const struct ynode *v)
{
	return tc_percent(lf, v, "loss", &((struct tc_params *)obj)->loss_ppm);
}

static bool tc_corrupt(struct labfile *lf, void *obj, const struct ynode *v)
{
	return tc_percent(lf, v, "corrupt", &((struct tc_params *)obj)->corrupt_ppm);
}

static bool tc_corrupt_inner(struct labfile *lf, void *obj, const struct ynode *v)
{
	return tc_percent(lf, v, "corrupt_inner", &((struct tc_params *)obj)->corrupt_inner_ppm);
}

static bool tc_duplicate(struct labfile *lf, void *obj, const struct ynode *v)
{
	return tc_percent(lf, v, "duplicate", &((struct tc_params *)obj)->duplicate_ppm);
}

static bool tc_reorder(struct labfile *lf, void *obj, const struct ynode *v)
{
	return tc_percent(lf, v, "reorder", &((struct tc_params *)obj)->reorder_ppm);
}

static bool tc_gap(struct labfile *lf, void *obj, const struct ynode *v)
{
	return tc_time(lf, v, "reorder_gap", &((struct tc_params *)obj)->reorder_gap_ns);
}

static bool link_rate(struct labfile *lf, const struct ynode *v, const char *what, uint64_t *out)
{
	const char *s = lf_text(lf, v, what), *why;

	if (!s)
		return false;
	why = unit_rate(s, out);
	if (!why && !*out)
		why = "a rate is more than 0";
	return why ? lf_fail(lf, v, "%s: %s, not '%.40s'", what, why, s) : true;
}

static bool tc_rate(struct labfile *lf, void *obj, const struct ynode *v)
{
	return link_rate(lf, v, "rate", &((struct tc_params *)obj)->rate_bps);
}

/* As in netem a bare number counts frames; with a unit it is octets. */
static bool tc_limit(struct labfile *lf, void *obj, const struct ynode *v)
{
	const char *s = lf_text(lf, v, "limit"), *why;
	uint64_t x;

	if (!s)
		return false;
	if (u64_parse(s, 1, 1000000, &x) == 0) {
		x *= 1518;
		why = NULL;
	} else {
		why = unit_size(s, &x);
	}
	if (why || !x || x > UINT32_MAX)
		return lf_fail(lf, v, "limit must be a size as in 256KiB, or a number of frames up to 1000000, not '%.40s'",
			       s);
	((struct tc_params *)obj)->limit_bytes = (uint32_t)x;
	return true;
}

static int u32_cmp(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool tc_drop(struct labfile *lf, void *obj, const struct ynode *v)
{
	struct tc_params *tc = obj;

	if (!lf_list(lf, v, "drop"))
		return false;
	if (v->n > TC_MAX_DROP)
		return lf_fail(lf, v, "drop names at most %u frames", TC_MAX_DROP);
	free(tc->drop);
	tc->drop = xcalloc(v->n + 1u, sizeof(*tc->drop));
	tc->n_drop = v->n;
	for (uint32_t i = 0; i < v->n; i++)
		if (!lf_u32(lf, v->val[i], "a frame's number in drop", 1, UINT32_MAX, &tc->drop[i]))
			return false;
	qsort(tc->drop, tc->n_drop, sizeof(*tc->drop), u32_cmp);
	for (uint32_t i = 1; i < tc->n_drop; i++)
		if (tc->drop[i] == tc->drop[i - 1])
			return lf_fail(lf, v, "frame %u stands in drop twice", tc->drop[i]);
	return true;
}

static bool vars_tc(struct labfile *lf, void *obj, const struct ynode *v)
{
	static const struct lf_key keys[] = {
		{ "delay", tc_delay, LF_READ },         { "jitter", tc_jitter, LF_READ },
		{ "loss", tc_loss, LF_READ },           { "corrupt", tc_corrupt, LF_READ },
		{ "corrupt_inner", tc_corrupt_inner, LF_READ }, { "duplicate", tc_duplicate, LF_READ },
		{ "reorder", tc_reorder, LF_READ },     { "reorder_gap", tc_gap, LF_READ },
		{ "rate", tc_rate, LF_READ },           { "limit", tc_limit, LF_READ },
		{ "drop", tc_drop, LF_READ },
	};

	return LF_MAP(lf, v, "tc", keys, obj);
}

/* ---- vars.cable ---- */

static bool cable_speed(struct labfile *lf, void *obj, const struct ynode *v)
{
	return link_rate(lf, v, "speed", &((struct topo_link *)obj)->line_rate_bps);
}

static bool cable_length(struct labfile *lf, void *obj, const struct ynode *v)
{
	const char *s = lf_text(lf, v, "length"), *why;
	uint64_t m;

	if (!s)
		return false;
	why = unit_length(s, &m);
	if (!why && !m)
		why = "a cable is at least 1m long";
	if (why)
		return lf_fail(lf, v, "length: %s, not '%.40s'", why, s);
	((struct topo_link *)obj)->prop_delay_ns = m * NS_PER_METRE;
	return true;
}

static bool vars_cable(struct labfile *lf, void *obj, const struct ynode *v)
{
	static const struct lf_key keys[] = {
		{ "speed", cable_speed, LF_READ },
		{ "length", cable_length, LF_READ },
	};

	return LF_MAP(lf, v, "cable", keys, obj);
}

/* A link's vars: tc goes to both directions. */
static bool link_tc(struct labfile *lf, void *obj, const struct ynode *v)
{
	struct topo_link *l = obj;

	for (unsigned s = 0; s < 2; s++) {
		l->end[s].has_tc = true;
		if (!vars_tc(lf, &l->end[s].tc, v))
			return false;
	}
	return true;
}

static bool link_vars(struct labfile *lf, struct topo_link *l, const struct ynode *v)
{
	static const struct lf_key keys[] = { { "tc", link_tc, LF_READ }, { "cable", vars_cable, LF_READ } };

	return LF_MAP(lf, v, "a link's vars", keys, l);
}

/* ---- endpoints ---- */

/* A node of a link, by name. The name "host" without such a node is the machine's kernel, as in containerlab. */
static bool end_node(struct labfile *lf, const struct ynode *at, const char *name, uint32_t *node)
{
	*node = topo_find(lf->t, name);
	if (*node != UINT32_MAX || !strcmp(name, "host"))
		return true;
	return lf_fail(lf, at, "node '%.64s' is not in topology.nodes", name);
}

static bool end_set(struct labfile *lf, struct topo_link *l, unsigned side, const struct ynode *at, const char *node,
		    const char *iface)
{
	struct topo_end *e = &l->end[side];
	uint32_t idx;

	if (!end_node(lf, at, node, &idx) || !lf_if_name(lf, at, iface))
		return false;
	topo_set_end(e, idx, iface);
	e->at = lf_at(at);
	if (idx != UINT32_MAX && lf->t->node[idx].kind != TOPO_HOST)
		return true;
	/* The machine's kernel is always end 1, and not a node of the lab. */
	if (l->host_if)
		return lf_fail(lf, at, "both ends of a link are on this machine: one must be a node of the lab");
	l->host_if = xstrdup(iface);
	e->node = UINT32_MAX;
	if (side == 0) {
		struct topo_end first = l->end[0];

		l->end[0] = l->end[1];
		l->end[1] = first;
	}
	return true;
}

/* "client:eth1" */
static bool end_brief(struct labfile *lf, struct topo_link *l, unsigned side, const struct ynode *v)
{
	char node[TOPO_NAME_MAX + 2];
	const char *colon = strchr(v->text, ':');

	if (!colon || strchr(colon + 1, ':'))
		return lf_fail(lf, v, "an endpoint is written NODE:INTERFACE, as in \"client:eth1\", not '%.80s'", v->text);
	if ((size_t)(colon - v->text) >= sizeof(node))
		return lf_fail(lf, v, "node '%.64s...' is not in topology.nodes", v->text);
	memcpy(node, v->text, (size_t)(colon - v->text));
	node[colon - v->text] = '\0';
	return end_set(lf, l, side, v, node, colon + 1);
}

static bool end_word(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_text(lf, v, "node and interface") != NULL;
}

static bool end_mac(struct labfile *lf, void *obj, const struct ynode *v)
{
	struct topo_end *e = obj;

	if (v->kind != Y_SCALAR || mac_parse(v->text, e->mac) != 0)
		return lf_fail(lf, v, "mac must be written as in 02:00:00:00:00:01");
	if (e->mac[0] & 1)
		return lf_fail(lf, v, "%s is a group address: an interface's own has the lowest bit of its first octet clear",
			       v->text);
	if (mac_is_zero(e->mac))
		return lf_fail(lf, v, "mac may not be all zero");
	e->has_mac = true;
	e->mac_at = lf_at(v);
	return true;
}

static bool end_ipv4(struct labfile *lf, void *obj, const struct ynode *v)
{
	struct topo_end *e = obj;
	uint32_t host;

	if (v->kind != Y_SCALAR || !strchr(v->text, '/') || ip4_parse_prefix(v->text, &e->ip, &e->plen) != 0 ||
	    e->plen > 32)
		return lf_fail(lf, v, "ipv4 must be an address with its prefix length, as in 10.0.0.1/24");
	host = e->plen == 32 ? 0 : UINT32_MAX >> e->plen;
	if ((e->ip >> 24) == 0 || (e->ip >> 24) == 127 || (e->ip >> 28) >= 14)
		return lf_fail(lf, v, "%s cannot be an interface's address", v->text);
	if (e->plen < 31 && ((e->ip & host) == 0 || (e->ip & host) == host))
		return lf_fail(lf, v, "%s is the network's %s address, not a host's", v->text,
			       e->ip & host ? "broadcast" : "own");
	e->has_ip = true;
	e->ip_at = lf_at(v);
	return true;
}

static bool end_vars(struct labfile *lf, void *obj, const struct ynode *v)
{
	static const struct lf_key keys[] = { { "tc", vars_tc, LF_READ } };

	((struct topo_end *)obj)->has_tc = true;
	return LF_MAP(lf, v, "an endpoint's vars", keys, &((struct topo_end *)obj)->tc);
}

static bool end_extended(struct labfile *lf, struct topo_link *l, unsigned side, const struct ynode *v)
{
	static const struct lf_key keys[] = {
		{ "node", end_word, LF_READ },   { "interface", end_word, LF_READ },
		{ "mac", end_mac, LF_READ },     { "ipv4", end_ipv4, LF_READ },
		{ "ipv6", NULL, LF_IGNORED },    { "vars", end_vars, LF_READ },
	};
	const struct ynode *node = ytree_get(v, "node"), *iface = ytree_get(v, "interface");
	const char *name, *ifname;

	if (!node || !iface)
		return lf_fail(lf, v, "an endpoint needs 'node' and 'interface'");
	name = lf_text(lf, node, "node");
	ifname = name ? lf_text(lf, iface, "interface") : NULL;
	if (!ifname || !end_node(lf, node, name, &(uint32_t){ 0 }) || !lf_if_name(lf, iface, ifname))
		return false;
	/* Own properties first: end_set may swap the ends. */
	return LF_MAP(lf, v, "an endpoint", keys, &l->end[side]) && end_set(lf, l, side, node, name, ifname);
}

static bool link_ends(struct labfile *lf, struct lf_link_state *st)
{
	const struct ynode *v = st->endpoints;

	if (v->kind != Y_SEQ || v->n != 2)
		return lf_fail(lf, v, "endpoints must be a list of two, as in [\"a:eth1\", \"b:eth1\"]");
	for (unsigned i = 0; i < 2; i++) {
		const struct ynode *end = v->val[i];
		/* When the first end was this machine's, it has moved to place 1. */
		unsigned side = st->l->end[0].iface ? 1 : 0;
		bool ok;

		if (end->kind == Y_MAP && !st->type)
			return lf_fail(lf, end, "endpoints as maps need 'type: veth' in the link");
		if (end->kind == Y_SCALAR)
			ok = end_brief(lf, st->l, side, end);
		else if (end->kind == Y_MAP)
			ok = end_extended(lf, st->l, side, end);
		else
			ok = lf_fail(lf, end, "an endpoint must be text or a map, not %s", ytree_kind(end));
		if (!ok)
			return false;
	}
	return true;
}

/* type: host: one end in the lab, the other an interface of this machine's kernel. */
static bool link_host(struct labfile *lf, struct lf_link_state *st, const struct ynode *n)
{
	const struct ynode *end = st->endpoint;
	const char *name;

	if (!end && st->endpoints && st->endpoints->kind == Y_SEQ && st->endpoints->n == 1)
		end = st->endpoints->val[0];
	if (!end || !st->host_if)
		return lf_fail(lf, n, "a link of type host needs one 'endpoint' and a 'host-interface', as in tap0");
	name = lf_text(lf, st->host_if, "host-interface");
	if (!name || !lf_if_name(lf, st->host_if, name))
		return false;
	if (!(end->kind == Y_SCALAR ? end_brief(lf, st->l, 0, end) : end_extended(lf, st->l, 0, end)))
		return false;
	if (st->l->host_if)
		return lf_fail(lf, end, "the endpoint of a link of type host must be a node of the lab");
	st->l->host_if = xstrdup(name);
	st->l->end[1].node = UINT32_MAX;
	st->l->end[1].at = lf_at(st->host_if);
	return true;
}

/* ---- the link ---- */

static bool key_endpoints(struct labfile *lf, void *obj, const struct ynode *v)
{
	((struct lf_link_state *)obj)->endpoints = v;
	return true;
}

static bool key_endpoint(struct labfile *lf, void *obj, const struct ynode *v)
{
	((struct lf_link_state *)obj)->endpoint = v;
	return true;
}

static bool key_vars(struct labfile *lf, void *obj, const struct ynode *v)
{
	((struct lf_link_state *)obj)->vars = v;
	return true;
}

static bool key_host_if(struct labfile *lf, void *obj, const struct ynode *v)
{
	((struct lf_link_state *)obj)->host_if = v;
	return true;
}

static bool key_type(struct labfile *lf, void *obj, const struct ynode *v)
{
	const char *s = lf_text(lf, v, "a link's type");

	if (!s)
		return false;
	if (strcmp(s, "veth") != 0 && strcmp(s, "host") != 0)
		return lf_fail(lf, v, "link type '%.40s' is not supported: veth or host", s);
	((struct lf_link_state *)obj)->type = v;
	return true;
}

static bool key_mtu(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_u32(lf, v, "mtu", 68, 9216, &((struct lf_link_state *)obj)->l->mtu);
}

static bool key_labels(struct labfile *lf, void *obj, const struct ynode *v)
{
	return v->kind == Y_MAP || v->kind == Y_NULL ? true : lf_fail(lf, v, "labels must be a map");
}

bool lf_link(struct labfile *lf, const struct ynode *n)
{
	static const struct lf_key keys[] = {
		{ "endpoints", key_endpoints, LF_READ }, { "endpoint", key_endpoint, LF_READ },
		{ "type", key_type, LF_READ },           { "host-interface", key_host_if, LF_READ },
		{ "mtu", key_mtu, LF_READ },             { "vars", key_vars, LF_READ },
		{ "labels", key_labels, LF_READ },
	};
	struct lf_link_state st = { .l = topo_add_link(lf->t) };
	bool host;

	if (!st.l)
		return lf_fail(lf, n, "more than %u links", TOPO_MAX_LINKS);
	st.l->at = lf_at(n);
	if (n->kind != Y_MAP)
		return lf_fail(lf, n, "a link must be a map with 'endpoints', not %s", ytree_kind(n));
	if (!LF_MAP(lf, n, "a link", keys, &st))
		return false;
	host = st.type && !strcmp(st.type->text, "host");
	/* The link's vars first, so that an endpoint's own tc overrides them. */
	if (st.vars && !link_vars(lf, st.l, st.vars))
		return false;
	if (host)
		return link_host(lf, &st, n);
	if (st.host_if)
		return lf_fail(lf, st.host_if, "host-interface needs 'type: host'");
	if (st.endpoint)
		return lf_fail(lf, st.endpoint, "'endpoint' is for 'type: host': write 'endpoints'");
	if (!st.endpoints)
		return lf_fail(lf, n, "a link needs 'endpoints'");
	return link_ends(lf, &st);
}

/* The spanning tree protocol (IEEE 802.1D-1998 8): which ports forward, so that no loop remains.
 *
 * Every bridge compares what it hears with what it would say: (root id, cost to it, bridge id, port
 * id), the lowest wins. The lowest bridge id becomes root; the port that hears the best offer
 * becomes the root port; on every cable the end with the best offer is designated. These two kinds
 * forward, the others block.
 *
 *                 link up                15 s            15 s
 *     DISABLED ----------> BLOCKING --> LISTENING --> LEARNING --> FORWARDING
 *         ^                    ^  chosen  |                |              |
 *         |  link down, guard  |          +----------------+--------------+
 *         +--- from any        +------------- no longer root port or designated
 *
 *     An edge port goes from DISABLED to FORWARDING at once; a BPDU on it ends its being an edge
 *     (or, with bpdu_guard, shuts it down).
 *
 * Timers are moments in struct stp and stp_port; one event stands at the earliest. An offer is
 * forgotten when its age reaches max age (20 s): its bridge is gone. A change of topology travels
 * to the root as TCN, comes back as a flag in all hellos, and makes addresses age in forward delay
 * (15 s) until it is over. Short ageing begins at most once a second, whatever a flood of flags
 * says (SW-06).
 *
 * Without params.stp only the guard works here, and a port with a link forwards.
 * Called by switch.c (BPDUs, links).  Tests: tests/unit/hw/test_stp.c */
#include <string.h>
#include "hw/bpdu.h"

#define STP_MAX_AGE_NS (20 * NSEC_PER_SEC)
#define STP_HELLO_NS (2 * NSEC_PER_SEC)
#define STP_FWD_DELAY_NS (15 * NSEC_PER_SEC)
#define STP_HOLD_NS (1 * NSEC_PER_SEC)
#define STP_AGE_STEP_NS (1 * NSEC_PER_SEC) /* what one bridge adds to a message's age */
#define STP_PORT_PRIORITY 0x8000 /* 802.1D-2004 9.2.7: 4 bits priority, 12 bits number */
#define STP_AGEING_CHANGE_NS NSEC_PER_SEC

static void stp_timer(struct ev *ev);
static void stp_arm(struct hw_switch *s);

static bool stp_is_root(const struct hw_switch *s) { return s->stp.root_port < 0; }

static bool stp_designated(const struct sw_port *p)
{
	return p->stp.bridge == p->sw->stp.id && p->stp.port == p->stp.id;
}

/* 802.1D-1998 table 8-5 */
static uint32_t stp_cost_of(uint64_t bps)
{
	if (bps >= 10000000000ull)
		return 2;
	if (bps >= 1000000000ull)
		return 4;
	return bps >= 100000000ull ? 19 : bps >= 10000000ull ? 100 : 250;
}

uint64_t stp_ageing_ns(const struct hw_switch *s)
{
	return s->stp.short_ageing ? min_u64(s->stp.fwd_delay, s->params.ageing_ns) :
				     s->params.ageing_ns;
}

static void stp_set_tc(struct hw_switch *s, bool tc)
{
	struct stp *t = &s->stp;

	if (t->tc != tc)
		TRACE(&s->probe, TR_STATE, 0, "stp topology change %s", tc ? "begins" : "ends");
	t->tc = tc;
	if (!tc) {
		t->short_ageing = false;
	} else if (!t->short_ageing && sw_now(s) >= t->short_ageing_ok_ns) {
		t->short_ageing = true;
		t->short_ageing_ok_ns = sw_now(s) + STP_AGEING_CHANGE_NS;
	}
}

/* ---- sending ---- */

static void stp_put(struct sw_port *p, const struct stp_config *c)
{
	struct hw_switch *s = p->sw;
	uint8_t eth[BPDU_FRAME_MAX], src[ETH_ALEN];
	uint32_t len;

	memcpy(src, s->mac, ETH_ALEN);
	len = bpdu_build(eth, src, c);
	p->st.bpdu_tx++;
	sw_output(p, hw_frame_make(s->world, eth, len, 0));
}

static void stp_transmit_config(struct sw_port *p)
{
	struct hw_switch *s = p->sw;
	struct stp *t = &s->stp;
	struct stp_config c = {
		.root = t->root,
		.cost = t->cost,
		.bridge = t->id,
		.port = p->stp.id,
		.tc = t->tc,
		.tc_ack = p->stp.tc_ack,
		.max_age = t->max_age,
		.hello = t->hello,
		.fwd_delay = t->fwd_delay,
	};

	if (p->stp.hold_at != TIME_NEVER) { /* 8.6.1: at most one in a hold time */
		p->stp.config_pending = true;
		return;
	}
	if (!stp_is_root(s))
		c.message_age = sw_now(s) - s->ports[t->root_port].stp.born_ns + STP_AGE_STEP_NS;
	if (c.message_age >= t->max_age)
		return;
	p->stp.tc_ack = p->stp.config_pending = false;
	p->stp.hold_at = sw_now(s) + STP_HOLD_NS;
	stp_put(p, &c);
}

static void stp_transmit_all(struct hw_switch *s)
{
	for (uint32_t i = 0; i < s->n_ports; i++)
		if (s->ports[i].state != SW_DISABLED && stp_designated(&s->ports[i]))
			stp_transmit_config(&s->ports[i]);
}

static void stp_transmit_tcn(struct hw_switch *s)
{
	if (!stp_is_root(s))
		stp_put(&s->ports[s->stp.root_port], NULL);
}

/* ---- electing ---- */

/* The offer that root port selection compares: -1 a is better, 1 b is, 0 the same. */
static int stp_compare(const struct sw_port *a, const struct sw_port *b)
{
	uint64_t ka[5] = { a->stp.root, (uint64_t)a->stp.cost + a->stp.path_cost, a->stp.bridge,
			   a->stp.port, a->stp.id };
	uint64_t kb[5] = { b->stp.root, (uint64_t)b->stp.cost + b->stp.path_cost, b->stp.bridge,
			   b->stp.port, b->stp.id };

	for (size_t i = 0; i < ARRAY_SIZE(ka); i++)
		if (ka[i] != kb[i])
			return ka[i] < kb[i] ? -1 : 1;
	return 0;
}

/* 8.6.8 */
static void stp_select_root(struct hw_switch *s)
{
	struct stp *t = &s->stp;
	struct sw_port *best = NULL;

	for (uint32_t i = 0; i < s->n_ports; i++) {
		struct sw_port *p = &s->ports[i];

		if (p->state == SW_DISABLED || stp_designated(p) || p->stp.root >= t->id)
			continue;
		if (!best || stp_compare(p, best) < 0)
			best = p;
	}
	t->root_port = best ? (int)best->no : -1;
	t->root = best ? best->stp.root : t->id;
	t->cost = best ? best->stp.cost + best->stp.path_cost : 0;
}

static void stp_become_designated(struct sw_port *p)
{
	p->stp.root = p->sw->stp.root;
	p->stp.cost = p->sw->stp.cost;
	p->stp.bridge = p->sw->stp.id;
	p->stp.port = p->stp.id;
	p->stp.age_at = TIME_NEVER;
}

/* 8.6.10: we are designated where nobody offers better. */
static void stp_select_designated(struct hw_switch *s)
{
	struct stp *t = &s->stp;

	for (uint32_t i = 0; i < s->n_ports; i++) {
		struct sw_port *p = &s->ports[i];
		struct stp_port *q = &p->stp;

		if (stp_designated(p) || q->root != t->root || t->cost < q->cost ||
		    (t->cost == q->cost &&
		     (t->id < q->bridge || (t->id == q->bridge && q->id <= q->port))))
			stp_become_designated(p);
	}
}

static void stp_topology_changed(struct hw_switch *s);

static void stp_make_forwarding(struct sw_port *p)
{
	if (p->state != SW_BLOCKING)
		return;
	if (p->stp.edge) {
		sw_set_state(p, SW_FORWARDING);
		return;
	}
	sw_set_state(p, SW_LISTENING);
	p->stp.forward_at = sw_now(p->sw) + p->sw->stp.fwd_delay;
}

static void stp_make_blocking(struct sw_port *p)
{
	bool was;

	if (p->state == SW_DISABLED || p->state == SW_BLOCKING)
		return;
	was = p->state >= SW_LEARNING;
	sw_set_state(p, SW_BLOCKING);
	p->stp.forward_at = TIME_NEVER;
	if (was)
		stp_topology_changed(p->sw);
}

/* 8.6.11 */
static void stp_select_states(struct hw_switch *s)
{
	for (uint32_t i = 0; i < s->n_ports; i++) {
		struct sw_port *p = &s->ports[i];

		if (s->stp.root_port == (int)i) {
			p->stp.config_pending = p->stp.tc_ack = false;
			stp_make_forwarding(p);
		} else if (stp_designated(p)) {
			stp_make_forwarding(p);
		} else {
			p->stp.config_pending = p->stp.tc_ack = false;
			stp_make_blocking(p);
		}
	}
}

/* 8.6.14 */
static void stp_topology_changed(struct hw_switch *s)
{
	struct stp *t = &s->stp;

	if (stp_is_root(s)) {
		stp_set_tc(s, true);
		t->tc_at = sw_now(s) + t->max_age + t->fwd_delay;
	} else if (!t->tc_detected) {
		stp_transmit_tcn(s);
		t->tcn_at = sw_now(s) + STP_HELLO_NS;
	}
	t->tc_detected = true;
}

/* Elect anew; was_root: before whatever just happened. */
static void stp_update(struct hw_switch *s, bool was_root)
{
	struct stp *t = &s->stp;

	stp_select_root(s);
	stp_select_designated(s);
	stp_select_states(s);
	if (stp_is_root(s) && !was_root) {
		TRACE(&s->probe, TR_STATE, 0, "stp this bridge is root");
		t->max_age = STP_MAX_AGE_NS;
		t->hello = STP_HELLO_NS;
		t->fwd_delay = STP_FWD_DELAY_NS;
		t->tcn_at = TIME_NEVER;
		stp_topology_changed(s);
		stp_transmit_all(s);
		t->hello_at = sw_now(s) + t->hello;
	} else if (!stp_is_root(s) && was_root) {
		TRACE(&s->probe, TR_STATE, 0, "stp root=%016llx port=%s",
		      (unsigned long long)t->root, s->ports[t->root_port].name);
		t->hello_at = TIME_NEVER;
		if (t->tc_detected) {
			t->tc_at = TIME_NEVER;
			stp_transmit_tcn(s);
			t->tcn_at = sw_now(s) + STP_HELLO_NS;
		}
	}
}

/* ---- receiving ---- */

/* 8.6.2.2 */
static bool stp_supersedes(const struct sw_port *p, const struct stp_config *c)
{
	const struct stp_port *q = &p->stp;

	if (c->root != q->root)
		return c->root < q->root;
	if (c->cost != q->cost)
		return c->cost < q->cost;
	if (c->bridge != q->bridge)
		return c->bridge < q->bridge;
	return c->bridge != p->sw->stp.id || c->port <= q->port;
}

static void stp_config_in(struct sw_port *p, const struct stp_config *c)
{
	struct hw_switch *s = p->sw;
	struct stp *t = &s->stp;
	bool was_root = stp_is_root(s);

	if (!stp_supersedes(p, c)) {
		if (stp_designated(p))
			stp_transmit_config(p); /* whoever said that does not know of us */
		return;
	}
	p->stp.root = c->root;
	p->stp.cost = c->cost;
	p->stp.bridge = c->bridge;
	p->stp.port = c->port;
	p->stp.born_ns = sw_now(s) - min_u64(c->message_age, sw_now(s));
	p->stp.age_at = sw_now(s) + c->max_age - c->message_age;
	stp_update(s, was_root);
	if (t->root_port != (int)p->no)
		return;
	t->max_age = c->max_age;
	t->hello = c->hello;
	t->fwd_delay = c->fwd_delay;
	stp_set_tc(s, c->tc);
	stp_transmit_all(s);
	if (c->tc_ack) {
		t->tc_detected = false;
		t->tcn_at = TIME_NEVER;
	}
}

static void stp_guard(struct sw_port *p)
{
	TRACE(&p->sw->probe, TR_STATE, 0, "port=%s bpdu guard: shut down", p->name);
	p->guarded = true;
	fdb_flush_port(&p->sw->fdb, p->no);
	stp_link(p, false);
}

void stp_receive(struct sw_port *p, const uint8_t *eth, uint32_t len)
{
	struct hw_switch *s = p->sw;
	struct stp_config c;
	enum bpdu_kind kind;

	p->st.bpdu_rx++;
	if (s->params.bpdu_guard && (p->stp.edge || !s->params.stp)) {
		stp_guard(p);
		return;
	}
	if (!s->params.stp || p->state == SW_DISABLED)
		return;
	p->stp.edge = false;
	kind = bpdu_parse(eth, len, &c);
	if (kind == BPDU_BAD) {
		p->st.bpdu_bad++;
		return;
	}
	if (kind == BPDU_CONFIG) {
		stp_config_in(p, &c);
	} else if (kind == BPDU_TCN && stp_designated(p)) {
		stp_topology_changed(s);
		p->stp.tc_ack = true;
		stp_transmit_config(p);
	}
	stp_arm(s);
}

/* ---- timers ---- */

static bool stp_due(const struct hw_switch *s, uint64_t *at)
{
	if (*at > sw_now(s))
		return false;
	*at = TIME_NEVER;
	return true;
}

static void stp_port_timers(struct sw_port *p)
{
	struct hw_switch *s = p->sw;
	bool was_root = stp_is_root(s);

	if (stp_due(s, &p->stp.age_at)) { /* 8.7.7: what was offered here is too old */
		stp_become_designated(p);
		stp_update(s, was_root);
	}
	if (stp_due(s, &p->stp.forward_at)) {
		if (p->state == SW_LISTENING) {
			sw_set_state(p, SW_LEARNING);
			p->stp.forward_at = sw_now(s) + s->stp.fwd_delay;
		} else if (p->state == SW_LEARNING) {
			sw_set_state(p, SW_FORWARDING);
			stp_topology_changed(s);
		}
	}
	if (stp_due(s, &p->stp.hold_at) && p->stp.config_pending)
		stp_transmit_config(p);
}

static bool stp_any_port(const struct hw_switch *s)
{
	for (uint32_t i = 0; i < s->n_ports; i++)
		if (s->ports[i].state != SW_DISABLED)
			return true;
	return false;
}

static void stp_timer(struct ev *ev)
{
	struct hw_switch *s = container_of(ev, struct hw_switch, stp.ev);
	struct stp *t = &s->stp;

	for (uint32_t i = 0; i < s->n_ports; i++)
		stp_port_timers(&s->ports[i]);
	if (stp_due(s, &t->hello_at)) {
		stp_transmit_all(s);
		if (stp_any_port(s)) /* else the next port to come up begins again */
			t->hello_at = sw_now(s) + t->hello;
	}
	if (stp_due(s, &t->tcn_at)) {
		stp_transmit_tcn(s);
		t->tcn_at = sw_now(s) + STP_HELLO_NS;
	}
	if (stp_due(s, &t->tc_at)) {
		t->tc_detected = false;
		stp_set_tc(s, false);
	}
	stp_arm(s);
}

static void stp_arm(struct hw_switch *s)
{
	struct stp *t = &s->stp;
	uint64_t at = min_u64(t->hello_at, min_u64(t->tcn_at, t->tc_at));

	for (uint32_t i = 0; i < s->n_ports; i++) {
		const struct stp_port *q = &s->ports[i].stp;

		at = min_u64(at, min_u64(q->age_at, min_u64(q->forward_at, q->hold_at)));
	}
	if (at == TIME_NEVER)
		evq_cancel(s->world->q, &t->ev);
	else
		evq_at(s->world->q, &t->ev, at);
}

/* ---- links, life ---- */

static void stp_port_reset(struct sw_port *p)
{
	p->stp.tc_ack = p->stp.config_pending = false;
	p->stp.age_at = p->stp.forward_at = p->stp.hold_at = TIME_NEVER;
	p->stp.path_cost = stp_cost_of(hw_port_line_rate(&p->port));
	stp_become_designated(p);
}

static void stp_port_up(struct sw_port *p)
{
	struct hw_switch *s = p->sw;

	stp_port_reset(p);
	sw_set_state(p, SW_BLOCKING);
	if (s->stp.hello_at == TIME_NEVER && stp_is_root(s))
		s->stp.hello_at = sw_now(s); /* the first port: begin */
	stp_select_states(s);
	stp_arm(s);
}

static void stp_port_down(struct sw_port *p)
{
	struct hw_switch *s = p->sw;
	bool was_root = stp_is_root(s), forwarded = p->state >= SW_LEARNING;

	sw_set_state(p, SW_DISABLED);
	stp_port_reset(p);
	stp_update(s, was_root);
	if (forwarded && !p->stp.edge)
		stp_topology_changed(s);
	stp_arm(s);
}

void stp_link(struct sw_port *p, bool up)
{
	if (p->guarded)
		up = false;
	if (!p->sw->params.stp || p->sw->params.hub)
		sw_set_state(p, up ? SW_FORWARDING : SW_DISABLED);
	else if (up && p->state == SW_DISABLED)
		stp_port_up(p);
	else if (!up && p->state != SW_DISABLED)
		stp_port_down(p);
}

void stp_init(struct hw_switch *s)
{
	struct stp *t = &s->stp;

	t->id = (uint64_t)s->params.priority << 48 | (uint64_t)get_be16(s->mac) << 32 |
		get_be32(s->mac + 2);
	t->root = t->id;
	t->root_port = -1;
	t->max_age = STP_MAX_AGE_NS;
	t->hello = STP_HELLO_NS;
	t->fwd_delay = STP_FWD_DELAY_NS;
	t->hello_at = t->tcn_at = t->tc_at = TIME_NEVER;
	ev_init(&t->ev, s->params.node_id, stp_timer);
	for (uint32_t i = 0; i < s->n_ports; i++) {
		s->ports[i].stp.id = (uint16_t)(STP_PORT_PRIORITY | (i + 1));
		stp_port_reset(&s->ports[i]);
	}
}

void stp_exit(struct hw_switch *s) { evq_cancel(s->world->q, &s->stp.ev); }

void hw_switch_set_edge(struct hw_switch *s, uint32_t i, bool edge)
{
	struct sw_port *p = &s->ports[i];

	p->stp.edge = edge;
	if (edge && s->params.stp && (p->state == SW_LISTENING || p->state == SW_LEARNING)) {
		p->stp.forward_at = TIME_NEVER;
		sw_set_state(p, SW_FORWARDING);
		stp_arm(s);
	}
}

void hw_switch_stp_info(const struct hw_switch *s, struct hw_switch_stp_info *out)
{
	out->bridge_id = s->stp.id;
	out->root_id = s->stp.root;
	out->root_cost = s->stp.cost;
	out->root_port = s->stp.root_port;
	out->topology_change = s->stp.tc;
	out->ageing_ns = stp_ageing_ns(s);
}

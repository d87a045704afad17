/* The learning switch (IEEE 802.1D 7) and the hub.
 *
 * Store and forward: a frame is received whole, its FCS checked, kept latency_ns in the lookup
 * engine, then given to output queues by reference: the very octets that came in go out (S3-87).
 *
 *     port rx: SFD, length, FCS -> lookup: reserved? source a group? port state? learn the source
 *        -> destination: known and same port: filter; known: that port; unknown or group: flood
 *           (storm bound)
 *        -> output queue (tail drop) -> cable
 *
 * - 01:80:c2:00:00:00 goes to STP (or, without STP, nowhere); 01:80:c2:00:00:01 to 0f go nowhere.
 * - Sources are learned from every frame in states learning and forwarding, never group addresses
 *   (ETH-06).
 * - Flooding is bounded for each port of entry: storm_pps frames a second, with a burst of a
 *   hundredth of that.
 * - Hub: every frame, also a broken one, to every other port; nothing is learned, checked or
 *   bounded. It is a store-and-forward repeater on full-duplex cables: no collisions here.
 * - Without STP a port forwards while it has a link.
 *
 * Bounds: queue_bytes for each output queue, SW_JOBS_MAX frames in the lookup engine, table_max
 * addresses.
 * Called by cables (rx, link) and its own events.  Tests: tests/unit/hw/test_switch.c,
 * test_switch_attack.c */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/strbuf.h"
#include "hw/switch_int.h"

#define SW_AGEING_DEFAULT_NS (300 * NSEC_PER_SEC)
#define SW_TABLE_DEFAULT 8192u
#define SW_QUEUE_DEFAULT (512u * 1024u)
#define SW_STORM_DEFAULT_PPS 100000u
#define SW_STORM_BURST_NS (10 * NSEC_PER_MSEC)
#define SW_LATENCY_DEFAULT_NS 1000
#define SW_PRIORITY_DEFAULT 32768
#define SW_MAX_FRAME_DEFAULT 1522
#define SW_QUEUE_ROOM_FIRST 8u
#define SW_JOBS_MAX 65536u

static const uint8_t reserved_group[5] = { 0x01, 0x80, 0xc2, 0x00, 0x00 };

static void sw_tx_next(struct ev *ev);
static void sw_job_due(struct ev *ev);

const char *hw_switch_state_name(int state)
{
	static const char *const names[] = { "disabled", "blocking", "listening", "learning",
					     "forwarding" };

	return state >= 0 && (size_t)state < ARRAY_SIZE(names) ? names[state] : "?";
}

void sw_set_state(struct sw_port *p, enum sw_state st)
{
	if (p->state == st)
		return;
	TRACE(&p->sw->probe, TR_STATE, 0, "port=%s %s -> %s", p->name,
	      hw_switch_state_name(p->state), hw_switch_state_name((int)st));
	p->state = (uint8_t)st;
}

/* ---- output ---- */

static void sw_queue_push(struct sw_port *p, struct hw_frame *f)
{
	if (p->n == p->room) {
		uint32_t room = p->room ? p->room * 2 : SW_QUEUE_ROOM_FIRST;
		struct hw_frame **q = xcalloc(room, sizeof(*q));

		for (uint32_t i = 0; i < p->n; i++)
			q[i] = p->queue[(p->head + i) & (p->room - 1)];
		free(p->queue);
		p->queue = q;
		p->head = 0;
		p->room = room;
	}
	p->queue[(p->head + p->n++) & (p->room - 1)] = f;
	p->octets += f->len;
}

static struct hw_frame *sw_queue_pop(struct sw_port *p)
{
	struct hw_frame *f = p->queue[p->head];

	p->head = (p->head + 1) & (p->room - 1);
	p->n--;
	p->octets -= f->len;
	return f;
}

static void sw_send(struct sw_port *p, struct hw_frame *f)
{
	p->st.tx_frames++;
	p->st.tx_octets += f->len > ETH_PREAMBLE_LEN ? f->len - ETH_PREAMBLE_LEN : 0;
	hw_port_send(&p->port, f);
}

void sw_output(struct sw_port *p, struct hw_frame *f)
{
	struct hw_switch *s = p->sw;

	if (!p->n && hw_port_idle(&p->port)) {
		sw_send(p, f);
		return;
	}
	if (p->octets + f->len > s->params.queue_bytes) {
		p->st.queue_drops++;
		hw_frame_drop(&s->probe, f, DROP_SWITCH_QUEUE);
		return;
	}
	sw_queue_push(p, f);
	TRACE(&s->probe, TR_QUEUE, f->serial, "port=%s queue=output frames=%u octets=%u", p->name,
	      p->n, p->octets);
	if (!ev_pending(&p->tx_ev))
		evq_at(s->world->q, &p->tx_ev, hw_port_idle_at(&p->port));
}

static void sw_tx_next(struct ev *ev)
{
	struct sw_port *p = container_of(ev, struct sw_port, tx_ev);

	if (!p->n)
		return;
	if (hw_port_idle(&p->port))
		sw_send(p, sw_queue_pop(p));
	if (p->n)
		evq_at(p->sw->world->q, &p->tx_ev, hw_port_idle_at(&p->port));
}

static void sw_queue_drop_all(struct sw_port *p, enum drop_reason why)
{
	evq_cancel(p->sw->world->q, &p->tx_ev);
	while (p->n)
		hw_frame_drop(&p->sw->probe, sw_queue_pop(p), why);
}

/* ---- forwarding ---- */

static bool sw_storm(struct sw_port *in)
{
	uint64_t now = sw_now(in->sw), step = NSEC_PER_SEC / in->sw->params.storm_pps;

	if (in->storm_ns < now)
		in->storm_ns = now;
	else if (in->storm_ns - now > SW_STORM_BURST_NS)
		return true;
	in->storm_ns += step;
	return false;
}

/* To every other port that may send. Gives the reference back. */
static void sw_flood(struct hw_switch *s, struct sw_port *in, struct hw_frame *f)
{
	uint32_t copies = 0;

	if (!s->params.hub && sw_storm(in)) {
		in->st.storm_drops++;
		hw_frame_drop(&s->probe, f, DROP_SWITCH_STORM);
		return;
	}
	for (uint32_t i = 0; i < s->n_ports; i++) {
		struct sw_port *p = &s->ports[i];

		if (p == in || p->state != SW_FORWARDING)
			continue;
		sw_output(p, hw_frame_get(f));
		copies++;
	}
	TRACE(&s->probe, TR_SWITCH, f->serial, "flood from=%s ports=%u", in->name, copies);
	if (!copies) {
		hw_frame_drop(&s->probe, f, DROP_SWITCH_NO_PORT);
		return;
	}
	in->st.flooded++;
	hw_frame_put(f);
}

static void sw_learn(struct hw_switch *s, struct sw_port *in, const struct hw_frame *f,
		     const uint8_t *src)
{
	enum fdb_verdict v = fdb_learn(&s->fdb, src, in->no, sw_now(s));
	static const char *const words[] = { "seen", "learned", "moved", "move damped",
					     "table full" };
	char buf[MAC_STRLEN];

	if (likely(v == FDB_SEEN))
		return;
	in->st.learned += v == FDB_LEARNED;
	in->st.moves += v == FDB_MOVED;
	in->st.damped += v == FDB_DAMPED;
	in->st.table_full += v == FDB_FULL;
	TRACE(&s->probe, TR_SWITCH, f->serial, "%s mac=%s port=%s", words[v], mac_str(buf, src),
	      in->name);
}

static void sw_forward(struct hw_switch *s, struct sw_port *in, struct hw_frame *f)
{
	const uint8_t *dst = f->data + ETH_PREAMBLE_LEN;
	int no = mac_is_group(dst) ? -1 : fdb_lookup(&s->fdb, dst);
	struct sw_port *out;

	if (no < 0) {
		sw_flood(s, in, f);
		return;
	}
	out = &s->ports[no];
	if (out == in) { /* 802.1D 7.7: its addressee has heard it already (SW-05) */
		in->st.filtered++;
		hw_frame_drop(&s->probe, f, DROP_SWITCH_SAME_PORT);
		return;
	}
	if (out->state != SW_FORWARDING) {
		in->st.blocked++;
		hw_frame_drop(&s->probe, f, DROP_SWITCH_BLOCKED);
		return;
	}
	in->st.forwarded++;
	TRACE(&s->probe, TR_SWITCH, f->serial, "forward from=%s to=%s", in->name, out->name);
	sw_output(out, f);
}

/* Addresses that no bridge forwards. Takes the frame if it is one. */
static bool sw_reserved(struct hw_switch *s, struct sw_port *in, struct hw_frame *f)
{
	const uint8_t *dst = f->data + ETH_PREAMBLE_LEN;

	if (likely(memcmp(dst, reserved_group, sizeof(reserved_group)) != 0 || dst[5] > 0x0f))
		return false;
	if (dst[5] == 0) {
		stp_receive(in, dst, f->len - HW_FRAME_OVERHEAD);
		if (s->params.stp) {
			hw_frame_put(f); /* it did its job */
			return true;
		}
	}
	in->st.reserved++;
	hw_frame_drop(&s->probe, f, DROP_SWITCH_RESERVED);
	return true;
}

/* The lookup engine has a frame: decide. */
static void sw_decide(struct hw_switch *s, struct sw_port *in, struct hw_frame *f)
{
	const uint8_t *src = f->data + ETH_PREAMBLE_LEN + ETH_ALEN;

	if (s->params.hub) {
		sw_flood(s, in, f);
		return;
	}
	if (sw_reserved(s, in, f))
		return;
	if (mac_is_group(src)) {
		in->st.bad_src++;
		hw_frame_drop(&s->probe, f, DROP_SWITCH_BAD_SRC);
		return;
	}
	fdb_expire(&s->fdb, sw_now(s), stp_ageing_ns(s));
	if (in->state >= SW_LEARNING)
		sw_learn(s, in, f, src);
	if (in->state != SW_FORWARDING) {
		in->st.blocked++;
		hw_frame_drop(&s->probe, f, DROP_SWITCH_BLOCKED);
		return;
	}
	sw_forward(s, in, f);
}

/* ---- input ---- */

static void sw_job_due(struct ev *ev)
{
	struct hw_switch *s = container_of(ev, struct hw_switch, job_ev);
	struct sw_job j = s->job[s->job_head];

	s->job_head = (s->job_head + 1) & (s->job_room - 1);
	if (--s->job_n)
		evq_at(s->world->q, &s->job_ev, s->job[s->job_head].due_ns);
	sw_decide(s, j.from, j.f);
}

static void sw_job_add(struct hw_switch *s, struct sw_port *in, struct hw_frame *f)
{
	struct sw_job *j;

	if (s->job_n == s->job_room) {
		uint32_t room = s->job_room ? s->job_room * 2 : SW_QUEUE_ROOM_FIRST;

		if (s->job_n == SW_JOBS_MAX) {
			in->st.queue_drops++;
			hw_frame_drop(&s->probe, f, DROP_SWITCH_QUEUE);
			return;
		}
		j = xcalloc(room, sizeof(*j));
		for (uint32_t i = 0; i < s->job_n; i++)
			j[i] = s->job[(s->job_head + i) & (s->job_room - 1)];
		free(s->job);
		s->job = j;
		s->job_head = 0;
		s->job_room = room;
	}
	j = &s->job[(s->job_head + s->job_n++) & (s->job_room - 1)];
	*j = (struct sw_job){ f, in, sw_now(s) + s->params.latency_ns };
	if (!ev_pending(&s->job_ev))
		evq_at(s->world->q, &s->job_ev, j->due_ns);
}

/* DROP_REASON_MAX: a good frame. */
static enum drop_reason sw_judge(struct sw_port *in, struct hw_frame *f, int off)
{
	uint32_t len = f->len - (uint32_t)off;

	if (off < 0) {
		in->st.no_sfd++;
		return DROP_HW_NO_SFD;
	}
	if (len < HW_FRAME_MIN) {
		in->st.runts++;
		return DROP_HW_RUNT;
	}
	if (len > in->sw->params.max_frame) {
		in->st.oversize++;
		return DROP_HW_OVERSIZE;
	}
	if (!hw_frame_check_fcs(f, (uint32_t)off)) {
		in->st.fcs_errors++;
		return DROP_HW_BAD_FCS;
	}
	return DROP_REASON_MAX;
}

/* The preamble is made afresh by every transmitter: where it came damaged, the octets from the
 * destination address to the FCS go on behind a whole one. */
static struct hw_frame *sw_fresh_preamble(struct hw_frame *f, uint32_t off)
{
	struct hw_frame *n = hw_frame_new(f->world, f->len - off + ETH_PREAMBLE_LEN);

	memset(n->data, ETH_PREAMBLE_OCTET, ETH_PREAMBLE_LEN - 1);
	n->data[ETH_PREAMBLE_LEN - 1] = ETH_SFD_OCTET;
	memcpy(n->data + ETH_PREAMBLE_LEN, f->data + off, f->len - off);
	n->len = f->len - off + ETH_PREAMBLE_LEN;
	n->serial = f->serial;
	n->fcs_ok = f->fcs_ok;
	hw_frame_put(f);
	return n;
}

static void sw_rx(struct hw_port *hp, struct hw_frame *f)
{
	struct sw_port *in = hp->owner;
	struct hw_switch *s = in->sw;
	int off = hw_frame_find_sfd(f);
	enum drop_reason why;

	in->st.rx_frames++;
	in->st.rx_octets += f->len - (off > 0 ? (uint32_t)off : 0);
	if (s->params.hub) {
		sw_job_add(s, in, f);
		return;
	}
	why = in->state == SW_DISABLED ? DROP_SWITCH_BLOCKED : sw_judge(in, f, off);
	if (why != DROP_REASON_MAX) {
		in->st.blocked += why == DROP_SWITCH_BLOCKED;
		hw_frame_drop(&s->probe, f, why);
		return;
	}
	if (unlikely(off != ETH_PREAMBLE_LEN))
		f = sw_fresh_preamble(f, (uint32_t)off);
	sw_job_add(s, in, f);
}

static void sw_link(struct hw_port *hp, bool up)
{
	struct sw_port *p = hp->owner;
	struct hw_switch *s = p->sw;

	TRACE(&s->probe, TR_STATE, 0, "port=%s link=%s", p->name, up ? "up" : "down");
	if (!up) {
		sw_queue_drop_all(p, DROP_HW_CABLE_UNPLUGGED);
		fdb_flush_port(&s->fdb, p->no);
		p->guarded = false;
	}
	stp_link(p, up);
}

/* ---- life ---- */

static void sw_defaults(struct hw_switch_params *p)
{
	if (!p->ageing_ns)
		p->ageing_ns = SW_AGEING_DEFAULT_NS;
	if (!p->table_max)
		p->table_max = SW_TABLE_DEFAULT;
	if (!p->queue_bytes)
		p->queue_bytes = SW_QUEUE_DEFAULT;
	if (!p->storm_pps)
		p->storm_pps = SW_STORM_DEFAULT_PPS;
	if (!p->latency_ns)
		p->latency_ns = SW_LATENCY_DEFAULT_NS;
	if (!p->priority)
		p->priority = SW_PRIORITY_DEFAULT;
	if (!p->max_frame)
		p->max_frame = SW_MAX_FRAME_DEFAULT;
}

static void sw_port_init(struct hw_switch *s, uint32_t i)
{
	struct sw_port *p = &s->ports[i];

	p->sw = s;
	p->no = i;
	snprintf(p->name, sizeof(p->name), "port%u", i + 1);
	p->port.world = s->world;
	p->port.node = s->name;
	p->port.name = p->name;
	p->port.node_id = s->params.node_id;
	p->port.rx = sw_rx;
	p->port.link = sw_link;
	p->port.owner = p;
	p->port.probe = &s->probe;
	ev_init(&p->tx_ev, s->params.node_id, sw_tx_next);
}

struct hw_switch *hw_switch_new(struct hw_world *w, const struct hw_switch_params *p)
{
	struct hw_switch *s;
	struct rng key;

	if (!p->n_ports || p->n_ports > HW_SWITCH_PORTS_MAX)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->world = w;
	s->params = *p;
	sw_defaults(&s->params);
	s->name = xstrdup(p->name ? p->name : "switch");
	s->params.name = s->name;
	s->n_ports = p->n_ports;
	probe_init(&s->probe, s->name, p->node_id, &w->q->now_ns);
	/* Locally administered, by node number: who is root without priorities is the first in the
	 * lab file. */
	memcpy(s->mac, (const uint8_t[]){ 0x02, 0xc0, 0x1e }, 3);
	s->mac[3] = (uint8_t)(p->node_id >> 16);
	s->mac[4] = (uint8_t)(p->node_id >> 8);
	s->mac[5] = (uint8_t)p->node_id;
	rng_derive(&key, p->seed, s->name, "switch-fdb");
	fdb_init(&s->fdb, s->params.table_max, s->n_ports, rng_u64(&key));
	ev_init(&s->job_ev, p->node_id, sw_job_due);
	s->ports = xcalloc(s->n_ports, sizeof(*s->ports));
	for (uint32_t i = 0; i < s->n_ports; i++)
		sw_port_init(s, i);
	stp_init(s);
	return s;
}

void hw_switch_free(struct hw_switch *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->n_ports; i++) {
		struct sw_port *p = &s->ports[i];

		if (p->port.cable)
			hw_cable_unplug(p->port.cable, p->port.side);
		sw_queue_drop_all(p, DROP_HW_RESET);
		free(p->queue);
	}
	for (; s->job_n; s->job_n--) {
		hw_frame_drop(&s->probe, s->job[s->job_head].f, DROP_HW_RESET);
		s->job_head = (s->job_head + 1) & (s->job_room - 1);
	}
	evq_cancel(s->world->q, &s->job_ev);
	stp_exit(s);
	fdb_free(&s->fdb);
	free(s->job);
	free(s->ports);
	free(s->name);
	free(s);
}

struct hw_port *hw_switch_port(struct hw_switch *s, uint32_t i)
{
	return i < s->n_ports ? &s->ports[i].port : NULL;
}

uint32_t hw_switch_n_ports(const struct hw_switch *s) { return s->n_ports; }

void hw_switch_name_port(struct hw_switch *s, uint32_t i, const char *name)
{
	snprintf(s->ports[i].name, sizeof(s->ports[i].name), "%s", name);
}

struct probe *hw_switch_probe(struct hw_switch *s) { return &s->probe; }

static int fdb_by_mac(const void *a, const void *b)
{
	return memcmp(((const struct hw_fdb_entry *)a)->mac, ((const struct hw_fdb_entry *)b)->mac,
		      ETH_ALEN);
}

size_t hw_switch_fdb(struct hw_switch *s, struct hw_fdb_entry *out, size_t room)
{
	struct hw_fdb_entry *all;
	const struct fdb *t = &s->fdb;
	size_t n = 0;

	fdb_expire(&s->fdb, sw_now(s), stp_ageing_ns(s));
	all = xcalloc(t->n, sizeof(*all));
	for (uint32_t i = t->oldest; i != FDB_NONE; i = t->e[i].newer, n++) {
		memcpy(all[n].mac, t->e[i].mac, ETH_ALEN);
		all[n].port = t->e[i].port;
		all[n].age_ns = sw_now(s) - t->e[i].seen_ns;
	}
	qsort(all, n, sizeof(*all), fdb_by_mac);
	n = min_sz(n, room);
	if (n)
		memcpy(out, all, n * sizeof(*out));
	free(all);
	return n;
}

const struct hw_switch_port_stats *hw_switch_stats(const struct hw_switch *s, uint32_t port)
{
	return &s->ports[port].st;
}

int hw_switch_port_state(const struct hw_switch *s, uint32_t port)
{
	return s->ports[port].state;
}

/* The cable: carries frames, full duplex, at the speed of its line and of light.
 *
 * Each direction is a transmitter clock, two queues of frames in flight, and one event.
 *
 *     send                                                  arrival of the last bit
 *      |<- preamble .. FCS at line rate ->|<- impairments ->|<- propagation ->|
 *      |<- ... and 12 octet times of gap ---->| transmitter idle again
 *
 * late holds frames in the order of sending, early those that overtake (reorder); both are sorted
 * by arrival, so the next arrival is one of two heads and everything is O(1). The receiver's clock
 * keeps two arrivals apart by the time a frame takes: a cable carries one bit after the other, also
 * where a duplicate or an overtaking frame comes out of the impairments together with another one.
 *
 * A frame is lost with HW_CABLE_UNPLUGGED when the link goes down under it.
 * Bounds: CABLE_FLIGHT_MAX frames in flight for each direction and queue.
 * Called by whoever owns a port; hands frames to the other port's rx() from the event queue.
 * Standard: IEEE 802.3 4.4.2 (interframe gap 96 bit times).  Tests: tests/unit/hw/test_cable.c */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hw/cable_tc.h"
#include "hw/hw_clock.h"
#include "wire/ethernet.h"

#define CABLE_RATE_DEFAULT 1000000000ull
#define CABLE_PROP_DEFAULT_NS 500
#define CABLE_MAX_FRAME_DEFAULT 1522
#define CABLE_FLIGHT_ROOM_FIRST 8u
#define CABLE_FLIGHT_MAX (1u << 20)

struct flight {
	struct hw_frame *f;
	uint64_t due_ns;
	uint32_t ser_ns; /* preamble to FCS at line rate */
};

struct flight_ring {
	struct flight *slot; /* room is a power of two, 0 at first */
	uint32_t head, n, room;
};

struct cable_dir {
	struct hw_cable *cable;
	struct ev arrive, done;
	uint64_t idle_ns; /* transmitter: last bit and gap are out */
	uint64_t in_ns;   /* receiver: last arrival */
	struct flight_ring late, early;
	struct cable_tc *tc; /* NULL: a perfect cable */
	struct hw_cable_stats st;
};

struct hw_cable {
	struct hw_world *world;
	char *name;
	uint64_t seed;
	struct hw_cable_params params;
	struct hw_port *port[2];
	struct probe *probe;
	bool up;   /* not cut */
	bool link; /* up, plugged at both ends, both transceivers on */
	struct cable_dir dir[2];
};

static void ring_push(struct flight_ring *r, const struct flight *fl)
{
	if (r->n == r->room) {
		uint32_t room = r->room ? r->room * 2 : CABLE_FLIGHT_ROOM_FIRST;
		struct flight *slot = xcalloc(room, sizeof(*slot));

		for (uint32_t i = 0; i < r->n; i++)
			slot[i] = r->slot[(r->head + i) & (r->room - 1)];
		free(r->slot);
		r->slot = slot;
		r->head = 0;
		r->room = room;
	}
	r->slot[(r->head + r->n++) & (r->room - 1)] = *fl;
}

static struct flight ring_pop(struct flight_ring *r)
{
	struct flight fl = r->slot[r->head];

	r->head = (r->head + 1) & (r->room - 1);
	r->n--;
	return fl;
}

static struct probe *cable_probe(const struct hw_cable *c, unsigned side)
{
	return c->probe ? c->probe : c->port[side] ? c->port[side]->probe : NULL;
}

static uint64_t cable_ns(const struct hw_cable *c, uint64_t octets)
{
	return (octets * 8 * NSEC_PER_SEC + c->params.line_rate_bps - 1) / c->params.line_rate_bps;
}

/* Which queue holds the next arrival, and when it comes. NULL: nothing in flight. */
static struct flight_ring *dir_next(struct cable_dir *d, uint64_t *when)
{
	struct flight_ring *r = d->late.n ? &d->late : NULL;
	const struct flight *fl;

	if (d->early.n &&
	    (!r || d->early.slot[d->early.head].due_ns < r->slot[r->head].due_ns))
		r = &d->early;
	if (!r)
		return NULL;
	fl = &r->slot[r->head];
	*when = max_u64(fl->due_ns, d->in_ns ? d->in_ns + fl->ser_ns : 0);
	return r;
}

static void dir_arm(struct cable_dir *d)
{
	uint64_t when;

	if (dir_next(d, &when))
		evq_at(d->cable->world->q, &d->arrive, when);
}

static void dir_arrive(struct ev *ev)
{
	struct cable_dir *d = container_of(ev, struct cable_dir, arrive);
	struct hw_cable *c = d->cable;
	struct hw_port *to = c->port[d == &c->dir[0]];
	struct flight_ring *r;
	struct flight fl;
	uint64_t when;

	r = dir_next(d, &when);
	if (!r)
		return;
	fl = ring_pop(r);
	d->in_ns = c->world->q->now_ns;
	d->st.delivered++;
	c->world->hops++;
	dir_arm(d);
	to->rx(to, fl.f);
}

static void dir_done(struct ev *ev)
{
	struct cable_dir *d = container_of(ev, struct cable_dir, done);
	struct hw_port *p = d->cable->port[d == &d->cable->dir[1]];

	if (p && p->tx_done)
		p->tx_done(p);
}

/* The link went away under whatever is in flight. */
static void dir_lose_all(struct cable_dir *d)
{
	struct hw_cable *c = d->cable;
	struct probe *pr = cable_probe(c, d == &c->dir[1]);
	uint64_t when;
	struct flight_ring *r;

	while ((r = dir_next(d, &when)) != NULL) {
		d->st.unplugged++;
		hw_frame_drop(pr, ring_pop(r).f, DROP_HW_CABLE_UNPLUGGED);
	}
	evq_cancel(c->world->q, &d->arrive);
}

static void cable_update_link(struct hw_cable *c)
{
	bool link = c->up && c->port[0] && c->port[1] && !c->port[0]->phy_off &&
		    !c->port[1]->phy_off;

	if (link == c->link)
		return;
	c->link = link;
	if (!link)
		for (unsigned side = 0; side < 2; side++)
			dir_lose_all(&c->dir[side]);
	for (unsigned side = 0; side < 2; side++)
		if (c->port[side] && c->port[side]->link)
			c->port[side]->link(c->port[side], link);
}

struct hw_cable *hw_cable_new(struct hw_world *w, const char *name, uint64_t seed,
			      const struct hw_cable_params *p)
{
	struct hw_cable *c = xcalloc(1, sizeof(*c));

	c->world = w;
	c->name = xstrdup(name);
	c->seed = seed;
	c->up = true;
	if (p)
		c->params = *p;
	if (!c->params.line_rate_bps)
		c->params.line_rate_bps = CABLE_RATE_DEFAULT;
	if (!c->params.prop_delay_ns)
		c->params.prop_delay_ns = CABLE_PROP_DEFAULT_NS;
	if (!c->params.max_frame)
		c->params.max_frame = CABLE_MAX_FRAME_DEFAULT;
	for (unsigned side = 0; side < 2; side++) {
		struct cable_dir *d = &c->dir[side];

		d->cable = c;
		ev_init(&d->arrive, 0, dir_arrive);
		ev_init(&d->done, 0, dir_done);
		memset(&c->params.tc[side], 0, sizeof(c->params.tc[side]));
	}
	if (p && (hw_cable_set_tc(c, 0, &p->tc[0]) || hw_cable_set_tc(c, 1, &p->tc[1]))) {
		hw_cable_free(c);
		return NULL;
	}
	return c;
}

void hw_cable_free(struct hw_cable *c)
{
	if (!c)
		return;
	for (unsigned side = 0; side < 2; side++)
		hw_cable_unplug(c, side);
	for (unsigned side = 0; side < 2; side++) {
		struct cable_dir *d = &c->dir[side];

		evq_cancel(c->world->q, &d->done);
		free(d->late.slot);
		free(d->early.slot);
		if (d->tc)
			cable_tc_free(d->tc);
		free(d->tc);
	}
	free(c->name);
	free(c);
}

void hw_cable_set_probe(struct hw_cable *c, struct probe *pr) { c->probe = pr; }

void hw_cable_plug(struct hw_cable *c, unsigned side, struct hw_port *p)
{
	assert(side < 2 && !c->port[side] && !p->cable);
	c->port[side] = p;
	p->world = c->world;
	p->cable = c;
	p->side = (uint8_t)side;
	/* Events of one instant are ordered by whom they happen to. */
	c->dir[!side].arrive.node = p->node_id;
	c->dir[side].done.node = p->node_id;
	cable_update_link(c);
}

void hw_cable_unplug(struct hw_cable *c, unsigned side)
{
	struct hw_port *p = c->port[side];
	bool had = c->link;

	if (!p)
		return;
	if (had) {
		for (unsigned i = 0; i < 2; i++)
			dir_lose_all(&c->dir[i]);
	}
	c->port[side] = NULL;
	p->cable = NULL;
	evq_cancel(c->world->q, &c->dir[side].done);
	if (had && p->link)
		p->link(p, false);
	cable_update_link(c);
}

void hw_cable_set_up(struct hw_cable *c, bool up)
{
	c->up = up;
	cable_update_link(c);
}

int hw_cable_set_tc(struct hw_cable *c, unsigned side, const struct tc_params *tc)
{
	static const struct tc_params none;
	struct cable_dir *d = &c->dir[side];
	char name[128];
	int err;

	if (!tc)
		tc = &none;
	if (!d->tc) {
		if (memcmp(tc, &none, sizeof(none)) == 0)
			return 0;
		d->tc = xcalloc(1, sizeof(*d->tc));
		snprintf(name, sizeof(name), "%s/%u", c->name, side);
		cable_tc_init(d->tc, c->seed, name, 3 * cable_ns(c, c->params.max_frame + 20));
	}
	err = cable_tc_set(d->tc, tc, d->st.frames);
	c->params.tc[side] = d->tc->p;
	return err;
}

const struct tc_params *hw_cable_tc(const struct hw_cable *c, unsigned side)
{
	return &c->params.tc[side];
}

const struct hw_cable_stats *hw_cable_stats(const struct hw_cable *c, unsigned side)
{
	return &c->dir[side].st;
}

bool hw_port_link_up(const struct hw_port *p) { return p->cable && p->cable->link; }

uint64_t hw_port_idle_at(const struct hw_port *p)
{
	return p->cable ? p->cable->dir[p->side].idle_ns : 0;
}

bool hw_port_idle(const struct hw_port *p)
{
	return hw_port_idle_at(p) <= p->world->q->now_ns;
}

struct hw_port *hw_port_peer(const struct hw_port *p)
{
	return p->cable ? p->cable->port[!p->side] : NULL;
}

uint64_t hw_port_line_rate(const struct hw_port *p)
{
	return p->cable ? p->cable->params.line_rate_bps : 0;
}

void hw_port_set_phy(struct hw_port *p, bool on)
{
	p->phy_off = !on;
	if (p->cable)
		cable_update_link(p->cable);
}

/* Show the frame as sent, with what will become of it. */
static void cable_show(struct hw_cable *c, const struct hw_port *p, const struct hw_frame *f,
		       const char *fate)
{
	struct probe *pr = cable_probe(c, p->side);

	if (c->world->wire_tap)
		c->world->wire_tap(c->world->wire_tap_arg, p, f, c->world->q->now_ns, fate);
	if (pr && pr->on) {
		HW_CLOCK(pr, c->world);
		probe_packet_(pr, TR_WIRE, "cable", f->serial, f->data, f->len, 1,
			      "cable=%s from=%s:%s octets=%u%s%s", c->name, p->node ? p->node : "",
			      p->name ? p->name : "", f->len, *fate ? " fate=" : "", fate);
	}
}

static void dir_fly(struct cable_dir *d, struct flight_ring *r, struct hw_frame *f, uint64_t due,
		    uint64_t ser)
{
	struct flight fl = { f, due, (uint32_t)ser };
	uint64_t when;

	if (unlikely(r->n == CABLE_FLIGHT_MAX)) {
		d->st.queue_drops++;
		hw_frame_drop(cable_probe(d->cable, d == &d->cable->dir[1]), f,
			      DROP_HW_CABLE_QUEUE);
		return;
	}
	ring_push(r, &fl);
	/* In order behind others: the event stands already. */
	if (!ev_pending(&d->arrive) || r == &d->early) {
		if (dir_next(d, &when))
			evq_at(d->cable->world->q, &d->arrive, when);
	}
}

static void dir_count(struct cable_dir *d, const struct cable_fate *fate)
{
	d->st.lost += !fate->copies && fate->reason != DROP_HW_CABLE_QUEUE;
	d->st.queue_drops += fate->reason == DROP_HW_CABLE_QUEUE;
	if (!fate->copies)
		return;
	d->st.corrupted += fate->corrupted;
	d->st.corrupted_inner += fate->inner;
	d->st.duplicated += fate->duplicated && fate->copies > 1;
	d->st.reordered += fate->reordered;
}

/* The frame leaves through the impairments; its last bit is out at out_ns. */
static void dir_impaired(struct cable_dir *d, struct hw_port *p, struct hw_frame *f,
			 uint64_t out_ns, uint64_t ser)
{
	struct hw_cable *c = d->cable;
	struct cable_fate fate;
	char words[96];

	cable_tc_apply(d->tc, f, d->st.frames, out_ns, &fate);
	dir_count(d, &fate);
	cable_show(c, p, f, cable_fate_words(&fate, words, sizeof(words)));
	if (!fate.copies) {
		hw_frame_drop(cable_probe(c, p->side), f, fate.reason);
		return;
	}
	f = cable_tc_damage(f, &fate);
	if (fate.copies > 1)
		hw_frame_get(f);
	for (unsigned i = 0; i < fate.copies; i++)
		dir_fly(d, fate.reordered ? &d->early : &d->late, f,
			fate.due_ns[i] + c->params.prop_delay_ns, ser);
}

uint64_t hw_port_send(struct hw_port *p, struct hw_frame *f)
{
	struct hw_cable *c = p->cable;
	uint64_t now = p->world->q->now_ns, ser;
	struct cable_dir *d;

	if (unlikely(!c || !c->link)) {
		if (c) {
			c->dir[p->side].st.unplugged++;
			cable_show(c, p, f, "lost (unplugged)");
		}
		hw_frame_drop(c ? cable_probe(c, p->side) : p->probe, f, DROP_HW_CABLE_UNPLUGGED);
		return now;
	}
	d = &c->dir[p->side];
	assert(d->idle_ns <= now);
	ser = cable_ns(c, f->len);
	d->idle_ns = now + cable_ns(c, f->len + ETH_IFG_LEN);
	d->st.frames++;
	d->st.octets += f->len;
	c->world->frames_sent++;
	if (p->tx_done)
		evq_at(c->world->q, &d->done, d->idle_ns);
	if (unlikely(f->len > c->params.max_frame + ETH_PREAMBLE_LEN)) {
		d->st.lost++;
		cable_show(c, p, f, "lost (too long)");
		hw_frame_drop(cable_probe(c, p->side), f, DROP_HW_OVERSIZE);
	} else if (d->tc) {
		dir_impaired(d, p, f, now + ser, ser);
	} else {
		if (unlikely(c->world->wire_tap || cable_probe(c, p->side)))
			cable_show(c, p, f, "");
		dir_fly(d, &d->late, f, now + ser + c->params.prop_delay_ns, ser);
	}
	return now + ser;
}

/* A frame in flight: real octets, preamble to FCS, counted reference. Immutable once sent; who damages
 * it (cable) copies first. serial and note are the observer's, not octets. */
#ifndef HW_FRAME_H
#define HW_FRAME_H

#include "base/evq.h"
#include "base/pool.h"
#include "base/probe.h"
#include "base/rng.h"

struct hw_world;
struct hw_port;

struct hw_frame {
	struct hw_world *world;
	uint32_t refs;
	uint32_t len; /* octets in data, preamble to FCS */
	uint64_t serial;
	uint8_t *data;
	uint32_t room;
};

/* What hardware shares: the event queue, memory for frames, and where frames are shown. */
struct hw_world {
	struct evq *q;
	struct pool frames_small, frames_mtu; /* structs with room for 160 / 1600 octets; bigger: malloc */
	/* Every frame once, at the sending end, as sent; fate is what the cable then did ("" normally). NULL: nobody looks. */
	void (*wire_tap)(void *arg, const struct hw_port *from, const struct hw_frame *f, uint64_t t_ns, const char *fate);
	void *wire_tap_arg;
	uint64_t frames_sent, hops;
};
void hw_world_init(struct hw_world *w, struct evq *q);
void hw_world_free(struct hw_world *w);
struct hw_frame *hw_frame_new(struct hw_world *w, uint32_t room);
static inline struct hw_frame *hw_frame_get(struct hw_frame *f)
{
	f->refs++;
	return f;
}
void hw_frame_put(struct hw_frame *f);
struct hw_frame *hw_frame_copy(const struct hw_frame *f);
/* Offset of the first octet after the SFD (tolerates a short or damaged preamble), or -1 (S3-84). */
int hw_frame_find_sfd(const struct hw_frame *f);

/* A port: where a cable is plugged in. The NIC, switch, hub, or TAP embeds one. */
struct hw_cable;
struct hw_port {
	struct hw_world *world;
	struct hw_cable *cable; /* NULL: nothing plugged in */
	uint8_t side;           /* 0 or 1: our end */
	bool promiscuous_media;
	const char *node, *name; /* "client", "eth1" */
	uint32_t node_id;
	/* A frame arrived complete (last bit in). Owns the reference. */
	void (*rx)(struct hw_port *p, struct hw_frame *f);
	/* Link came up or went down. */
	void (*link)(struct hw_port *p, bool up);
	/* The transmitter is idle again: the frame given last has left. May be NULL. */
	void (*tx_done)(struct hw_port *p);
	void *owner;
};

/* Cable: full duplex, each direction its own impairments, clock and generator. */
struct tc_params {
	uint64_t delay_ns, jitter_ns;
	uint64_t rate_bps;      /* rate limiter (shapes); 0: line rate only */
	uint32_t limit_bytes;   /* its queue; 0: 256 KiB... see cable.c */
	uint32_t loss_ppm, corrupt_ppm, corrupt_inner_ppm, duplicate_ppm, reorder_ppm;
	uint64_t reorder_gap_ns; /* how early a reordered frame overtakes: default as netem, sent at once */
	uint32_t *drop;          /* the Nth frames (1-based), ascending; owned by the cable */
	uint32_t n_drop;
};
struct hw_cable_params {
	uint64_t line_rate_bps;  /* serialisation: default 1 Gbit/s */
	uint64_t prop_delay_ns;  /* default 5 ns/m x 100 m = 500 ns */
	uint32_t max_frame;      /* without preamble; default 1522 */
	struct tc_params tc[2];  /* [side]: frames sent from that side */
};
struct hw_cable *hw_cable_new(struct hw_world *w, const char *name, uint64_t seed, const struct hw_cable_params *p);
void hw_cable_free(struct hw_cable *c);
/* The world's wire tap and trace events go to this probe too (NULL: none). */
void hw_cable_plug(struct hw_cable *c, unsigned side, struct hw_port *p);
void hw_cable_unplug(struct hw_cable *c, unsigned side);
/* Cut or restore the whole cable (both ends see link down). */
void hw_cable_set_up(struct hw_cable *c, bool up);
int hw_cable_set_tc(struct hw_cable *c, unsigned side, const struct tc_params *tc);
struct hw_cable_stats {
	uint64_t frames, octets, lost, corrupted, corrupted_inner, duplicated, reordered, queue_drops;
};
const struct hw_cable_stats *hw_cable_stats(const struct hw_cable *c, unsigned side);
/* Is the transmitter free? And send: takes the reference; serialisation begins now. The port must be idle
 * (half a frame cannot be overtaken). Returns the time at which the last bit leaves. */
bool hw_port_idle(const struct hw_port *p);
uint64_t hw_port_send(struct hw_port *p, struct hw_frame *f);
bool hw_port_link_up(const struct hw_port *p);

#endif

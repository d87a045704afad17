/* A frame in flight: real octets, preamble to FCS, counted reference. Immutable once sent; who
 * damages it (cable) copies first. serial is the observer's, not octets.
 *
 *     data   0        8                                  len-4      len
 *            | 7x55 d5 | dst src type payload (padding) | FCS        |
 *
 * fcs_ok is knowledge, not an octet: set by whoever has just computed the FCS over these very
 * octets (the sending NIC, or a receiver after its check) and cleared in the copy that a cable
 * damages. As the octets cannot change, a receiver may trust it instead of computing the same CRC
 * again at every hop. */
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
	bool fcs_ok;
};

#define HW_FRAME_MIN 64      /* shortest frame, dst to FCS (IEEE 802.3 4.4.2) */
#define HW_FRAME_OVERHEAD 12 /* preamble, SFD and FCS */

/* What hardware shares: the event queue, memory for frames, and where frames are shown. */
struct hw_world {
	struct evq *q;
	/* structs with room for 160 and 1600 octets; bigger ones come from malloc */
	struct pool frames_small, frames_mtu;
	/* Every frame once, at the sending end, as sent; fate is what the cable then did (""
	 * normally). NULL: nobody looks. */
	void (*wire_tap)(void *arg, const struct hw_port *from, const struct hw_frame *f,
			 uint64_t t_ns, const char *fate);
	void *wire_tap_arg;
	uint64_t frames_sent; /* given to a cable */
	uint64_t hops;        /* arrived at the other end */
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
/* Offset of the first octet after the SFD (tolerates a short or damaged preamble): S3-84.
 * -1: none. */
int hw_frame_find_sfd(const struct hw_frame *f);
/* Finish a frame whose len octets (dst..payload) stand at data + 8: pads with zeros to 60, writes
 * preamble, SFD and FCS, sets len and fcs_ok. The frame must have room for max(len, 60) + 12. */
void hw_frame_seal(struct hw_frame *f, uint32_t len);
/* A sealed frame with a copy of these octets (dst..payload, without FCS). */
struct hw_frame *hw_frame_make(struct hw_world *w, const void *eth, uint32_t len, uint64_t serial);
/* Is the FCS right? off: what hw_frame_find_sfd gave; the frame has at least 5 octets behind it.
 * Remembers a good answer in fcs_ok. */
bool hw_frame_check_fcs(struct hw_frame *f, uint32_t off);
/* Say on a probe (NULL: nobody) that the frame died, and give the reference back. */
#define hw_frame_drop(probe, f, reason) hw_frame_drop_at((probe), __func__, (f), (reason))
void hw_frame_drop_at(struct probe *pr, const char *where, struct hw_frame *f,
		      enum drop_reason reason);

/* A port: where a cable is plugged in. The NIC, switch, hub, or TAP embeds one. */
struct hw_cable;
struct hw_port {
	struct hw_world *world;
	struct hw_cable *cable; /* NULL: nothing plugged in */
	uint8_t side;           /* 0 or 1: our end */
	bool promiscuous_media;
	bool phy_off;           /* transceiver off: no link. Change it by hw_port_set_phy */
	const char *node, *name; /* "client", "eth1" */
	uint32_t node_id;
	/* A frame arrived complete (last bit in). Owns the reference. */
	void (*rx)(struct hw_port *p, struct hw_frame *f);
	/* Link came up or went down. */
	void (*link)(struct hw_port *p, bool up);
	/* The transmitter is idle again: the frame given last has left. May be NULL. */
	void (*tx_done)(struct hw_port *p);
	void *owner;
	struct probe *probe; /* the owner's: trace events of frames sent here. NULL: none */
};

/* Cable: full duplex, each direction its own impairments, clock and generator. */
struct tc_params {
	uint64_t delay_ns, jitter_ns;
	uint64_t rate_bps;      /* rate limiter (shapes); 0: line rate only */
	uint32_t limit_bytes;   /* its queue; 0: 256 KiB */
	uint32_t loss_ppm, corrupt_ppm, corrupt_inner_ppm, duplicate_ppm, reorder_ppm;
	uint64_t reorder_gap_ns; /* how much earlier than its delay a reordered frame comes; 0: as
				  * netem, no delay at all. With delay_ns 0 the others are delayed
				  * by this (0: three frames' time) */
	uint64_t reorder_seed;   /* which frames are reordered follows from this and their number alone; 0: from the
				  * lab's seed and the cable's name */
	uint32_t *drop;          /* the Nth frames (1-based), ascending; owned by the cable */
	uint32_t n_drop;
};
struct hw_cable_params {
	uint64_t line_rate_bps;  /* serialisation: default 1 Gbit/s */
	uint64_t prop_delay_ns;  /* default 5 ns/m x 100 m = 500 ns */
	uint32_t max_frame;      /* without preamble; default 1522 */
	struct tc_params tc[2];  /* [side]: frames sent from that side */
};
/* p is copied, drop lists too; NULL: all defaults. NULL: impairments that hw_cable_set_tc would
 * refuse. */
struct hw_cable *hw_cable_new(struct hw_world *w, const char *name, uint64_t seed,
			      const struct hw_cable_params *p);
void hw_cable_free(struct hw_cable *c);
/* Trace events of the cable (TR_WIRE, TR_DROP) go to this probe; NULL: to the sending port's, if it
 * has one. */
void hw_cable_set_probe(struct hw_cable *c, struct probe *pr);
/* Plugging and cutting call both ports' link(), at once. The port must be free, and the cable's
 * side too. */
void hw_cable_plug(struct hw_cable *c, unsigned side, struct hw_port *p);
void hw_cable_unplug(struct hw_cable *c, unsigned side);
/* Cut or restore the whole cable (both ends see link down). */
void hw_cable_set_up(struct hw_cable *c, bool up);
/* Replace the impairments of frames sent from that side (NULL: none). The drop list is copied;
 * frames are numbered from the cable's first on. 0, or -EINVAL: a probability above 1,000,000, a
 * delay or jitter above an hour, or a drop list out of order. */
int hw_cable_set_tc(struct hw_cable *c, unsigned side, const struct tc_params *tc);
const struct tc_params *hw_cable_tc(const struct hw_cable *c, unsigned side);
struct hw_cable_stats {
	uint64_t frames, octets, lost, corrupted, corrupted_inner, duplicated, reordered,
	    queue_drops;
	uint64_t unplugged; /* in flight when the link went down, or sent without one */
	uint64_t delivered; /* reached the other port (duplicates count) */
};
const struct hw_cable_stats *hw_cable_stats(const struct hw_cable *c, unsigned side);
/* Is the transmitter free? And send: takes the reference; serialisation begins now. The port must
 * be idle (half a frame cannot be overtaken). Returns the time at which the last bit leaves.
 * Without a link the frame is dropped at once (HW_CABLE_UNPLUGGED). */
bool hw_port_idle(const struct hw_port *p);
/* When it will be: last bit plus interframe gap; a time not after now when idle. Owners that have
 * more to send may leave tx_done NULL and set an event of their own to this: an event only where
 * one is needed. */
uint64_t hw_port_idle_at(const struct hw_port *p);
uint64_t hw_port_send(struct hw_port *p, struct hw_frame *f);
bool hw_port_link_up(const struct hw_port *p);
/* The port at the other end, NULL if none. */
struct hw_port *hw_port_peer(const struct hw_port *p);
/* Transceiver on or off; both ends see the link change. */
void hw_port_set_phy(struct hw_port *p, bool on);
/* bit/s of the cable, 0 if none */
uint64_t hw_port_line_rate(const struct hw_port *p);

#endif

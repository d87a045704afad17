/* The learning switch (IEEE 802.1D) and the hub: store and forward, FCS checked, source learned,
 * unknown and group destinations flooded, ageing 300 s, moves counted, reserved addresses
 * 01:80:c2:00:00:0x kept, bounded output queues and MAC table with a per-port quota, storm bound
 * per port, STP (off by default, see switch.c). */
#ifndef HW_SWITCH_H
#define HW_SWITCH_H

#include "hw/frame.h"

struct hw_switch;
struct hw_switch_params {
	const char *name;
	uint32_t node_id;
	uint64_t seed;
	uint32_t n_ports;
	uint64_t ageing_ns;       /* 0: 300 s */
	uint32_t table_max;       /* 0: 8192. Half is shared, half reserved in equal parts */
	uint32_t queue_bytes;     /* output queue per port; 0: 512 KiB */
	uint32_t storm_pps;       /* flooded frames per second and port; 0: 100000 */
	uint64_t latency_ns;      /* lookup time; 0: 1 us */
	bool hub;                 /* repeat everything, learn nothing */
	bool stp;
	uint16_t priority;        /* STP bridge priority, default 32768 */
	/* A BPDU on an edge port shuts it down until its link is replugged. Without STP every port
	 * is an edge port, with STP those of hw_switch_set_edge. */
	bool bpdu_guard;
	uint32_t max_frame;       /* 0: 1522 */
};
#define HW_SWITCH_PORTS_MAX 1024u
/* name is copied. n_ports in [1, HW_SWITCH_PORTS_MAX], or NULL. */
struct hw_switch *hw_switch_new(struct hw_world *w, const struct hw_switch_params *p);
void hw_switch_free(struct hw_switch *s);
struct hw_port *hw_switch_port(struct hw_switch *s, uint32_t i);
void hw_switch_name_port(struct hw_switch *s, uint32_t i, const char *name);
/* STP: hosts only behind this port: it forwards at once, until a BPDU comes in. */
void hw_switch_set_edge(struct hw_switch *s, uint32_t i, bool edge);
uint32_t hw_switch_n_ports(const struct hw_switch *s);
struct probe *hw_switch_probe(struct hw_switch *s);
struct hw_fdb_entry {
	uint8_t mac[6];
	uint32_t port;
	uint64_t age_ns;
};
/* The MAC table, sorted by MAC. Returns the number of entries written. */
size_t hw_switch_fdb(struct hw_switch *s, struct hw_fdb_entry *out, size_t room);
struct hw_switch_port_stats {
	uint64_t rx_frames, tx_frames, rx_octets, tx_octets, fcs_errors, runts, oversize, filtered,
	    flooded, forwarded, queue_drops, storm_drops, moves, learned, table_full, reserved;
	uint64_t no_sfd, bad_src, blocked;
	uint64_t damped; /* moves not followed: the address flaps */
	uint64_t bpdu_rx, bpdu_tx, bpdu_bad;
};
const struct hw_switch_port_stats *hw_switch_stats(const struct hw_switch *s, uint32_t port);
/* 0 disabled 1 blocking 2 listening 3 learning 4 forwarding */
int hw_switch_port_state(const struct hw_switch *s, uint32_t port);
const char *hw_switch_state_name(int state);
/* What STP elected. root_port -1: this bridge is the root. */
struct hw_switch_stp_info {
	uint64_t bridge_id, root_id; /* priority << 48 | MAC */
	uint32_t root_cost;
	int root_port;
	bool topology_change;
	uint64_t ageing_ns; /* in force now */
};
void hw_switch_stp_info(const struct hw_switch *s, struct hw_switch_stp_info *out);

#endif

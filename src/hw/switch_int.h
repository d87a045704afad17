/* Private to hw/: the inside of the switch, shared by switch.c (frames), switch_fdb.c (MAC table),
 * stp.c. */
#ifndef HW_SWITCH_INT_H
#define HW_SWITCH_INT_H

#include "hw/hw_clock.h"
#include "hw/switch.h"
#include "wire/ethernet.h"

enum sw_state { SW_DISABLED, SW_BLOCKING, SW_LISTENING, SW_LEARNING, SW_FORWARDING };

/* ---- MAC table ---- */
#define FDB_NONE UINT32_MAX
#define FDB_FLAP_MOVES 5u /* moves of one address followed ... */
#define FDB_FLAP_WINDOW_NS NSEC_PER_SEC /* ... within this time */

struct fdb_entry {
	uint8_t mac[ETH_ALEN];
	uint16_t port;
	uint32_t hash_next; /* also links free entries */
	uint32_t older, newer;
	uint32_t moves; /* since flap_ns */
	uint64_t seen_ns, flap_ns;
};
struct fdb {
	struct fdb_entry *e; /* room entries */
	uint32_t *bucket;    /* room heads */
	uint32_t n, room, max, free, oldest, newest;
	uint32_t reserve;    /* entries that every port may have for sure */
	uint32_t shared, shared_max; /* entries beyond the ports' reserves */
	uint32_t n_ports;
	uint32_t *count;     /* entries of each port */
	uint64_t key;
	uint64_t aged;
};
enum fdb_verdict { FDB_SEEN, FDB_LEARNED, FDB_MOVED, FDB_DAMPED, FDB_FULL };

void fdb_init(struct fdb *t, uint32_t max, uint32_t n_ports, uint64_t key);
void fdb_free(struct fdb *t);
/* mac was seen as a source on port. */
enum fdb_verdict fdb_learn(struct fdb *t, const uint8_t *mac, uint32_t port, uint64_t now_ns);
/* Port behind which mac lives, or -1. */
int fdb_lookup(const struct fdb *t, const uint8_t *mac);
/* Forget what was not seen for ageing_ns. */
void fdb_expire(struct fdb *t, uint64_t now_ns, uint64_t ageing_ns);
void fdb_flush_port(struct fdb *t, uint32_t port);

/* ---- spanning tree ---- */
struct stp_config { /* a configuration BPDU, times in ns */
	uint64_t root, bridge;
	uint32_t cost;
	uint16_t port;
	bool tc, tc_ack;
	uint64_t message_age, max_age, hello, fwd_delay;
};
struct stp_port {
	uint64_t root, bridge; /* designated */
	uint32_t cost;
	uint16_t port;
	uint16_t id;
	uint32_t path_cost;
	bool edge, tc_ack, config_pending;
	uint64_t born_ns; /* when the recorded information left the root */
	uint64_t age_at, forward_at, hold_at; /* timers, TIME_NEVER: off */
};
struct stp {
	uint64_t id, root;
	uint32_t cost;
	int root_port; /* -1: we are the root */
	uint64_t max_age, hello, fwd_delay; /* the root's */
	bool tc_detected, tc;
	bool short_ageing;
	uint64_t short_ageing_ok_ns; /* not to begin again before */
	uint64_t hello_at, tcn_at, tc_at;
	struct ev ev;
};

/* ---- ports ---- */
struct sw_port {
	struct hw_port port;
	struct hw_switch *sw;
	uint32_t no;
	char name[24];
	uint8_t state; /* enum sw_state */
	bool guarded;  /* shut down by BPDU guard */
	struct ev tx_ev;
	struct hw_frame **queue; /* room is a power of two, 0 at first */
	uint32_t head, n, room, octets;
	uint64_t storm_ns; /* flooding: theoretical arrival time of the next frame */
	struct hw_switch_port_stats st;
	struct stp_port stp;
};

struct sw_job { /* a frame under the lookup engine */
	struct hw_frame *f;
	struct sw_port *from;
	uint64_t due_ns;
};

struct hw_switch {
	struct hw_world *world;
	struct hw_switch_params params;
	char *name;
	struct probe probe;
	uint8_t mac[ETH_ALEN]; /* of the switch itself: BPDUs only */
	uint32_t n_ports;
	struct sw_port *ports;
	struct sw_job *job; /* room is a power of two */
	uint32_t job_head, job_n, job_room;
	struct ev job_ev;
	struct fdb fdb;
	struct stp stp;
};

/* switch.c */
void sw_set_state(struct sw_port *p, enum sw_state st);
/* Send or queue on this port whatever its state; takes the reference. */
void sw_output(struct sw_port *p, struct hw_frame *f);
static inline uint64_t sw_now(const struct hw_switch *s) { return s->world->q->now_ns; }

/* stp.c */
void stp_init(struct hw_switch *s);
void stp_exit(struct hw_switch *s);
void stp_link(struct sw_port *p, bool up);
/* A frame to 01:80:c2:00:00:00; eth has len octets, without FCS. Borrowed. */
void stp_receive(struct sw_port *p, const uint8_t *eth, uint32_t len);
uint64_t stp_ageing_ns(const struct hw_switch *s);

#endif

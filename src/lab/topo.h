/* A lab as data: what a lab file says, checked, before anything is built.
 *
 * labfile.c fills it from YAML; world.c builds nodes and cables from it; programs (bench, tests) may fill it
 * by hand with topo_add_*. Everything in it is owned by the struct topo. Names of nodes are unique, links
 * name existing nodes, no interface is used twice: topo_check() has seen to it. */
#ifndef LAB_TOPO_H
#define LAB_TOPO_H

#include "base/types.h"
#include "hw/frame.h"
#include "lab/ytree.h"

#define TOPO_MAX_NODES 1000000u
#define TOPO_MAX_LINKS 1000000u
#define TOPO_NAME_MAX 63u
#define TOPO_IFNAME_MAX 15u
#define TOPO_MAX_CPUS 16u
#define TOPO_IRQ_NS 500u    /* the CPU model unless the file says otherwise */
#define TOPO_PACKET_NS 500u

/* A place in the file, for messages that come later (an exec line that fails). */
struct topo_at {
	uint32_t line, col;
};

struct topo_pair { /* name = value, in the order of the file */
	char *name, *value;
	struct topo_at at;
};
struct topo_pairs {
	struct topo_pair *v;
	uint32_t n;
};
struct topo_words {
	char **v;
	struct topo_at *at;
	uint32_t n;
};

/* nodes.NAME.config.vars.processes[] */
struct topo_process {
	char *path; /* name of a built-in program */
	struct topo_words args;
	uint64_t start_ns;
	struct topo_at at;
};

/* nodes.NAME.config.vars.files: what the node's programs see at a path */
struct topo_file {
	char *point;       /* "/srv/www" in the node */
	char *from;        /* file or folder, relative to the lab file; NULL: memory */
	uint64_t mem_bytes; /* a writable tree in memory, at most this large */
	uint64_t mtime_s;  /* since 1970: what its files' modification time is said to be */
	struct topo_at at;
};

enum topo_kind { TOPO_LINUX, TOPO_BRIDGE, TOPO_HOST };

struct topo_nic {
	uint32_t rx_ring, tx_ring, rx_fifo;
	bool hw_csum, no_napi;
};
struct topo_cpus {
	uint32_t n, irq_ns, packet_ns;
};
struct topo_bridge {
	uint64_t ageing_ns, latency_ns;
	uint32_t table_max, queue_bytes, storm_pps, priority;
	bool stp, hub, bpdu_guard;
};
struct topo_nat {
	struct topo_words out;      /* interfaces whose address the LAN hides behind */
	struct topo_words forward;  /* "tcp 80 10.0.0.2:80": a port of ours leads there */
};

struct topo_node {
	char *name;
	enum topo_kind kind;
	struct topo_at at;
	struct topo_words exec;
	struct topo_pairs sysctls, env, labels;
	struct topo_words dns;
	struct topo_process *process;
	uint32_t n_process;
	struct topo_file *file;
	uint32_t n_file;
	struct topo_nic nic;
	struct topo_cpus cpus;
	struct topo_bridge bridge;
	struct topo_nat nat;
	uint32_t n_ifaces; /* counted by topo_check */
};

struct topo_end {
	uint32_t node; /* index */
	char *iface;
	bool has_mac, has_ip, has_tc;
	uint8_t mac[6];
	uint32_t ip;
	uint8_t plen;
	struct tc_params tc; /* frames sent from this end; .drop owned here */
	struct topo_at at, ip_at, mac_at;
};

struct topo_link {
	struct topo_end end[2];
	char *host_if; /* type: host: end[1] is this interface of the machine's kernel; else NULL */
	uint32_t mtu;  /* 0: 1500 */
	uint64_t line_rate_bps, prop_delay_ns; /* 0: hw's default */
	struct topo_at at;
};

struct topo {
	char *file; /* as given by the user, for messages */
	char *name;
	struct topo_node *node;
	uint32_t n_nodes;
	struct topo_link *link;
	uint32_t n_links;
	bool has_seed;
	uint64_t seed, stop_ns; /* stop_ns 0: none */
	/* containerlab's keys that were accepted and have no meaning here: "image (line 7)", ... */
	struct topo_words ignored;
	/* name -> index, open addressing */
	uint32_t *index, index_room;
};

void topo_init(struct topo *t, const char *file);
void topo_free(struct topo *t);
/* Index of a new node; its name is copied. UINT32_MAX: the name exists already. */
uint32_t topo_add_node(struct topo *t, const char *name, enum topo_kind kind);
/* Index of a node by name, or UINT32_MAX. */
uint32_t topo_find(const struct topo *t, const char *name);
/* A new, empty link (room for it; the caller fills the ends; iface is copied by topo_set_end). */
struct topo_link *topo_add_link(struct topo *t);
void topo_set_end(struct topo_end *e, uint32_t node, const char *iface);
void topo_words_add(struct topo_words *w, const char *s, struct topo_at at);
/* Set name = value; an earlier value of the same name is replaced. */
void topo_pairs_set(struct topo_pairs *p, const char *name, const char *value, struct topo_at at);
void topo_tc_copy(struct tc_params *to, const struct tc_params *from);

/* What needs the whole: interfaces used once, addresses and MACs unique, ends that can be joined.
 * 0, or -1 with *e filled in. */
int topo_check(struct topo *t, struct yerr *e);

/* Read a lab file's text into a topology fresh from topo_init, and check it. 0, or -1 with *e filled in; *t is
 * to be freed in both cases. */
int labfile_parse(struct topo *t, const char *file, const void *text, size_t len, struct yerr *e);

#endif

/* A world: hosts, switches and cables from a topology, one event queue, one clock. A value: many worlds can live
 * in one process and share nothing.
 *
 * Ownership: struct lab owns everything in it; the lab_source must outlive it. Time starts at 0 (shown as
 * 2000-01-01T00:00:00Z in files) and moves only inside lab_run and what calls it.
 *
 * How a host gets its turns: whatever gives a sleeping host work calls net_kick, whose owner's port puts the
 * node's one event into the queue; the event enters the host, runs it, and puts itself at the host's next
 * deadline. An idle host costs nothing. */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include "base/strbuf.h"
#include "core/net.h"
#include "core/task.h"
#include "hw/frame.h"
#include "hw/nic.h"
#include "hw/switch.h"
#include "lab/labs.h"

#define LAB_EPOCH_S 946684800ULL /* 2000-01-01T00:00:00Z */
#define LAB_MAX_SINKS 8u
#define LAB_LOG_MAX (1u << 20)
/* How long, in virtual time, one command or one exec line may take unless the lab file says stop_time. */
#define LAB_COMMAND_LIMIT_NS (3600 * NSEC_PER_SEC)

struct lab;
struct lab_node;

struct lab_iface {
	char name[16];
	uint8_t mac[6];
	struct lab_node *node;
	struct nic *nic;        /* hosts */
	struct net_device *dev; /* hosts */
	struct hw_port *port;   /* what the cable is plugged into */
	struct lab_link *link;
	uint32_t side;
};

struct lab_link {
	const struct topo_link *topo;
	struct hw_cable *cable; /* NULL: type host, nobody attached */
	struct lab_iface *end[2]; /* end[1] NULL: type host */
	char name[64];
	/* type host: how the other end is driven (lab/live.c); NULL in virtual time */
	struct lab_attach *attach;
};

/* A probe of the world hands its events to all sinks of the lab, in order. */
struct lab_probe_tap {
	struct trace_sink sink; /* first */
	struct lab *lab;
};

struct lab_node {
	struct lab *lab;
	const struct topo_node *topo;
	const char *name;
	uint32_t id;            /* from 1, in the order of the file */
	struct net *net;        /* kind linux */
	struct hw_switch *sw;   /* kind bridge */
	struct lab_iface *iface;
	uint32_t n_iface;
	struct ev run;          /* the host's next turn */
	struct lab_probe_tap tap;
	struct lab_start *start; /* processes and their start times */
	struct strbuf log;      /* what its background programs printed, the last LAB_LOG_MAX octets */
};

struct lab_start { /* one process of the lab file */
	struct ev ev;
	struct lab_node *node;
	const struct topo_process *proc;
	bool ended;
	int code;
};

struct lab_opts {
	uint64_t seed;
	bool has_seed;  /* else the lab file's, else 1 */
	bool realtime;  /* driven by the machine's clock: no CPU model */
	/* See every event of every node, from boot on. */
	struct trace_sink *sink[LAB_MAX_SINKS];
	uint32_t n_sinks;
	/* See every frame (hw_world.wire_tap). */
	void (*wire)(void *arg, const struct hw_port *from, const struct hw_frame *f, uint64_t t_ns, const char *fate);
	void *wire_arg;
	/* Called when nodes and cables stand and before the first is configured. May be NULL. */
	void (*built)(void *arg, struct lab *lab);
	/* A port that is not of the lab file was plugged in (live.h): f is the interface whose place it takes, NULL: none. */
	void (*plugged)(void *arg, struct hw_port *port, const struct lab_iface *f);
	void *built_arg;
	/* Asked now and then while the world runs: true ends lab_run. May be NULL. */
	bool (*interrupted)(void *arg);
	void *interrupted_arg;
};

struct lab {
	struct evq q;
	struct hw_world hw;
	struct skb_pool *skbs;
	struct coro_pool *coros;
	struct serial_source serials;
	uint64_t seed;
	const struct lab_source *src;
	struct lab_opts opts;
	struct lab_node *node;
	uint32_t n_nodes;
	struct lab_link *link;
	uint32_t n_links;
	struct lab_job *jobs; /* programs left running */
	uint64_t events;
};

/* Build and boot: addresses, sysctls, exec lines, then the processes due at time 0 are spawned. On failure NULL,
 * *err and *e say why. */
struct lab *lab_new(const struct lab_source *src, const struct lab_opts *opts, enum lab_err *err, struct yerr *e);
void lab_free(struct lab *lab);

/* NULL: no such node / no such interface. */
struct lab_node *lab_find(struct lab *lab, const char *name);
struct lab_iface *lab_find_iface(struct lab_node *n, const char *name);
/* The interface whose port this is. */
struct lab_iface *lab_iface_of(struct lab *lab, const struct hw_port *port);

enum lab_stop {
	LAB_STOP_DONE,        /* the predicate said so */
	LAB_STOP_LIMIT,       /* the time has come; the clock stands at it */
	LAB_STOP_IDLE,        /* nothing will ever happen again; without a predicate the clock stands at until_ns */
	LAB_STOP_INTERRUPTED
};
/* Run until done(arg) holds (NULL: never) or virtual time reaches until_ns. */
enum lab_stop lab_run(struct lab *lab, bool (*done)(void *arg), void *arg, uint64_t until_ns);
/* Let virtual time pass. */
enum lab_stop lab_wait(struct lab *lab, uint64_t ns);

/* What a program prints, as it prints it. */
typedef void (*lab_output)(void *arg, int fd, const char *s, size_t len);
/* A program of the caller's on a node: main(t, 1, { comm }) with t->owner_data = data. It runs when the world does.
 * NULL: out of memory. End with lab_finish and task_free. */
struct task *lab_spawn_main(struct lab_node *n, const char *comm, task_main main, void *data);
/* A program of the node, from a line as in a shell. Its environment is the node's. out (NULL: the node's log) and arg
 * must live as long as the lab. NULL with *err -ENOENT, -EINVAL (quoting) or -ENOMEM. The caller frees it (task_free). */
struct task *lab_spawn(struct lab_node *n, const char *line, lab_output out, void *arg, int *err);
/* Run the world until the task has ended, or make it end: 130 when interrupted, 124 when it would never end (its name
 * is line's first word, and out is told on fd 2). Returns its exit code. */
int lab_finish(struct lab_node *n, struct task *t, const char *line, lab_output out, void *arg);
/* Run one line on a node to its end. Returns its exit code; 127: no such program, 126: the line does not parse,
 * 130: interrupted, 124: the time limit came; each said on fd 2 of out. A line that ends in '&' is started and 0
 * returned. On a bridge: "bridge fdb show", "bridge -s link". */
int lab_command(struct lab_node *n, const char *line, lab_output out, void *arg);
/* Words that may follow, for the prompt: names of programs that the node runs. NULL past the end. */
const char *lab_program(const struct lab_node *n, size_t i);

/* lab/switch_cmd.c */
int lab_switch_command(struct lab_node *n, const char *line, lab_output out, void *arg);

#endif

/* A script while it runs.
 *
 *     script events --> drill_run.c: waits for the time, then
 *        packet in:  drill_flow.c finds whom it is for, drill_build.c makes its octets, tun0 takes them
 *        packet out: the first of "live" must be it: drill_flow.c, drill_check.c
 *        call:       drill_call*.c, in a worker: a task of the host that shares one table of descriptors with the others
 *        command:    drill_shell.c           code: drill_code.c
 *
 * Everything hangs here; nothing outlives drill_run. Times in ns; the script's 0 is start_ns on the host's clock. */
#ifndef DRILL_DRILL_INT_H
#define DRILL_DRILL_INT_H

#include "base/list.h"
#include "core/netdevice.h"
#include "core/task.h"
#include "drill/drill_script.h"
#include "wire/ip4.h"
#include "wire/tcp_hdr.h"

#define DRILL_MAX_FDS 4096
#define DRILL_MAX_LIVE 65536u        /* packets that nobody has asked for yet */
#define DRILL_MAX_NOTES 2048u        /* octets of what is told of a script's commands that mean nothing here */
#define DRILL_WAIT_PACKET_NS (10 * NSEC_PER_SEC)    /* an outbound packet that is late is waited for this long */
#define DRILL_WAIT_ANY_NS (3600 * NSEC_PER_SEC)     /* "*" */
#define DRILL_WAIT_CALL_NS (3600 * NSEC_PER_SEC)    /* a call without an end */

/* A packet that the stack sent: IP header on. */
struct drill_live {
	struct list_head list;
	uint64_t t_ns;
	uint32_t len;
	uint8_t data[];
};

/* A conversation, as the script sees it and as it is. */
enum drill_flow_state { DFLOW_NEW, DFLOW_LISTEN, DFLOW_PASSIVE, DFLOW_ACTIVE };
#define DFLOW_TS_RING 64
struct drill_flow {
	struct list_head list;
	enum dproto proto;
	enum drill_flow_state state;
	int script_fd, fd; /* -1: none yet */
	uint16_t script_lport, script_rport; /* 0: not written so far */
	uint16_t lport, rport;               /* as they are; lport 0: not known yet */
	uint32_t laddr, raddr;
	bool relearn;        /* a SYN came in: the answer may begin elsewhere */
	bool got_isn;        /* isn is the difference live - script of our stack's sequence numbers */
	uint32_t isn;
	uint32_t script_isn;
	uint32_t next_seq;   /* live: behind the last octet that the stack sent (for UDP quotes: unused) */
	/* timestamps of the stack: what the script called them */
	bool ts_first;
	uint32_t ts_first_script, ts_first_live;
	struct { uint32_t script, live; } ts[DFLOW_TS_RING];
	uint32_t n_ts;
	/* the octets, see drill_stream.c */
	struct strbuf tx;
	uint32_t tx_first, rx_first, rx_pos; /* tx_first: live sequence number of the first octet; rx_first: the script's */
	size_t tx_start;
	uint32_t tx_busy;
	bool tx_unknown, rx_unknown, rx_known;
	bool closed, port_given; /* by bind() */
	bool left;               /* connect() to AF_UNSPEC: the socket's next connection is another one */
};

struct drill_fd {
	int script, live;
};

/* A call while it runs. */
struct drill_job {
	struct list_head list;
	const struct devent *ev;
	struct drill *d;
	uint64_t begin_ns, due_ns, end_ns; /* due_ns: TIME_NEVER unless it is to block */
	bool done, checked;
	int64_t ret;
	struct strbuf err;  /* why it is not what the script said */
	struct drill_flow *flow;
};

struct drill_code;
struct drill {
	struct dscript sc;
	const char *name, *dir;
	struct strbuf *out;
	bool failed, dry;
	enum drill_result result;

	struct skb_pool *skbs;
	struct coro_pool *coros;
	struct serial_source serials;
	struct net *net;
	struct net_device *tun;
	uint64_t start_ns;

	struct task *proc; /* holds the descriptors; calls that cannot wait are made with it */
	struct list_head jobs;
	struct list_head workers;
	struct drill_fd fd[DRILL_MAX_FDS];
	size_t n_fds;

	struct list_head live;
	uint32_t n_live;
	struct list_head flows; /* newest first; at most one for each event */
	struct drill_flow *cur;
	uint16_t next_port;

	uint64_t last_ns; /* script time of the last event */
	uint32_t last_line; /* and where it stands */
	struct drill_code *code;
	struct strbuf notes; /* things without a meaning here: said once */
};

/* ---- drill_world.c ---- */
int drill_world_open(struct drill *d, uint64_t seed);
void drill_world_close(struct drill *d);
/* Let the host do what it has to do now; time stands still. */
void drill_settle(struct drill *d);
/* Let time pass until done (NULL: never) says so, or until_ns. inclusive: what is due at until_ns itself happens too.
 * True: done said so. False: it is until_ns, or (never_ok false) nothing can ever happen again. */
bool drill_pass(struct drill *d, uint64_t until_ns, bool inclusive, bool (*done)(struct drill *d, void *arg), void *arg);
/* An IP packet into tun0, and up the stack before any timer of this instant. */
int drill_inject(struct drill *d, const uint8_t *packet, uint32_t len);
void drill_live_drop(struct drill *d, struct drill_live *l);
static inline uint64_t drill_now(const struct drill *d) { return d->net->now_ns - d->start_ns; }

/* ---- messages (drill_run.c) ---- */
/* "file:line: text"; the script has failed. */
void drill_error(struct drill *d, uint32_t line, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Once for each text: at once with --verbose, else when the script fails. */
void drill_note(struct drill *d, uint32_t line, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* "0.123456" */
const char *drill_time(char buf[32], int64_t ns);

/* ---- drill_flow.c ---- */
struct drill_flow *drill_flow_new(struct drill *d, enum dproto proto);
void drill_flows_free(struct drill *d);
struct drill_flow *drill_flow_of_fd(struct drill *d, int script_fd);
/* Whom a packet of the script is about. NULL: the error has been said. */
struct drill_flow *drill_flow_of_script(struct drill *d, const struct devent *ev);
/* Whose a packet of the stack is; NULL: nobody's. want: the flow that an unknown one may be the first of. */
struct drill_flow *drill_flow_of_live(struct drill *d, const struct drill_live *l, struct drill_flow *want);
void drill_flow_learn_port(struct drill *d, struct drill_flow *f);
void drill_ts_note(struct drill_flow *f, uint32_t script, uint32_t live);
uint32_t drill_ts_live(const struct drill_flow *f, uint32_t script);

/* ---- drill_stream.c ---- */
uint8_t drill_octet(uint32_t at);
/* What goes over this connection from now on is not looked at. */
void drill_stream_forget(struct drill_flow *f);
/* A call is about to send this; any: its octets are ours to choose. More buffers of the same call: drill_tx_add. Then what it took. */
void drill_tx_begin(struct drill_flow *f, uint8_t *buf, size_t len, bool any);
void drill_tx_add(struct drill_flow *f, uint8_t *buf, size_t len, bool any);
void drill_tx_end(struct drill_flow *f, int64_t taken);
uint32_t drill_tx_check(const struct drill_flow *f, uint32_t live_seq, const uint8_t *p, uint32_t len);
/* The payload of a packet for the host; what a call read of it. */
void drill_rx_packet(struct drill_flow *f, const struct dpkt *k, uint8_t *payload);
bool drill_rx_check(struct drill_flow *f, const uint8_t *p, int64_t n, int flags);

/* ---- drill_build.c ---- */
#define DRILL_PACKET_ROOM (65535 + 64)
/* Octets of an inbound packet. Their number, or 0 with the error said. */
uint32_t drill_build(struct drill *d, const struct devent *ev, struct drill_flow *f, uint8_t *out);
/* TCP options as octets, without padding to four. live: map what the script says to what is (inbound). -1: too long. */
int drill_build_opts(const struct dpkt *k, const struct drill_flow *f, bool live, uint8_t out[60]);
void drill_sum_packet(uint8_t *p, uint32_t len);

/* ---- drill_check.c ---- */
/* The outbound event: takes the packets that it is about off the queue. */
void drill_expect(struct drill *d, const struct devent *ev, int64_t from_ns, int64_t until_ns);
/* The end of a script with --nothing_more: a packet that no line took is an error. */
void drill_expect_nothing(struct drill *d);

/* ---- drill_show.c ---- */
void drill_show_script(struct strbuf *sb, const struct dpkt *k);
void drill_show_live(struct strbuf *sb, const uint8_t *p, uint32_t len, const struct drill_flow *f);

/* ---- drill_call.c ---- */
void drill_calls_open(struct drill *d);
void drill_calls_close(struct drill *d);
/* Start a call; one that is not to block has ended when this returns, and was checked. */
void drill_call_start(struct drill *d, const struct devent *ev, uint64_t due_ns);
/* Blocking calls: those that are done are checked; all: wait for those that are not. */
void drill_calls_reap(struct drill *d, bool all);
int drill_fd_live(const struct drill *d, int script);
void drill_fd_set(struct drill *d, int script, int live);
int drill_fd_script(const struct drill *d, int live);

/* What a call's function says: errors about arguments and results. */
void djob_fail(struct drill_job *j, const char *fmt, ...) PRINTF_LIKE(2, 3);
typedef int64_t (*drill_call_fn)(struct drill_job *j, struct task *t);
struct drill_call_entry {
	const char *name;
	uint32_t min_args, max_args;
	drill_call_fn fn;
};
const struct drill_call_entry *drill_call_find(const char *name);
/* Tables of the three files, ended by a NULL name. */
extern const struct drill_call_entry drill_calls_sock[], drill_calls_io[], drill_calls_ev[];
static inline struct dexpr *djob_arg(const struct drill_job *j, uint32_t i)
{
	return i < j->ev->call->n_args ? j->ev->call->arg[i] : NULL;
}
/* An integer argument; dots: what "..." stands for. */
int64_t djob_int(struct drill_job *j, uint32_t i, int64_t dots);
int djob_fd(struct drill_job *j, uint32_t i);
/* [5], or 5. */
bool dexpr_int1(const struct dexpr *x, int64_t *v);
const struct dexpr *dexpr_field(const struct dexpr *x, const char *name, const struct dexpr **arg);
int64_t dexpr_field_int(const struct dexpr *x, const char *name, int64_t otherwise);
/* errno as in the script's notation, for messages. */
const char *drill_errno_text(int err);

/* ---- drill_info.c ---- */
/* The field of this name ("tcpi_rtt") of a struct tcp_info of which len octets are there. False: there is none. */
bool drill_info_value(const uint8_t *info, size_t len, const char *name, int64_t *v);

/* ---- drill_shell.c ---- */
/* A command of the script. */
void drill_command(struct drill *d, const char *text, uint32_t line);
void drill_defaults(struct drill *d);

/* ---- drill_code.c ---- */
void drill_code_run(struct drill *d, const struct devent *ev);
void drill_code_end(struct drill *d);

#endif

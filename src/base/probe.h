/* The probe: how any room says what it just did. One per instance (a host, a switch, a cable).
 *
 * The line is emitted by the function that did the work. Off, a tracepoint is one predictable branch
 * on probe->on. Sinks (trace/) hang on the probe and receive every event while it is on; the data
 * and text pointers of an event are borrowed for the call.
 *
 * Nesting: TRACE_FN() at the top of a function emits ENTER and, at whatever return, LEAVE. Depth
 * belongs to the context that runs (a task's coroutine, or the host's own); the owner swaps
 * probe->ctx when it switches. */
#ifndef BASE_PROBE_H
#define BASE_PROBE_H

#include "base/drop_reason.h"
#include "base/types.h"

enum trace_kind {
	TR_ENTER,   /* function entered; serial of the packet at hand or 0 */
	TR_LEAVE,
	TR_BORN,    /* a packet came to be; text says why ("parent=17 retransmit") */
	TR_CLONE,   /* a clone (same serial) */
	TR_COPY,    /* real copy of len bytes; where says from what to what */
	TR_CONSUME, /* did its job */
	TR_DROP,    /* died of reason */
	TR_HOOK,    /* a netfilter hook and its verdict */
	TR_QUEUE,   /* put on a queue (text names it and its length) */
	TR_DEQUEUE,
	TR_ROUTE,   /* a lookup and its result */
	TR_NEIGH,   /* a neighbour's state */
	TR_STATE,   /* a protocol's state changed */
	TR_REG,     /* a device register was read or written */
	TR_DMA,     /* mapping made/ended, or the device touched memory */
	TR_IRQ,     /* interrupt raised, handled */
	TR_SOFTIRQ, /* raised, begun, ended */
	TR_TASK,    /* sleeps, woken, runs, exits */
	TR_WIRE,    /* a frame on a cable; data holds all octets, preamble to FCS */
	TR_SWITCH,  /* a switch learned, forwarded, flooded, aged */
	TR_SYSCALL, /* call and result as a program sees them */
	TR_APP,     /* a program's own step (URL parsed, cache hit, ...) */
	TR_NOTE,
	TR_KIND_MAX
};

/* RFC 1122's four layers, and what lies beside them (S3-04). */
enum trace_layer { TL_NONE, TL_HW, TL_LINK, TL_NETWORK, TL_TRANSPORT, TL_SOCKET, TL_APP };

struct trace_event {
	uint64_t t_ns;
	uint64_t serial; /* packet, 0 if none */
	const char *node;
	const char *func;
	const char *text; /* key=value pairs, or "" */
	const uint8_t *data; /* packet bytes, or NULL */
	uint32_t data_len;
	uint32_t node_id;
	uint32_t ctx; /* context id: 0 host, else task id */
	uint16_t depth;
	uint8_t kind;
	uint8_t cpu;
	uint16_t reason; /* enum drop_reason, for TR_DROP */
	uint8_t linktype; /* of data: 1 Ethernet, 101 raw IP; 0 none */
	uint8_t place_ifindex;
};

struct trace_sink {
	struct trace_sink *next;
	uint32_t mask; /* 1 << kind */
	void (*emit)(struct trace_sink *self, const struct trace_event *ev);
};

struct trace_ctx {
	uint32_t id;
	uint16_t depth;
};

struct probe {
	bool on;
	uint8_t cpu;
	uint32_t node_id;
	const uint64_t *now_ns;
	const char *node;
	struct trace_ctx *ctx;
	struct trace_ctx base_ctx;
	struct trace_sink *sinks;
	uint32_t mask; /* union of the sinks' masks */
};

void probe_init(struct probe *p, const char *node, uint32_t node_id, const uint64_t *now_ns);
/* Hang a sink on the probe (switches it on) / take it off. The sink outlives its stay. */
void probe_attach(struct probe *p, struct trace_sink *s);
void probe_detach(struct probe *p, struct trace_sink *s);

/* Off the hot path: the compiler lays out and allots registers for a probe that is off. */
#define PROBE_COLD __attribute__((cold, noinline))

void probe_emit_(struct probe *p, enum trace_kind k, const char *func, uint64_t serial,
		 const char *fmt, ...) PRINTF_LIKE(5, 6) PROBE_COLD;
void probe_drop_(struct probe *p, const char *func, uint64_t serial, enum drop_reason r,
		 const uint8_t *data, uint32_t len, uint8_t linktype) PROBE_COLD;
void probe_packet_(struct probe *p, enum trace_kind k, const char *func, uint64_t serial,
		   const uint8_t *data, uint32_t len, uint8_t linktype, const char *fmt, ...)
	PRINTF_LIKE(8, 9) PROBE_COLD;
void probe_enter_(struct probe *p, const char *func, uint64_t serial) PROBE_COLD;
void probe_leave_(struct probe *p, const char *func, uint64_t serial) PROBE_COLD;

/* Say something: arguments are evaluated only when the probe is on. */
#define TRACE(p, kind, serial, ...)                                                   \
	do {                                                                          \
		if (unlikely((p)->on))                                                \
			probe_emit_((p), (kind), __func__, (serial), __VA_ARGS__);    \
	} while (0)

/* Lives in memory and is filled only while the probe is on: off, a function pays for one store and two
 * predictable branches, and keeps no register for it. */
struct trace_frame {
	struct probe *p; /* NULL: was off at entry */
	const char *func;
	uint64_t serial;
};

/* The way in while the probe is on. */
void trace_enter_(struct trace_frame *f, struct probe *p, const char *func, uint64_t serial) PROBE_COLD;

static inline void trace_leave(struct trace_frame *f)
{
	if (unlikely(f->p != NULL))
		probe_leave_(f->p, f->func, f->serial);
}

#define TRACE_FN(p, serial) TRACE_FN_AS(p, __func__, serial)
/* The same under a name other than the C function's (the articles' names). */
#define TRACE_FN_AS(probe_, name, serial)                                         \
	__attribute__((cleanup(trace_leave))) struct trace_frame trace_frame_;    \
	trace_frame_.p = NULL;                                                    \
	if (unlikely((probe_)->on))                                               \
	trace_enter_(&trace_frame_, (probe_), (name), (serial))

#endif

/* The event queue of a world: one binary heap ordered by (time, node, sequence).
 *
 * Hardware and hosts put their next moments here; the owner of the world pops them and moves the
 * clock. Ordering by node before sequence makes a run independent of the order in which hosts were
 * created within one instant. An event is embedded in its owner (no allocation), and knows its
 * heap slot, so that moving or cancelling it is O(log n).
 *
 * Invariant: ev->slot is the index in heap[] or EV_IDLE. Limit: UINT32_MAX - 1 events. */
#ifndef BASE_EVQ_H
#define BASE_EVQ_H

#include "base/types.h"

#define EV_IDLE UINT32_MAX

struct ev;
typedef void (*ev_fn)(struct ev *ev);

struct ev {
	uint64_t when_ns;
	uint64_t seq;
	uint32_t node; /* who: orders events of one instant */
	uint32_t slot;
	ev_fn fn;
};

struct evq {
	uint64_t now_ns;
	uint64_t seq;
	struct ev **heap;
	uint32_t n, room;
};

void evq_init(struct evq *q);
void evq_free(struct evq *q);
static inline void ev_init(struct ev *ev, uint32_t node, ev_fn fn)
{
	ev->slot = EV_IDLE;
	ev->node = node;
	ev->fn = fn;
}
static inline bool ev_pending(const struct ev *ev) { return ev->slot != EV_IDLE; }
/* (Re)schedule at when_ns (a time in the past counts as now). Rescheduling takes a new sequence. */
void evq_at(struct evq *q, struct ev *ev, uint64_t when_ns);
void evq_cancel(struct evq *q, struct ev *ev);
/* Time of the earliest event, TIME_NEVER when empty. */
uint64_t evq_next(const struct evq *q);
/* Pop the earliest event, set now_ns to its time and run it. False when the queue is empty. */
bool evq_run_one(struct evq *q);

#endif

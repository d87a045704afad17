/* The event queue of a world: a binary heap of embedded events.
 *
 * Decides which event comes next: the smallest (time, node, sequence). Called by the owner of a world
 * (lab/) and by hardware (hw/), which puts its next moments here; hands on to the event's function.
 * Tests: tests/unit/base/test_evq.c. */
#include "base/evq.h"

#include <assert.h>
#include <stdlib.h>

#include "base/pool.h"

#define EVQ_ROOM_FIRST 64u

void evq_init(struct evq *q)
{
	q->now_ns = 0;
	q->seq = 0;
	q->heap = NULL;
	q->n = 0;
	q->room = 0;
}

void evq_free(struct evq *q)
{
	for (uint32_t i = 0; i < q->n; i++)
		q->heap[i]->slot = EV_IDLE;
	free(q->heap);
	evq_init(q);
}

static bool ev_less(const struct ev *a, const struct ev *b)
{
	if (a->when_ns != b->when_ns)
		return a->when_ns < b->when_ns;
	if (a->node != b->node)
		return a->node < b->node;
	return a->seq < b->seq;
}

static void evq_put(struct evq *q, uint32_t slot, struct ev *ev)
{
	q->heap[slot] = ev;
	ev->slot = slot;
}

/* Move the event of a slot towards the root until its parent is not later. */
static void evq_up(struct evq *q, uint32_t slot)
{
	struct ev *ev = q->heap[slot];

	while (slot > 0) {
		uint32_t parent = (slot - 1) / 2;

		if (!ev_less(ev, q->heap[parent]))
			break;
		evq_put(q, slot, q->heap[parent]);
		slot = parent;
	}
	evq_put(q, slot, ev);
}

/* Move the event of a slot towards the leaves until no child is earlier. */
static void evq_down(struct evq *q, uint32_t slot)
{
	struct ev *ev = q->heap[slot];

	/* A slot at n/2 or beyond has no child; this form cannot overflow. */
	while (slot < q->n / 2) {
		uint32_t child = 2 * slot + 1;

		if (child + 1 < q->n && ev_less(q->heap[child + 1], q->heap[child]))
			child++;
		if (!ev_less(q->heap[child], ev))
			break;
		evq_put(q, slot, q->heap[child]);
		slot = child;
	}
	evq_put(q, slot, ev);
}

static void evq_grow(struct evq *q)
{
	assert(q->room < EV_IDLE / 2);
	q->room = q->room ? q->room * 2 : EVQ_ROOM_FIRST;
	q->heap = xrealloc(q->heap, q->room * sizeof(*q->heap));
}

void evq_at(struct evq *q, struct ev *ev, uint64_t when_ns)
{
	ev->when_ns = max_u64(when_ns, q->now_ns);
	ev->seq = q->seq++;
	if (!ev_pending(ev)) {
		if (q->n == q->room)
			evq_grow(q);
		evq_put(q, q->n++, ev);
		evq_up(q, ev->slot);
		return;
	}
	assert(ev->slot < q->n && q->heap[ev->slot] == ev);
	evq_up(q, ev->slot);
	evq_down(q, ev->slot);
}

void evq_cancel(struct evq *q, struct ev *ev)
{
	uint32_t slot = ev->slot;
	struct ev *last;

	if (!ev_pending(ev))
		return;
	assert(slot < q->n && q->heap[slot] == ev);
	ev->slot = EV_IDLE;
	last = q->heap[--q->n];
	if (last == ev)
		return;
	evq_put(q, slot, last);
	evq_up(q, slot);
	evq_down(q, last->slot);
}

uint64_t evq_next(const struct evq *q)
{
	return q->n ? q->heap[0]->when_ns : TIME_NEVER;
}

bool evq_run_one(struct evq *q)
{
	struct ev *ev;

	if (!q->n)
		return false;
	ev = q->heap[0];
	evq_cancel(q, ev);
	q->now_ns = ev->when_ns;
	ev->fn(ev);
	return true;
}

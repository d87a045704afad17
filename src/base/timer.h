/* Hierarchical timing wheel: the timers of one host. Add, modify and delete are O(1); an idle wheel
 * costs nothing, and the next deadline is exact (not rounded to a tick): an owner in virtual time
 * jumps straight to it.
 *
 * Levels of 64 slots each; level 0 slots span 2^16 ns (65.5 us), each level above 64 times more.
 * Within a slot the exact expiry decides, ties by order of arming (so runs repeat exactly). A timer
 * never fires early. Any expiry below TIME_NEVER is accepted; TIME_NEVER itself disarms. */
#ifndef BASE_TIMER_H
#define BASE_TIMER_H

#include "base/list.h"

struct timer_list;
typedef void (*timer_fn)(struct timer_list *t);

struct timer_list {
	struct list_head node;
	uint64_t expires_ns;
	uint64_t seq;
	timer_fn fn;
	uint16_t slot; /* level * 64 + index, or TIMER_IDLE */
};
#define TIMER_IDLE 0xffff
#define WHEEL_LEVELS 8
#define WHEEL_SLOTS 64

struct timer_wheel {
	uint64_t now_ns; /* everything due before this has fired */
	uint64_t seq;
	uint64_t occupied[WHEEL_LEVELS];
	uint64_t unsorted[WHEEL_LEVELS]; /* slots whose list is not in firing order */
	struct list_head slots[WHEEL_LEVELS][WHEEL_SLOTS]; /* a list where occupied says so, else anything */
	uint32_t pending;
	uint64_t next_cache; /* earliest expiry, when next_valid */
	bool next_valid;
};

void wheel_init(struct timer_wheel *w, uint64_t now_ns);
void timer_setup(struct timer_list *t, timer_fn fn);
static inline bool timer_pending(const struct timer_list *t) { return t->slot != TIMER_IDLE; }
/* Arm or re-arm at an absolute time. */
void mod_timer(struct timer_wheel *w, struct timer_list *t, uint64_t expires_ns);
/* Disarm. Returns whether it was pending. */
bool del_timer(struct timer_wheel *w, struct timer_list *t);
/* Look for the earliest timer. */
uint64_t wheel_find_next_(struct timer_wheel *w);
/* Exact earliest expiry, TIME_NEVER if none. */
static inline uint64_t wheel_next(struct timer_wheel *w)
{
	return likely(w->next_valid) ? w->next_cache : wheel_find_next_(w);
}
/* Fire, in order of (expiry, arming), everything due at or before now_ns, including what callbacks arm
 * in the meantime. A callback may re-arm, delete or free its own timer and any other. */
void wheel_run(struct timer_wheel *w, uint64_t now_ns);

#endif

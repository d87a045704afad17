/* Private to hw/: hardware that speaks on a host's probe tells its own time.
 *
 * A frame arrives while the host sleeps: the host's clock still stands where the host last ran. For
 * the length of a scope HW_CLOCK(probe, world) lets the probe read the world's clock instead. */
#ifndef HW_HW_CLOCK_H
#define HW_HW_CLOCK_H

#include "hw/frame.h"

struct hw_clock {
	struct probe *probe; /* NULL: nothing was changed */
	const uint64_t *host;
};

static inline struct hw_clock hw_clock_enter(struct probe *p, const struct hw_world *w)
{
	struct hw_clock c = { NULL, NULL };

	if (unlikely(p && p->on)) {
		c.probe = p;
		c.host = p->now_ns;
		p->now_ns = &w->q->now_ns;
	}
	return c;
}

static inline void hw_clock_leave(struct hw_clock *c)
{
	if (unlikely(c->probe != NULL))
		c->probe->now_ns = c->host;
}

#define HW_CLOCK(p, w)                                                                             \
	__attribute__((cleanup(hw_clock_leave), unused)) struct hw_clock hw_clock_ =               \
	    hw_clock_enter((p), (w))

#endif

/* The timing wheel of one host: which timer fires next, and exactly when.
 *
 * Called by every room that waits for something (mod_timer, del_timer) and by the host's loop
 * (wheel_next, wheel_run); hands on to the timer's function. Tests: tests/unit/base/test_timer.c,
 * against a plain list as the model.
 *
 * Theory. Time is a 64-bit number; its low 16 bits are below a level 0 slot, and each six bits above
 * are the slot number of one level:
 *
 *      63     58 57    52        27    22 21    16 15                0
 *     | level 7 | level 6 |  ...  | level 1 | level 0 | within a slot   |
 *
 * A timer sits on the level of the highest group in which its expiry differs from now_ns, in the
 * slot that this group of the expiry names. From this follows:
 *  - all timers of a level share with now_ns every bit above that level, and lie (level 1 and up) in
 *    slots after now_ns's own;
 *  - hence the lowest occupied slot of the lowest occupied level holds the earliest timer;
 *  - when now_ns enters a slot of level 1 or above, its timers no longer differ there and must move
 *    down (a cascade); a timer moves at most once per level in its life.
 * A timer that is already late sits in now_ns's slot of level 0, which is always looked at first.
 *
 * Order within a slot. A slot's list is kept in firing order as long as that is cheap: most timers of
 * a kind have the same length, so a new one belongs at or near the tail. Where it would take more
 * than WHEEL_NEAR steps, the slot is marked unsorted and sorted once when its earliest timer is
 * asked for. So the host that re-arms ten thousand retransmission timers in turn never scans them. */
#include "base/timer.h"

#include <assert.h>
#include <string.h>

#define LEVEL_BITS 6
#define SLOT0_BITS 16
#define WHEEL_NEAR 8
/* A run that fires this many without time moving is a timer that re-arms itself for now. */
#define WHEEL_SAME_TIME_MAX (1u << 24)

void wheel_init(struct timer_wheel *w, uint64_t now_ns)
{
	w->now_ns = now_ns;
	w->seq = 0;
	memset(w->occupied, 0, sizeof(w->occupied));
	memset(w->unsorted, 0, sizeof(w->unsorted));
	w->pending = 0;
	w->next_cache = TIME_NEVER;
	w->next_valid = true;
}

void timer_setup(struct timer_list *t, timer_fn fn)
{
	list_init(&t->node);
	t->expires_ns = TIME_NEVER;
	t->seq = 0;
	t->fn = fn;
	t->slot = TIMER_IDLE;
}

static bool timer_less(const struct timer_list *a, const struct timer_list *b)
{
	return a->expires_ns != b->expires_ns ? a->expires_ns < b->expires_ns : a->seq < b->seq;
}

static unsigned slot_of(uint64_t t_ns, unsigned level)
{
	return (unsigned)(t_ns >> (SLOT0_BITS + level * LEVEL_BITS)) & (WHEEL_SLOTS - 1);
}

static unsigned level_of(uint64_t now_ns, uint64_t t_ns)
{
	uint64_t diff = (now_ns ^ t_ns) >> SLOT0_BITS;

	return diff ? (63u - (unsigned)__builtin_clzll(diff)) / LEVEL_BITS : 0;
}

/* Put into a slot's list: at its place if that is near the tail, else at the tail and unsorted. */
static void slot_insert(struct timer_wheel *w, unsigned level, unsigned slot, struct timer_list *t)
{
	struct list_head *head = &w->slots[level][slot], *at;
	uint64_t bit = 1ULL << slot;

	if (!(w->occupied[level] & bit)) {
		list_init(head);
		w->occupied[level] |= bit;
		w->unsorted[level] &= ~bit;
	}
	at = head->prev;
	if (!(w->unsorted[level] & bit)) {
		unsigned steps = 0;

		while (at != head && timer_less(t, list_entry(at, struct timer_list, node))) {
			if (++steps > WHEEL_NEAR) {
				w->unsorted[level] |= bit;
				at = head->prev;
				break;
			}
			at = at->prev;
		}
	}
	list_add(&t->node, at);
	t->slot = (uint16_t)(level * WHEEL_SLOTS + slot);
}

static void wheel_place(struct timer_wheel *w, struct timer_list *t)
{
	uint64_t at = max_u64(t->expires_ns, w->now_ns);
	unsigned level = level_of(w->now_ns, at);

	slot_insert(w, level, slot_of(at, level), t);
}

static void wheel_unlink(struct timer_wheel *w, struct timer_list *t)
{
	unsigned level = t->slot / WHEEL_SLOTS, slot = t->slot % WHEEL_SLOTS;

	assert(level < WHEEL_LEVELS);
	list_del_init(&t->node);
	t->slot = TIMER_IDLE;
	if (list_empty(&w->slots[level][slot]))
		w->occupied[level] &= ~(1ULL << slot);
}

bool del_timer(struct timer_wheel *w, struct timer_list *t)
{
	if (!timer_pending(t))
		return false;
	wheel_unlink(w, t);
	w->pending--;
	if (w->next_valid && t->expires_ns == w->next_cache)
		w->next_valid = false;
	return true;
}

void mod_timer(struct timer_wheel *w, struct timer_list *t, uint64_t expires_ns)
{
	del_timer(w, t);
	if (expires_ns == TIME_NEVER)
		return;
	t->expires_ns = expires_ns;
	t->seq = w->seq++;
	wheel_place(w, t);
	w->pending++;
	if (w->next_valid)
		w->next_cache = min_u64(w->next_cache, expires_ns);
}

/* Merge two sorted lists into the empty "to". */
static void list_merge(struct list_head *a, struct list_head *b, struct list_head *to)
{
	while (!list_empty(a) && !list_empty(b)) {
		struct list_head *x = a->next, *y = b->next, *n = x;

		if (timer_less(list_entry(y, struct timer_list, node),
			       list_entry(x, struct timer_list, node)))
			n = y;
		list_del_init(n);
		list_add_tail(n, to);
	}
	list_splice_tail_init(a, to);
	list_splice_tail_init(b, to);
}

#define SORT_BINS 32

/* Merge sort, bottom up: bin i holds a sorted list of 2^i timers, like the bits of a counter. */
static void slot_sort(struct list_head *head)
{
	struct list_head bins[SORT_BINS], carry, merged;
	unsigned used = 0;

	list_init(&carry);
	list_init(&merged);
	while (!list_empty(head)) {
		struct list_head *n = head->next;
		unsigned i = 0;

		list_del_init(n);
		list_add_tail(n, &carry);
		for (; i < used && !list_empty(&bins[i]); i++) {
			list_merge(&bins[i], &carry, &merged);
			list_splice_tail_init(&merged, &carry);
		}
		if (i == used) {
			assert(used < SORT_BINS);
			list_init(&bins[used++]);
		}
		list_splice_tail_init(&carry, &bins[i]);
	}
	for (unsigned i = 0; i < used; i++) {
		list_merge(&bins[i], &carry, &merged);
		list_splice_tail_init(&merged, &carry);
	}
	list_splice_tail_init(&carry, head);
}

/* The timer that fires next, NULL if none. */
static struct timer_list *wheel_first(struct timer_wheel *w)
{
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		unsigned slot;

		if (!w->occupied[level])
			continue;
		slot = (unsigned)__builtin_ctzll(w->occupied[level]);
		if (w->unsorted[level] & (1ULL << slot)) {
			slot_sort(&w->slots[level][slot]);
			w->unsorted[level] &= ~(1ULL << slot);
		}
		return list_first_entry(&w->slots[level][slot], struct timer_list, node);
	}
	return NULL;
}

uint64_t wheel_find_next_(struct timer_wheel *w)
{
	const struct timer_list *t = wheel_first(w);

	w->next_cache = t ? t->expires_ns : TIME_NEVER;
	w->next_valid = true;
	return w->next_cache;
}

/* Move the clock to t_ns, before which nothing is pending, and bring down what its slots hold. */
static void wheel_advance(struct timer_wheel *w, uint64_t t_ns)
{
	if (t_ns <= w->now_ns)
		return;
	w->now_ns = t_ns;
	for (unsigned level = WHEEL_LEVELS - 1; level > 0; level--) {
		unsigned slot = slot_of(t_ns, level);
		struct list_head down;

		if (!(w->occupied[level] & (1ULL << slot)))
			continue;
		list_init(&down);
		list_splice_tail_init(&w->slots[level][slot], &down);
		w->occupied[level] &= ~(1ULL << slot);
		while (!list_empty(&down)) {
			struct timer_list *t = list_first_entry(&down, struct timer_list, node);

			list_del_init(&t->node);
			wheel_place(w, t);
		}
	}
}

void wheel_run(struct timer_wheel *w, uint64_t now_ns)
{
	uint32_t same = 0;

	while (wheel_next(w) <= now_ns) {
		uint64_t before = w->now_ns;
		struct timer_list *t;

		wheel_advance(w, w->next_cache);
		t = wheel_first(w);
		same = w->now_ns == before ? same + 1 : 0;
		assert(t && same < WHEEL_SAME_TIME_MAX);
		/* Idle before its function runs, which may re-arm or free it. */
		del_timer(w, t);
		t->fn(t);
	}
	wheel_advance(w, now_ns);
}

/* Private to hw/: the impairments of one direction of a cable (cable_tc.c). */
#ifndef HW_CABLE_TC_H
#define HW_CABLE_TC_H

#include "hw/frame.h"

#define TC_LIMIT_DEFAULT (256u * 1024u)
#define TC_DROP_LIST_MAX 65536u
#define TC_DELAY_MAX_NS (3600 * NSEC_PER_SEC)

struct cable_tc {
	struct tc_params p;
	struct rng loss, corrupt, corrupt_bit, inner, inner_bit, duplicate, jitter, reorder;
	uint64_t rate_free_ns;  /* when the rate limiter has sent all that it holds */
	uint64_t late_due_ns;   /* of the last delayed frame: jitter never reorders */
	uint64_t early_due_ns;  /* of the last frame that overtook */
	uint64_t gap_ns;        /* delay of the overtaken where none is configured */
	uint32_t drop_next;     /* index into p.drop */
};

/* What becomes of one frame. due_ns is when its last bit reaches the far end of the impairments;
 * the cable adds propagation. copies 0: it died of reason. */
struct cable_fate {
	uint8_t copies;
	bool lost_one; /* duplicated and lost: one copy remains */
	bool corrupted, inner, duplicated, reordered;
	enum drop_reason reason;
	uint32_t bit, inner_bit; /* counted from the first bit of the destination address */
	uint64_t due_ns[2];
};

/* seed and name (cable and side) make the generators; gap_ns as above. */
void cable_tc_init(struct cable_tc *t, uint64_t seed, const char *name, uint64_t gap_ns);
void cable_tc_free(struct cable_tc *t);
/* 0 or -EINVAL (nothing changed). sent: frames that went before. */
int cable_tc_set(struct cable_tc *t, const struct tc_params *p, uint64_t sent);
/* Decide for the number-th frame (1-based), whose last bit leaves the transmitter at at_ns. */
void cable_tc_apply(struct cable_tc *t, const struct hw_frame *f, uint64_t number, uint64_t at_ns,
		    struct cable_fate *fate);
/* The frame as it arrives: itself, or a damaged copy (then the original's reference is given
 * back). */
struct hw_frame *cable_tc_damage(struct hw_frame *f, const struct cable_fate *fate);
/* In words, "" when nothing happened. */
const char *cable_fate_words(const struct cable_fate *fate, char *buf, size_t size);

#endif

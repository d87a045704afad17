/* What a bad cable does to frames: netem's impairments in netem's order.
 *
 *     duplicate, loss -> corrupt -> queue limit, rate -> delay +- jitter, or reorder (no delay)
 *
 * Every use of chance has a generator of its own, drawn once for each frame in the order of sending
 * whatever the other uses decided: switching on one impairment leaves the outcome of another as it
 * was, and the Nth frame fares the same in every run.
 *
 * - loss and duplicate of the same frame cancel out, as in netem: one copy arrives.
 * - corrupt flips one bit anywhere from the destination address to the FCS: the FCS catches it.
 * - corrupt_inner flips one bit inside the IPv4 packet and makes the FCS anew, as a bad memory in a
 *   router would: only the Internet checksums can catch it. Frames without IPv4 are left alone.
 * - rate is a shaper behind the transmitter; a frame weighs what tc counts, dst to payload (no
 *   FCS). What waits is bounded by limit octets (tail drop); a frame that finds nothing waiting is
 *   always taken.
 * - jitter is uniform in [delay - jitter, delay + jitter], never below 0, and never reorders: a
 *   frame is not due before the one sent before it. Only reorder reorders.
 * - reorder sends a frame at once (or reorder_gap earlier), so it overtakes all that are delayed.
 *   Where no delay is configured the others are delayed by a small gap, or nothing could be
 *   overtaken.
 *
 * Called by cable.c.  Tests: tests/unit/hw/test_cable_tc.c */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hw/cable_tc.h"
#include "wire/ethernet.h"
#include "wire/ip4.h"

#define PPM_MAX 1000000u

static void tc_derive(struct rng *r, uint64_t seed, const char *name, const char *use)
{
	rng_derive(r, seed, name, use);
}

void cable_tc_init(struct cable_tc *t, uint64_t seed, const char *name, uint64_t gap_ns)
{
	memset(t, 0, sizeof(*t));
	t->gap_ns = gap_ns;
	tc_derive(&t->loss, seed, name, "loss");
	tc_derive(&t->corrupt, seed, name, "corrupt");
	tc_derive(&t->corrupt_bit, seed, name, "corrupt-bit");
	tc_derive(&t->inner, seed, name, "corrupt-inner");
	tc_derive(&t->inner_bit, seed, name, "corrupt-inner-bit");
	tc_derive(&t->duplicate, seed, name, "duplicate");
	tc_derive(&t->jitter, seed, name, "jitter");
	tc_derive(&t->reorder, seed, name, "reorder");
}

void cable_tc_free(struct cable_tc *t)
{
	free(t->p.drop);
	t->p.drop = NULL;
}

int cable_tc_set(struct cable_tc *t, const struct tc_params *p, uint64_t sent)
{
	uint32_t *drop = NULL;

	if (p->loss_ppm > PPM_MAX || p->corrupt_ppm > PPM_MAX || p->corrupt_inner_ppm > PPM_MAX ||
	    p->duplicate_ppm > PPM_MAX || p->reorder_ppm > PPM_MAX ||
	    p->delay_ns > TC_DELAY_MAX_NS || p->jitter_ns > TC_DELAY_MAX_NS ||
	    p->n_drop > TC_DROP_LIST_MAX || (p->n_drop && !p->drop))
		return -EINVAL;
	for (uint32_t i = 0; i < p->n_drop; i++)
		if (!p->drop[i] || (i && p->drop[i] <= p->drop[i - 1]))
			return -EINVAL;
	if (p->n_drop) {
		drop = xcalloc(p->n_drop, sizeof(*drop));
		memcpy(drop, p->drop, p->n_drop * sizeof(*drop));
	}
	if (p->reorder_seed && p->reorder_seed != t->p.reorder_seed)
		tc_derive(&t->reorder, p->reorder_seed, "", "reorder");
	free(t->p.drop);
	t->p = *p;
	t->p.drop = drop;
	t->drop_next = 0;
	while (t->drop_next < p->n_drop && drop[t->drop_next] <= sent)
		t->drop_next++;
	return 0;
}

/* Uniform in [0, n). One draw, whatever n is: the low bias is below n / 2^64. */
static uint64_t tc_uniform(struct rng *r, uint64_t n)
{
	return (uint64_t)(((unsigned __int128)rng_u64(r) * n) >> 64);
}

/* Octets and place of the IPv4 packet in a frame: 0 where there is none. */
static uint32_t inner_packet(const struct hw_frame *f, uint32_t *at)
{
	uint32_t off = ETH_PREAMBLE_LEN + ETH_HLEN, room, tot;
	uint16_t type;

	if (f->len < off + 4 + IP4_HLEN + ETH_FCS_LEN)
		return 0;
	type = get_be16(f->data + off - 2);
	if (type == ETH_P_8021Q) {
		off += 4;
		type = get_be16(f->data + off - 2);
	}
	room = f->len - off - ETH_FCS_LEN;
	tot = get_be16(f->data + off + 2);
	if (type != ETH_P_IP || f->data[off] >> 4 != 4 || tot < IP4_HLEN)
		return 0;
	*at = off;
	return min_u32(tot, room);
}

/* The draws, in netem's order, one per configured use and frame. */
static void tc_draw(struct cable_tc *t, const struct hw_frame *f, struct cable_fate *fate,
		    bool *loss)
{
	const struct tc_params *p = &t->p;
	uint32_t octets, at = 0;
	uint64_t r;

	fate->duplicated = rng_chance(&t->duplicate, p->duplicate_ppm);
	*loss = rng_chance(&t->loss, p->loss_ppm);
	if (p->corrupt_ppm) {
		octets = f->len > ETH_PREAMBLE_LEN ? f->len - ETH_PREAMBLE_LEN : 0;
		fate->corrupted = rng_chance(&t->corrupt, p->corrupt_ppm) && octets;
		r = tc_uniform(&t->corrupt_bit, octets ? (uint64_t)octets * 8 : 1);
		fate->bit = (uint32_t)r;
	}
	if (p->corrupt_inner_ppm) {
		octets = inner_packet(f, &at);
		fate->inner = rng_chance(&t->inner, p->corrupt_inner_ppm) && octets;
		r = tc_uniform(&t->inner_bit, octets ? (uint64_t)octets * 8 : 1);
		fate->inner_bit = (uint32_t)r + (at - ETH_PREAMBLE_LEN) * 8;
	}
}

/* Through the rate limiter: false when its queue is full. *at becomes the time of leaving it. */
static bool tc_rate(struct cable_tc *t, uint32_t octets, uint64_t *at)
{
	uint64_t limit = t->p.limit_bytes ? t->p.limit_bytes : TC_LIMIT_DEFAULT;
	uint64_t cost, waiting;

	if (!t->p.rate_bps)
		return true;
	if (t->rate_free_ns > *at) {
		waiting = (uint64_t)((unsigned __int128)(t->rate_free_ns - *at) * t->p.rate_bps /
				     (8 * NSEC_PER_SEC));
		if (waiting + octets > limit)
			return false;
	} else {
		t->rate_free_ns = *at;
	}
	cost = (uint64_t)octets * 8 * NSEC_PER_SEC;
	t->rate_free_ns += (cost + t->p.rate_bps - 1) / t->p.rate_bps;
	*at = t->rate_free_ns;
	return true;
}

static uint64_t tc_delay(struct cable_tc *t)
{
	const struct tc_params *p = &t->p;
	uint64_t delay = p->delay_ns, draw;

	if (!delay && p->reorder_ppm)
		delay = p->reorder_gap_ns ? p->reorder_gap_ns : t->gap_ns;
	if (!p->jitter_ns)
		return delay;
	draw = tc_uniform(&t->jitter, 2 * p->jitter_ns + 1);
	delay += draw;
	return delay > p->jitter_ns ? delay - p->jitter_ns : 0;
}

static uint64_t tc_due(struct cable_tc *t, uint64_t at, uint64_t delay, bool reordered)
{
	uint64_t gap = t->p.reorder_gap_ns;

	if (reordered) {
		at += t->p.delay_ns && gap && gap < delay ? delay - gap : 0;
		return t->early_due_ns = max_u64(at, t->early_due_ns);
	}
	return t->late_due_ns = max_u64(at + delay, t->late_due_ns);
}

void cable_tc_apply(struct cable_tc *t, const struct hw_frame *f, uint64_t number, uint64_t at_ns,
		    struct cable_fate *fate)
{
	const struct tc_params *p = &t->p;
	uint32_t weight = f->len > HW_FRAME_OVERHEAD ? f->len - HW_FRAME_OVERHEAD : 1;
	uint64_t delay, leave;
	unsigned want;
	bool loss;

	memset(fate, 0, sizeof(*fate));
	tc_draw(t, f, fate, &loss);
	delay = tc_delay(t);
	fate->reordered = rng_chance(&t->reorder, p->reorder_ppm);
	if (t->drop_next < p->n_drop && p->drop[t->drop_next] == number) {
		t->drop_next++;
		fate->reason = DROP_HW_CABLE_DROP_LIST;
		return;
	}
	fate->lost_one = loss && fate->duplicated;
	want = 1u + fate->duplicated - loss;
	fate->reason = DROP_HW_CABLE_LOSS;
	while (fate->copies < want) {
		leave = at_ns;
		if (!tc_rate(t, weight, &leave)) {
			fate->reason = DROP_HW_CABLE_QUEUE;
			return;
		}
		fate->due_ns[fate->copies++] = tc_due(t, leave, delay, fate->reordered);
	}
}

struct hw_frame *cable_tc_damage(struct hw_frame *f, const struct cable_fate *fate)
{
	struct hw_frame *n;
	uint8_t *eth;

	if (!fate->corrupted && !fate->inner)
		return f;
	n = hw_frame_copy(f);
	hw_frame_put(f);
	eth = n->data + ETH_PREAMBLE_LEN;
	if (fate->inner) {
		eth[fate->inner_bit / 8] ^= (uint8_t)(1u << (fate->inner_bit % 8));
		hw_frame_seal(n, n->len - HW_FRAME_OVERHEAD);
	}
	if (fate->corrupted) {
		eth[fate->bit / 8] ^= (uint8_t)(1u << (fate->bit % 8));
		n->fcs_ok = false;
	}
	return n;
}

const char *cable_fate_words(const struct cable_fate *fate, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	if (!fate->copies)
		return fate->reason == DROP_HW_CABLE_DROP_LIST ? "lost (drop list)" :
		       fate->reason == DROP_HW_CABLE_QUEUE     ? "lost (queue full)" :
								 "lost";
	if (fate->inner && n < size)
		n += (size_t)snprintf(buf + n, size - n, ", corrupted inside, bit %u",
				      fate->inner_bit);
	if (fate->corrupted && n < size)
		n += (size_t)snprintf(buf + n, size - n, ", corrupted bit %u", fate->bit);
	if (fate->duplicated && n < size)
		n += (size_t)snprintf(buf + n, size - n, ", duplicated%s",
				      fate->copies < 2 ? ", one copy lost" : "");
	if (fate->reordered && n < size)
		n += (size_t)snprintf(buf + n, size - n, ", reordered");
	return n ? buf + 2 : buf;
}

/* What the resolver remembers of servers: round trip times, silence, whether they know EDNS.
 *
 * Decides how long to wait for an answer and when to leave a silent server alone (RFC 9520: twice
 * as long each time, at most a minute). Called by resolver_job.c and resolver_msg.c. Tests:
 * tests/unit/app/test_resolver.c. */
#include <stdlib.h>

#include "app/resolver_int.h"
#include "base/pool.h"

#define STRIKES_OUT RES_TRIES
#define DEAD_MIN_NS NSEC_PER_SEC
#define DEAD_MAX_SHIFT 6

void rinfra_init(struct rinfra_table *t)
{
	list_init(&t->lru);
}

static struct hlist_head *bucket_of(struct rinfra_table *t, uint32_t addr)
{
	return &t->bucket[(addr * 2654435761u) >> 24];
}

static void infra_drop(struct rinfra_table *t, struct rinfra *i)
{
	hlist_del_init(&i->node);
	list_del_init(&i->lru);
	t->n--;
	free(i);
}

void rinfra_free(struct rinfra_table *t)
{
	while (!list_empty(&t->lru))
		infra_drop(t, list_first_entry(&t->lru, struct rinfra, lru));
}

static void evict(struct rinfra_table *t)
{
	struct rinfra *i;

	list_for_each_entry(i, &t->lru, lru) {
		if (!i->inflight) {
			infra_drop(t, i);
			return;
		}
	}
}

struct rinfra *rinfra_get(struct rinfra_table *t, uint32_t addr)
{
	struct hlist_head *h = bucket_of(t, addr);
	struct rinfra *i;

	hlist_for_each_entry(i, h, node) {
		if (i->addr == addr) {
			list_del_init(&i->lru);
			list_add_tail(&i->lru, &t->lru);
			return i;
		}
	}
	if (t->n >= RES_INFRA_MAX)
		evict(t);
	i = xcalloc(1, sizeof(*i));
	i->addr = addr;
	hlist_add_head(&i->node, h);
	list_add_tail(&i->lru, &t->lru);
	t->n++;
	return i;
}

void rinfra_answered(struct rinfra *i, uint64_t rtt_ns)
{
	i->srtt_ns = i->srtt_ns ? (i->srtt_ns * 7 + rtt_ns) / 8 : rtt_ns;
	if (!i->srtt_ns)
		i->srtt_ns = 1;
	i->strikes = 0;
	i->dead_until_ns = 0;
}

void rinfra_timeout(struct rinfra *i, uint64_t now_ns)
{
	i->strikes++;
	if (i->strikes >= STRIKES_OUT)
		i->dead_until_ns =
		    now_ns + (DEAD_MIN_NS << min_u32(i->strikes - STRIKES_OUT, DEAD_MAX_SHIFT));
}

uint64_t rinfra_rto(const struct rinfra *i, unsigned tries)
{
	uint64_t rto = i->srtt_ns ? max_u64(i->srtt_ns * 4, RES_RTO_NS / 2) : RES_RTO_NS;

	return min_u64(rto << min_u32(tries, 4), RES_RTO_MAX_NS);
}

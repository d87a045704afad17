/* What is remembered about single addresses: how many ICMP errors and redirects they got lately.
 *
 * Bounded: INET_PEER_MAX, the one unused longest goes first (a flood of sources costs others their history, never
 * memory). Called by icmp_send.c, route_cache.c. RFC 1812 4.3.2.8. Tests: tests/unit/ipv4/test_icmp.c (ICMP-08). */
#include <stdlib.h>
#include "ipv4/netns_ipv4.h"

/* Tokens that may be saved up, in units of the pause between two (Linux: XRLIM_BURST_FACTOR). */
#define XRLIM_BURST 6

struct inet_peer *inet_getpeer(struct net *net, uint32_t addr)
{
	struct peer_state *s = &net->ipv4->peers;
	struct hlist_head *h;
	struct inet_peer *p;

	if (!s->buckets)
		s->buckets = xcalloc(INET_PEER_HASH, sizeof(*s->buckets));
	h = &s->buckets[hash_words(net->hash_key, addr, 1) % INET_PEER_HASH];
	hlist_for_each_entry(p, h, hash) {
		if (p->addr == addr)
			goto found;
	}
	if (s->n >= INET_PEER_MAX) {
		p = list_first_entry(&s->lru, struct inet_peer, lru);
		hlist_del_init(&p->hash);
		list_del_init(&p->lru);
		memset(p, 0, sizeof(*p));
	} else {
		p = xcalloc(1, sizeof(*p));
		s->n++;
	}
	p->addr = addr;
	hlist_add_head(&p->hash, h);
	list_add_tail(&p->lru, &s->lru);
	return p;
found:
	list_del_init(&p->lru);
	list_add_tail(&p->lru, &s->lru);
	return p;
}

void inet_peer_exit(struct net *net)
{
	struct peer_state *s = &net->ipv4->peers;
	struct inet_peer *p, *tmp;

	list_for_each_entry_safe(p, tmp, &s->lru, lru)
		free(p);
	free(s->buckets);
}

/* One message every timeout_ns, and up to XRLIM_BURST at once after a silence. */
bool inet_peer_xrlim_allow(struct net *net, struct inet_peer *peer, uint64_t timeout_ns)
{
	uint64_t max = XRLIM_BURST * timeout_ns;

	if (!peer->rate_last_ns)
		peer->rate_tokens_ns = max;
	else
		peer->rate_tokens_ns = min_u64(max, peer->rate_tokens_ns + (net->now_ns - peer->rate_last_ns));
	peer->rate_last_ns = net->now_ns ? net->now_ns : 1;
	if (peer->rate_tokens_ns < timeout_ns)
		return false;
	peer->rate_tokens_ns -= timeout_ns;
	return true;
}

bool token_bucket_take(struct token_bucket *b, uint64_t now_ns, uint32_t rate, uint32_t burst, uint32_t cost)
{
	uint64_t max = (uint64_t)burst * 1000, dt_us = (now_ns - b->stamp_ns) / NSEC_PER_USEC;

	if (!b->stamp_ns) {
		b->credit = max;
		b->stamp_ns = now_ns ? now_ns : 1;
	} else if (dt_us) {
		/* credit in thousandths of a token: rate / 1000 of them each microsecond */
		b->credit = min_u64(max, b->credit + min_u64(dt_us, 1000 * NSEC_PER_MSEC) * rate / 1000);
		b->stamp_ns += dt_us * NSEC_PER_USEC;
	}
	if (b->credit < (uint64_t)cost * 1000)
		return false;
	b->credit -= (uint64_t)cost * 1000;
	return true;
}

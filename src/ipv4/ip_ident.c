/* Which identification does a datagram get? (RFC 6864)
 *
 * Atomic ones (DF set, no fragment) may have any: a connected socket counts its own, others send 0. Those that may
 * be fragmented must not come back within a datagram's life, per (source, destination, protocol), and must not tell
 * a stranger how much we send to others (RFC 7739, CVE-2020-36516): a counter out of a keyed hash's bucket, moved
 * on by a random step that grows with the time since its last use, seen through an offset that is keyed too.
 * Called by ip_output.c, ip_append.c, raw.c. Tests: tests/unit/ipv4/test_sockopt.c (IP4-20). */
#include "ipv4/netns_ipv4.h"

/* Random step at most: 65536 / 8 ids must be enough for a bucket's flows within a datagram's life. */
#define IDENT_STEP_MAX 8u

static uint16_t ident_flow(struct net *net, const struct ip4_hdr *h, unsigned segs)
{
	struct netns_ipv4 *ip = net->ipv4;
	uint8_t key[9];
	uint64_t hash;
	uint32_t now_ms = (uint32_t)(net->now_ns / NSEC_PER_MSEC), idle, b;
	uint16_t id;

	memcpy(key, h->saddr, 4);
	memcpy(key + 4, h->daddr, 4);
	key[8] = h->protocol;
	hash = siphash(ip->ident_key, key, sizeof(key));
	b = (uint32_t)hash % IP_IDENTS;
	idle = now_ms - ip->ident_stamp_ms[b];
	ip->ident_stamp_ms[b] = now_ms;
	if (idle)
		ip->idents[b] = (uint16_t)(ip->idents[b] + rng_below(&net->rng_misc, min_u32(idle, IDENT_STEP_MAX)));
	id = (uint16_t)(ip->idents[b] + (uint32_t)(hash >> 32));
	ip->idents[b] = (uint16_t)(ip->idents[b] + segs);
	return id;
}

uint16_t ip_select_ident(struct net *net, const struct ip4_hdr *h, struct sock *sk, unsigned segs)
{
	if (ip4_frag(h) & IP_DF) {
		struct inet_sock *inet = sk ? inet_sk(sk) : NULL;
		uint16_t id;

		if (!inet || !inet->daddr)
			return 0;
		id = inet->inet_id;
		inet->inet_id = (uint16_t)(inet->inet_id + segs);
		return id;
	}
	return ident_flow(net, h, segs);
}

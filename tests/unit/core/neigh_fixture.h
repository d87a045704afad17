/* A neighbour table whose protocol the test plays: it counts solicitations and answers when told to. */
#ifndef TESTS_NEIGH_FIXTURE_H
#define TESTS_NEIGH_FIXTURE_H

#include <errno.h>
#include <linux/rtnetlink.h>
#include "room_fixture.h"

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

struct nfx {
	struct fx *f;
	struct neigh_table tbl;
	struct tdev *d;
	uint64_t asked_at[64];
	bool asked_broadcast[64];
	unsigned asked, reported;
};

/* The table is embedded, so its owner can be found from an entry. */
static inline struct nfx *nfx_of(struct neighbour *n)
{
	return container_of(n->tbl, struct nfx, tbl);
}

static inline void nfx_solicit(struct neighbour *n, struct sk_buff *skb)
{
	struct nfx *x = nfx_of(n);

	if (x->asked < ARRAY_SIZE(x->asked_at)) {
		x->asked_at[x->asked] = n->tbl->net->now_ns;
		/* as ARP tells them apart */
		x->asked_broadcast[x->asked] = n->probes >= n->tbl->parms.ucast_probes;
	}
	x->asked++;
}

static inline void nfx_report(struct neighbour *n, struct sk_buff *skb)
{
	nfx_of(n)->reported++;
	kfree_skb_reason(skb, DROP_NEIGH_FAILED);
}

static const struct neigh_ops nfx_ops = { nfx_solicit, nfx_report, neigh_resolve_output, neigh_connected_output };

/* What ARP's constructor does (S1-32, S1-38). */
static inline int nfx_constructor(struct neighbour *n)
{
	TRACE_FN_AS(&n->tbl->net->probe, "arp_constructor", 0);

	if (n->primary_key == 0xdeadbeef)
		return -EINVAL;
	/* nobody can find it yet (S1-34) */
	assert_null(neigh_lookup_noref(n->tbl, n->primary_key, n->dev));
	n->ops = &nfx_ops;
	if (ip4_is_multicast(n->primary_key)) {
		static const uint8_t m[3] = { 1, 0, 0x5e };

		n->type = RTN_MULTICAST;
		n->nud_state = NUD_NOARP;
		memcpy(n->ha, m, 3);
		n->ha[3] = n->primary_key >> 16 & 0x7f;
		n->ha[4] = (uint8_t)(n->primary_key >> 8);
		n->ha[5] = (uint8_t)n->primary_key;
	} else if (n->dev->flags & (DEVF_NOARP | DEVF_LOOPBACK)) {
		n->nud_state = NUD_NOARP;
		memcpy(n->ha, n->dev->dev_addr, ETH_ALEN);
	}
	n->output = n->nud_state & NUD_VALID ? n->ops->connected_output : n->ops->output;
	return 0;
}

static inline struct nfx *nfx_new(void)
{
	struct nfx *x = calloc(1, sizeof(*x));

	x->f = fx_rooms(NULL);
	x->tbl.id = "arp_cache";
	x->tbl.constructor = nfx_constructor;
	neigh_table_init(x->f->net, &x->tbl);
	x->d = tdev_new(x->f->net, "eth0");
	assert_int_equal(dev_open(x->d->dev), 0);
	netif_carrier_on(x->d->dev);
	return x;
}

static inline void nfx_end(struct nfx *x)
{
	neigh_table_clear(&x->tbl);
	fx_free(x->f);
	free(x);
}

static inline struct sk_buff *nfx_packet(struct nfx *x, uint32_t len)
{
	struct sk_buff *skb = alloc_skb(x->f->net, NET_SKB_PAD + len);

	skb_reserve(skb, NET_SKB_PAD);
	memset(skb_put(skb, len), 0x45, len);
	skb->protocol = ETH_P_IP;
	skb->dev = x->d->dev;
	return skb;
}

static inline struct neighbour *nfx_get(struct nfx *x, uint32_t key)
{
	struct neighbour *n = neigh_lookup_noref(&x->tbl, key, x->d->dev);

	return n ? n : __neigh_create(&x->tbl, key, x->d->dev, false);
}

/* As ip_finish_output2: look up or create, then send. */
static inline int nfx_send(struct nfx *x, uint32_t key)
{
	struct neighbour *n = nfx_get(x, key);

	assert_non_null(n);
	return neigh_output(n, nfx_packet(x, 40));
}

static inline uint8_t nfx_state(struct nfx *x, uint32_t key)
{
	struct neighbour *n = neigh_lookup_noref(&x->tbl, key, x->d->dev);

	return n ? n->nud_state : 0xff;
}

static inline void nfx_reply(struct nfx *x, uint32_t key, uint8_t last)
{
	const uint8_t mac[6] = { 2, 0, 0, 0, 1, last };
	struct neighbour *n = neigh_lookup_noref(&x->tbl, key, x->d->dev);

	assert_int_equal(neigh_update(n, mac, NUD_REACHABLE, NEIGH_UPDATE_F_OVERRIDE), 0);
}

static inline void nfx_run(struct nfx *x, uint64_t ns)
{
	fx_run_until(x->f, x->f->net->now_ns + ns);
}

static inline void nfx_forget_sent(struct nfx *x)
{
	struct sk_buff *skb;

	net_run(x->f->net);
	while ((skb = skb_dequeue(&x->d->sent)) != NULL)
		consume_skb(skb);
}

#endif

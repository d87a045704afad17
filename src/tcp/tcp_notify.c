/* What a sender is told later, on the error queue: MSG_ZEROCOPY calls that are done, and when bytes were acknowledged
 * (SO_TIMESTAMPING; the packet scheduler and the device report for themselves, core/dev_tx.c).
 *
 * A zero-copy call is done when its last byte is acknowledged, or will never be. Calls whose bytes share a segment are
 * done together. A timestamp belongs to the last byte of a send(): its segment carries the sequence number (tskey), and
 * keeps it when segments are cut. Called by tcp_sendmsg.c, tcp_ack.c, tcp_output.c.
 * Tests: tests/unit/tcp/test_tcp_errqueue.c. */
#include <linux/net_tstamp.h>
#include "tcp/tcp_info.h"
#include "tcp/tcp_int.h"

#define ZC_COST 768u /* of net.core.optmem_max for each call that is not done yet, as much as Linux takes */

/* ---- MSG_ZEROCOPY ---- */

/* May one more call be under way? 0 or -ENOBUFS. */
int tcp_zc_room(struct sock *sk)
{
	return (uint64_t)(tcp_rare(sk)->zc_pending + 1) * ZC_COST <= sk->net->socks->optmem_max ? 0 : -ENOBUFS;
}

/* One call's bytes are in the queue: from..end; joined: its first byte went into a segment that had bytes already. */
void tcp_zc_add(struct sock *sk, uint32_t from, uint32_t end, bool joined)
{
	struct tcp_rare *r = tcp_rare(sk);
	struct tcp_zc *z = list_empty(&r->zc) ? NULL : list_entry(r->zc.prev, struct tcp_zc, list);

	if (joined && z && z->end_seq == from) {
		z->hi = r->zc_key++;
		z->end_seq = end;
		return;
	}
	z = pool_get(&tcp_net(sk)->zc_pool);
	z->seq = from;
	z->end_seq = end;
	z->lo = z->hi = r->zc_key++;
	list_add_tail(&z->list, &r->zc);
	r->zc_pending++;
}

static void zc_done(struct sock *sk, struct tcp_zc *z, bool copied)
{
	sock_zerocopy_done(sk, z->lo, z->hi, copied);
	list_del_init(&z->list);
	tcp_sk(sk)->rare->zc_pending--;
	pool_put(&tcp_net(sk)->zc_pool, z);
}

void tcp_zc_acked_(struct sock *sk)
{
	struct tcp_rare *r = tcp_sk(sk)->rare;

	while (!list_empty(&r->zc)) {
		struct tcp_zc *z = list_first_entry(&r->zc, struct tcp_zc, list);

		if (after(z->end_seq, tcp_sk(sk)->snd_una))
			break;
		zc_done(sk, z, true);
	}
}

void tcp_zc_purge(struct sock *sk)
{
	struct tcp_rare *r = tcp_sk(sk)->rare;
	struct tcp_zc *z, *next;

	if (likely(!r) || list_empty(&r->zc))
		return;
	/* the write queue goes first: of what never left the program's memory was not copied */
	list_for_each_entry_safe(z, next, &r->zc, list)
		if (!before(z->seq, tcp_sk(sk)->snd_nxt))
			zc_done(sk, z, false);
	while (!list_empty(&r->zc))
		zc_done(sk, list_first_entry(&r->zc, struct tcp_zc, list), true);
}

/* ---- SO_TIMESTAMPING ---- */

void tcp_tx_timestamp(struct sock *sk, struct sk_buff *skb, uint32_t tsflags)
{
	struct skb_shared *sh = skb_shinfo(skb);

	if (!(tsflags & SOF_TIMESTAMPING_TX_RECORD_MASK) || !skb->len)
		return;
	sh->tx_flags |= sock_tx_flags(tsflags) & 7u;
	if (tsflags & SOF_TIMESTAMPING_TX_ACK)
		TCP_SKB_CB(skb)->txstamp_ack = 1;
	sh->tskey = TCP_SKB_CB(skb)->seq + skb->len - 1;
}

/* skb is (in part) acknowledged. */
void tcp_ack_tstamp(struct sock *sk, const struct sk_buff *skb, uint32_t prior_una)
{
	uint32_t key = skb_shinfo(skb)->tskey;

	if (!before(key, prior_una) && before(key, tcp_sk(sk)->snd_una))
		sock_tx_timestamp(sk, skb, SCM_TSTAMP_ACK, key); /* what is left of its payload comes along, as on Linux */
}

/* rest was cut off skb: the mark goes with its byte. */
void tcp_fragment_tstamp(struct sk_buff *skb, struct sk_buff *rest)
{
	struct skb_shared *a = skb_shinfo(skb), *b = skb_shinfo(rest);

	if (likely(!a->tx_flags && !TCP_SKB_CB(skb)->txstamp_ack))
		return;
	if (before(a->tskey, TCP_SKB_CB(rest)->seq)) {
		TCP_SKB_CB(rest)->txstamp_ack = 0;
		return;
	}
	b->tx_flags = a->tx_flags;
	b->tskey = a->tskey;
	a->tx_flags = 0;
	TCP_SKB_CB(skb)->txstamp_ack = 0;
}

void tcp_collapse_tstamp(struct sk_buff *skb, struct sk_buff *next)
{
	struct skb_shared *a = skb_shinfo(skb), *b = skb_shinfo(next);

	if (likely(!b->tx_flags && !TCP_SKB_CB(next)->txstamp_ack))
		return;
	if (!before(b->tskey, TCP_SKB_CB(skb)->end_seq))
		return;
	a->tx_flags |= b->tx_flags;
	a->tskey = b->tskey;
	TCP_SKB_CB(skb)->txstamp_ack |= TCP_SKB_CB(next)->txstamp_ack;
	b->tx_flags = 0;
	TCP_SKB_CB(next)->txstamp_ack = 0;
}

/* From which byte OPT_ID counts. */
uint32_t tcp_tskey_start(const struct sock *sk, bool unsent) { return unsent ? tcp_sk(sk)->write_seq : tcp_sk(sk)->snd_una; }

/* ---- SOF_TIMESTAMPING_OPT_STATS: struct tcp_info's younger sister, as netlink attributes (linux/tcp.h) ---- */
enum {
	NLA_BUSY = 1, NLA_RWND_LIMITED, NLA_SNDBUF_LIMITED, NLA_DATA_SEGS_OUT, NLA_TOTAL_RETRANS, NLA_PACING_RATE,
	NLA_DELIVERY_RATE, NLA_SND_CWND, NLA_REORDERING, NLA_MIN_RTT, NLA_RECUR_RETRANS, NLA_DELIVERY_RATE_APP_LMT,
	NLA_SNDQ_SIZE, NLA_CA_STATE, NLA_SND_SSTHRESH, NLA_DELIVERED, NLA_DELIVERED_CE, NLA_BYTES_SENT, NLA_BYTES_RETRANS,
	NLA_DSACK_DUPS, NLA_REORD_SEEN, NLA_SRTT, NLA_TIMEOUT_REHASH, NLA_BYTES_NOTSENT
};
#define STATS_ROOM 320u

static void put_attr(struct sk_buff *skb, uint16_t type, const void *v, uint16_t len)
{
	uint16_t h[2] = { (uint16_t)(4 + len), type };
	uint8_t *p = skb_put(skb, 4u + ((len + 3u) & ~3u));

	memset(p, 0, 4u + ((len + 3u) & ~3u));
	memcpy(p, h, 4);
	memcpy(p + 4, v, len);
}
static void put_u64(struct sk_buff *skb, uint16_t type, uint64_t v) { put_attr(skb, type, &v, 8); }
static void put_u32(struct sk_buff *skb, uint16_t type, uint32_t v) { put_attr(skb, type, &v, 4); }
static void put_u8(struct sk_buff *skb, uint16_t type, uint8_t v) { put_attr(skb, type, &v, 1); }

struct sk_buff *tcp_tstamp_stats(struct sock *sk)
{
	struct sk_buff *skb = alloc_skb(sk->net, STATS_ROOM);
	struct tcp_info_full ti;
	uint16_t rehash;

	if (!skb)
		return NULL;
	tcp_get_info(sk, &ti);
	rehash = (uint16_t)ti.rehash;
	put_u64(skb, NLA_BUSY, ti.busy_time);
	put_u64(skb, NLA_RWND_LIMITED, ti.rwnd_limited);
	put_u64(skb, NLA_SNDBUF_LIMITED, ti.sndbuf_limited);
	put_u64(skb, NLA_DATA_SEGS_OUT, ti.data_segs_out);
	put_u64(skb, NLA_TOTAL_RETRANS, ti.total_retrans);
	put_u64(skb, NLA_PACING_RATE, ti.pacing_rate);
	put_u64(skb, NLA_DELIVERY_RATE, ti.delivery_rate);
	put_u32(skb, NLA_SND_CWND, ti.snd_cwnd);
	put_u32(skb, NLA_REORDERING, ti.reordering);
	put_u32(skb, NLA_MIN_RTT, ti.min_rtt);
	put_u8(skb, NLA_RECUR_RETRANS, ti.retransmits);
	put_u8(skb, NLA_DELIVERY_RATE_APP_LMT, ti.app_limited);
	put_u32(skb, NLA_SND_SSTHRESH, ti.snd_ssthresh);
	put_u32(skb, NLA_DELIVERED, ti.delivered);
	put_u32(skb, NLA_DELIVERED_CE, ti.delivered_ce);
	put_u32(skb, NLA_SNDQ_SIZE, tcp_sk(sk)->write_seq - tcp_sk(sk)->snd_una);
	put_u8(skb, NLA_CA_STATE, ti.ca_state);
	put_u64(skb, NLA_BYTES_SENT, ti.bytes_sent);
	put_u64(skb, NLA_BYTES_RETRANS, ti.bytes_retrans);
	put_u32(skb, NLA_DSACK_DUPS, ti.dsack_dups);
	put_u32(skb, NLA_REORD_SEEN, ti.reord_seen);
	put_u32(skb, NLA_SRTT, tcp_sk(sk)->srtt_us >> 3);
	put_attr(skb, NLA_TIMEOUT_REHASH, &rehash, 2);
	put_u32(skb, NLA_BYTES_NOTSENT, ti.notsent_bytes);
	return skb;
}

/* TCP's part of receive coalescing: does this segment continue that one?
 *
 * Decides: two segments become one when the second begins where the first ends, all of the first's pieces have one
 * size (only the last may be shorter), and the receiver would learn nothing more from two headers: same acknowledgment,
 * window, options to the last octet (timestamps too) and flags. PSH and FIN may come with the last; each ends the
 * merging, and so do URG, RST, SYN and a short segment. CWR never comes in a merged segment (RFC 3168: it
 * is said once; AccECN counts it), the AE bit is a flag like others. Called by ipv4/ip_offload.c; hands on to skb_gro_receive. RFC 9293 knows nothing of this, but
 * MUST-58 and MUST-59 hold: a receiver counts in segments by gso_size (measure_rcv_mss in tcp_rcvq.c), and acknowledges
 * once more than one full segment is there. Tests: tests/unit/ipv4/test_gro.c. */
#include "core/gro.h"
#include "tcp/tcp.h"
#include "tcp/tcp_offload.h"

#define GRO_ENDS (TCP_URG | TCP_PSH | TCP_RST | TCP_SYN | TCP_FIN)

static bool gro_same_header(const struct tcp_hdr *a, const struct tcp_hdr *b)
{
	return a->off_res == b->off_res && !((a->flags ^ b->flags) & (uint8_t)~(TCP_FIN | TCP_PSH)) && !(a->flags & TCP_CWR) &&
	       !memcmp(a->ack_seq, b->ack_seq, sizeof(a->ack_seq)) &&
	       !memcmp(a->window, b->window, sizeof(a->window)) &&
	       !memcmp(a + 1, b + 1, tcp_hdrlen(a) - TCP_HLEN);
}

/* The next octets of what p holds, in a segment no longer than its first? */
static bool gro_continues(const struct sk_buff *p, const struct sk_buff *skb, const struct tcp_hdr *th)
{
	const struct tcp_hdr *th2 = (const struct tcp_hdr *)(const void *)skb_transport_header(p);
	uint32_t len = skb_gro_len(skb);

	return gro_same_header(th, th2) && len && len <= skb_shinfo(p)->gso_size &&
	       get_be32(th2->seq) + skb_gro_len(p) == get_be32(th->seq);
}

struct sk_buff *tcp_gro_receive(struct sk_buff *p, struct sk_buff *skb, bool same_network)
{
	const struct tcp_hdr *th = (const struct tcp_hdr *)(const void *)skb_transport_header(skb);
	uint32_t len = skb_gro_len(skb), mss = 1;
	bool ends;
	TRACE_FN(&skb->net->probe, skb->serial);

	if (p && same_network && gro_continues(p, skb, th) && !skb_gro_receive(p, skb)) {
		((struct tcp_hdr *)(void *)skb_transport_header(p))->flags |= th->flags & (TCP_FIN | TCP_PSH);
		mss = skb_shinfo(p)->gso_size;
	}
	ends = len < mss || (th->flags & GRO_ENDS);
	NAPI_GRO_CB(skb)->flush |= ends;
	return p && (ends || !NAPI_GRO_CB(skb)->same_flow) ? p : NULL;
}

/* What a train of our own would say: skb_gso_segment and the readers of gso_size know it by that. */
void tcp_gro_complete(struct sk_buff *skb)
{
	struct skb_shared *sh = skb_shinfo(skb);
	TRACE_FN(&skb->net->probe, skb->serial);

	skb->csum_start = skb->transport_header;
	skb->csum_offset = offsetof(struct tcp_hdr, check);
	skb->ip_summed = CHECKSUM_PARTIAL;
	sh->gso_segs = NAPI_GRO_CB(skb)->count;
	sh->gso_type = SKB_GSO_TCPV4;
	sh->gso_fixedid = NAPI_GRO_CB(skb)->fixed_id;
}

/* From a segment's control block to octets for the network layer: window, options, header; and what decides
 * segment sizes (RFC 9293 3.7.1, RFC 6691, RFC 1191).
 *
 * Called by tcp_xmit.c (data, retransmissions, probes) and tcp_input.c (ACKs); hands on to af_ops->queue_xmit.
 * The header is written into the headroom of a clone; the original's data pointer does not move.
 * Tests: tests/unit/tcp, test_tcp_parse.c. */
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_auth.h"
#include "tcp/tcp_int.h"

/* ---- receive window ---- */
uint32_t tcp_win_from_space(const struct sock *sk, uint32_t space)
{
	return (uint32_t)(((uint64_t)space * tcp_sk(sk)->scaling_ratio) >> 8);
}
uint32_t tcp_space_from_win(const struct sock *sk, uint32_t win)
{
	return (uint32_t)min_u64(((uint64_t)win << 8) / max_u32(tcp_sk(sk)->scaling_ratio, 1), 0x7fffffff);
}
int32_t tcp_space(const struct sock *sk)
{
	int32_t left = sk->rcvbuf - sk->rmem_alloc;

	return left <= 0 ? 0 : (int32_t)tcp_win_from_space(sk, (uint32_t)left);
}
uint32_t tcp_full_space(const struct sock *sk) { return tcp_win_from_space(sk, (uint32_t)sk->rcvbuf); }

/* What the first SYN may offer, and the scale that the largest later buffer will need (RFC 7323 2). */
void tcp_select_initial_window(const struct sock *sk, uint32_t space, uint32_t mss, uint32_t *rcv_wnd,
			       uint32_t *window_clamp, bool wscale_ok, uint8_t *rcv_wscale, uint32_t init_rcv_wnd)
{
	const struct tcp_sysctl *s = tcp_sysctl(sk);
	uint32_t rmem_max = sk->net->socks ? sk->net->socks->rmem_max : SOCK_RCVBUF_DEFAULT;

	if (*window_clamp == 0)
		*window_clamp = 65535u << TCP_MAX_WSCALE;
	space = min_u32(*window_clamp, space);
	if (space > mss && mss)
		space -= space % mss;
	*rcv_wnd = s->workaround_signed_windows ? min_u32(space, 32767) : space;
	*rcv_wscale = 0;
	if (wscale_ok) {
		uint32_t top = max_u32(max_u32(space, (uint32_t)s->rmem[2]), rmem_max);

		top = min_u32(top, *window_clamp);
		while (top > 65535 && *rcv_wscale < TCP_MAX_WSCALE) {
			top >>= 1;
			(*rcv_wscale)++;
		}
	}
	if (init_rcv_wnd) /* the route's, in segments */
		*rcv_wnd = (uint32_t)min_u64(*rcv_wnd, (uint64_t)init_rcv_wnd * mss);
	*window_clamp = min_u32(65535u << *rcv_wscale, *window_clamp);
}

/* net.ipv4.tcp_shrink_window, with a scale: the window is what fits the buffer, whatever was offered before (RFC 7323 2.4 knows
 * cases; a sender must bear it, RFC 9293 3.8.6). */
static bool may_shrink(const struct sock *sk) { return unlikely(tcp_sysctl(sk)->shrink_window) && tcp_sk(sk)->rx_opt.rcv_wscale; }

/* The window that the buffer allows now. Receiver's silly window avoidance (MUST-39): grow only by an MSS or half
 * the buffer, close altogether below a sixteenth of it. */
uint32_t __tcp_select_window(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t mss = inet_csk(sk)->rcv_mss, allowed = tcp_full_space(sk), window;
	uint32_t full = min_u32(tp->window_clamp, allowed), free_space = (uint32_t)tcp_space(sk);
	uint32_t scale = tp->rx_opt.rcv_wscale;

	if (mss > full)
		mss = full;
	if (!mss)
		return 0;
	if (free_space < full >> 1) {
		inet_csk(sk)->quick = 0;
		if (tcp_under_memory_pressure(sk))
			tp->rcv_ssthresh = min_u32(tp->rcv_ssthresh, 4u * tp->advmss);
		free_space &= ~((1u << scale) - 1);
		if (free_space < allowed >> 4 || free_space < mss)
			return 0;
	}
	if (may_shrink(sk) && free_space <= tp->rcv_ssthresh)
		return free_space & ~((1u << scale) - 1);
	free_space = min_u32(free_space, tp->rcv_ssthresh);
	if (scale) {
		window = (free_space + (1u << scale) - 1) & ~((1u << scale) - 1);
	} else {
		window = tp->rcv_wnd;
		if ((uint64_t)window + mss <= free_space || window > free_space)
			window = free_space - free_space % mss;
		else if (mss == full && free_space > window + (full >> 1))
			window = free_space;
	}
	return window;
}

/* Never takes back what was offered (SHLD-14), but when memory is gone: a peer that probes a closed window waits for
 * ever (MUST-37), one whose segments vanish inside an open one gives up. */
static uint16_t tcp_select_window(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t old = tp->rcv_wnd, cur = tcp_receive_window(tp), win = __tcp_select_window(sk);
	uint32_t scale = tp->rx_opt.rcv_wscale;

	if (unlikely(inet_csk(sk)->ack_pending & ICSK_ACK_NOMEM))
		cur = win = 0;
	if (win < cur) {
		if (win == 0)
			TCPEXT_INC(sk->net, TCPWantZeroWindowAdv);
		if (!may_shrink(sk))
			win = (cur + (1u << scale) - 1) & ~((1u << scale) - 1);
	}
	tp->rcv_wnd = win;
	tp->rcv_wup = tp->rcv_nxt;
	if (!scale && tcp_sysctl(sk)->workaround_signed_windows)
		win = min_u32(win, 32767);
	else
		win = min_u32(win, 65535u << scale);
	win >>= scale;
	if (!win) {
		tp->pred_flags = 0;
		if (old)
			TCPEXT_INC(sk->net, TCPToZeroWindowAdv);
	} else if (!old) {
		TCPEXT_INC(sk->net, TCPFromZeroWindowAdv);
	}
	return (uint16_t)win;
}

/* ---- options ---- */
/* key: NULL, or what the segment is to be signed with. */
static void set_key(struct tcp_out_options *o, const struct tcp_key *key)
{
	if (!tcp_key_room(key))
		return;
	o->options |= OPTION_AUTH;
	o->key = key;
}

static void sack_blocks(const struct tcp_sock *tp, unsigned n, struct tcp_out_options *o)
{
	unsigned dsack = tp->rx_opt.dsack;

	for (unsigned i = 0; i < n; i++)
		o->sacks[i] = dsack && i == 0 ? tp->sack->duplicate_sack[0] : tp->sack->selective_acks[i - dsack];
}

static void established_options(struct sock *sk, struct tcp_out_options *o, const struct tcp_key *key)
{
	struct tcp_sock *tp = tcp_sk(sk);
	unsigned n, room = 40 - tcp_key_room(key);

	set_key(o, key);
	if (tp->rx_opt.tstamp_ok) {
		o->options |= OPTION_TS;
		o->tsval = (uint32_t)(sk->net->now_ns / NSEC_PER_MSEC) + tp->tsoffset;
		o->tsecr = tp->rx_opt.ts_recent;
		room -= 12;
	}
	n = tp->rx_opt.num_sacks + tp->rx_opt.dsack;
	if (unlikely(n && tp->sack && room >= 4 + 8)) {
		n = min_u32(n, (room - 4) / 8);
		o->num_sack_blocks = (uint8_t)n;
		room -= 4 + 8 * n;
	}
	if (unlikely(tp->ecn_flags & TCP_ECN_ACCECN) && tcp_accecn_option_wanted(sk)) {
		tcp_accecn_fit(o, tp->accecn->opt_minlen, room, o->num_sack_blocks ? 2 : 0);
		tcp_accecn_counters(tp->accecn, o->ecn_bytes);
	}
	if (unlikely(o->num_sack_blocks))
		sack_blocks(tp, o->num_sack_blocks, o);
}

static void syn_options(struct sock *sk, const struct sk_buff *skb, struct tcp_out_options *o, const struct tcp_key *key)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_sysctl *s = tcp_sysctl(sk);
	bool synack = (TCP_SKB_CB(skb)->tcp_flags & TCP_ACK) != 0;

	o->options = OPTION_MSS;
	o->num_sack_blocks = 0;
	o->mss = tp->advmss;
	if (sk->dst_cache && dst_advmss(sk->dst_cache) < o->mss) /* the path's MTU fell meanwhile */
		o->mss = tp->advmss = (uint16_t)dst_advmss(sk->dst_cache);
	set_key(o, key);
	if (!(o->options & OPTION_AUTH) && (synack ? tp->rx_opt.tstamp_ok : s->timestamps != 0)) { /* no room for both, and SACK is worth more */
		o->options |= OPTION_TS;
		o->tsval = (uint32_t)(sk->net->now_ns / NSEC_PER_MSEC) + tp->tsoffset;
		o->tsecr = tp->rx_opt.ts_recent;
	}
	if (synack ? tp->rx_opt.wscale_ok : s->window_scaling != 0) {
		o->options |= OPTION_WSCALE;
		o->ws = tp->rx_opt.rcv_wscale;
	}
	if (synack ? tp->rx_opt.sack_ok : s->sack != 0)
		o->options |= OPTION_SACK_ADVERTISE;
	if (unlikely(synack && (tp->ecn_flags & TCP_ECN_ACCECN) && !tp->total_retrans && s->ecn_option)) {
		tcp_accecn_counters(NULL, o->ecn_bytes);
		tcp_accecn_fit(o, 0, 40 - tcp_options_size(o), tcp_accecn_spare(o));
	}
	if (tp->rare && tp->rare->fo_option) {
		tp->rare->fo_option = false; /* not in a repetition (RFC 7413 4.2.1) */
		tcp_option_fastopen(o, &tp->rare->fo_cookie);
	}
}

/* ---- one segment down ---- */
static void tcp_wfree(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;

	sk->wmem_alloc -= (int32_t)skb->truesize;
	if (unlikely(tcp_sk(sk)->tsq_throttled) && sk->state != TCP_CLOSE) {
		tcp_sk(sk)->tsq_throttled = 0;
		if (tcp_send_head(sk) || tcp_sk(sk)->fl->lost_out)
			tcp_xmit_at(sk, sk->net->now_ns);
	}
	sock_put(sk);
}

static void tcp_set_owner_w(struct sk_buff *skb, struct sock *sk)
{
	skb->sk = sock_hold(sk);
	skb->destructor = tcp_wfree;
	sk->wmem_alloc += (int32_t)skb->truesize;
}

static void event_ack_sent(struct sock *sk, uint32_t rcv_nxt)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	/* only one that was owed uses up a quick one: not a challenge, a duplicate, or a window that a reader opened */
	if ((icsk->ack_pending & ICSK_ACK_SCHED) && icsk->quick && --icsk->quick == 0)
		icsk->ato_us = TCP_ATO_MIN_US;
	icsk->ack_pending = 0;
	icsk->delack_deadline_ns = TIME_NEVER;
	tcp_comp_sack_sent(sk);
}

static void event_data_sent(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t now = tcp_time_ms(sk);

	if (tcp_packets_in_flight(tp) == 0 && icsk->ca_ops->cwnd_event)
		icsk->ca_ops->cwnd_event(sk, CA_EVENT_TX_START);
	tp->lsndtime_ms = now;
	/* a reply: this is a dialogue, ACKs may ride on data */
	if ((uint64_t)(uint32_t)(now - icsk->last_rcv_ms) * 1000 < icsk->ato_us && icsk->pingpong < 255)
		icsk->pingpong++;
}

static void ecn_send(struct sock *sk, const struct sk_buff *skb, uint16_t *flags, bool has_data)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct inet_sock *inet = &tp->icsk.inet;

	inet->tos &= (uint8_t)~3u;
	if (likely(!(tp->ecn_flags & TCP_ECN_ANY)))
		return;
	if (tp->ecn_flags & TCP_ECN_ACCECN) {
		*flags |= tcp_accecn_send(sk);
		return;
	}
	/* only new data is marked ECT (RFC 3168 6.1.5) */
	if (has_data && !before(TCP_SKB_CB(skb)->seq, tp->snd_nxt)) {
		inet->tos |= 2;
		if (tp->ecn_flags & TCP_ECN_QUEUE_CWR) {
			tp->ecn_flags &= (uint8_t)~TCP_ECN_QUEUE_CWR;
			*flags |= TCP_CWR;
		}
	}
	if (tp->ecn_flags & TCP_ECN_DEMAND_CWR)
		*flags |= TCP_ECE;
}

static void write_header(struct sock *sk, struct sk_buff *skb, const struct tcp_skb_cb *tcb, uint32_t hlen, uint16_t flags)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_hdr *th = (struct tcp_hdr *)(void *)skb_push(skb, hlen);
	uint16_t window;

	skb_reset_transport_header(skb);
	if (flags & TCP_SYN)
		window = (uint16_t)min_u32(tp->rcv_wnd, 65535); /* never scaled (RFC 7323 2.2) */
	else
		window = tcp_select_window(sk);
	put_be16(th->source, tp->icsk.inet.sport);
	put_be16(th->dest, tp->icsk.inet.dport);
	put_be32(th->seq, tcb->seq);
	put_be32(th->ack_seq, flags & TCP_ACK ? tp->rcv_nxt : 0);
	put_be16(th->window, window);
	put_be16(th->check, 0);
	put_be16(th->urg_ptr, 0);
	if (unlikely(tp->snd_up != tp->snd_una && before(tcb->seq, tp->snd_up))) {
		uint32_t off = tp->snd_up - tcb->seq;

		if (off < 0x10000) {
			put_be16(th->urg_ptr, (uint16_t)off);
			flags |= TCP_URG;
		} else if (after(tcb->seq + 0xffff, tp->snd_nxt)) {
			put_be16(th->urg_ptr, 0xffff);
			flags |= TCP_URG;
		}
	}
	put_be16((uint8_t *)th + offsetof(struct tcp_hdr, off_res), (uint16_t)(hlen << 10 | flags)); /* see csum_header */
}

/* A copy to send: a clone, unless an earlier clone still uses the data in front of which the header goes. */
static struct sk_buff *tcp_skb_for_xmit(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *c;

	if (unlikely(skb_cloned(skb))) {
		c = skb_copy_expand(skb, MAX_TCP_HEADER, 0);
		if (c)
			memcpy(c->cb, skb->cb, sizeof(c->cb));
	} else {
		/* only the payload of the original is looked at again: the clone's headers need no copy */
		skb_header_release(skb);
		c = skb_clone(skb);
	}
	if (c && (TCP_SKB_CB(skb)->sacked & TCPCB_EVER_RETRANS || skb->skb_mstamp_ns))
		skb_new_serial(c, skb->serial, "retransmit");
	return c;
}

static inline void set_train(const struct tcp_sock *tp, struct sk_buff *skb, const struct tcp_skb_cb *tcb, bool has_data)
{
	struct skb_shared *sh = skb_shinfo(skb);

	skb->tstamp_ns = tcp_departure_ns(&tp->icsk.inet.sk);
	if (tcb->gso_segs > 1 && has_data) {
		sh->gso_size = tcb->gso_size;
		sh->gso_segs = tcb->gso_segs;
		sh->gso_type = SKB_GSO_TCPV4;
		sh->gso_accecn = (tp->ecn_flags & TCP_ECN_ACCECN) != 0;
	} else if (sh->gso_size) {
		sh->gso_size = 0;
	}
}

/* What is counted of a segment that goes down: segs in one train, with so many octets of text, whose header has hlen. first: never sent
 * before. */
static inline void event_segment_sent(struct sock *sk, uint32_t segs, uint32_t text, uint32_t hlen, bool first)
{
	struct tcp_sock *tp = tcp_sk(sk);

	sk->net->mib.tcp.OutSegs += segs;
	tp->segs_out += segs;
	if (!text)
		return;
	event_data_sent(sk);
	tp->data_segs_out += segs;
	tp->bytes_sent += text;
	if (tcp_needs_pacing(sk))
		tcp_pacing_sent(sk, text + hlen);
	if (first)
		sk->net->mib.tcpext.TCPOrigDataSent += segs;
}

/* Consumes skb unless clone_it. 0, or a positive/negative number when the layers below did not take it. */
int __tcp_transmit_skb(struct sock *sk, struct sk_buff *skb, bool clone_it)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	struct tcp_out_options opts;
	struct sk_buff *orig = skb;
	struct tcp_key key, *kp = NULL;
	uint16_t flags = tcb->tcp_flags;
	uint8_t *mac;
	uint32_t hlen;
	bool has_data;
	int err;
	TRACE_FN(&sk->net->probe, skb->serial);

	if (clone_it) {
		skb = tcp_skb_for_xmit(sk, orig);
		if (unlikely(!skb))
			return -ENOBUFS;
		skb->ip_summed = tcb->has_csum ? CHECKSUM_COMPLETE : CHECKSUM_NONE;
	} else {
		skb->ip_summed = CHECKSUM_NONE;
	}
	opts.options = opts.num_sack_blocks = 0;
	if (unlikely(tp->has_auth))
		tcp_key_sk(sk, tcb->tcp_flags, tcb->seq, kp = &key);
	if (unlikely(flags & TCP_SYN)) {
		syn_options(sk, orig, &opts, kp);
		flags = tcp_accecn_syn_flags(sk, flags);
	} else {
		established_options(sk, &opts, kp);
	}
	hlen = TCP_HLEN + tcp_options_size(&opts);
	has_data = skb->len != 0;
	if (tcb->gso_segs > 1 && has_data) /* a train: its receiver need not wait for more of it */
		flags |= TCP_PSH;
	if (!(flags & TCP_SYN))
		ecn_send(sk, orig, &flags, has_data);
	tp->icsk.ack_pending &= (uint8_t)~ICSK_ACK_NOW;
	if (clone_it)
		tcp_set_owner_w(skb, sk);
	write_header(sk, skb, tcb, hlen, flags);
	mac = tcp_options_write(skb->data + TCP_HLEN, &opts);
	if (unlikely(mac))
		tcp_key_sign(kp, mac, tp->icsk.inet.saddr, tp->icsk.inet.daddr, skb->data, hlen, skb, hlen);
	if (unlikely(opts.options & OPTION_ACCECN) && !(flags & TCP_SYN))
		tcp_accecn_option_sent(sk, tp->rx_opt.dsack && opts.num_sack_blocks);
	if (unlikely(opts.num_sack_blocks))
		tp->rx_opt.dsack = 0; /* said once (RFC 2883 4) */
	set_train(tp, skb, tcb, has_data);
	tp->icsk.af_ops->send_check(sk, skb);
	if (flags & TCP_ACK)
		event_ack_sent(sk, tp->rcv_nxt);
	event_segment_sent(sk, max_u32(tcb->gso_segs, 1), skb->len - hlen, hlen, clone_it && orig->skb_mstamp_ns == 0);
	err = tp->icsk.af_ops->queue_xmit(sk, skb);
	if (unlikely(err > 0)) {
		tcp_enter_cwr(sk);
		if (err == NET_XMIT_CN)
			err = 0;
	}
	if (!err && clone_it)
		tcp_update_skb_after_send(sk, orig);
	return err;
}

void tcp_update_skb_after_send(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);

	skb->skb_mstamp_ns = sk->net->now_ns ? sk->net->now_ns : 1;
	tcp_rate_skb_sent(sk, skb);
	if (TCP_SKB_CB(skb)->tx.tsorted.next) {
		list_del_init(&TCP_SKB_CB(skb)->tx.tsorted);
		list_add_tail(&TCP_SKB_CB(skb)->tx.tsorted, &tp->fl->tsorted_sent);
	}
}

/* ---- segment size ---- */
static uint32_t bound_to_half_wnd(const struct tcp_sock *tp, uint32_t size)
{
	/* a peer with a tiny window gets half of it at a time, so that ACKs flow */
	uint32_t cutoff = tp->max_window > TCP_MSS_DEFAULT ? tp->max_window >> 1 : tp->max_window;

	return cutoff && size > cutoff ? max_u32(cutoff, 68u - 40u) : size;
}

uint32_t tcp_mtu_to_mss(const struct sock *sk, uint32_t pmtu)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	uint32_t head = (uint32_t)inet_csk(sk)->af_ops->net_header_len + TCP_HLEN, mss;

	mss = pmtu > head ? pmtu - head : 0;
	mss = min_u32(mss, tp->rx_opt.mss_clamp);
	mss = mss > inet_csk(sk)->ext_hdr_len ? mss - inet_csk(sk)->ext_hdr_len : 0;
	mss = max_u32(mss, (uint32_t)tcp_sysctl(sk)->min_snd_mss);
	return mss - (tp->tcp_header_len - TCP_HLEN);
}

uint32_t tcp_mss_to_mtu(const struct sock *sk, uint32_t mss)
{
	return mss + tcp_sk(sk)->tcp_header_len + inet_csk(sk)->ext_hdr_len + inet_csk(sk)->af_ops->net_header_len;
}

/* The path's MTU is pmtu: the MSS that follows (RFC 1191, RFC 9293 3.7.1). */
uint32_t tcp_sync_mss(struct sock *sk, uint32_t pmtu)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t mss = bound_to_half_wnd(tp, tcp_mtu_to_mss(sk, tcp_mtup_bound(sk, pmtu)));

	inet_csk(sk)->pmtu_cookie = pmtu;
	tp->mss_cache = mss;
	return mss;
}

uint32_t tcp_current_mss(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t mss = tp->mss_cache, hlen, room, n;

	if (sk->dst_cache) {
		uint32_t mtu = dst_mtu(sk->dst_cache);

		if (unlikely(mtu != inet_csk(sk)->pmtu_cookie))
			mss = tcp_sync_mss(sk, mtu);
	}
	hlen = TCP_HLEN + (tp->rx_opt.tstamp_ok ? 12u : 0u) + tcp_auth_room(sk);
	room = TCP_HLEN + 40 - hlen;
	n = (uint32_t)tp->rx_opt.num_sacks + tp->rx_opt.dsack;
	n = likely(!n) || room < 4 + 8 ? 0 : min_u32(n, (room - 4) / 8);
	if (unlikely(n))
		hlen += 4 + 8 * n;
	if (unlikely(tp->ecn_flags & TCP_ECN_ACCECN))
		hlen += tcp_accecn_room(sk, TCP_HLEN + 40 - hlen, n);
	if (unlikely(hlen != tp->tcp_header_len))
		mss -= hlen - tp->tcp_header_len;
	return mss;
}

/* size_goal: how much one skb should hold: a train's worth when the device cuts, else one segment. */
uint32_t tcp_send_mss(struct sock *sk, uint32_t *size_goal, int flags)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t mss = tcp_current_mss(sk), goal = mss;
	const struct dst_entry *dst = sk->dst_cache; /* none, between a reset of the route and the next segment: as it was */

	if (!(flags & MSG_OOB) && (unlikely(!dst) || (dst->dev && (dst->dev->features & NETIF_F_TSO))) && likely(!sock_flag(sk, SOCK_F_NO_GSO))) {
		uint32_t max = bound_to_half_wnd(tp, TCP_GSO_MAX - MAX_TCP_HEADER);

		goal = max_u32(max / mss, 1) * mss;
	}
	*size_goal = goal;
	return mss;
}

/* ---- pieces ---- */
void tcp_skb_set_pcount(struct sk_buff *skb, uint32_t mss_now)
{
	struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);

	if (skb->len <= mss_now) {
		tcb->gso_segs = 1;
		tcb->gso_size = 0;
	} else {
		tcb->gso_segs = (uint16_t)((skb->len + mss_now - 1) / mss_now);
		tcb->gso_size = (uint16_t)mss_now;
	}
}

void tcp_wmem_free_skb(struct sock *sk, struct sk_buff *skb)
{
	sk->wmem_queued -= (int32_t)skb->truesize;
	tcp_net(sk)->mem_allocated -= skb->truesize;
	consume_skb(skb);
}

/* Off the retransmit queue for good. */
void tcp_rtx_queue_unlink_and_free(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->fl->retransmit_hint == skb)
		tp->fl->retransmit_hint = NULL;
	if (unlikely(tp->sack && tp->sack->rtx_root))
		tcp_rtx_tree_remove_(tp, skb);
	if (TCP_SKB_CB(skb)->tx.tsorted.next)
		list_del_init(&TCP_SKB_CB(skb)->tx.tsorted);
	skb_unlink(skb, &tp->fl->rtx_queue);
	tcp_wmem_free_skb(sk, skb);
}

/* After a split changed how many segments an skb stands for. */
static void adjust_pcount(struct sock *sk, const struct sk_buff *skb, uint32_t decr)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint8_t sacked = TCP_SKB_CB(skb)->sacked;

	tp->fl->packets_out -= decr;
	if (sacked & TCPCB_SACKED_ACKED)
		tp->fl->sacked_out -= decr;
	if (sacked & TCPCB_SACKED_RETRANS)
		tp->fl->retrans_out -= decr;
	if (sacked & TCPCB_LOST)
		tp->fl->lost_out -= decr;
	if (tcp_is_reno(tp) && (int32_t)decr > 0)
		tp->fl->sacked_out -= min_u32(tp->fl->sacked_out, decr);
}

/* The bytes of skb from len on, as an skb of their own; skb keeps the first len. The smaller part is copied (both need
 * headroom of their own), so that cutting a long train piece by piece costs no more than its length. */
static struct sk_buff *split_bytes(struct sock *sk, struct sk_buff *skb, uint32_t len)
{
	uint32_t rest = skb->len - len;
	bool front = len < rest;
	struct sk_buff *n = alloc_skb(sk->net, MAX_TCP_HEADER + (front ? len : rest));

	if (!n)
		return NULL;
	skb_reserve(n, MAX_TCP_HEADER);
	skb_new_serial(n, skb->serial, "segment");
	if (front) {
		skb_copy_bits(skb, 0, skb_put(n, len), len);
		skb_swap_data(skb, n);
		skb_pull(n, len);
		/* the mark of a byte (tcp_fragment_tstamp) went with the data: back to where it is looked for */
		skb_shinfo(skb)->tx_flags = skb_shinfo(n)->tx_flags;
		skb_shinfo(skb)->tskey = skb_shinfo(n)->tskey;
		skb_shinfo(n)->tx_flags = 0;
	} else {
		skb_copy_bits(skb, len, skb_put(n, rest), rest);
		skb_trim(skb, len);
	}
	return n;
}

/* Cut skb (on q) at len: the rest becomes an skb behind it. 0 or -ENOMEM. */
int tcp_fragment(struct sock *sk, struct sk_buff_head *q, struct sk_buff *skb, uint32_t len, uint32_t mss_now)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *a = TCP_SKB_CB(skb), *b;
	uint32_t rest = skb->len - len, old = tcp_skb_pcount(skb);
	struct sk_buff *n;

	/* SACK panic (TR-04): a peer may not make us hold ever more pieces */
	if (sk->wmem_queued > sk->sndbuf * 2 + 0x20000 && q == &tp->fl->rtx_queue && skb != skb_peek(q))
		return -ENOMEM;
	n = split_bytes(sk, skb, len);
	if (!n)
		return -ENOMEM;
	memcpy(n->cb, skb->cb, sizeof(n->cb));
	b = TCP_SKB_CB(n);
	b->seq = a->seq + len;
	a->end_seq = b->seq;
	b->tcp_flags = a->tcp_flags;
	a->tcp_flags &= (uint8_t)~(TCP_FIN | TCP_PSH);
	a->eor = 0;
	a->has_csum = b->has_csum = 0;
	n->skb_mstamp_ns = skb->skb_mstamp_ns;
	tcp_fragment_tstamp(skb, n);
	tcp_wmem_change(sk, skb, -(int32_t)rest);
	tcp_wmem_charge(sk, n);
	tcp_skb_set_pcount(skb, mss_now);
	tcp_skb_set_pcount(n, mss_now);
	skb_queue_after(q, skb, n);
	if (q == &tp->fl->rtx_queue) {
		uint32_t now = tcp_skb_pcount(skb) + tcp_skb_pcount(n);

		adjust_pcount(sk, skb, old - now);
		list_add(&b->tx.tsorted, &a->tx.tsorted);
		tcp_rtx_tree_insert(sk, n);
	} else {
		b->tx.tsorted.next = NULL;
	}
	return 0;
}

/* The same bytes with room for n more, in skb's place; skb itself if that cannot be had. */
static struct sk_buff *with_room(struct sock *sk, struct sk_buff *skb, uint32_t n)
{
	struct sk_buff *big = skb_tailroom(skb) < n ? skb_copy_expand(skb, MAX_TCP_HEADER, n) : NULL;

	if (!big)
		return skb;
	memcpy(big->cb, skb->cb, sizeof(big->cb));
	skb_shinfo(big)->tx_flags = skb_shinfo(skb)->tx_flags;
	skb_shinfo(big)->tskey = skb_shinfo(skb)->tskey;
	skb_insert_(big, skb->prev, skb, &sk->write_queue);
	tcp_wmem_charge(sk, big);
	skb_unlink(skb, &sk->write_queue);
	tcp_wmem_free_skb(sk, skb);
	return big;
}

/* More may leave than skb holds, and more waits behind it: bytes from there. What stands in skb's place. */
struct sk_buff *tcp_fill_up(struct sock *sk, struct sk_buff *skb, uint32_t want)
{
	struct sk_buff *next = skb->next;
	struct tcp_skb_cb *a = TCP_SKB_CB(skb), *b = TCP_SKB_CB(next);
	uint32_t n = min_u32(want - skb->len, next->len);

	if (a->eor || !n || (a->tcp_flags & TCP_FIN) || (n == next->len && (b->tcp_flags & TCP_FIN)) || skb_cloned(skb) || skb_cloned(next))
		return skb;
	skb = with_room(sk, skb, n);
	if (skb_tailroom(skb) < n)
		return skb;
	a = TCP_SKB_CB(skb);
	skb_copy_bits(next, 0, skb_put(skb, n), n);
	tcp_wmem_change(sk, skb, (int32_t)n);
	a->end_seq += n;
	a->has_csum = 0;
	tcp_collapse_tstamp(skb, next);
	if (n == next->len) {
		a->tcp_flags |= b->tcp_flags & TCP_PSH;
		a->eor = b->eor;
		skb_unlink(next, &sk->write_queue);
		tcp_wmem_free_skb(sk, next);
		return skb;
	}
	skb_pull(next, n);
	tcp_wmem_change(sk, next, -(int32_t)n);
	b->seq += n;
	b->has_csum = 0;
	return skb;
}

/* May b's octets be repeated as part of a's segment? */
static bool can_collapse(const struct sk_buff *a, const struct sk_buff *b)
{
	const struct tcp_skb_cb *x = TCP_SKB_CB((struct sk_buff *)(uintptr_t)a), *y = TCP_SKB_CB((struct sk_buff *)(uintptr_t)b);

	return tcp_skb_pcount(b) == 1 && !skb_cloned(b) && !(y->sacked & TCPCB_SACKED_ACKED) && !x->eor && !a->data_len && !b->data_len &&
	       !((x->tcp_flags | y->tcp_flags) & TCP_SYN);
}

/* Room for n more octets behind skb's, in another buffer if need be. */
static bool make_room(struct sk_buff *skb, uint32_t n)
{
	struct sk_buff *big;

	if (skb_tailroom(skb) >= n)
		return true;
	big = skb_copy_expand(skb, MAX_TCP_HEADER, n);
	if (!big)
		return false;
	skb_shinfo(big)->tx_flags = skb_shinfo(skb)->tx_flags;
	skb_shinfo(big)->tskey = skb_shinfo(skb)->tskey;
	skb_swap_data(skb, big);
	consume_skb(big);
	return true;
}

void tcp_retrans_try_collapse(struct sock *sk, struct sk_buff *skb, uint32_t space)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *a = TCP_SKB_CB(skb);
	struct sk_buff *next;

	if (!tcp_sysctl(sk)->retrans_collapse || (a->tcp_flags & TCP_SYN) || skb_cloned(skb) || tcp_skb_pcount(skb) != 1)
		return;
	while ((next = skb->next) != (struct sk_buff *)(void *)&tp->fl->rtx_queue && can_collapse(skb, next)) {
		struct tcp_skb_cb *b = TCP_SKB_CB(next);

		if (skb->len + next->len > space || after(b->end_seq, tcp_wnd_end(tp)))
			return;
		if (!make_room(skb, next->len))
			return;
		skb_copy_bits(next, 0, skb_put(skb, next->len), next->len);
		tcp_wmem_change(sk, skb, (int32_t)next->len);
		a->end_seq = b->end_seq;
		a->tcp_flags |= b->tcp_flags;
		a->sacked |= b->sacked & TCPCB_EVER_RETRANS;
		a->eor = b->eor;
		a->has_csum = 0;
		tcp_collapse_tstamp(skb, next);
		if (tp->fl->retransmit_hint == next)
			tp->fl->retransmit_hint = skb;
		adjust_pcount(sk, next, tcp_skb_pcount(next));
		tcp_rtx_queue_unlink_and_free(sk, next);
	}
}

/* The first len bytes were acknowledged (part of a train). */
void tcp_trim_head(struct sock *sk, struct sk_buff *skb, uint32_t len)
{
	skb_pull(skb, len);
	tcp_wmem_change(sk, skb, -(int32_t)len);
	TCP_SKB_CB(skb)->seq += len;
	TCP_SKB_CB(skb)->has_csum = 0;
	if (tcp_skb_pcount(skb) > 1)
		tcp_skb_set_pcount(skb, TCP_SKB_CB(skb)->gso_size);
}

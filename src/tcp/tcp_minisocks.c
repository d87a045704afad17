/* Connections that are less than a socket: requests (SYN-RECEIVED of a passive open), the step from request to child,
 * and TIME-WAIT.
 *
 * Called by the network layer for segments that meet one of these in the hash. RFC 9293 3.10.7.4, RFC 1337, RFC 6191,
 * RFC 5961. A TIME-WAIT remnant costs 144 octets and no timer of its own: all wait 60 s, so a FIFO with one timer does.
 * Tests: tests/unit/tcp, test_tcp_state.c. */
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_auth.h"
#include "tcp/tcp_int.h"

/* ---- TIME-WAIT ---- */
static void tw_rearm(struct net *net)
{
	struct tcp_net *tn = net->tcp;
	uint64_t when = TIME_NEVER;

	if (!list_empty(&tn->tw_time_wait))
		when = list_first_entry(&tn->tw_time_wait, struct tcp_timewait_sock, list)->expires_ns;
	if (!list_empty(&tn->tw_fin_wait2))
		when = min_u64(when, list_first_entry(&tn->tw_fin_wait2, struct tcp_timewait_sock, list)->expires_ns);
	if (when == TIME_NEVER)
		del_timer(&net->wheel, &tn->tw_timer);
	else if (!timer_pending(&tn->tw_timer) || tn->tw_timer.expires_ns != when)
		mod_timer(&net->wheel, &tn->tw_timer, when);
}

void tcp_tw_kill(struct tcp_timewait_sock *tw)
{
	struct net *net = tw->net;

	inet_ehash_remove(net, &tw->eh);
	list_del_init(&tw->list);
	if (tw->bind_bucket) {
		tw->bind_bucket->tw--;
		inet_bind_bucket_maybe_free(net, tw->bind_bucket);
	}
	net->tcp->tw_count--;
	tcp_auth_free(net, tw->auth);
	pool_put(&net->tcp->tw_pool, tw);
}

void tcp_tw_timer(struct timer_list *t)
{
	struct tcp_net *tn = container_of(t, struct tcp_net, tw_timer);
	struct list_head *lists[2] = { &tn->tw_time_wait, &tn->tw_fin_wait2 };
	struct net *net = NULL;

	for (unsigned i = 0; i < 2; i++) {
		while (!list_empty(lists[i])) {
			struct tcp_timewait_sock *tw = list_first_entry(lists[i], struct tcp_timewait_sock, list);

			net = tw->net;
			if (tw->expires_ns > net->now_ns)
				break;
			TCPEXT_INC(net, TW);
			TRACE(&net->probe, TR_STATE, 0, "tcp=%u:%u old=%s new=CLOSE", tw->eh.num, tw->eh.dport,
			      tw->substate == TCP_TIME_WAIT ? "TIME_WAIT" : "FIN_WAIT2");
			tcp_tw_kill(tw);
		}
	}
	if (net)
		tw_rearm(net);
}

/* (Re)start the wait; lists stay sorted because all on one list wait equally long, nearly always. */
static void tw_schedule(struct tcp_timewait_sock *tw, uint64_t timeo_ns)
{
	struct tcp_net *tn = tw->net->tcp;
	struct list_head *l = tw->substate == TCP_TIME_WAIT ? &tn->tw_time_wait : &tn->tw_fin_wait2, *pos;

	tw->expires_ns = tw->net->now_ns + timeo_ns;
	list_del_init(&tw->list);
	for (pos = l->prev; pos != l; pos = pos->prev)
		if (list_entry(pos, struct tcp_timewait_sock, list)->expires_ns <= tw->expires_ns)
			break;
	list_insert_(&tw->list, pos, pos->next);
	if (l->next == &tw->list || !timer_pending(&tn->tw_timer))
		tw_rearm(tw->net);
}

/* The socket gives its place in the hash to a small remnant and ends. */
void tcp_time_wait(struct sock *sk, uint8_t state, uint64_t timeo_ns)
{
	struct net *net = sk->net;
	struct tcp_net *tn = net->tcp;
	struct tcp_sock *tp = tcp_sk(sk);
	struct inet_connection_sock *icsk = inet_csk(sk);
	TRACE_FN(&net->probe, 0);

	if (tn->tw_count < (uint32_t)tn->sysctl.max_tw_buckets) {
		struct tcp_timewait_sock *tw = pool_zget(&tn->tw_pool);

		tw->net = net;
		tw->eh.kind = TCP_EH_TW;
		tw->eh.daddr = icsk->eh.daddr;
		tw->eh.saddr = icsk->eh.saddr;
		tw->eh.dport = icsk->eh.dport;
		tw->eh.num = icsk->eh.num;
		tw->substate = state;
		tw->rcv_nxt = tp->rcv_nxt;
		tw->snd_nxt = tp->snd_nxt;
		tw->rcv_wnd = tcp_receive_window(tp);
		tw->rcv_wscale = tp->rx_opt.rcv_wscale;
		tw->ts_recent = tp->rx_opt.ts_recent;
		tw->ts_recent_stamp = tp->rx_opt.ts_recent_stamp;
		tw->tstamp_ok = tp->rx_opt.tstamp_ok;
		tw->ts_offset = tp->tsoffset;
		tw->last_oow_ack_ms = 0; /* the first that is out of order here is answered, whatever was before */
		tw->bound_dev_if = sk->bound_dev_if;
		tw->tos = inet_sk(sk)->tos;
		tw->mark = sk->mark;
		tw->auth = tcp_auth_for_tw(sk);
		list_init(&tw->list);
		tw->bind_bucket = icsk->bind_bucket;
		if (tw->bind_bucket)
			tw->bind_bucket->tw++;
		tn->tw_count++;
		inet_ehash_remove(net, &icsk->eh);
		inet_ehash_insert(net, &tw->eh);
		tw_schedule(tw, state == TCP_TIME_WAIT ? TCP_TIMEWAIT_LEN_NS
						       : max_u64(timeo_ns, (uint64_t)icsk->rto_us * NSEC_PER_USEC * 7 / 2));
	} else {
		TCPEXT_INC(net, TCPTimeWaitOverflow);
	}
	TRACE(&net->probe, TR_STATE, 0, "tcp=%u:%u new=%s", icsk->eh.num, icsk->eh.dport,
	      state == TCP_TIME_WAIT ? "TIME_WAIT" : "FIN_WAIT2");
	tcp_update_metrics(sk);
	tcp_done(sk);
}

static enum tcp_tw_status tw_ack_limited(struct tcp_timewait_sock *tw, const struct sk_buff *skb)
{
	if (tcp_oow_rate_limited(tw->net, skb, false, &tw->last_oow_ack_ms)) {
		TCPEXT_INC(tw->net, TCPACKSkippedTimeWait);
		return TCP_TW_SUCCESS;
	}
	return TCP_TW_ACK_OOW;
}

static bool tw_paws_reject(const struct tcp_timewait_sock *tw, const struct tcp_options_received *opt, bool rst)
{
	if (!opt->saw_tstamp || !tw->ts_recent_stamp || rst)
		return false;
	if ((int32_t)(tw->ts_recent - opt->rcv_tsval) <= 0)
		return false;
	return net_now_s(tw->net) - tw->ts_recent_stamp < TCP_PAWS_24DAYS;
}

/* Some octet of the segment lies in the window; an empty one may stand at either edge (RFC 9293 3.4). */
static bool tcp_in_window(uint32_t seq, uint32_t end_seq, uint32_t from, uint32_t to)
{
	return seq == from || (after(end_seq, from) && before(seq, to)) || (seq == to && seq == end_seq);
}

static enum tcp_tw_status finwait2_process(struct tcp_timewait_sock *tw, struct sk_buff *skb, bool paws, const struct tcp_options_received *opt)
{
	const struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);

	if (paws || !tcp_in_window(tcb->seq, tcb->end_seq, tw->rcv_nxt, tw->rcv_nxt + tw->rcv_wnd))
		return tcb->tcp_flags & TCP_RST ? TCP_TW_SUCCESS : tw_ack_limited(tw, skb); /* a reset from elsewhere is no question */
	if (tcb->tcp_flags & TCP_RST) {
		tcp_tw_kill(tw);
		return TCP_TW_SUCCESS;
	}
	if ((tcb->tcp_flags & TCP_SYN) && !before(tcb->seq, tw->rcv_nxt)) {
		tcp_tw_kill(tw); /* the peer has begun anew; there is nothing left to finish */
		return TCP_TW_RST;
	}
	if (!(tcb->tcp_flags & TCP_ACK) || !after(tcb->end_seq, tw->rcv_nxt) || tcb->end_seq == tcb->seq)
		return TCP_TW_SUCCESS;
	if (!(tcb->tcp_flags & TCP_FIN) || tcb->end_seq != tw->rcv_nxt + 1) {
		/* data for nobody */
		tcp_tw_kill(tw);
		return TCP_TW_RST;
	}
	tw->substate = TCP_TIME_WAIT;
	tw->rcv_nxt = tcb->end_seq;
	if (opt->saw_tstamp) {
		tw->ts_recent_stamp = net_now_s(tw->net);
		tw->ts_recent = opt->rcv_tsval;
	}
	tw_schedule(tw, TCP_TIMEWAIT_LEN_NS);
	return TCP_TW_ACK;
}

enum tcp_tw_status tcp_timewait_state_process(struct tcp_timewait_sock *tw, struct sk_buff *skb, uint32_t *isn)
{
	struct tcp_options_received opt = { .tstamp_ok = tw->tstamp_ok & 1u };
	const struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	uint8_t flags = tcb->tcp_flags;
	bool paws = false, rst = (flags & TCP_RST) != 0;

	if (tw->tstamp_ok) {
		tcp_parse_options(tw->net, skb, &opt, !(flags & TCP_SYN));
		if (opt.saw_tstamp)
			paws = tw_paws_reject(tw, &opt, rst);
	}
	if (tw->substate == TCP_FIN_WAIT2)
		return finwait2_process(tw, skb, paws, &opt);
	/* exactly the end of the connection: an old ACK or a RST that fits */
	if (!paws && tcb->seq == tw->rcv_nxt && (tcb->seq == tcb->end_seq || rst)) {
		if (rst) {
			if (!tw->net->tcp->sysctl.rfc1337) {
				TCPEXT_INC(tw->net, TWKilled);
				tcp_tw_kill(tw);
			}
			return TCP_TW_SUCCESS; /* with the sysctl: no assassination (RFC 1337 F1) */
		}
		if (opt.saw_tstamp) {
			tw->ts_recent = opt.rcv_tsval;
			tw->ts_recent_stamp = net_now_s(tw->net);
		}
		tw_schedule(tw, TCP_TIMEWAIT_LEN_NS);
		return TCP_TW_SUCCESS;
	}
	/* a new incarnation, if its numbers or timestamps are beyond the old one's (RFC 6191, MAY-2) */
	if ((flags & TCP_SYN) && !rst && !(flags & TCP_ACK) && !paws &&
	    (after(tcb->seq, tw->rcv_nxt) || (opt.saw_tstamp && tw->tstamp_ok && (int32_t)(tw->ts_recent - opt.rcv_tsval) < 0))) {
		*isn = tw->snd_nxt + 65535 + 2;
		if (!*isn)
			*isn = 1;
		return TCP_TW_SYN;
	}
	if (paws)
		TCPEXT_INC(tw->net, PAWSTimewait);
	if (rst)
		return TCP_TW_SUCCESS;
	if (paws || (flags & TCP_ACK))
		tw_schedule(tw, TCP_TIMEWAIT_LEN_NS);
	return tw_ack_limited(tw, skb);
}

/* ---- from request to child ---- */
struct sock *tcp_create_openreq_child(const struct sock *lsk, struct request_sock *req, struct sk_buff *skb)
{
	const struct tcp_request_sock *t = tcp_rsk(req);
	struct sock *sk = inet_csk_clone_lock(lsk, req);
	const struct tcp_sock *ltp = tcp_sk(lsk);
	struct tcp_sock *tp;
	uint32_t mss;

	if (!sk)
		return NULL;
	tp = tcp_sk(sk);
	tp->rcv_wup = tp->copied_seq = tp->rcv_nxt = t->rcv_isn + 1;
	tp->snd_sml = tp->snd_una = tp->snd_nxt = tp->snd_up = tp->write_seq = tp->pushed_seq = t->snt_isn + 1;
	tp->tsoffset = t->ts_off;
	tp->segs_in = 1; /* the SYN */
	tp->nonagle = ltp->nonagle;
	tp->rx_opt.user_mss = ltp->rx_opt.user_mss;
	tp->rx_opt.tstamp_ok = t->tstamp_ok & 1u;
	tp->rx_opt.sack_ok = t->sack_ok & 1u;
	tp->rx_opt.wscale_ok = t->wscale_ok & 1u;
	tp->rx_opt.mss_clamp = req->mss;
	tp->rcv_ssthresh = tp->rcv_wnd = t->rcv_wnd;
	tp->window_clamp = 65535u << t->rcv_wscale;
	if (t->wscale_ok) {
		tp->rx_opt.snd_wscale = t->snd_wscale & 15u;
		tp->rx_opt.rcv_wscale = t->rcv_wscale & 15u;
	} else {
		tp->window_clamp = min_u32(tp->window_clamp, 65535);
	}
	tp->snd_wnd = (uint32_t)get_be16(tcp_hdr(skb)->window) << tp->rx_opt.snd_wscale;
	tp->max_window = tp->snd_wnd;
	tp->snd_wl1 = t->rcv_isn;
	if (t->tstamp_ok) {
		tp->rx_opt.ts_recent = req->ts_recent;
		tp->rx_opt.ts_recent_stamp = net_now_s(sk->net);
		tp->tcp_header_len = TCP_HLEN + 12;
	}
	if (t->ecn_ok | t->accecn_ok)
		tcp_ecn_openreq_child(sk, t);
	mss = skb->len - tcp_hdrlen(tcp_hdr(skb));
	if (mss >= TCP_MIN_MSS && mss > inet_csk(sk)->rcv_mss)
		inet_csk(sk)->rcv_mss = (uint16_t)min_u32(mss, 65535);
	if (ltp->rare) {
		*tcp_rare(sk) = *ltp->rare;
		tp->rare->fastopen_qlen = 0;
		tp->rare->fo_req = NULL;
		tp->rare->psock = NULL;
		tp->rare->auth = NULL;
		tp->rare->fo_listener = NULL;
		tp->rare->saved_syn = t->saved_syn;
		tcp_rsk(req)->saved_syn = NULL;
		list_init(&tp->rare->zc);
	}
	inet_csk(sk)->ca_ops = inet_csk(lsk)->ca_ops;
	tp->total_retrans = req->num_retrans;
	if (req->num_retrans)
		tcp_flight(sk)->undo_marker = tp->snd_una;
	inet_csk(sk)->last_rcv_ms = tcp_time_ms(sk);
	TCP_INC(sk->net, PassiveOpens);
	return sk;
}

static void synack_again(struct sock *lsk, struct request_sock *req)
{
	req->num_retrans++;
	TCP_INC(req->net, RetransSegs);
	TCPEXT_INC(req->net, TCPSynRetrans);
	inet_csk(lsk)->af_ops->send_synack(lsk, NULL, req, NULL);
	mod_timer(&req->net->wheel, &req->timer, req->net->now_ns + req->timeout_ns); /* this one shall have its time, too */
}

/* The request ends without a child: after a RST or a SYN in its window (RFC 5961). */
static struct sock *embryonic_reset(struct request_sock *req, const struct sk_buff *skb, bool *reset)
{
	if (!(TCP_SKB_CB(skb)->tcp_flags & TCP_RST))
		*reset = true;
	TCPEXT_INC(req->net, EmbryonicRsts);
	TCP_INC(req->net, AttemptFails);
	inet_csk_reqsk_queue_drop(req);
	return NULL;
}

/* Options of a segment for a request: an echo that no SYN-ACK sent is as suspicious as a timestamp of yesterday. */
static bool req_timestamps_bad(struct request_sock *req, struct sk_buff *skb, struct tcp_options_received *opt, bool *paws)
{
	const struct tcp_request_sock *t = tcp_rsk(req);

	if (tcp_hdrlen(tcp_hdr(skb)) <= TCP_HLEN)
		return false;
	tcp_parse_options(req->net, skb, opt, !(TCP_SKB_CB(skb)->tcp_flags & TCP_SYN));
	if (!opt->saw_tstamp)
		return false;
	*paws = (int32_t)(req->ts_recent - opt->rcv_tsval) > TCP_PAWS_WINDOW;
	return opt->rcv_tsecr && opt->tstamp_ok && !t->cookie &&
	       (before(opt->rcv_tsecr, t->snt_tsval_first) || after(opt->rcv_tsecr, t->snt_tsval_last));
}

/* RFC 5961 3.2: a RST ends the request if it has exactly the next number; another one in the window is asked about. */
static struct sock *req_rst(struct sock *lsk, struct sk_buff *skb, struct request_sock *req, bool *reset)
{
	struct tcp_request_sock *t = tcp_rsk(req);

	if (TCP_SKB_CB(skb)->seq == t->rcv_nxt)
		return embryonic_reset(req, skb, reset);
	if (!tcp_oow_rate_limited(req->net, NULL, false, &t->last_oow_ack_ms))
		inet_csk(lsk)->af_ops->reqsk_send_ack(lsk, skb, req);
	return NULL;
}

struct sock *tcp_check_req(struct sock *lsk, struct sk_buff *skb, struct request_sock *req, bool *reset)
{
	struct tcp_request_sock *t = tcp_rsk(req);
	struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	struct tcp_options_received opt = { .tstamp_ok = t->tstamp_ok & 1u };
	uint8_t flags = tcb->tcp_flags & (TCP_RST | TCP_SYN | TCP_ACK);
	bool paws = false, own = false, tsecr, inside;
	struct sock *child;
	TRACE_FN(&req->net->probe, skb->serial);

	tsecr = req_timestamps_bad(req, skb, &opt, &paws);
	inside = !paws && !tsecr && tcp_in_window(tcb->seq, tcb->end_seq, t->rcv_nxt, t->rcv_nxt + t->rcv_wnd);
	if (tcb->seq == t->rcv_isn && flags == TCP_SYN && !paws) { /* the same SYN again */
		tcp_accecn_syn_again(req, skb);
		if (!tcp_oow_rate_limited(req->net, skb, true, &t->last_oow_ack_ms))
			synack_again(lsk, req);
		return NULL;
	}
	if (flags & TCP_RST)
		return inside ? req_rst(lsk, skb, req, reset) : NULL;
	if ((flags & TCP_ACK) && tcb->ack_seq != t->snt_isn + 1) {
		*reset = true; /* the ACK is for another SYN (RFC 9293 3.10.7.4) */
		return NULL;
	}
	if (!inside) {
		if (!tcp_oow_rate_limited(req->net, skb, true, &t->last_oow_ack_ms))
			inet_csk(lsk)->af_ops->reqsk_send_ack(lsk, skb, req);
		if (paws)
			TCPEXT_INC(req->net, PAWSEstab);
		else if (tsecr)
			TCPEXT_INC(req->net, TSEcrRejected);
		return NULL;
	}
	if (flags & TCP_SYN)
		return embryonic_reset(req, skb, reset);
	if (!(flags & TCP_ACK))
		return NULL;
	if (t->tstamp_ok && !opt.saw_tstamp)
		return NULL; /* negotiated, missing (RFC 7323 3.2) */
	/* TCP_DEFER_ACCEPT: a bare ACK is not enough yet */
	if (tcp_sk(lsk)->rare && req->num_timeout < tcp_sk(lsk)->rare->defer_accept && tcb->end_seq == t->rcv_isn + 1) {
		req->acked = 1;
		TCPEXT_INC(req->net, TCPDeferAcceptDrop);
		return NULL;
	}
	if (unlikely(t->accecn_ok))
		tcp_accecn_check_req(t, skb);
	child = inet_csk(lsk)->af_ops->syn_recv_sock(lsk, skb, req, NULL, &own);
	if (!child) {
		if (!req->net->tcp->sysctl.abort_on_overflow) {
			req->acked = 1; /* the client will send data; the SYN-ACK timer gives it another chance */
			return NULL;
		}
		return embryonic_reset(req, skb, reset);
	}
	/* only now: an ACK that TCP_DEFER_ACCEPT or a full backlog turned away has not told the request the time, or the client's
	 * SYN, repeated, would look old to it */
	if (opt.saw_tstamp && !after(tcb->seq, t->rcv_nxt))
		tcp_sk(child)->rx_opt.ts_recent = opt.rcv_tsval;
	tcp_route_init(child);
	if (!req->num_retrans && t->snt_synack_ns)
		tcp_synack_rtt_meas(child, t->snt_synack_ns);
	inet_csk_reqsk_queue_drop(req);
	child->prot->hash(child);
	inet_csk_reqsk_queue_add(lsk, child);
	return child;
}

/* The handshake is over: what it told of the round trip, and the windows to begin with, unless Fast Open began already. */
void tcp_child_transfer(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->rx_opt.tstamp_ok)
		tp->advmss = (uint16_t)(tp->advmss - 12);
	if (!tp->srtt_us)
		tcp_synack_rtt_meas(sk, tp->fastopen_child && !tp->rare->fo_synacks ? tp->rare->fo_snt_ns : 0);
	if (tp->fastopen_child) {
		tcp_fastopen_child_proven(sk);
		return;
	}
	if (tp->fl->retrans_stamp_ms)
		tp->fl->retrans_stamp_ms = 0;
	tcp_init_transfer(sk);
}

/* The ACK that completes the handshake, given to the child; then the listener's accept is told. */
int tcp_child_process(struct sock *parent, struct sock *child, struct sk_buff *skb)
{
	uint8_t state = child->state;
	int ret;

	ret = tcp_rcv_state_process(child, skb);
	if (state == TCP_SYN_RECV && child->state != state)
		parent->data_ready(parent);
	return ret;
}

/* A SYN for a listener: the request, its SYN-ACK, and what happens when there are too many (SYN cookies, RFC 4987 3.6).
 *
 * A cookie is an ISN that carries, authenticated by SipHash, a minute counter and the MSS class:
 *     8 bits counter | 24 bits SipHash(four-tuple, client ISN, counter, class) + class
 * With timestamps the client's window scale and SACK ride in the low six bits of the timestamp that it echoes.
 * Called by the network layer's conn_request. Tests: tests/unit/tcp. */
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_auth.h"
#include "tcp/tcp_int.h"
#include "tcp/tcp_metrics.h"

static const uint16_t cookie_mss[4] = { 536, 1300, 1440, 1460 };
#define COOKIE_PERIOD_NS (60 * NSEC_PER_SEC)
#define COOKIE_MAX_AGE 2u
#define TSBITS 6u
#define TS_SACK 16u
#define TS_ECN 32u

struct cookie_words {
	uint32_t saddr, daddr, irs, count, msscls;
	uint16_t sport, dport;
};

static uint32_t cookie_hash(struct net *net, const struct tcp_ehash_node *eh, uint32_t irs, uint32_t count, uint32_t cls)
{
	struct cookie_words w = { eh->daddr, eh->saddr, irs, count, cls, eh->dport, eh->num };

	return (uint32_t)siphash(net->tcp->cookie_secret[0], &w, sizeof(w)) & 0xffffffu;
}

static uint32_t cookie_base(struct net *net, const struct tcp_ehash_node *eh)
{
	struct cookie_words w = { eh->daddr, eh->saddr, 0, 0, 0, eh->dport, eh->num };

	return (uint32_t)siphash(net->tcp->cookie_secret[1], &w, sizeof(w));
}

static uint32_t cookie_count(const struct net *net) { return (uint32_t)(net->now_ns / COOKIE_PERIOD_NS); }

uint32_t cookie_v4_init_sequence(struct net *net, const struct tcp_ehash_node *eh, uint32_t irs, uint16_t *mssp)
{
	uint32_t cls = 3, count = cookie_count(net);

	while (cls && *mssp < cookie_mss[cls])
		cls--;
	*mssp = cookie_mss[cls];
	return cookie_base(net, eh) + irs + (count << 24) + ((cookie_hash(net, eh, irs, count, cls) + cls) & 0xffffffu);
}

/* MSS, or 0: not one of ours, or too old. */
static uint16_t cookie_check(struct net *net, const struct tcp_ehash_node *eh, uint32_t irs, uint32_t cookie)
{
	uint32_t v = cookie - cookie_base(net, eh) - irs, now = cookie_count(net), age = ((now << 24) - (v & 0xff000000u)) >> 24;

	if (age >= COOKIE_MAX_AGE)
		return 0;
	for (uint32_t cls = 0; cls < 4; cls++)
		if ((v & 0xffffffu) == ((cookie_hash(net, eh, irs, now - age, cls) + cls) & 0xffffffu))
			return cookie_mss[cls];
	return 0;
}

uint32_t cookie_init_timestamp(const struct tcp_request_sock *t, uint32_t tsval)
{
	uint32_t opts = t->wscale_ok ? t->snd_wscale : 15u, ts;

	opts |= t->sack_ok ? TS_SACK : 0;
	opts |= t->ecn_ok ? TS_ECN : 0;
	ts = (tsval & ~((1u << TSBITS) - 1)) | opts;
	return after(ts, tsval) ? ts - (1u << TSBITS) : ts;
}

/* ---- the SYN-ACK ---- */
void tcp_reqsk_window(const struct sock *lsk, const struct dst_entry *dst, struct tcp_request_sock *t)
{
	const struct tcp_sock *ltp = tcp_sk(lsk);
	uint32_t clamp = ltp->rare && ltp->rare->window_clamp_user ? ltp->rare->window_clamp_user : tcp_route_window(dst), mss = dst_advmss(dst);

	if (ltp->rx_opt.user_mss && ltp->rx_opt.user_mss < mss)
		mss = ltp->rx_opt.user_mss;
	if ((lsk->userlocks & 2) && (!clamp || clamp > tcp_full_space(lsk)))
		clamp = tcp_full_space(lsk);
	tcp_select_initial_window(lsk, tcp_full_space(lsk), mss - (t->tstamp_ok ? 12 : 0), &t->rcv_wnd, &clamp, t->wscale_ok,
				  &t->rcv_wscale, tcp_route_initrwnd(dst));
}

struct sk_buff *tcp_make_synack(const struct sock *lsk, struct dst_entry *dst, struct request_sock *req)
{
	struct tcp_request_sock *t = tcp_rsk(req);
	struct net *net = req->net;
	struct tcp_out_options o = { .options = OPTION_MSS };
	struct sk_buff *skb;
	uint16_t user_mss = tcp_sk(lsk)->rx_opt.user_mss;
	struct tcp_key key = { .type = TCP_KEY_NONE };
	struct tcp_hdr *th;
	uint32_t hlen;
	uint8_t *mac;

	if (unlikely(tcp_sk(lsk)->has_auth || t->used_ao) && !tcp_key_req((struct sock *)(uintptr_t)lsk, req, &key))
		return NULL;
	skb = alloc_skb(net, MAX_TCP_HEADER);
	if (!skb)
		return NULL;
	if (!t->rcv_wnd)
		tcp_reqsk_window(lsk, dst, t);
	skb_reserve(skb, MAX_TCP_HEADER);
	o.mss = (uint16_t)dst_advmss(dst);
	if (user_mss && user_mss < o.mss)
		o.mss = user_mss;
	if (unlikely(key.type != TCP_KEY_NONE)) {
		o.options |= OPTION_AUTH;
		o.key = &key;
		/* later segments have no room for a signature, a timestamp and SACK: the timestamp goes */
		if (t->sack_ok && !(t->cookie && key.type == TCP_KEY_MD5))
			t->tstamp_ok = 0;
	}
	if (t->tstamp_ok) {
		o.options |= OPTION_TS;
		o.tsval = net_now_ms(net);
		if (t->cookie)
			o.tsval = cookie_init_timestamp(t, o.tsval);
		o.tsval += t->ts_off;
		t->snt_tsval_last = o.tsval;
		if (!req->num_retrans)
			t->snt_tsval_first = o.tsval;
		o.tsecr = req->ts_recent;
	}
	if (t->sack_ok)
		o.options |= OPTION_SACK_ADVERTISE;
	if (t->wscale_ok) {
		o.options |= OPTION_WSCALE;
		o.ws = t->rcv_wscale;
	}
	if (t->fo_cookie.len)
		tcp_option_fastopen(&o, &t->fo_cookie);
	if (unlikely(t->accecn_ok && !req->num_retrans && tcp_sysctl(lsk)->ecn_option)) {
		tcp_accecn_counters(NULL, o.ecn_bytes);
		tcp_accecn_fit(&o, 0, 40 - tcp_options_size(&o), tcp_accecn_spare(&o));
	}
	hlen = TCP_HLEN + tcp_options_size(&o);
	th = (struct tcp_hdr *)(void *)skb_push(skb, hlen);
	skb_reset_transport_header(skb);
	put_be16(th->source, req->eh.num);
	put_be16(th->dest, req->eh.dport);
	put_be32(th->seq, t->snt_isn);
	put_be32(th->ack_seq, t->rcv_nxt);
	put_be16((uint8_t *)th + offsetof(struct tcp_hdr, off_res), (uint16_t)(hlen << 10 | TCP_SYN | TCP_ACK | tcp_ecn_synack_flags(t)));
	put_be16(th->window, (uint16_t)min_u32(t->rcv_wnd, 65535));
	put_be16(th->check, 0);
	put_be16(th->urg_ptr, 0);
	mac = tcp_options_write(skb->data + TCP_HLEN, &o);
	if (unlikely(mac))
		tcp_key_sign(&key, mac, req->eh.saddr, req->eh.daddr, skb->data, hlen, NULL, 0);
	if (!req->num_retrans)
		t->snt_synack_ns = net->now_ns ? net->now_ns : 1;
	TCP_INC(net, OutSegs);
	skb->tstamp_ns = tcp_departure_ns(lsk);
	return skb;
}

/* ---- the SYN ---- */
static void openreq_init(struct request_sock *req, const struct tcp_options_received *opt, const struct sk_buff *skb)
{
	struct tcp_request_sock *t = tcp_rsk(req);

	t->rcv_isn = TCP_SKB_CB(skb)->seq;
	t->rcv_nxt = t->rcv_isn + 1;
	t->tstamp_ok = opt->saw_tstamp;
	t->sack_ok = opt->sack_ok;
	t->wscale_ok = opt->wscale_ok;
	t->snd_wscale = opt->snd_wscale;
	t->iif = skb->skb_iif;
	t->syn_tos = TCP_SKB_CB(skb)->ip_dsfield;
	t->mark = req->lsk->mark || !tcp_sysctl(req->lsk)->fwmark_accept ? req->lsk->mark : skb->mark;
	req->ts_recent = opt->saw_tstamp ? opt->rcv_tsval : 0;
	req->mss = opt->mss_clamp;
}

/* More than the backlog wait for their ACK: from here on cookies, or nothing. */
static bool synq_full(const struct sock *lsk)
{
	return inet_csk(lsk)->listener->syn_qlen > inet_csk(lsk)->listener->max_qlen;
}

/* A host without cookies keeps the last quarter of tcp_max_syn_backlog for peers that it knows: connections of theirs ended well. */
static bool synq_last_quarter(const struct sock *lsk, const struct ip4_hdr *iph)
{
	int64_t max = tcp_sysctl(lsk)->max_syn_backlog;

	return !tcp_sysctl(lsk)->syncookies && max - inet_csk(lsk)->listener->syn_qlen < max >> 2 &&
	       !tcp_peer_is_proven(lsk->net, ip4_daddr(iph), ip4_saddr(iph));
}

/* May a cookie be used? Counts what happens instead. */
static bool syn_flood_action(struct sock *lsk)
{
	struct tcp_listener *l = inet_csk(lsk)->listener;

	if (!tcp_sysctl(lsk)->syncookies) {
		TCPEXT_INC(lsk->net, TCPReqQFullDrop);
		return false;
	}
	TCPEXT_INC(lsk->net, TCPReqQFullDoCookies);
	l->last_overflow_ns = lsk->net->now_ns;
	return true;
}

/* TCP_SAVE_SYN: the program will want to see with what it was called. */
static void save_syn(const struct sock *lsk, struct request_sock *req, const struct sk_buff *skb)
{
	const struct tcp_rare *r = tcp_sk(lsk)->rare;
	const uint8_t *from, *end = (const uint8_t *)tcp_hdr(skb) + tcp_hdrlen(tcp_hdr(skb));
	struct tcp_saved_syn *s;

	if (likely(!r || !r->save_syn))
		return;
	from = r->save_syn == 2 && skb_mac_header_was_set(skb) ? skb_mac_header(skb) : skb_network_header(skb);
	if (end - from > (ptrdiff_t)sizeof(s->b))
		from = skb_network_header(skb);
	s = pool_get(&req->net->tcp->saved_syn_pool);
	s->len = (uint8_t)(end - from);
	memcpy(s->b, from, s->len);
	tcp_rsk(req)->saved_syn = s;
}

/* The addresses are the network layer's: it has put them into eh by init (saddr ours, daddr the peer's). */
int tcp_conn_request(const struct request_sock_ops *ops, const struct inet_connection_sock_af_ops *af, struct sock *lsk,
		     struct sk_buff *skb)
{
	struct net *net = lsk->net;
	struct tcp_options_received opt = { .mss_clamp = TCP_MSS_DEFAULT, .user_mss = tcp_sk(lsk)->rx_opt.user_mss };
	const struct ip4_hdr *iph = (const struct ip4_hdr *)(const void *)skb_network_header(skb);
	uint32_t isn = TCP_SKB_CB(skb)->prio; /* chosen by TIME-WAIT, or 0 */
	struct request_sock *req;
	struct tcp_request_sock *t;
	bool cookie = false;
	TRACE_FN(&net->probe, skb->serial);

	if (!isn && (tcp_sysctl(lsk)->syncookies == 2 || synq_full(lsk))) {
		cookie = syn_flood_action(lsk);
		if (!cookie) {
			TCPEXT_INC(net, ListenDrops);
			return 0;
		}
	}
	if (sk_acceptq_is_full(lsk)) {
		TCPEXT_INC(net, ListenOverflows);
		TCPEXT_INC(net, ListenDrops);
		return 0;
	}
	if (!cookie && !isn && synq_last_quarter(lsk, iph)) {
		TCPEXT_INC(net, ListenDrops);
		return 0;
	}
	req = inet_reqsk_alloc(ops, lsk);
	t = tcp_rsk(req);
	tcp_parse_options(net, skb, &opt, false);
	if (cookie && !opt.saw_tstamp) {
		opt.wscale_ok = 0; /* nowhere to remember them */
		opt.sack_ok = 0;
		opt.snd_wscale = 0;
	}
	openreq_init(req, &opt, skb);
	req->eh.daddr = ip4_saddr(iph);
	req->eh.saddr = ip4_daddr(iph);
	req->eh.dport = get_be16(tcp_hdr(skb)->source);
	req->eh.num = get_be16(tcp_hdr(skb)->dest);
	t->ts_off = secure_tcp_ts_off(net, req->eh.saddr, req->eh.daddr);
	if (af->init_req)
		af->init_req(req, skb);
	if (unlikely(!tcp_auth_request(lsk, req, skb))) {
		reqsk_free(req);
		return 0;
	}
	if (unlikely(tcp_ace(tcp_hdr(skb))))
		tcp_ecn_create_request(req, skb);
	t->cookie = cookie;
	if (cookie) {
		t->snt_isn = cookie_v4_init_sequence(net, &req->eh, t->rcv_isn, &req->mss);
		if (!t->tstamp_ok)
			t->ecn_ok = 0;
		TCPEXT_INC(net, SyncookiesSent);
	} else {
		t->snt_isn = isn ? isn : secure_tcp_seq(net, req->eh.saddr, req->eh.daddr, req->eh.num, req->eh.dport);
		save_syn(lsk, req, skb);
		if (tcp_fastopen_request(lsk, skb, req)) {
			reqsk_free(req);
			return 0;
		}
		inet_csk_reqsk_queue_hash_add(lsk, req, TCP_TIMEOUT_INIT_US * NSEC_PER_USEC);
	}
	af->send_synack(lsk, NULL, req, skb);
	if (cookie)
		reqsk_free(req);
	return 0;
}

/* An ACK for a listener that may be the answer to a cookie. The child, lsk (not a cookie: go on), or NULL (drop). */
struct sock *tcp_cookie_check(struct sock *lsk, struct sk_buff *skb, uint32_t saddr, uint32_t daddr)
{
	struct net *net = lsk->net;
	struct tcp_listener *l = inet_csk(lsk)->listener;
	const struct tcp_hdr *th = tcp_hdr(skb);
	struct tcp_options_received opt = { .mss_clamp = TCP_MSS_DEFAULT };
	struct tcp_ehash_node eh = { .daddr = saddr, .saddr = daddr, .dport = get_be16(th->source), .num = get_be16(th->dest) };
	uint32_t irs = TCP_SKB_CB(skb)->seq - 1, cookie = TCP_SKB_CB(skb)->ack_seq - 1;
	struct tcp_request_sock *t;
	struct request_sock *req;
	struct sock *child;
	uint16_t mss;
	bool own;

	if (!tcp_sysctl(lsk)->syncookies || (th->flags & (TCP_ACK | TCP_RST | TCP_SYN)) != TCP_ACK)
		return lsk;
	if (!l->last_overflow_ns || net->now_ns - l->last_overflow_ns > COOKIE_MAX_AGE * COOKIE_PERIOD_NS)
		return lsk;
	mss = cookie_check(net, &eh, irs, cookie);
	if (!mss) {
		TCPEXT_INC(net, SyncookiesFailed);
		return lsk;
	}
	TCPEXT_INC(net, SyncookiesRecv);
	if (sk_acceptq_is_full(lsk)) {
		TCPEXT_INC(net, ListenOverflows);
		return NULL;
	}
	req = inet_reqsk_alloc(NULL, lsk);
	t = tcp_rsk(req);
	opt.tstamp_ok = 1;
	tcp_parse_options(net, skb, &opt, true);
	t->ts_off = secure_tcp_ts_off(net, daddr, saddr);
	if (opt.saw_tstamp && opt.rcv_tsecr) {
		uint32_t bits = (opt.rcv_tsecr - t->ts_off) & ((1u << TSBITS) - 1);

		opt.sack_ok = (bits & TS_SACK) != 0;
		opt.wscale_ok = (bits & 15) != 15;
		opt.snd_wscale = opt.wscale_ok ? bits & 15 : 0;
		t->ecn_ok = (bits & TS_ECN) != 0;
	}
	/* RFC 9768 5.1: the ACE of the ACK says what was agreed; only Accurate ECN has more than ECE */
	if (tcp_sysctl(lsk)->ecn >= 3 && tcp_ace(th) > 1) {
		t->ecn_ok = 0;
		t->accecn_ok = 1;
		tcp_accecn_check_req(t, skb);
	}
	opt.mss_clamp = mss;
	openreq_init(req, &opt, skb);
	t->rcv_isn = irs;
	t->rcv_nxt = irs + 1;
	t->snt_isn = cookie;
	req->eh.daddr = saddr;
	req->eh.saddr = daddr;
	req->eh.dport = eh.dport;
	req->eh.num = eh.num;
	if (inet_csk(lsk)->af_ops->init_req)
		inet_csk(lsk)->af_ops->init_req(req, skb);
	child = tcp_auth_request(lsk, req, skb) ? inet_csk(lsk)->af_ops->syn_recv_sock(lsk, skb, req, NULL, &own) : NULL;
	reqsk_free(req);
	if (!child)
		return NULL;
	child->prot->hash(child);
	inet_csk_reqsk_queue_add(lsk, child);
	return child;
}

/* TCP over IPv4, towards the program and the wire: connect, segments in, the table that TCP sends through.
 *
 *   ip_local_deliver -> tcp_v4_rcv -> established? tcp_v4_do_rcv : request? tcp_check_req : TIME-WAIT? : listener
 *
 * Called by ip_input (net_protocol) and by struct proto; hands on to tcp/. Replies without a socket are in
 * tcp_ipv4_reply.c, ICMP in tcp_ipv4_reply.c. RFC 9293 3.10.7. Tests: tests/unit/tcp/. */
#include <errno.h>
#include <netinet/in.h>
#include "ipv4/ip.h"
#include "ipv4/tcp_ipv4.h"
#include "tcp/tcp_auth.h"
#include "tcp/inet_hashtables.h"

/* ---- checksum ---- */
void __tcp_v4_send_check(struct sk_buff *skb, const struct net_device *dev, uint32_t saddr, uint32_t daddr)
{
	struct tcp_hdr *th = (struct tcp_hdr *)(void *)skb_transport_header(skb);
	uint32_t pseudo = csum_tcpudp_nofold(saddr, daddr, skb->len, IPPROTO_TCP, 0);

	put_be16(th->check, 0);
	if (dev && (dev->features & NETIF_F_HW_CSUM)) {
		put_be16(th->check, (uint16_t)~csum_fold(pseudo));
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = skb->transport_header;
		skb->csum_offset = offsetof(struct tcp_hdr, check);
		return;
	}
	if (skb->ip_summed == CHECKSUM_COMPLETE) /* the payload was summed while it was copied */
		pseudo = csum_header(th, tcp_hdrlen(th), csum_add(pseudo, skb->csum));
	else
		pseudo = skb_checksum(skb, 0, skb->len, pseudo);
	put_be16(th->check, csum_fold(pseudo));
	skb->ip_summed = CHECKSUM_NONE;
}

static void tcp_v4_send_check(struct sock *sk, struct sk_buff *skb)
{
	__tcp_v4_send_check(skb, sk->dst_cache ? sk->dst_cache->dev : NULL, inet_sk(sk)->saddr, inet_sk(sk)->daddr);
}

static bool csum_ok(struct sk_buff *skb)
{
	const struct ip4_hdr *iph = ip_hdr(skb);
	uint32_t pseudo;

	if (skb->ip_summed == CHECKSUM_UNNECESSARY || skb->ip_summed == CHECKSUM_PARTIAL)
		return true;
	pseudo = csum_tcpudp_nofold(ip4_saddr(iph), ip4_daddr(iph), skb->len, IPPROTO_TCP, 0);
	return csum_fold(skb_checksum(skb, 0, skb->len, pseudo)) == 0;
}

/* ---- connect ---- */
/* Which ports a socket may be given. */
static void tcp_v4_port_range(const struct sock *sk)
{
	uint16_t low = 0, high = 0;

	inet_sk_get_local_port_range(sk, &low, &high);
	sk->net->tcp->sysctl.port_range[0] = low;
	sk->net->tcp->sysctl.port_range[1] = high;
}

/* The way to the peer, whose address comes in *daddr, from the socket's address or the route's, which comes in *saddr. NULL: *err
 * says why not. */
static struct rtable *connect_route(struct sock *sk, const struct sockaddr_in *sin, uint32_t *saddr, uint32_t *daddr, int *err)
{
	const struct inet_sock *inet = inet_sk(sk);
	struct flowi4 fl4;
	struct rtable *rt;

	*daddr = ntohl(sin->sin_addr.s_addr);
	fl4 = (struct flowi4){ .daddr = inet->opt && inet->opt->opt.srr ? inet->opt->opt.faddr : *daddr, .saddr = inet->saddr,
			       .oif = sk->bound_dev_if, .mark = sk->mark, .tos = inet->tos & 0x1c, .proto = IPPROTO_TCP,
			       .sport = inet->sport, .dport = ntohs(sin->sin_port) };
	rt = ip_route_output_flow(sk->net, &fl4, sk, err);
	if (!rt) {
		if (*err == -ENETUNREACH)
			IP_INC(sk->net, OutNoRoutes);
		return NULL;
	}
	if (rt->flags & (RTCF_BROADCAST_ | RTCF_MULTICAST_)) {
		dst_release(&rt->dst);
		*err = -ENETUNREACH;
		return NULL;
	}
	if (!*daddr)
		*daddr = fl4.daddr; /* 0.0.0.0: this host */
	*saddr = inet->saddr ? inet->saddr : fl4.saddr;
	return rt;
}

/* No port, no memory: the socket is as it was, and has no address but what bind() gave it. */
static void connect_failed(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);

	tcp_set_state(sk, TCP_CLOSE);
	sk_dst_reset(sk);
	inet->dport = 0;
	inet->daddr = 0;
	if (!(sk->userlocks & 4))
		inet->rcv_saddr = inet->saddr = 0;
}

/* Between its addresses, on its way rt, which becomes the socket's: a port, a first number, and the SYN. */
static int connect_on(struct sock *sk, struct rtable *rt)
{
	struct inet_sock *inet = inet_sk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct net *net = sk->net;
	int err;

	tcp_set_state(sk, TCP_SYN_SENT);
	tcp_v4_port_range(sk);
	err = inet_hash_connect(sk);
	if (err) {
		dst_release(&rt->dst);
		return err;
	}
	sk_setup_caps(sk, &rt->dst);
	if (likely(!tp->repair)) {
		if (!tp->write_seq)
			tp->write_seq = secure_tcp_seq(net, inet->saddr, inet->daddr, inet->sport, inet->dport);
		tp->tsoffset = secure_tcp_ts_off(net, inet->saddr, inet->daddr);
	}
	inet->inet_id = (uint16_t)rng_u64(&net->tcp->rng);
	return tcp_fastopen_defer_connect(sk) ? 0 : tcp_connect(sk);
}

int tcp_v4_connect(struct sock *sk, struct sockaddr *addr, socklen_t len)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)(const void *)addr;
	struct inet_sock *inet = inet_sk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t saddr, daddr;
	struct rtable *rt;
	int err = 0;
	TRACE_FN(&sk->net->probe, 0);

	if (len < (socklen_t)sizeof(*sin))
		return -EINVAL;
	if (sin->sin_family != AF_INET)
		return -EAFNOSUPPORT;
	local_bh_disable(sk->net);
	rt = connect_route(sk, sin, &saddr, &daddr, &err);
	if (!rt)
		goto out;
	inet->rcv_saddr = inet->saddr = saddr;
	if (tp->rx_opt.ts_recent_stamp && inet->daddr != daddr) {
		tp->rx_opt.ts_recent = 0;
		tp->rx_opt.ts_recent_stamp = 0;
		tp->write_seq = 0;
	}
	inet->dport = ntohs(sin->sin_port);
	inet->daddr = daddr;
	inet_csk(sk)->ext_hdr_len = inet->opt ? inet->opt->opt.optlen : 0;
	tp->rx_opt.mss_clamp = TCP_MSS_DEFAULT;
	err = connect_on(sk, rt);
	if (err)
		connect_failed(sk);
out:
	local_bh_enable(sk->net);
	return err;
}

/* ---- segments in ---- */
int tcp_v4_do_rcv(struct sock *sk, struct sk_buff *skb)
{
	TRACE_FN(&sk->net->probe, skb->serial);

	if (likely(sk->state == TCP_ESTABLISHED)) {
		tcp_rcv_established(sk, skb);
		return 0;
	}
	if (sk->state == TCP_LISTEN) {
		const struct ip4_hdr *iph = ip_hdr(skb);
		struct sock *child = TCP_SKB_CB(skb)->tcp_flags & TCP_SYN ? sk : tcp_cookie_check(sk, skb, ip4_saddr(iph), ip4_daddr(iph));

		if (!child) {
			kfree_skb_reason(skb, DROP_TCP_REQ_COOKIE);
			return 0;
		}
		if (child != sk) {
			sock_hold(child);
			if (tcp_child_process(sk, child, skb)) {
				tcp_v4_send_reset(child, skb);
				kfree_skb_reason(skb, DROP_TCP_RESET);
			}
			sock_put(child);
			return 0;
		}
	}
	if (tcp_rcv_state_process(sk, skb)) {
		tcp_v4_send_reset(sk, skb);
		kfree_skb_reason(skb, DROP_TCP_FLAGS);
	}
	return 0;
}

static void rcv_request(struct request_sock *req, struct sk_buff *skb)
{
	struct sock *lsk = req->lsk, *child;
	bool reset = false;
	enum drop_reason why = tcp_inbound_auth(lsk, req, skb, req->eh.daddr, req->eh.saddr);

	if (unlikely(why != DROP_NOT_SPECIFIED)) {
		kfree_skb_reason(skb, why);
		return;
	}
	sock_hold(lsk);
	child = tcp_check_req(lsk, skb, req, &reset);
	if (!child) {
		if (reset)
			tcp_v4_send_reset(lsk, skb);
		kfree_skb_reason(skb, reset ? DROP_TCP_RESET : DROP_TCP_INVALID_SEQUENCE);
	} else {
		sock_hold(child);
		if (tcp_child_process(lsk, child, skb)) {
			tcp_v4_send_reset(child, skb);
			kfree_skb_reason(skb, DROP_TCP_RESET);
		}
		sock_put(child);
	}
	sock_put(lsk);
}

static void rcv_listener_or_none(struct net *net, struct sk_buff *skb);

static void rcv_timewait(struct net *net, struct tcp_timewait_sock *tw, struct sk_buff *skb)
{
	uint32_t isn = 0;

	switch (tcp_timewait_state_process(tw, skb, &isn)) {
	case TCP_TW_SYN: {
		const struct ip4_hdr *iph = ip_hdr(skb);

		if (inet_lookup_listener(net, ip4_daddr(iph), tw->eh.num, ip4_saddr(iph), tw->eh.dport, skb->skb_iif)) {
			tcp_tw_kill(tw);
			TCP_SKB_CB(skb)->prio = isn;
			rcv_listener_or_none(net, skb);
			return;
		}
	}
		/* nobody listens: fall through to the ACK of the old connection */
		tcp_v4_timewait_ack(tw, skb, tw->tos & 0xfc);
		break;
	case TCP_TW_ACK_OOW:
		tcp_v4_timewait_ack(tw, skb, tw->tos & 0xfc);
		break;
	case TCP_TW_ACK:
		tcp_v4_timewait_ack(tw, skb, tw->tos); /* with the connection's ECT */
		break;
	case TCP_TW_RST:
		tcp_v4_send_reset(NULL, skb);
		break;
	case TCP_TW_SUCCESS:
		break;
	}
	kfree_skb_reason(skb, DROP_TCP_TIMEWAIT);
}

/* SO_ATTACH_FILTER: what the program keeps of the segment, never less than its header. False: nothing. */
static bool tcp_filter(struct sock *sk, struct sk_buff *skb)
{
	uint32_t keep = sk_run_filter(sk, skb), hlen = tcp_hdrlen(tcp_hdr(skb));

	if (!keep)
		return false;
	if (keep < skb->len) {
		struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
		uint32_t cut = skb->len - (keep > hlen ? keep : hlen);

		skb_trim(skb, skb->len - cut);
		tcb->end_seq -= cut;
	}
	return true;
}

static void rcv_sock(struct sock *sk, struct sk_buff *skb)
{
	const struct inet_sock *inet = inet_sk(sk);
	enum drop_reason why;

	if (unlikely(inet->min_ttl > ip_hdr(skb)->ttl)) {
		TCPEXT_INC(sk->net, TCPMinTTLDrop);
		kfree_skb_reason(skb, DROP_TCP_MINTTL);
		return;
	}
	why = tcp_inbound_auth(sk, NULL, skb, ip4_saddr(ip_hdr(skb)), ip4_daddr(ip_hdr(skb)));
	if (unlikely(why != DROP_NOT_SPECIFIED)) {
		kfree_skb_reason(skb, why);
		return;
	}
	if (unlikely(sk->filter) && !tcp_filter(sk, skb)) {
		kfree_skb_reason(skb, DROP_SOCKET_FILTER);
		return;
	}
	sock_hold(sk);
	tcp_v4_do_rcv(sk, skb);
	sock_put(sk);
}

static void rcv_listener_or_none(struct net *net, struct sk_buff *skb)
{
	const struct ip4_hdr *iph = ip_hdr(skb);
	const struct tcp_hdr *th = tcp_hdr(skb);
	struct sock *sk = inet_lookup_listener(net, ip4_daddr(iph), get_be16(th->dest), ip4_saddr(iph), get_be16(th->source),
					       skb->skb_iif);

	if (sk) {
		rcv_sock(sk, skb);
		return;
	}
	tcp_v4_send_reset(NULL, skb);
	kfree_skb_reason(skb, DROP_NO_SOCKET);
}

static int drop_bad(struct sk_buff *skb, enum drop_reason why)
{
	TCP_INC(skb->net, InErrs);
	if (why == DROP_TCP_CSUM)
		TCP_INC(skb->net, InCsumErrors);
	kfree_skb_reason(skb, why);
	return 0;
}

int tcp_v4_rcv(struct sk_buff *skb)
{
	struct net *net = skb->net;
	struct tcp_ehash_node *n;
	const struct ip4_hdr *iph;
	const struct tcp_hdr *th;
	TRACE_FN(&net->probe, skb->serial);

	if (skb->pkt_type != PACKET_HOST_) {
		kfree_skb_reason(skb, DROP_TCP_BAD_DEST);
		return 0;
	}
	TCP_INC(net, InSegs);
	if (!skb_may_pull(skb, TCP_HLEN))
		return drop_bad(skb, DROP_TCP_BAD_HDR);
	th = (const struct tcp_hdr *)(const void *)skb->data;
	if (tcp_hdrlen(th) < TCP_HLEN || !skb_may_pull(skb, tcp_hdrlen(th)))
		return drop_bad(skb, DROP_TCP_BAD_HDR);
	if (!csum_ok(skb))
		return drop_bad(skb, DROP_TCP_CSUM);
	skb_reset_transport_header(skb);
	th = tcp_hdr(skb);
	iph = ip_hdr(skb);
	tcp_fill_cb(skb, th);
	TCP_SKB_CB(skb)->ip_dsfield = iph->tos;
	TCP_SKB_CB(skb)->prio = 0;
	n = __inet_lookup_established(net, ip4_saddr(iph), get_be16(th->source), ip4_daddr(iph), get_be16(th->dest));
	if (likely(n && n->kind == TCP_EH_SOCK)) {
		rcv_sock(&container_of(n, struct inet_connection_sock, eh)->inet.sk, skb);
		return 0;
	}
	if (!get_be16(th->source)) {
		kfree_skb_reason(skb, DROP_TCP_BAD_HDR); /* nobody is there to be answered; to port 0: as to any closed port */
		return 0;
	}
	if (n && n->kind == TCP_EH_REQ)
		rcv_request(container_of(n, struct request_sock, eh), skb);
	else if (n)
		rcv_timewait(net, container_of(n, struct tcp_timewait_sock, eh), skb);
	else
		rcv_listener_or_none(net, skb);
	return 0;
}

/* ---- passive open ---- */
static const struct request_sock_ops tcp_request_sock_ops = { .family = AF_INET, .slab_name = "request_sock_TCP" };

static int tcp_v4_conn_request(struct sock *sk, struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);
	TRACE_FN(&sk->net->probe, skb->serial);

	/* MUST-57, MUST-63: never answer a SYN to or from a broadcast or multicast address */
	if ((rt && (rt->flags & (RTCF_BROADCAST_ | RTCF_MULTICAST_))) || ip4_is_multicast(ip4_saddr(ip_hdr(skb))) ||
	    ip4_is_lbcast(ip4_saddr(ip_hdr(skb)))) {
		TCPEXT_INC(sk->net, ListenDrops);
		return 0;
	}
	return tcp_conn_request(&tcp_request_sock_ops, inet_csk(sk)->af_ops, sk, skb);
}

/* MUST-53: the way that the SYN came by is kept, and its reverse is the connection's way from the SYN-ACK on. */
static void tcp_v4_init_req(struct request_sock *req, const struct sk_buff *skb) { tcp_rsk(req)->opt = ip_options_save(skb); }

static struct rtable *req_route(struct sock *lsk, const struct request_sock *req)
{
	const struct inet_sock *inet = inet_sk(lsk);
	const struct ip_options_rcu *opt = tcp_rsk(req)->opt;
	struct flowi4 fl4 = { .daddr = opt && opt->opt.srr ? opt->opt.faddr : req->eh.daddr, .saddr = req->eh.saddr,
			      .oif = lsk->bound_dev_if, .mark = tcp_rsk(req)->mark, .tos = inet->tos & 0x1c, .proto = IPPROTO_TCP, .sport = req->eh.num, .dport = req->eh.dport };
	int err = 0;

	return ip_route_output_flow(lsk->net, &fl4, lsk, &err);
}

static int tcp_v4_send_synack(struct sock *lsk, struct dst_entry *dst, struct request_sock *req, struct sk_buff *syn)
{
	struct rtable *rt = dst ? (struct rtable *)(void *)dst_hold(dst) : req_route(lsk, req);
	struct sk_buff *skb;
	TRACE_FN(&lsk->net->probe, syn ? syn->serial : 0);

	if (!rt)
		return -EHOSTUNREACH;
	skb = tcp_make_synack(lsk, &rt->dst, req);
	if (!skb) {
		dst_release(&rt->dst);
		return -ENOMEM;
	}
	__tcp_v4_send_check(skb, rt->dst.dev, req->eh.saddr, req->eh.daddr);
	skb_dst_set(skb, &rt->dst);
	return ip_build_and_send_pkt(skb, lsk, req->eh.saddr, req->eh.daddr, tcp_rsk(req)->opt,
				     (tcp_sysctl(lsk)->reflect_tos ? tcp_rsk(req)->syn_tos : inet_sk(lsk)->tos) & 0xfc);
}

static struct sock *tcp_v4_syn_recv_sock(struct sock *lsk, struct sk_buff *skb, struct request_sock *req, struct dst_entry *dst,
					 bool *own_req)
{
	struct rtable *rt;
	struct tcp_sock *tp;
	struct sock *sk;
	TRACE_FN(&lsk->net->probe, skb->serial);

	*own_req = false;
	if (inet_csk(lsk)->listener->qlen > inet_csk(lsk)->listener->max_qlen) {
		TCPEXT_INC(lsk->net, ListenOverflows);
		TCPEXT_INC(lsk->net, ListenDrops);
		return NULL;
	}
	rt = tcp_auth_may_inherit(lsk, req) ? req_route(lsk, req) : NULL;
	if (!rt) {
		TCPEXT_INC(lsk->net, ListenDrops);
		return NULL;
	}
	if (!tcp_rsk(req)->rcv_wnd)
		tcp_reqsk_window(lsk, &rt->dst, tcp_rsk(req));
	sk = tcp_create_openreq_child(lsk, req, skb);
	if (!sk) {
		dst_release(&rt->dst);
		return NULL;
	}
	sk_setup_caps(sk, &rt->dst);
	tcp_auth_inherit(lsk, sk, req);
	tp = tcp_sk(sk);
	tp->tcp_header_len = (uint8_t)(tp->tcp_header_len + tcp_auth_room(sk));
	inet_sk(sk)->opt = tcp_rsk(req)->opt;
	tcp_rsk(req)->opt = NULL;
	inet_csk(sk)->ext_hdr_len = inet_sk(sk)->opt ? inet_sk(sk)->opt->opt.optlen : 0;
	inet_sk(sk)->inet_id = (uint16_t)rng_u64(&sk->net->tcp->rng);
	tcp_sync_mss(sk, dst_mtu(&rt->dst));
	tp->advmss = (uint16_t)dst_advmss(&rt->dst);
	if (tp->rx_opt.user_mss && tp->rx_opt.user_mss < tp->advmss)
		tp->advmss = tp->rx_opt.user_mss;
	tcp_initialize_rcv_mss(sk);
	inet_inherit_port(lsk, sk);
	*own_req = true;
	(void)dst;
	return sk;
}

static const struct inet_connection_sock_af_ops ipv4_specific = {
	.queue_xmit = ip_queue_xmit,
	.send_check = tcp_v4_send_check,
	.rebuild_header = inet_sk_rebuild_header,
	.conn_request = tcp_v4_conn_request,
	.syn_recv_sock = tcp_v4_syn_recv_sock,
	.init_req = tcp_v4_init_req,
	.send_synack = tcp_v4_send_synack,
	.send_reset = tcp_v4_send_reset,
	.reqsk_send_ack = tcp_v4_reqsk_send_ack,
	.net_header_len = IP4_HLEN,
	.sockaddr_len = sizeof(struct sockaddr_in),
};

/* ---- the tables ---- */
static int tcp_v4_init_sock(struct sock *sk)
{
	int err = tcp_init_sock(sk);

	inet_csk(sk)->af_ops = &ipv4_specific;
	return err;
}

static int tcp_v4_get_port(struct sock *sk, uint16_t port)
{
	tcp_v4_port_range(sk);
	return inet_csk_get_port(sk, port);
}

static int tcp_v4_setsockopt(struct sock *sk, int level, int name, const void *val, socklen_t len)
{
	int err = level == IPPROTO_TCP ? tcp_setsockopt(sk, level, name, val, len) : ip_setsockopt(sk, level, name, val, len);

	if (!err && level == IPPROTO_IP && name == IP_OPTIONS) { /* they take room from each segment (MUST-16) */
		const struct ip_options_rcu *opt = inet_sk(sk)->opt;

		inet_csk(sk)->ext_hdr_len = opt ? opt->opt.optlen : 0;
		if (sk->dst_cache)
			tcp_sync_mss(sk, inet_csk(sk)->pmtu_cookie);
	}
	return err;
}
static int tcp_v4_getsockopt(struct sock *sk, int level, int name, void *val, socklen_t *len)
{
	return level == IPPROTO_TCP ? tcp_getsockopt(sk, level, name, val, len) : ip_getsockopt(sk, level, name, val, len);
}
static ssize_t tcp_v4_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, socklen_t *addr_len)
{
	if (unlikely(flags & MSG_ERRQUEUE))
		return ip_recv_error(sk, msg, len, addr_len);
	return tcp_recvmsg(sk, msg, len, flags, addr_len);
}

static struct pool *tcp_pool(struct net *net) { return &net->tcp->sock_pool; }

/* Built for each host: struct proto is written to by nobody, but is not const in sk_alloc. */
static const struct proto tcp_prot_template = {
	.name = "TCP",
	.obj_size = sizeof(struct tcp_sock),
	.init = tcp_v4_init_sock,
	.destroy = tcp_destroy_sock,
	.close = tcp_close,
	.connect = tcp_v4_connect,
	.disconnect = tcp_disconnect,
	.accept = inet_csk_accept,
	.ioctl = tcp_ioctl,
	.shutdown = tcp_shutdown,
	.setsockopt = tcp_v4_setsockopt,
	.getsockopt = tcp_v4_getsockopt,
	.sendmsg = tcp_sendmsg,
	.recvmsg = tcp_v4_recvmsg,
	.backlog_rcv = tcp_v4_do_rcv,
	.hash = inet_hash,
	.unhash = inet_unhash,
	.get_port = tcp_v4_get_port,
	.pool = tcp_pool,
	.keepalive = tcp_set_keepalive,
	.set_rcvlowat = tcp_set_rcvlowat,
	.tstamp_stats = tcp_tstamp_stats,
	.tskey_start = tcp_tskey_start,
};

static int tcp4_net_init(struct net *net)
{
	static const struct net_protocol tcp_protocol = { .handler = tcp_v4_rcv, .err_handler = tcp_v4_err, .no_policy = true };
	struct inet_protosw sw = { .type = SOCK_STREAM, .protocol = IPPROTO_TCP, .ops = &inet_stream_ops };
	int err;

	net->tcp->prot = tcp_prot_template;
	net->tcp->port_reserved = inet_is_local_reserved_port;
	sw.prot = &net->tcp->prot;
	err = inet_add_protocol(net, &tcp_protocol, IPPROTO_TCP);
	if (!err)
		err = inet_register_protosw(net, &sw);
	if (!err)
		err = tcp4_proc_init(net);
	return err;
}

static void tcp4_net_exit(struct net *net) { (void)net; }

const struct pernet_operations tcp4_net_ops = { .name = "tcp4", .init = tcp4_net_init, .exit = tcp4_net_exit };

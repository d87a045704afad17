/* Listening: bind conflicts, the SYN queue (request sockets and their SYN-ACK timer), the accept queue.
 *
 *   SYN -> request (SYN queue, counted in syn_qlen) -> ACK -> child (accept queue, qlen) -> accept()
 *
 * A listener owns both queues; closing it resets what was not accepted. Bounds: accept queue by the
 * backlog (somaxconn), SYN queue by the same (then SYN cookies), without cookies by three quarters of tcp_max_syn_backlog too.
 * Called by bind, listen, accept and by tcp_minisocks.c. RFC 9293 3.10.1, RFC 4987.
 * Tests: tests/unit/tcp. */
#include <fcntl.h>
#include <stdlib.h>
#include "tcp/tcp_int.h"

/* ---- bind ---- */
static bool addrs_overlap(const struct sock *a, const struct sock *b)
{
	uint32_t x = inet_sk(a)->rcv_saddr, y = inet_sk(b)->rcv_saddr;

	return (!a->bound_dev_if || !b->bound_dev_if || a->bound_dev_if == b->bound_dev_if) && (!x || !y || x == y);
}

static bool inet_csk_bind_conflict(const struct sock *sk, const struct inet_bind_bucket *tb)
{
	const struct sock *sk2;

	if (tb->tw && !sk->reuse && !sk->reuseport)
		return true;
	hlist_for_each_entry(sk2, &tb->owners, bind_node)
	{
		if (sk2 == sk || !addrs_overlap(sk, sk2))
			continue;
		if (sk->reuse && sk2->reuse && sk2->state != TCP_LISTEN)
			continue;
		if (sk->reuseport && sk2->reuseport && sk->uid == sk2->uid)
			continue;
		return true;
	}
	return false;
}

/* Odd ports first: connect() takes even ones. */
static uint16_t find_open_port(const struct sock *sk)
{
	struct tcp_net *tn = tcp_net(sk);
	uint32_t low = (uint32_t)tn->sysctl.port_range[0], high = (uint32_t)tn->sysctl.port_range[1] + 1;
	uint32_t range = (high - low) & ~1u, offset;

	if (range < 2)
		return inet_bind_bucket_find(sk->net, (uint16_t)low) || tn->port_reserved(sk->net, (uint16_t)low) ? 0 : (uint16_t)low;
	offset = rng_below(&tn->rng, range);
	for (uint32_t pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < range; i += 2) {
			uint16_t port = (uint16_t)(low + ((offset | 1u) + pass + i) % range);
			struct inet_bind_bucket *tb = inet_bind_bucket_find(sk->net, port);

			if (tn->port_reserved(sk->net, port))
				continue;
			if (!tb || (!tb->tw && !inet_csk_bind_conflict(sk, tb)))
				return port;
		}
	return 0;
}

int inet_csk_get_port(struct sock *sk, uint16_t port)
{
	struct inet_bind_bucket *tb;

	if (!port) {
		port = find_open_port(sk);
		if (!port)
			return -EADDRINUSE;
	}
	tb = inet_bind_bucket_find(sk->net, port);
	if (tb && inet_csk_bind_conflict(sk, tb))
		return -EADDRINUSE;
	if (inet_csk(sk)->bind_bucket)
		return 0;
	sk->userlocks |= 8;
	inet_bind_hash(sk, tb ? tb : inet_bind_bucket_get(sk->net, port));
	return 0;
}

/* ---- listen ---- */
int inet_csk_listen_start(struct sock *sk, int backlog)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	uint32_t max = sk->net->socks ? sk->net->socks->somaxconn : 4096;
	uint32_t want = backlog < 0 ? TCP_MAX_LISTEN_BACKLOG : min_u32((uint32_t)backlog, TCP_MAX_LISTEN_BACKLOG);
	int err;

	want = max ? min_u32(want, max) : want;
	if (sk->state == TCP_LISTEN) { /* listen() again only changes the backlog */
		icsk->listener->max_qlen = want;
		return 0;
	}
	lock_sock(sk);
	/* every listener is one for Fast Open, if the host says so */
	if (unlikely(((uint32_t)tcp_sysctl(sk)->fastopen & (TFO_SERVER_WO_SOCKOPT1 | TFO_SERVER)) == (TFO_SERVER_WO_SOCKOPT1 | TFO_SERVER)) &&
	    !tcp_rare(sk)->fastopen_qlen)
		tcp_rare(sk)->fastopen_qlen = (uint16_t)min_u32(want, UINT16_MAX);
	err = sk->prot->get_port(sk, inet_sk(sk)->num);
	if (!err) {
		icsk->listener = pool_zget(&tcp_net(sk)->listener_pool);
		list_init(&icsk->listener->accept_queue);
		list_init(&icsk->listener->requests);
		icsk->listener->max_qlen = want;
		icsk->ack_pending = 0;
		inet_sk(sk)->sport = inet_sk(sk)->num;
		sk_dst_reset(sk);
		tcp_set_state(sk, TCP_LISTEN);
		sk->prot->hash(sk);
	}
	release_sock(sk);
	return err;
}

static void inet_child_forget(struct sock *child)
{
	sock_hold(child);
	sock_orphan(child);
	sock_set_flag(child, SOCK_F_DEAD, true);
	child->dead = true;
	if (child->state != TCP_CLOSE) {
		tcp_send_active_reset(child);
		tcp_set_state(child, TCP_CLOSE);
	}
	inet_csk_destroy_sock(child);
	sock_put(child);
}

/* tcp_migrate_req: the listener of the same SO_REUSEPORT group whom this peer would reach now. NULL: there is none, or
 * the queue of a listener that closes is lost (as it is by default). */
static struct sock *reuseport_migrate_sock(const struct sock *sk, const struct tcp_ehash_node *eh)
{
	struct sock *nsk;

	if (likely(!tcp_sysctl(sk)->migrate_req) || !sk->reuseport)
		return NULL;
	nsk = inet_lookup_listener(sk->net, eh->saddr, eh->num, eh->daddr, eh->dport, sk->bound_dev_if);
	if (nsk && nsk != sk && nsk->reuseport && nsk->uid == sk->uid && inet_csk(nsk)->listener) {
		TCPEXT_INC(sk->net, TCPMigrateReqSuccess);
		return nsk;
	}
	TCPEXT_INC(sk->net, TCPMigrateReqFailure);
	return NULL;
}

/* Whose handshake goes on, or waits for accept(), goes to another listener. */
static void inet_csk_migrate(struct sock *sk, struct tcp_listener *l)
{
	struct tcp_accept *a, *tmp;
	struct request_sock *req, *rtmp;
	struct sock *nsk;

	list_for_each_entry_safe(req, rtmp, &l->requests, list) {
		nsk = reuseport_migrate_sock(sk, &req->eh);
		if (!nsk)
			continue;
		list_del_init(&req->list);
		l->syn_qlen--;
		req->lsk = nsk;
		list_add_tail(&req->list, &inet_csk(nsk)->listener->requests);
		inet_csk(nsk)->listener->syn_qlen++;
		inet_csk(nsk)->listener->young += !req->num_timeout;
	}
	list_for_each_entry_safe(a, tmp, &l->accept_queue, node) {
		struct sock *child = a->child;

		nsk = child->state == TCP_SYN_RECV ? NULL : reuseport_migrate_sock(sk, &inet_csk(child)->eh);
		if (!nsk)
			continue;
		inet_csk_unlink_accept(child);
		inet_csk_reqsk_queue_add(nsk, child);
		nsk->data_ready(nsk);
	}
}

void inet_csk_listen_stop(struct sock *sk)
{
	struct tcp_listener *l = inet_csk(sk)->listener;

	if (!l)
		return;
	if (unlikely(tcp_sysctl(sk)->migrate_req))
		inet_csk_migrate(sk, l);
	while (!list_empty(&l->requests))
		inet_csk_reqsk_queue_drop(list_first_entry(&l->requests, struct request_sock, list));
	while (!list_empty(&l->accept_queue)) {
		struct sock *child = list_first_entry(&l->accept_queue, struct tcp_accept, node)->child;

		inet_csk_unlink_accept(child);
		inet_child_forget(child);
	}
	pool_put(&tcp_net(sk)->listener_pool, l);
	inet_csk(sk)->listener = NULL;
}

void inet_csk_unlink_accept(struct sock *child)
{
	struct tcp_accept *a = tcp_sk(child)->accept;

	if (!a)
		return;
	list_del_init(&a->node);
	inet_csk(a->listener)->listener->qlen--;
	tcp_sk(child)->accept = NULL;
	pool_put(&tcp_net(child)->accept_pool, a);
}

bool inet_csk_reqsk_queue_add(struct sock *lsk, struct sock *child)
{
	struct tcp_listener *l = inet_csk(lsk)->listener;
	struct tcp_accept *a;

	if (lsk->state != TCP_LISTEN || !l) {
		inet_child_forget(child);
		return false;
	}
	a = pool_zget(&tcp_net(lsk)->accept_pool);
	a->child = child;
	a->listener = lsk;
	list_add_tail(&a->node, &l->accept_queue);
	tcp_sk(child)->accept = a;
	l->qlen++;
	return true;
}

struct sock *inet_csk_accept(struct sock *sk, int flags, int *err)
{
	TRACE_FN(&sk->net->probe, 0);
	uint64_t deadline = sock_deadline(sk->net->now_ns, sk->rcvtimeo_ns, (flags & O_NONBLOCK) != 0);
	struct tcp_listener *l;
	struct sock *child = NULL;

	*err = 0;
	lock_sock(sk);
	for (;;) {
		l = inet_csk(sk)->listener;
		if (sk->state != TCP_LISTEN || !l) {
			*err = -EINVAL;
			break;
		}
		if (!list_empty(&l->accept_queue)) {
			child = list_first_entry(&l->accept_queue, struct tcp_accept, node)->child;
			inet_csk_unlink_accept(child);
			break;
		}
		if (flags & O_NONBLOCK) {
			*err = -EAGAIN;
			break;
		}
		release_sock(sk);
		*err = wait_on_exclusive(sk->net, sk->wq, deadline);
		lock_sock(sk);
		if (*err) {
			if (*err == -ETIMEDOUT)
				*err = -EAGAIN;
			break;
		}
	}
	release_sock(sk);
	return child;
}

/* ---- requests ---- */
struct request_sock *inet_reqsk_alloc(const struct request_sock_ops *ops, struct sock *lsk)
{
	struct tcp_request_sock *t = pool_zget(&tcp_net(lsk)->req_pool);

	t->req.ops = ops;
	t->req.lsk = lsk;
	t->req.net = lsk->net;
	t->req.eh.kind = TCP_EH_REQ;
	list_init(&t->req.list);
	timer_setup(&t->req.timer, NULL);
	return &t->req;
}

void reqsk_free(struct request_sock *req)
{
	free(tcp_rsk(req)->opt);
	if (tcp_rsk(req)->saved_syn)
		pool_put(&req->net->tcp->saved_syn_pool, tcp_rsk(req)->saved_syn);
	pool_put(&req->net->tcp->req_pool, req);
}

/* Off the hash and the SYN queue, freed. */
void inet_csk_reqsk_queue_drop(struct request_sock *req)
{
	struct tcp_listener *l = inet_csk(req->lsk)->listener;

	inet_ehash_remove(req->net, &req->eh);
	del_timer(&req->net->wheel, &req->timer);
	list_del_init(&req->list);
	if (l) {
		l->syn_qlen--;
		if (!req->num_timeout && l->young)
			l->young--;
	}
	reqsk_free(req);
}

/* How often a SYN-ACK is repeated. When the queue is more than half full, old requests get fewer chances, so that
 * young ones live (RFC 4987 3.4). */
static unsigned reqsk_max_retries(const struct request_sock *req)
{
	const struct tcp_listener *l = inet_csk(req->lsk)->listener;
	const struct tcp_rare *rare = tcp_sk(req->lsk)->rare;
	unsigned max = rare && rare->syn_retries ? rare->syn_retries : (unsigned)req->net->tcp->sysctl.synack_retries;
	uint32_t young = l->young << 1;

	if (l->syn_qlen << 1 <= max_u32(8, l->max_qlen))
		return max;
	while (max > 2 && l->syn_qlen >= young) {
		max--;
		young <<= 1;
	}
	return max;
}

static void reqsk_timer_handler(struct timer_list *t)
{
	struct request_sock *req = container_of(t, struct request_sock, timer);
	struct net *net = req->net;
	struct sock *lsk = req->lsk;
	unsigned defer = tcp_sk(lsk)->rare ? tcp_sk(lsk)->rare->defer_accept : 0, max = reqsk_max_retries(req);
	TRACE_FN(&net->probe, 0);

	local_bh_disable(net);
	if (req->num_timeout >= max && (!req->acked || req->num_timeout >= defer)) {
		TCP_INC(net, AttemptFails);
		inet_csk_reqsk_queue_drop(req);
	} else {
		struct tcp_listener *l = inet_csk(lsk)->listener;

		if (!req->num_timeout && l->young)
			l->young--;
		req->num_timeout++;
		req->timeout_ns = min_u64(req->timeout_ns * 2, TCP_RTO_MAX_US * NSEC_PER_USEC);
		mod_timer(&net->wheel, &req->timer, net->now_ns + req->timeout_ns);
		/* TCP_DEFER_ACCEPT: the handshake is complete, only data is missing. Silence until the time is nearly over,
		 * then one SYN-ACK more, whose ACK is accepted without data. */
		if (defer && req->acked && req->num_timeout < defer) {
			local_bh_enable(net);
			return;
		}
		req->num_retrans++;
		TCPEXT_INC(net, TCPTimeouts);
		TCP_INC(net, RetransSegs);
		TCPEXT_INC(net, TCPSynRetrans);
		inet_csk(lsk)->af_ops->send_synack(lsk, NULL, req, NULL);
	}
	local_bh_enable(net);
}

void inet_csk_reqsk_queue_hash_add(struct sock *lsk, struct request_sock *req, uint64_t timeout_ns)
{
	struct tcp_listener *l = inet_csk(lsk)->listener;

	req->timeout_ns = timeout_ns;
	timer_setup(&req->timer, reqsk_timer_handler);
	mod_timer(&req->net->wheel, &req->timer, req->net->now_ns + timeout_ns);
	inet_ehash_insert(req->net, &req->eh);
	list_add_tail(&req->list, &l->requests);
	l->syn_qlen++;
	l->young++;
}

/* A socket for an accepted request: the listener's options, nothing of its state. */
struct sock *inet_csk_clone_lock(const struct sock *lsk, const struct request_sock *req)
{
	struct sock *sk = sk_alloc(lsk->net, lsk->family, lsk->type, lsk->protocol, lsk->prot);
	struct inet_sock *inet;

	if (!sk)
		return NULL;
	sock_init_data(NULL, sk);
	sk->bound_dev_if = lsk->bound_dev_if;
	sk->reuse = lsk->reuse;
	sk->reuseport = lsk->reuseport;
	sk->flags = lsk->flags & (SOCK_F_URGINLINE | SOCK_F_KEEPOPEN | SOCK_F_LINGER | SOCK_F_DONTROUTE |
				  SOCK_F_TIMESTAMP | SOCK_F_RCVTSTAMP | SOCK_F_RCVTSTAMPNS | SOCK_F_ZEROCOPY);
	sk->mark = tcp_rsk(req)->mark;
	sk->priority = lsk->priority;
	sk->lingertime_ns = lsk->lingertime_ns;
	sk->rcvtimeo_ns = lsk->rcvtimeo_ns;
	sk->sndtimeo_ns = lsk->sndtimeo_ns;
	sk->rcvlowat = lsk->rcvlowat;
	sk->tsflags = lsk->tsflags;
	sk->uid = lsk->uid;
	sk->owner_pid = lsk->owner_pid;
	memcpy(sk->owner_comm, lsk->owner_comm, sizeof(sk->owner_comm));
	sk->max_pacing_rate = lsk->max_pacing_rate;
	sk->destruct = lsk->destruct;
	sk_filter_copy(sk, lsk);
	inet = inet_sk(sk);
	memcpy((char *)inet + sizeof(struct sock), (const char *)inet_sk(lsk) + sizeof(struct sock),
	       sizeof(struct inet_sock) - sizeof(struct sock));
	list_init(&inet->mc_list);
	inet->cork = NULL;
	inet->opt = NULL;
	inet->is_icsk = true;
	if (tcp_sysctl(lsk)->reflect_tos)
		inet->tos = tcp_rsk(req)->syn_tos & 0xfc;
	if (sk->prot->init(sk)) {
		sock_put(sk);
		return NULL;
	}
	sk->userlocks = lsk->userlocks & 3;
	if (lsk->userlocks & 1)
		sk->sndbuf = lsk->sndbuf;
	if (lsk->userlocks & 2)
		sk->rcvbuf = lsk->rcvbuf;
	inet->daddr = req->eh.daddr;
	inet->rcv_saddr = inet->saddr = req->eh.saddr;
	inet->dport = req->eh.dport;
	inet->num = inet->sport = req->eh.num;
	sk->state = TCP_SYN_RECV;
	return sk;
}

/* struct sock: life and accounting, waiting, queues, wake-ups, the error queue, readiness. */
#include <errno.h>
#include <linux/net_tstamp.h>
#include "room_fixture.h"

static unsigned destroyed, destructed, space_calls;

static void t_destroy(struct sock *sk)
{
	destroyed++;
}

static void t_destruct(struct sock *sk)
{
	assert_int_equal(destroyed, 1); /* the protocol first, then the family */
	destructed++;
}

static struct pool test_pool;

static struct pool *t_pool(struct net *net)
{
	return &test_pool;
}

static struct proto test_proto = { .name = "TEST", .obj_size = sizeof(struct sock), .destroy = t_destroy, .pool = t_pool };

static struct sock *sk_new(struct fx *f)
{
	struct sock *sk;

	if (!test_pool.size)
		pool_init(&test_pool, "test", sizeof(struct sock), 8);
	sk = sk_alloc(f->net, AF_INET, SOCK_DGRAM, 17, &test_proto);
	sock_init_data(NULL, sk);
	sk->destruct = t_destruct;
	destroyed = destructed = 0;
	return sk;
}

static void end(struct fx *f)
{
	fx_free(f);
	pool_destroy(&test_pool);
	memset(&test_pool, 0, sizeof(test_pool));
}

static struct sk_buff *data(struct fx *f, uint32_t len)
{
	struct sk_buff *skb = alloc_skb(f->net, len);

	memset(skb_put(skb, len), 'x', len);
	return skb;
}

static void life_ends_with_the_last_reference(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct sock *sk = sk_new(f);
	struct sk_buff *skb = data(f, 100);
	struct strbuf sb;

	sb_init(&sb);
	assert_int_equal(f->net->socks->inuse, 1);
	proc_read(f->net, "net/sockstat", &sb);
	assert_text(&sb, "sockets: used 1\n");
	assert_int_equal(sk->rcvbuf, 212992);
	assert_int_equal(sk->sndbuf, 212992);
	sock_hold(sk);
	skb_set_owner_w(skb, sk);
	assert_int_equal(sk->refcnt, 3);
	sock_put(sk);
	sk_prot_destroy(sk); /* what a protocol does at close */
	sock_put(sk);
	assert_int_equal(destructed, 0); /* a packet is still on its way */
	consume_skb(skb);
	assert_int_equal(destroyed, 1);
	assert_int_equal(destructed, 1);
	assert_int_equal(f->net->socks->inuse, 0);
	sb_free(&sb);
	end(f);
}

static void t_space(struct sock *sk)
{
	space_calls++;
}

static void s1_02_orphan_gives_back_wmem(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct sock *sk = sk_new(f);
	struct sk_buff *skb = data(f, 1000), *skb2 = data(f, 10);

	sk->write_space = t_space;
	space_calls = 0;
	skb_set_owner_w(skb, sk);
	skb_set_owner_w(skb2, sk);
	assert_int_equal(sk->wmem_alloc, skb->truesize + skb2->truesize);
	assert_ptr_equal(skb->sk, sk);
	skb_orphan(skb);
	assert_int_equal(sk->wmem_alloc, skb2->truesize);
	assert_null(skb->sk);
	assert_null(skb->destructor);
	assert_int_equal(space_calls, 1);
	consume_skb(skb);
	kfree_skb_reason(skb2, DROP_NOT_SPECIFIED);
	assert_int_equal(sk->wmem_alloc, 0);
	sock_put(sk);
	end(f);
}

static void rcvbuf_bounds_the_queue(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct sock *sk = sk_new(f);
	struct sk_buff *skb;
	unsigned n = 0;
	int err;

	sk->rcvbuf = 8000;
	for (;;) {
		skb = data(f, 500);
		if (sock_queue_rcv_skb(sk, skb))
			break;
		assert_null(skb->dev);
		n++;
	}
	kfree_skb_reason(skb, DROP_SOCKET_RCVBUFF);
	assert_true(n > 3 && n < 20);
	assert_int_equal(sk->drops, 1);
	assert_int_equal(sk->receive_queue.qlen, n);
	assert_true(sk->rmem_alloc >= sk->rcvbuf);
	skb = skb_recv_datagram(sk, MSG_DONTWAIT, &err);
	assert_non_null(skb);
	consume_skb(skb);
	assert_true(sk->rmem_alloc < 8000);
	sock_put(sk); /* the rest dies with it, of a reason */
	assert_int_equal(f->net->skb_mib.dropped_by[DROP_SOCKET_CLOSE], n - 1);
	end(f);
}

static void recv_datagram_orders_its_answers(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct sock *sk = sk_new(f);
	struct sk_buff *skb, *peek;
	int err = 1;

	assert_null(skb_recv_datagram(sk, MSG_DONTWAIT, &err));
	assert_int_equal(err, -EAGAIN);
	sock_queue_rcv_skb(sk, data(f, 3));
	peek = skb_recv_datagram(sk, MSG_PEEK, &err);
	assert_int_equal(peek->users, 2);
	consume_skb(peek);
	assert_int_equal(sk->receive_queue.qlen, 1);
	sk->err = ECONNREFUSED; /* an error comes before data, once */
	assert_null(skb_recv_datagram(sk, 0, &err));
	assert_int_equal(err, -ECONNREFUSED);
	skb = skb_recv_datagram(sk, 0, &err);
	assert_int_equal(err, 0);
	consume_skb(skb);
	sk->shutdown = SHUT_MASK_RCV; /* end of file, not an error */
	assert_null(skb_recv_datagram(sk, 0, &err));
	assert_int_equal(err, 0);
	/* nobody who could sleep */
	sk->shutdown = 0;
	assert_null(skb_recv_datagram(sk, 0, &err));
	assert_int_equal(err, -EAGAIN);
	sock_put(sk);
	end(f);
}

struct reader {
	struct fx *f;
	struct sock *sk;
	uint64_t woke_at;
	int err;
	struct sk_buff *got;
};

static int reader_main(struct task *t, void *arg)
{
	struct reader *r = arg;

	r->got = skb_recv_datagram(r->sk, 0, &r->err);
	r->woke_at = t->net->now_ns;
	if (r->got) {
		TRACE(&t->net->probe, TR_COPY, r->got->serial, "to=user");
		consume_skb(r->got);
	}
	return 0;
}

static void s2_13_queue_then_wake_then_copy(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct reader r = { .f = f, .sk = sk_new(f) };
	struct fx_prog p = { .fn = reader_main, .arg = &r };
	struct task *t = fx_start(f, &p, "reader");
	long queue, readable, wake, run, copy;
	uint64_t switches;

	net_run(f->net);
	assert_int_equal(t->state, TASK_SLEEPING);
	switches = t->switches;
	fx_trace(f);
	sock_queue_rcv_skb(r.sk, data(f, 5));
	assert_int_equal(t->state, TASK_RUNNABLE);
	net_run(f->net);
	assert_true(p.done);
	assert_int_equal(t->switches, switches + 1);
	queue = rec_find(&f->rec, 0, TR_QUEUE, "queue=sk_receive_queue len=1");
	readable = rec_find(&f->rec, 0, TR_ENTER, "sock_def_readable");
	wake = rec_find(&f->rec, 0, TR_TASK, "wake");
	run = rec_find(&f->rec, 0, TR_TASK, "run");
	copy = rec_find(&f->rec, 0, TR_COPY, "to=user");
	assert_true(queue >= 0 && queue < readable && readable < wake && wake < run && run < copy);
	task_free(t);
	sock_put(r.sk);
	end(f);
}

static void rcvtimeo_is_eagain_at_its_time(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct reader r = { .f = f, .sk = sk_new(f) };
	uint64_t t0 = f->net->now_ns;

	r.sk->rcvtimeo_ns = 1500 * NSEC_PER_MSEC;
	fx_prog_run(f, reader_main, &r);
	assert_null(r.got);
	assert_int_equal(r.err, -EAGAIN);
	assert_int_equal(r.woke_at, t0 + 1500 * NSEC_PER_MSEC);
	sock_put(r.sk);
	end(f);
}

struct sender {
	struct sock *sk;
	struct sk_buff *held;
	uint64_t got_at;
	int err;
};

static int sender_main(struct task *t, void *arg)
{
	struct sender *s = arg;
	struct sk_buff *skb = sock_alloc_send_skb(s->sk, 100, false, &s->err);

	s->got_at = t->net->now_ns;
	if (skb)
		consume_skb(skb);
	return 0;
}

static void sender_waits_for_room(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct sender s = { .sk = sk_new(f), .held = data(f, 6000) };
	struct fx_prog p = { .fn = sender_main, .arg = &s };
	struct task *t;
	int err;

	s.sk->sndbuf = 5000;
	skb_set_owner_w(s.held, s.sk);
	assert_null(sock_alloc_send_skb(s.sk, 100, true, &err));
	assert_int_equal(err, -EAGAIN);
	t = fx_start(f, &p, "sender");
	net_run(f->net);
	assert_int_equal(t->state, TASK_SLEEPING);
	net_enter(f->net, f->net->now_ns + 5);
	consume_skb(s.held);
	net_run(f->net);
	assert_true(p.done);
	assert_int_equal(s.err, 0);
	assert_int_equal(s.got_at, f->net->now_ns);
	task_free(t);
	s.sk->shutdown = SHUT_MASK_SEND;
	assert_null(sock_alloc_send_skb(s.sk, 100, true, &err));
	assert_int_equal(err, -EPIPE);
	sock_put(s.sk);
	end(f);
}

static void error_queue_sets_the_sockets_error(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct sock *sk = sk_new(f);
	struct sk_buff *skb;

	for (unsigned i = 0; i < 3; i++) {
		skb = data(f, 8);
		memset(skb_ext_err(skb), 0, sizeof(struct sock_exterr_skb));
		skb_ext_err(skb)->ee.ee_errno = i ? EHOSTUNREACH : ECONNREFUSED;
		skb_ext_err(skb)->ee.ee_origin = i == 2 ? SO_EE_ORIGIN_TIMESTAMPING : SO_EE_ORIGIN_ICMP;
		assert_int_equal(sock_queue_err_skb(sk, skb), 0);
	}
	sk->err = ECONNREFUSED;
	skb = sock_dequeue_err_skb(sk);
	assert_int_equal(sk->err, EHOSTUNREACH);
	consume_skb(skb);
	skb = sock_dequeue_err_skb(sk);
	assert_int_equal(sk->err, 0);
	consume_skb(skb);
	skb = sock_dequeue_err_skb(sk);
	consume_skb(skb);
	assert_null(sock_dequeue_err_skb(sk));
	sk->rcvbuf = 100;
	skb = data(f, 8);
	assert_int_equal(sock_queue_err_skb(sk, skb), -ENOMEM);
	consume_skb(skb);
	sock_put(sk);
	end(f);
}

static void readiness_follows_state(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct socket s = { .net = f->net, .type = SOCK_DGRAM };
	struct sock *sk = sk_new(f);
	struct sk_buff *skb;

	init_waitqueue_head(&s.wq);
	sock_graft(sk, &s);
	assert_ptr_equal(sk->wq, &s.wq);
	assert_true(sk->ino > 0);
	assert_int_equal(datagram_poll(&s), POLLOUT | POLLWRNORM | POLLWRBAND);
	sock_queue_rcv_skb(sk, data(f, 1));
	assert_true(datagram_poll(&s) & POLLIN);
	sk->err = EIO;
	assert_true(datagram_poll(&s) & POLLERR);
	sk->err = 0;
	sk->shutdown = SHUT_MASK_RCV;
	assert_true(datagram_poll(&s) & POLLRDHUP);
	assert_false(datagram_poll(&s) & POLLHUP);
	sk->shutdown = SHUT_MASK_RCV | SHUT_MASK_SEND;
	assert_true(datagram_poll(&s) & POLLHUP);
	skb = data(f, 4000);
	sk->sndbuf = 5000;
	skb_set_owner_w(skb, sk);
	assert_false(datagram_poll(&s) & POLLOUT);
	consume_skb(skb);
	sock_orphan(sk);
	assert_ptr_equal(sk->wq, &sk->wq_own);
	sock_put(sk);
	end(f);
}

static void cmsg_is_cut_and_says_so(void **state)
{
	char room[CMSG_SPACE(8) + 4] __attribute__((aligned(8)));
	struct msghdr m = { .msg_control = room, .msg_controllen = sizeof(room) }, u;
	struct cmsghdr *c;
	uint64_t v = 0x1122334455667788ull;

	put_cmsg(&m, SOL_SOCKET, SO_TIMESTAMP, 8, &v);
	assert_int_equal(m.msg_flags, 0);
	put_cmsg(&m, SOL_SOCKET, SO_TIMESTAMP, 8, &v);
	assert_int_equal(m.msg_flags, MSG_CTRUNC);
	u = (struct msghdr){ .msg_control = room, .msg_controllen = CMSG_SPACE(8) };
	c = CMSG_FIRSTHDR(&u);
	assert_int_equal(c->cmsg_len, CMSG_LEN(8));
	assert_memory_equal(CMSG_DATA(c), &v, 8);
	m = (struct msghdr){ .msg_control = room, .msg_controllen = CMSG_LEN(3) };
	put_cmsg(&m, SOL_SOCKET, 1, 8, &v);
	assert_int_equal(m.msg_flags, MSG_CTRUNC);
	assert_int_equal(m.msg_controllen, 0);
	assert_int_equal(((struct cmsghdr *)(void *)room)->cmsg_len, CMSG_LEN(3));
	m = (struct msghdr){ 0 };
	put_cmsg(&m, SOL_SOCKET, 1, 8, &v);
	assert_int_equal(m.msg_flags, MSG_CTRUNC);
}

static void timestamps_tell_virtual_time(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct sock *sk = sk_new(f);
	char room[256] __attribute__((aligned(8)));
	struct msghdr m = { .msg_control = room, .msg_controllen = sizeof(room) };
	struct cmsghdr *c = (void *)room;
	struct sk_buff *skb = data(f, 1);
	struct timespec ts;

	skb->tstamp_ns = 5 * NSEC_PER_SEC + 17;
	sock_recv_timestamp(&m, sk, skb);
	assert_int_equal(m.msg_controllen, sizeof(room)); /* nobody asked */
	sock_set_flag(sk, SOCK_F_RCVTSTAMP | SOCK_F_RCVTSTAMPNS, true);
	sock_recv_timestamp(&m, sk, skb);
	assert_int_equal(c->cmsg_type, SO_TIMESTAMPNS);
	memcpy(&ts, CMSG_DATA(c), sizeof(ts));
	assert_int_equal(ts.tv_sec, 5);
	assert_int_equal(ts.tv_nsec, 17);
	consume_skb(skb);
	/* of a packet that was sent */
	sk->tsflags = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;
	sock_tx_timestamp(sk, NULL, SCM_TSTAMP_ACK, 41);
	skb = sock_dequeue_err_skb(sk);
	assert_int_equal(skb->len, 0);
	assert_int_equal(skb_ext_err(skb)->ee.ee_errno, ENOMSG);
	assert_int_equal(skb_ext_err(skb)->ee.ee_info, SCM_TSTAMP_ACK);
	assert_int_equal(skb_ext_err(skb)->ee.ee_data, 41);
	assert_int_equal(skb->tstamp_ns, f->net->now_ns);
	consume_skb(skb);
	sock_put(sk);
	end(f);
}

static struct dst_entry *stale_check(struct dst_entry *dst, uint32_t cookie)
{
	return cookie ? NULL : dst;
}

static void cached_route_is_let_go_when_stale(void **state)
{
	static const struct dst_ops ops = { .check = stale_check };
	struct fx *f = fx_rooms(NULL);
	struct sock *sk = sk_new(f);
	struct dst_entry d = { .net = f->net, .ops = &ops, .refcnt = 2 };

	sk_dst_set(sk, &d);
	assert_ptr_equal(__sk_dst_check(sk, 0), &d);
	assert_null(__sk_dst_check(sk, 1));
	assert_int_equal(d.refcnt, 1);
	assert_null(sk->dst_cache);
	sock_put(sk);
	end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(life_ends_with_the_last_reference),
		cmocka_unit_test(s1_02_orphan_gives_back_wmem),
		cmocka_unit_test(rcvbuf_bounds_the_queue),
		cmocka_unit_test(recv_datagram_orders_its_answers),
		cmocka_unit_test(s2_13_queue_then_wake_then_copy),
		cmocka_unit_test(rcvtimeo_is_eagain_at_its_time),
		cmocka_unit_test(sender_waits_for_room),
		cmocka_unit_test(error_queue_sets_the_sockets_error),
		cmocka_unit_test(readiness_follows_state),
		cmocka_unit_test(cmsg_is_cut_and_says_so),
		cmocka_unit_test(timestamps_tell_virtual_time),
		cmocka_unit_test(cached_route_is_let_go_when_stale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The socket map: octets from one socket of a host straight to another's receive queue, in the order in which they were
 * sent whatever way each of them took, with set-up and end as real TCP (S2-81). */
#include <asm/ioctls.h>
#include <linux/sockios.h>
#include "base/rng.h"
#include "core/netdevice.h"
#include "sock_fixture.h"
#include "socket/file.h"
#include "tcp/sock_map.h"

static struct fx *map_up(void)
{
	struct fx *f = host_up();

	assert_int_equal(sysctl_set(f->net, "net.culver.sockmap", "1"), 0);
	return f;
}

static struct sock *sk_of(struct task *t, int fd)
{
	return file_socket(task_files(t)->fd[fd])->sk;
}

static int opt(struct task *t, int fd)
{
	int v = -1;
	socklen_t len = sizeof(v);

	assert_int_equal(sys_getsockopt(t, fd, IPPROTO_TCP, TCP_SOCKMAP, &v, &len), 0);
	return v;
}

static void set_int(struct task *t, int fd, int level, int name, int v)
{
	assert_int_equal(sys_setsockopt(t, fd, level, name, &v, sizeof(v)), 0);
}

static uint64_t lo_packets(struct fx *f)
{
	return f->net->mib.tcp.OutSegs;
}

/* Nothing is on its way: each side's numbers are the other's. */
static void assert_numbers(struct task *t, const int fd[2])
{
	const struct tcp_sock *a = tcp_sk(sk_of(t, fd[0])), *b = tcp_sk(sk_of(t, fd[1]));

	assert_int_equal(a->snd_una, a->write_seq);
	assert_int_equal(a->snd_nxt, a->write_seq);
	assert_int_equal(b->snd_una, b->write_seq);
	assert_int_equal(a->write_seq, b->rcv_nxt);
	assert_int_equal(b->write_seq, a->rcv_nxt);
	assert_true(a->snd_up == a->snd_una && b->snd_up == b->snd_una);
}

static void ping_pong(struct task *t, const int fd[2], unsigned rounds)
{
	char b[64];

	for (unsigned i = 0; i < 2 * rounds; i++) {
		fill(b, i, sizeof(b));
		assert_int_equal(sys_sendto(t, fd[i & 1], b, sizeof(b), 0, NULL, 0), sizeof(b));
		memset(b, 0, sizeof(b));
		assert_int_equal(sys_recvfrom(t, fd[!(i & 1)], b, sizeof(b), 0, NULL, NULL), sizeof(b));
		check(b, i, sizeof(b));
	}
}

/* ---- the way ---- */

static int way_prog(struct task *t, void *arg)
{
	struct fx *f = arg;
	static const char *const through[] = { "SyS_sendto", "sock_sendmsg", "inet_sendmsg", "tcp_bpf_sendmsg",
					       "tcp_bpf_send_verdict", "bpf_tcp_ingress", "sk_msg_memcopy_from_iter",
					       "sk_psock_queue_msg", "sk_psock_data_ready", "SyS_recvfrom", "tcp_bpf_recvmsg",
					       "tcp_recvmsg", NULL };
	static const char *const not[] = { "tcp_sendmsg", "__tcp_transmit_skb", "ip_queue_xmit", "ip_output", "dev_queue_xmit",
					   "loopback_xmit", "netif_rx", "ip_rcv", "tcp_v4_rcv" };
	uint64_t before;
	int fd[2];

	tcp_pair(t, 80, fd);
	assert_int_equal(opt(t, fd[0]), SOCK_MAP_JOINED);
	assert_int_equal(opt(t, fd[1]), SOCK_MAP_JOINED);
	before = lo_packets(f);
	assert_true(before >= 3); /* SYN, SYN-ACK, ACK */
	fx_trace(f);
	ping_pong(t, fd, 1);
	probe_detach(&f->net->probe, &f->rec.sink);
	rec_assert_order(&f->rec, through);
	for (size_t i = 0; i < ARRAY_SIZE(not); i++)
		assert_true(rec_find(&f->rec, 0, TR_ENTER, not[i]) < 0);
	assert_int_equal(rec_count(&f->rec, TR_COPY, "from=user to=skb"), 2);
	ping_pong(t, fd, 100);
	assert_int_equal(lo_packets(f), before);
	assert_numbers(t, fd);
	/* the end is TCP's: FIN, ACK, FIN, ACK */
	fx_trace(f);
	assert_int_equal(sys_close(t, fd[0]), 0);
	assert_int_equal(sys_close(t, fd[1]), 0);
	probe_detach(&f->net->probe, &f->rec.sink);
	assert_true(lo_packets(f) >= before + 3);
	assert_true(rec_find(&f->rec, 0, TR_ENTER, "tcp_v4_rcv") >= 0);
	assert_int_equal(f->net->mib.tcp.OutRsts, 0);
	assert_int_equal(f->net->mib.tcp.RetransSegs, 0);
	assert_int_equal(f->net->tcp->tw_count, 1);
	assert_int_equal(f->net->tcp->sockmap->n_members, 0);
	assert_int_equal(f->net->tcp->sockmap->msgs, 202);
	assert_int_equal(f->net->tcp->sockmap->by_tcp, 0);
	return 0;
}

static void s2_81_octets_skip_tcp_output_ip_and_lo(void **state)
{
	struct fx *f = map_up();

	RUN(f, way_prog);
	host_down(f);
}

static int off_prog(struct task *t, void *arg)
{
	struct fx *f = arg;
	uint64_t before;
	int fd[2];

	tcp_pair(t, 80, fd);
	assert_int_equal(opt(t, fd[0]), SOCK_MAP_OUT);
	before = lo_packets(f);
	ping_pong(t, fd, 5);
	assert_true(lo_packets(f) >= before + 10);
	assert_null(f->net->tcp->sockmap);
	close_all(t, fd, 2);
	return 0;
}

static void s2_81_off_unless_asked_for(void **state)
{
	struct fx *f = host_up();

	RUN(f, off_prog);
	host_down(f);
}

/* ---- who is in it ---- */

static int member_prog(struct task *t, void *arg)
{
	struct fx *f = arg;
	struct sockaddr_in a = lo_addr(81);
	struct strbuf sb;
	int fd[2], l, v = 2;
	uint64_t before;

	/* one side alone is not joined; both are from the octet on at which the second says so */
	tcp_pair(t, 80, fd);
	set_int(t, fd[0], IPPROTO_TCP, TCP_SOCKMAP, 1);
	assert_int_equal(opt(t, fd[0]), SOCK_MAP_ALONE);
	ping_pong(t, fd, 3);
	set_int(t, fd[1], IPPROTO_TCP, TCP_SOCKMAP, 1);
	assert_int_equal(opt(t, fd[0]), SOCK_MAP_JOINED);
	ping_pong(t, fd, 1);
	before = lo_packets(f);
	ping_pong(t, fd, 3);
	assert_int_equal(lo_packets(f), before);
	sb_init(&sb);
	assert_int_equal(proc_read(f->net, "net/sockmap", &sb), 0);
	assert_non_null(strstr(sb_str(&sb), "sockets 2 pairs 1 joined 1 messages "));
	assert_non_null(strstr(sb_str(&sb), "127.0.0.1:80"));
	sb_free(&sb);
	/* out again: from that octet on by TCP */
	set_int(t, fd[0], IPPROTO_TCP, TCP_SOCKMAP, 0);
	assert_int_equal(opt(t, fd[0]), SOCK_MAP_OUT);
	assert_int_equal(opt(t, fd[1]), SOCK_MAP_ALONE);
	ping_pong(t, fd, 3);
	assert_true(lo_packets(f) >= before + 6);
	assert_int_equal(sys_setsockopt(t, fd[0], IPPROTO_TCP, TCP_SOCKMAP, &v, sizeof(v)), -EINVAL);
	close_all(t, fd, 2);
	/* a listener's choice is its children's; a caller's is kept until it is established */
	l = sys_socket(t, AF_INET, SOCK_STREAM, 0);
	set_int(t, l, IPPROTO_TCP, TCP_SOCKMAP, 1);
	assert_int_equal(opt(t, l), SOCK_MAP_OUT);
	assert_int_equal(sys_bind(t, l, SA(&a), sizeof(a)), 0);
	assert_int_equal(sys_listen(t, l, 5), 0);
	fd[0] = sys_socket(t, AF_INET, SOCK_STREAM, 0);
	set_int(t, fd[0], IPPROTO_TCP, TCP_SOCKMAP, 1);
	assert_int_equal(sys_connect(t, fd[0], SA(&a), sizeof(a)), 0);
	fd[1] = sys_accept4(t, l, NULL, NULL, 0);
	assert_int_equal(opt(t, fd[1]), SOCK_MAP_JOINED);
	close_all(t, fd, 2);
	/* the sysctl on, but this one said no */
	assert_int_equal(sysctl_set(f->net, "net.culver.sockmap", "1"), 0);
	fd[0] = sys_socket(t, AF_INET, SOCK_STREAM, 0);
	set_int(t, fd[0], IPPROTO_TCP, TCP_SOCKMAP, 0);
	assert_int_equal(sys_connect(t, fd[0], SA(&a), sizeof(a)), 0);
	fd[1] = sys_accept4(t, l, NULL, NULL, 0);
	assert_int_equal(opt(t, fd[1]), SOCK_MAP_ALONE);
	ping_pong(t, fd, 2);
	close_all(t, fd, 2);
	sys_close(t, l);
	return 0;
}

static void s2_81_both_ends_must_be_members(void **state)
{
	struct fx *f = host_up();

	RUN(f, member_prog);
	assert_int_equal(f->net->tcp->sockmap->n_members, 0);
	host_down(f);
}

static int self_prog(struct task *t, void *arg)
{
	struct sockaddr_in a = lo_addr(5555);
	int s = sys_socket(t, AF_INET, SOCK_STREAM, 0), one[2] = { s, s };

	(void)arg;
	assert_int_equal(sys_bind(t, s, SA(&a), sizeof(a)), 0);
	assert_int_equal(sys_connect(t, s, SA(&a), sizeof(a)), 0); /* simultaneous open with itself */
	assert_int_equal(opt(t, s), SOCK_MAP_ALONE);
	ping_pong(t, one, 2);
	assert_int_equal(sys_close(t, s), 0);
	return 0;
}

static void a_socket_that_is_its_own_peer_stays_alone(void **state)
{
	struct fx *f = map_up();

	RUN(f, self_prog);
	host_down(f);
}

/* ---- room, waiting, readiness ---- */

static size_t stuff(struct task *t, int fd, uint64_t *at, size_t piece)
{
	uint8_t *b = malloc(piece);
	size_t done = 0;
	ssize_t n;

	for (;;) {
		fill(b, *at, piece);
		n = sys_sendto(t, fd, b, piece, MSG_DONTWAIT, NULL, 0);
		if (n < 0)
			break;
		*at += (uint64_t)n;
		done += (size_t)n;
	}
	assert_int_equal(n, -EAGAIN);
	free(b);
	return done;
}

static void drain_to(struct task *t, int fd, uint64_t *at, uint64_t end)
{
	uint8_t b[3000];

	while (*at < end) {
		ssize_t n = sys_recvfrom(t, fd, b, sizeof(b), MSG_DONTWAIT, NULL, NULL);

		assert_true(n > 0);
		check(b, *at, (size_t)n);
		*at += (uint64_t)n;
	}
}

static int room_prog(struct task *t, void *arg)
{
	struct pollfd p = { .events = POLLOUT | POLLIN };
	struct epoll_event ev = { .events = EPOLLOUT | EPOLLET }, got;
	uint64_t sent = 0, read = 0;
	static const size_t pieces[] = { 1, 64, 1000, 65536, 1000000 };
	int fd[2], ep = sys_epoll_create1(t, 0), small = 20000, v;

	(void)arg;
	tcp_pair(t, 80, fd);
	p.fd = fd[0];
	set_int(t, fd[1], SOL_SOCKET, SO_RCVBUF, small);
	assert_int_equal(sys_epoll_ctl(t, ep, EPOLL_CTL_ADD, fd[0], &ev), 0);
	assert_int_equal(sys_epoll_wait(t, ep, &got, 1, 0), 1);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct sock *rsk = sk_of(t, fd[1]);
		size_t n = stuff(t, fd[0], &sent, pieces[i]);

		/* the receiver's buffer is the bound, and small messages do not waste it */
		assert_true(rsk->rmem_alloc <= 2 * rsk->rcvbuf);
		assert_true(n >= (size_t)rsk->rcvbuf / 4);
		assert_int_equal(sys_poll(t, &p, 1, 0), 0); /* not writable */
		assert_int_equal(sys_epoll_wait(t, ep, &got, 1, 0), 0);
		assert_int_equal(sys_ioctl(t, fd[1], SIOCINQ, &v), 0);
		assert_int_equal(v, n);
		assert_int_equal(sys_ioctl(t, fd[0], SIOCOUTQ, &v), 0);
		assert_int_equal(v, 0);
		drain_to(t, fd[1], &read, sent);
		assert_int_equal(sys_epoll_wait(t, ep, &got, 1, 0), 1); /* told once */
		assert_int_equal(got.events, EPOLLOUT);
		assert_int_equal(sys_poll(t, &p, 1, 0), 1);
		assert_int_equal(p.revents, POLLOUT);
		assert_numbers(t, fd);
	}
	assert_int_equal(sk_of(t, fd[1])->rmem_alloc, 0);
	close_all(t, fd, 2);
	sys_close(t, ep);
	return 0;
}

static void s2_81_the_receivers_buffer_is_the_bound(void **state)
{
	struct fx *f = map_up();

	RUN(f, room_prog);
	host_down(f);
}

struct flow {
	int fd[2];
	uint64_t total, got;
	bool up;
	struct wait_queue_head q;
};

static int flow_in(struct task *t, void *arg)
{
	struct flow *w = arg;
	struct sockaddr_in a = lo_addr(82);
	uint8_t b[5000];
	int l = sys_socket(t, AF_INET, SOCK_STREAM, 0), s;
	ssize_t n;

	assert_int_equal(sys_bind(t, l, SA(&a), sizeof(a)), 0);
	assert_int_equal(sys_listen(t, l, 5), 0);
	s = sys_accept4(t, l, NULL, NULL, 0);
	while ((n = sys_read(t, s, b, sizeof(b))) > 0) { /* sleeps for data */
		check(b, w->got, (size_t)n);
		w->got += (uint64_t)n;
		if (w->got / 100000 != (w->got - (uint64_t)n) / 100000)
			sys_nanosleep(t, NSEC_PER_MSEC);
	}
	assert_int_equal(n, 0);
	sys_close(t, s);
	sys_close(t, l);
	return 0;
}

static int flow_out(struct task *t, void *arg)
{
	struct flow *w = arg;
	struct sockaddr_in a = lo_addr(82);
	int s = sys_socket(t, AF_INET, SOCK_STREAM, 0);
	uint8_t *b = malloc(w->total);

	assert_int_equal(sys_connect(t, s, SA(&a), sizeof(a)), 0);
	fill(b, 0, w->total);
	assert_int_equal(sys_write(t, s, b, w->total), w->total); /* sleeps for room */
	assert_true(t->net->tcp->sockmap->octets == w->total);
	free(b);
	assert_int_equal(sys_close(t, s), 0);
	return 0;
}

static void s2_81_readers_and_writers_sleep_and_wake(void **state)
{
	struct fx *f = map_up();
	struct flow w = { .total = 3000000 };

	TOGETHER(f, &w, flow_in, flow_out);
	assert_int_equal(w.got, w.total);
	host_down(f);
}

static int timeo_prog(struct task *t, void *arg)
{
	struct timeval tv = { .tv_usec = 50000 };
	uint64_t at = 0, then;
	char c[10];
	int fd[2];

	(void)arg;
	tcp_pair(t, 80, fd);
	assert_int_equal(sys_setsockopt(t, fd[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)), 0);
	stuff(t, fd[0], &at, 60000);
	then = t->net->now_ns;
	assert_int_equal(sys_sendto(t, fd[0], c, sizeof(c), MSG_NOSIGNAL, NULL, 0), -EAGAIN);
	assert_int_equal(t->net->now_ns - then, 50 * NSEC_PER_MSEC);
	close_all(t, fd, 1);
	sys_close(t, fd[1]);
	return 0;
}

static void a_sender_that_waits_keeps_its_time_limit(void **state)
{
	struct fx *f = map_up();

	RUN(f, timeo_prog);
	host_down(f);
}

/* ---- what a receiver sees ---- */

static int peek_prog(struct task *t, void *arg)
{
	char b[40];
	struct pollfd p = { .events = POLLIN };
	int fd[2], v;

	(void)arg;
	tcp_pair(t, 80, fd);
	p.fd = fd[1];
	assert_int_equal(sys_sendto(t, fd[0], "hello ", 6, 0, NULL, 0), 6);
	assert_int_equal(sys_sendto(t, fd[0], "world", 5, MSG_MORE, NULL, 0), 5); /* nothing is held back */
	assert_int_equal(sk_of(t, fd[1])->receive_queue.qlen, 1);                /* one buffer for both */
	assert_int_equal(sys_recvfrom(t, fd[1], b, 8, MSG_PEEK, NULL, NULL), 8);
	assert_int_equal(sys_recvfrom(t, fd[1], b, sizeof(b), MSG_PEEK, NULL, NULL), 11);
	assert_memory_equal(b, "hello world", 11);
	assert_int_equal(sys_recvfrom(t, fd[1], b, 6, 0, NULL, NULL), 6);
	assert_int_equal(sys_sendto(t, fd[0], "!", 1, 0, NULL, 0), 1);
	assert_int_equal(sys_recvfrom(t, fd[1], b, sizeof(b), MSG_DONTWAIT | MSG_WAITALL, NULL, NULL), 6);
	assert_memory_equal(b, "world!", 6);
	/* SO_RCVLOWAT */
	set_int(t, fd[1], SOL_SOCKET, SO_RCVLOWAT, 10);
	assert_int_equal(sys_sendto(t, fd[0], "123456789", 9, 0, NULL, 0), 9);
	assert_int_equal(sys_poll(t, &p, 1, 0), 0);
	assert_int_equal(sys_sendto(t, fd[0], "0", 1, 0, NULL, 0), 1);
	assert_int_equal(sys_poll(t, &p, 1, 0), 1);
	set_int(t, fd[1], SOL_SOCKET, SO_RCVLOWAT, 1);
	/* an urgent octet is a segment; what stands before and behind it takes the map, and all of it is in order */
	assert_int_equal(sys_sendto(t, fd[0], "!", 1, MSG_OOB, NULL, 0), 1);
	assert_int_equal(sys_sendto(t, fd[0], "abc", 3, 0, NULL, 0), 3);
	assert_int_equal(sys_recvfrom(t, fd[1], b, sizeof(b), 0, NULL, NULL), 10); /* up to the mark */
	assert_memory_equal(b, "1234567890", 10);
	assert_int_equal(sys_ioctl(t, fd[1], SIOCATMARK, &v), 0);
	assert_int_equal(v, 1);
	assert_int_equal(sys_recvfrom(t, fd[1], b, sizeof(b), MSG_OOB, NULL, NULL), 1);
	assert_int_equal(b[0], '!');
	assert_int_equal(sys_recvfrom(t, fd[1], b, sizeof(b), 0, NULL, NULL), 3);
	assert_memory_equal(b, "abc", 3);
	assert_int_equal(t->net->tcp->sockmap->by_tcp, 1);
	assert_numbers(t, fd);
	close_all(t, fd, 2);
	return 0;
}

static void s2_81_peek_lowat_and_the_urgent_mark(void **state)
{
	struct fx *f = map_up();

	RUN(f, peek_prog);
	host_down(f);
}

/* ---- in what TCP still carries ---- */

/* Corked octets are unsent when the pair is joined; what follows must not overtake them. */
static int order_prog(struct task *t, void *arg)
{
	struct fx *f = arg;
	uint8_t b[4000];
	uint64_t sent = 0, read = 0;
	int fd[2];

	tcp_pair(t, 80, fd);
	set_int(t, fd[0], IPPROTO_TCP, TCP_CORK, 1);
	fill(b, 0, 1000);
	assert_int_equal(sys_write(t, fd[0], b, 1000), 1000);
	sent = 1000;
	set_int(t, fd[0], IPPROTO_TCP, TCP_SOCKMAP, 1);
	set_int(t, fd[1], IPPROTO_TCP, TCP_SOCKMAP, 1);
	assert_int_equal(opt(t, fd[0]), SOCK_MAP_JOINED);
	fill(b, sent, 500);
	assert_int_equal(sys_write(t, fd[0], b, 500), 500); /* behind the corked ones, so by TCP */
	sent += 500;
	assert_int_equal(f->net->tcp->sockmap->octets, 0);
	/* the other direction does not wait for them: nothing of it is under way */
	fill(b, 0, 100);
	assert_int_equal(sys_write(t, fd[1], b, 100), 100);
	assert_int_equal(f->net->tcp->sockmap->octets, 100);
	set_int(t, fd[0], IPPROTO_TCP, TCP_CORK, 0);
	fill(b, sent, 700);
	assert_int_equal(sys_write(t, fd[0], b, 700), 700);
	sent += 700;
	assert_int_equal(f->net->tcp->sockmap->octets, 800);
	drain_to(t, fd[1], &read, sent);
	assert_numbers(t, fd);
	close_all(t, fd, 2);
	return 0;
}

static void s2_81_nothing_overtakes_what_tcp_still_carries(void **state)
{
	struct fx *f = host_up();

	RUN(f, order_prog);
	host_down(f);
}

/* Arrived, but the receiver still owes the ACK: it is sent before the map takes over. */
static int owed_prog(struct task *t, void *arg)
{
	struct fx *f = arg;
	const struct tcp_sock *a;
	char b[64];
	int fd[2], zero = 0;

	tcp_pair(t, 80, fd);
	ping_pong(t, fd, 20);
	assert_int_equal(sys_setsockopt(t, fd[1], IPPROTO_TCP, TCP_QUICKACK, &zero, sizeof(zero)), 0);
	assert_int_equal(sys_write(t, fd[0], "by tcp ", 7), 7);
	a = tcp_sk(sk_of(t, fd[0]));
	assert_true(a->snd_una != a->snd_nxt);
	set_int(t, fd[0], IPPROTO_TCP, TCP_SOCKMAP, 1);
	set_int(t, fd[1], IPPROTO_TCP, TCP_SOCKMAP, 1);
	assert_int_equal(sys_write(t, fd[0], "by map", 6), 6);
	assert_int_equal(f->net->tcp->sockmap->octets, 6);
	assert_true(skb_queue_empty(&a->fl->rtx_queue));
	assert_int_equal(a->fl->packets_out, 0);
	assert_int_equal(sk_of(t, fd[0])->wmem_queued, 0);
	assert_int_equal(sys_read(t, fd[1], b, sizeof(b)), 13);
	assert_memory_equal(b, "by tcp by map", 13);
	close_all(t, fd, 2);
	return 0;
}

static void s2_81_an_owed_ack_goes_first(void **state)
{
	struct fx *f = host_up();

	RUN(f, owed_prog);
	assert_int_equal(f->net->mib.tcp.RetransSegs, 0);
	host_down(f);
}

/* ---- the end ---- */

static int end_prog(struct task *t, void *arg)
{
	struct fx *f = arg;
	char b[20];
	struct pollfd p = { .events = POLLIN };
	int fd[2];

	/* half close: the other direction goes on by the map */
	tcp_pair(t, 80, fd);
	assert_int_equal(sys_write(t, fd[0], "last", 4), 4);
	assert_int_equal(sys_shutdown(t, fd[0], SHUT_WR), 0);
	assert_int_equal(sys_write(t, fd[0], "x", 1), -EPIPE);
	sys_nanosleep(t, NSEC_PER_SEC);
	assert_int_equal(sys_read(t, fd[1], b, sizeof(b)), 4);
	assert_int_equal(sys_read(t, fd[1], b, sizeof(b)), 0);
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(sys_write(t, fd[1], "more", 4), 4);
		assert_int_equal(sys_read(t, fd[0], b, sizeof(b)), 4);
	}
	assert_int_equal(f->net->tcp->sockmap->octets, 44);
	close_all(t, fd, 2);
	assert_int_equal(f->net->mib.tcp.OutRsts, 0);
	/* closed with unread octets: a RST with the right number */
	tcp_pair(t, 81, fd);
	assert_int_equal(sys_write(t, fd[0], "unread", 6), 6);
	p.fd = fd[0];
	assert_int_equal(sys_close(t, fd[1]), 0);
	assert_int_equal(f->net->mib.tcp.OutRsts, 1);
	assert_int_equal(sys_poll(t, &p, 1, 0), 1);
	assert_int_equal(p.revents, POLLIN | POLLERR | POLLHUP);
	assert_int_equal(sys_write(t, fd[0], "x", 1), -ECONNRESET);
	assert_int_equal(sys_close(t, fd[0]), 0);
	/* octets for somebody who closed politely: TCP carries them and answers with a RST */
	tcp_pair(t, 82, fd);
	assert_int_equal(sys_write(t, fd[0], "a", 1), 1);
	assert_int_equal(sys_read(t, fd[1], b, 1), 1);
	assert_int_equal(sys_close(t, fd[1]), 0);
	assert_int_equal(sys_write(t, fd[0], "b", 1), 1);
	assert_int_equal(f->net->mib.tcp.OutRsts, 2);
	assert_int_equal(sys_write(t, fd[0], "c", 1), -EPIPE);
	assert_int_equal(sys_close(t, fd[0]), 0);
	/* a sender with zero linger */
	tcp_pair(t, 83, fd);
	assert_int_equal(sys_write(t, fd[0], "z", 1), 1);
	assert_int_equal(sys_setsockopt(t, fd[0], SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger)), 0);
	assert_int_equal(sys_close(t, fd[0]), 0);
	assert_int_equal(sys_read(t, fd[1], b, 1), 1); /* what came before the RST is still there */
	assert_int_equal(sys_read(t, fd[1], b, 1), -ECONNRESET);
	assert_int_equal(sys_close(t, fd[1]), 0);
	assert_int_equal(f->net->tcp->sockmap->n_members, 0);
	return 0;
}

static void s2_81_half_close_reset_and_unread_octets(void **state)
{
	struct fx *f = map_up();

	RUN(f, end_prog);
	host_down(f);
}

/* A sender sleeps for room while its reader closes, or leaves the map. */
static int stuck_reader(struct task *t, void *arg)
{
	struct flow *w = arg;
	struct sockaddr_in a = lo_addr(84);
	int l = sys_socket(t, AF_INET, SOCK_STREAM, 0), s, one = 1;
	uint8_t b[4000];
	ssize_t n;

	assert_int_equal(sys_setsockopt(t, l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	assert_int_equal(sys_bind(t, l, SA(&a), sizeof(a)), 0);
	assert_int_equal(sys_listen(t, l, 5), 0);
	s = sys_accept4(t, l, NULL, NULL, 0);
	sys_nanosleep(t, NSEC_PER_SEC);
	set_int(t, s, IPPROTO_TCP, TCP_SOCKMAP, 0); /* the rest comes by TCP */
	while (w->got < w->total && (n = sys_read(t, s, b, sizeof(b))) > 0) {
		check(b, w->got, (size_t)n);
		w->got += (uint64_t)n;
	}
	sys_close(t, s);
	s = sys_accept4(t, l, NULL, NULL, 0);
	sys_nanosleep(t, NSEC_PER_SEC);
	sys_close(t, s); /* RST: much is unread */
	sys_close(t, l);
	return 0;
}

static int stuck_writer(struct task *t, void *arg)
{
	struct flow *w = arg;
	struct sockaddr_in a = lo_addr(84);
	uint8_t *b = malloc(w->total);

	fill(b, 0, w->total);
	for (unsigned i = 0; i < 2; i++) {
		int s = sys_socket(t, AF_INET, SOCK_STREAM, 0);
		ssize_t n;
		struct iovec iov[3] = { { b, 1000 }, { b + 1000, w->total / 2 }, { b + 1000 + w->total / 2, w->total / 2 - 1000 } };

		assert_int_equal(sys_connect(t, s, SA(&a), sizeof(a)), 0);
		n = sys_writev(t, s, iov, 3);
		if (!i)
			assert_int_equal(n, w->total); /* a writer that sleeps writes all, by whatever way */
		else
			assert_true(n > 0 && n < (ssize_t)w->total);
		if (i)
			assert_int_equal(sys_write(t, s, b, 1), -ECONNRESET);
		assert_int_equal(sys_close(t, s), 0);
	}
	free(b);
	return 0;
}

static void s2_81_a_sleeping_writer_survives_the_end_of_the_map(void **state)
{
	struct fx *f = map_up();
	struct flow w = { .total = 1000000 };

	TOGETHER(f, &w, stuck_reader, stuck_writer);
	assert_int_equal(w.got, w.total);
	host_down(f);
}

/* ---- a random life, octet for octet ---- */

struct dir {
	uint64_t sent, read;
};
struct life {
	struct fx *f;
	unsigned seed;
};

static void random_send(struct task *t, struct rng *r, int fd, struct dir *d)
{
	static const uint32_t max[] = { 1, 10, 300, 5000, 90000 };
	size_t n = 1 + rng_below(r, max[rng_below(r, ARRAY_SIZE(max))]), part = rng_below(r, (uint32_t)n + 1);
	uint8_t *b = malloc(n);
	struct iovec iov[3] = { { b, part }, { NULL, 0 }, { b + part, n - part } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 3 };
	ssize_t sent;

	fill(b, d->sent, n);
	sent = sys_sendmsg(t, fd, &m, MSG_DONTWAIT | (rng_below(r, 8) ? 0 : MSG_MORE));
	assert_true(sent > 0 || sent == -EAGAIN);
	if (sent > 0)
		d->sent += (uint64_t)sent;
	free(b);
}

static void random_read(struct task *t, struct rng *r, int fd, struct dir *d)
{
	static uint8_t b[100000];
	size_t want = 1 + rng_below(r, rng_below(r, 3) ? 3000 : sizeof(b) - 1);
	int peek = rng_below(r, 4) ? 0 : MSG_PEEK;
	ssize_t n = sys_recvfrom(t, fd, b, want, MSG_DONTWAIT | peek, NULL, NULL);

	if (n < 0) {
		assert_int_equal(n, -EAGAIN);
		return;
	}
	assert_true(d->read + (uint64_t)n <= d->sent);
	check(b, d->read, (size_t)n);
	if (!peek)
		d->read += (uint64_t)n;
}

static void random_switch(struct task *t, struct rng *r, const int fd[2])
{
	unsigned side = rng_below(r, 2);

	switch (rng_below(r, 4)) {
	case 0:
		set_int(t, fd[side], IPPROTO_TCP, TCP_SOCKMAP, (int)rng_below(r, 2));
		break;
	case 1:
		set_int(t, fd[0], IPPROTO_TCP, TCP_SOCKMAP, 1);
		set_int(t, fd[1], IPPROTO_TCP, TCP_SOCKMAP, 1);
		break;
	case 2:
		set_int(t, fd[side], IPPROTO_TCP, TCP_CORK, (int)rng_below(r, 2));
		break;
	default:
		set_int(t, fd[side], SOL_SOCKET, SO_RCVBUF, (int)(4000 + rng_below(r, 200000)));
	}
}

static int random_prog(struct task *t, void *arg)
{
	const struct life *life = arg;
	struct fx *f = life->f;
	struct rng r;
	struct dir d[2] = { { .sent = 0 }, { .sent = 0 } };
	int fd[2];

	rng_derive(&r, life->seed, "sockmap", "life");
	tcp_pair(t, 80, fd);
	for (unsigned i = 0; i < 3000; i++) {
		unsigned side = rng_below(&r, 2);

		switch (rng_below(&r, 16)) {
		case 0:
			random_switch(t, &r, fd);
			break;
		case 1:
			sys_nanosleep(t, rng_below(&r, 50) * NSEC_PER_MSEC);
			break;
		case 2 ... 8:
			random_send(t, &r, fd[side], &d[side]);
			break;
		default:
			random_read(t, &r, fd[!side], &d[side]);
		}
	}
	/* all of it arrives */
	for (unsigned side = 0; side < 2; side++) {
		set_int(t, fd[side], IPPROTO_TCP, TCP_CORK, 0);
		while (d[side].read < d[side].sent) {
			uint64_t before = d[side].read;

			random_read(t, &r, fd[!side], &d[side]);
			if (d[side].read == before)
				sys_nanosleep(t, NSEC_PER_SEC);
		}
	}
	sys_nanosleep(t, NSEC_PER_SEC);
	assert_numbers(t, fd);
	assert_true(f->net->tcp->sockmap->octets > 0 && f->net->tcp->sockmap->octets < d[0].sent + d[1].sent);
	close_all(t, fd, 2);
	assert_int_equal(f->net->mib.tcp.OutRsts, 0);
	return 0;
}

static void s2_81_random_streams_octet_for_octet(void **state)
{
	for (unsigned seed = 0; seed < 12; seed++) {
		struct fx *f = map_up();
		struct life life = { f, seed };

		TOGETHER(f, &life, random_prog);
		host_sleep(f, 100 * NSEC_PER_SEC); /* TIME_WAIT */
		assert_int_equal(f->net->tcp->mem_allocated, 0);
		host_down(f);
	}
}

/* Sequence numbers wrap while TCP sees nothing of them; afterwards it must not take new for old. */
static int wrap_prog(struct task *t, void *arg)
{
	uint8_t *b = calloc(1, 65536);
	const uint64_t total = 2300ull << 20; /* past the half of the space, where signs turn */
	int fd[2];

	(void)arg;
	tcp_pair(t, 80, fd);
	for (uint64_t done = 0; done < total; done += 65536) {
		assert_int_equal(sys_sendto(t, fd[0], b, 65536, 0, NULL, 0), 65536);
		assert_int_equal(sys_recvfrom(t, fd[1], b, 65536, MSG_WAITALL, NULL, NULL), 65536);
	}
	{
		const struct tcp_sock *a = tcp_sk(sk_of(t, fd[0])), *c = tcp_sk(sk_of(t, fd[1]));

		/* what TCP compares with later numbers has come along */
		assert_int_equal(c->rcv_wup, c->rcv_nxt);
		assert_true(c->rcv_nxt - c->snd_wl1 <= 65536);
		assert_int_equal(a->snd_wl1, a->rcv_nxt);
		assert_int_equal(a->pushed_seq, a->write_seq);
		assert_true(tcp_receive_window(c) > 0 && tcp_receive_window(c) <= (uint32_t)sk_of(t, fd[1])->rcvbuf);
	}
	set_int(t, fd[0], IPPROTO_TCP, TCP_SOCKMAP, 0);
	ping_pong(t, fd, 20);
	set_int(t, fd[0], IPPROTO_TCP, TCP_SOCKMAP, 1);
	ping_pong(t, fd, 20);
	set_int(t, fd[1], IPPROTO_TCP, TCP_SOCKMAP, 0);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(sys_sendto(t, fd[0], b, 8192, 0, NULL, 0), 8192);
		assert_int_equal(sys_recvfrom(t, fd[1], b, 8192, MSG_WAITALL, NULL, NULL), 8192);
	}
	sys_nanosleep(t, NSEC_PER_SEC);
	assert_numbers(t, fd);
	assert_int_equal(t->net->mib.tcp.RetransSegs, 0);
	free(b);
	close_all(t, fd, 2);
	return 0;
}

static void s2_81_sequence_numbers_wrap(void **state)
{
	struct fx *f = map_up();

	RUN(f, wrap_prog);
	assert_int_equal(f->net->mib.tcp.OutRsts, 0);
	host_down(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s2_81_octets_skip_tcp_output_ip_and_lo),
		cmocka_unit_test(s2_81_off_unless_asked_for),
		cmocka_unit_test(s2_81_both_ends_must_be_members),
		cmocka_unit_test(a_socket_that_is_its_own_peer_stays_alone),
		cmocka_unit_test(s2_81_the_receivers_buffer_is_the_bound),
		cmocka_unit_test(s2_81_readers_and_writers_sleep_and_wake),
		cmocka_unit_test(a_sender_that_waits_keeps_its_time_limit),
		cmocka_unit_test(s2_81_peek_lowat_and_the_urgent_mark),
		cmocka_unit_test(s2_81_nothing_overtakes_what_tcp_still_carries),
		cmocka_unit_test(s2_81_an_owed_ack_goes_first),
		cmocka_unit_test(s2_81_half_close_reset_and_unread_octets),
		cmocka_unit_test(s2_81_a_sleeping_writer_survives_the_end_of_the_map),
		cmocka_unit_test(s2_81_random_streams_octet_for_octet),
		cmocka_unit_test(s2_81_sequence_numbers_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

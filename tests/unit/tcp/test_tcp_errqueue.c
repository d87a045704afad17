/* What a sender is told later: MSG_ZEROCOPY completions and SCM_TSTAMP_ACK, on the error queue. */
#include "tcp_bed.h"
#include <errno.h>
#include <linux/net_tstamp.h>
#include <poll.h>
#include <string.h>

static int sol(struct sock *sk, int name, int v) { return sock_setsockopt(sk, name, &v, sizeof(v)); }

/* The next notice into b->ee; false: none. */
static bool notice(struct bed *b, struct sock *sk)
{
	struct iovec iov = { NULL, 0 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 0 };

	return sk->prot->recvmsg(sk, &m, 0, MSG_ERRQUEUE, NULL) == 0;
}

#define expect_zc(b, sk, lo, hi) expect_zc_code(b, sk, lo, hi, SO_EE_CODE_ZEROCOPY_COPIED)
#define expect_zc_code(b, sk, lo, hi, code)                                   \
	do {                                                                  \
		assert_true(notice(b, sk));                                   \
		assert_int_equal((b)->ee.ee_errno, 0);                        \
		assert_int_equal((b)->ee.ee_origin, SO_EE_ORIGIN_ZEROCOPY);   \
		assert_int_equal((b)->ee.ee_code, code);                      \
		assert_int_equal((b)->ee.ee_info, lo);                        \
		assert_int_equal((b)->ee.ee_data, hi);                        \
	} while (0)

static void so_zerocopy_completes_when_acknowledged(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	struct socket s = { .sk = sk };
	static char data[4000];

	assert_int_equal(bed_send(sk, data, 1000, MSG_ZEROCOPY), 1000); /* without SO_ZEROCOPY: just a send */
	say(b, sk, ". 1 ack 1001", NULL, 0);
	assert_false(notice(b, sk));
	assert_int_equal(sol(sk, SO_ZEROCOPY, 2), -EINVAL);
	assert_int_equal(sol(sk, SO_ZEROCOPY, 1), 0);
	assert_int_equal(bed_send(sk, data, 0, MSG_ZEROCOPY), 0); /* nothing sent, nothing counted */
	assert_int_equal(bed_send(sk, data, 4000, MSG_ZEROCOPY), 4000);
	say(b, sk, ". 1 ack 2001", NULL, 0);
	assert_false(notice(b, sk)); /* not yet all */
	assert_int_equal(tcp_poll(&s) & POLLERR, 0);
	say(b, sk, ". 1 ack 5001", NULL, 0);
	assert_int_equal(tcp_poll(&s) & (POLLERR | POLLPRI), POLLERR);
	assert_int_equal(sol(sk, SO_SELECT_ERR_QUEUE, 1), 0);
	assert_int_equal(tcp_poll(&s) & (POLLERR | POLLPRI), POLLERR | POLLPRI);
	expect_zc(b, sk, 0, 0);
	assert_false(notice(b, sk));
	assert_int_equal(tcp_poll(&s) & POLLERR, 0);
	done(b, sk);
}

static void so_zerocopy_ranges_join(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	static char data[4000];

	assert_int_equal(sol(sk, SO_ZEROCOPY, 1), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(bed_send(sk, data, 1000, MSG_ZEROCOPY), 1000);
	say(b, sk, ". 1 ack 1001", NULL, 0);
	expect_zc(b, sk, 0, 0);
	say(b, sk, ". 1 ack 2001", NULL, 0);
	say(b, sk, ". 1 ack 3001", NULL, 0);
	expect_zc(b, sk, 1, 2); /* the second joined the first, which nobody had read */
	assert_false(notice(b, sk));
	/* calls whose bytes share a segment are done together */
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_CORK, &(int){ 1 }, 4), 0);
	assert_int_equal(bed_send(sk, data, 100, MSG_ZEROCOPY), 100);
	assert_int_equal(bed_send(sk, data, 100, 0), 100);
	assert_int_equal(bed_send(sk, data, 100, MSG_ZEROCOPY), 100);
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_CORK, &(int){ 0 }, 4), 0);
	say(b, sk, ". 1 ack 3301", NULL, 0);
	expect_zc(b, sk, 3, 4);
	done(b, sk);
}

/* The program gets its memory back whatever happens to the connection; net.core.optmem_max bounds how much is out. */
static void so_zerocopy_reset_and_bound(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	unsigned n = 0;

	b->net[0]->socks->optmem_max = 10000;
	assert_int_equal(sol(sk, SO_ZEROCOPY, 1), 0);
	while (bed_send(sk, "x", 1, MSG_ZEROCOPY | MSG_EOR) == 1)
		n++;
	assert_int_equal(n, 10000 / 768);
	assert_int_equal(bed_send(sk, "x", 1, MSG_ZEROCOPY | MSG_EOR), -ENOBUFS);
	say(b, sk, "R 1", NULL, 0);
	assert_int_equal(sk->state, TCP_CLOSE);
	expect_zc_code(b, sk, TCP_INIT_CWND, n - 1, 0); /* these waited, and never left the program's memory */
	expect_zc(b, sk, 0, TCP_INIT_CWND - 1);
	assert_false(notice(b, sk));
	done(b, sk);
}

#define SW (SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY)
static void so_timestamping_ack(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = bed_socket(b, 0);
	static char data[3000];

	assert_int_equal(sol(sk, SO_TIMESTAMPING, SW | SOF_TIMESTAMPING_OPT_ID), -EINVAL); /* no stream yet */
	bed_close(sk);
	sk = connected(b, SACKED);
	assert_int_equal(sol(sk, SO_TIMESTAMPING, SOF_TIMESTAMPING_OPT_STATS), -EINVAL);
	assert_int_equal(sol(sk, SO_TIMESTAMPING, 1 << 16 /* OPT_ID_TCP without OPT_ID */), -EINVAL);
	assert_int_equal(sol(sk, SO_TIMESTAMPING, 1 << 30), -EINVAL);
	assert_int_equal(bed_send(sk, data, 500, 0), 500);
	say(b, sk, ". 1 ack 501", NULL, 0);
	assert_int_equal(sol(sk, SO_TIMESTAMPING, SW | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_TX_ACK), 0);
	assert_int_equal(bed_send(sk, data, 3000, 0), 3000);
	say(b, sk, ". 1 ack 2501", NULL, 0);
	assert_false(notice(b, sk)); /* the last byte is meant */
	say(b, sk, ". 1 ack 3501", NULL, 0);
	assert_true(notice(b, sk));
	assert_int_equal(b->ee.ee_errno, ENOMSG);
	assert_int_equal(b->ee.ee_origin, SO_EE_ORIGIN_TIMESTAMPING);
	assert_int_equal(b->ee.ee_info, SCM_TSTAMP_ACK);
	assert_int_equal(b->ee.ee_data, 2999); /* counted from where OPT_ID was switched on */
	assert_int_equal(b->ee_len, 0);
	assert_false(notice(b, sk));
	/* statistics instead of the packet */
	assert_int_equal(sol(sk, SO_TIMESTAMPING, SW | SOF_TIMESTAMPING_OPT_STATS | SOF_TIMESTAMPING_TX_ACK), 0);
	assert_int_equal(bed_send(sk, data, 10, 0), 10);
	say(b, sk, ". 1 ack 3511", NULL, 0);
	assert_true(notice(b, sk));
	assert_int_equal(b->ee_len, 9 * 12 + 15 * 8); /* nine of eight octets, fifteen smaller */
	done(b, sk);
}

/* One send() alone may ask, by a control message. */
static void so_timestamping_by_control_message(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	char ctl[64] = { 0 };
	struct iovec iov = { (char *)"hello", 5 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl, .msg_controllen = CMSG_SPACE(4), .msg_flags = MSG_DONTWAIT };
	struct cmsghdr *c = (struct cmsghdr *)(void *)ctl;
	uint32_t want = SOF_TIMESTAMPING_TX_ACK;

	*c = (struct cmsghdr){ CMSG_LEN(4), SOL_SOCKET, SO_TIMESTAMPING };
	memcpy(CMSG_DATA(c), &want, 4);
	assert_int_equal(sol(sk, SO_TIMESTAMPING, SW), 0);
	assert_int_equal(sk->prot->sendmsg(sk, &m, 5), 5);
	assert_int_equal(bed_send(sk, "hello", 5, 0), 5);
	say(b, sk, ". 1 ack 6", NULL, 0);
	assert_true(notice(b, sk));
	say(b, sk, ". 1 ack 11", NULL, 0);
	assert_false(notice(b, sk));
	want = SOF_TIMESTAMPING_OPT_ID; /* may not be said here */
	memcpy(CMSG_DATA(c), &want, 4);
	assert_int_equal(sk->prot->sendmsg(sk, &m, 5), -EINVAL);
	c->cmsg_type = 250;
	assert_int_equal(sk->prot->sendmsg(sk, &m, 5), -EINVAL);
	done(b, sk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_zerocopy_completes_when_acknowledged), cmocka_unit_test(so_zerocopy_ranges_join),
		cmocka_unit_test(so_zerocopy_reset_and_bound), cmocka_unit_test(so_timestamping_ack),
		cmocka_unit_test(so_timestamping_by_control_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

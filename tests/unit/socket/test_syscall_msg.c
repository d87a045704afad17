/* sendmsg and its kin: many buffers, many messages, splice and sendfile between descriptors (SY-04). */
#include <limits.h>
#include "sock_fixture.h"

static int mmsg_both_ways(struct task *t, void *arg)
{
	char out[3][8] = { "one", "two", "three" }, in[4][8];
	struct iovec oi[3], ii[4];
	struct mmsghdr ov[3], iv[4];
	struct sockaddr_in from[4];
	int fd[2];

	(void)arg;
	udp_pair(t, 5000, fd);
	memset(ov, 0, sizeof(ov));
	memset(iv, 0, sizeof(iv));
	for (unsigned i = 0; i < 3; i++) {
		oi[i] = (struct iovec){ out[i], strlen(out[i]) };
		ov[i].msg_hdr = (struct msghdr){ .msg_iov = &oi[i], .msg_iovlen = 1 };
	}
	for (unsigned i = 0; i < 4; i++) {
		ii[i] = (struct iovec){ in[i], sizeof(in[i]) };
		iv[i].msg_hdr = (struct msghdr){ .msg_iov = &ii[i], .msg_iovlen = 1, .msg_name = &from[i],
						 .msg_namelen = sizeof(from[i]) };
	}
	assert_int_equal(sys_sendmmsg(t, fd[0], ov, 3, 0), 3);
	assert_int_equal(ov[2].msg_len, 5);
	/* four were asked for, three are there, and only the first may wait */
	assert_int_equal(sys_recvmmsg(t, fd[1], iv, 4, MSG_WAITFORONE, TIME_NEVER), 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(iv[i].msg_len, strlen(out[i]));
		assert_memory_equal(in[i], out[i], iv[i].msg_len);
		assert_int_equal(get_be16((uint8_t *)&from[i].sin_port), 5000);
	}
	assert_int_equal(sys_recvmmsg(t, fd[1], iv, 4, MSG_DONTWAIT, TIME_NEVER), -EAGAIN);
	/* the time limit is looked at behind each message */
	assert_int_equal(sys_sendmmsg(t, fd[0], ov, 2, 0), 2);
	assert_int_equal(sys_recvmmsg(t, fd[1], iv, 4, 0, 0), 1);
	assert_int_equal(sys_recvmmsg(t, fd[1], iv, 1, 0, TIME_NEVER), 1);
	/* errors */
	assert_int_equal(sys_sendmmsg(t, fd[0], NULL, 1, 0), -EFAULT);
	assert_int_equal(sys_sendmmsg(t, fd[0], NULL, 0, 0), 0);
	assert_int_equal(sys_sendmmsg(t, 77, ov, 1, 0), -EBADF);
	assert_int_equal(sys_recvmmsg(t, 77, iv, 1, 0, TIME_NEVER), -EBADF);
	assert_int_equal(sys_sendmmsg(t, 1, ov, 1, 0), -ENOTSOCK);
	assert_int_equal(sys_recvmmsg(t, 1, iv, 1, 0, TIME_NEVER), -ENOTSOCK);
	/* the second is bad: one went, and nobody hears of the other */
	ov[1].msg_hdr.msg_iov = NULL;
	assert_int_equal(sys_sendmmsg(t, fd[0], ov, 3, 0), 1);
	ov[0].msg_hdr.msg_iov = NULL;
	assert_int_equal(sys_sendmmsg(t, fd[0], ov, 3, 0), -EFAULT);
	close_all(t, fd, 2);
	return 0;
}

static void sy_04_many_messages_with_one_call(void **state)
{
	struct fx *f = host_up();

	RUN(f, mmsg_both_ways);
	assert_true(f->net->socks->syscalls[NR_SENDMMSG] >= 6);
	host_down(f);
}

/* An error behind messages that came waits for the next call. */
static int mmsg_error(struct task *t, void *arg)
{
	struct sockaddr_in a = lo_addr(6001), me = lo_addr(6000);
	char b[2][8];
	struct iovec ii[2] = { { b[0], 8 }, { b[1], 8 } };
	struct mmsghdr iv[2] = { { .msg_hdr = { .msg_iov = &ii[0], .msg_iovlen = 1 } },
				 { .msg_hdr = { .msg_iov = &ii[1], .msg_iovlen = 1 } } };
	int s = sys_socket(t, AF_INET, SOCK_DGRAM, 0), peer = sys_socket(t, AF_INET, SOCK_DGRAM, 0);

	(void)arg;
	assert_int_equal(sys_bind(t, s, SA(&me), sizeof(me)), 0);
	assert_int_equal(sys_bind(t, peer, SA(&a), sizeof(a)), 0);
	assert_int_equal(sys_connect(t, s, SA(&a), sizeof(a)), 0);
	assert_int_equal(sys_sendto(t, peer, "x", 1, 0, SA(&me), sizeof(me)), 1);
	sys_close(t, peer);
	assert_int_equal(sys_sendto(t, s, "y", 1, 0, NULL, 0), 1); /* port unreachable comes back */
	sys_nanosleep(t, NSEC_PER_MSEC);
	assert_int_equal(sys_recvmmsg(t, s, iv, 2, MSG_DONTWAIT, TIME_NEVER), -ECONNREFUSED);
	assert_int_equal(sys_recvmmsg(t, s, iv, 2, MSG_DONTWAIT, TIME_NEVER), 1);
	assert_int_equal(sys_close(t, s), 0);
	return 0;
}

static void sy_04_recvmmsg_tells_an_error_once(void **state)
{
	struct fx *f = host_up();

	RUN(f, mmsg_error);
	host_down(f);
}

static int vectors(struct task *t, void *arg)
{
	char a[5] = "hello", b[6] = " world", c[4], d[20];
	struct iovec out[3] = { { a, 5 }, { NULL, 0 }, { b, 6 } }, in[2] = { { c, 4 }, { d, 20 } };
	struct iovec huge[2] = { { a, (size_t)SSIZE_MAX }, { b, (size_t)SSIZE_MAX } };
	int fd[2];

	(void)arg;
	tcp_pair(t, 80, fd);
	assert_int_equal(sys_writev(t, fd[0], out, 3), 11);
	assert_int_equal(sys_readv(t, fd[1], in, 2), 11);
	assert_memory_equal(c, "hell", 4);
	assert_memory_equal(d, "o world", 7);
	assert_int_equal(sys_writev(t, fd[0], huge, 2), -EINVAL);
	assert_int_equal(sys_writev(t, fd[0], out, -1), -EINVAL);
	assert_int_equal(sys_writev(t, fd[0], out, 1025), -EINVAL);
	assert_int_equal(sys_writev(t, fd[0], NULL, 1), -EFAULT);
	assert_int_equal(sys_readv(t, fd[1], NULL, 0), 0);
	assert_int_equal(sys_readv(t, 99, in, 2), -EBADF);
	close_all(t, fd, 2);
	return 0;
}

static void sy_04_vectors(void **state)
{
	struct fx *f = host_up();

	RUN(f, vectors);
	host_down(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sy_04_many_messages_with_one_call),
		cmocka_unit_test(sy_04_recvmmsg_tells_an_error_once),
		cmocka_unit_test(sy_04_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* poll(2), ppoll(2), select(2): what is ready, sleeping to a time, refusals. */
#include "sock_fixture.h"

static int poll_prog(struct task *t, void *arg)
{
	struct pollfd p[4];
	char b[8];
	int a[2], q[2], many[40];

	(void)arg;
	assert_int_equal(sys_pipe2(t, a, 0), 0);
	assert_int_equal(sys_pipe2(t, q, 0), 0);
	p[0] = (struct pollfd){ .fd = a[0], .events = POLLIN };
	p[1] = (struct pollfd){ .fd = a[1], .events = POLLOUT };
	p[2] = (struct pollfd){ .fd = -1, .events = POLLIN, .revents = 77 };
	p[3] = (struct pollfd){ .fd = 99, .events = POLLIN };
	assert_int_equal(sys_poll(t, p, 4, 0), 2);
	assert_int_equal(p[0].revents, 0);
	assert_int_equal(p[1].revents, POLLOUT);
	assert_int_equal(p[2].revents, 0); /* negative: not asked */
	assert_int_equal(p[3].revents, POLLNVAL);
	assert_int_equal(sys_write(t, a[1], "x", 1), 1);
	assert_int_equal(sys_poll(t, p, 2, -1), 2);
	assert_int_equal(p[0].revents, POLLIN);
	p[0].events = 0; /* only errors and hang-ups */
	assert_int_equal(sys_poll(t, p, 1, 0), 0);
	assert_int_equal(sys_close(t, a[1]), 0);
	assert_int_equal(sys_poll(t, p, 1, 0), 1);
	assert_int_equal(p[0].revents, POLLHUP);
	assert_int_equal(sys_poll(t, NULL, 0, 0), 0);
	assert_int_equal(sys_poll(t, NULL, 1, 0), -EFAULT);
	assert_int_equal(sys_poll(t, p, 0x7fffffff, 0), -EINVAL);
	assert_int_equal(sys_read(t, a[0], b, 8), 1);
	close_all(t, a, 1);
	/* more than a few */
	for (unsigned i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = sys_eventfd2(t, i == 33, 0);
	{
		struct pollfd m[ARRAY_SIZE(many)];

		for (unsigned i = 0; i < ARRAY_SIZE(many); i++)
			m[i] = (struct pollfd){ .fd = many[i], .events = POLLIN };
		assert_int_equal(sys_poll(t, m, ARRAY_SIZE(many), -1), 1);
		assert_int_equal(m[33].revents, POLLIN);
	}
	close_all(t, many, ARRAY_SIZE(many));
	close_all(t, q, 2);
	return 0;
}

static void sy_01_poll_reports(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, poll_prog);
	host_down(f);
}

static int select_prog(struct task *t, void *arg)
{
	fd_set in, out, ex;
	uint64_t left = 0;
	char b[8];
	int fd[2], p[2], top;

	(void)arg;
	tcp_pair(t, 6080, fd);
	assert_int_equal(sys_pipe2(t, p, 0), 0);
	top = (p[1] > fd[1] ? p[1] : fd[1]) + 1;
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&ex);
	FD_SET(fd[1], &in);
	FD_SET(p[0], &in);
	FD_SET(fd[0], &out);
	FD_SET(p[1], &out);
	FD_SET(fd[1], &ex);
	assert_int_equal(sys_select(t, top, &in, &out, &ex, &left), 2);
	assert_false(FD_ISSET(fd[1], &in) || FD_ISSET(p[0], &in) || FD_ISSET(fd[1], &ex));
	assert_true(FD_ISSET(fd[0], &out) && FD_ISSET(p[1], &out));
	/* octets, an urgent one, and the end of a pipe */
	assert_int_equal(sys_sendto(t, fd[0], "ab", 2, MSG_OOB, NULL, 0), 2);
	assert_int_equal(sys_close(t, p[1]), 0);
	sys_nanosleep(t, NSEC_PER_MSEC);
	FD_SET(fd[1], &in);
	FD_SET(p[0], &in);
	FD_SET(fd[1], &ex);
	FD_ZERO(&out);
	assert_int_equal(sys_select(t, top, &in, &out, &ex, NULL), 3);
	assert_true(FD_ISSET(fd[1], &in) && FD_ISSET(p[0], &in) && FD_ISSET(fd[1], &ex));
	assert_int_equal(sys_recvfrom(t, fd[1], b, 1, MSG_OOB, NULL, NULL), 1);
	assert_int_equal(sys_read(t, fd[1], b, 8), 1);
	/* a hang-up is readable, and nothing exceptional */
	FD_ZERO(&ex);
	FD_ZERO(&in);
	FD_SET(p[0], &ex);
	left = 2 * NSEC_PER_MSEC;
	assert_int_equal(sys_select(t, top, NULL, NULL, &ex, &left), 0);
	assert_int_equal(left, 0);
	assert_false(FD_ISSET(p[0], &ex));
	/* refusals */
	FD_ZERO(&in);
	FD_SET(p[1], &in); /* closed */
	left = 0;
	assert_int_equal(sys_select(t, top, &in, NULL, NULL, &left), -EBADF);
	assert_int_equal(sys_select(t, -1, NULL, NULL, NULL, &left), -EINVAL);
	assert_int_equal(sys_select(t, 0, NULL, NULL, NULL, &left), 0);
	FD_ZERO(&in);
	FD_SET(1000, &in); /* beyond every number in use: not looked at */
	assert_int_equal(sys_select(t, 1001, &in, NULL, NULL, &left), 0);
	assert_int_equal(sys_select(t, p[1], &in, NULL, NULL, &left), 0);
	close_all(t, fd, 2);
	close_all(t, p, 1);
	return 0;
}

static void sy_02_select(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, select_prog);
	host_down(f);
}

/* ---- sleeping ---- */

static int timed_prog(struct task *t, void *arg)
{
	struct pollfd p = { .events = POLLIN };
	fd_set in;
	uint64_t then = t->net->now_ns, left = 5000000;
	int q[2];

	(void)arg;
	assert_int_equal(sys_pipe2(t, q, 0), 0);
	p.fd = q[0];
	assert_int_equal(sys_poll(t, &p, 1, 250), 0);
	assert_int_equal(t->net->now_ns - then, 250 * NSEC_PER_MSEC);
	then = t->net->now_ns;
	assert_int_equal(sys_ppoll(t, &p, 1, 1234), 0);
	assert_int_equal(t->net->now_ns - then, 1234);
	then = t->net->now_ns;
	FD_ZERO(&in);
	FD_SET(q[0], &in);
	assert_int_equal(sys_select(t, q[0] + 1, &in, NULL, NULL, &left), 0);
	assert_int_equal(t->net->now_ns - then, 5000000);
	assert_int_equal(left, 0);
	then = t->net->now_ns;
	assert_int_equal(sys_poll(t, NULL, 0, 10), 0); /* a sleep */
	assert_int_equal(t->net->now_ns - then, 10 * NSEC_PER_MSEC);
	close_all(t, q, 2);
	return 0;
}

static void poll_sleeps_to_its_time(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, timed_prog);
	host_down(f);
}

static int udp_waiter(struct task *t, void *arg)
{
	struct sockaddr_in a = lo_addr(7000);
	struct pollfd p[3];
	uint64_t left = 10 * NSEC_PER_SEC;
	fd_set in;
	char b[8];
	int s = sys_socket(t, AF_INET, SOCK_DGRAM, 0), other = sys_eventfd2(t, 0, 0);

	(void)arg;
	assert_int_equal(sys_bind(t, s, SA(&a), sizeof(a)), 0);
	p[0] = (struct pollfd){ .fd = other, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = s, .events = POLLIN };
	p[2] = (struct pollfd){ .fd = s, .events = POLLPRI };
	assert_int_equal(sys_poll(t, p, 3, -1), 1); /* the same file twice */
	assert_int_equal(p[1].revents, POLLIN);
	assert_int_equal(sys_read(t, s, b, 8), 2);
	FD_ZERO(&in);
	FD_SET(s, &in);
	FD_SET(other, &in);
	assert_int_equal(sys_select(t, 10, &in, NULL, NULL, &left), 1);
	assert_true(FD_ISSET(s, &in) && !FD_ISSET(other, &in));
	assert_int_equal(left, 9 * NSEC_PER_SEC); /* what was left of it */
	assert_int_equal(sys_read(t, s, b, 8), 2);
	/* nobody hangs on the queues any more */
	assert_true(list_empty(&file_socket(task_files(t)->fd[s])->wq.list));
	close_all(t, (int[]){ s, other }, 2);
	return 0;
}

static int udp_sender(struct task *t, void *arg)
{
	struct sockaddr_in a = lo_addr(7000);
	int s = sys_socket(t, AF_INET, SOCK_DGRAM, 0);

	(void)arg;
	for (unsigned i = 0; i < 2; i++) {
		sys_nanosleep(t, NSEC_PER_SEC);
		assert_int_equal(sys_sendto(t, s, "hi", 2, 0, SA(&a), sizeof(a)), 2);
	}
	sys_close(t, s);
	return 0;
}

static void poll_and_select_are_woken(void **state)
{
	struct fx *f = host_up();

	(void)state;
	TOGETHER(f, f, udp_waiter, udp_sender);
	host_down(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sy_01_poll_reports),
		cmocka_unit_test(sy_02_select),
		cmocka_unit_test(poll_sleeps_to_its_time),
		cmocka_unit_test(poll_and_select_are_woken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

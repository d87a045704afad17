/* epoll(7): level, edge, one-shot and exclusive watching, sets within sets, and every refusal. */
#include "sock_fixture.h"

#define ADD EPOLL_CTL_ADD
#define MOD EPOLL_CTL_MOD
#define DEL EPOLL_CTL_DEL

static int ctl(struct task *t, int ep, int op, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event ev = { .events = events };

	ev.data.u64 = data;
	return sys_epoll_ctl(t, ep, op, fd, &ev);
}

/* What is ready now: the number of events; the first one's bits and data. */
static int look(struct task *t, int ep, uint32_t *events, uint64_t *data)
{
	struct epoll_event ev[8];
	int n = sys_epoll_wait(t, ep, ev, 8, 0);

	if (n > 0 && events)
		*events = ev[0].events;
	if (n > 0 && data)
		*data = ev[0].data.u64;
	return n;
}

static int modes_prog(struct task *t, void *arg)
{
	uint32_t e = 0;
	uint64_t d = 0;
	char b[8];
	int ep = sys_epoll_create1(t, 0), p[2], fds[3];

	(void)arg;
	assert_int_equal(sys_pipe2(t, p, O_NONBLOCK), 0);
	/* level: as long as it holds */
	assert_int_equal(ctl(t, ep, ADD, p[0], EPOLLIN, 7), 0);
	assert_int_equal(look(t, ep, &e, &d), 0);
	assert_int_equal(sys_write(t, p[1], "abc", 3), 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(look(t, ep, &e, &d), 1);
		assert_int_equal(e, EPOLLIN);
		assert_int_equal(d, 7);
	}
	assert_int_equal(sys_read(t, p[0], b, 8), 3);
	assert_int_equal(look(t, ep, &e, &d), 0);
	/* edge: once for each change */
	assert_int_equal(ctl(t, ep, MOD, p[0], EPOLLIN | EPOLLET, 8), 0);
	assert_int_equal(sys_write(t, p[1], "a", 1), 1);
	assert_int_equal(look(t, ep, &e, &d), 1);
	assert_int_equal(d, 8);
	assert_int_equal(look(t, ep, &e, &d), 0);
	assert_int_equal(sys_write(t, p[1], "b", 1), 1); /* more came: told again */
	assert_int_equal(look(t, ep, &e, &d), 1);
	assert_int_equal(look(t, ep, &e, &d), 0);
	assert_int_equal(ctl(t, ep, MOD, p[0], EPOLLIN | EPOLLET, 8), 0); /* asked anew, and it holds */
	assert_int_equal(look(t, ep, &e, &d), 1);
	assert_int_equal(look(t, ep, &e, &d), 0);
	/* one shot: then silent until MOD */
	assert_int_equal(ctl(t, ep, MOD, p[0], EPOLLIN | EPOLLONESHOT, 9), 0);
	assert_int_equal(look(t, ep, &e, &d), 1);
	assert_int_equal(look(t, ep, &e, &d), 0);
	assert_int_equal(sys_write(t, p[1], "c", 1), 1);
	assert_int_equal(look(t, ep, &e, &d), 0);
	assert_int_equal(ctl(t, ep, MOD, p[0], EPOLLIN | EPOLLONESHOT, 9), 0);
	assert_int_equal(look(t, ep, &e, &d), 1);
	/* no bits wanted: errors and hang-ups are told all the same */
	assert_int_equal(ctl(t, ep, MOD, p[0], 0, 10), 0);
	assert_int_equal(look(t, ep, &e, &d), 0);
	assert_int_equal(sys_close(t, p[1]), 0);
	assert_int_equal(look(t, ep, &e, &d), 1);
	assert_int_equal(e, EPOLLHUP);
	/* the last number of a watched file closed: out of the set */
	assert_int_equal(sys_close(t, p[0]), 0);
	assert_int_equal(look(t, ep, &e, &d), 0);
	/* but not while a second number is there */
	assert_int_equal(sys_pipe2(t, p, 0), 0);
	assert_int_equal(sys_write(t, p[1], "x", 1), 1);
	assert_int_equal(ctl(t, ep, ADD, p[0], EPOLLIN, 11), 0);
	fds[0] = sys_dup(t, p[0]);
	assert_int_equal(sys_close(t, p[0]), 0);
	assert_int_equal(look(t, ep, &e, &d), 1);
	assert_int_equal(d, 11);
	assert_int_equal(ctl(t, ep, DEL, p[0], 0, 0), -EBADF); /* its number is gone, and cannot be named */
	fds[1] = p[1];
	fds[2] = ep;
	close_all(t, fds, 3);
	return 0;
}

static void epoll_level_edge_oneshot(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, modes_prog);
	host_down(f);
}

/* ---- several sets watch one pipe; the first has nobody waiting in it ---- */

struct crowd {
	struct file *rd[2]; /* a reference for each waiter */
	uint32_t mode;
	unsigned woken, slept;
};

static int crowd_waiter(struct task *t, struct crowd *c, unsigned i)
{
	struct epoll_event ev;
	int ep, rd, n;

	while (!c->rd[i])
		sys_nanosleep(t, NSEC_PER_MSEC);
	rd = fd_reserve(t, 0, false);
	fd_install(t, rd, c->rd[i]);
	ep = sys_epoll_create1(t, 0);
	assert_int_equal(ctl(t, ep, ADD, rd, EPOLLIN | c->mode, 0), 0);
	n = sys_epoll_wait(t, ep, &ev, 1, 1000);
	c->woken += n == 1;
	c->slept += n == 0;
	sys_close(t, ep);
	sys_close(t, rd);
	return 0;
}
static int crowd_first(struct task *t, void *arg) { return crowd_waiter(t, arg, 0); }
static int crowd_second(struct task *t, void *arg) { return crowd_waiter(t, arg, 1); }

static int crowd_writer(struct task *t, void *arg)
{
	struct crowd *c = arg;
	int p[2], idle = sys_epoll_create1(t, 0);

	assert_int_equal(sys_pipe2(t, p, 0), 0);
	assert_int_equal(ctl(t, idle, ADD, p[0], EPOLLIN | c->mode, 0), 0);
	c->rd[0] = fget(t, p[0]);
	c->rd[1] = fget(t, p[0]);
	sys_nanosleep(t, 100 * NSEC_PER_MSEC);
	assert_int_equal(c->woken, 0);
	assert_int_equal(sys_write(t, p[1], "a", 1), 1);
	sys_nanosleep(t, 100 * NSEC_PER_MSEC);
	assert_int_equal(c->woken, c->mode & EPOLLEXCLUSIVE ? 1 : 2);
	assert_int_equal(look(t, idle, NULL, NULL), 1);
	sys_nanosleep(t, 1000 * NSEC_PER_MSEC); /* the hang-up would wake the other */
	sys_close(t, idle);
	sys_close(t, p[0]);
	sys_close(t, p[1]);
	return 0;
}

/* One of those who wait is woken, not the set in which nobody does (Linux 6.18 the same). */
static void exclusive_wakes_one_that_waits(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct fx *f = host_up();
		struct crowd c = { .mode = i ? EPOLLEXCLUSIVE : 0 };

		TOGETHER(f, &c, crowd_writer, crowd_first, crowd_second);
		assert_int_equal(c.woken, i ? 1 : 2);
		assert_int_equal(c.slept, i ? 1 : 0);
		host_down(f);
	}
}

static int refusals_prog(struct task *t, void *arg)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = sys_epoll_create1(t, EPOLL_CLOEXEC), ep2 = sys_epoll_create1(t, 0), p[2], fds[4], file;

	(void)arg;
	assert_int_equal(sys_pipe2(t, p, 0), 0);
	assert_int_equal(sys_fcntl(t, ep, F_GETFD, 0), FD_CLOEXEC);
	assert_int_equal(sys_fcntl(t, ep2, F_GETFD, 0), 0);
	assert_int_equal(sys_epoll_create1(t, 1), -EINVAL);
	assert_int_equal(ctl(t, ep, ADD, p[0], EPOLLIN, 0), 0);
	assert_int_equal(ctl(t, ep, ADD, p[0], EPOLLIN, 0), -EEXIST);
	assert_int_equal(ctl(t, ep, MOD, p[1], EPOLLOUT, 0), -ENOENT);
	assert_int_equal(ctl(t, ep, DEL, p[1], 0, 0), -ENOENT);
	assert_int_equal(ctl(t, ep, 99, p[0], 0, 0), -EINVAL);
	assert_int_equal(ctl(t, ep, ADD, ep, EPOLLIN, 0), -EINVAL);
	assert_int_equal(ctl(t, p[0], ADD, p[1], EPOLLIN, 0), -EINVAL); /* no set */
	assert_int_equal(ctl(t, 99, ADD, p[0], EPOLLIN, 0), -EBADF);
	assert_int_equal(ctl(t, ep, ADD, 99, EPOLLIN, 0), -EBADF);
	assert_int_equal(ctl(t, ep, ADD, -1, EPOLLIN, 0), -EBADF);
	assert_int_equal(sys_epoll_ctl(t, ep, ADD, p[1], NULL), -EFAULT);
	assert_int_equal(sys_epoll_ctl(t, ep, DEL, p[0], NULL), 0); /* needs no event */
	/* a regular file has no readiness to wait for */
	file = sys_open(t, "/etc/epoll-test", O_CREAT | O_RDWR);
	assert_true(file >= 0);
	assert_int_equal(ctl(t, ep, ADD, file, EPOLLIN, 0), -EPERM);
	assert_int_equal(sys_close(t, file), 0);
	/* exclusive: at ADD only, and with these bits only */
	assert_int_equal(ctl(t, ep, ADD, p[0], EPOLLIN | EPOLLEXCLUSIVE, 0), 0);
	assert_int_equal(ctl(t, ep, MOD, p[0], EPOLLIN, 0), -EINVAL);
	assert_int_equal(ctl(t, ep, MOD, p[0], EPOLLIN | EPOLLEXCLUSIVE, 0), -EINVAL);
	assert_int_equal(ctl(t, ep, DEL, p[0], 0, 0), 0);
	assert_int_equal(ctl(t, ep, ADD, p[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 0), -EINVAL);
	assert_int_equal(ctl(t, ep, ADD, p[0], EPOLLIN | EPOLLPRI | EPOLLEXCLUSIVE, 0), -EINVAL);
	assert_int_equal(ctl(t, ep, ADD, ep2, EPOLLIN | EPOLLEXCLUSIVE, 0), -EINVAL);
	assert_int_equal(ctl(t, ep, ADD, p[0], EPOLLIN | EPOLLET | EPOLLEXCLUSIVE, 0), 0);
	/* waiting */
	assert_int_equal(sys_epoll_wait(t, ep, &ev, 0, 0), -EINVAL);
	assert_int_equal(sys_epoll_wait(t, ep, &ev, -1, 0), -EINVAL);
	assert_int_equal(sys_epoll_wait(t, p[0], &ev, 1, 0), -EINVAL);
	assert_int_equal(sys_epoll_wait(t, 99, &ev, 1, 0), -EBADF);
	assert_int_equal(sys_epoll_wait(t, ep, NULL, 1, 0), 0); /* nothing to say, nowhere to write */
	assert_int_equal(sys_write(t, p[1], "x", 1), 1);
	assert_int_equal(sys_epoll_wait(t, ep, NULL, 1, 0), -EFAULT);
	assert_int_equal(sys_read(t, ep, &ev, 8), -EINVAL);
	assert_int_equal(sys_write(t, ep, &ev, 8), -EINVAL);
	memcpy(fds, (int[]){ ep, ep2, p[0], p[1] }, sizeof(fds));
	close_all(t, fds, 4);
	return 0;
}

static void sy_01_epoll_refusals(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, refusals_prog);
	host_down(f);
}

/* Sets in sets: readiness comes through, circles and deep towers are refused. */
static int nests_prog(struct task *t, void *arg)
{
	uint32_t e = 0;
	int ep[8], p[2];
	char b[4];

	(void)arg;
	assert_int_equal(sys_pipe2(t, p, 0), 0);
	for (unsigned i = 0; i < 8; i++)
		ep[i] = sys_epoll_create1(t, 0);
	assert_int_equal(ctl(t, ep[0], ADD, p[0], EPOLLIN, 0), 0);
	assert_int_equal(ctl(t, ep[1], ADD, ep[0], EPOLLIN, 1), 0);
	assert_int_equal(ctl(t, ep[2], ADD, ep[1], EPOLLIN, 2), 0);
	assert_int_equal(look(t, ep[2], &e, NULL), 0);
	assert_int_equal(sys_write(t, p[1], "x", 1), 1);
	assert_int_equal(look(t, ep[2], &e, NULL), 1);
	assert_int_equal(e, EPOLLIN);
	assert_int_equal(look(t, ep[1], &e, NULL), 1);
	assert_int_equal(sys_read(t, p[0], b, 4), 1);
	assert_int_equal(look(t, ep[2], &e, NULL), 0);
	/* circles */
	assert_int_equal(ctl(t, ep[0], ADD, ep[1], EPOLLIN, 0), -ELOOP);
	assert_int_equal(ctl(t, ep[0], ADD, ep[2], EPOLLIN, 0), -ELOOP);
	/* towers: five sets, one in the other, and no more */
	assert_int_equal(ctl(t, ep[3], ADD, ep[2], EPOLLIN, 3), 0);
	assert_int_equal(ctl(t, ep[4], ADD, ep[3], EPOLLIN, 4), 0);
	assert_int_equal(ctl(t, ep[5], ADD, ep[4], EPOLLIN, 5), -ELOOP);
	assert_int_equal(ctl(t, ep[7], ADD, ep[6], EPOLLIN, 5), 0);
	assert_int_equal(ctl(t, ep[0], ADD, ep[7], EPOLLIN, 5), -ELOOP); /* from below, too */
	assert_int_equal(sys_write(t, p[1], "x", 1), 1);
	assert_int_equal(look(t, ep[4], &e, NULL), 1);
	close_all(t, ep, 8);
	close_all(t, p, 2);
	return 0;
}

static void epoll_sets_in_sets(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, nests_prog);
	host_down(f);
}

/* Many ready at once: all get their turn although each wait takes few. */
static int turns_prog(struct task *t, void *arg)
{
	struct epoll_event ev[3];
	unsigned seen[10] = { 0 };
	int ep = sys_epoll_create1(t, 0), fd[10];

	(void)arg;
	for (unsigned i = 0; i < 10; i++) {
		fd[i] = sys_eventfd2(t, 1, 0);
		assert_int_equal(ctl(t, ep, ADD, fd[i], EPOLLIN, i), 0);
	}
	for (unsigned round = 0; round < 10; round++) {
		assert_int_equal(sys_epoll_wait(t, ep, ev, 3, 0), 3);
		for (unsigned i = 0; i < 3; i++)
			seen[ev[i].data.u64]++;
	}
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(seen[i], 3);
	close_all(t, fd, 10);
	sys_close(t, ep);
	return 0;
}

static void epoll_everybody_gets_a_turn(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, turns_prog);
	host_down(f);
}

static int sockets_prog(struct task *t, void *arg)
{
	uint32_t e = 0;
	char b[8];
	int ep = sys_epoll_create1(t, 0), fd[2];

	(void)arg;
	tcp_pair(t, 5080, fd);
	assert_int_equal(ctl(t, ep, ADD, fd[0], EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, 0), 0);
	assert_int_equal(look(t, ep, &e, NULL), 1);
	assert_int_equal(e, EPOLLOUT);
	assert_int_equal(look(t, ep, &e, NULL), 0);
	assert_int_equal(sys_write(t, fd[1], "hi", 2), 2);
	sys_nanosleep(t, NSEC_PER_MSEC);
	assert_int_equal(look(t, ep, &e, NULL), 1);
	assert_int_equal(e, EPOLLIN | EPOLLOUT);
	assert_int_equal(sys_read(t, fd[0], b, 8), 2);
	assert_int_equal(sys_shutdown(t, fd[1], SHUT_WR), 0);
	sys_nanosleep(t, NSEC_PER_MSEC);
	assert_int_equal(look(t, ep, &e, NULL), 1);
	assert_int_equal(e, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
	assert_int_equal(sys_shutdown(t, fd[0], SHUT_WR), 0);
	sys_nanosleep(t, NSEC_PER_MSEC);
	assert_int_equal(look(t, ep, &e, NULL), 1);
	assert_int_equal(e, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP);
	close_all(t, fd, 2);
	assert_int_equal(look(t, ep, &e, NULL), 0);
	sys_close(t, ep);
	return 0;
}

static void epoll_on_a_connection(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, sockets_prog);
	host_down(f);
}

/* ---- sleeping ---- */

struct sleepers {
	int n;
	uint64_t at;
};

static int sleeper(struct task *t, void *arg)
{
	struct sleepers *s = arg;
	struct epoll_event ev;
	uint64_t one = 1;
	int ep = sys_epoll_create1(t, 0), fd = sys_eventfd2(t, 0, 0);

	assert_int_equal(ctl(t, ep, ADD, fd, EPOLLIN | EPOLLEXCLUSIVE, 0), 0);
	assert_int_equal(sys_epoll_wait(t, ep, &ev, 1, 500), 0);
	assert_int_equal(t->net->now_ns - s->at, 500 * NSEC_PER_MSEC);
	assert_int_equal(sys_write(t, fd, &one, 8), 8);
	assert_int_equal(sys_epoll_wait(t, ep, &ev, 1, -1), 1);
	assert_int_equal(sys_epoll_pwait2(t, ep, &ev, 1, TIME_NEVER), 1);
	assert_int_equal(sys_read(t, fd, &one, 8), 8);
	s->at = t->net->now_ns;
	assert_int_equal(sys_epoll_pwait2(t, ep, &ev, 1, 1500), 0); /* nanoseconds */
	assert_int_equal(t->net->now_ns - s->at, 1500);
	sys_close(t, fd);
	sys_close(t, ep);
	return 0;
}

static void epoll_sleeps_to_its_time(void **state)
{
	struct fx *f = host_up();
	struct sleepers s = { .at = f->net->now_ns };

	(void)state;
	TOGETHER(f, &s, sleeper);
	host_down(f);
}

static int server(struct task *t, void *arg)
{
	struct sleepers *s = arg;
	struct sockaddr_in a = lo_addr(90);
	struct epoll_event ev;
	char b[16];
	int l = sys_socket(t, AF_INET, SOCK_STREAM, 0), ep = sys_epoll_create1(t, 0), c;

	assert_int_equal(sys_bind(t, l, SA(&a), sizeof(a)), 0);
	assert_int_equal(sys_listen(t, l, 5), 0);
	assert_int_equal(ctl(t, ep, EPOLL_CTL_ADD, l, EPOLLIN, 1), 0);
	assert_int_equal(sys_epoll_wait(t, ep, &ev, 1, -1), 1); /* a connection */
	c = sys_accept4(t, l, NULL, NULL, SOCK_NONBLOCK);
	assert_int_equal(ctl(t, ep, EPOLL_CTL_ADD, c, EPOLLIN | EPOLLET, 2), 0);
	while (s->n < 3) {
		assert_int_equal(sys_epoll_wait(t, ep, &ev, 1, -1), 1);
		assert_int_equal(ev.data.u64, 2);
		assert_true(sys_read(t, c, b, sizeof(b)) > 0);
		s->n++;
	}
	sys_close(t, c);
	sys_close(t, l);
	sys_close(t, ep);
	return 0;
}

static int client(struct task *t, void *arg)
{
	struct sockaddr_in a = lo_addr(90);
	char b;
	int s = sys_socket(t, AF_INET, SOCK_STREAM, 0);

	(void)arg;
	assert_int_equal(sys_connect(t, s, SA(&a), sizeof(a)), 0);
	for (unsigned i = 0; i < 3; i++) {
		sys_nanosleep(t, 10 * NSEC_PER_MSEC);
		assert_int_equal(sys_write(t, s, "ping", 4), 4);
	}
	assert_int_equal(sys_read(t, s, &b, 1), 0);
	sys_close(t, s);
	return 0;
}

static void epoll_wakes_a_server(void **state)
{
	struct fx *f = host_up();
	struct sleepers s = { .n = 0 };

	(void)state;
	TOGETHER(f, &s, server, client);
	assert_int_equal(s.n, 3);
	host_down(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exclusive_wakes_one_that_waits),
		cmocka_unit_test(epoll_level_edge_oneshot),
		cmocka_unit_test(sy_01_epoll_refusals),
		cmocka_unit_test(epoll_sets_in_sets),
		cmocka_unit_test(epoll_everybody_gets_a_turn),
		cmocka_unit_test(epoll_on_a_connection),
		cmocka_unit_test(epoll_sleeps_to_its_time),
		cmocka_unit_test(epoll_wakes_a_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

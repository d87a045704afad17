/* pipe(7) and eventfd(2): bounds, atomic writes, ends, waiting. */
#include <sys/ioctl.h>
#include "sock_fixture.h"

static int bounds_prog(struct task *t, void *arg)
{
	static uint8_t b[70000];
	struct pollfd w = { .events = POLLOUT }, r = { .events = POLLIN };
	int p[2], v;

	(void)arg;
	assert_int_equal(sys_pipe2(t, p, O_NONBLOCK), 0);
	w.fd = p[1];
	r.fd = p[0];
	assert_int_equal(sys_fcntl(t, p[0], F_GETPIPE_SZ, 0), 65536);
	assert_int_equal(sys_read(t, p[0], b, 10), -EAGAIN);
	assert_int_equal(sys_poll(t, &r, 1, 0), 0);
	fill(b, 0, sizeof(b));
	assert_int_equal(sys_write(t, p[1], b, sizeof(b)), 65536); /* more than PIPE_BUF: what fits */
	assert_int_equal(sys_write(t, p[1], b, 1), -EAGAIN);
	assert_int_equal(sys_poll(t, &w, 1, 0), 0);
	assert_int_equal(sys_ioctl(t, p[0], FIONREAD, &v), 0);
	assert_int_equal(v, 65536);
	/* up to PIPE_BUF a write goes whole or not at all */
	assert_int_equal(sys_read(t, p[0], b, 4096), 4096);
	check(b, 0, 4096);
	assert_int_equal(sys_write(t, p[1], b, 4096), 4096);
	assert_int_equal(sys_write(t, p[1], b, 100), -EAGAIN);
	for (uint64_t at = 4096; at < 65536; at += 4096) {
		assert_int_equal(sys_read(t, p[0], b, 4096), 4096);
		check(b, at, 4096);
	}
	assert_int_equal(sys_poll(t, &w, 1, 0), 1);
	assert_int_equal(sys_read(t, p[0], b, 70000), 4096);
	assert_int_equal(sys_read(t, p[0], b, 1), -EAGAIN);
	assert_int_equal(sys_read(t, p[0], b, 0), 0);
	assert_int_equal(sys_write(t, p[1], b, 0), 0);
	/* its size */
	assert_int_equal(sys_fcntl(t, p[1], F_SETPIPE_SZ, 5000), 8192);
	assert_int_equal(sys_fcntl(t, p[1], F_SETPIPE_SZ, 1), 4096);
	assert_int_equal(sys_fcntl(t, p[1], F_SETPIPE_SZ, 1048576), 1048576);
	assert_int_equal(sys_fcntl(t, p[1], F_SETPIPE_SZ, 65536), 65536);
	assert_int_equal(sys_write(t, p[1], b, 20000), 20000);
	assert_int_equal(sys_fcntl(t, p[1], F_SETPIPE_SZ, 8192), -EBUSY);
	/* the wrong end */
	assert_int_equal(sys_read(t, p[1], b, 1), -EBADF);
	assert_int_equal(sys_write(t, p[0], b, 1), -EBADF);
	/* ends that are gone */
	assert_int_equal(sys_close(t, p[1]), 0);
	assert_int_equal(sys_poll(t, &r, 1, 0), 1);
	assert_int_equal(r.revents, POLLIN | POLLHUP);
	assert_int_equal(sys_read(t, p[0], b, 70000), 20000);
	assert_int_equal(sys_read(t, p[0], b, 1), 0);
	assert_int_equal(sys_poll(t, &r, 1, 0), 1);
	assert_int_equal(r.revents, POLLHUP);
	assert_int_equal(sys_close(t, p[0]), 0);
	assert_int_equal(sys_pipe2(t, p, 0), 0);
	assert_int_equal(sys_close(t, p[0]), 0);
	w.fd = p[1];
	assert_int_equal(sys_poll(t, &w, 1, 0), 1);
	assert_int_equal(w.revents, POLLOUT | POLLERR);
	assert_int_equal(sys_write(t, p[1], b, 1), -EPIPE);
	assert_int_equal(sys_close(t, p[1]), 0);
	/* refusals */
	assert_int_equal(sys_pipe2(t, p, 0x10000000), -EINVAL);
	return 0;
}

static void sy_04_pipe_bounds_and_ends(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, bounds_prog);
	host_down(f);
}

static int eventfd_prog(struct task *t, void *arg)
{
	uint64_t v = 5, big = UINT64_MAX - 1;
	struct pollfd p = { .events = POLLIN | POLLOUT };
	int e = sys_eventfd2(t, 3, O_NONBLOCK), s = sys_eventfd2(t, 2, O_NONBLOCK | EVENTFD_SEMAPHORE | O_CLOEXEC);

	(void)arg;
	assert_int_equal(sys_fcntl(t, s, F_GETFD, 0), FD_CLOEXEC);
	assert_int_equal(sys_write(t, e, &v, 8), 8);
	assert_int_equal(sys_read(t, e, &v, 4), -EINVAL);
	assert_int_equal(sys_read(t, e, &v, 8), 8);
	assert_int_equal(v, 8);
	assert_int_equal(sys_read(t, e, &v, 8), -EAGAIN);
	p.fd = e;
	assert_int_equal(sys_poll(t, &p, 1, 0), 1);
	assert_int_equal(p.revents, POLLOUT);
	v = UINT64_MAX;
	assert_int_equal(sys_write(t, e, &v, 8), -EINVAL);
	assert_int_equal(sys_write(t, e, &big, 8), 8);
	assert_int_equal(sys_poll(t, &p, 1, 0), 1);
	assert_int_equal(p.revents, POLLIN);
	v = 1;
	assert_int_equal(sys_write(t, e, &v, 8), -EAGAIN);
	assert_int_equal(sys_write(t, e, &v, 7), -EINVAL);
	/* a semaphore gives one at a time */
	assert_int_equal(sys_read(t, s, &v, 8), 8);
	assert_int_equal(v, 1);
	assert_int_equal(sys_read(t, s, &v, 8), 8);
	assert_int_equal(sys_read(t, s, &v, 8), -EAGAIN);
	assert_int_equal(sys_eventfd2(t, 0, 0x10000), -EINVAL);
	close_all(t, (int[]){ e, s }, 2);
	return 0;
}

static void eventfd_counts(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, eventfd_prog);
	host_down(f);
}

/* ---- with somebody at the other end: tasks share a pipe's files through this ---- */

struct share {
	int p[2];
	struct file *end[2];
	uint64_t total, got;
	int err;
};

static void give_ends(struct task *t, struct share *s)
{
	assert_int_equal(sys_pipe2(t, s->p, 0), 0);
	for (unsigned i = 0; i < 2; i++)
		s->end[i] = fget(t, s->p[i]); /* a reference for the other task */
}

static int take_end(struct task *t, struct share *s, unsigned i)
{
	int fd;

	while (!s->end[i])
		sys_nanosleep(t, NSEC_PER_MSEC);
	fd = fd_reserve(t, 0, false);
	fd_install(t, fd, s->end[i]);
	return fd;
}

static int pipe_writer(struct task *t, void *arg)
{
	struct share *s = arg;
	uint8_t *b = malloc(s->total);

	give_ends(t, s);
	fput(s->end[1]);
	s->end[1] = NULL;
	sys_close(t, s->p[0]);
	fill(b, 0, s->total);
	assert_int_equal(sys_write(t, s->p[1], b, s->total), s->total); /* sleeps again and again */
	sys_close(t, s->p[1]);
	free(b);
	return 0;
}

static int pipe_reader(struct task *t, void *arg)
{
	struct share *s = arg;
	uint8_t b[3000];
	ssize_t n;
	int fd = take_end(t, s, 0);

	while ((n = sys_read(t, fd, b, sizeof(b))) > 0) {
		check(b, s->got, (size_t)n);
		s->got += (uint64_t)n;
		if (s->got % 50000 < 3000)
			sys_nanosleep(t, NSEC_PER_MSEC);
	}
	assert_int_equal(n, 0);
	sys_close(t, fd);
	return 0;
}

static void pipe_both_ends_wait(void **state)
{
	struct fx *f = host_up();
	struct share s = { .total = 500000 };

	(void)state;
	TOGETHER(f, &s, pipe_writer, pipe_reader);
	assert_int_equal(s.got, s.total);
	host_down(f);
}

static int lonely_writer(struct task *t, void *arg)
{
	struct share *s = arg;
	static uint8_t b[100000];

	give_ends(t, s);
	fput(s->end[1]);
	s->end[1] = NULL;
	sys_close(t, s->p[0]);
	assert_int_equal(sys_write(t, s->p[1], b, sizeof(b)), 65536); /* the reader went while it slept */
	assert_int_equal(sys_write(t, s->p[1], b, 1), -EPIPE);
	sys_close(t, s->p[1]);
	return 0;
}

static int leaving_reader(struct task *t, void *arg)
{
	int fd = take_end(t, arg, 0);

	sys_nanosleep(t, NSEC_PER_SEC);
	sys_close(t, fd);
	return 0;
}

static void pipe_reader_leaves_a_sleeping_writer(void **state)
{
	struct fx *f = host_up();
	struct share s = { .total = 0 };

	(void)state;
	TOGETHER(f, &s, lonely_writer, leaving_reader);
	host_down(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sy_04_pipe_bounds_and_ends),
		cmocka_unit_test(eventfd_counts),
		cmocka_unit_test(pipe_both_ends_wait),
		cmocka_unit_test(pipe_reader_leaves_a_sleeping_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

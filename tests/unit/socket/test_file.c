/* Descriptors: which number, how many, whose flags, and when what is behind them ends (SY-01, SY-02, SY-03). */
#include <sys/ioctl.h>
#include "sock_fixture.h"

static int numbers_prog(struct task *t, void *arg)
{
	int fd[20], p[2];

	(void)arg;
	/* the lowest free number, always */
	for (int i = 0; i < 20; i++) {
		fd[i] = sys_eventfd2(t, 0, 0);
		assert_int_equal(fd[i], 3 + i);
	}
	assert_int_equal(sys_close(t, 7), 0);
	assert_int_equal(sys_close(t, 5), 0);
	assert_int_equal(sys_close(t, 5), -EBADF);
	assert_int_equal(sys_eventfd2(t, 0, 0), 5);
	assert_int_equal(sys_dup(t, 3), 7);
	assert_int_equal(sys_dup(t, 3), 23);
	/* dup: the same file */
	assert_int_equal(sys_write(t, 7, &(uint64_t){ 5 }, 8), 8);
	{
		uint64_t v;

		assert_int_equal(sys_read(t, 23, &v, 8), 8);
		assert_int_equal(v, 5);
	}
	/* status flags belong to the file, close-on-exec to the number */
	assert_int_equal(sys_fcntl(t, 7, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(sys_fcntl(t, 3, F_GETFL, 0) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(sys_fcntl(t, 7, F_SETFD, FD_CLOEXEC), 0);
	assert_int_equal(sys_fcntl(t, 7, F_GETFD, 0), FD_CLOEXEC);
	assert_int_equal(sys_fcntl(t, 3, F_GETFD, 0), 0);
	assert_int_equal(sys_dup(t, 7), 24);
	assert_int_equal(sys_fcntl(t, 24, F_GETFD, 0), 0); /* a new number begins without */
	/* F_DUPFD: from a number on */
	assert_int_equal(sys_fcntl(t, 3, F_DUPFD, 100), 100);
	assert_int_equal(sys_fcntl(t, 3, F_DUPFD_CLOEXEC, 100), 101);
	assert_int_equal(sys_fcntl(t, 101, F_GETFD, 0), FD_CLOEXEC);
	assert_int_equal(sys_fcntl(t, 3, F_DUPFD, -1), -EINVAL);
	assert_int_equal(sys_fcntl(t, 3, 9999, 0), -EINVAL);
	assert_int_equal(sys_fcntl(t, 99, F_GETFD, 0), -EBADF);
	/* dup2, dup3 */
	assert_int_equal(sys_dup2(t, 3, 50), 50);
	assert_int_equal(sys_dup2(t, 3, 3), 3);
	assert_int_equal(sys_dup2(t, 99, 3), -EBADF);
	assert_int_equal(sys_dup2(t, 99, 99), -EBADF);
	assert_int_equal(sys_dup2(t, 3, -1), -EBADF);
	assert_int_equal(sys_dup3(t, 3, 51, O_CLOEXEC), 51);
	assert_int_equal(sys_fcntl(t, 51, F_GETFD, 0), FD_CLOEXEC);
	assert_int_equal(sys_dup3(t, 3, 3, 0), -EINVAL);
	assert_int_equal(sys_dup3(t, 3, 52, O_NONBLOCK), -EINVAL);
	assert_int_equal(sys_dup3(t, 99, 52, 0), -EBADF);
	/* what a taken number had is closed: the pipe ends */
	assert_int_equal(sys_pipe2(t, p, O_NONBLOCK), 0);
	assert_int_equal(sys_dup2(t, 3, p[1]), p[1]);
	{
		char c;

		assert_int_equal(sys_read(t, p[0], &c, 1), 0);
	}
	assert_int_equal(sys_dup(t, -1), -EBADF);
	assert_int_equal(sys_dup(t, 1 << 30), -EBADF);
	for (int i = 3; i < 110; i++)
		sys_close(t, i);
	return 0;
}

static void sy_02_descriptor_numbers(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, numbers_prog);
	host_down(f);
}

static int flags_prog(struct task *t, void *arg)
{
	char b[4];
	int s = sys_socket(t, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1, zero = 0;
	struct sockaddr_in a = lo_addr(7100);

	(void)arg;
	assert_int_equal(sys_bind(t, s, SA(&a), sizeof(a)), 0);
	assert_int_equal(sys_fcntl(t, s, F_GETFD, 0), FD_CLOEXEC);
	assert_int_equal(sys_fcntl(t, s, F_GETFL, 0), O_RDWR);
	assert_int_equal(sys_ioctl(t, s, FIONBIO, &one), 0);
	assert_int_equal(sys_fcntl(t, s, F_GETFL, 0), O_RDWR | O_NONBLOCK);
	assert_int_equal(sys_read(t, s, b, 4), -EAGAIN);
	assert_int_equal(sys_ioctl(t, s, FIONBIO, &zero), 0);
	assert_int_equal(sys_fcntl(t, s, F_GETFL, 0), O_RDWR);
	assert_int_equal(sys_fcntl(t, s, F_SETFL, O_NONBLOCK | O_WRONLY), 0); /* the access mode stays */
	assert_int_equal(sys_fcntl(t, s, F_GETFL, 0), O_RDWR | O_NONBLOCK);
	assert_int_equal(sys_recvfrom(t, s, b, 4, 0, NULL, NULL), -EAGAIN);
	assert_int_equal(sys_ioctl(t, s, FIONCLEX, NULL), 0);
	assert_int_equal(sys_fcntl(t, s, F_GETFD, 0), 0);
	assert_int_equal(sys_ioctl(t, s, FIOCLEX, NULL), 0);
	assert_int_equal(sys_fcntl(t, s, F_GETFD, 0), FD_CLOEXEC);
	assert_int_equal(sys_ioctl(t, s, FIONBIO, NULL), -EFAULT);
	assert_int_equal(sys_ioctl(t, s, FIONREAD, NULL), -EFAULT);
	assert_int_equal(sys_ioctl(t, s, 0xdeadbe, &one), -ENOTTY);
	assert_int_equal(sys_ioctl(t, 99, FIONREAD, &one), -EBADF);
	sys_close(t, s);
	s = sys_socket(t, AF_INET, SOCK_STREAM, 0);
	assert_int_equal(sys_ioctl(t, s, FIONREAD, NULL), -EFAULT);
	sys_close(t, s);
	return 0;
}

static void sy_01_flags_and_ioctls(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, flags_prog);
	host_down(f);
}

/* The table's end: EMFILE, and nothing is lost by it. */
static int full_prog(struct task *t, void *arg)
{
	struct sockaddr_in a = lo_addr(80);
	int l = sys_socket(t, AF_INET, SOCK_STREAM, 0), c = sys_socket(t, AF_INET, SOCK_STREAM, 0), fd, last = 0, p[2];
	char b[8];

	(void)arg;
	assert_int_equal(sys_bind(t, l, SA(&a), sizeof(a)), 0);
	assert_int_equal(sys_listen(t, l, 5), 0);
	assert_int_equal(sys_connect(t, c, SA(&a), sizeof(a)), 0);
	while ((fd = sys_dup(t, 1)) >= 0)
		last = fd;
	assert_int_equal(fd, -EMFILE);
	assert_int_equal(last, TASK_MAX_FILES - 1);
	assert_int_equal(sys_socket(t, AF_INET, SOCK_STREAM, 0), -EMFILE);
	assert_int_equal(sys_open(t, "/proc/net/tcp", O_RDONLY), -EMFILE);
	assert_int_equal(sys_pipe2(t, p, 0), -EMFILE);
	assert_int_equal(sys_epoll_create1(t, 0), -EMFILE);
	assert_int_equal(sys_eventfd2(t, 0, 0), -EMFILE);
	assert_int_equal(sys_accept4(t, l, NULL, NULL, 0), -EMFILE); /* it stays in the queue */
	assert_int_equal(sys_fcntl(t, 1, F_DUPFD, TASK_MAX_FILES), -EINVAL);
	assert_int_equal(sys_fcntl(t, 1, F_DUPFD, TASK_MAX_FILES - 1), -EMFILE);
	assert_int_equal(sys_dup2(t, 1, TASK_MAX_FILES), -EBADF);
	assert_int_equal(sys_close(t, last), 0);
	assert_int_equal(sys_pipe2(t, p, 0), -EMFILE); /* one number is not enough */
	fd = sys_accept4(t, l, NULL, NULL, 0);
	assert_int_equal(fd, last);
	assert_int_equal(sys_write(t, c, "still", 5), 5);
	assert_int_equal(sys_read(t, fd, b, 8), 5);
	return 0; /* and everything is closed with the task */
}

static void sy_02_a_full_table(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, full_prog);
	host_sleep(f, 100 * NSEC_PER_SEC);
	host_down(f);
}

/* A call sleeps inside a socket whose last number goes away, and the number is given to another. */
struct reuse {
	struct task *sleeper;
	int fd, got;
	ssize_t ret;
};

static int reuse_sleeper(struct task *t, void *arg)
{
	struct reuse *r = arg;
	struct sockaddr_in a = lo_addr(7200);
	char b[16];

	r->sleeper = t;
	r->fd = sys_socket(t, AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(sys_bind(t, r->fd, SA(&a), sizeof(a)), 0);
	r->ret = sys_recvfrom(t, r->fd, b, sizeof(b), 0, NULL, NULL);
	return 0;
}

static int reuse_closer(struct task *t, void *arg)
{
	struct reuse *r = arg;
	struct sockaddr_in a = lo_addr(7200);
	int s;

	sys_nanosleep(t, NSEC_PER_MSEC);
	/* as a second thread of that program would */
	assert_int_equal(sys_close(r->sleeper, r->fd), 0);
	s = sys_socket(r->sleeper, AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(s, r->fd); /* the number again */
	assert_int_equal(sys_bind(r->sleeper, s, SA(&a), sizeof(a)), -EADDRINUSE); /* until the sleeper has left */
	sys_nanosleep(t, NSEC_PER_MSEC);
	return 0;
}

static void sy_03_closed_under_a_sleeping_call(void **state)
{
	struct fx *f = host_up();
	struct reuse r = { .ret = 1 };

	(void)state;
	TOGETHER(f, &r, reuse_sleeper, reuse_closer);
	assert_int_equal(r.ret, -EBADF);
	host_down(f);
}

static int std_prog(struct task *t, void *arg)
{
	char b[4];

	(void)arg;
	assert_int_equal(sys_read(t, 0, b, 4), 0);
	assert_int_equal(sys_write(t, 0, b, 4), -EBADF);
	assert_int_equal(sys_read(t, 1, b, 4), -EBADF);
	assert_int_equal(sys_write(t, 1, "out ", 4), 4);
	assert_int_equal(sys_write(t, 2, "err", 3), 3);
	assert_int_equal(sys_pread(t, 1, b, 1, 0), -ESPIPE);
	assert_int_equal(sys_close(t, 1), 0);
	assert_int_equal(sys_write(t, 1, "x", 1), -EBADF);
	return 0;
}

static void standard_descriptors(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, std_prog);
	assert_string_equal(sb_str(&f->out), "out err");
	host_down(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sy_02_descriptor_numbers),
		cmocka_unit_test(sy_01_flags_and_ioctls),
		cmocka_unit_test(sy_02_a_full_table),
		cmocka_unit_test(sy_03_closed_under_a_sleeping_call),
		cmocka_unit_test(standard_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

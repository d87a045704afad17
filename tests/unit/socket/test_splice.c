/* splice(2) and sendfile(2): what they move, when they wait, what they refuse. */
#include "sock_fixture.h"

#define BIG 300000u

struct relay {
	int pipe[2];
	int tcp[2], tcp2[2];
	int ready;
	uint64_t got;
};

/* tcp -> pipe -> tcp2, as a proxy does it. */
static int relay_setup_and_send(struct task *t, void *arg)
{
	struct relay *r = arg;
	uint8_t *buf = malloc(BIG);
	int fd[6];

	tcp_pair(t, 81, r->tcp);
	tcp_pair(t, 82, r->tcp2);
	assert_int_equal(sys_pipe2(t, r->pipe, 0), 0);
	fill(buf, 0, BIG);
	assert_int_equal(sys_sendto(t, r->tcp[0], buf, 1000, 0, NULL, 0), 1000);
	/* what is there now, not what was asked for */
	assert_int_equal(sys_splice(t, r->tcp[1], NULL, r->pipe[1], NULL, 65536, 0), 1000);
	assert_int_equal(sys_splice(t, r->pipe[0], NULL, r->tcp2[0], NULL, 400, SPLICE_F_MOVE), 400);
	assert_int_equal(sys_splice(t, r->pipe[0], NULL, r->tcp2[0], NULL, 65536, 0), 600);
	assert_int_equal(sys_recvfrom(t, r->tcp2[1], buf, 1000, MSG_WAITALL, NULL, NULL), 1000);
	check(buf, 0, 1000);
	/* an empty pipe, a full one, an empty socket: no waiting when told so */
	assert_int_equal(sys_splice(t, r->pipe[0], NULL, r->tcp2[0], NULL, 1, SPLICE_F_NONBLOCK), -EAGAIN);
	sys_fcntl(t, r->tcp[1], F_SETFL, O_NONBLOCK);
	assert_int_equal(sys_splice(t, r->tcp[1], NULL, r->pipe[1], NULL, 1, 0), -EAGAIN);
	fill(buf, 0, BIG);
	sys_fcntl(t, r->pipe[1], F_SETFL, O_NONBLOCK);
	assert_int_equal(sys_write(t, r->pipe[1], buf, BIG), 65536);
	assert_int_equal(sys_splice(t, r->tcp[1], NULL, r->pipe[1], NULL, 1, SPLICE_F_NONBLOCK), -EAGAIN);
	assert_int_equal(sys_splice(t, r->pipe[0], NULL, r->tcp2[0], NULL, BIG, 0), 65536);
	/* the end of a stream, and of a pipe */
	assert_int_equal(sys_shutdown(t, r->tcp[0], SHUT_WR), 0);
	sys_nanosleep(t, NSEC_PER_MSEC);
	assert_int_equal(sys_splice(t, r->tcp[1], NULL, r->pipe[1], NULL, 1, 0), 0);
	assert_int_equal(sys_close(t, r->pipe[1]), 0);
	assert_int_equal(sys_splice(t, r->pipe[0], NULL, r->tcp2[0], NULL, 1, 0), 0);
	fd[0] = r->pipe[0];
	memcpy(fd + 1, r->tcp, sizeof(r->tcp));
	memcpy(fd + 3, r->tcp2, sizeof(r->tcp2));
	close_all(t, fd, 5);
	free(buf);
	return 0;
}

static void splice_between_tcp_and_pipes(void **state)
{
	struct fx *f = host_up();
	struct relay r = { .ready = 0 };

	TOGETHER(f, &r, relay_setup_and_send);
	host_down(f);
}

/* 300000 octets through a pipe of 64 KiB: writer, splicer and reader wait for each other. */
static int flow_writer(struct task *t, void *arg)
{
	struct relay *r = arg;
	struct sockaddr_in a = lo_addr(83);
	uint8_t *buf = malloc(BIG);
	int l = sys_socket(t, AF_INET, SOCK_STREAM, 0), s;

	assert_int_equal(sys_bind(t, l, SA(&a), sizeof(a)), 0);
	assert_int_equal(sys_listen(t, l, 5), 0);
	s = sys_accept4(t, l, NULL, NULL, 0);
	fill(buf, 0, BIG);
	assert_int_equal(sys_write(t, s, buf, BIG), BIG);
	assert_int_equal(sys_shutdown(t, s, SHUT_WR), 0);
	/* it all comes back */
	while (r->got < BIG) {
		ssize_t n = sys_read(t, s, buf, 20000);

		assert_true(n > 0);
		check(buf, r->got, (size_t)n);
		r->got += (uint64_t)n;
		if (r->got > 100000 && !r->ready++)
			sys_nanosleep(t, NSEC_PER_SEC); /* a slow reader: the splicer has to wait */
	}
	sys_close(t, s);
	sys_close(t, l);
	free(buf);
	return 0;
}

static int flow_splicer(struct task *t, void *arg)
{
	struct sockaddr_in a = lo_addr(83);
	int p[2], s = sys_socket(t, AF_INET, SOCK_STREAM, 0), small = 8192;
	ssize_t n;

	(void)arg;
	assert_int_equal(sys_setsockopt(t, s, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	assert_int_equal(sys_connect(t, s, SA(&a), sizeof(a)), 0);
	assert_int_equal(sys_pipe2(t, p, 0), 0);
	while ((n = sys_splice(t, s, NULL, p[1], NULL, 100000, 0)) > 0)
		assert_int_equal(sys_splice(t, p[0], NULL, s, NULL, (size_t)n, 0), n);
	assert_int_equal(n, 0);
	sys_close(t, p[0]);
	sys_close(t, p[1]);
	sys_close(t, s);
	return 0;
}

static void splice_waits_for_data_and_for_room(void **state)
{
	struct fx *f = host_up();
	struct relay r = { .got = 0 };

	TOGETHER(f, &r, flow_writer, flow_splicer);
	assert_int_equal(r.got, BIG);
	host_down(f);
}

static int files_and_pipes(struct task *t, void *arg)
{
	char buf[64];
	int p[2], q[2], fd[5], in, out, s;
	int64_t off = 6, neg = -1;

	(void)arg;
	in = sys_open(t, "/f", O_CREAT | O_RDWR);
	assert_int_equal(sys_write(t, in, "hello world", 11), 11);
	out = sys_open(t, "/g", O_CREAT | O_RDWR);
	assert_int_equal(sys_pipe2(t, p, 0), 0);
	assert_int_equal(sys_pipe2(t, q, 0), 0);
	s = sys_socket(t, AF_INET, SOCK_STREAM, 0);
	/* file -> pipe -> pipe -> file, at offsets */
	assert_int_equal(sys_splice(t, in, &off, p[1], NULL, 100, 0), 5);
	assert_int_equal(off, 11);
	assert_int_equal(sys_splice(t, p[0], NULL, q[1], NULL, 100, 0), 5);
	off = 2;
	assert_int_equal(sys_splice(t, q[0], NULL, out, &off, 100, 0), 5);
	assert_int_equal(off, 7);
	assert_int_equal(sys_pread(t, out, buf, sizeof(buf), 0), 7);
	assert_memory_equal(buf, "\0\0world", 7);
	/* refusals */
	assert_int_equal(sys_splice(t, in, NULL, out, NULL, 1, 0), -EINVAL);   /* no pipe */
	assert_int_equal(sys_splice(t, p[0], NULL, p[1], NULL, 1, 0), -EINVAL); /* with itself */
	assert_int_equal(sys_splice(t, p[0], &off, out, NULL, 1, 0), -ESPIPE);
	assert_int_equal(sys_splice(t, in, NULL, p[1], &off, 1, 0), -ESPIPE);
	assert_int_equal(sys_splice(t, s, &off, p[1], NULL, 1, 0), -EINVAL); /* no positions */
	assert_int_equal(sys_splice(t, in, &neg, p[1], NULL, 1, 0), -EINVAL);
	assert_int_equal(sys_splice(t, p[1], NULL, q[1], NULL, 1, 0), -EBADF); /* not for reading */
	assert_int_equal(sys_splice(t, p[0], NULL, q[0], NULL, 1, 0), -EBADF);
	assert_int_equal(sys_splice(t, 99, NULL, q[1], NULL, 1, 0), -EBADF);
	assert_int_equal(sys_splice(t, p[0], NULL, 99, NULL, 1, 0), -EBADF);
	assert_int_equal(sys_splice(t, 99, NULL, 98, NULL, 0, 0), 0);
	assert_int_equal(sys_splice(t, p[0], NULL, q[1], NULL, 1, 0x1000), -EINVAL);
	assert_int_equal(sys_close(t, q[0]), 0);
	assert_int_equal(sys_write(t, p[1], "x", 1), 1);
	assert_int_equal(sys_splice(t, p[0], NULL, q[1], NULL, 1, 0), -EPIPE); /* no reader */
	assert_int_equal(sys_read(t, p[0], buf, 8), 1);                       /* and x is still there */
	memcpy(fd, (int[]){ in, out, p[0], p[1], q[1] }, sizeof(fd));
	close_all(t, fd, 5);
	sys_close(t, s);
	return 0;
}

static void splice_files_and_pipes(void **state)
{
	struct fx *f = host_up();

	RUN(f, files_and_pipes);
	host_down(f);
}

static int send_files(struct task *t, void *arg)
{
	uint8_t *buf = malloc(BIG);
	int fd[2], in = sys_open(t, "/big", O_CREAT | O_RDWR), p[2];
	int64_t off = 1000;
	uint64_t got = 0;
	ssize_t n;

	(void)arg;
	fill(buf, 0, BIG);
	assert_int_equal(sys_write(t, in, buf, BIG), BIG);
	tcp_pair(t, 84, fd);
	/* an offset of one's own leaves the file's alone */
	assert_int_equal(sys_sendfile(t, fd[0], in, &off, 100), 100);
	assert_int_equal(off, 1100);
	assert_int_equal(sys_recvfrom(t, fd[1], buf, BIG, 0, NULL, NULL), 100);
	check(buf, 1000, 100);
	/* no segment waits for more when the file ends */
	off = BIG - 10;
	assert_int_equal(sys_sendfile(t, fd[0], in, &off, 1000), 10);
	assert_int_equal(sys_recvfrom(t, fd[1], buf, BIG, 0, NULL, NULL), 10);
	assert_int_equal(sys_sendfile(t, fd[0], in, &off, 1000), 0);
	/* more than the socket takes: as much as it takes */
	sys_fcntl(t, fd[0], F_SETFL, O_NONBLOCK);
	off = 0;
	do {
		n = sys_sendfile(t, fd[0], in, &off, BIG);
		assert_true(n > 0 || n == -EAGAIN);
		do {
			n = sys_recvfrom(t, fd[1], buf, BIG, MSG_DONTWAIT, NULL, NULL);
			if (n > 0) {
				check(buf, got, (size_t)n);
				got += (uint64_t)n;
			}
		} while (n > 0);
		sys_nanosleep(t, NSEC_PER_MSEC);
	} while (got < BIG);
	assert_int_equal(off, BIG);
	/* /proc is a file too */
	assert_int_equal(sys_pipe2(t, p, 0), 0);
	n = sys_open(t, "/proc/net/tcp", O_RDONLY);
	assert_true(sys_sendfile(t, p[1], (int)n, NULL, 4096) > 100);
	assert_int_equal(sys_sendfile(t, p[1], (int)n, NULL, 4096), 0);
	sys_close(t, (int)n);
	/* refusals */
	assert_int_equal(sys_sendfile(t, fd[0], fd[1], NULL, 1), -EINVAL);
	assert_int_equal(sys_sendfile(t, fd[0], fd[1], &off, 1), -ESPIPE);
	assert_int_equal(sys_sendfile(t, p[0], in, NULL, 1), -EBADF);
	assert_int_equal(sys_sendfile(t, 99, in, NULL, 1), -EBADF);
	assert_int_equal(sys_sendfile(t, fd[0], 99, NULL, 1), -EBADF);
	off = -1;
	assert_int_equal(sys_sendfile(t, fd[0], in, &off, 1), -EINVAL);
	close_all(t, fd, 2);
	close_all(t, p, 2);
	sys_close(t, in);
	free(buf);
	return 0;
}

static void sendfile_to_a_socket(void **state)
{
	struct fx *f = host_up();

	RUN(f, send_files);
	host_down(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splice_between_tcp_and_pipes),
		cmocka_unit_test(splice_waits_for_data_and_for_room),
		cmocka_unit_test(splice_files_and_pipes),
		cmocka_unit_test(sendfile_to_a_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

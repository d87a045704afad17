/* libculver_packetdrill.so as packetdrill's binary uses it: loaded by name, spoken to by packets and calls, with the calls
 * that block on a second thread. The argument is the library's path. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#include <cmocka.h>
#include "drill/plugin/packetdrill_iface.h"
#include "wire/ip4.h"
#include "wire/tcp_hdr.h"

#define LOCAL 0xc0a80001u
#define REMOTE 0xc0000201u

struct bed {
	void *so;
	struct packetdrill_interface i;
	uint16_t lport, rport;
	uint32_t snd, rcv; /* ours out there */
};

static const char *library;

static int bed_open(void **state)
{
	static struct bed b;
	void (*init)(const char *, struct packetdrill_interface *);

	memset(&b, 0, sizeof(b));
	b.so = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	if (!b.so) {
		fprintf(stderr, "%s\n", dlerror());
		return -1;
	}
	*(void **)(void *)&init = dlsym(b.so, "packetdrill_interface_init");
	if (!init)
		return -1;
	init("defaults,net.ipv4.tcp_timestamps=0,--mtu=1400", &b.i);
	*state = &b;
	return 0;
}

static int bed_close(void **state)
{
	struct bed *b = *state;

	b->i.free(b->i.userdata);
	return 0;
}

/* ---- packets ---- */

static void send_tcp(struct bed *b, uint8_t flags, uint32_t len)
{
	uint8_t p[2000] = { 0x45 };
	uint8_t *t = p + 20;

	put_be16(p + 2, (uint16_t)(40 + len));
	p[8] = 64;
	p[9] = 6;
	put_be32(p + 12, REMOTE);
	put_be32(p + 16, LOCAL);
	put_be16(p + 10, ip4_fast_csum(p, 20));
	put_be16(t, b->rport);
	put_be16(t + 2, b->lport);
	put_be32(t + 4, b->snd);
	put_be32(t + 8, flags & TCP_ACK ? b->rcv : 0);
	t[12] = 0x50;
	t[13] = flags;
	put_be16(t + 14, 60000);
	put_be16(t + 16, csum_fold(csum_tcpudp_nofold(REMOTE, LOCAL, 20 + len, 6, csum_partial(t, 20 + len, 0))));
	assert_int_equal(b->i.netdev_send(b->i.userdata, p, 40 + len), 0);
	b->snd += len + (flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
}

/* The next packet of the stack; its payload's length. */
static uint32_t expect_tcp(struct bed *b, uint8_t flags, long long *when)
{
	uint8_t p[65536];
	size_t n = sizeof(p);
	long long t;
	uint32_t len;

	assert_int_equal(b->i.netdev_receive(b->i.userdata, p, &n, &t), 0);
	assert_true(n >= 40);
	assert_int_equal(ip4_fast_csum(p, 20), 0);
	assert_int_equal(p[20 + 13], flags);
	len = (uint32_t)n - 20 - (p[32] >> 4) * 4u;
	b->lport = get_be16(p + 20);
	b->rport = get_be16(p + 22);
	b->rcv = get_be32(p + 24) + len + (flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
	if (when)
		*when = t;
	return len;
}

static long long now_us(struct bed *b)
{
	struct timeval tv;

	b->i.gettimeofday(b->i.userdata, &tv, NULL);
	return tv.tv_sec * 1000000LL + tv.tv_usec;
}

/* ---- the second thread ---- */

struct job {
	struct bed *b;
	int fd, result, err;
	long long ended_us;
	enum { JOB_ACCEPT, JOB_CONNECT, JOB_READ, JOB_POLL } what;
};

static void *job_main(void *arg)
{
	struct job *j = arg;
	void *u = j->b->i.userdata;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(8080), .sin_addr.s_addr = htonl(REMOTE) };
	struct pollfd pfd = { .fd = j->fd, .events = POLLIN };
	char buf[100];

	errno = 0;
	if (j->what == JOB_ACCEPT)
		j->result = j->b->i.accept(u, j->fd, NULL, NULL);
	else if (j->what == JOB_CONNECT)
		j->result = j->b->i.connect(u, j->fd, (struct sockaddr *)&a, sizeof(a));
	else if (j->what == JOB_READ)
		j->result = (int)j->b->i.read(u, j->fd, buf, sizeof(buf));
	else
		j->result = j->b->i.poll(u, &pfd, 1, 300);
	j->err = errno;
	if (j->result < 0 && j->err == EINTR) /* all is over: there is no clock to ask */
		return NULL;
	j->ended_us = now_us(j->b);
	return NULL;
}

/* Started, and asleep in its call: the binary looks into /proc for that; here a moment of real time does. */
static pthread_t start(struct job *j)
{
	pthread_t t;

	pthread_create(&t, NULL, job_main, j);
	usleep(50000);
	return t;
}

static int server(struct bed *b)
{
	void *u = b->i.userdata;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(8080), .sin_addr.s_addr = htonl(LOCAL) };
	int fd = b->i.socket(u, AF_INET, SOCK_STREAM, 0), on = 1;

	assert_true(fd >= 0 && fcntl(fd, F_GETFD) >= 0); /* a real descriptor */
	assert_int_equal(b->i.setsockopt(u, fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(b->i.bind(u, fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(b->i.listen(u, fd, 5), 0);
	return fd;
}

/* ---- tests ---- */

static void every_pointer_is_filled(void **state)
{
	struct bed *b = *state;
	void *all[sizeof(b->i) / sizeof(void *)];

	memcpy(all, &b->i, sizeof(b->i));
	assert_int_equal(sizeof(all) / sizeof(*all), 33);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		assert_non_null(all[i]);
}

static void passive_handshake_with_a_blocking_accept(void **state)
{
	struct bed *b = *state;
	void *u = b->i.userdata;
	struct job j = { .b = b, .fd = server(b), .what = JOB_ACCEPT };
	pthread_t t = start(&j);
	long long t0;

	b->lport = 8080;
	b->rport = 40000;
	b->snd = 1000;
	send_tcp(b, TCP_SYN, 0);
	expect_tcp(b, TCP_SYN | TCP_ACK, NULL);
	b->i.usleep(u, 100000);
	t0 = now_us(b);
	send_tcp(b, TCP_ACK, 0);
	pthread_join(t, NULL);
	assert_true(j.result >= 0);
	assert_in_range(j.ended_us - t0, 0, 10);
	assert_int_equal(b->i.write(u, j.result, "0123456789", 10), 10);
	assert_int_equal(expect_tcp(b, TCP_ACK | TCP_PSH, NULL), 10);
	/* a reader that is woken by data */
	j.fd = j.result;
	j.what = JOB_READ;
	t = start(&j);
	send_tcp(b, TCP_ACK | TCP_PSH, 30);
	pthread_join(t, NULL);
	assert_int_equal(j.result, 30);
	expect_tcp(b, TCP_ACK, NULL);
	assert_int_equal(b->i.close(u, j.fd), 0);
	expect_tcp(b, TCP_ACK | TCP_FIN, NULL);
}

static void active_handshake_with_a_blocking_connect(void **state)
{
	struct bed *b = *state;
	void *u = b->i.userdata;
	struct job j = { .b = b, .fd = b->i.socket(u, AF_INET, SOCK_STREAM, 0), .what = JOB_CONNECT };
	pthread_t t = start(&j);

	expect_tcp(b, TCP_SYN, NULL);
	b->snd = 7;
	send_tcp(b, TCP_SYN | TCP_ACK, 0);
	pthread_join(t, NULL);
	assert_int_equal(j.result, 0);
	assert_int_equal(expect_tcp(b, TCP_ACK, NULL), 0);
}

static void a_refused_connect_has_its_errno(void **state)
{
	struct bed *b = *state;
	void *u = b->i.userdata;
	struct job j = { .b = b, .fd = b->i.socket(u, AF_INET, SOCK_STREAM, 0), .what = JOB_CONNECT };
	pthread_t t = start(&j);

	expect_tcp(b, TCP_SYN, NULL);
	b->snd = 0;
	send_tcp(b, TCP_RST | TCP_ACK, 0);
	pthread_join(t, NULL);
	assert_int_equal(j.result, -1);
	assert_int_equal(j.err, ECONNREFUSED);
}

static void time_is_virtual(void **state)
{
	struct bed *b = *state;
	void *u = b->i.userdata;
	struct timeval real0, real1;
	long long t0 = now_us(b), t1, when;

	gettimeofday(&real0, NULL);
	b->i.usleep(u, 900000000);
	t1 = now_us(b);
	assert_in_range(t1 - t0, 900000000, 900000010);
	server(b);
	b->lport = 8080;
	b->rport = 41000;
	b->snd = 1;
	t0 = now_us(b);
	send_tcp(b, TCP_SYN, 0);
	expect_tcp(b, TCP_SYN | TCP_ACK, &when);
	assert_in_range(when - t0, 0, 10);
	expect_tcp(b, TCP_SYN | TCP_ACK, &when); /* again, a second later */
	assert_in_range(when - t0, 999000, 1100000);
	gettimeofday(&real1, NULL);
	assert_true(real1.tv_sec - real0.tv_sec < 60);
}

static void nothing_comes_is_told(void **state)
{
	struct bed *b = *state;
	uint8_t p[2000];
	size_t n = sizeof(p);
	long long t, t0 = now_us(b);

	assert_int_equal(b->i.netdev_receive(b->i.userdata, p, &n, &t), 0);
	assert_int_equal(n, 0);
	assert_in_range(now_us(b) - t0, 4900000, 5100000);
}

/* The main thread only waits for the other: its time-out comes all the same. */
static void a_timeout_comes_although_nobody_moves_the_time(void **state)
{
	struct bed *b = *state;
	struct job j = { .b = b, .fd = server(b), .what = JOB_POLL };
	long long t0 = now_us(b);
	pthread_t t = start(&j);

	pthread_join(t, NULL);
	assert_int_equal(j.result, 0);
	assert_in_range(j.ended_us - t0, 299000, 301000);
}

static void the_main_threads_own_wait_moves_the_time(void **state)
{
	struct bed *b = *state;
	void *u = b->i.userdata;
	struct pollfd p = { .fd = server(b), .events = POLLIN };
	long long t0 = now_us(b);
	int ends[2];
	char c[4];

	assert_int_equal(b->i.poll(u, &p, 1, 250), 0);
	assert_in_range(now_us(b) - t0, 250000, 250010);
	assert_int_equal(b->i.pipe(u, ends), 0);
	assert_int_equal(b->i.write(u, ends[1], "abc", 3), 3);
	assert_int_equal(b->i.read(u, ends[0], c, 4), 3);
	assert_int_equal(b->i.fcntl(u, ends[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(b->i.read(u, ends[0], c, 4), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(b->i.close(u, 12345), -1);
	assert_int_equal(errno, EBADF);
}

static void options_of_the_flags_are_heeded(void **state)
{
	struct bed *b = *state;
	void *u = b->i.userdata;
	uint8_t p[2000];
	size_t n = sizeof(p);
	long long t;
	int fd = b->i.socket(u, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(8080), .sin_addr.s_addr = htonl(REMOTE) };

	assert_int_equal(b->i.connect(u, fd, (struct sockaddr *)&a, sizeof(a)), -1);
	assert_int_equal(errno, EINPROGRESS);
	assert_int_equal(b->i.netdev_receive(u, p, &n, &t), 0);
	assert_int_equal(get_be16(p + 20 + 22), 1360); /* MSS: --mtu=1400 */
	assert_int_equal(p[20 + 24], TCPOPT_NOP);     /* no timestamps */
}

/* Numbers that are nobody's, and NULL where an address must be: an errno, no crash. */
static void wrong_calls_are_answered(void **state)
{
	struct bed *b = *state;
	void *u = b->i.userdata;
	static const int fds[] = { -1, 0, 1, 2, 9999, 70000, 0x7fffffff, -2147483647 };
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct epoll_event ev = { .events = EPOLLIN };
	struct iovec iov = { NULL, 10 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct pollfd many[2000];
	socklen_t len = sizeof(a);
	char buf[10];
	int own = server(b);

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		int fd = fds[i];
		struct pollfd p = { .fd = fd, .events = POLLIN };
		const long r[] = {
			b->i.bind(u, fd, (struct sockaddr *)&a, sizeof(a)), b->i.listen(u, fd, 1), b->i.accept(u, fd, NULL, NULL),
			b->i.connect(u, fd, (struct sockaddr *)&a, sizeof(a)), b->i.read(u, fd, buf, 10), b->i.readv(u, fd, &iov, 1),
			b->i.recv(u, fd, buf, 10, 0), b->i.recvfrom(u, fd, buf, 10, 0, NULL, NULL), b->i.recvmsg(u, fd, &m, 0),
			b->i.write(u, fd, buf, 10), b->i.writev(u, fd, &iov, 1), b->i.send(u, fd, buf, 10, 0),
			b->i.sendto(u, fd, buf, 10, 0, (struct sockaddr *)&a, sizeof(a)), b->i.sendmsg(u, fd, &m, 0), b->i.fcntl(u, fd, F_GETFL),
			b->i.ioctl(u, fd, 0x541BUL, &own), b->i.close(u, fd), b->i.shutdown(u, fd, 1),
			b->i.getsockopt(u, fd, SOL_SOCKET, SO_ERROR, buf, &len), b->i.setsockopt(u, fd, SOL_SOCKET, SO_REUSEADDR, buf, 4),
			b->i.epoll_ctl(u, fd, EPOLL_CTL_ADD, own, &ev), b->i.epoll_wait(u, fd, &ev, 1, 0), b->i.splice(u, fd, NULL, own, NULL, 10, 0),
		};

		for (size_t k = 0; k < ARRAY_SIZE(r); k++)
			assert_int_equal(r[k], -1);
		assert_int_equal(b->i.poll(u, &p, 1, 0), fd < 0 ? 0 : 1);
		assert_int_equal(p.revents, fd < 0 ? 0 : POLLNVAL);
	}
	memset(many, 0xff, sizeof(many));
	assert_int_equal(b->i.poll(u, many, 2000, 0), -1);
	assert_int_equal(b->i.socket(u, 99, SOCK_STREAM, 0), -1);
	assert_int_equal(errno, EAFNOSUPPORT);
	assert_int_equal(b->i.bind(u, own, NULL, 16), -1);
	assert_int_equal(errno, EFAULT);
	assert_int_equal(b->i.netdev_send(u, buf, 0), -1);
	assert_int_equal(b->i.netdev_send(u, buf, 70000), -1);
	memset(buf, 0, sizeof(buf));
	b->i.netdev_send(u, buf, sizeof(buf)); /* no IP packet: dropped, or refused */
}

/* Sockets by the thousand, most of them closed behind the plug-in's back. */
static void sockets_come_and_go(void **state)
{
	struct bed *b = *state;
	void *u = b->i.userdata;
	int fd[200], value = 5;
	socklen_t len = sizeof(value);

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 200; i++) {
			fd[i] = b->i.socket(u, i & 1 ? AF_INET : AF_INET6, i & 2 ? SOCK_STREAM : SOCK_DGRAM, 0);
			assert_true(fd[i] >= 0);
			assert_int_equal(b->i.getsockopt(u, fd[i], SOL_SOCKET, SO_DOMAIN, &value, &len), 0);
			assert_int_equal(value, i & 1 ? AF_INET : AF_INET6);
		}
		for (int i = 0; i < 200; i++)
			assert_int_equal(i % 3 ? close(fd[i]) : b->i.close(u, fd[i]), 0);
	}
}

/* Eight threads asleep in accept, woken one by one; two still sleep when all ends. */
static void many_threads_block(void **state)
{
	struct bed *b = *state;
	struct job j[8];
	pthread_t t[8];
	int fd = server(b), done = 0;

	for (int i = 0; i < 8; i++) {
		j[i] = (struct job){ .b = b, .fd = fd, .what = JOB_ACCEPT, .result = -2 };
		t[i] = start(&j[i]);
	}
	b->lport = 8080;
	for (int i = 0; i < 6; i++) {
		b->rport = (uint16_t)(42000 + i);
		b->snd = 100;
		send_tcp(b, TCP_SYN, 0);
		expect_tcp(b, TCP_SYN | TCP_ACK, NULL);
		send_tcp(b, TCP_ACK, 0);
	}
	usleep(100000);
	for (int i = 0; i < 8; i++)
		done += j[i].result >= 0;
	assert_int_equal(done, 6);
	b->i.free(b->i.userdata); /* the two are told */
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	bed_open(state);
}

#define T(f) cmocka_unit_test_setup_teardown(f, bed_open, bed_close)
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(every_pointer_is_filled),
		T(passive_handshake_with_a_blocking_accept),
		T(active_handshake_with_a_blocking_connect),
		T(a_refused_connect_has_its_errno),
		T(time_is_virtual),
		T(nothing_comes_is_told),
		T(a_timeout_comes_although_nobody_moves_the_time),
		T(the_main_threads_own_wait_moves_the_time),
		T(options_of_the_flags_are_heeded),
		T(wrong_calls_are_answered),
		T(sockets_come_and_go),
		T(many_threads_block),
	};

	library = argc > 1 ? argv[1] : "libculver_packetdrill.so";
	return cmocka_run_group_tests(tests, NULL, NULL);
}

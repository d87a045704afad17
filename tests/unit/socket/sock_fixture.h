/* A whole host for the tests of system calls, and programs that are functions of the test: each runs as a task with a
 * stack of its own, so that calls may sleep; virtual time moves when nobody can run.
 *
 *     struct fx *f = host_up();
 *     RUN(f, fn);                one program to its end
 *     TOGETHER(f, arg, a, b);    several at once, started in this order
 *     host_down(f);              and nothing is left: no packet, no file, no octet of buffer
 *
 * Assertions inside a program end the test as anywhere else. */
#ifndef TESTS_SOCK_FIXTURE_H
#define TESTS_SOCK_FIXTURE_H

#include "../core/room_fixture.h"
#include "culver/host.h"
#include "drivers/drivers.h"
#include "socket/file.h"
#include "socket/syscall.h"
#include "socket/vfs.h"

typedef int (*prog_fn)(struct task *t, void *arg);

static inline struct fx *host_up(void)
{
	struct fx *f = calloc(1, sizeof(*f));
	struct net_params p = { .name = "a", .id = 1, .seed = 1, .now_ns = NSEC_PER_SEC, .serials = &f->serials,
				.owner = { .arg = f, .kick = fx_kick, .write = fx_write } };

	f->skbs = skb_pool_new(0);
	f->coros = coro_pool_new(CORO_STACK_DEFAULT);
	p.skbs = f->skbs;
	p.coros = f->coros;
	sb_init(&f->out);
	rec_init(&f->rec);
	f->net = host_new(&p);
	assert_non_null(f->net);
	net_run(f->net);
	return f;
}

static inline void host_down(struct fx *f)
{
	assert_int_equal(f->net->socks->files_open, 0);
	host_free(f->net);
	assert_int_equal(skb_pool_bytes(f->skbs), 0);
	skb_pool_free(f->skbs);
	coro_pool_free(f->coros);
	sb_free(&f->out);
	free(f->rec.ev);
	free(f);
}

static inline void together(struct fx *f, void *arg, const prog_fn *fns, size_t n)
{
	struct fx_prog p[8];
	struct task *t[8];
	uint64_t end = f->net->now_ns + 3600 * NSEC_PER_SEC;
	bool done = false;

	assert_true(n <= ARRAY_SIZE(p));
	memset(p, 0, sizeof(p));
	for (size_t i = 0; i < n; i++) {
		p[i].fn = fns[i];
		p[i].arg = arg;
		t[i] = fx_start(f, &p[i], "prog");
	}
	while (!done) {
		uint64_t next;

		net_run(f->net);
		done = true;
		for (size_t i = 0; i < n; i++)
			done &= p[i].done;
		if (done)
			break;
		next = net_next_deadline(f->net);
		if (next == TIME_NEVER || next > end)
			fail_msg("somebody sleeps for good");
		net_enter(f->net, next);
	}
	net_run(f->net);
	for (size_t i = 0; i < n; i++)
		task_free(t[i]);
}

#define TOGETHER(f, arg, ...)                                                    \
	do {                                                                     \
		const prog_fn fns_[] = { __VA_ARGS__ };                          \
		together((f), (arg), fns_, ARRAY_SIZE(fns_));                    \
	} while (0)
#define RUN(f, fn) TOGETHER((f), (f), (fn))

/* Let this much virtual time pass for whatever is still going on (TIME_WAIT). */
static inline void host_sleep(struct fx *f, uint64_t ns)
{
	uint64_t end = f->net->now_ns + ns;

	for (;;) {
		uint64_t next;

		net_run(f->net);
		next = net_next_deadline(f->net);
		if (next > end)
			break;
		net_enter(f->net, next);
	}
	net_enter(f->net, end);
	net_run(f->net);
}

static inline struct sockaddr_in lo_addr(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	put_be16((uint8_t *)&a.sin_port, port);
	put_be32((uint8_t *)&a.sin_addr, 0x7f000001);
	return a;
}
#define SA(a) ((struct sockaddr *)(void *)(a))

/* A TCP connection over lo within one task: fd[0] called, fd[1] was accepted. The listener is closed again. */
static inline void tcp_pair(struct task *t, uint16_t port, int fd[2])
{
	struct sockaddr_in a = lo_addr(port);
	int l = sys_socket(t, AF_INET, SOCK_STREAM, 0), one = 1;

	assert_true(l >= 0);
	assert_int_equal(sys_setsockopt(t, l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	assert_int_equal(sys_bind(t, l, SA(&a), sizeof(a)), 0);
	assert_int_equal(sys_listen(t, l, 5), 0);
	fd[0] = sys_socket(t, AF_INET, SOCK_STREAM, 0);
	assert_int_equal(sys_connect(t, fd[0], SA(&a), sizeof(a)), 0);
	fd[1] = sys_accept4(t, l, NULL, NULL, 0);
	assert_true(fd[1] >= 0);
	assert_int_equal(sys_close(t, l), 0);
}

/* Two UDP sockets connected to each other. */
static inline void udp_pair(struct task *t, uint16_t port, int fd[2])
{
	for (unsigned i = 0; i < 2; i++) {
		struct sockaddr_in a = lo_addr((uint16_t)(port + i));

		fd[i] = sys_socket(t, AF_INET, SOCK_DGRAM, 0);
		assert_true(fd[i] >= 0);
		assert_int_equal(sys_bind(t, fd[i], SA(&a), sizeof(a)), 0);
	}
	for (unsigned i = 0; i < 2; i++) {
		struct sockaddr_in a = lo_addr((uint16_t)(port + !i));

		assert_int_equal(sys_connect(t, fd[i], SA(&a), sizeof(a)), 0);
	}
}

static inline void close_all(struct task *t, const int *fd, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(sys_close(t, fd[i]), 0);
}

/* Octet i of a stream that tells where it was torn. */
static inline uint8_t pattern(uint64_t i)
{
	return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

static inline void fill(void *buf, uint64_t at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)buf)[i] = pattern(at + i);
}

static inline void check(const void *buf, uint64_t at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((const uint8_t *)buf)[i] != pattern(at + i))
			fail_msg("octet %llu of the stream is wrong", (unsigned long long)(at + i));
}

#endif

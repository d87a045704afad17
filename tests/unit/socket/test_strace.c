/* System calls as strace prints them: names, arguments, results; and nothing is followed that a call refused. */
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include "sock_fixture.h"
#include "socket/strace.h"

static void arguments_as_text(void **state)
{
	struct sockaddr_in a = lo_addr(8080);
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK, .nl_pid = 5 };
	uint8_t bytes[40];
	struct iovec iov[2] = { { (void *)(uintptr_t) "hi\n", 3 }, { NULL, 0 } };

	(void)state;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)('a' + i % 26);
	assert_string_equal(st_addr(ST, &a, sizeof(a)), "{sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr(\"127.0.0.1\")}");
	assert_string_equal(st_addr(ST, &nl, sizeof(nl)), "{sa_family=AF_NETLINK, nl_pid=5, nl_groups=00000000}");
	assert_string_equal(st_addr(ST, NULL, 16), "NULL");
	assert_string_equal(st_addr(ST, &a, 1), "{len=1}"); /* too short to say whose it is */
	assert_string_equal(st_addr(ST, &a, 4000), "{len=4000}");
	assert_string_equal(st_buf(ST, "a\"b\\c\n\t\001", 8), "\"a\\\"b\\\\c\\n\\t\\001\"");
	assert_string_equal(st_buf(ST, bytes, 40), "\"abcdefghijklmnopqrstuvwxyzabcdef\"..."); /* 32, as strace */
	assert_string_equal(st_buf(ST, bytes, -1), "0x..."); /* a call that failed filled nothing */
	assert_string_equal(st_buf(ST, NULL, 5), "NULL");
	assert_string_equal(st_buf(ST, bytes, 0), "\"\"");
	assert_string_equal(st_iov(ST, iov, 2), "[{iov_base=\"hi\\n\", iov_len=3}, ...]");
	assert_string_equal(st_iov(ST, NULL, 2), "[]");
	assert_string_equal(st_msg_flags(ST, 0), "0");
	assert_string_equal(st_msg_flags(ST, MSG_PEEK | MSG_DONTWAIT), "MSG_PEEK|MSG_DONTWAIT");
	assert_string_equal(st_msg_flags(ST, MSG_PEEK | 0x8000000), "MSG_PEEK|0x8000000");
	assert_string_equal(st_open_flags(ST, O_RDWR | O_CREAT | O_CLOEXEC), "O_RDWR|O_CREAT|O_CLOEXEC");
	assert_string_equal(st_sock_type(ST, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC), "SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK");
	assert_string_equal(st_sock_type(ST, 9), "0x9");
	assert_string_equal(st_family(ST, AF_PACKET), "AF_PACKET");
	assert_string_equal(st_family(ST, 77), "77");
	assert_string_equal(st_sockopt(ST, SOL_SOCKET, SO_REUSEADDR), "SOL_SOCKET, SO_REUSEADDR");
	assert_string_equal(st_sockopt(ST, IPPROTO_TCP, TCP_SOCKMAP), "SOL_TCP, TCP_SOCKMAP");
	assert_string_equal(st_sockopt(ST, 999, 7), "999, 7");
	assert_string_equal(st_optval(ST, &(int){ 42 }, 4), "[42]");
	assert_string_equal(st_optval(ST, "eth0", 4 + 1), "\"eth0\\000\"");
	assert_string_equal(st_optval(ST, NULL, 4), "NULL");
	assert_string_equal(st_poll_events(ST, POLLIN | POLLHUP), "POLLIN|POLLHUP");
	assert_string_equal(st_errno_name(ECONNREFUSED), "ECONNREFUSED");
	assert_string_equal(st_errno_text(ECONNREFUSED), "Connection refused");
	assert_string_equal(st_errno_name(5555), "E?");
}

static const char *line(struct fx *f, const char *begins)
{
	for (size_t i = 0; i < f->rec.n; i++)
		if (f->rec.ev[i].kind == TR_SYSCALL && !strncmp(f->rec.ev[i].text, begins, strlen(begins)))
			return f->rec.ev[i].text;
	return "";
}

static int lines_prog(struct task *t, void *arg)
{
	struct sockaddr_in a = lo_addr(8080);
	char b[16];
	int fd = sys_socket(t, AF_INET, SOCK_STREAM, 0);

	(void)arg;
	sys_connect(t, fd, SA(&a), sizeof(a)); /* refused */
	sys_read(t, fd, b, sizeof(b));
	sys_close(t, fd);
	sys_close(t, fd);
	sys_open(t, "/none", O_RDONLY);
	sys_dup2(t, 1, 9);
	return 0;
}

static void calls_as_lines(void **state)
{
	struct fx *f = host_up();

	(void)state;
	fx_trace(f);
	RUN(f, lines_prog);
	probe_detach(&f->net->probe, &f->rec.sink);
	assert_string_equal(line(f, "socket("), "socket(AF_INET, SOCK_STREAM, 0) = 3");
	assert_non_null(strstr(line(f, "connect("), "inet_addr(\"127.0.0.1\")}, 16) = -1 ECONNREFUSED"));
	assert_non_null(strstr(line(f, "read(3, 0x..., 16)"), "= -1 ENOTCONN"));
	assert_string_equal(line(f, "close("), "close(3) = 0");
	assert_string_equal(line(f, "open("), "open(\"/none\", O_RDONLY) = -1 ENOENT (No such file or directory)");
	assert_string_equal(line(f, "dup2("), "dup2(1, 9) = 9");
	host_down(f);
}

/* Every call with arguments that are all wrong, while somebody listens: errors, and no look behind a bad pointer. */
static int wild_prog(struct task *t, void *arg)
{
	static const int fds[] = { -1, 99, 0 };

	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		int fd = fds[i];

		assert_true(sys_bind(t, fd, NULL, 16) < 0);
		assert_true(sys_bind(t, fd, NULL, (socklen_t)-1) < 0);
		assert_true(sys_listen(t, fd, -1) < 0);
		assert_true(sys_accept4(t, fd, NULL, NULL, -1) < 0);
		assert_true(sys_connect(t, fd, NULL, 1 << 30) < 0);
		assert_true(sys_getsockname(t, fd, NULL, NULL) < 0);
		assert_true(sys_getpeername(t, fd, NULL, NULL) < 0);
		assert_true(sys_sendto(t, fd, NULL, SIZE_MAX, -1, NULL, 77) < 0);
		assert_true(sys_recvfrom(t, fd, NULL, SIZE_MAX, -1, NULL, NULL) < 0);
		assert_true(sys_sendmsg(t, fd, NULL, -1) < 0);
		assert_true(sys_recvmsg(t, fd, NULL, -1) < 0);
		assert_true(sys_sendmmsg(t, fd, NULL, 5, 0) < 0);
		assert_true(sys_recvmmsg(t, fd, NULL, 5, 0, 0) < 0);
		assert_true(sys_shutdown(t, fd, 9) < 0);
		assert_true(sys_setsockopt(t, fd, 77, 77, NULL, 4) < 0);
		assert_true(sys_getsockopt(t, fd, 77, 77, NULL, NULL) < 0);
		assert_true(sys_write(t, fd, NULL, 10) < 0);
		assert_true(sys_readv(t, fd, NULL, 10) < 0);
		assert_true(sys_writev(t, fd, NULL, 10) < 0);
		assert_true(sys_preadv(t, fd, NULL, 10, 0) < 0);
		assert_true(sys_pwritev(t, fd, NULL, 10, 0) < 0);
		assert_true(sys_splice(t, fd, NULL, fd, NULL, 10, 0) < 0);
		assert_true(sys_sendfile(t, fd, fd, NULL, 10) < 0);
		assert_true(sys_epoll_ctl(t, fd, 77, fd, NULL) < 0);
		assert_true(sys_epoll_wait(t, fd, NULL, -1, 0) < 0);
		assert_true(sys_fcntl(t, fd, 9999, -1) < 0);
		assert_true(sys_ioctl(t, fd, 0x5421, NULL) < 0);
		assert_true(sys_dup3(t, fd, -1, -1) < 0);
	}
	assert_true(sys_socket(t, -1, -1, -1) < 0);
	assert_true(sys_open(t, NULL, -1) < 0);
	assert_true(sys_pipe2(t, NULL, 0) < 0);
	assert_true(sys_poll(t, NULL, 3, 0) < 0);
	assert_true(sys_getrandom(t, NULL, 10) < 0);
	assert_true(sys_wait(t, NULL, NULL) < 0);
	return 0;
}

static void sy_01_wild_arguments_while_traced(void **state)
{
	struct fx *f = host_up();

	(void)state;
	fx_trace(f);
	RUN(f, wild_prog);
	probe_detach(&f->net->probe, &f->rec.sink);
	RUN(f, wild_prog);
	host_down(f);
}

static void every_call_has_a_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < NR_SYSCALLS; i++)
		assert_non_null(syscall_name(i));
	assert_null(syscall_name(NR_SYSCALLS));
	assert_string_equal(syscall_name(NR_SPLICE), "splice");
	assert_string_equal(syscall_name(NR_PWRITEV), "pwritev");
	assert_true(NR_SYSCALLS <= 64); /* sock_net.syscalls */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_as_text),
		cmocka_unit_test(calls_as_lines),
		cmocka_unit_test(sy_01_wild_arguments_while_traced),
		cmocka_unit_test(every_call_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

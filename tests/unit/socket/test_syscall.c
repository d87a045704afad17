/* The errors of the socket calls, call by call, as Linux gives them (SY-01). test_strace.c has the senseless arguments, tests/kernel
 * the comparison with a kernel. */
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include "sock_fixture.h"

#define IS(call, want) assert_int_equal((call), (want))
/* Plain literals, so that the address family of a sockaddr can be wrong. */
static struct sockaddr_in at(const uint8_t ip[4], uint16_t port, sa_family_t family)
{
	struct sockaddr_in a = { .sin_family = family };

	put_be16((uint8_t *)&a.sin_port, port);
	memcpy(&a.sin_addr, ip, 4);
	return a;
}
static const uint8_t lo[4] = { 127, 0, 0, 1 }, any[4] = { 0 }, nowhere[4] = { 10, 9, 8, 7 };

static int tcp(struct task *t)
{
	int s = sys_socket(t, AF_INET, SOCK_STREAM, 0);

	assert_true(s >= 0);
	return s;
}

static int udp(struct task *t)
{
	int s = sys_socket(t, AF_INET, SOCK_DGRAM, 0);

	assert_true(s >= 0);
	return s;
}

static int socket_prog(struct task *t, void *arg)
{
	(void)arg;
	IS(sys_socket(t, 99, SOCK_STREAM, 0), -EAFNOSUPPORT);
	IS(sys_socket(t, -1, SOCK_STREAM, 0), -EAFNOSUPPORT);
	IS(sys_socket(t, AF_INET, 99, 0), -EINVAL);
	IS(sys_socket(t, AF_INET, 0, 0), -ESOCKTNOSUPPORT);
	IS(sys_socket(t, AF_INET, SOCK_SEQPACKET, 0), -ESOCKTNOSUPPORT);
	IS(sys_socket(t, AF_INET, SOCK_STREAM | 0x100, 0), -EINVAL);
	IS(sys_socket(t, AF_INET, SOCK_STREAM, IPPROTO_UDP), -EPROTONOSUPPORT);
	IS(sys_socket(t, AF_INET, SOCK_DGRAM, IPPROTO_TCP), -EPROTONOSUPPORT);
	IS(sys_socket(t, AF_INET, SOCK_STREAM, 256), -EPROTONOSUPPORT);
	IS(sys_socket(t, AF_INET, SOCK_STREAM, 263), -EINVAL);
	IS(sys_socket(t, AF_INET, SOCK_STREAM, -1), -EINVAL);
	return 0;
}

static int bind_prog(struct task *t, void *arg)
{
	struct sockaddr_in a = at(lo, 21000, AF_INET), b = at(nowhere, 21000, AF_INET), c = at(lo, 21001, AF_INET6), d = at(any, 21002, AF_UNSPEC),
			   e = at(lo, 21003, AF_UNSPEC);
	int s = tcp(t), s2 = tcp(t), u = udp(t), one = 1;

	(void)arg;
	IS(sys_bind(t, 99, SA(&a), sizeof(a)), -EBADF);
	IS(sys_bind(t, s, SA(&a), 4), -EINVAL);
	IS(sys_bind(t, s, SA(&a), (socklen_t)-1), -EINVAL);
	IS(sys_bind(t, s, SA(&a), 4000), -EINVAL);
	IS(sys_bind(t, s, SA(&b), sizeof(b)), -EADDRNOTAVAIL);
	IS(sys_bind(t, s, SA(&c), sizeof(c)), -EAFNOSUPPORT);
	IS(sys_bind(t, s, SA(&e), sizeof(e)), -EAFNOSUPPORT);
	IS(sys_bind(t, s2, SA(&d), sizeof(d)), 0); /* as old programs do: no family, no address */
	IS(sys_bind(t, s, SA(&a), sizeof(a)), 0);
	IS(sys_bind(t, s, SA(&a), sizeof(a)), -EINVAL); /* once */
	sys_close(t, s2);
	s2 = tcp(t);
	IS(sys_bind(t, s2, SA(&a), sizeof(a)), -EADDRINUSE);
	IS(sys_setsockopt(t, s2, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	IS(sys_bind(t, s2, SA(&a), sizeof(a)), -EADDRINUSE); /* both must say so */
	IS(sys_bind(t, u, SA(&a), sizeof(a)), 0);            /* UDP's ports are others */
	IS(sys_listen(t, u, 1), -EOPNOTSUPP);
	IS(sys_listen(t, 99, 1), -EBADF);
	IS(sys_listen(t, s, 1), 0);
	IS(sys_listen(t, s, 5), 0); /* a new backlog */
	IS(sys_bind(t, s, SA(&a), sizeof(a)), -EINVAL);
	close_all(t, (int[]){ s, s2, u }, 3);
	return 0;
}

static int accept_prog(struct task *t, void *arg)
{
	struct sockaddr_in a = at(lo, 21010, AF_INET), from;
	socklen_t len = sizeof(from), small = 4;
	int l = tcp(t), u = udp(t), c = tcp(t), s;

	(void)arg;
	IS(sys_accept4(t, l, NULL, NULL, 0), -EINVAL); /* does not listen */
	IS(sys_accept4(t, u, NULL, NULL, 0), -EOPNOTSUPP);
	IS(sys_accept4(t, 99, NULL, NULL, 0), -EBADF);
	IS(sys_bind(t, l, SA(&a), sizeof(a)), 0);
	IS(sys_listen(t, l, 5), 0);
	IS(sys_accept4(t, l, NULL, NULL, 0x7), -EINVAL);
	IS(sys_fcntl(t, l, F_SETFL, O_NONBLOCK), 0);
	IS(sys_accept4(t, l, NULL, NULL, 0), -EAGAIN);
	IS(sys_connect(t, l, SA(&a), sizeof(a)), -EISCONN); /* a listener */
	IS(sys_connect(t, c, SA(&a), sizeof(a)), 0);
	s = sys_accept4(t, l, SA(&from), &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(s >= 0);
	IS(len, sizeof(from));
	IS(from.sin_family, AF_INET);
	IS(sys_fcntl(t, s, F_GETFL, 0) & O_NONBLOCK, O_NONBLOCK);
	IS(sys_fcntl(t, s, F_GETFD, 0), FD_CLOEXEC);
	IS(sys_connect(t, c, SA(&a), sizeof(a)), -EISCONN);
	IS(sys_listen(t, c, 1), -EINVAL); /* connected */
	/* names: cut to the room, with their real length */
	IS(sys_getpeername(t, c, SA(&from), &small), 0);
	IS(small, sizeof(from));
	small = (socklen_t)-1;
	IS(sys_getsockname(t, c, SA(&from), &small), -EINVAL);
	IS(sys_getpeername(t, l, SA(&from), &len), -ENOTCONN);
	IS(sys_getpeername(t, u, SA(&from), &len), -ENOTCONN);
	IS(sys_getsockname(t, u, SA(&from), &len), 0);
	IS(from.sin_port, 0);
	close_all(t, (int[]){ l, u, c, s }, 4);
	return 0;
}

static int connect_prog(struct task *t, void *arg)
{
	struct sockaddr_in a = at(lo, 21020, AF_INET), c = at(lo, 21020, AF_INET6), none = at(any, 0, AF_UNSPEC);
	char b[4];
	int s = tcp(t), u = udp(t);

	(void)arg;
	IS(sys_connect(t, 99, SA(&a), sizeof(a)), -EBADF);
	IS(sys_connect(t, s, SA(&a), 1), -EINVAL);
	IS(sys_connect(t, s, SA(&a), 8), -EINVAL);
	IS(sys_connect(t, s, SA(&c), sizeof(c)), -EAFNOSUPPORT);
	IS(sys_connect(t, s, SA(&a), sizeof(a)), -ECONNREFUSED);
	IS(sys_recvfrom(t, s, b, 4, 0, NULL, NULL), -ENOTCONN);
	IS(sys_sendto(t, s, b, 4, MSG_NOSIGNAL, NULL, 0), -EPIPE);
	IS(sys_shutdown(t, s, SHUT_WR), -ENOTCONN);
	IS(sys_shutdown(t, s, 3), -EINVAL);
	IS(sys_shutdown(t, u, SHUT_RD), -ENOTCONN);
	/* UDP: an address is remembered, and forgotten by AF_UNSPEC */
	IS(sys_sendto(t, u, b, 4, 0, NULL, 0), -EDESTADDRREQ);
	IS(sys_connect(t, u, SA(&a), sizeof(a)), 0);
	IS(sys_sendto(t, u, b, 4, 0, NULL, 0), 4);
	sys_nanosleep(t, NSEC_PER_MSEC);
	IS(sys_sendto(t, u, b, 4, 0, NULL, 0), -ECONNREFUSED); /* nobody is there, told once */
	IS(sys_connect(t, u, SA(&none), sizeof(none)), 0);
	IS(sys_sendto(t, u, b, 4, 0, NULL, 0), -EDESTADDRREQ);
	close_all(t, (int[]){ s, u }, 2);
	return 0;
}

static int send_prog(struct task *t, void *arg)
{
	struct sockaddr_in a = at(lo, 21030, AF_INET), zero = at(lo, 0, AF_INET), c = at(lo, 21030, AF_INET6);
	static char big[70000];
	struct iovec iov[2] = { { big, 2 }, { big, 3 } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2, .msg_name = &a, .msg_namelen = sizeof(a) };
	int u = udp(t), fd[2], v;

	(void)arg;
	IS(sys_sendto(t, 99, big, 1, 0, SA(&a), sizeof(a)), -EBADF);
	IS(sys_sendto(t, u, big, 65508, 0, SA(&a), sizeof(a)), -EMSGSIZE);
	IS(sys_sendto(t, u, big, 1, 0, SA(&zero), sizeof(zero)), -EINVAL);
	IS(sys_sendto(t, u, big, 1, 0, SA(&c), sizeof(c)), -EAFNOSUPPORT);
	IS(sys_sendto(t, u, big, 1, 0, SA(&a), 8), -EINVAL);
	IS(sys_sendto(t, u, big, 1, MSG_OOB, SA(&a), sizeof(a)), -EOPNOTSUPP);
	IS(sys_sendmsg(t, u, &m, 0), 5);
	m.msg_iovlen = 1025;
	IS(sys_sendmsg(t, u, &m, 0), -EMSGSIZE);
	m.msg_iovlen = 2;
	m.msg_namelen = 4;
	IS(sys_sendmsg(t, u, &m, 0), -EINVAL);
	IS(sys_recvfrom(t, u, big, 4, MSG_DONTWAIT | MSG_OOB, NULL, NULL), -EAGAIN); /* not looked at */
	/* a connection's two ends */
	tcp_pair(t, 21031, fd);
	IS(sys_sendto(t, fd[0], big, 0, 0, NULL, 0), 0);
	IS(sys_recvfrom(t, fd[1], big, 4, MSG_DONTWAIT, NULL, NULL), -EAGAIN);
	IS(sys_recvfrom(t, fd[1], big, 1, MSG_OOB, NULL, NULL), -EINVAL);
	IS(sys_write(t, fd[0], "abcdef", 6), 6);
	sys_nanosleep(t, NSEC_PER_MSEC);
	IS(sys_ioctl(t, fd[1], FIONREAD, &v), 0);
	IS(v, 6);
	IS(sys_recvfrom(t, fd[1], big, 4, MSG_TRUNC, NULL, NULL), 4); /* thrown away */
	IS(sys_recvfrom(t, fd[1], big, 4, 0, NULL, NULL), 2);
	assert_memory_equal(big, "ef", 2);
	IS(sys_shutdown(t, fd[0], SHUT_WR), 0);
	IS(sys_shutdown(t, fd[0], SHUT_WR), 0);
	IS(sys_sendto(t, fd[0], big, 1, MSG_NOSIGNAL, NULL, 0), -EPIPE);
	sys_nanosleep(t, NSEC_PER_MSEC);
	IS(sys_read(t, fd[1], big, 4), 0);
	IS(sys_shutdown(t, fd[1], SHUT_RD), 0);
	close_all(t, fd, 2);
	sys_close(t, u);
	return 0;
}

static int option_prog(struct task *t, void *arg)
{
	int s = tcp(t), u = udp(t), v = 1;
	socklen_t len = sizeof(v), neg = (socklen_t)-1, tiny = 1;

	(void)arg;
	IS(sys_setsockopt(t, 99, SOL_SOCKET, SO_REUSEADDR, &v, len), -EBADF);
	IS(sys_setsockopt(t, s, SOL_SOCKET, 9999, &v, len), -ENOPROTOOPT);
	IS(sys_setsockopt(t, s, SOL_SOCKET, SO_REUSEADDR, &v, 1), -EINVAL);
	IS(sys_setsockopt(t, s, SOL_SOCKET, SO_REUSEADDR, &v, neg), -EINVAL);
	IS(sys_setsockopt(t, s, SOL_SOCKET, SO_TYPE, &v, len), -ENOPROTOOPT);
	IS(sys_setsockopt(t, s, IPPROTO_TCP, 9999, &v, len), -ENOPROTOOPT);
	IS(sys_setsockopt(t, s, IPPROTO_TCP, TCP_NODELAY, &v, 1), -EINVAL);
	IS(sys_setsockopt(t, s, IPPROTO_IP, 9999, &v, len), -ENOPROTOOPT);
	IS(sys_setsockopt(t, u, IPPROTO_TCP, TCP_NODELAY, &v, len), -ENOPROTOOPT);
	IS(sys_getsockopt(t, s, SOL_SOCKET, 9999, &v, &len), -ENOPROTOOPT);
	IS(sys_getsockopt(t, s, SOL_SOCKET, SO_TYPE, &v, &neg), -EINVAL);
	IS(sys_getsockopt(t, s, SOL_SOCKET, SO_TYPE, &v, &len), 0);
	IS(v, SOCK_STREAM);
	IS(len, sizeof(v));
	v = 0x7f7f7f7f;
	IS(sys_getsockopt(t, s, SOL_SOCKET, SO_TYPE, &v, &tiny), 0); /* cut */
	IS(tiny, 1);
	IS(v & 0xff, SOCK_STREAM);
	IS(sys_getsockopt(t, s, SOL_SOCKET, SO_ERROR, &v, &len), 0);
	IS(v, 0);
	close_all(t, (int[]){ s, u }, 2);
	return 0;
}

#define SY_01(name)                                          \
	static void sy_01_errors_of_##name(void **state)     \
	{                                                    \
		struct fx *f = host_up();                    \
                                                             \
		(void)state;                                 \
		RUN(f, name##_prog);                         \
		host_sleep(f, 100 * NSEC_PER_SEC);           \
		host_down(f);                                \
	}
SY_01(socket)
SY_01(bind)
SY_01(accept)
SY_01(connect)
SY_01(send)
SY_01(option)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sy_01_errors_of_socket),
		cmocka_unit_test(sy_01_errors_of_bind),
		cmocka_unit_test(sy_01_errors_of_accept),
		cmocka_unit_test(sy_01_errors_of_connect),
		cmocka_unit_test(sy_01_errors_of_send),
		cmocka_unit_test(sy_01_errors_of_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The kernel's own loopback as a peer: both ends non-blocking on one thread, 127.0.0.0/8. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include "peer.h"

static void die(const char *what)
{
	fprintf(stderr, "kernel_peer: %s: %s\n", what, strerror(errno));
	exit(3);
}

static struct sockaddr_in addr_of(uint32_t ip, uint16_t port)
{
	struct sockaddr_in a;
	memset(&a, 0, sizeof a);
	a.sin_family = AF_INET;
	a.sin_addr.s_addr = htonl(ip);
	a.sin_port = htons(port);
	return a;
}

static int sock(int type)
{
	int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
	if (fd < 0)
		die("socket");
	return fd;
}

static int listener(struct sockaddr_in *out, uint32_t ip)
{
	int fd = sock(SOCK_STREAM), one = 1;
	socklen_t len = sizeof *out;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	*out = addr_of(ip, 0);
	if (bind(fd, (struct sockaddr *)out, len) || listen(fd, 128))
		die("listen");
	getsockname(fd, (struct sockaddr *)out, &len);
	return fd;
}

static void pair(int fd[2])
{
	struct sockaddr_in a;
	int l = listener(&a, INADDR_LOOPBACK), one = 1;

	fd[0] = sock(SOCK_STREAM);
	if (connect(fd[0], (struct sockaddr *)&a, sizeof a) && errno != EINPROGRESS)
		die("connect");
	while ((fd[1] = accept4(l, NULL, NULL, SOCK_NONBLOCK)) < 0)
		if (errno != EAGAIN)
			die("accept");
	setsockopt(fd[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(fd[1], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	close(l);
}

static int bulk(struct peer_args a)
{
	static char out[128 * 1024], in[128 * 1024];
	uint64_t t0, t, bytes = 0;
	int fd[2];

	pair(fd);
	memset(out, 'x', sizeof out);
	for (t0 = t = cpu_ns(); t - t0 < a.ns; t = cpu_ns()) {
		for (int i = 0; i < 16; i++) {
			ssize_t n;
			if (write(fd[0], out, sizeof out) < 0 && errno != EAGAIN)
				die("write");
			while ((n = read(fd[1], in, sizeof in)) > 0)
				bytes += (uint64_t)n;
		}
	}
	return report(bytes / sizeof out, bytes, t - t0);
}

static void all(int fd, char *buf, size_t len, int wr)
{
	while (len) {
		ssize_t n = wr ? write(fd, buf, len) : read(fd, buf, len);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n <= 0)
			die(wr ? "write" : "read");
		buf += n;
		len -= (size_t)n;
	}
}

static int rr(struct peer_args a)
{
	char buf[64] = { 0 };
	uint64_t t0, t, ops = 0;
	int fd[2];

	pair(fd);
	for (t0 = t = cpu_ns(); t - t0 < a.ns; t = cpu_ns())
		for (int i = 0; i < 256; i++, ops++) {
			all(fd[0], buf, sizeof buf, 1);
			all(fd[1], buf, sizeof buf, 0);
			all(fd[1], buf, sizeof buf, 1);
			all(fd[0], buf, sizeof buf, 0);
		}
	return report(ops, ops * 128, t - t0);
}

static int crr(struct peer_args a)
{
	struct sockaddr_in sa;
	int l = listener(&sa, 0x7f000000u | (a.offset + 1) << 8 | 1);
	char buf[64] = { 0 };
	uint64_t t0, t, ops = 0;

	for (t0 = t = cpu_ns(); t - t0 < a.ns; t = cpu_ns())
		for (int i = 0; i < 16; i++, ops++) {
			int c = sock(SOCK_STREAM), s;
			if (connect(c, (struct sockaddr *)&sa, sizeof sa) && errno != EINPROGRESS)
				die("connect");
			while ((s = accept4(l, NULL, NULL, SOCK_NONBLOCK)) < 0)
				if (errno != EAGAIN)
					die("accept");
			all(c, buf, sizeof buf, 1);
			all(s, buf, sizeof buf, 0);
			all(s, buf, sizeof buf, 1);
			all(c, buf, sizeof buf, 0);
			close(c);
			close(s);
		}
	return report(ops, ops * 128, t - t0);
}

static int udp(struct peer_args a)
{
	struct sockaddr_in sa = addr_of(INADDR_LOOPBACK, 0);
	socklen_t len = sizeof sa;
	int r = sock(SOCK_DGRAM), s = sock(SOCK_DGRAM);
	char buf[64] = { 0 };
	uint64_t t0, t, ops = 0;

	if (bind(r, (struct sockaddr *)&sa, len) || getsockname(r, (struct sockaddr *)&sa, &len) ||
	    connect(s, (struct sockaddr *)&sa, len))
		die("udp");
	for (t0 = t = cpu_ns(); t - t0 < a.ns; t = cpu_ns())
		for (int i = 0; i < 16; i++) {
			for (int k = 0; k < 32; k++)
				if (send(s, buf, sizeof buf, 0) != (ssize_t)sizeof buf)
					die("send");
			for (int k = 0; k < 32; k++, ops++)
				while (recv(r, buf, sizeof buf, 0) != (ssize_t)sizeof buf)
					if (errno != EAGAIN)
						die("recv");
		}
	return report(ops, ops * 64, t - t0);
}

int main(int argc, char **argv)
{
	struct peer_args a = peer_args(argc, argv);

	if (!strcmp(a.work, "tcp-bulk"))
		return bulk(a);
	if (!strcmp(a.work, "tcp-rr"))
		return rr(a);
	if (!strcmp(a.work, "tcp-crr"))
		return crr(a);
	if (!strcmp(a.work, "udp-64"))
		return udp(a);
	fprintf(stderr, "kernel_peer: unknown work %s\n", a.work);
	return 2;
}

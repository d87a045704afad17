/* The kernel's own local roads as peers, both ends non-blocking on one thread: TCP and UDP over lo (127.0.0.0/8), TCP with
 * its two sockets joined by a sockmap, unix stream sockets. A work's name may be followed by the road: tcp-rr@sockmap,
 * tcp-rr@unix. Exit code PEER_NA: this machine refuses that road. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "peer.h"
#include "sockmap.h"

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

static void tcp_pair(int fd[2], int joined)
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
	if (joined) {
		const char *no = sockmap_join(fd, ntohs(a.sin_port));

		if (no) {
			fprintf(stderr, "kernel_peer: %s: %s\n", no, strerror(errno));
			exit(PEER_NA);
		}
	}
}

static void pair(struct peer_args a, int fd[2])
{
	if (!strcmp(a.road, "unix")) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd))
			die("socketpair");
		return;
	}
	tcp_pair(fd, !strcmp(a.road, "sockmap"));
}

static int bulk(struct peer_args a)
{
	static char out[128 * 1024], in[128 * 1024];
	uint64_t t0, t, bytes = 0;
	int fd[2];

	pair(a, fd);
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

	pair(a, fd);
	for (t0 = t = cpu_ns(); t - t0 < a.ns; t = cpu_ns())
		for (int i = 0; i < 256; i++, ops++) {
			all(fd[0], buf, sizeof buf, 1);
			all(fd[1], buf, sizeof buf, 0);
			all(fd[1], buf, sizeof buf, 1);
			all(fd[0], buf, sizeof buf, 0);
		}
	return report(ops, ops * 128, t - t0);
}

/* Where connections of the short work go: a TCP port, or a name in the abstract space of unix sockets. */
struct place {
	int family, l;
	socklen_t len;
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_un un;
	};
};

static struct place place_of(struct peer_args a)
{
	struct place p;

	memset(&p, 0, sizeof p);
	p.family = !strcmp(a.road, "unix") ? AF_UNIX : AF_INET;
	if (p.family == AF_INET) {
		p.l = listener(&p.in, 0x7f000000u | (a.offset + 1) << 8 | 1);
		p.len = sizeof p.in;
		return p;
	}
	p.l = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	p.un.sun_family = AF_UNIX;
	p.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			    (size_t)snprintf(p.un.sun_path + 1, sizeof p.un.sun_path - 1, "culver-bench-%d", (int)getpid()));
	if (p.l < 0 || bind(p.l, &p.sa, p.len) || listen(p.l, 128))
		die("unix listener");
	return p;
}

static int crr(struct peer_args a)
{
	struct place p = place_of(a);
	char buf[64] = { 0 };
	uint64_t t0, t, ops = 0;

	for (t0 = t = cpu_ns(); t - t0 < a.ns; t = cpu_ns())
		for (int i = 0; i < 16; i++, ops++) {
			int c = socket(p.family, SOCK_STREAM | SOCK_NONBLOCK, 0), s;
			if (c < 0 || (connect(c, &p.sa, p.len) && errno != EINPROGRESS))
				die("connect");
			while ((s = accept4(p.l, NULL, NULL, SOCK_NONBLOCK)) < 0)
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

/* nc: one connection or datagram flow, standard input told by -d TEXT or -f BYTES (a lab's commands have no
 * keyboard), what arrives goes to standard output. -l listens, -u is UDP, -k keeps listening, -z only connects. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "app/app_cmds.h"
#include "app/app_util.h"
#include "base/strbuf.h"
#include "socket/syscall.h"

#define NC_CHUNK 65536

struct nc {
	struct task *t;
	bool listen, udp, keep, zero, verbose, quiet_out;
	const char *text;
	uint64_t bytes, wait_ns, lport;
	uint32_t addr, src;
	uint16_t port;
};

static int fail(struct nc *nc, const char *what, long err)
{
	char a[IP4_STRLEN];

	task_eprintf(nc->t, "nc: %s to %s port %u (%s) failed: %s\n", what, ip4_str(a, nc->addr), nc->port,
		     nc->udp ? "udp" : "tcp", app_strerror((int)err));
	return 1;
}

static int send_all(struct nc *nc, int fd)
{
	char *buf;
	uint64_t left = nc->bytes;

	if (nc->text) {
		size_t len = strlen(nc->text), off = 0;
		while (off < len) {
			ssize_t n = sys_sendto(nc->t, fd, nc->text + off, len - off, MSG_NOSIGNAL, NULL, 0);
			if (n < 0)
				return (int)n;
			off += (size_t)n;
		}
	}
	buf = xcalloc(1, NC_CHUNK);
	for (size_t i = 0; i < NC_CHUNK; i++)
		buf[i] = (char)('a' + i % 26);
	while (left) {
		ssize_t n = sys_sendto(nc->t, fd, buf, min_sz(left, nc->udp ? 1400 : NC_CHUNK), MSG_NOSIGNAL, NULL, 0);
		if (n < 0) {
			free(buf);
			return (int)n;
		}
		left -= (uint64_t)n;
	}
	free(buf);
	return 0;
}

static int receive_all(struct nc *nc, int fd)
{
	char *buf = xcalloc(1, NC_CHUNK + 1);
	uint64_t total = 0;
	ssize_t n;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int ms = nc->wait_ns ? (int)(nc->wait_ns / NSEC_PER_MSEC) : -1;
		n = sys_poll(nc->t, &p, 1, ms);
		if (n <= 0)
			break;
		n = sys_recvfrom(nc->t, fd, buf, NC_CHUNK, 0, NULL, NULL);
		if (n <= 0)
			break;
		total += (uint64_t)n;
		if (!nc->quiet_out)
			sys_write(nc->t, 1, buf, (size_t)n);
	}
	free(buf);
	if (nc->quiet_out)
		task_printf(nc->t, "received %llu bytes\n", (unsigned long long)total);
	if (n < 0 && n != -EINTR) {
		task_eprintf(nc->t, "nc: read failed: %s\n", app_strerror((int)n));
		return 1;
	}
	return 0;
}

static int talk(struct nc *nc, int fd)
{
	int err = send_all(nc, fd);

	if (err) {
		task_eprintf(nc->t, "nc: write failed: %s\n", app_strerror(err));
		return 1;
	}
	if (!nc->udp && (nc->text || nc->bytes))
		sys_shutdown(nc->t, fd, SHUT_WR);
	if (nc->udp && !nc->wait_ns && !nc->listen)
		return 0;
	return receive_all(nc, fd);
}

static int serve(struct nc *nc)
{
	struct sockaddr_in a = app_sockaddr(nc->src, (uint16_t)nc->lport), peer;
	int one = 1, rc = 0, err, fd = sys_socket(nc->t, AF_INET, nc->udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	socklen_t len = sizeof(peer);

	if (fd < 0)
		return fail(nc, "socket", fd);
	sys_setsockopt(nc->t, fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	err = sys_bind(nc->t, fd, (struct sockaddr *)&a, sizeof(a));
	if (!err && !nc->udp)
		err = sys_listen(nc->t, fd, 5);
	if (err) {
		task_eprintf(nc->t, "nc: %s\n", app_strerror(err));
		return 1;
	}
	if (nc->udp) {
		char b[1];
		ssize_t n = sys_recvfrom(nc->t, fd, b, 1, MSG_PEEK, (struct sockaddr *)&peer, &len);
		if (n >= 0 && !sys_connect(nc->t, fd, (struct sockaddr *)&peer, len))
			rc = talk(nc, fd);
	} else {
		do {
			int c = sys_accept4(nc->t, fd, (struct sockaddr *)&peer, &len, 0);
			if (c < 0) {
				rc = c == -EINTR ? 0 : 1;
				break;
			}
			rc = talk(nc, c);
			sys_close(nc->t, c);
		} while (nc->keep);
	}
	sys_close(nc->t, fd);
	return rc;
}

static int dial(struct nc *nc)
{
	struct sockaddr_in to = app_sockaddr(nc->addr, nc->port), from = app_sockaddr(nc->src, (uint16_t)nc->lport);
	int rc, err, fd = sys_socket(nc->t, AF_INET, nc->udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	char a[IP4_STRLEN];

	if (fd < 0)
		return fail(nc, "socket", fd);
	if (nc->src || nc->lport) {
		err = sys_bind(nc->t, fd, (struct sockaddr *)&from, sizeof(from));
		if (err)
			return fail(nc, "bind", err);
	}
	err = sys_connect(nc->t, fd, (struct sockaddr *)&to, sizeof(to));
	if (err) {
		sys_close(nc->t, fd);
		return fail(nc, "connect", err);
	}
	if (nc->verbose)
		task_eprintf(nc->t, "Connection to %s %u port [%s/*] succeeded!\n", ip4_str(a, nc->addr), nc->port, nc->udp ? "udp" : "tcp");
	rc = nc->zero ? 0 : talk(nc, fd);
	sys_close(nc->t, fd);
	return rc;
}

int nc_main(struct task *t, int argc, char **argv)
{
	struct nc nc = { .t = t };
	uint64_t port = 0;
	struct opt o;
	int c, rc;

	opt_init(&o, argc, argv, "lukzvqw:p:s:d:f:n");
	while ((c = opt_next(&o, t)) != -1) {
		rc = 0;
		switch (c) {
		case 'l': nc.listen = true; break;
		case 'u': nc.udp = true; break;
		case 'k': nc.keep = true; break;
		case 'z': nc.zero = true; break;
		case 'v': nc.verbose = true; break;
		case 'q': nc.quiet_out = true; break;
		case 'n': break;
		case 'w': rc = opt_seconds(&o, t, &nc.wait_ns); break;
		case 'p': rc = opt_u64(&o, t, 1, 65535, &nc.lport); break;
		case 's': rc = ip4_parse(o.value, &nc.src); break;
		case 'd': nc.text = o.value; break;
		case 'f': rc = opt_u64(&o, t, 0, 1ULL << 40, &nc.bytes); break;
		default: rc = -EINVAL;
		}
		if (rc)
			return 2;
	}
	if (nc.listen && o.i < argc && o.i == argc - 1)
		if (u64_parse(argv[o.i], 1, 65535, &nc.lport)) {
			task_eprintf(t, "nc: port number invalid: %s\n", argv[o.i]);
			return 2;
		}
	if (nc.listen && nc.lport)
		return serve(&nc);
	if (nc.listen || o.i != argc - 2 || u64_parse(argv[argc - 1], 1, 65535, &port)) {
		task_eprintf(t, "usage: nc [-luzvkq] [-w SECONDS] [-s SOURCE] [-p PORT] [-d TEXT] [-f BYTES] [HOST] PORT\n");
		return 2;
	}
	nc.port = (uint16_t)port;
	if (app_resolve(t, argv[o.i], &nc.addr))
		return 1;
	return dial(&nc);
}

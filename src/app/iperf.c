/* iperf: bytes through one TCP connection, measured in the host's own (virtual) time. -s serves for ever,
 * -c HOST sends for -t seconds or -n bytes and prints the rate; both count what arrived. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include "app/app_cmds.h"
#include "app/app_util.h"
#include "base/strbuf.h"
#include "socket/syscall.h"

#define IPERF_PORT 5001
#define IPERF_CHUNK 131072

static void print_rate(struct task *t, uint64_t bytes, uint64_t ns)
{
	/* bits per second in units of 0.01 Mbit/s, no floating point: output repeats exactly */
	uint64_t us = ns / NSEC_PER_USEC ? ns / NSEC_PER_USEC : 1;
	uint64_t centi = (uint64_t)((unsigned __int128)bytes * 800 / us);

	task_printf(t, "%llu bytes in %llu.%03llu s, %llu.%02llu Mbits/sec\n", (unsigned long long)bytes,
		    (unsigned long long)(ns / NSEC_PER_SEC), (unsigned long long)(ns / NSEC_PER_MSEC % 1000),
		    (unsigned long long)(centi / 100), (unsigned long long)(centi % 100));
}

static int serve_one(struct task *t, int fd, char *buf)
{
	uint64_t bytes = 0, t0 = sys_clock_ns(t);
	ssize_t n;

	while ((n = sys_recvfrom(t, fd, buf, IPERF_CHUNK, 0, NULL, NULL)) > 0)
		bytes += (uint64_t)n;
	print_rate(t, bytes, sys_clock_ns(t) - t0);
	sys_close(t, fd);
	return n < 0 ? (int)n : 0;
}

static int serve(struct task *t, uint16_t port)
{
	struct sockaddr_in a = app_sockaddr(INADDR_ANY, port);
	int one = 1, fd = sys_socket(t, AF_INET, SOCK_STREAM, 0), err;
	char *buf = xcalloc(1, IPERF_CHUNK);

	sys_setsockopt(t, fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	err = sys_bind(t, fd, (struct sockaddr *)&a, sizeof(a));
	if (!err)
		err = sys_listen(t, fd, 5);
	while (!err) {
		int c = sys_accept4(t, fd, NULL, NULL, 0);
		if (c < 0)
			err = c;
		else
			serve_one(t, c, buf);
	}
	free(buf);
	if (err != -EINTR)
		task_eprintf(t, "iperf: %s\n", app_strerror(err));
	return err == -EINTR ? 0 : 1;
}

static int client(struct task *t, uint32_t addr, uint16_t port, uint64_t ns, uint64_t bytes, const char *cc)
{
	struct sockaddr_in a = app_sockaddr(addr, port);
	int fd = sys_socket(t, AF_INET, SOCK_STREAM, 0), err;
	char *buf = xcalloc(1, IPERF_CHUNK), b[1];
	uint64_t t0, sent = 0;
	ssize_t n = 0;

	if (cc && sys_setsockopt(t, fd, IPPROTO_TCP, TCP_CONGESTION, cc, (socklen_t)strlen(cc))) {
		task_eprintf(t, "iperf: unknown congestion control '%s'\n", cc);
		free(buf);
		return 2;
	}
	err = sys_connect(t, fd, (struct sockaddr *)&a, sizeof(a));
	t0 = sys_clock_ns(t);
	while (!err && (bytes ? sent < bytes : sys_clock_ns(t) - t0 < ns)) {
		n = sys_sendto(t, fd, buf, bytes ? min_sz(IPERF_CHUNK, bytes - sent) : IPERF_CHUNK, MSG_NOSIGNAL, NULL, 0);
		if (n < 0)
			err = (int)n;
		else
			sent += (uint64_t)n;
	}
	if (!err) { /* the far end closes when it has everything */
		sys_shutdown(t, fd, SHUT_WR);
		n = sys_recvfrom(t, fd, b, 1, 0, NULL, NULL);
		err = n < 0 ? (int)n : 0;
	}
	if (err)
		task_eprintf(t, "iperf: connect or send failed: %s\n", app_strerror(err));
	else
		print_rate(t, sent, sys_clock_ns(t) - t0);
	sys_close(t, fd);
	free(buf);
	return err ? 1 : 0;
}

int iperf_main(struct task *t, int argc, char **argv)
{
	uint64_t port = IPERF_PORT, ns = 10 * NSEC_PER_SEC, bytes = 0;
	const char *host = NULL, *cc = NULL;
	bool server = false;
	uint32_t addr;
	struct opt o;
	int c, rc;

	opt_init(&o, argc, argv, "sc:t:n:p:C:");
	while ((c = opt_next(&o, t)) != -1) {
		rc = 0;
		switch (c) {
		case 's': server = true; break;
		case 'c': host = o.value; break;
		case 't': rc = opt_seconds(&o, t, &ns); break;
		case 'n': rc = opt_u64(&o, t, 1, 1ULL << 50, &bytes); break;
		case 'p': rc = opt_u64(&o, t, 1, 65535, &port); break;
		case 'C': cc = o.value; break;
		default: rc = -EINVAL;
		}
		if (rc)
			return 2;
	}
	if (server == (host != NULL) || o.i < argc) {
		task_eprintf(t, "usage: iperf -s | -c HOST [-t SECONDS] [-n BYTES] [-p PORT] [-C CONGESTION]\n");
		return 2;
	}
	if (server)
		return serve(t, (uint16_t)port);
	if (app_resolve(t, host, &addr))
		return 1;
	return client(t, addr, (uint16_t)port, ns, bytes, cc);
}

/* One question, one answer: the stub's way over the wire.
 *
 * Decides when octets are the answer to this query (RFC 5452: server, port, ID, question) and when
 * TCP is needed (TC). A connected UDP socket takes datagrams of that server only; its port was
 * drawn by the kernel. Called by stub.c, dig.c, dns_ctl.c. RFC 1035 4.2, 7766. Tests:
 * tests/unit/app/test_stub.c and the whole hosts of tests/unit/app/test_dns_hosts.c. */
#include <stdlib.h>
#include <string.h>

#include "app/app_util.h"
#include "app/stub.h"
#include "base/pool.h"
#include "socket/syscall.h"

#define TCP_LEN 2

/* Wait for events on fd until deadline. 0, -ETIMEDOUT, -EINTR. */
static int wait_fd(struct task *t, int fd, short events, uint64_t deadline_ns)
{
	struct pollfd p = { .fd = fd, .events = events };
	uint64_t now = sys_clock_ns(t);
	int n;

	if (now >= deadline_ns)
		return -ETIMEDOUT;
	n = sys_poll(
	    t, &p, 1,
	    (int)min_u64((deadline_ns - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC, INT32_MAX));
	return n < 0 ? n : n == 0 ? -ETIMEDOUT : 0;
}

static bool answers(const struct dns_msg *m, const struct dns_msg *q)
{
	return (m->flags & DNS_QR) && m->id == q->id && dns_opcode(m) == dns_opcode(q) &&
	       m->has_question && m->qtype == q->qtype && m->qclass == q->qclass &&
	       dname_eq(&m->qname, &q->qname);
}

static int open_connected(struct task *t, const struct stub_exchange *x, int type)
{
	struct sockaddr_in to = app_sockaddr(x->server, x->port ? x->port : DNS_PORT);
	int fd = sys_socket(t, AF_INET, type | SOCK_NONBLOCK, 0), err;

	if (fd < 0)
		return fd;
	err = sys_connect(t, fd, (const struct sockaddr *)&to, sizeof(to));
	if (err && err != -EINPROGRESS) {
		sys_close(t, fd);
		return err;
	}
	return fd;
}

static int udp_once(struct task *t, const struct stub_exchange *x, const uint8_t *query, size_t len,
		    const struct dns_msg *q, uint8_t *buf, struct dns_msg *m)
{
	uint64_t deadline = sys_clock_ns(t) + x->timeout_ns;
	int fd = open_connected(t, x, SOCK_DGRAM), err;
	ssize_t n;

	if (fd < 0)
		return fd;
	n = sys_sendto(t, fd, query, len, 0, NULL, 0);
	err = n < 0 ? (int)n : 0;
	while (!err) {
		err = wait_fd(t, fd, POLLIN, deadline);
		if (err)
			break;
		n = sys_recvfrom(t, fd, buf, DNS_MSG_MAX, 0, NULL, NULL);
		if (n == -EAGAIN)
			continue;
		if (n < 0)
			err = (int)n; /* -ECONNREFUSED: an ICMP error came back */
		else if (dns_msg_check(m, buf, (size_t)n) == DNS_FINE && answers(m, q))
			break;
	}
	sys_close(t, fd);
	return err;
}

/* Move len octets in or out. */
static int tcp_move(struct task *t, int fd, uint8_t *p, size_t len, bool out, uint64_t deadline)
{
	while (len) {
		ssize_t n;
		int err = wait_fd(t, fd, out ? POLLOUT : POLLIN, deadline);

		if (err)
			return err;
		n = out ? sys_sendto(t, fd, p, len, MSG_NOSIGNAL, NULL, 0)
			: sys_recvfrom(t, fd, p, len, 0, NULL, NULL);
		if (n == -EAGAIN)
			continue;
		if (n <= 0)
			return n < 0 ? (int)n : -ECONNRESET;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int tcp_once(struct task *t, const struct stub_exchange *x, const uint8_t *query, size_t len,
		    const struct dns_msg *q, uint8_t *buf, struct dns_msg *m)
{
	uint64_t deadline = sys_clock_ns(t) + x->timeout_ns;
	int fd = open_connected(t, x, SOCK_STREAM), err, so = 0;
	socklen_t l = sizeof(so);
	size_t n;

	if (fd < 0)
		return fd;
	put_be16(buf, (uint16_t)len);
	memcpy(buf + TCP_LEN, query, len);
	err = wait_fd(t, fd, POLLOUT, deadline);
	if (!err)
		err = sys_getsockopt(t, fd, SOL_SOCKET, SO_ERROR, &so, &l);
	if (!err)
		err = -so;
	if (!err)
		err = tcp_move(t, fd, buf, len + TCP_LEN, true, deadline);
	if (!err)
		err = tcp_move(t, fd, buf, TCP_LEN, false, deadline);
	n = get_be16(buf);
	if (!err)
		err = tcp_move(t, fd, buf, n, false, deadline);
	if (!err && (dns_msg_check(m, buf, n) != DNS_FINE || !answers(m, q)))
		err = -EBADMSG;
	sys_close(t, fd);
	return err;
}

int stub_exchange(struct task *t, const struct stub_exchange *x, const uint8_t *query, size_t len,
		  uint8_t **reply, struct dns_msg *m, bool *used_tcp)
{
	uint8_t *buf = xcalloc(1, DNS_MSG_MAX + TCP_LEN);
	bool tcp = x->tcp;
	struct dns_msg q;
	int err = dns_msg_check(&q, query, len) == DNS_FINE ? 0 : -EINVAL;

	if (!err && !tcp)
		err = udp_once(t, x, query, len, &q, buf, m);
	if (!err && !tcp && x->tcp_on_tc && (m->flags & DNS_TC))
		tcp = true;
	if (!err && tcp)
		err = tcp_once(t, x, query, len, &q, buf, m);
	if (used_tcp)
		*used_tcp = tcp;
	if (err) {
		free(buf);
		buf = NULL;
	}
	*reply = buf;
	return err;
}

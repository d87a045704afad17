/* UDP and TCP of a DNS server.
 *
 * TCP: each message has its length before it (RFC 1035 4.2.2). A connection may send the next query
 * before the answer to the last (RFC 7766 6.2.1.1), up to FRONT_PIPELINE; then it is not read from
 * until answers have gone. A message that has begun must be whole within FRONT_PARTIAL_NS; a length
 * below a header's ends the connection (DP-16). Connections are numbered slots with a generation,
 * so that a late answer to a closed one finds nobody. Decides who is let in and how long he may
 * take. Called by dns_server.c, dns_resolver.c. Tests: tests/unit/app/test_dns_hosts.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/app_util.h"
#include "app/dns_front.h"
#include "base/pool.h"
#include "socket/syscall.h"

#define LEN 2
#define IN_ROOM (LEN + DNS_MSG_MAX)
#define OUT_MAX (256u * 1024u)

/* ---- TCP ---- */

static void conn_end(struct dns_conn *c)
{
	loop_close(c->f->l, &c->lf);
	del_timer(&c->f->l->wheel, &c->timer);
	free(c->in);
	free(c->out);
	c->in = c->out = NULL;
	c->got = c->out_len = c->out_room = 0;
	c->pending = 0;
	c->eof = c->busy = false;
	c->generation++;
}

static void conn_timeout(struct timer_list *t)
{
	struct dns_conn *c = container_of(t, struct dns_conn, timer);

	if (c->pending && !c->got) /* it waits for us */
		loop_timer(c->f->l, &c->timer, FRONT_IDLE_NS);
	else
		conn_end(c);
}

/* What to wait for: readers stop when too much is under way. */
static void conn_wants(struct dns_conn *c)
{
	bool read = !c->eof && c->pending < FRONT_PIPELINE && c->out_len < OUT_MAX / 2;

	loop_want(c->f->l, &c->lf, (read ? EPOLLIN : 0u) | (c->out_len ? EPOLLOUT : 0u));
}

/* False: the connection is gone. */
static bool conn_flush(struct dns_conn *c)
{
	while (c->out_len) {
		ssize_t n =
		    sys_sendto(c->f->l->t, c->lf.fd, c->out, c->out_len, MSG_NOSIGNAL, NULL, 0);

		if (n == -EAGAIN)
			break;
		if (n < 0) {
			conn_end(c);
			return false;
		}
		c->out_len -= (size_t)n;
		memmove(c->out, c->out + n, c->out_len);
	}
	if (c->eof && !c->pending && !c->out_len) {
		conn_end(c);
		return false;
	}
	conn_wants(c);
	return true;
}

/* Hand up the whole messages in c->in. False: the connection is gone. */
static bool conn_messages(struct dns_conn *c)
{
	c->busy = true;
	while (c->got >= LEN && c->pending < FRONT_PIPELINE) {
		size_t need = get_be16(c->in);
		struct dns_peer peer = {
			.from = { c->addr, c->port, true },
			.slot = (uint32_t)(c - c->f->conn),
			.generation = c->generation,
		};

		if (need < DNS_HDR_LEN) {
			conn_end(c);
			return false;
		}
		if (c->got < LEN + need)
			break;
		c->pending++;
		c->f->n_tcp++;
		c->f->query(c->f->arg, c->in + LEN, need, &peer);
		if (c->generation != peer.generation)
			return false; /* ended meanwhile */
		c->got -= LEN + need;
		memmove(c->in, c->in + LEN + need, c->got);
	}
	c->busy = false;
	loop_timer(c->f->l, &c->timer, c->got ? FRONT_PARTIAL_NS : FRONT_IDLE_NS);
	return true;
}

static void conn_ready(struct loop_fd *lf, uint32_t events)
{
	struct dns_conn *c = container_of(lf, struct dns_conn, lf);
	size_t before = c->got;
	ssize_t n;

	if ((events & EPOLLERR) || ((events & EPOLLHUP) && c->eof)) {
		conn_end(c);
		return;
	}
	if ((events & EPOLLOUT) && !conn_flush(c))
		return;
	if (!(events & (EPOLLIN | EPOLLHUP)) || c->eof || c->got == IN_ROOM)
		return;
	n = sys_recvfrom(c->f->l->t, c->lf.fd, c->in + c->got, IN_ROOM - c->got, 0, NULL, NULL);
	if (n == -EAGAIN)
		return;
	if (n < 0) {
		conn_end(c);
		return;
	}
	c->eof = n == 0;
	c->got += (size_t)n;
	/* The clock of a message runs from its first octet: later ones do not reset it. */
	if (before && c->got < LEN + (c->got >= LEN ? (size_t)get_be16(c->in) : 0u) && !c->eof)
		return;
	if (conn_messages(c))
		conn_flush(c);
}

static unsigned conns_of(const struct dns_front *f, uint32_t addr)
{
	unsigned n = 0, i;

	for (i = 0; i < FRONT_MAX_CONNS; i++)
		n += (f->conn[i].generation & 1) && f->conn[i].addr == addr;
	return n;
}

static void conn_begin(struct dns_front *f, int fd, const struct sockaddr_in *from)
{
	uint32_t addr = ntohl(from->sin_addr.s_addr);
	struct dns_conn *c = f->conn;

	while (c < f->conn + FRONT_MAX_CONNS && (c->generation & 1))
		c++;
	if (c == f->conn + FRONT_MAX_CONNS || conns_of(f, addr) >= FRONT_CONNS_PER_ADDR) {
		f->refused++;
		sys_close(f->l->t, fd);
		return;
	}
	c->generation++;
	c->f = f;
	c->addr = addr;
	c->port = ntohs(from->sin_port);
	c->in = xcalloc(1, IN_ROOM);
	timer_setup(&c->timer, conn_timeout);
	loop_timer(f->l, &c->timer, FRONT_IDLE_NS);
	if (loop_add(f->l, &c->lf, fd, EPOLLIN, conn_ready)) {
		sys_close(f->l->t, fd);
		c->lf.fd = -1;
		conn_end(c);
	}
}

static void tcp_ready(struct loop_fd *lf, uint32_t events)
{
	struct dns_front *f = container_of(lf, struct dns_front, tcp);
	struct sockaddr_in from = { 0 };
	socklen_t len = sizeof(from);
	int fd = sys_accept4(f->l->t, lf->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK);

	if (fd >= 0)
		conn_begin(f, fd, &from);
}

static struct dns_conn *conn_of(struct dns_front *f, const struct dns_peer *p)
{
	struct dns_conn *c = &f->conn[p->slot % FRONT_MAX_CONNS];

	return c->generation == p->generation && (c->generation & 1) ? c : NULL;
}

static void tcp_reply(struct dns_conn *c, const uint8_t *wire, size_t len)
{
	if (c->out_len + LEN + len > OUT_MAX) { /* it does not read */
		conn_end(c);
		return;
	}
	if (c->out_len + LEN + len > c->out_room) {
		c->out_room = c->out_len + LEN + len;
		c->out = xrealloc(c->out, c->out_room);
	}
	put_be16(c->out + c->out_len, (uint16_t)len);
	memcpy(c->out + c->out_len + LEN, wire, len);
	c->out_len += LEN + len;
}

/* ---- UDP ---- */

/* One datagram and the address it was sent to: the answer must come from there (RFC 2181 4.1). */
static ssize_t udp_receive(struct dns_front *f, struct sockaddr_in *from, uint32_t *to)
{
	union {
		uint8_t room[CMSG_SPACE(sizeof(struct in_pktinfo))];
		struct cmsghdr align;
	} ctl;
	struct iovec iov = { f->buf, DNS_MSG_MAX };
	struct msghdr m = { .msg_name = from, .msg_namelen = sizeof(*from), .msg_iov = &iov,
			    .msg_iovlen = 1, .msg_control = &ctl, .msg_controllen = sizeof(ctl) };
	ssize_t n = sys_recvmsg(f->l->t, f->udp.fd, &m, 0);
	struct cmsghdr *c;

	*to = 0;
	for (c = n < 0 ? NULL : CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		struct in_pktinfo info;

		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO)
			continue;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		*to = ntohl(info.ipi_spec_dst.s_addr);
	}
	return n;
}

static void udp_send(struct dns_front *f, const struct dns_peer *peer, const uint8_t *wire,
		     size_t len)
{
	struct sockaddr_in to = app_sockaddr(peer->from.addr, peer->from.port);
	struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(peer->to) };
	union {
		uint8_t room[CMSG_SPACE(sizeof(struct in_pktinfo))];
		struct cmsghdr align;
	} ctl;
	struct iovec iov = { (void *)(uintptr_t)wire, len };
	struct msghdr m = {
	    .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &iov, .msg_iovlen = 1};

	memset(&ctl, 0, sizeof(ctl));
	if (peer->to) {
		ctl.align.cmsg_level = IPPROTO_IP;
		ctl.align.cmsg_type = IP_PKTINFO;
		ctl.align.cmsg_len = CMSG_LEN(sizeof(info));
		m.msg_control = &ctl;
		m.msg_controllen = sizeof(ctl);
		memcpy(CMSG_DATA(&ctl.align), &info, sizeof(info));
	}
	sys_sendmsg(f->l->t, f->udp.fd, &m, 0);
}

static void udp_ready(struct loop_fd *lf, uint32_t events)
{
	struct dns_front *f = container_of(lf, struct dns_front, udp);
	unsigned i;

	for (i = 0; i < FRONT_UDP_BURST; i++) {
		struct sockaddr_in from = { 0 };
		uint32_t to;
		ssize_t n = udp_receive(f, &from, &to);
		struct dns_peer peer = {
		    .from = {ntohl(from.sin_addr.s_addr), ntohs(from.sin_port), false},
		    .to = to,
		};

		if (n == -EAGAIN)
			return;
		if (n < 0)
			continue; /* an ICMP error to an earlier answer */
		f->n_udp++;
		f->query(f->arg, f->buf, (size_t)n, &peer);
	}
}

/* ---- the door ---- */

void dns_front_reply(struct dns_front *f, const struct dns_peer *peer, const uint8_t *wire,
		     size_t len)
{
	struct dns_conn *c;

	if (!peer->from.tcp) {
		udp_send(f, peer, wire, len);
		return;
	}
	c = conn_of(f, peer);
	if (!c)
		return;
	tcp_reply(c, wire, len);
	dns_front_drop(f, peer);
}

void dns_front_drop(struct dns_front *f, const struct dns_peer *peer)
{
	struct dns_conn *c = peer->from.tcp ? conn_of(f, peer) : NULL;

	if (!c)
		return;
	c->pending--;
	/* Answered at once: conn_ready() flushes. Answered late: perhaps messages were held back.
	 */
	if (!c->busy && conn_messages(c))
		conn_flush(c);
}

int dns_front_open(struct dns_front *f, struct loop *l, uint32_t addr, uint16_t port,
		   void (*query)(void *arg, const uint8_t *q, size_t len,
				 const struct dns_peer *peer),
		   void *arg)
{
	int fd, err, one = 1;

	memset(f, 0, sizeof(*f));
	f->l = l;
	f->query = query;
	f->arg = arg;
	f->udp.fd = f->tcp.fd = -1;
	for (fd = 0; fd < FRONT_MAX_CONNS; fd++)
		f->conn[fd].lf.fd = -1;
	fd = loop_server_socket(l->t, SOCK_DGRAM, addr, port, 0);
	if (fd >= 0)
		sys_setsockopt(l->t, fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
	err = fd < 0 ? fd : loop_add(l, &f->udp, fd, EPOLLIN, udp_ready);
	if (!err) {
		fd = loop_server_socket(l->t, SOCK_STREAM, addr, port, FRONT_MAX_CONNS);
		err = fd < 0 ? fd : loop_add(l, &f->tcp, fd, EPOLLIN, tcp_ready);
	}
	f->buf = xcalloc(1, DNS_MSG_MAX);
	if (err)
		dns_front_close(f);
	return err;
}

void dns_front_close(struct dns_front *f)
{
	unsigned i;

	for (i = 0; i < FRONT_MAX_CONNS; i++)
		if (f->conn[i].generation & 1)
			conn_end(&f->conn[i]);
	loop_close(f->l, &f->udp);
	loop_close(f->l, &f->tcp);
	free(f->buf);
	f->buf = NULL;
}

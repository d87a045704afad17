/* A connection of the web server: bytes in, one request after the other, bytes out.
 *
 *     READ --head, body, DONE--> WRITE --all sent--> READ (keep-alive: the next request)
 *                                   \--close-------> LINGER --peer closes or 2 s--> gone
 *
 * Requests are answered in order, one at a time; pipelined ones wait in `in`. At most HTTPD_IN
 * octets of input and about HTTPD_OUT of output are held, whatever the peer does; slow ones are cut
 * off (HR-01, HR-02, HR-05). Decides when to read, write, wait and close. Called by http_server.c's
 * loop; hands requests to http_answer.c. RFC 9112 9. Tests: tests/unit/app/test_http_hosts.c. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "app/app_util.h"
#include "app/http_conn.h"
#include "base/pool.h"
#include "base/rng.h"
#include "socket/syscall.h"

static uint16_t *addr_count(struct httpd *s, uint32_t addr)
{
	return &s->by_addr[siphash(s->key, &addr, sizeof(addr)) % HTTPD_ADDR_SLOTS];
}

void httpd_conn_end(struct httpd_conn *c)
{
	struct httpd *s = c->s;

	httpd_put_abort(c);
	if (c->file >= 0)
		sys_close(s->t, c->file);
	loop_close(s->l, &c->lf);
	del_timer(&s->l->wheel, &c->timer);
	list_del_init(&c->node);
	s->n_conns--;
	--*addr_count(s, c->addr);
	http_parser_free(&c->p);
	sb_free(&c->out);
	free(c);
}

/* Close so that the peer learns of it by a reset, not by an orderly end: the answer is not whole.
 */
static void conn_abort(struct httpd_conn *c)
{
	struct linger l = { 1, 0 };

	sys_setsockopt(c->s->t, c->lf.fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	httpd_conn_end(c);
}

static void wants(struct httpd_conn *c)
{
	bool read = c->state == CONN_LINGER || (c->state == CONN_READ && c->in_len == 0);

	loop_want(c->s->l, &c->lf,
		  (read && !c->peer_closed ? EPOLLIN : 0u) |
		      (c->out_at < c->out.len ? EPOLLOUT : 0u));
}

/* The clock of the stretch that begins now. */
static void restart_clock(struct httpd_conn *c)
{
	uint64_t ns = c->state == CONN_LINGER ? HTTPD_LINGER_NS :
		      c->state == CONN_WRITE || c->in_body ? HTTPD_RATE_NS :
		      c->in_request ? HTTPD_HEAD_NS : HTTPD_IDLE_NS;

	c->moved_mark = c->moved;
	loop_timer(c->s->l, &c->timer, ns);
}

static bool conn_run(struct httpd_conn *c);

static void conn_timeout(struct timer_list *t)
{
	struct httpd_conn *c = container_of(t, struct httpd_conn, timer);
	bool moving = c->state == CONN_WRITE || c->in_body;

	if (moving && c->moved - c->moved_mark >= HTTPD_RATE_MIN) {
		restart_clock(c);
	} else if (c->state == CONN_WRITE) {
		conn_abort(c);
	} else if (c->state == CONN_READ && c->in_request) {
		httpd_put_abort(c);
		httpd_error(c, 408, "the request took too long");
		conn_run(c);
	} else {
		httpd_conn_end(c);
	}
}

/* ---- out ---- */

/* Send what there is. 0, -EAGAIN, or -errno. */
static int flush(struct httpd_conn *c)
{
	while (c->out_at < c->out.len) {
		ssize_t n = sys_sendto(c->s->t, c->lf.fd, c->out.buf + c->out_at,
				       c->out.len - c->out_at, MSG_NOSIGNAL, NULL, 0);

		if (n < 0)
			return (int)n;
		c->out_at += (size_t)n;
		c->moved += (uint64_t)n;
		c->sent += (uint64_t)n;
	}
	sb_reset(&c->out);
	c->out_at = 0;
	return 0;
}

static void answered(struct httpd_conn *c)
{
	if (c->file >= 0)
		sys_close(c->s->t, c->file);
	c->file = -1;
	c->in_request = c->in_body = false;
	TRACE(&c->s->t->net->probe, TR_APP, 0, "response sent bytes=%llu%s",
	      (unsigned long long)c->sent, c->close_after ? " closing" : "");
	c->sent = 0;
	if (c->close_after) {
		sys_shutdown(c->s->t, c->lf.fd, SHUT_WR);
		c->state = CONN_LINGER;
	} else {
		http_next(&c->p);
		c->state = CONN_READ;
	}
	restart_clock(c);
}

/* True: go on with the next step; false: wait or gone. *alive says which. */
static bool step_write(struct httpd_conn *c, bool *alive)
{
	int err = flush(c);

	if (err == -EAGAIN)
		return false;
	if (err || (c->file_left && !httpd_fill(c))) {
		conn_abort(c);
		*alive = false;
		return false;
	}
	if (c->out.len == 0)
		answered(c);
	return true;
}

/* ---- in ---- */

static void head_done(struct httpd_conn *c)
{
	unsigned status = httpd_begin(c);

	c->in_body = true;
	restart_clock(c);
	if (status) {
		httpd_error(c, status, NULL);
	} else if (c->p.expect_continue && c->p.body != HTTP_BODY_NONE && c->in_at == c->in_len) {
		sb_puts(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
		flush(c); /* what does not fit now goes before the answer */
	}
}

/* Feed the parser. True: something happened, go on. */
static bool step_read(struct httpd_conn *c)
{
	const uint8_t *at = c->in + c->in_at;
	size_t left = c->in_len - c->in_at;
	enum http_event ev;

	if (left && !c->in_request) {
		c->in_request = true;
		restart_clock(c);
	}
	ev = http_step(&c->p, &at, &left);
	c->in_at = c->in_len - left;
	switch (ev) {
	case HTTP_HEAD:
		head_done(c);
		return true;
	case HTTP_DATA:
		c->moved += c->p.slice_len;
		httpd_body(c, c->p.slice, c->p.slice_len);
		return true;
	case HTTP_DONE:
		httpd_answer(c);
		return true;
	case HTTP_ERROR:
		httpd_error(c, c->p.error, c->p.why);
		return true;
	default:
		return false;
	}
}

/* Read into the empty buffer. 0, -EAGAIN, -errno; at the end of the stream peer_closed. */
static int refill(struct httpd_conn *c)
{
	ssize_t n = sys_recvfrom(c->s->t, c->lf.fd, c->in, sizeof(c->in), 0, NULL, NULL);

	c->in_at = 0;
	c->in_len = n > 0 ? (size_t)n : 0;
	c->peer_closed = n == 0;
	return n < 0 ? (int)n : 0;
}

/* As far as it goes. False: the connection is gone. */
static bool conn_run(struct httpd_conn *c)
{
	bool alive = true;
	int err = c->state == CONN_READ ? flush(c) : 0; /* a 100 Continue that did not fit */

	if (err && err != -EAGAIN) {
		httpd_conn_end(c);
		return false;
	}
	for (;;) {
		if (c->state == CONN_WRITE) {
			if (!step_write(c, &alive))
				break;
		} else if (c->state == CONN_LINGER) {
			c->in_at = c->in_len = 0;
			break;
		} else if (!step_read(c)) {
			c->in_at = c->in_len = 0; /* all taken */
			break;
		} else if (c->state == CONN_WRITE) {
			restart_clock(c);
		}
	}
	if (alive && c->peer_closed && c->state != CONN_WRITE) {
		httpd_conn_end(c); /* between requests, in the middle of one, or after the last */
		return false;
	}
	if (alive)
		wants(c);
	return alive;
}

static void conn_ready(struct loop_fd *lf, uint32_t events)
{
	struct httpd_conn *c = container_of(lf, struct httpd_conn, lf);
	int err = 0;

	if ((events & EPOLLERR) || ((events & EPOLLHUP) && c->peer_closed)) {
		httpd_conn_end(c);
		return;
	}
	if (c->state != CONN_WRITE && (events & (EPOLLIN | EPOLLHUP)) && !c->peer_closed) {
		err = refill(c);
		if (err == -EAGAIN)
			return;
		if (err) {
			httpd_conn_end(c);
			return;
		}
	}
	conn_run(c);
}

/* ---- new ones ---- */

/* No room: say so in one segment and go. */
static void turn_away(struct httpd *s, int fd)
{
	static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: "
				   "0\r\nRetry-After: 10\r\nConnection: close\r\n\r\n";

	s->refused++;
	sys_sendto(s->t, fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL, NULL, 0);
	sys_close(s->t, fd);
}

static void conn_new(struct httpd *s, int fd, const struct sockaddr_in *from)
{
	struct httpd_conn *c = xcalloc(1, sizeof(*c));
	int one = 1;

	c->s = s;
	c->addr = ntohl(from->sin_addr.s_addr);
	c->port = ntohs(from->sin_port);
	c->file = c->put_fd = -1;
	http_parser_init(&c->p, HTTP_REQUEST);
	sb_init(&c->out);
	list_add_tail(&c->node, &s->conns);
	timer_setup(&c->timer, conn_timeout);
	s->n_conns++;
	++*addr_count(s, c->addr);
	sys_setsockopt(s->t, fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (loop_add(s->l, &c->lf, fd, EPOLLIN, conn_ready)) {
		sys_close(s->t, fd);
		c->lf.fd = -1;
		httpd_conn_end(c);
		return;
	}
	loop_timer(s->l, &c->timer,
		   HTTPD_HEAD_NS); /* the first octet too may not be awaited for ever */
}

void httpd_accept(struct httpd *s)
{
	struct sockaddr_in from = { 0 };
	socklen_t len = sizeof(from);
	int fd = sys_accept4(s->t, s->listener.fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (s->n_conns >= s->max_conns ||
	    *addr_count(s, ntohl(from.sin_addr.s_addr)) >= s->max_per_addr)
		turn_away(s, fd);
	else
		conn_new(s, fd, &from);
}

/* The client's side of HTTP/1.1 (RFC 9112): dial, request, response. Called by curl and the visitor; hands framing to http_parse.c and the
 * rest to system calls. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include "app/app_util.h"
#include "app/http_client.h"
#include "socket/syscall.h"

#define UPLOAD_CHUNK 65536
#define CONTINUE_WAIT_MS 1000

static void set_timeouts(struct http_client *c)
{
	struct timeval tv = { .tv_sec = (time_t)(c->idle_ns / NSEC_PER_SEC), .tv_usec = (suseconds_t)(c->idle_ns % NSEC_PER_SEC / 1000) };

	if (!c->idle_ns)
		return;
	sys_setsockopt(c->t, c->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	sys_setsockopt(c->t, c->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

int http_client_dial(struct http_client *c, struct task *t, uint32_t addr, uint16_t port, uint64_t idle_ns)
{
	struct sockaddr_in a = app_sockaddr(addr, port);
	int err;

	memset(c, 0, sizeof(*c));
	c->t = t;
	c->idle_ns = idle_ns;
	http_parser_init(&c->p, HTTP_RESPONSE);
	c->buf = xcalloc(1, HTTP_CLIENT_BUF);
	c->fd = sys_socket(t, AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0)
		return c->fd;
	set_timeouts(c);
	err = sys_connect(t, c->fd, (struct sockaddr *)&a, sizeof(a));
	return err == -EINPROGRESS ? -ETIMEDOUT : err;
}

void http_client_close(struct http_client *c)
{
	if (c->fd >= 0)
		sys_close(c->t, c->fd);
	c->fd = -1;
	http_parser_free(&c->p);
	free(c->buf);
	c->buf = NULL;
}

static int send_all(struct http_client *c, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		ssize_t n = sys_sendto(c->t, c->fd, p, len, MSG_NOSIGNAL, NULL, 0);
		if (n < 0)
			return n == -EAGAIN ? -ETIMEDOUT : (int)n;
		p += n;
		len -= (size_t)n;
		c->sent += (uint64_t)n;
	}
	return 0;
}

/* Octets from the socket into the (empty) buffer. >0, 0 at the end, -errno. */
static ssize_t fill(struct http_client *c)
{
	ssize_t n = sys_recvfrom(c->t, c->fd, c->buf, HTTP_CLIENT_BUF, 0, NULL, NULL);

	if (n < 0)
		return n == -EAGAIN ? -ETIMEDOUT : n;
	if (n && !c->first_byte_ns)
		c->first_byte_ns = sys_clock_ns(c->t);
	c->at = c->buf;
	c->have = (size_t)n;
	return n;
}

static bool readable(struct http_client *c, int ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	return c->have || sys_poll(c->t, &p, 1, ms) > 0;
}

static int read_head(struct http_client *c, bool stop_at_100);

static int send_body(struct http_client *c, const struct http_call *call)
{
	uint8_t *buf;
	ssize_t n = 0;
	int err = 0;

	if (call->body)
		return send_all(c, call->body, call->body_len);
	buf = xcalloc(1, UPLOAD_CHUNK);
	while (!err && !readable(c, 0) && (n = call->next(call->next_arg, buf, UPLOAD_CHUNK)) > 0)
		err = send_all(c, buf, (size_t)n);
	free(buf);
	return err ? err : n < 0 ? (int)n : 0;
}

int http_client_send(struct http_client *c, const struct http_call *call)
{
	struct strbuf sb;
	bool body = call->body || call->next;
	int err;

	sb_init(&sb);
	sb_printf(&sb, "%s %s%s%s HTTP/1.1\r\nHost: %s\r\n", call->method, call->path, call->query ? "?" : "", call->query ? call->query : "", call->host);
	for (const char *const *h = call->headers; h && *h; h++)
		sb_printf(&sb, "%s\r\n", *h);
	if (body)
		sb_printf(&sb, "Content-Length: %llu\r\n", (unsigned long long)call->body_len);
	if (body && call->expect_continue)
		sb_puts(&sb, "Expect: 100-continue\r\n");
	sb_puts(&sb, "\r\n");
	c->p.head_only = !strcmp(call->method, "HEAD");
	err = send_all(c, sb_str(&sb), sb.len);
	sb_free(&sb);
	if (err || !body)
		return err;
	if (call->expect_continue && readable(c, CONTINUE_WAIT_MS)) {
		err = read_head(c, true);
		if (err || c->p.status != 100)
			return err; /* the final answer came first: it does not want the body */
	}
	err = send_body(c, call);
	/* a server that has seen enough answers and closes: its answer is still to be read */
	return err == -EPIPE || err == -ECONNRESET ? 0 : err;
}

/* Feed until the parser has something to say. */
static int next_event(struct http_client *c, enum http_event *ev)
{
	for (;;) {
		ssize_t n;
		*ev = http_step(&c->p, &c->at, &c->have);
		if (*ev == HTTP_ERROR)
			return -EPROTO;
		if (*ev != HTTP_MORE)
			return 0;
		n = fill(c);
		if (n < 0)
			return (int)n;
		if (!n) {
			*ev = http_eof(&c->p);
			if (*ev == HTTP_MORE)
				c->p.why = "the server closed the connection without an answer";
			return *ev == HTTP_DONE ? 0 : -EPROTO;
		}
	}
}

/* Up to the final head; with stop_at_100, up to a 100 Continue at most. */
static int read_head(struct http_client *c, bool stop_at_100)
{
	enum http_event ev;
	int err;

	for (;;) {
		if (c->p.status) { /* an answer was read before (100 Continue): done with it */
			if (c->p.status >= 200)
				return 0;
			http_next(&c->p);
		}
		err = next_event(c, &ev);
		if (err)
			return err;
		if (ev != HTTP_HEAD)
			return -EPROTO;
		if (c->p.status >= 200 || (stop_at_100 && c->p.status == 100))
			return 0;
		err = next_event(c, &ev); /* the end of the 1xx */
		if (err)
			return err;
	}
}

int http_client_head(struct http_client *c)
{
	return read_head(c, false);
}

ssize_t http_client_body(struct http_client *c, const uint8_t **data)
{
	enum http_event ev;
	int err = next_event(c, &ev);

	if (err)
		return err;
	if (ev == HTTP_DONE)
		return 0;
	*data = c->p.slice;
	return (ssize_t)c->p.slice_len;
}

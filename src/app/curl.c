/* curl: HTTP from a lab's command line, with curl's flags, messages and exit codes (3 bad URL, 6 name, 7 connect, 22 HTTP error with -f,
 * 23 write, 26 read, 28 timeout, 52 empty reply, 56 receive). Hands on to url.c, stub.c, http_client.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "app/app_net.h"
#include "app/app_util.h"
#include "app/http_client.h"
#include "app/stub.h"
#include "app/url.h"
#include "base/strbuf.h"
#include "socket/syscall.h"
#include "socket/vfs.h"

#define CURL_HEADERS_MAX 64
#define CURL_REDIRECTS_MAX 30
#define CURL_IDLE_NS (300 * NSEC_PER_SEC)

struct curl {
	struct task *t;
	const char *out, *method, *data, *upload, *write_out;
	const char *header[CURL_HEADERS_MAX + 8];
	unsigned n_headers;
	bool silent, show_error, verbose, head, fail, follow, include;
	uint64_t timeout_ns;
	int out_fd, up_fd;
	uint64_t up_len, down;
	uint16_t status;
	uint64_t t0;
};

static int say(struct curl *c, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
static int say(struct curl *c, int code, const char *fmt, ...)
{
	struct strbuf sb;
	va_list ap;

	if (c->silent && !c->show_error)
		return code;
	sb_init(&sb);
	va_start(ap, fmt);
	sb_vprintf(&sb, fmt, ap);
	va_end(ap);
	task_eprintf(c->t, "curl: (%d) %s\n", code, sb_str(&sb));
	sb_free(&sb);
	return code;
}

static ssize_t read_upload(void *arg, void *buf, size_t room)
{
	struct curl *c = arg;

	return sys_read(c->t, c->up_fd, buf, room);
}

static int open_upload(struct curl *c)
{
	struct vfs_stat st;
	int err = sys_stat(c->t, c->upload, &st);

	c->up_fd = err ? err : sys_open(c->t, c->upload, O_RDONLY);
	c->up_len = st.size;
	return c->up_fd < 0 ? say(c, 26, "Failed to open '%s': %s", c->upload, app_strerror(c->up_fd)) : 0;
}

static int open_output(struct curl *c)
{
	if (!c->out || c->out_fd >= 0)
		return 0;
	c->out_fd = sys_open(c->t, c->out, O_WRONLY | O_CREAT | O_TRUNC);
	return c->out_fd < 0 ? say(c, 23, "Failed to open the file %s: %s", c->out, app_strerror(c->out_fd)) : 0;
}

static int receive_error(struct curl *c, const struct http_client *h, int err)
{
	if (err == -ETIMEDOUT)
		return say(c, 28, "Operation timed out after %llu milliseconds with %llu bytes received",
			   (unsigned long long)((sys_clock_ns(c->t) - c->t0) / NSEC_PER_MSEC), (unsigned long long)c->down);
	if (err == -EPROTO && !h->p.head.len && !h->p.status)
		return say(c, 52, "Empty reply from server");
	if (err == -EPROTO && h->p.body == HTTP_BODY_LENGTH && h->p.left)
		return say(c, 18, "transfer closed with %llu bytes remaining to read", (unsigned long long)h->p.left);
	if (err == -EPROTO)
		return say(c, 56, "%s", h->p.why);
	return say(c, 56, "Recv failure: %s", app_strerror(err));
}

static void print_head(struct curl *c, const struct http_parser *p, bool err_stream)
{
	struct strbuf sb;
	const char *mark = err_stream ? "< " : "";

	sb_init(&sb);
	sb_printf(&sb, "%sHTTP/1.%u %u %s\r\n", mark, p->minor, p->status, p->reason);
	for (unsigned i = 0; i < p->n_fields; i++)
		sb_printf(&sb, "%s%s: %s\r\n", mark, p->field[i].name, p->field[i].value);
	sb_printf(&sb, "%s\r\n", mark);
	if (err_stream)
		task_eprintf(c->t, "%s", sb_str(&sb));
	else
		task_puts(c->t, sb_str(&sb));
	sb_free(&sb);
}

static int take_body(struct curl *c, struct http_client *h, bool discard)
{
	const uint8_t *data;
	ssize_t n;

	while ((n = http_client_body(h, &data)) > 0) {
		ssize_t w = discard ? n : sys_write(c->t, c->out_fd >= 0 ? c->out_fd : 1, data, (size_t)n);
		c->down += (uint64_t)n;
		if (w != n)
			return say(c, 23, "Failure writing output to destination");
	}
	return n < 0 ? receive_error(c, h, (int)n) : 0;
}

static void fill_call(struct curl *c, const struct url *u, char *host, size_t room, struct http_call *call)
{
	snprintf(host, room, u->port_given && u->port != 80 ? "%s:%u" : "%s", u->host, u->port);
	c->header[c->n_headers] = NULL;
	*call = (struct http_call){ .host = host, .path = u->path, .query = u->query, .headers = c->header };
	call->method = c->method ? c->method : c->head ? "HEAD" : c->upload ? "PUT" : c->data ? "POST" : "GET";
	if (c->upload) {
		call->next = read_upload;
		call->next_arg = c;
		call->body_len = c->up_len;
		call->expect_continue = c->up_len > 1048576;
	} else if (c->data) {
		call->body = c->data;
		call->body_len = strlen(c->data);
	}
}

/* Talk on an open connection. Exit code. *next: where a redirect leads (owned). */
static int exchange(struct curl *c, struct http_client *h, const struct url *u, char **next)
{
	char host[URL_HOST_MAX + 16];
	struct http_call call;
	const char *loc;
	int err;

	fill_call(c, u, host, sizeof(host), &call);
	if (c->verbose)
		task_eprintf(c->t, "> %s %s%s%s HTTP/1.1\r\n> Host: %s\r\n", call.method, call.path, call.query ? "?" : "", call.query ? call.query : "", host);
	for (unsigned i = 0; c->verbose && i < c->n_headers; i++)
		task_eprintf(c->t, "> %s\r\n", c->header[i]);
	err = http_client_send(h, &call);
	if (!err)
		err = http_client_head(h);
	if (err)
		return err == -EPROTO || err == -ETIMEDOUT ? receive_error(c, h, err) : say(c, 56, "Send failure: %s", app_strerror(err));
	c->status = h->p.status;
	if (c->verbose)
		print_head(c, &h->p, true);
	loc = http_field(&h->p, "Location");
	if (c->follow && loc && c->status / 100 == 3) {
		struct strbuf sb;
		sb_init(&sb);
		if (loc[0] == '/' && loc[1] != '/')
			sb_printf(&sb, "http://%s", host);
		sb_puts(&sb, loc);
		*next = sb.buf;
		return take_body(c, h, true);
	}
	if (c->fail && c->status >= 400)
		return say(c, 22, "The requested URL returned error: %u", c->status);
	err = open_output(c);
	if (err)
		return err;
	if (c->head || c->include)
		print_head(c, &h->p, false);
	return take_body(c, h, false);
}

static int fetch(struct curl *c, const char *text, char **next)
{
	struct http_client h = { .fd = -1 };
	struct stub_answer a;
	char err[512], ip[IP4_STRLEN];
	struct url u;
	int rc;

	if (url_parse(text, 0, &u, err, sizeof(err)))
		return say(c, 3, "URL rejected: %s", err);
	if (url_fetchable(&u, err, sizeof(err))) {
		url_free(&u);
		return say(c, 1, "%s", err);
	}
	if (c->upload && u.path[strlen(u.path) - 1] == '/') { /* curl completes a folder with the file's name */
		const char *base = strrchr(c->upload, '/');
		struct strbuf sb;
		sb_init(&sb);
		sb_printf(&sb, "%s%s", u.path, base ? base + 1 : c->upload);
		free(u.path);
		u.path = sb.buf;
	}
	rc = stub_lookup(c->t, u.host, &a);
	if (rc || !a.n) {
		rc = say(c, 6, "Could not resolve host: %s", u.host);
	} else {
		if (c->verbose)
			task_eprintf(c->t, "*   Trying %s:%u...\n", ip4_str(ip, a.addr[0]), u.port);
		rc = http_client_dial(&h, c->t, a.addr[0], u.port, c->timeout_ns);
		if (rc)
			rc = rc == -ETIMEDOUT ? say(c, 28, "Failed to connect to %s port %u after %llu ms: Connection timed out", u.host, u.port,
						    (unsigned long long)((sys_clock_ns(c->t) - c->t0) / NSEC_PER_MSEC)) :
						say(c, 7, "Failed to connect to %s port %u after %llu ms: %s", u.host, u.port,
						    (unsigned long long)((sys_clock_ns(c->t) - c->t0) / NSEC_PER_MSEC), app_strerror(rc));
		else {
			if (c->verbose)
				task_eprintf(c->t, "* Connected to %s (%s) port %u\n", u.host, ip4_str(ip, a.addr[0]), u.port);
			rc = exchange(c, &h, &u, next);
		}
		http_client_close(&h);
	}
	url_free(&u);
	return rc;
}

/* -w: %{http_code}, %{size_download}, %{time_total}, \n. */
static void write_out(struct curl *c)
{
	uint64_t us = (sys_clock_ns(c->t) - c->t0) / NSEC_PER_USEC;

	for (const char *s = c->write_out; *s; s++) {
		if (!strncmp(s, "%{http_code}", 12)) {
			task_printf(c->t, "%03u", c->status);
			s += 11;
		} else if (!strncmp(s, "%{size_download}", 16)) {
			task_printf(c->t, "%llu", (unsigned long long)c->down);
			s += 15;
		} else if (!strncmp(s, "%{time_total}", 13)) {
			task_printf(c->t, "%llu.%06llu", (unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000));
			s += 12;
		} else if (s[0] == '\\' && s[1] == 'n') {
			task_puts(c->t, "\n");
			s++;
		} else {
			char one[2] = { *s, 0 };
			task_puts(c->t, one);
		}
	}
}

static int options(struct curl *c, struct opt *o)
{
	int f;

	while ((f = opt_next(o, c->t)) != -1) {
		switch (f) {
		case 's': c->silent = true; break;
		case 'S': c->show_error = true; break;
		case 'v': c->verbose = true; break;
		case 'I': c->head = true; break;
		case 'f': c->fail = true; break;
		case 'L': c->follow = true; break;
		case 'i': c->include = true; break;
		case 'o': c->out = o->value; break;
		case 'X': c->method = o->value; break;
		case 'd': c->data = o->value; break;
		case 'T': c->upload = o->value; break;
		case 'w': c->write_out = o->value; break;
		case 'm':
			if (opt_seconds(o, c->t, &c->timeout_ns))
				return 2;
			break;
		case 'H':
			if (c->n_headers == CURL_HEADERS_MAX || strpbrk(o->value, "\r\n"))
				return say(c, 2, "a header that cannot be sent");
			c->header[c->n_headers++] = o->value;
			break;
		default: return 2;
		}
	}
	if (c->method && !http_is_token(c->method, strlen(c->method)))
		return say(c, 2, "'%s' is not a method", c->method);
	return 0;
}

int curl_main(struct task *t, int argc, char **argv)
{
	struct curl c = { .t = t, .timeout_ns = CURL_IDLE_NS, .out_fd = -1, .up_fd = -1, .t0 = sys_clock_ns(t) };
	char *next = NULL;
	struct opt o;
	int rc;

	opt_init(&o, argc, argv, "sSvIfLio:X:d:T:w:m:H:");
	rc = options(&c, &o);
	if (rc)
		return rc;
	if (o.i != argc - 1) {
		task_eprintf(t, "curl: try 'curl [-sSvIfLi] [-o FILE] [-X METHOD] [-d DATA] [-T FILE] [-H HEADER] [-w FORMAT] [-m SECONDS] URL'\n");
		return 2;
	}
	c.header[c.n_headers++] = "User-Agent: curl/8 (culver)";
	c.header[c.n_headers++] = "Accept: */*";
	if (c.data)
		c.header[c.n_headers++] = "Content-Type: application/x-www-form-urlencoded";
	if (c.upload)
		rc = open_upload(&c);
	if (!rc)
		rc = fetch(&c, argv[o.i], &next);
	for (int i = 0; !rc && next; i++) {
		char *to = next;
		next = NULL;
		rc = i == CURL_REDIRECTS_MAX ? say(&c, 47, "Maximum (%d) redirects followed", i) : fetch(&c, to, &next);
		free(to);
	}
	free(next);
	if (c.write_out)
		write_out(&c);
	if (c.out_fd >= 0)
		sys_close(t, c.out_fd);
	if (c.up_fd >= 0)
		sys_close(t, c.up_fd);
	return rc;
}

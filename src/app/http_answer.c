/* What the web server answers: files, uploads, redirects, errors.
 *
 * Decides by method (GET, HEAD, PUT; other known ones 405, unknown ones 501), path, conditions and
 * range. A file is sent while it is read; if it turns out shorter, longer or another one than was
 * announced, the connection is reset before its last octets, so that nobody takes the wrong bytes
 * for the right ones (HF-07). An upload is written beside its target and renamed when whole. Called
 * by http_conn.c. RFC 9110 9, 13, 14, 15. Tests: tests/unit/app/test_http_hosts.c (S3-14, S3-15,
 * S3-123, HF-*, HT-23, HT-26). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app_util.h"
#include "app/http_conn.h"
#include "app/web_date.h"
#include "socket/syscall.h"

static const char *const known_methods[] = {"POST",  "DELETE",	"OPTIONS",
					    "TRACE", "CONNECT", "PATCH"};

static bool is(const struct httpd_conn *c, const char *method)
{
	return !strcmp(c->p.method, method);
}

/* Status of a failed file call. */
static unsigned status_of(int err)
{
	switch (err) {
	case -EACCES:
	case -EPERM:
	case -EROFS:
		return 403;
	case -ENOSPC:
		return 507;
	case -EISDIR:
	case -EEXIST:
	case -EXDEV:
		return 409;
	case -ENOENT:
	case -ENOTDIR:
	case -ELOOP:
	case -ENAMETOOLONG:
		return 404;
	}
	return 500;
}

/* ---- heads ---- */

static void head_begin(struct httpd_conn *c, unsigned status)
{
	char date[WEB_DATE_LEN];
	uint64_t now = sys_clock_ns(c->s->t) / NSEC_PER_SEC;

	sb_printf(&c->out, "HTTP/1.1 %u %s\r\n", status, http_reason(status));
	http_add_field(&c->out, "Date", web_http_date(date, WEB_EPOCH_S + now));
	http_add_field(&c->out, "Server", "culver");
}

static void head_end(struct httpd_conn *c)
{
	if (!c->p.keep_alive)
		c->close_after = true;
	if (c->close_after)
		http_add_field(&c->out, "Connection", "close");
	else if (c->p.minor == 0)
		http_add_field(&c->out, "Connection", "keep-alive");
	sb_puts(&c->out, "\r\n");
	c->state = CONN_WRITE;
}

static void add_number(struct httpd_conn *c, const char *name, uint64_t v)
{
	char t[32];

	snprintf(t, sizeof(t), "%llu", (unsigned long long)v);
	http_add_field(&c->out, name, t);
}

static void tell(struct httpd_conn *c, unsigned status)
{
	char a[IP4_STRLEN];

	c->s->requests++;
	TRACE(&c->s->t->net->probe, TR_APP, 0, "request method=%s target=%s from=%s:%u status=%u",
	      c->p.method[0] ? c->p.method : "-", c->p.target ? c->p.target : "-",
	      ip4_str(a, c->addr), c->port, status);
	if (c->s->log)
		task_printf(c->s->t, "%s \"%s %s\" %u\n", ip4_str(a, c->addr),
			    c->p.method[0] ? c->p.method : "-", c->p.target ? c->p.target : "-",
			    status);
}

/* Whether path lies below the prefix that may be written. */
static bool may_put(const struct httpd *s, const char *path)
{
	size_t n = s->put ? strlen(s->put) : 0;

	while (n && s->put[n - 1] == '/')
		n--;
	return s->put && !strncmp(path, s->put, n) && path[n] == '/' && path[n + 1];
}

/* A short page that says what the status says. */
static void short_page(struct httpd_conn *c, unsigned status, const char *why, const char *location)
{
	char path[HTTP_PATH_ROOM];
	struct strbuf page;

	tell(c, status);
	sb_init(&page);
	sb_printf(&page, "<!DOCTYPE html>\n<title>%u %s</title>\n<h1>%u %s</h1>\n", status,
		  http_reason(status), status, http_reason(status));
	if (why && *why)
		sb_printf(&page, "<p>%s</p>\n", why);
	head_begin(c, status);
	if (status == 405)
		http_add_field(&c->out, "Allow",
			       !http_path_map(c->p.path, path) && may_put(c->s, path)
				   ? "GET, HEAD, PUT"
				   : "GET, HEAD");
	if (location)
		http_add_field(&c->out, "Location", location);
	if (status == 416) {
		char t[40];

		snprintf(t, sizeof(t), "bytes */%llu", (unsigned long long)c->file_stat.size);
		http_add_field(&c->out, "Content-Range", t);
	}
	http_add_field(&c->out, "Content-Type", "text/html; charset=utf-8");
	add_number(c, "Content-Length", page.len);
	head_end(c);
	if (!is(c, "HEAD"))
		sb_add(&c->out, page.buf, page.len);
	sb_free(&page);
}

/* An answer that ends the connection: what follows of the request is not to be understood. */
void httpd_error(struct httpd_conn *c, unsigned status, const char *why)
{
	httpd_put_abort(c);
	c->close_after = true;
	short_page(c, status, why, NULL);
}

/* ---- files ---- */

static bool same_file(const struct vfs_stat *a, const struct vfs_stat *b)
{
	return a->size == b->size && a->ino == b->ino && a->mtime_s == b->mtime_s && !b->is_dir;
}

bool httpd_fill(struct httpd_conn *c)
{
	uint8_t buf[4096];

	while (c->file_left && c->out.len < HTTPD_OUT) {
		size_t want = (size_t)min_u64(c->file_left, sizeof(buf));
		ssize_t n = sys_pread(c->s->t, c->file, buf, want, c->file_off);
		struct vfs_stat now;

		if (n <= 0)
			return false;
		if ((uint64_t)n == c->file_left &&
		    (sys_stat(c->s->t, c->path, &now) || !same_file(&c->file_stat, &now)))
			return false;
		sb_add(&c->out, buf, (size_t)n);
		c->file_off += (uint64_t)n;
		c->file_left -= (uint64_t)n;
	}
	return true;
}

static void version_of(const struct vfs_stat *st, struct http_version *v)
{
	memset(v, 0, sizeof(*v));
	v->exists = true;
	v->size = st->size;
	v->mtime_s = st->mtime_s;
	snprintf(v->etag, sizeof(v->etag), "\"%llx-%llx\"", (unsigned long long)st->ino,
		 (unsigned long long)st->size);
}

static void version_fields(struct httpd_conn *c, const struct http_version *v)
{
	char date[WEB_DATE_LEN];

	http_add_field(&c->out, "ETag", v->etag);
	if (v->mtime_s)
		http_add_field(&c->out, "Last-Modified", web_http_date(date, v->mtime_s));
}

static void not_modified(struct httpd_conn *c, const struct http_version *v)
{
	tell(c, 304);
	head_begin(c, 304);
	version_fields(c, v);
	head_end(c);
}

/* c->path is a regular file, c->file_stat its stat: send it, or the part that is asked for. */
static void send_file(struct httpd_conn *c)
{
	struct http_version v;
	uint64_t first = 0, last;
	size_t mark = c->out.len;
	unsigned status;
	char range[80];

	version_of(&c->file_stat, &v);
	last = v.size ? v.size - 1 : 0;
	status = http_precondition(&c->p, &v);
	if (status == 304) {
		not_modified(c, &v);
		return;
	}
	if (!status)
		status = http_range(&c->p, &v, &first, &last);
	if (status == 412 || status == 416) {
		short_page(c, status, NULL, NULL);
		return;
	}
	c->file = sys_open(c->s->t, c->path, O_RDONLY);
	if (c->file < 0) {
		short_page(c, status_of(c->file), NULL, NULL);
		return;
	}
	c->file_off = first;
	c->file_left = v.size ? last - first + 1 : 0;
	head_begin(c, status);
	http_add_field(&c->out, "Content-Type", http_content_type(c->path));
	add_number(c, "Content-Length", c->file_left);
	http_add_field(&c->out, "Accept-Ranges", "bytes");
	version_fields(c, &v);
	if (status == 206) {
		snprintf(range, sizeof(range), "bytes %llu-%llu/%llu", (unsigned long long)first,
			 (unsigned long long)last, (unsigned long long)v.size);
		http_add_field(&c->out, "Content-Range", range);
	}
	head_end(c);
	if (is(c, "HEAD"))
		c->file_left = 0;
	if (!httpd_fill(c)) { /* with the head: a small page is one segment */
		c->out.len = mark;
		c->file_left = 0;
		short_page(c, 500, NULL, NULL);
		return;
	}
	tell(c, status);
}

static void redirect_to_folder(struct httpd_conn *c, const char *path)
{
	const char *query = strchr(c->p.path, '?');
	struct strbuf loc;

	sb_init(&loc);
	http_path_escape(&loc, path); /* one '/' in front, whatever was asked (HF-04) */
	sb_putc(&loc, '/');
	if (query)
		sb_puts(&loc, query);
	short_page(c, 301, NULL, sb_str(&loc));
	sb_free(&loc);
}

/* The folder's default page (S3-15): the first of the index names that is a file. */
static unsigned find_index(struct httpd_conn *c)
{
	size_t len = strlen(c->path);
	unsigned i;

	for (i = 0; c->s->index[i]; i++) {
		struct vfs_stat st;

		snprintf(c->path + len, sizeof(c->path) - len, "%s", c->s->index[i]);
		if (!sys_stat(c->s->t, c->path, &st) && !st.is_dir) {
			c->file_stat = st;
			return st.readable ? 0 : 403;
		}
	}
	return 404;
}

static void answer_get(struct httpd_conn *c)
{
	char path[HTTP_PATH_ROOM];
	unsigned status = http_path_map(c->p.path, path);
	size_t len = strlen(path);
	bool slash = len && path[len - 1] == '/';
	int err = 0;

	if (!status) {
		snprintf(c->path, sizeof(c->path), "%s%s", c->s->root, path);
		err = sys_stat(c->s->t, c->path, &c->file_stat);
		if (err)
			status = status_of(err);
		else if (c->file_stat.is_dir && !slash)
			status = 301;
		else if (c->file_stat.is_dir)
			status = find_index(c);
		else if (slash)
			status = 404;
		else if (!c->file_stat.readable)
			status = 403;
	}
	if (status == 301)
		redirect_to_folder(c, path);
	else if (status)
		short_page(c, status, NULL, NULL);
	else
		send_file(c);
}

/* ---- uploads ---- */

void httpd_put_abort(struct httpd_conn *c)
{
	if (c->put_fd < 0)
		return;
	sys_close(c->s->t, c->put_fd);
	sys_unlink(c->s->t, c->put_tmp);
	c->put_fd = -1;
}

/* Conditions against what stands there now, then the file beside it. 0 or a status. */
static unsigned put_begin(struct httpd_conn *c)
{
	char path[HTTP_PATH_ROOM];
	struct http_version v = { 0 };
	unsigned status = http_path_map(c->p.path, path);
	char *slash;

	if (status)
		return status;
	if (!may_put(c->s, path))
		return 405;
	if (path[strlen(path) - 1] == '/')
		return 409;
	if (http_field(&c->p, "Content-Range"))
		return 400; /* a part is not a PUT (RFC 9110 9.3.4) */
	if (c->p.body == HTTP_BODY_NONE)
		return 411;
	if (c->p.body == HTTP_BODY_LENGTH && c->p.length > c->s->max_body)
		return 413;
	snprintf(c->path, sizeof(c->path), "%s%s", c->s->root, path);
	if (!sys_stat(c->s->t, c->path, &c->file_stat)) {
		if (c->file_stat.is_dir)
			return 409;
		version_of(&c->file_stat, &v);
	}
	status = http_precondition(&c->p, &v);
	if (status)
		return status;
	snprintf(c->put_tmp, sizeof(c->put_tmp), "%s", c->path);
	slash = strrchr(c->put_tmp, '/');
	snprintf(slash, sizeof(c->put_tmp) - (size_t)(slash - c->put_tmp), "/.put-%llu",
		 (unsigned long long)++c->s->uploads);
	c->put_fd = sys_open(c->s->t, c->put_tmp, O_WRONLY | O_CREAT | O_TRUNC);
	c->put_bytes = 0;
	c->put_error = 0;
	return c->put_fd < 0 ? status_of(c->put_fd) : 0;
}

static void put_finish(struct httpd_conn *c)
{
	struct vfs_stat st;
	struct strbuf loc;
	bool was_there;
	unsigned status;
	int err;

	sys_close(c->s->t, c->put_fd);
	c->put_fd = -1;
	was_there = !sys_stat(c->s->t, c->path, &st);
	err = sys_rename(c->s->t, c->put_tmp, c->path);
	if (err) {
		sys_unlink(c->s->t, c->put_tmp);
		short_page(c, status_of(err), NULL, NULL);
		return;
	}
	status = was_there ? 204 : 201;
	tell(c, status);
	head_begin(c, status);
	if (status == 201) {
		sb_init(&loc);
		http_path_escape(&loc, c->path + strlen(c->s->root));
		http_add_field(&c->out, "Location", sb_str(&loc));
		sb_free(&loc);
		add_number(c, "Content-Length", 0);
	}
	if (!sys_stat(c->s->t, c->path, &st)) {
		struct http_version v;

		version_of(&st, &v);
		http_add_field(&c->out, "ETag", v.etag);
	}
	head_end(c);
}

/* ---- the three moments of a request ---- */

static unsigned method_status(const struct httpd_conn *c)
{
	size_t i;

	if (is(c, "GET") || is(c, "HEAD") || is(c, "PUT"))
		return 0;
	for (i = 0; i < ARRAY_SIZE(known_methods); i++)
		if (is(c, known_methods[i]))
			return 405;
	return 501;
}

unsigned httpd_begin(struct httpd_conn *c)
{
	unsigned status = method_status(c);
	bool body =
	    c->p.body == HTTP_BODY_CHUNKED || (c->p.body == HTTP_BODY_LENGTH && c->p.length);

	c->put_bytes = 0;
	if (c->p.expect_unknown)
		return 417;
	if (c->p.body == HTTP_BODY_LENGTH && c->p.length > c->s->max_body)
		return 413;
	if (status)
		return body && c->p.expect_continue
			   ? status
			   : 0; /* else after the body, on the same connection */
	if (is(c, "PUT")) {
		c->put_error = put_begin(c);
		/* A client that waits for 100 is spared the body; another sends it anyway, so it is
		 * read. */
		return body && c->p.expect_continue ? c->put_error : 0;
	}
	return 0;
}

void httpd_body(struct httpd_conn *c, const uint8_t *p, size_t len)
{
	c->put_bytes += len;
	if (c->put_bytes > c->s->max_body) {
		httpd_error(c, 413, "the body is larger than this server takes");
		return;
	}
	if (c->put_fd < 0 || c->put_error)
		return;
	while (len) {
		ssize_t n = sys_write(c->s->t, c->put_fd, p, len);

		if (n <= 0) {
			c->put_error = n < 0 ? status_of((int)n) : 500;
			httpd_put_abort(c);
			return;
		}
		p += n;
		len -= (size_t)n;
	}
}

void httpd_answer(struct httpd_conn *c)
{
	unsigned status = method_status(c);

	if (status)
		short_page(c, status, NULL, NULL);
	else if (!is(c, "PUT"))
		answer_get(c);
	else if (c->put_error)
		short_page(c, c->put_error, NULL, NULL);
	else
		put_finish(c);
}

/* The visitor: what a browser does with a typed URL, over system calls only (S3-12..S3-18, S3-30, S3-39, S3-127). Parses the URL, looks in its own name
 * cache, asks the stub resolver (OS cache, hosts file, name server), connects, gets, shows, and is the first to close. Each step tells the
 * probe itself. Called by culver visit as a task; hands on to stub.c and http_client.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "app/app_util.h"
#include "app/http_client.h"
#include "app/stub.h"
#include "app/url.h"
#include "base/strbuf.h"
#include "socket/syscall.h"

#define BROWSER_NAMES_MAX 256
#define BROWSER_REDIRECTS_MAX 5
#define BROWSER_IDLE_NS (60 * NSEC_PER_SEC)
#define BROWSER_BODY_MAX (1u << 30)

struct cached_name {
	char host[URL_HOST_MAX + 2];
	uint32_t addr;
	uint64_t expires_ns;
};
struct browser {
	struct cached_name *name;
	uint32_t n;
};

struct browser *browser_new(void)
{
	return xcalloc(1, sizeof(struct browser));
}

void browser_free(struct browser *b)
{
	if (b)
		free(b->name);
	free(b);
}

static struct cached_name *cache_find(struct browser *b, const char *host)
{
	for (uint32_t i = 0; i < b->n; i++)
		if (!strcmp(b->name[i].host, host))
			return &b->name[i];
	return NULL;
}

/* Remember a name for as long as its record may be kept; the entry that ends first makes room. */
static void cache_put(struct browser *b, const char *host, const struct stub_answer *a)
{
	struct cached_name *e = cache_find(b, host);

	if (a->expires_ns == TIME_NEVER)
		return; /* an address, or a line of the hosts file: no time to live */
	if (!e && b->n < BROWSER_NAMES_MAX) {
		b->name = xrealloc(b->name, (b->n + 1) * sizeof(*b->name));
		e = &b->name[b->n++];
	} else if (!e) {
		e = b->name;
		for (uint32_t i = 1; i < b->n; i++)
			if (b->name[i].expires_ns < e->expires_ns)
				e = &b->name[i];
	}
	memcpy(e->host, host, strlen(host) + 1);
	e->addr = a->addr[0];
	e->expires_ns = a->expires_ns;
}

static void fail(struct visit *v, enum visit_result r, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void fail(struct visit *v, enum visit_result r, const char *fmt, ...)
{
	va_list ap;

	v->result = r;
	va_start(ap, fmt);
	vsnprintf(v->error, sizeof(v->error), fmt, ap);
	va_end(ap);
}

/* The host's address: own cache first, then the operating system's way (S3-30). */
static int resolve(struct task *t, struct browser *b, const struct url *u, struct visit *v)
{
	struct cached_name *e = cache_find(b, u->host);
	struct probe *pr = net_probe(t->net);
	struct stub_answer a;
	char ip[IP4_STRLEN];
	int err;

	if (u->is_addr) {
		v->addr = u->addr;
		return 0;
	}
	if (e && e->expires_ns > sys_clock_ns(t)) {
		v->addr = e->addr;
		v->from_browser_dns_cache = true;
		TRACE(pr, TR_APP, 0, "browser cache hit name=%s addr=%s ttl_left=%llus", u->host, ip4_str(ip, e->addr),
		      (unsigned long long)((e->expires_ns - sys_clock_ns(t)) / NSEC_PER_SEC));
		return 0;
	}
	TRACE(pr, TR_APP, 0, "browser cache miss name=%s%s", u->host, e ? " (expired)" : "");
	err = stub_lookup(t, u->host, &a);
	if (err || !a.n) {
		fail(v, VISIT_NETWORK, "%s: %s", u->host, stub_strerror(err ? err : STUB_NONAME));
		return -1;
	}
	v->addr = a.addr[0];
	v->from_os_cache = a.source == STUB_OS_CACHE;
	v->from_hosts = a.source == STUB_HOSTS;
	cache_put(b, u->host, &a);
	TRACE(pr, TR_APP, 0, "resolved name=%s addr=%s", u->host, ip4_str(ip, v->addr));
	return 0;
}

static int connect_to(struct task *t, struct http_client *c, const struct url *u, struct visit *v)
{
	char ip[IP4_STRLEN];
	int err = http_client_dial(c, t, v->addr, u->port, BROWSER_IDLE_NS);

	if (err) {
		fail(v, VISIT_NETWORK, "%s (%s) port %u: %s", u->host, ip4_str(ip, v->addr), u->port, app_strerror(err));
		return err;
	}
	v->t_connected_ns = sys_clock_ns(t);
	TRACE(net_probe(t->net), TR_APP, 0, "connected addr=%s port=%u fd=%d", ip4_str(ip, v->addr), u->port, c->fd);
	return 0;
}

static void broken(struct http_client *c, struct visit *v, const char *host, int err)
{
	if (err == -EPROTO)
		fail(v, VISIT_NETWORK, "%s: %s", host, c->p.why);
	else if (err == -ETIMEDOUT)
		fail(v, VISIT_NETWORK, "%s: nothing came for %llu s: Connection timed out", host, (unsigned long long)(c->idle_ns / NSEC_PER_SEC));
	else
		fail(v, VISIT_NETWORK, "%s: %s", host, app_strerror(err));
}

/* Request and response on an open connection. 0, or -1 with v->error. */
static int exchange(struct task *t, struct http_client *c, const struct url *u, struct visit *v)
{
	static const char *const headers[] = { "User-Agent: culver", "Accept: */*", NULL };
	struct probe *pr = net_probe(t->net);
	char host[URL_HOST_MAX + 16];
	struct http_call call = { .method = "GET", .host = host, .path = u->path, .query = u->query, .headers = headers };
	const uint8_t *data;
	ssize_t n;
	int err;

	if (u->port_given && u->port != 80)
		snprintf(host, sizeof(host), "%s:%u", u->host, u->port);
	else
		snprintf(host, sizeof(host), "%s", u->host);
	err = http_client_send(c, &call);
	if (!err)
		TRACE(pr, TR_APP, 0, "request sent method=GET target=%s%s%s host=%s bytes=%llu", u->path, u->query ? "?" : "", u->query ? u->query : "", host,
		      (unsigned long long)c->sent);
	if (!err)
		err = http_client_head(c);
	if (err) {
		broken(c, v, u->host, err);
		return -1;
	}
	v->http_status = c->p.status;
	v->t_first_byte_ns = c->first_byte_ns;
	TRACE(pr, TR_APP, 0, "response status=%u reason=%s", c->p.status, c->p.reason);
	sb_reset(&v->body);
	while ((n = http_client_body(c, &data)) > 0) {
		if (v->body.len + (size_t)n > BROWSER_BODY_MAX) {
			fail(v, VISIT_NETWORK, "%s: the page is larger than %u octets", u->host, BROWSER_BODY_MAX);
			return -1;
		}
		sb_add(&v->body, data, (size_t)n);
	}
	if (n < 0) {
		broken(c, v, u->host, (int)n);
		return -1;
	}
	v->t_done_ns = sys_clock_ns(t);
	TRACE(pr, TR_APP, 0, "body done bytes=%zu", v->body.len);
	return 0;
}

/* A redirect's target as a whole URL, or NULL: none, or one that cannot be followed. */
static char *redirect_target(const struct http_client *c, const struct url *u)
{
	const char *loc = http_field(&c->p, "Location");
	struct strbuf sb;

	if (!loc || (c->p.status != 301 && c->p.status != 302 && c->p.status != 303 && c->p.status != 307 && c->p.status != 308))
		return NULL;
	if (loc[0] != '/' || loc[1] == '/')
		return xstrdup(loc);
	sb_init(&sb);
	sb_printf(&sb, "http://%s", u->host);
	if (u->port_given)
		sb_printf(&sb, ":%u", u->port);
	sb_puts(&sb, loc);
	return sb.buf;
}

/* One URL. Returns the URL to go on with (owned), or NULL when this is the end. */
static char *visit_one(struct task *t, struct browser *b, const char *text, struct visit *v)
{
	struct http_client c = { .fd = -1 };
	char err[sizeof(v->error)], *next = NULL;
	struct url u;

	v->t_url_ns = sys_clock_ns(t);
	if (url_parse(text, 0, &u, err, sizeof(err))) {
		fail(v, VISIT_USAGE, "%s", err);
		return NULL;
	}
	if (url_fetchable(&u, err, sizeof(err))) {
		fail(v, VISIT_USAGE, "%s", err);
		url_free(&u);
		return NULL;
	}
	v->t_parsed_ns = sys_clock_ns(t);
	TRACE(net_probe(t->net), TR_APP, 0, "url parsed scheme=http host=%s port=%u path=%s%s%s", u.host, u.port, u.path, u.query ? "?" : "",
	      u.query ? u.query : "");
	if (!resolve(t, b, &u, v)) {
		v->t_resolved_ns = sys_clock_ns(t);
		if (!connect_to(t, &c, &u, v) && !exchange(t, &c, &u, v))
			next = redirect_target(&c, &u);
		if (!next && v->result == VISIT_OK && v->http_status >= 400)
			fail(v, VISIT_NETWORK, "%s: HTTP %d %s", text, v->http_status, c.p.reason ? c.p.reason : "");
		if (c.buf)
			http_client_close(&c);
		TRACE(net_probe(t->net), TR_APP, 0, "closed");
	}
	v->t_closed_ns = sys_clock_ns(t);
	url_free(&u);
	return next;
}

void browser_visit(struct task *t, struct browser *b, const char *url, struct visit *out)
{
	char *text = xstrdup(url);

	memset(out, 0, sizeof(*out));
	sb_init(&out->body);
	out->t_start_ns = sys_clock_ns(t);
	for (int i = 0; text; i++) {
		char *next = visit_one(t, b, text, out);
		if (next && i == BROWSER_REDIRECTS_MAX) {
			fail(out, VISIT_NETWORK, "%s: more than %d redirects", url, BROWSER_REDIRECTS_MAX);
			free(next);
			next = NULL;
		}
		if (next)
			TRACE(net_probe(t->net), TR_APP, 0, "redirect to=%s", next);
		free(text);
		text = next;
	}
}

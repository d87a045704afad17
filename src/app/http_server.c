/* http-server: files by HTTP/1.1 (S3-14, S3-15, S3-122, S3-123).
 *
 *     http-server --root DIR [--port N] [--listen ADDR] [--put PREFIX] [--index NAME,NAME...]
 *                 [--max-body BYTES]
 *                 [--max-conns N] [--max-per-addr N] [--log]
 *
 * Decides the limits; connections are http_conn.c's, answers http_answer.c's. Tests:
 * tests/unit/app/test_http_hosts.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/app_net.h"
#include "app/app_util.h"
#include "app/http_conn.h"
#include "app/url.h"
#include "base/pool.h"
#include "socket/syscall.h"

#define DEFAULT_CONNS 1024
#define DEFAULT_PER_ADDR 256
#define DEFAULT_BODY (1ull << 30)
#define BACKLOG 512

struct flags {
	const char *root, *put, *index;
	uint64_t port, max_body, max_conns, max_per_addr;
	uint32_t addr;
	bool log;
};

static bool take_value(struct flags *f, const char *name, const char *v)
{
	if (!strcmp(name, "--root"))
		return v[0] == '/' && (f->root = v);
	if (!strcmp(name, "--put"))
		return v[0] == '/' && (f->put = v);
	if (!strcmp(name, "--index"))
		return *v && !strchr(v, '/') && (f->index = v);
	if (!strcmp(name, "--port"))
		return !u64_parse(v, 1, 65535, &f->port);
	if (!strcmp(name, "--listen"))
		return !ip4_parse(v, &f->addr);
	if (!strcmp(name, "--max-body"))
		return !u64_parse(v, 0, INT64_MAX, &f->max_body);
	if (!strcmp(name, "--max-conns"))
		return !u64_parse(v, 1, 100000, &f->max_conns);
	if (!strcmp(name, "--max-per-addr"))
		return !u64_parse(v, 1, 60000, &f->max_per_addr);
	return false;
}

static int parse_flags(struct task *t, int argc, char **argv, struct flags *f)
{
	int i;

	*f = (struct flags){.port = 80,
			    .max_body = DEFAULT_BODY,
			    .max_conns = DEFAULT_CONNS,
			    .max_per_addr = DEFAULT_PER_ADDR,
			    .index = "index.html,default.html"};
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--log"))
			f->log = true;
		else if (i + 1 < argc && take_value(f, argv[i], argv[i + 1]))
			i++;
		else
			break;
	}
	if (i == argc && f->root)
		return 0;
	task_eprintf(t,
		     "http-server: %s%s\nusage: http-server --root /DIR [--port N] [--listen ADDR] "
		     "[--put /PREFIX] [--index NAME,...] [--max-body BYTES]\n"
		     "                   [--max-conns N] [--max-per-addr N] [--log]\n",
		     i < argc ? "unknown flag or bad value: " : "no --root /DIR given",
		     i < argc ? argv[i] : "");
	return -1;
}

static void listener_ready(struct loop_fd *lf, uint32_t events)
{
	httpd_accept(container_of(lf, struct httpd, listener));
}

/* Cut the list of index names in place. */
static void take_index(struct httpd *s, char *list)
{
	char *save = NULL, *w;
	unsigned n = 0;

	for (w = strtok_r(list, ",", &save); w && n < HTTPD_INDEX_MAX - 1;
	     w = strtok_r(NULL, ",", &save))
		s->index[n++] = w;
}

static int serve(struct httpd *s, const struct flags *f)
{
	int err = 0, fd;

	s->l = loop_new(s->t, &err);
	if (!s->l)
		return err;
	fd = loop_server_socket(s->t, SOCK_STREAM, f->addr, (uint16_t)f->port, BACKLOG);
	err = fd < 0 ? fd : loop_add(s->l, &s->listener, fd, EPOLLIN, listener_ready);
	if (!err) {
		TRACE(&s->t->net->probe, TR_APP, 0, "listening port=%u root=%s", (unsigned)f->port,
		      s->root);
		loop_run(s->l);
		while (!list_empty(&s->conns))
			httpd_conn_end(list_first_entry(&s->conns, struct httpd_conn, node));
		loop_close(s->l, &s->listener);
	}
	loop_free(s->l);
	return err;
}

int http_server_main(struct task *t, int argc, char **argv)
{
	struct vfs_stat st;
	struct httpd *s;
	struct flags f;
	char *index;
	int err;

	if (parse_flags(t, argc, argv, &f))
		return 2;
	err = sys_stat(t, f.root, &st);
	if (err || !st.is_dir) {
		task_eprintf(t, "http-server: root %s: %s\n", f.root,
			     app_strerror(err ? err : -ENOTDIR));
		return 2;
	}
	s = xcalloc(1, sizeof(*s));
	index = xstrdup(f.index);
	s->t = t;
	s->root = strcmp(f.root, "/") ? f.root : "";
	s->put = f.put;
	s->max_body = f.max_body;
	s->max_conns = (uint32_t)f.max_conns;
	s->max_per_addr = (uint32_t)f.max_per_addr;
	s->log = f.log;
	list_init(&s->conns);
	take_index(s, index);
	sys_getrandom(t, s->key, sizeof(s->key));
	err = serve(s, &f);
	if (err)
		task_eprintf(t, "http-server: port %u: %s\n", (unsigned)f.port, app_strerror(err));
	free(index);
	free(s);
	return err ? 1 : 0;
}

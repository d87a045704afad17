/* dns-server: an authoritative name server (S3-21: one process per level, each with its own zones).
 *
 *     dns-server [--port N] [--listen ADDR] [--rrl N] [--log] ORIGIN=FILE... | DIR...
 *
 * DIR stands for its files NAME.zone, each the zone NAME ("root.zone": the root). A zone that
 * cannot be read ends the program with file:line and exit code 2 before it answers anything.
 * Decides how often one network may be answered over UDP (DS-02): a bucket per /24; what exceeds it
 * is answered with TC every second time, so that a real client comes by TCP, else not at all.
 * Answers are dns_reply.c's, sockets dns_front.c's. Tests: tests/unit/app/test_dns_hosts.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app_net.h"
#include "app/app_util.h"
#include "app/dns_front.h"
#include "app/proc_text.h"
#include "base/pool.h"
#include "base/rng.h"
#include "socket/syscall.h"
#include "socket/vfs.h"

#define RRL_BUCKETS 1024
#define RRL_DEFAULT 1000 /* answers per second and /24 */

struct rrl_bucket {
	uint32_t net;
	uint32_t spent;
	uint64_t second;
};
struct server {
	struct task *t;
	struct dns_authority a;
	struct dns_front front;
	struct dns_out *out;
	uint8_t key[16];
	uint32_t rrl;
	bool log;
	struct rrl_bucket bucket[RRL_BUCKETS];
	uint64_t answers, limited;
};

/* ---- answering ---- */

enum rrl { RRL_PASS, RRL_SLIP, RRL_DROP };

static enum rrl rrl_check(struct server *s, const struct dns_from *from)
{
	uint32_t net = from->addr & 0xffffff00u;
	struct rrl_bucket *b = &s->bucket[siphash(s->key, &net, sizeof(net)) % RRL_BUCKETS];
	uint64_t second = sys_clock_ns(s->t) / NSEC_PER_SEC;

	if (from->tcp || !s->rrl)
		return RRL_PASS;
	if (b->net != net || b->second != second) {
		b->net = net;
		b->second = second;
		b->spent = 0;
	}
	if (b->spent++ < s->rrl)
		return RRL_PASS;
	s->limited++;
	return b->spent & 1 ? RRL_SLIP : RRL_DROP;
}

/* Nothing but "come by TCP". */
static void slip(struct server *s, const uint8_t *q, size_t len, const struct dns_peer *peer)
{
	uint8_t w[DNS_HDR_LEN];
	struct dns_msg m;

	if (!dns_may_answer(q, len, &peer->from) || dns_msg_check(&m, q, len) == DNS_BAD_HEADER)
		return;
	dns_build_error(w, &m, DNS_NOERROR);
	w[2] |= DNS_TC >> 8;
	dns_front_reply(&s->front, peer, w, sizeof(w));
}

static void tell(struct server *s, const struct dns_peer *peer, const struct dns_done *done)
{
	char a[IP4_STRLEN];

	TRACE(&s->t->net->probe, TR_APP, 0, "%s rcode=%s to=%s:%u%s%s", done->text,
	      dns_rcode_text(done->rcode), ip4_str(a, peer->from.addr), peer->from.port,
	      peer->from.tcp ? " tcp" : "", done->truncated ? " truncated" : "");
	if (s->log)
		task_printf(s->t, "%s rcode=%s to=%s\n", done->text, dns_rcode_text(done->rcode),
			    ip4_str(a, peer->from.addr));
}

static void on_query(void *arg, const uint8_t *q, size_t len, const struct dns_peer *peer)
{
	struct server *s = arg;
	enum rrl rrl = rrl_check(s, &peer->from);
	struct dns_done done;
	uint8_t *w;
	size_t n = 0;

	if (rrl == RRL_SLIP)
		slip(s, q, len, peer);
	if (rrl != RRL_PASS)
		return;
	w = dns_authority_reply(&s->a, q, len, &peer->from, s->out, &n, &done);
	if (!w) {
		dns_front_drop(&s->front, peer);
		return;
	}
	s->answers++;
	tell(s, peer, &done);
	dns_front_reply(&s->front, peer, w, n);
	free(w);
}

/* ---- starting ---- */

static int read_file(void *arg, const char *path, struct strbuf *sb)
{
	return proc_slurp(arg, path, sb);
}

static int load_zone(struct server *s, const char *origin, const char *path)
{
	struct dname apex;
	char err[MASTER_ERR];
	struct zone *z;
	int rc;

	if (dname_from_text(&apex, origin, NULL)) {
		task_eprintf(s->t, "dns-server: '%s' is not a domain name\n", origin);
		return -1;
	}
	z = zone_load(path, &apex, s->key, read_file, s->t, err);
	if (!z) {
		task_eprintf(s->t, "dns-server: %s\n", err);
		return -1;
	}
	TRACE(&s->t->net->probe, TR_APP, 0, "zone loaded origin=%s records=%u", z->text,
	      z->n_records);
	rc = dns_authority_add(&s->a, z);
	if (rc) {
		task_eprintf(s->t, "dns-server: %s: %s\n", origin,
			     rc == -EEXIST ? "a second zone of that name" : "too many zones");
		zone_free(z);
	}
	return rc ? -1 : 0;
}

struct folder {
	struct server *s;
	const char *dir;
	int rc;
};

static void folder_entry(void *ctx, const char *name, bool is_dir)
{
	struct folder *f = ctx;
	size_t n = strlen(name);
	char origin[DNAME_TEXT_MAX];
	struct strbuf path;

	if (is_dir || f->rc || n < 6 || n - 5 >= sizeof(origin) || strcmp(name + n - 5, ".zone"))
		return;
	memcpy(origin, name, n - 5);
	origin[n - 5] = 0;
	sb_init(&path);
	sb_printf(&path, "%s/%s", f->dir, name);
	f->rc = load_zone(f->s, strcmp(origin, "root") ? origin : ".", sb_str(&path));
	sb_free(&path);
}

/* "ORIGIN=FILE" or a folder. */
static int load_arg(struct server *s, const char *arg)
{
	const char *eq = strchr(arg, '=');
	struct folder f = { s, arg, 0 };
	char origin[DNAME_TEXT_MAX];
	int err;

	if (eq && (size_t)(eq - arg) < sizeof(origin)) {
		memcpy(origin, arg, (size_t)(eq - arg));
		origin[eq - arg] = 0;
		return load_zone(s, origin, eq + 1);
	}
	err = sys_listdir(s->t, arg, folder_entry, &f);
	if (err) {
		task_eprintf(
		    s->t, "dns-server: %s: %s (write ORIGIN=FILE or a folder of NAME.zone files)\n",
		    arg, app_strerror(err));
		return -1;
	}
	return f.rc;
}

struct flags {
	uint64_t port, rrl;
	uint32_t addr;
	bool log;
	int first; /* operand */
};

static int parse_flags(struct task *t, int argc, char **argv, struct flags *f)
{
	int i;

	*f = (struct flags){ .port = DNS_PORT, .rrl = RRL_DEFAULT };
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		const char *v = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(argv[i], "--log")) {
			f->log = true;
			continue;
		}
		if (!strcmp(argv[i], "--port") && !u64_parse(v, 1, 65535, &f->port))
			i++;
		else if (!strcmp(argv[i], "--rrl") && !u64_parse(v, 0, 1000000, &f->rrl))
			i++;
		else if (!strcmp(argv[i], "--listen") && !ip4_parse(v, &f->addr))
			i++;
		else
			break;
	}
	f->first = i;
	if (i < argc && argv[i][0] != '-')
		return 0;
	task_eprintf(t,
		     "dns-server: %s%s\nusage: dns-server [--port N] [--listen ADDR] [--rrl N] "
		     "[--log] ORIGIN=FILE...|DIR\n",
		     i < argc ? "unknown flag or bad value: " : "no zone given",
		     i < argc ? argv[i] : "");
	return -1;
}

static int serve(struct server *s, const struct flags *f)
{
	int err = 0;
	struct loop *l = loop_new(s->t, &err);

	if (!err)
		err = dns_front_open(&s->front, l, f->addr, (uint16_t)f->port, on_query, s);
	if (err) {
		task_eprintf(s->t, "dns-server: port %u: %s\n", (unsigned)f->port,
			     app_strerror(err));
	} else {
		TRACE(&s->t->net->probe, TR_APP, 0, "listening port=%u zones=%u", (unsigned)f->port,
		      s->a.n_zones);
		loop_run(l);
		dns_front_close(&s->front);
	}
	loop_free(l);
	return err ? 1 : 0;
}

int dns_server_main(struct task *t, int argc, char **argv)
{
	struct server *s;
	struct flags f;
	int i, rc = 0;

	if (parse_flags(t, argc, argv, &f))
		return 2;
	s = xcalloc(1, sizeof(*s));
	s->t = t;
	s->rrl = (uint32_t)f.rrl;
	s->log = f.log;
	s->out = dns_out_new();
	sys_getrandom(t, s->key, sizeof(s->key));
	for (i = f.first; i < argc && !rc; i++)
		rc = load_arg(s, argv[i]) ? 2 : 0;
	if (!rc && !s->a.n_zones) {
		task_eprintf(t, "dns-server: no zones found\n");
		rc = 2;
	}
	if (!rc)
		rc = serve(s, &f);
	dns_authority_free(&s->a);
	dns_out_free(s->out);
	free(s);
	return rc;
}

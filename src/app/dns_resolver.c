/* dns-resolver: the local DNS server (S3-23, S3-24). The walk is resolver_job.c's; this is its
 * sockets.
 *
 *     dns-resolver --hints FILE [--port N] [--listen ADDR] [--prime] [--0x20] [--filter-private]
 *                  [--cache BYTES]
 *
 *     clients --- dns_front ---> struct asker ---> resolver_ask
 *     servers <-- struct up, one socket per query <--- resolver_ops
 *     `dns cache` --- TCP 127.0.0.1:953 ---> the cache as text
 *
 * Decides which port a query leaves from: drawn anew for each from 1024..65535 (DR-02, RFC
 * 5452 9.2), and how many questions one client may have under way (DR-12). Tests:
 * tests/unit/app/test_dns_hosts.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app_net.h"
#include "app/app_util.h"
#include "app/dns_ctl.h"
#include "app/dns_front.h"
#include "app/dns_master.h"
#include "app/proc_text.h"
#include "app/resolver.h"
#include "base/pool.h"
#include "base/rng.h"
#include "socket/syscall.h"

#define ASKERS_MAX 4096
#define ASKERS_PER_CLIENT 256
#define CLIENT_SLOTS 4096
#define PORT_TRIES 16
#define TCP_LEN 2

struct server {
	struct task *t;
	struct loop *l;
	struct resolver *r;
	struct dns_front front;
	struct dns_out *out;
	struct dns_ctl ctl;
	struct timer_list tick;
	struct list_head askers;
	uint32_t n_askers;
	uint16_t client[CLIENT_SLOTS]; /* questions under way, by hash of address */
	uint8_t key[16];
	uint8_t *buf; /* DNS_MSG_MAX */
};
/* A client's question under way. */
struct asker {
	struct list_head node;
	struct server *s;
	struct dns_peer peer;
	struct rwait *wait;
	size_t len;
	uint8_t query[]; /* as it came: checked */
};
/* A query to a server under way. */
struct up {
	struct loop_fd lf;
	struct server *s;
	struct rquery *q;
	bool connecting;
	uint8_t *in; /* TCP */
	size_t got, sent;
};

/* ---- upstream ---- */

/* The resolver's timers live in its own wheel: one timer of the loop stands for them. */
static void arm(struct server *s)
{
	uint64_t next = resolver_next(s->r);

	if (next == TIME_NEVER)
		del_timer(&s->l->wheel, &s->tick);
	else
		mod_timer(&s->l->wheel, &s->tick, next);
}

static void on_tick(struct timer_list *t)
{
	struct server *s = container_of(t, struct server, tick);

	resolver_tick(s->r, sys_clock_ns(s->t));
	arm(s);
}

static void resolver_random(void *arg, void *out, size_t len)
{
	sys_getrandom(((struct server *)arg)->t, out, len);
}

static void resolver_step(void *arg, const char *text)
{
	TRACE(&((struct server *)arg)->t->net->probe, TR_APP, 0, "%s", text);
}

static void up_done(void *arg, struct rquery *q)
{
	struct up *u = q->port;

	if (!u)
		return;
	loop_close(u->s->l, &u->lf);
	free(u->in);
	free(u);
	q->port = NULL;
}

static void udp_ready(struct loop_fd *lf, uint32_t events)
{
	struct up *u = container_of(lf, struct up, lf);
	struct server *s = u->s;

	for (;;) {
		ssize_t n = sys_recvfrom(s->t, u->lf.fd, s->buf, DNS_MSG_MAX, 0, NULL, NULL);

		if (n == -EAGAIN || n == -EINTR)
			break;
		if (n < 0) { /* an ICMP error to our query */
			resolver_failed(s->r, u->q, sys_clock_ns(s->t));
			break;
		}
		if (resolver_input(s->r, u->q, s->buf, (size_t)n, sys_clock_ns(s->t)))
			break;
	}
	arm(s);
}

static int up_send(struct up *u)
{
	const struct rquery *q = u->q;
	uint8_t msg[TCP_LEN + sizeof(q->wire)];
	size_t len = TCP_LEN + (size_t)q->len;
	ssize_t n;

	put_be16(msg, q->len);
	memcpy(msg + TCP_LEN, q->wire, q->len);
	n = sys_sendto(u->s->t, u->lf.fd, msg + u->sent, len - u->sent, MSG_NOSIGNAL, NULL, 0);
	if (n == -EAGAIN)
		return 0;
	if (n < 0)
		return (int)n;
	u->sent += (size_t)n;
	if (u->sent == len)
		loop_want(u->s->l, &u->lf, EPOLLIN);
	return 0;
}

/* Read on. 0 go on, 1 the message is whole, -errno. */
static int up_read(struct up *u)
{
	size_t need = u->got < TCP_LEN ? TCP_LEN : TCP_LEN + (size_t)get_be16(u->in);
	ssize_t n = sys_recvfrom(u->s->t, u->lf.fd, u->in + u->got, need - u->got, 0, NULL, NULL);

	if (n == -EAGAIN)
		return 0;
	if (n <= 0)
		return n < 0 ? (int)n : -ECONNRESET;
	u->got += (size_t)n;
	return u->got >= TCP_LEN && u->got == TCP_LEN + (size_t)get_be16(u->in);
}

/* The message is whole. It outlives u, which ends while it is being read. */
static void tcp_message(struct up *u)
{
	struct server *s = u->s;
	struct rquery *q = u->q;
	uint8_t *in = u->in;
	size_t len = u->got - TCP_LEN;

	u->in = NULL;
	if (!resolver_input(s->r, q, in + TCP_LEN, len, sys_clock_ns(s->t)))
		resolver_failed(s->r, q,
				sys_clock_ns(s->t)); /* one answer is all that a stream gets */
	free(in);
}

static void tcp_ready(struct loop_fd *lf, uint32_t events)
{
	struct up *u = container_of(lf, struct up, lf);
	struct server *s = u->s;
	int rc = 0, so = 0;
	socklen_t l = sizeof(so);

	if (u->connecting) {
		u->connecting = false;
		rc = sys_getsockopt(s->t, lf->fd, SOL_SOCKET, SO_ERROR, &so, &l);
		rc = rc ? rc : -so;
	}
	if (!rc && (events & EPOLLOUT) && u->sent < TCP_LEN + (size_t)u->q->len)
		rc = up_send(u);
	if (!rc && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		rc = up_read(u);
	if (rc < 0)
		resolver_failed(s->r, u->q, sys_clock_ns(s->t));
	else if (rc > 0)
		tcp_message(u);
	arm(s);
}

/* A port that nobody can guess. */
static int bind_random(struct server *s, int fd)
{
	int err = -EADDRINUSE, i;

	for (i = 0; i < PORT_TRIES && err == -EADDRINUSE; i++) {
		struct sockaddr_in a;
		uint16_t port = 0;

		do
			sys_getrandom(s->t, &port, sizeof(port));
		while (port < 1024);
		a = app_sockaddr(0, port);
		err = sys_bind(s->t, fd, (const struct sockaddr *)&a, sizeof(a));
	}
	return err;
}

static int up_socket(struct up *u)
{
	struct server *s = u->s;
	const struct rquery *q = u->q;
	struct sockaddr_in to = app_sockaddr(q->addr, DNS_PORT);
	int fd = sys_socket(s->t, AF_INET, (q->tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0),
	    err = 0;

	if (fd < 0)
		return fd;
	if (!q->tcp)
		err = bind_random(s, fd);
	if (!err)
		err = sys_connect(s->t, fd, (const struct sockaddr *)&to, sizeof(to));
	if (q->tcp && err == -EINPROGRESS) {
		u->connecting = true;
		err = 0;
	}
	if (!err && !q->tcp) {
		ssize_t n = sys_sendto(s->t, fd, q->wire, q->len, 0, NULL, 0);

		err = n < 0 ? (int)n : 0;
	}
	if (!err)
		err = loop_add(s->l, &u->lf, fd, q->tcp ? EPOLLOUT : EPOLLIN,
			       q->tcp ? tcp_ready : udp_ready);
	if (err) {
		sys_close(s->t, fd);
		u->lf.fd = -1;
	}
	return err;
}

static int up_start(void *arg, struct rquery *q)
{
	struct up *u = xcalloc(1, sizeof(*u));

	u->s = arg;
	u->q = q;
	u->lf.fd = -1;
	if (q->tcp)
		u->in = xcalloc(1, TCP_LEN + DNS_MSG_MAX);
	q->port = u;
	return up_socket(u);
}

static const struct resolver_ops ops = { up_start, up_done, resolver_random, resolver_step };

/* ---- clients ---- */

static uint16_t *client_count(struct server *s, uint32_t addr)
{
	return &s->client[siphash(s->key, &addr, sizeof(addr)) % CLIENT_SLOTS];
}

static void send_out(struct server *s, const struct dns_msg *m, const struct dns_peer *peer)
{
	size_t n = 0;
	uint8_t *w;

	s->out->flags |= DNS_RA;
	w = dns_out_wire(s->out, dns_answer_limit(m, peer->from.tcp), &n);
	if (!w)
		w = dns_short_error(m, DNS_SERVFAIL, &n);
	dns_front_reply(&s->front, peer, w, n);
	free(w);
}

/* rcode NULL: nothing answered yet. */
static void tell(struct server *s, const struct dns_msg *m, const char *what, const char *rcode)
{
	char n[DNAME_TEXT_MAX], ty[16];

	TRACE(&s->t->net->probe, TR_APP, 0, "%s name=%s type=%s%s%s", what,
	      dname_text(n, &m->qname), dns_type_text(ty, m->qtype), rcode ? " rcode=" : "",
	      rcode ? rcode : "");
}

static void asker_free(struct asker *a)
{
	list_del_init(&a->node);
	a->s->n_askers--;
	--*client_count(a->s, a->peer.from.addr);
	free(a);
}

static void on_answer(void *arg, const struct ranswer *ans)
{
	struct asker *a = arg;
	struct server *s = a->s;
	struct dns_msg m;

	dns_msg_check(&m, a->query, a->len);
	dns_out_reply_to(s->out, &m);
	ranswer_fill(ans, s->out, sys_clock_ns(s->t));
	tell(s, &m, "answered", dns_rcode_text(ans->rcode));
	send_out(s, &m, &a->peer);
	asker_free(a);
}

/* RD=0: what is known, or where to ask (dig +trace, +norecurse). */
static void answer_known(struct server *s, const struct dns_msg *m, const struct dns_peer *peer)
{
	struct ranswer *a = xcalloc(1, sizeof(*a));

	resolver_peek(s->r, &m->qname, m->qtype, a, sys_clock_ns(s->t));
	dns_out_reply_to(s->out, m);
	ranswer_fill(a, s->out, sys_clock_ns(s->t));
	tell(s, m, "answered without recursion", dns_rcode_text(a->rcode));
	ranswer_clear(a);
	free(a);
	send_out(s, m, peer);
}

static void ask(struct server *s, const struct dns_msg *m, const struct dns_peer *peer)
{
	struct asker *a = xcalloc(1, sizeof(*a) + m->len);
	struct rwait *w;

	a->s = s;
	a->peer = *peer;
	a->len = m->len;
	memcpy(a->query, m->p, m->len);
	list_add_tail(&a->node, &s->askers);
	s->n_askers++;
	++*client_count(s, peer->from.addr);
	w = resolver_ask(s->r, &m->qname, m->qtype, on_answer, a, sys_clock_ns(s->t));
	if (w) /* else a has been answered and is gone */
		a->wait = w;
	arm(s);
}

static void refuse(struct server *s, const struct dns_msg *m, unsigned rcode,
		   const struct dns_peer *peer)
{
	dns_out_reply_to(s->out, m);
	s->out->rcode = rcode;
	tell(s, m, "refused", dns_rcode_text(rcode));
	send_out(s, m, peer);
}

static void answer_any(struct server *s, const struct dns_msg *m, const struct dns_peer *peer)
{
	struct rrset *h = dns_any_hinfo();

	dns_out_reply_to(s->out, m);
	dns_out_add(s->out, DNS_AN, &m->qname, h, h->ttl);
	rrset_put(h);
	send_out(s, m, peer);
}

static void on_query(void *arg, const uint8_t *q, size_t len, const struct dns_peer *peer)
{
	struct server *s = arg;
	struct dns_msg m;
	enum dns_fault f = dns_msg_check(&m, q, len);
	int rcode;

	if (!dns_may_answer(q, len, &peer->from) || f == DNS_BAD_HEADER) {
		dns_front_drop(&s->front, peer);
		return;
	}
	rcode = dns_query_rcode(&m, f);
	if (f || (rcode >= 0 && !m.has_question)) {
		uint8_t w[DNS_HDR_LEN];

		dns_build_error(w, &m, (unsigned)rcode);
		dns_front_reply(&s->front, peer, w, sizeof(w));
		return;
	}
	tell(s, &m, "question received", NULL);
	if (rcode >= 0)
		refuse(s, &m, (unsigned)rcode, peer);
	else if (m.qtype == DNS_ANY)
		answer_any(s, &m, peer);
	else if (!(m.flags & DNS_RD))
		answer_known(s, &m, peer);
	else if (s->n_askers >= ASKERS_MAX ||
		 *client_count(s, peer->from.addr) >= ASKERS_PER_CLIENT)
		refuse(s, &m, DNS_SERVFAIL, peer);
	else
		ask(s, &m, peer);
}

/* ---- control ---- */

static void on_control(void *arg, const char *word, struct strbuf *sb)
{
	struct server *s = arg;
	const struct rcache *c = resolver_cache(s->r);
	const struct resolver_stats *st = resolver_stats(s->r);

	if (!strcmp(word, "cache")) {
		rcache_dump(c, sys_clock_ns(s->t), sb);
		sb_printf(sb, "; %u entries, %llu of %llu octets\n", c->n,
			  (unsigned long long)c->bytes, (unsigned long long)c->max_bytes);
	} else if (!strcmp(word, "flush")) {
		rcache_flush(resolver_cache(s->r));
	} else if (!strcmp(word, "stats")) {
		sb_printf(
		    sb,
		    "questions %llu\ncache_hits %llu\nqueries %llu\nqueries_tcp %llu\ntimeouts "
		    "%llu\nignored %llu\nlame %llu\nservfail %llu\nevicted %llu\n",
		    (unsigned long long)st->asked, (unsigned long long)st->cache_hits,
		    (unsigned long long)st->queries, (unsigned long long)st->tcp_queries,
		    (unsigned long long)st->timeouts, (unsigned long long)st->ignored,
		    (unsigned long long)st->lame, (unsigned long long)st->servfail,
		    (unsigned long long)c->evicted);
	} else {
		sb_puts(sb, "?\n");
	}
}

/* ---- starting ---- */

static int hints_read(void *arg, const char *path, struct strbuf *sb)
{
	return proc_slurp(((struct server *)arg)->t, path, sb);
}

static int hints_record(void *arg, const struct dns_record *r, char *why, size_t room)
{
	return resolver_hint(((struct server *)arg)->r, r, why, room);
}

static int load_hints(struct server *s, const char *path)
{
	static const struct dns_master_ops m = { hints_read, hints_record, 1000 };
	struct dname root;
	char err[MASTER_ERR];

	dname_root(&root);
	if (dns_master_load(path, &root, &m, s, err)) {
		task_eprintf(s->t, "dns-resolver: %s\n", err);
		return -1;
	}
	if (resolver_has_hints(s->r))
		return 0;
	task_eprintf(s->t, "dns-resolver: %s: no root server with an address\n", path);
	return -1;
}

struct flags {
	const char *hints;
	uint64_t port, cache;
	uint32_t addr;
	struct resolver_params p;
};

static int parse_flags(struct task *t, int argc, char **argv, struct flags *f)
{
	int i;

	*f = (struct flags){ .port = DNS_PORT, .cache = RCACHE_MAX_BYTES };
	for (i = 1; i < argc; i++) {
		const char *v = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(argv[i], "--prime"))
			f->p.prime = true;
		else if (!strcmp(argv[i], "--0x20"))
			f->p.use_0x20 = true;
		else if (!strcmp(argv[i], "--filter-private"))
			f->p.filter_private = true;
		else if (!strcmp(argv[i], "--hints") && *v)
			f->hints = argv[++i];
		else if (!strcmp(argv[i], "--port") && !u64_parse(v, 1, 65535, &f->port))
			i++;
		else if (!strcmp(argv[i], "--cache") && !u64_parse(v, 65536, 1ull << 32, &f->cache))
			i++;
		else if (!strcmp(argv[i], "--listen") && !ip4_parse(v, &f->addr))
			i++;
		else
			break;
	}
	f->p.cache_bytes = f->cache;
	if (i == argc && f->hints)
		return 0;
	task_eprintf(t,
		     "dns-resolver: %s%s\nusage: dns-resolver --hints FILE [--port N] [--listen "
		     "ADDR] [--prime] [--0x20] [--filter-private] [--cache BYTES]\n",
		     i < argc ? "unknown flag or bad value: " : "no --hints FILE given",
		     i < argc ? argv[i] : "");
	return -1;
}

static void primed(void *arg, const struct ranswer *a)
{
	struct server *s = arg;

	TRACE(&s->t->net->probe, TR_APP, 0, "primed rcode=%s", dns_rcode_text(a->rcode));
}

static int serve(struct server *s, const struct flags *f)
{
	int err = dns_front_open(&s->front, s->l, f->addr, (uint16_t)f->port, on_query, s);
	struct dname root;

	if (err) {
		task_eprintf(s->t, "dns-resolver: port %u: %s\n", (unsigned)f->port,
			     app_strerror(err));
		return 1;
	}
	err = dns_ctl_open(&s->ctl, s->l, on_control, s);
	if (err)
		task_eprintf(s->t, "dns-resolver: no control port: %s\n", app_strerror(err));
	dname_root(&root);
	if (f->p.prime)
		resolver_ask(s->r, &root, DNS_NS, primed, s, sys_clock_ns(s->t));
	arm(s);
	TRACE(&s->t->net->probe, TR_APP, 0, "listening port=%u", (unsigned)f->port);
	loop_run(s->l);
	dns_ctl_close(&s->ctl);
	return 0;
}

/* Clients first (their waits are the resolver's), then the resolver, whose queries close their
 * sockets. */
static void server_free(struct server *s)
{
	while (!list_empty(&s->askers)) {
		struct asker *a = list_first_entry(&s->askers, struct asker, node);

		if (a->wait)
			resolver_cancel(a->wait);
		asker_free(a);
	}
	resolver_free(s->r);
	if (s->front.buf)
		dns_front_close(&s->front);
	loop_free(s->l);
	dns_out_free(s->out);
	free(s->buf);
	free(s);
}

int dns_resolver_main(struct task *t, int argc, char **argv)
{
	struct server *s;
	struct flags f;
	int rc, err = 0;

	if (parse_flags(t, argc, argv, &f))
		return 2;
	s = xcalloc(1, sizeof(*s));
	s->t = t;
	list_init(&s->askers);
	sys_getrandom(t, s->key, sizeof(s->key));
	s->buf = xcalloc(1, DNS_MSG_MAX);
	s->out = dns_out_new();
	s->r = resolver_new(&f.p, &ops, s, sys_clock_ns(t));
	s->l = loop_new(t, &err);
	timer_setup(&s->tick, on_tick);
	if (!s->l) {
		task_eprintf(t, "dns-resolver: %s\n", app_strerror(err));
		rc = 1;
	} else {
		rc = load_hints(s, f.hints) ? 2 : serve(s, &f);
	}
	server_free(s);
	return rc;
}

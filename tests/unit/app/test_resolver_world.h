/* A test's internet for the resolver: servers made of zones or of hand-made answers, a clock, no
 * sockets. */
#ifndef TEST_RESOLVER_WORLD_H
#define TEST_RESOLVER_WORLD_H

#include "test_dns_util.h"
#include "app/resolver.h"
#include "base/rng.h"

#define S NSEC_PER_SEC
#define MAX_SERVERS 24

/* A server: zones, or a function that makes its answer by hand. */
struct world;
typedef size_t (*answer_fn)(struct world *w, const struct dns_msg *q, uint8_t *out, bool tcp);
struct server {
	uint32_t addr;
	struct dns_authority a;
	answer_fn fn;
	bool dead;
	unsigned asked;
};
struct world {
	struct server server[MAX_SERVERS];
	unsigned n;
	struct resolver *r;
	struct rquery *pending[4096];
	unsigned n_pending;
	uint64_t now;
	unsigned queries, open;
	struct rng rng;
	struct dns_out *o;
	struct strbuf log;
	/* last answer */
	unsigned done, rcode;
	struct strbuf text;
};

static inline int w_send(void *arg, struct rquery *q)
{
	struct world *w = arg;

	w->queries++;
	w->open++;
	assert_true(w->n_pending < ARRAY_SIZE(w->pending));
	w->pending[w->n_pending++] = q;
	return 0;
}

static inline void w_done(void *arg, struct rquery *q)
{
	struct world *w = arg;

	w->open--;
	for (unsigned i = 0; i < w->n_pending; i++)
		if (w->pending[i] == q)
			w->pending[i] = NULL;
}

static inline void w_random(void *arg, void *out, size_t len)
{
	rng_bytes(&((struct world *)arg)->rng, out, len);
}

static inline void w_say(void *arg, const char *text)
{
	struct world *w = arg;

	sb_puts(&w->log, text);
	sb_putc(&w->log, '\n');
}

static const struct resolver_ops w_ops = { w_send, w_done, w_random, w_say };

static inline struct server *serve(struct world *w, uint32_t addr)
{
	for (unsigned i = 0; i < w->n; i++)
		if (w->server[i].addr == addr)
			return &w->server[i];
	assert_true(w->n < MAX_SERVERS);
	w->server[w->n].addr = addr;
	return &w->server[w->n++];
}

static inline void zone(struct world *w, uint32_t addr, const char *apex, const char *text)
{
	dns_authority_add(&serve(w, addr)->a, test_zone(apex, text));
}

static inline void hint(struct world *w, const char *ns, uint32_t addr)
{
	struct dname root = test_name("."), n = test_name(ns);
	struct dns_record r = { &root, DNS_NS, 3600000, n.w, n.len };
	char why[200];
	uint8_t a[4];

	assert_int_equal(resolver_hint(w->r, &r, why, sizeof(why)), 0);
	put_be32(a, addr);
	r = (struct dns_record){ &n, DNS_A, 3600000, a, 4 };
	assert_int_equal(resolver_hint(w->r, &r, why, sizeof(why)), 0);
}

#define ROOT 0x0a000301u
#define COM 0x0a000302u
#define NS 0x0a000303u
#define SOA(z) "@ SOA ns." z " root." z " 1 2 3 4 60\n"

static inline void world_zones(struct world *w)
{
	zone(w, ROOT, ".",
	     "$TTL 86400\n" SOA("test.") "@ NS a.root.test.\na.root.test. A 10.0.3.1\ncom. NS "
					 "a.gtld.test.\na.gtld.test. A 10.0.3.2\n");
	zone(w, COM, "com",
	     "$TTL 86400\n" SOA(
		 "com.") "@ NS a.gtld.test.\nserver NS ns.server\nns.server A 10.0.3.3\n");
	zone(w, NS, "server.com",
	     "$TTL 300\n" SOA("server.com.") "@ NS ns\nns A 10.0.3.3\nwww A 10.0.4.2\nalias CNAME "
					     "www\nzero 0 A 10.0.4.9\n");
}

static inline struct world *world_new(const struct resolver_params *p)
{
	struct world *w = calloc(1, sizeof(*w));

	rng_derive(&w->rng, 1, "w", "test");
	w->now = 1000 * S;
	w->r = resolver_new(p, &w_ops, w, w->now);
	w->o = dns_out_new();
	sb_init(&w->log);
	sb_init(&w->text);
	hint(w, "a.root.test.", ROOT);
	return w;
}

static inline int setup(void **state)
{
	const struct resolver_params p = { 0 };
	struct world *w = world_new(&p);

	world_zones(w);
	*state = w;
	return 0;
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	resolver_free(w->r);
	assert_int_equal(w->open, 0);
	for (unsigned i = 0; i < w->n; i++)
		dns_authority_free(&w->server[i].a);
	dns_out_free(w->o);
	sb_free(&w->log);
	sb_free(&w->text);
	free(w);
	return 0;
}

/* Let the server of one pending query answer it. */
static inline void deliver(struct world *w, struct rquery *q)
{
	struct server *s = serve(w, q->addr);
	struct dns_from from = { 0x0a000101, 40000, q->tcp };
	struct dns_done done;
	struct dns_msg m;
	uint8_t *out, buf[65536];
	size_t len = 0;

	assert_int_equal(dns_msg_check(&m, q->wire, q->len), DNS_FINE);
	assert_false(m.flags & (DNS_RD | DNS_QR));
	s->asked++;
	if (s->dead)
		return;
	if (s->fn) {
		len = s->fn(w, &m, buf, q->tcp);
		if (len)
			resolver_input(w->r, q, buf, len, w->now);
		return;
	}
	out = dns_authority_reply(&s->a, q->wire, q->len, &from, w->o, &len, &done);
	if (out)
		resolver_input(w->r, q, out, len, w->now);
	free(out);
}

/* Until nothing is pending but what the dead hold, then move the clock, until done or `until`. */
static inline void pump(struct world *w, uint64_t until)
{
	for (;;) {
		for (unsigned i = 0; i < w->n_pending; i++) {
			struct rquery *q = w->pending[i];

			w->pending[i] = NULL;
			if (q)
				deliver(w, q);
		}
		w->n_pending = 0;
		if (resolver_next(w->r) > until)
			break;
		w->now = max_u64(w->now, resolver_next(w->r));
		resolver_tick(w->r, w->now);
	}
}

static inline void on_done(void *arg, const struct ranswer *a)
{
	struct world *w = arg;
	struct dns_out *o = dns_out_new();
	uint8_t *wire;
	struct dns_msg m;
	size_t len;

	w->done++;
	w->rcode = a->rcode;
	ranswer_fill(a, o, w->now);
	wire = dns_out_wire(o, 65535, &len);
	assert_int_equal(dns_msg_check(&m, wire, len), DNS_FINE);
	sb_free(&w->text);
	test_dump(&m, &w->text);
	free(wire);
	dns_out_free(o);
}

static inline void ask(struct world *w, const char *name, uint16_t type)
{
	struct dname n = test_name(name);

	w->done = w->queries = 0;
	resolver_ask(w->r, &n, type, on_done, w, w->now);
	pump(w, w->now + 12 * S);
	assert_int_equal(w->done, 1);
	assert_int_equal(w->open, 0);
}

static inline void want(struct world *w, unsigned rcode, const char *text)
{
	assert_int_equal(w->rcode, rcode);
	assert_string_equal(sb_str(&w->text), text);
}

/* ---- building answers by hand ---- */

struct hand {
	uint8_t *p;
	size_t n;
};

static inline struct hand begin(uint8_t *out, const struct dns_msg *q, uint16_t flags)
{
	struct hand h = { out, 12 };

	memset(out, 0, 12);
	put_be16(out, q->id);
	put_be16(out + 2, (uint16_t)(DNS_QR | flags));
	put_be16(out + 4, 1);
	memcpy(out + 12, q->qname.w, q->qname.len);
	h.n += q->qname.len;
	put_be16(out + h.n, q->qtype);
	put_be16(out + h.n + 2, q->qclass);
	h.n += 4;
	return h;
}

static inline void put(struct hand *h, enum dns_section s, const char *owner, uint16_t type,
		       uint32_t ttl, const void *rd, size_t len)
{
	struct dname n = test_name(owner);

	memcpy(h->p + h->n, n.w, n.len);
	h->n += n.len;
	put_be16(h->p + h->n, type);
	put_be16(h->p + h->n + 2, DNS_IN);
	put_be32(h->p + h->n + 4, ttl);
	put_be16(h->p + h->n + 8, (uint16_t)len);
	memcpy(h->p + h->n + 10, rd, len);
	h->n += 10 + len;
	put_be16(h->p + 4 + 2 * s, (uint16_t)(get_be16(h->p + 4 + 2 * s) + 1));
}

static inline void put_a(struct hand *h, enum dns_section s, const char *owner, uint32_t ttl,
			 uint32_t a)
{
	uint8_t rd[4];

	put_be32(rd, a);
	put(h, s, owner, DNS_A, ttl, rd, 4);
}

static inline void put_name(struct hand *h, enum dns_section s, const char *owner, uint16_t type,
			    uint32_t ttl, const char *to)
{
	struct dname n = test_name(to);

	put(h, s, owner, type, ttl, n.w, n.len);
}

#endif

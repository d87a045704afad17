/* Fuzz target: what servers may tell the recursive resolver (DR-01..DR-20). The input is a row of answers, each to one
 * of the queries that are out: ID and question are right, everything behind them is the input's. Whatever comes, every
 * question ends, every socket is closed, nothing is left. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "app/resolver.h"
#include "base/rng.h"

#define MAX_OUT 64u

struct world {
	struct rquery *out[MAX_OUT];
	unsigned n, open, done;
	struct rng rng;
};

static int on_send(void *arg, struct rquery *q)
{
	struct world *w = arg;

	w->open++;
	if (w->n < MAX_OUT)
		w->out[w->n++] = q;
	return 0;
}

static void on_done(void *arg, struct rquery *q)
{
	struct world *w = arg;

	w->open--;
	for (unsigned i = 0; i < w->n; i++)
		if (w->out[i] == q)
			w->out[i--] = w->out[--w->n];
}

static void on_random(void *arg, void *out, size_t len)
{
	rng_bytes(&((struct world *)arg)->rng, out, len);
}

static void answered(void *arg, const struct ranswer *a)
{
	(void)a;
	((struct world *)arg)->done++;
}

static void hints(struct resolver *r)
{
	static const uint8_t addr[4] = { 10, 0, 0, 1 };
	struct dname root, ns;
	char why[200];

	dname_root(&root);
	dname_from_text(&ns, "a.root.", NULL);
	resolver_hint(r, &(struct dns_record){ &root, DNS_NS, 3600, ns.w, ns.len }, why, sizeof(why));
	resolver_hint(r, &(struct dns_record){ &ns, DNS_A, 3600, addr, 4 }, why, sizeof(why));
}

/* One answer: flags and counts from data[0..7], the records from the rest. */
static void deliver(struct resolver *r, struct rquery *q, const uint8_t *data, size_t n)
{
	size_t head = DNS_HDR_LEN + q->qname.len + 4u;
	uint8_t *m = calloc(1, head + n);

	put_be16(m, q->id);
	m[2] = (uint8_t)(0x84 | (data[6] & 0x02));
	m[3] = data[7];
	m[5] = 1;
	m[7] = data[1];
	m[9] = data[3];
	m[11] = data[5];
	memcpy(m + DNS_HDR_LEN, q->qname.w, q->qname.len);
	put_be16(m + head - 4, q->type);
	put_be16(m + head - 2, DNS_IN);
	memcpy(m + head, data + 8, n - 8);
	resolver_input(r, q, m, head + n - 8, 1);
	free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "www.a.b", "x.y", "b", "www.c.d.a.b" };
	static const struct resolver_ops ops = { on_send, on_done, on_random, NULL };
	const struct resolver_params params = { 0 };
	struct world w = { 0 };
	struct resolver *r;
	struct strbuf sb;
	uint64_t now = 1;

	rng_derive(&w.rng, 1, "fuzz", "resolver");
	r = resolver_new(&params, &ops, &w, now);
	hints(r);
	for (unsigned i = 0; i < 4; i++) {
		struct dname n;

		dname_from_text(&n, names[i], NULL);
		resolver_ask(r, &n, i % 2 ? DNS_A : DNS_MX, answered, &w, now);
	}
	while (size >= 2 && w.n) {
		size_t n = data[0] | (size_t)(data[1] & 7) << 8;
		struct rquery *q = w.out[(data[1] >> 3) % w.n];

		data += 2;
		size -= 2;
		n = min_sz(n, size);
		if (n >= 8)
			deliver(r, q, data, n);
		else
			resolver_failed(r, q, now);
		data += n;
		size -= n;
	}
	while (resolver_next(r) <= 60 * NSEC_PER_SEC) {
		now = resolver_next(r);
		resolver_tick(r, now);
	}
	assert(w.done == 4);
	sb_init(&sb);
	rcache_dump(resolver_cache(r), now, &sb);
	sb_free(&sb);
	resolver_free(r);
	assert(w.open == 0);
	return 0;
}

/* Jobs: one per question being worked on, however many ask it.
 *
 *            resolver_ask                      rquery: sent ---- answer ----> resolver_msg.c
 *     client ------------> rjob ---- run ----> |                                   |
 *            <------------   ^                 +-- timeout, failure --> next server |
 *              rjob_finish   +----------------------- run / resend / finish --------+
 *
 * A job has at any time exactly one of: a query outstanding (q), a job it waits for (waits_on: an
 * alias' target, or the address of a name server without glue), a place in r->ready, or is being
 * run. Waiting jobs form trees: before a job waits, the chain of waits_on is walked, so that no
 * circle closes (DR-09). Jobs never run each other: what one wants of another goes through
 * r->ready, which every door of this file empties before it returns, so that no input makes the
 * stack deep.
 *
 * Decides which server is asked next, how often, and when it is enough: per server, per delegation,
 * per question with all its detours (DR-08, DR-10, DR-20). Called by dns_resolver.c through
 * resolver.h. RFC 1034 5.3.3, 5452, 7766, 9520. Tests: tests/unit/app/test_resolver.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/resolver_int.h"
#include "base/pool.h"
#include "base/rng.h"

void rsay(struct resolver *r, const char *fmt, ...)
{
	char text[2 * DNAME_TEXT_MAX];
	va_list ap;

	if (!r->ops->say)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->ops->say(r->arg, text);
}

/* ---- queries ---- */

void rquery_end(struct rquery *q)
{
	struct resolver *r = q->job->r;

	rinfra_get(&r->infra, q->addr)->inflight--;
	del_timer(&r->wheel, &q->timer);
	q->job->q = NULL;
	r->ops->done(r->arg, q);
	free(q);
}

static void query_timeout(struct timer_list *t)
{
	struct rquery *q = container_of(t, struct rquery, timer);
	struct rjob *j = q->job;
	struct resolver *r = j->r;
	char a[IP4_STRLEN];

	r->stats.timeouts++;
	rsay(r, "timeout server=%s", ip4_str(a, q->addr));
	rinfra_timeout(rinfra_get(&r->infra, q->addr), r->now_ns);
	rquery_end(q);
	rjob_run(j);
}

/* Random case (draft-vixie-dnsext-dns0x20): a forger must guess it too. */
static void mix_case(struct resolver *r, struct dname *n)
{
	uint8_t bits[DNAME_MAX / 8 + 1];
	size_t i;

	r->ops->random(r->arg, bits, sizeof(bits));
	for (i = 0; i < n->len; i++) {
		uint8_t low = n->w[i] | 0x20;

		if (low >= 'a' && low <= 'z' && n->w[i] >= 'A' && (bits[i / 8] >> (i % 8) & 1))
			n->w[i] ^= 0x20;
	}
}

static unsigned tries_of(const struct rjob *j, uint32_t addr)
{
	unsigned i;

	for (i = 0; i < j->d.n_addrs; i++)
		if (j->d.addr[i].addr == addr)
			return j->d.addr[i].tries;
	return 0;
}

static void say_query(struct resolver *r, const struct rquery *q)
{
	char name[DNAME_TEXT_MAX], type[16], a[IP4_STRLEN], zone[DNAME_TEXT_MAX];

	rsay(r, "query sent name=%s type=%s server=%s zone=%s%s", dname_text(name, &q->qname),
	     dns_type_text(type, q->type), ip4_str(a, q->addr), dname_text(zone, &q->job->d.zone),
	     q->tcp ? " tcp" : "");
}

/* False: it could not even be sent. The budget has been looked at. */
static bool send_query(struct rjob *j, uint32_t addr, bool tcp, bool edns)
{
	struct resolver *r = j->r;
	struct rinfra *inf = rinfra_get(&r->infra, addr);
	unsigned tries = tries_of(j, addr);
	struct rquery *q;
	int len;

	j->budget->left--;
	q = xcalloc(1, sizeof(*q));
	q->job = j;
	q->addr = addr;
	q->tcp = tcp;
	q->edns = edns && !inf->no_edns;
	q->type = j->type;
	q->qname = j->cur;
	if (r->p.use_0x20)
		mix_case(r, &q->qname);
	r->ops->random(r->arg, &q->id, sizeof(q->id));
	len = dns_build_query(q->wire, sizeof(q->wire), q->id, false, &q->qname, q->type,
			      q->edns ? DNS_EDNS_SIZE : 0);
	q->len = (uint16_t)(len < 0 ? 0 : len);
	q->sent_ns = r->now_ns;
	timer_setup(&q->timer, query_timeout);
	j->q = q;
	inf->inflight++;
	r->stats.queries++;
	r->stats.tcp_queries += tcp;
	say_query(r, q);
	mod_timer(&r->wheel, &q->timer,
		  r->now_ns + (tcp ? RES_TCP_NS : rinfra_rto(inf, tries ? tries - 1 : 0)));
	if (len >= 0 && !r->ops->send(r->arg, q))
		return true;
	rquery_end(q);
	return false;
}

static void server_useless(struct rjob *j, uint32_t addr)
{
	unsigned i;

	for (i = 0; i < j->d.n_addrs; i++)
		if (j->d.addr[i].addr == addr)
			j->d.addr[i].tries = RES_TRIES;
}

void rjob_resend(struct rjob *j, uint32_t addr, bool tcp, bool edns)
{
	if (j->budget->left == 0) {
		rjob_finish(j, DNS_SERVFAIL);
	} else if (!send_query(j, addr, tcp, edns)) {
		server_useless(j, addr);
		rjob_run(j);
	}
}

/* Of the servers not yet tried too often, not silent, not crowded: fewest tries, then the quickest,
 * then chance. */
static int pick_server(struct rjob *j)
{
	struct resolver *r = j->r;
	unsigned best[RES_MAX_ADDRS], n = 0, i;
	uint64_t best_key = UINT64_MAX;
	uint16_t draw = 0;

	for (i = 0; i < j->d.n_addrs; i++) {
		struct rinfra *inf = rinfra_get(&r->infra, j->d.addr[i].addr);
		uint64_t key =
		    (uint64_t)j->d.addr[i].tries << 48 | min_u64(inf->srtt_ns, (1ull << 48) - 1);

		if (j->d.addr[i].tries >= RES_TRIES || inf->dead_until_ns > r->now_ns ||
		    inf->inflight >= RES_SERVER_INFLIGHT)
			continue;
		if (key < best_key) {
			best_key = key;
			n = 0;
		}
		if (key == best_key)
			best[n++] = i;
	}
	if (n > 1)
		r->ops->random(r->arg, &draw, sizeof(draw));
	return n ? (int)best[draw % n] : -1;
}

void rjob_server_useless(struct rjob *j, uint32_t addr)
{
	server_useless(j, addr);
	rjob_run(j);
}

/* ---- jobs ---- */

static struct rjob *job_find(struct resolver *r, const struct dname *name, uint16_t type,
			     uint64_t hash)
{
	struct rjob *j;

	hlist_for_each_entry(j, &r->bucket[hash & (ARRAY_SIZE(r->bucket) - 1)], node)
		if (j->hash == hash && j->type == type && dname_eq(&j->name, name))
			return j;
	return NULL;
}

static void job_deadline(struct timer_list *t)
{
	rjob_finish(container_of(t, struct rjob, deadline), DNS_SERVFAIL);
}

/* budget NULL: a client's question, with its own. NULL: too many jobs. */
static struct rjob *job_new(struct resolver *r, const struct dname *name, uint16_t type,
			    struct rbudget *budget, unsigned depth)
{
	struct rjob *j;

	if (r->n_jobs >= RES_MAX_JOBS) {
		r->stats.refused_full++;
		return NULL;
	}
	j = xcalloc(1, sizeof(*j));
	j->r = r;
	j->name = j->cur = *name;
	j->type = type;
	j->depth = depth;
	j->hash = dname_hash(r->key, name, type);
	j->budget = budget ? budget : xcalloc(1, sizeof(*budget));
	if (!budget)
		j->budget->left = RES_BUDGET;
	j->budget->refs++;
	list_init(&j->parents);
	list_init(&j->waits);
	list_init(&j->wait_node);
	list_init(&j->ready);
	j->verdict = -1;
	timer_setup(&j->deadline, job_deadline);
	mod_timer(&r->wheel, &j->deadline, r->now_ns + RES_JOB_NS);
	hlist_add_head(&j->node, &r->bucket[j->hash & (ARRAY_SIZE(r->bucket) - 1)]);
	list_add_tail(&j->all, &r->jobs);
	r->n_jobs++;
	return j;
}

static void job_free(struct rjob *j)
{
	struct resolver *r = j->r;

	if (j->q)
		rquery_end(j->q);
	del_timer(&r->wheel, &j->deadline);
	hlist_del_init(&j->node);
	list_del_init(&j->all);
	list_del_init(&j->wait_node);
	list_del_init(&j->ready);
	r->n_jobs--;
	if (!--j->budget->refs)
		free(j->budget);
	ranswer_clear(&j->ans);
	free(j);
}

/* To be run soon, or (verdict >= 0) to end with that rcode. */
static void job_ready(struct rjob *j, int verdict)
{
	j->verdict = verdict;
	list_del_init(&j->ready);
	list_add_tail(&j->ready, &j->r->ready);
}

static void run_ready(struct resolver *r)
{
	while (!list_empty(&r->ready)) {
		struct rjob *j = list_first_entry(&r->ready, struct rjob, ready);

		list_del_init(&j->ready);
		if (j->verdict >= 0)
			rjob_finish(j, (unsigned)j->verdict);
		else
			rjob_run(j);
	}
}

/* Whether j may wait for c: no circle (DR-09), and no row of waiting jobs longer than the bound. */
static bool may_wait(struct rjob *j, struct rjob *c)
{
	unsigned h = j->height + 1;
	struct rjob *p;

	for (p = c; p; p = p->waits_on)
		if (p == j || h++ > 2 * RES_MAX_DEPTH)
			return false;
	for (p = c, h = j->height + 1; p; p = p->waits_on, h++)
		p->height = max_u32(p->height, h);
	return true;
}

/* j waits for the answer to (name, type). False: it must not or cannot. A new job costs as much as
 * a query. */
static bool job_wait(struct rjob *j, const struct dname *name, uint16_t type, enum rjob_why why)
{
	struct resolver *r = j->r;
	struct rjob *c = job_find(r, name, type, dname_hash(r->key, name, type));

	if (!c && j->depth < RES_MAX_DEPTH && j->budget->left) {
		j->budget->left--;
		c = job_new(r, name, type, j->budget, j->depth + 1);
		if (c)
			job_ready(c, -1);
	}
	if (!c || !may_wait(j, c))
		return false;
	j->waits_on = c;
	j->why = why;
	list_add_tail(&j->wait_node, &c->parents);
	return true;
}

/* An alias' target has been answered: its sets follow ours. */
static void take_target(struct rjob *j, const struct ranswer *a)
{
	unsigned i;

	if (j->ans.n + a->n > RES_ANSWER_SETS) {
		job_ready(j, DNS_SERVFAIL);
		return;
	}
	for (i = 0; i < a->n; i++) {
		if (a->set[i].section == DNS_AN && a->set[i].set->type == DNS_CNAME)
			j->links++;
		ranswer_add(&j->ans, (enum dns_section)a->set[i].section, &a->set[i].owner,
			    a->set[i].set, a->set[i].expires_ns);
	}
	job_ready(j, j->links > RES_MAX_LINKS ? DNS_SERVFAIL : (int)a->rcode);
}

/* The job that j waited for has ended with a. */
static void job_resume(struct rjob *j, const struct ranswer *a)
{
	unsigned i;

	j->waits_on = NULL;
	if (j->why == WAIT_ALIAS) {
		take_target(j, a);
		return;
	}
	for (i = 0; i < a->n; i++)
		if (a->set[i].section == DNS_AN && a->set[i].set->type == DNS_A)
			rdeleg_add_addrs(&j->d, a->set[i].set);
	job_ready(j, -1);
}

static void wait_done(struct rwait *w, const struct ranswer *a)
{
	list_del_init(&w->node);
	if (w->gone)
		*w->gone = true;
	w->done(w->arg, a);
	free(w);
}

void rjob_finish(struct rjob *j, unsigned rcode)
{
	struct resolver *r = j->r;

	if (j->q)
		rquery_end(j->q);
	hlist_del_init(&j->node); /* nobody joins any more */
	if (rcode == DNS_SERVFAIL) {
		ranswer_clear(&j->ans);
		r->stats.servfail++;
		rcache_put(r->cache, &j->name, j->type, RC_FAIL, RANK_ADDITIONAL, NULL, NULL,
			   RCACHE_FAIL_TTL, r->now_ns);
	}
	j->ans.rcode = rcode;
	while (!list_empty(&j->waits))
		wait_done(list_first_entry(&j->waits, struct rwait, node), &j->ans);
	while (!list_empty(&j->parents)) {
		struct rjob *p = list_first_entry(&j->parents, struct rjob, wait_node);

		list_del_init(&p->wait_node);
		job_resume(p, &j->ans);
	}
	job_free(j);
}

/* No server can be asked: look up one whose address nobody gave, or give up. */
static void glueless(struct rjob *j)
{
	unsigned i;

	for (i = 0; i < j->d.n_ns && j->d.lookups < RES_MAX_NS_LOOKUPS; i++) {
		if (j->d.ns[i].resolved)
			continue;
		/* An address below the zone itself could only come as glue. */
		j->d.ns[i].resolved = true;
		if (dname_under(&j->d.ns[i].name, &j->d.zone) && !dname_is_root(&j->d.zone))
			continue;
		j->d.lookups++;
		if (job_wait(j, &j->d.ns[i].name, DNS_A, WAIT_NS))
			return;
	}
	rjob_finish(j, DNS_SERVFAIL);
}

/* Where the walk begins; a DS lives above the cut (RFC 4035 3.1.4.1). */
static void find_delegation(struct rjob *j)
{
	struct dname from = j->cur;

	if (j->type == DNS_DS)
		dname_parent(&from, &from);
	rdeleg_find(j->r, &from, &j->d);
}

void rjob_run(struct rjob *j)
{
	int s;

	if (rchain_lookup(j->r, &j->ans, &j->cur, j->type, &j->links) == LOOK_DONE) {
		rjob_finish(j, j->ans.rcode);
		return;
	}
	/* An alias' target is a question of its own: there may be others who ask it. */
	if (!dname_eq(&j->cur, &j->name)) {
		if (!job_wait(j, &j->cur, j->type, WAIT_ALIAS))
			rjob_finish(j, DNS_SERVFAIL);
		return;
	}
	if (!j->d.known)
		find_delegation(j);
	while ((s = pick_server(j)) >= 0 && j->budget->left) {
		/* The last try does without EDNS: somebody on the way may not bear it. */
		if (send_query(j, j->d.addr[s].addr, false, ++j->d.addr[s].tries < RES_TRIES))
			return;
		j->d.addr[s].tries = RES_TRIES;
	}
	if (s >= 0)
		rjob_finish(j, DNS_SERVFAIL);
	else
		glueless(j);
}

/* ---- the door ---- */

struct resolver *resolver_new(const struct resolver_params *p, const struct resolver_ops *ops,
			      void *arg, uint64_t now_ns)
{
	struct resolver *r = xcalloc(1, sizeof(*r));

	r->p = *p;
	r->ops = ops;
	r->arg = arg;
	r->now_ns = now_ns;
	ops->random(arg, r->key, sizeof(r->key));
	r->cache = rcache_new(p->cache_bytes ? p->cache_bytes : RCACHE_MAX_BYTES, r->key);
	rinfra_init(&r->infra);
	wheel_init(&r->wheel, now_ns);
	list_init(&r->jobs);
	list_init(&r->ready);
	r->scratch = xcalloc(1, DNS_RDATA_MAX);
	return r;
}

void resolver_free(struct resolver *r)
{
	unsigned i;

	if (!r)
		return;
	while (!list_empty(&r->jobs)) {
		struct rjob *j = list_first_entry(&r->jobs, struct rjob, all);

		while (!list_empty(&j->parents))
			list_del_init(j->parents.next);
		while (!list_empty(&j->waits))
			resolver_cancel(list_first_entry(&j->waits, struct rwait, node));
		job_free(j);
	}
	for (i = 0; i < r->n_hints; i++)
		rrset_put(r->hint[i].a);
	rrset_put(r->hint_ns);
	rinfra_free(&r->infra);
	rcache_free(r->cache);
	free(r->scratch);
	free(r);
}

struct rwait *resolver_ask(struct resolver *r, const struct dname *name, uint16_t type,
			   resolver_done done, void *arg, uint64_t now_ns)
{
	struct ranswer now = { 0 };
	struct dname cur = *name;
	struct rwait *w;
	struct rjob *j;
	unsigned links = 0;
	bool gone = false, fresh;

	r->now_ns = max_u64(r->now_ns, now_ns);
	r->stats.asked++;
	if (rchain_lookup(r, &now, &cur, type, &links) == LOOK_DONE) {
		r->stats.cache_hits++;
		done(arg, &now);
		ranswer_clear(&now);
		return NULL;
	}
	ranswer_clear(&now);
	j = job_find(r, name, type, dname_hash(r->key, name, type));
	fresh = !j;
	if (fresh)
		j = job_new(r, name, type, NULL, 0);
	if (!j) {
		now.rcode = DNS_SERVFAIL;
		done(arg, &now);
		return NULL;
	}
	w = xcalloc(1, sizeof(*w));
	w->done = done;
	w->arg = arg;
	list_add_tail(&w->node, &j->waits);
	if (!fresh)
		return w;
	w->gone = &gone;
	job_ready(j, -1);
	run_ready(r);
	if (gone)
		return NULL;
	w->gone = NULL;
	return w;
}

void resolver_cancel(struct rwait *w)
{
	list_del_init(&w->node);
	free(w);
}

/* DR-01: a response to this very query, or nothing. Its address and port are the socket's matter.
 */
static bool matches(const struct resolver *r, const struct rquery *q, const struct dns_msg *m)
{
	if (!(m->flags & DNS_QR) || dns_opcode(m) != DNS_OP_QUERY || m->id != q->id ||
	    !m->has_question)
		return false;
	if (m->qtype != q->type || m->qclass != DNS_IN)
		return false;
	return r->p.use_0x20 ? dname_same(&m->qname, &q->qname) : dname_eq(&m->qname, &q->qname);
}

bool resolver_input(struct resolver *r, struct rquery *q, const uint8_t *p, size_t len,
		    uint64_t now_ns)
{
	struct rjob *j = q->job;
	uint32_t addr = q->addr;
	bool tcp = q->tcp, edns = q->edns;
	struct dns_msg m;

	r->now_ns = max_u64(r->now_ns, now_ns);
	if (dns_msg_check(&m, p, len) != DNS_FINE || !matches(r, q, &m)) {
		r->stats.ignored++;
		if (++q->bad < RES_BAD_MAX)
			return false;
		rquery_end(q); /* somebody is guessing (DR-05) */
		if (tcp)
			rjob_server_useless(j, addr);
		else
			rjob_resend(j, addr, true, edns);
		run_ready(r);
		return true;
	}
	rinfra_answered(rinfra_get(&r->infra, addr), r->now_ns - q->sent_ns);
	rquery_end(q);
	rmsg_accept(j, &m, addr, tcp, edns);
	run_ready(r);
	return true;
}

void resolver_failed(struct resolver *r, struct rquery *q, uint64_t now_ns)
{
	struct rjob *j = q->job;
	uint32_t addr = q->addr;

	r->now_ns = max_u64(r->now_ns, now_ns);
	rinfra_timeout(rinfra_get(&r->infra, addr), r->now_ns);
	rquery_end(q);
	rjob_server_useless(j, addr);
	run_ready(r);
}

uint64_t resolver_next(struct resolver *r)
{
	return wheel_next(&r->wheel);
}

void resolver_tick(struct resolver *r, uint64_t now_ns)
{
	r->now_ns = max_u64(r->now_ns, now_ns);
	wheel_run(&r->wheel, r->now_ns);
	run_ready(r);
}

struct rcache *resolver_cache(struct resolver *r)
{
	return r->cache;
}

const struct resolver_stats *resolver_stats(const struct resolver *r)
{
	return &r->stats;
}

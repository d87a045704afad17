/* The stub resolver: what getaddrinfo() does on a host.
 *
 *     address? -> OS cache -> /etc/hosts -> name servers of resolv.conf      (nsswitch.conf:
 * "hosts: files dns")
 *
 * Decides where a name's address comes from and what is remembered (S3-23, S3-30; RFC 1034 5.3.1).
 * Each step says what it found at the moment it looked. Answers of the hosts file are not cached:
 * an edit counts at once. Called by app_resolve(), curl, the browser, getent. Tests:
 * tests/unit/app/test_stub.c, test_dns_hosts.c. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/dns_build.h"
#include "app/proc_text.h"
#include "app/stub.h"
#include "base/strbuf.h"
#include "socket/syscall.h"

#define STUB_CHAIN_MAX 16
#define STUB_NEGATIVE_MAX 10800u

const char *stub_strerror(int err)
{
	switch (err) {
	case 0: return "Success";
	case STUB_NONAME: return "Name or service not known";
	case STUB_AGAIN: return "Temporary failure in name resolution";
	}
	return "Non-recoverable failure in name resolution";
}

/* ---- reading an answer ---- */

static uint64_t end_after(struct task *t, uint32_t ttl)
{
	return sys_clock_ns(t) + ttl * NSEC_PER_SEC;
}

/* The alias of *cur in the answer section: follow it. */
static bool follow_alias(const struct dns_msg *m, struct dname *cur, uint32_t *ttl)
{
	uint8_t rd[DNAME_MAX];
	struct dns_walk w;
	struct dns_rr rr;

	dns_walk_init(&w, m);
	while (dns_walk_next(&w, &rr)) {
		int n;

		if (rr.section != DNS_AN || rr.type != DNS_CNAME || rr.cls != DNS_IN ||
		    !dname_eq(&rr.owner, cur))
			continue;
		n = dns_rdata_expand(m, &rr, rd, sizeof(rd));
		if (n > 0 && dname_from_wire(cur, rd, (size_t)n)) {
			*ttl = min_u32(*ttl, rr.ttl);
			return true;
		}
	}
	return false;
}

static void take_addresses(const struct dns_msg *m, const struct dname *owner,
			   struct stub_answer *out, uint32_t *ttl)
{
	struct dns_walk w;
	struct dns_rr rr;

	dns_walk_init(&w, m);
	while (dns_walk_next(&w, &rr)) {
		if (rr.section != DNS_AN || rr.type != DNS_A || rr.cls != DNS_IN ||
		    !dname_eq(&rr.owner, owner) || out->n == STUB_MAX_ADDRS)
			continue;
		out->addr[out->n++] = get_be32(m->p + rr.rd);
		*ttl = min_u32(*ttl, rr.ttl);
	}
}

/* RFC 2308 5: how long "no" may be believed. */
static uint32_t negative_ttl(const struct dns_msg *m)
{
	struct dns_walk w;
	struct dns_rr rr;

	dns_walk_init(&w, m);
	while (dns_walk_next(&w, &rr))
		if (rr.section == DNS_AUTH && rr.type == DNS_SOA)
			return min_u32(min_u32(rr.ttl, get_be32(m->p + rr.rd + rr.rdlen - 4)),
				       STUB_NEGATIVE_MAX);
	return 0;
}

/* 0, STUB_NONAME, or STUB_AGAIN: try another server. */
static int read_answer(struct task *t, const struct dns_msg *m, struct stub_answer *out)
{
	unsigned rcode = dns_rcode(m), links = 0;
	struct dname cur = m->qname;
	uint32_t ttl = INT32_MAX;
	char text[DNAME_TEXT_MAX];

	memset(out, 0, sizeof(*out));
	out->source = STUB_DNS;
	if (rcode != DNS_NOERROR && rcode != DNS_NXDOMAIN)
		return STUB_AGAIN;
	while (links++ < STUB_CHAIN_MAX && follow_alias(m, &cur, &ttl))
		;
	take_addresses(m, &cur, out, &ttl);
	if (!out->n) {
		out->expires_ns = end_after(t, negative_ttl(m));
		return STUB_NONAME;
	}
	out->expires_ns = end_after(t, ttl);
	dname_text_nodot(text, &cur);
	memcpy(out->canon, text, min_sz(strlen(text), sizeof(out->canon) - 1));
	return 0;
}

/* ---- asking ---- */

static int ask_server(struct task *t, const struct stub_conf *c, unsigned s, unsigned attempt,
		      const struct dname *name, struct stub_answer *out)
{
	/* resolv.conf(5): the patience doubles with each round and is shared among the servers. */
	uint64_t patience =
	    ((uint64_t)c->timeout_s << attempt) * NSEC_PER_SEC / (attempt ? c->n_servers : 1);
	struct stub_exchange x = {.server = c->server[s],
				  .tcp = c->use_tcp,
				  .tcp_on_tc = true,
				  .timeout_ns = max_u64(patience, NSEC_PER_SEC)};
	char text[DNAME_TEXT_MAX], a[IP4_STRLEN];
	uint8_t query[DNS_UDP_MIN], *reply;
	struct dns_msg m;
	uint16_t id = 0;
	int len, err;

	sys_getrandom(t, &id, sizeof(id));
	len = dns_build_query(query, sizeof(query), id, true, name, DNS_A,
			      c->edns ? DNS_EDNS_SIZE : 0);
	if (len < 0)
		return STUB_FAIL;
	TRACE(&t->net->probe, TR_APP, 0, "query sent name=%s type=A server=%s",
	      dname_text_nodot(text, name), ip4_str(a, x.server));
	err = stub_exchange(t, &x, query, (size_t)len, &reply, &m, NULL);
	if (err) {
		TRACE(&t->net->probe, TR_APP, 0, "no answer server=%s error=%d",
		      ip4_str(a, x.server), -err);
		return STUB_AGAIN;
	}
	err = read_answer(t, &m, out);
	TRACE(&t->net->probe, TR_APP, 0, "answer received rcode=%s addresses=%u",
	      dns_rcode_text(dns_rcode(&m)), out->n);
	free(reply);
	return err;
}

static int ask_name(struct task *t, const struct stub_conf *c, const struct dname *name,
		    struct stub_answer *out)
{
	unsigned attempt, s;
	int err = STUB_AGAIN;

	for (attempt = 0; attempt < c->attempts; attempt++) {
		for (s = 0; s < c->n_servers; s++) {
			err = ask_server(t, c, s, attempt, name, out);
			if (err != STUB_AGAIN || t->killed)
				return err;
		}
	}
	return err;
}

/* The name as it is, or completed by the search list: fewer dots than ndots, completed first. */
static int ask_dns(struct task *t, const char *host, struct stub_answer *out)
{
	struct dname name, full;
	struct stub_conf c;
	size_t len = strlen(host);
	unsigned i, first_bare;
	int err = STUB_NONAME, last;

	stub_conf_read(t, &c);
	if (dname_from_text(&name, host, NULL))
		return STUB_NONAME;
	if (host[len - 1] == '.' || !c.n_search)
		return ask_name(t, &c, &name, out);
	first_bare = dname_labels(&name) > c.ndots;
	for (i = 0; i < c.n_search + 1; i++) {
		/* Candidate i: the bare name stands first or last. */
		bool bare = first_bare ? i == 0 : i == c.n_search;

		if (bare)
			full = name;
		else if (!dname_rebase(&full, &name, &(struct dname){.len = 1},
				       &c.search[first_bare ? i - 1 : i]))
			continue;
		last = ask_name(t, &c, &full, out);
		if (!last)
			return 0;
		if (last == STUB_AGAIN)
			err = last;
		out->expires_ns = 0; /* what the list says together is not one name's TTL */
	}
	return err;
}

static bool in_hosts_file(struct task *t, const char *host, struct stub_answer *out)
{
	struct strbuf sb;

	sb_init(&sb);
	proc_slurp(t, "/etc/hosts", &sb);
	memset(out, 0, sizeof(*out));
	if (sb.len)
		out->n = stub_hosts_find(sb_str(&sb), host, out->addr, STUB_MAX_ADDRS, out->canon);
	sb_free(&sb);
	out->source = STUB_HOSTS;
	out->expires_ns = TIME_NEVER;
	TRACE(&t->net->probe, TR_APP, 0, "hosts file %s name=%s", out->n ? "hit" : "miss", host);
	return out->n != 0;
}

/* "hosts:" of nsswitch.conf as a word list; default "files dns". */
static void switch_order(struct task *t, char order[128])
{
	struct strbuf sb;
	const char *s;

	memcpy(order, "files dns", 10);
	sb_init(&sb);
	proc_slurp(t, "/etc/nsswitch.conf", &sb);
	s = sb.len ? sb_str(&sb) : NULL;
	while (s && *s) {
		s += strspn(s, " \t\n");
		if (!strncmp(s, "hosts:", 6)) {
			const char *from = s + 6;
			size_t n = 0;

			for (; n < 127 && from[n] && from[n] != '#' && from[n] != '\n'; n++)
				order[n] = from[n];
			order[n] = 0;
		}
		s = strchr(s, '\n');
	}
	sb_free(&sb);
}

static bool cached(struct task *t, const char *host, struct stub_answer *out)
{
	bool hit = oscache_get(t, host, out);

	TRACE(&t->net->probe, TR_APP, 0, "os cache %s name=%s%s", hit ? "hit" : "miss", host,
	      hit && !out->n ? " (does not exist)" : "");
	return hit;
}

static int ask_and_keep(struct task *t, const char *host, struct stub_answer *out)
{
	int err = ask_dns(t, host, out);

	if (!err || err == STUB_NONAME)
		oscache_put(t, host, out);
	return err;
}

static int lookup(struct task *t, const char *host, struct stub_answer *out)
{
	char order[128], *save = NULL, *w;
	int err = STUB_NONAME;

	if (cached(t, host, out))
		return out->n ? 0 : STUB_NONAME;
	switch_order(t, order);
	for (w = strtok_r(order, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		if (!strcmp(w, "files") && in_hosts_file(t, host, out))
			return 0;
		if (!strcmp(w, "dns")) {
			err = ask_and_keep(t, host, out);
			if (err != STUB_NONAME)
				return err;
		}
	}
	return err;
}

int stub_lookup(struct task *t, const char *host, struct stub_answer *out)
{
	size_t n = strlen(host);

	memset(out, 0, sizeof(*out));
	if (!ip4_parse(host, &out->addr[0])) {
		out->source = STUB_LITERAL;
		out->n = 1;
		out->expires_ns = TIME_NEVER;
		memcpy(out->canon, host, n + 1);
		return 0;
	}
	if (!n || n > 254)
		return STUB_NONAME;
	return lookup(t, host, out);
}

int stub_lookup4(struct task *t, const char *host, uint32_t *addr)
{
	struct stub_answer a;
	int err = stub_lookup(t, host, &a);

	if (!err)
		*addr = a.addr[0];
	return err;
}

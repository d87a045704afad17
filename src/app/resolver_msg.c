/* Reading a server's answer: what of it may be believed, and what it means for the job.
 *
 *     rcode and TC  ->  answer / alias / negative / referral / lame
 *
 * Decides by bailiwick (only names at or below the zone that was asked, RFC 5452 6, DR-03), by
 * place (only the section where a record belongs, DR-04) and by AA. Nothing else of the message is
 * kept: neither the authority section's NS set of an answer nor additional records that no referral
 * names. Called by resolver_job.c with messages that passed dns_msg_check. RFC 1034 5.3.3,
 * 2181 5.4, 2308. Tests: tests/unit/app/test_resolver.c. */
#include <string.h>

#include "app/resolver_int.h"

static bool is_private(uint32_t a)
{
	return a >> 24 == 10 || a >> 24 == 127 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 ||
	       a >> 16 == 0xa9fe || a >> 24 == 0;
}

/* The set (owner, type) of a section, RDATA expanded. NULL: none. */
static struct rrset *take_set(struct resolver *r, const struct dns_msg *m, enum dns_section s,
			      const struct dname *owner, uint16_t type)
{
	struct rrset *set = NULL;
	struct dns_walk w;
	struct dns_rr rr;

	dns_walk_init(&w, m);
	while (dns_walk_next(&w, &rr)) {
		int n;

		if (rr.section != s || rr.type != type || rr.cls != DNS_IN ||
		    !dname_eq(&rr.owner, owner))
			continue;
		n = dns_rdata_expand(m, &rr, r->scratch, DNS_RDATA_MAX);
		if (n < 0)
			continue;
		if (s == DNS_AN && type == DNS_A && r->p.filter_private &&
		    is_private(get_be32(r->scratch)))
			continue;
		if (!set)
			set = rrset_new(type, rr.ttl);
		if (rrset_add(set, r->scratch, (uint16_t)n, rr.ttl))
			break;
	}
	return set;
}

static uint64_t end_of(const struct resolver *r, uint32_t ttl, uint32_t cap)
{
	return r->now_ns + min_u32(ttl, cap) * NSEC_PER_SEC;
}

static void keep_answer(struct rjob *j, const struct dname *owner, struct rrset *s)
{
	struct resolver *r = j->r;

	rcache_put(r->cache, owner, s->type, RC_DATA, RANK_AUTH_ANSWER, s, NULL, s->ttl, r->now_ns);
	ranswer_add(&j->ans, DNS_AN, owner, s, end_of(r, s->ttl, RCACHE_MAX_TTL));
}

/* ---- negative answers ---- */

/* The SOA of the authority section if it may speak for cur: owned by an ancestor inside the zone
 * asked. */
static struct rrset *take_soa(struct rjob *j, const struct dns_msg *m, struct dname *owner)
{
	struct dns_walk w;
	struct dns_rr rr;

	dns_walk_init(&w, m);
	while (dns_walk_next(&w, &rr)) {
		if (rr.section == DNS_AUTH && rr.type == DNS_SOA &&
		    dname_under(&j->cur, &rr.owner) && dname_under(&rr.owner, &j->d.zone)) {
			*owner = rr.owner;
			return take_set(j->r, m, DNS_AUTH, owner, DNS_SOA);
		}
	}
	return NULL;
}

static void accept_negative(struct rjob *j, struct rrset *soa, const struct dname *owner,
			    bool nxdomain)
{
	struct resolver *r = j->r;

	if (soa) {
		struct rdata rd;
		uint32_t pos = 0, ttl = 0;

		if (rrset_next(soa, &pos, &rd))
			ttl = min_u32(soa->ttl, get_be32(rd.p + rd.len - 4)); /* RFC 2308 5 */
		rcache_put(r->cache, &j->cur, j->type, nxdomain ? RC_NXDOMAIN : RC_NODATA,
			   RANK_AUTH_ANSWER, soa, owner, ttl, r->now_ns);
		ranswer_add(&j->ans, DNS_AUTH, owner, soa, end_of(r, ttl, RCACHE_MAX_NEGATIVE));
	}
	rjob_finish(j, nxdomain ? DNS_NXDOMAIN : DNS_NOERROR);
}

/* ---- referrals ---- */

/* The NS set that leads down: strictly below the zone asked, at or above the name wanted. */
static struct rrset *take_referral(struct rjob *j, const struct dns_msg *m, struct dname *zone)
{
	struct dns_walk w;
	struct dns_rr rr;

	dns_walk_init(&w, m);
	while (dns_walk_next(&w, &rr)) {
		if (rr.section == DNS_AUTH && rr.type == DNS_NS && rr.cls == DNS_IN &&
		    rr.owner.len > j->d.zone.len && dname_under(&rr.owner, &j->d.zone) &&
		    dname_under(&j->cur, &rr.owner)) {
			*zone = rr.owner;
			return take_set(j->r, m, DNS_AUTH, zone, DNS_NS);
		}
	}
	return NULL;
}

static void follow_referral(struct rjob *j, const struct dns_msg *m, const struct dname *zone,
			    struct rrset *ns)
{
	struct resolver *r = j->r;
	struct rdeleg *d = &j->d;
	struct dname parent = d->zone;
	struct rdata rd;
	uint32_t pos = 0;
	char t[DNAME_TEXT_MAX];

	rsay(r, "referral %s ns=%u", dname_text(t, zone), ns->n);
	rcache_put(r->cache, zone, DNS_NS, RC_DATA, RANK_REFERRAL, ns, NULL, ns->ttl, r->now_ns);
	memset(d, 0, sizeof(*d));
	d->known = true;
	d->zone = *zone;
	while (rrset_next(ns, &pos, &rd) && d->n_ns < RES_MAX_NS) {
		struct dname *host = &d->ns[d->n_ns].name;
		struct rrset *glue = NULL, *known;

		if (!dns_rdata_name(DNS_NS, rd.p, rd.len, host))
			continue;
		if (dname_under(host, &parent)) /* glue only from who may know it */
			glue = take_set(r, m, DNS_AR, host, DNS_A);
		if (glue) {
			rcache_put(r->cache, host, DNS_A, RC_DATA, RANK_ADDITIONAL, glue, NULL,
				   glue->ttl, r->now_ns);
			rdeleg_add_addrs(d, glue);
		} else if ((known = rchain_addrs(r, host))) {
			rdeleg_add_addrs(d, known);
		}
		d->ns[d->n_ns++].resolved = glue || rchain_addrs(r, host);
		rrset_put(glue);
	}
	rjob_run(j);
}

/* ---- the answer section ---- */

enum chain { CHAIN_DONE, CHAIN_LEFT, CHAIN_NONE, CHAIN_BROKEN };

/* Follow cur through the answer section as far as this zone may speak. */
static enum chain walk_chain(struct rjob *j, const struct dns_msg *m)
{
	enum chain got = CHAIN_NONE;

	while (dname_under(&j->cur, &j->d.zone)) {
		struct rrset *s = take_set(j->r, m, DNS_AN, &j->cur, j->type);
		struct rrset *c =
		    j->type != DNS_CNAME ? take_set(j->r, m, DNS_AN, &j->cur, DNS_CNAME) : NULL;
		struct dname owner = j->cur;
		enum chain now = CHAIN_NONE;

		if (s && c) {
			now = CHAIN_BROKEN; /* RFC 1034 3.6.2 */
		} else if (s) {
			keep_answer(j, &owner, s);
			now = CHAIN_DONE;
		} else if (c &&
			   (c->n != 1 || !rset_cname(c, &j->cur) || ++j->links > RES_MAX_LINKS)) {
			now = CHAIN_BROKEN;
		} else if (c) {
			keep_answer(j, &owner, c);
			got = CHAIN_LEFT;
		}
		rrset_put(s);
		rrset_put(c);
		if (now != CHAIN_NONE)
			return now;
		if (!c)
			break;
	}
	return got;
}

static void no_answer_for_cur(struct rjob *j, const struct dns_msg *m, bool aliased, uint32_t addr)
{
	bool nx = dns_rcode(m) == DNS_NXDOMAIN, aa = (m->flags & DNS_AA) != 0;
	struct dname owner;
	struct rrset *soa = aa ? take_soa(j, m, &owner) : NULL, *ns;

	if (soa || (aa && nx && dname_under(&j->cur, &j->d.zone))) {
		accept_negative(j, soa, &owner, nx);
	} else if (aliased) {
		j->d.known = false; /* the target is another zone's matter, or nobody's here */
		rjob_run(j);
	} else if (!nx && (ns = take_referral(j, m, &owner))) {
		follow_referral(j, m, &owner, ns);
		rrset_put(ns);
	} else if (aa && !nx && (!m->count[DNS_AN] || j->r->p.filter_private)) {
		accept_negative(j, NULL, &owner, false);
	} else {
		j->r->stats.lame++;
		rjob_server_useless(j, addr);
	}
	rrset_put(soa);
}

static void accept_data(struct rjob *j, const struct dns_msg *m, uint32_t addr)
{
	bool aa = (m->flags & DNS_AA) != 0;
	enum chain c = aa ? walk_chain(j, m) : CHAIN_NONE;

	switch (c) {
	case CHAIN_DONE:
		rjob_finish(j, DNS_NOERROR);
		break;
	case CHAIN_BROKEN:
		rjob_finish(j, DNS_SERVFAIL);
		break;
	default:
		no_answer_for_cur(j, m, c == CHAIN_LEFT, addr);
	}
}

void rmsg_accept(struct rjob *j, const struct dns_msg *m, uint32_t addr, bool tcp, bool edns)
{
	unsigned rcode = dns_rcode(m);

	if (m->flags & DNS_TC) {
		if (tcp) /* truncated without a limit: of no use (DR-15) */
			rjob_server_useless(j, addr);
		else
			rjob_resend(j, addr, true, edns);
		return;
	}
	if (edns && (rcode == DNS_FORMERR || rcode == DNS_NOTIMP || rcode == DNS_BADVERS)) {
		rinfra_get(&j->r->infra, addr)->no_edns = true;
		rjob_resend(j, addr, tcp, false);
		return;
	}
	if (rcode == DNS_NOERROR || rcode == DNS_NXDOMAIN) {
		accept_data(j, m, addr);
		return;
	}
	j->r->stats.lame++;
	rjob_server_useless(j, addr);
}

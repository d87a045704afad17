/* The authoritative algorithm (RFC 1034 4.3.2) and the policy around it.
 *
 *     check (dns_msg) -> may it be answered -> opcode, class, type -> zone -> walk -> octets
 *
 * Decides answer, referral with glue, alias chain, negative answer with SOA (RFC 2308), REFUSED
 * outside its zones, NOTIMP for other opcodes, BADVERS (RFC 6891), minimal ANY (RFC 8482); never
 * answers answers (DS-01). Called by dns_server.c. Tests: tests/unit/app/test_dns_reply.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/dns_reply.h"

int dns_authority_add(struct dns_authority *a, struct zone *z)
{
	struct zone *o;

	for (o = a->zones; o; o = o->next)
		if (dname_eq(&o->apex, &z->apex))
			return -EEXIST;
	if (a->n_zones >= DNS_ZONES_MAX)
		return -ENOSPC;
	z->next = a->zones;
	a->zones = z;
	a->n_zones++;
	return 0;
}

void dns_authority_free(struct dns_authority *a)
{
	while (a->zones) {
		struct zone *z = a->zones;

		a->zones = z->next;
		zone_free(z);
	}
	a->n_zones = 0;
}

struct zone *dns_authority_zone(const struct dns_authority *a, const struct dname *name)
{
	struct zone *z, *best = NULL;

	for (z = a->zones; z; z = z->next)
		if ((!best || z->apex.len > best->apex.len) && dname_under(name, &z->apex))
			best = z;
	return best;
}

/* ---- sections ---- */

struct work {
	const struct dns_authority *a;
	struct dns_out *o;
	struct dns_done *done;
};

static void say(struct work *w, const char *what, const struct dname *n)
{
	char t[DNAME_TEXT_MAX];

	snprintf(w->done->text, sizeof(w->done->text), "%s %s", what, dname_text(t, n));
}

/* Addresses of the hosts that a set names. must: in-zone glue that the asker cannot do without. */
static void add_addresses(struct work *w, const struct zone *z, const struct rrset *s,
			  const struct dname *cut)
{
	struct rdata rd;
	uint32_t pos = 0;

	while (rrset_next(s, &pos, &rd)) {
		struct rrset *a, *aaaa;
		struct dname host;

		if (!dns_rdata_name(s->type, rd.p, rd.len, &host) || !dname_under(&host, &z->apex))
			continue;
		a = zone_get(z, &host, DNS_A);
		aaaa = zone_get(z, &host, DNS_AAAA);
		if (a && cut && dname_under(&host, cut))
			dns_out_add_must(w->o, &host, a);
		else if (a)
			dns_out_add(w->o, DNS_AR, &host, a, a->ttl);
		if (aaaa)
			dns_out_add(w->o, DNS_AR, &host, aaaa, aaaa->ttl);
	}
}

static void add_answer(struct work *w, const struct zone *z, const struct dname *owner,
		       struct rrset *s)
{
	dns_out_add(w->o, DNS_AN, owner, s, s->ttl);
	if (s->type == DNS_NS || s->type == DNS_MX || s->type == DNS_SRV)
		add_addresses(w, z, s, NULL);
}

static void negative(struct work *w, const struct zone *z, const struct dname *name,
		     enum zone_result r)
{
	dns_out_add(w->o, DNS_AUTH, &z->apex, z->soa, z->negative_ttl);
	if (r == ZONE_NXDOMAIN)
		w->o->rcode = DNS_NXDOMAIN;
	say(w, r == ZONE_NXDOMAIN ? "nxdomain" : "nodata", name);
}

static void referral(struct work *w, const struct zone *z, const struct zone_hit *hit)
{
	dns_out_add(w->o, DNS_AUTH, &hit->owner, hit->set, hit->set->ttl);
	add_addresses(w, z, hit->set, &hit->owner);
	say(w, "referral", &hit->owner);
}

/* RFC 6672 3.1: the DNAME and a CNAME made from it. False: the new name would be too long
 * (YXDOMAIN). */
static bool follow_dname(struct work *w, const struct zone_hit *hit, struct dname *name)
{
	struct rrset *c = rrset_new(DNS_CNAME, hit->set->ttl);
	struct dname target, to;
	struct rdata rd;
	uint32_t pos = 0;
	bool ok;

	dns_out_add(w->o, DNS_AN, &hit->owner, hit->set, hit->set->ttl);
	ok = rrset_next(hit->set, &pos, &rd) && dns_rdata_name(DNS_DNAME, rd.p, rd.len, &to) &&
	     dname_rebase(&target, name, &hit->owner, &to);
	if (ok) {
		rrset_add(c, target.w, target.len, hit->set->ttl);
		dns_out_add(w->o, DNS_AN, name, c, c->ttl);
		*name = target;
	} else {
		w->o->rcode = DNS_YXDOMAIN;
		say(w, "dname too long", name);
	}
	rrset_put(c);
	return ok;
}

static bool cname_target(const struct rrset *s, struct dname *to)
{
	struct rdata rd;
	uint32_t pos = 0;

	return rrset_next(s, &pos, &rd) && dns_rdata_name(DNS_CNAME, rd.p, rd.len, to);
}

static void answer_any(struct work *w, const struct dname *name)
{
	struct rrset *h = dns_any_hinfo();

	dns_out_add(w->o, DNS_AN, name, h, h->ttl);
	rrset_put(h);
	say(w, "minimal any", name);
}

/* One zone's word on *name. True: *name is now an alias' target, go back to step 2. */
static bool one_step(struct work *w, const struct zone *z, struct dname *name, uint16_t type)
{
	struct zone_hit hit;

	zone_find(z, name, type, &hit);
	switch (hit.result) {
	case ZONE_ANSWER:
		add_answer(w, z, name, hit.set);
		say(w, "answer", name);
		return false;
	case ZONE_ANY:
		answer_any(w, name);
		return false;
	case ZONE_CNAME:
		dns_out_add(w->o, DNS_AN, name, hit.set, hit.set->ttl);
		say(w, "alias", name);
		return cname_target(hit.set, name);
	case ZONE_DNAME:
		say(w, "alias", name);
		return follow_dname(w, &hit, name);
	case ZONE_REFERRAL:
		referral(w, z, &hit);
		return false;
	default:
		negative(w, z, name, hit.result);
		return false;
	}
}

static void authoritative(struct work *w, struct dname name, uint16_t type)
{
	const struct zone *z = dns_authority_zone(w->a, &name);
	unsigned links;

	/* DS is the parent's business: at a zone's own apex look in the zone above, if we have it.
	 */
	if (z && type == DNS_DS && dname_eq(&name, &z->apex)) {
		struct dname up;

		if (dname_parent(&up, &name) && dns_authority_zone(w->a, &up))
			z = dns_authority_zone(w->a, &up);
	}
	if (!z) {
		w->o->rcode = DNS_REFUSED;
		say(w, "refused", &name);
		return;
	}
	for (links = 0; z && links <= DNS_CHAIN_MAX; links++) {
		bool again = one_step(w, z, &name, type);

		/* AA belongs to the owner of the first answer (RFC 1035 4.1.1); a referral at once
		 * has none. */
		if (links == 0 && !(w->o->n && w->o->set[0].section == DNS_AUTH &&
				    w->o->set[0].set->type == DNS_NS))
			w->o->flags |= DNS_AA;
		if (!again)
			break;
		z = dns_authority_zone(w->a, &name);
	}
}

/* ---- policy ---- */

bool dns_may_answer(const uint8_t *q, size_t len, const struct dns_from *from)
{
	static const uint16_t reflectors[] = { 0, 7, 9, 13, 17, 19, 37, 53, 69, 123, 161, 1900 };
	size_t i;

	if (len < DNS_HDR_LEN || (q[2] & 0x80))
		return false;
	for (i = 0; !from->tcp && i < ARRAY_SIZE(reflectors); i++)
		if (from->port == reflectors[i])
			return false;
	return true;
}

struct rrset *dns_any_hinfo(void)
{
	static const uint8_t rd[] = { 7, 'R', 'F', 'C', '8', '4', '8', '2', 0 };
	struct rrset *s = rrset_new(DNS_HINFO, 3600);

	rrset_add(s, rd, sizeof(rd), 3600);
	return s;
}

size_t dns_answer_limit(const struct dns_msg *q, bool tcp)
{
	if (tcp)
		return DNS_MSG_MAX;
	return q->edns.present ? min_sz(q->edns.udp_size, DNS_EDNS_SIZE) : DNS_UDP_MIN;
}

int dns_query_rcode(const struct dns_msg *q, enum dns_fault f)
{
	if (dns_opcode(q) != DNS_OP_QUERY)
		return DNS_NOTIMP; /* NOTIFY and UPDATE too (DS-04) */
	if (f || !q->has_question)
		return DNS_FORMERR;
	if (q->edns.version > 0)
		return DNS_BADVERS;
	if (q->qclass != DNS_IN)
		return DNS_REFUSED;
	if (q->qtype == DNS_AXFR || q->qtype == DNS_IXFR || q->qtype == DNS_MAILA ||
	    q->qtype == DNS_MAILB)
		return DNS_REFUSED;
	if (q->qtype == DNS_OPT || q->qtype == DNS_TSIG || q->qtype == 0 || q->qtype == 249)
		return DNS_FORMERR;
	return -1;
}

uint8_t *dns_short_error(const struct dns_msg *q, unsigned rcode, size_t *len)
{
	uint8_t *w = malloc(DNS_HDR_LEN);

	if (w)
		dns_build_error(w, q, rcode);
	*len = DNS_HDR_LEN;
	return w;
}

uint8_t *dns_authority_reply(const struct dns_authority *a, const uint8_t *q, size_t len,
			     const struct dns_from *from, struct dns_out *o, size_t *out_len,
			     struct dns_done *done)
{
	struct work w = { a, o, done };
	struct dns_msg m;
	enum dns_fault f;
	uint8_t *wire;
	int rcode;

	memset(done, 0, sizeof(*done));
	if (!dns_may_answer(q, len, from))
		return NULL;
	f = dns_msg_check(&m, q, len);
	if (f == DNS_BAD_HEADER)
		return NULL;
	rcode = dns_query_rcode(&m, f);
	if (f || (rcode >= 0 && !m.has_question)) {
		done->rcode = (unsigned)rcode;
		snprintf(done->text, sizeof(done->text), "%s %s",
			 f ? dns_fault_text(f) : "no question", dns_rcode_text((unsigned)rcode));
		return dns_short_error(&m, (unsigned)rcode, out_len);
	}
	dns_out_reply_to(o, &m);
	if (rcode >= 0) {
		o->rcode = (unsigned)rcode;
		say(&w, dns_rcode_text((unsigned)rcode), &m.qname);
	} else {
		authoritative(&w, m.qname, m.qtype);
	}
	done->rcode = o->rcode;
	wire = dns_out_wire(o, dns_answer_limit(&m, from->tcp), out_len);
	if (!wire)
		return dns_short_error(&m, DNS_SERVFAIL, out_len);
	done->truncated = (wire[2] & (DNS_TC >> 8)) != 0;
	return wire;
}

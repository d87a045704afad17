/* Messages out: an answer is a list of RRsets; ldns makes octets of it, with compression.
 *
 * Decides what is left out when an answer does not fit (RFC 2181 9, RFC 9471): first additional
 * records that nobody must have, then everything but the question, with TC set. Called by
 * dns_reply.c, resolver, stub and dig. RFC 1035 4, 6891 6. Tests: tests/unit/app/test_dns_reply.c.
 */
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "app/dns_build.h"
#include "base/pool.h"

static ldns_rdf *name_rdf(const struct dname *n)
{
	return ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, n->len, n->w);
}

static void push_question(ldns_pkt *pkt, const struct dname *name, uint16_t type, uint16_t cls)
{
	ldns_rr *q = ldns_rr_new();

	ldns_rr_set_question(q, true);
	ldns_rr_set_owner(q, name_rdf(name));
	ldns_rr_set_type(q, (ldns_rr_type)type);
	ldns_rr_set_class(q, (ldns_rr_class)cls);
	ldns_pkt_push_rr(pkt, LDNS_SECTION_QUESTION, q);
}

int dns_build_query(uint8_t *out, size_t room, uint16_t id, bool rd, const struct dname *name,
		    uint16_t type, uint16_t edns_size)
{
	ldns_pkt *pkt = ldns_pkt_new();
	uint8_t *wire = NULL;
	size_t len = 0;
	int rc = -1;

	ldns_pkt_set_id(pkt, id);
	ldns_pkt_set_rd(pkt, rd);
	push_question(pkt, name, type, DNS_IN);
	if (edns_size)
		ldns_pkt_set_edns_udp_size(pkt, edns_size);
	if (ldns_pkt2wire(&wire, pkt, &len) == LDNS_STATUS_OK && len <= room) {
		memcpy(out, wire, len);
		rc = (int)len;
	}
	free(wire);
	ldns_pkt_free(pkt);
	return rc;
}

struct dns_out *dns_out_new(void)
{
	return xcalloc(1, sizeof(struct dns_out));
}

void dns_out_reset(struct dns_out *o)
{
	unsigned i;

	for (i = 0; i < o->n; i++)
		rrset_put(o->set[i].set);
	o->n = 0;
	o->overflow = o->edns = o->question = false;
	o->rcode = 0;
	o->flags = 0;
}

void dns_out_free(struct dns_out *o)
{
	if (!o)
		return;
	dns_out_reset(o);
	free(o);
}

void dns_out_reply_to(struct dns_out *o, const struct dns_msg *q)
{
	dns_out_reset(o);
	o->id = q->id;
	o->flags = (uint16_t)(DNS_QR | (q->flags & (0x7800 | DNS_RD)));
	o->question = q->has_question;
	o->qname = q->qname;
	o->qtype = q->qtype;
	o->qclass = q->qclass;
	o->edns = q->edns.present;
}

bool dns_out_has(const struct dns_out *o, enum dns_section s, const struct dname *owner,
		 uint16_t type)
{
	unsigned i;

	for (i = 0; i < o->n; i++)
		if (o->set[i].section <= s && o->set[i].set->type == type &&
		    dname_eq(&o->set[i].owner, owner))
			return true;
	return false;
}

static void out_put(struct dns_out *o, enum dns_section s, const struct dname *owner,
		    struct rrset *set, uint32_t ttl, bool must)
{
	struct dns_out_set *e;

	if (dns_out_has(o, s, owner, set->type))
		return;
	if (o->n == DNS_OUT_MAX_SETS) {
		if (s != DNS_AR || must)
			o->overflow = true;
		return;
	}
	e = &o->set[o->n++];
	e->owner = *owner;
	e->set = rrset_hold(set);
	e->ttl = ttl;
	e->section = (uint8_t)s;
	e->must = must;
}

void dns_out_add(struct dns_out *o, enum dns_section s, const struct dname *owner,
		 struct rrset *set, uint32_t ttl)
{
	out_put(o, s, owner, set, ttl, false);
}

void dns_out_add_must(struct dns_out *o, const struct dname *owner, struct rrset *set)
{
	out_put(o, DNS_AR, owner, set, set->ttl, true);
}

static bool push_set(ldns_pkt *pkt, const struct dns_out_set *e)
{
	static const ldns_pkt_section where[] = {
	    LDNS_SECTION_QUESTION,
	    LDNS_SECTION_ANSWER,
	    LDNS_SECTION_AUTHORITY,
	    LDNS_SECTION_ADDITIONAL,
	};
	struct rdata rd;
	uint32_t at = 0;

	while (rrset_next(e->set, &at, &rd)) {
		ldns_rr *rr = ldns_rr_new();
		size_t pos = 0;

		ldns_rr_set_owner(rr, name_rdf(&e->owner));
		ldns_rr_set_type(rr, (ldns_rr_type)e->set->type);
		ldns_rr_set_class(rr, LDNS_RR_CLASS_IN);
		ldns_rr_set_ttl(rr, e->ttl);
		if (ldns_wire2rdf(rr, rd.p - 2, rd.len + 2u, &pos) !=
		    LDNS_STATUS_OK) { /* be16 length is stored before */
			ldns_rr_free(rr);
			return false;
		}
		ldns_pkt_push_rr(pkt, where[e->section], rr);
	}
	return true;
}

enum fill { FILL_ALL, FILL_NO_OPTIONAL, FILL_NOTHING };

static uint8_t *render(const struct dns_out *o, enum fill fill, size_t *len)
{
	ldns_pkt *pkt = ldns_pkt_new();
	uint8_t *wire = NULL;
	bool ok = true;
	unsigned i;

	if (o->question)
		push_question(pkt, &o->qname, o->qtype, o->qclass);
	if (o->edns) {
		ldns_pkt_set_edns_udp_size(pkt, DNS_EDNS_SIZE);
		ldns_pkt_set_edns_extended_rcode(pkt, (uint8_t)(o->rcode >> 4));
	}
	for (i = 0; i < o->n && ok && fill != FILL_NOTHING; i++)
		if (fill == FILL_ALL || o->set[i].section != DNS_AR || o->set[i].must)
			ok = push_set(pkt, &o->set[i]);
	if (!ok || ldns_pkt2wire(&wire, pkt, len) != LDNS_STATUS_OK) {
		free(wire);
		wire = NULL;
	}
	ldns_pkt_free(pkt);
	if (wire) {
		put_be16(wire, o->id);
		put_be16(wire + 2, (uint16_t)(o->flags | DNS_QR | (o->rcode & 15) |
					      (fill == FILL_NOTHING ? DNS_TC : 0)));
	}
	return wire;
}

uint8_t *dns_out_wire(const struct dns_out *o, size_t limit, size_t *len)
{
	uint8_t *w = o->overflow ? NULL : render(o, FILL_ALL, len);

	if (w && *len <= limit)
		return w;
	free(w);
	w = o->overflow ? NULL : render(o, FILL_NO_OPTIONAL, len);
	if (w && *len <= limit)
		return w;
	free(w);
	return render(o, FILL_NOTHING, len);
}

void dns_build_error(uint8_t out[DNS_HDR_LEN], const struct dns_msg *q, unsigned rcode)
{
	memset(out, 0, DNS_HDR_LEN);
	put_be16(out, q->id);
	put_be16(out + 2, (uint16_t)(DNS_QR | (q->flags & (0x7800 | DNS_RD)) | (rcode & 15)));
}

/* The checker of DNS messages: no octet of a message reaches a reader (or ldns) before this walk.
 *
 *     +----------------+ 0
 *     | header 12      |  counts are promises, not lengths
 *     | QD: name t c   |  at most one
 *     | AN, NS, AR:    |  name type class ttl rdlength rdata
 *     +----------------+ len: nothing may follow
 *
 * Names: labels of 1..63, 255 octets expanded, a pointer only to an octet strictly before the start
 * of the part it ends and never into the header (RFC 9267): the walk goes down, so it ends. Each
 * label and pointer followed costs one unit; a message may cost 4 * len + 1024, so that work is
 * linear in what the sender paid (DP-11). RDATA is walked by a pattern per type and must end
 * exactly at RDLENGTH. Lengths are added in size_t (DP-14). Called by dns servers, resolver, stub,
 * dig. RFC 1035 4.1, 6891 6.1, 9267. Tests: tests/unit/app/test_dns_msg.c (DP-01..DP-15). */
#include <string.h>

#include "app/dns_msg.h"

/* Shapes of RDATA: b 1, h 2, w 4, q 16 octets; n a name; s a character-string; T one or more to the
 * end; r anything to the end. */
struct rdata_shape {
	uint16_t type;
	const char *shape;
};
static const struct rdata_shape shapes[] = {
    {1, "w"},	    {2, "n"},	       {3, "n"},     {4, "n"},	   {5, "n"},
    {6, "nnwwwww"}, {7, "n"},	       {8, "n"},     {9, "n"},	   {10, "r"},
    {11, "wbr"},    {12, "n"},	       {13, "ss"},   {14, "nn"},   {15, "hn"},
    {16, "T"},	    {17, "nn"},	       {18, "hn"},   {19, "s"},	   {20, "T"},
    {21, "hn"},	    {24, "hbbwwwhnr"}, {25, "hbbr"}, {26, "hnn"},  {28, "q"},
    {33, "hhhn"},   {35, "hhsssn"},    {36, "hn"},   {39, "n"},	   {43, "hbbr"},
    {44, "bbr"},    {46, "hbbwwwhnr"}, {47, "nr"},   {48, "hbbr"}, {52, "bbbr"},
    {99, "T"},	    {256, "hhr"},      {257, "bsr"},
};

const char *dns_fault_text(enum dns_fault f)
{
	static const char *const t[] = {
	    "fine",
	    "shorter than a header",
	    "bad name",
	    "counts do not match",
	    "bad RDATA",
	    "bad OPT record",
	    "octets after the last record",
	    "names too costly",
	};
	return t[f];
}

static const char *shape_of(uint16_t type)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shapes) && shapes[i].type <= type; i++)
		if (shapes[i].type == type)
			return shapes[i].shape;
	return NULL;
}

bool dns_type_known(uint16_t type)
{
	return shape_of(type) != NULL;
}

struct name_walk {
	const uint8_t *p;
	size_t limit;      /* the in-place part ends here at the latest */
	uint32_t *budget;
	bool flat; /* pointers are refused */
};

/* Expand the name at `at`. Returns the offset after its in-place part, 0 on a fault. out may be
 * NULL. */
static size_t name_at(const struct name_walk *w, size_t at, struct dname *out, enum dns_fault *f)
{
	size_t end = 0, i = at, part = at, n = 0, limit = w->limit;
	unsigned hops = 0;

	*f = DNS_BAD_NAME;
	for (;;) {
		uint8_t l;

		if (i >= limit)
			return 0;
		if (*w->budget == 0) {
			*f = DNS_BAD_BUDGET;
			return 0;
		}
		--*w->budget;
		l = w->p[i];
		if ((l & 0xc0) == 0xc0) {
			size_t to;

			if (w->flat || i + 1 >= limit || ++hops > DNS_PTR_HOPS_MAX)
				return 0;
			to = (size_t)(get_be16(w->p + i) & 0x3fff);
			if (to >= part || to < DNS_HDR_LEN)
				return 0;
			if (!end)
				end = i + 2;
			limit = part; /* all of it lies before where this part began */
			i = part = to;
			continue;
		}
		if (l > DNAME_LABEL_MAX) /* 01 and 10: no such label type any more (RFC 6891 5) */
			return 0;
		if (n + 1u + l > DNAME_MAX || i + 1 + l > limit)
			return 0;
		if (out)
			memcpy(out->w + n, w->p + i, 1u + l);
		n += 1u + l;
		i += 1u + l;
		if (!l)
			break;
	}
	if (out)
		out->len = (uint8_t)n;
	*f = DNS_FINE;
	return end ? end : i;
}

static bool fixed_width(char c, size_t *n)
{
	switch (c) {
	case 'b': *n = 1; return true;
	case 'h': *n = 2; return true;
	case 'w': *n = 4; return true;
	case 'q': *n = 16; return true;
	}
	return false;
}

/* Walk one RDATA by its shape; with out, write it there with names expanded. Returns its expanded
 * length or -1. */
static int rdata_walk(const struct name_walk *w, const char *shape, size_t at, size_t end,
		      uint8_t *out, size_t room, enum dns_fault *f)
{
	size_t o = 0, n;
	struct dname nm;

	*f = DNS_BAD_RDATA;
	for (; *shape; shape++) {
		const uint8_t *from = w->p + at;

		if (fixed_width(*shape, &n)) {
			;
		} else if (*shape == 's' || *shape == 'T') {
			if (at >= end)
				return -1;
			n = 1u + w->p[at];
		} else if (*shape == 'r') {
			n = end - at;
		} else {
			size_t next = name_at(w, at, &nm, f);

			if (!next)
				return -1;
			*f = DNS_BAD_RDATA;
			if (out && o + nm.len > room)
				return -1;
			if (out)
				memcpy(out + o, nm.w, nm.len);
			o += nm.len;
			at = next;
			continue;
		}
		if (n > end - at)
			return -1;
		if (out && o + n > room)
			return -1;
		if (out && n)
			memcpy(out + o, from, n);
		o += n;
		at += n;
		if (*shape == 'T' && at < end)
			shape--; /* once more */
	}
	if (at != end)
		return -1;
	*f = DNS_FINE;
	return (int)o;
}

static bool opt_options_ok(const uint8_t *p, size_t n)
{
	while (n) {
		if (n < 4 || n - 4 < get_be16(p + 2))
			return false;
		n -= 4u + get_be16(p + 2);
		p += 4u + get_be16(p + 2);
	}
	return true;
}

/* RFC 6891 6.1.1: one, in the additional section, owned by the root. */
static enum dns_fault take_opt(struct dns_msg *m, const struct dns_rr *rr)
{
	uint32_t ttl = get_be32(m->p + rr->rd - 6);

	if (m->edns.present || rr->section != DNS_AR || !dname_is_root(&rr->owner) ||
	    !opt_options_ok(m->p + rr->rd, rr->rdlen))
		return DNS_BAD_OPT;
	m->edns.present = true;
	m->edns.udp_size = rr->cls < DNS_UDP_MIN ? DNS_UDP_MIN : rr->cls;
	m->edns.ext_rcode = (uint8_t)(ttl >> 24);
	m->edns.version = (uint8_t)(ttl >> 16);
	m->edns.dnssec_ok = (ttl & 0x8000) != 0;
	return DNS_FINE;
}

/* The fixed part of the record at *at; its RDATA lies inside the message afterwards. */
static enum dns_fault rr_head(const struct name_walk *w, size_t len, size_t *at, struct dns_rr *rr)
{
	enum dns_fault f;
	size_t i = *at;

	if (i >= len)
		return DNS_BAD_COUNT;
	i = name_at(w, i, &rr->owner, &f);
	if (!i)
		return f;
	if (len - i < 10)
		return DNS_BAD_COUNT;
	rr->type = get_be16(w->p + i);
	rr->cls = get_be16(w->p + i + 2);
	rr->ttl = get_be32(w->p + i + 4);
	if (rr->ttl > INT32_MAX)
		rr->ttl = 0;
	rr->rdlen = get_be16(w->p + i + 8);
	rr->rd = (uint32_t)(i + 10);
	if (len - rr->rd < rr->rdlen)
		return DNS_BAD_RDATA;
	*at = (size_t)rr->rd + rr->rdlen;
	return DNS_FINE;
}

static enum dns_fault check_rr(struct dns_msg *m, struct name_walk *w, enum dns_section s,
			       size_t *at)
{
	struct dns_rr rr;
	const char *shape;
	enum dns_fault f;

	w->limit = m->len;
	f = rr_head(w, m->len, at, &rr);
	if (f)
		return f;
	rr.section = s;
	if (rr.type == DNS_OPT)
		return take_opt(m, &rr);
	shape = shape_of(rr.type);
	if (!shape)
		return DNS_FINE;
	w->limit = *at;
	rdata_walk(w, shape, rr.rd, *at, NULL, 0, &f);
	return f;
}

static enum dns_fault check_question(struct dns_msg *m, struct name_walk *w, size_t *at)
{
	enum dns_fault f;
	size_t i;

	if (m->count[DNS_QD] == 0)
		return DNS_FINE;
	if (m->count[DNS_QD] > 1)
		return DNS_BAD_COUNT;
	i = name_at(w, *at, &m->qname, &f);
	if (!i)
		return *at >= m->len ? DNS_BAD_COUNT : f;
	if (m->len - i < 4)
		return DNS_BAD_COUNT;
	m->qtype = get_be16(m->p + i);
	m->qclass = get_be16(m->p + i + 2);
	m->has_question = true;
	*at = i + 4;
	return DNS_FINE;
}

enum dns_fault dns_msg_check(struct dns_msg *m, const uint8_t *p, size_t len)
{
	uint32_t budget, i;
	struct name_walk w;
	enum dns_fault f;
	unsigned s;
	size_t at = DNS_HDR_LEN;

	memset(m, 0, sizeof(*m));
	if (len < DNS_HDR_LEN || len > DNS_MSG_MAX)
		return DNS_BAD_HEADER;
	m->p = p;
	m->len = len;
	m->id = get_be16(p);
	m->flags = get_be16(p + 2);
	for (s = 0; s < 4; s++)
		m->count[s] = get_be16(p + 4 + 2 * s);
	budget = (uint32_t)(4 * len + 1024);
	w = (struct name_walk){ p, len, &budget, false };
	f = check_question(m, &w, &at);
	m->body = at;
	for (s = DNS_AN; s <= DNS_AR && !f; s++)
		for (i = 0; i < m->count[s] && !f; i++)
			f = check_rr(m, &w, (enum dns_section)s, &at);
	if (!f && at != len)
		f = DNS_BAD_TRAILER;
	return f;
}

void dns_walk_init(struct dns_walk *w, const struct dns_msg *m)
{
	w->m = m;
	w->at = m->body;
	w->section = DNS_AN;
	w->left = m->count[DNS_AN];
}

bool dns_walk_next(struct dns_walk *w, struct dns_rr *rr)
{
	uint32_t budget = UINT32_MAX;
	struct name_walk nw = { w->m->p, w->m->len, &budget, false };

	while (!w->left) {
		if (w->section == DNS_AR)
			return false;
		w->left = w->m->count[++w->section];
	}
	w->left--;
	rr->section = (enum dns_section)w->section;
	return rr_head(&nw, w->m->len, &w->at, rr) == DNS_FINE;
}

int dns_rdata_expand(const struct dns_msg *m, const struct dns_rr *rr, uint8_t *out, size_t room)
{
	uint32_t budget = UINT32_MAX;
	size_t end = (size_t)rr->rd + rr->rdlen;
	struct name_walk w = { m->p, end, &budget, false };
	const char *shape = shape_of(rr->type);
	enum dns_fault f;

	return rdata_walk(&w, shape ? shape : "r", rr->rd, end, out, room, &f);
}

bool dns_rdata_valid(uint16_t type, const uint8_t *rd, size_t len)
{
	uint32_t budget = 4096;
	struct name_walk w = { rd, len, &budget, true };
	const char *shape = shape_of(type);
	enum dns_fault f;

	return len <= DNS_RDATA_MAX &&
	       rdata_walk(&w, shape ? shape : "r", 0, len, NULL, 0, &f) == (int)len;
}

bool dns_rdata_name(uint16_t type, const uint8_t *rd, size_t len, struct dname *out)
{
	const char *shape = shape_of(type);
	size_t at = 0, n;

	if (!shape || !strchr(shape, 'n'))
		return false;
	for (; *shape != 'n'; shape++) {
		if (!fixed_width(*shape, &n))
			return false;
		at += n;
	}
	return at < len && dname_from_wire(out, rd + at, len - at) != 0;
}

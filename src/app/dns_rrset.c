/* RRsets and the text of their records.
 *
 * Decides how records of one owner and type are kept together, and prints RDATA through ldns, which
 * sees only octets that passed dns_msg.c or came from its own master file parser.
 * Called by zones, resolver cache, dig. Tests: tests/unit/app/test_dns_reply.c, test_dig.c. */
#include <errno.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "app/dns_msg.h"
#include "app/dns_rrset.h"
#include "base/pool.h"

struct rrset *rrset_new(uint16_t type, uint32_t ttl)
{
	struct rrset *s = xcalloc(1, sizeof(*s));

	s->refs = 1;
	s->type = type;
	s->ttl = ttl;
	return s;
}

void rrset_put(struct rrset *s)
{
	if (!s || --s->refs)
		return;
	free(s->data);
	free(s);
}

bool rrset_next(const struct rrset *s, uint32_t *pos, struct rdata *rd)
{
	if (*pos >= s->bytes)
		return false;
	rd->len = get_be16(s->data + *pos);
	rd->p = s->data + *pos + 2;
	*pos += 2u + rd->len;
	return true;
}

static bool rrset_has(const struct rrset *s, const uint8_t *p, uint16_t len)
{
	struct rdata rd;
	uint32_t pos = 0;

	while (rrset_next(s, &pos, &rd))
		if (rd.len == len && !memcmp(rd.p, p, len))
			return true;
	return false;
}

int rrset_add(struct rrset *s, const uint8_t *p, uint16_t len, uint32_t ttl)
{
	if (s->n && ttl < s->ttl)
		s->ttl = ttl;
	if (!s->n)
		s->ttl = ttl;
	if (rrset_has(s, p, len))
		return 0;
	if (s->n >= RRSET_MAX_RECORDS || s->bytes + 2u + len > RRSET_MAX_BYTES)
		return -ENOSPC;
	if (s->bytes + 2u + len > s->room) {
		s->room = s->room ? s->room * 2 : 16;
		s->room = max_u32(s->room, s->bytes + 2u + len);
		s->data = xrealloc(s->data, s->room);
	}
	put_be16(s->data + s->bytes, len);
	if (len)
		memcpy(s->data + s->bytes + 2, p, len);
	s->bytes += 2u + len;
	s->n++;
	return 0;
}

static void unknown_text(struct strbuf *sb, const uint8_t *rd, size_t len)
{
	size_t i;

	sb_printf(sb, "\\# %zu", len);
	for (i = 0; i < len; i++)
		sb_printf(sb, "%s%02x", i ? "" : " ", rd[i]);
}

static bool ldns_text(struct strbuf *sb, uint16_t type, const uint8_t *rd, size_t len)
{
	ldns_rr *rr = ldns_rr_new();
	uint8_t *wire = xcalloc(1, len + 2);
	ldns_buffer *b = ldns_buffer_new(256);
	size_t pos = 0, i;
	bool ok = rr && b;

	put_be16(wire, (uint16_t)len);
	if (len)
		memcpy(wire + 2, rd, len);
	if (ok) {
		ldns_rr_set_type(rr, (ldns_rr_type)type);
		ok = ldns_wire2rdf(rr, wire, len + 2, &pos) == LDNS_STATUS_OK && pos == len + 2;
	}
	for (i = 0; ok && i < ldns_rr_rd_count(rr); i++) {
		if (i)
			ldns_buffer_printf(b, " ");
		ok = ldns_rdf2buffer_str(b, ldns_rr_rdf(rr, i)) == LDNS_STATUS_OK;
	}
	if (ok)
		sb_add(sb, ldns_buffer_begin(b), ldns_buffer_position(b));
	ldns_buffer_free(b);
	ldns_rr_free(rr);
	free(wire);
	return ok;
}

void dns_rdata_text(struct strbuf *sb, uint16_t type, const uint8_t *rd, size_t len)
{
	if (!dns_type_known(type) || !dns_rdata_valid(type, rd, len) ||
	    !ldns_text(sb, type, rd, len))
		unknown_text(sb, rd, len);
}

const char *dns_type_text(char buf[16], uint16_t type)
{
	const ldns_rr_descriptor *d = ldns_rr_descript(type);
	size_t n = d && d->_name ? strlen(d->_name) : 0;

	if (type == DNS_ANY || type == DNS_AXFR || type == DNS_IXFR) {
		const char *s = type == DNS_ANY ? "ANY" : type == DNS_AXFR ? "AXFR" : "IXFR";

		memcpy(buf, s, strlen(s) + 1);
	} else if (n && n < 16 && dns_type_known(type)) {
		memcpy(buf, d->_name, n + 1);
	} else {
		unsigned v = type, i = 4, div = 10000;

		memcpy(buf, "TYPE", 4);
		while (div > 1 && v / div == 0)
			div /= 10;
		for (; div; div /= 10)
			buf[i++] = (char)('0' + v / div % 10);
		buf[i] = 0;
	}
	return buf;
}

int dns_type_parse(const char *s, uint16_t *type)
{
	char up[16];
	size_t i;
	ldns_rr_type t;
	uint64_t v;

	for (i = 0; s[i] && i < sizeof(up) - 1; i++)
		up[i] = s[i] >= 'a' && s[i] <= 'z' ? (char)(s[i] - 32) : s[i];
	up[i] = 0;
	if (s[i] || !i)
		return -EINVAL;
	if (!strncmp(up, "TYPE", 4)) {
		if (u64_parse(up + 4, 0, 65535, &v))
			return -EINVAL;
		*type = (uint16_t)v;
		return 0;
	}
	if (!strcmp(up, "ANY")) {
		*type = DNS_ANY;
		return 0;
	}
	t = ldns_get_rr_type_by_name(up);
	if ((int)t <= 0)
		return -EINVAL;
	*type = (uint16_t)t;
	return 0;
}

const char *dns_rcode_text(unsigned rcode)
{
	static const char *const names[] = {
	    "NOERROR",	  "FORMERR",	"SERVFAIL",   "NXDOMAIN",   "NOTIMP",  "REFUSED",
	    "YXDOMAIN",	  "YXRRSET",	"NXRRSET",    "NOTAUTH",    "NOTZONE", "RESERVED11",
	    "RESERVED12", "RESERVED13", "RESERVED14", "RESERVED15", "BADVERS",
	};
	return rcode < ARRAY_SIZE(names) ? names[rcode] : "RESERVED";
}

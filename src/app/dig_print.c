/* dig's output: the header in words, sections in columns of tab stops.
 *
 * Decides nothing but form, which follows BIND's dig 9.18 line for line, so that what reads the one
 * reads the other. Called by dig.c. Tests: tests/unit/app/test_dig.c. */
#include <stdlib.h>
#include <string.h>

#include "app/dig.h"
#include "app/dns_rrset.h"
#include "app/web_date.h"
#include "base/pool.h"

#define TAB 8u
enum { COL_TTL = 24, COL_CLASS = 32, COL_TYPE = 40, COL_RDATA = 48 };

/* From column *col at least to `to`, at least one blank: tabs as far as they go, then spaces. */
static void indent(struct strbuf *sb, unsigned *col, unsigned to)
{
	unsigned tabs, i;

	to = max_u32(to, *col + 1);
	tabs = to / TAB - *col / TAB;
	for (i = 0; i < tabs; i++)
		sb_putc(sb, '\t');
	for (i = tabs ? to / TAB * TAB : *col; i < to; i++)
		sb_putc(sb, ' ');
	*col = to;
}

static void word(struct strbuf *sb, unsigned *col, const char *s)
{
	sb_puts(sb, s);
	*col += (unsigned)strlen(s);
}

static const char *class_text(char buf[16], uint16_t cls)
{
	struct strbuf sb;

	if (cls == DNS_IN)
		return "IN";
	if (cls == DNS_CLASS_ANY)
		return "ANY";
	sb_init(&sb);
	sb_printf(&sb, "CLASS%u", cls);
	memcpy(buf, sb_str(&sb), min_sz(sb.len + 1, 15));
	buf[15] = 0;
	sb_free(&sb);
	return buf;
}

void dig_record(struct strbuf *sb, const struct dns_msg *m, const struct dns_rr *rr)
{
	uint8_t *rd = xcalloc(1, DNS_RDATA_MAX);
	char name[DNAME_TEXT_MAX], type[16], cls[16];
	unsigned col = 0;
	size_t before;
	int n;

	word(sb, &col, dname_text(name, &rr->owner));
	indent(sb, &col, COL_TTL);
	before = sb->len;
	sb_printf(sb, "%u", rr->ttl);
	col += (unsigned)(sb->len - before);
	indent(sb, &col, COL_CLASS);
	word(sb, &col, class_text(cls, rr->cls));
	indent(sb, &col, COL_TYPE);
	word(sb, &col, dns_type_text(type, rr->type));
	indent(sb, &col, COL_RDATA);
	n = dns_rdata_expand(m, rr, rd, DNS_RDATA_MAX);
	dns_rdata_text(sb, rr->type, rd, n < 0 ? 0 : (size_t)n);
	sb_putc(sb, '\n');
	free(rd);
}

static void section(struct strbuf *sb, const struct dns_msg *m, enum dns_section s,
		    const char *title)
{
	struct dns_walk w;
	struct dns_rr rr;
	bool any = false;

	dns_walk_init(&w, m);
	while (dns_walk_next(&w, &rr)) {
		if (rr.section != s || rr.type == DNS_OPT)
			continue;
		if (!any && title)
			sb_printf(sb, ";; %s SECTION:\n", title);
		any = true;
		dig_record(sb, m, &rr);
	}
	if (any && title)
		sb_putc(sb, '\n');
}

static void question(struct strbuf *sb, const struct dns_msg *m, bool title)
{
	char name[DNAME_TEXT_MAX], type[16], cls[16];
	unsigned col = 0;

	if (!m->has_question)
		return;
	sb_puts(sb, title ? ";; QUESTION SECTION:\n;" : ";");
	word(sb, &col, dname_text(name, &m->qname));
	indent(sb, &col, COL_CLASS);
	word(sb, &col, class_text(cls, m->qclass));
	indent(sb, &col, COL_TYPE);
	sb_printf(sb, "%s\n%s", dns_type_text(type, m->qtype), title ? "\n" : "");
}

static void header(struct strbuf *sb, const struct dns_msg *m)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} bits[] = {{DNS_QR, "qr"}, {DNS_AA, "aa"}, {DNS_TC, "tc"}, {DNS_RD, "rd"},
		    {DNS_RA, "ra"}, {DNS_AD, "ad"}, {DNS_CD, "cd"}};
	static const char *const ops[] = {"QUERY",     "IQUERY", "STATUS",
					  "RESERVED3", "NOTIFY", "UPDATE"};
	unsigned op = dns_opcode(m);
	size_t i;

	sb_printf(sb, ";; ->>HEADER<<- opcode: %s, status: %s, id: %u\n;; flags:",
		  op < ARRAY_SIZE(ops) ? ops[op] : "RESERVED", dns_rcode_text(dns_rcode(m)), m->id);
	for (i = 0; i < ARRAY_SIZE(bits); i++)
		if (m->flags & bits[i].bit)
			sb_printf(sb, " %s", bits[i].name);
	sb_printf(sb, "; QUERY: %u, ANSWER: %u, AUTHORITY: %u, ADDITIONAL: %u\n", m->count[0],
		  m->count[1], m->count[2], m->count[3]);
	if ((m->flags & DNS_RD) && !(m->flags & DNS_RA))
		sb_puts(sb, ";; WARNING: recursion requested but not available\n");
	sb_putc(sb, '\n');
	if (m->edns.present)
		sb_printf(sb, ";; OPT PSEUDOSECTION:\n; EDNS: version: %u, flags:%s; udp: %u\n",
			  m->edns.version, m->edns.dnssec_ok ? " do" : "", m->edns.udp_size);
}

void dig_print(struct strbuf *sb, const struct dig_opts *o, const struct dns_msg *m)
{
	if (o->comments) {
		sb_puts(sb, ";; Got answer:\n");
		header(sb, m);
	}
	if (o->question)
		question(sb, m, o->comments);
	if (o->answer)
		section(sb, m, DNS_AN, o->comments ? "ANSWER" : NULL);
	if (o->authority)
		section(sb, m, DNS_AUTH, o->comments ? "AUTHORITY" : NULL);
	if (o->additional)
		section(sb, m, DNS_AR, o->comments ? "ADDITIONAL" : NULL);
}

void dig_print_short(struct strbuf *sb, const struct dns_msg *m)
{
	uint8_t *rd = xcalloc(1, DNS_RDATA_MAX);
	struct dns_walk w;
	struct dns_rr rr;

	dns_walk_init(&w, m);
	while (dns_walk_next(&w, &rr)) {
		int n;

		if (rr.section != DNS_AN)
			continue;
		n = dns_rdata_expand(m, &rr, rd, DNS_RDATA_MAX);
		dns_rdata_text(sb, rr.type, rd, n < 0 ? 0 : (size_t)n);
		sb_putc(sb, '\n');
	}
	free(rd);
}

void dig_date(struct strbuf *sb, uint64_t s)
{
	struct web_date d;

	web_date_of(s, &d);
	sb_printf(sb, "%s %s %02u %02u:%02u:%02u UTC %u", web_day_name(d.wday),
		  web_month_name(d.month), d.day, d.hour, d.min, d.sec, d.year);
}

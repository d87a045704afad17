/* Packets of a script: IP part, encapsulation, TCP with options, UDP, ICMP with what it quotes.
 *
 * Called by drill_parse.c; hands on nothing. What is IPv6, GRE or MPLS makes the script one that needs what is not
 * here. Tests: tests/unit/drill/test_drill_parse.c. */
#include <string.h>
#include "drill/drill_script.h"

/* ---- IP ---- */

static bool parse_ip_item(struct dparse *d, struct dpkt *k)
{
	int64_t v;

	if (dp_take_word(d, "noecn") || dp_take_word(d, "NOECN"))
		k->ecn = DECN_NONE;
	else if (dp_take_word(d, "ect0") || dp_take_word(d, "ECT0"))
		k->ecn = DECN_ECT0;
	else if (dp_take_word(d, "ect1") || dp_take_word(d, "ECT1"))
		k->ecn = DECN_ECT1;
	else if (dp_take_word(d, "ect01") || dp_take_word(d, "ECT01"))
		k->ecn = DECN_ECT01;
	else if (dp_take_word(d, "ce") || dp_take_word(d, "CE"))
		k->ecn = DECN_CE;
	else if (dp_take_word(d, "tos") || dp_take_word(d, "tclass")) {
		if (!dp_ranged(d, 0, 255, &v, "tos"))
			return false;
		k->has_tos = true;
		k->tos = (uint8_t)v;
	} else if (dp_take_word(d, "ttl") || dp_take_word(d, "hlim")) {
		if (!dp_ranged(d, 0, 255, &v, "ttl"))
			return false;
		k->has_ttl = true;
		k->ttl = (uint8_t)v;
	} else if (dp_take_word(d, "flowlabel") || dp_take_word(d, "flow")) {
		return dp_ranged(d, 0, 0xfffff, &v, "flowlabel"); /* IPv4 has none */
	} else {
		return dp_fail(d, "syntax error: expected noecn, ect0, ect1, ect01, ce, tos, ttl or flowlabel");
	}
	return true;
}

static bool parse_ip_info(struct dparse *d, struct dpkt *k)
{
	while (dp_is(d, "[") || dp_is(d, "(")) {
		const char *close = *d->p++ == '[' ? "]" : ")";

		do {
			if (!parse_ip_item(d, k))
				return false;
			dp_take(d, ",");
		} while (!dp_is(d, close) && dp_peek(d));
		if (!dp_expect(d, close))
			return false;
	}
	return true;
}

/* ---- TCP ---- */

/* "100 > 200" in front of the flags; not to be taken for a digit among the flags. */
static bool parse_ports(struct dparse *d, struct dpkt *k)
{
	struct dparse at = *d;
	int64_t a, b;

	if (dp_peek(&at) < '0' || *at.p > '9')
		return true;
	while (at.p < at.end && *at.p >= '0' && *at.p <= '9')
		at.p++;
	if (!dp_is(&at, ">"))
		return true;
	if (!dp_ranged(d, 0, 65535, &a, "port") || !dp_expect(d, ">") || !dp_ranged(d, 0, 65535, &b, "port"))
		return false;
	dp_take(d, ":");
	k->has_ports = true;
	k->sport = (uint16_t)a;
	k->dport = (uint16_t)b;
	return true;
}

static bool parse_flags(struct dparse *d, struct dpkt *k)
{
	static const char letters[] = "FSRP.UEWA";
	static const uint16_t bits[] = { DTCP_FIN, DTCP_SYN, DTCP_RST, DTCP_PSH, DTCP_ACK, DTCP_URG, DTCP_ECE, DTCP_CWR, DTCP_AE };
	const char *from, *f;

	dp_skip(d);
	from = d->p;
	for (; d->p < d->end && *d->p != ' ' && *d->p != '\t' && *d->p != '\n' && *d->p != '\r'; d->p++) {
		if (*d->p == '-' && d->p == from) {
			d->p++;
			return true;
		}
		if (*d->p >= '0' && *d->p <= '7' && !k->has_ace) {
			k->has_ace = true;
			k->ace = (uint8_t)(*d->p - '0');
			k->flags |= (uint16_t)((k->ace & 1 ? DTCP_ECE : 0) | (k->ace & 2 ? DTCP_CWR : 0) | (k->ace & 4 ? DTCP_AE : 0));
			continue;
		}
		f = strchr(letters, *d->p);
		if (!f || !*f)
			return dp_fail(d, "syntax error: '%c' is not a TCP flag (F S R P . U E W A, a digit, or - for none)", *d->p);
		if (k->flags & bits[f - letters] && !k->has_ace)
			return dp_fail(d, "the TCP flag '%c' twice", *d->p);
		k->flags |= bits[f - letters];
	}
	return d->p > from || dp_fail(d, "syntax error: expected TCP flags");
}

static bool parse_seq(struct dparse *d, uint32_t *seq, uint32_t *len)
{
	uint32_t end;

	if (!dp_u32(d, seq, "sequence number") || !dp_expect(d, ":") || !dp_u32(d, &end, "sequence number") ||
	    !dp_expect(d, "(") || !dp_u32(d, len, "length") || !dp_expect(d, ")"))
		return false;
	if (*len > 65535)
		return dp_fail(d, "TCP payload size out of range: %u", *len);
	return end == *seq + *len || dp_fail(d, "inconsistent TCP sequence numbers and payload size");
}

/* ---- TCP options ---- */

static int nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Hex octets, perhaps named by a macro; none at all is fine. */
static bool parse_hex(struct dparse *d, struct dopt *o, uint32_t max)
{
	size_t n = dp_word(d);
	const struct ddefine *m = dconf_define(&d->sc->conf, d->p, n);
	const char *p = d->p, *end = d->end;

	if (m) {
		p = m->value;
		end = p + strlen(p);
		d->p += n;
		if (*p == '"') {
			p++;
			end = end > p ? end - 1 : end;
		}
	}
	if (end - p >= 2 && p[0] == '0' && p[1] == 'x')
		p += 2;
	for (; end - p >= 2 && nibble(p[0]) >= 0 && nibble(p[1]) >= 0; p += 2) {
		if (o->len == max)
			return dp_fail(d, "an option's data is longer than %u octets", max);
		o->data[o->len++] = (uint8_t)(nibble(p[0]) * 16 + nibble(p[1]));
	}
	if (p < end && nibble(*p) >= 0)
		return dp_fail(d, "an odd number of hex digits");
	if (!m)
		d->p = p;
	return true;
}

/* Behind a block: "," and another one ("sack 1:2,3:4"), not the next option ("sack 1:2,3 0a0b"). */
static void skip_sack_comma(struct dparse *d)
{
	struct dparse at = *d;

	if (!dp_take(&at, ","))
		return;
	dp_skip(&at);
	while (at.p < at.end && *at.p >= '0' && *at.p <= '9')
		at.p++;
	if (at.p < at.end && *at.p == ':')
		dp_take(d, ",");
}

static bool parse_sack(struct dparse *d, struct dopt *o)
{
	while (dp_peek(d) >= '0' && *d->p <= '9') {
		if (o->n == DOPT_MAX_SACK)
			return dp_fail(d, "more than %d SACK blocks", DOPT_MAX_SACK);
		if (!dp_u32(d, &o->sack[o->n].start, "SACK") || !dp_expect(d, ":") || !dp_u32(d, &o->sack[o->n].end, "SACK"))
			return false;
		o->n++;
		skip_sack_comma(d);
	}
	return true;
}

static bool parse_accecn(struct dparse *d, struct dopt *o)
{
	static const struct { const char *word; char f; } w[] = { { "e0b", '0' }, { "ceb", 'c' }, { "e1b", '1' } };

	for (size_t i = 0; i < ARRAY_SIZE(w); i++) {
		if (!dp_take_word(d, w[i].word))
			continue;
		if (o->n == 3)
			return dp_fail(d, "more than three AccECN counters");
		o->field[o->n] = w[i].f;
		if (!dp_u32(d, &o->value[o->n++], w[i].word))
			return false;
		i = (size_t)-1;
	}
	return true;
}

static bool parse_raw(struct dparse *d, struct dopt *o)
{
	int64_t v;

	if (!dp_ranged(d, 0, 255, &v, "option kind"))
		return false;
	o->kind = DOPT_RAW;
	o->raw_kind = (uint8_t)v;
	return parse_hex(d, o, 38);
}

static bool parse_ts(struct dparse *d, struct dopt *o)
{
	o->kind = DOPT_TS;
	if (!dp_take_word(d, "val"))
		return dp_fail(d, "syntax error: expected val behind TS");
	if (!dp_u32(d, &o->a, "TS val"))
		return false;
	if (!dp_take_word(d, "ecr"))
		return dp_fail(d, "syntax error: expected ecr behind TS val");
	return dp_u32(d, &o->b, "TS ecr");
}

static bool unknown_opt(struct dparse *d)
{
	static const char *const mptcp[] = { "mpcapable", "mpjoin", "dss", "add_addr", "add_address", "remove_addr", "mp_", "mpc_", "MP_" };
	size_t n = dp_word(d);

	for (size_t i = 0; i < ARRAY_SIZE(mptcp); i++)
		if (n >= strlen(mptcp[i]) && !memcmp(d->p, mptcp[i], strlen(mptcp[i])))
			return dp_unsupported(d, "it needs MPTCP, which culver has not");
	if (!n)
		return dp_fail(d, "syntax error: expected a TCP option before '%.*s'", (int)min_sz((size_t)(d->end - d->p), strcspn(d->p, "\n")), d->p);
	return dp_fail(d, "syntax error: '%.*s' is not a TCP option", (int)min_sz(n, 30), d->p);
}

static bool parse_opt(struct dparse *d, struct dopt *o)
{
	int64_t v;

	if (dp_take_word(d, "nop") || dp_take_word(d, "NOP")) {
		o->kind = DOPT_NOP;
	} else if (dp_take_word(d, "eol") || dp_take_word(d, "EOL")) {
		o->kind = DOPT_EOL;
	} else if (dp_take_word(d, "mss")) {
		o->kind = DOPT_MSS;
		if (!dp_ranged(d, 0, 65535, &v, "mss"))
			return false;
		o->a = (uint32_t)v;
	} else if (dp_take_word(d, "wscale")) {
		o->kind = DOPT_WSCALE;
		if (!dp_ranged(d, 0, 255, &v, "window scale"))
			return false;
		o->a = (uint32_t)v;
	} else if (dp_take_word(d, "sackOK") || dp_take_word(d, "sackok")) {
		o->kind = DOPT_SACKOK;
	} else if (dp_take_word(d, "sack")) {
		o->kind = DOPT_SACK;
		return parse_sack(d, o);
	} else if (dp_take_word(d, "TS")) {
		return parse_ts(d, o);
	} else if (dp_take_word(d, "FO")) {
		o->kind = DOPT_FO;
		return parse_hex(d, o, 38);
	} else if (dp_take_word(d, "FOEXP")) {
		o->kind = DOPT_FOEXP;
		return parse_hex(d, o, 36);
	} else if (dp_take_word(d, "md5")) {
		o->kind = DOPT_MD5;
		return parse_hex(d, o, 16);
	} else if (dp_take_word(d, "ECN") || dp_take_word(d, "accecn") || dp_take_word(d, "AccECN")) {
		o->kind = DOPT_ACCECN;
		return parse_accecn(d, o);
	} else if (dp_take_word(d, "raw")) {
		o->kind = DOPT_OCTETS;
		return parse_hex(d, o, 40);
	} else if (dp_take_word(d, "kind") || (dp_peek(d) >= '0' && *d->p <= '9')) {
		return parse_raw(d, o);
	} else {
		return unknown_opt(d);
	}
	return true;
}

static bool parse_opts(struct dparse *d, struct dpkt *k)
{
	if (!dp_take(d, "<"))
		return true;
	k->opt = darena_get(&d->sc->mem, DPKT_MAX_OPTS * sizeof(*k->opt));
	do {
		if (dp_is(d, ">"))
			break;
		if (dp_take(d, "...")) { /* these, and whatever follows them */
			k->opts_any = true;
			break;
		}
		if (k->n_opts == DPKT_MAX_OPTS)
			return dp_fail(d, "more than %d TCP options", DPKT_MAX_OPTS);
		if (!parse_opt(d, &k->opt[k->n_opts]))
			return false;
		k->n_opts++;
	} while (dp_take(d, ","));
	return dp_expect(d, ">");
}

/* ack N, win N, urg N, in any order. */
static bool parse_fields(struct dparse *d, struct dpkt *k)
{
	int64_t v;

	for (;;) {
		if (dp_take_word(d, "ack")) {
			if (!dp_u32(d, &k->ack, "ack"))
				return false;
			k->has_ack = true;
		} else if (dp_take_word(d, "win")) {
			if (!k->inbound && (dp_take(d, "*") || dp_take(d, "..."))) /* any */
				continue;
			if (!dp_ranged(d, 0, 65535, &v, "win"))
				return false;
			k->has_win = true;
			k->win = (uint16_t)v;
		} else if (dp_take_word(d, "urg")) {
			if (!dp_ranged(d, 0, 65535, &v, "urg"))
				return false;
			k->has_urg = true;
			k->urg = (uint16_t)v;
		} else {
			return true;
		}
	}
}

static bool parse_tcp(struct dparse *d, struct dpkt *k)
{
	k->proto = DPROTO_TCP;
	if ((!k->has_ports && !parse_ports(d, k)) || !parse_flags(d, k) || !parse_seq(d, &k->seq, &k->len) || !parse_fields(d, k))
		return false;
	if (k->has_ack && !(k->flags & DTCP_ACK) && !k->inbound)
		return dp_fail(d, "an outbound packet with an ack number and without the ACK flag");
	if (k->inbound && !k->has_win && k->flags & DTCP_SYN)
		k->win = 65535;
	return parse_opts(d, k);
}

/* ---- UDP and ICMP ---- */

static bool parse_length(struct dparse *d, uint32_t *len)
{
	int64_t v;

	if (!dp_expect(d, "(") || !dp_ranged(d, 0, 65507, &v, "length") || !dp_expect(d, ")"))
		return false;
	*len = (uint32_t)v;
	return true;
}

static bool parse_udp(struct dparse *d, struct dpkt *k)
{
	k->proto = DPROTO_UDP;
	return (k->has_ports || parse_ports(d, k)) && parse_length(d, &k->len);
}

/* "S 0:0(0)", "P. 1:1001(1000) ack 1 win 5 <...>" within a quote: seq and length count, the rest is for people. */
static bool parse_quoted_tcp(struct dparse *d, struct dpkt *k)
{
	struct dpkt q = { .inbound = true };
	char c = dp_peek(d);

	if ((c < '0' || c > '9') && !parse_flags(d, &q))
		return false;
	if (!parse_seq(d, &k->quoted_seq, &k->quoted_len))
		return false;
	k->quoted_flags = q.flags;
	return parse_fields(d, &q) && parse_opts(d, &q);
}

static bool parse_quote(struct dparse *d, struct dpkt *k)
{
	k->quoted = true;
	if (dp_take_word(d, "udp")) {
		k->quoted_proto = DPROTO_UDP;
		if (!parse_length(d, &k->quoted_len))
			return false;
	} else {
		dp_take_word(d, "tcp");
		k->quoted_proto = DPROTO_TCP;
		k->quote_seq = true;
		if (!parse_quoted_tcp(d, k))
			return false;
	}
	return dp_expect(d, "]");
}

static bool word_ahead(struct dparse *d, const char *w)
{
	struct dparse at = *d;

	return dp_take_word(&at, w);
}

static bool parse_icmp_type(struct dparse *d, struct dpkt *k)
{
	size_t n = dp_word(d);
	int64_t v;

	if (n) {
		if (!dicmp_type(d->p, n, &k->type))
			return dp_fail(d, "unknown ICMP type '%.*s'", (int)min_sz(n, 40), d->p);
		d->p += n;
	} else if (dp_take_word(d, "type") || dp_peek(d)) {
		if (!dp_ranged(d, 0, 255, &v, "ICMP type"))
			return false;
		k->type = (uint8_t)v;
	}
	n = dp_word(d);
	if (n && dicmp_code(k->type, d->p, n, &k->code)) {
		d->p += n;
	} else if (n && !word_ahead(d, "mtu") && !word_ahead(d, "id") && !word_ahead(d, "seq")) {
		return dp_fail(d, "unknown ICMP code '%.*s' (a number will do)", (int)min_sz(n, 40), d->p);
	} else if (dp_peek(d) >= '0' && *d->p <= '9') {
		if (!dp_ranged(d, 0, 255, &v, "ICMP code"))
			return false;
		k->code = (uint8_t)v;
	}
	return true;
}

static bool parse_icmp(struct dparse *d, struct dpkt *k)
{
	k->proto = DPROTO_ICMP;
	if (!parse_icmp_type(d, k))
		return false;
	for (;;) {
		if (dp_take_word(d, "mtu")) {
			k->has_mtu = true;
			if (!dp_u32(d, &k->mtu, "mtu"))
				return false;
		} else if (dp_take_word(d, "id")) {
			k->has_id = true;
			if (!dp_u32(d, &k->id, "id"))
				return false;
		} else if (dp_take_word(d, "seq")) {
			k->has_seqno = true;
			if (!dp_u32(d, &k->seqno, "seq"))
				return false;
		} else if (dp_is(d, "(")) {
			if (!parse_length(d, &k->len))
				return false;
		} else if (dp_take(d, "[")) {
			if (!parse_quote(d, k))
				return false;
		} else {
			return true;
		}
	}
}

/* ---- all of it ---- */

/* Behind the packet: "/ udp(9899 > 9899)", carried in UDP, as FreeBSD's can be. */
static bool parse_carrier(struct dparse *d)
{
	if (dp_is(d, "/"))
		return dp_unsupported(d, "it needs encapsulation (TCP in UDP), which culver has not");
	return true;
}

static bool parse_protocol(struct dparse *d, struct dpkt *k)
{
	if (dp_take_word(d, "ipv4") || dp_take_word(d, "ipv6") || dp_take_word(d, "gre") || dp_take_word(d, "mpls") || dp_take_word(d, "gue"))
		return dp_unsupported(d, "it needs encapsulation (GRE, GUE, MPLS, IP in IP), which culver has not");
	if (dp_take_word(d, "icmpv6"))
		return dp_unsupported(d, "it needs IPv6, which culver has not");
	if (dp_take_word(d, "sctp"))
		return dp_unsupported(d, "it needs SCTP, which culver has not");
	if (dp_take_word(d, "udplite"))
		return dp_unsupported(d, "it needs UDP-Lite, which culver has not");
	if (dp_take_word(d, "icmp"))
		return parse_icmp(d, k);
	if (!parse_ports(d, k))
		return false;
	if (dp_take_word(d, "udp"))
		return parse_udp(d, k);
	dp_take_word(d, "tcp");
	return parse_tcp(d, k);
}

bool dp_packet(struct dparse *d, bool inbound, struct dpkt **out)
{
	struct dpkt *k = darena_get(&d->sc->mem, sizeof(*k));

	*out = k;
	k->inbound = inbound;
	return parse_ip_info(d, k) && parse_protocol(d, k) && parse_carrier(d);
}

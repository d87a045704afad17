/* Packets as text, in the script's own notation: for failures and --verbose.
 *
 * Called by drill_check.c and drill_run.c; never reads past a packet's end. Tests: tests/lab/drill.t. */
#include <netinet/in.h>
#include "drill/drill_int.h"

static const char *const ecn_word[] = { "", "[noecn] ", "[ect0] ", "[ect1] ", "[ect01] ", "[ce] " };

static void show_flags(struct strbuf *sb, unsigned flags)
{
	static const struct { uint16_t bit; char c; } names[] = {
		{ DTCP_FIN, 'F' }, { DTCP_SYN, 'S' }, { DTCP_RST, 'R' }, { DTCP_PSH, 'P' }, { DTCP_ACK, '.' },
		{ DTCP_URG, 'U' }, { DTCP_ECE, 'E' }, { DTCP_CWR, 'W' }, { DTCP_AE, 'A' },
	};
	size_t before = sb->len;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].bit)
			sb_putc(sb, names[i].c);
	if (sb->len == before)
		sb_putc(sb, '-');
}

static void show_hex(struct strbuf *sb, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		sb_printf(sb, "%02x", p[i]);
}

/* ---- options, from octets ---- */

static void show_accecn(struct strbuf *sb, const uint8_t *o, uint32_t n)
{
	static const char *const word[2][3] = { { "e0b", "ceb", "e1b" }, { "e1b", "ceb", "e0b" } };

	sb_puts(sb, "ECN");
	for (uint32_t i = 0; i < 3 && 2 + 3 * i + 3 <= n; i++)
		sb_printf(sb, " %s %u", word[o[0] == TCPOPT_ACCECN1][i], (uint32_t)o[2 + 3 * i] << 16 | get_be16(o + 3 + 3 * i));
}

static void show_opt(struct strbuf *sb, const uint8_t *o, uint32_t n, uint32_t ts_shift)
{
	switch (o[0]) {
	case TCPOPT_MSS:
		sb_printf(sb, "mss %u", n == 4 ? get_be16(o + 2) : 0u);
		break;
	case TCPOPT_WINDOW:
		sb_printf(sb, "wscale %u", n == 3 ? o[2] : 0u);
		break;
	case TCPOPT_SACK_PERM:
		sb_puts(sb, "sackOK");
		break;
	case TCPOPT_SACK:
		sb_puts(sb, "sack");
		for (uint32_t i = 2; i + 8 <= n; i += 8)
			sb_printf(sb, " %u:%u", get_be32(o + i), get_be32(o + i + 4));
		break;
	case TCPOPT_TIMESTAMP:
		if (n == 10)
			sb_printf(sb, "TS val %u ecr %u", get_be32(o + 2) + ts_shift, get_be32(o + 6));
		break;
	case TCPOPT_FASTOPEN:
		sb_puts(sb, n > 2 ? "FO " : "FO");
		show_hex(sb, o + 2, n - 2);
		break;
	case TCPOPT_MD5SIG:
		sb_puts(sb, "md5 ");
		show_hex(sb, o + 2, n - 2);
		break;
	case TCPOPT_ACCECN0:
	case TCPOPT_ACCECN1:
		show_accecn(sb, o, n);
		break;
	default:
		if (o[0] == TCPOPT_EXP && n >= 4 && get_be16(o + 2) == 0xf989) {
			sb_puts(sb, n > 4 ? "FOEXP " : "FOEXP");
			show_hex(sb, o + 4, n - 4);
		} else {
			sb_printf(sb, "kind %u ", o[0]);
			show_hex(sb, o + 2, n - 2);
		}
	}
}

static void show_opts(struct strbuf *sb, const uint8_t *o, uint32_t n, uint32_t ts_shift)
{
	const char *sep = "<";

	for (uint32_t i = 0; i < n;) {
		uint32_t len = o[i] <= TCPOPT_NOP ? 1 : i + 1 < n ? o[i + 1] : 0;

		if (!len || (o[i] > TCPOPT_NOP && len < 2) || len > n - i)
			break;
		sb_puts(sb, sep);
		sep = ",";
		if (o[i] <= TCPOPT_NOP)
			sb_puts(sb, o[i] == TCPOPT_NOP ? "nop" : "eol");
		else
			show_opt(sb, o + i, len, ts_shift);
		i += len;
	}
	if (*sep == ',')
		sb_putc(sb, '>');
}

/* ---- the stack's packets ---- */

static void show_live_tcp(struct strbuf *sb, const uint8_t *t, uint32_t n, const struct drill_flow *f)
{
	const struct tcp_hdr *h = (const struct tcp_hdr *)(const void *)t;
	uint32_t hl = tcp_hdrlen(h), seq = get_be32(h->seq) - (f && f->got_isn ? f->isn : 0);
	uint32_t len = hl >= TCP_HLEN && hl <= n ? n - hl : 0;

	show_flags(sb, h->flags | (h->off_res & 1u ? DTCP_AE : 0u));
	sb_printf(sb, " %u:%u(%u)", seq, seq + len, len);
	if (h->flags & TCP_ACK)
		sb_printf(sb, " ack %u", get_be32(h->ack_seq));
	sb_printf(sb, " win %u ", get_be16(h->window));
	if (h->flags & TCP_URG)
		sb_printf(sb, "urg %u ", get_be16(h->urg_ptr));
	if (hl > TCP_HLEN && hl <= n)
		show_opts(sb, t + TCP_HLEN, hl - TCP_HLEN, f && f->ts_first ? f->ts_first_script - f->ts_first_live : 0);
}

static void show_icmp(struct strbuf *sb, const uint8_t *t, uint32_t n)
{
	const char *type = dicmp_type_name(t[0]), *code = dicmp_code_name(t[0], t[1]);

	sb_puts(sb, "icmp ");
	if (type)
		sb_puts(sb, type);
	else
		sb_printf(sb, "%u", t[0]);
	if (code)
		sb_printf(sb, " %s", code);
	else if (!type || t[1])
		sb_printf(sb, " %u", t[1]);
	if (t[0] == ICMP_DEST_UNREACH && t[1] == ICMP_FRAG_NEEDED)
		sb_printf(sb, " mtu %u", get_be16(t + 6));
	if (t[0] == ICMP_ECHO || t[0] == ICMP_ECHOREPLY)
		sb_printf(sb, " id %u seq %u (%u)", get_be16(t + 4), get_be16(t + 6), n - ICMP_HLEN);
}

void drill_show_live(struct strbuf *sb, const uint8_t *p, uint32_t len, const struct drill_flow *f)
{
	static const uint8_t word[] = { DECN_UNSAID, DECN_ECT1, DECN_ECT0, DECN_CE };
	const struct ip4_hdr *h = (const struct ip4_hdr *)(const void *)p;
	uint32_t hl, n;

	if (len < IP4_HLEN || (hl = ip4_hlen(h)) < IP4_HLEN || hl + 8 > len) {
		sb_printf(sb, "(%u octets that are no IPv4 packet)", len);
		return;
	}
	n = len - hl;
	sb_puts(sb, ecn_word[word[h->tos & 3]]);
	if (h->protocol == IPPROTO_TCP && n >= TCP_HLEN)
		show_live_tcp(sb, p + hl, n, f);
	else if (h->protocol == IPPROTO_UDP)
		sb_printf(sb, "udp (%u)", n - UDP_HLEN);
	else if (h->protocol == IPPROTO_ICMP)
		show_icmp(sb, p + hl, n);
	else
		sb_printf(sb, "(protocol %u, %u octets)", h->protocol, n);
}

/* ---- the script's ---- */

static void show_script_tcp(struct strbuf *sb, const struct dpkt *k)
{
	uint8_t opts[60];
	int n;

	if (k->has_ports)
		sb_printf(sb, "%u > %u ", k->sport, k->dport);
	show_flags(sb, k->flags);
	sb_printf(sb, " %u:%u(%u)", k->seq, k->seq + k->len, k->len);
	if (k->has_ack)
		sb_printf(sb, " ack %u", k->ack);
	if (k->has_win)
		sb_printf(sb, " win %u", k->win);
	if (k->has_urg)
		sb_printf(sb, " urg %u", k->urg);
	sb_putc(sb, ' ');
	n = drill_build_opts(k, NULL, false, opts);
	if (n > 0)
		show_opts(sb, opts, (uint32_t)n, 0);
	if (k->opts_any && n > 0)
		sb->len--; /* ">" */
	if (k->opts_any)
		sb_puts(sb, n > 0 ? ",...>" : "<...>");
}

static void show_script_icmp(struct strbuf *sb, const struct dpkt *k)
{
	const char *type = dicmp_type_name(k->type), *code = dicmp_code_name(k->type, k->code);

	sb_puts(sb, "icmp ");
	if (type)
		sb_puts(sb, type);
	else
		sb_printf(sb, "%u", k->type);
	if (code)
		sb_printf(sb, " %s", code);
	else if (k->code)
		sb_printf(sb, " %u", k->code);
	if (k->has_mtu)
		sb_printf(sb, " mtu %u", k->mtu);
	if (k->has_id)
		sb_printf(sb, " id %u", k->id);
	if (k->has_seqno)
		sb_printf(sb, " seq %u", k->seqno);
	if (k->quoted && k->quote_seq)
		sb_printf(sb, " [%u:%u(%u)]", k->quoted_seq, k->quoted_seq + k->quoted_len, k->quoted_len);
	else if (k->quoted)
		sb_printf(sb, " [udp (%u)]", k->quoted_len);
	else if (k->len)
		sb_printf(sb, " (%u)", k->len);
}

void drill_show_script(struct strbuf *sb, const struct dpkt *k)
{
	sb_puts(sb, ecn_word[k->ecn]);
	if (k->has_tos)
		sb_printf(sb, "(tos 0x%x) ", k->tos);
	if (k->has_ttl)
		sb_printf(sb, "(ttl %u) ", k->ttl);
	if (k->proto == DPROTO_TCP)
		show_script_tcp(sb, k);
	else if (k->proto == DPROTO_UDP)
		sb_printf(sb, "udp (%u)", k->len);
	else
		show_script_icmp(sb, k);
}

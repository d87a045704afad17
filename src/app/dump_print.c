/* One packet as tcpdump(8) 4.99 prints it with -n.
 *
 * Decides nothing but form: the headers as they are on the wire, TCP's numbers counted from where a conversation
 * began (the first segment with ACK that is seen of it, or its SYN+ACK), DNS and HTTP in short. Called by tcpdump.c;
 * every length is checked before it is read. Tests:
 * tests/unit/app/test_dump_print.c. */
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "app/dns_msg.h"
#include "app/dns_rrset.h"
#include "app/dump_print.h"
#include "base/pool.h"
#include "wire/ethernet.h"
#include "wire/ip4.h"
#include "wire/tcp_hdr.h"

#define HTTP_PORT 80
#define HTTP_PORT_ALT 8080
#define HTTP_LINE_MAX 128 /* of a request or status line, that much is shown */

/* An IPv4 packet being printed. */
struct pkt {
	const struct ip4_hdr *ip;
	const uint8_t *p; /* after the IP header */
	size_t len;       /* of what was captured of it */
	char src[IP4_STRLEN], dst[IP4_STRLEN];
};
/* What to take off the numbers of one segment. */
struct origin {
	uint32_t seq, ack;
};

static void tcp_flags(struct strbuf *sb, uint8_t f)
{
	static const struct { uint8_t bit; char c; } n[] = { { TCP_FIN, 'F' }, { TCP_SYN, 'S' }, { TCP_RST, 'R' }, { TCP_PSH, 'P' },
							     { TCP_ACK, '.' }, { TCP_URG, 'U' }, { TCP_ECE, 'E' }, { TCP_CWR, 'W' } };
	size_t before = sb->len;

	for (size_t i = 0; i < ARRAY_SIZE(n); i++)
		if (f & n[i].bit)
			sb_putc(sb, n[i].c);
	if (sb->len == before)
		sb_puts(sb, "none");
}

static void sack_blocks(struct strbuf *sb, const uint8_t *o, size_t n, uint32_t base)
{
	sb_printf(sb, "sack %zu ", n / 8);
	for (size_t i = 0; i + 8 <= n; i += 8)
		sb_printf(sb, "{%u:%u}", get_be32(o + i) - base, get_be32(o + i + 4) - base);
}

static void octets(struct strbuf *sb, const char *name, const uint8_t *o, size_t n)
{
	sb_puts(sb, name);
	for (size_t i = 0; i < n; i++)
		sb_printf(sb, "%02x", o[i]);
}

static void tcp_option(struct strbuf *sb, const uint8_t *o, size_t n, uint32_t base)
{
	if (o[0] == TCPOPT_MSS && n == 4)
		sb_printf(sb, "mss %u", get_be16(o + 2));
	else if (o[0] == TCPOPT_WINDOW && n == 3)
		sb_printf(sb, "wscale %u", o[2]);
	else if (o[0] == TCPOPT_SACK_PERM && n == 2)
		sb_puts(sb, "sackOK");
	else if (o[0] == TCPOPT_TIMESTAMP && n == 10)
		sb_printf(sb, "TS val %u ecr %u", get_be32(o + 2), get_be32(o + 6));
	else if (o[0] == TCPOPT_SACK && n > 2 && (n - 2) % 8 == 0)
		sack_blocks(sb, o + 2, n - 2, base);
	else if (o[0] == TCPOPT_FASTOPEN)
		octets(sb, n > 2 ? "tfo  cookie " : "tfo  cookiereq", o + 2, n - 2);
	else if (o[0] == TCPOPT_MD5SIG)
		octets(sb, "md5 ", o + 2, n - 2);
	else
		octets(sb, (sb_printf(sb, "unknown-%u ", o[0]), "0x"), o + 2, n - 2);
}

static void tcp_options(struct strbuf *sb, const uint8_t *o, size_t len, uint32_t base)
{
	const char *sep = "";

	sb_puts(sb, ", options [");
	for (size_t n; len; o += n, len -= n, sep = ",") {
		sb_puts(sb, sep);
		n = o[0] == TCPOPT_NOP || o[0] == TCPOPT_EOL ? 1 : len > 1 ? o[1] : 0;
		if (!n || n > len || (n < 2 && o[0] > TCPOPT_NOP)) {
			sb_puts(sb, "[bad opt]");
			break;
		}
		if (o[0] == TCPOPT_EOL) {
			sb_puts(sb, "eol");
			break;
		}
		if (o[0] == TCPOPT_NOP)
			sb_puts(sb, "nop");
		else
			tcp_option(sb, o, n, base);
	}
	sb_putc(sb, ']');
}

/* The place of a conversation in the table: its own, a free one, or one that has to give way. */
static struct dump_flow *flow_slot(struct dump_flow *t, const struct dump_flow *key)
{
	uint32_t h = key->addr[0] * 2654435761u ^ key->addr[1] * 2246822519u ^ ((uint32_t)key->port[0] << 16 | key->port[1]) * 3266489917u;
	struct dump_flow *f;

	for (uint32_t i = 0; i < 8; i++) {
		f = &t[((h >> 16) + i) % DUMP_FLOWS];
		if (!f->used || (f->addr[0] == key->addr[0] && f->addr[1] == key->addr[1] && f->port[0] == key->port[0] && f->port[1] == key->port[1]))
			return f;
	}
	f = &t[(h >> 16) % DUMP_FLOWS];
	f->used = false;
	return f;
}

/* Where the numbers of this segment count from. A conversation begins with its first ACK or its SYN+ACK, whose own
 * numbers are shown as they are. */
static struct origin flow_origin(struct dump_style *st, const struct pkt *k, const struct tcp_hdr *h)
{
	uint32_t a[2] = { ip4_saddr(k->ip), ip4_daddr(k->ip) };
	uint16_t pt[2] = { get_be16(h->source), get_be16(h->dest) };
	unsigned rev = a[0] > a[1] || (a[0] == a[1] && pt[0] > pt[1]);
	struct dump_flow key = { .used = true, .addr = { a[rev], a[!rev] }, .port = { pt[rev], pt[!rev] } };
	struct dump_flow *f;

	if (st->absolute || !st->flows || !(h->flags & TCP_ACK))
		return (struct origin){ 0, 0 };
	f = flow_slot(st->flows, &key);
	if (f->used && !(h->flags & TCP_SYN))
		return (struct origin){ f->base[rev], f->base[!rev] };
	key.base[rev] = get_be32(h->seq);
	key.base[!rev] = get_be32(h->ack_seq) - 1;
	*f = key;
	return (struct origin){ 0, 0 };
}

static bool is_http(const struct tcp_hdr *h)
{
	uint16_t s = get_be16(h->source), d = get_be16(h->dest);

	return s == HTTP_PORT || d == HTTP_PORT || s == HTTP_PORT_ALT || d == HTTP_PORT_ALT;
}

/* The request or status line, if the segment begins with one. */
static void http_line(struct strbuf *sb, const uint8_t *p, size_t len)
{
	static const char *const first[] = { "GET ", "HEAD ", "PUT ", "POST ", "DELETE ", "OPTIONS ", "TRACE ", "CONNECT ", "PATCH ", "HTTP/" };
	size_t n = 0;

	sb_puts(sb, ": HTTP");
	for (size_t i = 0; i < ARRAY_SIZE(first); i++) {
		if (len < strlen(first[i]) || memcmp(p, first[i], strlen(first[i])))
			continue;
		while (n < len && n < HTTP_LINE_MAX && p[n] >= ' ' && p[n] < 0x7f)
			n++;
		sb_puts(sb, ": ");
		sb_add(sb, p, n);
		return;
	}
}

static bool transport_checksum_ok(const struct pkt *k)
{
	uint32_t sum = csum_tcpudp_nofold(ip4_saddr(k->ip), ip4_daddr(k->ip), (uint32_t)k->len, k->ip->protocol, csum_partial(k->p, k->len, 0));

	return csum_fold(sum) == 0;
}

static void print_tcp(struct strbuf *sb, struct dump_style *st, const struct pkt *k)
{
	const struct tcp_hdr *h = (const struct tcp_hdr *)(const void *)k->p;
	struct origin o;
	unsigned hl;
	size_t body;

	if (k->len < TCP_HLEN || (hl = tcp_hdrlen(h)) < TCP_HLEN || hl > k->len) {
		sb_printf(sb, "%s > %s: [|tcp]", k->src, k->dst);
		return;
	}
	body = k->len - hl;
	sb_printf(sb, "%s.%u > %s.%u: ", k->src, get_be16(h->source), k->dst, get_be16(h->dest));
	if (st->quiet) {
		sb_printf(sb, "tcp %zu", body);
		return;
	}
	o = flow_origin(st, k, h);
	sb_puts(sb, "Flags [");
	tcp_flags(sb, h->flags);
	sb_putc(sb, ']');
	if (st->verbose)
		sb_printf(sb, ", cksum 0x%04x (%s)", get_be16(h->check), transport_checksum_ok(k) ? "correct" : "incorrect");
	if (body || st->verbose > 1 || (h->flags & (TCP_SYN | TCP_FIN | TCP_RST))) {
		sb_printf(sb, ", seq %u", get_be32(h->seq) - o.seq);
		if (body)
			sb_printf(sb, ":%u", (uint32_t)(get_be32(h->seq) - o.seq + body));
	}
	if (h->flags & TCP_ACK)
		sb_printf(sb, ", ack %u", get_be32(h->ack_seq) - o.ack);
	sb_printf(sb, ", win %u", get_be16(h->window));
	if (h->flags & TCP_URG)
		sb_printf(sb, ", urg %u", get_be16(h->urg_ptr));
	if (hl > TCP_HLEN)
		tcp_options(sb, k->p + TCP_HLEN, hl - TCP_HLEN, o.ack);
	sb_printf(sb, ", length %zu", body);
	if (body && is_http(h))
		http_line(sb, k->p + hl, body);
}

static void dns_answer(struct strbuf *sb, const struct dump_style *st, const struct dns_msg *m, const struct dns_rr *rr, uint8_t *rd)
{
	char buf[DNAME_TEXT_MAX], type[16];
	int n = dns_rdata_expand(m, rr, rd, DNS_RDATA_MAX);
	struct dname name;

	if (st->verbose)
		sb_printf(sb, " %s", dname_text(buf, &rr->owner));
	sb_printf(sb, " %s", dns_type_text(type, rr->type));
	if (n < 0 || rr->type == DNS_SOA)
		return;
	if (dns_rdata_name(rr->type, rd, (size_t)n, &name) && rr->type != DNS_SRV) {
		sb_printf(sb, " %s", dname_text(buf, &name));
		if (rr->type == DNS_MX)
			sb_printf(sb, " %u", get_be16(rd));
		return;
	}
	sb_putc(sb, ' ');
	dns_rdata_text(sb, rr->type, rd, (size_t)n);
}

static void dns_response(struct strbuf *sb, const struct dump_style *st, const struct dns_msg *m)
{
	static const char *const codes[] = { "", " FormErr", " ServFail", " NXDomain", " NotImp", " Refused", " YXDomain" };
	uint8_t *rd = xcalloc(1, DNS_RDATA_MAX);
	unsigned code = m->flags & 15u;
	struct dns_walk w;
	struct dns_rr rr;
	bool any = false;

	if (code < ARRAY_SIZE(codes))
		sb_puts(sb, codes[code]);
	else
		sb_printf(sb, " Resp%u", code);
	sb_printf(sb, "%s%s%s%s", m->flags & DNS_AA ? "*" : "", m->flags & DNS_RA ? "" : "-", m->flags & DNS_TC ? "|" : "",
		  m->flags & DNS_AD ? "$" : "");
	if (m->count[DNS_QD] != 1)
		sb_printf(sb, " [%uq]", m->count[DNS_QD]);
	sb_printf(sb, " %u/%u/%u", m->count[DNS_AN], m->count[DNS_AUTH], m->count[DNS_AR]);
	dns_walk_init(&w, m);
	while (dns_walk_next(&w, &rr) && rr.section == DNS_AN) {
		if (any)
			sb_putc(sb, ',');
		dns_answer(sb, st, m, &rr, rd);
		any = true;
	}
	free(rd);
}

static void dns_query(struct strbuf *sb, const struct dns_msg *m)
{
	static const char *const what[] = { "a", "n", "au" };
	char name[DNAME_TEXT_MAX], type[16];

	sb_printf(sb, "%s%s%s", m->flags & DNS_RD ? "+" : "", m->flags & DNS_CD ? "%" : "", m->flags & DNS_AD ? "$" : "");
	for (unsigned i = DNS_AN; i <= DNS_AR; i++)
		if (m->count[i])
			sb_printf(sb, " [%u%s]", m->count[i], what[i - DNS_AN]);
	if (m->has_question)
		sb_printf(sb, " %s? %s", dns_type_text(type, m->qtype), dname_text(name, &m->qname));
}

static void print_dns(struct strbuf *sb, const struct dump_style *st, const uint8_t *p, size_t len)
{
	static const char *const ops[] = { "", " inv_q", " stat", " op3", " notify", " update" };
	struct dns_msg m;
	unsigned op;

	if (dns_msg_check(&m, p, len) != DNS_FINE) {
		sb_puts(sb, "[|domain]");
		return;
	}
	op = dns_opcode(&m);
	sb_printf(sb, "%u%s", m.id, op < ARRAY_SIZE(ops) ? ops[op] : " op?");
	if (m.flags & DNS_QR)
		dns_response(sb, st, &m);
	else
		dns_query(sb, &m);
	sb_printf(sb, " (%zu)", len);
}

static void print_udp(struct strbuf *sb, struct dump_style *st, const struct pkt *k)
{
	uint16_t s, d, len;

	if (k->len < UDP_HLEN) {
		sb_printf(sb, "%s > %s: [|udp]", k->src, k->dst);
		return;
	}
	s = get_be16(k->p);
	d = get_be16(k->p + 2);
	len = get_be16(k->p + 4);
	sb_printf(sb, "%s.%u > %s.%u: ", k->src, s, k->dst, d);
	if (len < UDP_HLEN) {
		sb_printf(sb, "truncated-udplength %u", len);
		return;
	}
	if (st->quiet || (s != DNS_PORT && d != DNS_PORT) || len > k->len) {
		sb_printf(sb, "UDP, length %u", len - UDP_HLEN);
		return;
	}
	if (st->verbose > 1)
		sb_puts(sb, !get_be16(k->p + 6) ? "[no cksum] " : transport_checksum_ok(k) ? "[udp sum ok] " : "[bad udp cksum] ");
	print_dns(sb, st, k->p + UDP_HLEN, len - UDP_HLEN);
}

/* "udp port 33434 unreachable": the port of the datagram that the message quotes. */
static void port_unreachable(struct strbuf *sb, const struct ip4_hdr *q, size_t len)
{
	const char *proto = q->protocol == IPPROTO_TCP ? "tcp" : q->protocol == IPPROTO_UDP ? "udp" : NULL;
	unsigned hl = ip4_hlen(q);
	char a[IP4_STRLEN];

	ip4_str(a, ip4_daddr(q));
	if (proto && hl >= IP4_HLEN && len >= hl + 4u)
		sb_printf(sb, "%s %s port %u unreachable", a, proto, get_be16((const uint8_t *)q + hl + 2));
	else
		sb_printf(sb, "%s protocol %u port unreachable", a, q->protocol);
}

static void unreachable(struct strbuf *sb, const struct icmp_hdr *h, const struct ip4_hdr *q, size_t qlen)
{
	static const struct { const char *before, *after; } form[] = {
		[ICMP_NET_UNREACH] = { "net ", " unreachable" },
		[ICMP_HOST_UNREACH] = { "host ", " unreachable" },
		[ICMP_SR_FAILED] = { "", " unreachable - source route failed" },
		[ICMP_NET_UNKNOWN] = { "net ", " unreachable - unknown" },
		[ICMP_HOST_UNKNOWN] = { "host ", " unreachable - unknown" },
		[ICMP_HOST_ISOLATED] = { "", " unreachable - source host isolated" },
		[ICMP_NET_ANO] = { "net ", " unreachable - admin prohibited" },
		[ICMP_HOST_ANO] = { "host ", " unreachable - admin prohibited" },
		[ICMP_NET_UNR_TOS] = { "net ", " unreachable - tos prohibited" },
		[ICMP_HOST_UNR_TOS] = { "host ", " unreachable - tos prohibited" },
		[ICMP_PKT_FILTERED] = { "host ", " unreachable - admin prohibited filter" },
		[ICMP_PREC_VIOLATION] = { "host ", " unreachable - host precedence violation" },
		[ICMP_PREC_CUTOFF] = { "host ", " unreachable - precedence cutoff" },
	};
	char a[IP4_STRLEN];

	ip4_str(a, ip4_daddr(q));
	if (h->code == ICMP_PORT_UNREACH)
		port_unreachable(sb, q, qlen);
	else if (h->code == ICMP_PROT_UNREACH)
		sb_printf(sb, "%s protocol %u unreachable", a, q->protocol);
	else if (h->code == ICMP_FRAG_NEEDED)
		sb_printf(sb, "%s unreachable - need to frag (mtu %u)", a, get_be16(h->rest + 2));
	else if (h->code < ARRAY_SIZE(form))
		sb_printf(sb, "%s%s%s", form[h->code].before, a, form[h->code].after);
	else
		sb_printf(sb, "%s unreachable - #%u", a, h->code);
}

static void redirect(struct strbuf *sb, unsigned code, uint32_t gw, uint32_t dst)
{
	static const char *const what[] = { "net", "host", "tos net", "tos host" };
	char a[IP4_STRLEN], b[IP4_STRLEN];

	sb_printf(sb, "redirect %s to %s %s", ip4_str(a, dst), code < ARRAY_SIZE(what) ? what[code] : "host", ip4_str(b, gw));
}

static void print_icmp(struct strbuf *sb, const struct pkt *k)
{
	const struct icmp_hdr *h = (const struct icmp_hdr *)(const void *)k->p;
	const struct ip4_hdr *q = (const struct ip4_hdr *)(const void *)(k->p + ICMP_HLEN);
	bool quote = k->len >= ICMP_HLEN + IP4_HLEN;

	sb_printf(sb, "%s > %s: ICMP ", k->src, k->dst);
	if (k->len < ICMP_HLEN) {
		sb_puts(sb, "[|icmp]");
		return;
	}
	if (h->type == ICMP_ECHO || h->type == ICMP_ECHOREPLY)
		sb_printf(sb, "echo %s, id %u, seq %u", h->type == ICMP_ECHO ? "request" : "reply", get_be16(h->rest), get_be16(h->rest + 2));
	else if (h->type == ICMP_DEST_UNREACH && quote)
		unreachable(sb, h, q, k->len - ICMP_HLEN);
	else if (h->type == ICMP_TIME_EXCEEDED)
		sb_puts(sb, h->code ? "ip reassembly time exceeded" : "time exceeded in-transit");
	else if (h->type == ICMP_REDIRECT && quote)
		redirect(sb, h->code, get_be32(h->rest), ip4_daddr(q));
	else if (h->type == ICMP_SOURCE_QUENCH)
		sb_puts(sb, "source quench");
	else if (h->type == ICMP_PARAMETERPROB)
		sb_printf(sb, "parameter problem - octet %u", h->rest[0]);
	else
		sb_printf(sb, "type-#%u", h->type);
	sb_printf(sb, ", length %zu", k->len);
}

static const char *proto_name(uint8_t p)
{
	return p == IPPROTO_TCP ? "TCP" : p == IPPROTO_UDP ? "UDP" : p == IPPROTO_ICMP ? "ICMP" : p == IPPROTO_IGMP ? "IGMP" : "unknown";
}

static void ip_verbose(struct strbuf *sb, const struct ip4_hdr *h, unsigned hl)
{
	static const char *const ecn[] = { "", ",ECT(1)", ",ECT(0)", ",CE" };
	uint16_t f = ip4_frag(h);

	sb_printf(sb, "(tos 0x%x%s, ttl %u, id %u, offset %u, flags [%s%s], proto %s (%u), length %u", h->tos, ecn[h->tos & 3], h->ttl, ip4_id(h),
		  (f & IP_OFFSET) * 8u, f & IP_MF ? "+" : "", f & IP_DF ? f & IP_MF ? ", DF" : "DF" : f & IP_MF ? "" : "none", proto_name(h->protocol),
		  h->protocol, ip4_tot_len(h));
	if (hl > IP4_HLEN)
		sb_printf(sb, ", options (%u octets)", hl - IP4_HLEN);
	if (ip4_fast_csum(h, hl))
		sb_printf(sb, ", bad cksum %x", get_be16(h->check));
	sb_puts(sb, ")\n    ");
}

static void print_ip(struct strbuf *sb, struct dump_style *st, const uint8_t *p, size_t len)
{
	struct pkt k = { .ip = (const struct ip4_hdr *)(const void *)p };
	unsigned hl;

	if (!st->link)
		sb_puts(sb, "IP ");
	if (len < IP4_HLEN || (hl = ip4_hlen(k.ip)) < IP4_HLEN || hl > len || ip4_tot_len(k.ip) < hl) {
		sb_puts(sb, "[|ip]");
		return;
	}
	ip4_str(k.src, ip4_saddr(k.ip));
	ip4_str(k.dst, ip4_daddr(k.ip));
	if (st->verbose)
		ip_verbose(sb, k.ip, hl);
	k.p = p + hl;
	k.len = min_sz(len, ip4_tot_len(k.ip)) - hl;
	if (ip4_frag(k.ip) & IP_OFFSET)
		sb_printf(sb, "%s > %s: ip-proto-%u", k.src, k.dst, k.ip->protocol);
	else if (k.ip->protocol == IPPROTO_TCP)
		print_tcp(sb, st, &k);
	else if (k.ip->protocol == IPPROTO_UDP)
		print_udp(sb, st, &k);
	else if (k.ip->protocol == IPPROTO_ICMP)
		print_icmp(sb, &k);
	else
		sb_printf(sb, "%s > %s: ip-proto-%u %zu", k.src, k.dst, k.ip->protocol, k.len);
}

static void print_arp(struct strbuf *sb, const struct dump_style *st, const uint8_t *p, size_t len)
{
	const struct arp_hdr *h = (const struct arp_hdr *)(const void *)p;
	char s[IP4_STRLEN], d[IP4_STRLEN], m[MAC_STRLEN];

	if (!st->link)
		sb_puts(sb, "ARP, ");
	if (len < ARP_LEN) {
		sb_puts(sb, "[|arp]");
		return;
	}
	if (st->verbose)
		sb_puts(sb, "Ethernet (len 6), IPv4 (len 4), ");
	ip4_str(s, get_be32(h->spa));
	ip4_str(d, get_be32(h->tpa));
	if (get_be16(h->oper) == ARPOP_REQUEST && !strcmp(s, d))
		sb_printf(sb, "Announcement %s, length %zu", s, len);
	else if (get_be16(h->oper) == ARPOP_REQUEST)
		sb_printf(sb, "Request who-has %s tell %s, length %zu", d, s, len);
	else
		sb_printf(sb, "Reply %s is-at %s, length %zu", s, mac_str(m, h->sha), len);
}

void dump_line(struct strbuf *sb, struct dump_style *st, const uint8_t *p, size_t len)
{
	const struct eth_hdr *e = (const struct eth_hdr *)(const void *)p;
	char a[MAC_STRLEN], b[MAC_STRLEN];
	uint16_t type;

	if (len < ETH_HLEN) {
		sb_puts(sb, "[|ether]");
		return;
	}
	type = get_be16(e->type);
	if (st->link)
		sb_printf(sb, "%s > %s, ethertype %s (0x%04x), length %zu: ", mac_str(a, e->src), mac_str(b, e->dst),
			  type == ETH_P_IP ? "IPv4" : type == ETH_P_ARP ? "ARP" : "Unknown", type, len);
	if (type == ETH_P_IP)
		print_ip(sb, st, p + ETH_HLEN, len - ETH_HLEN);
	else if (type == ETH_P_ARP)
		print_arp(sb, st, p + ETH_HLEN, len - ETH_HLEN);
	else
		sb_printf(sb, "ethertype 0x%04x, length %zu", type, len);
}

void dump_hex(struct strbuf *sb, const uint8_t *p, size_t len, bool text)
{
	for (size_t at = 0; at < len; at += 16) {
		size_t n = min_sz(len - at, 16), before;

		sb_printf(sb, "\n\t0x%04zx: ", at);
		before = sb->len;
		for (size_t i = 0; i < n; i++)
			sb_printf(sb, i & 1 ? "%02x" : " %02x", p[at + i]);
		if (!text)
			continue;
		while (sb->len - before < 40)
			sb_putc(sb, ' ');
		sb_puts(sb, "  ");
		for (size_t i = 0; i < n; i++)
			sb_putc(sb, p[at + i] > ' ' && p[at + i] < 0x7f ? (char)p[at + i] : '.');
	}
}

void dump_ascii(struct strbuf *sb, const uint8_t *p, size_t len)
{
	sb_putc(sb, '\n');
	for (size_t i = 0; i < len; i++)
		if (p[i] != '\r')
			sb_putc(sb, p[i] == '\n' || p[i] == '\t' || (p[i] >= ' ' && p[i] < 0x7f) ? (char)p[i] : '.');
}

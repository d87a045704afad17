/* A frame's octets to a sentence. Called by story.c with frames as the cable's trace event carries them; uses app/'s
 * checked view of DNS messages. Every length is checked before it is used. Tests: tests/unit/lab/test_story.c. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include "app/dns_msg.h"
#include "base/strbuf.h"
#include "lab/frame_words.h"
#include "wire/ethernet.h"
#include "wire/ip4.h"
#include "wire/tcp_hdr.h"

#define WORDS_MAX_RECORDS 4u

/* Add to the text; what does not fit is cut. */
static void add(struct frame_words *w, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void add(struct frame_words *w, const char *fmt, ...)
{
	size_t at = strlen(w->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->text + at, sizeof(w->text) - at, fmt, ap);
	va_end(ap);
}

static bool arp_words(const uint8_t *p, uint32_t len, struct frame_words *w)
{
	const struct arp_hdr *a = (const void *)p;
	char ip[2][IP4_STRLEN], mac[MAC_STRLEN];

	if (len < ARP_LEN || get_be16(a->ptype) != ETH_P_IP || a->plen != 4 || a->hlen != ETH_ALEN)
		return false;
	w->saddr = get_be32(a->spa);
	w->daddr = get_be32(a->tpa);
	if (get_be16(a->oper) == ARPOP_REQUEST) {
		w->kind = FW_ARP_REQUEST;
		add(w, "who has %s? Tell %s", ip4_str(ip[0], w->daddr), ip4_str(ip[1], w->saddr));
	} else {
		w->kind = FW_ARP_REPLY;
		add(w, "%s is at %s", ip4_str(ip[0], w->saddr), mac_str(mac, a->sha));
	}
	return true;
}

/* ---- DNS ---- */

static const char *dns_type_word(uint16_t type)
{
	switch (type) {
	case DNS_A:
		return "A";
	case DNS_NS:
		return "NS";
	case DNS_CNAME:
		return "CNAME";
	case DNS_SOA:
		return "SOA";
	case DNS_MX:
		return "MX";
	case DNS_TXT:
		return "TXT";
	case DNS_PTR:
		return "PTR";
	case DNS_AAAA:
		return "AAAA";
	default:
		return "?";
	}
}

/* "com. NS a.gtld-servers.net." */
static void dns_record(struct frame_words *w, const struct dns_msg *m, const struct dns_rr *rr)
{
	char name[DNAME_TEXT_MAX];
	uint8_t rd[512];
	struct dname target;
	char ip[IP4_STRLEN];
	int n = dns_rdata_expand(m, rr, rd, sizeof(rd));

	add(w, "%.100s %s", dname_text(name, &rr->owner), dns_type_word(rr->type));
	if (n == 4 && rr->type == DNS_A)
		add(w, " %s", ip4_str(ip, get_be32(rd)));
	else if (n > 0 && rr->type != DNS_SOA && dns_rdata_name(rr->type, rd, (size_t)n, &target))
		add(w, " %.100s", dname_text(name, &target));
}

/* Records of one section, the first few. */
static void dns_section_words(struct frame_words *w, const struct dns_msg *m, enum dns_section section, const char *what)
{
	struct dns_walk walk;
	struct dns_rr rr;
	uint32_t n = 0;

	dns_walk_init(&walk, m);
	while (dns_walk_next(&walk, &rr)) {
		if (rr.section != section || rr.type == DNS_OPT)
			continue;
		if (n++ >= WORDS_MAX_RECORDS)
			continue;
		add(w, "%s", n == 1 ? what : ", ");
		dns_record(w, m, &rr);
		if (section == DNS_AN)
			add(w, " (%u s)", rr.ttl);
	}
	if (n > WORDS_MAX_RECORDS)
		add(w, " and %u more", n - WORDS_MAX_RECORDS);
}

static bool dns_words(const uint8_t *p, uint32_t len, struct frame_words *w)
{
	static const char *const rcode[] = { "no error", "format error", "server failure", "no such name",
					     "not implemented", "refused" };
	char name[DNAME_TEXT_MAX];
	struct dns_msg m;

	if (dns_msg_check(&m, p, len) != DNS_FINE || !m.has_question)
		return false;
	add(w, "%.150s %s", dname_text(name, &m.qname), dns_type_word(m.qtype));
	if (!(m.flags & DNS_QR)) {
		w->kind = FW_DNS_QUERY;
		add(w, "?%s", m.flags & DNS_RD ? " (recursion desired)" : "");
		return true;
	}
	w->kind = FW_DNS_REPLY;
	add(w, ": ");
	if (dns_rcode(&m))
		add(w, "%s", dns_rcode(&m) < ARRAY_SIZE(rcode) ? rcode[dns_rcode(&m)] : "an error");
	else if (m.count[DNS_AN])
		dns_section_words(w, &m, DNS_AN, "");
	else if (!(m.flags & DNS_AA) && m.count[DNS_AUTH])
		add(w, "a referral");
	else
		add(w, "no such record");
	if (!dns_rcode(&m) && !m.count[DNS_AN] && !(m.flags & DNS_AA)) {
		dns_section_words(w, &m, DNS_AUTH, ": ");
		dns_section_words(w, &m, DNS_AR, "; ");
	}
	add(w, "%s", m.flags & DNS_AA ? ", authoritative" : "");
	return true;
}

/* ---- transports ---- */

static void udp_words(const uint8_t *p, uint32_t len, struct frame_words *w)
{
	const struct udp_hdr *h = (const void *)p;

	if (len < UDP_HLEN)
		return;
	w->kind = FW_UDP;
	w->sport = get_be16(h->source);
	w->dport = get_be16(h->dest);
	w->payload = len - UDP_HLEN;
	if ((w->sport == DNS_PORT || w->dport == DNS_PORT) && dns_words(p + UDP_HLEN, len - UDP_HLEN, w))
		return;
	add(w, "UDP port %u to %u, %u octets", w->sport, w->dport, w->payload);
}

static void tcp_option_words(const uint8_t *p, uint32_t len, struct frame_words *w)
{
	while (len && p[0] != TCPOPT_EOL) {
		uint32_t n = p[0] == TCPOPT_NOP ? 1 : len >= 2 ? p[1] : 0;

		if (!n || n > len || (p[0] != TCPOPT_NOP && n < 2))
			return;
		if (p[0] == TCPOPT_MSS && n == 4)
			add(w, ", MSS %u", get_be16(p + 2));
		else if (p[0] == TCPOPT_WINDOW && n == 3)
			add(w, ", window scale %u", p[2]);
		else if (p[0] == TCPOPT_SACK_PERM)
			add(w, ", SACK permitted");
		else if (p[0] == TCPOPT_TIMESTAMP)
			add(w, ", timestamps");
		p += n;
		len -= n;
	}
}

static void tcp_words(const uint8_t *p, uint32_t len, struct frame_words *w)
{
	const struct tcp_hdr *h = (const void *)p;
	uint32_t hlen;
	const char *what;

	if (len < TCP_HLEN)
		return;
	hlen = tcp_hdrlen(h);
	if (hlen < TCP_HLEN || hlen > len)
		return;
	w->sport = get_be16(h->source);
	w->dport = get_be16(h->dest);
	w->seq = get_be32(h->seq);
	w->ack = get_be32(h->ack_seq);
	w->flags = h->flags;
	w->payload = len - hlen;
	if (h->flags & TCP_RST) {
		w->kind = FW_TCP_RST;
		what = "RST";
	} else if (h->flags & TCP_SYN) {
		w->kind = h->flags & TCP_ACK ? FW_TCP_SYNACK : FW_TCP_SYN;
		what = h->flags & TCP_ACK ? "SYN and ACK" : "SYN";
	} else if (h->flags & TCP_FIN) {
		w->kind = FW_TCP_FIN;
		what = "FIN and ACK";
	} else {
		w->kind = w->payload ? FW_TCP_DATA : FW_TCP_ACK;
		what = w->payload ? "data" : "ACK";
	}
	add(w, "%s from port %u to %u, seq %u", what, w->sport, w->dport, w->seq);
	if (h->flags & TCP_ACK)
		add(w, ", ack %u", w->ack);
	if (w->payload)
		add(w, ", %u octets", w->payload);
	add(w, ", window %u", get_be16(h->window));
	if (h->flags & TCP_SYN)
		tcp_option_words(p + TCP_HLEN, hlen - TCP_HLEN, w);
}

static void icmp_words(const uint8_t *p, uint32_t len, struct frame_words *w)
{
	static const char *const unreach[] = { "network unreachable", "host unreachable", "protocol unreachable",
					       "port unreachable",    "fragmentation needed" };
	const struct icmp_hdr *h = (const void *)p;

	if (len < ICMP_HLEN)
		return;
	w->kind = FW_ICMP;
	if (h->type == ICMP_ECHO || h->type == ICMP_ECHOREPLY) {
		add(w, "ICMP echo %s, %u octets", h->type == ICMP_ECHO ? "request" : "reply", len - ICMP_HLEN);
		return;
	}
	w->kind = FW_ICMP_ERROR;
	if (h->type == ICMP_DEST_UNREACH)
		add(w, "ICMP %s", h->code < ARRAY_SIZE(unreach) ? unreach[h->code] : "destination unreachable");
	else if (h->type == ICMP_TIME_EXCEEDED)
		add(w, "ICMP time exceeded");
	else
		add(w, "ICMP type %u code %u", h->type, h->code);
}

static bool ip_words(const uint8_t *p, uint32_t len, struct frame_words *w)
{
	const struct ip4_hdr *h = (const void *)p;
	uint32_t hlen, l4;

	if (len < IP4_HLEN || ip4_version(h) != 4)
		return false;
	hlen = ip4_hlen(h);
	if (hlen < IP4_HLEN || ip4_tot_len(h) < hlen || ip4_tot_len(h) > len)
		return false;
	w->saddr = ip4_saddr(h);
	w->daddr = ip4_daddr(h);
	w->ttl = h->ttl;
	l4 = ip4_tot_len(h) - hlen;
	if (ip4_is_fragment(h)) {
		w->kind = FW_FRAGMENT;
		add(w, "a fragment at offset %u, %u octets", (ip4_frag(h) & IP_OFFSET) * 8u, l4);
	} else if (h->protocol == IPPROTO_TCP) {
		tcp_words(p + hlen, l4, w);
	} else if (h->protocol == IPPROTO_UDP) {
		udp_words(p + hlen, l4, w);
	} else if (h->protocol == IPPROTO_ICMP) {
		icmp_words(p + hlen, l4, w);
	}
	if (!w->text[0])
		add(w, "IP protocol %u, %u octets", h->protocol, l4);
	return true;
}

bool frame_words(const uint8_t *wire, uint32_t len, struct frame_words *w)
{
	const uint8_t *eth = wire + ETH_PREAMBLE_LEN;
	uint32_t n;

	memset(w, 0, sizeof(*w));
	w->octets = len;
	if (len < ETH_PREAMBLE_LEN + ETH_HLEN + ETH_FCS_LEN || wire[ETH_PREAMBLE_LEN - 1] != ETH_SFD_OCTET)
		return false;
	n = len - ETH_PREAMBLE_LEN - ETH_HLEN - ETH_FCS_LEN;
	w->broadcast = mac_is_broadcast(eth);
	if (get_be16(eth + 12) == ETH_P_ARP)
		return arp_words(eth + ETH_HLEN, n, w);
	return get_be16(eth + 12) == ETH_P_IP && ip_words(eth + ETH_HLEN, n, w);
}

/* Every octet of a frame on the cable with its name: preamble, SFD, Ethernet, ARP or IPv4, ICMP, UDP or TCP, payload,
 * padding, FCS. Lengths are checked before each header; what does not parse is shown as plain octets. Called by
 * cmd_trace.c. Tests: tests/lab/trace. */
#include <stdio.h>
#include <string.h>
#include "cli/wire_show.h"
#include "wire/ethernet.h"
#include "wire/ip4.h"
#include "wire/tcp_hdr.h"

#define WIRE_HEX_MAX 8 /* octets of a field shown on its line */
#define WIRE_ROW 16

struct wire_cursor {
	struct strbuf *out;
	const uint8_t *p;
	uint32_t left;
};

/* "  name         08 00                    what it says" and move on. */
static void field(struct wire_cursor *c, uint32_t n, const char *name, const char *fmt, ...) PRINTF_LIKE(4, 5);
static void field(struct wire_cursor *c, uint32_t n, const char *name, const char *fmt, ...)
{
	char hex[WIRE_HEX_MAX * 3 + 1] = "";
	va_list ap;

	n = min_u32(n, c->left);
	for (uint32_t i = 0; i < n && i < WIRE_HEX_MAX; i++)
		snprintf(hex + i * 3, 4, "%02x ", c->p[i]);
	sb_printf(c->out, "  %-18s %-24s ", name, hex);
	va_start(ap, fmt);
	sb_vprintf(c->out, fmt, ap);
	va_end(ap);
	sb_putc(c->out, '\n');
	c->p += n;
	c->left -= n;
}

/* Octets without further names, sixteen a row, with what is printable. */
static void rows(struct wire_cursor *c, uint32_t n, const char *name)
{
	n = min_u32(n, c->left);
	if (n)
		sb_printf(c->out, "%s, %u octets\n", name, n);
	for (uint32_t i = 0; i < n; i += WIRE_ROW) {
		sb_printf(c->out, "  %04x  ", i);
		for (uint32_t k = i; k < i + WIRE_ROW; k++) {
			if (k < n)
				sb_printf(c->out, "%02x ", c->p[k]);
			else
				sb_puts(c->out, "   ");
		}
		sb_putc(c->out, ' ');
		for (uint32_t k = i; k < i + WIRE_ROW && k < n; k++)
			sb_putc(c->out, c->p[k] >= 0x20 && c->p[k] < 0x7f ? (char)c->p[k] : '.');
		sb_putc(c->out, '\n');
	}
	c->p += n;
	c->left -= n;
}

static void show_arp(struct wire_cursor *c)
{
	const struct arp_hdr *a = (const void *)c->p;
	uint16_t op = get_be16(a->oper);
	char mac[MAC_STRLEN], ip[IP4_STRLEN];

	sb_puts(c->out, "ARP\n");
	field(c, 2, "hardware", "%u%s", get_be16(a->htype), get_be16(a->htype) == 1 ? " Ethernet" : "");
	field(c, 2, "protocol", "%s", get_be16(a->ptype) == ETH_P_IP ? "IPv4" : "another");
	field(c, 1, "hardware length", "%u", a->hlen);
	field(c, 1, "protocol length", "%u", a->plen);
	field(c, 2, "operation", "%u %s", op, op == ARPOP_REQUEST ? "who has" : op == ARPOP_REPLY ? "is at" : "another");
	field(c, 6, "sender MAC", "%s", mac_str(mac, a->sha));
	field(c, 4, "sender IP", "%s", ip4_str(ip, get_be32(a->spa)));
	field(c, 6, "target MAC", "%s", mac_str(mac, a->tha));
	field(c, 4, "target IP", "%s", ip4_str(ip, get_be32(a->tpa)));
}

static const char *right(bool ok)
{
	return ok ? "right" : "WRONG";
}

/* Checksum over the pseudo header and the rest of the datagram, which is all here. */
static bool l4_ok(const struct ip4_hdr *h, const uint8_t *p, uint32_t len)
{
	return csum_fold(csum_tcpudp_nofold(ip4_saddr(h), ip4_daddr(h), len, h->protocol, csum_partial(p, len, 0))) == 0;
}

static void show_tcp_options(struct wire_cursor *c, uint32_t len)
{
	static const char *const name[] = { "end", "no operation", "MSS", "window scale", "SACK permitted", "SACK",
					    NULL,  NULL,	   "timestamps" };

	while (len) {
		uint8_t kind = c->p[0];
		uint32_t n = kind <= TCPOPT_NOP ? 1 : len >= 2 ? c->p[1] : 0;
		const char *what = kind < ARRAY_SIZE(name) && name[kind] ? name[kind] : "option";

		if (n < 1 || n > len || (kind > TCPOPT_NOP && n < 2)) {
			field(c, len, "options", "malformed");
			return;
		}
		if (kind == TCPOPT_MSS && n == 4)
			field(c, n, "option", "%s %u", what, get_be16(c->p + 2));
		else if (kind == TCPOPT_WINDOW && n == 3)
			field(c, n, "option", "%s %u", what, c->p[2]);
		else if (kind == TCPOPT_TIMESTAMP && n == 10)
			field(c, n, "option", "%s %u, echo %u", what, get_be32(c->p + 2), get_be32(c->p + 6));
		else
			field(c, n, "option", "%s (kind %u)", what, kind);
		len -= n;
	}
}

static void show_tcp(struct wire_cursor *c, const struct ip4_hdr *ip, uint32_t len)
{
	static const char names[] = "FSRPAUEC";
	const struct tcp_hdr *h = (const void *)c->p;
	uint32_t hlen = tcp_hdrlen(h);
	char flags[9] = "";
	bool ok = l4_ok(ip, c->p, len);
	size_t n = 0;

	if (hlen < TCP_HLEN || hlen > len)
		return;
	for (unsigned i = 0; i < 8; i++)
		if (h->flags & (1u << i))
			flags[n++] = names[i];
	sb_puts(c->out, "TCP\n");
	field(c, 2, "source port", "%u", get_be16(h->source));
	field(c, 2, "destination port", "%u", get_be16(h->dest));
	field(c, 4, "sequence", "%u", get_be32(h->seq));
	field(c, 4, "acknowledgement", "%u", get_be32(h->ack_seq));
	field(c, 1, "data offset", "%u octets of header", hlen);
	field(c, 1, "flags", "%s", flags);
	field(c, 2, "window", "%u", get_be16(h->window));
	field(c, 2, "checksum", "%s", right(ok));
	field(c, 2, "urgent pointer", "%u", get_be16(h->urg_ptr));
	show_tcp_options(c, hlen - TCP_HLEN);
	rows(c, len - hlen, "payload");
}

static void show_udp(struct wire_cursor *c, const struct ip4_hdr *ip, uint32_t len)
{
	const struct udp_hdr *h = (const void *)c->p;
	bool none = get_be16(h->check) == 0, ok = l4_ok(ip, c->p, len);

	sb_puts(c->out, "UDP\n");
	field(c, 2, "source port", "%u", get_be16(h->source));
	field(c, 2, "destination port", "%u", get_be16(h->dest));
	field(c, 2, "length", "%u", get_be16(h->len));
	field(c, 2, "checksum", "%s", none ? "none" : right(ok));
	rows(c, len - UDP_HLEN, "payload");
}

static void show_icmp(struct wire_cursor *c, uint32_t len)
{
	const struct icmp_hdr *h = (const void *)c->p;
	bool ok = csum_fold(csum_partial(c->p, len, 0)) == 0;
	const char *what = h->type == ICMP_ECHO ? "echo request" :
			   h->type == ICMP_ECHOREPLY ? "echo reply" :
			   h->type == ICMP_DEST_UNREACH ? "destination unreachable" :
			   h->type == ICMP_TIME_EXCEEDED ? "time exceeded" : "another";

	sb_puts(c->out, "ICMP\n");
	field(c, 1, "type", "%u %s", h->type, what);
	field(c, 1, "code", "%u", h->code);
	field(c, 2, "checksum", "%s", right(ok));
	field(c, 4, "rest of header", "%s", "");
	rows(c, len - ICMP_HLEN, "payload");
}

/* An IPv4 datagram in the frame. Padding behind it is left to the caller. */
static void show_ip(struct wire_cursor *c)
{
	const struct ip4_hdr *h = (const void *)c->p;
	uint32_t hlen, len, l4;
	uint16_t frag;
	char ip[IP4_STRLEN];

	if (c->left < IP4_HLEN || ip4_version(h) != 4)
		return;
	hlen = ip4_hlen(h);
	len = ip4_tot_len(h);
	if (hlen < IP4_HLEN || hlen > len || len > c->left)
		return;
	frag = ip4_frag(h);
	l4 = len - hlen;
	sb_puts(c->out, "IPv4\n");
	field(c, 1, "version, length", "4, %u octets of header", hlen);
	field(c, 1, "type of service", "0x%02x", h->tos);
	field(c, 2, "total length", "%u", len);
	field(c, 2, "identification", "%u", ip4_id(h));
	field(c, 2, "flags, offset", "%s%s%u", frag & IP_DF ? "DF " : "", frag & IP_MF ? "MF " : "", (frag & IP_OFFSET) * 8u);
	field(c, 1, "time to live", "%u", h->ttl);
	field(c, 1, "protocol", "%u %s", h->protocol,
	      h->protocol == 1 ? "ICMP" : h->protocol == 6 ? "TCP" : h->protocol == 17 ? "UDP" : "another");
	field(c, 2, "header checksum", "%s", right(ip4_fast_csum(h, hlen) == 0));
	field(c, 4, "source", "%s", ip4_str(ip, ip4_saddr(h)));
	field(c, 4, "destination", "%s", ip4_str(ip, ip4_daddr(h)));
	if (hlen > IP4_HLEN)
		rows(c, hlen - IP4_HLEN, "IPv4 options");
	if (!ip4_is_fragment(h) && h->protocol == 6 && l4 >= TCP_HLEN)
		show_tcp(c, h, l4);
	else if (!ip4_is_fragment(h) && h->protocol == 17 && l4 >= UDP_HLEN)
		show_udp(c, h, l4);
	else if (!ip4_is_fragment(h) && h->protocol == 1 && l4 >= ICMP_HLEN)
		show_icmp(c, l4);
	else
		rows(c, l4, "payload");
}

void wire_show(struct strbuf *out, const uint8_t *frame, uint32_t len)
{
	static const uint8_t head[ETH_PREAMBLE_LEN] = { 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0xd5 };
	struct wire_cursor c = { out, head, sizeof(head) };
	char mac[MAC_STRLEN];
	uint32_t fcs;
	uint16_t type;

	sb_puts(out, "cable\n");
	field(&c, 7, "preamble", "%s", "bits in turn, for the receiver's clock");
	field(&c, 1, "SFD", "%s", "here the frame begins");
	c.p = frame;
	c.left = len;
	if (len < ETH_HLEN + ETH_FCS_LEN) {
		rows(&c, len, "a frame that is too short");
		return;
	}
	c.left -= ETH_FCS_LEN;
	fcs = eth_fcs(frame, c.left);
	type = get_be16(frame + 12);
	sb_puts(out, "Ethernet\n");
	field(&c, 6, "destination", "%s%s", mac_str(mac, c.p), mac_is_broadcast(c.p) ? " (all)" : "");
	field(&c, 6, "source", "%s", mac_str(mac, c.p));
	field(&c, 2, "type", "%s", type == ETH_P_IP ? "IPv4" : type == ETH_P_ARP ? "ARP" : "another");
	if (type == ETH_P_ARP && c.left >= ARP_LEN)
		show_arp(&c);
	else if (type == ETH_P_IP)
		show_ip(&c);
	rows(&c, c.left, type == ETH_P_IP || type == ETH_P_ARP ? "padding" : "payload");
	c.left = ETH_FCS_LEN;
	sb_puts(out, "cable\n");
	field(&c, 4, "FCS", "%s", right(c.p[0] == (uint8_t)fcs && c.p[1] == (uint8_t)(fcs >> 8) &&
					c.p[2] == (uint8_t)(fcs >> 16) && c.p[3] == (uint8_t)(fcs >> 24)));
}

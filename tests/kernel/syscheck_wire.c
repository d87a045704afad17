/* Packets of a case: "sniff DEV [arp|ids]" listens with a packet socket, "frames" tells what has come and gone since (on lo only as
 * it leaves; TCP and UDP only of the case's own ports), "icmp TYPE CODE
 * [WORD]" sends this host an ICMP message that quotes the last packet that went out, and "seg N FLAGS SEQ ACK LEN" sends
 * socket N a segment in its peer's name, SEQ and ACK being what they are off what N expects. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "syscheck.h"

#define SAY(...) task_printf(s->t, __VA_ARGS__)
#define ARG(i) ((i) < s->argc ? s->argv[i] : "")

static uint32_t be32(const uint8_t *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }
static uint16_t be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static void set16(uint8_t *p, uint16_t v) { p[0] = (uint8_t)(v >> 8), p[1] = (uint8_t)v; }
static void set32(uint8_t *p, uint32_t v) { set16(p, (uint16_t)(v >> 16)), set16(p + 2, (uint16_t)v); }

static uint16_t sum(const uint8_t *p, size_t n, uint32_t acc)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		acc += be16(p + i);
	if (n & 1)
		acc += (uint32_t)p[n - 1] << 8;
	while (acc >> 16)
		acc = (acc & 0xffff) + (acc >> 16);
	return (uint16_t)~acc;
}

void sc_sniff(struct sc *s)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct ifreq r;
	int fd = sys_socket(s->t, AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL)), err;

	memset(&r, 0, sizeof(r));
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", ARG(1));
	err = fd < 0 ? fd : sys_ioctl(s->t, fd, SIOCGIFINDEX, &r);
	a.sll_ifindex = r.ifr_ifindex;
	if (!err)
		err = sys_bind(s->t, fd, (void *)&a, sizeof(a));
	if (err)
		SAY(" sniff=%s", sc_errno(err));
	s->sniff = fd;
	s->sniff_lo = !strcmp(ARG(1), "lo");
	s->sniff_arp = !strcmp(ARG(2), "arp");
	s->sniff_ids = !strcmp(ARG(2), "ids");
}

/* Does the packet belong to this case? Earlier ones leave retransmissions behind. */
static bool mine(const struct sc *s, const uint8_t *ip)
{
	const uint8_t *l4 = ip + ((ip[0] & 15) << 2);

	if ((ip[9] != 6 && ip[9] != 17) || be16(ip + 6) & 0x1fff)
		return true;
	return (uint16_t)(be16(l4) - s->port0) < 10 || (uint16_t)(be16(l4 + 2) - s->port0) < 10;
}

static struct sc_flow *flow_of(struct sc *s, const uint8_t *ip, const uint8_t *l4)
{
	struct sc_flow f = { be32(ip + 12), be32(ip + 16), 0, be16(l4), be16(l4 + 2), be16(ip + 4), ip[9] }, *p;

	for (p = s->flow; p < s->flow + s->n_flows; p++)
		if (p->src == f.src && p->dst == f.dst && p->sport == f.sport && p->dport == f.dport && p->proto == f.proto)
			return p;
	if (s->n_flows == SC_FLOWS)
		return &s->flow[SC_FLOWS - 1];
	s->n_flows++;
	*p = f;
	return p;
}

static const struct sc_flow *reverse_of(const struct sc *s, const struct sc_flow *f)
{
	for (const struct sc_flow *p = s->flow; p < s->flow + s->n_flows; p++)
		if (p->src == f->dst && p->dst == f->src && p->sport == f->dport && p->dport == f->sport && p->proto == f->proto)
			return p;
	return NULL;
}

static void ports_show(struct sc *s, const uint8_t *l4)
{
	char a[8], b[8];

	sc_port_show(s, be16(l4), a);
	sc_port_show(s, be16(l4 + 2), b);
	SAY(" %s>%s", a, b);
}

static void tcp_options(struct sc *s, const uint8_t *o, int n)
{
	SAY(" <");
	for (int i = 0; i < n; ) {
		int kind = o[i], len = kind < 2 ? 1 : i + 1 < n ? o[i + 1] : 1;

		if (len < 1 || i + len > n)
			break;
		SAY("%s%s", i ? "," : "", kind == 0 ? "eol" : kind == 1 ? "nop" : kind == 2 ? "mss" : kind == 3 ? "ws" :
		    kind == 4 ? "sackOK" : kind == 5 ? "sack" : kind == 8 ? "ts" : kind == 34 ? "fo" : "opt");
		if (kind == 2 && len == 4)
			SAY("%u", be16(o + i + 2));
		if (kind == 3 && len == 3)
			SAY("%u", o[i + 2]);
		i += len;
	}
	SAY(">");
}

static void tcp_show(struct sc *s, const uint8_t *ip, const uint8_t *tcp, size_t len, size_t there)
{
	struct sc_flow *f = flow_of(s, ip, tcp);
	const struct sc_flow *r = reverse_of(s, f);
	int head = tcp[12] >> 4 << 2, flags = tcp[13];

	if (flags & 2 || (!f->isn && !r))
		f->isn = be32(tcp + 4);
	else if (!f->isn)
		f->isn = be32(tcp + 4);
	ports_show(s, tcp);
	SAY(" %s%s%s%s%s%s%s%s", flags & 2 ? "S" : "", flags & 1 ? "F" : "", flags & 4 ? "R" : "", flags & 8 ? "P" : "",
	    flags & 32 ? "U" : "", flags & 64 ? "E" : "", flags & 128 ? "W" : "", flags & 16 ? "." : "");
	SAY(" seq=%u", flags & 4 && !(flags & 16) && be32(tcp + 4) == 0 ? 0 : be32(tcp + 4) - f->isn);
	if (flags & 16)
		SAY(" ack=%u", r ? be32(tcp + 8) - r->isn : 0);
	SAY(" win=%u", be16(tcp + 14));
	if (flags & 32)
		SAY(" urg=%u", be16(tcp + 18));
	if (head > 20 && there >= (size_t)head)
		tcp_options(s, tcp + 20, head - 20);
	SAY(" data=%zu", len - (size_t)head);
}

static void ip_show(struct sc *s, const uint8_t *ip, size_t len);

static void icmp_show(struct sc *s, const uint8_t *p, size_t len)
{
	SAY(" icmp %u/%u", p[0], p[1]);
	if (p[0] == 0 || p[0] == 8) {
		SAY(" seq=%u data=%zu", be16(p + 6), len - 8);
		return;
	}
	if (p[0] == 13 || p[0] == 14)
		SAY(" octets=%zu", len);
	if (p[0] != 3 && p[0] != 4 && p[0] != 5 && p[0] != 11 && p[0] != 12)
		return;
	SAY(" word=%s%u quotes=%zu", p[0] == 5 ? "gw" : "", be32(p + 4), len - 8);
	if (len >= 8 + 28) {
		SAY(" (");
		ip_show(s, p + 8, len - 8);
		SAY(")");
	}
}

static void igmp_show(struct sc *s, const uint8_t *p, size_t len)
{
	char g[INET_ADDRSTRLEN];

	SAY(" igmp 0x%02x", p[0]);
	if (p[0] == 0x22)
		for (size_t i = 8; i + 8 <= len; i += 8 + 4u * be16(p + i + 2))
			SAY(" %u:%s/%u", p[i], inet_ntop(AF_INET, p + i + 4, g, sizeof(g)), be16(p + i + 2));
	else
		SAY(" %s", inet_ntop(AF_INET, p + 4, g, sizeof(g)));
}

/* An identification is a random number, and those after it in a flow count up, or are 0, or another generator's. */
static void id_show(struct sc *s, uint16_t id, uint16_t since)
{
	if (!id)
		SAY(" id=0");
	else if (since < 100)
		SAY(" id=x+%u", since);
	else
		SAY(" id=y");
}

static void ip_show(struct sc *s, const uint8_t *ip, size_t len)
{
	char a[INET_ADDRSTRLEN], b[INET_ADDRSTRLEN];
	size_t head = (size_t)(ip[0] & 15) << 2, total = be16(ip + 2);
	const uint8_t *l4 = ip + head;
	unsigned off = be16(ip + 6);

	if (len < head)
		return;
	SAY("%s>%s len=%zu%s ttl=%u", inet_ntop(AF_INET, ip + 12, a, sizeof(a)), inet_ntop(AF_INET, ip + 16, b, sizeof(b)), total,
	    head > 20 ? " opts" : "", ip[8]);
	if (ip[1])
		SAY(" tos=0x%x", ip[1]);
	SAY("%s", off & 0x4000 ? " DF" : "");
	if (off & 0x3fff)
		SAY(" frag=%u%s", (off & 0x1fff) * 8, off & 0x2000 ? "+" : "");
	if ((off & 0x1fff) == 0 && len >= head + 8 && (ip[9] == 6 || (s->sniff_ids && ip[9] == 17))) {
		struct sc_flow *f = flow_of(s, ip, l4);
		if (!f->id0)
			f->id0 = be16(ip + 4); /* the first that is not 0 */
		id_show(s, be16(ip + 4), (uint16_t)(be16(ip + 4) - f->id0));
	} else if (!be16(ip + 4) && !(off & 0x4000)) {
		SAY(" id=0");
	}
	if (off & 0x1fff || len < head + 8)
		SAY(" proto=%u", ip[9]);
	else if (ip[9] == 6 && len >= head + 20)
		tcp_show(s, ip, l4, total - head, len - head);
	else if (ip[9] == 17)
		ports_show(s, l4), SAY(" udp data=%u", be16(l4 + 4) - 8);
	else if (ip[9] == 1)
		icmp_show(s, l4, (total < len ? total : len) - head);
	else if (ip[9] == 2)
		igmp_show(s, l4, total - head);
	else
		SAY(" proto=%u", ip[9]);
}

static void arp_show(struct sc *s, const uint8_t *p)
{
	char a[INET_ADDRSTRLEN], b[INET_ADDRSTRLEN];

	SAY("arp op=%u %s>%s%s", be16(p + 6), inet_ntop(AF_INET, p + 14, a, sizeof(a)), inet_ntop(AF_INET, p + 24, b, sizeof(b)),
	    memcmp(p + 18, "\0\0\0\0\0\0", 6) ? " known" : "");
}

/* Remember the last packet of a flow that went out, for icmp and seg. */
static void keep_last(struct sc *s, const uint8_t *ip, size_t len, int pkttype)
{
	if (pkttype != PACKET_OUTGOING || (ip[9] != 6 && ip[9] != 17 && !(ip[9] == 1 && ip[20] == 8)))
		return;
	s->last_len = len < SC_FRAME ? len : SC_FRAME;
	memcpy(s->last, ip, s->last_len);
}

static void drain(struct sc *s, bool show)
{
	static const char *const types[] = { "host", "bcast", "mcast", "other", "out" };
	struct sockaddr_ll a;
	uint8_t p[SC_FRAME];

	for (;;) {
		socklen_t alen = sizeof(a);
		ssize_t n = sys_recvfrom(s->t, s->sniff, p, sizeof(p), MSG_DONTWAIT, (void *)&a, &alen);

		if (n < 0)
			return;
		if (ntohs(a.sll_protocol) != ETH_P_IP && (ntohs(a.sll_protocol) != ETH_P_ARP || !s->sniff_arp))
			continue;
		if (s->sniff_lo && a.sll_pkttype != PACKET_OUTGOING)
			continue;
		if (ntohs(a.sll_protocol) == ETH_P_IP && !mine(s, p))
			continue;
		if (show)
			SAY("\n  %s ", a.sll_pkttype < 5 ? types[a.sll_pkttype] : "?");
		if (ntohs(a.sll_protocol) == ETH_P_IP) {
			if (n >= 28)
				keep_last(s, p, (size_t)n, a.sll_pkttype);
			if (show)
				ip_show(s, p, (size_t)n);
		} else if (show) {
			arp_show(s, p);
		}
	}
}

void sc_frames(struct sc *s)
{
	drain(s, true);
	SAY("\n ");
}

void sc_icmp(struct sc *s)
{
	uint8_t m[8 + 576];
	struct sockaddr_in to = { .sin_family = AF_INET };
	size_t quote;
	int fd = sys_socket(s->t, AF_INET, SOCK_RAW, IPPROTO_ICMP), err;

	drain(s, false);
	quote = s->last_len < 548 ? s->last_len : 548;
	if (fd < 0 || !quote) {
		SAY(" icmp=nothing-to-quote");
		return;
	}
	memset(m, 0, 8);
	m[0] = (uint8_t)atoi(ARG(1));
	m[1] = (uint8_t)atoi(ARG(2));
	set32(m + 4, (uint32_t)strtoul(ARG(3), NULL, 0));
	memcpy(m + 8, s->last, quote);
	set16(m + 2, sum(m, 8 + quote, 0));
	memcpy(&to.sin_addr, s->last + 12, 4);
	err = (int)sys_sendto(s->t, fd, m, 8 + quote, 0, (void *)&to, sizeof(to));
	if (err < 0)
		SAY(" icmp=%s", sc_errno(err));
	sys_close(s->t, fd);
	sys_nanosleep(s->t, 5000000);
	drain(s, false);
}

static uint8_t seg_flags(const char *f)
{
	uint8_t v = 0;

	for (; *f; f++)
		v |= (uint8_t)(*f == 'F' ? 1 : *f == 'S' ? 2 : *f == 'R' ? 4 : *f == 'P' ? 8 : *f == '.' ? 16 : *f == 'U' ? 32 : 0);
	return v;
}

/* What socket s->last's sender expects next, and what it has sent. */
void sc_seg(struct sc *s)
{
	const uint8_t *ip = s->last, *tcp = s->last + 20;
	struct sockaddr_in to = { .sin_family = AF_INET };
	uint8_t p[60 + 1500] = { 0x45 };
	bool ts = s->last_len >= 52 && tcp[12] >> 4 == 8 && tcp[22] == 8; /* nop, nop, timestamp: answered with one */
	size_t data = (size_t)atoi(ARG(4)), head = ts ? 52 : 40, total = head + data;
	uint32_t pseudo = 0, next;
	int fd = sys_socket(s->t, AF_INET, SOCK_RAW, IPPROTO_RAW), err;

	drain(s, false);
	if (fd < 0 || s->last_len < 40 || ip[9] != 6 || data > 1400) {
		SAY(" seg=nothing-to-answer");
		return;
	}
	next = be32(tcp + 4) + (uint32_t)(be16(ip + 2) - 20 - (tcp[12] >> 4 << 2)) + (tcp[13] & 1) + (tcp[13] >> 1 & 1);
	set16(p + 2, (uint16_t)total);
	p[8] = 64, p[9] = 6;
	memcpy(p + 12, ip + 16, 4);
	memcpy(p + 16, ip + 12, 4);
	memcpy(p + 20, tcp + 2, 2);
	memcpy(p + 22, tcp, 2);
	set32(p + 24, (tcp[13] & 16 ? be32(tcp + 8) : 0) + (uint32_t)atol(ARG(2)));
	set32(p + 28, next + (uint32_t)atol(ARG(3)));
	p[32] = ts ? 0x80 : 0x50, p[33] = seg_flags(ARG(1));
	if (ts) {
		memcpy(p + 40, tcp + 20, 4);
		memcpy(p + 44, tcp + 28, 4);
		memcpy(p + 48, tcp + 24, 4);
	}
	set16(p + 34, 1000);
	for (int i = 12; i < 20; i += 2)
		pseudo += be16(p + i);
	set16(p + 36, sum(p + 20, total - 20, pseudo + 6 + (uint32_t)total - 20));
	memcpy(&to.sin_addr, p + 16, 4);
	err = (int)sys_sendto(s->t, fd, p, total, 0, (void *)&to, sizeof(to));
	if (err < 0)
		SAY(" seg=%s", sc_errno(err));
	sys_close(s->t, fd);
	sys_nanosleep(s->t, 5000000);
}

/* tcpdump: packets from a packet socket, filtered by libpcap's compiler, printed one line each (or written as a
 * pcap file to the host's file tree with -w). Sees what a tap sees: after the driver on receive, before it on send. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include "app/app_cmds.h"
#include "app/app_util.h"
#include "app/nlc.h"
#include "app/tcpdump.h"
#include "socket/syscall.h"
#include "wire/ethernet.h"
#include "wire/ip4.h"
#include "wire/tcp_hdr.h"

#define SNAPLEN 65550
#define EPOCH_2000 946684800ULL

struct dump {
	struct task *t;
	int fd, out;
	uint64_t count, seen;
	bool link, verbose, quiet, own_only; /* own_only: -p, no promiscuous mode */
	struct bpf_program prog;
	bool filtered;
};

static void tcp_flags(struct strbuf *sb, uint8_t f)
{
	static const struct { uint8_t bit; char c; } n[] = { { TCP_FIN, 'F' }, { TCP_SYN, 'S' }, { TCP_RST, 'R' }, { TCP_PSH, 'P' },
							     { TCP_URG, 'U' }, { TCP_ECE, 'E' }, { TCP_CWR, 'W' }, { TCP_ACK, '.' } };
	size_t before = sb->len;

	for (size_t i = 0; i < ARRAY_SIZE(n); i++)
		if (f & n[i].bit)
			sb_putc(sb, n[i].c);
	if (sb->len == before)
		sb_puts(sb, "none");
}

static void tcp_options(struct strbuf *sb, const uint8_t *o, size_t len)
{
	bool first = true;

	while (len && o[0] != TCPOPT_EOL) {
		size_t n = o[0] == TCPOPT_NOP ? 1 : len > 1 ? o[1] : 0;
		if (n < 1 || n > len || (o[0] != TCPOPT_NOP && n < 2)) {
			sb_puts(sb, first ? "[bad opt" : ",[bad opt");
			sb_putc(sb, ']');
			return;
		}
		if (!first)
			sb_putc(sb, ',');
		first = false;
		if (o[0] == TCPOPT_NOP)
			sb_puts(sb, "nop");
		else if (o[0] == TCPOPT_MSS && n == 4)
			sb_printf(sb, "mss %u", get_be16(o + 2));
		else if (o[0] == TCPOPT_WINDOW && n == 3)
			sb_printf(sb, "wscale %u", o[2]);
		else if (o[0] == TCPOPT_SACK_PERM)
			sb_puts(sb, "sackOK");
		else if (o[0] == TCPOPT_TIMESTAMP && n == 10)
			sb_printf(sb, "TS val %u ecr %u", get_be32(o + 2), get_be32(o + 6));
		else if (o[0] == TCPOPT_SACK && (n - 2) % 8 == 0) {
			sb_printf(sb, "sack %zu ", (n - 2) / 8);
			for (size_t i = 2; i + 8 <= n; i += 8)
				sb_printf(sb, "{%u:%u}", get_be32(o + i), get_be32(o + i + 4));
		} else
			sb_printf(sb, "unknown-%u", o[0]);
		o += n;
		len -= n;
	}
}

static void print_tcp(struct strbuf *sb, const char *s, const char *d, const uint8_t *p, size_t len)
{
	const struct tcp_hdr *h = (const struct tcp_hdr *)(const void *)p;
	unsigned hl;
	uint32_t seq;

	if (len < TCP_HLEN || (hl = tcp_hdrlen(h)) < TCP_HLEN || hl > len) {
		sb_printf(sb, "%s > %s: [|tcp]", s, d);
		return;
	}
	seq = get_be32(h->seq);
	sb_printf(sb, "%s.%u > %s.%u: Flags [", s, get_be16(h->source), d, get_be16(h->dest));
	tcp_flags(sb, h->flags);
	sb_puts(sb, "]");
	if (len > hl || (h->flags & (TCP_SYN | TCP_FIN | TCP_RST))) {
		sb_printf(sb, ", seq %u", seq);
		if (len > hl)
			sb_printf(sb, ":%u", (uint32_t)(seq + len - hl));
	}
	if (h->flags & TCP_ACK)
		sb_printf(sb, ", ack %u", get_be32(h->ack_seq));
	sb_printf(sb, ", win %u", get_be16(h->window));
	if (h->flags & TCP_URG)
		sb_printf(sb, ", urg %u", get_be16(h->urg_ptr));
	if (hl > TCP_HLEN) {
		sb_puts(sb, ", options [");
		tcp_options(sb, p + TCP_HLEN, hl - TCP_HLEN);
		sb_putc(sb, ']');
	}
	sb_printf(sb, ", length %zu", len - hl);
}

static void redirect(struct strbuf *sb, uint32_t gw, uint32_t dst)
{
	char a[IP4_STRLEN], b[IP4_STRLEN];

	sb_printf(sb, "redirect %s to host %s", ip4_str(a, dst), ip4_str(b, gw));
}

static void print_icmp(struct strbuf *sb, const char *s, const char *d, const uint8_t *p, size_t len)
{
	static const char *const unreach[] = { "net", "host", "protocol", "port" };
	const struct icmp_hdr *h = (const struct icmp_hdr *)(const void *)p;
	const struct ip4_hdr *q = (const struct ip4_hdr *)(const void *)(p + ICMP_HLEN);
	bool quote = len >= ICMP_HLEN + IP4_HLEN;
	char a[IP4_STRLEN];

	sb_printf(sb, "%s > %s: ICMP ", s, d);
	if (len < ICMP_HLEN)
		sb_puts(sb, "[|icmp]");
	else if (h->type == ICMP_ECHO || h->type == ICMP_ECHOREPLY)
		sb_printf(sb, "echo %s, id %u, seq %u", h->type == ICMP_ECHO ? "request" : "reply", get_be16(h->rest), get_be16(h->rest + 2));
	else if (h->type == ICMP_DEST_UNREACH && h->code == ICMP_FRAG_NEEDED && quote)
		sb_printf(sb, "%s unreachable - need to frag (mtu %u)", ip4_str(a, ip4_daddr(q)), get_be16(h->rest + 2));
	else if (h->type == ICMP_DEST_UNREACH && h->code < ARRAY_SIZE(unreach) && quote)
		sb_printf(sb, "%s %s unreachable", h->code < 2 ? unreach[h->code] : ip4_str(a, ip4_daddr(q)),
			  h->code < 2 ? ip4_str(a, ip4_daddr(q)) : unreach[h->code]);
	else if (h->type == ICMP_TIME_EXCEEDED)
		sb_puts(sb, h->code ? "ip reassembly time exceeded" : "time exceeded in-transit");
	else if (h->type == ICMP_REDIRECT && quote)
		redirect(sb, get_be32(h->rest), ip4_daddr(q));
	else
		sb_printf(sb, "type-#%u code %u", h->type, h->code);
	sb_printf(sb, ", length %zu", len);
}

static void print_ip(struct strbuf *sb, const uint8_t *p, size_t len, bool verbose)
{
	const struct ip4_hdr *h = (const struct ip4_hdr *)(const void *)p;
	char s[IP4_STRLEN], d[IP4_STRLEN];
	unsigned hl;
	size_t body;

	if (len < IP4_HLEN || (hl = ip4_hlen(h)) < IP4_HLEN || hl > len || ip4_tot_len(h) < hl) {
		sb_puts(sb, "IP [|ip]");
		return;
	}
	ip4_str(s, ip4_saddr(h));
	ip4_str(d, ip4_daddr(h));
	sb_puts(sb, "IP ");
	if (verbose)
		sb_printf(sb, "(tos 0x%x, ttl %u, id %u, offset %u, flags [%s%s], proto %u, length %u) ", h->tos, h->ttl, ip4_id(h),
			  (ip4_frag(h) & IP_OFFSET) * 8u, ip4_frag(h) & IP_DF ? "DF" : ip4_frag(h) & IP_MF ? "" : "none",
			  ip4_frag(h) & IP_MF ? "+" : "", h->protocol, ip4_tot_len(h));
	body = min_sz(len, ip4_tot_len(h)) - hl;
	p += hl;
	if (ip4_frag(h) & IP_OFFSET)
		sb_printf(sb, "%s > %s: ip-proto-%u", s, d, h->protocol);
	else if (h->protocol == IPPROTO_TCP)
		print_tcp(sb, s, d, p, body);
	else if (h->protocol == IPPROTO_UDP && body >= UDP_HLEN)
		sb_printf(sb, "%s.%u > %s.%u: UDP, length %u", s, get_be16(p), d, get_be16(p + 2), get_be16(p + 4) - UDP_HLEN);
	else if (h->protocol == IPPROTO_ICMP)
		print_icmp(sb, s, d, p, body);
	else
		sb_printf(sb, "%s > %s: ip-proto-%u %zu", s, d, h->protocol, body);
}

static void print_arp(struct strbuf *sb, const uint8_t *p, size_t len)
{
	const struct arp_hdr *h = (const struct arp_hdr *)(const void *)p;
	char s[IP4_STRLEN], d[IP4_STRLEN], m[MAC_STRLEN];

	if (len < ARP_LEN) {
		sb_puts(sb, "ARP, [|ARP]");
		return;
	}
	ip4_str(s, get_be32(h->spa));
	ip4_str(d, get_be32(h->tpa));
	if (get_be16(h->oper) == ARPOP_REQUEST)
		sb_printf(sb, "ARP, Request who-has %s tell %s, length %zu", d, s, len);
	else
		sb_printf(sb, "ARP, Reply %s is-at %s, length %zu", s, mac_str(m, h->sha), len);
}

void dump_line(struct strbuf *sb, const uint8_t *p, size_t len, bool link, bool verbose)
{
	const struct eth_hdr *e = (const struct eth_hdr *)(const void *)p;
	char a[MAC_STRLEN], b[MAC_STRLEN];
	uint16_t type;

	if (len < ETH_HLEN) {
		sb_puts(sb, "[|ether]");
		return;
	}
	type = get_be16(e->type);
	if (link)
		sb_printf(sb, "%s > %s, ethertype %s (0x%04x), length %zu: ", mac_str(a, e->src), mac_str(b, e->dst),
			  type == ETH_P_IP ? "IPv4" : type == ETH_P_ARP ? "ARP" : "Unknown", type, len);
	if (type == ETH_P_IP)
		print_ip(sb, p + ETH_HLEN, len - ETH_HLEN, verbose);
	else if (type == ETH_P_ARP)
		print_arp(sb, p + ETH_HLEN, len - ETH_HLEN);
	else
		sb_printf(sb, "ethertype 0x%04x, length %zu", type, len);
}

static void write_header(struct dump *d)
{
	uint32_t h[6] = { 0xa1b23c4d, 2u | 4u << 16, 0, 0, SNAPLEN, 1 };

	sys_write(d->t, d->out, h, sizeof(h));
}

static void one_packet(struct dump *d, const uint8_t *p, size_t len)
{
	uint64_t now = sys_clock_ns(d->t);
	struct strbuf sb;

	d->seen++;
	if (d->out >= 0) {
		uint32_t h[4] = { (uint32_t)(EPOCH_2000 + now / NSEC_PER_SEC), (uint32_t)(now % NSEC_PER_SEC), (uint32_t)len, (uint32_t)len };
		sys_write(d->t, d->out, h, sizeof(h));
		sys_write(d->t, d->out, p, len);
		return;
	}
	sb_init(&sb);
	sb_printf(&sb, "%02u:%02u:%02u.%06u ", (unsigned)(now / NSEC_PER_SEC / 3600 % 24), (unsigned)(now / NSEC_PER_SEC / 60 % 60),
		  (unsigned)(now / NSEC_PER_SEC % 60), (unsigned)(now % NSEC_PER_SEC / 1000));
	dump_line(&sb, p, len, d->link, d->verbose);
	sb_putc(&sb, '\n');
	task_puts(d->t, sb_str(&sb));
	sb_free(&sb);
}

/* What leaves by a loopback device comes in by it again: it is shown when it does, once (as libpcap has it). */
static bool comes_again(const struct sockaddr_ll *from)
{
	return from->sll_pkttype == PACKET_OUTGOING && from->sll_hatype == ARPHRD_LOOPBACK;
}

static int loop(struct dump *d)
{
	uint8_t *buf = xcalloc(1, SNAPLEN);
	ssize_t n = 0;

	while (!d->count || d->seen < d->count) {
		struct pcap_pkthdr h = { 0 };
		struct sockaddr_ll from = { 0 };
		socklen_t room = sizeof(from);

		n = sys_recvfrom(d->t, d->fd, buf, SNAPLEN, MSG_TRUNC, (struct sockaddr *)&from, &room);
		if (n < 0)
			break;
		if (comes_again(&from))
			continue;
		h.len = (bpf_u_int32)n;
		h.caplen = (bpf_u_int32)min_sz((size_t)n, SNAPLEN);
		if (d->filtered && !pcap_offline_filter(&d->prog, &h, buf))
			continue;
		one_packet(d, buf, h.caplen);
	}
	free(buf);
	task_eprintf(d->t, "%llu packets captured\n", (unsigned long long)d->seen);
	return n < 0 && n != -EINTR ? 1 : 0;
}

static int compile(struct dump *d, int argc, char **argv, int i)
{
	struct strbuf sb;
	pcap_t *p;
	int err;

	if (i >= argc)
		return 0;
	sb_init(&sb);
	for (; i < argc; i++)
		sb_printf(&sb, "%s%s", sb.len ? " " : "", argv[i]);
	p = pcap_open_dead(DLT_EN10MB, SNAPLEN);
	err = pcap_compile(p, &d->prog, sb_str(&sb), 1, PCAP_NETMASK_UNKNOWN);
	if (err)
		task_eprintf(d->t, "tcpdump: %s\n", pcap_geterr(p));
	d->filtered = !err;
	pcap_close(p);
	sb_free(&sb);
	return err;
}

/* A tap on a device asks for what is not for the host too, until its socket closes (tcpdump(8): unless -p). */
static int promiscuous(struct dump *d, int ifindex)
{
	struct packet_mreq mr = { .mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC };

	return sys_setsockopt(d->t, d->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mr, sizeof(mr));
}

static int open_tap(struct dump *d, const char *dev)
{
	struct sockaddr_ll sll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int err = 0;

	d->fd = sys_socket(d->t, AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	if (d->fd < 0) {
		task_eprintf(d->t, "tcpdump: %s\n", app_strerror(d->fd));
		return 1;
	}
	if (strcmp(dev, "any")) {
		struct nlc c;
		struct nlc_links l = { 0 };
		err = nlc_open(&c, d->t, NETLINK_ROUTE);
		if (!err)
			err = nlc_links(&c, &l);
		sll.sll_ifindex = nlc_link_index(&l, dev);
		nlc_links_free(&l);
		nlc_close(&c);
		if (!sll.sll_ifindex) {
			task_eprintf(d->t, "tcpdump: %s: No such device exists\n", dev);
			return 1;
		}
	}
	err = sys_bind(d->t, d->fd, (struct sockaddr *)&sll, sizeof(sll));
	if (!err && sll.sll_ifindex && !d->own_only)
		err = promiscuous(d, sll.sll_ifindex);
	if (err)
		task_eprintf(d->t, "tcpdump: %s: %s\n", dev, app_strerror(err));
	return err ? 1 : 0;
}

int tcpdump_main(struct task *t, int argc, char **argv)
{
	struct dump d = { .t = t, .out = -1 };
	const char *dev = "any", *file = NULL;
	struct opt o;
	int c, rc;

	opt_init(&o, argc, argv, "i:c:w:envpqlU");
	while ((c = opt_next(&o, t)) != -1) {
		rc = 0;
		switch (c) {
		case 'i': dev = o.value; break;
		case 'c': rc = opt_u64(&o, t, 1, UINT32_MAX, &d.count); break;
		case 'w': file = o.value; break;
		case 'e': d.link = true; break;
		case 'v': d.verbose = true; break;
		case 'p': d.own_only = true; break;
		case '?': rc = -EINVAL; break;
		default: break;
		}
		if (rc)
			return 1;
	}
	if (compile(&d, argc, argv, o.i))
		return 1;
	rc = open_tap(&d, dev);
	if (!rc && file) {
		d.out = sys_open(t, file, O_WRONLY | O_CREAT | O_TRUNC);
		if (d.out < 0) {
			task_eprintf(t, "tcpdump: %s: %s\n", file, app_strerror(d.out));
			rc = 1;
		} else {
			write_header(&d);
		}
	}
	if (!rc)
		rc = loop(&d);
	if (d.out >= 0)
		sys_close(t, d.out);
	if (d.fd >= 0)
		sys_close(t, d.fd);
	if (d.filtered)
		pcap_freecode(&d.prog);
	return rc;
}

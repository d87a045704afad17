/* tcpdump: packets from a packet socket, printed one line each (or written as a pcap file to the host's file tree with
 * -w). The filter expression is compiled by libpcap and run by the socket (SO_ATTACH_FILTER), as the real program has
 * it. Sees what a tap sees: after the driver on receive, before it on send. How a packet is printed: dump_print.c. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include "app/app_cmds.h"
#include "app/app_util.h"
#include "app/dump_print.h"
#include "app/nlc.h"
#include "app/web_date.h"
#include "socket/syscall.h"
#include "wire/ethernet.h"
#include "wire/ip4.h"
#include "wire/tcp_hdr.h"

#define SNAPLEN 262144

struct dump {
	struct task *t;
	int fd, out;
	uint64_t count, seen, snaplen;
	uint64_t last, first; /* when the packet before this one, and the first, came (-ttt, -ttttt) */
	unsigned stamp;       /* -t: how many */
	unsigned hex;         /* -x 1, -xx 2 */
	bool hex_text, ascii; /* -X, -A */
	bool own_only;        /* -p, no promiscuous mode */
	bool any;             /* all devices: each line names its own */
	struct dump_style style;
	struct nlc_links links;
	struct bpf_program prog;
	bool filtered;
};

static void write_header(struct dump *d)
{
	uint32_t h[6] = { 0xa1b23c4d, 2u | 4u << 16, 0, 0, SNAPLEN, 1 };

	sys_write(d->t, d->out, h, sizeof(h));
}

static void clock_time(struct strbuf *sb, uint64_t ns)
{
	sb_printf(sb, "%02u:%02u:%02u.%06u ", (unsigned)(ns / NSEC_PER_SEC / 3600 % 24), (unsigned)(ns / NSEC_PER_SEC / 60 % 60),
		  (unsigned)(ns / NSEC_PER_SEC % 60), (unsigned)(ns % NSEC_PER_SEC / 1000));
}

/* tcpdump(8): -t none, -tt seconds since the epoch, -ttt since the line before, -tttt with the date, -ttttt since the
 * first line. The lab's epoch is the first second of 2000. */
static void stamp(struct dump *d, struct strbuf *sb, uint64_t now)
{
	struct web_date day;

	if (d->stamp == 0)
		clock_time(sb, now);
	else if (d->stamp == 2)
		sb_printf(sb, "%llu.%06u ", (unsigned long long)(WEB_EPOCH_S + now / NSEC_PER_SEC), (unsigned)(now % NSEC_PER_SEC / 1000));
	else if (d->stamp == 3 || d->stamp == 5)
		clock_time(sb, d->seen == 1 ? 0 : now - (d->stamp == 3 ? d->last : d->first));
	else if (d->stamp == 4) {
		web_date_of(WEB_EPOCH_S + now / NSEC_PER_SEC, &day);
		sb_printf(sb, "%u-%02u-%02u ", day.year, day.month, day.day);
		clock_time(sb, now);
	}
	if (d->seen == 1)
		d->first = now;
	d->last = now;
}

static const char *direction(const struct sockaddr_ll *from)
{
	switch (from->sll_pkttype) {
	case PACKET_OUTGOING: return "Out";
	case PACKET_BROADCAST: return "B";
	case PACKET_MULTICAST: return "M";
	case PACKET_OTHERHOST: return "P";
	default: return "In";
	}
}

static void save_packet(struct dump *d, const uint8_t *p, size_t len, size_t wire)
{
	uint64_t now = sys_clock_ns(d->t);
	uint32_t h[4] = { (uint32_t)(WEB_EPOCH_S + now / NSEC_PER_SEC), (uint32_t)(now % NSEC_PER_SEC), (uint32_t)len, (uint32_t)wire };

	sys_write(d->t, d->out, h, sizeof(h));
	sys_write(d->t, d->out, p, len);
}

static void one_packet(struct dump *d, const struct sockaddr_ll *from, const uint8_t *p, size_t len, size_t wire)
{
	size_t skip = d->hex > 1 ? 0 : min_sz(len, ETH_HLEN);
	struct strbuf sb;

	d->seen++;
	if (d->out >= 0) {
		save_packet(d, p, len, wire);
		return;
	}
	sb_init(&sb);
	stamp(d, &sb, sys_clock_ns(d->t));
	if (d->any)
		sb_printf(&sb, "%-5s %-3s ", nlc_link_name(&d->links, from->sll_ifindex), direction(from));
	dump_line(&sb, &d->style, p, len);
	if (d->hex)
		dump_hex(&sb, p + skip, len - skip, d->hex_text);
	else if (d->ascii)
		dump_ascii(&sb, p + skip, len - skip);
	sb_putc(&sb, '\n');
	task_puts(d->t, sb_str(&sb));
	sb_free(&sb);
}

/* What leaves by a loopback device comes in by it again: it is shown when it does, once (as libpcap has it). */
static bool comes_again(const struct sockaddr_ll *from)
{
	return from->sll_pkttype == PACKET_OUTGOING && from->sll_hatype == ARPHRD_LOOPBACK;
}

/* What the socket counted since it was opened: packets that its filter took, and those for which it had no room. */
static void summary(struct dump *d)
{
	struct tpacket_stats st = { 0 };
	socklen_t len = sizeof(st);

	sys_getsockopt(d->t, d->fd, SOL_PACKET, PACKET_STATISTICS, &st, &len);
	task_eprintf(d->t, "%llu packet%s captured\n%u packet%s received by filter\n%u packet%s dropped by kernel\n", (unsigned long long)d->seen,
		     d->seen == 1 ? "" : "s", st.tp_packets, st.tp_packets == 1 ? "" : "s", st.tp_drops, st.tp_drops == 1 ? "" : "s");
}

static int loop(struct dump *d)
{
	uint8_t *buf = xcalloc(1, SNAPLEN);
	ssize_t n = 0;

	while (!d->count || d->seen < d->count) {
		struct sockaddr_ll from = { 0 };
		socklen_t room = sizeof(from);

		n = sys_recvfrom(d->t, d->fd, buf, SNAPLEN, MSG_TRUNC, (struct sockaddr *)&from, &room);
		if (n < 0)
			break;
		if (comes_again(&from))
			continue;
		one_packet(d, &from, buf, min_sz((size_t)n, d->snaplen), (size_t)n);
	}
	free(buf);
	summary(d);
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

static int attach_filter(struct dump *d)
{
	struct sock_fprog f = { .len = (unsigned short)d->prog.bf_len, .filter = (struct sock_filter *)(void *)d->prog.bf_insns };

	return d->filtered ? sys_setsockopt(d->t, d->fd, SOL_SOCKET, SO_ATTACH_FILTER, &f, sizeof(f)) : 0;
}

static bool is_up(struct dump *d, const char *name)
{
	struct ifreq r = { 0 };

	memcpy(r.ifr_name, name, min_sz(strlen(name), sizeof(r.ifr_name) - 1));
	return !sys_ioctl(d->t, d->fd, SIOCGIFFLAGS, &r) && (r.ifr_flags & IFF_UP) && !(r.ifr_flags & IFF_LOOPBACK);
}

/* Without -i: the first device that is up and no loopback (tcpdump(8)). */
static const char *default_device(struct dump *d)
{
	for (size_t i = 0; i < d->links.n; i++)
		if (is_up(d, d->links.v[i].name))
			return d->links.v[i].name;
	return "lo";
}

static int list_links(struct dump *d)
{
	struct nlc c;
	int err = nlc_open(&c, d->t, NETLINK_ROUTE);

	if (!err)
		err = nlc_links(&c, &d->links);
	nlc_close(&c);
	return err;
}

static int open_tap(struct dump *d, const char *dev)
{
	struct sockaddr_ll sll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int err;

	d->fd = sys_socket(d->t, AF_PACKET, SOCK_RAW, 0);
	err = d->fd < 0 ? d->fd : list_links(d);
	if (err) {
		task_eprintf(d->t, "tcpdump: %s\n", app_strerror(err));
		return 1;
	}
	if (!dev)
		dev = default_device(d);
	d->any = !strcmp(dev, "any");
	sll.sll_ifindex = d->any ? 0 : nlc_link_index(&d->links, dev);
	if (!d->any && !sll.sll_ifindex) {
		task_eprintf(d->t, "tcpdump: %s: No such device exists\n", dev);
		return 1;
	}
	err = attach_filter(d);
	if (!err)
		err = sys_bind(d->t, d->fd, (struct sockaddr *)&sll, sizeof(sll));
	if (!err && sll.sll_ifindex && !d->own_only)
		err = promiscuous(d, sll.sll_ifindex);
	if (err) {
		task_eprintf(d->t, "tcpdump: %s: %s\n", dev, app_strerror(err));
		return 1;
	}
	if (d->out < 0 && !d->style.verbose)
		task_eprintf(d->t, "tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n");
	task_eprintf(d->t, "%slistening on %s, link-type %s, snapshot length %llu bytes\n",
		     d->out < 0 && !d->style.verbose ? "" : "tcpdump: ", dev, d->any ? "LINUX_SLL2 (Linux cooked v2)" : "EN10MB (Ethernet)", (unsigned long long)d->snaplen);
	return 0;
}

static int one_option(struct dump *d, struct opt *o, int c, const char **dev, const char **file)
{
	switch (c) {
	case 'i': *dev = o->value; return 0;
	case 'c': return opt_u64(o, d->t, 1, INT32_MAX, &d->count);
	case 's': return opt_u64(o, d->t, 0, SNAPLEN, &d->snaplen);
	case 'w': *file = o->value; return 0;
	case 'e': d->style.link = true; return 0;
	case 'S': d->style.absolute = true; return 0;
	case 'q': d->style.quiet = true; return 0;
	case 'v': d->style.verbose++; return 0;
	case 't': d->stamp++; return 0;
	case 'x': d->hex++; return 0;
	case 'X': d->hex++; d->hex_text = true; return 0;
	case 'A': d->ascii = true; return 0;
	case 'p': d->own_only = true; return 0;
	case '?': return -EINVAL;
	default: return 0;
	}
}

static int open_output(struct dump *d, const char *file)
{
	d->out = sys_open(d->t, file, O_WRONLY | O_CREAT | O_TRUNC);
	if (d->out < 0) {
		task_eprintf(d->t, "tcpdump: %s: %s\n", file, app_strerror(d->out));
		return 1;
	}
	write_header(d);
	return 0;
}

static int run(struct dump *d, int argc, char **argv)
{
	const char *dev = NULL, *file = NULL;
	struct opt o;
	int c;

	opt_init(&o, argc, argv, "i:c:s:w:entvpqlUSxXA");
	while ((c = opt_next(&o, d->t)) != -1)
		if (one_option(d, &o, c, &dev, &file))
			return 1;
	if (!d->snaplen)
		d->snaplen = SNAPLEN;
	if (compile(d, argc, argv, o.i) || (file && open_output(d, file)) || open_tap(d, dev))
		return 1;
	return loop(d);
}

int tcpdump_main(struct task *t, int argc, char **argv)
{
	struct dump_flow *flows = xcalloc(DUMP_FLOWS, sizeof(*flows));
	struct dump d = { .t = t, .fd = -1, .out = -1, .snaplen = SNAPLEN, .style.flows = flows };
	int rc = run(&d, argc, argv);

	if (d.out >= 0)
		sys_close(t, d.out);
	if (d.fd >= 0)
		sys_close(t, d.fd);
	if (d.filtered)
		pcap_freecode(&d.prog);
	nlc_links_free(&d.links);
	free(flows);
	return rc;
}

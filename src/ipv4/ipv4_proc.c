/* /proc/net/snmp, /proc/net/netstat, the IP lines of /proc/net/sockstat, and the line format of socket tables:
 * Linux's columns, so that the programs which read them need not know whose they are.
 *
 * Read by netstat, nstat, ss. Tests: tests/unit/ipv4/test_sockopt.c. */
#include <stdlib.h>
#include "ipv4/udp.h"
#include "tcp/tcp.h"

/* ---- socket tables ---- */

void inet_proc_header(struct strbuf *out, unsigned width, bool wide)
{
	size_t start = out->len;

	sb_puts(out, wide ? "   sl  " : "  sl  ");
	sb_puts(out, "local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops");
	while (out->len - start < width)
		sb_putc(out, ' ');
	sb_putc(out, '\n');
}

void inet_proc_line(struct strbuf *out, const struct sock *sk, unsigned n)
{
	const struct inet_sock *inet = inet_sk(sk);
	size_t start = out->len;

	/* Addresses as the kernel prints them: the network-order word read as a little-endian integer. */
	sb_printf(out, "%5u: %08X:%04X %08X:%04X %02X %08X:%08X %02X:%08X %08X %5u %8d %llu %d %016x %u", n,
		  __builtin_bswap32(inet->rcv_saddr), inet->sport, __builtin_bswap32(inet->daddr), inet->dport, sk->state,
		  (uint32_t)sk->wmem_alloc, (uint32_t)sk->rmem_alloc, 0, 0, 0, sk->uid, 0, (unsigned long long)sk->ino,
		  sk->refcnt, 0, sk->drops);
	while (out->len - start < 127)
		sb_putc(out, ' ');
	sb_putc(out, '\n');
}

static int cmp_num(const void *a, const void *b)
{
	const struct sock *const *x = a, *const *y = b;

	if (inet_sk(*x)->num != inet_sk(*y)->num)
		return inet_sk(*x)->num < inet_sk(*y)->num ? -1 : 1;
	return (*x)->ino < (*y)->ino ? -1 : (*x)->ino > (*y)->ino;
}

void inet_proc_table(struct strbuf *out, struct hlist_head *h, uint32_t size)
{
	const struct sock **v = NULL;
	struct sock *sk;
	size_t n = 0;

	for (uint32_t i = 0; i < size; i++) {
		hlist_for_each_entry(sk, &h[i], node) {
			v = xrealloc(v, (n + 1) * sizeof(const struct sock *));
			v[n++] = sk;
		}
	}
	if (n)
		qsort(v, n, sizeof(const struct sock *), cmp_num);
	for (size_t i = 0; i < n; i++)
		inet_proc_line(out, v[i], inet_sk(v[i])->num);
	free(v);
}

/* ---- counters ---- */

/* Messages by type: 0..255 received, 256..511 sent. */
static uint64_t icmp_msgs(const struct ipstats_mib *m, unsigned i)
{
	return i < 256 ? m->icmp.in_type[i] : m->icmp.out_type[i & 255];
}

static void icmp_show(struct net *net, struct strbuf *out)
{
	const struct ipstats_mib *m = &net->mib;
	bool any = false;

	sb_puts(out, "Icmp:");
#define X(n) sb_puts(out, " " #n);
	ICMP_MIB(X)
#undef X
	sb_puts(out, "\nIcmp:");
#define X(n) sb_printf(out, " %llu", (unsigned long long)m->icmp.n);
	ICMP_MIB(X)
#undef X
	sb_putc(out, '\n');
	for (unsigned i = 0; i < 512; i++)
		any |= icmp_msgs(m, i) != 0;
	if (!any)
		return;
	sb_puts(out, "IcmpMsg:");
	for (unsigned i = 0; i < 512; i++) {
		if (icmp_msgs(m, i))
			sb_printf(out, " %sType%u", i < 256 ? "In" : "Out", i & 255);
	}
	sb_puts(out, "\nIcmpMsg:");
	for (unsigned i = 0; i < 512; i++) {
		uint64_t v = icmp_msgs(m, i);

		if (v)
			sb_printf(out, " %llu", (unsigned long long)v);
	}
	sb_putc(out, '\n');
}

static void ip_show(struct net *net, struct strbuf *out)
{
	const struct ipstats_mib *m = &net->mib;

	sb_puts(out, "Ip: Forwarding DefaultTTL");
#define X(n) sb_puts(out, " " #n);
	IP_MIB(X)
#undef X
	/* RFC 4293: 1 forwarding, 2 not */
	sb_printf(out, "\nIp: %d %d", net->ipv4->devconf_all[CNF_FORWARDING] ? 1 : 2, net->ipv4->sysctl.ip_default_ttl);
#define X(n) sb_printf(out, " %llu", (unsigned long long)m->ip.n);
	IP_MIB(X)
#undef X
	sb_putc(out, '\n');
}

static void tcp_show(struct net *net, struct strbuf *out)
{
	const struct ipstats_mib *m = &net->mib;

	sb_puts(out, "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn");
#define X(n) sb_puts(out, " " #n);
	TCP_MIB(X)
#undef X
	sb_puts(out, "\nTcp: 1 200 120000 -1");
#define X(n) sb_printf(out, " %llu", (unsigned long long)m->tcp.n);
	TCP_MIB(X)
#undef X
	sb_putc(out, '\n');
}

static void udp_lines(struct strbuf *out, const char *name, const struct ipstats_mib *m)
{
	sb_printf(out, "%s:", name);
#define X(n) sb_puts(out, " " #n);
	UDP_MIB(X)
#undef X
	sb_printf(out, "\n%s:", name);
#define X(n) sb_printf(out, " %llu", (unsigned long long)(m ? m->udp.n : 0));
	UDP_MIB(X)
#undef X
	sb_putc(out, '\n');
}

static void snmp_show(struct net *net, struct strbuf *out)
{
	ip_show(net, out);
	icmp_show(net, out);
	tcp_show(net, out);
	udp_lines(out, "Udp", &net->mib);
	udp_lines(out, "UdpLite", NULL);
}

static void netstat_show(struct net *net, struct strbuf *out)
{
	const struct ipstats_mib *m = &net->mib;

	sb_puts(out, "TcpExt:");
#define X(n) sb_puts(out, " " #n);
	TCPEXT_MIB(X)
	sb_puts(out, "\nTcpExt:");
#undef X
#define X(n) sb_printf(out, " %llu", (unsigned long long)m->tcpext.n);
	TCPEXT_MIB(X)
#undef X
	sb_puts(out, "\nIpExt:");
#define X(n) sb_puts(out, " " #n);
	IPEXT_MIB(X)
#undef X
	sb_puts(out, "\nIpExt:");
#define X(n) sb_printf(out, " %llu", (unsigned long long)m->ipext.n);
	IPEXT_MIB(X)
#undef X
	sb_putc(out, '\n');
}

static void sockstat_show(struct net *net, struct strbuf *out)
{
	const struct netns_ipv4 *ip = net->ipv4;

	if (net->tcp)
		sb_printf(out, "TCP: inuse %u orphan %u tw %u alloc %u mem %lld\n", net->tcp->sockets_allocated - net->tcp->orphan_count,
			  net->tcp->orphan_count, net->tcp->tw_count, net->tcp->sockets_allocated,
			  (long long)((net->tcp->mem_allocated + 4095) / 4096));
	sb_printf(out, "UDP: inuse %u mem 0\nUDPLITE: inuse 0\nRAW: inuse %u\nFRAG: inuse %u memory %llu\n", ip->udp->n, ip->raw.n,
		  ip->frags.queues, (unsigned long long)ip->frags.mem);
}

int ipv4_proc_init(struct net *net)
{
	int err = proc_create_single(net, "net/snmp", snmp_show);

	if (!err)
		err = proc_create_single(net, "net/netstat", netstat_show);
	return err ? err : sockstat_register(net, sockstat_show);
}

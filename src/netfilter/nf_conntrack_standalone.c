/* Connection tracking to look at and to turn: /proc/net/nf_conntrack, /proc/net/stat/nf_conntrack, net.netfilter.*.
 *
 * /proc/net/nf_conntrack is Linux's, line by line, and takes commands from the program conntrack: "flush"; "delete PROTO SRC
 * DST SPORT DPORT" names a connection by its original direction as the file prints it (numbers; ICMP: id, type << 8 |
 * code). Called by core's /proc. Tests: tests/unit/netfilter/test_conntrack.c, tests/lab/nat.t. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "netfilter/nf_conntrack.h"

/* ---- /proc/net/nf_conntrack ---- */

static const char *proto_name(uint32_t proto)
{
	switch (proto) {
	case NF_PROTO_ICMP:
		return "icmp";
	case NF_PROTO_TCP:
		return "tcp";
	case NF_PROTO_UDP:
		return "udp";
	default:
		return "unknown";
	}
}

static void tuple_show(const struct nf_conntrack_tuple *t, struct strbuf *out)
{
	char a[IP4_STRLEN], b[IP4_STRLEN];

	sb_printf(out, "src=%s dst=%s ", ip4_str(a, t->src), ip4_str(b, t->dst));
	if (t->proto == NF_PROTO_ICMP)
		sb_printf(out, "type=%u code=%u id=%u ", t->dport >> 8, t->dport & 0xff, t->sport);
	else if (t->proto == NF_PROTO_TCP || t->proto == NF_PROTO_UDP)
		sb_printf(out, "sport=%u dport=%u ", t->sport, t->dport);
}

static void counters_show(const struct nf_conn *ct, unsigned dir, struct strbuf *out)
{
	if (ct->cn->sysctl.acct)
		sb_printf(out, "packets=%llu bytes=%llu ", (unsigned long long)ct->packets[dir], (unsigned long long)ct->bytes[dir]);
}

static void ct_show(const struct nf_conn *ct, struct strbuf *out)
{
	uint32_t proto = ct->hash[0].tuple.proto;
	uint64_t now = ct->cn->net->now_ns, left = ct->expires_ns > now ? ct->expires_ns - now : 0;

	sb_printf(out, "ipv4     2 %-8s %u %llu ", proto_name(proto), proto, (unsigned long long)(left / NSEC_PER_SEC));
	if (proto == NF_PROTO_TCP)
		sb_printf(out, "%s ", nf_ct_tcp_state_name(ct->proto.tcp.state));
	tuple_show(&ct->hash[0].tuple, out);
	counters_show(ct, 0, out);
	if (!(ct->status & IPS_SEEN_REPLY))
		sb_puts(out, "[UNREPLIED] ");
	tuple_show(&ct->hash[1].tuple, out);
	counters_show(ct, 1, out);
	if (ct->status & IPS_ASSURED)
		sb_puts(out, "[ASSURED] ");
	sb_printf(out, "mark=%u zone=0 use=%u\n", ct->mark, ct->refs + 1);
}

static void nf_conntrack_show(struct net *net, struct strbuf *out)
{
	const struct nf_conn *ct;

	list_for_each_entry(ct, &nf_ct_net(net)->all, all)
		ct_show(ct, out);
}

static int nf_conntrack_delete(struct nf_ct_net *cn, const char *args)
{
	struct nf_conntrack_tuple t = { 0 };
	struct nf_conntrack_hash *h;
	char src[IP4_STRLEN], dst[IP4_STRLEN];
	unsigned proto, sport, dport;
	int end = -1;

	if (sscanf(args, "%3u %15s %15s %5u %5u%n", &proto, src, dst, &sport, &dport, &end) != 5 || args[end] ||
	    ip4_parse(src, &t.src) || ip4_parse(dst, &t.dst) || proto > 255 || sport > 65535 || dport > 65535)
		return -EINVAL;
	t.proto = proto;
	t.sport = (uint16_t)sport;
	t.dport = (uint16_t)dport;
	h = nf_conntrack_find(cn, &t);
	if (!h || h->dir != IP_CT_DIR_ORIGINAL)
		return -ENOENT;
	nf_ct_kill(nf_ct_of(h));
	return 0;
}

static int nf_conntrack_write(struct net *net, const char *text, size_t len, struct strbuf *answer)
{
	struct nf_ct_net *cn = nf_ct_net(net);
	char line[80];

	if (len >= sizeof(line))
		return -EINVAL;
	memcpy(line, text, len);
	line[len] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (!strcmp(line, "flush")) {
		nf_ct_iterate_cleanup(cn, NULL, NULL);
		return 0;
	}
	return strncmp(line, "delete ", 7) ? -EINVAL : nf_conntrack_delete(cn, line + 7);
}

/* One line: all of a host's packets are seen by one table. The columns are Linux's, hexadecimal; what a host's quota
 * refused counts as dropped. */
static void nf_conntrack_stat_show(struct net *net, struct strbuf *out)
{
	const struct nf_ct_net *cn = nf_ct_net(net);
	const struct nf_ct_stat *s = &cn->stat;

	sb_puts(out, "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error  "
		     "expect_new expect_create expect_delete search_restart\n");
	sb_printf(out, "%08x  %08x %08x %08x %08x %08x %08x %08x %08x %08x %08x %08x %08x  %08x %08x %08x %08x\n", cn->count, 0u,
		  (unsigned)s->found, 0u, (unsigned)s->invalid, 0u, (unsigned)s->removed, 0u, (unsigned)s->insert,
		  (unsigned)s->insert_failed, (unsigned)(s->drop + s->host_refused), (unsigned)s->early_drop, (unsigned)s->error, 0u, 0u, 0u,
		  0u);
}

/* ---- net.netfilter.* ---- */

static void count_get(struct net *net, const struct ctl_table *t, struct strbuf *out)
{
	sb_printf(out, "%u", nf_ct_net(net)->count);
}

static void buckets_get(struct net *net, const struct ctl_table *t, struct strbuf *out)
{
	const struct nf_ct_net *cn = nf_ct_net(net);

	sb_printf(out, "%u", cn->nr_buckets ? cn->nr_buckets : NF_CT_BUCKETS_MIN);
}

#define TIME_MAX 0x7fffffff
#define FLAG(name_, field) { .name = "net.netfilter." name_, .data = &s->field, .max = 1 }
#define TIME(name_, field) { .name = "net.netfilter." name_, .data = &s->field, .min = 1, .max = TIME_MAX }

static int sysctl_init(struct net *net)
{
	struct nf_ct_sysctl *s = &nf_ct_net(net)->sysctl;
	const struct ctl_table t[] = {
		{ .name = "net.netfilter.nf_conntrack_max", .data = &s->max, .min = 1, .max = NF_CT_MAX_MAX },
		{ .name = "net.netfilter.nf_conntrack_host_max", .data = &s->host_max, .min = 0, .max = NF_CT_MAX_MAX },
		{ .name = "net.netfilter.nf_conntrack_count", .get = count_get },
		{ .name = "net.netfilter.nf_conntrack_buckets", .get = buckets_get },
		FLAG("nf_conntrack_acct", acct),
		FLAG("nf_conntrack_checksum", checksum),
		FLAG("nf_conntrack_tcp_loose", tcp_loose),
		FLAG("nf_conntrack_tcp_be_liberal", tcp_be_liberal),
		FLAG("nf_conntrack_tcp_ignore_invalid_rst", tcp_ignore_invalid_rst),
		{ .name = "net.netfilter.nf_conntrack_tcp_max_retrans", .data = &s->tcp_max_retrans, .min = 0, .max = 255 },
		TIME("nf_conntrack_tcp_timeout_syn_sent", tcp_timeout[TCP_CONNTRACK_SYN_SENT]),
		TIME("nf_conntrack_tcp_timeout_syn_recv", tcp_timeout[TCP_CONNTRACK_SYN_RECV]),
		TIME("nf_conntrack_tcp_timeout_established", tcp_timeout[TCP_CONNTRACK_ESTABLISHED]),
		TIME("nf_conntrack_tcp_timeout_fin_wait", tcp_timeout[TCP_CONNTRACK_FIN_WAIT]),
		TIME("nf_conntrack_tcp_timeout_close_wait", tcp_timeout[TCP_CONNTRACK_CLOSE_WAIT]),
		TIME("nf_conntrack_tcp_timeout_last_ack", tcp_timeout[TCP_CONNTRACK_LAST_ACK]),
		TIME("nf_conntrack_tcp_timeout_time_wait", tcp_timeout[TCP_CONNTRACK_TIME_WAIT]),
		TIME("nf_conntrack_tcp_timeout_close", tcp_timeout[TCP_CONNTRACK_CLOSE]),
		TIME("nf_conntrack_tcp_timeout_max_retrans", tcp_timeout_retrans),
		TIME("nf_conntrack_tcp_timeout_unacknowledged", tcp_timeout_unack),
		TIME("nf_conntrack_udp_timeout", udp_timeout[UDP_CT_UNREPLIED]),
		TIME("nf_conntrack_udp_timeout_stream", udp_timeout[UDP_CT_REPLIED]),
		TIME("nf_conntrack_icmp_timeout", icmp_timeout),
		TIME("nf_conntrack_generic_timeout", generic_timeout),
		FLAG("nf_nat_hairpin", nat_hairpin),
		FLAG("nf_nat_full_cone", nat_full_cone),
	};

	return register_sysctl(net, t, ARRAY_SIZE(t));
}

int nf_conntrack_proc_init(struct net *net)
{
	int err = proc_create_rw(net, "net/nf_conntrack", nf_conntrack_show, nf_conntrack_write);

	err = err ? err : proc_create_single(net, "net/stat/nf_conntrack", nf_conntrack_stat_show);
	return err ? err : sysctl_init(net);
}

/* net.ipv4.*: the knobs of the Internet layer, with Linux's names, defaults (6.18) and bounds. TCP registers its
 * own, the neighbour table too.
 *
 * Two defaults are not Linux's: accept_redirects is 0 (who accepts redirects believes strangers; RFC 1122's "MUST
 * update" is there when switched on), and ping_group_range is open to all groups, as distributions set it.
 * Called by ipv4_net.c at start, devinet.c when devices come and go. Tests: tests/unit/ipv4/test_devinet.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "ipv4/netns_ipv4.h"

static const struct {
	enum ipv4_devconf c;
	const char *name;
	int32_t dflt, max;
} devconf_knobs[] = {
	{ CNF_FORWARDING, "forwarding", 0, 1 },
	{ CNF_BC_FORWARDING, "bc_forwarding", 0, 1 },
	{ CNF_ACCEPT_REDIRECTS, "accept_redirects", 0, 1 },
	{ CNF_SECURE_REDIRECTS, "secure_redirects", 1, 1 },
	{ CNF_SHARED_MEDIA, "shared_media", 1, 1 },
	{ CNF_RP_FILTER, "rp_filter", 0, 2 },
	{ CNF_SEND_REDIRECTS, "send_redirects", 1, 1 },
	{ CNF_ACCEPT_SOURCE_ROUTE, "accept_source_route", 1, 1 },
	{ CNF_ACCEPT_LOCAL, "accept_local", 0, 1 },
	{ CNF_PROXY_ARP, "proxy_arp", 0, 1 },
	{ CNF_LOG_MARTIANS, "log_martians", 0, 1 },
	{ CNF_ARP_FILTER, "arp_filter", 0, 1 },
	{ CNF_ARP_ANNOUNCE, "arp_announce", 0, 2 },
	{ CNF_ARP_IGNORE, "arp_ignore", 0, 8 },
	{ CNF_ARP_ACCEPT, "arp_accept", 0, 2 },
	{ CNF_ARP_NOTIFY, "arp_notify", 0, 1 },
	{ CNF_DROP_GRATUITOUS_ARP, "drop_gratuitous_arp", 0, 1 },
	{ CNF_DROP_UNICAST_IN_L2_MULTICAST, "drop_unicast_in_l2_multicast", 0, 1 },
	{ CNF_ROUTE_LOCALNET, "route_localnet", 0, 1 },
	{ CNF_PROMOTE_SECONDARIES, "promote_secondaries", 0, 1 },
	{ CNF_FORCE_IGMP_VERSION, "force_igmp_version", 0, 3 },
	/* Ours (ARP-09): drop ARP whose sender differs from the frame's source. */
	{ CNF_ARP_STRICT, "arp_strict", 0, 1 },
};

/* ---- forwarding: one switch with three handles ---- */

static void forward_changed(struct net *net, bool all)
{
	struct netns_ipv4 *ip = net->ipv4;
	int32_t on = ip->devconf_all[CNF_FORWARDING] != 0;
	struct net_device *dev;

	if (all) {
		ip->devconf_dflt[CNF_FORWARDING] = on;
		if (on)
			ip->devconf_all[CNF_ACCEPT_REDIRECTS] = 0;
		list_for_each_entry(dev, &net->dev_base, node) {
			if (dev->ip_ptr)
				dev->ip_ptr->cnf[CNF_FORWARDING] = on;
		}
	}
	rt_cache_flush(net);
}

static void all_forwarding_changed(struct net *net, const struct ctl_table *t)
{
	forward_changed(net, true);
}

static void conf_changed(struct net *net, const struct ctl_table *t)
{
	rt_cache_flush(net);
}

/* Room for "net.ipv4.conf.NAME.KNOB": a dot in a device's name is written as a slash (sysctl(8)). */
static void knob_name(char out[96], const char *dev, const char *knob)
{
	size_t n = strlen("net.ipv4.conf.");

	memcpy(out, "net.ipv4.conf.", n);
	for (; *dev && n < 40; dev++)
		out[n++] = *dev == '.' ? '/' : *dev;
	snprintf(out + n, 96 - n, ".%s", knob);
}

static int conf_register(struct net *net, const char *dev, int32_t *cnf, bool all)
{
	for (size_t i = 0; i < ARRAY_SIZE(devconf_knobs); i++) {
		char name[96];
		struct ctl_table t = { .name = name, .data = &cnf[devconf_knobs[i].c], .min = 0, .max = devconf_knobs[i].max,
				       .changed = conf_changed };
		int err;

		if (all && devconf_knobs[i].c == CNF_FORWARDING)
			t.changed = all_forwarding_changed;
		knob_name(name, dev, devconf_knobs[i].name);
		err = register_sysctl(net, &t, 1);
		if (err)
			return err;
	}
	return 0;
}

void devinet_sysctl_register(struct net *net, struct net_device *dev)
{
	(void)conf_register(net, dev->name, dev->ip_ptr->cnf, false);
}

void devinet_sysctl_unregister(struct net *net, struct net_device *dev)
{
	char prefix[96];

	knob_name(prefix, dev->name, "");
	unregister_sysctl(net, prefix);
}

/* ---- knobs with their own text ---- */

static void reserved_get(struct net *net, const struct ctl_table *t, struct strbuf *out)
{
	const struct ipv4_sysctl *s = &net->ipv4->sysctl;

	for (uint32_t i = 0; i < s->nr_reserved_ports; i++) {
		const struct port_range *r = &s->reserved_ports[i];

		if (r->low == r->high)
			sb_printf(out, "%s%u", i ? "," : "", r->low);
		else
			sb_printf(out, "%s%u-%u", i ? "," : "", r->low, r->high);
	}
}

static int parse_port(const char **p, uint16_t *out)
{
	uint32_t v = 0;
	const char *s = *p;

	for (; *s >= '0' && *s <= '9' && v < 65536; s++)
		v = 10 * v + (uint32_t)(*s - '0');
	if (s == *p || v > 65535)
		return -EINVAL;
	*out = (uint16_t)v;
	*p = s;
	return 0;
}

static int reserved_set(struct net *net, const struct ctl_table *t, const char *text)
{
	struct ipv4_sysctl *s = &net->ipv4->sysctl;
	struct port_range v[RESERVED_PORTS_MAX];
	uint32_t n = 0;

	while (*text && *text != '\n') {
		if (n == RESERVED_PORTS_MAX || parse_port(&text, &v[n].low))
			return -EINVAL;
		v[n].high = v[n].low;
		if (*text == '-') {
			text++;
			if (parse_port(&text, &v[n].high) || v[n].high < v[n].low)
				return -EINVAL;
		}
		n++;
		if (*text == ',')
			text++;
		else if (*text && *text != '\n')
			return -EINVAL;
	}
	memcpy(s->reserved_ports, v, n * sizeof(v[0]));
	s->nr_reserved_ports = n;
	return 0;
}

static int two_ints(const char *text, int32_t *a, int32_t *b)
{
	char *end;
	long v;

	v = strtol(text, &end, 10);
	if (end == text || v < 0 || v > INT32_MAX)
		return -EINVAL;
	*a = (int32_t)v;
	text = end;
	v = strtol(text, &end, 10);
	if (end == text || v < 0 || v > INT32_MAX)
		return -EINVAL;
	*b = (int32_t)v;
	while (*end == ' ' || *end == '\n' || *end == '\t')
		end++;
	return *end ? -EINVAL : 0;
}

static void range_get(struct net *net, const struct ctl_table *t, struct strbuf *out)
{
	const int32_t *r = net->ipv4->sysctl.ip_local_port_range;

	sb_printf(out, "%d\t%d", r[0], r[1]);
}

static int range_set(struct net *net, const struct ctl_table *t, const char *text)
{
	int32_t *r = net->ipv4->sysctl.ip_local_port_range, lo, hi = r[1];
	uint64_t one;

	/* One number alone is the first. */
	if (!u64_parse(text, 1, 65535, &one))
		lo = (int32_t)one;
	else if (two_ints(text, &lo, &hi))
		return -EINVAL;
	/* None that only root may bind. */
	if (lo < 1 || hi > 65535 || lo > hi || lo < net->ipv4->sysctl.ip_unprivileged_port_start)
		return -EINVAL;
	r[0] = lo;
	r[1] = hi;
	return 0;
}

static void groups_get(struct net *net, const struct ctl_table *t, struct strbuf *out)
{
	const int32_t *r = net->ipv4->sysctl.ping_group_range;

	sb_printf(out, "%d\t%d", r[0], r[1]);
}

/* An empty range is written "1 0". */
static int groups_set(struct net *net, const struct ctl_table *t, const char *text)
{
	int32_t lo, hi, *r = net->ipv4->sysctl.ping_group_range;

	if (two_ints(text, &lo, &hi))
		return -EINVAL;
	r[0] = lo > hi ? 1 : lo;
	r[1] = lo > hi ? 0 : hi;
	return 0;
}

static int flush_set(struct net *net, const struct ctl_table *t, const char *text)
{
	rt_cache_flush(net);
	return 0;
}

static void flush_get(struct net *net, const struct ctl_table *t, struct strbuf *out)
{
	sb_puts(out, "");
}

/* ---- defaults and registration ---- */

static void sysctl_defaults(struct netns_ipv4 *ip)
{
	ip->sysctl = (struct ipv4_sysctl){
		.ip_default_ttl = 64, .ip_unprivileged_port_start = 1024,
		.ip_local_port_range = { 32768, 60999 }, .ping_group_range = { 0, INT32_MAX },
		.icmp_echo_ignore_broadcasts = 1, .icmp_ignore_bogus_error_responses = 1, .icmp_ratelimit = 1000,
		.icmp_ratemask = 6168, .icmp_msgs_per_sec = 1000, .icmp_msgs_burst = 50,
		.ipfrag_high_thresh = 4194304, .ipfrag_low_thresh = 3145728, .ipfrag_time = 30,
		.igmp_max_memberships = 20, .igmp_max_msf = 10, .igmp_qrv = 2, .igmp_link_local_mcast_reports = 1,
		.min_pmtu = 552, .mtu_expires = 600, .min_adv_mss = 256,
		.redirect_number = 9, .redirect_load_ms = 20, .redirect_silence_ms = 20480,
		.arp_request_rate = 2000,
	};
	for (size_t i = 0; i < ARRAY_SIZE(devconf_knobs); i++)
		ip->devconf_all[devconf_knobs[i].c] = ip->devconf_dflt[devconf_knobs[i].c] = devconf_knobs[i].dflt;
	/* Source routes need both switches, and this one is off (RFC 7126, RFC 1122 3.3.5). */
	ip->devconf_all[CNF_ACCEPT_SOURCE_ROUTE] = 0;
}

#define INT(knob, field, lo, hi) { .name = "net.ipv4." knob, .data = &s->field, .min = (lo), .max = (hi) }

static int register_ints(struct net *net)
{
	struct ipv4_sysctl *s = &net->ipv4->sysctl;
	const struct ctl_table t[] = {
		INT("ip_default_ttl", ip_default_ttl, 1, 255),
		INT("ip_no_pmtu_disc", ip_no_pmtu_disc, 0, 3),
		INT("ip_forward_use_pmtu", ip_forward_use_pmtu, 0, 1),
		INT("ip_nonlocal_bind", ip_nonlocal_bind, 0, 1),
		INT("ip_unprivileged_port_start", ip_unprivileged_port_start, 0, 65535),
		INT("icmp_echo_ignore_all", icmp_echo_ignore_all, 0, 1),
		INT("icmp_echo_ignore_broadcasts", icmp_echo_ignore_broadcasts, 0, 1),
		INT("icmp_ignore_bogus_error_responses", icmp_ignore_bogus_error_responses, 0, 1),
		INT("icmp_errors_use_inbound_ifaddr", icmp_errors_use_inbound_ifaddr, 0, 1),
		INT("icmp_ratelimit", icmp_ratelimit, 0, INT32_MAX),
		INT("icmp_ratemask", icmp_ratemask, 0, INT32_MAX),
		INT("icmp_msgs_per_sec", icmp_msgs_per_sec, 0, INT32_MAX),
		INT("icmp_msgs_burst", icmp_msgs_burst, 0, INT32_MAX),
		INT("ipfrag_high_thresh", ipfrag_high_thresh, 0, INT32_MAX),
		INT("ipfrag_low_thresh", ipfrag_low_thresh, 0, INT32_MAX),
		INT("ipfrag_time", ipfrag_time, 1, 3600),
		INT("igmp_max_memberships", igmp_max_memberships, 0, INT32_MAX),
		INT("igmp_max_msf", igmp_max_msf, 0, INT32_MAX),
		INT("igmp_qrv", igmp_qrv, 1, 255),
		INT("igmp_link_local_mcast_reports", igmp_link_local_mcast_reports, 0, 1),
		INT("fib_multipath_hash_policy", fib_multipath_hash_policy, 0, 1),
		INT("fwmark_reflect", fwmark_reflect, 0, 1),
		INT("route.min_pmtu", min_pmtu, 68, 65535),
		INT("route.mtu_expires", mtu_expires, 1, 86400),
		INT("route.min_adv_mss", min_adv_mss, 0, 65535),
		INT("route.redirect_number", redirect_number, 0, 1000),
		INT("arp_request_rate", arp_request_rate, 1, INT32_MAX),
		{ .name = "net.ipv4.ip_forward", .data = &net->ipv4->devconf_all[CNF_FORWARDING], .min = 0, .max = 1,
		  .changed = all_forwarding_changed },
		{ .name = "net.ipv4.ip_local_port_range", .get = range_get, .set = range_set },
		{ .name = "net.ipv4.ip_local_reserved_ports", .get = reserved_get, .set = reserved_set },
		{ .name = "net.ipv4.ping_group_range", .get = groups_get, .set = groups_set },
		{ .name = "net.ipv4.route.flush", .get = flush_get, .set = flush_set },
	};

	return register_sysctl(net, t, ARRAY_SIZE(t));
}

int ipv4_sysctl_init(struct net *net)
{
	struct netns_ipv4 *ip = net->ipv4;
	int err;

	sysctl_defaults(ip);
	err = register_ints(net);
	if (!err)
		err = conf_register(net, "all", ip->devconf_all, true);
	if (!err)
		err = conf_register(net, "default", ip->devconf_dflt, false);
	return err;
}

/* ip link, and the lines that ip addr shares with it (see ip_cmd.h). From RTM_GETLINK. */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include "app/ip_cmd.h"
#include "app/ip_show.h"
#include "socket/syscall.h"

static void print_flags(struct strbuf *sb, uint32_t flags, bool carrier)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = { { IFF_LOOPBACK, "LOOPBACK" }, { IFF_BROADCAST, "BROADCAST" }, { IFF_POINTOPOINT, "POINTOPOINT" },
		      { IFF_MULTICAST, "MULTICAST" }, { IFF_NOARP, "NOARP" }, { IFF_ALLMULTI, "ALLMULTI" },
		      { IFF_PROMISC, "PROMISC" }, { IFF_UP, "UP" } };
	bool first = true;

	sb_putc(sb, '<');
	if ((flags & IFF_UP) && !carrier) {
		sb_puts(sb, "NO-CARRIER");
		first = false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].bit) {
			sb_printf(sb, "%s%s", first ? "" : ",", names[i].name);
			first = false;
		}
	if (flags & 0x10000) /* IFF_LOWER_UP */
		sb_printf(sb, "%sLOWER_UP", first ? "" : ",");
	sb_putc(sb, '>');
}

static const char *oper_name(uint8_t s)
{
	static const char *const n[] = { "UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP" };
	return s < ARRAY_SIZE(n) ? n[s] : "UNKNOWN";
}

static const char *attr_str(const struct nlattr *a) { return a && nlc_len(a) ? nlc_data(a) : ""; }

void ip_print_link(struct strbuf *sb, const struct nlc_msg *m, bool for_addr, bool oneline, bool link)
{
	const struct ifinfomsg *i = m->hdr;
	const char *eol = oneline ? "\\    " : "\n    ";
	char mac[MAC_STRLEN];
	bool carrier = (i->ifi_flags & 0x10000) != 0;

	sb_printf(sb, "%d: %s: ", i->ifi_index, attr_str(m->tb[IFLA_IFNAME]));
	print_flags(sb, i->ifi_flags, carrier);
	sb_printf(sb, " mtu %u qdisc %s state %s ", nlc_u32(m->tb[IFLA_MTU]), attr_str(m->tb[IFLA_QDISC]),
		  m->tb[IFLA_OPERSTATE] ? oper_name(*(const uint8_t *)nlc_data(m->tb[IFLA_OPERSTATE])) : "UNKNOWN");
	if (!for_addr)
		sb_puts(sb, "mode DEFAULT ");
	sb_printf(sb, "group default qlen %u", nlc_u32(m->tb[IFLA_TXQLEN]));
	if (!link) {
		sb_putc(sb, '\n');
		return;
	}
	sb_printf(sb, "%slink/%s ", eol, i->ifi_type == 772 ? "loopback" : i->ifi_type == 1 ? "ether" : "void");
	if (nlc_len(m->tb[IFLA_ADDRESS]) == 6)
		sb_puts(sb, mac_str(mac, nlc_data(m->tb[IFLA_ADDRESS])));
	if (nlc_len(m->tb[IFLA_BROADCAST]) == 6)
		sb_printf(sb, " brd %s", mac_str(mac, nlc_data(m->tb[IFLA_BROADCAST])));
	sb_putc(sb, '\n');
}

void ip_print_stats(struct strbuf *sb, const struct nlc_msg *m)
{
	const struct nlattr *a = m->tb[IFLA_STATS64];
	/* struct rtnl_link_stats64: rx_packets tx_packets rx_bytes tx_bytes rx_errors tx_errors rx_dropped
	 * tx_dropped multicast collisions ... rx_missed_errors at 15, tx_carrier_errors at 17 */
	sb_printf(sb, "    RX:  bytes packets errors dropped  missed   mcast           \n");
	sb_printf(sb, "    %10llu %7llu %6llu %7llu %7llu %7llu \n", (unsigned long long)nlc_u64(a, 2), (unsigned long long)nlc_u64(a, 0),
		  (unsigned long long)nlc_u64(a, 4), (unsigned long long)nlc_u64(a, 6), (unsigned long long)nlc_u64(a, 15),
		  (unsigned long long)nlc_u64(a, 8));
	sb_printf(sb, "    TX:  bytes packets errors dropped carrier collsns           \n");
	sb_printf(sb, "    %10llu %7llu %6llu %7llu %7llu %7llu \n", (unsigned long long)nlc_u64(a, 3), (unsigned long long)nlc_u64(a, 1),
		  (unsigned long long)nlc_u64(a, 5), (unsigned long long)nlc_u64(a, 7), (unsigned long long)nlc_u64(a, 17),
		  (unsigned long long)nlc_u64(a, 9));
}

struct show {
	struct ip_cmd *ip;
	int only;
	bool up_only;
	struct strbuf sb;
};

void ip_print_brief(struct strbuf *sb, const struct nlc_msg *m)
{
	sb_printf(sb, "%-16s %-14s ", attr_str(m->tb[IFLA_IFNAME]),
		  m->tb[IFLA_OPERSTATE] ? oper_name(*(const uint8_t *)nlc_data(m->tb[IFLA_OPERSTATE])) : "UNKNOWN");
}

static void show_one(const struct nlc_msg *m, void *arg)
{
	struct show *s = arg;
	const struct ifinfomsg *i = m->hdr;
	char mac[MAC_STRLEN];

	if ((s->only && i->ifi_index != s->only) || (s->up_only && !(i->ifi_flags & IFF_UP)))
		return;
	if (s->ip->brief) {
		ip_print_brief(&s->sb, m);
		if (nlc_len(m->tb[IFLA_ADDRESS]) == 6)
			sb_printf(&s->sb, "%s ", mac_str(mac, nlc_data(m->tb[IFLA_ADDRESS])));
		print_flags(&s->sb, i->ifi_flags, (i->ifi_flags & 0x10000) != 0);
		sb_putc(&s->sb, '\n');
		return;
	}
	ip_print_link(&s->sb, m, false, s->ip->oneline, true);
	if (s->ip->stats)
		ip_print_stats(&s->sb, m);
}

static int link_show(struct ip_cmd *ip)
{
	struct show s = { .ip = ip };
	struct ifinfomsg i = { 0 };
	struct nlc_req r;
	const char *w;
	int err;

	while ((w = ip_word(ip))) {
		if (!strcmp(w, "up"))
			s.up_only = true;
		else {
			s.only = ip_dev_shown(ip, strcmp(w, "dev") ? w : ip_word(ip));
			if (!s.only)
				return 1;
		}
	}
	sb_init(&s.sb);
	nlc_begin(&r, RTM_GETLINK, NLM_F_DUMP, &i, sizeof(i));
	err = nlc_talk(&ip->c, &r, sizeof(i), show_one, &s);
	task_puts(ip->t, sb_str(&s.sb));
	sb_free(&s.sb);
	return ip_answer(ip, err);
}

static void flag(struct ifinfomsg *i, uint32_t bit, bool on)
{
	i->ifi_change |= bit;
	i->ifi_flags = on ? i->ifi_flags | bit : i->ifi_flags & ~bit;
}

/* "arp off", "promisc on", ... */
static int on_off(struct ip_cmd *ip, struct ifinfomsg *i, uint32_t bit, bool invert)
{
	const char *w = ip_word(ip);

	if (!w || (strcmp(w, "on") && strcmp(w, "off")))
		return ip_usage(ip, "argument must be \"on\" or \"off\", not", w ? w : "");
	flag(i, bit, invert == !strcmp(w, "off"));
	return 0;
}

static int link_set(struct ip_cmd *ip)
{
	struct ifinfomsg i = { 0 };
	uint64_t mtu = 0, qlen = 0;
	uint8_t mac[6];
	bool have_mac = false, have_qlen = false;
	struct nlc_req r;
	const char *w = ip_word(ip), *v;
	int err;

	if (w && !strcmp(w, "dev"))
		w = ip_word(ip);
	i.ifi_index = ip_dev(ip, w);
	if (!i.ifi_index)
		return 1;
	while ((w = ip_word(ip))) {
		int rc = 0;
		if (!strcmp(w, "up") || !strcmp(w, "down"))
			flag(&i, IFF_UP, w[0] == 'u');
		else if (!strcmp(w, "arp"))
			rc = on_off(ip, &i, IFF_NOARP, true);
		else if (!strcmp(w, "promisc"))
			rc = on_off(ip, &i, IFF_PROMISC, false);
		else if (!strcmp(w, "allmulticast"))
			rc = on_off(ip, &i, IFF_ALLMULTI, false);
		else if (!strcmp(w, "multicast"))
			rc = on_off(ip, &i, IFF_MULTICAST, false);
		else if (!strcmp(w, "mtu") && (v = ip_word(ip)))
			rc = u64_parse(v, 0, UINT32_MAX, &mtu) ? ip_usage(ip, "Invalid \"mtu\" value", v) : 0;
		else if (ip_is(w, "txqueuelen") && (v = ip_word(ip)))
			rc = u64_parse(v, 0, UINT32_MAX, &qlen) ? ip_usage(ip, "Invalid \"txqueuelen\" value", v) : (have_qlen = true, 0);
		else if (!strcmp(w, "address") && (v = ip_word(ip)))
			rc = mac_parse(v, mac) ? ip_usage(ip, "Invalid address", v) : (have_mac = true, 0);
		else
			rc = ip_usage(ip, "either \"dev\" is duplicate, or garbage", w);
		if (rc)
			return rc;
	}
	nlc_begin(&r, RTM_NEWLINK, NLM_F_ACK, &i, sizeof(i));
	if (mtu)
		nlc_attr_u32(&r, IFLA_MTU, (uint32_t)mtu);
	if (have_qlen)
		nlc_attr_u32(&r, IFLA_TXQLEN, (uint32_t)qlen);
	if (have_mac)
		nlc_attr(&r, IFLA_ADDRESS, mac, 6);
	err = nlc_talk(&ip->c, &r, sizeof(i), NULL, NULL);
	if (err == -EINVAL && mtu && mtu < 68) {
		task_eprintf(ip->t, "Error: mtu less than device minimum.\n");
		return 2;
	}
	return ip_answer(ip, err);
}

int ip_link_cmd(struct ip_cmd *ip)
{
	const char *w = ip_word(ip);

	if (!w || ip_is(w, "show") || ip_is(w, "list"))
		return link_show(ip);
	if (!strcmp(w, "set"))
		return link_set(ip);
	return ip_unknown(ip, w, "ip link show|set");
}

/* ifconfig: show and set interfaces as net-tools does, over the control socket (S2-36, S2-37, S1-33). */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include "app/app_cmds.h"
#include "app/app_util.h"
#include "app/ifconfig.h"
#include "app/netstat_stats.h"
#include "app/nlc.h"
#include "base/strbuf.h"

struct ifrow {
	int index;
	char name[16];
	uint32_t flags, mtu, qlen;
	uint16_t type;
	uint8_t mac[6];
	uint64_t st[24]; /* struct rtnl_link_stats64, in order */
	uint32_t addr, brd, peer;
	uint8_t plen;
	bool has_addr;
};
#define MAX_IFS 1024
struct ifconfig {
	struct task *t;
	struct nlc c;
	struct ifrow *v;
	size_t n;
};

static void take_link(const struct nlc_msg *m, void *arg)
{
	struct ifconfig *ic = arg;
	const struct ifinfomsg *i = m->hdr;
	struct ifrow *r;

	if (ic->n == MAX_IFS)
		return;
	r = &ic->v[ic->n++];
	r->index = i->ifi_index;
	r->flags = i->ifi_flags;
	r->type = i->ifi_type;
	r->mtu = nlc_u32(m->tb[IFLA_MTU]);
	r->qlen = nlc_u32(m->tb[IFLA_TXQLEN]);
	if (nlc_len(m->tb[IFLA_IFNAME]))
		memcpy(r->name, nlc_data(m->tb[IFLA_IFNAME]), min_sz(nlc_len(m->tb[IFLA_IFNAME]), sizeof(r->name) - 1));
	if (nlc_len(m->tb[IFLA_ADDRESS]) == 6)
		memcpy(r->mac, nlc_data(m->tb[IFLA_ADDRESS]), 6);
	for (size_t k = 0; k < ARRAY_SIZE(r->st); k++)
		r->st[k] = nlc_u64(m->tb[IFLA_STATS64], k);
}

static void take_addr(const struct nlc_msg *m, void *arg)
{
	struct ifconfig *ic = arg;
	const struct ifaddrmsg *a = m->hdr;

	for (size_t i = 0; i < ic->n; i++)
		if (ic->v[i].index == (int)a->ifa_index && !ic->v[i].has_addr) {
			ic->v[i].has_addr = true;
			ic->v[i].addr = nlc_ip4(m->tb[IFA_LOCAL]);
			ic->v[i].brd = nlc_ip4(m->tb[IFA_BROADCAST]);
			ic->v[i].plen = a->ifa_prefixlen;
		}
}

static int load(struct ifconfig *ic, struct task *t)
{
	struct ifinfomsg i = { 0 };
	struct ifaddrmsg a = { .ifa_family = AF_INET };
	struct nlc_req r;
	int err = nlc_open(&ic->c, t, NETLINK_ROUTE);

	ic->t = t;
	if (err)
		return err;
	ic->v = xcalloc(MAX_IFS, sizeof(*ic->v));
	nlc_begin(&r, RTM_GETLINK, NLM_F_DUMP, &i, sizeof(i));
	err = nlc_talk(&ic->c, &r, sizeof(i), take_link, ic);
	nlc_begin(&r, RTM_GETADDR, NLM_F_DUMP, &a, sizeof(a));
	return err ? err : nlc_talk(&ic->c, &r, sizeof(a), take_addr, ic);
}

static void unload(struct ifconfig *ic)
{
	free(ic->v);
	nlc_close(&ic->c);
}

static void human(struct strbuf *sb, uint64_t bytes)
{
	static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	uint64_t deci = bytes * 10;
	size_t u = 0;

	/* one decimal, cut off */
	while (deci >= 10240 && u + 1 < ARRAY_SIZE(unit)) {
		deci /= 1024;
		u++;
	}
	sb_printf(sb, "%llu.%llu %s", (unsigned long long)(deci / 10), (unsigned long long)(deci % 10), unit[u]);
}

static void print_flags(struct strbuf *sb, uint32_t flags)
{
	static const struct { uint32_t bit; const char *name; } n[] = {
		{ IFF_UP, "UP" }, { IFF_BROADCAST, "BROADCAST" }, { IFF_DEBUG, "DEBUG" }, { IFF_LOOPBACK, "LOOPBACK" },
		{ IFF_POINTOPOINT, "POINTOPOINT" }, { IFF_RUNNING, "RUNNING" }, { IFF_NOARP, "NOARP" }, { IFF_PROMISC, "PROMISC" },
		{ IFF_ALLMULTI, "ALLMULTI" }, { IFF_MULTICAST, "MULTICAST" } };
	bool first = true;

	sb_printf(sb, "flags=%u<", flags & 0xffffu);
	for (size_t i = 0; i < ARRAY_SIZE(n); i++)
		if (flags & n[i].bit) {
			sb_printf(sb, "%s%s", first ? "" : ",", n[i].name);
			first = false;
		}
	sb_putc(sb, '>');
}

static void print_row(struct task *t, const struct ifrow *r)
{
	struct strbuf sb;
	char a[IP4_STRLEN], mac[MAC_STRLEN];
	const uint64_t *s = r->st;

	sb_init(&sb);
	sb_printf(&sb, "%s: ", r->name);
	print_flags(&sb, r->flags);
	sb_printf(&sb, "  mtu %u\n", r->mtu);
	if (r->has_addr) {
		sb_printf(&sb, "        inet %s", ip4_str(a, r->addr));
		sb_printf(&sb, "  netmask %s", ip4_str(a, r->plen ? 0xffffffffu << (32 - r->plen) : 0));
		if (r->flags & IFF_BROADCAST)
			sb_printf(&sb, "  broadcast %s", ip4_str(a, r->brd));
		sb_putc(&sb, '\n');
	}
	if (r->flags & IFF_LOOPBACK)
		sb_printf(&sb, "        loop  txqueuelen %u  (Local Loopback)\n", r->qlen);
	else
		sb_printf(&sb, "        ether %s  txqueuelen %u  (Ethernet)\n", mac_str(mac, r->mac), r->qlen);
	/* rx_packets tx_packets rx_bytes tx_bytes rx_errors tx_errors rx_dropped tx_dropped multicast collisions
	 * rx_length rx_over rx_crc rx_frame rx_fifo rx_missed tx_aborted tx_carrier tx_fifo ... */
	sb_printf(&sb, "        RX packets %llu  bytes %llu (", (unsigned long long)s[0], (unsigned long long)s[2]);
	human(&sb, s[2]);
	sb_printf(&sb, ")\n        RX errors %llu  dropped %llu  overruns %llu  frame %llu\n", (unsigned long long)s[4],
		  (unsigned long long)(s[6] + s[15]), (unsigned long long)s[14], (unsigned long long)(s[10] + s[11] + s[12] + s[13]));
	sb_printf(&sb, "        TX packets %llu  bytes %llu (", (unsigned long long)s[1], (unsigned long long)s[3]);
	human(&sb, s[3]);
	sb_printf(&sb, ")\n        TX errors %llu  dropped %llu overruns %llu  carrier %llu  collisions %llu\n\n", (unsigned long long)s[5],
		  (unsigned long long)s[7], (unsigned long long)s[18], (unsigned long long)(s[16] + s[17]), (unsigned long long)s[9]);
	task_puts(t, sb_str(&sb));
	sb_free(&sb);
}

void ifconfig_short(struct task *t, const char *dev, char *mtu, size_t mtu_room, char *flg, size_t flg_room)
{
	struct ifconfig ic = { 0 };
	struct strbuf sb;

	sb_init(&sb);
	if (!load(&ic, t))
		for (size_t i = 0; i < ic.n; i++)
			if (!strcmp(ic.v[i].name, dev)) {
				uint32_t f = ic.v[i].flags;
				sb_printf(&sb, "%u", ic.v[i].mtu);
				memcpy(mtu, sb_str(&sb), min_sz(sb.len + 1, mtu_room));
				sb_reset(&sb);
				sb_printf(&sb, "%s%s%s%s%s%s", f & IFF_ALLMULTI ? "A" : "", f & IFF_BROADCAST ? "B" : "", f & IFF_LOOPBACK ? "L" : "",
					  f & IFF_MULTICAST ? "M" : "", f & IFF_RUNNING ? "R" : "", f & IFF_UP ? "U" : "");
				memcpy(flg, sb_str(&sb), min_sz(sb.len + 1, flg_room));
			}
	sb_free(&sb);
	unload(&ic);
}

/* Letters first, then the number behind them: eth2 before eth10. */
int ifconfig_name_cmp(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	while (n && a[n - 1] >= '0' && a[n - 1] <= '9')
		n--;
	if (a[n] >= '0' && a[n] <= '9' && b[n] >= '0' && b[n] <= '9') {
		unsigned long x = strtoul(a + n, NULL, 10), y = strtoul(b + n, NULL, 10);

		return x < y ? -1 : x > y;
	}
	return (unsigned char)a[n] - (unsigned char)b[n];
}

static int row_cmp(const void *a, const void *b)
{
	return ifconfig_name_cmp(((const struct ifrow *)a)->name, ((const struct ifrow *)b)->name);
}

static void print_rows(struct ifconfig *ic, bool all)
{
	qsort(ic->v, ic->n, sizeof(*ic->v), row_cmp);
	for (size_t i = 0; i < ic->n; i++)
		if (all || (ic->v[i].flags & IFF_UP))
			print_row(ic->t, &ic->v[i]);
}

int ifconfig_list(struct task *t, const char *title)
{
	struct ifconfig ic = { 0 };
	int err = load(&ic, t);

	task_puts(t, title);
	if (!err)
		print_rows(&ic, false);
	unload(&ic);
	return err ? 1 : 0;
}

static struct ifrow *row_of(struct ifconfig *ic, const char *name)
{
	for (size_t i = 0; i < ic->n; i++)
		if (!strcmp(ic->v[i].name, name))
			return &ic->v[i];
	return NULL;
}

static int set_link(struct ifconfig *ic, const struct ifrow *r, uint32_t flag, bool on, uint32_t mtu)
{
	struct ifinfomsg i = { .ifi_index = r->index, .ifi_change = flag, .ifi_flags = on ? flag : 0 };
	struct nlc_req q;

	nlc_begin(&q, RTM_NEWLINK, NLM_F_ACK, &i, sizeof(i));
	if (mtu)
		nlc_attr_u32(&q, IFLA_MTU, mtu);
	return nlc_talk(&ic->c, &q, sizeof(i), NULL, NULL);
}

static int set_addr(struct ifconfig *ic, struct ifrow *r, uint32_t addr, uint8_t plen, uint32_t brd)
{
	struct ifaddrmsg a = { .ifa_family = AF_INET, .ifa_index = (uint32_t)r->index, .ifa_prefixlen = r->plen };
	struct nlc_req q;
	int err = 0;

	if (r->has_addr) {
		nlc_begin(&q, RTM_DELADDR, NLM_F_ACK, &a, sizeof(a));
		nlc_attr_ip4(&q, IFA_LOCAL, r->addr);
		err = nlc_talk(&ic->c, &q, sizeof(a), NULL, NULL);
	}
	a.ifa_prefixlen = plen;
	nlc_begin(&q, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &a, sizeof(a));
	nlc_attr_ip4(&q, IFA_LOCAL, addr);
	nlc_attr_ip4(&q, IFA_ADDRESS, addr);
	nlc_attr_ip4(&q, IFA_BROADCAST, brd ? brd : addr | (plen < 31 ? 0xffffffffu >> plen : 0));
	return err ? err : nlc_talk(&ic->c, &q, sizeof(a), NULL, NULL);
}

static uint8_t class_plen(uint32_t a)
{
	return a >> 31 == 0 ? 8 : a >> 30 == 2 ? 16 : 24;
}

static int modify(struct ifconfig *ic, struct ifrow *r, int argc, char **argv)
{
	static const struct { const char *name; uint32_t bit; bool on; } words[] = {
		{ "up", IFF_UP, true }, { "down", IFF_UP, false }, { "arp", IFF_NOARP, false }, { "-arp", IFF_NOARP, true },
		{ "promisc", IFF_PROMISC, true }, { "-promisc", IFF_PROMISC, false }, { "allmulti", IFF_ALLMULTI, true },
		{ "-allmulti", IFF_ALLMULTI, false } };
	uint32_t addr = 0, mask, brd = 0;
	uint8_t plen = 0;
	bool have = false;
	int err = 0;

	for (int i = 0; i < argc && !err; i++) {
		size_t k;
		uint64_t v;
		for (k = 0; k < ARRAY_SIZE(words) && strcmp(argv[i], words[k].name); k++)
			;
		if (k < ARRAY_SIZE(words))
			err = set_link(ic, r, words[k].bit, words[k].on, 0);
		else if (!strcmp(argv[i], "mtu") && i + 1 < argc && !u64_parse(argv[i + 1], 1, UINT32_MAX, &v))
			err = set_link(ic, r, 0, false, (uint32_t)v), i++;
		else if (!strcmp(argv[i], "netmask") && i + 1 < argc && !ip4_parse(argv[i + 1], &mask) && (mask | (mask - 1)) == 0xffffffffu)
			plen = (uint8_t)__builtin_popcount(mask), i++;
		else if (!strcmp(argv[i], "broadcast") && i + 1 < argc && !ip4_parse(argv[i + 1], &brd))
			i++;
		else if (!have && !ip4_parse_prefix(argv[i], &addr, &plen)) {
			have = true;
			if (!strchr(argv[i], '/'))
				plen = class_plen(addr);
		} else {
			task_eprintf(ic->t, "ifconfig: bad argument '%s'\n", argv[i]);
			return 1;
		}
	}
	if (!err && have)
		err = set_addr(ic, r, addr, plen, brd);
	if (!err && have)
		err = set_link(ic, r, IFF_UP, true, 0);
	if (err)
		task_eprintf(ic->t, "SIOCSIFFLAGS: %s\n", app_strerror(err));
	return err ? 255 : 0;
}

int ifconfig_main(struct task *t, int argc, char **argv)
{
	struct ifconfig ic = { 0 };
	struct ifrow *r;
	bool all = false, brief = false;
	struct opt o;
	int c, rc = 0;

	opt_init(&o, argc, argv, "+as");
	while ((c = opt_next(&o, t)) != -1) {
		if (c == '?')
			return 2;
		all |= c == 'a';
		brief |= c == 's';
	}
	if (brief)
		return netstat_interfaces(t, false);
	rc = load(&ic, t);
	if (rc) {
		task_eprintf(t, "ifconfig: %s\n", app_strerror(rc));
		unload(&ic);
		return 1;
	}
	if (o.i >= argc) {
		print_rows(&ic, all);
	} else if (!(r = row_of(&ic, argv[o.i]))) {
		task_eprintf(t, "%s: error fetching interface information: Device not found\n", argv[o.i]);
		rc = 1;
	} else if (o.i == argc - 1) {
		print_row(t, r);
	} else {
		rc = modify(&ic, r, argc - o.i - 1, argv + o.i + 1);
	}
	unload(&ic);
	return rc;
}

/* route -n and arp -n as net-tools prints them, from /proc/net/route and /proc/net/arp (S1-37, S3-109); changes go
 * through the ip command's own way, the control socket. */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include "app/app_cmds.h"
#include "app/app_util.h"
#include "app/nlc.h"
#include "app/ip_cmd.h"
#include "app/proc_text.h"

static const char *hexaddr(const char *s, char buf[IP4_STRLEN])
{
	return ip4_str(buf, __builtin_bswap32((uint32_t)proc_hex(s)));
}

static int route_show(struct task *t)
{
	static const struct { unsigned bit; char c; } fl[] = { { 1, 'U' }, { 2, 'G' }, { 4, 'H' }, { 0x10, 'D' }, { 0x20, 'M' }, { 0x200, '!' } };
	struct strbuf sb;
	struct proc_lines l;
	int err;

	sb_init(&sb);
	err = proc_slurp(t, "/proc/net/route", &sb);
	task_puts(t, "Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface\n");
	proc_lines_init(&l, &sb);
	proc_lines_next(&l);
	/* Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT */
	while (!err && proc_lines_next(&l)) {
		char d[IP4_STRLEN], g[IP4_STRLEN], m[IP4_STRLEN], flags[8];
		unsigned bits, n = 0;
		bool reject;
		if (l.nf < 8)
			continue;
		bits = (unsigned)proc_hex(l.f[3]);
		reject = bits & 0x200;
		for (size_t i = 0; i < ARRAY_SIZE(fl); i++)
			if (bits & fl[i].bit && (!reject || fl[i].bit == 0x200))
				flags[n++] = fl[i].c;
		flags[n] = '\0';
		task_printf(t, "%-15s %-15s %-15s %-5s %-6s %-2s  %6s %s\n", hexaddr(l.f[1], d), reject ? "-" : hexaddr(l.f[2], g), hexaddr(l.f[7], m),
			    flags, l.f[6], reject ? "-" : l.f[4], l.f[5], reject ? "-" : l.f[0]);
	}
	sb_free(&sb);
	return err ? 1 : 0;
}

/* route add|del [-net|-host] TARGET [netmask M] [gw G] [metric N] [dev D]: said again to ip route. */
static int route_change(struct task *t, int argc, char **argv)
{
	static const char ip[] = "ip", route[] = "route", add[] = "add", del[] = "del", via[] = "via", dev[] = "dev";
	const char *out[16];
	char prefix[40];
	const char *target = NULL, *mask = NULL;
	uint32_t a = 0, m = 0xffffffffu;
	uint8_t plen = 32;
	int n = 0;

	out[n++] = ip;
	out[n++] = route;
	out[n++] = !strcmp(argv[0], "add") ? add : del;
	out[n++] = prefix;
	for (int i = 1; i < argc && n < 13; i++) {
		if (!strcmp(argv[i], "-net") || !strcmp(argv[i], "-host"))
			continue;
		if (!strcmp(argv[i], "netmask") && i + 1 < argc) {
			mask = argv[++i];
		} else if ((!strcmp(argv[i], "gw") || !strcmp(argv[i], "metric") || !strcmp(argv[i], "dev")) && i + 1 < argc) {
			out[n++] = !strcmp(argv[i], "gw") ? via : argv[i];
			out[n++] = argv[++i];
		} else if (!target) {
			target = argv[i];
		} else {
			out[n++] = dev;
			out[n++] = argv[i];
		}
	}
	out[n] = NULL;
	if (target && strcmp(target, "default") && (ip4_parse_prefix(target, &a, &plen) || (mask && ip4_parse(mask, &m)))) {
		task_eprintf(t, "route: %s: bad address\n", target);
		return 4;
	}
	if (!target) {
		task_eprintf(t, "usage: route [-n] [add|del [-net|-host] TARGET [netmask M] [gw G] [metric N] [dev D]]\n");
		return 4;
	}
	if (mask)
		plen = (uint8_t)__builtin_popcount(m);
	if (!strcmp(target, "default")) {
		memcpy(prefix, "default", 8);
	} else {
		struct strbuf sb;
		char s[IP4_STRLEN];
		sb_init(&sb);
		sb_printf(&sb, "%s/%u", ip4_str(s, a), plen);
		memcpy(prefix, sb_str(&sb), min_sz(sb.len + 1, sizeof(prefix)));
		sb_free(&sb);
	}
	return ip_run(t, n, (char **)(uintptr_t)out, out[2] == add ? "SIOCADDRT" : "SIOCDELRT") ? 7 : 0;
}

int route_main(struct task *t, int argc, char **argv)
{
	struct opt o;
	int c;

	opt_init(&o, argc, argv, "+nev");
	while ((c = opt_next(&o, t)) != -1)
		if (c == '?')
			return 4;
	if (o.i >= argc)
		return route_show(t);
	if (strcmp(argv[o.i], "add") && strcmp(argv[o.i], "del")) {
		task_eprintf(t, "route: unknown command '%s'\n", argv[o.i]);
		return 4;
	}
	return route_change(t, argc - o.i, argv + o.i);
}

static int arp_show(struct task *t, const char *only, bool bsd)
{
	struct strbuf sb;
	struct proc_lines l;
	int err, n = 0;

	sb_init(&sb);
	err = proc_slurp(t, "/proc/net/arp", &sb);
	proc_lines_init(&l, &sb);
	proc_lines_next(&l);
	/* IP address, HW type, Flags, HW address, Mask, Device */
	while (!err && proc_lines_next(&l)) {
		unsigned flags;
		if (l.nf < 6 || (only && strcmp(only, l.f[0])))
			continue;
		flags = (unsigned)proc_hex(l.f[2] + 2);
		if (bsd) {
			task_printf(t, "? (%s) at %s%s on %s\n", l.f[0], flags & 2 ? l.f[3] : "<incomplete>",
				    flags & 4 ? " [ether] PERM" : flags & 2 ? " [ether]" : "", l.f[5]);
		} else {
			if (!n)
				task_puts(t, "Address                  HWtype  HWaddress           Flags Mask            Iface\n");
			task_printf(t, "%-24s %-7s %-19s %-5s %-15s %s\n", l.f[0], flags & 2 ? "ether" : "", flags & 2 ? l.f[3] : "(incomplete)",
				    flags & 4 ? "CM" : flags & 2 ? "C" : "", "", l.f[5]);
		}
		n++;
	}
	sb_free(&sb);
	if (only && !n)
		task_printf(t, "%s (%s) -- no entry\n", only, only);
	return err ? 1 : 0;
}

/* Whether /proc/net/arp has the address (of that device). */
static bool arp_known(struct task *t, const char *addr, const char *dev)
{
	struct strbuf sb;
	struct proc_lines l;
	bool found = false;

	sb_init(&sb);
	if (!proc_slurp(t, "/proc/net/arp", &sb)) {
		proc_lines_init(&l, &sb);
		proc_lines_next(&l);
		while (!found && proc_lines_next(&l))
			found = l.nf >= 6 && !strcmp(l.f[0], addr) && !strcmp(l.f[5], dev);
	}
	sb_free(&sb);
	return found;
}

static int arp_change(struct task *t, const char *addr, const char *mac, const char *dev)
{
	static const char prog[] = "ip", neigh[] = "neigh", replace[] = "replace", del[] = "del", lladdr[] = "lladdr", device[] = "dev";
	const char *argv[9] = { prog, neigh, mac ? replace : del };
	struct strbuf sb;
	struct proc_lines l;
	char a[40], m[40], d[20];
	int n = 3, rc;

	sb_init(&sb);
	if (!dev && !proc_slurp(t, "/proc/net/route", &sb)) { /* the device whose net the address is in */
		uint32_t ip;
		proc_lines_init(&l, &sb);
		proc_lines_next(&l);
		while (!dev && !ip4_parse(addr, &ip) && proc_lines_next(&l))
			if (l.nf >= 8 && !proc_hex(l.f[2]) &&
			    (ip & __builtin_bswap32((uint32_t)proc_hex(l.f[7]))) == __builtin_bswap32((uint32_t)proc_hex(l.f[1])))
				dev = l.f[0];
	}
	if (!dev || strlen(addr) >= sizeof(a) || strlen(dev) >= sizeof(d) || (mac && strlen(mac) >= sizeof(m))) {
		task_eprintf(t, "%s: Network is unreachable\n", mac ? "SIOCSARP" : "SIOCDARP(dontpub)");
		sb_free(&sb);
		return 255;
	}
	if (!mac && !arp_known(t, addr, dev)) {
		task_eprintf(t, "No ARP entry for %s\n", addr);
		sb_free(&sb);
		return 255;
	}
	memcpy(a, addr, strlen(addr) + 1);
	memcpy(d, dev, strlen(dev) + 1);
	argv[n++] = a;
	if (mac) {
		memcpy(m, mac, strlen(mac) + 1);
		argv[n++] = lladdr;
		argv[n++] = m;
	}
	argv[n++] = device;
	argv[n++] = d;
	argv[n] = NULL;
	sb_free(&sb);
	rc = ip_main(t, n, (char **)(uintptr_t)argv);
	return rc ? 255 : 0;
}

int arp_main(struct task *t, int argc, char **argv)
{
	bool bsd = false, set = false, del = false;
	const char *dev = NULL, *a, *m;
	struct opt o;
	int c;

	opt_init(&o, argc, argv, "naesdi:");
	while ((c = opt_next(&o, t)) != -1) {
		switch (c) {
		case 'n': case 'e': break;
		case 'a': bsd = true; break;
		case 's': set = true; break;
		case 'd': del = true; break;
		case 'i': dev = o.value; break;
		default: return 255;
		}
	}
	a = o.i < argc ? argv[o.i] : NULL;
	m = o.i + 1 < argc ? argv[o.i + 1] : NULL;
	if (set ? !a || !m : del ? !a : m != NULL) {
		task_eprintf(t, "usage: arp [-n] [-a] [ADDR] | -s ADDR MAC | -d ADDR [-i DEV]\n");
		return 255;
	}
	return set || del ? arp_change(t, a, set ? m : NULL, dev) : arp_show(t, a, bsd);
}

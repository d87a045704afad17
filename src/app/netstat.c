/* netstat -natuplwrsieg: connections from /proc/net/{tcp,udp,raw,icmp}, routes, interfaces, statistics, as net-tools
 * prints them (S3-56). PID/Program comes from /proc/net/sockowners (inode, pid, program). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "app/app_cmds.h"
#include "app/app_util.h"
#include "app/ifconfig.h"
#include "app/netstat_stats.h"
#include "app/proc_text.h"

#define NETSTAT_MAX_IFS 1024

struct netstat {
	struct task *t;
	bool all, tcp, udp, raw, listen, programs, extend;
	struct strbuf owners;
};

static const char *tcp_state(unsigned s)
{
	static const char *const n[] = { "", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
					 "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "SYN_RECV" };
	return s < ARRAY_SIZE(n) ? n[s] : "UNKNOWN";
}

/* "PID/Program" of an inode into buf, or "-". */
static const char *owner_of(struct netstat *ns, const char *inode, char *buf, size_t room)
{
	const char *p = ns->owners.len ? sb_str(&ns->owners) : "";
	size_t n = strlen(inode);

	while (*p && strcmp(inode, "0")) {
		const char *eol = strchrnul(p, '\n');
		if (!strncmp(p, inode, n) && p[n] == ' ') {
			const char *q = p + n + 1;
			size_t len = (size_t)(eol - q);
			if (len >= room)
				len = room - 1;
			memcpy(buf, q, len);
			buf[len] = '\0';
			for (char *s = buf; *s; s++)
				if (*s == ' ') {
					*s = '/';
					break;
				}
			return buf;
		}
		p = *eol ? eol + 1 : eol;
	}
	return "-";
}

static void one_socket(struct netstat *ns, const char *proto, struct proc_lines *l)
{
	struct strbuf local, remote;
	char a[IP4_STRLEN], owner[40];
	uint32_t la, ra;
	uint16_t lp, rp;
	unsigned st;
	bool is_tcp = proto[0] == 't';
	char *rxq;

	/* sl local rem st tx:rx tr:when retr uid timeout inode */
	if (l->nf < 10 || !proc_addr(l->f[1], &la, &lp) || !proc_addr(l->f[2], &ra, &rp) || !(rxq = strchr(l->f[4], ':')))
		return;
	st = (unsigned)proc_hex(l->f[3]);
	if (is_tcp ? (st == 10 ? !(ns->all || ns->listen) : ns->listen) : (!ns->all && (ns->listen ? st == 1 : st != 1)))
		return;
	sb_init(&local);
	sb_init(&remote);
	sb_printf(&local, "%s:%u", ip4_str(a, la), lp);
	if (rp)
		sb_printf(&remote, "%s:%u", ip4_str(a, ra), rp);
	else
		sb_printf(&remote, "%s:*", ip4_str(a, ra));
	task_printf(ns->t, "%-5s %6llu %6llu %-23s %-23s %-11s", proto, (unsigned long long)proc_hex(rxq + 1),
		    (unsigned long long)proc_hex(l->f[4]), sb_str(&local), sb_str(&remote),
		    is_tcp ? tcp_state(st) : st == 1 ? "ESTABLISHED" : proto[0] == 'r' || proto[0] == 'i' ? "7" : "");
	if (ns->extend)
		task_printf(ns->t, " %-10s %-10s", l->f[7], l->f[9]);
	if (ns->programs)
		task_printf(ns->t, " %-19s", owner_of(ns, l->f[9], owner, sizeof(owner)));
	task_puts(ns->t, " \n");
	sb_free(&local);
	sb_free(&remote);
}

static void sockets_of(struct netstat *ns, const char *proto, const char *file)
{
	struct strbuf sb;
	struct proc_lines l;

	sb_init(&sb);
	if (!proc_slurp(ns->t, file, &sb)) {
		proc_lines_init(&l, &sb);
		proc_lines_next(&l);
		while (proc_lines_next(&l))
			one_socket(ns, proto, &l);
	}
	sb_free(&sb);
}

static int connections(struct netstat *ns)
{
	bool any = ns->tcp || ns->udp || ns->raw;

	sb_init(&ns->owners);
	if (ns->programs)
		proc_slurp(ns->t, "/proc/net/sockowners", &ns->owners);
	task_printf(ns->t, "Active Internet connections (%s)\n",
		    ns->all ? "servers and established" : ns->listen ? "only servers" : "w/o servers");
	task_puts(ns->t, "Proto Recv-Q Send-Q Local Address           Foreign Address         State      ");
	if (ns->extend)
		task_puts(ns->t, " User       Inode     ");
	if (ns->programs)
		task_puts(ns->t, " PID/Program name   ");
	task_puts(ns->t, " \n");
	if (ns->tcp || !any)
		sockets_of(ns, "tcp", "/proc/net/tcp");
	if (ns->udp || !any)
		sockets_of(ns, "udp", "/proc/net/udp");
	if (ns->raw || !any) {
		sockets_of(ns, "raw", "/proc/net/raw");
		sockets_of(ns, "icmp", "/proc/net/icmp");
	}
	sb_free(&ns->owners);
	return 0;
}

static const char *hexaddr(const char *s, char buf[IP4_STRLEN])
{
	return ip4_str(buf, __builtin_bswap32((uint32_t)proc_hex(s)));
}

/* Lines of /proc/net/dev by device name, as net-tools sorts its devices. */
static int by_name(const void *a, const void *b)
{
	return ifconfig_name_cmp(*(char *const *)a, *(char *const *)b);
}

int netstat_interfaces(struct task *t, bool title)
{
	struct strbuf sb;
	struct proc_lines l;
	char *row[NETSTAT_MAX_IFS], *save = NULL;
	size_t n = 0;
	int err;

	sb_init(&sb);
	err = proc_slurp(t, "/proc/net/dev", &sb);
	task_printf(t, "%s", title ? "Kernel Interface table\nIface             " : "Iface      ");
	task_puts(t, "MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n");
	if (!err)
		for (char *w = strtok_r(sb.buf, "\n", &save); w && n < NETSTAT_MAX_IFS; w = strtok_r(NULL, "\n", &save))
			if (strchr(w, ':'))
				row[n++] = w + strspn(w, " ");
	qsort(row, n, sizeof(*row), by_name);
	for (size_t i = 0; i < n; i++) {
		struct strbuf one;
		char mtu[16] = "0", flg[8] = "", *colon;

		sb_init(&one);
		sb_puts(&one, row[i]);
		proc_lines_init(&l, &one);
		if (proc_lines_next(&l) && (colon = strchr(l.f[0], ':')) && l.nf >= 17) {
			*colon = '\0';
			ifconfig_short(t, l.f[0], mtu, sizeof(mtu), flg, sizeof(flg));
			task_printf(t, "%-15s %5s %8s %6s %6s %-6s %8s %6s %6s %6s %s\n", l.f[0], mtu, l.f[2], l.f[3], l.f[4], l.f[5],
				    l.f[10], l.f[11], l.f[12], l.f[13], flg);
		}
		sb_free(&one);
	}
	sb_free(&sb);
	return err ? 1 : 0;
}

/* -rn: as route -n, with other columns. */
static int routes(struct task *t)
{
	static const struct { unsigned bit; char c; } fl[] = { { 1, 'U' }, { 2, 'G' }, { 4, 'H' }, { 0x10, 'D' }, { 0x20, 'M' }, { 0x200, '!' } };
	struct strbuf sb;
	struct proc_lines l;
	int err;

	sb_init(&sb);
	err = proc_slurp(t, "/proc/net/route", &sb);
	task_puts(t, "Kernel IP routing table\nDestination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n");
	proc_lines_init(&l, &sb);
	proc_lines_next(&l);
	/* Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT */
	while (!err && proc_lines_next(&l)) {
		char d[IP4_STRLEN], g[IP4_STRLEN], m[IP4_STRLEN], flags[8];
		unsigned bits, n = 0;

		if (l.nf < 11)
			continue;
		bits = (unsigned)proc_hex(l.f[3]);
		for (size_t i = 0; i < ARRAY_SIZE(fl); i++)
			if (bits & fl[i].bit)
				flags[n++] = fl[i].c;
		flags[n] = '\0';
		task_printf(t, "%-15s %-15s %-15s %-5s %5s %-6s %5s %s\n", hexaddr(l.f[1], d), bits & 0x200 ? "-" : hexaddr(l.f[2], g),
			    hexaddr(l.f[7], m), flags, l.f[8], l.f[9], l.f[10], l.f[0]);
	}
	sb_free(&sb);
	return err ? 1 : 0;
}

/* -g: who is a member of which group. */
static int groups(struct task *t)
{
	struct strbuf sb;
	struct proc_lines l;
	char dev[16] = "", a[IP4_STRLEN];
	int err;

	sb_init(&sb);
	err = proc_slurp(t, "/proc/net/igmp", &sb);
	task_puts(t, "IPv6/IPv4 Group Memberships\nInterface       RefCnt Group\n--------------- ------ ---------------------\n");
	proc_lines_init(&l, &sb);
	proc_lines_next(&l);
	/* a device: INDEX NAME : COUNT QUERIER; its groups: ADDRESS USERS TIMER REPORTER */
	while (!err && proc_lines_next(&l)) {
		if (l.nf > 2 && !strcmp(l.f[2], ":")) {
			memcpy(dev, l.f[1], min_sz(strlen(l.f[1]) + 1, sizeof(dev) - 1));
		} else if (l.nf > 1) {
			task_printf(t, "%-15s %-6s %s\n", dev, l.f[1], hexaddr(l.f[0], a));
		}
	}
	sb_free(&sb);
	return err ? 1 : 0;
}

int netstat_main(struct task *t, int argc, char **argv)
{
	struct netstat ns = { .t = t };
	bool route = false, stats = false, ifaces = false, member = false;
	struct opt o;
	int c;

	opt_init(&o, argc, argv, "natuplwrsieg");
	while ((c = opt_next(&o, t)) != -1) {
		switch (c) {
		case 'n': break;
		case 'a': ns.all = true; break;
		case 't': ns.tcp = true; break;
		case 'u': ns.udp = true; break;
		case 'w': ns.raw = true; break;
		case 'l': ns.listen = true; break;
		case 'p': ns.programs = true; break;
		case 'e': ns.extend = true; break;
		case 'r': route = true; break;
		case 's': stats = true; break;
		case 'i': ifaces = true; break;
		case 'g': member = true; break;
		default: return 2;
		}
	}
	if (member)
		return groups(t);
	if (route)
		return routes(t);
	if (ifaces && ns.extend)
		return ifconfig_list(t, "Kernel Interface table\n");
	return ifaces ? netstat_interfaces(t, true) : stats ? netstat_statistics(t) : connections(&ns);
}

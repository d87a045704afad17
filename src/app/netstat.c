/* netstat -natuplwrsie: connections from /proc/net/{tcp,udp,raw,icmp}, routes, interfaces, statistics, as net-tools
 * prints them (S3-56). PID/Program comes from /proc/net/sockowners (inode, pid, program). */
#include <errno.h>
#include <string.h>
#include "app/app_cmds.h"
#include "app/app_util.h"
#include "app/ifconfig.h"
#include "app/proc_text.h"

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

static int interfaces(struct task *t)
{
	struct strbuf sb;
	struct proc_lines l;
	int err;

	sb_init(&sb);
	err = proc_slurp(t, "/proc/net/dev", &sb);
	task_puts(t, "Kernel Interface table\nIface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n");
	proc_lines_init(&l, &sb);
	while (!err && proc_lines_next(&l)) {
		char *colon = l.nf ? strchr(l.f[0], ':') : NULL;
		char mtu[16] = "0", flg[8] = "";
		if (!colon || l.nf < 17)
			continue;
		*colon = '\0';
		ifconfig_short(t, l.f[0], mtu, sizeof(mtu), flg, sizeof(flg));
		task_printf(t, "%-15s %5s %8s %6s %6s %-6s %8s %6s %6s %6s %s\n", l.f[0], mtu, l.f[2], l.f[3], l.f[4], l.f[5], l.f[10],
			    l.f[11], l.f[12], l.f[13], flg);
	}
	sb_free(&sb);
	return err ? 1 : 0;
}

/* -s: the counters of snmp and netstat, a section per line pair. */
static int statistics(struct task *t)
{
	static const char *const files[] = { "/proc/net/snmp", "/proc/net/netstat" };

	for (size_t k = 0; k < ARRAY_SIZE(files); k++) {
		struct proc_lines names, vals;
		struct strbuf sb;
		sb_init(&sb);
		if (proc_slurp(t, files[k], &sb)) {
			sb_free(&sb);
			continue;
		}
		proc_lines_init(&names, &sb);
		while (proc_lines_next(&names)) {
			vals.next = names.next;
			if (!proc_lines_next(&vals))
				break;
			task_printf(t, "%s\n", names.f[0]);
			for (int i = 1; i < names.nf && i < vals.nf; i++)
				if (strcmp(vals.f[i], "0"))
					task_printf(t, "    %s: %s\n", names.f[i], vals.f[i]);
			names.next = vals.next;
		}
		sb_free(&sb);
	}
	return 0;
}

int netstat_main(struct task *t, int argc, char **argv)
{
	struct netstat ns = { .t = t };
	bool route = false, stats = false, ifaces = false;
	struct opt o;
	int c;

	opt_init(&o, argc, argv, "natuplwrsie");
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
		default: return 2;
		}
	}
	if (route) {
		char *args[] = { (char[]){ "route" }, (char[]){ "-n" }, NULL };
		return route_main(t, 2, args);
	}
	return ifaces ? interfaces(t) : stats ? statistics(t) : connections(&ns);
}

/* nstat: every counter's absolute value (-a), zeros too (-z). */
int nstat_main(struct task *t, int argc, char **argv)
{
	static const char *const files[] = { "/proc/net/snmp", "/proc/net/netstat" };
	bool zeros = false;
	struct opt o;
	int c;

	opt_init(&o, argc, argv, "azs");
	while ((c = opt_next(&o, t)) != -1) {
		if (c == '?')
			return 2;
		zeros |= c == 'z';
	}
	task_puts(t, "#kernel\n");
	for (size_t k = 0; k < ARRAY_SIZE(files); k++) {
		struct proc_lines names, vals;
		struct strbuf sb;
		sb_init(&sb);
		if (!proc_slurp(t, files[k], &sb)) {
			proc_lines_init(&names, &sb);
			while (proc_lines_next(&names)) {
				vals.next = names.next;
				if (!proc_lines_next(&vals))
					break;
				for (int i = 1; i < names.nf && i < vals.nf; i++) {
					struct strbuf n;
					if (!zeros && !strcmp(vals.f[i], "0"))
						continue;
					sb_init(&n);
					sb_printf(&n, "%.*s%s", (int)strcspn(names.f[0], ":"), names.f[0], names.f[i]);
					task_printf(t, "%-32s%-16s0.0\n", sb_str(&n), vals.f[i]);
					sb_free(&n);
				}
				names.next = vals.next;
			}
		}
		sb_free(&sb);
	}
	return 0;
}

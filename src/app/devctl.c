/* tc qdisc, ethtool, iptables: programs that send a line to a file of the host and print what comes back. */
#include <errno.h>
#include <string.h>
#include "app/app_cmds.h"
#include "app/app_util.h"
#include "app/proc_text.h"

/* ---- tc ---- */

static int qdisc_show(struct task *t, const char *only, bool stats)
{
	struct strbuf sb;
	struct proc_lines l;
	int err;

	sb_init(&sb);
	err = proc_slurp(t, "/proc/net/qdisc", &sb);
	proc_lines_init(&l, &sb);
	/* dev kind handle limit packets bytes drops overlimits requeues backlog qlen [detail...] */
	while (!err && proc_lines_next(&l)) {
		if (l.nf < 11 || (only && strcmp(only, l.f[0])))
			continue;
		task_printf(t, "qdisc %s %s: dev %s root refcnt 2", l.f[1], l.f[2], l.f[0]);
		for (int i = 11; i < l.nf; i++)
			task_printf(t, " %s", l.f[i]);
		task_puts(t, " \n");
		if (!stats)
			continue;
		task_printf(t, " Sent %s bytes %s pkt (dropped %s, overlimits %s requeues %s) \n", l.f[5], l.f[4], l.f[6], l.f[7], l.f[8]);
		task_printf(t, " backlog %sb %sp requeues %s\n", l.f[9], l.f[10], l.f[8]);
	}
	sb_free(&sb);
	return err ? 2 : 0;
}

static int qdisc_change(struct task *t, int argc, char **argv, bool del)
{
	struct strbuf cmd, ans;
	const char *dev = NULL;
	int err, i;

	for (i = 0; i + 1 < argc && !strcmp(argv[i], "dev"); i += 2)
		dev = argv[i + 1];
	if (i < argc && !strcmp(argv[i], "root"))
		i++;
	if (i + 1 < argc && !strcmp(argv[i], "handle"))
		i += 2;
	if (!dev || (!del && i >= argc)) {
		task_eprintf(t, "Usage: tc qdisc add|replace|del dev DEV root [KIND [ARG...]]\n");
		return 1;
	}
	sb_init(&cmd);
	sb_init(&ans);
	sb_printf(&cmd, "%s", dev);
	if (del)
		sb_puts(&cmd, " default");
	for (; !del && i < argc; i++)
		sb_printf(&cmd, " %s", argv[i]);
	err = proc_command(t, "/proc/net/qdisc", sb_str(&cmd), &ans);
	if (err == -ENODEV)
		task_eprintf(t, "Cannot find device \"%s\"\n", dev);
	else if (err)
		task_eprintf(t, "Error: %s.\n", ans.len ? sb_str(&ans) : app_strerror(err));
	sb_free(&cmd);
	sb_free(&ans);
	return err ? 2 : 0;
}

int tc_main(struct task *t, int argc, char **argv)
{
	bool stats = false;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++)
		stats |= !strcmp(argv[i], "-s");
	if (i >= argc || strcmp(argv[i], "qdisc")) {
		task_eprintf(t, "Usage: tc [-s] qdisc [show|add|replace|del] [dev DEV] ...\n");
		return 1;
	}
	i++;
	if (i >= argc || !strcmp(argv[i], "show") || !strcmp(argv[i], "ls"))
		return qdisc_show(t, i + 2 < argc && !strcmp(argv[i + 1], "dev") ? argv[i + 2] : NULL, stats);
	if (!strcmp(argv[i], "add") || !strcmp(argv[i], "replace") || !strcmp(argv[i], "change"))
		return qdisc_change(t, argc - i - 1, argv + i + 1, false);
	if (!strcmp(argv[i], "del"))
		return qdisc_change(t, argc - i - 1, argv + i + 1, true);
	task_eprintf(t, "Command \"%s\" is unknown, try \"tc qdisc show|add|replace|del\".\n", argv[i]);
	return 1;
}

/* ---- ethtool ---- */

int ethtool_main(struct task *t, int argc, char **argv)
{
	bool stats = argc == 3 && !strcmp(argv[1], "-S"), rings = argc == 3 && !strcmp(argv[1], "-g");
	struct strbuf cmd, ans;
	struct proc_lines l;
	int err;

	if (!stats && !rings) {
		task_eprintf(t, "usage: ethtool -S|-g DEV\n");
		return 1;
	}
	sb_init(&cmd);
	sb_init(&ans);
	sb_printf(&cmd, "%s %s", stats ? "stats" : "rings", argv[2]);
	err = proc_command(t, "/proc/net/ethtool", sb_str(&cmd), &ans);
	if (err == -EOPNOTSUPP && stats)
		task_eprintf(t, "no stats available\n");
	else if (err)
		task_eprintf(t, "netlink error: %s\n", app_strerror(err));
	if (!err) {
		task_printf(t, stats ? "NIC statistics:\n" : "Ring parameters for %s:\n", argv[2]);
		proc_lines_init(&l, &ans);
		while (proc_lines_next(&l))
			if (l.nf == 2)
				task_printf(t, stats ? "     %s: %s\n" : "%s:\t\t%s\n", l.f[0], l.f[1]);
	}
	sb_free(&cmd);
	sb_free(&ans);
	return err ? (err == -ENODEV ? 75 : 94) : 0;
}

/* ---- iptables ---- */

int iptables_main(struct task *t, int argc, char **argv)
{
	struct strbuf cmd, ans;
	int err;

	sb_init(&cmd);
	sb_init(&ans);
	for (int i = 1; i < argc; i++)
		sb_printf(&cmd, "%s%s", i > 1 ? " " : "", argv[i]);
	if (argc < 2) {
		task_eprintf(t, "iptables: no command specified\n");
		return 2;
	}
	err = proc_command(t, "/proc/net/ip_tables", sb_str(&cmd), &ans);
	if (err && ans.len) /* the host's own line, which names the program */
		task_eprintf(t, "%s%s", sb_str(&ans), ans.buf[ans.len - 1] == '\n' ? "" : "\n");
	else if (err)
		task_eprintf(t, "iptables: %s\n", app_strerror(err));
	else if (ans.len)
		task_puts(t, sb_str(&ans));
	sb_free(&cmd);
	sb_free(&ans);
	return err ? (err == -EINVAL ? 2 : 1) : 0;
}

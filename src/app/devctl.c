/* tc qdisc, ethtool, iptables: programs that send a line to a file of the host and print what comes back. */
#include <errno.h>
#include <stdio.h>
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

/* -k: a feature with what hangs on it below it. */
static void ethtool_features(struct task *t, const char *dev, struct strbuf *ans)
{
	struct proc_lines l;

	task_printf(t, "Features for %s:\n", dev);
	proc_lines_init(&l, ans);
	while (proc_lines_next(&l))
		if (l.nf >= 2)
			task_printf(t, "%s: %s%s\n", l.f[0], l.f[1], l.nf > 2 ? " [fixed]" : "");
	task_puts(t, "large-receive-offload: off [fixed]\n");
}

/* ethtool's own short names. */
static const char *feature_name(const char *arg)
{
	static const char *const names[][2] = {
		{ "rx", "rx-checksumming" }, { "tx", "tx-checksumming" }, { "sg", "scatter-gather" },
		{ "tso", "tcp-segmentation-offload" }, { "gro", "generic-receive-offload" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(arg, names[i][0]))
			return names[i][1];
	return arg;
}

/* What is other than asked for. Returns ethtool's exit code: was anything done? */
static int ethtool_changes(struct task *t, struct strbuf *ans)
{
	bool done = false, other = false;
	struct proc_lines l;

	proc_lines_init(&l, ans);
	while (proc_lines_next(&l)) {
		done |= l.nf == 3 && !strcmp(l.f[2], "changed");
		other |= l.nf == 3 && strcmp(l.f[2], "changed") != 0;
	}
	if (!other)
		return 0;
	task_puts(t, "Actual changes:\n");
	proc_lines_init(&l, ans);
	while (proc_lines_next(&l)) {
		task_printf(t, "%s: %s", l.f[0], l.f[1]);
		if (!strcmp(l.f[2], "refused"))
			task_printf(t, " [requested %s]", strcmp(l.f[1], "on") ? "on" : "off");
		task_puts(t, strcmp(l.f[2], "unwanted") ? "\n" : " [not requested]\n");
	}
	if (!done)
		task_eprintf(t, "Could not change any device features\n");
	return !done;
}

/* -K DEV NAME on|off ... */
static int ethtool_set(struct task *t, int argc, char **argv)
{
	struct strbuf cmd, ans;
	int err;

	sb_init(&cmd);
	sb_init(&ans);
	sb_printf(&cmd, "set %s", argv[2]);
	for (int i = 3; i + 1 < argc; i += 2)
		sb_printf(&cmd, " %s %s", feature_name(argv[i]), argv[i + 1]);
	err = proc_command(t, "/proc/net/ethtool", sb_str(&cmd), &ans);
	if (err == -EINVAL)
		task_eprintf(t, "ethtool: bad command line argument(s)\nFor more information run ethtool -h\n");
	else if (err)
		task_eprintf(t, "netlink error: %s\n", app_strerror(err));
	err = err == -EINVAL ? 1 : err ? 92 : ethtool_changes(t, &ans);
	sb_free(&cmd);
	sb_free(&ans);
	return err;
}

/* ethtool -g: what the card may have, and what it has. There are no mini and no jumbo rings, and no settings beyond sizes. */
static void ethtool_rings(struct task *t, const char *dev, struct strbuf *ans)
{
	static const char *const names[] = { "rx_max", "tx_max", "rx", "tx" };
	char v[ARRAY_SIZE(names)][16] = { "n/a", "n/a", "n/a", "n/a" };
	struct proc_lines l;

	proc_lines_init(&l, ans);
	while (proc_lines_next(&l))
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (l.nf == 2 && !strcmp(l.f[0], names[i]))
				snprintf(v[i], sizeof(v[i]), "%s", l.f[1]);
	task_printf(t, "Ring parameters for %s:\n", dev);
	for (size_t i = 0; i < 4; i += 2)
		task_printf(t, "%s:\nRX:\t\t%s\nRX Mini:\tn/a\nRX Jumbo:\tn/a\nTX:\t\t%s\n", i ? "Current hardware settings" : "Pre-set maximums",
			    v[i], v[i + 1]);
	task_puts(t, "RX Buf Len:\t\tn/a\nCQE Size:\t\tn/a\nTX Push:\toff\nTCP data split:\tn/a\n");
}

static void ethtool_stats(struct task *t, struct strbuf *ans)
{
	struct proc_lines l;

	task_puts(t, "NIC statistics:\n");
	proc_lines_init(&l, ans);
	while (proc_lines_next(&l))
		if (l.nf == 2)
			task_printf(t, "     %s: %s\n", l.f[0], l.f[1]);
}

/* Counters are asked for by ioctl, the rest by netlink: their errors are told in other words. Returns ethtool's exit code. */
static int ethtool_error(struct task *t, int err, bool stats)
{
	if (stats && err == -EOPNOTSUPP) {
		task_eprintf(t, "no stats available\n");
		return 94;
	}
	if (stats) {
		task_eprintf(t, "Cannot get stats strings information: %s\n", app_strerror(err));
		return 96;
	}
	if (err == -ENODEV)
		task_eprintf(t, "netlink error: no device matches name (offset 24)\n");
	task_eprintf(t, "netlink error: %s\n", app_strerror(err));
	return 1;
}

/* What the letter asks the host for; NULL: not one of ours. */
static const char *ethtool_word(int argc, char **argv)
{
	if (argc != 3 || argv[1][0] != '-' || !argv[1][1] || argv[1][2])
		return NULL;
	return argv[1][1] == 'S' ? "stats" : argv[1][1] == 'g' ? "rings" : argv[1][1] == 'k' ? "features" : NULL;
}

int ethtool_main(struct task *t, int argc, char **argv)
{
	const char *word = ethtool_word(argc, argv);
	bool stats = word && word[0] == 's';
	struct strbuf cmd, ans;
	int err;

	if (argc >= 5 && argc % 2 && !strcmp(argv[1], "-K"))
		return ethtool_set(t, argc, argv);
	if (!word) {
		task_eprintf(t, "usage: ethtool -S|-g|-k DEV, ethtool -K DEV rx|tx|tso|gro on|off ...\n");
		return 1;
	}
	sb_init(&cmd);
	sb_init(&ans);
	sb_printf(&cmd, "%s %s", word, argv[2]);
	err = proc_command(t, "/proc/net/ethtool", sb_str(&cmd), &ans);
	if (err)
		err = ethtool_error(t, err, stats);
	else if (word[0] == 'f')
		ethtool_features(t, argv[2], &ans);
	else if (stats)
		ethtool_stats(t, &ans);
	else
		ethtool_rings(t, argv[2], &ans);
	sb_free(&cmd);
	sb_free(&ans);
	return err;
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

/* The table of programs and the little shell that starts one from a line of text. Called by lab/ for `exec`,
 * `processes` and -c; hands on to each program's main as a task. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "app/app_cmds.h"
#include "app/app_net.h"

#define LINE_MAX_ARGS 256

static const struct app apps[] = {
	{ "arp", arp_main, "arp [-n] [-a] [-d ADDR] [-s ADDR MAC]", false },
	{ "cat", cat_main, "cat FILE...", false },
	{ "conntrack", conntrack_main, "conntrack -L|-D|-F|-C|-S [-p PROTO] [-s ADDR] [-d ADDR] [-n] [-g] ...", false },
	{ "curl", curl_main, "curl [-fsvI] [-o FILE] [-X METHOD] [-d DATA] [-T FILE] URL", false },
	{ "dig", dig_main, "dig [@SERVER] NAME [TYPE] [+trace] [+norecurse] [+tcp] [+short]", false },
	{ "dns", dns_main, "dns cache [flush]", false },
	{ "dns-resolver", dns_resolver_main, "dns-resolver --hints FILE", true },
	{ "dns-server", dns_server_main, "dns-server ORIGIN=FILE...", true },
	{ "ethtool", ethtool_main, "ethtool -S|-g|-k DEV, -K DEV gro on|off", false },
	{ "getent", getent_main, "getent hosts NAME", false },
	{ "http-server", http_server_main, "http-server --root DIR [--port N] [--put PREFIX]", true },
	{ "ifconfig", ifconfig_main, "ifconfig [-as] [DEV [ADDR] [up|down] [mtu N]]", false },
	{ "ip", ip_main, "ip [-s] [-o] [-br] [-4] addr|link|route|neigh|rule|maddr|tcp_metrics ...", false },
	{ "iperf", iperf_main, "iperf -s | -c HOST [-t SECONDS] [-n BYTES]", false },
	{ "iptables", iptables_main, "iptables [-t TABLE] -A|-D|-I|-F|-L|-P ...", false },
	{ "nc", nc_main, "nc [-luzvkq] [-w SECONDS] [-d TEXT] [-f BYTES] [HOST] PORT", false },
	{ "netstat", netstat_main, "netstat [-natuplrsieg]", false },
	{ "nstat", nstat_main, "nstat [-aznsr] [PATTERN]...", false },
	{ "ping", ping_main, "ping [-c N] [-s SIZE] [-I DEV|ADDR] [-M do|dont] [-t TTL] [-W S] [-R raw|dgram] HOST", false },
	{ "route", route_main, "route [-n] [add|del ...]", false },
	{ "sleep", sleep_main, "sleep SECONDS", false },
	{ "ss", ss_main, "ss [-tuwanpiolmH] [state STATE]... [EXPRESSION]", false },
	{ "sysctl", sysctl_main, "sysctl [-a] [-n] [-w] NAME[=VALUE]...", false },
	{ "tc", tc_main, "tc [-s] qdisc [show|replace|del] dev DEV ...", false },
	{ "tcpdump", tcpdump_main, "tcpdump [-i DEV] [-c N] [-s N] [-AenpqStvxX] [-w FILE] [FILTER]", false },
	{ "traceroute", traceroute_main, "traceroute [-nIF] HOST [SIZE]", false },
};

const struct app *app_find(const char *name)
{
	size_t lo = 0, hi = ARRAY_SIZE(apps);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = strcmp(name, apps[mid].name);
		if (!c)
			return &apps[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

const struct app *app_at(size_t i)
{
	return i < ARRAY_SIZE(apps) ? &apps[i] : NULL;
}

/* Split in place, as a shell does: blanks separate, '...' and "..." keep, backslash takes the next character.
 * Returns argc, or -EINVAL for an open quote or too many words. */
static int split_line(char *s, char **argv)
{
	int argc = 0;

	for (;;) {
		char *out, quote = 0;
		while (*s == ' ' || *s == '\t')
			s++;
		if (!*s)
			return argc;
		if (argc == LINE_MAX_ARGS)
			return -EINVAL;
		argv[argc++] = out = s;
		for (; *s && (quote || (*s != ' ' && *s != '\t')); s++) {
			if (quote ? *s == quote : *s == '\'' || *s == '"')
				quote = quote ? 0 : *s;
			else if (*s == '\\' && quote != '\'' && s[1])
				*out++ = *++s;
			else
				*out++ = *s;
		}
		if (quote)
			return -EINVAL;
		if (*s)
			s++;
		*out = '\0';
	}
}

struct task *app_spawn_line(struct net *net, const char *line, int *err)
{
	char *copy = xstrdup(line), *argv[LINE_MAX_ARGS + 1];
	int argc = split_line(copy, argv);
	const struct app *app;
	struct task *t = NULL;

	*err = -EINVAL;
	if (argc > 0) {
		argv[argc] = NULL;
		app = app_find(argv[0]);
		*err = app ? -ENOMEM : -ENOENT;
		if (app)
			t = task_spawn(net, app->name, app->main, argc, argv, NULL);
		if (t)
			*err = 0;
	}
	free(copy);
	return t;
}

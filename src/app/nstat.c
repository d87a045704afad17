/* nstat: the counters of /proc/net/snmp and /proc/net/netstat by name, and what was added since it was asked last.
 *
 * Decides which are said: those that match a pattern, that are not zero, and (without -a) only what the history file does not have.
 * Called by programs and packet scripts. Tests: tests/packet/language/nstat.pkt, tests/kernel (worlds show, ping, conns). */
#include <stdlib.h>
#include <string.h>
#include "app/app_cmds.h"
#include "app/app_util.h"
#include "app/netstat_stats.h"
#include "app/proc_text.h"
#include "socket/vfs.h"

#define HISTORY "/tmp/.nstat.u0"

struct nstat {
	bool zeros, absolute, silent;
	char **pattern;
	int n_patterns;
	struct strbuf was, now; /* lines "NAME VALUE" */
};

/* "*" and "?" of the shell. */
static bool matches(const char *p, const char *s)
{
	const char *star = NULL, *back = NULL;

	while (*s) {
		if (*p == '*') {
			star = ++p;
			back = s;
		} else if (*p == '?' || *p == *s) {
			p++;
			s++;
		} else if (star) {
			p = star;
			s = ++back;
		} else {
			return false;
		}
	}
	return !p[strspn(p, "*")];
}

static bool wanted(const struct nstat *n, const char *name)
{
	bool any = n->n_patterns == 0;

	for (int i = 0; i < n->n_patterns && !any; i++)
		any = matches(n->pattern[i], name);
	return any;
}

static uint64_t before(const struct nstat *n, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = sb_str(&n->was); *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (!strncmp(p, name, len) && p[len] == ' ')
			return strtoull(p + len, NULL, 10);
	return 0;
}

static void one(struct task *t, const char *section, const char *name, const char *val, void *arg)
{
	/* settings, not counters */
	static const char *const no[] = { "IpForwarding", "IpDefaultTTL", "TcpRtoAlgorithm", "TcpRtoMin", "TcpRtoMax", "TcpMaxConn", "TcpCurrEstab" };
	struct nstat *n = arg;
	struct strbuf full, num;
	uint64_t v, was;

	if (!name)
		return;
	sb_init(&full);
	sb_init(&num);
	sb_printf(&full, "%.*s%s", (int)strcspn(section, ":"), section, name);
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (!strcmp(sb_str(&full), no[i]))
			name = NULL;
	if (name) {
		v = strtoull(val, NULL, 10);
		was = n->absolute ? 0 : before(n, sb_str(&full));
		sb_printf(&n->now, "%s %s\n", sb_str(&full), val);
		sb_printf(&num, "%llu", (unsigned long long)(v >= was ? v - was : v));
		if (!n->silent && (n->zeros || v != was) && wanted(n, sb_str(&full)))
			task_printf(t, "%-31s %-18s 0.0\n", sb_str(&full), sb_str(&num));
	}
	sb_free(&num);
	sb_free(&full);
}

/* -a: since the host began; -r: the same, and what is added counts from here; -n: say nothing; -s: keep the history as it is; -z: zeros too. */
int nstat_main(struct task *t, int argc, char **argv)
{
	struct nstat n = { false };
	bool keep = false;
	struct opt o;
	int c;

	opt_init(&o, argc, argv, "azsnr");
	while ((c = opt_next(&o, t)) != -1) {
		if (c == '?')
			return 2;
		n.zeros |= c == 'z';
		n.absolute |= c == 'a' || c == 'r';
		n.silent |= c == 'n';
		keep |= c == 's';
	}
	n.pattern = argv + o.i;
	n.n_patterns = argc - o.i;
	sb_init(&n.was);
	sb_init(&n.now);
	if (!n.absolute)
		proc_slurp(t, HISTORY, &n.was);
	if (!n.silent)
		task_puts(t, "#kernel\n");
	each_counter(t, one, &n);
	if (!keep)
		vfs_put_file(t->net, HISTORY, sb_str(&n.now), n.now.len);
	sb_free(&n.was);
	sb_free(&n.now);
	return 0;
}

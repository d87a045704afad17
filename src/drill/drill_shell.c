/* Commands of a script, on the host under test and never on this machine. The shell itself is drill_sh.c.
 *
 * Decides: sysctl and what is echoed into /proc/sys set the host's knobs; ip, tc, ethtool, nstat and ss are the
 * host's own programs; a shell script of that name that lies beside the packet script is read and run the same way, and
 * where a defaults.sh is missing its usual contents stand in. What has no meaning here is noted and succeeds. Called by
 * drill_run.c; hands on to core/procfs.h and app/app.h. Tests: tests/packet/language, tests/unit/drill/test_drill_shell.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "core/procfs.h"
#include "drill/drill_sh.h"
#include "os/os_file.h"
#include "socket/syscall.h"
#include "socket/vfs.h"
#include "tcp/tcp.h"

#define SHELL_SLEEP_MAX_S 3600

/* Settings that test suites for Linux's TCP agree on. */
static const char usual_defaults[] =
	"sysctl -q net.ipv4.tcp_rmem='4096 540000 15728640'\n"
	"sysctl -q net.ipv4.tcp_wmem='4096 262144 4194304'\n"
	"sysctl -q net.ipv4.tcp_no_metrics_save=1\n"
	"sysctl -q net.ipv4.tcp_congestion_control=cubic\n"
	"sysctl -q net.ipv4.tcp_slow_start_after_idle=0\n"
	"sysctl -q net.ipv4.tcp_early_retrans=3\n"
	"sysctl -q net.ipv4.tcp_recovery=1\n"
	"sysctl -q net.ipv4.tcp_reordering=3\n"
	"sysctl -q net.ipv4.tcp_timestamps=1\n"
	"sysctl -q net.ipv4.tcp_sack=1\n"
	"sysctl -q net.ipv4.tcp_ecn=0\n"
	"sysctl -q net.ipv4.tcp_pacing_ss_ratio=200\n"
	"sysctl -q net.ipv4.tcp_pacing_ca_ratio=120\n"
	"sysctl -q net.ipv4.tcp_notsent_lowat=4294967295\n"
	"sysctl -q net.ipv4.tcp_syncookies=1\n"
	"sysctl -q net.ipv4.tcp_fastopen=0x70403\n"
	"sysctl -q net.ipv4.tcp_fastopen_key=a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4\n";

/* ---- knobs ---- */

/* "0x70403" is a number to a shell's user. */
static const char *plain_number(const char *v, char buf[32])
{
	char *end;
	unsigned long long n;

	if (strncmp(v, "0x", 2) != 0)
		return v;
	n = strtoull(v, &end, 16);
	if (*end)
		return v;
	snprintf(buf, 32, "%llu", n);
	return buf;
}

static int set_knob(struct shell *s, const char *name, const char *value)
{
	char num[32];
	int err = sysctl_set(s->d->net, name, plain_number(value, num));

	if (err == -ENOENT)
		drill_note(s->d, s->line, "there is no %s here", name);
	else if (err)
		drill_note(s->d, s->line, "%s does not take '%s'", name, value);
	return 0;
}

/* One word of sysctl's: NAME=VALUE sets, NAME shows (bare: only the value). */
static int sysctl_word(struct shell *s, char *w, bool bare)
{
	char *eq = strchr(w, '='), *p;
	struct strbuf v;

	for (p = w; *p && p != eq; p++) /* net/ipv4/x is a name too */
		*p = *p == '/' ? '.' : *p;
	if (eq) {
		*eq = '\0';
		return set_knob(s, w, eq + 1);
	}
	sb_init(&v);
	if (sysctl_get(s->d->net, w, &v) == 0) {
		if (!bare)
			sb_printf(s->out, "%s = ", w);
		sb_printf(s->out, "%s\n", sb_str(&v));
	} else {
		drill_note(s->d, s->line, "there is no %s here", w);
		s->tainted = true;
	}
	sb_free(&v);
	return 0;
}

static void show_one(const char *name, void *arg)
{
	struct shell *s = arg;
	struct strbuf v;

	sb_init(&v);
	if (sysctl_get(s->d->net, name, &v) == 0)
		sb_printf(s->out, "%s = %s\n", name, sb_str(&v));
	sb_free(&v);
}

/* sysctl [-w] [-q] [-n] [-e] NAME[=VALUE]..., "net.ipv4.x = 5" as words too, -a. */
static int cmd_sysctl(struct shell *s, char **w, uint32_t n)
{
	bool bare = false;
	int r = 0;

	for (uint32_t i = 1; i < n; i++) {
		if (w[i][0] == '-') {
			bare |= strchr(w[i], 'n') != NULL;
			if (!strcmp(w[i], "-a") || !strcmp(w[i], "-A"))
				sysctl_list(s->d->net, show_one, s);
			continue;
		}
		if (i + 2 < n && !strcmp(w[i + 1], "=")) {
			r |= set_knob(s, w[i], w[i + 2]);
			i += 2;
		} else if (strcmp(w[i], "=") != 0) {
			r |= sysctl_word(s, w[i], bare);
		}
	}
	return r;
}

/* "/proc/sys/net/ipv4/x" to "net.ipv4.x"; others NULL. */
static const char *knob_of_path(const char *path, char buf[128])
{
	char *p = buf;

	if (strncmp(path, "/proc/sys/", 10) != 0 || strlen(path) > 120)
		return NULL;
	snprintf(buf, 128, "%s", path + 10);
	for (; *p; p++)
		if (*p == '/')
			*p = '.';
	return buf;
}

/* set_sysctls.py /proc/sys/net/ipv4/a=b ... */
static int cmd_set_sysctls(struct shell *s, char **w, uint32_t n)
{
	char name[128];

	for (uint32_t i = 1; i < n; i++) {
		char *eq = strchr(w[i], '=');

		if (!eq)
			continue;
		*eq = '\0';
		set_knob(s, knob_of_path(w[i], name) ? name : w[i], eq + 1);
	}
	return 0;
}

/* ---- programs ---- */

struct app_said {
	struct shell *s;
	struct strbuf err;
};

static void app_output(struct task *t, int fd, const char *text, size_t len, void *arg)
{
	struct app_said *a = arg;
	struct strbuf *to = fd == 2 ? &a->err : a->s->out;

	(void)t;
	if (to->len < SH_MAX_OUT)
		sb_add(to, text, len);
}

static bool app_ended(struct drill *d, void *arg)
{
	(void)d;
	return ((struct task *)arg)->state == TASK_ZOMBIE;
}

static int cmd_app(struct shell *s, char **w, uint32_t n)
{
	struct drill *d = s->d;
	const struct app *a = app_find(w[0]);
	struct app_said said = { .s = s };
	struct task *t = task_spawn(d->net, a->name, a->main, (int)n, w, NULL);
	int code;

	if (!t)
		return 1;
	sb_init(&said.err);
	t->write = app_output;
	t->write_arg = &said;
	if (!drill_pass(d, d->net->now_ns + SHELL_SLEEP_MAX_S * NSEC_PER_SEC, true, app_ended, t))
		task_kill(t);
	code = t->state == TASK_ZOMBIE ? t->exit_code : 1;
	task_free(t);
	if (code)
		drill_note(d, s->line, "%s failed: %.*s", w[0], (int)strcspn(sb_str(&said.err), "\n"), sb_str(&said.err));
	sb_free(&said.err);
	return code;
}

/* ethtool -K tun0 tso off gso off ...: what the device may send in one piece. */
static int cmd_ethtool_k(struct shell *s, char **w, uint32_t n)
{
	for (uint32_t i = 3; i + 1 < n; i += 2) {
		bool on = !strcmp(w[i + 1], "on");

		if (!strcmp(w[i], "tso") || !strcmp(w[i], "gso") || strstr(w[i], "segmentation")) {
			if (on)
				s->d->tun->features |= NETIF_F_TSO;
			else
				s->d->tun->features &= ~NETIF_F_TSO;
		}
	}
	return 0;
}

static int cmd_sleep(struct shell *s, const char *arg, bool usec)
{
	double v = strtod(arg ? arg : "0", NULL);
	uint64_t ns;

	if (!(v > 0) || v > (usec ? SHELL_SLEEP_MAX_S * 1e6 : SHELL_SLEEP_MAX_S))
		return 0;
	ns = (uint64_t)(v * (usec ? 1e3 : 1e9));
	drill_pass(s->d, s->d->net->now_ns + ns, true, NULL, NULL);
	return 0;
}

/* ---- files ---- */

static bool is_defaults(const char *path)
{
	const char *base = strrchr(path, '/');

	return !strcmp(base ? base + 1 : path, "defaults.sh");
}

/* Of the host: /proc, what scripts wrote. NULL: there is none. */
static char *read_host_file(struct shell *s, const char *path)
{
	struct task *t = s->d->proc, *was = s->d->net->current;
	char *r = NULL, buf[4096];
	struct strbuf sb;
	ssize_t k;
	int fd;

	s->d->net->current = t;
	fd = sys_open(t, path, O_RDONLY);
	if (fd >= 0) {
		sb_init(&sb);
		while ((k = sys_read(t, fd, buf, sizeof(buf))) > 0 && sb.len < SH_MAX_OUT)
			sb_add(&sb, buf, (size_t)k);
		sys_close(t, fd);
		r = sh_keep(s, sb.len ? sb.buf : "", sb.len);
		sb_free(&sb);
	}
	s->d->net->current = was;
	return r;
}

/* Beside the script. */
static char *read_own_file(struct shell *s, const char *path)
{
	char full[1024], *text, *r;
	size_t len;

	snprintf(full, sizeof(full), "%s%s%s", path[0] == '/' ? "" : s->d->dir, path[0] == '/' ? "" : "/", path);
	if (os_read_file(full, SH_MAX_FILE, &text, &len))
		return NULL;
	r = sh_keep(s, text, len);
	free(text);
	return r;
}

char *shell_read_file(struct shell *s, const char *path)
{
	char name[128], *r;

	if (knob_of_path(path, name)) {
		struct strbuf v;

		sb_init(&v);
		r = sysctl_get(s->d->net, name, &v) ? NULL : sh_keep(s, sb_str(&v), v.len);
		sb_free(&v);
		return r;
	}
	r = path[0] == '/' ? read_host_file(s, path) : NULL;
	return r || path[0] == '/' ? r : read_own_file(s, path);
}

void shell_write_file(struct shell *s, const char *path, const char *text, size_t len, bool append)
{
	char name[128];
	struct strbuf sb;

	if (!strncmp(path, "/dev/", 5))
		return;
	if (knob_of_path(path, name)) {
		set_knob(s, name, sh_keep(s, text, strcspn(text, "\n")));
		return;
	}
	if (path[0] != '/') {
		drill_note(s->d, s->line, "nothing is written into files of this machine: %s", path);
		return;
	}
	sb_init(&sb);
	if (append) {
		const char *was = read_host_file(s, path);

		sb_puts(&sb, was ? was : "");
	}
	sb_add(&sb, text, len);
	vfs_put_file(s->d->net, path, sb_str(&sb), sb.len);
	sb_free(&sb);
}

/* Another shell script: in a shell of its own, or (sourced) in this one. */
static int cmd_file(struct shell *s, char **w, uint32_t n, bool sourced)
{
	bool ours = !strncmp(w[0], "/tmp/", 5);
	char *text = ours ? read_host_file(s, w[0]) : read_own_file(s, w[0]);
	struct shell was = *s;
	size_t line;
	int r;

	if (!text && is_defaults(w[0]))
		text = sh_keep(s, usual_defaults, sizeof(usual_defaults) - 1);
	line = text ? strcspn(text, "\n") : 0;
	if (!text || s->depth >= SH_MAX_DEPTH) {
		drill_note(s->d, s->line, "%s cannot be read, and is left out", w[0]);
		s->tainted = true;
		return 0;
	}
	if (!strncmp(text, "#!", 2) && !strstr(sh_keep(s, text, line), "sh")) {
		drill_note(s->d, s->line, "%s is no shell script, and is left out", w[0]);
		s->tainted = true;
		return 0;
	}
	s->depth++;
	if (!sourced || n > 1) {
		s->argv = w;
		s->argc = n;
	}
	s->errexit &= sourced;
	r = sh_text(s, text);
	if (s->stop == SH_RETURN || (s->stop == SH_EXIT && !sourced))
		s->stop = SH_RUNS;
	if (!sourced) {
		s->vars = was.vars;
		s->funcs = was.funcs;
		s->errexit = was.errexit;
	}
	s->argv = was.argv;
	s->argc = was.argc;
	s->depth--;
	return r;
}

/* sh -c 'TEXT', bash FILE. */
static int cmd_sh(struct shell *s, char **w, uint32_t n)
{
	struct shvar *vars = s->vars;
	uint32_t i = 1;
	int r = 0;

	for (; i < n && w[i][0] == '-'; i++) {
		if (!strchr(w[i], 'c') || i + 1 >= n)
			continue;
		r = s->depth++ < SH_MAX_DEPTH ? sh_text(s, w[i + 1]) : 0;
		s->depth--;
		s->stop = s->stop == SH_EXIT ? SH_RUNS : s->stop;
		s->vars = vars;
		return r;
	}
	return i < n ? cmd_file(s, w + i, n - i, false) : 0;
}

/* dd of=FILE bs=N count=N: zeros. */
static int cmd_dd(struct shell *s, char **w, uint32_t n)
{
	unsigned long long bs = 512, count = 1;
	const char *to = NULL;
	char *zeros, *unit;

	for (uint32_t i = 1; i < n; i++) {
		if (!strncmp(w[i], "of=", 3))
			to = w[i] + 3;
		else if (!strncmp(w[i], "bs=", 3)) {
			bs = strtoull(w[i] + 3, &unit, 10);
			bs *= *unit == 'k' || *unit == 'K' ? 1024u : *unit == 'M' ? 1048576u : 1u;
		} else if (!strncmp(w[i], "count=", 6))
			count = strtoull(w[i] + 6, NULL, 10);
	}
	if (!to || to[0] != '/' || !strncmp(to, "/dev/", 5) || bs > (16u << 20) || count > (16u << 20) || bs * count > (16u << 20))
		return 0;
	zeros = xcalloc(1, bs * count + 1);
	vfs_put_file(s->d->net, to, zeros, bs * count);
	free(zeros);
	return 0;
}

/* ---- one command ---- */

static const char *base_name(const char *p)
{
	const char *slash = strrchr(p, '/');

	return slash ? slash + 1 : p;
}

static bool is_program(const char *name)
{
	static const char *const known[] = { "ip", "tc", "ethtool", "nstat", "ss", "netstat", "iptables", "ifconfig", "route", "arp", "ping", "conntrack", "sysctl" };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(known[i], name))
			return true;
	return false;
}

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i], name))
			return true;
	return false;
}

/* "sudo -E x", "env A=b x", "timeout 5 x", "taskset -c 0 x": the command that these run. NULL: it is none of them. */
static char **behind_prefix(char **w, uint32_t *n)
{
	static const char *const prefix[] = { "sudo", "env", "nohup", "command", "exec", "time", "nice", "timeout", "stdbuf", "taskset", "chrt", "ionice", "setsid" };
	const char *name = base_name(w[0]);
	bool numbers;

	if (!is_one_of(name, prefix, ARRAY_SIZE(prefix)))
		return NULL;
	numbers = strchr("tci", name[0]) || !strcmp(name, "nice"); /* in front of the command: how long, which processor, ... */
	for (w++, (*n)--; *n && (w[0][0] == '-' || strchr(w[0], '=') || (numbers && w[0][0] >= '0' && w[0][0] <= '9')); w++, (*n)--)
		;
	return w;
}

/* What can be done, or need not be, without a word. */
static bool cmd_small(struct shell *s, const char *name, char **w, uint32_t n, int *r)
{
	static const char *const nothing[] = { "true", ":", "wait", "trap", "kill", "killall", "umask", "ulimit", "cd", "mkdir", "chmod", "touch", "sync", "stty", "shopt", "renice", "setterm" };

	*r = 0;
	if (is_one_of(name, nothing, ARRAY_SIZE(nothing)))
		return true;
	if (!strcmp(name, "false")) {
		s->checks = true;
		*r = 1;
	} else if (!strcmp(name, "sleep") || !strcmp(name, "usleep")) {
		*r = cmd_sleep(s, n > 1 ? w[1] : NULL, name[0] == 'u');
	} else if (!strcmp(name, "dd")) {
		*r = cmd_dd(s, w, n);
	} else if (!strcmp(name, "rm")) {
		for (uint32_t i = 1; i < n; i++)
			if (w[i][0] == '/')
				sys_unlink(s->d->proc, w[i]);
	} else if (!strcmp(name, "tee")) {
		const char *in = s->in ? s->in : "";

		sb_puts(s->out, in);
		for (uint32_t i = 1; i < n; i++)
			if (w[i][0] != '-')
				shell_write_file(s, w[i], in, strlen(in), !strcmp(w[1], "-a"));
	} else {
		return false;
	}
	return true;
}

int shell_program(struct shell *s, char **w, uint32_t n)
{
	const char *name = base_name(w[0]);
	char **rest = behind_prefix(w, &n);
	int r;

	if (rest)
		return !n ? 0 : sh_text_program(s, rest, n, &r) ? r : shell_program(s, rest, n);
	if (!strcmp(name, "sysctl"))
		return cmd_sysctl(s, w, n);
	if (!strcmp(name, "set_sysctls.py"))
		return cmd_set_sysctls(s, w, n);
	if (cmd_small(s, name, w, n, &r))
		return r;
	if (!strcmp(name, "ethtool") && n > 2 && (!strcmp(w[1], "-K") || !strcmp(w[1], "--offload")))
		return cmd_ethtool_k(s, w, n);
	if (is_program(name) && app_find(name)) {
		w[0] = (char *)(uintptr_t)name;
		return cmd_app(s, w, n);
	}
	if (!strcmp(name, "sh") || !strcmp(name, "bash") || !strcmp(name, "dash"))
		return cmd_sh(s, w, n);
	if ((!strcmp(w[0], ".") || !strcmp(w[0], "source")) && n > 1)
		return cmd_file(s, w + 1, n - 1, true);
	if (strchr(w[0], '/') || strstr(name, ".sh"))
		return cmd_file(s, w, n, false);
	drill_note(s->d, s->line, "'%s' has no meaning here, and is left out", w[0]);
	s->tainted = true;
	return 0;
}

/* ---- a command of the script ---- */

void drill_command(struct drill *d, const char *text, uint32_t line)
{
	char *argv[] = { (char *)(uintptr_t)"sh", NULL };
	struct strbuf out;
	struct shell s = { .d = d, .line = line, .out = &out, .argv = argv, .argc = 1 };
	int code;

	sb_init(&out);
	code = sh_text(&s, text);
	if (code && s.checks && !s.tainted)
		drill_error(d, line, "error executing `%.*s` command: non-zero status %d%s%s", (int)strcspn(text, "\n"), text, code,
			    s.last ? ", of: " : "", s.last ? s.last : "");
	drill_settle(d);
	sb_free(&out);
}

void drill_defaults(struct drill *d)
{
	drill_command(d, usual_defaults, 0);
}

/* Commands of a script: a shell for the few lines that scripts need, on the host under test and never on this
 * machine.
 *
 * Decides: sysctl and what is echoed into /proc/sys set the host's knobs; ip, tc, ethtool, nstat and ss are the
 * host's own programs; a shell script of that name that lies beside the packet script is read and run the same way, and
 * where a defaults.sh is missing its usual contents stand in. What has no meaning here is noted and succeeds. Called by
 * drill_run.c; hands on to core/procfs.h and app/app.h. Tests: tests/packet/shell. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "core/procfs.h"
#include "drill/drill_int.h"
#include "os/os_file.h"
#include "os/os_proc.h"

#define SHELL_MAX_WORDS 256u
#define SHELL_MAX_DEPTH 8u
#define SHELL_MAX_FILE (256u << 10)
#define SHELL_SLEEP_MAX_S 3600

struct shell {
	struct drill *d;
	uint32_t line, depth;
	struct strbuf out;  /* what the last command printed */
	struct strbuf input; /* what the one before the pipe had printed */
	bool checks;        /* its exit code is an answer (grep, test of a counter), not only a mishap */
};

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

static int shell_text(struct shell *s, const char *text);

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

/* "net.ipv4.x=5", "net.ipv4.x = 5" as words. */
static int cmd_sysctl(struct shell *s, char **w, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		char *eq = strchr(w[i], '=');

		if (w[i][0] == '-' || !strcmp(w[i], "="))
			continue;
		if (eq) {
			*eq = '\0';
			set_knob(s, w[i], eq + 1);
		} else if (i + 2 < n && !strcmp(w[i + 1], "=")) {
			set_knob(s, w[i], w[i + 2]);
			i += 2;
		} else if (sysctl_get(s->d->net, w[i], &s->out) == 0) {
			sb_putc(&s->out, '\n');
		}
	}
	return 0;
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

static void app_output(struct task *t, int fd, const char *text, size_t len, void *arg)
{
	struct shell *s = arg;

	(void)t;
	(void)fd;
	if (s->out.len < (1u << 20))
		sb_add(&s->out, text, len);
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
	struct task *t;
	int code;

	t = task_spawn(d->net, a->name, a->main, (int)n, w, NULL);
	if (!t)
		return 1;
	t->write = app_output;
	t->write_arg = s;
	if (!drill_pass(d, d->net->now_ns + SHELL_SLEEP_MAX_S * NSEC_PER_SEC, true, app_ended, t))
		task_kill(t);
	code = t->state == TASK_ZOMBIE ? t->exit_code : 1;
	task_free(t);
	if (code)
		drill_note(d, s->line, "%s failed: %.*s", w[0], (int)strcspn(sb_str(&s->out), "\n"), sb_str(&s->out));
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

static int cmd_file(struct shell *s, const char *path)
{
	char full[1024], *text;
	size_t len;
	int err;

	snprintf(full, sizeof(full), "%s%s%s", path[0] == '/' ? "" : s->d->dir, path[0] == '/' ? "" : "/", path);
	err = os_read_file(full, SHELL_MAX_FILE, &text, &len);
	if (err) {
		if (is_defaults(path))
			shell_text(s, usual_defaults);
		else
			drill_note(s->d, s->line, "%s cannot be read, and is left out", path);
		return 0;
	}
	if (!strncmp(text, "#!", 2) && !strstr(text, "sh\n") && !strstr(text, "sh ")) {
		drill_note(s->d, s->line, "%s is no shell script, and is left out", path);
	} else if (s->depth < SHELL_MAX_DEPTH) {
		s->depth++;
		shell_text(s, text);
		s->depth--;
	}
	free(text);
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
	static const char *const known[] = { "ip", "tc", "ethtool", "nstat", "ss", "netstat", "iptables", "cat", "ifconfig", "route", "arp", "ping" };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(known[i], name))
			return true;
	return false;
}

/* grep [-qvEFwc] PATTERN of what the command before the pipe printed. */
static int cmd_grep(struct shell *s, char **w, uint32_t n)
{
	bool quiet = false, invert = false;
	struct strbuf kept;
	uint32_t i = 1;

	for (; i < n && w[i][0] == '-' && w[i][1]; i++) {
		quiet |= strchr(w[i], 'q') != NULL;
		invert |= strchr(w[i], 'v') != NULL;
	}
	if (i >= n || os_regex(w[i], "") < 0)
		return 2;
	sb_init(&kept);
	for (const char *p = sb_str(&s->input); p && *p;) {
		size_t len = strcspn(p, "\n");
		char *line = darena_str(&s->d->sc.mem, p, len);

		if ((os_regex(w[i], line) == 1) != invert)
			sb_printf(&kept, "%s\n", line);
		p += len + (p[len] == '\n');
	}
	n = kept.len ? 0 : 1;
	if (!quiet)
		sb_add(&s->out, sb_str(&kept), kept.len);
	sb_free(&kept);
	s->checks = true;
	return (int)n;
}

static int cmd_simple(struct shell *s, char **w, uint32_t n)
{
	const char *name = base_name(w[0]);

	if (!strcmp(name, "sysctl"))
		return cmd_sysctl(s, w, n);
	if (!strcmp(name, "set_sysctls.py"))
		return cmd_set_sysctls(s, w, n);
	if (!strcmp(name, "true") || !strcmp(name, ":") || !strcmp(name, "set"))
		return 0;
	if (!strcmp(name, "false") || !strcmp(name, "exit")) {
		s->checks = true;
		return name[0] == 'f' ? 1 : n > 1 ? (int)strtol(w[1], NULL, 10) : 0;
	}
	if (!strcmp(name, "sleep") || !strcmp(name, "usleep"))
		return cmd_sleep(s, n > 1 ? w[1] : NULL, name[0] == 'u');
	if (!strcmp(name, "echo") || !strcmp(name, "printf")) {
		for (uint32_t i = 1; i < n; i++)
			if (strcmp(w[i], "-n") != 0)
				sb_printf(&s->out, "%s%s", i > 1 ? " " : "", w[i]);
		return 0;
	}
	if (!strcmp(name, "ethtool") && n > 2 && (!strcmp(w[1], "-K") || !strcmp(w[1], "--offload")))
		return cmd_ethtool_k(s, w, n);
	if (!strcmp(name, "sudo") && n > 1)
		return cmd_simple(s, w + 1, n - 1);
	if (!strcmp(name, "grep") || !strcmp(name, "egrep"))
		return cmd_grep(s, w, n);
	if (is_program(name) && app_find(name)) {
		w[0] = (char *)(uintptr_t)name;
		return cmd_app(s, w, n);
	}
	if ((!strcmp(name, "sh") || !strcmp(name, "bash") || !strcmp(w[0], ".") || !strcmp(w[0], "source")) && n > 1)
		return cmd_file(s, w[1]);
	if (strchr(w[0], '/') || strstr(name, ".sh"))
		return cmd_file(s, w[0]);
	drill_note(s->d, s->line, "'%s' has no meaning here, and is left out", w[0]);
	return 0;
}

/* ---- words ---- */

/* $((15*1024*1024)): sums and products of numbers. */
static long long arithmetic(const char **p)
{
	long long sum = 0, sign = 1;

	for (;;) {
		long long v = 1;
		char op = '*';

		for (;;) {
			long long x;

			while (**p == ' ' || **p == '(')
				(*p)++;
			x = strtoll(*p, (char **)(uintptr_t)p, 0);
			v = op == '*' ? (long long)((unsigned long long)v * (unsigned long long)x) : x && x != -1 ? v / x : v;
			while (**p == ' ' || (**p == ')' && (*p)[1] != ')'))
				(*p)++;
			if (**p != '*' && **p != '/')
				break;
			op = *(*p)++;
		}
		sum = (long long)((unsigned long long)sum + (unsigned long long)(sign * (v % (1LL << 60))));
		if (**p != '+' && **p != '-')
			return sum;
		sign = *(*p)++ == '+' ? 1 : -1;
	}
}

static const char *expand(const char *p, struct strbuf *w)
{
	if (!strncmp(p, "$((", 3)) {
		p += 3;
		sb_printf(w, "%lld", arithmetic(&p));
		while (*p == ' ')
			p++;
		while (*p == ')')
			p++;
		return p;
	}
	sb_putc(w, '$');
	return p + 1;
}

/* The next word, quotes taken off. NULL at the end of the command. */
static const char *next_word(const char *p, struct strbuf *w)
{
	char quote = 0;

	sb_reset(w);
	p += strspn(p, " \t");
	if (!*p || *p == '#')
		return NULL;
	while (*p && (quote || (*p != ' ' && *p != '\t'))) {
		if (quote ? *p == quote : *p == '\'' || *p == '"') {
			quote = quote ? 0 : *p;
			p++;
		} else if (*p == '\\' && quote != '\'' && p[1]) {
			sb_putc(w, p[1]);
			p += 2;
		} else if (*p == '$' && quote != '\'') {
			p = expand(p, w);
		} else {
			sb_putc(w, *p++);
		}
	}
	return p;
}

/* Is this word a redirection? Then path says where standard output goes; *skip: the next word is the path. */
static bool redirection(const char *w, const char **path, bool *skip)
{
	const char *p = w + strspn(w, "0123456789&");

	if (*p != '>' && *p != '<')
		return false;
	*skip = false;
	if (w[0] != '2' && *p == '>') {
		p += strspn(p, ">");
		*path = p;
		*skip = !*p;
	} else {
		p += strspn(p, "><&");
		*skip = !*p;
	}
	return true;
}

static int shell_words(struct shell *s, char **w, uint32_t n)
{
	const char *path = NULL;
	char name[128];
	uint32_t k = 0;
	int r;

	for (uint32_t i = 0; i < n; i++) {
		const char *to = NULL;
		bool skip;

		if (!redirection(w[i], &to, &skip)) {
			w[k++] = w[i];
			continue;
		}
		if (skip && i + 1 < n) {
			i++;
			to = to ? w[i] : NULL;
		}
		path = to ? to : path;
	}
	w[k] = NULL;
	if (!k)
		return 0;
	sb_reset(&s->out);
	s->checks = false;
	r = cmd_simple(s, w, k);
	if (path && knob_of_path(path, name)) {
		char *v = darena_str(&s->d->sc.mem, sb_str(&s->out), strcspn(sb_str(&s->out), "\n"));

		set_knob(s, name, v);
	}
	return r;
}

static int shell_command(struct shell *s, const char *text)
{
	char *w[SHELL_MAX_WORDS + 1];
	uint32_t n = 0;
	struct strbuf word;
	int r = 0;

	if (strstr(text, "$(") && !strstr(text, "$((")) {
		drill_note(s->d, s->line, "'%s' is more shell than there is here, and is left out", text);
		return 0;
	}
	sb_init(&word);
	while (n < SHELL_MAX_WORDS && (text = next_word(text, &word)) != NULL)
		w[n++] = darena_str(&s->d->sc.mem, sb_str(&word), word.len);
	sb_free(&word);
	w[n] = NULL;
	if (n)
		r = shell_words(s, w, n);
	return r;
}

/* ---- lists ---- */

/* Up to the end of one command: ; newline && || | & outside quotes. Returns its length; *op what ended it. */
static size_t command_end(const char *p, const char **op, size_t *op_len)
{
	char quote = 0;
	size_t n = 0;

	for (; p[n]; n++) {
		if (quote ? p[n] == quote : p[n] == '\'' || p[n] == '"') {
			quote = quote ? 0 : p[n];
		} else if (p[n] == '\\' && p[n + 1]) {
			n++;
		} else if (!quote && p[n] == '#' && (n == 0 || p[n - 1] == ' ' || p[n - 1] == '\t')) {
			n += strcspn(p + n, "\n");
			n--;
		} else if (!quote && strchr(";\n|&", p[n])) {
			if (p[n] == '&' && ((n && p[n - 1] == '>') || p[n + 1] == '>'))
				continue;
			break;
		}
	}
	*op = p + n;
	*op_len = p[n] ? (p[n] == p[n + 1] && (p[n] == '&' || p[n] == '|') ? 2 : 1) : 0;
	return n;
}

static bool is_keyword(const char *c)
{
	static const char *const k[] = { "if ", "then", "else", "elif ", "fi", "for ", "while ", "do", "done", "case ", "esac", "[ ", "[[ ", "test ", "function " };

	c += strspn(c, " \t");
	for (size_t i = 0; i < ARRAY_SIZE(k); i++) {
		size_t n = strlen(k[i]);

		if (!strncmp(c, k[i], n) && (k[i][n - 1] == ' ' || !c[n] || c[n] == ' '))
			return true;
	}
	return false;
}

static int shell_text(struct shell *s, const char *text)
{
	int last = 0;
	bool skip = false;

	while (*text && !s->d->failed) {
		const char *op;
		size_t op_len, n = command_end(text, &op, &op_len);
		char *c = darena_str(&s->d->sc.mem, text, n);

		for (char *q = c; *q; q++) /* a backslash at the end of a line joins it to the next */
			if (q[0] == '\\' && q[1] == '\n')
				q[0] = q[1] = ' ';
		if (is_keyword(c))
			drill_note(s->d, s->line, "'%.40s' is more shell than there is here, and is left out", c);
		else if (!skip && *(c + strspn(c, " \t\r")))
			last = shell_command(s, c);
		sb_reset(&s->input);
		if (op_len == 1 && *op == '|')
			sb_add(&s->input, sb_str(&s->out), s->out.len);
		skip = op_len == 2 && (*op == '&' ? last != 0 : last == 0);
		text = op + op_len;
	}
	return last;
}

void drill_command(struct drill *d, const char *text, uint32_t line)
{
	struct shell s = { .d = d, .line = line };

	int code;

	sb_init(&s.out);
	sb_init(&s.input);
	code = shell_text(&s, text);
	if (code && s.checks)
		drill_error(d, line, "error executing `%.*s` command: non-zero status %d", (int)strcspn(text, "\n"), text, code);
	drill_settle(d);
	sb_free(&s.out);
	sb_free(&s.input);
}

void drill_defaults(struct drill *d)
{
	drill_command(d, usual_defaults, 0);
}

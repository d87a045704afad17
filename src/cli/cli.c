/* What the commands share: options, messages, exit codes. Called by the cmd_*.c files; writes through os/. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "cli/cli.h"
#include "os/os_live.h"
#include "os/os_term.h"

void cli_args_init(struct cli_args *a, int argc, char **argv, const struct cli_opt *opt, size_t n_opt)
{
	*a = (struct cli_args){ .cmd = argv[0], .argc = argc, .i = 1, .argv = argv, .opt = opt, .n_opt = n_opt };
}

static int args_option(struct cli_args *a, const char *arg)
{
	const char *eq = strncmp(arg, "--", 2) ? NULL : strchr(arg, '=');
	size_t len = eq ? (size_t)(eq - arg) : strlen(arg);

	for (size_t i = 0; i < a->n_opt; i++) {
		const struct cli_opt *o = &a->opt[i];

		if (strlen(o->name) != len || memcmp(o->name, arg, len) != 0)
			continue;
		if (!o->value && eq) {
			cli_usage(a->cmd, "option %s takes no value", o->name);
			return CLI_ARG_BAD;
		}
		a->value = eq ? eq + 1 : NULL;
		if (o->value && !eq) {
			if (a->i >= a->argc) {
				cli_usage(a->cmd, "option %s needs a value", o->name);
				return CLI_ARG_BAD;
			}
			a->value = a->argv[a->i++];
		}
		return (int)i;
	}
	cli_usage(a->cmd, "unknown option '%.*s'", (int)min_sz(len, 60), arg);
	return CLI_ARG_BAD;
}

int cli_args_next(struct cli_args *a)
{
	const char *arg;

	if (a->i >= a->argc)
		return CLI_ARG_END;
	arg = a->argv[a->i++];
	if (!a->operands_only && !strcmp(arg, "--")) {
		a->operands_only = true;
		return cli_args_next(a);
	}
	if (a->operands_only || arg[0] != '-' || !arg[1]) {
		a->value = arg;
		return CLI_ARG_OPERAND;
	}
	return args_option(a, arg);
}

bool cli_u64(const struct cli_args *a, const char *name, uint64_t min, uint64_t max, uint64_t *out)
{
	if (u64_parse(a->value, min, max, out) == 0)
		return true;
	cli_usage(a->cmd, "%s needs a whole number from %llu to %llu, not '%.60s'", name, (unsigned long long)min,
		  (unsigned long long)max, a->value);
	return false;
}

/* One line: what came from a file or a command line cannot move the cursor. */
static void put_error(const char *text)
{
	struct strbuf sb;

	sb_init(&sb);
	sb_puts(&sb, "culver: ");
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			sb_printf(&sb, "\\x%02x", (unsigned char)*text);
		else
			sb_putc(&sb, *text);
	}
	sb_putc(&sb, '\n');
	os_eprint(sb_str(&sb), sb.len);
	sb_free(&sb);
}

int cli_fail(int code, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_error(text);
	return code;
}

int cli_usage(const char *cmd, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n = snprintf(text, sizeof(text), "%s: ", cmd);

	va_start(ap, fmt);
	n += vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < sizeof(text))
		snprintf(text + n, sizeof(text) - (size_t)n, " (see: culver help %s)", cmd);
	put_error(text);
	return CLI_USAGE;
}

int cli_print(const char *s, size_t len)
{
	int err = os_print(s, len);

	if (!err || err == -EPIPE)
		return CLI_OK;
	return cli_fail(CLI_LOCAL, "standard output: %s", os_strerror(err));
}

bool cli_colour(void)
{
	const char *no = os_env("NO_COLOR"), *term = os_env("TERM");

	return os_is_tty(1) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

int cli_lab_fail(enum lab_err err, const struct yerr *e)
{
	static const int code[] = { CLI_OK, CLI_NETWORK, CLI_USAGE, CLI_LOCAL };

	return cli_fail(code[err], "%s", e->text);
}

int cli_source(struct lab_source *src, const char *file)
{
	struct yerr e;
	enum lab_err err = lab_source_open(src, file, &e);
	struct strbuf sb;

	if (err != LAB_OK)
		return cli_lab_fail(err, &e);
	if (!src->topo.ignored.n)
		return CLI_OK;
	sb_init(&sb);
	for (uint32_t i = 0; i < src->topo.ignored.n; i++)
		sb_printf(&sb, "%s%.40s (line %u)", i ? ", " : "", src->topo.ignored.v[i], src->topo.ignored.at[i].line);
	cli_fail(0, "%s: keys without a meaning here, ignored: %s", src->topo.file, sb_str(&sb));
	sb_free(&sb);
	return CLI_OK;
}

int cli_signals_open(struct cli_signals *s)
{
	s->taken = 0;
	s->fd = os_signal_fd();
	return s->fd < 0 ? s->fd : 0;
}

bool cli_interrupted(void *signals)
{
	struct cli_signals *s = signals;

	if (!s->taken && s->fd >= 0)
		s->taken = os_signal_take(s->fd);
	return s->taken != 0;
}

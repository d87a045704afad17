/* Code of a script: run here when it is the simple kind, by this machine's python3 when it is more.
 *
 * Decides: nothing but who runs it. Python gets all code so far, each piece behind the values of its moment, so that
 * what one piece sets the next one has; only the last piece's output and fate count. Called by drill_run.c.
 * Tests: tests/packet/code, tests/lab/drill.t. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "drill/drill_code.h"
#include "os/os_proc.h"
#include "os/os_term.h"

#define HISTORY_MAX (1u << 20)
#define PYTHON_OUT (64u << 10)
#define PYTHON_LIMIT_MS 10000u /* of real time: code that loops for ever is told, not waited for */

static struct drill_code *code_of(struct drill *d)
{
	if (!d->code) {
		d->code = xcalloc(1, sizeof(*d->code));
		sb_init(&d->code->history);
	}
	return d->code;
}

/* ---- Python's turn ---- */

static void quote(struct strbuf *sb, const char *text)
{
	sb_puts(sb, "'");
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			sb_printf(sb, "\\%c", *text);
		else if (*text == '\n')
			sb_puts(sb, "\\n");
		else if ((unsigned char)*text < 0x20 && *text != '\t')
			sb_puts(sb, " ");
		else
			sb_putc(sb, *text);
	}
	sb_puts(sb, "'");
}

static const char python_head[] =
	"import sys, io, re, textwrap\n"
	"_v = {'xrange': range, 'long': int, 'unicode': str}\n" /* Python 2's */
	"def _run(values, text, last):\n"
	"    _v.update(values)\n"
	"    lines = text.split('\\n')\n"
	"    first = lines[0].strip()\n"
	"    text = first + '\\n' + textwrap.dedent('\\n'.join(lines[1:])) if first else textwrap.dedent('\\n'.join(lines))\n"
	"    out = sys.stdout, sys.stderr\n"
	"    if not last: sys.stdout = sys.stderr = io.StringIO()\n"
	"    try:\n"
	"        try:\n"
	"            code = compile(text, 'script', 'exec')\n"
	"        except SyntaxError:\n" /* Python 2's print */
	"            code = compile(re.sub(r'(?m)(^|[:;])([ \\t]*)print[ \\t]+(?!\\()([^;\\n]+)', r'\\1\\2print(\\3)', text), 'script', 'exec')\n"
	"        exec(code, _v)\n"
	"    except BaseException as e:\n"
	"        sys.stdout, sys.stderr = out\n"
	"        t, line = e.__traceback__, getattr(e, 'lineno', None)\n"
	"        while t:\n"
	"            if t.tb_frame.f_code.co_filename == 'script': line = t.tb_lineno\n"
	"            t = t.tb_next\n"
	"        lines = text.split('\\n')\n"
	"        what = lines[line - 1].strip() if isinstance(e, AssertionError) and line else ''\n"
	"        kind = 'assertion failed' if what else type(e).__name__\n"
	"        print('\\x01%d ' % (line or 1) + ': '.join(x for x in (kind, re.sub(r'^assert\\s*', '', what), str(e) if str(e) not in what else '') if x))\n"
	"        sys.exit(1)\n"
	"    sys.stdout, sys.stderr = out\n";

/* Constants that code may name. */
static const char *const python_names[] = {
	"TCP_ESTABLISHED", "TCP_SYN_SENT", "TCP_SYN_RECV", "TCP_FIN_WAIT1", "TCP_FIN_WAIT2", "TCP_TIME_WAIT", "TCP_CLOSE",
	"TCP_CLOSE_WAIT", "TCP_LAST_ACK", "TCP_LISTEN", "TCP_CLOSING", "TCP_CA_Open", "TCP_CA_Disorder", "TCP_CA_CWR",
	"TCP_CA_Recovery", "TCP_CA_Loss", "TCPI_OPT_TIMESTAMPS", "TCPI_OPT_SACK", "TCPI_OPT_WSCALE", "TCPI_OPT_ECN",
	"TCPI_OPT_ECN_SEEN", "TCPI_OPT_SYN_DATA", "TCPI_OPT_USEC_TS", "TCPI_OPT_TFO_CHILD",
};

static void remember(struct drill_code *c, const char *text, bool last)
{
	int64_t v;

	if (c->history.len > HISTORY_MAX)
		return;
	sb_puts(&c->history, "_run({");
	for (const struct dvar *x = c->info; x; x = x->next)
		sb_printf(&c->history, "'%s': %lld, ", x->name, (long long)x->v.i);
	for (size_t i = 0; i < ARRAY_SIZE(python_names); i++)
		if (dsym_find(python_names[i], strlen(python_names[i]), &v))
			sb_printf(&c->history, "'%s': %lld, ", python_names[i], (long long)v);
	sb_puts(&c->history, "}, ");
	quote(&c->history, text);
	sb_puts(&c->history, last ? ", True)\n" : ", False)\n");
}

/* What it printed, and behind a mark what ended it: line and reason. */
static void python_result(struct drill *d, const struct devent *ev, int r, char *out)
{
	char *mark = strchr(out, '\x01'), *why = out;
	uint32_t line = ev->line;

	if (mark && r > 0) {
		line = ev->text_line + (uint32_t)strtoul(mark + 1, &why, 10) - 1;
		why += *why == ' ';
		sb_add(d->out, out, (size_t)(mark - out));
	}
	if (r == 127 || r == -ENOENT)
		drill_error(d, ev->line, "error executing code: it needs a python3 on this machine, and there is none");
	else if (r == -ETIMEDOUT)
		drill_error(d, ev->line, "error executing code: it has not ended after %u seconds", PYTHON_LIMIT_MS / 1000);
	else if (r < 0)
		drill_error(d, ev->line, "error executing code: python3 could not be run: %s", os_strerror(-r));
	else if (r)
		drill_error(d, line, "error executing code: %.*s", (int)(strlen(why) ? strlen(why) - 1 : 0), why);
	else
		sb_puts(d->out, out);
}

static void run_python(struct drill *d, struct drill_code *c, const struct devent *ev)
{
	char *out = xcalloc(1, PYTHON_OUT);
	struct strbuf prog;
	size_t mark = c->history.len;
	int r;

	sb_init(&prog);
	remember(c, ev->text, true);
	sb_puts(&prog, python_head);
	sb_puts(&prog, sb_str(&c->history));
	c->history.len = mark;
	c->history.buf[mark] = '\0';
	{
		const char *const argv[] = { "/usr/bin/env", "python3", "-", NULL };

		r = os_run_fed(argv, sb_str(&prog), prog.len, PYTHON_LIMIT_MS, out, PYTHON_OUT);
	}
	python_result(d, ev, r, out);
	sb_free(&prog);
	free(out);
}

void drill_code_run(struct drill *d, const struct devent *ev)
{
	struct drill_code *c = code_of(d);
	struct strbuf out, why;
	uint32_t line = 0;
	enum deval_result r;

	drill_info_read(d, c);
	sb_init(&out);
	sb_init(&why);
	r = drill_eval(c, ev->text, &out, &why, &line);
	/* A name that only Python knows is one of an earlier piece's. */
	if (r == DEVAL_BEYOND || (r == DEVAL_ERROR && c->python)) {
		c->python = true;
		run_python(d, c, ev);
	} else {
		sb_add(d->out, sb_str(&out), out.len);
		if (r != DEVAL_OK)
			drill_error(d, ev->text_line + line, "error executing code: %s", sb_str(&why));
	}
	remember(c, ev->text, false);
	sb_free(&out);
	sb_free(&why);
}

void drill_code_end(struct drill *d)
{
	if (!d->code)
		return;
	darena_free(&d->code->mem);
	sb_free(&d->code->history);
	free(d->code);
	d->code = NULL;
}

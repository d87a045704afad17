/* Code of a script: run here when it is the simple kind, by this machine's python3 when it is more.
 *
 * Decides: nothing but who runs it. Python gets all code so far, each piece behind the values of its moment, so that
 * what one piece sets the next one has; only the last piece's output and fate count. Called by drill_run.c.
 * Tests: tests/packet/code, tests/lab/drill.t. */
#include <stdlib.h>
#include <string.h>
#include "drill/drill_code.h"
#include "os/os_proc.h"

#define HISTORY_MAX (1u << 20)
#define PYTHON_OUT (64u << 10)

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
	"import sys, io, textwrap\n"
	"_v = {}\n"
	"def _run(values, text, last):\n"
	"    _v.update(values)\n"
	"    lines = text.split('\\n')\n"
	"    first = lines[0].strip()\n"
	"    text = first + '\\n' + textwrap.dedent('\\n'.join(lines[1:])) if first else textwrap.dedent('\\n'.join(lines))\n"
	"    out = sys.stdout\n"
	"    if not last: sys.stdout = io.StringIO()\n"
	"    try:\n"
	"        exec(text, _v)\n"
	"    except BaseException as e:\n"
	"        sys.stdout = out\n"
	"        print(type(e).__name__ + ': ' + str(e))\n"
	"        sys.exit(1)\n"
	"    sys.stdout = out\n";

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
		const char *const argv[] = { "/usr/bin/env", "python3", "-c", sb_str(&prog), NULL };

		r = os_run_capture(argv, out, PYTHON_OUT);
	}
	if (r == 127 || r < 0)
		drill_error(d, ev->line, "error executing code: it needs a python3 on this machine, and there is none");
	else if (r)
		drill_error(d, ev->line, "error executing code: %.*s", (int)(strlen(out) ? strlen(out) - 1 : 0), out);
	else
		sb_puts(d->out, out);
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
	if (r == DEVAL_BEYOND) {
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

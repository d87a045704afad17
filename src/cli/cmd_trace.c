/* culver trace DIR: what an --out folder tells of packets. Called by main.c; reads through trace_read.c, names through
 * trace/. Tests: tests/lab/trace. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/pool.h"
#include "cli/cli.h"
#include "cli/trace_read.h"
#include "cli/wire_show.h"
#include "os/os_file.h"
#include "os/os_term.h"
#include "trace/trace.h"

#define TRACE_MAX_DEPTH 512u
#define TRACE_MAX_CTX 1000000u
#define TRACE_PRINT_AT 65536u

/* Functions open in one context: a task's, or the host's own. */
struct trace_open {
	char *node;
	uint32_t ctx, n;
	struct {
		char *func;
		bool shown;
	} f[TRACE_MAX_DEPTH];
};

struct trace_cmd {
	const char *dir, *at;
	bool packet_set, stack, drops, wire_set, names_set;
	uint64_t packet, wire;
	enum trace_names names;
	struct strbuf out;
	struct trace_open **open;
	uint32_t n_open;
	/* --stack: what was open when it was taken, outermost first */
	char *taken[TRACE_MAX_DEPTH];
	uint32_t n_taken;
	char taken_node[80];
	uint64_t taken_ns;
	bool found;
	/* the summary */
	uint64_t kinds[TR_KIND_MAX], events, last_ns, top_serial, n_drops;
	int code;
};

static void print_time(struct strbuf *out, uint64_t t_ns)
{
	sb_printf(out, "%llu.%09llu", (unsigned long long)(t_ns / NSEC_PER_SEC), (unsigned long long)(t_ns % NSEC_PER_SEC));
}

static void flush(struct trace_cmd *c)
{
	if (!c->code)
		c->code = cli_print(sb_str(&c->out), c->out.len);
	sb_reset(&c->out);
}

/* ---- contexts ---- */

/* Labs have few contexts that speak at once: the last one found is moved to the front. */
static struct trace_open *context(struct trace_cmd *c, const struct trace_line *l)
{
	struct trace_open *o;
	uint32_t i = 0;

	while (i < c->n_open && (c->open[i]->ctx != l->ctx || strcmp(c->open[i]->node, l->node) != 0))
		i++;
	if (i == c->n_open) {
		if (c->n_open == TRACE_MAX_CTX)
			return NULL;
		c->open = xrealloc(c->open, (c->n_open + 1u) * sizeof(*c->open));
		c->open[c->n_open] = xcalloc(1, sizeof(**c->open));
		c->open[c->n_open]->node = xstrdup(l->node);
		c->open[c->n_open++]->ctx = l->ctx;
	}
	o = c->open[i];
	memmove(c->open + 1, c->open, i * sizeof(*c->open));
	c->open[0] = o;
	return o;
}

static void context_pop(struct trace_open *o)
{
	free(o->f[--o->n].func);
}

/* Keep the context's list of open functions in step with the events. */
static void context_follow(struct trace_open *o, const struct trace_line *l)
{
	if (!strcmp(l->kind, "enter") && o->n < TRACE_MAX_DEPTH) {
		o->f[o->n].func = xstrdup(l->func);
		o->f[o->n++].shown = false;
	} else if (!strcmp(l->kind, "leave")) {
		uint32_t n = o->n;

		while (n && strcmp(o->f[n - 1].func, l->func) != 0)
			n--;
		while (n && o->n >= n)
			context_pop(o);
	}
}

/* ---- --packet ---- */

/* A function's name in the wanted version; NULL: that version does not show it. */
static const char *shown_name(const struct trace_cmd *c, const char *func)
{
	bool hidden;
	const char *name = trace_name_in(c->names, func, &hidden);

	return hidden && c->names != NAMES_NOW ? NULL : name;
}

static void print_call(struct trace_cmd *c, const struct trace_line *l, const char *name, uint32_t depth)
{
	print_time(&c->out, l->t_ns);
	sb_printf(&c->out, " %-10s %*s%s", l->node, (int)depth * 2, "", name);
}

/* Those above that were not shown yet, then the function itself; returns the depth for what happens inside. */
static uint32_t print_open(struct trace_cmd *c, struct trace_open *o, const struct trace_line *l)
{
	uint32_t depth = 0;

	for (uint32_t i = 0; i < o->n; i++) {
		const char *name = shown_name(c, o->f[i].func);

		if (name && !o->f[i].shown) {
			print_call(c, l, name, depth);
			sb_puts(&c->out, "()\n");
		}
		o->f[i].shown = true;
		depth += name != NULL;
	}
	return depth;
}

static bool packet_event(void *arg, const struct trace_line *l)
{
	struct trace_cmd *c = arg;
	struct trace_open *o = context(c, l);

	if (!o)
		return false;
	context_follow(o, l);
	if (l->serial != c->packet)
		return true;
	c->found = true;
	if (!strcmp(l->kind, "leave"))
		return true;
	if (!strcmp(l->kind, "enter")) {
		print_open(c, o, l);
	} else {
		uint32_t depth = print_open(c, o, l);

		print_call(c, l, "", depth);
		sb_printf(&c->out, "- %s%s%s%s%s%s%s\n", l->kind, l->reason[0] ? " " : "", l->reason,
			  l->why[0] ? ": " : "", l->why, l->text[0] ? " " : "", l->text);
	}
	if (c->out.len > TRACE_PRINT_AT)
		flush(c);
	return !c->code;
}

/* ---- --stack ---- */

static void take_stack(struct trace_cmd *c, const struct trace_open *o, const struct trace_line *l)
{
	while (c->n_taken)
		free(c->taken[--c->n_taken]);
	for (uint32_t i = 0; i < o->n; i++)
		c->taken[c->n_taken++] = xstrdup(o->f[i].func);
	snprintf(c->taken_node, sizeof(c->taken_node), "%s", l->node);
	c->taken_ns = l->t_ns;
	c->found = true;
}

static bool stack_event(void *arg, const struct trace_line *l)
{
	struct trace_cmd *c = arg;
	struct trace_open *o = context(c, l);

	if (!o)
		return false;
	context_follow(o, l);
	if (l->serial != c->packet || strcmp(l->kind, "enter") != 0)
		return true;
	if (!c->at) {
		take_stack(c, o, l);
		return strcmp(l->func, "loopback_xmit") != 0; /* over lo the way out ends here; what is open below is the sender still */
	}
	if (strcmp(c->at, l->func) != 0 && strcmp(c->at, trace_name_in(c->names, l->func, NULL)) != 0)
		return true;
	take_stack(c, o, l);
	return false;
}

static void print_stack(struct trace_cmd *c)
{
	const char *in[TRACE_MAX_DEPTH], *name[TRACE_MAX_DEPTH];
	bool hidden[TRACE_MAX_DEPTH];
	size_t n;

	for (uint32_t i = 0; i < c->n_taken; i++)
		in[i] = c->taken[c->n_taken - 1 - i];
	n = trace_names_stack(c->names, in, c->n_taken, name, hidden);
	sb_printf(&c->out, "packet %llu on %s at ", (unsigned long long)c->packet, c->taken_node);
	print_time(&c->out, c->taken_ns);
	sb_puts(&c->out, ", innermost first\n");
	for (size_t i = 0; i < n; i++)
		sb_printf(&c->out, "%s%s\n", name[i], hidden[i] ? " *" : "");
	for (uint32_t i = 0; i < c->n_taken; i++)
		free(c->taken[i]);
}

/* ---- --drops, the summary ---- */

static bool drop_event(void *arg, const struct trace_line *l)
{
	struct trace_cmd *c = arg;

	if (strcmp(l->kind, "drop") != 0 || (c->packet_set && l->serial != c->packet))
		return true;
	c->n_drops++;
	print_time(&c->out, l->t_ns);
	sb_printf(&c->out, " %-10s %s packet %llu: %s, %s\n", l->node, l->func, (unsigned long long)l->serial, l->reason,
		  l->why);
	if (c->out.len > TRACE_PRINT_AT)
		flush(c);
	return !c->code;
}

static bool summary_event(void *arg, const struct trace_line *l)
{
	struct trace_cmd *c = arg;

	c->events++;
	c->last_ns = l->t_ns;
	c->top_serial = l->serial > c->top_serial ? l->serial : c->top_serial;
	for (unsigned k = 0; k < TR_KIND_MAX; k++)
		if (!strcmp(l->kind, trace_kind_name((enum trace_kind)k)))
			c->kinds[k]++;
	return true;
}

static void print_summary(struct trace_cmd *c)
{
	sb_printf(&c->out, "%llu events, %llu packets, ", (unsigned long long)c->events, (unsigned long long)c->top_serial);
	print_time(&c->out, c->last_ns);
	sb_puts(&c->out, " s of virtual time\n");
	for (unsigned k = 0; k < TR_KIND_MAX; k++)
		if (c->kinds[k])
			sb_printf(&c->out, "%10llu %s\n", (unsigned long long)c->kinds[k],
				  trace_kind_name((enum trace_kind)k));
}

/* ---- --wire ---- */

static int show_wire(struct trace_cmd *c)
{
	struct trace_frame_rec f;
	char path[4096], err[300];
	char *data;
	size_t len;
	int r;

	snprintf(path, sizeof(path), "%s/wire.pcapng", c->dir);
	r = os_read_file(path, (size_t)4 << 30, &data, &len);
	if (r)
		return cli_fail(CLI_USAGE, "trace: %s: %s", path, os_strerror(r));
	if (trace_frame_find((const uint8_t *)data, len, c->wire, &f, err, sizeof(err)) != 0) {
		free(data);
		return cli_fail(CLI_USAGE, "trace: %s: %s", path, err);
	}
	sb_printf(&c->out, "frame %llu, sent by %s at ", (unsigned long long)c->wire, f.iface);
	print_time(&c->out, f.t_ns - LAB_EPOCH_S * NSEC_PER_SEC);
	sb_printf(&c->out, ", packet %llu%s%s%s\n", (unsigned long long)f.packetid, f.comment[0] ? " (" : "", f.comment,
		  f.comment[0] ? ")" : "");
	wire_show(&c->out, f.data, f.len);
	free(data);
	return CLI_OK;
}

/* ---- the command ---- */

static int trace_args(struct trace_cmd *c, int argc, char **argv)
{
	static const struct cli_opt opts[] = { { "--packet", true }, { "--stack", false }, { "--at", true },
					       { "--names", true },  { "--drops", false }, { "--wire", true } };
	struct cli_args a;
	int k;

	cli_args_init(&a, argc, argv, opts, ARRAY_SIZE(opts));
	while ((k = cli_args_next(&a)) != CLI_ARG_END) {
		bool ok = true;

		if (k == CLI_ARG_BAD)
			return CLI_USAGE;
		if (k == CLI_ARG_OPERAND && c->dir)
			return cli_usage("trace", "one folder at a time, not '%.60s' too", a.value);
		if (k == CLI_ARG_OPERAND)
			c->dir = a.value;
		else if (k == 0)
			ok = c->packet_set = cli_u64(&a, "--packet", 1, UINT64_MAX, &c->packet);
		else if (k == 1)
			c->stack = true;
		else if (k == 2)
			c->at = a.value;
		else if (k == 4)
			c->drops = true;
		else if (k == 5)
			ok = c->wire_set = cli_u64(&a, "--wire", 1, UINT64_MAX, &c->wire);
		else if (trace_names_parse(a.value, &c->names) != 0)
			return cli_usage("trace", "--names takes now, 3.x or 4.x, not '%.60s'", a.value);
		if (!ok)
			return CLI_USAGE;
	}
	if (!c->dir)
		return cli_usage("trace", "which folder? one that --out wrote");
	if ((c->stack || c->at) && !c->packet_set)
		return cli_usage("trace", "--stack needs --packet N");
	c->stack = c->stack || c->at;
	return CLI_OK;
}

static int trace_events(struct trace_cmd *c)
{
	bool (*fn)(void *arg, const struct trace_line *l) = c->drops ? drop_event :
							    c->stack ? stack_event :
							    c->packet_set ? packet_event : summary_event;
	char path[4096], err[400];

	snprintf(path, sizeof(path), "%s/events.jsonl", c->dir);
	if (trace_read(path, fn, c, err, sizeof(err)) != 0)
		return cli_fail(CLI_USAGE, "trace: %s", err);
	if (c->packet_set && !c->drops && !c->found)
		return cli_fail(CLI_USAGE, "trace: %s: nothing of packet %llu%s%s", path, (unsigned long long)c->packet,
				c->at ? " in " : "", c->at ? c->at : "");
	if (c->stack)
		print_stack(c);
	if (fn == summary_event)
		print_summary(c);
	return c->code;
}

int cmd_trace(int argc, char **argv)
{
	struct trace_cmd *c = xcalloc(1, sizeof(*c));
	int code = trace_args(c, argc, argv);

	sb_init(&c->out);
	if (code == CLI_OK && c->wire_set)
		code = show_wire(c);
	if (code == CLI_OK && (!c->wire_set || c->packet_set || c->drops))
		code = trace_events(c);
	if (code == CLI_OK) {
		flush(c);
		code = c->code;
	}
	for (uint32_t i = 0; i < c->n_open; i++) {
		while (c->open[i]->n)
			context_pop(c->open[i]);
		free(c->open[i]->node);
		free(c->open[i]);
	}
	free(c->open);
	sb_free(&c->out);
	free(c);
	return code;
}

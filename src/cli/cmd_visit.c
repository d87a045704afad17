/* culver visit URL: one browser, one page (or the same page again), in virtual time; and the story of it. Called by
 * main.c; the visit itself is app/visit.c's, the telling lab/story.c's. Tests: tests/lab/visit*.t. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "lab/out.h"
#include "lab/story.h"
#include "os/os_live.h"
#include "os/os_term.h"

#define VISIT_LAB "internet"
#define VISIT_FROM "client"
#define VISIT_MAX_REPEAT 100000u
#define VISIT_MAX_PAUSE_S 1000000000u
#define VISIT_PAGE_LINES 12u
#define VISIT_PAGE_COLUMNS 100u
/* The servers start first. */
#define VISIT_BEFORE_NS NSEC_PER_MSEC
/* When the program has closed, the two TCPs have not: their FINs belong to the visit. */
#define VISIT_CLOSE_NS NSEC_PER_SEC
/* TIME-WAIT lasts 60 s; a little more shows its end. */
#define VISIT_AFTER_NS (62 * NSEC_PER_SEC)

struct visit_cmd {
	const char *url, *file, *from, *dir;
	bool has_seed, json;
	uint64_t seed, repeat, pause_s;
	struct lab_source src;
	struct lab *lab;
	struct lab_node *node;
	struct lab_out *out;
	struct story story;
	struct browser *browser;
	struct visit v;
	struct cli_signals sig;
	struct strbuf text; /* what is printed, and story.txt */
	struct strbuf json_text;
	bool interrupted;
};

static int visit_args(struct visit_cmd *c, int argc, char **argv)
{
	static const struct cli_opt opts[] = { { "--lab", true },    { "--from", true }, { "--out", true },
					       { "--seed", true },   { "--repeat", true }, { "--json", false },
					       { "--pause", true } };
	struct cli_args a;
	int k;

	cli_args_init(&a, argc, argv, opts, ARRAY_SIZE(opts));
	while ((k = cli_args_next(&a)) != CLI_ARG_END) {
		bool ok = true;

		if (k == CLI_ARG_BAD)
			return CLI_USAGE;
		if (k == CLI_ARG_OPERAND && c->url)
			return cli_usage("visit", "one URL at a time, not '%.100s' too", a.value);
		if (k == CLI_ARG_OPERAND)
			c->url = a.value;
		else if (k == 0)
			c->file = a.value;
		else if (k == 1)
			c->from = a.value;
		else if (k == 2)
			c->dir = a.value;
		else if (k == 3)
			ok = c->has_seed = cli_u64(&a, "--seed", 0, UINT64_MAX, &c->seed);
		else if (k == 4)
			ok = cli_u64(&a, "--repeat", 1, VISIT_MAX_REPEAT, &c->repeat);
		else if (k == 6)
			ok = cli_u64(&a, "--pause", 0, VISIT_MAX_PAUSE_S, &c->pause_s);
		else
			c->json = true;
		if (!ok)
			return CLI_USAGE;
	}
	return c->url ? CLI_OK : cli_usage("visit", "which URL? as in: culver visit http://www.server.com/");
}

/* The visitor's node: --from, else "client", else the first host. */
static int visit_from(struct visit_cmd *c)
{
	const struct topo *t = &c->src.topo;
	uint32_t i = topo_find(t, c->from ? c->from : VISIT_FROM);

	if (c->from && (i == UINT32_MAX || t->node[i].kind != TOPO_LINUX))
		return cli_fail(CLI_USAGE, "visit: %s has no host '%.64s'", t->name, c->from);
	for (uint32_t k = 0; i == UINT32_MAX && k < t->n_nodes; k++)
		if (t->node[k].kind == TOPO_LINUX)
			i = k;
	if (i == UINT32_MAX)
		return cli_fail(CLI_USAGE, "visit: %s has no host to visit from", t->name);
	c->from = t->node[i].name;
	return CLI_OK;
}

static int visit_build(struct visit_cmd *c)
{
	struct lab_opts opts = { .seed = c->seed, .has_seed = c->has_seed };
	enum lab_err err;
	struct yerr e;

	story_init(&c->story, c->from);
	opts.sink[opts.n_sinks++] = &c->story.sink;
	opts.interrupted = cli_interrupted;
	opts.interrupted_arg = &c->sig;
	if (c->dir) {
		err = lab_out_open(&c->out, c->dir, &c->src, &e);
		if (err != LAB_OK)
			return cli_lab_fail(err, &e);
		lab_out_watch(c->out, &opts);
	}
	cli_signals_open(&c->sig);
	c->lab = lab_new(&c->src, &opts, &err, &e);
	if (!c->lab)
		return cli_lab_fail(err, &e);
	c->node = lab_find(c->lab, c->from);
	c->browser = browser_new();
	lab_wait(c->lab, VISIT_BEFORE_NS);
	return CLI_OK;
}

/* ---- one visit ---- */

static int browser_main(struct task *t, int argc, char **argv)
{
	struct visit_cmd *c = t->owner_data;

	browser_visit(t, c->browser, c->url, &c->v);
	return 0;
}

static int visit_once(struct visit_cmd *c, uint64_t n)
{
	struct task *t;
	int code;

	if (n > 1)
		lab_wait(c->lab, c->pause_s * NSEC_PER_SEC);
	sb_free(&c->v.body);
	memset(&c->v, 0, sizeof(c->v));
	sb_init(&c->v.body);
	story_begin(&c->story);
	t = lab_spawn_main(c->node, "browser", browser_main, c);
	if (!t)
		return cli_fail(CLI_LOCAL, "visit: out of memory");
	code = lab_finish(c->node, t, "browser", NULL, NULL);
	task_free(t);
	if (code == 130)
		c->interrupted = true;
	else if (code)
		snprintf(c->v.error, sizeof(c->v.error), "%.100s: no end in sight after an hour of virtual time", c->url);
	if (code)
		c->v.result = VISIT_NETWORK;
	else
		lab_wait(c->lab, VISIT_CLOSE_NS);
	return CLI_OK;
}

static void tell_transfer(struct visit_cmd *c)
{
	const struct story *s = &c->story;

	if (!s->data_segments)
		return;
	sb_printf(&c->text, "The answer came in %llu TCP segment%s, %llu octets with its header, the largest %u octets.\n",
		  (unsigned long long)s->data_segments, s->data_segments == 1 ? "" : "s", (unsigned long long)s->data_octets, s->data_largest);
}

static void tell_visit(struct visit_cmd *c, uint64_t n, bool colour)
{
	struct visit *v = &c->v;

	if (c->repeat > 1)
		sb_printf(&c->text, "%sVisit %llu of %llu\n", n > 1 ? "\n" : "", (unsigned long long)n,
			  (unsigned long long)c->repeat);
	story_print(&c->story, 0, colour, &c->text);
	sb_putc(&c->text, '\n');
	tell_transfer(c);
	story_times(v, &c->text);
	if (v->body.len) {
		sb_printf(&c->text, "\nThe page, %zu octets, begins:\n", v->body.len);
		story_page(v, VISIT_PAGE_LINES, VISIT_PAGE_COLUMNS, &c->text);
	}
}

/* After the last visit virtual time goes on: what is still to come (TIME-WAIT's end) is told too. */
static void tell_afterwards(struct visit_cmd *c, bool colour)
{
	uint32_t from = c->story.n;

	lab_wait(c->lab, VISIT_AFTER_NS);
	if (c->story.n == from)
		return;
	sb_puts(&c->text, "\nAfterwards\n");
	story_print(&c->story, from, colour, &c->text);
	story_end(&c->story);
}

static int visit_run(struct visit_cmd *c)
{
	bool colour = cli_colour() && !c->dir;
	int code = CLI_OK;

	sb_printf(&c->text, "%s: lab %s, seed %llu, from %s\n\n", c->url, c->src.topo.name, (unsigned long long)c->lab->seed,
		  c->from);
	if (c->repeat > 1)
		sb_puts(&c->json_text, "[");
	for (uint64_t n = 1; n <= c->repeat && code == CLI_OK && !c->interrupted; n++) {
		code = visit_once(c, n);
		if (code == CLI_OK)
			tell_visit(c, n, colour);
		if (n == c->repeat && !c->interrupted)
			tell_afterwards(c, colour);
		sb_puts(&c->json_text, n > 1 ? ",\n" : "");
		story_json(&c->story, c->url, &c->v, &c->json_text);
		if (c->v.result != VISIT_OK)
			break;
	}
	sb_puts(&c->json_text, c->repeat > 1 ? "]\n" : "\n");
	return code;
}

/* ---- the end ---- */

static int visit_files(struct visit_cmd *c)
{
	struct yerr e;
	enum lab_err err;

	lab_out_unwatch(c->out);
	lab_out_file(c->out, "story.txt", sb_str(&c->text), c->text.len);
	lab_out_file(c->out, "page.body", c->v.body.len ? sb_str(&c->v.body) : "", c->v.body.len);
	err = lab_out_commit(c->out, &e);
	c->out = NULL;
	return err == LAB_OK ? CLI_OK : cli_lab_fail(err, &e);
}

static int visit_report(struct visit_cmd *c)
{
	const struct strbuf *sb = c->json ? &c->json_text : &c->text;
	int code;

	if (c->interrupted)
		return 130;
	code = c->out ? visit_files(c) : CLI_OK;
	if (code == CLI_OK)
		code = cli_print(sb_str(sb), sb->len);
	if (code == CLI_OK && c->v.result != VISIT_OK)
		code = cli_fail(c->v.result == VISIT_USAGE ? CLI_USAGE : CLI_NETWORK, "%s", c->v.error);
	return code;
}

static void visit_free(struct visit_cmd *c)
{
	if (c->out) {
		if (c->lab)
			lab_out_unwatch(c->out);
		lab_out_abort(c->out);
	}
	browser_free(c->browser);
	story_free(&c->story);
	if (c->lab)
		lab_free(c->lab);
	sb_free(&c->v.body);
	sb_free(&c->text);
	sb_free(&c->json_text);
}

int cmd_visit(int argc, char **argv)
{
	struct visit_cmd c = { .file = VISIT_LAB, .repeat = 1, .sig = { .fd = -1 } };
	char why[256];
	int code = visit_args(&c, argc, argv);

	if (code != CLI_OK)
		return code;
	if (url_check(c.url, why, sizeof(why)) != 0)
		return cli_fail(CLI_USAGE, "visit: %s", why);
	code = cli_source(&c.src, c.file);
	if (code != CLI_OK)
		return code;
	sb_init(&c.text);
	sb_init(&c.json_text);
	sb_init(&c.v.body);
	code = visit_from(&c);
	if (code == CLI_OK)
		code = visit_build(&c);
	if (code == CLI_OK)
		code = visit_run(&c);
	if (code == CLI_OK)
		code = visit_report(&c);
	visit_free(&c);
	lab_source_close(&c.src);
	return code;
}

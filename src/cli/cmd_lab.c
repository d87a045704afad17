/* culver lab FILE [-c ...]: commands on the nodes of a world in virtual time, given or typed. Called by main.c; hands
 * on to lab/. Virtual time moves while a command runs and stands still at the prompt. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/pool.h"
#include "cli/cli.h"
#include "lab/out.h"
#include "lab/units.h"
#include "os/os_live.h"
#include "os/os_term.h"

#define LAB_MAX_COMMANDS 10000
#define LAB_SELF "lab" /* the node name by which the lab itself is spoken to */

struct lab_cmd {
	struct lab_source src;
	struct lab *lab;
	struct lab_out *out;
	struct cli_signals sig;
	const char *file, *dir;
	char **line; /* -c, in order */
	size_t n_lines;
	bool has_seed;
	uint64_t seed;
	int print_code; /* standard output failed: end with this */
	bool stdout_gone;
};

/* ---- what programs print ---- */

static void lab_print(void *arg, int fd, const char *s, size_t len)
{
	struct lab_cmd *c = arg;

	if (fd == 2) {
		os_eprint(s, len);
		return;
	}
	if (c->stdout_gone || os_print(s, len) == 0)
		return;
	c->stdout_gone = true;
	c->print_code = cli_print(s, len);
}

static void lab_printf(struct lab_cmd *c, int fd, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void lab_printf(struct lab_cmd *c, int fd, const char *fmt, ...)
{
	struct strbuf sb;
	va_list ap;

	sb_init(&sb);
	va_start(ap, fmt);
	sb_vprintf(&sb, fmt, ap);
	va_end(ap);
	lab_print(c, fd, sb_str(&sb), sb.len);
	sb_free(&sb);
}

/* ---- the lab as a node ---- */

static int self_wait(struct lab_cmd *c, const char *arg)
{
	uint64_t ns;
	const char *why = arg ? unit_time(arg, &ns) : "say how long, as in 60s";

	if (why) {
		lab_printf(c, 2, "lab: wait: %s\n", why);
		return CLI_USAGE;
	}
	return lab_wait(c->lab, ns) == LAB_STOP_INTERRUPTED ? 130 : 0;
}

static int self_time(struct lab_cmd *c, const char *arg)
{
	uint64_t t = c->lab->q.now_ns;

	lab_printf(c, 1, "%llu.%09llu s\n", (unsigned long long)(t / NSEC_PER_SEC),
		   (unsigned long long)(t % NSEC_PER_SEC));
	return 0;
}

static int self_nodes(struct lab_cmd *c, const char *arg)
{
	for (uint32_t i = 0; i < c->lab->n_nodes; i++) {
		const struct lab_node *n = &c->lab->node[i];

		lab_printf(c, 1, "%-16s %-7s", n->name, n->net ? "linux" : n->sw ? "bridge" : "host");
		for (uint32_t k = 0; k < n->n_iface; k++) {
			const struct lab_iface *f = &n->iface[k], *peer = f->link->end[!f->side];

			lab_printf(c, 1, " %s--%s:%s", f->name, peer ? peer->node->name : "host",
				   peer ? peer->name : f->link->topo->host_if);
		}
		lab_printf(c, 1, "\n");
	}
	return 0;
}

/* Each host's packets: their births, their ends, and what was copied. */
static int self_lives(struct lab_cmd *c, const char *arg)
{
	(void)arg;
	lab_printf(c, 1, "%-16s %10s %10s %8s %7s %8s %7s %10s %12s %12s\n", "host", "allocated", "consumed", "dropped", "queued", "clones",
		   "copies", "copied", "from-user", "to-user");
	for (uint32_t i = 0; i < c->lab->n_nodes; i++) {
		const struct lab_node *n = &c->lab->node[i];
		const struct skb_mib *m = n->net ? &n->net->skb_mib : NULL;

		if (m)
			lab_printf(c, 1, "%-16s %10" PRIu64 " %10" PRIu64 " %8" PRIu64 " %7" PRId64 " %8" PRIu64 " %7" PRIu64 " %10" PRIu64
				   " %12" PRIu64 " %12" PRIu64 "\n", n->name, m->allocated, m->consumed, m->dropped, m->live, m->clones,
				   m->copies, m->copy_bytes, m->user_to_skb_bytes, m->skb_to_user_bytes);
	}
	return 0;
}

static int self_log(struct lab_cmd *c, const char *arg)
{
	struct lab_node *n = arg ? lab_find(c->lab, arg) : NULL;

	if (!n) {
		lab_printf(c, 2, "lab: log: which node?%s%s\n", arg ? " There is no " : "", arg ? arg : "");
		return CLI_USAGE;
	}
	if (n->log.len)
		lab_print(c, 1, sb_str(&n->log), n->log.len);
	return 0;
}

/* The cable at "NODE:IFACE", or NULL with the error printed. */
static struct hw_cable *self_cable(struct lab_cmd *c, const char *what, const char *arg)
{
	char node[TOPO_NAME_MAX + 1];
	const char *colon = arg ? strchr(arg, ':') : NULL;
	struct lab_node *n = NULL;
	struct lab_iface *f = NULL;

	if (colon && (size_t)(colon - arg) < sizeof(node)) {
		memcpy(node, arg, (size_t)(colon - arg));
		node[colon - arg] = '\0';
		n = lab_find(c->lab, node);
		f = n ? lab_find_iface(n, colon + 1) : NULL;
	}
	if (!f)
		lab_printf(c, 2, "lab: %s: name a cable by one of its ends, as in client:eth1\n", what);
	return f ? f->link->cable : NULL;
}

static int self_cut(struct lab_cmd *c, const char *arg)
{
	struct hw_cable *cable = self_cable(c, "cut", arg);

	if (cable)
		hw_cable_set_up(cable, false);
	return cable ? 0 : CLI_USAGE;
}

static int self_mend(struct lab_cmd *c, const char *arg)
{
	struct hw_cable *cable = self_cable(c, "mend", arg);

	if (cable)
		hw_cable_set_up(cable, true);
	return cable ? 0 : CLI_USAGE;
}

static const struct {
	const char *name;
	int (*run)(struct lab_cmd *c, const char *arg);
} self_cmds[] = {
	{ "cut", self_cut }, { "lives", self_lives }, { "log", self_log }, { "mend", self_mend },
	{ "nodes", self_nodes }, { "time", self_time }, { "wait", self_wait },
};

static int self_command(struct lab_cmd *c, const char *line)
{
	char word[3][80] = { "", "", "" };
	int n = sscanf(line, "%79s %79s %79s", word[0], word[1], word[2]);

	for (size_t i = 0; n >= 1 && n < 3 && i < ARRAY_SIZE(self_cmds); i++)
		if (!strcmp(self_cmds[i].name, word[0]))
			return self_cmds[i].run(c, n > 1 ? word[1] : NULL);
	lab_printf(c, 2, "lab: it knows: cut NODE:IFACE, lives, log NODE, mend NODE:IFACE, nodes, time, wait TIME\n");
	return 127;
}

/* ---- lines ---- */

/* "NODE COMMAND...": the node (NULL for the lab itself) and where the command begins. */
static bool line_node(struct lab_cmd *c, const char *line, const char **name, size_t *len, const char **rest)
{
	line += strspn(line, " \t");
	*name = line;
	*len = strcspn(line, " \t");
	*rest = line + *len + strspn(line + *len, " \t");
	return *len > 0;
}

/* 0, or an exit code with the error printed: does the line name a node, and a command? */
static int line_check(struct lab_cmd *c, const char *line)
{
	const char *name, *rest;
	char node[TOPO_NAME_MAX + 1];
	size_t len;

	if (!line_node(c, line, &name, &len, &rest))
		return cli_fail(CLI_USAGE, "lab: -c needs 'NODE COMMAND ARG...', not an empty line");
	snprintf(node, sizeof(node), "%.*s", (int)len, name);
	if (len > TOPO_NAME_MAX || (topo_find(&c->src.topo, node) == UINT32_MAX && strcmp(node, LAB_SELF) != 0)) {
		struct strbuf sb;

		sb_init(&sb);
		for (uint32_t i = 0; i < c->src.topo.n_nodes && i < 20; i++)
			sb_printf(&sb, "%s%s", i ? ", " : "", c->src.topo.node[i].name);
		if (c->src.topo.n_nodes > 20)
			sb_puts(&sb, ", ...");
		cli_fail(CLI_USAGE, "lab: %s has no node '%.64s' (there are: %s)", c->src.topo.name, node, sb_str(&sb));
		sb_free(&sb);
		return CLI_USAGE;
	}
	if (!*rest)
		return cli_fail(CLI_USAGE, "lab: '%.64s': which command?", line);
	return CLI_OK;
}

static int line_run(struct lab_cmd *c, const char *line)
{
	const char *name, *rest;
	char node[TOPO_NAME_MAX + 1];
	struct lab_node *n;
	size_t len;

	line_node(c, line, &name, &len, &rest);
	snprintf(node, sizeof(node), "%.*s", (int)len, name);
	n = lab_find(c->lab, node);
	return n ? lab_command(n, rest, lab_print, c) : self_command(c, rest);
}

/* ---- the prompt ---- */

struct offer {
	void (*fn)(void *ctx, const char *word);
	void *ctx;
	const char *word;
};

static void offer_word(const struct offer *o, const char *word)
{
	if (!strncmp(word, o->word, strlen(o->word)))
		o->fn(o->ctx, word);
}

static void offer_first(struct lab_cmd *c, const struct offer *o)
{
	for (uint32_t i = 0; i < c->lab->n_nodes; i++)
		offer_word(o, c->lab->node[i].name);
	offer_word(o, LAB_SELF);
	offer_word(o, "help");
	offer_word(o, "quit");
}

static void offer_second(struct lab_cmd *c, const struct offer *o, const char *node)
{
	struct lab_node *n = lab_find(c->lab, node);
	const char *p;

	if (!n && !strcmp(node, LAB_SELF))
		for (size_t i = 0; i < ARRAY_SIZE(self_cmds); i++)
			offer_word(o, self_cmds[i].name);
	for (size_t i = 0; n && (p = lab_program(n, i)) != NULL; i++)
		offer_word(o, p);
}

/* Further words: a node's address is what one mostly wants to name, so nodes and their ends are offered. */
static void offer_more(struct lab_cmd *c, const struct offer *o)
{
	char end[TOPO_NAME_MAX + TOPO_IFNAME_MAX + 2];

	for (uint32_t i = 0; i < c->lab->n_nodes; i++) {
		const struct lab_node *n = &c->lab->node[i];

		for (uint32_t k = 0; k < n->n_iface; k++) {
			snprintf(end, sizeof(end), "%s:%s", n->name, n->iface[k].name);
			offer_word(o, end);
		}
		for (uint32_t k = 0; k < c->src.topo.n_links; k++)
			for (unsigned s = 0; s < 2; s++) {
				const struct topo_end *e = &c->src.topo.link[k].end[s];
				char ip[IP4_STRLEN];

				if (e->node == i && e->has_ip)
					offer_word(o, ip4_str(ip, e->ip));
			}
	}
}

static void complete(void *arg, const char *line, size_t start, void (*fn)(void *ctx, const char *word), void *ctx)
{
	struct lab_cmd *c = arg;
	struct offer o = { fn, ctx, line + start };
	char first[TOPO_NAME_MAX + 1] = "";
	size_t words = 0;

	for (size_t i = 0; i < start; i++)
		words += line[i] != ' ' && (i == 0 || line[i - 1] == ' ');
	sscanf(line, "%63s", first);
	if (words == 0)
		offer_first(c, &o);
	else if (words == 1)
		offer_second(c, &o, first);
	else
		offer_more(c, &o);
}

static const char prompt_help[] =
	"NODE COMMAND ARG...   run a program on a node, as in: client ping -c 1 10.0.2.80\n"
	"NODE COMMAND ... &    leave it running\n"
	"lab nodes             who is there, and how they are joined\n"
	"lab wait TIME         let virtual time pass, as in: lab wait 60s\n"
	"lab time              what time it is\n"
	"lab log NODE          what its servers printed\n"
	"lab lives             each host's packets: allocated, consumed, dropped, queued; clones, copies\n"
	"lab cut NODE:IFACE    cut the cable there; lab mend NODE:IFACE restores it\n"
	"quit                  leave (^D too)\n";

static int prompt_loop(struct lab_cmd *c)
{
	const struct os_prompt_ops ops = { .arg = c, .complete = complete };
	char text[TOPO_NAME_MAX + 4];
	struct os_prompt *p;
	const char *line;
	int code = 0;

	snprintf(text, sizeof(text), "%s> ", c->src.topo.name);
	p = os_prompt_new(text, &ops);
	while (!c->stdout_gone && (line = os_prompt_read(p)) != NULL) {
		int r;

		c->sig.taken = 0;
		line += strspn(line, " \t");
		if (!*line || *line == '#')
			continue;
		if (!strcmp(line, "quit") || !strcmp(line, "exit"))
			break;
		if (!strcmp(line, "help") || !strcmp(line, "?")) {
			lab_print(c, 1, prompt_help, sizeof(prompt_help) - 1);
			continue;
		}
		r = line_check(c, line);
		r = r ? r : line_run(c, line);
		code = r ? r : code;
	}
	os_prompt_free(p);
	return code;
}

/* ---- the command ---- */

static int lab_args(struct lab_cmd *c, int argc, char **argv)
{
	static const struct cli_opt opts[] = { { "-c", true }, { "--out", true }, { "--seed", true } };
	struct cli_args a;
	int k;

	cli_args_init(&a, argc, argv, opts, ARRAY_SIZE(opts));
	while ((k = cli_args_next(&a)) != CLI_ARG_END) {
		if (k == CLI_ARG_BAD)
			return CLI_USAGE;
		if (k == CLI_ARG_OPERAND) {
			if (c->file)
				return cli_usage("lab", "one lab file at a time, not '%.60s' too", a.value);
			c->file = a.value;
		} else if (k == 0) {
			if (c->n_lines == LAB_MAX_COMMANDS)
				return cli_usage("lab", "at most %d times -c", LAB_MAX_COMMANDS);
			c->line = xrealloc(c->line, (c->n_lines + 1) * sizeof(*c->line));
			c->line[c->n_lines++] = xstrdup(a.value);
		} else if (k == 1) {
			c->dir = a.value;
		} else if (!cli_u64(&a, "--seed", 0, UINT64_MAX, &c->seed)) {
			return CLI_USAGE;
		} else {
			c->has_seed = true;
		}
	}
	return c->file ? CLI_OK : cli_usage("lab", "which lab? a file, or the name of a built-in one, as in: lab internet");
}

static int lab_run_lines(struct lab_cmd *c)
{
	int code = 0;

	if (!c->n_lines)
		return prompt_loop(c);
	for (size_t i = 0; i < c->n_lines && !c->stdout_gone && !c->sig.taken; i++) {
		int r = line_run(c, c->line[i]);

		code = r ? r : code;
	}
	return code;
}

static int lab_build(struct lab_cmd *c)
{
	struct lab_opts opts = { .seed = c->seed, .has_seed = c->has_seed };
	enum lab_err err = LAB_OK;
	struct yerr e;

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
	return c->lab ? CLI_OK : cli_lab_fail(err, &e);
}

static int lab_end(struct lab_cmd *c, int code)
{
	struct yerr e;

	if (c->lab) {
		if (c->out)
			lab_out_unwatch(c->out);
		lab_free(c->lab);
	}
	if (c->out && (!c->lab || c->sig.taken)) {
		lab_out_abort(c->out);
	} else if (c->out) {
		enum lab_err err = lab_out_commit(c->out, &e);

		code = err != LAB_OK ? cli_lab_fail(err, &e) : code;
	}
	return c->print_code ? c->print_code : code;
}

int cmd_lab(int argc, char **argv)
{
	struct lab_cmd c = { .sig = { .fd = -1 } };
	int code = lab_args(&c, argc, argv);

	if (code == CLI_OK)
		code = cli_source(&c.src, c.file);
	if (code == CLI_OK) {
		for (size_t i = 0; i < c.n_lines && code == CLI_OK; i++)
			code = line_check(&c, c.line[i]);
		if (code == CLI_OK)
			code = lab_build(&c);
		if (code == CLI_OK)
			code = lab_run_lines(&c);
		code = lab_end(&c, code);
		lab_source_close(&c.src);
	}
	for (size_t i = 0; i < c.n_lines; i++)
		free(c.line[i]);
	free(c.line);
	return code;
}

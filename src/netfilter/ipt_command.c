/* One line of iptables arguments, carried out.
 *
 * Decides: which command it is, on which table and chain; a line that is wrong changes nothing.
 * Called by: the iptables program through /proc/net/ip_tables. Hands on: ip_tables.c, ipt_rule.c, ipt_list.c.
 * Tests: tests/lab/iptables.t. */
#include <errno.h>
#include <string.h>
#include "core/procfs.h"
#include "netfilter/ip_tables.h"
#include "netfilter/nf_tables_text.h"

#define IPT_MAX_WORDS 64
#define IPT_MAX_LINE 2048

struct ipt_cmd {
	char op; /* 'A', 'I', ... ; 0: none yet */
	const char *table, *chain, *policy;
	uint32_t num; /* rule number, 0: none */
	unsigned fmt;
	char *spec[IPT_MAX_WORDS]; /* what is left: the rule */
	size_t n_spec;
};

static int ipt_say(struct strbuf *out, int err, const char *text, const char *arg)
{
	sb_reset(out);
	sb_puts(out, "iptables: ");
	if (arg)
		sb_printf(out, "%s '%s'\n", text, arg);
	else
		sb_printf(out, "%s\n", text);
	return err;
}

static const struct {
	char op;
	const char *name;
} ipt_ops[] = {
	{ 'A', "--append" }, { 'I', "--insert" }, { 'D', "--delete" },	{ 'R', "--replace" }, { 'C', "--check" },
	{ 'F', "--flush" },  { 'P', "--policy" }, { 'Z', "--zero" },	{ 'L', "--list" },    { 'S', "--list-rules" },
};

static char ipt_op(const char *word)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ipt_ops); i++)
		if (!strcmp(word, ipt_ops[i].name) || (word[0] == '-' && word[1] == ipt_ops[i].op && !word[2]))
			return ipt_ops[i].op;
	return 0;
}

/* -v, -n, -nvL and the like: letters of listing options together. Returns the command among them, or 0;
 * sets *ok to false for another letter. */
static char ipt_letters(const char *word, unsigned *fmt, bool *ok)
{
	char op = 0;
	unsigned f = 0;

	*ok = word[0] == '-' && word[1] && word[1] != '-';
	for (word++; *ok && *word; word++) {
		if (*word == 'v')
			f |= IPT_FMT_VERBOSE;
		else if (*word == 'n')
			f |= IPT_FMT_NUMERIC;
		else if (*word == 'x')
			f |= IPT_FMT_EXACT;
		else if (strchr("LSFZ", *word) && !op)
			op = *word;
		else if (*word != 'w')
			*ok = false;
	}
	if (*ok)
		*fmt |= f;
	return op;
}

static bool ipt_long_format(const char *word, unsigned *fmt)
{
	static const struct {
		const char *name;
		unsigned bit;
	} t[] = { { "--verbose", IPT_FMT_VERBOSE }, { "--numeric", IPT_FMT_NUMERIC }, { "--exact", IPT_FMT_EXACT },
		  { "--line-numbers", IPT_FMT_LINES }, { "--wait", 0 } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		if (strcmp(word, t[i].name))
			continue;
		*fmt |= t[i].bit;
		return true;
	}
	return false;
}

/* What may stand right behind a command: a chain, then for -I -D -R a number, for -P a target. */
static void ipt_operands(struct ipt_cmd *c, struct ipt_words *w)
{
	uint64_t num;

	if (w->at + 1 < w->n && w->w[w->at + 1][0] != '-' && w->w[w->at + 1][0] != '!')
		c->chain = w->w[++w->at];
	if (w->at + 1 >= w->n)
		return;
	if (c->op == 'P')
		c->policy = w->w[++w->at];
	else if (strchr("IDRLS", c->op) && !u64_parse(w->w[w->at + 1], 1, IPT_MAX_RULES, &num)) {
		c->num = (uint32_t)num;
		w->at++;
	}
}

/* Sort the words: table, command with its operands, format; the rest is the rule. */
static int ipt_sort_words(struct ipt_cmd *c, struct ipt_words *w, struct strbuf *out)
{
	for (; w->at < w->n; w->at++) {
		char *word = w->w[w->at], op = ipt_op(word);
		unsigned fmt = 0;
		bool ok = false;

		if (!strcmp(word, "-t") || !strcmp(word, "--table")) {
			if (++w->at == w->n)
				return ipt_say(out, -EINVAL, "option requires an argument:", word);
			c->table = w->w[w->at];
			continue;
		}
		if (!op)
			op = ipt_letters(word, &fmt, &ok);
		if (op) {
			if (c->op)
				return ipt_say(out, -EINVAL, "multiple commands not allowed:", word);
			c->op = op;
			c->fmt |= fmt;
			ipt_operands(c, w);
		} else if (ok) {
			c->fmt |= fmt;
		} else if (!ipt_long_format(word, &c->fmt)) {
			/* An option of the rule, and the word behind it (if it takes one), whatever that looks like. */
			c->spec[c->n_spec++] = word;
			if (word[0] == '-' && w->at + 1 < w->n && !ipt_opt_alone(word))
				c->spec[c->n_spec++] = w->w[++w->at];
		}
	}
	return c->op ? 0 : ipt_say(out, -EINVAL, "no command specified", NULL);
}

static int ipt_list(struct ipt_table *t, const struct ipt_cmd *c, struct strbuf *out)
{
	uint32_t i;
	bool first = true;

	if (c->op == 'S' && !c->num) {
		for (i = 0; i < t->n; i++)
			if (!c->chain || !strcmp(c->chain, t->chain[i].name))
				sb_printf(out, "-P %s %s\n", t->chain[i].name, ipt_target_name(t->chain[i].policy));
	}
	for (i = 0; i < t->n; i++) {
		if (c->chain && strcmp(c->chain, t->chain[i].name))
			continue;
		if (c->op == 'S') {
			ipt_save_chain(&t->chain[i], c->num, c->fmt, out);
			continue;
		}
		if (!first)
			sb_putc(out, '\n');
		first = false;
		ipt_list_chain(&t->chain[i], c->num, c->fmt, out);
	}
	return 0;
}

static int ipt_change_rule(struct ipt_chain *ch, const struct ipt_cmd *c, struct strbuf *out)
{
	struct ipt_words w = { (char **)(uintptr_t)c->spec, c->n_spec, 0 };
	const char *why;
	struct ipt_spec spec;
	int64_t at;
	int err;

	if (c->op == 'D' && c->num) {
		if (c->n_spec)
			return ipt_say(out, -EINVAL, "a rule number and a rule:", c->spec[0]);
		if (c->num > ch->n)
			return ipt_say(out, -ENOENT, "Index of deletion too big.", NULL);
		ipt_delete(ch, c->num - 1);
		return 0;
	}
	err = ipt_parse_spec(&w, &spec, out);
	if (err)
		return err;
	why = ipt_target_place(&spec, ch);
	if (why)
		return ipt_say(out, -EINVAL, why, NULL);
	if (c->op == 'D' || c->op == 'C') {
		at = ipt_find(ch, &spec);
		if (at < 0)
			return ipt_say(out, -ENOENT, "Bad rule (does a matching rule exist in that chain?).", NULL);
		if (c->op == 'D')
			ipt_delete(ch, (uint32_t)at);
		return 0;
	}
	if (c->op == 'R') {
		if (!c->num)
			return ipt_say(out, -EINVAL, "-R requires a rule number", NULL);
		if (c->num > ch->n)
			return ipt_say(out, -ENOENT, "Index of replacement too big.", NULL);
		ipt_replace(ch, c->num - 1, &spec);
		return 0;
	}
	at = c->op == 'A' ? ch->n : c->num ? c->num - 1 : 0;
	if (at > ch->n)
		return ipt_say(out, -ENOENT, "Index of insertion too big.", NULL);
	err = ipt_insert(ch, (uint32_t)at, &spec);
	return err ? ipt_say(out, err, "Too many rules.", NULL) : 0;
}

/* Interfaces that a hook does not have would make a rule that never matches. */
static int ipt_check_interfaces(const struct ipt_chain *ch, const struct ipt_cmd *c, struct strbuf *out)
{
	bool no_out = ch->ops.hooknum == NF_INET_PRE_ROUTING || ch->ops.hooknum == NF_INET_LOCAL_IN;
	bool no_in = ch->ops.hooknum == NF_INET_POST_ROUTING || ch->ops.hooknum == NF_INET_LOCAL_OUT;
	size_t i;

	for (i = 0; i < c->n_spec; i++) {
		const char *w = c->spec[i];

		if (no_in && (!strcmp(w, "-i") || !strcmp(w, "--in-interface")))
			return ipt_say(out, -EINVAL, "Can't use -i with", ch->name);
		if (no_out && (!strcmp(w, "-o") || !strcmp(w, "--out-interface")))
			return ipt_say(out, -EINVAL, "Can't use -o with", ch->name);
	}
	return 0;
}

static int ipt_set_policy(struct ipt_chain *ch, const struct ipt_cmd *c, struct strbuf *out)
{
	uint8_t target = c->policy ? ipt_target_parse(c->policy) : IPT_NONE;

	if (c->n_spec)
		return ipt_say(out, -EINVAL, "Bad argument", c->spec[0]);
	if (target == IPT_DROP && !strcmp(ch->table->name, "nat"))
		return ipt_say(out, -EINVAL, "The \"nat\" table is not intended for filtering, the use of DROP is therefore inhibited.",
			       NULL);
	if (target != IPT_ACCEPT && target != IPT_DROP)
		return ipt_say(out, -EINVAL, "Bad policy name. Run `dmesg' for more information.", NULL);
	ch->policy = target;
	ch->packets = ch->bytes = 0;
	return 0;
}

static int ipt_run(struct ipt_table *t, const struct ipt_cmd *c, struct strbuf *out)
{
	struct ipt_chain *ch = c->chain ? ipt_chain_find(t, c->chain) : NULL;
	uint32_t i;
	int err;

	if (c->chain && !ch)
		return ipt_say(out, -ENOENT, "No chain/target/match by that name.", NULL);
	if (strchr("FZLS", c->op) && c->n_spec)
		return ipt_say(out, -EINVAL, "Illegal option with this command:", c->spec[0]);
	switch (c->op) {
	case 'L':
	case 'S':
		return ipt_list(t, c, out);
	case 'F':
	case 'Z':
		for (i = 0; i < t->n; i++)
			if (!ch || ch == &t->chain[i])
				(c->op == 'F' ? ipt_flush : ipt_zero)(&t->chain[i]);
		return 0;
	default:
		break;
	}
	if (!ch)
		return ipt_say(out, -EINVAL, "this command needs a chain", NULL);
	if (c->op == 'P')
		return ipt_set_policy(ch, c, out);
	err = ipt_check_interfaces(ch, c, out);
	return err ? err : ipt_change_rule(ch, c, out);
}

int iptables_command(struct net *net, const char *line, struct strbuf *answer)
{
	struct ipt_cmd c = { .table = "filter" };
	char buf[IPT_MAX_LINE], *word[IPT_MAX_WORDS], *p, *save;
	struct ipt_words w = { word, 0, 0 };
	struct ipt_table *t;
	int err;

	if (strlen(line) >= sizeof(buf))
		return ipt_say(answer, -E2BIG, "the line is too long", NULL);
	memcpy(buf, line, strlen(line) + 1);
	for (p = strtok_r(buf, " \t\r\n", &save); p && w.n < IPT_MAX_WORDS; p = strtok_r(NULL, " \t\r\n", &save))
		word[w.n++] = p;
	if (p)
		return ipt_say(answer, -E2BIG, "too many words", NULL);
	err = ipt_sort_words(&c, &w, answer);
	if (err)
		return err;
	t = ipt_table_get(net, c.table);
	if (!t)
		return ipt_say(answer, -ENOENT, "can't initialize iptables table", c.table);
	return ipt_run(t, &c, answer);
}

static int iptables_write(struct net *net, const char *text, size_t len, struct strbuf *answer)
{
	return iptables_command(net, text, answer);
}

static void iptables_show(struct net *net, struct strbuf *out)
{
	iptables_command(net, "-L -n -v", out);
}

int iptables_proc_init(struct net *net)
{
	return proc_create_rw(net, "net/ip_tables", iptables_show, iptables_write);
}

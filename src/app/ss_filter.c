/* ss's filter: "state established ( dport = :80 or dst 10.0.0.0/8 )".
 *
 * Decides which sockets ss shows. The words of all operands are one text; states first, then an expression: or binds less than
 * and, and less than not; two predicates side by side are joined by and. Called by ss.c. Tests: tests/lab/ss.t. */
#include <string.h>
#include "app/ss_filter.h"
#include "base/strbuf.h"

#define TEXT_MAX 512
#define DEPTH_MAX 16
#define ALL 0x1ffeu /* states 1 to 12 */

struct parse {
	struct ss_filter *f;
	struct task *t;
	char text[TEXT_MAX];
	const char *at;
	char word[TEXT_MAX];
	int depth, rc;
};

static const struct { const char *name; uint32_t mask; } states[] = {
	{ "established", 1u << 1 }, { "syn-sent", 1u << 2 }, { "syn-recv", 1u << 3 | 1u << 12 }, { "fin-wait-1", 1u << 4 }, { "fin-wait-2", 1u << 5 },
	{ "time-wait", 1u << 6 }, { "closed", 1u << 7 }, { "unconnected", 1u << 7 }, { "close-wait", 1u << 8 }, { "last-ack", 1u << 9 },
	{ "listening", 1u << 10 }, { "closing", 1u << 11 }, { "all", ALL }, { "connected", ALL & ~(1u << 7 | 1u << 10) },
	{ "synchronized", ALL & ~(1u << 7 | 1u << 10 | 1u << 2) }, { "bucket", 1u << 3 | 1u << 6 | 1u << 12 },
	{ "big", ALL & ~(1u << 3 | 1u << 6 | 1u << 12) },
};

/* The next word: parentheses, "=", "!=", ">=" and their kind stand alone. Empty at the end. */
static void next(struct parse *p)
{
	size_t n = 0;

	while (*p->at == ' ')
		p->at++;
	if (*p->at && strchr("()", *p->at)) {
		p->word[n++] = *p->at++;
	} else if (*p->at && strchr("=!<>", *p->at)) {
		while (*p->at && strchr("=!<>", *p->at))
			p->word[n++] = *p->at++;
	} else {
		while (*p->at && !strchr(" ()=!<>", *p->at))
			p->word[n++] = *p->at++;
	}
	p->word[n] = '\0';
}

static bool word(const struct parse *p, const char *a, const char *b, const char *c)
{
	return !strcmp(p->word, a) || (b && !strcmp(p->word, b)) || (c && !strcmp(p->word, c));
}

static int fail(struct parse *p, const char *fmt, const char *what, int rc)
{
	if (!p->rc)
		task_eprintf(p->t, fmt, what);
	p->rc = rc;
	return -1;
}

static int new_node(struct parse *p, struct ss_node n)
{
	if (p->f->n == SS_FILTER_NODES)
		return fail(p, "ss: %s\n", "the filter is too long", 255);
	p->f->node[p->f->n] = n;
	return p->f->n++;
}

static bool comparison(struct parse *p, enum ss_cmp *c)
{
	static const struct { const char *name; enum ss_cmp c; } ops[] = {
		{ "=", SS_EQ }, { "==", SS_EQ }, { "eq", SS_EQ }, { "!=", SS_NE }, { "ne", SS_NE }, { "neq", SS_NE }, { ">=", SS_GE }, { "ge", SS_GE },
		{ "geq", SS_GE }, { "<=", SS_LE }, { "le", SS_LE }, { "leq", SS_LE }, { ">", SS_GT }, { "gt", SS_GT }, { "<", SS_LT }, { "lt", SS_LT } };

	*c = SS_EQ;
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if (!strcmp(p->word, ops[i].name)) {
			*c = ops[i].c;
			next(p);
			return true;
		}
	return false;
}

static int port_of(struct parse *p, const char *s, uint16_t *port)
{
	uint64_t v;

	if (!strcmp(s, "*"))
		v = 0;
	else if (u64_parse(s, 0, 65535, &v))
		return fail(p, "Error: \"%s\" does not look like a port.\nCannot parse dst/src address.\n", s, 1);
	*port = (uint16_t)v;
	return 0;
}

/* sport and dport: [:]PORT. src and dst: [ADDRESS[/LEN]][:PORT]. */
static int predicate(struct parse *p, enum ss_op op)
{
	struct ss_node n = { .op = op };
	char *colon;
	uint8_t plen;

	next(p);
	comparison(p, &n.cmp);
	colon = strchr(p->word, ':');
	if (op == SS_SPORT || op == SS_DPORT) {
		if (port_of(p, colon ? colon + 1 : p->word, &n.port))
			return -1;
	} else {
		if (colon && port_of(p, colon + 1, &n.port))
			return -1;
		if (colon)
			*colon = '\0';
		if (*p->word && strcmp(p->word, "*")) {
			if (ip4_parse_prefix(p->word, &n.addr, &plen))
				return fail(p, "Error: an inet prefix is expected rather than \"%s\".\nCannot parse dst/src address.\n", p->word, 1);
			n.mask = plen ? 0xffffffffu << (32 - plen) : 0;
		}
	}
	next(p);
	return new_node(p, n);
}

static int disjunction(struct parse *p);

static int primary(struct parse *p)
{
	int a;

	if (++p->depth > DEPTH_MAX)
		return fail(p, "ss: %s\n", "the filter is too deep", 255);
	if (word(p, "not", "!", NULL)) {
		next(p);
		a = primary(p);
		a = a < 0 ? a : new_node(p, (struct ss_node){ .op = SS_NOT, .a = (uint8_t)a });
	} else if (word(p, "(", NULL, NULL)) {
		next(p);
		a = disjunction(p);
		if (a >= 0 && !word(p, ")", NULL, NULL))
			return fail(p, "ss: %s in the filter\n", "syntax error", 255);
		next(p);
	} else if (word(p, "sport", NULL, NULL)) {
		a = predicate(p, SS_SPORT);
	} else if (word(p, "dport", NULL, NULL)) {
		a = predicate(p, SS_DPORT);
	} else if (word(p, "src", NULL, NULL)) {
		a = predicate(p, SS_SRC);
	} else if (word(p, "dst", NULL, NULL)) {
		a = predicate(p, SS_DST);
	} else {
		return fail(p, *p->word ? "Error: an inet prefix is expected rather than \"%s\".\nCannot parse dst/src address.\n" :
					  "ss: syntax error in the filter%s\n", p->word, *p->word ? 1 : 255);
	}
	p->depth--;
	return a;
}

static int conjunction(struct parse *p)
{
	int a = primary(p), b;

	while (a >= 0 && *p->word && !word(p, ")", "or", "|") && !word(p, "||", NULL, NULL)) {
		if (word(p, "and", "&", "&&"))
			next(p);
		b = primary(p);
		a = b < 0 ? b : new_node(p, (struct ss_node){ .op = SS_AND, .a = (uint8_t)a, .b = (uint8_t)b });
	}
	return a;
}

static int disjunction(struct parse *p)
{
	int a = conjunction(p), b;

	while (a >= 0 && word(p, "or", "|", "||")) {
		next(p);
		b = conjunction(p);
		a = b < 0 ? b : new_node(p, (struct ss_node){ .op = SS_OR, .a = (uint8_t)a, .b = (uint8_t)b });
	}
	return a;
}

static int state_words(struct parse *p)
{
	while (word(p, "state", "exclude", "excl")) {
		bool without = !word(p, "state", NULL, NULL);
		uint32_t mask = 0;

		next(p);
		for (size_t i = 0; i < ARRAY_SIZE(states); i++)
			if (!strcmp(p->word, states[i].name))
				mask = states[i].mask;
		if (!mask)
			return fail(p, "ss: wrong state name: %s\n", p->word, 255);
		if (without)
			p->f->states = (p->f->states ? p->f->states : ALL) & ~mask;
		else
			p->f->states |= mask;
		next(p);
	}
	return 0;
}

int ss_filter_parse(struct ss_filter *f, struct task *t, char **argv, int argc)
{
	struct parse p = { .f = f, .t = t };
	size_t len = 0;
	int root;

	for (int i = 0; i < argc; i++) {
		size_t n = strlen(argv[i]);

		if (len + n + 2 > sizeof(p.text))
			return fail(&p, "ss: %s\n", "the filter is too long", 255), p.rc;
		memcpy(p.text + len, argv[i], n);
		len += n;
		p.text[len++] = ' ';
	}
	p.at = p.text;
	next(&p);
	if (state_words(&p) || !*p.word)
		return p.rc;
	root = disjunction(&p);
	if (root >= 0 && *p.word)
		fail(&p, "ss: %s in the filter\n", "syntax error", 255);
	f->has_expr = root >= 0;
	f->root = (uint8_t)root;
	return p.rc;
}

static bool compare(enum ss_cmp c, uint32_t v, uint32_t with)
{
	switch (c) {
	case SS_EQ: return v == with;
	case SS_NE: return v != with;
	case SS_GE: return v >= with;
	case SS_LE: return v <= with;
	case SS_GT: return v > with;
	case SS_LT: return v < with;
	}
	return false;
}

static bool match(const struct ss_filter *f, unsigned i, const struct ss_ends *e)
{
	const struct ss_node *n = &f->node[i];
	bool same;

	switch (n->op) {
	case SS_AND: return match(f, n->a, e) && match(f, n->b, e);
	case SS_OR: return match(f, n->a, e) || match(f, n->b, e);
	case SS_NOT: return !match(f, n->a, e);
	case SS_SPORT: return compare(n->cmp, e->lport, n->port);
	case SS_DPORT: return compare(n->cmp, e->rport, n->port);
	default: break;
	}
	same = ((n->op == SS_SRC ? e->laddr : e->raddr) & n->mask) == (n->addr & n->mask) &&
	       (!n->port || (n->op == SS_SRC ? e->lport : e->rport) == n->port);
	return same == (n->cmp != SS_NE);
}

bool ss_filter_match(const struct ss_filter *f, const struct ss_ends *e)
{
	return !f->has_expr || match(f, f->root, e);
}

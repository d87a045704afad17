/* System calls of a script: C-like expressions, structures, arrays, results.
 *
 * Names become numbers here, so that a wrong name is found before anything runs. Called by drill_parse.c.
 * Tests: tests/unit/drill/test_drill_parse.c. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include "drill/drill_script.h"

static struct dexpr *expr_or(struct dparse *d);

static struct dexpr *expr_new(struct dparse *d, enum dexpr_kind kind)
{
	struct dexpr *x = darena_get(&d->sc->mem, sizeof(*x));

	x->kind = kind;
	x->line = d->line;
	return x;
}

static struct dexpr *expr_int(struct dparse *d, int64_t v)
{
	struct dexpr *x = expr_new(d, DX_INT);

	x->v = v;
	return x;
}

static struct dexpr *fail(struct dparse *d, const char *what)
{
	dp_fail(d, "%s", what);
	return NULL;
}

/* ---- lists and structures ---- */

struct items {
	struct dexpr **item, **arg;
	const char **name;
	uint32_t n, room;
};

static bool items_grow(struct dparse *d, struct items *it)
{
	struct items old = *it;

	if (it->n < it->room)
		return true;
	if (it->n >= DRILL_MAX_ITEMS)
		return dp_fail(d, "more than %u items in a list", DRILL_MAX_ITEMS);
	it->room = old.room ? old.room * 2 : 8;
	it->item = darena_get(&d->sc->mem, it->room * sizeof(*it->item));
	it->arg = darena_get(&d->sc->mem, it->room * sizeof(*it->arg));
	it->name = darena_get(&d->sc->mem, it->room * sizeof(*it->name));
	if (old.n) {
		memcpy(it->item, old.item, old.n * sizeof(*it->item));
		memcpy(it->arg, old.arg, old.n * sizeof(*it->arg));
		memcpy(it->name, old.name, old.n * sizeof(*it->name));
	}
	return true;
}

static struct dexpr *items_done(struct dparse *d, enum dexpr_kind kind, const struct items *it)
{
	struct dexpr *x = expr_new(d, kind);

	x->n = it->n;
	x->item = it->item;
	x->name = it->name;
	x->arg = it->arg;
	return x;
}

static struct dexpr *parse_list(struct dparse *d)
{
	struct items it = { 0 };

	while (!dp_take(d, "]")) {
		if (it.n && !dp_expect(d, ","))
			return NULL;
		if (it.n && dp_take(d, "]")) /* a comma at the end */
			break;
		if (!items_grow(d, &it) || !(it.item[it.n] = expr_or(d)))
			return NULL;
		it.n++;
	}
	return items_done(d, DX_LIST, &it);
}

/* "name=", "name(arg)=" in front of a structure's field. */
static bool field_name(struct dparse *d, const char **name, struct dexpr **arg)
{
	struct dparse at = *d;
	size_t n = dp_word(&at);
	const char *w = at.p;
	uint32_t depth = 0;

	if (!n)
		return true;
	at.p += n;
	if (dp_is(&at, "(")) {
		do {
			depth += *at.p == '(';
			depth -= *at.p == ')';
			at.p++;
		} while (depth && at.p < at.end);
	}
	if (!dp_is(&at, "=") || dp_is(&at, "=="))
		return !at.failed;
	*name = darena_str(&d->sc->mem, w, n);
	dp_word(d);
	d->p += n;
	if (dp_take(d, "(") && (!(*arg = expr_or(d)) || !dp_expect(d, ")")))
		return false;
	return dp_expect(d, "=");
}

static struct dexpr *parse_struct(struct dparse *d)
{
	struct items it = { 0 };

	while (!dp_take(d, "}")) {
		if (it.n && !dp_expect(d, ","))
			return NULL;
		if (dp_take(d, "}")) /* a comma at the end */
			break;
		if (!items_grow(d, &it))
			return NULL;
		it.name[it.n] = NULL;
		if (!field_name(d, &it.name[it.n], &it.arg[it.n]) || !(it.item[it.n] = expr_or(d)))
			return NULL;
		it.n++;
	}
	return items_done(d, DX_STRUCT, &it);
}

/* ---- functions of C's headers ---- */

static struct dexpr *parse_function(struct dparse *d, const char *name, size_t n)
{
	struct dexpr *x, *r;
	uint32_t ip;

	if (!dp_expect(d, "(") || !(x = expr_or(d)))
		return NULL;
	if (n == 9 && !memcmp(name, "inet_pton", 9)) {
		if (!dp_expect(d, ",") || !(x = expr_or(d)))
			return NULL;
		/* "inet_pton(AF_INET6, "::1", &sin6_addr)": where it goes says the field's name. */
		if (dp_take(d, ",")) {
			dp_take(d, "&");
			d->p += dp_word(d);
		}
	}
	if (!dp_expect(d, ")"))
		return NULL;
	if (x->kind == DX_DOTS)
		return x; /* htons(...): any */
	if (x->kind == DX_INT && n == 5 && (!memcmp(name, "htons", 5) || !memcmp(name, "ntohs", 5)))
		return expr_int(d, htons((uint16_t)x->v));
	if (x->kind == DX_INT && n == 5 && (!memcmp(name, "htonl", 5) || !memcmp(name, "ntohl", 5)))
		return expr_int(d, htonl((uint32_t)x->v));
	if (x->kind == DX_STR && ((n == 9 && !memcmp(name, "inet_addr", 9)) || (n == 9 && !memcmp(name, "inet_pton", 9)))) {
		const char *text = !strcmp(x->s, "::") ? "0.0.0.0" : !strncasecmp(x->s, "::ffff:", 7) ? x->s + 7 : x->s;

		if (strchr(text, ':')) {
			dp_unsupported(d, "it needs IPv6, which culver has not");
			return NULL;
		}
		if (ip4_parse(text, &ip))
			return fail(d, "not an IPv4 address");
		r = expr_int(d, htonl(ip));
		r->addr = true;
		return r;
	}
	dp_fail(d, "'%.*s' is not a function of this kind of value", (int)min_sz(n, 40), name);
	return NULL;
}

/* ---- operands ---- */

static struct dexpr *parse_string(struct dparse *d)
{
	struct dexpr *x = expr_new(d, DX_STR);
	size_t len;

	if (!dp_string(d, &x->s, &len))
		return NULL;
	x->v = (int64_t)len;
	x->dots = dp_take(d, "...");
	return x;
}

static struct dexpr *parse_macro(struct dparse *d, const struct ddefine *m, size_t n)
{
	struct dparse sub = *d;
	struct dexpr *x;

	if (d->depth >= DRILL_MAX_DEPTH)
		return fail(d, "macros that name each other");
	sub.p = m->value;
	sub.end = m->value + strlen(m->value);
	sub.depth++;
	x = expr_or(&sub);
	if (!x || dp_peek(&sub)) {
		if (!sub.failed)
			dp_fail(&sub, "the macro %s is not an expression", m->name);
		d->failed = true;
		d->unsupported = sub.unsupported;
		return NULL;
	}
	d->p += n;
	return x;
}

static struct dexpr *parse_name(struct dparse *d)
{
	size_t n = dp_word(d);
	const struct ddefine *m = dconf_define(&d->sc->conf, d->p, n);
	const char *name = d->p;
	struct dparse at = *d;
	int64_t v;

	if (m)
		return parse_macro(d, m, n);
	if (n == 4 && !memcmp(name, "NULL", 4)) {
		d->p += n;
		return expr_new(d, DX_NULL);
	}
	if (n == 6 && !memcmp(name, "struct", 6))
		return fail(d, "syntax error: structures are written without their type");
	at.p += n;
	if (!dsym_find(name, n, &v) && dp_is(&at, "(")) {
		d->p += n;
		return parse_function(d, name, n);
	}
	return dp_number(d, &v) ? expr_int(d, v) : NULL;
}

static struct dexpr *parse_primary(struct dparse *d)
{
	char c = dp_peek(d);
	struct dexpr *x;
	int64_t v;

	if (dp_take(d, "..."))
		return expr_new(d, DX_DOTS);
	if (c == '"')
		return parse_string(d);
	if (dp_take(d, "["))
		return parse_list(d);
	if (dp_take(d, "{"))
		return parse_struct(d);
	if (dp_take(d, "&"))
		return expr_or(d);
	if (dp_take(d, "(")) {
		x = expr_or(d);
		return x && dp_expect(d, ")") ? x : NULL;
	}
	if (c >= '0' && c <= '9') {
		bool hex = d->p + 1 < d->end && d->p[1] == 'x';

		if (!dp_number(d, &v))
			return NULL;
		x = expr_int(d, v);
		x->is_hex = hex;
		return x;
	}
	if (dp_word(d))
		return parse_name(d);
	return fail(d, c ? "syntax error: expected an expression" : "syntax error: the file ends within an expression");
}

static struct dexpr *parse_unary(struct dparse *d)
{
	char c = dp_peek(d);
	struct dexpr *x;

	if (c != '-' && c != '~' && c != '+' && c != '!')
		return parse_primary(d);
	d->p++;
	x = parse_primary(d);
	if (!x)
		return NULL;
	if (x->kind != DX_INT)
		return fail(d, "a sign in front of what is no number");
	x->v = c == '-' ? (int64_t)(0u - (uint64_t)x->v) : c == '~' ? ~x->v : c == '!' ? !x->v : x->v;
	return x;
}

/* ---- operators, loosest first: | & << >> + - * / ---- */

static const char *const levels[][3] = { { "|", NULL }, { "^", NULL }, { "&", NULL }, { "<<", ">>", NULL }, { "+", "-", NULL }, { "*", "/", NULL } };

static bool apply(struct dparse *d, char op, struct dexpr *a, const struct dexpr *b)
{
	uint64_t x = (uint64_t)a->v, y = (uint64_t)b->v;

	if (a->kind != DX_INT || b->kind != DX_INT)
		return dp_fail(d, "'%c' between what are no numbers", op);
	if (op == '/' && (!b->v || b->v == -1))
		return dp_fail(d, "division by %d", (int)b->v);
	a->v = op == '|' ? (int64_t)(x | y) : op == '^' ? (int64_t)(x ^ y) : op == '&' ? (int64_t)(x & y)
	     : op == '<' ? (int64_t)(x << (y & 63)) : op == '>' ? a->v >> (y & 63) : op == '+' ? (int64_t)(x + y)
	     : op == '-' ? (int64_t)(x - y) : op == '*' ? (int64_t)(x * y) : a->v / b->v;
	return true;
}

static struct dexpr *parse_level(struct dparse *d, size_t level)
{
	struct dexpr *x, *y;

	if (level == ARRAY_SIZE(levels))
		return parse_unary(d);
	x = parse_level(d, level + 1);
	while (x) {
		const char *op = NULL;

		for (size_t i = 0; levels[level][i]; i++)
			if (dp_is(d, levels[level][i]))
				op = levels[level][i];
		if (!op)
			return x;
		d->p += strlen(op);
		y = parse_level(d, level + 1);
		if (!y || !apply(d, op[0], x, y))
			return NULL;
	}
	return NULL;
}

static struct dexpr *expr_or(struct dparse *d)
{
	struct dexpr *x;

	if (d->depth >= DRILL_MAX_DEPTH)
		return fail(d, "an expression that is nested too deep");
	d->depth++;
	x = parse_level(d, 0);
	d->depth--;
	return x;
}

struct dexpr *dp_expr(struct dparse *d)
{
	return expr_or(d);
}

/* ---- calls ---- */

static bool parse_args(struct dparse *d, struct dcall *c)
{
	struct items it = { 0 };

	if (!dp_expect(d, "("))
		return false;
	while (!dp_take(d, ")")) {
		if (it.n && !dp_expect(d, ","))
			return false;
		if (!items_grow(d, &it) || !(it.item[it.n] = expr_or(d)))
			return false;
		it.n++;
	}
	c->n_args = it.n;
	c->arg = it.item;
	return true;
}

/* "(Broken pipe)", "(flags O_RDWR|O_NONBLOCK)": for people. */
static bool skip_note(struct dparse *d)
{
	if (!dp_take(d, "("))
		return true;
	for (; d->p < d->end && *d->p != ')'; d->p++)
		d->line += *d->p == '\n';
	return dp_expect(d, ")");
}

/* No sums: a "+" begins the next event. */
static struct dexpr *parse_result(struct dparse *d)
{
	struct dexpr *x = parse_unary(d), *y;

	while (x && dp_take(d, "|")) {
		y = parse_unary(d);
		if (!y || !apply(d, '|', x, y))
			return NULL;
	}
	return x;
}

bool dp_call(struct dparse *d, struct dcall **out)
{
	struct dcall *c = darena_get(&d->sc->mem, sizeof(*c));
	size_t n = dp_word(d);

	*out = c;
	c->name = darena_str(&d->sc->mem, d->p, n);
	d->p += n;
	if (!parse_args(d, c))
		return false;
	if (!dp_take(d, "=")) { /* without a result: any */
		c->result = expr_new(d, DX_DOTS);
		return true;
	}
	c->result = parse_result(d);
	if (!c->result)
		return false;
	if (c->result->kind != DX_INT && c->result->kind != DX_DOTS)
		return dp_fail(d, "the result of a system call is a number, or ... for any");
	n = dp_word(d);
	if (n) {
		c->err = dsym_errno(d->p, n);
		if (!c->err)
			return dp_fail(d, "unknown errno: '%.*s'", (int)min_sz(n, 40), d->p);
		d->p += n;
	}
	return skip_note(d);
}

/* The Python that scripts use: assert, print, assignments; comparisons that chain, arithmetic, and, or, not, in,
 * conditional expressions, a few functions.
 *
 * Decides what is beyond it (loops, definitions, imports, methods): that is then Python's own, see drill_code.c. Statements run as
 * they are read. Called by drill_code.c. Tests: tests/packet/code, tests/unit/drill/test_drill_eval.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "drill/drill_code.h"

#define EVAL_MAX_DEPTH 64u

struct eval {
	struct drill_code *c;
	const char *p;
	uint32_t line, depth, parens;
	bool off;          /* read, do not compute: the side that does not count */
	enum deval_result r;
	struct strbuf *out, *why;
};

static struct dval expr(struct eval *e);

static struct dval number(int64_t i)
{
	return (struct dval){ .kind = DVAL_INT, .i = i };
}

static struct dval yes_no(bool yes)
{
	return (struct dval){ .kind = DVAL_INT, .truth = true, .i = yes };
}

static struct dval real(double f)
{
	return (struct dval){ .kind = DVAL_FLOAT, .f = f };
}

static struct dval stop(struct eval *e, enum deval_result r, const char *why, const char *what, size_t len)
{
	if (e->r == DEVAL_OK) {
		e->r = r;
		sb_printf(e->why, "%s%.*s", why, (int)len, what);
	}
	return number(0);
}

static struct dval beyond(struct eval *e)
{
	return stop(e, DEVAL_BEYOND, "", "", 0);
}

/* ---- characters ---- */

static void blanks(struct eval *e)
{
	for (;; e->p++) {
		if (*e->p == '#')
			e->p += strcspn(e->p, "\n");
		if (*e->p == '\\' && e->p[1] == '\n') {
			e->p++;
			e->line++;
			continue;
		}
		if (*e->p == '\n' && e->parens) {
			e->line++;
			continue;
		}
		if (*e->p != ' ' && *e->p != '\t' && *e->p != '\r')
			return;
	}
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
}

static size_t word(struct eval *e)
{
	size_t n = 0;

	blanks(e);
	if (*e->p >= '0' && *e->p <= '9')
		return 0;
	while (is_word(e->p[n]))
		n++;
	return n;
}

static bool take_word(struct eval *e, const char *w)
{
	size_t n = word(e);

	if (n != strlen(w) || memcmp(e->p, w, n) != 0)
		return false;
	e->p += n;
	return true;
}

/* An operator, and not a longer one that begins with it. */
static bool take(struct eval *e, const char *op)
{
	size_t n = strlen(op);

	blanks(e);
	if (strncmp(e->p, op, n) != 0)
		return false;
	if (n == 1 && strchr("<>*/=!", *op) && (e->p[1] == '=' || (e->p[1] == *op && *op != '!' && *op != '=')))
		return false;
	if (n == 1 && strchr("+-%|&^", *op) && e->p[1] == '=')
		return false;
	if (n == 2 && (op[1] == '<' || op[1] == '>' || op[1] == '/' || op[1] == '*') && e->p[2] == '=')
		return false;
	e->p += n;
	return true;
}

/* ---- arithmetic ---- */

static struct dval power(struct eval *e, double a, double b)
{
	double r = 1;

	if (b != dval_floor(b) || b > 1000 || b < -1000)
		return beyond(e);
	for (double i = b < 0 ? -b : b; i > 0; i--)
		r *= a;
	return real(b < 0 ? 1 / r : r);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	int64_t q = a / b;

	return (a % b != 0 && (a < 0) != (b < 0)) ? q - 1 : q;
}

static struct dval arith_real(struct eval *e, char op, double a, double b)
{
	if ((op == '/' || op == '%' || op == 'd') && b == 0)
		return stop(e, DEVAL_ERROR, "ZeroDivisionError: division by zero", "", 0);
	switch (op) {
	case '+': return real(a + b);
	case '-': return real(a - b);
	case '*': return real(a * b);
	case '/': return real(a / b);
	case 'd': return real(dval_floor(a / b));
	case '%': return real(a - b * dval_floor(a / b));
	case 'p': return power(e, a, b);
	default: return beyond(e);
	}
}

static struct dval arith_int(struct eval *e, char op, int64_t a, int64_t b)
{
	int64_t r;
	bool over = false;

	if ((op == '/' || op == 'd' || op == '%') && !b)
		return stop(e, DEVAL_ERROR, "ZeroDivisionError: division by zero", "", 0);
	switch (op) {
	case '+': over = __builtin_add_overflow(a, b, &r); break;
	case '-': over = __builtin_sub_overflow(a, b, &r); break;
	case '*': over = __builtin_mul_overflow(a, b, &r); break;
	case '/': return real((double)a / (double)b);
	case 'd': over = b == -1; r = over ? 0 : floor_div(a, b); break;
	case '%': over = b == -1; r = over ? 0 : a - b * floor_div(a, b); break;
	case '&': r = a & b; break;
	case '|': r = a | b; break;
	case '^': r = a ^ b; break;
	case '<': over = b < 0 || b > 62 || (a > 0 ? a > INT64_MAX >> b : a < INT64_MIN >> b); r = over ? 0 : (int64_t)((uint64_t)a << b); break;
	case '>': over = b < 0 || b > 63; r = over ? 0 : a >> b; break;
	default: over = true; r = 0; break;
	}
	return over ? beyond(e) : number(r);
}

/* "%d of %s" % (1, "x"): enough of it for messages. */
static struct dval format(struct eval *e, const char *f, const struct dval *v)
{
	const struct dval *item = v->kind == DVAL_LIST ? v->item : v;
	uint32_t n = v->kind == DVAL_LIST ? v->n : 1, at = 0;
	struct strbuf sb;
	struct dval r = { .kind = DVAL_STR };

	sb_init(&sb);
	for (; *f; f++) {
		if (*f != '%') {
			sb_putc(&sb, *f);
		} else if (f[1] == '%') {
			sb_putc(&sb, *f++);
		} else {
			f += 1 + strspn(f + 1, "-+ #0123456789.l");
			if (at < n && *f)
				dval_show(&sb, &item[at++]);
			if (!*f)
				break;
		}
	}
	r.s = darena_str(&e->c->mem, sb_str(&sb), sb.len);
	sb_free(&sb);
	return r;
}

static struct dval join(struct eval *e, const struct dval *a, const struct dval *b)
{
	struct strbuf sb;
	struct dval r = { .kind = DVAL_STR };

	sb_init(&sb);
	sb_puts(&sb, a->s);
	sb_puts(&sb, b->s);
	r.s = darena_str(&e->c->mem, sb_str(&sb), sb.len);
	sb_free(&sb);
	return r;
}

static struct dval arith(struct eval *e, char op, const struct dval *a, const struct dval *b)
{
	if (e->off || e->r != DEVAL_OK)
		return number(0);
	if (op == '%' && a->kind == DVAL_STR)
		return format(e, a->s, b);
	if (op == '+' && a->kind == DVAL_STR && b->kind == DVAL_STR)
		return join(e, a, b);
	if (!dval_numeric(a) || !dval_numeric(b))
		return stop(e, DEVAL_ERROR, "TypeError: arithmetic on what are no numbers", "", 0);
	if (a->kind == DVAL_FLOAT || b->kind == DVAL_FLOAT || (op == 'p' && b->i < 0))
		return arith_real(e, op, dval_real(a), dval_real(b));
	if (op == 'p') {
		struct dval r = number(1);

		for (int64_t i = 0; i < b->i && i < 64 && e->r == DEVAL_OK; i++)
			r = arith_int(e, '*', r.i, a->i);
		return b->i > 63 ? beyond(e) : r;
	}
	return arith_int(e, op, a->i, b->i);
}

/* ---- operands ---- */

static struct dval string(struct eval *e)
{
	char q = *e->p++;
	const char *from = e->p;
	struct dval v = { .kind = DVAL_STR };
	char *s;
	size_t n = 0;

	if (from[0] == q && from[1] == q)
		return beyond(e);
	while (*e->p && *e->p != q && *e->p != '\n')
		e->p += e->p[0] == '\\' && e->p[1] ? 2 : 1;
	if (*e->p != q)
		return beyond(e);
	s = darena_get(&e->c->mem, (size_t)(e->p - from) + 1);
	for (const char *p = from; p < e->p; p++) {
		if (*p == '\\' && p + 1 < e->p) {
			p++;
			s[n++] = *p == 'n' ? '\n' : *p == 't' ? '\t' : *p;
		} else {
			s[n++] = *p;
		}
	}
	e->p++;
	v.s = s;
	return v;
}

static struct dval numeral(struct eval *e)
{
	char *end;
	unsigned long long u;
	size_t n = strspn(e->p, "0123456789");
	bool hex = e->p[0] == '0' && (e->p[1] == 'x' || e->p[1] == 'X');

	if (!hex && (e->p[n] == '.' || e->p[n] == 'e' || e->p[n] == 'E')) {
		double f = strtod(e->p, &end);

		e->p = end;
		return real(f);
	}
	u = strtoull(e->p, &end, hex ? 16 : 10);
	e->p = end;
	if (*e->p == 'L' || *e->p == 'l')
		e->p++;
	return u > INT64_MAX || is_word(*e->p) ? beyond(e) : number((int64_t)u);
}

/* Items to the closing bracket. one: (x) is x. */
static struct dval items(struct eval *e, const char *close, bool one)
{
	struct dval v = { .kind = DVAL_LIST }, x;
	bool comma = false;

	v.item = darena_get(&e->c->mem, DVAL_MAX_ITEMS * sizeof(*v.item));
	e->parens++;
	while (!take(e, close) && e->r == DEVAL_OK) {
		if (v.n == DVAL_MAX_ITEMS || (v.n && !comma)) {
			beyond(e);
			break;
		}
		x = expr(e);
		v.item[v.n++] = x;
		comma = take(e, ",");
	}
	e->parens--;
	return one && v.n == 1 && !comma ? v.item[0] : v;
}

static struct dval call(struct eval *e, const char *name, size_t n)
{
	struct dval a = items(e, ")", false), r;
	struct strbuf sb;

#define IS(w) (n == strlen(w) && !memcmp(name, w, n))
	if (e->r != DEVAL_OK || e->off)
		return number(0);
	if ((IS("min") || IS("max")) && a.n) {
		if (a.n == 1 && a.item[0].kind == DVAL_LIST && a.item[0].n)
			a = a.item[0];
		r = a.item[0];
		for (uint32_t i = 1; i < a.n; i++)
			if (dval_compare(&a.item[i], &r) == (name[1] == 'i' ? -1 : 1))
				r = a.item[i];
		return r;
	}
	if (a.n != 1)
		return beyond(e);
	r = a.item[0];
	if (IS("abs") && dval_numeric(&r) && !(r.kind == DVAL_INT && r.i == INT64_MIN))
		return r.kind == DVAL_INT ? number(r.i < 0 ? -r.i : r.i) : real(dval_magnitude(&r));
	if (IS("int") && dval_numeric(&r) && dval_magnitude(&r) < 9e18)
		return number(r.kind == DVAL_INT ? r.i : (int64_t)r.f);
	if (IS("round") && dval_numeric(&r) && dval_magnitude(&r) < 9e18)
		return number(r.kind == DVAL_INT ? r.i : (int64_t)dval_floor(r.f + 0.5));
	if (IS("float") && dval_numeric(&r))
		return real(dval_real(&r));
	if (IS("bool"))
		return yes_no(dval_truth(&r));
	if (IS("len") && (r.kind == DVAL_LIST || r.kind == DVAL_STR))
		return number(r.kind == DVAL_LIST ? (int64_t)r.n : (int64_t)strlen(r.s));
	if (IS("str") || IS("repr")) {
		struct dval v = { .kind = DVAL_STR };

		sb_init(&sb);
		dval_show(&sb, &r);
		v.s = darena_str(&e->c->mem, sb_str(&sb), sb.len);
		sb_free(&sb);
		return v;
	}
	return beyond(e);
#undef IS
}

static struct dval primary(struct eval *e)
{
	size_t n = word(e);
	const char *name = e->p;
	struct dval v;

	if (*e->p == '"' || *e->p == '\'')
		return string(e);
	if (*e->p == '(') {
		e->p++;
		return items(e, ")", true);
	}
	if (*e->p == '[') {
		e->p++;
		return items(e, "]", false);
	}
	if ((*e->p >= '0' && *e->p <= '9') || (*e->p == '.' && e->p[1] >= '0' && e->p[1] <= '9'))
		return numeral(e);
	if (!n)
		return beyond(e);
	e->p += n;
	if (*e->p == '(') {
		e->p++;
		return call(e, name, n);
	}
	if (*e->p == '.' || *e->p == '[' || *e->p == '"' || *e->p == '\'')
		return beyond(e);
	if (!drill_code_lookup(e->c, name, n, &v) && !e->off)
		return stop(e, DEVAL_ERROR, "NameError: there is no name ", name, n);
	return v;
}

static struct dval unary(struct eval *e)
{
	struct dval v;
	char op;

	if (++e->depth > EVAL_MAX_DEPTH) {
		e->depth--;
		return beyond(e);
	}
	blanks(e);
	op = *e->p;
	if (op == '-' || op == '+' || op == '~') {
		struct dval zero = number(0), all = number(-1);

		e->p++;
		v = unary(e);
		v = op == '-' ? arith(e, '-', &zero, &v) : op == '~' ? arith(e, '^', &all, &v) : v;
	} else {
		v = primary(e);
		if (take(e, "**")) {
			struct dval x = unary(e);

			v = arith(e, 'p', &v, &x);
		}
	}
	e->depth--;
	return v;
}

/* ---- operators, tightest first ---- */

static const struct level {
	struct { const char *op; char code; } op[4];
} levels[] = {
	{ { { "*", '*' }, { "//", 'd' }, { "/", '/' }, { "%", '%' } } },
	{ { { "+", '+' }, { "-", '-' } } },
	{ { { "<<", '<' }, { ">>", '>' } } },
	{ { { "&", '&' } } },
	{ { { "^", '^' } } },
	{ { { "|", '|' } } },
};

static struct dval binary(struct eval *e, size_t level)
{
	struct dval a = level ? binary(e, level - 1) : unary(e), b;

	for (bool more = true; more && e->r == DEVAL_OK;) {
		more = false;
		for (size_t i = 0; i < ARRAY_SIZE(levels[level].op) && levels[level].op[i].op && !more; i++) {
			if (!take(e, levels[level].op[i].op))
				continue;
			b = level ? binary(e, level - 1) : unary(e);
			a = arith(e, levels[level].op[i].code, &a, &b);
			more = true;
		}
	}
	return a;
}

static bool contains(struct eval *e, const struct dval *list, const struct dval *x)
{
	if (list->kind == DVAL_STR && x->kind == DVAL_STR)
		return strstr(list->s, x->s) != NULL;
	if (list->kind != DVAL_LIST) {
		stop(e, DEVAL_ERROR, "TypeError: 'in' what is no list", "", 0);
		return false;
	}
	for (uint32_t i = 0; i < list->n; i++)
		if (dval_compare(&list->item[i], x) == 0)
			return true;
	return false;
}

enum cmp { CMP_NONE, CMP_LT, CMP_LE, CMP_GT, CMP_GE, CMP_EQ, CMP_NE, CMP_IN, CMP_NOT_IN };

static enum cmp cmp_op(struct eval *e)
{
	const char *at;

	if (take(e, "<="))
		return CMP_LE;
	if (take(e, ">="))
		return CMP_GE;
	if (take(e, "==") || take_word(e, "is"))
		return CMP_EQ;
	if (take(e, "!=") || take(e, "<>"))
		return CMP_NE;
	if (take(e, "<"))
		return CMP_LT;
	if (take(e, ">"))
		return CMP_GT;
	if (take_word(e, "in"))
		return CMP_IN;
	at = e->p;
	if (take_word(e, "not")) {
		if (take_word(e, "in"))
			return CMP_NOT_IN;
		e->p = at;
	}
	return CMP_NONE;
}

static bool holds(struct eval *e, enum cmp op, const struct dval *a, const struct dval *b)
{
	int c;

	if (e->off || e->r != DEVAL_OK)
		return true;
	if (op == CMP_IN || op == CMP_NOT_IN)
		return contains(e, b, a) == (op == CMP_IN);
	c = dval_compare(a, b);
	if (op == CMP_EQ || op == CMP_NE)
		return (c == 0) == (op == CMP_EQ);
	if (c == 2)
		stop(e, DEVAL_ERROR, "TypeError: these cannot be compared", "", 0);
	return op == CMP_LT ? c < 0 : op == CMP_LE ? c <= 0 : op == CMP_GT ? c > 0 : c >= 0;
}

/* a < b <= c */
static struct dval comparison(struct eval *e)
{
	struct dval a = binary(e, ARRAY_SIZE(levels) - 1), b;
	bool yes = true, any = false;
	enum cmp op;

	while (e->r == DEVAL_OK && (op = cmp_op(e)) != CMP_NONE) {
		if (op == CMP_EQ && take_word(e, "not"))
			op = CMP_NE; /* is not */
		b = binary(e, ARRAY_SIZE(levels) - 1);
		yes = yes && holds(e, op, &a, &b);
		any = true;
		a = b;
	}
	return any ? yes_no(yes) : a;
}

static struct dval negation(struct eval *e)
{
	struct dval v;

	if (!take_word(e, "not"))
		return comparison(e);
	if (++e->depth > EVAL_MAX_DEPTH)
		v = beyond(e);
	else
		v = negation(e);
	e->depth--;
	return yes_no(!dval_truth(&v));
}

static struct dval logic(struct eval *e, bool is_or)
{
	struct dval a = is_or ? logic(e, false) : negation(e), b;
	bool was = e->off;

	while (e->r == DEVAL_OK && take_word(e, is_or ? "or" : "and")) {
		bool keep = dval_truth(&a) == is_or;

		e->off = was || keep;
		b = is_or ? logic(e, false) : negation(e);
		e->off = was;
		a = keep ? a : b;
	}
	return a;
}

static struct dval expr(struct eval *e)
{
	struct dval a, cond, b;
	const char *from;
	bool was = e->off;

	if (++e->depth > EVAL_MAX_DEPTH) {
		e->depth--;
		return beyond(e);
	}
	blanks(e);
	from = e->p;
	a = logic(e, true);
	if (e->r == DEVAL_OK && take_word(e, "if")) {
		cond = logic(e, true);
		if (!take_word(e, "else"))
			beyond(e);
		e->off = was || dval_truth(&cond);
		b = expr(e);
		e->off = was;
		a = dval_truth(&cond) ? a : b;
	}
	(void)from;
	e->depth--;
	return a;
}

/* a, b, c: a tuple without brackets. */
static struct dval tuple(struct eval *e)
{
	struct dval a = expr(e), v = { .kind = DVAL_LIST };

	if (e->r != DEVAL_OK || !take(e, ","))
		return a;
	v.item = darena_get(&e->c->mem, DVAL_MAX_ITEMS * sizeof(*v.item));
	v.item[v.n++] = a;
	for (blanks(e); e->r == DEVAL_OK && v.n < DVAL_MAX_ITEMS && *e->p && *e->p != '\n' && *e->p != ';'; blanks(e)) {
		v.item[v.n++] = expr(e);
		if (!take(e, ","))
			break;
	}
	return v;
}

/* ---- statements ---- */

static void do_assert(struct eval *e)
{
	const char *from, *end;
	struct dval v, m = { .kind = DVAL_NONE };
	bool said;

	blanks(e);
	from = e->p;
	v = expr(e);
	end = e->p;
	said = take(e, ",");
	if (said)
		m = tuple(e);
	if (e->r != DEVAL_OK || dval_truth(&v))
		return;
	e->r = DEVAL_FALSE;
	while (end > from && (end[-1] == ' ' || end[-1] == '\n'))
		end--;
	sb_printf(e->why, "assertion failed: %.*s", (int)(end - from), from);
	if (said) {
		sb_puts(e->why, ": ");
		dval_show(e->why, &m);
	}
}

static void do_print(struct eval *e)
{
	struct dval v = { .kind = DVAL_LIST };

	blanks(e);
	if (*e->p && *e->p != '\n' && *e->p != ';')
		v = tuple(e);
	if (e->r != DEVAL_OK)
		return;
	if (v.kind != DVAL_LIST)
		dval_show(e->out, &v);
	for (uint32_t i = 0; v.kind == DVAL_LIST && i < v.n; i++) {
		sb_puts(e->out, i ? " " : "");
		dval_show(e->out, &v.item[i]);
	}
	sb_putc(e->out, '\n');
}

static void assign(struct eval *e, const char *name, size_t n, struct dval v)
{
	struct dvar *x;

	for (x = e->c->vars; x; x = x->next)
		if (strlen(x->name) == n && !memcmp(x->name, name, n))
			break;
	if (!x) {
		x = darena_get(&e->c->mem, sizeof(*x));
		x->name = darena_str(&e->c->mem, name, n);
		x->next = e->c->vars;
		e->c->vars = x;
	}
	x->v = v;
}

/* name = tuple, name += expr; false: it is none. */
static bool assignment(struct eval *e)
{
	static const char ops[] = "+-*/%&|";
	size_t n = word(e);
	const char *name = e->p, *at = e->p + n;
	char op = 0;
	struct dval v, old;

	if (!n)
		return false;
	while (*at == ' ' || *at == '\t')
		at++;
	if (*at && strchr(ops, *at) && at[1] == '=')
		op = *at++;
	if (*at != '=' || at[1] == '=')
		return false;
	e->p = at + 1;
	v = tuple(e);
	if (e->r == DEVAL_OK && op) {
		if (!drill_code_lookup(e->c, name, n, &old))
			stop(e, DEVAL_ERROR, "NameError: there is no name ", name, n);
		else
			v = arith(e, op, &old, &v);
	}
	if (e->r == DEVAL_OK)
		assign(e, name, n, v);
	return true;
}

static void statement(struct eval *e)
{
	static const char *const more[] = { "if", "for", "while", "def", "import", "from", "try", "with", "class", "lambda", "return", "del", "global", "exec", "raise" };

	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		if (word(e) == strlen(more[i]) && !memcmp(e->p, more[i], strlen(more[i]))) {
			beyond(e);
			return;
		}
	if (take_word(e, "assert"))
		do_assert(e);
	else if (take_word(e, "print"))
		do_print(e);
	else if (!take_word(e, "pass") && !assignment(e))
		tuple(e);
	blanks(e);
	if (e->r == DEVAL_OK && *e->p && *e->p != '\n' && *e->p != ';')
		beyond(e);
}

enum deval_result drill_eval(struct drill_code *c, const char *text, struct strbuf *out, struct strbuf *why, uint32_t *line)
{
	struct eval e = { .c = c, .p = text, .line = 0, .out = out, .why = why };

	for (;;) {
		e.p += strspn(e.p, " \t\r;");
		if (*e.p == '\n') {
			e.p++;
			e.line++;
			continue;
		}
		if (*e.p == '#') {
			e.p += strcspn(e.p, "\n");
			continue;
		}
		if (!*e.p)
			break;
		*line = e.line;
		statement(&e);
		if (e.r != DEVAL_OK)
			break;
	}
	return e.r;
}

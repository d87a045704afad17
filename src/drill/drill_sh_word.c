/* What a word of the shell becomes: parameters, commands' output, sums, quotes taken off, split at blanks; and patterns.
 *
 * Decides nothing else. Names of files are not expanded. Called by drill_sh.c. POSIX.1-2008 XCU 2.6. Tests: tests/unit/drill/test_drill_shell.c. */
#include <stdlib.h>
#include <string.h>
#include "drill/drill_sh.h"

/* ---- parameters ---- */

static const struct shvar *find(const struct shell *s, const char *name, size_t len)
{
	for (const struct shvar *v = s->vars; v; v = v->next)
		if (strlen(v->name) == len && !memcmp(v->name, name, len))
			return v;
	return NULL;
}

void sh_set(struct shell *s, const char *name, size_t len, const char *value)
{
	struct shvar *v = darena_get(&s->d->sc.mem, sizeof(*v));

	v->name = sh_keep(s, name, len);
	v->value = value;
	v->tainted = s->tainted;
	v->next = s->vars;
	s->vars = v;
}

static bool name_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

static size_t name_len(const char *p)
{
	size_t n = 0;

	if (*p >= '0' && *p <= '9') {
		while (p[n] >= '0' && p[n] <= '9')
			n++;
		return n;
	}
	while (name_char(p[n], n == 0))
		n++;
	return n ? n : *p && strchr("@*#?$!-", *p) ? 1 : 0;
}

static char *decimal(struct shell *s, long long v)
{
	struct strbuf sb;
	char *r;

	sb_init(&sb);
	sb_printf(&sb, "%lld", v);
	r = sh_keep(s, sb_str(&sb), sb.len);
	sb_free(&sb);
	return r;
}

static const char *all_args(struct shell *s)
{
	struct strbuf sb;
	const char *r;

	sb_init(&sb);
	for (uint32_t i = 1; i < s->argc; i++)
		sb_printf(&sb, "%s%s", i > 1 ? " " : "", s->argv[i]);
	r = sh_keep(s, sb_str(&sb), sb.len);
	sb_free(&sb);
	return r;
}

/* NULL: not set. */
static const char *param(struct shell *s, const char *name, size_t n)
{
	const struct shvar *v;

	if (*name >= '0' && *name <= '9') {
		unsigned long i = strtoul(name, NULL, 10);

		return i < s->argc ? s->argv[i] : NULL;
	}
	if (n == 1 && (*name == '@' || *name == '*'))
		return all_args(s);
	if (n == 1 && *name == '#')
		return decimal(s, s->argc ? (long long)s->argc - 1 : 0);
	if (n == 1 && *name == '?')
		return decimal(s, s->status);
	if (n == 1 && strchr("$!-", *name))
		return *name == '-' ? "" : "1000";
	v = find(s, name, n);
	if (v) {
		s->tainted |= v->tainted;
		return v->value;
	}
	return n == 4 && !memcmp(name, "PPID", 4) ? "999" : n == 4 && !memcmp(name, "HOME", 4) ? "/" : n == 3 && !memcmp(name, "PWD", 3) ? "." : NULL;
}

/* ---- patterns ---- */

/* "[a-z]" at *p against c; *p moves behind it. */
static bool match_set(const char **p, char c)
{
	const char *q = *p + 1;
	bool no = *q == '!' || *q == '^', in = false;

	q += no;
	for (bool first = true; *q && (*q != ']' || first); first = false) {
		if (q[1] == '-' && q[2] && q[2] != ']') {
			in |= c >= q[0] && c <= q[2];
			q += 3;
		} else {
			in |= *q++ == c;
		}
	}
	*p = *q ? q + 1 : q;
	return in != no;
}

bool sh_match(const char *p, const char *t)
{
	const char *star = NULL, *back = NULL;

	for (;;) {
		const char *q = p;
		bool ok;

		if (*p == '*') {
			star = ++p;
			back = t;
			continue;
		}
		if (!*t && !*p)
			return true;
		if (*p == '[' && *t) {
			ok = match_set(&q, *t);
		} else {
			q += *p == '\\' && p[1];
			ok = *t && (*p == '?' || *q == *t);
			q += *q != '\0';
		}
		if (ok) {
			p = q;
			t++;
		} else if (star && *back) {
			p = star;
			t = ++back;
		} else {
			return false;
		}
	}
}

/* ${x#p} ${x##p} ${x%p} ${x%%p} */
static const char *trim(struct shell *s, const char *v, char op, bool longest, const char *pattern)
{
	size_t n = strlen(v);

	for (size_t k = 0; k <= n; k++) {
		size_t cut = longest ? n - k : k;
		char *part = op == '#' ? sh_keep(s, v, cut) : sh_keep(s, v + n - cut, cut);

		if (sh_match(pattern, part))
			return op == '#' ? v + cut : sh_keep(s, v, n - cut);
	}
	return v;
}

/* ${x/a/b}: of plain text. */
static const char *replace(struct shell *s, const char *v, const char *op)
{
	bool all = op[1] == '/';
	const char *from = op + 1 + all, *slash = strchr(from, '/'), *to = slash ? slash + 1 : "", *hit, *r;
	char *what = sh_expand_one(s, sh_keep(s, from, slash ? (size_t)(slash - from) : strlen(from)));
	struct strbuf sb;

	if (!*what)
		return v;
	to = sh_expand_one(s, to);
	sb_init(&sb);
	while ((hit = strstr(v, what)) != NULL) {
		sb_add(&sb, v, (size_t)(hit - v));
		sb_puts(&sb, to);
		v = hit + strlen(what);
		if (!all)
			break;
	}
	sb_puts(&sb, v);
	r = sh_keep(s, sb_str(&sb), sb.len);
	sb_free(&sb);
	return r;
}

/* The inside of ${...}. */
static const char *braced(struct shell *s, const char *in)
{
	bool length = *in == '#' && name_len(in + 1);
	const char *name = in + length, *v, *op;
	size_t n = name_len(name);
	bool colon;

	v = param(s, name, n);
	if (length)
		return decimal(s, v ? (long long)strlen(v) : 0);
	op = name + n;
	colon = *op == ':';
	op += colon;
	if (*op == '-' || *op == '=' || *op == '+' || *op == '?') {
		bool have = v && (!colon || *v);

		if (*op == '+')
			return have ? sh_expand_one(s, op + 1) : "";
		if (have)
			return v;
		v = sh_expand_one(s, op + 1);
		if (*op == '=')
			sh_set(s, name, n, v);
		return v;
	}
	if (v && (*op == '#' || *op == '%'))
		return trim(s, v, *op, op[1] == *op, sh_expand_one(s, op + 1 + (op[1] == *op)));
	return v && *op == '/' ? replace(s, v, op) : v;
}

/* ---- sums ---- */

struct arith {
	struct shell *s;
	const char *p;
	uint32_t depth;
};
static int64_t arith_level(struct arith *a, unsigned level);

static int64_t arith_value(struct arith *a)
{
	int64_t v;
	size_t n;

	a->p += strspn(a->p, " \t\n");
	if (++a->depth > SH_MAX_DEPTH)
		return 0;
	if (*a->p == '(') {
		a->p++;
		v = arith_level(a, 0);
		a->p += strspn(a->p, " \t\n");
		a->p += *a->p == ')';
	} else if (*a->p && strchr("-+!~", *a->p)) {
		char op = *a->p++;

		v = arith_value(a);
		v = op == '-' ? (int64_t)(0u - (uint64_t)v) : op == '!' ? !v : op == '~' ? ~v : v;
	} else if (*a->p >= '0' && *a->p <= '9') {
		v = strtoll(a->p, (char **)(uintptr_t)&a->p, 0);
	} else {
		a->p += *a->p == '$';
		n = name_len(a->p);
		v = n ? strtoll(param(a->s, a->p, n) ? param(a->s, a->p, n) : "0", NULL, 0) : 0;
		a->p += n ? n : *a->p != '\0';
	}
	a->depth--;
	return v;
}

static const char *const arith_ops[][5] = {
	{ "||" }, { "&&" }, { "|" }, { "^" }, { "&" }, { "==", "!=" }, { "<=", ">=", "<", ">" }, { "<<", ">>" }, { "+", "-" }, { "*", "/", "%" },
};

static int64_t arith_apply(const char *op, int64_t x, int64_t y)
{
	uint64_t a = (uint64_t)x, b = (uint64_t)y;

	switch (op[0]) {
	case '|': return op[1] ? x || y : (int64_t)(a | b);
	case '&': return op[1] ? x && y : (int64_t)(a & b);
	case '^': return (int64_t)(a ^ b);
	case '=': return x == y;
	case '!': return x != y;
	case '<': return op[1] == '<' ? (int64_t)(a << (b & 63)) : op[1] ? x <= y : x < y;
	case '>': return op[1] == '>' ? x >> (b & 63) : op[1] ? x >= y : x > y;
	case '+': return (int64_t)(a + b);
	case '-': return (int64_t)(a - b);
	case '*': return (int64_t)(a * b);
	default: return y == 0 || y == -1 ? (op[0] == '/' && y ? (int64_t)(0u - a) : 0) : op[0] == '/' ? x / y : x % y;
	}
}

/* Not "<" of "<<", not "|" of "||". */
static bool arith_is(const char *p, const char *op)
{
	size_t n = strlen(op);

	return !strncmp(p, op, n) && !(n == 1 && strchr("<>|&", *op) && (p[1] == *op || (strchr("<>", *op) && p[1] == '=')));
}

static int64_t arith_level(struct arith *a, unsigned level)
{
	int64_t x = level == ARRAY_SIZE(arith_ops) ? arith_value(a) : arith_level(a, level + 1);

	while (level < ARRAY_SIZE(arith_ops)) {
		const char *op = NULL;

		a->p += strspn(a->p, " \t\n");
		for (size_t i = 0; i < 5 && arith_ops[level][i] && !op; i++)
			if (arith_is(a->p, arith_ops[level][i]))
				op = arith_ops[level][i];
		if (!op)
			break;
		a->p += strlen(op);
		x = arith_apply(op, x, arith_level(a, level + 1));
	}
	return x;
}

int64_t sh_arith(struct shell *s, const char *text)
{
	struct arith a = { s, text, 0 };
	const char *name, *op;
	size_t n;
	int64_t v, was;

	/* ++x, x = y, x += y, x++ */
	a.p += strspn(a.p, " \t\n");
	if ((a.p[0] == '+' || a.p[0] == '-') && a.p[1] == a.p[0] && name_char(a.p[2], true)) {
		n = name_len(a.p + 2);
		v = (param(s, a.p + 2, n) ? strtoll(param(s, a.p + 2, n), NULL, 0) : 0) + (a.p[0] == '+' ? 1 : -1);
		sh_set(s, a.p + 2, n, decimal(s, v));
		return v;
	}
	name = a.p;
	n = name_len(name);
	op = name + n + strspn(name + n, " \t");
	if (!n || !name_char(*name, true))
		return arith_level(&a, 0);
	was = param(s, name, n) ? strtoll(param(s, name, n), NULL, 0) : 0;
	if ((op[0] == '+' || op[0] == '-') && op[1] == op[0] && !op[2 + strspn(op + 2, " \t\n")]) {
		sh_set(s, name, n, decimal(s, was + (op[0] == '+' ? 1 : -1)));
		return was;
	}
	if (op[0] == '=' && op[1] != '=') {
		a.p = op + 1;
		v = arith_level(&a, 0);
	} else if (*op && strchr("+-*/%&|^", *op) && op[1] == '=') {
		char one[2] = { *op, '\0' };

		a.p = op + 2;
		v = arith_apply(one, was, arith_level(&a, 0));
	} else {
		return arith_level(&a, 0);
	}
	sh_set(s, name, n, decimal(s, v));
	return v;
}

/* ---- words ---- */

struct words {
	struct shell *s;
	struct strbuf cur;
	bool some;     /* cur is a word, be it empty (quotes make one) */
	bool split;
	char **w;
	uint32_t n;
};

static void word_ends(struct words *o)
{
	if (o->some && o->n < SH_MAX_WORDS)
		o->w[o->n++] = sh_keep(o->s, sb_str(&o->cur), o->cur.len);
	sb_reset(&o->cur);
	o->some = false;
}

/* What an expansion gave, outside quotes: blanks part words. */
static void add_split(struct words *o, const char *v)
{
	for (; *v; v++) {
		if (o->split && strchr(" \t\n", *v)) {
			word_ends(o);
		} else {
			sb_putc(&o->cur, *v);
			o->some = true;
		}
	}
}

static const char *output_of(struct shell *s, const char *text)
{
	struct shell sub = *s;
	struct strbuf out;
	const char *r;

	sb_init(&out);
	sub.out = &out;
	sub.in = NULL;
	sub.tainted = false;
	sub.depth++;
	if (s->depth < SH_MAX_DEPTH)
		sh_text(&sub, text);
	while (out.len && out.buf[out.len - 1] == '\n')
		out.len--;
	r = sh_keep(s, out.len ? out.buf : "", out.len);
	sb_free(&out);
	s->steps = sub.steps;
	s->status = sub.status;
	s->tainted |= sub.tainted;
	return r;
}

/* What stands behind a "$" or a back quote at p; *v what it becomes. NULL: nothing, the sign is itself. */
static const char *dollar(struct shell *s, const char *p, const char **v)
{
	const char *end;
	size_t n;

	if (*p == '`') {
		struct strbuf sb;

		sb_init(&sb);
		for (end = p + 1; *end && *end != '`'; end++) {
			end += *end == '\\' && (end[1] == '`' || end[1] == '\\' || end[1] == '$');
			sb_putc(&sb, *end);
		}
		*v = output_of(s, sb_str(&sb));
		sb_free(&sb);
		return *end ? end + 1 : end;
	}
	if (p[1] == '(' || p[1] == '{') {
		end = sh_close(p + 1);
		n = (size_t)(end - p) >= 3 ? (size_t)(end - p) - 3 : 0;
		if (p[1] == '{')
			*v = braced(s, sh_keep(s, p + 2, n));
		else if (p[2] == '(' && n >= 2 && end[-2] == ')')
			*v = decimal(s, sh_arith(s, sh_expand_one(s, sh_keep(s, p + 3, n - 2))));
		else
			*v = output_of(s, sh_keep(s, p + 2, n));
		return end;
	}
	if (p[1] == '[') {
		end = sh_bracket_close(p + 1);
		n = end[-1] == ']' ? (size_t)(end - p) - 3 : (size_t)(end - p) - 2;
		*v = decimal(s, sh_arith(s, sh_expand_one(s, sh_keep(s, p + 2, n))));
		return end;
	}
	n = p[1] >= '0' && p[1] <= '9' ? 1 : name_len(p + 1);
	if (!n)
		return NULL;
	*v = param(s, p + 1, n);
	return p + 1 + n;
}

static const char *double_quoted(struct words *o, const char *p)
{
	o->some = true;
	for (p++; *p && *p != '"';) {
		const char *v = NULL, *end;

		if (*p == '\\' && p[1] && strchr("$`\"\\\n", p[1])) {
			if (p[1] != '\n')
				sb_putc(&o->cur, p[1]);
			p += 2;
		} else if ((*p == '$' || *p == '`') && (end = dollar(o->s, p, &v)) != NULL) {
			/* "$@" is a word for each */
			if (p[0] == '$' && p[1] == '@')
				for (uint32_t i = 1; i < o->s->argc; i++) {
					sb_puts(&o->cur, o->s->argv[i]);
					o->some = true;
					if (i + 1 < o->s->argc && o->split)
						word_ends(o);
				}
			else
				sb_puts(&o->cur, v ? v : "");
			p = end;
		} else {
			sb_putc(&o->cur, *p++);
		}
	}
	return *p ? p + 1 : p;
}

static void expand_into(struct words *o, const char *p)
{
	while (*p) {
		const char *v = NULL, *end;

		if (*p == '\'') {
			end = strchr(p + 1, '\'');
			end = end ? end : p + strlen(p);
			sb_add(&o->cur, p + 1, (size_t)(end - p - 1));
			o->some = true;
			p = *end ? end + 1 : end;
		} else if (*p == '"') {
			p = double_quoted(o, p);
		} else if (*p == '\\' && p[1]) {
			if (p[1] != '\n')
				sb_putc(&o->cur, p[1]);
			o->some |= p[1] != '\n';
			p += 2;
		} else if ((*p == '$' || *p == '`') && (end = dollar(o->s, p, &v)) != NULL) {
			add_split(o, v ? v : "");
			p = end;
		} else {
			sb_putc(&o->cur, *p++);
			o->some = true;
		}
	}
}

/* "a{1..3}d" to three. */
static bool brace_range(struct shell *s, const char *word, const char *open, char **w, uint32_t *n)
{
	char *end;
	long a = strtol(open + 1, &end, 10), b, step;

	if (end == open + 1 || end[0] != '.' || end[1] != '.')
		return false;
	open = end + 2;
	b = strtol(open, &end, 10);
	if (end == open || *end != '}')
		return false;
	step = a <= b ? 1 : -1;
	for (;; a += step) {
		struct strbuf sb;

		sb_init(&sb);
		sb_add(&sb, word, strcspn(word, "{"));
		sb_printf(&sb, "%ld%s", a, end + 1);
		if (*n < SH_MAX_WORDS)
			w[(*n)++] = sh_keep(s, sb_str(&sb), sb.len);
		sb_free(&sb);
		if (a == b || *n >= SH_MAX_WORDS)
			return true;
	}
}

/* "a{b,c}d" to two words, as bash does; the first such brace. False: none. */
static bool braces(struct shell *s, const char *word, char **w, uint32_t *n)
{
	const char *open = strchr(word, '{'), *shut, *comma, *p;

	if (!open || (open > word && open[-1] == '$') || strpbrk(word, "'\"`$\\"))
		return false;
	shut = strchr(open, '}');
	comma = strchr(open, ',');
	if (!shut || !comma || comma > shut)
		return brace_range(s, word, open, w, n);
	for (p = open + 1; p <= shut && *n < SH_MAX_WORDS; p += strcspn(p, ",}") + 1) {
		struct strbuf sb;

		sb_init(&sb);
		sb_add(&sb, word, (size_t)(open - word));
		sb_add(&sb, p, strcspn(p, ",}"));
		sb_puts(&sb, shut + 1);
		*n = sh_expand(s, sh_keep(s, sb_str(&sb), sb.len), w, *n);
		sb_free(&sb);
	}
	return true;
}

uint32_t sh_expand(struct shell *s, const char *word, char **w, uint32_t n)
{
	struct words o = { .s = s, .split = true, .w = w, .n = n };

	if (braces(s, word, w, &n))
		return n;
	sb_init(&o.cur);
	expand_into(&o, word);
	word_ends(&o);
	sb_free(&o.cur);
	return o.n;
}

char *sh_expand_one(struct shell *s, const char *word)
{
	struct words o = { .s = s };
	char *r;

	sb_init(&o.cur);
	expand_into(&o, word);
	r = sh_keep(s, sb_str(&o.cur), o.cur.len);
	sb_free(&o.cur);
	return r;
}

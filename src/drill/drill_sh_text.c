/* Programs of the shell that only move text, and test(1): enough of each for what scripts do with counters and tables.
 *
 * Decides their output and status from what stands in front of the pipe or in files of the host. An option that is not here makes a
 * program one without a meaning. Called by drill_sh.c. POSIX.1-2008 XCU 4. Tests: tests/unit/drill/test_drill_shell.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "drill/drill_sh.h"
#include "os/os_proc.h"

/* ---- input, line by line ---- */

/* Files from w[i] on, or what stands in front of the pipe. */
const char *sh_input(struct shell *s, char **w, uint32_t i, uint32_t n)
{
	struct strbuf sb;
	const char *r;

	if (i >= n)
		return s->in ? s->in : "";
	sb_init(&sb);
	for (; i < n; i++) {
		const char *t = !strcmp(w[i], "-") ? s->in : shell_read_file(s, w[i]);

		sb_puts(&sb, t ? t : "");
	}
	r = sh_keep(s, sb_str(&sb), sb.len);
	sb_free(&sb);
	return r;
}

static bool next_line(struct shell *s, const char **p, char **line)
{
	size_t len = strcspn(*p, "\n");

	if (!**p)
		return false;
	*line = sh_keep(s, *p, len);
	*p += len + ((*p)[len] == '\n');
	return true;
}

static void print(struct shell *s, const char *text, size_t len)
{
	if (s->out->len < SH_MAX_OUT)
		sb_add(s->out, text, len);
}

static void put_line(struct shell *s, const char *line)
{
	print(s, line, strlen(line));
	print(s, "\n", 1);
}

/* "-n 5", "-n5", "-5": the number. */
static long count_option(char **w, uint32_t n, uint32_t *i, long otherwise)
{
	long v = otherwise;

	for (*i = 1; *i < n && w[*i][0] == '-' && w[*i][1]; (*i)++) {
		const char *o = w[*i] + 1;

		if (*o >= '0' && *o <= '9')
			v = strtol(o, NULL, 10);
		else if (*o && o[1])
			v = strtol(o + 1, NULL, 10);
		else if (*i + 1 < n)
			v = strtol(w[++*i], NULL, 10);
	}
	return v;
}

/* ---- saying ---- */

static void escaped(struct strbuf *sb, const char *t)
{
	static const char from[] = "ntr\\a\"'", to[] = "\n\t\r\\\a\"'";

	for (; *t; t++) {
		const char *e = *t == '\\' && t[1] ? strchr(from, t[1]) : NULL;

		sb_putc(sb, e ? to[e - from] : *t);
		t += e != NULL;
	}
}

static int do_echo(struct shell *s, char **w, uint32_t n)
{
	bool newline = true, escapes = false;
	struct strbuf sb;
	uint32_t i = 1;

	for (; i < n && w[i][0] == '-' && w[i][1] && strspn(w[i] + 1, "neE") == strlen(w[i] + 1); i++) {
		newline &= !strchr(w[i], 'n');
		escapes |= strchr(w[i], 'e') != NULL;
	}
	sb_init(&sb);
	for (bool first = true; i < n; i++, first = false) {
		sb_puts(&sb, first ? "" : " ");
		if (escapes)
			escaped(&sb, w[i]);
		else
			sb_puts(&sb, w[i]);
	}
	sb_puts(&sb, newline ? "\n" : "");
	print(s, sb_str(&sb), sb.len);
	sb_free(&sb);
	return 0;
}

static int do_printf(struct shell *s, char **w, uint32_t n)
{
	struct strbuf f, sb;
	uint32_t i = 2;

	if (n < 2)
		return 2;
	sb_init(&f);
	sb_init(&sb);
	escaped(&f, w[1]);
	do {
		for (const char *p = sb_str(&f); *p; p++) {
			const char *arg = i < n ? w[i] : "";

			if (*p != '%' || !p[1]) {
				sb_putc(&sb, *p);
				continue;
			}
			p += strspn(p + 1, "-0123456789.") + 1;
			i += *p != '%';
			if (*p == 's' || *p == 'b')
				sb_puts(&sb, arg);
			else if (*p == 'x')
				sb_printf(&sb, "%llx", (unsigned long long)strtoll(arg, NULL, 0));
			else
				*p == '%' ? sb_putc(&sb, '%') : sb_printf(&sb, "%lld", strtoll(arg, NULL, 0));
		}
	} while (i < n && strchr(w[1], '%'));
	print(s, sb_str(&sb), sb.len);
	sb_free(&f);
	sb_free(&sb);
	return 0;
}

static int do_seq(struct shell *s, char **w, uint32_t n)
{
	long a = n > 2 ? strtol(w[1], NULL, 10) : 1, b = n > 1 ? strtol(w[n - 1], NULL, 10) : 0, step = n > 3 ? strtol(w[2], NULL, 10) : 1;
	char num[32];

	for (uint32_t k = 0; step && (step > 0 ? a <= b : a >= b) && k < SH_MAX_STEPS; a += step, k++) {
		snprintf(num, sizeof(num), "%ld", a);
		put_line(s, num);
	}
	return 0;
}

/* ---- choosing ---- */

static int do_head(struct shell *s, char **w, uint32_t n)
{
	uint32_t i;
	long k = count_option(w, n, &i, 10);
	const char *p = sh_input(s, w, i, n);
	char *line;

	for (; k > 0 && next_line(s, &p, &line); k--)
		put_line(s, line);
	return 0;
}

static long lines_of(const char *p)
{
	long k = 0;

	for (; *p; p++)
		k += *p == '\n' || !p[1];
	return k;
}

static int do_tail(struct shell *s, char **w, uint32_t n)
{
	uint32_t i;
	bool from = n > 2 && (w[2][0] == '+' || !strncmp(w[1], "-n+", 3));
	long k = count_option(w, n, &i, 10), skip;
	const char *p = sh_input(s, w, i, n);
	char *line;

	skip = from ? (k < 0 ? -k : k) - 1 : lines_of(p) - k;
	for (; next_line(s, &p, &line); skip--)
		if (skip <= 0)
			put_line(s, line);
	return 0;
}

static int do_wc(struct shell *s, char **w, uint32_t n)
{
	uint32_t i = 1;
	const char *p;
	char num[32];
	long v = 0, words = 0;
	bool in = false;

	for (; i < n && w[i][0] == '-'; i++)
		;
	p = sh_input(s, w, i, n);
	for (const char *q = p; *q; q++) {
		bool blank = strchr(" \t\n", *q) != NULL;

		v += *q == '\n';
		words += !blank && !in;
		in = !blank;
	}
	snprintf(num, sizeof(num), "%ld", n > 1 && strchr(w[1], 'c') ? (long)strlen(p) : n > 1 && strchr(w[1], 'w') ? words : v);
	put_line(s, num);
	return 0;
}

/* The k-th field from 1: parted by d, or by blanks (d 0). */
static char *field(struct shell *s, const char *line, long k, char d)
{
	const char *end;

	for (;; k--) {
		if (!d)
			line += strspn(line, " \t");
		end = d ? strchr(line, d) : line + strcspn(line, " \t");
		end = end ? end : line + strlen(line);
		if (k <= 1 || !*end)
			return sh_keep(s, k <= 1 ? line : "", k <= 1 ? (size_t)(end - line) : 0);
		line = end + 1;
	}
}

/* Is the k-th of the list "2", "1,3", "2-", "-3", "2-4"? */
static bool in_list(const char *list, long k)
{
	while (*list) {
		char *end;
		long a = *list == '-' ? 1 : strtol(list, &end, 10), b = a;

		if (*list == '-')
			end = (char *)(uintptr_t)list;
		if (*end == '-')
			b = end[1] >= '0' && end[1] <= '9' ? strtol(end + 1, &end, 10) : (end++, 0x7fffffff);
		if (k >= a && k <= b)
			return true;
		if (*end != ',')
			return false;
		list = end + 1;
	}
	return false;
}

static void cut_line(struct strbuf *sb, const char *line, const char *list, char d)
{
	bool some = false;

	for (long k = 1; *line; k++) {
		size_t len = d ? strcspn(line, (char[]){ d, '\0' }) : 1;

		if (in_list(list, k)) {
			if (some && d)
				sb_putc(sb, d);
			sb_add(sb, line, len);
			some = true;
		}
		line += len;
		line += d && *line;
	}
}

/* cut -d C -f LIST, cut -c LIST */
static int do_cut(struct shell *s, char **w, uint32_t n)
{
	char d = '\t', *line;
	const char *p, *list = "1";
	bool chars = false, marked = false;
	uint32_t i = 1;

	for (; i < n && w[i][0] == '-' && w[i][1]; i++) {
		char o = w[i][1];
		const char *v = w[i][2] || o == 's' ? w[i] + 2 : i + 1 < n ? w[++i] : "";

		if (o == 'd')
			d = *v;
		else if (o == 's')
			marked = true;
		else
			list = v;
		chars |= o == 'c' || o == 'b';
	}
	for (p = sh_input(s, w, i, n); next_line(s, &p, &line);) {
		struct strbuf sb;

		if (!chars && !strchr(line, d)) {
			if (!marked)
				put_line(s, line);
			continue;
		}
		sb_init(&sb);
		cut_line(&sb, line, list, chars ? '\0' : d);
		put_line(s, sb_str(&sb));
		sb_free(&sb);
	}
	return 0;
}

/* awk '[/RE/] { print $N[, $M] }': fields of lines. False: it is more than that. */
static bool do_awk(struct shell *s, char **w, uint32_t n)
{
	const char *prog = n > 1 ? w[1] : "", *p = prog + strspn(prog, " "), *re = NULL, *list;
	char *line;

	if (*p == '/') {
		const char *end = strchr(p + 1, '/');

		if (!end)
			return false;
		re = sh_keep(s, p + 1, (size_t)(end - p - 1));
		p = end + 1 + strspn(end + 1, " ");
	}
	list = strstr(p, "print");
	if (*p != '{' || !list || list[5 + strspn(list + 5, " $0123456789,")] != '}')
		return false;
	for (p = sh_input(s, w, 2, n); next_line(s, &p, &line);) {
		struct strbuf sb;

		if (re && os_regex(re, line) != 1)
			continue;
		sb_init(&sb);
		for (const char *f = strchr(list, '$'); f; f = strchr(f + 1, '$')) {
			long k = strtol(f + 1, NULL, 10);

			sb_printf(&sb, "%s%s", sb.len ? " " : "", k ? field(s, line, k, 0) : line);
		}
		put_line(s, strchr(list, '$') ? sb_str(&sb) : line);
		sb_free(&sb);
	}
	return true;
}

/* "a-z" and "\\n" of a set of tr's. */
static void tr_set(struct strbuf *out, const char *text)
{
	static const struct { const char *name, *set; } classes[] = {
		{ "[:lower:]", "a-z" }, { "[:upper:]", "A-Z" }, { "[:digit:]", "0-9" }, { "[:space:]", " \\t\\n\\r" }, { "[:alpha:]", "a-zA-Z" },
	};
	struct strbuf sb;

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (!strcmp(text, classes[i].name))
			text = classes[i].set;
	sb_init(&sb);
	escaped(&sb, text);
	for (const char *p = sb_str(&sb); *p; p++) {
		if (p[1] != '-' || !p[2]) {
			sb_putc(out, *p);
			continue;
		}
		for (int c = (unsigned char)p[0]; c <= (unsigned char)p[2]; c++)
			sb_putc(out, (char)c);
		p += 2;
	}
	sb_free(&sb);
}

/* tr [-c] [-d] [-s] SET [SET] */
static int do_tr(struct shell *s, char **w, uint32_t n)
{
	bool del = false, squeeze = false, others = false;
	struct strbuf from, to, sb;
	uint32_t i = 1;
	char last = '\0';

	for (; i < n && w[i][0] == '-' && w[i][1]; i++) {
		del |= strchr(w[i], 'd') != NULL;
		squeeze |= strchr(w[i], 's') != NULL;
		others |= strchr(w[i], 'c') != NULL || strchr(w[i], 'C') != NULL;
	}
	if (i >= n || (i + 1 >= n && !del && !squeeze))
		return 1;
	sb_init(&from);
	sb_init(&to);
	sb_init(&sb);
	tr_set(&from, w[i]);
	tr_set(&to, !del && i + 1 < n ? w[i + 1] : "");
	for (const char *p = s->in ? s->in : ""; *p; p++) {
		const char *at = strchr(sb_str(&from), *p);
		char c = *p;

		if ((at != NULL) == others) { /* not of the set */
			sb_putc(&sb, c);
			last = '\0';
			continue;
		}
		if (del)
			continue;
		if (to.len)
			c = to.buf[min_sz(at && !others ? (size_t)(at - sb_str(&from)) : to.len, to.len - 1)];
		if (!squeeze || c != last)
			sb_putc(&sb, c);
		last = c;
	}
	print(s, sb_str(&sb), sb.len);
	sb_free(&from);
	sb_free(&to);
	sb_free(&sb);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int by_number(const void *a, const void *b)
{
	long long x = strtoll(*(char *const *)a, NULL, 10), y = strtoll(*(char *const *)b, NULL, 10);

	return x < y ? -1 : x > y ? 1 : by_text(a, b);
}

/* sort [-nru] [FILE...], uniq */
static int do_sort(struct shell *s, char **w, uint32_t n)
{
	bool sort = !strcmp(w[0], "sort"), number = false, reverse = false, once = !sort;
	char **line, *one;
	uint32_t i = 1;
	const char *p;
	long k = 0;

	for (; i < n && w[i][0] == '-'; i++) {
		number |= strchr(w[i], 'n') != NULL;
		reverse |= strchr(w[i], 'r') != NULL;
		once |= strchr(w[i], 'u') != NULL;
	}
	p = sh_input(s, w, i, n);
	line = xcalloc((size_t)lines_of(p) + 1, sizeof(*line));
	while (next_line(s, &p, &one))
		line[k++] = one;
	if (sort)
		qsort(line, (size_t)k, sizeof(*line), number ? by_number : by_text);
	for (long x = 0; x < k; x++) {
		long at = reverse ? k - 1 - x : x, before = reverse ? at + 1 : at - 1;

		if (!once || !x || strcmp(line[at], line[before]) != 0)
			put_line(s, line[at]);
	}
	free(line);
	return 0;
}

static int do_name(struct shell *s, char **w, uint32_t n)
{
	const char *p = n > 1 ? w[1] : "", *slash = strrchr(p, '/');

	if (w[0][0] == 'b')
		put_line(s, slash ? slash + 1 : p);
	else
		put_line(s, slash ? sh_keep(s, p, slash == p ? 1 : (size_t)(slash - p)) : ".");
	return 0;
}

static int do_uname(struct shell *s, char **w, uint32_t n)
{
	const char *o = n > 1 ? w[1] : "-s";

	put_line(s, strchr(o, 'a') ? "Linux culver 6.18.0 culver" : strchr(o, 'r') ? "6.18.0" : strchr(o, 'n') ? "culver" : strchr(o, 'm') ? "x86_64" : "Linux");
	return 0;
}

static int do_expr(struct shell *s, char **w, uint32_t n)
{
	struct strbuf sb;
	char num[32];
	int64_t v;

	sb_init(&sb);
	for (uint32_t i = 1; i < n; i++)
		sb_printf(&sb, "%s%s ", w[i], !strcmp(w[i], "=") ? "=" : "");
	v = sh_arith(s, sb_str(&sb));
	sb_free(&sb);
	snprintf(num, sizeof(num), "%lld", (long long)v);
	put_line(s, num);
	s->checks = true;
	return v == 0;
}

static int do_cat(struct shell *s, char **w, uint32_t n)
{
	const char *p;

	for (uint32_t i = 1; i < n; i++)
		if (w[i][0] != '-' && !shell_read_file(s, w[i])) {
			drill_note(s->d, s->line, "cat: there is no %s here", w[i]);
			return 1;
		}
	p = sh_input(s, w, 1, n);
	print(s, p, strlen(p));
	return 0;
}

bool sh_text_program(struct shell *s, char **w, uint32_t n, int *status)
{
	static const struct { const char *name; int (*fn)(struct shell *s, char **w, uint32_t n); } t[] = {
		{ "echo", do_echo }, { "printf", do_printf }, { "seq", do_seq }, 		{ "head", do_head }, { "tail", do_tail }, { "wc", do_wc }, { "cut", do_cut }, { "tr", do_tr }, { "sort", do_sort },
		{ "uniq", do_sort }, { "basename", do_name }, { "dirname", do_name }, { "uname", do_uname }, { "expr", do_expr }, { "cat", do_cat },
	};
	const char *slash = strrchr(w[0], '/'), *name = slash && (!strncmp(w[0], "/bin/", 5) || !strncmp(w[0], "/usr/", 5)) ? slash + 1 : w[0];

	if (!strcmp(name, "awk") || !strcmp(name, "gawk")) {
		*status = 0;
		return do_awk(s, w, n);
	}
	if (!strcmp(name, "grep") || !strcmp(name, "egrep") || !strcmp(name, "fgrep")) {
		w[0] = sh_keep(s, name, strlen(name));
		return sh_grep(s, w, n, status);
	}
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		if (!strcmp(t[i].name, name)) {
			w[0] = sh_keep(s, name, strlen(name));
			*status = t[i].fn(s, w, n);
			return true;
		}
	return false;
}

/* ---- test ---- */

struct test {
	struct shell *s;
	char **w;
	uint32_t n, i;
	bool bash; /* [[ ]]: patterns, expressions */
};

static bool test_or(struct test *t);

static bool at_word(const struct test *t, const char *a, const char *b)
{
	return t->i < t->n && (!strcmp(t->w[t->i], a) || !strcmp(t->w[t->i], b));
}

static bool one_operand(struct test *t, char op, const char *v)
{
	if (op == 'n' || op == 'z')
		return (*v != '\0') == (op == 'n');
	if (op == 'd')
		return !strncmp(v, "/proc", 5) || !strncmp(v, "/sys", 4) || !strcmp(v, "/tmp");
	if (op == 'v')
		return *sh_expand_one(t->s, sh_keep(t->s, v, strlen(v))) != '\0';
	return shell_read_file(t->s, v) != NULL;
}

static bool compare(struct test *t, const char *a, const char *op, const char *b, bool *known)
{
	long long x = strtoll(a, NULL, 0), y = strtoll(b, NULL, 0);
	bool eq = t->bash ? sh_match(b, a) : !strcmp(a, b);

	*known = true;
	if (!strcmp(op, "=") || !strcmp(op, "=="))
		return eq;
	if (!strcmp(op, "!="))
		return !eq;
	if (!strcmp(op, "=~"))
		return os_regex(b, a) == 1;
	if (!strcmp(op, "<") || !strcmp(op, ">"))
		return *op == '<' ? strcmp(a, b) < 0 : strcmp(a, b) > 0;
	if (op[0] == '-' && !strcmp(op + 1, "eq"))
		return x == y;
	if (op[0] == '-' && !strcmp(op + 1, "ne"))
		return x != y;
	if (op[0] == '-' && op[1] == 'l' && strchr("te", op[2]))
		return op[2] == 't' ? x < y : x <= y;
	if (op[0] == '-' && op[1] == 'g' && strchr("te", op[2]))
		return op[2] == 't' ? x > y : x >= y;
	*known = false;
	return false;
}

static bool test_primary(struct test *t)
{
	const char *a;
	bool known, r;

	if (at_word(t, "!", "!")) {
		t->i++;
		return !test_primary(t);
	}
	if (at_word(t, "(", "\\(")) {
		t->i++;
		r = test_or(t);
		t->i += at_word(t, ")", "\\)");
		return r;
	}
	if (t->i >= t->n)
		return false;
	a = t->w[t->i];
	if (t->i + 2 < t->n) {
		r = compare(t, a, t->w[t->i + 1], t->w[t->i + 2], &known);
		if (known) {
			t->i += 3;
			return r;
		}
	}
	if (a[0] == '-' && a[1] && !a[2] && t->i + 1 < t->n) {
		t->i += 2;
		return one_operand(t, a[1], t->w[t->i - 1]);
	}
	t->i++;
	return *a != '\0';
}

static bool test_and(struct test *t)
{
	bool r = test_primary(t);

	while (at_word(t, "-a", "&&")) {
		t->i++;
		r = test_primary(t) && r;
	}
	return r;
}

static bool test_or(struct test *t)
{
	bool r = test_and(t);

	while (at_word(t, "-o", "||")) {
		t->i++;
		r = test_and(t) || r;
	}
	return r;
}

int sh_test(struct shell *s, char **w, uint32_t n)
{
	struct test t = { s, w + 1, n - 1, 0, !strcmp(w[0], "[[") };

	if (w[0][0] == '[' && t.n && w[n - 1][0] == ']')
		t.n--;
	return !test_or(&t);
}

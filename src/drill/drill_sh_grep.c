/* grep for the shell of a script's commands.
 *
 * Decides which lines are chosen, and what of them is printed. Expressions are this machine's C library's: basic ones, extended ones (-E), plain text (-F);
 * of -P what the extended ones can say. Called by drill_sh_text.c. POSIX.1-2008 XCU 4 (grep). Tests: tests/unit/drill/test_drill_shell.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "drill/drill_sh.h"
#include "os/os_proc.h"

#define GREP_MAX_PATTERNS 16u

struct grep {
	struct shell *s;
	bool quiet, invert, count, plain, extended, perl, fold, word, line, only, number, names;
	long max, before, after;
	const char *what[GREP_MAX_PATTERNS];
	uint32_t n_what;
	bool wrong, beyond; /* an expression that is none; an option that is not here */
};

/* ---- options ---- */

/* "-A1", "-A 1": moves past the number. */
static long number_of(char **w, uint32_t n, uint32_t *i, const char *rest)
{
	if (*rest)
		return strtol(rest, NULL, 10);
	return *i + 1 < n ? strtol(w[++*i], NULL, 10) : 0;
}

static void add_pattern(struct grep *g, const char *text)
{
	while (g->n_what < GREP_MAX_PATTERNS) {
		size_t len = strcspn(text, "\n");

		g->what[g->n_what++] = sh_keep(g->s, text, len);
		if (!text[len])
			return;
		text += len + 1;
	}
	g->beyond = true;
}

static void one_letter(struct grep *g, char c)
{
	static const char letters[] = "qvcFEPiwxonh";
	bool *const flag[] = { &g->quiet, &g->invert, &g->count, &g->plain, &g->extended, &g->perl, &g->fold, &g->word, &g->line, &g->only, &g->number, &g->names };
	const char *at = strchr(letters, c);

	if (at && c)
		*flag[at - letters] = true;
	else
		g->beyond |= !strchr("GsayHU", c);
}

/* One word of options: false behind the last. */
static bool option_word(struct grep *g, char **w, uint32_t n, uint32_t *i)
{
	const char *o = w[*i];

	if (o[0] != '-' || !o[1])
		return false;
	if (o[1] == '-') {
		g->beyond |= o[2] && strncmp(o, "--color", 7) != 0 && strncmp(o, "--line-buffered", 15) != 0;
		return o[2] != '\0' || (++*i, false);
	}
	for (o++; *o; o++) {
		if (!strchr("eABCm", *o)) {
			one_letter(g, *o);
			continue;
		}
		if (*o == 'e')
			add_pattern(g, o[1] ? o + 1 : *i + 1 < n ? w[++*i] : "");
		else if (*o == 'm')
			g->max = number_of(w, n, i, o + 1);
		else if (*o == 'A')
			g->after = number_of(w, n, i, o + 1);
		else if (*o == 'B')
			g->before = number_of(w, n, i, o + 1);
		else
			g->before = g->after = number_of(w, n, i, o + 1);
		break;
	}
	return true;
}

/* Perl's words for sets of characters; look-around and the like are beyond. */
static const char *of_perl(struct grep *g, const char *p)
{
	struct strbuf sb;
	const char *r;

	sb_init(&sb);
	for (; *p; p++) {
		if (p[0] == '\\' && p[1] && strchr("dDsK", p[1])) {
			g->beyond |= p[1] == 'K';
			sb_puts(&sb, p[1] == 'd' ? "[0-9]" : p[1] == 'D' ? "[^0-9]" : "[[:space:]]");
			p++;
		} else {
			g->beyond |= p[0] == '(' && p[1] == '?';
			sb_putc(&sb, *p);
			if (p[0] == '\\' && p[1])
				sb_putc(&sb, *++p);
		}
	}
	r = sh_keep(g->s, sb_str(&sb), sb.len);
	sb_free(&sb);
	return r;
}

/* ---- a match ---- */

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static char folded(char c, bool fold)
{
	return fold && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool find_plain(const struct grep *g, const char *what, const char *line, size_t *from, size_t *to)
{
	size_t n = strlen(what), len = strlen(line);

	for (; *from + n <= len; ++*from) {
		size_t i = 0;

		while (i < n && folded(line[*from + i], g->fold) == folded(what[i], g->fold))
			i++;
		*to = *from + n;
		if (i == n)
			return true;
	}
	return false;
}

/* The first match of one pattern at or behind *from. */
static bool find_one(struct grep *g, const char *what, const char *line, size_t *from, size_t *to)
{
	size_t len = strlen(line);

	while (*from <= len) {
		if (g->plain) {
			if (!find_plain(g, what, line, from, to))
				return false;
		} else {
			int r = os_regex_find(what, (g->extended ? OS_REGEX_EXTENDED : 0u) | (g->fold ? OS_REGEX_FOLD : 0u), line, from, to);

			g->wrong |= r < 0;
			if (r <= 0)
				return false;
		}
		if (g->line ? *from == 0 && *to == len
			    : !g->word || ((!*from || !is_word_char(line[*from - 1])) && !is_word_char(line[*to])))
			return true;
		++*from;
	}
	return false;
}

static bool find_any(struct grep *g, const char *line, size_t *from, size_t *to)
{
	size_t start = *from;
	bool found = false;

	for (uint32_t i = 0; i < g->n_what; i++) {
		size_t a = start, b = start;

		if (!find_one(g, g->what[i], line, &a, &b) || (found && a >= *from))
			continue;
		found = true;
		*from = a;
		*to = b;
	}
	return found;
}

/* ---- output ---- */

static void put(struct grep *g, long at, char mark, const char *text, size_t len)
{
	struct strbuf *out = g->s->out;

	if (out->len >= SH_MAX_OUT)
		return;
	if (g->number)
		sb_printf(out, "%ld%c", at, mark);
	sb_add(out, text, len);
	sb_putc(out, '\n');
}

static void put_matches(struct grep *g, long at, const char *line)
{
	size_t a = 0, b = 0;

	for (; find_any(g, line, &a, &b); a = b > a ? b : a + 1)
		if (b > a)
			put(g, at, ':', line + a, b - a);
}

/* All lines of the input, as they stand. */
static uint32_t run(struct grep *g, const char *p)
{
	const char *text = p;
	long at = 0, shown = 0, follow = 0;
	uint32_t hits = 0;

	while (*p && !g->wrong && (g->max < 0 || (long)hits < g->max || follow > 0)) {
		size_t len = strcspn(p, "\n"), a = 0, b = 0;
		char *line = sh_keep(g->s, p, len);
		bool hit = find_any(g, line, &a, &b) != g->invert && (g->max < 0 || (long)hits < g->max);

		at++;
		p += len + (p[len] == '\n');
		hits += hit;
		follow = hit ? g->after + 1 : follow;
		if (g->quiet || g->count || (!hit && follow <= 0))
			continue;
		if (hit && g->only) {
			put_matches(g, at, line);
			continue;
		}
		if (hit && g->before) { /* the lines in front that are not shown yet */
			const char *q = text;

			for (long k = 1; k < at; k++) {
				size_t n = strcspn(q, "\n");

				if (k > shown && k >= at - g->before)
					put(g, k, '-', q, n);
				q += n + (q[n] == '\n');
			}
		}
		put(g, at, hit ? ':' : '-', line, len);
		shown = at;
		follow--;
	}
	return hits;
}

bool sh_grep(struct shell *s, char **w, uint32_t n, int *status)
{
	struct grep g = { .s = s, .max = -1, .plain = w[0][0] == 'f', .extended = w[0][0] == 'e' };
	uint32_t i = 1, hits;

	while (i < n && option_word(&g, w, n, &i))
		i++;
	if (!g.n_what && i < n)
		add_pattern(&g, w[i++]);
	g.extended |= g.perl;
	for (uint32_t k = 0; g.perl && k < g.n_what; k++)
		g.what[k] = of_perl(&g, g.what[k]);
	if (g.beyond)
		return false;
	s->checks = true;
	*status = 2;
	if (!g.n_what)
		return true;
	hits = run(&g, sh_input(s, w, i, n));
	if (g.count)
		sb_printf(s->out, "%u\n", hits);
	*status = g.wrong ? 2 : !hits;
	return true;
}

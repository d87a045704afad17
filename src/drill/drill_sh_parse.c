/* The shell's grammar: lists, pipes, if, for, while, until, case, functions, groups, redirections, text that is here.
 *
 * Decides where words begin and end; what they mean is drill_sh_word.c's. Called by drill_sh.c. POSIX.1-2008 XCU 2.3, 2.9, 2.10.
 * Tests: tests/packet/shell, tests/unit/drill/test_drill_shell.c. */
#include <stdio.h>
#include <string.h>
#include "drill/drill_sh.h"

struct shparse {
	struct darena *mem;
	const char *p;
	uint32_t line, depth;
	char *err;
	size_t room;
	bool failed;
	struct shredir *here, **here_tail; /* texts that begin behind this line */
};

static struct shnode *list(struct shparse *s, const char *const *ends);

static void *fail(struct shparse *s, const char *what)
{
	if (!s->failed)
		snprintf(s->err, s->room, "line %u: %s before '%.*s'", s->line, what, (int)strcspn(s->p, "\n"), s->p);
	s->failed = true;
	return NULL;
}

/* ---- words ---- */

static const char *close_at(const char *p, unsigned depth);

/* Quotes in brackets in quotes ...: deeper than anybody writes, all the rest is one word. */
static const char *quoted_end(const char *p, unsigned depth)
{
	char q = *p++;

	if (depth > SH_MAX_DEPTH)
		return p + strlen(p);

	for (; *p && *p != q; p++) {
		if (q != '\'' && *p == '\\' && p[1])
			p++;
		else if (q == '"' && *p == '$' && p[1] == '(')
			p = close_at(p + 1, depth + 1) - 1;
	}
	return *p ? p + 1 : p;
}

static const char *close_at(const char *p, unsigned depth)
{
	char open = *p, shut = open == '(' ? ')' : '}';
	unsigned nested = 0;

	while (*p) {
		if (*p == '\\' && p[1]) {
			p += 2;
		} else if (*p == '\'' || *p == '"' || *p == '`') {
			p = quoted_end(p, depth);
		} else {
			nested += *p == open;
			nested -= *p == shut;
			p++;
			if (!nested)
				break;
		}
	}
	return p;
}

const char *sh_close(const char *p)
{
	return close_at(p, 0);
}

const char *sh_bracket_close(const char *p)
{
	size_t nested = 0;

	for (; *p && *p != '\n'; p++) {
		nested += *p == '[';
		nested -= *p == ']';
		if (!nested)
			return p + 1;
	}
	return p;
}

const char *sh_word_end(const char *p)
{
	while (*p && !strchr(" \t\n;|&<>()", *p)) {
		if (*p == '\\' && p[1])
			p += 2;
		else if (*p == '\'' || *p == '"' || *p == '`')
			p = quoted_end(p, 0);
		else if (*p == '$' && (p[1] == '(' || p[1] == '{'))
			p = sh_close(p + 1);
		else if (*p == '$' && p[1] == '[')
			p = sh_bracket_close(p + 1);
		else
			p++;
	}
	return p;
}

static void blanks(struct shparse *s)
{
	for (;; s->p++) {
		if (*s->p == '\\' && s->p[1] == '\n') {
			s->p++;
			s->line++;
		} else if (*s->p == '#') {
			s->p += strcspn(s->p, "\n");
			s->p--;
		} else if (*s->p != ' ' && *s->p != '\t' && *s->p != '\r') {
			return;
		}
	}
}

static const char *take_word(struct shparse *s)
{
	const char *from, *end;

	blanks(s);
	from = s->p;
	end = sh_word_end(from);
	for (const char *q = from; q < end; q++)
		s->line += *q == '\n';
	s->p = end;
	return darena_str(s->mem, from, (size_t)(end - from));
}

static bool next_is(struct shparse *s, const char *w)
{
	size_t n = strlen(w);

	blanks(s);
	return !strncmp(s->p, w, n) && sh_word_end(s->p) == s->p + n;
}

static bool take(struct shparse *s, const char *w)
{
	if (!next_is(s, w))
		return false;
	s->p += strlen(w);
	return true;
}

static bool expect(struct shparse *s, const char *w)
{
	char what[40];

	if (take(s, w))
		return true;
	snprintf(what, sizeof(what), "expected '%s'", w);
	fail(s, what);
	return false;
}

/* ---- text that is here ---- */

static void read_here(struct shparse *s, struct shredir *r)
{
	const char *from = s->p, *p = from;
	size_t n = strlen(r->word);

	while (*p) {
		size_t len = strcspn(p, "\n"), tabs = strspn(p, "\t");

		s->line++;
		if ((len == n && !strncmp(p, r->word, n)) || (r->both && len - min_sz(tabs, len) == n && !strncmp(p + tabs, r->word, n)))
			break;
		p += len + (p[len] == '\n');
	}
	r->word = darena_str(s->mem, from, (size_t)(p - from));
	s->p = p + strcspn(p, "\n");
	s->p += *s->p == '\n';
}

static void newline(struct shparse *s)
{
	s->p++;
	s->line++;
	for (; s->here; s->here = s->here->next)
		read_here(s, s->here);
	s->here_tail = &s->here;
}

static void newlines(struct shparse *s)
{
	for (blanks(s); *s->p == '\n'; blanks(s))
		newline(s);
}

/* ---- redirections ---- */

static void unquote(char *w)
{
	char *o = w;

	for (; *w; w++)
		if (*w != '\'' && *w != '"' && *w != '\\')
			*o++ = *w;
	*o = '\0';
}

static struct shredir *here_doc(struct shparse *s, struct shredir *r)
{
	char *w;

	r->op = 'h';
	r->both = *s->p == '-'; /* tabs in front of the end */
	s->p += r->both;
	w = (char *)(uintptr_t)take_word(s);
	r->quoted = strpbrk(w, "'\"\\") != NULL;
	unquote(w);
	r->word = w;
	r->next = NULL;
	*s->here_tail = r;
	s->here_tail = &r->next;
	return r;
}

/* NULL: there is none here. Texts that are here hang on a list of their own until the line ends. */
static struct shredir *redirection(struct shparse *s)
{
	struct shredir *r;
	const char *p;

	blanks(s);
	p = s->p + (*s->p >= '0' && *s->p <= '9');
	if (*p != '<' && *p != '>' && !(p == s->p && p[0] == '&' && p[1] == '>'))
		return NULL;
	r = darena_get(s->mem, sizeof(*r));
	r->fd = p > s->p ? *s->p - '0' : *p == '<' ? 0 : 1;
	if (*p == '&') {
		r->both = true;
		p++;
	}
	r->op = *p++;
	if (r->op == '<' && *p == '<' && p[1] == '<') {
		r->op = 's';
		p += 2;
	} else if (r->op == '<' && *p == '<') {
		s->p = p + 1;
		return here_doc(s, r);
	} else if (*p == '>' || *p == '|') {
		r->op = *p == '>' && r->op == '>' ? 'a' : r->op;
		p++;
	} else if (*p == '&') {
		r->op = '=';
		p++;
	}
	s->p = p;
	r->word = take_word(s);
	return r;
}

static void redirections(struct shparse *s, struct shnode *n)
{
	struct shredir **tail = &n->redir;

	for (;;) {
		struct shredir *r = redirection(s), *own;

		if (!r)
			return;
		own = r;
		if (r->op == 'h') { /* one on the list of the line, and one that finds its text later */
			own = darena_get(s->mem, sizeof(*own));
			own->op = 'H';
			own->word = (const char *)r;
		}
		while (*tail)
			tail = &(*tail)->next;
		*tail = own;
	}
}

/* ---- commands ---- */

static struct shnode *node(struct shparse *s, enum shkind kind, struct shnode *a, struct shnode *b)
{
	struct shnode *n = darena_get(s->mem, sizeof(*n));

	n->kind = kind;
	n->line = s->line;
	n->a = a;
	n->b = b;
	return n;
}

static void add_word(struct shparse *s, struct shnode *n, const char *w)
{
	if (!n->word)
		n->word = darena_get(s->mem, 8 * sizeof(*n->word));
	else if (n->n_words >= 8 && !(n->n_words & (n->n_words - 1))) {
		const char **more = darena_get(s->mem, n->n_words * 2 * sizeof(*more));

		memcpy(more, n->word, n->n_words * sizeof(*more));
		n->word = more;
	}
	n->word[n->n_words++] = w;
}

static struct shnode *if_rest(struct shparse *s)
{
	static const char *const then[] = { "then", NULL }, *const rest[] = { "elif", "else", "fi", NULL }, *const fi[] = { "fi", NULL };
	struct shnode *n = node(s, SH_IF, list(s, then), NULL);

	if (!expect(s, "then"))
		return NULL;
	n->b = list(s, rest);
	if (take(s, "elif")) {
		n->c = if_rest(s);
		return n;
	}
	if (take(s, "else"))
		n->c = list(s, fi);
	return expect(s, "fi") ? n : NULL;
}

static bool body(struct shparse *s, struct shnode **out)
{
	static const char *const done[] = { "done", NULL };

	newlines(s);
	if (!expect(s, "do"))
		return false;
	*out = list(s, done);
	return expect(s, "done");
}

/* "((a; b; c))" behind for; "((a))" alone. Its parts become words; s->p is at the brackets. */
static bool sum_parts(struct shparse *s, struct shnode *n, uint32_t parts)
{
	const char *end = sh_close(s->p), *p = s->p + 2, *last = end - 2;

	if (end - s->p < 4 || end[-1] != ')' || end[-2] != ')')
		return fail(s, "expected '))'");
	for (uint32_t i = 0; i < parts; i++) {
		size_t len = i + 1 < parts ? strcspn(p, ";") : (size_t)(last - p);

		if (p > last || p + len > last)
			return fail(s, "expected ';'");
		add_word(s, n, darena_str(s->mem, p, len));
		p += len + 1;
	}
	s->p = end;
	return true;
}

static struct shnode *for_rest(struct shparse *s)
{
	struct shnode *n = node(s, SH_FOR, NULL, NULL);

	blanks(s);
	if (s->p[0] == '(' && s->p[1] == '(') {
		n->kind = SH_COUNT;
		if (!sum_parts(s, n, 3))
			return NULL;
		blanks(s);
		s->p += *s->p == ';';
		return body(s, &n->a) ? n : NULL;
	}
	add_word(s, n, take_word(s));
	newlines(s);
	if (take(s, "in")) {
		n->has_in = true;
		for (blanks(s); *s->p && *s->p != ';' && *s->p != '\n' && !s->failed; blanks(s)) {
			const char *was = s->p;

			add_word(s, n, take_word(s));
			if (s->p == was)
				return fail(s, "syntax error");
		}
	}
	blanks(s);
	if (*s->p == ';')
		s->p++;
	return body(s, &n->a) ? n : NULL;
}

static struct shnode *while_rest(struct shparse *s, enum shkind kind)
{
	static const char *const dos[] = { "do", NULL };
	struct shnode *n = node(s, kind, NULL, NULL);

	n->a = list(s, dos);
	return body(s, &n->b) ? n : NULL;
}

static struct shnode *case_rest(struct shparse *s)
{
	static const char *const esac[] = { "esac", NULL };
	struct shnode *n = node(s, SH_CASE, NULL, NULL), **tail = &n->a;

	add_word(s, n, take_word(s));
	newlines(s);
	if (!expect(s, "in"))
		return NULL;
	for (newlines(s); !next_is(s, "esac") && *s->p && !s->failed; newlines(s)) {
		struct shnode *arm = node(s, SH_SEQ, NULL, NULL);

		if (*s->p == '(')
			s->p++;
		do {
			add_word(s, arm, take_word(s));
			blanks(s);
		} while (*s->p == '|' && s->p++);
		if (*s->p != ')')
			return fail(s, "expected ')'");
		s->p++;
		arm->a = list(s, esac);
		*tail = arm;
		tail = &arm->b;
		if (s->p[0] == ';' && s->p[1] == ';')
			s->p += 2;
	}
	return expect(s, "esac") ? n : NULL;
}

/* "name()" in front of a body. */
static bool is_function(struct shparse *s)
{
	const char *p = s->p + strspn(s->p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	if (p == s->p)
		return false;
	p += strspn(p, " \t");
	if (*p != '(')
		return false;
	p++;
	p += strspn(p, " \t");
	return *p == ')';
}

static struct shnode *command(struct shparse *s);

static struct shnode *function_rest(struct shparse *s)
{
	struct shnode *n = node(s, SH_FUNC, NULL, NULL);

	add_word(s, n, take_word(s));
	blanks(s);
	if (!*n->word[0])
		return fail(s, "expected a function's name");
	if (*s->p == '(') {
		s->p++;
		blanks(s);
		if (*s->p != ')')
			return fail(s, "expected ')'");
		s->p++;
	}
	newlines(s);
	n->a = command(s);
	return n->a ? n : NULL;
}

/* "[[ a && b ]]": its operators are words. */
static struct shnode *double_bracket(struct shparse *s)
{
	struct shnode *n = node(s, SH_SIMPLE, NULL, NULL);

	add_word(s, n, "[[");
	while (!s->failed) {
		newlines(s);
		if (!*s->p)
			return fail(s, "expected ']]'");
		if (strchr("&|<>()", *s->p)) {
			size_t len = (s->p[0] == '&' || s->p[0] == '|') && s->p[1] == s->p[0] ? 2 : 1;

			add_word(s, n, darena_str(s->mem, s->p, len));
			s->p += len;
			continue;
		}
		if (*s->p == ';')
			return fail(s, "expected ']]'");
		add_word(s, n, take_word(s));
		if (!strcmp(n->word[n->n_words - 1], "]]"))
			break;
	}
	return n;
}

static struct shnode *simple(struct shparse *s)
{
	struct shnode *n = node(s, SH_SIMPLE, NULL, NULL);

	for (;;) {
		const char *was;

		redirections(s, n);
		blanks(s);
		was = s->p;
		if (!*s->p || strchr("\n;|&()", *s->p))
			break;
		add_word(s, n, take_word(s));
		if (s->p == was)
			break;
		if (n->n_words == SH_MAX_WORDS)
			return fail(s, "more words than a command takes");
	}
	return n->n_words || n->redir ? n : fail(s, "syntax error");
}

static struct shnode *compound(struct shparse *s)
{
	static const char *const brace[] = { "}", NULL };
	struct shnode *n;

	if (take(s, "if"))
		return if_rest(s);
	if (take(s, "for") || (!strncmp(s->p, "for((", 5) && (s->p += 3)))
		return for_rest(s);
	if (take(s, "while"))
		return while_rest(s, SH_WHILE);
	if (take(s, "until"))
		return while_rest(s, SH_UNTIL);
	if (take(s, "case"))
		return case_rest(s);
	if (take(s, "function") || is_function(s))
		return function_rest(s);
	if (take(s, "[["))
		return double_bracket(s);
	if (take(s, "{")) {
		n = node(s, SH_GROUP, list(s, brace), NULL);
		return expect(s, "}") ? n : NULL;
	}
	if (*s->p != '(')
		return simple(s);
	if (s->p[1] == '(') {
		n = node(s, SH_SIMPLE, NULL, NULL);
		add_word(s, n, "let");
		return sum_parts(s, n, 1) ? n : NULL;
	}
	s->p++;
	n = node(s, SH_SUBSHELL, list(s, NULL), NULL);
	blanks(s);
	if (*s->p != ')')
		return fail(s, "expected ')'");
	s->p++;
	return n;
}

static struct shnode *command(struct shparse *s)
{
	struct shnode *n;

	if (s->depth >= SH_MAX_DEPTH)
		return fail(s, "commands nested too deep");
	s->depth++;
	blanks(s);
	n = compound(s);
	s->depth--;
	if (n && n->kind != SH_SIMPLE)
		redirections(s, n);
	return s->failed ? NULL : n;
}

/* ---- lists ---- */

static struct shnode *pipeline(struct shparse *s)
{
	bool no = take(s, "!");
	struct shnode *n = command(s), *r;

	for (blanks(s); n && *s->p == '|' && s->p[1] != '|'; blanks(s)) {
		s->p += s->p[1] == '&' ? 2 : 1;
		newlines(s);
		r = command(s);
		n = r ? node(s, SH_PIPE, n, r) : NULL;
	}
	return n && no ? node(s, SH_NOT, n, NULL) : n;
}

static struct shnode *and_or(struct shparse *s)
{
	struct shnode *n = pipeline(s), *r;

	for (blanks(s); n && ((s->p[0] == '&' && s->p[1] == '&') || (s->p[0] == '|' && s->p[1] == '|')); blanks(s)) {
		enum shkind kind = *s->p == '&' ? SH_AND : SH_OR;

		s->p += 2;
		newlines(s);
		r = pipeline(s);
		n = r ? node(s, kind, n, r) : NULL;
	}
	return n;
}

static bool at_end(struct shparse *s, const char *const *ends)
{
	newlines(s);
	if (!*s->p || *s->p == ')' || (s->p[0] == ';' && s->p[1] == ';') || s->failed)
		return true;
	for (; ends && *ends; ends++)
		if (next_is(s, *ends))
			return true;
	return false;
}

/* Commands until one of these words, a bracket, or the end. May be NULL: none. */
static struct shnode *list(struct shparse *s, const char *const *ends)
{
	struct shnode *first = NULL, **tail = &first, *n;

	while (!at_end(s, ends)) {
		n = and_or(s);
		if (!n)
			return fail(s, "syntax error");
		blanks(s);
		if (*s->p == '&')
			n = node(s, SH_BACKGROUND, n, NULL);
		if (*s->p == '&' || (*s->p == ';' && s->p[1] != ';'))
			s->p++;
		else if (*s->p && *s->p != '\n' && *s->p != ')' && *s->p != ';')
			return fail(s, "syntax error");
		*tail = node(s, SH_SEQ, n, NULL);
		tail = &(*tail)->b;
	}
	return first;
}

struct shnode *sh_parse(struct darena *mem, const char *text, char *err, size_t room)
{
	struct shparse s = { .mem = mem, .p = text, .line = 1, .err = err, .room = room };
	struct shnode *n;

	s.here_tail = &s.here;
	*err = '\0';
	n = list(&s, NULL);
	if (!s.failed && *s.p)
		fail(&s, "syntax error");
	if (s.failed)
		return NULL;
	return n ? n : node(&s, SH_SEQ, NULL, NULL);
}

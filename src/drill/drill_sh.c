/* The shell of a script's commands walks its tree.
 *
 * Decides: what runs, in which order, with which status; where output goes; when set -e ends it. What cannot mean anything here is
 * "tainted": it succeeds, and so does what only asks about it. Called by drill_shell.c. Tests: tests/packet/shell,
 * tests/unit/drill/test_drill_shell.c. */
#include <stdlib.h>
#include <string.h>
#include "drill/drill_sh.h"

char *sh_keep(struct shell *s, const char *text, size_t len)
{
	return darena_str(&s->d->sc.mem, text, len);
}

/* ---- redirections ---- */

struct flow {
	struct strbuf buf, *was_out;
	const char *was_in, *path;
	bool to_file, append, thrown, own_in;
};

static void flow_begin(struct shell *s, const struct shredir *r, struct flow *f)
{
	*f = (struct flow){ .was_out = s->out, .was_in = s->in };
	sb_init(&f->buf);
	for (; r; r = r->next) {
		const struct shredir *here = r->op == 'H' ? (const struct shredir *)(const void *)r->word : r;
		bool out = r->op == '>' || r->op == 'a';

		f->own_in |= r->op == 'H' || r->op == 's' || r->op == '<';
		if (r->op == 'H') {
			s->in = here->quoted ? here->word : sh_expand_one(s, here->word);
		} else if (r->op == 's') {
			s->in = sh_expand_one(s, r->word);
		} else if (r->op == '<') {
			s->in = shell_read_file(s, sh_expand_one(s, r->word));
		} else if (out && (r->fd == 1 || r->both)) {
			f->path = sh_expand_one(s, r->word);
			f->to_file = true;
			f->append = r->op == 'a';
		} else if (r->op == '=' && r->fd == 1 && !strcmp(r->word, "2")) {
			f->thrown = true; /* what is said to people is not kept */
		}
	}
	if (f->to_file || f->thrown)
		s->out = &f->buf;
}

static void flow_end(struct shell *s, struct flow *f)
{
	if (f->to_file)
		shell_write_file(s, f->path, sb_str(&f->buf), f->buf.len, f->append);
	sb_free(&f->buf);
	s->out = f->was_out;
	if (f->own_in) /* else what was read of it stays read */
		s->in = f->was_in;
}

/* ---- simple commands ---- */

static size_t assignment(const char *w)
{
	size_t n = strspn(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

	return n && w[n] == '=' && !(*w >= '0' && *w <= '9') ? n : 0;
}

static int call_function(struct shell *s, const struct shfunc *f, char **w, uint32_t n)
{
	char **argv = s->argv;
	uint32_t argc = s->argc;
	int r = 0;

	if (s->depth >= SH_MAX_DEPTH) {
		drill_note(s->d, s->line, "%s calls itself too deep", f->name);
		return 1;
	}
	s->depth++;
	s->argv = w;
	s->argc = n;
	r = sh_run(s, f->body);
	if (s->stop == SH_RETURN)
		s->stop = SH_RUNS;
	s->argv = argv;
	s->argc = argc;
	s->depth--;
	return r;
}

static int assign_all(struct shell *s, char **w, uint32_t n, uint32_t from)
{
	for (uint32_t i = from; i < n; i++) {
		size_t len = assignment(w[i]);

		if (len)
			sh_set(s, w[i], len, w[i] + len + 1);
	}
	return 0;
}

static int leave(struct shell *s, char **w, uint32_t n, enum shstop stop)
{
	s->stop = stop;
	if (stop == SH_EXIT || stop == SH_RETURN) {
		s->checks |= n > 1;
		return n > 1 ? (int)strtol(w[1], NULL, 10) & 255 : s->status;
	}
	return 0;
}

static int do_set(struct shell *s, char **w, uint32_t n)
{
	uint32_t i = 1;

	for (; i < n && (w[i][0] == '-' || w[i][0] == '+') && w[i][1]; i++) {
		if (!strcmp(w[i], "--")) {
			i++;
			break;
		}
		if (strchr(w[i], 'e') && strcmp(w[i], "-o") != 0)
			s->errexit = w[i][0] == '-';
		if (!strcmp(w[i], "-o") && i + 1 < n)
			s->errexit |= !strcmp(w[++i], "errexit");
	}
	if (i < n) {
		s->argv = darena_get(&s->d->sc.mem, (n - i + 1) * sizeof(*s->argv));
		s->argv[0] = w[0];
		memcpy(s->argv + 1, w + i, (n - i) * sizeof(*w));
		s->argc = n - i + 1;
	}
	return 0;
}

static int do_eval(struct shell *s, char **w, uint32_t n)
{
	struct strbuf sb;
	int r;

	sb_init(&sb);
	for (uint32_t i = 1; i < n; i++)
		sb_printf(&sb, "%s%s", i > 1 ? " " : "", w[i]);
	r = sh_text(s, sb_str(&sb));
	sb_free(&sb);
	return r;
}

/* read NAME...: a line of what stands in front. */
static int do_read(struct shell *s, char **w, uint32_t n)
{
	const char *p = s->in ? s->in : "", *end = p + strcspn(p, "\n");
	bool got = *p != '\0';

	for (uint32_t i = 1; i < n; i++) {
		size_t len;

		if (w[i][0] == '-')
			continue;
		p += strspn(p, " \t");
		p = p < end ? p : end;
		len = i + 1 == n ? (size_t)(end - p) : min_sz(strcspn(p, " \t\n"), (size_t)(end - p));
		sh_set(s, w[i], strlen(w[i]), sh_keep(s, p, len));
		p += len;
	}
	s->in = s->in ? end + (*end == '\n') : NULL;
	return !got;
}

static bool builtin(struct shell *s, char **w, uint32_t n, int *r)
{
	const char *c = w[0];

	*r = 0;
	if (!strcmp(c, "exit"))
		*r = leave(s, w, n, SH_EXIT);
	else if (!strcmp(c, "return"))
		*r = leave(s, w, n, SH_RETURN);
	else if (!strcmp(c, "break"))
		*r = leave(s, w, n, SH_BREAK);
	else if (!strcmp(c, "continue"))
		*r = leave(s, w, n, SH_CONTINUE);
	else if (!strcmp(c, "set"))
		*r = do_set(s, w, n);
	else if (!strcmp(c, "eval"))
		*r = do_eval(s, w, n);
	else if (!strcmp(c, "read"))
		*r = do_read(s, w, n);
	else if (!strcmp(c, "export") || !strcmp(c, "local") || !strcmp(c, "readonly") || !strcmp(c, "declare") || !strcmp(c, "typeset"))
		*r = assign_all(s, w, n, 1);
	else if (!strcmp(c, "unset"))
		for (uint32_t i = 1; i < n; i++)
			sh_set(s, w[i], strlen(w[i]), NULL);
	else if (!strcmp(c, "let") && n > 1) {
		for (uint32_t i = 1; i < n; i++)
			*r = sh_arith(s, w[i]) == 0;
		s->checks = true;
	}
	else if (!strcmp(c, "shift")) {
		if (s->argc > 1) {
			s->argv++;
			s->argc--;
		}
	} else if (!strcmp(c, "[") || !strcmp(c, "[[") || !strcmp(c, "test")) {
		*r = sh_test(s, w, n);
		s->checks = true;
	} else {
		return false;
	}
	return true;
}

/* What is run, for a message about its status. */
static void remember(struct shell *s, char **w, uint32_t n)
{
	struct strbuf sb;

	sb_init(&sb);
	for (uint32_t i = 0; i < n && sb.len < 120; i++)
		sb_printf(&sb, "%s%s", i ? " " : "", w[i]);
	s->last = sh_keep(s, sb_str(&sb), sb.len);
	sb_free(&sb);
}

static int run_words(struct shell *s, char **w, uint32_t n)
{
	const struct shfunc *f;
	int r;

	remember(s, w, n);

	for (f = s->funcs; f; f = f->next)
		if (!strcmp(f->name, w[0]))
			return call_function(s, f, w, n);
	if (builtin(s, w, n, &r) || sh_text_program(s, w, n, &r))
		return r;
	return shell_program(s, w, n);
}

static int run_simple(struct shell *s, const struct shnode *n)
{
	char **w = xcalloc(SH_MAX_WORDS + 1u, sizeof(*w));
	uint32_t k = 0, first = 0;
	struct flow f;
	int r = 0;
	bool was_tainted = s->tainted;

	s->checks = s->tainted = false;
	s->status = n->n_words ? s->status : 0;
	for (; first < n->n_words && assignment(n->word[first]); first++) {
		size_t len = assignment(n->word[first]);

		s->status = 0;
		sh_set(s, n->word[first], len, sh_expand_one(s, n->word[first] + len + 1));
		r = s->status;
	}
	for (uint32_t i = first; i < n->n_words; i++)
		k = sh_expand(s, n->word[i], w, k);
	flow_begin(s, n->redir, &f);
	if (k) {
		s->tainted |= was_tainted && s->in && s->in == f.was_in; /* what came through the pipe */
		r = run_words(s, w, k);
		if (s->tainted)
			r = 0;
	}
	flow_end(s, &f);
	free(w);
	return r;
}

/* ---- the tree ---- */

static int run_pipe(struct shell *s, const struct shnode *n)
{
	struct strbuf mid, *out = s->out;
	struct shvar *vars = s->vars;
	const char *in = s->in;
	enum shstop stop = s->stop;
	int r;

	sb_init(&mid);
	s->out = &mid;
	s->asking++;
	sh_run(s, n->a);
	s->asking--;
	s->out = out;
	s->stop = stop;
	s->in = sh_keep(s, sb_str(&mid), mid.len);
	sb_free(&mid);
	r = sh_run(s, n->b);
	s->in = in;
	s->vars = vars;
	return r;
}

static int asked(struct shell *s, const struct shnode *n)
{
	int r;

	s->asking++;
	r = n ? sh_run(s, n) : 0;
	s->asking--;
	return r;
}

/* After a loop's body: does it go on? */
static bool goes_on(struct shell *s)
{
	if (s->stop == SH_CONTINUE)
		s->stop = SH_RUNS;
	if (s->stop == SH_BREAK) {
		s->stop = SH_RUNS;
		return false;
	}
	return s->stop == SH_RUNS && !s->d->failed;
}

static int run_for(struct shell *s, const struct shnode *n)
{
	char **w = xcalloc(SH_MAX_WORDS + 1u, sizeof(*w));
	uint32_t k = 0;
	int r = 0;

	for (uint32_t i = 1; i < n->n_words; i++)
		k = sh_expand(s, n->word[i], w, k);
	for (uint32_t i = 1; !n->has_in && i < s->argc; i++)
		w[k++] = s->argv[i];
	for (uint32_t i = 0; i < k; i++) {
		sh_set(s, n->word[0], strlen(n->word[0]), w[i]);
		r = n->a ? sh_run(s, n->a) : 0;
		if (!goes_on(s))
			break;
	}
	free(w);
	return r;
}

static int run_while(struct shell *s, const struct shnode *n)
{
	int r = 0;

	while ((asked(s, n->a) == 0) == (n->kind == SH_WHILE) && s->stop == SH_RUNS && !s->d->failed) {
		r = n->b ? sh_run(s, n->b) : 0;
		if (!goes_on(s) || s->tainted) /* who waits for what has no meaning here waits for ever */
			break;
	}
	return r;
}

/* for ((a; b; c)) */
static int run_count(struct shell *s, const struct shnode *n)
{
	int r = 0;

	sh_arith(s, sh_expand_one(s, n->word[0]));
	while ((!n->word[1][strspn(n->word[1], " \t")] || sh_arith(s, sh_expand_one(s, n->word[1]))) && !s->d->failed) {
		r = n->a ? sh_run(s, n->a) : 0;
		if (!goes_on(s) || s->steps++ > SH_MAX_STEPS)
			break;
		sh_arith(s, sh_expand_one(s, n->word[2]));
	}
	return r;
}

static int run_case(struct shell *s, const struct shnode *n)
{
	const char *v = sh_expand_one(s, n->word[0]);

	for (const struct shnode *arm = n->a; arm; arm = arm->b)
		for (uint32_t i = 0; i < arm->n_words; i++)
			if (sh_match(sh_expand_one(s, arm->word[i]), v))
				return arm->a ? sh_run(s, arm->a) : 0;
	return 0;
}

static int run_subshell(struct shell *s, const struct shnode *n)
{
	struct shell was = *s;
	int r = n->a ? sh_run(s, n->a) : 0;

	if (s->stop == SH_EXIT || s->stop == SH_RETURN)
		s->stop = SH_RUNS;
	s->vars = was.vars;
	s->funcs = was.funcs;
	s->argv = was.argv;
	s->argc = was.argc;
	s->errexit = was.errexit;
	return r;
}

static int define(struct shell *s, const struct shnode *n)
{
	struct shfunc *f = darena_get(&s->d->sc.mem, sizeof(*f));

	f->name = n->word[0];
	f->body = n->a;
	f->next = s->funcs;
	s->funcs = f;
	return 0;
}

static int run_kind(struct shell *s, const struct shnode *n)
{
	int r;

	switch (n->kind) {
	case SH_SIMPLE:
		return run_simple(s, n);
	case SH_PIPE:
		return run_pipe(s, n);
	case SH_AND:
	case SH_OR:
		r = asked(s, n->a);
		return (r == 0) == (n->kind == SH_AND) && s->stop == SH_RUNS ? sh_run(s, n->b) : r;
	case SH_NOT:
		r = asked(s, n->a);
		s->checks |= r == 0;
		return s->tainted ? 0 : !r;
	case SH_IF:
		r = asked(s, n->a);
		return s->stop != SH_RUNS ? r : r == 0 ? (n->b ? sh_run(s, n->b) : 0) : n->c ? sh_run(s, n->c) : 0;
	case SH_WHILE:
	case SH_UNTIL:
		return run_while(s, n);
	case SH_FOR:
		return run_for(s, n);
	case SH_COUNT:
		return run_count(s, n);
	case SH_CASE:
		return run_case(s, n);
	case SH_FUNC:
		return define(s, n);
	case SH_GROUP:
		return n->a ? sh_run(s, n->a) : 0;
	case SH_SUBSHELL:
		return run_subshell(s, n);
	case SH_BACKGROUND:
		asked(s, n->a);
		return 0;
	default:
		return 0;
	}
}

static int run_one(struct shell *s, const struct shnode *n)
{
	struct flow f;
	int r;

	if (s->steps++ > SH_MAX_STEPS) {
		drill_error(s->d, s->line, "a command that does not end: more than %u steps", SH_MAX_STEPS);
		return 1;
	}
	if (n->kind == SH_SIMPLE || !n->redir)
		return s->status = run_kind(s, n);
	flow_begin(s, n->redir, &f);
	r = run_kind(s, n);
	flow_end(s, &f);
	return s->status = r;
}

int sh_run(struct shell *s, const struct shnode *n)
{
	int r = 0;

	if (n->kind != SH_SEQ)
		return run_one(s, n);
	for (; n && s->stop == SH_RUNS && !s->d->failed; n = n->b) {
		if (!n->a)
			continue;
		r = run_one(s, n->a);
		if (r && s->errexit && s->checks && !s->asking && n->a->kind != SH_AND && n->a->kind != SH_OR && n->a->kind != SH_NOT && s->stop == SH_RUNS)
			s->stop = SH_EXIT;
	}
	return r;
}

/* Where line k (from 1) of text begins. */
static const char *line_at(const char *text, unsigned long k)
{
	for (; k > 1 && (text = strchr(text, '\n')) != NULL; k--)
		text++;
	return text;
}

/* A line that cannot be read is left out, with what it is a part of; a shell too has run what stands in front of it by then. */
static int run_around(struct shell *s, const char *text, const char *err)
{
	char again[200];
	const char *at = strstr(err, "line ") == err ? line_at(text, strtoul(err + 5, NULL, 10)) : NULL, *rest;
	const struct shnode *before, *behind;
	int r = 0;

	if (!at)
		return 0;
	rest = strchr(at, '\n');
	before = at > text ? sh_parse(&s->d->sc.mem, sh_keep(s, text, (size_t)(at - text)), again, sizeof(again)) : NULL;
	behind = rest ? sh_parse(&s->d->sc.mem, rest + 1, again, sizeof(again)) : NULL;
	if ((at > text && !before) || (rest && !behind))
		return 0;
	if (before)
		r = sh_run(s, before);
	if (behind && s->stop == SH_RUNS)
		r = sh_run(s, behind);
	return behind ? r : 0;
}

int sh_text(struct shell *s, const char *text)
{
	char err[200];
	const struct shnode *n = sh_parse(&s->d->sc.mem, text, err, sizeof(err));

	if (!n) {
		int r;

		drill_note(s->d, s->line, "a command is left out, the shell here cannot read it: %s", err);
		r = run_around(s, text, err);
		s->tainted |= r == 0;
		return r;
	}
	return sh_run(s, n);
}

/* Lines from a person: libedit with history and completion on a terminal, plain reading from a pipe. Called by
 * cli/cmd_lab.c. In the editor ^C empties the line; while a command runs it is SIGINT (os_signal_fd). */
#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/pool.h"
#include "base/strbuf.h"
#include "os/os_term.h"

#define PROMPT_HISTORY 1000
#define PROMPT_MAX_OFFERS 512u

struct os_prompt {
	EditLine *el; /* NULL: not a terminal */
	History *hist;
	const struct os_prompt_ops *ops;
	char *prompt;
	char *line; /* last line read */
	size_t room;
	/* words offered for the completion under way */
	char *offer[PROMPT_MAX_OFFERS];
	size_t n_offers;
};

static struct os_prompt *prompt_of(EditLine *el)
{
	void *p = NULL;

	el_get(el, EL_CLIENTDATA, &p);
	return p;
}

static char *prompt_text(EditLine *el)
{
	return prompt_of(el)->prompt;
}

static unsigned char prompt_cancel(EditLine *el, int ch)
{
	const LineInfo *li = el_line(el);

	/* Empty the line, keep the editor. */
	el_cursor(el, (int)(li->lastchar - li->cursor));
	li = el_line(el);
	el_deletestr(el, (int)(li->lastchar - li->buffer));
	return CC_REFRESH;
}

static void prompt_offer(void *ctx, const char *word)
{
	struct os_prompt *p = ctx;

	if (p->n_offers < PROMPT_MAX_OFFERS)
		p->offer[p->n_offers++] = xstrdup(word);
}

static size_t common_prefix(struct os_prompt *p)
{
	size_t n = strlen(p->offer[0]);

	for (size_t i = 1; i < p->n_offers; i++) {
		size_t k = 0;

		while (k < n && p->offer[i][k] == p->offer[0][k])
			k++;
		n = k;
	}
	return n;
}

static void prompt_show_offers(struct os_prompt *p)
{
	struct strbuf sb;

	sb_init(&sb);
	sb_putc(&sb, '\n');
	for (size_t i = 0; i < p->n_offers; i++)
		sb_printf(&sb, "%s%s", i ? "  " : "", p->offer[i]);
	sb_putc(&sb, '\n');
	os_print(sb_str(&sb), sb.len);
	sb_free(&sb);
}

static unsigned char prompt_complete(EditLine *el, int ch)
{
	struct os_prompt *p = prompt_of(el);
	const LineInfo *li = el_line(el);
	size_t len = (size_t)(li->cursor - li->buffer), start = len, typed, common;
	char *line = xcalloc(1, len + 1);
	unsigned char r = CC_ERROR;

	memcpy(line, li->buffer, len);
	while (start && line[start - 1] != ' ')
		start--;
	typed = len - start;
	p->n_offers = 0;
	p->ops->complete(p->ops->arg, line, start, prompt_offer, p);
	free(line);
	if (p->n_offers) {
		common = common_prefix(p);
		if (common > typed || p->n_offers == 1) {
			p->offer[0][common] = '\0';
			el_insertstr(el, p->offer[0] + typed);
			if (p->n_offers == 1)
				el_insertstr(el, " ");
			r = CC_REFRESH;
		} else {
			prompt_show_offers(p);
			r = CC_REDISPLAY;
		}
	}
	for (size_t i = 0; i < p->n_offers; i++)
		free(p->offer[i]);
	p->n_offers = 0;
	return r;
}

static void prompt_edit(struct os_prompt *p)
{
	HistEvent ev;

	p->el = el_init("culver", stdin, stdout, stderr);
	if (!p->el)
		return;
	p->hist = history_init();
	history(p->hist, &ev, H_SETSIZE, PROMPT_HISTORY);
	history(p->hist, &ev, H_SETUNIQUE, 1);
	el_set(p->el, EL_CLIENTDATA, p);
	el_set(p->el, EL_PROMPT, prompt_text);
	el_set(p->el, EL_EDITOR, "emacs");
	el_set(p->el, EL_HIST, history, p->hist);
	el_set(p->el, EL_ADDFN, "culver-complete", "complete the word", prompt_complete);
	el_set(p->el, EL_ADDFN, "culver-cancel", "empty the line", prompt_cancel);
	el_set(p->el, EL_BIND, "^I", "culver-complete", NULL);
	el_set(p->el, EL_BIND, "^C", "culver-cancel", NULL);
	el_set(p->el, EL_SETTY, "-d", "-isig", NULL);
}

struct os_prompt *os_prompt_new(const char *prompt, const struct os_prompt_ops *ops)
{
	struct os_prompt *p = xcalloc(1, sizeof(*p));

	p->prompt = xstrdup(prompt);
	p->ops = ops;
	if (os_is_tty(STDIN_FILENO) && os_is_tty(STDOUT_FILENO))
		prompt_edit(p);
	return p;
}

void os_prompt_free(struct os_prompt *p)
{
	if (p->el)
		el_end(p->el);
	if (p->hist)
		history_end(p->hist);
	free(p->prompt);
	free(p->line);
	free(p);
}

static bool line_blank(const char *s)
{
	return s[strspn(s, " \t")] == '\0';
}

const char *os_prompt_read(struct os_prompt *p)
{
	ssize_t len;

	if (p->el) {
		int n = 0;
		const char *s = el_gets(p->el, &n);

		if (!s || n <= 0)
			return NULL;
		free(p->line);
		p->line = xstrdup(s);
		len = n;
	} else {
		len = getline(&p->line, &p->room, stdin);
		if (len < 0)
			return NULL;
	}
	if (len && p->line[len - 1] == '\n')
		p->line[len - 1] = '\0';
	if (p->el && !line_blank(p->line)) {
		HistEvent ev;

		history(p->hist, &ev, H_ENTER, p->line);
	}
	return p->line;
}

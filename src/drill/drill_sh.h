/* The shell of a script's commands, in six files: drill_sh_parse.c makes a tree of the text, drill_sh.c walks it, drill_sh_word.c expands
 * words, drill_sh_text.c and drill_sh_grep.c have the programs that only move text (echo, grep, cut, ...). What a command does to the host
 * under test is drill_shell.c's. Nothing here ever starts a program of this machine. */
#ifndef DRILL_DRILL_SH_H
#define DRILL_DRILL_SH_H

#include "drill/drill_int.h"

#define SH_MAX_WORDS 1024u
#define SH_MAX_DEPTH 32u
#define SH_MAX_FILE (256u << 10)
#define SH_MAX_STEPS 100000u   /* commands of one run: a loop that does not end is told */
#define SH_MAX_OUT (1u << 20)  /* octets of what one command prints */

/* ---- the tree ---- */
struct shredir {
	struct shredir *next;
	int fd;          /* -1: as the operator says; 1 and 2 for &> */
	char op;         /* '>' write, 'a' append, '<' read, 'h' text that is here, '=' a copy of another descriptor */
	bool both, quoted;
	const char *word; /* not expanded yet */
};
enum shkind { SH_SIMPLE, SH_PIPE, SH_AND, SH_OR, SH_SEQ, SH_NOT, SH_IF, SH_WHILE, SH_UNTIL, SH_FOR, SH_COUNT, SH_CASE, SH_FUNC, SH_GROUP, SH_SUBSHELL, SH_BACKGROUND };
struct shnode {
	enum shkind kind;
	uint32_t line, n_words;
	struct shnode *a, *b, *c; /* IF: condition, then, else; WHILE: condition, body; CASE: first arm, whose b is the next one */
	const char **word;        /* SIMPLE; FOR: name and list; CASE: the word, or an arm's patterns; FUNC: name */
	struct shredir *redir;
	bool has_in;              /* FOR: with a list */
};
/* NULL: err says what is wrong (and where). Memory is the arena's. */
struct shnode *sh_parse(struct darena *mem, const char *text, char *err, size_t room);
/* The end of the word that begins at p. */
const char *sh_word_end(const char *p);
/* Behind the bracket that closes the one at p ("(", "{"), quotes and nesting heeded. */
const char *sh_close(const char *p);
/* The same for "$[...]", bash's older sums. */
const char *sh_bracket_close(const char *p);

/* ---- a run ---- */
struct shvar {
	struct shvar *next; /* newest first: a subshell ends by forgetting what came after it began */
	const char *name, *value;
	bool tainted;
};
struct shfunc {
	struct shfunc *next;
	const char *name;
	struct shnode *body;
};
enum shstop { SH_RUNS, SH_EXIT, SH_RETURN, SH_BREAK, SH_CONTINUE };
struct shell {
	struct drill *d;
	uint32_t line, depth, steps;
	struct strbuf *out;
	const char *in; /* what stands in front of the pipe; NULL: nothing */
	struct shvar *vars;
	struct shfunc *funcs;
	char **argv;    /* $0, $1, ... */
	uint32_t argc;
	int status;
	bool checks;    /* the status is an answer (grep, test, exit), not only a mishap */
	bool tainted;   /* what was just run or expanded depends on something that has no meaning here: its status is 0 */
	bool errexit;
	const char *last;  /* the simple command that ran last, as words: what a message about the status names */
	uint32_t asking; /* inside a condition: set -e does not count */
	enum shstop stop;
};
int sh_run(struct shell *s, const struct shnode *n);
int sh_text(struct shell *s, const char *text);
char *sh_keep(struct shell *s, const char *text, size_t len);
void sh_set(struct shell *s, const char *name, size_t len, const char *value);

/* drill_sh_word.c */
/* Into w (room SH_MAX_WORDS) what a word becomes: none, one or several. */
uint32_t sh_expand(struct shell *s, const char *word, char **w, uint32_t n);
char *sh_expand_one(struct shell *s, const char *word);
bool sh_match(const char *pattern, const char *text);
int64_t sh_arith(struct shell *s, const char *text);

/* drill_sh_text.c: programs that know nothing but text. False: there is none of that name. */
bool sh_text_program(struct shell *s, char **w, uint32_t n, int *status);
int sh_test(struct shell *s, char **w, uint32_t n);
/* The text of the files from w[i] on, or what stands in front of the pipe. */
const char *sh_input(struct shell *s, char **w, uint32_t i, uint32_t n);
/* drill_sh_grep.c. False: an option that is not here. */
bool sh_grep(struct shell *s, char **w, uint32_t n, int *status);

/* drill_shell.c */
int shell_program(struct shell *s, char **w, uint32_t n);
/* A file of the host, or one beside the script. NULL: there is none. */
char *shell_read_file(struct shell *s, const char *path);
void shell_write_file(struct shell *s, const char *path, const char *text, size_t len, bool append);

#endif

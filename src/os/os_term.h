/* The person's side: standard output and error, terminal, environment, lines typed. */
#ifndef OS_OS_TERM_H
#define OS_OS_TERM_H

#include "base/types.h"

/* Write all of it to standard output / error. 0, or -errno; -EPIPE when the reader has gone (if SIGPIPE is
 * ignored). */
int os_print(const char *s, size_t len);
int os_eprint(const char *s, size_t len);
bool os_is_tty(int fd);
/* An environment variable, NULL if unset. */
const char *os_env(const char *name);
/* strerror without state. */
const char *os_strerror(int err);

/* Standard input, output and error that were closed become /dev/null: no file opened later can be taken for one of them. */
void os_hold_standard_fds(void);

/* A write to a pipe without a reader is then an error, not the end of the process. */
void os_ignore_sigpipe(void);

/* A line editor with history and completion (libedit) on a terminal, plain reading otherwise. */
struct os_prompt;
struct os_prompt_ops {
	void *arg;
	/* Offer each completion of the word that begins at "line + start" (line is NUL-terminated at the cursor). */
	void (*complete)(void *arg, const char *line, size_t start, void (*offer)(void *ctx, const char *word), void *ctx);
};
struct os_prompt *os_prompt_new(const char *prompt, const struct os_prompt_ops *ops);
void os_prompt_free(struct os_prompt *p);
/* The next line without its newline; valid until the next call. NULL at the end. An interrupted line is "". */
const char *os_prompt_read(struct os_prompt *p);

#endif

/* Reading /proc files as programs do: whole text, lines, blank-separated fields. */
#ifndef APP_PROC_TEXT_H
#define APP_PROC_TEXT_H

#include "base/strbuf.h"
#include "core/task.h"

#define PROC_FIELDS 200 /* TcpExt has 131 */

/* Append the file's text. 0 or -errno. */
int proc_slurp(struct task *t, const char *path, struct strbuf *out);
/* Write a command to a file and append its answer. 0 or the host's -errno (the answer may say why). */
int proc_command(struct task *t, const char *path, const char *text, struct strbuf *answer);

struct proc_lines {
	char *next;
	char *f[PROC_FIELDS]; /* fields of the current line */
	int nf;
};
/* Walk the lines of a text (which is cut up in place). */
void proc_lines_init(struct proc_lines *l, struct strbuf *sb);
bool proc_lines_next(struct proc_lines *l);
/* Hexadecimal field; 0 when it is not. */
uint64_t proc_hex(const char *s);
uint64_t proc_dec(const char *s);
/* "0100007F:0016" as /proc/net/tcp writes it: address in host order, port. */
bool proc_addr(const char *s, uint32_t *addr, uint16_t *port);

#endif

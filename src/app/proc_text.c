/* /proc files as text (see proc_text.h). Called by netstat, route, arp, ifconfig, nstat, ss. */
#include <errno.h>
#include <string.h>
#include "app/proc_text.h"
#include "socket/syscall.h"

int proc_slurp(struct task *t, const char *path, struct strbuf *out)
{
	char buf[4096];
	int fd = sys_open(t, path, O_RDONLY);
	ssize_t n = fd;

	while (fd >= 0 && (n = sys_read(t, fd, buf, sizeof(buf))) > 0)
		sb_add(out, buf, (size_t)n);
	if (fd >= 0)
		sys_close(t, fd);
	return n < 0 ? (int)n : 0;
}

int proc_command(struct task *t, const char *path, const char *text, struct strbuf *answer)
{
	char buf[4096];
	int fd = sys_open(t, path, O_RDWR);
	ssize_t n = fd < 0 ? fd : sys_write(t, fd, text, strlen(text)), r;

	while (fd >= 0 && (r = sys_read(t, fd, buf, sizeof(buf))) > 0)
		sb_add(answer, buf, (size_t)r);
	if (fd >= 0)
		sys_close(t, fd);
	return n < 0 ? (int)n : 0;
}

void proc_lines_init(struct proc_lines *l, struct strbuf *sb)
{
	l->next = sb->len ? sb->buf : NULL;
	l->nf = 0;
}

bool proc_lines_next(struct proc_lines *l)
{
	char *p = l->next, *end;

	if (!p || !*p)
		return false;
	end = strchr(p, '\n');
	l->next = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	l->nf = 0;
	while (l->nf < PROC_FIELDS) {
		while (*p == ' ' || *p == '\t')
			p++;
		if (!*p)
			break;
		l->f[l->nf++] = p;
		while (*p && *p != ' ' && *p != '\t')
			p++;
		if (*p)
			*p++ = '\0';
	}
	return true;
}

uint64_t proc_hex(const char *s)
{
	uint64_t v = 0;

	for (; *s; s++) {
		int d = *s >= '0' && *s <= '9' ? *s - '0' : *s >= 'A' && *s <= 'F' ? *s - 'A' + 10 : *s >= 'a' && *s <= 'f' ? *s - 'a' + 10 : -1;
		if (d < 0)
			break;
		v = v << 4 | (uint64_t)d;
	}
	return v;
}

uint64_t proc_dec(const char *s)
{
	uint64_t v = 0;

	while (*s >= '0' && *s <= '9')
		v = v * 10 + (uint64_t)(*s++ - '0');
	return v;
}

bool proc_addr(const char *s, uint32_t *addr, uint16_t *port)
{
	const char *colon = strchr(s, ':');
	uint32_t le = (uint32_t)proc_hex(s);

	if (!colon)
		return false;
	*addr = __builtin_bswap32(le); /* printed as the little-endian word it is in memory */
	*port = (uint16_t)proc_hex(colon + 1);
	return true;
}

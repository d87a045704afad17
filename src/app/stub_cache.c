/* The OS cache of names (S3-30): one per host, shared by its programs, kept in a file in the host's
 * memory.
 *
 *     /run/oscache/hosts:   name  expires_ns  canonical  address,address...   ("-": does not exist)
 *
 * Why a file: no daemon whose messages would appear beside the eight of a cold visit (S3-29),
 * nothing in any struct of the stack, and `cat` shows it. Programs of a host run one at a time and
 * no call here sleeps, so a rewrite cannot be interleaved; the file is written beside and renamed
 * all the same. Bound: OSCACHE_MAX names; the oldest go first. Called by stub.c. Tests:
 * tests/unit/app/test_stub.c. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "app/proc_text.h"
#include "app/stub.h"
#include "base/strbuf.h"
#include "socket/syscall.h"
#include "socket/vfs.h"

#define OSCACHE_TMP "/run/oscache/.hosts.new"

static void parse_addrs(const char *s, struct stub_answer *a)
{
	while (a->n < STUB_MAX_ADDRS) {
		char one[IP4_STRLEN] = "";
		size_t n = strcspn(s, ",");

		if (n < sizeof(one))
			memcpy(one, s, n);
		if (ip4_parse(one, &a->addr[a->n]))
			return;
		a->n++;
		if (!s[n])
			return;
		s += n + 1;
	}
}

/* Whether line's fields are a whole, living entry. */
static bool entry_of(const struct proc_lines *l, uint64_t now_ns, struct stub_answer *a)
{
	memset(a, 0, sizeof(*a));
	if (l->nf != 4 || strlen(l->f[2]) >= sizeof(a->canon))
		return false;
	a->source = STUB_OS_CACHE;
	a->expires_ns = proc_dec(l->f[1]);
	memcpy(a->canon, l->f[2], strlen(l->f[2]) + 1);
	if (strcmp(l->f[3], "-"))
		parse_addrs(l->f[3], a);
	return a->expires_ns > now_ns;
}

bool oscache_get(struct task *t, const char *name, struct stub_answer *out)
{
	uint64_t now = sys_clock_ns(t);
	struct proc_lines l;
	struct strbuf sb;
	bool hit = false;

	sb_init(&sb);
	proc_slurp(t, OSCACHE_PATH, &sb);
	proc_lines_init(&l, &sb);
	while (!hit && proc_lines_next(&l))
		hit = l.nf == 4 && !strcasecmp(l.f[0], name) && entry_of(&l, now, out);
	sb_free(&sb);
	return hit;
}

static void put_line(struct strbuf *sb, const char *name, const struct stub_answer *a)
{
	char t[IP4_STRLEN];
	unsigned i;

	sb_printf(sb, "%s %llu %s ", name, (unsigned long long)a->expires_ns,
		  a->canon[0] ? a->canon : "-");
	for (i = 0; i < a->n; i++)
		sb_printf(sb, "%s%s", i ? "," : "", ip4_str(t, a->addr[i]));
	sb_puts(sb, a->n ? "\n" : "-\n");
}

static bool write_whole(struct task *t, const struct strbuf *sb)
{
	int fd = sys_open(t, OSCACHE_TMP, O_WRONLY | O_CREAT | O_TRUNC);

	bool ok;

	if (fd < 0)
		return false; /* without a writable /run there is no cache, only more queries */
	ok = sys_write(t, fd, sb->buf, sb->len) == (ssize_t)sb->len &&
	     !sys_rename(t, OSCACHE_TMP, OSCACHE_PATH);
	sys_close(t, fd);
	return ok;
}

void oscache_put(struct task *t, const char *name, const struct stub_answer *a)
{
	uint64_t now = sys_clock_ns(t);
	struct strbuf old, fresh;
	struct proc_lines l;
	struct stub_answer e;
	unsigned n = 0, skip;

	if (a->expires_ns <= now || strpbrk(name, " \t\n"))
		return;
	sb_init(&old);
	sb_init(&fresh);
	proc_slurp(t, OSCACHE_PATH, &old);
	for (size_t i = 0; i < old.len; i++)
		n += old.buf[i] == '\n';
	skip = n >= OSCACHE_MAX ? n - OSCACHE_MAX + 1 : 0;
	proc_lines_init(&l, &old);
	while (proc_lines_next(&l)) {
		if (skip) {
			skip--;
			continue;
		}
		if (entry_of(&l, now, &e) && strcasecmp(l.f[0], name))
			put_line(&fresh, l.f[0], &e);
	}
	put_line(&fresh, name, a);
	if (write_whole(t, &fresh))
		TRACE(&t->net->probe, TR_APP, 0, "os cache stored name=%s ttl=%llu", name,
		      (unsigned long long)((a->expires_ns - now) / NSEC_PER_SEC));
	sb_free(&old);
	sb_free(&fresh);
}

void oscache_flush(struct task *t)
{
	sys_unlink(t, OSCACHE_PATH);
}

/* The knobs of one host: a sorted table of names, each with its integers or its own get and set.
 *
 * Decides: what a name means, whether a text is a value within bounds. Called by: procfs.c (/proc/sys), the sysctl program through it, the lab file's sysctls. Calls: the
 * knob's changed, get or set. Names compare with sysctl(8)'s two spellings made one.
 * Tests: tests/unit/core/test_procfs.c. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "core/procfs.h"

#define SYSCTL_MAX_KNOBS 65536
#define SYSCTL_NAME_MAX 200
#define SYSCTL_MAX_INTS 8
#define SYSCTL_TEXT_MAX 1024

struct sysctl_net {
	struct ctl_table *knob; /* sorted; names are ours */
	size_t n, room;
};

/* What separates the parts of this name: whichever of the two stands first. */
static char sysctl_separator(const char *name)
{
	const char *p = strpbrk(name, "./");

	return p ? *p : '.';
}

static int sysctl_norm(char c, char sep)
{
	if (c == sep)
		return '/';
	return c == '/' ? '.' : (unsigned char)c;
}

/* As strcmp, or -when prefix is set- 0 as soon as all of b was found at the front of a. */
static int sysctl_cmp(const char *a, const char *b, bool prefix)
{
	char sa = sysctl_separator(a), sb = sysctl_separator(b);

	for (;; a++, b++) {
		int d;

		if (prefix && !*b)
			return 0;
		d = sysctl_norm(*a, sa) - sysctl_norm(*b, sb);
		if (d || !*a)
			return d;
	}
}

static bool sysctl_find(const struct sysctl_net *s, const char *name, size_t *at)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = sysctl_cmp(s->knob[mid].name, name, false);

		if (!c) {
			*at = mid;
			return true;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*at = lo;
	return false;
}

static void sysctl_drop_at(struct sysctl_net *s, size_t at)
{
	free((void *)(uintptr_t)s->knob[at].name);
	s->n--;
	memmove(s->knob + at, s->knob + at + 1, (s->n - at) * sizeof(*s->knob));
}

static int sysctl_add(struct sysctl_net *s, const struct ctl_table *t)
{
	size_t at;

	if (!*t->name || strlen(t->name) >= SYSCTL_NAME_MAX || t->nr < 0 || t->nr > SYSCTL_MAX_INTS)
		return -EINVAL;
	if (sysctl_find(s, t->name, &at))
		return -EEXIST;
	if (s->n >= SYSCTL_MAX_KNOBS)
		return -ENOSPC;
	if (s->n == s->room) {
		s->room = s->room ? s->room + s->room / 4 : 32; /* few come after boot */
		s->knob = xrealloc(s->knob, s->room * sizeof(*s->knob));
	}
	memmove(s->knob + at + 1, s->knob + at, (s->n - at) * sizeof(*s->knob));
	s->knob[at] = *t;
	s->knob[at].name = xstrdup(t->name);
	s->n++;
	return 0;
}

int register_sysctl(struct net *net, const struct ctl_table *t, size_t n)
{
	struct sysctl_net *s = net->sysctl;
	size_t i, at;

	for (i = 0; i < n; i++) {
		int err = sysctl_add(s, &t[i]);

		if (!err)
			continue;
		while (i-- > 0)
			if (sysctl_find(s, t[i].name, &at))
				sysctl_drop_at(s, at);
		return err;
	}
	return 0;
}

size_t unregister_sysctl(struct net *net, const char *prefix)
{
	struct sysctl_net *s = net->sysctl;
	size_t at, gone = 0;

	sysctl_find(s, prefix, &at);
	while (at < s->n && !sysctl_cmp(s->knob[at].name, prefix, true)) {
		sysctl_drop_at(s, at);
		gone++;
	}
	return gone;
}

bool sysctl_lookup(struct net *net, const char *name, bool *writable)
{
	size_t at;

	if (!sysctl_find(net->sysctl, name, &at))
		return false;
	*writable = net->sysctl->knob[at].data || net->sysctl->knob[at].wide || net->sysctl->knob[at].set;
	return true;
}

static const char *skip_space(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

/* One number as strtoul's base 0 has it, perhaps with a minus and nothing else before it; white space or the end behind it.
 * *p moves behind it. Longer ones than SYSCTL_DIGITS_MAX are none, be they zeros. */
#define SYSCTL_DIGITS_MAX 21
static int sysctl_parse(const char **p, bool *neg, uint64_t *out)
{
	const char *s = skip_space(*p), *start = s;
	char *end;

	*neg = *s == '-';
	s += *neg;
	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	*out = strtoull(s, &end, 0);
	if (errno || (*end && !isspace((unsigned char)*end)) || end - start >= SYSCTL_DIGITS_MAX)
		return -EINVAL;
	*p = end;
	return 0;
}

static int sysctl_take_int(const struct ctl_table *t, int32_t *to, bool neg, uint64_t mag)
{
	int64_t v;

	if (mag > (neg ? 1ull << 31 : INT32_MAX))
		return -EINVAL;
	v = neg ? -(int64_t)mag : (int64_t)mag;
	if ((t->min || t->max) && (v < t->min || v > (t->top ? *t->top : t->max)))
		return -EINVAL;
	*to = (int32_t)v;
	return 0;
}

static int sysctl_take_uint(const struct ctl_table *t, bool neg, uint64_t v)
{
	if (neg || v > UINT32_MAX)
		return -EINVAL;
	if ((t->min || t->max) && (v < (uint32_t)t->min || v > (uint32_t)t->max))
		return -EINVAL;
	*t->data = (int32_t)(uint32_t)v;
	return 0;
}

/* Only what fits 31 bits is a time, but what is above 32 bits was never looked at. */
static int sysctl_take_msecs(const struct ctl_table *t, bool neg, uint64_t mag)
{
	uint32_t v = (uint32_t)(neg ? 0 - mag : mag);

	if (v > INT32_MAX)
		return -EINVAL;
	*t->data = (int32_t)((v + SYSCTL_JIFFY_MS - 1) / SYSCTL_JIFFY_MS * SYSCTL_JIFFY_MS);
	return 0;
}

static int sysctl_take_one(const struct ctl_table *t, bool neg, uint64_t v)
{
	switch (t->kind) {
	case CTL_UINT:
		return sysctl_take_uint(t, neg, v);
	case CTL_MSECS:
		return sysctl_take_msecs(t, neg, v);
	case CTL_ULONG:
		if (neg)
			return -EINVAL;
		*t->wide = v;
		return 0;
	default:
		return sysctl_take_int(t, t->data, neg, v);
	}
}

/* How much of text was taken, or -errno: then what stood before the wrong number has been taken all the same. */
static ssize_t sysctl_take(const struct ctl_table *t, const char *text)
{
	int32_t nr = t->nr ? t->nr : 1, n = 0;
	const char *p = text;
	uint64_t v;
	bool neg;

	for (; n < nr && *skip_space(p); n++) {
		int err = sysctl_parse(&p, &neg, &v);

		if (!err)
			err = nr > 1 ? sysctl_take_int(t, t->data + n, neg, v) : sysctl_take_one(t, neg, v);
		if (err)
			return err;
	}
	if (!n)
		return -EINVAL;
	return skip_space(p) - text;
}

/* text without the white space around it, or one line of it as it is; false: longer than room. */
static bool sysctl_trim(const char *text, char *buf, size_t room, bool line)
{
	size_t len;

	while (!line && isspace((unsigned char)*text))
		text++;
	len = line ? strcspn(text, "\n") : strlen(text);
	while (!line && len && isspace((unsigned char)text[len - 1]))
		len--;
	if (len >= room)
		return false;
	memcpy(buf, text, len);
	buf[len] = '\0';
	return true;
}

static ssize_t sysctl_write_text(struct net *net, const struct ctl_table *t, const char *text)
{
	char trimmed[SYSCTL_TEXT_MAX];
	int err = sysctl_trim(text, trimmed, sizeof(trimmed), t->kind == CTL_LINE) ? t->set(net, t, trimmed) : -EINVAL;

	return err ? err : (ssize_t)strlen(text);
}

ssize_t sysctl_write(struct net *net, const char *name, const char *text, uint64_t *pos)
{
	const struct ctl_table *t;
	ssize_t used;
	size_t at;

	if (!sysctl_find(net->sysctl, name, &at))
		return -ENOENT;
	t = &net->sysctl->knob[at];
	if (!t->set && !t->data && !t->wide)
		return -EACCES;
	if (!*text)
		return 0;
	if (t->set)
		return sysctl_write_text(net, t, text);
	used = *pos ? (ssize_t)strlen(text) : sysctl_take(t, text);
	if (!*pos && (used >= 0 || t->nr > 1) && t->changed)
		t->changed(net, t);
	if (used < 0 || t->kind == CTL_UINT) /* its file has no position, and what follows the number is nobody's */
		return used < 0 ? used : (ssize_t)strlen(text);
	*pos += (uint64_t)used;
	return used;
}

/* Is text as many numbers as t has at most, all within their bounds, and nothing else? */
static bool sysctl_fits(const struct ctl_table *t, const char *text)
{
	struct ctl_table dry = *t;
	int32_t v[SYSCTL_MAX_INTS];
	uint64_t wide;

	dry.data = v;
	dry.wide = &wide;
	return sysctl_take(&dry, text) == (ssize_t)strlen(text);
}

int sysctl_set(struct net *net, const char *name, const char *text)
{
	const struct ctl_table *t;
	uint64_t pos = 0;
	ssize_t used;
	size_t at;

	if (!sysctl_find(net->sysctl, name, &at))
		return -ENOENT;
	t = &net->sysctl->knob[at];
	if ((t->data || t->wide) && !t->set && !sysctl_fits(t, text))
		return -EINVAL;
	used = t->set ? sysctl_write_text(net, t, text) : sysctl_write(net, name, text, &pos);
	return used < 0 ? (int)used : 0;
}

int sysctl_get(struct net *net, const char *name, struct strbuf *out)
{
	const struct ctl_table *t;
	size_t at;
	int32_t i;

	if (!sysctl_find(net->sysctl, name, &at))
		return -ENOENT;
	t = &net->sysctl->knob[at];
	if (t->get) {
		t->get(net, t, out);
		return 0;
	}
	if (t->wide)
		sb_printf(out, "%" PRIu64, *t->wide);
	else if (t->data && t->kind != CTL_INT)
		sb_printf(out, "%u", (uint32_t)*t->data);
	for (i = 0; t->data && t->kind == CTL_INT && i < (t->nr ? t->nr : 1); i++)
		sb_printf(out, "%s%d", i ? "\t" : "", t->data[i]);
	return 0;
}

void sysctl_list(struct net *net, void (*fn)(const char *name, void *arg), void *arg)
{
	size_t i;

	for (i = 0; i < net->sysctl->n; i++)
		fn(net->sysctl->knob[i].name, arg);
}

int sysctl_net_init(struct net *net)
{
	net->sysctl = xcalloc(1, sizeof(*net->sysctl));
	return 0;
}

void sysctl_net_exit(struct net *net)
{
	struct sysctl_net *s = net->sysctl;

	if (!s)
		return;
	while (s->n)
		sysctl_drop_at(s, s->n - 1);
	free(s->knob);
	free(s);
	net->sysctl = NULL;
}

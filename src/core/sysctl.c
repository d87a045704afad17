/* The knobs of one host: a sorted table of names, each with its integers or its own get and set.
 *
 * Decides: what a name means, whether a text is a value within bounds, and that a refused write changes
 * nothing. Called by: procfs.c (/proc/sys), the sysctl program through it, the lab file's sysctls. Calls: the
 * knob's changed, get or set. Names compare with sysctl(8)'s two spellings made one.
 * Tests: tests/unit/core/test_procfs.c. */
#include <ctype.h>
#include <errno.h>
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
	*writable = net->sysctl->knob[at].data || net->sysctl->knob[at].set;
	return true;
}

/* One integer, decimal or 0x/0 as strtol's base 0 has it; moves *p behind it. */
static int sysctl_parse_int(const char **p, int32_t *out)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(*p, &end, 0);
	if (end == *p || errno || v < INT32_MIN || v > INT32_MAX)
		return -EINVAL;
	if (*end && !isspace((unsigned char)*end))
		return -EINVAL;
	*p = end;
	*out = (int32_t)v;
	return 0;
}

static int sysctl_parse_ints(const struct ctl_table *t, const char *text, int32_t *v, int32_t *count)
{
	int32_t nr = t->nr ? t->nr : 1, n = 0;

	for (;;) {
		while (isspace((unsigned char)*text))
			text++;
		if (!*text)
			break;
		if (n == nr || sysctl_parse_int(&text, &v[n]))
			return -EINVAL;
		if ((t->min || t->max) && (v[n] < t->min || v[n] > t->max))
			return -EINVAL;
		n++;
	}
	*count = n;
	return n ? 0 : -EINVAL;
}

/* text without the white space around it; false: longer than room. */
static bool sysctl_trim(const char *text, char *buf, size_t room)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	if (len >= room)
		return false;
	memcpy(buf, text, len);
	buf[len] = '\0';
	return true;
}

int sysctl_set(struct net *net, const char *name, const char *text)
{
	int32_t v[SYSCTL_MAX_INTS], n;
	char trimmed[SYSCTL_TEXT_MAX];
	const struct ctl_table *t;
	size_t at;
	int err;

	if (!sysctl_find(net->sysctl, name, &at))
		return -ENOENT;
	t = &net->sysctl->knob[at];
	if (t->set)
		return sysctl_trim(text, trimmed, sizeof(trimmed)) ? t->set(net, t, trimmed) : -EINVAL;
	if (!t->data)
		return -EACCES;
	err = sysctl_parse_ints(t, text, v, &n);
	if (err)
		return err;
	/* Fewer integers than the knob has leave the rest alone, as in Linux. */
	memcpy(t->data, v, (size_t)n * sizeof(*v));
	if (t->changed)
		t->changed(net, t);
	return 0;
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
	for (i = 0; t->data && i < (t->nr ? t->nr : 1); i++)
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

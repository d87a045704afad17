/* Characters into numbers, words and strings; the script's arena; errors with file and line.
 *
 * Decides what is a blank (three kinds of comments too) and what a number is. Called by the drill_parse*.c files.
 * Tests: tests/unit/drill/test_drill_parse.c, tests/fuzz/fuzz_drill.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/pool.h"
#include "drill/drill_script.h"

#define ARENA_BLOCK 16384u

struct darena_block {
	struct darena_block *next;
	size_t used, room;
	max_align_t data[];
};

void *darena_get(struct darena *a, size_t n)
{
	struct darena_block *b = a->block;
	void *p;

	n = (n + 15u) & ~(size_t)15u;
	if (!b || b->room - b->used < n) {
		size_t room = n > ARENA_BLOCK ? n : ARENA_BLOCK;

		b = xcalloc(1, sizeof(*b) + room);
		b->room = room;
		b->next = a->block;
		a->block = b;
	}
	p = (char *)b->data + b->used;
	b->used += n;
	return p;
}

char *darena_str(struct darena *a, const char *s, size_t len)
{
	char *p = darena_get(a, len + 1);

	memcpy(p, s, len);
	return p;
}

void darena_free(struct darena *a)
{
	while (a->block) {
		struct darena_block *b = a->block;

		a->block = b->next;
		free(b);
	}
}

/* ---- errors ---- */

bool dp_fail(struct dparse *d, const char *fmt, ...)
{
	va_list ap;

	if (d->failed)
		return false;
	d->failed = true;
	sb_printf(d->err, "%s:%u: ", d->sc->name, d->line);
	va_start(ap, fmt);
	sb_vprintf(d->err, fmt, ap);
	va_end(ap);
	sb_putc(d->err, '\n');
	return false;
}

bool dp_unsupported(struct dparse *d, const char *what)
{
	if (d->failed)
		return false;
	d->failed = d->unsupported = true;
	sb_printf(d->err, "%s:%u: %s", d->sc->name, d->line, what);
	return false;
}

/* ---- blanks ---- */

static void skip_line(struct dparse *d)
{
	while (d->p < d->end && *d->p != '\n')
		d->p++;
}

static void skip_block(struct dparse *d)
{
	for (d->p += 2; d->p < d->end; d->p++) {
		if (*d->p == '\n')
			d->line++;
		if (*d->p == '*' && d->p + 1 < d->end && d->p[1] == '/') {
			d->p += 2;
			return;
		}
	}
	dp_fail(d, "a comment that begins with /* has no end");
}

void dp_skip(struct dparse *d)
{
	while (d->p < d->end && !d->failed) {
		char c = *d->p, next = d->p + 1 < d->end ? d->p[1] : '\0';

		if (c == '\n')
			d->line++;
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v')
			d->p++;
		else if (c == '#' || (c == '/' && next == '/'))
			skip_line(d);
		else if (c == '/' && next == '*')
			skip_block(d);
		else
			return;
	}
}

char dp_peek(struct dparse *d)
{
	dp_skip(d);
	return d->p < d->end && !d->failed ? *d->p : '\0';
}

bool dp_is(struct dparse *d, const char *s)
{
	size_t n = strlen(s);

	dp_skip(d);
	return !d->failed && (size_t)(d->end - d->p) >= n && !memcmp(d->p, s, n);
}

bool dp_take(struct dparse *d, const char *s)
{
	if (!dp_is(d, s))
		return false;
	d->p += strlen(s);
	return true;
}

bool dp_expect(struct dparse *d, const char *s)
{
	if (dp_take(d, s))
		return true;
	if (d->p >= d->end)
		return dp_fail(d, "syntax error: expected '%s' but the file ends", s);
	return dp_fail(d, "syntax error: expected '%s' before '%.*s'", s, (int)min_sz((size_t)(d->end - d->p), strcspn(d->p, "\n") < 30 ? strcspn(d->p, "\n") : 30), d->p);
}

static bool word_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

size_t dp_word(struct dparse *d)
{
	size_t n = 0;

	dp_skip(d);
	while (d->p + n < d->end && !d->failed && word_char(d->p[n], n == 0))
		n++;
	return n;
}

bool dp_take_word(struct dparse *d, const char *w)
{
	size_t n = dp_word(d);

	if (n != strlen(w) || memcmp(d->p, w, n) != 0)
		return false;
	d->p += n;
	return true;
}

/* ---- numbers ---- */

static int digit_of(char c, unsigned base)
{
	int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;

	return v < (int)base ? v : -1;
}

static bool digits(struct dparse *d, unsigned base, int64_t *out)
{
	uint64_t v = 0;
	const char *from = d->p;

	for (int k; d->p < d->end && (k = digit_of(*d->p, base)) >= 0; d->p++) {
		if (v > (UINT64_MAX - (unsigned)k) / base)
			return dp_fail(d, "a number that is too large");
		v = v * base + (unsigned)k;
	}
	if (d->p == from)
		return dp_fail(d, "syntax error: expected a number");
	while (d->p < d->end && (*d->p == 'U' || *d->p == 'L' || *d->p == 'u' || *d->p == 'l'))
		d->p++;
	*out = (int64_t)v;
	return true;
}

static bool number_of_name(struct dparse *d, int64_t *out)
{
	size_t n = dp_word(d);
	const struct ddefine *m = dconf_define(&d->sc->conf, d->p, n);

	if (m) {
		struct dparse sub = *d;

		if (d->depth >= DRILL_MAX_DEPTH)
			return dp_fail(d, "macros that name each other");
		sub.p = m->value;
		sub.end = m->value + strlen(m->value);
		sub.depth++;
		if (!dp_number(&sub, out)) {
			d->failed = true;
			d->unsupported = sub.unsupported;
			return false;
		}
	} else if (!dsym_find(d->p, n, out)) {
		if (dsym_foreign(d->p, n))
			return dp_unsupported(d, dsym_foreign(d->p, n));
		return dp_fail(d, "unknown symbol: '%.*s'", (int)min_sz(n, 60), d->p);
	}
	d->p += n;
	return true;
}

bool dp_number(struct dparse *d, int64_t *out)
{
	bool neg = false;
	char c = dp_peek(d);

	if (c == '-' || c == '+') {
		neg = c == '-';
		d->p++;
		c = dp_peek(d);
	}
	if (word_char(c, true)) {
		if (!number_of_name(d, out))
			return false;
	} else if (c == '0' && d->p + 1 < d->end && (d->p[1] == 'x' || d->p[1] == 'X')) {
		d->p += 2;
		if (!digits(d, 16, out))
			return false;
	} else if (!digits(d, 10, out)) {
		return false;
	}
	if (neg)
		*out = (int64_t)(0u - (uint64_t)*out);
	return true;
}

bool dp_ranged(struct dparse *d, int64_t min, int64_t max, int64_t *out, const char *what)
{
	if (!dp_number(d, out))
		return false;
	if (*out >= min && *out <= max)
		return true;
	return dp_fail(d, "%s value out of range: %lld", what, (long long)*out);
}

bool dp_u32(struct dparse *d, uint32_t *out, const char *what)
{
	int64_t v;

	if (!dp_ranged(d, 0, UINT32_MAX, &v, what))
		return false;
	*out = (uint32_t)v;
	return true;
}

/* ---- strings ---- */

static char escaped(struct dparse *d)
{
	char c = *d->p++;
	int hi, lo;

	if (c == 'x' && d->end - d->p >= 2 && (hi = digit_of(d->p[0], 16)) >= 0 && (lo = digit_of(d->p[1], 16)) >= 0) {
		d->p += 2;
		return (char)(hi * 16 + lo);
	}
	if (c == '\n')
		d->line++;
	return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'f' ? '\f' : c == 'v' ? '\v' : c == '0' ? '\0' : c;
}

bool dp_string(struct dparse *d, const char **s, size_t *len)
{
	char *out;
	size_t n = 0;
	const char *q;

	if (!dp_expect(d, "\""))
		return false;
	for (q = d->p; q < d->end && *q != '"'; q++)
		if (*q == '\\')
			q++;
	if (q >= d->end)
		return dp_fail(d, "a string has no end");
	out = darena_get(&d->sc->mem, (size_t)(q - d->p) + 1);
	while (d->p < q) {
		char c = *d->p++;

		if (c == '\n')
			d->line++;
		out[n++] = c == '\\' ? escaped(d) : c;
	}
	d->p = q + 1;
	*s = out;
	*len = n;
	return true;
}

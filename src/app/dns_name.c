/* Domain names: text to wire and back, comparison, suffixes.
 *
 * Decides what is a valid name (labels of 1..63 octets, 255 in all) and when two are the same
 * (RFC 4343). Called by everything of DNS here. Compression pointers are dns_msg.c's business.
 * Tests: tests/unit/app/test_dns_name.c. */
#include <errno.h>
#include <string.h>

#include "app/dns_name.h"
#include "base/rng.h"

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

void dname_root(struct dname *n)
{
	n->len = 1;
	n->w[0] = 0;
}

/* One possibly escaped octet at *s; advances. -1: bad escape. */
static int text_octet(const char **s)
{
	const char *p = *s;
	int v;

	if (p[0] != '\\') {
		*s = p + 1;
		return (unsigned char)p[0];
	}
	if (p[1] >= '0' && p[1] <= '9') {
		if (p[2] < '0' || p[2] > '9' || p[3] < '0' || p[3] > '9')
			return -1;
		v = (p[1] - '0') * 100 + (p[2] - '0') * 10 + (p[3] - '0');
		*s = p + 4;
		return v > 255 ? -1 : v;
	}
	if (!p[1])
		return -1;
	*s = p + 2;
	return (unsigned char)p[1];
}

int dname_from_text(struct dname *out, const char *text, const struct dname *origin)
{
	size_t len = 0, start;
	const char *s = text;
	struct dname n; /* out may be origin */

	if (!*s)
		return -EINVAL;
	if (s[0] == '.' && !s[1]) {
		dname_root(out);
		return 0;
	}
	while (*s) {
		start = len++;
		while (*s && *s != '.') {
			int c = text_octet(&s);

			if (c < 0 || len >= DNAME_MAX - 1)
				return -EINVAL;
			n.w[len++] = (uint8_t)c;
		}
		if (len - start - 1 == 0 || len - start - 1 > DNAME_LABEL_MAX)
			return -EINVAL;
		n.w[start] = (uint8_t)(len - start - 1);
		if (*s == '.' && !*++s) /* absolute */
			origin = NULL;
	}
	if (len + (origin ? origin->len : 1u) > DNAME_MAX)
		return -EINVAL;
	if (origin)
		memcpy(n.w + len, origin->w, origin->len);
	else
		n.w[len] = 0;
	n.len = (uint8_t)(len + (origin ? origin->len : 1u));
	*out = n;
	return 0;
}

static size_t text_put(char *o, uint8_t c)
{
	if (c <= 0x20 || c >= 0x7f) {
		o[0] = '\\';
		o[1] = (char)('0' + c / 100);
		o[2] = (char)('0' + c / 10 % 10);
		o[3] = (char)('0' + c % 10);
		return 4;
	}
	if (c == '.' || c == '\\' || c == '"' || c == ';' || c == '(' || c == ')' || c == '@' ||
	    c == '$') {
		o[0] = '\\';
		o[1] = (char)c;
		return 2;
	}
	o[0] = (char)c;
	return 1;
}

const char *dname_text(char buf[DNAME_TEXT_MAX], const struct dname *n)
{
	size_t i = 0, o = 0;

	if (n->len <= 1)
		buf[o++] = '.';
	while (i < n->len && n->w[i]) {
		size_t l = n->w[i++];

		while (l--)
			o += text_put(buf + o, n->w[i++]);
		buf[o++] = '.';
	}
	buf[o] = 0;
	return buf;
}

const char *dname_text_nodot(char buf[DNAME_TEXT_MAX], const struct dname *n)
{
	size_t l;

	dname_text(buf, n);
	l = strlen(buf);
	if (l > 1)
		buf[l - 1] = 0;
	return buf;
}

size_t dname_from_wire(struct dname *n, const uint8_t *p, size_t len)
{
	size_t i = 0;

	for (;;) {
		if (i >= len || i >= DNAME_MAX || p[i] > DNAME_LABEL_MAX)
			return 0;
		if (!p[i])
			break;
		i += 1u + p[i];
	}
	memcpy(n->w, p, ++i);
	n->len = (uint8_t)i;
	return i;
}

bool dname_same(const struct dname *a, const struct dname *b)
{
	return a->len == b->len && !memcmp(a->w, b->w, a->len);
}

/* Length octets are below 'A', so that lower() leaves them alone. */
static bool octets_eq(const uint8_t *a, const uint8_t *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

bool dname_eq(const struct dname *a, const struct dname *b)
{
	return a->len == b->len && octets_eq(a->w, b->w, a->len);
}

unsigned dname_labels(const struct dname *n)
{
	unsigned k = 0;
	size_t i;

	for (i = 0; i < n->len && n->w[i]; i += 1u + n->w[i])
		k++;
	return k;
}

static size_t suffix_at(const struct dname *n, unsigned keep)
{
	unsigned drop = dname_labels(n);
	size_t i = 0;

	for (drop = drop > keep ? drop - keep : 0; drop; drop--)
		i += 1u + n->w[i];
	return i;
}

bool dname_under(const struct dname *n, const struct dname *zone)
{
	size_t i = suffix_at(n, dname_labels(zone));

	return n->len - i == zone->len && octets_eq(n->w + i, zone->w, zone->len);
}

void dname_suffix(struct dname *out, const struct dname *n, unsigned keep)
{
	size_t i = suffix_at(n, keep);
	size_t l = n->len - i;

	memmove(out->w, n->w + i, l);
	out->len = (uint8_t)l;
}

bool dname_parent(struct dname *out, const struct dname *n)
{
	if (n->len <= 1)
		return false;
	dname_suffix(out, n, dname_labels(n) - 1);
	return true;
}

bool dname_prepend(struct dname *out, const char *label, const struct dname *n)
{
	size_t l = strlen(label);
	struct dname t;

	if (!l || l > DNAME_LABEL_MAX || n->len + l + 1 > DNAME_MAX)
		return false;
	t.w[0] = (uint8_t)l;
	memcpy(t.w + 1, label, l);
	memcpy(t.w + 1 + l, n->w, n->len);
	t.len = (uint8_t)(n->len + l + 1);
	*out = t;
	return true;
}

bool dname_rebase(struct dname *out, const struct dname *n, const struct dname *from,
		  const struct dname *to)
{
	size_t head = (size_t)n->len - from->len;
	struct dname t;

	if (n->len < from->len || head + to->len > DNAME_MAX)
		return false;
	memcpy(t.w, n->w, head);
	memcpy(t.w + head, to->w, to->len);
	t.len = (uint8_t)(head + to->len);
	*out = t;
	return true;
}

bool dname_is_wild(const struct dname *n)
{
	return n->len > 2 && n->w[0] == 1 && n->w[1] == '*';
}

uint64_t dname_hash(const uint8_t key[16], const struct dname *n, uint16_t type)
{
	uint8_t b[DNAME_MAX + 2];
	size_t i;

	for (i = 0; i < n->len; i++)
		b[i] = lower(n->w[i]);
	put_be16(b + i, type);
	return siphash(key, b, i + 2);
}

static int label_cmp(const uint8_t *a, const uint8_t *b)
{
	size_t i;

	for (i = 1; i <= a[0] && i <= b[0]; i++)
		if (lower(a[i]) != lower(b[i]))
			return lower(a[i]) < lower(b[i]) ? -1 : 1;
	return (int)a[0] - (int)b[0];
}

int dname_cmp(const struct dname *a, const struct dname *b)
{
	unsigned la = dname_labels(a), lb = dname_labels(b), k;

	for (k = 1; k <= la && k <= lb; k++) {
		int c = label_cmp(a->w + suffix_at(a, k), b->w + suffix_at(b, k));

		if (c)
			return c;
	}
	return (int)la - (int)lb;
}

/* A growing string, and the text forms of addresses and numbers.
 *
 * Called by everything that prints or reads text. Parsers take the whole string or refuse it: no
 * blanks, signs, octal, hexadecimal or short forms ("10.1") are guessed at.
 * Tests: tests/unit/base/test_strbuf.c. */
#include "base/strbuf.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"

#define SB_ROOM_FIRST 64u

void sb_init(struct strbuf *sb)
{
	sb->buf = NULL;
	sb->len = 0;
	sb->room = 0;
}

void sb_free(struct strbuf *sb)
{
	free(sb->buf);
	sb_init(sb);
}

void sb_reset(struct strbuf *sb)
{
	sb->len = 0;
	if (sb->buf)
		sb->buf[0] = '\0';
}

/* Make room for len more bytes and the final NUL. */
static void sb_grow(struct strbuf *sb, size_t len)
{
	size_t need, room = sb->room ? sb->room : SB_ROOM_FIRST;

	assert(len < SIZE_MAX / 4 && sb->len < SIZE_MAX / 4);
	need = sb->len + len + 1;
	if (need <= sb->room)
		return;
	while (room < need)
		room *= 2;
	sb->buf = xrealloc(sb->buf, room);
	sb->room = room;
}

void sb_add(struct strbuf *sb, const void *data, size_t len)
{
	sb_grow(sb, len);
	if (len)
		memcpy(sb->buf + sb->len, data, len);
	sb->len += len;
	sb->buf[sb->len] = '\0';
}

void sb_puts(struct strbuf *sb, const char *s)
{
	sb_add(sb, s, strlen(s));
}

void sb_putc(struct strbuf *sb, char c)
{
	sb_add(sb, &c, 1);
}

void sb_vprintf(struct strbuf *sb, const char *fmt, va_list ap)
{
	va_list again;
	size_t room;
	int n;

	va_copy(again, ap);
	sb_grow(sb, SB_ROOM_FIRST);
	room = sb->room - sb->len;
	n = vsnprintf(sb->buf + sb->len, room, fmt, ap);
	assert(n >= 0);
	if ((size_t)n >= room) {
		sb_grow(sb, (size_t)n);
		vsnprintf(sb->buf + sb->len, (size_t)n + 1, fmt, again);
	}
	sb->len += (size_t)n;
	va_end(again);
}

void sb_printf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sb_vprintf(sb, fmt, ap);
	va_end(ap);
}

const char *sb_str(const struct strbuf *sb)
{
	return sb->buf ? sb->buf : "";
}

/* Decimal of an octet; returns the end. */
static char *put_octet(char *p, unsigned v)
{
	if (v >= 100)
		*p++ = (char)('0' + v / 100);
	if (v >= 10)
		*p++ = (char)('0' + v / 10 % 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

const char *ip4_str(char buf[IP4_STRLEN], uint32_t addr)
{
	char *p = buf;

	for (unsigned i = 0; i < 4; i++) {
		if (i)
			*p++ = '.';
		p = put_octet(p, (addr >> (24 - 8 * i)) & 0xff);
	}
	*p = '\0';
	return buf;
}

const char *mac_str(char buf[MAC_STRLEN], const uint8_t mac[6])
{
	const char *hex = "0123456789abcdef";

	for (unsigned i = 0; i < 6; i++) {
		buf[3 * i] = hex[mac[i] >> 4];
		buf[3 * i + 1] = hex[mac[i] & 15];
		buf[3 * i + 2] = i < 5 ? ':' : '\0';
	}
	return buf;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Number of up to three digits without a leading zero (which elsewhere means octal), at most max.
 * Returns the first character behind it, or NULL. */
static const char *small_parse(const char *s, unsigned max, unsigned *out)
{
	unsigned v = 0, n = 0;

	for (; is_digit(s[n]) && n < 3; n++)
		v = v * 10 + (unsigned)(s[n] - '0');
	if (n == 0 || is_digit(s[n]) || (n > 1 && s[0] == '0') || v > max)
		return NULL;
	*out = v;
	return s + n;
}

/* Address at the start of s; returns what follows, or NULL. */
static const char *ip4_scan(const char *s, uint32_t *addr)
{
	uint32_t a = 0;

	for (unsigned i = 0; i < 4; i++) {
		unsigned octet;

		if (i && *s++ != '.')
			return NULL;
		s = small_parse(s, 255, &octet);
		if (!s)
			return NULL;
		a = a << 8 | octet;
	}
	*addr = a;
	return s;
}

int ip4_parse(const char *s, uint32_t *addr)
{
	uint32_t a;

	s = ip4_scan(s, &a);
	if (!s || *s)
		return -EINVAL;
	*addr = a;
	return 0;
}

int ip4_parse_prefix(const char *s, uint32_t *addr, uint8_t *plen)
{
	unsigned bits = 32;
	uint32_t a;

	s = ip4_scan(s, &a);
	if (s && *s == '/')
		s = small_parse(s + 1, 32, &bits);
	if (!s || *s)
		return -EINVAL;
	*addr = a;
	*plen = (uint8_t)bits;
	return 0;
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int mac_parse(const char *s, uint8_t mac[6])
{
	uint8_t out[6];

	for (unsigned i = 0; i < 6; i++) {
		int hi = hex_digit(s[0]);
		int lo = hi < 0 ? -1 : hex_digit(s[1]);

		if (lo < 0 || s[2] != (i < 5 ? ':' : '\0'))
			return -EINVAL;
		out[i] = (uint8_t)(hi << 4 | lo);
		s += 3;
	}
	memcpy(mac, out, sizeof(out));
	return 0;
}

int u64_parse(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		if (!is_digit(*s) || __builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return -EINVAL;
	}
	if (v < min || v > max)
		return -EINVAL;
	*out = v;
	return 0;
}

/* A growing string. Never fails half: on out of memory the process stops (assert). Always
 * NUL-terminated once anything was added; sb_str() is valid until the next change. */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdarg.h>
#include "base/types.h"

struct strbuf {
	char *buf;
	size_t len, room;
};

void sb_init(struct strbuf *sb);
void sb_free(struct strbuf *sb);
void sb_reset(struct strbuf *sb);
void sb_add(struct strbuf *sb, const void *data, size_t len);
void sb_puts(struct strbuf *sb, const char *s);
void sb_putc(struct strbuf *sb, char c);
void sb_printf(struct strbuf *sb, const char *fmt, ...) PRINTF_LIKE(2, 3);
void sb_vprintf(struct strbuf *sb, const char *fmt, va_list ap);
const char *sb_str(const struct strbuf *sb);

/* Text of addresses into a caller's buffer; returns buf. */
#define IP4_STRLEN 16
#define MAC_STRLEN 18
const char *ip4_str(char buf[IP4_STRLEN], uint32_t addr);
const char *mac_str(char buf[MAC_STRLEN], const uint8_t mac[6]);
/* Strict parsers: whole string or nothing. Return 0 or -EINVAL. */
int ip4_parse(const char *s, uint32_t *addr);
/* "10.1.0.0/16" or "10.1.2.3" (plen 32). */
int ip4_parse_prefix(const char *s, uint32_t *addr, uint8_t *plen);
int mac_parse(const char *s, uint8_t mac[6]);
/* Whole-string decimal in [min,max]. */
int u64_parse(const char *s, uint64_t min, uint64_t max, uint64_t *out);

#endif

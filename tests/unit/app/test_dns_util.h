/* Helpers of the DNS tests: zones from text, queries from words. */
#ifndef TEST_DNS_UTIL_H
#define TEST_DNS_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "app/dns_reply.h"

static const uint8_t test_key[16] = "0123456789abcde";

/* Files of a test: name, text, ..., NULL. */
struct test_files {
	const char *const *f;
};

static inline int test_read(void *arg, const char *path, struct strbuf *sb)
{
	const struct test_files *t = arg;
	size_t i;

	for (i = 0; t->f[i] && t->f[i + 1]; i += 2) {
		if (!strcmp(t->f[i], path)) {
			sb_puts(sb, t->f[i + 1]);
			return 0;
		}
	}
	return -2; /* -ENOENT */
}

static inline struct dname test_name(const char *s)
{
	struct dname n;

	assert_int_equal(dname_from_text(&n, s, NULL), 0);
	return n;
}

static inline struct zone *test_zone(const char *apex, const char *text)
{
	const char *files[] = { "zone", text, NULL };
	struct test_files t = { files };
	struct dname a = test_name(apex);
	char err[MASTER_ERR] = "";
	struct zone *z = zone_load("zone", &a, test_key, test_read, &t, err);

	if (!z)
		fail_msg("%s", err);
	return z;
}

static inline size_t test_query(uint8_t *q, size_t room, const char *name, uint16_t type,
				uint16_t edns)
{
	struct dname n = test_name(name);
	int len = dns_build_query(q, room, 0x1234, true, &n, type, edns);

	assert_true(len > 0);
	return (size_t)len;
}

/* All records of a message as text, one per line: "S owner ttl TYPE rdata". */
static inline void test_dump(const struct dns_msg *m, struct strbuf *sb)
{
	uint8_t *rd = malloc(DNS_RDATA_MAX);
	struct dns_walk w;
	struct dns_rr rr;

	sb_init(sb);
	sb_puts(sb, "");
	dns_walk_init(&w, m);
	while (dns_walk_next(&w, &rr)) {
		char t[DNAME_TEXT_MAX], ty[16];
		int n;

		if (rr.type == DNS_OPT)
			continue;
		n = dns_rdata_expand(m, &rr, rd, DNS_RDATA_MAX);
		assert_true(n >= 0);
		sb_printf(sb, "%c %s %u %s ",
			  "qnar"[rr.section] == 'n' ? 'a'
			  : rr.section == DNS_AUTH  ? 'n'
						    : 'x',
			  dname_text(t, &rr.owner), rr.ttl, dns_type_text(ty, rr.type));
		dns_rdata_text(sb, rr.type, rd, (size_t)n);
		sb_putc(sb, '\n');
	}
	free(rd);
}

#endif

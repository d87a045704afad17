/* dns_master.c: DS-03 and the grammar of RFC 1035 5 */
#include "test_dns_util.h"

struct sink {
	struct test_files files;
	struct strbuf out;
};

static int sink_read(void *arg, const char *path, struct strbuf *sb)
{
	struct sink *s = arg;

	return test_read(&s->files, path, sb);
}

static int sink_record(void *arg, const struct dns_record *r, char *why, size_t room)
{
	struct sink *s = arg;
	char t[DNAME_TEXT_MAX], ty[16];

	sb_printf(&s->out, "%s %u %s ", dname_text(t, r->owner), r->ttl, dns_type_text(ty, r->type));
	dns_rdata_text(&s->out, r->type, r->rd, r->rdlen);
	sb_putc(&s->out, '\n');
	return 0;
}

static const struct dns_master_ops sink_ops = { sink_read, sink_record, 0 };

static int load(const char *const *files, struct strbuf *out, char *err)
{
	struct sink s = { .files = { files } };
	struct dname origin = test_name("example.com.");
	int rc;

	err[0] = 0;
	sb_init(&s.out);
	sb_puts(&s.out, "");
	rc = dns_master_load(files[0], &origin, &sink_ops, &s, err);
	*out = s.out;
	return rc;
}

static void expect(const char *text, const char *want)
{
	const char *files[] = { "z", text, NULL };
	char err[MASTER_ERR];
	struct strbuf out;

	if (load(files, &out, err))
		fail_msg("%s", err);
	assert_string_equal(sb_str(&out), want);
	sb_free(&out);
}

static void refuse(const char *text, const char *where)
{
	const char *files[] = { "z", text, NULL };
	char err[MASTER_ERR];
	struct strbuf out;

	if (!load(files, &out, err))
		fail_msg("accepted: %s", text);
	if (strncmp(err, where, strlen(where)))
		fail_msg("'%s' does not begin with '%s'", err, where);
	assert_null(strchr(err, '\n'));
	sb_free(&out);
}

static void grammar(void **state)
{
	expect("$TTL 1h\n@ IN SOA ns root (\n 1 ; serial\n 2h 15m\n 1w 60 )\n  NS ns\nns A 10.0.0.1\n",
	       "example.com. 3600 SOA ns.example.com. root.example.com. 1 7200 900 604800 60\n"
	       "example.com. 3600 NS ns.example.com.\nns.example.com. 3600 A 10.0.0.1\n");
	/* owner, TTL and class in each order; the last TTL stays (RFC 1035 5.1) */
	expect("a 60 IN A 1.2.3.4\n IN 70 A 1.2.3.5\nb A 1.2.3.6\n",
	       "a.example.com. 60 A 1.2.3.4\na.example.com. 70 A 1.2.3.5\nb.example.com. 70 A 1.2.3.6\n");
	/* with $TTL a record's own TTL does not stay (RFC 2308 4) */
	expect("$TTL 5\na 60 A 1.2.3.4\nb A 1.2.3.5\n", "a.example.com. 60 A 1.2.3.4\nb.example.com. 5 A 1.2.3.5\n");
	expect("$TTL 5\n$ORIGIN sub\nw A 1.2.3.4\n$ORIGIN .\nx CNAME y\n", "w.sub.example.com. 5 A 1.2.3.4\nx. 5 CNAME y.\n");
	expect("$TTL 5\na TXT \"a b;c\" d\\;e \"q\\\"q\"\r\n* MX 10 @\n",
	       "a.example.com. 5 TXT \"a b;c\" \"d;e\" \"q\\\"q\"\n*.example.com. 5 MX 10 example.com.\n");
	expect("$TTL 5\n\\065\\.b A 1.2.3.4\n", "A\\.b.example.com. 5 A 1.2.3.4\n");
	expect("$TTL 5\na AAAA 2001:db8::1\ns SRV 1 2 80 w\nu TYPE65280 \\# 3 abcdef\n",
	       "a.example.com. 5 AAAA 2001:db8::1\ns.example.com. 5 SRV 1 2 80 w.example.com.\nu.example.com. 5 TYPE65280 \\# 3 abcdef\n");
	expect("; only a comment\n\n   \n", "");
	expect("$TTL 5\na A 1.2.3.4", "a.example.com. 5 A 1.2.3.4\n"); /* no newline at the end */
}

static void ds_03_errors_name_the_line(void **state)
{
	static char big[70000];

	refuse("$TTL 5\na A 1.2.3\n", "z:2: ");
	refuse("$TTL 5\n\na A 1.2.3.4 5\n", "z:3: ");
	refuse("a A 1.2.3.4\n", "z:1: no TTL");
	refuse("$TTL 5\nlabellabellabellabellabellabellabellabellabellabellabellabell64x A 1.2.3.4\n", "z:2: bad name");
	refuse("$TTL 5\na..b A 1.2.3.4\n", "z:2: bad name");
	refuse("$TTL 5\na TXT \"abc\nb A 1.2.3.4\n", "z:2: unterminated quote");
	refuse("$TTL 5\na TXT \"abc", "z:2: unterminated quote");
	refuse("$TTL 5\na SOA ns root ( 1 2 3\n4 5\n", "z:2: '(' is never closed");
	refuse("$TTL 5\na A ((1.2.3.4))\n", "z:2: '(' inside");
	refuse("$TTL 5\na A 1.2.3.4)\n", "z:2: ')' without");
	refuse("$TTL 5\na CH A 1.2.3.4\n", "z:2: class 'CH'");
	refuse("$TTL 5\na NOSUCH 1.2.3.4\n", "z:2: unknown record type 'NOSUCH'");
	refuse("$TTL 5\na MD b\n", "z:2: unknown record type 'MD'");
	refuse("$TTL 5\na AXFR b\n", "z:2: unknown record type");
	refuse("$TTL 5\na OPT b\n", "z:2: unknown record type");
	refuse("$TTL x\n", "z:1: $TTL");
	refuse("$TTL 3000000000\n", "z:1: $TTL");
	refuse("$GENERATE 1-5 a A 1.2.3.4\n", "z:1: unknown line");
	refuse("$TTL 5\n A 1.2.3.4\n", "z:2: the first record needs an owner");
	refuse("$TTL 5\na\n", "z:2: a record needs");
	refuse("$TTL 5\na MX ten mail\n", "z:2: ");
	memset(big, 'x', sizeof(big) - 1);
	memcpy(big, "$TTL 5\na TXT ", 13);
	refuse(big, "z:2: record longer");
}

static void ds_03_include(void **state)
{
	const char *good[] = { "dir/z", "$TTL 5\na A 1.1.1.1\n$INCLUDE sub.inc sub\n b A 2.2.2.2\nc A 3.3.3.3\n",
			       "dir/sub.inc", "w A 9.9.9.9\n$ORIGIN other.\nx A 8.8.8.8\n", NULL };
	const char *loop[] = { "z", "$TTL 5\n\n$INCLUDE y\n", "y", "\n$INCLUDE z\n", NULL };
	const char *self[] = { "z", "$INCLUDE z\n", NULL };
	const char *gone[] = { "z", "$TTL 5\n$INCLUDE nothing\n", NULL };
	const char *bad[] = { "z", "$TTL 5\n$INCLUDE y\n", "y", ";\n;\na A x\n", NULL };
	const char *missing[] = { "z", NULL };
	char err[MASTER_ERR];
	struct strbuf out;

	/* the owner and the origin of the including file come back */
	good[1] = "$TTL 5\na A 1.1.1.1\n$INCLUDE sub.inc sub\n A 2.2.2.2\nc A 3.3.3.3\n";
	if (load(good, &out, err))
		fail_msg("%s", err);
	assert_string_equal(sb_str(&out), "a.example.com. 5 A 1.1.1.1\nw.sub.example.com. 5 A 9.9.9.9\nx.other. 5 A 8.8.8.8\n"
					  "a.example.com. 5 A 2.2.2.2\nc.example.com. 5 A 3.3.3.3\n");
	sb_free(&out);
	assert_int_equal(load(loop, &out, err), -1);
	assert_string_equal(err, "y:2: $INCLUDE loop: z is already being read");
	sb_free(&out);
	assert_int_equal(load(self, &out, err), -1);
	assert_string_equal(err, "z:1: $INCLUDE loop: z is already being read");
	sb_free(&out);
	assert_int_equal(load(gone, &out, err), -1);
	assert_string_equal(err, "z:2: cannot read nothing: No such file or directory");
	sb_free(&out);
	assert_int_equal(load(bad, &out, err), -1);
	assert_memory_equal(err, "y:3: ", 5);
	sb_free(&out);
	assert_int_equal(load(missing, &out, err), -1);
	assert_string_equal(err, "z: cannot read: No such file or directory");
	sb_free(&out);
}

static void ds_03_include_depth(void **state)
{
	const char *files[2 * 12 + 1];
	static char name[12][16], text[12][32];
	char err[MASTER_ERR];
	struct strbuf out;

	for (int i = 0; i < 12; i++) {
		snprintf(name[i], 16, "f%d", i);
		snprintf(text[i], 32, "$INCLUDE f%d\n", i + 1);
		files[2 * i] = name[i];
		files[2 * i + 1] = text[i];
	}
	files[24] = NULL;
	assert_int_equal(load(files, &out, err), -1);
	assert_string_equal(err, "f7:1: $INCLUDE deeper than 8 files");
	sb_free(&out);
}

static int count_record(void *arg, const struct dns_record *r, char *why, size_t room)
{
	return 0;
}

static int big_read(void *arg, const char *path, struct strbuf *sb)
{
	sb_puts(sb, "$TTL 5\n");
	for (int i = 0; i < 1001; i++)
		sb_puts(sb, "a A 1.2.3.4\n");
	return 0;
}

static void ds_03_a_bounded_number_of_records(void **state)
{
	static const struct dns_master_ops ops = { big_read, count_record, 1000 };
	struct dname o = test_name("x.");
	char err[MASTER_ERR] = "";

	assert_int_equal(dns_master_load("big", &o, &ops, NULL, err), -1);
	assert_string_equal(err, "big:1002: more than 1000 records");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grammar), cmocka_unit_test(ds_03_errors_name_the_line), cmocka_unit_test(ds_03_include),
		cmocka_unit_test(ds_03_include_depth), cmocka_unit_test(ds_03_a_bounded_number_of_records),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

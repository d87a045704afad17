/* dig_print.c: the form of BIND's dig 9.18, from messages of our own server */
#include "test_dns_util.h"
#include "app/dig.h"

static const char zone_text[] = "$TTL 300\n@ SOA ns h 1 2 3 4 60\n@ NS ns\n@ MX 10 www\nns A "
				"127.0.3.4\nwww A 10.0.4.2\nweb CNAME www\n"
				"t TXT \"culver's lab\" \"two "
				"\\\"strings\\\"\"\naveryveryverylongname.forthecolumn A 1.2.3.4\n";

static void show(const char *name, uint16_t type, uint16_t edns, bool short_form, const char *want)
{
	struct dig_opts o = {.comments = true,
			     .question = true,
			     .answer = true,
			     .authority = true,
			     .additional = true};
	struct dns_from from = { 1, 40000, false };
	struct dns_authority a = { 0 };
	struct dns_out *out = dns_out_new();
	struct dns_done done;
	uint8_t q[512], *w;
	struct strbuf sb;
	struct dns_msg m;
	size_t n = test_query(q, sizeof(q), name, type, edns), len;

	dns_authority_add(&a, test_zone("server.com", zone_text));
	w = dns_authority_reply(&a, q, n, &from, out, &len, &done);
	assert_int_equal(dns_msg_check(&m, w, len), DNS_FINE);
	sb_init(&sb);
	sb_puts(&sb, "");
	if (short_form)
		dig_print_short(&sb, &m);
	else
		dig_print(&sb, &o, &m);
	assert_string_equal(sb_str(&sb), want);
	sb_free(&sb);
	free(w);
	dns_out_free(out);
	dns_authority_free(&a);
}

/* Each expected text is what dig 9.18.49 printed for the same octets. */
static void as_bind_prints(void **state)
{
	show("server.com", DNS_MX, 1232, false,
	     ";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 4660\n"
	     ";; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 2\n;; WARNING: "
	     "recursion requested but not available\n\n"
	     ";; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232\n;; QUESTION "
	     "SECTION:\n;server.com.\t\t\tIN\tMX\n\n"
	     ";; ANSWER SECTION:\nserver.com.\t\t300\tIN\tMX\t10 www.server.com.\n\n"
	     ";; ADDITIONAL SECTION:\nwww.server.com.\t\t300\tIN\tA\t10.0.4.2\n\n");
	show("no.server.com", DNS_A, 0, false,
	     ";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: 4660\n"
	     ";; flags: qr aa rd; QUERY: 1, ANSWER: 0, AUTHORITY: 1, ADDITIONAL: 0\n;; WARNING: "
	     "recursion requested but not available\n\n"
	     ";; QUESTION SECTION:\n;no.server.com.\t\t\tIN\tA\n\n"
	     ";; AUTHORITY SECTION:\nserver.com.\t\t60\tIN\tSOA\tns.server.com. h.server.com. 1 2 "
	     "3 4 60\n\n");
	show("averyveryverylongname.forthecolumn.server.com", DNS_A, 1232, false,
	     ";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 4660\n"
	     ";; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1\n;; WARNING: "
	     "recursion requested but not available\n\n"
	     ";; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232\n"
	     ";; QUESTION SECTION:\n;averyveryverylongname.forthecolumn.server.com. IN A\n\n"
	     ";; ANSWER SECTION:\naveryveryverylongname.forthecolumn.server.com. 300 IN "
	     "A\t1.2.3.4\n\n");
}

static void short_form(void **state)
{
	show("t.server.com", DNS_TXT, 0, true, "\"culver's lab\" \"two \\\"strings\\\"\"\n");
	show("web.server.com", DNS_A, 0, true, "www.server.com.\n10.0.4.2\n");
	show("no.server.com", DNS_A, 0, true, "");
}

static void dates(void **state)
{
	struct strbuf sb;

	sb_init(&sb);
	dig_date(&sb, 946684807);
	assert_string_equal(sb_str(&sb), "Sat Jan 01 00:00:07 UTC 2000");
	sb_free(&sb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(as_bind_prints),
					   cmocka_unit_test(short_form), cmocka_unit_test(dates)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

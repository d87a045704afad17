/* Trace events as JSON lines: octets, escaping, and that a JSON parser agrees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "trace/trace.h"

static const uint64_t now = 1234567890123456789ULL;

static void jsonl_key_order_is_fixed(void **state)
{
	struct trace_jsonl j;
	struct strbuf sb;
	struct probe p;
	const uint8_t data[3] = { 1, 2, 3 };

	sb_init(&sb);
	probe_init(&p, "client", 4, &now);
	trace_jsonl_init(&j, NULL, &sb, UINT32_MAX);
	probe_attach(&p, &j.sink);
	p.cpu = 2;
	probe_enter_(&p, "ip_rcv", 17);
	probe_drop_(&p, "ip_rcv", 17, DROP_IP_CSUM, data, 3, 101);
	probe_emit_(&p, TR_STATE, "tcp_set_state", 0, "old=%s", "SYN_SENT");
	assert_string_equal(
		sb_str(&sb),
		"{\"t\":1234567890123456789,\"node\":\"client\",\"cpu\":2,\"ctx\":0,\"depth\":0,\"kind\":\"enter\","
		"\"func\":\"ip_rcv\",\"layer\":\"network\",\"osi\":3,\"serial\":17}\n"
		"{\"t\":1234567890123456789,\"node\":\"client\",\"cpu\":2,\"ctx\":0,\"depth\":1,\"kind\":\"drop\","
		"\"func\":\"ip_rcv\",\"layer\":\"network\",\"osi\":3,\"serial\":17,\"reason\":\"IP_CSUM\","
		"\"why\":\"the IP header checksum is wrong\",\"len\":3}\n"
		"{\"t\":1234567890123456789,\"node\":\"client\",\"cpu\":2,\"ctx\":0,\"depth\":1,\"kind\":\"state\","
		"\"func\":\"tcp_set_state\",\"layer\":\"transport\",\"osi\":4,\"serial\":0,"
		"\"text\":\"old=SYN_SENT\"}\n");
	probe_detach(&p, &j.sink);
	trace_jsonl_free(&j);
	sb_free(&sb);
}

static void escapes_to(const char *in, size_t len, const char *want)
{
	struct strbuf sb;
	json_error_t err;
	json_t *v;

	sb_init(&sb);
	trace_json_string(&sb, in, len);
	assert_string_equal(sb_str(&sb), want);
	v = json_loads(sb_str(&sb), JSON_DECODE_ANY | JSON_ALLOW_NUL, &err);
	assert_non_null(v);
	json_decref(v);
	sb_free(&sb);
}

static void jsonl_escapes_strictly(void **state)
{
	escapes_to("", 0, "\"\"");
	escapes_to("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
	escapes_to("\n\r\t\b\x01\x1f\x7f", 7, "\"\\n\\r\\t\\u0008\\u0001\\u001f\\u007f\"");
	escapes_to("\0x", 2, "\"\\u0000x\"");
	escapes_to("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
	/* not UTF-8: lone, cut, overlong, surrogate, too large */
	escapes_to("\x80", 1, "\"\\ufffd\"");
	escapes_to("a\xff" "b", 3, "\"a\\ufffdb\"");
	escapes_to("\xe2\x82", 2, "\"\\ufffd\\ufffd\"");
	escapes_to("\xc0\xaf", 2, "\"\\ufffd\\ufffd\"");
	escapes_to("\xed\xa0\x80", 3, "\"\\ufffd\\ufffd\\ufffd\"");
	escapes_to("\xf4\x90\x80\x80", 4, "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
	escapes_to("\xe0\x9f\xbf", 3, "\"\\ufffd\\ufffd\\ufffd\"");
}

static void jsonl_any_octet_parses(void **state)
{
	for (unsigned a = 0; a < 256; a++) {
		for (unsigned b = 0; b < 256; b += 5) {
			const char s[4] = { (char)a, (char)b, (char)(b ^ 0x3f), 'z' };
			struct strbuf sb;
			json_t *v;

			sb_init(&sb);
			trace_json_string(&sb, s, sizeof(s));
			v = json_loads(sb_str(&sb), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
			assert_non_null(v);
			json_decref(v);
			sb_free(&sb);
		}
	}
}

static void jsonl_limit_and_file(void **state)
{
	struct trace_jsonl j;
	struct probe p;
	char *mem = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&mem, &size);

	probe_init(&p, "n", 0, &now);
	trace_jsonl_init(&j, f, NULL, 1u << TR_NOTE);
	j.limit = 2;
	probe_attach(&p, &j.sink);
	for (int i = 0; i < 5; i++) {
		probe_emit_(&p, TR_NOTE, "f", 0, "i=%d", i);
		probe_emit_(&p, TR_APP, "f", 0, "masked");
	}
	fclose(f);
	assert_int_equal(j.n, 2);
	assert_false(j.failed);
	assert_non_null(strstr(mem, "i=1"));
	assert_null(strstr(mem, "i=2"));
	assert_null(strstr(mem, "masked"));
	trace_jsonl_free(&j);
	free(mem);
}

static void jsonl_failed_write_is_remembered(void **state)
{
	struct trace_jsonl j;
	struct probe p;
	FILE *f = fopen("/dev/full", "w");

	if (!f)
		skip();
	setvbuf(f, NULL, _IONBF, 0);
	probe_init(&p, "n", 0, &now);
	trace_jsonl_init(&j, f, NULL, UINT32_MAX);
	probe_attach(&p, &j.sink);
	probe_emit_(&p, TR_NOTE, "f", 0, "x");
	assert_true(j.failed);
	fclose(f);
	trace_jsonl_free(&j);
}

static void schema_names_every_kind_reason_and_key(void **state)
{
	struct strbuf sb;
	json_error_t err;
	json_t *s, *props;

	sb_init(&sb);
	trace_jsonl_schema(&sb);
	s = json_loads(sb_str(&sb), JSON_REJECT_DUPLICATES, &err);
	assert_non_null(s);
	props = json_object_get(s, "properties");
	assert_int_equal(json_object_size(props), 14);
	assert_int_equal(json_array_size(json_object_get(json_object_get(props, "kind"), "enum")), TR_KIND_MAX);
	assert_int_equal(json_array_size(json_object_get(json_object_get(props, "reason"), "enum")),
			 DROP_REASON_MAX);
	for (int k = 0; k < TR_KIND_MAX; k++)
		assert_string_not_equal(trace_kind_name((enum trace_kind)k), "unknown");
	json_decref(s);
	sb_free(&sb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jsonl_key_order_is_fixed),
		cmocka_unit_test(jsonl_escapes_strictly),
		cmocka_unit_test(jsonl_any_octet_parses),
		cmocka_unit_test(jsonl_limit_and_file),
		cmocka_unit_test(jsonl_failed_write_is_remembered),
		cmocka_unit_test(schema_names_every_kind_reason_and_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

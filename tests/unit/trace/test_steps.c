/* steps.pcapng: interfaces per place, packets, verdicts, and flushing to a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "trace/trace.h"

static const uint64_t now = 1000;
static const uint8_t pkt[20] = { 0x45 };

static uint32_t le32(const char *p)
{
	const uint8_t *b = (const uint8_t *)p;

	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* The nth block of a type (counting from 0), NULL if there are fewer; *end: behind it. */
static const char *block(const char *buf, size_t len, uint32_t type, unsigned nth, const char **end)
{
	for (size_t at = 0; at < len;) {
		uint32_t n = le32(buf + at + 4);

		assert_true(n >= 12 && at + n <= len && le32(buf + at + n - 4) == n);
		if (le32(buf + at) == type && nth-- == 0) {
			*end = buf + at + n;
			return buf + at;
		}
		at += n;
	}
	return NULL;
}

static bool holds(const char *from, const char *end, const char *s)
{
	return memmem(from, (size_t)(end - from), s, strlen(s)) != NULL;
}

static void steps_has_an_interface_per_node_and_place(void **state)
{
	struct trace_steps s;
	struct strbuf sb;
	struct probe a, b;
	const char *blk, *end;

	sb_init(&sb);
	trace_steps_init(&s, NULL, &sb, 946684800ULL * NSEC_PER_SEC, "culver test");
	probe_init(&a, "client", 1, &now);
	probe_init(&b, "server", 2, &now);
	probe_attach(&a, &s.sink);
	probe_attach(&b, &s.sink);
	probe_packet_(&a, TR_HOOK, "nf_hook", 7, pkt, sizeof(pkt), 101, "hook=LOCAL_OUT out=eth0 verdict=ACCEPT");
	probe_packet_(&a, TR_HOOK, "nf_hook", 7, pkt, sizeof(pkt), 101, "hook=POST_ROUTING out=eth0");
	probe_packet_(&a, TR_QUEUE, "pfifo_enqueue", 7, pkt, sizeof(pkt), 1, "dev=eth0 queue=qdisc len=1");
	probe_packet_(&b, TR_HOOK, "nf_hook", 7, pkt, sizeof(pkt), 101, "hook=LOCAL_OUT");
	probe_packet_(&a, TR_HOOK, "nf_hook", 8, pkt, sizeof(pkt), 101, "hook=LOCAL_OUT");
	probe_drop_(&b, "ip_rcv", 7, DROP_IP_CSUM, pkt, sizeof(pkt), 101);
	probe_packet_(&a, TR_WIRE, "cable", 7, pkt, sizeof(pkt), 1, "not a step");
	probe_emit_(&a, TR_QUEUE, "sock_queue_rcv_skb", 7, "queue=sk_receive_queue no data");
	assert_int_equal(s.n, 6);
	assert_int_equal(s.n_places, 5);

	blk = block(sb.buf, sb.len, 1, 0, &end);
	assert_true(holds(blk, end, "client:LOCAL_OUT"));
	blk = block(sb.buf, sb.len, 1, 2, &end);
	assert_true(holds(blk, end, "client:qdisc"));
	blk = block(sb.buf, sb.len, 1, 3, &end);
	assert_true(holds(blk, end, "server:LOCAL_OUT"));
	blk = block(sb.buf, sb.len, 1, 4, &end);
	assert_true(holds(blk, end, "server:ip_rcv"));
	assert_null(block(sb.buf, sb.len, 1, 5, &end));

	blk = block(sb.buf, sb.len, 6, 4, &end);
	assert_int_equal(le32(blk + 8), 0); /* again the first place */
	assert_true(((uint64_t)le32(blk + 12) << 32 | le32(blk + 16)) == 946684800ULL * NSEC_PER_SEC + 1000);
	blk = block(sb.buf, sb.len, 6, 5, &end);
	assert_int_equal(le32(blk + 8), 4);
	assert_true(holds(blk, end, "drop ip_rcv: IP_CSUM, the IP header checksum is wrong"));
	/* epb_verdict: code 7, 9 octets: TC, TC_ACT_SHOT */
	assert_non_null(memmem(blk, (size_t)(end - blk), "\7\0\x09\0\1\2\0\0\0\0\0\0\0", 13));
	trace_steps_free(&s);
	sb_free(&sb);
}

static void steps_hardware_drop_has_hardware_verdict(void **state)
{
	struct trace_steps s;
	struct strbuf sb;
	struct probe a;
	const char *blk, *end;
	char want[7] = { 7, 0, 3, 0, 0, DROP_HW_BAD_FCS, 0 };

	sb_init(&sb);
	trace_steps_init(&s, NULL, &sb, 0, "x");
	probe_init(&a, "sw1", 1, &now);
	probe_attach(&a, &s.sink);
	probe_drop_(&a, "nic_rx", 7, DROP_HW_BAD_FCS, pkt, sizeof(pkt), 1);
	blk = block(sb.buf, sb.len, 6, 0, &end);
	assert_non_null(memmem(blk, (size_t)(end - blk), want, sizeof(want)));
	trace_steps_free(&s);
	sb_free(&sb);
}

static void steps_file_equals_string(void **state)
{
	struct trace_steps s, t;
	struct strbuf sb;
	struct probe a;
	char *mem = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&mem, &size);

	sb_init(&sb);
	trace_steps_init(&s, NULL, &sb, 0, "x");
	trace_steps_init(&t, f, NULL, 0, "x");
	probe_init(&a, "n", 1, &now);
	probe_attach(&a, &s.sink);
	probe_attach(&a, &t.sink);
	/* many places, so that the index grows; many octets, so that it flushes on the way */
	for (int i = 0; i < 3000; i++)
		probe_packet_(&a, TR_QUEUE, "q", 1, pkt, sizeof(pkt), 101, "queue=q%d", i % 700);
	trace_steps_free(&t);
	fclose(f);
	assert_false(t.failed);
	assert_int_equal(s.n_places, 700);
	assert_int_equal(size, sb.len);
	assert_memory_equal(mem, sb.buf, size);
	trace_steps_free(&s);
	sb_free(&sb);
	free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_has_an_interface_per_node_and_place),
		cmocka_unit_test(steps_hardware_drop_has_hardware_verdict),
		cmocka_unit_test(steps_file_equals_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

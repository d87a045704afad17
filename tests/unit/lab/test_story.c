/* The story: sentences from events, nothing without one; frames in words; text for people and JSON for programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "lab/frame_words.h"
#include "lab/story.h"
#include "wire/ethernet.h"
#include "wire/ip4.h"
#include "wire/tcp_hdr.h"

static void event(struct story *s, enum trace_kind k, uint64_t t, const char *node, const char *func, uint64_t serial,
		  const char *text)
{
	struct trace_event ev = { .kind = (uint8_t)k, .t_ns = t, .node = node, .func = func, .serial = serial, .text = text };

	s->sink.emit(&s->sink, &ev);
}

static void story_fills_values(void **state)
{
	struct strbuf sb;

	sb_init(&sb);
	story_fill(&sb, "{name} is {addr}{none}, all: {0}", "resolved name=a.b addr=1.2.3.4");
	assert_string_equal(sb_str(&sb), "a.b is 1.2.3.4, all: resolved name=a.b addr=1.2.3.4");
	sb_reset(&sb);
	story_fill(&sb, "{me}", "name=x me=y");
	assert_string_equal(sb_str(&sb), "y"); /* not the end of another key */
	sb_free(&sb);
}

static void story_tells_only_what_happened(void **state)
{
	struct story s;
	struct strbuf sb;

	sb_init(&sb);
	story_init(&s, "client");
	event(&s, TR_APP, 0, "client", "visit_one", 0, "url parsed scheme=http host=h port=80 path=/");
	assert_int_equal(s.n, 0); /* nobody listens yet */
	story_begin(&s);
	event(&s, TR_APP, 5, "client", "visit_one", 0, "url parsed scheme=http host=h port=80 path=/");
	event(&s, TR_APP, 6, "dns", "f", 0, "browser cache miss name=h"); /* not the client's: as it stands */
	event(&s, TR_STATE, 7, "client", "tcp_set_state", 0, "tcp=40000:80 old=CLOSE new=SYN_SENT");
	event(&s, TR_SYSCALL, 8, "client", "SyS_close", 0, "close(3) = 0");
	story_end(&s);
	event(&s, TR_APP, 9, "client", "visit_one", 0, "closed");
	story_print(&s, 0, false, &sb);
	assert_string_equal(sb_str(&sb),
		"   1. 0.000000005  client, visit_one: the URL says: protocol http, server h, port 80, file / (a URL is a "
		"protocol, a server's name, perhaps a port, and a path)\n"
		"   2. 0.000000006  dns, f: browser cache miss name=h\n"
		"   3. 0.000000007  client, tcp_set_state: TCP 40000:80: CLOSE to SYN_SENT (active open; its own port is chosen next)\n");
	story_begin(&s);
	assert_int_equal(s.n, 0);
	story_free(&s);
	sb_free(&sb);
}

/* An Ethernet frame of ARP or of TCP, preamble to FCS. Returns its length. */
static uint32_t make_arp(uint8_t *f)
{
	struct arp_hdr *a = (void *)(f + 8 + 14);

	memset(f, 0x55, 7);
	memset(f + 7, 0, 68);
	f[7] = 0xd5;
	memset(f + 8, 0xff, 6);
	put_be16(f + 20, ETH_P_ARP);
	put_be16(a->ptype, ETH_P_IP);
	a->hlen = 6;
	a->plen = 4;
	put_be16(a->oper, ARPOP_REQUEST);
	put_be32(a->spa, 0x0a000001);
	put_be32(a->tpa, 0x0a000002);
	return 8 + 60 + 4;
}

static uint32_t make_tcp(uint8_t *f, uint8_t flags, uint32_t payload)
{
	struct ip4_hdr *ip = (void *)(f + 8 + 14);
	struct tcp_hdr *t = (void *)(f + 8 + 14 + 20);

	make_arp(f);
	memset(f + 8 + 14, 0, 60 - 14);
	put_be16(f + 20, ETH_P_IP);
	ip->ver_ihl = 0x45;
	put_be16(ip->tot_len, (uint16_t)(40 + payload));
	ip->protocol = 6;
	put_be32(ip->saddr, 0x0a000001);
	put_be32(ip->daddr, 0x0a000002);
	put_be16(t->source, 40000);
	put_be16(t->dest, 80);
	t->off_res = 5 << 4;
	t->flags = flags;
	return 8 + 60 + 4;
}

static void frames_in_words(void **state)
{
	uint8_t f[100];
	struct frame_words w;
	uint32_t n = make_arp(f);

	assert_true(frame_words(f, n, &w));
	assert_int_equal(w.kind, FW_ARP_REQUEST);
	assert_string_equal(w.text, "who has 10.0.0.2? Tell 10.0.0.1");
	n = make_tcp(f, TCP_SYN, 0);
	assert_true(frame_words(f, n, &w));
	assert_int_equal(w.kind, FW_TCP_SYN);
	assert_string_equal(w.text, "SYN from port 40000 to 80, seq 0, window 0");
	n = make_tcp(f, TCP_ACK, 6);
	assert_true(frame_words(f, n, &w));
	assert_int_equal(w.kind, FW_TCP_DATA);
	assert_int_equal(w.payload, 6);
	n = make_tcp(f, TCP_ACK, 7); /* the total length exceeds the frame */
	assert_false(frame_words(f, n, &w));
	for (uint32_t i = 0; i < 72; i++)
		frame_words(f, i, &w); /* never reads beyond */
}

static void wire(struct story *s, uint64_t t, const char *node, uint64_t serial, const uint8_t *f, uint32_t n)
{
	struct trace_event ev = { .kind = TR_WIRE, .t_ns = t, .node = node, .func = "cable", .serial = serial,
				  .text = "", .data = f, .data_len = n, .linktype = 1 };

	s->sink.emit(&s->sink, &ev);
}

/* One packet over three cables: one step where it is sent, one where it has come, with its way. */
static void a_packets_way(void **state)
{
	struct story s;
	uint8_t f[100];
	uint32_t n = make_tcp(f, TCP_SYN, 0);

	story_init(&s, "client");
	story_begin(&s);
	event(&s, TR_ENTER, 100, "client", "__tcp_transmit_skb", 7, "");
	wire(&s, 100, "client", 7, f, n);
	wire(&s, 200, "sw1", 7, f, n);
	wire(&s, 300, "r1", 7, f, n);
	event(&s, TR_ENTER, 1100, "www", "tcp_v4_rcv", 7, "");
	assert_int_equal(s.n, 2);
	assert_string_equal(s.step[0].func, "__tcp_transmit_skb");
	assert_string_equal(s.step[0].text,
		"sends SYN from port 40000 to 80, seq 0, window 0 [packet 7, 72 octets on the cable]");
	assert_string_equal(s.step[1].node, "www");
	assert_string_equal(s.step[1].text, "packet 7 has come: client, sw1, r1, www");
	assert_string_equal(s.step[1].reason, "3 cables, 1.0 us");
	story_free(&s);
}

static void the_page_and_the_times(void **state)
{
	struct visit v = { .t_start_ns = 0, .t_parsed_ns = 0, .t_resolved_ns = 3000000, .t_connected_ns = 4000000,
			   .t_first_byte_ns = 5000000, .t_done_ns = 8000000, .t_closed_ns = 8000000 };
	struct strbuf sb;

	sb_init(&sb);
	sb_init(&v.body);
	sb_puts(&v.body, "one\n\ttwo\033[2J\nthree is long\nfour\n");
	story_page(&v, 3, 5, &sb);
	assert_string_equal(sb_str(&sb), "  | one\n  |     two....\n  | three...\n  | ...\n");
	sb_reset(&sb);
	story_times(&v, &sb);
	assert_string_equal(sb_str(&sb),
		"Where the time went\n"
		"  parse the URL                  0.000000 ms\n"
		"  resolve the name               3.000000 ms  ###############\n"
		"  connect                        1.000000 ms  #####\n"
		"  wait for the first octet       1.000000 ms  #####\n"
		"  receive the page               3.000000 ms  ###############\n"
		"  close                          0.000000 ms\n"
		"  in all                         8.000000 ms\n");
	sb_reset(&sb);
	/* The part in which it failed has its time too. */
	v = (struct visit){ .t_resolved_ns = 3000000, .t_closed_ns = 9000000, .body = v.body };
	story_times(&v, &sb);
	assert_string_equal(sb_str(&sb),
		"Where the time went\n"
		"  parse the URL                  0.000000 ms\n"
		"  resolve the name               3.000000 ms  ##############\n"
		"  connect                        6.000000 ms  ###########################\n"
		"  in all                         9.000000 ms\n");
	sb_free(&v.body);
	sb_free(&sb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(story_fills_values), cmocka_unit_test(story_tells_only_what_happened),
		cmocka_unit_test(frames_in_words),    cmocka_unit_test(a_packets_way),
		cmocka_unit_test(the_page_and_the_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

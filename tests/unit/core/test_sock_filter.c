/* Classic BPF on sockets: what libpcap compiles runs as libpcap's own interpreter runs it; what is malformed is
 * refused; nothing is read beside the packet. */
#include <errno.h>
#include <linux/filter.h>
#include <pcap/pcap.h>
#undef BPF_STMT
#undef BPF_JUMP
#include "room_fixture.h"

#define STMT(c, k) { (uint16_t)(c), 0, 0, (uint32_t)(k) }
#define JUMP(c, k, t, f) { (uint16_t)(c), (t), (f), (uint32_t)(k) }

static struct proto test_proto = { .name = "TEST", .obj_size = sizeof(struct sock) };

struct env {
	struct fx *f;
	struct sock *sk;
};

static struct env env_new(void)
{
	struct env e = { .f = fx_rooms(NULL) };

	e.sk = sk_alloc(e.f->net, AF_INET, SOCK_DGRAM, 17, &test_proto);
	sock_init_data(NULL, e.sk);
	return e;
}

static void env_end(struct env *e)
{
	sock_put(e->sk);
	fx_free(e->f);
}

static int attach(struct env *e, const struct sock_filter *f, size_t n)
{
	struct sock_fprog p = { (unsigned short)n, (struct sock_filter *)(uintptr_t)f };

	return sk_attach_filter(e->sk, &p);
}

static struct sk_buff *packet(struct env *e, const void *data, uint32_t len)
{
	struct sk_buff *skb = alloc_skb(e->f->net, len + 1);

	memcpy(skb_put(skb, len), data, len);
	return skb;
}

static uint32_t run(struct env *e, const void *data, uint32_t len)
{
	struct sk_buff *skb = packet(e, data, len);
	uint32_t r = sk_run_filter(e->sk, skb);

	consume_skb(skb);
	return r;
}

static void same_verdict_as_libpcap(void **state)
{
	static const char *const texts[] = { "ip", "arp", "tcp port 80", "udp and dst port 53", "icmp[icmptype] == 8",
					     "src net 10.1.0.0/16", "not broadcast and not multicast",
					     "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "greater 100",
					     "host 10.1.2.3 and (tcp or udp)", "ether host 02:00:00:00:00:01", "" };
	struct env e = env_new();
	pcap_t *p = pcap_open_dead(DLT_EN10MB, 65535);
	uint32_t seed = 7, agree = 0, taken = 0;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct bpf_program prog;

		assert_int_equal(pcap_compile(p, &prog, texts[i], 1, 0xffff0000), 0);
		assert_int_equal(attach(&e, (const struct sock_filter *)(const void *)prog.bf_insns, prog.bf_len), 0);
		for (int k = 0; k < 3000; k++) {
			uint8_t b[160];
			struct pcap_pkthdr h;
			uint32_t ours, theirs;

			for (size_t j = 0; j < sizeof(b); j++) {
				seed = seed * 1103515245u + 12345u;
				b[j] = (uint8_t)(seed >> 16);
			}
			/* plausible often enough to get deep */
			if (k & 1)
				memcpy(b, (uint8_t[6]){ 2, 0, 0, 0, 0, 1 }, 6);
			put_be16(b + 12, k % 5 == 4 ? 0x0806 : 0x0800);
			b[14] = (uint8_t)(0x45 + (k % 7 == 0));
			b[20] = 0, b[21] = 0;
			b[23] = (uint8_t)(k % 3 == 0 ? 6 : k % 3 == 1 ? 17 : 1);
			if (k % 4)
				put_be32(b + 26, 0x0a010203);
			put_be16(b + 36, k % 2 ? 80 : 53);
			h.len = h.caplen = (uint32_t)(k % 160);
			ours = run(&e, b, h.caplen);
			theirs = (uint32_t)pcap_offline_filter(&prog, &h, b);
			assert_int_equal(ours != 0, theirs != 0);
			agree++;
			taken += ours != 0;
		}
		pcap_freecode(&prog);
	}
	assert_true(taken > agree / 20 && taken < agree);
	pcap_close(p);
	env_end(&e);
}

static void every_operation(void **state)
{
	/* A = ((((P[0:4] + 3) * 2) ^ 0xff) >> 1) % 1000 with a trip through X and memory */
	static const struct sock_filter prog[] = {
		STMT(BPF_LD | BPF_W | BPF_ABS, 0), STMT(BPF_ALU | BPF_ADD | BPF_K, 3), STMT(BPF_ST, 15),
		STMT(BPF_LD | BPF_IMM, 2), STMT(BPF_MISC | BPF_TAX, 0), STMT(BPF_LD | BPF_MEM, 15),
		STMT(BPF_ALU | BPF_MUL | BPF_X, 0), STMT(BPF_ALU | BPF_XOR | BPF_K, 0xff),
		STMT(BPF_ALU | BPF_RSH | BPF_K, 1), STMT(BPF_ALU | BPF_MOD | BPF_K, 1000),
		STMT(BPF_ALU | BPF_OR | BPF_K, 0x10000), STMT(BPF_ALU | BPF_LSH | BPF_K, 1),
		STMT(BPF_ALU | BPF_SUB | BPF_K, 1), STMT(BPF_ALU | BPF_NEG, 0), STMT(BPF_ALU | BPF_NEG, 0),
		STMT(BPF_ALU | BPF_AND | BPF_K, 0xffffff), STMT(BPF_STX, 1), STMT(BPF_LDX | BPF_MEM, 1),
		STMT(BPF_ALU | BPF_DIV | BPF_X, 0), STMT(BPF_RET | BPF_A, 0),
	};
	struct env e = env_new();
	uint8_t b[8] = { 0, 0, 0x12, 0x34, 9, 9, 9, 9 };
	uint32_t want = ((((((0x1234u + 3) * 2) ^ 0xff) >> 1) % 1000 | 0x10000) << 1) - 1;

	assert_int_equal(attach(&e, prog, ARRAY_SIZE(prog)), 0);
	assert_int_equal(run(&e, b, 8), (want & 0xffffff) / 2);
	assert_int_equal(run(&e, b, 3), 0); /* the load is outside */
	env_end(&e);
}

static void loads_outside_the_packet_return_0(void **state)
{
	static const uint32_t at[] = { 8, 7, 0x7fffffff, 0x80000000, 0xffffffff, (uint32_t)SKF_AD_OFF + 4000,
				       (uint32_t)SKF_LL_OFF, (uint32_t)SKF_LL_OFF - 1, (uint32_t)SKF_NET_OFF + 9 };
	struct env e = env_new();
	uint8_t b[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		struct sock_filter prog[] = { STMT(BPF_LD | BPF_H | BPF_ABS, at[i]), STMT(BPF_RET | BPF_K, 1) };
		struct sock_filter ind[] = { STMT(BPF_LDX | BPF_W | BPF_IMM, at[i]),
					     STMT(BPF_LD | BPF_H | BPF_IND, 0), STMT(BPF_RET | BPF_K, 1) };

		assert_int_equal(attach(&e, prog, 2), 0);
		assert_int_equal(run(&e, b, 8), 0);
		assert_int_equal(attach(&e, ind, 3), 0);
		assert_int_equal(run(&e, b, 8), 0);
	}
	env_end(&e);
}

static void ancillary_words(void **state)
{
	static const struct sock_filter type[] = { STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PKTTYPE),
						   STMT(BPF_RET | BPF_A, 0) };
	static const struct sock_filter mark[] = { STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_MARK),
						   STMT(BPF_RET | BPF_A, 0) };
	static const struct sock_filter ip[] = { STMT(BPF_LD | BPF_B | BPF_ABS, SKF_NET_OFF), STMT(BPF_RET | BPF_A, 0) };
	struct env e = env_new();
	uint8_t b[20] = { 0 };
	struct sk_buff *skb;

	b[14] = 0x45;
	skb = packet(&e, b, sizeof(b));
	skb->pkt_type = PACKET_OUTGOING_;
	skb->mark = 99;
	skb->network_header = (uint16_t)(skb->data + 14 - skb->head);
	attach(&e, type, 2);
	assert_int_equal(sk_run_filter(e.sk, skb), PACKET_OUTGOING_);
	attach(&e, mark, 2);
	assert_int_equal(sk_run_filter(e.sk, skb), 99);
	attach(&e, ip, 2);
	assert_int_equal(sk_run_filter(e.sk, skb), 0x45);
	consume_skb(skb);
	env_end(&e);
}

static void filter_keeps_its_length(void **state)
{
	static const struct sock_filter five[] = { STMT(BPF_RET | BPF_K, 5) };
	struct env e = env_new();
	struct sk_buff *skb = packet(&e, "0123456789", 10);

	attach(&e, five, 1);
	assert_int_equal(sock_queue_rcv_skb(e.sk, skb), 0);
	assert_int_equal(skb->len, 5);
	env_end(&e);
}

static void malformed_programs_are_refused(void **state)
{
	static const struct sock_filter bad[][2] = {
		{ STMT(BPF_LD | BPF_W | BPF_ABS, 0), STMT(BPF_LD | BPF_W | BPF_ABS, 0) }, /* no end */
		{ STMT(BPF_JMP | BPF_JA, 1), STMT(BPF_RET | BPF_K, 0) },
		{ STMT(BPF_JMP | BPF_JA, 0xffffffff), STMT(BPF_RET | BPF_K, 0) },
		{ JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), STMT(BPF_RET | BPF_K, 0) },
		{ JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 255), STMT(BPF_RET | BPF_K, 0) },
		{ STMT(BPF_ALU | BPF_DIV | BPF_K, 0), STMT(BPF_RET | BPF_K, 0) },
		{ STMT(BPF_ALU | BPF_LSH | BPF_K, 32), STMT(BPF_RET | BPF_K, 0) },
		{ STMT(BPF_ST, 16), STMT(BPF_RET | BPF_K, 0) },
		{ STMT(BPF_LD | BPF_MEM, 16), STMT(BPF_RET | BPF_K, 0) },
		{ STMT(BPF_LDX | BPF_W | BPF_ABS, 0), STMT(BPF_RET | BPF_K, 0) },
		{ STMT(0x00f0, 0), STMT(BPF_RET | BPF_K, 0) },
		{ STMT(0x1100, 0), STMT(BPF_RET | BPF_K, 0) },
		{ STMT(BPF_ALU | 0xb0, 0), STMT(BPF_RET | BPF_K, 0) },
		{ STMT(BPF_JMP | 0x60, 0), STMT(BPF_RET | BPF_K, 0) },
		{ STMT(BPF_MISC | 0x40, 0), STMT(BPF_RET | BPF_K, 0) },
	};
	struct env e = env_new();
	struct sock_fprog none = { 1, NULL };
	struct sock_filter *big = calloc(BPF_MAXINSNS + 1, sizeof(*big));
	uint32_t seed = 3;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(attach(&e, bad[i], 2), -EINVAL);
	assert_int_equal(sk_attach_filter(e.sk, &none), -EFAULT);
	assert_int_equal(attach(&e, bad[0], 0), -EINVAL);
	for (size_t i = 0; i <= BPF_MAXINSNS; i++)
		big[i].code = BPF_RET;
	assert_int_equal(attach(&e, big, BPF_MAXINSNS + 1), -EINVAL);
	assert_int_equal(attach(&e, big, BPF_MAXINSNS), 0);
	/* whatever passes the check runs to an end within the packet */
	for (int round = 0; round < 200000; round++) {
		for (int i = 0; i < 8; i++) {
			seed = seed * 1103515245u + 12345u;
			big[i].code = (uint16_t)((seed >> 16) & 0xff);
			big[i].jt = (uint8_t)((seed >> 8) & 7);
			big[i].jf = (uint8_t)((seed >> 11) & 7);
			big[i].k = seed & 0x40000000 ? seed : (seed >> 4) & 15;
		}
		big[7].code = BPF_RET | BPF_A;
		if (!attach(&e, big, 8))
			run(&e, "0123456789abcdef", 16);
	}
	free(big);
	env_end(&e);
}

static void children_share_the_program(void **state)
{
	static const struct sock_filter drop[] = { STMT(BPF_RET | BPF_K, 0) };
	struct env e = env_new();
	struct sock *child = sk_alloc(e.f->net, AF_INET, SOCK_DGRAM, 17, &test_proto);

	sock_init_data(NULL, child);
	attach(&e, drop, 1);
	sk_filter_copy(child, e.sk);
	assert_int_equal(sk_detach_filter(e.sk), 0);
	assert_non_null(child->filter);
	sock_put(child);
	env_end(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_verdict_as_libpcap),	    cmocka_unit_test(every_operation),
		cmocka_unit_test(loads_outside_the_packet_return_0), cmocka_unit_test(ancillary_words),
		cmocka_unit_test(filter_keeps_its_length),	    cmocka_unit_test(malformed_programs_are_refused),
		cmocka_unit_test(children_share_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* skb_gso.c: trains split into real segments. */
#include "core_fixture.h"
#include "wire/tcp_hdr.h"

#define SADDR 0x0a000001u
#define DADDR 0x0a000002u

static void fill_ip(struct ip4_hdr *ip, uint8_t proto, uint32_t len, uint16_t id)
{
	memset(ip, 0, sizeof(*ip));
	ip->ver_ihl = 0x45;
	put_be16(ip->tot_len, (uint16_t)len);
	put_be16(ip->id, id);
	ip->ttl = 64;
	ip->protocol = proto;
	put_be32(ip->saddr, SADDR);
	put_be32(ip->daddr, DADDR);
}

/* Ethernet, IP, TCP with 12 octets of options (or UDP), payload counting up. */
static struct sk_buff *make_train(struct net *net, bool tcp, uint32_t payload, uint16_t mss)
{
	uint32_t thlen = tcp ? 32 : 8;
	struct sk_buff *s = alloc_skb(net, MAX_TCP_HEADER + payload);
	uint8_t *p;

	skb_reserve(s, MAX_TCP_HEADER);
	p = skb_put(s, payload);
	for (uint32_t i = 0; i < payload; i++)
		p[i] = (uint8_t)(i * 7 + (i >> 8));
	p = skb_push(s, thlen);
	memset(p, 0, thlen);
	skb_reset_transport_header(s);
	put_be16(p, 1111);
	put_be16(p + 2, 2222);
	if (tcp) {
		struct tcp_hdr *th = (struct tcp_hdr *)(void *)p;
		put_be32(th->seq, 0xfffffff0u);
		th->off_res = 0x80;
		th->flags = TCP_ACK | TCP_PSH | TCP_FIN | TCP_CWR;
		memset(p + 20, 1, 12);
	} else {
		put_be16(p + 4, (uint16_t)(8 + payload));
	}
	fill_ip((struct ip4_hdr *)(void *)skb_push(s, 20), tcp ? 6 : 17, s->len, 0xfffe);
	skb_reset_network_header(s);
	s->ip_summed = CHECKSUM_PARTIAL;
	s->csum_start = s->transport_header;
	s->csum_offset = tcp ? 16 : 6;
	put_be16(skb_transport_header(s) + s->csum_offset,
		 (uint16_t)~csum_fold(csum_tcpudp_nofold(SADDR, DADDR, thlen + payload, tcp ? 6 : 17, 0)));
	memcpy(skb_push(s, 14), "dstdstsrcsrc\x08\x00", 14);
	skb_reset_mac_header(s);
	s->protocol = ETH_P_IP;
	s->priority = 6;
	skb_shinfo(s)->gso_size = mss;
	skb_shinfo(s)->gso_segs = (uint16_t)((payload + mss - 1) / mss);
	skb_shinfo(s)->gso_type = tcp ? SKB_GSO_TCPV4 : SKB_GSO_UDP_L4;
	return s;
}

static void assert_sums(const struct sk_buff *seg, bool tcp)
{
	uint32_t l4 = seg->len - 34;

	assert_int_equal(ip4_fast_csum(seg->data + 14, 20), 0);
	assert_int_equal(csum_fold(csum_partial(seg->data + 34, l4,
						csum_tcpudp_nofold(SADDR, DADDR, l4, tcp ? 6 : 17, 0))),
			 0);
}

static void tcp_trains_become_segments(void **state)
{
	struct fx *f = fx_new();
	struct sk_buff *t = make_train(f->net, true, 3500, 1448), *seg, *next;
	uint32_t off = 0, n = 0;

	(void)state;
	fx_trace(f);
	seg = skb_gso_segment(t);
	for (; seg; seg = next, n++) {
		struct tcp_hdr *th = (struct tcp_hdr *)(void *)skb_transport_header(seg);
		uint32_t len = n == 2 ? 604 : 1448;

		next = seg->next;
		assert_int_equal(seg->len, 14 + 20 + 32 + len);
		assert_memory_equal(seg->data, "dstdstsrcsrc\x08\x00", 14);
		assert_int_equal(get_be32(th->seq), 0xfffffff0u + off);
		assert_int_equal(th->flags & (TCP_FIN | TCP_PSH), n == 2 ? TCP_FIN | TCP_PSH : 0);
		assert_int_equal(th->flags & TCP_CWR, n == 0 ? TCP_CWR : 0);
		assert_int_equal(ip4_id((struct ip4_hdr *)(void *)skb_network_header(seg)), (uint16_t)(0xfffe + n));
		assert_int_equal(ip4_tot_len((struct ip4_hdr *)(void *)skb_network_header(seg)), 52 + len);
		assert_memory_equal(seg->data + 66, t->data + 66 + off, len);
		assert_int_equal(seg->ip_summed, CHECKSUM_NONE);
		assert_int_equal(seg->priority, 6);
		assert_false(skb_is_gso(seg));
		assert_true(seg->serial > t->serial);
		assert_ptr_equal(skb_mac_header(seg), seg->data);
		assert_sums(seg, true);
		off += len;
		consume_skb(seg);
	}
	assert_int_equal(n, 3);
	assert_int_equal(rec_count(&f->rec, TR_BORN, "parent=1 segment"), 3);
	consume_skb(t);
	fx_free(f);
}

/* RFC 9768: CWR is a bit of ACE, not a word to be said once. */
static void accecn_trains_keep_their_cwr(void **state)
{
	struct fx *f = fx_new();
	struct sk_buff *t = make_train(f->net, true, 3500, 1448), *seg, *next;
	uint32_t n = 0;

	(void)state;
	skb_shinfo(t)->gso_accecn = 1;
	for (seg = skb_gso_segment(t); seg; seg = next, n++) {
		next = seg->next;
		assert_int_equal(((struct tcp_hdr *)(void *)skb_transport_header(seg))->flags & TCP_CWR, TCP_CWR);
		assert_sums(seg, true);
		consume_skb(seg);
	}
	assert_int_equal(n, 3);
	consume_skb(t);
	fx_free(f);
}

static void udp_trains_become_datagrams(void **state)
{
	struct fx *f = fx_new();
	struct sk_buff *t = make_train(f->net, false, 1001, 500), *seg, *next;
	uint32_t n = 0;

	(void)state;
	for (seg = skb_gso_segment(t); seg; seg = next, n++) {
		uint32_t len = n == 2 ? 1 : 500;

		next = seg->next;
		assert_int_equal(get_be16(skb_transport_header(seg) + 4), 8 + len);
		assert_sums(seg, false);
		consume_skb(seg);
	}
	assert_int_equal(n, 3);
	/* without checksum it stays without */
	t->ip_summed = CHECKSUM_NONE;
	put_be16(skb_transport_header(t) + 6, 0);
	for (seg = skb_gso_segment(t); seg; seg = next) {
		next = seg->next;
		assert_int_equal(get_be16(skb_transport_header(seg) + 6), 0);
		consume_skb(seg);
	}
	consume_skb(t);
	fx_free(f);
}

static void partial_checksums_are_left_to_the_device(void **state)
{
	struct fx *f = fx_new();
	struct sk_buff *t = make_train(f->net, true, 2000, 1000), *seg, *next;

	(void)state;
	for (seg = skb_gso_segment_features(t, true); seg; seg = next) {
		next = seg->next;
		assert_int_equal(seg->ip_summed, CHECKSUM_PARTIAL);
		assert_int_equal(skb_checksum_help(seg), 0);
		assert_sums(seg, true);
		consume_skb(seg);
	}
	consume_skb(t);
	fx_free(f);
}

static void trains_with_fragments_split_alike(void **state)
{
	struct fx *f = fx_new();
	struct sk_buff *t = make_train(f->net, true, 3000, 700), *u = make_train(f->net, true, 3000, 700);
	struct sk_buff *frag = alloc_skb(f->net, 2000), *a, *b, *an, *bn;

	(void)state;
	/* the last 1001 octets of u move to a fragment */
	memcpy(skb_put(frag, 1001), u->data + u->len - 1001, 1001);
	skb_trim(u, u->len - 1001);
	skb_shinfo(u)->frag_list = frag;
	u->len += 1001;
	u->data_len = 1001;
	a = skb_gso_segment(t);
	b = skb_gso_segment(u);
	for (; a && b; a = an, b = bn) {
		an = a->next;
		bn = b->next;
		assert_int_equal(a->len, b->len);
		assert_memory_equal(a->data, b->data, a->len);
		consume_skb(a);
		consume_skb(b);
	}
	assert_ptr_equal(a, b);
	consume_skb(t);
	consume_skb(u);
	fx_free(f);
}

static void malformed_trains_and_no_memory_give_null(void **state)
{
	struct fx *f = fx_new();
	struct sk_buff *t = make_train(f->net, true, 5000, 1000);
	struct tcp_hdr *th = (struct tcp_hdr *)(void *)skb_transport_header(t);
	struct ip4_hdr *ip = (struct ip4_hdr *)(void *)skb_network_header(t);
	uint16_t at;

	(void)state;
	th->off_res = 0x40; /* shorter than a header */
	assert_null(skb_gso_segment(t));
	th->off_res = 0x80;
	ip->ver_ihl = 0x46;
	assert_null(skb_gso_segment(t));
	ip->ver_ihl = 0x65;
	assert_null(skb_gso_segment(t));
	ip->ver_ihl = 0x45;
	ip->protocol = 17;
	assert_null(skb_gso_segment(t));
	ip->protocol = 6;
	at = t->transport_header;
	t->transport_header = 60000;
	assert_null(skb_gso_segment(t));
	t->transport_header = 0;
	assert_null(skb_gso_segment(t));
	t->transport_header = at;
	f->net->skb_max_bytes = f->net->skb_mib.bytes + 5000; /* two segments' worth */
	assert_null(skb_gso_segment(t));
	assert_int_equal(f->net->skb_mib.live, 1);
	f->net->skb_max_bytes = INT64_MAX;
	consume_skb(t);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_trains_become_segments), cmocka_unit_test(accecn_trains_keep_their_cwr),
		cmocka_unit_test(udp_trains_become_datagrams),
		cmocka_unit_test(partial_checksums_are_left_to_the_device),
		cmocka_unit_test(trains_with_fragments_split_alike),
		cmocka_unit_test(malformed_trains_and_no_memory_give_null),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

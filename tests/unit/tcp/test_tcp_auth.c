/* TCP MD5 (RFC 2385): keys and what is refused, every segment signed, every way in checked, as Linux does it. */
#include "auth_bed.h"

#define K "a secret of sixteen"

struct seen {
	unsigned n, signed_, ts, sack, bad, rst;
	uint32_t biggest;
	const char *key;
};

/* The signature by hand, from RFC 2385 2.0 alone. */
static bool right(const struct seg *s, const char *key)
{
	const uint8_t *o = find_opt(s, 19);
	uint8_t want[16], h[12 + 20];
	uint32_t hlen = (uint32_t)(s->b[12] >> 4) * 4;
	struct tcp_mac m;

	if (!o || o[1] != 18)
		return false;
	put_be32(h, s->saddr);
	put_be32(h + 4, s->daddr);
	h[8] = 0;
	h[9] = 6;
	put_be16(h + 10, (uint16_t)s->len);
	memcpy(h + 12, s->b, 20);
	h[12 + 16] = h[12 + 17] = 0;
	tcp_mac_start(&m, TCP_MAC_MD5, NULL, 0);
	tcp_mac_add(&m, h, sizeof(h));
	tcp_mac_add(&m, s->b + hlen, s->len - hlen);
	tcp_mac_add(&m, key, strlen(key));
	tcp_mac_end(&m, want, sizeof(want));
	return memcmp(want, o + 2, 16) == 0;
}

static uint64_t look(struct bed *b, const struct seg *s, void *arg)
{
	struct seen *w = arg;

	w->n++;
	w->signed_ += find_opt(s, 19) != NULL;
	w->ts += find_opt(s, 8) != NULL;
	w->sack += find_opt(s, 5) != NULL;
	w->rst += (s->b[13] & 4) != 0;
	w->bad += !right(s, w->key);
	w->biggest = max_u32(w->biggest, s->len);
	return 0;
}

static void mac_vectors(void **state)
{
	static const struct {
		enum tcp_mac_alg alg;
		const char *key, *text;
		uint8_t want[16];
	} t[] = {
		{ TCP_MAC_MD5, "", "abc", { 0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0, 0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1, 0x7f, 0x72 } },
		{ TCP_MAC_HMAC_SHA1, "Jefe", "what do ya want for nothing?",
		  { 0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2, 0xd2, 0x74, 0x16, 0xd5, 0xf1, 0x84, 0xdf, 0x9c } },
		{ TCP_MAC_HMAC_SHA256, "Jefe", "what do ya want for nothing?",
		  { 0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7 } },
		{ TCP_MAC_AES_128_CMAC, "\x2b\x7e\x15\x16\x28\xae\xd2\xa6\xab\xf7\x15\x88\x09\xcf\x4f\x3c", "",
		  { 0xbb, 0x1d, 0x69, 0x29, 0xe9, 0x59, 0x37, 0x28, 0x7f, 0xa3, 0x7d, 0x12, 0x9b, 0x75, 0x67, 0x46 } },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		uint8_t out[16];
		struct tcp_mac m;

		tcp_mac_start(&m, t[i].alg, (const uint8_t *)t[i].key, strlen(t[i].key));
		tcp_mac_add(&m, t[i].text, strlen(t[i].text));
		tcp_mac_end(&m, out, sizeof(out));
		assert_memory_equal(out, t[i].want, sizeof(out));
	}
}

static void md5_keys_and_errors(void **state)
{
	struct bed *b = bed_new(2);
	struct sock *sk = bed_socket(b, 0);
	uint32_t p = bed_addr(1);
	struct tcp_md5_arg m = { .keylen = 81 };
	struct sockaddr_in sin = peer_at(p);
	socklen_t len = sizeof(m);
	unsigned n;

	memcpy(m.addr, &sin, sizeof(sin));
	assert_int_equal(md5_key(sk, TCP_MD5SIG, p, -1, ""), -ENOENT);
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_MD5SIG, &m, sizeof(m)), -EINVAL);
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_MD5SIG, &m, sizeof(m) - 1), -EINVAL);
	assert_int_equal(sk->prot->getsockopt(sk, SOL_TCP, TCP_MD5SIG, &m, &len), -ENOPROTOOPT);
	m.addr[0] = AF_INET6;
	m.keylen = 3;
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_MD5SIG, &m, sizeof(m)), -EINVAL);
	m.addr[0] = AF_INET;
	m.flags = TCP_OPT_MD5_FLAG_IFINDEX;
	m.ifindex = 1; /* not the master of a VRF */
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_MD5SIG_EXT, &m, sizeof(m)), -EINVAL);
	m.ifindex = 0;
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_MD5SIG_EXT, &m, sizeof(m)), 0);
	assert_int_equal(md5_key(sk, TCP_MD5SIG, p, -1, ""), -ENOENT); /* that was another */
	assert_int_equal(md5_key(sk, TCP_MD5SIG_EXT, p, 33, K), -EINVAL);
	assert_int_equal(md5_key(sk, TCP_MD5SIG_EXT, p, 33, ""), -EINVAL);
	assert_int_equal(md5_key(sk, TCP_MD5SIG_EXT, p, 24, K), 0);
	assert_int_equal(md5_key(sk, TCP_MD5SIG_EXT, p, 24, "other"), 0); /* in its place */
	assert_int_equal(md5_key(sk, TCP_MD5SIG_EXT, p, 24, ""), 0);
	assert_int_equal(md5_key(sk, TCP_MD5SIG_EXT, p, 24, ""), -ENOENT);
	assert_int_equal(md5_key(sk, TCP_MD5SIG, p, 24, K), 0); /* this one knows no prefix: 32 */
	assert_int_equal(md5_key(sk, TCP_MD5SIG, p, -1, ""), 0);
	bed_close(sk);
	sk = bed_socket(b, 0); /* 136 octets of optmem_max each */
	for (n = 0; md5_key(sk, TCP_MD5SIG, p + n, -1, K) == 0; n++)
		;
	assert_int_equal(n, 963);
	assert_int_equal(md5_key(sk, TCP_MD5SIG, p + n, -1, K), -ENOMEM);
	assert_int_equal(md5_key(sk, TCP_MD5SIG, p + 5, -1, "new"), 0);
	assert_int_equal(md5_key(sk, TCP_MD5SIG, p + 7, -1, ""), 0);
	assert_int_equal(md5_key(sk, TCP_MD5SIG, p + n, -1, K), 0);
	bed_close(sk);
	bed_free(b);
}

static void md5_longest_prefix(void **state)
{
	struct bed *b = bed_new(1);
	struct sock *sk = bed_socket(b, 0);
	const struct tcp_auth *a;

	assert_int_equal(md5_key(sk, TCP_MD5SIG_EXT, 0x0a000000, 8, "eight"), 0);
	assert_int_equal(md5_key(sk, TCP_MD5SIG_EXT, 0x0a010203, 32, "host"), 0);
	assert_int_equal(md5_key(sk, TCP_MD5SIG_EXT, 0x0a010000, 16, "sixteen"), 0);
	a = tcp_auth_of(sk);
	assert_memory_equal(tcp_md5_lookup(a, 0x0a010203)->key, "host", 4);
	assert_memory_equal(tcp_md5_lookup(a, 0x0a010204)->key, "sixteen", 7);
	assert_memory_equal(tcp_md5_lookup(a, 0x0a020204)->key, "eight", 5);
	assert_null(tcp_md5_lookup(a, 0x0b020204));
	assert_int_equal(md5_key(sk, TCP_MD5SIG_EXT, 0x0b000000, 0, "all"), 0);
	assert_memory_equal(tcp_md5_lookup(a, 0xc0020204)->key, "all", 3);
	assert_memory_equal(tcp_md5_lookup(a, 0x0a020204)->key, "eight", 5);
	bed_close(sk);
	bed_free(b);
}

/* Two of our own hosts with the same key: everything is signed, from SYN to the ACKs of TIME-WAIT. */
static void md5_connection(void **state)
{
	struct bed *b = bed_new(2);
	struct seen w = { .key = K };
	struct sock *l = bed_listen(b, 1, 80, 5), *sk = bed_socket(b, 0), *c;
	static char buf[100000];
	size_t got = 0, put = 0;

	b->dev_features = NETIF_F_TSO; /* which they must not use */
	b->tap = look;
	b->tap_arg = &w;
	assert_int_equal(md5_key(l, TCP_MD5SIG_EXT, bed_addr(0), 24, K), 0);
	assert_int_equal(md5_key(sk, TCP_MD5SIG, bed_addr(1), -1, K), 0);
	assert_int_equal(bed_connect(b, sk, 1, 80), 0);
	bed_run(b, SEC);
	c = bed_accept(l);
	assert_non_null(c);
	assert_int_equal(tcp_md5_lookup(tcp_auth_of(c), bed_addr(0))->k.prefix, 32); /* only its peer's */
	while (got < sizeof(buf)) {
		ssize_t n;

		if (put < sizeof(buf) && (n = bed_send(c, buf, sizeof(buf) - put, 0)) > 0)
			put += (size_t)n;
		bed_run(b, 20 * MS);
		n = bed_recv(sk, buf, sizeof(buf), 0);
		assert_true(n > 0 || n == -EAGAIN);
		got += n > 0 ? (size_t)n : 0;
	}
	bed_close(sk);
	bed_run(b, SEC);
	bed_close(c);
	bed_run(b, SEC);
	bed_close(l);
	bed_run(b, 100 * SEC);
	assert_int_equal(w.bad, 0);
	assert_int_equal(w.signed_, w.n);
	assert_int_equal(w.ts, 0); /* SACK was worth more */
	assert_int_equal(b->n_trains, 0);
	assert_int_equal(w.biggest, 1480);
	bed_free(b);
}

/* SACK off: timestamps and signature fit, and the header is 52 octets; two blocks at most with SACK. */
static void md5_option_room(void **state)
{
	struct bed *b = bed_new(2);
	struct seen w = { .key = K };
	struct sock *l = bed_listen(b, 1, 80, 5), *sk = bed_socket(b, 0), *c;

	b->tap = look;
	b->tap_arg = &w;
	b->net[0]->tcp->sysctl.sack = b->net[1]->tcp->sysctl.sack = 0;
	assert_int_equal(md5_key(l, TCP_MD5SIG, bed_addr(0), -1, K), 0);
	assert_int_equal(md5_key(sk, TCP_MD5SIG, bed_addr(1), -1, K), 0);
	assert_int_equal(bed_connect(b, sk, 1, 80), 0);
	bed_run(b, SEC);
	c = bed_accept(l);
	assert_non_null(c);
	assert_int_equal(w.ts, 0); /* the client's SYN has no room for one, so nobody has */
	assert_int_equal(tcp_current_mss(sk), 1440);
	assert_int_equal(tcp_current_mss(c), 1440);
	bed_close(sk);
	bed_close(c);
	bed_close(l);
	bed_run(b, 200 * SEC);
	assert_int_equal(w.bad, 0);
	bed_free(b);
}

static uint64_t mib(struct bed *b, unsigned host, int which)
{
	const struct net *n = b->net[host];

	return which == 0 ? n->mib.tcpext.TCPMD5NotFound : which == 1 ? n->mib.tcpext.TCPMD5Unexpected : n->mib.tcpext.TCPMD5Failure;
}

static void md5_no_agreement(void **state)
{
	static const struct {
		const char *client, *server;
		int which, at;
	} t[] = { { "", K, 0, 1 }, { K, "", 1, 1 }, { "x", K, 2, 1 } };

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct bed *b = bed_new(2);
		struct sock *l = bed_listen(b, 1, 80, 5), *sk = bed_socket(b, 0);

		if (*t[i].client)
			assert_int_equal(md5_key(sk, TCP_MD5SIG, bed_addr(1), -1, t[i].client), 0);
		if (*t[i].server)
			assert_int_equal(md5_key(l, TCP_MD5SIG, bed_addr(0), -1, t[i].server), 0);
		assert_int_equal(bed_connect(b, sk, 1, 80), 0);
		bed_run(b, 2 * SEC);
		assert_int_equal(sk->state, TCP_SYN_SENT); /* silence: neither SYN-ACK nor reset */
		assert_null(bed_accept(l));
		assert_true(mib(b, 1, t[i].which) >= 2);
		assert_int_equal(b->net[1]->mib.tcp.OutSegs, 0);
		bed_close(sk);
		bed_close(l);
		bed_run(b, 200 * SEC);
		bed_free(b);
	}
}

/* A reset answers only who signed rightly, and is signed itself: by a connection, and by the listener when that is gone. */
static void md5_resets(void **state)
{
	struct bed *b = bed_new(2);
	struct seen w = { .key = K };
	struct sock *l = bed_listen(b, 1, 80, 5), *sk = bed_socket(b, 0), *c;
	uint32_t n;

	b->tap = look;
	b->tap_arg = &w;
	assert_int_equal(md5_key(l, TCP_MD5SIG, bed_addr(0), -1, K), 0);
	assert_int_equal(md5_key(sk, TCP_MD5SIG, bed_addr(1), -1, K), 0);
	assert_int_equal(bed_connect(b, sk, 1, 80), 0);
	bed_run(b, SEC);
	c = bed_accept(l);
	n = inet_sk(c)->dport;
	/* an unsigned reset that fits to the octet does nothing */
	b->isn = tcp_sk(sk)->snd_nxt;
	b->peer_isn = tcp_sk(sk)->rcv_nxt;
	b->tap = NULL;
	bed_inject(b, 1, 0, 80, (uint16_t)n, "R 0", NULL, 0);
	bed_run(b, SEC);
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	assert_int_equal(mib(b, 0, 0), 1);
	b->tap = look;
	/* data for a program that is gone: the connection's reset is signed */
	sock_set_flag(c, SOCK_F_LINGER, true);
	c->lingertime_ns = 0;
	bed_close(c);
	bed_run(b, SEC);
	assert_int_equal(sk->state, TCP_CLOSE);
	assert_true(w.rst >= 1);
	assert_int_equal(w.bad, 0);
	bed_close(sk);
	bed_close(l);
	bed_run(b, 200 * SEC);
	bed_free(b);
}

static uint64_t lose_resets(struct bed *b, const struct seg *s, void *arg) { return s->b[13] & TCP_RST ? UINT64_MAX : 0; }

/* One end of the connection is gone, and a listener of its host knows the key: the passive end's own one, or for the active end one
 * on the port that is talked to. Who signs rightly is reset; who does not gets no answer (RFC 2385 4.1). */
static void reset_of_who_signs(unsigned gone)
{
	struct bed *b = bed_new(2);
	struct sock *l = bed_listen(b, 1, 80, 5), *l0 = bed_listen(b, 0, 80, 5), *sk = bed_socket(b, 0), *c, *left_over, *lost;
	unsigned left = 2;
	uint64_t out;

	assert_int_equal(md5_key(l, TCP_MD5SIG, bed_addr(0), -1, K), 0);
	assert_int_equal(md5_key(l0, TCP_MD5SIG, bed_addr(1), -1, K), 0);
	assert_int_equal(md5_key(sk, TCP_MD5SIG, bed_addr(1), -1, K), 0);
	assert_int_equal(bed_connect(b, sk, 1, 80), 0);
	bed_run(b, SEC);
	c = bed_accept(l);
	lost = gone ? c : sk;
	left_over = gone ? sk : c;
	b->tap = lose_resets;
	sock_set_flag(lost, SOCK_F_LINGER, true);
	lost->lingertime_ns = 0;
	bed_close(lost);
	bed_run(b, SEC);
	assert_int_equal(left_over->state, TCP_ESTABLISHED); /* it has not heard of it */
	out = b->net[gone]->mib.tcp.OutSegs;
	b->tap = spoil;
	b->tap_arg = &left;
	assert_int_equal(bed_send(left_over, "x", 1, 0), 1);
	bed_run(b, 100 * MS);
	assert_int_equal(left, 1);
	assert_int_equal(b->net[gone]->mib.tcp.OutSegs, out);
	assert_int_equal(left_over->state, TCP_ESTABLISHED);
	left = 0;
	bed_run(b, 10 * SEC); /* sent again, signed rightly */
	assert_int_equal(b->net[gone]->mib.tcp.OutSegs, out + 1);
	assert_int_equal(left_over->state, TCP_CLOSE);
	bed_close(left_over);
	bed_close(l);
	bed_close(l0);
	bed_run(b, 200 * SEC);
	bed_free(b);
}

static void md5_reset_only_for_who_signs(void **state)
{
	reset_of_who_signs(1);
	reset_of_who_signs(0);
}

/* SYN cookies are signed, and the child that comes of one has the key. */
static void md5_cookies(void **state)
{
	struct bed *b = bed_new(2);
	struct seen w = { .key = K };
	struct sock *l = bed_listen(b, 1, 80, 5), *sk = bed_socket(b, 0), *c;

	b->tap = look;
	b->tap_arg = &w;
	b->net[1]->tcp->sysctl.syncookies = 2;
	assert_int_equal(md5_key(l, TCP_MD5SIG, bed_addr(0), -1, K), 0);
	assert_int_equal(md5_key(sk, TCP_MD5SIG, bed_addr(1), -1, K), 0);
	assert_int_equal(bed_connect(b, sk, 1, 80), 0);
	bed_run(b, SEC);
	c = bed_accept(l);
	assert_non_null(c);
	assert_int_equal(b->net[1]->mib.tcpext.SyncookiesRecv, 1);
	assert_non_null(tcp_auth_of(c));
	assert_int_equal(bed_send(c, "hello", 5, 0), 5);
	bed_run(b, SEC);
	assert_int_equal(w.bad, 0);
	bed_close(sk);
	bed_close(c);
	bed_close(l);
	bed_run(b, 200 * SEC);
	bed_free(b);
}

/* Two signatures, one of the wrong length, one that runs over the end: dropped before anybody looks further. */
static void md5_malformed(void **state)
{
	static const uint8_t tails[3][40] = {
		{ 19, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 19, 18 },
		{ 19, 17 },
		{ 1, 1, 1, 77, 60 }, /* as on Linux, whatever the socket: 18 octets are left, and nothing after it can be found */
	};
	struct bed *b = scripted_bed();
	struct sock *l = bed_listen(b, 0, 80, 5);

	for (unsigned i = 0; i < 3; i++) {
		uint8_t s[60] = { 0x10, (uint8_t)i, 0, 80 };

		s[12] = 15 << 4;
		s[13] = 2;
		memcpy(s + 20, tails[i], 40);
		bed_inject_raw(b, 1, 0, s, sizeof(s));
		bed_run(b, 0);
		expect_seg(b, "");
	}
	assert_int_equal(b->net[0]->mib.tcpext.TCPMD5Unexpected, 0);
	done(b, l);
}

int main(void)
{
	static const struct CMUnitTest t[] = {
		cmocka_unit_test(mac_vectors),      cmocka_unit_test(md5_keys_and_errors), cmocka_unit_test(md5_longest_prefix),
		cmocka_unit_test(md5_connection),   cmocka_unit_test(md5_option_room),     cmocka_unit_test(md5_no_agreement),
		cmocka_unit_test(md5_resets), cmocka_unit_test(md5_reset_only_for_who_signs),       cmocka_unit_test(md5_cookies),         cmocka_unit_test(md5_malformed),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}

/* TCP-AO (RFC 5925, 5926): RFC 9235's vector, keys and what is refused, connections, change of keys, ICMP, repair. */
#include "auth_bed.h"

#define SHA1 "hmac(sha1)"
#define CMAC "cmac(aes128)"
#define K "testvector"

/* RFC 9235 4.1.1: the SYN of the test vectors, HMAC-SHA-1-96, options covered. */
static void ao_rfc9235_vector(void **state)
{
	static const uint8_t seg[] = { 0xe9, 0xd7, 0x00, 0xb3, 0xfb, 0xfb, 0xab, 0x5a, 0x00, 0x00, 0x00, 0x00, 0xe0, 0x02, 0xff, 0xff, 0xca, 0xc4, 0x00,
				       0x00, 0x02, 0x04, 0x05, 0xb4, 0x01, 0x03, 0x03, 0x08, 0x04, 0x02, 0x08, 0x0a, 0x00, 0x15, 0x5a, 0xb7, 0x00, 0x00,
				       0x00, 0x00, 0x1d, 0x10, 0x3d, 0x54, 0x2e, 0xe4, 0x37, 0xc6, 0xf8, 0xed, 0xe6, 0xd7, 0xc4, 0xd6, 0x02, 0xe7 };
	static const uint8_t traffic[20] = { 0x6d, 0x63, 0xef, 0x1b, 0x02, 0xfe, 0x15, 0x09, 0xd4, 0xb1,
					     0x40, 0x27, 0x07, 0xfd, 0x7b, 0x04, 0x16, 0xab, 0xb7, 0x4f };
	struct tcp_ao_key key = { .alg = TCP_MAC_HMAC_SHA1, .maclen = 12, .keylen = 10, .key = K };
	struct tcp_key k = { .type = TCP_KEY_AO, .ao = &key };
	uint8_t s[sizeof(seg)];

	tcp_ao_traffic_key(&key, k.traffic, 0x0a0b0c0d, 0xac1b1c1d, 0xe9d7, 0x00b3, 0xfbfbab5a, 0);
	assert_memory_equal(k.traffic, traffic, sizeof(traffic));
	memcpy(s, seg, sizeof(s));
	memset(s + 44, 0xff, 12);
	tcp_ao_sign(&k, s + 44, 0x0a0b0c0d, 0xac1b1c1d, s, sizeof(s), NULL, 0);
	assert_memory_equal(s, seg, sizeof(s));
}

static void ao_sequence_number_extension(void **state)
{
	assert_int_equal(tcp_ao_sne(5, 1000, 2000), 5);
	assert_int_equal(tcp_ao_sne(5, 2000, 1000), 5);
	assert_int_equal(tcp_ao_sne(5, 0xfffffff0, 0x10), 6); /* beyond the wrap */
	assert_int_equal(tcp_ao_sne(6, 0x10, 0xfffffff0), 5); /* from before it */
}

static void ao_keys_and_errors(void **state)
{
	struct bed *b = bed_new(2);
	struct sock *sk = bed_socket(b, 0), *l = bed_listen(b, 0, 80, 1);
	uint32_t p = bed_addr(1);
	struct tcp_ao_add_arg a = ao_arg(p, 32, 1, 2, SHA1, K), x;
	struct tcp_ao_info_arg i = { 0 };
	struct tcp_ao_get_arg g[3];
	socklen_t len = sizeof(i);
	uint8_t more[sizeof(a) + 4] = { 0 };

	assert_int_equal(sk->prot->getsockopt(sk, SOL_TCP, TCP_OPT_AO_INFO, &i, &len), -ENOENT);
	len = sizeof(g[0]);
	assert_int_equal(sk->prot->getsockopt(sk, SOL_TCP, TCP_OPT_AO_GET_KEYS, g, &len), -ENOENT);
	assert_int_equal(ao_del(sk, p, 32, 1, 2), -ENOENT);
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_OPT_AO_ADD_KEY, &a, sizeof(a) - 1), -EINVAL);
#define REFUSED(change, err)                         \
	do {                                         \
		x = a;                               \
		change;                              \
		assert_int_equal(ao_add(sk, x), err); \
	} while (0)
	REFUSED(x.keylen = 81, -EINVAL);
	REFUSED(x.reserved = 1, -EINVAL);
	REFUSED(x.reserved2 = 1, -EINVAL);
	REFUSED(x.keyflags = 4, -EINVAL);
	REFUSED(x.ifindex = 3, -EINVAL);
	REFUSED(x.addr[0] = AF_INET6, -EINVAL);
	REFUSED(x.addr[3] = 80, -EINVAL); /* a port */
	REFUSED(x.prefix = 33, -EINVAL);
	REFUSED(x.prefix = 24, -EINVAL); /* bits beyond the prefix */
	REFUSED(x.prefix = 0, -EINVAL);  /* and with an address */
	REFUSED(memset(x.addr + 4, 0, 4), -EINVAL);
	REFUSED(strcpy(x.alg_name, "imaginary hash"), -ENOENT);
	REFUSED(x.maclen = 17, -EMSGSIZE);
	memcpy(more, &a, sizeof(a));
	more[sizeof(a)] = 1;
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_OPT_AO_ADD_KEY, more, sizeof(more)), -E2BIG);
	assert_int_equal(ao_add(sk, a), 0);
	REFUSED((void)0, -EEXIST);
	REFUSED(x.rcvid = 9, -EEXIST);
	REFUSED(x.sndid = 9, -EEXIST);
	REFUSED((x.prefix = 24, x.addr[7] = 0), -EEXIST); /* overlaps */
	assert_int_equal(md5_key(sk, TCP_MD5SIG, p, -1, "md5"), -EKEYREJECTED);
	assert_int_equal(md5_key(sk, TCP_MD5SIG, p + 1, -1, "md5"), 0);
	x = ao_arg(p + 1, 32, 3, 3, SHA1, K);
	assert_int_equal(ao_add(sk, x), -EKEYREJECTED);
	i.ao_required = 1;
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_OPT_AO_INFO, &i, sizeof(i)), -EKEYREJECTED);
	x = ao_arg(p, 32, 3, 3, CMAC, "not sixteen");
	x.set_current = x.set_rnext = 1;
	assert_int_equal(ao_add(l, x), -EINVAL); /* a listener has neither */
	assert_int_equal(ao_add(sk, x), 0);
	assert_int_equal(ao_info(sk).current_key, 3);
	assert_int_equal(ao_info(sk).rnext, 3);
	assert_int_equal(ao_del(sk, p, 32, 3, 3), -EBUSY);
	memset(g, 0, sizeof(g));
	g[0].get_all = 1;
	g[0].nkeys = 3;
	len = sizeof(g[0]);
	assert_int_equal(sk->prot->getsockopt(sk, SOL_TCP, TCP_OPT_AO_GET_KEYS, g, &len), 0);
	assert_int_equal(g[0].nkeys, 2);
	assert_string_equal(g[0].alg_name, CMAC);
	assert_int_equal(g[0].keylen, 16);
	assert_true(g[0].is_current && g[0].is_rnext && !g[1].is_current);
	assert_int_equal(g[1].maclen, 12);
	assert_int_equal(ao_del(sk, p, 32, 1, 2), 0);
	assert_int_equal(ao_del(sk, p, 32, 1, 2), -ENOENT);
	bed_close(sk);
	bed_close(l);
	bed_free(b);
}

struct pair {
	struct bed *b;
	struct sock *l, *sk, *c;
};

static uint64_t all_signed(struct bed *b, const struct seg *s, void *arg)
{
	assert_non_null(find_opt(s, 29));
	assert_null(find_opt(s, 8));
	*(uint8_t *)arg = find_opt(s, 29)[2];
	return 0;
}

static struct pair ao_pair(const char *alg, uint8_t keyflags)
{
	struct pair p = { .b = bed_new(2) };
	struct tcp_ao_add_arg a;

	p.l = bed_listen(p.b, 1, 80, 5);
	p.sk = bed_socket(p.b, 0);
	for (uint8_t id = 1; id <= 2; id++) {
		char key[8] = { 'k', 'e', 'y', (char)('0' + id) };

		a = ao_arg(bed_addr(1), 32, id, (uint8_t)(id + 100), alg, key);
		a.keyflags = keyflags;
		a.set_current = a.set_rnext = id == 1;
		assert_int_equal(ao_add(p.sk, a), 0);
		a = ao_arg(bed_addr(0) & 0xffffff00, 24, (uint8_t)(id + 100), id, alg, key);
		a.keyflags = keyflags;
		assert_int_equal(ao_add(p.l, a), 0);
	}
	return p;
}

static void open_pair(struct pair *p)
{
	assert_int_equal(bed_connect(p->b, p->sk, 1, 80), 0);
	bed_run(p->b, SEC);
	p->c = bed_accept(p->l);
	assert_non_null(p->c);
}

static void close_pair(struct pair *p)
{
	bed_close(p->sk);
	bed_run(p->b, SEC);
	if (p->c)
		bed_close(p->c);
	bed_run(p->b, SEC);
	bed_close(p->l);
	bed_run(p->b, 200 * SEC);
	assert_int_equal(p->b->net[0]->mib.tcpext.TCPAOBad + p->b->net[1]->mib.tcpext.TCPAOBad, 0);
	bed_free(p->b);
}

static void talk(struct pair *p, size_t n)
{
	static char buf[300000];
	size_t put = 0, got = 0;

	for (unsigned i = 0; got < n; i++) {
		ssize_t r;

		if (put < n && (r = bed_send(p->sk, buf, n - put, 0)) > 0)
			put += (size_t)r;
		bed_run(p->b, 20 * MS);
		r = bed_recv(p->c, buf, sizeof(buf), 0);
		assert_true((r > 0 || r == -EAGAIN) && i < 2000);
		got += r > 0 ? (size_t)r : 0;
	}
}

static void ao_connection(void **state)
{
	static const char *const algs[] = { SHA1, CMAC, "hmac(sha256)" };

	for (unsigned i = 0; i < 6; i++) {
		struct pair p = ao_pair(algs[i / 2], i & 1 ? TCP_OPT_AO_KEYF_EXCLUDE_OPT : 0);
		uint8_t id = 0;

		p.b->dev_features = NETIF_F_TSO;
		p.b->tap = all_signed;
		p.b->tap_arg = &id;
		open_pair(&p);
		talk(&p, 100000);
		assert_int_equal(tcp_current_mss(p.sk), 1460 - 16);
		assert_true(ao_info(p.sk).pkt_good > 10 && ao_info(p.c).pkt_good > 60);
		assert_int_equal(ao_info(p.sk).pkt_bad, 0);
		close_pair(&p);
	}
}

/* RFC 5925 7.4: every octet of the MAC counts. What is wrong in the third is not taken, and comes again. */
static void ao_wrong_in_the_middle(void **state)
{
	struct pair p = ao_pair(SHA1, 0);
	unsigned left = 1;

	open_pair(&p);
	p.b->tap = spoil;
	p.b->tap_arg = &left;
	talk(&p, 1000);
	assert_int_equal(left, 0);
	assert_int_equal(ao_info(p.c).pkt_bad, 1);
	assert_int_equal(p.b->net[1]->mib.tcpext.TCPAOBad, 1);
	p.b->net[1]->mib.tcpext.TCPAOBad = 0; /* the one that was meant to be */
	close_pair(&p);
}

/* Both keys are known; the client asks to be answered with the second, then uses the second itself. */
static void ao_rotation(void **state)
{
	struct pair p = ao_pair(SHA1, 0);
	struct tcp_ao_info_arg i = { .set_rnext = 1, .rnext = 102 };
	uint8_t id = 0;

	p.b->tap = all_signed;
	p.b->tap_arg = &id;
	open_pair(&p);
	talk(&p, 1000);
	bed_run(p.b, SEC);
	assert_int_equal(ao_info(p.c).current_key, 101);
	assert_int_equal(p.sk->prot->setsockopt(p.sk, SOL_TCP, TCP_OPT_AO_INFO, &i, sizeof(i)), 0);
	talk(&p, 1000);
	bed_run(p.b, SEC);
	assert_int_equal(ao_info(p.c).current_key, 102); /* it saw what it was asked */
	assert_int_equal(ao_info(p.sk).current_key, 1);
	i = (struct tcp_ao_info_arg){ .set_current = 1, .current_key = 2 };
	assert_int_equal(p.sk->prot->setsockopt(p.sk, SOL_TCP, TCP_OPT_AO_INFO, &i, sizeof(i)), 0);
	i.current_key = 77;
	assert_int_equal(p.sk->prot->setsockopt(p.sk, SOL_TCP, TCP_OPT_AO_INFO, &i, sizeof(i)), -ENOENT);
	bed_send(p.sk, "x", 1, 0);
	assert_int_equal(id, 2);
	bed_run(p.b, SEC);
	assert_int_equal(ao_info(p.sk).current_key, 1); /* but the server still asks for the first */
	assert_int_equal(ao_del(p.sk, bed_addr(1), 32, 1, 101), -EBUSY);
	i = (struct tcp_ao_info_arg){ .set_rnext = 1, .rnext = 2 };
	assert_int_equal(p.c->prot->setsockopt(p.c, SOL_TCP, TCP_OPT_AO_INFO, &i, sizeof(i)), 0);
	talk(&p, 1000);
	bed_run(p.b, SEC);
	assert_int_equal(ao_info(p.sk).current_key, 2);
	assert_int_equal(ao_del(p.sk, bed_addr(1), 32, 1, 101), 0); /* the old one is done with */
	talk(&p, 5000);
	close_pair(&p);
}

static void ao_no_agreement(void **state)
{
	struct pair p = ao_pair(SHA1, 0);
	struct sock *sk = bed_socket(p.b, 0);
	struct tcp_ao_info_arg i = { .ao_required = 1 };
	const struct net *n = p.b->net[1];

	/* unsigned, to a listener with a key for us */
	assert_int_equal(bed_connect(p.b, sk, 1, 80), 0);
	bed_run(p.b, 500 * MS);
	assert_int_equal(sk->state, TCP_SYN_SENT);
	assert_int_equal(n->mib.tcpext.TCPAORequired, 1);
	assert_int_equal(ao_info(p.l).pkt_ao_required, 1);
	bed_close(sk);
	/* a key that it does not have, and a wrong one */
	sk = bed_socket(p.b, 0);
	assert_int_equal(ao_add(sk, ao_arg(bed_addr(1), 32, 50, 50, SHA1, "key1")), 0);
	assert_int_equal(bed_connect(p.b, sk, 1, 80), 0);
	bed_run(p.b, 500 * MS);
	assert_int_equal(n->mib.tcpext.TCPAOKeyNotFound, 1);
	bed_close(sk);
	sk = bed_socket(p.b, 0);
	assert_int_equal(ao_add(sk, ao_arg(bed_addr(1), 32, 1, 101, SHA1, "wrong")), 0);
	assert_int_equal(bed_connect(p.b, sk, 1, 80), 0);
	bed_run(p.b, 500 * MS);
	assert_int_equal(n->mib.tcpext.TCPAOBad, 1);
	assert_int_equal(ao_info(p.l).pkt_bad, 1);
	p.b->net[1]->mib.tcpext.TCPAOBad = 0;
	bed_close(sk);
	/* signed, to a listener that knows nothing of it */
	sk = bed_socket(p.b, 1);
	assert_int_equal(ao_add(sk, ao_arg(bed_addr(0), 32, 1, 101, SHA1, "wrong")), 0);
	assert_int_equal(bed_connect(p.b, sk, 0, 81), 0);
	bed_run(p.b, 500 * MS);
	assert_int_equal(sk->state, TCP_SYN_SENT); /* a closed port cannot sign its reset */
	assert_int_equal(p.b->net[0]->mib.tcp.OutRsts, 0);
	bed_close(sk);
	/* no key for this peer */
	sk = bed_socket(p.b, 0);
	assert_int_equal(ao_add(sk, ao_arg(bed_addr(2), 32, 1, 101, SHA1, K)), 0);
	assert_int_equal(bed_connect(p.b, sk, 1, 80), -EKEYREJECTED);
	bed_close(sk);
	/* required of everybody: a peer without a key is refused too */
	sk = bed_listen(p.b, 1, 81, 1);
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_OPT_AO_INFO, &i, sizeof(i)), 0);
	p.c = bed_socket(p.b, 0);
	assert_int_equal(bed_connect(p.b, p.c, 1, 81), 0);
	bed_run(p.b, 500 * MS);
	assert_int_equal(p.c->state, TCP_SYN_SENT);
	/* in a connection it is too late for the first key */
	bed_close(p.c);
	p.c = bed_socket(p.b, 0);
	bed_close(sk);
	sk = bed_listen(p.b, 1, 82, 1);
	assert_int_equal(bed_connect(p.b, p.c, 1, 82), 0);
	bed_run(p.b, 500 * MS);
	assert_int_equal(p.c->state, TCP_ESTABLISHED);
	assert_int_equal(ao_add(p.c, ao_arg(bed_addr(1), 32, 1, 1, SHA1, K)), -EISCONN);
	bed_close(sk);
	close_pair(&p);
}

static void ao_icmp(void **state)
{
	struct pair p = ao_pair(SHA1, 0);
	struct tcp_ao_info_arg i = { .accept_icmps = 1 };

	open_pair(&p);
	assert_false(tcp_auth_ignores_icmp(p.sk, 3, 1));
	assert_true(tcp_auth_ignores_icmp(p.sk, 3, 2));
	assert_true(tcp_auth_ignores_icmp(p.sk, 3, 4));
	assert_false(tcp_auth_ignores_icmp(p.sk, 11, 0));
	assert_false(tcp_auth_ignores_icmp(p.l, 3, 3));
	assert_int_equal(p.b->net[0]->mib.tcpext.TCPAODroppedIcmps, 2);
	assert_int_equal(ao_info(p.sk).pkt_dropped_icmp, 2);
	assert_int_equal(p.sk->prot->setsockopt(p.sk, SOL_TCP, TCP_OPT_AO_INFO, &i, sizeof(i)), 0);
	assert_false(tcp_auth_ignores_icmp(p.sk, 3, 3));
	close_pair(&p);
}

/* A connection goes on in another socket: ISNs and extensions by TCP_AO_REPAIR. */
static void ao_repair(void **state)
{
	struct pair p = ao_pair(SHA1, 0);
	struct tcp_ao_repair_arg r;
	socklen_t len = sizeof(r);
	int on = 1;

	open_pair(&p);
	assert_int_equal(p.sk->prot->getsockopt(p.sk, SOL_TCP, TCP_OPT_AO_REPAIR, &r, &len), -EPERM);
	assert_int_equal(p.sk->prot->setsockopt(p.sk, SOL_TCP, TCP_REPAIR, &on, sizeof(on)), 0);
	assert_int_equal(p.sk->prot->getsockopt(p.sk, SOL_TCP, TCP_OPT_AO_REPAIR, &r, &len), 0);
	assert_int_equal(ntohl(r.snt_isn) + 1, tcp_sk(p.sk)->snd_una);
	assert_int_equal(ntohl(r.rcv_isn) + 1, tcp_sk(p.sk)->rcv_nxt);
	assert_int_equal(r.snd_sne + r.rcv_sne, 0);
	tcp_auth_of(p.sk)->lisn = tcp_auth_of(p.sk)->risn = 0; /* forgotten, and told again */
	assert_int_equal(p.sk->prot->setsockopt(p.sk, SOL_TCP, TCP_OPT_AO_REPAIR, &r, sizeof(r)), 0);
	on = -1; /* TCP_REPAIR_OFF_NO_WP */
	assert_int_equal(p.sk->prot->setsockopt(p.sk, SOL_TCP, TCP_REPAIR, &on, sizeof(on)), 0);
	talk(&p, 5000);
	close_pair(&p);
}

/* Numbers that wrap on the way: the extension goes with them, at both ends. */
static void ao_wraps(void **state)
{
	struct pair p = ao_pair(SHA1, 0);

	tcp_sk(p.sk)->write_seq = 0xffff0000u; /* the ISN */
	open_pair(&p);
	talk(&p, 200000);
	assert_int_equal(tcp_auth_of(p.c)->rcv_sne, 1);
	assert_int_equal(tcp_auth_of(p.sk)->snd_sne, 1);
	close_pair(&p);
}

static void ao_cookies(void **state)
{
	struct pair p = ao_pair(SHA1, 0);

	p.b->net[1]->tcp->sysctl.syncookies = 2;
	open_pair(&p);
	talk(&p, 3000);
	assert_int_equal(p.b->net[1]->mib.tcpext.SyncookiesRecv, 1);
	close_pair(&p);
}

int main(void)
{
	static const struct CMUnitTest t[] = {
		cmocka_unit_test(ao_rfc9235_vector), cmocka_unit_test(ao_sequence_number_extension),
		cmocka_unit_test(ao_keys_and_errors), cmocka_unit_test(ao_connection), cmocka_unit_test(ao_wrong_in_the_middle), cmocka_unit_test(ao_rotation),
		cmocka_unit_test(ao_no_agreement), cmocka_unit_test(ao_icmp), cmocka_unit_test(ao_repair), cmocka_unit_test(ao_wraps),
		cmocka_unit_test(ao_cookies),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}

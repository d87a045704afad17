/* Routes as packets and sockets hold them: shared, cached, declared stale; S2-22 to S2-33. TCP's ways out. */
#include "bed.h"
#include <fcntl.h>
#include <stdlib.h>
#include "ipv4/rt_exception.h"

static struct bed *b;
static struct wire *w, *w1;
#define ME IP(10, 0, 0, 1)
#define PEER IP(10, 0, 0, 9)

static int setup(void **state)
{
	b = bed_new();
	w = bed_wire(b, "eth0", "10.0.0.1/24");
	w1 = bed_wire(b, "eth1", "10.1.0.1/24");
	bed_trace_clear(b);
	return 0;
}

static int teardown(void **state)
{
	bed_free(b);
	return 0;
}

static struct rtable *route(const char *dst, const char *src, int oif, int *err)
{
	struct flowi4 fl = { .daddr = bed_addr(dst), .saddr = src ? bed_addr(src) : 0, .oif = oif };

	return __ip_route_output_key(b->net, &fl, err);
}

static void s2_33_one_rtable_for_all_behind_a_next_hop(void **state)
{
	int err;
	struct rtable *a = route("10.0.0.9", NULL, 0, &err), *c = route("10.0.0.10", NULL, 0, &err);
	uint32_t n = b->net->ipv4->nr_rtables;

	assert_ptr_equal(a, c);
	assert_int_equal(a->type, RTN_UNICAST);
	assert_ptr_equal(a->dst.dev, w->dev);
	for (int i = 0; i < 1000; i++) {
		struct flowi4 fl = { .daddr = IP(10, 0, 0, 2) + (uint32_t)i % 200 };
		struct rtable *r = __ip_route_output_key(b->net, &fl, &err);

		dst_release(&r->dst);
	}
	assert_int_equal(b->net->ipv4->nr_rtables, n);
	dst_release(&a->dst);
	dst_release(&c->dst);
}

static void exceptions_are_private_to_their_destination(void **state)
{
	int err;
	struct rtable *a = route("10.0.0.9", NULL, 0, &err), *c, *d;

	a->dst.ops->update_pmtu(&a->dst, NULL, NULL, 1000); /* says no destination: nothing learned */
	assert_int_equal(b->net->ipv4->exc.n, 0);
	{
		struct pkt *q = pkt_udp(ME, 1, PEER, 2, "x", 1);

		wire_in(w, pkt_icmp_err(PEER, ME, 3, 4, 1000, (uint8_t *)pkt_ip(q), 28));
		free(q);
	}
	assert_int_equal(b->net->ipv4->exc.n, 0); /* no socket ever sent that */
	{
		int fd = bed_udp(b, NULL, 1);

		bed_send(b, fd, "10.0.0.9", 2, "0123456789", 10);
		wire_in(w, pkt_icmp_err(PEER, ME, 3, 4, 1000, (const uint8_t *)wire_ip(w, 0), 28));
	}
	assert_int_equal(b->net->ipv4->exc.n, 1);
	assert_null(a->dst.ops->check(&a->dst, 0)); /* who held the shared one must look again */
	c = route("10.0.0.9", NULL, 0, &err);
	d = route("10.0.0.10", NULL, 0, &err);
	assert_int_equal(dst_mtu(&c->dst), 1000);
	assert_int_equal(dst_mtu(&d->dst), 1500);
	assert_int_equal(dst_advmss(&c->dst), 960);
	assert_int_equal(c->daddr, PEER);
	dst_release(&a->dst);
	dst_release(&c->dst);
	dst_release(&d->dst);
}

static void advmss_of_lo(void **state)
{
	int err;
	struct rtable *a = route("127.0.0.1", NULL, 0, &err);

	assert_int_equal(dst_mtu(&a->dst), 65535);    /* S2-36: 65536, capped by the length field */
	assert_int_equal(dst_advmss(&a->dst), 65495);
	dst_release(&a->dst);
}

static void source_checks(void **state)
{
	int err;

	assert_null(route("10.0.0.9", "99.0.0.1", 0, &err)); /* R1122-I10: must be ours */
	assert_int_equal(err, -ENETUNREACH);
	assert_null(route("10.0.0.9", "224.0.0.1", 0, &err)); /* R1122-I84 */
	assert_null(route("10.0.0.9", "255.255.255.255", 0, &err));
	assert_null(route("10.0.0.9", "127.0.0.1", 0, &err));
	assert_null(route("0.1.2.3", NULL, w->dev->ifindex, &err));
	assert_null(route("10.0.0.9", NULL, 77, &err));
	assert_int_equal(err, -ENODEV);
	assert_int_equal(dev_close(w1->dev), 0);
	assert_null(route("10.1.0.9", NULL, w1->dev->ifindex, &err));
	assert_int_equal(err, -ENETUNREACH);
}

static void s2_22_s2_23_connected_udp_keeps_its_route(void **state)
{
	int fd = bed_udp(b, NULL, 0);
	struct sockaddr_in sin = bed_sin("10.0.0.9", 9);
	uint64_t lookups;

	assert_int_equal(sys_connect(b->t, fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	lookups = b->net->mib.fib_lookups;
	for (int i = 0; i < 10; i++)
		assert_int_equal(bed_send(b, fd, NULL, 0, "x", 1), 1);
	assert_int_equal(b->net->mib.fib_lookups, lookups);
	/* a better route appears: the next packet takes it */
	wire_clear(w);
	assert_int_equal(bed_route(b, "10.0.0.9/32", "10.1.0.77", NULL, 0), 0);
	lookups = b->net->mib.fib_lookups;
	assert_int_equal(bed_send(b, fd, NULL, 0, "x", 1), 1);
	assert_int_equal(b->net->mib.fib_lookups, lookups + 1);
	assert_int_equal(wire_count(w, ETH_P_IP), 0);
	assert_int_equal(wire_count(w1, ETH_P_IP), 1);
}

static int pkt_nr(const struct wire *x)
{
	return (int)wire_count(x, ETH_P_IP);
}

static void device_goes_with_packets_waiting_in_it(void **state)
{
	int fd = bed_udp(b, NULL, 0);

	w1->arp = false;
	assert_int_equal(bed_send(b, fd, "10.1.0.9", 9, "x", 1), 1);
	unregister_netdev(w1->dev);
	bed_run(b);
	w1->dev = NULL;
	assert_int_equal(bed_send(b, fd, "10.1.0.9", 9, "x", 1), -ENETUNREACH);
	assert_int_equal(bed_send(b, fd, "10.0.0.9", 9, "x", 1), 1);
	assert_int_equal(pkt_nr(w), 1);
}

static void s2_28_unnamed_host(void **state)
{
	int err;
	struct rtable *a = route("0.0.0.0", NULL, 0, &err);

	assert_non_null(a); /* "this host": RFC 1122 3.2.1.3(a) */
	assert_ptr_equal(a->dst.dev, b->net->loopback_dev);
	dst_release(&a->dst);
}

/* NAT on the way out: a hook rewrites the destination, the route follows. */
static unsigned dnat(void *priv, struct sk_buff *skb, const struct nf_hook_state *st)
{
	struct ip4_hdr *h = ip_hdr(skb);
	uint16_t hi = get_be16(h->daddr), lo = get_be16(h->daddr + 2);

	if (ip4_daddr(h) != IP(10, 0, 0, 50))
		return NF_ACCEPT;
	put_be32(h->daddr, IP(10, 1, 0, 9));
	put_be16(h->check, csum_replace2(csum_replace2(get_be16(h->check), hi, get_be16(h->daddr)), lo, get_be16(h->daddr + 2)));
	return NF_ACCEPT;
}

static void rerouted_after_local_out(void **state)
{
	struct nf_hook_ops ops = { .hook = dnat, .hooknum = NF_INET_LOCAL_OUT, .name = "dnat" };
	int fd = bed_udp(b, NULL, 0);

	assert_int_equal(nf_register_net_hook(b->net, &ops), 0);
	assert_int_equal(bed_send(b, fd, "10.0.0.50", 9, "x", 1), 1);
	assert_int_equal(bed_send(b, fd, "10.0.0.51", 9, "x", 1), 1);
	nf_unregister_net_hook(b->net, &ops);
	assert_int_equal(pkt_nr(w1), 1);
	assert_int_equal(ip4_daddr(wire_ip(w1, 0)), IP(10, 1, 0, 9));
	assert_int_equal(pkt_nr(w), 1);
}

static void s2_18_s3_63_tcp_goes_by_ip_queue_xmit(void **state)
{
	int l = sys_socket(b->t, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), c = sys_socket(b->t, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), a;
	struct sockaddr_in sin = bed_sin("10.0.0.1", 80);
	char buf[16];

	assert_int_equal(sys_bind(b->t, l, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(sys_listen(b->t, l, 5), 0);
	assert_int_equal(sys_connect(b->t, c, (struct sockaddr *)&sin, sizeof(sin)), -EINPROGRESS);
	bed_run(b);
	a = sys_accept4(b->t, l, NULL, NULL, SOCK_NONBLOCK);
	assert_true(a >= 0);
	bed_trace_clear(b);
	assert_int_equal(sys_sendto(b->t, c, "data", 4, 0, NULL, 0), 4);
	assert_true(bed_order(b, "tcp_sendmsg", "ip_queue_xmit", "ip_local_out", "ip_output", "ip_finish_output", "ip_finish_output2", NULL));
	assert_int_equal(bed_recv(b, a, buf, sizeof(buf)), 4);
	bed_trace_clear(b);
	sys_close(b->t, c);
	bed_run(b);
	assert_true(bed_entered(b, "ip_queue_xmit") >= 1); /* the FIN too */
	/* refused: the RST has its own way */
	sin.sin_port = htons(81);
	c = sys_socket(b->t, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	bed_trace_clear(b);
	(void)sys_connect(b->t, c, (struct sockaddr *)&sin, sizeof(sin));
	bed_run(b);
	assert_int_equal(bed_entered(b, "ip_send_unicast_reply"), 1);
}

static void tcp_over_a_router_with_a_smaller_link(void **state)
{
	/* S3-10: DF is set by TCP; the router's 3/4 makes the next segments smaller */
	int c = sys_socket(b->t, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in sin = bed_sin("10.0.0.9", 80);
	static uint8_t data[4000];
	uint8_t t[24] = { 0, 80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0x60, 0x12, 0xff, 0xff, 0, 0, 0, 0, 2, 4, 5, 0xb4 };
	const uint8_t *syn;
	const struct ip4_hdr *h;
	unsigned n;

	assert_int_equal(sys_connect(b->t, c, (struct sockaddr *)&sin, sizeof(sin)), -EINPROGRESS);
	bed_run(b);
	h = wire_ip(w, 0);
	assert_true(ip4_frag(h) & IP_DF);
	syn = (const uint8_t *)h + 20;
	memcpy(t + 2, syn, 2);
	put_be32(t + 8, get_be32(syn + 4) + 1);
	put_be16(t + 16, csum_fold(csum_tcpudp_nofold(PEER, ME, 24, 6, csum_partial(t, 24, 0))));
	wire_in(w, pkt_new(PEER, ME, 6, t, 24, 20));
	wire_clear(w);
	assert_int_equal(sys_sendto(b->t, c, data, sizeof(data), 0, NULL, 0), sizeof(data));
	bed_run(b);
	h = wire_ip(w, 0);
	assert_non_null(h);
	assert_int_equal(ip4_tot_len(h), 1500);
	{
		struct pkt *e = pkt_icmp_err(IP(10, 0, 0, 2), ME, 3, 4, 576, (const uint8_t *)h, 28);

		wire_clear(w);
		wire_in(w, e);
	}
	bed_sleep(b, 2 * NSEC_PER_SEC);
	n = wire_count(w, ETH_P_IP);
	assert_true(n > 0);
	for (unsigned i = 0; i < n; i++)
		assert_true(ip4_tot_len(wire_ip(w, i)) <= 576);
	assert_non_null(strstr(bed_cmd(b, "ip route get 10.0.0.9"), "mtu 576"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest t[] = {
		T(s2_33_one_rtable_for_all_behind_a_next_hop), T(exceptions_are_private_to_their_destination), T(advmss_of_lo),
		T(source_checks), T(s2_22_s2_23_connected_udp_keeps_its_route), T(device_goes_with_packets_waiting_in_it),
		T(s2_28_unnamed_host), T(rerouted_after_local_out), T(s2_18_s3_63_tcp_goes_by_ip_queue_xmit),
		T(tcp_over_a_router_with_a_smaller_link),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}

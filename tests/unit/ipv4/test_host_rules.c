/* Rows of RFC 1122 and RFC 1812 that no other file shows: what leaves on Ethernet, options handed up, answers from the right address,
 * source routes there and back, silence when nothing is sent, and what a router leaves as it was (docs/requirements.md). */
#include "bed.h"
#include <stdio.h>
#include <stdlib.h>
#include "core/skbuff.h"

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

static int set(int fd, int name, int v) { return sys_setsockopt(b->t, fd, IPPROTO_IP, name, &v, sizeof(v)); }

/* A packet of this protocol with options behind the fixed header. */
static struct pkt *with_options(struct pkt *plain, const uint8_t *o, uint32_t n)
{
	const struct ip4_hdr *h = pkt_ip(plain);
	uint32_t body = plain->len - ip4_hlen(h), hlen = 20 + ((n + 3) & ~3u);
	struct pkt *p = pkt_new(ip4_saddr(h), ip4_daddr(h), h->protocol, pkt_l4(plain), body, hlen);

	memset(p->b + ETH_HLEN + 20, 0, hlen - 20);
	memcpy(p->b + ETH_HLEN + 20, o, n);
	pkt_fix(p);
	free(plain);
	return p;
}
#define OPTS(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

/* ---- the link ---- */
static void r1122_l01_l04_l06_frames_are_those_of_rfc_894(void **state)
{
	int fd = bed_udp(b, NULL, 7000);
	static char data[3000];

	for (unsigned len = 0; len <= sizeof(data); len += 100) /* no trailers, no 802.3 with K1 = 6, whatever the size */
		bed_send(b, fd, "10.0.0.9", 9, data, len);
	wire_in(w, pkt_echo(PEER, ME, 1, 1, 100));
	bed_cmd(b, "ping -c 1 -W 1 10.0.0.77");
	assert_true(w->n > 45);
	for (size_t i = 0; i < w->n; i++) {
		uint16_t type = get_be16(w->f[i].b + 12);

		assert_true(type == 0x0800 || type == 0x0806);
	}
}

static struct {
	uint32_t priority;
} seen;
static int see(struct sk_buff *skb, struct net_device *dev, struct packet_type *pt, struct net_device *orig)
{
	if (skb->pkt_type == PACKET_OUTGOING_)
		seen.priority = skb->priority;
	consume_skb(skb);
	return 0;
}

static void r1122_l09_type_of_service_goes_down(void **state)
{
	static const struct {
		int tos;
		uint32_t priority;
	} t[] = { { 0, 0 }, { 0x10, 6 }, { 0x08, 2 }, { 0x04, 0 }, { 0x02, 1 } }; /* tc-prio(8): interactive, bulk, best effort, filler */
	struct packet_type pt = { .type = 0x0003, .func = see };
	int fd = bed_udp(b, NULL, 7000);

	dev_add_pack(b->net, &pt);
	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(set(fd, IP_TOS, t[i].tos), 0);
		seen.priority = 99;
		bed_send(b, fd, "10.0.0.9", 9, "x", 1);
		assert_int_equal(seen.priority, t[i].priority);
	}
	dev_remove_pack(b->net, &pt);
}

/* r1122_i65, r1122_i66, r1122_i67: neighbours and routers are asked when there is something for them, never for its own sake. */
static void r1122_i65_silence_when_there_is_nothing_to_send(void **state)
{
	int fd = bed_udp(b, NULL, 7000);

	bed_cmd(b, "ip route add default via 10.0.0.254");
	bed_send(b, fd, "10.9.9.9", 9, "x", 1);
	wire_clear(w);
	wire_clear(w1);
	bed_sleep(b, 24ull * 3600 * NSEC_PER_SEC);
	assert_int_equal(w->n + w1->n, 0);
}

/* ---- sending ---- */
static void r1122_i15_never_a_ttl_of_zero(void **state)
{
	int fd = bed_udp(b, NULL, 7000);

	assert_int_equal(set(fd, IP_TTL, 0), -EINVAL);
	assert_int_equal(set(fd, IP_TTL, 256), -EINVAL);
	assert_int_equal(sysctl_set(b->net, "net.ipv4.ip_default_ttl", "0"), -EINVAL);
	wire_clear(w);
	bed_send(b, fd, "10.0.0.9", 9, "x", 1);
	assert_true(wire_ip(w, 0)->ttl > 0);
	assert_int_equal(set(fd, IP_MULTICAST_TTL, 0), 0); /* means: not off this host */
	wire_clear(w);
	bed_send(b, fd, "224.1.1.1", 9, "x", 1);
	assert_int_equal(wire_count(w, ETH_P_IP), 0);
}

/* ---- options of what came ---- */
static void r1122_i20_i89_u01_u13_options_are_handed_up(void **state)
{
	static const uint8_t rr[] = { 7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0 };
	int fd = bed_udp(b, NULL, 7000);
	uint8_t data[16], control[128];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	const struct cmsghdr *c;

	assert_int_equal(set(fd, IP_RECVOPTS, 1), 0);
	wire_in(w, with_options(pkt_udp(PEER, 5000, ME, 7000, "hi", 2), rr, sizeof(rr)));
	assert_int_equal(sys_recvmsg(b->t, fd, &m, MSG_DONTWAIT), 2);
	c = CMSG_FIRSTHDR(&m);
	assert_non_null(c);
	assert_int_equal(c->cmsg_type, IP_RECVOPTS);
	assert_int_equal(c->cmsg_len, CMSG_LEN(12));
	assert_int_equal(CMSG_DATA(c)[0], 7);
	assert_int_equal(CMSG_DATA(c)[2], 8); /* we recorded ourselves */
	assert_int_equal(get_be32(CMSG_DATA(c) + 3), ME);
}

/* ---- ICMP ---- */
static struct pkt *timestamp_request(uint32_t from, uint32_t to)
{
	uint8_t t[20] = { 13, 0, 0, 0, 0, 1, 0, 2, 1, 2, 3, 4 };

	put_be16(t + 2, csum_fold(csum_partial(t, sizeof(t), 0)));
	return pkt_new(from, to, 1, t, sizeof(t), 20);
}

static void r1122_i44_i48_answers_come_from_the_asked_address(void **state)
{
	static const uint32_t asked[] = { IP(10, 0, 0, 1), IP(10, 0, 0, 7), IP(10, 1, 0, 1) };

	bed_cmd(b, "ip addr add 10.0.0.7/24 dev eth0");
	for (unsigned i = 0; i < ARRAY_SIZE(asked); i++) {
		wire_clear(w);
		wire_in(w, pkt_echo(PEER, asked[i], 1, 1, 10));
		assert_int_equal(wire_icmp(w, 0)->type, 0);
		assert_int_equal(ip4_saddr(wire_ip(w, 0)), asked[i]);
		wire_clear(w);
		wire_in(w, timestamp_request(PEER, asked[i]));
		assert_int_equal(wire_icmp(w, 0)->type, 14);
		assert_int_equal(ip4_saddr(wire_ip(w, 0)), asked[i]);
	}
}

/* Off unless the administrator says so (RFC 7126): then the answer goes back by the way that the question came. */
static void r1122_i47_i49_i25_answers_by_the_reversed_route(void **state)
{
	static const uint8_t came[] = { 131, 11, 12, 10, 0, 0, 5, 10, 0, 0, 6 }, back[] = { 131, 11, 4, 10, 0, 0, 5, 10, 0, 0, 9 };

	wire_in(w, with_options(pkt_echo(PEER, ME, 1, 1, 10), came, sizeof(came)));
	assert_int_equal(wire_count(w, ETH_P_IP), 0);
	bed_sysctl(b, "net.ipv4.conf.all.accept_source_route", "1");
	for (unsigned ts = 0; ts < 2; ts++) {
		wire_clear(w);
		wire_in(w, with_options(ts ? timestamp_request(PEER, ME) : pkt_echo(PEER, ME, 1, 1, 10), came, sizeof(came)));
		assert_int_equal(wire_count(w, ETH_P_IP), 1);
		assert_int_equal(wire_icmp(w, 0)->type, ts ? 14 : 0);
		assert_int_equal(ip4_daddr(wire_ip(w, 0)), IP(10, 0, 0, 6));
		assert_int_equal(ip4_hlen(wire_ip(w, 0)), 32);
		assert_memory_equal((const uint8_t *)wire_ip(w, 0) + 20, back, sizeof(back));
	}
}

static void r1122_i46_i50_replies_reach_programs(void **state)
{
	int fd = sys_socket(b->t, AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP);
	uint8_t t[20] = { 14, 0, 0, 0, 0, 1, 0, 2 }, buf[128];
	struct pkt *p = pkt_echo(PEER, ME, 1, 1, 10);

	pkt_l4(p)[0] = 0; /* a reply */
	put_be16(pkt_l4(p) + 2, 0);
	put_be16(pkt_l4(p) + 2, csum_fold(csum_partial(pkt_l4(p), p->len - 20, 0)));
	wire_in(w, p);
	assert_true(bed_recv(b, fd, buf, sizeof(buf)) >= 28);
	assert_int_equal(buf[20], 0);
	put_be16(t + 2, csum_fold(csum_partial(t, sizeof(t), 0)));
	wire_in(w, pkt_new(PEER, ME, 1, t, sizeof(t), 20));
	assert_int_equal(bed_recv(b, fd, buf, sizeof(buf)), 40);
	assert_int_equal(buf[20], 14);
	sys_close(b->t, fd);
}

/* ---- routers ---- */
static void router(void)
{
	bed_sysctl(b, "net.ipv4.ip_forward", "1");
	wire_clear(w);
	wire_clear(w1);
}

static void r1812_33_41_what_a_router_leaves_alone(void **state)
{
	static const uint8_t unknown[] = { 200, 6, 1, 2, 3, 4, 30, 3, 9 };

	router();
	for (unsigned tos = 0; tos < 256; tos++) { /* precedence, DSCP, the bits of ECN */
		struct pkt *p = pkt_udp(PEER, 1000, IP(10, 1, 0, 5), 2000, "x", 1);

		pkt_ip(p)->tos = (uint8_t)tos;
		pkt_fix(p);
		wire_clear(w1);
		wire_in(w, p);
		assert_int_equal(wire_count(w1, ETH_P_IP), 1);
		assert_int_equal(wire_ip(w1, 0)->tos, tos);
	}
	wire_clear(w1);
	wire_in(w, with_options(pkt_udp(PEER, 1000, IP(10, 1, 0, 5), 2000, "x", 1), unknown, sizeof(unknown)));
	assert_int_equal(wire_count(w1, ETH_P_IP), 1);
	assert_memory_equal((const uint8_t *)wire_ip(w1, 0) + 20, unknown, sizeof(unknown));
}

static void r1812_15_17_errors_have_a_fresh_ttl_and_our_address(void **state)
{
	struct pkt *p = pkt_udp(PEER, 1000, IP(10, 1, 0, 5), 2000, "x", 1);

	router();
	pkt_ip(p)->ttl = 1;
	pkt_fix(p);
	wire_in(w, p);
	assert_int_equal(wire_icmp(w, 0)->type, 11);
	assert_int_equal(wire_ip(w, 0)->ttl, 64);
	assert_int_equal(ip4_saddr(wire_ip(w, 0)), ME); /* of the interface that it leaves by */
}

/* r1122_i79: code 4 is RT-08's. */
static void r1122_i79_strict_route_that_cannot_be(void **state)
{
	router();
	bed_sysctl(b, "net.ipv4.conf.all.accept_source_route", "1");
	bed_cmd(b, "ip route add 10.7.0.0/16 via 10.1.0.254");
	wire_in(w, with_options(pkt_udp(PEER, 1000, ME, 2000, "x", 1), OPTS(137, 7, 4, 10, 7, 0, 5)));
	assert_int_equal(wire_count(w1, ETH_P_IP), 0);
	assert_int_equal(wire_icmp(w, 0)->type, 3);
	assert_int_equal(wire_icmp(w, 0)->code, 5);
}

static void r1812_44_nothing_is_forwarded_before_it_is_told_to(void **state)
{
	struct bed *fresh = bed_new();
	struct wire *in = bed_wire(fresh, "eth0", NULL), *out = bed_wire(fresh, "eth1", NULL);

	wire_in(w, pkt_udp(PEER, 1000, IP(10, 1, 0, 5), 2000, "x", 1)); /* the switch is off */
	assert_int_equal(wire_count(w1, ETH_P_IP), 0);
	assert_null(strstr(bed_cmd(fresh, "ip -4 addr show dev eth0"), "inet ")); /* no address from the factory */
	bed_sysctl(fresh, "net.ipv4.ip_forward", "1");
	wire_in(in, pkt_udp(PEER, 1000, IP(10, 1, 0, 5), 2000, "x", 1));
	assert_int_equal(in->n + out->n, 0);
	bed_free(fresh);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest t[] = {
		T(r1122_l01_l04_l06_frames_are_those_of_rfc_894), T(r1122_l09_type_of_service_goes_down),
		T(r1122_i65_silence_when_there_is_nothing_to_send), T(r1122_i15_never_a_ttl_of_zero),
		T(r1122_i20_i89_u01_u13_options_are_handed_up), T(r1122_i44_i48_answers_come_from_the_asked_address),
		T(r1122_i47_i49_i25_answers_by_the_reversed_route), T(r1122_i46_i50_replies_reach_programs),
		T(r1812_33_41_what_a_router_leaves_alone), T(r1812_15_17_errors_have_a_fresh_ttl_and_our_address),
		T(r1122_i79_strict_route_that_cannot_be), T(r1812_44_nothing_is_forwarded_before_it_is_told_to),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}

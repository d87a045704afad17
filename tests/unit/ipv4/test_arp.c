/* ARP: S1-31 to S1-38, S3-77 to S3-80, attacks ARP-01 to ARP-10. */
#include "bed.h"
#include <stdlib.h>
#include <stdio.h>

static struct bed *b;
static struct wire *w;
static int fd;
#define ME IP(10, 0, 0, 1)
#define GW IP(10, 0, 0, 9)
static const uint8_t evil[6] = { 2, 0x66, 0x66, 0x66, 0x66, 0x66 };

static int setup(void **state)
{
	b = bed_new();
	w = bed_wire(b, "eth0", "10.0.0.1/24");
	fd = bed_udp(b, NULL, 7000);
	bed_trace_clear(b);
	return 0;
}

static int teardown(void **state)
{
	bed_free(b);
	return 0;
}

static struct neighbour *neigh(uint32_t a)
{
	return neigh_lookup_noref(b->net->neigh->arp, a, w->dev);
}

/* The gateway is known and fresh. */
static void resolve(void)
{
	assert_int_equal(bed_send(b, fd, "10.0.0.9", 9, "x", 1), 1);
	assert_non_null(neigh(GW));
	assert_int_equal(neigh(GW)->nud_state, NUD_REACHABLE);
	wire_clear(w);
	bed_trace_clear(b);
}

static void make_stale(void)
{
	bed_sleep(b, 60 * NSEC_PER_SEC);
	assert_int_equal(neigh(GW)->nud_state, NUD_STALE);
}

/* ---- S1 and S3 ---- */

static void s1_31_s1_34_constructor_is_the_tables(void **state)
{
	bed_send(b, fd, "10.0.0.9", 9, "x", 1);
	assert_true(bed_order(b, "__neigh_create", "arp_constructor", NULL));
	assert_non_null(b->net->neigh->arp->constructor);
}

static void s1_32_noarp_device(void **state)
{
	dev_set_flags(w->dev, DEVF_NOARP, 0);
	bed_send(b, fd, "10.0.0.9", 9, "x", 1);
	assert_int_equal(neigh(GW)->nud_state, NUD_NOARP);
	assert_memory_equal(neigh(GW)->ha, w->dev->dev_addr, 6);
	assert_int_equal(wire_count(w, ETH_P_ARP), 0);
	assert_int_equal(wire_count(w, ETH_P_IP), 1);
}

static void s1_35_s1_36_s1_37_proc_net_arp(void **state)
{
	struct strbuf sb;

	w->arp = false;
	bed_send(b, fd, "127.0.0.1", 9, "x", 1);
	bed_send(b, fd, "10.0.0.9", 9, "x", 1);
	bed_trace_clear(b);
	bed_proc(b, "net/arp", &sb);
	assert_string_equal(sb_str(&sb), "IP address       HW type     Flags       HW address            Mask     Device\n"
					 "10.0.0.9         0x1         0x0         00:00:00:00:00:00     *        eth0\n");
	sb_free(&sb);
	assert_true(bed_order(b, "arp_seq_start", "neigh_seq_start", "neigh_get_idx_any", "neigh_get_idx", "neigh_get_first", NULL));
	wire_arp(w, ARPOP_REPLY, w->peer_mac, GW, w->dev->dev_addr, ME, w->dev->dev_addr);
	bed_proc(b, "net/arp", &sb);
	assert_non_null(strstr(sb_str(&sb), "10.0.0.9         0x1         0x2         02:00:00:00:01:01     *        eth0\n"));
	sb_free(&sb);
	(void)neigh_update(neigh(GW), evil, NUD_PERMANENT, NEIGH_UPDATE_F_ADMIN | NEIGH_UPDATE_F_OVERRIDE);
	bed_proc(b, "net/arp", &sb);
	assert_non_null(strstr(sb_str(&sb), "0x6         02:66:66:66:66:66"));
	sb_free(&sb);
}

static void s1_38_multicast_and_broadcast_are_hidden(void **state)
{
	static const uint8_t mac[6] = { 1, 0, 0x5e, 0, 0, 1 };
	struct strbuf sb;
	int one = 1;

	assert_int_equal(bed_route(b, "224.0.0.0/4", NULL, w->dev, 0), 0);
	sys_setsockopt(b->t, fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one));
	bed_send(b, fd, "224.0.0.1", 9, "x", 1);
	bed_send(b, fd, "10.0.0.255", 9, "x", 1);
	assert_int_equal(neigh(IP(224, 0, 0, 1))->nud_state, NUD_NOARP);
	assert_memory_equal(neigh(IP(224, 0, 0, 1))->ha, mac, 6);
	assert_memory_equal(neigh(IP(10, 0, 0, 255))->ha, bcast_mac, 6);
	bed_proc(b, "net/arp", &sb);
	assert_null(strstr(sb_str(&sb), "224.0.0.1"));
	assert_null(strstr(sb_str(&sb), "10.0.0.255"));
	sb_free(&sb);
}

static void s3_77_request_on_the_wire(void **state)
{
	const uint8_t *f;

	bed_send(b, fd, "10.0.0.9", 9, "x", 1);
	f = wire_nth(w, ETH_P_ARP, 0)->b;
	assert_memory_equal(f, bcast_mac, 6);
	assert_memory_equal(f + 6, w->dev->dev_addr, 6);
	assert_int_equal(get_be16(f + 20), 1);
	assert_memory_equal(f + 22, w->dev->dev_addr, 6);
	assert_int_equal(get_be32(f + 28), ME);
	assert_true(mac_is_zero(f + 32));
	assert_int_equal(get_be32(f + 38), GW);
}

static void s3_78_s3_79_hundred_packets_one_request(void **state)
{
	for (int i = 0; i < 100; i++)
		bed_send(b, fd, "10.0.0.9", 9, "x", 1);
	assert_int_equal(wire_count(w, ETH_P_ARP), 1);
	assert_int_equal(wire_count(w, ETH_P_IP), 100);
}

static void s3_80_nobody_answers(void **state)
{
	int c = bed_udp(b, NULL, 0), s = sys_socket(b->t, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), e = 0;
	struct sockaddr_in sin = bed_sin("10.0.0.9", 9);
	socklen_t len = sizeof(e);
	char buf[8];

	w->arp = false;
	assert_int_equal(sys_connect(b->t, c, (struct sockaddr *)&sin, sizeof(sin)), 0);
	bed_send(b, c, NULL, 0, "x", 1);
	bed_send(b, c, NULL, 0, "y", 1);
	assert_int_equal(neigh(GW)->nud_state, NUD_INCOMPLETE);
	assert_int_equal(neigh(GW)->arp_queue.qlen, 2);
	bed_sleep(b, 2500 * NSEC_PER_MSEC);
	assert_int_equal(wire_count(w, ETH_P_ARP), 3); /* about a second apart */
	assert_in_range(w->f[1].t_ns - w->f[0].t_ns, 1000000000, 1100000000);
	bed_sleep(b, NSEC_PER_SEC);
	assert_int_equal(neigh(GW)->nud_state, NUD_FAILED);
	assert_int_equal(wire_count(w, ETH_P_ARP), 3);
	assert_int_equal(bed_recv(b, c, buf, 8), -EAGAIN); /* connected UDP without IP_RECVERR: nothing */
	assert_int_equal(bed_drops(b, DROP_NEIGH_FAILED), 2);
	assert_int_equal(sys_connect(b->t, s, (struct sockaddr *)&sin, sizeof(sin)), -EINPROGRESS);
	bed_sleep(b, 3500 * NSEC_PER_MSEC);
	assert_int_equal(sys_getsockopt(b->t, s, SOL_SOCKET, SO_ERROR, &e, &len), 0);
	assert_int_equal(e, EHOSTUNREACH); /* R1122-L10: not before it failed */
}

static void s0_11_s0_19_both_triggers(void **state)
{
	const uint8_t *f;

	wire_arp(w, ARPOP_REQUEST, w->peer_mac, GW, NULL, ME, bcast_mac);
	assert_int_equal(w->n, 1);
	f = w->f[0].b;
	assert_memory_equal(f, w->peer_mac, 6); /* unicast */
	assert_int_equal(get_be16(f + 20), 2);
	assert_memory_equal(f + 22, w->dev->dev_addr, 6);
	assert_int_equal(get_be32(f + 28), ME);
	assert_memory_equal(f + 32, w->peer_mac, 6);
	assert_int_equal(get_be32(f + 38), GW);
	assert_int_equal(neigh(GW)->nud_state, NUD_STALE); /* S3-80: a request for me makes a STALE entry */
	wire_clear(w);
	wire_arp(w, ARPOP_REQUEST, w->peer_mac, IP(10, 0, 0, 8), NULL, IP(10, 0, 0, 77), bcast_mac);
	assert_int_equal(w->n, 0); /* for another: no reply, nothing noted */
	assert_null(neigh(IP(10, 0, 0, 8)));
	/* a reply: no frame; entry updated, waiting packets released */
	w->arp = false;
	bed_send(b, fd, "10.0.0.5", 9, "x", 1);
	wire_clear(w);
	wire_arp(w, ARPOP_REPLY, w->peer_mac, IP(10, 0, 0, 5), w->dev->dev_addr, ME, w->dev->dev_addr);
	assert_int_equal(wire_count(w, ETH_P_ARP), 0);
	assert_int_equal(wire_count(w, ETH_P_IP), 1);
	assert_int_equal(neigh(IP(10, 0, 0, 5))->nud_state, NUD_REACHABLE);
}

/* ---- attacks ---- */

static void arp_01_short(void **state)
{
	uint8_t f[60] = { 0 };

	memcpy(f, bcast_mac, 6);
	memcpy(f + 6, w->peer_mac, 6);
	put_be16(f + 12, ETH_P_ARP);
	put_be16(f + 14, 1);
	put_be16(f + 16, ETH_P_IP);
	f[18] = 6;
	f[19] = 4;
	f[21] = 1;
	for (size_t n = 14; n < 42; n++)
		wire_frame(w, f, n);
	assert_int_equal(bed_drops(b, DROP_ARP_MALFORMED), 28);
	assert_int_equal(w->n, 0);
}

static void arp_02_strange_fields(void **state)
{
	static const struct { unsigned at; uint16_t v; bool wide; } bad[] = {
		{ 14, 0, true }, { 14, 2, true }, { 14, 0xffff, true }, { 16, 0x0806, true }, { 18, 0, false }, { 18, 255, false },
		{ 19, 0, false }, { 19, 16, false }, { 20, 0, true }, { 20, 3, true }, { 20, 4, true }, { 20, 65535, true },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t f[60] = { 0 };

		memcpy(f, bcast_mac, 6);
		memcpy(f + 6, w->peer_mac, 6);
		put_be16(f + 12, ETH_P_ARP);
		put_be16(f + 14, 1);
		put_be16(f + 16, ETH_P_IP);
		f[18] = 6;
		f[19] = 4;
		f[21] = 1;
		memcpy(f + 22, w->peer_mac, 6);
		put_be32(f + 28, GW);
		put_be32(f + 38, ME);
		if (bad[i].wide)
			put_be16(f + bad[i].at, bad[i].v);
		else
			f[bad[i].at] = (uint8_t)bad[i].v;
		wire_frame(w, f, sizeof(f));
	}
	assert_int_equal(bed_drops(b, DROP_ARP_MALFORMED), ARRAY_SIZE(bad));
	assert_int_equal(w->n, 0);
	assert_null(neigh(GW));
}

static void arp_03_unsolicited_reply(void **state)
{
	wire_arp(w, ARPOP_REPLY, evil, GW, w->dev->dev_addr, ME, w->dev->dev_addr);
	assert_null(neigh(GW));
	assert_int_equal(bed_drops(b, DROP_ARP_UNSOLICITED), 1);
	resolve();
	wire_arp(w, ARPOP_REPLY, evil, GW, w->dev->dev_addr, ME, w->dev->dev_addr);
	assert_memory_equal(neigh(GW)->ha, w->peer_mac, 6);
	assert_int_equal(neigh(GW)->nud_state, NUD_REACHABLE);
	/* a request as cover does not help */
	wire_arp(w, ARPOP_REQUEST, evil, GW, NULL, ME, bcast_mac);
	assert_memory_equal(neigh(GW)->ha, w->peer_mac, 6);
	/* it may refresh a STALE one */
	make_stale();
	wire_arp(w, ARPOP_REPLY, evil, GW, w->dev->dev_addr, ME, w->dev->dev_addr);
	assert_memory_equal(neigh(GW)->ha, evil, 6);
	assert_int_equal(neigh(GW)->nud_state, NUD_STALE);
	/* never a permanent one */
	(void)neigh_update(neigh(GW), w->peer_mac, NUD_PERMANENT, NEIGH_UPDATE_F_ADMIN | NEIGH_UPDATE_F_OVERRIDE);
	wire_arp(w, ARPOP_REPLY, evil, GW, w->dev->dev_addr, ME, w->dev->dev_addr);
	wire_arp(w, ARPOP_REQUEST, evil, GW, NULL, ME, bcast_mac);
	assert_memory_equal(neigh(GW)->ha, w->peer_mac, 6);
}

static void arp_04_gratuitous(void **state)
{
	wire_arp(w, ARPOP_REQUEST, evil, GW, NULL, GW, bcast_mac);
	assert_null(neigh(GW)); /* creates none */
	resolve();
	wire_arp(w, ARPOP_REQUEST, evil, GW, NULL, GW, bcast_mac);
	wire_arp(w, ARPOP_REPLY, evil, GW, evil, GW, bcast_mac);
	assert_memory_equal(neigh(GW)->ha, w->peer_mac, 6);
	/* Linux's trusting way: after locktime, and it may create */
	bed_sysctl(b, "net.ipv4.conf.eth0.arp_accept", "1");
	wire_arp(w, ARPOP_REQUEST, evil, GW, NULL, GW, bcast_mac);
	assert_memory_equal(neigh(GW)->ha, w->peer_mac, 6); /* locked for a second */
	bed_sleep(b, 2 * NSEC_PER_SEC);
	wire_arp(w, ARPOP_REQUEST, evil, GW, NULL, GW, bcast_mac);
	assert_memory_equal(neigh(GW)->ha, evil, 6);
	wire_arp(w, ARPOP_REQUEST, evil, IP(10, 0, 0, 44), NULL, IP(10, 0, 0, 44), bcast_mac);
	assert_non_null(neigh(IP(10, 0, 0, 44)));
}

static void arp_05_our_own_address(void **state)
{
	unsigned i;

	for (i = 0; i < 20; i++)
		wire_arp(w, i & 1 ? ARPOP_REPLY : ARPOP_REQUEST, evil, ME, NULL, i & 2 ? ME : GW, bcast_mac);
	assert_int_equal(wire_count(w, ETH_P_ARP), 1); /* one announcement */
	assert_int_equal(get_be32(w->f[0].b + 28), ME);
	assert_int_equal(get_be32(w->f[0].b + 38), ME);
	assert_memory_equal(w->f[0].b, bcast_mac, 6);
	assert_null(neigh(ME));
	bed_sleep(b, 10 * NSEC_PER_SEC);
	wire_arp(w, ARPOP_REQUEST, evil, ME, NULL, ME, bcast_mac);
	assert_int_equal(wire_count(w, ETH_P_ARP), 2);
}

static void arp_06_senders_that_cannot_be(void **state)
{
	static const uint8_t mc[6] = { 1, 0, 0x5e, 1, 1, 1 };
	static const uint32_t sip[] = { 0xffffffffu, IP(224, 0, 0, 5), IP(127, 0, 0, 1), IP(10, 0, 0, 255), IP(240, 0, 0, 1) };

	resolve();
	make_stale();
	for (unsigned i = 0; i < ARRAY_SIZE(sip); i++)
		wire_arp(w, ARPOP_REQUEST, evil, sip[i], NULL, ME, bcast_mac);
	assert_int_equal(bed_drops(b, DROP_ARP_BAD_SENDER), ARRAY_SIZE(sip));
	/* R1812-01: a group link address, in the packet behind an honest frame */
	for (int i = 0; i < 2; i++) {
		uint8_t f[60] = { 0 };

		memcpy(f, w->dev->dev_addr, 6);
		memcpy(f + 6, w->peer_mac, 6);
		put_be16(f + 12, ETH_P_ARP);
		put_be16(f + 14, 1);
		put_be16(f + 16, ETH_P_IP);
		f[18] = 6;
		f[19] = 4;
		f[21] = 2;
		memcpy(f + 22, i ? bcast_mac : mc, 6);
		put_be32(f + 28, GW);
		put_be32(f + 38, ME);
		wire_frame(w, f, sizeof(f));
	}
	assert_memory_equal(neigh(GW)->ha, w->peer_mac, 6);
	/* a probe (sender 0.0.0.0) is answered if it is about us, and never noted */
	wire_clear(w);
	wire_arp(w, ARPOP_REQUEST, evil, 0, NULL, ME, bcast_mac);
	assert_int_equal(wire_count(w, ETH_P_ARP), 1);
	assert_null(neigh(0));
	wire_clear(w);
	wire_arp(w, ARPOP_REQUEST, evil, 0, NULL, GW, bcast_mac);
	assert_int_equal(w->n, 0);
}

static void arp_07_no_arp_floods(void **state)
{
	struct wire *big = bed_wire(b, "eth1", "11.0.0.1/8");
	char dst[16];

	w->arp = big->arp = false;
	for (int i = 0; i < 50; i++) /* one address: one request a second, whatever is sent */
		bed_send(b, fd, "10.0.0.9", 9, "x", 1);
	assert_int_equal(wire_count(w, ETH_P_ARP), 1);
	for (uint32_t i = 0; i < 5000; i++) { /* many: the table and the host's rate are bounded */
		snprintf(dst, sizeof(dst), "11.1.%u.%u", i >> 8, i & 255);
		(void)bed_send(b, fd, dst, 9, "x", 1);
	}
	assert_true(b->net->neigh->arp->entries <= b->net->neigh->arp->gc_thresh3 + 16);
	assert_true(big->n <= 2000);
}

static void arp_08_random_askers(void **state)
{
	uint8_t mac[6] = { 2, 7 };
	uint64_t replies;

	resolve();
	replies = b->net->mib.arp_replies_sent;
	for (uint32_t i = 0; i < 5000; i++) {
		put_be32(mac + 2, i);
		wire_arp(w, ARPOP_REQUEST, mac, i & 1 ? IP(10, 0, 0, 10) + i % 200 : 0x20000000u + i * 7919u, NULL, ME, bcast_mac);
	}
	assert_true(b->net->neigh->arp->entries <= b->net->neigh->arp->gc_thresh3 + 16);
	assert_non_null(neigh(GW)); /* the gateway stays */
	assert_memory_equal(neigh(GW)->ha, w->peer_mac, 6);
	assert_true(b->net->mib.arp_replies_sent - replies <= 5000); /* one to one at most */
	assert_null(neigh(0x20000000u + 2 * 7919u)); /* strangers to the link are answered, not noted */
}

static void arp_09_sender_is_not_the_frames_source(void **state)
{
	uint8_t f[60] = { 0 };

	memcpy(f, bcast_mac, 6);
	memcpy(f + 6, w->peer_mac, 6);
	put_be16(f + 12, ETH_P_ARP);
	put_be16(f + 14, 1);
	put_be16(f + 16, ETH_P_IP);
	f[18] = 6;
	f[19] = 4;
	f[21] = 1;
	memcpy(f + 22, evil, 6);
	put_be32(f + 28, GW);
	put_be32(f + 38, ME);
	wire_frame(w, f, sizeof(f));
	assert_true(bed_said(b, TR_NEIGH, "arp sender is not the frame's source"));
	neigh_flush_dev(b->net->neigh->arp, w->dev);
	wire_clear(w);
	bed_sysctl(b, "net.ipv4.conf.eth0.arp_strict", "1");
	wire_frame(w, f, sizeof(f));
	assert_null(neigh(GW));
	assert_int_equal(w->n, 0);
	assert_int_equal(bed_drops(b, DROP_ARP_BAD_SENDER), 1);
}

static void arp_10_only_arp_makes_entries(void **state)
{
	uint8_t tcp[20] = { 0x30, 0x39, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 16, 0 };

	resolve();
	w->arp = false;
	wire_in_mac(w, pkt_new(GW, ME, 6, tcp, 20, 20), w->dev->dev_addr, evil);
	wire_in_mac(w, pkt_echo(IP(10, 0, 0, 50), ME, 1, 1, 8), w->dev->dev_addr, evil);
	assert_memory_equal(neigh(GW)->ha, w->peer_mac, 6);
	/* the answer to the second asks by ARP; the frame's source is not believed */
	assert_int_equal(wire_count(w, ETH_P_ARP), 1);
	assert_int_equal(neigh(IP(10, 0, 0, 50))->nud_state, NUD_INCOMPLETE);
}

static void r1122_l02_stale_probe_unicast(void **state)
{
	resolve();
	make_stale();
	w->arp = false;
	bed_send(b, fd, "10.0.0.9", 9, "x", 1); /* goes at once, to the old address */
	assert_int_equal(wire_count(w, ETH_P_IP), 1);
	assert_int_equal(neigh(GW)->nud_state, NUD_DELAY);
	bed_sleep(b, 5500 * NSEC_PER_MSEC);
	assert_int_equal(neigh(GW)->nud_state, NUD_PROBE);
	assert_memory_equal(wire_nth(w, ETH_P_ARP, 0)->b, w->peer_mac, 6); /* unicast */
	bed_sleep(b, 4 * NSEC_PER_SEC);
	assert_int_equal(neigh(GW)->nud_state, NUD_FAILED);
}

static void arp_ignore_and_announce(void **state)
{
	struct wire *w1 = bed_wire(b, "eth1", "10.1.0.1/24");

	wire_arp(w, ARPOP_REQUEST, w->peer_mac, GW, NULL, IP(10, 1, 0, 1), bcast_mac);
	assert_int_equal(wire_count(w, ETH_P_ARP), 1); /* weak host model: any address of ours */
	bed_sysctl(b, "net.ipv4.conf.eth0.arp_ignore", "1");
	wire_arp(w, ARPOP_REQUEST, w->peer_mac, GW, NULL, IP(10, 1, 0, 1), bcast_mac);
	assert_int_equal(wire_count(w, ETH_P_ARP), 1);
	(void)w1;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest t[] = {
		T(s1_31_s1_34_constructor_is_the_tables), T(s1_32_noarp_device), T(s1_35_s1_36_s1_37_proc_net_arp),
		T(s1_38_multicast_and_broadcast_are_hidden), T(s3_77_request_on_the_wire),
		T(s3_78_s3_79_hundred_packets_one_request), T(s3_80_nobody_answers), T(s0_11_s0_19_both_triggers), T(arp_01_short),
		T(arp_02_strange_fields), T(arp_03_unsolicited_reply), T(arp_04_gratuitous), T(arp_05_our_own_address),
		T(arp_06_senders_that_cannot_be), T(arp_07_no_arp_floods), T(arp_08_random_askers),
		T(arp_09_sender_is_not_the_frames_source), T(arp_10_only_arp_makes_entries), T(r1122_l02_stale_probe_unicast),
		T(arp_ignore_and_announce),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}

/* Fragments, out and in: S2-35, S3-09, S3-10, S3-162 and the attacks of section 1.4. */
#include "bed.h"
#include <stdlib.h>

static struct bed *b;
static struct wire *w;
static int fd;
#define ME IP(10, 0, 0, 1)
#define PEER IP(10, 0, 0, 9)

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

/* A fragment: off in octets, of a payload that starts at data. */
static struct pkt *frag(uint16_t id, uint32_t off, bool more, const void *data, uint32_t len)
{
	struct pkt *p = pkt_new(PEER, ME, 17, data, len, 20);

	put_be16(pkt_ip(p)->id, id);
	put_be16(pkt_ip(p)->frag_off, (uint16_t)(off / 8 | (more ? IP_MF : 0u)));
	pkt_fix(p);
	return p;
}

static ssize_t got(void)
{
	static char buf[66000];

	return bed_recv(b, fd, buf, sizeof(buf));
}

/* UDP header and data of a datagram to port 7000. */
static uint8_t *datagram(uint32_t len, uint8_t seed)
{
	uint8_t *d = malloc(len + 8);
	uint16_t c;

	put_be16(d, 5000);
	put_be16(d + 2, 7000);
	put_be16(d + 4, (uint16_t)(len + 8));
	put_be16(d + 6, 0);
	for (uint32_t i = 0; i < len; i++)
		d[8 + i] = (uint8_t)(i * 7 + (i >> 8) + seed);
	c = csum_fold(csum_tcpudp_nofold(PEER, ME, len + 8, 17, csum_partial(d, len + 8, 0)));
	put_be16(d + 6, c ? c : 0xffff);
	return d;
}

static void shuffle(uint32_t *v, uint32_t n, uint32_t seed)
{
	for (uint32_t i = n - 1; i > 0; i--) {
		uint32_t j, x = v[i];

		seed = seed * 1664525u + 1013904223u;
		j = (seed >> 8) % (i + 1);
		v[i] = v[j];
		v[j] = x;
	}
}

/* ---- out ---- */

static void s2_35_lo_fragments_too(void **state)
{
	struct net_device *lo = b->net->loopback_dev;
	const struct ipstats_mib *m = &b->net->mib;
	uint64_t *hooks = b->net->nf->packets, was[5];
	struct tap tl;
	char buf[4000];
	static char data[4000];

	for (int i = 0; i < 4000; i++)
		data[i] = (char)i;
	assert_int_equal(dev_set_mtu(lo, 1500), 0);
	memcpy(was, hooks, sizeof(was));
	tap_open(&tl, b->net, lo);
	assert_int_equal(bed_send(b, fd, "127.0.0.1", 7000, data, 4000), 4000);
	assert_int_equal(tl.in, 3);
	assert_int_equal(bed_recv(b, fd, buf, sizeof(buf)), 4000);
	assert_memory_equal(buf, data, 4000);
	assert_int_equal(m->ip.FragOKs, 1);
	assert_int_equal(m->ip.FragCreates, 3);
	assert_int_equal(m->ip.InReceives, 3);
	assert_int_equal(m->ip.InDelivers, 1);
	assert_int_equal(m->ip.OutRequests, 1);
	assert_int_equal(m->ip.OutTransmits, 3);
	assert_int_equal(m->ip.ReasmOKs, 1);
	assert_int_equal(m->ip.ReasmReqds, 3);
	assert_int_equal(hooks[NF_INET_LOCAL_OUT] - was[NF_INET_LOCAL_OUT], 1);
	assert_int_equal(hooks[NF_INET_POST_ROUTING] - was[NF_INET_POST_ROUTING], 1);
	assert_int_equal(hooks[NF_INET_LOCAL_IN] - was[NF_INET_LOCAL_IN], 1);
	assert_int_equal(hooks[NF_INET_PRE_ROUTING] - was[NF_INET_PRE_ROUTING], 3);
	tap_close(&tl, b->net);
}

static void s3_09_s3_58_s3_154_fragments_on_the_wire(void **state)
{
	static const uint32_t offs[] = { 0, 1480, 2960 }, lens[] = { 1500, 1500, 1068 };
	static uint8_t data[4000];
	uint64_t copies = b->net->skb_mib.copies;
	uint16_t id;

	assert_int_equal(bed_send(b, fd, "10.0.0.9", 9, data, 4000), 4000);
	assert_int_equal(wire_count(w, ETH_P_IP), 3);
	id = ip4_id(wire_ip(w, 0));
	for (unsigned i = 0; i < 3; i++) {
		const struct ip4_hdr *h = wire_ip(w, i);

		assert_int_equal(ip4_tot_len(h), lens[i]);
		assert_int_equal((ip4_frag(h) & IP_OFFSET) * 8, offs[i]);
		assert_int_equal((ip4_frag(h) & IP_MF) != 0, i < 2);
		assert_int_equal(ip4_id(h), id);
		assert_int_equal(ip4_fast_csum(h, 20), 0);
	}
	/* S3-162, S3-163: cut beforehand, not copied again */
	assert_int_equal(b->net->skb_mib.copies, copies);
	assert_true(bed_said(b, TR_BORN, "fragment"));
	/* 1472 octets of data make exactly 1500: whole; one more does not fit */
	wire_clear(w);
	assert_int_equal(bed_send(b, fd, "10.0.0.9", 9, data, 1472), 1472);
	assert_int_equal(wire_count(w, ETH_P_IP), 1);
	assert_int_equal(ip4_tot_len(wire_ip(w, 0)), 1500);
	assert_true(ip4_frag(wire_ip(w, 0)) & IP_DF);
	assert_int_equal(bed_send(b, fd, "10.0.0.9", 9, data, 1473), 1473);
	assert_int_equal(wire_count(w, ETH_P_IP), 3);
}

static void largest_datagram_and_beyond(void **state)
{
	static uint8_t data[65535];
	int dont = IP_PMTUDISC_DO;

	assert_int_equal(bed_send(b, fd, "127.0.0.1", 7000, data, 65507), 65507);
	assert_int_equal(got(), 65507);
	assert_int_equal(b->net->mib.ip.FragCreates, 0); /* at lo's own MTU nothing is cut */
	assert_int_equal(bed_send(b, fd, "127.0.0.1", 7000, data, 65508), -EMSGSIZE);
	assert_int_equal(bed_send(b, fd, "10.0.0.9", 9, data, 65507), 65507);
	assert_int_equal(wire_count(w, ETH_P_IP), 45);
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, IP_MTU_DISCOVER, &dont, sizeof(dont)), 0);
	assert_int_equal(bed_send(b, fd, "10.0.0.9", 9, data, 1473), -EMSGSIZE);
	assert_int_equal(bed_send(b, fd, "10.0.0.9", 9, data, 1472), 1472);
}

static void corked_pieces_of_odd_sizes(void **state)
{
	static uint8_t data[5000], back[5000];
	static const size_t step[] = { 1, 7, 1471, 3, 1480, 9, 100, 1929 };
	struct sockaddr_in sin = bed_sin("127.0.0.1", 7000);
	size_t at = 0;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31 >> 3);
	assert_int_equal(dev_set_mtu(b->net->loopback_dev, 1500), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(step); i++) {
		assert_int_equal(sys_sendto(b->t, fd, data + at, step[i], i + 1 < ARRAY_SIZE(step) ? MSG_MORE : 0,
					    (struct sockaddr *)&sin, sizeof(sin)), step[i]);
		at += step[i];
	}
	assert_int_equal(at, 5000);
	assert_int_equal(bed_recv(b, fd, back, sizeof(back)), 5000);
	assert_memory_equal(back, data, 5000);
}

/* ---- in ---- */

static void frag_01_teardrop(void **state)
{
	uint8_t *d = datagram(36 - 8, 1);

	wire_in(w, frag(7, 0, true, d, 32 + 8 > 36 ? 32 : 36));
	wire_in(w, frag(7, 24, false, d + 24, 4));
	assert_int_equal(got(), -EAGAIN);
	assert_int_equal(b->net->ipv4->frags.queues, 0);
	assert_int_equal(bed_drops(b, DROP_FRAG_BAD) + bed_drops(b, DROP_FRAG_OVERLAP), 2);
	free(d);
}

static void frag_02_ping_of_death(void **state)
{
	uint8_t d[100] = { 0 };

	wire_in(w, frag(7, 0, true, d, 96));
	wire_in(w, frag(7, 65512, false, d, 100));
	assert_int_equal(bed_drops(b, DROP_FRAG_TOO_FAR), 2); /* the fragment and all that waited */
	assert_int_equal(b->net->ipv4->frags.queues, 0);
	assert_int_equal(b->net->ipv4->frags.mem, 0);
}

static void frag_03_jolt2(void **state)
{
	uint8_t d[9] = { 0 };

	for (int i = 0; i < 2000; i++)
		wire_in(w, frag(0x455, 65496, false, d, 9));
	assert_int_equal(b->net->ipv4->frags.queues, 1);
	assert_int_equal(bed_drops(b, DROP_DUP_FRAG), 1999);
}

static void frag_04_bonk_and_boink(void **state)
{
	uint8_t d[80] = { 0 };

	wire_in(w, frag(7, 40, true, d, 40));
	wire_in(w, frag(7, 32, false, d, 8)); /* an end in front of what is here */
	assert_int_equal(b->net->ipv4->frags.queues, 0);
	wire_in(w, frag(8, 40, false, d, 8));
	wire_in(w, frag(8, 64, false, d, 8)); /* two ends */
	assert_int_equal(b->net->ipv4->frags.queues, 0);
	wire_in(w, frag(9, 40, false, d, 8));
	wire_in(w, frag(9, 48, true, d, 8)); /* more behind the end */
	assert_int_equal(b->net->ipv4->frags.queues, 0);
	assert_int_equal(got(), -EAGAIN);
}

static void frag_05_rose_bounded_memory(void **state)
{
	uint8_t d[32] = { 0 }, *whole = datagram(100, 3);

	for (uint32_t i = 0; i < 8000; i++) {
		wire_in(w, frag((uint16_t)i, 0, true, d, 32));
		wire_in(w, frag((uint16_t)i, 64800, false, d, 8));
		assert_true(b->net->ipv4->frags.mem <= 4194304 + 4096);
	}
	assert_true(bed_drops(b, DROP_FRAG_MEMORY) > 0);
	/* whole datagrams pass as ever, and fragmented ones that come quickly too */
	wire_in(w, pkt_udp(PEER, 1, ME, 7000, "x", 1));
	assert_int_equal(got(), 1);
	wire_in(w, frag(60000, 0, true, whole, 56));
	wire_in(w, frag(60000, 56, false, whole + 56, 52));
	assert_int_equal(got(), 100);
	free(whole);
}

static void frag_06_fragmentsmack(void **state)
{
	uint8_t d[8] = { 0 }, *whole = datagram(100, 3);
	uint32_t x = 1;

	for (int i = 0; i < 8000; i++) {
		x = x * 1664525u + 1013904223u;
		wire_in(w, frag(77, 8 + (x >> 8) % 8000 * 8, true, d, 8));
	}
	assert_true(b->net->ipv4->frags.queues <= 1);
	assert_true(bed_drops(b, DROP_FRAG_TOO_MANY) > 0); /* the number per datagram is bounded */
	wire_in(w, frag(60000, 0, true, whole, 56));
	wire_in(w, frag(60000, 56, false, whole + 56, 52));
	assert_int_equal(got(), 100);
	free(whole);
}

static void frag_07_nestea(void **state)
{
	uint8_t d[256] = { 0 };

	wire_in(w, frag(7, 0, true, d, 16));
	wire_in(w, frag(7, 48, false, d, 4));
	wire_in(w, frag(7, 0, true, d, 224)); /* the head again, longer than the whole */
	assert_int_equal(got(), -EAGAIN);
	assert_int_equal(b->net->ipv4->frags.queues, 0);
}

static void frag_08_not_a_multiple_of_eight(void **state)
{
	uint8_t d[13] = { 0 };

	wire_in(w, frag(7, 0, true, d, 13));
	assert_int_equal(bed_drops(b, DROP_FRAG_BAD), 1);
	assert_int_equal(b->net->ipv4->frags.queues, 0);
}

static void frag_09_empty_fragment(void **state)
{
	for (int i = 0; i < 10; i++)
		wire_in(w, frag(7, 0, true, "", 0));
	assert_int_equal(bed_drops(b, DROP_FRAG_BAD), 10);
	assert_int_equal(b->net->ipv4->frags.queues, 0);
}

static void frag_10_df_on_fragments(void **state)
{
	uint8_t *d = datagram(100, 1);

	for (int i = 0; i < 2; i++) {
		struct pkt *p = frag(7, i ? 56 : 0, !i, d + (i ? 56 : 0), i ? 52 : 56);

		put_be16(pkt_ip(p)->frag_off, (uint16_t)(ip4_frag(pkt_ip(p)) | IP_DF));
		pkt_fix(p);
		wire_in(w, p);
	}
	assert_int_equal(got(), 100);
	free(d);
}

static void frag_11_frag_12_tiny_fragments(void **state)
{
	/* A host reassembles what a filter should have refused: the whole is judged, not the pieces. */
	uint8_t *d = datagram(40, 1);

	for (uint32_t at = 0; at < 48; at += 8)
		wire_in(w, frag(7, at, at < 40, d + at, 8));
	assert_int_equal(got(), 40);
	/* offset 1 rewriting what the first brought: overlap, all goes */
	wire_in(w, frag(8, 0, true, d, 24));
	wire_in(w, frag(8, 8, true, d, 8));
	assert_int_equal(bed_drops(b, DROP_FRAG_OVERLAP), 2);
	free(d);
}

static void frag_13_overlap_with_other_data(void **state)
{
	for (int late = 0; late < 2; late++) {
		uint8_t *d = datagram(120, 1), evil[64];

		memset(evil, 0x66, sizeof(evil));
		wire_in(w, frag((uint16_t)(20 + late), 64, true, late ? evil : d + 64, 64 - 8 * 0));
		wire_in(w, frag((uint16_t)(20 + late), 64, true, late ? d + 64 : evil, 64)); /* the same place, other octets */
		wire_in(w, frag((uint16_t)(20 + late), 0, true, d, 64));
		assert_int_equal(got(), -EAGAIN);
		free(d);
	}
	assert_true(bed_drops(b, DROP_FRAG_OVERLAP) >= 4);
	assert_int_equal(b->net->mib.ipext.ReasmOverlaps, 2);
}

/* From in front into what is here. */
static void frag_13_overlap_from_the_front(void **state)
{
	uint8_t *d = datagram(120, 1);

	wire_in(w, frag(7, 64, false, d + 64, 64));
	wire_in(w, frag(7, 0, true, d, 72));
	assert_int_equal(got(), -EAGAIN);
	assert_int_equal(b->net->ipv4->frags.queues, 0);
	assert_int_equal(bed_drops(b, DROP_FRAG_OVERLAP), 2);
	/* over several, and over the border of a bucket */
	wire_in(w, frag(8, 1024, true, d, 8));
	wire_in(w, frag(8, 1040, true, d, 8));
	wire_in(w, frag(8, 1016, true, d, 40));
	assert_int_equal(b->net->ipv4->frags.queues, 0);
	free(d);
}

/* Cut at random, sent in random order, with a stranger in between now and then: either the very datagram comes out or
 * nothing. */
static void random_cuts(void **state)
{
	struct rng r;
	static uint8_t back[66000];
	unsigned whole = 0, spoilt = 0;

	rng_derive(&r, 5, "x", "cuts");
	for (unsigned round = 0; round < 400; round++) {
		uint32_t len = 8 + rng_below(&r, 6000), n = 0, at[800], end[800], order[800];
		uint8_t *d = datagram(len, (uint8_t)round);
		bool stranger = rng_below(&r, 3) == 0;
		uint16_t id = (uint16_t)(1000 + round);
		ssize_t ret;

		for (uint32_t off = 0; off < len + 8; n++) {
			uint32_t l = 8 * (1 + rng_below(&r, rng_below(&r, 2) ? 4 : 180));

			at[n] = off;
			end[n] = min_u32(off + l, len + 8);
			order[n] = n;
			off = end[n];
		}
		if (n == 1) {
			free(d);
			continue;
		}
		shuffle(order, n, (uint32_t)rng_u64(&r));
		for (uint32_t i = 0; i < n; i++) {
			uint32_t k = order[i];

			if (stranger && i == n / 2) { /* some octets of another datagram, over a part that is or will be here */
				uint32_t v = rng_below(&r, n), off = at[v] & ~7u, l = 8 * (1 + rng_below(&r, 20));
				uint8_t junk[168];

				memset(junk, 0xee, sizeof(junk));
				if (off + l < len)
					wire_in(w, frag(id, off, true, junk, l));
				else
					stranger = false;
			}
			wire_in(w, frag(id, at[k], end[k] < len + 8, d + at[k], end[k] - at[k]));
		}
		ret = bed_recv(b, fd, back, sizeof(back));
		if (ret >= 0) {
			assert_int_equal(ret, len);
			assert_memory_equal(back, d + 8, len);
			whole++;
		} else {
			assert_true(stranger);
			spoilt++;
		}
		assert_int_equal(bed_recv(b, fd, back, sizeof(back)), -EAGAIN);
		free(d);
	}
	assert_true(whole > 200 && spoilt > 50);
	bed_sleep(b, 40 * NSEC_PER_SEC);
	assert_int_equal(b->net->ipv4->frags.mem, 0);
	assert_int_equal(b->net->ipv4->frags.queues, 0);
}

static void frag_14_options_from_the_first(void **state)
{
	uint8_t *d = datagram(100, 1);
	struct pkt *p = pkt_new(PEER, ME, 17, d, 56, 40);
	int one = 1;
	char buf[200], ctl[200];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl, .msg_controllen = sizeof(ctl) };

	put_be16(pkt_ip(p)->frag_off, IP_MF);
	pkt_fix(p);
	sys_setsockopt(b->t, fd, IPPROTO_IP, IP_RECVOPTS, &one, sizeof(one));
	wire_in(w, frag(0x1234, 56, false, d + 56, 52)); /* no options here */
	wire_in(w, p);
	assert_int_equal(sys_recvmsg(b->t, fd, &m, MSG_DONTWAIT), 100);
	assert_int_equal(CMSG_FIRSTHDR(&m)->cmsg_len, CMSG_LEN(20));
	assert_memory_equal(buf, d + 8, 100);
	free(d);
}

static void frag_15_s3_09_timeout_tells_the_sender(void **state)
{
	uint8_t *d = datagram(100, 1);

	wire_in(w, frag(7, 56, false, d + 56, 52)); /* not the first: silence */
	bed_sleep(b, 31 * NSEC_PER_SEC);
	assert_int_equal(wire_count(w, ETH_P_IP), 0);
	assert_int_equal(b->net->mib.ip.ReasmTimeout, 1);
	assert_int_equal(b->net->ipv4->frags.queues, 0);
	wire_in(w, frag(8, 0, true, d, 56));
	bed_sleep(b, 29 * NSEC_PER_SEC);
	assert_int_equal(wire_count(w, ETH_P_IP), 0);
	bed_sleep(b, 2 * NSEC_PER_SEC);
	assert_int_equal(wire_icmp(w, 0)->type, 11);
	assert_int_equal(wire_icmp(w, 0)->code, 1);
	assert_memory_equal((const uint8_t *)wire_icmp(w, 0) + 8 + 20, d, 56);
	assert_int_equal(b->net->mib.ip.ReasmFails, 2);
	assert_int_equal(bed_drops(b, DROP_FRAG_TIMEOUT), 2);
	free(d);
}

static void frag_16_largest_in_any_order(void **state)
{
	enum { LEN = 65507, STEP = 552, N = (LEN + 8 + STEP - 1) / STEP };
	static uint8_t back[66000];
	uint8_t *d = datagram(LEN, 9), *other = datagram(1000, 5);
	uint32_t order[N];

	for (int mode = 0; mode < 3; mode++) {
		uint16_t id = (uint16_t)(100 + mode);

		for (uint32_t i = 0; i < N; i++)
			order[i] = mode == 1 ? N - 1 - i : i;
		if (mode == 2)
			shuffle(order, N, 42);
		for (uint32_t i = 0; i < N; i++) {
			uint32_t off = order[i] * STEP, len = min_u32(STEP, LEN + 8 - off);

			wire_in(w, frag(id, off, off + len < LEN + 8, d + off, len));
			if (i == N / 2)
				wire_in(w, frag((uint16_t)(200 + mode), 0, true, other, 504));
			if (i == N / 3)
				wire_in(w, frag(id, off, off + len < LEN + 8, d + off, len)); /* once more */
		}
		assert_int_equal(bed_recv(b, fd, back, sizeof(back)), LEN);
		assert_memory_equal(back, d + 8, LEN);
		wire_in(w, frag((uint16_t)(200 + mode), 504, false, other + 504, 504));
		assert_int_equal(bed_recv(b, fd, back, sizeof(back)), 1000);
		assert_memory_equal(back, other + 8, 1000);
		assert_int_equal(got(), -EAGAIN);
	}
	assert_int_equal(b->net->ipv4->frags.mem, 0);
	free(d);
	free(other);
}

static void frag_17_stale_fragment_is_caught(void **state)
{
	uint8_t *old = datagram(100, 1), *now = datagram(100, 77);

	wire_in(w, frag(7, 0, true, old, 56));          /* the id came round */
	wire_in(w, frag(7, 56, false, now + 56, 52));   /* 30 s at most, and then a checksum */
	assert_int_equal(got(), -EAGAIN);
	assert_int_equal(b->net->mib.udp.InCsumErrors, 1);
	free(old);
	free(now);
}

static void frag_19_checksum_of_the_whole(void **state)
{
	uint8_t *d = datagram(100, 1);

	d[100] ^= 1;
	wire_in(w, frag(7, 0, true, d, 56));
	wire_in(w, frag(7, 56, false, d + 56, 52));
	assert_int_equal(got(), -EAGAIN);
	assert_int_equal(bed_drops(b, DROP_UDP_CSUM), 2); /* each piece dies of it */
	free(d);
}

static void frag_18_length_of_the_chain(void **state)
{
	/* A UDP length below the reassembled one: the chain is trimmed, across its pieces. */
	uint8_t *d = datagram(100, 1);
	char buf[200];

	put_be16(d + 4, 60 + 8);
	put_be16(d + 6, 0);
	wire_in(w, frag(7, 0, true, d, 40));
	wire_in(w, frag(7, 40, true, d + 40, 40));
	wire_in(w, frag(7, 80, false, d + 80, 28));
	assert_int_equal(bed_recv(b, fd, buf, sizeof(buf)), 60);
	assert_memory_equal(buf, d + 8, 60);
	/* and beyond it: refused */
	put_be16(d + 4, 200);
	wire_in(w, frag(8, 0, true, d, 40));
	wire_in(w, frag(8, 40, false, d + 40, 68));
	assert_int_equal(bed_drops(b, DROP_UDP_BAD_LEN), 2);
	free(d);
}

static void ecn_of_fragments(void **state)
{
	static const struct { uint8_t a, c; int want; } t[] = { { 2, 3, 3 }, { 2, 2, 2 }, { 0, 3, -1 }, { 0, 0, 0 } };
	int one = 1;

	sys_setsockopt(b->t, fd, IPPROTO_IP, IP_RECVTOS, &one, sizeof(one));
	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		uint8_t *d = datagram(100, 1);
		struct pkt *p = frag((uint16_t)i, 0, true, d, 56), *q = frag((uint16_t)i, 56, false, d + 56, 52);
		char buf[200], ctl[100];
		struct iovec iov = { buf, sizeof(buf) };
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl, .msg_controllen = sizeof(ctl) };

		pkt_ip(p)->tos = t[i].a;
		pkt_ip(q)->tos = t[i].c;
		pkt_fix(p);
		pkt_fix(q);
		wire_in(w, p);
		wire_in(w, q);
		bed_run(b);
		if (t[i].want < 0) {
			assert_int_equal(sys_recvmsg(b->t, fd, &m, MSG_DONTWAIT), -EAGAIN);
		} else {
			assert_int_equal(sys_recvmsg(b->t, fd, &m, MSG_DONTWAIT), 100);
			assert_int_equal(*CMSG_DATA(CMSG_FIRSTHDR(&m)) & 3, t[i].want);
		}
		free(d);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest t[] = {
		T(s2_35_lo_fragments_too), T(s3_09_s3_58_s3_154_fragments_on_the_wire), T(largest_datagram_and_beyond),
		T(corked_pieces_of_odd_sizes), T(frag_01_teardrop), T(frag_02_ping_of_death), T(frag_03_jolt2),
		T(frag_04_bonk_and_boink), T(frag_05_rose_bounded_memory), T(frag_06_fragmentsmack), T(frag_07_nestea),
		T(frag_08_not_a_multiple_of_eight), T(frag_09_empty_fragment), T(frag_10_df_on_fragments),
		T(frag_11_frag_12_tiny_fragments), T(frag_13_overlap_with_other_data), T(frag_13_overlap_from_the_front), T(random_cuts), T(frag_14_options_from_the_first),
		T(frag_15_s3_09_timeout_tells_the_sender), T(frag_16_largest_in_any_order), T(frag_17_stale_fragment_is_caught),
		T(frag_18_length_of_the_chain), T(frag_19_checksum_of_the_whole), T(ecn_of_fragments),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}

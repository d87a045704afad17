/* A home router on a bench: eth0 192.168.1.1/24 is the inside, eth1 203.0.113.1/24 the outside, and everything else lies
 * behind 203.0.113.254. Packets are put in by hand on either side; what leaves is judged by all its checksums. */
#ifndef TEST_NAT_BED_H
#define TEST_NAT_BED_H

#include "../ipv4/bed.h"
#include "wire/tcp_hdr.h"
#include "netfilter/nf_nat.h"

#define A IP(192, 168, 1, 2)
#define A2 IP(192, 168, 1, 3)
#define GW_IN IP(192, 168, 1, 1)
#define EXT IP(203, 0, 113, 1)
#define R IP(198, 51, 100, 10)
#define R2 IP(198, 51, 100, 20)

static struct bed *b;
static struct wire *in, *out;

static void nat_bed_open(void)
{
	b = bed_new();
	in = bed_wire(b, "eth0", "192.168.1.1/24");
	out = bed_wire(b, "eth1", "203.0.113.1/24");
	assert_int_equal(bed_route(b, "0.0.0.0/0", "203.0.113.254", NULL, 0), 0);
	bed_sysctl(b, "net.ipv4.ip_forward", "1");
}

static void nat_bed_close(void)
{
	bed_free(b);
}

/* A command that prints nothing. */
static void quiet(const char *line)
{
	assert_string_equal(bed_cmd(b, line), "");
}

static inline struct nf_ct_net *cn(void)
{
	return nf_ct_net(b->net);
}

static inline struct pkt *pkt_tcp(uint32_t saddr, uint16_t sport, uint32_t daddr, uint16_t dport, uint8_t flags, uint32_t seq,
				  uint32_t ack, uint32_t len)
{
	struct pkt *p = pkt_new(saddr, daddr, 6, NULL, TCP_HLEN + len, 20);
	struct tcp_hdr *th = (struct tcp_hdr *)(void *)pkt_l4(p);

	memset(th, 0, sizeof(*th));
	put_be16(th->source, sport);
	put_be16(th->dest, dport);
	put_be32(th->seq, seq);
	put_be32(th->ack_seq, ack);
	th->off_res = TCP_HLEN << 2;
	th->flags = flags;
	put_be16(th->window, 60000);
	put_be16(th->check, csum_fold(csum_tcpudp_nofold(saddr, daddr, TCP_HLEN + len, 6, csum_partial(th, TCP_HLEN + len, 0))));
	return p;
}

/* The last IP packet that left by w, its header and transport checksums right; NULL: none left since the clear. */
static inline const struct ip4_hdr *sent(const struct wire *w)
{
	unsigned n = wire_count(w, ETH_P_IP);
	const struct ip4_hdr *h = n ? wire_ip(w, n - 1) : NULL;
	const uint8_t *l4;
	uint32_t len;

	if (!h)
		return NULL;
	assert_int_equal(ip4_fast_csum(h, ip4_hlen(h)), 0);
	l4 = (const uint8_t *)h + ip4_hlen(h);
	len = ip4_tot_len(h) - ip4_hlen(h);
	if (ip4_is_fragment(h))
		return h;
	if (h->protocol == 1)
		assert_int_equal(csum_fold(csum_partial(l4, len, 0)), 0);
	if (h->protocol == 6 || (h->protocol == 17 && get_be16(l4 + 6)))
		assert_int_equal(csum_fold(csum_tcpudp_nofold(ip4_saddr(h), ip4_daddr(h), len, h->protocol, csum_partial(l4, len, 0))), 0);
	return h;
}

static inline const uint8_t *l4_of(const struct ip4_hdr *h) { return (const uint8_t *)h + ip4_hlen(h); }
static inline uint16_t sport_of(const struct ip4_hdr *h) { return get_be16(l4_of(h)); }
static inline uint16_t dport_of(const struct ip4_hdr *h) { return get_be16(l4_of(h) + 2); }

static inline void clear(void)
{
	wire_clear(in);
	wire_clear(out);
}

#define assert_packet(h, src_, sp_, dst_, dp_)                  \
	do {                                                    \
		const struct ip4_hdr *h_ = (h);                 \
		assert_non_null(h_);                            \
		assert_int_equal(ip4_saddr(h_), src_);          \
		assert_int_equal(sport_of(h_), sp_);            \
		assert_int_equal(ip4_daddr(h_), dst_);          \
		assert_int_equal(dport_of(h_), dp_);            \
	} while (0)

/* One datagram from the inside; the outside port that it got, 0: it did not leave. */
static inline uint16_t udp_out(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport)
{
	const struct ip4_hdr *h;

	clear();
	wire_in(in, pkt_udp(src, sport, dst, dport, "hi", 2));
	h = sent(out);
	if (!h)
		return 0;
	assert_int_equal(ip4_saddr(h), EXT);
	assert_int_equal(ip4_daddr(h), dst);
	assert_int_equal(dport_of(h), dport);
	return sport_of(h);
}

/* And one from the outside: did it reach dst:dport inside? */
static inline bool udp_back(uint32_t src, uint16_t sport, uint16_t ext_port, uint32_t dst, uint16_t dport)
{
	const struct ip4_hdr *h;

	clear();
	wire_in(out, pkt_udp(src, sport, EXT, ext_port, "ho", 2));
	h = sent(in);
	return h && ip4_saddr(h) == src && sport_of(h) == sport && ip4_daddr(h) == dst && dport_of(h) == dport;
}

static inline const struct ip4_hdr *tcp_out(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport, uint8_t flags, uint32_t seq,
					    uint32_t ack, uint32_t len)
{
	clear();
	wire_in(in, pkt_tcp(src, sport, dst, dport, flags, seq, ack, len));
	return sent(out);
}

static inline const struct ip4_hdr *tcp_back(uint32_t src, uint16_t sport, uint16_t ext_port, uint8_t flags, uint32_t seq, uint32_t ack,
					     uint32_t len)
{
	clear();
	wire_in(out, pkt_tcp(src, sport, EXT, ext_port, flags, seq, ack, len));
	return sent(in);
}

/* A:sport connects to R:80; both sides' numbers are then 1001 and 5001. The outside port. */
static inline uint16_t tcp_connect_(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport)
{
	const struct ip4_hdr *h = tcp_out(src, sport, dst, dport, TCP_SYN, 1000, 0, 0);
	uint16_t port;

	assert_non_null(h);
	port = sport_of(h);
	assert_packet(tcp_back(dst, dport, port, TCP_SYN | TCP_ACK, 5000, 1001, 0), dst, dport, src, sport);
	assert_packet(tcp_out(src, sport, dst, dport, TCP_ACK, 1001, 5001, 0), EXT, port, dst, dport);
	return port;
}

/* The first connection of the table that a packet of src:sport began. */
static inline struct nf_conn *conn(uint32_t src, uint16_t sport)
{
	struct nf_conn *ct;

	list_for_each_entry(ct, &cn()->all, all)
		if (ct->hash[0].tuple.src == src && ct->hash[0].tuple.sport == sport)
			return ct;
	return NULL;
}

#endif

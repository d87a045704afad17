/* IPv4 (RFC 791), ICMP (RFC 792), UDP (RFC 768), ARP (RFC 826) on the wire.
 * Headers are byte arrays: no alignment, packing or byte order can go wrong. Lengths are checked
 * once, before any accessor is used. */
#ifndef WIRE_IP4_H
#define WIRE_IP4_H

#include "base/types.h"

struct ip4_hdr {
	uint8_t ver_ihl, tos, tot_len[2], id[2], frag_off[2], ttl, protocol, check[2], saddr[4],
		daddr[4];
};
#define IP4_HLEN 20
#define IP4_HLEN_MAX 60
#define IP4_MAX_LEN 65535
#define IP_RF 0x8000
#define IP_DF 0x4000
#define IP_MF 0x2000
#define IP_OFFSET 0x1fff

static inline unsigned ip4_version(const struct ip4_hdr *h) { return h->ver_ihl >> 4; }
static inline unsigned ip4_hlen(const struct ip4_hdr *h) { return (h->ver_ihl & 15u) * 4; }
static inline uint16_t ip4_tot_len(const struct ip4_hdr *h) { return get_be16(h->tot_len); }
static inline uint16_t ip4_id(const struct ip4_hdr *h) { return get_be16(h->id); }
static inline uint16_t ip4_frag(const struct ip4_hdr *h) { return get_be16(h->frag_off); }
static inline bool ip4_is_fragment(const struct ip4_hdr *h)
{
	return (ip4_frag(h) & (IP_MF | IP_OFFSET)) != 0;
}
static inline uint32_t ip4_saddr(const struct ip4_hdr *h) { return get_be32(h->saddr); }
static inline uint32_t ip4_daddr(const struct ip4_hdr *h) { return get_be32(h->daddr); }

/* Two octets in one store: see csum_header. */
static inline void ip4_put_hlen_tos(struct ip4_hdr *h, unsigned hlen, uint8_t tos)
{
	put_be16((uint8_t *)h, (uint16_t)((0x40u | hlen / 4) << 8 | tos));
}
static inline void ip4_put_ttl_protocol(struct ip4_hdr *h, uint8_t ttl, uint8_t protocol)
{
	put_be16((uint8_t *)h + offsetof(struct ip4_hdr, ttl), (uint16_t)(ttl << 8 | protocol));
}

/* Address classes; addresses in host byte order. */
static inline bool ip4_is_loopback(uint32_t a) { return (a >> 24) == 127; }
static inline bool ip4_is_multicast(uint32_t a) { return (a >> 28) == 14; }
static inline bool ip4_is_lbcast(uint32_t a) { return a == 0xffffffffu; }
static inline bool ip4_is_zeronet(uint32_t a) { return (a >> 24) == 0; }
static inline bool ip4_is_reserved(uint32_t a) { return (a >> 28) == 15 && a != 0xffffffffu; }
static inline bool ip4_is_local_mcast(uint32_t a) { return (a & 0xffffff00u) == 0xe0000000u; }
static inline uint32_t ip4_mask(unsigned plen) { return plen ? 0xffffffffu << (32 - plen) : 0; }

struct udp_hdr {
	uint8_t source[2], dest[2], len[2], check[2];
};
#define UDP_HLEN 8

struct icmp_hdr {
	uint8_t type, code, checksum[2], rest[4]; /* rest: id+seq, gateway, or unused+mtu */
};
#define ICMP_HLEN 8
enum {
	ICMP_ECHOREPLY = 0, ICMP_DEST_UNREACH = 3, ICMP_SOURCE_QUENCH = 4, ICMP_REDIRECT = 5,
	ICMP_ECHO = 8, ICMP_TIME_EXCEEDED = 11, ICMP_PARAMETERPROB = 12, ICMP_TIMESTAMP = 13,
	ICMP_TIMESTAMPREPLY = 14, ICMP_INFO_REQUEST = 15, ICMP_INFO_REPLY = 16, ICMP_ADDRESS = 17,
	ICMP_ADDRESSREPLY = 18, NR_ICMP_TYPES = 18
};
enum {
	ICMP_NET_UNREACH, ICMP_HOST_UNREACH, ICMP_PROT_UNREACH, ICMP_PORT_UNREACH, ICMP_FRAG_NEEDED,
	ICMP_SR_FAILED, ICMP_NET_UNKNOWN, ICMP_HOST_UNKNOWN, ICMP_HOST_ISOLATED, ICMP_NET_ANO,
	ICMP_HOST_ANO, ICMP_NET_UNR_TOS, ICMP_HOST_UNR_TOS, ICMP_PKT_FILTERED, ICMP_PREC_VIOLATION,
	ICMP_PREC_CUTOFF, NR_ICMP_UNREACH = 15
};
enum { ICMP_EXC_TTL = 0, ICMP_EXC_FRAGTIME = 1 };

struct arp_hdr {
	uint8_t htype[2], ptype[2], hlen, plen, oper[2], sha[6], spa[4], tha[6], tpa[4];
};
#define ARP_LEN 28
#define ARPOP_REQUEST 1
#define ARPOP_REPLY 2

/* Internet checksum (RFC 1071). csum_partial returns a 32-bit running sum of the bytes as big-endian
 * 16-bit words (an odd last byte is the high half); chaining is right only at even offsets, use
 * csum_block_add for odd ones. csum_fold gives the value for the header field. */
uint32_t csum_partial(const void *data, size_t len, uint32_t sum);
/* Copy and sum in one pass. */
uint32_t csum_partial_copy(void *dst, const void *src, size_t len, uint32_t sum);
static inline uint32_t csum_add(uint32_t a, uint32_t b)
{
	a += b;
	return a + (a < b);
}
static inline uint32_t csum_block_add(uint32_t sum, uint32_t sum2, size_t offset)
{
	if (offset & 1)
		sum2 = (sum2 >> 8) | (sum2 << 24);
	return csum_add(sum, sum2);
}
static inline uint16_t csum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}
/* The sum of a header (even length, at most 60 octets) that was written just now: in words of 16 bits as its fields
 * were, because a load that spans several stores waits until all of them have reached the cache. */
static inline uint32_t csum_header(const void *h, unsigned len, uint32_t sum)
{
	const uint8_t *p = (const uint8_t *)h;
	uint32_t s = 0;
	uint16_t w;

	for (unsigned i = 0; i < len; i += 2) {
		__builtin_memcpy(&w, p + i, sizeof(w));
		s += w;
		__asm__("" : "+r"(s)); /* no wide loads: the compiler would make vectors of this */
	}
	/* times 256 swaps the octets of a 16-bit sum; 30 words leave room for that */
	return csum_add(sum, __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? s << 8 : s);
}
/* Sum of the IPv4 pseudo header (RFC 9293 3.1). */
static inline uint32_t csum_tcpudp_nofold(uint32_t saddr, uint32_t daddr, uint32_t len, uint8_t proto,
					  uint32_t sum)
{
	uint64_t s = (uint64_t)sum + (saddr >> 16) + (saddr & 0xffff) + (daddr >> 16) +
		     (daddr & 0xffff) + len + proto;
	return (uint32_t)((s & 0xffffffffu) + (s >> 32));
}
/* Header checksum of ihl*4 bytes: 0 when a received header is right. */
static inline uint16_t ip4_fast_csum(const void *h, unsigned hlen)
{
	return csum_fold(csum_header(h, hlen, 0));
}
/* Incremental update (RFC 1624 eqn 3): the stored checksum after a 16-bit field went old -> new. */
static inline uint16_t csum_replace2(uint16_t check, uint16_t oldv, uint16_t newv)
{
	uint32_t s = (uint32_t)(uint16_t)~check + (uint16_t)~oldv + newv;
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

#endif

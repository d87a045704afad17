/* Fuzz target: packets through a translating router (connection tracking, NAT, ICMP errors, fragments, rule tables).
 *
 * Input: a sequence of records: one octet of flags, two of length (big endian), and that many octets of an IP packet.
 *     bit 0     from the outside (else from the inside)
 *     bit 1     leave it as it is; else addresses, length and checksums are set right, so that mutations reach what lies above
 *     bit 2     an ICMP error from that side that quotes the packet which left there last; the octets are laid over it
 *     bits 3-7  so many times 20 s pass first
 * Held always: what leaves has a right IP checksum; no table is above its bound; each mapping has connections. In the end, when
 * all time is over, tables are empty and every packet is accounted for. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "culver/host.h"
#include "drivers/drivers.h"
#include "ipv4/fib.h"
#include "ipv4/netns_ipv4.h"
#include "netfilter/nf_nat.h"
#include "netfilter/nf_tables_text.h"
#include "socket/syscall.h"
#include "wire/tcp_hdr.h"

#define GW_IN 0xc0a80101u
#define EXT 0xcb007101u
#define MAX_CONNS 64
#define QUOTE_MAX 600u

struct side {
	struct fuzz_world *w;
	struct net_device *dev;
	uint8_t mac[6], peer[6];
	uint8_t last[QUOTE_MAX]; /* the IP packet that left here last */
	uint32_t last_len;
};

struct fuzz_world {
	struct skb_pool *skbs;
	struct serial_source serials;
	struct net *net;
	struct side side[2];
	uint64_t now;
};

static void kick(void *arg, struct net *net) { (void)arg, (void)net; }

/* The far end: checks, keeps, answers ARP. */
static int leaves(void *arg, struct sk_buff *skb)
{
	struct side *s = arg;
	uint8_t f[ETH_HLEN + QUOTE_MAX];
	uint32_t len = min_u32(skb->len, sizeof(f));

	assert(!skb_copy_bits(skb, 0, f, len));
	if (len >= ETH_HLEN + IP4_HLEN && get_be16(f + 12) == ETH_P_IP) {
		const struct ip4_hdr *h = (const void *)(f + ETH_HLEN);

		assert(ip4_fast_csum(h, ip4_hlen(h)) == 0);
		s->last_len = len - ETH_HLEN;
		memcpy(s->last, h, s->last_len);
	} else if (len >= ETH_HLEN + ARP_LEN && get_be16(f + 12) == ETH_P_ARP && get_be16(f + 20) == ARPOP_REQUEST) {
		uint8_t r[60] = { 0 };

		memcpy(r, f + 6, 6);
		memcpy(r + 6, s->peer, 6);
		memcpy(r + 12, f + 12, 8);
		put_be16(r + 20, ARPOP_REPLY);
		memcpy(r + 22, s->peer, 6);
		memcpy(r + 28, f + 38, 4);
		memcpy(r + 32, f + 22, 10);
		extdev_input(s->dev, r, sizeof(r), 0, 0, false);
	}
	consume_skb(skb);
	return 0;
}

static void side_open(struct fuzz_world *w, unsigned i, const char *name, uint32_t addr)
{
	struct side *s = &w->side[i];
	struct netdev_sink sink = { .arg = s, .xmit = leaves };
	int err;

	s->w = w;
	memcpy(s->mac, (const uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)(i + 1) }, 6);
	memcpy(s->peer, (const uint8_t[]){ 2, 0, 0, 0, 1, (uint8_t)(i + 1) }, 6);
	s->dev = extdev_create(w->net, name, s->mac, 0, &sink, &err);
	assert(s->dev);
	dev_open(s->dev);
	inet_add_addr(w->net, s->dev, addr, 24, addr | 0xff, 0);
}

static void rule(struct fuzz_world *w, const char *line)
{
	struct strbuf sb;

	sb_init(&sb);
	assert(iptables_command(w->net, line, &sb) == 0);
	sb_free(&sb);
}

static void world_open(struct fuzz_world *w)
{
	struct net_params p = { .name = "nat", .id = 1, .seed = 7, .owner = { .kick = kick } };
	struct fib_config route = { .protocol = 3, .type = 1, .gw = EXT + 253, .nlflags = 0x600 };

	memset(w, 0, sizeof(*w));
	w->skbs = skb_pool_new(64u << 20);
	p.serials = &w->serials;
	p.skbs = w->skbs;
	p.now_ns = w->now = NSEC_PER_SEC;
	w->net = host_new(&p);
	assert(w->net);
	side_open(w, 0, "eth0", GW_IN);
	side_open(w, 1, "eth1", EXT);
	assert(fib_table_insert(w->net, fib_new_table(w->net, 254), &route) == 0);
	sysctl_set(w->net, "net.ipv4.ip_forward", "1");
	sysctl_set(w->net, "net.netfilter.nf_conntrack_max", "64");
	sysctl_set(w->net, "net.netfilter.nf_conntrack_host_max", "40");
	sysctl_set(w->net, "net.netfilter.nf_conntrack_tcp_timeout_established", "600");
	rule(w, "-t nat -A POSTROUTING -o eth1 -p udp --dport 53 -j MASQUERADE --to-ports 4000-4007 --random");
	rule(w, "-t nat -A POSTROUTING -o eth1 -j MASQUERADE");
	rule(w, "-t nat -A PREROUTING -p tcp --dport 80 -m addrtype --dst-type LOCAL -j DNAT --to-destination 192.168.1.3:8080");
	rule(w, "-t nat -A PREROUTING -i eth0 -p udp --dport 5353 -j REDIRECT --to-ports 53");
	rule(w, "-A FORWARD -m conntrack --ctstate INVALID -j DROP");
	rule(w, "-A FORWARD -p tcp -m multiport --dports 23,6000:6063 -j REJECT --reject-with tcp-reset");
	rule(w, "-A FORWARD -i eth0 -p udp --dport 7 -j REJECT");
	net_run(w->net);
}

/* Of the few that there are, so that packets meet connections. */
static uint32_t inside_host(uint8_t v) { return GW_IN + 1 + (v & 3); }
static uint32_t outside_host(uint8_t v) { return 0xc633640au + (v & 3); }

static void mend_l4(struct ip4_hdr *h, uint8_t *l4, uint32_t len)
{
	if (h->protocol == NF_PROTO_TCP && len >= TCP_HLEN) {
		put_be16(l4 + 16, 0);
		put_be16(l4 + 16, csum_fold(csum_tcpudp_nofold(ip4_saddr(h), ip4_daddr(h), len, 6, csum_partial(l4, len, 0))));
	} else if (h->protocol == NF_PROTO_UDP && len >= UDP_HLEN) {
		put_be16(l4 + 4, (uint16_t)len);
		put_be16(l4 + 6, 0);
	} else if (h->protocol == NF_PROTO_ICMP && len >= ICMP_HLEN) {
		put_be16(l4 + 2, 0);
		put_be16(l4 + 2, csum_fold(csum_partial(l4, len, 0)));
	}
}

static void mend(uint8_t *p, uint32_t len, bool from_outside)
{
	struct ip4_hdr *h = (void *)p;
	uint32_t hlen;

	if (len < IP4_HLEN)
		return;
	h->ver_ihl = (uint8_t)(0x40 | ((h->ver_ihl & 15) < 5 || (h->ver_ihl & 15u) * 4 > len ? 5 : h->ver_ihl & 15));
	hlen = ip4_hlen(h);
	put_be16(h->tot_len, (uint16_t)len);
	if (h->ttl < 2)
		h->ttl = 64;
	if (from_outside) {
		put_be32(h->saddr, outside_host(h->saddr[3]));
		put_be32(h->daddr, h->daddr[3] & 0x80 ? inside_host(h->daddr[3]) : EXT);
	} else {
		put_be32(h->saddr, inside_host(h->saddr[3]));
		put_be32(h->daddr, h->daddr[3] & 0x80 ? EXT : outside_host(h->daddr[3]));
	}
	if (!ip4_is_fragment(h))
		mend_l4(h, p + hlen, len - hlen);
	put_be16(h->check, 0);
	put_be16(h->check, ip4_fast_csum(h, hlen));
}

/* An ICMP error about what left there last. */
static uint32_t make_error(const struct side *s, uint8_t *p, uint32_t room, const uint8_t *data, uint32_t len)
{
	const struct ip4_hdr *q = (const void *)s->last;
	struct ip4_hdr *h = (void *)p;
	uint32_t n = min_u32(s->last_len, room - 28);

	if (s->last_len < IP4_HLEN)
		return 0;
	memset(p, 0, 28);
	h->ver_ihl = 0x45;
	h->ttl = 64;
	h->protocol = NF_PROTO_ICMP;
	memcpy(h->saddr, q->daddr, 4);
	memcpy(h->daddr, q->saddr, 4);
	p[20] = 3;
	p[21] = 3;
	memcpy(p + 28, s->last, n);
	for (uint32_t i = 0; i < len && 20 + i < 28 + n; i++)
		p[20 + i] ^= data[i];
	put_be16(h->tot_len, (uint16_t)(28 + n));
	put_be16(p + 22, 0);
	put_be16(p + 22, csum_fold(csum_partial(p + 20, 8 + n, 0)));
	put_be16(h->check, ip4_fast_csum(h, IP4_HLEN));
	return 28 + n;
}

static void put_in(struct side *s, const uint8_t *p, uint32_t len)
{
	uint8_t *f = malloc(ETH_HLEN + len); /* exactly as long as it is: a read beyond is seen */

	memcpy(f, s->mac, 6);
	memcpy(f + 6, s->peer, 6);
	put_be16(f + 12, ETH_P_IP);
	memcpy(f + ETH_HLEN, p, len);
	extdev_input(s->dev, f, ETH_HLEN + len, 0, 0, false);
	free(f);
	net_run(s->w->net);
}

static void check_tables(const struct fuzz_world *w)
{
	const struct nf_ct_net *cn = nf_ct_net(w->net);
	const struct nf_conn *ct;
	uint32_t n = 0, maps = 0;

	list_for_each_entry(ct, &cn->all, all) {
		n++;
		maps += ct->map != NULL;
		assert(ct->refs >= 1 && (ct->status & IPS_CONFIRMED) && !(ct->status & IPS_DYING));
	}
	assert(n <= cn->count && cn->count <= MAX_CONNS + 8); /* packets that wait for an address hold theirs */
	assert(cn->nat->nr_maps <= maps + (cn->count - n)); /* none without a connection */
	assert(cn->nat->nr_syns <= NAT_SYN_MAX && cn->nr_hosts <= cn->count);
}

static void pass(struct fuzz_world *w, uint64_t ns)
{
	uint64_t end = w->now + ns, next;

	while ((next = net_next_deadline(w->net)) <= end) {
		w->now = max_u64(w->now, next);
		net_enter(w->net, w->now);
		net_run(w->net);
	}
	w->now = end;
	net_enter(w->net, end);
	net_run(w->net);
}

static void world_close(struct fuzz_world *w)
{
	const struct nf_ct_net *cn = nf_ct_net(w->net);
	const struct skb_mib *m = &w->net->skb_mib;

	pass(w, 1300 * NSEC_PER_SEC);
	assert(cn->count == 0 && cn->nr_hosts == 0 && cn->nat->nr_maps == 0 && cn->nat->nr_syns == 0);
	assert(m->live == 0 && m->allocated == m->consumed + m->dropped);
	host_free(w->net);
	skb_pool_free(w->skbs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t p[4096];
	struct fuzz_world w;

	world_open(&w);
	for (unsigned n = 0; size >= 3 && n < 200; n++) {
		uint8_t flags = data[0];
		uint32_t len = min_u32(get_be16(data + 1), (uint32_t)min_sz(size - 3, 2000)), at = 3 + len;
		struct side *s = &w.side[flags & 1];

		if (flags >> 3)
			pass(&w, (uint64_t)(flags >> 3) * 20 * NSEC_PER_SEC);
		if (flags & 4) {
			len = make_error(s, p, sizeof(p), data + 3, len);
		} else {
			memcpy(p, data + 3, len);
			if (!(flags & 2))
				mend(p, len, flags & 1);
		}
		put_in(s, p, len);
		check_tables(&w);
		data += at;
		size -= at;
	}
	world_close(&w);
	return 0;
}

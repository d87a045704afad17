/* Fuzz target: frames into a whole host (Ethernet, ARP, IP, ICMP, UDP, TCP input).
 *
 * Input: a sequence of records, each 2 octets of length (big endian; top bit: let 50 ms pass first) and that many octets of
 * frame. Destination MAC, and for IPv4 the addresses and checksums, are set right when the first octet of the frame is
 * even, so that mutations reach the layers above; odd leaves the bytes alone. The host has listening, connecting and
 * connected sockets. Afterwards every packet must be accounted for: allocated = consumed + dropped + live, live 0. */
#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "culver/host.h"
#include "drivers/drivers.h"
#include "ipv4/ip.h"
#include "socket/syscall.h"
#include "wire/tcp_hdr.h"

#define ME 0x0a000001u
#define PEER 0x0a000002u
static const uint8_t my_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t peer_mac[6] = { 2, 0, 0, 0, 0, 2 };

struct fuzz_world {
	struct skb_pool *skbs;
	struct serial_source serials;
	struct net *net;
	struct net_device *dev;
	struct task *t;
	uint64_t now;
};

static void kick(void *arg, struct net *net) { (void)arg, (void)net; }

/* The far end of the device: a peer that answers ARP and otherwise swallows. */
static int swallow(void *arg, struct sk_buff *skb)
{
	(void)arg;
	consume_skb(skb);
	return 0;
}

static void open_sockets(struct fuzz_world *w)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(80) };
	int fd = sys_socket(w->t, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	sys_bind(w->t, fd, (struct sockaddr *)&a, sizeof(a));
	sys_listen(w->t, fd, 4);
	fd = sys_socket(w->t, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	a.sin_port = htons(53);
	sys_bind(w->t, fd, (struct sockaddr *)&a, sizeof(a));
	sys_socket(w->t, AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP);
	fd = sys_socket(w->t, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	a.sin_port = htons(4000);
	sys_bind(w->t, fd, (struct sockaddr *)&a, sizeof(a));
	a.sin_port = htons(8080);
	a.sin_addr.s_addr = htonl(PEER);
	sys_connect(w->t, fd, (struct sockaddr *)&a, sizeof(a));
}

static void world_open(struct fuzz_world *w)
{
	static const struct netdev_sink sink = { .xmit = swallow };
	struct net_params p = { .name = "fuzz", .id = 1, .seed = 7, .owner = { .kick = kick } };
	int err;

	memset(w, 0, sizeof(*w));
	w->skbs = skb_pool_new(64u << 20);
	p.serials = &w->serials;
	p.skbs = w->skbs;
	p.now_ns = w->now = NSEC_PER_SEC;
	w->net = host_new(&p);
	assert(w->net);
	w->dev = extdev_create(w->net, "eth0", my_mac, 0, &sink, &err);
	assert(w->dev);
	dev_open(w->dev);
	inet_add_addr(w->net, w->dev, ME, 24, 0x0a0000ffu, 0);
	w->t = task_new_external(w->net, "fuzz", NULL);
	open_sockets(w);
	net_run(w->net);
}

/* Make the frame one that gets past the link and IP layers. */
static void mend(uint8_t *f, size_t len)
{
	struct ip4_hdr *h = (struct ip4_hdr *)(void *)(f + ETH_HLEN);
	unsigned hl;
	size_t body;

	if (len < ETH_HLEN)
		return;
	memcpy(f, my_mac, 6);
	memcpy(f + 6, peer_mac, 6);
	if (get_be16(f + 12) != ETH_P_IP || len < ETH_HLEN + IP4_HLEN)
		return;
	hl = ip4_hlen(h);
	if (hl < IP4_HLEN || ETH_HLEN + hl > len)
		return;
	body = len - ETH_HLEN - hl;
	put_be16(h->tot_len, (uint16_t)(hl + body));
	put_be32(h->saddr, PEER);
	put_be32(h->daddr, ME);
	put_be16(h->check, 0);
	put_be16(h->check, ip4_fast_csum(h, hl));
	if (h->protocol == IPPROTO_TCP && body >= TCP_HLEN) {
		struct tcp_hdr *t = (struct tcp_hdr *)(void *)(f + ETH_HLEN + hl);
		put_be16(t->check, 0);
		put_be16(t->check, csum_fold(csum_tcpudp_nofold(PEER, ME, (uint32_t)body, IPPROTO_TCP, csum_partial(t, body, 0))));
	} else if (h->protocol == IPPROTO_UDP && body >= UDP_HLEN) {
		put_be16(f + ETH_HLEN + hl + 6, 0);
	} else if (h->protocol == IPPROTO_ICMP && body >= ICMP_HLEN) {
		uint8_t *c = f + ETH_HLEN + hl;
		put_be16(c + 2, 0);
		put_be16(c + 2, csum_fold(csum_partial(c, body, 0)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_world w;
	uint64_t allocated, gone;

	world_open(&w);
	while (size >= 2) {
		size_t len = get_be16(data) & 0x7fffu;
		bool wait = (data[0] & 0x80) != 0;
		uint8_t *f;
		data += 2;
		size -= 2;
		len = min_sz(len, size);
		if (wait)
			w.now += 50 * NSEC_PER_MSEC;
		net_enter(w.net, w.now);
		f = malloc(len ? len : 1); /* exactly as long as it is: a read beyond is seen */
		memcpy(f, data, len);
		if (len && !(f[0] & 1))
			mend(f, len);
		extdev_input(w.dev, f, len, 0, 0, false);
		free(f);
		net_run(w.net);
		data += len;
		size -= len;
	}
	for (int i = 0; i < 20; i++) { /* let timers end what they will */
		w.now += 10 * NSEC_PER_SEC;
		net_enter(w.net, w.now);
		net_run(w.net);
	}
	allocated = w.net->skb_mib.allocated;
	gone = w.net->skb_mib.consumed + w.net->skb_mib.dropped;
	assert(allocated == gone + (uint64_t)w.net->skb_mib.live);
	host_free(w.net);
	skb_pool_free(w.skbs);
	return 0;
}

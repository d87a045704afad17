#include "tcp_bed.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/net.h"
#include "core/procfs.h"
#include "core/rtnl.h"
#include "ipv4/ip.h"

uint32_t bed_addr(unsigned i) { return 0x0a000001u + i; }
static struct bed *bed_of(const struct net *net) { return net->owner.arg; }
static unsigned host_of(const struct net *net) { return net->id; }

/* ---- the wire ---- */
static void wire_put(struct bed *b, uint32_t saddr, uint32_t daddr, uint8_t tos, const uint8_t *p, uint32_t len)
{
	struct seg *s = malloc(sizeof(*s) + len), **pos;
	uint64_t extra = 0;

	s->saddr = saddr;
	s->daddr = daddr;
	s->tos = tos;
	s->len = len;
	s->no = ++b->n_segs;
	s->next = NULL;
	memcpy(s->b, p, len);
	/* every segment that leaves has a right checksum (MUST-2) */
	if (csum_fold(csum_partial(p, len, csum_tcpudp_nofold(saddr, daddr, len, 6, 0))) != 0)
		b->ok = false;
	if (b->tap)
		extra = b->tap(b, s, b->tap_arg);
	if (extra == UINT64_MAX) {
		free(s);
		return;
	}
	s->at_ns = b->now_ns + b->delay_ns + extra;
	for (pos = &b->wire; *pos && (*pos)->at_ns <= s->at_ns; pos = &(*pos)->next)
		;
	s->next = *pos;
	*pos = s;
}

/* What a device (or the host, for one that cannot) makes of a train: its segments. */
static void put_train(struct bed *b, uint32_t saddr, uint32_t daddr, uint8_t tos, const uint8_t *p, uint32_t len, uint32_t gso)
{
	uint32_t hlen = tcp_hdrlen((const struct tcp_hdr *)(const void *)p), seq = get_be32(p + 4);

	b->n_trains++;
	for (uint32_t off = 0; off < len - hlen; off += gso) {
		uint32_t n = min_u32(gso, len - hlen - off);
		uint8_t *s = malloc(hlen + n);

		memcpy(s, p, hlen);
		memcpy(s + hlen, p + hlen + off, n);
		put_be32(s + 4, seq + off);
		if (off + n < len - hlen)
			s[13] &= (uint8_t)~(TCP_FIN | TCP_PSH);
		if (off)
			s[13] &= (uint8_t)~TCP_CWR;
		put_be16(s + 16, 0);
		put_be16(s + 16, csum_fold(csum_partial(s, hlen + n, csum_tcpudp_nofold(saddr, daddr, hlen + n, 6, 0))));
		wire_put(b, saddr, daddr, tos, s, hlen + n);
		free(s);
	}
}

static void send_skb(struct net *net, struct sk_buff *skb, uint32_t saddr, uint32_t daddr, uint8_t tos)
{
	uint8_t *flat = malloc(skb->len);
	uint32_t gso = skb_shinfo(skb)->gso_size;

	skb_copy_bits(skb, 0, flat, skb->len);
	if (gso)
		put_train(bed_of(net), saddr, daddr, tos, flat, skb->len, gso);
	else
		wire_put(bed_of(net), saddr, daddr, tos, flat, skb->len);
	free(flat);
	consume_skb(skb);
}

int ip_queue_xmit(struct sock *sk, struct sk_buff *skb)
{
	send_skb(sk->net, skb, inet_sk(sk)->saddr, inet_sk(sk)->daddr, inet_sk(sk)->tos);
	return 0;
}
int ip_build_and_send_pkt(struct sk_buff *skb, struct sock *sk, uint32_t saddr, uint32_t daddr, struct ip_options_rcu *opt, uint8_t tos)
{
	send_skb(sk->net, skb, saddr, daddr, tos);
	return 0;
}
void ip_send_unicast_reply(struct net *net, struct sk_buff *orig, uint32_t daddr, uint32_t saddr, const void *data, uint32_t len,
			   uint8_t proto, uint8_t tos, uint32_t csumoffset)
{
	uint8_t buf[128];

	memcpy(buf, data, len);
	put_be16(buf + csumoffset, 0);
	put_be16(buf + csumoffset, csum_fold(csum_partial(buf, len, csum_tcpudp_nofold(saddr, daddr, len, proto, 0))));
	wire_put(bed_of(net), saddr, daddr, tos, buf, len);
}
static struct dst_entry *d_check(struct dst_entry *d, uint32_t c) { return d; }
static void d_destroy(struct dst_entry *d) { free(d); }
static uint32_t d_mtu(const struct dst_entry *d) { return bed_of(d->net)->mtu; }
static uint32_t d_advmss(const struct dst_entry *d) { return bed_of(d->net)->mtu - 40; }
static const struct dst_ops d_ops = { .check = d_check, .destroy = d_destroy, .mtu = d_mtu, .advmss = d_advmss };
struct rtable *ip_route_output_flow(struct net *net, struct flowi4 *fl4, struct sock *sk, int *err)
{
	struct bed *b = bed_of(net);
	struct rtable *rt = (struct rtable *)(void *)calloc(1, sizeof(*rt));

	rt->dst.net = net;
	rt->dst.dev = b->dev_features ? &b->dev : NULL;
	b->dev.features = b->dev_features;
	rt->dst.ops = &d_ops;
	rt->dst.refcnt = 1;
	if (!fl4->saddr)
		fl4->saddr = bed_addr(host_of(net));
	*err = 0;
	return rt;
}
struct ip_options_rcu *ip_options_save(const struct sk_buff *skb) { return NULL; }
int inet_sk_rebuild_header(struct sock *sk)
{
	struct flowi4 fl4 = { .daddr = inet_sk(sk)->daddr };
	int err;

	if (!sk->dst_cache)
		sk_dst_set(sk, &ip_route_output_flow(sk->net, &fl4, sk, &err)->dst);
	return 0;
}
bool inet_is_local_reserved_port(struct net *net, uint16_t port) { return false; }
void inet_sk_get_local_port_range(const struct sock *sk, uint16_t *low, uint16_t *high)
{
	*low = bed_of(sk->net)->port_low;
	*high = bed_of(sk->net)->port_high;
}
int ip_setsockopt(struct sock *sk, int level, int name, const void *val, socklen_t len) { return -ENOPROTOOPT; }
int ip_getsockopt(struct sock *sk, int level, int name, void *val, socklen_t *len) { return -ENOPROTOOPT; }
/* Of the error queue only what a test asks: the error itself goes to b->ee. */
ssize_t ip_recv_error(struct sock *sk, struct msghdr *msg, size_t len, socklen_t *addr_len)
{
	struct sk_buff *skb = sock_dequeue_err_skb(sk);

	if (!skb)
		return -EAGAIN;
	bed_of(sk->net)->ee = skb_ext_err(skb)->ee;
	bed_of(sk->net)->ee_len = skb->len;
	sock_recv_timestamp(msg, sk, skb);
	consume_skb(skb);
	return 0;
}
int inet_add_protocol(struct net *net, const struct net_protocol *p, uint8_t protocol) { return 0; }
int inet_register_protosw(struct net *net, const struct inet_protosw *p) { return 0; }
const struct proto_ops inet_stream_ops = { .family = AF_INET };
void ip_icmp_error(struct sock *sk, struct sk_buff *skb, int err, uint16_t port, uint32_t info, const uint8_t *payload) {}
void ipv4_update_pmtu(struct sk_buff *skb, struct net *net, uint32_t mtu, int oif, uint8_t proto) {}
bool ip_sk_accept_pmtu(const struct sock *sk) { return true; }
const struct icmp_err icmp_err_convert[16] = { { ENETUNREACH, false }, { EHOSTUNREACH, false }, { ENOPROTOOPT, true }, { ECONNREFUSED, true } };

/* ---- hosts ---- */
void bed_deliver(struct bed *b, unsigned to, const struct seg *s, uint8_t pkt_type)
{
	struct net *net = b->net[to];
	struct sk_buff *skb;
	struct ip4_hdr *h;

	net_enter(net, b->now_ns);
	skb = alloc_skb(net, IP4_HLEN + 64 + s->len);
	skb_reserve(skb, 64);
	skb_reset_network_header(skb);
	h = (struct ip4_hdr *)(void *)skb_put(skb, IP4_HLEN);
	memset(h, 0, sizeof(*h));
	h->ver_ihl = 0x45;
	h->tos = s->tos;
	h->ttl = 64;
	h->protocol = 6;
	put_be32(h->saddr, s->saddr);
	put_be32(h->daddr, s->daddr);
	skb_pull(skb, IP4_HLEN);
	memcpy(skb_put(skb, s->len), s->b, s->len);
	skb->pkt_type = pkt_type;
	skb->mark = b->inject_mark;
	local_bh_disable(net);
	tcp_v4_rcv(skb);
	local_bh_enable(net);
}

static void deliver(struct bed *b, const struct seg *s)
{
	unsigned to = s->daddr - bed_addr(0);

	if (to >= b->n)
		return;
	if (b->scripted[to]) {
		struct seg *c = malloc(sizeof(*c) + s->len);

		memcpy(c, s, sizeof(*s) + s->len);
		c->next = NULL;
		*b->got_tail = c;
		b->got_tail = &c->next;
		return;
	}
	bed_deliver(b, to, s, PACKET_HOST_);
}

void bed_run(struct bed *b, uint64_t ns)
{
	uint64_t end = ns == TIME_NEVER ? TIME_NEVER - 1 : b->now_ns + ns;

	for (;;) {
		uint64_t next = b->wire ? b->wire->at_ns : TIME_NEVER;
		int who = -1;

		for (unsigned i = 0; i < b->n; i++) {
			uint64_t d = b->scripted[i] ? TIME_NEVER : net_next_deadline(b->net[i]);

			if (d < next) {
				next = d;
				who = (int)i;
			}
		}
		if (next > end)
			break;
		if (next > b->now_ns)
			b->now_ns = next;
		if (who >= 0) {
			net_enter(b->net[who], b->now_ns);
			net_run(b->net[who]);
		} else {
			struct seg *s = b->wire;

			b->wire = s->next;
			deliver(b, s);
			free(s);
		}
	}
	if (end > b->now_ns && ns != TIME_NEVER)
		b->now_ns = end;
	for (unsigned i = 0; i < b->n; i++)
		net_enter(b->net[i], b->now_ns);
}

void bed_port_range(struct bed *b, uint16_t low, uint16_t high)
{
	b->port_low = low;
	b->port_high = high;
}

static void no_kick(void *arg, struct net *net) {}

struct bed *bed_new(unsigned n)
{
	static const struct pernet_operations *const ops[] = { &proc_net_ops, &rtnl_net_ops, &core_net_ops, &sock_net_ops, &tcp_net_ops, &tcp4_net_ops };
	struct bed *b = calloc(1, sizeof(*b));

	b->n = n;
	b->ok = true;
	b->mtu = 1500;
	bed_port_range(b, 32768, 60999);
	b->delay_ns = 10 * NSEC_PER_MSEC;
	b->now_ns = 1000 * NSEC_PER_SEC;
	b->got_tail = &b->got;
	b->skbs = skb_pool_new(1ull << 30);
	for (unsigned i = 0; i < n; i++) {
		char name[16];
		struct net_params p = { .id = i, .seed = 1, .now_ns = b->now_ns, .owner = { .arg = b, .kick = no_kick }, .serials = &b->serials, .skbs = b->skbs };

		snprintf(name, sizeof(name), "h%u", i);
		p.name = name;
		b->net[i] = net_new(&p, ops, ARRAY_SIZE(ops));
		assert_non_null(b->net[i]);
	}
	return b;
}

static void free_list(struct seg *s)
{
	while (s) {
		struct seg *n = s->next;

		free(s);
		s = n;
	}
}

void bed_free(struct bed *b)
{
	assert_true(b->ok);
	for (unsigned i = 0; i < b->n; i++) {
		struct net *net = b->net[i];

		net_free(net);
	}
	free_list(b->wire);
	free_list(b->got);
	skb_pool_free(b->skbs);
	free(b);
}

/* ---- sockets ---- */
struct sock *bed_socket(struct bed *b, unsigned host)
{
	struct net *net = b->net[host];
	struct sock *sk = sk_alloc(net, AF_INET, SOCK_STREAM, 6, &net->tcp->prot);

	sock_init_data(NULL, sk);
	sk->net = net;
	inet_sk(sk)->uc_ttl = -1;
	list_init(&inet_sk(sk)->mc_list);
	sk->prot->init(sk);
	return sk;
}

int bed_connect(struct bed *b, struct sock *sk, unsigned to, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(bed_addr(to)) } };

	return sk->prot->connect(sk, (struct sockaddr *)(void *)&a, sizeof(a));
}

struct sock *bed_listen(struct bed *b, unsigned host, uint16_t port, int backlog)
{
	struct sock *sk = bed_socket(b, host);

	assert_int_equal(sk->prot->get_port(sk, port), 0);
	assert_int_equal(inet_csk_listen_start(sk, backlog), 0);
	return sk;
}

struct sock *bed_accept(struct sock *lsk)
{
	int err;
	struct sock *sk = lsk->prot->accept(lsk, O_NONBLOCK, &err);

	return sk;
}

ssize_t bed_send(struct sock *sk, const void *p, size_t len, int flags)
{
	struct iovec iov = { (void *)(uintptr_t)p, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_flags = flags | MSG_DONTWAIT };

	return sk->prot->sendmsg(sk, &m, len);
}

ssize_t bed_recv(struct sock *sk, void *p, size_t len, int flags)
{
	struct iovec iov = { p, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	return sk->prot->recvmsg(sk, &m, len, flags | MSG_DONTWAIT, NULL);
}

void bed_close(struct sock *sk) { sk->prot->close(sk, 0); }

/* ---- the scripted side ---- */
void bed_inject_bytes(struct bed *b, unsigned from, unsigned to, const uint8_t *seg, uint32_t len)
{
	uint64_t (*tap)(struct bed *, const struct seg *, void *) = b->tap;
	bool ok = b->ok;

	b->tap = NULL;
	wire_put(b, bed_addr(from), bed_addr(to), b->inject_tos, seg, len);
	b->tap = tap;
	b->ok = ok; /* only what the stack sends is judged */
}

void bed_inject_raw(struct bed *b, unsigned from, unsigned to, const uint8_t *seg, uint32_t len)
{
	uint8_t *p = malloc(len ? len : 1);

	memcpy(p, seg, len);
	if (len >= 18) {
		put_be16(p + 16, 0);
		put_be16(p + 16, csum_fold(csum_partial(p, len, csum_tcpudp_nofold(bed_addr(from), bed_addr(to), len, 6, 0))));
	}
	bed_inject_bytes(b, from, to, p, len);
	free(p);
}

/* "FLAGS SEQ [ack N] [win N] [urg N] [<mss N,ws N,sackOK,ts V:E,sack A:B,...>]": numbers relative to isn / peer_isn. */
void bed_inject(struct bed *b, unsigned from, unsigned to, uint16_t sport, uint16_t dport, const char *text, const void *data, uint32_t len)
{
	uint8_t s[60 + 65536] = { 0 };
	uint32_t o = 20, flags = 0, seq, win = 65535;
	char *copy = strdup(text), *save, *t = strtok_r(copy, " ", &save);

	for (const char *f = t; *f; f++)
		flags |= *f == 'S' ? 2u : *f == 'F' ? 1u : *f == 'R' ? 4u : *f == 'P' ? 8u : *f == '.' ? 16u : *f == 'U' ? 32u : *f == 'E' ? 64u : *f == 'W' ? 128u : 0u;
	seq = b->peer_isn + (uint32_t)strtoll(strtok_r(NULL, " ", &save), NULL, 10);
	while ((t = strtok_r(NULL, " <,>", &save)) != NULL) {
		if (!strcmp(t, "ack"))
			put_be32(s + 8, b->isn + (uint32_t)strtoll(strtok_r(NULL, " <,>", &save), NULL, 10));
		else if (!strcmp(t, "win"))
			win = (uint32_t)strtoul(strtok_r(NULL, " <,>", &save), NULL, 10);
		else if (!strcmp(t, "urg"))
			put_be16(s + 18, (uint16_t)strtoul(strtok_r(NULL, " <,>", &save), NULL, 10));
		else if (!strcmp(t, "mss")) {
			put_be32(s + o, 0x02040000u | (uint32_t)strtoul(strtok_r(NULL, " <,>", &save), NULL, 10));
			o += 4;
		} else if (!strcmp(t, "ws")) {
			put_be32(s + o, 0x01030300u | (uint32_t)strtoul(strtok_r(NULL, " <,>", &save), NULL, 10));
			o += 4;
		} else if (!strcmp(t, "sackOK")) {
			put_be32(s + o, 0x01010402u);
			o += 4;
		} else if (!strcmp(t, "ts")) {
			char *v = strtok_r(NULL, " <,>", &save);

			put_be32(s + o, 0x0101080au);
			put_be32(s + o + 4, (uint32_t)strtoul(v, &v, 10));
			put_be32(s + o + 8, (uint32_t)strtoul(v + 1, NULL, 10));
			o += 12;
		} else if (!strcmp(t, "raw")) { /* octets in hex, filled up with NOPs */
			const char *v = strtok_r(NULL, " <,>", &save);
			unsigned octet;

			for (; sscanf(v, "%2x", &octet) == 1; v += 2)
				s[o++] = (uint8_t)octet;
			while (o % 4)
				s[o++] = 1;
		} else if (!strcmp(t, "sack")) {
			char *v;
			uint32_t at = o, n = 0;

			o += 4;
			while ((v = strtok_r(NULL, " <,>", &save)) != NULL) {
				put_be32(s + o, b->isn + (uint32_t)strtoll(v, &v, 10));
				put_be32(s + o + 4, b->isn + (uint32_t)strtoll(v + 1, NULL, 10));
				o += 8;
				n++;
			}
			put_be32(s + at, 0x01010500u | (2 + 8 * n));
		}
	}
	put_be16(s, sport);
	put_be16(s + 2, dport);
	put_be32(s + 4, seq);
	s[12] = (uint8_t)(o << 2);
	s[13] = (uint8_t)flags;
	put_be16(s + 14, (uint16_t)win);
	if (len)
		memcpy(s + o, data, len);
	bed_inject_raw(b, from, to, s, o + len);
	free(copy);
}

/* "FLAGS seq:end ack N [<sack A:B>]" relative. SYN sets isn. */
const char *bed_next(struct bed *b, char *buf, size_t room)
{
	struct seg *s = b->got;
	const struct tcp_hdr *th;
	uint32_t seq, len;
	char *p = buf;

	buf[0] = 0;
	if (!s)
		return buf;
	b->got = s->next;
	if (!b->got)
		b->got_tail = &b->got;
	b->got_tos = s->tos;
	th = (const struct tcp_hdr *)(const void *)s->b;
	seq = get_be32(th->seq);
	if (th->flags & TCP_SYN)
		b->isn = seq;
	len = s->len - tcp_hdrlen(th);
	{
		static const char names[] = "FSRP.UEW";

		for (unsigned i = 0; i < 8; i++)
			if (th->flags & (1u << i))
				*p++ = names[i];
	}
	p += snprintf(p, room - (size_t)(p - buf), " %d:%d", (int)(seq - b->isn), (int)(seq - b->isn + len));
	if (th->flags & TCP_ACK)
		p += snprintf(p, room - (size_t)(p - buf), " ack %d", (int)(get_be32(th->ack_seq) - b->peer_isn));
	for (const uint8_t *o = s->b + 20, *e = s->b + tcp_hdrlen(th); o < e && *o;) {
		if (*o == 1) {
			o++;
			continue;
		}
		if (*o == 34) {
			b->fo_len = (uint8_t)(o[1] - 2);
			memcpy(b->fo, o + 2, b->fo_len);
			p += snprintf(p, room - (size_t)(p - buf), " <fo %u>", b->fo_len);
		}
		if (*o == 5) {
			p += snprintf(p, room - (size_t)(p - buf), " <sack");
			for (unsigned i = 2; i < o[1]; i += 8)
				p += snprintf(p, room - (size_t)(p - buf), " %d:%d", (int)(get_be32(o + i) - b->peer_isn), (int)(get_be32(o + i + 4) - b->peer_isn));
			p += snprintf(p, room - (size_t)(p - buf), ">");
		}
		o += o[1];
	}
	free(s);
	return buf;
}

/* ---- dialogues: host 0 is the stack, host 1 a script ---- */
struct bed *scripted_bed(void)
{
	struct bed *b = bed_new(2);

	b->scripted[1] = true;
	b->delay_ns = 0;
	b->peer_isn = 5000;
	return b;
}

struct sock *connected(struct bed *b, const char *synack_opts)
{
	struct sock *sk = bed_socket(b, 0);
	char text[160];

	assert_int_equal(bed_connect(b, sk, 1, 80), 0);
	bed_run(b, 0);
	expect_seg(b, "S 0:0");
	snprintf(text, sizeof(text), "S. 0 ack 1 win 32768 %s", synack_opts);
	bed_inject(b, 1, 0, 80, inet_sk(sk)->sport, text, NULL, 0);
	bed_run(b, 0);
	expect_seg(b, ". 1:1 ack 1");
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	return sk;
}

struct sock *accepted(struct bed *b, struct sock *l, uint16_t sport, const char *syn_opts)
{
	char text[160];
	struct sock *sk;

	snprintf(text, sizeof(text), "S 0 win 32768 %s", syn_opts);
	bed_inject(b, 1, 0, sport, inet_sk(l)->num, text, NULL, 0);
	bed_run(b, 0);
	expect_seg(b, "S. 0:0 ack 1");
	bed_inject(b, 1, 0, sport, inet_sk(l)->num, ". 1 ack 1", NULL, 0);
	bed_run(b, 0);
	sk = bed_accept(l);
	assert_non_null(sk);
	return sk;
}

void say(struct bed *b, struct sock *sk, const char *text, const void *data, uint32_t len)
{
	bed_inject(b, 1, 0, inet_sk(sk)->dport ? inet_sk(sk)->dport : 80, inet_sk(sk)->sport, text, data, len);
	bed_run(b, 0);
}

void done(struct bed *b, struct sock *sk)
{
	if (sk)
		bed_close(sk);
	bed_free(b);
}

void bed_expect_clean(struct bed *b)
{
	bed_run(b, 1500 * NSEC_PER_SEC); /* longer than any retransmission or TIME-WAIT */
	for (unsigned i = 0; i < b->n; i++) {
		const struct tcp_net *tn = b->net[i]->tcp;

		assert_int_equal(tn->sockets_allocated, 0);
		assert_int_equal(tn->ehash.count, 0);
		assert_int_equal(tn->lhash.count, 0);
		assert_int_equal(tn->bhash.count, 0);
		assert_int_equal(tn->tw_count, 0);
		assert_int_equal(tn->orphan_count, 0);
		assert_int_equal(b->net[i]->skb_mib.live, 0);
	}
}

void bed_forget(struct bed *b)
{
	char buf[256];

	while (*bed_next(b, buf, sizeof(buf)))
		;
}

uint64_t bed_seed(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

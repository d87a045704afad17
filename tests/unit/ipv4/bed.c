#include "bed.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include "app/app.h"
#include "base/coro.h"
#include "core/procfs.h"

static int wire_xmit(void *arg, struct sk_buff *skb);

static void no_kick(void *arg, struct net *net) {}
static void keep_output(void *arg, struct net *net, struct task *t, int fd, const char *s, size_t len)
{
	struct bed *b = arg;

	sb_add(&b->out, s, len);
}

struct bed *bed_new(void)
{
	struct bed *b = calloc(1, sizeof(*b));
	struct net_params p = { .name = "h", .id = 1, .seed = 1, .owner = { .arg = b, .kick = no_kick, .write = keep_output } };

	sb_init(&b->out);
	b->skbs = skb_pool_new(0);
	b->coros = coro_pool_new(CORO_STACK_DEFAULT);
	p.serials = &b->serials;
	p.skbs = b->skbs;
	p.coros = b->coros;
	p.now_ns = NSEC_PER_SEC;
	b->net = host_new(&p);
	assert_non_null(b->net);
	trace_mem_init(&b->tr, ~0u, 1u << 20);
	probe_attach(&b->net->probe, &b->tr.sink);
	b->t = task_new_external(b->net, "test", NULL);
	bed_run(b);
	return b;
}

void bed_free(struct bed *b)
{
	bed_run(b);
	probe_detach(&b->net->probe, &b->tr.sink);
	task_free(b->t);
	host_free(b->net);
	skb_pool_free(b->skbs);
	coro_pool_free(b->coros);
	trace_mem_free(&b->tr);
	sb_free(&b->out);
	for (size_t i = 0; i < b->nw; i++) {
		wire_clear(b->w[i]);
		free(b->w[i]);
	}
	free(b);
}

struct wire *bed_wire(struct bed *b, const char *name, const char *addr)
{
	struct wire *w = calloc(1, sizeof(*w));
	uint8_t mac[6] = { 2, 0, 0, 0, 0, (uint8_t)(b->nw + 1) };
	struct netdev_sink sink = { w, wire_xmit };
	int err;

	w->bed = b;
	memcpy(w->peer_mac, (uint8_t[]){ 2, 0, 0, 0, 1, (uint8_t)(b->nw + 1) }, 6);
	w->arp = true;
	w->dev = extdev_create(b->net, name, mac, 0, &sink, &err);
	assert_non_null(w->dev);
	assert_int_equal(dev_open(w->dev), 0);
	if (addr) {
		uint32_t a;
		uint8_t plen;

		assert_int_equal(ip4_parse_prefix(addr, &a, &plen), 0);
		assert_int_equal(inet_add_addr(b->net, w->dev, a, plen, plen < 31 ? a | ~ip4_mask(plen) : 0, 0), 0);
	}
	b->w[b->nw++] = w;
	bed_run(b);
	wire_clear(w);
	return w;
}

void bed_run(struct bed *b)
{
	net_enter(b->net, b->net->now_ns);
	net_run(b->net);
}

void bed_sleep(struct bed *b, uint64_t ns)
{
	uint64_t end = b->net->now_ns + ns;

	for (;;) {
		uint64_t next;

		net_run(b->net);
		next = net_next_deadline(b->net);
		if (next > end)
			break;
		net_enter(b->net, next);
	}
	net_enter(b->net, end);
	net_run(b->net);
}

void bed_sysctl(struct bed *b, const char *name, const char *val)
{
	assert_int_equal(sysctl_set(b->net, name, val), 0);
}

uint32_t bed_addr(const char *s)
{
	uint32_t a = 0;

	assert_int_equal(ip4_parse(s, &a), 0);
	return a;
}

int bed_route(struct bed *b, const char *prefix, const char *gw, struct net_device *dev, uint32_t metric)
{
	struct fib_config c = { .protocol = RTPROT_BOOT, .type = RTN_UNICAST, .priority = metric,
				.scope = gw ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK, .oif = dev ? dev->ifindex : 0,
				.gw = gw ? bed_addr(gw) : 0, .nlflags = NLM_F_CREATE | NLM_F_EXCL };

	assert_int_equal(ip4_parse_prefix(prefix, &c.dst, &c.dst_len), 0);
	return fib_table_insert(b->net, fib_new_table(b->net, RT_TABLE_MAIN_), &c);
}

int bed_route_type(struct bed *b, const char *prefix, uint8_t type, uint32_t table)
{
	struct fib_config c = { .protocol = RTPROT_BOOT, .type = type, .nlflags = NLM_F_CREATE | NLM_F_EXCL };

	assert_int_equal(ip4_parse_prefix(prefix, &c.dst, &c.dst_len), 0);
	return fib_table_insert(b->net, fib_new_table(b->net, table), &c);
}

void bed_proc(struct bed *b, const char *path, struct strbuf *sb)
{
	sb_init(sb);
	assert_int_equal(proc_read(b->net, path, sb), 0);
}

const char *bed_cmd(struct bed *b, const char *line)
{
	struct task *t;
	int err = 0;

	sb_reset(&b->out);
	t = app_spawn_line(b->net, line, &err);
	assert_non_null(t);
	for (int i = 0; i < 100000 && t->state != TASK_ZOMBIE; i++)
		bed_sleep(b, 10 * NSEC_PER_MSEC);
	assert_int_equal(t->state, TASK_ZOMBIE);
	task_free(t);
	return sb_str(&b->out);
}

/* ---- trace ---- */

void bed_trace_clear(struct bed *b)
{
	probe_detach(&b->net->probe, &b->tr.sink);
	trace_mem_free(&b->tr);
	trace_mem_init(&b->tr, ~0u, 1u << 20);
	probe_attach(&b->net->probe, &b->tr.sink);
	memset(b->net->skb_mib.dropped_by, 0, sizeof(b->net->skb_mib.dropped_by));
}

unsigned bed_entered(struct bed *b, const char *func)
{
	unsigned n = 0;

	for (size_t i = 0; i < b->tr.n; i++)
		n += b->tr.rec[i].ev.kind == TR_ENTER && strcmp(b->tr.rec[i].ev.func, func) == 0;
	return n;
}

bool bed_order(struct bed *b, ...)
{
	va_list ap;
	size_t i = 0;
	const char *f;

	va_start(ap, b);
	while ((f = va_arg(ap, const char *)) != NULL) {
		while (i < b->tr.n && !(b->tr.rec[i].ev.kind == TR_ENTER && strcmp(b->tr.rec[i].ev.func, f) == 0))
			i++;
		if (i++ >= b->tr.n) {
			print_message("not entered in order: %s\n", f);
			va_end(ap);
			return false;
		}
	}
	va_end(ap);
	return true;
}

uint64_t bed_drops(struct bed *b, enum drop_reason r)
{
	return b->net->skb_mib.dropped_by[r];
}

bool bed_said(struct bed *b, enum trace_kind k, const char *s)
{
	for (size_t i = 0; i < b->tr.n; i++) {
		if (b->tr.rec[i].ev.kind == k && b->tr.rec[i].ev.text && strstr(b->tr.rec[i].ev.text, s))
			return true;
	}
	return false;
}

void bed_stack_at(struct bed *b, const char *func, char *out, size_t room)
{
	const char *names[64];
	size_t n, at = 0;

	*out = 0;
	for (size_t i = 0; i < b->tr.n; i++) {
		if (b->tr.rec[i].ev.kind != TR_ENTER || strcmp(b->tr.rec[i].ev.func, func) != 0)
			continue;
		n = trace_mem_stack(&b->tr, i, names, 64);
		for (size_t k = 0; k < n && at < room; k++)
			at += (size_t)snprintf(out + at, room - at, "%s%s", k ? " " : "", names[k]);
		return;
	}
}

/* ---- packets ---- */

struct pkt *pkt_new(uint32_t saddr, uint32_t daddr, uint8_t proto, const void *data, uint32_t len, uint32_t hlen)
{
	struct pkt *p = calloc(1, sizeof(*p));
	struct ip4_hdr *h = pkt_ip(p);

	h->ver_ihl = (uint8_t)(0x40 | hlen / 4);
	put_be16(h->id, 0x1234);
	h->ttl = 64;
	h->protocol = proto;
	put_be32(h->saddr, saddr);
	put_be32(h->daddr, daddr);
	memset(p->b + ETH_HLEN + 20, 1, hlen - 20);
	p->len = hlen + len;
	if (data)
		memcpy(pkt_l4(p), data, len);
	else
		for (uint32_t i = 0; i < len; i++)
			pkt_l4(p)[i] = (uint8_t)('a' + i % 26);
	pkt_fix(p);
	return p;
}

void pkt_fix(struct pkt *p)
{
	struct ip4_hdr *h = pkt_ip(p);

	put_be16(h->tot_len, (uint16_t)p->len);
	put_be16(h->check, 0);
	put_be16(h->check, ip4_fast_csum(h, ip4_hlen(h)));
}

struct pkt *pkt_udp(uint32_t saddr, uint16_t sport, uint32_t daddr, uint16_t dport, const void *data, uint32_t len)
{
	struct pkt *p = pkt_new(saddr, daddr, 17, NULL, len + 8, 20);
	uint8_t *u = pkt_l4(p);
	uint16_t c;

	put_be16(u, sport);
	put_be16(u + 2, dport);
	put_be16(u + 4, (uint16_t)(len + 8));
	put_be16(u + 6, 0);
	if (data)
		memcpy(u + 8, data, len);
	c = csum_fold(csum_tcpudp_nofold(saddr, daddr, len + 8, 17, csum_partial(u, len + 8, 0)));
	put_be16(u + 6, c ? c : 0xffff);
	return p;
}

static void icmp_fix(uint8_t *m, uint32_t len)
{
	put_be16(m + 2, 0);
	put_be16(m + 2, csum_fold(csum_partial(m, len, 0)));
}

struct pkt *pkt_echo(uint32_t saddr, uint32_t daddr, uint16_t id, uint16_t seq, uint32_t datalen)
{
	struct pkt *p = pkt_new(saddr, daddr, 1, NULL, datalen + 8, 20);
	uint8_t *m = pkt_l4(p);

	m[0] = 8;
	m[1] = 0;
	put_be16(m + 4, id);
	put_be16(m + 6, seq);
	icmp_fix(m, datalen + 8);
	return p;
}

struct pkt *pkt_icmp_err(uint32_t saddr, uint32_t daddr, uint8_t type, uint8_t code, uint32_t rest, const uint8_t *q, uint32_t n)
{
	struct pkt *p = pkt_new(saddr, daddr, 1, NULL, n + 8, 20);
	uint8_t *m = pkt_l4(p);

	m[0] = type;
	m[1] = code;
	put_be32(m + 4, rest);
	memcpy(m + 8, q, n);
	icmp_fix(m, n + 8);
	return p;
}

void wire_frame(struct wire *w, const void *frame, size_t len)
{
	(void)extdev_input(w->dev, frame, len, 0, 0, false);
	bed_run(w->bed);
}

void wire_in_mac(struct wire *w, struct pkt *p, const uint8_t *dst, const uint8_t *src)
{
	memcpy(p->b, dst, 6);
	memcpy(p->b + 6, src, 6);
	put_be16(p->b + 12, ETH_P_IP);
	wire_frame(w, p->b, p->len + ETH_HLEN);
	free(p);
}

void wire_in(struct wire *w, struct pkt *p)
{
	wire_in_mac(w, p, w->dev->dev_addr, w->peer_mac);
}

static size_t arp_make(uint8_t f[60], uint16_t op, const uint8_t *sha, uint32_t spa, const uint8_t *tha, uint32_t tpa,
		       const uint8_t *dst, const uint8_t *src)
{
	memset(f, 0, 60);
	memcpy(f, dst, 6);
	memcpy(f + 6, src, 6);
	put_be16(f + 12, ETH_P_ARP);
	put_be16(f + 14, 1);
	put_be16(f + 16, ETH_P_IP);
	f[18] = 6;
	f[19] = 4;
	put_be16(f + 20, op);
	memcpy(f + 22, sha, 6);
	put_be32(f + 28, spa);
	if (tha)
		memcpy(f + 32, tha, 6);
	put_be32(f + 38, tpa);
	return 60;
}

void wire_arp(struct wire *w, uint16_t op, const uint8_t *sha, uint32_t spa, const uint8_t *tha, uint32_t tpa, const uint8_t *dst_mac)
{
	uint8_t f[60];
	size_t n = arp_make(f, op, sha, spa, tha, tpa, dst_mac, sha);

	wire_frame(w, f, n);
}

static int wire_xmit(void *arg, struct sk_buff *skb)
{
	struct wire *w = arg;
	struct frame *f = &w->f[w->n % BED_FRAMES];

	free(f->b);
	f->b = malloc(skb->len + 1);
	f->len = skb->len;
	f->t_ns = w->dev->net->now_ns;
	assert_int_equal(skb_copy_bits(skb, 0, f->b, skb->len), 0);
	w->n++;
	if (w->arp && get_be16(f->b + 12) == ETH_P_ARP && get_be16(f->b + 20) == ARPOP_REQUEST &&
	    get_be32(f->b + 28) != get_be32(f->b + 38)) {
		uint8_t r[60];
		size_t n = arp_make(r, ARPOP_REPLY, w->peer_mac, get_be32(f->b + 38), f->b + 22, get_be32(f->b + 28), f->b + 6,
				    w->peer_mac);

		(void)extdev_input(w->dev, r, n, 0, 0, false);
	}
	consume_skb(skb);
	return 0;
}

void wire_clear(struct wire *w)
{
	for (size_t i = 0; i < BED_FRAMES; i++) {
		free(w->f[i].b);
		w->f[i].b = NULL;
	}
	w->n = 0;
}

const struct frame *wire_nth(const struct wire *w, uint16_t type, unsigned nth)
{
	for (size_t i = 0; i < w->n && i < BED_FRAMES; i++) {
		if (get_be16(w->f[i].b + 12) == type && nth-- == 0)
			return &w->f[i];
	}
	return NULL;
}

unsigned wire_count(const struct wire *w, uint16_t type)
{
	unsigned n = 0;

	while (wire_nth(w, type, n))
		n++;
	return n;
}

const struct ip4_hdr *wire_ip(const struct wire *w, unsigned nth)
{
	const struct frame *f = wire_nth(w, ETH_P_IP, nth);

	return f ? (const struct ip4_hdr *)(const void *)(f->b + ETH_HLEN) : NULL;
}

const struct icmp_hdr *wire_icmp(const struct wire *w, unsigned nth)
{
	const struct ip4_hdr *h = wire_ip(w, nth);

	if (!h || h->protocol != 1)
		return NULL;
	assert_int_equal(csum_fold(csum_partial((const uint8_t *)h + ip4_hlen(h), ip4_tot_len(h) - ip4_hlen(h), 0)), 0);
	return (const struct icmp_hdr *)(const void *)((const uint8_t *)h + ip4_hlen(h));
}

/* ---- sockets ---- */

struct sockaddr_in bed_sin(const char *addr, uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };

	sin.sin_addr.s_addr = htonl(addr ? bed_addr(addr) : 0);
	return sin;
}

int bed_udp(struct bed *b, const char *addr, uint16_t port)
{
	int fd = sys_socket(b->t, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in sin = bed_sin(addr, port);

	assert_true(fd >= 0);
	if (addr || port)
		assert_int_equal(sys_bind(b->t, fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

ssize_t bed_send(struct bed *b, int fd, const char *addr, uint16_t port, const void *data, size_t len)
{
	struct sockaddr_in sin = bed_sin(addr, port);
	ssize_t r = sys_sendto(b->t, fd, data, len, 0, addr ? (struct sockaddr *)&sin : NULL, addr ? sizeof(sin) : 0);

	bed_run(b);
	return r;
}

ssize_t bed_recv(struct bed *b, int fd, void *buf, size_t room)
{
	bed_run(b);
	return sys_recvfrom(b->t, fd, buf, room, MSG_DONTWAIT, NULL, NULL);
}

/* ---- taps ---- */

static int tap_func(struct sk_buff *skb, struct net_device *dev, struct packet_type *pt, struct net_device *orig)
{
	struct tap *t = pt->arg;

	if (skb->pkt_type == PACKET_OUTGOING_)
		t->out++;
	else
		t->in++;
	t->types[t->n % 256] = skb->protocol;
	t->serial[t->n++ % 256] = skb->serial;
	consume_skb(skb);
	return 0;
}

void tap_open(struct tap *t, struct net *net, struct net_device *dev)
{
	memset(t, 0, sizeof(*t));
	t->pt.type = ETH_P_ALL;
	t->pt.dev = dev;
	t->pt.func = tap_func;
	t->pt.arg = t;
	dev_add_pack(net, &t->pt);
}

void tap_close(struct tap *t, struct net *net)
{
	dev_remove_pack(net, &t->pt);
}

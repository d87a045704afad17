/* What the hardware tests share: a world with an event queue, and a port that keeps what it gets.
 */
#ifndef TEST_HW_TEST_H
#define TEST_HW_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hw/frame.h"
#include "wire/ethernet.h"
#include "wire/ip4.h"

#define END_KEEP 4096u

struct world {
	struct evq q;
	struct hw_world w;
	/* wire tap */
	uint32_t taps;
	char fate[64];
	uint64_t tap_t;
};

struct end {
	struct hw_port port;
	struct hw_frame *got[END_KEEP];
	uint64_t at[END_KEEP];
	uint32_t n, ups, downs, idles;
};

static inline void end_rx(struct hw_port *p, struct hw_frame *f)
{
	struct end *e = p->owner;

	assert_true(e->n < END_KEEP);
	e->at[e->n] = p->world->q->now_ns;
	e->got[e->n++] = f;
}

static inline void end_link(struct hw_port *p, bool up)
{
	struct end *e = p->owner;

	e->ups += up;
	e->downs += !up;
}

static inline void end_init(struct end *e, const char *node, uint32_t id)
{
	memset(e, 0, sizeof(*e));
	e->port.rx = end_rx;
	e->port.link = end_link;
	e->port.owner = e;
	e->port.node = node;
	e->port.name = "p0";
	e->port.node_id = id;
}

static inline void end_clear(struct end *e)
{
	for (uint32_t i = 0; i < e->n; i++)
		hw_frame_put(e->got[i]);
	e->n = 0;
}

static inline void world_tap(void *arg, const struct hw_port *from, const struct hw_frame *f,
			     uint64_t t_ns, const char *fate)
{
	struct world *w = arg;

	(void)from;
	(void)f;
	w->taps++;
	w->tap_t = t_ns;
	strncpy(w->fate, fate, sizeof(w->fate) - 1);
}

static inline void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	evq_init(&w->q);
	hw_world_init(&w->w, &w->q);
	w->w.wire_tap = world_tap;
	w->w.wire_tap_arg = w;
}

static inline void world_free(struct world *w)
{
	assert_int_equal(w->w.frames_small.live, 0);
	assert_int_equal(w->w.frames_mtu.live, 0);
	hw_world_free(&w->w);
	evq_free(&w->q);
}

static inline void run_all(struct world *w)
{
	while (evq_run_one(&w->q))
		;
}

static inline void run_until(struct world *w, uint64_t t_ns)
{
	while (evq_next(&w->q) <= t_ns)
		evq_run_one(&w->q);
	w->q.now_ns = max_u64(w->q.now_ns, t_ns);
}

/* Addresses 02:00:00:00:00:id. */
static inline void mac_of(uint8_t mac[ETH_ALEN], uint32_t id)
{
	memset(mac, 0, ETH_ALEN);
	mac[0] = 2;
	mac[3] = (uint8_t)(id >> 16);
	mac[4] = (uint8_t)(id >> 8);
	mac[5] = (uint8_t)id;
}

static const uint8_t mac_bcast[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* A frame with payload octets 0, 1, 2...; len counts dst to payload. */
static inline struct hw_frame *frame_of(struct world *w, const uint8_t *dst, const uint8_t *src,
					uint16_t type, uint32_t len)
{
	uint8_t eth[17000] = { 0 };

	assert_true(len >= ETH_HLEN && len <= sizeof(eth));
	memcpy(eth, dst, ETH_ALEN);
	memcpy(eth + ETH_ALEN, src, ETH_ALEN);
	put_be16(eth + 12, type);
	for (uint32_t i = ETH_HLEN; i < len; i++)
		eth[i] = (uint8_t)(i - ETH_HLEN);
	return hw_frame_make(&w->w, eth, len, 0);
}

static inline struct hw_frame *plain(struct world *w, uint32_t len)
{
	uint8_t a[ETH_ALEN], b[ETH_ALEN];

	mac_of(a, 1);
	mac_of(b, 2);
	return frame_of(w, b, a, 0x88b5, len);
}

/* An IPv4/UDP frame whose checksums are right; payload octets of data. */
static inline struct hw_frame *udp_frame(struct world *w, const uint8_t *dst, const uint8_t *src,
					 uint32_t data)
{
	uint8_t eth[1600] = { 0 }, *ip = eth + ETH_HLEN, *udp = ip + IP4_HLEN;
	uint32_t ulen = UDP_HLEN + data;
	uint16_t sum;

	memcpy(eth, dst, ETH_ALEN);
	memcpy(eth + ETH_ALEN, src, ETH_ALEN);
	put_be16(eth + 12, ETH_P_IP);
	ip[0] = 0x45;
	put_be16(ip + 2, (uint16_t)(IP4_HLEN + ulen));
	ip[8] = 64;
	ip[9] = 17;
	put_be32(ip + 12, 0x0a000001);
	put_be32(ip + 16, 0x0a000002);
	put_be16(ip + 10, ip4_fast_csum(ip, IP4_HLEN));
	put_be16(udp, 1000);
	put_be16(udp + 2, 2000);
	put_be16(udp + 4, (uint16_t)ulen);
	for (uint32_t i = 0; i < data; i++)
		udp[UDP_HLEN + i] = (uint8_t)(i * 7);
	sum = csum_fold(
	    csum_tcpudp_nofold(0x0a000001, 0x0a000002, ulen, 17, csum_partial(udp, ulen, 0)));
	put_be16(udp + 6, sum ? sum : 0xffff);
	return hw_frame_make(&w->w, eth, ETH_HLEN + IP4_HLEN + ulen, 0);
}

/* Send as soon as the transmitter is free. */
static inline void send_next(struct world *w, struct end *e, struct hw_frame *f)
{
	run_until(w, hw_port_idle_at(&e->port));
	hw_port_send(&e->port, f);
}

/* A sink that counts events by kind, and drops by reason. */
struct counting_sink {
	struct trace_sink sink;
	uint32_t kind[TR_KIND_MAX];
	uint32_t drops[DROP_REASON_MAX];
	uint64_t last_t;
	uint32_t wire_octets;
};
static inline void counting_emit(struct trace_sink *s, const struct trace_event *ev)
{
	struct counting_sink *c = container_of(s, struct counting_sink, sink);

	c->kind[ev->kind]++;
	c->last_t = ev->t_ns;
	if (ev->kind == TR_DROP)
		c->drops[ev->reason]++;
	if (ev->kind == TR_WIRE)
		c->wire_octets = ev->data_len;
}
static inline void counting_init(struct counting_sink *c)
{
	memset(c, 0, sizeof(*c));
	c->sink.mask = ~0u;
	c->sink.emit = counting_emit;
}

#endif

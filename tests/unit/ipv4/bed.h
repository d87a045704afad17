/* A host on a test bench: lo, and Ethernet devices whose far end is this program. Frames that leave are kept,
 * frames are put in by hand, time passes when told; every trace event is kept. */
#ifndef TEST_IPV4_BED_H
#define TEST_IPV4_BED_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include "core/task.h"
#include "culver/host.h"
#include "drivers/drivers.h"
#include "ipv4/netns_ipv4.h"
#include "socket/syscall.h"
#include "trace/trace.h"

#define BED_FRAMES 8192u
#define BED_WIRES 3u
#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

struct frame {
	uint8_t *b;
	uint32_t len;
	uint64_t t_ns;
};
struct wire {
	struct bed *bed;
	struct net_device *dev;
	struct frame f[BED_FRAMES];
	size_t n;
	bool arp; /* answer ARP requests for any address with peer_mac */
	uint8_t peer_mac[6];
};
struct bed {
	struct net *net;
	struct skb_pool *skbs;
	struct coro_pool *coros;
	struct serial_source serials;
	struct trace_mem tr;
	struct strbuf out; /* what programs printed */
	struct task *t; /* makes system calls, never sleeps */
	struct wire *w[BED_WIRES];
	size_t nw;
};

struct bed *bed_new(void);
void bed_free(struct bed *b);
/* A device that is up; addr "10.0.0.1/24" or NULL. Its MAC is 02:00:00:00:00:01+index, the peer's 02:00:00:00:01:..  */
struct wire *bed_wire(struct bed *b, const char *name, const char *addr);
/* All that is due now / until ns from now. */
void bed_run(struct bed *b);
void bed_sleep(struct bed *b, uint64_t ns);
void bed_sysctl(struct bed *b, const char *name, const char *val);
uint32_t bed_addr(const char *s);
/* cmd in ip-route(8)'s manner, reduced: add to table main dst/plen via gw (0: on link) dev (NULL: by gw) metric. */
int bed_route(struct bed *b, const char *prefix, const char *gw, struct net_device *dev, uint32_t metric);
int bed_route_type(struct bed *b, const char *prefix, uint8_t type, uint32_t table);
/* Text of a /proc file; free it with sb_free. */
void bed_proc(struct bed *b, const char *path, struct strbuf *sb);

/* Run a program to its end; what it printed, valid until the next. */
const char *bed_cmd(struct bed *b, const char *line);

/* ---- trace ---- */
void bed_trace_clear(struct bed *b);
/* How often a function was entered. */
unsigned bed_entered(struct bed *b, const char *func);
/* Were these entered in this order (others may stand between)? NULL ends the list. */
bool bed_order(struct bed *b, ...);
/* Packets that died of this reason since the clear. */
uint64_t bed_drops(struct bed *b, enum drop_reason r);
/* Does an event's text of this kind hold s? */
bool bed_said(struct bed *b, enum trace_kind k, const char *s);
/* The open functions at the first entry of func, innermost first, joined by spaces. */
void bed_stack_at(struct bed *b, const char *func, char *out, size_t room);

/* ---- packets ---- */
struct pkt {
	uint8_t b[70000];
	uint32_t len; /* of the IP packet at b + 14 */
};
static inline struct ip4_hdr *pkt_ip(struct pkt *p) { return (struct ip4_hdr *)(void *)(p->b + ETH_HLEN); }
static inline uint8_t *pkt_l4(struct pkt *p) { return p->b + ETH_HLEN + ip4_hlen(pkt_ip(p)); }
/* An IP packet with room for hlen octets of header (20..60; options are NOP), data copied (may be NULL: 'a'...). */
struct pkt *pkt_new(uint32_t saddr, uint32_t daddr, uint8_t proto, const void *data, uint32_t len, uint32_t hlen);
struct pkt *pkt_udp(uint32_t saddr, uint16_t sport, uint32_t daddr, uint16_t dport, const void *data, uint32_t len);
struct pkt *pkt_echo(uint32_t saddr, uint32_t daddr, uint16_t id, uint16_t seq, uint32_t datalen);
/* An ICMP error (type, code, rest) that quotes the first n octets of the IP packet at q. */
struct pkt *pkt_icmp_err(uint32_t saddr, uint32_t daddr, uint8_t type, uint8_t code, uint32_t rest, const uint8_t *q, uint32_t n);
/* Length and checksum of the IP header as they should be. */
void pkt_fix(struct pkt *p);
/* As if it came over the wire, to the device's MAC; frees p. */
void wire_in(struct wire *w, struct pkt *p);
void wire_in_mac(struct wire *w, struct pkt *p, const uint8_t *dst, const uint8_t *src);
void wire_frame(struct wire *w, const void *frame, size_t len);
void wire_arp(struct wire *w, uint16_t op, const uint8_t *sha, uint32_t spa, const uint8_t *tha, uint32_t tpa, const uint8_t *dst_mac);
void wire_clear(struct wire *w);
/* Frames out of an EtherType; the nth IP packet that left (NULL: there is none). */
unsigned wire_count(const struct wire *w, uint16_t type);
const struct ip4_hdr *wire_ip(const struct wire *w, unsigned nth);
const struct frame *wire_nth(const struct wire *w, uint16_t type, unsigned nth);
/* The ICMP header of the nth IP packet, if it is one. */
const struct icmp_hdr *wire_icmp(const struct wire *w, unsigned nth);

/* ---- sockets of the external task ---- */
int bed_udp(struct bed *b, const char *addr, uint16_t port);
ssize_t bed_send(struct bed *b, int fd, const char *addr, uint16_t port, const void *data, size_t len);
/* Never waits. -EAGAIN: nothing there. */
ssize_t bed_recv(struct bed *b, int fd, void *buf, size_t room);
struct sockaddr_in bed_sin(const char *addr, uint16_t port);

/* Taps on a device: what tcpdump would see. */
struct tap {
	struct packet_type pt;
	unsigned in, out;
	uint16_t types[256];
	uint64_t serial[256];
	unsigned n;
};
void tap_open(struct tap *t, struct net *net, struct net_device *dev);
void tap_close(struct tap *t, struct net *net);

static const uint8_t bcast_mac[6] __attribute__((unused)) = { 255, 255, 255, 255, 255, 255 };
#define BED_TEST(f) cmocka_unit_test(f)
#endif

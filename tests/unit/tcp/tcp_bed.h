/* A bed for TCP tests: hosts whose network layer is a wire in the test. tcp/ and ipv4/tcp_ipv4*.c are the real ones;
 * below them the functions of IP are doubles, so a test sees, delays, drops and invents every segment.
 *
 *   bed_new(n)            n hosts, addresses 10.0.0.1, 10.0.0.2, ...
 *   b->delay_ns, b->tap   how long a segment takes; who sees it (and may drop it)
 *   bed_run(b, ns)        let virtual time pass
 *   bed_inject(...)       a segment from nowhere; expect(...) the next that a host sent, as text */
#ifndef TCP_BED_H
#define TCP_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "tcp/tcp.h"
#include "tcp/inet_hashtables.h"
#include "ipv4/tcp_ipv4.h"

struct bed;
struct seg { /* one segment on the wire */
	struct seg *next;
	uint64_t at_ns;
	uint64_t no;
	uint32_t saddr, daddr;
	uint8_t tos;
	uint32_t len;
	uint8_t b[];
};
#define BED_HOSTS 3
struct bed {
	struct net *net[BED_HOSTS];
	struct net_device dev; /* only its features count */
	uint32_t dev_features; /* NETIF_F_*; 0: routes without a device */
	uint64_t n_trains;
	struct skb_pool *skbs;
	struct serial_source serials;
	uint64_t now_ns, delay_ns, n_segs;
	uint32_t mtu;
	uint8_t fo_len, fo[16]; /* the last Fast Open cookie that bed_next saw */
	uint32_t inject_mark; /* of what is delivered */
	uint8_t inject_tos, got_tos; /* of what is injected; of what bed_next took */
	uint16_t port_low, port_high;
	unsigned n;
	struct seg *wire;  /* by at_ns, no */
	/* Called for each segment sent. Returns extra delay, or UINT64_MAX: lost. */
	uint64_t (*tap)(struct bed *b, const struct seg *s, void *arg);
	void *tap_arg;
	/* hosts that are only a script: what is sent to them waits here */
	bool scripted[BED_HOSTS];
	struct seg *got, **got_tail;
	uint32_t isn, peer_isn; /* for relative numbers in expect() */
	struct sock_extended_err ee; /* what bed_errqueue took last, and how long its data was */
	uint32_t ee_len;
	bool ok;
};

struct bed *bed_new(unsigned n);
void bed_free(struct bed *b);
void bed_run(struct bed *b, uint64_t ns);
uint32_t bed_addr(unsigned i);
void bed_port_range(struct bed *b, uint16_t low, uint16_t high);
/* Sockets, nonblocking. */
struct sock *bed_socket(struct bed *b, unsigned host);
int bed_connect(struct bed *b, struct sock *sk, unsigned to, uint16_t port);
struct sock *bed_listen(struct bed *b, unsigned host, uint16_t port, int backlog);
struct sock *bed_accept(struct sock *lsk);
ssize_t bed_send(struct sock *sk, const void *p, size_t len, int flags);
ssize_t bed_recv(struct sock *sk, void *p, size_t len, int flags);
void bed_close(struct sock *sk);
/* A segment from host `from` (scripted) to host `to`: text as in "S 0 win 65535 <mss 1460,sackOK>"; see tcp_bed.c. */
void bed_inject(struct bed *b, unsigned from, unsigned to, uint16_t sport, uint16_t dport, const char *text, const void *data, uint32_t len);
/* Raw octets of a TCP segment; the checksum is made right. */
void bed_inject_raw(struct bed *b, unsigned from, unsigned to, const uint8_t *seg, uint32_t len);
/* As it is, wrong checksum and all. */
void bed_inject_bytes(struct bed *b, unsigned from, unsigned to, const uint8_t *seg, uint32_t len);
/* The next segment that was sent to a scripted host, as text; "" none. Sequence numbers relative. */
const char *bed_next(struct bed *b, char *buf, size_t room);
#define expect_seg(b, want)                                                   \
	do {                                                                  \
		char buf_[256];                                               \
		assert_string_equal(bed_next((b), buf_, sizeof(buf_)), want); \
	} while (0)
uint64_t bed_seed(uint64_t *s);
/* Hand one segment to a host's tcp_v4_rcv now, with addresses and packet type as given. */
void bed_deliver(struct bed *b, unsigned to, const struct seg *s, uint8_t pkt_type);

/* Dialogues: host 0 is the stack, host 1 a script (peer_isn 5000, no delay). Numbers are relative to each side's
 * initial one. */
struct bed *scripted_bed(void);
/* The stack connects to port 80, the script answers with these options and window 32768. */
struct sock *connected(struct bed *b, const char *synack_opts);
/* The script connects from port sport, the stack accepts. */
struct sock *accepted(struct bed *b, struct sock *l, uint16_t sport, const char *syn_opts);
/* A segment from the script on sk's connection, delivered. */
void say(struct bed *b, struct sock *sk, const char *text, const void *data, uint32_t len);
void done(struct bed *b, struct sock *sk);
/* All sockets were closed: after a long time nothing is left. */
void bed_expect_clean(struct bed *b);
/* Throw away what was sent to the script. */
void bed_forget(struct bed *b);
#define SACKED "<mss 1000,sackOK>"
#define MS NSEC_PER_MSEC
#define SEC NSEC_PER_SEC

#endif

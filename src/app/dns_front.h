/* The door of both DNS servers: UDP and TCP on one port, queries in, answers out, now or later. */
#ifndef APP_DNS_FRONT_H
#define APP_DNS_FRONT_H

#include "app/dns_reply.h"
#include "app/web_loop.h"

#define FRONT_MAX_CONNS 128
#define FRONT_CONNS_PER_ADDR 16
#define FRONT_IDLE_NS (10 * NSEC_PER_SEC)   /* between queries (RFC 7766 6.2.3) */
#define FRONT_PARTIAL_NS (5 * NSEC_PER_SEC) /* a message, once begun, is whole by then (DP-16) */
#define FRONT_PIPELINE 32                   /* queries of one connection being worked on */
#define FRONT_UDP_BURST 64

/* Whom to answer. Stays valid: a connection that is gone is noticed. */
struct dns_peer {
	struct dns_from from;
	uint32_t slot, generation; /* TCP */
	uint32_t to;               /* UDP: the address that was asked; 0: unknown */
};
struct dns_front;
struct dns_conn {
	struct loop_fd lf;
	struct dns_front *f;
	struct timer_list timer;
	uint32_t addr;
	uint16_t port;
	uint32_t generation; /* odd: in use */
	unsigned pending;    /* queries handed up, not answered */
	bool eof, busy;      /* busy: its messages are being handed up */
	uint8_t *in, *out;   /* message with its length before it; answers not yet taken */
	size_t got, out_len, out_room;
};
struct dns_front {
	struct loop *l;
	struct loop_fd udp, tcp;
	/* One query. Answer by dns_front_reply() now or later, or dns_front_drop(). */
	void (*query)(void *arg, const uint8_t *q, size_t len, const struct dns_peer *peer);
	void *arg;
	uint8_t *buf; /* DNS_MSG_MAX */
	struct dns_conn conn[FRONT_MAX_CONNS];
	uint64_t n_udp, n_tcp, refused;
};
/* 0 or -errno (already in use, ...). */
int dns_front_open(struct dns_front *f, struct loop *l, uint32_t addr, uint16_t port,
		   void (*query)(void *arg, const uint8_t *q, size_t len,
				 const struct dns_peer *peer),
		   void *arg);
void dns_front_close(struct dns_front *f);
void dns_front_reply(struct dns_front *f, const struct dns_peer *peer, const uint8_t *wire,
		     size_t len);
/* There will be no answer. */
void dns_front_drop(struct dns_front *f, const struct dns_peer *peer);

#endif

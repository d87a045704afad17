/* The TCP header on the wire (RFC 9293 3.1). Options are in tcp/. */
#ifndef WIRE_TCP_HDR_H
#define WIRE_TCP_HDR_H

#include "base/types.h"

struct tcp_hdr {
	uint8_t source[2], dest[2], seq[4], ack_seq[4], off_res, flags, window[2], check[2], urg_ptr[2];
};
#define TCP_HLEN 20
#define TCP_HLEN_MAX 60
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20
#define TCP_ECE 0x40
#define TCP_CWR 0x80
#define TCP_AE 0x100 /* of off_res: its lowest bit (RFC 9768) */
static inline unsigned tcp_hdrlen(const struct tcp_hdr *h) { return (h->off_res >> 4) * 4u; }

/* Option kinds. */
enum {
	TCPOPT_EOL = 0, TCPOPT_NOP = 1, TCPOPT_MSS = 2, TCPOPT_WINDOW = 3, TCPOPT_SACK_PERM = 4,
	TCPOPT_SACK = 5, TCPOPT_TIMESTAMP = 8, TCPOPT_MD5SIG = 19, TCPOPT_AO = 29,
	TCPOPT_FASTOPEN = 34, TCPOPT_ACCECN0 = 172, TCPOPT_ACCECN1 = 174, TCPOPT_EXP = 254
};

/* Sequence arithmetic (RFC 9293 3.4). */
static inline bool before(uint32_t a, uint32_t b) { return (int32_t)(a - b) < 0; }
static inline bool after(uint32_t a, uint32_t b) { return (int32_t)(b - a) < 0; }
/* a <= b <= c modulo 2^32 */
static inline bool between(uint32_t b, uint32_t a, uint32_t c) { return c - a >= b - a; }

#endif

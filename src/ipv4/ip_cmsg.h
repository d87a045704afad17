/* Which control messages a socket wants (inet->cmsg_flags; the numbers are ours). */
#ifndef IPV4_IP_CMSG_H
#define IPV4_IP_CMSG_H

#include "core/sock.h"

#define IP_CMSG_PKTINFO 1
#define IP_CMSG_TTL 2
#define IP_CMSG_TOS 4
#define IP_CMSG_RECVOPTS 8
#define IP_CMSG_RETOPTS 16
#define IP_CMSG_ORIGDSTADDR 64
#define IP_CMSG_CHECKSUM 128
#define IP_CMSG_RECVFRAGSIZE 256
/* switches that are only kept: there are no security labels, and no ICMP extensions (RFC 4884) to tell of */
#define IP_CMSG_PASSSEC 512
#define IP_CMSG_RECVERR_RFC4884 1024

/* recvmsg of raw and ping sockets (datagram.c): the next datagram with its IP header or what the receiver left of it, its
 * sender, its control messages. Octets copied (with MSG_TRUNC: its whole length), or -errno. */
ssize_t ip_datagram_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, socklen_t *addr_len);

#endif

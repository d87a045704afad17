/* TCP's part of receive coalescing, for the layer that knows the addresses (ipv4/ip_offload.c). */
#ifndef TCP_TCP_OFFLOAD_H
#define TCP_TCP_OFFLOAD_H

#include "core/skbuff.h"
#include "wire/tcp_hdr.h"

/* skb (transport_header set, data_offset behind the TCP header) beside the held packet p of the same ports, or NULL.
 * same_network: their network headers allow to merge them. Returns p when it must go up now. */
struct sk_buff *tcp_gro_receive(struct sk_buff *p, struct sk_buff *skb, bool same_network);
/* p is complete: gso_size's companions. The checksum field is the caller's (it knows the pseudo header). */
void tcp_gro_complete(struct sk_buff *skb);

#endif

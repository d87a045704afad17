/* Every way in which a packet dies: one name and one sentence each. The names are those that Linux
 * shows (without its prefix SKB_DROP_REASON_) where Linux has one. Add here, never reuse. */
#ifndef BASE_DROP_REASON_H
#define BASE_DROP_REASON_H

#define DROP_REASONS(X)                                                                          \
	X(NOT_SPECIFIED, "no reason was given (a bug in culver)")                                \
	/* hardware */                                                                           \
	X(HW_CABLE_LOSS, "lost on the cable (impairment loss)")                                  \
	X(HW_CABLE_DROP_LIST, "lost on the cable (its number is in the drop list)")              \
	X(HW_CABLE_QUEUE, "the cable's rate limiter had its queue full")                         \
	X(HW_CABLE_UNPLUGGED, "the cable is unplugged")                                          \
	X(HW_NO_SFD, "no start frame delimiter was found")                                       \
	X(HW_RUNT, "shorter than 64 octets on the cable")                                        \
	X(HW_OVERSIZE, "longer than the port accepts")                                           \
	X(HW_BAD_FCS, "the frame check sequence does not match")                                 \
	X(HW_FILTERED, "the NIC's address filter does not want it")                              \
	X(HW_RX_DISABLED, "the NIC's receiver is off")                                           \
	X(HW_RX_NO_DESC, "no receive descriptor was free")                                       \
	X(HW_RX_FIFO, "the NIC's receive FIFO was full")                                         \
	X(HW_DMA_FAULT, "the NIC read or wrote an address that is not mapped")                   \
	X(HW_RESET, "the NIC or port was reset or removed")                                      \
	X(SWITCH_SAME_PORT, "the destination is behind the port it came from")                   \
	X(SWITCH_RESERVED, "a reserved group address is never forwarded")                        \
	X(SWITCH_QUEUE, "the switch's output queue was full")                                    \
	X(SWITCH_STORM, "above the port's storm bound")                                          \
	X(SWITCH_NO_PORT, "there is no other port to send it to")                                \
	X(SWITCH_BAD_SRC, "a group address as source")                                           \
	X(SWITCH_BLOCKED, "the port is not in the forwarding state")                             \
	/* device layer */                                                                       \
	X(DEV_READY, "the device is not up")                                                     \
	X(DEV_HDR, "the link header could not be built")                                         \
	X(FULL_RING, "the transmit ring was full")                                               \
	X(NOMEM, "no memory")                                                                    \
	X(CPU_BACKLOG, "the CPU's backlog was full (netdev_max_backlog)")                        \
	X(QDISC_DROP, "the queue discipline dropped it")                                         \
	X(QDISC_NOOP, "the device's queue is noop: it was never brought up")                     \
	X(UNHANDLED_PROTO, "no handler for its EtherType")                                       \
	X(PKT_TOO_SMALL, "shorter than its headers")                                             \
	X(PKT_TOO_BIG, "larger than allowed")                                                    \
	X(OTHERHOST, "its MAC address is another host's")                                        \
	X(BAD_SRC_MAC, "a group address, or our own, as source MAC")                             \
	X(RECURSION_LIMIT, "transmit recursed too deep")                                         \
	X(SKB_CSUM, "its checksum could not be completed")                                      \
	X(SKB_GSO_SEG, "a train that could not be split")                                       \
	/* netfilter */                                                                          \
	X(NETFILTER_DROP, "a netfilter rule dropped it")                                         \
	/* neighbour */                                                                          \
	X(NEIGH_CREATEFAIL, "the neighbour table is full")                                       \
	X(NEIGH_FAILED, "the neighbour did not answer")                                          \
	X(NEIGH_QUEUEFULL, "the queue of the unresolved neighbour was full")                     \
	X(NEIGH_DEAD, "the neighbour entry was deleted")                                         \
	X(ARP_MALFORMED, "an ARP packet that does not parse or is not Ethernet/IPv4")            \
	X(ARP_BAD_SENDER, "an ARP sender that may not be believed")                              \
	X(ARP_NOT_FOR_US, "an ARP packet that asks for somebody else")                           \
	X(ARP_UNSOLICITED, "an ARP reply that nobody asked for")                                 \
	/* IP */                                                                                 \
	X(IP_CSUM, "the IP header checksum is wrong")                                            \
	X(IP_INHDR, "the IP header is malformed")                                                \
	X(IP_TRUNCATED, "the IP total length exceeds the frame")                                 \
	X(IP_BAD_OPTION, "an IP option is malformed")                                            \
	X(IP_SOURCE_ROUTE, "source routing is off")                                              \
	X(IP_MARTIAN_SOURCE, "a source address that cannot be")                                  \
	X(IP_MARTIAN_DEST, "a destination address that cannot be")                               \
	X(IP_LOCAL_SOURCE, "our own address as source, from outside")                            \
	X(IP_RPFILTER, "the reverse path filter")                                                \
	X(IP_NOFORWARD, "not for us, and forwarding is off")                                     \
	X(IP_OUTNOROUTES, "no route")                                                            \
	X(IP_INNOROUTES, "no route for a received packet")                                       \
	X(IP_INADDRERRORS, "an address that is not valid here")                                  \
	X(IP_NOPROTO, "no such protocol")                                                        \
	X(IP_RAW_ONLY, "only raw sockets could take it and none did")                            \
	X(IP_TTL_EXPIRED, "the TTL reached zero")                                                \
	X(IP_FRAG_NEEDED, "larger than the MTU with DF set")                                     \
	X(IP_FORWARD_L2_MULTICAST, "link-layer broadcast is not forwarded")                      \
	X(IP_MULTICAST_NOT_MEMBER, "a multicast group that we have not joined")                  \
	X(IP_BROADCAST_NOT_FORWARDED, "broadcast is not forwarded")                              \
	X(FRAG_BAD, "a malformed fragment")                                                      \
	X(FRAG_OVERLAP, "fragments overlap")                                                     \
	X(FRAG_TOO_FAR, "the reassembled datagram would exceed 65535 octets")                    \
	X(FRAG_TIMEOUT, "the rest of the datagram did not come in time")                         \
	X(FRAG_MEMORY, "the reassembly memory is full")                                          \
	X(FRAG_TOO_MANY, "too many fragments for one datagram")                                  \
	X(DUP_FRAG, "a duplicate fragment")                                                      \
	/* ICMP */                                                                               \
	X(ICMP_CSUM, "the ICMP checksum is wrong")                                               \
	X(ICMP_MALFORMED, "an ICMP message that does not parse")                                 \
	X(ICMP_UNKNOWN, "an ICMP type that we do not know")                                      \
	X(ICMP_IGNORED, "an ICMP message that policy ignores")                                   \
	X(ICMP_RATELIMIT, "the ICMP rate limit")                                                 \
	X(ICMP_NO_SOCKET, "no socket for the packet that an ICMP error quotes")                  \
	/* sockets, UDP */                                                                       \
	X(NO_SOCKET, "no socket listens there")                                                  \
	X(SOCKET_RCVBUFF, "the socket's receive buffer is full")                                 \
	X(SOCKET_FILTER, "a socket filter dropped it")                                           \
	X(SOCKET_CLOSE, "the socket was closed with it still queued")                            \
	X(PROTO_MEM, "the protocol's memory limit")                                              \
	X(UDP_CSUM, "the UDP checksum is wrong")                                                 \
	X(UDP_BAD_LEN, "the UDP length is wrong")                                                \
	X(UDP_PORT_ZERO, "UDP port zero")                                                        \
	X(UDP_BROADCAST_ECHO, "broadcast to a service that would answer")                        \
	/* TCP */                                                                                \
	X(TCP_CSUM, "the TCP checksum is wrong")                                                 \
	X(TCP_BAD_HDR, "the TCP header is malformed")                                            \
	X(TCP_FLAGS, "TCP flags that cannot be")                                                 \
	X(TCP_ZEROWINDOW, "beyond the window, which is zero")                                    \
	X(TCP_OLD_DATA, "TCP data that was received before")                                     \
	X(TCP_OVERWINDOW, "TCP data beyond the window")                                          \
	X(TCP_OFOMERGE, "TCP data that another queued segment covers")                           \
	X(TCP_OFO_QUEUE_PRUNE, "the out-of-order queue was pruned")                              \
	X(TCP_OFO_DROP, "out-of-order data for which there is no room")                          \
	X(TCP_RFC7323_PAWS, "an old timestamp (PAWS)")                                           \
	X(TCP_RFC7323_NO_TS, "the negotiated timestamp is missing")                              \
	X(TCP_OLD_SEQUENCE, "a sequence number before the window")                               \
	X(TCP_INVALID_SEQUENCE, "a sequence number outside the window")                          \
	X(TCP_INVALID_END_SEQUENCE, "a segment that ends beyond the window")                     \
	X(TCP_INVALID_ACK_SEQUENCE, "an acknowledgement outside what may be")                    \
	X(TCP_ACK_UNSENT_DATA, "an acknowledgement of data not yet sent")                        \
	X(TCP_OLD_ACK, "an old acknowledgement")                                                 \
	X(TCP_TOO_OLD_ACK, "an acknowledgement older than the largest window")                   \
	X(TCP_RESET, "a TCP reset")                                                              \
	X(TCP_INVALID_SYN, "a SYN in a synchronised connection")                                 \
	X(TCP_CLOSE, "the TCP connection is closed")                                             \
	X(TCP_ABORT_ON_DATA, "data for a socket that nobody holds any more")                     \
	X(TCP_FASTOPEN, "the Fast Open data was not wanted")                                     \
	X(TCP_LISTEN_OVERFLOW, "the accept queue is full")                                       \
	X(TCP_REQ_QFULL, "the SYN queue is full")                                                \
	X(TCP_REQ_COOKIE, "the SYN cookie is wrong")                                             \
	X(TCP_BAD_DEST, "a TCP segment to or from a broadcast or multicast address")             \
	X(TCP_MINTTL, "the TTL is below the socket's minimum")                                   \
	X(TCP_TIMEWAIT, "the connection is in TIME-WAIT")                                        \
	X(TCP_AUTH_HDR, "the options for signatures are malformed, or there are two")            \
	X(TCP_MD5NOTFOUND, "the MD5 signature that the socket asks for is missing")              \
	X(TCP_MD5UNEXPECTED, "an MD5 signature, and the socket has no key for it")               \
	X(TCP_MD5FAILURE, "the MD5 signature is wrong")                                          \
	X(TCP_AONOTFOUND, "the TCP-AO signature that the socket asks for is missing")            \
	X(TCP_AOUNEXPECTED, "a TCP-AO signature, and the socket has no keys")                    \
	X(TCP_AOKEYNOTFOUND, "a TCP-AO signature with a key that the socket does not have")      \
	X(TCP_AOFAILURE, "the TCP-AO signature is wrong")                                        \
	/* NAT, taps */                                                                          \
	X(CT_TABLE_FULL, "the table of tracked connections is full")                             \
	X(CT_HOST_FULL, "the sender has as many tracked connections as one host may")            \
	X(CT_CLASH, "another connection took its place in the table")                            \
	X(NAT_TABLE_FULL, "the translation table is full")                                       \
	X(NAT_NO_MAPPING, "no translation for it")                                               \
	X(TAP_WRITE, "the TAP device did not take it")                                           \
	X(NET_EXIT, "the host was removed")

enum drop_reason {
#define X(name, text) DROP_##name,
	DROP_REASONS(X)
#undef X
	DROP_REASON_MAX
};

/* "NO_SOCKET", and its sentence. */
const char *drop_reason_name(enum drop_reason r);
const char *drop_reason_text(enum drop_reason r);

#endif

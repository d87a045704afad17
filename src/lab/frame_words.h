/* What a frame says, in words: for the story. */
#ifndef LAB_FRAME_WORDS_H
#define LAB_FRAME_WORDS_H

#include "base/types.h"

enum frame_kind {
	FW_OTHER,
	FW_ARP_REQUEST,
	FW_ARP_REPLY,
	FW_DNS_QUERY,
	FW_DNS_REPLY,
	FW_UDP,
	FW_ICMP_ERROR,
	FW_ICMP,
	FW_TCP_SYN,
	FW_TCP_SYNACK,
	FW_TCP_ACK,  /* nothing but an acknowledgement */
	FW_TCP_DATA,
	FW_TCP_FIN,  /* perhaps with data */
	FW_TCP_RST,
	FW_FRAGMENT
};

struct frame_words {
	enum frame_kind kind;
	uint32_t saddr, daddr; /* of IPv4, or of ARP's sender and target */
	uint16_t sport, dport;
	uint32_t seq, ack, payload;
	uint8_t flags, ttl;
	bool broadcast;  /* to everybody on the LAN */
	uint32_t octets; /* on the cable, preamble to FCS */
	char text[480];
};

/* wire: octets as on the cable, preamble to FCS. False: no Ethernet frame of ARP or IPv4 in it. */
bool frame_words(const uint8_t *wire, uint32_t len, struct frame_words *w);

#endif

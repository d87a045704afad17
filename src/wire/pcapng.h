/* pcapng writer: section, interface and enhanced packet blocks with nanosecond times, comments, packet ids
 * (epb_packetid), verdicts and FCS length. Written only, never read. */
#ifndef WIRE_PCAPNG_H
#define WIRE_PCAPNG_H

#include <stdio.h>
#include "base/strbuf.h"

struct pcapng {
	struct strbuf *sb; /* blocks are appended here */
	uint32_t n_if;
};
/* Section header with hardware/os/application options. */
void pcapng_begin(struct pcapng *p, struct strbuf *out, const char *application);
/* linktype: 1 Ethernet, 101 raw IPv4. fcslen -1: not declared. Returns the interface's number. */
uint32_t pcapng_interface(struct pcapng *p, const char *name, const char *description, uint16_t linktype, int fcslen, uint64_t speed_bps);
struct pcapng_packet {
	uint32_t iface;
	uint64_t t_ns; /* since 1970 */
	const uint8_t *data;
	uint32_t len, orig_len;
	uint64_t packetid; /* 0: none */
	const char *comment; /* NULL: none */
	const uint8_t *verdict; /* epb_verdict octets */
	uint16_t verdict_len;
	uint32_t flags; /* epb_flags: 1 inbound, 2 outbound; 0 none */
};
void pcapng_packet(struct pcapng *p, const struct pcapng_packet *pkt);

#endif

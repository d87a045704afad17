/* One packet as tcpdump(8) prints it. */
#ifndef APP_DUMP_PRINT_H
#define APP_DUMP_PRINT_H

#include "base/strbuf.h"

#define DUMP_FLOWS 1024 /* conversations whose first numbers are remembered; an older one gives way */

/* A TCP conversation, lower end first, and where each end's numbers began. */
struct dump_flow {
	bool used;
	uint32_t addr[2], base[2];
	uint16_t port[2];
};
struct dump_style {
	bool link;               /* -e: the MAC header */
	bool absolute;           /* -S: sequence numbers as they are on the wire */
	bool quiet;              /* -q: addresses, protocol, length */
	unsigned verbose;        /* -v: the IP header, checksums, options of all kinds */
	struct dump_flow *flows; /* DUMP_FLOWS of them, zeroed at the start; NULL: numbers are absolute */
};

/* Append "IP a.1 > b.2: ..." for an Ethernet frame without FCS. */
void dump_line(struct strbuf *sb, struct dump_style *st, const uint8_t *p, size_t len);
/* -x, -X, -A: the octets as lines of sixteen, each with a leading newline and tab. */
void dump_hex(struct strbuf *sb, const uint8_t *p, size_t len, bool text);
void dump_ascii(struct strbuf *sb, const uint8_t *p, size_t len);

#endif

/* One packet as a line, for tcpdump and for culver trace. */
#ifndef APP_TCPDUMP_H
#define APP_TCPDUMP_H

#include "base/strbuf.h"

/* Append "IP a.1 > b.2: ..." for an Ethernet frame without FCS; with link, the MAC header too. */
void dump_line(struct strbuf *sb, const uint8_t *p, size_t len, bool link, bool verbose);

#endif

/* Every octet of a frame, labelled. */
#ifndef CLI_WIRE_SHOW_H
#define CLI_WIRE_SHOW_H

#include "base/strbuf.h"

/* frame: destination address to FCS, as captured. Preamble and SFD, which no capture holds, are put in front. */
void wire_show(struct strbuf *out, const uint8_t *frame, uint32_t len);

#endif

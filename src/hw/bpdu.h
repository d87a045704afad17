/* Private to hw/: bridge protocol data units on the wire (IEEE 802.1D 9), bytes to meaning and
 * back.
 *
 *     dst 01:80:c2:00:00:00 | src | length 2 | LLC 42 42 03 | BPDU
 *
 *     0  2 protocol 0      5  8 root id         27  2 message age  (1/256 s)
 *     2  1 version 0      13  4 root path cost  29  2 max age
 *     3  1 type           17  8 bridge id       31  2 hello time
 *     4  1 flags          25  2 port id         33  2 forward delay
 *
 * Type 00: configuration, 35 octets. Type 80: topology change notification, 4 octets (0 to 3). */
#ifndef HW_BPDU_H
#define HW_BPDU_H

#include "hw/switch_int.h"

#define BPDU_LLC_LEN 3
#define BPDU_TCN_LEN 4
#define BPDU_CONFIG_LEN 35
#define BPDU_FRAME_MAX (ETH_HLEN + BPDU_LLC_LEN + BPDU_CONFIG_LEN)

enum bpdu_kind { BPDU_BAD, BPDU_OTHER, BPDU_CONFIG, BPDU_TCN };

/* eth: dst to padding, len octets. BPDU_BAD: lengths or values that cannot be. BPDU_OTHER: well
 * formed, but of a type that this protocol ignores (rapid spanning tree). c is written for
 * BPDU_CONFIG only. */
enum bpdu_kind bpdu_parse(const uint8_t *eth, uint32_t len, struct stp_config *c);
/* Write a frame (dst to BPDU); c NULL: a topology change notification. Returns its length. */
uint32_t bpdu_build(uint8_t eth[BPDU_FRAME_MAX], const uint8_t src[ETH_ALEN],
		    const struct stp_config *c);

#endif

/* The frame check sequence of Ethernet (IEEE 802.3 3.2.9).
 *
 * Called by the NIC, the switch and the cable of hw/, and by captures. The CRC-32 comes from ISA-L, whose
 * crc32_gzip_refl complements before and after, as Ethernet does.
 * Tests: tests/unit/wire/test_ethernet.c. */
#include "wire/ethernet.h"

#include <isa-l/crc.h>

uint32_t eth_fcs(const uint8_t *frame, size_t len)
{
	return crc32_gzip_refl(0, frame, len);
}

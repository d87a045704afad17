/* Ethernet II on the cable (RFC 894, IEEE 802.3 clause 3).
 *
 *     preamble 7 x 55 | SFD d5 | dst 6 | src 6 | type 2 | payload 46..1500 | FCS 4
 *
 * The driver sees dst..payload; the NIC adds and strips the rest. */
#ifndef WIRE_ETHERNET_H
#define WIRE_ETHERNET_H

#include <string.h>
#include "base/types.h"

#define ETH_ALEN 6
#define ETH_HLEN 14
#define ETH_FCS_LEN 4
#define ETH_ZLEN 60       /* shortest frame without FCS */
#define ETH_DATA_LEN 1500
#define ETH_PREAMBLE_LEN 8 /* 7 preamble octets and the SFD */
#define ETH_IFG_LEN 12     /* interframe gap, in octet times */
#define ETH_PREAMBLE_OCTET 0x55
#define ETH_SFD_OCTET 0xd5

#define ETH_P_IP 0x0800
#define ETH_P_ARP 0x0806
#define ETH_P_IPV6 0x86DD
#define ETH_P_8021Q 0x8100
#define ETH_P_8021AD 0x88A8
#define ETH_P_ALL 0x0003
#define ETH_P_802_3_MIN 0x0600 /* below this the type field is a length (RFC 1042) */
#define ETH_P_802_2 0x0004     /* our number for such frames; no EtherType */

struct eth_hdr {
	uint8_t dst[ETH_ALEN], src[ETH_ALEN], type[2];
};

static inline bool mac_is_group(const uint8_t *m) { return (m[0] & 1) != 0; }
static inline bool mac_is_broadcast(const uint8_t *m)
{
	return (m[0] & m[1] & m[2] & m[3] & m[4] & m[5]) == 0xff;
}
static inline bool mac_is_zero(const uint8_t *m)
{
	return (m[0] | m[1] | m[2] | m[3] | m[4] | m[5]) == 0;
}
static inline bool mac_equal(const uint8_t *a, const uint8_t *b) { return memcmp(a, b, ETH_ALEN) == 0; }

/* CRC-32 (reflected 0xEDB88320) over dst..padding; put least significant octet first. */
uint32_t eth_fcs(const uint8_t *frame, size_t len);

#endif

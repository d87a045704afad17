/* Bridge protocol data units: octets and meaning. Lengths are checked before any field is read
 * (SW-06).
 *
 * Called by stp.c.  Standard: IEEE 802.1D-1998 9.3.  Tests: tests/unit/hw/test_stp.c */
#include <string.h>
#include "hw/bpdu.h"

#define BPDU_TYPE_CONFIG 0x00
#define BPDU_TYPE_TCN 0x80
#define BPDU_FLAG_TC 0x01
#define BPDU_FLAG_TC_ACK 0x80

/* 802.1D 8.10.2, table 8-3: ranges of the times that a root may dictate. */
#define MAX_AGE_MIN (6 * NSEC_PER_SEC)
#define MAX_AGE_MAX (40 * NSEC_PER_SEC)
#define HELLO_MIN (1 * NSEC_PER_SEC)
#define HELLO_MAX (10 * NSEC_PER_SEC)
#define FWD_DELAY_MIN (4 * NSEC_PER_SEC)
#define FWD_DELAY_MAX (30 * NSEC_PER_SEC)

static const uint8_t bridge_group[ETH_ALEN] = { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x00 };
static const uint8_t llc[BPDU_LLC_LEN] = { 0x42, 0x42, 0x03 };

static uint64_t get_be64(const uint8_t *p)
{
	return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

static void put_be64(uint8_t *p, uint64_t v)
{
	put_be32(p, (uint32_t)(v >> 32));
	put_be32(p + 4, (uint32_t)v);
}

static uint64_t get_time(const uint8_t *p) { return get_be16(p) * NSEC_PER_SEC / 256; }

static void put_time(uint8_t *p, uint64_t ns) { put_be16(p, (uint16_t)(ns * 256 / NSEC_PER_SEC)); }

static bool within(uint64_t v, uint64_t min, uint64_t max) { return v >= min && v <= max; }

static enum bpdu_kind parse_config(const uint8_t *b, struct stp_config *c)
{
	struct stp_config v = {
		.tc = (b[4] & BPDU_FLAG_TC) != 0,
		.tc_ack = (b[4] & BPDU_FLAG_TC_ACK) != 0,
		.root = get_be64(b + 5),
		.cost = get_be32(b + 13),
		.bridge = get_be64(b + 17),
		.port = get_be16(b + 25),
		.message_age = get_time(b + 27),
		.max_age = get_time(b + 29),
		.hello = get_time(b + 31),
		.fwd_delay = get_time(b + 33),
	};

	if (v.message_age >= v.max_age || !within(v.max_age, MAX_AGE_MIN, MAX_AGE_MAX) ||
	    !within(v.hello, HELLO_MIN, HELLO_MAX) ||
	    !within(v.fwd_delay, FWD_DELAY_MIN, FWD_DELAY_MAX))
		return BPDU_BAD;
	*c = v;
	return BPDU_CONFIG;
}

enum bpdu_kind bpdu_parse(const uint8_t *eth, uint32_t len, struct stp_config *c)
{
	const uint8_t *b = eth + ETH_HLEN + BPDU_LLC_LEN;
	uint32_t said;

	if (len < ETH_HLEN + BPDU_LLC_LEN + BPDU_TCN_LEN)
		return BPDU_BAD;
	said = get_be16(eth + 12);
	if (said > len - ETH_HLEN || said < BPDU_LLC_LEN + BPDU_TCN_LEN ||
	    memcmp(eth + ETH_HLEN, llc, sizeof(llc)) != 0 || get_be16(b) != 0)
		return BPDU_BAD;
	said -= BPDU_LLC_LEN;
	if (b[3] == BPDU_TYPE_TCN)
		return BPDU_TCN;
	if (b[3] != BPDU_TYPE_CONFIG)
		return BPDU_OTHER;
	return said < BPDU_CONFIG_LEN ? BPDU_BAD : parse_config(b, c);
}

uint32_t bpdu_build(uint8_t eth[BPDU_FRAME_MAX], const uint8_t src[ETH_ALEN],
		    const struct stp_config *c)
{
	uint8_t *b = eth + ETH_HLEN + BPDU_LLC_LEN;
	uint32_t len = c ? BPDU_CONFIG_LEN : BPDU_TCN_LEN;

	memset(eth, 0, BPDU_FRAME_MAX);
	memcpy(eth, bridge_group, ETH_ALEN);
	memcpy(eth + ETH_ALEN, src, ETH_ALEN);
	put_be16(eth + 12, (uint16_t)(BPDU_LLC_LEN + len));
	memcpy(eth + ETH_HLEN, llc, sizeof(llc));
	b[3] = c ? BPDU_TYPE_CONFIG : BPDU_TYPE_TCN;
	if (c) {
		b[4] = (uint8_t)((c->tc ? BPDU_FLAG_TC : 0) | (c->tc_ack ? BPDU_FLAG_TC_ACK : 0));
		put_be64(b + 5, c->root);
		put_be32(b + 13, c->cost);
		put_be64(b + 17, c->bridge);
		put_be16(b + 25, c->port);
		put_time(b + 27, c->message_age);
		put_time(b + 29, c->max_age);
		put_time(b + 31, c->hello);
		put_time(b + 33, c->fwd_delay);
	}
	return ETH_HLEN + BPDU_LLC_LEN + len;
}

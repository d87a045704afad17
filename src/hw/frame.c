/* Frames: memory for octets in flight, and what every receiver on a cable does with them first.
 *
 * Decides: where a frame begins (SFD), whether its FCS is right.
 * Called by: NIC, switch, cable, and whoever makes frames (STP, TAP links).
 * Standard: IEEE 802.3 3.1 to 3.4 (frame), 3.2.9 (FCS).  Tests: tests/unit/hw/test_frame.c */
#include <stdlib.h>
#include <string.h>
#include "hw/frame.h"
#include "hw/hw_clock.h"
#include "wire/ethernet.h"

#define FRAME_ROOM_SMALL 160
#define FRAME_ROOM_MTU 1600
/* Octets in which the SFD is looked for: the preamble and as much line noise before it. */
#define SFD_WINDOW 32

void hw_world_init(struct hw_world *w, struct evq *q)
{
	memset(w, 0, sizeof(*w));
	w->q = q;
	pool_init(&w->frames_small, "hw_frame-160", sizeof(struct hw_frame) + FRAME_ROOM_SMALL, 32);
	pool_init(&w->frames_mtu, "hw_frame-1600", sizeof(struct hw_frame) + FRAME_ROOM_MTU, 32);
}

void hw_world_free(struct hw_world *w)
{
	pool_destroy(&w->frames_small);
	pool_destroy(&w->frames_mtu);
}

struct hw_frame *hw_frame_new(struct hw_world *w, uint32_t room)
{
	struct hw_frame *f;

	if (room <= FRAME_ROOM_SMALL) {
		room = FRAME_ROOM_SMALL;
		f = pool_get(&w->frames_small);
	} else if (room <= FRAME_ROOM_MTU) {
		room = FRAME_ROOM_MTU;
		f = pool_get(&w->frames_mtu);
	} else {
		f = xcalloc(1, sizeof(*f) + room); /* jumbo frames */
	}
	f->world = w;
	f->refs = 1;
	f->len = 0;
	f->serial = 0;
	f->data = (uint8_t *)(f + 1);
	f->room = room;
	f->fcs_ok = false;
	return f;
}

void hw_frame_put(struct hw_frame *f)
{
	if (--f->refs)
		return;
	if (f->room == FRAME_ROOM_SMALL)
		pool_put(&f->world->frames_small, f);
	else if (f->room == FRAME_ROOM_MTU)
		pool_put(&f->world->frames_mtu, f);
	else
		free(f);
}

struct hw_frame *hw_frame_copy(const struct hw_frame *f)
{
	struct hw_frame *n = hw_frame_new(f->world, f->len);

	memcpy(n->data, f->data, f->len);
	n->len = f->len;
	n->serial = f->serial;
	n->fcs_ok = f->fcs_ok;
	return n;
}

/* The mark is the pair "last preamble octet, SFD". Where noise ate that last octet, the first SFD
 * within a preamble's length is taken; if that was noise too, the FCS will tell. */
int hw_frame_find_sfd(const struct hw_frame *f)
{
	static const uint8_t clean[ETH_PREAMBLE_LEN] = { 0x55, 0x55, 0x55, 0x55,
							 0x55, 0x55, 0x55, 0xd5 };
	uint32_t end = min_u32(f->len, SFD_WINDOW), i;

	if (likely(f->len >= ETH_PREAMBLE_LEN && memcmp(f->data, clean, sizeof(clean)) == 0))
		return ETH_PREAMBLE_LEN;
	for (i = 1; i < end; i++)
		if (f->data[i] == ETH_SFD_OCTET && f->data[i - 1] == ETH_PREAMBLE_OCTET)
			return (int)i + 1;
	end = min_u32(end, ETH_PREAMBLE_LEN);
	for (i = 0; i < end; i++)
		if (f->data[i] == ETH_SFD_OCTET)
			return (int)i + 1;
	return -1;
}

void hw_frame_seal(struct hw_frame *f, uint32_t len)
{
	uint8_t *eth = f->data + ETH_PREAMBLE_LEN;
	uint32_t fcs;

	memset(f->data, ETH_PREAMBLE_OCTET, ETH_PREAMBLE_LEN - 1);
	f->data[ETH_PREAMBLE_LEN - 1] = ETH_SFD_OCTET;
	if (len < ETH_ZLEN) { /* RFC 894: padding is zero; nothing stale may leave (ETH-05) */
		memset(eth + len, 0, ETH_ZLEN - len);
		len = ETH_ZLEN;
	}
	fcs = eth_fcs(eth, len);
	eth[len] = (uint8_t)fcs;
	eth[len + 1] = (uint8_t)(fcs >> 8);
	eth[len + 2] = (uint8_t)(fcs >> 16);
	eth[len + 3] = (uint8_t)(fcs >> 24);
	f->len = ETH_PREAMBLE_LEN + len + ETH_FCS_LEN;
	f->fcs_ok = true;
}

struct hw_frame *hw_frame_make(struct hw_world *w, const void *eth, uint32_t len, uint64_t serial)
{
	struct hw_frame *f = hw_frame_new(w, max_u32(len, ETH_ZLEN) + HW_FRAME_OVERHEAD);

	memcpy(f->data + ETH_PREAMBLE_LEN, eth, len);
	f->serial = serial;
	hw_frame_seal(f, len);
	return f;
}

bool hw_frame_check_fcs(struct hw_frame *f, uint32_t off)
{
	const uint8_t *eth = f->data + off, *tail = f->data + f->len - ETH_FCS_LEN;
	uint32_t fcs;

	if (likely(f->fcs_ok))
		return true;
	fcs = eth_fcs(eth, f->len - off - ETH_FCS_LEN);
	f->fcs_ok = tail[0] == (uint8_t)fcs && tail[1] == (uint8_t)(fcs >> 8) &&
		    tail[2] == (uint8_t)(fcs >> 16) && tail[3] == (uint8_t)(fcs >> 24);
	return f->fcs_ok;
}

void hw_frame_drop_at(struct probe *pr, const char *where, struct hw_frame *f,
		      enum drop_reason reason)
{
	if (unlikely(pr && pr->on)) {
		HW_CLOCK(pr, f->world);
		int off = hw_frame_find_sfd(f);
		uint32_t skip = off < 0 ? 0 : (uint32_t)off;

		probe_drop_(pr, where, f->serial, reason, f->data + skip, f->len - skip,
			    off < 0 ? 0 : 1);
	}
	hw_frame_put(f);
}

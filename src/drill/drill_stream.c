/* The octets of a connection: scripts write "..." where they do not care what is sent, and here each of those octets tells
 * its place in the stream, so that one that is lost, moved or changed on its way through the stack is seen.
 *
 * Decides: what "..." is in a write and in a packet for the host; whether what was sent, and what was read, is the stream.
 * A stream of which something is not known (urgent data, repair mode, a descriptor twice, splice) is not looked at any
 * more. Called by the calls, drill_build.c and drill_check.c. Tests: tests/unit/drill/test_drill_run.c. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "drill/drill_int.h"

#define STREAM_MAX (16u << 20) /* remembered of what was written */

/* Neighbours differ, and so do places 256 and 65536 apart. */
uint8_t drill_octet(uint32_t at)
{
	return (uint8_t)(at + (at >> 8) * 31u + (at >> 16) * 17u + 65u);
}

void drill_stream_forget(struct drill_flow *f)
{
	if (f)
		f->tx_unknown = f->rx_unknown = true;
}

/* ---- what the host sends ---- */

static bool tx_watched(const struct drill_flow *f)
{
	return f && f->proto == DPROTO_TCP && !f->tx_unknown;
}

void drill_tx_begin(struct drill_flow *f, uint8_t *buf, size_t len, bool any)
{
	if (!tx_watched(f))
		return;
	if (f->tx_busy++ || f->tx.len + len > STREAM_MAX) { /* two writers: in which order? */
		f->tx_unknown = true;
		return;
	}
	f->tx_start = f->tx.len;
	for (size_t i = 0; any && i < len; i++)
		buf[i] = drill_octet((uint32_t)(f->tx.len + i));
	sb_add(&f->tx, buf, len);
}

void drill_tx_add(struct drill_flow *f, uint8_t *buf, size_t len, bool any)
{
	if (!tx_watched(f) || !f->tx_busy)
		return;
	if (f->tx.len + len > STREAM_MAX) {
		f->tx_unknown = true;
		return;
	}
	for (size_t i = 0; any && i < len; i++)
		buf[i] = drill_octet((uint32_t)(f->tx.len + i));
	sb_add(&f->tx, buf, len);
}

/* Only what was taken is part of the stream. */
void drill_tx_end(struct drill_flow *f, int64_t taken)
{
	if (!f || f->proto != DPROTO_TCP || !f->tx_busy)
		return;
	f->tx_busy--;
	if (f->tx_unknown)
		return;
	f->tx.len = min_sz(f->tx.len, f->tx_start + (size_t)(taken > 0 ? taken : 0));
}

/* Where the first octet of the difference is, in the script's numbers; len: there is none. */
uint32_t drill_tx_check(const struct drill_flow *f, uint32_t live_seq, const uint8_t *p, uint32_t len)
{
	uint32_t off = live_seq - f->tx_first;

	if (!tx_watched(f) || !f->got_isn || off > f->tx.len)
		return len;
	for (uint32_t i = 0; i < len && off + i < f->tx.len; i++)
		if ((uint8_t)f->tx.buf[off + i] != p[i])
			return i;
	return len;
}

/* ---- what it receives ---- */

void drill_rx_packet(struct drill_flow *f, const struct dpkt *k, uint8_t *payload)
{
	uint32_t seq = k->seq + (k->flags & DTCP_SYN ? 1u : 0u);

	if (k->flags & DTCP_SYN) {
		if (f->rx_known && f->rx_first != seq)
			f->rx_unknown = true;
		f->rx_known = true;
		f->rx_first = seq;
	}
	if (k->flags & DTCP_URG)
		f->rx_unknown = true;
	for (uint32_t i = 0; i < k->len; i++)
		payload[i] = drill_octet(seq + i);
}

bool drill_rx_check(struct drill_flow *f, const uint8_t *p, int64_t n, int flags)
{
	bool right = true;

	if (!f || f->proto != DPROTO_TCP || !f->rx_known || f->rx_unknown || n <= 0 || flags & (MSG_OOB | MSG_ERRQUEUE))
		return true;
	if (flags & (MSG_PEEK | MSG_TRUNC)) {
		f->rx_unknown |= (flags & MSG_TRUNC) != 0;
		return true;
	}
	for (int64_t i = 0; i < n && right; i++)
		right = p[i] == drill_octet(f->rx_first + f->rx_pos + (uint32_t)i);
	f->rx_pos += (uint32_t)n;
	return right;
}

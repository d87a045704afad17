/* Writes pcapng (draft-ietf-opsawg-pcapng): which octets a capture file consists of.
 *
 * Called by lab/ for wire.pcapng, by trace/ for steps.pcapng and by app/'s tcpdump. Always written in
 * little-endian order, whatever the machine, so that a run gives the same file everywhere.
 * Tests: tests/unit/wire/test_pcapng.c.
 *
 * A block:  type 4 | total length 4 | body, padded to 4 | total length 4
 * Options at a body's end: code 2 | length 2 | value, padded to 4; ended by code 0, length 0. A body
 * without options has no end mark either. */
#include "wire/pcapng.h"

#include <assert.h>
#include <string.h>

#define BLOCK_SHB 0x0A0D0D0Au
#define BLOCK_IDB 1u
#define BLOCK_EPB 6u
#define BYTE_ORDER_MAGIC 0x1A2B3C4Du
#define BLOCK_LEN_MAX (1u << 24)
/* An option's length has 16 bits; the longest whose padding still fits. */
#define OPTION_MAX 65532u

enum { OPT_END = 0, OPT_COMMENT = 1 };
enum { SHB_HARDWARE = 2, SHB_OS = 3, SHB_USERAPPL = 4 };
enum { IF_NAME = 2, IF_DESCRIPTION = 3, IF_SPEED = 8, IF_TSRESOL = 9, IF_FCSLEN = 13 };
enum { EPB_FLAGS = 2, EPB_PACKETID = 5, EPB_VERDICT = 7 };

static void put_le(struct strbuf *sb, uint64_t v, unsigned octets)
{
	uint8_t b[8];

	for (unsigned i = 0; i < octets; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	sb_add(sb, b, octets);
}

static void put_padding(struct strbuf *sb, size_t len)
{
	sb_add(sb, "\0\0\0", (4 - len % 4) % 4);
}

static void put_option(struct strbuf *sb, uint16_t code, const void *value, size_t len)
{
	if (len > OPTION_MAX)
		len = OPTION_MAX;
	put_le(sb, code, 2);
	put_le(sb, len, 2);
	sb_add(sb, value, len);
	put_padding(sb, len);
}

static void put_option_text(struct strbuf *sb, uint16_t code, const char *text)
{
	if (text && *text)
		put_option(sb, code, text, strlen(text));
}

static void put_option_int(struct strbuf *sb, uint16_t code, uint64_t v, unsigned octets)
{
	put_le(sb, code, 2);
	put_le(sb, octets, 2);
	put_le(sb, v, octets);
	put_padding(sb, octets);
}

/* Returns where the block starts; block_end writes its length into both places. */
static size_t block_begin(struct strbuf *sb, uint32_t type)
{
	size_t start = sb->len;

	put_le(sb, type, 4);
	put_le(sb, 0, 4);
	return start;
}

/* options: where they start, to see whether there are any. */
static void block_end(struct strbuf *sb, size_t start, size_t options)
{
	size_t len;

	if (sb->len > options)
		put_le(sb, OPT_END, 4);
	len = sb->len - start + 4;
	assert(len % 4 == 0 && len <= BLOCK_LEN_MAX);
	put_le(sb, len, 4);
	for (unsigned i = 0; i < 4; i++)
		sb->buf[start + 4 + i] = (char)(uint8_t)(len >> (8 * i));
}

void pcapng_begin(struct pcapng *p, struct strbuf *out, const char *application)
{
	size_t start, options;

	p->sb = out;
	p->n_if = 0;
	start = block_begin(out, BLOCK_SHB);
	put_le(out, BYTE_ORDER_MAGIC, 4);
	put_le(out, 1, 2); /* version 1.0 */
	put_le(out, 0, 2);
	put_le(out, UINT64_MAX, 8); /* section length: not said */
	options = out->len;
	put_option_text(out, SHB_HARDWARE, "culver's virtual hardware");
	put_option_text(out, SHB_OS, "culver");
	put_option_text(out, SHB_USERAPPL, application);
	block_end(out, start, options);
}

uint32_t pcapng_interface(struct pcapng *p, const char *name, const char *description,
			  uint16_t linktype, int fcslen, uint64_t speed_bps)
{
	size_t start = block_begin(p->sb, BLOCK_IDB), options;

	put_le(p->sb, linktype, 2);
	put_le(p->sb, 0, 2);
	put_le(p->sb, 0, 4); /* snap length: no limit */
	options = p->sb->len;
	put_option_text(p->sb, IF_NAME, name);
	put_option_text(p->sb, IF_DESCRIPTION, description);
	if (speed_bps)
		put_option_int(p->sb, IF_SPEED, speed_bps, 8);
	put_option_int(p->sb, IF_TSRESOL, 9, 1); /* 10^-9 s */
	if (fcslen >= 0)
		put_option_int(p->sb, IF_FCSLEN, (uint64_t)fcslen, 1);
	block_end(p->sb, start, options);
	return p->n_if++;
}

void pcapng_packet(struct pcapng *p, const struct pcapng_packet *pkt)
{
	size_t start = block_begin(p->sb, BLOCK_EPB), options;

	assert(pkt->iface < p->n_if);
	put_le(p->sb, pkt->iface, 4);
	put_le(p->sb, pkt->t_ns >> 32, 4);
	put_le(p->sb, pkt->t_ns & 0xffffffffu, 4);
	put_le(p->sb, pkt->len, 4);
	put_le(p->sb, pkt->orig_len, 4);
	sb_add(p->sb, pkt->data, pkt->len);
	put_padding(p->sb, pkt->len);
	options = p->sb->len;
	put_option_text(p->sb, OPT_COMMENT, pkt->comment);
	if (pkt->flags)
		put_option_int(p->sb, EPB_FLAGS, pkt->flags, 4);
	if (pkt->packetid)
		put_option_int(p->sb, EPB_PACKETID, pkt->packetid, 8);
	if (pkt->verdict_len)
		put_option(p->sb, EPB_VERDICT, pkt->verdict, pkt->verdict_len);
	block_end(p->sb, start, options);
}

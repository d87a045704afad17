/* Reading an --out folder: events as jansson reads them, and pcapng blocks (draft-ietf-opsawg-pcapng) with every
 * length checked before it is used. Called by cmd_trace.c. Tests: tests/lab/trace. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/trace_read.h"
#include "os/os_file.h"
#include "os/os_term.h"

#define TRACE_FILE_MAX (4ULL << 30)

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static uint64_t int_of(const json_t *o, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(o, key));

	return v < 0 ? 0 : (uint64_t)v;
}

static bool line_parse(const char *s, size_t len, json_t **obj, struct trace_line *l)
{
	json_error_t e;
	json_t *o = json_loadb(s, len, 0, &e);

	*obj = o;
	if (!json_is_object(o))
		return false;
	*l = (struct trace_line){
		.t_ns = int_of(o, "t"),
		.serial = int_of(o, "serial"),
		.node = text_of(o, "node"),
		.kind = text_of(o, "kind"),
		.func = text_of(o, "func"),
		.layer = text_of(o, "layer"),
		.text = text_of(o, "text"),
		.reason = text_of(o, "reason"),
		.why = text_of(o, "why"),
		.ctx = (uint32_t)int_of(o, "ctx"),
		.cpu = (uint32_t)int_of(o, "cpu"),
		.depth = (uint32_t)int_of(o, "depth"),
	};
	return l->node[0] && l->kind[0];
}

int trace_read(const char *path, bool (*fn)(void *arg, const struct trace_line *l), void *arg, char *err, size_t room)
{
	char *data, *p, *end;
	size_t len, line = 0;
	int r = os_read_file(path, TRACE_FILE_MAX, &data, &len);

	if (r) {
		snprintf(err, room, "%.300s: %s", path, os_strerror(r));
		return -1;
	}
	for (p = data, end = data + len; p < end && !r; ) {
		char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl ? nl : end) - p);
		struct trace_line l;
		json_t *obj;
		bool go;

		line++;
		if (!line_parse(p, n, &obj, &l)) {
			snprintf(err, room, "%.300s:%zu: not an event of culver's", path, line);
			r = -1;
			go = false;
		} else {
			go = fn(arg, &l);
		}
		json_decref(obj);
		if (!go)
			break;
		p += n + 1;
	}
	free(data);
	return r;
}

/* ---- pcapng ---- */

#define PCAPNG_SHB 0x0a0d0d0au
#define PCAPNG_IDB 1u
#define PCAPNG_EPB 6u
#define PCAPNG_MAGIC 0x1a2b3c4du
#define PCAPNG_MAX_IFACES 2000000u

/* culver writes its own machine's order, which is little endian wherever it runs. */
static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

/* An option's value, or NULL. *len: its length. */
static const uint8_t *block_option(const uint8_t *p, const uint8_t *end, uint16_t code, uint16_t *len)
{
	while (end - p >= 4) {
		uint16_t c = le16(p), n = le16(p + 2);
		uint32_t padded = (n + 3u) & ~3u;

		if (c == 0 || (size_t)(end - p - 4) < padded)
			return NULL;
		if (c == code) {
			*len = n;
			return p + 4;
		}
		p += 4 + padded;
	}
	return NULL;
}

static void option_text(const uint8_t *p, const uint8_t *end, uint16_t code, char *out, size_t room)
{
	uint16_t n = 0;
	const uint8_t *v = block_option(p, end, code, &n);

	snprintf(out, room, "%.*s", v ? (int)n : 0, v ? (const char *)v : "");
}

/* Offsets of the interface blocks met so far. */
struct ifaces {
	const uint8_t **block;
	uint32_t n;
};

static bool iface_add(struct ifaces *f, const uint8_t *block)
{
	if (f->n == PCAPNG_MAX_IFACES)
		return false;
	if ((f->n & (f->n - 1)) == 0) {
		const uint8_t **more = realloc(f->block, (f->n ? f->n * 2u : 1u) * sizeof(*more));

		if (!more)
			return false;
		f->block = more;
	}
	f->block[f->n++] = block;
	return true;
}

static bool epb_read(const struct ifaces *f, const uint8_t *b, uint32_t len, struct trace_frame_rec *out)
{
	const uint8_t *end = b + len - 4, *opt;
	uint32_t iface, cap;
	uint16_t n;

	if (len < 32)
		return false;
	iface = le32(b + 8);
	cap = le32(b + 20);
	if (cap > len - 32 || iface >= f->n)
		return false;
	out->t_ns = (uint64_t)le32(b + 12) << 32 | le32(b + 16);
	out->len = cap;
	out->data = b + 28;
	opt = b + 28 + ((cap + 3u) & ~3u);
	option_text(f->block[iface] + 16, f->block[iface] + le32(f->block[iface] + 4) - 4, 2, out->iface,
		    sizeof(out->iface));
	out->comment[0] = '\0';
	out->packetid = 0;
	if (opt > end)
		return true;
	option_text(opt, end, 1, out->comment, sizeof(out->comment));
	opt = block_option(opt, end, 5, &n);
	if (opt && n == 8)
		out->packetid = le32(opt) | (uint64_t)le32(opt + 4) << 32;
	return true;
}

int trace_frame_find(const uint8_t *file, size_t len, uint64_t n, struct trace_frame_rec *out, char *err, size_t room)
{
	struct ifaces f = { 0 };
	uint64_t seen = 0;
	size_t at = 0;
	int r = -1;

	if (len < 12 || le32(file) != PCAPNG_SHB || le32(file + 8) != PCAPNG_MAGIC) {
		snprintf(err, room, "not a pcapng file of culver's");
		return -1;
	}
	snprintf(err, room, "the file is cut off or damaged");
	while (r && len - at >= 12) {
		uint32_t type = le32(file + at), size = le32(file + at + 4);

		if (size < 12 || size % 4 || size > len - at)
			break;
		if (type == PCAPNG_IDB && (size < 20 || !iface_add(&f, file + at)))
			break;
		if (type == PCAPNG_EPB && ++seen == n && (r = epb_read(&f, file + at, size, out) ? 0 : -1) != 0)
			break;
		at += size;
		if (at == len && r)
			snprintf(err, room, "there is no frame %llu: the last is %llu", (unsigned long long)n,
				 (unsigned long long)seen);
	}
	free(f.block);
	return r;
}

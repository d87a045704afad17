/* steps.pcapng: the same packet at every hook and queue it passes, and where it dies.
 *
 * Decides which interface of the file an event belongs to: one per (node, place, link type), in the
 * order in which places first see a packet. A place is the event's hook= or queue= if its text has one,
 * else its function. Called by probes; hands on to wire/'s pcapng writer.
 * Tests: tests/unit/trace/test_steps.c. */
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/pool.h"
#include "base/rng.h"
#include "trace/trace.h"

#define PLACE_NAME_MAX 96
#define INDEX_FIRST 64u
#define FLUSH_AT 65536u
/* epb_verdict: first octet 0 hardware, 1 Linux eBPF TC, 2 XDP; for TC a 64-bit action follows. */
#define VERDICT_HARDWARE 0
#define VERDICT_TC 1
#define TC_ACT_SHOT 2

struct trace_place {
	char name[PLACE_NAME_MAX]; /* "node:place" */
	uint32_t node_id;
	uint32_t iface;
	uint8_t linktype;
};

static const uint8_t index_key[16]; /* no attacker names our places */

/* Value of key (with its =) in "a=1 key=value ..."; its length in *len. NULL: not there. */
static const char *text_value(const char *text, const char *key, size_t *len)
{
	size_t n = strlen(key);

	for (const char *p = text; p && *p; p = strchr(p, ' ')) {
		while (*p == ' ')
			p++;
		if (strncmp(p, key, n) == 0) {
			*len = strcspn(p + n, " ");
			return *len ? p + n : NULL;
		}
	}
	return NULL;
}

static void place_name(char *out, size_t room, const struct trace_event *ev)
{
	size_t len = 0;
	const char *v = text_value(ev->text, "hook=", &len);

	if (!v)
		v = text_value(ev->text, "queue=", &len);
	if (!v) {
		v = ev->func;
		len = strlen(v);
	}
	snprintf(out, room, "%s:%.*s", ev->node ? ev->node : "", (int)min_sz(len, room), v);
}

static uint64_t place_hash(const char *name, uint32_t node_id, uint8_t linktype)
{
	return hash_words(siphash(index_key, name, strlen(name)), node_id, linktype);
}

static uint32_t *index_slot(struct trace_steps *s, const char *name, uint32_t node_id, uint8_t linktype)
{
	uint32_t mask = s->n_index - 1, i = (uint32_t)place_hash(name, node_id, linktype) & mask;

	/* Never more than half full: an empty slot ends the walk. */
	for (; s->index[i]; i = (i + 1) & mask) {
		const struct trace_place *p = &s->places[s->index[i] - 1];

		if (p->node_id == node_id && p->linktype == linktype && strcmp(p->name, name) == 0)
			break;
	}
	return &s->index[i];
}

static void index_grow(struct trace_steps *s)
{
	free(s->index);
	s->n_index = s->n_index ? s->n_index * 2 : INDEX_FIRST;
	s->index = xcalloc(s->n_index, sizeof(*s->index));
	for (uint32_t k = 0; k < s->n_places; k++) {
		const struct trace_place *p = &s->places[k];

		*index_slot(s, p->name, p->node_id, p->linktype) = k + 1;
	}
}

/* The interface of an event's place; a new place gets the next one. False: there are too many. */
static bool place_iface(struct trace_steps *s, const struct trace_event *ev, uint32_t *iface)
{
	char name[PLACE_NAME_MAX];
	struct trace_place *p;
	uint32_t *slot;

	place_name(name, sizeof(name), ev);
	slot = index_slot(s, name, ev->node_id, ev->linktype);
	if (!*slot) {
		if (s->n_places == TRACE_PLACES_MAX)
			return false;
		if (s->n_places == s->room_places) {
			s->room_places = s->room_places ? s->room_places * 2 : INDEX_FIRST / 2;
			s->places = xrealloc(s->places, s->room_places * sizeof(*s->places));
		}
		p = &s->places[s->n_places++];
		memcpy(p->name, name, sizeof(name));
		p->node_id = ev->node_id;
		p->linktype = ev->linktype;
		p->iface = pcapng_interface(&s->png, name, trace_layer_name(trace_layer_of(ev->func)),
					    ev->linktype, -1, 0);
		*slot = s->n_places;
		if (s->n_places >= s->n_index / 2)
			index_grow(s);
		*iface = p->iface;
		return true;
	}
	*iface = s->places[*slot - 1].iface;
	return true;
}

static void steps_flush(struct trace_steps *s)
{
	if (!s->f || s->failed)
		return;
	if (fwrite(s->own.buf, 1, s->own.len, s->f) != s->own.len)
		s->failed = true;
	sb_reset(&s->own);
}

static void steps_comment(struct strbuf *c, const struct trace_event *ev)
{
	sb_printf(c, "%s %s", trace_kind_name((enum trace_kind)ev->kind), ev->func);
	if (ev->kind == TR_DROP)
		sb_printf(c, ": %s, %s", drop_reason_name((enum drop_reason)ev->reason),
			  drop_reason_text((enum drop_reason)ev->reason));
	if (ev->text && *ev->text)
		sb_printf(c, " %s", ev->text);
}

static void steps_packet(struct trace_steps *s, const struct trace_event *ev, uint32_t iface)
{
	uint8_t verdict[9] = { VERDICT_TC, TC_ACT_SHOT };
	struct pcapng_packet pkt = {
		.iface = iface,
		.t_ns = s->epoch_ns + ev->t_ns,
		.data = ev->data,
		.len = ev->data_len,
		.orig_len = ev->data_len,
		.packetid = ev->serial,
	};

	sb_reset(&s->comment);
	steps_comment(&s->comment, ev);
	pkt.comment = sb_str(&s->comment);
	if (ev->kind == TR_DROP) {
		pkt.verdict = verdict;
		pkt.verdict_len = sizeof(verdict);
		if (trace_layer_of(ev->func) == TL_HW) {
			/* what follows is the hardware's own affair: the reason's number */
			verdict[0] = VERDICT_HARDWARE;
			verdict[1] = (uint8_t)ev->reason;
			verdict[2] = (uint8_t)(ev->reason >> 8);
			pkt.verdict_len = 3;
		}
	}
	pcapng_packet(&s->png, &pkt);
}

static void steps_emit(struct trace_sink *self, const struct trace_event *ev)
{
	struct trace_steps *s = container_of(self, struct trace_steps, sink);
	uint32_t iface;

	if (!ev->data || !ev->linktype || s->failed)
		return;
	if (!place_iface(s, ev, &iface)) {
		s->lost++;
		return;
	}
	steps_packet(s, ev, iface);
	s->n++;
	if (s->f && s->own.len >= FLUSH_AT)
		steps_flush(s);
}

void trace_steps_init(struct trace_steps *s, FILE *f, struct strbuf *sb, uint64_t epoch_ns,
		      const char *application)
{
	memset(s, 0, sizeof(*s));
	s->sink.mask = 1u << TR_HOOK | 1u << TR_QUEUE | 1u << TR_DEQUEUE | 1u << TR_DROP;
	s->sink.emit = steps_emit;
	s->f = sb ? NULL : f;
	s->epoch_ns = epoch_ns;
	sb_init(&s->own);
	sb_init(&s->comment);
	pcapng_begin(&s->png, sb ? sb : &s->own, application);
	index_grow(s);
}

void trace_steps_free(struct trace_steps *s)
{
	steps_flush(s);
	sb_free(&s->own);
	sb_free(&s->comment);
	free(s->places);
	free(s->index);
	s->places = NULL;
	s->index = NULL;
}

/* Collectors of trace events: in memory, as JSON lines, as pcapng; and what a reader of them needs: layers,
 * and the names that other kernels give to the same steps. */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include <stdio.h>
#include "base/probe.h"
#include "base/strbuf.h"
#include "wire/pcapng.h"

const char *trace_kind_name(enum trace_kind k);

/* ---- layers (S3-03 to S3-05) ---- */
/* Layer of a function by its name's table (S3-04). TL_NONE: beside the layers (tasks, timers, tables). */
enum trace_layer trace_layer_of(const char *func);
/* OSI layer 1 to 7 of a function, 0 beside the layers. */
unsigned trace_osi_of(const char *func);
/* Which of RFC 1122's four layers a trace_layer belongs to: "link", "network", "transport", "application"; "none". */
const char *trace_layer_name(enum trace_layer l);
/* The table itself, sorted by prefix: a function belongs to its longest matching prefix. */
struct trace_layer_row {
	const char *prefix;
	uint8_t layer; /* enum trace_layer */
	uint8_t osi;
};
const struct trace_layer_row *trace_layer_rows(size_t *n);

/* ---- JSON lines ---- */
/* Events as JSON lines into a string or a FILE. Keys, in this order: t node cpu ctx depth kind func layer osi serial,
 * then, where they apply, reason why (drops), text, len (events with data). */
struct trace_jsonl {
	struct trace_sink sink; /* first */
	FILE *f;
	struct strbuf *sb;
	uint64_t n, limit; /* limit 0: none */
	bool failed; /* a write failed */
	struct strbuf line; /* where a line for f is made */
};
void trace_jsonl_init(struct trace_jsonl *j, FILE *f, struct strbuf *sb, uint32_t mask);
/* Releases the line buffer; f and sb are the caller's. */
void trace_jsonl_free(struct trace_jsonl *j);
/* The JSON Schema of a line (events.schema.json). */
void trace_jsonl_schema(struct strbuf *out);
/* A JSON string with its quotes: octets that are not UTF-8 become U+FFFD. */
void trace_json_string(struct strbuf *out, const char *s, size_t len);

/* ---- in memory ---- */
/* Events kept in memory (tests, story, culver trace). Text, node and func are copied. */
struct trace_rec {
	struct trace_event ev; /* data not kept */
};
struct trace_text; /* a chunk of copied text */
struct trace_mem {
	struct trace_sink sink;
	struct trace_rec *rec;
	size_t n, room, max;
	uint64_t lost; /* events after max were kept */
	struct trace_text *text;
};
void trace_mem_init(struct trace_mem *m, uint32_t mask, size_t max);
void trace_mem_free(struct trace_mem *m);
/* The open entries (ENTER without LEAVE) of the context at record i, innermost first. Returns count. */
size_t trace_mem_stack(const struct trace_mem *m, size_t i, const char **out, size_t room);

/* ---- pcapng of a packet's steps ---- */
struct trace_place;
#define TRACE_PLACES_MAX 65536 /* interfaces in one file; later places are counted in lost */
/* Packets at hooks, queues and deaths, an interface per (node, place). Goes to sb; or to f, block by block. */
struct trace_steps {
	struct trace_sink sink; /* first */
	struct pcapng png;
	FILE *f;
	struct strbuf own, comment;
	uint64_t epoch_ns; /* added to an event's time: when time 0 was, since 1970 */
	uint64_t n, lost;
	bool failed; /* a write failed */
	struct trace_place *places;
	uint32_t n_places, room_places;
	uint32_t *index, n_index; /* hash of (node, place, linktype) to places[] + 1 */
};
void trace_steps_init(struct trace_steps *s, FILE *f, struct strbuf *sb, uint64_t epoch_ns, const char *application);
/* Writes what f has not got yet (then look at failed) and releases all but sb. */
void trace_steps_free(struct trace_steps *s);

/* ---- names of other versions (culver trace --names) ---- */
enum trace_names { NAMES_NOW, NAMES_3X, NAMES_4X };
/* "now", "3.x", "4.x": 0, else -EINVAL. */
int trace_names_parse(const char *s, enum trace_names *out);
/* How version v calls what culver traces as func. *hidden: that kernel inlines or tail-calls it (or has no such
 * function), so that its stack dumps do not show it. hidden may be NULL. */
const char *trace_name_in(enum trace_names v, const char *func, bool *hidden);
/* A stack as that version's dump would show it: renames, leaves out what is hidden (NAMES_NOW keeps it and marks it in
 * hidden[], which may be NULL) and shows neighbours that got the same name once. in and out may be the same array;
 * the order (innermost or outermost first) is kept. Returns how many are left. */
size_t trace_names_stack(enum trace_names v, const char *const *in, size_t n, const char **out, bool *hidden);

#endif

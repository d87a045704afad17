/* Collectors of trace events: in memory, as JSON lines, as pcapng. */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include <stdio.h>
#include "base/probe.h"
#include "base/strbuf.h"

const char *trace_kind_name(enum trace_kind k);
/* Layer of a function by its name's table (S3-04). */
enum trace_layer trace_layer_of(const char *func);

/* Events as JSON lines into a string or a FILE. */
struct trace_jsonl {
	struct trace_sink sink; /* first */
	FILE *f;
	struct strbuf *sb;
	uint64_t n, limit; /* limit 0: none */
	bool failed; /* a write failed */
};
void trace_jsonl_init(struct trace_jsonl *j, FILE *f, struct strbuf *sb, uint32_t mask);

/* Events kept in memory (tests, story, culver trace). Text and func are copied. */
struct trace_rec {
	struct trace_event ev; /* data not kept */
};
struct trace_mem {
	struct trace_sink sink;
	struct trace_rec *rec;
	size_t n, room, max;
};
void trace_mem_init(struct trace_mem *m, uint32_t mask, size_t max);
void trace_mem_free(struct trace_mem *m);
/* The open entries (ENTER without LEAVE) of the context at record i, innermost first. Returns count. */
size_t trace_mem_stack(const struct trace_mem *m, size_t i, const char **out, size_t room);

#endif

/* Reading what --out wrote: events.jsonl line by line, and one frame of a pcapng file. */
#ifndef CLI_TRACE_READ_H
#define CLI_TRACE_READ_H

#include "base/types.h"

struct trace_line { /* one event; strings are valid for the call */
	uint64_t t_ns, serial;
	const char *node, *kind, *func, *layer, *text, *reason, *why;
	uint32_t ctx, cpu, depth;
};
/* Calls fn for each event until it returns false. 0; -1 with a line in err. */
int trace_read(const char *path, bool (*fn)(void *arg, const struct trace_line *l), void *arg, char *err, size_t room);

struct trace_frame_rec {
	uint64_t t_ns, packetid;
	uint32_t len;
	const uint8_t *data; /* inside the file's memory */
	char iface[128], comment[256];
};
/* Frame n (from 1) of a pcapng file in memory. 0; -1 with a line in err. */
int trace_frame_find(const uint8_t *file, size_t len, uint64_t n, struct trace_frame_rec *out, char *err, size_t room);

#endif

/* Trace events kept in memory, and the stack of open functions at one of them.
 *
 * Called by the probe; read by tests, by the story of a visit and by culver trace. What an event borrows
 * (node, func, text) is copied into chunks; packet data is not kept.
 * Tests: tests/unit/trace/test_mem.c. */
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/pool.h"
#include "trace/trace.h"

#define CHUNK_SIZE (64u * 1024u)
#define ROOM_FIRST 256u

struct trace_text {
	struct trace_text *next;
	size_t used, size;
	const char *last_node, *last_func; /* copies to use again: they repeat */
	char bytes[];
};

static struct trace_text *text_chunk(struct trace_mem *m, size_t need)
{
	struct trace_text *c = m->text;
	size_t size;

	if (c && c->size - c->used >= need)
		return c;
	size = need > CHUNK_SIZE ? need : CHUNK_SIZE;
	c = xcalloc(1, sizeof(*c) + size);
	c->size = size;
	c->next = m->text;
	m->text = c;
	return c;
}

static const char *text_copy(struct trace_mem *m, const char *s)
{
	size_t n;
	struct trace_text *c;
	char *at;

	if (!s || !*s)
		return "";
	n = strlen(s) + 1;
	c = text_chunk(m, n);
	at = memcpy(c->bytes + c->used, s, n);
	c->used += n;
	return at;
}

/* Copy, unless the copy made last says the same. */
static const char *text_again(struct trace_mem *m, const char *s, bool is_node)
{
	const char *last = NULL, *copy;

	if (m->text)
		last = is_node ? m->text->last_node : m->text->last_func;
	if (last && s && strcmp(last, s) == 0)
		return last;
	copy = text_copy(m, s);
	if (m->text) {
		if (is_node)
			m->text->last_node = copy;
		else
			m->text->last_func = copy;
	}
	return copy;
}

static void mem_emit(struct trace_sink *self, const struct trace_event *ev)
{
	struct trace_mem *m = container_of(self, struct trace_mem, sink);
	struct trace_event *to;

	if (m->n == m->max) {
		m->lost++;
		return;
	}
	if (m->n == m->room) {
		m->room = m->room ? m->room * 2 : ROOM_FIRST;
		m->rec = xrealloc(m->rec, m->room * sizeof(*m->rec));
	}
	to = &m->rec[m->n++].ev;
	*to = *ev;
	to->node = text_again(m, ev->node, true);
	to->func = text_again(m, ev->func, false);
	to->text = text_copy(m, ev->text);
	to->data = NULL;
}

void trace_mem_init(struct trace_mem *m, uint32_t mask, size_t max)
{
	memset(m, 0, sizeof(*m));
	m->sink.mask = mask;
	m->sink.emit = mem_emit;
	m->max = max ? max : SIZE_MAX;
}

void trace_mem_free(struct trace_mem *m)
{
	while (m->text) {
		struct trace_text *c = m->text;

		m->text = c->next;
		free(c);
	}
	free(m->rec);
	m->rec = NULL;
	m->n = 0;
	m->room = 0;
}

size_t trace_mem_stack(const struct trace_mem *m, size_t i, const char **out, size_t room)
{
	const struct trace_event *at;
	size_t n = 0;
	uint32_t want;

	if (i >= m->n)
		return 0;
	at = &m->rec[i].ev;
	/* Functions of depth 0 to want-1 are open; the last ENTER of a depth before i is the open one,
	 * since a later function of the same depth would have made an ENTER of its own. */
	want = at->depth + (at->kind == TR_ENTER ? 1u : 0u);
	for (size_t k = i + 1; k-- > 0 && want > 0;) {
		const struct trace_event *ev = &m->rec[k].ev;

		if (ev->kind != TR_ENTER || ev->depth != want - 1 || ev->ctx != at->ctx ||
		    ev->node_id != at->node_id)
			continue;
		if (n < room)
			out[n] = ev->func;
		n++;
		want--;
	}
	return n;
}

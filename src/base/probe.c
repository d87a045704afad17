/* The probe: builds a trace event and hands it to every sink that wants its kind.
 *
 * Called only through TRACE, TRACE_FN and the packet forms, by the function that did the work; hands
 * on to trace/'s collectors. Depth counts in the context that runs, also while no sink wants
 * ENTER and LEAVE, so that depth means the same under every mask.
 * Tests: tests/unit/base/test_probe.c. */
#include "base/probe.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Longer text is cut: an event is a line, not a document. */
#define PROBE_TEXT_MAX 1024

void probe_init(struct probe *p, const char *node, uint32_t node_id, const uint64_t *now_ns)
{
	memset(p, 0, sizeof(*p));
	p->node = node;
	p->node_id = node_id;
	p->now_ns = now_ns;
	p->ctx = &p->base_ctx;
}

static void probe_remask(struct probe *p)
{
	p->mask = 0;
	for (const struct trace_sink *s = p->sinks; s; s = s->next)
		p->mask |= s->mask;
	p->on = p->sinks != NULL;
}

void probe_attach(struct probe *p, struct trace_sink *s)
{
	struct trace_sink **at = &p->sinks;

	/* At the end: sinks see events in the order in which they were hung up. */
	while (*at) {
		assert(*at != s);
		at = &(*at)->next;
	}
	s->next = NULL;
	*at = s;
	probe_remask(p);
}

void probe_detach(struct probe *p, struct trace_sink *s)
{
	for (struct trace_sink **at = &p->sinks; *at; at = &(*at)->next) {
		if (*at == s) {
			*at = s->next;
			s->next = NULL;
			break;
		}
	}
	probe_remask(p);
}

static bool probe_wants(const struct probe *p, enum trace_kind k)
{
	return p->on && (p->mask & (1u << k)) != 0;
}

static void probe_event_init(const struct probe *p, struct trace_event *ev, enum trace_kind k,
			     const char *func, uint64_t serial)
{
	memset(ev, 0, sizeof(*ev));
	ev->t_ns = *p->now_ns;
	ev->serial = serial;
	ev->node = p->node;
	ev->node_id = p->node_id;
	ev->func = func;
	ev->text = "";
	ev->ctx = p->ctx->id;
	ev->depth = p->ctx->depth;
	ev->kind = (uint8_t)k;
	ev->cpu = p->cpu;
}

static void probe_send(struct probe *p, const struct trace_event *ev)
{
	struct trace_sink *next;

	/* A sink may take itself off from within its call. */
	for (struct trace_sink *s = p->sinks; s; s = next) {
		next = s->next;
		if (s->mask & (1u << ev->kind))
			s->emit(s, ev);
	}
}

void probe_emit_(struct probe *p, enum trace_kind k, const char *func, uint64_t serial,
		 const char *fmt, ...)
{
	char text[PROBE_TEXT_MAX];
	struct trace_event ev;
	va_list ap;

	if (!probe_wants(p, k))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	probe_event_init(p, &ev, k, func, serial);
	ev.text = text;
	probe_send(p, &ev);
}

void probe_drop_(struct probe *p, const char *func, uint64_t serial, enum drop_reason r,
		 const uint8_t *data, uint32_t len, uint8_t linktype)
{
	struct trace_event ev;

	if (!probe_wants(p, TR_DROP))
		return;
	probe_event_init(p, &ev, TR_DROP, func, serial);
	ev.reason = (uint16_t)r;
	ev.data = data;
	ev.data_len = len;
	ev.linktype = linktype;
	probe_send(p, &ev);
}

void probe_packet_(struct probe *p, enum trace_kind k, const char *func, uint64_t serial,
		   const uint8_t *data, uint32_t len, uint8_t linktype, const char *fmt, ...)
{
	char text[PROBE_TEXT_MAX];
	struct trace_event ev;
	va_list ap;

	if (!probe_wants(p, k))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	probe_event_init(p, &ev, k, func, serial);
	ev.text = text;
	ev.data = data;
	ev.data_len = len;
	ev.linktype = linktype;
	probe_send(p, &ev);
}

void probe_enter_(struct probe *p, const char *func, uint64_t serial)
{
	struct trace_event ev;

	if (probe_wants(p, TR_ENTER)) {
		probe_event_init(p, &ev, TR_ENTER, func, serial);
		probe_send(p, &ev);
	}
	p->ctx->depth++;
}

void trace_enter_(struct trace_frame *f, struct probe *p, const char *func, uint64_t serial)
{
	f->func = func;
	f->serial = serial;
	f->p = p;
	probe_enter_(p, func, serial);
}

void probe_leave_(struct probe *p, const char *func, uint64_t serial)
{
	struct trace_event ev;

	/* Entered while on, left after the last sink went: the depth must still come back. */
	assert(p->ctx->depth > 0);
	p->ctx->depth--;
	if (probe_wants(p, TR_LEAVE)) {
		probe_event_init(p, &ev, TR_LEAVE, func, serial);
		probe_send(p, &ev);
	}
}

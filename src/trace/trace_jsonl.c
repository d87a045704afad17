/* Trace events as JSON lines (events.jsonl), and their schema.
 *
 * Decides the keys, their order and the escaping (RFC 8259 section 7). Called by the probe of every host,
 * switch and cable; hands on to a FILE or a string. The same event always gives the same octets.
 * Tests: tests/unit/trace/test_jsonl.c. */
#include <inttypes.h>
#include <string.h>

#include "base/list.h"
#include "trace/trace.h"

static const char *const kind_names[TR_KIND_MAX] = {
	[TR_ENTER] = "enter", [TR_LEAVE] = "leave", [TR_BORN] = "born", [TR_CLONE] = "clone",
	[TR_COPY] = "copy", [TR_CONSUME] = "consume", [TR_DROP] = "drop", [TR_HOOK] = "hook",
	[TR_QUEUE] = "queue", [TR_DEQUEUE] = "dequeue", [TR_ROUTE] = "route", [TR_NEIGH] = "neigh",
	[TR_STATE] = "state", [TR_REG] = "reg", [TR_DMA] = "dma", [TR_IRQ] = "irq",
	[TR_SOFTIRQ] = "softirq", [TR_TASK] = "task", [TR_WIRE] = "wire", [TR_SWITCH] = "switch",
	[TR_SYSCALL] = "syscall", [TR_APP] = "app", [TR_NOTE] = "note",
};

const char *trace_kind_name(enum trace_kind k)
{
	return (unsigned)k < TR_KIND_MAX ? kind_names[k] : "unknown";
}

/* Length of the UTF-8 sequence at s (RFC 3629 section 4), 0 if it is none. */
static size_t utf8_len(const uint8_t *s, size_t len)
{
	uint8_t lo = 0x80, hi = 0xbf; /* bounds of the second octet */
	size_t n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;
	/* Overlong forms, surrogates and what lies beyond U+10FFFF show in the second octet. */
	if (s[0] == 0xe0)
		lo = 0xa0;
	else if (s[0] == 0xed)
		hi = 0x9f;
	else if (s[0] == 0xf0)
		lo = 0x90;
	else if (s[0] == 0xf4)
		hi = 0x8f;
	if (len < n || s[1] < lo || s[1] > hi)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return n;
}

static void put_escaped(struct strbuf *out, uint8_t c)
{
	switch (c) {
	case '"':
		sb_puts(out, "\\\"");
		break;
	case '\\':
		sb_puts(out, "\\\\");
		break;
	case '\n':
		sb_puts(out, "\\n");
		break;
	case '\r':
		sb_puts(out, "\\r");
		break;
	case '\t':
		sb_puts(out, "\\t");
		break;
	default:
		sb_printf(out, "\\u%04x", c);
		break;
	}
}

void trace_json_string(struct strbuf *out, const char *s, size_t len)
{
	const uint8_t *p = (const uint8_t *)s;
	size_t i = 0, plain = 0; /* plain: start of what needs no escape */

	sb_putc(out, '"');
	while (i < len) {
		size_t n = utf8_len(p + i, len - i);

		if (n && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\' && p[i] != 0x7f) {
			i += n;
			continue;
		}
		sb_add(out, s + plain, i - plain);
		if (n)
			put_escaped(out, p[i]);
		else
			sb_puts(out, "\\ufffd");
		plain = ++i;
	}
	sb_add(out, s + plain, i - plain);
	sb_putc(out, '"');
}

static void put_string_key(struct strbuf *out, const char *key, const char *value)
{
	sb_puts(out, key);
	trace_json_string(out, value, strlen(value));
}

static void put_int_key(struct strbuf *out, const char *key, uint64_t v)
{
	char digits[20];
	size_t n = sizeof(digits);

	do {
		digits[--n] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	sb_puts(out, key);
	sb_add(out, digits + n, sizeof(digits) - n);
}

/* Keys are written with their quotes and separators: this runs once per event. */
static void put_event(struct strbuf *out, const struct trace_event *ev)
{
	put_int_key(out, "{\"t\":", ev->t_ns);
	put_string_key(out, ",\"node\":", ev->node ? ev->node : "");
	put_int_key(out, ",\"cpu\":", ev->cpu);
	put_int_key(out, ",\"ctx\":", ev->ctx);
	put_int_key(out, ",\"depth\":", ev->depth);
	put_string_key(out, ",\"kind\":", trace_kind_name((enum trace_kind)ev->kind));
	put_string_key(out, ",\"func\":", ev->func);
	put_string_key(out, ",\"layer\":", trace_layer_name(trace_layer_of(ev->func)));
	put_int_key(out, ",\"osi\":", trace_osi_of(ev->func));
	put_int_key(out, ",\"serial\":", ev->serial);
	if (ev->kind == TR_DROP) {
		put_string_key(out, ",\"reason\":", drop_reason_name((enum drop_reason)ev->reason));
		put_string_key(out, ",\"why\":", drop_reason_text((enum drop_reason)ev->reason));
	}
	if (ev->text && *ev->text)
		put_string_key(out, ",\"text\":", ev->text);
	if (ev->data)
		put_int_key(out, ",\"len\":", ev->data_len);
	sb_puts(out, "}\n");
}

static void jsonl_emit(struct trace_sink *self, const struct trace_event *ev)
{
	struct trace_jsonl *j = container_of(self, struct trace_jsonl, sink);

	if (j->failed || (j->limit && j->n >= j->limit))
		return;
	j->n++;
	if (j->sb)
		put_event(j->sb, ev);
	if (!j->f)
		return;
	sb_reset(&j->line);
	put_event(&j->line, ev);
	if (fwrite(j->line.buf, 1, j->line.len, j->f) != j->line.len)
		j->failed = true;
}

void trace_jsonl_init(struct trace_jsonl *j, FILE *f, struct strbuf *sb, uint32_t mask)
{
	memset(j, 0, sizeof(*j));
	j->sink.mask = mask;
	j->sink.emit = jsonl_emit;
	j->f = f;
	j->sb = sb;
	sb_init(&j->line);
}

void trace_jsonl_free(struct trace_jsonl *j)
{
	sb_free(&j->line);
}

static void schema_int(struct strbuf *out, const char *key, const char *what)
{
	sb_printf(out, "    \"%s\": {\"type\": \"integer\", \"minimum\": 0, \"description\": \"%s\"},\n",
		  key, what);
}

static void schema_enums(struct strbuf *out)
{
	sb_puts(out, "    \"kind\": {\"enum\": [");
	for (int k = 0; k < TR_KIND_MAX; k++)
		sb_printf(out, "%s\"%s\"", k ? ", " : "", trace_kind_name((enum trace_kind)k));
	sb_puts(out, "]},\n    \"func\": {\"type\": \"string\", \"description\": \"the function that did it\"},\n"
		     "    \"layer\": {\"enum\": [\"none\", \"link\", \"network\", \"transport\", "
		     "\"application\"]},\n"
		     "    \"osi\": {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 7},\n");
	schema_int(out, "serial", "the packet, 0: none");
	sb_puts(out, "    \"reason\": {\"enum\": [");
	for (int r = 0; r < DROP_REASON_MAX; r++)
		sb_printf(out, "%s\"%s\"", r ? ", " : "", drop_reason_name((enum drop_reason)r));
	sb_puts(out, "]},\n");
}

void trace_jsonl_schema(struct strbuf *out)
{
	sb_puts(out, "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
		     "  \"title\": \"culver trace event (one line of events.jsonl)\",\n"
		     "  \"type\": \"object\",\n  \"properties\": {\n");
	schema_int(out, "t", "virtual time in ns");
	sb_puts(out, "    \"node\": {\"type\": \"string\"},\n");
	schema_int(out, "cpu", "the simulated CPU");
	schema_int(out, "ctx", "0 the host itself, else the task");
	schema_int(out, "depth", "nesting within node and ctx");
	schema_enums(out);
	sb_puts(out, "    \"why\": {\"type\": \"string\", \"description\": \"the reason as a sentence\"},\n"
		     "    \"text\": {\"type\": \"string\", \"description\": \"key=value pairs\"},\n"
		     "    \"len\": {\"type\": \"integer\", \"minimum\": 0, \"description\": \"octets at hand\"}\n"
		     "  },\n  \"required\": [\"t\", \"node\", \"cpu\", \"ctx\", \"depth\", \"kind\", \"func\", "
		     "\"layer\", \"osi\", \"serial\"],\n"
		     "  \"if\": {\"properties\": {\"kind\": {\"const\": \"drop\"}}},\n"
		     "  \"then\": {\"required\": [\"reason\", \"why\"]},\n"
		     "  \"additionalProperties\": false\n}\n");
}

/* The story on paper: numbered steps, the table of times, the page's first lines; and the same as JSON. Called by
 * cli/cmd_visit.c. Integers only, so that the text is the same everywhere. Tests: tests/unit/lab/test_story.c. */
#include <stdio.h>
#include <string.h>
#include "lab/story.h"
#include "trace/trace.h"

#define BAR_WIDTH 40u

#define DIM "\033[2m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

static void put_time(struct strbuf *out, uint64_t t_ns)
{
	sb_printf(out, "%llu.%09llu", (unsigned long long)(t_ns / NSEC_PER_SEC), (unsigned long long)(t_ns % NSEC_PER_SEC));
}

void story_print(const struct story *s, uint32_t from, bool colour, struct strbuf *out)
{
	for (uint32_t i = from; i < s->n; i++) {
		const struct story_step *st = &s->step[i];

		sb_printf(out, "%4u. ", i + 1);
		put_time(out, st->t_ns);
		sb_printf(out, "  %s%s%s, %s: %s%s%s%s%s%s\n", colour ? BOLD : "", st->node, colour ? PLAIN : "", st->func,
			  st->text, colour ? DIM : "", st->reason[0] ? " (" : "", st->reason, st->reason[0] ? ")" : "",
			  colour ? PLAIN : "");
	}
}

/* ---- times ---- */

struct part {
	const char *name;
	uint64_t from, to;
};

/* The parts of a visit in order; a part that was not completed has to == 0, or an earlier URL's time after a redirect.
 * The one in which it failed lasted to the end. Returns how many. */
static unsigned parts(const struct visit *v, struct part p[7])
{
	const struct part all[] = {
		{ "be sent elsewhere", v->t_start_ns, v->t_url_ns },
		{ "parse the URL", v->t_url_ns, v->t_parsed_ns },
		{ "resolve the name", v->t_parsed_ns, v->t_resolved_ns },
		{ "connect", v->t_resolved_ns, v->t_connected_ns },
		{ "wait for the first octet", v->t_connected_ns, v->t_first_byte_ns },
		{ "receive the page", v->t_first_byte_ns, v->t_done_ns },
		{ "close", v->t_done_ns, v->t_closed_ns },
	};
	unsigned i = v->t_url_ns > v->t_start_ns ? 0 : 1, first = i, n = 0;

	for (; i < ARRAY_SIZE(all) && all[i].to >= all[i].from && (all[i].to || i == first); i++)
		p[n++] = all[i];
	if (n && i < ARRAY_SIZE(all) && v->t_closed_ns >= all[i].from) {
		p[n] = all[i];
		p[n++].to = v->t_closed_ns;
	}
	return n;
}

/* "12.345678 ms" */
static void put_ms(struct strbuf *out, uint64_t ns)
{
	sb_printf(out, "%6llu.%06llu ms", (unsigned long long)(ns / NSEC_PER_MSEC), (unsigned long long)(ns % NSEC_PER_MSEC));
}

void story_times(const struct visit *v, struct strbuf *out)
{
	struct part p[7];
	unsigned n = parts(v, p);
	uint64_t total = n ? p[n - 1].to - p[0].from : 0;

	sb_puts(out, "Where the time went\n");
	for (unsigned i = 0; i < n; i++) {
		uint64_t ns = p[i].to - p[i].from;
		/* A part that took any time at all shows. */
		uint64_t bar = total ? (ns * BAR_WIDTH + total - 1) / total : 0;

		sb_printf(out, "  %-26s", p[i].name);
		put_ms(out, ns);
		sb_puts(out, bar ? "  " : "");
		for (uint64_t k = 0; k < bar; k++)
			sb_putc(out, '#');
		sb_putc(out, '\n');
	}
	sb_printf(out, "  %-26s", "in all");
	put_ms(out, total);
	sb_putc(out, '\n');
}

void story_page(const struct visit *v, unsigned lines, unsigned columns, struct strbuf *out)
{
	const char *p = v->body.len ? sb_str(&v->body) : "", *end = p + v->body.len;

	for (unsigned l = 0; l < lines && p < end; l++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((nl ? nl : end) - p);

		sb_puts(out, "  | ");
		for (size_t i = 0; i < len && i < columns; i++) {
			unsigned char c = (unsigned char)p[i];

			if (c == '\t')
				sb_puts(out, "    ");
			else
				sb_putc(out, c < 0x20 || c == 0x7f ? '.' : (char)c);
		}
		sb_puts(out, len > columns ? "...\n" : "\n");
		p += len + 1;
	}
	if (p < end)
		sb_puts(out, "  | ...\n");
}

/* ---- JSON ---- */

static void put_key(struct strbuf *out, const char *key, const char *value)
{
	sb_printf(out, ",\"%s\":", key);
	trace_json_string(out, value, strlen(value));
}

void story_json(const struct story *s, const char *url, const struct visit *v, struct strbuf *out)
{
	static const char *const result[] = { "ok", "network", "usage" };
	char ip[IP4_STRLEN];
	struct part p[7];
	unsigned n = parts(v, p);

	sb_puts(out, "{\"url\":");
	trace_json_string(out, url, strlen(url));
	put_key(out, "result", result[v->result]);
	put_key(out, "error", v->error);
	put_key(out, "address", v->addr ? ip4_str(ip, v->addr) : "");
	sb_printf(out, ",\"status\":%d,\"octets\":%zu,\"browser_cache\":%s,\"os_cache\":%s,\"hosts_file\":%s,\"times\":[",
		  v->http_status, v->body.len, v->from_browser_dns_cache ? "true" : "false",
		  v->from_os_cache ? "true" : "false", v->from_hosts ? "true" : "false");
	for (unsigned i = 0; i < n; i++)
		sb_printf(out, "%s{\"part\":\"%s\",\"ns\":%llu}", i ? "," : "", p[i].name,
			  (unsigned long long)(p[i].to - p[i].from));
	sb_puts(out, "],\"steps\":[");
	for (uint32_t i = 0; i < s->n; i++) {
		const struct story_step *st = &s->step[i];

		sb_printf(out, "%s{\"n\":%u,\"t_ns\":%llu", i ? "," : "", i + 1, (unsigned long long)st->t_ns);
		put_key(out, "node", st->node);
		put_key(out, "function", st->func);
		put_key(out, "layer", trace_layer_name((enum trace_layer)st->layer));
		put_key(out, "text", st->text);
		put_key(out, "reason", st->reason);
		sb_putc(out, '}');
	}
	sb_puts(out, "]}");
}

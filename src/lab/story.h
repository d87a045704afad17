/* The story of a visit: numbered steps, each made from an event that the code which did the work emitted. Nothing is
 * told that no event told. */
#ifndef LAB_STORY_H
#define LAB_STORY_H

#include "app/app.h"
#include "base/strbuf.h"
#include "trace/trace.h"

#define STORY_MAX_STEPS 100000u

struct story_step {
	uint64_t t_ns;
	const char *node, *func; /* live as long as the lab */
	uint8_t layer;           /* enum trace_layer of func */
	char *text, *reason;     /* reason may be "" */
};

struct story_packet;
struct story {
	struct trace_sink sink; /* first: hang it on the lab */
	const char *client;     /* the node that visits */
	struct story_step *step;
	uint32_t n;
	bool telling;           /* only while somebody listens */
	/* packets met, by serial */
	struct story_packet *packet;
	uint32_t n_packets, room_packets;
	/* what was told once and need not be told again */
	uint64_t *told;
	uint32_t n_told, room_told;
	uint64_t followed; /* the first SYN: what happens to it is told on each node */
	bool fin_seen;
	/* the page on its way: segments that reached the client's TCP with data */
	uint64_t data_segments, data_octets, data_first_ns, data_last_ns;
	uint32_t data_largest;
};

void story_init(struct story *s, const char *client);
void story_free(struct story *s);
/* Begin to listen: forgets earlier steps. */
void story_begin(struct story *s);
void story_end(struct story *s);

/* From step "from" (0: all) on, numbered; colour: for a terminal. */
void story_print(const struct story *s, uint32_t from, bool colour, struct strbuf *out);
/* Where the time went, one line for each part of the visit. */
void story_times(const struct visit *v, struct strbuf *out);
/* The page's first lines, at most "lines" of at most "columns" characters; control characters made visible. */
void story_page(const struct visit *v, unsigned lines, unsigned columns, struct strbuf *out);
/* One visit as a JSON object. */
void story_json(const struct story *s, const char *url, const struct visit *v, struct strbuf *out);

/* story_rules.c: the sentence for an event, and its reason; false: no step. */
struct story_rule {
	uint8_t kind;
	bool client_only;
	enum { STORY_EACH, STORY_ONCE /* the first time on its node */, STORY_FOLLOWED /* only of the first SYN */ } when;
	const char *func;       /* NULL: any */
	const char *match;      /* the text begins so, or with a leading '*': holds it */
	const char *say, *why;  /* {key} is replaced by the text's key=value; {0} by the whole text */
};
const struct story_rule *story_rule_find(const struct story *s, const struct trace_event *ev);
/* Replace {key}s. */
void story_fill(struct strbuf *out, const char *pattern, const char *text);

#endif

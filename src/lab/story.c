/* The story of a visit, told from trace events. Programs', routes', neighbours' and TCP's events become sentences by
 * story_rules.c's table; frames are told here: what is sent first where (a packet keeps its serial over all cables, so
 * only its first cable makes a step), what way the SYN took, who dropped what, and how many segments the page came in.
 * Called as a trace sink by the lab's probes; read by cli/cmd_visit.c. Tests: tests/unit/lab/test_story.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/pool.h"
#include "base/rng.h"
#include "lab/frame_words.h"
#include "lab/lab.h"
#include "lab/story.h"

#define STORY_MAX_PACKETS 10000000u
#define STORY_WAY_MAX 400u

struct story_packet {
	uint64_t serial;        /* 0: free slot */
	const char *maker;      /* the first function that was entered with it */
	uint8_t kind;           /* enum frame_kind; FW_OTHER until it is on a cable */
	bool on_cable, arrived;
	uint32_t payload, cables;
	uint64_t sent_ns;
	const char *at;         /* node that sent it last */
	char *way;              /* "client, sw1 (p1 to p4), r1": only for the packets followed */
};

/* ---- what was met ---- */

static struct story_packet *packet_slot(struct story *s, uint64_t serial)
{
	uint32_t mask = s->room_packets - 1, i = (uint32_t)hash_words(0, serial, 0) & mask;

	while (s->packet[i].serial && s->packet[i].serial != serial)
		i = (i + 1) & mask;
	return &s->packet[i];
}

static struct story_packet *packet_get(struct story *s, uint64_t serial)
{
	struct story_packet *p;

	if ((s->n_packets + 1) * 2 > s->room_packets && s->n_packets < STORY_MAX_PACKETS) {
		struct story_packet *old = s->packet;
		uint32_t n = s->room_packets;

		s->room_packets = n ? n * 2 : 1024;
		s->packet = xcalloc(s->room_packets, sizeof(*s->packet));
		for (uint32_t i = 0; i < n; i++)
			if (old[i].serial)
				*packet_slot(s, old[i].serial) = old[i];
		free(old);
	}
	p = packet_slot(s, serial);
	if (!p->serial) {
		if (s->n_packets >= STORY_MAX_PACKETS)
			return NULL;
		p->serial = serial;
		s->n_packets++;
	}
	return p;
}

/* Was this said before? */
static bool known(const struct story *s, uint64_t what)
{
	for (uint32_t i = 0; i < s->n_told; i++)
		if (s->told[i] == what)
			return true;
	return false;
}

/* The same, and remembers it. */
static bool told(struct story *s, uint64_t what)
{
	if (known(s, what))
		return true;
	if (s->n_told == s->room_told) {
		s->room_told = s->room_told ? s->room_told * 2 : 64;
		s->told = xrealloc(s->told, s->room_told * sizeof(*s->told));
	}
	s->told[s->n_told++] = what;
	return false;
}

static uint64_t text_key(const char *a, const char *b, uint64_t c)
{
	static const uint8_t key[16];

	return hash_words(siphash(key, a, strlen(a)), siphash(key, b, strlen(b)), c);
}

/* ---- steps ---- */

/* text and reason are copied. */
static struct story_step *step(struct story *s, uint64_t t_ns, const char *node, const char *func, const char *text,
			       const char *reason)
{
	struct story_step *st;

	if (s->n == STORY_MAX_STEPS)
		return &s->step[s->n - 1];
	if ((s->n & (s->n - 1)) == 0)
		s->step = xrealloc(s->step, (s->n ? s->n * 2u : 1u) * sizeof(*s->step));
	st = &s->step[s->n++];
	st->t_ns = t_ns;
	st->node = node;
	st->func = func;
	st->layer = (uint8_t)trace_layer_of(func);
	st->text = xstrdup(text);
	st->reason = xstrdup(reason);
	return st;
}

/* The first packet that a TCP of the client sends is its SYN: its way down is told before it is on a cable. */
static bool is_followed(const struct story *s, uint64_t serial)
{
	return serial && serial == s->followed;
}

static void rule_step(struct story *s, const struct story_rule *r, const struct trace_event *ev)
{
	struct story_step *st;
	struct strbuf text, why;

	if (r->when == STORY_ONCE && told(s, text_key(ev->node, ev->text, ev->kind)))
		return;
	if (r->when == STORY_FOLLOWED && !is_followed(s, ev->serial))
		return;
	sb_init(&text);
	sb_init(&why);
	story_fill(&text, r->say, ev->text);
	story_fill(&why, r->why, ev->text);
	st = step(s, ev->t_ns, ev->node, ev->func, sb_str(&text), why.len ? sb_str(&why) : "");
	if (ev->kind == TR_APP) /* programs' functions stand in no layer's table */
		st->layer = TL_APP;
	sb_free(&text);
	sb_free(&why);
}

/* ---- frames ---- */

/* Which frames are told one by one: of the rest only the first from each node. */
static bool frame_told(struct story *s, const struct trace_event *ev, const struct frame_words *w)
{
	switch (w->kind) {
	case FW_ARP_REQUEST:
		/* One that is not broadcast only makes sure that an old entry still holds. */
		if (w->broadcast)
			told(s, text_key("arp", "asked", (uint64_t)w->daddr << 32 | w->saddr));
		return w->broadcast;
	case FW_ARP_REPLY:
		return known(s, text_key("arp", "asked", (uint64_t)w->saddr << 32 | w->daddr)) &&
		       !told(s, text_key(ev->node, w->text, w->daddr));
	case FW_TCP_FIN:
		s->fin_seen = true;
		return true;
	case FW_TCP_ACK:
		if (s->fin_seen) /* it acknowledges the FIN */
			return true;
		/* fall through */
	case FW_TCP_DATA:
		return !told(s, text_key(ev->node, "tcp", (uint64_t)w->kind << 32 | (uint64_t)w->sport << 16 | w->dport));
	case FW_UDP:
	case FW_ICMP:
	case FW_OTHER:
	case FW_FRAGMENT:
		return !told(s, text_key(ev->node, "frame", w->kind));
	default:
		return true;
	}
}

static const char *frame_reason(enum frame_kind k)
{
	switch (k) {
	case FW_ARP_REQUEST:
		return "broadcast: everybody on this cable's network hears it";
	case FW_ARP_REPLY:
		return "to the asker alone";
	case FW_DNS_QUERY:
		return "UDP, port 53";
	case FW_TCP_SYN:
		return "first of three: wants to connect, and names its first sequence number";
	case FW_TCP_SYNACK:
		return "second of three: agrees, and names its own";
	case FW_TCP_ACK:
		return "a number acknowledged: all octets before it have come";
	case FW_TCP_FIN:
		return "this end has nothing more to send";
	case FW_TCP_RST:
		return "there is no such connection";
	default:
		return "";
	}
}

static void way_add(struct story_packet *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void way_add(struct story_packet *p, const char *fmt, ...)
{
	size_t at;
	va_list ap;

	if (!p->way)
		p->way = xcalloc(1, STORY_WAY_MAX);
	at = strlen(p->way);
	va_start(ap, fmt);
	vsnprintf(p->way + at, STORY_WAY_MAX - at, fmt, ap);
	va_end(ap);
}

/* Packets whose whole way is told: the question and the SYN go through everything there is. */
static bool followed(const struct story_packet *p)
{
	return p->kind == FW_TCP_SYN || p->kind == FW_TCP_SYNACK || p->kind == FW_DNS_QUERY;
}

static void on_wire(struct story *s, const struct trace_event *ev)
{
	struct story_packet *p = packet_get(s, ev->serial);
	struct frame_words w;

	if (!p || !frame_words(ev->data, ev->data_len, &w))
		return;
	p->cables++;
	if (!p->on_cable) {
		p->on_cable = true;
		p->kind = (uint8_t)w.kind;
		p->payload = w.payload;
		p->sent_ns = ev->t_ns;
		if (frame_told(s, ev, &w)) {
			char text[sizeof(w.text) + 64];

			snprintf(text, sizeof(text), "sends %s [packet %llu, %u octets on the cable]", w.text,
				 (unsigned long long)ev->serial, w.octets);
			step(s, ev->t_ns, ev->node, p->maker ? p->maker : ev->func, text, frame_reason(w.kind));
		}
	}
	if (followed(p) && (!p->at || strcmp(p->at, ev->node) != 0))
		way_add(p, "%s%s", p->way ? ", " : "", ev->node);
	p->at = ev->node;
}

/* The way ends where a transport takes the packet. */
static void on_arrival(struct story *s, const struct trace_event *ev)
{
	struct story_packet *p = packet_get(s, ev->serial);
	char text[STORY_WAY_MAX + 100], why[80];

	if (!p || !p->on_cable)
		return;
	if (!strcmp(ev->node, s->client) && (p->kind == FW_TCP_DATA || p->kind == FW_TCP_FIN) && p->payload && !p->arrived) {
		if (!s->data_segments++)
			s->data_first_ns = ev->t_ns;
		s->data_octets += p->payload;
		s->data_last_ns = ev->t_ns;
		s->data_largest = max_u32(s->data_largest, p->payload);
	}
	if (!p->arrived && followed(p)) {
		uint64_t us = (ev->t_ns - p->sent_ns) / 100;

		snprintf(text, sizeof(text), "packet %llu has come: %s, %s", (unsigned long long)p->serial,
			 p->way ? p->way : "", ev->node);
		snprintf(why, sizeof(why), "%u cables, %llu.%llu us", p->cables, (unsigned long long)(us / 10),
			 (unsigned long long)(us % 10));
		step(s, ev->t_ns, ev->node, ev->func, text, why);
	}
	p->arrived = true;
}

static void on_enter(struct story *s, const struct trace_event *ev)
{
	struct story_packet *p;
	enum trace_layer layer;

	if (!ev->serial)
		return;
	p = packet_get(s, ev->serial);
	/* Who made it: the first that belongs to a layer above the link. */
	layer = trace_layer_of(ev->func);
	if (p && !p->maker && (layer == TL_NETWORK || layer == TL_TRANSPORT))
		p->maker = ev->func;
	if (!s->followed && !strcmp(ev->func, "__tcp_transmit_skb") && !strcmp(ev->node, s->client))
		s->followed = ev->serial;
	if (!strcmp(ev->func, "tcp_v4_rcv") || !strcmp(ev->func, "udp_rcv"))
		on_arrival(s, ev);
}

static void on_drop(struct story *s, const struct trace_event *ev)
{
	char text[200];

	/* What a closed socket had not read is no loss on the way. */
	if (ev->reason == DROP_SOCKET_CLOSE)
		return;
	if (told(s, text_key(ev->node, "drop", ev->reason)))
		return;
	snprintf(text, sizeof(text), "drops packet %llu: %s", (unsigned long long)ev->serial,
		 drop_reason_text((enum drop_reason)ev->reason));
	step(s, ev->t_ns, ev->node, ev->func, text, drop_reason_name((enum drop_reason)ev->reason));
}

static void on_born(struct story *s, const struct trace_event *ev)
{
	char text[120];
	unsigned long long parent;

	if (!strstr(ev->text, "retrans") || sscanf(ev->text, "parent=%llu", &parent) != 1)
		return;
	snprintf(text, sizeof(text), "packet %llu again, as packet %llu", parent, (unsigned long long)ev->serial);
	step(s, ev->t_ns, ev->node, ev->func, text, "no acknowledgement came");
}

/* ---- the sink ---- */

static void story_emit(struct trace_sink *self, const struct trace_event *ev)
{
	struct story *s = container_of(self, struct story, sink);
	const struct story_rule *r;

	if (!s->telling)
		return;
	switch (ev->kind) {
	case TR_ENTER:
		on_enter(s, ev);
		return;
	case TR_WIRE:
		on_wire(s, ev);
		return;
	case TR_DROP:
		on_drop(s, ev);
		return;
	case TR_BORN:
		on_born(s, ev);
		return;
	case TR_NEIGH:
		/* ARP names the packet that it makes. */
		if (ev->serial && !strncmp(ev->text, "arp ", 4) && packet_get(s, ev->serial))
			packet_get(s, ev->serial)->maker = ev->func;
		break;
	default:
		break;
	}
	r = story_rule_find(s, ev);
	if (r)
		rule_step(s, r, ev);
}

void story_init(struct story *s, const char *client)
{
	memset(s, 0, sizeof(*s));
	s->client = client;
	s->sink.emit = story_emit;
	s->sink.mask = 1u << TR_ENTER | 1u << TR_WIRE | 1u << TR_SWITCH | 1u << TR_DROP | 1u << TR_BORN | 1u << TR_NOTE | 1u << TR_APP |
		       1u << TR_NEIGH | 1u << TR_ROUTE | 1u << TR_STATE | 1u << TR_HOOK | 1u << TR_QUEUE | 1u << TR_DMA;
}

static void forget(struct story *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		free(s->step[i].text);
		free(s->step[i].reason);
	}
	free(s->step);
	for (uint32_t i = 0; i < s->room_packets; i++)
		free(s->packet[i].way);
	free(s->packet);
	free(s->told);
	s->step = NULL;
	s->packet = NULL;
	s->told = NULL;
	s->n = s->n_packets = s->room_packets = s->n_told = s->room_told = 0;
	s->data_segments = s->data_octets = s->data_first_ns = s->data_last_ns = 0;
	s->data_largest = 0;
	s->followed = 0;
	s->fin_seen = false;
}

void story_free(struct story *s)
{
	forget(s);
}

void story_begin(struct story *s)
{
	forget(s);
	s->telling = true;
}

void story_end(struct story *s)
{
	s->telling = false;
}

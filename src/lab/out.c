/* The files of --out DIR. wire.pcapng takes each frame where it is sent; wire/NODE-IFACE.pcapng takes what passes
 * one interface, sent and received, at the moment it does: for that the ports' receive functions are wrapped.
 * events.jsonl and steps.pcapng are trace/'s; this file only carries their bytes. All go through os/'s output set,
 * so that they appear together or not at all. Called by cli/. Tests: tests/lab/out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lab/out.h"
#include "os/os_file.h"
#include "os/os_term.h"
#include "trace/trace.h"
#include "wire/pcapng.h"

#define OUT_FLUSH 65536u
#define OUT_LINKTYPE_ETHERNET 1
#define OUT_APPLICATION "culver"

/* A pcapng file that grows. */
struct out_cap {
	struct os_outfile *f;
	struct strbuf sb;
	struct pcapng pcap;
};

/* One end of a cable. */
struct out_port {
	const struct hw_port *port; /* NULL: free slot of the table */
	void (*rx)(struct hw_port *p, struct hw_frame *f); /* the owner's */
	struct out_cap *cap; /* of its own, or of the interface whose place it took; NULL: none */
	uint32_t wire_if, own_if;
};

/* serial -> the packet it was made from */
struct out_parent {
	uint64_t serial, parent; /* serial 0: free */
	char why[24];
};

struct lab_out {
	struct os_out *set;
	struct out_cap wire;
	struct out_port *port; /* open addressing by address; never walked in that order */
	uint32_t port_room;
	struct out_cap *cap;   /* of the interfaces, in the order of the lab file */
	uint32_t n_caps;
	struct lab *lab;
	struct out_parent *parent;
	uint32_t n_parents, parent_room;
	struct trace_sink born, events;
	struct trace_jsonl jsonl;
	struct trace_steps steps;
	struct strbuf json, step;
	struct os_outfile *json_file, *step_file;
};

/* ---- files ---- */

static void cap_open(struct lab_out *o, struct out_cap *c, const char *name)
{
	sb_init(&c->sb);
	c->f = os_out_file(o->set, name);
	pcapng_begin(&c->pcap, &c->sb, OUT_APPLICATION);
}

static void sb_flush(struct strbuf *sb, struct os_outfile *f)
{
	if (f)
		os_out_write(f, sb_str(sb), sb->len);
	sb_reset(sb);
}

static void cap_packet(struct out_cap *c, const struct pcapng_packet *p)
{
	pcapng_packet(&c->pcap, p);
	if (c->sb.len > OUT_FLUSH)
		sb_flush(&c->sb, c->f);
}

static enum lab_err out_fail(struct yerr *e, const char *dir, const char *file, int err)
{
	snprintf(e->text, sizeof(e->text), "--out %.200s%s%.100s: %s", dir, file ? "/" : "", file ? file : "",
		 os_strerror(err));
	/* A name that cannot be is the user's; what is full or closed is the machine's. */
	return err == -ENOENT || err == -ENOTDIR || err == -EISDIR || err == -ENAMETOOLONG || err == -EINVAL ? LAB_BAD
														: LAB_LOCAL;
}

/* ---- parents ---- */

static struct out_parent *parent_slot(struct lab_out *o, uint64_t serial)
{
	uint32_t mask = o->parent_room - 1, i = (uint32_t)hash_words(0, serial, 0) & mask;

	while (o->parent[i].serial && o->parent[i].serial != serial)
		i = (i + 1) & mask;
	return &o->parent[i];
}

static void parent_grow(struct lab_out *o)
{
	struct out_parent *old = o->parent;
	uint32_t room = o->parent_room;

	o->parent_room = room ? room * 2 : 256;
	o->parent = xcalloc(o->parent_room, sizeof(*o->parent));
	for (uint32_t i = 0; i < room; i++)
		if (old[i].serial)
			*parent_slot(o, old[i].serial) = old[i];
	free(old);
}

/* TR_BORN of a derived packet says "parent=17 retransmit". */
static void born_emit(struct trace_sink *self, const struct trace_event *ev)
{
	struct lab_out *o = container_of(self, struct lab_out, born);
	const char *p = strstr(ev->text, "parent=");
	unsigned long long parent;
	struct out_parent *slot;
	char why[24] = "";

	if (!p || sscanf(p, "parent=%llu %23[^\n]", &parent, why) < 1 || !parent)
		return;
	if ((o->n_parents + 1) * 2 > o->parent_room)
		parent_grow(o);
	slot = parent_slot(o, ev->serial);
	o->n_parents += slot->serial == 0;
	slot->serial = ev->serial;
	slot->parent = parent;
	memcpy(slot->why, why, sizeof(why));
}

/* "parent=17 retransmit; lost": what there is to say of a frame. NULL: nothing. */
static const char *frame_comment(struct lab_out *o, uint64_t serial, const char *fate, char *buf, size_t room)
{
	struct out_parent *p = serial && o->parent_room ? parent_slot(o, serial) : NULL;

	buf[0] = '\0';
	if (p && p->serial)
		snprintf(buf, room, "parent=%llu%s%s", (unsigned long long)p->parent, p->why[0] ? " " : "", p->why);
	if (fate && fate[0])
		snprintf(buf + strlen(buf), room - strlen(buf), "%s%s", buf[0] ? "; " : "", fate);
	return buf[0] ? buf : NULL;
}

/* ---- the wire ---- */

static struct out_port *port_slot(struct lab_out *o, const struct hw_port *port)
{
	uint32_t mask = o->port_room - 1, i = (uint32_t)hash_words(0, (uint64_t)(uintptr_t)port, 0) & mask;

	while (o->port[i].port && o->port[i].port != port)
		i = (i + 1) & mask;
	return &o->port[i];
}

/* A frame as captures show it: from the destination address to the FCS. False: there is no frame in it. */
static bool frame_packet(const struct hw_frame *f, uint64_t t_ns, struct pcapng_packet *p)
{
	int sfd = hw_frame_find_sfd(f);

	memset(p, 0, sizeof(*p));
	if (sfd < 0)
		return false;
	p->t_ns = LAB_EPOCH_S * NSEC_PER_SEC + t_ns;
	p->data = f->data + sfd;
	p->len = p->orig_len = f->len - (uint32_t)sfd;
	p->packetid = f->serial;
	return true;
}

static void wire_sent(void *arg, const struct hw_port *from, const struct hw_frame *f, uint64_t t_ns, const char *fate)
{
	struct lab_out *o = arg;
	struct out_port *port = o->port_room ? port_slot(o, from) : NULL;
	struct pcapng_packet p;
	char comment[200];

	if (!port || !port->port || !frame_packet(f, t_ns, &p))
		return;
	p.comment = frame_comment(o, f->serial, fate, comment, sizeof(comment));
	p.iface = port->wire_if;
	cap_packet(&o->wire, &p);
	p.comment = frame_comment(o, f->serial, "", comment, sizeof(comment));
	p.iface = port->own_if;
	p.flags = 2;
	if (port->cap)
		cap_packet(port->cap, &p);
}

static void wire_received(struct hw_port *to, struct hw_frame *f)
{
	struct lab_out *o = to->world->wire_tap_arg;
	struct out_port *port = port_slot(o, to);
	struct pcapng_packet p;
	char comment[200];

	if (port->cap && frame_packet(f, to->world->q->now_ns, &p)) {
		p.comment = frame_comment(o, f->serial, "", comment, sizeof(comment));
		p.iface = port->own_if;
		p.flags = 1;
		cap_packet(port->cap, &p);
	}
	port->rx(to, f);
}

static struct out_port *out_port_watch(struct lab_out *o, struct hw_port *port, struct out_cap *cap)
{
	struct out_port *p = port_slot(o, port);

	p->port = port;
	p->rx = port->rx;
	p->cap = cap;
	port->rx = wire_received;
	return p;
}

static void out_port_add(struct lab_out *o, struct lab_iface *f)
{
	struct out_port *p = out_port_watch(o, f->port, &o->cap[o->n_caps++]);
	const struct lab_iface *peer = f->link->end[!f->side];
	uint64_t rate = f->link->cable ? hw_port_line_rate(f->port) : 0;
	char name[96], description[160], file[128];

	snprintf(name, sizeof(name), "%s:%s", f->node->name, f->name);
	snprintf(description, sizeof(description), "cable to %s%s%s", peer ? peer->node->name : "this machine's ",
		 peer ? ":" : "", peer ? peer->name : f->link->topo->host_if);
	p->wire_if = pcapng_interface(&o->wire.pcap, name, description, OUT_LINKTYPE_ETHERNET, 4, rate);
	snprintf(file, sizeof(file), "wire/%s-%s.pcapng", f->node->name, f->name);
	cap_open(o, p->cap, file);
	p->own_if = pcapng_interface(&p->cap->pcap, name, description, OUT_LINKTYPE_ETHERNET, 4, rate);
}

/* The world stands: an interface block for each cable end, in the order of the lab file's links. */
static void out_built(void *arg, struct lab *lab)
{
	struct lab_out *o = arg;

	o->lab = lab;
	o->port_room = 64;
	while (o->port_room < lab->n_links * 8)
		o->port_room *= 2;
	o->port = xcalloc(o->port_room, sizeof(*o->port));
	o->cap = xcalloc((size_t)lab->n_links * 2 + 1, sizeof(*o->cap));
	for (uint32_t i = 0; i < lab->n_links; i++)
		for (unsigned s = 0; s < 2; s++)
			if (lab->link[i].end[s])
				out_port_add(o, lab->link[i].end[s]);
}

/* In real time: a port to the machine's kernel. What takes an interface's place goes on in its file. */
static void out_plugged(void *arg, struct hw_port *port, const struct lab_iface *f)
{
	struct lab_out *o = arg;
	struct out_port *old = f ? port_slot(o, f->port) : NULL, *p;
	char name[96];

	p = out_port_watch(o, port, old ? old->cap : NULL);
	if (old) {
		p->wire_if = old->wire_if;
		p->own_if = old->own_if;
		return;
	}
	snprintf(name, sizeof(name), "%s:%s", port->node, port->name);
	p->wire_if = pcapng_interface(&o->wire.pcap, name, "an interface of this machine", OUT_LINKTYPE_ETHERNET, 4,
				      hw_port_line_rate(port));
}

/* ---- events ---- */

static void events_emit(struct trace_sink *self, const struct trace_event *ev)
{
	struct lab_out *o = container_of(self, struct lab_out, events);

	o->jsonl.sink.emit(&o->jsonl.sink, ev);
	if (o->json.len > OUT_FLUSH)
		sb_flush(&o->json, o->json_file);
	if (!(o->steps.sink.mask & (1u << ev->kind)))
		return;
	o->steps.sink.emit(&o->steps.sink, ev);
	if (o->step.len > OUT_FLUSH)
		sb_flush(&o->step, o->step_file);
}

/* ---- the set ---- */

enum lab_err lab_out_open(struct lab_out **out, const char *dir, const struct lab_source *src, struct yerr *e)
{
	struct lab_out *o = xcalloc(1, sizeof(*o));
	int err = os_out_open(dir, &o->set);
	const char *file;

	if (err) {
		free(o);
		return out_fail(e, dir, NULL, err);
	}
	cap_open(o, &o->wire, "wire.pcapng");
	sb_init(&o->json);
	o->json_file = os_out_file(o->set, "events.jsonl");
	trace_jsonl_init(&o->jsonl, NULL, &o->json, UINT32_MAX);
	sb_init(&o->step);
	o->step_file = os_out_file(o->set, "steps.pcapng");
	trace_steps_init(&o->steps, NULL, &o->step, LAB_EPOCH_S * NSEC_PER_SEC, OUT_APPLICATION);
	o->born = (struct trace_sink){ .mask = 1u << TR_BORN, .emit = born_emit };
	o->events = (struct trace_sink){ .mask = UINT32_MAX, .emit = events_emit };
	err = os_out_error(o->set, &file);
	if (err) {
		enum lab_err r = out_fail(e, dir, file, err);

		lab_out_abort(o);
		return r;
	}
	*out = o;
	return LAB_OK;
}

void lab_out_watch(struct lab_out *o, struct lab_opts *opts)
{
	opts->sink[opts->n_sinks++] = &o->born;
	opts->sink[opts->n_sinks++] = &o->events;
	opts->wire = wire_sent;
	opts->wire_arg = o;
	opts->built = out_built;
	opts->plugged = out_plugged;
	opts->built_arg = o;
}

void lab_out_unwatch(struct lab_out *o)
{
	for (uint32_t i = 0; o->lab && i < o->lab->n_links; i++)
		for (unsigned s = 0; s < 2; s++)
			if (o->lab->link[i].end[s])
				o->lab->link[i].end[s]->port->rx = port_slot(o, o->lab->link[i].end[s]->port)->rx;
	if (o->lab) {
		o->lab->hw.wire_tap = NULL;
		o->lab->opts.n_sinks = 0;
	}
	o->lab = NULL;
}

void lab_out_file(struct lab_out *o, const char *name, const void *data, size_t len)
{
	struct os_outfile *f = os_out_file(o->set, name);

	if (f)
		os_out_write(f, data, len);
}

static void out_free(struct lab_out *o)
{
	for (uint32_t i = 0; i < o->n_caps; i++)
		sb_free(&o->cap[i].sb);
	free(o->cap);
	sb_free(&o->wire.sb);
	sb_free(&o->json);
	trace_jsonl_free(&o->jsonl);
	trace_steps_free(&o->steps);
	sb_free(&o->step);
	free(o->port);
	free(o->parent);
	free(o);
}

enum lab_err lab_out_commit(struct lab_out *o, struct yerr *e)
{
	struct strbuf schema;
	enum lab_err r = LAB_OK;
	const char *file;
	int err;

	sb_init(&schema);
	trace_jsonl_schema(&schema);
	lab_out_file(o, "events.schema.json", sb_str(&schema), schema.len);
	sb_free(&schema);
	sb_flush(&o->wire.sb, o->wire.f);
	sb_flush(&o->json, o->json_file);
	sb_flush(&o->step, o->step_file);
	for (uint32_t i = 0; i < o->n_caps; i++)
		sb_flush(&o->cap[i].sb, o->cap[i].f);
	os_out_owns(o->set, "wire/*.pcapng");
	os_out_owns(o->set, "page.body");
	os_out_owns(o->set, "story.txt");
	err = os_out_commit(o->set);
	if (err) {
		os_out_error(o->set, &file);
		r = out_fail(e, os_out_dir(o->set), file, err);
		os_out_abort(o->set);
	}
	out_free(o);
	return r;
}

void lab_out_abort(struct lab_out *o)
{
	os_out_abort(o->set);
	out_free(o);
}

/* A lab as data: making, freeing, and the checks that need the whole of it. Called by labfile.c and by
 * programs that build a lab without a file. Tests: tests/unit/lab/test_labfile.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/pool.h"
#include "base/strbuf.h"
#include "lab/topo.h"

#define TOPO_NONE UINT32_MAX

void topo_init(struct topo *t, const char *file)
{
	memset(t, 0, sizeof(*t));
	t->file = xstrdup(file);
}

static void words_free(struct topo_words *w)
{
	for (uint32_t i = 0; i < w->n; i++)
		free(w->v[i]);
	free(w->v);
	free(w->at);
}

static void pairs_free(struct topo_pairs *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		free(p->v[i].name);
		free(p->v[i].value);
	}
	free(p->v);
}

static void node_free(struct topo_node *n)
{
	free(n->name);
	words_free(&n->exec);
	words_free(&n->dns);
	words_free(&n->nat.out);
	words_free(&n->nat.forward);
	pairs_free(&n->sysctls);
	pairs_free(&n->env);
	pairs_free(&n->labels);
	for (uint32_t i = 0; i < n->n_process; i++) {
		free(n->process[i].path);
		words_free(&n->process[i].args);
	}
	for (uint32_t i = 0; i < n->n_file; i++) {
		free(n->file[i].point);
		free(n->file[i].from);
	}
	free(n->process);
	free(n->file);
}

void topo_free(struct topo *t)
{
	for (uint32_t i = 0; i < t->n_nodes; i++)
		node_free(&t->node[i]);
	for (uint32_t i = 0; i < t->n_links; i++) {
		for (unsigned s = 0; s < 2; s++) {
			free(t->link[i].end[s].iface);
			free(t->link[i].end[s].tc.drop);
		}
		free(t->link[i].host_if);
	}
	words_free(&t->ignored);
	free(t->node);
	free(t->link);
	free(t->index);
	free(t->file);
	free(t->name);
	memset(t, 0, sizeof(*t));
}

/* FNV-1a: names come from the user's own file, so a keyed hash would gain nothing. */
static uint32_t name_hash(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 16777619u;
	return h;
}

static uint32_t *index_slot(const struct topo *t, const char *name)
{
	uint32_t mask = t->index_room - 1, i = name_hash(name) & mask;

	while (t->index[i] != TOPO_NONE && strcmp(t->node[t->index[i]].name, name) != 0)
		i = (i + 1) & mask;
	return &t->index[i];
}

static void index_grow(struct topo *t)
{
	uint32_t room = t->index_room ? t->index_room * 2 : 64;

	t->index = xrealloc(t->index, room * sizeof(*t->index));
	memset(t->index, 0xff, room * sizeof(*t->index));
	t->index_room = room;
	for (uint32_t i = 0; i < t->n_nodes; i++)
		*index_slot(t, t->node[i].name) = i;
}

uint32_t topo_find(const struct topo *t, const char *name)
{
	return t->index_room ? *index_slot(t, name) : TOPO_NONE;
}

/* Room for one more element of an array whose room doubles at powers of two. */
static void *grow(void *v, uint32_t n, size_t size)
{
	if ((n & (n - 1)) == 0)
		v = xrealloc(v, (n ? (size_t)n * 2 : 1) * size);
	memset((char *)v + n * size, 0, size);
	return v;
}

uint32_t topo_add_node(struct topo *t, const char *name, enum topo_kind kind)
{
	if (t->n_nodes >= TOPO_MAX_NODES || topo_find(t, name) != TOPO_NONE)
		return TOPO_NONE;
	if ((t->n_nodes + 1) * 2 > t->index_room)
		index_grow(t);
	t->node = grow(t->node, t->n_nodes, sizeof(*t->node));
	t->node[t->n_nodes].name = xstrdup(name);
	t->node[t->n_nodes].kind = kind;
	t->node[t->n_nodes].cpus = (struct topo_cpus){ 1, TOPO_IRQ_NS, TOPO_PACKET_NS };
	*index_slot(t, name) = t->n_nodes;
	return t->n_nodes++;
}

struct topo_link *topo_add_link(struct topo *t)
{
	if (t->n_links >= TOPO_MAX_LINKS)
		return NULL;
	t->link = grow(t->link, t->n_links, sizeof(*t->link));
	return &t->link[t->n_links++];
}

void topo_set_end(struct topo_end *e, uint32_t node, const char *iface)
{
	e->node = node;
	e->iface = xstrdup(iface);
}

void topo_words_add(struct topo_words *w, const char *s, struct topo_at at)
{
	w->v = grow(w->v, w->n, sizeof(*w->v));
	w->at = grow(w->at, w->n, sizeof(*w->at));
	w->v[w->n] = xstrdup(s);
	w->at[w->n++] = at;
}

void topo_pairs_set(struct topo_pairs *p, const char *name, const char *value, struct topo_at at)
{
	uint32_t i = 0;

	while (i < p->n && strcmp(p->v[i].name, name) != 0)
		i++;
	if (i == p->n) {
		p->v = grow(p->v, p->n++, sizeof(*p->v));
		p->v[i].name = xstrdup(name);
	}
	free(p->v[i].value);
	p->v[i].value = xstrdup(value);
	p->v[i].at = at;
}

void topo_tc_copy(struct tc_params *to, const struct tc_params *from)
{
	*to = *from;
	if (from->n_drop) {
		to->drop = xcalloc(from->n_drop, sizeof(*to->drop));
		memcpy(to->drop, from->drop, from->n_drop * sizeof(*to->drop));
	}
}

/* ---- checks ---- */

/* An end, named in a way that sorts: for finding equal things side by side. */
struct end_ref {
	uint32_t link, side, segment;
	const struct topo_end *e;
};

static int fail(const struct topo *t, struct yerr *e, struct topo_at at, const char *text)
{
	struct ynode where = { .line = at.line, .col = at.col };

	yerr_at(e, t->file, &where, "%s", text);
	return -1;
}

static int order(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Which of two equal ends came later in the file: that one is the error. */
static int by_place(const struct end_ref *a, const struct end_ref *b)
{
	int r = order(a->link, b->link);

	return r ? r : order(a->side, b->side);
}

static int by_iface(const void *x, const void *y)
{
	const struct end_ref *a = x, *b = y;
	int r = order(a->e->node, b->e->node);

	r = r ? r : strcmp(a->e->iface, b->e->iface);
	return r ? r : by_place(a, b);
}

static int by_ip(const void *x, const void *y)
{
	const struct end_ref *a = x, *b = y;
	int r = order(a->e->has_ip, b->e->has_ip);

	r = r ? r : order(a->segment, b->segment);
	r = r ? r : order(a->e->ip, b->e->ip);
	return r ? r : by_place(a, b);
}

static int by_mac(const void *x, const void *y)
{
	const struct end_ref *a = x, *b = y;
	int r = order(a->e->has_mac, b->e->has_mac);

	r = r ? r : order(a->segment, b->segment);
	r = r ? r : memcmp(a->e->mac, b->e->mac, sizeof(a->e->mac));
	return r ? r : by_place(a, b);
}

static uint32_t set_root(uint32_t *up, uint32_t i)
{
	while (up[i] != i)
		i = up[i] = up[up[i]];
	return i;
}

/* A segment is what a broadcast reaches: links joined by bridges. Where some node translates addresses, two
 * LANs may use the same ones; elsewhere an address is one host's in the whole lab. */
static void find_segments(const struct topo *t, struct end_ref *ref, uint32_t n)
{
	uint32_t *up = xcalloc((size_t)t->n_links + t->n_nodes, sizeof(*up));
	bool nat = false;

	for (uint32_t i = 0; i < t->n_links + t->n_nodes; i++)
		up[i] = i;
	for (uint32_t i = 0; i < t->n_nodes; i++)
		nat = nat || t->node[i].nat.out.n > 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t link = set_root(up, ref[i].link), node = set_root(up, t->n_links + ref[i].e->node);

		if (t->node[ref[i].e->node].kind == TOPO_BRIDGE)
			up[link] = node;
	}
	for (uint32_t i = 0; i < n; i++)
		ref[i].segment = nat ? set_root(up, ref[i].link) : 0;
	free(up);
}

static const char *end_name(const struct topo *t, const struct topo_end *e, char *buf, size_t room)
{
	snprintf(buf, room, "%s:%s", t->node[e->node].name, e->iface);
	return buf;
}

static int check_ifaces(const struct topo *t, struct end_ref *ref, uint32_t n, struct yerr *e)
{
	char text[200], name[80];

	qsort(ref, n, sizeof(*ref), by_iface);
	for (uint32_t i = 1; i < n; i++) {
		const struct topo_end *a = ref[i - 1].e, *b = ref[i].e;

		if (a->node != b->node || strcmp(a->iface, b->iface) != 0)
			continue;
		snprintf(text, sizeof(text), "interface %s is used twice, first in line %u",
			 end_name(t, b, name, sizeof(name)), a->at.line);
		return fail(t, e, b->at, text);
	}
	return 0;
}

static int check_addresses(const struct topo *t, struct end_ref *ref, uint32_t n, struct yerr *e)
{
	char text[300], name[80], first[80], ip[IP4_STRLEN], mac[MAC_STRLEN];

	qsort(ref, n, sizeof(*ref), by_ip);
	for (uint32_t i = 1; i < n; i++) {
		const struct topo_end *a = ref[i - 1].e, *b = ref[i].e;

		if (!a->has_ip || ref[i - 1].segment != ref[i].segment || a->ip != b->ip)
			continue;
		snprintf(text, sizeof(text), "address %s of %s is already that of %s (line %u)", ip4_str(ip, b->ip),
			 end_name(t, b, name, sizeof(name)), end_name(t, a, first, sizeof(first)), a->at.line);
		return fail(t, e, b->ip_at, text);
	}
	qsort(ref, n, sizeof(*ref), by_mac);
	for (uint32_t i = 1; i < n; i++) {
		const struct topo_end *a = ref[i - 1].e, *b = ref[i].e;

		if (!a->has_mac || ref[i - 1].segment != ref[i].segment || memcmp(a->mac, b->mac, 6) != 0)
			continue;
		snprintf(text, sizeof(text), "MAC %s of %s is already that of %s (line %u)", mac_str(mac, b->mac),
			 end_name(t, b, name, sizeof(name)), end_name(t, a, first, sizeof(first)), a->at.line);
		return fail(t, e, b->mac_at, text);
	}
	return 0;
}

static int check_ends(struct topo *t, struct yerr *e)
{
	char text[200], name[80];

	for (uint32_t i = 0; i < t->n_links; i++) {
		for (unsigned s = 0; s < 2; s++) {
			struct topo_end *end = &t->link[i].end[s];
			struct topo_node *node;

			if (end->node == TOPO_NONE)
				continue;
			node = &t->node[end->node];
			node->n_ifaces++;
			if (node->kind == TOPO_LINUX || (!end->has_ip && !end->has_mac))
				continue;
			snprintf(text, sizeof(text), "%s is a port of a %s: it has no address of its own",
				 end_name(t, end, name, sizeof(name)),
				 node->kind == TOPO_BRIDGE ? "bridge" : "host node");
			return fail(t, e, end->at, text);
		}
	}
	return 0;
}

int topo_check(struct topo *t, struct yerr *e)
{
	struct end_ref *ref = xcalloc((size_t)t->n_links * 2 + 1, sizeof(*ref));
	uint32_t n = 0;
	int err;

	for (uint32_t i = 0; i < t->n_nodes; i++)
		t->node[i].n_ifaces = 0;
	for (uint32_t i = 0; i < t->n_links; i++)
		for (unsigned s = 0; s < 2; s++)
			if (t->link[i].end[s].node != TOPO_NONE)
				ref[n++] = (struct end_ref){ .link = i, .side = s, .e = &t->link[i].end[s] };
	err = check_ends(t, e);
	if (!err)
		err = check_ifaces(t, ref, n, e);
	if (!err) {
		find_segments(t, ref, n);
		err = check_addresses(t, ref, n, e);
	}
	free(ref);
	return err;
}

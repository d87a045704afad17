/* A lab as data: making and freeing. Called by labfile.c and by programs that build a lab without a file; the checks
 * over the whole are topo_check.c's. Tests: tests/unit/lab/test_labfile.c. */
#include <stdlib.h>
#include <string.h>
#include "base/pool.h"
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

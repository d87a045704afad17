/* Inside the lab-file reader: what labfile.c (top, nodes) and labfile_link.c (links) share. */
#ifndef LAB_LABFILE_H
#define LAB_LABFILE_H

#include "lab/topo.h"

struct labfile {
	struct topo *t;
	struct yerr *e;
	const struct ynode *defaults, *kinds, *groups;
};

/* One key of a map: its reader, or NULL when the key is one of containerlab's without a meaning here. */
struct lf_key {
	const char *name;
	bool (*fn)(struct labfile *lf, void *obj, const struct ynode *v);
	enum { LF_READ, LF_IGNORED, LF_REFUSED } how;
};

/* Record an error at a node; always false, so that readers can return it. */
bool lf_fail(struct labfile *lf, const struct ynode *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Walk a map's keys through the table; a key that is not in it is an error. Y_NULL counts as an empty map. */
bool lf_map(struct labfile *lf, const struct ynode *n, const char *what, const struct lf_key *keys, size_t n_keys,
	    void *obj);
#define LF_MAP(lf, n, what, keys, obj) lf_map((lf), (n), (what), (keys), ARRAY_SIZE(keys), (obj))

/* A value as text, or an error that names "what". NULL: failed. */
const char *lf_text(struct labfile *lf, const struct ynode *v, const char *what);
bool lf_uint(struct labfile *lf, const struct ynode *v, const char *what, uint64_t min, uint64_t max, uint64_t *out);
bool lf_u32(struct labfile *lf, const struct ynode *v, const char *what, uint32_t min, uint32_t max, uint32_t *out);
bool lf_bool(struct labfile *lf, const struct ynode *v, const char *what, bool *out);
bool lf_time(struct labfile *lf, const struct ynode *v, const char *what, uint64_t *ns);
bool lf_words(struct labfile *lf, const struct ynode *v, const char *what, struct topo_words *w);
bool lf_pairs(struct labfile *lf, const struct ynode *v, const char *what, struct topo_pairs *p);
bool lf_list(struct labfile *lf, const struct ynode *v, const char *what);
/* Names of nodes and of interfaces. */
bool lf_node_name(struct labfile *lf, const struct ynode *v);
bool lf_if_name(struct labfile *lf, const struct ynode *at, const char *name);
static inline struct topo_at lf_at(const struct ynode *n) { return (struct topo_at){ n->line, n->col }; }

/* nodes.NAME.config.vars, and the lab's own "sim" in the defaults */
bool lf_vars(struct labfile *lf, void *node, const struct ynode *v);
bool lf_sim(struct labfile *lf, const struct ynode *v);
/* topology.links[] */
bool lf_link(struct labfile *lf, const struct ynode *n);

#endif

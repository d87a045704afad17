/* A lab file (a strict subset of containerlab's YAML) to a struct topo. What it decides: which keys exist,
 * what a value may be, how defaults, kinds and groups are laid under a node. Called by labs.c and tests;
 * config.vars are read by labfile_vars.c, links by labfile_link.c; checks over the whole are topo.c's. An unknown key is an error with its
 * place, because a word misspelt is a lab that does something else than it says.
 * Tests: tests/unit/lab/test_labfile.c. The user's side: docs/lab-files.md. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/pool.h"
#include "base/strbuf.h"
#include "lab/labfile.h"
#include "lab/units.h"

bool lf_fail(struct labfile *lf, const struct ynode *at, const char *fmt, ...)
{
	char text[YERR_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	yerr_at(lf->e, lf->t->file, at, "%s", text);
	return false;
}

/* Edits that lead from a to b, up to 3: enough to guess what was meant. */
static unsigned edits(const char *a, const char *b, unsigned left)
{
	unsigned best;

	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (!*a && !*b)
		return 0;
	if (!left)
		return 1;
	best = 1 + (*a && *b ? edits(a + 1, b + 1, left - 1) : 3);
	if (*a) {
		unsigned r = 1 + edits(a + 1, b, left - 1);

		best = r < best ? r : best;
	}
	if (*b) {
		unsigned r = 1 + edits(a, b + 1, left - 1);

		best = r < best ? r : best;
	}
	return best;
}

static bool lf_unknown(struct labfile *lf, const struct ynode *key, const char *what, const struct lf_key *keys,
		       size_t n)
{
	const char *near = NULL;
	struct strbuf list;

	sb_init(&list);
	for (size_t i = 0; i < n; i++) {
		if (keys[i].how != LF_READ)
			continue;
		if (!near && edits(key->text, keys[i].name, 2) <= 2 && strlen(keys[i].name) > 2)
			near = keys[i].name;
		sb_printf(&list, "%s%s", list.len ? ", " : "", keys[i].name);
	}
	if (near)
		lf_fail(lf, key, "unknown key '%.60s' in %s: did you mean '%s'?", key->text, what, near);
	else
		lf_fail(lf, key, "unknown key '%.60s' in %s: it takes %s", key->text, what, sb_str(&list));
	sb_free(&list);
	return false;
}

static void lf_ignore(struct labfile *lf, const struct ynode *key)
{
	/* Once for each name, however often it stands there. */
	for (uint32_t i = 0; i < lf->t->ignored.n; i++)
		if (!strcmp(lf->t->ignored.v[i], key->text))
			return;
	topo_words_add(&lf->t->ignored, key->text, lf_at(key));
}

bool lf_map(struct labfile *lf, const struct ynode *n, const char *what, const struct lf_key *keys, size_t n_keys,
	    void *obj)
{
	if (n->kind == Y_NULL)
		return true;
	if (n->kind != Y_MAP)
		return lf_fail(lf, n, "%s must be a map of keys, not %s", what, ytree_kind(n));
	for (uint32_t i = 0; i < n->n; i++) {
		size_t k = 0;

		while (k < n_keys && strcmp(keys[k].name, n->key[i]->text) != 0)
			k++;
		if (k == n_keys)
			return lf_unknown(lf, n->key[i], what, keys, n_keys);
		if (keys[k].how == LF_REFUSED)
			return lf_fail(lf, n->key[i], "containerlab's '%s' in %s has no meaning here: remove it",
				       keys[k].name, what);
		if (keys[k].how == LF_IGNORED)
			lf_ignore(lf, n->key[i]);
		else if (!keys[k].fn(lf, obj, n->val[i]))
			return false;
	}
	return true;
}

/* ---- values ---- */

const char *lf_text(struct labfile *lf, const struct ynode *v, const char *what)
{
	if (v->kind == Y_SCALAR && v->text[0])
		return v->text;
	lf_fail(lf, v, "%s must be text, not %s", what, v->kind == Y_SCALAR ? "empty" : ytree_kind(v));
	return NULL;
}

bool lf_uint(struct labfile *lf, const struct ynode *v, const char *what, uint64_t min, uint64_t max, uint64_t *out)
{
	if (v->kind != Y_SCALAR || v->quoted || u64_parse(v->text, min, max, out) != 0)
		return lf_fail(lf, v, "%s must be a whole number from %llu to %llu", what, (unsigned long long)min,
			       (unsigned long long)max);
	return true;
}

bool lf_u32(struct labfile *lf, const struct ynode *v, const char *what, uint32_t min, uint32_t max, uint32_t *out)
{
	uint64_t x;

	if (!lf_uint(lf, v, what, min, max, &x))
		return false;
	*out = (uint32_t)x;
	return true;
}

bool lf_bool(struct labfile *lf, const struct ynode *v, const char *what, bool *out)
{
	if (v->kind == Y_SCALAR && !v->quoted && (!strcmp(v->text, "true") || !strcmp(v->text, "false"))) {
		*out = v->text[0] == 't';
		return true;
	}
	return lf_fail(lf, v, "%s must be true or false", what);
}

bool lf_time(struct labfile *lf, const struct ynode *v, const char *what, uint64_t *ns)
{
	const char *s = lf_text(lf, v, what), *why;

	if (!s)
		return false;
	why = unit_time(s, ns);
	return why ? lf_fail(lf, v, "%s: %s, not '%.40s'", what, why, s) : true;
}

bool lf_list(struct labfile *lf, const struct ynode *v, const char *what)
{
	return v->kind == Y_SEQ || v->kind == Y_NULL ? true
						     : lf_fail(lf, v, "%s must be a list, not %s", what, ytree_kind(v));
}

bool lf_words(struct labfile *lf, const struct ynode *v, const char *what, struct topo_words *w)
{
	if (!lf_list(lf, v, what))
		return false;
	for (uint32_t i = 0; i < v->n; i++) {
		const char *s = lf_text(lf, v->val[i], what);

		if (!s)
			return false;
		topo_words_add(w, s, lf_at(v->val[i]));
	}
	return true;
}

bool lf_pairs(struct labfile *lf, const struct ynode *v, const char *what, struct topo_pairs *p)
{
	if (v->kind == Y_NULL)
		return true;
	if (v->kind != Y_MAP)
		return lf_fail(lf, v, "%s must be a map, not %s", what, ytree_kind(v));
	for (uint32_t i = 0; i < v->n; i++) {
		if (v->val[i]->kind != Y_SCALAR)
			return lf_fail(lf, v->val[i], "%s '%.60s' must have a text or a number, not %s", what,
				       v->key[i]->text, ytree_kind(v->val[i]));
		topo_pairs_set(p, v->key[i]->text, v->val[i]->text, lf_at(v->key[i]));
	}
	return true;
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	       c == '.';
}

bool lf_node_name(struct labfile *lf, const struct ynode *v)
{
	const char *s = v->text;
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++)
		if (!name_char(s[i]))
			return lf_fail(lf, v, "node name '%.64s' may hold letters, digits, '-', '_' and '.' only", s);
	if (!len || len > TOPO_NAME_MAX || s[0] == '-' || s[0] == '.')
		return lf_fail(lf, v, "a node name has 1 to %u characters and starts with a letter or digit",
			       TOPO_NAME_MAX);
	return true;
}

bool lf_if_name(struct labfile *lf, const struct ynode *at, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (!name_char(name[i]))
			return lf_fail(lf, at, "interface name '%.40s' may hold letters, digits, '-', '_' and '.' only",
				       name);
	if (!len || len > TOPO_IFNAME_MAX)
		return lf_fail(lf, at, "interface name '%.40s' must have 1 to %u characters", name, TOPO_IFNAME_MAX);
	if (!strcmp(name, "lo"))
		return lf_fail(lf, at, "interface lo is each node's own loopback: a link needs another name");
	return true;
}

/* ---- nodes ---- */

static bool node_config(struct labfile *lf, void *obj, const struct ynode *v)
{
	static const struct lf_key keys[] = { { "vars", lf_vars, LF_READ } };

	return LF_MAP(lf, v, "config", keys, obj);
}

/* kind and group are looked at before the node exists: see node_kind(). */
static bool node_word(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_text(lf, v, "kind and group") != NULL;
}

static bool node_exec(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_words(lf, v, "exec", &((struct topo_node *)obj)->exec);
}

static bool node_sysctls(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_pairs(lf, v, "sysctl", &((struct topo_node *)obj)->sysctls);
}

static bool node_env(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_pairs(lf, v, "environment variable", &((struct topo_node *)obj)->env);
}

static bool node_labels(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_pairs(lf, v, "label", &((struct topo_node *)obj)->labels);
}

static bool dns_servers(struct labfile *lf, void *obj, const struct ynode *v)
{
	struct topo_words *dns = &((struct topo_node *)obj)->dns;
	uint32_t addr;

	/* The nearest list holds: a node's own servers, not its kind's before them. */
	for (uint32_t i = 0; i < dns->n; i++)
		free(dns->v[i]);
	dns->n = 0;
	free(dns->v);
	free(dns->at);
	dns->v = NULL;
	dns->at = NULL;
	if (!lf_words(lf, v, "dns.servers", dns))
		return false;
	if (dns->n > 3)
		return lf_fail(lf, v, "at most three dns.servers, as resolv.conf(5) has it");
	for (uint32_t i = 0; i < dns->n; i++)
		if (ip4_parse(dns->v[i], &addr) != 0)
			return lf_fail(lf, v->val[i], "'%.40s' is not an IPv4 address", dns->v[i]);
	return true;
}

static bool node_dns(struct labfile *lf, void *obj, const struct ynode *v)
{
	static const struct lf_key keys[] = {
		{ "servers", dns_servers, LF_READ },
		{ "search", NULL, LF_REFUSED },
		{ "options", NULL, LF_REFUSED },
	};

	return LF_MAP(lf, v, "dns", keys, obj);
}

static const struct lf_key node_keys[] = {
	{ "kind", node_word, LF_READ },
	{ "group", node_word, LF_READ },
	{ "exec", node_exec, LF_READ },
	{ "sysctls", node_sysctls, LF_READ },
	{ "dns", node_dns, LF_READ },
	{ "env", node_env, LF_READ },
	{ "labels", node_labels, LF_READ },
	{ "config", node_config, LF_READ },
	{ "image", NULL, LF_IGNORED },
	{ "binds", NULL, LF_IGNORED },
#define REFUSED(key) { key, NULL, LF_REFUSED }
	REFUSED("type"), REFUSED("startup-config"), REFUSED("enforce-startup-config"), REFUSED("startup-delay"),
	REFUSED("suppress-startup-config"), REFUSED("auto-remove"), REFUSED("restart-policy"), REFUSED("license"),
	REFUSED("image-pull-policy"), REFUSED("ports"), REFUSED("mgmt-ipv4"), REFUSED("mgmt-ipv6"),
	REFUSED("publish"), REFUSED("user"), REFUSED("entrypoint"), REFUSED("cmd"), REFUSED("extras"),
	REFUSED("runtime"), REFUSED("memory"), REFUSED("cpu"), REFUSED("cpu-set"), REFUSED("stages"),
	REFUSED("certificate"), REFUSED("healthcheck"), REFUSED("aliases"), REFUSED("credentials"),
	REFUSED("devices"), REFUSED("cap-add"), REFUSED("shm-size"), REFUSED("network-mode"),
	REFUSED("env-files"), REFUSED("components"), REFUSED("sandbox"), REFUSED("kernel"),
#undef REFUSED
};

static bool kind_parse(const char *s, enum topo_kind *k)
{
	*k = !strcmp(s, "bridge") ? TOPO_BRIDGE : !strcmp(s, "host") ? TOPO_HOST : TOPO_LINUX;
	return *k != TOPO_LINUX || !strcmp(s, "linux");
}

/* A node's group (its own, or the defaults'), checked to exist. *group NULL: none. */
static bool node_group(struct labfile *lf, const struct ynode *n, const struct ynode **group)
{
	const struct ynode *g = ytree_get(n, "group");

	*group = NULL;
	if (!g)
		g = ytree_get(lf->defaults, "group");
	if (!g)
		return true;
	if (!lf_text(lf, g, "group"))
		return false;
	*group = ytree_get(lf->groups, g->text);
	return *group ? true : lf_fail(lf, g, "group '%.60s' is not in topology.groups", g->text);
}

/* kind: the node's, its group's, the defaults', or linux. */
static bool node_kind(struct labfile *lf, const struct ynode *n, const struct ynode *group, enum topo_kind *kind)
{
	const struct ynode *k = ytree_get(n, "kind");

	if (!k)
		k = ytree_get(group, "kind");
	if (!k)
		k = ytree_get(lf->defaults, "kind");
	*kind = TOPO_LINUX;
	if (!k)
		return true;
	if (!lf_text(lf, k, "kind"))
		return false;
	return kind_parse(k->text, kind) ? true
					 : lf_fail(lf, k, "kind '%.60s' is not known: linux, bridge or host", k->text);
}

static bool lf_node(struct labfile *lf, const struct ynode *name, const struct ynode *n)
{
	static const char *const kind_name[] = { "linux", "bridge", "host" };
	const struct ynode *layers[4] = { lf->defaults, NULL, NULL, n };
	enum topo_kind kind;
	char what[100];
	uint32_t i;

	if (n->kind != Y_MAP && n->kind != Y_NULL)
		return lf_fail(lf, n, "node '%.60s' must be a map of keys, not %s", name->text, ytree_kind(n));
	if (!lf_node_name(lf, name) || !node_group(lf, n, &layers[2]) || !node_kind(lf, n, layers[2], &kind))
		return false;
	layers[1] = ytree_get(lf->kinds, kind_name[kind]);
	i = topo_add_node(lf->t, name->text, kind);
	if (i == UINT32_MAX)
		return lf_fail(lf, name, "more than %u nodes", TOPO_MAX_NODES);
	lf->t->node[i].at = lf_at(name);
	snprintf(what, sizeof(what), "node '%s'", name->text);
	for (unsigned l = 0; l < 4; l++)
		if (layers[l] && !LF_MAP(lf, layers[l], l == 3 ? what : "defaults, kinds and groups", node_keys,
					 &lf->t->node[i]))
			return false;
	if (kind != TOPO_LINUX && (lf->t->node[i].n_process || ytree_get(n, "exec")))
		return lf_fail(lf, name, "node '%s' is a %s: it runs no programs", name->text, kind_name[kind]);
	return true;
}

/* ---- the top ---- */

/* kinds: and groups: maps of node-shaped maps. Their keys are read when a node uses them; here only their
 * shape, so that a mistake in an unused one shows too. */
static bool layer_map(struct labfile *lf, const struct ynode *v, const char *what, bool is_kinds)
{
	struct topo_node scratch;
	enum topo_kind kind;
	bool ok = true;

	if (v->kind == Y_NULL)
		return true;
	if (v->kind != Y_MAP)
		return lf_fail(lf, v, "%s must be a map, not %s", what, ytree_kind(v));
	for (uint32_t i = 0; ok && i < v->n; i++) {
		struct topo t;

		if (is_kinds && !kind_parse(v->key[i]->text, &kind))
			return lf_fail(lf, v->key[i], "kind '%.60s' is not known: linux, bridge or host",
				       v->key[i]->text);
		memset(&scratch, 0, sizeof(scratch));
		ok = LF_MAP(lf, v->val[i], what, node_keys, &scratch);
		/* A topo of one node: frees the scratch node. */
		topo_init(&t, "");
		t.node = xcalloc(1, sizeof(scratch));
		*t.node = scratch;
		t.n_nodes = 1;
		topo_free(&t);
	}
	return ok;
}

static bool topo_kinds(struct labfile *lf, void *obj, const struct ynode *v)
{
	return layer_map(lf, v, "kinds", true);
}

static bool topo_groups(struct labfile *lf, void *obj, const struct ynode *v)
{
	return layer_map(lf, v, "groups", false);
}

/* The defaults' own keys are read with each node; sim is the lab's and read here. */
static bool topo_defaults(struct labfile *lf, void *obj, const struct ynode *v)
{
	const struct ynode *sim = ytree_get(ytree_get(ytree_get(v, "config"), "vars"), "sim");

	if (v->kind != Y_MAP && v->kind != Y_NULL)
		return lf_fail(lf, v, "defaults must be a map of keys, not %s", ytree_kind(v));
	return sim ? lf_sim(lf, sim) : true;
}

static bool topo_nodes(struct labfile *lf, void *obj, const struct ynode *v)
{
	if (v->kind != Y_MAP || !v->n)
		return lf_fail(lf, v, "nodes must be a map of nodes, not %s", v->n ? ytree_kind(v) : "empty");
	for (uint32_t i = 0; i < v->n; i++)
		if (!lf_node(lf, v->key[i], v->val[i]))
			return false;
	return true;
}

static bool topo_links(struct labfile *lf, void *obj, const struct ynode *v)
{
	if (!lf_list(lf, v, "links"))
		return false;
	for (uint32_t i = 0; i < v->n; i++)
		if (!lf_link(lf, v->val[i]))
			return false;
	return true;
}

static bool top_name(struct labfile *lf, void *obj, const struct ynode *v)
{
	const char *s = lf_text(lf, v, "name");

	if (!s || !lf_node_name(lf, v))
		return false;
	lf->t->name = xstrdup(s);
	return true;
}

/* Keys may come in any order, but nodes need the defaults, and links need the nodes. */
static bool top_topology(struct labfile *lf, void *obj, const struct ynode *v)
{
	static const struct lf_key shape[] = {
		{ "defaults", topo_defaults, LF_READ }, { "kinds", topo_kinds, LF_READ },
		{ "groups", topo_groups, LF_READ },     { "nodes", NULL, LF_READ },
		{ "links", NULL, LF_READ },
	};
	const struct ynode *nodes = ytree_get(v, "nodes"), *links = ytree_get(v, "links");

	if (v->kind != Y_MAP)
		return lf_fail(lf, v, "topology must be a map, not %s", ytree_kind(v));
	lf->defaults = ytree_get(v, "defaults");
	lf->kinds = ytree_get(v, "kinds");
	lf->groups = ytree_get(v, "groups");
	for (uint32_t i = 0; i < v->n; i++) {
		const struct lf_key *k = NULL;

		for (size_t j = 0; j < ARRAY_SIZE(shape); j++)
			if (!strcmp(shape[j].name, v->key[i]->text))
				k = &shape[j];
		if (!k)
			return lf_unknown(lf, v->key[i], "topology", shape, ARRAY_SIZE(shape));
		if (k->fn && !k->fn(lf, NULL, v->val[i]))
			return false;
	}
	if (!nodes)
		return lf_fail(lf, v, "topology has no 'nodes'");
	return topo_nodes(lf, NULL, nodes) && (!links || topo_links(lf, NULL, links));
}

int labfile_parse(struct topo *t, const char *file, const void *text, size_t len, struct yerr *e)
{
	static const struct lf_key keys[] = {
		{ "name", top_name, LF_READ },       { "topology", top_topology, LF_READ },
		{ "mgmt", NULL, LF_IGNORED },        { "prefix", NULL, LF_REFUSED },
		{ "debug", NULL, LF_REFUSED },       { "settings", NULL, LF_REFUSED },
	};
	struct labfile lf = { .t = t, .e = e };
	struct ynode *root;
	bool ok;

	root = ytree_parse(file, text, len, e);
	if (!root)
		return -1;
	ok = LF_MAP(&lf, root, "the lab file", keys, NULL);
	if (ok && !ytree_get(root, "topology"))
		ok = lf_fail(&lf, root, "the lab file has no 'topology'");
	ytree_free(root);
	if (!ok)
		return -1;
	if (!t->name)
		t->name = xstrdup("lab");
	return topo_check(t, e);
}

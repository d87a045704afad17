/* YAML text to a tree of nodes with positions, by libyaml's event parser. Called by labfile.c. Aliases and
 * tags are refused: a lab file needs neither, and aliases are how a small file becomes a huge one.
 * Tests: tests/unit/lab/test_ytree.c. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "base/pool.h"
#include "lab/ytree.h"

struct ytree_parser {
	yaml_parser_t yaml;
	const char *file;
	struct yerr *e;
	uint32_t nodes;
};

void yerr_at(struct yerr *e, const char *file, const struct ynode *at, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(e->text, sizeof(e->text), "%s:%u:%u: ", file, at->line, at->col);

	if (n < 0 || (size_t)n >= sizeof(e->text))
		return;
	va_start(ap, fmt);
	vsnprintf(e->text + n, sizeof(e->text) - (size_t)n, fmt, ap);
	va_end(ap);
}

static void ytree_fail(struct ytree_parser *p, yaml_mark_t mark, const char *what)
{
	struct ynode at = { .line = (uint32_t)mark.line + 1, .col = (uint32_t)mark.column + 1 };

	if (!p->e->text[0])
		yerr_at(p->e, p->file, &at, "%s", what);
}

/* libyaml's own complaint, with the place it is about. */
static void ytree_yaml_error(struct ytree_parser *p)
{
	char what[200];
	yaml_mark_t mark = p->yaml.problem_mark;

	if (p->yaml.error == YAML_READER_ERROR) {
		/* The reader knows only an offset into the file. */
		snprintf(what, sizeof(what), "not text that YAML allows (%s, octet %zu)",
			 p->yaml.problem ? p->yaml.problem : "reader", p->yaml.problem_offset);
		mark = p->yaml.mark;
	} else {
		snprintf(what, sizeof(what), "not YAML: %s%s%s",
			 p->yaml.problem ? p->yaml.problem : "syntax error",
			 p->yaml.context ? " " : "", p->yaml.context ? p->yaml.context : "");
	}
	ytree_fail(p, mark, what);
}

static bool ytree_next(struct ytree_parser *p, yaml_event_t *ev)
{
	if (yaml_parser_parse(&p->yaml, ev))
		return true;
	ytree_yaml_error(p);
	return false;
}

static struct ynode *ytree_value(struct ytree_parser *p, const yaml_event_t *ev, unsigned depth);

static struct ynode *ytree_new(struct ytree_parser *p, enum ykind kind, yaml_mark_t mark)
{
	struct ynode *n;

	if (++p->nodes > YTREE_MAX_NODES) {
		ytree_fail(p, mark, "too many values");
		return NULL;
	}
	n = xcalloc(1, sizeof(*n));
	n->kind = kind;
	n->line = (uint32_t)mark.line + 1;
	n->col = (uint32_t)mark.column + 1;
	return n;
}

/* YAML's words for nothing. */
static bool ytree_is_null(const char *s)
{
	return !*s || !strcmp(s, "~") || !strcmp(s, "null") || !strcmp(s, "Null") || !strcmp(s, "NULL");
}

static struct ynode *ytree_scalar(struct ytree_parser *p, const yaml_event_t *ev)
{
	const char *s = (const char *)ev->data.scalar.value;
	bool quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	struct ynode *n;

	if (strlen(s) != ev->data.scalar.length) {
		ytree_fail(p, ev->start_mark, "a NUL character in a value");
		return NULL;
	}
	n = ytree_new(p, !quoted && ytree_is_null(s) ? Y_NULL : Y_SCALAR, ev->start_mark);
	if (n) {
		n->quoted = quoted;
		n->text = xstrdup(s);
	}
	return n;
}

static void ytree_append(struct ynode *n, struct ynode *key, struct ynode *val)
{
	if ((n->n & (n->n - 1)) == 0) { /* room doubles at powers of two */
		size_t room = n->n ? n->n * 2u : 1;

		n->val = xrealloc(n->val, room * sizeof(*n->val));
		if (n->kind == Y_MAP)
			n->key = xrealloc(n->key, room * sizeof(*n->key));
	}
	if (n->kind == Y_MAP)
		n->key[n->n] = key;
	n->val[n->n++] = val;
}

static struct ynode *ytree_seq(struct ytree_parser *p, yaml_mark_t mark, unsigned depth)
{
	struct ynode *n = ytree_new(p, Y_SEQ, mark);
	yaml_event_t ev;

	while (n && ytree_next(p, &ev)) {
		struct ynode *item;

		if (ev.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&ev);
			return n;
		}
		item = ytree_value(p, &ev, depth + 1);
		yaml_event_delete(&ev);
		if (!item)
			break;
		ytree_append(n, NULL, item);
	}
	ytree_free(n);
	return NULL;
}

static int ytree_key_cmp(const void *a, const void *b)
{
	const struct ynode *const *x = a, *const *y = b;
	int r = strcmp((*x)->text, (*y)->text);

	if (r)
		return r;
	return (*x)->line != (*y)->line ? ((*x)->line < (*y)->line ? -1 : 1)
					: ((*x)->col < (*y)->col ? -1 : (*x)->col > (*y)->col);
}

/* Sorting finds a duplicate in O(n log n), whatever the names. */
static bool ytree_keys_differ(struct ytree_parser *p, const struct ynode *n)
{
	struct ynode **sorted = xcalloc(n->n + 1u, sizeof(*sorted));
	bool ok = true;

	if (n->n)
		memcpy(sorted, n->key, n->n * sizeof(*sorted));
	qsort(sorted, n->n, sizeof(*sorted), ytree_key_cmp);
	for (uint32_t i = 1; ok && i < n->n; i++) {
		if (strcmp(sorted[i - 1]->text, sorted[i]->text) != 0)
			continue;
		yerr_at(p->e, p->file, sorted[i], "'%.100s' is given twice, first in line %u",
			sorted[i]->text, sorted[i - 1]->line);
		ok = false;
	}
	free(sorted);
	return ok;
}

static struct ynode *ytree_map(struct ytree_parser *p, yaml_mark_t mark, unsigned depth)
{
	struct ynode *n = ytree_new(p, Y_MAP, mark);
	yaml_event_t ev;

	while (n && ytree_next(p, &ev)) {
		struct ynode *key, *val = NULL;

		if (ev.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&ev);
			if (ytree_keys_differ(p, n))
				return n;
			break;
		}
		key = ytree_value(p, &ev, depth + 1);
		yaml_event_delete(&ev);
		if (key && key->kind != Y_SCALAR) {
			if (!p->e->text[0])
				yerr_at(p->e, p->file, key, "a key must be a word, not %s", ytree_kind(key));
			ytree_free(key);
			break;
		}
		if (key && ytree_next(p, &ev)) {
			val = ytree_value(p, &ev, depth + 1);
			yaml_event_delete(&ev);
		}
		if (!val) {
			ytree_free(key);
			break;
		}
		ytree_append(n, key, val);
	}
	ytree_free(n);
	return NULL;
}

static struct ynode *ytree_value(struct ytree_parser *p, const yaml_event_t *ev, unsigned depth)
{
	const yaml_char_t *tag = NULL, *anchor = NULL;

	if (depth >= YTREE_MAX_DEPTH) {
		ytree_fail(p, ev->start_mark, "nested too deep");
		return NULL;
	}
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		tag = ev->data.scalar.tag;
		anchor = ev->data.scalar.anchor;
		break;
	case YAML_SEQUENCE_START_EVENT:
		tag = ev->data.sequence_start.tag;
		anchor = ev->data.sequence_start.anchor;
		break;
	case YAML_MAPPING_START_EVENT:
		tag = ev->data.mapping_start.tag;
		anchor = ev->data.mapping_start.anchor;
		break;
	case YAML_ALIAS_EVENT:
		ytree_fail(p, ev->start_mark, "aliases (*name) are not supported: write the value out");
		return NULL;
	default:
		ytree_fail(p, ev->start_mark, "a value is missing");
		return NULL;
	}
	if (anchor || tag) {
		ytree_fail(p, ev->start_mark, anchor ? "anchors (&name) are not supported: write the value out"
						     : "tags (!name) are not supported");
		return NULL;
	}
	if (ev->type == YAML_SCALAR_EVENT)
		return ytree_scalar(p, ev);
	return ev->type == YAML_SEQUENCE_START_EVENT ? ytree_seq(p, ev->start_mark, depth)
						     : ytree_map(p, ev->start_mark, depth);
}

/* STREAM-START DOCUMENT-START value DOCUMENT-END STREAM-END */
static struct ynode *ytree_document(struct ytree_parser *p)
{
	struct ynode *root = NULL;
	yaml_event_t ev;

	for (;;) {
		yaml_event_type_t type;

		if (!ytree_next(p, &ev))
			break;
		type = ev.type;
		if (type == YAML_DOCUMENT_START_EVENT && root)
			ytree_fail(p, ev.start_mark, "a second YAML document in one file");
		else if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT &&
			 type != YAML_DOCUMENT_END_EVENT && type != YAML_STREAM_END_EVENT)
			root = ytree_value(p, &ev, 0);
		if (type == YAML_STREAM_END_EVENT && !root)
			ytree_fail(p, ev.start_mark, "the file is empty");
		yaml_event_delete(&ev);
		if (p->e->text[0])
			break;
		if (type == YAML_STREAM_END_EVENT)
			return root;
	}
	ytree_free(root);
	return NULL;
}

struct ynode *ytree_parse(const char *file, const void *data, size_t len, struct yerr *e)
{
	struct ytree_parser p = { .file = file, .e = e };
	struct ynode *root;

	e->text[0] = '\0';
	if (len > YTREE_MAX_BYTES) {
		snprintf(e->text, sizeof(e->text), "%s: larger than %u MiB", file, YTREE_MAX_BYTES >> 20);
		return NULL;
	}
	if (!yaml_parser_initialize(&p.yaml)) {
		snprintf(e->text, sizeof(e->text), "%s: out of memory", file);
		return NULL;
	}
	yaml_parser_set_input_string(&p.yaml, data, len);
	root = ytree_document(&p);
	yaml_parser_delete(&p.yaml);
	return root;
}

void ytree_free(struct ynode *n)
{
	if (!n)
		return;
	for (uint32_t i = 0; i < n->n; i++) {
		if (n->kind == Y_MAP)
			ytree_free(n->key[i]);
		ytree_free(n->val[i]);
	}
	free(n->key);
	free(n->val);
	free(n->text);
	free(n);
}

struct ynode *ytree_get(const struct ynode *n, const char *key)
{
	if (!n || n->kind != Y_MAP)
		return NULL;
	for (uint32_t i = 0; i < n->n; i++)
		if (!strcmp(n->key[i]->text, key))
			return n->val[i];
	return NULL;
}

const char *ytree_kind(const struct ynode *n)
{
	switch (n->kind) {
	case Y_NULL:
		return "nothing";
	case Y_SCALAR:
		return "text";
	case Y_SEQ:
		return "a list";
	case Y_MAP:
		return "a map";
	}
	return "?";
}

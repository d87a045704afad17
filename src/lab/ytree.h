/* A YAML document as a tree that remembers where every word stood. */
#ifndef LAB_YTREE_H
#define LAB_YTREE_H

#include "base/types.h"

#define YTREE_MAX_BYTES (16u << 20)
#define YTREE_MAX_DEPTH 32
#define YTREE_MAX_NODES 4000000u

enum ykind { Y_NULL, Y_SCALAR, Y_SEQ, Y_MAP };

struct ynode {
	enum ykind kind;
	bool quoted;        /* a scalar in quotes: "5" is text, 5 a number */
	uint32_t line, col; /* from 1 */
	uint32_t n;         /* Y_SEQ: items; Y_MAP: pairs */
	char *text;         /* Y_SCALAR */
	struct ynode **key; /* Y_MAP: scalars, all different */
	struct ynode **val; /* Y_SEQ, Y_MAP */
};

/* Where and what, as one line: "FILE:LINE:COLUMN: text". */
#define YERR_MAX 512
struct yerr {
	char text[YERR_MAX];
};
void yerr_at(struct yerr *e, const char *file, const struct ynode *at, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/* Parse one document. NULL with *e filled in: not YAML, a duplicate key, an alias, a tag, a key that is not
 * a plain word, or beyond a limit above. "file" is only for the message. */
struct ynode *ytree_parse(const char *file, const void *data, size_t len, struct yerr *e);
void ytree_free(struct ynode *n);
/* The value of a key, NULL if absent (or n is no map). */
struct ynode *ytree_get(const struct ynode *n, const char *key);
/* "a map", "a list", "text", "nothing": for messages. */
const char *ytree_kind(const struct ynode *n);

#endif

/* Code between %{ and }%: values and the names that they have. */
#ifndef DRILL_DRILL_CODE_H
#define DRILL_DRILL_CODE_H

#include "drill/drill_int.h"

enum dval_kind { DVAL_INT, DVAL_FLOAT, DVAL_STR, DVAL_LIST, DVAL_NONE };
#define DVAL_MAX_ITEMS 64u
struct dval {
	enum dval_kind kind;
	bool truth; /* an integer that is shown as True or False */
	int64_t i;
	double f;
	const char *s;
	uint32_t n;
	struct dval *item;
};
struct dvar {
	struct dvar *next;
	const char *name;
	struct dval v;
};
/* What the script's code has set, and what the kernel says of the socket now. */
struct drill_code {
	bool python; /* some piece went to python3: it may have set names */
	struct darena mem;
	struct dvar *vars;  /* assigned by code: they stay */
	struct dvar *info;  /* of this moment */
	struct strbuf history; /* for a Python that has to do what the evaluator cannot */
};

/* drill_value.c */
bool dval_truth(const struct dval *v);
double dval_real(const struct dval *v);
double dval_magnitude(const struct dval *v);
double dval_floor(double x);
bool dval_numeric(const struct dval *v);
void dval_show(struct strbuf *sb, const struct dval *v);
/* -1, 0, 1; 2: not comparable. */
int dval_compare(const struct dval *a, const struct dval *b);

/* drill_info.c: fill info from the socket. */
void drill_info_read(struct drill *d, struct drill_code *c);
bool drill_code_lookup(const struct drill_code *c, const char *name, size_t len, struct dval *v);

/* drill_eval.c */
enum deval_result { DEVAL_OK, DEVAL_FALSE, DEVAL_ERROR, DEVAL_BEYOND };
/* Statements. FALSE: an assert failed; ERROR: a name or a type was wrong; both say why in why. BEYOND: more Python than
 * there is here (nothing was changed). */
enum deval_result drill_eval(struct drill_code *c, const char *text, struct strbuf *out, struct strbuf *why, uint32_t *line);

#endif

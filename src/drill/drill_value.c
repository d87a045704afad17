/* Values of a script's code: truth, order, text, as Python has them.
 *
 * Called by drill_eval.c; decides nothing else. Tests: tests/packet/code, tests/unit/drill/test_drill_eval.c. */
#include <string.h>
#include "drill/drill_code.h"

bool dval_truth(const struct dval *v)
{
	return v->kind == DVAL_INT ? v->i != 0 : v->kind == DVAL_FLOAT ? v->f != 0 : v->kind == DVAL_STR ? v->s[0] != 0 : v->kind == DVAL_LIST && v->n;
}

double dval_real(const struct dval *v)
{
	return v->kind == DVAL_FLOAT ? v->f : (double)v->i;
}

bool dval_numeric(const struct dval *v)
{
	return v->kind == DVAL_INT || v->kind == DVAL_FLOAT;
}

void dval_show(struct strbuf *sb, const struct dval *v)
{
	if (v->kind == DVAL_INT && v->truth) {
		sb_puts(sb, v->i ? "True" : "False");
	} else if (v->kind == DVAL_INT) {
		sb_printf(sb, "%lld", (long long)v->i);
	} else if (v->kind == DVAL_FLOAT) {
		sb_printf(sb, "%g", v->f);
	} else if (v->kind == DVAL_STR) {
		sb_puts(sb, v->s);
	} else if (v->kind == DVAL_NONE) {
		sb_puts(sb, "None");
	} else {
		sb_putc(sb, '(');
		for (uint32_t i = 0; i < v->n; i++) {
			sb_puts(sb, i ? ", " : "");
			dval_show(sb, &v->item[i]);
		}
		sb_putc(sb, ')');
	}
}

/* -1, 0, 1; 2: not comparable. */
int dval_compare(const struct dval *a, const struct dval *b)
{
	if (a->kind == DVAL_INT && b->kind == DVAL_INT)
		return a->i < b->i ? -1 : a->i > b->i;
	if (dval_numeric(a) && dval_numeric(b)) {
		double x = dval_real(a), y = dval_real(b);

		return x < y ? -1 : x > y;
	}
	if (a->kind == DVAL_STR && b->kind == DVAL_STR) {
		int r = strcmp(a->s, b->s);

		return r < 0 ? -1 : r > 0;
	}
	if (a->kind == DVAL_LIST && b->kind == DVAL_LIST) {
		for (uint32_t i = 0; i < a->n && i < b->n; i++) {
			int r = dval_compare(&a->item[i], &b->item[i]);

			if (r)
				return r;
		}
		return a->n < b->n ? -1 : a->n > b->n;
	}
	return 2;
}

/* Without libm; what is as large as this has no fraction. */
double dval_floor(double x)
{
	double t;

	if (!(x > -4e15 && x < 4e15))
		return x;
	t = (double)(int64_t)x;
	return t > x ? t - 1 : t;
}

double dval_magnitude(const struct dval *v)
{
	double x = v->kind == DVAL_FLOAT ? v->f : (double)v->i;

	return x < 0 ? -x : x;
}

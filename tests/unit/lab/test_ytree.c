/* YAML with places: what becomes a tree, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lab/ytree.h"

static struct ynode *parse(const char *text, struct yerr *e)
{
	return ytree_parse("y", text, strlen(text), e);
}

static void refused(const char *text, const char *line)
{
	struct yerr e;
	struct ynode *n = parse(text, &e);

	assert_null(n);
	assert_string_equal(e.text, line);
}

static void ytree_places_and_kinds(void **state)
{
	struct yerr e;
	struct ynode *n = parse("a: 5\nb: \"5\"\nc:\n  - x\n  - {d: ~}\ne:\n", &e), *c;

	assert_non_null(n);
	assert_int_equal(n->kind, Y_MAP);
	assert_int_equal(n->n, 4);
	assert_false(ytree_get(n, "a")->quoted);
	assert_true(ytree_get(n, "b")->quoted);
	assert_string_equal(ytree_get(n, "b")->text, "5");
	c = ytree_get(n, "c");
	assert_int_equal(c->kind, Y_SEQ);
	assert_int_equal(c->n, 2);
	assert_int_equal(c->val[1]->line, 5);
	assert_int_equal(c->val[1]->col, 5);
	assert_int_equal(ytree_get(c->val[1], "d")->kind, Y_NULL);
	assert_int_equal(ytree_get(n, "e")->kind, Y_NULL);
	assert_null(ytree_get(n, "f"));
	assert_null(ytree_get(c, "f"));
	assert_null(ytree_get(NULL, "f"));
	ytree_free(n);
}

static void ytree_refuses(void **state)
{
	refused("a: 1\nb: 2\na: 3\n", "y:3:1: 'a' is given twice, first in line 1");
	refused("a: {b: 1, b: 2}\n", "y:1:11: 'b' is given twice, first in line 1");
	refused("{a: 1}: 2\n", "y:1:1: a key must be a word, not a map");
	refused("? ~\n: 2\n", "y:1:3: a key must be a word, not nothing");
	refused("a: \"x\\0y\"\n", "y:1:4: a NUL character in a value");
	refused("\ta: 1\n", "y:1:1: not YAML: found character that cannot start any token while scanning for the next token");
	refused("a: 1\n...\n---\nb: 1\n", "y:3:1: a second YAML document in one file");
}

static void ytree_bounds(void **state)
{
	char deep[400], *big;
	struct yerr e;
	struct ynode *n;

	/* As deep as it may be, and one more. */
	for (unsigned depth = YTREE_MAX_DEPTH; depth <= YTREE_MAX_DEPTH + 1; depth++) {
		memset(deep, '[', depth);
		memset(deep + depth, ']', depth);
		deep[2 * depth] = '\0';
		n = parse(deep, &e);
		assert_true((n != NULL) == (depth <= YTREE_MAX_DEPTH));
		ytree_free(n);
	}
	assert_string_equal(e.text, "y:1:33: nested too deep");
	big = calloc(1, YTREE_MAX_BYTES + 1);
	assert_non_null(big);
	assert_null(ytree_parse("y", big, YTREE_MAX_BYTES + 1, &e));
	assert_string_equal(e.text, "y: larger than 16 MiB");
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ytree_places_and_kinds),
		cmocka_unit_test(ytree_refuses),
		cmocka_unit_test(ytree_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The evaluator of code: values, order, short circuits, and what it leaves to Python. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "drill/drill_code.h"

static enum deval_result eval(const char *text, struct strbuf *out, struct strbuf *why)
{
	struct drill_code c = { 0 };
	uint32_t line = 0;
	enum deval_result r;

	sb_init(out);
	sb_init(why);
	r = drill_eval(&c, text, out, why, &line);
	darena_free(&c.mem);
	return r;
}

static void expect(const char *text, enum deval_result want, const char *said)
{
	struct strbuf out, why;
	enum deval_result r = eval(text, &out, &why);
	const char *have = want == DEVAL_OK ? sb_str(&out) : sb_str(&why);

	if (r != want || strcmp(have ? have : "", said) != 0)
		fail_msg("%s: %d, '%s'", text, (int)r, have);
	sb_free(&out);
	sb_free(&why);
}

static void arithmetic(void **state)
{
	(void)state;
	expect("print(1 + 2 * 3 - 4 // 2)", DEVAL_OK, "5\n");
	expect("print(-7 // 2, -7 % 3, 2 ** 10, 1 << 4 | 3, 6 & 3, 6 ^ 3, ~0)", DEVAL_OK, "-4 2 1024 19 2 5 -1\n");
	expect("print(7 / 2, 1.5 * 2, 1e3, int(3.9), round(2.6), abs(-3), abs(-1.5))", DEVAL_OK, "3.5 3 1000 3 3 3 1.5\n");
	expect("print(0x10, 10L)", DEVAL_OK, "16 10\n");
	expect("x = 5; x += 2; x *= 3; print(x)", DEVAL_OK, "21\n");
	expect("print(1 / 0)", DEVAL_ERROR, "ZeroDivisionError: division by zero");
	expect("print(9223372036854775807 + 1)", DEVAL_BEYOND, "");
	expect("print(9223372036854775808)", DEVAL_BEYOND, "");
}

static void comparisons_and_logic(void **state)
{
	(void)state;
	expect("assert 1 < 2 <= 2 != 3", DEVAL_OK, "");
	expect("print(1 < 2, not 1, True, bool(0), (2 > 1) + 1)", DEVAL_OK, "True False True False 2\n");
	expect("assert not 1 < 2 < 2", DEVAL_OK, "");
	expect("assert 2 in (1, 2) and 3 not in [1, 2] and 'b' in 'abc'", DEVAL_OK, "");
	expect("assert 1 or nosuch", DEVAL_OK, "");
	expect("assert not (0 and nosuch)", DEVAL_OK, "");
	expect("assert (5 if 0 else 6) == 6", DEVAL_OK, "");
	expect("assert 0 or nosuch", DEVAL_ERROR, "NameError: there is no name nosuch");
	expect("assert TCP_CA_Recovery == 3 and TCPI_OPT_ECN", DEVAL_OK, "");
	expect("assert True is True and None is not 1", DEVAL_OK, "");
	expect("assert min(3, 1, 2) == 1 and max([4, 9]) == 9 and len((1, 2)) == 2", DEVAL_OK, "");
	expect("assert 'a' < 1", DEVAL_ERROR, "TypeError: these cannot be compared");
}

static void asserts_say_what_failed(void **state)
{
	(void)state;
	expect("a = 3\nassert a == 4, (a, 'no')", DEVAL_FALSE, "assertion failed: a == 4: (3, no)");
	expect("assert 1 == 2", DEVAL_FALSE, "assertion failed: 1 == 2");
	expect("assert (1 ==\n 2), 'it was %d, not %s' % (1, 2)", DEVAL_FALSE, "assertion failed: (1 ==\n 2): it was 1, not 2");
}

static void more_is_left_to_python(void **state)
{
	static const char *const more[] = {
		"for i in x: pass", "import math", "x.y", "x[0]", "f(1)", "lambda: 1", "x = {1: 2}", "'''a'''", "def f(): pass", "if 1: print(2)", "1 2",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		expect(more[i], DEVAL_BEYOND, "");
}

static void nesting_ends(void **state)
{
	char text[1000];

	(void)state;
	memset(text, '(', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	expect(text, DEVAL_BEYOND, "");
	memset(text, '-', sizeof(text) - 1);
	expect(text, DEVAL_BEYOND, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arithmetic),
		cmocka_unit_test(comparisons_and_logic),
		cmocka_unit_test(asserts_say_what_failed),
		cmocka_unit_test(more_is_left_to_python),
		cmocka_unit_test(nesting_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

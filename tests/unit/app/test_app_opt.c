/* app_util.c: flags before and after operands, as GNU's getopt takes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "app/app_util.h"

#define WORDS(...) (char *[]){ __VA_ARGS__, NULL }

/* What the flags of argv are, as "c=1 n"; then " |" and the operands. */
static void expect(char **argv, const char *spec, const char *want)
{
	char got[200] = "";
	struct opt o;
	int argc = 0, c;

	while (argv[argc])
		argc++;
	opt_init(&o, argc, argv, spec);
	while ((c = opt_next(&o, NULL)) != -1) {
		const char letter[] = { (char)c, '\0' };
		const char *s = strchr(spec, c);

		strcat(got, letter);
		if (s && s[1] == ':') {
			strcat(got, "=");
			strcat(got, o.value);
		}
		strcat(got, " ");
	}
	strcat(got, "|");
	for (; o.i < argc; o.i++) {
		strcat(got, " ");
		strcat(got, argv[o.i]);
	}
	assert_string_equal(got, want);
}

static void flags_before_operands(void **state)
{
	(void)state;
	expect(WORDS("ping", "-c", "1", "-n", "host"), "c:n", "c=1 n | host");
	expect(WORDS("ping", "-nc1", "host"), "c:n", "n c=1 | host");
	expect(WORDS("ping"), "c:n", "|");
}

static void flags_after_operands(void **state)
{
	(void)state;
	expect(WORDS("ping", "host", "-c", "1"), "c:n", "c=1 | host");
	expect(WORDS("ping", "host", "-nc", "1", "more", "-n", "last"), "c:n", "n c=1 n | host more last");
	expect(WORDS("nc", "host", "-", "-n"), "c:n", "n | host -");
}

static void two_dashes_end_the_flags(void **state)
{
	(void)state;
	expect(WORDS("ping", "--", "-n"), "c:n", "| -n");
	expect(WORDS("ping", "host", "--", "-n"), "c:n", "| host -n");
	expect(WORDS("ping", "-n", "--", "host", "-n"), "c:n", "n | host -n");
}

static void plus_ends_at_the_first_operand(void **state)
{
	(void)state;
	expect(WORDS("route", "-n", "add", "-net", "10.0.0.0"), "+nev", "n | add -net 10.0.0.0");
	expect(WORDS("ifconfig", "eth1", "-arp"), "+a", "| eth1 -arp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_before_operands),
		cmocka_unit_test(flags_after_operands),
		cmocka_unit_test(two_dashes_end_the_flags),
		cmocka_unit_test(plus_ends_at_the_first_operand),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

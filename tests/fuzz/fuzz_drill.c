/* Fuzz target: packet scripts. The parser takes any octets; a script that it accepts runs too (without commands that read files of
 * this machine, and without python: code that needs it is not run), for its world is as open to nonsense as its text. An
 * input that begins with % is code for the evaluator, with a back quote a command for the shell's parser. */
#include <stdlib.h>
#include <string.h>
#include "drill/drill.h"
#include "drill/drill_code.h"
#include "drill/drill_sh.h"

#define MAX_RUN 2048 /* longer ones are only parsed: a run costs more than its text */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nothing that leaves the process. */
static bool harmless(const char *text)
{
	return !strchr(text, '`') && !strstr(text, "%{") && !strstr(text, "define");
}

static void evaluate(const char *text, struct strbuf *out)
{
	struct drill_code c = { 0 };
	uint32_t line = 0;

	drill_eval(&c, text, out, out, &line);
	darena_free(&c.mem);
}

static void read_command(const char *text)
{
	struct darena mem = { NULL };
	char err[200];

	sh_parse(&mem, text, err, sizeof(err));
	darena_free(&mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct drill_flags flags = { .seed = 1 };
	char *text = malloc(size + 1); /* exactly as long as it is */
	struct strbuf out;

	memcpy(text, data, size);
	text[size] = '\0';
	sb_init(&out);
	if (*text == '%')
		evaluate(text + 1, &out);
	else if (*text == '`')
		read_command(text + 1);
	else
		drill_parse_only("fuzz", text, size, &out);
	if (size <= MAX_RUN && strlen(text) == size && harmless(text))
		drill_run("fuzz", "/nowhere", text, size, &flags, &out);
	sb_free(&out);
	free(text);
	return 0;
}

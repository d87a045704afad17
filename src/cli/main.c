/* culver: the command line. Finds the command and hands it its arguments. */
#include <string.h>
#include "cli/cli.h"
#include "os/os_term.h"

#ifndef CULVER_VERSION
#error "CULVER_VERSION comes from the build"
#endif

static int version(void)
{
	static const char text[] = "culver " CULVER_VERSION "\n";

	return cli_print(text, sizeof(text) - 1);
}

int main(int argc, char **argv)
{
	const struct cli_cmd *c;

	os_hold_standard_fds();
	os_ignore_sigpipe();
	if (argc < 2) {
		cli_fail(CLI_USAGE, "which command? (see: culver help)");
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "--version"))
		return version();
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return cmd_help(1, argv);
	c = cli_cmd_find(argv[1]);
	if (!c)
		return cli_fail(CLI_USAGE, "no command '%.60s' (see: culver help)", argv[1]);
	for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!strcmp(argv[i], "--help"))
			return cmd_help(2, (char *[]){ "help", argv[1], NULL });
	return c->run(argc - 1, argv + 1);
}

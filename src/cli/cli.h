/* The person's floor: what the commands share. A command takes its argv (argv[0] is its name) and returns the exit
 * code: 0 done, 1 the network said no, 2 usage, 3 this machine said no. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/strbuf.h"
#include "lab/lab.h"

enum { CLI_OK = 0, CLI_NETWORK = 1, CLI_USAGE = 2, CLI_LOCAL = 3 };

struct cli_cmd {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage; /* one line, without "culver" */
	const char *help;  /* what it does and its options */
};
/* NULL past the end / not known. */
const struct cli_cmd *cli_cmd_at(size_t i);
const struct cli_cmd *cli_cmd_find(const char *name);

int cmd_visit(int argc, char **argv);
int cmd_lab(int argc, char **argv);
int cmd_lives(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_up(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_drill(int argc, char **argv);
int cmd_help(int argc, char **argv);

/* ---- options ---- */
struct cli_opt {
	const char *name; /* "--lab", or "-c" */
	bool value;
};
struct cli_args {
	const char *cmd;
	int argc, i;
	char **argv;
	const struct cli_opt *opt;
	size_t n_opt;
	const char *value; /* of the option last returned */
	bool operands_only; /* after "--" */
};
void cli_args_init(struct cli_args *a, int argc, char **argv, const struct cli_opt *opt, size_t n_opt);
/* Index of the next option in opt; CLI_ARG_OPERAND (its text in value); CLI_ARG_END; CLI_ARG_BAD, and the error is
 * printed. "--name VALUE" and "--name=VALUE" are the same. */
enum { CLI_ARG_END = -1, CLI_ARG_OPERAND = -2, CLI_ARG_BAD = -3 };
int cli_args_next(struct cli_args *a);
/* A decimal option value in [min, max]: true, or false with the error printed. */
bool cli_u64(const struct cli_args *a, const char *name, uint64_t min, uint64_t max, uint64_t *out);

/* ---- output ---- */
/* "culver: " and one line on standard error; control characters are made visible. Returns code. */
int cli_fail(int code, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A usage error: the line, and how to ask for help. Returns CLI_USAGE. */
int cli_usage(const char *cmd, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Print to standard output. 0, or the exit code to end with: a closed pipe ends it quietly (CLI_OK), a full disk with
 * a line (CLI_LOCAL). */
int cli_print(const char *s, size_t len);
/* May colour be used on standard output? A terminal, no NO_COLOR, TERM not dumb. */
bool cli_colour(void);

/* ---- labs ---- */
/* Open a lab's source or print why not. CLI_OK or the exit code. Lists on stderr which keys were ignored. */
int cli_source(struct lab_source *src, const char *file);
/* The exit code of a lab's error, after printing *e. */
int cli_lab_fail(enum lab_err err, const struct yerr *e);

/* SIGINT and SIGTERM while a world runs: ask cli_interrupted. */
struct cli_signals {
	int fd, taken; /* taken: the signal that came */
};
int cli_signals_open(struct cli_signals *s);
bool cli_interrupted(void *signals);

#endif

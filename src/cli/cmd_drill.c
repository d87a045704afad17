/* culver drill: packet scripts, one after the other, each in a world of its own. Called by main.c; hands on to
 * drill/drill.h. Folders are searched for *.pkt, in the order of their names. Tests: tests/lab/drill.t, tests/packet. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "drill/drill.h"
#include "os/os_file.h"
#include "os/os_term.h"

#define DRILL_MAX_FILE (4u << 20)
#define DRILL_MAX_FOLDERS 16

struct drill_cmd {
	struct drill_flags flags;
	const char **path;
	char *owned[DRILL_MAX_OPTIONS]; /* texts of -D */
	size_t n_owned;
	size_t n_paths;
	unsigned count[4]; /* by enum drill_result */
	int code;
	bool json, first_only;
};

/* ---- one script ---- */

static void dir_of(const char *path, char *dir, size_t room)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		snprintf(dir, room, ".");
	else
		snprintf(dir, room, "%.*s", (int)(slash == path ? 1 : slash - path), path);
}

static void put_json(struct strbuf *sb, const char *path, enum drill_result r, const struct strbuf *said)
{
	static const char *const words[] = { "passed", "failed", "wrong", "skipped" };

	sb_puts(sb, "{\"script\": \"");
	for (const char *p = path; *p; p++)
		sb_printf(sb, *p == '"' || *p == '\\' ? "\\%c" : (unsigned char)*p < 0x20 ? "\\u%04x" : "%c", (unsigned char)*p);
	sb_printf(sb, "\", \"result\": \"%s\", \"text\": \"", words[r]);
	for (size_t i = 0; i < said->len; i++) {
		unsigned char c = (unsigned char)said->buf[i];

		if (c == '\n')
			sb_puts(sb, "\\n");
		else if (c < 0x20)
			sb_printf(sb, "\\u%04x", c);
		else
			sb_printf(sb, c == '"' || c == '\\' ? "\\%c" : "%c", c);
	}
	sb_puts(sb, "\"}\n");
}

static int report(struct drill_cmd *c, const char *path, enum drill_result r, const struct strbuf *said)
{
	struct strbuf sb;
	int code;

	sb_init(&sb);
	if (c->json)
		put_json(&sb, path, r, said);
	else if (r == DRILL_SKIP)
		sb_printf(&sb, "%.*s: skipped\n", (int)(said->len ? said->len - 1 : 0), sb_str(said));
	else
		sb_add(&sb, sb_str(said), said->len);
	code = r == DRILL_BAD && !c->json ? os_eprint(sb_str(&sb), sb.len) : cli_print(sb_str(&sb), sb.len);
	sb_free(&sb);
	return code;
}

static int one_script(struct drill_cmd *c, const char *path)
{
	static const int codes[] = { CLI_OK, CLI_NETWORK, CLI_USAGE, CLI_OK };
	char dir[1024], *text;
	struct strbuf said;
	enum drill_result r;
	size_t len;
	bool piped = !strcmp(path, "-");
	int err = piped ? -EINVAL : os_read_file(path, DRILL_MAX_FILE, &text, &len);

	if (err == -EINVAL) { /* no regular file */
		piped = true;
		err = os_read_pipe(path, DRILL_MAX_FILE, &text, &len);
	}
	if (err) {
		bool typed = err == -ENOENT || err == -ENOTDIR || err == -ENAMETOOLONG || err == -EFBIG;

		c->count[DRILL_BAD]++;
		c->code = !typed || c->code == CLI_LOCAL ? CLI_LOCAL : CLI_USAGE;
		return cli_fail(CLI_OK, "drill: %s: %s", path, os_strerror(err));
	}
	dir_of(piped ? "-" : path, dir, sizeof(dir));
	sb_init(&said);
	r = drill_run(path, dir, text, len, &c->flags, &said);
	free(text);
	c->count[r]++;
	if (codes[r] > c->code)
		c->code = codes[r];
	err = report(c, path, r, &said);
	sb_free(&said);
	return err;
}

/* ---- folders ---- */

struct folder {
	struct drill_cmd *c;
	const char *path;
	char **name;
	bool *is_dir;
	size_t n;
};

static void folder_add(void *ctx, const char *name, bool is_dir)
{
	struct folder *f = ctx;
	size_t len = strlen(name), room = strlen(f->path) + len + 2;

	if (!is_dir && (len < 4 || strcmp(name + len - 4, ".pkt") != 0))
		return;
	f->name = xrealloc(f->name, (f->n + 1) * sizeof(*f->name));
	f->is_dir = xrealloc(f->is_dir, (f->n + 1) * sizeof(*f->is_dir));
	f->name[f->n] = xcalloc(1, room);
	snprintf(f->name[f->n], room, "%s/%s", f->path, name);
	f->is_dir[f->n++] = is_dir;
}

static int one_path(struct drill_cmd *c, const char *path, unsigned depth)
{
	struct folder f = { .c = c, .path = path };
	struct os_dir *d;
	int code = CLI_OK;

	if (os_dir_open(path, &d))
		return one_script(c, path);
	if (depth < DRILL_MAX_FOLDERS)
		os_dir_list(d, "", folder_add, &f);
	os_dir_close(d);
	for (size_t i = 0; i < f.n; i++) {
		if (code == CLI_OK)
			code = f.is_dir[i] ? one_path(c, f.name[i], depth + 1) : one_script(c, f.name[i]);
		free(f.name[i]);
	}
	free(f.name);
	free(f.is_dir);
	return code;
}

/* ---- the command ---- */

static int add_option(struct drill_cmd *c, const char *text)
{
	char err[200];

	if (c->flags.n_options == DRILL_MAX_OPTIONS)
		return cli_usage("drill", "more than %d options", DRILL_MAX_OPTIONS);
	if (drill_option_check(text, err, sizeof(err)))
		return cli_usage("drill", "%s", err);
	c->flags.option[c->flags.n_options++] = text;
	return CLI_OK;
}

static int one_flag(struct drill_cmd *c, int argc, char **argv, int *i)
{
	const char *a = argv[*i];
	uint64_t seed;

	if (!strcmp(a, "--json"))
		return c->json = true, CLI_OK;
	if (!strcmp(a, "--verbose") || !strcmp(a, "-v"))
		return c->flags.verbose = true, CLI_OK;
	if (!strcmp(a, "--dry_run"))
		return c->flags.dry_run = true, CLI_OK;
	if (!strncmp(a, "--seed=", 7)) {
		if (u64_parse(a + 7, 0, UINT64_MAX, &seed))
			return cli_usage("drill", "--seed needs a whole number, not '%.60s'", a + 7);
		c->flags.seed = seed;
		return CLI_OK;
	}
	if (!strcmp(a, "-D") && *i + 1 < argc) {
		size_t room = strlen(argv[*i + 1]) + 3;
		char *text = xcalloc(1, room);

		snprintf(text, room, "-D%s", argv[++*i]);
		if (c->n_owned == DRILL_MAX_OPTIONS) {
			free(text);
			return cli_usage("drill", "more than %d options", DRILL_MAX_OPTIONS);
		}
		c->owned[c->n_owned++] = text;
		return add_option(c, text);
	}
	return add_option(c, a);
}

static int drill_args(struct drill_cmd *c, int argc, char **argv)
{
	bool operands = false;
	int code = CLI_OK;

	for (int i = 1; i < argc && code == CLI_OK; i++) {
		if (!operands && !strcmp(argv[i], "--"))
			operands = true;
		else if (!operands && argv[i][0] == '-' && argv[i][1])
			code = one_flag(c, argc, argv, &i);
		else
			c->path[c->n_paths++] = argv[i];
	}
	if (code == CLI_OK && !c->n_paths)
		code = cli_usage("drill", "which script? a file, or a folder of them, as in: drill tests/packet");
	return code;
}

int cmd_drill(int argc, char **argv)
{
	struct drill_cmd c = { .flags = { .seed = 1 } };
	unsigned total;
	int code;

	c.path = xcalloc((size_t)argc, sizeof(*c.path));
	code = drill_args(&c, argc, argv);
	for (size_t i = 0; i < c.n_paths && code == CLI_OK; i++)
		code = one_path(&c, c.path[i], 0);
	free(c.path);
	for (size_t i = 0; i < c.n_owned; i++)
		free(c.owned[i]);
	if (code != CLI_OK)
		return code;
	total = c.count[DRILL_PASS] + c.count[DRILL_FAIL] + c.count[DRILL_SKIP] + c.count[DRILL_BAD];
	if (!total)
		return cli_usage("drill", "no *.pkt in that folder");
	if (total > 1 && !c.json) {
		struct strbuf sb;

		sb_init(&sb);
		sb_printf(&sb, "%u passed, %u failed, %u skipped", c.count[DRILL_PASS], c.count[DRILL_FAIL], c.count[DRILL_SKIP]);
		if (c.count[DRILL_BAD])
			sb_printf(&sb, ", %u wrong", c.count[DRILL_BAD]);
		sb_putc(&sb, '\n');
		code = cli_print(sb_str(&sb), sb.len);
		sb_free(&sb);
	}
	return code != CLI_OK ? code : c.code;
}

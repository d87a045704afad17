/* os/os_file.h: a folder cannot be left, and output appears whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/strbuf.h"
#include "os/os_file.h"

static char top[] = "/tmp/culver-os-XXXXXX";

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
	if (!mkdtemp(top) || chdir(top) || mkdir("site", 0755) || mkdir("site/sub", 0755))
		return -1;
	put("secret", "secret");
	put("site/index.html", "hello");
	put("site/sub/a", "aa");
	return symlink("../secret", "site/out") || symlink("/etc/passwd", "site/abs") ||
	       symlink("sub/a", "site/inside") || symlink("loop", "site/loop") || mkfifo("site/fifo", 0600);
}

static int teardown(void **state)
{
	char cmd[100];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", top);
	return chdir("/") || system(cmd);
}

/* They have size 0 and text all the same. */
static void files_of_proc_are_read_whole(void **state)
{
	char *text = NULL;
	size_t len = 0;

	assert_int_equal(os_read_file("/proc/self/status", 65536, &text, &len), 0);
	assert_true(len > 100 && strlen(text) == len && strstr(text, "Pid:"));
	free(text);
	assert_int_equal(os_read_file("/dev/null", 10, &text, &len), -EINVAL);
}

static void folder_reads_what_is_below_it(void **state)
{
	struct os_dir *d;
	struct os_stat st;
	char buf[10];

	assert_int_equal(os_dir_open("site", &d), 0);
	assert_int_equal(os_dir_stat(d, "", &st), 0);
	assert_true(st.is_dir);
	assert_int_equal(os_dir_stat(d, "index.html", &st), 0);
	assert_int_equal(st.size, 5);
	assert_int_equal(os_dir_pread(d, "index.html", buf, sizeof(buf), 1), 4);
	assert_memory_equal(buf, "ello", 4);
	assert_int_equal(os_dir_pread(d, "sub/a", buf, 1, 0), 1);
	assert_int_equal(os_dir_pread(d, "index.html", buf, sizeof(buf), 5), 0);
	assert_int_equal(os_dir_stat(d, "nothing", &st), -ENOENT);
	assert_int_equal(os_dir_stat(d, "index.html/x", &st), -ENOENT);
	os_dir_close(d);
}

static void folder_cannot_be_left(void **state)
{
	static const char *const bad[] = { "../secret", "sub/../../secret", "/etc/passwd", "out", "abs" };
	struct os_dir *d;
	struct os_stat st;
	char buf[10];

	assert_int_equal(os_dir_open("site", &d), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(os_dir_stat(d, bad[i], &st), -EACCES);
		assert_int_equal(os_dir_pread(d, bad[i], buf, sizeof(buf), 0), -EACCES);
	}
	assert_int_equal(os_dir_stat(d, "loop", &st), -ELOOP);
	assert_int_equal(os_dir_stat(d, "fifo", &st), -EACCES); /* and does not wait for a writer */
	os_dir_close(d);
}

static void note(void *ctx, const char *name, bool is_dir)
{
	sb_printf(ctx, "%s%s ", name, is_dir ? "/" : "");
}

static void folder_lists_in_order(void **state)
{
	struct os_dir *d;
	struct strbuf sb;

	sb_init(&sb);
	assert_int_equal(os_dir_open("site", &d), 0);
	assert_int_equal(os_dir_list(d, "", note, &sb), 0);
	assert_string_equal(sb_str(&sb), "abs fifo index.html inside loop out sub/ ");
	os_dir_close(d);
	sb_free(&sb);
}

static void output_appears_at_commit(void **state)
{
	struct os_out *o;
	struct os_outfile *f;
	struct stat st;
	char *data;
	size_t len;

	put("keep", "old");
	assert_int_equal(os_out_open("out", &o), 0);
	f = os_out_file(o, "wire/a");
	assert_non_null(f);
	os_out_write(f, "one", 3);
	os_out_write(f, "two", 3);
	assert_int_equal(stat("out/wire/a", &st), -1);
	assert_int_equal(os_out_commit(o), 0);
	assert_int_equal(os_read_file("out/wire/a", 100, &data, &len), 0);
	assert_string_equal(data, "onetwo");
	free(data);
	assert_int_equal(system("ls -A out out/wire > list; test \"$(cat list | tr '\\n' ' ')\" = 'out: wire  out/wire: a '"),
			 0);
}

static void output_abort_leaves_nothing(void **state)
{
	struct os_out *o;
	struct stat st;

	assert_int_equal(os_out_open("gone", &o), 0);
	os_out_write(os_out_file(o, "wire/a"), "x", 1);
	os_out_abort(o);
	assert_int_equal(stat("gone", &st), -1);
}

/* A name that is taken by a folder: found before anything is renamed. */
static void output_all_or_none(void **state)
{
	struct os_out *o;
	struct stat st;
	const char *name;

	assert_int_equal(mkdir("part", 0755), 0);
	assert_int_equal(mkdir("part/b", 0755), 0);
	assert_int_equal(os_out_open("part", &o), 0);
	os_out_write(os_out_file(o, "a"), "x", 1);
	os_out_write(os_out_file(o, "b"), "x", 1);
	assert_int_equal(os_out_commit(o), -EISDIR);
	assert_int_equal(os_out_error(o, &name), -EISDIR);
	assert_string_equal(name, "b");
	os_out_abort(o);
	assert_int_equal(stat("part/a", &st), -1);
}

static void output_many_files(void **state)
{
	struct os_out *o;
	struct os_outfile *f[300];
	char name[20], *data;
	size_t len;

	assert_int_equal(os_out_open("many", &o), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(f); i++) {
		snprintf(name, sizeof(name), "f%u", i);
		f[i] = os_out_file(o, name);
		assert_non_null(f[i]);
		os_out_write(f[i], "1", 1);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(f); i++)
		os_out_write(f[i], "2", 1);
	assert_int_equal(os_out_commit(o), 0);
	assert_int_equal(os_read_file("many/f299", 100, &data, &len), 0);
	assert_string_equal(data, "12");
	free(data);
}

static void read_file_bounds(void **state)
{
	char *data;
	size_t len;

	assert_int_equal(os_read_file("site/index.html", 4, &data, &len), -EFBIG);
	assert_int_equal(os_read_file("site", 100, &data, &len), -EISDIR);
	assert_int_equal(os_read_file("site/fifo", 100, &data, &len), -EINVAL);
	assert_int_equal(os_read_file("nothing", 100, &data, &len), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_proc_are_read_whole),
		cmocka_unit_test(folder_reads_what_is_below_it),
		cmocka_unit_test(folder_cannot_be_left),
		cmocka_unit_test(folder_lists_in_order),
		cmocka_unit_test(output_appears_at_commit),
		cmocka_unit_test(output_abort_leaves_nothing),
		cmocka_unit_test(output_all_or_none),
		cmocka_unit_test(output_many_files),
		cmocka_unit_test(read_file_bounds),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

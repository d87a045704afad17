/* Where a lab's files come from: the built-in lab and what lies in it, mounted on a host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lab/lab.h"
#include "socket/vfs.h"

static struct lab *internet(struct lab_source *src)
{
	struct lab_opts opts = { 0 };
	enum lab_err err;
	struct yerr e;
	struct lab *lab;

	if (lab_source_open(src, "internet", &e) != LAB_OK)
		fail_msg("%s", e.text);
	lab = lab_new(src, &opts, &err, &e);
	if (!lab)
		fail_msg("%s", e.text);
	return lab;
}

static void labs_builtin(void **state)
{
	struct lab_source src;
	struct yerr e;

	assert_string_equal(lab_builtin_name(0), "internet.clab.yml");
	assert_string_equal(lab_builtin_name(1), "nat.clab.yml");
	assert_string_equal(lab_builtin_name(2), "pair.clab.yml");
	assert_string_equal(lab_builtin_name(3), "sockmap.clab.yml");
	assert_null(lab_builtin_name(4));
	assert_int_equal(lab_source_open(&src, "nosuch", &e), LAB_BAD);
	assert_int_equal(lab_source_open(&src, "internet/zones", &e), LAB_BAD);
	assert_int_equal(lab_source_open(&src, "internet", &e), LAB_OK);
	assert_true(src.builtin);
	assert_string_equal(src.topo.name, "internet");
	lab_source_close(&src);
}

/* S3-15, and what the checks of the built-in lab rest on: sizes and folders of its site. */
static void s3_15_site_of_the_builtin_lab(void **state)
{
	struct lab_source src;
	struct lab *lab = internet(&src);
	struct net *www = lab_find(lab, "www")->net;
	struct task *t = task_new_external(www, "test", NULL);
	struct vfs_stat st;
	uint64_t ino;

	assert_int_equal(sys_stat(t, "/srv/www/index.html", &st), 0);
	assert_true(st.size > 100 * 1024);
	assert_int_equal(st.mtime_s, LAB_EPOCH_S);
	ino = st.ino;
	assert_int_equal(sys_stat(t, "/srv/www/small.html", &st), 0);
	assert_true(st.size < 1460);
	assert_int_not_equal(st.ino, ino);
	assert_int_equal(sys_stat(t, "/srv/www/dir1/file1.html", &st), 0);
	assert_int_equal(sys_stat(t, "/srv/www/dir1", &st), 0);
	assert_true(st.is_dir);
	assert_int_equal(sys_stat(t, "/srv/www/dir2/index.html", &st), -ENOENT);
	assert_int_equal(sys_stat(t, "/srv/www/dir2/default.html", &st), 0);
	assert_int_equal(sys_stat(t, "/srv/www/dir", &st), -ENOENT); /* not a prefix of a name */
	assert_int_equal(sys_stat(t, "/srv/www/upload", &st), 0);
	assert_true(st.is_dir);
	task_free(t);
	lab_free(lab);
	lab_source_close(&src);
}

/* S3-21, S3-22: each name server has its own zone, and the resolver only the root's address. */
static void s3_22_resolver_knows_only_the_root(void **state)
{
	struct lab_source src;
	struct lab *lab = internet(&src);
	static const char *const nodes[] = { "root", "com", "ns", "dns" };
	static const char *const files[] = { "/etc/root.zone", "/etc/com.zone", "/etc/server.com.zone", "/etc/root.hints" };
	struct vfs_stat st;

	for (unsigned n = 0; n < 4; n++) {
		struct task *t = task_new_external(lab_find(lab, nodes[n])->net, "test", NULL);

		for (unsigned f = 0; f < 4; f++)
			assert_int_equal(sys_stat(t, files[f], &st), n == f ? 0 : -ENOENT);
		task_free(t);
	}
	lab_free(lab);
	lab_source_close(&src);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labs_builtin),
		cmocka_unit_test(s3_15_site_of_the_builtin_lab),
		cmocka_unit_test(s3_22_resolver_knows_only_the_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

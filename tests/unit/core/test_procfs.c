/* /proc files and sysctls: order of an iterator's calls, names in both spellings, bounds, refusals. */
#include <errno.h>
#include "room_fixture.h"

static void show_one(struct net *net, struct strbuf *out)
{
	sb_printf(out, "host %u\n", net->id);
}

/* ---- iterators ---- */

static char seq_log[256];

static void seq_say(const char *s)
{
	strncat(seq_log, s, sizeof(seq_log) - strlen(seq_log) - 1);
}

static int seq_values[3] = { 10, 20, 30 };

static void *seq_start(struct net *net, void *state, uint64_t pos)
{
	char s[32];

	assert_int_equal(*(int *)state, pos ? 77 : 0); /* zeroed once, then kept */
	*(int *)state = 77;
	snprintf(s, sizeof(s), "start%d ", (int)pos);
	seq_say(s);
	if (!pos)
		return SEQ_START_TOKEN;
	return pos <= 3 ? &seq_values[pos - 1] : NULL;
}

static void *seq_next(struct net *net, void *state, void *v)
{
	int *p = v;

	assert_ptr_not_equal(v, SEQ_START_TOKEN);
	seq_say("next ");
	return p == &seq_values[2] ? NULL : p + 1;
}

static void seq_stop(struct net *net, void *state, void *v)
{
	seq_say("stop ");
}

static void seq_show(struct net *net, struct strbuf *out, void *state, void *v)
{
	if (v == SEQ_START_TOKEN)
		sb_puts(out, "header\n");
	else
		sb_printf(out, "%d\n", *(int *)v);
}

static const struct seq_operations seq_ops = { seq_start, seq_next, seq_stop, seq_show, sizeof(int) };

static void seq_calls_come_in_seq_file_order(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct strbuf sb;

	sb_init(&sb);
	seq_log[0] = '\0';
	assert_int_equal(proc_create_seq(f->net, "net/test", &seq_ops), 0);
	assert_int_equal(proc_read(f->net, "net/test", &sb), 0);
	assert_text(&sb, "header\n10\n20\n30\n");
	assert_string_equal(seq_log, "start0 stop start1 next next next stop ");
	sb_free(&sb);
	fx_free(f);
}

static void names_are_unique_and_sorted(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct seq_operations big = seq_ops;
	struct strbuf sb;
	bool w;

	sb_init(&sb);
	big.state_size = SEQ_STATE_MAX + 1;
	assert_int_equal(proc_create_single(f->net, "net/one", show_one), 0);
	assert_int_equal(proc_create_single(f->net, "net/one", show_one), -EEXIST);
	assert_int_equal(proc_create_single(f->net, "", show_one), -EINVAL);
	assert_int_equal(proc_create_single(f->net, "/net/x", show_one), -EINVAL);
	assert_int_equal(proc_create_seq(f->net, "net/big", &big), -EINVAL);
	assert_int_equal(proc_read(f->net, "net/none", &sb), -ENOENT);
	assert_int_equal(proc_read(f->net, "net/one", &sb), 0);
	assert_text(&sb, "host 1\n");
	assert_true(proc_lookup(f->net, "net/one", &w));
	assert_false(w);
	assert_int_equal(proc_write(f->net, "net/one", "x", 1, &sb), -EACCES);
	assert_int_equal(proc_remove(f->net, "net/one"), 0);
	assert_int_equal(proc_remove(f->net, "net/one"), -ENOENT);
	assert_int_equal(proc_read(f->net, "net/one", &sb), -ENOENT);
	sb_free(&sb);
	fx_free(f);
}

struct listing {
	char last[256];
	int n, sys;
};

static void list_one(const char *path, void *arg)
{
	struct listing *l = arg;
	bool sys = !strncmp(path, "sys/", 4);

	assert_null(strstr(path, "//"));
	if (sys == (l->sys > 0))
		assert_true(strcmp(l->last, path) < 0);
	snprintf(l->last, sizeof(l->last), "%s", path);
	l->sys += sys;
	l->n++;
}

static void listing_is_in_order(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct listing l = { .n = 0 };

	proc_create_single(f->net, "zz", show_one);
	proc_create_single(f->net, "aa", show_one);
	proc_list(f->net, list_one, &l);
	assert_true(l.n > 5);
	assert_true(l.sys >= 6);
	fx_free(f);
}

/* ---- sysctls ---- */

static int32_t knob[3] = { 1, 2, 3 };
static unsigned changes;

static void knob_changed(struct net *net, const struct ctl_table *t)
{
	changes++;
}

static char word[32];

static void word_get(struct net *net, const struct ctl_table *t, struct strbuf *out)
{
	sb_puts(out, word);
}

static int word_set(struct net *net, const struct ctl_table *t, const char *text)
{
	if (strlen(text) >= sizeof(word))
		return -EINVAL;
	strcpy(word, text);
	return 0;
}

static const struct ctl_table knobs[] = {
	{ .name = "net.test.one", .data = &knob[0], .min = 0, .max = 10, .changed = knob_changed },
	{ .name = "net.test.three", .data = knob, .nr = 3 },
	{ .name = "net.test.word", .get = word_get, .set = word_set },
	{ .name = "net.test.fixed", .get = word_get },
	{ .name = "net.test.conf.eth0/100.forwarding", .data = &knob[1] },
};

static struct fx *sysctl_fx(void)
{
	struct fx *f = fx_rooms(NULL);

	knob[0] = 1, knob[1] = 2, knob[2] = 3;
	changes = 0;
	assert_int_equal(register_sysctl(f->net, knobs, ARRAY_SIZE(knobs)), 0);
	return f;
}

static void sysctl_values_and_bounds(void **state)
{
	static const char *const bad[] = { "", " ", "x", "1x", "11", "-1", "1 2", "99999999999", "-9223372036854775808", "18446744073709551615", "1.5" };
	struct fx *f = sysctl_fx();
	struct strbuf sb;
	size_t i;

	sb_init(&sb);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(sysctl_set(f->net, "net.test.one", bad[i]), -EINVAL);
	assert_int_equal(knob[0], 1);
	assert_int_equal(changes, 0);
	assert_int_equal(sysctl_set(f->net, "net.test.one", " 7\n"), 0);
	assert_int_equal(knob[0], 7);
	assert_int_equal(changes, 1);
	assert_int_equal(sysctl_set(f->net, "net/test/one", "0x0a"), 0);
	assert_int_equal(sysctl_get(f->net, "net/test/one", &sb), 0);
	assert_text(&sb, "10");
	assert_int_equal(sysctl_set(f->net, "net.test.none", "1"), -ENOENT);
	assert_int_equal(sysctl_get(f->net, "net.test.none", &sb), -ENOENT);
	assert_int_equal(sysctl_set(f->net, "net.test.fixed", "1"), -EACCES);
	assert_int_equal(sysctl_set(f->net, "net.test.word", "  cubic \n"), 0);
	assert_int_equal(sysctl_get(f->net, "net.test.word", &sb), 0);
	assert_text(&sb, "cubic");
	sb_free(&sb);
	fx_free(f);
}

static void sysctl_vectors_change_as_a_whole_or_not(void **state)
{
	struct fx *f = sysctl_fx();
	struct strbuf sb;

	sb_init(&sb);
	assert_int_equal(sysctl_set(f->net, "net.test.three", "4 5 x"), -EINVAL);
	assert_int_equal(sysctl_set(f->net, "net.test.three", "4 5 6 7"), -EINVAL);
	assert_int_equal(knob[0], 1);
	assert_int_equal(sysctl_set(f->net, "net.test.three", "4096\t131072"), 0);
	assert_int_equal(sysctl_get(f->net, "net.test.three", &sb), 0);
	assert_text(&sb, "4096\t131072\t3");
	sb_free(&sb);
	fx_free(f);
}

static void sysctl_names_in_both_spellings(void **state)
{
	struct fx *f = sysctl_fx();
	struct strbuf sb;
	bool w = false;

	sb_init(&sb);
	assert_int_equal(sysctl_get(f->net, "net/test/conf/eth0.100/forwarding", &sb), 0);
	assert_text(&sb, "2");
	assert_int_equal(proc_read(f->net, "sys/net/test/conf/eth0.100/forwarding", &sb), 0);
	assert_text(&sb, "2\n");
	assert_int_equal(proc_write(f->net, "sys/net/test/one", "5\n", 2, &sb), 0);
	assert_int_equal(knob[0], 5);
	assert_true(proc_lookup(f->net, "sys/net/test/one", &w));
	assert_true(w);
	assert_true(proc_lookup(f->net, "sys/net/test/fixed", &w));
	assert_false(w);
	sb_free(&sb);
	fx_free(f);
}

static void sysctl_tables_register_whole_or_not(void **state)
{
	const struct ctl_table t[] = { { .name = "net.test.new", .data = knob },
				       { .name = "net.test.one", .data = knob } };
	struct fx *f = sysctl_fx();
	bool w;

	assert_int_equal(register_sysctl(f->net, t, 2), -EEXIST);
	assert_false(sysctl_lookup(f->net, "net.test.new", &w));
	assert_int_equal(register_sysctl(f->net, t, 1), 0);
	assert_int_equal(unregister_sysctl(f->net, "net.test.conf.eth0/100."), 1);
	assert_int_equal(unregister_sysctl(f->net, "net.test."), 5);
	assert_false(sysctl_lookup(f->net, "net.test.one", &w));
	assert_true(sysctl_lookup(f->net, "net.core.somaxconn", &w));
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seq_calls_come_in_seq_file_order),
		cmocka_unit_test(names_are_unique_and_sorted),
		cmocka_unit_test(listing_is_in_order),
		cmocka_unit_test(sysctl_values_and_bounds),
		cmocka_unit_test(sysctl_vectors_change_as_a_whole_or_not),
		cmocka_unit_test(sysctl_names_in_both_spellings),
		cmocka_unit_test(sysctl_tables_register_whole_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* net.c: a host is built, run and taken down. */
#include <errno.h>
#include "core_fixture.h"

static char built[64];
static int init_a(struct net *net)
{
	(void)net;
	strcat(built, "+a");
	return 0;
}
static void exit_a(struct net *net)
{
	(void)net;
	strcat(built, "-a");
}
static int init_b(struct net *net)
{
	strcat(built, "+b");
	return net->id == 66 ? -ENOMEM : 0;
}
static void exit_b(struct net *net)
{
	(void)net;
	strcat(built, "-b");
}
static const struct pernet_operations ops_a = { "a", init_a, exit_a }, ops_b = { "b", init_b, exit_b };
static const struct pernet_operations *const ab[] = { &core_net_ops, &ops_a, &ops_b };

static void rooms_are_built_in_order_and_undone_in_reverse(void **state)
{
	struct fx *f = fx_new();
	struct net *n;

	(void)state;
	built[0] = '\0';
	n = fx_net(f, "n", 5, 1, (struct cpu_model){ 0, 0 }, ab, 3);
	assert_non_null(n);
	net_free(n);
	assert_string_equal(built, "+a+b-b-a");
	built[0] = '\0';
	assert_null(fx_net(f, "n", 66, 1, (struct cpu_model){ 0, 0 }, ab, 3));
	assert_string_equal(built, "+a+b-b-a");
	fx_free(f);
}

static void s2_66_boot_gives_each_cpu_its_backlog_napi(void **state)
{
	struct fx *f = fx_new();
	struct net_params p = { .name = "boot", .id = 9, .nr_cpus = 3, .serials = &f->serials, .skbs = f->skbs,
				.sink = &f->rec.sink };
	struct net *n = net_new(&p, NULL, 0);

	(void)state;
	assert_int_equal(rec_count(&f->rec, TR_ENTER, "net_dev_init"), 3);
	assert_int_equal(rec_count(&f->rec, TR_NOTE, "napi=backlog/cpu2 poll=process_backlog"), 1);
	assert_int_equal(n->softnet[2].backlog.cpu, 2);
	assert_true(n->softnet[1].backlog.poll == n->softnet[2].backlog.poll);
	net_free(n);
	fx_free(f);
}

static void seeds_and_names_make_secrets(void **state)
{
	struct fx *f = fx_new();
	struct net *b = fx_net(f, "b", 2, 1, (struct cpu_model){ 0, 0 }, NULL, 0);
	struct net *a2 = fx_net(f, "a", 3, 1, (struct cpu_model){ 0, 0 }, NULL, 0);

	(void)state;
	assert_memory_equal(f->net->secret, a2->secret, 16);
	assert_memory_not_equal(f->net->secret, b->secret, 16);
	assert_int_equal(f->net->hash_key, a2->hash_key);
	net_free(b);
	net_free(a2);
	fx_free(f);
}

struct tick {
	struct timer_list t;
	struct net *net;
	unsigned n;
	uint64_t at;
};
static void tick_fn(struct timer_list *t)
{
	struct tick *k = container_of(t, struct tick, t);

	assert_true(k->net->softnet[0].in_softirq);
	k->n++;
	k->at = k->net->now_ns;
}

static void timers_set_the_deadline_and_fire_as_softirqs(void **state)
{
	struct fx *f = fx_new();
	struct tick k = { .net = f->net };

	(void)state;
	assert_int_equal(net_next_deadline(f->net), TIME_NEVER);
	timer_setup(&k.t, tick_fn);
	mod_timer(&f->net->wheel, &k.t, f->net->now_ns + 12345);
	assert_int_equal(net_next_deadline(f->net), f->net->now_ns + 12345);
	net_run(f->net);
	assert_int_equal(k.n, 0);
	fx_run_until(f, 2 * NSEC_PER_SEC);
	assert_int_equal(k.n, 1);
	assert_int_equal(k.at, NSEC_PER_SEC + 12345);
	assert_int_equal(f->net->softnet[0].softirqs[TIMER_SOFTIRQ], 1);
	net_enter(f->net, 5); /* time does not go back */
	assert_int_equal(f->net->now_ns, 2 * NSEC_PER_SEC);
	fx_free(f);
}

static void a_host_is_kicked_once_per_sleep(void **state)
{
	struct fx *f = fx_new();

	(void)state;
	net_kick(f->net);
	net_kick(f->net);
	assert_int_equal(f->kicks, 1);
	net_run(f->net);
	net_kick(f->net);
	assert_int_equal(f->kicks, 2);
	fx_free(f);
}

static int chatter(struct task *t, int argc, char **argv)
{
	(void)argc, (void)argv;
	for (;;) {
		struct wait_queue_head q;
		int err;

		init_waitqueue_head(&q);
		raise_softirq(t->net, TASKLET_SOFTIRQ); /* which wakes this task, and so on without end */
		err = wait_on(t->net, &q, TIME_NEVER);
		if (err)
			return err;
	}
}
static struct task *chatter_task;
static void chatter_tasklet(struct softnet_data *sd)
{
	(void)sd;
	task_wake(chatter_task);
}

static void an_endless_conversation_lets_time_pass(void **state)
{
	struct fx *f = fx_new();
	char *argv[] = { NULL };

	(void)state;
	open_softirq(f->net, TASKLET_SOFTIRQ, chatter_tasklet);
	chatter_task = task_spawn(f->net, "chatter", chatter, 0, argv, NULL);
	net_run(f->net);
	assert_int_equal(net_next_deadline(f->net), f->net->now_ns + NSEC_PER_USEC);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rooms_are_built_in_order_and_undone_in_reverse),
		cmocka_unit_test(s2_66_boot_gives_each_cpu_its_backlog_napi),
		cmocka_unit_test(seeds_and_names_make_secrets),
		cmocka_unit_test(timers_set_the_deadline_and_fire_as_softirqs),
		cmocka_unit_test(a_host_is_kicked_once_per_sleep),
		cmocka_unit_test(an_endless_conversation_lets_time_pass),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

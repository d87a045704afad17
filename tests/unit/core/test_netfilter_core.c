/* Netfilter's hooks: order, verdicts, bounds, changes during a run (RT-14), counters without rules. */
#include <errno.h>
#include "room_fixture.h"

static unsigned ok_calls;

static int okfn(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	ok_calls++;
	consume_skb(skb);
	return 42;
}

static struct sk_buff *ip_packet(struct net *net)
{
	struct sk_buff *skb = alloc_skb(net, 100);

	memset(skb_put(skb, 28), 0x45, 28);
	return skb;
}

static int run(struct fx *f, enum nf_inet_hooks h)
{
	return nf_hook(h, f->net, NULL, ip_packet(f->net), NULL, NULL, okfn);
}

struct act {
	struct nf_hook_ops ops;
	unsigned verdict, calls, repeats;
	char mark;
	struct fx *f;
	struct nf_hook_ops *unreg, *unreg2;
	bool frees;
};

static char order[64];

static unsigned act_hook(void *priv, struct sk_buff *skb, const struct nf_hook_state *st)
{
	struct act *a = priv;
	size_t n = strlen(order);

	if (n + 1 < sizeof(order)) {
		order[n] = a->mark;
		order[n + 1] = '\0';
	}
	a->calls++;
	if (a->unreg) {
		nf_unregister_net_hook(st->net, a->unreg);
		a->unreg = NULL;
	}
	if (a->unreg2) {
		nf_unregister_net_hook(st->net, a->unreg2);
		a->unreg2 = NULL;
	}
	if (a->frees)
		kfree_skb_reason(skb, DROP_NETFILTER_DROP);
	if (a->repeats && a->calls <= a->repeats)
		return NF_REPEAT;
	return a->verdict;
}

static void act_add(struct fx *f, struct act *a, char mark, int prio, unsigned verdict)
{
	memset(a, 0, sizeof(*a));
	a->mark = mark;
	a->verdict = verdict;
	a->f = f;
	a->ops = (struct nf_hook_ops){ .hook = act_hook, .priv = a, .hooknum = NF_INET_FORWARD, .priority = prio,
				       .name = "act" };
	assert_int_equal(nf_register_net_hook(f->net, &a->ops), 0);
	order[0] = '\0';
	ok_calls = 0;
}

static void s1_23_hooks_count_without_rules(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct strbuf sb;

	sb_init(&sb);
	ok_calls = 0;
	for (int h = 0; h < NF_INET_NUMHOOKS; h++)
		for (int i = 0; i <= h; i++)
			assert_int_equal(run(f, (enum nf_inet_hooks)h), 42);
	for (unsigned h = 0; h < NF_INET_NUMHOOKS; h++) {
		assert_int_equal(f->net->nf->packets[h], h + 1);
		assert_int_equal(f->net->nf->drops[h], 0);
	}
	assert_int_equal(ok_calls, 15);
	assert_int_equal(proc_read(f->net, "net/netfilter/hooks", &sb), 0);
	assert_non_null(strstr(sb_str(&sb), "POST_ROUTING        5              0"));
	sb_free(&sb);
	fx_free(f);
}

static void s1_23_drop_is_eperm_with_reason_and_bytes(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct act a;
	long i;

	act_add(f, &a, 'a', 0, NF_DROP);
	fx_trace(f);
	assert_int_equal(run(f, NF_INET_FORWARD), -EPERM);
	assert_int_equal(ok_calls, 0);
	assert_int_equal(f->net->nf->packets[NF_INET_FORWARD], 1);
	assert_int_equal(f->net->nf->drops[NF_INET_FORWARD], 1);
	assert_int_equal(f->net->skb_mib.dropped_by[DROP_NETFILTER_DROP], 1);
	i = rec_find(&f->rec, 0, TR_HOOK, "hook=FORWARD in= out= verdict=DROP by=act");
	assert_true(i >= 0);
	assert_int_equal(f->rec.ev[i].len, 28);
	assert_int_equal(f->rec.ev[i].linktype, 101);
	nf_unregister_net_hook(f->net, &a.ops);
	assert_int_equal(run(f, NF_INET_FORWARD), 42);
	assert_true(rec_find(&f->rec, 0, TR_HOOK, "verdict=ACCEPT") > i);
	fx_free(f);
}

static void hooks_run_by_priority_then_registration(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct act a, b, c, d;

	act_add(f, &a, 'a', 0, NF_ACCEPT);
	act_add(f, &b, 'b', -100, NF_ACCEPT);
	act_add(f, &c, 'c', 0, NF_ACCEPT);
	act_add(f, &d, 'd', NF_IP_PRI_LAST, NF_ACCEPT);
	assert_int_equal(run(f, NF_INET_FORWARD), 42);
	assert_string_equal(order, "bacd");
	b.verdict = NF_DROP;
	order[0] = '\0';
	assert_int_equal(run(f, NF_INET_FORWARD), -EPERM);
	assert_string_equal(order, "b");
	fx_free(f);
}

static void rt_14_repeat_is_bounded(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct act a;

	act_add(f, &a, 'a', 0, NF_ACCEPT);
	a.repeats = 3;
	assert_int_equal(run(f, NF_INET_FORWARD), 42);
	assert_int_equal(a.calls, 4);
	a.calls = 0;
	a.repeats = UINT32_MAX;
	assert_int_equal(run(f, NF_INET_FORWARD), -EPERM);
	assert_int_equal(a.calls, NF_MAX_REPEAT);
	assert_int_equal(f->net->nf->drops[NF_INET_FORWARD], 1);
	fx_free(f);
}

static void rt_14_stolen_is_the_hooks_own(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct act a;

	act_add(f, &a, 'a', 0, NF_STOLEN);
	a.frees = true;
	fx_trace(f);
	assert_int_equal(run(f, NF_INET_FORWARD), 0);
	assert_int_equal(ok_calls, 0);
	assert_int_equal(f->net->nf->drops[NF_INET_FORWARD], 0);
	assert_true(rec_find(&f->rec, 0, TR_HOOK, "verdict=STOLEN by=act") >= 0);
	fx_free(f);
}

static void rt_14_queue_and_unknown_verdicts_drop(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct act a;

	act_add(f, &a, 'a', 0, NF_QUEUE);
	assert_int_equal(run(f, NF_INET_FORWARD), -EPERM);
	a.verdict = 99;
	assert_int_equal(run(f, NF_INET_FORWARD), -EPERM);
	assert_int_equal(f->net->nf->drops[NF_INET_FORWARD], 2);
	fx_free(f);
}

static void rt_14_unregister_during_a_run(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct act a, b, c;

	/* itself */
	act_add(f, &a, 'a', 0, NF_ACCEPT);
	act_add(f, &b, 'b', 1, NF_ACCEPT);
	act_add(f, &c, 'c', 2, NF_ACCEPT);
	a.unreg = &a.ops;
	assert_int_equal(run(f, NF_INET_FORWARD), 42);
	assert_string_equal(order, "abc");
	/* the next one, and the one after */
	order[0] = '\0';
	b.unreg = &c.ops;
	assert_int_equal(run(f, NF_INET_FORWARD), 42);
	assert_string_equal(order, "b");
	/* itself and what follows, while it asks to be run again */
	act_add(f, &a, 'a', -1, NF_ACCEPT);
	a.repeats = 5;
	a.unreg = &a.ops;
	a.unreg2 = &b.ops;
	assert_int_equal(run(f, NF_INET_FORWARD), 42);
	assert_string_equal(order, "a");
	order[0] = '\0';
	assert_int_equal(run(f, NF_INET_FORWARD), 42);
	assert_string_equal(order, "");
	fx_free(f);
}

static void registration_is_checked_and_bounded(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct act *many = calloc(NF_MAX_HOOKS + 1, sizeof(*many)), bad = { 0 };

	bad.ops.hooknum = (enum nf_inet_hooks)7;
	bad.ops.hook = act_hook;
	assert_int_equal(nf_register_net_hook(f->net, &bad.ops), -EINVAL);
	bad.ops.hooknum = NF_INET_LOCAL_IN;
	bad.ops.hook = NULL;
	assert_int_equal(nf_register_net_hook(f->net, &bad.ops), -EINVAL);
	for (int i = 0; i < NF_MAX_HOOKS; i++)
		act_add(f, &many[i], 'x', 0, NF_ACCEPT);
	many[NF_MAX_HOOKS].ops = many[0].ops;
	assert_int_equal(nf_register_net_hook(f->net, &many[NF_MAX_HOOKS].ops), -ENOSPC);
	assert_string_equal(nf_hook_name(NF_INET_LOCAL_OUT), "LOCAL_OUT");
	fx_free(f);
	free(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s1_23_hooks_count_without_rules),
		cmocka_unit_test(s1_23_drop_is_eperm_with_reason_and_bytes),
		cmocka_unit_test(hooks_run_by_priority_then_registration),
		cmocka_unit_test(rt_14_repeat_is_bounded),
		cmocka_unit_test(rt_14_stolen_is_the_hooks_own),
		cmocka_unit_test(rt_14_queue_and_unknown_verdicts_drop),
		cmocka_unit_test(rt_14_unregister_during_a_run),
		cmocka_unit_test(registration_is_checked_and_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

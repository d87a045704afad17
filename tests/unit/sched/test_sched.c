/* sched: pfifo, bfifo, pfifo_fast. */
#include "../core/core_fixture.h"
#include "base/strbuf.h"
#include "sched/sched.h"

static const struct pernet_operations *const with_sched[] = { &sched_net_ops };

static struct fx *fx_sched(struct tdev **t, const struct Qdisc_ops *ops, const char *const *args, size_t n)
{
	struct fx *f = fx_new_with(1, (struct cpu_model){ 0, 0 }, with_sched, 1);

	*t = tdev_new(f->net, "eth0");
	dev_open((*t)->dev);
	assert_int_equal(dev_graft_qdisc((*t)->dev, ops, args, n), 0);
	netif_tx_stop_queue(&(*t)->dev->tx[0]);
	return f;
}

static int send(struct fx *f, struct tdev *t, uint32_t len, uint32_t priority)
{
	struct sk_buff *s = make_frame(f->net, t->dev, mac_peer, mac_us, ETH_P_IP, len);

	s->priority = priority;
	return dev_queue_xmit(s);
}

static void dump_is(struct tdev *t, const char *want)
{
	struct Qdisc *q = t->dev->tx[0].qdisc;
	struct strbuf sb;

	sb_init(&sb);
	q->ops->dump(q, &sb);
	assert_string_equal(sb_str(&sb), want);
	sb_free(&sb);
}

static void pfifo_holds_packets(void **state)
{
	static const char *const args[] = { "limit", "3" };
	struct tdev *t;
	struct fx *f = fx_sched(&t, &pfifo_qdisc_ops, args, 2);
	struct Qdisc *q = t->dev->tx[0].qdisc;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(send(f, t, 100, 0), NET_XMIT_SUCCESS);
	assert_int_equal(send(f, t, 60, 0), NET_XMIT_DROP);
	assert_int_equal(q->st.drops, 1);
	assert_int_equal(q->st.qlen, 3);
	assert_int_equal(f->net->skb_mib.dropped_by[DROP_QDISC_DROP], 1);
	assert_non_null(q->ops->peek(q));
	dump_is(t, "limit 3p");
	fx_free(f);
}

static void bfifo_holds_bytes(void **state)
{
	static const char *const args[] = { "limit", "250" };
	struct tdev *t;
	struct fx *f = fx_sched(&t, &bfifo_qdisc_ops, args, 2);

	(void)state;
	assert_int_equal(send(f, t, 100, 0), NET_XMIT_SUCCESS);
	assert_int_equal(send(f, t, 100, 0), NET_XMIT_SUCCESS);
	assert_int_equal(send(f, t, 60, 0), NET_XMIT_DROP);
	assert_int_equal(send(f, t, 50, 0), NET_XMIT_SUCCESS);
	assert_int_equal(t->dev->tx[0].qdisc->st.backlog, 250);
	dump_is(t, "limit 250b");
	fx_free(f);
}

static void defaults_follow_tx_queue_len(void **state)
{
	struct tdev *t;
	struct fx *f = fx_sched(&t, &bfifo_qdisc_ops, NULL, 0);

	(void)state;
	assert_int_equal(t->dev->tx[0].qdisc->limit, 1000 * 1514);
	dev_graft_qdisc(t->dev, &pfifo_qdisc_ops, NULL, 0);
	assert_int_equal(t->dev->tx[0].qdisc->limit, 1000);
	assert_string_equal(f->net->default_qdisc->id, "pfifo_fast");
	t = tdev_new(f->net, "tun0");
	t->dev->tx_queue_len = 0;
	dev_open(t->dev);
	assert_string_equal(t->dev->tx[0].qdisc->ops->id, "noqueue");
	fx_free(f);
}

static void pfifo_fast_serves_bands_by_priority(void **state)
{
	/* the priorities in the order in which they must leave: by band, in a band as they came */
	static const uint32_t in[] = { 1, 0, 6, 2, 4, 7, 3, 5, 6, 8 };
	static const uint32_t out[] = { 6, 7, 6, 0, 4, 8, 1, 2, 3, 5 };
	struct tdev *t;
	struct fx *f = fx_sched(&t, &pfifo_fast_qdisc_ops, NULL, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(in); i++)
		send(f, t, 100, in[i]);
	netif_tx_wake_queue(&t->dev->tx[0]);
	net_run(f->net);
	for (size_t i = 0; i < ARRAY_SIZE(out); i++) {
		struct sk_buff *s = skb_dequeue(&t->sent);
		assert_int_equal(s->priority, out[i]);
		consume_skb(s);
	}
	dump_is(t, "bands 3 priomap 1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 1");
	fx_free(f);
}

static void pfifo_fast_bounds_each_band(void **state)
{
	struct tdev *t;
	struct fx *f = fx_new_with(1, (struct cpu_model){ 0, 0 }, with_sched, 1);

	(void)state;
	t = tdev_new(f->net, "eth0");
	t->dev->tx_queue_len = 2;
	dev_open(t->dev);
	netif_tx_stop_queue(&t->dev->tx[0]);
	for (uint32_t prio = 0; prio < 7; prio += 3) { /* bands 1, 2, 0 */
		assert_int_equal(send(f, t, 60, prio), NET_XMIT_SUCCESS);
		assert_int_equal(send(f, t, 60, prio), NET_XMIT_SUCCESS);
		assert_int_equal(send(f, t, 60, prio), NET_XMIT_DROP);
	}
	assert_int_equal(t->dev->tx[0].qdisc->st.qlen, 6);
	assert_int_equal(t->dev->tx[0].qdisc->st.drops, 3);
	dev_graft_qdisc(t->dev, &noqueue_qdisc_ops, NULL, 0); /* what waited dies with the discipline */
	assert_int_equal(f->net->skb_mib.live, 0);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pfifo_holds_packets),
		cmocka_unit_test(bfifo_holds_bytes),
		cmocka_unit_test(defaults_follow_tx_queue_len),
		cmocka_unit_test(pfifo_fast_serves_bands_by_priority),
		cmocka_unit_test(pfifo_fast_bounds_each_band),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

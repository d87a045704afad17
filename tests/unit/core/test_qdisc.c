/* qdisc_core.c: who sends, and what happens when the driver is busy. */
#include <errno.h>
#include "core/qdisc.h"
#include "core_fixture.h"
#include "sched/sched.h"

static const struct pernet_operations *const with_sched[] = { &sched_net_ops };

static struct fx *fx_sched(void)
{
	return fx_new_with(1, (struct cpu_model){ 0, 0 }, with_sched, 1);
}

static int send(struct fx *f, struct tdev *t)
{
	struct sk_buff *s = make_frame(f->net, t->dev, mac_peer, mac_us, ETH_P_IP, 100);

	s->protocol = ETH_P_IP;
	return dev_queue_xmit(s);
}

static void s2_39_42_run_a_sent_in_the_callers_context(void **state)
{
	struct fx *f = fx_sched();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct Qdisc *q;

	(void)state;
	dev_open(t->dev);
	q = t->dev->tx[0].qdisc;
	assert_string_equal(q->ops->id, "pfifo_fast");
	fx_trace(f);
	assert_int_equal(send(f, t), NET_XMIT_SUCCESS);
	rec_assert_order(&f->rec,
			 (const char *const[]){ "dev_queue_xmit", "__dev_queue_xmit", "__dev_xmit_skb", "__qdisc_run",
						"qdisc_restart", "sch_direct_xmit", "dev_hard_start_xmit",
						"tdev_xmit", NULL });
	assert_true(rec_find(&f->rec, 0, TR_QUEUE, "qdisc=pfifo_fast qlen=1") >= 0);
	assert_true(rec_find(&f->rec, 0, TR_DEQUEUE, "qdisc=pfifo_fast qlen=0") >= 0);
	assert_int_equal(f->net->softnet[0].softirqs[NET_TX_SOFTIRQ], 0); /* S2-40, S3-156: no softirq */
	assert_int_equal(q->st.packets, 1);
	assert_int_equal(q->st.bytes, 100); /* with the link header */
	fx_free(f);
}

static void s2_40_42_run_b_leftovers_go_by_net_tx(void **state)
{
	struct fx *f = fx_sched();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct Qdisc *q;
	uint64_t first, serial;

	(void)state;
	dev_open(t->dev);
	q = t->dev->tx[0].qdisc;
	t->room = 2;
	first = f->serials.next + 1;
	for (int i = 0; i < 20; i++)
		assert_int_equal(send(f, t), NET_XMIT_SUCCESS);
	assert_int_equal(t->sent.qlen, 2);
	assert_int_equal(q->st.qlen, 18);
	assert_int_equal(q->st.backlog, 1800);
	assert_int_equal(f->net->softnet[0].softirqs[NET_TX_SOFTIRQ], 0); /* stopped: nobody spins */
	t->room = 3; /* the ring has room for three */
	fx_trace(f);
	netif_tx_wake_queue(&t->dev->tx[0]);
	net_run(f->net);
	rec_assert_order(&f->rec, (const char *const[]){ "__netif_schedule", "__raise_softirq_irqoff", "do_softirq",
							 "net_tx_action", "__qdisc_run", "sch_direct_xmit",
							 "dev_hard_start_xmit", "tdev_xmit", NULL });
	assert_int_equal(t->sent.qlen, 5);
	assert_int_equal(f->net->softnet[0].softirqs[NET_TX_SOFTIRQ], 1);
	assert_int_equal(q->st.requeues, 5); /* of a bulk of eight */
	assert_int_equal(q->st.qlen, 15);
	assert_true(t->more > 0);
	t->room = UINT32_MAX;
	netif_tx_wake_queue(&t->dev->tx[0]);
	net_run(f->net);
	assert_int_equal(t->sent.qlen, 20);
	assert_int_equal(q->st.qlen, 0);
	assert_int_equal(q->st.backlog, 0);
	for (serial = first; serial < first + 20; serial++) { /* in order */
		struct sk_buff *s = skb_dequeue(&t->sent);
		assert_int_equal(s->serial, serial);
		consume_skb(s);
	}
	fx_free(f);
}

static void s2_39_a_busy_driver_gets_it_again(void **state)
{
	struct fx *f = fx_sched();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct keeper tap;

	(void)state;
	dev_open(t->dev);
	keeper_add(&tap, f->net, ETH_P_ALL);
	t->busy = true;
	assert_int_equal(send(f, t), NET_XMIT_SUCCESS);
	assert_int_equal(t->dev->tx[0].qdisc->st.requeues, 1);
	assert_int_equal(t->dev->tx[0].qdisc->st.qlen, 1);
	net_run(f->net);
	assert_int_equal(t->sent.qlen, 0);
	t->busy = false;
	netif_tx_wake_queue(&t->dev->tx[0]);
	net_run(f->net);
	assert_int_equal(t->sent.qlen, 1);
	assert_int_equal(tap.n, 1); /* the tap saw it once */
	keeper_drop(&tap, f->net);
	fx_free(f);
}

static void s2_40_quota_of_64_then_the_softirq(void **state)
{
	struct fx *f = fx_sched();
	struct tdev *t = tdev_new(f->net, "eth0");

	(void)state;
	dev_open(t->dev);
	netif_tx_stop_queue(&t->dev->tx[0]);
	for (int i = 0; i < 200; i++)
		send(f, t);
	assert_int_equal(t->sent.qlen, 0);
	netif_tx_wake_queue(&t->dev->tx[0]);
	net_run(f->net);
	assert_int_equal(t->sent.qlen, 200);
	assert_int_equal(f->net->softnet[0].softirqs[NET_TX_SOFTIRQ], 4);
	fx_free(f);
}

static void s2_41_45_the_branch_is_on_the_enqueue_pointer(void **state)
{
	struct fx *f = fx_sched();
	struct tdev *lo = tdev_new(f->net, "lo9"), *eth = tdev_new(f->net, "eth0");

	(void)state;
	lo->dev->no_queue = true;
	dev_open(lo->dev);
	dev_open(eth->dev);
	assert_int_equal(dev_graft_qdisc(lo->dev, &pfifo_qdisc_ops, NULL, 0), 0);
	assert_int_equal(dev_graft_qdisc(eth->dev, &noqueue_qdisc_ops, NULL, 0), 0);
	fx_trace(f);
	send(f, lo); /* the next packet is affected */
	assert_true(rec_find(&f->rec, 0, TR_QUEUE, "qdisc=pfifo") >= 0);
	assert_int_equal(lo->dev->tx[0].qdisc->st.packets, 1);
	f->rec.n = 0;
	send(f, eth);
	assert_int_equal(rec_find(&f->rec, 0, TR_QUEUE, "qdisc"), -1);
	assert_int_equal(eth->sent.qlen, 1);
	/* a device that is down keeps noop in use and takes the new one when it comes up */
	dev_close(eth->dev);
	assert_int_equal(dev_graft_qdisc(eth->dev, &bfifo_qdisc_ops, NULL, 0), 0);
	assert_string_equal(eth->dev->tx[0].qdisc->ops->id, "noop");
	dev_open(eth->dev);
	assert_string_equal(eth->dev->tx[0].qdisc->ops->id, "bfifo");
	fx_free(f);
}

static void s2_41_an_empty_qdisc_may_be_bypassed(void **state)
{
	static const char *const args[] = { "limit", "10", "bypass" };
	struct fx *f = fx_sched();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct Qdisc *q;

	(void)state;
	dev_open(t->dev);
	assert_int_equal(dev_graft_qdisc(t->dev, &pfifo_qdisc_ops, args, 3), 0);
	q = t->dev->tx[0].qdisc;
	fx_trace(f);
	send(f, t);
	assert_int_equal(rec_find(&f->rec, 0, TR_QUEUE, "qdisc"), -1);
	assert_true(rec_find(&f->rec, 0, TR_ENTER, "sch_direct_xmit") >= 0);
	assert_int_equal(q->st.packets, 1); /* counted all the same */
	assert_int_equal(q->st.bytes, 100);
	t->room = 0;
	netif_tx_stop_queue(&t->dev->tx[0]);
	send(f, t);
	send(f, t);
	assert_int_equal(q->st.qlen, 2);
	t->room = UINT32_MAX;
	netif_tx_wake_queue(&t->dev->tx[0]);
	net_run(f->net);
	assert_int_equal(t->sent.qlen, 3);
	fx_free(f);
}

static void closing_and_unplugging_empty_the_queue(void **state)
{
	struct fx *f = fx_sched();
	struct tdev *t = tdev_new(f->net, "eth0");

	(void)state;
	dev_open(t->dev);
	t->room = 1;
	for (int i = 0; i < 10; i++)
		send(f, t);
	assert_int_equal(t->dev->tx[0].qdisc->st.qlen, 9);
	netif_carrier_off(t->dev);
	assert_int_equal(f->net->skb_mib.dropped_by[DROP_QDISC_DROP], 9);
	send(f, t);
	assert_int_equal(f->net->skb_mib.dropped_by[DROP_QDISC_NOOP], 1);
	t->room = UINT32_MAX;
	netif_carrier_on(t->dev);
	netif_tx_wake_queue(&t->dev->tx[0]);
	send(f, t);
	assert_int_equal(t->sent.qlen, 2);
	dev_close(t->dev);
	send(f, t);
	assert_int_equal(t->sent.qlen, 2);
	net_run(f->net);
	fx_free(f);
}

static void each_transmit_queue_has_its_own(void **state)
{
	struct fx *f = fx_sched();
	struct tdev *t = calloc(1, sizeof(*t));
	struct sk_buff *s;

	(void)state;
	t->dev = alloc_netdev(f->net, "mq0", 4);
	ether_setup(t->dev);
	t->dev->netdev_ops = &tdev_ops;
	t->dev->priv = t;
	t->room = UINT32_MAX;
	skb_queue_head_init(&t->sent);
	assert_int_equal(register_netdev(t->dev), 0);
	dev_open(t->dev);
	for (uint16_t i = 0; i < 8; i++) {
		s = make_frame(f->net, t->dev, mac_peer, mac_us, ETH_P_IP, 100);
		s->queue_mapping = i;
		dev_queue_xmit(s);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(t->dev->tx[i].qdisc->st.packets, 2);
	fx_free(f);
}

static void unknown_words_are_refused(void **state)
{
	static const char *const bad[] = { "limit", "-1" };
	struct fx *f = fx_sched();
	struct tdev *t = tdev_new(f->net, "eth0");

	(void)state;
	dev_open(t->dev);
	assert_int_equal(dev_graft_qdisc(t->dev, &pfifo_qdisc_ops, bad, 2), -EINVAL);
	assert_string_equal(t->dev->tx[0].qdisc->ops->id, "pfifo_fast");
	assert_null(qdisc_ops_lookup(f->net, "nosuch"));
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s2_39_42_run_a_sent_in_the_callers_context),
		cmocka_unit_test(s2_40_42_run_b_leftovers_go_by_net_tx),
		cmocka_unit_test(s2_39_a_busy_driver_gets_it_again),
		cmocka_unit_test(s2_40_quota_of_64_then_the_softirq),
		cmocka_unit_test(s2_41_45_the_branch_is_on_the_enqueue_pointer),
		cmocka_unit_test(s2_41_an_empty_qdisc_may_be_bypassed),
		cmocka_unit_test(closing_and_unplugging_empty_the_queue),
		cmocka_unit_test(each_transmit_queue_has_its_own),
		cmocka_unit_test(unknown_words_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

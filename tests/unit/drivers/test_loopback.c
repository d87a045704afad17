/* loopback.c: what is sent is received. */
#include "../core/core_fixture.h"
#include "core/dst.h"
#include "drivers/drivers.h"
#include "sched/sched.h"

static const struct pernet_operations *const rooms[] = { &sched_net_ops, &loopback_net_ops };

static struct fx *fx_lo(uint32_t cpus)
{
	struct fx *f = fx_new_with(cpus, (struct cpu_model){ 0, 0 }, rooms, ARRAY_SIZE(rooms));

	assert_int_equal(dev_open(f->net->loopback_dev), 0);
	return f;
}

static struct sk_buff *packet(struct fx *f, uint32_t ip_len)
{
	return make_frame(f->net, f->net->loopback_dev, mac_zero, mac_zero, ETH_P_IP, 14 + ip_len);
}

static struct rtnl_link_stats64_ stats(struct fx *f)
{
	struct rtnl_link_stats64_ s;

	dev_get_stats(f->net->loopback_dev, &s);
	return s;
}

static unsigned wmem;
static void wfree(struct sk_buff *skb)
{
	wmem -= skb->truesize;
}

static void s1_33_s2_36_s2_51_what_lo_is(void **state)
{
	struct fx *f = fx_lo(1);
	struct net_device *lo = f->net->loopback_dev;

	(void)state;
	assert_string_equal(lo->name, "lo");
	assert_int_equal(lo->ifindex, 1);
	assert_int_equal(lo->mtu, 65536);
	assert_int_equal(lo->type, 772);
	assert_int_equal(lo->flags & 0xffff, 73); /* UP,LOOPBACK,RUNNING */
	assert_int_equal(lo->tx_queue_len, 1000);
	assert_string_equal(lo->tx[0].qdisc->ops->id, "noqueue");
	assert_true(mac_is_zero(lo->dev_addr));
	assert_int_equal(dma_nr_mapped(f->net), 0); /* no ring, no DMA */
	dev_close(lo);
	assert_int_equal(lo->flags, 8);
	fx_free(f);
}

static void s2_52_s1_01_07_the_functions_in_order(void **state)
{
	struct fx *f = fx_lo(1);
	struct softnet_data *sd = &f->net->softnet[0];
	struct sk_buff *s = packet(f, 84);
	struct keeper ip;
	uint64_t serial = s->serial, allocated;
	uint8_t *head = s->head;

	(void)state;
	keeper_add(&ip, f->net, ETH_P_IP);
	s->destructor = wfree;
	s->sk = (struct sock *)(void *)f;
	wmem = s->truesize;
	fx_trace(f);
	allocated = f->net->skb_mib.allocated;
	local_bh_disable(f->net);
	assert_int_equal(dev_queue_xmit(s), 0);
	rec_assert_order(&f->rec, (const char *const[]){ "dev_queue_xmit", "__dev_queue_xmit", "dev_hard_start_xmit",
							 "loopback_xmit", "skb_orphan", "eth_type_trans", "netif_rx",
							 "netif_rx_internal", "enqueue_to_backlog", "____napi_schedule",
							 "__raise_softirq_irqoff", NULL });
	assert_int_equal(wmem, 0); /* S1-02: given back before the receiver has seen it */
	assert_null(s->sk);
	assert_null(s->destructor);
	assert_int_equal(s->len, 84); /* S1-03 */
	assert_int_equal(s->protocol, ETH_P_IP);
	assert_int_equal(s->pkt_type, PACKET_HOST_);
	assert_int_equal(sd->input_pkt_queue.qlen, 1); /* S0-03 */
	assert_int_equal(ip.n, 0);
	local_bh_enable(f->net);
	assert_int_equal(ip.n, 1);
	s = skb_peek(&ip.got);
	assert_int_equal(s->serial, serial); /* S1-07: the same packet */
	assert_ptr_equal(s->head, head);
	assert_int_equal(f->net->skb_mib.allocated, allocated);
	assert_int_equal(f->net->skb_mib.copies, 0);
	/* S2-61: the transmit call had returned before the softirq began */
	assert_true(rec_find(&f->rec, 0, TR_LEAVE, "loopback_xmit") < rec_find(&f->rec, 0, TR_ENTER, "process_backlog"));
	keeper_drop(&ip, f->net);
	fx_free(f);
}

static void s1_05_lo_counts_only_successes(void **state)
{
	struct fx *f = fx_lo(1);
	struct keeper ip;

	(void)state;
	keeper_add(&ip, f->net, ETH_P_IP);
	dev_queue_xmit(packet(f, 84));
	dev_queue_xmit(packet(f, 84));
	assert_int_equal(stats(f).tx_packets, 2);
	assert_int_equal(stats(f).rx_packets, 2);
	assert_int_equal(stats(f).tx_bytes, 168); /* one 56-byte ping: without the link header */
	assert_int_equal(stats(f).rx_bytes, 168);
	/* backlog full: success to the sender (S1-06), no count, softnet dropped */
	f->net->netdev_sysctl.max_backlog = 3;
	local_bh_disable(f->net);
	for (int i = 0; i < 6; i++)
		assert_int_equal(dev_queue_xmit(packet(f, 84)), 0);
	assert_int_equal(f->net->softnet[0].dropped, 2);
	assert_int_equal(stats(f).tx_packets, 6);
	assert_int_equal(stats(f).rx_packets, 6);
	assert_int_equal(stats(f).tx_dropped, 0);
	local_bh_enable(f->net);
	assert_int_equal(ip.n, 6);
	keeper_drop(&ip, f->net);
	fx_free(f);
}

static void s2_50_ops_by_their_names(void **state)
{
	struct fx *f = fx_new();

	(void)state;
	fx_trace(f);
	assert_int_equal(loopback_net_ops.init(f->net), 0);
	assert_int_equal(rec_count(&f->rec, TR_ENTER, "loopback_dev_init"), 1);
	stats(f);
	assert_int_equal(rec_count(&f->rec, TR_ENTER, "loopback_get_stats64"), 1);
	loopback_net_ops.exit(f->net);
	assert_null(f->net->loopback_dev);
	fx_free(f);
}

static void s2_50_57_counters_per_cpu(void **state)
{
	struct fx *f = fx_lo(2);
	struct keeper ip;

	(void)state;
	keeper_add(&ip, f->net, ETH_P_IP);
	dev_queue_xmit(packet(f, 84));
	f->net->cpu = 1;
	dev_queue_xmit(packet(f, 84));
	f->net->cpu = 0;
	assert_int_equal(f->net->softnet[0].processed, 1);
	assert_int_equal(f->net->softnet[1].processed, 1);
	assert_int_equal(stats(f).rx_packets, 2);
	keeper_drop(&ip, f->net);
	fx_free(f);
}

static void s2_62_a_thousand_packets_no_hardirq(void **state)
{
	struct fx *f = fx_lo(1);
	struct keeper ip;

	(void)state;
	keeper_add(&ip, f->net, ETH_P_IP);
	ip.consume = true;
	fx_trace(f);
	f->rec.sink.mask = 1u << TR_IRQ;
	probe_detach(&f->net->probe, &f->rec.sink);
	probe_attach(&f->net->probe, &f->rec.sink);
	for (int i = 0; i < 1000; i++)
		dev_queue_xmit(packet(f, 84));
	assert_int_equal(f->rec.n, 0);
	assert_int_equal(f->net->softnet[0].softirqs[NET_RX_SOFTIRQ], 1000);
	assert_int_equal(ip.n, 1000);
	keeper_drop(&ip, f->net);
	fx_free(f);
}

static int released;
static void destroy(struct dst_entry *d)
{
	(void)d;
	released++;
}

static void s1_15_the_route_goes_along(void **state)
{
	static const struct dst_ops ops = { .destroy = destroy };
	struct fx *f = fx_lo(1);
	struct dst_entry d = { .net = f->net, .ops = &ops, .refcnt = 1 };
	struct sk_buff *s = packet(f, 84);
	struct keeper ip;

	(void)state;
	released = 0;
	keeper_add(&ip, f->net, ETH_P_IP);
	skb_dst_set(s, &d);
	dev_queue_xmit(s);
	assert_ptr_equal(skb_dst(skb_peek(&ip.got)), &d);
	assert_int_equal(released, 0);
	keeper_drop(&ip, f->net);
	assert_int_equal(released, 1);
	fx_free(f);
}

static void s2_41_a_pfifo_on_lo_counts_196_bytes_for_a_ping(void **state)
{
	struct fx *f = fx_lo(1);
	struct keeper ip;

	(void)state;
	keeper_add(&ip, f->net, ETH_P_IP);
	dev_graft_qdisc(f->net->loopback_dev, &pfifo_qdisc_ops, NULL, 0);
	dev_queue_xmit(packet(f, 84));
	dev_queue_xmit(packet(f, 84));
	assert_int_equal(f->net->loopback_dev->tx[0].qdisc->st.packets, 2);
	assert_int_equal(f->net->loopback_dev->tx[0].qdisc->st.bytes, 196);
	assert_int_equal(ip.n, 2);
	keeper_drop(&ip, f->net);
	fx_free(f);
}

static void s1_39_each_host_has_its_own(void **state)
{
	struct fx *f = fx_lo(1);
	struct keeper ip;

	(void)state;
	f->net2 = fx_net(f, "b", 2, 1, (struct cpu_model){ 0, 0 }, rooms, ARRAY_SIZE(rooms));
	dev_open(f->net2->loopback_dev);
	assert_ptr_not_equal(f->net->loopback_dev, f->net2->loopback_dev);
	keeper_add(&ip, f->net2, ETH_P_IP);
	dev_queue_xmit(packet(f, 84));
	net_run(f->net2);
	assert_int_equal(ip.n, 0);
	keeper_drop(&ip, f->net2);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s1_33_s2_36_s2_51_what_lo_is),
		cmocka_unit_test(s2_52_s1_01_07_the_functions_in_order),
		cmocka_unit_test(s1_05_lo_counts_only_successes),
		cmocka_unit_test(s2_50_ops_by_their_names),
		cmocka_unit_test(s2_50_57_counters_per_cpu),
		cmocka_unit_test(s2_62_a_thousand_packets_no_hardirq),
		cmocka_unit_test(s1_15_the_route_goes_along),
		cmocka_unit_test(s2_41_a_pfifo_on_lo_counts_196_bytes_for_a_ping),
		cmocka_unit_test(s1_39_each_host_has_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

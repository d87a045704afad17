/* The NIC driver: probe, interrupts, poll; the stations of one packet through ring, NIC, cable,
 * ring. */
#include <errno.h>
#include "core/net_int.h"
#include "nicdrv_fixture.h"

static const struct cpu_model no_cost = { 0, 0 };

static void s3_75_mac_is_read_from_the_rom(void **state)
{
	static const uint8_t own[ETH_ALEN] = { 2, 7, 7, 7, 7, 7 };
	struct rtnl_link_stats64_ st;
	struct pair p;

	(void)state;
	pair_open(&p, no_cost, NULL);
	assert_memory_equal(p.a.dev->dev_addr, p.a.mac, 6);
	assert_memory_equal(p.a.dev->perm_addr, p.a.mac, 6);
	assert_memory_not_equal(p.a.dev->dev_addr, p.b.dev->dev_addr, 6);
	/* software may override it; what is burnt in stays */
	assert_int_equal(dev_set_mac_address(p.b.dev, own), 0);
	assert_memory_equal(p.b.dev->perm_addr, p.b.mac, 6);
	node_send(&p.a, own, 60);
	node_send(&p.a, p.b.mac, 60);
	pair_run(&p);
	assert_int_equal(p.b.in.n, 1);
	dev_get_stats(p.b.dev, &st);
	assert_int_equal(st.rx_packets, 1);
	pair_close(&p);
}

static void s2_07_transmit_completion_in_order(void **state)
{
	static const char *const names[] = {
	    "do_IRQ",	"igb_msix_ring",    "napi_schedule",	  "net_rx_action",
	    "igb_poll", "igb_clean_tx_irq", "napi_complete_done", "igb_ring_irq_enable",
	    NULL};
	struct pair p;
	uint64_t serial;
	long irq, freed, poll;

	(void)state;
	pair_open(&p, no_cost, NULL);
	pair_trace(&p, &p.a);
	serial = node_send(&p.a, p.b.mac, 60);
	pair_run(&p);
	rec_assert_order(&p.rec, names);
	irq = rec_find(&p.rec, 0, TR_IRQ, "handle vector=");
	poll = rec_find(&p.rec, 0, TR_ENTER, "igb_clean_tx_irq");
	freed = rec_find(&p.rec, 0, TR_CONSUME, "consume_skb");
	/* freed after the interrupt, inside the poll (S2-04) */
	assert_true(irq >= 0 && irq < poll && poll < freed);
	assert_int_equal(p.rec.ev[freed].serial, serial);
	pair_close(&p);
}

static void s2_09_handler_is_found_through_the_vector_table(void **state)
{
	struct strbuf sb;
	struct pair p;

	(void)state;
	pair_open(&p, no_cost, NULL);
	for (int i = 0; i < 3; i++) {
		node_send(&p.a, p.b.mac, 60);
		pair_run(&p);
	}
	sb_init(&sb);
	irq_show(p.b.net, &sb);
	assert_non_null(strstr(sb_str(&sb), "3  PCI-MSI-edge  igb_msix_ring  eth0-TxRx-0\n"));
	assert_non_null(strstr(sb_str(&sb), "igb_msix_other  eth0\n"));
	sb_free(&sb);
	pair_close(&p);
}

/* S2-08: the NIC raises, the CPU handles. S2-10: the handler makes NET_RX pending and does no more
 * (S3-137). */
static void s2_08_s2_10_s3_137_handler_masks_and_schedules(void **state)
{
	struct pair p;
	long nic, raise, in, out;

	(void)state;
	pair_open(&p, no_cost, NULL);
	pair_trace(&p, &p.b);
	node_send(&p.a, p.b.mac, 60);
	pair_run(&p);
	nic = rec_find(&p.rec, 0, TR_IRQ, "dev=eth0 line=0");
	raise = rec_find(&p.rec, 0, TR_IRQ, "raise vector=");
	in = rec_find(&p.rec, 0, TR_ENTER, "igb_msix_ring");
	out = rec_find(&p.rec, 0, TR_LEAVE, "igb_msix_ring");
	assert_true(nic >= 0 && nic < raise && raise < in && in < out);
	assert_true(rec_find(&p.rec, (size_t)in, TR_REG, "IMC") < out); /* masks first (S3-135) */
	assert_true(rec_find(&p.rec, (size_t)in, TR_REG, "IMC") <
		    rec_find(&p.rec, (size_t)in, TR_ENTER, "napi_schedule"));
	assert_true(rec_find(&p.rec, (size_t)in, TR_SOFTIRQ, "raise NET_RX") < out);
	for (long i = in; i < out; i++) { /* and touches no packet */
		assert_int_not_equal(p.rec.ev[i].kind, TR_BORN);
		assert_int_not_equal(p.rec.ev[i].kind, TR_CONSUME);
		assert_int_equal(p.rec.ev[i].serial, 0);
	}
	pair_close(&p);
}

static void s3_130_s3_134_dma_write_then_interrupt_then_poll(void **state)
{
	static const char *const names[] = {
	    "do_IRQ",	"igb_msix_ring",      "napi_schedule",	     "net_rx_action",
	    "igb_poll", "igb_clean_rx_irq",   "eth_type_trans",	     "netif_receive_skb",
	    "ip_rcv",	"napi_complete_done", "igb_ring_irq_enable", NULL};
	struct pair p;
	uint64_t serial;
	long data, desc, line, born, last;

	(void)state;
	pair_open(&p, no_cost, NULL);
	pair_trace(&p, &p.b);
	serial = node_send(&p.a, p.b.mac, 60);
	pair_run(&p);
	rec_assert_order(&p.rec, names);
	data = rec_find(&p.rec, 0, TR_DMA, "dev=eth0 writes data");
	desc = rec_find(&p.rec, 0, TR_DMA, "dev=eth0 writes descriptor");
	line = rec_find(&p.rec, 0, TR_IRQ, "dev=eth0 line=0");
	born = rec_find(&p.rec, 0, TR_BORN, "build_skb");
	assert_true(data >= 0 && data < desc && desc < line && line < born);
	/* one identity from the sender's socket buffer to here */
	assert_int_equal(p.rec.ev[data].serial, serial);
	assert_int_equal(p.rec.ev[born].serial, serial);
	/* S3-136: unmasked after napi_complete_done, never between napi_schedule and the first poll
	 */
	last = rec_find(&p.rec, 0, TR_ENTER, "napi_complete_done");
	assert_true(rec_find(&p.rec, 0, TR_REG, "write IMS") > last);
	assert_int_equal(rec_count(&p.rec, TR_REG, "write IMS"), 1);
	pair_close(&p);
}

/* S3-128: between the NIC's write and the poll the CPU does not touch the packet; nothing is copied
 * on the way up. */
static void s3_128_received_in_place(void **state)
{
	struct sk_buff *skb;
	struct pair p;

	(void)state;
	pair_open(&p, no_cost, NULL);
	p.b.in.consume = false;
	node_send(&p.a, p.b.mac, 1514);
	pair_run(&p);
	assert_int_equal(p.b.net->skb_mib.copies, 0);
	skb = skb_peek(&p.b.in.got);
	assert_int_equal(skb->len, 1500);
	assert_memory_equal(skb_mac_header(skb), p.b.mac, 6);
	for (uint32_t i = 0; i < skb->len; i++)
		assert_int_equal(skb->data[i], (uint8_t)(i + ETH_HLEN));
	assert_int_equal((uintptr_t)skb->data & 3, 0); /* the IP header is aligned */
	assert_int_equal(skb->skb_iif, p.b.dev->ifindex);
	pair_close(&p);
}

static void s3_131_s3_132_s3_133_interrupts_with_and_without_napi(void **state)
{
	struct nicdrv_params no_napi = { .no_napi = true }, gap = { .irq_gap_ns = 50000 };
	const struct nicdrv_params *how[] = { &no_napi, NULL, &gap };
	struct cpu_model cost[] = { { 100, 100 }, { 100000, 100 }, { 0, 0 } };
	uint64_t irqs[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct pair p;
		uint64_t before;

		pair_open(&p, cost[i], how[i]);
		before = node_irqs(&p.b);
		for (int n = 0; n < 100; n++)
			node_send(&p.a, p.b.mac, 60);
		pair_run(&p);
		assert_int_equal(p.b.in.n, 100);
		irqs[i] = node_irqs(&p.b) - before;
		pair_close(&p);
	}
	assert_int_equal(irqs[0], 100); /* one each */
	assert_int_equal(irqs[1], 1);   /* all while the first interrupt was handled */
	assert_in_range(irqs[2], 2, 3); /* moderated by the NIC */
}

/* S3-135: while masked, frames raise nothing; the mask register says masked. */
static void s3_135_no_interrupt_between_handler_and_end_of_poll(void **state)
{
	struct pair p;
	uint64_t before;

	(void)state;
	/* the poll begins 50 us after the handler */
	pair_open(&p, (struct cpu_model){ .irq_ns = 50000 }, NULL);
	before = node_irqs(&p.b);
	node_send(&p.a, p.b.mac, 60);
	while (node_irqs(&p.b) == before)
		evq_run_one(&p.q);
	assert_int_equal(nic_read(p.b.nic, NIC_IMS) & NIC_INT_RXT0, 0);
	for (int n = 0; n < 20; n++)
		node_send(&p.a, p.b.mac, 60);
	pair_until(&p, p.q.now_ns + 40000);
	assert_int_equal(p.b.in.n, 0);
	assert_int_equal(nic_read(p.b.nic, NIC_IMS) & NIC_INT_RXT0, 0);
	assert_int_equal(node_irqs(&p.b), before + 1);
	pair_run(&p);
	assert_int_equal(p.b.in.n, 21);
	assert_int_equal(node_irqs(&p.b), before + 1);
	assert_int_equal(nic_read(p.b.nic, NIC_IMS) & NIC_INT_RXT0, NIC_INT_RXT0);
	pair_close(&p);
}

static void s3_85_damaged_frame_is_counted_and_silent(void **state)
{
	struct tc_params tc = { .corrupt_ppm = 1000000 };
	struct rtnl_link_stats64_ st;
	struct pair p;
	uint64_t irqs, born;

	(void)state;
	pair_open(&p, no_cost, NULL);
	irqs = node_irqs(&p.b);
	born = p.b.net->skb_mib.allocated;
	hw_cable_set_tc(p.cable, 0, &tc);
	for (int i = 0; i < 5; i++)
		node_send(&p.a, p.b.mac, 200);
	pair_run(&p);
	dev_get_stats(p.b.dev, &st);
	assert_int_equal(st.rx_crc_errors, 5);
	assert_int_equal(st.rx_errors, 5);
	assert_int_equal(st.rx_packets, 0);
	assert_int_equal(node_irqs(&p.b), irqs);
	assert_int_equal(p.b.net->skb_mib.allocated, born);
	pair_close(&p);
}

static void s3_95_filtered_by_the_nic_unless_promiscuous(void **state)
{
	static const uint8_t group[ETH_ALEN] = { 1, 0, 0x5e, 0, 0, 5 };
	struct rtnl_link_stats64_ st;
	struct pair p;

	(void)state;
	pair_open(&p, no_cost, NULL);
	node_send(&p.a, mac_other, 60);
	node_send(&p.a, group, 60);
	pair_run(&p);
	dev_get_stats(p.b.dev, &st);
	assert_int_equal(st.rx_packets, 0);
	assert_int_equal(nic_read(p.b.nic, NIC_FILTERED), 2);
	dev_mc_add(p.b.dev, group);
	node_send(&p.a, group, 60);
	pair_run(&p);
	assert_int_equal(p.b.in.n, 1);
	dev_mc_del(p.b.dev, group);
	node_send(&p.a, group, 60);
	node_send(&p.a, mac_bcast, 60);
	pair_run(&p);
	assert_int_equal(p.b.in.n, 2);
	dev_set_promiscuity(p.b.dev, 1);
	node_send(&p.a, mac_other, 60);
	pair_run(&p);
	dev_get_stats(p.b.dev, &st);
	assert_int_equal(st.rx_packets, 3);
	dev_set_promiscuity(p.b.dev, -1);
	node_send(&p.a, mac_other, 60);
	pair_run(&p);
	assert_int_equal(nic_read(p.b.nic, NIC_FILTERED), 4);
	pair_close(&p);
}

static void carrier_follows_the_cable(void **state)
{
	struct rtnl_link_stats64_ st;
	struct pair p;

	(void)state;
	pair_open(&p, no_cost, NULL);
	assert_true(p.a.dev->carrier && p.b.dev->carrier);
	hw_cable_set_up(p.cable, false);
	pair_run(&p);
	assert_false(p.a.dev->carrier);
	assert_false(p.b.dev->carrier);
	assert_int_equal(p.a.dev->flags & DEVF_RUNNING, 0);
	assert_int_equal(p.a.dev->flags & DEVF_UP, DEVF_UP);
	node_send(&p.a, p.b.mac, 60);
	pair_run(&p);
	hw_cable_set_up(p.cable, true);
	pair_run(&p);
	assert_true(p.a.dev->carrier);
	node_send(&p.a, p.b.mac, 60);
	pair_run(&p);
	assert_int_equal(p.b.in.n, 1);
	/* the other end goes down: no carrier here */
	dev_close(p.b.dev);
	pair_run(&p);
	assert_false(p.a.dev->carrier);
	dev_get_stats(p.a.dev, &st);
	assert_int_equal(st.tx_packets, 1);
	assert_int_equal(dev_open(p.b.dev), 0);
	pair_run(&p);
	assert_true(p.a.dev->carrier);
	pair_close(&p);
}

/* Frames that are on their way into the NIC when the cable goes: lost, counted, given back. */
static void cut_with_packets_in_the_ring(void **state)
{
	struct rtnl_link_stats64_ st;
	struct pair p;

	(void)state;
	pair_open(&p, no_cost, NULL);
	for (int i = 0; i < 20; i++)
		node_send(&p.a, p.b.mac, 1514);
	pair_until(&p, p.q.now_ns + 30000);
	hw_cable_set_up(p.cable, false);
	pair_run(&p);
	dev_get_stats(p.a.dev, &st);
	assert_true(st.tx_carrier_errors > 0);
	assert_int_equal(p.a.net->skb_mib.live, 0);
	pair_close(&p);
}

static void close_and_open_again(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, no_cost, NULL);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 30; i++)
			node_send(&p.a, p.b.mac, 500);
		pair_until(&p, p.q.now_ns + 50000); /* half of them are still in the ring */
		dev_close(p.a.dev);
		dev_close(p.b.dev);
		pair_run(&p);
		assert_int_equal(dma_nr_mapped(p.a.net), 0);
		assert_int_equal(dma_nr_mapped(p.b.net), 0);
		assert_int_equal(p.a.net->skb_mib.live, 0);
		assert_int_equal(dev_open(p.a.dev), 0);
		assert_int_equal(dev_open(p.b.dev), 0);
		pair_run(&p);
	}
	p.b.in.n = 0;
	node_send(&p.a, p.b.mac, 60);
	pair_run(&p);
	assert_int_equal(p.b.in.n, 1);
	pair_close(&p);
}

static void change_mtu_makes_bigger_buffers(void **state)
{
	struct rtnl_link_stats64_ st;
	struct pair p;

	(void)state;
	pair_open(&p, no_cost, NULL);
	assert_int_equal(dev_set_mtu(p.a.dev, 9000), 0);
	pair_run(&p);
	node_send(&p.a, p.b.mac, ETH_HLEN + 9000);
	pair_run(&p);
	assert_int_equal(p.b.in.n, 0);
	dev_get_stats(p.b.dev, &st);
	assert_int_equal(st.rx_length_errors, 1);
	assert_int_equal(dev_set_mtu(p.b.dev, 9000), 0);
	pair_run(&p);
	node_send(&p.a, p.b.mac, ETH_HLEN + 9000);
	pair_run(&p);
	assert_int_equal(p.b.in.n, 1);
	/* a small MTU is for sending: standard frames are still received */
	assert_int_equal(dev_set_mtu(p.b.dev, 600), 0);
	pair_run(&p);
	node_send(&p.a, p.b.mac, ETH_HLEN + 1500);
	pair_run(&p);
	assert_int_equal(p.b.in.n, 2);
	assert_int_equal(dev_set_mtu(p.b.dev, 67), -EINVAL);
	assert_int_equal(dev_set_mtu(p.b.dev, 9217), -EINVAL);
	pair_close(&p);
}

struct ring_words {
	uint64_t v[8];
	uint32_t n;
};

static void keep_word(void *arg, const char *name, uint64_t v)
{
	struct ring_words *w = arg;

	(void)name;
	w->v[w->n++] = v;
}

static void ethtool_shows_rings_and_counters(void **state)
{
	struct ring_words w = { { 0 }, 0 };
	struct pair p;

	(void)state;
	pair_open(&p, (struct cpu_model){ 100, 100 }, NULL);
	p.a.dev->netdev_ops->ndo_ethtool_rings(p.a.dev, keep_word, &w);
	assert_int_equal(w.n, 8);
	assert_int_equal(w.v[0], 4096);
	assert_int_equal(w.v[2], 256); /* igb's default */
	assert_int_equal(w.v[3], 256);
	assert_int_equal(w.v[5], 255); /* all but one are posted */
	pair_close(&p);
}

static void a_second_device_of_that_name_is_refused(void **state)
{
	struct nic_params cp = { .node = "a", .name = "eth0", .node_id = 1, .mac = { 2, 1 } };
	struct nic *nic;
	struct pair p;
	int err = 0;

	(void)state;
	pair_open(&p, no_cost, NULL);
	nic = nic_new(&p.w, &cp);
	assert_null(nicdrv_probe(p.a.net, nic, "eth0", NULL, &err));
	assert_int_equal(err, -EEXIST);
	nic_free(nic);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s3_75_mac_is_read_from_the_rom),
		cmocka_unit_test(s2_07_transmit_completion_in_order),
		cmocka_unit_test(s2_09_handler_is_found_through_the_vector_table),
		cmocka_unit_test(s2_08_s2_10_s3_137_handler_masks_and_schedules),
		cmocka_unit_test(s3_130_s3_134_dma_write_then_interrupt_then_poll),
		cmocka_unit_test(s3_128_received_in_place),
		cmocka_unit_test(s3_131_s3_132_s3_133_interrupts_with_and_without_napi),
		cmocka_unit_test(s3_135_no_interrupt_between_handler_and_end_of_poll),
		cmocka_unit_test(s3_85_damaged_frame_is_counted_and_silent),
		cmocka_unit_test(s3_95_filtered_by_the_nic_unless_promiscuous),
		cmocka_unit_test(carrier_follows_the_cable),
		cmocka_unit_test(cut_with_packets_in_the_ring),
		cmocka_unit_test(close_and_open_again),
		cmocka_unit_test(change_mtu_makes_bigger_buffers),
		cmocka_unit_test(ethtool_shows_rings_and_counters),
		cmocka_unit_test(a_second_device_of_that_name_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

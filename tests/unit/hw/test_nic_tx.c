/* The NIC's transmit engine. */
#include "nic_test.h"

static void s2_02_s2_03_frame_leaves_only_after_the_doorbell(void **state)
{
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	tx_put_plain(&b, 100);
	run_all(&b.w);
	assert_int_equal(b.peer.n, 0); /* in the ring, not on the wire */
	assert_int_equal(b.h.n_log, 0);
	assert_int_equal(nic_read(b.nic, NIC_TDH), 0);
	doorbell(&b);
	assert_int_equal(nic_read(b.nic, NIC_TDT), 1);
	assert_int_equal(nic_read(b.nic, NIC_TDH), 1); /* one per packet */
	run_all(&b.w);
	assert_int_equal(b.peer.n, 1);
	assert_int_equal(nic_read(b.nic, NIC_GPTC), 1);
	assert_int_equal(nic_read(b.nic, NIC_GOTC), 104);
	nic_teardown(&b);
}

/* S3-82: the NIC fetches; descriptor first, then the octets. */
static void s3_82_descriptor_then_data_by_dma(void **state)
{
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	tx_put_plain(&b, 100);
	doorbell(&b);
	assert_int_equal(b.h.n_log, 2);
	assert_int_equal(b.h.log[0].addr, TX_RING);
	assert_int_equal(b.h.log[0].len, 16);
	assert_false(b.h.log[0].write);
	assert_int_equal(b.h.log[1].addr, TX_BUF);
	assert_int_equal(b.h.log[1].len, 100);
	assert_false(b.h.log[1].write);
	/* what the host does to its memory afterwards does not change the frame */
	memset(b.h.mem + TX_BUF, 0xee, 100);
	run_all(&b.w);
	assert_int_equal(b.peer.got[0]->data[8 + 20], 0x5a);
	assert_int_equal(b.peer.got[0]->serial, 100); /* the tag of the mapping */
	nic_teardown(&b);
}

static void s3_83_preamble_sfd_and_fcs_are_the_nics(void **state)
{
	struct nic_bench b;
	struct hw_frame *f;

	(void)state;
	nic_setup(&b);
	tx_put_plain(&b, 1514);
	doorbell(&b);
	run_all(&b.w);
	f = b.peer.got[0];
	assert_int_equal(f->len, 8 + 1514 + 4);
	for (int i = 0; i < 7; i++)
		assert_int_equal(f->data[i], 0x55);
	assert_int_equal(f->data[7], 0xd5);
	assert_memory_equal(f->data + 8, b.h.mem + TX_BUF, 1514);
	f->fcs_ok = false;
	assert_true(hw_frame_check_fcs(f, 8));
	nic_teardown(&b);
}

/* The buffer behind the short packet is full of secrets. */
static void eth_05_padding_is_zero(void **state)
{
	uint8_t secret[BUF_ROOM];
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	memset(secret, 0xaa, sizeof(secret));
	memcpy(secret, b.peer_mac, ETH_ALEN);
	for (uint32_t len = 14; len <= 61; len++) {
		memset(b.h.mem + TX_BUF, 0xaa, RING * BUF_ROOM);
		tx_put(&b, secret, len, NIC_TXD_EOP | NIC_TXD_IFCS | NIC_TXD_RS);
		doorbell(&b);
		run_all(&b.w);
		assert_int_equal(b.peer.got[0]->len, 8 + (len < 60 ? 60 : len) + 4);
		for (uint32_t i = len; i < 60; i++)
			assert_int_equal(b.peer.got[0]->data[8 + i], 0);
		end_clear(&b.peer);
	}
	nic_teardown(&b);
}

static void s2_04_dd_and_interrupt_when_the_frame_has_left(void **state)
{
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	tx_put_plain(&b, 1514);
	doorbell(&b);
	run_until(&b.w, 12303);
	assert_int_equal(txd(&b, 0)->status, 0);
	assert_int_equal(b.h.irqs[0], 0);
	run_until(&b.w, 12304);
	assert_int_equal(txd(&b, 0)->status, NIC_STAT_DD);
	assert_int_equal(b.h.irqs[0], 1);
	assert_int_equal(nic_read(b.nic, NIC_ICR), NIC_INT_TXDW);
	nic_teardown(&b);
}

static void s2_04_completions_can_be_withheld(void **state)
{
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	nic_hold_completions(b.nic, true);
	for (int i = 0; i < 7; i++)
		tx_put_plain(&b, 60);
	doorbell(&b);
	run_all(&b.w);
	assert_int_equal(b.peer.n, 7); /* sent, but not said to be */
	for (uint32_t i = 0; i < 7; i++)
		assert_int_equal(txd(&b, i)->status, 0);
	assert_int_equal(b.h.irqs[0], 0);
	nic_hold_completions(b.nic, false);
	for (uint32_t i = 0; i < 7; i++)
		assert_int_equal(txd(&b, i)->status, NIC_STAT_DD);
	assert_int_equal(b.h.irqs[0], 1);
	nic_teardown(&b);
}

static void only_descriptors_with_rs_are_written_back(void **state)
{
	uint8_t eth[60] = { 0 };
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	tx_put(&b, eth, 60, NIC_TXD_EOP | NIC_TXD_IFCS);
	tx_put(&b, eth, 60, NIC_TXD_EOP | NIC_TXD_IFCS | NIC_TXD_RS);
	doorbell(&b);
	run_all(&b.w);
	assert_int_equal(txd(&b, 0)->status, 0);
	assert_int_equal(txd(&b, 1)->status, NIC_STAT_DD);
	assert_int_equal(b.h.irqs[0], 1);
	nic_teardown(&b);
}

static void tidv_lets_completions_share_an_interrupt(void **state)
{
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	nic_write(b.nic, NIC_TIDV, 20000);
	for (int i = 0; i < 5; i++)
		tx_put_plain(&b, 60);
	doorbell(&b);
	run_until(&b.w, 672 + 19999);
	assert_int_equal(txd(&b, 4)->status, NIC_STAT_DD);
	assert_int_equal(b.h.irqs[0], 0);
	run_all(&b.w);
	assert_int_equal(b.h.irqs[0], 1);
	assert_int_equal(b.h.irq_at, 672 + 20000);
	/* a driver that has cleaned meanwhile clears the cause: no interrupt for nothing */
	nic_write(b.nic, NIC_ICR, ~0u);
	tx_put_plain(&b, 60);
	doorbell(&b);
	run_until(&b.w, b.w.q.now_ns + 1000);
	nic_write(b.nic, NIC_ICR, NIC_INT_TXDW);
	run_all(&b.w);
	assert_int_equal(b.h.irqs[0], 1);
	nic_teardown(&b);
}

static void a_frame_may_be_gathered_from_several_descriptors(void **state)
{
	struct nic_bench b;
	uint8_t head[14] = { 0 }, body[100];

	(void)state;
	nic_setup(&b);
	memset(body, 7, sizeof(body));
	memcpy(head, b.peer_mac, 6);
	tx_put(&b, head, 14, NIC_TXD_IFCS | NIC_TXD_RS);
	doorbell(&b);
	run_all(&b.w);
	assert_int_equal(b.peer.n, 0); /* the rest is not posted yet */
	assert_int_equal(nic_read(b.nic, NIC_TDH), 0);
	tx_put(&b, body, 100, NIC_TXD_EOP | NIC_TXD_IFCS | NIC_TXD_RS);
	doorbell(&b);
	run_all(&b.w);
	assert_int_equal(b.peer.n, 1);
	assert_int_equal(b.peer.got[0]->len, 8 + 114 + 4);
	assert_int_equal(b.peer.got[0]->data[8 + 14], 7);
	assert_int_equal(txd(&b, 1)->status, NIC_STAT_DD);
	nic_teardown(&b);
}

static void ring_wraps(void **state)
{
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	for (uint32_t i = 0; i < 3 * RING; i++) {
		tx_put_plain(&b, 60 + i);
		doorbell(&b);
		run_all(&b.w);
		assert_int_equal(nic_read(b.nic, NIC_TDH), (i + 1) % RING);
		assert_int_equal(b.peer.got[i]->len, 72 + i);
	}
	nic_teardown(&b);
}

static void checksum_is_filled_in(void **state)
{
	struct nic_bench b;
	struct hw_frame *ref;
	uint8_t eth[142], *udp = eth + 34;

	(void)state;
	nic_setup(&b);
	ref = udp_frame(&b.w, b.peer_mac, b.mac, 100);
	memcpy(eth, ref->data + 8, sizeof(eth));
	put_be16(udp + 6,
		 (uint16_t)~csum_fold(csum_tcpudp_nofold(0x0a000001, 0x0a000002, 108, 17, 0)));
	tx_put(&b, eth, sizeof(eth), NIC_TXD_EOP | NIC_TXD_IFCS | NIC_TXD_RS | NIC_TXD_CSUM);
	txd(&b, 0)->css = 34;
	txd(&b, 0)->cso = 40;
	doorbell(&b);
	run_all(&b.w);
	assert_memory_equal(b.peer.got[0]->data, ref->data, ref->len); /* FCS included */
	end_clear(&b.peer);
	/* offsets that point out of the frame are ignored */
	tx_put(&b, eth, 60, NIC_TXD_EOP | NIC_TXD_IFCS | NIC_TXD_CSUM);
	txd(&b, 1)->css = 34;
	txd(&b, 1)->cso = 59;
	doorbell(&b);
	tx_put(&b, eth, 60, NIC_TXD_EOP | NIC_TXD_IFCS | NIC_TXD_CSUM);
	txd(&b, 2)->css = 60;
	doorbell(&b);
	run_all(&b.w);
	assert_memory_equal(b.peer.got[0]->data + 8, eth, 60);
	assert_memory_equal(b.peer.got[1]->data + 8, eth, 60);
	hw_frame_put(ref);
	nic_teardown(&b);
}

static void without_ifcs_the_driver_brings_the_fcs(void **state)
{
	uint8_t eth[64] = { 0 };
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	tx_put(&b, eth, 64, NIC_TXD_EOP | NIC_TXD_RS); /* FCS 00000000 is wrong */
	doorbell(&b);
	run_all(&b.w);
	assert_int_equal(b.peer.got[0]->len, 72);
	assert_false(hw_frame_check_fcs(b.peer.got[0], 8));
	nic_teardown(&b);
}

static void dma_faults_are_counted_and_the_ring_goes_on(void **state)
{
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	tx_put_plain(&b, 60);
	txd(&b, 0)->addr = MEM_SIZE - 10;
	tx_put_plain(&b, 60);
	tx_put_plain(&b, 60);
	txd(&b, 2)->length = 0;
	tx_put_plain(&b, 60);
	doorbell(&b);
	run_all(&b.w);
	assert_int_equal(b.peer.n, 2);
	assert_int_equal(nic_read(b.nic, NIC_DMAFAULT), 1);
	assert_int_equal(b.h.sink.drops[DROP_HW_DMA_FAULT], 1);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(txd(&b, i)->status, NIC_STAT_DD); /* the driver gets all back */
	/* a ring that is not there */
	nic_write(b.nic, NIC_TDBAL, MEM_SIZE * 2);
	nic_write(b.nic, NIC_TDLEN, RING * 16);
	nic_write(b.nic, NIC_TDT, 3);
	assert_int_equal(nic_read(b.nic, NIC_DMAFAULT), 2);
	assert_int_equal(nic_read(b.nic, NIC_TDH), 3);
	nic_teardown(&b);
}

static void without_link_frames_are_thrown_away_and_completed(void **state)
{
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	hw_cable_set_up(b.c, false);
	for (int i = 0; i < 3; i++)
		tx_put_plain(&b, 60);
	doorbell(&b);
	run_all(&b.w);
	assert_int_equal(nic_read(b.nic, NIC_TNCRS), 3);
	assert_int_equal(nic_read(b.nic, NIC_GPTC), 0);
	assert_int_equal(txd(&b, 2)->status, NIC_STAT_DD);
	assert_int_equal(b.h.sink.drops[DROP_HW_CABLE_UNPLUGGED], 3);
	nic_teardown(&b);
}

/* Long frames fill the FIFO: fetching stops, goes on as they leave, and all arrive in order. */
static void fifo_is_bounded(void **state)
{
	struct nic_bench b;
	uint8_t eth[9000];

	(void)state;
	nic_setup(&b);
	memset(eth, 1, sizeof(eth));
	for (uint32_t i = 0; i < 7; i++) {
		*txd(&b, i) = (struct nic_desc){ .addr = TX_BUF,
						 .length = 9000,
						 .cmd = NIC_TXD_EOP | NIC_TXD_IFCS | NIC_TXD_RS };
	}
	nic_write(b.nic, NIC_TDT, 7);
	assert_in_range(nic_read(b.nic, NIC_TDH), 1, 4);
	run_all(&b.w);
	assert_int_equal(nic_read(b.nic, NIC_TDH), 7);
	assert_int_equal(b.peer.n, 7);
	nic_teardown(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s2_02_s2_03_frame_leaves_only_after_the_doorbell),
		cmocka_unit_test(s3_82_descriptor_then_data_by_dma),
		cmocka_unit_test(s3_83_preamble_sfd_and_fcs_are_the_nics),
		cmocka_unit_test(eth_05_padding_is_zero),
		cmocka_unit_test(s2_04_dd_and_interrupt_when_the_frame_has_left),
		cmocka_unit_test(s2_04_completions_can_be_withheld),
		cmocka_unit_test(only_descriptors_with_rs_are_written_back),
		cmocka_unit_test(tidv_lets_completions_share_an_interrupt),
		cmocka_unit_test(a_frame_may_be_gathered_from_several_descriptors),
		cmocka_unit_test(ring_wraps),
		cmocka_unit_test(checksum_is_filled_in),
		cmocka_unit_test(without_ifcs_the_driver_brings_the_fcs),
		cmocka_unit_test(dma_faults_are_counted_and_the_ring_goes_on),
		cmocka_unit_test(without_link_frames_are_thrown_away_and_completed),
		cmocka_unit_test(fifo_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

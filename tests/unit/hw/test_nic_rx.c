/* The NIC's receive engine. */
#include "nic_test.h"

/* S3-128: the octets first, then the descriptor's DD; both written by the device. */
static void s3_128_data_then_dd_by_dma(void **state)
{
	struct nic_bench b;
	struct access *a;

	(void)state;
	nic_setup(&b);
	rx_post(&b, 7);
	b.h.n_log = 0;
	peer_send(&b, b.mac, 100);
	a = &b.h.log[b.h.n_log - 2];
	assert_int_equal(a[0].addr, RX_BUF);
	assert_int_equal(a[0].len, 100);
	assert_true(a[0].write);
	assert_int_equal(a[1].addr, RX_RING);
	assert_true(a[1].write);
	assert_int_equal(rxd(&b, 0)->length, 100);
	assert_int_equal(rxd(&b, 0)->status, NIC_STAT_DD | NIC_STAT_EOP);
	assert_memory_equal(b.h.mem + RX_BUF, b.mac, 6);
	assert_int_equal(b.h.mem[RX_BUF + 14 + 85], 85); /* and no FCS behind */
	assert_int_equal(b.h.mem[RX_BUF + 100], 0);
	assert_int_equal(nic_read(b.nic, NIC_RDH), 1);
	nic_teardown(&b);
}

static void s3_134_interrupt_after_the_dma_write(void **state)
{
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	rx_post(&b, 7);
	send_next(&b.w, &b.peer, frame_of(&b.w, b.mac, b.peer_mac, 0x88b5, 60));
	assert_int_equal(b.h.irqs[0], 0);
	run_all(&b.w);
	assert_int_equal(b.h.irqs[0], 1);
	assert_int_equal(b.h.irq_at, 576 + 500);
	assert_int_equal(nic_read(b.nic, NIC_ICR), NIC_INT_RXT0);
	nic_teardown(&b);
}

static void s3_129_ring_wraps_and_misses_when_full(void **state)
{
	struct nic_bench b;
	uint32_t n = 0;

	(void)state;
	nic_setup(&b);
	rx_post(&b, 7); /* all but one: head == tail means empty */
	for (; n < 10; n++)
		peer_send(&b, b.mac, 60 + n);
	assert_int_equal(nic_read(b.nic, NIC_MPC), 3);
	assert_int_equal(nic_read(b.nic, NIC_GPRC), 7);
	assert_int_equal(b.h.sink.drops[DROP_HW_RX_NO_DESC], 3);
	assert_int_equal(nic_read(b.nic, NIC_ICR) & NIC_INT_RXO, NIC_INT_RXO);
	assert_int_equal(nic_read(b.nic, NIC_RDH), nic_read(b.nic, NIC_RDT));
	for (; n < 40; n++) { /* refilled one by one it goes round and round */
		rx_post(&b, 1);
		peer_send(&b, b.mac, 60 + n);
		assert_int_equal(rxd(&b, (b.rx_tail + RING - 1) % RING)->length, 60 + n);
	}
	assert_int_equal(nic_read(b.nic, NIC_MPC), 3);
	nic_teardown(&b);
}

static void s3_85_bad_fcs_is_counted_and_raises_nothing(void **state)
{
	struct tc_params tc = { .corrupt_ppm = 1000000 };
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	rx_post(&b, 7);
	hw_cable_set_tc(b.c, 1, &tc);
	for (int i = 0; i < 50; i++)
		peer_send(&b, b.mac, 200);
	assert_int_equal(nic_read(b.nic, NIC_CRCERRS), 50);
	assert_int_equal(b.h.irqs[0], 0);
	assert_int_equal(nic_read(b.nic, NIC_RDH), 0);
	assert_int_equal(b.h.sink.drops[DROP_HW_BAD_FCS], 50);
	nic_teardown(&b);
}

static void s3_84_noise_before_the_preamble_is_tolerated(void **state)
{
	struct nic_bench b;
	struct hw_frame *f, *n;

	(void)state;
	nic_setup(&b);
	rx_post(&b, 7);
	f = frame_of(&b.w, b.mac, b.peer_mac, 0x88b5, 60);
	n = hw_frame_new(&b.w.w, 160);
	n->len = 5 + 3 + 64; /* noise, a short preamble with SFD, the frame */
	memcpy(n->data, "\x00\x13\xd5\x80\xff", 5);
	memcpy(n->data + 5, f->data + 5, f->len - 5);
	hw_frame_put(f);
	send_next(&b.w, &b.peer, n);
	run_all(&b.w);
	assert_int_equal(nic_read(b.nic, NIC_GPRC), 1);
	assert_int_equal(rxd(&b, 0)->length, 60);
	/* no SFD at all */
	n = frame_of(&b.w, b.mac, b.peer_mac, 0x88b5, 60);
	memset(n->data, 0x55, 8);
	send_next(&b.w, &b.peer, n);
	run_all(&b.w);
	assert_int_equal(nic_read(b.nic, NIC_NOSFD), 1);
	assert_int_equal(b.h.sink.drops[DROP_HW_NO_SFD], 1);
	nic_teardown(&b);
}

static void s3_140_runts_and_oversize_have_their_counters(void **state)
{
	struct nic_bench b;
	struct hw_frame *f;

	(void)state;
	nic_setup(&b);
	rx_post(&b, 7);
	for (uint32_t len = 0; len < 72; len++) { /* every length below 64 octets */
		f = frame_of(&b.w, b.mac, b.peer_mac, 0x88b5, 60);
		f->len = len;
		f->fcs_ok = false;
		send_next(&b.w, &b.peer, f);
		run_all(&b.w);
	}
	assert_int_equal(nic_read(b.nic, NIC_RUC) + nic_read(b.nic, NIC_NOSFD), 72);
	assert_int_equal(nic_read(b.nic, NIC_RUC), 64);
	peer_send(&b, b.mac, 1519);
	assert_int_equal(nic_read(b.nic, NIC_ROC), 1);
	peer_send(&b, b.mac, 1518);
	assert_int_equal(nic_read(b.nic, NIC_GPRC), 1);
	nic_teardown(&b);
}

/* ETH-03: whatever RLPML says, never past the buffer that was posted. */
static void eth_03_never_past_the_buffer(void **state)
{
	static const uint32_t lens[] = { 1519, 2049, 9019, 16000 };
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	rx_post(&b, 1);
	memset(b.h.mem + RX_BUF + BUF_ROOM, 0x77, 16);
	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		nic_write(b.nic, NIC_RLPML, i ? 16383 : 1518);
		peer_send(&b, b.mac, lens[i]);
		assert_int_equal(nic_read(b.nic, NIC_ROC), i + 1);
	}
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(b.h.mem[RX_BUF + BUF_ROOM + i], 0x77);
	peer_send(&b, b.mac, BUF_ROOM); /* exactly full */
	assert_int_equal(nic_read(b.nic, NIC_GPRC), 1);
	assert_int_equal(b.h.mem[RX_BUF + BUF_ROOM], 0x77);
	assert_int_equal(b.h.irqs[0], 1);
	nic_teardown(&b);
}

static void s3_95_address_filter(void **state)
{
	static const uint8_t group[ETH_ALEN] = { 0x01, 0x00, 0x5e, 0x01, 0x02, 0x03 };
	uint8_t other[ETH_ALEN];
	uint32_t hash = (group[4] >> 4 | group[5] << 4) & 0xfff;
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	rx_post(&b, 7);
	mac_of(other, 9);
	peer_send(&b, other, 60);
	peer_send(&b, group, 60);
	assert_int_equal(nic_read(b.nic, NIC_FILTERED), 2);
	assert_int_equal(b.h.sink.drops[DROP_HW_FILTERED], 2);
	assert_int_equal(b.h.irqs[0], 0);
	peer_send(&b, mac_bcast, 60);
	peer_send(&b, b.mac, 60);
	assert_int_equal(nic_read(b.nic, NIC_GPRC), 2);
	assert_int_equal(nic_read(b.nic, NIC_BPRC), 1);
	nic_write(b.nic, NIC_MTA + 4 * (hash / 32), 1u << (hash % 32));
	peer_send(&b, group, 60);
	assert_int_equal(nic_read(b.nic, NIC_MPRC), 1);
	nic_write(b.nic, NIC_MTA + 4 * (hash / 32), 0);
	nic_write(b.nic, NIC_RCTL, NIC_RCTL_EN | NIC_RCTL_MPE); /* and no BAM */
	peer_send(&b, group, 60);
	peer_send(&b, mac_bcast, 60);
	assert_int_equal(nic_read(b.nic, NIC_MPRC), 2);
	assert_int_equal(nic_read(b.nic, NIC_BPRC), 1);
	nic_write(b.nic, NIC_RCTL, NIC_RCTL_EN | NIC_RCTL_UPE);
	peer_send(&b, other, 60);
	assert_int_equal(nic_read(b.nic, NIC_GPRC), 5);
	nic_write(b.nic, NIC_RCTL, 0);
	peer_send(&b, b.mac, 60);
	assert_int_equal(b.h.sink.drops[DROP_HW_RX_DISABLED], 1);
	nic_teardown(&b);
}

static void checksums_are_verified(void **state)
{
	struct nic_bench b;
	struct hw_frame *f;

	(void)state;
	nic_setup(&b);
	rx_post(&b, 7);
	nic_write(b.nic, NIC_RXCSUM, 1u << 8);
	send_next(&b.w, &b.peer, udp_frame(&b.w, b.mac, b.peer_mac, 11)); /* odd, padded */
	f = udp_frame(&b.w, b.mac, b.peer_mac, 11);
	f->data[8 + 14 + 28] ^= 1; /* payload */
	hw_frame_seal(f, 60);
	send_next(&b.w, &b.peer, f);
	f = udp_frame(&b.w, b.mac, b.peer_mac, 11);
	f->data[8 + 14 + 8] ^= 1; /* TTL */
	hw_frame_seal(f, 60);
	send_next(&b.w, &b.peer, f);
	f = udp_frame(&b.w, b.mac, b.peer_mac, 11);
	put_be16(f->data + 8 + 14 + 26, 0); /* UDP without checksum */
	hw_frame_seal(f, 60);
	send_next(&b.w, &b.peer, f);
	f = udp_frame(&b.w, b.mac, b.peer_mac, 100);
	f->data[8 + 14] =
	    0x4f; /* options said, total length too short for them: left to the stack */
	put_be16(f->data + 8 + 16, 40);
	hw_frame_seal(f, 142);
	send_next(&b.w, &b.peer, f);
	run_all(&b.w);
	assert_int_equal(rxd(&b, 0)->status & NIC_STAT_CSOK, NIC_STAT_CSOK);
	assert_int_equal(rxd(&b, 0)->errors, 0);
	assert_int_equal(rxd(&b, 1)->status & NIC_STAT_CSOK, 0);
	assert_int_equal(rxd(&b, 1)->errors, NIC_ERR_L4CS);
	assert_int_equal(rxd(&b, 2)->errors, NIC_ERR_IPCS);
	assert_int_equal(rxd(&b, 3)->status & NIC_STAT_CSOK, 0);
	assert_int_equal(rxd(&b, 3)->errors, 0);
	assert_int_equal(rxd(&b, 4)->status & NIC_STAT_CSOK, 0);
	assert_int_equal(rxd(&b, 4)->errors, 0);
	nic_teardown(&b);
}

static void corrupt_inner_is_seen_by_the_checksum_engine(void **state)
{
	struct tc_params tc = { .corrupt_inner_ppm = 1000000 };
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	nic_write(b.nic, NIC_RXCSUM, 1u << 8);
	hw_cable_set_tc(b.c, 1, &tc);
	for (uint32_t i = 0; i < 100; i++) {
		uint32_t slot = b.rx_tail;

		rx_post(&b, 1);
		send_next(&b.w, &b.peer, udp_frame(&b.w, b.mac, b.peer_mac, 300));
		run_all(&b.w);
		assert_int_equal(rxd(&b, slot)->status & NIC_STAT_CSOK, 0);
	}
	assert_int_equal(nic_read(b.nic, NIC_CRCERRS), 0);
	nic_teardown(&b);
}

static void dma_fault_is_counted_and_the_descriptor_stays(void **state)
{
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	rx_post(&b, 2);
	rxd(&b, 0)->addr = MEM_SIZE - 20;
	peer_send(&b, b.mac, 60);
	assert_int_equal(nic_read(b.nic, NIC_DMAFAULT), 1);
	assert_int_equal(nic_read(b.nic, NIC_RDH), 0);
	assert_int_equal(b.h.irqs[0], 0);
	rxd(&b, 0)->addr = RX_BUF; /* memory is there again */
	peer_send(&b, b.mac, 60);
	assert_int_equal(nic_read(b.nic, NIC_GPRC), 1);
	nic_teardown(&b);
}

static void serial_travels_as_dma_tag(void **state)
{
	struct nic_bench b;
	struct hw_frame *f;

	(void)state;
	nic_setup(&b);
	rx_post(&b, 2);
	f = frame_of(&b.w, b.mac, b.peer_mac, 0x88b5, 60);
	f->serial = 4711;
	send_next(&b.w, &b.peer, f);
	run_all(&b.w);
	assert_int_equal(b.h.tag[RX_BUF / 2048], 4711);
	nic_teardown(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s3_128_data_then_dd_by_dma),
		cmocka_unit_test(s3_134_interrupt_after_the_dma_write),
		cmocka_unit_test(s3_129_ring_wraps_and_misses_when_full),
		cmocka_unit_test(s3_85_bad_fcs_is_counted_and_raises_nothing),
		cmocka_unit_test(s3_84_noise_before_the_preamble_is_tolerated),
		cmocka_unit_test(s3_140_runts_and_oversize_have_their_counters),
		cmocka_unit_test(eth_03_never_past_the_buffer),
		cmocka_unit_test(s3_95_address_filter),
		cmocka_unit_test(checksums_are_verified),
		cmocka_unit_test(corrupt_inner_is_seen_by_the_checksum_engine),
		cmocka_unit_test(dma_fault_is_counted_and_the_descriptor_stays),
		cmocka_unit_test(serial_travels_as_dma_tag),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

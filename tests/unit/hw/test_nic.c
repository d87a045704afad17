/* The NIC's registers, ROM, interrupts, link and reset. */
#include "nic_test.h"

static void s3_75_rom_holds_the_mac(void **state)
{
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	for (uint32_t word = 0; word < 3; word++) {
		uint32_t v;

		nic_write(b.nic, NIC_EERD, word << 2 | 1);
		v = nic_read(b.nic, NIC_EERD);
		assert_int_equal(v & 2, 2);
		assert_int_equal(v >> 16 & 0xff, b.mac[word * 2]);
		assert_int_equal(v >> 24, b.mac[word * 2 + 1]);
	}
	/* and is the first address that is received */
	assert_int_equal(nic_read(b.nic, NIC_RAL), 0x00000002);
	assert_int_equal(nic_read(b.nic, NIC_RAH), 0x80000100);
	nic_teardown(&b);
}

static void s2_08_a_cause_raises_the_line_once(void **state)
{
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	nic_write(b.nic, NIC_ICS, NIC_INT_RXT0);
	nic_write(b.nic, NIC_ICS, NIC_INT_RXT0);
	nic_write(b.nic, NIC_ICS, NIC_INT_TXDW);
	assert_int_equal(b.h.irqs[0], 1);
	assert_int_equal(b.h.irqs[1], 0);
	assert_int_equal(nic_read(b.nic, NIC_ICR), NIC_INT_RXT0 | NIC_INT_TXDW);
	assert_int_equal(nic_read(b.nic, NIC_ICR), 0); /* clear on read */
	nic_write(b.nic, NIC_ICS, NIC_INT_RXT0);
	assert_int_equal(b.h.irqs[0], 2);
	assert_true(b.h.sink.kind[TR_IRQ] >= 2);
	nic_teardown(&b);
}

static void s3_135_masked_causes_wait_and_raise_at_the_unmasking(void **state)
{
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	nic_write(b.nic, NIC_IMC, NIC_INT_RXT0);
	assert_int_equal(nic_read(b.nic, NIC_IMS) & NIC_INT_RXT0, 0);
	for (int i = 0; i < 10; i++)
		nic_write(b.nic, NIC_ICS, NIC_INT_RXT0);
	assert_int_equal(b.h.irqs[0], 0);
	nic_write(b.nic, NIC_IMS, NIC_INT_RXT0);
	assert_int_equal(b.h.irqs[0], 1);
	/* masked, cleared by writing, unmasked: nothing pending */
	nic_write(b.nic, NIC_IMC, NIC_INT_RXT0);
	nic_write(b.nic, NIC_ICR, NIC_INT_RXT0);
	nic_write(b.nic, NIC_IMS, NIC_INT_RXT0);
	assert_int_equal(b.h.irqs[0], 1);
	nic_teardown(&b);
}

static void writing_icr_clears_only_these_bits(void **state)
{
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	nic_write(b.nic, NIC_ICS, NIC_INT_RXT0 | NIC_INT_LSC);
	assert_int_equal(b.h.irqs[1], 1);
	nic_write(b.nic, NIC_ICR, NIC_INT_RXT0);
	assert_int_equal(nic_read(b.nic, NIC_ICR), NIC_INT_LSC);
	nic_teardown(&b);
}

static void eitr_spaces_interrupts(void **state)
{
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	nic_write(b.nic, NIC_EITR, 50000);
	run_until(&b.w, 1000000);
	nic_write(b.nic, NIC_ICS, NIC_INT_RXT0);
	assert_int_equal(b.h.irqs[0], 1); /* the first at once */
	nic_write(b.nic, NIC_ICR, ~0u);
	run_until(&b.w, 1010000);
	nic_write(b.nic, NIC_ICS, NIC_INT_RXT0);
	run_until(&b.w, 1049999);
	assert_int_equal(b.h.irqs[0], 1);
	run_until(&b.w, 1050000);
	assert_int_equal(b.h.irqs[0], 2);
	assert_int_equal(b.h.irq_at, 1050000);
	/* cleared before its time: not raised */
	nic_write(b.nic, NIC_ICR, ~0u);
	nic_write(b.nic, NIC_ICS, NIC_INT_RXT0);
	nic_write(b.nic, NIC_ICR, ~0u);
	run_until(&b.w, 2000000);
	assert_int_equal(b.h.irqs[0], 2);
	nic_teardown(&b);
}

static void link_changes_raise_lsc_on_line_1(void **state)
{
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	assert_int_equal(nic_read(b.nic, NIC_STATUS), NIC_STATUS_LU);
	hw_cable_set_up(b.c, false);
	assert_int_equal(b.h.irqs[1], 1);
	assert_int_equal(b.h.irqs[0], 0);
	assert_int_equal(nic_read(b.nic, NIC_STATUS), 0);
	assert_int_equal(nic_read(b.nic, NIC_ICR), NIC_INT_LSC);
	hw_cable_set_up(b.c, true);
	assert_int_equal(b.h.irqs[1], 2);
	assert_int_equal(nic_read(b.nic, NIC_STATUS), NIC_STATUS_LU);
	/* the driver switches the transceiver off: the peer sees it */
	nic_write(b.nic, NIC_CTRL, 0);
	assert_false(hw_port_link_up(&b.peer.port));
	assert_int_equal(nic_read(b.nic, NIC_STATUS), 0);
	nic_teardown(&b);
}

static void reset_stops_everything(void **state)
{
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	for (int i = 0; i < 4; i++)
		tx_put_plain(&b, 1000);
	doorbell(&b);
	nic_write(b.nic, NIC_ICS, NIC_INT_RXT0);
	nic_write(b.nic, NIC_CTRL, NIC_CTRL_RST);
	assert_int_equal(nic_read(b.nic, NIC_IMS), 0);
	assert_int_equal(nic_read(b.nic, NIC_ICR) & ~NIC_INT_LSC, 0);
	assert_int_equal(nic_read(b.nic, NIC_TDLEN), 0);
	assert_int_equal(nic_read(b.nic, NIC_RCTL), 0);
	assert_int_equal(nic_read(b.nic, NIC_CTRL), 0);
	assert_int_equal(b.h.sink.drops[DROP_HW_RESET],
			 3); /* in the FIFO, behind the one on its way */
	run_all(&b.w);
	assert_int_equal(txd(&b, 0)->status, 0);
	/* works again */
	end_clear(&b.peer);
	b.tx_tail = 0;
	nic_program(&b);
	tx_put_plain(&b, 60);
	doorbell(&b);
	run_all(&b.w);
	assert_int_equal(b.peer.n, 1);
	nic_teardown(&b);
}

static void registers_are_traced(void **state)
{
	struct nic_bench b;
	uint32_t before;

	(void)state;
	nic_setup(&b);
	before = b.h.sink.kind[TR_REG];
	nic_write(b.nic, NIC_TDT, 0);
	(void)nic_read(b.nic, NIC_TDH);
	assert_int_equal(b.h.sink.kind[TR_REG], before + 2);
	nic_teardown(&b);
}

static void an_unbound_nic_is_harmless(void **state)
{
	struct nic_bench b;

	(void)state;
	nic_setup(&b);
	nic_bind(b.nic, NULL);
	assert_false(hw_port_link_up(&b.peer.port));
	nic_write(b.nic, NIC_TDT, 1);
	nic_write(b.nic, NIC_RCTL, NIC_RCTL_EN);
	nic_write(b.nic, NIC_CTRL, NIC_CTRL_SLU);
	peer_send(&b, b.mac, 60);
	assert_int_equal(nic_read(b.nic, NIC_MPC), 1);
	nic_teardown(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s3_75_rom_holds_the_mac),
		cmocka_unit_test(s2_08_a_cause_raises_the_line_once),
		cmocka_unit_test(s3_135_masked_causes_wait_and_raise_at_the_unmasking),
		cmocka_unit_test(writing_icr_clears_only_these_bits),
		cmocka_unit_test(eitr_spaces_interrupts),
		cmocka_unit_test(link_changes_raise_lsc_on_line_1),
		cmocka_unit_test(reset_stops_everything),
		cmocka_unit_test(registers_are_traced),
		cmocka_unit_test(an_unbound_nic_is_harmless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

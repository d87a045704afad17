/* irq.c, dma.c: interrupts through the vector table; which memory a device may touch. */
#include <errno.h>
#include "base/strbuf.h"
#include "core/net_int.h"
#include "core_fixture.h"

static unsigned handled, last_vector, last_cpu;
static void handler(struct net *net, unsigned vector, void *arg)
{
	handled++;
	last_vector = vector;
	last_cpu = net->cpu;
	assert_true(this_softnet(net)->in_hardirq);
	if (arg)
		napi_schedule(arg);
}

static int nothing_poll(struct napi_struct *n, int budget)
{
	(void)budget;
	assert_false(n->net->softnet[n->cpu].in_hardirq);
	assert_true(n->net->softnet[n->cpu].in_softirq);
	napi_complete_done(n, 0);
	return 0;
}

static void s2_09_s3_134_handler_found_in_the_vector_table(void **state)
{
	struct fx *f = fx_new();
	int a = request_irq(f->net, 0, handler, "igb_msix_ring", "eth0", NULL);
	int b = request_irq(f->net, 0, handler, "igb_msix_ring", "eth1", NULL);
	struct strbuf sb;
	long raised, ran;

	(void)state;
	handled = 0;
	assert_true(a >= IRQ_FIRST_VECTOR && b == a + 1);
	fx_trace(f);
	net_raise_irq(f->net, (unsigned)b);
	assert_int_equal(handled, 0); /* never calls up */
	assert_int_equal(f->kicks, 1);
	assert_int_equal(net_next_deadline(f->net), f->net->now_ns);
	net_run(f->net);
	assert_int_equal(handled, 1);
	assert_int_equal(last_vector, b);
	raised = rec_find(&f->rec, 0, TR_IRQ, "raise vector=25 device=eth1");
	ran = rec_find(&f->rec, 0, TR_IRQ, "handle vector=25 handler=igb_msix_ring device=eth1 cpu=0");
	assert_true(raised >= 0 && ran > raised);
	sb_init(&sb);
	irq_show(f->net, &sb);
	assert_non_null(strstr(sb_str(&sb), "  24:           0  PCI-MSI-edge  igb_msix_ring  eth0\n"));
	assert_non_null(strstr(sb_str(&sb), "  25:           1  PCI-MSI-edge  igb_msix_ring  eth1\n"));
	sb_free(&sb);
	free_irq(f->net, (unsigned)b);
	net_raise_irq(f->net, (unsigned)b); /* nobody's */
	net_raise_irq(f->net, 3);
	net_raise_irq(f->net, 100000);
	net_run(f->net);
	assert_int_equal(handled, 1);
	assert_int_equal(request_irq(f->net, 0, handler, "h", "eth2", NULL), b);
	fx_free(f);
}

static void s2_10_handler_raises_softirq_that_runs_at_irq_exit(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct napi_struct napi;
	unsigned v;

	(void)state;
	memset(&napi, 0, sizeof(napi));
	netif_napi_add(t->dev, &napi, "rx0", nothing_poll, 64, 0);
	v = (unsigned)request_irq(f->net, 0, handler, "igb_msix_ring", "eth0", &napi);
	fx_trace(f);
	net_raise_irq(f->net, v);
	net_raise_irq(f->net, v); /* still pending: one interrupt */
	handled = 0;
	net_run(f->net);
	assert_int_equal(handled, 1);
	rec_assert_order(&f->rec, (const char *const[]){ "do_IRQ", "napi_schedule", "____napi_schedule",
							 "__raise_softirq_irqoff", "do_softirq", "net_rx_action",
							 "napi_complete_done", NULL });
	/* the handler had returned before the softirq began */
	assert_true(rec_find(&f->rec, 0, TR_LEAVE, "do_IRQ") < rec_find(&f->rec, 0, TR_ENTER, "do_softirq"));
	assert_non_null(strstr(f->rec.ev[rec_find(&f->rec, 0, TR_SOFTIRQ, "begin")].text, "ctx=irq_exit"));
	netif_napi_del(&napi);
	fx_free(f);
}

static void an_interrupt_waits_for_a_busy_cpu(void **state)
{
	struct fx *f = fx_new_with(2, (struct cpu_model){ .irq_ns = 700, .packet_ns = 0 }, NULL, 0);
	unsigned a = (unsigned)request_irq(f->net, 1, handler, "h", "eth0", NULL);
	unsigned b = (unsigned)request_irq(f->net, 1, handler, "h", "eth1", NULL);
	uint64_t t0 = f->net->now_ns;

	(void)state;
	handled = 0;
	net_raise_irq(f->net, b);
	net_raise_irq(f->net, a);
	net_run(f->net);
	assert_int_equal(handled, 1);
	assert_int_equal(last_vector, b); /* oldest first */
	assert_int_equal(last_cpu, 1);
	assert_int_equal(f->net->softnet[1].busy_until_ns, t0 + 700);
	assert_int_equal(net_next_deadline(f->net), t0 + 700);
	net_enter(f->net, t0 + 700);
	net_run(f->net);
	assert_int_equal(handled, 2);
	assert_int_equal(f->net->cpu, 0);
	fx_free(f);
}

static void vectors_end(void **state)
{
	struct fx *f = fx_new();

	(void)state;
	for (int i = 0; i < IRQ_MAX_VECTORS; i++)
		assert_int_equal(request_irq(f->net, 0, handler, "h", "d", NULL), IRQ_FIRST_VECTOR + i);
	assert_int_equal(request_irq(f->net, 0, handler, "h", "d", NULL), -ENOSPC);
	fx_free(f);
}

/* ---- DMA ---- */

static void s3_157_mapping_counts_and_carries_its_tag(void **state)
{
	struct fx *f = fx_new();
	uint8_t mem[100];
	void *p;
	uint64_t tag;
	dma_addr_t a, b;

	(void)state;
	fx_trace(f);
	a = dma_map_single(f->net, mem, sizeof(mem), DMA_TO_DEVICE, 77);
	b = dma_map_single(f->net, mem, 50, DMA_FROM_DEVICE, 78);
	assert_true(a != DMA_BAD && b != DMA_BAD && a != b);
	assert_int_equal(dma_nr_mapped(f->net), 2);
	assert_ptr_equal(dma_device_access(f->net, a, 100, DMA_TO_DEVICE), mem);
	assert_ptr_equal(dma_device_access(f->net, a + 40, 60, DMA_TO_DEVICE), mem + 40);
	assert_int_equal(dma_device_tag(f->net, a), 77);
	dma_device_set_tag(f->net, b, 99);
	dma_unmap(f->net, b, &p, &tag);
	assert_ptr_equal(p, mem);
	assert_int_equal(tag, 99);
	assert_int_equal(dma_nr_mapped(f->net), 1);
	dma_unmap(f->net, a, NULL, NULL);
	assert_int_equal(dma_nr_mapped(f->net), 0);
	assert_int_equal(rec_count(&f->rec, TR_DMA, "dir=to_device live=1"), 1);
	assert_int_equal(rec_count(&f->rec, TR_DMA, "unmap"), 2);
	fx_free(f);
}

static void s3_128_faults_by_address_direction_and_range(void **state)
{
	struct fx *f = fx_new();
	uint8_t mem[100];
	dma_addr_t a = dma_map_single(f->net, mem, 100, DMA_TO_DEVICE, 1), b;

	(void)state;
	assert_null(dma_device_access(f->net, a, 10, DMA_FROM_DEVICE));
	assert_null(dma_device_access(f->net, a, 101, DMA_TO_DEVICE));
	assert_null(dma_device_access(f->net, a + 90, 11, DMA_TO_DEVICE));
	assert_null(dma_device_access(f->net, a + 101, 0, DMA_TO_DEVICE));
	assert_null(dma_device_access(f->net, a, UINT32_MAX, DMA_TO_DEVICE));
	assert_null(dma_device_access(f->net, 0, 1, DMA_TO_DEVICE));
	assert_null(dma_device_access(f->net, 5u << 20, 1, DMA_TO_DEVICE));
	assert_null(dma_device_access(f->net, UINT64_MAX, 1, DMA_TO_DEVICE));
	assert_null(dma_device_access(f->net, (uint64_t)(uintptr_t)mem, 1, DMA_TO_DEVICE));
	dma_unmap(f->net, a, NULL, NULL);
	b = dma_map_single(f->net, mem, 100, DMA_TO_DEVICE, 2); /* the same slot, another tenant */
	assert_null(dma_device_access(f->net, a, 1, DMA_TO_DEVICE));
	assert_non_null(dma_device_access(f->net, b, 1, DMA_TO_DEVICE));
	assert_int_equal(dma_map_single(f->net, mem, DMA_MAX_LEN + 1, DMA_TO_DEVICE, 2), DMA_BAD);
	assert_int_equal(dma_map_single(f->net, mem, 0, DMA_TO_DEVICE, 2), DMA_BAD);
	dma_unmap(f->net, b, NULL, NULL);
	fx_free(f);
}

static void receive_buffers_are_drawn_when_the_device_writes(void **state)
{
	struct fx *f = fx_new();
	dma_addr_t a[300];
	struct sk_buff *s;
	uint64_t before = skb_pool_bytes(f->skbs);
	uint8_t *w;
	void *p;

	(void)state;
	for (int i = 0; i < 300; i++)
		a[i] = dma_map_lazy(f->net, 1600);
	assert_int_equal(skb_pool_bytes(f->skbs), before); /* an idle ring costs no pages */
	assert_int_equal(dma_nr_mapped(f->net), 300);
	assert_null(dma_device_access(f->net, a[5], 10, DMA_TO_DEVICE));
	w = dma_device_access(f->net, a[5] + 64, 100, DMA_FROM_DEVICE);
	assert_non_null(w);
	memset(w, 0x5a, 100);
	dma_unmap(f->net, a[5], &p, NULL);
	s = build_skb_serial(f->net, p, 1600, 4711); /* as it was called on the cable */
	assert_int_equal(s->serial, 4711);
	skb_reserve(s, 64);
	assert_int_equal(skb_put(s, 100)[99], 0x5a);
	assert_int_equal(f->net->skb_mib.copies, 0);
	consume_skb(s);
	dma_unmap(f->net, a[6], &p, NULL);
	assert_null(p); /* never written */
	f->net->skb_max_bytes = 0;
	assert_null(dma_device_access(f->net, a[7], 100, DMA_FROM_DEVICE)); /* no memory: a fault */
	f->net->skb_max_bytes = INT64_MAX;
	assert_non_null(dma_device_access(f->net, a[8], 100, DMA_FROM_DEVICE)); /* left mapped: dma_exit */
	fx_free(f);
}

static void coherent_areas_are_both_ways_and_not_counted(void **state)
{
	struct fx *f = fx_new();
	void *cpu;
	dma_addr_t a = dma_alloc_coherent(f->net, 4096, &cpu), b;

	(void)state;
	assert_true(a != DMA_BAD);
	assert_int_equal(((uint8_t *)cpu)[4095], 0);
	assert_ptr_equal(dma_device_access(f->net, a + 16, 16, DMA_TO_DEVICE), (uint8_t *)cpu + 16);
	assert_ptr_equal(dma_device_access(f->net, a, 4096, DMA_FROM_DEVICE), cpu);
	assert_int_equal(dma_nr_mapped(f->net), 0);
	dma_free_coherent(f->net, a);
	assert_null(dma_device_access(f->net, a, 16, DMA_TO_DEVICE));
	assert_int_equal(dma_alloc_coherent(f->net, 0, &cpu), DMA_BAD);
	b = dma_alloc_coherent(f->net, 100, &cpu); /* freed with the host */
	assert_true(b != DMA_BAD);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s2_09_s3_134_handler_found_in_the_vector_table),
		cmocka_unit_test(s2_10_handler_raises_softirq_that_runs_at_irq_exit),
		cmocka_unit_test(an_interrupt_waits_for_a_busy_cpu),
		cmocka_unit_test(vectors_end),
		cmocka_unit_test(s3_157_mapping_counts_and_carries_its_tag),
		cmocka_unit_test(s3_128_faults_by_address_direction_and_range),
		cmocka_unit_test(receive_buffers_are_drawn_when_the_device_writes),
		cmocka_unit_test(coherent_areas_are_both_ways_and_not_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Interrupts: the vector table between hardware's lines and drivers' handlers.
 *
 * Decides which handler a vector has, and when it runs: at once in net_run, or when the CPU model's
 * clock says that the CPU is free. A line raised again before its handler ran is one interrupt.
 * Called by hardware (net_raise_irq) and net_run; hands on to the handler, then to the softirqs
 * (irq_exit). Tests: tests/unit/core/test_irq.c. */
#include <errno.h>
#include <stdlib.h>
#include "base/strbuf.h"
#include "core/net_int.h"

struct irq_desc {
	irq_handler_t handler; /* NULL: free */
	void *arg;
	char name[24], handler_name[32];
	uint32_t cpu;
	unsigned vector;
	bool pending;
	uint64_t count[NET_MAX_CPUS];
	struct list_head node; /* in pending[cpu], oldest first */
};

/* Vectors come in blocks, so that a host without a NIC has none. */
#define IRQ_BLOCK 8
#define IRQ_BLOCKS (IRQ_MAX_VECTORS / IRQ_BLOCK)

struct irq_net {
	struct irq_desc *blocks[IRQ_BLOCKS];
	struct list_head pending[NET_MAX_CPUS];
	uint64_t spurious;
};

static struct irq_desc *irq_desc(const struct net *net, unsigned vector)
{
	unsigned i = vector - IRQ_FIRST_VECTOR;

	if (vector < IRQ_FIRST_VECTOR || i >= IRQ_MAX_VECTORS || !net->irq->blocks[i / IRQ_BLOCK])
		return NULL;
	return &net->irq->blocks[i / IRQ_BLOCK][i % IRQ_BLOCK];
}

int irq_init(struct net *net)
{
	net->irq = xcalloc(1, sizeof(*net->irq));
	for (unsigned c = 0; c < NET_MAX_CPUS; c++)
		list_init(&net->irq->pending[c]);
	return 0;
}

void irq_exit_net(struct net *net)
{
	if (!net->irq)
		return;
	for (unsigned b = 0; b < IRQ_BLOCKS; b++)
		free(net->irq->blocks[b]);
	free(net->irq);
	net->irq = NULL;
}

static struct irq_desc *irq_block_new(struct net *net, unsigned block)
{
	struct irq_desc *d = xcalloc(IRQ_BLOCK, sizeof(*d));

	for (unsigned i = 0; i < IRQ_BLOCK; i++)
		list_init(&d[i].node);
	net->irq->blocks[block] = d;
	return d;
}

int request_irq(struct net *net, uint32_t cpu, irq_handler_t fn, const char *handler_name,
		const char *name, void *arg)
{
	for (unsigned i = 0; i < IRQ_MAX_VECTORS; i++) {
		struct irq_desc *d = net->irq->blocks[i / IRQ_BLOCK];

		d = (d ? d : irq_block_new(net, i / IRQ_BLOCK)) + i % IRQ_BLOCK;
		if (d->handler)
			continue;
		*d = (struct irq_desc){ .handler = fn,
					.arg = arg,
					.cpu = cpu % net->nr_cpus,
					.vector = IRQ_FIRST_VECTOR + i };
		list_init(&d->node);
		strncpy(d->name, name, sizeof(d->name) - 1);
		strncpy(d->handler_name, handler_name, sizeof(d->handler_name) - 1);
		return (int)d->vector;
	}
	return -ENOSPC;
}

void free_irq(struct net *net, unsigned vector)
{
	struct irq_desc *d = irq_desc(net, vector);

	if (!d || !d->handler)
		return;
	list_del_init(&d->node);
	d->pending = false;
	d->handler = NULL;
}

void net_raise_irq(struct net *net, unsigned vector)
{
	struct irq_desc *d = irq_desc(net, vector);

	if (!d || !d->handler) {
		net->irq->spurious++;
		return;
	}
	TRACE(&net->probe, TR_IRQ, 0, "raise vector=%u device=%s cpu=%u%s", vector, d->name, d->cpu,
	      d->pending ? " already pending" : "");
	if (d->pending)
		return;
	d->pending = true;
	list_add_tail(&d->node, &net->irq->pending[d->cpu]);
	net_kick(net);
}

bool irq_pending_cpu(const struct net *net, uint32_t cpu)
{
	return !list_empty(&net->irq->pending[cpu]);
}

/* Through the vector table, with the CPU's own interrupts off. */
static void handle_irq(struct net *net, struct softnet_data *sd, unsigned vector)
{
	struct irq_desc *d = irq_desc(net, vector);
	TRACE_FN_AS(&net->probe, "do_IRQ", 0);

	list_del_init(&d->node);
	d->pending = false;
	d->count[sd->cpu]++;
	TRACE(&net->probe, TR_IRQ, 0, "handle vector=%u handler=%s device=%s cpu=%u", vector,
	      d->handler_name, d->name, sd->cpu);
	sd->in_hardirq = true;
	d->handler(net, vector, d->arg);
	sd->in_hardirq = false;
	cpu_charge(sd, net->cpu_model.irq_ns);
}

bool irq_run_cpu(struct net *net, uint32_t cpu)
{
	struct softnet_data *sd = &net->softnet[cpu];
	struct list_head *q = &net->irq->pending[cpu];
	bool ran = false;

	while (!list_empty(q) && !cpu_busy(sd)) {
		net_set_cpu(net, cpu);
		handle_irq(net, sd, list_first_entry(q, struct irq_desc, node)->vector);
		ran = true;
	}
	return ran;
}

/* /proc/interrupts */
void irq_show(struct net *net, struct strbuf *out)
{
	sb_puts(out, "     ");
	for (uint32_t c = 0; c < net->nr_cpus; c++)
		sb_printf(out, "       CPU%-2u", c);
	sb_putc(out, '\n');
	for (unsigned v = IRQ_FIRST_VECTOR; v < IRQ_FIRST_VECTOR + IRQ_MAX_VECTORS; v++) {
		const struct irq_desc *d = irq_desc(net, v);

		if (!d || !d->handler)
			continue;
		sb_printf(out, "%4u:", v);
		for (uint32_t c = 0; c < net->nr_cpus; c++)
			sb_printf(out, " %11llu", (unsigned long long)d->count[c]);
		sb_printf(out, "  PCI-MSI-edge  %s  %s\n", d->handler_name, d->name);
	}
	sb_printf(out, " ERR: %11llu\n", (unsigned long long)net->irq->spurious);
}

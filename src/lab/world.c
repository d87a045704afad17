/* Building and taking down a world: nodes, NICs, cables from a topology; addresses, sysctls, files and exec lines
 * of each node. Called by cli/, bench/, drill/ and tests; hands on to culver/host.h for hosts and to hw/ for the
 * rest. The order is fixed: ports exist before cables, cables before interfaces go up, all hosts before the first
 * exec line, exec lines before processes. Tests: tests/unit/lab/test_world.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/coro.h"
#include "core/netdevice.h"
#include "core/procfs.h"
#include "culver/host.h"
#include "drivers/drivers.h"
#include "ipv4/ip.h"
#include "lab/lab.h"
#include "lab/lab_int.h"
#include "os/os_term.h"
#include "socket/vfs.h"

#define LAB_MTU 1500u
#define LAB_FRAME_OVERHEAD 22u /* Ethernet header, one tag, FCS: without preamble */

/* ---- MAC addresses ---- */

/* 02:c0 (locally administered) and 32 bits of a hash of the names, so that a new node leaves the others' alone. */
static void mac_of(const char *node, const char *iface, uint32_t salt, uint8_t mac[6])
{
	static const uint8_t key[16] = "culver lab macs";
	char text[TOPO_NAME_MAX + TOPO_IFNAME_MAX + 16];
	uint64_t h;

	snprintf(text, sizeof(text), "%s:%s:%u", node, iface, salt);
	h = siphash(key, text, strlen(text));
	mac[0] = 0x02;
	mac[1] = 0xc0;
	put_be32(mac + 2, (uint32_t)h);
}

static int mac_cmp(const void *a, const void *b)
{
	return memcmp((*(struct lab_iface *const *)a)->mac, (*(struct lab_iface *const *)b)->mac, 6);
}

/* Two names may share a hash among a million: the later in the file takes the next. */
static void macs_differ(struct lab *lab)
{
	struct lab_iface **all;
	uint32_t n = 0, salt = 1;
	bool again = true;

	for (uint32_t i = 0; i < lab->n_nodes; i++)
		n += lab->node[i].net ? lab->node[i].n_iface : 0;
	all = xcalloc(n + 1u, sizeof(*all));
	for (; again && salt < 16; salt++) {
		n = 0;
		again = false;
		for (uint32_t i = 0; i < lab->n_nodes; i++)
			for (uint32_t k = 0; lab->node[i].net && k < lab->node[i].n_iface; k++)
				all[n++] = &lab->node[i].iface[k];
		qsort(all, n, sizeof(*all), mac_cmp);
		for (uint32_t i = 1; i < n; i++) {
			struct lab_iface *later = all[i]->node->id > all[i - 1]->node->id ? all[i] : all[i - 1];

			if (memcmp(all[i]->mac, all[i - 1]->mac, 6) != 0 || later->mac[1] != 0xc0)
				continue;
			mac_of(later->node->name, later->name, salt, later->mac);
			again = true;
		}
	}
	free(all);
}

/* ---- the owner's port of a host ---- */

static void node_kick(void *arg, struct net *net)
{
	struct lab_node *n = arg;

	evq_at(&n->lab->q, &n->run, n->lab->q.now_ns);
}

static void node_write(void *arg, struct net *net, struct task *t, int fd, const char *s, size_t len)
{
	lab_log(arg, s, len);
}

static void node_run(struct ev *ev)
{
	struct lab_node *n = container_of(ev, struct lab_node, run);
	uint64_t next;

	net_enter(n->net, n->lab->q.now_ns);
	net_run(n->net);
	next = net_next_deadline(n->net);
	if (next != TIME_NEVER && (!ev_pending(&n->run) || next < n->run.when_ns))
		evq_at(&n->lab->q, &n->run, next);
}

static void tap_emit(struct trace_sink *self, const struct trace_event *ev)
{
	struct lab *lab = container_of(self, struct lab_probe_tap, sink)->lab;

	for (uint32_t i = 0; i < lab->opts.n_sinks; i++)
		if (lab->opts.sink[i]->mask & (1u << ev->kind))
			lab->opts.sink[i]->emit(lab->opts.sink[i], ev);
}

static void node_tap_init(struct lab_node *n)
{
	n->tap.lab = n->lab;
	n->tap.sink.emit = tap_emit;
	for (uint32_t i = 0; i < n->lab->opts.n_sinks; i++)
		n->tap.sink.mask |= n->lab->opts.sink[i]->mask;
}

/* ---- nodes ---- */

static bool node_host(struct lab_node *n)
{
	struct lab *lab = n->lab;
	struct net_params p = {
		.name = n->name,
		.id = n->id,
		.seed = lab->seed,
		.now_ns = lab->q.now_ns,
		.nr_cpus = n->topo->cpus.n,
		.owner = { .arg = n, .kick = node_kick, .write = node_write },
		.serials = &lab->serials,
		.skbs = lab->skbs,
		.coros = lab->coros,
		.sink = lab->opts.n_sinks ? &n->tap.sink : NULL,
	};

	if (!lab->opts.realtime)
		p.cpu_model = (struct cpu_model){ n->topo->cpus.irq_ns, n->topo->cpus.packet_ns };
	n->net = host_new(&p);
	if (!n->net)
		return false;
	/* Hardware speaks on the host's probe between the host's own turns: the world's clock is the right one. */
	n->net->probe.now_ns = &lab->q.now_ns;
	n->net->realtime = lab->opts.realtime;
	return true;
}

static void node_switch(struct lab_node *n, uint32_t max_frame)
{
	const struct topo_bridge *b = &n->topo->bridge;
	struct hw_switch_params p = {
		.name = n->name,
		.node_id = n->id,
		.seed = n->lab->seed,
		.n_ports = n->n_iface,
		.ageing_ns = b->ageing_ns,
		.table_max = b->table_max,
		.queue_bytes = b->queue_bytes,
		.storm_pps = b->storm_pps,
		.latency_ns = b->latency_ns,
		.hub = b->hub,
		.stp = b->stp,
		.priority = (uint16_t)b->priority,
		.bpdu_guard = b->bpdu_guard,
		.max_frame = max_frame,
	};

	n->sw = hw_switch_new(&n->lab->hw, &p);
	if (n->lab->opts.n_sinks)
		probe_attach(hw_switch_probe(n->sw), &n->tap.sink);
}

static uint32_t link_frame(const struct topo_link *l)
{
	return max_u32(l->mtu ? l->mtu : LAB_MTU, LAB_MTU) + LAB_FRAME_OVERHEAD;
}

/* The longest frame on any cable of each bridge. */
static uint32_t *bridge_frames(const struct lab *lab)
{
	uint32_t *max = xcalloc(lab->n_nodes + 1u, sizeof(*max));

	for (uint32_t i = 0; i < lab->n_links; i++)
		for (unsigned s = 0; s < 2; s++) {
			const struct topo_link *l = &lab->src->topo.link[i];

			if (l->end[s].node != UINT32_MAX)
				max[l->end[s].node] = max_u32(max[l->end[s].node], link_frame(l));
		}
	return max;
}

static bool nodes_new(struct lab *lab)
{
	uint32_t *frame = bridge_frames(lab);
	bool ok = true;

	for (uint32_t i = 0; ok && i < lab->n_nodes; i++) {
		struct lab_node *n = &lab->node[i];

		n->lab = lab;
		n->topo = &lab->src->topo.node[i];
		n->name = n->topo->name;
		n->id = i + 1;
		n->n_iface = n->topo->n_ifaces;
		n->iface = xcalloc(n->n_iface + 1u, sizeof(*n->iface));
		sb_init(&n->log);
		ev_init(&n->run, n->id, node_run);
		node_tap_init(n);
		if (n->topo->kind == TOPO_LINUX)
			ok = node_host(n);
		else if (n->topo->kind == TOPO_BRIDGE)
			node_switch(n, frame[i]);
	}
	free(frame);
	return ok;
}

/* ---- interfaces and cables ---- */

/* The next unused slot of the node's interfaces, in the order of the links. */
static struct lab_iface *iface_new(struct lab *lab, struct lab_link *l, unsigned side)
{
	const struct topo_end *e = &l->topo->end[side];
	struct lab_node *n = &lab->node[e->node];
	struct lab_iface *f = n->iface;

	while (f->node)
		f++;
	f->node = n;
	snprintf(f->name, sizeof(f->name), "%s", e->iface);
	f->link = l;
	f->side = side;
	if (e->has_mac)
		memcpy(f->mac, e->mac, 6);
	else
		mac_of(n->name, f->name, 0, f->mac);
	l->end[side] = f;
	return f;
}

static int iface_nic(struct lab_iface *f)
{
	struct lab_node *n = f->node;
	const struct topo_nic *t = &n->topo->nic;
	uint32_t index = (uint32_t)(f - n->iface);
	struct nic_params p = { .node = n->name, .name = f->name, .node_id = n->id, .rx_fifo_bytes = t->rx_fifo };
	struct nicdrv_params d = {
		.rx_ring = t->rx_ring,
		.tx_ring = t->tx_ring,
		.cpu = index % n->net->nr_cpus,
		.hw_csum = t->hw_csum,
		.no_napi = t->no_napi,
	};
	int err = 0;

	memcpy(p.mac, f->mac, 6);
	f->nic = nic_new(&n->lab->hw, &p);
	f->port = nic_port(f->nic);
	f->dev = nicdrv_probe(n->net, f->nic, f->name, &d, &err);
	return f->dev ? 0 : err;
}

static int link_cable(struct lab *lab, struct lab_link *l)
{
	struct hw_cable_params p = {
		.line_rate_bps = l->topo->line_rate_bps,
		.prop_delay_ns = l->topo->prop_delay_ns,
		.max_frame = link_frame(l->topo),
	};

	p.tc[0] = l->topo->end[0].tc;
	p.tc[1] = l->topo->end[1].tc;
	l->cable = hw_cable_new(&lab->hw, l->name, lab->seed, &p);
	if (!l->cable)
		return -EINVAL;
	for (unsigned s = 0; s < 2; s++)
		if (l->end[s])
			hw_cable_plug(l->cable, s, l->end[s]->port);
	return 0;
}

static int links_new(struct lab *lab)
{
	int err = 0;

	for (uint32_t i = 0; i < lab->n_links; i++) {
		struct lab_link *l = &lab->link[i];

		l->topo = &lab->src->topo.link[i];
		for (unsigned s = 0; s < 2; s++)
			if (l->topo->end[s].node != UINT32_MAX)
				iface_new(lab, l, s);
		/* A name that no other link has, and that does not depend on them: the cable's chance hangs on it. */
		snprintf(l->name, sizeof(l->name), "%.40s:%.15s", l->end[0]->node->name, l->end[0]->name);
	}
	macs_differ(lab);
	for (uint32_t i = 0; !err && i < lab->n_nodes; i++) {
		struct lab_node *n = &lab->node[i];

		for (uint32_t k = 0; !err && k < n->n_iface; k++) {
			if (n->sw) {
				n->iface[k].port = hw_switch_port(n->sw, k);
				hw_switch_name_port(n->sw, k, n->iface[k].name);
			} else {
				err = iface_nic(&n->iface[k]);
			}
		}
	}
	for (uint32_t i = 0; !err && i < lab->n_links; i++)
		err = link_cable(lab, &lab->link[i]);
	return err;
}

/* ---- configuration ---- */

static enum lab_err fail_at(struct lab *lab, struct topo_at at, struct yerr *e, const char *what, const char *why)
{
	struct ynode where = { .line = at.line, .col = at.col };

	yerr_at(e, lab->src->topo.file, &where, "%s: %s", what, why);
	return LAB_BAD;
}

static enum lab_err node_files(struct lab_node *n, struct yerr *e)
{
	struct strbuf sb;

	sb_init(&sb);
	for (uint32_t i = 0; i < n->topo->dns.n; i++)
		sb_printf(&sb, "nameserver %s\n", n->topo->dns.v[i]);
	vfs_put_file(n->net, "/etc/resolv.conf", sb_str(&sb), sb.len);
	sb_reset(&sb);
	sb_puts(&sb, "127.0.0.1\tlocalhost\n");
	vfs_put_file(n->net, "/etc/hosts", sb_str(&sb), sb.len);
	sb_reset(&sb);
	sb_printf(&sb, "%s\n", n->name);
	vfs_put_file(n->net, "/etc/hostname", sb_str(&sb), sb.len);
	sb_free(&sb);
	return lab_mount(n->lab->src, n->topo, n->net, e);
}

static enum lab_err node_ifaces(struct lab_node *n, struct yerr *e)
{
	for (uint32_t i = 0; i < n->n_iface; i++) {
		struct lab_iface *f = &n->iface[i];
		const struct topo_link *l = f->link->topo;
		const struct topo_end *end = &l->end[f->side];
		uint32_t bcast = end->plen < 31 ? end->ip | ~ip4_mask(end->plen) : 0;
		int err = l->mtu ? dev_set_mtu(f->dev, l->mtu) : 0;

		if (!err)
			err = dev_open(f->dev);
		if (!err && end->has_ip)
			err = inet_add_addr(n->net, f->dev, end->ip, end->plen, bcast, RT_SCOPE_UNIVERSE);
		if (err)
			return fail_at(n->lab, end->at, e, f->name, os_strerror(err));
	}
	return LAB_OK;
}

static enum lab_err node_sysctls(struct lab_node *n, struct yerr *e)
{
	for (uint32_t i = 0; i < n->topo->sysctls.n; i++) {
		const struct topo_pair *p = &n->topo->sysctls.v[i];
		int err = sysctl_set(n->net, p->name, p->value);

		if (err == -ENOENT)
			return fail_at(n->lab, p->at, e, p->name, "there is no such sysctl here");
		if (err) {
			char why[100];

			snprintf(why, sizeof(why), "it does not take '%.60s'", p->value);
			return fail_at(n->lab, p->at, e, p->name, why);
		}
	}
	return LAB_OK;
}

/* Output of an exec line: its first line is the reason when it fails. */
struct exec_out {
	struct strbuf text;
};

static void exec_output(void *arg, int fd, const char *s, size_t len)
{
	struct exec_out *o = arg;

	if (o->text.len < 4096)
		sb_add(&o->text, s, len);
}

static enum lab_err exec_line(struct lab_node *n, const char *line, struct topo_at at, struct yerr *e)
{
	struct exec_out o;
	enum lab_err r = LAB_OK;
	int code;

	sb_init(&o.text);
	code = lab_command(n, line, exec_output, &o);
	if (code) {
		char what[200], why[200];

		snprintf(what, sizeof(what), "exec '%.100s' on %s", line, n->name);
		snprintf(why, sizeof(why), "%.*s", (int)strcspn(sb_str(&o.text), "\n"), sb_str(&o.text));
		r = fail_at(n->lab, at, e, what, why[0] ? why : "failed");
	} else if (o.text.len) {
		lab_log(n, sb_str(&o.text), o.text.len);
	}
	sb_free(&o.text);
	return r;
}

/* A translator forwards, unless its own sysctls say something about that. */
static void nat_forwarding(struct lab_node *n)
{
	for (uint32_t i = 0; i < n->topo->sysctls.n; i++)
		if (!strcmp(n->topo->sysctls.v[i].name, "net.ipv4.ip_forward"))
			return;
	sysctl_set(n->net, "net.ipv4.ip_forward", "1");
}

/* nat.out and nat.forward are rules that the node's own iptables could make. What is forwarded is what comes to an address
 * of the node, from whichever side: not what only passes on its way to the same port elsewhere. */
static enum lab_err node_nat(struct lab_node *n, struct yerr *e)
{
	const struct topo_nat *nat = &n->topo->nat;
	enum lab_err r = LAB_OK;
	char line[200];

	if (nat->out.n || nat->forward.n)
		nat_forwarding(n);
	for (uint32_t i = 0; r == LAB_OK && i < nat->out.n; i++) {
		if (!dev_get_by_name(n->net, nat->out.v[i]))
			return fail_at(n->lab, nat->out.at[i], e, "nat.out", "the node has no such interface");
		snprintf(line, sizeof(line), "iptables -t nat -A POSTROUTING -o %.15s -j MASQUERADE", nat->out.v[i]);
		r = exec_line(n, line, nat->out.at[i], e);
	}
	for (uint32_t i = 0; r == LAB_OK && i < nat->forward.n; i++) {
		char proto[8], to[32];
		unsigned port;
		int end = -1;

		if (sscanf(nat->forward.v[i], "%7s %5u %31s%n", proto, &port, to, &end) != 3 ||
		    nat->forward.v[i][end] || !port || port > 65535)
			return fail_at(n->lab, nat->forward.at[i], e, "nat.forward",
				       "write PROTOCOL PORT ADDRESS:PORT, as in tcp 80 10.0.0.2:80");
		snprintf(line, sizeof(line),
			 "iptables -t nat -A PREROUTING -p %s --dport %u -m addrtype --dst-type LOCAL -j DNAT --to-destination %s",
			 proto, port, to);
		r = exec_line(n, line, nat->forward.at[i], e);
	}
	return r;
}

static enum lab_err node_exec(struct lab_node *n, struct yerr *e)
{
	enum lab_err r = node_nat(n, e);

	for (uint32_t i = 0; r == LAB_OK && i < n->topo->exec.n; i++)
		r = exec_line(n, n->topo->exec.v[i], n->topo->exec.at[i], e);
	return r;
}

static enum lab_err configure(struct lab *lab, struct yerr *e)
{
	enum lab_err r = LAB_OK;

	for (uint32_t i = 0; r == LAB_OK && i < lab->n_nodes; i++) {
		struct lab_node *n = &lab->node[i];

		if (!n->net)
			continue;
		r = node_files(n, e);
		if (r == LAB_OK)
			r = node_sysctls(n, e);
		if (r == LAB_OK)
			r = node_ifaces(n, e);
	}
	for (uint32_t i = 0; r == LAB_OK && i < lab->n_nodes; i++)
		if (lab->node[i].net)
			r = node_exec(&lab->node[i], e);
	for (uint32_t i = 0; r == LAB_OK && i < lab->n_nodes; i++)
		r = lab_start_processes(&lab->node[i], e);
	return r;
}

/* ---- the world ---- */

struct lab *lab_new(const struct lab_source *src, const struct lab_opts *opts, enum lab_err *err, struct yerr *e)
{
	struct lab *lab = xcalloc(1, sizeof(*lab));
	int build;

	e->text[0] = '\0';
	lab->src = src;
	lab->opts = *opts;
	lab->seed = opts->has_seed ? opts->seed : src->topo.has_seed ? src->topo.seed : 1;
	evq_init(&lab->q);
	hw_world_init(&lab->hw, &lab->q);
	lab->hw.wire_tap = opts->wire;
	lab->hw.wire_tap_arg = opts->wire_arg;
	lab->skbs = skb_pool_new(0);
	lab->coros = coro_pool_new(CORO_STACK_DEFAULT);
	lab->n_nodes = src->topo.n_nodes;
	lab->n_links = src->topo.n_links;
	lab->node = xcalloc(lab->n_nodes + 1u, sizeof(*lab->node));
	lab->link = xcalloc(lab->n_links + 1u, sizeof(*lab->link));

	build = nodes_new(lab) ? links_new(lab) : -ENOMEM;
	if (build) {
		snprintf(e->text, sizeof(e->text), "%s: the lab could not be built: %s", src->topo.file,
			 os_strerror(build));
		*err = LAB_LOCAL;
	} else {
		if (opts->built)
			opts->built(opts->built_arg, lab);
		*err = configure(lab, e);
		if (*err == LAB_OK)
			lab_run(lab, NULL, NULL, lab->q.now_ns); /* the processes' first turn */
		for (uint32_t i = 0; *err == LAB_OK && i < lab->n_nodes; i++)
			*err = lab_check_processes(&lab->node[i], e);
	}
	if (*err == LAB_OK)
		return lab;
	lab_free(lab);
	return NULL;
}

static void node_free(struct lab_node *n)
{
	if (n->lab)
		evq_cancel(&n->lab->q, &n->run);
	lab_stop_processes(n);
	/* The host lets go of its NICs while they still are there. */
	if (n->net)
		host_free(n->net);
	n->net = NULL;
	free(n->start); /* a process notes its end there */
	n->start = NULL;
}

void lab_free(struct lab *lab)
{
	/* Whoever looked on may be gone already. */
	lab->opts.n_sinks = 0;
	lab->hw.wire_tap = NULL;
	for (uint32_t i = 0; i < lab->n_nodes; i++)
		if (lab->node[i].lab)
			node_free(&lab->node[i]);
	for (uint32_t i = 0; i < lab->n_links; i++)
		if (lab->link[i].cable)
			hw_cable_free(lab->link[i].cable);
	for (uint32_t i = 0; i < lab->n_nodes; i++) {
		struct lab_node *n = &lab->node[i];

		for (uint32_t k = 0; k < n->n_iface; k++)
			if (n->iface && n->iface[k].nic)
				nic_free(n->iface[k].nic);
		if (n->sw)
			hw_switch_free(n->sw);
		free(n->iface);
		sb_free(&n->log);
	}
	lab_free_jobs(lab);
	free(lab->node);
	free(lab->link);
	coro_pool_free(lab->coros);
	skb_pool_free(lab->skbs);
	hw_world_free(&lab->hw);
	evq_free(&lab->q);
	free(lab);
}

struct lab_node *lab_find(struct lab *lab, const char *name)
{
	uint32_t i = topo_find(&lab->src->topo, name);

	return i == UINT32_MAX ? NULL : &lab->node[i];
}

struct lab_iface *lab_find_iface(struct lab_node *n, const char *name)
{
	for (uint32_t i = 0; i < n->n_iface; i++)
		if (!strcmp(n->iface[i].name, name))
			return &n->iface[i];
	return NULL;
}

struct lab_iface *lab_iface_of(struct lab *lab, const struct hw_port *port)
{
	struct lab_node *n = port->node_id && port->node_id <= lab->n_nodes ? &lab->node[port->node_id - 1] : NULL;

	for (uint32_t i = 0; n && i < n->n_iface; i++)
		if (n->iface[i].port == port)
			return &n->iface[i];
	return NULL;
}

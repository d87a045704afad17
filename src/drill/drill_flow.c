/* Whom a packet is about: the script's packets mostly say nothing but a direction.
 *
 * Decides: a packet without ports belongs to the conversation that the script works on: the last one that connected,
 * was accepted, or whose SYN came in for the last listener. With ports, to the one that has them. Sequence numbers of the stack
 * are the script's plus a constant that its first SYN tells; timestamps are looked up by the number that the script
 * gave them. Called by drill_run.c, drill_check.c and the calls. Tests: tests/packet/flow. */
#include <arpa/inet.h>
#include <stdlib.h>
#include "drill/drill_addr.h"
#include "socket/syscall.h"

#define FIRST_REMOTE_PORT 53055

struct drill_flow *drill_flow_new(struct drill *d, enum dproto proto)
{
	struct drill_flow *f;

	f = xcalloc(1, sizeof(*f));
	f->proto = proto;
	sb_init(&f->tx);
	f->fd = f->script_fd = -1;
	f->laddr = d->sc.conf.local_ip;
	f->raddr = d->sc.conf.remote_ip;
	f->rport = d->sc.conf.connect_port;
	list_add(&f->list, &d->flows); /* newest first */
	return f;
}

void drill_flows_free(struct drill *d)
{
	struct drill_flow *f, *tmp;

	if (!d->flows.next)
		return;
	list_for_each_entry_safe(f, tmp, &d->flows, list) {
		list_del_init(&f->list);
		sb_free(&f->tx);
		free(f);
	}
}

struct drill_flow *drill_flow_of_fd(struct drill *d, int script_fd)
{
	struct drill_flow *f;

	list_for_each_entry(f, &d->flows, list)
		if (f->script_fd == script_fd && !f->closed)
			return f;
	return NULL;
}

void drill_flow_learn_port(struct drill *d, struct drill_flow *f)
{
	struct drill_name n = { .len = sizeof(n.ss) };
	struct task *was = d->net->current;

	if (f->fd < 0)
		return;
	d->net->current = d->proc;
	if (sys_getsockname(d->proc, f->fd, &n.sa, &n.len) == 0) {
		drill_name_v4(&n);
		if (n.v4.sin_port)
			f->lport = ntohs(n.v4.sin_port);
		if (n.v4.sin_port && n.v4.sin_addr.s_addr)
			f->laddr = ntohl(n.v4.sin_addr.s_addr);
	}
	d->net->current = was;
}

/* ---- packets of the script ---- */

static uint16_t next_remote_port(struct drill *d)
{
	d->next_port = d->next_port ? (uint16_t)(d->next_port + 1) : FIRST_REMOTE_PORT;
	return d->next_port;
}

/* Somebody out there begins to talk to the listener, or to a port that nobody listens on. */
static struct drill_flow *flow_passive(struct drill *d, enum dproto proto, const struct drill_flow *listener)
{
	struct drill_flow *f = drill_flow_new(d, proto);

	f->state = DFLOW_PASSIVE;
	f->lport = listener && listener->lport ? listener->lport : d->sc.conf.bind_port;
	f->rport = next_remote_port(d);
	return f;
}

static struct drill_flow *flow_by_script_ports(struct drill *d, const struct dpkt *k)
{
	uint16_t lport = k->inbound ? k->dport : k->sport, rport = k->inbound ? k->sport : k->dport;
	struct drill_flow *f, *half = NULL;

	list_for_each_entry(f, &d->flows, list) {
		if (f->proto != k->proto || f->state == DFLOW_LISTEN)
			continue;
		if (f->script_lport == lport && f->script_rport == rport)
			return f;
		/* Where its own port is the stack's choice, the script may call it what it likes, the first time. */
		if (!half && !f->script_lport && f->rport == rport && !f->closed && (!f->port_given || f->lport == lport))
			half = f;
	}
	if (!half) {
		if (!k->inbound)
			return NULL;
		half = drill_flow_new(d, k->proto);
		half->state = DFLOW_PASSIVE;
		half->lport = lport;
		half->rport = rport;
	}
	half->script_lport = lport;
	half->script_rport = rport;
	return half;
}

static struct drill_flow *newest(struct drill *d, enum dproto proto)
{
	struct drill_flow *f;

	list_for_each_entry(f, &d->flows, list)
		if (f->proto == proto)
			return f;
	return NULL;
}

struct drill_flow *drill_flow_of_script(struct drill *d, const struct devent *ev)
{
	const struct dpkt *k = ev->pkt;
	enum dproto proto = k->proto != DPROTO_ICMP ? k->proto : k->quoted ? k->quoted_proto : DPROTO_ICMP;
	struct drill_flow *f = d->cur;

	if (k->has_ports && k->proto != DPROTO_ICMP) {
		f = flow_by_script_ports(d, k);
		if (!f) {
			drill_error(d, ev->line, "error handling packet: no connection has the ports %u > %u", k->sport, k->dport);
			return NULL;
		}
		d->cur = f;
		return f;
	}
	if (proto == DPROTO_ICMP && !f)
		return drill_flow_new(d, DPROTO_ICMP);
	if (proto != DPROTO_ICMP && (!f || f->proto != proto))
		f = newest(d, proto);
	if (proto == DPROTO_TCP && k->inbound && (!f || f->state == DFLOW_LISTEN || f->state == DFLOW_NEW))
		f = flow_passive(d, proto, f);
	if (!f && proto == DPROTO_UDP)
		f = flow_passive(d, proto, NULL);
	if (!f) {
		drill_error(d, ev->line, "error handling packet: there is no connection that it could belong to");
		return NULL;
	}
	if (!f->lport)
		drill_flow_learn_port(d, f);
	if (proto != DPROTO_ICMP)
		d->cur = f;
	return f;
}

/* ---- packets of the stack ---- */

static enum dproto live_proto(const struct ip4_hdr *h)
{
	return h->protocol == 6 ? DPROTO_TCP : h->protocol == 17 ? DPROTO_UDP : DPROTO_ICMP;
}

struct drill_flow *drill_flow_of_live(struct drill *d, const struct drill_live *l, struct drill_flow *want)
{
	const struct ip4_hdr *h = (const struct ip4_hdr *)(const void *)l->data;
	enum dproto proto = live_proto(h);
	uint32_t hl = ip4_hlen(h);
	uint16_t sport, dport;
	struct drill_flow *f;

	if (proto == DPROTO_ICMP || l->len < hl + 4)
		return want;
	sport = get_be16(l->data + hl);
	dport = get_be16(l->data + hl + 2);
	list_for_each_entry(f, &d->flows, list)
		if (f->proto == proto && f->state != DFLOW_LISTEN && f->lport == sport && f->rport == dport &&
		    f->raddr == ip4_daddr(h))
			return f;
	if (want && want->proto == proto && !want->lport && want->rport == dport) {
		want->lport = sport;
		want->laddr = ip4_saddr(h);
		want->raddr = ip4_daddr(h);
		return want;
	}
	return NULL;
}

/* ---- timestamps ---- */

void drill_ts_note(struct drill_flow *f, uint32_t script, uint32_t live)
{
	if (!f->ts_first) {
		f->ts_first = true;
		f->ts_first_script = script;
		f->ts_first_live = live;
	}
	f->ts[f->n_ts % DFLOW_TS_RING].script = script;
	f->ts[f->n_ts % DFLOW_TS_RING].live = live;
	f->n_ts++;
}

uint32_t drill_ts_live(const struct drill_flow *f, uint32_t script)
{
	uint32_t n = f->n_ts < DFLOW_TS_RING ? f->n_ts : DFLOW_TS_RING;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = (f->n_ts - 1 - i) % DFLOW_TS_RING;

		if (f->ts[at].script == script)
			return f->ts[at].live;
	}
	return f->ts_first && script ? f->ts_first_live + (script - f->ts_first_script) : script;
}

/* The table of connections: which one a packet belongs to, when one comes to be, and when it goes.
 *
 * Decides: NEW, ESTABLISHED, RELATED or INVALID for each packet; who must go when the table is full; that a connection is
 * in the table only once its first packet has left the host or reached its program.
 * Called by nf_hook (through the ops below), nf_nat_*.c, ip_tables.c. Hands on to the protocols (nf_conntrack_proto.c).
 * See nf_conntrack.h. RFC 4787, 5382, 5508, 6888. Tests: tests/unit/netfilter/test_conntrack.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "netfilter/nf_conntrack.h"
#include "netfilter/nf_nat.h"
#include "netfilter/nf_tables_text.h"

/* Connections that one address began. */
struct nf_ct_host {
	struct hlist_node node;
	uint32_t addr, n;
};

/* ---- hash tables: they grow with what is in them ---- */

static struct hlist_head *ct_bucket(struct nf_ct_net *cn, const struct nf_conntrack_tuple *t)
{
	uint64_t h = hash_words(cn->net->hash_key, (uint64_t)t->src << 32 | t->dst,
				(uint64_t)t->sport << 32 | (uint64_t)t->dport << 16 | t->proto);

	return &cn->buckets[h & (cn->nr_buckets - 1)];
}

static void ct_grow(struct nf_ct_net *cn)
{
	uint32_t old_n = cn->nr_buckets;
	struct hlist_head *old = cn->buckets;
	struct nf_conntrack_hash *h;
	struct hlist_node *tmp;

	cn->nr_buckets = old_n ? old_n * 4 : NF_CT_BUCKETS_MIN;
	cn->buckets = xcalloc(cn->nr_buckets, sizeof(*cn->buckets));
	for (uint32_t i = 0; i < old_n; i++) {
		hlist_for_each_entry_safe(h, tmp, &old[i], node) {
			hlist_del_init(&h->node);
			hlist_add_head(&h->node, ct_bucket(cn, &h->tuple));
		}
	}
	free(old);
}

struct nf_conntrack_hash *nf_conntrack_find(struct nf_ct_net *cn, const struct nf_conntrack_tuple *t)
{
	struct nf_conntrack_hash *h;

	if (!cn->buckets)
		return NULL;
	hlist_for_each_entry(h, ct_bucket(cn, t), node) {
		if (nf_ct_tuple_equal(&h->tuple, t))
			return h;
	}
	return NULL;
}

bool nf_conntrack_tuple_taken(const struct nf_conntrack_tuple *t, const struct nf_conn *ct)
{
	struct nf_conntrack_hash *h = nf_conntrack_find(ct->cn, t);

	return h && nf_ct_of(h) != ct;
}

/* ---- quota per host ---- */

static struct hlist_head *host_bucket(struct nf_ct_net *cn, uint32_t addr)
{
	return &cn->hosts[hash_words(cn->net->hash_key, addr, 0) & (cn->nr_host_buckets - 1)];
}

static void host_grow(struct nf_ct_net *cn)
{
	uint32_t old_n = cn->nr_host_buckets;
	struct hlist_head *old = cn->hosts;
	struct nf_ct_host *h;
	struct hlist_node *tmp;

	cn->nr_host_buckets = old_n ? old_n * 4 : NF_CT_HOSTS_MIN;
	cn->hosts = xcalloc(cn->nr_host_buckets, sizeof(*cn->hosts));
	for (uint32_t i = 0; i < old_n; i++) {
		hlist_for_each_entry_safe(h, tmp, &old[i], node) {
			hlist_del_init(&h->node);
			hlist_add_head(&h->node, host_bucket(cn, h->addr));
		}
	}
	free(old);
}

static struct nf_ct_host *host_get(struct nf_ct_net *cn, uint32_t addr)
{
	struct nf_ct_host *h;

	if (cn->nr_hosts >= cn->nr_host_buckets)
		host_grow(cn);
	hlist_for_each_entry(h, host_bucket(cn, addr), node) {
		if (h->addr == addr)
			return h;
	}
	h = pool_zget(&cn->host_pool);
	h->addr = addr;
	hlist_add_head(&h->node, host_bucket(cn, addr));
	cn->nr_hosts++;
	return h;
}

static void host_put(struct nf_ct_net *cn, struct nf_ct_host *h)
{
	if (h->n)
		return;
	hlist_del_init(&h->node);
	cn->nr_hosts--;
	pool_put(&cn->host_pool, h);
}

/* ---- life of a connection ---- */

/* It holds nothing of others from now on. */
static void ct_release(struct nf_conn *ct)
{
	struct nf_ct_net *cn = ct->cn;

	if (!ct->host)
		return;
	nf_nat_cleanup_conntrack(ct);
	ct->host->n--;
	host_put(cn, ct->host);
	ct->host = NULL;
	cn->count--;
}

void nf_ct_put(void *p)
{
	struct nf_conn *ct = p;

	if (--ct->refs)
		return;
	ct_release(ct);
	pool_put(&ct->cn->pool, ct);
}

static void nf_ct_hold(void *p)
{
	((struct nf_conn *)p)->refs++;
}

static const struct nfct_ops nf_ct_ref_ops = { nf_ct_hold, nf_ct_put };

void nf_ct_kill(struct nf_conn *ct)
{
	if (!(ct->status & IPS_CONFIRMED) || (ct->status & IPS_DYING))
		return;
	ct->status |= IPS_DYING;
	hlist_del_init(&ct->hash[0].node);
	hlist_del_init(&ct->hash[1].node);
	list_del_init(&ct->all);
	list_del_init(&ct->early);
	del_timer(&ct->cn->net->wheel, &ct->timer);
	ct->cn->stat.removed++;
	ct_release(ct);
	nf_ct_put(ct);
}

static void nf_ct_expired(struct timer_list *t)
{
	struct nf_conn *ct = container_of(t, struct nf_conn, timer);
	struct net *net = ct->cn->net;

	if (ct->expires_ns > net->now_ns)
		mod_timer(&net->wheel, t, ct->expires_ns);
	else
		nf_ct_kill(ct);
}

/* The timer runs late on purpose: later packets only move expires_ns, and pay one store. */
void nf_ct_refresh(struct nf_conn *ct, int32_t seconds)
{
	struct net *net = ct->cn->net;

	ct->expires_ns = net->now_ns + (uint64_t)(uint32_t)seconds * NSEC_PER_SEC;
	if (timer_pending(&ct->timer) && ct->timer.expires_ns > ct->expires_ns)
		mod_timer(&net->wheel, &ct->timer, ct->expires_ns);
}

void nf_ct_assure(struct nf_conn *ct)
{
	if (ct->status & IPS_ASSURED)
		return;
	ct->status |= IPS_ASSURED;
	list_del_init(&ct->early);
}

uint32_t nf_ct_iterate_cleanup(struct nf_ct_net *cn, bool (*fn)(struct nf_conn *ct, const void *arg), const void *arg)
{
	struct nf_conn *ct, *tmp;
	uint32_t n = 0;

	list_for_each_entry_safe(ct, tmp, &cn->all, all) {
		if (fn && !fn(ct, arg))
			continue;
		nf_ct_kill(ct);
		n++;
	}
	return n;
}

void nf_ct_set(struct sk_buff *skb, struct nf_conn *ct, enum ip_conntrack_info info)
{
	ct->refs++;
	skb->nfct = ct;
	skb->nfct_status = (uint8_t)info;
}

/* Room for one more? The oldest one that never was answered to the end makes it. */
static bool early_drop(struct nf_ct_net *cn)
{
	TRACE_FN(&cn->net->probe, 0);

	if (list_empty(&cn->early))
		return false;
	nf_ct_kill(list_first_entry(&cn->early, struct nf_conn, early));
	cn->stat.early_drop++;
	return true;
}

/* 0, or of what the packet dies. */
static enum drop_reason ct_admit(struct nf_ct_net *cn, uint32_t src, struct nf_ct_host **host)
{
	*host = host_get(cn, src);
	if (cn->sysctl.host_max && (*host)->n >= (uint32_t)cn->sysctl.host_max) {
		cn->stat.host_refused++;
		return DROP_CT_HOST_FULL;
	}
	if (cn->count < (uint32_t)cn->sysctl.max)
		return DROP_NOT_SPECIFIED;
	(*host)->n++; /* kept while another goes */
	if (early_drop(cn)) {
		(*host)->n--;
		return DROP_NOT_SPECIFIED;
	}
	(*host)->n--;
	cn->stat.drop++;
	return DROP_CT_TABLE_FULL;
}

/* The packet's own for now. NULL: *why, or 0 for a packet that begins nothing. */
static struct nf_conn *init_conntrack(struct nf_ct_net *cn, const struct nf_conntrack_tuple *t, enum drop_reason *why)
{
	struct nf_conntrack_tuple reply;
	struct nf_ct_host *host;
	struct nf_conn *ct;

	*why = DROP_NOT_SPECIFIED;
	if (!nf_ct_invert_tuple(&reply, t))
		return NULL;
	*why = ct_admit(cn, t->src, &host);
	if (*why) {
		host_put(cn, host);
		return NULL;
	}
	ct = pool_zget(&cn->pool);
	ct->cn = cn;
	ct->refs = 1;
	ct->id = ++cn->next_id;
	ct->hash[0].tuple = *t;
	ct->hash[1].tuple = reply;
	ct->hash[1].dir = IP_CT_DIR_REPLY;
	ct->host = host;
	host->n++;
	cn->count++;
	timer_setup(&ct->timer, nf_ct_expired);
	list_init(&ct->all);
	list_init(&ct->early);
	return ct;
}

/* ---- nf_conntrack_in ---- */

/* RFC 5508 REQ-8: who is refused for want of room is told so, if he is behind a translator. */
static unsigned ct_refuse(struct nf_ct_net *cn, struct sk_buff *skb, const struct nf_hook_state *st, enum drop_reason why)
{
	if (cn->nat && st->hook == NF_INET_PRE_ROUTING)
		st->net->nf->ip->send_unreach(skb, ICMP_PKT_FILTERED, true);
	return NF_DROP_REASON(why);
}

/* The packet's connection, found or new. 0 or the reason of its death; no connection and 0: INVALID. */
static enum drop_reason resolve_normal_ct(struct nf_ct_net *cn, struct sk_buff *skb)
{
	struct nf_conntrack_tuple t;
	struct nf_conntrack_hash *h;
	struct nf_conn *ct;
	enum drop_reason why;

	if (!nf_ct_get_tuple(skb, 0, &t))
		return DROP_NOT_SPECIFIED;
	h = nf_conntrack_find(cn, &t);
	if (!h) {
		ct = init_conntrack(cn, &t, &why);
		if (!ct)
			return why;
		nf_ct_set(skb, ct, IP_CT_NEW);
		ct->refs--; /* the packet's is the only one */
		return DROP_NOT_SPECIFIED;
	}
	cn->stat.found++;
	ct = nf_ct_of(h);
	if (h->dir == IP_CT_DIR_REPLY)
		nf_ct_set(skb, ct, IP_CT_ESTABLISHED_REPLY);
	else
		nf_ct_set(skb, ct, ct->status & IPS_SEEN_REPLY ? IP_CT_ESTABLISHED : IP_CT_NEW);
	return DROP_NOT_SPECIFIED;
}

static void ct_detach(struct sk_buff *skb)
{
	struct nf_conn *ct = nf_ct_get(skb);

	skb->nfct = NULL;
	skb->nfct_status = 0;
	if (ct)
		nf_ct_put(ct);
}

static unsigned ct_invalid(struct nf_ct_net *cn, struct sk_buff *skb)
{
	TRACE(&cn->net->probe, TR_NOTE, skb->serial, "conntrack INVALID");
	ct_detach(skb);
	cn->stat.invalid++;
	return NF_ACCEPT;
}

/* May the protocol's octets be believed? > 0: no more to do. < 0: no. */
static int ct_sound(struct nf_ct_net *cn, struct sk_buff *skb, uint32_t l4, enum nf_inet_hooks hook)
{
	const struct ip4_hdr *h = (const void *)skb->data;

	switch (h->protocol) {
	case NF_PROTO_ICMP:
		return nf_conntrack_icmp_error(cn, skb, l4, hook);
	case NF_PROTO_TCP:
		return nf_conntrack_tcp_sound(cn, skb, l4, hook) ? 0 : -1;
	case NF_PROTO_UDP:
		if (skb->len < l4 + UDP_HLEN)
			return -1;
		return hook != NF_INET_PRE_ROUTING || !cn->sysctl.checksum || nf_ct_checksum_ok(skb, l4, NF_PROTO_UDP) ? 0 : -1;
	default:
		return 0;
	}
}

static void ct_note(const struct nf_conn *ct, const struct sk_buff *skb)
{
	static const char *const names[] = { "ESTABLISHED", "RELATED", "NEW", "ESTABLISHED reply", "RELATED reply" };
	struct probe *p = &ct->cn->net->probe;

	TRACE(p, TR_NOTE, skb->serial, "conntrack %llu %s", (unsigned long long)ct->id,
	      names[skb->nfct_status < ARRAY_SIZE(names) ? skb->nfct_status : 0]);
}

unsigned nf_conntrack_in(void *priv, struct sk_buff *skb, const struct nf_hook_state *st)
{
	TRACE_FN(&st->net->probe, skb->serial);
	struct nf_ct_net *cn = priv;
	uint32_t l4 = ip4_hlen((const struct ip4_hdr *)(const void *)skb->data), dir;
	enum nf_ct_verdict v = NF_CT_OK;
	struct nf_conn *ct;
	int err;

	if (skb->nfct || skb->nfct_status == IP_CT_UNTRACKED)
		return NF_ACCEPT; /* over lo: it has it already */
	if (skb_headlen(skb) < IP4_HLEN || l4 < IP4_HLEN || l4 > skb->len)
		return NF_DROP;
	err = ct_sound(cn, skb, l4, st->hook);
	if (err < 0) {
		cn->stat.error++;
		return ct_invalid(cn, skb);
	}
	for (unsigned again = 0; !err && again < 2; again++) {
		enum drop_reason why = resolve_normal_ct(cn, skb);

		if (why)
			return ct_refuse(cn, skb, st, why);
		ct = nf_ct_get(skb);
		v = ct ? nf_conntrack_handle_packet(ct, skb, l4, skb->nfct_status) : NF_CT_INVALID;
		if (v != NF_CT_REPEAT)
			break;
		ct_detach(skb);
	}
	ct = nf_ct_get(skb);
	if (v != NF_CT_OK || !ct)
		return ct_invalid(cn, skb);
	ct_note(ct, skb);
	if (err) /* an ICMP error: it counts nowhere */
		return NF_ACCEPT;
	dir = CTINFO2DIR(skb->nfct_status);
	ct->packets[dir]++;
	ct->bytes[dir] += skb->len;
	if (dir == IP_CT_DIR_REPLY)
		ct->status |= IPS_SEEN_REPLY;
	return NF_ACCEPT;
}

/* ---- confirmation ---- */

static unsigned nf_confirm(void *priv, struct sk_buff *skb, const struct nf_hook_state *st)
{
	struct nf_ct_net *cn = priv;
	struct nf_conn *ct = nf_ct_get(skb);

	if (!ct || (ct->status & (IPS_CONFIRMED | IPS_DYING)) || skb->nfct_status != IP_CT_NEW)
		return NF_ACCEPT;
	TRACE_FN_AS(&st->net->probe, "__nf_conntrack_confirm", skb->serial);
	if (nf_conntrack_find(cn, &ct->hash[0].tuple) || nf_conntrack_find(cn, &ct->hash[1].tuple)) {
		cn->stat.insert_failed++;
		return NF_DROP_REASON(DROP_CT_CLASH);
	}
	while (2 * cn->count > cn->nr_buckets)
		ct_grow(cn);
	hlist_add_head(&ct->hash[0].node, ct_bucket(cn, &ct->hash[0].tuple));
	hlist_add_head(&ct->hash[1].node, ct_bucket(cn, &ct->hash[1].tuple));
	list_add_tail(&ct->all, &cn->all);
	if (!(ct->status & IPS_ASSURED))
		list_add_tail(&ct->early, &cn->early);
	ct->status |= IPS_CONFIRMED;
	ct->refs++;
	mod_timer(&st->net->wheel, &ct->timer, ct->expires_ns);
	cn->stat.insert++;
	return NF_ACCEPT;
}

/* ---- fragments ---- */

/* Ports are in the first fragment only: nobody looks at a datagram before it is whole (RFC 4787 REQ-14). */
static unsigned ipv4_conntrack_defrag(void *priv, struct sk_buff *skb, const struct nf_hook_state *st)
{
	const struct ip4_hdr *h = (const void *)skb->data;

	if (skb_headlen(skb) < IP4_HLEN || !ip4_is_fragment(h) || skb->nfct || skb->nfct_status == IP_CT_UNTRACKED)
		return NF_ACCEPT;
	TRACE_FN(&st->net->probe, skb->serial);
	if (st->net->nf->ip->defrag(st->net, &skb, st->hook))
		return NF_STOLEN;
	*st->slot = skb;
	return NF_ACCEPT;
}

/* ---- who needs it ---- */

void nf_ct_netns_get(struct net *net)
{
	struct nf_ct_net *cn = nf_ct_net(net);

	if (cn->users++)
		return;
	net->nfct_ops = &nf_ct_ref_ops;
	for (size_t i = 0; i < ARRAY_SIZE(cn->ops); i++)
		nf_register_net_hook(net, &cn->ops[i]);
}

void nf_ct_netns_put(struct net *net)
{
	struct nf_ct_net *cn = nf_ct_net(net);

	if (--cn->users)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(cn->ops); i++)
		nf_unregister_net_hook(net, &cn->ops[i]);
	nf_ct_iterate_cleanup(cn, NULL, NULL);
}

static void ct_op(struct nf_ct_net *cn, size_t i, enum nf_inet_hooks hook, int priority,
		  unsigned (*fn)(void *priv, struct sk_buff *skb, const struct nf_hook_state *st), const char *name)
{
	cn->ops[i] = (struct nf_hook_ops){ .hook = fn, .priv = cn, .hooknum = hook, .priority = priority, .name = name };
	list_init(&cn->ops[i].list);
}

static void ct_sysctl_defaults(struct nf_ct_sysctl *s)
{
	s->max = NF_CT_MAX_DEFAULT;
	s->host_max = NF_CT_HOST_MAX_DEFAULT;
	s->checksum = s->tcp_loose = s->nat_hairpin = 1;
	s->tcp_max_retrans = 3;
	s->tcp_timeout_retrans = s->tcp_timeout_unack = 300;
	memcpy(s->tcp_timeout, nf_ct_tcp_timeouts, sizeof(s->tcp_timeout));
	/* RFC 4787 REQ-5: two minutes at least, five by default where it is a conversation. Linux: 30 and 120. */
	s->udp_timeout[UDP_CT_UNREPLIED] = 120;
	s->udp_timeout[UDP_CT_REPLIED] = 300;
	s->icmp_timeout = 60; /* RFC 5508 REQ-2. Linux: 30 */
	s->generic_timeout = 600;
}

static int nf_conntrack_init(struct net *net)
{
	struct nf_ct_net *cn = xcalloc(1, sizeof(*cn));

	cn->net = net;
	net->nf->ct = cn;
	list_init(&cn->all);
	list_init(&cn->early);
	pool_init(&cn->pool, "nf_conntrack", sizeof(struct nf_conn), 64);
	pool_init(&cn->host_pool, "nf_ct_host", sizeof(struct nf_ct_host), 64);
	ct_sysctl_defaults(&cn->sysctl);
	ct_op(cn, 0, NF_INET_PRE_ROUTING, NF_IP_PRI_CONNTRACK_DEFRAG, ipv4_conntrack_defrag, "ipv4_conntrack_defrag");
	ct_op(cn, 1, NF_INET_LOCAL_OUT, NF_IP_PRI_CONNTRACK_DEFRAG, ipv4_conntrack_defrag, "ipv4_conntrack_defrag");
	ct_op(cn, 2, NF_INET_PRE_ROUTING, NF_IP_PRI_CONNTRACK, nf_conntrack_in, "nf_conntrack_in");
	ct_op(cn, 3, NF_INET_LOCAL_OUT, NF_IP_PRI_CONNTRACK, nf_conntrack_in, "nf_conntrack_in");
	ct_op(cn, 4, NF_INET_POST_ROUTING, NF_IP_PRI_LAST, nf_confirm, "nf_confirm");
	ct_op(cn, 5, NF_INET_LOCAL_IN, NF_IP_PRI_LAST, nf_confirm, "nf_confirm");
	return nf_conntrack_proc_init(net);
}

static void nf_conntrack_exit(struct net *net)
{
	struct nf_ct_net *cn = net->nf ? net->nf->ct : NULL;

	if (!cn)
		return;
	nf_ct_iterate_cleanup(cn, NULL, NULL);
	nf_nat_net_exit(cn);
	net->nfct_ops = NULL; /* whatever packet is still somewhere names a connection that is no more */
	pool_destroy(&cn->pool);
	pool_destroy(&cn->host_pool);
	free(cn->buckets);
	free(cn->hosts);
	free(cn);
	net->nf->ct = NULL;
}

const struct pernet_operations nf_conntrack_net_ops = { "conntrack", nf_conntrack_init, nf_conntrack_exit };

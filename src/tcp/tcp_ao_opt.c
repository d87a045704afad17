/* TCP-AO, what a program may ask and change: TCP_AO_INFO, TCP_AO_GET_KEYS, TCP_AO_REPAIR.
 *
 * Called by tcp_sockopt.c (asking) and tcp_ao.c (setting). Linux's structs and errors. Tests: tests/unit/tcp/test_tcp_auth.c. */
#include "tcp/tcp_auth.h"
#include "tcp/tcp_int.h"

int tcp_ao_take(void *to, size_t size, const void *val, socklen_t len)
{
	const uint8_t *p = val;

	if (len < size)
		return -EINVAL;
	for (size_t i = size; i < len; i++)
		if (p[i])
			return -E2BIG;
	memcpy(to, val, size);
	return 0;
}

int tcp_ao_set_info(struct sock *sk, const void *val, socklen_t len)
{
	struct tcp_auth *a = tcp_auth_of(sk);
	struct tcp_ao_key *cur = NULL, *rnext = NULL;
	struct tcp_ao_info_arg c;
	int err = tcp_ao_take(&c, sizeof(c), val, len);

	if (err)
		return err;
	if (((c.set_current || c.set_rnext) && sk->state == TCP_LISTEN) || c.reserved || c.reserved2)
		return -EINVAL;
	if (c.ao_required && a && !list_empty(&a->md5.all))
		return -EKEYREJECTED;
	if (c.set_current && !(cur = a ? tcp_ao_by_id(a, c.current_key, TCP_AO_ANY) : NULL))
		return -ENOENT;
	if (c.set_rnext && !(rnext = a ? tcp_ao_by_id(a, TCP_AO_ANY, c.rnext) : NULL))
		return -ENOENT;
	a = tcp_auth_get(sk);
	a->ao_on = true;
	if (c.set_counters)
		a->n = (struct tcp_ao_counters){ c.pkt_good, c.pkt_bad, c.pkt_key_not_found, c.pkt_ao_required, c.pkt_dropped_icmp };
	a->ao_required = c.ao_required;
	a->accept_icmps = c.accept_icmps;
	if (cur)
		a->current = cur;
	if (rnext)
		a->rnext = rnext;
	return 0;
}

static int put(void *val, socklen_t *len, const void *from, size_t size)
{
	*len = (socklen_t)min_sz(*len, size);
	memcpy(val, from, *len);
	return 0;
}

static int get_info(const struct tcp_auth *a, void *val, socklen_t *len)
{
	struct tcp_ao_info_arg o = { .ao_required = a->ao_required, .accept_icmps = a->accept_icmps, .pkt_good = a->n.good, .pkt_bad = a->n.bad,
				     .pkt_key_not_found = a->n.not_found, .pkt_ao_required = a->n.required, .pkt_dropped_icmp = a->n.dropped_icmp };

	if (a->current) {
		o.set_current = 1;
		o.current_key = a->current->sndid;
	}
	if (a->rnext) {
		o.set_rnext = 1;
		o.rnext = a->rnext->rcvid;
	}
	return put(val, len, &o, sizeof(o));
}

static bool wanted(const struct tcp_auth *a, const struct tcp_ao_key *key, const struct tcp_ao_get_arg *q, const struct sockaddr_in *sin)
{
	uint32_t addr = ntohl(sin->sin_addr.s_addr);

	if (q->get_all)
		return true;
	if (q->is_current || q->is_rnext)
		return (q->is_current && key == a->current) || (q->is_rnext && key == a->rnext);
	return !((key->k.addr ^ addr) & tcp_prefix_mask(min_u32(q->prefix, key->k.prefix))) && q->sndid == key->sndid && q->rcvid == key->rcvid;
}

static void describe(const struct tcp_auth *a, const struct tcp_ao_key *key, struct tcp_ao_get_arg *o)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(key->k.addr) };

	memset(o, 0, sizeof(*o));
	memcpy(o->addr, &sin, sizeof(sin));
	memcpy(o->alg_name, tcp_ao_alg_name(key->alg), strlen(tcp_ao_alg_name(key->alg)));
	memcpy(o->key, key->key, key->keylen);
	o->is_current = key == a->current;
	o->is_rnext = key == a->rnext;
	o->sndid = key->sndid;
	o->rcvid = key->rcvid;
	o->prefix = key->k.prefix;
	o->maclen = key->maclen;
	o->keyflags = key->keyflags;
	o->keylen = key->keylen;
	o->pkt_good = key->good;
	o->pkt_bad = key->bad;
}

/* An array of *len octets an element; the first one says how many it has, and what is looked for. */
static int get_keys(const struct tcp_auth *a, void *val, socklen_t *len)
{
	struct tcp_ao_get_arg q = { 0 }, o;
	uint32_t n = 0, size = *len;
	struct sockaddr_in sin;
	struct tcp_peer_key *k;

	memcpy(&q, val, min_sz(size, sizeof(q)));
	memcpy(&sin, q.addr, sizeof(sin));
	if (size < offsetof(struct tcp_ao_get_arg, ifindex) || q.pkt_good || q.pkt_bad || q.reserved || q.ifindex ||
	    (q.keyflags & ~(TCP_OPT_AO_KEYF_IFINDEX | TCP_OPT_AO_KEYF_EXCLUDE_OPT)))
		return -EINVAL;
	if (q.get_all && (q.is_current || q.is_rnext))
		return -EINVAL;
	if (!q.get_all && !q.is_current && !q.is_rnext && (sin.sin_family != AF_INET || q.prefix > 32))
		return -EINVAL;
	if (size > sizeof(o))
		size = sizeof(o);
	list_for_each_entry(k, &a->ao.all, list)
	{
		const struct tcp_ao_key *key = container_of(k, struct tcp_ao_key, k);

		if (!wanted(a, key, &q, &sin))
			continue;
		if (n < q.nkeys) {
			describe(a, key, &o);
			memcpy((uint8_t *)val + (size_t)n * *len, &o, size);
		}
		n++;
	}
	memcpy((uint8_t *)val + offsetof(struct tcp_ao_get_arg, nkeys), &n, sizeof(n));
	*len = size;
	return 0;
}

int tcp_ao_set_repair(struct sock *sk, const void *val, socklen_t len)
{
	struct tcp_auth *a = tcp_auth_of(sk);
	struct tcp_ao_repair_arg r;
	struct tcp_peer_key *k;
	int err;

	if (!tcp_sk(sk)->repair)
		return -EPERM;
	err = tcp_ao_take(&r, sizeof(r), val, len);
	if (err)
		return err;
	if (!a || !a->ao_on)
		return -ENOENT;
	a->lisn = ntohl(r.snt_isn);
	a->risn = ntohl(r.rcv_isn);
	a->snd_sne = r.snd_sne;
	a->rcv_sne = r.rcv_sne;
	a->snd_ref = tcp_sk(sk)->snd_una;
	a->rcv_ref = tcp_sk(sk)->rcv_nxt;
	list_for_each_entry(k, &a->ao.all, list)
		container_of(k, struct tcp_ao_key, k)->cached = false;
	return 0;
}

static int get_repair(struct sock *sk, const struct tcp_auth *a, void *val, socklen_t *len)
{
	struct tcp_ao_repair_arg r;

	r.snt_isn = htonl(a->lisn);
	r.rcv_isn = htonl(a->risn);
	r.snd_sne = a->snd_sne + (tcp_sk(sk)->snd_una < a->snd_ref);
	r.rcv_sne = a->rcv_sne + (tcp_sk(sk)->rcv_nxt < a->rcv_ref);
	return put(val, len, &r, sizeof(r));
}

int tcp_ao_get(struct sock *sk, int name, void *val, socklen_t *len)
{
	const struct tcp_auth *a = tcp_auth_of(sk);

	if (name == TCP_OPT_AO_REPAIR && !tcp_sk(sk)->repair)
		return -EPERM;
	if ((int)*len <= 0)
		return -EINVAL;
	if (!a || !a->ao_on)
		return -ENOENT;
	if (name == TCP_OPT_AO_REPAIR)
		return get_repair(sk, a, val, len);
	return name == TCP_OPT_AO_INFO ? get_info(a, val, len) : get_keys(a, val, len);
}

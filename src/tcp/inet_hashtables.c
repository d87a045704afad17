/* Hash tables of TCP: the established (four-tuple), the listeners (port), the local ports in use.
 *
 * Called by the network layer for every segment (lookup), and by connect, bind, accept and TIME-WAIT.
 * All start at 16 slots and double; the hash is keyed per host, so that nobody outside can build
 * collisions (attack TR-11). Ephemeral ports: RFC 6056 algorithm 4 (double hash), even ports for
 * connect(), odd ones left to bind(), as Linux does.
 * Tests: tests/unit/tcp. */
#include <errno.h>
#include <stdlib.h>
#include "tcp/inet_hashtables.h"
#include "tcp/tcp_int.h"

void tcp_hash_init(struct tcp_hash *h)
{
	h->size = TCP_HASH_MIN;
	h->count = 0;
	h->slots = xcalloc(h->size, sizeof(*h->slots));
}

void tcp_hash_free(struct tcp_hash *h)
{
	free(h->slots);
	h->slots = NULL;
}

uint32_t inet_ehashfn(const struct net *net, uint32_t laddr, uint16_t lport, uint32_t faddr, uint16_t fport)
{
	uint64_t a = ((uint64_t)laddr << 32) | faddr;
	uint64_t b = ((uint64_t)lport << 16) | fport;

	return (uint32_t)hash_words(net->tcp->ehash_key, a, b);
}

static inline bool ehash_match(const struct tcp_ehash_node *n, uint32_t hash, uint32_t saddr, uint16_t sport,
			       uint32_t daddr, uint16_t dport)
{
	return n->hash == hash && n->daddr == saddr && n->saddr == daddr && n->dport == sport && n->num == dport;
}

struct tcp_ehash_node *__inet_lookup_established(struct net *net, uint32_t saddr, uint16_t sport, uint32_t daddr,
						 uint16_t dport)
{
	struct tcp_hash *h = &net->tcp->ehash;
	uint32_t hash = inet_ehashfn(net, daddr, dport, saddr, sport);
	struct tcp_ehash_node *n, *tw = NULL;

	hlist_for_each_entry(n, &h->slots[hash & (h->size - 1)], node)
	{
		if (!ehash_match(n, hash, saddr, sport, daddr, dport))
			continue;
		if (n->kind != TCP_EH_TW)
			return n;
		tw = n;
	}
	return tw;
}

/* Twice the slots when there are more entries than slots: the cost of an insertion stays constant on average. */
static void ehash_grow(struct tcp_hash *h)
{
	uint32_t size = h->size * 2;
	struct hlist_head *slots;

	if (size > TCP_HASH_MAX)
		return;
	slots = xcalloc(size, sizeof(*slots));
	for (uint32_t i = 0; i < h->size; i++) {
		struct tcp_ehash_node *n;
		struct hlist_node *tmp;

		hlist_for_each_entry_safe(n, tmp, &h->slots[i], node)
		{
			hlist_del_init(&n->node);
			hlist_add_head(&n->node, &slots[n->hash & (size - 1)]);
		}
	}
	free(h->slots);
	h->slots = slots;
	h->size = size;
}

void inet_ehash_insert(struct net *net, struct tcp_ehash_node *n)
{
	struct tcp_hash *h = &net->tcp->ehash;

	if (n->hashed)
		return;
	n->hash = inet_ehashfn(net, n->saddr, n->num, n->daddr, n->dport);
	if (h->count >= h->size)
		ehash_grow(h);
	hlist_add_head(&n->node, &h->slots[n->hash & (h->size - 1)]);
	n->hashed = true;
	h->count++;
}

void inet_ehash_remove(struct net *net, struct tcp_ehash_node *n)
{
	if (!n->hashed)
		return;
	hlist_del_init(&n->node);
	n->hashed = false;
	net->tcp->ehash.count--;
}

/* ---- listeners ---- */
static inline struct hlist_head *lhash_slot(const struct net *net, uint16_t port)
{
	const struct tcp_hash *h = &net->tcp->lhash;

	return &h->slots[port & (h->size - 1)];
}

static void lhash_grow(struct tcp_hash *h)
{
	uint32_t size = h->size * 2;
	struct hlist_head *slots;

	if (size > 65536)
		return;
	slots = xcalloc(size, sizeof(*slots));
	for (uint32_t i = 0; i < h->size; i++) {
		struct sock *sk;
		struct hlist_node *tmp;

		hlist_for_each_entry_safe(sk, tmp, &h->slots[i], node)
		{
			hlist_del_init(&sk->node);
			hlist_add_head(&sk->node, &slots[inet_sk(sk)->num & (size - 1)]);
		}
	}
	free(h->slots);
	h->slots = slots;
	h->size = size;
}

/* -1: no match; otherwise the more specific the higher. */
static int listener_score(const struct sock *sk, uint32_t daddr, uint16_t dport, int iif)
{
	const struct inet_sock *inet = inet_sk(sk);
	int score = 1;

	if (inet->num != dport || (inet->rcv_saddr && inet->rcv_saddr != daddr))
		return -1;
	if (sk->bound_dev_if && sk->bound_dev_if != iif)
		return -1;
	if (inet->rcv_saddr)
		score += 2;
	if (sk->bound_dev_if)
		score += 4;
	return score;
}

struct sock *inet_lookup_listener(struct net *net, uint32_t daddr, uint16_t dport, uint32_t saddr, uint16_t sport, int iif)
{
	struct sock *sk, *best = NULL;
	int best_score = 0;
	uint32_t same = 0, hash = 0;

	hlist_for_each_entry(sk, lhash_slot(net, dport), node)
	{
		int score = listener_score(sk, daddr, dport, iif);

		if (score > best_score) {
			best = sk;
			best_score = score;
			same = 1;
		} else if (score == best_score && score > 0 && sk->reuseport) {
			/* SO_REUSEPORT: spread by the four-tuple, each of n with probability 1/n */
			if (!hash)
				hash = inet_ehashfn(net, daddr, dport, saddr, sport) | 1;
			same++;
			if (((uint64_t)hash * same) >> 32 == 0)
				best = sk;
			hash = hash * 1664525u + 1013904223u;
		}
	}
	return best;
}

int inet_hash(struct sock *sk)
{
	struct net *net = sk->net;
	struct inet_sock *inet = inet_sk(sk);
	struct tcp_ehash_node *eh = &inet_csk(sk)->eh;

	if (sk->state == TCP_CLOSE)
		return 0;
	if (sk->state == TCP_LISTEN) {
		if (!hlist_unhashed(&sk->node))
			return 0;
		if (net->tcp->lhash.count >= net->tcp->lhash.size)
			lhash_grow(&net->tcp->lhash);
		hlist_add_head(&sk->node, lhash_slot(net, inet->num));
		net->tcp->lhash.count++;
		return 0;
	}
	eh->kind = TCP_EH_SOCK;
	eh->daddr = inet->daddr;
	eh->saddr = inet->rcv_saddr;
	eh->dport = inet->dport;
	eh->num = inet->num;
	inet_ehash_insert(net, eh);
	return 0;
}

void inet_unhash(struct sock *sk)
{
	if (!hlist_unhashed(&sk->node)) {
		hlist_del_init(&sk->node);
		sk->net->tcp->lhash.count--;
	}
	inet_ehash_remove(sk->net, &inet_csk(sk)->eh);
}

/* ---- local ports ---- */
static inline struct hlist_head *bhash_slot(const struct net *net, uint16_t port)
{
	const struct tcp_hash *h = &net->tcp->bhash;

	return &h->slots[port & (h->size - 1)];
}

static void bhash_grow(struct tcp_hash *h)
{
	uint32_t size = h->size * 2;
	struct hlist_head *slots;

	if (size > 65536)
		return;
	slots = xcalloc(size, sizeof(*slots));
	for (uint32_t i = 0; i < h->size; i++) {
		struct inet_bind_bucket *tb;
		struct hlist_node *tmp;

		hlist_for_each_entry_safe(tb, tmp, &h->slots[i], node)
		{
			hlist_del_init(&tb->node);
			hlist_add_head(&tb->node, &slots[tb->port & (size - 1)]);
		}
	}
	free(h->slots);
	h->slots = slots;
	h->size = size;
}

struct inet_bind_bucket *inet_bind_bucket_find(struct net *net, uint16_t port)
{
	struct inet_bind_bucket *tb;

	hlist_for_each_entry(tb, bhash_slot(net, port), node) if (tb->port == port) return tb;
	return NULL;
}

struct inet_bind_bucket *inet_bind_bucket_get(struct net *net, uint16_t port)
{
	struct inet_bind_bucket *tb = inet_bind_bucket_find(net, port);

	if (tb)
		return tb;
	if (net->tcp->bhash.count >= net->tcp->bhash.size)
		bhash_grow(&net->tcp->bhash);
	tb = pool_zget(&net->tcp->bind_pool);
	tb->port = port;
	hlist_add_head(&tb->node, bhash_slot(net, port));
	net->tcp->bhash.count++;
	return tb;
}

void inet_bind_bucket_maybe_free(struct net *net, struct inet_bind_bucket *tb)
{
	if (tb->owners.first || tb->tw)
		return;
	hlist_del_init(&tb->node);
	net->tcp->bhash.count--;
	pool_put(&net->tcp->bind_pool, tb);
}

void inet_bind_hash(struct sock *sk, struct inet_bind_bucket *tb)
{
	hlist_add_head(&sk->bind_node, &tb->owners);
	inet_csk(sk)->bind_bucket = tb;
	if (sk->userlocks & 8)
		tb->explicit_owners++;
	inet_sk(sk)->num = tb->port;
}

void inet_put_port(struct sock *sk)
{
	struct inet_bind_bucket *tb = inet_csk(sk)->bind_bucket;

	if (!tb)
		return;
	if (sk->userlocks & 8)
		tb->explicit_owners--;
	hlist_del_init(&sk->bind_node);
	inet_csk(sk)->bind_bucket = NULL;
	inet_sk(sk)->num = 0;
	inet_bind_bucket_maybe_free(sk->net, tb);
}

void inet_inherit_port(const struct sock *parent, struct sock *child)
{
	struct inet_bind_bucket *tb = inet_csk(parent)->bind_bucket;

	if (!tb)
		tb = inet_bind_bucket_get(parent->net, inet_sk(child)->num);
	inet_bind_hash(child, tb);
}

/* May this four-tuple be used? A TIME-WAIT remnant with timestamps may be taken over (tcp_tw_reuse 1, or 2
 * on loopback) once its last timestamp is at least tw_reuse_delay old: RFC 6191. */
static bool tw_may_reuse(struct sock *sk, struct tcp_timewait_sock *tw)
{
	const struct tcp_sysctl *s = tcp_sysctl(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	if (tw->substate != TCP_TIME_WAIT || !tw->ts_recent_stamp)
		return false;
	if (s->tw_reuse == 0 || (s->tw_reuse == 2 && !ip4_is_loopback(tw->eh.daddr)))
		return false;
	if ((uint64_t)(net_now_s(sk->net) - tw->ts_recent_stamp) * 1000 < (uint64_t)s->tw_reuse_delay)
		return false;
	tp->write_seq = tw->snd_nxt + 65535 + 2;
	if (!tp->write_seq)
		tp->write_seq = 1;
	tp->rx_opt.ts_recent = tw->ts_recent;
	tp->rx_opt.ts_recent_stamp = tw->ts_recent_stamp;
	return true;
}

static int inet_check_established(struct sock *sk, uint16_t lport)
{
	struct inet_sock *inet = inet_sk(sk);
	struct tcp_ehash_node *n;

	n = __inet_lookup_established(sk->net, inet->daddr, inet->dport, inet->rcv_saddr, lport);
	if (!n || n == &inet_csk(sk)->eh)
		return 0;
	if (n->kind == TCP_EH_TW) {
		struct tcp_timewait_sock *tw = container_of(n, struct tcp_timewait_sock, eh);

		if (tw_may_reuse(sk, tw)) {
			TCPEXT_INC(sk->net, TWRecycled);
			tcp_tw_kill(tw);
			return 0;
		}
	}
	return -EADDRNOTAVAIL;
}

/* The perturbation table starts small, so that a host that connects seldom stays small, and doubles with use up
 * to 64 Ki entries (CVE-2022-1012: too few entries let a peer count connections). */
#define PERTURB_MIN 256u
#define PERTURB_MAX 65536u
static uint32_t *perturb_slot(struct tcp_net *tn, uint64_t hash)
{
	if (!tn->perturb || (tn->perturb_used > tn->perturb_size && tn->perturb_size < PERTURB_MAX)) {
		uint32_t old = tn->perturb ? tn->perturb_size : 0, size = old ? old * 2 : PERTURB_MIN;

		tn->perturb = xrealloc(tn->perturb, size * sizeof(*tn->perturb));
		for (uint32_t i = old; i < size; i++)
			tn->perturb[i] = (uint32_t)rng_u64(&tn->rng) & ~1u;
		tn->perturb_size = size;
	}
	tn->perturb_used++;
	return &tn->perturb[(hash >> 32) & (tn->perturb_size - 1)];
}

static int try_port(struct sock *sk, uint16_t port)
{
	struct inet_bind_bucket *tb = inet_bind_bucket_find(sk->net, port);
	int err;

	if (tb && tb->explicit_owners)
		return -EADDRNOTAVAIL; /* bind() owns it: not for sharing with connect() */
	err = tb ? inet_check_established(sk, port) : 0;
	if (err)
		return err;
	inet_bind_hash(sk, inet_bind_bucket_get(sk->net, port));
	inet_sk(sk)->sport = port;
	return inet_hash(sk);
}

/* n ports of one parity from low + off on, going round: bound, and *slot moved on? */
static bool pick_port(struct sock *sk, uint32_t low, uint32_t high, uint32_t off, uint32_t n, uint32_t *slot)
{
	uint32_t range = max_u32((high - low) & ~1u, 2);

	for (uint32_t i = 0; i < 2 * n; i += 2) {
		uint32_t at = (off + i) % range;

		if (low + at >= high || tcp_net(sk)->port_reserved(sk->net, (uint16_t)(low + at)) || try_port(sk, (uint16_t)(low + at)))
			continue;
		*slot += i + 2;
		return true;
	}
	return false;
}

int inet_hash_connect(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);
	struct tcp_net *tn = tcp_net(sk);
	uint32_t low = (uint32_t)tn->sysctl.port_range[0], high = (uint32_t)tn->sysctl.port_range[1] + 1;
	uint32_t range = (high - low) & ~1u, offset, *slot, odd;
	uint64_t hash;

	if (inet->num) {
		int err = inet_check_established(sk, inet->num);

		inet->sport = inet->num;
		return err ? err : inet_hash(sk);
	}
	if (high - low < 2)
		range = 1;
	hash = secure_ipv4_port_ephemeral(sk->net, inet->rcv_saddr, inet->daddr, inet->dport);
	slot = perturb_slot(tn, hash);
	/* The slot's lowest bit: the even ports (of the range's low end's parity) towards this peer had run out, so look among the others
	 * first. Or every connect() would try all 14116 of them, once they are in TIME-WAIT, before it finds the odd ones. */
	odd = *slot & 1;
	offset = (uint32_t)(((uint64_t)(*slot & ~1u) + (uint32_t)hash) % range) & ~1u;
	if (odd && pick_port(sk, low, high, offset, 1, slot)) { /* they are free again */
		*slot &= ~1u;
		return 0;
	}
	/* two passes: the parity of the range's low end first (even by default), then the other */
	for (uint32_t pass = 0; pass < 2; pass++)
		if (pick_port(sk, low, high, offset + (pass ^ odd), (range + 1) / 2, slot)) {
			*slot ^= pass;
			return 0;
		}
	return -EADDRNOTAVAIL;
}

/* ---- walks, for /proc and sock_diag ---- */
static int cmp_listener(const void *a, const void *b)
{
	const struct inet_sock *x = inet_sk(*(struct sock *const *)a), *y = inet_sk(*(struct sock *const *)b);

	if (x->num != y->num)
		return x->num < y->num ? -1 : 1;
	if (x->rcv_saddr != y->rcv_saddr)
		return x->rcv_saddr < y->rcv_saddr ? -1 : 1;
	return x->sk.ino < y->sk.ino ? -1 : x->sk.ino > y->sk.ino;
}

void tcp_for_each_listener(struct net *net, void (*fn)(struct sock *sk, void *arg), void *arg)
{
	struct tcp_hash *h = &net->tcp->lhash;
	struct sock **v, *sk;
	size_t n = 0;

	v = xcalloc(h->count + 1, sizeof(struct sock *));
	for (uint32_t i = 0; i < h->size; i++)
		hlist_for_each_entry(sk, &h->slots[i], node) v[n++] = sk;
	qsort(v, n, sizeof(struct sock *), cmp_listener);
	for (size_t i = 0; i < n; i++)
		fn(v[i], arg);
	free(v);
}

static int cmp_ehash(const void *a, const void *b)
{
	const struct tcp_ehash_node *x = *(struct tcp_ehash_node *const *)a, *y = *(struct tcp_ehash_node *const *)b;

	if (x->saddr != y->saddr)
		return x->saddr < y->saddr ? -1 : 1;
	if (x->num != y->num)
		return x->num < y->num ? -1 : 1;
	if (x->daddr != y->daddr)
		return x->daddr < y->daddr ? -1 : 1;
	if (x->dport != y->dport)
		return x->dport < y->dport ? -1 : 1;
	return (int)x->kind - (int)y->kind;
}

/* Sorted, because output must not depend on the order of a keyed hash. Caller frees *out. */
size_t tcp_ehash_snapshot(struct net *net, struct tcp_ehash_node ***out)
{
	struct tcp_hash *h = &net->tcp->ehash;
	struct tcp_ehash_node **v, *e;
	size_t n = 0;

	v = xcalloc(h->count + 1, sizeof(struct tcp_ehash_node *));
	for (uint32_t i = 0; i < h->size; i++)
		hlist_for_each_entry(e, &h->slots[i], node) v[n++] = e;
	qsort(v, n, sizeof(struct tcp_ehash_node *), cmp_ehash);
	*out = v;
	return n;
}

/* Which UDP socket? Tables, port numbers, and the choice of a receiver.
 *
 * Called by af_inet.c (bind), udp_recv.c (each datagram), udp.c. The tables grow with the sockets; order of
 * insertion decides nothing but which of two equal SO_REUSEADDR sockets came last (it gets the datagrams, as in Linux).
 * RFC 6056 (random ports), RFC 768. Tests: tests/unit/ipv4/test_udp.c (S3-41, S3-61, S3-144). */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include "ipv4/udp.h"

static uint32_t hash_addr(struct net *net, uint32_t addr, uint16_t port)
{
	return (uint32_t)hash_words(net->hash_key, addr, port);
}

static uint32_t hash_conn(struct net *net, uint32_t laddr, uint16_t lport, uint32_t raddr, uint16_t rport)
{
	return (uint32_t)hash_words(net->hash_key, (uint64_t)laddr << 32 | raddr, (uint32_t)lport << 16 | rport);
}

/* Local ports are ours to give: nobody outside can make them collide, so the number itself is the hash. */
struct hlist_head *udp_port_bucket(struct net *net, uint16_t port)
{
	struct udp_table *t = net->ipv4->udp;

	return &t->port[port & (t->size - 1)];
}

static bool is_connected(const struct sock *sk)
{
	return sk->state == TCP_ESTABLISHED && inet_sk(sk)->daddr && inet_sk(sk)->rcv_saddr;
}

static void link_addr(struct net *net, struct udp_sock *up)
{
	struct udp_table *t = net->ipv4->udp;
	const struct inet_sock *in = &up->inet;

	if (is_connected(&in->sk)) {
		hlist_add_head(&up->conn_node,
			       &t->conn[hash_conn(net, in->rcv_saddr, in->num, in->daddr, in->dport) & (t->size - 1)]);
		t->n_conn++;
	} else {
		hlist_add_head(&up->addr_node, &t->addr[hash_addr(net, in->rcv_saddr, in->num) & (t->size - 1)]);
	}
}

static void unlink_addr(struct net *net, struct udp_sock *up)
{
	if (!hlist_unhashed(&up->conn_node))
		net->ipv4->udp->n_conn--;
	hlist_del_init(&up->conn_node);
	hlist_del_init(&up->addr_node);
}

/* Twice the buckets. Chains keep their order: they are refilled from the back. */
static void table_grow(struct net *net)
{
	struct udp_table *t = net->ipv4->udp;
	struct hlist_head *old = t->port;
	uint32_t was = t->size;
	struct udp_sock **all = xcalloc(t->n + 1, sizeof(struct udp_sock *));
	uint32_t n = 0;

	for (uint32_t i = 0; i < was; i++) {
		struct udp_sock *up;

		hlist_for_each_entry(up, &old[i], port_node)
			all[n++] = up;
	}
	free(t->addr);
	free(t->conn);
	t->size = was ? 2 * was : UDP_TABLE_MIN;
	t->port = xcalloc(t->size, sizeof(*t->port));
	t->addr = xcalloc(t->size, sizeof(*t->addr));
	t->conn = xcalloc(t->size, sizeof(*t->conn));
	t->n_conn = 0;
	while (n--) {
		memset(&all[n]->port_node, 0, sizeof(all[n]->port_node));
		memset(&all[n]->addr_node, 0, sizeof(all[n]->addr_node));
		memset(&all[n]->conn_node, 0, sizeof(all[n]->conn_node));
		hlist_add_head(&all[n]->port_node, udp_port_bucket(net, all[n]->inet.num));
		link_addr(net, all[n]);
	}
	free(all);
	free(old);
}

static bool same_device(const struct sock *a, const struct sock *b)
{
	return !a->bound_dev_if || !b->bound_dev_if || a->bound_dev_if == b->bound_dev_if;
}

static bool port_conflict(struct net *net, const struct sock *sk, uint16_t port)
{
	const struct udp_sock *o;
	uint32_t addr = inet_sk(sk)->rcv_saddr;

	hlist_for_each_entry(o, udp_port_bucket(net, port), port_node) {
		const struct sock *osk = &o->inet.sk;

		if (osk == sk || o->inet.num != port || !same_device(sk, osk))
			continue;
		if (addr && o->inet.rcv_saddr && addr != o->inet.rcv_saddr)
			continue;
		if ((sk->reuse && osk->reuse) || (sk->reuseport && osk->reuseport && sk->uid == osk->uid))
			continue;
		return true;
	}
	return false;
}

/* A free port, from a random place on (RFC 6056 algorithm 1). 0: none. */
static uint16_t port_choose(struct net *net, const struct sock *sk)
{
	uint16_t low, high;
	uint32_t n, start;

	inet_sk_get_local_port_range(sk, &low, &high);
	n = (uint32_t)(high - low) + 1;
	start = rng_below(&net->ipv4->rng_port, n);
	for (uint32_t i = 0; i < n; i++) {
		uint16_t port = (uint16_t)(low + (start + i) % n);

		if (!inet_is_local_reserved_port(net, port) && !port_conflict(net, sk, port))
			return port;
	}
	return 0;
}

int udp_get_port(struct sock *sk, uint16_t port)
{
	struct net *net = sk->net;
	struct udp_table *t = net->ipv4->udp;
	struct udp_sock *up = udp_sk(sk);

	if (t->n >= t->size)
		table_grow(net);
	if (port ? port_conflict(net, sk, port) : !(port = port_choose(net, sk)))
		return -EADDRINUSE;
	up->inet.num = port;
	if (hlist_unhashed(&up->port_node)) {
		hlist_add_head(&up->port_node, udp_port_bucket(net, port));
		t->n++;
		link_addr(net, up);
	}
	return 0;
}

void udp_unhash(struct sock *sk)
{
	struct udp_sock *up = udp_sk(sk);

	if (hlist_unhashed(&up->port_node))
		return;
	unlink_addr(sk->net, up);
	hlist_del_init(&up->port_node);
	sk->net->ipv4->udp->n--;
	up->inet.num = 0;
}

/* Address or peer changed (connect, disconnect). */
void udp_rehash(struct sock *sk)
{
	struct udp_sock *up = udp_sk(sk);

	if (hlist_unhashed(&up->port_node))
		return;
	unlink_addr(sk->net, up);
	link_addr(sk->net, up);
}

/* ---- receiving ---- */

static bool takes_device(const struct sock *sk, int dif)
{
	return !sk->bound_dev_if || sk->bound_dev_if == dif;
}

/* A socket bound to the device beats one that is not; among SO_REUSEPORT equals the flow's hash chooses. */
static struct sock *best_of(struct hlist_head *h, uint32_t laddr, uint16_t lport, int dif, struct net *net, uint32_t raddr,
			    uint16_t rport)
{
	struct udp_sock *up;
	struct sock *best = NULL;
	int best_score = -1;
	uint32_t equals = 0, flow = 0;

	hlist_for_each_entry(up, h, addr_node) {
		struct sock *sk = &up->inet.sk;
		int score;

		if (up->inet.num != lport || up->inet.rcv_saddr != laddr || !takes_device(sk, dif))
			continue;
		/* Connected to a peer without an address of its own: only that peer's. */
		if (sk->state == TCP_ESTABLISHED)
			continue;
		score = sk->bound_dev_if ? 1 : 0;
		if (score > best_score) {
			best = sk;
			best_score = score;
			equals = 1;
		} else if (score == best_score && sk->reuseport && best->reuseport) {
			if (equals++ == 1)
				flow = hash_conn(net, laddr, lport, raddr, rport);
			if ((uint32_t)(((uint64_t)flow * equals) >> 32) == 0)
				best = sk;
			flow = flow * 1664525u + 1013904223u;
		}
	}
	return best;
}

#define UDP_SHORT_CHAIN 3 /* as far as it is worth looking at sockets one by one */

/* How well does a socket fit? -1: not at all. 4: connected to this peer; 2: bound to this address; 1: to this device. */
static inline int score_of(const struct sock *sk, uint32_t saddr, uint16_t sport, uint32_t daddr, uint16_t dport, int dif)
{
	const struct inet_sock *in = inet_sk(sk);
	int score = 0;

	if (in->num != dport || (in->rcv_saddr && in->rcv_saddr != daddr) || !takes_device(sk, dif))
		return -1;
	if (sk->state == TCP_ESTABLISHED) {
		if (in->daddr != saddr || in->dport != sport)
			return -1;
		score += 4;
	}
	return score + (in->rcv_saddr ? 2 : 0) + (sk->bound_dev_if ? 1 : 0);
}

/* A chain of few sockets is searched as it is: the usual case costs no hash at all. False: it is longer, or equals
 * share the port (SO_REUSEPORT): the tables must tell. */
static bool lookup_short(struct hlist_head *h, uint32_t saddr, uint16_t sport, uint32_t daddr, uint16_t dport, int dif,
			 struct sock **out)
{
	struct udp_sock *up;
	int best = -1, n = 0;

	*out = NULL;
	hlist_for_each_entry(up, h, port_node) {
		int score;

		if (++n > UDP_SHORT_CHAIN)
			return false;
		score = score_of(&up->inet.sk, saddr, sport, daddr, dport, dif);
		if (score >= 0 && score == best && up->inet.sk.reuseport)
			return false;
		if (score > best) {
			best = score;
			*out = &up->inet.sk;
		}
	}
	return true;
}

struct sock *udp_lookup(struct net *net, uint32_t saddr, uint16_t sport, uint32_t daddr, uint16_t dport, int dif)
{
	struct udp_table *t = net->ipv4->udp;
	uint32_t mask = t->size - 1;
	struct udp_sock *up;
	struct sock *sk;

	if (lookup_short(&t->port[dport & mask], saddr, sport, daddr, dport, dif, &sk))
		return sk;
	if (t->n_conn) {
		hlist_for_each_entry(up, &t->conn[hash_conn(net, daddr, dport, saddr, sport) & mask], conn_node) {
			const struct inet_sock *in = &up->inet;

			if (in->num == dport && in->dport == sport && in->rcv_saddr == daddr && in->daddr == saddr &&
			    takes_device(&in->sk, dif))
				return &up->inet.sk;
		}
	}
	sk = best_of(&t->addr[hash_addr(net, daddr, dport) & mask], daddr, dport, dif, net, saddr, sport);
	return sk ? sk : best_of(&t->addr[hash_addr(net, 0, dport) & mask], 0, dport, dif, net, saddr, sport);
}

bool udp_mcast_match(const struct sock *sk, uint32_t saddr, uint16_t sport, uint32_t daddr, uint16_t dport, int dif)
{
	const struct inet_sock *in = inet_sk(sk);

	return in->num == dport && (!in->daddr || in->daddr == saddr) && (!in->dport || in->dport == sport) &&
	       (!in->rcv_saddr || in->rcv_saddr == daddr) && takes_device(sk, dif) && ip_mc_sf_allow(sk, daddr, saddr, dif);
}

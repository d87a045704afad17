/* Who is in the socket map, and who is whose other end.
 *
 * Off unless asked for. sysctl net.culver.sockmap=1: every connection that is established from then on is a member; a
 * program says the same, or the contrary, for one socket by setsockopt(IPPROTO_TCP, TCP_SOCKMAP). (Linux has eBPF programs
 * for this: one of type sockops puts sockets into a SOCKHASH when they are established, one of type sk_msg redirects what
 * they send.) Two members are joined when each has the other's four-tuple and the numbers of one are the numbers
 * of the other, so that no address that was borrowed (a transparent proxy's) can join strangers; a socket that is
 * connected to itself stays alone. Members leave when their connection ends (prot->unhash), before their descriptor
 * if need be.
 *
 *     sock A --rare--> sk_psock --peer--> sock B --rare--> sk_psock --peer--> sock A
 *
 * /proc/net/sockmap lists them. Called by tcp_init_transfer, setsockopt, inet_unhash's callers. Hands on to tcp_bpf.c.
 * Tests: tests/unit/socket/test_sockmap.c (S2-81). */
#include <stdlib.h>
#include "core/procfs.h"
#include "tcp/sock_map.h"
#include "tcp/tcp_int.h"

static void sock_map_unhash(struct sock *sk)
{
	sock_map_unlink(sk);
	tcp_net(sk)->prot.unhash(sk);
}

static struct sock_map *sock_map_of(struct sock *sk)
{
	struct tcp_net *tn = tcp_net(sk);
	struct sock_map *sm = tn->sockmap;

	if (sm)
		return sm;
	sm = tn->sockmap = xcalloc(1, sizeof(*sm));
	sm->prot = tn->prot;
	sm->prot.sendmsg = tcp_bpf_sendmsg;
	sm->prot.recvmsg = tcp_bpf_recvmsg;
	sm->prot.unhash = sock_map_unhash;
	pool_init(&sm->pool, "sk_psock", sizeof(struct sk_psock), 16);
	list_init(&sm->members);
	return sm;
}

/* Do b's numbers continue where a's are? */
static bool same_stream(const struct tcp_sock *a, const struct tcp_sock *b)
{
	return between(b->rcv_nxt, a->snd_una, a->snd_nxt) && between(a->rcv_nxt, b->snd_una, b->snd_nxt);
}

/* The other end, if it is a socket of this host and a member without a partner; else NULL. */
static struct sock *sock_map_partner(struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);
	/* found as a segment from here would find it */
	struct tcp_ehash_node *n = __inet_lookup_established(sk->net, inet->rcv_saddr, inet->num, inet->daddr, inet->dport);
	struct sock *peer = n && n->kind == TCP_EH_SOCK ? &container_of(n, struct inet_connection_sock, eh)->inet.sk : NULL;

	if (!peer || peer == sk || !tcp_psock(peer) || tcp_psock(peer)->peer)
		return NULL;
	return same_stream(tcp_sk(sk), tcp_sk(peer)) ? peer : NULL;
}

static void sock_map_update_elem(struct sock *sk)
{
	struct sock_map *sm = sock_map_of(sk);
	struct sk_psock *psock;
	struct sock *peer;
	TRACE_FN(&sk->net->probe, 0);

	if (tcp_psock(sk))
		return;
	psock = pool_zget(&sm->pool);
	psock->sk = sk;
	list_add_tail(&psock->node, &sm->members);
	tcp_rare(sk)->psock = psock;
	sk->prot = &sm->prot;
	sm->n_members++;
	peer = sock_map_partner(sk);
	if (!peer)
		return;
	psock->peer = peer;
	tcp_psock(peer)->peer = sk;
	sm->n_pairs++;
	sm->joined++;
	TRACE(&sk->net->probe, TR_NOTE, 0, "sockmap joins tcp=%u:%u and tcp=%u:%u", inet_sk(peer)->num, inet_sk(peer)->dport,
	      inet_sk(sk)->num, inet_sk(sk)->dport);
}

static void look_again(struct sock *sk)
{
	if (!sock_flag(sk, SOCK_F_DEAD))
		wake_up(sk->wq, POLLOUT | POLLWRNORM | POLLWRBAND);
}

void sock_map_unlink(struct sock *sk)
{
	struct sock_map *sm = tcp_net(sk)->sockmap;
	struct sk_psock *psock = tcp_psock(sk);
	struct sock *peer;
	TRACE_FN(&sk->net->probe, 0);

	if (!psock)
		return;
	peer = psock->peer;
	tcp_sk(sk)->rare->psock = NULL;
	sk->prot = &tcp_net(sk)->prot;
	list_del_init(&psock->node);
	sm->n_members--;
	pool_put(&sm->pool, psock);
	if (!peer)
		return;
	tcp_psock(peer)->peer = NULL;
	sm->n_pairs--;
	look_again(sk);
	look_again(peer);
}

void sock_map_established(struct sock *sk)
{
	const struct tcp_rare *rare = tcp_sk(sk)->rare;
	uint8_t said = rare ? rare->sockmap : SOCK_MAP_UNSAID;

	if (said == SOCK_MAP_YES || (said == SOCK_MAP_UNSAID && tcp_sysctl(sk)->sockmap))
		sock_map_update_elem(sk);
}

void sock_map_set(struct sock *sk, bool on)
{
	tcp_rare(sk)->sockmap = on ? SOCK_MAP_YES : SOCK_MAP_NO;
	if (!on)
		sock_map_unlink(sk);
	else if (tcp_state_in(sk, TCPF_(ESTABLISHED) | TCPF_(CLOSE_WAIT) | TCPF_(FIN_WAIT1) | TCPF_(FIN_WAIT2)))
		sock_map_update_elem(sk);
}

enum sock_map_state sock_map_get(const struct sock *sk)
{
	const struct sk_psock *psock = tcp_psock(sk);

	return !psock ? SOCK_MAP_OUT : psock->peer ? SOCK_MAP_JOINED : SOCK_MAP_ALONE;
}

/* ---- /proc/net/sockmap ---- */

static void show_member(struct strbuf *out, const struct sk_psock *p)
{
	const struct inet_sock *inet = inet_sk(p->sk);
	char local[IP4_STRLEN], remote[IP4_STRLEN];

	sb_printf(out, "%s:%u %s:%u %s messages %llu octets %llu by_tcp %llu inode %llu\n", ip4_str(local, inet->rcv_saddr), inet->num,
		  ip4_str(remote, inet->daddr), inet->dport, p->peer ? "joined" : "alone", (unsigned long long)p->msgs,
		  (unsigned long long)p->octets, (unsigned long long)p->by_tcp, (unsigned long long)p->sk->ino);
}

static void sockmap_show(struct net *net, struct strbuf *out)
{
	static const struct sock_map none = { .n_members = 0 };
	const struct sock_map *sm = net->tcp->sockmap ? net->tcp->sockmap : &none;
	const struct sk_psock *p;

	sb_printf(out, "sockets %u pairs %u joined %llu messages %llu octets %llu by_tcp %llu\n", sm->n_members, sm->n_pairs,
		  (unsigned long long)sm->joined, (unsigned long long)sm->msgs, (unsigned long long)sm->octets,
		  (unsigned long long)sm->by_tcp);
	if (net->tcp->sockmap)
		list_for_each_entry(p, &sm->members, node)
			show_member(out, p);
}

int sock_map_net_init(struct net *net)
{
	const struct ctl_table t = { .name = "net.culver.sockmap", .data = &net->tcp->sysctl.sockmap, .min = 0, .max = 1 };
	int err = register_sysctl(net, &t, 1);

	return err ? err : proc_create_single(net, "net/sockmap", sockmap_show);
}

/* All connections are closed by now, and have left. */
void sock_map_net_exit(struct net *net)
{
	struct sock_map *sm = net->tcp->sockmap;

	if (!sm)
		return;
	pool_destroy(&sm->pool);
	free(sm);
	net->tcp->sockmap = NULL;
}

/* struct sock: life, memory accounting and callbacks, common to all protocols.
 *
 * Decides: when a sock may be freed (last reference; packets on their way out hold one), when a sender must
 * wait for buffer room, whom an event wakes. Called by: every protocol, socket/. Hands on: proto->destroy,
 * sk->destruct, wait queues (core/task.c).
 *
 *     skb_set_owner_w: wmem_alloc += truesize, reference   ... sent, freed or orphaned ...   sock_wfree
 *     skb_set_owner_r: rmem_alloc += truesize              ... read by the program ...       sock_rfree
 *
 * Invariants: wmem_alloc and rmem_alloc are the sums over live packets that name the sock as theirs; both are
 * 0 when it is freed. Tests: tests/unit/core/test_sock.c (S1-02, S2-13). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "core/procfs.h"
#include "core/sock.h"

#define POLL_READABLE (POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND)
#define POLL_WRITABLE (POLLOUT | POLLWRNORM | POLLWRBAND)

/* ---- life ---- */

struct sock *sk_alloc(struct net *net, int family, int type, int protocol, const struct proto *prot)
{
	struct pool *pool = prot->pool ? prot->pool(net) : NULL;
	struct sock *sk = pool ? pool_zget(pool) : xcalloc(1, prot->obj_size);

	sk->net = net;
	sk->prot = prot;
	sk->family = (uint16_t)family;
	sk->type = (uint16_t)type;
	sk->protocol = (uint8_t)protocol;
	sk->refcnt = 1;
	net->socks->inuse++;
	return sk;
}

/* The program that made it, for netstat -p. */
static void sock_set_owner(struct sock *sk)
{
	const struct task *t = sk->net->current;

	if (!t)
		return;
	sk->owner_pid = t->pid;
	memcpy(sk->owner_comm, t->comm, sizeof(sk->owner_comm));
}

void sock_init_data(struct socket *sock, struct sock *sk)
{
	const struct sock_net *sn = sk->net->socks;

	skb_queue_head_init(&sk->receive_queue);
	skb_queue_head_init(&sk->write_queue);
	skb_queue_head_init(&sk->error_queue);
	init_waitqueue_head(&sk->wq_own);
	sk->wq = &sk->wq_own;
	sk->rcvbuf = (int32_t)sn->rmem_default;
	sk->sndbuf = (int32_t)sn->wmem_default;
	sk->rcvlowat = 1;
	sk->rcvtimeo_ns = sk->sndtimeo_ns = TIME_NEVER;
	sk->max_pacing_rate = sk->pacing_rate = UINT64_MAX;
	sk->state = SK_STATE_CLOSE;
	sk->zapped = true;
	sk->incoming_cpu = -1;
	sk->state_change = sock_def_wakeup;
	sk->data_ready = sock_def_readable;
	sk->write_space = sock_def_write_space;
	sk->error_report = sock_def_error_report;
	if (sock) {
		sk->type = (uint16_t)sock->type;
		sock_graft(sk, sock);
	}
}

void sk_prot_destroy(struct sock *sk)
{
	if (sock_flag(sk, SOCK_F_DESTROY))
		return;
	sock_set_flag(sk, SOCK_F_DESTROY, true);
	if (sk->prot->destroy)
		sk->prot->destroy(sk);
}

static void sk_free(struct sock *sk)
{
	struct net *net = sk->net;
	struct pool *pool = sk->prot->pool ? sk->prot->pool(net) : NULL;

	/* A protocol may take and give back references while it takes itself apart. */
	sk->refcnt = 1;
	sk_prot_destroy(sk);
	if (sk->destruct)
		sk->destruct(sk);
	skb_queue_purge_reason(&sk->receive_queue, DROP_SOCKET_CLOSE);
	skb_queue_purge_reason(&sk->error_queue, DROP_SOCKET_CLOSE);
	sk_filter_copy(sk, NULL);
	free(sk->rare);
	sk_dst_reset(sk);
	net->socks->inuse--;
	if (pool)
		pool_put(pool, sk);
	else
		free(sk);
}

void sock_put(struct sock *sk)
{
	if (--sk->refcnt == 0)
		sk_free(sk);
}

void sock_orphan(struct sock *sk)
{
	sock_set_flag(sk, SOCK_F_DEAD, true);
	sk->dead = true;
	sk->socket = NULL;
	sk->wq = &sk->wq_own;
}

void sock_graft(struct sock *sk, struct socket *parent)
{
	sock_set_flag(sk, SOCK_F_DEAD, false);
	sk->dead = false;
	sk->socket = parent;
	sk->wq = &parent->wq;
	parent->sk = sk;
	if (!sk->ino)
		sk->ino = ++sk->net->socks->next_ino;
	sock_set_owner(sk);
}

/* ---- the cached route ---- */

struct dst_entry *__sk_dst_check(struct sock *sk, uint32_t cookie)
{
	struct dst_entry *dst = sk->dst_cache;

	if (dst && dst->ops->check && !dst->ops->check(dst, cookie)) {
		sk_dst_reset(sk);
		return NULL;
	}
	return dst;
}

void sk_dst_set(struct sock *sk, struct dst_entry *dst)
{
	struct dst_entry *old = sk->dst_cache;

	sk->dst_cache = dst;
	if (old)
		dst_release(old);
}

void sk_dst_reset(struct sock *sk)
{
	sk_dst_set(sk, NULL);
}

/* How many segments a train may have: as many as a 16-bit IP length allows, if the device takes trains. */
void sk_setup_caps(struct sock *sk, struct dst_entry *dst)
{
	sk_dst_set(sk, dst);
	sk->gso_max_segs = dst && dst->dev && (dst->dev->features & NETIF_F_TSO) && !sock_flag(sk, SOCK_F_NO_GSO) ? UINT16_MAX : 1;
}

/* ---- accounting ---- */

void skb_set_owner_w(struct sk_buff *skb, struct sock *sk)
{
	skb_orphan(skb);
	skb->sk = sock_hold(sk);
	skb->destructor = sock_wfree;
	sk->wmem_alloc += (int32_t)skb->truesize;
}

void sock_wfree(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;

	TRACE_FN(&sk->net->probe, skb->serial);
	sk->wmem_alloc -= (int32_t)skb->truesize;
	if (!sk->dead)
		sk->write_space(sk);
	sock_put(sk);
}

void skb_set_owner_r(struct sk_buff *skb, struct sock *sk)
{
	skb_orphan(skb);
	skb->sk = sk;
	skb->destructor = sock_rfree;
	sk->rmem_alloc += (int32_t)skb->truesize;
}

void sock_rfree(struct sk_buff *skb)
{
	skb->sk->rmem_alloc -= (int32_t)skb->truesize;
}

/* May sk send now? 0: yes; -EAGAIN: must wait; else its error. */
static int sock_may_alloc(struct sock *sk)
{
	int err = sock_error(sk);

	if (err)
		return err;
	if (sk->shutdown & SHUT_MASK_SEND)
		return -EPIPE;
	return sk->wmem_alloc < sk->sndbuf ? 0 : -EAGAIN;
}

struct sk_buff *sock_alloc_send_skb(struct sock *sk, uint32_t size, bool noblock, int *err)
{
	struct net *net = sk->net;
	uint64_t deadline = sock_deadline(net->now_ns, sk->sndtimeo_ns, noblock);
	struct sk_buff *skb;

	while ((*err = sock_may_alloc(sk)) == -EAGAIN && !noblock) {
		int w = wait_on(net, sk->wq, deadline);

		if (w) {
			*err = w == -ETIMEDOUT ? -EAGAIN : w;
			return NULL;
		}
	}
	if (*err)
		return NULL;
	skb = alloc_skb(net, size);
	if (!skb) {
		*err = -ENOBUFS;
		return NULL;
	}
	skb_set_owner_w(skb, sk);
	return skb;
}

/* ---- callbacks ---- */

void sock_def_readable(struct sock *sk)
{
	TRACE_FN(&sk->net->probe, 0);
	wake_up(sk->wq, POLL_READABLE);
}

/* Only when half of the buffer is free again, or every freed packet would wake the writer. */
void sock_def_write_space(struct sock *sk)
{
	if (sock_writeable(sk))
		wake_up(sk->wq, POLL_WRITABLE);
}

void sock_def_error_report(struct sock *sk)
{
	wake_up(sk->wq, POLLERR);
}

void sock_def_wakeup(struct sock *sk)
{
	wake_up(sk->wq, 0);
}

/* ---- families, knobs, /proc/net/sockstat ---- */

int sock_register(struct net *net, const struct net_proto_family *fam)
{
	struct sock_net *sn = net->socks;
	uint32_t i;

	for (i = 0; i < sn->nr_families; i++)
		if (sn->families[i]->family == fam->family)
			return -EEXIST;
	if (sn->nr_families == SOCK_MAX_FAMILIES)
		return -ENOBUFS;
	sn->families[sn->nr_families++] = fam;
	return 0;
}

int sockstat_register(struct net *net, void (*show)(struct net *net, struct strbuf *out))
{
	struct sock_net *sn = net->socks;

	if (sn->nr_sockstat == SOCKSTAT_MAX)
		return -ENOSPC;
	sn->sockstat[sn->nr_sockstat++] = show;
	return 0;
}

static void sockstat_show(struct net *net, struct strbuf *out)
{
	uint32_t i;

	sb_printf(out, "sockets: used %llu\n", (unsigned long long)net->socks->inuse);
	for (i = 0; i < net->socks->nr_sockstat; i++)
		net->socks->sockstat[i](net, out);
}

static int sock_init_sysctls(struct net *net)
{
	struct sock_net *sn = net->socks;
	const struct ctl_table t[] = {
		{ .name = "net.core.rmem_default", .data = (int32_t *)&sn->rmem_default,
		  .min = SOCK_MIN_RCVBUF, .max = INT32_MAX },
		{ .name = "net.core.rmem_max", .data = (int32_t *)&sn->rmem_max,
		  .min = SOCK_MIN_RCVBUF, .max = INT32_MAX },
		{ .name = "net.core.wmem_default", .data = (int32_t *)&sn->wmem_default,
		  .min = SOCK_MIN_SNDBUF, .max = INT32_MAX },
		{ .name = "net.core.wmem_max", .data = (int32_t *)&sn->wmem_max,
		  .min = SOCK_MIN_SNDBUF, .max = INT32_MAX },
		{ .name = "net.core.somaxconn", .data = (int32_t *)&sn->somaxconn, .min = 0,
		  .max = UINT16_MAX },
		{ .name = "net.core.optmem_max", .data = (int32_t *)&sn->optmem_max, .min = 0,
		  .max = INT32_MAX },
	};

	return register_sysctl(net, t, ARRAY_SIZE(t));
}

static int sock_net_init(struct net *net)
{
	struct sock_net *sn = xcalloc(1, sizeof(*sn));
	int err;

	net->socks = sn;
	list_init(&sn->all_files);
	sn->next_ino = 10000; /* socket inodes look like Linux's: five digits */
	sn->rmem_default = sn->rmem_max = SOCK_RCVBUF_DEFAULT;
	sn->wmem_default = sn->wmem_max = SOCK_SNDBUF_DEFAULT;
	sn->somaxconn = 4096;
	sn->optmem_max = 131072;
	err = sock_init_sysctls(net);
	return err ? err : proc_create_single(net, "net/sockstat", sockstat_show);
}

static void sock_net_exit(struct net *net)
{
	free(net->socks);
	net->socks = NULL;
}

const struct pernet_operations sock_net_ops = { "sock", sock_net_init, sock_net_exit };

/* AF_PACKET (packet(7)): a program's own look at a device's frames, and its own frames out.
 *
 * Decides: which frames a socket gets (protocol, device, filter, room), with or without their link header, and
 * what may be sent. Called by: core/dev_rx.c and dev_tx.c through packet_type, programs through proto_ops.
 * Hands on: the receive queue; dev_queue_xmit. A tap gets a clone of the packet: same serial, same data,
 * nothing is copied until the program reads.
 * Tests: tests/unit/socket/test_af_packet.c (S2-74). */
#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include "core/netdevice.h"
#include "core/procfs.h"
#include "socket/file.h"
#include "socket/af_packet.h"

#ifndef SOL_PACKET
#define SOL_PACKET 263
#endif
#define VLAN_HLEN_ 4u

/* What stands in cb of a queued packet. */
struct packet_cb {
	struct sockaddr_ll ll;
	uint32_t origlen;
};

static struct packet_cb *packet_cb(struct sk_buff *skb)
{
	_Static_assert(sizeof(struct packet_cb) <= sizeof(skb->cb), "cb is too small");
	return (struct packet_cb *)(void *)skb->cb;
}

static struct packet_net *packet_net(struct net *net)
{
	return socket_net(net)->packet;
}

static struct pool *packet_pool(struct net *net)
{
	return &packet_net(net)->pool;
}

static const struct proto packet_proto = {
	.name = "PACKET",
	.obj_size = sizeof(struct packet_sock),
	.pool = packet_pool,
};

/* ---- receive ---- */

/* Where the frame's octets begin for this kind of socket (raw: at the link header). */
static void packet_place(const struct sock *sk, struct sk_buff *skb)
{
	if (sk->type == SOCK_RAW) {
		if (skb_mac_header_was_set(skb) && skb->data > skb_mac_header(skb))
			skb_push(skb, (uint32_t)(skb->data - skb_mac_header(skb)));
	} else if (skb->pkt_type == PACKET_OUTGOING_) {
		uint32_t off = (uint32_t)(skb_network_header(skb) - skb->data);

		if (skb_network_header(skb) > skb->data && off <= skb_headlen(skb))
			skb_pull(skb, off);
	}
}

static void packet_fill_cb(struct sk_buff *skb, const struct net_device *dev)
{
	struct packet_cb *cb = packet_cb(skb);

	memset(cb, 0, sizeof(*cb));
	cb->ll.sll_family = AF_PACKET;
	cb->ll.sll_hatype = dev->type;
	put_be16((uint8_t *)&cb->ll.sll_protocol, skb->protocol);
	cb->ll.sll_pkttype = skb->pkt_type;
	cb->ll.sll_ifindex = dev->ifindex;
	if (skb_mac_header_was_set(skb) && skb->tail >= skb_mac_header(skb) + 2 * ETH_ALEN) {
		cb->ll.sll_halen = ETH_ALEN;
		memcpy(cb->ll.sll_addr, skb_mac_header(skb) + ETH_ALEN, ETH_ALEN);
	}
	cb->origlen = skb->len;
}

static int packet_rcv(struct sk_buff *skb, struct net_device *dev, struct packet_type *pt,
		      struct net_device *orig)
{
	struct sock *sk = pt->arg;
	struct packet_sock *po = packet_sk(sk);
	uint32_t keep;

	TRACE_FN(&sk->net->probe, skb->serial);
	if (skb->pkt_type == PACKET_LOOPBACK_) {
		consume_skb(skb);
		return 0;
	}
	packet_place(sk, skb);
	keep = sk_run_filter(sk, skb);
	if (!keep) {
		consume_skb(skb); /* nobody's loss: a tap that does not want it */
		return 0;
	}
	if (sk->rmem_alloc >= sk->rcvbuf) {
		po->tp_drops++;
		sk->drops++;
		kfree_skb_reason(skb, DROP_SOCKET_RCVBUFF);
		return 0;
	}
	packet_fill_cb(skb, po->origdev ? orig : dev);
	if (keep < skb->len)
		skb_trim(skb, keep);
	skb_dst_drop(skb);
	skb_set_owner_r(skb, sk);
	skb->dev = NULL;
	po->tp_packets++;
	skb_queue_tail(&sk->receive_queue, skb);
	sk->data_ready(sk);
	return 0;
}

static void packet_put_auxdata(struct msghdr *m, struct sk_buff *skb)
{
	struct tpacket_auxdata aux = { .tp_status = TP_STATUS_USER };

	if (skb->ip_summed == CHECKSUM_PARTIAL)
		aux.tp_status |= TP_STATUS_CSUMNOTREADY;
	aux.tp_len = packet_cb(skb)->origlen;
	aux.tp_snaplen = skb->len;
	aux.tp_net = (uint16_t)(skb_network_header(skb) > skb->data ? skb_network_header(skb) - skb->data : 0);
	put_cmsg(m, SOL_PACKET, PACKET_AUXDATA, sizeof(aux), &aux);
}

static ssize_t packet_recvmsg(struct socket *s, struct msghdr *m, size_t len, int flags)
{
	struct sock *sk = s->sk;
	struct iov_iter it;
	struct sk_buff *skb;
	uint32_t copied;
	ssize_t ret;
	int err;

	if (flags & ~(MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC | MSG_ERRQUEUE | MSG_NOSIGNAL))
		return -EINVAL;
	if (flags & MSG_ERRQUEUE)
		return -EAGAIN; /* a packet socket has no errors of its own to tell */
	skb = skb_recv_datagram(sk, flags, &err);
	if (!skb)
		return err;
	copied = (uint32_t)min_sz(len, skb->len);
	if (copied < skb->len)
		m->msg_flags |= MSG_TRUNC;
	iov_iter_init(&it, m->msg_iov, m->msg_iovlen);
	err = skb_copy_datagram_iter(skb, 0, &it, copied);
	if (m->msg_name) {
		memcpy(m->msg_name, &packet_cb(skb)->ll, sizeof(struct sockaddr_ll));
		m->msg_namelen = sizeof(struct sockaddr_ll);
	}
	sock_recv_timestamp(m, sk, skb);
	if (packet_sk(sk)->auxdata)
		packet_put_auxdata(m, skb);
	ret = err ? err : (ssize_t)(flags & MSG_TRUNC ? skb->len : copied);
	consume_skb(skb);
	return ret;
}

/* ---- send ---- */

struct packet_dest {
	struct net_device *dev;
	uint16_t protocol;
	const uint8_t *addr;
};

static int packet_dest(struct sock *sk, const struct msghdr *m, struct packet_dest *d)
{
	const struct packet_sock *po = packet_sk(sk);
	const struct sockaddr_ll *ll = m->msg_name;
	int ifindex = po->ifindex;

	d->protocol = po->num;
	if (ll) {
		if (m->msg_namelen < sizeof(*ll) || ll->sll_family != AF_PACKET)
			return -EINVAL;
		if (ll->sll_halen > ETH_ALEN)
			return -EINVAL;
		d->protocol = get_be16((const uint8_t *)&ll->sll_protocol);
		d->addr = ll->sll_halen == ETH_ALEN ? ll->sll_addr : NULL;
		ifindex = ll->sll_ifindex;
	}
	d->dev = ifindex > 0 ? dev_get_by_index(sk->net, ifindex) : NULL;
	if (!d->dev)
		return -ENXIO;
	return d->dev->flags & DEVF_UP ? 0 : -ENETDOWN;
}

static int packet_check_len(const struct sock *sk, const struct net_device *dev, size_t len)
{
	size_t room = dev->mtu;

	if (sk->type == SOCK_RAW) {
		if (len < dev->hard_header_len)
			return -EINVAL;
		room += dev->hard_header_len + VLAN_HLEN_;
	}
	return len > room ? -EMSGSIZE : 0;
}

/* Put the link header in front (datagram), or find it there (raw). */
static int packet_header(struct sock *sk, struct sk_buff *skb, const struct packet_dest *d)
{
	skb->protocol = d->protocol;
	if (sk->type == SOCK_DGRAM) {
		skb_reset_network_header(skb);
		if (d->dev->header_ops &&
		    d->dev->header_ops->create(skb, d->dev, d->protocol, d->addr, NULL) < 0)
			return -EINVAL;
	} else {
		skb->network_header = (uint16_t)(skb->data - skb->head + d->dev->hard_header_len);
		if (!d->protocol || d->protocol == ETH_P_ALL)
			skb->protocol = get_be16(skb->data + 2 * ETH_ALEN);
	}
	skb_reset_mac_header(skb);
	skb->transport_header = skb->network_header;
	return 0;
}

static ssize_t packet_sendmsg(struct socket *s, struct msghdr *m, size_t len)
{
	struct sock *sk = s->sk;
	struct packet_dest d = { 0 };
	struct iov_iter it;
	struct sk_buff *skb;
	uint32_t hlen;
	int err = packet_dest(sk, m, &d);

	TRACE_FN(&sk->net->probe, 0);
	if (!err)
		err = packet_check_len(sk, d.dev, len);
	if (err)
		return err;
	hlen = d.dev->hard_header_len + NET_SKB_PAD;
	skb = sock_alloc_send_skb(sk, hlen + (uint32_t)len, (m->msg_flags & MSG_DONTWAIT) != 0, &err);
	if (!skb)
		return err;
	skb_reserve(skb, hlen);
	iov_iter_init(&it, m->msg_iov, m->msg_iovlen);
	copy_from_iter(skb_put(skb, (uint32_t)len), len, &it);
	TRACE(&sk->net->probe, TR_COPY, skb->serial, "from=user to=skb len=%zu", len);
	sk->net->skb_mib.user_to_skb_bytes += len;
	err = packet_header(sk, skb, &d);
	if (err) {
		kfree_skb_reason(skb, DROP_DEV_HDR);
		return err;
	}
	skb->dev = d.dev;
	skb->priority = sk->priority;
	skb->mark = sk->mark;
	err = dev_queue_xmit(skb);
	if (err > 0)
		err = err == NET_XMIT_CN ? 0 : -ENOBUFS;
	return err ? err : (ssize_t)len;
}

/* ---- names ---- */

static void packet_unhook(struct packet_sock *po)
{
	if (po->running)
		dev_remove_pack(po->sk.net, &po->pt);
	po->running = false;
}

static void packet_hook(struct packet_sock *po, struct net_device *dev)
{
	po->pt.type = po->num;
	po->pt.dev = dev;
	if (!po->num)
		return;
	dev_add_pack(po->sk.net, &po->pt);
	po->running = true;
}

static int packet_bind(struct socket *s, struct sockaddr *a, socklen_t len)
{
	const struct sockaddr_ll *ll = (const void *)a;
	struct packet_sock *po = packet_sk(s->sk);
	struct net_device *dev = NULL;

	if (len < sizeof(*ll) || ll->sll_family != AF_PACKET)
		return -EINVAL;
	if (ll->sll_ifindex) {
		dev = ll->sll_ifindex > 0 ? dev_get_by_index(s->net, ll->sll_ifindex) : NULL;
		if (!dev)
			return -ENODEV;
	}
	packet_unhook(po);
	if (ll->sll_protocol)
		po->num = get_be16((const uint8_t *)&ll->sll_protocol);
	po->ifindex = dev ? dev->ifindex : 0;
	packet_hook(po, dev);
	if (dev && !(dev->flags & DEVF_UP)) {
		s->sk->err = ENETDOWN;
		s->sk->error_report(s->sk);
	}
	return 0;
}

static int packet_getname(struct socket *s, struct sockaddr *a, int peer)
{
	const struct packet_sock *po = packet_sk(s->sk);
	const struct net_device *dev = po->ifindex > 0 ? dev_get_by_index(s->net, po->ifindex) : NULL;
	struct sockaddr_ll *ll = (void *)a;

	if (peer)
		return -EOPNOTSUPP;
	memset(ll, 0, sizeof(*ll));
	ll->sll_family = AF_PACKET;
	ll->sll_ifindex = po->ifindex;
	put_be16((uint8_t *)&ll->sll_protocol, po->num);
	if (dev) {
		ll->sll_hatype = dev->type;
		ll->sll_halen = ETH_ALEN;
		memcpy(ll->sll_addr, dev->dev_addr, ETH_ALEN);
	}
	return (int)(offsetof(struct sockaddr_ll, sll_addr) + ll->sll_halen);
}

static int packet_ioctl(struct socket *s, unsigned long cmd, void *arg)
{
	const struct sk_buff *skb = skb_peek(&s->sk->receive_queue);

	if (cmd != SIOCINQ_ && cmd != SIOCOUTQ_)
		return -ENOTTY;
	if (!arg)
		return -EFAULT;
	*(int *)arg = cmd == SIOCOUTQ_ ? s->sk->wmem_alloc : skb ? (int)skb->len : 0;
	return 0;
}

static int packet_release(struct socket *s)
{
	struct sock *sk = s->sk;
	struct packet_sock *po;

	if (!sk)
		return 0;
	po = packet_sk(sk);
	packet_unhook(po);
	packet_flush_memberships(po);
	list_del_init(&po->node);
	sock_orphan(sk);
	s->sk = NULL;
	sock_put(sk);
	return 0;
}

static const struct proto_ops packet_ops = {
	.family = AF_PACKET,
	.release = packet_release,
	.bind = packet_bind,
	.getname = packet_getname,
	.poll = datagram_poll,
	.ioctl = packet_ioctl,
	.setsockopt = packet_setsockopt,
	.getsockopt = packet_getsockopt,
	.sendmsg = packet_sendmsg,
	.recvmsg = packet_recvmsg,
};

static int packet_create(struct net *net, struct socket *s, int protocol)
{
	struct packet_sock *po;
	uint16_t wire = (uint16_t)protocol;
	struct sock *sk;

	if (s->type != SOCK_RAW && s->type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	sk = sk_alloc(net, AF_PACKET, s->type, 0, &packet_proto);
	if (!sk)
		return -ENOBUFS;
	s->ops = &packet_ops;
	sock_init_data(s, sk);
	po = packet_sk(sk);
	po->num = get_be16((const uint8_t *)&wire); /* the argument is in network order */
	po->pt.func = packet_rcv;
	po->pt.arg = sk;
	list_init(&po->members);
	list_add_tail(&po->node, &packet_net(net)->socks);
	packet_hook(po, NULL);
	return 0;
}

static const struct net_proto_family packet_family = { AF_PACKET, packet_create };

/* ---- the room's part ---- */

/* A device goes down or away: its sockets hear of it. */
static void packet_notify(struct netdev_notifier *n, struct net_device *dev, enum netdev_event ev)
{
	struct packet_net *pn = container_of(n, struct packet_net, notifier);
	struct packet_sock *po;

	if (ev != NETDEV_DOWN_ && ev != NETDEV_UNREGISTER_)
		return;
	list_for_each_entry(po, &pn->socks, node) {
		if (ev == NETDEV_UNREGISTER_)
			packet_forget_device(po, dev);
		if (po->ifindex != dev->ifindex)
			continue;
		po->sk.err = ENETDOWN;
		po->sk.error_report(&po->sk);
		if (ev == NETDEV_UNREGISTER_) {
			packet_unhook(po);
			po->ifindex = -1;
			po->pt.dev = NULL;
		}
	}
}

static void packet_proc_show(struct net *net, struct strbuf *out)
{
	const struct packet_sock *po;

	sb_puts(out, "sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n");
	list_for_each_entry(po, &packet_net(net)->socks, node)
		sb_printf(out, "%08x %-6d %-4d %04x   %-5d %1d %-6d %-6u %-6llu\n", 0, po->sk.refcnt,
			  po->sk.type, po->num, po->ifindex, po->running, po->sk.rmem_alloc, po->sk.uid,
			  (unsigned long long)po->sk.ino);
}

int af_packet_init(struct net *net)
{
	struct packet_net *pn = xcalloc(1, sizeof(*pn));
	int err;

	socket_net(net)->packet = pn;
	pool_init(&pn->pool, "packet_sock", sizeof(struct packet_sock), 8);
	list_init(&pn->socks);
	pn->notifier.fn = packet_notify;
	register_netdev_notifier(net, &pn->notifier);
	err = proc_create_single(net, "net/packet", packet_proc_show);
	return err ? err : sock_register(net, &packet_family);
}

void af_packet_exit(struct net *net)
{
	struct packet_net *pn = packet_net(net);

	if (!pn)
		return;
	unregister_netdev_notifier(&pn->notifier);
	pool_destroy(&pn->pool);
	free(pn);
	socket_net(net)->packet = NULL;
}

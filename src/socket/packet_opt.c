/* SOL_PACKET options (packet(7)): memberships, statistics, auxiliary data.
 *
 * Decides: how long a device stays promiscuous for a socket: until the last membership of its kind is dropped,
 * at the latest when the socket closes. Called by: af_packet.c. Hands on: core/dev_core.c.
 * Tests: tests/unit/socket/test_af_packet.c. */
#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include "base/pool.h"
#include "socket/af_packet.h"

#ifndef SOL_PACKET
#define SOL_PACKET 263
#endif

static int member_apply(struct sock *sk, const struct packet_member *pm, int what)
{
	struct net_device *dev = dev_get_by_index(sk->net, pm->ifindex);

	if (!dev)
		return -ENODEV;
	switch (pm->type) {
	case PACKET_MR_PROMISC:
		dev_set_promiscuity(dev, what);
		return 0;
	case PACKET_MR_MULTICAST:
		if (pm->alen != dev->addr_len)
			return -EINVAL;
		return what > 0 ? dev_mc_add(dev, pm->addr) : dev_mc_del(dev, pm->addr);
	default:
		return -EINVAL;
	}
}

static struct packet_member *member_find(struct packet_sock *po, const struct packet_mreq *mr)
{
	struct packet_member *pm;

	list_for_each_entry(pm, &po->members, list)
		if (pm->ifindex == mr->mr_ifindex && pm->type == mr->mr_type && pm->alen == mr->mr_alen &&
		    !memcmp(pm->addr, mr->mr_address, pm->alen))
			return pm;
	return NULL;
}

static int member_add(struct packet_sock *po, const struct packet_mreq *mr)
{
	struct packet_member *pm = member_find(po, mr);
	int err;

	if (pm) {
		pm->count++;
		return 0;
	}
	if (po->nr_members == PACKET_MAX_MEMBERS)
		return -ENOBUFS;
	pm = xcalloc(1, sizeof(*pm));
	pm->ifindex = mr->mr_ifindex;
	pm->type = mr->mr_type;
	pm->alen = mr->mr_alen;
	memcpy(pm->addr, mr->mr_address, sizeof(pm->addr));
	pm->count = 1;
	err = member_apply(&po->sk, pm, 1);
	if (err) {
		free(pm);
		return err;
	}
	list_add_tail(&pm->list, &po->members);
	po->nr_members++;
	return 0;
}

static void member_free(struct packet_sock *po, struct packet_member *pm)
{
	list_del_init(&pm->list);
	po->nr_members--;
	free(pm);
}

static int member_drop(struct packet_sock *po, const struct packet_mreq *mr)
{
	struct packet_member *pm = member_find(po, mr);

	if (!pm)
		return -EADDRNOTAVAIL;
	if (--pm->count)
		return 0;
	member_apply(&po->sk, pm, -1);
	member_free(po, pm);
	return 0;
}

void packet_flush_memberships(struct packet_sock *po)
{
	struct packet_member *pm, *tmp;

	list_for_each_entry_safe(pm, tmp, &po->members, list) {
		member_apply(&po->sk, pm, -1);
		member_free(po, pm);
	}
}

void packet_forget_device(struct packet_sock *po, const struct net_device *dev)
{
	struct packet_member *pm, *tmp;

	list_for_each_entry_safe(pm, tmp, &po->members, list)
		if (pm->ifindex == dev->ifindex)
			member_free(po, pm);
}

static int packet_set_member(struct packet_sock *po, int name, const void *val, socklen_t len)
{
	struct packet_mreq mr;

	if (len < sizeof(mr))
		return -EINVAL;
	memcpy(&mr, val, sizeof(mr));
	if (mr.mr_alen > sizeof(mr.mr_address))
		return -EINVAL;
	return name == PACKET_ADD_MEMBERSHIP ? member_add(po, &mr) : member_drop(po, &mr);
}

int packet_setsockopt(struct socket *s, int level, int name, const void *val, socklen_t len)
{
	struct packet_sock *po = packet_sk(s->sk);
	int v = 0;

	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	if (name == PACKET_ADD_MEMBERSHIP || name == PACKET_DROP_MEMBERSHIP)
		return packet_set_member(po, name, val, len);
	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	switch (name) {
	case PACKET_AUXDATA:
		po->auxdata = v != 0;
		return 0;
	case PACKET_ORIGDEV:
		po->origdev = v != 0;
		return 0;
	case PACKET_IGNORE_OUTGOING:
		if (v < 0 || v > 1)
			return -EINVAL;
		po->pt.ignore_outgoing = v != 0;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int packet_getsockopt(struct socket *s, int level, int name, void *val, socklen_t *len)
{
	struct packet_sock *po = packet_sk(s->sk);
	struct tpacket_stats st;
	const void *from = &st;
	size_t size;
	int v;

	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	switch (name) {
	case PACKET_STATISTICS: /* reading clears */
		st.tp_packets = po->tp_packets + po->tp_drops;
		st.tp_drops = po->tp_drops;
		po->tp_packets = po->tp_drops = 0;
		size = sizeof(st);
		break;
	case PACKET_AUXDATA:
	case PACKET_ORIGDEV:
	case PACKET_IGNORE_OUTGOING:
		v = name == PACKET_AUXDATA ? po->auxdata
					   : name == PACKET_ORIGDEV ? po->origdev : po->pt.ignore_outgoing;
		from = &v;
		size = sizeof(v);
		break;
	default:
		return -ENOPROTOOPT;
	}
	*len = (socklen_t)min_sz(*len, size);
	memcpy(val, from, *len);
	return 0;
}

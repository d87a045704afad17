/* Between af_packet.c and packet_opt.c. */
#ifndef SOCKET_AF_PACKET_H
#define SOCKET_AF_PACKET_H

#include "core/netdevice.h"
#include "core/sock.h"

/* A socket's wish that a device listen to more than its own address. */
struct packet_member {
	struct list_head list;
	int ifindex;
	uint16_t type, alen;
	uint8_t addr[8];
	uint32_t count;
};
#define PACKET_MAX_MEMBERS 64

struct packet_sock {
	struct sock sk; /* first */
	struct packet_type pt;
	struct list_head node; /* packet_net->socks */
	struct list_head members;
	uint32_t nr_members;
	int ifindex;  /* bound to; 0: all, -1: its device is gone */
	uint16_t num; /* EtherType; 0: receives nothing */
	bool running, auxdata, origdev;
	uint32_t tp_packets, tp_drops;
};
static inline struct packet_sock *packet_sk(struct sock *sk)
{
	return (struct packet_sock *)(void *)sk;
}

struct packet_net {
	struct pool pool;
	struct list_head socks;
	struct netdev_notifier notifier;
};

/* FIONREAD and TIOCOUTQ by the names that sockets use. */
#define SIOCINQ_ 0x541BUL
#define SIOCOUTQ_ 0x5411UL

int packet_setsockopt(struct socket *s, int level, int name, const void *val, socklen_t len);
int packet_getsockopt(struct socket *s, int level, int name, void *val, socklen_t *len);
void packet_flush_memberships(struct packet_sock *po);
/* The device goes away, and the memberships on it. */
void packet_forget_device(struct packet_sock *po, const struct net_device *dev);

#endif

/* Drivers: each makes a net_device out of something that can carry frames. */
#ifndef DRIVERS_DRIVERS_H
#define DRIVERS_DRIVERS_H

#include "core/netdevice.h"

struct nic;
/* lo: created by pernet init, brought up by the assembly. */
extern const struct pernet_operations loopback_net_ops;

struct nicdrv_params {
	uint32_t rx_ring, tx_ring; /* descriptors; 0: 256 */
	uint32_t cpu;              /* which CPU takes its interrupt */
	bool hw_csum;              /* let the NIC make and verify checksums */
	bool no_napi;              /* an interrupt per packet (S3-131) */
};
/* Probe a NIC: reads its ROM, allocates rings, claims a vector, registers the device under name. */
struct net_device *nicdrv_probe(struct net *net, struct nic *nic, const char *name, const struct nicdrv_params *p, int *err);

/* A pair of in-memory devices (veth); frames or whole trains go from one net's stack to the other's backlog. */
int veth_create(struct net *a, const char *name_a, const uint8_t mac_a[6], struct net *b, const char *name_b, const uint8_t mac_b[6]);

/* A device whose far end is a function: TAP in real time, tunnels in the embedded library. */
struct netdev_sink {
	void *arg;
	/* Takes the frame (Ethernet header on). 0, or -EAGAIN: stop the queue until extdev_wake. */
	int (*xmit)(void *arg, struct sk_buff *skb);
};
struct net_device *extdev_create(struct net *net, const char *name, const uint8_t mac[6], uint32_t features, const struct netdev_sink *sink, int *err);
/* A frame from outside; copied into an skb. gso_size 0 for a plain frame. */
int extdev_input(struct net_device *dev, const void *frame, size_t len, uint16_t gso_size, uint8_t gso_type, bool csum_ok);
void extdev_wake(struct net_device *dev);

#endif

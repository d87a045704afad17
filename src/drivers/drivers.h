/* Drivers: each makes a net_device out of something that can carry frames. */
#ifndef DRIVERS_DRIVERS_H
#define DRIVERS_DRIVERS_H

#include "core/netdevice.h"

struct nic;
struct strbuf;
/* lo: created by pernet init, brought up by the assembly. */
extern const struct pernet_operations loopback_net_ops;

struct nicdrv_params {
	uint32_t rx_ring, tx_ring; /* descriptors; 0: 256 */
	uint32_t cpu;              /* which CPU takes its interrupt */
	bool hw_csum;              /* let the NIC make and verify checksums */
	bool no_napi;              /* an interrupt per packet (S3-131) */
	uint32_t irq_gap_ns;       /* least time between interrupts of the rings (EITR); 0: none */
	uint32_t tx_irq_delay_ns;  /* how long a completion waits for others to share its interrupt (TIDV); 0: the
				    * default, NICDRV_NO_DELAY: not at all */
};
#define NICDRV_TX_IRQ_DELAY_NS 32000u
#define NICDRV_NO_DELAY UINT32_MAX
/* Probe a NIC: reads its ROM, registers the device under name. Rings and vectors are claimed when it is opened.
 * p may be NULL. The NIC must outlive the device. NULL: *err. */
struct net_device *nicdrv_probe(struct net *net, struct nic *nic, const char *name, const struct nicdrv_params *p, int *err);
/* A dump of a ring: sizes, indices, and a line per descriptor in use with address, length and owner (S2-02). */
void nicdrv_show_ring(struct net_device *dev, bool tx, struct strbuf *out);

/* A pair of in-memory devices (veth); frames or whole trains go from one net's stack to the other's backlog. Both
 * nets draw from one skb pool (else -EXDEV). Clear NETIF_F_TSO, _USO and _HW_CSUM in an end's features to have it
 * send MTU frames with finished checksums. 0, or register_netdev's error. */
int veth_create(struct net *a, const char *name_a, const uint8_t mac_a[6], struct net *b, const char *name_b, const uint8_t mac_b[6]);

/* A device whose far end is a function: TAP in real time, tunnels in the embedded library. */
struct netdev_sink {
	void *arg;
	/* Takes the frame (Ethernet header on; of a tun: the IP packet). 0; -EAGAIN: not taken, the queue stops until extdev_wake; other errors:
	 * not taken, dropped. */
	int (*xmit)(void *arg, struct sk_buff *skb);
};
struct net_device *extdev_create(struct net *net, const char *name, const uint8_t mac[6], uint32_t features, const struct netdev_sink *sink, int *err);
/* What a virtio-net header says of a frame from outside. */
struct extdev_meta {
	uint16_t gso_size; /* 0: a plain frame */
	uint8_t gso_type;  /* SKB_GSO_* */
	bool csum_ok;      /* verified by the far end */
	bool csum_partial; /* or left to be made, at these offsets from the frame's start */
	uint16_t csum_start, csum_offset;
	uint16_t hdr_len;  /* headers of a train, 0: not known */
};
/* A frame in an skb of dev->net (data at its link header): given away. 0, -EINVAL (too short, bad offsets), -EMSGSIZE,
 * -ENETDOWN, -ENOBUFS (backlog full). */
int extdev_input_skb(struct net_device *dev, struct sk_buff *skb, const struct extdev_meta *m);
/* A frame from outside; copied into an skb. gso_size 0 for a plain frame. Errors as above, and -ENOMEM. */
int extdev_input(struct net_device *dev, const void *frame, size_t len, uint16_t gso_size, uint8_t gso_type, bool csum_ok);
/* The sink has room again; for a tun too. */
void extdev_wake(struct net_device *dev);

/* A device without link header (tun): IP packets as they are, both ways. The sink gets packets at their IP header; with
 * NETIF_F_TSO in features whole trains too; what it does not take waits, or is dropped, as above. NULL: *err. */
struct net_device *tundev_create(struct net *net, const char *name, uint32_t features, const struct netdev_sink *sink, int *err);
/* A packet from outside; copied into an skb. 0, -EINVAL (not IPv4, too long), -ENETDOWN, -ENOMEM, -ENOBUFS. */
int tundev_input(struct net_device *dev, const void *packet, size_t len);

#endif

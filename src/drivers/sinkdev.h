/* What devices whose far end is a function have in common: extdev.c (frames), tun.c (packets). Not for other rooms. */
#ifndef DRIVERS_SINKDEV_H
#define DRIVERS_SINKDEV_H

#include "drivers/drivers.h"

/* The sink is copied, and dev registered; it becomes the netdev core's, or is freed: NULL, and *err says why. */
struct net_device *sinkdev_register(struct net_device *dev, const struct net_device_ops *ops, const struct netdev_sink *sink, int *err);
/* ndo_uninit, ndo_start_xmit. */
void sinkdev_uninit(struct net_device *dev);
netdev_tx_t sinkdev_xmit(struct sk_buff *skb, struct net_device *dev);
/* Octets that came from outside as an skb. NULL: no memory, counted. */
struct sk_buff *sinkdev_skb(struct net_device *dev, const void *octets, size_t len);

#endif

/* The assembly: a whole host out of the rooms, in the right order. Used by lab/ and by the embedded library. */
#ifndef CULVER_HOST_H
#define CULVER_HOST_H

#include "core/net.h"

/* core, proc, rtnl, neighbour, netfilter, qdiscs, loopback (up, 127.0.0.1/8), sockets, IPv4, TCP. NULL: out of memory. */
struct net *host_new(const struct net_params *p);
void host_free(struct net *net);

#endif

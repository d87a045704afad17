/* What rtnl.c starts: core's own message handlers. Not for other rooms. */
#ifndef CORE_RTNL_CORE_H
#define CORE_RTNL_CORE_H

struct net;
int rtnl_link_init(struct net *net);
int rtnl_neigh_init(struct net *net);

#endif

/* What rtnl.c starts: core's own message handlers. Not for other rooms. */
#ifndef CORE_RTNL_CORE_H
#define CORE_RTNL_CORE_H

#include <stddef.h>
#include <stdint.h>

struct net;
int rtnl_link_init(struct net *net);
int rtnl_neigh_init(struct net *net);

/* genl.c */
#define GENL_MAX_FAMILIES 8u
struct genl_family_entry {
	const char *name;
	uint16_t id;
	uint8_t version;
	uint32_t maxattr;
};
struct genl_table {
	struct genl_family_entry f[GENL_MAX_FAMILIES];
	size_t n;
};
struct genl_table *genl_table(struct net *net);
int genl_init(struct net *net);

#endif

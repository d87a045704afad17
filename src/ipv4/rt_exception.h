/* What is known about one destination that differs from its next hop. See route_cache.c. */
#ifndef IPV4_RT_EXCEPTION_H
#define IPV4_RT_EXCEPTION_H

#include "ipv4/route.h"

struct rt_exception {
	struct hlist_node hash;
	struct list_head lru;
	uint32_t daddr;
	int ifindex;
	uint32_t gw;   /* 0: the next hop's own */
	uint32_t pmtu; /* 0: none */
	bool locked;
	uint64_t expires_ns;
	struct rtable *rth_out, *rth_in; /* counted */
};

#endif

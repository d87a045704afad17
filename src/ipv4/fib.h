/* Forwarding information base: routing tables local (255), main (254), default (253), looked up in that
 * order (as rules 0, 32766, 32767), each longest prefix first, then TOS, then metric. */
#ifndef IPV4_FIB_H
#define IPV4_FIB_H

#include <linux/rtnetlink.h> /* RTN_*, RTPROT_*, RT_SCOPE_*, RTNH_F_*: their numbers */
#include "core/netdevice.h"

#define RT_TABLE_DEFAULT_ 253
#define RT_TABLE_MAIN_ 254
#define RT_TABLE_LOCAL_ 255

struct flowi4 {
	uint32_t daddr, saddr;
	int oif, iif;
	uint32_t mark;
	uint8_t tos, proto, scope, flags;
	uint16_t sport, dport;
};
#define FLOWI_FLAG_ANYSRC 1
#define FLOWI_FLAG_KNOWN_NH 2

struct rtable;
struct fib_nh {
	struct net_device *dev; /* NULL: blackhole etc. */
	int oif;
	uint32_t gw; /* 0: on-link */
	uint8_t scope, weight, flags; /* flags: RTNH_F_DEAD, RTNH_F_ONLINK */
	/* Routes made from this next hop and shared by every flow that has no exception of its own. */
	struct rtable *rth_output, *rth_input;
};
#define FIB_MAX_NH 16
#define FIB_METRICS (RTAX_MAX + 1)
struct fib_info { /* shared by routes that say the same */
	int32_t refcnt; /* routes in tables, and rtables */
	uint8_t protocol, scope, type, dead;
	uint32_t prefsrc, priority;
	uint32_t metrics[FIB_METRICS]; /* by RTAX_*; [RTAX_LOCK]: bits of those that "lock" stood before */
	char congctl[16];
	uint32_t nhs;
	int32_t treeref; /* routes in tables */
	uint32_t hash;
	struct net *net;
	struct list_head list; /* all of the host */
	struct hlist_node hash_node;
	struct fib_nh nh[]; /* [nhs] */
};
struct fib_alias;
struct fib_result {
	uint32_t prefix;
	uint8_t prefixlen, type, scope, nh_sel;
	uint32_t table_id;
	struct fib_info *fi; /* borrowed (FIB_LOOKUP_NOREF); NULL only in results made without a lookup */
	const struct fib_alias *chain; /* all routes of the prefix; borrowed */
};
#define FIB_LOOKUP_NOREF 1

struct fib_config { /* one route to add or delete */
	uint32_t table, dst, gw, prefsrc, priority;
	uint8_t dst_len, tos, protocol, scope, type;
	int oif;
	uint32_t metrics[FIB_METRICS];
	char congctl[16];
	uint32_t n_nh;
	struct fib_nh nh[FIB_MAX_NH];
	uint16_t nlflags; /* NLM_F_EXCL, REPLACE, CREATE, APPEND */
	uint8_t nh_flags; /* RTNH_F_ONLINK */
};
static inline bool fib_metric_locked(const struct fib_info *fi, int which) { return fi && (fi->metrics[RTAX_LOCK] & (1u << which)); }
struct fib_table;
struct fib_table *fib_get_table(struct net *net, uint32_t id);
struct fib_table *fib_new_table(struct net *net, uint32_t id);
/* 0 found; -EAGAIN not; -EHOSTUNREACH, -EACCES, -EINVAL for unreachable, prohibit, blackhole entries. */
int fib_table_lookup(struct fib_table *tb, const struct flowi4 *flp, struct fib_result *res, int fib_flags);
/* The rules, in order: by default tables local, main, default. 0; -ENETUNREACH: none matches; or the error of
 * the unreachable, prohibit or blackhole route or rule that does. */
int fib_lookup(struct net *net, const struct flowi4 *flp, struct fib_result *res);
/* 0, -EEXIST, -EINVAL, -ENETUNREACH (gateway not reachable), -ENETDOWN, -ENODEV, -ESRCH (delete). */
int fib_table_insert(struct net *net, struct fib_table *tb, const struct fib_config *cfg);
int fib_table_delete(struct net *net, struct fib_table *tb, const struct fib_config *cfg);

#endif

/* The assembly of a host: which rooms it is built of, and in what order. Called by lab/, bench/, drill/, the fuzz
 * targets and the embedded library; hands on to each room's pernet_operations. Order: /proc and the control socket
 * before those who register there, the neighbour tables and hooks before the protocols, lo before IPv4 (which learns of
 * it by the notifier's replay), TCP's engine before its glue to IPv4. Tests: tests/unit/culver/test_host.c. */
#include "core/neighbour.h"
#include "core/netfilter.h"
#include "core/procfs.h"
#include "core/rtnl.h"
#include "core/sock.h"
#include "culver/host.h"
#include "drivers/drivers.h"
#include "ipv4/ip.h"
#include "netfilter/nf_tables_text.h"
#include "sched/sched.h"
#include "socket/syscall.h"
#include "tcp/tcp.h"

static const struct pernet_operations *const host_ops[] = {
	&core_net_ops,
	&proc_net_ops,
	&core_proc_net_ops,
	&rtnl_net_ops,
	&dev_ctl_net_ops,
	&neigh_net_ops,
	&nf_net_ops,
	&nf_conntrack_net_ops,
	&iptables_net_ops,
	&sched_net_ops,
	&loopback_net_ops,
	&sock_net_ops,
	&socket_net_ops,
	&ipv4_net_ops,
	&tcp_net_ops,
	&tcp4_net_ops,
};

struct net *host_new(const struct net_params *p)
{
	struct net *net = net_new(p, host_ops, ARRAY_SIZE(host_ops));

	if (!net)
		return NULL;
	/* IPv4 gives lo its 127.0.0.1/8 when it comes up. */
	if (dev_open(net->loopback_dev) == 0)
		return net;
	net_free(net);
	return NULL;
}

void host_free(struct net *net)
{
	net_free(net);
}

/* The Internet layer of a host: what is built when a host is, in which order, and taken down in reverse.
 *
 * Knobs first (everything reads them), tables and caches, then the protocols, then the doors: packet types and the
 * device notifier, whose replay gives lo its address. Called by culver/host.c through ipv4_net_ops.
 * Tests: tests/unit/ipv4/ (each builds a host). */
#include <errno.h>
#include <stdlib.h>
#include "ipv4/netns_ipv4.h"

static void ipv4_chance(struct net *net)
{
	struct netns_ipv4 *ip = net->ipv4;
	struct rng r;

	rng_derive(&ip->rng_port, net->seed, net->name, "ipv4-port");
	rng_derive(&ip->rng_icmp, net->seed, net->name, "ipv4-icmp");
	rng_derive(&ip->rng_igmp, net->seed, net->name, "ipv4-igmp");
	rng_derive(&r, net->seed, net->name, "ipv4-ident");
	rng_bytes(&r, ip->ident_key, sizeof(ip->ident_key));
	for (unsigned i = 0; i < IP_IDENTS; i++)
		ip->idents[i] = (uint16_t)rng_u64(&r);
	/* A seed is known to whoever reads the lab file; an owner with real randomness gives the secret. */
	for (unsigned i = 0; i < sizeof(ip->ident_key); i++)
		ip->ident_key[i] ^= net->secret[i];
}

static int ipv4_net_init(struct net *net)
{
	static int (*const steps[])(struct net *net) = {
		ipv4_sysctl_init, fib_init, fib_rtnl_init, route_init, arp_init, icmp_init, igmp_init, udp_init,
		ping_init, raw_init, af_inet_init, af_inet6_init, ipv4_proc_init, devinet_init,
	};
	struct netns_ipv4 *ip = xcalloc(1, sizeof(*ip));

	ip->net = net;
	net->ipv4 = ip;
	net->nf->ip = &ip_nf_ops;
	ipv4_chance(net);
	ip_frags_init(net);
	ip->ip_ptype.type = ETH_P_IP;
	ip->ip_ptype.func = ip_rcv;
	dev_add_pack(net, &ip->ip_ptype);
	ip_offload_init(net);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int err = steps[i](net);

		if (err)
			return err;
	}
	return 0;
}

static void ipv4_net_exit(struct net *net)
{
	struct netns_ipv4 *ip = net->ipv4;

	if (!ip)
		return;
	net->nf->ip = NULL;
	devinet_exit(net);
	dev_remove_pack(net, &ip->ip_ptype);
	dev_remove_offload(&ip->ip_offload);
	ip_frags_exit(net);
	arp_exit(net);
	icmp_exit(net);
	udp_exit(net);
	pool_destroy(&ip->raw_pool);
	pool_destroy(&ip->ping_pool);
	fib_exit(net);
	route_exit(net);
	free(ip);
	net->ipv4 = NULL;
}

const struct pernet_operations ipv4_net_ops = { "ipv4", ipv4_net_init, ipv4_net_exit };

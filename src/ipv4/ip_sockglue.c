/* IP_* socket options (ip(7)): what a program may say about its datagrams, and ask.
 *
 * Called by UDP, raw, ping and TCP for level IPPROTO_IP. Control messages and the error queue are in ip_cmsg.c.
 * RFC 1122 3.4, 4.1.4. Tests: tests/unit/ipv4/test_sockopt.c. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include "ipv4/ip_cmsg.h"
#include "ipv4/netns_ipv4.h"

/* Younger than the C library. */
#define OPT_LOCAL_PORT_RANGE 51
#define OPT_PROTOCOL 52
#define OPT_RECVERR_RFC4884 26

/* An int, or its low octet: old programs give a char. Nothing at all: 0. */
static int opt_int(const void *val, socklen_t len)
{
	int v = 0;

	if (len >= sizeof(int))
		memcpy(&v, val, sizeof(int));
	else if (len >= 1)
		v = *(const uint8_t *)val;
	return v;
}

static int set_cmsg_flag(const struct sock *sk, struct inet_sock *inet, int name, uint16_t flag, int v)
{
	if (name == IP_RECVFRAGSIZE && sk->type == SOCK_STREAM)
		return -EINVAL; /* a stream has no fragments to tell of */
	if (name == OPT_RECVERR_RFC4884 && v != 0 && v != 1)
		return -EINVAL;
	inet->cmsg_flags = (uint16_t)(v ? inet->cmsg_flags | flag : inet->cmsg_flags & ~flag);
	return 0;
}

static uint16_t cmsg_flag_of(int name)
{
	switch (name) {
	case IP_PKTINFO: return IP_CMSG_PKTINFO;
	case IP_RECVTTL: return IP_CMSG_TTL;
	case IP_RECVTOS: return IP_CMSG_TOS;
	case IP_RECVOPTS: return IP_CMSG_RECVOPTS;
	case IP_RETOPTS: return IP_CMSG_RETOPTS;
	case IP_RECVORIGDSTADDR: return IP_CMSG_ORIGDSTADDR;
	case IP_CHECKSUM: return IP_CMSG_CHECKSUM;
	case IP_RECVFRAGSIZE: return IP_CMSG_RECVFRAGSIZE;
	case IP_PASSSEC: return IP_CMSG_PASSSEC;
	case OPT_RECVERR_RFC4884: return IP_CMSG_RECVERR_RFC4884;
	default: return 0;
	}
}

/* ---- multicast ---- */

struct mc_request {
	uint32_t group, addr;
	int ifindex;
};

static int mreq_parse(const void *val, socklen_t len, struct mc_request *r)
{
	struct ip_mreqn m = { 0 };

	if (len >= sizeof(m)) {
		memcpy(&m, val, sizeof(m));
	} else if (len >= sizeof(struct ip_mreq)) {
		memcpy(&m, val, sizeof(struct ip_mreq));
	} else {
		return -EINVAL;
	}
	r->group = ntohl(m.imr_multiaddr.s_addr);
	r->addr = ntohl(m.imr_address.s_addr);
	r->ifindex = m.imr_ifindex;
	return 0;
}

static int set_membership(struct sock *sk, int name, const void *val, socklen_t len)
{
	struct mc_request r;
	int err;

	if (inet_sk(sk)->is_icsk)
		return -EPROTO;
	err = mreq_parse(val, len, &r);
	if (err)
		return err;
	return name == IP_ADD_MEMBERSHIP ? ip_mc_join_group(sk, r.group, r.addr, r.ifindex) :
					   ip_mc_leave_group(sk, r.group, r.addr, r.ifindex);
}

static int set_mcast_group(struct sock *sk, int name, const void *val, socklen_t len)
{
	struct group_req g;
	struct sockaddr_in sin;

	if (len < sizeof(g))
		return -EINVAL;
	memcpy(&g, val, sizeof(g));
	memcpy(&sin, &g.gr_group, sizeof(sin));
	if (sin.sin_family != AF_INET)
		return -EINVAL;
	return name == MCAST_JOIN_GROUP ? ip_mc_join_group(sk, ntohl(sin.sin_addr.s_addr), 0, (int)g.gr_interface) :
					  ip_mc_leave_group(sk, ntohl(sin.sin_addr.s_addr), 0, (int)g.gr_interface);
}

/* Which device and source multicast leaves by: an address, or an index. All zeros: back to the routing table. */
static int set_multicast_if(struct sock *sk, const void *val, socklen_t len)
{
	struct inet_sock *inet = inet_sk(sk);
	struct mc_request r = { 0 };
	struct net_device *dev;
	struct in_ifaddr *ifa;

	if (inet->is_icsk)
		return -EINVAL;
	if (len >= sizeof(struct ip_mreq)) {
		if (mreq_parse(val, len, &r))
			return -EINVAL;
	} else if (len >= sizeof(struct in_addr)) {
		uint32_t a;

		memcpy(&a, val, sizeof(a));
		r.addr = ntohl(a);
	} else {
		return -EINVAL;
	}
	if (!r.ifindex && !r.addr) {
		inet->mc_index = 0;
		inet->mc_addr = 0;
		return 0;
	}
	if (r.ifindex) {
		dev = dev_get_by_index(sk->net, r.ifindex);
	} else {
		ifa = inet_lookup_ifaddr(sk->net, NULL, r.addr);
		dev = ifa ? ifa->in_dev->dev : NULL;
	}
	if (!dev)
		return -EADDRNOTAVAIL;
	if (sk->bound_dev_if && sk->bound_dev_if != dev->ifindex)
		return -EINVAL;
	inet->mc_index = dev->ifindex;
	inet->mc_addr = r.addr;
	return 0;
}

/* ---- setting ---- */

/* Two halves of a word: the lowest and the highest port that bind() and connect() may choose; 0: the host's. */
static int set_port_range(struct inet_sock *inet, const void *val, socklen_t len)
{
	uint32_t v;

	if (len != sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	if ((v & 0xffff) && v >> 16 && (v & 0xffff) > v >> 16)
		return -EINVAL;
	inet->port_low = (uint16_t)v;
	inet->port_high = (uint16_t)(v >> 16);
	return 0;
}

static int set_options(struct inet_sock *inet, const void *val, socklen_t len)
{
	if (len > 40)
		return -EINVAL;
	if (!len) {
		free(inet->opt);
		inet->opt = NULL;
		return 0;
	}
	return ip_options_get(&inet->opt, val, len);
}

/* The priority that a packet of this type of service gets in a queue discipline (RFC 1349's four bits; ip(7)). */
static uint32_t tos2priority(uint8_t tos)
{
	enum { BESTEFFORT = 0, FILLER = 1, BULK = 2, INTERACTIVE_BULK = 4, INTERACTIVE = 6 };
	static const uint8_t prio[16] = {
		BESTEFFORT,  FILLER,      BESTEFFORT,       BESTEFFORT,       BULK,             BULK,             BULK,             BULK,
		INTERACTIVE, INTERACTIVE, INTERACTIVE,      INTERACTIVE,      INTERACTIVE_BULK, INTERACTIVE_BULK, INTERACTIVE_BULK, INTERACTIVE_BULK,
	};

	return prio[tos >> 1 & 15];
}

static void set_tos(struct sock *sk, int v)
{
	struct inet_sock *inet = inet_sk(sk);

	/* A stream's ECN bits are the protocol's (RFC 3168). */
	if (sk->type == SOCK_STREAM)
		v = (v & ~3) | (inet->tos & 3);
	if (inet->tos != (uint8_t)v) {
		inet->tos = (uint8_t)v;
		sk->priority = tos2priority((uint8_t)v);
		sk_dst_reset(sk);
	}
}

/* The switches that are one bool. NULL: not one of them. */
static bool *bool_option(struct inet_sock *inet, int name)
{
	switch (name) {
	case IP_MULTICAST_LOOP: return &inet->mc_loop;
	case IP_MULTICAST_ALL: return &inet->mc_all;
	case IP_FREEBIND: return &inet->freebind;
	case IP_TRANSPARENT: return &inet->transparent;
	case IP_BIND_ADDRESS_NO_PORT: return &inet->bind_address_no_port;
	case IP_RECVERR: return &inet->recverr;
	default: return NULL;
	}
}

static int set_int_option(struct sock *sk, int name, int v)
{
	struct inet_sock *inet = inet_sk(sk);

	switch (name) {
	case IP_TOS:
		set_tos(sk, v);
		return 0;
	case IP_TTL: /* RFC 1122 3.2.1.7: never 0 */
		if (v != -1 && (v < 1 || v > 255))
			return -EINVAL;
		inet->uc_ttl = (int16_t)v;
		return 0;
	case IP_MINTTL:
		if (v < 0 || v > 255)
			return -EINVAL;
		inet->min_ttl = (uint8_t)v;
		return 0;
	case IP_HDRINCL:
		if (sk->type != SOCK_RAW)
			return -ENOPROTOOPT;
		inet->hdrincl = v != 0;
		return 0;
	case IP_NODEFRAG:
		if (sk->type != SOCK_RAW)
			return -ENOPROTOOPT;
		inet->nodefrag = v != 0;
		return 0;
	case IP_MTU_DISCOVER:
		if (v < IP_PMTUDISC_DONT || v > IP_PMTUDISC_OMIT)
			return -EINVAL;
		inet->pmtudisc = (uint8_t)v;
		return 0;
	case IP_MULTICAST_TTL:
		if (inet->is_icsk || v < -1 || v > 255)
			return -EINVAL;
		inet->mc_ttl = (uint8_t)(v == -1 ? 1 : v);
		return 0;
	case IP_UNICAST_IF: /* network order, as ip(7) has it */
		v = (int)ntohl((uint32_t)v);
		if (v && !dev_get_by_index(sk->net, v))
			return -EADDRNOTAVAIL;
		inet->uc_index = v;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* Of the others, nothing at all is as good as 0. */
static bool wants_an_octet(int name)
{
	return name == IP_TRANSPARENT || name == IP_FREEBIND || name == IP_MINTTL || name == IP_MULTICAST_TTL || name == IP_MULTICAST_LOOP ||
	       name == IP_MULTICAST_ALL;
}

int ip_setsockopt(struct sock *sk, int level, int name, const void *val, socklen_t len)
{
	struct inet_sock *inet = inet_sk(sk);
	bool *b;
	int v;

	if (level != IPPROTO_IP)
		return -ENOPROTOOPT;
	switch (name) {
	case IP_OPTIONS:
		return set_options(inet, val, len);
	case IP_ADD_MEMBERSHIP:
	case IP_DROP_MEMBERSHIP:
		return set_membership(sk, name, val, len);
	case MCAST_JOIN_GROUP:
	case MCAST_LEAVE_GROUP:
		return set_mcast_group(sk, name, val, len);
	case IP_MULTICAST_IF:
		return set_multicast_if(sk, val, len);
	case IP_ADD_SOURCE_MEMBERSHIP:
	case IP_DROP_SOURCE_MEMBERSHIP:
	case IP_BLOCK_SOURCE:
	case IP_UNBLOCK_SOURCE:
	case IP_MSFILTER:
	case MCAST_JOIN_SOURCE_GROUP:
	case MCAST_LEAVE_SOURCE_GROUP:
	case MCAST_BLOCK_SOURCE:
	case MCAST_UNBLOCK_SOURCE:
	case MCAST_MSFILTER:
		return ip_mc_source_setsockopt(sk, name, val, len);
	case OPT_LOCAL_PORT_RANGE:
		return set_port_range(inet, val, len);
	default:
		break;
	}
	v = opt_int(val, len);
	if (cmsg_flag_of(name))
		return set_cmsg_flag(sk, inet, name, cmsg_flag_of(name), v);
	if ((len < 1 && wants_an_octet(name)) || (name == IP_UNICAST_IF && len != sizeof(int)))
		return -EINVAL;
	b = bool_option(inet, name);
	if (!b)
		return set_int_option(sk, name, v);
	if (name == IP_MULTICAST_ALL && v != 0 && v != 1)
		return -EINVAL;
	*b = v != 0;
	if (name == IP_RECVERR && !v)
		skb_queue_purge_reason(&sk->error_queue, DROP_SOCKET_CLOSE);
	return 0;
}

/* ---- asking ---- */

static int get_int_option(struct sock *sk, int name, int *v)
{
	struct inet_sock *inet = inet_sk(sk);
	struct dst_entry *dst;
	const bool *b = bool_option(inet, name);

	if (b) {
		*v = *b;
		return 0;
	}
	if (cmsg_flag_of(name)) {
		*v = (inet->cmsg_flags & cmsg_flag_of(name)) != 0;
		return 0;
	}
	switch (name) {
	case IP_TOS: *v = inet->tos; return 0;
	case IP_TTL: *v = inet->uc_ttl == -1 ? sk->net->ipv4->sysctl.ip_default_ttl : inet->uc_ttl; return 0;
	case IP_MINTTL: *v = inet->min_ttl; return 0;
	case IP_HDRINCL: *v = inet->hdrincl; return 0;
	case IP_NODEFRAG: *v = inet->nodefrag; return 0;
	case IP_MTU_DISCOVER: *v = inet->pmtudisc; return 0;
	case IP_MULTICAST_TTL: *v = inet->mc_ttl; return 0;
	case OPT_LOCAL_PORT_RANGE: *v = (int)((uint32_t)inet->port_high << 16 | inet->port_low); return 0;
	case OPT_PROTOCOL: *v = inet->num; return 0; /* Linux: what a raw socket asked for; of the others, their port */
	case IP_UNICAST_IF: *v = (int)htonl((uint32_t)inet->uc_index); return 0;
	case IP_MTU: /* of the path to the peer */
		dst = __sk_dst_check(sk, 0);
		if (!dst && inet->daddr && inet_sk_rebuild_header(sk) == 0)
			dst = sk->dst_cache;
		if (!dst)
			return -ENOTCONN;
		*v = (int)dst_mtu(dst);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int get_options(const struct inet_sock *inet, void *val, socklen_t *len)
{
	struct ip_options opt;

	if (!inet->opt || !inet->opt->opt.optlen) {
		*len = 0;
		return 0;
	}
	opt = inet->opt->opt;
	ip_options_undo(&opt);
	*len = (socklen_t)min_sz(*len, opt.optlen);
	memcpy(val, opt.data, *len);
	return 0;
}

int ip_getsockopt(struct sock *sk, int level, int name, void *val, socklen_t *len)
{
	const struct inet_sock *inet = inet_sk(sk);
	uint32_t addr = htonl(inet->mc_addr);
	int v, err;

	if (level != IPPROTO_IP)
		return -EOPNOTSUPP;
	if (name == IP_OPTIONS)
		return get_options(inet, val, len);
	if (name == IP_PKTOPTIONS && sk->type == SOCK_STREAM) { /* of a connection's last segment nothing is kept */
		*len = 0;
		return 0;
	}
	if (name == IP_MSFILTER || name == MCAST_MSFILTER)
		return ip_mc_source_getsockopt(sk, name, val, len);
	if (name == IP_MULTICAST_IF) {
		*len = (socklen_t)min_sz(*len, sizeof(addr));
		memcpy(val, &addr, *len);
		return 0;
	}
	err = get_int_option(sk, name, &v);
	if (err)
		return err;
	/* A char is enough for who gave only room for one. */
	if (*len < sizeof(int) && *len > 0 && v >= 0 && v <= 255) {
		*(uint8_t *)val = (uint8_t)v;
		*len = 1;
		return 0;
	}
	*len = (socklen_t)min_sz(*len, sizeof(v));
	memcpy(val, &v, *len);
	return 0;
}

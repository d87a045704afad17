/* Source-specific multicast on a socket (RFC 3678): which sources of a group it wants (INCLUDE) or does not (EXCLUDE).
 *
 *   IP_ADD_SOURCE_MEMBERSHIP, IP_DROP_, IP_BLOCK_SOURCE, IP_UNBLOCK_   one source     and MCAST_JOIN_SOURCE_GROUP ...
 *   IP_MSFILTER, MCAST_MSFILTER                                          the whole list
 *
 * A list has at most net.ipv4.igmp_max_msf sources. The host is a member of the group as a whole: what it reports by IGMP does
 * not name sources (RFC 3376 5 would let it); the filter works where the datagram meets the socket (ip_mc_sf_allow).
 * Called by ip_sockglue.c. Tests: tests/unit/ipv4/test_mc_source.c. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include "ipv4/netns_ipv4.h"

static int find_source(const struct ip_mc_socklist *s, uint32_t source)
{
	for (uint32_t i = 0; i < s->n_src; i++)
		if (s->src[i] == source)
			return (int)i;
	return -1;
}

static int source_add(struct sock *sk, struct ip_mc_socklist *s, uint32_t source)
{
	if (s->n_src >= (uint32_t)sk->net->ipv4->sysctl.igmp_max_msf)
		return -ENOBUFS;
	if (find_source(s, source) >= 0)
		return -EADDRNOTAVAIL;
	s->src = xrealloc(s->src, (s->n_src + 1) * sizeof(*s->src));
	s->src[s->n_src++] = source;
	return 0;
}

static int source_del(struct sock *sk, struct ip_mc_socklist *s, uint32_t source)
{
	int i = find_source(s, source);

	if (i < 0)
		return -EADDRNOTAVAIL;
	if (s->n_src == 1 && s->sfmode == MCAST_INCLUDE) /* nothing is left to want */
		return ip_mc_leave_group(sk, s->multiaddr, 0, s->ifindex);
	s->src[i] = s->src[--s->n_src];
	return 0;
}

int ip_mc_source(struct sock *sk, const struct mc_source_op *op)
{
	struct ip_mc_socklist *s;
	int err;

	if (!ip4_is_multicast(op->group))
		return -EINVAL;
	if (op->add && op->mode == MCAST_INCLUDE) { /* joins, if need be */
		err = ip_mc_join_group(sk, op->group, op->ifaddr, op->ifindex);
		if (err && err != -EADDRINUSE)
			return err;
		s = ip_mc_find(sk, op->group, op->ifaddr, op->ifindex, &err);
		if (s && !s->n_src)
			s->sfmode = MCAST_INCLUDE;
	} else {
		s = ip_mc_find(sk, op->group, op->ifaddr, op->ifindex, &err);
	}
	if (!s)
		return err ? err : -EINVAL;
	if (s->n_src && s->sfmode != op->mode)
		return -EINVAL;
	s->sfmode = op->mode;
	return op->add ? source_add(sk, s, op->source) : source_del(sk, s, op->source);
}

int ip_mc_msfilter(struct sock *sk, const struct mc_source_op *op, const uint32_t *src, uint32_t n)
{
	struct ip_mc_socklist *s;
	int err;

	if (!ip4_is_multicast(op->group) || (op->mode != MCAST_INCLUDE && op->mode != MCAST_EXCLUDE))
		return -EINVAL;
	s = ip_mc_find(sk, op->group, op->ifaddr, op->ifindex, &err);
	if (!s)
		return err ? err : -EINVAL;
	if (op->mode == MCAST_INCLUDE && !n)
		return ip_mc_leave_group(sk, s->multiaddr, 0, s->ifindex);
	free(s->src);
	s->src = n ? xcalloc(n, sizeof(*s->src)) : NULL;
	if (n)
		memcpy(s->src, src, n * sizeof(*src));
	s->n_src = n;
	s->sfmode = op->mode;
	return 0;
}

bool ip_mc_sf_allow(const struct sock *sk, uint32_t group, uint32_t source, int ifindex)
{
	const struct ip_mc_socklist *s;

	if (!ip4_is_multicast(group))
		return true;
	list_for_each_entry(s, &inet_sk(sk)->mc_list, list) {
		if (s->multiaddr == group && s->ifindex == ifindex)
			return (find_source(s, source) >= 0) == (s->sfmode == MCAST_INCLUDE);
	}
	return inet_sk(sk)->mc_all; /* IP_MULTICAST_ALL: whatever the host is a member of */
}

/* ---- the options' forms ---- */
#define MSF_MAX 1024u /* more than any igmp_max_msf that makes sense: bounds a call's copy */

static uint32_t sin_addr_of(const struct sockaddr_storage *ss)
{
	struct sockaddr_in sin;

	memcpy(&sin, ss, sizeof(sin));
	return ntohl(sin.sin_addr.s_addr);
}

static bool op_of(int name, struct mc_source_op *op)
{
	switch (name) {
	case IP_ADD_SOURCE_MEMBERSHIP:
	case MCAST_JOIN_SOURCE_GROUP: op->add = true; op->mode = MCAST_INCLUDE; return true;
	case IP_DROP_SOURCE_MEMBERSHIP:
	case MCAST_LEAVE_SOURCE_GROUP: op->add = false; op->mode = MCAST_INCLUDE; return true;
	case IP_BLOCK_SOURCE:
	case MCAST_BLOCK_SOURCE: op->add = true; op->mode = MCAST_EXCLUDE; return true;
	case IP_UNBLOCK_SOURCE:
	case MCAST_UNBLOCK_SOURCE: op->add = false; op->mode = MCAST_EXCLUDE; return true;
	default: return false;
	}
}

static int set_one(struct sock *sk, int name, const void *val, socklen_t len, struct mc_source_op *op)
{
	struct ip_mreq_source m;
	struct group_source_req g;

	if (name >= MCAST_BLOCK_SOURCE) {
		if (len != sizeof(g))
			return -EINVAL;
		memcpy(&g, val, sizeof(g));
		if (g.gsr_group.ss_family != AF_INET || g.gsr_source.ss_family != AF_INET)
			return -EADDRNOTAVAIL;
		op->group = sin_addr_of(&g.gsr_group);
		op->source = sin_addr_of(&g.gsr_source);
		op->ifindex = (int)g.gsr_interface;
	} else {
		if (len != sizeof(m))
			return -EINVAL;
		memcpy(&m, val, sizeof(m));
		op->group = ntohl(m.imr_multiaddr.s_addr);
		op->source = ntohl(m.imr_sourceaddr.s_addr);
		op->ifaddr = ntohl(m.imr_interface.s_addr);
	}
	return inet_sk(sk)->is_icsk ? -EPROTO : ip_mc_source(sk, op);
}

/* IP_MSFILTER: four words, then sources. MCAST_MSFILTER: sockaddrs. */
static int set_filter(struct sock *sk, int name, const void *val, socklen_t len)
{
	const uint8_t *p = val;
	struct mc_source_op op = { 0 };
	uint32_t n, *src, head = name == IP_MSFILTER ? 16 : offsetof(struct group_filter, gf_slist);
	uint32_t each = name == IP_MSFILTER ? 4 : sizeof(struct sockaddr_storage);
	struct group_filter g;
	uint32_t w[4];
	int err;

	if (len < head)
		return -EINVAL;
	if (name == IP_MSFILTER) {
		memcpy(w, p, sizeof(w));
		op = (struct mc_source_op){ .group = ntohl(w[0]), .ifaddr = ntohl(w[1]), .mode = (uint8_t)min_u32(w[2], 255) };
		n = w[3];
	} else {
		memcpy(&g, p, head);
		op = (struct mc_source_op){ .group = sin_addr_of(&g.gf_group), .ifindex = (int)g.gf_interface,
					    .mode = (uint8_t)min_u32(g.gf_fmode, 255) };
		n = g.gf_numsrc;
	}
	if (n > (uint32_t)sk->net->ipv4->sysctl.igmp_max_msf || n > MSF_MAX)
		return -ENOBUFS;
	if (head + n * each > len)
		return -EINVAL;
	if (name == MCAST_MSFILTER && g.gf_group.ss_family != AF_INET)
		return -EADDRNOTAVAIL;
	src = xcalloc(n + 1, sizeof(*src));
	for (uint32_t i = 0; i < n; i++) {
		struct sockaddr_storage ss;

		if (name == IP_MSFILTER) {
			memcpy(&src[i], p + head + 4 * i, 4);
			src[i] = ntohl(src[i]);
		} else {
			memcpy(&ss, p + head + i * each, sizeof(ss));
			src[i] = sin_addr_of(&ss);
		}
	}
	err = ip_mc_msfilter(sk, &op, src, n);
	free(src);
	return err;
}

int ip_mc_source_setsockopt(struct sock *sk, int name, const void *val, socklen_t len)
{
	struct mc_source_op op = { 0 };

	if (name == IP_MSFILTER || name == MCAST_MSFILTER)
		return set_filter(sk, name, val, len);
	return op_of(name, &op) ? set_one(sk, name, val, len, &op) : -ENOPROTOOPT;
}

/* How the list stands: mode, number, and as many sources as there is room for. */
int ip_mc_source_getsockopt(struct sock *sk, int name, void *val, socklen_t *len)
{
	uint32_t head = name == IP_MSFILTER ? 16 : offsetof(struct group_filter, gf_slist), w[4] = { 0 }, group, ifaddr = 0, room;
	uint32_t each = name == IP_MSFILTER ? 4 : sizeof(struct sockaddr_storage);
	const struct ip_mc_socklist *s;
	struct group_filter g;
	uint8_t *p = val;
	int err, ifindex = 0;

	if (*len < head)
		return -EINVAL;
	if (name == IP_MSFILTER) {
		memcpy(w, p, sizeof(w));
		group = ntohl(w[0]);
		ifaddr = ntohl(w[1]);
		room = w[3];
	} else {
		memcpy(&g, p, head);
		group = sin_addr_of(&g.gf_group);
		ifindex = (int)g.gf_interface;
		room = g.gf_numsrc;
	}
	if (!ip4_is_multicast(group))
		return -EINVAL;
	s = ip_mc_find(sk, group, ifaddr, ifindex, &err);
	if (!s)
		return err ? err : -EADDRNOTAVAIL;
	room = min_u32(min_u32(room, s->n_src), (*len - head) / each);
	for (uint32_t i = 0; i < room; i++) {
		struct sockaddr_storage ss = { .ss_family = AF_INET };
		uint32_t a = htonl(s->src[i]);

		memcpy((uint8_t *)&ss + offsetof(struct sockaddr_in, sin_addr), &a, 4);
		memcpy(p + head + i * each, name == IP_MSFILTER ? (void *)&a : (void *)&ss, each);
	}
	w[2] = s->sfmode;
	w[3] = s->n_src;
	memcpy(p + (name == IP_MSFILTER ? 8 : offsetof(struct group_filter, gf_fmode)), w + 2, 8);
	*len = head + room * each;
	return 0;
}

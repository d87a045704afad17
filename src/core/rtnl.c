/* The control socket's messages: building, parsing and dispatch (netlink(7), rtnetlink(7), RFC 3549).
 *
 * Decides: whether a request is well formed, whose handler answers it, and in what frame the answer goes back
 * (NLM_F_MULTI ... NLMSG_DONE for dumps, NLMSG_ERROR for refusals and wanted acknowledgements).
 * Called by: socket/af_netlink.c, the rooms that register handlers. Calls: their doit and dumpit.
 * Messages are Linux's in host byte order; addresses in attributes are network order as in Linux.
 * Tests: tests/unit/core/test_rtnl.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "core/rtnl.h"
#include "core/rtnl_core.h"

#define RTNL_MAX_HANDLERS 128
/* One attribute's length field has 16 bits. */
#define NLA_MAX_PAYLOAD (UINT16_MAX - sizeof(struct nlattr))

struct rtnl_net {
	struct rtnl_handler *h;
	size_t n;
	struct genl_table genl;
};

struct genl_table *genl_table(struct net *net) { return &net->rtnl->genl; }

/* ---- building ---- */

static void nl_pad(struct nl_reply *r)
{
	static const char zero[NLMSG_ALIGNTO];
	size_t over = r->buf.len % NLMSG_ALIGNTO;

	if (over)
		sb_add(&r->buf, zero, NLMSG_ALIGNTO - over);
}

struct nlmsghdr *nl_begin(struct nl_reply *r, uint16_t type, uint16_t flags, const void *family_hdr,
			  size_t len)
{
	struct nlmsghdr h = { .nlmsg_type = type, .nlmsg_flags = flags, .nlmsg_seq = r->seq,
			      .nlmsg_pid = r->portid };

	nl_pad(r);
	r->msg_start = r->buf.len;
	sb_add(&r->buf, &h, sizeof(h));
	sb_add(&r->buf, family_hdr, len);
	nl_pad(r);
	return (struct nlmsghdr *)(void *)(r->buf.buf + r->msg_start);
}

void nl_attr(struct nl_reply *r, uint16_t type, const void *data, size_t len)
{
	struct nlattr a = { .nla_len = (uint16_t)(sizeof(a) + len), .nla_type = type };

	if (len > NLA_MAX_PAYLOAD)
		return;
	sb_add(&r->buf, &a, sizeof(a));
	sb_add(&r->buf, data, len);
	nl_pad(r);
}

void nl_attr_u32(struct nl_reply *r, uint16_t type, uint32_t v)
{
	nl_attr(r, type, &v, sizeof(v));
}

void nl_attr_u8(struct nl_reply *r, uint16_t type, uint8_t v)
{
	nl_attr(r, type, &v, sizeof(v));
}

void nl_attr_str(struct nl_reply *r, uint16_t type, const char *s)
{
	nl_attr(r, type, s, strlen(s) + 1);
}

void nl_attr_ip4(struct nl_reply *r, uint16_t type, uint32_t addr)
{
	uint8_t b[4];

	put_be32(b, addr);
	nl_attr(r, type, b, sizeof(b));
}

size_t nl_nest_start(struct nl_reply *r, uint16_t type)
{
	size_t at = r->buf.len;

	nl_attr(r, type, NULL, 0);
	return at;
}

void nl_nest_end(struct nl_reply *r, size_t at)
{
	struct nlattr a;

	memcpy(&a, r->buf.buf + at, sizeof(a));
	a.nla_len = (uint16_t)(r->buf.len - at);
	memcpy(r->buf.buf + at, &a, sizeof(a));
}

void nl_end(struct nl_reply *r)
{
	uint32_t len = (uint32_t)(r->buf.len - r->msg_start);

	memcpy(r->buf.buf + r->msg_start + offsetof(struct nlmsghdr, nlmsg_len), &len, sizeof(len));
}

/* ---- parsing ---- */

int nl_parse(const struct nlmsghdr *h, size_t hdrlen, const struct nlattr **tb, unsigned max)
{
	const char *p = (const char *)h;
	size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(hdrlen);

	memset(tb, 0, (max + 1) * sizeof(*tb));
	if (h->nlmsg_len < NLMSG_HDRLEN + hdrlen)
		return -EINVAL;
	while (at + sizeof(struct nlattr) <= h->nlmsg_len) {
		const struct nlattr *a = (const void *)(p + at);
		unsigned type = a->nla_type & 0x3fffu; /* without the nested and byte order bits */

		if (a->nla_len < sizeof(*a) || a->nla_len > h->nlmsg_len - at)
			return -EINVAL;
		if (type <= max)
			tb[type] = a;
		at += NLMSG_ALIGN((size_t)a->nla_len);
	}
	return 0;
}

uint32_t nla_get_u32(const struct nlattr *a)
{
	uint32_t v = 0;

	memcpy(&v, nla_data(a), min_sz(nla_len(a), sizeof(v)));
	return v;
}

uint32_t nla_get_ip4(const struct nlattr *a)
{
	uint8_t b[4] = { 0 };

	memcpy(b, nla_data(a), min_sz(nla_len(a), sizeof(b)));
	return get_be32(b);
}

/* ---- dispatch ---- */

static struct rtnl_handler *rtnl_find(struct rtnl_net *rn, uint16_t protocol, uint16_t type)
{
	size_t i;

	for (i = 0; i < rn->n; i++)
		if (rn->h[i].protocol == protocol && rn->h[i].type == type)
			return &rn->h[i];
	return NULL;
}

int rtnl_register(struct net *net, const struct rtnl_handler *h, size_t n)
{
	struct rtnl_net *rn = net->rtnl;
	size_t i;

	if (n > RTNL_MAX_HANDLERS - rn->n)
		return -ENOSPC;
	for (i = 0; i < n; i++)
		if (rtnl_find(rn, h[i].protocol, h[i].type))
			return -EEXIST;
	rn->h = xrealloc(rn->h, (rn->n + n) * sizeof(*h));
	memcpy(rn->h + rn->n, h, n * sizeof(*h));
	rn->n += n;
	return 0;
}

/* netlink(7): the code and the header that it is about; an error also quotes the request. */
static void rtnl_ack(struct nl_reply *r, const struct nlmsghdr *h, int err)
{
	struct nlmsgerr e = { .error = err, .msg = *h };

	nl_begin(r, NLMSG_ERROR, err ? 0 : NLM_F_CAPPED, &e, sizeof(e));
	if (err && h->nlmsg_len > sizeof(*h))
		sb_add(&r->buf, h + 1, h->nlmsg_len - sizeof(*h));
	nl_end(r);
}

/* Every message of a dump says that more follow; the last one says that none do. */
static void rtnl_finish_dump(struct nl_reply *r, size_t from, int err)
{
	uint16_t flags;
	uint32_t len;

	nl_pad(r);
	for (; from < r->buf.len; from += NLMSG_ALIGN(len)) {
		char *m = r->buf.buf + from;

		memcpy(&len, m + offsetof(struct nlmsghdr, nlmsg_len), sizeof(len));
		memcpy(&flags, m + offsetof(struct nlmsghdr, nlmsg_flags), sizeof(flags));
		flags |= NLM_F_MULTI;
		memcpy(m + offsetof(struct nlmsghdr, nlmsg_flags), &flags, sizeof(flags));
	}
	nl_begin(r, NLMSG_DONE, NLM_F_MULTI, &err, sizeof(err));
	nl_end(r);
}

/* The dump bits mean "replace" and "excl" in route messages that are not questions (rtnetlink(7)). */
static bool rtnl_wants_dump(uint16_t protocol, const struct nlmsghdr *h)
{
	if (protocol == NETLINK_ROUTE && ((h->nlmsg_type - RTM_BASE) & 3) != 2)
		return false;
	return (h->nlmsg_flags & NLM_F_DUMP) != 0;
}

static void rtnl_one(struct net *net, uint16_t protocol, const struct nlmsghdr *h, struct nl_reply *r)
{
	TRACE_FN_AS(&net->probe, protocol == NETLINK_ROUTE ? "rtnetlink_rcv_msg" : protocol == NETLINK_GENERIC ? "genl_rcv_msg" : "sock_diag_rcv_msg", 0);
	const struct rtnl_handler *rh = rtnl_find(net->rtnl, protocol, h->nlmsg_type);
	size_t from;
	int err;

	r->seq = h->nlmsg_seq;
	nl_pad(r);
	from = r->buf.len;
	if (rh && rtnl_wants_dump(protocol, h)) {
		err = rh->dumpit ? rh->dumpit(net, h, r) : -EOPNOTSUPP;
		if (err >= 0) {
			rtnl_finish_dump(r, from, 0);
			return;
		}
	} else {
		err = rh && rh->doit ? rh->doit(net, h, r) : -EOPNOTSUPP;
	}
	if (err < 0)
		r->buf.len = from; /* half an answer is none */
	if (err < 0 || (h->nlmsg_flags & NLM_F_ACK))
		rtnl_ack(r, h, err < 0 ? err : 0);
}

/* Handlers may look at the message as structs, so it must be aligned; the program's buffer need not be. */
void rtnl_receive(struct net *net, uint16_t protocol, const void *buf, size_t len, struct nl_reply *r)
{
	char *copy = xcalloc(1, len + NLMSG_ALIGNTO);
	size_t at = 0;

	memcpy(copy, buf, len);
	while (len - at >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *h = (const void *)(copy + at);

		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > len - at)
			break;
		if ((h->nlmsg_flags & NLM_F_REQUEST) && h->nlmsg_type >= NLMSG_MIN_TYPE)
			rtnl_one(net, protocol, h, r);
		else if (h->nlmsg_flags & NLM_F_ACK)
			rtnl_ack(r, h, 0);
		at += min_sz(NLMSG_ALIGN(h->nlmsg_len), len - at);
	}
	free(copy);
}

static int rtnl_net_init(struct net *net)
{
	int err;

	net->rtnl = xcalloc(1, sizeof(*net->rtnl));
	err = rtnl_link_init(net);
	if (!err)
		err = rtnl_neigh_init(net);
	return err ? err : genl_init(net);
}

static void rtnl_net_exit(struct net *net)
{
	if (!net->rtnl)
		return;
	free(net->rtnl->h);
	free(net->rtnl);
	net->rtnl = NULL;
}

const struct pernet_operations rtnl_net_ops = { "rtnl", rtnl_net_init, rtnl_net_exit };

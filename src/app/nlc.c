/* The client of the control socket (rtnetlink(7)). Called by ip, ss, ifconfig...; hands messages to a netlink
 * socket, with every length checked before it is used. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "app/nlc.h"
#include "base/pool.h"
#include "socket/syscall.h"

#define NLC_BUF 65536
#define NL_ALIGN4(n) (((n) + 3u) & ~(size_t)3u)

int nlc_open(struct nlc *c, struct task *t, int protocol)
{
	*c = (struct nlc){ .t = t, .seq = 1 };
	c->fd = sys_socket(t, AF_NETLINK, SOCK_RAW, protocol);
	return c->fd < 0 ? c->fd : 0;
}

void nlc_close(struct nlc *c)
{
	sys_close(c->t, c->fd);
}

void nlc_begin(struct nlc_req *r, uint16_t type, uint16_t flags, const void *hdr, size_t len)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)r->buf;

	memset(r->buf, 0, sizeof(r->buf));
	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST);
	memcpy(r->buf + sizeof(*h), hdr, len);
	r->len = NL_ALIGN4(sizeof(*h) + len);
}

void nlc_attr(struct nlc_req *r, uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)(void *)(r->buf + r->len);

	if (r->len + sizeof(*a) + NL_ALIGN4(len) > sizeof(r->buf))
		return; /* names and addresses never come near it */
	a->nla_type = type;
	a->nla_len = (uint16_t)(sizeof(*a) + len);
	if (len)
		memcpy(a + 1, data, len);
	r->len += sizeof(*a) + NL_ALIGN4(len);
}

void nlc_attr_u32(struct nlc_req *r, uint16_t type, uint32_t v) { nlc_attr(r, type, &v, sizeof(v)); }

void nlc_attr_ip4(struct nlc_req *r, uint16_t type, uint32_t addr)
{
	uint8_t b[4];

	put_be32(b, addr);
	nlc_attr(r, type, b, sizeof(b));
}

size_t nlc_nest(struct nlc_req *r, uint16_t type)
{
	size_t at = r->len;

	nlc_attr(r, (uint16_t)(type | NLA_F_NESTED), NULL, 0);
	return at;
}

void nlc_nest_end(struct nlc_req *r, size_t at)
{
	((struct nlattr *)(void *)(r->buf + at))->nla_len = (uint16_t)(r->len - at);
}

void nlc_index(const void *data, size_t len, const struct nlattr **tb, unsigned max)
{
	const uint8_t *p = data;

	memset(tb, 0, sizeof(*tb) * (max + 1));
	while (len >= sizeof(struct nlattr)) {
		const struct nlattr *a = (const struct nlattr *)(const void *)p;
		unsigned type = a->nla_type & 0x3fffu;
		size_t step;
		if (a->nla_len < sizeof(*a) || a->nla_len > len)
			return;
		if (type <= max)
			tb[type] = a;
		step = NL_ALIGN4((size_t)a->nla_len);
		if (step >= len)
			return;
		p += step;
		len -= step;
	}
}

/* One datagram of replies. 1: more to come, 0: done, -errno. */
static int replies(struct nlc *c, const uint8_t *p, size_t len, size_t hdrlen, void (*fn)(const struct nlc_msg *, void *), void *arg)
{
	while (len >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)p;
		struct nlc_msg m;
		size_t body = NL_ALIGN4(sizeof(*h) + hdrlen), step;

		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > len)
			return -EPROTO;
		if (h->nlmsg_seq == c->seq) {
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR) {
				int32_t err;
				if (h->nlmsg_len < sizeof(*h) + sizeof(err))
					return -EPROTO;
				memcpy(&err, p + sizeof(*h), sizeof(err));
				return err;
			}
			if (fn && h->nlmsg_len >= body) {
				m.type = h->nlmsg_type;
				m.hdr = p + sizeof(*h);
				nlc_index(p + body, h->nlmsg_len - body, m.tb, NLC_TB_MAX - 1);
				fn(&m, arg);
			}
			if (!(h->nlmsg_flags & NLM_F_MULTI))
				return 0;
		}
		step = NL_ALIGN4((size_t)h->nlmsg_len);
		if (step >= len)
			break;
		p += step;
		len -= step;
	}
	return 1;
}

int nlc_talk(struct nlc *c, struct nlc_req *r, size_t hdrlen, void (*fn)(const struct nlc_msg *m, void *arg), void *arg)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)r->buf;
	uint8_t *buf;
	ssize_t n;
	int ret;

	h->nlmsg_len = (uint32_t)r->len;
	h->nlmsg_seq = ++c->seq;
	n = sys_sendto(c->t, c->fd, r->buf, r->len, 0, NULL, 0);
	if (n < 0)
		return (int)n;
	buf = xcalloc(1, NLC_BUF);
	do {
		n = sys_recvfrom(c->t, c->fd, buf, NLC_BUF, 0, NULL, NULL);
		ret = n < 0 ? (int)n : replies(c, buf, (size_t)n, hdrlen, fn, arg);
	} while (ret == 1);
	free(buf);
	return ret;
}

uint32_t nlc_u32(const struct nlattr *a)
{
	uint32_t v = 0;

	if (nlc_len(a) >= sizeof(v))
		memcpy(&v, nlc_data(a), sizeof(v));
	return v;
}

uint64_t nlc_u64(const struct nlattr *a, size_t at)
{
	uint64_t v = 0;

	if (nlc_len(a) >= (at + 1) * sizeof(v))
		memcpy(&v, (const uint8_t *)nlc_data(a) + at * sizeof(v), sizeof(v));
	return v;
}

uint32_t nlc_ip4(const struct nlattr *a)
{
	return nlc_len(a) >= 4 ? get_be32(nlc_data(a)) : 0;
}

static void add_link(const struct nlc_msg *m, void *arg)
{
	struct nlc_links *l = arg;
	const struct ifinfomsg *i = m->hdr;
	struct nlc_link *e;

	if (!m->tb[IFLA_IFNAME])
		return;
	l->v = xrealloc(l->v, (l->n + 1) * sizeof(*l->v));
	e = &l->v[l->n++];
	memset(e, 0, sizeof(*e));
	e->index = i->ifi_index;
	memcpy(e->name, nlc_data(m->tb[IFLA_IFNAME]), min_sz(nlc_len(m->tb[IFLA_IFNAME]), sizeof(e->name) - 1));
}

int nlc_links(struct nlc *c, struct nlc_links *out)
{
	struct ifinfomsg i = { 0 };
	struct nlc_req r;

	*out = (struct nlc_links){ 0 };
	nlc_begin(&r, RTM_GETLINK, NLM_F_DUMP, &i, sizeof(i));
	return nlc_talk(c, &r, sizeof(i), add_link, out);
}

void nlc_links_free(struct nlc_links *l)
{
	free(l->v);
	*l = (struct nlc_links){ 0 };
}

const char *nlc_link_name(const struct nlc_links *l, int index)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].index == index)
			return l->v[i].name;
	return "if?";
}

int nlc_link_index(const struct nlc_links *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i].name, name))
			return l->v[i].index;
	return 0;
}

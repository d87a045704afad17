/* Control messages: building and parsing, dispatch, and links as they are shown and changed. */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include "room_fixture.h"

struct req {
	struct nl_reply m; /* a request is built like a reply */
	struct nl_reply r;
};

static void req_begin(struct req *q, uint16_t type, uint16_t flags, const void *hdr, size_t len)
{
	memset(q, 0, sizeof(*q));
	sb_init(&q->m.buf);
	sb_init(&q->r.buf);
	q->m.seq = 7;
	q->r.portid = 99;
	nl_begin(&q->m, type, (uint16_t)(flags | NLM_F_REQUEST), hdr, len);
}

static void req_send(struct fx *f, struct req *q)
{
	nl_end(&q->m);
	rtnl_receive(f->net, NETLINK_ROUTE, q->m.buf.buf, q->m.buf.len, &q->r);
}

static void req_free(struct req *q)
{
	sb_free(&q->m.buf);
	sb_free(&q->r.buf);
}

/* Message number i of the reply; NULL past the end. */
static const struct nlmsghdr *msg_at(const struct req *q, size_t i)
{
	size_t at = 0;

	while (at + sizeof(struct nlmsghdr) <= q->r.buf.len) {
		const struct nlmsghdr *h = (const void *)(q->r.buf.buf + at);

		assert_true(h->nlmsg_len >= sizeof(*h) && h->nlmsg_len <= q->r.buf.len - at);
		assert_int_equal(h->nlmsg_seq, 7);
		assert_int_equal(h->nlmsg_pid, 99);
		if (!i--)
			return h;
		at += NLMSG_ALIGN((size_t)h->nlmsg_len);
	}
	assert_int_equal(at, q->r.buf.len);
	return NULL;
}

/* The only message must be an NLMSG_ERROR with this code. */
static int the_error(const struct req *q)
{
	const struct nlmsghdr *h = msg_at(q, 0);

	assert_non_null(h);
	assert_int_equal(h->nlmsg_type, NLMSG_ERROR);
	assert_null(msg_at(q, 1));
	return ((const struct nlmsgerr *)(const void *)(h + 1))->error;
}

static int link_request(struct fx *f, uint16_t type, uint16_t flags, const struct ifinfomsg *ifi, uint16_t attr,
			const void *data, size_t len)
{
	struct req q;
	int err;

	req_begin(&q, type, (uint16_t)(flags | NLM_F_ACK), ifi, sizeof(*ifi));
	if (attr)
		nl_attr(&q.m, attr, data, len);
	req_send(f, &q);
	err = the_error(&q);
	req_free(&q);
	return err;
}

/* ---- messages ---- */

static void attributes_are_padded_nested_and_found(void **state)
{
	struct nl_reply r = { .seq = 1 };
	const struct nlattr *tb[9], *in[3];
	const struct nlmsghdr *h;
	struct nlmsghdr fake;
	size_t nest;
	uint32_t one = 0x01020304;

	sb_init(&r.buf);
	nl_begin(&r, 100, 0, &one, 4);
	nl_attr_str(&r, 1, "lo");
	nl_attr_u8(&r, 2, 5);
	nest = nl_nest_start(&r, 3);
	nl_attr_u32(&r, 1, 77);
	nl_attr_ip4(&r, 2, 0x0a000001);
	nl_nest_end(&r, nest);
	nl_attr(&r, 8, NULL, 0);
	nl_end(&r);
	h = (const void *)r.buf.buf;
	assert_int_equal(h->nlmsg_len, r.buf.len);
	assert_int_equal(nl_parse(h, 4, tb, 8), 0);
	assert_string_equal(nla_data(tb[1]), "lo");
	assert_int_equal(nla_len(tb[2]), 1);
	assert_non_null(tb[8]);
	assert_null(tb[4]);
	memset(&fake, 0, sizeof(fake));
	assert_int_equal(nla_len(tb[3]), 16);
	/* the nest is a list of attributes of its own */
	in[1] = nla_data(tb[3]);
	in[2] = (const void *)((const char *)in[1] + 8);
	assert_int_equal(nla_get_u32(in[1]), 77);
	assert_int_equal(nla_get_ip4(in[2]), 0x0a000001);
	/* unknown types beyond max are skipped */
	assert_int_equal(nl_parse(h, 4, tb, 2), 0);
	sb_free(&r.buf);
}

static void malformed_attributes_are_refused(void **state)
{
	uint32_t buf[16] = { 0 };
	struct nlmsghdr *h = (void *)buf;
	struct nlattr *a = (void *)(h + 1);
	const struct nlattr *tb[5];

	h->nlmsg_len = sizeof(*h) + 8;
	a->nla_type = 1;
	for (uint16_t len = 0; len < 32; len++) {
		a->nla_len = len;
		assert_int_equal(nl_parse(h, 0, tb, 4), len < 5 || len > 8 ? -EINVAL : 0); /* 4: then comes one of length 0 */
	}
	h->nlmsg_len = sizeof(*h) + 3;
	assert_int_equal(nl_parse(h, 4, tb, 4), -EINVAL); /* shorter than its own header */
	h->nlmsg_len = sizeof(*h) + 6;
	a->nla_len = 4;
	assert_int_equal(nl_parse(h, 0, tb, 4), 0); /* two octets of padding behind */
}

static void truncated_and_garbage_requests_do_no_harm(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct ifinfomsg ifi = { 0 };
	struct req q;
	char *copy;
	uint32_t seed = 1;

	req_begin(&q, RTM_GETLINK, NLM_F_DUMP, &ifi, sizeof(ifi));
	nl_attr_str(&q.m, IFLA_IFNAME, "eth0");
	nl_end(&q.m);
	copy = malloc(q.m.buf.len + 1);
	for (size_t len = 0; len <= q.m.buf.len; len++) {
		memcpy(copy + 1, q.m.buf.buf, len);
		rtnl_receive(f->net, NETLINK_ROUTE, copy + 1, len, &q.r); /* misaligned on purpose */
		if (len < q.m.buf.len)
			assert_int_equal(q.r.buf.len, 0);
	}
	assert_true(q.r.buf.len > 0);
	for (int round = 0; round < 20000; round++) {
		memcpy(copy, q.m.buf.buf, q.m.buf.len);
		for (int k = 0; k < 3; k++) {
			seed = seed * 1103515245u + 12345u;
			copy[(seed >> 8) % q.m.buf.len] = (char)(seed >> 20);
		}
		sb_reset(&q.r.buf);
		rtnl_receive(f->net, (uint16_t)(round & 1 ? NETLINK_ROUTE : NETLINK_SOCK_DIAG), copy, q.m.buf.len, &q.r);
	}
	free(copy);
	req_free(&q);
	fx_free(f);
}

/* "nlctrl": a family by its number or its name; the number 0 is nobody's. */
static int genl_ask(struct fx *f, struct req *q, const uint16_t *id, const char *name)
{
	const struct genlmsghdr g = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 };

	req_begin(q, GENL_ID_CTRL, 0, &g, sizeof(g));
	if (id)
		nl_attr(&q->m, CTRL_ATTR_FAMILY_ID, id, sizeof(*id));
	if (name)
		nl_attr_str(&q->m, CTRL_ATTR_FAMILY_NAME, name);
	nl_end(&q->m);
	rtnl_receive(f->net, NETLINK_GENERIC, q->m.buf.buf, q->m.buf.len, &q->r);
	return msg_at(q, 0)->nlmsg_type == NLMSG_ERROR ? the_error(q) : 0;
}

static void generic_families_are_found(void **state)
{
	const uint16_t none = 0, ctrl = GENL_ID_CTRL, other = GENL_ID_CTRL + 1000;
	const struct { const uint16_t *id; const char *name; int want; } t[] = {
		{ &ctrl, NULL, 0 }, { NULL, "nlctrl", 0 }, { &ctrl, "other", 0 }, { &none, NULL, -ENOENT }, { &none, "nlctrl", -ENOENT },
		{ &other, NULL, -ENOENT }, { NULL, "nlctr", -ENOENT }, { NULL, "nlctrl2", -ENOENT }, { NULL, "", -ENOENT }, { NULL, NULL, -EINVAL },
	};
	struct fx *f = fx_rooms(NULL);
	uint32_t seed = 1;
	struct req q;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(genl_ask(f, &q, t[i].id, t[i].name), t[i].want);
		if (!t[i].want)
			assert_int_equal(msg_at(&q, 0)->nlmsg_type, GENL_ID_CTRL);
		req_free(&q);
	}
	for (int round = 0; round < 20000; round++) {
		char copy[128];

		req_begin(&q, GENL_ID_CTRL, 0, &(struct genlmsghdr){ .cmd = CTRL_CMD_GETFAMILY }, GENL_HDRLEN);
		nl_attr(&q.m, CTRL_ATTR_FAMILY_ID, &ctrl, sizeof(ctrl));
		nl_attr_str(&q.m, CTRL_ATTR_FAMILY_NAME, "nlctrl");
		nl_end(&q.m);
		memcpy(copy, q.m.buf.buf, q.m.buf.len);
		for (int k = 0; k < 3; k++) {
			seed = seed * 1103515245u + 12345u;
			copy[(seed >> 8) % q.m.buf.len] = (char)(seed >> 20);
		}
		rtnl_receive(f->net, NETLINK_GENERIC, copy, q.m.buf.len, &q.r);
		req_free(&q);
	}
	fx_free(f);
}

static int doit_calls, dump_calls;

static int test_doit(struct net *net, const struct nlmsghdr *h, struct nl_reply *r)
{
	doit_calls++;
	if (h->nlmsg_len == NLMSG_HDRLEN)
		return -ERANGE;
	nl_begin(r, 200, 0, NULL, 0);
	nl_end(r);
	return 0;
}

static int test_dump(struct net *net, const struct nlmsghdr *h, struct nl_reply *r)
{
	dump_calls++;
	for (uint32_t i = 0; i < 3; i++) {
		nl_begin(r, 201, 0, &i, 4);
		nl_attr_u8(r, 1, 1);
		nl_end(r);
	}
	return 0;
}

static void answers_have_netlinks_frames(void **state)
{
	static const struct rtnl_handler h[] = { { NETLINK_ROUTE, RTM_GETADDR, test_doit, test_dump } };
	struct fx *f = fx_rooms(NULL);
	const struct nlmsghdr *m;
	uint32_t body = 0;
	struct req q;

	assert_int_equal(rtnl_register(f->net, h, 1), 0);
	assert_int_equal(rtnl_register(f->net, h, 1), -EEXIST);
	/* a dump: three with MULTI, then DONE */
	req_begin(&q, RTM_GETADDR, NLM_F_DUMP, &body, 4);
	req_send(f, &q);
	for (size_t i = 0; i < 3; i++) {
		m = msg_at(&q, i);
		assert_int_equal(m->nlmsg_type, 201);
		assert_true(m->nlmsg_flags & NLM_F_MULTI);
	}
	m = msg_at(&q, 3);
	assert_int_equal(m->nlmsg_type, NLMSG_DONE);
	assert_int_equal(m->nlmsg_len, NLMSG_HDRLEN + 4);
	assert_null(msg_at(&q, 4));
	req_free(&q);
	/* one, without and with acknowledgement */
	req_begin(&q, RTM_GETADDR, 0, &body, 4);
	req_send(f, &q);
	assert_int_equal(msg_at(&q, 0)->nlmsg_type, 200);
	assert_null(msg_at(&q, 1));
	req_free(&q);
	req_begin(&q, RTM_GETADDR, NLM_F_ACK, &body, 4);
	req_send(f, &q);
	assert_int_equal(msg_at(&q, 0)->nlmsg_type, 200);
	assert_int_equal(msg_at(&q, 1)->nlmsg_type, NLMSG_ERROR);
	req_free(&q);
	/* refusals */
	req_begin(&q, RTM_GETADDR, 0, NULL, 0);
	req_send(f, &q);
	assert_int_equal(the_error(&q), -ERANGE);
	req_free(&q);
	req_begin(&q, 900, 0, NULL, 0);
	req_send(f, &q);
	assert_int_equal(the_error(&q), -EOPNOTSUPP);
	req_free(&q);
	fx_free(f);
}

/* ---- links ---- */

static const struct nlmsghdr *link_msg(struct fx *f, struct req *q, const char *name)
{
	struct ifinfomsg ifi = { 0 };

	req_begin(q, RTM_GETLINK, 0, &ifi, sizeof(ifi));
	nl_attr_str(&q->m, IFLA_IFNAME, name);
	req_send(f, q);
	return msg_at(q, 0);
}

static void link_shows_what_the_device_has(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct tdev *d = tdev_new(f->net, "eth0");
	const struct nlattr *tb[IFLA_MAX + 1];
	struct rtnl_link_stats64 st;
	const struct ifinfomsg *ifi;
	const struct nlmsghdr *h;
	struct req q;

	d->dev->stats.rx_packets = 12345;
	d->dev->stats.tx_bytes = 1ull << 40;
	assert_int_equal(dev_open(d->dev), 0);
	netif_carrier_on(d->dev);
	h = link_msg(f, &q, "eth0");
	assert_int_equal(h->nlmsg_type, RTM_NEWLINK);
	ifi = (const void *)(h + 1);
	assert_int_equal(ifi->ifi_index, d->dev->ifindex);
	assert_int_equal(ifi->ifi_type, 1);
	assert_true(ifi->ifi_flags & DEVF_UP);
	assert_true(ifi->ifi_flags & DEVF_RUNNING);
	assert_true(ifi->ifi_flags & DEVF_LOWER_UP);
	assert_int_equal(nl_parse(h, sizeof(*ifi), tb, IFLA_MAX), 0);
	assert_string_equal(nla_data(tb[IFLA_IFNAME]), "eth0");
	assert_int_equal(nla_get_u32(tb[IFLA_MTU]), 1500);
	assert_memory_equal(nla_data(tb[IFLA_ADDRESS]), d->dev->dev_addr, 6);
	assert_int_equal(*(const uint8_t *)nla_data(tb[IFLA_OPERSTATE]), 6);
	assert_non_null(tb[IFLA_QDISC]);
	assert_int_equal(nla_get_u32(tb[IFLA_TXQLEN]), d->dev->tx_queue_len);
	memcpy(&st, nla_data(tb[IFLA_STATS64]), sizeof(st));
	assert_int_equal(st.rx_packets, 12345);
	assert_int_equal(st.tx_bytes, 1ull << 40);
	req_free(&q);
	netif_carrier_off(d->dev);
	h = link_msg(f, &q, "eth0");
	ifi = (const void *)(h + 1);
	assert_false(ifi->ifi_flags & DEVF_RUNNING);
	nl_parse(h, sizeof(*ifi), tb, IFLA_MAX);
	assert_int_equal(*(const uint8_t *)nla_data(tb[IFLA_OPERSTATE]), 2);
	req_free(&q);
	fx_free(f);
}

static void link_dump_has_them_all(void **state)
{
	struct fx *f = fx_rooms(NULL);
	struct ifinfomsg ifi = { 0 };
	struct req q;

	tdev_new(f->net, "eth0");
	tdev_new(f->net, "eth1");
	req_begin(&q, RTM_GETLINK, NLM_F_DUMP, &ifi, sizeof(ifi));
	req_send(f, &q);
	assert_int_equal(msg_at(&q, 0)->nlmsg_type, RTM_NEWLINK);
	assert_int_equal(msg_at(&q, 1)->nlmsg_type, RTM_NEWLINK);
	assert_int_equal(msg_at(&q, 2)->nlmsg_type, NLMSG_DONE);
	req_free(&q);
	fx_free(f);
}

static void link_changes_and_refusals(void **state)
{
	static const uint8_t mac[6] = { 2, 1, 2, 3, 4, 5 }, group[6] = { 1, 0, 0x5e, 0, 0, 1 };
	struct fx *f = fx_rooms(NULL);
	struct tdev *d = tdev_new(f->net, "eth0");
	struct ifinfomsg ifi = { .ifi_index = d->dev->ifindex };
	struct ifinfomsg none = { .ifi_index = 77 };
	uint32_t mtu = 9000, small = 10, qlen = 500;

	/* up and down */
	ifi.ifi_flags = ifi.ifi_change = DEVF_UP;
	assert_int_equal(link_request(f, RTM_NEWLINK, 0, &ifi, 0, NULL, 0), 0);
	assert_true(d->dev->flags & DEVF_UP);
	ifi.ifi_flags = 0;
	assert_int_equal(link_request(f, RTM_NEWLINK, 0, &ifi, 0, NULL, 0), 0);
	assert_false(d->dev->flags & DEVF_UP);
	ifi.ifi_flags = ifi.ifi_change = DEVF_NOARP;
	assert_int_equal(link_request(f, RTM_SETLINK, 0, &ifi, 0, NULL, 0), 0);
	assert_true(d->dev->flags & DEVF_NOARP);
	ifi.ifi_flags = ifi.ifi_change = 0;
	/* attributes */
	d->dev->max_mtu = 9000;
	assert_int_equal(link_request(f, RTM_NEWLINK, 0, &ifi, IFLA_MTU, &mtu, 4), 0);
	assert_int_equal(d->dev->mtu, 9000);
	mtu++;
	assert_int_equal(link_request(f, RTM_NEWLINK, 0, &ifi, IFLA_MTU, &mtu, 4), -EINVAL);
	assert_int_equal(link_request(f, RTM_NEWLINK, 0, &ifi, IFLA_MTU, &small, 4), -EINVAL);
	assert_int_equal(link_request(f, RTM_NEWLINK, 0, &ifi, IFLA_MTU, &small, 2), -EINVAL);
	assert_int_equal(d->dev->mtu, 9000);
	assert_int_equal(link_request(f, RTM_NEWLINK, 0, &ifi, IFLA_TXQLEN, &qlen, 4), 0);
	assert_int_equal(d->dev->tx_queue_len, 500);
	assert_int_equal(link_request(f, RTM_NEWLINK, 0, &ifi, IFLA_ADDRESS, mac, 6), 0);
	assert_memory_equal(d->dev->dev_addr, mac, 6);
	assert_int_equal(link_request(f, RTM_NEWLINK, 0, &ifi, IFLA_ADDRESS, group, 6), -EADDRNOTAVAIL);
	assert_int_equal(link_request(f, RTM_NEWLINK, 0, &ifi, IFLA_ADDRESS, mac, 5), -EINVAL);
	assert_int_equal(link_request(f, RTM_NEWLINK, 0, &ifi, IFLA_IFNAME, "other", 6), -EOPNOTSUPP);
	assert_int_equal(link_request(f, RTM_NEWLINK, 0, &ifi, IFLA_IFNAME, "unterminated", 12), -EINVAL);
	/* devices that are not there */
	assert_int_equal(link_request(f, RTM_NEWLINK, 0, &none, 0, NULL, 0), -ENODEV);
	none.ifi_index = -1;
	assert_int_equal(link_request(f, RTM_NEWLINK, 0, &none, 0, NULL, 0), -EINVAL);
	none.ifi_index = 0;
	assert_int_equal(link_request(f, RTM_GETLINK, 0, &none, 0, NULL, 0), -EINVAL);
	assert_int_equal(link_request(f, RTM_NEWLINK, NLM_F_CREATE, &none, IFLA_IFNAME, "dummy0", 7), -EOPNOTSUPP);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_are_padded_nested_and_found),
		cmocka_unit_test(malformed_attributes_are_refused),
		cmocka_unit_test(truncated_and_garbage_requests_do_no_harm),
		cmocka_unit_test(generic_families_are_found),
		cmocka_unit_test(answers_have_netlinks_frames),
		cmocka_unit_test(link_shows_what_the_device_has),
		cmocka_unit_test(link_dump_has_them_all),
		cmocka_unit_test(link_changes_and_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

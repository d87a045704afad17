/* Generic netlink: families that are found by their names (genl-ctrl-list(8)), on the control socket of protocol NETLINK_GENERIC.
 *
 * Rooms call genl_register_family(); programs ask the family "nlctrl" for a family's number. Tests: tests/unit/tcp/test_tcp_metrics.c. */
#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>
#include "core/rtnl.h"
#include "core/rtnl_core.h"

static void put_family(struct nl_reply *r, const struct genl_family_entry *f)
{
	const struct genlmsghdr g = { .cmd = CTRL_CMD_NEWFAMILY, .version = 2 };

	nl_begin(r, GENL_ID_CTRL, 0, &g, sizeof(g));
	nl_attr_str(r, CTRL_ATTR_FAMILY_NAME, f->name);
	nl_attr(r, CTRL_ATTR_FAMILY_ID, &f->id, sizeof(f->id));
	nl_attr_u32(r, CTRL_ATTR_VERSION, f->version);
	nl_attr_u32(r, CTRL_ATTR_HDRSIZE, 0);
	nl_attr_u32(r, CTRL_ATTR_MAXATTR, f->maxattr);
	nl_end(r);
}

static int ctrl_getfamily(struct net *net, const struct nlmsghdr *h, struct nl_reply *r)
{
	const struct genl_table *gt = genl_table(net);
	const struct nlattr *tb[CTRL_ATTR_MAX + 1], *name;
	bool by_id;
	uint16_t id = 0;

	if (nl_parse(h, GENL_HDRLEN, tb, CTRL_ATTR_MAX))
		return -EINVAL;
	if (((const struct genlmsghdr *)NLMSG_DATA(h))->cmd != CTRL_CMD_GETFAMILY)
		return -EOPNOTSUPP;
	name = tb[CTRL_ATTR_FAMILY_NAME];
	by_id = tb[CTRL_ATTR_FAMILY_ID] && nla_len(tb[CTRL_ATTR_FAMILY_ID]) >= sizeof(id);
	if (by_id)
		memcpy(&id, nla_data(tb[CTRL_ATTR_FAMILY_ID]), sizeof(id));
	else if (!name)
		return -EINVAL;
	for (size_t i = 0; i < gt->n; i++) {
		size_t len = strlen(gt->f[i].name);

		if (by_id ? gt->f[i].id != id : nla_len(name) < len || strnlen(nla_data(name), nla_len(name)) != len || memcmp(nla_data(name), gt->f[i].name, len))
			continue;
		put_family(r, &gt->f[i]);
		return 0;
	}
	return -ENOENT;
}

static int ctrl_dump(struct net *net, const struct nlmsghdr *h, struct nl_reply *r)
{
	const struct genl_table *gt = genl_table(net);

	(void)h;
	for (size_t i = 0; i < gt->n; i++)
		put_family(r, &gt->f[i]);
	return 0;
}

static int add(struct net *net, const char *name, uint16_t id, uint8_t version, uint32_t maxattr, rtnl_fn doit, rtnl_fn dumpit)
{
	const struct rtnl_handler rh = { NETLINK_GENERIC, id, doit, dumpit };
	struct genl_table *gt = genl_table(net);
	int err;

	if (gt->n == GENL_MAX_FAMILIES)
		return -ENOSPC;
	err = rtnl_register(net, &rh, 1);
	if (!err)
		gt->f[gt->n++] = (struct genl_family_entry){ name, id, version, maxattr };
	return err;
}

int genl_register_family(struct net *net, const char *name, uint8_t version, uint32_t maxattr, rtnl_fn doit, rtnl_fn dumpit)
{
	/* behind nlctrl and two numbers that Linux keeps for others */
	return add(net, name, (uint16_t)(GENL_MIN_ID + 2 + genl_table(net)->n), version, maxattr, doit, dumpit);
}

int genl_init(struct net *net)
{
	return add(net, "nlctrl", GENL_ID_CTRL, 2, CTRL_ATTR_MAX, ctrl_getfamily, ctrl_dump);
}

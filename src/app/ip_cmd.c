/* ip: the command line's first words, and the names of numbers (iproute2's rt_tables, rt_scopes, rt_protos).
 * Hands on to ip_link.c, ip_addr.c, ip_route.c, ip_neigh.c. Exit codes as iproute2: 1 usage, 2 refused by the host. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include "app/app_cmds.h"
#include "app/ip_cmd.h"

bool ip_is(const char *w, const char *full)
{
	return w && *w && !strncmp(w, full, strlen(w));
}

int ip_usage(struct ip_cmd *ip, const char *what, const char *word)
{
	task_eprintf(ip->t, word ? "Error: %s \"%s\".\n" : "Error: %s%s.\n", what, word ? word : "");
	return 1;
}

int ip_answer(struct ip_cmd *ip, int err)
{
	if (!err)
		return 0;
	task_eprintf(ip->t, "%s: %s\n", ip->says ? ip->says : "RTNETLINK answers", app_strerror(err));
	return 2;
}

int ip_dev(struct ip_cmd *ip, const char *name)
{
	int i = name ? nlc_link_index(&ip->links, name) : 0;

	if (!i)
		task_eprintf(ip->t, "Cannot find device \"%s\"\n", name ? name : "");
	return i;
}

int ip_dev_shown(struct ip_cmd *ip, const char *name)
{
	int i = name ? nlc_link_index(&ip->links, name) : 0;

	if (!i)
		task_eprintf(ip->t, "Device \"%s\" does not exist.\n", name ? name : "");
	return i;
}

int ip_unknown(struct ip_cmd *ip, const char *command, const char *known)
{
	task_eprintf(ip->t, "Command \"%s\" is unknown, try \"%s\".\n", command, known);
	return 1;
}

struct named {
	uint32_t v;
	const char *name;
};
static const struct named tables[] = { { 255, "local" }, { 254, "main" }, { 253, "default" }, { 0, "all" } };
static const struct named scopes[] = { { RT_SCOPE_UNIVERSE, "global" }, { RT_SCOPE_SITE, "site" }, { RT_SCOPE_LINK, "link" },
				       { RT_SCOPE_HOST, "host" }, { RT_SCOPE_NOWHERE, "nowhere" } };
static const struct named protos[] = { { RTPROT_UNSPEC, "unspec" }, { RTPROT_REDIRECT, "redirect" }, { RTPROT_KERNEL, "kernel" },
				       { RTPROT_BOOT, "boot" }, { RTPROT_STATIC, "static" } };
static const struct named types[] = { { RTN_UNICAST, "unicast" }, { RTN_LOCAL, "local" }, { RTN_BROADCAST, "broadcast" },
				      { RTN_MULTICAST, "multicast" }, { RTN_BLACKHOLE, "blackhole" },
				      { RTN_UNREACHABLE, "unreachable" }, { RTN_PROHIBIT, "prohibit" }, { RTN_THROW, "throw" } };

static const char *name_of(const struct named *v, size_t n, uint32_t x, char buf[12])
{
	struct strbuf sb;

	for (size_t i = 0; i < n; i++)
		if (v[i].v == x)
			return v[i].name;
	sb_init(&sb);
	sb_printf(&sb, "%u", x);
	memcpy(buf, sb_str(&sb), sb.len + 1);
	sb_free(&sb);
	return buf;
}

static int value_of(const struct named *v, size_t n, const char *s, uint64_t max, uint32_t *out)
{
	uint64_t x;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].name, s)) {
			*out = v[i].v;
			return 0;
		}
	if (u64_parse(s, 0, max, &x))
		return -EINVAL;
	*out = (uint32_t)x;
	return 0;
}

const char *rt_table_name(uint32_t id, char buf[12]) { return name_of(tables, 3, id, buf); }
int rt_table_parse(const char *s, uint32_t *id) { return value_of(tables, ARRAY_SIZE(tables), s, UINT32_MAX, id); }
const char *rt_scope_name(uint8_t x, char buf[12]) { return name_of(scopes, ARRAY_SIZE(scopes), x, buf); }
const char *rt_proto_name(uint8_t x, char buf[12]) { return name_of(protos, ARRAY_SIZE(protos), x, buf); }
const char *rt_type_name(uint8_t x, char buf[12]) { return name_of(types, ARRAY_SIZE(types), x, buf); }

int rt_scope_parse(const char *s, uint8_t *scope)
{
	uint32_t v;
	int err = value_of(scopes, ARRAY_SIZE(scopes), s, 255, &v);

	if (!err)
		*scope = (uint8_t)v;
	return err;
}

int rt_proto_parse(const char *s, uint8_t *proto)
{
	uint32_t v;
	int err = value_of(protos, ARRAY_SIZE(protos), s, 255, &v);

	if (!err)
		*proto = (uint8_t)v;
	return err;
}

int rt_type_parse(const char *s, uint8_t *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(types[i].name, s)) {
			*type = (uint8_t)types[i].v;
			return 0;
		}
	return -EINVAL;
}

static int dispatch(struct ip_cmd *ip, const char *object)
{
	static const struct {
		const char *name;
		int (*fn)(struct ip_cmd *);
	} objects[] = { { "address", ip_addr_cmd }, { "link", ip_link_cmd },   { "route", ip_route_cmd },
			{ "neighbor", ip_neigh_cmd }, { "neighbour", ip_neigh_cmd }, { "rule", ip_rule_cmd },
			{ "maddress", ip_maddr_cmd }, { "tcp_metrics", ip_tcp_metrics_cmd }, { "tcpmetrics", ip_tcp_metrics_cmd } };

	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		if (ip_is(object, objects[i].name))
			return objects[i].fn(ip);
	task_eprintf(ip->t, "Object \"%s\" is unknown, try \"ip addr|link|route|neigh|rule|maddr|tcp_metrics\".\n", object);
	return 1;
}

int ip_main(struct task *t, int argc, char **argv)
{
	return ip_run(t, argc, argv, NULL);
}

int ip_run(struct task *t, int argc, char **argv, const char *says)
{
	struct ip_cmd ip = { .t = t, .argc = argc - 1, .argv = argv + 1, .says = says };
	const char *w;
	int rc;

	while ((w = ip_word(&ip)) && w[0] == '-') {
		if (!strcmp(w, "-s") || ip_is(w, "-statistics"))
			ip.stats = true;
		else if (!strcmp(w, "-d") || ip_is(w, "-details"))
			ip.details = true;
		else if (!strcmp(w, "-o") || ip_is(w, "-oneline"))
			ip.oneline = true;
		else if (!strcmp(w, "-n") || !strcmp(w, "-N"))
			ip.numeric = true;
		else if (!strcmp(w, "-br") || ip_is(w, "-brief"))
			ip.brief = true;
		else if (!strcmp(w, "-4"))
			ip.inet = true;
		else {
			task_eprintf(t, "Option \"%s\" is unknown, try \"ip [-s] [-d] [-o] [-br] [-4] OBJECT\".\n", w);
			return 1;
		}
	}
	if (!w) {
		task_eprintf(t, "Usage: ip [-s] [-d] [-o] [-br] [-4] addr|link|route|neigh|rule|maddr|tcp_metrics ...\n");
		return 1;
	}
	rc = nlc_open(&ip.c, t, NETLINK_ROUTE);
	if (rc) {
		task_eprintf(t, "Cannot open netlink socket: %s\n", app_strerror(rc));
		return 1;
	}
	rc = nlc_links(&ip.c, &ip.links);
	rc = rc ? ip_answer(&ip, rc) : dispatch(&ip, w);
	nlc_links_free(&ip.links);
	nlc_close(&ip.c);
	return rc;
}

/* ip rule: show, add, del. From RTM_*RULE; tests: tests/kernel (world get). */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include "app/ip_cmd.h"

static const struct {
	uint8_t action;
	const char *name;
} actions[] = { { FR_ACT_BLACKHOLE, "blackhole" }, { FR_ACT_UNREACHABLE, "unreachable" }, { FR_ACT_PROHIBIT, "prohibit" },
		{ FR_ACT_NOP, "nop" } };

static void print_prefix(struct task *t, const char *what, uint32_t a, uint8_t len)
{
	char b[IP4_STRLEN];

	task_printf(t, "%s %s", what, ip4_str(b, a));
	if (len < 32)
		task_printf(t, "/%u", len);
}

static void show_rule(const struct nlc_msg *m, void *arg)
{
	struct ip_cmd *ip = arg;
	const struct fib_rule_hdr *r = m->hdr;
	uint32_t table = m->tb[FRA_TABLE] ? nlc_u32(m->tb[FRA_TABLE]) : r->table;
	char b[12];

	task_printf(ip->t, "%u:\t%s", nlc_u32(m->tb[FRA_PRIORITY]), r->flags & FIB_RULE_INVERT ? "not " : "");
	if (r->src_len)
		print_prefix(ip->t, "from", nlc_ip4(m->tb[FRA_SRC]), r->src_len);
	else
		task_puts(ip->t, "from all");
	if (r->dst_len)
		print_prefix(ip->t, " to", nlc_ip4(m->tb[FRA_DST]), r->dst_len);
	if (r->tos)
		task_printf(ip->t, " tos 0x%02x", r->tos);
	if (m->tb[FRA_FWMARK] || m->tb[FRA_FWMASK]) {
		uint32_t mask = m->tb[FRA_FWMASK] ? nlc_u32(m->tb[FRA_FWMASK]) : UINT32_MAX;

		task_printf(ip->t, " fwmark 0x%x", nlc_u32(m->tb[FRA_FWMARK]));
		if (mask != UINT32_MAX)
			task_printf(ip->t, "/0x%x", mask);
	}
	if (nlc_len(m->tb[FRA_IIFNAME]))
		task_printf(ip->t, " iif %s", (const char *)nlc_data(m->tb[FRA_IIFNAME]));
	if (nlc_len(m->tb[FRA_OIFNAME]))
		task_printf(ip->t, " oif %s", (const char *)nlc_data(m->tb[FRA_OIFNAME]));
	if (r->action == FR_ACT_TO_TBL)
		task_printf(ip->t, " lookup %s", rt_table_name(table, b));
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (r->action == actions[i].action)
			task_printf(ip->t, " %s", actions[i].name);
	task_puts(ip->t, "\n");
}

struct rule_args {
	struct fib_rule_hdr h;
	uint32_t src, dst, table, prio, mark, mask;
	const char *iif, *oif;
	bool has_prio, has_mark;
};

static int prefix_arg(struct ip_cmd *ip, const char *v, uint32_t *a, uint8_t *len)
{
	*len = 32;
	if (!strcmp(v, "all") || !strcmp(v, "any") || !strcmp(v, "default")) {
		*len = 0;
		return 0;
	}
	return ip4_parse_prefix(v, a, len) ? ip_usage(ip, "any valid prefix is expected rather than", v) : 0;
}

static int number_parse(const char *s, uint64_t *out)
{
	char *end;

	*out = strtoul(s, &end, 0);
	return end == s || *end || *out > UINT32_MAX;
}

/* "5" or "5/0xff", each as C writes numbers. */
static int mark_arg(struct ip_cmd *ip, const char *v, struct rule_args *a)
{
	char first[16];
	const char *slash = strchr(v, '/');
	size_t n = slash ? (size_t)(slash - v) : strlen(v);
	uint64_t x = 0, m = UINT32_MAX;
	int bad = n >= sizeof(first);

	if (!bad) {
		memcpy(first, v, n);
		first[n] = '\0';
		bad = number_parse(first, &x) || (slash && number_parse(slash + 1, &m));
	}
	if (bad)
		return ip_usage(ip, "argument is wrong: fwmark value is invalid", v);
	a->mark = (uint32_t)x;
	a->mask = (uint32_t)m;
	a->has_mark = true;
	return 0;
}

static int rule_option(struct ip_cmd *ip, const char *w, struct rule_args *a)
{
	const char *v;
	uint64_t x;

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (!strcmp(w, actions[i].name)) {
			a->h.action = actions[i].action;
			return 0;
		}
	if (!strcmp(w, "not")) {
		a->h.flags |= FIB_RULE_INVERT;
		return 0;
	}
	v = ip_word(ip);
	if (!v)
		return ip_usage(ip, "argument is missing after", w);
	if (!strcmp(w, "from"))
		return prefix_arg(ip, v, &a->src, &a->h.src_len);
	if (!strcmp(w, "to"))
		return prefix_arg(ip, v, &a->dst, &a->h.dst_len);
	if (!strcmp(w, "table") || !strcmp(w, "lookup"))
		return rt_table_parse(v, &a->table) ? ip_usage(ip, "argument is wrong: invalid table ID", v) : 0;
	if (ip_is(w, "preference") || ip_is(w, "priority") || !strcmp(w, "order")) {
		if (u64_parse(v, 0, UINT32_MAX, &x))
			return ip_usage(ip, "argument is wrong: preference value is invalid", v);
		a->prio = (uint32_t)x;
		a->has_prio = true;
		return 0;
	}
	if (!strcmp(w, "fwmark"))
		return mark_arg(ip, v, a);
	if (!strcmp(w, "iif") || !strcmp(w, "dev"))
		a->iif = v;
	else if (!strcmp(w, "oif"))
		a->oif = v;
	else
		return ip_usage(ip, "argument is unknown", w);
	return 0;
}

static int rule_modify(struct ip_cmd *ip, bool add)
{
	struct rule_args a = { .h = { .family = AF_INET, .action = add ? FR_ACT_TO_TBL : 0 } };
	struct nlc_req r;
	const char *w;
	int rc;

	while ((w = ip_word(ip))) {
		rc = rule_option(ip, w, &a);
		if (rc)
			return rc;
	}
	if (add && a.h.action == FR_ACT_TO_TBL && !a.table)
		a.table = RT_TABLE_MAIN;
	a.h.table = (uint8_t)(a.table < 256 ? a.table : RT_TABLE_COMPAT);
	nlc_begin(&r, add ? RTM_NEWRULE : RTM_DELRULE, (uint16_t)(NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_EXCL : 0)), &a.h, sizeof(a.h));
	if (a.table)
		nlc_attr_u32(&r, FRA_TABLE, a.table);
	if (a.has_prio)
		nlc_attr_u32(&r, FRA_PRIORITY, a.prio);
	if (a.h.src_len)
		nlc_attr_ip4(&r, FRA_SRC, a.src);
	if (a.h.dst_len)
		nlc_attr_ip4(&r, FRA_DST, a.dst);
	if (a.has_mark) {
		nlc_attr_u32(&r, FRA_FWMARK, a.mark);
		nlc_attr_u32(&r, FRA_FWMASK, a.mask);
	}
	if (a.iif)
		nlc_attr(&r, FRA_IIFNAME, a.iif, strlen(a.iif) + 1);
	if (a.oif)
		nlc_attr(&r, FRA_OIFNAME, a.oif, strlen(a.oif) + 1);
	return ip_answer(ip, nlc_talk(&ip->c, &r, sizeof(a.h), NULL, NULL));
}

int ip_rule_cmd(struct ip_cmd *ip)
{
	struct rtmsg m = { .rtm_family = AF_INET };
	const char *w = ip_word(ip);
	struct nlc_req r;

	if (w && ip_is(w, "add"))
		return rule_modify(ip, true);
	if (w && ip_is(w, "delete"))
		return rule_modify(ip, false);
	if (w && !ip_is(w, "show") && !ip_is(w, "list"))
		return ip_unknown(ip, w, "ip rule show|add|del");
	nlc_begin(&r, RTM_GETRULE, NLM_F_DUMP, &m, sizeof(m));
	return ip_answer(ip, nlc_talk(&ip->c, &r, sizeof(m), show_rule, ip));
}

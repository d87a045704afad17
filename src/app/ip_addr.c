/* ip addr: show, add, del, flush. From RTM_GETADDR beside RTM_GETLINK. */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include "app/ip_cmd.h"
#include "app/ip_show.h"

struct addr_row {
	int index;
	uint8_t plen, scope;
	uint32_t local, peer, brd, flags;
	char label[16];
};
#define MAX_ROWS 4096
struct addr_show {
	struct ip_cmd *ip;
	int only;
	bool up_only;
	struct strbuf sb;
	struct addr_row *rows;
	size_t n;
};

static void take_addr(const struct nlc_msg *m, void *arg)
{
	struct addr_show *s = arg;
	const struct ifaddrmsg *i = m->hdr;
	struct addr_row *r;

	if (i->ifa_family != AF_INET || s->n == MAX_ROWS)
		return;
	s->rows = xrealloc(s->rows, (s->n + 1) * sizeof(*r));
	r = &s->rows[s->n++];
	*r = (struct addr_row){ .index = (int)i->ifa_index, .plen = i->ifa_prefixlen, .scope = i->ifa_scope, .flags = i->ifa_flags };
	r->local = nlc_ip4(m->tb[IFA_LOCAL]);
	r->peer = nlc_ip4(m->tb[IFA_ADDRESS]);
	r->brd = nlc_ip4(m->tb[IFA_BROADCAST]);
	if (nlc_len(m->tb[IFA_LABEL]))
		memcpy(r->label, nlc_data(m->tb[IFA_LABEL]), min_sz(nlc_len(m->tb[IFA_LABEL]), sizeof(r->label) - 1));
}

static void print_addr(struct addr_show *s, const struct addr_row *r)
{
	char a[IP4_STRLEN], b[12];

	sb_printf(&s->sb, "    inet %s", ip4_str(a, r->local));
	if (r->peer && r->peer != r->local)
		sb_printf(&s->sb, " peer %s", ip4_str(a, r->peer));
	sb_printf(&s->sb, "/%u", r->plen);
	if (r->brd)
		sb_printf(&s->sb, " brd %s", ip4_str(a, r->brd));
	sb_printf(&s->sb, " scope %s%s %s%s", rt_scope_name(r->scope, b), r->flags & IFA_F_SECONDARY ? " secondary" : "",
		  r->label, s->ip->oneline ? "\\" : "\n");
	sb_puts(&s->sb, "       valid_lft forever preferred_lft forever\n");
}

static void show_link(const struct nlc_msg *m, void *arg)
{
	struct addr_show *s = arg;
	const struct ifinfomsg *i = m->hdr;

	if ((s->only && i->ifi_index != s->only) || (s->up_only && !(i->ifi_flags & 1)))
		return;
	if (s->ip->brief) {
		char a[IP4_STRLEN];

		ip_print_brief(&s->sb, m);
		for (size_t k = 0; k < s->n; k++)
			if (s->rows[k].index == i->ifi_index)
				sb_printf(&s->sb, "%s/%u ", ip4_str(a, s->rows[k].local), s->rows[k].plen);
		sb_putc(&s->sb, '\n');
		return;
	}
	if (!s->ip->oneline)
		ip_print_link(&s->sb, m, true, false, !s->ip->inet);
	for (size_t k = 0; k < s->n; k++)
		if (s->rows[k].index == i->ifi_index) {
			if (s->ip->oneline)
				sb_printf(&s->sb, "%d: %s", i->ifi_index, nlc_link_name(&s->ip->links, i->ifi_index));
			print_addr(s, &s->rows[k]);
		}
	if (s->ip->stats)
		ip_print_stats(&s->sb, m);
}

static int collect(struct ip_cmd *ip, struct addr_show *s)
{
	struct ifaddrmsg a = { .ifa_family = AF_INET };
	struct nlc_req r;

	nlc_begin(&r, RTM_GETADDR, NLM_F_DUMP, &a, sizeof(a));
	return nlc_talk(&ip->c, &r, sizeof(a), take_addr, s);
}

static int addr_show(struct ip_cmd *ip)
{
	struct addr_show s = { .ip = ip };
	struct ifinfomsg i = { 0 };
	struct nlc_req r;
	const char *w;
	int err;

	while ((w = ip_word(ip))) {
		if (!strcmp(w, "up")) {
			s.up_only = true;
			continue;
		}
		s.only = ip_dev_shown(ip, strcmp(w, "dev") ? w : ip_word(ip));
		if (!s.only)
			return 1;
	}
	sb_init(&s.sb);
	err = collect(ip, &s);
	nlc_begin(&r, RTM_GETLINK, NLM_F_DUMP, &i, sizeof(i));
	if (!err)
		err = nlc_talk(&ip->c, &r, sizeof(i), show_link, &s);
	task_puts(ip->t, sb_str(&s.sb));
	sb_free(&s.sb);
	free(s.rows);
	return ip_answer(ip, err);
}

static int change(struct ip_cmd *ip, uint16_t type, int index, const struct addr_row *a, const char *label)
{
	struct ifaddrmsg m = { .ifa_family = AF_INET, .ifa_prefixlen = a->plen, .ifa_scope = a->scope, .ifa_index = (uint32_t)index };
	struct nlc_req r;

	nlc_begin(&r, type, type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK : NLM_F_ACK, &m, sizeof(m));
	nlc_attr_ip4(&r, IFA_LOCAL, a->local);
	nlc_attr_ip4(&r, IFA_ADDRESS, a->peer ? a->peer : a->local);
	if (a->brd)
		nlc_attr_ip4(&r, IFA_BROADCAST, a->brd);
	if (label)
		nlc_attr(&r, IFA_LABEL, label, strlen(label) + 1);
	return nlc_talk(&ip->c, &r, sizeof(m), NULL, NULL);
}

static int addr_flush(struct ip_cmd *ip)
{
	struct addr_show s = { .ip = ip };
	const char *w = ip_word(ip);
	int err;

	s.only = ip_dev_shown(ip, w && !strcmp(w, "dev") ? ip_word(ip) : w);
	if (!s.only)
		return 1;
	err = collect(ip, &s);
	for (size_t i = 0; !err && i < s.n; i++)
		if (s.rows[i].index == s.only)
			err = change(ip, RTM_DELADDR, s.only, &s.rows[i], NULL);
	free(s.rows);
	return ip_answer(ip, err);
}

/* Linux has words of its own for two refusals. */
static int addr_answer(struct ip_cmd *ip, int err)
{
	if (err != -EEXIST && err != -EADDRNOTAVAIL)
		return ip_answer(ip, err);
	task_eprintf(ip->t, "Error: ipv4: Address %s.\n", err == -EEXIST ? "already assigned" : "not found");
	return 2;
}

static int addr_modify(struct ip_cmd *ip, uint16_t type)
{
	struct addr_row a = { .plen = 32 };
	const char *w, *v, *label = NULL, *dev = NULL;
	bool have = false, scope_set = false, brd_auto = false;

	while ((w = ip_word(ip))) {
		int rc = 0;
		if (!strcmp(w, "dev"))
			dev = ip_word(ip);
		else if (!strcmp(w, "scope") && (v = ip_word(ip)))
			rc = rt_scope_parse(v, &a.scope) ? ip_usage(ip, "argument is wrong: invalid scope value", v) : (scope_set = true, 0);
		else if (!strcmp(w, "label"))
			label = ip_word(ip);
		else if ((ip_is(w, "broadcast") || !strcmp(w, "brd")) && (v = ip_word(ip))) {
			brd_auto = !strcmp(v, "+");
			rc = !brd_auto && ip4_parse(v, &a.brd) ? ip_usage(ip, "inet address is expected rather than", v) : 0;
		} else if (!strcmp(w, "peer") && (v = ip_word(ip)))
			rc = ip4_parse_prefix(v, &a.peer, &a.plen) ? ip_usage(ip, "any valid prefix is expected rather than", v) : 0;
		else {
			if (!strcmp(w, "local"))
				w = ip_word(ip);
			rc = !w || have || ip4_parse_prefix(w, &a.local, &a.plen) ?
				     ip_usage(ip, "any valid prefix is expected rather than", w ? w : "") : (have = true, 0);
		}
		if (rc)
			return rc;
	}
	if (!dev) {
		task_eprintf(ip->t, "Not enough information: \"dev\" argument is required.\n");
		return 1;
	}
	a.index = ip_dev(ip, dev);
	if (!a.index)
		return 1;
	if (brd_auto && a.plen < 31)
		a.brd = a.local | (a.plen ? 0xffffffffu >> a.plen : 0xffffffffu);
	if (!scope_set && (a.local >> 24) == 127)
		a.scope = RT_SCOPE_HOST;
	return addr_answer(ip, change(ip, type, a.index, &a, label));
}

int ip_addr_cmd(struct ip_cmd *ip)
{
	const char *w = ip_word(ip);

	if (!w || ip_is(w, "show") || ip_is(w, "list"))
		return addr_show(ip);
	if (ip_is(w, "add"))
		return addr_modify(ip, RTM_NEWADDR);
	if (ip_is(w, "delete"))
		return addr_modify(ip, RTM_DELADDR);
	if (ip_is(w, "flush"))
		return addr_flush(ip);
	return ip_unknown(ip, w, "ip addr show|add|del|flush");
}

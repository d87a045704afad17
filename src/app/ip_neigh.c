/* ip neigh: the neighbour table, NOARP entries with "nud all" only (S1-28, S1-36). RTM_*NEIGH. */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "app/ip_cmd.h"

static const struct {
	uint16_t bit;
	const char *name;
} nuds[] = { { NUD_INCOMPLETE, "INCOMPLETE" }, { NUD_REACHABLE, "REACHABLE" }, { NUD_STALE, "STALE" }, { NUD_DELAY, "DELAY" },
	     { NUD_PROBE, "PROBE" }, { NUD_FAILED, "FAILED" }, { NUD_NOARP, "NOARP" }, { NUD_PERMANENT, "PERMANENT" } };

struct neigh_show {
	struct ip_cmd *ip;
	uint16_t mask; /* 0: all but NOARP (and NONE) */
	bool all;
	int dev;
	uint32_t to;
};

static int nud_parse(const char *s, uint16_t *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(nuds); i++)
		if (!strcasecmp(nuds[i].name, s)) {
			*out = nuds[i].bit;
			return 0;
		}
	return -EINVAL;
}

static void show_one(const struct nlc_msg *m, void *arg)
{
	struct neigh_show *s = arg;
	const struct ndmsg *n = m->hdr;
	char a[IP4_STRLEN], mac[MAC_STRLEN];

	if (n->ndm_family != AF_INET || (s->dev && n->ndm_ifindex != s->dev) || (s->to && nlc_ip4(m->tb[NDA_DST]) != s->to))
		return;
	if (!s->all && (s->mask ? !(n->ndm_state & s->mask) : !(n->ndm_state & ~NUD_NOARP)))
		return;
	task_printf(s->ip->t, "%s dev %s ", ip4_str(a, nlc_ip4(m->tb[NDA_DST])), nlc_link_name(&s->ip->links, n->ndm_ifindex));
	if (nlc_len(m->tb[NDA_LLADDR]) == 6)
		task_printf(s->ip->t, "lladdr %s ", mac_str(mac, nlc_data(m->tb[NDA_LLADDR])));
	if (n->ndm_flags & NTF_ROUTER)
		task_puts(s->ip->t, "router ");
	if (s->ip->stats && nlc_len(m->tb[NDA_CACHEINFO]) >= 16) {
		struct nda_cacheinfo ci;
		memcpy(&ci, nlc_data(m->tb[NDA_CACHEINFO]), sizeof(ci));
		task_printf(s->ip->t, " used %u/%u/%u", ci.ndm_used / 100, ci.ndm_confirmed / 100, ci.ndm_updated / 100);
		task_printf(s->ip->t, "probes %u ", nlc_u32(m->tb[NDA_PROBES]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(nuds); i++)
		if (n->ndm_state & nuds[i].bit)
			task_printf(s->ip->t, "%s ", nuds[i].name);
	task_puts(s->ip->t, "\n");
}

static int show(struct ip_cmd *ip)
{
	struct neigh_show s = { .ip = ip };
	struct ndmsg n = { .ndm_family = AF_INET };
	struct nlc_req r;
	const char *w, *v;

	while ((w = ip_word(ip))) {
		if (!strcmp(w, "nud") && (v = ip_word(ip))) {
			uint16_t bit;
			if (!strcmp(v, "all"))
				s.all = true;
			else if (nud_parse(v, &bit))
				return ip_usage(ip, "nud state is bad:", v);
			else
				s.mask |= bit;
		} else if (!strcmp(w, "dev")) {
			s.dev = ip_dev(ip, ip_word(ip));
			if (!s.dev)
				return 1;
		} else if (ip4_parse(strcmp(w, "to") ? w : (w = ip_word(ip)) ? w : "", &s.to)) {
			return ip_usage(ip, "any valid address is expected rather than", w);
		}
	}
	nlc_begin(&r, RTM_GETNEIGH, NLM_F_DUMP, &n, sizeof(n));
	return ip_answer(ip, nlc_talk(&ip->c, &r, sizeof(n), show_one, &s));
}

static int modify(struct ip_cmd *ip, uint16_t type, uint16_t flags)
{
	struct ndmsg n = { .ndm_family = AF_INET, .ndm_state = NUD_PERMANENT };
	bool have_mac = false, have_dst = false;
	uint8_t mac[6];
	uint32_t dst = 0;
	struct nlc_req r;
	const char *w, *v;

	while ((w = ip_word(ip))) {
		int rc = 0;
		if (!strcmp(w, "lladdr") && (v = ip_word(ip)))
			rc = mac_parse(v, mac) ? ip_usage(ip, "\"lladdr\" is not a MAC address:", v) : (have_mac = true, 0);
		else if (!strcmp(w, "nud") && (v = ip_word(ip)))
			rc = nud_parse(v, &n.ndm_state) ? ip_usage(ip, "nud state is bad:", v) : 0;
		else if (!strcmp(w, "dev"))
			rc = (n.ndm_ifindex = ip_dev(ip, ip_word(ip))) ? 0 : 1;
		else
			rc = ip4_parse(w, &dst) ? ip_usage(ip, "any valid address is expected rather than", w) : (have_dst = true, 0);
		if (rc)
			return rc;
	}
	if (!have_dst || !n.ndm_ifindex) {
		task_eprintf(ip->t, "Device and destination are required arguments.\n");
		return 1;
	}
	nlc_begin(&r, type, (uint16_t)(flags | NLM_F_ACK), &n, sizeof(n));
	nlc_attr_ip4(&r, NDA_DST, dst);
	if (have_mac)
		nlc_attr(&r, NDA_LLADDR, mac, 6);
	return ip_answer(ip, nlc_talk(&ip->c, &r, sizeof(n), NULL, NULL));
}

struct flush {
	struct neigh_show s;
	struct { uint32_t dst; int dev; } v[1024];
	size_t n;
};

static void collect(const struct nlc_msg *m, void *arg)
{
	struct flush *f = arg;
	const struct ndmsg *n = m->hdr;

	if (n->ndm_family != AF_INET || f->n == ARRAY_SIZE(f->v) || (n->ndm_state & (NUD_PERMANENT | NUD_NOARP)) ||
	    (f->s.dev && n->ndm_ifindex != f->s.dev))
		return;
	f->v[f->n].dst = nlc_ip4(m->tb[NDA_DST]);
	f->v[f->n++].dev = n->ndm_ifindex;
}

static int flush(struct ip_cmd *ip)
{
	struct flush *f = xcalloc(1, sizeof(*f));
	struct ndmsg n = { .ndm_family = AF_INET };
	struct nlc_req r;
	const char *w;
	int err = 0;

	while ((w = ip_word(ip)))
		if (!strcmp(w, "dev") && !(f->s.dev = ip_dev(ip, ip_word(ip))))
			err = 1;
	if (!err) {
		nlc_begin(&r, RTM_GETNEIGH, NLM_F_DUMP, &n, sizeof(n));
		err = nlc_talk(&ip->c, &r, sizeof(n), collect, f);
		for (size_t i = 0; !err && i < f->n; i++) {
			struct ndmsg d = { .ndm_family = AF_INET, .ndm_ifindex = f->v[i].dev };
			nlc_begin(&r, RTM_DELNEIGH, NLM_F_ACK, &d, sizeof(d));
			nlc_attr_ip4(&r, NDA_DST, f->v[i].dst);
			err = nlc_talk(&ip->c, &r, sizeof(d), NULL, NULL);
		}
		err = ip_answer(ip, err);
	}
	free(f);
	return err;
}

int ip_neigh_cmd(struct ip_cmd *ip)
{
	const char *w = ip_word(ip);

	if (!w || ip_is(w, "show") || ip_is(w, "list"))
		return show(ip);
	if (ip_is(w, "add"))
		return modify(ip, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL);
	if (ip_is(w, "replace") || ip_is(w, "change"))
		return modify(ip, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
	if (ip_is(w, "delete"))
		return modify(ip, RTM_DELNEIGH, 0);
	if (ip_is(w, "flush"))
		return flush(ip);
	return ip_unknown(ip, w, "ip neigh show|add|del|replace|flush");
}

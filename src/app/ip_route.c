/* ip route: show (by table), get, add, del, replace, flush. RTM_*ROUTE; rows S1-10, S2-28, S2-29. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include "app/ip_cmd.h"

struct route_args {
	struct rtmsg m;
	uint32_t table, dst, gw, src, metric, m_lock, m_set, m_val[RTAX_MAX + 1]; /* metrics: m_set, m_lock bits by RTAX_* */
	bool have_dst, have_table, scope_set;
	int oif;
	const char *congctl;
};

struct route_show {
	struct ip_cmd *ip;
	uint32_t table; /* 0: all */
	/* selectors of show and flush; what is selected by is the same in every line, and not shown */
	int oif;
	uint32_t via, root, match;
	uint8_t root_len, match_len, scope, proto;
	bool has_match, has_scope, has_proto;
	bool cache_line;
	struct strbuf sb;
	struct nlc_req *del; /* flush: collected deletions */
	size_t n_del;
};

/* ip-route(8)'s names of RTAX_*. */
static const char *const metric_names[RTAX_MAX + 1] = {
	[RTAX_MTU] = "mtu", [RTAX_WINDOW] = "window", [RTAX_RTT] = "rtt", [RTAX_RTTVAR] = "rttvar", [RTAX_SSTHRESH] = "ssthresh",
	[RTAX_CWND] = "cwnd", [RTAX_ADVMSS] = "advmss", [RTAX_REORDERING] = "reordering", [RTAX_HOPLIMIT] = "hoplimit",
	[RTAX_INITCWND] = "initcwnd", [RTAX_FEATURES] = "features", [RTAX_RTO_MIN] = "rto_min", [RTAX_INITRWND] = "initrwnd",
	[RTAX_QUICKACK] = "quickack", [RTAX_CC_ALGO] = "congctl", [RTAX_FASTOPEN_NO_COOKIE] = "fastopen_no_cookie" };

static void print_metric(struct strbuf *sb, int which, uint32_t v)
{
	static const uint8_t scale[RTAX_MAX + 1] = { [RTAX_RTT] = 8, [RTAX_RTTVAR] = 4, [RTAX_RTO_MIN] = 1 };

	if (which == RTAX_FEATURES) {
		sb_puts(sb, v & RTAX_FEATURE_ECN ? "ecn " : "");
	} else if (scale[which]) {
		v /= scale[which];
		if (v < 1000)
			sb_printf(sb, "%ums ", v);
		else if (v % 1000)
			sb_printf(sb, "%u.%.*ss ", v / 1000, v % 100 ? v % 10 ? 3 : 2 : 1,
				  (char[]){ (char)('0' + v % 1000 / 100), (char)('0' + v % 100 / 10), (char)('0' + v % 10), 0 });
		else
			sb_printf(sb, "%us ", v / 1000);
	} else {
		sb_printf(sb, "%u ", v);
	}
}

static void print_metrics(struct strbuf *sb, const struct nlattr *a)
{
	const struct nlattr *tb[RTAX_MAX + 1];
	uint32_t lock;

	if (!a)
		return;
	nlc_index(nlc_data(a), nlc_len(a), tb, RTAX_MAX);
	lock = nlc_u32(tb[RTAX_LOCK]);
	for (int i = RTAX_MTU; i <= RTAX_MAX; i++) {
		if (!tb[i] || !metric_names[i])
			continue;
		sb_printf(sb, "%s %s", metric_names[i], lock & (1u << i) ? "lock " : "");
		if (i == RTAX_CC_ALGO)
			sb_printf(sb, "%s ", (const char *)nlc_data(tb[i]));
		else
			print_metric(sb, i, nlc_u32(tb[i]));
	}
}

static void print_multipath(struct route_show *s, const struct nlattr *a)
{
	const uint8_t *p = nlc_data(a);
	size_t len = nlc_len(a);
	char b[IP4_STRLEN];

	while (len >= sizeof(struct rtnexthop)) {
		const struct rtnexthop *nh = (const struct rtnexthop *)(const void *)p;
		const struct nlattr *tb[RTA_GATEWAY + 1];
		size_t step = ((size_t)nh->rtnh_len + 3) & ~(size_t)3;
		if (nh->rtnh_len < sizeof(*nh) || nh->rtnh_len > len)
			return;
		nlc_index(p + sizeof(*nh), nh->rtnh_len - sizeof(*nh), tb, RTA_GATEWAY);
		sb_puts(&s->sb, "\n\tnexthop ");
		if (tb[RTA_GATEWAY])
			sb_printf(&s->sb, "via %s ", ip4_str(b, nlc_ip4(tb[RTA_GATEWAY])));
		sb_printf(&s->sb, "dev %s weight %u ", nlc_link_name(&s->ip->links, nh->rtnh_ifindex), nh->rtnh_hops + 1u);
		if (step >= len)
			return;
		p += step;
		len -= step;
	}
}

/* The second line of ip route get: what the cached entry is. */
static void print_cache(struct strbuf *sb, const struct nlc_msg *m, const struct nlc_links *links)
{
	const struct rtmsg *r = m->hdr;
	uint32_t expires = 0;

	sb_puts(sb, "\n    cache ");
	if (r->rtm_flags & ~0xffffu & ~(uint32_t)RTM_F_CLONED) {
		static const struct { uint32_t bit; const char *name; } f[] = {
			{ 0x80000000u, "local" }, { 0x10000000u, "brd" }, { 0x20000000u, "mc" }, { 0x01000000u, "redirect" }, { 0x00040000u, "redirected" } };
		bool first = true;
		for (size_t i = 0; i < ARRAY_SIZE(f); i++)
			if (r->rtm_flags & f[i].bit) {
				sb_printf(sb, "%s%s", first ? "<" : ",", f[i].name);
				first = false;
			}
		if (!first)
			sb_puts(sb, "> ");
	}
	if (nlc_len(m->tb[RTA_CACHEINFO]) >= sizeof(struct rta_cacheinfo)) {
		struct rta_cacheinfo ci;
		memcpy(&ci, nlc_data(m->tb[RTA_CACHEINFO]), sizeof(ci));
		expires = (uint32_t)ci.rta_expires / 100; /* clock_t to seconds */
	}
	if (expires)
		sb_printf(sb, "expires %usec ", expires);
	print_metrics(sb, m->tb[RTA_METRICS]);
	if (m->tb[RTA_IIF])
		sb_printf(sb, "iif %s ", nlc_link_name(links, (int)nlc_u32(m->tb[RTA_IIF])));
}

static void print_route(struct route_show *s, const struct nlc_msg *m)
{
	const struct rtmsg *r = m->hdr;
	uint32_t table = m->tb[RTA_TABLE] ? nlc_u32(m->tb[RTA_TABLE]) : r->rtm_table;
	char a[IP4_STRLEN], b[12];
	struct strbuf *sb = &s->sb;

	if (r->rtm_type != RTN_UNICAST)
		sb_printf(sb, "%s ", rt_type_name(r->rtm_type, b));
	if (!r->rtm_dst_len)
		sb_puts(sb, "default ");
	else if (r->rtm_dst_len == 32)
		sb_printf(sb, "%s ", ip4_str(a, nlc_ip4(m->tb[RTA_DST])));
	else
		sb_printf(sb, "%s/%u ", ip4_str(a, nlc_ip4(m->tb[RTA_DST])), r->rtm_dst_len);
	if (m->tb[RTA_SRC])
		sb_printf(sb, "from %s ", ip4_str(a, nlc_ip4(m->tb[RTA_SRC])));
	if (r->rtm_tos && !s->cache_line)
		sb_printf(sb, "tos 0x%02x ", r->rtm_tos);
	if (m->tb[RTA_GATEWAY] && !s->via)
		sb_printf(sb, "via %s ", ip4_str(a, nlc_ip4(m->tb[RTA_GATEWAY])));
	if (m->tb[RTA_OIF] && !s->oif)
		sb_printf(sb, "dev %s ", nlc_link_name(&s->ip->links, (int)nlc_u32(m->tb[RTA_OIF])));
	if (table != RT_TABLE_MAIN && !s->table && !(s->cache_line && table == RT_TABLE_LOCAL))
		sb_printf(sb, "table %s ", rt_table_name(table, b));
	if (!s->cache_line && r->rtm_protocol != RTPROT_BOOT && !s->has_proto)
		sb_printf(sb, "proto %s ", rt_proto_name(r->rtm_protocol, b));
	if (!s->cache_line && r->rtm_scope != RT_SCOPE_UNIVERSE && !s->has_scope)
		sb_printf(sb, "scope %s ", rt_scope_name(r->rtm_scope, b));
	if (m->tb[RTA_PREFSRC])
		sb_printf(sb, "src %s ", ip4_str(a, nlc_ip4(m->tb[RTA_PREFSRC])));
	if (m->tb[RTA_PRIORITY])
		sb_printf(sb, "metric %u ", nlc_u32(m->tb[RTA_PRIORITY]));
	if (s->cache_line) {
		if (m->tb[RTA_MARK])
			sb_printf(sb, "mark %u ", nlc_u32(m->tb[RTA_MARK]));
		if (m->tb[RTA_UID])
			sb_printf(sb, "uid %u ", nlc_u32(m->tb[RTA_UID]));
		print_cache(sb, m, &s->ip->links);
	} else {
		print_metrics(sb, m->tb[RTA_METRICS]);
	}
	if (m->tb[RTA_MULTIPATH])
		print_multipath(s, m->tb[RTA_MULTIPATH]);
	if (r->rtm_flags & RTNH_F_DEAD)
		sb_puts(sb, "dead ");
	if (r->rtm_flags & RTNH_F_LINKDOWN)
		sb_puts(sb, "linkdown ");
	if (!s->cache_line && r->rtm_flags & RTNH_F_ONLINK)
		sb_puts(sb, "onlink ");
	sb_putc(sb, '\n');
}

static bool same_prefix(uint32_t a, uint32_t b, uint8_t len)
{
	return !len || (a ^ b) >> (32 - len) == 0;
}

static bool wanted(const struct route_show *s, const struct nlc_msg *m)
{
	const struct rtmsg *r = m->hdr;
	uint32_t table = m->tb[RTA_TABLE] ? nlc_u32(m->tb[RTA_TABLE]) : r->rtm_table;

	uint32_t dst = r->rtm_dst_len ? nlc_ip4(m->tb[RTA_DST]) : 0;

	if ((s->table && table != s->table) || (s->via && nlc_ip4(m->tb[RTA_GATEWAY]) != s->via))
		return false;
	if ((s->has_scope && r->rtm_scope != s->scope) || (s->has_proto && r->rtm_protocol != s->proto))
		return false;
	if (r->rtm_dst_len < s->root_len || !same_prefix(dst, s->root, s->root_len))
		return false;
	if (s->has_match && (r->rtm_dst_len > s->match_len || !same_prefix(dst, s->match, r->rtm_dst_len)))
		return false;
	return !s->oif || (int)nlc_u32(m->tb[RTA_OIF]) == s->oif;
}

static void show_one(const struct nlc_msg *m, void *arg)
{
	struct route_show *s = arg;

	if (s->cache_line || wanted(s, m))
		print_route(s, m);
}

static void collect_del(const struct nlc_msg *m, void *arg)
{
	struct route_show *s = arg;
	struct nlc_req *r;

	if (!wanted(s, m))
		return;
	s->del = xrealloc(s->del, (s->n_del + 1) * sizeof(*s->del));
	r = &s->del[s->n_del++];
	nlc_begin(r, RTM_DELROUTE, NLM_F_ACK, m->hdr, sizeof(struct rtmsg));
	for (unsigned i = 0; i < NLC_TB_MAX; i++)
		if (m->tb[i] && (i == RTA_DST || i == RTA_TABLE || i == RTA_PRIORITY || i == RTA_OIF || i == RTA_GATEWAY))
			nlc_attr(r, (uint16_t)i, nlc_data(m->tb[i]), nlc_len(m->tb[i]));
}

/* "root P", "match P", "exact P" or a prefix alone, which is exact; w is the word. 0, -1: none of these, 1: usage. */
static int show_prefix(struct ip_cmd *ip, struct route_show *s, const char *w)
{
	bool root = !strcmp(w, "root"), match = !strcmp(w, "match");
	uint32_t a = 0;
	uint8_t len = 32;

	if (root || match || !strcmp(w, "exact") || !strcmp(w, "to")) {
		w = ip_word(ip);
		if (!w)
			return ip_usage(ip, "argument is missing after", root ? "root" : match ? "match" : "exact");
		root |= match && !strcmp(w, "root");
	}
	if (!strcmp(w, "default"))
		len = 0;
	else if (ip4_parse_prefix(w, &a, &len))
		return -1;
	if (!match) {
		s->root = a;
		s->root_len = len;
	}
	if (!root) {
		s->match = a;
		s->match_len = len;
		s->has_match = true;
	}
	return 0;
}

/* One selector. 0, or an exit code after a message. */
static int show_option(struct ip_cmd *ip, struct route_show *s, const char *w)
{
	const char *v;
	int rc;

	if (!strcmp(w, "table") && (v = ip_word(ip)))
		return rt_table_parse(v, &s->table) ? ip_usage(ip, "argument is wrong: table id value is invalid", v) : 0;
	if (!strcmp(w, "dev") || !strcmp(w, "oif"))
		return (s->oif = ip_dev(ip, ip_word(ip))) ? 0 : 1;
	if (!strcmp(w, "via") && (v = ip_word(ip)))
		return ip4_parse(v, &s->via) ? ip_usage(ip, "inet address is expected rather than", v) : 0;
	if (!strcmp(w, "scope") && (v = ip_word(ip))) {
		s->has_scope = true;
		return rt_scope_parse(v, &s->scope) ? ip_usage(ip, "invalid \"scope\" value", v) : 0;
	}
	if ((!strcmp(w, "proto") || !strcmp(w, "protocol")) && (v = ip_word(ip))) {
		s->has_proto = true;
		return rt_proto_parse(v, &s->proto) ? ip_usage(ip, "invalid \"protocol\" value", v) : 0;
	}
	rc = show_prefix(ip, s, w);
	return rc < 0 ? ip_usage(ip, "argument is unknown", w) : rc;
}

static int show_or_flush(struct ip_cmd *ip, bool flush)
{
	struct route_show s = { .ip = ip, .table = RT_TABLE_MAIN };
	struct rtmsg m = { .rtm_family = AF_INET };
	struct nlc_req r;
	const char *w;
	int err;

	while ((w = ip_word(ip))) {
		if (!strcmp(w, "cache"))
			return 0; /* there is no route cache to show or flush since Linux 3.6 */
		err = show_option(ip, &s, w);
		if (err)
			return err;
	}
	sb_init(&s.sb);
	/* A table that was named must be there. */
	if (s.table != RT_TABLE_MAIN && s.table < 256)
		m.rtm_table = (uint8_t)s.table;
	nlc_begin(&r, RTM_GETROUTE, NLM_F_DUMP, &m, sizeof(m));
	err = nlc_talk(&ip->c, &r, sizeof(m), flush ? collect_del : show_one, &s);
	for (size_t i = 0; !err && i < s.n_del; i++)
		err = nlc_talk(&ip->c, &s.del[i], sizeof(m), NULL, NULL);
	task_puts(ip->t, sb_str(&s.sb));
	free(s.del);
	sb_free(&s.sb);
	if (err == -ENOENT) {
		task_eprintf(ip->t, "Error: ipv4: FIB table does not exist.\nDump terminated\n");
		return 2;
	}
	return ip_answer(ip, err);
}

static bool get_tos(const char *v, uint8_t *tos)
{
	char *end;
	unsigned long x = strtoul(v, &end, 16);

	if (end == v || *end || x > 255)
		return false;
	*tos = (uint8_t)x;
	return true;
}

static int route_get(struct ip_cmd *ip)
{
	struct route_show s = { .ip = ip, .cache_line = true };
	struct rtmsg m = { .rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_flags = RTM_F_LOOKUP_TABLE };
	uint32_t dst = 0, src = 0, mark = 0;
	uint8_t plen = 32;
	int oif = 0, iif = 0, err;
	const char *w = ip_word(ip), *v;
	struct nlc_req r;
	uint64_t x;

	if (w && !strcmp(w, "to"))
		w = ip_word(ip);
	if (!w || ip4_parse_prefix(w, &dst, &plen))
		return ip_usage(ip, "any valid prefix is expected rather than", w ? w : "");
	while ((w = ip_word(ip))) {
		v = ip_word(ip);
		if (!v)
			return ip_usage(ip, "argument is missing after", w);
		if (!strcmp(w, "from") && !ip4_parse(v, &src))
			continue;
		if (!strcmp(w, "mark") && !u64_parse(v, 0, UINT32_MAX, &x)) {
			mark = (uint32_t)x;
			continue;
		}
		if ((!strcmp(w, "tos") || !strcmp(w, "dsfield")) && get_tos(v, &m.rtm_tos))
			continue;
		if (!strcmp(w, "ipproto") || !strcmp(w, "sport") || !strcmp(w, "dport"))
			continue; /* no rule looks at them */
		if (!strcmp(w, "oif") || !strcmp(w, "iif") || !strcmp(w, "dev")) {
			int i = ip_dev(ip, v);
			if (!i)
				return 1;
			*(w[0] == 'i' ? &iif : &oif) = i;
			continue;
		}
		return ip_usage(ip, "argument is wrong", v);
	}
	nlc_begin(&r, RTM_GETROUTE, 0, &m, sizeof(m));
	nlc_attr_ip4(&r, RTA_DST, dst);
	if (src)
		nlc_attr_ip4(&r, RTA_SRC, src);
	if (oif)
		nlc_attr_u32(&r, RTA_OIF, (uint32_t)oif);
	if (iif)
		nlc_attr_u32(&r, RTA_IIF, (uint32_t)iif);
	if (mark)
		nlc_attr_u32(&r, RTA_MARK, mark);
	sb_init(&s.sb);
	if (plen != 32)
		task_eprintf(ip->t, "Warning: /%u as prefix is invalid, only /32 (or none) is supported.\n", plen);
	err = nlc_talk(&ip->c, &r, sizeof(m), show_one, &s);
	task_puts(ip->t, sb_str(&s.sb));
	sb_free(&s.sb);
	return ip_answer(ip, err);
}

static int number(struct ip_cmd *ip, const char *what, const char *v, uint32_t *out)
{
	uint64_t x;

	if (!v || u64_parse(v, 0, UINT32_MAX, &x)) {
		task_eprintf(ip->t, "Error: argument \"%s\" is wrong: \"%s\" value is invalid\n", v ? v : "", what);
		return 1;
	}
	*out = (uint32_t)x;
	return 0;
}

/* Whether a word begins an option, where a destination could stand too. */
static bool route_keyword(const char *w)
{
	static const char *const words[] = { "via", "src", "dev", "oif", "table", "scope", "proto", "metric", "priority", "onlink" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(w, words[i]))
			return true;
	for (int i = RTAX_MTU; i <= RTAX_MAX; i++)
		if (metric_names[i] && !strcmp(w, metric_names[i]))
			return true;
	return false;
}

static int wrong(struct ip_cmd *ip, const char *v, const char *what, const char *why)
{
	task_eprintf(ip->t, "Error: argument \"%s\" is wrong: \"%s\" value %s\n\n", v, what, why);
	return 1;
}

/* rtt 20ms, rto_min 1s: in milliseconds times scale; a bare number is the kernel's own. */
static int metric_time(struct ip_cmd *ip, int which, const char *v, uint32_t *out)
{
	static const struct { const char *unit; uint32_t ms; } units[] = {
		{ "", 0 }, { "s", 1000 }, { "sec", 1000 }, { "secs", 1000 }, { "ms", 1 }, { "msec", 1 }, { "msecs", 1 } };
	uint32_t scale = which == RTAX_RTT ? 8 : which == RTAX_RTTVAR ? 4 : 1;
	size_t n = strspn(v, "0123456789");
	char digits[12] = "";
	uint64_t x;

	if (n && n < sizeof(digits))
		memcpy(digits, v, n);
	for (size_t i = 0; digits[0] && i < ARRAY_SIZE(units); i++)
		if (!strcmp(v + n, units[i].unit) && !u64_parse(digits, 0, UINT32_MAX, &x)) {
			*out = (uint32_t)min_u64(units[i].ms ? x * units[i].ms * scale : x, UINT32_MAX);
			return 0;
		}
	return wrong(ip, v, metric_names[which], "is invalid");
}

/* METRIC [lock] VALUE */
static int metric_option(struct ip_cmd *ip, int which, const char *v, struct route_args *a)
{
	uint32_t *out = &a->m_val[which];

	if (!strcmp(v, "lock") && which != RTAX_FEATURES && which != RTAX_QUICKACK && which != RTAX_INITCWND && which != RTAX_INITRWND) {
		a->m_lock |= 1u << which;
		v = ip_word(ip);
		if (!v)
			return ip_usage(ip, "argument is missing after", "lock");
	}
	a->m_set |= 1u << which;
	switch (which) {
	case RTAX_CC_ALGO:
		a->congctl = v;
		return 0;
	case RTAX_RTO_MIN:
		a->m_lock |= 1u << RTAX_RTO_MIN;
		/* fall through */
	case RTAX_RTT:
	case RTAX_RTTVAR:
		return metric_time(ip, which, v, out);
	case RTAX_FEATURES:
		*out |= RTAX_FEATURE_ECN;
		return strcmp(v, "ecn") ? wrong(ip, v, "features", "not valid") : 0;
	}
	if (number(ip, metric_names[which], v, out))
		return 1;
	if ((which == RTAX_QUICKACK || which == RTAX_FASTOPEN_NO_COOKIE) && *out > 1)
		return wrong(ip, v, metric_names[which], "should be 0 or 1");
	return which == RTAX_HOPLIMIT && *out > 255 ? wrong(ip, v, "hoplimit", "is invalid") : 0;
}

/* One option of add/del/replace. 0, or an exit code after a message. */
static int route_option(struct ip_cmd *ip, const char *w, struct route_args *a)
{
	static const struct { const char *name; size_t at; } nums[] = {
		{ "metric", offsetof(struct route_args, metric) }, { "priority", offsetof(struct route_args, metric) } };
	const char *v;

	if (!strcmp(w, "onlink")) {
		a->m.rtm_flags |= RTNH_F_ONLINK;
		return 0;
	}
	v = ip_word(ip);
	if (!v)
		return ip_usage(ip, "argument is missing after", w);
	for (size_t i = 0; i < ARRAY_SIZE(nums); i++)
		if (!strcmp(w, nums[i].name))
			return number(ip, w, v, (uint32_t *)(void *)((char *)a + nums[i].at));
	for (int i = RTAX_MTU; i <= RTAX_MAX; i++)
		if (metric_names[i] && !strcmp(w, metric_names[i]))
			return metric_option(ip, i, v, a);
	if (!strcmp(w, "via"))
		return ip4_parse(v, &a->gw) ? ip_usage(ip, "inet address is expected rather than", v) : 0;
	if (!strcmp(w, "src"))
		return ip4_parse(v, &a->src) ? ip_usage(ip, "inet address is expected rather than", v) : 0;
	if (!strcmp(w, "dev") || !strcmp(w, "oif"))
		return (a->oif = ip_dev(ip, v)) ? 0 : 1;
	if (!strcmp(w, "table"))
		return rt_table_parse(v, &a->table) ? ip_usage(ip, "table id value is invalid", v) : (a->have_table = true, 0);
	if (!strcmp(w, "scope"))
		return rt_scope_parse(v, &a->m.rtm_scope) ? ip_usage(ip, "invalid \"scope\" value", v) : (a->scope_set = true, 0);
	if (!strcmp(w, "proto")) {
		return rt_proto_parse(v, &a->m.rtm_protocol) ? ip_usage(ip, "invalid \"protocol\" value", v) : 0;
	}
	return ip_usage(ip, "either \"to\" is duplicate, or garbage:", w);
}

static void metrics(struct nlc_req *r, const struct route_args *a)
{
	size_t at;

	if (!a->m_set)
		return;
	at = nlc_nest(r, RTA_METRICS);
	if (a->m_lock)
		nlc_attr_u32(r, RTAX_LOCK, a->m_lock);
	for (int i = RTAX_MTU; i <= RTAX_MAX; i++) {
		if (i == RTAX_CC_ALGO && a->congctl)
			nlc_attr(r, RTAX_CC_ALGO, a->congctl, strlen(a->congctl) + 1);
		else if (a->m_set & (1u << i))
			nlc_attr_u32(r, (uint16_t)i, a->m_val[i]);
	}
	nlc_nest_end(r, at);
}

static int route_modify(struct ip_cmd *ip, uint16_t type, uint16_t flags)
{
	struct route_args a = { .m = { .rtm_family = AF_INET, .rtm_protocol = RTPROT_BOOT, .rtm_type = type == RTM_NEWROUTE ? RTN_UNICAST : RTN_UNSPEC } };
	struct nlc_req r;
	const char *w;
	int rc;

	while ((w = ip_word(ip))) {
		const char *word = w;

		if (!a.have_dst && !rt_type_parse(w, &a.m.rtm_type))
			continue;
		if (!a.have_dst && (!strcmp(w, "to") ? (w = ip_word(ip)) != NULL : 1) &&
		    (!strcmp(w, "default") || !ip4_parse_prefix(w, &a.dst, &a.m.rtm_dst_len))) {
			a.have_dst = true;
			continue;
		}
		if (!a.have_dst && (word != w || !route_keyword(w)))
			return ip_usage(ip, "any valid prefix is expected rather than", w ? w : "");
		rc = route_option(ip, w, &a);
		if (rc)
			return rc;
	}
	if (!a.have_dst)
		return ip_usage(ip, "a destination (a prefix or \"default\") is required", NULL);
	if (!a.have_table)
		a.table = a.m.rtm_type == RTN_LOCAL || a.m.rtm_type == RTN_BROADCAST ? RT_TABLE_LOCAL : RT_TABLE_MAIN;
	if (!a.scope_set && type == RTM_NEWROUTE) {
		if (a.m.rtm_type == RTN_LOCAL)
			a.m.rtm_scope = RT_SCOPE_HOST;
		else if (a.m.rtm_type == RTN_BROADCAST || (a.m.rtm_type == RTN_UNICAST && !a.gw))
			a.m.rtm_scope = RT_SCOPE_LINK;
	} else if (!a.scope_set) {
		a.m.rtm_scope = RT_SCOPE_NOWHERE;
	}
	a.m.rtm_table = (uint8_t)(a.table < 256 ? a.table : RT_TABLE_COMPAT);
	nlc_begin(&r, type, (uint16_t)(flags | NLM_F_ACK), &a.m, sizeof(a.m));
	if (a.m.rtm_dst_len || a.dst)
		nlc_attr_ip4(&r, RTA_DST, a.dst);
	nlc_attr_u32(&r, RTA_TABLE, a.table);
	if (a.gw)
		nlc_attr_ip4(&r, RTA_GATEWAY, a.gw);
	if (a.src)
		nlc_attr_ip4(&r, RTA_PREFSRC, a.src);
	if (a.oif)
		nlc_attr_u32(&r, RTA_OIF, (uint32_t)a.oif);
	if (a.metric)
		nlc_attr_u32(&r, RTA_PRIORITY, a.metric);
	metrics(&r, &a);
	rc = nlc_talk(&ip->c, &r, sizeof(a.m), NULL, NULL);
	/* what Linux says besides the number */
	if (ip->says)
		return ip_answer(ip, rc);
	if (rc == -ENETUNREACH && a.gw)
		task_eprintf(ip->t, "Error: Nexthop has invalid gateway.\n");
	else if (rc == -EINVAL && a.m.rtm_dst_len < 32 && a.dst << a.m.rtm_dst_len)
		task_eprintf(ip->t, "Error: Invalid prefix for given prefix length.\n");
	else
		return ip_answer(ip, rc);
	return 2;
}

int ip_route_cmd(struct ip_cmd *ip)
{
	const char *w = ip_word(ip);

	if (!w || ip_is(w, "show") || ip_is(w, "list"))
		return show_or_flush(ip, false);
	if (ip_is(w, "get"))
		return route_get(ip);
	if (ip_is(w, "add"))
		return route_modify(ip, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	if (ip_is(w, "append"))
		return route_modify(ip, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND);
	if (ip_is(w, "change"))
		return route_modify(ip, RTM_NEWROUTE, NLM_F_REPLACE);
	if (ip_is(w, "replace"))
		return route_modify(ip, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
	if (ip_is(w, "delete"))
		return route_modify(ip, RTM_DELROUTE, 0);
	if (ip_is(w, "flush"))
		return show_or_flush(ip, true);
	return ip_unknown(ip, w, "ip route show|get|add|del|replace|flush");
}

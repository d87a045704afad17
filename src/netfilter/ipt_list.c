/* Rules as text: `iptables -L` and `iptables -S`, column for column.
 *
 * Decides nothing. Called by: ipt_command.c. Tests: tests/lab/iptables.t. */
#include <errno.h>
#include <string.h>
#include "netfilter/ip_tables.h"
#include "wire/ip4.h"

struct icmp_name {
	const char *name;
	uint8_t type, code_min, code_max;
};
static const struct icmp_name icmp_names[] = {
	{ "any", 0xff, 0, 0xff },
	{ "echo-reply", 0, 0, 0xff },
	{ "destination-unreachable", 3, 0, 0xff },
	{ "network-unreachable", 3, 0, 0 },
	{ "host-unreachable", 3, 1, 1 },
	{ "protocol-unreachable", 3, 2, 2 },
	{ "port-unreachable", 3, 3, 3 },
	{ "fragmentation-needed", 3, 4, 4 },
	{ "source-quench", 4, 0, 0xff },
	{ "redirect", 5, 0, 0xff },
	{ "echo-request", 8, 0, 0xff },
	{ "time-exceeded", 11, 0, 0xff },
	{ "ttl-zero-during-transit", 11, 0, 0 },
	{ "ttl-zero-during-reassembly", 11, 1, 1 },
	{ "parameter-problem", 12, 0, 0xff },
	{ "timestamp-request", 13, 0, 0xff },
	{ "timestamp-reply", 14, 0, 0xff },
	{ "address-mask-request", 17, 0, 0xff },
	{ "address-mask-reply", 18, 0, 0xff },
};

const char *ipt_icmp_name(uint8_t type, const uint8_t code[2])
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(icmp_names); i++)
		if (icmp_names[i].type == type && icmp_names[i].code_min == code[0] &&
		    icmp_names[i].code_max == code[1])
			return icmp_names[i].name;
	return NULL;
}

int ipt_icmp_parse(const char *s, uint8_t *type, uint8_t code[2])
{
	const char *slash = strchr(s, '/');
	char num[8];
	uint64_t t, c;
	size_t i, n = slash ? (size_t)(slash - s) : strlen(s);

	for (i = 0; i < ARRAY_SIZE(icmp_names); i++) {
		if (strcmp(s, icmp_names[i].name))
			continue;
		*type = icmp_names[i].type;
		code[0] = icmp_names[i].code_min;
		code[1] = icmp_names[i].code_max;
		return 0;
	}
	if (n >= sizeof(num))
		return -EINVAL;
	memcpy(num, s, n);
	num[n] = '\0';
	if (u64_parse(num, 0, 255, &t) || (slash && u64_parse(slash + 1, 0, 255, &c)))
		return -EINVAL;
	*type = (uint8_t)t;
	code[0] = slash ? (uint8_t)c : 0;
	code[1] = slash ? (uint8_t)c : 0xff;
	return 0;
}

const char *ipt_proto_name(char buf[8], uint8_t proto)
{
	uint8_t v = proto;
	size_t n = 0;

	if (proto == 1)
		return "icmp";
	if (proto == 2)
		return "igmp";
	if (proto == 6)
		return "tcp";
	if (proto == 17)
		return "udp";
	if (v >= 100)
		buf[n++] = (char)('0' + v / 100);
	if (v >= 10)
		buf[n++] = (char)('0' + v / 10 % 10);
	buf[n++] = (char)('0' + v % 10);
	buf[n] = '\0';
	return buf;
}

/* ---- -L ---- */

/* A count in five columns with K, M, G, T behind, or exact in "wide" columns. */
static void list_count(struct strbuf *out, uint64_t v, unsigned fmt, int wide)
{
	static const char unit[] = { 'K', 'M', 'G', 'T' };
	size_t u = 0;

	if (fmt & IPT_FMT_EXACT) {
		sb_printf(out, "%*llu ", wide, (unsigned long long)v);
		return;
	}
	if (v <= 99999) {
		sb_printf(out, "%5llu ", (unsigned long long)v);
		return;
	}
	for (v = (v + 500) / 1000; v > 9999 && u + 1 < sizeof(unit); u++)
		v = (v + 500) / 1000;
	sb_printf(out, "%4llu%c ", (unsigned long long)v, unit[u]);
}

static int mask_plen(uint32_t mask)
{
	int plen = __builtin_popcount(mask);

	return ip4_mask((unsigned)plen) == mask ? plen : -1;
}

static const char *addr_text(char buf[40], uint32_t addr, uint32_t mask, const char *any, bool host_too)
{
	struct strbuf sb;
	char a[IP4_STRLEN], m[IP4_STRLEN];
	int plen = mask_plen(mask);

	if (!plen && any)
		return any;
	sb_init(&sb);
	sb_puts(&sb, ip4_str(a, addr));
	if (plen < 0)
		sb_printf(&sb, "/%s", ip4_str(m, mask));
	else if (plen < 32 || host_too)
		sb_printf(&sb, "/%d", plen);
	memcpy(buf, sb_str(&sb), sb.len + 1);
	sb_free(&sb);
	return buf;
}

static void list_address(struct strbuf *out, uint32_t addr, uint32_t mask, bool inv, unsigned fmt)
{
	char buf[40];
	const char *text = addr_text(buf, addr, mask, fmt & IPT_FMT_NUMERIC ? "0.0.0.0/0" : "anywhere", false);

	sb_printf(out, "%c%-19s ", inv ? '!' : ' ', text);
}

static void list_if(struct strbuf *out, const char *name, bool inv, unsigned fmt)
{
	char buf[IPT_IFNAME + 2];
	size_t n = 0;

	if (inv)
		buf[n++] = '!';
	if (*name)
		memcpy(buf + n, name, strlen(name) + 1);
	else
		memcpy(buf + n, fmt & IPT_FMT_NUMERIC ? "*" : "any", fmt & IPT_FMT_NUMERIC ? 2 : 4);
	sb_printf(out, "%-6s ", buf);
}

static void list_ports(struct strbuf *out, const char *what, const uint16_t r[2], bool inv)
{
	if (r[0] == r[1])
		sb_printf(out, " %s:%s%u", what, inv ? "!" : "", r[0]);
	else
		sb_printf(out, " %ss:%s%u:%u", what, inv ? "!" : "", r[0], r[1]);
}

static void list_l4(const struct ipt_spec *s, struct strbuf *out)
{
	char buf[8];

	if (s->has & IPT_HAS_ICMP) {
		if (s->icmp_type == 0xff)
			sb_puts(out, " icmp any");
		else
			sb_printf(out, " icmp %stype %u", s->inv & IPT_INV_ICMP ? "!" : "", s->icmp_type);
		if (s->icmp_type != 0xff && s->icmp_code[0] == s->icmp_code[1])
			sb_printf(out, " code %u", s->icmp_code[0]);
		return;
	}
	if (!(s->has & (IPT_HAS_SPORT | IPT_HAS_DPORT)))
		return;
	sb_printf(out, " %s", ipt_proto_name(buf, s->proto));
	if (s->has & IPT_HAS_SPORT)
		list_ports(out, "spt", s->sport, (s->inv & IPT_INV_SPORT) != 0);
	if (s->has & IPT_HAS_DPORT)
		list_ports(out, "dpt", s->dport, (s->inv & IPT_INV_DPORT) != 0);
}

static void list_rule(const struct ipt_rule *r, uint32_t num, unsigned fmt, struct strbuf *out)
{
	const struct ipt_spec *s = &r->spec;
	char buf[8];

	if (fmt & IPT_FMT_LINES)
		sb_printf(out, "%-4u ", num);
	if (fmt & IPT_FMT_VERBOSE) {
		list_count(out, r->packets, fmt, 8);
		list_count(out, r->bytes, fmt, 10);
	}
	sb_printf(out, "%-9s %c%-4s -- ", ipt_target_name(s->target), s->inv & IPT_INV_PROTO ? '!' : ' ',
		  s->has & IPT_HAS_PROTO ? ipt_proto_name(buf, s->proto) : "all");
	if (fmt & IPT_FMT_VERBOSE) {
		sb_putc(out, ' ');
		list_if(out, s->in, (s->inv & IPT_INV_IN) != 0, fmt);
		list_if(out, s->out, (s->inv & IPT_INV_OUT) != 0, fmt);
	}
	list_address(out, s->src, s->src_mask, (s->inv & IPT_INV_SRC) != 0, fmt);
	list_address(out, s->dst, s->dst_mask, (s->inv & IPT_INV_DST) != 0, fmt);
	list_l4(s, out);
	ipt_match_list(s, out);
	ipt_target_list(s, out);
	sb_putc(out, '\n');
}

static void list_head(const struct ipt_chain *c, unsigned fmt, struct strbuf *out)
{
	sb_printf(out, "Chain %s (policy %s", c->name, ipt_target_name(c->policy));
	if (fmt & IPT_FMT_VERBOSE) {
		struct strbuf n;

		sb_init(&n);
		list_count(&n, c->packets, fmt, 0);
		sb_puts(out, " ");
		sb_puts(out, sb_str(&n) + strspn(sb_str(&n), " "));
		sb_puts(out, "packets, ");
		sb_reset(&n);
		list_count(&n, c->bytes, fmt, 0);
		sb_puts(out, sb_str(&n) + strspn(sb_str(&n), " "));
		sb_puts(out, "bytes");
		sb_free(&n);
	}
	sb_puts(out, ")\n");
	if (fmt & IPT_FMT_LINES)
		sb_printf(out, "%-4s ", "num");
	if (fmt & IPT_FMT_VERBOSE)
		sb_puts(out, fmt & IPT_FMT_EXACT ? "    pkts      bytes " : " pkts bytes ");
	sb_puts(out, "target     prot opt ");
	if (fmt & IPT_FMT_VERBOSE)
		sb_puts(out, "in     out     ");
	sb_puts(out, "source               destination         \n");
}

void ipt_list_chain(const struct ipt_chain *c, uint32_t num, unsigned fmt, struct strbuf *out)
{
	uint32_t i;

	if (num) {
		if (num <= c->n)
			list_rule(&c->rule[num - 1], num, fmt, out);
		return;
	}
	list_head(c, fmt, out);
	for (i = 0; i < c->n; i++)
		list_rule(&c->rule[i], i + 1, fmt, out);
}

/* ---- -S ---- */

static void save_port(struct strbuf *out, const char *opt, const uint16_t r[2], bool inv)
{
	sb_printf(out, "%s --%s %u", inv ? " !" : "", opt, r[0]);
	if (r[0] != r[1])
		sb_printf(out, ":%u", r[1]);
}

static void save_l4(const struct ipt_spec *s, struct strbuf *out)
{
	char buf[8];

	if (s->has & (IPT_HAS_SPORT | IPT_HAS_DPORT | IPT_HAS_ICMP))
		sb_printf(out, " -m %s", ipt_proto_name(buf, s->proto));
	if (s->has & IPT_HAS_SPORT)
		save_port(out, "sport", s->sport, (s->inv & IPT_INV_SPORT) != 0);
	if (s->has & IPT_HAS_DPORT)
		save_port(out, "dport", s->dport, (s->inv & IPT_INV_DPORT) != 0);
	if (!(s->has & IPT_HAS_ICMP))
		return;
	sb_puts(out, s->inv & IPT_INV_ICMP ? " !" : "");
	if (s->icmp_type == 0xff)
		sb_puts(out, " --icmp-type any");
	else if (s->icmp_code[0] == s->icmp_code[1])
		sb_printf(out, " --icmp-type %u/%u", s->icmp_type, s->icmp_code[0]);
	else
		sb_printf(out, " --icmp-type %u", s->icmp_type);
}

static void save_rule(const struct ipt_rule *r, const char *chain, unsigned fmt, struct strbuf *out)
{
	const struct ipt_spec *s = &r->spec;
	char buf[40];

	sb_printf(out, "-A %s", chain);
	if (s->src_mask || (s->inv & IPT_INV_SRC))
		sb_printf(out, "%s -s %s", s->inv & IPT_INV_SRC ? " !" : "",
			  addr_text(buf, s->src, s->src_mask, NULL, true));
	if (s->dst_mask || (s->inv & IPT_INV_DST))
		sb_printf(out, "%s -d %s", s->inv & IPT_INV_DST ? " !" : "",
			  addr_text(buf, s->dst, s->dst_mask, NULL, true));
	if (*s->in)
		sb_printf(out, "%s -i %s", s->inv & IPT_INV_IN ? " !" : "", s->in);
	if (*s->out)
		sb_printf(out, "%s -o %s", s->inv & IPT_INV_OUT ? " !" : "", s->out);
	if (s->has & IPT_HAS_PROTO)
		sb_printf(out, "%s -p %s", s->inv & IPT_INV_PROTO ? " !" : "", ipt_proto_name(buf, s->proto));
	save_l4(s, out);
	ipt_match_save(s, out);
	if (fmt & IPT_FMT_VERBOSE)
		sb_printf(out, " -c %llu %llu", (unsigned long long)r->packets, (unsigned long long)r->bytes);
	if (s->target)
		sb_printf(out, " -j %s", ipt_target_name(s->target));
	ipt_target_save(s, out);
	sb_putc(out, '\n');
}

void ipt_save_chain(const struct ipt_chain *c, uint32_t num, unsigned fmt, struct strbuf *out)
{
	uint32_t i;

	for (i = num ? num - 1 : 0; i < c->n && (!num || i < num); i++)
		save_rule(&c->rule[i], c->name, fmt, out);
}

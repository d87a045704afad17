/* The conditions and the target of a rule, from iptables' words.
 *
 * Decides: which words mean what, and which combinations make no sense (ports without tcp or udp): such a rule
 * is refused in iptables' words rather than taken to mean something else.
 * Called by: ipt_command.c. Tests: tests/lab/iptables.t. */
#include <errno.h>
#include <string.h>
#include "netfilter/ip_tables.h"
#include "wire/ip4.h"

#define PROTO_ICMP 1
#define PROTO_TCP 6
#define PROTO_UDP 17

static int ipt_bad(struct strbuf *err, const char *fmt, const char *arg)
{
	sb_reset(err);
	sb_puts(err, "iptables v1: ");
	if (arg)
		sb_printf(err, "%s \"%s\"\n", fmt, arg);
	else
		sb_printf(err, "%s\n", fmt);
	return -EINVAL;
}

/* The word behind an option; NULL: there is none. */
static const char *ipt_arg(struct ipt_words *w)
{
	return w->at + 1 < w->n ? w->w[++w->at] : NULL;
}

static int ipt_parse_addr(const char *s, uint32_t *addr, uint32_t *mask)
{
	const char *slash = strchr(s, '/');
	char host[IP4_STRLEN];
	uint8_t plen;
	size_t n;

	if (!ip4_parse_prefix(s, addr, &plen)) {
		*mask = ip4_mask(plen);
		*addr &= *mask;
		return 0;
	}
	/* "10.0.0.0/255.0.0.0" */
	n = slash ? (size_t)(slash - s) : 0;
	if (!n || n >= sizeof(host))
		return -EINVAL;
	memcpy(host, s, n);
	host[n] = '\0';
	if (ip4_parse(host, addr) || ip4_parse(slash + 1, mask))
		return -EINVAL;
	*addr &= *mask;
	return 0;
}

static int ipt_parse_if(const char *s, char out[IPT_IFNAME])
{
	size_t n = strlen(s);

	if (!n || n >= IPT_IFNAME)
		return -EINVAL;
	memcpy(out, s, n + 1);
	return 0;
}

static int ipt_parse_proto(const char *s, struct ipt_spec *spec)
{
	static const struct {
		const char *name;
		uint8_t v;
	} t[] = { { "icmp", 1 }, { "igmp", 2 }, { "tcp", PROTO_TCP }, { "udp", PROTO_UDP } };
	uint64_t v;
	size_t i;

	if (!strcmp(s, "all") || !strcmp(s, "0"))
		return 0;
	spec->has |= IPT_HAS_PROTO;
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		if (!strcmp(s, t[i].name)) {
			spec->proto = t[i].v;
			return 0;
		}
	}
	if (u64_parse(s, 1, 255, &v))
		return -EINVAL;
	spec->proto = (uint8_t)v;
	return 0;
}

int ipt_parse_ports(const char *s, char sign, uint16_t range[2])
{
	const char *colon = strchr(s, sign);
	char from[8] = "0";
	uint64_t a, b = UINT16_MAX;
	size_t n = colon ? (size_t)(colon - s) : strlen(s);

	if (n >= sizeof(from) || !*s)
		return -EINVAL;
	if (n) {
		memcpy(from, s, n);
		from[n] = '\0';
	}
	if (u64_parse(from, 0, UINT16_MAX, &a))
		return -EINVAL;
	if (!colon)
		b = a;
	else if (colon[1] && u64_parse(colon + 1, 0, UINT16_MAX, &b))
		return -EINVAL;
	if (a > b)
		return -EINVAL;
	range[0] = (uint16_t)a;
	range[1] = (uint16_t)b;
	return 0;
}

static const struct {
	const char *names[3];
	enum ipt_opt opt;
	uint16_t inv; /* 0: cannot be inverted */
	const char *what; /* NULL: takes no word */
	const char *match; /* -m that it needs; NULL: none */
} ipt_opts[] = {
	{ { "-p", "--protocol", "--proto" }, OPT_PROTO, IPT_INV_PROTO, "unknown protocol", NULL },
	{ { "-s", "--source", "--src" }, OPT_SRC, IPT_INV_SRC, "invalid address", NULL },
	{ { "-d", "--destination", "--dst" }, OPT_DST, IPT_INV_DST, "invalid address", NULL },
	{ { "-i", "--in-interface", NULL }, OPT_IN, IPT_INV_IN, "invalid interface name", NULL },
	{ { "-o", "--out-interface", NULL }, OPT_OUT, IPT_INV_OUT, "invalid interface name", NULL },
	{ { "--sport", "--source-port", NULL }, OPT_SPORT, IPT_INV_SPORT, "invalid port/service", NULL },
	{ { "--dport", "--destination-port", NULL }, OPT_DPORT, IPT_INV_DPORT, "invalid port/service", NULL },
	{ { "--icmp-type", NULL, NULL }, OPT_ICMP, IPT_INV_ICMP, "invalid ICMP type", NULL },
	{ { "-m", "--match", NULL }, OPT_MATCH, 0, "couldn't load match", NULL },
	{ { "-j", "--jump", NULL }, OPT_JUMP, 0, "couldn't load target", NULL },
	{ { "--ctstate", NULL, NULL }, OPT_CTSTATE, IPT_INV_CT, "bad state", "conntrack" },
	{ { "--state", NULL, NULL }, OPT_STATE, IPT_INV_CT, "bad state", "state" },
	{ { "--sports", "--source-ports", NULL }, OPT_SPORTS, IPT_INV_MULTIPORT, "invalid port/service", "multiport" },
	{ { "--dports", "--destination-ports", NULL }, OPT_DPORTS, IPT_INV_MULTIPORT, "invalid port/service", "multiport" },
	{ { "--ports", NULL, NULL }, OPT_PORTS, IPT_INV_MULTIPORT, "invalid port/service", "multiport" },
	{ { "--src-type", NULL, NULL }, OPT_SRC_TYPE, IPT_INV_SRC_TYPE, "bad address type", "addrtype" },
	{ { "--dst-type", NULL, NULL }, OPT_DST_TYPE, IPT_INV_DST_TYPE, "bad address type", "addrtype" },
	{ { "--to-source", NULL, NULL }, OPT_TO_SOURCE, 0, "invalid address or port", NULL },
	{ { "--to-destination", NULL, NULL }, OPT_TO_DESTINATION, 0, "invalid address or port", NULL },
	{ { "--to-ports", NULL, NULL }, OPT_TO_PORTS, 0, "invalid port or range", NULL },
	{ { "--reject-with", NULL, NULL }, OPT_REJECT_WITH, 0, "unknown reject type", NULL },
	{ { "--random", NULL, NULL }, OPT_RANDOM, 0, NULL, NULL },
	{ { "--random-fully", NULL, NULL }, OPT_RANDOM_FULLY, 0, NULL, NULL },
	{ { "--persistent", NULL, NULL }, OPT_PERSISTENT, 0, NULL, NULL },
	{ { "--notrack", NULL, NULL }, OPT_NOTRACK, 0, NULL, NULL },
};

static int ipt_opt_find(const char *word)
{
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(ipt_opts); i++)
		for (k = 0; k < 3; k++)
			if (ipt_opts[i].names[k] && !strcmp(word, ipt_opts[i].names[k]))
				return (int)i;
	return -1;
}

bool ipt_opt_alone(const char *word)
{
	int i = ipt_opt_find(word);

	return i >= 0 && !ipt_opts[i].what;
}

/* Matches that -m may name. */
static const char *const ipt_matches[] = { "tcp", "udp", "icmp", "conntrack", "state", "multiport", "addrtype" };

static int ipt_match_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(ipt_matches); i++)
		if (!strcmp(name, ipt_matches[i]))
			return (int)i;
	return -1;
}

static int ipt_parse_one(enum ipt_opt opt, const char *arg, struct ipt_spec *s)
{
	switch (opt) {
	case OPT_PROTO:
		return ipt_parse_proto(arg, s);
	case OPT_SRC:
		return ipt_parse_addr(arg, &s->src, &s->src_mask);
	case OPT_DST:
		return ipt_parse_addr(arg, &s->dst, &s->dst_mask);
	case OPT_IN:
		return ipt_parse_if(arg, s->in);
	case OPT_OUT:
		return ipt_parse_if(arg, s->out);
	case OPT_SPORT:
		s->has |= IPT_HAS_SPORT;
		return ipt_parse_ports(arg, ':', s->sport);
	case OPT_DPORT:
		s->has |= IPT_HAS_DPORT;
		return ipt_parse_ports(arg, ':', s->dport);
	case OPT_ICMP:
		s->has |= IPT_HAS_ICMP;
		return ipt_icmp_parse(arg, &s->icmp_type, s->icmp_code);
	case OPT_MATCH:
		return ipt_match_find(arg) < 0 ? -EINVAL : 0;
	case OPT_JUMP:
		s->target = ipt_target_parse(arg);
		return s->target ? 0 : -EINVAL;
	case OPT_CTSTATE:
	case OPT_STATE:
	case OPT_SPORTS:
	case OPT_DPORTS:
	case OPT_PORTS:
	case OPT_SRC_TYPE:
	case OPT_DST_TYPE:
		return ipt_match_parse(opt, arg, s) ? 0 : -EINVAL;
	default:
		return ipt_target_option(opt, arg, s) ? 0 : -EINVAL;
	}
}

/* Conditions that only some protocols can have. */
static int ipt_check_spec(const struct ipt_spec *s, uint32_t seen, uint32_t matches, struct strbuf *err)
{
	static const uint16_t made[ARRAY_SIZE(ipt_matches)] = { [3] = IPT_HAS_CTSTATE, IPT_HAS_STATE, IPT_HAS_MULTIPORT,
								IPT_HAS_ADDRTYPE };
	const char *why = ipt_target_check(s, seen);
	bool plain = (s->has & IPT_HAS_PROTO) && !(s->inv & IPT_INV_PROTO);

	if ((s->has & (IPT_HAS_SPORT | IPT_HAS_DPORT)) && !(plain && (s->proto == PROTO_TCP || s->proto == PROTO_UDP)))
		return ipt_bad(err, "ports need -p tcp or -p udp", NULL);
	if ((s->has & IPT_HAS_ICMP) && !(plain && s->proto == PROTO_ICMP))
		return ipt_bad(err, "--icmp-type needs -p icmp", NULL);
	if ((s->inv & IPT_INV_PROTO) && !(s->has & IPT_HAS_PROTO))
		return ipt_bad(err, "rule would never match protocol", NULL);
	if ((s->has & IPT_HAS_MULTIPORT) && !(plain && (s->proto == PROTO_TCP || s->proto == PROTO_UDP)))
		return ipt_bad(err, "multiport needs -p tcp or -p udp", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(made); i++)
		if ((matches >> i & 1) && made[i] && !(s->has & made[i]))
			return ipt_bad(err, "at least one option is required by match", ipt_matches[i]);
	return why ? ipt_bad(err, why, NULL) : 0;
}

int ipt_parse_spec(struct ipt_words *words, struct ipt_spec *spec, struct strbuf *err)
{
	uint32_t seen = 0, matches = 0;

	memset(spec, 0, sizeof(*spec));
	for (; words->at < words->n; words->at++) {
		bool inv = !strcmp(words->w[words->at], "!");
		const char *arg;
		int i;

		if (inv && ++words->at == words->n)
			return ipt_bad(err, "nothing follows", "!");
		i = ipt_opt_find(words->w[words->at]);
		if (i < 0)
			return ipt_bad(err, "unknown option", words->w[words->at]);
		if (inv && !ipt_opts[i].inv)
			return ipt_bad(err, "unexpected ! flag before", words->w[words->at]);
		if (ipt_opts[i].match && !(matches >> ipt_match_find(ipt_opts[i].match) & 1))
			return ipt_bad(err, "unknown option", words->w[words->at]);
		if (ipt_opts[i].opt != OPT_MATCH && (seen & (1u << ipt_opts[i].opt)))
			return ipt_bad(err, "multiple flags not allowed:", words->w[words->at]);
		seen |= 1u << ipt_opts[i].opt;
		arg = ipt_opts[i].what ? ipt_arg(words) : "";
		if (!arg)
			return ipt_bad(err, "option requires an argument:", words->w[words->at]);
		if (ipt_parse_one(ipt_opts[i].opt, arg, spec))
			return ipt_bad(err, ipt_opts[i].what ? ipt_opts[i].what : "bad option", arg);
		if (ipt_opts[i].opt == OPT_MATCH)
			matches |= 1u << ipt_match_find(arg);
		if (inv)
			spec->inv |= ipt_opts[i].inv;
	}
	if (spec->target == IPT_REJECT && !(seen & (1u << OPT_REJECT_WITH)))
		spec->reject = ICMP_PORT_UNREACH;
	return ipt_check_spec(spec, seen, matches, err);
}

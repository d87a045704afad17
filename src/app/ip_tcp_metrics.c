/* ip tcp_metrics: what the host remembers of its TCP peers (ip-tcp_metrics(8)). From the generic netlink family "tcp_metrics".
 * Tests: tests/lab/tcp-metrics.t, tests/packet/metrics. */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/tcp_metrics.h>
#include <stdlib.h>
#include <string.h>
#include "app/ip_cmd.h"
#include "wire/ip4.h"

struct tcpm_cmd {
	struct ip_cmd *ip;
	struct nlc c;
	uint16_t family;
	uint32_t daddr, saddr;
	uint8_t dlen, slen;
	bool has_daddr, has_saddr;
	/* flush: entries to delete */
	uint32_t *del; /* pairs: daddr, saddr */
	size_t n;
};

static int tcpm_usage(struct ip_cmd *ip)
{
	task_eprintf(ip->t, "Usage:\tip tcp_metrics/tcpmetrics { COMMAND | help }\n"
			    "\tip tcp_metrics { show | flush } SELECTOR\n"
			    "\tip tcp_metrics delete [ address ] ADDRESS\n"
			    "SELECTOR := [ [ address ] PREFIX ]\n");
	return 255;
}

static void got_family(const struct nlc_msg *m, void *arg)
{
	const struct nlattr *a = m->tb[CTRL_ATTR_FAMILY_ID];

	if (nlc_len(a) >= sizeof(uint16_t))
		memcpy(arg, nlc_data(a), sizeof(uint16_t));
}

static int find_family(struct tcpm_cmd *tc)
{
	const struct genlmsghdr g = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 };
	struct nlc_req r;

	nlc_begin(&r, GENL_ID_CTRL, NLM_F_ACK, &g, sizeof(g));
	nlc_attr(&r, CTRL_ATTR_FAMILY_NAME, TCP_METRICS_GENL_NAME, sizeof(TCP_METRICS_GENL_NAME));
	return nlc_talk(&tc->c, &r, GENL_HDRLEN, got_family, &tc->family);
}

static void print_age(struct task *t, const char *before, const struct nlattr *a, const char *after)
{
	uint64_t ms = nlc_u64(a, 0);

	task_printf(t, "%s%llu.%03llusec%s", before, (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000), after);
}

static uint32_t attr_u16(const struct nlattr *a)
{
	uint16_t v = 0;

	if (nlc_len(a) >= sizeof(v))
		memcpy(&v, nlc_data(a), sizeof(v));
	return v;
}

static void print_vals(struct task *t, const struct nlattr *vals)
{
	static const char *const names[TCP_METRIC_MAX + 1] = { "rtt", "rttvar", "ssthresh", "cwnd", "reordering", "rtt", "rttvar" };
	const struct nlattr *tb[TCP_METRIC_MAX + 2];

	nlc_index(nlc_data(vals), nlc_len(vals), tb, TCP_METRIC_MAX + 1);
	for (unsigned i = TCP_METRIC_SSTHRESH; i <= TCP_METRIC_MAX; i++)
		if (tb[i + 1])
			task_printf(t, " %s %u%s", names[i], nlc_u32(tb[i + 1]), i >= TCP_METRIC_RTT_US ? "us" : "");
}

static bool selected(const struct tcpm_cmd *tc, const struct nlc_msg *m)
{
	uint32_t d = nlc_ip4(m->tb[TCP_METRICS_ATTR_ADDR_IPV4]), s = nlc_ip4(m->tb[TCP_METRICS_ATTR_SADDR_IPV4]);

	return (!tc->has_daddr || !((d ^ tc->daddr) & ip4_mask(tc->dlen))) && (!tc->has_saddr || !((s ^ tc->saddr) & ip4_mask(tc->slen)));
}

static void show_one(const struct nlc_msg *m, void *arg)
{
	const struct tcpm_cmd *tc = arg;
	struct task *t = tc->ip->t;
	const struct nlattr *cookie = m->tb[TCP_METRICS_ATTR_FOPEN_COOKIE];
	char b[IP4_STRLEN];

	if (!selected(tc, m))
		return;
	task_puts(t, ip4_str(b, nlc_ip4(m->tb[TCP_METRICS_ATTR_ADDR_IPV4])));
	print_age(t, " age ", m->tb[TCP_METRICS_ATTR_AGE], "");
	if (m->tb[TCP_METRICS_ATTR_VALS])
		print_vals(t, m->tb[TCP_METRICS_ATTR_VALS]);
	if (m->tb[TCP_METRICS_ATTR_FOPEN_MSS])
		task_printf(t, " fo_mss %u", attr_u16(m->tb[TCP_METRICS_ATTR_FOPEN_MSS]));
	if (m->tb[TCP_METRICS_ATTR_FOPEN_SYN_DROPS]) {
		task_printf(t, " fo_syn_drops %u/", attr_u16(m->tb[TCP_METRICS_ATTR_FOPEN_SYN_DROPS]));
		print_age(t, "", m->tb[TCP_METRICS_ATTR_FOPEN_SYN_DROP_TS], " ago");
	}
	if (cookie) {
		task_puts(t, " fo_cookie ");
		for (size_t i = 0; i < nlc_len(cookie); i++)
			task_printf(t, "%02x", ((const uint8_t *)nlc_data(cookie))[i]);
	}
	if (m->tb[TCP_METRICS_ATTR_SADDR_IPV4])
		task_printf(t, " source %s", ip4_str(b, nlc_ip4(m->tb[TCP_METRICS_ATTR_SADDR_IPV4])));
	task_puts(t, "\n");
}

static void note_one(const struct nlc_msg *m, void *arg)
{
	struct tcpm_cmd *tc = arg;

	if (!selected(tc, m))
		return;
	tc->del = xrealloc(tc->del, (tc->n + 1) * 2 * sizeof(*tc->del));
	tc->del[2 * tc->n] = nlc_ip4(m->tb[TCP_METRICS_ATTR_ADDR_IPV4]);
	tc->del[2 * tc->n + 1] = nlc_ip4(m->tb[TCP_METRICS_ATTR_SADDR_IPV4]);
	tc->n++;
}

static int ask(struct tcpm_cmd *tc, uint8_t cmd, uint16_t flags, const uint32_t *daddr, const uint32_t *saddr, void (*fn)(const struct nlc_msg *, void *))
{
	const struct genlmsghdr g = { .cmd = cmd, .version = TCP_METRICS_GENL_VERSION };
	struct nlc_req r;

	nlc_begin(&r, tc->family, flags, &g, sizeof(g));
	if (daddr)
		nlc_attr_ip4(&r, TCP_METRICS_ATTR_ADDR_IPV4, *daddr);
	if (saddr)
		nlc_attr_ip4(&r, TCP_METRICS_ATTR_SADDR_IPV4, *saddr);
	return nlc_talk(&tc->c, &r, GENL_HDRLEN, fn, tc);
}

static int flush(struct tcpm_cmd *tc)
{
	int rc;

	if (!tc->has_daddr && !tc->has_saddr)
		return ip_answer(tc->ip, ask(tc, TCP_METRICS_CMD_DEL, NLM_F_ACK, NULL, NULL, NULL));
	rc = ask(tc, TCP_METRICS_CMD_GET, NLM_F_DUMP, NULL, NULL, note_one);
	if (!rc && !tc->n)
		task_puts(tc->ip->t, "Nothing to flush.\n");
	for (size_t i = 0; !rc && i < tc->n; i++)
		rc = ask(tc, TCP_METRICS_CMD_DEL, NLM_F_ACK, &tc->del[2 * i], &tc->del[2 * i + 1], NULL);
	free(tc->del);
	return ip_answer(tc->ip, rc);
}

/* [address] PREFIX, source PREFIX. 0, or the exit code. */
static int tcpm_selector(struct tcpm_cmd *tc, bool one)
{
	struct ip_cmd *ip = tc->ip;
	const char *w;

	while ((w = ip_word(ip))) {
		bool src = !strcmp(w, "src") || !strcmp(w, "source"), named = src || !strcmp(w, "address");
		uint32_t *a = src ? &tc->saddr : &tc->daddr;
		uint8_t *len = src ? &tc->slen : &tc->dlen;

		if (named && !(w = ip_word(ip))) {
			task_eprintf(ip->t, "Command line is not complete. Try option \"help\"\n");
			return 255;
		}
		if (src ? tc->has_saddr : tc->has_daddr) {
			task_eprintf(ip->t, "Error: either \"%s\" is duplicate, or \"%s\" is a garbage.\n", src ? "source" : "address", w);
			return 255;
		}
		if (!strcmp(w, "all") || !strcmp(w, "any") || !strcmp(w, "default")) {
			*len = 0;
		} else if (ip4_parse_prefix(w, a, len) && (*len = 32, ip4_parse(w, a))) {
			task_eprintf(ip->t, "Error: any valid prefix is expected rather than \"%s\".\n", w);
			return 1;
		}
		if (one && *len != 32) {
			task_eprintf(ip->t, "Error: a specific IP address is expected rather than \"%s\"\n", w);
			return 1;
		}
		if (*len)
			*(src ? &tc->has_saddr : &tc->has_daddr) = true;
	}
	if (one && !tc->has_daddr) {
		task_eprintf(ip->t, "Error: argument \"address\" is required\n");
		return 255;
	}
	return 0;
}

static int tcpm_do(struct tcpm_cmd *tc, char what)
{
	bool single = tc->has_daddr && tc->dlen == 32;
	const uint32_t *s = tc->has_saddr && tc->slen == 32 ? &tc->saddr : NULL;
	int rc = nlc_open(&tc->c, tc->ip->t, NETLINK_GENERIC);

	if (rc)
		return ip_answer(tc->ip, rc);
	rc = find_family(tc);
	if (rc || !tc->family)
		rc = ip_answer(tc->ip, rc ? rc : -ENOENT);
	else if (what == 'd' || (what == 'f' && single))
		rc = ip_answer(tc->ip, ask(tc, TCP_METRICS_CMD_DEL, NLM_F_ACK, &tc->daddr, s, NULL));
	else if (what == 'f')
		rc = flush(tc);
	else if (single)
		rc = ip_answer(tc->ip, ask(tc, TCP_METRICS_CMD_GET, 0, &tc->daddr, s, show_one));
	else
		rc = ip_answer(tc->ip, ask(tc, TCP_METRICS_CMD_GET, NLM_F_DUMP, NULL, NULL, show_one));
	nlc_close(&tc->c);
	return rc;
}

int ip_tcp_metrics_cmd(struct ip_cmd *ip)
{
	static const char *const commands[] = { "show", "list", "lst", "flush", "delete" };
	struct tcpm_cmd tc = { .ip = ip };
	const char *w = ip_word(ip);
	int rc;

	if (w && ip_is(w, "help"))
		return tcpm_usage(ip);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (w && !ip_is(w, commands[i]))
			continue;
		rc = tcpm_selector(&tc, commands[i][0] == 'd');
		return rc ? rc : tcpm_do(&tc, commands[i][0]);
	}
	task_eprintf(ip->t, "Command \"%s\" is unknown, try \"ip tcp_metrics help\".\n", w);
	return 255;
}

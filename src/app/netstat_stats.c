/* netstat -s: the counters of /proc/net/snmp and /proc/net/netstat, in words as net-tools says them.
 * Called by netstat.c; nstat.c says them by name. Tests: tests/kernel (worlds show, ping, conns). */
#include <string.h>
#include "app/app_cmds.h"
#include "app/app_util.h"
#include "app/netstat_stats.h"
#include "app/proc_text.h"

struct words {
	const char *name;
	bool zero;        /* shown even when 0 */
	const char *text; /* what stands behind the number, or before it when it ends in ": " */
};
#define HIDDEN ""

static const struct words ip_words[] = {
	{ "Forwarding", true, "Forwarding: " }, { "DefaultTTL", true, HIDDEN }, { "InReceives", true, " total packets received" },
	{ "InHdrErrors", false, " with invalid headers" }, { "InAddrErrors", false, " with invalid addresses" },
	{ "ForwDatagrams", true, " forwarded" }, { "InUnknownProtos", false, " with unknown protocol" },
	{ "InDiscards", true, " incoming packets discarded" }, { "InDelivers", true, " incoming packets delivered" },
	{ "OutRequests", true, " requests sent out" }, { "OutDiscards", false, " outgoing packets dropped" },
	{ "OutNoRoutes", false, " dropped because of missing route" }, { "ReasmTimeout", false, " fragments dropped after timeout" },
	{ "ReasmReqds", false, " reassemblies required" }, { "ReasmOKs", false, " packets reassembled ok" },
	{ "ReasmFails", false, " packet reassemblies failed" }, { "FragOKs", false, " outgoing packets fragmented ok" },
	{ "FragFails", false, " outgoing packets failed fragmentation" }, { "FragCreates", false, " fragments created" },
};
static const struct words icmp_words[] = {
	{ "InMsgs", true, " ICMP messages received" }, { "InErrors", true, " input ICMP message failed" },
	{ "InDestUnreachs", false, "    destination unreachable: " }, { "InTimeExcds", false, "    timeout in transit: " },
	{ "InParmProbs", false, "    wrong parameters: " }, { "InSrcQuenchs", false, "    source quenches: " },
	{ "InRedirects", false, "    redirects: " }, { "InEchos", false, "    echo requests: " }, { "InEchoReps", false, "    echo replies: " },
	{ "InTimestamps", false, "    timestamp request: " }, { "InTimestampReps", false, "    timestamp reply: " },
	{ "InAddrMasks", false, "    address mask request: " }, { "InAddrMaskReps", false, "    address mask replies: " },
	{ "OutMsgs", true, " ICMP messages sent" }, { "OutErrors", true, " ICMP messages failed" },
	{ "OutDestUnreachs", false, "    destination unreachable: " }, { "OutTimeExcds", false, "    time exceeded: " },
	{ "OutParmProbs", false, "    wrong parameters: " }, { "OutSrcQuenchs", false, "    source quench: " },
	{ "OutRedirects", false, "    redirect: " }, { "OutEchos", false, "    echo requests: " }, { "OutEchoReps", false, "    echo replies: " },
	{ "OutTimestamps", false, "    timestamp requests: " }, { "OutTimestampReps", false, "    timestamp replies: " },
	{ "OutAddrMasks", false, "    address mask requests: " }, { "OutAddrMaskReps", false, "    address mask replies: " },
};
static const struct words tcp_words[] = {
	{ "RtoAlgorithm", true, HIDDEN }, { "RtoMin", true, HIDDEN }, { "RtoMax", true, HIDDEN }, { "MaxConn", true, HIDDEN },
	{ "ActiveOpens", true, " active connection openings" }, { "PassiveOpens", true, " passive connection openings" },
	{ "AttemptFails", true, " failed connection attempts" }, { "EstabResets", true, " connection resets received" },
	{ "CurrEstab", true, " connections established" }, { "InSegs", true, " segments received" },
	{ "OutSegs", true, " segments sent out" }, { "RetransSegs", true, " segments retransmitted" },
	{ "InErrs", true, " bad segments received" }, { "OutRsts", true, " resets sent" },
};
static const struct words udp_words[] = {
	{ "InDatagrams", true, " packets received" }, { "NoPorts", true, " packets to unknown port received" },
	{ "InErrors", true, " packet receive errors" }, { "OutDatagrams", true, " packets sent" },
	{ "RcvbufErrors", true, " receive buffer errors" }, { "SndbufErrors", true, " send buffer errors" },
};
static const struct words tcpext_words[] = {
	{ "SyncookiesSent", false, " SYN cookies sent" }, { "SyncookiesRecv", false, " SYN cookies received" },
	{ "SyncookiesFailed", false, " invalid SYN cookies received" },
	{ "EmbryonicRsts", false, " resets received for embryonic SYN_RECV sockets" },
	{ "PruneCalled", false, " packets pruned from receive queue because of socket buffer overrun" },
	{ "TW", false, " TCP sockets finished time wait in fast timer" }, { "TWRecycled", false, " time wait sockets recycled by time stamp" },
	{ "TWKilled", false, " TCP sockets finished time wait in slow timer" }, { "DelayedACKs", false, " delayed acks sent" },
	{ "DelayedACKLocked", false, " delayed acks further delayed because of locked socket" },
	{ "ListenOverflows", false, " times the listen queue of a socket overflowed" },
	{ "ListenDrops", false, " SYNs to LISTEN sockets dropped" }, { "TCPHPHits", true, " packet headers predicted" },
	{ "TCPPureAcks", false, " acknowledgments not containing data payload received" },
	{ "TCPHPAcks", false, " predicted acknowledgments" },
	{ "TCPAbortOnClose", false, " connections reset due to early user close" },
	{ "TCPAbortOnData", false, " connections reset due to unexpected data" },
	{ "TCPAbortOnTimeout", false, " connections aborted due to timeout" },
};
static const struct {
	const char *section;
	const struct words *w;
	size_t n;
} sections[] = {
	{ "Ip:", ip_words, ARRAY_SIZE(ip_words) },          { "Icmp:", icmp_words, ARRAY_SIZE(icmp_words) },
	{ "Tcp:", tcp_words, ARRAY_SIZE(tcp_words) },       { "Udp:", udp_words, ARRAY_SIZE(udp_words) },
	{ "UdpLite:", NULL, 0 },                            { "TcpExt:", tcpext_words, ARRAY_SIZE(tcpext_words) },
};

static const struct words *words_of(const char *section, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		for (size_t k = 0; !strcmp(section, sections[i].section) && k < sections[i].n; k++)
			if (!strcmp(sections[i].w[k].name, name))
				return &sections[i].w[k];
	return NULL;
}

static void one_counter(struct task *t, const char *section, const char *name, const char *val)
{
	const struct words *w = words_of(section, name);
	size_t n = w ? strlen(w->text) : 0;

	if ((w && !*w->text) || (!strcmp(val, "0") && !(w && w->zero)))
		return;
	if (!w)
		task_printf(t, "    %s%s: %s\n", !strcmp(section, "IcmpMsg:") ? "    " : "", name, val);
	else if (w->text[n - 1] == ' ')
		task_printf(t, "    %s%s\n", w->text, val);
	else
		task_printf(t, "    %s%s\n", val, w->text);
	/* both histograms have their headings, empty or not */
	if (!strcmp(section, "Icmp:") && !strcmp(name, "InErrors"))
		task_puts(t, "    ICMP input histogram:\n");
	if (!strcmp(section, "Icmp:") && !strcmp(name, "OutErrors"))
		task_puts(t, "    ICMP output histogram:\n");
}

/* Calls fn for each counter, and with name NULL where a section begins. */
void each_counter(struct task *t, void (*fn)(struct task *t, const char *section, const char *name, const char *val, void *arg), void *arg)
{
	static const char *const files[] = { "/proc/net/snmp", "/proc/net/netstat" };

	for (size_t k = 0; k < ARRAY_SIZE(files); k++) {
		struct proc_lines names, vals;
		struct strbuf sb;

		sb_init(&sb);
		if (!proc_slurp(t, files[k], &sb)) {
			proc_lines_init(&names, &sb);
			while (proc_lines_next(&names)) {
				vals.next = names.next;
				if (!proc_lines_next(&vals))
					break;
				fn(t, names.f[0], NULL, NULL, arg);
				for (int i = 1; i < names.nf && i < vals.nf; i++)
					fn(t, names.f[0], names.f[i], vals.f[i], arg);
				names.next = vals.next;
			}
		}
		sb_free(&sb);
	}
}

static void say(struct task *t, const char *section, const char *name, const char *val, void *arg)
{
	if (name)
		one_counter(t, section, name, val);
	else
		task_printf(t, "%s\n", section);
}

int netstat_statistics(struct task *t)
{
	each_counter(t, say, NULL);
	return 0;
}

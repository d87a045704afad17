/* What tc and ethtool ask of devices, as two files that take commands: /proc/net/qdisc (read: a line per
 * transmit queue; write: "DEV KIND [ARG...]") and /proc/net/ethtool (write: "stats DEV", "rings DEV" or "features DEV": the
 * answer is a "name value" line each; "set DEV NAME on|off...": the answer says what was switched); and /proc/net/dev_mcast. Called by programs through socket/; hands on to the qdisc core and the drivers. */
#include <errno.h>
#include <string.h>
#include "core/netdevice.h"
#include "core/procfs.h"

#define CTL_MAX_WORDS 16
#define CTL_MAX_LINE 512

static void show_qdiscs(struct net *net, struct strbuf *out)
{
	struct net_device *dev;

	list_for_each_entry(dev, &net->dev_base, node) {
		for (uint32_t i = 0; i < dev->num_tx_queues; i++) {
			const struct Qdisc *q = dev->tx[i].qdisc_sleeping;
			if (!q)
				continue;
			sb_printf(out, "%s %s %x %u %llu %llu %llu %llu %llu %u %u", dev->name, q->ops->id, q->handle >> 16, q->limit,
				  (unsigned long long)q->st.packets, (unsigned long long)q->st.bytes, (unsigned long long)q->st.drops,
				  (unsigned long long)q->st.overlimits, (unsigned long long)q->st.requeues, q->st.backlog, q->st.qlen);
			if (q->ops->dump) {
				sb_putc(out, ' ');
				q->ops->dump((struct Qdisc *)(uintptr_t)q, out);
			}
			sb_putc(out, '\n');
		}
	}
}

/* Split a line at blanks into at most CTL_MAX_WORDS words. Returns their number, or -E2BIG. */
static int split(char *line, const char **w)
{
	int n = 0;

	for (char *p = line; *p;) {
		while (*p == ' ' || *p == '\n')
			*p++ = '\0';
		if (!*p)
			break;
		if (n == CTL_MAX_WORDS)
			return -E2BIG;
		w[n++] = p;
		while (*p && *p != ' ' && *p != '\n')
			p++;
	}
	return n;
}

static int words_of(const char *text, size_t len, char line[CTL_MAX_LINE], const char **w)
{
	if (len >= CTL_MAX_LINE)
		return -E2BIG;
	memcpy(line, text, len);
	line[len] = '\0';
	return split(line, w);
}

static int write_qdisc(struct net *net, const char *text, size_t len, struct strbuf *answer)
{
	const char *w[CTL_MAX_WORDS];
	char line[CTL_MAX_LINE];
	const struct Qdisc_ops *ops;
	struct net_device *dev;
	int n = words_of(text, len, line, w);

	if (n < 2)
		return n < 0 ? n : -EINVAL;
	dev = dev_get_by_name(net, w[0]);
	if (!dev)
		return -ENODEV;
	if (!strcmp(w[1], "default"))
		ops = dev->tx_queue_len && !(dev->flags & DEVF_LOOPBACK) ? net->default_qdisc : &noqueue_qdisc_ops;
	else
		ops = qdisc_ops_lookup(net, w[1]);
	if (!ops) {
		sb_puts(answer, "Specified qdisc kind is unknown");
		return -ENOENT;
	}
	return dev_graft_qdisc(dev, ops, w + 2, (size_t)n - 2);
}

static void emit_line(void *arg, const char *name, uint64_t v)
{
	sb_printf(arg, "%s %llu\n", name, (unsigned long long)v);
}

/* The names that ethtool prints, in its order; a train of TCP is one kind or the other with it. */
static const struct {
	const char *name;
	uint32_t bit;
} features[] = {
	{ "rx-checksumming", NETIF_F_RXCSUM },
	{ "tx-checksumming", NETIF_F_HW_CSUM },
	{ "scatter-gather", NETIF_F_FRAGLIST },
	{ "tcp-segmentation-offload", NETIF_F_TSO },
	{ "tx-udp-segmentation", NETIF_F_USO },
	{ "generic-receive-offload", NETIF_F_GRO },
};

static void show_features(const struct net_device *dev, struct strbuf *answer)
{
	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		sb_printf(answer, "%s %s%s\n", features[i].name, dev->features & features[i].bit ? "on" : "off",
			  dev->hw_features & features[i].bit ? "" : " fixed");
}

/* What became of a wish, a line each: it was done, it could not be, or it was nobody's. */
static void show_changes(uint32_t before, uint32_t now, uint32_t mask, uint32_t want, struct strbuf *answer)
{
	for (size_t f = 0; f < ARRAY_SIZE(features); f++) {
		uint32_t bit = features[f].bit;
		const char *what = !(mask & bit) ? "unwanted" : (now ^ want) & bit ? "refused" : "changed";

		if ((before ^ now) & bit || (mask & (now ^ want) & bit))
			sb_printf(answer, "%s %s %s\n", features[f].name, now & bit ? "on" : "off", what);
	}
}

/* w: NAME on|off pairs. */
static int change_features(struct net_device *dev, const char **w, int n, struct strbuf *answer)
{
	uint32_t mask = 0, want = 0, before = dev->features;

	for (int i = 0; i + 1 < n; i += 2) {
		size_t f = 0;

		while (f < ARRAY_SIZE(features) && strcmp(features[f].name, w[i]))
			f++;
		if (f == ARRAY_SIZE(features))
			return -EOPNOTSUPP;
		if (strcmp(w[i + 1], "on") && strcmp(w[i + 1], "off"))
			return -EINVAL;
		mask |= features[f].bit;
		want |= !strcmp(w[i + 1], "on") ? features[f].bit : 0;
	}
	dev_set_features(dev, mask, want);
	show_changes(before, dev->features, mask, want, answer);
	return 0;
}

static int write_ethtool(struct net *net, const char *text, size_t len, struct strbuf *answer)
{
	const char *w[CTL_MAX_WORDS];
	char line[CTL_MAX_LINE];
	struct net_device *dev;
	int n = words_of(text, len, line, w);

	if (n < 2 || (n > 2 && strcmp(w[0], "set")) || n % 2)
		return n < 0 ? n : -EINVAL;
	dev = dev_get_by_name(net, w[1]);
	if (!dev)
		return -ENODEV;
	if (!strcmp(w[0], "set"))
		return change_features(dev, w + 2, n - 2, answer);
	if (!strcmp(w[0], "features"))
		show_features(dev, answer);
	else if (!strcmp(w[0], "stats") && dev->netdev_ops->ndo_ethtool_stats)
		dev->netdev_ops->ndo_ethtool_stats(dev, emit_line, answer);
	else if (!strcmp(w[0], "rings") && dev->netdev_ops->ndo_ethtool_rings)
		dev->netdev_ops->ndo_ethtool_rings(dev, emit_line, answer);
	else
		return -EOPNOTSUPP;
	return 0;
}

/* Link-layer groups: index, device, users, users from outside (none here), address. */
static void show_dev_mcast(struct net *net, struct strbuf *out)
{
	const struct net_device *dev;
	const struct netdev_hw_addr *a;

	list_for_each_entry(dev, &net->dev_base, node) {
		list_for_each_entry(a, &dev->mc_list, list) {
			sb_printf(out, "%-4d %-15s %-5u %-5d ", dev->ifindex, dev->name, a->refs, 0);
			for (int i = 0; i < ETH_ALEN; i++)
				sb_printf(out, "%02x", a->addr[i]);
			sb_putc(out, '\n');
		}
	}
}

static int dev_ctl_init(struct net *net)
{
	int err = proc_create_rw(net, "net/qdisc", show_qdiscs, write_qdisc);

	if (!err)
		err = proc_create_single(net, "net/dev_mcast", show_dev_mcast);

	return err ? err : proc_create_rw(net, "net/ethtool", NULL, write_ethtool);
}

const struct pernet_operations dev_ctl_net_ops = { .name = "dev_ctl", .init = dev_ctl_init };

/* What a person asks a switch: "bridge fdb show" and "bridge -s link", in the manner of iproute2's bridge(8).
 * Called by run.c; reads hw/'s tables. Tests: tests/lab/switch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lab/lab.h"

#define SWITCH_FDB_MAX 1048576u
#define SWITCH_MAX_WORDS 8u

static void put(lab_output out, void *arg, int fd, const struct strbuf *sb)
{
	if (out && sb->len)
		out(arg, fd, sb_str(sb), sb->len);
}

static void fdb_show(struct lab_node *n, struct strbuf *sb)
{
	size_t count, room = 64;
	struct hw_fdb_entry *e = NULL;
	char mac[MAC_STRLEN];

	/* The table says how many entries it wrote: grow until all fit. */
	do {
		room *= 2;
		e = xrealloc(e, room * sizeof(*e));
		count = hw_switch_fdb(n->sw, e, room);
	} while (count == room && room < SWITCH_FDB_MAX);
	for (size_t i = 0; i < count; i++)
		sb_printf(sb, "%s dev %s master %s used %llu\n", mac_str(mac, e[i].mac), n->iface[e[i].port].name,
			  n->name, (unsigned long long)(e[i].age_ns / NSEC_PER_SEC));
	free(e);
}

static void link_show(struct lab_node *n, struct strbuf *sb, bool stats)
{
	static const char *const state[] = { "disabled", "blocking", "listening", "learning", "forwarding" };

	for (uint32_t i = 0; i < n->n_iface; i++) {
		const struct hw_switch_port_stats *s = hw_switch_stats(n->sw, i);
		int st = hw_switch_port_state(n->sw, i);
		bool up = hw_port_link_up(n->iface[i].port);

		sb_printf(sb, "%u: %s: <%sBROADCAST,MULTICAST%s> master %s state %s\n", i + 1, n->iface[i].name,
			  up ? "" : "NO-CARRIER,", up ? ",UP,LOWER_UP" : ",UP", n->name,
			  st >= 0 && st < (int)ARRAY_SIZE(state) ? state[st] : "unknown");
		if (!stats)
			continue;
		sb_printf(sb, "    RX: frames %llu octets %llu fcs_errors %llu runts %llu oversize %llu\n",
			  (unsigned long long)s->rx_frames, (unsigned long long)s->rx_octets,
			  (unsigned long long)s->fcs_errors, (unsigned long long)s->runts,
			  (unsigned long long)s->oversize);
		sb_printf(sb, "    TX: frames %llu octets %llu queue_drops %llu\n", (unsigned long long)s->tx_frames,
			  (unsigned long long)s->tx_octets, (unsigned long long)s->queue_drops);
		sb_printf(sb,
			  "    forwarded %llu flooded %llu filtered %llu learned %llu moves %llu table_full %llu "
			  "storm_drops %llu reserved %llu\n",
			  (unsigned long long)s->forwarded, (unsigned long long)s->flooded,
			  (unsigned long long)s->filtered, (unsigned long long)s->learned, (unsigned long long)s->moves,
			  (unsigned long long)s->table_full, (unsigned long long)s->storm_drops,
			  (unsigned long long)s->reserved);
	}
}

/* Words of the line, cut in place. */
static uint32_t words(char *s, char **w)
{
	uint32_t n = 0;
	char *save = NULL;

	for (char *p = strtok_r(s, " \t", &save); p && n < SWITCH_MAX_WORDS; p = strtok_r(NULL, " \t", &save))
		w[n++] = p;
	return n;
}

static bool is(const char *w, const char *full)
{
	return w && w[0] && !strncmp(full, w, strlen(w));
}

int lab_switch_command(struct lab_node *n, const char *line, lab_output out, void *arg)
{
	char *copy = xstrdup(line), *w[SWITCH_MAX_WORDS + 1] = { NULL };
	uint32_t nw = words(copy, w), i = 1;
	bool stats = false;
	struct strbuf sb;
	int code = 0;

	sb_init(&sb);
	for (; i < nw && w[i][0] == '-'; i++)
		stats = stats || !strcmp(w[i], "-s") || is(w[i], "-statistics");
	if (!nw || strcmp(w[0], "bridge") != 0 || !n->sw) {
		sb_printf(&sb, "%s: %s: command not found (a %s knows: %s)\n", n->name, nw ? w[0] : "",
			  n->sw ? "bridge" : "host node", n->sw ? "bridge fdb show, bridge -s link" : "nothing");
		code = 127;
	} else if (is(w[i], "fdb") && (i + 1 == nw || is(w[i + 1], "show"))) {
		fdb_show(n, &sb);
	} else if (is(w[i], "link") && (i + 1 == nw || is(w[i + 1], "show"))) {
		link_show(n, &sb, stats);
	} else {
		sb_puts(&sb, "Usage: bridge fdb [show] | bridge [-s] link [show]\n");
		code = 255;
	}
	put(out, arg, code ? 2 : 1, &sb);
	sb_free(&sb);
	free(copy);
	return code;
}

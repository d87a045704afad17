/* The checks that need the whole lab: interfaces used once; addresses and MACs one host's each, also those that exec
 * lines give; ends that can be joined. Called by labfile.c and by programs that build a lab without a file. Sorting puts
 * equal things side by side, so all is O(n log n). Tests: tests/unit/lab/test_labfile.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/pool.h"
#include "base/strbuf.h"
#include "lab/topo.h"

#define TOPO_NONE UINT32_MAX

/* An end, named in a way that sorts: for finding equal things side by side. */
struct end_ref {
	uint32_t link, side, segment;
	const struct topo_end *e;
};

static int fail(const struct topo *t, struct yerr *e, struct topo_at at, const char *text)
{
	struct ynode where = { .line = at.line, .col = at.col };

	yerr_at(e, t->file, &where, "%s", text);
	return -1;
}

static int order(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Which of two equal ends came later in the file: that one is the error. */
static int by_place(const struct end_ref *a, const struct end_ref *b)
{
	int r = order(a->e->at.line, b->e->at.line);

	r = r ? r : order(a->e->at.col, b->e->at.col);
	r = r ? r : order(a->link, b->link);
	return r ? r : order(a->side, b->side);
}

static int by_iface(const void *x, const void *y)
{
	const struct end_ref *a = x, *b = y;
	int r = order(a->e->node, b->e->node);

	r = r ? r : strcmp(a->e->iface, b->e->iface);
	return r ? r : by_place(a, b);
}

static int by_ip(const void *x, const void *y)
{
	const struct end_ref *a = x, *b = y;
	int r = order(a->e->has_ip, b->e->has_ip);

	r = r ? r : order(a->segment, b->segment);
	r = r ? r : order(a->e->ip, b->e->ip);
	return r ? r : by_place(a, b);
}

static int by_mac(const void *x, const void *y)
{
	const struct end_ref *a = x, *b = y;
	int r = order(a->e->has_mac, b->e->has_mac);

	r = r ? r : order(a->segment, b->segment);
	r = r ? r : memcmp(a->e->mac, b->e->mac, sizeof(a->e->mac));
	return r ? r : by_place(a, b);
}

static uint32_t set_root(uint32_t *up, uint32_t i)
{
	while (up[i] != i)
		i = up[i] = up[up[i]];
	return i;
}

/* A segment is what a broadcast reaches: links joined by bridges. Where some node translates addresses, two
 * LANs may use the same ones; elsewhere an address is one host's in the whole lab. */
static void find_segments(const struct topo *t, struct end_ref *ref, uint32_t n)
{
	uint32_t *up = xcalloc((size_t)t->n_links + t->n_nodes, sizeof(*up));
	bool nat = false;

	for (uint32_t i = 0; i < t->n_links + t->n_nodes; i++)
		up[i] = i;
	for (uint32_t i = 0; i < t->n_nodes; i++)
		nat = nat || t->node[i].nat.out.n > 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t link = set_root(up, ref[i].link), node = set_root(up, t->n_links + ref[i].e->node);

		if (t->node[ref[i].e->node].kind == TOPO_BRIDGE)
			up[link] = node;
	}
	for (uint32_t i = 0; i < n; i++)
		ref[i].segment = nat ? set_root(up, ref[i].link) : 0;
	free(up);
}

static const char *end_name(const struct topo *t, const struct topo_end *e, char *buf, size_t room)
{
	snprintf(buf, room, "%s:%s", t->node[e->node].name, e->iface);
	return buf;
}

static int check_ifaces(const struct topo *t, struct end_ref *ref, uint32_t n, struct yerr *e)
{
	char text[200], name[80];

	qsort(ref, n, sizeof(*ref), by_iface);
	for (uint32_t i = 1; i < n; i++) {
		const struct topo_end *a = ref[i - 1].e, *b = ref[i].e;

		if (a->node != b->node || strcmp(a->iface, b->iface) != 0)
			continue;
		snprintf(text, sizeof(text), "interface %s is used twice, first in line %u",
			 end_name(t, b, name, sizeof(name)), a->at.line);
		return fail(t, e, b->at, text);
	}
	return 0;
}

static int check_addresses(const struct topo *t, struct end_ref *ref, uint32_t n, struct yerr *e)
{
	char text[300], name[80], first[80], ip[IP4_STRLEN], mac[MAC_STRLEN];

	qsort(ref, n, sizeof(*ref), by_ip);
	for (uint32_t i = 1; i < n; i++) {
		const struct topo_end *a = ref[i - 1].e, *b = ref[i].e;

		if (!a->has_ip || ref[i - 1].segment != ref[i].segment || a->ip != b->ip)
			continue;
		snprintf(text, sizeof(text), "address %s of %s is already that of %s (line %u)", ip4_str(ip, b->ip),
			 end_name(t, b, name, sizeof(name)), end_name(t, a, first, sizeof(first)), a->ip_at.line);
		return fail(t, e, b->ip_at, text);
	}
	qsort(ref, n, sizeof(*ref), by_mac);
	for (uint32_t i = 1; i < n; i++) {
		const struct topo_end *a = ref[i - 1].e, *b = ref[i].e;

		if (!a->has_mac || ref[i - 1].segment != ref[i].segment || memcmp(a->mac, b->mac, 6) != 0)
			continue;
		snprintf(text, sizeof(text), "MAC %s of %s is already that of %s (line %u)", mac_str(mac, b->mac),
			 end_name(t, b, name, sizeof(name)), end_name(t, a, first, sizeof(first)), a->at.line);
		return fail(t, e, b->mac_at, text);
	}
	return 0;
}

/* "ip addr add 10.0.0.1/24 dev eth1", in iproute2's abbreviations too. False: another line. */
static bool exec_address(const char *line, uint32_t *ip, uint8_t *plen, char dev[TOPO_IFNAME_MAX + 1])
{
	char word[4][64] = { "", "", "", "" };
	const char *d = strstr(line, " dev ");

	if (!d || sscanf(line, "%63s %63s %63s %63s", word[0], word[1], word[2], word[3]) != 4)
		return false;
	if (strcmp(word[0], "ip") != 0 || strncmp("address", word[1], strlen(word[1])) != 0 ||
	    strncmp("add", word[2], strlen(word[2])) != 0)
		return false;
	return sscanf(d, " dev %15s", dev) == 1 && ip4_parse_prefix(word[3], ip, plen) == 0;
}

/* The link of an interface, or TOPO_NONE (lo: an address there may stand on several nodes). */
static uint32_t iface_link(const struct end_ref *ref, uint32_t n, uint32_t node, const char *iface)
{
	struct topo_end want = { .node = node, .iface = (char *)(uintptr_t)iface };
	uint32_t lo = 0, hi = n;

	while (lo < hi) { /* ref is sorted by_iface */
		uint32_t mid = (lo + hi) / 2;
		int c = order(want.node, ref[mid].e->node);

		c = c ? c : strcmp(want.iface, ref[mid].e->iface);
		if (!c)
			return ref[mid].link;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return TOPO_NONE;
}

/* Ends that exist only for their address: those that exec lines add. *n: how many. */
static struct topo_end *exec_ends(const struct topo *t, struct end_ref *ref, uint32_t n_ref, uint32_t *links, uint32_t *n)
{
	struct topo_end *v = NULL;
	uint32_t room = 0;

	for (uint32_t i = 0; i < t->n_nodes; i++)
		room += t->node[i].exec.n;
	v = xcalloc(room + 1u, sizeof(*v));
	*n = 0;
	for (uint32_t i = 0; i < t->n_nodes; i++) {
		const struct topo_words *w = &t->node[i].exec;

		for (uint32_t k = 0; k < w->n; k++) {
			char dev[TOPO_IFNAME_MAX + 1];
			struct topo_end *e = &v[*n];

			if (!exec_address(w->v[k], &e->ip, &e->plen, dev))
				continue;
			links[*n] = iface_link(ref, n_ref, i, dev);
			if (links[*n] == TOPO_NONE)
				continue;
			e->node = i;
			e->iface = xstrdup(dev);
			e->has_ip = true;
			e->at = e->ip_at = w->at[k];
			(*n)++;
		}
	}
	return v;
}

static int check_ends(struct topo *t, struct yerr *e)
{
	char text[200], name[80];

	for (uint32_t i = 0; i < t->n_links; i++) {
		for (unsigned s = 0; s < 2; s++) {
			struct topo_end *end = &t->link[i].end[s];
			struct topo_node *node;

			if (end->node == TOPO_NONE)
				continue;
			node = &t->node[end->node];
			node->n_ifaces++;
			if (node->kind == TOPO_LINUX || (!end->has_ip && !end->has_mac))
				continue;
			snprintf(text, sizeof(text), "%s is a port of a %s: it has no address of its own",
				 end_name(t, end, name, sizeof(name)),
				 node->kind == TOPO_BRIDGE ? "bridge" : "host node");
			return fail(t, e, end->at, text);
		}
	}
	return 0;
}

int topo_check(struct topo *t, struct yerr *e)
{
	size_t room = (size_t)t->n_links * 2 + 1;
	struct end_ref *ref;
	struct topo_end *extra = NULL;
	uint32_t n = 0, n_extra = 0, *extra_link;
	int err;

	for (uint32_t i = 0; i < t->n_nodes; i++) {
		t->node[i].n_ifaces = 0;
		room += t->node[i].exec.n;
	}
	ref = xcalloc(room, sizeof(*ref));
	extra_link = xcalloc(room, sizeof(*extra_link));
	for (uint32_t i = 0; i < t->n_links; i++)
		for (unsigned s = 0; s < 2; s++)
			if (t->link[i].end[s].node != TOPO_NONE)
				ref[n++] = (struct end_ref){ .link = i, .side = s, .e = &t->link[i].end[s] };
	err = check_ends(t, e);
	if (!err)
		err = check_ifaces(t, ref, n, e);
	if (!err) {
		extra = exec_ends(t, ref, n, extra_link, &n_extra);
		for (uint32_t i = 0; i < n_extra; i++)
			ref[n++] = (struct end_ref){ .link = extra_link[i], .side = 2, .e = &extra[i] };
		find_segments(t, ref, n);
		err = check_addresses(t, ref, n, e);
	}
	for (uint32_t i = 0; i < n_extra; i++)
		free(extra[i].iface);
	free(extra);
	free(extra_link);
	free(ref);
	return err;
}

/* What other kernels call the steps that culver traces, and which of them their stack dumps show.
 *
 * Decides the names behind "culver trace --names now|3.x|4.x". A function that a kernel inlines, or that
 * ends in a tail call, has no frame of its own and is missing from that kernel's dumps; it is "hidden"
 * there. Column now is 6.18 (dumps seen there: S1-16, S1-20, S2-52, S2-56), 4.x the kernel of the loopback
 * article's dumps, 3.x the 3.10 whose source the local-network article walks through: what that walk
 * names is shown, inlined or not. Called by cli/ and the story of a visit.
 * Tests: tests/unit/trace/test_names.c. */
#include <errno.h>
#include <string.h>

#include "trace/trace.h"

#define IN_NOW (1u << NAMES_NOW)
#define IN_3X (1u << NAMES_3X)
#define IN_4X (1u << NAMES_4X)
#define IN_ALL (IN_NOW | IN_3X | IN_4X)

struct name_row {
	const char *func;     /* as culver traces it; rows are sorted by it */
	const char *name[3];  /* by enum trace_names; NULL: the same */
	uint8_t hidden;       /* bit per version */
};

static const struct name_row name_rows[] = {
	{ "____napi_schedule", { NULL, NULL, NULL }, IN_NOW },
	{ "___neigh_create", { NULL, "__neigh_create", "__neigh_create" }, 0 },
	{ "__dev_queue_xmit", { NULL, "dev_queue_xmit", NULL }, 0 },
	{ "__dev_xmit_skb", { NULL, NULL, NULL }, IN_NOW | IN_4X },
	{ "__ip_finish_output", { NULL, "ip_finish_output", "ip_finish_output" }, IN_NOW },
	{ "__ip_local_out", { NULL, NULL, NULL }, IN_NOW | IN_4X },
	{ "__ip_queue_xmit", { NULL, "ip_queue_xmit", "ip_queue_xmit" }, 0 },
	{ "__ip_route_output_key", { "ip_route_output_key_hash", NULL, NULL }, 0 },
	{ "__netif_rx", { NULL, "netif_rx", "netif_rx" }, 0 },
	{ "__tcp_transmit_skb", { NULL, "tcp_transmit_skb", NULL }, 0 },
	{ "deliver_skb", { NULL, NULL, NULL }, IN_NOW | IN_4X },
	{ "dev_queue_xmit", { NULL, NULL, NULL }, IN_NOW },
	{ "do_IRQ", { "common_interrupt", NULL, NULL }, 0 },
	{ "dst_input", { NULL, NULL, NULL }, IN_NOW | IN_4X },
	{ "dst_output", { NULL, NULL, NULL }, IN_ALL },
	{ "fib_lookup", { NULL, NULL, NULL }, IN_NOW | IN_4X },
	{ "inet_sendmsg", { NULL, NULL, NULL }, IN_NOW },
	{ "ip_do_fragment", { NULL, "ip_fragment", NULL }, 0 },
	{ "ip_finish_output", { NULL, NULL, NULL }, IN_NOW },
	{ "ip_local_out", { NULL, NULL, NULL }, IN_NOW },
	/* a wrapper that ends in a tail call of __ip_queue_xmit */
	{ "ip_queue_xmit", { "__ip_queue_xmit", NULL, NULL }, 0 },
	{ "ip_route_output_ports", { NULL, NULL, NULL }, IN_NOW | IN_4X },
	{ "ip_send_skb", { NULL, NULL, NULL }, IN_NOW },
	{ "neigh_connected_output", { NULL, NULL, NULL }, IN_NOW | IN_4X },
	{ "neigh_direct_output", { NULL, NULL, NULL }, IN_NOW | IN_4X },
	{ "neigh_hh_output", { NULL, NULL, NULL }, IN_NOW | IN_4X },
	{ "neigh_output", { NULL, "dst_neigh_output", "dst_neigh_output" }, IN_NOW | IN_4X },
	{ "neigh_resolve_output", { NULL, NULL, NULL }, IN_NOW | IN_4X },
	{ "netif_rx", { "__netif_rx", NULL, NULL }, 0 },
	{ "nf_hook", { NULL, NULL, NULL }, IN_ALL },
	{ "qdisc_restart", { NULL, NULL, NULL }, IN_NOW },
	{ "qdisc_run", { NULL, NULL, NULL }, IN_NOW | IN_4X },
	{ "sock_sendmsg", { NULL, NULL, NULL }, IN_NOW },
	{ "tcp_transmit_skb", { "__tcp_transmit_skb", NULL, "__tcp_transmit_skb" }, 0 },
	{ "xmit_one", { NULL, NULL, NULL }, IN_ALL },
};

/* System calls follow one rule: the stem's prefix tells the version. The names of the results are
 * constants too, so that a caller may keep the pointer. */
#define SYSCALLS(X)                                                                                \
	X(accept) X(accept4) X(bind) X(close) X(connect) X(dup) X(epoll_create1) X(epoll_ctl)      \
	X(epoll_wait) X(fcntl) X(getpeername) X(getrandom) X(getsockname) X(getsockopt) X(ioctl)   \
	X(listen) X(nanosleep) X(open) X(pipe2) X(poll) X(read) X(readv) X(recvfrom) X(recvmsg)    \
	X(sendmsg) X(sendto) X(setsockopt) X(shutdown) X(socket) X(write) X(writev)

struct syscall_row {
	const char *stem;
	const char *name[3];
};

static const struct syscall_row syscall_rows[] = {
#define X(n) { #n, { "__sys_" #n, "sys_" #n, "SyS_" #n } },
	SYSCALLS(X)
#undef X
};

int trace_names_parse(const char *s, enum trace_names *out)
{
	static const char *const names[] = { "now", "3.x", "4.x" };

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(s, names[i]) == 0) {
			*out = (enum trace_names)i;
			return 0;
		}
	}
	return -EINVAL;
}

static const char *syscall_name(enum trace_names v, const char *func)
{
	static const char *const prefixes[] = { "__sys_", "sys_", "SyS_", "ksys_" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t n = strlen(prefixes[i]);

		if (strncmp(func, prefixes[i], n) != 0)
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(syscall_rows); k++)
			if (strcmp(syscall_rows[k].stem, func + n) == 0)
				return syscall_rows[k].name[v];
		break;
	}
	return NULL;
}

static const struct name_row *name_row(const char *func)
{
	size_t lo = 0, hi = ARRAY_SIZE(name_rows);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(func, name_rows[mid].func);

		if (c == 0)
			return &name_rows[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

const char *trace_name_in(enum trace_names v, const char *func, bool *hidden)
{
	const struct name_row *row = name_row(func);
	const char *name;

	if (hidden)
		*hidden = row && (row->hidden & 1u << v) != 0;
	if (row)
		return row->name[v] ? row->name[v] : func;
	name = syscall_name(v, func);
	return name ? name : func;
}

size_t trace_names_stack(enum trace_names v, const char *const *in, size_t n, const char **out, bool *hidden)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		bool hide;
		const char *name = trace_name_in(v, in[i], &hide);

		if (hide && v != NAMES_NOW)
			continue;
		/* A wrapper and what it wraps, under one name in that version, were one function. */
		if (kept && strcmp(out[kept - 1], name) == 0) {
			if (hidden)
				hidden[kept - 1] = hidden[kept - 1] && hide;
			continue;
		}
		if (hidden)
			hidden[kept] = hide;
		out[kept++] = name;
	}
	return kept;
}

/* Addresses of a script's calls: sockaddr_in, or sockaddr_in6 with a mapped IPv4 address where the socket is AF_INET6.
 *
 * Decides what "..." is for each. Called by the files of the calls and drill_flow.c. Tests: tests/packet/language/mapped.pkt. */
#include <arpa/inet.h>
#include <string.h>
#include "drill/drill_addr.h"
#include "socket/syscall.h"

void drill_name_v4(struct drill_name *n)
{
	if (n->ss.ss_family != AF_INET6) {
		n->v4 = n->in;
		return;
	}
	memset(&n->v4, 0, sizeof(n->v4));
	n->v4.sin_family = AF_INET;
	n->v4.sin_port = n->in6.sin6_port;
	memcpy(&n->v4.sin_addr, n->in6.sin6_addr.s6_addr + 12, 4);
}

static void make_mapped(struct drill_name *n, bool zero_is_any)
{
	memset(&n->ss, 0, sizeof(n->ss));
	n->in6.sin6_family = AF_INET6;
	n->in6.sin6_port = n->v4.sin_port;
	if (n->v4.sin_addr.s_addr || !zero_is_any) {
		memset(n->in6.sin6_addr.s6_addr + 10, 0xff, 2);
		memcpy(n->in6.sin6_addr.s6_addr + 12, &n->v4.sin_addr, 4);
	}
	n->len = sizeof(n->in6);
}

/* sin_port= and sin_addr=, with their names of either family; inet_pton(AF_INET6, "...", &sin6_addr) has none. */
static void read_struct(const struct dexpr *x, struct sockaddr_in *a)
{
	a->sin_family = (sa_family_t)dexpr_field_int(x, "sa_family", dexpr_field_int(x, "sin_family", dexpr_field_int(x, "sin6_family", AF_INET)));
	a->sin_port = (in_port_t)dexpr_field_int(x, "sin_port", dexpr_field_int(x, "sin6_port", a->sin_port));
	a->sin_addr.s_addr = (in_addr_t)dexpr_field_int(x, "sin_addr", dexpr_field_int(x, "sin6_addr", a->sin_addr.s_addr));
	for (uint32_t i = 0; i < x->n; i++)
		if (!x->name[i] && x->item[i]->kind == DX_INT && x->item[i]->addr)
			a->sin_addr.s_addr = (in_addr_t)x->item[i]->v;
}

static bool socket_is_v6(struct drill_job *j, struct task *t)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	return sys_getsockopt(t, djob_fd(j, 0), SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_INET6;
}

bool djob_addr(struct drill_job *j, struct task *t, const struct dexpr *x, uint32_t otherwise_ip, uint16_t port, struct drill_name *n)
{
	memset(n, 0, sizeof(*n));
	n->v4.sin_family = AF_INET;
	n->v4.sin_port = htons(port);
	n->v4.sin_addr.s_addr = htonl(otherwise_ip);
	if (x && x->kind == DX_NULL)
		return true;
	if (x && x->kind != DX_DOTS && x->kind != DX_STRUCT) {
		djob_fail(j, "Bad type for an address");
		return false;
	}
	if (x && x->kind == DX_STRUCT)
		read_struct(x, &n->v4);
	if (n->v4.sin_family == AF_INET6 || ((!x || x->kind == DX_DOTS) && socket_is_v6(j, t))) {
		n->v4.sin_family = AF_INET;
		make_mapped(n, true);
	} else {
		n->in = n->v4;
		n->len = sizeof(n->in);
	}
	return true;
}

void djob_check_addr(struct drill_job *j, const struct dexpr *x, const struct sockaddr_in *a)
{
	struct sockaddr_in want = *a;
	char w[IP4_STRLEN], g[IP4_STRLEN];

	if (!x || x->kind != DX_STRUCT)
		return;
	read_struct(x, &want);
	if (want.sin_family == AF_INET6)
		want.sin_family = AF_INET;
	if (want.sin_family != a->sin_family || want.sin_port != a->sin_port || want.sin_addr.s_addr != a->sin_addr.s_addr)
		djob_fail(j, "Expected address %s:%u but got %s:%u", ip4_str(w, ntohl(want.sin_addr.s_addr)), ntohs(want.sin_port),
			  ip4_str(g, ntohl(a->sin_addr.s_addr)), ntohs(a->sin_port));
}

/* Calls that make, bind, connect and set up sockets; what they tell the flows.
 *
 * Called by drill_call.c, inside a task; hands on to socket/syscall.h. Tests: tests/packet/calls. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include "drill/drill_addr.h"
#include "socket/syscall.h"

/* ---- buffers ---- */

uint8_t *djob_buffer(struct drill_job *j, const struct dexpr *x, size_t len)
{
	uint8_t *p;

	if (dexpr_nowhere(x))
		return NULL;
	if (len > DCALL_MAX_BUFFER) {
		djob_fail(j, "A buffer of more than %u octets", DCALL_MAX_BUFFER);
		len = 0;
	}
	p = xcalloc(1, len + 1);
	if (x && x->kind == DX_STR)
		memcpy(p, x->s, min_sz(len, (size_t)x->v));
	return p;
}

void djob_check_data(struct drill_job *j, const struct dexpr *x, const uint8_t *data, int64_t n)
{
	size_t want;

	if (!x || x->kind != DX_STR || n < 0)
		return;
	want = min_sz((size_t)x->v, (size_t)n);
	if ((!x->dots && (size_t)x->v > (size_t)n) || memcmp(x->s, data, want) != 0)
		djob_fail(j, "Expected data \"%.60s\" but got \"%.*s\"", x->s, (int)min_sz((size_t)n, 60), data);
}

/* The script's number of a new descriptor: the one that it expects. */
static int64_t new_fd(struct drill_job *j, int fd)
{
	const struct dexpr *r = j->ev->call->result;
	int script = r->kind == DX_INT && r->v >= 0 ? (int)r->v : fd;

	if (fd < 0)
		return fd;
	drill_fd_set(j->d, script, fd);
	return script;
}

static struct drill_flow *flow_of_arg(struct drill_job *j, uint32_t i)
{
	return drill_flow_of_fd(j->d, (int)djob_int(j, i, -1));
}

/* ---- life ---- */

static int64_t call_socket(struct drill_job *j, struct task *t)
{
	int family = (int)djob_int(j, 0, j->d->sc.conf.mapped ? AF_INET6 : AF_INET), type = (int)djob_int(j, 1, SOCK_STREAM), proto = (int)djob_int(j, 2, 0);
	int fd = sys_socket(t, family, type, proto);
	struct drill_flow *f;
	int kind = type & 15;

	if (fd < 0)
		return fd;
	f = drill_flow_new(j->d, kind == SOCK_STREAM ? DPROTO_TCP : kind == SOCK_DGRAM && proto != IPPROTO_ICMP ? DPROTO_UDP : DPROTO_ICMP);
	f->fd = fd;
	if (f->proto != DPROTO_TCP || !j->d->cur)
		j->d->cur = f;
	return f->script_fd = (int)new_fd(j, fd);
}

static const struct sockaddr *name_arg(const struct drill_job *j, const struct drill_name *n)
{
	return dexpr_null(djob_arg(j, 1)) ? NULL : &n->sa;
}

static int64_t call_bind(struct drill_job *j, struct task *t)
{
	struct drill_flow *f = flow_of_arg(j, 0);
	struct drill_name n;
	int fd = djob_fd(j, 0), r;

	if (!djob_addr(j, t, djob_arg(j, 1), j->d->sc.conf.local_ip, j->d->sc.conf.bind_port, &n))
		return 0;
	r = sys_bind(t, fd, name_arg(j, &n), (socklen_t)djob_int(j, 2, n.len));
	if (!r && f) {
		drill_flow_learn_port(j->d, f);
		f->port_given = n.v4.sin_port != 0;
	}
	return r;
}

static int64_t call_listen(struct drill_job *j, struct task *t)
{
	struct drill_flow *f = flow_of_arg(j, 0);
	int r = sys_listen(t, djob_fd(j, 0), (int)djob_int(j, 1, 0));

	if (!r && f && f->state != DFLOW_LISTEN) {
		f->state = DFLOW_LISTEN;
		drill_flow_learn_port(j->d, f);
		j->d->cur = f;
	}
	return r;
}

/* The socket has another conversation from now on; packets of the old one may still come. */
static struct drill_flow *flow_again(struct drill_job *j, struct drill_flow *was)
{
	struct drill_flow *f = drill_flow_new(j->d, was->proto);

	f->script_fd = was->script_fd;
	f->fd = was->fd;
	f->port_given = was->port_given;
	was->closed = true;
	return f;
}

static void flow_connects(struct drill_job *j, struct drill_flow *f, const struct sockaddr_in *a)
{
	bool again = f && f->left && a->sin_family == AF_INET;

	if (!f || a->sin_family != AF_INET)
		return;
	if (again)
		f = flow_again(j, f);
	if (f->proto == DPROTO_TCP && (f->state == DFLOW_LISTEN || f->state == DFLOW_PASSIVE))
		return; /* refused, whatever it says */
	if (f->proto == DPROTO_TCP && f->state == DFLOW_ACTIVE && f->lport) {
		j->d->cur = f; /* it asks again how its connect is doing */
		return;
	}
	f->state = DFLOW_ACTIVE;
	f->raddr = ntohl(a->sin_addr.s_addr);
	f->rport = ntohs(a->sin_port);
	if (!again || f->port_given) /* it still shows the port that it had */
		drill_flow_learn_port(j->d, f);
	j->d->cur = f;
}

static int64_t call_connect(struct drill_job *j, struct task *t)
{
	struct drill_flow *f = flow_of_arg(j, 0);
	struct drill_name n;
	int r;

	if (!djob_addr(j, t, djob_arg(j, 1), j->d->sc.conf.remote_ip, j->d->sc.conf.connect_port, &n))
		return 0;
	if (!dexpr_null(djob_arg(j, 1)))
		flow_connects(j, f, &n.v4);
	r = sys_connect(t, djob_fd(j, 0), name_arg(j, &n), (socklen_t)djob_int(j, 2, n.len));
	if (!r && f && f->proto == DPROTO_TCP && !dexpr_null(djob_arg(j, 1)) && n.sa.sa_family == AF_UNSPEC)
		f->left = true;
	return r;
}

/* The flow whose SYN made this connection. */
static void flow_accepted(struct drill_job *j, int fd, int script, const struct sockaddr_in *peer)
{
	struct drill_flow *f, *mine = NULL;

	list_for_each_entry(f, &j->d->flows, list)
		if (!mine && f->proto == DPROTO_TCP && f->state == DFLOW_PASSIVE && f->fd < 0 && f->rport == ntohs(peer->sin_port))
			mine = f;
	if (!mine)
		return;
	mine->fd = fd;
	mine->script_fd = script;
	j->d->cur = mine;
}

static int64_t accept_any(struct drill_job *j, struct task *t, int flags)
{
	struct drill_name n = { .len = sizeof(n.ss) };
	int fd = sys_accept4(t, djob_fd(j, 0), &n.sa, &n.len, flags);
	int64_t script;

	if (fd < 0)
		return fd;
	script = new_fd(j, fd);
	drill_name_v4(&n);
	flow_accepted(j, fd, (int)script, &n.v4);
	djob_check_addr(j, djob_arg(j, 1), &n.v4);
	return script;
}

static int64_t call_accept(struct drill_job *j, struct task *t)
{
	return accept_any(j, t, 0);
}

static int64_t call_accept4(struct drill_job *j, struct task *t)
{
	return accept_any(j, t, (int)djob_int(j, 3, 0));
}

static int64_t name_of(struct drill_job *j, struct task *t, bool peer)
{
	struct drill_name n = { .len = sizeof(n.ss) };
	int r = peer ? sys_getpeername(t, djob_fd(j, 0), &n.sa, &n.len) : sys_getsockname(t, djob_fd(j, 0), &n.sa, &n.len);

	drill_name_v4(&n);
	if (!r)
		djob_check_addr(j, djob_arg(j, 1), &n.v4);
	return r;
}

static int64_t call_getsockname(struct drill_job *j, struct task *t)
{
	return name_of(j, t, false);
}

static int64_t call_getpeername(struct drill_job *j, struct task *t)
{
	return name_of(j, t, true);
}

static int64_t call_close(struct drill_job *j, struct task *t)
{
	struct drill_flow *f = flow_of_arg(j, 0);
	int live = djob_fd(j, 0), script = (int)djob_int(j, 0, -1);

	if (f) {
		f->closed = true;
		f->fd = f->script_fd = -1;
	}
	drill_fd_set(j->d, script, -1);
	return sys_close(t, live);
}

static int64_t call_dup(struct drill_job *j, struct task *t)
{
	drill_stream_forget(flow_of_arg(j, 0));
	return new_fd(j, sys_dup(t, djob_fd(j, 0)));
}

static int64_t call_shutdown(struct drill_job *j, struct task *t)
{
	return sys_shutdown(t, djob_fd(j, 0), (int)djob_int(j, 1, SHUT_RDWR));
}

/* ---- options ---- */

/* Octets of an option's value. Returns their number. */
static size_t opt_bytes(struct drill_job *j, const struct dexpr *x, uint8_t *out, size_t room)
{
	bool wide = dexpr_field(x, "tv_sec", NULL) != NULL;
	size_t n = 0;

	if (!x || x->kind == DX_DOTS || x->kind == DX_NULL)
		return 0;
	if (x->kind == DX_STR) {
		n = min_sz((size_t)x->v, room);
		memcpy(out, x->s, n);
		return n;
	}
	if (x->kind == DX_INT) {
		int32_t v = (int32_t)x->v;

		memcpy(out, &v, sizeof(v));
		return sizeof(v);
	}
	for (uint32_t i = 0; i < x->n && n + 8 <= room; i++) {
		int64_t v = 0;
		int32_t v32;

		if (!dexpr_int1(x->item[i], &v) && x->item[i]->kind != DX_DOTS)
			djob_fail(j, "Bad type for an option's value");
		v32 = (int32_t)v;
		memcpy(out + n, wide ? (const void *)&v : (const void *)&v32, wide ? sizeof(v) : sizeof(v32));
		n += wide ? sizeof(v) : sizeof(v32);
	}
	return n;
}

#define OPT_ROOM 4096
static int64_t call_setsockopt(struct drill_job *j, struct task *t)
{
	uint8_t val[OPT_ROOM] = { 0 };
	size_t n = opt_bytes(j, djob_arg(j, 3), val, sizeof(val));
	int64_t len = djob_int(j, 4, (int64_t)n);

	if (dexpr_null(djob_arg(j, 3)) && len > 0)
		return -EFAULT;
	if (len > OPT_ROOM)
		len = OPT_ROOM;
	if (djob_int(j, 1, 0) == IPPROTO_TCP && (djob_int(j, 2, 0) == 19 /* TCP_REPAIR */ || djob_int(j, 2, 0) == 31 /* TCP_ULP */))
		drill_stream_forget(flow_of_arg(j, 0));
	return sys_setsockopt(t, djob_fd(j, 0), (int)djob_int(j, 1, 0), (int)djob_int(j, 2, 0), val, (socklen_t)len);
}

/* {tcpi_state=TCP_ESTABLISHED, tcpi_rto=..., ...}: the fields that are written, by their names. */
static bool check_info(struct drill_job *j, const struct dexpr *x, const uint8_t *val, size_t len)
{
	int64_t want, have;

	if (x->kind != DX_STRUCT || !x->n || !x->name[0] || strncmp(x->name[0], "tcpi_", 5) != 0)
		return false;
	for (uint32_t i = 0; i < x->n; i++) {
		const char *name = x->name[i] ? x->name[i] : "field without a name";

		if (x->item[i]->kind == DX_DOTS)
			continue;
		if (!drill_info_value(val, len, name, &have))
			djob_fail(j, "Bad getsockopt optval: there is no %.60s in what came back", name);
		else if (!dexpr_int1(x->item[i], &want))
			djob_fail(j, "Bad type for %s, expected an integer", name);
		else if (want != have)
			djob_fail(j, "Bad getsockopt optval: %s: expected: %lld actual: %lld", name, (long long)want, (long long)have);
	}
	return true;
}

/* What getsockopt gave against what the script wrote. */
static void check_opt(struct drill_job *j, const struct dexpr *x, const uint8_t *val, size_t len)
{
	uint8_t want[OPT_ROOM] = { 0 };
	size_t n;
	int64_t v;
	int32_t have = 0;

	if (!x || x->kind == DX_DOTS || x->kind == DX_NULL || (x->n == 1 && x->item[0]->kind == DX_DOTS) || check_info(j, x, val, len))
		return;
	if (x->kind == DX_STR) {
		if (strncmp(x->s, (const char *)val, len) != 0)
			djob_fail(j, "Bad getsockopt optval: expected: \"%s\" actual: \"%.*s\"", x->s, (int)min_sz(len, 80), val);
		return;
	}
	if (dexpr_int1(x, &v)) {
		memcpy(&have, val, min_sz(len, sizeof(have)));
		if ((int32_t)v != have)
			djob_fail(j, "Bad getsockopt optval: expected: %d actual: %d", (int32_t)v, have);
		return;
	}
	n = opt_bytes(j, x, want, sizeof(want));
	if (n > len || memcmp(want, val, n) != 0)
		djob_fail(j, "Bad getsockopt optval: the structure has other values");
}

static int64_t call_getsockopt(struct drill_job *j, struct task *t)
{
	uint8_t val[OPT_ROOM] = { 0 };
	int64_t len = djob_int(j, 4, OPT_ROOM), room = len, want;
	socklen_t n;
	int r;

	/* [4] is what comes back too; a string's room may be just its own length. */
	if (room > OPT_ROOM)
		room = OPT_ROOM;
	n = (socklen_t)room;
	r = sys_getsockopt(t, djob_fd(j, 0), (int)djob_int(j, 1, 0), (int)djob_int(j, 2, 0), dexpr_null(djob_arg(j, 3)) ? NULL : val,
			   dexpr_null(djob_arg(j, 4)) ? NULL : &n);
	if (r)
		return r;
	check_opt(j, djob_arg(j, 3), val, n);
	if (djob_arg(j, 4) && djob_arg(j, 4)->kind == DX_LIST && dexpr_int1(djob_arg(j, 4), &want) && n != (socklen_t)want)
		djob_fail(j, "Bad getsockopt optlen: expected: %lld actual: %u", (long long)len, n);
	return r;
}

static int64_t call_ioctl(struct drill_job *j, struct task *t)
{
	int64_t want = 0;
	bool given = dexpr_int1(djob_arg(j, 2), &want);
	uint8_t room[256] = { 0 };
	int32_t v = (int32_t)want;
	int r;

	memcpy(room, &v, sizeof(v));
	r = sys_ioctl(t, djob_fd(j, 0), (unsigned long)djob_int(j, 1, 0), dexpr_null(djob_arg(j, 2)) ? NULL : room);
	memcpy(&v, room, sizeof(v));
	if (!r && given && v != (int32_t)want)
		djob_fail(j, "Bad ioctl value: expected: %d actual: %d", (int32_t)want, v);
	return r;
}

static int64_t call_fcntl(struct drill_job *j, struct task *t)
{
	int cmd = (int)djob_int(j, 1, 0);
	bool place = cmd == F_SETOWN_EX || cmd == F_GETOWN_EX; /* a script has none to give */
	int r = sys_fcntl(t, djob_fd(j, 0), cmd, place ? 0 : (long)djob_int(j, 2, 0));

	if (cmd == F_DUPFD)
		drill_stream_forget(flow_of_arg(j, 0));
	return cmd == F_DUPFD ? new_fd(j, r) : r;
}

/* Privileges: the script's process has them all. */
static int64_t call_cap_set(struct drill_job *j, struct task *t)
{
	(void)j;
	(void)t;
	return 0;
}

const struct drill_call_entry drill_calls_sock[] = {
	{ "socket", 3, 3, call_socket },
	{ "bind", 2, 3, call_bind },
	{ "listen", 1, 2, call_listen },
	{ "connect", 2, 3, call_connect },
	{ "accept", 1, 3, call_accept },
	{ "accept4", 4, 4, call_accept4 },
	{ "getsockname", 2, 3, call_getsockname },
	{ "getpeername", 2, 3, call_getpeername },
	{ "close", 1, 1, call_close },
	{ "dup", 1, 1, call_dup },
	{ "shutdown", 2, 2, call_shutdown },
	{ "setsockopt", 4, 5, call_setsockopt },
	{ "getsockopt", 4, 5, call_getsockopt },
	{ "ioctl", 2, 3, call_ioctl },
	{ "fcntl", 2, 3, call_fcntl },
	{ "cap_set", 0, 8, call_cap_set },
	{ NULL, 0, 0, NULL },
};

/* Calls that move data: read and write in all their forms, with control messages.
 *
 * Called by drill_call.c, inside a task; hands on to socket/syscall.h. Tests: tests/packet/calls. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "drill/drill_addr.h"
#include "socket/syscall.h"
#include "socket/vfs.h"

#define CONTROL_ROOM 4096
#define TXTIME_CMSG 61 /* SCM_TXTIME */
#define TFO_FLAG 0x20000000 /* MSG_FASTOPEN */

static struct drill_flow *flow_of(struct drill_job *j)
{
	return drill_flow_of_fd(j->d, (int)djob_int(j, 0, -1));
}

static bool is_any(const struct dexpr *x)
{
	return !x || x->kind != DX_STR;
}

static void check_stream(struct drill_job *j, const uint8_t *p, int64_t n, int flags)
{
	if (!drill_rx_check(flow_of(j), p, n, flags))
		djob_fail(j, "What was read is not what was sent to the host");
}

/* ---- plain ---- */

static int64_t send_plain(struct drill_job *j, struct task *t, bool is_write)
{
	int64_t len = djob_int(j, 2, djob_arg(j, 1)->kind == DX_STR ? djob_arg(j, 1)->v : 0);
	const struct dexpr *to = djob_arg(j, 4);
	int flags = (int)djob_int(j, 3, 0);
	struct drill_flow *stream = flow_of(j);
	struct drill_name n = { .len = 0 };
	uint8_t *buf;
	int64_t r;

	if (len < 0)
		return -EINVAL;
	if (to && !djob_addr(j, t, to, j->d->sc.conf.remote_ip, j->d->sc.conf.connect_port, &n))
		return 0;
	if (n.len) {
		struct drill_flow *f = drill_flow_of_fd(j->d, (int)djob_int(j, 0, -1));

		if (f && (f->proto != DPROTO_TCP || (flags & TFO_FLAG && f->state == DFLOW_NEW))) {
			f->state = DFLOW_ACTIVE;
			f->raddr = ntohl(n.v4.sin_addr.s_addr);
			f->rport = ntohs(n.v4.sin_port);
			j->d->cur = f;
		}
	}
	buf = djob_buffer(j, djob_arg(j, 1), (size_t)len);
	if (!j->err.len && buf)
		drill_tx_begin(stream, buf, (size_t)len, is_any(djob_arg(j, 1)));
	if (is_write)
		r = sys_write(t, djob_fd(j, 0), buf, (size_t)len);
	else
		r = sys_sendto(t, djob_fd(j, 0), buf, (size_t)len, flags, n.len ? &n.sa : NULL, n.len ? (socklen_t)djob_int(j, 5, n.len) : 0);
	if (buf)
		drill_tx_end(stream, r);
	free(buf);
	return r;
}

static int64_t call_write(struct drill_job *j, struct task *t)
{
	return send_plain(j, t, true);
}

static int64_t call_sendto(struct drill_job *j, struct task *t)
{
	return send_plain(j, t, false);
}

static int64_t recv_plain(struct drill_job *j, struct task *t, bool is_read)
{
	int64_t len = djob_int(j, 2, djob_arg(j, 1)->kind == DX_STR ? djob_arg(j, 1)->v : 0), r;
	struct drill_name n = { .len = sizeof(n.ss) };
	uint8_t *buf;

	if (len < 0)
		return -EINVAL;
	buf = djob_buffer(j, dexpr_nowhere(djob_arg(j, 1)) ? djob_arg(j, 1) : NULL, (size_t)len);
	if (is_read)
		r = sys_read(t, djob_fd(j, 0), buf, (size_t)len);
	else
		r = sys_recvfrom(t, djob_fd(j, 0), buf, (size_t)len, (int)djob_int(j, 3, 0), &n.sa, &n.len);
	if (buf)
		djob_check_data(j, djob_arg(j, 1), buf, r);
	if (buf || (!is_read && djob_int(j, 3, 0) & MSG_TRUNC))
		check_stream(j, buf, r < len ? r : len, is_read ? 0 : (int)djob_int(j, 3, 0));
	drill_name_v4(&n);
	if (r >= 0 && !is_read)
		djob_check_addr(j, djob_arg(j, 4), &n.v4);
	free(buf);
	return r;
}

static int64_t call_read(struct drill_job *j, struct task *t)
{
	return recv_plain(j, t, true);
}

static int64_t call_recvfrom(struct drill_job *j, struct task *t)
{
	return recv_plain(j, t, false);
}

/* ---- several buffers ---- */

struct vec {
	struct iovec iov[DCALL_MAX_IOV];
	const struct dexpr *from[DCALL_MAX_IOV];
	int n;
	bool null, negative; /* there is no array; a length is below zero */
};

/* [{..., 1000}, {"abc", 3}] */
static struct vec *vec_new(struct drill_job *j, const struct dexpr *x, bool out)
{
	struct vec *v = xcalloc(1, sizeof(*v));

	v->null = dexpr_null(x);
	if (!x || x->kind == DX_DOTS || v->null)
		return v;
	for (uint32_t i = 0; x->kind == DX_LIST && i < x->n && i < DCALL_MAX_IOV; i++) {
		const struct dexpr *e = x->item[i], *base, *len;
		int64_t n = 0;

		if (e->kind != DX_STRUCT || e->n != 2) {
			djob_fail(j, "Bad type for an iovec, expected {buffer, length}");
			break;
		}
		base = e->item[0];
		len = e->item[1];
		if (!dexpr_int1(len, &n) && base->kind == DX_STR)
			n = base->v;
		v->negative |= n < 0;
		v->from[v->n] = base;
		v->iov[v->n].iov_len = (size_t)n;
		v->iov[v->n++].iov_base = djob_buffer(j, out || dexpr_nowhere(base) ? base : NULL, n < 0 ? 0 : (size_t)n);
	}
	return v;
}

/* The buffers of one call as a piece of the stream. */
static void vec_stream(struct drill_job *j, struct vec *v, int n)
{
	for (int i = 0; i < n && i < v->n && !v->negative && !j->err.len && (v->iov[i].iov_base || !v->iov[i].iov_len); i++)
		(i ? drill_tx_add : drill_tx_begin)(flow_of(j), v->iov[i].iov_base, v->iov[i].iov_len, is_any(v->from[i]));
}

static void vec_check(struct drill_job *j, const struct vec *v, int64_t got, int flags)
{
	for (int i = 0; i < v->n && got > 0 && (v->iov[i].iov_base || !v->iov[i].iov_len); i++) {
		int64_t n = (int64_t)v->iov[i].iov_len < got ? (int64_t)v->iov[i].iov_len : got;

		djob_check_data(j, v->from[i], v->iov[i].iov_base, n);
		check_stream(j, v->iov[i].iov_base, n, flags);
		got -= n;
	}
}

static void vec_free(struct vec *v)
{
	for (int i = 0; i < v->n; i++)
		free(v->iov[i].iov_base);
	free(v);
}

static int64_t vector(struct drill_job *j, struct task *t, bool out)
{
	struct vec *v = vec_new(j, djob_arg(j, 1), out);
	struct drill_flow *stream = flow_of(j);
	int n = (int)djob_int(j, 2, v->n);
	const struct iovec *iov = v->null ? NULL : v->iov;
	bool written = out && n > 0 && v->n && !v->negative;
	int64_t r;

	if (written)
		vec_stream(j, v, n);
	r = out ? sys_writev(t, djob_fd(j, 0), iov, n) : sys_readv(t, djob_fd(j, 0), iov, n);
	if (!out)
		vec_check(j, v, r, 0);
	else if (written)
		drill_tx_end(stream, r);
	vec_free(v);
	return r;
}

static int64_t call_writev(struct drill_job *j, struct task *t)
{
	return vector(j, t, true);
}

static int64_t call_readv(struct drill_job *j, struct task *t)
{
	return vector(j, t, false);
}

/* ---- control messages ---- */

static bool is_exterr(const struct dexpr *x)
{
	return dexpr_field(x, "ee_errno", NULL) || dexpr_field(x, "ee_origin", NULL) || dexpr_field(x, "ee_info", NULL);
}

/* Integers are int's, but for when a packet shall leave: nanoseconds from the script's start. */
static size_t control_data(struct drill_job *j, const struct dexpr *x, bool txtime, uint8_t *out, size_t room)
{
	int64_t v;
	int32_t v32;

	if (x && x->kind == DX_STR) {
		size_t n = min_sz((size_t)x->v, room);

		memcpy(out, x->s, n);
		return n;
	}
	if (!dexpr_int1(x, &v)) {
		djob_fail(j, "Bad type for cmsg_data");
		return 0;
	}
	if (txtime) {
		v += (int64_t)j->d->start_ns;
		memcpy(out, &v, sizeof(v));
		return sizeof(v);
	}
	v32 = (int32_t)v;
	memcpy(out, &v32, sizeof(v32));
	return sizeof(v32);
}

static size_t control_build(struct drill_job *j, const struct dexpr *x, uint8_t *buf, size_t room)
{
	size_t at = 0;

	for (uint32_t i = 0; x && x->kind == DX_LIST && i < x->n; i++) {
		struct cmsghdr h = { 0 };
		uint8_t data[256];
		size_t n;

		h.cmsg_level = (int)dexpr_field_int(x->item[i], "cmsg_level", 0);
		h.cmsg_type = (int)dexpr_field_int(x->item[i], "cmsg_type", 0);
		n = control_data(j, dexpr_field(x->item[i], "cmsg_data", NULL), h.cmsg_level == SOL_SOCKET && h.cmsg_type == TXTIME_CMSG, data, sizeof(data));
		if (at + CMSG_SPACE(n) > room)
			break;
		h.cmsg_len = (size_t)dexpr_field_int(x->item[i], "cmsg_len", (int64_t)CMSG_LEN(n));
		memcpy(buf + at, &h, sizeof(h));
		memcpy(buf + at + CMSG_LEN(0), data, n);
		at += CMSG_SPACE(n);
	}
	return at;
}

static void want_int(struct drill_job *j, const char *what, const struct dexpr *x, const char *name, int64_t got)
{
	int64_t v;

	if (dexpr_int1(dexpr_field(x, name, NULL), &v) && v != got)
		djob_fail(j, "Bad %s in control message: expected %lld actual %lld", what, (long long)v, (long long)got);
}

static void check_exterr(struct drill_job *j, const struct dexpr *x, const uint8_t *p, size_t n)
{
	struct sock_extended_err e;

	if (n < sizeof(e)) {
		djob_fail(j, "A control message that is too short for a sock_extended_err");
		return;
	}
	memcpy(&e, p, sizeof(e));
	want_int(j, "ee_errno", x, "ee_errno", e.ee_errno);
	want_int(j, "ee_origin", x, "ee_origin", e.ee_origin);
	want_int(j, "ee_type", x, "ee_type", e.ee_type);
	want_int(j, "ee_code", x, "ee_code", e.ee_code);
	want_int(j, "ee_info", x, "ee_info", e.ee_info);
	want_int(j, "ee_data", x, "ee_data", e.ee_data);
}

/* Timestamps count from the script's start. */
static void check_scm_time(struct drill_job *j, const struct dexpr *x, const uint8_t *p, size_t n)
{
	int64_t ts[2], sec, nsec, got, want;

	if (n < sizeof(ts) || !dexpr_int1(dexpr_field(x, "scm_sec", NULL), &sec) || !dexpr_int1(dexpr_field(x, "scm_nsec", NULL), &nsec))
		return;
	memcpy(ts, p, sizeof(ts));
	got = ts[0] * (int64_t)NSEC_PER_SEC + ts[1] - (int64_t)j->d->start_ns;
	want = sec * (int64_t)NSEC_PER_SEC + nsec;
	if (got - want > j->d->sc.conf.tolerance_ns || want - got > j->d->sc.conf.tolerance_ns)
		djob_fail(j, "Bad timestamp in control message: expected %lld.%09lld actual %lld.%09lld", (long long)sec, (long long)nsec,
			  (long long)(got / (int64_t)NSEC_PER_SEC), (long long)(got % (int64_t)NSEC_PER_SEC));
}

static void check_control_data(struct drill_job *j, const struct dexpr *x, const uint8_t *p, size_t n)
{
	int64_t v, got = 0;

	if (!x || x->kind == DX_DOTS)
		return;
	if (is_exterr(x)) {
		check_exterr(j, x, p, n);
	} else if (dexpr_field(x, "scm_sec", NULL)) {
		check_scm_time(j, x, p, n);
	} else if (dexpr_int1(x, &v)) {
		if (n == 1) {
			got = p[0];
		} else if (n >= 4) {
			int32_t g;

			memcpy(&g, p, sizeof(g));
			got = g;
		}
		if (got != v)
			djob_fail(j, "Bad cmsg_data: expected %lld actual %lld", (long long)v, (long long)got);
	}
}

static void check_control(struct drill_job *j, const struct dexpr *x, const struct msghdr *m)
{
	const uint8_t *p = m->msg_control;
	size_t at = 0;
	uint32_t i = 0;

	if (!x || x->kind != DX_LIST || (x->n == 1 && x->item[0]->kind == DX_DOTS))
		return;
	while (at + CMSG_LEN(0) <= m->msg_controllen) {
		struct cmsghdr h;

		memcpy(&h, p + at, sizeof(h));
		if (h.cmsg_len < CMSG_LEN(0) || h.cmsg_len > m->msg_controllen - at)
			break;
		if (i == x->n) {
			djob_fail(j, "Unexpected control message: level %d type %d", h.cmsg_level, h.cmsg_type);
			return;
		}
		want_int(j, "cmsg_level", x->item[i], "cmsg_level", h.cmsg_level);
		want_int(j, "cmsg_type", x->item[i], "cmsg_type", h.cmsg_type);
		check_control_data(j, dexpr_field(x->item[i], "cmsg_data", NULL), p + at + CMSG_LEN(0), h.cmsg_len - CMSG_LEN(0));
		at += CMSG_ALIGN(h.cmsg_len);
		i++;
	}
	if (i < x->n)
		djob_fail(j, "Expected %u control messages but got %u", x->n, i);
}

/* ---- messages ---- */

/* Without a message: after the descriptor was looked at, as the host does. */
static int64_t no_message(struct drill_job *j, struct task *t)
{
	int type;
	socklen_t len = sizeof(type);
	int r = sys_getsockopt(t, djob_fd(j, 0), SOL_SOCKET, SO_TYPE, &type, &len);

	return r < 0 ? r : -EFAULT;
}

static int64_t call_sendmsg(struct drill_job *j, struct task *t)
{
	const struct dexpr *x = djob_arg(j, 1), *name = dexpr_field(x, "msg_name", NULL);
	struct vec *v = vec_new(j, dexpr_field(x, "msg_iov", NULL), true);
	uint8_t control[CONTROL_ROOM] __attribute__((aligned(8)));
	struct msghdr m = { .msg_iov = v->iov, .msg_iovlen = (size_t)v->n };
	int flags = (int)djob_int(j, 2, 0);
	struct drill_flow *f = drill_flow_of_fd(j->d, (int)djob_int(j, 0, -1));
	struct drill_name n;
	int64_t r;

	if (name && (name->kind == DX_STRUCT || (name->kind == DX_DOTS && f && (f->proto != DPROTO_TCP || flags & TFO_FLAG) && f->state != DFLOW_ACTIVE))) {
		djob_addr(j, t, name, j->d->sc.conf.remote_ip, j->d->sc.conf.connect_port, &n);
		m.msg_name = &n.ss;
		m.msg_namelen = n.len;
		if (f && f->state == DFLOW_NEW) {
			f->state = DFLOW_ACTIVE;
			f->raddr = ntohl(n.v4.sin_addr.s_addr);
			f->rport = ntohs(n.v4.sin_port);
			j->d->cur = f;
		}
	}
	m.msg_controllen = control_build(j, dexpr_field(x, "msg_control", NULL), control, sizeof(control));
	m.msg_control = m.msg_controllen ? control : NULL;
	vec_stream(j, v, v->n);
	r = dexpr_null(x) ? no_message(j, t) : sys_sendmsg(t, djob_fd(j, 0), &m, flags);
	if (v->n && !v->negative)
		drill_tx_end(f, r);
	vec_free(v);
	return r;
}

static int64_t call_recvmsg(struct drill_job *j, struct task *t)
{
	const struct dexpr *x = djob_arg(j, 1);
	struct vec *v = vec_new(j, dexpr_field(x, "msg_iov", NULL), false);
	uint8_t control[CONTROL_ROOM] __attribute__((aligned(8)));
	struct drill_name n = { .len = 0 };
	struct msghdr m = { .msg_iov = v->iov, .msg_iovlen = (size_t)v->n, .msg_name = &n.ss, .msg_namelen = sizeof(n.ss),
			    .msg_control = control, .msg_controllen = sizeof(control) };
	int64_t r = dexpr_null(x) ? no_message(j, t) : sys_recvmsg(t, djob_fd(j, 0), &m, (int)djob_int(j, 2, 0)), want;

	if (r >= 0) {
		if (dexpr_int1(dexpr_field(x, "msg_flags", NULL), &want) && want != m.msg_flags)
			djob_fail(j, "Bad msg_flags: expected 0x%llx actual 0x%x", (long long)want, (unsigned)m.msg_flags);
		vec_check(j, v, r, (int)djob_int(j, 2, 0) | m.msg_flags);
		drill_name_v4(&n);
		djob_check_addr(j, dexpr_field(x, "msg_name", NULL), &n.v4);
		check_control(j, dexpr_field(x, "msg_control", NULL), &m);
	}
	vec_free(v);
	return r;
}

/* ---- files, and between descriptors ---- */

#define FILE_SIZE (1u << 20)
static int64_t call_open(struct drill_job *j, struct task *t)
{
	const struct dexpr *x = djob_arg(j, 0), *r = j->ev->call->result;
	const char *path = x && x->kind == DX_STR ? x->s : "/tmp/file";
	int fd = sys_open(t, path, (int)djob_int(j, 1, O_RDONLY) & (O_ACCMODE | O_NONBLOCK));

	if (fd == -ENOENT && !(r->kind == DX_INT && r->v < 0)) { /* files that scripts send are zeros */
		char *zeros = xcalloc(1, FILE_SIZE);

		vfs_put_file(t->net, path, zeros, FILE_SIZE);
		free(zeros);
		fd = sys_open(t, path, O_RDONLY);
	}
	if (fd < 0)
		return fd;
	drill_fd_set(j->d, r->kind == DX_INT && r->v >= 0 ? (int)r->v : fd, fd);
	return drill_fd_script(j->d, fd);
}

static int64_t *offset(struct drill_job *j, uint32_t i, int64_t *room)
{
	return dexpr_int1(djob_arg(j, i), room) ? room : NULL;
}

static int64_t call_sendfile(struct drill_job *j, struct task *t)
{
	int64_t at, n = djob_int(j, 3, 0);

	drill_stream_forget(flow_of(j));
	return sys_sendfile(t, djob_fd(j, 0), djob_fd(j, 1), offset(j, 2, &at), n > 0 ? (size_t)n : 0);
}

static int64_t call_splice(struct drill_job *j, struct task *t)
{
	int64_t in, out, n = djob_int(j, 4, 0);

	drill_stream_forget(flow_of(j));
	drill_stream_forget(drill_flow_of_fd(j->d, (int)djob_int(j, 2, -1)));
	return sys_splice(t, djob_fd(j, 0), offset(j, 1, &in), djob_fd(j, 2), offset(j, 3, &out), n > 0 ? (size_t)n : 0,
			  (unsigned)djob_int(j, 5, 0));
}

const struct drill_call_entry drill_calls_io[] = {
	{ "read", 3, 3, call_read },
	{ "readv", 3, 3, call_readv },
	{ "recv", 3, 4, call_recvfrom },
	{ "recvfrom", 3, 6, call_recvfrom },
	{ "recvmsg", 2, 3, call_recvmsg },
	{ "write", 3, 3, call_write },
	{ "writev", 3, 3, call_writev },
	{ "send", 3, 4, call_sendto },
	{ "sendto", 3, 6, call_sendto },
	{ "sendmsg", 2, 3, call_sendmsg },
	{ "open", 1, 3, call_open },
	{ "sendfile", 4, 4, call_sendfile },
	{ "splice", 5, 6, call_splice },
	{ NULL, 0, 0, NULL },
};

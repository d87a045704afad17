/* libculver_packetdrill.so: our host as the network stack of Google's packetdrill (--so_filename).
 *
 *     the binary's main thread:  waits (usleep, gettimeofday), sends packets in (netdev_send), asks for those that came
 *                                out (netdev_receive), makes calls that do not block
 *     its second thread:         makes the calls that do
 *
 * One lock for all. Time is virtual and moves only in the main thread, when it waits or looks at the clock; before it moves,
 * whoever was woken runs until it sleeps again or its call is done (nr_running), so that a run does not depend on the
 * machine's scheduler. A call that sleeps gives the lock up. When the main thread's own call must wait, it moves
 * the time itself. Descriptors are numbers of this machine (an eventfd each), because the binary closes them with its own close.
 *
 * Flags (--so_flags, or CULVER_PACKETDRILL in the environment), parted by commas: "defaults" (what test suites set), init=FILE,
 * --OPTION=VALUE as in scripts, and knobs as in net.ipv4.tcp_ecn=1. Tests: tests/unit/drill/test_drill_plugin.c. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include "core/procfs.h"
#include "drill/drill_int.h"
#include "drill/plugin/packetdrill_iface.h"
#include "os/os_file.h"
#include "os/os_lock.h"
#include "os/os_term.h"
#include "socket/file.h"
#include "socket/syscall.h"

#define PLUG_MAX_FDS 65536
#define PLUG_MAX_POLL 1024u
#define PLUG_MAX_INIT (256u << 10)
#define PLUG_RECEIVE_LIMIT_NS (5 * NSEC_PER_SEC)
#define PLUG_CLOCK_STEP_NS 1000u /* what a look at the clock takes */
#define PLUG_CALL_LIMIT_NS (3600 * NSEC_PER_SEC)
/* Real time: how long the main thread waits for one whose call has ended to look at the clock (it notes when that was); and how
 * long it may be silent before a sleeping thread moves the time for it (it waits for that thread, then). */
#define PLUG_GRACE_MS 50
#define PLUG_SILENCE_MS 500

/* A task that makes calls; kept for the next one. */
struct plug_task {
	struct task *t;
	struct plug *p;
	struct os_cond *cond;
	struct plug_task *next;
	bool main, woken, slept;
};

struct plug {
	struct drill d;
	struct os_lock *lock;
	struct os_cond *idle;    /* nr_running became 0 */
	uint32_t nr_running;     /* other threads that are inside a call and awake */
	uint64_t main_thread;
	uint64_t ended_thread;   /* its call slept and has ended; it has not seen the clock since */
	uint64_t main_calls;     /* grows with all that the main thread does */
	struct plug_task *free_tasks, *main_task;
	int live[PLUG_MAX_FDS];  /* by number of this machine: ours + 1, 0: none */
	struct strbuf out;
};

/* ---- time ---- */

/* Nobody else has anything to do at this moment. */
static void wait_idle(struct plug *p)
{
	while (p->nr_running)
		os_cond_wait(p->idle, p->lock);
	while (p->ended_thread && os_cond_wait_ms(p->idle, p->lock, PLUG_GRACE_MS))
		;
	p->ended_thread = 0;
}

/* Up to until_ns, or until done says so. */
static bool plug_pass(struct plug *p, uint64_t until_ns, bool (*done)(struct plug *p, void *arg), void *arg)
{
	struct net *net = p->d.net;

	for (;;) {
		uint64_t next;

		drill_settle(&p->d);
		wait_idle(p);
		drill_settle(&p->d);
		if (done && done(p, arg))
			return true;
		next = net_next_deadline(net);
		if (net->now_ns >= until_ns)
			return false;
		net_enter(net, next < until_ns ? next : until_ns);
	}
}

/* ---- sleeping: the tasks' wait_ops ---- */

static struct plug_task *of_task(struct task *t)
{
	return t->owner_data;
}

static bool is_woken(struct plug *p, void *arg)
{
	(void)p;
	return ((struct plug_task *)arg)->woken;
}

static void sleep_here(struct plug_task *pt, uint64_t until_ns)
{
	struct plug *p = pt->p;

	if (pt->main) {
		plug_pass(p, min_u64(until_ns, p->d.net->now_ns + PLUG_CALL_LIMIT_NS), is_woken, pt);
		return;
	}
	pt->slept = true;
	p->nr_running--;
	os_cond_wake(p->idle);
	while (!pt->woken) {
		uint64_t seen = p->main_calls;

		if (os_cond_wait_ms(pt->cond, p->lock, PLUG_SILENCE_MS) || pt->woken || p->main_calls != seen)
			continue;
		if (net_next_deadline(p->d.net) != TIME_NEVER)
			net_enter(p->d.net, net_next_deadline(p->d.net));
		drill_settle(&p->d);
	}
}

static int plug_sleep(struct task *t, uint64_t until_ns)
{
	struct net *net = t->net;
	struct plug_task *pt = of_task(t);
	struct softnet_data *sd = this_softnet(net);
	uint32_t bh = sd->bh_disabled;

	if (t->killed)
		return -EINTR;
	if (t->woken || until_ns <= net->now_ns) {
		t->woken = false;
		return 0;
	}
	pt->woken = false;
	if (until_ns != TIME_NEVER)
		mod_timer(&net->wheel, &t->timer, until_ns);
	sd->bh_disabled = 0;
	net->current = NULL;
	sleep_here(pt, until_ns);
	net->current = t;
	sd->bh_disabled = bh;
	del_timer(&net->wheel, &t->timer);
	t->woken = false;
	return t->killed ? -EINTR : 0;
}

static void plug_wake(struct task *t)
{
	struct plug_task *pt = of_task(t);

	if (pt->woken)
		return;
	pt->woken = true;
	if (!pt->main) {
		pt->p->nr_running++;
		os_cond_wake(pt->cond);
	}
}

static const struct wait_ops plug_wait_ops = { plug_sleep, plug_wake };

/* ---- entering and leaving ---- */

static struct plug_task *task_new(struct plug *p, bool is_main)
{
	struct plug_task *pt = xcalloc(1, sizeof(*pt));

	pt->p = p;
	pt->main = is_main;
	pt->woken = true; /* awake */
	pt->cond = os_cond_new();
	pt->t = task_new_external(p->d.net, is_main ? "packetdrill" : "packetdrill-2", &plug_wait_ops);
	pt->t->owner_data = pt;
	pt->t->files = task_files(p->d.proc);
	return pt;
}

static struct plug_task *enter(struct plug *p)
{
	struct plug_task *pt;

	os_lock_take(p->lock);
	if (os_thread_id() == p->main_thread) {
		p->main_calls++;
		wait_idle(p);
		pt = p->main_task;
	} else {
		pt = p->free_tasks;
		if (pt)
			p->free_tasks = pt->next;
		else
			pt = task_new(p, false);
		p->nr_running++;
		pt->slept = false;
	}
	p->d.net->current = pt->t;
	return pt;
}

/* The result as libc gives it. */
static ssize_t leave(struct plug_task *pt, int64_t r)
{
	struct plug *p = pt->p;

	p->d.net->current = NULL;
	drill_settle(&p->d);
	if (!pt->main) {
		pt->next = p->free_tasks;
		p->free_tasks = pt;
		p->ended_thread = pt->slept ? os_thread_id() : 0;
		p->nr_running--;
		os_cond_wake(p->idle);
	}
	os_lock_give(p->lock);
	if (r >= 0)
		return (ssize_t)r;
	errno = (int)-r;
	return -1;
}

/* ---- descriptors ---- */

static int live_of(const struct plug *p, int fd)
{
	return fd >= 0 && fd < PLUG_MAX_FDS && p->live[fd] ? p->live[fd] - 1 : -1;
}

/* A number of this machine for one of ours. */
static int number_for(struct plug *p, struct task *t, int live)
{
	int fd;

	if (live < 0)
		return live;
	fd = os_fd_new();
	if (fd >= PLUG_MAX_FDS) {
		os_fd_close(fd);
		fd = -EMFILE;
	}
	if (fd < 0) {
		sys_close(t, live);
		return fd;
	}
	if (p->live[fd]) /* the binary closed it behind our back */
		sys_close(t, p->live[fd] - 1);
	p->live[fd] = live + 1;
	return fd;
}

#define P ((struct plug *)u)
#define ENTER(fd) \
	struct plug_task *pt = enter(P); \
	int f = live_of(P, fd)

/* ---- the table ---- */

static int plug_socket(void *u, int domain, int type, int protocol)
{
	struct plug_task *pt = enter(P);

	return (int)leave(pt, number_for(P, pt->t, sys_socket(pt->t, domain, type, protocol)));
}

static int plug_bind(void *u, int fd, const struct sockaddr *a, socklen_t len)
{
	ENTER(fd);

	return (int)leave(pt, sys_bind(pt->t, f, a, len));
}

static int plug_listen(void *u, int fd, int backlog)
{
	ENTER(fd);

	return (int)leave(pt, sys_listen(pt->t, f, backlog));
}

static int plug_accept(void *u, int fd, struct sockaddr *a, socklen_t *len)
{
	ENTER(fd);

	return (int)leave(pt, number_for(P, pt->t, sys_accept4(pt->t, f, a, len, 0)));
}

static int plug_connect(void *u, int fd, const struct sockaddr *a, socklen_t len)
{
	ENTER(fd);

	return (int)leave(pt, sys_connect(pt->t, f, a, len));
}

static ssize_t plug_read(void *u, int fd, void *buf, size_t n)
{
	ENTER(fd);

	return leave(pt, sys_read(pt->t, f, buf, n));
}

static ssize_t plug_readv(void *u, int fd, const struct iovec *iov, int n)
{
	ENTER(fd);

	return leave(pt, sys_readv(pt->t, f, iov, n));
}

static ssize_t plug_recv(void *u, int fd, void *buf, size_t n, int flags)
{
	ENTER(fd);

	return leave(pt, sys_recvfrom(pt->t, f, buf, n, flags, NULL, NULL));
}

static ssize_t plug_recvfrom(void *u, int fd, void *buf, size_t n, int flags, struct sockaddr *a, socklen_t *len)
{
	ENTER(fd);

	return leave(pt, sys_recvfrom(pt->t, f, buf, n, flags, a, len));
}

static ssize_t plug_recvmsg(void *u, int fd, struct msghdr *m, int flags)
{
	ENTER(fd);

	return leave(pt, sys_recvmsg(pt->t, f, m, flags));
}

static ssize_t plug_write(void *u, int fd, const void *buf, size_t n)
{
	ENTER(fd);

	return leave(pt, sys_write(pt->t, f, buf, n));
}

static ssize_t plug_writev(void *u, int fd, const struct iovec *iov, int n)
{
	ENTER(fd);

	return leave(pt, sys_writev(pt->t, f, iov, n));
}

static ssize_t plug_send(void *u, int fd, const void *buf, size_t n, int flags)
{
	ENTER(fd);

	return leave(pt, sys_sendto(pt->t, f, buf, n, flags, NULL, 0));
}

static ssize_t plug_sendto(void *u, int fd, const void *buf, size_t n, int flags, const struct sockaddr *a, socklen_t len)
{
	ENTER(fd);

	return leave(pt, sys_sendto(pt->t, f, buf, n, flags, a, len));
}

static ssize_t plug_sendmsg(void *u, int fd, const struct msghdr *m, int flags)
{
	ENTER(fd);

	return leave(pt, sys_sendmsg(pt->t, f, m, flags));
}

static int plug_fcntl(void *u, int fd, int cmd, ...)
{
	va_list ap;
	long arg;
	int r;
	ENTER(fd);

	va_start(ap, cmd);
	arg = va_arg(ap, long);
	va_end(ap);
	r = sys_fcntl(pt->t, f, cmd, cmd == F_SETFL || cmd == F_SETFD || cmd == F_DUPFD ? (long)(int)arg : arg);
	return (int)leave(pt, cmd == F_DUPFD ? number_for(P, pt->t, r) : r);
}

static int plug_ioctl(void *u, int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;
	ENTER(fd);

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	return (int)leave(pt, sys_ioctl(pt->t, f, request, arg));
}

static int plug_close(void *u, int fd)
{
	ENTER(fd);

	if (f >= 0) {
		P->live[fd] = 0;
		os_fd_close(fd);
	}
	return (int)leave(pt, sys_close(pt->t, f));
}

static int plug_shutdown(void *u, int fd, int how)
{
	ENTER(fd);

	return (int)leave(pt, sys_shutdown(pt->t, f, how));
}

static int plug_getsockopt(void *u, int fd, int level, int name, void *val, socklen_t *len)
{
	ENTER(fd);

	return (int)leave(pt, sys_getsockopt(pt->t, f, level, name, val, len));
}

static int plug_setsockopt(void *u, int fd, int level, int name, const void *val, socklen_t len)
{
	ENTER(fd);

	return (int)leave(pt, sys_setsockopt(pt->t, f, level, name, val, len));
}

static int plug_poll(void *u, struct pollfd *fds, nfds_t n, int timeout)
{
	struct plug_task *pt = enter(P);
	struct pollfd *own;
	int r;

	if (n > PLUG_MAX_POLL)
		return (int)leave(pt, -EINVAL);
	own = xcalloc(n + 1, sizeof(*own));
	for (nfds_t i = 0; i < n && fds; i++) {
		own[i].fd = fds[i].fd < 0 ? -1 : live_of(P, fds[i].fd) < 0 ? TASK_MAX_FILES - 1 : live_of(P, fds[i].fd);
		own[i].events = fds[i].events;
	}
	r = sys_poll(pt->t, fds ? own : NULL, (unsigned)n, timeout);
	for (nfds_t i = 0; i < n && r >= 0; i++)
		fds[i].revents = own[i].revents;
	free(own);
	return (int)leave(pt, r);
}

static int plug_epoll_create(void *u, int size)
{
	struct plug_task *pt = enter(P);

	return (int)leave(pt, size <= 0 ? -EINVAL : number_for(P, pt->t, sys_epoll_create1(pt->t, 0)));
}

static int plug_epoll_ctl(void *u, int epfd, int op, int fd, struct epoll_event *ev)
{
	ENTER(epfd);

	return (int)leave(pt, sys_epoll_ctl(pt->t, f, op, live_of(P, fd), ev));
}

static int plug_epoll_wait(void *u, int epfd, struct epoll_event *ev, int max, int timeout)
{
	ENTER(epfd);

	return (int)leave(pt, sys_epoll_wait(pt->t, f, ev, max, timeout));
}

static int plug_pipe(void *u, int fd[2])
{
	struct plug_task *pt = enter(P);
	int live[2], a, b, r = fd ? sys_pipe2(pt->t, live, 0) : -EFAULT;

	if (!r) {
		a = number_for(P, pt->t, live[0]);
		b = number_for(P, pt->t, live[1]);
		r = a < 0 ? a : b < 0 ? b : 0;
		fd[0] = a;
		fd[1] = b;
	}
	return (int)leave(pt, r);
}

static ssize_t plug_splice(void *u, int in, loff_t *off_in, int out, loff_t *off_out, size_t n, unsigned flags)
{
	ENTER(in);
	int64_t oi = off_in ? *off_in : 0, oo = off_out ? *off_out : 0;
	ssize_t r = sys_splice(pt->t, f, off_in ? &oi : NULL, live_of(P, out), off_out ? &oo : NULL, n, flags);

	if (off_in)
		*off_in = oi;
	if (off_out)
		*off_out = oo;
	return leave(pt, r);
}

/* ---- the device ---- */

static int plug_netdev_send(void *u, const void *buf, size_t count)
{
	int r;

	os_lock_take(P->lock);
	P->main_calls++;
	wait_idle(P);
	r = count <= 65535 ? drill_inject(&P->d, buf, (uint32_t)count) : -EMSGSIZE;
	drill_settle(&P->d);
	wait_idle(P);
	os_lock_give(P->lock);
	if (!r)
		return 0;
	errno = -r;
	return -1;
}

static bool has_live(struct plug *p, void *arg)
{
	(void)arg;
	return !list_empty(&p->d.live);
}

/* The host's own clock: times in control messages are compared with this one. */
static long long clock_us(uint64_t ns)
{
	return (long long)(ns / NSEC_PER_USEC);
}

static int plug_netdev_receive(void *u, void *buf, size_t *count, long long *time_usecs)
{
	struct drill_live *l;

	os_lock_take(P->lock);
	P->main_calls++;
	if (!plug_pass(P, P->d.net->now_ns + PLUG_RECEIVE_LIMIT_NS, has_live, NULL)) {
		*count = 0;
		*time_usecs = clock_us(P->d.net->now_ns);
	} else {
		l = list_first_entry(&P->d.live, struct drill_live, list);
		*count = min_sz(*count, l->len);
		memcpy(buf, l->data, *count);
		*time_usecs = clock_us(l->t_ns);
		drill_live_drop(&P->d, l);
	}
	os_lock_give(P->lock);
	return 0;
}

static int plug_usleep(void *u, useconds_t usec)
{
	os_lock_take(P->lock);
	P->main_calls++;
	plug_pass(P, P->d.net->now_ns + usec * NSEC_PER_USEC, NULL, NULL);
	os_lock_give(P->lock);
	return 0;
}

static int plug_gettimeofday(void *u, struct timeval *tv, struct timezone *tz)
{
	long long us;

	(void)tz;
	os_lock_take(P->lock);
	if (os_thread_id() == P->main_thread) {
		P->main_calls++;
		plug_pass(P, P->d.net->now_ns + PLUG_CLOCK_STEP_NS, NULL, NULL);
	} else if (os_thread_id() == P->ended_thread) {
		P->ended_thread = 0;
		os_cond_wake(P->idle);
	}
	us = clock_us(P->d.net->now_ns);
	os_lock_give(P->lock);
	tv->tv_sec = us / 1000000;
	tv->tv_usec = us % 1000000;
	return 0;
}

/* ---- life ---- */

/* No thread may be inside a call when the binary ends; one that sleeps there is woken to be told. */
static void plug_free(void *u)
{
	struct plug *p = u;
	struct plug_task *pt;
	struct task *t, *tmp;

	os_lock_take(p->lock);
	list_for_each_entry_safe(t, tmp, &p->d.net->tasks, node)
		if (t->owner_data && t->owner_data != p->main_task)
			task_kill(t);
	wait_idle(p);
	os_lock_give(p->lock);
	for (int i = 0; i < PLUG_MAX_FDS; i++)
		if (p->live[i])
			os_fd_close(i);
	while ((pt = p->free_tasks ? p->free_tasks : p->main_task) != NULL) {
		if (pt == p->main_task)
			p->main_task = NULL;
		else
			p->free_tasks = pt->next;
		pt->t->files = NULL;
		pt->t->owner_data = NULL;
		task_free(pt->t);
		os_cond_free(pt->cond);
		free(pt);
	}
	drill_calls_close(&p->d);
	drill_world_close(&p->d);
	dscript_free(&p->d.sc);
	sb_free(&p->out);
	sb_free(&p->d.notes);
	os_cond_free(p->idle);
	os_lock_free(p->lock);
	free(p);
}

static void complain(const char *what, const char *why)
{
	char line[300];
	int n = snprintf(line, sizeof(line), "libculver_packetdrill: %.100s: %.150s\n", what, why);

	os_eprint(line, min_sz((size_t)n, sizeof(line) - 1));
}

/* "init=FILE": a shell script, run on our host by the shell of packet scripts; "dir=PATH": where its relative names begin, its own
 * folder otherwise. */
static void init_file(struct plug *p, const char *w)
{
	const char *path = strchr(w, '=') + 1, *slash = strrchr(path, '/');
	char *text;
	size_t len;
	int err;

	if (w[0] == 'd') {
		p->d.dir = darena_str(&p->d.sc.mem, path, strlen(path));
		return;
	}
	if (!strcmp(p->d.dir, ".") && slash)
		p->d.dir = darena_str(&p->d.sc.mem, path, (size_t)(slash - path));
	err = os_read_file(path, PLUG_MAX_INIT, &text, &len);
	if (err) {
		complain(w, os_strerror(-err));
		return;
	}
	drill_command(&p->d, darena_str(&p->d.sc.mem, text, len), 1);
	free(text);
	if (p->d.failed)
		complain(w, sb_str(&p->out));
}

/* One of the flags. host: the host is there (knobs); else the options that shape it. */
static void one_flag(struct plug *p, char *w, bool host)
{
	char err[200], *eq = strchr(w, '=');

	w += strspn(w, " \t\n");
	if (!strncmp(w, "dir=", 4) || !strncmp(w, "init=", 5)) {
		if (host)
			init_file(p, w);
	} else if (!strncmp(w, "--", 2)) {
		if (eq)
			*eq = '\0';
		if (!host && dconf_set(&p->d.sc.conf, &p->d.sc.mem, w + 2, eq ? eq + 1 : NULL, err, sizeof(err)))
			complain(w, err);
		if (eq)
			*eq = '=';
	} else if (host && !strcmp(w, "defaults")) {
		drill_defaults(&p->d);
	} else if (host && *w && eq) {
		*eq = '\0';
		if (sysctl_set(p->d.net, w, eq + 1))
			complain(w, "no such knob, or not for this value");
		*eq = '=';
	} else if (host && *w && strcmp(w, "defaults") != 0) {
		complain(w, "flags are defaults, init=FILE, dir=PATH, --OPTION=VALUE, and knobs as in net.ipv4.tcp_ecn=1");
	}
}

static void all_flags(struct plug *p, const char *text, bool host)
{
	char *copy, *w, *end;

	if (!text)
		return;
	copy = xstrdup(text);
	for (w = copy; w; w = end) {
		end = strpbrk(w, ",;");
		if (end)
			*end++ = '\0';
		one_flag(p, w, host);
	}
	free(copy);
}

static const struct packetdrill_interface plug_table = {
	.free = plug_free, .socket = plug_socket, .bind = plug_bind, .listen = plug_listen, .accept = plug_accept,
	.connect = plug_connect, .read = plug_read, .readv = plug_readv, .recv = plug_recv, .recvfrom = plug_recvfrom,
	.recvmsg = plug_recvmsg, .write = plug_write, .writev = plug_writev, .send = plug_send, .sendto = plug_sendto,
	.sendmsg = plug_sendmsg, .fcntl = plug_fcntl, .ioctl = plug_ioctl, .close = plug_close, .shutdown = plug_shutdown,
	.getsockopt = plug_getsockopt, .setsockopt = plug_setsockopt, .poll = plug_poll, .netdev_send = plug_netdev_send,
	.netdev_receive = plug_netdev_receive, .usleep = plug_usleep, .gettimeofday = plug_gettimeofday,
	.epoll_create = plug_epoll_create, .epoll_ctl = plug_epoll_ctl, .epoll_wait = plug_epoll_wait, .pipe = plug_pipe,
	.splice = plug_splice,
};

__attribute__((visibility("default"))) void packetdrill_interface_init(const char *flags, struct packetdrill_interface *ifc)
{
	struct plug *p = xcalloc(1, sizeof(*p));
	int err;

	sb_init(&p->out);
	sb_init(&p->d.notes);
	p->d.name = "flags";
	p->d.out = &p->out;
	p->d.dir = ".";
	p->lock = os_lock_new();
	p->idle = os_cond_new();
	p->main_thread = os_thread_id();
	dconf_init(&p->d.sc.conf);
	all_flags(p, flags, false);
	all_flags(p, os_env("CULVER_PACKETDRILL"), false);
	err = drill_world_open(&p->d, 1);
	if (err) {
		complain("the host could not be set up", os_strerror(-err));
		abort();
	}
	drill_calls_open(&p->d);
	p->main_task = task_new(p, true);
	all_flags(p, flags, true);
	all_flags(p, os_env("CULVER_PACKETDRILL"), true);
	*ifc = plug_table;
	ifc->userdata = p;
}

/* Plays packet scripts through libculver_packetdrill.so as packetdrill's own binary does.
 *
 * usage: drill_binary LIBRARY SCRIPT.pkt|FOLDER...
 *
 * Parser, checks and calls are the drill room's own files; the host is the plug-in: what is defined here takes the place of
 * drill_world.c, drill_shell.c, the tasks and the system calls. As the binary: calls that take from one time until another run on a thread of
 * their own, which is watched in /proc until it sleeps; one lock, given up while a call is made; waiting is usleep for the most, then looking
 * at the clock; an outbound packet is waited for in netdev_receive; what is open at the end is closed by libc. The init command reaches the
 * host by the flag init=FILE, since the binary's would run on the machine. */
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "drill/drill_int.h"
#include "drill/plugin/packetdrill_iface.h"
#include "socket/file.h"
#include "socket/syscall.h"

#define SPIN_US 2000   /* the last of a wait is spent looking at the clock */
#define MAX_FDS 65536

static const char *library;
static struct packetdrill_interface ifc;
static pthread_mutex_t big = PTHREAD_MUTEX_INITIALIZER;
static struct drill *world;
enum { PASSED, FAILED, SKIPPED }; /* a script, and the exit code of its process */
static bool blocking, open_fd[MAX_FDS], unfit;
static uint16_t bound[MAX_FDS];
static const char *unfit_why;

static void cannot(const char *why)
{
	unfit = true;
	unfit_why = unfit_why ? unfit_why : why;
}

/* ---- the clock ---- */

static uint64_t clock_ns(void)
{
	struct timeval tv;

	ifc.gettimeofday(ifc.userdata, &tv, NULL);
	return (uint64_t)tv.tv_sec * NSEC_PER_SEC + (uint64_t)tv.tv_usec * 1000u;
}

static void look(struct drill *d)
{
	uint64_t t;

	pthread_mutex_unlock(&big);
	t = clock_ns();
	pthread_mutex_lock(&big);
	d->net->now_ns = t;
}

static void nap(uint64_t us)
{
	pthread_mutex_unlock(&big);
	ifc.usleep(ifc.userdata, (useconds_t)us);
	pthread_mutex_lock(&big);
}

/* ---- drill_world.c's part ---- */

static void load(const char *flags)
{
	void (*init)(const char *, struct packetdrill_interface *);
	void *so = dlopen(library, RTLD_NOW | RTLD_LOCAL);

	if (!so) {
		fprintf(stderr, "%s\n", dlerror());
		exit(FAILED);
	}
	*(void **)(void *)&init = dlsym(so, "packetdrill_interface_init");
	init(flags, &ifc);
}

int drill_world_open(struct drill *d, uint64_t seed)
{
	const struct dconf *c = &d->sc.conf;
	char file[] = "/tmp/drill-init-XXXXXX", flags[2000], dir[1000], a[4][IP4_STRLEN];
	int fd = mkstemp(file);

	(void)seed;
	world = d;
	list_init(&d->live);
	list_init(&d->flows);
	list_init(&d->jobs);
	list_init(&d->workers);
	d->net = calloc(1, sizeof(*d->net));
	if (fd < 0 || !realpath(d->dir, dir) ||
	    dprintf(fd, "%s\n%s\n", c->init_scripts ? c->init_scripts : "", d->sc.init ? d->sc.init : "") < 0)
		return -EIO;
	close(fd);
	snprintf(flags, sizeof(flags), "--mtu=%u,--local_ip=%s,--remote_ip=%s,--gateway_ip=%s,--netmask_ip=%s,dir=%s,init=%s", c->mtu,
		 ip4_str(a[0], c->local_ip), ip4_str(a[1], c->remote_ip), ip4_str(a[2], c->gateway_ip), ip4_str(a[3], c->netmask_ip), dir, file);
	load(flags);
	unlink(file);
	pthread_mutex_lock(&big);
	look(d);
	d->start_ns = d->net->now_ns;
	return 0;
}

void drill_world_close(struct drill *d)
{
	while (!list_empty(&d->live))
		drill_live_drop(d, list_first_entry(&d->live, struct drill_live, list));
	pthread_mutex_unlock(&big);
	for (int i = 0; i < MAX_FDS; i++) /* behind the plug-in's back, as the binary does */
		if (open_fd[i])
			close(i);
	ifc.free(ifc.userdata);
	free(d->net);
}

void drill_settle(struct drill *d) { look(d); }

void drill_live_drop(struct drill *d, struct drill_live *l)
{
	list_del_init(&l->list);
	d->n_live--;
	free(l);
}

static void receive(struct drill *d)
{
	static uint8_t buf[65536];
	size_t n = sizeof(buf);
	struct drill_live *l;
	long long us;

	pthread_mutex_unlock(&big);
	if (ifc.netdev_receive(ifc.userdata, buf, &n, &us) != 0)
		abort();
	pthread_mutex_lock(&big);
	d->net->now_ns = (uint64_t)us * 1000u;
	if (!n)
		return;
	l = malloc(sizeof(*l) + n);
	l->t_ns = d->net->now_ns;
	l->len = (uint32_t)n;
	memcpy(l->data, buf, n);
	list_add_tail(&l->list, &d->live);
	d->n_live++;
}

/* done without an argument asks for a packet, with one whether a call has ended. */
bool drill_pass(struct drill *d, uint64_t until_ns, bool inclusive, bool (*done)(struct drill *d, void *arg), void *arg)
{
	(void)inclusive;
	look(d);
	for (;;) {
		if (done && done(d, arg))
			return true;
		if (d->net->now_ns >= until_ns)
			return false;
		if (done && !arg) {
			receive(d);
			continue;
		}
		if (done)
			nap(100);
		else if (until_ns - d->net->now_ns > SPIN_US * 1000u)
			nap((until_ns - d->net->now_ns) / 1000u - SPIN_US);
		look(d);
	}
}

int drill_inject(struct drill *d, const uint8_t *packet, uint32_t len)
{
	int r;

	(void)d;
	pthread_mutex_unlock(&big);
	r = ifc.netdev_send(ifc.userdata, packet, len);
	pthread_mutex_lock(&big);
	return r;
}

/* ---- drill_shell.c's part ---- */

void drill_command(struct drill *d, const char *text, uint32_t line)
{
	(void)line;
	if ((text != d->sc.init && text != d->sc.conf.init_scripts && text != d->sc.cleanup))
		cannot("a command in the middle of the script does not reach the plug-in");
}

void drill_defaults(struct drill *d) { (void)d; }

/* ---- tasks ---- */

struct bin_task {
	struct task t;
	task_main main;
	pthread_t thread;
	pid_t tid;
	bool threaded, ended, started;
	atomic_uint calls; /* odd: inside of one */
};

struct task *task_new_external(struct net *net, const char *comm, const struct wait_ops *ops)
{
	struct bin_task *b = calloc(1, sizeof(*b));

	(void)comm, (void)ops;
	b->t.net = net;
	return &b->t;
}

static struct bin_task *pending;

struct task *task_spawn(struct net *net, const char *comm, task_main main, int argc, char *const *argv, struct task *parent)
{
	struct bin_task *b = (struct bin_task *)(void *)task_new_external(net, comm, NULL);

	(void)argc, (void)argv, (void)parent;
	b->main = main;
	pending = b;
	return &b->t;
}

struct files_struct *task_files(struct task *t) { return t->files; }

static _Thread_local struct bin_task *on_thread;
static atomic_int returning; /* threads whose call is over, and who have not written down what it gave */

static void *thread_main(void *arg)
{
	struct bin_task *b = arg;

	on_thread = b;
	pthread_mutex_lock(&big);
	b->tid = (pid_t)syscall(SYS_gettid);
	b->started = true;
	b->main(&b->t, 0, NULL);
	b->ended = true;
	pthread_mutex_unlock(&big);
	return NULL;
}

/* 'S': it sleeps in its call. */
static char thread_state(pid_t tid)
{
	char path[64], line[256] = "", *p;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
	f = fopen(path, "r");
	if (!f)
		return 'X';
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	p = strrchr(line, ')');
	return p && p[1] ? p[2] : 'X';
}

bool task_run_one(struct net *net)
{
	struct bin_task *b = pending;

	(void)net;
	if (!b)
		return false;
	pending = NULL;
	if (!blocking) {
		b->main(&b->t, 0, NULL);
		b->ended = true;
		return true;
	}
	b->threaded = true;
	if (pthread_create(&b->thread, NULL, thread_main, b))
		abort();
	for (;;) {
		unsigned calls;
		bool over;

		pthread_mutex_unlock(&big);
		usleep(50);
		pthread_mutex_lock(&big);
		calls = b->calls;
		over = b->ended || (b->started && calls & 1 && thread_state(b->tid) == 'S' && b->calls == calls);
		if (over)
			return true;
	}
}

void task_free(struct task *t)
{
	struct bin_task *b = (struct bin_task *)(void *)t;

	if (b->threaded && b->ended) {
		pthread_mutex_unlock(&big);
		pthread_join(b->thread, NULL);
		pthread_mutex_lock(&big);
		free(b);
	} else if (!b->threaded) {
		free(b);
	}
}

/* drill_run.c's calls come here first. */
void __real_drill_call_start(struct drill *d, const struct devent *ev, uint64_t due_ns);
void __wrap_drill_call_start(struct drill *d, const struct devent *ev, uint64_t due_ns);
void __wrap_drill_call_start(struct drill *d, const struct devent *ev, uint64_t due_ns)
{
	while (returning) { /* the binary waits for its thread to be idle */
		pthread_mutex_unlock(&big);
		usleep(20);
		pthread_mutex_lock(&big);
	}
	blocking = due_ns != TIME_NEVER;
	__real_drill_call_start(d, ev, due_ns);
}

/* ---- system calls ---- */

#define CALL(t, expr) \
	int64_t r_; \
	uint64_t at_; \
	pthread_mutex_unlock(&big); \
	if (on_thread) \
		on_thread->calls++; \
	r_ = (expr); \
	r_ = r_ < 0 ? -errno : r_; \
	if (on_thread) { \
		on_thread->calls++; \
		returning++; \
	} \
	at_ = clock_ns(); \
	pthread_mutex_lock(&big); \
	(t)->net->now_ns = at_; \
	returning -= on_thread != NULL; \
	return (__typeof__(expr))r_

static int kept(int fd)
{
	if (fd >= 0 && fd < MAX_FDS)
		open_fd[fd] = true;
	return fd;
}

#define U ifc.userdata
int sys_socket(struct task *t, int family, int type, int protocol) { CALL(t, kept(ifc.socket(U, family, type, protocol))); }
int sys_listen(struct task *t, int fd, int backlog) { CALL(t, ifc.listen(U, fd, backlog)); }
int sys_connect(struct task *t, int fd, const struct sockaddr *a, socklen_t len) { CALL(t, ifc.connect(U, fd, a, len)); }
ssize_t sys_recvfrom(struct task *t, int fd, void *b, size_t n, int f, struct sockaddr *a, socklen_t *l) { CALL(t, ifc.recvfrom(U, fd, b, n, f, a, l)); }
ssize_t sys_sendmsg(struct task *t, int fd, const struct msghdr *m, int flags) { CALL(t, ifc.sendmsg(U, fd, m, flags)); }
ssize_t sys_recvmsg(struct task *t, int fd, struct msghdr *m, int flags) { CALL(t, ifc.recvmsg(U, fd, m, flags)); }
int sys_shutdown(struct task *t, int fd, int how) { CALL(t, ifc.shutdown(U, fd, how)); }
int sys_setsockopt(struct task *t, int fd, int level, int name, const void *v, socklen_t n) { CALL(t, ifc.setsockopt(U, fd, level, name, v, n)); }
int sys_getsockopt(struct task *t, int fd, int level, int name, void *v, socklen_t *n) { CALL(t, ifc.getsockopt(U, fd, level, name, v, n)); }
ssize_t sys_read(struct task *t, int fd, void *b, size_t n) { CALL(t, ifc.read(U, fd, b, n)); }
ssize_t sys_write(struct task *t, int fd, const void *b, size_t n) { CALL(t, ifc.write(U, fd, b, n)); }
ssize_t sys_readv(struct task *t, int fd, const struct iovec *v, int n) { CALL(t, ifc.readv(U, fd, v, n)); }
ssize_t sys_writev(struct task *t, int fd, const struct iovec *v, int n) { CALL(t, ifc.writev(U, fd, v, n)); }
int sys_fcntl(struct task *t, int fd, int cmd, long arg) { CALL(t, ifc.fcntl(U, fd, cmd, arg)); }
int sys_ioctl(struct task *t, int fd, unsigned long cmd, void *arg) { CALL(t, ifc.ioctl(U, fd, cmd, arg)); }
int sys_poll(struct task *t, struct pollfd *p, unsigned n, int ms) { CALL(t, ifc.poll(U, p, n, ms)); }
int sys_epoll_ctl(struct task *t, int ep, int op, int fd, struct epoll_event *ev) { CALL(t, ifc.epoll_ctl(U, ep, op, fd, ev)); }
int sys_epoll_wait(struct task *t, int ep, struct epoll_event *ev, int max, int ms) { CALL(t, ifc.epoll_wait(U, ep, ev, max, ms)); }

ssize_t sys_sendto(struct task *t, int fd, const void *b, size_t n, int f, const struct sockaddr *a, socklen_t l)
{
	if (!a) {
		CALL(t, ifc.send(U, fd, b, n, f));
	}
	CALL(t, ifc.sendto(U, fd, b, n, f, a, l));
}

int sys_bind(struct task *t, int fd, const struct sockaddr *a, socklen_t len)
{
	if (fd >= 0 && fd < MAX_FDS && a && len >= 4)
		memcpy(&bound[fd], (const char *)a + 2, 2);
	CALL(t, ifc.bind(U, fd, a, len));
}

int sys_accept4(struct task *t, int fd, struct sockaddr *a, socklen_t *len, int flags)
{
	if (flags)
		cannot("accept4");
	CALL(t, kept(ifc.accept(U, fd, a, len)));
}

int sys_close(struct task *t, int fd)
{
	if (fd >= 0 && fd < MAX_FDS)
		open_fd[fd] = false;
	CALL(t, ifc.close(U, fd));
}

int sys_epoll_create1(struct task *t, int flags)
{
	if (flags)
		cannot("epoll_create1");
	CALL(t, kept(ifc.epoll_create(U, 1)));
}

int sys_pipe2(struct task *t, int fd[2], int flags)
{
	if (flags)
		cannot("pipe2");
	CALL(t, ifc.pipe(U, fd));
}

ssize_t sys_splice(struct task *t, int in, int64_t *oi, int out, int64_t *oo, size_t n, unsigned flags)
{
	loff_t a = oi ? *oi : 0, b = oo ? *oo : 0;

	CALL(t, ifc.splice(U, in, oi ? &a : NULL, out, oo ? &b : NULL, n, flags));
}

/* What the table has not. The port that a socket was bound to is remembered, as the binary does. */
int sys_getsockname(struct task *t, int fd, struct sockaddr *a, socklen_t *len)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = fd >= 0 && fd < MAX_FDS ? bound[fd] : 0 };

	if (t != world->proc)
		cannot("getsockname");
	memcpy(a, &sin, sizeof(sin));
	*len = sizeof(sin);
	return 0;
}

static int64_t none(const char *name)
{
	cannot(name);
	return -ENOSYS;
}
int sys_getpeername(struct task *t, int fd, struct sockaddr *a, socklen_t *len) { (void)t, (void)fd, (void)a, (void)len; return (int)none("getpeername"); }
int sys_dup(struct task *t, int fd) { (void)t, (void)fd; return (int)none("dup"); }
int sys_open(struct task *t, const char *p, int f) { (void)t, (void)p, (void)f; return (int)none("open"); }
int vfs_put_file(struct net *net, const char *path, const void *data, size_t len) { (void)net, (void)path, (void)data, (void)len; return 0; }
int sys_nanosleep(struct task *t, uint64_t ns) { (void)t, (void)ns; return (int)none("usleep"); }
ssize_t sys_sendfile(struct task *t, int o, int i, int64_t *at, size_t n) { (void)t, (void)o, (void)i, (void)at, (void)n; return none("sendfile"); }

/* ---- scripts ---- */

/* Scripts in which a packet comes at the very moment of one of the host's timers. `culver drill` puts the packet first; the
 * binary's clock has moved by some microseconds by then, and the timer is first. */
static const char *const on_an_instant[] = { "ecn/ece-one-window.pkt", "fast-retransmit/reordering-grows.pkt", "slow-start/ack-of-unsent-while-waiting.pkt" };

static bool stands_on_an_instant(const char *path)
{
	for (size_t i = 0; i < sizeof(on_an_instant) / sizeof(*on_an_instant); i++) {
		size_t n = strlen(path), m = strlen(on_an_instant[i]);

		if (n > m && !strcmp(path + n - m, on_an_instant[i]))
			return true;
	}
	return false;
}

static unsigned count[3];

static int play(const char *path)
{
	static const struct drill_flags flags = { .seed = 1 };
	char dir[1000], *text = calloc(1, 1 << 20), *slash;
	FILE *f = fopen(path, "r");
	struct strbuf out;
	enum drill_result r;
	size_t n;

	if (!f)
		return FAILED;
	if (stands_on_an_instant(path))
		cannot("a packet and a timer at one instant");
	n = fread(text, 1, (1 << 20) - 1, f);
	fclose(f);
	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	snprintf(slash ? slash : dir, slash ? 1 : sizeof(dir), "%s", slash ? "" : ".");
	sb_init(&out);
	r = drill_run(path, dir, text, n, &flags, &out);
	free(text);
	if (unfit)
		printf("%s: skipped: %s\n", path, unfit_why);
	else if (r == DRILL_FAIL || r == DRILL_BAD)
		fwrite(out.buf, 1, out.len, stdout);
	sb_free(&out);
	return unfit || r == DRILL_SKIP ? SKIPPED : r == DRILL_PASS ? PASSED : FAILED;
}

/* Each in a process of its own, as the binary is. */
static void one(const char *path)
{
	pid_t pid;
	int status = 0;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(60);
		exit(play(path));
	}
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status))
		printf("%s: ended by signal %d\n", path, WTERMSIG(status));
	count[WIFEXITED(status) && WEXITSTATUS(status) <= SKIPPED ? WEXITSTATUS(status) : FAILED]++;
}

static int is_pkt(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return e->d_name[0] != '.' && (e->d_type == DT_DIR || (n > 4 && !strcmp(e->d_name + n - 4, ".pkt")));
}

static void walk(const char *path)
{
	struct dirent **e;
	int n = scandir(path, &e, is_pkt, alphasort);
	char sub[1000];

	if (n < 0) {
		one(path);
		return;
	}
	for (int i = 0; i < n; i++) {
		snprintf(sub, sizeof(sub), "%s/%s", path, e[i]->d_name);
		walk(sub);
		free(e[i]);
	}
	free(e);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	library = argv[1];
	for (int i = 2; i < argc; i++)
		walk(argv[i]);
	printf("%u passed, %u failed, %u skipped\n", count[PASSED], count[FAILED], count[SKIPPED]);
	return count[FAILED] != 0 || !count[PASSED];
}

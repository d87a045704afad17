/* The child's half of os_ns.h: new namespaces, interfaces, addresses, resolv.conf; reports; waits for the word; execs. Everything
 * here runs in the forked child, so a failure ends only it, with one line to the parent. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "os/os_live.h"
#include "os/os_ns_int.h"
#include "os/os_term.h"

struct child {
	const struct os_ns_params *p;
	int ctl, fd[OS_NS_MAX_IFACES];
	uid_t uid;
	gid_t gid;
	bool tun;
};

static void __attribute__((noreturn, format(printf, 2, 3))) fail(struct child *c, const char *fmt, ...)
{
	struct ns_report rep = { .failed = true };
	va_list ap;
	ssize_t n;

	va_start(ap, fmt);
	vsnprintf(rep.text, sizeof(rep.text), fmt, ap);
	va_end(ap);
	n = send(c->ctl, &rep, sizeof(rep), MSG_NOSIGNAL);
	(void)n;
	_exit(3);
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* Not root: be root of a user namespace, where networks may be made. */
static void enter_user_ns(struct child *c)
{
	char line[64];
	int err;

	if (unshare(CLONE_NEWUSER))
		fail(c, "user namespaces are closed to this user (%s): run as root, or set kernel.unprivileged_userns_clone=1", os_strerror(errno));
	err = write_file("/proc/self/setgroups", "deny");
	if (err && err != -ENOENT)
		fail(c, "/proc/self/setgroups: %s", os_strerror(-err));
	snprintf(line, sizeof(line), "0 %u 1", (unsigned)c->uid);
	err = write_file("/proc/self/uid_map", line);
	snprintf(line, sizeof(line), "0 %u 1", (unsigned)c->gid);
	if (!err)
		err = write_file("/proc/self/gid_map", line);
	if (err)
		fail(c, "mapping the user into its namespace: %s", os_strerror(-err));
}

/* TAPs where /dev/net/tun is open to us. False: it is not. */
static bool open_taps(struct child *c)
{
	for (uint32_t i = 0; i < c->p->n_ifaces; i++) {
		const struct os_ns_iface *f = &c->p->iface[i];
		int fd = c->p->no_tun ? -EACCES : os_tap_open(f->name, f->mac, f->mtu);
		if (fd < 0 && !i && (fd == -EACCES || fd == -EPERM || fd == -ENOENT || fd == -ENODEV || fd == -ENXIO))
			return false;
		if (fd < 0)
			fail(c, "TAP %s: %s", f->name, os_strerror(-fd));
		c->fd[i] = fd;
	}
	return true;
}

/* veth pairs whose far ends lie in a second namespace, each behind a packet socket. */
static void open_veths(struct child *c)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), err;

	if (here < 0 || unshare(CLONE_NEWNET))
		fail(c, "a second network namespace: %s", os_strerror(errno));
	for (uint32_t i = 0; i < c->p->n_ifaces; i++) {
		const struct os_ns_iface *f = &c->p->iface[i];
		char peer[16];
		snprintf(peer, sizeof(peer), "far%u", i);
		err = ns_veth_add(f->name, f->mac, here, peer, f->mtu);
		if (!err)
			err = os_if_up(peer);
		if (!err)
			err = c->fd[i] = ns_packet_socket(peer);
		if (err < 0)
			fail(c, "/dev/net/tun is closed to this user and a veth pair is not to be had (%s): open /dev/net/tun, or run as root", os_strerror(-err));
	}
	if (setns(here, CLONE_NEWNET))
		fail(c, "back to the program's namespace: %s", os_strerror(errno));
	close(here);
}

static void configure(struct child *c)
{
	const struct os_ns_params *p = c->p;
	int err = os_if_up("lo");

	write_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
	write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	write_file("/proc/sys/net/ipv4/ping_group_range", "0 0");
	c->tun = open_taps(c);
	if (!c->tun)
		open_veths(c);
	for (uint32_t i = 0; i < p->n_ifaces && !err; i++) {
		if (!c->tun)
			ns_offloads_off(p->iface[i].name);
		err = os_if_up(p->iface[i].name);
	}
	for (uint32_t i = 0; i < p->n_addrs && !err; i++)
		err = ns_addr_add(p->iface[p->addr[i].iface].name, &p->addr[i]);
	if (err)
		fail(c, "configuring the program's interfaces: %s", os_strerror(-err));
	for (uint32_t i = 0; i < p->n_routes && !err; i++) {
		err = ns_route_add(p->iface[p->route[i].iface].name, &p->route[i]);
		if (err == -EEXIST)
			err = 0;
	}
	if (err)
		fail(c, "the program's routes: %s", os_strerror(-err));
}

/* The lab's name server over /etc/resolv.conf, in our mount namespace only. */
static void mount_resolv_conf(struct child *c)
{
	char path[] = "/tmp/culver-resolv.XXXXXX";
	mode_t old = umask(022);
	int fd;

	if (!c->p->resolv_conf)
		return;
	fd = mkstemp(path);
	umask(old);
	if (fd < 0)
		fail(c, "%s: %s", path, os_strerror(errno));
	if (fchmod(fd, 0644) || write(fd, c->p->resolv_conf, strlen(c->p->resolv_conf)) < 0)
		fail(c, "%s: %s", path, os_strerror(errno));
	close(fd);
	if (access("/etc/resolv.conf", F_OK) || mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL)) {
		int err = errno;
		unlink(path);
		fail(c, "/etc/resolv.conf cannot be covered by the lab's: %s", os_strerror(err));
	}
	unlink(path);
}

static void report(struct child *c)
{
	union { char b[CMSG_SPACE(sizeof(int) * OS_NS_MAX_IFACES)]; struct cmsghdr align; } ctl;
	struct ns_report rep = { .tun = c->tun };
	struct iovec iov = { &rep, sizeof(rep) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	size_t len = sizeof(int) * c->p->n_ifaces;

	if (len) {
		struct cmsghdr *h;
		memset(&ctl, 0, sizeof(ctl));
		m.msg_control = ctl.b;
		m.msg_controllen = CMSG_SPACE(len);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(len);
		memcpy(CMSG_DATA(h), c->fd, len);
	}
	if (sendmsg(c->ctl, &m, MSG_NOSIGNAL) < 0)
		_exit(3);
	for (uint32_t i = 0; i < c->p->n_ifaces; i++)
		close(c->fd[i]);
}

void ns_child_main(const struct os_ns_params *p, int ctl)
{
	struct child c = { .p = p, .ctl = ctl, .uid = geteuid(), .gid = getegid() };
	pid_t parent = getppid();
	sigset_t none;
	char go;
	int err;

	if (c.uid)
		enter_user_ns(&c);
	if (unshare(CLONE_NEWNET | CLONE_NEWNS))
		fail(&c, "namespaces: %s: needs root or user namespaces", os_strerror(errno));
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		fail(&c, "a private mount tree: %s", os_strerror(errno));
	configure(&c);
	mount_resolv_conf(&c);
	report(&c);
	if (recv(ctl, &go, 1, 0) != 1)
		_exit(3);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* its network dies with us; who waits there would wait for ever */
	if (getppid() != parent)
		_exit(3);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	execvp(p->argv[0], p->argv);
	err = errno;
	fprintf(stderr, "culver run: %s: %s\n", p->argv[0], os_strerror(err));
	_exit(err == ENOENT ? 127 : 126);
}

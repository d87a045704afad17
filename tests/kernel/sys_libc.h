/* culver's system calls (socket/syscall.h) as this machine's kernel does them: the other way to compile syscheck.
 * Every call returns a value or -errno. */
#ifndef KERNEL_SYS_LIBC_H
#define KERNEL_SYS_LIBC_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct task {
	int unused;
};
#define SYS_RET(type, call)                            \
	do {                                           \
		type r_ = (type)(call);                \
		return r_ < 0 ? (type)-errno : r_;     \
	} while (0)

static inline int sys_socket(struct task *t, int f, int ty, int p) { SYS_RET(int, socket(f, ty, p)); }
static inline int sys_bind(struct task *t, int fd, const struct sockaddr *a, socklen_t l) { SYS_RET(int, bind(fd, a, l)); }
static inline int sys_listen(struct task *t, int fd, int n) { SYS_RET(int, listen(fd, n)); }
static inline int sys_accept4(struct task *t, int fd, struct sockaddr *a, socklen_t *l, int f) { SYS_RET(int, accept4(fd, a, l, f)); }
static inline int sys_connect(struct task *t, int fd, const struct sockaddr *a, socklen_t l) { SYS_RET(int, connect(fd, a, l)); }
static inline int sys_getsockname(struct task *t, int fd, struct sockaddr *a, socklen_t *l) { SYS_RET(int, getsockname(fd, a, l)); }
static inline int sys_getpeername(struct task *t, int fd, struct sockaddr *a, socklen_t *l) { SYS_RET(int, getpeername(fd, a, l)); }
static inline ssize_t sys_sendto(struct task *t, int fd, const void *b, size_t n, int f, const struct sockaddr *a, socklen_t l)
{
	SYS_RET(ssize_t, sendto(fd, b, n, f, a, l));
}
static inline ssize_t sys_recvfrom(struct task *t, int fd, void *b, size_t n, int f, struct sockaddr *a, socklen_t *l)
{
	SYS_RET(ssize_t, recvfrom(fd, b, n, f, a, l));
}
static inline ssize_t sys_sendmsg(struct task *t, int fd, const struct msghdr *m, int f) { SYS_RET(ssize_t, sendmsg(fd, m, f)); }
static inline ssize_t sys_recvmsg(struct task *t, int fd, struct msghdr *m, int f) { SYS_RET(ssize_t, recvmsg(fd, m, f)); }
static inline int sys_shutdown(struct task *t, int fd, int how) { SYS_RET(int, shutdown(fd, how)); }
static inline int sys_setsockopt(struct task *t, int fd, int lv, int n, const void *v, socklen_t l) { SYS_RET(int, setsockopt(fd, lv, n, v, l)); }
static inline int sys_getsockopt(struct task *t, int fd, int lv, int n, void *v, socklen_t *l) { SYS_RET(int, getsockopt(fd, lv, n, v, l)); }
static inline ssize_t sys_read(struct task *t, int fd, void *b, size_t n) { SYS_RET(ssize_t, read(fd, b, n)); }
static inline ssize_t sys_write(struct task *t, int fd, const void *b, size_t n) { SYS_RET(ssize_t, write(fd, b, n)); }
static inline int sys_open(struct task *t, const char *path, int flags) { SYS_RET(int, open(path, flags)); }
/* Which signals wait, and take them away. The first call blocks them, so one comes before anything that may send any. */
static inline uint64_t sc_signals(struct task *t)
{
	struct timespec none = { 0, 0 };
	uint64_t mask = 0;
	sigset_t all;
	int sig;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	while ((sig = sigtimedwait(&all, NULL, &none)) > 0)
		mask |= 1ull << (sig & 63);
	return mask;
}
static inline long sc_self(struct task *t) { return getpid(); }
static inline int sys_close(struct task *t, int fd) { SYS_RET(int, close(fd)); }
static inline int sys_fcntl(struct task *t, int fd, int cmd, long arg) { SYS_RET(int, fcntl(fd, cmd, arg)); }
static inline int sys_ioctl(struct task *t, int fd, unsigned long cmd, void *arg) { SYS_RET(int, ioctl(fd, cmd, arg)); }
static inline int sys_poll(struct task *t, struct pollfd *p, unsigned n, int ms) { SYS_RET(int, poll(p, n, ms)); }
static inline int sys_nanosleep(struct task *t, uint64_t ns)
{
	struct timespec ts = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	SYS_RET(int, nanosleep(&ts, NULL));
}
static inline void task_printf(struct task *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	fflush(stdout);
}

#endif

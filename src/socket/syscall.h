/* The system-call table: all that a program may use of a host. Every call takes the calling task, is
 * counted and traced (enter, then a line as strace prints it), and returns a value or -errno. Blocking
 * calls sleep the task. Structures and constants are Linux's. */
#ifndef SOCKET_SYSCALL_H
#define SOCKET_SYSCALL_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include "core/task.h"

int sys_socket(struct task *t, int family, int type, int protocol);
int sys_bind(struct task *t, int fd, const struct sockaddr *a, socklen_t len);
int sys_listen(struct task *t, int fd, int backlog);
int sys_accept4(struct task *t, int fd, struct sockaddr *a, socklen_t *len, int flags);
int sys_connect(struct task *t, int fd, const struct sockaddr *a, socklen_t len);
int sys_getsockname(struct task *t, int fd, struct sockaddr *a, socklen_t *len);
int sys_getpeername(struct task *t, int fd, struct sockaddr *a, socklen_t *len);
ssize_t sys_sendto(struct task *t, int fd, const void *buf, size_t len, int flags, const struct sockaddr *a, socklen_t alen);
ssize_t sys_recvfrom(struct task *t, int fd, void *buf, size_t len, int flags, struct sockaddr *a, socklen_t *alen);
ssize_t sys_sendmsg(struct task *t, int fd, const struct msghdr *m, int flags);
ssize_t sys_recvmsg(struct task *t, int fd, struct msghdr *m, int flags);
/* Up to n (at most 1024) messages; each msg_len says how many octets went or came. Messages done; the error of the first
 * if there is none. MSG_WAITFORONE: only the first may wait. timeout_ns (TIME_NEVER: none) is looked at after each
 * message, as in Linux: it does not end a wait. */
int sys_sendmmsg(struct task *t, int fd, struct mmsghdr *vec, unsigned n, int flags);
int sys_recvmmsg(struct task *t, int fd, struct mmsghdr *vec, unsigned n, int flags, uint64_t timeout_ns);
int sys_shutdown(struct task *t, int fd, int how);
int sys_setsockopt(struct task *t, int fd, int level, int name, const void *val, socklen_t len);
int sys_getsockopt(struct task *t, int fd, int level, int name, void *val, socklen_t *len);
/* read/write work on sockets, /proc and /sys files, pipes, and the task's 0, 1, 2. */
ssize_t sys_read(struct task *t, int fd, void *buf, size_t len);
ssize_t sys_write(struct task *t, int fd, const void *buf, size_t len);
ssize_t sys_readv(struct task *t, int fd, const struct iovec *iov, int n);
ssize_t sys_writev(struct task *t, int fd, const struct iovec *iov, int n);
ssize_t sys_preadv(struct task *t, int fd, const struct iovec *iov, int n, uint64_t off);
ssize_t sys_pwrite(struct task *t, int fd, const void *buf, size_t len, uint64_t off);
ssize_t sys_pwritev(struct task *t, int fd, const struct iovec *iov, int n, uint64_t off);
/* Move octets through a pipe without the program seeing them: one of the two is a pipe's end. off: where in a file that has
 * positions, moved on by the call; NULL: the descriptor's own position. flags: SPLICE_F_MOVE, _NONBLOCK, _MORE, _GIFT. */
ssize_t sys_splice(struct task *t, int fd_in, int64_t *off_in, int fd_out, int64_t *off_out, size_t len, unsigned flags);
/* From a file that has positions to anything that can be written to. */
ssize_t sys_sendfile(struct task *t, int fd_out, int fd_in, int64_t *off, size_t count);
/* open: "/proc/..." and "/etc/{hosts,resolv.conf}" and mounted folders (see vfs.h). */
int sys_open(struct task *t, const char *path, int flags);
int sys_close(struct task *t, int fd);
int sys_dup(struct task *t, int fd);
/* As dup3 without flags, but the same number twice is no error. */
int sys_dup2(struct task *t, int oldfd, int newfd);
/* newfd gets oldfd's file; what it had is closed. flags: O_CLOEXEC or 0. -EINVAL if they are the same. */
int sys_dup3(struct task *t, int oldfd, int newfd, int flags);
int sys_fcntl(struct task *t, int fd, int cmd, long arg);
int sys_ioctl(struct task *t, int fd, unsigned long cmd, void *arg);
int sys_poll(struct task *t, struct pollfd *fds, unsigned n, int timeout_ms);
/* The masks of signals that ppoll, pselect and epoll_pwait2 exchange do not exist here: a signal to a task is a bit in
 * pending_signals, never a handler that runs. timeout_ns: TIME_NEVER: none. */
int sys_ppoll(struct task *t, struct pollfd *fds, unsigned n, uint64_t timeout_ns);
/* Sets as bitmaps of at least nfds bits, each may be NULL. *timeout_ns (NULL: for ever) becomes what is left of it. */
int sys_select(struct task *t, int nfds, fd_set *in, fd_set *out, fd_set *ex, uint64_t *timeout_ns);
int sys_epoll_create1(struct task *t, int flags);
int sys_epoll_ctl(struct task *t, int epfd, int op, int fd, struct epoll_event *ev);
int sys_epoll_wait(struct task *t, int epfd, struct epoll_event *evs, int max, int timeout_ms);
int sys_epoll_pwait2(struct task *t, int epfd, struct epoll_event *evs, int max, uint64_t timeout_ns);
/* A counter of 64 bits that is read and added to as a file. flags: O_CLOEXEC, O_NONBLOCK, and eventfd(2)'s EFD_SEMAPHORE
 * by this name. */
#define EVENTFD_SEMAPHORE 1
int sys_eventfd2(struct task *t, unsigned count, int flags);
int sys_pipe2(struct task *t, int fd[2], int flags);
int sys_nanosleep(struct task *t, uint64_t ns);
uint64_t sys_clock_ns(struct task *t); /* monotonic since the lab's epoch */
ssize_t sys_getrandom(struct task *t, void *buf, size_t len);
/* Start another program on this host as a child; its descriptors are its own (none inherited). */
struct task *sys_spawn(struct task *t, const char *comm, task_main main, int argc, char *const *argv);
int sys_wait(struct task *t, struct task *child, int *code);

/* What /proc/syscalls counts: net->socks->syscalls[] is indexed with these. */
enum sys_nr {
	NR_SOCKET, NR_BIND, NR_LISTEN, NR_ACCEPT4, NR_CONNECT, NR_GETSOCKNAME, NR_GETPEERNAME, NR_SENDTO,
	NR_RECVFROM, NR_SENDMSG, NR_RECVMSG, NR_SHUTDOWN, NR_SETSOCKOPT, NR_GETSOCKOPT, NR_READ, NR_WRITE,
	NR_READV, NR_WRITEV, NR_OPEN, NR_CLOSE, NR_DUP, NR_FCNTL, NR_IOCTL, NR_POLL, NR_EPOLL_CREATE1,
	NR_EPOLL_CTL, NR_EPOLL_WAIT, NR_PIPE2, NR_NANOSLEEP, NR_CLOCK_GETTIME, NR_GETRANDOM, NR_CLONE,
	NR_WAIT4, NR_STAT, NR_RENAME, NR_UNLINK, NR_PREAD64, NR_GETDENTS64, NR_DUP3, NR_SENDMMSG,
	NR_RECVMMSG, NR_SPLICE, NR_SENDFILE, NR_SELECT, NR_PPOLL, NR_EPOLL_PWAIT2, NR_EVENTFD2,
	NR_PREADV, NR_PWRITE64, NR_PWRITEV, NR_SYSCALLS
};
/* "sendto"; NULL past the end. */
const char *syscall_name(unsigned nr);

/* Largest descriptor number + 1 a task may have. */
#define TASK_MAX_FILES 1048576
extern const struct pernet_operations socket_net_ops; /* AF_PACKET, AF_NETLINK families, file tables */

#endif

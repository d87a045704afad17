/* Descriptors and what is behind them. For the files of socket/ only; programs use syscall.h.
 *
 *     task->files: [0][1][2][3]...           a table of slots: starts at 16, doubles, lowest free number first
 *                          \
 *                           struct file      counted: one reference per slot, one per call that is inside
 *                           | ops, priv      a socket, a pipe's end, a /proc file, a mounted file, an epoll set
 *
 * Closing the last slot while a call is still inside wakes that call (ops->abort) and leaves the release to
 * it, so that a number that is handed out again never shows another connection's data (SY-03). */
#ifndef SOCKET_FILE_H
#define SOCKET_FILE_H

#include "core/sock.h"
#include "core/task.h"
#include "core/uio.h"

struct file;
struct epoll_event;
struct file_ops {
	const char *kind;
	/* Octets moved, 0 at the end, or -errno. May sleep unless f->flags has O_NONBLOCK. */
	ssize_t (*read)(struct file *f, struct iov_iter *to);
	ssize_t (*write)(struct file *f, struct iov_iter *from);
	ssize_t (*pread)(struct file *f, void *buf, size_t len, uint64_t off);
	ssize_t (*pwrite)(struct file *f, const void *buf, size_t len, uint64_t off);
	/* POLL bits that hold now, and where changes are told. NULL: always readable and writable. */
	uint32_t (*poll)(struct file *f);
	struct wait_queue_head *(*wait_queue)(struct file *f);
	/* -ENOTTY: unknown. */
	int (*ioctl)(struct file *f, unsigned long cmd, void *arg);
	void (*set_flags)(struct file *f); /* f->flags changed */
	void (*abort)(struct file *f);     /* wake the calls that are inside */
	bool fasync;                       /* O_ASYNC has something to tell here */
	void (*release)(struct file *f);   /* give up priv and the file itself (file_free) */
};

/* Linux never moves more in one call (MAX_RW_COUNT). */
#define RW_MAX ((size_t)0x7ffff000)

struct file {
	const struct file_ops *ops;
	struct net *net;
	int32_t refcnt; /* slots and calls inside */
	int32_t slots;
	uint32_t flags; /* O_ACCMODE, O_NONBLOCK, O_APPEND, O_ASYNC */
	uint64_t pos;
	void *priv;
	struct list_head all; /* net->socks->all_files */
	struct list_head eps; /* epoll items that watch it */
	struct fown *own;     /* whom signals go to (fasync.c); NULL: nobody */
};

/* A socket and its file are one object. */
struct socket_file {
	struct file f;
	struct socket s;
};

#define FILES_FIRST_ROOM 16
struct files_struct {
	struct file **fd;
	uint64_t *open, *cloexec; /* bitmaps, room / 64 words, at least one */
	uint32_t room, next;      /* no slot below next is free */
};

/* socket/'s state of a host. */
struct vfs_net;
struct packet_net;
struct netlink_net;
struct socket_net {
	struct pool file_pool, socket_pool, epitem_pool;
	struct rng rng; /* getrandom without an owner's source */
	struct vfs_net *vfs;
	struct packet_net *packet;
	struct netlink_net *netlink;
};
static inline struct socket_net *socket_net(struct net *net)
{
	return net->socks->room;
}

/* ---- files (file.c) ---- */
struct file *file_new(struct net *net, const struct file_ops *ops, uint32_t flags, void *priv);
void file_init(struct file *f, struct net *net, const struct file_ops *ops, uint32_t flags, void *priv);
void file_unlink(struct file *f); /* off the list of all files and out of every epoll set */
void file_free(struct file *f);   /* file_unlink and back to file_pool: for release of plain files */
/* The task's table, made at first use with 0, 1, 2. */
struct files_struct *task_files(struct task *t);
void files_close_all(struct task *t);
/* The file behind fd with a reference for this call; NULL: -EBADF. */
struct file *fget(struct task *t, int fd);
void fput(struct file *f);
/* Lowest free number from "from" on, taken with nothing behind it yet: fd_install or fd_unreserve must follow.
 * -EMFILE. */
int fd_reserve(struct task *t, uint32_t from, bool cloexec);
void fd_install(struct task *t, int fd, struct file *f); /* takes over the caller's reference */
void fd_unreserve(struct task *t, int fd);
int fd_close(struct task *t, int fd);
bool fd_cloexec(struct task *t, int fd);
void fd_set_cloexec(struct task *t, int fd, bool on);
/* Readiness of any file; a file without poll is always ready. */
uint32_t file_poll(struct file *f);

/* ---- sockets (socket.c) ---- */
extern const struct file_ops socket_file_ops;
/* Does the socket itself find, when it copies, that a program's buffer is NULL? Streams do: what came before the hole counts. */
static inline bool sock_finds_faults(const struct socket *s) { return s && s->type == SOCK_STREAM; }
static inline struct socket *file_socket(struct file *f)
{
	return f->ops == &socket_file_ops ? &((struct socket_file *)(void *)f)->s : NULL;
}
/* The file of a socket that one of this room's calls made. */
static inline struct file *socket_to_file(struct socket *s)
{
	return &container_of(s, struct socket_file, s)->f;
}
/* A socket without protocol; release with fput. */
struct socket *sock_alloc_file(struct net *net, int type, uint32_t flags);
int sock_create(struct net *net, int family, int type, int protocol, uint32_t flags, struct socket **out);
ssize_t sock_sendmsg(struct socket *s, struct msghdr *m, size_t len);
ssize_t sock_recvmsg(struct socket *s, struct msghdr *m, size_t len, int flags);
/* Device ioctls (SIOCGIF..., SIOCSIF...) that every socket takes (netdevice(7)). */
int dev_ioctl(struct net *net, unsigned long cmd, void *arg);

/* ---- epoll.c, pipe.c, procfile.c, vfs.c ---- */
void eventpoll_pool_init(struct pool *p); /* items: net's epitem_pool */
struct file *eventpoll_new(struct net *net);
int eventpoll_ctl(struct file *ep, int op, int fd, struct file *f, const struct epoll_event *ev);
int eventpoll_wait(struct file *ep, struct epoll_event *evs, int max, uint64_t deadline_ns);
void eventpoll_forget(struct file *f); /* f goes away: out of all sets */
struct file *eventfd_new(struct net *net, uint64_t count, uint32_t flags, bool semaphore);
int pipe_create(struct net *net, uint32_t flags, struct file *ends[2]);
bool file_is_pipe(const struct file *f);
/* The same pipe behind both ends? */
bool pipe_same(const struct file *a, const struct file *b);
bool pipe_has_readers(const struct file *f);
bool pipe_has_writers(const struct file *f);
/* For splice: the octets that would be read next, in one piece (0: none now), and to say how many of them are used up. */
size_t pipe_peek(struct file *f, const void **data);
void pipe_consume(struct file *f, size_t n);
/* Room for up to "want" octets in one piece behind what is in the pipe (0: full), and to say how many were put there. */
size_t pipe_room(struct file *f, size_t want, void **at);
void pipe_produce(struct file *f, size_t n);
/* F_GETPIPE_SZ / F_SETPIPE_SZ; -EBADF when f is no pipe. */
int pipe_size(struct file *f);
int pipe_set_size(struct file *f, size_t size);
#define PROC_MOUNT "/proc/"
/* path below /proc/. 0 or -errno. */
int procfile_open(struct net *net, const char *path, uint32_t flags, struct file **out);
int vfs_open(struct net *net, const char *path, uint32_t flags, struct file **out);
int vfs_net_init(struct net *net);
void vfs_net_exit(struct net *net);
int af_packet_init(struct net *net);
void af_packet_exit(struct net *net);
int af_netlink_init(struct net *net);
void af_netlink_exit(struct net *net);

/* A deadline from poll's milliseconds: < 0 never, 0 now. */
static inline uint64_t poll_deadline(const struct net *net, int timeout_ms)
{
	return timeout_ms < 0 ? TIME_NEVER : net->now_ns + (unsigned)timeout_ms * NSEC_PER_MSEC;
}

/* sock_owners.c */
int sock_owners_init(struct net *net);

#endif

/* A system call and its result as strace prints them. Only built while somebody listens. */
#ifndef SOCKET_STRACE_H
#define SOCKET_STRACE_H

#include <sys/socket.h>
#include "core/task.h"

/* Room for one argument's text. */
struct st {
	char b[224];
};
#define ST (&(struct st){ { 0 } })

const char *st_addr(struct st *s, const void *addr, socklen_t len);
const char *st_buf(struct st *s, const void *buf, ssize_t len);
const char *st_iov(struct st *s, const struct iovec *iov, size_t n);
const char *st_msg_flags(struct st *s, int flags);
const char *st_open_flags(struct st *s, int flags);
const char *st_sock_type(struct st *s, int type);
const char *st_family(struct st *s, int family);
const char *st_sockopt(struct st *s, int level, int name);
const char *st_optval(struct st *s, const void *val, socklen_t len);
const char *st_poll_events(struct st *s, int events);
const char *st_errno_name(int err);
const char *st_errno_text(int err);

void strace_emit(struct task *t, const char *func, ssize_t ret, const char *fmt, ...) PRINTF_LIKE(4, 5);
#define SYS_LINE(t, func, ret, ...)                                          \
	do {                                                                 \
		if (unlikely((t)->net->probe.on))                            \
			strace_emit((t), (func), (ret), __VA_ARGS__);        \
	} while (0)

#endif

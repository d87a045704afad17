/* What the files with socket calls share. */
#ifndef SOCKET_SYS_SOCK_H
#define SOCKET_SYS_SOCK_H

#include "socket/file.h"

/* The socket behind fd with a reference on its file; NULL: *err. */
struct socket *sock_get(struct task *t, int fd, struct file **f, int *err);
/* One message with a program's header: checked, copied, sent or received. Octets or -errno. */
ssize_t sendmsg_on(struct socket *s, const struct msghdr *um, int flags);
ssize_t recvmsg_on(struct socket *s, struct msghdr *um, int flags);

#endif

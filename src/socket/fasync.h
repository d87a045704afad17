/* Signals about descriptors (fasync.c). */
#ifndef SOCKET_FASYNC_H
#define SOCKET_FASYNC_H

#include "socket/file.h"

/* F_SETOWN, F_GETOWN, F_SETOWN_EX, F_GETOWN_EX, F_SETSIG, F_GETSIG; -EINVAL: another command. */
int fasync_fcntl(struct file *f, int cmd, long arg);
/* who: a task, its group (negative), nobody (0). 0, -ESRCH, -EINVAL. */
int f_setown(struct file *f, int who);
/* The same, 0 once that task is gone. */
int f_getown(const struct file *f);
/* O_ASYNC on or off, as ioctl(FIOASYNC). 0; -ENOTTY: not a file of which there is anything to be told. */
int fasync_set(struct file *f, bool on);
/* At the file's end. */
void fown_free(struct file *f);

#endif

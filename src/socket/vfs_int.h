/* Paths, for the files of socket/ that open them. */
#ifndef SOCKET_VFS_INT_H
#define SOCKET_VFS_INT_H

#include "base/types.h"

/* Longest path, with its NUL. */
#define VFS_PATH_MAX 1024
/* Absolute, without "//", "." and ".." ("/.." is "/"); a relative path counts from "/". 0, -ENOENT (empty),
 * -ENAMETOOLONG. */
int vfs_normalise(const char *path, char out[VFS_PATH_MAX]);

#endif

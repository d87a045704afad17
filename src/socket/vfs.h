/* Files that a host's programs see besides /proc: its /etc, and folders that the lab gave it (web sites, zones).
 * Read-only content comes through the owner (lab/ reads real folders by os/); uploads go to memory. */
#ifndef SOCKET_VFS_H
#define SOCKET_VFS_H

#include <sys/types.h>
#include "core/net.h"

struct vfs_stat {
	uint64_t size;
	bool is_dir, readable;
	uint64_t mtime_s; /* told by the lab file, not by the real file */
	uint64_t ino;
};
/* A mounted tree. path is below the mount point, normalised, no leading slash ("" is the root). */
struct vfs_ops {
	int (*stat)(void *arg, const char *path, struct vfs_stat *st); /* 0, -ENOENT, -EACCES, -ELOOP */
	/* Up to len octets at off. Octets read, 0 at the end, or -errno. */
	ssize_t (*pread)(void *arg, const char *path, void *buf, size_t len, uint64_t off);
	/* Makes the file if there is none (and its folders); with len 0 that is all it does. NULL: -EROFS. */
	ssize_t (*pwrite)(void *arg, const char *path, const void *buf, size_t len, uint64_t off);
	int (*rename)(void *arg, const char *from, const char *to); /* may be NULL */
	int (*unlink)(void *arg, const char *path);
	int (*list)(void *arg, const char *path, void (*fn)(void *ctx, const char *name, bool is_dir), void *ctx);
	void (*release)(void *arg);
};
/* Mount at "/srv/www" etc. Longest prefix wins. Ownership of arg passes (release at host's end). */
int vfs_mount(struct net *net, const char *point, const struct vfs_ops *ops, void *arg);
/* A small file held in memory ("/etc/hosts"); replaces an older one. */
int vfs_put_file(struct net *net, const char *path, const void *data, size_t len);
/* A tree in memory, writable: uploads. */
extern const struct vfs_ops vfs_mem_ops;
void *vfs_mem_new(uint64_t max_bytes);

struct task;
int sys_stat(struct task *t, const char *path, struct vfs_stat *st);
int sys_rename(struct task *t, const char *from, const char *to);
int sys_unlink(struct task *t, const char *path);
/* Names in a directory (of a mounted tree or of /proc), in order. 0, -ENOENT, -ENOTDIR. */
int sys_listdir(struct task *t, const char *path, void (*fn)(void *ctx, const char *name, bool is_dir), void *ctx);
ssize_t sys_pread(struct task *t, int fd, void *buf, size_t len, uint64_t off);

#endif

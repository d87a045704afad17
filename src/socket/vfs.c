/* A host's files beside /proc: mounted trees, the longest mount point first, and a tree in memory at "/".
 *
 * Decides: which tree a path belongs to, that no path leaves it ("..", "//" and "." are gone before a tree sees
 * it), what open's flags mean. Called by: sys_file.c, the lab (mounts, /etc). Hands on: vfs_ops.
 * Tests: tests/unit/socket/test_vfs.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "core/procfs.h"
#include "socket/file.h"
#include "socket/sys_scope.h"
#include "socket/vfs.h"
#include "socket/vfs_int.h"

/* What a host may keep in its own tree. */
#define VFS_ROOT_MAX (64u << 20)
#define VFS_MAX_MOUNTS 64

struct vfs_mount {
	char *point; /* "" is the root, else "/a/b" */
	size_t len;
	const struct vfs_ops *ops;
	void *arg;
};

struct vfs_net {
	struct vfs_mount *m[VFS_MAX_MOUNTS]; /* longest point first */
	size_t n;
};

int vfs_normalise(const char *path, char out[VFS_PATH_MAX])
{
	size_t len = 0;

	if (!*path)
		return -ENOENT;
	while (*path) {
		size_t n;

		while (*path == '/')
			path++;
		n = strcspn(path, "/");
		if (n == 2 && !memcmp(path, "..", 2)) {
			while (len && out[--len] != '/')
				;
		} else if (n && !(n == 1 && *path == '.')) {
			if (len + 1 + n + 1 > VFS_PATH_MAX)
				return -ENAMETOOLONG;
			out[len++] = '/';
			memcpy(out + len, path, n);
			len += n;
		}
		path += n;
	}
	if (!len)
		out[len++] = '/';
	out[len] = '\0';
	return 0;
}

/* The tree that holds a normalised path, and the path in it. */
static const struct vfs_mount *vfs_find(struct net *net, const char *path, const char **rel)
{
	const struct vfs_net *v = socket_net(net)->vfs;
	size_t i;

	*rel = path;
	for (i = 0; i < v->n; i++) {
		const struct vfs_mount *m = v->m[i];

		if (strncmp(path, m->point, m->len) || (path[m->len] && path[m->len] != '/'))
			continue;
		*rel = path + m->len + (path[m->len] == '/');
		return m;
	}
	return NULL; /* not reached: the root matches every path */
}

int vfs_mount(struct net *net, const char *point, const struct vfs_ops *ops, void *arg)
{
	struct vfs_net *v = socket_net(net)->vfs;
	char norm[VFS_PATH_MAX];
	struct vfs_mount *m;
	size_t i;
	int err = vfs_normalise(point, norm);

	if (err)
		return err;
	if (!strcmp(norm, "/"))
		norm[0] = '\0';
	for (i = 0; i < v->n; i++)
		if (!strcmp(v->m[i]->point, norm))
			return -EEXIST;
	if (v->n == VFS_MAX_MOUNTS)
		return -ENOSPC;
	m = xcalloc(1, sizeof(*m));
	m->point = xstrdup(norm);
	m->len = strlen(norm);
	m->ops = ops;
	m->arg = arg;
	for (i = v->n++; i && v->m[i - 1]->len < m->len; i--)
		v->m[i] = v->m[i - 1];
	v->m[i] = m;
	return 0;
}

/* Is there a mount point below this path? */
static bool vfs_has_mount_below(struct net *net, const char *path)
{
	const struct vfs_net *v = socket_net(net)->vfs;
	size_t len = strcmp(path, "/") ? strlen(path) : 0, i;

	for (i = 0; i < v->n; i++)
		if (!strncmp(v->m[i]->point, path, len) && v->m[i]->point[len] == '/')
			return true;
	return false;
}

static int vfs_stat_path(struct net *net, const char *norm, struct vfs_stat *st)
{
	const char *rel;
	const struct vfs_mount *m = vfs_find(net, norm, &rel);
	int err = m->ops->stat(m->arg, rel, st);

	if (err == -ENOENT && vfs_has_mount_below(net, norm)) {
		memset(st, 0, sizeof(*st));
		st->is_dir = st->readable = true;
		return 0;
	}
	return err;
}

int vfs_put_file(struct net *net, const char *path, const void *data, size_t len)
{
	char norm[VFS_PATH_MAX];
	const struct vfs_mount *m;
	const char *rel;
	ssize_t n;
	int err = vfs_normalise(path, norm);

	if (err)
		return err;
	m = vfs_find(net, norm, &rel);
	if (!m->ops->pwrite)
		return -EROFS;
	if (m->ops->unlink)
		m->ops->unlink(m->arg, rel);
	n = m->ops->pwrite(m->arg, rel, data, len, 0);
	return n < 0 ? (int)n : 0;
}

/* ---- an open file ---- */

struct vfs_file {
	const struct vfs_mount *m;
	bool is_dir;
	char rel[];
};

#define VFS_BOUNCE 4096

static ssize_t vfs_file_read(struct file *f, struct iov_iter *to)
{
	const struct vfs_file *vf = f->priv;
	char bounce[VFS_BOUNCE];
	size_t done = 0;

	if (vf->is_dir)
		return -EISDIR;
	while (to->count) {
		size_t want = min_sz(to->count, sizeof(bounce));
		ssize_t n = vf->m->ops->pread(vf->m->arg, vf->rel, bounce, want, f->pos);

		if (n <= 0)
			return done ? (ssize_t)done : n;
		copy_to_iter(bounce, (size_t)n, to);
		f->pos += (size_t)n;
		done += (size_t)n;
		if ((size_t)n < want)
			break;
	}
	return (ssize_t)done;
}

static ssize_t vfs_file_pread(struct file *f, void *buf, size_t len, uint64_t off)
{
	const struct vfs_file *vf = f->priv;

	return vf->is_dir ? -EISDIR : vf->m->ops->pread(vf->m->arg, vf->rel, buf, len, off);
}

static ssize_t vfs_file_pwrite(struct file *f, const void *buf, size_t len, uint64_t off)
{
	const struct vfs_file *vf = f->priv;
	struct vfs_stat st;

	/* As Linux does it (pwrite(2), BUGS): a file open for appending is appended to. */
	if ((f->flags & O_APPEND) && !vf->m->ops->stat(vf->m->arg, vf->rel, &st))
		off = st.size;
	return vf->m->ops->pwrite(vf->m->arg, vf->rel, buf, len, off);
}

static ssize_t vfs_file_write(struct file *f, struct iov_iter *from)
{
	const struct vfs_file *vf = f->priv;
	char bounce[VFS_BOUNCE];
	struct vfs_stat st;
	size_t done = 0;

	if ((f->flags & O_APPEND) && !vf->m->ops->stat(vf->m->arg, vf->rel, &st))
		f->pos = st.size;
	while (from->count) {
		size_t want = copy_from_iter(bounce, sizeof(bounce), from);
		ssize_t n = vf->m->ops->pwrite(vf->m->arg, vf->rel, bounce, want, f->pos);

		if (n < 0)
			return done ? (ssize_t)done : n;
		f->pos += (size_t)n;
		done += (size_t)n;
		if ((size_t)n < want)
			break;
	}
	return (ssize_t)done;
}

static void vfs_file_release(struct file *f)
{
	free(f->priv);
	file_free(f);
}

static const struct file_ops vfs_file_ops = {
	.kind = "file",
	.read = vfs_file_read,
	.write = vfs_file_write,
	.pread = vfs_file_pread,
	.pwrite = vfs_file_pwrite,
	.release = vfs_file_release,
};

/* What O_CREAT, O_EXCL and O_TRUNC do before the file is there. st: of an existing one, else err says why not. */
static int vfs_prepare(const struct vfs_mount *m, const char *rel, uint32_t flags, int err,
		       const struct vfs_stat *st)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY;
	ssize_t n;

	if (err == -ENOENT && (flags & O_CREAT)) {
		n = m->ops->pwrite ? m->ops->pwrite(m->arg, rel, "", 0, 0) : -EROFS;
		return n < 0 ? (int)n : 0;
	}
	if (err)
		return err;
	if ((flags & O_CREAT) && (flags & O_EXCL))
		return -EEXIST;
	if (st->is_dir)
		return writes || (flags & O_CREAT) ? -EISDIR : 0;
	if (flags & O_DIRECTORY)
		return -ENOTDIR;
	if (!st->readable)
		return -EACCES;
	if (!writes)
		return 0;
	if (!m->ops->pwrite)
		return -EROFS;
	if ((flags & O_TRUNC) && st->size) {
		int gone = m->ops->unlink ? m->ops->unlink(m->arg, rel) : -EROFS;

		if (gone)
			return gone;
		n = m->ops->pwrite(m->arg, rel, "", 0, 0);
		return n < 0 ? (int)n : 0;
	}
	return 0;
}

int vfs_open(struct net *net, const char *path, uint32_t flags, struct file **out)
{
	const char *rel;
	const struct vfs_mount *m = vfs_find(net, path, &rel);
	struct vfs_stat st = { 0 };
	struct vfs_file *vf;
	int err = vfs_prepare(m, rel, flags, vfs_stat_path(net, path, &st), &st);

	if (err)
		return err;
	vf = xcalloc(1, sizeof(*vf) + strlen(rel) + 1);
	vf->m = m;
	vf->is_dir = st.is_dir;
	memcpy(vf->rel, rel, strlen(rel) + 1);
	*out = file_new(net, &vfs_file_ops, flags & (O_ACCMODE | O_APPEND | O_NONBLOCK), vf);
	return 0;
}

/* ---- calls by path ---- */

static bool path_is_proc(const char *norm)
{
	return !strcmp(norm, "/proc") || !strncmp(norm, PROC_MOUNT, strlen(PROC_MOUNT));
}

/* Names below a folder of /proc: the next part of every path that begins with it, once each. */
struct proc_names {
	const char *dir;
	size_t len;
	char last[VFS_PATH_MAX];
	void (*fn)(void *ctx, const char *name, bool is_dir);
	void *ctx;
	bool found;
};

static void proc_names_one(const char *path, void *arg)
{
	struct proc_names *p = arg;
	char name[VFS_PATH_MAX];
	const char *rest = path + p->len;
	size_t n;

	if (p->len && (strncmp(path, p->dir, p->len) || *rest++ != '/'))
		return;
	n = min_sz(strcspn(rest, "/"), sizeof(name) - 1);
	memcpy(name, rest, n);
	name[n] = '\0';
	p->found = true;
	if (strcmp(name, p->last) && p->fn)
		p->fn(p->ctx, name, rest[n] == '/');
	memcpy(p->last, name, n + 1);
}

/* dir: below /proc, without slashes around. */
static bool proc_list_dir(struct net *net, const char *dir, void (*fn)(void *, const char *, bool), void *ctx)
{
	struct proc_names p = { .dir = dir, .len = strlen(dir), .fn = fn, .ctx = ctx };

	proc_list(net, proc_names_one, &p);
	return p.found || !*dir;
}

static int do_stat(struct net *net, const char *path, struct vfs_stat *st)
{
	char norm[VFS_PATH_MAX];
	bool writable;
	int err = vfs_normalise(path, norm);
	const char *below = norm + strlen("/proc");

	if (err)
		return err;
	if (!path_is_proc(norm))
		return vfs_stat_path(net, norm, st);
	below += *below == '/';
	memset(st, 0, sizeof(*st));
	st->readable = true;
	if (*below && proc_lookup(net, below, &writable))
		return 0;
	st->is_dir = proc_list_dir(net, below, NULL, NULL);
	return st->is_dir ? 0 : -ENOENT;
}

int sys_stat(struct task *t, const char *path, struct vfs_stat *st)
{
	SYSCALL(t, NR_STAT, "SyS_stat");
	int ret = path && st ? do_stat(t->net, path, st) : -EFAULT;

	SYS_LINE(t, "SyS_stat", ret, "stat(\"%.200s\", {st_size=%llu})", path ? path : "",
		 ret ? 0 : (unsigned long long)st->size);
	return ret;
}

static int do_rename(struct net *net, const char *from, const char *to)
{
	char nf[VFS_PATH_MAX], nt[VFS_PATH_MAX];
	const struct vfs_mount *mf, *mt;
	const char *rf, *rt;
	int err = vfs_normalise(from, nf);

	if (!err)
		err = vfs_normalise(to, nt);
	if (err)
		return err;
	if (path_is_proc(nf) || path_is_proc(nt))
		return -EPERM;
	mf = vfs_find(net, nf, &rf);
	mt = vfs_find(net, nt, &rt);
	if (mf != mt)
		return -EXDEV;
	return mf->ops->rename ? mf->ops->rename(mf->arg, rf, rt) : -EROFS;
}

int sys_rename(struct task *t, const char *from, const char *to)
{
	SYSCALL(t, NR_RENAME, "SyS_rename");
	int ret = from && to ? do_rename(t->net, from, to) : -EFAULT;

	SYS_LINE(t, "SyS_rename", ret, "rename(\"%.200s\", \"%.200s\")", from ? from : "", to ? to : "");
	return ret;
}

static int do_unlink(struct net *net, const char *path)
{
	char norm[VFS_PATH_MAX];
	const struct vfs_mount *m;
	const char *rel;
	int err = vfs_normalise(path, norm);

	if (err)
		return err;
	if (path_is_proc(norm))
		return -EPERM;
	m = vfs_find(net, norm, &rel);
	return m->ops->unlink ? m->ops->unlink(m->arg, rel) : -EROFS;
}

int sys_unlink(struct task *t, const char *path)
{
	SYSCALL(t, NR_UNLINK, "SyS_unlink");
	int ret = path ? do_unlink(t->net, path) : -EFAULT;

	SYS_LINE(t, "SyS_unlink", ret, "unlink(\"%.200s\")", path ? path : "");
	return ret;
}

/* Mount points that lie directly in this folder and that its tree does not know. */
static void vfs_list_mounts(struct net *net, const char *norm, void (*fn)(void *, const char *, bool), void *ctx)
{
	const struct vfs_net *v = socket_net(net)->vfs;
	size_t len = strcmp(norm, "/") ? strlen(norm) : 0, i;

	for (i = v->n; i-- > 0;) {
		const char *p = v->m[i]->point;
		struct vfs_stat st;
		const char *rel;

		if (!*p || strncmp(p, norm, len) || p[len] != '/' || strchr(p + len + 1, '/'))
			continue;
		/* The root tree may hold a file of that name: then it was listed already. */
		rel = p + 1;
		if (v->m[v->n - 1]->ops->stat(v->m[v->n - 1]->arg, rel, &st))
			fn(ctx, p + len + 1, true);
	}
}

static int do_listdir(struct net *net, const char *path, void (*fn)(void *, const char *, bool), void *ctx)
{
	char norm[VFS_PATH_MAX];
	const struct vfs_mount *m;
	const char *rel, *below = norm + strlen("/proc");
	bool mounts;
	int err = vfs_normalise(path, norm);

	if (err)
		return err;
	if (path_is_proc(norm)) {
		below += *below == '/';
		return proc_list_dir(net, below, fn, ctx) ? 0 : -ENOENT;
	}
	m = vfs_find(net, norm, &rel);
	mounts = vfs_has_mount_below(net, norm);
	err = m->ops->list ? m->ops->list(m->arg, rel, fn, ctx) : -EACCES;
	if (mounts) {
		vfs_list_mounts(net, norm, fn, ctx);
		err = 0;
	}
	return err;
}

int sys_listdir(struct task *t, const char *path, void (*fn)(void *ctx, const char *name, bool is_dir), void *ctx)
{
	SYSCALL(t, NR_GETDENTS64, "SyS_getdents64");
	int ret = path && fn ? do_listdir(t->net, path, fn, ctx) : -EFAULT;

	SYS_LINE(t, "SyS_getdents64", ret, "getdents64(\"%.200s\")", path ? path : "");
	return ret;
}

int vfs_net_init(struct net *net)
{
	socket_net(net)->vfs = xcalloc(1, sizeof(struct vfs_net));
	return vfs_mount(net, "/", &vfs_mem_ops, vfs_mem_new(VFS_ROOT_MAX));
}

void vfs_net_exit(struct net *net)
{
	struct vfs_net *v = socket_net(net)->vfs;
	size_t i;

	if (!v)
		return;
	for (i = 0; i < v->n; i++) {
		if (v->m[i]->ops->release)
			v->m[i]->ops->release(v->m[i]->arg);
		free(v->m[i]->point);
		free(v->m[i]);
	}
	free(v);
	socket_net(net)->vfs = NULL;
}

/* A writable tree in memory: uploads, what programs save, a host's /etc.
 *
 * Files stand in one array sorted by path; a folder exists as long as something lies below it. Every octet,
 * name and file is charged against the tree's bound, so a flood of uploads ends in -ENOSPC, not in the host's
 * memory. Called by: vfs.c through vfs_mem_ops. Tests: tests/unit/socket/test_vfs.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/pool.h"
#include "socket/vfs.h"
#include "socket/vfs_int.h"

/* What a file costs beside its octets and its name. */
#define MEM_FILE_COST 128u

struct mem_file {
	char *path;
	uint8_t *data;
	uint64_t len, room, ino;
};

struct mem_tree {
	struct mem_file *f; /* sorted by path */
	size_t n, room;
	uint64_t used, max, next_ino;
};

void *vfs_mem_new(uint64_t max_bytes)
{
	struct mem_tree *t = xcalloc(1, sizeof(*t));

	t->max = max_bytes;
	return t;
}

static bool mem_find(const struct mem_tree *t, const char *path, size_t *at)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(t->f[mid].path, path);

		if (!c) {
			*at = mid;
			return true;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*at = lo;
	return false;
}

/* First file below folder path ("" is the root); t->n when there is none. */
static size_t mem_first_below(const struct mem_tree *t, const char *path)
{
	char prefix[VFS_PATH_MAX + 1];
	size_t len = strlen(path), at;

	if (!len)
		return 0;
	memcpy(prefix, path, len);
	prefix[len++] = '/';
	prefix[len] = '\0';
	mem_find(t, prefix, &at);
	return at < t->n && !strncmp(t->f[at].path, prefix, len) ? at : t->n;
}

static bool mem_is_dir(const struct mem_tree *t, const char *path)
{
	return !*path || mem_first_below(t, path) < t->n;
}

static int mem_stat(void *arg, const char *path, struct vfs_stat *st)
{
	const struct mem_tree *t = arg;
	size_t at;

	memset(st, 0, sizeof(*st));
	st->readable = true;
	if (mem_find(t, path, &at)) {
		st->size = t->f[at].len;
		st->ino = t->f[at].ino;
		return 0;
	}
	st->is_dir = mem_is_dir(t, path);
	return st->is_dir ? 0 : -ENOENT;
}

static ssize_t mem_pread(void *arg, const char *path, void *buf, size_t len, uint64_t off)
{
	const struct mem_tree *t = arg;
	const struct mem_file *f;
	size_t at;

	if (!mem_find(t, path, &at))
		return mem_is_dir(t, path) ? -EISDIR : -ENOENT;
	f = &t->f[at];
	if (off >= f->len)
		return 0;
	len = (size_t)min_u64(len, f->len - off);
	memcpy(buf, f->data + off, len);
	return (ssize_t)len;
}

/* Is a file in the way where path needs a folder? */
static bool mem_under_file(const struct mem_tree *t, const char *path)
{
	char dir[VFS_PATH_MAX];
	const char *slash;
	size_t at;

	for (slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		memcpy(dir, path, (size_t)(slash - path));
		dir[slash - path] = '\0';
		if (mem_find(t, dir, &at))
			return true;
	}
	return false;
}

static int mem_create(struct mem_tree *t, const char *path, size_t *at)
{
	uint64_t cost = strlen(path) + MEM_FILE_COST;

	if (strlen(path) >= VFS_PATH_MAX)
		return -ENAMETOOLONG;
	if (mem_find(t, path, at))
		return 0;
	if (mem_is_dir(t, path))
		return -EISDIR;
	if (mem_under_file(t, path))
		return -ENOTDIR;
	if (cost > t->max - t->used)
		return -ENOSPC;
	if (t->n == t->room) {
		t->room = t->room ? t->room * 2 : 8;
		t->f = xrealloc(t->f, t->room * sizeof(*t->f));
	}
	memmove(t->f + *at + 1, t->f + *at, (t->n - *at) * sizeof(*t->f));
	t->f[*at] = (struct mem_file){ .path = xstrdup(path), .ino = ++t->next_ino };
	t->n++;
	t->used += cost;
	return 0;
}

static ssize_t mem_pwrite(void *arg, const char *path, const void *buf, size_t len, uint64_t off)
{
	struct mem_tree *t = arg;
	struct mem_file *f;
	uint64_t end = off + len;
	size_t at;
	int err = mem_create(t, path, &at);

	if (err)
		return err;
	f = &t->f[at];
	if (!len)
		return 0;
	if (end < off || end > t->max)
		return -ENOSPC;
	if (end > f->len) {
		if (end - f->len > t->max - t->used)
			return -ENOSPC;
		if (end > f->room) {
			f->room = max_u64(end, min_u64(f->room * 2, t->max));
			f->data = xrealloc(f->data, f->room);
		}
		memset(f->data + f->len, 0, end - f->len);
		t->used += end - f->len;
		f->len = end;
	}
	memcpy(f->data + off, buf, len);
	return (ssize_t)len;
}

static void mem_remove_at(struct mem_tree *t, size_t at)
{
	struct mem_file *f = &t->f[at];

	t->used -= f->len + strlen(f->path) + MEM_FILE_COST;
	free(f->path);
	free(f->data);
	t->n--;
	memmove(f, f + 1, (t->n - at) * sizeof(*f));
}

static int mem_unlink(void *arg, const char *path)
{
	struct mem_tree *t = arg;
	size_t at;

	if (!mem_find(t, path, &at))
		return mem_is_dir(t, path) ? -EISDIR : -ENOENT;
	mem_remove_at(t, at);
	return 0;
}

static int mem_rename(void *arg, const char *from, const char *to)
{
	struct mem_tree *t = arg;
	struct mem_file moved;
	size_t at, to_at;
	int err;

	if (!mem_find(t, from, &at))
		return mem_is_dir(t, from) ? -EISDIR : -ENOENT;
	if (!strcmp(from, to))
		return 0;
	err = mem_create(t, to, &to_at);
	if (err)
		return err;
	mem_find(t, from, &at);
	moved = t->f[at];
	t->used -= t->f[to_at].len; /* of the file that is replaced */
	free(t->f[to_at].data);
	t->f[to_at].data = moved.data;
	t->f[to_at].len = moved.len;
	t->f[to_at].room = moved.room;
	t->f[to_at].ino = moved.ino;
	t->f[at].data = NULL;
	t->used += moved.len; /* counted twice until the old name goes */
	mem_remove_at(t, at);
	return 0;
}

static int mem_list(void *arg, const char *path, void (*fn)(void *ctx, const char *name, bool is_dir), void *ctx)
{
	const struct mem_tree *t = arg;
	size_t len = *path ? strlen(path) + 1 : 0, at, i = mem_first_below(t, path);
	char name[VFS_PATH_MAX], last[VFS_PATH_MAX] = "";

	if (*path && i == t->n)
		return mem_find(t, path, &at) ? -ENOTDIR : -ENOENT;
	for (; i < t->n && !strncmp(t->f[i].path, path, len ? len - 1 : 0); i++) {
		const char *rest = t->f[i].path + len, *slash = strchr(rest, '/');
		size_t n = slash ? (size_t)(slash - rest) : strlen(rest);

		if (len && t->f[i].path[len - 1] != '/')
			break;
		memcpy(name, rest, n);
		name[n] = '\0';
		if (strcmp(name, last))
			fn(ctx, name, slash != NULL);
		memcpy(last, name, n + 1);
	}
	return 0;
}

static void mem_release(void *arg)
{
	struct mem_tree *t = arg;

	while (t->n)
		mem_remove_at(t, t->n - 1);
	free(t->f);
	free(t);
}

const struct vfs_ops vfs_mem_ops = {
	.stat = mem_stat,
	.pread = mem_pread,
	.pwrite = mem_pwrite,
	.rename = mem_rename,
	.unlink = mem_unlink,
	.list = mem_list,
	.release = mem_release,
};

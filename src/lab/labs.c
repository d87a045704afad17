/* A lab's source: a lab file and what lies beside it, on disk or built in; and the mounting of a node's files.
 * Called by world.c and cli/. Real folders are read through os/ only, below the folder that the lab file names.
 * Tests: tests/unit/lab/test_labs.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/pool.h"
#include "base/strbuf.h"
#include "lab/labs.h"
#include "os/os_file.h"
#include "os/os_term.h"
#include "socket/vfs.h"

#define LAB_SUFFIX ".clab.yml"
#define LAB_FILE_MAX (64u << 20)
#define HASH_CHUNK 65536u

/* ---- the source ---- */

static const struct embedded_file *embedded_find(const char *path)
{
	size_t lo = 0, hi = lab_n_embedded;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = strcmp(path, lab_embedded[mid].path);

		if (!c)
			return &lab_embedded[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

const char *lab_builtin_name(size_t i)
{
	for (size_t k = 0; k < lab_n_embedded; k++) {
		const char *p = lab_embedded[k].path;
		size_t len = strlen(p);

		if (!strchr(p, '/') && len > strlen(LAB_SUFFIX) &&
		    !strcmp(p + len - strlen(LAB_SUFFIX), LAB_SUFFIX) && i-- == 0)
			return p;
	}
	return NULL;
}

static const struct embedded_file *builtin_find(const char *name)
{
	char path[128];

	if (strchr(name, '/') || strlen(name) + sizeof(LAB_SUFFIX) > sizeof(path))
		return NULL;
	snprintf(path, sizeof(path), "%s%s", name, LAB_SUFFIX);
	return embedded_find(path);
}

static enum lab_err source_parse(struct lab_source *src, const char *file, const void *text, size_t len, struct yerr *e)
{
	topo_init(&src->topo, file);
	if (labfile_parse(&src->topo, file, text, len, e) == 0)
		return LAB_OK;
	topo_free(&src->topo);
	free(src->base);
	src->base = NULL;
	return LAB_BAD;
}

static void say_builtins(struct yerr *e, const char *file)
{
	const char *name;
	int n = snprintf(e->text, sizeof(e->text), "lab %.200s: no such file, and no built-in lab of that name (there are:", file);

	for (size_t i = 0; (name = lab_builtin_name(i)) != NULL && (size_t)n < sizeof(e->text); i++)
		n += snprintf(e->text + n, sizeof(e->text) - (size_t)n, "%s %.*s", i ? "," : "", (int)strcspn(name, "."), name);
	if ((size_t)n < sizeof(e->text))
		snprintf(e->text + n, sizeof(e->text) - (size_t)n, ")");
}

enum lab_err lab_source_open(struct lab_source *src, const char *file, struct yerr *e)
{
	const struct embedded_file *ef;
	const char *slash = strrchr(file, '/');
	enum lab_err r;
	char *text;
	size_t len;
	int err;

	memset(src, 0, sizeof(*src));
	err = os_read_file(file, YTREE_MAX_BYTES, &text, &len);
	if (!err) {
		src->base = slash ? xstrdup(file) : xstrdup(".");
		if (slash)
			src->base[slash == file ? 1 : slash - file] = '\0';
		r = source_parse(src, file, text, len, e);
		free(text);
		return r;
	}
	ef = err == -ENOENT || err == -EISDIR ? builtin_find(file) : NULL; /* a folder of the name is no lab */
	if (ef) {
		src->builtin = true;
		src->base = xstrdup("");
		return source_parse(src, ef->path, ef->data, ef->len, e);
	}
	if (err == -ENOENT)
		say_builtins(e, file);
	else
		snprintf(e->text, sizeof(e->text), "lab %.200s: %s", file, os_strerror(err));
	return err == -EACCES || err == -EIO || err == -ENOMEM ? LAB_LOCAL : LAB_BAD;
}

void lab_source_close(struct lab_source *src)
{
	topo_free(&src->topo);
	free(src->base);
}

/* ---- mounts ---- */

/* A mounted folder, of the disk or built in. */
struct lab_tree {
	struct os_dir *dir;  /* NULL: built in */
	const char *prefix;  /* built in: "internet/site", owned */
	uint64_t mtime_s;
};

/* What a server may build an ETag of: the same for the same content, wherever the clone lies. */
struct content_hash {
	uint64_t h;
};

static void hash_add(struct content_hash *c, const void *data, size_t len)
{
	static const uint8_t key[16];

	c->h = hash_words(c->h, siphash(key, data, len), len);
}

static void embedded_path(const struct lab_tree *t, const char *path, char *out, size_t room)
{
	snprintf(out, room, "%s%s%s", t->prefix, *path ? "/" : "", path);
}

static int embedded_stat(void *arg, const char *path, struct vfs_stat *st)
{
	const struct lab_tree *t = arg;
	const struct embedded_file *f;
	struct content_hash c = { 0 };
	char full[512];
	size_t len;

	memset(st, 0, sizeof(*st));
	embedded_path(t, path, full, sizeof(full));
	st->readable = true;
	st->mtime_s = t->mtime_s;
	f = embedded_find(full);
	if (f) {
		st->size = f->len;
		hash_add(&c, f->data, f->len);
		st->ino = c.h;
		return 0;
	}
	len = strlen(full);
	for (size_t i = 0; i < lab_n_embedded; i++) {
		if (!strncmp(lab_embedded[i].path, full, len) && lab_embedded[i].path[len] == '/') {
			st->is_dir = true;
			return 0;
		}
	}
	return -ENOENT;
}

static ssize_t embedded_pread(void *arg, const char *path, void *buf, size_t len, uint64_t off)
{
	const struct embedded_file *f;
	char full[512];
	size_t n;

	embedded_path(arg, path, full, sizeof(full));
	f = embedded_find(full);
	if (!f)
		return -ENOENT;
	if (off >= f->len)
		return 0;
	n = min_sz(len, f->len - (size_t)off);
	memcpy(buf, f->data + off, n);
	return (ssize_t)n;
}

/* The table is sorted, so equal first components lie side by side. */
static int embedded_list(void *arg, const char *path, void (*fn)(void *ctx, const char *name, bool is_dir), void *ctx)
{
	char full[512], last[256] = "";
	size_t len;

	embedded_path(arg, path, full, sizeof(full));
	len = strlen(full);
	for (size_t i = 0; i < lab_n_embedded; i++) {
		const char *p = lab_embedded[i].path, *rest;
		char name[256];
		size_t n;

		if (strncmp(p, full, len) != 0 || p[len] != '/')
			continue;
		rest = p + len + 1;
		n = strcspn(rest, "/");
		if (n >= sizeof(name))
			continue;
		memcpy(name, rest, n);
		name[n] = '\0';
		if (strcmp(name, last) != 0)
			fn(ctx, name, rest[n] == '/');
		memcpy(last, name, n + 1);
	}
	return 0;
}

static void tree_release(void *arg)
{
	struct lab_tree *t = arg;

	if (t->dir)
		os_dir_close(t->dir);
	free((char *)(uintptr_t)t->prefix);
	free(t);
}

static int disk_stat(void *arg, const char *path, struct vfs_stat *st)
{
	struct lab_tree *t = arg;
	struct content_hash c = { 0 };
	struct os_stat os;
	uint8_t *buf;
	ssize_t n = 0;
	int err = os_dir_stat(t->dir, path, &os);

	memset(st, 0, sizeof(*st));
	if (err)
		return err;
	st->size = os.size;
	st->is_dir = os.is_dir;
	st->readable = true;
	st->mtime_s = t->mtime_s;
	if (os.is_dir)
		return 0;
	buf = xcalloc(1, HASH_CHUNK);
	for (uint64_t off = 0; off < os.size && off < LAB_FILE_MAX; off += (uint64_t)n) {
		n = os_dir_pread(t->dir, path, buf, HASH_CHUNK, off);
		if (n <= 0)
			break;
		hash_add(&c, buf, (size_t)n);
	}
	free(buf);
	st->ino = c.h;
	return n < 0 ? (int)n : 0;
}

static ssize_t disk_pread(void *arg, const char *path, void *buf, size_t len, uint64_t off)
{
	return os_dir_pread(((struct lab_tree *)arg)->dir, path, buf, len, off);
}

static int disk_list(void *arg, const char *path, void (*fn)(void *ctx, const char *name, bool is_dir), void *ctx)
{
	return os_dir_list(((struct lab_tree *)arg)->dir, path, fn, ctx);
}

static const struct vfs_ops embedded_ops = {
	.stat = embedded_stat,
	.pread = embedded_pread,
	.list = embedded_list,
	.release = tree_release,
};

static const struct vfs_ops disk_ops = {
	.stat = disk_stat,
	.pread = disk_pread,
	.list = disk_list,
	.release = tree_release,
};

static enum lab_err mount_fail(const struct lab_source *src, const struct topo_file *f, int err, struct yerr *e)
{
	struct ynode at = { .line = f->at.line, .col = f->at.col };

	yerr_at(e, src->topo.file, &at, "'%.200s': %s", f->from ? f->from : f->point, os_strerror(err));
	/* A wrong name is the lab file's mistake; a folder that may not be read is this machine's word. */
	return err == -ENOENT || err == -ENOTDIR || err == -ELOOP || err == -EINVAL || err == -EEXIST ? LAB_BAD
												      : LAB_LOCAL;
}

static enum lab_err mount_builtin(const struct lab_source *src, const struct topo_file *f, struct net *net,
				  struct yerr *e)
{
	const struct embedded_file *ef = embedded_find(f->from);
	struct lab_tree *t;
	struct vfs_stat st;
	int err;

	if (ef) {
		err = vfs_put_file(net, f->point, ef->data, ef->len);
		return err ? mount_fail(src, f, err, e) : LAB_OK;
	}
	t = xcalloc(1, sizeof(*t));
	t->prefix = xstrdup(f->from);
	t->mtime_s = f->mtime_s;
	err = embedded_stat(t, "", &st);
	if (!err)
		err = vfs_mount(net, f->point, &embedded_ops, t);
	if (!err)
		return LAB_OK;
	tree_release(t);
	return mount_fail(src, f, err, e);
}

static enum lab_err mount_disk(const struct lab_source *src, const struct topo_file *f, struct net *net, struct yerr *e)
{
	struct strbuf path;
	struct os_dir *dir;
	char *data;
	size_t len;
	int err;

	sb_init(&path);
	if (f->from[0] != '/')
		sb_printf(&path, "%s/", src->base);
	sb_puts(&path, f->from);
	err = os_dir_open(sb_str(&path), &dir);
	if (!err) {
		struct lab_tree *t = xcalloc(1, sizeof(*t));

		t->dir = dir;
		t->mtime_s = f->mtime_s;
		err = vfs_mount(net, f->point, &disk_ops, t);
		if (err)
			tree_release(t);
	} else if (err == -ENOTDIR) {
		err = os_read_file(sb_str(&path), LAB_FILE_MAX, &data, &len);
		if (!err) {
			err = vfs_put_file(net, f->point, data, len);
			free(data);
		}
	}
	sb_free(&path);
	return err ? mount_fail(src, f, err, e) : LAB_OK;
}

static enum lab_err mount_memory(const struct lab_source *src, const struct topo_file *f, struct net *net,
				 struct yerr *e)
{
	int err = vfs_mount(net, f->point, &vfs_mem_ops, vfs_mem_new(f->mem_bytes));

	return err ? mount_fail(src, f, err, e) : LAB_OK;
}

enum lab_err lab_mount(const struct lab_source *src, const struct topo_node *n, struct net *net, struct yerr *e)
{
	enum lab_err r = LAB_OK;

	for (uint32_t i = 0; i < n->n_file && r == LAB_OK; i++) {
		const struct topo_file *f = &n->file[i];

		if (!f->from)
			r = mount_memory(src, f, net, e);
		else if (src->builtin)
			r = mount_builtin(src, f, net, e);
		else
			r = mount_disk(src, f, net, e);
	}
	return r;
}

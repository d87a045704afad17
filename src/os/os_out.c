/* Output files that appear together, whole, or not at all. Each is written as ".culver-PID-N.tmp" beside its
 * name; at commit all are synced (a full disk shows here at the latest) before the first is renamed. Called by
 * lab/out.c. Tests: tests/unit/lab/test_os_file.c. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/pool.h"
#include "os/os_file.h"

#define OUT_MAX_OPEN 256u /* more files than this are not kept open */
#define OUT_MAX_OWN 8u

struct os_outfile {
	struct os_out *set;
	char *name, *tmp;
	int fd; /* -1: opened for each write, because there are many */
};

struct os_out {
	char *dir;
	int dirfd;
	bool made_dir;
	char *sub; /* a sub-folder that we made, or NULL */
	struct os_outfile **file;
	uint32_t n;
	int err;
	const char *err_name;
	const char *own[OUT_MAX_OWN]; /* patterns, the caller's */
	uint32_t n_own;
};

static void out_fail(struct os_out *o, int err, const char *name)
{
	if (!o->err) {
		o->err = err;
		o->err_name = name;
	}
}

int os_out_open(const char *dir, struct os_out **out)
{
	bool made = mkdir(dir, 0777) == 0;
	int fd, err;

	if (!made && errno != EEXIST)
		return -errno;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		if (made)
			rmdir(dir);
		return err;
	}
	*out = xcalloc(1, sizeof(**out));
	(*out)->dir = xstrdup(dir);
	(*out)->dirfd = fd;
	(*out)->made_dir = made;
	return 0;
}

/* The sub-folder of "wire/x": made once. */
static bool out_subdir(struct os_out *o, const char *name)
{
	const char *slash = strchr(name, '/');
	char *sub;

	if (!slash)
		return true;
	sub = xstrdup(name);
	sub[slash - name] = '\0';
	if (mkdirat(o->dirfd, sub, 0777) == 0) {
		free(o->sub);
		o->sub = sub;
		return true;
	}
	free(sub);
	return errno == EEXIST;
}

struct os_outfile *os_out_file(struct os_out *o, const char *name)
{
	struct os_outfile *f;
	const char *slash = strchr(name, '/');
	char tmp[512];

	if (o->err)
		return NULL;
	f = xcalloc(1, sizeof(*f));
	f->set = o;
	f->name = xstrdup(name);
	snprintf(tmp, sizeof(tmp), "%.*s.culver-%ld-%u.tmp", slash ? (int)(slash - name + 1) : 0, name, (long)getpid(),
		 o->n);
	f->tmp = xstrdup(tmp);
	o->file = xrealloc(o->file, (o->n + 1u) * sizeof(*o->file));
	o->file[o->n++] = f;
	f->fd = out_subdir(o, name) ? openat(o->dirfd, f->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
	if (f->fd < 0) {
		out_fail(o, -errno, f->name);
		return NULL;
	}
	if (o->n > OUT_MAX_OPEN) {
		close(f->fd);
		f->fd = -1;
	}
	return f;
}

static int out_reopen(struct os_outfile *f)
{
	int fd = f->fd >= 0 ? f->fd : openat(f->set->dirfd, f->tmp, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		out_fail(f->set, -errno, f->name);
	return fd;
}

void os_out_write(struct os_outfile *f, const void *data, size_t len)
{
	const uint8_t *p = data;
	int fd = len && !f->set->err ? out_reopen(f) : -1;

	while (len && !f->set->err) {
		ssize_t r = write(fd, p, len);

		if (r < 0 && errno != EINTR)
			out_fail(f->set, -errno, f->name);
		if (r > 0) {
			p += r;
			len -= (size_t)r;
		}
	}
	if (fd >= 0 && fd != f->fd)
		close(fd);
}

int os_out_error(const struct os_out *o, const char **name)
{
	*name = o->err_name;
	return o->err;
}

const char *os_out_dir(const struct os_out *o)
{
	return o->dir;
}

void os_out_owns(struct os_out *o, const char *pattern)
{
	if (o->n_own < OUT_MAX_OWN)
		o->own[o->n_own++] = pattern;
}

static bool out_writes(const struct os_out *o, const char *name)
{
	for (uint32_t i = 0; i < o->n; i++)
		if (!strcmp(o->file[i]->name, name))
			return true;
	return false;
}

/* What is left of an earlier set under one pattern. That it cannot be removed is no error of this set. */
static void out_remove_old(struct os_out *o, const char *pattern)
{
	const char *slash = strchr(pattern, '/');
	char sub[256], name[512];
	struct dirent *e;
	int fd;
	DIR *d;

	snprintf(sub, sizeof(sub), "%.*s", slash ? (int)(slash - pattern) : 1, slash ? pattern : ".");
	fd = openat(o->dirfd, sub, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		struct stat st;

		snprintf(name, sizeof(name), "%s%s%s", slash ? sub : "", slash ? "/" : "", e->d_name);
		if (!fnmatch(pattern, name, FNM_PATHNAME | FNM_PERIOD) && !out_writes(o, name) &&
		    !fstatat(o->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode))
			unlinkat(o->dirfd, name, 0);
	}
	closedir(d);
}

static void out_free(struct os_out *o)
{
	for (uint32_t i = 0; i < o->n; i++) {
		if (o->file[i]->fd >= 0)
			close(o->file[i]->fd);
		free(o->file[i]->name);
		free(o->file[i]->tmp);
		free(o->file[i]);
	}
	free(o->file);
	close(o->dirfd);
	free(o->dir);
	free(o->sub);
	free(o);
}

int os_out_commit(struct os_out *o)
{
	for (uint32_t i = 0; i < o->n && !o->err; i++) {
		struct os_outfile *f = o->file[i];
		int fd = out_reopen(f);

		if (fd >= 0 && fsync(fd) < 0)
			out_fail(o, -errno, f->name);
		if (fd >= 0 && fd != f->fd)
			close(fd);
	}
	/* What would stop a rename half-way is looked for before the first. */
	for (uint32_t i = 0; i < o->n && !o->err; i++) {
		struct stat st;

		if (fstatat(o->dirfd, o->file[i]->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
			out_fail(o, -EISDIR, o->file[i]->name);
	}
	for (uint32_t i = 0; i < o->n && !o->err; i++)
		if (renameat(o->dirfd, o->file[i]->tmp, o->dirfd, o->file[i]->name) < 0)
			out_fail(o, -errno, o->file[i]->name);
	if (!o->err && fsync(o->dirfd) < 0 && errno != EINVAL)
		out_fail(o, -errno, ".");
	if (o->err)
		return o->err;
	for (uint32_t i = 0; i < o->n_own; i++)
		out_remove_old(o, o->own[i]);
	out_free(o);
	return 0;
}

void os_out_abort(struct os_out *o)
{
	for (uint32_t i = 0; i < o->n; i++)
		unlinkat(o->dirfd, o->file[i]->tmp, 0);
	if (o->sub)
		unlinkat(o->dirfd, o->sub, AT_REMOVEDIR);
	if (o->made_dir)
		rmdir(o->dir);
	out_free(o);
}

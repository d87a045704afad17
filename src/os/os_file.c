/* Reading files, and folders that a lab gave to a node. A folder's paths come from a peer (an HTTP request), so
 * each is resolved by openat2(RESOLVE_BENEATH), which cannot leave the folder whatever links lie there; kernels
 * without it get a walk that follows no link at all. Called by lab/. Tests: tests/unit/lab/test_os_file.c. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/pool.h"
#include "os/os_file.h"

#define OS_PATH_MAX 4096
#define OS_MAX_NAMES 1000000u
#define PROC_ROOM 65536u /* files of /proc and /sys say that they are empty */

/* What was read becomes the caller's, ended by a NUL; or is freed, when err says why. */
static int hand_over(int err, char *buf, size_t n, char **data, size_t *len)
{
	if (err) {
		free(buf);
		return err;
	}
	buf[n] = '\0';
	*data = buf;
	*len = n;
	return 0;
}

int os_read_file(const char *path, size_t max, char **data, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), err = 0;
	struct stat st;
	char *buf = NULL;
	size_t n = 0, room = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (S_ISDIR(st.st_mode))
		err = -EISDIR;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	else if (st.st_size < 0 || (uint64_t)st.st_size > max)
		err = -EFBIG;
	if (!err) {
		room = st.st_size ? (size_t)st.st_size : max < PROC_ROOM ? max : PROC_ROOM;
		buf = xcalloc(1, room + 1);
	}
	while (!err && n < room) {
		ssize_t r = read(fd, buf + n, room - n);

		if (r < 0 && errno != EINTR)
			err = -errno;
		if (r == 0)
			break; /* it shrank while we read */
		n += r > 0 ? (size_t)r : 0;
	}
	close(fd);
	return hand_over(err, buf, n, data, len);
}

int os_read_pipe(const char *path, size_t max, char **data, size_t *len)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3), err = 0;
	char *buf = NULL;
	size_t n = 0, room = 0;
	ssize_t r = 1;

	if (fd < 0)
		return -errno;
	while (!err && r) {
		if (room - n < PROC_ROOM)
			buf = xrealloc(buf, (room += PROC_ROOM + room / 2) + 1);
		r = read(fd, buf + n, room - n);
		if (r < 0 && errno != EINTR)
			err = -errno;
		n += r > 0 ? (size_t)r : 0;
		if (n > max)
			err = -EFBIG;
	}
	close(fd);
	return hand_over(err, buf, n, data, len);
}

/* The file last read stays open: a page is sent in many pieces. */
struct os_dir {
	int fd, last_fd;
	bool no_openat2;
	char last[OS_PATH_MAX];
};

int os_dir_open(const char *path, struct os_dir **out)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*out = xcalloc(1, sizeof(**out));
	(*out)->fd = fd;
	(*out)->last_fd = -1;
	return 0;
}

void os_dir_close(struct os_dir *d)
{
	if (d->last_fd >= 0)
		close(d->last_fd);
	close(d->fd);
	free(d);
}

/* One component at a time, following no link. */
static int walk_nofollow(int dir, const char *path)
{
	char part[256];
	int fd = dup(dir);

	while (fd >= 0 && *path) {
		size_t n = strcspn(path, "/");
		int next;

		if (n >= sizeof(part) || !n || (n == 2 && !memcmp(path, "..", 2))) {
			close(fd);
			errno = n >= sizeof(part) ? ENAMETOOLONG : EACCES;
			return -1;
		}
		memcpy(part, path, n);
		part[n] = '\0';
		path += n + (path[n] == '/');
		next = openat(fd, part, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
		if (next < 0) {
			int e = errno;

			close(fd);
			errno = e;
			return -1;
		}
		close(fd);
		fd = next;
	}
	return fd;
}

/* A descriptor of a file or folder below d, or -errno. */
static int dir_resolve(struct os_dir *d, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	long fd = -1;

	if (!d->no_openat2) {
		fd = syscall(SYS_openat2, d->fd, *path ? path : ".", &how, sizeof(how));
		d->no_openat2 = fd < 0 && (errno == ENOSYS || errno == EPERM);
	}
	if (d->no_openat2)
		fd = walk_nofollow(d->fd, path);
	if (fd >= 0)
		return (int)fd;
	/* Out of the folder, or a socket: not for reading. */
	if (errno == EXDEV || errno == ENXIO || errno == EPERM)
		return -EACCES;
	return errno == ENOTDIR ? -ENOENT : -errno;
}

static int dir_fstat(int fd, struct os_stat *st)
{
	struct stat s;

	if (fstat(fd, &s) < 0)
		return -errno;
	if (!S_ISREG(s.st_mode) && !S_ISDIR(s.st_mode))
		return -EACCES;
	st->is_dir = S_ISDIR(s.st_mode);
	st->size = st->is_dir ? 0 : (uint64_t)s.st_size;
	return 0;
}

int os_dir_stat(struct os_dir *d, const char *path, struct os_stat *st)
{
	int fd = dir_resolve(d, path), err;

	if (fd < 0)
		return fd;
	err = dir_fstat(fd, st);
	close(fd);
	return err;
}

ssize_t os_dir_pread(struct os_dir *d, const char *path, void *buf, size_t len, uint64_t off)
{
	size_t done = 0;

	if (strlen(path) >= sizeof(d->last))
		return -ENAMETOOLONG;
	if (d->last_fd < 0 || strcmp(d->last, path) != 0) {
		struct os_stat st;
		int fd = dir_resolve(d, path), err = fd < 0 ? fd : dir_fstat(fd, &st);

		if (!err && st.is_dir)
			err = -EISDIR;
		if (err) {
			if (fd >= 0)
				close(fd);
			return err;
		}
		if (d->last_fd >= 0)
			close(d->last_fd);
		d->last_fd = fd;
		memcpy(d->last, path, strlen(path) + 1);
	}
	while (done < len) {
		ssize_t r = pread(d->last_fd, (char *)buf + done, len - done, (off_t)(off + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		done += (size_t)r;
	}
	return (ssize_t)done;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int os_dir_list(struct os_dir *d, const char *path, void (*fn)(void *ctx, const char *name, bool is_dir), void *ctx)
{
	int fd = dir_resolve(d, path);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	char **names = NULL;
	size_t n = 0, room = 0;

	if (!dir) {
		int err = fd < 0 ? fd : -errno;

		if (fd >= 0)
			close(fd);
		return err;
	}
	while ((e = readdir(dir)) != NULL && n < OS_MAX_NAMES) {
		struct stat st;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (n == room) {
			room = room ? room * 2 : 16;
			names = xrealloc(names, room * sizeof(*names));
		}
		/* The first character carries what it is. */
		names[n] = xcalloc(1, strlen(e->d_name) + 2);
		memcpy(names[n], e->d_name, strlen(e->d_name));
		if (!fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode))
			names[n][strlen(e->d_name) + 1] = 1;
		n++;
	}
	closedir(dir);
	if (n)
		qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++) {
		fn(ctx, names[i], names[i][strlen(names[i]) + 1] != 0);
		free(names[i]);
	}
	free(names);
	return 0;
}

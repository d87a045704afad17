/* /proc as programs open it: text made from live state at the first read from position 0.
 *
 * Decides: what a descriptor of a /proc file holds (the text as it was when reading began: no line is torn by
 * what happens between two reads), that writing below /proc/sys sets a knob, that a command file's answer is
 * read back through the same descriptor. Called by: sys_file.c. Hands on: core/procfs.c.
 * Tests: tests/unit/socket/test_vfs.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "core/procfs.h"
#include "socket/file.h"
#include "socket/vfs_int.h"

/* Longest text that one write may bring. */
#define PROC_WRITE_MAX 4096

struct procfile {
	struct strbuf text;
	bool made;
	bool answer; /* text is a command's answer */
	char path[];
};

static void procfile_make(struct file *f)
{
	struct procfile *pf = f->priv;

	if (pf->made)
		return;
	sb_reset(&pf->text);
	proc_read(f->net, pf->path, &pf->text);
	pf->made = true;
}

static ssize_t procfile_read(struct file *f, struct iov_iter *to)
{
	struct procfile *pf = f->priv;
	size_t n;

	if (!f->pos && !pf->answer)
		pf->made = false;
	procfile_make(f);
	if (f->pos >= pf->text.len)
		return 0;
	n = copy_to_iter(pf->text.buf + f->pos, pf->text.len - f->pos, to);
	f->pos += n;
	return (ssize_t)n;
}

static ssize_t procfile_pread(struct file *f, void *buf, size_t len, uint64_t off)
{
	struct procfile *pf = f->priv;

	procfile_make(f);
	if (off >= pf->text.len)
		return 0;
	len = min_sz(len, pf->text.len - off);
	memcpy(buf, pf->text.buf + off, len);
	return (ssize_t)len;
}

static ssize_t procfile_write(struct file *f, struct iov_iter *from)
{
	struct procfile *pf = f->priv;
	char text[PROC_WRITE_MAX + 1];
	struct strbuf answer;
	size_t n = from->count;
	int err;

	if (n > PROC_WRITE_MAX)
		return -EINVAL;
	copy_from_iter(text, n, from);
	text[n] = '\0';
	if (!strncmp(pf->path, "sys/", 4))
		return sysctl_write(f->net, pf->path + 4, text, &f->pos);
	sb_init(&answer);
	err = proc_write(f->net, pf->path, text, n, &answer);
	/* What is read back from a command's descriptor is its answer, be it nothing. */
	sb_reset(&pf->text);
	sb_add(&pf->text, sb_str(&answer), answer.len);
	pf->made = pf->answer = true;
	f->pos = 0;
	sb_free(&answer);
	return err ? err : (ssize_t)n;
}

static void procfile_release(struct file *f)
{
	struct procfile *pf = f->priv;

	file_free(f);
	sb_free(&pf->text);
	free(pf);
}

static const struct file_ops procfile_ops = {
	.kind = "proc",
	.read = procfile_read,
	.write = procfile_write,
	.pread = procfile_pread,
	.release = procfile_release,
};

struct proc_dir {
	const char *path;
	size_t len;
	bool found;
};

static void proc_dir_check(const char *path, void *arg)
{
	struct proc_dir *d = arg;

	d->found |= !strncmp(path, d->path, d->len) && path[d->len] == '/';
}

int procfile_open(struct net *net, const char *path, uint32_t flags, struct file **out)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY, writable;
	struct proc_dir dir = { path, strlen(path), false };
	struct procfile *pf;

	if (!proc_lookup(net, path, &writable)) {
		proc_list(net, proc_dir_check, &dir);
		return dir.found ? -EISDIR : -ENOENT;
	}
	if (flags & O_DIRECTORY)
		return -ENOTDIR;
	if (writes && !writable)
		return -EACCES;
	pf = xcalloc(1, sizeof(*pf) + dir.len + 1);
	sb_init(&pf->text);
	memcpy(pf->path, path, dir.len + 1);
	*out = file_new(net, &procfile_ops, flags & (O_ACCMODE | O_NONBLOCK), pf);
	return 0;
}

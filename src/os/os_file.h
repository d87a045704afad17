/* Files and folders of this machine. Reading is bounded; folders given to a lab are read-only and cannot be
 * left through "..", an absolute path or a link; output files appear whole or not at all. */
#ifndef OS_OS_FILE_H
#define OS_OS_FILE_H

#include <sys/types.h>
#include "base/types.h"

/* A whole regular file into memory from malloc, with a NUL behind it. 0, -EFBIG above max, or -errno. */
int os_read_file(const char *path, size_t max, char **data, size_t *len);
/* The same of a pipe or a terminal until it ends, waiting for it; "-" is standard input. */
int os_read_pipe(const char *path, size_t max, char **data, size_t *len);

/* ---- a folder, safely ---- */
struct os_dir;
struct os_stat {
	uint64_t size;
	bool is_dir;
};
/* 0 or -errno. */
int os_dir_open(const char *path, struct os_dir **out);
void os_dir_close(struct os_dir *d);
/* path is relative ("" is the folder itself). 0, -ENOENT, -ELOOP (a link where none may be), -EACCES (unreadable,
 * outside the folder, or neither file nor folder), or another -errno. */
int os_dir_stat(struct os_dir *d, const char *path, struct os_stat *st);
/* Up to len octets at off; short only at the end of the file. */
ssize_t os_dir_pread(struct os_dir *d, const char *path, void *buf, size_t len, uint64_t off);
/* Names in byte order, without "." and "..". */
int os_dir_list(struct os_dir *d, const char *path, void (*fn)(void *ctx, const char *name, bool is_dir), void *ctx);

/* ---- output: a set of files that appear together ----
 * Files are written under other names in the same folder; os_out_commit syncs and renames them. Until then, and
 * after os_out_abort, nothing with their names has changed. */
struct os_out;
struct os_outfile;
/* The folder is made if missing. 0 or -errno. */
int os_out_open(const char *dir, struct os_out **out);
/* A file in it ("wire/client-eth1.pcapng": one sub-folder is made). NULL: see os_out_error. */
struct os_outfile *os_out_file(struct os_out *o, const char *name);
/* Files of this name ("page.body", or a shell pattern in one folder) are the set's: those that an earlier
 * set left and this one does not write are removed at commit, so that a folder never shows two runs mixed. At most 8. */
void os_out_owns(struct os_out *o, const char *pattern);
/* Append. Errors stay with the set and show at commit (or earlier by os_out_error). */
void os_out_write(struct os_outfile *f, const void *data, size_t len);
/* 0, or -errno of the first thing that failed; *name: the file (valid until the set ends). */
int os_out_error(const struct os_out *o, const char **name);
/* The folder's name as it was given. */
const char *os_out_dir(const struct os_out *o);
/* All files to their names, or none: 0, or the error. Ends the set unless it failed. */
int os_out_commit(struct os_out *o);
/* Forget everything that was written. Ends the set. */
void os_out_abort(struct os_out *o);

#endif

/* What --out DIR holds: captures of the cables, the events, and whatever a command adds. */
#ifndef LAB_OUT_H
#define LAB_OUT_H

#include "lab/lab.h"

struct lab_out;

/* Begin. LAB_OK, or LAB_BAD / LAB_LOCAL with *e ("--out DIR: ..."). Nothing in DIR changes before commit. */
enum lab_err lab_out_open(struct lab_out **out, const char *dir, const struct lab_source *src, struct yerr *e);
/* Have the world of opts write here: its wire and all events, from boot on. The out must outlive that lab. */
void lab_out_watch(struct lab_out *o, struct lab_opts *opts);
/* The lab is gone (or about to go): stop looking at it. */
void lab_out_unwatch(struct lab_out *o);
/* A file of its own, whole. */
void lab_out_file(struct lab_out *o, const char *name, const void *data, size_t len);
/* LAB_OK and all files are there; or LAB_BAD / LAB_LOCAL, *e says why, and none is. Ends the out either way. */
enum lab_err lab_out_commit(struct lab_out *o, struct yerr *e);
void lab_out_abort(struct lab_out *o);

#endif

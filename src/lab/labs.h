/* Where a lab's files come from: a lab file on disk with the files beside it, or one of the labs that are built
 * into the program with theirs. */
#ifndef LAB_LABS_H
#define LAB_LABS_H

#include "core/net.h"
#include "lab/topo.h"

struct embedded_file {
	const char *path; /* relative to labs/ in the source tree */
	const uint8_t *data;
	size_t len; /* a NUL follows */
};
extern const struct embedded_file lab_embedded[]; /* sorted by path; made by tools/embed.py */
extern const size_t lab_n_embedded;

enum lab_err {
	LAB_OK = 0,
	LAB_NETWORK = 1, /* the network said no */
	LAB_BAD = 2,     /* the user's file, flag or name is wrong */
	LAB_LOCAL = 3    /* this machine said no: unreadable, full */
};

/* A lab's source: its topology, and how to reach the files it names. */
struct lab_source {
	struct topo topo;
	bool builtin;
	char *base; /* folder of the lab file, or prefix in the embedded tree ("") */
};
/* file: a path, or the name of a built-in lab ("internet"). On failure *e says why and *src needs no close. */
enum lab_err lab_source_open(struct lab_source *src, const char *file, struct yerr *e);
void lab_source_close(struct lab_source *src);
/* Files of the built-in labs: "internet.clab.yml"; the name is what stands before the first dot. NULL past the end. */
const char *lab_builtin_name(size_t i);

/* Mount a node's files on its host. */
enum lab_err lab_mount(const struct lab_source *src, const struct topo_node *n, struct net *net, struct yerr *e);

#endif

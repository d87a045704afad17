/* A program of this machine as a node of the lab: what its kernel network must look like. */
#ifndef LAB_GUEST_H
#define LAB_GUEST_H

#include "lab/lab.h"
#include "os/os_ns.h"

/* Describe the node's interfaces, addresses and routes, read from the booted (simulated) node itself, so that a lab file's
 * exec lines mean the same for both. resolv: its /etc/resolv.conf. 0, or -1 with a line in err. */
int lab_guest_describe(struct lab_node *n, struct os_ns_params *p, struct strbuf *resolv, char err[OS_NS_ERR]);
/* Put the child's descriptors where the node's NICs were plugged in. 0 or -errno; descriptors then belong to the lab. */
int lab_guest_plug(struct lab_node *n, const struct os_ns_params *p, struct os_ns_child *c);

#endif

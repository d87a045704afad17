/* A program of this machine in a network of our own: a child process in new mount and network namespaces (inside
 * a new user namespace when we are not root), whose interfaces are descriptors of ours.
 *
 *   parent                              child
 *   os_ns_start  --- fork ------------> unshare; interfaces; addresses, routes; resolv.conf
 *                <-- descriptors -----  (SCM_RIGHTS)
 *   plugs them into the lab
 *   os_ns_go     --- one octet ------>  exec PROGRAM
 *   os_ns_exited <-- pidfd -----------  exit
 */
#ifndef OS_OS_NS_H
#define OS_OS_NS_H

#include "base/types.h"

#define OS_NS_MAX_IFACES 16
#define OS_NS_MAX_ROUTES 256
#define OS_NS_ERR 256

struct os_ns_iface {
	char name[16];
	uint8_t mac[6];
	uint32_t mtu;
};
struct os_ns_addr {
	uint32_t iface; /* index into ifaces */
	uint32_t addr, broadcast;
	uint8_t plen;
};
struct os_ns_route {
	uint32_t iface;
	uint32_t dst, gw, src, metric;
	uint8_t plen;
};
struct os_ns_params {
	struct os_ns_iface iface[OS_NS_MAX_IFACES];
	uint32_t n_ifaces;
	struct os_ns_addr addr[OS_NS_MAX_ROUTES];
	uint32_t n_addrs;
	struct os_ns_route route[OS_NS_MAX_ROUTES];
	uint32_t n_routes;
	const char *resolv_conf; /* text, or NULL: leave the machine's */
	char *const *argv;       /* the program and its arguments, NULL-terminated */
	bool no_tun;             /* take the veth way at once (tests) */
};
struct os_ns_child {
	int pid, pidfd, ctl;
	int fd[OS_NS_MAX_IFACES]; /* frames of each interface */
	bool tun;                 /* TAPs; else packet sockets on veth pairs */
};

/* 0; -1 with one line in err (what is missing and what would help). */
int os_ns_start(const struct os_ns_params *p, struct os_ns_child *c, char err[OS_NS_ERR]);
/* Let the program begin. */
void os_ns_go(struct os_ns_child *c);
/* Has it ended? Then its exit code as a shell would have it (128 + signal; 127 not found, 126 not executable). */
bool os_ns_exited(struct os_ns_child *c, int *code);
/* Pass a signal on. */
void os_ns_kill(struct os_ns_child *c, int sig);
void os_ns_close(struct os_ns_child *c);

#endif

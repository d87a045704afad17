/* Between the two halves of os_ns. */
#ifndef OS_OS_NS_INT_H
#define OS_OS_NS_INT_H

#include "os/os_ns.h"

struct ns_report {
	bool failed, tun;
	char text[OS_NS_ERR];
};
/* The child: never returns. */
void ns_child_main(const struct os_ns_params *p, int ctl) __attribute__((noreturn));

/* os_ns_link.c: what the child asks of its new kernel network, over rtnetlink. 0 or -errno. */
int ns_addr_add(const char *ifname, const struct os_ns_addr *a);
int ns_route_add(const char *ifname, const struct os_ns_route *r);
/* A veth pair: name (with this MAC) in the namespace of ns_fd, peer name here. */
int ns_veth_add(const char *name, const uint8_t mac[6], int ns_fd, const char *peer, uint32_t mtu);
/* Checksums and segments made before the frame leaves: what the lab's cables carry. */
void ns_offloads_off(const char *ifname);
/* A packet socket bound to an interface, non-blocking; or -errno. */
int ns_packet_socket(const char *ifname);

#endif

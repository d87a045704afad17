/* A program's side of the control socket: build a request, send it, walk the replies. */
#ifndef APP_NLC_H
#define APP_NLC_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include "core/task.h"

#define NLC_REQ_MAX 2048

struct nlc_req {
	_Alignas(8) uint8_t buf[NLC_REQ_MAX];
	size_t len;
};
struct nlc {
	struct task *t;
	int fd;
	uint32_t seq;
};
#define NLC_TB_MAX 64
struct nlc_msg {
	uint16_t type;
	const void *hdr; /* family header: struct ifinfomsg, rtmsg, ... */
	const struct nlattr *tb[NLC_TB_MAX];
};

/* protocol: NETLINK_ROUTE, NETLINK_SOCK_DIAG or NETLINK_GENERIC. 0 or -errno. */
int nlc_open(struct nlc *c, struct task *t, int protocol);
void nlc_close(struct nlc *c);
void nlc_begin(struct nlc_req *r, uint16_t type, uint16_t flags, const void *hdr, size_t len);
void nlc_attr(struct nlc_req *r, uint16_t type, const void *data, size_t len);
void nlc_attr_u32(struct nlc_req *r, uint16_t type, uint32_t v);
void nlc_attr_ip4(struct nlc_req *r, uint16_t type, uint32_t addr);
size_t nlc_nest(struct nlc_req *r, uint16_t type);
void nlc_nest_end(struct nlc_req *r, size_t at);
/* Send; call fn (may be NULL) for each reply message, hdrlen: size of the family header. 0 when done or acked,
 * -errno that the host answered. */
int nlc_talk(struct nlc *c, struct nlc_req *r, size_t hdrlen, void (*fn)(const struct nlc_msg *m, void *arg), void *arg);

static inline const void *nlc_data(const struct nlattr *a) { return a + 1; }
static inline size_t nlc_len(const struct nlattr *a) { return a ? (size_t)a->nla_len - sizeof(*a) : 0; }
/* 0 when absent. */
uint32_t nlc_u32(const struct nlattr *a);
uint64_t nlc_u64(const struct nlattr *a, size_t at);
uint32_t nlc_ip4(const struct nlattr *a);
/* Walk nested attributes into tb (indices above max are ignored). */
void nlc_index(const void *data, size_t len, const struct nlattr **tb, unsigned max);

/* Devices by index and name, read once per command. */
struct nlc_link {
	int index;
	char name[16];
};
struct nlc_links {
	struct nlc_link *v;
	size_t n;
};
int nlc_links(struct nlc *c, struct nlc_links *out);
void nlc_links_free(struct nlc_links *l);
const char *nlc_link_name(const struct nlc_links *l, int index);
/* 0 when there is none of that name. */
int nlc_link_index(const struct nlc_links *l, const char *name);

#endif

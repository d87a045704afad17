/* A host's /proc, and sysctls: files made afresh at each read from live state by whoever owns it. */
#ifndef CORE_PROCFS_H
#define CORE_PROCFS_H

#include "base/strbuf.h"
#include "core/net.h"

/* An iterator over live state: start at pos 0.. returns an element or NULL; show appends its text. */
struct seq_operations {
	void *(*start)(struct net *net, void *state, uint64_t pos);
	void *(*next)(struct net *net, void *state, void *v);
	void (*stop)(struct net *net, void *state, void *v);
	void (*show)(struct net *net, struct strbuf *out, void *state, void *v);
	size_t state_size;
};
/* show with v == SEQ_START_TOKEN: the header line. */
#define SEQ_START_TOKEN ((void *)1)

/* path relative to /proc: "net/arp". Either seq ops or one show function. 0 or -EEXIST. */
int proc_create_seq(struct net *net, const char *path, const struct seq_operations *ops);
int proc_create_single(struct net *net, const char *path, void (*show)(struct net *net, struct strbuf *out));
/* Produce a file's text. 0, -ENOENT. */
int proc_read(struct net *net, const char *path, struct strbuf *out);
void proc_list(struct net *net, void (*fn)(const char *path, void *arg), void *arg);

/* sysctl: name as "net.ipv4.ip_forward". Int with bounds, or custom get/set on text. */
struct ctl_table {
	const char *name;
	int32_t *data;          /* int knobs; or NULL with get/set */
	int32_t nr;             /* ints at data (tcp_rmem has 3), 0 = 1 */
	int32_t min, max;       /* each int's bounds; both 0: any */
	void (*changed)(struct net *net, const struct ctl_table *t);
	void (*get)(struct net *net, const struct ctl_table *t, struct strbuf *out);
	int (*set)(struct net *net, const struct ctl_table *t, const char *text);
};
/* The table is copied; data pointers must live as long as the net. */
int register_sysctl(struct net *net, const struct ctl_table *t, size_t n);
/* Names may use '.' or '/'. Returns 0, -ENOENT, -EINVAL (out of bounds, not a number). */
int sysctl_set(struct net *net, const char *name, const char *text);
int sysctl_get(struct net *net, const char *name, struct strbuf *out);
void sysctl_list(struct net *net, void (*fn)(const char *name, void *arg), void *arg);
/* sysctls are also files below /proc/sys. */
extern const struct pernet_operations proc_net_ops;

#endif

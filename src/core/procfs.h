/* A host's /proc, and sysctls: files made afresh at each read from live state by whoever owns it. */
#ifndef CORE_PROCFS_H
#define CORE_PROCFS_H

#include <sys/types.h>
#include "base/strbuf.h"
#include "core/net.h"

/* An iterator over live state, as seq_file(9) has it. proc_read zeroes the state and calls start(0). A file
 * with a header line returns SEQ_START_TOKEN there: show(SEQ_START_TOKEN) prints the line, then come stop and
 * start(1), which finds the first element; next follows until it returns NULL, and stop ends it (also after
 * a NULL). So "start" with pos > 0 means element pos - 1 in a file with a header, element pos without.
 * Either way next() never sees the token. stop may be NULL. */
struct seq_operations {
	void *(*start)(struct net *net, void *state, uint64_t pos);
	void *(*next)(struct net *net, void *state, void *v);
	void (*stop)(struct net *net, void *state, void *v);
	void (*show)(struct net *net, struct strbuf *out, void *state, void *v);
	size_t state_size; /* at most SEQ_STATE_MAX */
};
#define SEQ_STATE_MAX 256
/* show with v == SEQ_START_TOKEN: the header line. */
#define SEQ_START_TOKEN ((void *)1)

/* path relative to /proc: "net/arp". Either seq ops or one show function. 0 or -EEXIST. */
int proc_create_seq(struct net *net, const char *path, const struct seq_operations *ops);
int proc_create_single(struct net *net, const char *path, void (*show)(struct net *net, struct strbuf *out));
/* A file that takes commands: write gets len octets of text (NUL-terminated too) and returns 0 or -errno; what
 * it appends to answer (a listing, the reason of a refusal) is read back through the same descriptor. show may
 * be NULL (reads nothing). */
int proc_create_rw(struct net *net, const char *path, void (*show)(struct net *net, struct strbuf *out),
		   int (*write)(struct net *net, const char *text, size_t len, struct strbuf *answer));
/* 0, the file's -errno, -ENOENT, -EACCES (not writable). */
int proc_write(struct net *net, const char *path, const char *text, size_t len, struct strbuf *answer);
/* 0 or -ENOENT. */
int proc_remove(struct net *net, const char *path);
/* Does it exist, and may it be written? */
bool proc_lookup(struct net *net, const char *path, bool *writable);
/* Produce a file's text. 0, -ENOENT. */
int proc_read(struct net *net, const char *path, struct strbuf *out);
void proc_list(struct net *net, void (*fn)(const char *path, void *arg), void *arg);

/* sysctl: name as "net.ipv4.ip_forward". A number with bounds, or custom get/set on text. The kinds differ in what they take
 * and in how much of a text a write says it took: "5 6" is 5 to a knob of one number, and the write took two octets of an
 * integer's text, all three of an unsigned one's. */
enum ctl_kind {
	CTL_INT,
	CTL_UINT,  /* no sign; data, min and max are taken as uint32_t */
	CTL_ULONG, /* no sign, 64 bits, at wide */
	CTL_MSECS, /* milliseconds in a uint32_t, rounded up to whole jiffies */
	CTL_LINE,  /* with set: it sees the first line of the text with its white space */
};
#define SYSCTL_JIFFY_MS 4u
struct ctl_table {
	const char *name;
	int32_t *data;          /* int knobs; or NULL with get/set */
	int32_t nr;             /* ints at data (tcp_rmem has 3), 0 = 1 */
	int32_t min, max;       /* each int's bounds; both 0: any */
	void (*changed)(struct net *net, const struct ctl_table *t);
	void (*get)(struct net *net, const struct ctl_table *t, struct strbuf *out);
	int (*set)(struct net *net, const struct ctl_table *t, const char *text);
	enum ctl_kind kind;
	uint64_t *wide;         /* CTL_ULONG's, data is NULL then */
	const int32_t *top;     /* another knob whose value is the upper bound, or NULL */
};
/* The table and the names are copied; data pointers must live as long as the net (or until unregistered).
 * 0, or -EEXIST: then nothing of the table is registered. */
int register_sysctl(struct net *net, const struct ctl_table *t, size_t n);
/* Remove every name that begins with prefix ("net.ipv4.conf.eth0."). Returns how many there were. */
size_t unregister_sysctl(struct net *net, const char *prefix);
/* Names may use '.' or '/' as in sysctl(8): what stands first is the separator, and the other of the two is a
 * letter ("net.ipv4.conf.eth0/100.forwarding" is net/ipv4/conf/eth0.100/forwarding). White space around the
 * text is taken off before a knob's own set sees it. Returns 0, -ENOENT, -EINVAL (out of bounds, not a number,
 * too many, too long: then nothing has changed), -EACCES (has no way to be set). */
int sysctl_set(struct net *net, const char *name, const char *text);
/* As write(2) on the knob's file does it, less strict, and as Linux: how many octets of text were taken, 0 for no text (which changes nothing). *pos is the
 * file's position; an integer takes nothing behind 0 and says that it did, as the rest of a text that the first write left.
 * Of several integers those before a wrong one are taken, and the error is told. */
ssize_t sysctl_write(struct net *net, const char *name, const char *text, uint64_t *pos);
/* Appends the value without a newline; several integers are parted by tabs. 0 or -ENOENT. A knob's own get
 * function does the same. */
int sysctl_get(struct net *net, const char *name, struct strbuf *out);
bool sysctl_lookup(struct net *net, const char *name, bool *writable);
/* In order of their paths. */
void sysctl_list(struct net *net, void (*fn)(const char *name, void *arg), void *arg);
/* sysctls are also files below /proc/sys: proc_read, proc_write and proc_list know them as "sys/...". */
extern const struct pernet_operations proc_net_ops; /* both */
int sysctl_net_init(struct net *net);
void sysctl_net_exit(struct net *net);

#endif

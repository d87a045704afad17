/* struct sock: a protocol's end of a socket, and what every protocol shares: buffers and their
 * accounting, wait queue, callbacks, error, options. struct socket (below) is the program's end.
 *
 * Memory: sk_rmem_alloc sums truesize of what waits in the receive queue (skb_set_owner_r),
 * sk_wmem_alloc of what is on its way out (skb_set_owner_w; freed or orphaned gives it back and wakes
 * writers), sk_wmem_queued is TCP's write queue. */
#ifndef CORE_SOCK_H
#define CORE_SOCK_H

#include <poll.h>
#include <sys/socket.h>
#include <linux/errqueue.h>
#include "core/dst.h"
#include "core/skbuff.h"
#include "core/task.h"

struct socket;
struct proto;
struct sock_filter_prog;

#define SOCK_RCVBUF_DEFAULT 212992
#define SOCK_SNDBUF_DEFAULT 212992
#define SOCK_MIN_RCVBUF 2304
#define SOCK_MIN_SNDBUF 4608
/* RFC 9293's states by Linux's numbers (netinet/tcp.h), where the common code needs them. */
#define SK_STATE_ESTABLISHED 1
#define SK_STATE_CLOSE 7
#define SK_STATE_LISTEN 10
/* culver's own socket option at level IPPROTO_TCP, far from Linux's numbers: in the socket map (tcp/sock_map.h). */
#define TCP_SOCKMAP 501
#define SHUT_MASK_RCV 1
#define SHUT_MASK_SEND 2

/* What few sockets ask for: made at the first of these options. */
struct sock_rare {
	uint64_t cookie;                  /* SO_COOKIE: 0 until asked for */
	int32_t peek_off;                 /* SO_PEEK_OFF, with SOCK_F_PEEK_OFF */
	uint32_t busy_poll_us, busy_budget, txtime_flags;
	int32_t txtime_clock, txrehash;
	uint32_t zckey;                   /* datagrams: the next call with MSG_ZEROCOPY */
	struct inet6_opts *v6;            /* an AF_INET6 socket that speaks IPv4 (ipv4/af_inet6.c); NULL: none */
};

struct sock {
	struct net *net;
	const struct proto *prot;
	struct socket *socket; /* NULL: orphan (closed by the program) or not accepted yet */
	struct hlist_node node; /* protocol's hash */
	struct hlist_node bind_node;
	int32_t refcnt;
	uint16_t family;
	uint16_t type;
	uint8_t protocol;
	uint8_t state; /* TCP_ESTABLISHED..., also used by UDP/raw (CLOSE / ESTABLISHED) */
	uint8_t reuse, reuseport;
	int bound_dev_if;

	int err, err_soft; /* positive errno, taken by sock_error() */
	uint8_t shutdown;  /* 1 RCV, 2 SEND */
	bool dead;         /* orphan */
	bool zapped;
	uint8_t userlocks; /* 1 SNDBUF, 2 RCVBUF set by the program; 4 bind addr, 8 bind port */
	uint32_t flags;    /* enum sock_flags bits */
	uint32_t mark, priority;
	int32_t rcvlowat;
	uint16_t gso_max_segs;
	int16_t incoming_cpu;
	uint64_t lingertime_ns;
	uint64_t rcvtimeo_ns, sndtimeo_ns; /* TIME_NEVER: none */

	struct sk_buff_head receive_queue, write_queue, error_queue;
	int32_t rcvbuf, sndbuf;
	int32_t rmem_alloc, wmem_alloc, wmem_queued;
	uint32_t drops;
	uint64_t pacing_rate, max_pacing_rate; /* bytes per second; ~0 none */

	struct dst_entry *dst_cache;
	struct wait_queue_head wq_own;
	struct wait_queue_head *wq; /* socket's, or wq_own */

	void (*state_change)(struct sock *sk);
	void (*data_ready)(struct sock *sk);
	void (*write_space)(struct sock *sk);
	void (*error_report)(struct sock *sk);
	void (*destruct)(struct sock *sk);
	struct sock_filter_prog *filter;
	uint32_t tsflags, tskey;
	uint64_t ino; /* shown in /proc/net/tcp */
	uint32_t uid;
	uint32_t owner_pid;
	char owner_comm[16];
	struct sock_rare *rare; /* NULL until one of its options is set (sock_rare()) */
};

enum sock_flags {
	SOCK_F_DEAD = 1, SOCK_F_DONE = 2, SOCK_F_URGINLINE = 4, SOCK_F_KEEPOPEN = 8, SOCK_F_LINGER = 16,
	SOCK_F_BROADCAST = 32, SOCK_F_TIMESTAMP = 64, SOCK_F_RCVTSTAMP = 128, SOCK_F_ZEROCOPY = 256,
	SOCK_F_DONTROUTE = 512, SOCK_F_NO_CHECK_TX = 1024, SOCK_F_PASSSEC = 2048,
	SOCK_F_DESTROY = 4096 /* prot->destroy was called (sk_prot_destroy) */,
	SOCK_F_RCVTSTAMPNS = 8192, SOCK_F_RXQ_OVFL = 16384, SOCK_F_FILTER_LOCKED = 32768,
	SOCK_F_SELECT_ERR_QUEUE = 65536, SOCK_F_DBG = 131072, SOCK_F_RCVMARK = 1 << 18, SOCK_F_RCVPRIORITY = 1 << 19,
	SOCK_F_TXTIME = 1 << 20, SOCK_F_TXTIME_ERR = 1 << 21, SOCK_F_PREFER_BUSY = 1 << 22, SOCK_F_PEEK_OFF = 1 << 23,
	SOCK_F_WIFI_STATUS = 1 << 24, SOCK_F_NOFCS = 1 << 25,
	SOCK_F_TSTAMP_NEW = 1 << 27 /* with RCVTSTAMP: SO_TIMESTAMP_NEW, _TIMESTAMPNS_NEW */,
	SOCK_F_NO_GSO = 1 << 26 /* no trains, whatever the device takes: each segment is signed */
};

struct timewait_sock_ops;
struct request_sock_ops;

/* A transport protocol. All calls: 0/positive or -errno; msg's control data and flags as in Linux. */
struct proto {
	const char *name;
	size_t obj_size;
	int (*init)(struct sock *sk);
	void (*destroy)(struct sock *sk);
	void (*close)(struct sock *sk, uint64_t timeout_ns);
	int (*pre_connect)(struct sock *sk, struct sockaddr *addr, socklen_t len);
	int (*connect)(struct sock *sk, struct sockaddr *addr, socklen_t len);
	int (*disconnect)(struct sock *sk, int flags);
	struct sock *(*accept)(struct sock *sk, int flags, int *err);
	int (*ioctl)(struct sock *sk, unsigned long cmd, void *arg);
	void (*shutdown)(struct sock *sk, int how);
	int (*setsockopt)(struct sock *sk, int level, int name, const void *val, socklen_t len);
	int (*getsockopt)(struct sock *sk, int level, int name, void *val, socklen_t *len);
	ssize_t (*sendmsg)(struct sock *sk, struct msghdr *msg, size_t len);
	ssize_t (*recvmsg)(struct sock *sk, struct msghdr *msg, size_t len, int flags, socklen_t *addr_len);
	int (*bind)(struct sock *sk, struct sockaddr *addr, socklen_t len);
	int (*backlog_rcv)(struct sock *sk, struct sk_buff *skb);
	int (*hash)(struct sock *sk);
	void (*unhash)(struct sock *sk);
	/* Claim a local port (0: choose). 0 or -EADDRINUSE. */
	int (*get_port)(struct sock *sk, uint16_t port);
	struct pool *(*pool)(struct net *net); /* where obj_size comes from */
	/* Optional: SO_KEEPALIVE and SO_RCVLOWAT were set (the flag or value is stored by the caller before). */
	void (*keepalive)(struct sock *sk, bool on);
	void (*set_rcvlowat)(struct sock *sk, int32_t val);
	/* SO_BINDTODEVICE moved the socket to another device: hash it anew. Optional. */
	void (*rehash)(struct sock *sk);
	/* SOF_TIMESTAMPING_OPT_STATS: netlink attributes for the error queue. NULL: no memory. Optional. */
	struct sk_buff *(*tstamp_stats)(struct sock *sk);
	/* SO_TIMESTAMPING with OPT_ID: from which byte a stream counts (connected; sent or acknowledged). Optional. */
	uint32_t (*tskey_start)(const struct sock *sk, bool unsent);
};

/* A zeroed object with one reference, out of prot->pool. The family's create() then calls sock_init_data,
 * sets what is its own, and prot->init. NULL: no memory. */
struct sock *sk_alloc(struct net *net, int family, int type, int protocol, const struct proto *prot);
/* Queues, limits, callbacks, owner. sock may be NULL (a socket that nobody has accepted yet). */
void sock_init_data(struct socket *sock, struct sock *sk);
static inline struct sock *sock_hold(struct sock *sk)
{
	sk->refcnt++;
	return sk;
}
/* At zero: sk_prot_destroy, destruct, purge of the queues (SOCKET_CLOSE), back to the pool. Packets on their
 * way out hold a reference (skb_set_owner_w takes it, sock_wfree gives it back; a destructor of a protocol's
 * own does the same). */
void sock_put(struct sock *sk);
/* prot->destroy, once: a protocol that closes early (sk_common_release, inet_csk_destroy_sock) calls this
 * instead of prot->destroy, so that the last sock_put does not repeat it. */
void sk_prot_destroy(struct sock *sk);
void sock_orphan(struct sock *sk);
void sock_graft(struct sock *sk, struct socket *parent);
static inline bool sock_flag(const struct sock *sk, uint32_t f) { return (sk->flags & f) != 0; }
static inline void sock_set_flag(struct sock *sk, uint32_t f, bool on) { sk->flags = on ? sk->flags | f : sk->flags & ~f; }

/* Take the pending error: 0 or -errno. */
static inline int sock_error(struct sock *sk)
{
	int e = sk->err;
	sk->err = 0;
	return -e;
}
void skb_set_owner_w(struct sk_buff *skb, struct sock *sk);
void skb_set_owner_r(struct sk_buff *skb, struct sock *sk);
void sock_wfree(struct sk_buff *skb);
void sock_rfree(struct sk_buff *skb);
/* An skb charged to sk's send buffer; waits for room unless noblock. NULL: *err. */
struct sk_buff *sock_alloc_send_skb(struct sock *sk, uint32_t size, bool noblock, int *err);
/* May a datagram protocol send more? (wmem_alloc against half of sndbuf) */
static inline bool sock_writeable(const struct sock *sk)
{
	return sk->wmem_alloc < sk->sndbuf / 2;
}
/* POLL bits that follow from queues, shutdown and error; for datagram families. */
uint32_t datagram_poll(struct socket *s);
/* Queue on receive_queue if rcvbuf allows; calls data_ready. 0, -ENOMEM (caller drops), or -EPERM (filter). */
int sock_queue_rcv_skb(struct sock *sk, struct sk_buff *skb);
/* The same for the error queue, with sock_exterr_skb in skb->cb; calls error_report. 0 or -ENOMEM. */
int sock_queue_err_skb(struct sock *sk, struct sk_buff *skb);
/* What stands in cb of an skb on error_queue. The skb's data is the quoted payload. */
struct sock_exterr_skb {
	struct sock_extended_err ee;
	uint32_t addr;     /* host order: whom the failed packet was for */
	uint32_t offender; /* who said so (SO_EE_OFFENDER) */
	uint16_t port;
	bool has_addr, has_offender;
	bool opt_stats; /* its data are netlink attributes (SOF_TIMESTAMPING_OPT_STATS) */
};
static inline struct sock_exterr_skb *skb_ext_err(struct sk_buff *skb)
{
	return (struct sock_exterr_skb *)(void *)skb->cb;
}
/* Next on the error queue, never waits; sets sk->err to the error of the one after it, as Linux does. */
struct sk_buff *sock_dequeue_err_skb(struct sock *sk);
/* A timestamp of a sent packet (SO_TIMESTAMPING): queues SCM_TSTAMP_* with key on the error queue. */
void sock_tx_timestamp(struct sock *sk, const struct sk_buff *orig, int tstype, uint32_t key);
/* How a packet that leaves is marked so that its sender will be told: tsflags from the socket or a control message.
 * Takes the next OPT_ID of a datagram socket. */
uint8_t sock_tx_flags(uint32_t tsflags);
void sock_skb_tx_timestamp(struct sock *sk, struct sk_buff *skb, uint32_t tsflags);
/* On its way out: SCM_TSTAMP_SCHED, SCM_TSTAMP_SND. */
void skb_tstamp_tx_(struct sk_buff *skb, int tstype);
static inline void skb_tstamp_tx(struct sk_buff *skb, uint8_t flag, int tstype)
{
	if (unlikely(skb_shinfo(skb)->tx_flags & flag))
		skb_tstamp_tx_(skb, tstype);
}
/* The memory of calls lo to hi with MSG_ZEROCOPY is the program's again. */
void sock_zerocopy_done(struct sock *sk, uint32_t lo, uint32_t hi, bool copied);
/* What a sendmsg says beside its data at level SOL_SOCKET (SO_MARK, SO_TIMESTAMPING, SO_PRIORITY, SCM_TXTIME). */
struct sockcm_cookie {
	uint64_t transmit_time;
	uint32_t mark, priority, tsflags;
};
static inline void sockcm_init(struct sockcm_cookie *c, const struct sock *sk)
{
	*c = (struct sockcm_cookie){ .mark = sk->mark, .priority = sk->priority, .tsflags = sk->tsflags };
}
/* SO_PEEK_OFF: where MSG_PEEK begins, and that len octets were peeked or read. */
static inline uint32_t sock_peek_offset(const struct sock *sk)
{
	return unlikely(sock_flag(sk, SOCK_F_PEEK_OFF)) && sk->rare->peek_off > 0 ? (uint32_t)sk->rare->peek_off : 0;
}
struct sock_rare *sock_rare(struct sock *sk);
void sock_peeked_(struct sock *sk, int flags, uint32_t len);
static inline void sock_peeked(struct sock *sk, int flags, uint32_t len)
{
	if (unlikely(sock_flag(sk, SOCK_F_PEEK_OFF)))
		sock_peeked_(sk, flags, len);
}
/* One message, or all (others' levels are passed over). 0 or -EINVAL, -EPERM. */
int sock_cmsg_one(struct sock *sk, const struct cmsghdr *c, struct sockcm_cookie *out);
int sock_cmsg_send(struct sock *sk, struct msghdr *msg, struct sockcm_cookie *out);
/* Next datagram; waits. flags MSG_*. NULL: *err (0: shut down for reading). MSG_PEEK leaves it (users+1). */
struct sk_buff *skb_recv_datagram(struct sock *sk, int flags, int *err);
void sock_def_readable(struct sock *sk);
void sock_def_write_space(struct sock *sk);
void sock_def_error_report(struct sock *sk);
void sock_def_wakeup(struct sock *sk);
/* Classic BPF on a socket (SO_ATTACH_FILTER): octets of the packet to keep, 0: drop. No filter: all. */
uint32_t sk_run_filter(struct sock *sk, struct sk_buff *skb);
struct sock_fprog;
/* Check and copy a program. 0, -EINVAL, -EFAULT. */
int sk_attach_filter(struct sock *sk, const struct sock_fprog *fprog);
int sk_detach_filter(struct sock *sk);
/* The program; *len: how many instructions there is room for, then how many it has (0: only that was asked).
 * -EINVAL: too little room. */
int sk_get_filter(const struct sock *sk, void *val, socklen_t *len);
/* A child socket shares its listener's program (reference counted). */
void sk_filter_copy(struct sock *child, const struct sock *parent);
/* SOL_SOCKET options common to all. -ENOPROTOOPT when unknown. */
int sock_setsockopt(struct sock *sk, int name, const void *val, socklen_t len);
int sock_getsockopt(struct sock *sk, int name, void *val, socklen_t *len);
static inline uint64_t sock_deadline(uint64_t now, uint64_t timeo, bool noblock)
{
	return noblock ? now : timeo >= TIME_NEVER - now ? TIME_NEVER : now + timeo;
}
/* Cached route, validated: NULL when there is none or it went stale (then released). */
struct dst_entry *__sk_dst_check(struct sock *sk, uint32_t cookie);
/* Takes over the reference. */
void sk_dst_set(struct sock *sk, struct dst_entry *dst);
void sk_dst_reset(struct sock *sk);
void sk_setup_caps(struct sock *sk, struct dst_entry *dst);
/* What SO_TIMESTAMP(NS), SO_TIMESTAMPING and SO_RXQ_OVFL promise a receiver. Times are the host's clock
 * (net->now_ns: nanoseconds since the world's epoch). */
void sock_recv_timestamp(struct msghdr *msg, struct sock *sk, struct sk_buff *skb);
/* The times alone; sent: of a packet that left. */
void sock_put_timestamps(struct msghdr *msg, struct sock *sk, uint64_t ns, bool sent);
/* Append one control message to a recvmsg; sets MSG_CTRUNC when it does not fit. */
int put_cmsg(struct msghdr *msg, int level, int type, size_t len, const void *data);

/* struct socket: the program's end; one per descriptor of kind socket. */
enum socket_state_ { SS_FREE_, SS_UNCONNECTED_, SS_CONNECTING_, SS_CONNECTED_, SS_DISCONNECTING_ };
struct proto_ops;
struct socket {
	struct net *net;
	enum socket_state_ state;
	int type;
	struct sock *sk;
	const struct proto_ops *ops;
	struct wait_queue_head wq;
	bool nonblock;
};
struct proto_ops {
	int family;
	int (*release)(struct socket *s);
	int (*bind)(struct socket *s, struct sockaddr *a, socklen_t len);
	int (*connect)(struct socket *s, struct sockaddr *a, socklen_t len, int flags /* O_NONBLOCK */);
	int (*accept)(struct socket *s, struct socket *newsock, int flags);
	/* peer: 0 getsockname, 1 getpeername. Returns address length. */
	int (*getname)(struct socket *s, struct sockaddr *a, int peer);
	uint32_t (*poll)(struct socket *s);
	int (*ioctl)(struct socket *s, unsigned long cmd, void *arg);
	int (*listen)(struct socket *s, int backlog);
	int (*shutdown)(struct socket *s, int how);
	int (*setsockopt)(struct socket *s, int level, int name, const void *val, socklen_t len);
	int (*getsockopt)(struct socket *s, int level, int name, void *val, socklen_t *len);
	ssize_t (*sendmsg)(struct socket *s, struct msghdr *m, size_t len);
	ssize_t (*recvmsg)(struct socket *s, struct msghdr *m, size_t len, int flags);
};
/* An address family: socket() for it. */
struct net_proto_family {
	int family;
	int (*create)(struct net *net, struct socket *sock, int protocol);
};
#define SOCK_MAX_FAMILIES 4
#define SOCKSTAT_MAX 8
struct sock_net {
	const struct net_proto_family *families[SOCK_MAX_FAMILIES];
	uint32_t nr_families, nr_sockstat;
	void (*sockstat[SOCKSTAT_MAX])(struct net *net, struct strbuf *out);
	uint64_t next_ino, next_cookie;
	uint64_t inuse;
	struct list_head all_files; /* socket/ */
	uint32_t rmem_default, rmem_max, wmem_default, wmem_max, somaxconn, optmem_max;
	uint64_t syscalls[64];
	uint64_t files_open;
	struct socket_net *room; /* socket/'s own */
};
int sock_register(struct net *net, const struct net_proto_family *fam);
/* Append lines ("TCP: inuse ...") to /proc/net/sockstat behind the common first one, in order of calls. */
int sockstat_register(struct net *net, void (*show)(struct net *net, struct strbuf *out));
extern const struct pernet_operations sock_net_ops;

#endif

/* What programs may know of TCP: /proc/net/tcp in Linux's columns, and sock_diag (sock_diag(7)) for ss.
 *
 * Made afresh from the hash tables, listeners first, each part sorted, because a keyed hash has no order to show.
 * Pointers are printed as zero, as Linux does for programs without privilege. Tests: tests/unit/tcp. */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include "core/procfs.h"
#include "core/rtnl.h"
#include "ipv4/ip.h"
#include "ipv4/tcp_ipv4.h"
#include "tcp/inet_hashtables.h"
#include "tcp/tcp_auth.h"
#include "tcp/tcp_info.h"

struct row {
	uint32_t laddr, raddr, tx, rx, timer_when_ms, retrans, uid, probes;
	uint16_t lport, rport;
	uint8_t state, timer;
	uint64_t ino;
	const struct sock *sk; /* NULL: request or TIME-WAIT */
};

static uint32_t left_ms(const struct net *net, uint64_t deadline)
{
	return deadline == TIME_NEVER || deadline <= net->now_ns ? 0 : (uint32_t)min_u64((deadline - net->now_ns) / NSEC_PER_MSEC, 0xffffffffu);
}

static void row_sock(const struct sock *sk, struct row *r)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);

	*r = (struct row){ .laddr = inet_sk(sk)->rcv_saddr, .raddr = inet_sk(sk)->daddr, .lport = inet_sk(sk)->num,
			   .rport = inet_sk(sk)->dport, .state = sk->state, .uid = sk->uid, .ino = sk->socket ? sk->ino : 0, .sk = sk };
	if (sk->state == TCP_LISTEN) {
		r->rx = icsk->listener->qlen;
		r->laddr = inet_sk(sk)->rcv_saddr;
		return;
	}
	r->tx = tp->write_seq - tp->snd_una;
	r->rx = tp->rcv_nxt - tp->copied_seq;
	r->retrans = icsk->retransmits;
	r->probes = icsk->probes_out;
	if (icsk->pending == ICSK_TIME_PROBE0) {
		r->timer = 4;
		r->timer_when_ms = left_ms(sk->net, tcp_sk(sk)->fl->rto_deadline_ns);
	} else if (icsk->pending != ICSK_TIME_NONE) {
		r->timer = 1;
		r->timer_when_ms = left_ms(sk->net, tcp_sk(sk)->fl->rto_deadline_ns);
	} else if (icsk->keep_deadline_ns != TIME_NEVER) {
		r->timer = 2;
		r->timer_when_ms = left_ms(sk->net, icsk->keep_deadline_ns);
	}
}

static void row_node(const struct tcp_ehash_node *n, struct row *r)
{
	*r = (struct row){ .laddr = n->saddr, .raddr = n->daddr, .lport = n->num, .rport = n->dport };
	if (n->kind == TCP_EH_REQ) {
		const struct request_sock *req = container_of(n, struct request_sock, eh);

		r->state = TCP_SYN_RECV;
		r->timer = 1;
		r->timer_when_ms = left_ms(req->net, req->timer.expires_ns);
		r->retrans = req->num_timeout;
		r->uid = req->lsk->uid;
	} else {
		const struct tcp_timewait_sock *tw = container_of(n, struct tcp_timewait_sock, eh);

		r->state = tw->substate;
		r->timer = 3;
		r->timer_when_ms = left_ms(tw->net, tw->expires_ns);
	}
}

struct walk {
	void (*fn)(const struct row *r, void *arg);
	void *arg;
};
static void walk_listener(struct sock *sk, void *arg)
{
	struct walk *w = arg;
	struct row r;

	row_sock(sk, &r);
	w->fn(&r, w->arg);
}

static void walk_all(struct net *net, void (*fn)(const struct row *r, void *arg), void *arg)
{
	struct walk w = { fn, arg };
	struct tcp_ehash_node **v;
	size_t n;

	tcp_for_each_listener(net, walk_listener, &w);
	n = tcp_ehash_snapshot(net, &v);
	for (size_t i = 0; i < n; i++) {
		struct row r;

		if (v[i]->kind == TCP_EH_SOCK)
			row_sock(&container_of(v[i], struct inet_connection_sock, eh)->inet.sk, &r);
		else
			row_node(v[i], &r);
		fn(&r, arg);
	}
	free(v);
}

/* ---- /proc/net/tcp ---- */
struct proc_walk {
	struct strbuf *out;
	unsigned sl;
};

static void proc_row(const struct row *r, void *arg)
{
	struct proc_walk *p = arg;
	size_t start = p->out->len;

	/* addresses as the kernel prints them on a little-endian machine: network order read as an integer */
	sb_printf(p->out, "%4u: %08X:%04X %08X:%04X %02X %08X:%08X %02X:%08X %08X %5u %8u %llu", p->sl++, htonl(r->laddr), r->lport,
		  htonl(r->raddr), r->rport, r->state, r->tx, r->rx, r->timer, r->timer_when_ms / 10, r->retrans, r->uid, r->probes,
		  (unsigned long long)r->ino);
	if (r->sk) {
		const struct inet_connection_sock *icsk = inet_csk(r->sk);
		const struct tcp_sock *tp = tcp_sk(r->sk);

		sb_printf(p->out, " %d 0000000000000000 %u %u %u %u %d", r->sk->refcnt, icsk->rto_us / 10000, icsk->ato_us / 10000,
			  ((uint32_t)icsk->quick << 1) | (icsk->pingpong >= tcp_pingpong_thresh(r->sk)), tp->snd_cwnd,
			  r->state == TCP_LISTEN ? 0 : tcp_in_slow_start(tp) ? -1 : (int)tp->snd_ssthresh);
	} else {
		sb_puts(p->out, r->state == TCP_SYN_RECV ? " 1 0000000000000000" : " 3 0000000000000000");
	}
	while (p->out->len - start < 149)
		sb_putc(p->out, ' ');
	sb_putc(p->out, '\n');
}

static void tcp4_proc_show(struct net *net, struct strbuf *out)
{
	struct proc_walk p = { out, 0 };
	size_t start = out->len;

	sb_puts(out, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode");
	while (out->len - start < 149)
		sb_putc(out, ' ');
	sb_putc(out, '\n');
	walk_all(net, proc_row, &p);
}

/* Signature keys (RFC 2385), the youngest first: told without being asked for, to root, as who every task is here. */
#define DIAG_MD5_KEYS_MAX 64
struct diag_md5sig { /* linux/tcp.h: tcp_diag_md5sig */
	uint8_t family, prefixlen;
	uint16_t keylen;
	uint8_t addr[16], key[80];
};
static void put_md5_keys(struct nl_reply *r, const struct sock *sk)
{
	const struct tcp_auth *a = tcp_auth_of(sk);
	struct diag_md5sig *v;
	struct tcp_peer_key *k;
	size_t n = 0;

	if (likely(!a) || list_empty(&a->md5.all))
		return;
	v = xcalloc(DIAG_MD5_KEYS_MAX, sizeof(*v));
	list_for_each_entry(k, &a->md5.all, list) {
		const struct tcp_md5_key *key = container_of(k, struct tcp_md5_key, k);

		v[n].family = AF_INET;
		v[n].prefixlen = k->prefix;
		v[n].keylen = key->keylen;
		put_be32(v[n].addr, k->addr);
		memcpy(v[n].key, key->key, key->keylen);
		if (++n == DIAG_MD5_KEYS_MAX)
			break;
	}
	nl_attr(r, INET_DIAG_MD5SIG, v, n * sizeof(*v));
	free(v);
}

/* ---- sock_diag ---- */
struct diag_walk {
	struct nl_reply *reply;
	const struct inet_diag_req_v2 *req;
};

static void diag_row(const struct row *r, void *arg)
{
	struct diag_walk *d = arg;
	struct inet_diag_msg m = { .idiag_family = AF_INET, .idiag_state = r->state, .idiag_timer = r->timer };

	if (!(d->req->idiag_states & (1u << r->state)))
		return;
	if ((d->req->id.idiag_sport && ntohs(d->req->id.idiag_sport) != r->lport) ||
	    (d->req->id.idiag_dport && ntohs(d->req->id.idiag_dport) != r->rport))
		return;
	m.idiag_retrans = (uint8_t)min_u32(r->timer == 4 ? r->probes : r->retrans, 255);
	m.id.idiag_sport = htons(r->lport);
	m.id.idiag_dport = htons(r->rport);
	m.id.idiag_src[0] = htonl(r->laddr);
	m.id.idiag_dst[0] = htonl(r->raddr);
	m.id.idiag_if = r->sk ? (uint32_t)r->sk->bound_dev_if : 0;
	m.idiag_expires = r->timer_when_ms;
	m.idiag_rqueue = r->rx;
	m.idiag_wqueue = r->sk && r->state == TCP_LISTEN ? inet_csk(r->sk)->listener->max_qlen : r->tx;
	m.idiag_uid = r->uid;
	m.idiag_inode = (uint32_t)r->ino;
	nl_begin(d->reply, SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, &m, sizeof(m));
	if (r->sk && (d->req->idiag_ext & (1 << (INET_DIAG_INFO - 1)))) {
		struct tcp_info_full ti;

		tcp_get_info((struct sock *)(void *)(uintptr_t)r->sk, &ti);
		nl_attr(d->reply, INET_DIAG_INFO, &ti, sizeof(ti));
	}
	if (r->sk && (d->req->idiag_ext & (1 << (INET_DIAG_SKMEMINFO - 1)))) {
		uint32_t mem[SK_MEMINFO_VARS];
		socklen_t len = sizeof(mem);

		if (!sock_getsockopt((struct sock *)(void *)(uintptr_t)r->sk, SO_MEMINFO, mem, &len))
			nl_attr(d->reply, INET_DIAG_SKMEMINFO, mem, len);
	}
	if (r->sk)
		put_md5_keys(d->reply, r->sk);
	if (r->sk && (d->req->idiag_ext & (1 << (INET_DIAG_CONG - 1))))
		nl_attr_str(d->reply, INET_DIAG_CONG, inet_csk(r->sk)->ca_ops->name);
	if (r->sk && (d->req->idiag_ext & (1 << (INET_DIAG_VEGASINFO - 1))) && r->state != TCP_LISTEN && inet_csk(r->sk)->ca_ops->get_info) {
		uint8_t info[TCP_CC_INFO_MAX];
		size_t n = inet_csk(r->sk)->ca_ops->get_info(r->sk, info);

		if (n)
			nl_attr(d->reply, INET_DIAG_BBRINFO, info, n); /* the only algorithm that has something to tell */
	}
	nl_end(d->reply);
}

int tcp_diag_dump(struct net *net, const struct nlmsghdr *h, struct nl_reply *r)
{
	const struct inet_diag_req_v2 *req;
	struct diag_walk d;

	if (h->nlmsg_len < NLMSG_HDRLEN + sizeof(*req))
		return -EINVAL;
	req = (const struct inet_diag_req_v2 *)(const void *)((const char *)h + NLMSG_HDRLEN);
	if (req->sdiag_family != AF_INET)
		return 0;
	if (req->sdiag_protocol != IPPROTO_TCP)
		return -ENOENT;
	d = (struct diag_walk){ r, req };
	walk_all(net, diag_row, &d);
	return 0;
}

int tcp4_proc_init(struct net *net)
{
	const struct rtnl_handler diag = { .protocol = NETLINK_SOCK_DIAG, .type = SOCK_DIAG_BY_FAMILY, .dumpit = tcp_diag_dump };
	int err = proc_create_single(net, "net/tcp", tcp4_proc_show);

	if (err)
		return err;
	err = rtnl_register(net, &diag, 1);
	return err == -EEXIST ? 0 : err; /* another protocol's dispatcher came first and calls tcp_diag_dump */
}

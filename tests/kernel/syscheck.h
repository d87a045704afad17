/* syscheck: one case of system calls, told in words, and what each of them said. One source, compiled twice: against
 * this machine's libc, and against culver's socket/syscall.h (kernel-culver).
 *
 * A case is "WORD ARG... ; WORD ARG... ; ...". Sockets are called a to z; 9 is a descriptor that is not open. Ports p0
 * to p9 belong to the case (op "ports N" sets p0); a port of the ephemeral range is shown as e1, e2, ... in the order in which
 * they appear. The words are in the table of syscheck.c. */
#ifndef KERNEL_SYSCHECK_H
#define KERNEL_SYSCHECK_H

#ifdef SYSCHECK_LIBC
#include "sys_libc.h"
#else
#include "core/task.h"
#include "socket/syscall.h"
static inline uint64_t sc_signals(struct task *t)
{
	uint64_t mask = t->pending_signals;

	t->pending_signals = 0;
	return mask;
}
static inline long sc_self(struct task *t) { return t->pid; }
#endif

#include <stdio.h>

#define SC_MAX_ARGS 12
#define SC_BUF 70000
#define SC_EPH 16
#define SC_FLOWS 16
#define SC_FRAME 2100

struct sc_flow { /* one direction of a flow, for relative numbers */
	uint32_t src, dst, isn;
	uint16_t sport, dport, id0;
	uint8_t proto;
};
struct sc {
	struct task *t;
	int fd[26];
	uint16_t port0, eph[SC_EPH];
	int n_eph, sniff;
	bool sniff_lo, sniff_arp, sniff_ids;
	bool fast; /* do not let things settle after each call */
	struct sc_flow flow[SC_FLOWS];
	int n_flows;
	uint8_t last[SC_FRAME]; /* the last packet of UDP, TCP or ICMP echo that went out, from its IP header */
	size_t last_len;
	char *argv[SC_MAX_ARGS];
	int argc;
	uint8_t buf[SC_BUF];
};
struct sc_word {
	const char *name;
	long value;
	int level; /* options */
};

int syscheck(struct task *t, const char *text);

/* syscheck_names.c */
const char *sc_errno(long e); /* of -errno: "EINVAL"; numbers >= 0 never come */
const struct sc_word *sc_option(const char *name);
long sc_flags(const char *s);       /* "MSG_PEEK|MSG_DONTWAIT" without the MSG_; or a number */
long sc_number(const char *s);      /* 12, 0x1f, -1, or a known name of a family, type or protocol */
const char *sc_events(short revents, char out[64]);

/* syscheck.c */
int sc_fd(struct sc *s, const char *name);
int sc_port_show(struct sc *s, uint16_t port, char out[8]);
/* syscheck_wire.c: sniff DEV, frames, icmp TYPE CODE [WORD], seg FLAGS SEQ ACK LEN */
void sc_sniff(struct sc *s);
void sc_frames(struct sc *s);
void sc_icmp(struct sc *s);
void sc_seg(struct sc *s);
/* syscheck_knob.c: knob NAME [VALUE...]: what a sysctl's file takes; VALUE is written first and last */
void sc_knob(struct sc *s);
/* syscheck_audit.c */
void sc_audit(struct sc *s);

#endif

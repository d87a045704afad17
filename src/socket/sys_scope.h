/* The frame of every system call: count it, trace it, and make the caller the host's current task. */
#ifndef SOCKET_SYS_SCOPE_H
#define SOCKET_SYS_SCOPE_H

#include "core/sock.h"
#include "socket/strace.h"
#include "socket/syscall.h"

struct sys_scope {
	struct task *t, *prev;
	struct trace_ctx *prev_ctx;
};

static inline struct sys_scope sys_enter(struct task *t, enum sys_nr nr)
{
	struct net *net = t->net;
	struct sys_scope sc = { t, net->current, net->probe.ctx };

	t->nr_syscalls++;
	net->socks->syscalls[nr]++;
	if (unlikely(sc.prev != t)) { /* an external caller: a thread, the embedded library */
		net->current = t;
		net->probe.ctx = &t->trace;
	}
	return sc;
}

static inline void sys_leave(struct sys_scope *sc)
{
	if (unlikely(sc->prev != sc->t)) {
		sc->t->net->current = sc->prev;
		sc->t->net->probe.ctx = sc->prev_ctx;
	}
}

#define SYSCALL(t, nr, name)                                                          \
	__attribute__((cleanup(sys_leave), unused)) struct sys_scope sys_scope_ =     \
		sys_enter((t), (nr));                                                 \
	TRACE_FN_AS(&(t)->net->probe, (name), 0)

#endif

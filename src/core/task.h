/* Tasks: a host's processes, as coroutines; wait queues; the one way to sleep.
 *
 *            task_spawn            schedule()                 wake_up()
 *   (new) ----------> RUNNABLE -> RUNNING ---> SLEEPING ------------------> RUNNABLE
 *                                     \--------------> ZOMBIE (main returned; reaped by wait or owner)
 *
 * A system call that must wait does, in a loop:
 *     while (!condition) { err = wait_event_timeout(net, wq, deadline); if (err) ...; }
 * In a lab that switches coroutines; where the current task has no coroutine (embedded, softirq) the
 * call returns -EAGAIN at once; the packetdrill plug-in and threads give their own wait_ops. */
#ifndef CORE_TASK_H
#define CORE_TASK_H

#include "base/list.h"
#include "base/probe.h"
#include "base/strbuf.h"
#include "core/net.h"

enum task_state { TASK_RUNNABLE, TASK_RUNNING, TASK_SLEEPING, TASK_ZOMBIE };

#define TASK_SIGINT 2
#define TASK_SIGPIPE 13
#define TASK_SIGURG 23
#define TASK_SIG(n) (1ull << ((n) & 63)) /* signals are 1 to 64 */

struct coro;
struct files_struct; /* descriptor table, socket/ */

typedef int (*task_main)(struct task *t, int argc, char **argv);

struct wait_queue_head {
	struct list_head list;
};
struct wait_entry {
	struct list_head list;
	struct task *task;
	/* key: poll events. True: somebody has it; wake_up looks for no further exclusive waiter */
	bool (*func)(struct wait_entry *e, uint32_t key);
	bool exclusive;
};

struct wait_ops {
	/* Sleep until woken or until_ns. 0 woken or timed out; -EINTR; -EAGAIN: cannot sleep. */
	int (*sleep)(struct task *t, uint64_t until_ns);
	void (*wake)(struct task *t);
};

struct task {
	struct net *net;
	uint32_t pid;
	char comm[16];
	enum task_state state;
	int exit_code;
	struct list_head node, run_node;
	struct coro *coro;
	const struct wait_ops *wait_ops;
	struct timer_list timer;
	struct trace_ctx trace;
	struct files_struct *files;
	struct task *parent;
	struct wait_queue_head exit_wq;
	task_main main;
	int argc;
	char **argv;
	char **env; /* "NAME=value", NULL-terminated, owned; may be NULL */
	bool woken, killed, background;
	uint64_t pending_signals; /* TASK_SIG(SIGINT) interrupts sleeps; URG, PIPE, IO and what F_SETSIG says are for the program to see */
	uint32_t cpu;             /* where it runs: by pid, in turn */
	uint32_t bh_saved;        /* bh sections given up while it sleeps */
	struct list_head children, sibling;
	bool orphan;              /* its parent is gone: reaped when it ends */
	bool forced;              /* would not end when told to: stopped where it stood */
	uint32_t nr_eintr;        /* sleeps refused since it was killed */
	uint64_t switches;        /* times it was put on the CPU */
	/* Standard output: owner->write unless this is set. */
	void (*write)(struct task *t, int fd, const char *s, size_t len, void *arg);
	void *write_arg;
	uint64_t nr_syscalls;
	void *owner_data;
};

/* Copies argv. The task starts at the next net_run. Returns NULL when out of stacks. */
struct task *task_spawn(struct net *net, const char *comm, task_main main, int argc, char *const *argv, struct task *parent);
/* A task without coroutine for embedded callers: system calls made with it never sleep. */
struct task *task_new_external(struct net *net, const char *comm, const struct wait_ops *ops);
/* Frees a zombie, or an external task. A task that still runs is killed and run until it ends; one that does not
 * end although TASK_EINTR_MAX of its sleeps were refused is stopped where it stands. Children become orphans. Not for
 * the caller itself. */
#define TASK_EINTR_MAX 1000
void task_free(struct task *t);
/* Run one runnable task until it sleeps or ends. False: none can run (net_run's). */
bool task_run_one(struct net *net);
/* A task waits for a CPU: TIME_NEVER, or when it can run. */
uint64_t task_next_run(const struct net *net);
/* End and free them all (net_free's). */
void task_free_all(struct net *net);
/* Ask it to end: its current and later sleeps return -EINTR. */
void task_kill(struct task *t);
/* Wait for t to end and take its exit code; frees it. Only from another task. */
int task_wait(struct task *self, struct task *t, int *code);

void init_waitqueue_head(struct wait_queue_head *q);
void add_wait_queue(struct wait_queue_head *q, struct wait_entry *e);
void remove_wait_queue(struct wait_entry *e);
/* Set task, and the function that wakes it and leaves the queue. add_wait_queue calls it for an entry without a
 * function; an entry with one of its own stays on the queue until remove_wait_queue. */
void init_wait(struct wait_entry *e, struct task *t);
/* Wake all non-exclusive and up to one exclusive waiter. key: poll mask or 0. */
void wake_up(struct wait_queue_head *q, uint32_t key);
/* Sleep on q once, until woken or deadline (TIME_NEVER: none). 0: look again; -EINTR: killed or signal;
 * -EAGAIN: this task cannot sleep; -ETIMEDOUT: the deadline passed. */
int wait_on(struct net *net, struct wait_queue_head *q, uint64_t deadline_ns);
int wait_on_exclusive(struct net *net, struct wait_queue_head *q, uint64_t deadline_ns);
/* nanosleep in virtual time. */
int task_sleep(struct task *t, uint64_t ns);
void task_wake(struct task *t);

/* Output of programs. */
void task_puts(struct task *t, const char *s);
void task_printf(struct task *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void task_eprintf(struct task *t, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif

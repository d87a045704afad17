/* Wait queues: who sleeps for what, and whom an event wakes.
 *
 * Decides whom to wake: everybody who waits non-exclusively and one of those who wait exclusively,
 * the one that has waited longest; a task once woken leaves the queue, so that the next event wakes
 * the next one. Called by system calls that must wait and by whatever they wait for; hands on to
 * the task's wait_ops. Tests: tests/unit/core/test_task.c. */
#include <errno.h>
#include "core/netdevice.h"
#include "core/task.h"

void init_waitqueue_head(struct wait_queue_head *q)
{
	list_init(&q->list);
}

static bool wake_and_leave(struct wait_entry *e, uint32_t key)
{
	(void)key;
	list_del_init(&e->list);
	task_wake(e->task);
	return true;
}

void init_wait(struct wait_entry *e, struct task *t)
{
	list_init(&e->list);
	e->task = t;
	e->func = wake_and_leave;
	e->exclusive = false;
}

void add_wait_queue(struct wait_queue_head *q, struct wait_entry *e)
{
	if (!e->func)
		e->func = wake_and_leave;
	/* Exclusive waiters behind all others: wake_up may stop at the first of them. */
	if (e->exclusive)
		list_add_tail(&e->list, &q->list);
	else
		list_add(&e->list, &q->list);
}

void remove_wait_queue(struct wait_entry *e)
{
	list_del_init(&e->list);
}

void wake_up(struct wait_queue_head *q, uint32_t key)
{
	struct wait_entry *e, *tmp;

	if (list_empty(&q->list))
		return;
	list_for_each_entry_safe(e, tmp, &q->list, list) {
		bool exclusive = e->exclusive;

		if (e->func(e, key) && exclusive)
			break;
	}
}

static int wait_once(struct net *net, struct wait_queue_head *q, uint64_t deadline_ns,
		     bool exclusive)
{
	struct task *t = net->current;
	struct wait_entry e;
	bool woken;
	int err;

	if (!t || !t->wait_ops)
		return -EAGAIN;
	if (deadline_ns <= net->now_ns)
		return -ETIMEDOUT;
	init_wait(&e, t);
	e.exclusive = exclusive;
	t->woken = false;
	add_wait_queue(q, &e);
	err = t->wait_ops->sleep(t, deadline_ns);
	woken = list_empty(&e.list);
	remove_wait_queue(&e);
	/* Woken exclusively, but dying: the event is for somebody else. */
	if (err && woken && exclusive)
		wake_up(q, 0);
	if (err)
		return err;
	return !woken && net->now_ns >= deadline_ns ? -ETIMEDOUT : 0;
}

int wait_on(struct net *net, struct wait_queue_head *q, uint64_t deadline_ns)
{
	return wait_once(net, q, deadline_ns, false);
}

int wait_on_exclusive(struct net *net, struct wait_queue_head *q, uint64_t deadline_ns)
{
	return wait_once(net, q, deadline_ns, true);
}

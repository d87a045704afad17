/* A server's event loop: many descriptors and many timers, one task. */
#ifndef APP_WEB_LOOP_H
#define APP_WEB_LOOP_H

#include <sys/epoll.h>
#include "base/timer.h"
#include "core/task.h"

#define LOOP_BATCH 64

struct loop;
struct loop_fd {
	int fd;
	uint32_t events; /* EPOLLIN, EPOLLOUT */
	void (*ready)(struct loop_fd *lf, uint32_t events);
};
struct loop {
	struct task *t;
	int ep;
	bool stop;
	struct timer_wheel wheel;
	struct epoll_event batch[LOOP_BATCH];
	int at, n; /* of the batch being worked through */
};
/* Heap: it is large. NULL: *err. */
struct loop *loop_new(struct task *t, int *err);
/* Descriptors still added stay open: their owners close them. */
void loop_free(struct loop *l);
/* 0 or -errno. */
int loop_add(struct loop *l, struct loop_fd *lf, int fd, uint32_t events,
	     void (*ready)(struct loop_fd *lf, uint32_t events));
void loop_want(struct loop *l, struct loop_fd *lf, uint32_t events);
/* Forget lf and close its descriptor; an event already fetched for it is not delivered. */
void loop_close(struct loop *l, struct loop_fd *lf);
/* Until stop is set or the task is asked to end. 0, or -errno of epoll_wait. */
int loop_run(struct loop *l);
static inline uint64_t loop_now(const struct loop *l) { return l->wheel.now_ns; }
void loop_timer(struct loop *l, struct timer_list *t, uint64_t in_ns);

/* A non-blocking socket bound to addr:port, listening when it is a stream. Descriptor or -errno. */
int loop_server_socket(struct task *t, int type, uint32_t addr, uint16_t port, int backlog);

#endif

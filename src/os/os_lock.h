/* Threads of somebody else's program: a lock, waiting and waking, and descriptor numbers of this machine that stand for ours. */
#ifndef OS_OS_LOCK_H
#define OS_OS_LOCK_H

#include "base/types.h"

struct os_lock;
struct os_cond;
struct os_lock *os_lock_new(void);
void os_lock_free(struct os_lock *l);
void os_lock_take(struct os_lock *l);
void os_lock_give(struct os_lock *l);
/* A place to sleep; a sleep gives the lock up, and has it again when it ends. It may end for no reason. */
struct os_cond *os_cond_new(void);
void os_cond_free(struct os_cond *c);
void os_cond_wait(struct os_cond *c, struct os_lock *l);
/* The same for at most ms of this machine's time: false when it was over. */
bool os_cond_wait_ms(struct os_cond *c, struct os_lock *l, unsigned ms);
/* All who sleep there. */
void os_cond_wake(struct os_cond *c);
/* Who is calling: the same number for the same thread. */
uint64_t os_thread_id(void);

/* A descriptor that nothing reads: its number is the point. -errno. */
int os_fd_new(void);
void os_fd_close(int fd);

#endif

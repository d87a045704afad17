/* Locks, sleeping and waking for code that is called by several threads. Called by drill/'s plug-in; decides nothing.
 * Tests: tests/unit/drill/test_drill_plugin.c. */
#include "os/os_lock.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "base/pool.h"

struct os_lock {
	pthread_mutex_t m;
};
struct os_cond {
	pthread_cond_t c;
};

struct os_lock *os_lock_new(void)
{
	struct os_lock *l = xcalloc(1, sizeof(*l));

	pthread_mutex_init(&l->m, NULL);
	return l;
}

void os_lock_free(struct os_lock *l)
{
	pthread_mutex_destroy(&l->m);
	free(l);
}

void os_lock_take(struct os_lock *l)
{
	pthread_mutex_lock(&l->m);
}

void os_lock_give(struct os_lock *l)
{
	pthread_mutex_unlock(&l->m);
}

struct os_cond *os_cond_new(void)
{
	struct os_cond *c = xcalloc(1, sizeof(*c));

	pthread_cond_init(&c->c, NULL);
	return c;
}

void os_cond_free(struct os_cond *c)
{
	pthread_cond_destroy(&c->c);
	free(c);
}

void os_cond_wait(struct os_cond *c, struct os_lock *l)
{
	pthread_cond_wait(&c->c, &l->m);
}

bool os_cond_wait_ms(struct os_cond *c, struct os_lock *l, unsigned ms)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return pthread_cond_timedwait(&c->c, &l->m, &t) != ETIMEDOUT;
}

void os_cond_wake(struct os_cond *c)
{
	pthread_cond_broadcast(&c->c);
}

uint64_t os_thread_id(void)
{
	return (uint64_t)pthread_self();
}

int os_fd_new(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void os_fd_close(int fd)
{
	close(fd);
}

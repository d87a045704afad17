/* Coroutines: stackful, symmetric switch between the owner's stack and a coroutine's. Stacks come
 * from a pool with guard pages. ASan/TSan fibers are told of each switch. This is where #if lives:
 * x86-64 and aarch64 assembly, ucontext elsewhere. */
#ifndef BASE_CORO_H
#define BASE_CORO_H

#include "base/types.h"

struct coro;
struct coro_pool; /* stacks of one world */
typedef void (*coro_fn)(void *arg);

#define CORO_STACK_DEFAULT (128u * 1024u)

struct coro_pool *coro_pool_new(size_t stack_size);
void coro_pool_free(struct coro_pool *p);
/* A coroutine that will run fn(arg) at its first resume. */
struct coro *coro_new(struct coro_pool *p, coro_fn fn, void *arg);
/* Run it until it yields or returns. Returns true while it can be resumed again; false once fn
 * has returned (its stack then goes back by coro_free). */
bool coro_resume(struct coro *c);
/* From inside coroutine c: back to whoever resumed it. */
void coro_yield(struct coro *c);
void coro_free(struct coro *c);

#endif

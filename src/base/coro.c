/* Coroutines: a switch of stacks, and the pool that the stacks come from.
 *
 * Decides nothing; core/task.c runs each program of a host on one. Calls the coroutine's function.
 * Tests: tests/unit/base/test_coro.c (under AddressSanitizer too).
 *
 * One mapping per coroutine:
 *
 *     low                                                                     high
 *      | guard page | stack, growing down ............ first frame | struct coro |
 *
 * A stack overflow hits the guard page and stops the process instead of another coroutine's data.
 * Freed mappings wait in the pool, at most CORO_FREE_MAX of them.
 *
 * Exception from the walls: mmap, mprotect and munmap are called here and not in os/, for os/ stands
 * above base/, and memory is neither input, output nor time. */
#include "base/coro.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/pool.h"

#if defined(__SANITIZE_ADDRESS__)
#define CORO_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CORO_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define CORO_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CORO_TSAN 1
#endif
#endif

#ifdef CORO_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef CORO_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if !defined(__x86_64__) && !defined(__aarch64__)
#define CORO_UCONTEXT 1
#include <ucontext.h>
#endif

#define CORO_FREE_MAX 64u
#define CORO_STACK_MIN 16384u
/* The largest page that these machines have; a guard that wide also stops a long stride. */
#define PAGE_ROUND 65536u
#define CORO_GUARD PAGE_ROUND

enum coro_state { CORO_FRESH, CORO_RUNNING, CORO_PARKED, CORO_DONE };

struct coro {
	struct coro *next; /* in the pool's free list */
	struct coro_pool *pool;
	coro_fn fn;
	void *arg;
	enum coro_state state;
#ifdef CORO_UCONTEXT
	ucontext_t self, owner;
#else
	void *sp, *owner_sp;
#endif
#ifdef CORO_ASAN
	void *fake, *owner_fake; /* AddressSanitizer's stacks for use-after-return */
	const void *owner_bottom;
	size_t owner_size;
#endif
#ifdef CORO_TSAN
	void *fiber, *owner_fiber;
#endif
};

struct coro_pool {
	size_t map_size; /* guard, stack and struct coro */
	size_t guard;
	struct coro *free;
	uint32_t n_free;
	uint32_t live;
};

#define CORO_HDR ((sizeof(struct coro) + 63) & ~(size_t)63)

static char *coro_map(struct coro *c)
{
	return (char *)c + CORO_HDR - c->pool->map_size;
}

static char *coro_bottom(struct coro *c)
{
	return coro_map(c) + c->pool->guard;
}

/* Only the sanitizers and ucontext ask. */
static size_t coro_size(struct coro *c) __attribute__((unused));
static size_t coro_size(struct coro *c)
{
	return (size_t)((char *)c - coro_bottom(c));
}

/* ---- what the sanitizers are told ---- */

/* About to leave the owner's stack for the coroutine's. */
static void tell_enter(struct coro *c)
{
#ifdef CORO_ASAN
	__sanitizer_start_switch_fiber(&c->owner_fake, coro_bottom(c), coro_size(c));
#endif
#ifdef CORO_TSAN
	c->owner_fiber = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(c->fiber, 0);
#endif
	(void)c;
}

/* Back on the owner's stack. */
static void tell_entered_owner(struct coro *c)
{
#ifdef CORO_ASAN
	__sanitizer_finish_switch_fiber(c->owner_fake, NULL, NULL);
#endif
	(void)c;
}

/* About to leave the coroutine's stack, for good or not. */
static void tell_leave(struct coro *c, bool for_good)
{
#ifdef CORO_ASAN
	__sanitizer_start_switch_fiber(for_good ? NULL : &c->fake, c->owner_bottom, c->owner_size);
#endif
#ifdef CORO_TSAN
	__tsan_switch_to_fiber(c->owner_fiber, 0);
#endif
	(void)c;
	(void)for_good;
}

/* On the coroutine's stack, coming from its owner's. */
static void tell_entered_coro(struct coro *c)
{
#ifdef CORO_ASAN
	__sanitizer_finish_switch_fiber(c->fake, &c->owner_bottom, &c->owner_size);
#endif
	(void)c;
}

static void tell_made(struct coro *c)
{
#ifdef CORO_TSAN
	c->fiber = __tsan_create_fiber(0);
#endif
	(void)c;
}

static void tell_gone(struct coro *c)
{
#ifdef CORO_ASAN
	/* An abandoned coroutine leaves red zones on its stack. */
	__asan_unpoison_memory_region(coro_bottom(c), coro_size(c));
#endif
#ifdef CORO_TSAN
	__tsan_destroy_fiber(c->fiber);
#endif
	(void)c;
}

/* ---- the switch ---- */

static void coro_main(struct coro *c) __attribute__((noreturn, used));

#if defined(__x86_64__)
/* coro_switch(from, to): push what a call must preserve (System V ABI), store the stack pointer in
 * *from, take "to" as stack pointer, pop the same. coro_start finds the struct in rbx and the
 * function in r12, where coro_prepare put them; the pushed 0 ends a debugger's walk. */
void coro_switch(void **from, void *to);
void coro_start(void);
__asm__(".text\n"
	".align 16\n"
	".globl coro_switch\n"
	".hidden coro_switch\n"
	".type coro_switch, @function\n"
	"coro_switch:\n"
	"	.cfi_startproc\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	subq $8, %rsp\n"
	"	stmxcsr (%rsp)\n"
	"	fnstcw 4(%rsp)\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	ldmxcsr (%rsp)\n"
	"	fldcw 4(%rsp)\n"
	"	addq $8, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size coro_switch, .-coro_switch\n"
	".align 16\n"
	".globl coro_start\n"
	".hidden coro_start\n"
	".type coro_start, @function\n"
	"coro_start:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined rip\n"
	"	xorl %ebp, %ebp\n"
	"	movq %rbx, %rdi\n"
	"	callq *%r12\n"
	"	ud2\n"
	"	.cfi_endproc\n"
	".size coro_start, .-coro_start\n");

static void coro_prepare(struct coro *c)
{
	/* At coro_start the stack pointer must be a multiple of 16, for it makes a call. */
	uint64_t *sp = (uint64_t *)(void *)((uintptr_t)c & ~(uintptr_t)15);
	uint32_t mxcsr;
	uint16_t fcw;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	__asm__ volatile("fnstcw %0" : "=m"(fcw));
	*--sp = 0;
	*--sp = 0;
	*--sp = (uint64_t)(uintptr_t)coro_start; /* ret */
	*--sp = 0; /* rbp */
	*--sp = (uint64_t)(uintptr_t)c; /* rbx */
	*--sp = (uint64_t)(uintptr_t)coro_main; /* r12 */
	*--sp = 0; /* r13 */
	*--sp = 0; /* r14 */
	*--sp = 0; /* r15 */
	*--sp = (uint64_t)fcw << 32 | mxcsr;
	c->sp = sp;
}
#elif defined(__aarch64__)
/* The same for the AAPCS64: x19 to x30, d8 to d15 and the stack pointer are the callee's to keep.
 * coro_start finds the struct in x19 and the function in x20. */
void coro_switch(void **from, void *to);
void coro_start(void);
__asm__(".text\n"
	".align 4\n"
	".globl coro_switch\n"
	".hidden coro_switch\n"
	".type coro_switch, %function\n"
	"coro_switch:\n"
	"	.cfi_startproc\n"
	"	hint #34\n"
	"	sub sp, sp, #160\n"
	"	stp x19, x20, [sp, #0]\n"
	"	stp x21, x22, [sp, #16]\n"
	"	stp x23, x24, [sp, #32]\n"
	"	stp x25, x26, [sp, #48]\n"
	"	stp x27, x28, [sp, #64]\n"
	"	stp x29, x30, [sp, #80]\n"
	"	stp d8, d9, [sp, #96]\n"
	"	stp d10, d11, [sp, #112]\n"
	"	stp d12, d13, [sp, #128]\n"
	"	stp d14, d15, [sp, #144]\n"
	"	mov x9, sp\n"
	"	str x9, [x0]\n"
	"	mov sp, x1\n"
	"	ldp x19, x20, [sp, #0]\n"
	"	ldp x21, x22, [sp, #16]\n"
	"	ldp x23, x24, [sp, #32]\n"
	"	ldp x25, x26, [sp, #48]\n"
	"	ldp x27, x28, [sp, #64]\n"
	"	ldp x29, x30, [sp, #80]\n"
	"	ldp d8, d9, [sp, #96]\n"
	"	ldp d10, d11, [sp, #112]\n"
	"	ldp d12, d13, [sp, #128]\n"
	"	ldp d14, d15, [sp, #144]\n"
	"	add sp, sp, #160\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size coro_switch, .-coro_switch\n"
	".align 4\n"
	".globl coro_start\n"
	".hidden coro_start\n"
	".type coro_start, %function\n"
	"coro_start:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined x30\n"
	"	mov x29, xzr\n"
	"	mov x30, xzr\n"
	"	mov x0, x19\n"
	"	blr x20\n"
	"	brk #0\n"
	"	.cfi_endproc\n"
	".size coro_start, .-coro_start\n");

static void coro_prepare(struct coro *c)
{
	uint64_t *sp = (uint64_t *)(void *)(((uintptr_t)c & ~(uintptr_t)15) - 160);

	memset(sp, 0, 160);
	sp[0] = (uint64_t)(uintptr_t)c; /* x19 */
	sp[1] = (uint64_t)(uintptr_t)coro_main; /* x20 */
	sp[11] = (uint64_t)(uintptr_t)coro_start; /* x30: where ret goes */
	c->sp = sp;
}
#else
/* makecontext passes ints only: the pointer travels as two halves. */
static void coro_start(unsigned hi, unsigned lo)
{
	coro_main((struct coro *)(uintptr_t)((uint64_t)hi << 32 | lo));
}

static void coro_prepare(struct coro *c)
{
	uint64_t p = (uint64_t)(uintptr_t)c;

	getcontext(&c->self);
	c->self.uc_stack.ss_sp = coro_bottom(c);
	c->self.uc_stack.ss_size = coro_size(c);
	c->self.uc_link = NULL;
	makecontext(&c->self, (void (*)(void))coro_start, 2, (unsigned)(p >> 32), (unsigned)p);
}
#endif

static void switch_to_coro(struct coro *c)
{
#ifdef CORO_UCONTEXT
	swapcontext(&c->owner, &c->self);
#else
	coro_switch(&c->owner_sp, c->sp);
#endif
}

static void switch_to_owner(struct coro *c)
{
#ifdef CORO_UCONTEXT
	swapcontext(&c->self, &c->owner);
#else
	coro_switch(&c->sp, c->owner_sp);
#endif
}

/* The first and last function on a coroutine's stack. */
static void coro_main(struct coro *c)
{
	tell_entered_coro(c);
	c->fn(c->arg);
	c->state = CORO_DONE;
	tell_leave(c, true);
	switch_to_owner(c);
	abort(); /* a finished coroutine was resumed */
}

/* ---- the pool ---- */

struct coro_pool *coro_pool_new(size_t stack_size)
{
	struct coro_pool *p = xcalloc(1, sizeof(*p));
	size_t size = stack_size < CORO_STACK_MIN ? CORO_STACK_MIN : stack_size;

	assert(size < SIZE_MAX / 4);
	p->guard = CORO_GUARD;
	p->map_size = (size + CORO_HDR + p->guard + PAGE_ROUND - 1) & ~(size_t)(PAGE_ROUND - 1);
	return p;
}

static void coro_unmap(struct coro *c)
{
	char *map = coro_map(c);
	size_t size = c->pool->map_size;

	munmap(map, size);
}

void coro_pool_free(struct coro_pool *p)
{
	if (!p)
		return;
	assert(p->live == 0);
	while (p->free) {
		struct coro *c = p->free;

		p->free = c->next;
		coro_unmap(c);
	}
	free(p);
}

static struct coro *coro_map_new(struct coro_pool *p)
{
	struct coro *c;
	/* No MAP_STACK or MAP_GROWSDOWN: huge pages would back a whole stack at its first touch,
	 * hence NORESERVE and the small mapping. */
	char *map = mmap(NULL, p->map_size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED || mprotect(map, p->guard, PROT_NONE) != 0) {
		fputs("culver: no memory for a coroutine's stack\n", stderr);
		abort();
	}
	c = (struct coro *)(void *)(map + p->map_size - CORO_HDR);
	c->pool = p;
	return c;
}

struct coro *coro_new(struct coro_pool *p, coro_fn fn, void *arg)
{
	struct coro *c = p->free;

	if (c) {
		p->free = c->next;
		p->n_free--;
	} else {
		c = coro_map_new(p);
	}
	memset(c, 0, sizeof(*c));
	c->pool = p;
	c->fn = fn;
	c->arg = arg;
	c->state = CORO_FRESH;
	p->live++;
	tell_made(c);
	coro_prepare(c);
	return c;
}

bool coro_resume(struct coro *c)
{
	assert(c->state == CORO_FRESH || c->state == CORO_PARKED);
	c->state = CORO_RUNNING;
	tell_enter(c);
	switch_to_coro(c);
	tell_entered_owner(c);
	return c->state != CORO_DONE;
}

void coro_yield(struct coro *c)
{
	assert(c->state == CORO_RUNNING);
	c->state = CORO_PARKED;
	tell_leave(c, false);
	switch_to_owner(c);
	tell_entered_coro(c);
}

void coro_free(struct coro *c)
{
	struct coro_pool *p;

	if (!c)
		return;
	assert(c->state != CORO_RUNNING);
	p = c->pool;
	tell_gone(c);
	assert(p->live > 0);
	p->live--;
	if (p->n_free >= CORO_FREE_MAX) {
		coro_unmap(c);
		return;
	}
	c->next = p->free;
	p->free = c;
	p->n_free++;
}

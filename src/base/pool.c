/* Pools of equal objects, and allocation that stops the process.
 *
 * Decides where an object lives: the most recently freed one first (its cache lines are warm), else
 * the next slab. Called by every room for whatever comes and goes per packet, timer or connection.
 * With AddressSanitizer an object that is not handed out is poisoned, so that use after pool_put is
 * reported as use after free would be. Tests: tests/unit/base/test_pool.c. */
#include "base/pool.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOL_ALIGN 16u
#define POOL_FIRST 4u

struct pool_slab {
	struct pool_slab *next;
	size_t bytes; /* of the objects behind the header */
};

#define SLAB_HDR ((sizeof(struct pool_slab) + POOL_ALIGN - 1) & ~(size_t)(POOL_ALIGN - 1))

static void out_of_memory(void) __attribute__((noreturn, cold));
static void out_of_memory(void)
{
	/* No allocation may happen on this way out. */
	fputs("culver: out of memory\n", stderr);
	abort();
}

void pool_init(struct pool *p, const char *name, size_t size, uint32_t per_slab)
{
	assert(size > 0 && size < SIZE_MAX / 2 && per_slab > 0);
	p->name = name;
	p->size = (size + POOL_ALIGN - 1) & ~(size_t)(POOL_ALIGN - 1);
	p->free = NULL;
	p->slabs = NULL;
	p->live = 0;
	p->total = 0;
	p->per_slab = per_slab;
}

void pool_destroy(struct pool *p)
{
	while (p->slabs) {
		struct pool_slab *slab = p->slabs;

		p->slabs = slab->next;
		pool_unpoison((char *)slab + SLAB_HDR, slab->bytes);
		free(slab);
	}
	p->free = NULL;
	p->live = 0;
	p->total = 0;
}

/* Thread the objects of a new slab onto the free list, the first one on top. */
void pool_grow_(struct pool *p)
{
	/* From few objects to per_slab, each slab as many as there are already: an idle host has small pools. */
	uint32_t n = (uint32_t)min_u64(p->per_slab, max_u64(p->total, POOL_FIRST));
	struct pool_slab *slab;
	size_t bytes;
	char *base;

	if (__builtin_mul_overflow(p->size, (size_t)n, &bytes) || bytes > SIZE_MAX / 2)
		out_of_memory();
	slab = malloc(SLAB_HDR + bytes);
	if (!slab)
		out_of_memory();
	slab->next = p->slabs;
	slab->bytes = bytes;
	p->slabs = slab;
	p->total += n;
	base = (char *)slab + SLAB_HDR;
	for (uint32_t i = n; i-- > 0;) {
		char *obj = base + (size_t)i * p->size;

		memcpy(obj, &p->free, sizeof(p->free));
		p->free = obj;
	}
	pool_poison(base, bytes);
}

void *pool_zget(struct pool *p)
{
	return memset(pool_get(p), 0, p->size);
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xrealloc(void *p, size_t size)
{
	void *q = realloc(p, size ? size : 1);

	if (!q)
		out_of_memory();
	return q;
}

char *xstrdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(xcalloc(n, 1), s, n);
}

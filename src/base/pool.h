/* Pools: objects of one size, carved from slabs, freed onto a LIFO list. No libc allocation per
 * object in steady state. With AddressSanitizer freed objects are poisoned. A pool belongs to an
 * instance, never to the process. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <assert.h>
#include <string.h>
#include "base/types.h"

#if defined(__SANITIZE_ADDRESS__)
#define POOL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_ASAN 1
#endif
#endif

#ifdef POOL_ASAN
#include <sanitizer/asan_interface.h>
#define pool_poison(p, n) __asan_poison_memory_region((p), (n))
#define pool_unpoison(p, n) __asan_unpoison_memory_region((p), (n))
#define pool_is_poisoned(p) __asan_address_is_poisoned(p)
#else
#define pool_poison(p, n) ((void)(p), (void)(n))
#define pool_unpoison(p, n) ((void)(p), (void)(n))
#define pool_is_poisoned(p) ((void)(p), 0)
#endif

struct pool_slab;
struct pool {
	const char *name;
	size_t size; /* object size, rounded up to 16 */
	void *free;
	struct pool_slab *slabs;
	uint64_t live;  /* handed out now */
	uint64_t total; /* carved in all */
	uint32_t per_slab; /* at most; the first slabs have fewer */
};

void pool_init(struct pool *p, const char *name, size_t size, uint32_t per_slab);
/* Every object must have come back or be abandoned: all slabs are released. */
void pool_destroy(struct pool *p);
/* Carve one more slab. */
void pool_grow_(struct pool *p) __attribute__((cold));
/* Uninitialised object; aborts the process when memory ends (callers bound their counts). */
static inline void *pool_get(struct pool *p)
{
	void *obj;

	if (unlikely(!p->free))
		pool_grow_(p);
	obj = p->free;
	pool_unpoison(obj, p->size);
	memcpy(&p->free, obj, sizeof(p->free));
	p->live++;
	return obj;
}

static inline void pool_put(struct pool *p, void *obj)
{
	assert(p->live > 0);
	assert(!pool_is_poisoned(obj)); /* put twice */
	memcpy(obj, &p->free, sizeof(p->free));
	p->free = obj;
	p->live--;
	pool_poison(obj, p->size);
}

/* pool_get + zero. */
void *pool_zget(struct pool *p);

/* calloc/realloc that stop the process instead of returning NULL: for control paths. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);

#endif

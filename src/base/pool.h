/* Pools: objects of one size, carved from slabs, freed onto a LIFO list. No libc allocation per
 * object in steady state. With AddressSanitizer freed objects are poisoned. A pool belongs to an
 * instance, never to the process. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "base/types.h"

struct pool_slab;
struct pool {
	const char *name;
	size_t size; /* object size, rounded up to 16 */
	void *free;
	struct pool_slab *slabs;
	uint64_t live;  /* handed out now */
	uint64_t total; /* carved in all */
	uint32_t per_slab;
};

void pool_init(struct pool *p, const char *name, size_t size, uint32_t per_slab);
/* Every object must have come back or be abandoned: all slabs are released. */
void pool_destroy(struct pool *p);
/* Uninitialised object; aborts the process when memory ends (callers bound their counts). */
void *pool_get(struct pool *p);
void pool_put(struct pool *p, void *obj);
/* pool_get + zero. */
void *pool_zget(struct pool *p);

/* calloc/realloc that stop the process instead of returning NULL: for control paths. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);

#endif

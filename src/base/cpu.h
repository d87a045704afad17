/* Functions in two versions: one for every machine of the architecture, one for those with wide vectors. Both
 * give the same result; which one runs is asked of the processor at each call (a load and a test). */
#ifndef BASE_CPU_H
#define BASE_CPU_H

#include "base/types.h"

#if defined(__x86_64__)
/* Compile this function for 32-octet vectors. */
#define CPU_WIDE __attribute__((target("avx2")))
static inline bool cpu_is_wide(void) { return __builtin_cpu_supports("avx2"); }
#else
#define CPU_WIDE
static inline bool cpu_is_wide(void) { return false; }
#endif

#endif

/* Quantities as people write them in lab files and flags: "50ms", "10Mbit", "0.3%", "256KiB", "2000km".
 * Whole string or nothing, integers only, every product checked for overflow. A bare number is refused
 * where a unit is needed: what 50 means differs between the tools that people come from.
 *
 * Each returns NULL and sets *out, or returns a sentence that says what would be right (static text). */
#ifndef LAB_UNITS_H
#define LAB_UNITS_H

#include "base/types.h"

/* ns, us, ms, s, min, h -> nanoseconds. "0" needs no unit. */
const char *unit_time(const char *s, uint64_t *ns);
/* bit, kbit, Mbit, Gbit, Tbit (factors of 1000, any case) -> bit per second. */
const char *unit_rate(const char *s, uint64_t *bps);
/* "0.3%" -> millionths, 0 to 1000000. */
const char *unit_percent(const char *s, uint32_t *ppm);
/* B, kB, MB, GB (1000) and KiB, MiB, GiB (1024) -> octets. */
const char *unit_size(const char *s, uint64_t *bytes);
/* m, km -> metres. */
const char *unit_length(const char *s, uint64_t *metres);

#endif

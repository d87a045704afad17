/* What the transfers of tcp-grid carry, so that both ends can check every octet: 1000003 octets (a prime, so that no two
 * segments look alike) over and over. */
#ifndef BENCH_GRID_PATTERN_H
#define BENCH_GRID_PATTERN_H

#include <stdint.h>

#define GRID_PATTERN 1000003u
#define GRID_CHUNK 131072u
#define GRID_TRIES 100u /* to connect, while the receiver is not there yet ... */
#define GRID_TRY_MS 100u /* ... so long apart */
#define GRID_PORT 5001u

static inline void grid_pattern(uint8_t *p)
{
	uint64_t x = 88172645463325252ull;

	for (uint32_t i = 0; i < GRID_PATTERN; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = (uint8_t)(x >> 32);
	}
}

/* How much to move at stream position at, so that it lies in one piece of the pattern. */
static inline uint32_t grid_piece(uint64_t at)
{
	uint32_t left = GRID_PATTERN - (uint32_t)(at % GRID_PATTERN);

	return left < GRID_CHUNK ? left : GRID_CHUNK;
}

#endif

/* Chance is told: a generator lives in the instance that draws from it, one per purpose, derived
 * from (seed, node, use), so that adding a node or a purpose reshuffles no other. Xoshiro256**
 * for models (loss, jitter, delays); SipHash-2-4 (libsodium) keyed from the seed for what a peer
 * must not predict (ISN, ports, IP identification, DNS ids). No floating point. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include "base/types.h"

struct rng {
	uint64_t s[4];
};

/* Derive a generator. "use" names the purpose ("tcp-isn", "cable-loss", ...). */
void rng_derive(struct rng *r, uint64_t seed, const char *node, const char *use);
uint64_t rng_u64(struct rng *r);
/* Uniform in [0, n), n > 0; without modulo bias. */
uint32_t rng_below(struct rng *r, uint32_t n);
/* True with probability ppm / 1,000,000. ppm 0 draws nothing. */
bool rng_chance(struct rng *r, uint32_t ppm);
void rng_bytes(struct rng *r, void *out, size_t len);

/* SipHash-2-4, 64 bit result. */
uint64_t siphash(const uint8_t key[16], const void *data, size_t len);
/* Fast keyed hash of up to four words, for hash tables (keyed per instance, flood-safe enough
 * that chains stay short for chosen input). */
uint64_t hash_words(uint64_t key, uint64_t a, uint64_t b);

#endif

/* Chance that is told: seeded generators and keyed hashes.
 *
 * Decides nothing about the network; every room that needs chance derives its own generator here.
 * Xoshiro256** (Blackman and Vigna 2018) draws for models, SipHash-2-4 (Aumasson and Bernstein
 * 2012; libsodium's crypto_shorthash) for what a peer must not predict.
 * Tests: tests/unit/base/test_rng.c. */
#include "base/rng.h"

#include <assert.h>
#include <sodium/crypto_shorthash.h>
#include <string.h>

#define PPM 1000000u
#define GOLDEN 0x9e3779b97f4a7c15ULL /* 2^64 / golden ratio: SplitMix64's step */

static uint64_t rotl(uint64_t x, unsigned k)
{
	return (x << k) | (x >> (64 - k));
}

static void put_le64(uint8_t *p, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get_le64(const uint8_t *p)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 8; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

/* SplitMix64's finaliser: spreads nearby seeds. */
static uint64_t mix64(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

uint64_t siphash(const uint8_t key[16], const void *data, size_t len)
{
	uint8_t out[crypto_shorthash_BYTES];

	_Static_assert(crypto_shorthash_KEYBYTES == 16, "SipHash key");
	crypto_shorthash(out, data, len, key);
	return get_le64(out);
}

void rng_derive(struct rng *r, uint64_t seed, const char *node, const char *use)
{
	uint8_t key[16], msg[24];

	/* Node and use are hashed apart, so that ("ab","c") and ("a","bc") differ. */
	put_le64(key, mix64(seed + GOLDEN));
	put_le64(key + 8, mix64(seed + 2 * GOLDEN));
	put_le64(msg, siphash(key, node, strlen(node)));
	put_le64(msg + 8, siphash(key, use, strlen(use)));
	for (uint64_t i = 0; i < 4; i++) {
		put_le64(msg + 16, i);
		r->s[i] = siphash(key, msg, sizeof(msg));
	}
	/* The all-zero state is the generator's one fixed point. */
	if (!(r->s[0] | r->s[1] | r->s[2] | r->s[3]))
		r->s[0] = GOLDEN;
}

uint64_t rng_u64(struct rng *r)
{
	uint64_t *s = r->s;
	uint64_t result = rotl(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
	uint64_t m;
	uint32_t reject;

	assert(n > 0);
	/* Lemire 2019: the high half of x*n is uniform once the first (2^32 mod n) low halves are
	 * thrown away; the division is needed only in the rare case that one might be. */
	m = (rng_u64(r) >> 32) * n;
	if ((uint32_t)m >= n)
		return (uint32_t)(m >> 32);
	reject = (0u - n) % n;
	while ((uint32_t)m < reject)
		m = (rng_u64(r) >> 32) * n;
	return (uint32_t)(m >> 32);
}

bool rng_chance(struct rng *r, uint32_t ppm)
{
	return ppm && rng_below(r, PPM) < ppm;
}

void rng_bytes(struct rng *r, void *out, size_t len)
{
	uint8_t *p = out, word[8];

	while (len) {
		size_t n = min_sz(len, sizeof(word));

		put_le64(word, rng_u64(r));
		memcpy(p, word, n);
		p += n;
		len -= n;
	}
}

/* Both halves of the 128-bit product, folded: every bit of both factors reaches the result. */
static uint64_t mul_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

uint64_t hash_words(uint64_t key, uint64_t a, uint64_t b)
{
	uint64_t h = mul_fold(a ^ key, GOLDEN ^ rotl(key, 23));

	/* a added once more: a zero factor above must not erase it */
	return mul_fold(h + rotl(a, 17) + b, rotl(key, 41) ^ 0xd1342543de82ef95ULL) ^ mix64(b + key);
}

/* The hash functions that sign segments: MD5 (RFC 2385), HMAC-SHA-1-96 and AES-128-CMAC-96 (RFC 5926), HMAC-SHA-256.
 *
 * nettle's, whose contexts live where we say and which allocates nothing. Called by tcp_md5.c and tcp_ao.c.
 * Tests: tests/unit/tcp/test_tcp_auth.c (vectors of RFC 1321, 2202, 4231, 4493 and 9235). */
#include <nettle/cmac.h>
#include <nettle/hmac.h>
#include <nettle/md5.h>
#include "tcp/tcp_auth.h"

union mac_ctx {
	struct md5_ctx md5;
	struct hmac_sha1_ctx sha1;
	struct hmac_sha256_ctx sha256;
	struct cmac_aes128_ctx cmac;
};
_Static_assert(sizeof(union mac_ctx) <= sizeof(((struct tcp_mac *)0)->ctx), "a context fits");

static union mac_ctx *ctx(struct tcp_mac *m) { return (union mac_ctx *)(void *)m->ctx; }

void tcp_mac_start(struct tcp_mac *m, enum tcp_mac_alg alg, const uint8_t *key, size_t len)
{
	m->alg = alg;
	switch (alg) {
	case TCP_MAC_MD5: md5_init(&ctx(m)->md5); break;
	case TCP_MAC_HMAC_SHA1: hmac_sha1_set_key(&ctx(m)->sha1, len, key); break;
	case TCP_MAC_HMAC_SHA256: hmac_sha256_set_key(&ctx(m)->sha256, len, key); break;
	case TCP_MAC_AES_128_CMAC: cmac_aes128_set_key(&ctx(m)->cmac, key); break;
	}
}

void tcp_mac_add(struct tcp_mac *m, const void *p, size_t n)
{
	switch (m->alg) {
	case TCP_MAC_MD5: md5_update(&ctx(m)->md5, n, p); break;
	case TCP_MAC_HMAC_SHA1: hmac_sha1_update(&ctx(m)->sha1, n, p); break;
	case TCP_MAC_HMAC_SHA256: hmac_sha256_update(&ctx(m)->sha256, n, p); break;
	case TCP_MAC_AES_128_CMAC: cmac_aes128_update(&ctx(m)->cmac, n, p); break;
	}
}

void tcp_mac_end(struct tcp_mac *m, uint8_t *out, size_t n)
{
	switch (m->alg) {
	case TCP_MAC_MD5: md5_digest(&ctx(m)->md5, n, out); break;
	case TCP_MAC_HMAC_SHA1: hmac_sha1_digest(&ctx(m)->sha1, n, out); break;
	case TCP_MAC_HMAC_SHA256: hmac_sha256_digest(&ctx(m)->sha256, n, out); break;
	case TCP_MAC_AES_128_CMAC: cmac_aes128_digest(&ctx(m)->cmac, n, out); break;
	}
}

uint8_t tcp_mac_digest_len(enum tcp_mac_alg alg)
{
	return alg == TCP_MAC_HMAC_SHA1 ? SHA1_DIGEST_SIZE : alg == TCP_MAC_HMAC_SHA256 ? SHA256_DIGEST_SIZE : 16;
}

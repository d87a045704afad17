/* What the tests of signed segments share: keys as a program gives them, signatures checked by a second hand. */
#ifndef AUTH_BED_H
#define AUTH_BED_H
#include "tcp_bed.h"
#include <errno.h>
#include <string.h>
#include "core/net.h"
#include "tcp/tcp_auth.h"
#include "tcp/tcp_int.h"

static inline struct sockaddr_in peer_at(uint32_t addr)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(addr) };
}
static inline int md5_key(struct sock *sk, int name, uint32_t addr, int prefix, const char *key)
{
	struct sockaddr_in sin = peer_at(addr);
	struct tcp_md5_arg m = { .keylen = (uint16_t)strlen(key) };

	memcpy(m.addr, &sin, sizeof(sin));
	if (prefix >= 0) {
		m.flags = TCP_OPT_MD5_FLAG_PREFIX;
		m.prefix = (uint8_t)prefix;
	}
	memcpy(m.key, key, strlen(key));
	return sk->prot->setsockopt(sk, SOL_TCP, name, &m, sizeof(m));
}
static inline struct tcp_ao_add_arg ao_arg(uint32_t addr, uint8_t prefix, uint8_t snd, uint8_t rcv, const char *alg, const char *key)
{
	struct sockaddr_in sin = peer_at(addr);
	struct tcp_ao_add_arg a = { .prefix = prefix, .sndid = snd, .rcvid = rcv, .keylen = (uint8_t)strlen(key) };

	memcpy(a.addr, &sin, sizeof(sin));
	strcpy(a.alg_name, alg);
	memcpy(a.key, key, strlen(key));
	return a;
}
static inline int ao_add(struct sock *sk, struct tcp_ao_add_arg a)
{
	return sk->prot->setsockopt(sk, SOL_TCP, TCP_OPT_AO_ADD_KEY, &a, sizeof(a));
}
static inline int ao_del(struct sock *sk, uint32_t addr, uint8_t prefix, uint8_t snd, uint8_t rcv)
{
	struct sockaddr_in sin = peer_at(addr);
	struct tcp_ao_del_arg a = { .prefix = prefix, .sndid = snd, .rcvid = rcv };

	memcpy(a.addr, &sin, sizeof(sin));
	return sk->prot->setsockopt(sk, SOL_TCP, TCP_OPT_AO_DEL_KEY, &a, sizeof(a));
}
static inline struct tcp_ao_info_arg ao_info(struct sock *sk)
{
	struct tcp_ao_info_arg i = { 0 };
	socklen_t len = sizeof(i);

	assert_int_equal(sk->prot->getsockopt(sk, SOL_TCP, TCP_OPT_AO_INFO, &i, &len), 0);
	return i;
}
/* The option of that kind in a segment, NULL: none. */
static inline const uint8_t *find_opt(const struct seg *s, uint8_t kind)
{
	uint32_t hlen = (uint32_t)(s->b[12] >> 4) * 4;

	for (uint32_t i = 20; i < hlen && s->b[i]; i += s->b[i] == 1 ? 1 : s->b[i + 1])
		if (s->b[i] == kind)
			return s->b + i;
	return NULL;
}
/* A tap: the next *arg segments with data come with another signature, whose first two octets and checksum are right. */
static inline uint64_t spoil(struct bed *b, const struct seg *s, void *arg)
{
	unsigned *left = arg;
	const uint8_t *o = find_opt(s, 29) ? find_opt(s, 29) + 4 : find_opt(s, 19) ? find_opt(s, 19) + 2 : NULL;
	uint8_t *mac = (uint8_t *)(uintptr_t)o, was[2];

	if (!*left || !mac || s->len == (uint32_t)(s->b[12] >> 4) * 4)
		return 0;
	(*left)--;
	memcpy(was, mac + 2, 2);
	memcpy(mac + 2, mac + 4, 2);
	memcpy(mac + 4, was, 2);
	return 0;
}
#endif

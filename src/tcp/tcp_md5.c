/* TCP MD5 signatures (RFC 2385): keys by TCP_MD5SIG and TCP_MD5SIG_EXT, and the digest.
 *
 * Numbers and errors are Linux's. Called by tcp_sockopt.c and tcp_auth.c. Tests: tests/unit/tcp/test_tcp_auth.c. */
#include "tcp/tcp_auth.h"
#include "tcp/tcp_int.h"

static struct tcp_md5_key *md5_of(struct tcp_peer_key *k) { return container_of(k, struct tcp_md5_key, k); }

struct tcp_md5_key *tcp_md5_lookup(const struct tcp_auth *a, uint32_t addr)
{
	if (!a || list_empty(&a->md5.all))
		return NULL;
	for (uint32_t p = 33; p-- > 0;) {
		struct tcp_peer_key *k;

		if (!a->md5.by_prefix[p])
			continue;
		hlist_for_each_entry(k, &a->md5.slot[tcp_peer_slot(addr, (uint8_t)p)], node)
			if (k->prefix == p && !((k->addr ^ addr) & tcp_prefix_mask(p)))
				return md5_of(k);
	}
	return NULL;
}

static struct tcp_md5_key *md5_exact(const struct tcp_auth *a, uint32_t addr, uint8_t prefix, bool by_ifindex)
{
	struct tcp_peer_key *k;

	if (a)
		hlist_for_each_entry(k, &a->md5.slot[tcp_peer_slot(addr, prefix)], node)
			if (k->prefix == prefix && k->addr == addr && k->by_ifindex == by_ifindex)
				return md5_of(k);
	return NULL;
}

static struct tcp_md5_key *md5_new(struct net *net, struct tcp_auth *a, uint32_t addr, uint8_t prefix, bool by_ifindex)
{
	struct tcp_md5_key *key = pool_zget(&net->tcp->md5_key_pool);

	key->k.addr = addr;
	key->k.prefix = prefix;
	key->k.by_ifindex = by_ifindex;
	tcp_peer_add(&a->md5, &key->k);
	return key;
}

void tcp_md5_copy(struct net *net, struct tcp_auth *to, const struct tcp_md5_key *from, uint32_t addr, uint8_t prefix)
{
	struct tcp_md5_key *key = md5_new(net, to, addr, prefix, from->k.by_ifindex);

	key->keylen = from->keylen;
	memcpy(key->key, from->key, sizeof(key->key));
	to->omem += TCP_MD5_KEY_COST;
}

static int md5_del(struct sock *sk, uint32_t addr, uint8_t prefix, bool by_ifindex)
{
	struct tcp_auth *a = tcp_auth_of(sk);
	struct tcp_md5_key *key = md5_exact(a, addr, prefix, by_ifindex);

	if (!key)
		return -ENOENT;
	tcp_peer_del(&a->md5, &key->k);
	a->omem -= TCP_MD5_KEY_COST;
	pool_put(&tcp_net(sk)->md5_key_pool, key);
	return 0;
}

int tcp_md5_set(struct sock *sk, int name, const void *val, socklen_t len)
{
	struct sockaddr_in sin;
	struct tcp_md5_arg cmd;
	struct tcp_md5_key *key;
	struct tcp_auth *a;
	uint8_t prefix = 32;
	bool by_ifindex;
	uint32_t addr;

	if (len < sizeof(cmd))
		return -EINVAL;
	memcpy(&cmd, val, sizeof(cmd));
	memcpy(&sin, &cmd.addr, sizeof(sin));
	if (sin.sin_family != AF_INET)
		return -EINVAL;
	if (name == TCP_MD5SIG_EXT && (cmd.flags & TCP_OPT_MD5_FLAG_PREFIX)) {
		prefix = cmd.prefix;
		if (prefix > 32)
			return -EINVAL;
	}
	by_ifindex = (cmd.flags & TCP_OPT_MD5_FLAG_IFINDEX) != 0;
	if (name == TCP_MD5SIG_EXT && by_ifindex && cmd.ifindex)
		return -EINVAL; /* no interface here is the master of others (VRF) */
	addr = ntohl(sin.sin_addr.s_addr);
	if (!cmd.keylen)
		return md5_del(sk, addr, prefix, by_ifindex);
	if (cmd.keylen > TCP_AUTH_KEY_MAX)
		return -EINVAL;
	if (tcp_ao_needed(sk, addr, false))
		return -EKEYREJECTED;
	a = tcp_auth_get(sk);
	key = md5_exact(a, addr, prefix, by_ifindex);
	if (!key) {
		if (!tcp_auth_charge(sk, a, TCP_MD5_KEY_COST))
			return -ENOMEM;
		key = md5_new(sk->net, a, addr, prefix, by_ifindex);
	}
	key->keylen = (uint8_t)cmd.keylen;
	memcpy(key->key, cmd.key, key->keylen);
	return 0;
}

static void add_piece(void *m, const uint8_t *p, uint32_t n) { tcp_mac_add(m, p, n); }

/* RFC 2385 2.0: pseudo-header, header without options and with a checksum of zero, data, key. */
void tcp_md5_sign(const struct tcp_md5_key *key, uint8_t out[TCP_MD5_LEN], uint32_t saddr, uint32_t daddr, const void *th, uint32_t hlen,
		  const struct sk_buff *skb, uint32_t off)
{
	uint8_t b[12 + TCP_HLEN];
	struct tcp_mac m;

	put_be32(b, saddr);
	put_be32(b + 4, daddr);
	b[8] = 0;
	b[9] = IPPROTO_TCP;
	put_be16(b + 10, (uint16_t)(hlen + (skb ? skb->len - off : 0)));
	memcpy(b + 12, th, TCP_HLEN);
	put_be16(b + 12 + offsetof(struct tcp_hdr, check), 0);
	tcp_mac_start(&m, TCP_MAC_MD5, NULL, 0);
	tcp_mac_add(&m, b, sizeof(b));
	if (skb && skb->len > off)
		skb_each_piece(skb, off, skb->len - off, add_piece, &m);
	tcp_mac_add(&m, key->key, key->keylen);
	tcp_mac_end(&m, out, TCP_MD5_LEN);
}

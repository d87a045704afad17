/* TCP-AO (RFC 5925): master keys of a socket (TCP_AO_ADD_KEY, TCP_AO_DEL_KEY), traffic keys, the code that signs a segment.
 *
 * Structs, numbers and errors are Linux's. What a program may ask is in tcp_ao_opt.c, what happens to a segment in tcp_auth.c.
 * Traffic keys are derived from the master key and both ISNs (5.2), with RFC 5926's functions. Tests: tests/unit/tcp/test_tcp_auth.c. */
#include "tcp/tcp_auth.h"
#include "tcp/tcp_int.h"

static struct tcp_ao_key *ao_of(struct tcp_peer_key *k) { return container_of(k, struct tcp_ao_key, k); }
static bool ids_match(const struct tcp_ao_key *key, int sndid, int rcvid)
{
	return (sndid == TCP_AO_ANY || key->sndid == sndid) && (rcvid == TCP_AO_ANY || key->rcvid == rcvid);
}

struct tcp_ao_key *tcp_ao_lookup(const struct tcp_auth *a, uint32_t addr, int sndid, int rcvid)
{
	for (uint32_t p = 33; p-- > 0;) {
		struct tcp_peer_key *k;

		if (!a->ao.by_prefix[p])
			continue;
		hlist_for_each_entry(k, &a->ao.slot[tcp_peer_slot(addr, (uint8_t)p)], node)
			if (k->prefix == p && !((k->addr ^ addr) & tcp_prefix_mask(p)) && ids_match(ao_of(k), sndid, rcvid))
				return ao_of(k);
	}
	return NULL;
}

struct tcp_ao_key *tcp_ao_by_id(const struct tcp_auth *a, int sndid, int rcvid)
{
	struct tcp_peer_key *k;

	list_for_each_entry(k, &a->ao.all, list)
		if (ids_match(ao_of(k), sndid, rcvid))
			return ao_of(k);
	return NULL;
}

bool tcp_ao_needed(struct sock *sk, uint32_t addr, bool count)
{
	struct tcp_auth *a = tcp_auth_of(sk);

	if (!a || !a->ao_on || (!a->ao_required && !tcp_ao_lookup(a, addr, TCP_AO_ANY, TCP_AO_ANY)))
		return false;
	if (count) {
		TCPEXT_INC(sk->net, TCPAORequired);
		a->n.required++;
	}
	return true;
}

/* ---- traffic keys and signatures ---- */
/* RFC 5926 3.1: F(master key, counter | "TCP-AO" | context | bits); RFC 5925 5.2: the context. */
void tcp_ao_traffic_key(const struct tcp_ao_key *key, uint8_t out[TCP_MAC_MAX], uint32_t saddr, uint32_t daddr, uint16_t sport, uint16_t dport,
			uint32_t sisn, uint32_t disn)
{
	uint8_t b[29] = { 1, 'T', 'C', 'P', '-', 'A', 'O' }, n = tcp_mac_digest_len(key->alg);
	struct tcp_mac m;

	put_be32(b + 7, saddr);
	put_be32(b + 11, daddr);
	put_be16(b + 15, sport);
	put_be16(b + 17, dport);
	put_be32(b + 19, sisn);
	put_be32(b + 23, disn);
	put_be16(b + 27, (uint16_t)(n * 8));
	tcp_mac_start(&m, key->alg, key->key, key->keylen);
	tcp_mac_add(&m, b, sizeof(b));
	tcp_mac_end(&m, out, n);
}

void tcp_ao_cache(struct tcp_auth *a, struct tcp_ao_key *key, const struct tcp_ehash_node *eh)
{
	if (likely(key->cached))
		return;
	tcp_ao_traffic_key(key, key->snd_key, eh->saddr, eh->daddr, eh->num, eh->dport, a->lisn, a->risn);
	tcp_ao_traffic_key(key, key->rcv_key, eh->daddr, eh->saddr, eh->dport, eh->num, a->risn, a->lisn);
	key->cached = true;
}

/* RFC 5925 6.2: how often had the numbers wrapped when seq was sent, if they had sne times at ref? */
uint32_t tcp_ao_sne(uint32_t sne, uint32_t ref, uint32_t seq)
{
	if (before(seq, ref))
		return seq > ref ? sne - 1 : sne;
	return seq < ref ? sne + 1 : sne;
}

static void add_piece(void *m, const uint8_t *p, uint32_t n) { tcp_mac_add(m, p, n); }

/* The header as it is signed: checksum zero, signature zero, and without the other options if the key says so (5.1). */
static void add_header(struct tcp_mac *m, const struct tcp_ao_key *key, const void *th, uint32_t hlen, uint32_t at)
{
	uint8_t b[60];

	memcpy(b, th, hlen);
	put_be16(b + offsetof(struct tcp_hdr, check), 0);
	memset(b + at, 0, key->maclen);
	if (!(key->keyflags & TCP_OPT_AO_KEYF_EXCLUDE_OPT)) {
		tcp_mac_add(m, b, hlen);
		return;
	}
	tcp_mac_add(m, b, TCP_HLEN);
	tcp_mac_add(m, b + at - 4, 4u + key->maclen);
}

void tcp_ao_sign(const struct tcp_key *k, uint8_t *mac, uint32_t saddr, uint32_t daddr, const void *th, uint32_t hlen, const struct sk_buff *skb,
		 uint32_t off)
{
	const struct tcp_ao_key *key = k->ao;
	struct tcp_mac m;
	uint8_t b[16];

	put_be32(b, k->sne);
	put_be32(b + 4, saddr);
	put_be32(b + 8, daddr);
	b[12] = 0;
	b[13] = IPPROTO_TCP;
	put_be16(b + 14, (uint16_t)(hlen + (skb ? skb->len - off : 0)));
	tcp_mac_start(&m, key->alg, k->traffic, tcp_mac_digest_len(key->alg));
	tcp_mac_add(&m, b, sizeof(b));
	add_header(&m, key, th, hlen, (uint32_t)(mac - (const uint8_t *)th));
	if (skb && skb->len > off)
		skb_each_piece(skb, off, skb->len - off, add_piece, &m);
	tcp_mac_end(&m, mac, key->maclen);
}

/* ---- keys ---- */
struct tcp_ao_key *tcp_ao_copy(struct net *net, struct tcp_auth *to, const struct tcp_ao_key *from)
{
	struct tcp_ao_key *key = pool_zget(&net->tcp->ao_key_pool);

	key->k.addr = from->k.addr;
	key->k.prefix = from->k.prefix;
	key->k.by_ifindex = from->k.by_ifindex;
	key->sndid = from->sndid;
	key->rcvid = from->rcvid;
	key->maclen = from->maclen;
	key->keyflags = from->keyflags;
	key->keylen = from->keylen;
	key->alg = from->alg;
	memcpy(key->key, from->key, sizeof(key->key));
	tcp_peer_add(&to->ao, &key->k);
	to->omem += TCP_AO_KEY_COST;
	return key;
}

static const struct {
	const char *name;
	uint8_t alg;
} algs[] = { { "hmac(sha1)", TCP_MAC_HMAC_SHA1 }, { "cmac(aes128)", TCP_MAC_AES_128_CMAC }, { "hmac(sha256)", TCP_MAC_HMAC_SHA256 } };

const char *tcp_ao_alg_name(uint8_t alg)
{
	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++)
		if (algs[i].alg == alg)
			return algs[i].name;
	return "";
}

static int find_alg(const char name[64], uint8_t *alg)
{
	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++)
		if (strncmp(name, algs[i].name, 63) == 0) {
			*alg = algs[i].alg;
			return 0;
		}
	return -ENOENT;
}

/* An AES-128 key has 16 octets; one of another length is made into one (RFC 5926 3.1.1.2). */
static void take_key(struct tcp_ao_key *key, const uint8_t *from, uint8_t len)
{
	static const uint8_t zero[16];
	struct tcp_mac m;

	key->keylen = len;
	if (key->alg != TCP_MAC_AES_128_CMAC || len == 16) {
		memcpy(key->key, from, len);
		return;
	}
	tcp_mac_start(&m, TCP_MAC_AES_128_CMAC, zero, sizeof(zero));
	tcp_mac_add(&m, from, len);
	tcp_mac_end(&m, key->key, 16);
	key->keylen = 16;
}

/* The address and its prefix: no port, nothing beyond the prefix, and the peer that the socket has. */
static int take_peer(const struct sock *sk, const uint8_t addr[128], uint8_t prefix, bool adding, uint32_t *out)
{
	struct sockaddr_in sin;
	uint32_t a;

	memcpy(&sin, addr, sizeof(sin));
	if (sin.sin_family != AF_INET || (adding && sin.sin_port) || prefix > 32)
		return -EINVAL;
	a = *out = ntohl(sin.sin_addr.s_addr);
	if (!adding)
		return 0;
	if (!prefix != !a || (a & ~tcp_prefix_mask(prefix)))
		return -EINVAL;
	if (prefix && inet_sk(sk)->daddr && (inet_sk(sk)->daddr & tcp_prefix_mask(prefix)) != a)
		return -EINVAL;
	return 0;
}

static int check_flags(const struct sock *sk, uint32_t chooses, uint32_t reserved, uint8_t keyflags, int32_t ifindex)
{
	if (reserved || (keyflags & ~(TCP_OPT_AO_KEYF_IFINDEX | TCP_OPT_AO_KEYF_EXCLUDE_OPT)))
		return -EINVAL;
	if (chooses && sk->state == TCP_LISTEN)
		return -EINVAL; /* a listener sends with the key that it is asked for */
	return ifindex ? -EINVAL : 0; /* without the flag, or an interface that is the master of none */
}

/* Two keys that may be for the same peer differ in both numbers (RFC 5925 3.1). */
static bool overlaps(const struct tcp_auth *a, uint32_t addr, uint8_t prefix, uint8_t sndid, uint8_t rcvid)
{
	struct tcp_peer_key *k;

	list_for_each_entry(k, &a->ao.all, list)
		if (!((k->addr ^ addr) & tcp_prefix_mask(min_u32(prefix, k->prefix))) && (ao_of(k)->sndid == sndid || ao_of(k)->rcvid == rcvid))
			return true;
	return false;
}

static int ao_add(struct sock *sk, const void *val, socklen_t len)
{
	struct tcp_ao_add_arg c;
	struct tcp_ao_key *key, t = { 0 };
	struct tcp_auth *a;
	uint32_t addr = 0;
	int err = tcp_ao_take(&c, sizeof(c), val, len);

	if (err)
		return err;
	if (c.keylen > TCP_AUTH_KEY_MAX || c.reserved2)
		return -EINVAL;
	err = check_flags(sk, c.set_current | c.set_rnext, c.reserved, c.keyflags, c.ifindex);
	if (!err)
		err = take_peer(sk, c.addr, c.prefix, true, &addr);
	if (err)
		return err;
	if (tcp_md5_lookup(tcp_auth_of(sk), addr))
		return -EKEYREJECTED;
	if (tcp_auth_of(sk) && overlaps(tcp_auth_of(sk), addr, c.prefix, c.sndid, c.rcvid))
		return -EEXIST;
	c.alg_name[sizeof(c.alg_name) - 1] = 0;
	err = find_alg(c.alg_name, &t.alg);
	if (err)
		return err;
	t.maclen = c.maclen ? c.maclen : TCP_AO_MAC_DEFAULT;
	if (((4u + t.maclen + 3u) & ~3u) > TCP_AO_ROOM_MAX)
		return -EMSGSIZE;
	a = tcp_auth_get(sk);
	if (!tcp_auth_charge(sk, a, TCP_AO_KEY_COST))
		return -ENOMEM;
	a->omem -= TCP_AO_KEY_COST; /* the copy takes it */
	t.k.addr = addr;
	t.k.prefix = c.prefix;
	t.k.by_ifindex = (c.keyflags & TCP_OPT_AO_KEYF_IFINDEX) != 0;
	t.sndid = c.sndid;
	t.rcvid = c.rcvid;
	t.keyflags = c.keyflags;
	take_key(&t, c.key, c.keylen);
	key = tcp_ao_copy(sk->net, a, &t);
	a->ao_on = true;
	if (c.set_current)
		a->current = key;
	if (c.set_rnext)
		a->rnext = key;
	return 0;
}

static int ao_del(struct sock *sk, const void *val, socklen_t len)
{
	struct tcp_auth *a = tcp_auth_of(sk);
	struct tcp_ao_key *cur = NULL, *rnext = NULL;
	struct tcp_ao_del_arg c;
	struct tcp_peer_key *k;
	uint32_t addr = 0;
	int err = tcp_ao_take(&c, sizeof(c), val, len);

	if (!err && c.reserved2)
		err = -EINVAL;
	if (!err)
		err = check_flags(sk, c.set_current | c.set_rnext, c.reserved, c.keyflags, c.ifindex);
	if (err)
		return err;
	if (!a || !a->ao_on)
		return -ENOENT;
	if (c.set_current && !(cur = tcp_ao_by_id(a, c.current_key, TCP_AO_ANY)))
		return -ENOENT;
	if (c.set_rnext && !(rnext = tcp_ao_by_id(a, TCP_AO_ANY, c.rnext)))
		return -ENOENT;
	if (c.del_async && sk->state != TCP_LISTEN)
		return -EINVAL;
	err = take_peer(sk, c.addr, c.prefix, false, &addr);
	if (err)
		return err;
	list_for_each_entry(k, &a->ao.all, list)
	{
		struct tcp_ao_key *key = ao_of(k);

		if (!ids_match(key, c.sndid, c.rcvid) || k->prefix != c.prefix || k->addr != addr || key->keyflags != c.keyflags)
			continue;
		if (key == cur || key == rnext)
			continue;
		if ((key == a->current && !cur) || (key == a->rnext && !rnext))
			return -EBUSY;
		if (cur)
			a->current = cur;
		if (rnext)
			a->rnext = rnext;
		tcp_peer_del(&a->ao, k);
		a->omem -= TCP_AO_KEY_COST;
		pool_put(&tcp_net(sk)->ao_key_pool, key);
		return 0;
	}
	return -ENOENT;
}

int tcp_ao_set(struct sock *sk, int name, const void *val, socklen_t len)
{
	const struct tcp_auth *a = tcp_auth_of(sk);

	if (name == TCP_OPT_AO_REPAIR)
		return tcp_ao_set_repair(sk, val, len);
	/* a connection cannot become a signed one on the way, unless somebody puts it together */
	if (!tcp_state_in(sk, TCPF_(LISTEN) | TCPF_(CLOSE)) && !(a && a->ao_on) && !tcp_sk(sk)->repair)
		return -EISCONN;
	switch (name) {
	case TCP_OPT_AO_ADD_KEY: return ao_add(sk, val, len);
	case TCP_OPT_AO_DEL_KEY: return ao_del(sk, val, len);
	default: return tcp_ao_set_info(sk, val, len);
	}
}

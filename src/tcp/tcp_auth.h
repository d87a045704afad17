/* Signed segments: TCP MD5 (RFC 2385) and TCP-AO (RFC 5925, 5926), as Linux has them.
 *
 * A socket's keys are in struct tcp_auth (struct tcp_rare's, made by the first key); tp->has_auth says that it is there.
 * A key belongs to a peer's address, or to a prefix: among several the longest counts.
 *
 *   towards the wire:  tcp_key_sk/_req/_tw/_reset choose a key -> struct tcp_key; tcp_key_room() octets of option;
 *                      tcp_options_write() says where the signature goes; tcp_key_sign() fills it in
 *   from the wire:     tcp_inbound_auth() before a listener, request or connection sees a segment
 *
 * Files: tcp_auth.c (both), tcp_md5.c and tcp_ao.c (keys and their socket options), tcp_ao_opt.c (asking, repair),
 * tcp_mac.c (hash functions). Tests: tests/unit/tcp/test_tcp_auth.c, tests/packet/md5. */
#ifndef TCP_TCP_AUTH_H
#define TCP_TCP_AUTH_H

#include <netinet/in.h>
#include "base/drop_reason.h"
#include "base/list.h"
#include "tcp/tcp_sock.h"

#define TCP_MD5_LEN 16u
#define TCP_MD5_ROOM 20u      /* NOP NOP kind length, 16 octets */
#define TCP_AUTH_KEY_MAX 80u
#define TCP_AUTH_SLOTS 32u
#define TCP_MAC_MAX 32u       /* the longest digest */
#define TCP_AO_MAC_DEFAULT 12u
#define TCP_AO_ROOM_MAX 20u   /* what a SYN's other options leave */
#define TCP_MD5_KEY_COST 136u /* of net.core.optmem_max, as much as Linux takes */
#define TCP_AO_KEY_COST 320u

/* ---- the program's side (Linux's uapi; younger than Debian's headers) ---- */
#define TCP_OPT_AO_ADD_KEY 38
#define TCP_OPT_AO_DEL_KEY 39
#define TCP_OPT_AO_INFO 40
#define TCP_OPT_AO_GET_KEYS 41
#define TCP_OPT_AO_REPAIR 42
#define TCP_OPT_MD5_FLAG_PREFIX 1u
#define TCP_OPT_MD5_FLAG_IFINDEX 2u
#define TCP_OPT_AO_KEYF_IFINDEX 1u
#define TCP_OPT_AO_KEYF_EXCLUDE_OPT 2u

struct tcp_md5_arg {
	uint8_t addr[128]; /* struct sockaddr_storage: the peer */
	uint8_t flags, prefix;
	uint16_t keylen;
	int32_t ifindex;
	uint8_t key[TCP_AUTH_KEY_MAX];
};
struct tcp_ao_add_arg {
	uint8_t addr[128]; /* struct sockaddr_storage: the peer */
	char alg_name[64];
	int32_t ifindex;
	uint32_t set_current : 1, set_rnext : 1, reserved : 30;
	uint16_t reserved2;
	uint8_t prefix, sndid, rcvid, maclen, keyflags, keylen, key[TCP_AUTH_KEY_MAX];
} __attribute__((aligned(8)));
struct tcp_ao_del_arg {
	uint8_t addr[128];
	int32_t ifindex;
	uint32_t set_current : 1, set_rnext : 1, del_async : 1, reserved : 29;
	uint16_t reserved2;
	uint8_t prefix, sndid, rcvid, current_key, rnext, keyflags;
} __attribute__((aligned(8)));
struct tcp_ao_info_arg {
	uint32_t set_current : 1, set_rnext : 1, ao_required : 1, set_counters : 1, accept_icmps : 1, reserved : 27;
	uint16_t reserved2;
	uint8_t current_key, rnext;
	uint64_t pkt_good, pkt_bad, pkt_key_not_found, pkt_ao_required, pkt_dropped_icmp;
} __attribute__((aligned(8)));
struct tcp_ao_get_arg {
	uint8_t addr[128];
	char alg_name[64];
	uint8_t key[TCP_AUTH_KEY_MAX];
	uint32_t nkeys;
	uint16_t is_current : 1, is_rnext : 1, get_all : 1, reserved : 13;
	uint8_t sndid, rcvid, prefix, maclen, keyflags, keylen;
	int32_t ifindex;
	uint64_t pkt_good, pkt_bad;
} __attribute__((aligned(8)));
struct tcp_ao_repair_arg {
	uint32_t snt_isn, rcv_isn; /* network byte order */
	uint32_t snd_sne, rcv_sne;
} __attribute__((aligned(8)));
_Static_assert(sizeof(struct tcp_md5_arg) == 216 && sizeof(struct tcp_ao_add_arg) == 288 && sizeof(struct tcp_ao_del_arg) == 144 && sizeof(struct tcp_ao_info_arg) == 48 &&
		       sizeof(struct tcp_ao_get_arg) == 304 && sizeof(struct tcp_ao_repair_arg) == 16,
	       "Linux's structs");

/* ---- hash functions (tcp_mac.c) ---- */
enum tcp_mac_alg { TCP_MAC_MD5, TCP_MAC_HMAC_SHA1, TCP_MAC_AES_128_CMAC, TCP_MAC_HMAC_SHA256 };
struct tcp_mac {
	enum tcp_mac_alg alg;
	uint64_t ctx[64]; /* the library's; checked where it is used */
};
/* Start with this key (MD5 has none; CMAC's has 16 octets); take octets; out: n of the digest's. */
void tcp_mac_start(struct tcp_mac *m, enum tcp_mac_alg alg, const uint8_t *key, size_t len);
void tcp_mac_add(struct tcp_mac *m, const void *p, size_t n);
void tcp_mac_end(struct tcp_mac *m, uint8_t *out, size_t n);
uint8_t tcp_mac_digest_len(enum tcp_mac_alg alg);

/* ---- keys ---- */
struct tcp_peer_key { /* first in each kind of key */
	struct hlist_node node; /* by prefix */
	struct list_head list;  /* the youngest first */
	uint32_t addr;
	uint8_t prefix;
	bool by_ifindex;        /* asked for with an interface index (of 0: there are no others) */
};
struct tcp_peer_table {
	struct hlist_head slot[TCP_AUTH_SLOTS];
	struct list_head all;
	uint16_t by_prefix[33];
};
struct tcp_md5_key {
	struct tcp_peer_key k;
	uint8_t keylen, key[TCP_AUTH_KEY_MAX];
};
struct tcp_ao_key {
	struct tcp_peer_key k;
	uint8_t sndid, rcvid, maclen, keyflags, keylen, alg, key[TCP_AUTH_KEY_MAX];
	bool cached;      /* traffic keys of the connection */
	uint8_t snd_key[TCP_MAC_MAX], rcv_key[TCP_MAC_MAX];
	uint64_t good, bad;
};
struct tcp_ao_counters {
	uint64_t good, bad, not_found, required, dropped_icmp;
};
struct tcp_auth {
	struct tcp_peer_table md5, ao;
	uint32_t omem; /* octets of optmem_max */
	/* TCP-AO (RFC 5925) */
	bool ao_on;    /* Linux: there is an ao_info, even without a key */
	bool ao_required, accept_icmps;
	struct tcp_ao_key *current, *rnext;
	uint32_t lisn, risn;
	uint32_t snd_sne, rcv_sne, snd_ref, rcv_ref; /* sequence number extensions: of snd_ref and rcv_ref (6.2) */
	struct tcp_ao_counters n;
};

/* How one segment is signed. */
enum tcp_key_type { TCP_KEY_NONE, TCP_KEY_MD5, TCP_KEY_AO };
struct tcp_key {
	enum tcp_key_type type;
	const struct tcp_md5_key *md5;
	const struct tcp_ao_key *ao;
	uint8_t rnext;                /* AO: the key that we would like to be answered with */
	uint8_t traffic[TCP_MAC_MAX]; /* AO */
	uint32_t sne;
};
/* Octets of the option, padded to words. */
static inline uint32_t tcp_key_room(const struct tcp_key *k)
{
	return !k || k->type == TCP_KEY_NONE ? 0 : k->type == TCP_KEY_MD5 ? TCP_MD5_ROOM : (4u + k->ao->maclen + 3u) & ~3u;
}

/* tcp_options.c: the option of a signed segment, padded to words: where the signature is to go. */
uint8_t *tcp_option_auth(uint8_t *p, const struct tcp_key *k);

/* tcp_auth.c */
struct tcp_auth *tcp_auth_get(struct sock *sk); /* of this socket, made if need be */
static inline struct tcp_auth *tcp_auth_of(const struct sock *sk)
{
	return unlikely(tcp_sk(sk)->has_auth) ? tcp_sk(sk)->rare->auth : NULL;
}
void tcp_auth_free(struct net *net, struct tcp_auth *a);
static inline uint32_t tcp_prefix_mask(uint32_t prefix) { return prefix ? ~0u << (32 - prefix) : 0; }
static inline uint32_t tcp_peer_slot(uint32_t addr, uint8_t prefix)
{
	return ((addr & tcp_prefix_mask(prefix)) * 0x9e3779b1u + prefix * 0x85ebca6bu) >> 27; /* TCP_AUTH_SLOTS of them */
}
void tcp_peer_add(struct tcp_peer_table *t, struct tcp_peer_key *k);
void tcp_peer_del(struct tcp_peer_table *t, struct tcp_peer_key *k);
/* Where the options are; false: malformed, or more than one. NULL: not there. ao points to the kind octet. */
bool tcp_auth_options(const struct tcp_hdr *th, const uint8_t **md5, const uint8_t **ao);
/* 0: fine. Anything else: drop for this reason, which was counted. */
enum drop_reason tcp_inbound_hash(struct sock *sk, const struct request_sock *req, const struct sk_buff *skb, uint32_t saddr, uint32_t daddr);
static inline enum drop_reason tcp_inbound_auth(struct sock *sk, const struct request_sock *req, const struct sk_buff *skb, uint32_t saddr,
						uint32_t daddr)
{
	const struct tcp_hdr *th = tcp_hdr(skb);
	uint32_t hlen = tcp_hdrlen(th);

	/* nothing expected, and no room for anything but the usual timestamp */
	if (likely(!tcp_sk(sk)->has_auth && (hlen == TCP_HLEN || (hlen == TCP_HLEN + 12 && get_be32((const uint8_t *)(th + 1)) == 0x0101080a)) &&
		   !(req && tcp_rsk(req)->used_ao)))
		return DROP_NOT_SPECIFIED;
	return tcp_inbound_hash(sk, req, skb, saddr, daddr);
}
/* The key for a segment of a connection; of a SYN-ACK or an ACK of a request; of a remnant. False: AO has none, send nothing. */
void tcp_key_sk(struct sock *sk, uint8_t flags, uint32_t seq, struct tcp_key *k);
bool tcp_key_req(struct sock *lsk, const struct request_sock *req, struct tcp_key *k);
void tcp_key_tw(struct tcp_timewait_sock *tw, struct tcp_key *k);
/* A reset that answers skb, which addresses sk (NULL: nobody). False: say nothing. */
bool tcp_key_reset(struct sock *sk, const struct sk_buff *skb, uint32_t saddr, uint32_t daddr, struct tcp_key *k);
/* Octets of option in each segment of the connection. */
uint32_t tcp_auth_room(struct sock *sk);
/* Sign the segment whose header (hlen octets with options) is at th: payload octets follow in skb from off on (NULL: none). The
 * signature goes to mac, which lies within the header. */
void tcp_key_sign(const struct tcp_key *k, uint8_t *mac, uint32_t saddr, uint32_t daddr, const void *th, uint32_t hlen, const struct sk_buff *skb,
		  uint32_t off);
/* connect(): which of the keys are for this peer. 0 or -EKEYREJECTED. */
int tcp_auth_connect(struct sock *sk);
/* The peer's ISN is known. */
void tcp_auth_synced(struct sock *sk, uint32_t risn);
/* A child takes its peer's keys; false: the keys of its SYN are gone, it must not be. */
bool tcp_auth_may_inherit(const struct sock *lsk, const struct request_sock *req);
void tcp_auth_inherit(const struct sock *lsk, struct sock *child, const struct request_sock *req);
/* A request notes how its SYN (or the ACK of a cookie) was signed; false: malformed. */
bool tcp_auth_request(const struct sock *lsk, struct request_sock *req, const struct sk_buff *skb);
struct tcp_auth *tcp_auth_for_tw(struct sock *sk);
/* RFC 5925 7.8: an ICMP error that a signed connection does not believe. */
bool tcp_auth_ignores_icmp(struct sock *sk, uint8_t type, uint8_t code);
/* Charge n octets of optmem_max; false: there is no more. */
bool tcp_auth_charge(struct sock *sk, struct tcp_auth *a, uint32_t n);

/* tcp_md5.c */
struct tcp_md5_key *tcp_md5_lookup(const struct tcp_auth *a, uint32_t addr);
int tcp_md5_set(struct sock *sk, int name, const void *val, socklen_t len);
void tcp_md5_copy(struct net *net, struct tcp_auth *to, const struct tcp_md5_key *from, uint32_t addr, uint8_t prefix);
void tcp_md5_sign(const struct tcp_md5_key *key, uint8_t out[TCP_MD5_LEN], uint32_t saddr, uint32_t daddr, const void *th, uint32_t hlen,
		  const struct sk_buff *skb, uint32_t off);

/* tcp_ao.c */
#define TCP_AO_ANY (-1)
/* The key of that peer with these numbers (or TCP_AO_ANY); among several the one with the longest prefix. */
struct tcp_ao_key *tcp_ao_lookup(const struct tcp_auth *a, uint32_t addr, int sndid, int rcvid);
struct tcp_ao_key *tcp_ao_by_id(const struct tcp_auth *a, int sndid, int rcvid);
int tcp_ao_set(struct sock *sk, int name, const void *val, socklen_t len);
struct tcp_ao_key *tcp_ao_copy(struct net *net, struct tcp_auth *to, const struct tcp_ao_key *from);
void tcp_ao_traffic_key(const struct tcp_ao_key *key, uint8_t out[TCP_MAC_MAX], uint32_t saddr, uint32_t daddr, uint16_t sport, uint16_t dport,
			uint32_t sisn, uint32_t disn);
void tcp_ao_cache(struct tcp_auth *a, struct tcp_ao_key *key, const struct tcp_ehash_node *eh);
uint32_t tcp_ao_sne(uint32_t sne, uint32_t ref, uint32_t seq);
void tcp_ao_sign(const struct tcp_key *k, uint8_t *mac, uint32_t saddr, uint32_t daddr, const void *th, uint32_t hlen, const struct sk_buff *skb,
		 uint32_t off);
/* Must segments of this peer be signed with TCP-AO? */
bool tcp_ao_needed(struct sock *sk, uint32_t addr, bool count);
/* tcp_ao_opt.c */
int tcp_ao_get(struct sock *sk, int name, void *val, socklen_t *len);
int tcp_ao_set_repair(struct sock *sk, const void *val, socklen_t len);
int tcp_ao_set_info(struct sock *sk, const void *val, socklen_t len);
const char *tcp_ao_alg_name(uint8_t alg);
/* Is there an option longer than ours, and does it say something that we do not know? 0, -EINVAL, -E2BIG. */
int tcp_ao_take(void *to, size_t size, const void *val, socklen_t len);

#endif

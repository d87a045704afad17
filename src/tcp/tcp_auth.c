/* Signed segments, what TCP MD5 and TCP-AO have in common: which key, what must be signed, what is dropped.
 *
 * Called where a segment comes in (ipv4/tcp_ipv4.c), where one is made (tcp_output.c, tcp_syn.c, ipv4/tcp_ipv4_reply.c) and where a
 * connection takes a step (connect, child, TIME-WAIT). tcp_auth.h says how it hangs together. RFC 2385, RFC 5925.
 * Tests: tests/unit/tcp/test_tcp_auth.c, tests/packet/md5. */
#include "tcp/tcp_auth.h"
#include "tcp/tcp_int.h"

#define AUTH_MIN_LEN 18 /* fewer octets of options hold no MD5 signature */
#define SYNCHRONIZED (TCPF_(ESTABLISHED) | TCPF_(FIN_WAIT1) | TCPF_(FIN_WAIT2) | TCPF_(CLOSE_WAIT) | TCPF_(LAST_ACK) | TCPF_(CLOSING))

/* ---- tables ---- */
static void table_init(struct tcp_peer_table *t) { list_init(&t->all); }

void tcp_peer_add(struct tcp_peer_table *t, struct tcp_peer_key *k)
{
	hlist_add_head(&k->node, &t->slot[tcp_peer_slot(k->addr, k->prefix)]);
	list_add(&k->list, &t->all);
	t->by_prefix[k->prefix]++;
}

void tcp_peer_del(struct tcp_peer_table *t, struct tcp_peer_key *k)
{
	hlist_del_init(&k->node);
	list_del_init(&k->list);
	t->by_prefix[k->prefix]--;
}

static struct tcp_auth *auth_new(struct net *net)
{
	struct tcp_auth *a = pool_zget(&net->tcp->auth_pool);

	table_init(&a->md5);
	table_init(&a->ao);
	return a;
}

/* A signature belongs to one segment: no trains any more. */
static void auth_attach(struct sock *sk, struct tcp_auth *a)
{
	tcp_rare(sk)->auth = a;
	tcp_sk(sk)->has_auth = 1;
	sock_set_flag(sk, SOCK_F_NO_GSO, true);
	sk->gso_max_segs = 1;
}

struct tcp_auth *tcp_auth_get(struct sock *sk)
{
	if (!tcp_sk(sk)->has_auth)
		auth_attach(sk, auth_new(sk->net));
	return tcp_sk(sk)->rare->auth;
}

void tcp_auth_free(struct net *net, struct tcp_auth *a)
{
	if (!a)
		return;
	while (!list_empty(&a->md5.all)) {
		struct tcp_peer_key *k = list_first_entry(&a->md5.all, struct tcp_peer_key, list);

		list_del_init(&k->list);
		pool_put(&net->tcp->md5_key_pool, container_of(k, struct tcp_md5_key, k));
	}
	while (!list_empty(&a->ao.all)) {
		struct tcp_peer_key *k = list_first_entry(&a->ao.all, struct tcp_peer_key, list);

		list_del_init(&k->list);
		pool_put(&net->tcp->ao_key_pool, container_of(k, struct tcp_ao_key, k));
	}
	pool_put(&net->tcp->auth_pool, a);
}

bool tcp_auth_charge(struct sock *sk, struct tcp_auth *a, uint32_t n)
{
	if (a->omem + n >= sk->net->socks->optmem_max)
		return false;
	a->omem += n;
	return true;
}

/* ---- a received segment ---- */
bool tcp_auth_options(const struct tcp_hdr *th, const uint8_t **md5, const uint8_t **ao)
{
	const uint8_t *p = (const uint8_t *)(th + 1), *end = (const uint8_t *)th + tcp_hdrlen(th);

	*md5 = *ao = NULL;
	while (p < end && *p != TCPOPT_EOL) {
		if (*p == TCPOPT_NOP) {
			p++;
			continue;
		}
		if (end - p < 2 || p[1] < 2 || p[1] > end - p || (*p == TCPOPT_MD5SIG && end - p < AUTH_MIN_LEN))
			return end - p < AUTH_MIN_LEN; /* too little for a signature: somebody else judges it */
		if (*p == TCPOPT_MD5SIG || *p == TCPOPT_AO) {
			if (*p == TCPOPT_MD5SIG ? p[1] != TCP_MD5_LEN + 2 : p[1] <= 4)
				return false;
			if (*md5 || *ao)
				return false;
			if (*p == TCPOPT_MD5SIG)
				*md5 = p + 2;
			else
				*ao = p;
		}
		p += p[1];
	}
	return true;
}

static enum drop_reason inbound_md5(struct sock *sk, const struct sk_buff *skb, uint32_t saddr, uint32_t daddr, const uint8_t *sig)
{
	const struct tcp_md5_key *key = tcp_md5_lookup(tcp_auth_of(sk), saddr);
	const struct tcp_hdr *th = tcp_hdr(skb);
	uint8_t want[TCP_MD5_LEN];

	if (!key) {
		TCPEXT_INC(sk->net, TCPMD5Unexpected);
		return DROP_TCP_MD5UNEXPECTED;
	}
	tcp_md5_sign(key, want, saddr, daddr, th, tcp_hdrlen(th), skb, tcp_hdrlen(th));
	if (memcmp(want, sig, sizeof(want)) != 0) {
		TCPEXT_INC(sk->net, TCPMD5Failure);
		return DROP_TCP_MD5FAILURE;
	}
	return DROP_NOT_SPECIFIED;
}

static enum drop_reason ao_verify(struct sock *sk, struct tcp_auth *a, struct tcp_ao_key *key, const uint8_t *traffic, uint32_t sne,
				  const struct sk_buff *skb, uint32_t saddr, uint32_t daddr, const uint8_t *opt)
{
	const struct tcp_hdr *th = tcp_hdr(skb);
	struct tcp_key k = { .type = TCP_KEY_AO, .ao = key, .sne = sne };
	uint8_t want[TCP_MAC_MAX], hdr[60];
	uint32_t hlen = tcp_hdrlen(th), at = (uint32_t)(opt - (const uint8_t *)th) + 4;

	memcpy(k.traffic, traffic, sizeof(k.traffic));
	if (opt[1] - 4u == key->maclen) {
		memcpy(hdr, th, hlen);
		tcp_ao_sign(&k, hdr + at, saddr, daddr, hdr, hlen, skb, hlen);
		memcpy(want, hdr + at, key->maclen);
		if (memcmp(want, opt + 4, key->maclen) == 0) {
			TCPEXT_INC(sk->net, TCPAOGood);
			a->n.good++;
			key->good++;
			return DROP_NOT_SPECIFIED;
		}
	}
	TCPEXT_INC(sk->net, TCPAOBad);
	a->n.bad++;
	key->bad++;
	return DROP_TCP_AOFAILURE;
}

static enum drop_reason ao_no_key(struct sock *sk, struct tcp_auth *a)
{
	TCPEXT_INC(sk->net, TCPAOKeyNotFound);
	a->n.not_found++;
	return DROP_TCP_AOKEYNOTFOUND;
}

/* A synchronised connection: traffic keys are at hand, and the peer may ask for another key (RFC 5925 7.5.2). */
static enum drop_reason ao_established(struct sock *sk, struct tcp_auth *a, const struct sk_buff *skb, uint32_t saddr, uint32_t daddr,
				       const uint8_t *opt)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_ao_key *key = a->rnext && a->rnext->rcvid == opt[2] ? a->rnext : tcp_ao_by_id(a, TCP_AO_ANY, opt[2]), *next;
	uint8_t traffic[TCP_MAC_MAX];
	enum drop_reason why;

	if (!key)
		return ao_no_key(sk, a);
	if (unlikely((TCP_SKB_CB(skb)->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)) {
		const struct tcp_hdr *th = tcp_hdr(skb); /* a SYN that was late, or a new one: signed as SYNs are */

		tcp_ao_traffic_key(key, traffic, saddr, daddr, get_be16(th->source), get_be16(th->dest), TCP_SKB_CB(skb)->seq, 0);
		return ao_verify(sk, a, key, traffic, 0, skb, saddr, daddr, opt);
	}
	if (tp->rcv_nxt < a->rcv_ref)
		a->rcv_sne++;
	a->rcv_ref = tp->rcv_nxt;
	tcp_ao_cache(a, key, &inet_csk(sk)->eh);
	why = ao_verify(sk, a, key, key->rcv_key, tcp_ao_sne(a->rcv_sne, tp->rcv_nxt, TCP_SKB_CB(skb)->seq), skb, saddr, daddr, opt);
	if (why == DROP_NOT_SPECIFIED && a->current && opt[3] != a->current->sndid) {
		next = tcp_ao_by_id(a, opt[3], TCP_AO_ANY);
		if (next)
			a->current = next;
	}
	return why;
}

static enum drop_reason inbound_ao(struct sock *sk, const struct request_sock *req, const struct sk_buff *skb, uint32_t saddr, uint32_t daddr,
				   const uint8_t *opt)
{
	struct tcp_auth *a = tcp_auth_of(sk);
	const struct tcp_hdr *th = tcp_hdr(skb);
	uint8_t flags = TCP_SKB_CB(skb)->tcp_flags & (TCP_SYN | TCP_ACK), traffic[TCP_MAC_MAX];
	uint32_t seq = TCP_SKB_CB(skb)->seq, sisn = seq, disn = 0, sne = 0;
	struct tcp_ao_key *key;

	if (!a || !a->ao_on) {
		TCPEXT_INC(sk->net, TCPAOKeyNotFound);
		return DROP_TCP_AOUNEXPECTED;
	}
	if (!req && tcp_state_in(sk, SYNCHRONIZED))
		return ao_established(sk, a, skb, saddr, daddr, opt);
	if (sk->state == TCP_CLOSE)
		return DROP_TCP_CLOSE;
	key = tcp_ao_lookup(a, saddr, TCP_AO_ANY, opt[2]);
	if (!key)
		return ao_no_key(sk, a);
	if (flags == TCP_SYN) {
		/* its own number, and of ours it knows nothing */
	} else if (req) {
		sisn = tcp_rsk(req)->rcv_isn;
		disn = tcp_rsk(req)->snt_isn;
		sne = tcp_ao_sne(0, sisn, seq);
	} else if (sk->state == TCP_LISTEN) {
		if (flags != TCP_ACK)
			return DROP_TCP_FLAGS; /* no way to know what it was signed with */
		sisn = seq - 1; /* the answer to a cookie */
		disn = TCP_SKB_CB(skb)->ack_seq - 1;
		sne = tcp_ao_sne(0, sisn, seq);
	} else {
		disn = a->lisn;
		if (!(flags & TCP_SYN))
			sisn = a->risn;
	}
	tcp_ao_traffic_key(key, traffic, saddr, daddr, get_be16(th->source), get_be16(th->dest), sisn, disn);
	return ao_verify(sk, a, key, traffic, sne, skb, saddr, daddr, opt);
}

enum drop_reason tcp_inbound_hash(struct sock *sk, const struct request_sock *req, const struct sk_buff *skb, uint32_t saddr, uint32_t daddr)
{
	const uint8_t *md5, *ao;
	TRACE_FN(&sk->net->probe, skb->serial);

	if (!tcp_auth_options(tcp_hdr(skb), &md5, &ao))
		return DROP_TCP_AUTH_HDR;
	if (req && tcp_rsk(req)->used_ao != (ao != NULL)) {
		TCPEXT_INC(sk->net, TCPAOBad);
		return DROP_TCP_AOFAILURE;
	}
	if (ao)
		return inbound_ao(sk, req, skb, saddr, daddr, ao);
	if (md5)
		return inbound_md5(sk, skb, saddr, daddr, md5);
	if (tcp_ao_needed(sk, saddr, true))
		return DROP_TCP_AONOTFOUND;
	if (tcp_md5_lookup(tcp_auth_of(sk), saddr)) {
		TCPEXT_INC(sk->net, TCPMD5NotFound);
		return DROP_TCP_MD5NOTFOUND;
	}
	return DROP_NOT_SPECIFIED;
}

/* ---- a segment to send ---- */
static void use_md5(struct tcp_key *k, const struct tcp_md5_key *key)
{
	k->type = key ? TCP_KEY_MD5 : TCP_KEY_NONE;
	k->md5 = key;
}

void tcp_key_sk(struct sock *sk, uint8_t flags, uint32_t seq, struct tcp_key *k)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_auth *a = tcp_auth_of(sk);
	const struct inet_sock *inet = inet_sk(sk);

	k->type = TCP_KEY_NONE;
	if (!a)
		return;
	if (!a->ao_on || !a->current) {
		use_md5(k, tcp_md5_lookup(a, inet->daddr));
		return;
	}
	k->type = TCP_KEY_AO;
	k->ao = a->current;
	k->rnext = a->rnext ? a->rnext->rcvid : a->current->rcvid;
	if (flags & TCP_SYN) {
		k->sne = 0;
		tcp_ao_traffic_key(k->ao, k->traffic, inet->saddr, inet->daddr, inet->sport, inet->dport, a->lisn, flags & TCP_ACK ? a->risn : 0);
		return;
	}
	if (tp->snd_una < a->snd_ref)
		a->snd_sne++;
	a->snd_ref = tp->snd_una;
	k->sne = tcp_ao_sne(a->snd_sne, tp->snd_una, seq);
	tcp_ao_cache(a, a->current, &inet_csk(sk)->eh);
	memcpy(k->traffic, a->current->snd_key, sizeof(k->traffic));
}

bool tcp_key_req(struct sock *lsk, const struct request_sock *req, struct tcp_key *k)
{
	const struct tcp_request_sock *t = tcp_rsk(req);
	struct tcp_auth *a = tcp_auth_of(lsk);

	k->type = TCP_KEY_NONE;
	if (!t->used_ao) {
		use_md5(k, tcp_md5_lookup(a, req->eh.daddr));
		return true;
	}
	/* the key that the peer asked for, or none: never one that it did not */
	k->ao = a ? tcp_ao_lookup(a, req->eh.daddr, t->ao_keyid, TCP_AO_ANY) : NULL;
	if (!k->ao)
		return false;
	k->type = TCP_KEY_AO;
	k->rnext = t->ao_rcv_next;
	k->sne = 0;
	tcp_ao_traffic_key(k->ao, k->traffic, req->eh.saddr, req->eh.daddr, req->eh.num, req->eh.dport, t->snt_isn, t->rcv_isn);
	return true;
}

void tcp_key_tw(struct tcp_timewait_sock *tw, struct tcp_key *k)
{
	struct tcp_auth *a = tw->auth;

	k->type = TCP_KEY_NONE;
	if (!a)
		return;
	if (!a->current) {
		use_md5(k, tcp_md5_lookup(a, tw->eh.daddr));
		return;
	}
	k->type = TCP_KEY_AO;
	k->ao = a->current;
	k->rnext = a->rnext ? a->rnext->rcvid : a->current->rcvid;
	k->sne = tcp_ao_sne(a->snd_sne, a->snd_ref, tw->snd_nxt);
	tcp_ao_cache(a, a->current, &tw->eh);
	memcpy(k->traffic, a->current->snd_key, sizeof(k->traffic));
}

/* An AO reset of a socket that is not synchronised: what skb says of both numbers. */
static bool ao_reset(struct sock *sk, const struct sk_buff *skb, uint32_t saddr, uint32_t daddr, const uint8_t *opt, struct tcp_key *k)
{
	const struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	const struct tcp_hdr *th = tcp_hdr(skb);
	struct tcp_auth *a = sk ? tcp_auth_of(sk) : NULL;

	if (!a || !a->ao_on)
		return false; /* who is not there cannot sign */
	if (tcp_state_in(sk, SYNCHRONIZED)) {
		tcp_key_sk(sk, 0, tcb->tcp_flags & TCP_ACK ? tcb->ack_seq : 0, k);
		return k->type == TCP_KEY_AO;
	}
	k->ao = tcp_ao_lookup(a, saddr, opt[3], TCP_AO_ANY);
	if (!k->ao)
		return false;
	k->type = TCP_KEY_AO;
	k->rnext = opt[2];
	k->sne = 0;
	tcp_ao_traffic_key(k->ao, k->traffic, daddr, saddr, get_be16(th->dest), get_be16(th->source),
			   tcb->tcp_flags & TCP_ACK ? tcb->ack_seq - 1 : 0, tcb->tcp_flags & TCP_SYN ? tcb->seq : tcb->seq - 1);
	return true;
}

bool tcp_key_reset(struct sock *sk, const struct sk_buff *skb, uint32_t saddr, uint32_t daddr, struct tcp_key *k)
{
	const struct tcp_hdr *th = tcp_hdr(skb);
	const uint8_t *md5, *ao;
	uint8_t want[TCP_MD5_LEN];
	struct sock *lsk;

	k->type = TCP_KEY_NONE;
	if (!tcp_auth_options(th, &md5, &ao))
		return false;
	if (ao)
		return ao_reset(sk, skb, saddr, daddr, ao, k);
	if (sk) {
		use_md5(k, tcp_md5_lookup(tcp_auth_of(sk), saddr));
		return true;
	}
	if (!md5)
		return true;
	/* The connection was lost, its listener perhaps not: it may know the key. Only a valid signature is answered. */
	lsk = inet_lookup_listener(skb->net, daddr, get_be16(th->source), saddr, get_be16(th->source), skb->skb_iif);
	use_md5(k, lsk ? tcp_md5_lookup(tcp_auth_of(lsk), saddr) : NULL);
	if (k->type == TCP_KEY_NONE)
		return false;
	tcp_md5_sign(k->md5, want, saddr, daddr, th, tcp_hdrlen(th), skb, tcp_hdrlen(th));
	return memcmp(want, md5, sizeof(want)) == 0;
}

uint32_t tcp_auth_room(struct sock *sk)
{
	const struct tcp_auth *a = tcp_auth_of(sk);

	if (likely(!a))
		return 0;
	if (a->ao_on && a->current)
		return (4u + a->current->maclen + 3u) & ~3u;
	return tcp_md5_lookup(a, inet_sk(sk)->daddr) ? TCP_MD5_ROOM : 0;
}

void tcp_key_sign(const struct tcp_key *k, uint8_t *mac, uint32_t saddr, uint32_t daddr, const void *th, uint32_t hlen, const struct sk_buff *skb,
		  uint32_t off)
{
	if (k->type == TCP_KEY_MD5)
		tcp_md5_sign(k->md5, mac, saddr, daddr, th, hlen, skb, off);
	else if (k->type == TCP_KEY_AO)
		tcp_ao_sign(k, mac, saddr, daddr, th, hlen, skb, off);
}

/* ---- a connection's steps ---- */
int tcp_auth_connect(struct sock *sk)
{
	struct tcp_auth *a = tcp_auth_of(sk);
	uint32_t daddr = inet_sk(sk)->daddr;
	struct tcp_peer_key *k;
	struct tcp_ao_key *first;

	if (likely(!a) || !a->ao_on)
		return 0;
	if (tcp_md5_lookup(a, daddr) && !a->ao_required) { /* the peer speaks MD5 */
		a->current = a->rnext = NULL;
		a->ao_on = false;
		return 0;
	}
	first = tcp_ao_lookup(a, daddr, TCP_AO_ANY, TCP_AO_ANY);
	if (!first)
		return -EKEYREJECTED;
	list_for_each_entry(k, &a->ao.all, list)
		container_of(k, struct tcp_ao_key, k)->cached = false;
	if (!a->current || ((a->current->k.addr ^ daddr) & tcp_prefix_mask(a->current->k.prefix)))
		a->current = first;
	if (!a->rnext || ((a->rnext->k.addr ^ daddr) & tcp_prefix_mask(a->rnext->k.prefix)))
		a->rnext = first;
	a->lisn = a->snd_ref = tcp_sk(sk)->write_seq;
	a->snd_sne = a->rcv_sne = 0;
	return 0;
}

void tcp_auth_synced(struct sock *sk, uint32_t risn)
{
	struct tcp_auth *a = tcp_auth_of(sk);

	if (likely(!a))
		return;
	a->risn = a->rcv_ref = risn;
	a->rcv_sne = 0;
}

bool tcp_auth_may_inherit(const struct sock *lsk, const struct request_sock *req)
{
	const struct tcp_auth *a = tcp_auth_of(lsk);

	return likely(!tcp_rsk(req)->used_ao) || (a && tcp_ao_lookup(a, req->eh.daddr, TCP_AO_ANY, TCP_AO_ANY));
}

void tcp_auth_inherit(const struct sock *lsk, struct sock *child, const struct request_sock *req)
{
	const struct tcp_auth *a = tcp_auth_of(lsk);
	const struct tcp_request_sock *t = tcp_rsk(req);
	uint32_t peer = req->eh.daddr;
	struct tcp_peer_key *k;
	struct tcp_auth *n;

	if (likely(!a))
		return;
	if (!t->used_ao) {
		const struct tcp_md5_key *key = tcp_md5_lookup(a, peer);

		if (key)
			tcp_md5_copy(lsk->net, tcp_auth_get(child), key, peer, 32);
		return;
	}
	n = tcp_auth_get(child);
	for (struct list_head *pos = a->ao.all.prev; pos != &a->ao.all; pos = pos->prev) {
		k = list_entry(pos, struct tcp_peer_key, list);
		if (!((k->addr ^ peer) & tcp_prefix_mask(k->prefix)))
			n->current = n->rnext = tcp_ao_copy(lsk->net, n, container_of(k, struct tcp_ao_key, k));
	}
	if (tcp_ao_by_id(n, t->ao_keyid, TCP_AO_ANY))
		n->current = tcp_ao_by_id(n, t->ao_keyid, TCP_AO_ANY);
	if (tcp_ao_by_id(n, TCP_AO_ANY, t->ao_rcv_next))
		n->rnext = tcp_ao_by_id(n, TCP_AO_ANY, t->ao_rcv_next);
	n->ao_on = true;
	n->ao_required = a->ao_required;
	n->accept_icmps = a->accept_icmps;
	n->lisn = n->snd_ref = t->snt_isn;
	n->risn = n->rcv_ref = t->rcv_isn;
}

bool tcp_auth_request(const struct sock *lsk, struct request_sock *req, const struct sk_buff *skb)
{
	const uint8_t *md5, *ao;

	if (likely(!tcp_sk(lsk)->has_auth))
		return true;
	if (!tcp_auth_options(tcp_hdr(skb), &md5, &ao))
		return false;
	if (ao) {
		tcp_rsk(req)->used_ao = true;
		tcp_rsk(req)->ao_rcv_next = ao[2];
		tcp_rsk(req)->ao_keyid = ao[3];
	}
	return true;
}

/* The remnant answers for the connection: it takes a copy of what signs. */
struct tcp_auth *tcp_auth_for_tw(struct sock *sk)
{
	struct tcp_auth *a = tcp_auth_of(sk), *n;
	const struct tcp_md5_key *key;

	if (likely(!a))
		return NULL;
	key = a->ao_on && a->current ? NULL : tcp_md5_lookup(a, inet_sk(sk)->daddr);
	if (!key && !(a->ao_on && a->current))
		return NULL;
	n = auth_new(sk->net);
	if (key) {
		tcp_md5_copy(sk->net, n, key, inet_sk(sk)->daddr, 32);
		return n;
	}
	n->current = n->rnext = tcp_ao_copy(sk->net, n, a->current);
	if (a->rnext && a->rnext != a->current)
		n->rnext = tcp_ao_copy(sk->net, n, a->rnext);
	n->ao_on = true;
	n->accept_icmps = a->accept_icmps;
	n->lisn = a->lisn;
	n->risn = a->risn;
	n->snd_sne = a->snd_sne;
	n->snd_ref = a->snd_ref;
	return n;
}

bool tcp_auth_ignores_icmp(struct sock *sk, uint8_t type, uint8_t code)
{
	struct tcp_auth *a = tcp_auth_of(sk);

	/* destination unreachable: protocol, port, fragmentation needed (RFC 5925 7.8) */
	if (likely(!a) || !a->ao_on || a->accept_icmps || type != 3 || code < 2 || code > 4 || !tcp_state_in(sk, SYNCHRONIZED | TCPF_(CLOSE)))
		return false;
	TCPEXT_INC(sk->net, TCPAODroppedIcmps);
	a->n.dropped_icmp++;
	return true;
}

/* Accurate ECN, the data sender's side: how many of its segments met congestion (RFC 9768 3.2.2.5, appendix A).
 *
 * ACE has three bits. An ACK for up to seven segments says it exactly; when more were delivered at once (ACKs were lost, thinned,
 * or trains acknowledged), the counter may have turned round once or more. The safest likely reading takes it that it did, as
 * often as it can have, unless the option's count of octets, or the habit of this path's ACKs, speaks against it.
 * Called by tcp_ack.c. Tests: tests/unit/tcp/test_tcp_accecn.c, tests/packet/accecn. */
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_int.h"

#define ACE_MASK 7u
#define COUNTER_BITS 24
#define EWMA_WEIGHT 6
#define EWMA_PRECISION 6
#define ACKS_ARE_LARGE 4u /* segments per ACK, on average */
/* From so many octets sent on a counter that we never saw may have turned round. */
#define OPTION_TOO_LATE ((1u << (COUNTER_BITS - 1)) - 1)

/* A counter of 24 bits from the wire, which begins at init, carries ours on. By how much: negative, it is older than what
 * we know. */
int32_t tcp_accecn_counter_update(uint32_t *count, uint32_t wire, uint32_t init)
{
	uint32_t mask = (1u << COUNTER_BITS) - 1, d = (wire - init - *count) & mask;
	int32_t delta = (int32_t)(d << (32 - COUNTER_BITS)) >> (32 - COUNTER_BITS);

	*count += (uint32_t)delta;
	return delta;
}

uint32_t tcp_accecn_marks(const struct tcp_accecn_evidence *e)
{
	uint32_t safe;

	if (e->pkts <= ACE_MASK)
		return e->delta;
	safe = e->pkts - ((e->pkts - e->delta) & ACE_MASK); /* the largest count that ends in delta */
	if (!e->counters)
		return e->large_acks ? e->delta : safe;
	if (!e->d_ceb)
		return e->delta;
	if (e->pkts >= 2 * (ACE_MASK + 1) && e->order_known) {
		uint64_t est;

		if (e->bytes <= e->d_ceb)
			return safe;
		/* so many segments of average size hold the octets: whole turns are taken from it */
		est = ((uint64_t)e->d_ceb * e->pkts + e->bytes - 1) / e->bytes;
		return min_u32(safe, e->delta + ((uint32_t)est & ~ACE_MASK));
	}
	if (e->d_ceb > (uint64_t)e->delta * e->mss)
		return safe;
	return e->d_ceb < (uint64_t)safe * e->mss / 2 ? e->delta : safe;
}

/* The option's counters into ours. True: between this ACK and the one before it they say exactly what happened. */
static bool take_counters(struct tcp_accecn *a, const struct tcp_accecn_option *o)
{
	uint8_t expected = a->est_ect;
	bool exact = expected != 0, other = false, ambiguous = false;

	for (unsigned i = 0; i < o->n; i++) {
		uint8_t ect = o->ect[i];
		int32_t d = tcp_accecn_counter_update(&a->delivered_bytes[ect - 1], o->value[i], ect == TCP_CE ? 0 : 1);

		if (!d)
			continue;
		if (d < 0) {
			exact = false;
			ambiguous = true;
		}
		if (ect == expected)
			continue;
		if (other) {
			exact = false;
			ambiguous = true;
		} else {
			a->est_ect = ect;
			other = true;
		}
	}
	if (ambiguous)
		a->est_ect = 0;
	return exact;
}

static bool process_option(struct sock *sk, const struct sk_buff *skb, uint32_t bytes, int flag)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_accecn *a = tp->accecn;
	struct tcp_accecn_option o;

	if (a->fail & TCP_ACCECN_OPT_FAIL_RECV)
		return false;
	if ((flag & FLAG_SLOWPATH) && tcp_find_accecn(skb, &o)) {
		if (a->opt_seen < TCP_ACCECN_OPT_COUNTER_SEEN) {
			a->opt_seen = tcp_accecn_option_seen(&o);
			if (a->opt_seen == TCP_ACCECN_OPT_FAIL_SEEN)
				a->fail |= TCP_ACCECN_OPT_FAIL_RECV;
		}
		return take_counters(a, &o);
	}
	if (!a->opt_seen) {
		if (tp->bytes_sent >= OPTION_TOO_LATE) {
			a->opt_seen = TCP_ACCECN_OPT_FAIL_SEEN;
			a->fail |= TCP_ACCECN_OPT_FAIL_RECV;
		}
		return false;
	}
	if (!a->est_ect)
		return false;
	a->delivered_bytes[a->est_ect - 1] += bytes; /* as the last ones went */
	return true;
}

static void note_ack_size(struct tcp_accecn *a, uint32_t pkts)
{
	uint32_t v = pkts << EWMA_PRECISION;

	if (a->pkts_acked_ewma)
		v = (((uint32_t)a->pkts_acked_ewma << EWMA_WEIGHT) - a->pkts_acked_ewma + v) >> EWMA_WEIGHT;
	a->pkts_acked_ewma = (uint16_t)min_u32(v, UINT16_MAX);
}

uint32_t tcp_accecn_process(struct sock *sk, const struct sk_buff *skb, uint32_t pkts, uint32_t bytes, int flag)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_accecn *a = tp->accecn;
	uint32_t ceb = a->delivered_bytes[TCP_CE - 1];
	struct tcp_accecn_evidence e = { .pkts = pkts, .bytes = bytes, .mss = tp->mss_cache };

	/* an ACK that tells nothing new may have been overtaken */
	if (!(flag & (FLAG_FORWARD_PROGRESS | FLAG_TS_PROGRESS)))
		return 0;
	e.counters = process_option(sk, skb, bytes, flag);
	if (pkts)
		note_ack_size(a, pkts);
	if (!(flag & FLAG_SLOWPATH) && pkts <= ACE_MASK)
		return 0; /* header prediction: ACE is what it was */
	if ((flag & FLAG_SYN_ACKED) || sk->state == TCP_SYN_RECV)
		return 0; /* ACE speaks of the handshake */
	if (a->fail & TCP_ACCECN_ACE_FAIL_RECV)
		return 0;
	e.delta = (tcp_ace(tcp_hdr(skb)) - TCP_ACCECN_CEP_INIT - tp->delivered_ce) & ACE_MASK;
	e.d_ceb = a->delivered_bytes[TCP_CE - 1] - ceb;
	e.order_known = !tcp_is_reno(tp) || inet_csk(sk)->ca_state == TCP_CA_Open || inet_csk(sk)->ca_state == TCP_CA_CWR;
	e.large_acks = a->pkts_acked_ewma > ACKS_ARE_LARGE << EWMA_PRECISION;
	return tcp_accecn_marks(&e);
}

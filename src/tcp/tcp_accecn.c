/* Accurate ECN (RFC 9768): how many segments came with CE, said in every header, and how many octets with each codepoint, in an
 * option; instead of "once per round trip something was marked" (RFC 3168, tcp_rcvq.c and tcp_output.c).
 *
 * ACE, the three bits AE CWR ECE as a number, means
 *     in a SYN                    7: Accurate ECN is asked for
 *     in a SYN-ACK, and the       2, 3, 4, 6: the SYN (the SYN-ACK) came as Not-ECT, ECT(1), ECT(0), CE   (3.1.1, 3.2.2.1)
 *     pure ACK of a SYN-ACK
 *     everywhere else             r.cep modulo 8: 5 plus the segments that came with CE            (3.2.2)
 * The option (kind 174; 172 has the fields the other way round) carries r.e1b, r.ceb, r.e0b, the octets of payload that came
 * as ECT(1), CE, ECT(0), in 24 bits each, from the left as many as there is room for (3.2.3).
 *
 * Both sides may find that something on the path plays tricks with the bits (3.2.2.3, 3.2.2.4, 3.2.3.2): tcp_accecn.fail. What
 * we hear is then not believed, what we send goes out Not-ECT, and the peer is told of its marks all the same.
 * State is struct tcp_accecn, which a connection without Accurate ECN has only once something came with ECT or CE: TCP_INFO
 * counts these for everybody. tp->ecn_flags has TCP_ECN_PENDING (asked), TCP_ECN_ACCECN (agreed) or TCP_ECN_OK (RFC 3168).
 * How many marks an ACK reports is reckoned in tcp_accecn_ack.c.
 * Called by tcp_input.c, tcp_minisocks.c, tcp_syn.c, tcp_output.c. Tests: tests/unit/tcp/test_tcp_accecn.c, tests/packet/accecn. */
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_int.h"

struct tcp_accecn *tcp_accecn(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->accecn)
		tp->accecn = pool_zget(&tcp_net(sk)->accecn_pool);
	return tp->accecn;
}

void tcp_accecn_free(struct sock *sk)
{
	if (tcp_sk(sk)->accecn)
		pool_put(&tcp_net(sk)->accecn_pool, tcp_sk(sk)->accecn);
	tcp_sk(sk)->accecn = NULL;
}

/* ---- the codepoint of a SYN or a SYN-ACK, told by ACE ---- */
uint8_t tcp_accecn_ace_of_ect(uint8_t ect)
{
	static const uint8_t ace[] = { 2, 3, 4, 6 };

	return ace[ect & 3];
}

/* The other way; what is reserved reads as Not-ECT, unchanged (3.1.3). */
uint8_t tcp_accecn_ect_of_ace(uint8_t ace)
{
	return ace == 3 ? TCP_ECT1 : ace == 4 ? TCP_ECT0 : ace == 6 ? TCP_CE : TCP_NOT_ECT;
}

/* 3.2.2.3: Not-ECT may not become anything, nothing may become Not-ECT, and CE stays CE. */
bool tcp_accecn_transition_valid(uint8_t sent, uint8_t came)
{
	return sent == came || (sent != TCP_NOT_ECT && came != TCP_NOT_ECT && sent != TCP_CE);
}

/* ---- client ---- */
/* Flags of a SYN, by net.ipv4.tcp_ecn and the route. */
uint8_t tcp_ecn_send_syn(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	int mode = tcp_sysctl(sk)->ecn;

	tp->ecn_flags = 0;
	if (mode == 3) {
		tcp_accecn_free(sk);
		tcp_accecn(sk);
		tp->ecn_flags = TCP_ECN_PENDING;
	} else if (mode == 1 || mode == 4 || tcp_route_wants_ecn(sk)) {
		tp->ecn_flags = TCP_ECN_OK;
	}
	return tp->ecn_flags ? TCP_ECE | TCP_CWR : 0;
}

/* A SYN is sent again, for the nth time (1, 2, ...): may it still ask? RFC 3168 6.1.1.1 gives up at once, RFC 9768 3.1.4.1 tries
 * once more. */
bool tcp_ecn_syn_again(struct sock *sk, uint32_t n)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tcp_sysctl(sk)->ecn_fallback || ((tp->ecn_flags & TCP_ECN_PENDING) && n < 2))
		return true;
	if (tp->accecn)
		tp->accecn->fail |= TCP_ACCECN_ACE_FAIL_SEND; /* 3.1.5, if an earlier one is answered yet */
	return false;
}

/* Flags of a SYN or SYN-ACK that is a segment of this socket. */
uint16_t tcp_accecn_syn_flags(const struct sock *sk, uint16_t flags)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if ((flags & (TCP_ACK | TCP_ECE | TCP_CWR)) == (TCP_ECE | TCP_CWR))
		return flags | (tp->ecn_flags & TCP_ECN_PENDING ? TCP_AE : 0u);
	if (!(flags & TCP_ACK) || !(tp->ecn_flags & TCP_ECN_ACCECN))
		return flags;
	flags &= (uint16_t)~TCP_ACE_FLAGS;
	if (tp->total_retrans >= 2) { /* 3.2.3.2.2: perhaps that is what the path cannot stand */
		tp->accecn->fail |= TCP_ACCECN_ACE_FAIL_SEND;
		return flags;
	}
	return flags | tcp_ace_flags(tcp_accecn_ace_of_ect(tp->accecn->syn_ect_rcv));
}

/* The first option of a connection: are its counters what they begin with (3.2.3.2.4)? enum tcp_accecn_seen. */
uint8_t tcp_accecn_option_seen(const struct tcp_accecn_option *o)
{
	if (!o->n)
		return TCP_ACCECN_OPT_EMPTY_SEEN;
	if (!o->value[0] || (o->n == 3 && !o->value[2])) /* in either order the outer ones are those of ECT, which begin with 1 */
		return TCP_ACCECN_OPT_FAIL_SEEN;
	return TCP_ACCECN_OPT_COUNTER_SEEN;
}

static void option_of_synack(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_accecn *a = tcp_sk(sk)->accecn;
	struct tcp_accecn_option o;

	if (a->opt_seen >= TCP_ACCECN_OPT_COUNTER_SEEN || !tcp_find_accecn(skb, &o))
		return;
	a->opt_seen = tcp_accecn_option_seen(&o);
	if (a->opt_seen == TCP_ACCECN_OPT_FAIL_SEEN)
		a->fail |= TCP_ACCECN_OPT_FAIL_RECV;
	a->opt_demand = 2; /* the ACK of the handshake may be lost: the first data has one too (3.2.3.2.1) */
}

static void accecn_agreed(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_accecn *a = tcp_accecn(sk);

	tp->ecn_flags = TCP_ECN_ACCECN;
	a->syn_ect_rcv = TCP_SKB_CB(skb)->ip_dsfield & 3; /* prev_ect stays Not-ECT, as Linux has it */
}

/* A SYN-ACK for our SYN (3.1.2, table 2). */
void tcp_ecn_rcv_synack(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint8_t ace = tcp_ace(tcp_hdr(skb));

	if (!(tp->ecn_flags & TCP_ECN_PENDING)) {
		if ((ace & 3) != 1) /* RFC 3168 6.1.1: ECE without CWR agrees */
			tp->ecn_flags = 0;
		return;
	}
	if (ace == 0 || ace == 7) { /* knows no ECN; or sends back what it got */
		tp->ecn_flags = 0;
	} else if (ace == 1) {
		tp->ecn_flags = TCP_ECN_OK;
	} else { /* 5 is reserved: Accurate ECN, as 2 (3.1.3) */
		accecn_agreed(sk, skb);
		option_of_synack(sk, skb);
		if (tp->accecn->syn_ect_rcv == TCP_CE && tcp_accecn_syn_feedback(sk, ace))
			tp->accecn->received_ce++;
	}
}

/* What the peer says of our SYN or SYN-ACK: false, somebody has changed it. */
bool tcp_accecn_syn_feedback(struct sock *sk, uint8_t ace)
{
	struct tcp_accecn *a = tcp_sk(sk)->accecn;

	if (!tcp_sysctl(sk)->ecn_fallback || tcp_accecn_transition_valid(a->syn_ect_snt, tcp_accecn_ect_of_ace(ace)))
		return true;
	a->fail |= TCP_ACCECN_ACE_FAIL_RECV;
	return false;
}

/* Simultaneous open: the peer's SYN for ours. */
void tcp_ecn_rcv_syn(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint8_t ace = tcp_ace(tcp_hdr(skb));

	if ((tp->ecn_flags & TCP_ECN_PENDING) && tcp_accecn_syn_asks(ace))
		accecn_agreed(sk, skb);
	else
		tp->ecn_flags = tp->ecn_flags && (ace & 3) == 3 ? TCP_ECN_OK : 0;
}

/* ---- server ---- */
/* A SYN for a listener: what will be agreed. Which other combinations a SYN may have is not known yet: they ask too (3.1.3). */
void tcp_ecn_create_request(struct request_sock *req, const struct sk_buff *skb)
{
	struct tcp_request_sock *t = tcp_rsk(req);
	const struct tcp_hdr *th = tcp_hdr(skb);
	int mode = req->net->tcp->sysctl.ecn;

	if (mode >= 3 && tcp_accecn_syn_asks(tcp_ace(th))) {
		t->accecn_ok = 1;
		return;
	}
	if ((tcp_ace(th) & 3) != 3 || !mode)
		return;
	/* RFC 3168 6.1.1: a SYN is Not-ECT, but that of somebody who uses bits that it knew nothing of */
	if (!(TCP_SKB_CB(skb)->ip_dsfield & 3) || (th->off_res & 15))
		t->ecn_ok = 1;
}

/* The same SYN once more: the codepoint of the latest is told (3.1.5), and one that does not ask any more says why. */
void tcp_accecn_syn_again(struct request_sock *req, const struct sk_buff *skb)
{
	struct tcp_request_sock *t = tcp_rsk(req);

	if (!t->accecn_ok)
		return;
	t->syn_tos = (uint8_t)((t->syn_tos & ~3u) | (TCP_SKB_CB(skb)->ip_dsfield & 3u));
	if (!tcp_ace(tcp_hdr(skb)))
		t->accecn_fail |= TCP_ACCECN_ACE_FAIL_RECV & 15u;
}

/* Flags of a request's SYN-ACK. 3.2.3.2.2: the second is without the option, the third without ACE. */
uint16_t tcp_ecn_synack_flags(struct tcp_request_sock *t)
{
	if (!t->accecn_ok)
		return t->ecn_ok ? TCP_ECE : 0;
	if (t->req.num_retrans >= 2) {
		t->accecn_fail |= TCP_ACCECN_ACE_FAIL_SEND & 15u;
		return 0;
	}
	return tcp_ace_flags(tcp_accecn_ace_of_ect(t->syn_tos & 3));
}

/* A segment for a request: its option, if it is the first. */
void tcp_accecn_check_req(struct tcp_request_sock *t, const struct sk_buff *skb)
{
	struct tcp_accecn_option o;

	if (t->accecn_seen >= TCP_ACCECN_OPT_COUNTER_SEEN || !tcp_find_accecn(skb, &o))
		return;
	t->accecn_seen = tcp_accecn_option_seen(&o) & 3u;
	if (t->accecn_seen == TCP_ACCECN_OPT_FAIL_SEEN)
		t->accecn_fail |= TCP_ACCECN_OPT_FAIL_RECV & 15u;
}

void tcp_ecn_openreq_child(struct sock *sk, const struct tcp_request_sock *t)
{
	struct tcp_accecn *a;

	tcp_sk(sk)->ecn_flags = t->accecn_ok ? TCP_ECN_ACCECN : t->ecn_ok ? TCP_ECN_OK : 0;
	if (!t->accecn_ok)
		return;
	a = tcp_accecn(sk);
	a->syn_ect_rcv = a->prev_ect = t->syn_tos & 3;
	a->opt_seen = t->accecn_seen;
	a->fail = t->accecn_fail;
	a->opt_demand = 1;
}

/* The segment that ends SYN-RECEIVED (3.2.2.1): a pure ACK without SACK blocks says how our SYN-ACK came. */
void tcp_accecn_third_ack(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint8_t ace = tcp_ace(tcp_hdr(skb));
	unsigned sacks = 0;

	if (TCP_SKB_CB(skb)->seq != TCP_SKB_CB(skb)->end_seq || tcp_find_sack(skb, &sacks))
		return;
	if (!ace)
		tp->accecn->fail |= TCP_ACCECN_ACE_FAIL_RECV;
	else if (ace == 1 || ace == 5 || ace == 7)
		return; /* of no meaning yet */
	else if (tcp_accecn_syn_feedback(sk, ace) && tcp_accecn_ect_of_ace(ace) == TCP_CE && !tp->delivered_ce)
		tp->delivered_ce++;
}

/* ---- receiver: what came ---- */
/* More than this since the last option: the peer may not tell one turn of a 24-bit counter from two. */
#define ACCECN_OPTION_EVERY_SHIFT 22

static void count_octets(struct tcp_accecn *a, uint8_t ect, uint32_t len)
{
	uint32_t old = a->received_bytes[ect - 1];
	uint8_t field = ect == TCP_ECT1 ? 1 : ect == TCP_CE ? 2 : 3; /* its place in the option */

	a->received_bytes[ect - 1] += len;
	if (a->opt_minlen < field)
		a->opt_minlen = field;
	if (((a->received_bytes[ect - 1] ^ old) >> ACCECN_OPTION_EVERY_SHIFT) && !a->opt_demand)
		a->opt_demand = 1;
}

/* An acceptable segment with ECT or CE; any at all where Accurate ECN was agreed. len: of its payload. */
void tcp_ecn_received_counters_(struct sock *sk, const struct sk_buff *skb, uint32_t len)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint8_t ect = TCP_SKB_CB(skb)->ip_dsfield & 3;
	struct tcp_accecn *a = tcp_accecn(sk);

	if (ect) {
		if (!(tp->ecn_flags & TCP_ECN_OK))
			tp->ecn_flags |= TCP_ECN_SEEN;
		if (ect == TCP_CE)
			a->received_ce += max_u32(skb_shinfo(skb)->gso_segs, 1); /* pure ACKs too */
		if (len)
			count_octets(a, ect, len);
	}
	if (!(tp->ecn_flags & TCP_ECN_ACCECN) || (a->prev_ect == ect && ect != TCP_CE))
		return;
	/* 3.2.3.3: a change is told at once, and the second of the options after it says which one it is now */
	if (a->prev_ect != ect)
		inet_csk(sk)->ack_pending |= ICSK_ACK_NOW;
	a->prev_ect = ect;
	a->opt_demand = 2;
}

/* ---- sender: header and option ---- */
/* ECT and ACE of a segment that is not a SYN. */
uint16_t tcp_accecn_send(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_accecn *a = tp->accecn;

	if (!(a->fail & (TCP_ACCECN_ACE_FAIL_RECV | TCP_ACCECN_ACE_FAIL_SEND)))
		tp->icsk.inet.tos |= TCP_ECT0; /* pure ACKs and repetitions too */
	if (a->reflect)
		return tcp_ace_flags(tcp_accecn_ace_of_ect(a->syn_ect_rcv));
	return tcp_ace_flags((uint8_t)(a->received_ce + TCP_ACCECN_CEP_INIT) & 7);
}

/* The ACK of a SYN-ACK. */
void tcp_send_ack_reflecting(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->ecn_flags & TCP_ECN_ACCECN)
		tp->accecn->reflect = true;
	tcp_send_ack(sk);
	if (tp->accecn)
		tp->accecn->reflect = false;
}

/* A SYN-ACK once more, on an established connection: its ACK tells how this one came (3.1.5). */
void tcp_accecn_synack_again(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_accecn *a = tcp_sk(sk)->accecn;

	a->syn_ect_rcv = TCP_SKB_CB(skb)->ip_dsfield & 3;
	a->reflect = true;
	tcp_send_challenge_ack(sk);
	a->reflect = false;
}

/* net.ipv4.tcp_ecn_option_beacon so many times in a round trip. */
static bool beacon_due(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	uint64_t us = (sk->net->now_ns - tp->accecn->opt_sent_ns) / NSEC_PER_USEC;

	return tcp_sysctl(sk)->ecn_option_beacon && us * (uint32_t)tcp_sysctl(sk)->ecn_option_beacon >= tp->srtt_us >> 3;
}

bool tcp_accecn_option_wanted(const struct sock *sk)
{
	const struct tcp_accecn *a = tcp_sk(sk)->accecn;
	int mode = tcp_sysctl(sk)->ecn_option;

	if (!mode || !a->opt_seen || ((a->fail & TCP_ACCECN_OPT_FAIL_SEND) && mode < 3))
		return false;
	return mode >= 2 || a->opt_demand || beacon_due(sk);
}

/* NOPs in front of what stands behind the option in a SYN-ACK. */
uint32_t tcp_accecn_spare(const struct tcp_out_options *o)
{
	return (o->options & (OPTION_SACK_ADVERTISE | OPTION_TS)) == OPTION_SACK_ADVERTISE ? 2 : o->options & OPTION_WSCALE ? 1 : 0;
}

/* Room for the option among those of o, of which room octets are left: at least min fields, three if it may be. The NOPs in
 * front of the options behind it (spare) may be taken; with more than two SACK blocks one of them, if fields are due. */
void tcp_accecn_fit(struct tcp_out_options *o, unsigned min, uint32_t room, uint32_t spare)
{
	unsigned blocks = o->num_sack_blocks;

	for (;;) {
		for (int n = 3; n >= (int)min; n--) {
			uint32_t len = 2u + 3u * (uint32_t)n, net = (len & 3) <= spare ? len & ~3u : (len + 3) & ~3u;

			if (net <= room) {
				o->options |= OPTION_ACCECN;
				o->accecn_fields = (uint8_t)n;
				o->accecn_size = (uint8_t)net;
				return;
			}
		}
		if (!min || o->num_sack_blocks <= 2)
			break;
		o->num_sack_blocks--;
		room += 8;
	}
	o->num_sack_blocks = (uint8_t)blocks;
}

/* How much the options of the next segment grow by it: of room octets, beside so many SACK blocks. */
uint32_t tcp_accecn_room(const struct sock *sk, uint32_t room, uint32_t blocks)
{
	struct tcp_out_options o = { .num_sack_blocks = (uint8_t)blocks };

	if (!tcp_accecn_option_wanted(sk))
		return 0;
	tcp_accecn_fit(&o, tcp_sk(sk)->accecn->opt_minlen, room, blocks ? 2 : 0);
	return o.accecn_size - 8 * (blocks - o.num_sack_blocks); /* an option that costs a block may be a loss: modulo 2^32 */
}

void tcp_accecn_counters(const struct tcp_accecn *a, uint32_t out[3])
{
	out[0] = (a ? a->received_bytes[TCP_ECT1 - 1] : 0) + 1;
	out[1] = a ? a->received_bytes[TCP_CE - 1] : 0;
	out[2] = (a ? a->received_bytes[TCP_ECT0 - 1] : 0) + 1;
}

void tcp_accecn_option_sent(struct sock *sk, bool with_dsack)
{
	struct tcp_accecn *a = tcp_sk(sk)->accecn;

	a->opt_minlen = 0;
	if (a->opt_demand)
		a->opt_demand--;
	a->opt_sent_ns = sk->net->now_ns;
	a->opt_with_dsack = with_dsack;
}

/* Nothing of ours that had the option was ever acknowledged, and time is out: perhaps it is the option (3.2.3.2.2). */
void tcp_accecn_timeout(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->accecn->opt_sent_ns && tp->bytes_acked <= 1) /* 1: of the SYN */
		tp->accecn->fail |= TCP_ACCECN_OPT_FAIL_SEND;
}

/* The peer sends again what our answer with an option had already told it that it sends twice: that answer does not get
 * through, perhaps because of the option (3.2.3.2.2). seq: of the first octet. */
void tcp_accecn_spurious_rexmit(struct sock *sk, uint32_t seq)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->accecn->opt_with_dsack && tp->sack && seq == tp->sack->duplicate_sack[0].start_seq)
		tp->accecn->fail |= TCP_ACCECN_OPT_FAIL_SEND;
}

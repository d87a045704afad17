/* The state space: every segment that 11 states, 64 flag sets, 7 places of the sequence number, 6 of the acknowledgement number,
 * 2 windows and 3 lengths can make (177,408), and every mutation of one or two fields of each kind of segment to the edges of
 * their ranges. Each is judged by model_9293.c, which knows RFC 9293 and not the stack. After each nothing may be left: no socket,
 * no remnant, no packet, no memory accounted. MUST-66, TP-17. */
#include "tcp_bed.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "model_9293.h"
#include "wire/ip4.h"

#define WIN 32768u
#define MSS 1000u
#define TEXT 4u /* octets that are sent and not acknowledged */

/* ---- a host, a listener, and a script that hears everything ---- */
struct heard {
	uint8_t flags;
	uint32_t seq, ack, len;
	uint16_t win;
};
struct world {
	struct bed *b;
	struct sock *l;
	struct heard h[8];
	unsigned n;
	uint16_t next_port;
	uint64_t cases;
};
struct scene { /* one connection in one state */
	struct world *w;
	struct sock *sk; /* NULL: no program has it */
	uint16_t port, our_port;
	struct m_conn c;
};

static uint64_t world_tap(struct bed *b, const struct seg *s, void *arg)
{
	struct world *w = arg;
	struct heard *h = &w->h[w->n < ARRAY_SIZE(w->h) ? w->n : ARRAY_SIZE(w->h) - 1];

	*h = (struct heard){ s->b[13], get_be32(s->b + 4), get_be32(s->b + 8), s->len - (s->b[12] >> 4) * 4u, get_be16(s->b + 14) };
	w->n++;
	return UINT64_MAX;
}

static void world_new(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->b = scripted_bed();
	w->b->tap = world_tap;
	w->b->tap_arg = w;
	w->l = bed_listen(w->b, 0, 80, 100);
	w->next_port = 1024;
}

static void world_free(struct world *w)
{
	bed_close(w->l);
	bed_expect_clean(w->b);
	bed_free(w->b);
}

struct raw { /* every field of a header, and what follows */
	uint32_t seq, ack;
	uint16_t win, urg;
	uint8_t flags, off; /* off: data offset in words */
	uint8_t opts[40];
	uint32_t len;
	bool lie; /* the data offset claims options that are not there: what follows is taken for them */
};

static void put(struct scene *s, const struct raw *r)
{
	static const uint8_t text[2048];
	union {
		struct seg seg;
		uint8_t room[sizeof(struct seg) + 60 + 2048];
	} u;
	struct seg *g = &u.seg;
	uint32_t opts = r->off > 5 && !r->lie ? (r->off - 5u) * 4 : 0;

	memset(g, 0, sizeof(*g) + 60);
	g->saddr = bed_addr(1);
	g->daddr = bed_addr(0);
	g->len = 20 + opts + r->len;
	put_be16(g->b, s->port);
	put_be16(g->b + 2, s->our_port);
	put_be32(g->b + 4, r->seq);
	put_be32(g->b + 8, r->ack);
	g->b[12] = (uint8_t)(r->off << 4);
	g->b[13] = r->flags;
	put_be16(g->b + 14, r->win);
	put_be16(g->b + 18, r->urg);
	memcpy(g->b + 20, r->opts, opts);
	memcpy(g->b + 20 + opts, text, r->len);
	put_be16(g->b + 16, csum_fold(csum_partial(g->b, g->len, csum_tcpudp_nofold(g->saddr, g->daddr, g->len, 6, 0))));
	s->w->n = 0;
	bed_deliver(s->w->b, 0, g, PACKET_HOST_);
}

static void tell(struct scene *s, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	struct raw r = { .seq = seq, .ack = ack, .flags = flags, .win = WIN, .off = 5, .len = len };

	put(s, &r);
	s->c.snd_wl1 = seq;
	s->c.snd_wnd = WIN;
}

/* ---- into a state ---- */
static void connecting(struct scene *s)
{
	struct world *w = s->w;

	s->sk = bed_socket(w->b, 0);
	w->n = 0;
	assert_int_equal(bed_connect(w->b, s->sk, 1, 80), 0);
	assert_int_equal(w->n, 1);
	s->port = 80;
	s->our_port = inet_sk(s->sk)->sport;
	s->c.iss = s->c.snd_una = w->h[0].seq;
	s->c.snd_nxt = s->c.iss + 1;
	s->c.state = M_SYN_SENT;
}

static void opened(struct scene *s, bool sack)
{
	struct raw r = { .seq = s->c.irs, .ack = s->c.iss + 1, .flags = TCP_SYN | TCP_ACK, .win = WIN, .off = sack ? 7 : 6,
			 .opts = { 2, 4, MSS >> 8, MSS & 255, 4, 2, 1, 1 } };

	put(s, &r);
	assert_int_equal(s->sk->state, TCP_ESTABLISHED);
	s->c.snd_una = s->c.snd_nxt;
	s->c.rcv_nxt = s->c.irs + 1;
	s->c.rcv_wnd = s->w->h[0].win;
	s->c.max_snd_wnd = s->c.snd_wnd = WIN;
	s->c.snd_wl1 = s->c.irs;
	s->c.state = M_ESTABLISHED;
}

static void send_text(struct scene *s)
{
	s->w->n = 0;
	assert_int_equal(bed_send(s->sk, "text", TEXT, 0), TEXT);
	assert_int_equal(s->w->h[0].ack, s->c.rcv_nxt);
	s->c.rcv_wnd = s->w->h[0].win;
	s->c.snd_nxt += TEXT;
}
static void send_fin(struct scene *s)
{
	tcp_shutdown(s->sk, 2);
	s->c.snd_nxt++;
}
static void all_acked(struct scene *s)
{
	tell(s, TCP_ACK, s->c.rcv_nxt, s->c.snd_nxt, 0);
	s->c.snd_una = s->c.snd_nxt;
}
static void peer_fin(struct scene *s)
{
	tell(s, TCP_ACK | TCP_FIN, s->c.rcv_nxt, s->c.snd_una, 0);
	s->c.rcv_nxt++;
	if (s->w->n) {
		assert_int_equal(s->w->h[0].ack, s->c.rcv_nxt);
		s->c.rcv_wnd = s->w->h[0].win;
	}
}

static void half_open(struct scene *s)
{
	s->our_port = 80;
	tell(s, TCP_SYN, s->c.irs, 0, 0);
	assert_int_equal(s->w->n, 1);
	s->c.iss = s->c.snd_una = s->w->h[0].seq;
	s->c.snd_nxt = s->c.iss + 1;
	s->c.rcv_nxt = s->c.irs + 1;
	s->c.rcv_wnd = s->w->h[0].win;
	s->c.max_snd_wnd = WIN;
}

static void to_state(struct scene *s, enum m_state st)
{
	if (st == M_SYN_SENT)
		return;
	if (st == M_SYN_RECEIVED_ACTIVE) {
		tell(s, TCP_SYN, s->c.irs, 0, 0);
		assert_int_equal(s->sk->state, TCP_SYN_RECV);
		s->c.rcv_nxt = s->c.irs + 1;
		s->c.rcv_wnd = s->w->h[0].win;
		s->c.max_snd_wnd = WIN;
		return;
	}
	opened(s, s->w->cases & 1);
	if (st == M_CLOSE_WAIT || st == M_LAST_ACK)
		peer_fin(s);
	if (st != M_FIN_WAIT_2 && st != M_FIN_WAIT_2_ORPHAN && st != M_TIME_WAIT)
		send_text(s); /* which acknowledges the FIN */
	if (st == M_FIN_WAIT_2_ORPHAN || st == M_TIME_WAIT) {
		bed_close(s->sk);
		s->sk = NULL;
		s->c.snd_nxt++;
	} else if (st != M_ESTABLISHED && st != M_CLOSE_WAIT) {
		send_fin(s);
	}
	if (st == M_FIN_WAIT_2 || st == M_FIN_WAIT_2_ORPHAN || st == M_TIME_WAIT)
		all_acked(s);
	if (st == M_CLOSING || st == M_TIME_WAIT)
		peer_fin(s);
}

static void enter(struct world *w, struct scene *s, enum m_state st)
{
	*s = (struct scene){ .w = w, .c = { .irs = 5000, .rcv_nxt = 5000 } };
	s->port = w->next_port++;
	if (w->next_port == 60000)
		w->next_port = 1024;
	s->our_port = st == M_LISTEN ? 80 : 4000;
	if (st == M_SYN_RECEIVED) {
		half_open(s);
	} else if (st != M_CLOSED && st != M_LISTEN) {
		connecting(s);
		to_state(s, st);
	}
	s->c.state = st;
	w->n = 0;
}

/* Our own window shut, as if the program had not read. */
static void shut_window(struct scene *s)
{
	struct tcp_net *tn = s->w->b->net[0]->tcp;

	if (s->sk && s->c.state != M_SYN_SENT) {
		tcp_sk(s->sk)->rcv_wnd = 0;
		tcp_sk(s->sk)->pred_flags = 0;
		s->c.rcv_wnd = 0;
	}
	for (unsigned i = 0; i < 2; i++) {
		struct list_head *l = i ? &tn->tw_time_wait : &tn->tw_fin_wait2;

		if (!list_empty(l)) {
			list_first_entry(l, struct tcp_timewait_sock, list)->rcv_wnd = 0;
			s->c.rcv_wnd = 0;
		}
	}
}

/* ---- what really is ---- */
static enum m_state of_sock(const struct sock *sk)
{
	switch (sk->state) {
	case TCP_ESTABLISHED:
		return M_ESTABLISHED;
	case TCP_SYN_SENT:
		return M_SYN_SENT;
	case TCP_SYN_RECV:
		return M_SYN_RECEIVED_ACTIVE;
	case TCP_FIN_WAIT1:
		return M_FIN_WAIT_1;
	case TCP_FIN_WAIT2:
		return M_FIN_WAIT_2;
	case TCP_CLOSE_WAIT:
		return M_CLOSE_WAIT;
	case TCP_CLOSING:
		return M_CLOSING;
	case TCP_LAST_ACK:
		return M_LAST_ACK;
	default:
		return M_CLOSED;
	}
}

static enum m_user of_error(const struct sock *sk)
{
	return sk->err == ECONNRESET ? M_USER_RESET : sk->err == ECONNREFUSED ? M_USER_REFUSED : sk->err == EPIPE ? M_USER_BROKEN_PIPE
											    : M_USER_NOTHING;
}

/* s->sk may become the child of a request. */
static void look(struct scene *s, struct m_result *r, const struct m_result *want)
{
	struct world *w = s->w;
	struct tcp_net *tn = w->b->net[0]->tcp;
	const struct tcp_timewait_sock *tw = NULL;

	memset(r, 0, sizeof(*r));
	if (!s->sk && s->c.state == M_SYN_RECEIVED)
		s->sk = bed_accept(w->l);
	if (!list_empty(&tn->tw_time_wait))
		tw = list_first_entry(&tn->tw_time_wait, struct tcp_timewait_sock, list);
	else if (!list_empty(&tn->tw_fin_wait2))
		tw = list_first_entry(&tn->tw_fin_wait2, struct tcp_timewait_sock, list);
	if (s->c.state == M_LISTEN)
		r->next = M_LISTEN;
	else if (tw)
		r->next = tw->substate == TCP_TIME_WAIT ? M_TIME_WAIT : M_FIN_WAIT_2_ORPHAN;
	else if (s->sk)
		r->next = of_sock(s->sk);
	else
		r->next = tn->ehash.count ? M_SYN_RECEIVED : M_CLOSED;
	if (s->sk) {
		const struct tcp_sock *tp = tcp_sk(s->sk);

		r->user = of_error(s->sk);
		if (!r->user && (s->sk->shutdown & 1))
			r->user = M_USER_END_OF_DATA;
		r->kept = tp->sack && tp->sack->ofo_queue.qlen;
		r->snd_una = tp->snd_una;
		r->rcv_nxt = tp->rcv_nxt;
	}
	if (tw) {
		r->rcv_nxt = tw->rcv_nxt;
		r->snd_una = tw->snd_nxt;
	}
	if (w->n) {
		const struct heard *h = &w->h[0];

		r->seq = h->seq;
		r->ack = h->flags & TCP_ACK ? h->ack : 0;
		r->reply = h->flags & TCP_SYN ? M_REPLY_SYN_ACK : h->flags & TCP_RST ? (h->flags & TCP_ACK ? M_REPLY_RST_ACK : M_REPLY_RST)
										      : M_REPLY_ACK;
	} else if (s->sk && (inet_csk(s->sk)->ack_pending & ICSK_ACK_TIMER) && s->sk->state != TCP_CLOSE) { /* it will come */
		r->reply = M_REPLY_ACK;
		r->seq = want->seq;
		r->ack = tcp_sk(s->sk)->rcv_nxt;
	}
}

/* Ends whatever there is, and nothing may be left. */
static void leave(struct scene *s)
{
	struct world *w = s->w;
	struct net *net = w->b->net[0];
	struct tcp_net *tn = net->tcp;
	struct sock *child;

	if (s->sk) {
		s->sk->prot->disconnect(s->sk, 0);
		assert_int_equal(s->sk->wmem_queued, 0);
		assert_int_equal(s->sk->rmem_alloc, 0);
		bed_close(s->sk);
	}
	while ((child = bed_accept(w->l)) != NULL) {
		child->prot->disconnect(child, 0);
		bed_close(child);
	}
	while (!list_empty(&tn->tw_time_wait))
		tcp_tw_kill(list_first_entry(&tn->tw_time_wait, struct tcp_timewait_sock, list));
	while (!list_empty(&tn->tw_fin_wait2))
		tcp_tw_kill(list_first_entry(&tn->tw_fin_wait2, struct tcp_timewait_sock, list));
	while (!list_empty(&inet_csk(w->l)->listener->requests)) {
		const struct tcp_request_sock *t = list_first_entry(&inet_csk(w->l)->listener->requests, struct tcp_request_sock, req.list);

		tell(s, TCP_RST, t->rcv_nxt, 0, 0);
	}
	assert_int_equal(tn->ehash.count, 0);
	assert_int_equal(tn->tw_count, 0);
	assert_int_equal(tn->orphan_count, 0);
	assert_int_equal(tn->sockets_allocated, 1);
	assert_int_equal(inet_csk(w->l)->listener->syn_qlen, 0);
	assert_int_equal(inet_csk(w->l)->listener->qlen, 0);
	assert_int_equal(net->skb_mib.live, 0);
	w->b->net[0]->now_ns = w->b->now_ns;
	w->cases++;
}

/* ---- judging ---- */
static void describe(const struct scene *s, const struct raw *r, const struct m_result *want, const struct m_result *got)
{
	static const char *const reply[] = { "nothing", "ACK", "RST", "RST,ACK", "SYN,ACK" };

	print_message("%s: flags %02x seq RCV.NXT%+d ack UNA%+d (NXT-UNA %u) win %u urg %u off %u len %u, RCV.WND %u\n", m_state_name(s->c.state),
		      r->flags, (int)(r->seq - s->c.rcv_nxt), (int)(r->ack - s->c.snd_una), s->c.snd_nxt - s->c.snd_una, r->win, r->urg, r->off,
		      r->len, s->c.rcv_wnd);
	for (unsigned i = 0; i < 2; i++) {
		const struct m_result *x = i ? got : want;

		print_message("  %s: %s seq %+d ack %+d, %s, UNA%+d, RCV.NXT%+d, kept %d, user %d, %u sent\n", i ? "is  " : "want", reply[x->reply],
			      (int)(x->seq - s->c.snd_nxt), (int)(x->ack - s->c.rcv_nxt), m_state_name(x->next), (int)(x->snd_una - s->c.snd_una),
			      (int)(x->rcv_nxt - s->c.rcv_nxt), x->kept, (int)x->user, s->w->n);
	}
}

static bool same(const struct scene *s, const struct m_result *want, const struct m_result *got)
{
	bool numbers = want->next != M_CLOSED && want->next != M_LISTEN && want->next != M_SYN_RECEIVED;

	if (want->reply != got->reply || want->next != got->next || s->w->n > 1)
		return false;
	if (want->reply && (want->ack != got->ack || (want->seq != got->seq && (want->reply != M_REPLY_SYN_ACK || want->seq))))
		return false;
	if (numbers && want->next != M_SYN_SENT && want->rcv_nxt != got->rcv_nxt)
		return false;
	if (numbers && s->sk && want->next != M_TIME_WAIT && want->snd_una != got->snd_una)
		return false;
	if (s->sk && want->next != M_TIME_WAIT && want->next != M_CLOSED && want->kept != got->kept)
		return false;
	if (want->user == M_USER_NOTHING)
		return !got->user || got->user == M_USER_END_OF_DATA;
	return !s->sk || want->user == got->user;
}

/* Options that Linux does not let in: room for a signature and a length that cannot be, or a signature where there is no key. */
static bool no_entry(const struct raw *r)
{
	uint32_t room = r->off > 5 && !r->lie ? (r->off - 5u) * 4 : 0;

	if (!room || !r->opts[0])
		return false;
	if (r->opts[0] == TCPOPT_NOP)
		return r->opts[1] > TCPOPT_NOP && room - 1 >= 18; /* what follows has a length of 0 */
	if (r->opts[1] < 2 || r->opts[1] > room)
		return room >= 18;
	return r->opts[0] == TCPOPT_AO || (r->opts[0] == TCPOPT_MD5SIG && room >= 18);
}

/* One segment in one state, against the model. False: they differ. */
static bool judge(struct world *w, enum m_state st, bool shut, void (*make)(const struct m_conn *c, struct raw *r, const void *arg), const void *arg)
{
	struct m_result want, got;
	struct m_segment m;
	struct raw r = { .off = 5, .win = shut ? 0 : WIN };
	struct scene s;
	bool ok, remnant = st == M_TIME_WAIT || st == M_FIN_WAIT_2_ORPHAN;

	enter(w, &s, st);
	if (shut)
		shut_window(&s);
	make(&s.c, &r, arg);
	m = (struct m_segment){ .seq = r.seq, .ack = r.ack, .len = r.len, .wnd = r.win, .flags = r.flags & 63u };
	if (r.lie && r.off > 5)
		m.len -= (r.off - 5u) * 4;
	if (r.off < 5 || (r.lie && r.off > 5 && r.len < (r.off - 5u) * 4) || (!remnant && no_entry(&r))) { /* no header at all, or none to be read */
		want = (struct m_result){ .next = st, .snd_una = s.c.snd_una, .rcv_nxt = s.c.rcv_nxt };
	} else {
		want = model_9293(&s.c, &m);
		if (remnant && no_entry(&r) && (want.reply == M_REPLY_RST || want.reply == M_REPLY_RST_ACK))
			want.reply = M_NOTHING; /* a reset would have to be signed */
	}
	if (remnant && (r.flags & TCP_SYN) && no_entry(&r)) { /* a remnant reads all; a listener behind it would not */
		leave(&s);
		return true;
	}
	put(&s, &r);
	look(&s, &got, &want);
	ok = same(&s, &want, &got);
	if (!ok)
		describe(&s, &r, &want, &got);
	leave(&s);
	return ok;
}

/* ---- every segment ---- */
struct point {
	uint8_t flags;
	unsigned seq, ack, len;
};
#define SEQS 7u
#define ACKS 6u
#define LENS 3u

static void make_point(const struct m_conn *c, struct raw *r, const void *arg)
{
	const struct point *p = arg;
	const uint32_t seqs[SEQS] = { c->rcv_nxt - 2000, c->rcv_nxt - 1, c->rcv_nxt, c->rcv_nxt + 1, c->rcv_nxt + c->rcv_wnd - 1,
				      c->rcv_nxt + c->rcv_wnd, c->rcv_nxt + 0x80000000u };
	const uint32_t acks[ACKS] = { c->snd_una - c->max_snd_wnd - 1, c->snd_una - 1, c->snd_una, c->snd_una + (c->snd_nxt - c->snd_una) / 2,
				      c->snd_nxt, c->snd_nxt + 1 };
	static const uint32_t lens[LENS] = { 0, 1, 1000 };

	r->seq = seqs[p->seq];
	r->ack = acks[p->ack];
	r->len = lens[p->len];
	r->flags = p->flags;
	r->urg = p->flags & TCP_URG ? 1 : 0;
}

static uint64_t whole_state(struct world *w, enum m_state st)
{
	uint64_t n = 0;
	unsigned wrong = 0;

	for (unsigned i = 0; i < 64 * SEQS * ACKS * 2 * LENS; i++, n++) {
		struct point p = { .flags = i % 64, .seq = i / 64 % SEQS, .ack = i / (64 * SEQS) % ACKS, .len = i / (64 * SEQS * ACKS) % LENS };

		wrong += !judge(w, st, i / (64 * SEQS * ACKS * LENS), make_point, &p);
		if (wrong > 20)
			break;
	}
	if (wrong)
		fail_msg("%u segments are not answered as the model says", wrong);
	return n;
}

/* must_66, ts_01, ts_02, ts_03, ts_06, ts_08, ts_09, ts_10, ts_14: the answers are the model's. */
static void tp_17_every_segment_in_every_state(void **state)
{
	struct world w;
	uint64_t n = 0, extra = 0;

	world_new(&w);
	for (unsigned st = 0; st < M_RFC_STATES; st++)
		n += whole_state(&w, (enum m_state)st);
	assert_int_equal(n, 177408);
	for (unsigned st = M_RFC_STATES; st < M_STATES; st++)
		extra += whole_state(&w, (enum m_state)st);
	assert_int_equal(extra, 2 * 16128);
	assert_int_equal(w.cases, n + extra);
	world_free(&w);
}

/* ---- mutations ---- */

/* What is in order now, of each kind. */
static void make_kind(const struct m_conn *c, struct raw *r, unsigned kind)
{
	static const struct {
		uint8_t flags;
		int back;
		uint32_t len;
		uint16_t urg;
	} t[] = { { M_SYN, 1, 0, 0 },         { M_SYN | M_ACK, 1, 0, 0 },       { M_ACK, 0, 0, 0 }, { M_ACK | M_PSH, 0, 100, 0 },
		  { M_ACK | M_FIN, 0, 0, 0 }, { M_ACK | M_FIN, 0, 50, 0 },      { M_RST, 0, 0, 0 }, { M_RST | M_ACK, 0, 0, 0 },
		  { M_ACK | M_URG, 0, 10, 5 }, { M_ACK, 1, 0, 0 } /* keep-alive */, { M_ACK, 1, 1, 0 } /* probe */ };

	r->flags = t[kind].flags;
	r->seq = c->rcv_nxt - (uint32_t)t[kind].back;
	r->ack = c->snd_nxt;
	r->len = t[kind].len;
	r->urg = t[kind].urg;
}
#define KINDS 11u

/* The edges of each field, one by one. False: there is no nth. *field: which it is. */
static bool mutate(const struct m_conn *c, struct raw *r, unsigned n, unsigned *field)
{
	const uint32_t half = 0x80000000u;
	const uint32_t seqs[] = { 0, 1, half - 1, half, half + 1, 0xffffffffu, c->rcv_nxt - half + 1, c->rcv_nxt - half, c->rcv_nxt + half - 1,
				  c->rcv_nxt - 1, c->rcv_nxt, c->rcv_nxt + 1, c->rcv_nxt + c->rcv_wnd - 1, c->rcv_nxt + c->rcv_wnd,
				  c->rcv_nxt + c->rcv_wnd + 1, c->rcv_nxt - c->rcv_wnd };
	const uint32_t acks[] = { 0, 1, half - 1, half, half + 1, 0xffffffffu, c->snd_una - half, c->snd_una - half + 1, c->snd_una - c->max_snd_wnd - 1,
				  c->snd_una - c->max_snd_wnd, c->snd_una - 1, c->snd_una, c->snd_una + 1, c->snd_nxt - 1, c->snd_nxt + 1,
				  c->snd_nxt + half - 1, c->snd_nxt + half };
	static const uint16_t wins[] = { 0, 1, 2, 32767, 32769, 65535 }, urgs[] = { 0, 1, 9, 11, 32767, 32768, 65535 };
	static const uint8_t offs[] = { 0, 1, 4, 6, 15 }, flags[] = { 0, 63, 0xc0, 0x40, 0x80 };
	static const uint8_t kinds[] = { 0, 1, 2, 3, 4, 5, 8, 34, 254 }, lens[] = { 0, 1, 2, 3, 4, 10, 39, 40, 41, 255 };
	static const uint32_t texts[] = { 0, 1, 999, 1000, 1001, 1460, 2000 };

#define EDGES(id, count)                     \
	if (n < (count) && ((*field = (id)))) \
		goto found;                  \
	n -= (unsigned)(count)
	EDGES(1, ARRAY_SIZE(seqs));
	EDGES(2, ARRAY_SIZE(acks));
	EDGES(3, ARRAY_SIZE(wins));
	EDGES(4, ARRAY_SIZE(urgs));
	EDGES(5, ARRAY_SIZE(offs) * 2);
	EDGES(6, ARRAY_SIZE(flags) + 6);
	EDGES(7, ARRAY_SIZE(kinds) * ARRAY_SIZE(lens));
	EDGES(8, ARRAY_SIZE(texts));
#undef EDGES
	return false;
found:
	switch (*field) {
	case 1:
		r->seq = seqs[n];
		break;
	case 2:
		r->ack = acks[n];
		break;
	case 3:
		r->win = wins[n];
		break;
	case 4:
		r->urg = urgs[n];
		break;
	case 5:
		r->off = offs[n / 2];
		r->lie = n & 1;
		break;
	case 6:
		r->flags = (uint8_t)(n < 6 ? r->flags ^ 1u << n : n < 8 ? flags[n - 6] : r->flags | flags[n - 6]);
		break;
	case 7:
		r->off = 15;
		r->opts[0] = kinds[n / ARRAY_SIZE(lens)];
		r->opts[1] = lens[n % ARRAY_SIZE(lens)];
		break;
	default:
		r->len = texts[n];
		break;
	}
	return true;
}

struct mutation {
	unsigned kind, first, second;
};
#define NONE 0xffffu

static void make_mutant(const struct m_conn *c, struct raw *r, const void *arg)
{
	const struct mutation *m = arg;
	unsigned field;

	make_kind(c, r, m->kind);
	if (m->first != NONE)
		mutate(c, r, m->first, &field);
	if (m->second != NONE)
		mutate(c, r, m->second, &field);
}

/* One field, and two: the later in the list is put over the earlier. */
static unsigned mutants_of(struct world *w, enum m_state st, unsigned kind, bool shut)
{
	const struct m_conn c = { 0 };
	struct raw r;
	unsigned wrong = 0, n = 0, fields[256];

	while (mutate(&c, &r, n, &fields[n]))
		n++;
	for (unsigned i = 0; i < n; i++) {
		wrong += !judge(w, st, shut, make_mutant, &(struct mutation){ kind, i, NONE });
		for (unsigned k = i + 1; k < n && wrong < 5; k++)
			if (fields[k] != fields[i] && !(fields[i] == 5 && fields[k] == 7) /* options bring their own offset */ &&
			    (fields[k] != 7 || (k + i) % 8 == 0) && (fields[i] != 7 || (k + i) % 8 == 0))
				wrong += !judge(w, st, shut, make_mutant, &(struct mutation){ kind, i, k });
	}
	return wrong;
}

static void tp_17_fields_at_their_edges(void **state)
{
	struct world w;
	unsigned wrong = 0;

	world_new(&w);
	for (unsigned st = 0; st < M_STATES && wrong < 20; st++)
		for (unsigned kind = 0; kind < KINDS; kind++)
			for (unsigned shut = 0; shut < 2; shut++)
				wrong += mutants_of(&w, (enum m_state)st, kind, shut);
	assert_int_equal(wrong, 0);
	print_message("%llu mutants\n", (unsigned long long)w.cases);
	assert_true(w.cases > 900000);
	world_free(&w);
}

/* RFC 5961 7, TS-04: whatever asks for an acknowledgement without being data gets one in half a second. */
static void ts_04_answers_are_limited_in_every_state(void **state)
{
	static const uint8_t flags[] = { M_SYN, M_RST, M_ACK, M_SYN | M_ACK };
	struct world w;

	world_new(&w);
	for (unsigned st = M_ESTABLISHED; st < M_STATES; st++)
		for (unsigned f = 0; f < ARRAY_SIZE(flags); f++) {
			unsigned answers = 0;
			struct scene s;

			if (st == M_TIME_WAIT && flags[f] == M_RST)
				continue;
			enter(&w, &s, (enum m_state)st);
			for (unsigned i = 0; i < 1000; i++) { /* in the window, but nothing that it waits for */
				tell(&s, flags[f], s.c.rcv_nxt + (flags[f] == M_RST ? 7 : 0u - 3000), flags[f] == M_ACK ? s.c.snd_nxt + 5 : s.c.snd_nxt, 0);
				answers += w.n;
			}
			if (answers > 1)
				print_message("%s: %u answers to flags %02x\n", m_state_name(s.c.state), answers, flags[f]);
			assert_true(answers <= 1);
			leave(&s);
		}
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tp_17_every_segment_in_every_state),
		cmocka_unit_test(tp_17_fields_at_their_edges),
		cmocka_unit_test(ts_04_answers_are_limited_in_every_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* See model_9293.h. The order of the steps is that of RFC 9293 3.10.7.1 to 3.10.7.4. */
#include "model_9293.h"

static bool lt(uint32_t a, uint32_t b) { return (int32_t)(a - b) < 0; }
static bool le(uint32_t a, uint32_t b) { return !((int32_t)(b - a) < 0); }

static bool has(const struct m_segment *s, uint8_t flag) { return (s->flags & flag) != 0; }
/* SEG.LEN: SYN and FIN count. */
static uint32_t seg_len(const struct m_segment *s) { return s->len + has(s, M_SYN) + has(s, M_FIN); }
static uint32_t seg_end(const struct m_segment *s) { return s->seq + seg_len(s); }

static void reply_ack(struct m_result *r, const struct m_conn *c)
{
	r->reply = M_REPLY_ACK;
	r->seq = lt(r->snd_una + r->snd_wnd, c->snd_nxt) ? r->snd_una + r->snd_wnd : c->snd_nxt; /* L13 */
	r->ack = r->rcv_nxt;
}
/* 3.10.7.1: the reset takes its number from the acknowledgement, if there is one. */
static void reply_reset(struct m_result *r, const struct m_segment *s)
{
	if (has(s, M_RST))
		return;
	r->reply = has(s, M_ACK) ? M_REPLY_RST : M_REPLY_RST_ACK;
	r->seq = has(s, M_ACK) ? s->ack : 0;
	r->ack = has(s, M_ACK) ? 0 : seg_end(s);
}
static void end(struct m_result *r, enum m_user user)
{
	r->next = M_CLOSED;
	r->user = user;
}

/* 3.10.7.2 */
static void listen_state(const struct m_segment *s, struct m_result *r)
{
	if (has(s, M_RST))
		return;
	if (has(s, M_ACK)) {
		reply_reset(r, s);
		return;
	}
	if (has(s, M_SYN) && !has(s, M_FIN)) { /* L7 */
		r->reply = M_REPLY_SYN_ACK;
		r->ack = s->seq + 1;
	}
}

/* 3.10.7.3 */
static void syn_sent(const struct m_conn *c, const struct m_segment *s, struct m_result *r)
{
	bool acceptable = has(s, M_ACK) && lt(c->iss, s->ack) && le(s->ack, c->snd_nxt);

	if (has(s, M_ACK) && !acceptable) {
		reply_reset(r, s);
		return;
	}
	if (has(s, M_RST)) {
		if (acceptable)
			end(r, M_USER_REFUSED);
		return;
	}
	if (!has(s, M_SYN))
		return;
	r->rcv_nxt = s->seq + 1; /* L7: no more of it */
	if (acceptable) {
		r->snd_una = s->ack;
		r->snd_wnd = s->wnd;
		r->next = M_ESTABLISHED;
		reply_ack(r, c);
	} else {
		r->next = M_SYN_RECEIVED_ACTIVE;
		r->reply = M_REPLY_SYN_ACK;
		r->seq = c->iss;
		r->ack = r->rcv_nxt;
	}
}

/* First check of 3.10.7.4, with L1 and L2. */
static bool acceptable_seq(const struct m_conn *c, const struct m_segment *s)
{
	bool fin_waits = c->state == M_CLOSE_WAIT || c->state == M_CLOSING || c->state == M_LAST_ACK;

	if (fin_waits && c->rcv_wnd && s->seq == c->rcv_nxt + c->rcv_wnd && s->len + has(s, M_SYN))
		return false;
	return !lt(seg_end(s), c->rcv_nxt) && !lt(c->rcv_nxt + c->rcv_wnd, s->seq);
}

/* The same as 3.4 has it, but that an empty segment may stand at the right edge: requests and orphans. */
static bool in_window(const struct m_conn *c, const struct m_segment *s)
{
	uint32_t edge = c->rcv_nxt + c->rcv_wnd;

	return s->seq == c->rcv_nxt || (lt(c->rcv_nxt, seg_end(s)) && lt(s->seq, edge)) || (s->seq == edge && !seg_len(s));
}

static bool exact_reset(const struct m_conn *c, const struct m_segment *s)
{
	if (s->seq == c->rcv_nxt)
		return true;
	return s->seq == c->rcv_nxt - 1 && (c->state == M_CLOSE_WAIT || c->state == M_CLOSING || c->state == M_LAST_ACK); /* L5 */
}

static void was_reset(const struct m_conn *c, struct m_result *r)
{
	end(r, c->state == M_CLOSE_WAIT ? M_USER_BROKEN_PIPE : M_USER_RESET);
}

/* Seventh and eighth: text and FIN, where the peer may still send. */
static void text_and_fin(const struct m_conn *c, const struct m_segment *s, struct m_result *r)
{
	uint32_t text_end = s->seq + s->len;
	bool fin = has(s, M_FIN);

	if (!s->len && !fin)
		return;
	if (le(seg_end(s), c->rcv_nxt) || !lt(s->seq, c->rcv_nxt + c->rcv_wnd)) { /* old, or beyond the window */
		if (!(fin && !s->len && s->seq == c->rcv_nxt)) { /* L6 */
			reply_ack(r, c);
			return;
		}
	} else if (lt(c->rcv_nxt, s->seq)) { /* a hole before it */
		r->kept = true;
		reply_ack(r, c);
		return;
	} else if (!c->rcv_wnd && !(fin && !s->len)) {
		reply_ack(r, c);
		return;
	}
	r->rcv_nxt = text_end;
	if (fin) {
		r->rcv_nxt++;
		r->user = M_USER_END_OF_DATA;
		switch (r->next) {
		case M_FIN_WAIT_1:
			r->next = M_CLOSING;
			break;
		case M_FIN_WAIT_2:
			r->next = M_TIME_WAIT;
			break;
		default:
			r->next = M_CLOSE_WAIT;
		}
	}
	reply_ack(r, c);
}

/* The states in which the peer's FIN was already taken: there is no more text. */
static void after_fin(const struct m_conn *c, const struct m_segment *s, struct m_result *r)
{
	if (!lt(s->seq, c->rcv_nxt) || (!s->len && !has(s, M_FIN)))
		return;
	if (s->len && lt(c->rcv_nxt, s->seq + s->len)) { /* L8 */
		was_reset(c, r);
		if (r->user == M_USER_BROKEN_PIPE && c->state != M_CLOSE_WAIT)
			r->user = M_USER_RESET;
		reply_reset(r, s);
		return;
	}
	reply_ack(r, c); /* its FIN again, or older */
}

/* MAX.SND.WND before SND.UNA, but never what was not sent at all (L14). */
static uint32_t oldest_ack(const struct m_conn *c)
{
	uint32_t ever = c->snd_una - c->iss;

	return c->snd_una - (ever < c->max_snd_wnd ? ever : c->max_snd_wnd);
}

/* Fifth and on, the sequence number being acceptable and neither RST nor SYN (but L12). */
static void ack_and_on(const struct m_conn *c, const struct m_segment *s, struct m_result *r)
{
	if (!has(s, M_ACK))
		return;
	if (c->state == M_SYN_RECEIVED || c->state == M_SYN_RECEIVED_ACTIVE) {
		if (!(lt(c->snd_una, s->ack) && le(s->ack, c->snd_nxt))) {
			reply_reset(r, s);
			return;
		}
		r->next = M_ESTABLISHED;
	} else if (lt(c->snd_nxt, s->ack) || lt(s->ack, oldest_ack(c))) { /* RFC 5961 5.2 */
		reply_ack(r, c);
		return;
	}
	if (le(c->snd_una, s->ack)) {
		if (lt(c->snd_una, s->ack) || lt(c->snd_wl1, s->seq) || (c->snd_wl1 == s->seq && (s->wnd > c->snd_wnd || !s->wnd))) /* L13 */
			r->snd_wnd = s->wnd;
		r->snd_una = s->ack;
	}
	if (r->snd_una == c->snd_nxt) { /* our FIN among it, where one was sent */
		switch (c->state) {
		case M_FIN_WAIT_1:
			r->next = M_FIN_WAIT_2;
			break;
		case M_CLOSING:
			r->next = M_TIME_WAIT;
			return;
		case M_LAST_ACK:
			end(r, M_USER_NOTHING);
			return;
		default:
			break;
		}
	}
	if (c->state == M_CLOSE_WAIT || c->state == M_CLOSING || c->state == M_LAST_ACK)
		after_fin(c, s, r);
	else
		text_and_fin(c, s, r);
}

/* L12: the SYN of the peer again, alone, with the acknowledgement of ours. */
static bool syn_ack_of_both(const struct m_conn *c, const struct m_segment *s)
{
	return c->state == M_SYN_RECEIVED_ACTIVE && has(s, M_ACK) && !has(s, M_FIN) && !s->len && s->seq == c->rcv_nxt - 1 && s->ack == c->snd_nxt;
}

/* 3.10.7.4 */
static void synchronised(const struct m_conn *c, const struct m_segment *s, struct m_result *r)
{
	if (!has(s, M_ACK | M_RST | M_SYN)) /* L3 */
		return;
	if (!acceptable_seq(c, s)) {
		if (has(s, M_RST)) {
			if (exact_reset(c, s)) /* L5: the number of the FIN is not in the window any more */
				was_reset(c, r);
			return;
		}
		reply_ack(r, c); /* L4 */
		return;
	}
	if (has(s, M_RST)) { /* RFC 5961 3.2 */
		if (exact_reset(c, s))
			was_reset(c, r);
		else
			reply_ack(r, c);
		return;
	}
	if (has(s, M_SYN)) {
		if (!syn_ack_of_both(c, s)) {
			reply_ack(r, c);
			return;
		}
		r->snd_una = s->ack;
		r->snd_wnd = s->wnd;
		r->next = M_ESTABLISHED;
		reply_ack(r, c); /* the SYN came twice */
		return;
	}
	ack_and_on(c, s, r);
}

static void request(const struct m_conn *c, const struct m_segment *s, struct m_result *r) /* L9 */
{
	if (s->seq == c->irs && (s->flags & (M_SYN | M_ACK | M_RST)) == M_SYN) {
		r->reply = M_REPLY_SYN_ACK;
		r->seq = c->iss;
		r->ack = c->rcv_nxt;
		return;
	}
	if (has(s, M_RST)) { /* RFC 5961 3.2 */
		if (s->seq == c->rcv_nxt)
			end(r, M_USER_NOTHING);
		else if (in_window(c, s))
			reply_ack(r, c);
		return;
	}
	if (has(s, M_ACK) && s->ack != c->iss + 1) {
		reply_reset(r, s);
		return;
	}
	if (!in_window(c, s)) {
		reply_ack(r, c);
		return;
	}
	if (has(s, M_SYN)) {
		end(r, M_USER_NOTHING);
		reply_reset(r, s);
		return;
	}
	ack_and_on(c, s, r);
}

static void time_wait(const struct m_conn *c, const struct m_segment *s, struct m_result *r) /* L10 */
{
	if (s->seq == c->rcv_nxt && (!seg_len(s) || has(s, M_RST))) {
		if (has(s, M_RST))
			end(r, M_USER_NOTHING);
		return;
	}
	if (has(s, M_RST))
		return;
	if (has(s, M_SYN) && !has(s, M_ACK) && lt(c->rcv_nxt, s->seq) && c->listener && !has(s, M_FIN)) {
		r->reply = M_REPLY_SYN_ACK;
		r->ack = s->seq + 1;
		r->next = M_SYN_RECEIVED;
		return;
	}
	reply_ack(r, c);
}

static void orphan(const struct m_conn *c, const struct m_segment *s, struct m_result *r) /* L11 */
{
	if (!in_window(c, s)) {
		if (!has(s, M_RST))
			reply_ack(r, c);
		return;
	}
	if (has(s, M_RST)) {
		end(r, M_USER_NOTHING);
		return;
	}
	if (has(s, M_SYN) && !lt(s->seq, c->rcv_nxt)) {
		end(r, M_USER_NOTHING);
		reply_reset(r, s);
		return;
	}
	if (!has(s, M_ACK) || !seg_len(s) || le(seg_end(s), c->rcv_nxt))
		return;
	if (!has(s, M_FIN) || seg_end(s) != c->rcv_nxt + 1) {
		end(r, M_USER_NOTHING);
		reply_reset(r, s);
		return;
	}
	r->rcv_nxt++;
	r->next = M_TIME_WAIT;
	reply_ack(r, c);
}

struct m_result model_9293(const struct m_conn *c, const struct m_segment *s)
{
	struct m_result r = { .next = c->state, .snd_una = c->snd_una, .rcv_nxt = c->rcv_nxt, .snd_wnd = c->snd_wnd };

	switch (c->state) {
	case M_CLOSED:
		reply_reset(&r, s);
		break;
	case M_LISTEN:
		listen_state(s, &r);
		break;
	case M_SYN_SENT:
		syn_sent(c, s, &r);
		break;
	case M_SYN_RECEIVED:
		request(c, s, &r);
		break;
	case M_TIME_WAIT:
		time_wait(c, s, &r);
		break;
	case M_FIN_WAIT_2_ORPHAN:
		orphan(c, s, &r);
		break;
	default:
		synchronised(c, s, &r);
		break;
	}
	return r;
}

const char *m_state_name(enum m_state st)
{
	static const char *const names[M_STATES] = { "CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2",
						     "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT", "SYN-RECEIVED (active)",
						     "FIN-WAIT-2 (orphan)" };

	return names[st];
}

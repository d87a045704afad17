/* TCP's connections as somebody in the middle sees them (RFC 9293 3.3.2, RFC 5382, RFC 7857 2).
 *
 *     SYN ->            <- SYN,ACK          ACK ->
 *     SYN_SENT ........ SYN_RECV .......... ESTABLISHED -- FIN --> FIN_WAIT -- ACK <-- CLOSE_WAIT -- FIN <-- LAST_ACK
 *        \ <- SYN                                                                          -- ACK --> TIME_WAIT
 *         SYN_SENT2 (both begin: RFC 9293 3.5 figure 7)             RST, at its exact place: CLOSE
 *
 * Who only looks on sees segments that the ends never do, and a forger shows it what he likes. So a segment moves the
 * state only if it lies in the windows as both sides have said them (van Rooij): sequence not beyond what the other
 * side allowed, not older than a window; acknowledgement of what was sent, not older than a window. Everything else is
 * INVALID. A reset must stand exactly where the other side waits (RFC 5961 3.2): one that is merely in the window
 * goes on to its end, which will ask, and changes nothing here (NAT-07); and even the exact one only begins a clock of
 * four minutes (RFC 7857 2.2).
 *
 * Called by nf_conntrack_in. Tests: tests/unit/netfilter/test_conntrack_tcp.c. */
#include <string.h>
#include "netfilter/nf_conntrack.h"
#include "wire/tcp_hdr.h"

/* An acknowledgement may be this much older than the newest octet, however small the window (van Rooij, 3). */
#define MAX_ACK_WINDOW 66000u
#define MAX_WSCALE 14

/* Seconds. RFC 5382 REQ-5: 2 h 4 min where established, 4 min where not; Linux's five days are more than the first, its
 * own figures for the others less than the second. */
const int32_t nf_ct_tcp_timeouts[TCP_CONNTRACK_MAX] = {
	[TCP_CONNTRACK_SYN_SENT] = 240,	  [TCP_CONNTRACK_SYN_RECV] = 240, [TCP_CONNTRACK_ESTABLISHED] = 432000,
	[TCP_CONNTRACK_FIN_WAIT] = 240,	  [TCP_CONNTRACK_CLOSE_WAIT] = 240, [TCP_CONNTRACK_LAST_ACK] = 240,
	[TCP_CONNTRACK_TIME_WAIT] = 240,  [TCP_CONNTRACK_CLOSE] = 240,	  [TCP_CONNTRACK_SYN_SENT2] = 240,
};

const char *nf_ct_tcp_state_name(uint8_t state)
{
	static const char *const names[TCP_CONNTRACK_MAX] = { "NONE",	    "SYN_SENT", "SYN_RECV",  "ESTABLISHED", "FIN_WAIT",
							      "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",	    "SYN_SENT2" };

	return state < TCP_CONNTRACK_MAX ? names[state] : "?";
}

/* ---- a segment ---- */

struct segment {
	uint32_t seq, ack, end, sack; /* sack: the highest octet acknowledged by it in whatever way */
	uint32_t win;
	uint8_t flags, dir;
	bool opt_sack, opt_wscale;
	uint8_t scale;
};

static void read_sack(struct segment *s, const uint8_t *p, uint32_t len)
{
	for (uint32_t i = 0; i + 8 <= len; i += 8) {
		uint32_t right = get_be32(p + i + 4);

		if (after(right, s->sack))
			s->sack = right;
	}
}

static void read_options(struct segment *s, const uint8_t *p, uint32_t len)
{
	while (len && *p != TCPOPT_EOL) {
		uint32_t n = 1;

		if (*p != TCPOPT_NOP) {
			if (len < 2 || p[1] < 2 || p[1] > len)
				return;
			n = p[1];
			if (*p == TCPOPT_SACK_PERM && n == 2)
				s->opt_sack = true;
			else if (*p == TCPOPT_SACK && (s->flags & TCP_ACK))
				read_sack(s, p + 2, n - 2);
			else if (*p == TCPOPT_WINDOW && n == 3) {
				s->opt_wscale = true;
				s->scale = p[2] > MAX_WSCALE ? MAX_WSCALE : p[2];
			}
		}
		p += n;
		len -= n;
	}
}

static void read_segment(struct segment *s, const struct sk_buff *skb, uint32_t l4, uint8_t dir)
{
	const struct tcp_hdr *th = (const void *)(skb->data + l4);
	uint32_t hlen = tcp_hdrlen(th);

	memset(s, 0, sizeof(*s));
	s->seq = get_be32(th->seq);
	s->ack = s->sack = get_be32(th->ack_seq);
	s->flags = th->flags;
	s->dir = dir;
	s->win = get_be16(th->window);
	s->end = s->seq + skb->len - l4 - hlen + (s->flags & TCP_SYN ? 1u : 0u) + (s->flags & TCP_FIN ? 1u : 0u);
	read_options(s, (const uint8_t *)th + TCP_HLEN, hlen - TCP_HLEN);
}

bool nf_conntrack_tcp_sound(struct nf_ct_net *cn, struct sk_buff *skb, uint32_t l4, enum nf_inet_hooks hook)
{
	const struct tcp_hdr *th;
	uint8_t f;

	if (!skb_may_pull(skb, l4 + TCP_HLEN))
		return false;
	th = (const void *)(skb->data + l4);
	if (tcp_hdrlen(th) < TCP_HLEN || !skb_may_pull(skb, l4 + tcp_hdrlen(th)))
		return false;
	th = (const void *)(skb->data + l4);
	f = th->flags & (TCP_SYN | TCP_ACK | TCP_FIN | TCP_RST);
	/* Flags that no TCP sends together, and none at all. */
	if (!f || ((f & TCP_SYN) && (f & (TCP_FIN | TCP_RST))) || ((f & TCP_FIN) && (f & TCP_RST)) || f == TCP_FIN)
		return false;
	return hook != NF_INET_PRE_ROUTING || !cn->sysctl.checksum || nf_ct_checksum_ok(skb, l4, NF_PROTO_TCP);
}

/* ---- windows ---- */

/* What a SYN says holds for both windows only if both say it (RFC 7323 2.2, RFC 2018 2). */
static void learn_options(struct ip_ct_tcp_state *me, struct ip_ct_tcp_state *peer, const struct segment *s)
{
	me->scale = s->opt_wscale ? s->scale : 0;
	me->wscale = s->opt_wscale;
	me->sack = s->opt_sack;
	if (peer->maxwin && !(me->wscale && peer->wscale))
		me->scale = peer->scale = 0;
}

/* The first that is seen of a side. */
static void first_of_side(struct nf_ct_tcp *t, const struct segment *s)
{
	struct ip_ct_tcp_state *me = &t->seen[s->dir], *peer = &t->seen[!s->dir];

	if (s->flags & TCP_SYN) {
		me->end = s->end;
		me->maxwin = s->win ? s->win : 1;
		me->maxend = peer->maxwin ? s->end + peer->maxwin : s->end;
		learn_options(me, peer, s);
		return;
	}
	/* In the middle of a connection that began before we looked: what it says is all we have. */
	me->end = s->end;
	me->maxwin = s->win ? s->win : 1;
	me->maxend = s->end + MAX_ACK_WINDOW;
	t->liberal = true;
	if (!peer->maxwin && (s->flags & TCP_ACK)) {
		peer->end = s->ack;
		peer->maxend = s->ack + s->win;
	}
}

/* Of what was sent, and not older than a window. */
static bool ack_fits(const struct ip_ct_tcp_state *me, const struct ip_ct_tcp_state *peer, const struct segment *s)
{
	uint32_t back = max_u32(me->maxwin, MAX_ACK_WINDOW);

	return !(s->flags & TCP_ACK) || (!after(s->sack, peer->end) && !before(s->sack, peer->end - back));
}

static bool in_windows(const struct ip_ct_tcp_state *me, const struct ip_ct_tcp_state *peer, const struct segment *s)
{
	if (after(s->seq, me->maxend) || (peer->maxwin && before(s->end, me->end - peer->maxwin)))
		return false;
	return ack_fits(me, peer, s);
}

/* An accepted segment moves the windows. */
static void move_windows(struct ip_ct_tcp_state *me, struct ip_ct_tcp_state *peer, const struct segment *s)
{
	uint32_t win = s->flags & TCP_SYN ? s->win : s->win << me->scale;

	if (after(s->end, me->end)) {
		me->end = s->end;
		me->unacked = true;
	}
	if (!(s->flags & TCP_ACK))
		return;
	/* The window counts from the acknowledgement; what SACK names lies within. */
	if (win + (s->sack - s->ack) > me->maxwin)
		me->maxwin = win + (s->sack - s->ack);
	if (!me->have_maxack || after(s->ack, me->maxack)) {
		me->maxack = s->ack;
		me->have_maxack = true;
	}
	/* A zero window lets one octet through: the probe (RFC 9293 3.8.6.1). */
	if (after(s->sack + max_u32(win, 1), peer->maxend))
		peer->maxend = s->sack + max_u32(win, 1);
	if (s->ack == peer->end)
		peer->unacked = false;
}

/* Does the segment fit? If so the windows have moved. */
static bool tcp_in_window(struct nf_conn *ct, struct segment *s)
{
	struct nf_ct_tcp *t = &ct->proto.tcp;
	struct ip_ct_tcp_state *me = &t->seen[s->dir], *peer = &t->seen[!s->dir];

	bool opening = (s->flags & TCP_SYN) && (t->state <= TCP_CONNTRACK_SYN_RECV || t->state == TCP_CONNTRACK_SYN_SENT2);
	bool first = opening || !me->maxwin, fits;

	/* A SYN that is tried again, perhaps with other options and another number, begins the windows anew. */
	if (first)
		fits = !opening || !peer->maxwin || ack_fits(me, peer, s);
	else
		fits = in_windows(me, peer, s);
	if (!fits && !t->liberal && !ct->cn->sysctl.tcp_be_liberal)
		return false;
	if (first)
		first_of_side(t, s);
	move_windows(me, peer, s);
	return true;
}

/* ---- states ---- */

enum step { STEP_INVALID = -2, STEP_IGNORE = -1 }; /* else the next state */

static int next_on_syn(uint8_t state, uint8_t dir, bool ack)
{
	if (ack) {
		if (state == TCP_CONNTRACK_SYN_SENT2 || (dir == IP_CT_DIR_REPLY && state == TCP_CONNTRACK_SYN_SENT) ||
		    state == TCP_CONNTRACK_SYN_RECV)
			return TCP_CONNTRACK_SYN_RECV;
		return state == TCP_CONNTRACK_NONE || state == TCP_CONNTRACK_SYN_SENT ? STEP_INVALID : STEP_IGNORE;
	}
	switch (state) {
	case TCP_CONNTRACK_NONE:
	case TCP_CONNTRACK_SYN_SENT:
		return dir == IP_CT_DIR_ORIGINAL ? TCP_CONNTRACK_SYN_SENT : TCP_CONNTRACK_SYN_SENT2;
	case TCP_CONNTRACK_SYN_SENT2:
		return TCP_CONNTRACK_SYN_SENT2;
	case TCP_CONNTRACK_TIME_WAIT:
	case TCP_CONNTRACK_CLOSE:
		return TCP_CONNTRACK_SYN_SENT;
	default:
		return STEP_IGNORE; /* the ends will say what they think of it (RFC 5961 4) */
	}
}

static int next_on_fin(const struct nf_ct_tcp *t, uint8_t dir)
{
	switch (t->state) {
	case TCP_CONNTRACK_SYN_RECV:
	case TCP_CONNTRACK_ESTABLISHED:
	case TCP_CONNTRACK_NONE:
		return TCP_CONNTRACK_FIN_WAIT;
	case TCP_CONNTRACK_FIN_WAIT:
	case TCP_CONNTRACK_CLOSE_WAIT:
		return t->fin_dir == dir ? t->state : TCP_CONNTRACK_LAST_ACK;
	case TCP_CONNTRACK_SYN_SENT:
	case TCP_CONNTRACK_SYN_SENT2:
		return STEP_INVALID;
	default:
		return t->state;
	}
}

static int next_on_ack(uint8_t state, uint8_t dir)
{
	switch (state) {
	case TCP_CONNTRACK_NONE:
		return TCP_CONNTRACK_ESTABLISHED;
	case TCP_CONNTRACK_SYN_SENT:
		/* a challenge from an end that remembers another connection; or from the one who should wait: nonsense */
		return dir == IP_CT_DIR_REPLY ? STEP_IGNORE : STEP_INVALID;
	case TCP_CONNTRACK_SYN_SENT2:
		return STEP_INVALID;
	case TCP_CONNTRACK_SYN_RECV:
		return dir == IP_CT_DIR_ORIGINAL ? TCP_CONNTRACK_ESTABLISHED : TCP_CONNTRACK_SYN_RECV;
	case TCP_CONNTRACK_FIN_WAIT:
		return TCP_CONNTRACK_CLOSE_WAIT;
	case TCP_CONNTRACK_LAST_ACK:
		return TCP_CONNTRACK_TIME_WAIT;
	default:
		return state;
	}
}

/* A FIN is acknowledged by the other side, and by an ACK that covers it: others leave the state alone. */
static bool acks_fin(const struct nf_ct_tcp *t, const struct segment *s)
{
	return s->dir != t->fin_dir && s->ack == t->seen[!s->dir].end;
}

static int tcp_next_state(const struct nf_ct_tcp *t, const struct segment *s)
{
	if (s->flags & TCP_RST)
		return t->state == TCP_CONNTRACK_NONE ? STEP_INVALID : TCP_CONNTRACK_CLOSE;
	if (s->flags & TCP_SYN)
		return next_on_syn(t->state, s->dir, (s->flags & TCP_ACK) != 0);
	if (s->flags & TCP_FIN)
		return next_on_fin(t, s->dir);
	if ((t->state == TCP_CONNTRACK_FIN_WAIT || t->state == TCP_CONNTRACK_LAST_ACK) && !acks_fin(t, s))
		return t->state;
	return next_on_ack(t->state, s->dir);
}

/* RFC 5961 3.2: exactly what the other side waits for. Against a SYN: the acknowledgement of it (RFC 9293 3.10.7.3). */
static bool rst_exact(const struct nf_ct_tcp *t, const struct segment *s)
{
	const struct ip_ct_tcp_state *me = &t->seen[s->dir], *peer = &t->seen[!s->dir];

	if (!me->maxwin)
		return (s->flags & TCP_ACK) && s->ack == peer->end;
	return s->seq == me->end || (peer->have_maxack && s->seq == peer->maxack);
}

/* True: the reset is to be believed. False: *v says what it is. */
static bool tcp_reset(struct nf_conn *ct, const struct segment *s, enum nf_ct_verdict *v)
{
	struct nf_ct_tcp *t = &ct->proto.tcp;
	const struct ip_ct_tcp_state *me = &t->seen[s->dir], *peer = &t->seen[!s->dir];
	bool inside = me->maxwin && !after(s->seq, me->maxend) &&
		      !before(s->seq, peer->have_maxack ? peer->maxack : me->end - peer->maxwin);

	if (rst_exact(t, s))
		return true;
	*v = inside || ct->cn->sysctl.tcp_ignore_invalid_rst ? NF_CT_OK : NF_CT_INVALID;
	TRACE(&ct->cn->net->probe, TR_NOTE, 0, "a reset with seq %u where %u is waited for: %s", s->seq,
	      peer->have_maxack ? peer->maxack : me->end, *v == NF_CT_OK ? "passed on, not believed" : "INVALID");
	return false;
}

/* The same segment again and again: nobody answers any more. */
static void count_retrans(struct nf_ct_tcp *t, const struct segment *s)
{
	if (s->dir == t->last_dir && s->seq == t->last_seq && s->ack == t->last_ack && s->end == t->last_end &&
	    s->win == t->last_win) {
		if (t->retrans < UINT8_MAX)
			t->retrans++;
		return;
	}
	t->last_dir = s->dir;
	t->last_seq = s->seq;
	t->last_ack = s->ack;
	t->last_end = s->end;
	t->last_win = (uint16_t)s->win;
	t->retrans = 0;
}

static int32_t tcp_timeout(const struct nf_conn *ct)
{
	const struct nf_ct_sysctl *c = &ct->cn->sysctl;
	const struct nf_ct_tcp *t = &ct->proto.tcp;
	int32_t v = c->tcp_timeout[t->state];

	if (c->tcp_max_retrans && t->retrans >= c->tcp_max_retrans && c->tcp_timeout_retrans < v)
		return c->tcp_timeout_retrans;
	if ((t->seen[0].unacked || t->seen[1].unacked) && c->tcp_timeout_unack < v && !(ct->status & IPS_ASSURED))
		return c->tcp_timeout_unack;
	return v;
}

/* The first packet that is seen of a connection. */
static bool tcp_new(struct nf_conn *ct, const struct segment *s)
{
	if ((s->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN)
		return true;
	/* Half of a conversation that began elsewhere, or before our time. */
	return !(s->flags & (TCP_SYN | TCP_RST)) && ct->cn->sysctl.tcp_loose;
}

/* A SYN on a connection that is over begins another: from the same side with the mapping that it had, from the
 * other side it is none of this. */
static bool tcp_reopen(struct nf_conn *ct, const struct segment *s)
{
	if (s->dir == IP_CT_DIR_REPLY) {
		nf_ct_kill(ct);
		return false;
	}
	memset(&ct->proto.tcp, 0, sizeof(ct->proto.tcp));
	return true;
}

static void tcp_set_state(struct nf_conn *ct, struct sk_buff *skb, uint8_t next)
{
	struct nf_ct_tcp *t = &ct->proto.tcp;

	if (next != t->state)
		TRACE(&ct->cn->net->probe, TR_STATE, skb->serial, "conntrack %llu %s -> %s", (unsigned long long)ct->id,
		      nf_ct_tcp_state_name(t->state), nf_ct_tcp_state_name(next));
	if (next == TCP_CONNTRACK_ESTABLISHED && t->state == TCP_CONNTRACK_SYN_RECV)
		nf_ct_assure(ct);
	t->state = next;
}

enum nf_ct_verdict nf_conntrack_tcp_packet(struct nf_conn *ct, struct sk_buff *skb, uint32_t l4, enum ip_conntrack_info info)
{
	TRACE_FN(&ct->cn->net->probe, skb->serial);
	struct nf_ct_tcp *t = &ct->proto.tcp;
	enum nf_ct_verdict v = NF_CT_OK;
	struct segment s;
	int next;

	read_segment(&s, skb, l4, (uint8_t)CTINFO2DIR(info));
	if (!(ct->status & IPS_CONFIRMED) && !tcp_new(ct, &s))
		return NF_CT_INVALID;
	next = tcp_next_state(t, &s);
	if (next == STEP_INVALID)
		return NF_CT_INVALID;
	if (next == STEP_IGNORE)
		return NF_CT_OK;
	if (next == TCP_CONNTRACK_SYN_SENT && t->state >= TCP_CONNTRACK_TIME_WAIT && !tcp_reopen(ct, &s))
		return NF_CT_REPEAT;
	if (s.flags & TCP_RST) {
		if (!tcp_reset(ct, &s, &v))
			return v;
	} else if (!tcp_in_window(ct, &s)) {
		return NF_CT_INVALID;
	}
	if ((s.flags & TCP_FIN) && next != t->state)
		t->fin_dir = s.dir;
	count_retrans(t, &s);
	tcp_set_state(ct, skb, (uint8_t)next);
	nf_ct_refresh(ct, tcp_timeout(ct));
	return NF_CT_OK;
}

/* Segments that no honest peer sends: options, flags in every state, urgent pointers, addresses (TP-05 .. TP-23). */
#include "tcp_bed.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wire/ip4.h"

/* Options given in hex on a segment with valid sequence numbers: the data must be taken, nothing else change. */
static void options_ignored(const char *hex)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	char text[200], buf[8];

	snprintf(text, sizeof(text), "P. 1 ack 1 win 32768 <raw %s>", hex);
	say(b, sk, text, "abc", 3);
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), 3);
	assert_int_equal(tcp_sk(sk)->mss_cache, 1000);
	bed_close(sk);
	bed_free(b);
}

/* A length that cannot be, and room for a signature behind it: the segment goes unread, as on Linux. The next one is taken. */
static void options_refused(const char *hex)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	char text[200], buf[8];

	snprintf(text, sizeof(text), "P. 1 ack 1 win 32768 <raw %s>", hex);
	say(b, sk, text, "abc", 3);
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), -EAGAIN);
	expect_seg(b, "");
	say(b, sk, "P. 1 ack 1 win 32768", "abc", 3);
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), 3);
	bed_close(sk);
	bed_free(b);
}

static void tp_05_option_length_one(void **state)
{
	options_ignored("0801");
	options_ignored("0101050102040101");
	options_ignored("ff01ff01");
}

static void tp_06_option_length_past_end(void **state)
{
	options_ignored("01010102"); /* the kind is the last octet */
	options_ignored("01010228"); /* 40 octets, two are left */
	options_ignored("0101080a"); /* a timestamp whose body is missing */
	options_ignored("05ff0101");
	options_ignored("00ffffff");
}

/* The same in a SYN, to a listener and in the answer to ours. */
static void tp_06_malformed_options_in_syn(void **state)
{
	static const char *const hex[] = { "01010102", "01010228", "02010101", "02ff05b4", "0301ffff", "0402 0101", "08010101",
					   "000205b4", "02040000" };

	for (unsigned i = 0; i < ARRAY_SIZE(hex); i++) {
		struct bed *b = scripted_bed();
		struct sock *l = bed_listen(b, 0, 80, 5), *sk;
		char text[100];

		snprintf(text, sizeof(text), "<raw %s>", hex[i]);
		sk = accepted(b, l, 1000, text);
		assert_int_equal(tcp_sk(sk)->rx_opt.mss_clamp, 536);
		bed_close(sk);
		bed_close(l);
		bed_free(b);
	}
}

static void tp_09_mss_only_in_syn(void **state)
{
	options_ignored("02040064");
	options_ignored("0204ffff");
}

static void tp_10_window_scale(void **state)
{
	static const struct {
		const char *opts;
		unsigned scale;
	} t[] = { { "<mss 1000,ws 15>", 14 }, { "<mss 1000,ws 255>", 14 }, { "<mss 1000,ws 14>", 14 }, { "<mss 1000,ws 0>", 0 } };

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct bed *b = scripted_bed();
		struct sock *sk = connected(b, t[i].opts);

		assert_int_equal(tcp_sk(sk)->rx_opt.snd_wscale, t[i].scale);
		assert_int_equal(tcp_sk(sk)->rx_opt.wscale_ok, 1);
		assert_int_equal(tcp_sk(sk)->snd_wnd, 32768); /* the SYN's own window is never scaled */
		say(b, sk, ". 1 ack 1 win 3", NULL, 0);
		say(b, sk, "P. 1 ack 1 win 3", "x", 1);
		assert_int_equal(tcp_sk(sk)->snd_wnd, 3u << t[i].scale);
		done(b, sk);
	}
	{ /* one side only: no scaling in either direction */
		struct bed *b = scripted_bed();
		struct sock *sk = connected(b, SACKED);

		assert_int_equal(tcp_sk(sk)->rx_opt.snd_wscale + tcp_sk(sk)->rx_opt.rcv_wscale, 0);
		assert_true(tcp_sk(sk)->rcv_wnd <= 65535);
		say(b, sk, "P. 1 ack 1 win 100 <ws 7>", "x", 1); /* outside a SYN */
		assert_int_equal(tcp_sk(sk)->snd_wnd, 100);
		done(b, sk);
	}
	{
		struct bed *b = scripted_bed();
		struct sock *l = bed_listen(b, 0, 80, 5), *sk;

		b->net[0]->tcp->sysctl.window_scaling = 0;
		sk = accepted(b, l, 1000, "<mss 1000,ws 7>");
		assert_int_equal(tcp_sk(sk)->rx_opt.snd_wscale + tcp_sk(sk)->rx_opt.rcv_wscale, 0);
		bed_close(sk);
		done(b, l);
	}
}

static void tp_12_sack_lengths(void **state)
{
	static const char *const bad[] = { "05020101", "0509000000000000000001", "050b00000000000000000001",
					   "05230000000000000000000000000000000000000000000000000000000000000000000001" };

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		struct bed *b = scripted_bed();
		struct sock *sk = connected(b, SACKED);
		char text[200], data[3000] = { 0 };

		bed_send(sk, data, sizeof(data), 0);
		bed_run(b, 0);
		snprintf(text, sizeof(text), ". 1 ack 1 win 32768 <raw %s>", bad[i]);
		say(b, sk, text, NULL, 0);
		assert_int_equal(tcp_sk(sk)->fl->sacked_out, 0);
		assert_int_equal(sk->state, TCP_ESTABLISHED);
		done(b, sk);
	}
	options_refused("052a0000000000000000000000000000000000000000000000000000000000000000000000000000"); /* 42 > 40 */
	{ /* a SACK in a SYN, and SACK-permitted of length 3 */
		struct bed *b = scripted_bed();
		struct sock *l = bed_listen(b, 0, 80, 5);
		struct sock *sk = accepted(b, l, 1000, "<mss 1000,raw 0403000101050a0000000000000001>");

		assert_int_equal(tcp_sk(sk)->rx_opt.sack_ok, 0);
		bed_close(sk);
		done(b, l);
	}
	{ /* SACK where it was not negotiated */
		struct bed *b = scripted_bed();
		struct sock *sk = connected(b, "<mss 1000>");
		char data[3000] = { 0 };

		bed_send(sk, data, sizeof(data), 0);
		bed_run(b, 0);
		say(b, sk, ". 1 ack 1 win 32768 <sack 1001:2001>", NULL, 0);
		assert_null(tcp_sk(sk)->sack);
		done(b, sk);
	}
}

static void len_tap_note(unsigned *max, const struct seg *s)
{
	if (tcp_hdrlen((const struct tcp_hdr *)(const void *)s->b) > *max)
		*max = tcp_hdrlen((const struct tcp_hdr *)(const void *)s->b);
}
static uint64_t len_tap(struct bed *b, const struct seg *s, void *arg)
{
	len_tap_note(arg, s);
	return 0;
}

static void tp_14_never_more_than_40_octets_of_options(void **state)
{
	struct bed *b = scripted_bed();
	unsigned max = 0;
	struct sock *sk;

	b->tap = len_tap;
	b->tap_arg = &max;
	sk = connected(b, "<mss 1000,sackOK,ws 7,ts 1:0>");
	for (unsigned i = 0; i < 8; i++) { /* eight holes, and a duplicate for a D-SACK */
		char text[60];

		snprintf(text, sizeof(text), "P. %u ack 1 <ts 2:0>", 101 + i * 20);
		say(b, sk, text, "0123456789", 10);
	}
	say(b, sk, "P. 101 ack 1 <ts 2:0>", "0123456789", 10);
	assert_true(max <= 60);
	assert_true(max >= 56); /* timestamps and three SACK blocks */
	assert_true(b->ok);
	done(b, sk);
}

static void tp_15_padding_and_unknown_options(void **state)
{
	options_ignored("01010101010101010101010101010101010101010101010101010101010101010101010101010101");
	options_ignored("00deadbeefdeadbeefdeadbe");
	options_ignored("fe28000000000000000000000000000000000000000000000000000000000000000000000000aaaa");
	options_ignored("fd04f989fe04beef1e04aaaa"); /* experiments, MPTCP */
	{ /* 40 octets of NOP in a SYN */
		struct bed *b = scripted_bed();
		struct sock *l = bed_listen(b, 0, 80, 5);
		struct sock *sk = accepted(b, l, 1000,
					   "<raw 01010101010101010101010101010101010101010101010101010101010101010101010101010101>");

		bed_close(sk);
		done(b, l);
	}
}

/* ---- raw segments in every state ---- */
struct raw {
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags, res;
};
static void raw_send(struct bed *b, const struct raw *r, const void *data, uint32_t len)
{
	uint8_t s[64] = { 0 };

	put_be16(s, r->sport);
	put_be16(s + 2, r->dport);
	put_be32(s + 4, r->seq);
	put_be32(s + 8, r->ack);
	s[12] = (uint8_t)(5 << 4 | r->res);
	s[13] = r->flags;
	put_be16(s + 14, 32768);
	if (r->flags & TCP_URG)
		put_be16(s + 18, 1);
	if (len)
		memcpy(s + 20, data, len);
	bed_inject_raw(b, 1, 0, s, 20 + len);
	bed_run(b, 0);
}

static void tp_16_reserved_bits_and_ecn_not_negotiated(void **state)
{
	for (uint8_t res = 0; res < 16; res++) {
		struct bed *b = scripted_bed();
		struct sock *sk = connected(b, SACKED);
		struct raw r = { 80, inet_sk(sk)->sport, b->peer_isn + 1, b->isn + 1, TCP_ACK | TCP_PSH | TCP_ECE | TCP_CWR, res };
		char buf[8];
		uint32_t cwnd = tcp_sk(sk)->snd_cwnd;

		raw_send(b, &r, "abc", 3);
		assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), 3);
		assert_int_equal(tcp_sk(sk)->snd_cwnd, cwnd);
		assert_int_equal(inet_csk(sk)->ca_state, TCP_CA_Open);
		expect_seg(b, ". 1:1 ack 4"); /* no ECE in the answer */
		done(b, sk);
	}
}

enum st { S_CLOSED, S_LISTEN, S_SYN_SENT, S_REQUEST, S_SYN_RECV, S_ESTAB, S_FIN_WAIT1, S_FIN_WAIT2, S_ORPHAN_FW2, S_CLOSE_WAIT,
	  S_CLOSING, S_LAST_ACK, S_TIME_WAIT, S_MAX };

struct scene {
	struct bed *b;
	struct sock *sk, *l;
	struct raw r; /* an acceptable segment without flags */
};

static void close_side(struct scene *s) { tcp_shutdown(s->sk, 2); }
/* The FIN of the script, acknowledging ack. */
static void peer_fin(struct scene *s, unsigned ack)
{
	char text[40];

	snprintf(text, sizeof(text), "F. 1 ack %u", ack);
	bed_inject(s->b, 1, 0, 80, s->r.dport, text, NULL, 0);
	bed_run(s->b, 0);
	s->r.seq++;
}

/* Bring host 0 into a state; s->r is what would be in order next. */
static void enter(struct scene *s, enum st st)
{
	struct bed *b = s->b = scripted_bed();

	s->sk = s->l = NULL;
	s->r = (struct raw){ 80, 4000, b->peer_isn, b->isn, 0, 0 };
	if (st == S_CLOSED)
		return;
	if (st == S_LISTEN || st == S_REQUEST) {
		s->l = bed_listen(b, 0, 4000, 5);
		if (st == S_REQUEST) {
			bed_inject(b, 1, 0, 80, 4000, "S 0 <mss 1000>", NULL, 0);
			bed_run(b, 0);
			expect_seg(b, "S. 0:0 ack 1");
			s->r.seq++;
			s->r.ack = b->isn + 1;
		}
		return;
	}
	if (st == S_SYN_SENT || st == S_SYN_RECV) {
		s->sk = bed_socket(b, 0);
		bed_connect(b, s->sk, 1, 80);
		bed_run(b, 0);
		expect_seg(b, "S 0:0");
		if (st == S_SYN_RECV) {
			say(b, s->sk, "S 0 <mss 1000>", NULL, 0);
			expect_seg(b, "S. 0:0 ack 1");
			assert_int_equal(s->sk->state, TCP_SYN_RECV);
			s->r.seq++;
		}
		s->r.dport = inet_sk(s->sk)->sport;
		s->r.ack = b->isn + 1;
		return;
	}
	s->sk = connected(b, SACKED);
	s->r.dport = inet_sk(s->sk)->sport;
	s->r.seq = b->peer_isn + 1;
	s->r.ack = b->isn + 1;
	switch (st) {
	case S_FIN_WAIT1:
		close_side(s);
		break;
	case S_FIN_WAIT2:
		close_side(s);
		say(b, s->sk, ". 1 ack 2", NULL, 0);
		s->r.ack++;
		break;
	case S_ORPHAN_FW2:
		bed_close(s->sk);
		bed_inject(b, 1, 0, 80, s->r.dport, ". 1 ack 2", NULL, 0);
		s->r.ack++;
		s->sk = NULL;
		break;
	case S_CLOSE_WAIT:
		peer_fin(s, 1);
		break;
	case S_CLOSING:
		close_side(s);
		peer_fin(s, 1);
		break;
	case S_LAST_ACK:
		peer_fin(s, 1);
		close_side(s);
		break;
	case S_TIME_WAIT:
		bed_close(s->sk);
		s->sk = NULL;
		peer_fin(s, 2);
		s->r.ack++;
		break;
	default:
		break;
	}
	bed_run(b, SEC / 500); /* the ACK of a FIN before any data: a tick of the clock later */
	bed_forget(b);
}

static void leave(struct scene *s)
{
	if (s->sk)
		bed_close(s->sk);
	if (s->l) {
		struct sock *c;

		while ((c = bed_accept(s->l)) != NULL)
			bed_close(c);
		bed_close(s->l);
	}
	bed_expect_clean(s->b);
	bed_free(s->b);
}

/* What RFC 9293 3.10.7 (with RFC 5961 4) says to a segment in order, with a right ACK if it has one, without data.
 * Answer: "" nothing, "R" a reset, "S." a SYN-ACK, "." an ACK; *next: the state after it (0: not a socket). */
static const char *oracle(enum st st, uint8_t f, int *next)
{
	static const uint8_t same[S_MAX] = { 0, TCP_LISTEN, TCP_SYN_SENT, 0, TCP_SYN_RECV, TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_FIN_WAIT2, 0,
					     TCP_CLOSE_WAIT, TCP_CLOSING, TCP_LAST_ACK, 0 };
	bool ack = f & TCP_ACK, syn = f & TCP_SYN, fin = f & TCP_FIN, rst = f & TCP_RST;

	*next = same[st];
	switch (st) {
	case S_CLOSED:
		return rst ? "" : "R";
	case S_LISTEN:
		return rst ? "" : ack ? "R" : syn && !fin ? "S." : "";
	case S_SYN_SENT:
		if (rst) {
			*next = ack ? TCP_CLOSE : TCP_SYN_SENT;
			return "";
		}
		if (syn)
			*next = ack ? TCP_ESTABLISHED : TCP_SYN_RECV;
		return !syn ? "" : ack ? "." : "S.";
	case S_REQUEST:
		return rst ? "" : syn ? "R" : ack && fin ? "." : "";
	case S_TIME_WAIT:
		return rst ? "" : syn ? "." : fin ? "." : "";
	case S_ORPHAN_FW2:
		return rst ? "" : syn ? "R" : ack && fin ? "." : "";
	default:
		break;
	}
	if (rst) {
		*next = TCP_CLOSE;
		return "";
	}
	if (syn)
		return "."; /* a challenge */
	if (!ack)
		return "";
	switch (st) {
	case S_SYN_RECV:
	case S_ESTAB:
		*next = fin ? TCP_CLOSE_WAIT : TCP_ESTABLISHED;
		return fin ? "." : "";
	case S_FIN_WAIT1:
		*next = fin ? TCP_CLOSING : TCP_FIN_WAIT1;
		return fin ? "." : "";
	case S_FIN_WAIT2:
		*next = fin ? TCP_CLOSE : TCP_FIN_WAIT2; /* TIME-WAIT is not the socket's */
		return fin ? "." : "";
	default:
		return ""; /* a FIN after the FIN: behind the window or a repetition; seen below */
	}
}

static void check_answer(struct bed *b, const char *want, enum st st, uint8_t f)
{
	char got[256];

	bed_run(b, SEC / 10); /* a delayed ACK */
	bed_next(b, got, sizeof(got));
	if (st >= S_CLOSE_WAIT && st <= S_LAST_ACK && (f & TCP_FIN) && !(f & (TCP_RST | TCP_SYN)))
		return; /* an ACK or nothing: both are within the RFC */
	if (!*want ? *got != 0 : strncmp(got, want, strlen(want)) != 0 || (got[strlen(want)] != ' ' && *want != 'R')) {
		print_message("state %d flags %02x: \"%s\", not \"%s\"\n", (int)st, f, got, want);
		fail();
	}
}

static void tp_17_all_flags_in_every_state(void **state)
{
	for (int st = 0; st < S_MAX; st++) {
		for (unsigned f = 0; f < 64; f++) {
			struct scene s;
			int next;
			const char *want = oracle((enum st)st, (uint8_t)f, &next);

			enter(&s, (enum st)st);
			s.r.flags = (uint8_t)f;
			raw_send(s.b, &s.r, NULL, 0);
			check_answer(s.b, want, (enum st)st, (uint8_t)f);
			if (s.sk && s.sk->state != next) {
				print_message("state %d flags %02x: now %d, not %d\n", st, f, s.sk->state, next);
				fail();
			}
			leave(&s);
		}
	}
}

/* The same with data, below, in and above the window, with old, right and wild ACKs: no crash, no leak, bounded answers. */
static void tp_17_all_flags_with_data_everywhere(void **state)
{
	static const int32_t seqs[] = { 0, -1, 1, -70000, 70000, 0x7fffffff }, acks[] = { 0, -1, 1, 0x7ffffff0 };

	for (int st = 0; st < S_MAX; st++)
		for (unsigned f = 0; f < 64; f++)
			for (unsigned i = 0; i < ARRAY_SIZE(seqs) * ARRAY_SIZE(acks); i++) {
				struct scene s;

				if ((i + f + (unsigned)st) % 3)
					continue; /* a third of them, spread evenly */
				enter(&s, (enum st)st);
				s.r.flags = (uint8_t)f;
				s.r.seq += (uint32_t)seqs[i % ARRAY_SIZE(seqs)];
				s.r.ack += (uint32_t)acks[i / ARRAY_SIZE(seqs)];
				raw_send(s.b, &s.r, "hello", 5);
				raw_send(s.b, &s.r, "hello", 5);
				assert_true(s.b->n_segs < 40);
				leave(&s);
			}
}

static void tp_20_urgent_pointer_far_away(void **state)
{
	static const char *const t[] = { "UP. 1 ack 1 urg 65535", "UP. 1 ack 1 urg 2", "UP. 1 ack 1 urg 40000" };

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct bed *b = scripted_bed();
		struct sock *sk = connected(b, SACKED);
		char buf[16];

		say(b, sk, t[i], "a", 1);
		assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), 1); /* in-band as it should be */
		assert_int_equal(buf[0], 'a');
		assert_int_equal(bed_recv(sk, buf, sizeof(buf), MSG_OOB), -EAGAIN);
		say(b, sk, "P. 2 ack 1", "bcd", 3);
		assert_true(bed_recv(sk, buf, sizeof(buf), 0) >= 2);
		assert_int_equal(sk->state, TCP_ESTABLISHED);
		done(b, sk);
	}
}

static void tp_21_urgent_in_handshake(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = bed_listen(b, 0, 80, 5), *sk;
	char buf[16];

	bed_inject(b, 1, 0, 1000, 80, "SU 0 urg 1 <mss 1000>", NULL, 0);
	bed_run(b, 0);
	expect_seg(b, "S. 0:0 ack 1");
	bed_inject(b, 1, 0, 1000, 80, ". 1 ack 1", NULL, 0);
	bed_run(b, 0);
	sk = bed_accept(l);
	assert_int_equal(tcp_sk(sk)->urg_data, 0);
	bed_inject(b, 1, 0, 1000, 80, "P. 1 ack 1", "abc", 3);
	bed_run(b, 0);
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), 3);
	bed_close(sk);
	bed_close(l);
	bed_free(b);

	b = scripted_bed(); /* in the SYN-ACK, with a malformed TCP-AO option (CVE-2019-12260) */
	sk = bed_socket(b, 0);
	bed_connect(b, sk, 1, 80);
	bed_run(b, 0);
	expect_seg(b, "S 0:0");
	say(b, sk, "SU. 0 ack 1 urg 100 <raw 1d010000>", NULL, 0);
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	say(b, sk, "P. 1 ack 1", "abc", 3);
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), 3);
	/* the socket used again: nothing of the old connection's urgent state */
	assert_int_equal(tcp_sk(sk)->urg_data, TCP_URG_NOTYET); /* its mark is still ahead */
	tcp_disconnect(sk, 0);
	assert_int_equal(tcp_sk(sk)->urg_data, 0);
	done(b, sk);
}

static void syn_from_to(struct bed *b, uint32_t saddr, uint32_t daddr, uint8_t type)
{
	struct seg *s = calloc(1, sizeof(*s) + 20);

	s->saddr = saddr;
	s->daddr = daddr;
	s->len = 20;
	put_be16(s->b, 1000);
	put_be16(s->b + 2, 80);
	put_be32(s->b + 4, 77);
	s->b[12] = 5 << 4;
	s->b[13] = TCP_SYN;
	put_be16(s->b + 16, csum_fold(csum_partial(s->b, 20, csum_tcpudp_nofold(saddr, daddr, 20, 6, 0))));
	bed_deliver(b, 0, s, type);
	free(s);
}

static void tp_22_broadcast_and_multicast(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = bed_listen(b, 0, 80, 5);
	uint64_t sent = b->n_segs;

	syn_from_to(b, bed_addr(1), 0xffffffffu, PACKET_BROADCAST_);
	syn_from_to(b, bed_addr(1), 0x0affffffu, PACKET_BROADCAST_);
	syn_from_to(b, bed_addr(1), 0xe0000001u, PACKET_MULTICAST_);
	syn_from_to(b, bed_addr(1), bed_addr(0), PACKET_BROADCAST_);
	syn_from_to(b, bed_addr(1), bed_addr(0), PACKET_OTHERHOST_);
	syn_from_to(b, 0xe0000001u, bed_addr(0), PACKET_HOST_);
	syn_from_to(b, 0xffffffffu, bed_addr(0), PACKET_HOST_);
	bed_run(b, 10 * SEC);
	assert_int_equal(b->n_segs, sent);
	assert_int_equal(inet_csk(l)->listener->syn_qlen, 0);
	done(b, l);
}

static void tp_23_port_zero(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = bed_listen(b, 0, 80, 5);
	uint64_t sent = b->n_segs, resets = 0;

	for (unsigned f = 0; f < 64; f++) {
		struct raw r = { 0, 80, 1, 1, (uint8_t)f, 0 }, q = { 1000, 0, 1, 1, (uint8_t)f, 0 }, z = { 0, 0, 1, 1, (uint8_t)f, 0 };

		raw_send(b, &r, NULL, 0);
		raw_send(b, &q, "x", 1);
		raw_send(b, &z, NULL, 0);
	}
	bed_run(b, 10 * SEC);
	/* what was injected, and to port 0 a reset as from any closed port; nobody can be answered at port 0 */
	for (const struct seg *s = b->got; s; s = s->next)
		resets += s->b[13] & TCP_RST && get_be16(s->b) == 0 && get_be16(s->b + 2) == 1000;
	assert_int_equal(b->n_segs - sent, 3 * 64 + 32);
	assert_int_equal(resets, 32);
	bed_close(l);
	bed_expect_clean(b);
	bed_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tp_05_option_length_one),
		cmocka_unit_test(tp_06_option_length_past_end),
		cmocka_unit_test(tp_06_malformed_options_in_syn),
		cmocka_unit_test(tp_09_mss_only_in_syn),
		cmocka_unit_test(tp_10_window_scale),
		cmocka_unit_test(tp_12_sack_lengths),
		cmocka_unit_test(tp_14_never_more_than_40_octets_of_options),
		cmocka_unit_test(tp_15_padding_and_unknown_options),
		cmocka_unit_test(tp_16_reserved_bits_and_ecn_not_negotiated),
		cmocka_unit_test(tp_17_all_flags_in_every_state),
		cmocka_unit_test(tp_17_all_flags_with_data_everywhere),
		cmocka_unit_test(tp_20_urgent_pointer_far_away),
		cmocka_unit_test(tp_21_urgent_in_handshake),
		cmocka_unit_test(tp_22_broadcast_and_multicast),
		cmocka_unit_test(tp_23_port_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

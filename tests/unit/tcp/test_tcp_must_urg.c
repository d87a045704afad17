/* Urgent data (RFC 9293 3.8.5, as RFC 6093 reads it): sent, received, announced, and measured. */
#include "tcp_bed.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/sockios.h>
#include <asm/ioctls.h>
#include "core/task.h"

/* What a segment's header says of urgent data: the octet behind it, relative; 0: no URG. */
static uint32_t urgent_end(const struct bed *b, const struct seg *s)
{
	return s->b[13] & TCP_URG ? get_be32(s->b + 4) + get_be16(s->b + 18) - b->isn : 0;
}
static int at_mark(struct sock *sk)
{
	int v = -1;

	assert_int_equal(tcp_ioctl(sk, SIOCATMARK, &v), 0);
	return v;
}
static int in_queue(struct sock *sk)
{
	int v = -1;

	assert_int_equal(tcp_ioctl(sk, SIOCINQ, &v), 0);
	return v;
}

static void must_30_62_sent_with_the_pointer_behind_it(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);

	bed_send(sk, "abc!", 4, MSG_OOB);
	bed_run(b, 0);
	assert_non_null(b->got);
	assert_int_equal(urgent_end(b, b->got), 5); /* octets 1 to 4: the next is 5 (RFC 6093 4) */
	expect_seg(b, "P.U 1:5 ack 1");
	say(b, sk, ". 1 ack 5", NULL, 0);
	bed_send(sk, "calm", 4, 0);
	bed_run(b, 0);
	assert_int_equal(urgent_end(b, b->got), 0); /* it is behind us */
	done(b, sk);
}

/* Much more than the pointer's 16 bits can reach, in many segments: each says how far, as far as it can. */
static void must_31_62_of_any_length(void **state)
{
	static const uint32_t len[] = { 1, 2, 999, 1000, 1001, 65534, 65535, 65536, 65537, 200000 };
	static char data[200000];

	for (unsigned i = 0; i < ARRAY_SIZE(len); i++) {
		struct bed *b = scripted_bed();
		struct sock *sk = connected(b, "<mss 1000,ws 7>");
		uint32_t end = 0, exact = 0, far = 0;

		sk->sndbuf = 4 << 20;
		say(b, sk, "P. 1 ack 1 win 60000", "x", 1);
		bed_forget(b);
		tcp_sk(sk)->snd_cwnd = 1000;
		assert_int_equal(bed_send(sk, data, len[i], MSG_OOB), len[i]);
		bed_run(b, 0);
		while (b->got) {
			uint32_t seq = get_be32(b->got->b + 4) - b->isn, u = urgent_end(b, b->got);
			char buf[64];

			assert_true(u != 0);
			if (1 + len[i] - seq <= 65535)
				assert_int_equal(u, 1 + len[i]);
			else
				assert_int_equal(u, seq + 65535); /* farther than the field can say */
			exact += u == 1 + len[i];
			far += u != 1 + len[i];
			end = seq;
			bed_next(b, buf, sizeof(buf));
		}
		assert_true(exact > 0);
		assert_int_equal(far > 0, len[i] > 65535);
		assert_true(end < 1 + len[i]);
		done(b, sk);
	}
}

static void must_31_received_of_any_length(void **state)
{
	static const uint32_t len[] = { 1, 1000, 40000 };
	static char data[40001], buf[50000];

	for (unsigned i = 0; i < ARRAY_SIZE(len); i++) {
		struct bed *b = scripted_bed();
		struct sock *sk = connected(b, SACKED);
		uint32_t got = 0;

		memset(data, 'u', sizeof(data));
		data[len[i] - 1] = '!';
		for (uint32_t at = 0; at < len[i]; at += 1000) { /* each segment says where the end is */
			char text[60];
			uint32_t n = len[i] - at < 1000 ? len[i] - at : 1000;

			snprintf(text, sizeof(text), "PU. %u ack 1 urg %u", 1 + at, len[i] - at);
			say(b, sk, text, data + at, n);
		}
		while (got < len[i] - 1) {
			ssize_t n = bed_recv(sk, buf, sizeof(buf), 0);

			assert_true(n > 0);
			got += (uint32_t)n;
			assert_null(memchr(buf, '!', (size_t)n));
		}
		assert_int_equal(got, len[i] - 1); /* what leads to the mark is in the stream */
		assert_int_equal(at_mark(sk), 1);
		assert_int_equal(bed_recv(sk, buf, 1, MSG_OOB), 1);
		assert_int_equal(buf[0], '!');
		done(b, sk);
	}
}

/* Told at once, before the data is read or even here; told again when the end moves on. */
static void must_32_the_program_is_told(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	struct socket s = { .sk = sk };
	char buf[8];

	assert_int_equal(tcp_poll(&s) & POLLPRI, 0);
	say(b, sk, "P. 1 ack 1", "abc", 3);
	assert_int_equal(tcp_poll(&s) & POLLPRI, 0);
	say(b, sk, "PU. 4 ack 1 urg 2", "d!", 2);
	assert_int_equal(tcp_poll(&s) & POLLPRI, POLLPRI);
	assert_int_equal(bed_recv(sk, buf, 1, MSG_OOB), 1);
	assert_int_equal(buf[0], '!');
	assert_int_equal(tcp_poll(&s) & POLLPRI, 0);
	assert_int_equal(bed_recv(sk, buf, 1, MSG_OOB), -EINVAL); /* once */
	say(b, sk, "PU. 6 ack 1 urg 1", "?", 1); /* more of it */
	assert_int_equal(tcp_poll(&s) & POLLPRI, POLLPRI);
	done(b, sk);

	b = scripted_bed(); /* the pointer is ahead of its data */
	sk = connected(b, SACKED);
	say(b, sk, "PU. 1 ack 1 urg 5", "ab", 2);
	assert_int_equal(tcp_sk(sk)->urg_data, TCP_URG_NOTYET);
	assert_int_equal(bed_recv(sk, buf, 1, MSG_OOB), -EAGAIN);
	say(b, sk, "P. 3 ack 1", "cde", 3);
	assert_int_equal(bed_recv(sk, buf, 1, MSG_OOB), 1);
	assert_int_equal(buf[0], 'e');
	done(b, sk);
}

static void must_33_how_much_is_left(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	char buf[16] = "";

	say(b, sk, "PU. 1 ack 1 urg 6", "hello!after", 11);
	assert_int_equal(at_mark(sk), 0);
	assert_int_equal(in_queue(sk), 5); /* up to the mark */
	assert_int_equal(bed_recv(sk, buf, 2, 0), 2);
	assert_int_equal(in_queue(sk), 3);
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), 3); /* a read does not run over it */
	assert_memory_equal(buf, "llo", 3);
	assert_int_equal(at_mark(sk), 1);
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), 5);
	assert_memory_equal(buf, "after", 5);
	assert_int_equal(at_mark(sk), 0);
	done(b, sk);

	b = scripted_bed(); /* in line: the urgent octet is where it stood */
	sk = connected(b, SACKED);
	sock_set_flag(sk, SOCK_F_URGINLINE, true);
	say(b, sk, "PU. 1 ack 1 urg 6", "hello!after", 11);
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), 5);
	assert_int_equal(at_mark(sk), 1);
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), 6);
	assert_memory_equal(buf, "!after", 6);
	assert_int_equal(bed_recv(sk, buf, 1, MSG_OOB), -EINVAL);
	done(b, sk);
}

/* must_66: while the receive window is closed the pointer counts, and a reset too. */
static void must_66_at_a_closed_window(void **state)
{
	for (unsigned reset = 0; reset < 2; reset++) {
		struct bed *b = scripted_bed();
		struct sock *sk = connected(b, SACKED);
		struct socket s = { .sk = sk };
		static char data[1000];
		char text[60];
		uint32_t next;

		sk->rcvbuf = 8000;
		sk->userlocks |= 2;
		while (tcp_receive_window(tcp_sk(sk))) {
			uint32_t n = tcp_receive_window(tcp_sk(sk));

			next = tcp_sk(sk)->rcv_nxt;
			snprintf(text, sizeof(text), "P. %u ack 1", next - b->peer_isn);
			say(b, sk, text, data, n < 1000 ? n : 1000);
			if (tcp_sk(sk)->rcv_nxt == next)
				break;
		}
		bed_run(b, SEC);
		bed_forget(b);
		next = tcp_sk(sk)->rcv_nxt - b->peer_isn;
		assert_int_equal(tcp_receive_window(tcp_sk(sk)), 0);
		if (reset) {
			snprintf(text, sizeof(text), "R %u", next);
			say(b, sk, text, NULL, 0);
			assert_int_equal(sk->state, TCP_CLOSE);
			assert_int_equal(sk->err, ECONNRESET);
		} else {
			snprintf(text, sizeof(text), "U. %u ack 1 urg 1", next);
			say(b, sk, text, "!", 1);
			assert_true(tcp_sk(sk)->urg_data != 0);
			assert_int_equal(tcp_sk(sk)->urg_seq - b->peer_isn, next);
			assert_int_equal(tcp_sk(sk)->rcv_nxt - b->peer_isn, next); /* the octet itself is not taken */
			(void)s;
		}
		done(b, sk);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(must_30_62_sent_with_the_pointer_behind_it),
		cmocka_unit_test(must_31_62_of_any_length),
		cmocka_unit_test(must_31_received_of_any_length),
		cmocka_unit_test(must_32_the_program_is_told),
		cmocka_unit_test(must_33_how_much_is_left),
		cmocka_unit_test(must_66_at_a_closed_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

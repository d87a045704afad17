/* fq: sockets take turns, packets leave at their time or at their socket's rate, bounds hold. */
#include <errno.h>
#include "../core/room_fixture.h"
#include "base/strbuf.h"
#include "sched/sched.h"

static struct proto test_proto = { .name = "TEST", .obj_size = sizeof(struct sock) };

struct bench {
	struct fx *f;
	struct tdev *t;
	struct sock *sk[2];
	uint64_t start;
};

static struct bench bench_new(const char *const *args, size_t n, int type)
{
	struct bench b = { .f = fx_rooms(NULL) };

	b.t = tdev_new(b.f->net, "eth0");
	dev_open(b.t->dev);
	assert_int_equal(dev_graft_qdisc(b.t->dev, &fq_qdisc_ops, args, n), 0);
	for (int i = 0; i < 2; i++) {
		b.sk[i] = sk_alloc(b.f->net, AF_INET, type, 0, &test_proto);
		sock_init_data(NULL, b.sk[i]);
		b.sk[i]->type = (uint16_t)type;
	}
	b.start = b.f->net->now_ns;
	return b;
}

static void bench_free(struct bench *b)
{
	skb_queue_purge_reason(&b->t->sent, DROP_NET_EXIT);
	dev_close(b->t->dev);
	sock_put(b->sk[0]);
	sock_put(b->sk[1]);
	fx_free(b->f);
}

static int xmit(struct bench *b, int who, uint32_t len, uint32_t mark, uint64_t in_ns)
{
	struct sk_buff *s = make_frame(b->f->net, b->t->dev, mac_peer, mac_us, ETH_P_IP, len);

	if (who >= 0)
		skb_set_owner_w(s, b->sk[who]);
	s->mark = mark;
	s->tstamp_ns = in_ns ? b->start + in_ns : 0;
	return dev_queue_xmit(s);
}

/* The marks of what has left by then, in order. */
static void left_by(struct bench *b, uint64_t in_ns, const char *want)
{
	char got[128] = "";
	struct sk_buff *s;

	fx_run_until(b->f, b->start + in_ns);
	while ((s = skb_dequeue(&b->t->sent)) != NULL) {
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%u", *got ? " " : "", s->mark);
		consume_skb(s);
	}
	assert_string_equal(got, want);
}

static void fq_sockets_take_turns(void **state)
{
	static const char *const args[] = { "quantum", "200", "initial_quantum", "200" };
	struct bench b = bench_new(args, 4, SOCK_STREAM);

	netif_tx_stop_queue(&b.t->dev->tx[0]);
	for (uint32_t i = 1; i <= 6; i++)
		xmit(&b, 0, 100, i, 0);
	for (uint32_t i = 11; i <= 13; i++)
		xmit(&b, 1, 100, i, 0);
	netif_tx_wake_queue(&b.t->dev->tx[0]);
	left_by(&b, 0, "1 2 11 12 3 4 13 5 6");
	bench_free(&b);
}

static void fq_packets_leave_at_their_time(void **state)
{
	struct bench b = bench_new(NULL, 0, SOCK_DGRAM);
	struct Qdisc *q = b.t->dev->tx[0].qdisc;

	xmit(&b, 0, 100, 3, 30 * NSEC_PER_MSEC);
	xmit(&b, 0, 100, 1, 10 * NSEC_PER_MSEC); /* overtakes */
	xmit(&b, 0, 100, 2, 20 * NSEC_PER_MSEC);
	xmit(&b, 1, 100, 9, 0); /* another socket's does not wait */
	xmit(&b, -1, 100, 8, 15 * NSEC_PER_MSEC);
	assert_int_equal(xmit(&b, 0, 100, 7, 11 * NSEC_PER_SEC), NET_XMIT_DROP); /* beyond the horizon */
	left_by(&b, 9999999, "9");
	left_by(&b, 10 * NSEC_PER_MSEC, "1");
	left_by(&b, 19999999, "8");
	left_by(&b, 20 * NSEC_PER_MSEC, "2");
	assert_int_equal(q->st.qlen, 1);
	left_by(&b, 30 * NSEC_PER_MSEC, "3");
	assert_int_equal(q->st.qlen + q->st.backlog, 0);
	assert_int_equal(q->st.drops, 1);
	xmit(&b, 0, 100, 5, 10 * NSEC_PER_MSEC); /* its time is over */
	left_by(&b, 30 * NSEC_PER_MSEC, "5");
	xmit(&b, 0, 100, 6, NSEC_PER_SEC); /* never leaves: the device goes down */
	bench_free(&b);
}

/* SO_MAX_PACING_RATE of a datagram socket: 100 octets every millisecond; the queue empties in between, the rate stays. */
static void fq_paces_datagrams(void **state)
{
	struct bench b = bench_new(NULL, 0, SOCK_DGRAM);
	uint64_t rate = 100000;

	assert_int_equal(sock_setsockopt(b.sk[0], SO_MAX_PACING_RATE, &rate, sizeof(rate)), 0);
	xmit(&b, 0, 100, 1, 0);
	left_by(&b, 0, "1");
	for (uint32_t i = 2; i <= 4; i++)
		xmit(&b, 0, 100, i, 0);
	left_by(&b, 999999, "");
	left_by(&b, NSEC_PER_MSEC, "2");
	left_by(&b, 3 * NSEC_PER_MSEC, "3 4");
	xmit(&b, 0, 100, 5, 0);
	left_by(&b, 4 * NSEC_PER_MSEC, "5");
	xmit(&b, 1, 100, 6, 0);
	left_by(&b, 4 * NSEC_PER_MSEC, "6");
	bench_free(&b);
}

static void fq_bounds(void **state)
{
	static const char *const args[] = { "limit", "5", "flow_limit", "3" }, *const bad[] = { "quantum", "0" };
	struct bench b = bench_new(args, 4, SOCK_STREAM);
	struct Qdisc *q = b.t->dev->tx[0].qdisc;
	struct strbuf sb;

	netif_tx_stop_queue(&b.t->dev->tx[0]);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(xmit(&b, 0, 100, i, 0), NET_XMIT_SUCCESS);
	assert_int_equal(xmit(&b, 0, 100, 9, 0), NET_XMIT_DROP);
	assert_int_equal(xmit(&b, 1, 100, 9, 0), NET_XMIT_SUCCESS);
	assert_int_equal(xmit(&b, -1, 100, 9, 0), NET_XMIT_SUCCESS);
	assert_int_equal(xmit(&b, 1, 100, 9, 0), NET_XMIT_DROP);
	assert_int_equal(q->st.drops, 2);
	sb_init(&sb);
	q->ops->dump(q, &sb);
	assert_string_equal(sb_str(&sb), "limit 5p flow_limit 3p buckets 64 quantum 3028 initial_quantum 15140 horizon 10s horizon_drop");
	sb_free(&sb);
	assert_int_equal(dev_graft_qdisc(b.t->dev, &fq_qdisc_ops, bad, 2), -EINVAL);
	bench_free(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fq_sockets_take_turns),
		cmocka_unit_test(fq_packets_leave_at_their_time),
		cmocka_unit_test(fq_paces_datagrams),
		cmocka_unit_test(fq_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

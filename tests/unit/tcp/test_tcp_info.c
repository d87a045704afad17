/* What struct tcp_info tells, what routes say of connections, pacing, HyStart++, and how large an idle connection is. */
#include "test_hosts.h"
#include <errno.h>
#include <netinet/in.h>
#include "tcp/inet_hashtables.h"
#include "tcp/tcp_info.h"
#include "tcp/tcp_int.h"
#include "socket/file.h"

struct app_run {
	uint64_t bytes, pace, nap_ns, took_ns;
	struct tcp_info_full before, ti;
	uint32_t chunk;
};

static int sender(struct task *t, int argc, char **argv)
{
	struct app_run *r = t->owner_data;
	struct sockaddr_in a = app_sockaddr(0x0a000202, 9);
	int fd = sys_socket(t, AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(r->ti);
	uint64_t start;
	static const char data[65536];

	if (r->pace)
		sys_setsockopt(t, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &r->pace, sizeof(r->pace));
	if (sys_connect(t, fd, (struct sockaddr *)&a, sizeof(a)))
		return 1;
	sys_getsockopt(t, fd, IPPROTO_TCP, TCP_INFO, &r->before, &len);
	start = sys_clock_ns(t);
	for (uint64_t left = r->bytes; left;) {
		ssize_t n = sys_write(t, fd, data, left < r->chunk ? left : r->chunk);

		if (n < 0)
			return 2;
		left -= (uint64_t)n;
		if (r->nap_ns)
			sys_nanosleep(t, r->nap_ns);
	}
	while (len = sizeof(r->ti), sys_getsockopt(t, fd, IPPROTO_TCP, TCP_INFO, &r->ti, &len), r->ti.unacked || r->ti.notsent_bytes)
		sys_nanosleep(t, NSEC_PER_MSEC);
	r->took_ns = sys_clock_ns(t) - start;
	sys_close(t, fd);
	return 0;
}

static int receiver(struct task *t, int argc, char **argv)
{
	struct app_run *r = t->owner_data;
	struct sockaddr_in a = app_sockaddr(0, 9);
	int fd = sys_socket(t, AF_INET, SOCK_STREAM, 0), c;
	socklen_t len = sizeof(r->ti);
	char *buf = malloc(65536);
	ssize_t n;

	sys_bind(t, fd, (struct sockaddr *)&a, sizeof(a));
	sys_listen(t, fd, 5);
	c = sys_accept4(t, fd, NULL, NULL, 0);
	sys_nanosleep(t, r->nap_ns);
	while ((n = sys_read(t, c, buf, 65536)) > 0)
		r->bytes += (uint64_t)n;
	sys_getsockopt(t, c, IPPROTO_TCP, TCP_INFO, &r->ti, &len);
	free(buf);
	sys_close(t, c);
	sys_close(t, fd);
	return (int)n;
}

static struct task *run(struct hosts *h, unsigned host, task_main fn, struct app_run *r)
{
	char *argv[] = { (char *)(uintptr_t) "prog", NULL };
	struct task *t = task_spawn(h->net[host], "prog", fn, 1, argv, NULL);

	t->owner_data = r;
	h->kicked[host] = true;
	return t;
}

static void both(struct hosts *h, struct app_run *s, struct app_run *r)
{
	struct task *b = run(h, 2, receiver, r), *a = run(h, 1, sender, s);

	assert_int_equal(hosts_wait(h, a), 0);
	assert_int_equal(hosts_wait(h, b), 0);
}

static void tcp_info_counts(void **state)
{
	struct hosts *h = hosts_new(2);
	struct app_run s = { .bytes = 1000000, .chunk = 10000 }, r = { 0 };

	both(h, &s, &r);
	assert_int_equal(s.ti.bytes_sent, 1000000);
	assert_int_equal(s.ti.bytes_retrans, 0);
	assert_int_equal(s.ti.bytes_acked, 1000001); /* with the SYN, as Linux counts */
	assert_int_equal(r.bytes, 1000000);
	assert_in_range(r.ti.bytes_received, 1000000, 1000001);
	assert_in_range(s.ti.data_segs_out, 691, 1000);
	assert_int_equal(s.ti.data_segs_out, r.ti.data_segs_in);
	assert_int_equal(s.ti.data_segs_in, 0);
	assert_true(s.ti.segs_out >= s.ti.data_segs_out + 2);
	assert_true(s.ti.segs_in > 2);
	assert_true(s.ti.delivered >= s.ti.data_segs_out);
	assert_int_equal(s.ti.snd_mss, 1448);
	assert_int_equal(s.ti.advmss, 1448);

	assert_true(s.ti.snd_wnd > 30000);
	assert_int_equal(s.ti.wscale >> 4, r.ti.wscale & 15);
	assert_int_equal(s.ti.max_pacing_rate, ~0ull);
	assert_true(s.ti.pacing_rate > 0);
	assert_int_equal(s.ti.dsack_dups + s.ti.reord_seen + r.ti.rcv_ooopack + s.ti.total_rto, 0);
	hosts_free(h);
}

static void tcp_info_limits(void **state)
{
	struct hosts *h = hosts_new(2);
	struct app_run s = { .bytes = 2000000, .chunk = 65536 }, r = { .nap_ns = 5 * SEC };

	both(h, &s, &r); /* the reader sleeps: the peer's window is what holds back */

	assert_true(s.ti.rwnd_limited > 4000000);
	assert_true(s.ti.busy_time >= s.ti.rwnd_limited + s.ti.sndbuf_limited);
	assert_in_range(s.ti.busy_time, 4500000, 5600000);
	hosts_free(h);

	h = hosts_new(2); /* little data, long pauses: hardly busy, and samples are the program's */
	s = (struct app_run){ .bytes = 20000, .chunk = 1000, .nap_ns = SEC };
	r = (struct app_run){ 0 };
	both(h, &s, &r);
	assert_true(s.ti.busy_time < 2000000);
	assert_int_equal(s.ti.rwnd_limited, 0);
	hosts_free(h);
}

/* ---- metrics ---- */
static void route_metrics(void **state)
{
	struct hosts *h = hosts_new(2);
	struct app_run s = { .bytes = 100000, .chunk = 65536 }, r = { 0 };
	uint32_t trains = 0;

	hosts_must(h, 1, "ip route add 10.0.2.0/24 via 10.0.1.1 initcwnd 4 initrwnd 5 rto_min 500ms congctl reno");
	hosts_must(h, 2, "ip route add 10.0.1.0/24 via 10.0.2.1 quickack 1 advmss 1000");
	both(h, &s, &r);
	assert_int_equal(s.before.snd_cwnd, 4);
	assert_in_range(s.before.rcv_wnd, 4 * 1448, 8192); /* rounded up to the window scale */
	assert_in_range(s.before.rto, 500000, 600000);
	assert_int_equal(s.before.snd_mss, 988); /* what the peer's route let it announce */
	for (size_t k = 0; k < h->n_p; k++)
		trains += h->p[k].payload != 0;
	assert_true(trains > 5 && s.ti.segs_in >= trains); /* each train is acknowledged at once */
	hosts_free(h);
}

/* ---- pacing ---- */
static void pacing_holds_the_rate(void **state)
{
	static const uint64_t rates[] = { 100000, 1000000, 20000000 };

	for (unsigned i = 0; i < ARRAY_SIZE(rates); i++) {
		struct hosts *h = hosts_new(2);
		struct app_run s = { .bytes = rates[i] * 3, .chunk = 65536, .pace = rates[i] }, r = { 0 };
		uint32_t longest = 0;
		uint64_t worst = 0, in_window = 0, from = 0;

		both(h, &s, &r);
		assert_int_equal(r.bytes, s.bytes);
		assert_in_range(s.took_ns, 2 * SEC + SEC / 2, 3 * SEC + SEC / 4); /* three seconds' worth */
		assert_true(s.ti.pacing_rate <= rates[i]);
		for (size_t k = 0; k < h->n_p; k++) {
			longest = h->p[k].payload > longest ? h->p[k].payload : longest;
			if (h->p[k].t_ns - from > 100 * NSEC_PER_MSEC) {
				from = h->p[k].t_ns;
				in_window = 0;
			}
			in_window += h->p[k].payload;
			worst = in_window > worst ? in_window : worst;
		}
		/* never a burst worth much more than its time, but for the first ten segments */
		assert_true(worst <= rates[i] / 10 + rates[i] / 20 + 10 * 1448);
		assert_true(longest <= 2 * 1448 || longest <= rates[i] / 1000 + 1448);
		hosts_free(h);
	}
}

/* ---- memory ---- */
static void idle_connection_size(void **state)
{
	struct hosts *h = hosts_new(2);
	size_t sock = sizeof(struct tcp_sock), file = sizeof(struct socket_file), side = 0;
	struct app_run s = { .bytes = 3000, .chunk = 1000, .nap_ns = 20 * SEC }, r = { 0 };
	struct task *b = run(h, 2, receiver, &r), *a = run(h, 1, sender, &s);
	struct tcp_ehash_node **v;

	hosts_sleep(h, 15 * SEC); /* established, some data went, quiet since */
	assert_int_equal(tcp_ehash_snapshot(h->net[1], &v), 1);
	{
		const struct sock *sk = &container_of(v[0], struct inet_connection_sock, eh)->inet.sk;
		const struct tcp_sock *tp = tcp_sk(sk);

		side += tp->rare ? sizeof(struct tcp_rare) : 0;
		side += tp->sack ? sizeof(struct tcp_sackinfo) : 0;
		side += tp->stat ? sizeof(struct tcp_stat) : 0;
		side += tp->icsk.ca_priv ? TCP_CA_PRIV : 0;
		side += sizeof(struct inet_bind_bucket);
		side += sk->receive_queue.qlen + sk->write_queue.qlen + tp->fl->rtx_queue.qlen;
	}
	free(v);
	print_message("tcp_sock %zu (inet_sock %zu, sock %zu), side structs %zu, descriptor %zu\n", sock, sizeof(struct inet_sock),
		      sizeof(struct sock), side, file);
	assert_int_equal(side, sizeof(struct inet_bind_bucket));
	assert_true(sock + side <= 1024);
	hosts_wait(h, a);
	hosts_wait(h, b);
	hosts_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_info_counts),
		cmocka_unit_test(tcp_info_limits),
		cmocka_unit_test(route_metrics),
		cmocka_unit_test(pacing_holds_the_rate),
		cmocka_unit_test(idle_connection_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

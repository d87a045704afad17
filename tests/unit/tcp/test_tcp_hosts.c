/* TCP of whole hosts: programs that wait in system calls, a real path MTU, trains over veth, what ss is told. */
#include "test_hosts.h"
#include <errno.h>
#include <netinet/in.h>
#include "tcp/tcp.h"

struct script {
	int rc[16];
	uint64_t at[16]; /* when each step was over */
	char buf[64];
	uint64_t total, sum, nap_ns;
	unsigned n;
};
static void step(struct script *s, struct task *t, int rc)
{
	s->rc[s->n] = rc;
	s->at[s->n++] = sys_clock_ns(t);
}
static struct script *script(struct task *t) { return t->owner_data; }

static struct task *run(struct hosts *h, unsigned host, task_main fn, struct script *s)
{
	char *argv[] = { (char *)(uintptr_t) "prog", NULL };
	struct task *t = task_spawn(h->net[host], "prog", fn, 1, argv, NULL);

	assert_non_null(t);
	memset(s, 0, sizeof(*s));
	t->owner_data = s;
	h->kicked[host] = true;
	return t;
}

static struct sockaddr *at(struct sockaddr_in *a, uint32_t addr, uint16_t port)
{
	*a = app_sockaddr(addr, port);
	return (struct sockaddr *)a;
}

static int listener(struct task *t, uint16_t port)
{
	struct sockaddr_in a;
	int fd = sys_socket(t, AF_INET, SOCK_STREAM, 0);

	if (sys_bind(t, fd, at(&a, 0, port), sizeof(a)) || sys_listen(t, fd, 5))
		return -1;
	return fd;
}

/* ---- calls that wait ---- */
static int echo_server(struct task *t, int argc, char **argv)
{
	struct script *s = script(t);
	int fd = listener(t, 7), c;
	ssize_t n;

	c = sys_accept4(t, fd, NULL, NULL, 0);
	step(s, t, c);
	while ((n = sys_read(t, c, s->buf, sizeof(s->buf))) > 0)
		sys_write(t, c, s->buf, (size_t)n);
	step(s, t, (int)n);
	sys_close(t, c);
	return 0;
}

static int echo_client(struct task *t, int argc, char **argv)
{
	struct script *s = script(t);
	struct timeval tv = { 2, 0 };
	struct sockaddr_in a;
	int fd = sys_socket(t, AF_INET, SOCK_STREAM, 0);

	step(s, t, sys_connect(t, fd, at(&a, 0x0a000202, 7), sizeof(a)));
	step(s, t, (int)sys_write(t, fd, "hello", 5));
	step(s, t, (int)sys_recvfrom(t, fd, s->buf, 5, MSG_WAITALL, NULL, NULL));
	sys_setsockopt(t, fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	step(s, t, (int)sys_read(t, fd, s->buf, 5)); /* nothing comes */
	step(s, t, sys_shutdown(t, fd, SHUT_WR));
	step(s, t, (int)sys_read(t, fd, s->buf, 5)); /* the peer closes in turn */
	step(s, t, sys_close(t, fd));
	return 0;
}

static void blocking_calls(void **state)
{
	struct hosts *h = hosts_new(2);
	struct script ss, cs;
	struct task *sv = run(h, 2, echo_server, &ss), *cl = run(h, 1, echo_client, &cs);

	hosts_wait(h, cl);
	hosts_wait(h, sv);
	assert_int_equal(cs.rc[0], 0);
	assert_int_equal(cs.rc[1], 5);
	assert_int_equal(cs.rc[2], 5);
	assert_memory_equal(cs.buf, "hello", 5);
	assert_int_equal(cs.rc[3], -EAGAIN);
	assert_int_equal(cs.at[3] - cs.at[2], 2 * SEC);
	assert_int_equal(cs.rc[4], 0);
	assert_int_equal(cs.rc[5], 0);
	assert_true(ss.rc[0] >= 0);
	assert_int_equal(ss.rc[1], 0);
	hosts_free(h);
}

/* A send that does not fit sleeps until the peer has read. */
static int slow_server(struct task *t, int argc, char **argv)
{
	struct script *s = script(t);
	int fd = listener(t, 9), c = sys_accept4(t, fd, NULL, NULL, 0);
	static const size_t room = 65536;
	char *buf = malloc(room);
	ssize_t n;

	sys_nanosleep(t, s->nap_ns);
	step(s, t, 0);
	while ((n = sys_read(t, c, buf, room)) > 0)
		for (ssize_t i = 0; i < n; i++, s->total++)
			s->sum += (uint8_t)buf[i] ^ (uint8_t)(s->total * 31);
	free(buf);
	step(s, t, (int)n);
	sys_close(t, c);
	return 0;
}

#define BIG (8u << 20)
static int big_client(struct task *t, int argc, char **argv)
{
	struct script *s = script(t);
	struct linger lg = { 1, 20 };
	struct sockaddr_in a;
	int fd = sys_socket(t, AF_INET, SOCK_STREAM, 0);
	uint8_t *data = malloc(BIG);

	for (size_t i = 0; i < BIG; i++)
		data[i] = (uint8_t)(i * 31);
	step(s, t, sys_connect(t, fd, at(&a, 0x0a000202, 9), sizeof(a)));
	step(s, t, (int)sys_write(t, fd, data, BIG));
	sys_setsockopt(t, fd, SOL_SOCKET, SO_LINGER, &lg, sizeof(lg));
	step(s, t, sys_close(t, fd)); /* until all of it is acknowledged */
	free(data);
	return 0;
}

static void blocking_send_and_linger(void **state)
{
	struct hosts *h = hosts_new(2);
	struct script ss, cs;
	struct task *sv = run(h, 2, slow_server, &ss), *cl = run(h, 1, big_client, &cs);
	uint32_t longest = 0;

	ss.nap_ns = 10 * SEC;
	hosts_wait(h, cl);
	hosts_wait(h, sv);
	assert_int_equal(cs.rc[1], BIG);
	assert_true(cs.at[1] >= ss.at[0]);        /* it had to wait for the reader */
	assert_true(cs.at[2] - cs.at[1] < 5 * SEC); /* and close for the last ACK */
	assert_int_equal(ss.total, BIG);
	assert_int_equal(ss.sum, 0);
	for (size_t i = 0; i < h->n_p; i++)
		longest = h->p[i].payload > longest ? h->p[i].payload : longest;
	assert_true(longest > 20000); /* trains crossed the hub whole */
	hosts_free(h);
}

static int lingerer(struct task *t, int argc, char **argv)
{
	struct script *s = script(t);
	struct linger lg = { 1, 3 };
	struct sockaddr_in a;
	int fd = sys_socket(t, AF_INET, SOCK_STREAM, 0);
	static const char data[300000];

	sys_connect(t, fd, at(&a, 0x0a000202, 9), sizeof(a));
	sys_setsockopt(t, fd, SOL_SOCKET, SO_LINGER, &lg, sizeof(lg));
	step(s, t, (int)sys_sendto(t, fd, data, sizeof(data), MSG_DONTWAIT, NULL, 0));
	step(s, t, sys_close(t, fd));
	return 0;
}

static int never_reads(struct task *t, int argc, char **argv)
{
	int fd = listener(t, 9), c = sys_accept4(t, fd, NULL, NULL, 0), v = 4096;

	sys_setsockopt(t, c, SOL_SOCKET, SO_RCVBUF, &v, sizeof(v));
	sys_nanosleep(t, 100 * SEC);
	return c < 0;
}

static void linger_runs_out(void **state)
{
	struct hosts *h = hosts_new(2);
	struct script ss, cs;
	struct task *sv = run(h, 2, never_reads, &ss), *cl = run(h, 1, lingerer, &cs);

	h->net[2]->tcp->sysctl.rmem[1] = 8192;
	hosts_wait(h, cl);
	assert_in_range(cs.at[1] - cs.at[0], 3 * SEC, 3 * SEC + SEC / 10);
	hosts_wait(h, sv);
	hosts_free(h);
}

static int reset_victim(struct task *t, int argc, char **argv)
{
	struct script *s = script(t);
	struct sockaddr_in a;
	int fd = sys_socket(t, AF_INET, SOCK_STREAM, 0);

	step(s, t, sys_connect(t, fd, at(&a, 0x0a000202, 11), sizeof(a)));
	step(s, t, sys_connect(t, fd, at(&a, 0x0a000202, 9), sizeof(a)));
	step(s, t, (int)sys_read(t, fd, s->buf, 1)); /* the peer aborts meanwhile */
	step(s, t, (int)sys_write(t, fd, "x", 1));
	step(s, t, (t->pending_signals & TASK_SIG(TASK_SIGPIPE)) != 0);
	step(s, t, (t->pending_signals & TASK_SIG(TASK_SIGINT)) != 0);
	sys_close(t, fd);
	return 0;
}

static int aborter(struct task *t, int argc, char **argv)
{
	struct linger lg = { 1, 0 };
	int fd = listener(t, 9), c = sys_accept4(t, fd, NULL, NULL, 0);

	sys_nanosleep(t, SEC);
	sys_setsockopt(t, c, SOL_SOCKET, SO_LINGER, &lg, sizeof(lg));
	return sys_close(t, c);
}

static void errors_and_signals(void **state)
{
	struct hosts *h = hosts_new(2);
	struct script ss, cs;
	struct task *sv = run(h, 2, aborter, &ss), *cl = run(h, 1, reset_victim, &cs);

	hosts_wait(h, cl);
	hosts_wait(h, sv);
	assert_int_equal(cs.rc[0], -ECONNREFUSED);
	assert_int_equal(cs.rc[1], 0);
	assert_int_equal(cs.rc[2], -ECONNRESET);
	assert_int_equal(cs.rc[3], -EPIPE);
	assert_int_equal(cs.rc[4], 1); /* SIGPIPE, and nothing else */
	assert_int_equal(cs.rc[5], 0);
	hosts_free(h);
}

/* ---- the path MTU, end to end (RFC 1191): ICMP of a real router ---- */
static void path_mtu_discovery(void **state)
{
	struct hosts *h = hosts_new(2);
	struct script ss, cs;
	struct task *sv, *cl;
	uint32_t longest = 0;

	hosts_must(h, 0, "ip link set dev p2 mtu 900");
	sv = run(h, 2, slow_server, &ss);
	cl = run(h, 1, big_client, &cs);
	hosts_wait(h, cl);
	hosts_wait(h, sv);
	assert_int_equal(ss.total, BIG);
	assert_int_equal(ss.sum, 0);
	for (size_t i = h->n_p / 2; i < h->n_p; i++)
		longest = h->p[i].proto == 6 && h->p[i].payload > longest ? h->p[i].payload : longest;
	assert_true(longest > 0);
	assert_int_equal(h->net[1]->mib.tcpext.TCPTimeouts, 0); /* it was told, it did not have to guess */
	assert_true(h->net[1]->mib.tcp.RetransSegs > 0);
	hosts_free(h);
}

/* ---- sock_diag ---- */
static void ss_shows_connections(void **state)
{
	struct hosts *h = hosts_new(2);
	struct script ss, cs;
	struct task *sv = run(h, 2, never_reads, &ss), *cl = run(h, 1, lingerer, &cs);
	struct strbuf out;

	hosts_sleep(h, SEC);
	sb_init(&out);
	assert_int_equal(hosts_cmd(h, 1, "ss -tani", &out), 0);
	assert_non_null(strstr(sb_str(&out), "10.0.2.2:9"));
	assert_non_null(strstr(sb_str(&out), "cubic"));
	assert_int_equal(hosts_cmd(h, 2, "ss -tan", &out), 0);
	assert_non_null(strstr(sb_str(&out), "LISTEN"));
	assert_non_null(strstr(sb_str(&out), "10.0.2.2:9"));
	sb_free(&out);
	hosts_wait(h, cl);
	hosts_wait(h, sv);
	hosts_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocking_calls),
		cmocka_unit_test(blocking_send_and_linger),
		cmocka_unit_test(linger_runs_out),
		cmocka_unit_test(errors_and_signals),
		cmocka_unit_test(path_mtu_discovery),
		cmocka_unit_test(ss_shows_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Netlink sockets: ports, questions, answers in datagrams of whole messages, and nobody who reads them. */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include "sock_fixture.h"

struct request {
	struct nlmsghdr h;
	struct rtgenmsg g;
	uint8_t pad[3];
};

static struct request dump_links(uint32_t seq)
{
	struct request r = { .h = { .nlmsg_len = sizeof(struct nlmsghdr) + sizeof(struct rtgenmsg), .nlmsg_type = RTM_GETLINK,
				    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_seq = seq } };

	return r;
}

static int ask_prog(struct task *t, void *arg)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK }, from;
	struct request r = dump_links(7);
	socklen_t len = sizeof(from);
	uint8_t *b = malloc(65536);
	bool link = false, done = false;
	int s = sys_socket(t, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), s2 = sys_socket(t, AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE);

	(void)arg;
	assert_int_equal(sys_bind(t, s, SA(&a), sizeof(a)), 0);
	assert_int_equal(sys_getsockname(t, s, SA(&from), &len), 0);
	assert_int_equal(from.nl_pid, t->pid); /* the first gets the process's number, */
	assert_int_equal(sys_bind(t, s2, SA(&a), sizeof(a)), 0);
	assert_int_equal(sys_getsockname(t, s2, SA(&from), &len), 0);
	assert_int_equal(from.nl_pid, (uint32_t)-4097); /* the next counts down from the top */
	assert_int_equal(sys_sendto(t, s, &r, r.h.nlmsg_len, 0, SA(&a), sizeof(a)), r.h.nlmsg_len);
	while (!done) {
		ssize_t n = sys_recvfrom(t, s, b, 65536, 0, SA(&from), &len);
		struct nlmsghdr *h = (void *)b;

		assert_true(n > 0);
		assert_int_equal(from.nl_pid, 0); /* from the kernel */
		for (; NLMSG_OK(h, (unsigned)n); h = NLMSG_NEXT(h, n)) {
			assert_int_equal(h->nlmsg_seq, 7);
			assert_int_equal(h->nlmsg_pid, t->pid);
			link |= h->nlmsg_type == RTM_NEWLINK;
			done |= h->nlmsg_type == NLMSG_DONE;
		}
		assert_int_equal(n, 0); /* whole messages */
	}
	assert_true(link);
	assert_int_equal(sys_recvfrom(t, s, b, 65536, MSG_DONTWAIT, NULL, NULL), -EAGAIN);
	/* the other heard nothing */
	assert_int_equal(sys_recvfrom(t, s2, b, 65536, MSG_DONTWAIT, NULL, NULL), -EAGAIN);
	close_all(t, (int[]){ s, s2 }, 2);
	free(b);
	return 0;
}

static void netlink_questions_and_answers(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, ask_prog);
	host_down(f);
}

static int error_prog(struct task *t, void *arg)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK }, b = a;
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		uint8_t more[200];
	} in;
	struct request r = dump_links(9);
	struct pollfd p = { .events = POLLIN };
	uint8_t peek[16];
	ssize_t n;
	int s = sys_socket(t, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), s2;

	(void)arg;
	p.fd = s;
	assert_int_equal(sys_socket(t, AF_NETLINK, SOCK_STREAM, NETLINK_ROUTE), -ESOCKTNOSUPPORT);
	assert_int_equal(sys_socket(t, AF_NETLINK, SOCK_RAW, 31), -EPROTONOSUPPORT);
	/* a request that is none */
	r.h.nlmsg_type = 999;
	r.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	assert_int_equal(sys_poll(t, &p, 1, 0), 0);
	assert_int_equal(sys_write(t, s, &r, r.h.nlmsg_len), r.h.nlmsg_len);
	assert_int_equal(sys_poll(t, &p, 1, 0), 1);
	n = sys_recvfrom(t, s, peek, sizeof(peek), MSG_PEEK | MSG_TRUNC, NULL, NULL); /* its real length */
	assert_int_equal(sys_recvfrom(t, s, &in, sizeof(in), 0, NULL, NULL), n);
	assert_int_equal(in.h.nlmsg_type, NLMSG_ERROR);
	assert_int_equal(in.e.error, -EOPNOTSUPP);
	assert_int_equal(in.e.msg.nlmsg_seq, 9);
	/* too short to hold a header: nothing happens */
	assert_int_equal(sys_write(t, s, &r, 3), 3);
	assert_int_equal(sys_poll(t, &p, 1, 0), 0);
	/* addresses */
	assert_int_equal(sys_bind(t, s, SA(&a), 4), -EINVAL);
	b.nl_family = AF_INET;
	assert_int_equal(sys_bind(t, s, SA(&b), sizeof(b)), -EINVAL);
	b = a;
	b.nl_pid = 12345;
	s2 = sys_socket(t, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	assert_int_equal(sys_bind(t, s2, SA(&b), sizeof(b)), 0);
	assert_int_equal(sys_bind(t, s2, SA(&b), sizeof(b)), 0); /* the same again */
	assert_int_equal(sys_bind(t, s, SA(&b), sizeof(b)), -EINVAL); /* it has a port since it spoke */
	assert_int_equal(sys_sendto(t, s, &r, r.h.nlmsg_len, 0, SA(&b), sizeof(b)), -ECONNREFUSED); /* nobody but the kernel answers */
	assert_int_equal(sys_connect(t, s, SA(&a), sizeof(a)), 0);
	assert_int_equal(sys_sendto(t, s, &r, r.h.nlmsg_len, MSG_OOB, NULL, 0), -EOPNOTSUPP);
	close_all(t, (int[]){ s, s2 }, 2);
	return 0;
}

static void sy_01_netlink_refusals(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, error_prog);
	host_down(f);
}

/* Who asks and never reads holds no memory without bound: then ENOBUFS, once. */
static int flood_prog(struct task *t, void *arg)
{
	struct request r = dump_links(1);
	uint8_t *b = malloc(65536);
	int s = sys_socket(t, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE), n = 0;

	(void)arg;
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(sys_write(t, s, &r, r.h.nlmsg_len), r.h.nlmsg_len);
	assert_int_equal(sys_read(t, s, b, 65536), -ENOBUFS);
	while (sys_read(t, s, b, 65536) > 0)
		n++;
	assert_true(n >= 64 && n < 200);
	assert_int_equal(sys_write(t, s, &r, r.h.nlmsg_len), r.h.nlmsg_len);
	assert_true(sys_read(t, s, b, 65536) > 0);
	free(b);
	return 0; /* some answers are left unread: they go with the socket */
}

static void netlink_answers_have_a_bound(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, flood_prog);
	host_down(f);
}

static int waiting_prog(struct task *t, void *arg)
{
	struct timeval tv = { .tv_sec = 2 };
	uint64_t then = t->net->now_ns;
	char b[8];
	int s = sys_socket(t, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	(void)arg;
	assert_int_equal(sys_setsockopt(t, s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	assert_int_equal(sys_read(t, s, b, 8), -EAGAIN);
	assert_int_equal(t->net->now_ns - then, 2 * NSEC_PER_SEC);
	sys_close(t, s);
	return 0;
}

static void netlink_waits_to_its_time(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, waiting_prog);
	host_down(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(netlink_questions_and_answers),
		cmocka_unit_test(sy_01_netlink_refusals),
		cmocka_unit_test(netlink_answers_have_a_bound),
		cmocka_unit_test(netlink_waits_to_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

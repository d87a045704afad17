/* One connection, nine thousand million octets: sequence numbers wrap twice, and every octet is where it was (TS-16). Slow. */
#include "test_hosts.h"
#include <netinet/in.h>
#include "tcp/tcp.h"

#define TOTAL 9000000000ull
#define CHUNK 65536u

/* What stands at octet 8 * i. */
static uint64_t word_at(uint64_t i) { return i * 0x9e3779b97f4a7c15ull; }

struct side {
	uint64_t n, wrong;
	uint32_t wraps, last;
};

static int sink(struct task *t, int argc, char **argv)
{
	struct side *s = t->owner_data;
	struct sockaddr_in a = app_sockaddr(0, 9);
	int fd = sys_socket(t, AF_INET, SOCK_STREAM, 0), c;
	uint64_t *buf = malloc(CHUNK);
	uint8_t *b = (uint8_t *)buf;
	size_t have = 0;
	ssize_t n;

	sys_bind(t, fd, (struct sockaddr *)&a, sizeof(a));
	sys_listen(t, fd, 1);
	c = sys_accept4(t, fd, NULL, NULL, 0);
	while ((n = sys_read(t, c, b + have, CHUNK - have)) > 0) {
		size_t k = 0;

		have += (size_t)n;
		for (; (k + 1) * 8 <= have; k++)
			s->wrong += buf[k] != word_at(s->n / 8 + k);
		s->n += k * 8;
		memmove(b, b + k * 8, have - k * 8);
		have -= k * 8;
	}
	s->wrong += have != 0 || n < 0;
	free(buf);
	sys_close(t, c);
	sys_close(t, fd);
	return 0;
}

static int source(struct task *t, int argc, char **argv)
{
	struct side *s = t->owner_data;
	struct sockaddr_in a = app_sockaddr(0x0a000202, 9);
	int fd = sys_socket(t, AF_INET, SOCK_STREAM, 0);
	uint64_t *buf = malloc(CHUNK);

	s->wrong += sys_connect(t, fd, (struct sockaddr *)&a, sizeof(a)) != 0;
	while (s->n < TOTAL && !s->wrong) {
		uint32_t pos = (uint32_t)s->n;
		size_t len = (size_t)min_u64(CHUNK, TOTAL - s->n);

		for (size_t k = 0; k < len / 8; k++)
			buf[k] = word_at(s->n / 8 + k);
		s->wraps += pos < s->last;
		s->last = pos;
		s->wrong += sys_write(t, fd, buf, len) != (ssize_t)len;
		s->n += len;
	}
	free(buf);
	sys_close(t, fd);
	return 0;
}

static void ts_16_two_wraps_of_one_connection(void **state)
{
	struct hosts *h = hosts_new(2);
	struct side from = { 0 }, to = { 0 };
	char *argv[] = { (char *)(uintptr_t) "prog", NULL };
	struct task *sv = task_spawn(h->net[2], "sink", sink, 1, argv, NULL), *cl = task_spawn(h->net[1], "source", source, 1, argv, NULL);

	sv->owner_data = &to;
	cl->owner_data = &from;
	h->kicked[1] = h->kicked[2] = true;
	h->no_capture = true;
	hosts_wait(h, cl);
	hosts_wait(h, sv);
	assert_int_equal(from.wrong, 0);
	assert_int_equal(to.wrong, 0);
	assert_int_equal(to.n, TOTAL);
	assert_int_equal(from.wraps, 2);
	assert_int_equal(h->net[1]->mib.tcp.RetransSegs, 0);
	hosts_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ts_16_two_wraps_of_one_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Every option number of a level, on a socket in a given state: what it says when asked with each length, and when set to each value with
 * each length, and what it says then. One line per option; options that say the same are one line. Called by syscheck.c.
 *
 * audit STATE LEVEL [FROM TO]: STATE is fresh, bound, listening, connecting, established, finished (the peer closed), reset, udp, udpconn,
 * raw or ping; a new socket for each option, for some change what others say. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "syscheck.h"

#define SAY(...) task_printf(s->t, __VA_ARGS__)
#define LAST_OPTION 200
#define LINE 4096

static const socklen_t lens[] = { 0, 1, 2, 3, 4, 8, 64, 256 };
static const int values[] = { -1, 0, 1, 2, 10, 100, 65535, 1 << 30 };
#define N_LENS (sizeof(lens) / sizeof(lens[0]))
#define N_VALUES (sizeof(values) / sizeof(values[0]))

struct text {
	char b[LINE];
	size_t n;
};

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->b + t->n, sizeof(t->b) - t->n, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->n = t->n + (size_t)n < sizeof(t->b) ? t->n + (size_t)n : sizeof(t->b) - 1;
}

/* ---- sockets in a state ---- */
struct fds {
	int fd, other, listener;
};

static int tcp_at(struct sc *s, bool listening, struct sockaddr_in *a)
{
	socklen_t len = sizeof(*a);
	int fd = sys_socket(s->t, AF_INET, SOCK_STREAM, 0);

	*a = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	sys_bind(s->t, fd, (void *)a, sizeof(*a));
	if (listening)
		sys_listen(s->t, fd, 5);
	sys_getsockname(s->t, fd, (void *)a, &len);
	return fd;
}

static void tcp_pair(struct sc *s, struct fds *f)
{
	struct sockaddr_in a;

	f->listener = tcp_at(s, true, &a);
	f->fd = sys_socket(s->t, AF_INET, SOCK_STREAM, 0);
	sys_connect(s->t, f->fd, (void *)&a, sizeof(a));
	f->other = sys_accept4(s->t, f->listener, NULL, NULL, 0);
}

static bool make(struct sc *s, const char *state, struct fds *f)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0x0a010042) }; /* nobody has it */
	struct linger now = { 1, 0 };

	*f = (struct fds){ -1, -1, -1 };
	if (!strcmp(state, "fresh") || !strcmp(state, "connecting"))
		f->fd = sys_socket(s->t, AF_INET, SOCK_STREAM | (state[0] == 'c' ? SOCK_NONBLOCK : 0), 0);
	if (!strcmp(state, "connecting"))
		sys_connect(s->t, f->fd, (void *)&a, sizeof(a));
	if (!strcmp(state, "bound") || !strcmp(state, "listening"))
		f->fd = tcp_at(s, state[0] == 'l', &a);
	if (!strncmp(state, "udp", 3))
		f->fd = sys_socket(s->t, AF_INET, SOCK_DGRAM, 0);
	if (!strcmp(state, "udpconn")) {
		a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		sys_connect(s->t, f->fd, (void *)&a, sizeof(a));
	}
	if (!strcmp(state, "raw"))
		f->fd = sys_socket(s->t, AF_INET, SOCK_RAW, 200);
	if (!strcmp(state, "ping"))
		f->fd = sys_socket(s->t, AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	if (!strcmp(state, "established") || !strcmp(state, "finished") || !strcmp(state, "reset")) {
		tcp_pair(s, f);
		if (state[0] == 'r')
			sys_setsockopt(s->t, f->other, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		if (state[0] != 'e') {
			sys_close(s->t, f->other);
			f->other = -1;
			sys_nanosleep(s->t, 2000000);
		}
	}
	return f->fd >= 0;
}

static void unmake(struct sc *s, struct fds *f)
{
	struct linger now = { 1, 0 };

	sys_setsockopt(s->t, f->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	sys_close(s->t, f->fd);
	if (f->other >= 0)
		sys_close(s->t, f->other);
	if (f->listener >= 0)
		sys_close(s->t, f->listener);
}

/* ---- one option ---- */
/* Values that are somebody's own: a clock, an identity, counters. Only their length is told. */
static bool own_value(int level, int name)
{
	static const struct {
		int level, name;
	} t[] = { { SOL_SOCKET, 17 }, { SOL_SOCKET, 49 }, { SOL_SOCKET, 55 }, { SOL_SOCKET, 56 }, { SOL_SOCKET, 57 }, { SOL_SOCKET, 71 },
		  { SOL_SOCKET, 28 }, { SOL_SOCKET, 77 }, { IPPROTO_TCP, 11 }, { IPPROTO_TCP, 24 }, { IPPROTO_TCP, 26 }, { IPPROTO_TCP, 21 }, { IPPROTO_IP, 52 } };

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (t[i].level == level && t[i].name == name)
			return true;
	return false;
}

static void get_one(struct sc *s, int fd, int level, int name, socklen_t room, struct text *out)
{
	uint8_t b[256] = { 0 };
	socklen_t len = room, n;
	int r = sys_getsockopt(s->t, fd, level, name, b, &len);

	if (r < 0) {
		add(out, "%s", sc_errno(r));
		return;
	}
	if (level == SOL_SOCKET && name == SO_ERROR && len == 4 && b[0]) {
		add(out, "%s", sc_errno(-(long)b[0]));
		return;
	}
	if (own_value(level, name)) {
		add(out, "[%u]", len);
		return;
	}
	if (len == 4) {
		int v;

		memcpy(&v, b, 4);
		add(out, "%d", v);
		return;
	}
	for (n = len < 24 ? len : 24; n && !b[n - 1]; n--)
		;
	add(out, "[%u]", len);
	for (socklen_t i = 0; i < n; i++)
		add(out, "%02x", b[i]);
}

/* "LEN,LEN: what; LEN: what", lengths that say the same together. */
static void join(struct text *out, struct text each[N_LENS])
{
	bool done[N_LENS] = { false };

	for (size_t i = 0; i < N_LENS; i++) {
		if (done[i])
			continue;
		add(out, "%s%u", i ? "; " : "", lens[i]);
		for (size_t k = i + 1; k < N_LENS; k++)
			if (!strcmp(each[i].b, each[k].b)) {
				add(out, ",%u", lens[k]);
				done[k] = true;
			}
		add(out, ": %s", each[i].b);
	}
}

static void audit_get(struct sc *s, const char *state, int level, int name, struct text *out)
{
	struct text *each = calloc(N_LENS, sizeof(*each));
	struct fds f;

	if (make(s, state, &f)) {
		for (size_t i = 0; i < N_LENS; i++)
			get_one(s, f.fd, level, name, lens[i], &each[i]);
		unmake(s, &f);
	}
	add(out, "get ");
	join(out, each);
	free(each);
}

static void audit_set(struct sc *s, const char *state, int level, int name, struct text *out)
{
	struct text *each = calloc(N_LENS, sizeof(*each));

	for (size_t i = 0; i < N_LENS; i++) {
		bool same = true;
		long first = 0;
		struct fds f;

		if (!make(s, state, &f))
			continue;
		for (size_t k = 0; k < N_VALUES; k++) {
			uint8_t b[256] = { 0 };
			long r;

			memcpy(b, &values[k], 4);
			r = sys_setsockopt(s->t, f.fd, level, name, b, lens[i]);
			if (!k)
				first = r;
			same = same && r < 0 && r == first;
			add(&each[i], "%s%s", k ? " " : "", r < 0 ? sc_errno(r) : "");
			if (r >= 0)
				get_one(s, f.fd, level, name, 4, &each[i]);
		}
		unmake(s, &f);
		if (same) {
			each[i].n = 0;
			add(&each[i], "%s", sc_errno(first));
		}
	}
	add(out, " | set ");
	join(out, each);
	free(each);
}

void sc_audit(struct sc *s)
{
	const char *state = s->argc > 1 ? s->argv[1] : "";
	int level = s->argc > 2 ? atoi(s->argv[2]) : 0, from = s->argc > 3 ? atoi(s->argv[3]) : 0, to = s->argc > 4 ? atoi(s->argv[4]) : LAST_OPTION;
	struct text *now = calloc(1, sizeof(*now)), *last = calloc(1, sizeof(*last));
	int first = from;

	for (int name = from; name <= to + 1; name++) {
		now->n = 0;
		now->b[0] = '\0';
		if (name <= to) {
			audit_get(s, state, level, name, now);
			audit_set(s, state, level, name, now);
		}
		if (name == from || strcmp(now->b, last->b) != 0) {
			if (name > from && first == name - 1)
				SAY("\n  %d: %s", first, last->b);
			else if (name > from)
				SAY("\n  %d-%d: %s", first, name - 1, last->b);
			first = name;
		}
		memcpy(last, now, sizeof(*last));
	}
	free(now);
	free(last);
}

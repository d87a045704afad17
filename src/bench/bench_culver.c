/* The four works of the table on culver itself. Both ends live on one thread and use the socket calls
 * with tasks that never sleep (embedded use); the packets take the whole road: FIB, hooks, neighbour, qdisc,
 * driver, softirq. Called by bench.c. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include "bench/bench.h"
#include "bench/bench_world.h"
#include "culver/host.h"
#include "drivers/drivers.h"
#include "ipv4/ip.h"
#include "os/os_proc.h"
#include "socket/syscall.h"

#define BULK_WRITE (128u * 1024u)
#define MSG 64u

static void no_kick(void *arg, struct net *net) { (void)arg, (void)net; }

static struct net *make_host(struct bench_world *w, const char *name, uint32_t id)
{
	struct net_params p = { .name = name, .id = id, .seed = 1, .now_ns = w->now_ns,
				.owner = { .kick = no_kick }, .serials = &w->serials, .skbs = w->skbs };
	return host_new(&p);
}

static int write_file(struct task *t, const char *path, const char *text)
{
	int fd = sys_open(t, path, O_WRONLY);
	ssize_t n = fd < 0 ? fd : sys_write(t, fd, text, strlen(text));

	if (fd >= 0)
		sys_close(t, fd);
	return n < 0 ? (int)n : 0;
}

int bench_world_init(struct bench_world *w, enum bench_road road)
{
	static const uint8_t mac[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };

	memset(w, 0, sizeof(*w));
	w->now_ns = w->virt0 = NSEC_PER_SEC;
	w->wall0 = os_wall_ns();
	w->skbs = skb_pool_new(1ULL << 30);
	w->net[0] = w->net[1] = make_host(w, "a", 1);
	w->ip[0] = w->ip[1] = INADDR_LOOPBACK;
	if (road == BENCH_VETH) {
		w->net[1] = make_host(w, "b", 2);
		if (!w->net[0] || !w->net[1] || veth_create(w->net[0], "eth0", mac[0], w->net[1], "eth0", mac[1]))
			return -ENOMEM;
		for (unsigned i = 0; i < 2; i++) {
			struct net_device *dev = dev_get_by_name(w->net[i], "eth0");
			w->ip[i] = 0x0a090001u + i;
			dev->features = 0; /* like for like: no trains, checksums made and verified */
			dev_open(dev);
			inet_add_addr(w->net[i], dev, w->ip[i], 24, 0x0a0900ffu, 0);
		}
	}
	for (unsigned i = 0; i < 2; i++)
		w->t[i] = task_new_external(w->net[i], "bench", NULL);
	if (!w->t[0] || !w->t[1])
		return -ENOMEM;
	return road == BENCH_MAP ? write_file(w->t[0], "/proc/sys/net/culver/sockmap", "1\n") : 0;
}

void bench_world_free(struct bench_world *w)
{
	if (w->net[1] && w->net[1] != w->net[0])
		host_free(w->net[1]);
	if (w->net[0])
		host_free(w->net[0]);
	skb_pool_free(w->skbs);
}

/* Let both hosts do what is pending. */
static inline void spin(struct bench_world *w)
{
	net_run(w->net[0]);
	if (w->net[1] != w->net[0]) {
		net_run(w->net[1]);
		if (w->net[0]->kicked)
			net_run(w->net[0]);
	}
}

static void tick(struct bench_world *w)
{
	w->now_ns = w->slow ? w->now_ns + NSEC_PER_USEC : w->virt0 + (os_wall_ns() - w->wall0);
	net_enter(w->net[0], w->now_ns);
	net_enter(w->net[1], w->now_ns);
	spin(w);
}

static struct sockaddr_in addr_of(uint32_t ip, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ip) };
	return a;
}

int bench_listen(struct bench_world *w, uint16_t port)
{
	struct sockaddr_in a = addr_of(w->ip[1], port);
	int fd = sys_socket(w->t[1], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int err = fd < 0 ? fd : sys_bind(w->t[1], fd, (struct sockaddr *)&a, sizeof(a));

	if (!err)
		err = sys_listen(w->t[1], fd, 128);
	return err ? err : fd;
}

int bench_dial_only(struct bench_world *w, uint16_t port)
{
	struct sockaddr_in a = addr_of(w->ip[1], port);
	int fd = sys_socket(w->t[0], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), err;

	if (fd < 0)
		return fd;
	err = sys_connect(w->t[0], fd, (struct sockaddr *)&a, sizeof(a));
	if (err && err != -EINPROGRESS)
		return err;
	spin(w);
	return fd;
}

int bench_dial(struct bench_world *w, int lfd, uint16_t port, int fd[2])
{
	int one = 1;

	fd[0] = bench_dial_only(w, port);
	if (fd[0] < 0)
		return fd[0];
	for (int i = 0; i < 1000; i++) {
		fd[1] = sys_accept4(w->t[1], lfd, NULL, NULL, SOCK_NONBLOCK);
		if (fd[1] != -EAGAIN)
			break;
		tick(w);
	}
	if (fd[1] < 0)
		return fd[1];
	sys_setsockopt(w->t[0], fd[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	sys_setsockopt(w->t[1], fd[1], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return 0;
}

static int move(struct bench_world *w, unsigned from, int sfd, int rfd)
{
	char buf[MSG] = { 0 };
	size_t got = 0;
	ssize_t n = sys_sendto(w->t[from], sfd, buf, MSG, 0, NULL, 0);

	if (n != (ssize_t)MSG)
		return n < 0 ? (int)n : -EIO;
	for (int i = 0; got < MSG && i < 1000; i++) {
		spin(w);
		n = sys_recvfrom(w->t[!from], rfd, buf, MSG - got, 0, NULL, NULL);
		if (n > 0)
			got += (size_t)n;
		else if (n != -EAGAIN)
			return n ? (int)n : -ECONNRESET;
	}
	return got == MSG ? 0 : -ETIMEDOUT;
}

static int do_bulk(struct bench_world *w, uint64_t ns, struct bench_result *r)
{
	char *buf = xcalloc(1, BULK_WRITE), *in = xcalloc(1, BULK_WRITE);
	int fd[2], err = bench_listen(w, 7);
	uint64_t t0, t;

	err = err < 0 ? err : bench_dial(w, err, 7, fd);
	for (t0 = t = os_cpu_ns(); !err && t - t0 < ns; t = os_cpu_ns()) {
		for (int i = 0; i < 16 && !err; i++) {
			ssize_t n = sys_sendto(w->t[0], fd[0], buf, BULK_WRITE, 0, NULL, 0);
			if (n < 0 && n != -EAGAIN)
				err = (int)n;
			spin(w);
			while ((n = sys_recvfrom(w->t[1], fd[1], in, BULK_WRITE, 0, NULL, NULL)) > 0) {
				r->bytes += (uint64_t)n;
				spin(w);
			}
		}
		tick(w);
	}
	r->cpu_ns = t - t0;
	r->ops = r->bytes / BULK_WRITE;
	free(buf);
	free(in);
	return err;
}

static int do_rr(struct bench_world *w, uint64_t ns, struct bench_result *r)
{
	int fd[2], err = bench_listen(w, 7);
	uint64_t t0, t;

	err = err < 0 ? err : bench_dial(w, err, 7, fd);
	for (t0 = t = os_cpu_ns(); !err && t - t0 < ns; t = os_cpu_ns()) {
		for (int i = 0; i < 256 && !err; i++, r->ops++) {
			err = move(w, 0, fd[0], fd[1]);
			if (!err)
				err = move(w, 1, fd[1], fd[0]);
		}
		tick(w);
	}
	r->cpu_ns = t - t0;
	r->bytes = r->ops * 2 * MSG;
	return err;
}

/* Room for all of them: Linux's default would drop what exceeds 262144. */
static int tw_room(struct task *t)
{
	return write_file(t, "/proc/sys/net/ipv4/tcp_max_tw_buckets", "4000000\n");
}

int bench_crr_listen(struct bench_world *w, int lfd[BENCH_CRR_PORTS])
{
	int err = tw_room(w->t[0]);

	for (uint16_t i = 0; !err && i < BENCH_CRR_PORTS; i++) {
		lfd[i] = bench_listen(w, (uint16_t)(BENCH_PORT + i));
		err = lfd[i] < 0 ? lfd[i] : 0;
	}
	return err;
}

int bench_crr_some(struct bench_world *w, const int *lfd, uint64_t first, uint32_t n)
{
	int fd[2], err = 0;

	for (uint64_t k = first; k < first + n && !err; k++) {
		uint32_t at = (uint32_t)(k % BENCH_CRR_PORTS);

		err = bench_dial(w, lfd[at], (uint16_t)(BENCH_PORT + at), fd);
		if (!err)
			err = move(w, 0, fd[0], fd[1]);
		if (!err)
			err = move(w, 1, fd[1], fd[0]);
		if (!err) {
			sys_close(w->t[0], fd[0]);
			spin(w);
			sys_close(w->t[1], fd[1]);
			spin(w);
		}
	}
	tick(w);
	return err;
}

static int do_crr(struct bench_world *w, uint64_t ns, struct bench_result *r)
{
	int lfd[BENCH_CRR_PORTS], err = bench_crr_listen(w, lfd);
	uint64_t t0, t;

	for (t0 = t = os_cpu_ns(); !err && t - t0 < ns; t = os_cpu_ns(), r->ops += 16)
		err = bench_crr_some(w, lfd, r->ops, 16);
	r->cpu_ns = t - t0;
	r->bytes = r->ops * 2 * MSG;
	return err;
}

static int do_udp(struct bench_world *w, uint64_t ns, struct bench_result *r)
{
	struct sockaddr_in a = addr_of(w->ip[1], 9);
	int s = sys_socket(w->t[0], AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int d = sys_socket(w->t[1], AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int err = s < 0 ? s : d < 0 ? d : sys_bind(w->t[1], d, (struct sockaddr *)&a, sizeof(a));
	char buf[MSG] = { 0 };
	uint64_t t0, t;

	if (!err)
		err = sys_connect(w->t[0], s, (struct sockaddr *)&a, sizeof(a));
	for (t0 = t = os_cpu_ns(); !err && t - t0 < ns; t = os_cpu_ns()) {
		for (int i = 0; i < 16; i++) {
			for (int k = 0; k < 32; k++)
				sys_sendto(w->t[0], s, buf, MSG, 0, NULL, 0);
			spin(w);
			while (sys_recvfrom(w->t[1], d, buf, MSG, 0, NULL, NULL) == (ssize_t)MSG)
				r->ops++;
		}
		tick(w);
	}
	r->cpu_ns = t - t0;
	r->bytes = r->ops * MSG;
	return err;
}

int bench_culver(enum bench_road road, const char *work, uint64_t ns, struct bench_result *out)
{
	static const struct {
		const char *name;
		int (*fn)(struct bench_world *, uint64_t, struct bench_result *);
	} works[] = { { "tcp-bulk", do_bulk }, { "tcp-rr", do_rr }, { "tcp-crr", do_crr }, { "udp-64", do_udp } };
	struct bench_world w;
	int err = bench_world_init(&w, road);

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; !err && i < ARRAY_SIZE(works); i++)
		if (!strcmp(work, works[i].name))
			err = works[i].fn(&w, ns, out);
	bench_world_free(&w);
	return err;
}

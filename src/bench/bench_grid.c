/* TCP beside Linux's TCP under loss: transfers over one culver cable with a rate limiter, a queue, delay, loss and
 * reordering, in real time, on several roads at once so that what disturbs one disturbs all:
 *
 *     Linux  ---- cable ---- Linux       the measure
 *     culver ---- cable ---- Linux       culver sends
 *     Linux  ---- cable ---- culver      culver receives
 *
 * Or two senders, each of either kind, over one cable (bench_grid_fair.c). A Linux end is a program in a network namespace of its own whose TAP is plugged into the cable (os_ns). Every octet is
 * checked by the receiver; time, repeated segments and silences are read from the frames on the cable, alike for all.
 * Nothing waits for ever: a road on which nothing is acknowledged for a minute ends the run, and programs die with this one.
 * Called by bench_grid_table.c. */
#include "wire/tcp_hdr.h" /* before <netinet/tcp.h> */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "app/app_util.h"
#include "base/strbuf.h"
#include "bench/bench.h"
#include "bench/bench_grid.h"
#include "bench/peers/grid_pattern.h"
#include "lab/guest.h"
#include "lab/live.h"
#include "os/os_file.h"
#include "os/os_live.h"
#include "os/os_proc.h"
#include "socket/syscall.h"
#include "tcp/tcp_auth.h"
#include "wire/ethernet.h"
#include "wire/ip4.h"

#define NET_A(road) (0x0a090001u + ((uint32_t)(road) << 8)) /* the sender; the receiver has the next address */
#define PEER "culver-peer-grid"
#define QUEUE_MIN 131072u

/* ---- what the cable shows of one connection ---- */
static void watch_data(struct grid_road *r, uint32_t seq, uint32_t len, uint8_t flags, uint64_t now)
{
	if (flags & TCP_SYN) {
		if (!r->start_ns || r->isn != seq + 1) /* the first, or the first after a refusal */
			r->start_ns = r->progress_ns = now;
		r->isn = seq + 1;
		r->snd_max = r->una = seq + 1;
		return;
	}
	if (!len && !(flags & TCP_FIN))
		return;
	if (len && (int32_t)(seq + len - r->snd_max) <= 0)
		r->repeated++;
	if ((int32_t)(seq + len - r->snd_max) > 0)
		r->snd_max = seq + len;
	if (flags & TCP_FIN) {
		r->has_fin = true;
		r->fin_seq = seq + len;
	}
	r->segments += len != 0;
}

static void watch_ack(const struct grid_bench *b, struct grid_road *r, uint32_t ack, uint64_t now)
{
	if (!r->start_ns || (int32_t)(ack - r->una) <= 0)
		return;
	if (now - r->start_ns > b->late_ns && now - r->start_ns < b->for_ns)
		r->late_octets += ack - r->una;
	if (now - r->progress_ns > r->silence_ns)
		r->silence_ns = now - r->progress_ns;
	r->una = ack;
	r->progress_ns = now;
}

void grid_watch(void *arg, const struct hw_port *from, const struct hw_frame *f, uint64_t t_ns, const char *fate)
{
	struct grid_bench *b = arg;
	const uint8_t *ip = f->data + ETH_PREAMBLE_LEN + ETH_HLEN, *tcp;
	uint32_t src, road, len, ihl;

	if (f->len < ETH_PREAMBLE_LEN + ETH_HLEN + IP4_HLEN + TCP_HLEN + ETH_FCS_LEN || get_be16(ip - 2) != ETH_P_IP || ip[9] != IPPROTO_TCP)
		return;
	src = get_be32(ip + 12);
	road = ((src >> 8) & 0xff);
	ihl = (ip[0] & 15u) * 4;
	tcp = ip + ihl;
	if (road >= b->n_roads || get_be16(ip + 2) < ihl + TCP_HLEN)
		return;
	len = get_be16(ip + 2) - ihl - (tcp[12] >> 4) * 4u;
	if ((src & 0xff) == 1 && from->node[0] == 'a') {
		watch_data(&b->road[road], get_be32(tcp + 4), len, tcp[13], t_ns);
		if (!strncmp(fate, "lost (q", 7))
			b->road[road].queue_drops++;
		else if (fate[0] == 'l')
			b->road[road].lost++;
	} else if ((src & 0xff) == 2 && from->node[0] == 's' && fate[0] != 'l') {
		watch_ack(b, &b->road[road], get_be32(tcp + 8), t_ns);
	}
}

/* ---- culver's ends ---- */
static int sign(struct task *t, int fd, const char *key)
{
	struct tcp_md5_arg m = { .flags = TCP_OPT_MD5_FLAG_PREFIX }; /* of length 0: whoever it is */
	struct sockaddr_in any = { .sin_family = AF_INET };

	if (!key)
		return 0;
	memcpy(m.addr, &any, sizeof(any));
	m.keylen = (uint16_t)min_sz(strlen(key), sizeof(m.key));
	memcpy(m.key, key, m.keylen);
	return sys_setsockopt(t, fd, IPPROTO_TCP, TCP_MD5SIG_EXT, &m, sizeof(m));
}

static int culver_sender(struct task *t, int argc, char **argv)
{
	struct grid_end *e = t->owner_data;
	struct sockaddr_in a = app_sockaddr(e->peer, GRID_PORT);
	uint64_t at = 0, end;
	int fd, err;
	char b;

	sys_nanosleep(t, e->wait_ns);
	e->code = 3;
	for (uint32_t tries = 0;; tries++) { /* the machine is busy: the receiver may not be there yet */
		fd = sys_socket(t, AF_INET, SOCK_STREAM, 0);
		if (sys_setsockopt(t, fd, IPPROTO_TCP, TCP_CONGESTION, e->cc, (socklen_t)strlen(e->cc)) || sign(t, fd, e->b->md5))
			return 3;
		err = sys_connect(t, fd, (struct sockaddr *)&a, sizeof(a));
		if (!err)
			break;
		sys_close(t, fd);
		if (err != -ECONNREFUSED || tries == GRID_TRIES)
			return 3;
		sys_nanosleep(t, GRID_TRY_MS * NSEC_PER_MSEC);
	}
	for (end = sys_clock_ns(t) + e->b->for_ns; sys_clock_ns(t) < end;) {
		ssize_t n = sys_write(t, fd, e->b->pattern + at % GRID_PATTERN, grid_piece(at));

		if (n < 0)
			return 3;
		at += (uint64_t)n;
	}
	sys_shutdown(t, fd, SHUT_WR);
	e->code = sys_read(t, fd, &b, 1) ? 3 : 0;
	sys_close(t, fd);
	return e->code;
}

static int culver_receiver(struct task *t, int argc, char **argv)
{
	struct grid_end *e = t->owner_data;
	struct sockaddr_in a = app_sockaddr(0, GRID_PORT);
	int fd = sys_socket(t, AF_INET, SOCK_STREAM, 0), c;
	uint8_t *buf = malloc(GRID_CHUNK);
	uint64_t at = 0;
	ssize_t n;

	e->code = 3;
	sys_setsockopt(t, fd, IPPROTO_TCP, TCP_CONGESTION, e->cc, (socklen_t)strlen(e->cc));
	if (!sign(t, fd, e->b->md5) && !sys_bind(t, fd, (struct sockaddr *)&a, sizeof(a)) && !sys_listen(t, fd, 1)) {
		c = sys_accept4(t, fd, NULL, NULL, 0);
		e->code = 0;
		while ((n = sys_read(t, c, buf, grid_piece(at))) > 0) {
			if (memcmp(buf, e->b->pattern + at % GRID_PATTERN, (size_t)n))
				e->code = 4;
			at += (uint64_t)n;
		}
		if (n)
			e->code = 3;
		sys_close(t, c);
	}
	free(buf);
	sys_close(t, fd);
	return e->code;
}

/* ---- Linux's ends ---- */
static int find_peer(char *path, size_t room)
{
	static const char *const at[] = { "", "/../..", "/../libexec/culver" };
	struct os_stat st;
	struct os_dir *d;
	char dir[4096], place[4200];
	bool found = false;

	if (os_self_dir(dir, sizeof(dir)))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(at) && !found; i++) {
		snprintf(place, sizeof(place), "%s%s", dir, at[i]);
		if (os_dir_open(place, &d))
			continue;
		found = !os_dir_stat(d, PEER, &st);
		os_dir_close(d);
		snprintf(path, room, "%s/" PEER, place);
	}
	return found ? 0 : -1;
}

static int linux_start(struct grid_end *e, struct lab_node *n, bool sends)
{
	struct os_ns_params *p = xcalloc(1, sizeof(*p));
	char path[4300], ip[16], ms[24], err[OS_NS_ERR] = "";
	char *send_argv[] = { path, (char *)(uintptr_t) "send", ip, ms, (char *)(uintptr_t)e->cc, (char *)(uintptr_t)e->b->md5, NULL };
	char *recv_argv[] = { path, (char *)(uintptr_t) "recv", (char *)(uintptr_t)e->cc, (char *)(uintptr_t)e->b->md5, NULL };
	struct strbuf resolv;
	int rc = -1;

	sb_init(&resolv);
	snprintf(ip, sizeof(ip), "%u.%u.%u.%u", e->peer >> 24, e->peer >> 16 & 255, e->peer >> 8 & 255, e->peer & 255);
	snprintf(ms, sizeof(ms), "%llu", (unsigned long long)(e->b->for_ns / NSEC_PER_MSEC));
	if (find_peer(path, sizeof(path)))
		snprintf(err, sizeof(err), "%s is not there (it is built beside culver)", PEER);
	else if (!lab_guest_describe(n, p, &resolv, err)) {
		p->argv = sends ? send_argv : recv_argv;
		p->resolv_conf = NULL;
		if (!os_ns_start(p, &e->child, err)) {
			e->is_linux = true;
			rc = lab_guest_plug(n, p, &e->child);
		}
	}
	if (rc)
		fprintf(stderr, "culver bench: tcp-grid: %s\n", err[0] ? err : "a TAP could not be plugged in");
	sb_free(&resolv);
	free(p);
	return rc;
}

/* ---- the world ---- */
/* Which frames are lost, and which come early, is drawn from the seed alone: the same numbers on each road, or luck would
 * be compared. */
static uint32_t *draw_losses(const struct grid_bench *b, const struct grid_road *r, uint32_t side, uint32_t *n)
{
	uint64_t frames = r->tc.rate_bps / 8 / 1000 * (b->for_ns / NSEC_PER_SEC + 2) + 1000;
	uint32_t *d = xcalloc(GRID_DROPS, sizeof(*d));
	struct rng g;

	*n = 0;
	rng_derive(&g, r->seed, side ? "b" : "a", "tcp-grid");
	for (uint64_t i = 8; i < frames && *n < GRID_DROPS; i++) /* ARP and handshake pass */
		if (rng_chance(&g, r->loss_ppm))
			d[(*n)++] = (uint32_t)i;
	return d;
}

static struct topo_link *add_link(struct topo *t, uint32_t a, const char *ifa, uint32_t b, const char *ifb)
{
	struct topo_link *l = topo_add_link(t);

	l->line_rate_bps = 10000000000ull;
	topo_set_end(&l->end[0], a, ifa);
	topo_set_end(&l->end[1], b, ifb);
	return l;
}

static void impair(struct topo_link *l, const struct grid_bench *b, const struct grid_road *r)
{
	for (uint32_t i = 0; i < 2; i++) {
		l->end[i].has_tc = true;
		topo_tc_copy(&l->end[i].tc, &r->tc);
		l->end[i].tc.drop = draw_losses(b, r, i, &l->end[i].tc.n_drop);
		l->end[i].tc.reorder_seed = 2 * r->seed + i + 1;
	}
}

static struct topo_link *add_end(struct topo *t, const struct grid_bench *b, const char *name, uint32_t sw, uint32_t ip)
{
	uint32_t node = topo_add_node(t, name, TOPO_LINUX);
	struct topo_link *l = add_link(t, node, "eth1", sw, name);
	struct topo_node *n = &t->node[node];
	struct topo_at at = { 0, 0 };

	n->nic.rx_ring = n->nic.tx_ring = 1024;
	if (b->rmem[0])
		topo_pairs_set(&n->sysctls, "net.ipv4.tcp_rmem", b->rmem, at);
	if (b->wmem[0])
		topo_pairs_set(&n->sysctls, "net.ipv4.tcp_wmem", b->wmem, at);
	l->end[0].has_ip = true;
	l->end[0].ip = ip;
	l->end[0].plen = 24;
	return l;
}

static bool is_shared(const struct grid_bench *b, uint32_t road)
{
	return b->road[road].shares || (road + 1 < b->n_roads && b->road[road + 1].shares);
}

/*     a ---- impaired cable ---- s ---- clean cable ---- b          a cable takes one TAP only
 * or  a, a ---- clean ---- s ---- impaired ---- q ---- clean ---- b, b */
static void add_road(struct topo *t, const struct grid_bench *b, uint32_t road)
{
	const struct grid_road *r = &b->road[road];
	uint32_t s, q;
	struct topo_link *l;
	char name[16];

	snprintf(name, sizeof(name), "s%u", r->shares ? road - 1 : road);
	s = r->shares ? topo_find(t, name) : topo_add_node(t, name, TOPO_BRIDGE);
	q = s;
	if (is_shared(b, road)) {
		snprintf(name, sizeof(name), "q%u", r->shares ? road - 1 : road);
		q = r->shares ? topo_find(t, name) : topo_add_node(t, name, TOPO_BRIDGE);
		if (!r->shares)
			impair(add_link(t, s, "far", q, "near"), b, r);
	}
	snprintf(name, sizeof(name), "a%u", road);
	l = add_end(t, b, name, s, NET_A(road));
	if (q == s)
		impair(l, b, r);
	snprintf(name, sizeof(name), "b%u", road);
	add_end(t, b, name, q, NET_A(road) + 1);
}

/* ---- a run ---- */
static void give_up(struct grid_end *e)
{
	if (e->is_linux)
		os_ns_kill(&e->child, 9);
	e->over = true;
	e->code = 5;
}

/* Asked after every turn. Stand-still is looked for here too: what nothing acknowledges is told by nobody else. A road on which
 * nothing moves for a minute, or for ten seconds after one of its ends has failed, is given up; the others go on. */
static bool all_over(void *arg)
{
	struct grid_bench *b = arg;
	uint64_t now = b->lab->q.now_ns;
	bool over = true;

	for (uint32_t i = 0; i < 2 * b->n_roads; i++) {
		struct grid_end *e = &b->end[i];
		struct grid_road *r = &b->road[i / 2];

		if (!e->over && e->is_linux)
			e->over = os_ns_exited(&e->child, &e->code);
		else if (!e->over)
			e->over = e->t->state == TASK_ZOMBIE;
		if (!e->over && now - r->progress_ns >= GRID_STALL_NS) {
			const struct grid_end *other = &b->end[i ^ 1];

			r->silence_ns = max_u64(r->silence_ns, now - r->progress_ns);
			if (now - r->progress_ns >= GRID_GIVE_UP_NS || (other->over && other->code))
				give_up(e);
		}
		over = over && e->over;
	}
	return over;
}

static int start_ends(struct grid_bench *b)
{
	for (uint32_t i = 0; i < 2 * b->n_roads; i++) {
		uint32_t road = i / 2;
		bool sends = !(i & 1), is_linux = b->road[road].kind[i & 1] == GRID_LINUX;
		struct grid_end *e = &b->end[i];
		char name[16];
		struct lab_node *n;

		snprintf(name, sizeof(name), "%c%u", sends ? 'a' : 'b', road);
		n = lab_find(b->lab, name);
		*e = (struct grid_end){ .b = b, .peer = NET_A(road) + sends, .cc = b->road[road].cc, .wait_ns = 300 * NSEC_PER_MSEC };
		if (is_linux && linux_start(e, n, sends))
			return -1;
		if (!is_linux)
			e->t = lab_spawn_main(n, sends ? "send" : "recv", sends ? culver_sender : culver_receiver, e);
	}
	return 0;
}

/* Receivers first, senders a little later; until all have ended, or far too late. */
static void run_ends(struct grid_bench *b)
{
	for (uint32_t sends = 0; sends < 2; sends++) {
		for (uint32_t i = 0; i < 2 * b->n_roads; i++)
			if (b->end[i].is_linux && (i & 1) == !sends)
				os_ns_go(&b->end[i].child);
		if (!sends)
			lab_live_run(b->lab, NULL, 0, NULL, NULL, 300 * NSEC_PER_MSEC);
	}
	for (uint32_t i = 0; i < b->n_roads; i++) /* who never begins has made no progress since now */
		b->road[i].progress_ns = max_u64(b->road[i].progress_ns, b->lab->q.now_ns);
	lab_live_run(b->lab, NULL, 0, all_over, b, b->for_ns + 120 * NSEC_PER_SEC);
}

static void end_ends(struct grid_bench *b)
{
	for (uint32_t i = 0; i < 2 * b->n_roads; i++) {
		struct grid_end *e = &b->end[i];

		if (!e->over && e->is_linux)
			os_ns_kill(&e->child, 9);
		if (e->is_linux)
			os_ns_close(&e->child);
		else if (e->t && e->t->state == TASK_ZOMBIE)
			task_free(e->t);
		if (!e->over && !e->code)
			e->code = 5;
	}
	for (uint32_t i = 0; i < b->n_roads; i++)
		b->road[i].stalled = b->road[i].silence_ns >= GRID_STALL_NS;
}

bool grid_road_failed(const struct grid_bench *b, uint32_t road)
{
	return b->end[2 * road].code || b->end[2 * road + 1].code || b->road[road].stalled;
}

static void forget_what_was_seen(struct grid_road *r)
{
	*r = (struct grid_road){ .tc = r->tc, .loss_ppm = r->loss_ppm, .seed = r->seed, .cc = r->cc, .kind = { r->kind[0], r->kind[1] }, .shares = r->shares };
}

int grid_run_roads(struct grid_bench *b, uint64_t seed)
{
	struct lab_opts opts = { .seed = seed, .has_seed = true, .realtime = true, .wire = grid_watch, .wire_arg = b };
	struct lab_source src;
	enum lab_err err;
	struct yerr e;
	int rc = 3;

	memset(&src, 0, sizeof(src));
	memset(b->end, 0, sizeof(b->end));
	topo_init(&src.topo, "tcp-grid");
	src.base = xstrdup(".");
	for (uint32_t i = 0; i < b->n_roads; i++) {
		forget_what_was_seen(&b->road[i]);
		add_road(&src.topo, b, i);
	}
	if (topo_check(&src.topo, &e) || !(b->lab = lab_new(&src, &opts, &err, &e))) {
		fprintf(stderr, "culver bench: %s\n", e.text);
	} else {
		if (!start_ends(b)) {
			run_ends(b);
			rc = 0;
		}
		end_ends(b);
		for (uint32_t i = 0; i < b->lab->n_links; i++)
			lab_detach(&b->lab->link[i]);
		lab_free(b->lab);
		b->lab = NULL;
	}
	lab_source_close(&src);
	return rc;
}

/* ---- what is asked ---- */
/* culver's buffers are to be as large as the kernel's. */
static void read_limit(const char *path, char *out, size_t room)
{
	char *text = NULL;
	size_t len;

	out[0] = '\0';
	if (!os_read_file(path, 4096, &text, &len) && len && len < room)
		memcpy(out, text, len), out[len] = '\0';
	out[strcspn(out, "\n")] = '\0';
	free(text);
}

struct grid_bench *grid_bench_new(uint64_t for_ns)
{
	struct grid_bench *b = xcalloc(1, sizeof(*b));
	uint8_t *pattern = malloc(GRID_PATTERN);

	grid_pattern(pattern);
	b->pattern = pattern;
	b->for_ns = for_ns;
	read_limit("/proc/sys/net/ipv4/tcp_rmem", b->rmem, sizeof(b->rmem));
	read_limit("/proc/sys/net/ipv4/tcp_wmem", b->wmem, sizeof(b->wmem));
	return b;
}

void grid_bench_free(struct grid_bench *b)
{
	free((void *)(uintptr_t)b->pattern);
	free(b);
}

struct grid_road *grid_add_road(struct grid_bench *b, uint32_t rtt_ms, uint32_t rate_mbit, uint32_t loss_ppm, uint32_t reorder_ppm)
{
	struct grid_road *r = &b->road[b->n_roads++];
	uint64_t bdp = rate_mbit * 125ull * rtt_ms; /* octets */

	*r = (struct grid_road){ .loss_ppm = loss_ppm, .cc = "cubic" };
	r->tc = (struct tc_params){ .delay_ns = rtt_ms * NSEC_PER_MSEC / 2, .rate_bps = rate_mbit * 1000000ull,
				    .limit_bytes = (uint32_t)max_u64(bdp, QUEUE_MIN), .reorder_ppm = reorder_ppm, .reorder_gap_ns = rtt_ms * NSEC_PER_MSEC / 8 };
	return r;
}

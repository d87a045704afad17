/* Floods: what a hostile packet may cost, in memory and in work, and what honest connections notice of it.
 *
 * Work is counted, not timed: tcp/ is compiled a second time with gcc's and clang's -fsanitize-coverage=trace-pc, which
 * calls the function below at every basic block; `work` is the number of blocks that were run. So a bound on it is a
 * bound on instructions, the same on every machine and at any load. */
#include "tcp_bed.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t work;
void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void) { work++; }

/* ---- hostile segments ---- */
struct cost {
	uint64_t n, sum, max;
	uint64_t decile[10]; /* sums */
	uint64_t of;         /* how many there will be */
};

static void cost_add(struct cost *c, uint64_t w)
{
	if (c->of)
		c->decile[min_u64(c->n * 10 / c->of, 9)] += w;
	c->n++;
	c->sum += w;
	if (w > c->max)
		c->max = w;
}

static void cost_say(const char *what, const struct cost *c)
{
	print_message("%s: %llu segments, %llu blocks each, %llu at most, first tenth %llu, last tenth %llu\n", what,
		      (unsigned long long)c->n, (unsigned long long)(c->sum / (c->n ? c->n : 1)), (unsigned long long)c->max,
		      (unsigned long long)(c->decile[0] / (c->of / 10)),
		      (unsigned long long)(c->decile[9] / (c->of / 10)));
}

struct hostile {
	uint32_t saddr, seq, ack;
	uint16_t sport, dport, win;
	uint8_t flags;
	const uint8_t *opt;
	uint32_t optlen, len; /* len octets of text */
};

static const uint8_t syn_opts[] = { 2, 4, 5, 180, 4, 2, 1, 1 }; /* MSS 1460, SACK permitted */

static uint64_t attack(struct bed *b, const struct hostile *h)
{
	uint64_t before = work;
	static uint64_t room[(sizeof(struct seg) + 128) / 8]; /* a segment of up to 128 octets */
	struct seg *m = (struct seg *)(void *)room;
	uint8_t *p = m->b;

	memset(room, 0, sizeof(room));
	m->saddr = h->saddr;
	m->daddr = bed_addr(0);
	m->len = 20 + h->optlen + h->len;
	put_be16(p, h->sport);
	put_be16(p + 2, h->dport);
	put_be32(p + 4, h->seq);
	put_be32(p + 8, h->ack);
	p[12] = (uint8_t)((20 + h->optlen) << 2);
	p[13] = h->flags;
	put_be16(p + 14, h->win);
	if (h->optlen)
		memcpy(p + 20, h->opt, h->optlen);
	put_be16(p + 16, csum_fold(csum_partial(p, m->len, csum_tcpudp_nofold(m->saddr, m->daddr, m->len, 6, 0))));
	bed_deliver(b, 0, m, PACKET_HOST_);
	return work - before;
}

/* What host 0 sends to addresses that are no host of the bed. */
struct seen {
	uint64_t n;
	struct tcp_hdr last;
	uint32_t last_to;
};
static uint64_t see(struct bed *b, const struct seg *s, void *arg)
{
	struct seen *seen = arg;

	if (s->daddr >= bed_addr(0) && s->daddr < bed_addr(BED_HOSTS))
		return 0;
	seen->n++;
	memcpy(&seen->last, s->b, sizeof(seen->last));
	seen->last_to = s->daddr;
	return UINT64_MAX;
}

/* ---- an honest connection beside it ---- */
struct honest {
	struct sock *client, *server, *lsk;
	uint64_t got;
};
static const char payload[16384];

static struct bed *flood_bed(struct seen *seen, struct honest *h)
{
	struct bed *b = bed_new(2);

	memset(seen, 0, sizeof(*seen));
	memset(h, 0, sizeof(*h));
	b->tap = see;
	b->tap_arg = seen;
	b->delay_ns = 5 * MS;
	b->net[1]->tcp->sysctl.wmem[2] = 262144; /* about 16 Mbyte/s over 10 ms */
	h->lsk = bed_listen(b, 0, 7, 64);
	h->client = bed_socket(b, 1);
	assert_int_equal(bed_connect(b, h->client, 0, 7), 0);
	bed_run(b, 50 * MS);
	h->server = bed_accept(h->lsk);
	assert_non_null(h->server);
	return b;
}

static void honest_step(struct honest *h)
{
	static char in[65536];
	ssize_t n;

	while (bed_send(h->client, payload, sizeof(payload), 0) > 0)
		;
	while ((n = bed_recv(h->server, in, sizeof(in), 0)) > 0)
		h->got += (uint64_t)n;
}

/* One virtual second of it alone: what it moves when nobody disturbs. */
static uint64_t undisturbed(void)
{
	struct seen seen;
	struct honest h;
	struct bed *b = flood_bed(&seen, &h);
	uint64_t got;

	for (unsigned ms = 0; ms < 1000; ms++) {
		honest_step(&h);
		bed_run(b, MS);
	}
	got = h.got;
	bed_close(h.client);
	bed_close(h.server);
	bed_close(h.lsk);
	bed_free(b);
	return got;
}

static void finish(struct bed *b, struct honest *h)
{
	bed_close(h->client);
	bed_close(h->server);
	bed_close(h->lsk);
	bed_free(b);
}

/* ---- SYN floods ---- */
#define SYNS 1000000u
static void syn_flood(bool cookies)
{
	uint64_t alone = undisturbed(), rnd = 42;
	struct cost c = { .of = SYNS };
	struct seen seen;
	struct honest h;
	struct bed *b = flood_bed(&seen, &h);
	struct net *net = b->net[0];
	struct sock *l = bed_listen(b, 0, 80, 128), *early = NULL, *child;
	uint64_t most_live = 0, asked_at = 0, waited = 0;
	uint32_t most_req = 0, tried = 0, opened = 0;

	net->tcp->sysctl.syncookies = cookies;
	for (uint32_t i = 0; i < SYNS; i++) {
		uint64_t r = bed_seed(&rnd);
		struct hostile syn = { .saddr = 0x40000000u | (uint32_t)(r >> 34), .sport = (uint16_t)(1024 + r % 60000), .dport = 80,
				       .seq = (uint32_t)(r >> 7), .flags = TCP_SYN, .win = 1000, .opt = syn_opts, .optlen = sizeof(syn_opts) };

		cost_add(&c, attack(b, &syn));
		bed_run(b, 1000);
		if (i % 1000 == 0)
			honest_step(&h);
		if (i % 50000 == 25000) { /* a newcomer, among them */
			if (early)
				bed_close(early); /* the one before was not let in */
			early = bed_socket(b, 1);
			bed_connect(b, early, 0, 80);
			asked_at = b->now_ns;
			tried++;
		}
		if (early && early->state == TCP_ESTABLISHED) {
			waited = max_u64(waited, b->now_ns - asked_at);
			opened++;
			bed_close(early);
			early = NULL;
		}
		while ((child = l->state == TCP_LISTEN && i % 1000 == 999 ? bed_accept(l) : NULL) != NULL)
			bed_close(child);
		most_live = max_u64(most_live, (uint64_t)net->skb_mib.live);
		most_req = max_u32(most_req, (uint32_t)net->tcp->req_pool.live);
	}
	cost_say(cookies ? "SYN flood, cookies" : "SYN flood, no cookies", &c);
	print_message("  requests at most %u, skbs %llu, honest goodput %llu of %llu, newcomers %u of %u in %llu us\n", most_req,
		      (unsigned long long)most_live, (unsigned long long)h.got, (unsigned long long)alone, opened, tried,
		      (unsigned long long)waited / 1000);
	assert_true(most_req <= 129);                      /* the backlog, and one in the making */
	assert_true(c.max < 1500);                         /* the worst SYN of a million */
	assert_true(c.decile[9] * 10 < c.decile[0] * 12);  /* the last cost what the first did */
	assert_true(h.got * 10 >= alone * 9);
	assert_true(most_live < 4096);
	if (cookies) {
		assert_int_equal(tried, opened);
		assert_true(waited <= 11 * MS); /* one round trip */
		assert_true(net->mib.tcpext.SyncookiesSent > SYNS * 9ull / 10);
		assert_true(net->mib.tcpext.SyncookiesRecv >= opened);
	} else {
		assert_true(net->mib.tcpext.TCPReqQFullDrop > SYNS * 9ull / 10);
		assert_int_equal(net->mib.tcpext.SyncookiesSent, 0);
	}
	if (early)
		bed_close(early);
	bed_close(l);
	finish(b, &h);
}
static void tr_01_syn_flood_million_cookies(void **state) { syn_flood(true); }
static void tr_01_syn_flood_million_no_cookies(void **state) { syn_flood(false); }

/* ---- connections by hand ---- */
struct foe {
	uint32_t saddr, seq, ack; /* next of ours, next expected of the stack */
	uint16_t sport;
};

static void foe_connect(struct bed *b, struct seen *seen, struct foe *f, uint16_t dport, uint16_t win)
{
	struct hostile s = { .saddr = f->saddr, .sport = f->sport, .dport = dport, .seq = f->seq, .flags = TCP_SYN, .win = win,
			     .opt = syn_opts, .optlen = sizeof(syn_opts) };

	attack(b, &s);
	assert_true(seen->last_to == f->saddr && (seen->last.flags & TCP_SYN));
	f->ack = get_be32(seen->last.seq) + 1;
	f->seq++;
	s = (struct hostile){ .saddr = f->saddr, .sport = f->sport, .dport = dport, .seq = f->seq, .ack = f->ack, .flags = TCP_ACK, .win = win };
	attack(b, &s);
}

/* ---- ACKs for nothing ---- */
static void tr_14_ack_flood_million(void **state)
{
	struct cost c = { .of = 1000000 };
	struct seen seen;
	struct honest h;
	struct bed *b = flood_bed(&seen, &h);
	struct sock *l = bed_listen(b, 0, 80, 8), *sk;
	struct foe f = { .saddr = 0x40000001, .sport = 5555, .seq = 77 };
	uint64_t before;

	foe_connect(b, &seen, &f, 80, 30000);
	sk = bed_accept(l);
	assert_non_null(sk);
	before = seen.n;
	for (uint32_t i = 0; i < 1000000; i++) {
		struct hostile a = { .saddr = f.saddr, .sport = f.sport, .dport = 80, .seq = f.seq, .ack = f.ack, .flags = TCP_ACK, .win = 30000 };

		cost_add(&c, attack(b, &a));
	}
	cost_say("duplicate ACKs", &c);
	assert_int_equal(seen.n, before); /* no answer at all */
	assert_true(c.max < 600);
	assert_int_equal(b->net[0]->skb_mib.live, 0);
	bed_close(sk);
	bed_close(l);
	finish(b, &h);
}

/* ---- SegmentSmack: every second byte, each a segment of its own; or segments of len octets, stride apart ---- */
static void smack(const char *name, unsigned order, uint32_t stride, uint32_t len)
{
	uint64_t alone = undisturbed(), rnd = 7, most = 0;
	struct cost c = { .of = 500000 };
	struct seen seen;
	struct honest h;
	struct bed *b = flood_bed(&seen, &h);
	struct net *net = b->net[0];
	struct sock *l, *sk;
	struct foe f = { .saddr = 0x40000001, .sport = 5555, .seq = 77 };
	uint32_t wnd;

	net->tcp->sysctl.rmem[1] = net->tcp->sysctl.rmem[2] = 6 << 20; /* a receive buffer as of a busy server */
	net->tcp->sysctl.window_scaling = 1;
	l = bed_listen(b, 0, 80, 8);
	foe_connect(b, &seen, &f, 80, 30000);
	sk = bed_accept(l);
	assert_non_null(sk);
	sk->rcvbuf = 6 << 20;
	wnd = tcp_receive_window(tcp_sk(sk));
	for (uint32_t i = 0; i < 500000; i++) {
		uint32_t at = order == 0 ? i : order == 1 ? (wnd / 2 - 1) - i % (wnd / 2) : (uint32_t)(bed_seed(&rnd) >> 20);
		struct hostile a = { .saddr = f.saddr, .sport = f.sport, .dport = 80, .seq = f.seq + 1 + stride * (at % (wnd / 2 - 1)), .ack = f.ack,
				     .flags = TCP_ACK, .win = 30000, .len = len };

		cost_add(&c, attack(b, &a));
		bed_run(b, 2000);
		most = max_u64(most, (uint64_t)sk->rmem_alloc);
		if (i % 500 == 0)
			honest_step(&h);
	}
	cost_say(name, &c);
	print_message("  window %u, pieces %u, memory at most %llu, honest goodput %llu of %llu\n", wnd,
		      tcp_sk(sk)->sack->ofo_queue.qlen, (unsigned long long)most, (unsigned long long)h.got, (unsigned long long)alone);
	assert_true(most <= (6u << 20) + 4096);
	assert_true(tcp_sk(sk)->sack->ofo_queue.qlen <= TCP_MAX_OFO_SKBS);
	assert_true(c.sum / c.n < 2000);
	assert_true(h.got * 10 >= alone * 9);
	bed_close(sk);
	bed_close(l);
	finish(b, &h);
}
static void tr_03_segment_smack(void **state)
{
	smack("every second byte, upwards", 0, 2, 1);
	smack("every second byte, downwards", 1, 2, 1);
	smack("every second byte, at random", 2, 2, 1);
	smack("each over 99 others, downwards", 1, 1, 100);
}

/* ---- a reader of SACKs: blocks that point everywhere into a long queue (TR-04) ---- */
static void tr_04_sack_flood(void **state)
{
	static char data[1 << 20];
	struct cost c = { .of = 20000 };
	struct seen seen;
	struct honest h;
	struct bed *b = flood_bed(&seen, &h);
	struct net *net = b->net[0];
	struct sock *l = bed_listen(b, 0, 80, 8), *sk;
	struct foe f = { .saddr = 0x40000001, .sport = 5555, .seq = 77 };
	uint64_t rnd = 3;
	uint32_t una, flight;

	net->tcp->sysctl.wmem[1] = net->tcp->sysctl.wmem[2] = 8 << 20;
	foe_connect(b, &seen, &f, 80, 65535);
	sk = bed_accept(l);
	assert_non_null(sk);
	sk->sndbuf = 64 << 20;
	tcp_sk(sk)->mss_cache = 48; /* as small as a peer may ask for */
	tcp_sk(sk)->snd_cwnd = 100000;
	tcp_sk(sk)->snd_wnd = tcp_sk(sk)->max_window = 1 << 20;
	for (unsigned i = 0; i < 20000; i++)
		assert_int_equal(bed_send(sk, data, 48, MSG_EOR), 48);
	una = tcp_sk(sk)->snd_una;
	flight = tcp_sk(sk)->snd_nxt - una;
	for (uint32_t i = 0; i < 20000; i++) {
		uint8_t o[40] = { 1, 1, 5, 34 };
		struct hostile a = { .saddr = f.saddr, .sport = f.sport, .dport = 80, .seq = f.seq, .ack = una, .flags = TCP_ACK, .win = 65535,
				     .opt = o, .optlen = 36 };

		for (unsigned k = 0; k < 4; k++) {
			uint32_t at = 48 + 48 * (uint32_t)((bed_seed(&rnd) >> 16) % (flight / 48 - 4));

			put_be32(o + 4 + 8 * k, una + at);
			put_be32(o + 8 + 8 * k, una + at + 48);
		}
		cost_add(&c, attack(b, &a));
		if (i % 100 == 0)
			bed_run(b, 10000);
	}
	cost_say("SACK blocks anywhere", &c);
	print_message("  flight %u octets, %u segments, sacked %u\n", flight, tcp_sk(sk)->fl->packets_out, tcp_sk(sk)->fl->sacked_out);
	assert_true(c.sum / c.n < 2500); /* the list alone: 49000 */
	bed_close(sk);
	bed_close(l);
	finish(b, &h);
}

/* ---- 100,000 connections that never open their window (sockstress; MUST-36, MUST-37, TR-07) ---- */
#define FOES 100000u
struct crowd {
	struct seen seen; /* first: see() fills it */
	struct foe *foe;
	uint64_t probes;
	uint32_t *todo, n_todo; /* who is to answer a probe */
	bool answer;
};

static uint64_t crowd_see(struct bed *b, const struct seg *s, void *arg)
{
	struct crowd *c = arg;
	uint64_t r = see(b, s, &c->seen);

	if (r == UINT64_MAX && c->answer && s->daddr - 0x40000000u < FOES && c->n_todo < FOES) {
		c->probes++;
		c->todo[c->n_todo++] = s->daddr - 0x40000000u;
	}
	return r;
}

static void crowd_answers(struct bed *b, struct crowd *c)
{
	uint32_t n = c->n_todo;

	c->n_todo = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct foe *f = &c->foe[c->todo[i]];
		struct hostile a = { .saddr = f->saddr, .sport = f->sport, .dport = 80, .seq = f->seq, .ack = f->ack, .flags = TCP_ACK, .win = 0 };

		attack(b, &a);
	}
}

static int64_t most_mem(struct bed *b, int64_t *most)
{
	if (b->net[0]->tcp->mem_allocated > *most)
		*most = b->net[0]->tcp->mem_allocated;
	return *most;
}

static void tr_07_zero_window_100000(void **state)
{
	static char page[16384];
	struct crowd c = { .answer = true };
	struct honest h;
	struct bed *b = flood_bed(&c.seen, &h);
	struct net *net = b->net[0];
	struct sock *l, **sk = calloc(FOES, sizeof(*sk));
	int64_t limit, most = 0, queued = 0;
	uint64_t alone = undisturbed(), minute;
	uint32_t refused = 0, alive = 0;

	b->tap = crowd_see;
	b->tap_arg = &c;
	c.foe = calloc(FOES, sizeof(*c.foe));
	c.todo = calloc(FOES, sizeof(*c.todo));
	net->tcp->sysctl.mem[0] = 12288; /* 48, 64 and 96 MiB */
	net->tcp->sysctl.mem[1] = 16384;
	net->tcp->sysctl.mem[2] = 24576;
	limit = 24576 * 4096ll;
	l = bed_listen(b, 0, 80, 8);
	c.answer = false;
	for (uint32_t i = 0; i < FOES; i++) {
		ssize_t n;

		c.foe[i] = (struct foe){ .saddr = 0x40000000u + i, .sport = (uint16_t)(1024 + i % 50000), .seq = i };
		foe_connect(b, &c.seen, &c.foe[i], 80, 0);
		sk[i] = bed_accept(l);
		assert_non_null(sk[i]);
		n = bed_send(sk[i], page, sizeof(page), 0);
		if (n > 0)
			queued += n;
		else
			refused++;
		if (i % 100 == 0)
			bed_run(b, MS);
		most_mem(b, &most);
	}
	c.answer = true;
	print_message("%u connections: %lld octets of pages in queues that hold %lld, limit %lld; %u writers were told to wait\n", FOES,
		      (long long)queued, (long long)most, (long long)limit, refused);
	assert_true(most <= 12288 * 4096ll + 65536); /* tcp_mem[0] */
	assert_true(refused > FOES / 2);
	/* an hour: probes back off to one in two minutes each, answered every time; all stay */
	for (unsigned s = 0; s < 3600; s++) {
		bed_run(b, SEC);
		crowd_answers(b, &c);
	}
	c.probes = 0;
	for (unsigned s = 0; s < 120; s++) {
		bed_run(b, SEC);
		crowd_answers(b, &c);
	}
	minute = c.probes / 2;
	for (uint32_t i = 0; i < FOES; i++)
		alive += sk[i]->state == TCP_ESTABLISHED;
	print_message("  after an hour %u live, %llu probes a minute\n", alive, (unsigned long long)minute);
	assert_int_equal(alive, FOES);
	assert_true(minute <= FOES * 11 / 20);
	/* and the honest one, in spite of all that is held */
	h.got = 0;
	for (unsigned ms = 0; ms < 1000; ms++) {
		honest_step(&h);
		bed_run(b, MS);
		if (ms % 100 == 0)
			crowd_answers(b, &c);
	}
	print_message("  honest goodput %llu of %llu\n", (unsigned long long)h.got, (unsigned long long)alone);
	assert_true(h.got * 10 >= alone * 9);
	/* the program gives up on them: orphans, of which only so many are kept (tcp_max_orphans) */
	net->tcp->sysctl.max_orphans = 4096;
	c.answer = false;
	for (uint32_t i = 0; i < FOES; i++)
		bed_close(sk[i]);
	assert_true(net->tcp->orphan_count <= 4097);
	assert_true(net->mib.tcpext.TCPAbortOnMemory >= FOES - 4097);
	bed_run(b, 1200 * SEC); /* nobody answers the rest */
	assert_int_equal(net->tcp->orphan_count, 0);
	bed_close(h.client);
	bed_close(h.server);
	bed_run(b, 100 * SEC);
	assert_int_equal(net->tcp->mem_allocated, 0);
	bed_close(l);
	bed_close(h.lsk);
	bed_free(b);
	free(c.foe);
	free(c.todo);
	free(sk);
}

/* ---- a million TIME-WAITs: each small, and the last costs what the first did (TR-09) ---- */
static void tr_09_time_wait_million(void **state)
{
	const uint32_t n = 1000000;
	struct cost c = { .of = n };
	struct seen seen;
	struct honest h;
	struct bed *b = flood_bed(&seen, &h);
	struct net *net = b->net[0];
	struct sock *l = bed_listen(b, 0, 80, 8);

	net->tcp->sysctl.max_tw_buckets = 2000000;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t before = work;
		struct foe f = { .saddr = 0x40000000u + i % 1000, .sport = (uint16_t)(1024 + i / 1000), .seq = i };
		struct hostile a;
		struct sock *sk;

		foe_connect(b, &seen, &f, 80, 30000);
		sk = bed_accept(l);
		assert_non_null(sk);
		bed_close(sk); /* our FIN; theirs, which acknowledges it */
		a = (struct hostile){ .saddr = f.saddr, .sport = f.sport, .dport = 80, .seq = f.seq, .ack = f.ack + 1, .flags = TCP_ACK | TCP_FIN, .win = 30000 };
		attack(b, &a);
		cost_add(&c, work - before);
		if (i % 100 == 0)
			bed_run(b, MS); /* 10 s for all */
	}
	cost_say("connections into TIME-WAIT", &c);
	print_message("  %u in TIME-WAIT, %zu octets each\n", net->tcp->tw_count, net->tcp->tw_pool.size);
	assert_int_equal(net->tcp->tw_count, n);
	assert_true(net->tcp->tw_pool.size <= 160);
	/* the hash tables double now and then, which the mean contains */
	assert_true(c.decile[9] * 10 <= c.decile[1] * 13);
	bed_run(b, 61 * SEC);
	assert_int_equal(net->tcp->tw_count, 0);
	bed_close(l);
	finish(b, &h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tr_01_syn_flood_million_cookies),
		cmocka_unit_test(tr_01_syn_flood_million_no_cookies),
		cmocka_unit_test(tr_14_ack_flood_million),
		cmocka_unit_test(tr_03_segment_smack),
		cmocka_unit_test(tr_04_sack_flood),
		cmocka_unit_test(tr_07_zero_window_100000),
		cmocka_unit_test(tr_09_time_wait_million),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

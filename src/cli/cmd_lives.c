/* culver lives: what a datagram, one that IP must cut, and a TCP transfer cost over lo and over a cable: the stations that
 * they pass, copies, clones, checksums, mappings, interrupts, and how each packet ended. Called by main.c.
 *
 * Two hosts of the built-in lab "pair" run nc. Stations are counted from the events that the functions at work emit,
 * lives and copies from the hosts' own books (net->skb_mib); both cover sender and receiver from before the sender starts
 * until nothing is under way. Tests: tests/lab/lives.t, tests/behaviours/test_lives.py. */
#include <stdio.h>
#include <string.h>
#include "cli/cli.h"

#define LIVES_LAB "pair"
#define LIVES_PORT 5000u
#define LIVES_SMALL 100u
#define LIVES_CUT 4000u
#define LIVES_SIZE 100000u
#define LIVES_MAX_SIZE 100000000u
/* The reader is there before the sender; and after it, answers, completions and delayed ACKs come to rest. */
#define LIVES_BEFORE_NS (10 * NSEC_PER_MSEC)
#define LIVES_AFTER_NS (2 * NSEC_PER_SEC)
/* Neighbours unused for so long are STALE, whatever they were; five seconds after the next use they are probed (DELAY),
 * and then REACHABLE for 15 s at least. */
#define LIVES_STALE_NS (60 * NSEC_PER_SEC)
#define LIVES_PROBED_NS (7 * NSEC_PER_SEC)

/* ---- stations: events that are counted ---- */

struct station {
	const char *name;
	const char *func; /* NULL: any */
	const char *text; /* must be in the event's text; NULL: any */
	enum trace_kind kind;
	bool octets; /* sum of len=, instead of how many */
};

static const struct station stations[] = {
	{ "system calls", NULL, NULL, TR_SYSCALL, false },
	{ "TCP segments sent", "__tcp_transmit_skb", NULL, TR_ENTER, false },
	{ "TCP segments received", "tcp_v4_rcv", NULL, TR_ENTER, false },
	{ "UDP datagrams received", "udp_rcv", NULL, TR_ENTER, false },
	{ "IP output", "ip_output", NULL, TR_ENTER, false },
	{ "IP input", "ip_rcv", NULL, TR_ENTER, false },
	{ "netfilter hooks", NULL, NULL, TR_HOOK, false },
	{ "neighbour output", "neigh_output", NULL, TR_ENTER, false },
	{ "device layer", "dev_queue_xmit", NULL, TR_ENTER, false },
	{ "queue discipline", "__dev_xmit_skb", NULL, TR_ENTER, false },
	{ "driver: loopback_xmit", "loopback_xmit", NULL, TR_ENTER, false },
	{ "driver: igb_xmit_frame", "igb_xmit_frame", NULL, TR_ENTER, false },
	{ "CPU's backlog", "enqueue_to_backlog", NULL, TR_QUEUE, false },
	{ "DMA mappings made", NULL, "map addr=", TR_DMA, false },
	{ "transmit descriptors", "igb_tx_fill", NULL, TR_QUEUE, false },
	{ "doorbells", NULL, "write TDT", TR_REG, false },
	{ "frames on the cable", NULL, NULL, TR_WIRE, false },
	{ "interrupts", "handle_irq", NULL, TR_IRQ, false },
	{ "softirq polls of a NIC", "igb_poll", NULL, TR_ENTER, false },
	{ "softirq polls of a backlog", "process_backlog", NULL, TR_ENTER, false },
	{ "octets summed by a NIC", NULL, "sum by=nic", TR_NOTE, true },
};

/* ---- the books: differences of counters ---- */

struct book {
	const char *name;
	size_t at; /* in struct skb_mib */
};
#define BOOK(name, field) { name, offsetof(struct skb_mib, field) }
static const struct book books[] = {
	BOOK("octets summed by the CPU", sum_bytes),	BOOK("octets, program to skb", user_to_skb_bytes),
	BOOK("octets, skb to program", skb_to_user_bytes), BOOK("real copies in between", copies),
	BOOK("octets that they copied", copy_bytes),	BOOK("clones", clones),
	BOOK("skbs allocated", allocated),		BOOK("skbs consumed", consumed),
	BOOK("skbs dropped", dropped),			BOOK("skbs still queued", live),
};
#define N_ROWS (ARRAY_SIZE(stations) + ARRAY_SIZE(books))

struct run {
	const char *name; /* of the column pair */
	bool udp;
	uint64_t size;
};
#define N_RUNS 3u
enum { LO, CABLE, N_WAYS };

struct lives {
	struct trace_sink sink;
	struct lab_source src;
	struct lab *lab;
	struct cli_signals sig;
	uint64_t size;
	bool json, counting;
	struct run run[N_RUNS];
	uint64_t count[N_RUNS][N_WAYS][N_ROWS];
	uint64_t *here; /* what counts now */
	struct strbuf said; /* by the programs */
};

static bool station_is(const struct station *s, const struct trace_event *ev)
{
	return s->kind == ev->kind && (!s->func || !strcmp(s->func, ev->func)) && (!s->text || strstr(ev->text, s->text));
}

static void lives_emit(struct trace_sink *self, const struct trace_event *ev)
{
	struct lives *c = container_of(self, struct lives, sink);
	unsigned long long len = 0;

	for (size_t i = 0; c->counting && i < ARRAY_SIZE(stations); i++) {
		if (!station_is(&stations[i], ev))
			continue;
		if (stations[i].octets)
			sscanf(ev->text, "len=%llu", &len);
		c->here[i] += stations[i].octets ? len : 1;
	}
}

static uint64_t book_sum(const struct lives *c, const struct book *b)
{
	uint64_t sum = 0, v;

	for (uint32_t i = 0; i < c->lab->n_nodes; i++) {
		memcpy(&v, (const char *)&c->lab->node[i].net->skb_mib + b->at, sizeof(v));
		sum += v;
	}
	return sum;
}

/* ---- running ---- */

static void lives_said(void *arg, int fd, const char *s, size_t len)
{
	struct lives *c = arg;

	(void)fd;
	sb_add(&c->said, s, len);
}

/* Both ends know each other's MAC and have it confirmed: ARP is not what is compared. */
static int lives_greet(struct lives *c)
{
	int code;

	lab_wait(c->lab, LIVES_STALE_NS);
	code = lab_command(lab_find(c->lab, "a"), "ping -c 1 10.0.0.2", lives_said, c);
	lab_wait(c->lab, LIVES_PROBED_NS);
	return c->sig.taken ? 130 : code ? cli_fail(CLI_NETWORK, "lives: the other host does not answer") : CLI_OK;
}

/* nc's line for the sender: a datagram is one write, a stream many. */
static void lives_line(const struct run *r, unsigned way, struct strbuf *line)
{
	sb_printf(line, "nc -w 1 %s", r->udp ? "-u -d " : "");
	for (uint64_t i = 0; r->udp && i < r->size; i++)
		sb_putc(line, 'x');
	if (!r->udp)
		sb_printf(line, "-f %llu", (unsigned long long)r->size);
	sb_printf(line, " %s %u", way == LO ? "127.0.0.1" : "10.0.0.2", LIVES_PORT);
}

/* What it cost, from before the sender starts until all is quiet. Returns the sender's exit code. */
static int lives_measure(struct lives *c, const char *line)
{
	uint64_t before[ARRAY_SIZE(books)];
	int code;

	for (size_t i = 0; i < ARRAY_SIZE(books); i++)
		before[i] = book_sum(c, &books[i]);
	c->counting = true;
	code = lab_command(lab_find(c->lab, "a"), line, lives_said, c);
	lab_wait(c->lab, LIVES_AFTER_NS);
	c->counting = false;
	for (size_t i = 0; i < ARRAY_SIZE(books); i++)
		c->here[ARRAY_SIZE(stations) + i] = book_sum(c, &books[i]) - before[i];
	return code;
}

/* nc on one host sends to nc on another. CLI_OK, or the exit code with the error printed. */
static int lives_once(struct lives *c, const struct run *r, unsigned way)
{
	struct strbuf line;
	char want[80];
	int code = lives_greet(c);

	if (code)
		return code;
	sb_init(&line);
	sb_reset(&c->said);
	snprintf(want, sizeof(want), "nc -l %s-q -w 1 %u &", r->udp ? "-u " : "", LIVES_PORT);
	lab_command(lab_find(c->lab, way == LO ? "a" : "b"), want, lives_said, c);
	lab_wait(c->lab, LIVES_BEFORE_NS);
	lives_line(r, way, &line);
	code = lives_measure(c, sb_str(&line));
	sb_free(&line);
	if (c->sig.taken)
		return 130;
	snprintf(want, sizeof(want), "received %llu bytes", (unsigned long long)r->size);
	if (code || !strstr(sb_str(&c->said), want))
		return cli_fail(CLI_NETWORK, "lives: %s %llu: %.200s", r->name, (unsigned long long)r->size,
				c->said.len ? sb_str(&c->said) : "nothing came");
	return CLI_OK;
}

/* allocated = consumed + dropped + queued, on each host */
static int lives_balance(const struct lives *c)
{
	for (uint32_t i = 0; i < c->lab->n_nodes; i++) {
		const struct skb_mib *m = &c->lab->node[i].net->skb_mib;

		if (m->allocated != m->consumed + m->dropped + (uint64_t)m->live)
			return cli_fail(CLI_NETWORK, "lives: %s: %llu packets allocated, %llu consumed, %llu dropped, %lld queued",
					c->lab->node[i].name, (unsigned long long)m->allocated, (unsigned long long)m->consumed,
					(unsigned long long)m->dropped, (long long)m->live);
	}
	return CLI_OK;
}

static int lives_run(struct lives *c)
{
	int code = CLI_OK;

	for (size_t i = 0; i < N_RUNS && !code; i++)
		for (unsigned way = 0; way < N_WAYS && !code; way++) {
			c->here = c->count[i][way];
			code = lives_once(c, &c->run[i], way);
		}
	return code ? code : lives_balance(c);
}

/* ---- telling ---- */

static const char *row_name(size_t i)
{
	return i < ARRAY_SIZE(stations) ? stations[i].name : books[i - ARRAY_SIZE(stations)].name;
}

static void lives_table(const struct lives *c, struct strbuf *out)
{
	char head[40];

	sb_printf(out, "%-28s", "");
	for (size_t k = 0; k < N_RUNS; k++) {
		snprintf(head, sizeof(head), "%s %llu", c->run[k].name, (unsigned long long)c->run[k].size);
		sb_printf(out, " %19s", head);
	}
	sb_printf(out, "\n%-28s", "");
	for (size_t k = 0; k < N_RUNS; k++)
		sb_printf(out, " %9s %9s", "lo", "cable");
	sb_putc(out, '\n');
	for (size_t i = 0; i < N_ROWS; i++) {
		sb_printf(out, "%-28s", row_name(i));
		for (size_t k = 0; k < N_RUNS; k++)
			sb_printf(out, " %9llu %9llu", (unsigned long long)c->count[k][LO][i],
				  (unsigned long long)c->count[k][CABLE][i]);
		sb_putc(out, '\n');
	}
}

static void lives_json(const struct lives *c, struct strbuf *out)
{
	static const char *const ways[] = { "lo", "cable" };

	sb_puts(out, "[");
	for (size_t k = 0; k < N_RUNS; k++)
		for (unsigned way = 0; way < N_WAYS; way++) {
			sb_printf(out, "%s{\"what\": \"%s\", \"octets\": %llu, \"way\": \"%s\"", k || way ? ",\n " : "", c->run[k].name,
				  (unsigned long long)c->run[k].size, ways[way]);
			for (size_t i = 0; i < N_ROWS; i++)
				sb_printf(out, ", \"%s\": %llu", row_name(i), (unsigned long long)c->count[k][way][i]);
			sb_puts(out, "}");
		}
	sb_puts(out, "]\n");
}

static int lives_args(struct lives *c, int argc, char **argv)
{
	static const struct cli_opt opts[] = { { "--size", true }, { "--json", false } };
	struct cli_args a;
	int k;

	cli_args_init(&a, argc, argv, opts, ARRAY_SIZE(opts));
	while ((k = cli_args_next(&a)) != CLI_ARG_END) {
		if (k == CLI_ARG_BAD)
			return CLI_USAGE;
		if (k == CLI_ARG_OPERAND)
			return cli_usage("lives", "it takes options only, not '%.60s'", a.value);
		if (k == 1)
			c->json = true;
		else if (!cli_u64(&a, "--size", 1, LIVES_MAX_SIZE, &c->size))
			return CLI_USAGE;
	}
	c->run[0] = (struct run){ "datagram", true, LIVES_SMALL };
	c->run[1] = (struct run){ "datagram", true, LIVES_CUT };
	c->run[2] = (struct run){ "TCP", false, c->size };
	return CLI_OK;
}

int cmd_lives(int argc, char **argv)
{
	struct lives c = { .size = LIVES_SIZE, .sig = { .fd = -1 } };
	struct lab_opts opts = { .sink = { &c.sink }, .n_sinks = 1, .interrupted = cli_interrupted, .interrupted_arg = &c.sig };
	struct strbuf out;
	enum lab_err err;
	struct yerr e;
	int code = lives_args(&c, argc, argv);

	if (code == CLI_OK)
		code = cli_source(&c.src, LIVES_LAB);
	if (code != CLI_OK)
		return code;
	sb_init(&c.said);
	sb_init(&out);
	c.sink.mask = ~0u;
	c.sink.emit = lives_emit;
	cli_signals_open(&c.sig);
	c.lab = lab_new(&c.src, &opts, &err, &e);
	code = c.lab ? lives_run(&c) : cli_lab_fail(err, &e);
	if (code == CLI_OK) {
		if (c.json)
			lives_json(&c, &out);
		else
			lives_table(&c, &out);
		code = cli_print(sb_str(&out), out.len);
	}
	if (c.lab)
		lab_free(c.lab);
	lab_source_close(&c.src);
	sb_free(&out);
	sb_free(&c.said);
	return code;
}

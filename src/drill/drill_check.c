/* Is what the stack sent what the script says?
 *
 * Decides: which packets of the stack a line is about (several segments in a row may be one line that is longer than
 * the MSS, as a train would be on a device that takes trains), and whether every field that the line writes is right,
 * and the time. What the line does not write is not compared, but for options: none written means none. Sums and
 * lengths are always checked. Called by drill_run.c. Tests: tests/packet, tests/lab/drill.t. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "drill/drill_int.h"

struct check {
	struct drill *d;
	const struct devent *ev;
	const struct dpkt *k;
	struct drill_flow *f;
	uint8_t *p;   /* the packet, joined */
	uint32_t len;
	uint64_t t_ns; /* when the first of it was sent, script time */
	int64_t from_ns;
	bool failed;
	bool psh_inside; /* one joined to it has PSH, the last has not: a script may say either */
};

static void say(struct check *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void say(struct check *c, const char *fmt, ...)
{
	struct strbuf sb;
	char t[32];
	va_list ap;

	if (c->failed)
		return;
	c->failed = true;
	sb_init(&sb);
	va_start(ap, fmt);
	sb_vprintf(&sb, fmt, ap);
	va_end(ap);
	sb_printf(&sb, "\nscript packet: %s ", drill_time(t, c->ev->when.kind == DTIME_ANY ? (int64_t)c->t_ns : c->from_ns));
	drill_show_script(&sb, c->k);
	sb_printf(&sb, "\nactual packet: %s ", drill_time(t, (int64_t)c->t_ns));
	drill_show_live(&sb, c->p, c->len, c->f);
	drill_error(c->d, c->ev->line, "error handling packet: %s", sb_str(&sb));
	sb_free(&sb);
}

static void field(struct check *c, const char *name, uint32_t expected, uint32_t actual)
{
	if (expected != actual)
		say(c, "live packet field %s: expected: %u (0x%x) vs actual: %u (0x%x)", name, expected, expected, actual, actual);
}

/* ---- IP ---- */

static bool check_form(struct check *c)
{
	const struct ip4_hdr *h = (const struct ip4_hdr *)(const void *)c->p;
	uint32_t hl = c->len >= IP4_HLEN ? ip4_hlen(h) : 0;

	if (hl < IP4_HLEN || hl + 8 > c->len || (h->protocol == IPPROTO_TCP && hl + TCP_HLEN > c->len)) {
		say(c, "the live packet is too short for its headers");
		return false;
	}
	field(c, "ipv4_version", 4, ip4_version(h));
	field(c, "ipv4_protocol", c->k->proto == DPROTO_TCP ? IPPROTO_TCP : c->k->proto == DPROTO_UDP ? IPPROTO_UDP : IPPROTO_ICMP, h->protocol);
	return !c->failed;
}

static void check_ip(struct check *c)
{
	const struct ip4_hdr *h = (const struct ip4_hdr *)(const void *)c->p;
	const struct dpkt *k = c->k;
	static const uint8_t want[] = { 0, 0, 2, 1, 2, 3 };
	uint8_t ecn = h->tos & 3;

	if (k->has_tos)
		field(c, "ipv4_tos", k->ecn ? (k->tos & 0xfcu) | want[k->ecn] : k->tos, h->tos);
	if (k->has_ttl)
		field(c, "ipv4_ttl", k->ttl, h->ttl);
	if (k->ecn == DECN_ECT01 ? ecn != 1 && ecn != 2 : k->ecn && ecn != want[k->ecn])
		say(c, "live packet field ip_ecn: expected: 0x%x vs actual: 0x%x", want[k->ecn], ecn);
}

/* Sums of each single packet, before packets are joined. */
static void check_sums(struct check *c, const uint8_t *p, uint32_t len)
{
	const struct ip4_hdr *h = (const struct ip4_hdr *)(const void *)p;
	uint32_t hl = ip4_hlen(h), body = len - hl, sum;

	field(c, "ipv4_total_length", len, ip4_tot_len(h));
	if (ip4_fast_csum(h, hl) != 0)
		say(c, "live packet: the IPv4 header checksum is wrong");
	if (ip4_is_fragment(h))
		return;
	sum = csum_partial(p + hl, body, 0);
	if (h->protocol == IPPROTO_UDP && !get_be16(p + hl + 6))
		return;
	if (h->protocol == IPPROTO_TCP || h->protocol == IPPROTO_UDP)
		sum = csum_tcpudp_nofold(ip4_saddr(h), ip4_daddr(h), body, h->protocol, sum);
	if (csum_fold(sum) != 0)
		say(c, "live packet: the checksum of its contents is wrong");
}

/* ---- TCP ---- */

static const uint8_t *live_ts(const uint8_t *o, uint32_t n)
{
	for (uint32_t i = 0; i < n;) {
		uint32_t len = o[i] <= TCPOPT_NOP ? 1 : i + 1 < n ? o[i + 1] : 0;

		if (o[i] == TCPOPT_EOL || !len || (o[i] > TCPOPT_NOP && len < 2) || len > n - i)
			return NULL;
		if (o[i] == TCPOPT_TIMESTAMP && len == 10)
			return o + i;
		i += len;
	}
	return NULL;
}

static const struct dopt *script_ts(const struct dpkt *k)
{
	for (uint32_t i = 0; i < k->n_opts; i++)
		if (k->opt[i].kind == DOPT_TS)
			return &k->opt[i];
	return NULL;
}

/* The stack's clock is its own; the script's numbers for it are names, unless --tcp_ts_tick_usecs says that they count. */
static void check_ts(struct check *c, const struct dopt *s, uint8_t *o)
{
	uint32_t live = get_be32(o + 2);
	int64_t tick = c->d->sc.conf.ts_tick_ns;

	if (c->f->ts_first && tick) {
		int64_t off = (int32_t)(live - c->f->ts_first_live - (s->a - c->f->ts_first_script));

		if ((off < 0 ? -off : off) * tick > c->d->sc.conf.tolerance_ns)
			say(c, "bad outbound TCP timestamp value: expected %u, but it is %u", s->a,
			    c->f->ts_first_script + (live - c->f->ts_first_live));
	}
	drill_ts_note(c->f, s->a, live);
	put_be32(o + 2, s->a);
}

static void check_opts(struct check *c, uint8_t *o, uint32_t n)
{
	const struct dopt *s = script_ts(c->k);
	uint8_t want[60] = { 0 }, have[60] = { 0 };
	int w;

	if (c->k->opts_any && !c->k->n_opts)
		return;
	memcpy(have, o, n);
	if (s && live_ts(have, n))
		check_ts(c, s, (uint8_t *)(uintptr_t)live_ts(have, n));
	w = drill_build_opts(c->k, c->f, false, want);
	if (w < 0 || (c->k->opts_any ? (uint32_t)w > n || memcmp(want, have, (size_t)w) != 0 : (((uint32_t)w + 3) & ~3u) != n || memcmp(want, have, n) != 0))
		say(c, "bad outbound TCP options");
}

static uint32_t flags_of(const struct tcp_hdr *h)
{
	return h->flags | (h->off_res & 1u ? DTCP_AE : 0u);
}

static void check_flags(struct check *c, const struct tcp_hdr *h)
{
	static const struct { const char *name; uint16_t bit; } f[] = {
		{ "tcp_fin", DTCP_FIN }, { "tcp_syn", DTCP_SYN }, { "tcp_rst", DTCP_RST }, { "tcp_psh", DTCP_PSH },
		{ "tcp_ack", DTCP_ACK }, { "tcp_urg", DTCP_URG }, { "tcp_ece", DTCP_ECE }, { "tcp_cwr", DTCP_CWR },
		{ "tcp_ae", DTCP_AE },
	};
	uint32_t have = flags_of(h);

	for (size_t i = 0; i < ARRAY_SIZE(f); i++)
		if (f[i].bit != DTCP_PSH || !c->psh_inside)
			field(c, f[i].name, (c->k->flags & f[i].bit) != 0, (have & f[i].bit) != 0);
	field(c, "tcp_reserved_bits", 0, h->off_res >> 1 & 7u);
}

/* The stack's first sequence number is the script's first: the rest follow. */
static void learn_isn(struct check *c, const struct tcp_hdr *h)
{
	if (!(h->flags & TCP_SYN) || !(c->k->flags & DTCP_SYN) || (c->f->got_isn && !c->f->relearn))
		return;
	if (c->f->got_isn && c->f->isn != get_be32(h->seq) - c->k->seq)
		drill_stream_forget(c->f); /* another connection in the same place */
	c->f->got_isn = true;
	c->f->relearn = false;
	c->f->isn = get_be32(h->seq) - c->k->seq;
	c->f->tx_first = get_be32(h->seq) + 1;
}

static void check_octets(struct check *c, const struct tcp_hdr *h, uint32_t thl, uint32_t len)
{
	uint32_t seq = get_be32(h->seq) + (h->flags & TCP_SYN ? 1u : 0u), bad = drill_tx_check(c->f, seq, (const uint8_t *)h + thl, len);

	if (bad < len)
		say(c, "live packet: the octet with sequence number %u is not the one that was written there", seq + bad - c->f->isn);
}

static void check_tcp(struct check *c)
{
	uint32_t hl = ip4_hlen((const struct ip4_hdr *)(const void *)c->p), n = c->len - hl, thl;
	struct tcp_hdr *h = (struct tcp_hdr *)(void *)(c->p + hl);
	const struct dpkt *k = c->k;

	thl = tcp_hdrlen(h);
	if (thl < TCP_HLEN || thl > n) {
		say(c, "the live packet's TCP data offset is wrong");
		return;
	}
	learn_isn(c, h);
	check_flags(c, h);
	/* A reset that answers a segment without ACK has the number 0 itself (RFC 9293 3.10.7.1). */
	if (get_be32(h->seq) || k->seq || (h->flags & (TCP_RST | TCP_ACK)) != (TCP_RST | TCP_ACK))
		field(c, "tcp_seq", k->seq, get_be32(h->seq) - (c->f->got_isn ? c->f->isn : 0));
	if (k->has_ack)
		field(c, "tcp_ack_seq", k->ack, get_be32(h->ack_seq));
	field(c, "tcp_payload_length", k->len, n - thl);
	if (k->has_win)
		field(c, "tcp_window", k->win, get_be16(h->window));
	if (k->has_urg || k->flags & DTCP_URG)
		field(c, "tcp_urg_ptr", k->urg, get_be16(h->urg_ptr));
	if (k->has_ports) {
		field(c, "tcp_source_port", c->f->lport, get_be16(h->source));
		field(c, "tcp_destination_port", c->f->rport, get_be16(h->dest));
	}
	if (!c->failed)
		check_opts(c, (uint8_t *)h + TCP_HLEN, thl - TCP_HLEN);
	if (!c->failed)
		check_octets(c, h, thl, n - thl);
}

/* ---- UDP, ICMP ---- */

static void check_udp(struct check *c)
{
	uint32_t hl = ip4_hlen((const struct ip4_hdr *)(const void *)c->p);

	field(c, "udp_length", UDP_HLEN + c->k->len, get_be16(c->p + hl + 4));
	field(c, "udp_payload_length", c->k->len, c->len - hl - UDP_HLEN);
}

static void check_quote(struct check *c, const uint8_t *q, uint32_t n)
{
	const struct dpkt *k = c->k;
	const struct ip4_hdr *h = (const struct ip4_hdr *)(const void *)q;
	uint32_t hl;

	if (n < IP4_HLEN || (hl = ip4_hlen(h)) < IP4_HLEN || n < hl + 8) {
		say(c, "the live packet quotes too little");
		return;
	}
	field(c, "icmp_quoted_protocol", k->quoted_proto == DPROTO_TCP ? IPPROTO_TCP : IPPROTO_UDP, h->protocol);
	if (k->quoted_proto == DPROTO_UDP)
		field(c, "icmp_quoted_udp_length", UDP_HLEN + k->quoted_len, get_be16(q + hl + 4));
	else
		field(c, "icmp_quoted_tcp_seq", k->quoted_seq, get_be32(q + hl + 4));
}

static void check_icmp(struct check *c)
{
	uint32_t hl = ip4_hlen((const struct ip4_hdr *)(const void *)c->p), n = c->len - hl;
	const uint8_t *t = c->p + hl;
	const struct dpkt *k = c->k;

	field(c, "icmp_type", k->type, t[0]);
	field(c, "icmp_code", k->code, t[1]);
	if (k->has_mtu)
		field(c, "icmp_mtu", k->mtu, get_be16(t + 6));
	if (k->has_id)
		field(c, "icmp_id", k->id, get_be16(t + 4));
	if (k->has_seqno)
		field(c, "icmp_seq", k->seqno, get_be16(t + 6));
	if (k->quoted)
		check_quote(c, t + ICMP_HLEN, n - ICMP_HLEN);
	else if (k->len)
		field(c, "icmp_payload_length", k->len, n - ICMP_HLEN);
}

/* ---- time ---- */

static int64_t tolerance(const struct check *c, int64_t want)
{
	const struct dconf *conf = &c->d->sc.conf;
	int64_t part = (want - (int64_t)c->d->last_ns) / 1000000 * conf->tolerance_ppm;

	return part > conf->tolerance_ns ? part : conf->tolerance_ns;
}

static void check_time(struct check *c, int64_t from, int64_t until)
{
	int64_t t = (int64_t)c->t_ns, tol = tolerance(c, until);
	char a[32], b[32], e[32];

	if (c->ev->when.kind == DTIME_ANY || (t >= from - tol && t <= until + tol))
		return;
	if (from != until)
		say(c, "timing error: expected outbound packet in relative time range from %s to %s sec but happened at %s sec",
		    drill_time(a, from), drill_time(b, until), drill_time(e, t));
	else
		say(c, "timing error: expected outbound packet at %s sec but happened at %s sec; tolerance %s sec",
		    drill_time(a, from), drill_time(b, t), drill_time(e, tol));
}

/* ---- taking packets off the queue ---- */

static bool any_live(struct drill *d, void *arg)
{
	(void)arg;
	return !list_empty(&d->live);
}

static bool is_ip(const struct drill_live *l)
{
	const struct ip4_hdr *h = (const struct ip4_hdr *)(const void *)l->data;

	return l->len >= IP4_HLEN + 8 && ip4_hlen(h) >= IP4_HLEN && ip4_hlen(h) + 8 <= l->len &&
	       (h->protocol == IPPROTO_TCP || h->protocol == IPPROTO_UDP || h->protocol == IPPROTO_ICMP);
}

/* The next packet of the stack that counts, waited for until then. NULL: none came; or it is another's, and said. */
static struct drill_live *next_live(struct check *c, uint64_t until_ns)
{
	struct drill *d = c->d;

	while (drill_pass(d, until_ns, true, any_live, NULL)) {
		struct drill_live *l = list_first_entry(&d->live, struct drill_live, list);
		struct drill_flow *of = is_ip(l) ? drill_flow_of_live(d, l, c->f) : NULL;

		if (of == c->f)
			return l;
		if (of && !of->closed) {
			c->p = l->data;
			c->len = l->len;
			c->t_ns = l->t_ns - d->start_ns;
			c->f = of; /* in its own numbers */
			say(c, "packet is not for expected socket");
			return NULL;
		}
		drill_live_drop(d, l);
	}
	return NULL;
}

static uint32_t tcp_payload(const struct drill_live *l)
{
	const struct ip4_hdr *h = (const struct ip4_hdr *)(const void *)l->data;
	uint32_t hl = ip4_hlen(h), thl;

	if (h->protocol != IPPROTO_TCP || l->len < hl + TCP_HLEN)
		return 0;
	thl = (l->data[hl + 12] >> 4) * 4u;
	return thl >= TCP_HLEN && hl + thl <= l->len ? l->len - hl - thl : 0;
}

/* May next follow what has been gathered, as the next segment of one train would? */
static bool follows(const struct check *c, const struct drill_live *next, uint32_t have)
{
	uint32_t hl = ip4_hlen((const struct ip4_hdr *)(const void *)c->p), n = tcp_payload(next);
	const uint8_t *a = c->p + hl, *b = next->data + hl;

	if (!n || have + n > c->k->len || next->data[0] != c->p[0] || next->data[1] != c->p[1] || next->data[9] != c->p[9])
		return false;
	if (a[13] & (TCP_FIN | TCP_URG | TCP_SYN | TCP_RST) || (a[13] ^ b[13]) & ~(TCP_PSH | TCP_FIN | TCP_CWR) || (b[13] & ~a[13] & TCP_CWR))
		return false;
	return a[12] == b[12] && get_be32(b + 4) == get_be32(a + 4) + have && !memcmp(a + 8, b + 8, 4);
}

/* A line that is longer than the first packet: the following ones are joined to it. */
static void join(struct check *c, uint64_t until_ns)
{
	uint32_t hl = ip4_hlen((const struct ip4_hdr *)(const void *)c->p), thl = (c->p[hl + 12] >> 4) * 4u;
	uint32_t have = c->len - hl - thl;

	if (!have) /* an ACK in front of the data is a packet of its own */
		return;
	while (have < c->k->len && have + hl + thl <= 65535) {
		struct drill_live *l;
		uint32_t n;

		if (!drill_pass(c->d, until_ns, true, any_live, NULL))
			return;
		l = list_first_entry(&c->d->live, struct drill_live, list);
		if (!is_ip(l) || !follows(c, l, have))
			return;
		check_sums(c, l->data, l->len);
		n = tcp_payload(l);
		memcpy(c->p + c->len, l->data + l->len - n, n);
		c->len += n;
		have += n;
		c->psh_inside = (c->psh_inside || c->p[hl + 13] & TCP_PSH) && !(l->data[hl + 13] & TCP_PSH);
		c->p[hl + 13] = (uint8_t)((c->p[hl + 13] & ~TCP_PSH) | (l->data[hl + 13] & (TCP_PSH | TCP_FIN)));
		drill_live_drop(c->d, l);
	}
}

static uint64_t wait_until(const struct check *c, int64_t until)
{
	int64_t now = (int64_t)drill_now(c->d), from = until > now ? until : now;

	if (c->ev->when.kind == DTIME_ANY)
		return c->d->net->now_ns + DRILL_WAIT_ANY_NS;
	return c->d->start_ns + (uint64_t)from + DRILL_WAIT_PACKET_NS;
}

static void nothing_came(struct check *c, int64_t from, int64_t until)
{
	struct strbuf sb;
	char a[32], b[32];

	if (c->failed)
		return;
	sb_init(&sb);
	drill_show_script(&sb, c->k);
	if (c->ev->when.kind == DTIME_ANY)
		drill_error(c->d, c->ev->line, "error handling packet: timing error: expected an outbound packet, but none came\nscript packet: %s", sb_str(&sb));
	else
		drill_error(c->d, c->ev->line, "error handling packet: timing error: expected outbound packet at %s sec, but none came until %s sec\nscript packet: %s",
			    drill_time(a, from), drill_time(b, (int64_t)drill_now(c->d)), sb_str(&sb));
	(void)until;
	sb_free(&sb);
}

static void compare(struct check *c, int64_t from, int64_t until)
{
	check_ip(c);
	if (c->k->proto == DPROTO_TCP)
		check_tcp(c);
	else if (c->k->proto == DPROTO_UDP)
		check_udp(c);
	else
		check_icmp(c);
	check_time(c, from, until);
}

/* The script is over, and said that its lines are all that happens. */
void drill_expect_nothing(struct drill *d)
{
	struct drill_live *l;

	list_for_each_entry(l, &d->live, list) {
		struct drill_flow *of = is_ip(l) ? drill_flow_of_live(d, l, d->cur) : NULL;
		struct strbuf sb;
		char t[32];

		if (!of)
			continue;
		sb_init(&sb);
		drill_show_live(&sb, l->data, l->len, of);
		drill_error(d, d->last_line, "a packet that no line expects\nactual packet: %s %s",
			    drill_time(t, (int64_t)(l->t_ns - d->start_ns)), sb_str(&sb));
		sb_free(&sb);
	}
}

void drill_expect(struct drill *d, const struct devent *ev, int64_t from_ns, int64_t until_ns)
{
	struct check c = { .d = d, .ev = ev, .k = ev->pkt, .from_ns = from_ns };
	struct drill_live *l;

	c.f = drill_flow_of_script(d, ev);
	if (!c.f)
		return;
	l = next_live(&c, wait_until(&c, until_ns));
	if (!l) {
		nothing_came(&c, from_ns, until_ns);
		return;
	}
	c.p = malloc(DRILL_PACKET_ROOM + l->len);
	if (!c.p)
		abort();
	memcpy(c.p, l->data, l->len);
	c.len = l->len;
	c.t_ns = l->t_ns - d->start_ns;
	drill_live_drop(d, l);
	if (check_form(&c)) {
		check_sums(&c, c.p, c.len);
		if (c.k->proto == DPROTO_TCP && c.k->len)
			join(&c, d->start_ns + (uint64_t)max_u64((uint64_t)until_ns, c.t_ns) + (uint64_t)d->sc.conf.tolerance_ns);
		if (!c.failed)
			compare(&c, from_ns, until_ns);
	}
	free(c.p);
}

/* From a line of the script to octets: IPv4 with TCP, UDP or ICMP, sums finished.
 *
 * Decides what is left unsaid: TTL 64, DF, a window of 0 (65535 in a SYN), zeros as payload (TCP: drill_stream.c), padding of options with EOL. Called by
 * drill_run.c. RFC 791, 793, 768, 792. Tests: tests/packet, tests/unit/drill/test_drill_run.c. */
#include <netinet/in.h>
#include <string.h>
#include "drill/drill_int.h"

/* ---- options ---- */

struct opt_out {
	uint8_t *p;
	int n;
};

static bool put(struct opt_out *o, const void *data, uint32_t len)
{
	if (o->n + (int)len > 40)
		return false;
	memcpy(o->p + o->n, data, len);
	o->n += (int)len;
	return true;
}

static bool put_tlv(struct opt_out *o, uint8_t kind, const void *data, uint32_t len)
{
	uint8_t h[2] = { kind, (uint8_t)(len + 2) };

	return put(o, h, 2) && put(o, data, len);
}

static bool put_sack(struct opt_out *o, const struct dopt *x, uint32_t shift)
{
	uint8_t b[DOPT_MAX_SACK * 8];

	for (uint32_t i = 0; i < x->n; i++) {
		put_be32(b + i * 8, x->sack[i].start + shift);
		put_be32(b + i * 8 + 4, x->sack[i].end + shift);
	}
	return put_tlv(o, TCPOPT_SACK, b, x->n * 8u);
}

/* RFC 9768 3.2.3: kind 172 with EE0B, ECEB, EE1B in this order, 174 the other way round. */
static bool put_accecn(struct opt_out *o, const struct dopt *x)
{
	uint8_t b[9];

	for (uint32_t i = 0; i < x->n; i++) {
		b[i * 3] = (uint8_t)(x->value[i] >> 16);
		b[i * 3 + 1] = (uint8_t)(x->value[i] >> 8);
		b[i * 3 + 2] = (uint8_t)x->value[i];
	}
	return put_tlv(o, x->n && x->field[0] == '0' ? TCPOPT_ACCECN0 : TCPOPT_ACCECN1, b, x->n * 3u);
}

static bool put_opt(struct opt_out *o, const struct dopt *x, const struct drill_flow *f, bool live)
{
	static const uint8_t single[] = { TCPOPT_EOL, TCPOPT_NOP };
	uint8_t b[48] = { 0 };

	switch (x->kind) {
	case DOPT_EOL:
		return put(o, &single[0], 1);
	case DOPT_NOP:
		return put(o, &single[1], 1);
	case DOPT_MSS:
		put_be16(b, (uint16_t)x->a);
		return put_tlv(o, TCPOPT_MSS, b, 2);
	case DOPT_WSCALE:
		b[0] = (uint8_t)x->a;
		return put_tlv(o, TCPOPT_WINDOW, b, 1);
	case DOPT_SACKOK:
		return put_tlv(o, TCPOPT_SACK_PERM, b, 0);
	case DOPT_SACK:
		return put_sack(o, x, live && f->got_isn ? f->isn : 0);
	case DOPT_TS:
		put_be32(b, x->a);
		put_be32(b + 4, live ? drill_ts_live(f, x->b) : x->b);
		return put_tlv(o, TCPOPT_TIMESTAMP, b, 8);
	case DOPT_FO:
		return put_tlv(o, TCPOPT_FASTOPEN, x->data, x->len);
	case DOPT_FOEXP:
		put_be16(b, 0xf989);
		memcpy(b + 2, x->data, x->len);
		return put_tlv(o, TCPOPT_EXP, b, x->len + 2);
	case DOPT_MD5:
		return put_tlv(o, TCPOPT_MD5SIG, x->data, 16);
	case DOPT_ACCECN:
		return put_accecn(o, x);
	case DOPT_RAW:
		return put_tlv(o, x->raw_kind, x->data, x->len);
	case DOPT_OCTETS:
		return put(o, x->data, x->len);
	}
	return false;
}

int drill_build_opts(const struct dpkt *k, const struct drill_flow *f, bool live, uint8_t out[60])
{
	struct opt_out o = { out, 0 };

	for (uint32_t i = 0; i < k->n_opts; i++)
		if (!put_opt(&o, &k->opt[i], f, live))
			return -1;
	return o.n;
}

/* ---- sums ---- */

static void sum_at(uint8_t *field, const uint8_t *p, uint32_t len, uint32_t start)
{
	uint16_t s;

	put_be16(field, 0);
	s = csum_fold(csum_partial(p, len, start));
	put_be16(field, s);
}

void drill_sum_packet(uint8_t *p, uint32_t len)
{
	struct ip4_hdr *h = (struct ip4_hdr *)(void *)p;
	uint32_t hl = ip4_hlen(h), body = len - hl;
	uint8_t *t = p + hl;

	put_be16(h->check, 0);
	put_be16(h->check, ip4_fast_csum(h, hl));
	if (h->protocol == IPPROTO_ICMP) {
		sum_at(t + 2, t, body, 0);
	} else {
		uint8_t *field = t + (h->protocol == IPPROTO_TCP ? 16 : 6);

		put_be16(field, 0);
		put_be16(field, csum_fold(csum_tcpudp_nofold(ip4_saddr(h), ip4_daddr(h), body, h->protocol,
							     csum_partial(t, body, 0))));
		if (h->protocol == IPPROTO_UDP && !get_be16(field))
			put_be16(field, 0xffff);
	}
}

/* ---- IP ---- */

static uint8_t tos_of(const struct dpkt *k)
{
	static const uint8_t ecn[] = { 0, 0, 2, 1, 2, 3 };

	return (uint8_t)((k->has_tos ? k->tos & (k->ecn ? 0xfc : 0xff) : 0) | ecn[k->ecn]);
}

static void put_ip(uint8_t *p, uint32_t len, uint8_t proto, uint32_t s, uint32_t t, const struct dpkt *k)
{
	struct ip4_hdr *h = (struct ip4_hdr *)(void *)p;

	memset(h, 0, sizeof(*h));
	h->ver_ihl = 0x45;
	h->tos = tos_of(k);
	put_be16(h->tot_len, (uint16_t)len);
	put_be16(h->frag_off, IP_DF);
	h->ttl = k->has_ttl ? k->ttl : 255;
	h->protocol = proto;
	put_be32(h->saddr, s);
	put_be32(h->daddr, t);
}

/* ---- what is in it ---- */

static uint32_t put_tcp(uint8_t *t, const struct dpkt *k, struct drill_flow *f)
{
	struct tcp_hdr *h = (struct tcp_hdr *)(void *)t;
	uint8_t opts[60] = { 0 };
	int n = drill_build_opts(k, f, true, opts);
	uint32_t hl;

	if (n < 0)
		return 0;
	hl = TCP_HLEN + (((uint32_t)n + 3) & ~3u);
	memset(h, 0, sizeof(*h));
	put_be16(h->source, f->rport);
	put_be16(h->dest, f->lport);
	put_be32(h->seq, k->seq);
	put_be32(h->ack_seq, k->has_ack || (k->flags & DTCP_ACK) ? k->ack + (f->got_isn ? f->isn : 0) : 0);
	h->off_res = (uint8_t)(hl / 4 << 4 | (k->flags & DTCP_AE ? 1u : 0u));
	h->flags = (uint8_t)k->flags;
	put_be16(h->window, k->win);
	put_be16(h->urg_ptr, k->urg);
	memcpy(t + TCP_HLEN, opts, hl - TCP_HLEN);
	drill_rx_packet(f, k, t + hl);
	return hl + k->len;
}

static uint32_t put_udp(uint8_t *t, const struct dpkt *k, const struct drill_flow *f)
{
	put_be16(t, f->rport);
	put_be16(t + 2, f->lport);
	put_be16(t + 4, (uint16_t)(UDP_HLEN + k->len));
	put_be16(t + 6, 0);
	memset(t + UDP_HLEN, 0, k->len);
	return UDP_HLEN + k->len;
}

/* The head of the packet that an ICMP error is about, as the stack sent it. */
static uint32_t put_quote(uint8_t *p, const struct dpkt *k, const struct drill_flow *f)
{
	static const struct dpkt plain;
	bool tcp = k->quoted_proto == DPROTO_TCP;
	uint8_t *t = p + IP4_HLEN;

	put_ip(p, IP4_HLEN + (uint32_t)(tcp ? TCP_HLEN : UDP_HLEN) + k->quoted_len, tcp ? IPPROTO_TCP : IPPROTO_UDP, f->laddr, f->raddr, &plain);
	put_be16(((struct ip4_hdr *)(void *)p)->check, ip4_fast_csum(p, IP4_HLEN));
	memset(t, 0, TCP_HLEN);
	put_be16(t, f->lport);
	put_be16(t + 2, f->rport);
	if (tcp) {
		put_be32(t + 4, k->quoted_seq + (f->got_isn ? f->isn : 0));
		t[12] = TCP_HLEN / 4 << 4;
		t[13] = k->quoted_flags ? (uint8_t)k->quoted_flags : TCP_ACK;
		return IP4_HLEN + TCP_HLEN;
	}
	put_be16(t + 4, (uint16_t)(UDP_HLEN + k->quoted_len));
	return IP4_HLEN + UDP_HLEN;
}

static uint32_t put_icmp(uint8_t *t, const struct dpkt *k, const struct drill_flow *f)
{
	memset(t, 0, ICMP_HLEN);
	t[0] = k->type;
	t[1] = k->code;
	if (k->has_id || k->has_seqno || k->type == ICMP_ECHO || k->type == ICMP_ECHOREPLY) {
		put_be16(t + 4, k->has_id ? (uint16_t)k->id : f->lport);
		put_be16(t + 6, (uint16_t)k->seqno);
	} else if (k->type == ICMP_REDIRECT) {
		put_be32(t + 4, f->raddr);
	}
	if (k->has_mtu)
		put_be16(t + 6, (uint16_t)k->mtu);
	if (k->quoted)
		return ICMP_HLEN + put_quote(t + ICMP_HLEN, k, f);
	memset(t + ICMP_HLEN, 0, k->len);
	return ICMP_HLEN + k->len;
}

uint32_t drill_build(struct drill *d, const struct devent *ev, struct drill_flow *f, uint8_t *out)
{
	static const uint8_t proto[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP };
	const struct dpkt *k = ev->pkt;
	uint8_t *t = out + IP4_HLEN;
	uint32_t n = 0;

	if (k->len <= 65535 - 60 - IP4_HLEN)
		n = k->proto == DPROTO_TCP ? put_tcp(t, k, f) : k->proto == DPROTO_UDP ? put_udp(t, k, f) : put_icmp(t, k, f);
	if (!n || n > 65535 - IP4_HLEN) {
		drill_error(d, ev->line, "error handling packet: it does not fit: TCP options take 40 octets at most, the packet 65535");
		return 0;
	}
	put_ip(out, IP4_HLEN + n, proto[k->proto], f->raddr, f->laddr, k);
	drill_sum_packet(out, IP4_HLEN + n);
	return IP4_HLEN + n;
}

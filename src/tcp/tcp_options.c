/* TCP options (RFC 9293 3.2, 7323, 2018): read from a received header, written to a sent one.
 *
 * Reading never loops or runs past the header: an option whose length octet is missing, below 2 or beyond the
 * header ends the parse, and the segment itself is judged by the sequence check first (TP-04..07). SACK blocks
 * are only located here; each block is judged in tcp_sack.c.
 * Tests: tests/unit/tcp. */
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_auth.h"
#include "tcp/tcp_int.h"

#define TCPOPT_FASTOPEN_ 34 /* RFC 7413 4.1.1 */
#define TCPOPT_EXP_ 254 /* RFC 6994: a shared number, told apart by a magic one */
#define TCPOPT_FASTOPEN_MAGIC 0xf989

static void parse_syn_option(const struct net *net, struct tcp_options_received *opt, uint8_t kind, uint8_t len, const uint8_t *p)
{
	const struct tcp_sysctl *s = &net->tcp->sysctl;

	if (kind == TCPOPT_MSS && len == 4) {
		uint16_t mss = get_be16(p);

		if (mss) {
			if (opt->user_mss && opt->user_mss < mss)
				mss = opt->user_mss;
			opt->mss_clamp = mss;
		}
	} else if (kind == TCPOPT_WINDOW && len == 3 && s->window_scaling) {
		opt->wscale_ok = 1;
		opt->snd_wscale = (*p > TCP_MAX_WSCALE ? TCP_MAX_WSCALE : *p) & 15; /* RFC 7323 2.3 */
	} else if (kind == TCPOPT_SACK_PERM && len == 2 && s->sack) {
		opt->sack_ok = 1;
	}
}

/* Next option at *p before end: its kind, *len (2..) and body; 0 at the end or where parsing must stop. */
static uint8_t next_option(const uint8_t **p, const uint8_t *end, uint8_t *len, const uint8_t **body, bool *bad)
{
	while (*p < end && **p == TCPOPT_NOP)
		(*p)++;
	if (*p >= end || **p == TCPOPT_EOL)
		return 0;
	if (end - *p < 2 || (*p)[1] < 2 || (*p)[1] > end - *p) {
		*bad = true;
		return 0;
	}
	*len = (*p)[1];
	*body = *p + 2;
	uint8_t kind = **p;
	*p += *len;
	return kind;
}

void tcp_parse_options(const struct net *net, const struct sk_buff *skb, struct tcp_options_received *opt, bool estab)
{
	const struct tcp_hdr *th = tcp_hdr(skb);
	const uint8_t *p = (const uint8_t *)(th + 1), *end = (const uint8_t *)th + tcp_hdrlen(th), *body = NULL;
	bool syn = (th->flags & TCP_SYN) && !estab, bad = false;
	uint8_t len = 0, kind;

	opt->saw_tstamp = 0;
	while ((kind = next_option(&p, end, &len, &body, &bad)) != 0) {
		if (kind == TCPOPT_TIMESTAMP && len == 10 &&
		    ((estab && opt->tstamp_ok) || (!estab && net->tcp->sysctl.timestamps))) {
			opt->saw_tstamp = 1;
			opt->rcv_tsval = get_be32(body);
			opt->rcv_tsecr = get_be32(body + 4);
		} else if (syn) {
			parse_syn_option(net, opt, kind, len, body);
		}
	}
	opt->bad_len = bad & 1;
}

/* The layout that everybody sends in an established connection: NOP NOP TS. True if the segment has a timestamp
 * or may not have one; false: no timestamp. */
bool tcp_fast_parse_options(const struct sk_buff *skb, struct tcp_sock *tp)
{
	const struct tcp_hdr *th = tcp_hdr(skb);
	const uint8_t *p = (const uint8_t *)(th + 1);

	if (tcp_hdrlen(th) == TCP_HLEN) {
		tp->rx_opt.saw_tstamp = 0;
		return false;
	}
	if (tp->rx_opt.tstamp_ok && tcp_hdrlen(th) == TCP_HLEN + 12 && get_be32(p) == 0x0101080a) {
		tp->rx_opt.saw_tstamp = 1;
		tp->rx_opt.rcv_tsval = get_be32(p + 4);
		tp->rx_opt.rcv_tsecr = get_be32(p + 8);
	} else {
		tcp_parse_options(tp->icsk.inet.sk.net, skb, &tp->rx_opt, true);
	}
	if (tp->rx_opt.saw_tstamp && tp->rx_opt.rcv_tsecr)
		tp->rx_opt.rcv_tsecr -= tp->tsoffset;
	return tp->rx_opt.saw_tstamp;
}

/* The SACK option's blocks (8 octets each), NULL if none or malformed (TP-12). */
const uint8_t *tcp_find_sack(const struct sk_buff *skb, unsigned *nblocks)
{
	const struct tcp_hdr *th = tcp_hdr(skb);
	const uint8_t *p = (const uint8_t *)(th + 1), *end = (const uint8_t *)th + tcp_hdrlen(th), *body = NULL;
	bool bad = false;
	uint8_t len = 0, kind;

	while ((kind = next_option(&p, end, &len, &body, &bad)) != 0)
		if (kind == TCPOPT_SACK && len >= 10 && (len - 2) % 8 == 0) {
			*nblocks = (unsigned)(len - 2) / 8;
			return body;
		}
	return NULL;
}

static void take_cookie(struct tcp_fo_cookie *c, const uint8_t *body, uint32_t len, bool exp)
{
	c->len = (uint8_t)len;
	c->exp = exp;
	memcpy(c->val, body, len);
}

bool tcp_find_fastopen(const struct sk_buff *skb, struct tcp_fo_cookie *c)
{
	const struct tcp_hdr *th = tcp_hdr(skb);
	const uint8_t *p = (const uint8_t *)(th + 1), *end = (const uint8_t *)th + tcp_hdrlen(th), *body = NULL;
	bool bad = false;
	uint8_t len = 0, kind;

	while ((kind = next_option(&p, end, &len, &body, &bad)) != 0)
		if (kind == TCPOPT_FASTOPEN_ && (len == 2 || (len >= 6 && len <= 18 && len % 2 == 0))) {
			take_cookie(c, body, len - 2u, false);
			return true;
		} else if (kind == TCPOPT_EXP_ && (len == 4 || (len >= 8 && len <= 20 && len % 2 == 0)) && get_be16(body) == TCPOPT_FASTOPEN_MAGIC) {
			take_cookie(c, body + 2, len - 4u, true);
			return true;
		}
	return false;
}

/* The AccECN option (RFC 9768 3.2.3), whose kind says the order of its fields. */
bool tcp_find_accecn(const struct sk_buff *skb, struct tcp_accecn_option *o)
{
	static const uint8_t order[2][3] = { { TCP_ECT0, TCP_CE, TCP_ECT1 }, { TCP_ECT1, TCP_CE, TCP_ECT0 } };
	const struct tcp_hdr *th = tcp_hdr(skb);
	const uint8_t *p = (const uint8_t *)(th + 1), *end = (const uint8_t *)th + tcp_hdrlen(th), *body = NULL;
	bool bad = false;
	uint8_t len = 0, kind;

	while ((kind = next_option(&p, end, &len, &body, &bad)) != 0) {
		if (kind != TCPOPT_ACCECN0 && kind != TCPOPT_ACCECN1)
			continue;
		o->n = (uint8_t)min_u32((len - 2u) / 3, 3);
		memcpy(o->ect, order[kind == TCPOPT_ACCECN1], 3);
		for (unsigned i = 0; i < o->n; i++)
			o->value[i] = (uint32_t)body[3 * i] << 16 | get_be16(body + 3 * i + 1);
		return true;
	}
	return false;
}

/* Octets of the options, padded to words. At most 40: on SYN 4+12+4 (SACK permitted rides with TS) = 20,
 * and a Fast Open cookie 20; else 12 + 4 + 8 * 3 = 40. */
uint32_t tcp_options_size(const struct tcp_out_options *o)
{
	uint32_t n = 0;

	if (unlikely(o->options & OPTION_AUTH))
		n += tcp_key_room(o->key);
	if (o->options & OPTION_MSS)
		n += 4;
	if (o->options & OPTION_TS)
		n += 12;
	else if (o->options & OPTION_SACK_ADVERTISE)
		n += 4;
	if (o->options & OPTION_WSCALE)
		n += 4;
	if (o->options & OPTION_FASTOPEN)
		n += ((o->fo->exp ? 4u : 2u) + o->fo->len + 3) & ~3u;
	if (o->num_sack_blocks)
		n += 4 + 8u * o->num_sack_blocks;
	if (o->options & OPTION_ACCECN)
		n += o->accecn_size;
	return n;
}

void tcp_option_fastopen(struct tcp_out_options *o, const struct tcp_fo_cookie *c)
{
	if (tcp_options_size(o) + ((2u + c->len + 3u) & ~3u) > 40)
		return;
	o->options |= OPTION_FASTOPEN;
	o->fo = c;
}

/* The option of a signed segment, padded to words: where the signature is to go. */
uint8_t *tcp_option_auth(uint8_t *p, const struct tcp_key *k)
{
	uint32_t len;

	if (k->type == TCP_KEY_MD5) {
		put_be32(p, 0x01010000u | TCPOPT_MD5SIG << 8 | (TCP_MD5_LEN + 2));
		return p + 4;
	}
	len = 4u + k->ao->maclen;
	put_be32(p, (uint32_t)TCPOPT_AO << 24 | len << 16 | (uint32_t)k->ao->sndid << 8 | k->rnext);
	for (uint32_t i = len; i & 3; i++)
		p[i] = TCPOPT_NOP;
	return p + 4;
}

/* NOPs in front of the next option; the AccECN option may have taken some of them (*taken). */
static uint8_t *put_nops(uint8_t *p, uint32_t n, uint32_t *taken)
{
	for (n -= *taken, *taken = 0; n; n--)
		*p++ = TCPOPT_NOP;
	return p;
}

/* Kind 174. How many octets of the following NOPs it took. */
static uint8_t *put_accecn(uint8_t *p, const struct tcp_out_options *o, uint32_t *taken)
{
	uint8_t *from = p;

	*p++ = TCPOPT_ACCECN1;
	*p++ = (uint8_t)(2 + 3 * o->accecn_fields);
	for (unsigned i = 0; i < o->accecn_fields; i++, p += 3) {
		p[0] = (uint8_t)(o->ecn_bytes[i] >> 16);
		put_be16(p + 1, (uint16_t)o->ecn_bytes[i]);
	}
	while (p - from < o->accecn_size)
		*p++ = TCPOPT_NOP;
	*taken = (uint32_t)(p - from) - o->accecn_size;
	return p;
}

/* In Linux's order, so that a fingerprint of the host is Linux's. */
uint8_t *tcp_options_write(uint8_t *p, const struct tcp_out_options *o)
{
	uint8_t *mac = NULL;
	uint32_t taken = 0;

	if (unlikely(o->options & OPTION_AUTH)) {
		mac = tcp_option_auth(p, o->key);
		p += tcp_key_room(o->key);
	}
	if (o->options & OPTION_MSS) {
		put_be32(p, 0x02040000u | o->mss);
		p += 4;
	}
	if (o->options & OPTION_TS) {
		put_be32(p, o->options & OPTION_SACK_ADVERTISE ? 0x0402080au : 0x0101080au);
		put_be32(p + 4, o->tsval);
		put_be32(p + 8, o->tsecr);
		p += 12;
	}
	if (unlikely(o->options & OPTION_ACCECN))
		p = put_accecn(p, o, &taken);
	if ((o->options & (OPTION_SACK_ADVERTISE | OPTION_TS)) == OPTION_SACK_ADVERTISE) {
		p = put_nops(p, 2, &taken);
		*p++ = TCPOPT_SACK_PERM;
		*p++ = 2;
	}
	if (o->options & OPTION_WSCALE) {
		p = put_nops(p, 1, &taken);
		*p++ = TCPOPT_WINDOW;
		*p++ = 3;
		*p++ = o->ws;
	}
	if (o->options & OPTION_FASTOPEN) {
		uint32_t len = (o->fo->exp ? 4u : 2u) + o->fo->len;

		*p++ = o->fo->exp ? TCPOPT_EXP_ : TCPOPT_FASTOPEN_;
		*p++ = (uint8_t)len;
		if (o->fo->exp) {
			put_be16(p, TCPOPT_FASTOPEN_MAGIC);
			p += 2;
		}
		memcpy(p, o->fo->val, o->fo->len);
		p += o->fo->len;
		for (; len & 3; len++)
			*p++ = TCPOPT_NOP;
	}
	if (o->num_sack_blocks) {
		p = put_nops(p, 2, &taken);
		*p++ = TCPOPT_SACK;
		*p++ = (uint8_t)(2 + 8 * o->num_sack_blocks);
		for (unsigned i = 0; i < o->num_sack_blocks; i++, p += 8) {
			put_be32(p, o->sacks[i].start_seq);
			put_be32(p + 4, o->sacks[i].end_seq);
		}
	}
	return mac;
}

/* Classic BPF on sockets (SO_ATTACH_FILTER; the machine of McCanne and Jacobson's paper, bpf(4)): tcpdump's
 * filters, and any program's.
 *
 * Decides: which octets of a packet a socket keeps. A program is checked once when it is attached: known
 * operations, forward jumps inside, constant divisors that are not 0, memory words that exist, a return at
 * the end. So it ends after at most len steps and never reads beside the packet: a load beyond it returns 0.
 * Called by: sock_recv.c, socket/af_packet.c. Tests: tests/unit/core/test_sock_filter.c. */
#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include "core/netdevice.h"
#include "core/sock.h"

struct sock_filter_prog {
	uint32_t refs;
	uint16_t len;
	struct sock_filter ins[];
};

struct bpf_run {
	const struct sk_buff *skb;
	uint32_t a, x, mem[BPF_MEMWORDS];
};

/* What Linux offers beside the octets, at negative offsets. */
static bool bpf_load_ancillary(const struct bpf_run *r, uint32_t off, uint32_t *out)
{
	const struct sk_buff *skb = r->skb;

	switch (off) {
	case SKF_AD_PROTOCOL:
		*out = skb->protocol;
		return true;
	case SKF_AD_PKTTYPE:
		*out = skb->pkt_type;
		return true;
	case SKF_AD_IFINDEX:
		*out = skb->dev ? (uint32_t)skb->dev->ifindex : (uint32_t)skb->skb_iif;
		return true;
	case SKF_AD_MARK:
		*out = skb->mark;
		return true;
	case SKF_AD_HATYPE:
		*out = skb->dev ? skb->dev->type : 0;
		return true;
	case SKF_AD_VLAN_TAG:
		*out = skb->vlan_tci;
		return true;
	case SKF_AD_VLAN_TAG_PRESENT:
		*out = skb->vlan_tci != 0;
		return true;
	default:
		return false;
	}
}

/* size octets, big-endian, at off from data, from the network header or from the link header. */
static bool bpf_load(const struct bpf_run *r, uint32_t off, uint32_t size, uint32_t *out)
{
	const struct sk_buff *skb = r->skb;
	int64_t at = (int32_t)off;
	uint8_t b[4];

	if (at >= SKF_AD_OFF && at < 0)
		return bpf_load_ancillary(r, off - (uint32_t)SKF_AD_OFF, out);
	if (at < 0 && at >= SKF_NET_OFF)
		at = at - SKF_NET_OFF + (skb->head + skb->network_header - skb->data);
	else if (at < 0 && at >= SKF_LL_OFF && skb_mac_header_was_set(skb))
		at = at - SKF_LL_OFF + (skb_mac_header(skb) - skb->data);
	if (at < 0 || at + size > skb->len || skb_copy_bits(skb, (uint32_t)at, b, size))
		return false;
	*out = size == 1 ? b[0] : size == 2 ? get_be16(b) : get_be32(b);
	return true;
}

static bool bpf_alu(struct bpf_run *r, uint16_t op, uint32_t v)
{
	switch (op) {
	case BPF_ADD:
		r->a += v;
		return true;
	case BPF_SUB:
		r->a -= v;
		return true;
	case BPF_MUL:
		r->a *= v;
		return true;
	case BPF_DIV:
	case BPF_MOD:
		if (!v)
			return false;
		r->a = op == BPF_DIV ? r->a / v : r->a % v;
		return true;
	case BPF_OR:
		r->a |= v;
		return true;
	case BPF_AND:
		r->a &= v;
		return true;
	case BPF_XOR:
		r->a ^= v;
		return true;
	case BPF_LSH:
		r->a = v < 32 ? r->a << v : 0;
		return true;
	case BPF_RSH:
		r->a = v < 32 ? r->a >> v : 0;
		return true;
	default: /* BPF_NEG */
		r->a = -r->a;
		return true;
	}
}

static bool bpf_test(const struct bpf_run *r, uint16_t op, uint32_t v)
{
	switch (op) {
	case BPF_JEQ:
		return r->a == v;
	case BPF_JGT:
		return r->a > v;
	case BPF_JGE:
		return r->a >= v;
	default: /* BPF_JSET */
		return (r->a & v) != 0;
	}
}

/* LD and LDX. False: outside the packet. */
static bool bpf_load_op(struct bpf_run *r, const struct sock_filter *f)
{
	bool to_x = BPF_CLASS(f->code) == BPF_LDX;
	uint32_t size = BPF_SIZE(f->code) == BPF_W ? 4 : BPF_SIZE(f->code) == BPF_H ? 2 : 1;
	uint32_t v = 0;

	switch (BPF_MODE(f->code)) {
	case BPF_IMM:
		v = f->k;
		break;
	case BPF_LEN:
		v = r->skb->len;
		break;
	case BPF_MEM:
		v = r->mem[f->k];
		break;
	case BPF_ABS:
		if (!bpf_load(r, f->k, size, &v))
			return false;
		break;
	case BPF_IND:
		if (!bpf_load(r, r->x + f->k, size, &v))
			return false;
		break;
	default: /* BPF_MSH: an IP header's length */
		if (!bpf_load(r, f->k, 1, &v))
			return false;
		v = (v & 15) * 4;
	}
	*(to_x ? &r->x : &r->a) = v;
	return true;
}

uint32_t sk_run_filter(struct sock *sk, struct sk_buff *skb)
{
	const struct sock_filter_prog *p = sk->filter;
	struct bpf_run r = { .skb = skb };
	uint32_t pc = 0;

	if (!p)
		return UINT32_MAX;
	for (;;) {
		const struct sock_filter *f = &p->ins[pc++];
		uint32_t v = BPF_SRC(f->code) == BPF_X ? r.x : f->k;

		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
		case BPF_LDX:
			if (!bpf_load_op(&r, f))
				return 0;
			break;
		case BPF_ST:
			r.mem[f->k] = r.a;
			break;
		case BPF_STX:
			r.mem[f->k] = r.x;
			break;
		case BPF_ALU:
			if (!bpf_alu(&r, BPF_OP(f->code), v))
				return 0;
			break;
		case BPF_JMP:
			if (BPF_OP(f->code) == BPF_JA)
				pc += f->k;
			else
				pc += bpf_test(&r, BPF_OP(f->code), v) ? f->jt : f->jf;
			break;
		case BPF_RET:
			return BPF_RVAL(f->code) == BPF_A ? r.a : f->k;
		default: /* BPF_MISC */
			if (BPF_MISCOP(f->code) == BPF_TAX)
				r.x = r.a;
			else
				r.a = r.x;
		}
	}
}

/* ---- the check ---- */

static bool bpf_check_load(const struct sock_filter *f)
{
	bool ldx = BPF_CLASS(f->code) == BPF_LDX;

	switch (BPF_MODE(f->code)) {
	case BPF_IMM:
	case BPF_LEN:
		return BPF_SIZE(f->code) == BPF_W;
	case BPF_MEM:
		return BPF_SIZE(f->code) == BPF_W && f->k < BPF_MEMWORDS;
	case BPF_ABS:
	case BPF_IND:
		return !ldx && BPF_SIZE(f->code) != 0x18;
	case BPF_MSH:
		return ldx && BPF_SIZE(f->code) == BPF_B;
	default:
		return false;
	}
}

static bool bpf_check_alu(const struct sock_filter *f)
{
	bool k = BPF_SRC(f->code) == BPF_K;

	switch (BPF_OP(f->code)) {
	case BPF_DIV:
	case BPF_MOD:
		return !k || f->k;
	case BPF_LSH:
	case BPF_RSH:
		return !k || f->k < 32;
	default:
		return BPF_OP(f->code) <= BPF_XOR;
	}
}

/* left: instructions behind this one. */
static bool bpf_check_jump(const struct sock_filter *f, uint32_t left)
{
	switch (BPF_OP(f->code)) {
	case BPF_JA:
		return f->k < left;
	case BPF_JEQ:
	case BPF_JGT:
	case BPF_JGE:
	case BPF_JSET:
		return f->jt < left && f->jf < left;
	default:
		return false;
	}
}

static bool bpf_check_one(const struct sock_filter *f, uint32_t left)
{
	if (f->code > 0xff)
		return false;
	switch (BPF_CLASS(f->code)) {
	case BPF_LD:
	case BPF_LDX:
		return left && bpf_check_load(f);
	case BPF_ST:
	case BPF_STX:
		return left && f->k < BPF_MEMWORDS && !(f->code & ~7);
	case BPF_ALU:
		return left && bpf_check_alu(f);
	case BPF_JMP:
		return bpf_check_jump(f, left);
	case BPF_RET:
		return BPF_RVAL(f->code) == BPF_K || BPF_RVAL(f->code) == BPF_A;
	default:
		return left && (BPF_MISCOP(f->code) == BPF_TAX || BPF_MISCOP(f->code) == BPF_TXA);
	}
}

int sk_attach_filter(struct sock *sk, const struct sock_fprog *fprog)
{
	struct sock_filter_prog *p;
	uint32_t i;

	if (!fprog->filter)
		return -EFAULT;
	if (!fprog->len || fprog->len > BPF_MAXINSNS)
		return -EINVAL;
	for (i = 0; i < fprog->len; i++)
		if (!bpf_check_one(&fprog->filter[i], fprog->len - 1u - i))
			return -EINVAL;
	p = xcalloc(1, sizeof(*p) + fprog->len * sizeof(p->ins[0]));
	p->refs = 1;
	p->len = fprog->len;
	memcpy(p->ins, fprog->filter, fprog->len * sizeof(p->ins[0]));
	sk_filter_copy(sk, NULL);
	sk->filter = p;
	return 0;
}

int sk_get_filter(const struct sock *sk, void *val, socklen_t *len)
{
	const struct sock_filter_prog *p = sk->filter;

	if (!p) {
		*len = 0;
		return 0;
	}
	if (*len && *len < p->len)
		return -EINVAL;
	if (*len)
		memcpy(val, p->ins, p->len * sizeof(p->ins[0]));
	*len = p->len;
	return 0;
}

int sk_detach_filter(struct sock *sk)
{
	if (!sk->filter)
		return -ENOENT;
	sk_filter_copy(sk, NULL);
	return 0;
}

void sk_filter_copy(struct sock *child, const struct sock *parent)
{
	struct sock_filter_prog *old = child->filter;

	child->filter = parent ? parent->filter : NULL;
	if (child->filter)
		child->filter->refs++;
	if (old && --old->refs == 0)
		free(old);
}

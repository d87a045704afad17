/* The retransmission queue as a search tree, for a sender that is told of holes: a SACK block may point anywhere into a
 * queue of a hundred thousand originals, and must cost O(log n) whatever a peer chooses (TR-04, TR-05).
 *
 * The list stays what it is; the tree is a treap over the same skbs through their control blocks. It is made when the
 * first SACK comes, in O(n), grows and shrinks with the queue, and is forgotten when a whole window was acknowledged
 * without a SACK: so a connection without loss never pays for it, and a peer cannot make it be built more than once per
 * window.
 *
 * Runs of SACKed originals are stepped over: skip_seq of each says up to where all is known to be SACKed, and a walk
 * that meets another run behind it writes down the longer jump.
 *
 * Called by tcp_sack.c (find), tcp_output.c and tcp_xmit.c (the queue changes). Tests: tests/unit/tcp/test_tcp_flood.c. */
#include "tcp/tcp_int.h"

#define PRIO_LEVEL (1u << 26) /* how much a level weighs in a tree that is built: 64 levels */

static inline struct tcp_skb_cb *cb(const struct sk_buff *skb) { return TCP_SKB_CB((struct sk_buff *)(uintptr_t)skb); }

/* A balanced tree of the next n skbs of the list. */
static struct sk_buff *build(struct sk_buff **next, uint32_t n, uint32_t level)
{
	struct sk_buff *left, *skb;

	if (!n)
		return NULL;
	left = build(next, n / 2, level + 1);
	skb = *next;
	*next = skb->next;
	cb(skb)->prio = UINT32_MAX - level * PRIO_LEVEL;
	cb(skb)->tx.left = left;
	cb(skb)->tx.right = build(next, n - n / 2 - 1, level + 1);
	return skb;
}

static void tree_need(struct tcp_sock *tp)
{
	struct sk_buff *first = skb_peek(&tp->fl->rtx_queue);

	tp->sack->tree_until = tp->snd_nxt;
	if (!tp->sack->rtx_root && first)
		tp->sack->rtx_root = build(&first, tp->fl->rtx_queue.qlen, 0);
}

/* The first original that ends after seq, or NULL. */
struct sk_buff *tcp_rtx_find(struct tcp_sock *tp, uint32_t seq)
{
	struct sk_buff *t, *best = NULL;

	tree_need(tp);
	for (t = tp->sack->rtx_root; t;) {
		if (after(cb(t)->end_seq, seq)) {
			best = t;
			t = cb(t)->tx.left;
		} else {
			t = cb(t)->tx.right;
		}
	}
	return best;
}

static struct sk_buff *insert(struct sk_buff *t, struct sk_buff *n)
{
	struct sk_buff *c;

	if (!t)
		return n;
	if (before(cb(n)->seq, cb(t)->seq)) {
		c = cb(t)->tx.left = insert(cb(t)->tx.left, n);
		if (cb(c)->prio > cb(t)->prio) {
			cb(t)->tx.left = cb(c)->tx.right;
			cb(c)->tx.right = t;
			return c;
		}
	} else {
		c = cb(t)->tx.right = insert(cb(t)->tx.right, n);
		if (cb(c)->prio > cb(t)->prio) {
			cb(t)->tx.right = cb(c)->tx.left;
			cb(c)->tx.left = t;
			return c;
		}
	}
	return t;
}

void tcp_rtx_tree_insert_(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);

	cb(skb)->prio = (uint32_t)rng_u64(&tcp_net(sk)->rng);
	cb(skb)->tx.left = cb(skb)->tx.right = NULL;
	tp->sack->rtx_root = insert(tp->sack->rtx_root, skb);
}

static struct sk_buff *join(struct sk_buff *a, struct sk_buff *b)
{
	if (!a || !b)
		return a ? a : b;
	if (cb(a)->prio > cb(b)->prio) {
		cb(a)->tx.right = join(cb(a)->tx.right, b);
		return a;
	}
	cb(b)->tx.left = join(a, cb(b)->tx.left);
	return b;
}

void tcp_rtx_tree_remove_(struct tcp_sock *tp, struct sk_buff *skb)
{
	struct sk_buff **link = &tp->sack->rtx_root;

	while (*link && *link != skb)
		link = before(cb(skb)->seq, cb(*link)->seq) ? &cb(*link)->tx.left : &cb(*link)->tx.right;
	if (*link)
		*link = join(cb(skb)->tx.left, cb(skb)->tx.right);
}

/* Behind the run of SACKed originals that skb (SACKed) is part of: the next that is not, or NULL. */
struct sk_buff *tcp_rtx_skip_sacked(struct tcp_sock *tp, struct sk_buff *skb)
{
	struct sk_buff *end = (struct sk_buff *)(void *)&tp->fl->rtx_queue, *prev = NULL;

	while (skb && skb != end && (cb(skb)->sacked & TCPCB_SACKED_ACKED)) {
		if (prev)
			cb(prev)->skip_seq = cb(skb)->skip_seq;
		prev = skb;
		skb = cb(skb)->skip_seq == cb(skb)->end_seq ? skb->next : tcp_rtx_find(tp, cb(skb)->skip_seq);
	}
	return skb == end ? NULL : skb;
}

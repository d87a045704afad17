/* The keys that make Fast Open's cookies (RFC 7413 4.1.2): a host's (net.ipv4.tcp_fastopen_key) or a listener's own
 * (TCP_FASTOPEN_KEY). Two while one is being replaced: the first makes cookies, the second is still taken.
 *
 * Called by tcp_sockopt.c, tcp_fastopen.c, and as a sysctl. Tests: tests/unit/tcp/test_tcp_fastopen_opt.c. */
#include <stdio.h>
#include "core/procfs.h"
#include "tcp/tcp_int.h"

#define KEY_LEN 16u

const struct tcp_fo_keys *tcp_fastopen_keys(const struct sock *sk)
{
	const struct tcp_rare *r = tcp_sk(sk)->rare;

	return r && r->fo_keys.n ? &r->fo_keys : &tcp_net(sk)->fo_keys;
}

int tcp_fastopen_set_keys(struct sock *sk, const void *val, socklen_t len)
{
	struct tcp_fo_keys *k;

	if (len != KEY_LEN && len != 2 * KEY_LEN)
		return -EINVAL;
	k = &tcp_rare(sk)->fo_keys;
	k->n = (uint8_t)(len / KEY_LEN);
	memcpy(k->key, val, len);
	return 0;
}

int tcp_fastopen_get_keys(const struct sock *sk, void *val, socklen_t *len)
{
	const struct tcp_rare *r = tcp_sk(sk)->rare;

	*len = r ? (socklen_t)min_sz(*len, r->fo_keys.n * KEY_LEN) : 0; /* its own: the host's are nobody's business */
	if (*len)
		memcpy(val, r->fo_keys.key, *len);
	return 0;
}

static uint32_t word(const uint8_t *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24; }

void tcp_fastopen_get_key_sysctl(struct net *net, const struct ctl_table *t, struct strbuf *out)
{
	const struct tcp_fo_keys *k = &net->tcp->fo_keys;

	for (unsigned i = 0; i < k->n; i++)
		sb_printf(out, "%s%08x-%08x-%08x-%08x", i ? "," : "", word(k->key[i]), word(k->key[i] + 4), word(k->key[i] + 8),
			  word(k->key[i] + 12));
}

/* Four words; what stands behind them is not looked at, of a longer word the last eight digits count. */
static bool parse_key(const char *text, uint8_t key[KEY_LEN])
{
	unsigned w[4];

	if (sscanf(text, "%x-%x-%x-%x", &w[0], &w[1], &w[2], &w[3]) != 4)
		return false;
	for (unsigned i = 0; i < KEY_LEN; i++)
		key[i] = (uint8_t)(w[i / 4] >> (8 * (i % 4)));
	return true;
}

int tcp_fastopen_set_key_sysctl(struct net *net, const struct ctl_table *t, const char *text)
{
	struct tcp_fo_keys k = { .n = 1 };
	const char *second = strchr(text, ',');

	if (!parse_key(text, k.key[0]))
		return -EINVAL;
	if (second) {
		if (!parse_key(second + 1, k.key[1]))
			return -EINVAL;
		k.n = 2;
	}
	net->tcp->fo_keys = k;
	return 0;
}

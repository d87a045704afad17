/* The assembly of a host: what a new one has, and that two of them share nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "core/netdevice.h"
#include "core/procfs.h"
#include "culver/host.h"
#include "ipv4/ip.h"

struct world {
	struct skb_pool *skbs;
	struct serial_source serials;
};

static void kick(void *arg, struct net *net)
{
}

static struct net *boot(struct world *w, const char *name, uint32_t id)
{
	struct net_params p = { .name = name, .id = id, .seed = 1, .owner = { .kick = kick }, .serials = &w->serials };

	p.skbs = w->skbs;
	return host_new(&p);
}

/* S2-46: lo is there, up, and has 127.0.0.1/8. */
static void s2_46_lo_is_up_with_its_address(void **state)
{
	struct world w = { .skbs = skb_pool_new(0) };
	struct net *net = boot(&w, "a", 1);
	struct strbuf sb;

	assert_non_null(net);
	assert_true(net->loopback_dev->flags & DEVF_UP);
	assert_int_equal(inet_addr_type(net, 0x7f000001), RTN_LOCAL);
	assert_int_equal(inet_addr_type(net, 0x7f010203), RTN_LOCAL); /* all of 127/8 */
	assert_int_equal(inet_addr_type(net, 0x0a000001), RTN_UNICAST);
	sb_init(&sb);
	assert_int_equal(proc_read(net, "net/dev", &sb), 0);
	assert_non_null(strstr(sb_str(&sb), "lo:"));
	sb_free(&sb);
	host_free(net);
	assert_int_equal(skb_pool_bytes(w.skbs), 0);
	skb_pool_free(w.skbs);
}

static void two_hosts_share_no_state(void **state)
{
	struct world w = { .skbs = skb_pool_new(0) };
	struct net *a = boot(&w, "a", 1), *b = boot(&w, "b", 2);
	struct strbuf sb;

	sb_init(&sb);
	assert_int_equal(sysctl_set(a, "net.ipv4.ip_forward", "1"), 0);
	assert_int_equal(sysctl_get(b, "net.ipv4.ip_forward", &sb), 0);
	assert_string_equal(sb_str(&sb), "0");
	assert_int_equal(inet_add_addr(a, a->loopback_dev, 0x0a000001, 32, 0, 0), 0);
	assert_int_equal(inet_addr_type(a, 0x0a000001), RTN_LOCAL);
	assert_int_equal(inet_addr_type(b, 0x0a000001), RTN_UNICAST);
	assert_memory_not_equal(a->secret, b->secret, sizeof(a->secret));
	host_free(a);
	assert_int_equal(inet_addr_type(b, 0x7f000001), RTN_LOCAL);
	host_free(b);
	sb_free(&sb);
	skb_pool_free(w.skbs);
}

/* An idle host wants nothing: it has no deadline. */
static void an_idle_host_sleeps(void **state)
{
	struct world w = { .skbs = skb_pool_new(0) };
	struct net *net = boot(&w, "a", 1);

	net_run(net);
	assert_true(net_next_deadline(net) >= 30 * NSEC_PER_SEC);
	host_free(net);
	skb_pool_free(w.skbs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s2_46_lo_is_up_with_its_address),
		cmocka_unit_test(two_hosts_share_no_state),
		cmocka_unit_test(an_idle_host_sleeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

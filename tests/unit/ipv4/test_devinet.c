/* Addresses and devices: what routes an address brings, what stays and goes when its device does. Netlink too. */
#include "bed.h"
#include <stdlib.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include "ipv4/fib_trie.h"

static struct bed *b;
static struct wire *w;

static int setup(void **state)
{
	b = bed_new();
	w = bed_wire(b, "eth0", NULL);
	return 0;
}

static int teardown(void **state)
{
	bed_free(b);
	return 0;
}

/* Table as text: "local 10.0.0.1/32 eth0 host src 10.0.0.1; ..." */
static void table_text(uint32_t id, struct strbuf *sb)
{
	struct fib_table *tb = fib_get_table(b->net, id);
	struct fib_dump_item *v;
	size_t n;

	sb_init(sb);
	sb_puts(sb, "");
	if (!tb)
		return;
	v = fib_table_collect(tb, &n);
	for (size_t i = 0; i < n; i++) {
		const struct fib_info *fi = v[i].fa->fi;
		char a[IP4_STRLEN], s[IP4_STRLEN];

		sb_printf(sb, "%s %s/%u %s %s src %s;", v[i].fa->type == RTN_LOCAL ? "local" : v[i].fa->type == RTN_BROADCAST ? "broadcast" : "unicast",
			  ip4_str(a, v[i].key), v[i].plen, fi->nh[0].dev ? fi->nh[0].dev->name : "-",
			  fi->scope == RT_SCOPE_HOST ? "host" : fi->scope == RT_SCOPE_LINK ? "link" : "global", ip4_str(s, fi->prefsrc));
	}
	free(v);
}

static void expect_table(uint32_t id, const char *want)
{
	struct strbuf sb;

	table_text(id, &sb);
	assert_string_equal(sb_str(&sb), want);
	sb_free(&sb);
}

#define LO_ROUTES "local 127.0.0.0/8 lo host src 127.0.0.1;local 127.0.0.1/32 lo host src 127.0.0.1;" \
		  "broadcast 127.255.255.255/32 lo link src 127.0.0.1;"

static int add(const char *addr, uint8_t plen)
{
	return inet_add_addr(b->net, w->dev, bed_addr(addr), plen, 0, 0);
}

static void s2_28_routes_of_an_address(void **state)
{
	expect_table(255, LO_ROUTES);
	assert_int_equal(add("10.143.7.8", 24), 0);
	expect_table(255, "local 10.143.7.8/32 eth0 host src 10.143.7.8;broadcast 10.143.7.255/32 eth0 link src 10.143.7.8;" LO_ROUTES);
	expect_table(254, "unicast 10.143.7.0/24 eth0 link src 10.143.7.8;");
	assert_int_equal(inet_del_addr(b->net, w->dev, bed_addr("10.143.7.8"), 24), 0);
	expect_table(255, LO_ROUTES);
	expect_table(254, "");
	assert_int_equal(inet_del_addr(b->net, w->dev, bed_addr("10.143.7.8"), 24), -EADDRNOTAVAIL);
}

static void slash31_and_slash32(void **state)
{
	assert_int_equal(add("10.0.0.4", 31), 0); /* RFC 3021: no broadcast */
	expect_table(255, "local 10.0.0.4/32 eth0 host src 10.0.0.4;" LO_ROUTES);
	expect_table(254, "unicast 10.0.0.4/31 eth0 link src 10.0.0.4;");
	assert_int_equal(inet_del_addr(b->net, w->dev, bed_addr("10.0.0.4"), 31), 0);
	assert_int_equal(add("10.0.0.9", 32), 0); /* one host: no net */
	expect_table(255, "local 10.0.0.9/32 eth0 host src 10.0.0.9;" LO_ROUTES);
	expect_table(254, "");
}

static void bad_addresses(void **state)
{
	assert_int_equal(add("224.0.0.5", 24), -EINVAL);
	assert_int_equal(add("255.255.255.255", 24), -EINVAL);
	assert_int_equal(add("0.0.0.0", 24), -EINVAL);
	assert_int_equal(add("10.0.0.1", 33), -EINVAL);
	assert_int_equal(add("10.0.0.1", 24), 0);
	assert_int_equal(add("10.0.0.1", 24), -EEXIST);
}

static void secondary_addresses(void **state)
{
	assert_int_equal(add("10.0.0.1", 24), 0);
	assert_int_equal(add("10.0.0.2", 24), 0);
	assert_true(inet_lookup_ifaddr(b->net, NULL, bed_addr("10.0.0.2"))->secondary);
	expect_table(255, "local 10.0.0.1/32 eth0 host src 10.0.0.1;local 10.0.0.2/32 eth0 host src 10.0.0.1;"
			  "broadcast 10.0.0.255/32 eth0 link src 10.0.0.1;" LO_ROUTES);
	assert_int_equal(inet_select_addr(w->dev, 0, 0), bed_addr("10.0.0.1"));
	assert_int_equal(inet_del_addr(b->net, w->dev, bed_addr("10.0.0.1"), 24), 0); /* the others go with it */
	expect_table(255, LO_ROUTES);
	bed_sysctl(b, "net.ipv4.conf.eth0.promote_secondaries", "1");
	assert_int_equal(add("10.0.0.1", 24), 0);
	assert_int_equal(add("10.0.0.2", 24), 0);
	assert_int_equal(add("10.0.0.3", 24), 0);
	assert_int_equal(inet_del_addr(b->net, w->dev, bed_addr("10.0.0.1"), 24), 0);
	expect_table(255, "local 10.0.0.2/32 eth0 host src 10.0.0.2;local 10.0.0.3/32 eth0 host src 10.0.0.2;"
			  "broadcast 10.0.0.255/32 eth0 link src 10.0.0.2;" LO_ROUTES);
	expect_table(254, "unicast 10.0.0.0/24 eth0 link src 10.0.0.2;");
}

static void s2_77_device_down_keeps_local(void **state)
{
	int fd = bed_udp(b, NULL, 7000);
	char buf[4];

	assert_int_equal(add("10.0.0.1", 24), 0);
	assert_int_equal(bed_route(b, "0.0.0.0/0", "10.0.0.9", NULL, 0), 0);
	assert_int_equal(dev_close(w->dev), 0);
	expect_table(255, "local 10.0.0.1/32 eth0 host src 10.0.0.1;" LO_ROUTES); /* broadcast and connected go */
	expect_table(254, "");
	assert_int_equal(bed_send(b, fd, "10.0.0.1", 7000, "x", 1), 1); /* own address answers through lo */
	assert_int_equal(bed_recv(b, fd, buf, 4), 1);
	assert_int_equal(bed_send(b, fd, "10.0.0.9", 7000, "x", 1), -ENETUNREACH);
	assert_int_equal(dev_open(w->dev), 0);
	expect_table(254, "unicast 10.0.0.0/24 eth0 link src 10.0.0.1;");
	expect_table(255, "local 10.0.0.1/32 eth0 host src 10.0.0.1;broadcast 10.0.0.255/32 eth0 link src 10.0.0.1;" LO_ROUTES);
}

static void s2_77_device_removed_while_lo_works(void **state)
{
	int fd = bed_udp(b, NULL, 7000), conn = bed_udp(b, NULL, 0);
	struct sockaddr_in sin = bed_sin("10.0.0.9", 9);
	char buf[4];

	assert_int_equal(add("10.0.0.1", 24), 0);
	assert_int_equal(sys_connect(b->t, conn, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(bed_send(b, conn, NULL, 0, "x", 1), 1); /* the route is cached in the socket */
	unregister_netdev(w->dev);
	w->dev = NULL;
	bed_run(b);
	expect_table(255, LO_ROUTES);
	expect_table(254, "");
	assert_int_equal(bed_send(b, conn, NULL, 0, "x", 1), -ENETUNREACH); /* its source address is gone */
	assert_int_equal(bed_send(b, fd, "127.0.0.1", 7000, "x", 1), 1);
	assert_int_equal(bed_recv(b, fd, buf, 4), 1);
	assert_int_equal(bed_send(b, fd, "10.0.0.1", 7000, "x", 1), -ENETUNREACH);
}

static void routes_from_a_lost_address_die(void **state)
{
	struct fib_config c = { .dst = IP(30, 0, 0, 0), .dst_len = 8, .type = RTN_UNICAST, .nlflags = NLM_F_CREATE };

	assert_int_equal(add("10.0.0.1", 24), 0);
	assert_int_equal(add("10.0.5.1", 24), 0);
	c.gw = IP(10, 0, 0, 9);
	c.prefsrc = IP(10, 0, 5, 1);
	assert_int_equal(fib_table_insert(b->net, fib_get_table(b->net, 254), &c), 0);
	assert_int_equal(inet_del_addr(b->net, w->dev, bed_addr("10.0.5.1"), 24), 0);
	expect_table(254, "unicast 10.0.0.0/24 eth0 link src 10.0.0.1;");
}

static void mtu_below_68_ends_ip(void **state)
{
	assert_int_equal(add("10.0.0.1", 24), 0);
	w->dev->min_mtu = 0;
	assert_int_equal(dev_set_mtu(w->dev, 60), 0);
	assert_null(w->dev->ip_ptr);
	expect_table(255, LO_ROUTES);
	assert_int_equal(dev_set_mtu(w->dev, 1500), 0);
	assert_non_null(w->dev->ip_ptr);
}

static void sysctls_of_a_device(void **state)
{
	struct strbuf sb;
	struct in_device *in = w->dev->ip_ptr;

	bed_sysctl(b, "net.ipv4.conf.eth0.rp_filter", "2");
	assert_int_equal(in->cnf[CNF_RP_FILTER], 2);
	assert_int_equal(sysctl_set(b->net, "net.ipv4.conf.eth0.rp_filter", "3"), -EINVAL);
	bed_sysctl(b, "net.ipv4.ip_forward", "1");
	assert_int_equal(in->cnf[CNF_FORWARDING], 1);
	sb_init(&sb);
	assert_int_equal(sysctl_get(b->net, "net.ipv4.conf.all.forwarding", &sb), 0);
	assert_string_equal(sb_str(&sb), "1");
	sb_free(&sb);
	bed_sysctl(b, "net.ipv4.conf.all.forwarding", "0");
	assert_int_equal(in->cnf[CNF_FORWARDING], 0);
	unregister_netdev(w->dev);
	w->dev = NULL;
	assert_int_equal(sysctl_set(b->net, "net.ipv4.conf.eth0.rp_filter", "0"), -ENOENT);
}

/* ---- ioctl ---- */

static int ioc(int fd, unsigned long cmd, struct ifreq *r)
{
	return sys_ioctl(b->t, fd, cmd, r);
}

static uint32_t sin_of(const struct ifreq *r)
{
	struct sockaddr_in sin;

	memcpy(&sin, &r->ifr_addr, sizeof(sin));
	return ntohl(sin.sin_addr.s_addr);
}

static void s2_37_ioctls(void **state)
{
	int fd = bed_udp(b, NULL, 0);
	struct ifreq r = { 0 }, list[8];
	struct ifconf ic = { .ifc_len = sizeof(list) };
	struct sockaddr_in sin = bed_sin("172.16.5.4", 0);

	memcpy(r.ifr_name, "eth0", 5);
	assert_int_equal(ioc(fd, SIOCGIFADDR, &r), -EADDRNOTAVAIL);
	memcpy(&r.ifr_addr, &sin, sizeof(sin));
	assert_int_equal(ioc(fd, SIOCSIFADDR, &r), 0);
	assert_int_equal(ioc(fd, SIOCGIFADDR, &r), 0);
	assert_int_equal(sin_of(&r), IP(172, 16, 5, 4));
	assert_int_equal(ioc(fd, SIOCGIFNETMASK, &r), 0);
	assert_int_equal(sin_of(&r), IP(255, 255, 0, 0)); /* by class, as ever */
	sin = bed_sin("255.255.255.0", 0);
	memcpy(&r.ifr_addr, &sin, sizeof(sin));
	assert_int_equal(ioc(fd, SIOCSIFNETMASK, &r), 0);
	assert_int_equal(ioc(fd, SIOCGIFBRDADDR, &r), 0);
	assert_int_equal(sin_of(&r), IP(172, 16, 5, 255));
	sin = bed_sin("255.0.255.0", 0);
	memcpy(&r.ifr_addr, &sin, sizeof(sin));
	assert_int_equal(ioc(fd, SIOCSIFNETMASK, &r), -EINVAL);
	ic.ifc_req = list;
	assert_int_equal(sys_ioctl(b->t, fd, SIOCGIFCONF, &ic), 0);
	assert_int_equal(ic.ifc_len, 2 * (int)sizeof(struct ifreq));
	assert_string_equal(list[0].ifr_name, "lo");
	assert_string_equal(list[1].ifr_name, "eth0");
	assert_int_equal(ioc(fd, SIOCGIFMTU, &r), 0);
	assert_int_equal(r.ifr_mtu, 1500);
	memcpy(r.ifr_name, "nope", 5);
	assert_int_equal(ioc(fd, SIOCGIFMTU, &r), -ENODEV);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest t[] = {
		T(s2_28_routes_of_an_address), T(slash31_and_slash32), T(bad_addresses), T(secondary_addresses),
		T(s2_77_device_down_keeps_local), T(s2_77_device_removed_while_lo_works), T(routes_from_a_lost_address_die),
		T(mtu_below_68_ends_ip), T(sysctls_of_a_device), T(s2_37_ioctls),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}

/* dev_core.c: names, flags, notifiers, life of a device. */
#include <errno.h>
#include "core_fixture.h"

static void names_and_numbers(void **state)
{
	struct fx *f = fx_new();
	struct tdev *a = tdev_new(f->net, "eth%d"), *b = tdev_new(f->net, "eth%d"), *c;
	struct net_device *bad;

	(void)state;
	assert_string_equal(a->dev->name, "eth0");
	assert_string_equal(b->dev->name, "eth1");
	assert_int_equal(a->dev->ifindex, 1);
	assert_ptr_equal(dev_get_by_index(f->net, 2), b->dev);
	assert_ptr_equal(dev_get_by_name(f->net, "eth1"), b->dev);
	assert_null(dev_get_by_index(f->net, 0));
	assert_null(dev_get_by_index(f->net, -1));
	assert_null(dev_get_by_index(f->net, 3));
	unregister_netdev(a->dev);
	assert_null(dev_get_by_index(f->net, 1));
	assert_null(dev_get_by_name(f->net, "eth0"));
	c = tdev_new(f->net, "eth%d");
	assert_string_equal(c->dev->name, "eth0");
	assert_int_equal(c->dev->ifindex, 3);
	for (const char *const *n = (const char *const[]){ "eth1", "a b", "", "x/y", "..", "e%s", "a%", NULL }; *n; n++) {
		bad = alloc_netdev(f->net, *n, 1);
		bad->netdev_ops = &tdev_ops;
		assert_int_equal(register_netdev(bad), n[0][0] == 'e' && n[0][1] == 't' ? -EEXIST : -EINVAL);
		free_netdev(bad);
	}
	for (int i = 0; i < 100; i++)
		tdev_new(f->net, "many%d");
	assert_non_null(dev_get_by_index(f->net, 103));
	fx_free(f);
}

struct listener {
	struct netdev_notifier n;
	char log[256];
};
static void listen_fn(struct netdev_notifier *n, struct net_device *dev, enum netdev_event ev)
{
	struct listener *l = container_of(n, struct listener, n);
	static const char *const names[] = { "reg", "unreg", "up", "going", "down", "change", "mtu", "addr" };

	snprintf(l->log + strlen(l->log), sizeof(l->log) - strlen(l->log), "%s:%s ", dev->name, names[ev]);
}

static void notifiers_hear_of_what_was_and_what_comes(void **state)
{
	static const uint8_t mac[6] = { 2, 1, 1, 1, 1, 1 };
	struct fx *f = fx_new();
	struct tdev *a = tdev_new(f->net, "a");
	struct net_device *dev = a->dev;
	struct listener l = { .n.fn = listen_fn };

	(void)state;
	dev_open(a->dev);
	register_netdev_notifier(f->net, &l.n);
	assert_string_equal(l.log, "a:reg a:up ");
	l.log[0] = '\0';
	assert_int_equal(dev_set_mtu(a->dev, 1400), 0);
	assert_int_equal(dev_set_mtu(a->dev, 67), -EINVAL);
	assert_int_equal(dev_set_mtu(a->dev, 65536), -EINVAL);
	assert_int_equal(dev_set_mac_address(a->dev, mac), 0);
	assert_int_equal(dev_set_mac_address(a->dev, mac_mcast), -EADDRNOTAVAIL);
	assert_int_equal(dev_set_mac_address(a->dev, mac_zero), -EADDRNOTAVAIL);
	netif_carrier_off(a->dev);
	netif_carrier_off(a->dev);
	netif_carrier_on(a->dev);
	dev_close(a->dev);
	dev_close(a->dev);
	assert_string_equal(l.log, "a:mtu a:addr a:change a:change a:going a:down ");
	l.log[0] = '\0';
	unregister_netdev(dev);
	assert_string_equal(l.log, "a:unreg ");
	assert_int_equal(dev_open(dev), -ENODEV);
	unregister_netdev_notifier(&l.n);
	fx_free(f);
}

static void s1_33_flags_as_ifconfig_prints_them(void **state)
{
	struct fx *f = fx_new();
	struct tdev *a = tdev_new(f->net, "eth0");

	(void)state;
	assert_int_equal(a->dev->flags, 0x1002);
	dev_open(a->dev);
	assert_int_equal(a->dev->flags & 0xffff, 4163); /* UP,BROADCAST,RUNNING,MULTICAST */
	assert_true(a->dev->flags & DEVF_LOWER_UP);
	netif_carrier_off(a->dev);
	assert_int_equal(a->dev->flags, 0x1003);
	netif_carrier_on(a->dev);
	assert_int_equal(dev_set_flags(a->dev, 0, DEVF_UP), 0);
	assert_int_equal(a->dev->flags, 0x1002);
	assert_int_equal(dev_set_flags(a->dev, DEVF_UP | DEVF_NOARP, 0), 0); /* S1-32: arp off */
	assert_true(a->dev->flags & DEVF_NOARP);
	dev_set_flags(a->dev, 0, DEVF_NOARP);
	assert_false(a->dev->flags & DEVF_NOARP);
	fx_free(f);
}

static unsigned rx_modes;
static void set_rx_mode(struct net_device *dev)
{
	(void)dev;
	rx_modes++;
}

static void promiscuity_and_groups_are_counted(void **state)
{
	struct net_device_ops ops = tdev_ops;
	struct fx *f = fx_new();
	struct tdev *a = tdev_new(f->net, "eth0");
	struct net_device *dev = a->dev;

	(void)state;
	ops.ndo_set_rx_mode = set_rx_mode;
	a->dev->netdev_ops = &ops;
	dev_open(a->dev);
	rx_modes = 0;
	dev_set_promiscuity(a->dev, 1);
	dev_set_flags(a->dev, DEVF_PROMISC, 0);
	dev_set_flags(a->dev, DEVF_PROMISC, 0); /* the administrator's wish counts once */
	assert_int_equal(a->dev->promiscuity, 2);
	dev_set_promiscuity(a->dev, -1);
	assert_true(a->dev->flags & DEVF_PROMISC);
	dev_set_flags(a->dev, 0, DEVF_PROMISC);
	assert_false(a->dev->flags & DEVF_PROMISC);
	assert_int_equal(rx_modes, 4);
	assert_int_equal(dev_mc_add(a->dev, mac_mcast), 0);
	assert_int_equal(dev_mc_add(a->dev, mac_mcast), 0);
	assert_int_equal(rx_modes, 5);
	assert_int_equal(dev_mc_del(a->dev, mac_mcast), 0);
	assert_int_equal(rx_modes, 5);
	assert_int_equal(dev_mc_del(a->dev, mac_mcast), 0);
	assert_int_equal(rx_modes, 6);
	assert_int_equal(dev_mc_del(a->dev, mac_mcast), -ENOENT);
	dev_mc_add(a->dev, mac_mcast); /* left: freed with the device */
	dev_set_flags(a->dev, DEVF_ALLMULTI, 0);
	assert_true(a->dev->flags & DEVF_ALLMULTI);
	unregister_netdev(dev); /* before ops goes */
	fx_free(f);
}

static void a_device_that_is_gone_takes_late_packets(void **state)
{
	struct fx *f = fx_new();
	struct tdev *a = tdev_new(f->net, "eth0");
	struct net_device *dev = a->dev;
	struct sk_buff *s;

	(void)state;
	dev_open(dev);
	s = make_frame(f->net, dev, mac_us, mac_peer, ETH_P_IP, 60);
	s->protocol = eth_type_trans(s, dev);
	netif_rx(s); /* waits in the backlog */
	unregister_netdev(dev);
	assert_int_equal(f->net->softnet[0].input_pkt_queue.qlen, 0);
	/* a route that was not let go yet still points here */
	s = make_frame(f->net, dev, mac_us, mac_peer, ETH_P_IP, 60);
	dev_queue_xmit(s);
	assert_int_equal(f->net->skb_mib.dropped_by[DROP_QDISC_NOOP], 1);
	assert_int_equal(f->net->skb_mib.live, 0);
	net_run(f->net);
	fx_free(f);
}

static void own_stats(struct net_device *dev, struct rtnl_link_stats64_ *s)
{
	(void)dev;
	s->rx_packets = 5;
}

static void core_counts_are_kept_beside_the_drivers(void **state)
{
	struct net_device_ops ops = tdev_ops;
	struct fx *f = fx_new();
	struct tdev *a = tdev_new(f->net, "eth0");
	struct rtnl_link_stats64_ s;

	(void)state;
	ops.ndo_get_stats64 = own_stats;
	a->dev->netdev_ops = &ops;
	a->dev->stats.rx_otherhost_dropped = 3;
	a->dev->stats.rx_packets = 1;
	dev_get_stats(a->dev, &s);
	assert_int_equal(s.rx_packets, 5);
	assert_int_equal(s.rx_otherhost_dropped, 3);
	a->dev->netdev_ops = &tdev_ops;
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_numbers),
		cmocka_unit_test(notifiers_hear_of_what_was_and_what_comes),
		cmocka_unit_test(s1_33_flags_as_ifconfig_prints_them),
		cmocka_unit_test(promiscuity_and_groups_are_counted),
		cmocka_unit_test(a_device_that_is_gone_takes_late_packets),
		cmocka_unit_test(core_counts_are_kept_beside_the_drivers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

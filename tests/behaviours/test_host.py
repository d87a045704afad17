"""One host as its tools, files and traces show it: two exits, the local table, ARP, hooks, disciplines, interrupts (S0, S1, S2)."""
import re
import unittest

from world import few, kv, lab_file, ordered, proc, run, stats, two

UP = ["ip_rcv", "ip_rcv_finish", "ip_local_deliver", "ip_local_deliver_finish", "icmp_rcv"]


def dev(text, name):
    """/proc/net/dev: (rx packets, rx bytes, tx packets, tx bytes) of a device."""
    v = re.search(r"(?m)^ *%s:(.*)$" % name, text)[1].split()
    return int(v[1]), int(v[0]), int(v[9]), int(v[8])


def pings():
    return run(two(), "a cat /proc/net/arp", "a ping -c 1 127.0.0.1", "a cat /proc/net/dev", "a ping -c 1 10.0.0.2", "a cat /proc/net/dev ", "a ping -c 1 10.0.0.1",
               "a cat /proc/net/dev  ", "a ip neigh show nud all", "a cat /proc/net/arp ", "a cat /proc/interrupts", "a ifconfig", "a ip route list table local",
               "a ip route list table main", "b ping -c 1 10.0.0.1", "a cat /proc/net/snmp")


def echoes(r, host, dst):
    return [f for f in r.hook(host + ":LOCAL_OUT") if f.proto == 1 and f.ip[1] == dst]


class Ways(unittest.TestCase):
    def test_s0_01_s1_01_two_exits_and_their_counters(self):
        r = pings()
        lo, far = echoes(r, "a", "127.0.0.1")[0], echoes(r, "a", "10.0.0.2")[0]
        for f, last, other in ((lo, "loopback_xmit", "igb_xmit_frame"), (far, "igb_xmit_frame", "loopback_xmit")):
            names = r.enters(f.serial, "a")
            self.assertTrue(ordered(names, ["ip_output", "dev_hard_start_xmit", last]), names)
            self.assertNotIn(other, names)
            x = r.sel("enter", last, "a", f.serial)[0]
            self.assertEqual(r.chain(x)[1], "dev_hard_start_xmit")
        a, b, c = (r.out["a cat /proc/net/dev" + k] for k in ("", " ", "  "))
        self.assertEqual(dev(a, "lo"), (2, 168, 2, 168))  # S1-05: one pair of counters, 84 octets a packet
        self.assertEqual(dev(a, "eth1"), (0, 0, 0, 0))
        self.assertEqual(dev(b, "lo"), (2, 168, 2, 168))
        self.assertEqual(dev(b, "eth1")[0::2], (2, 2))  # ARP and ICMP each way
        self.assertEqual(dev(c, "lo"), (4, 336, 4, 336))  # S0-24, S0-27: the own address
        self.assertEqual(dev(c, "eth1"), dev(b, "eth1"))

    def test_s0_02_s0_12_s0_20_two_ways_in_one_function(self):
        r = pings()
        lo = echoes(r, "a", "127.0.0.1")[0]
        far = [f for f in r.hook("a:PRE_ROUTING") if f.proto == 1 and f.ip[0] == "10.0.0.2"][-1]  # b's request
        x, y = r.sel("enter", "ip_rcv", "a", lo.serial)[0], r.sel("enter", "ip_rcv", "a", far.serial)[0]
        self.assertIn("process_backlog", r.chain(x))
        self.assertIn("igb_poll", r.chain(y))
        up = [[n for n in r.enters(f.serial, "a", after=e["i"] - 1) if n in UP] for f, e in ((lo, x), (far, y))]
        self.assertEqual(up, [UP, UP])
        reply = [f for f in r.wire if f.place == "a:eth1" and f.proto == 1 and f.ip == ("10.0.0.1", "10.0.0.2") and f.l4[0] == 0][-1]
        ask = [f for f in r.wire if f.place == "b:eth1" and f.proto == 1 and f.l4[0] == 8][-1]
        self.assertEqual((reply.ip, reply.l4[4:], reply.ip_ok), (ask.ip[::-1], ask.l4[4:], True))

    def test_s0_06_s0_24_s0_27_s0_28_every_own_address_turns_back(self):
        r = run("internet", "r1 ping -c 1 10.0.1.1", "r1 ping -c 1 10.0.12.1", "r1 ping -c 1 -I 10.0.1.1 10.0.12.1", "r1 cat /proc/net/dev", "r1 cat /proc/net/arp")
        self.assertEqual(r.text.count("1 received"), 3)
        self.assertEqual(r.wire, [])  # no frame, not even ARP
        self.assertEqual(dev(r.out["r1 cat /proc/net/dev"], "lo")[0], 6)
        self.assertEqual([f.ip for f in r.lo("r1")][0::2], [("10.0.1.1", "10.0.1.1"), ("10.0.12.1", "10.0.12.1"), ("10.0.1.1", "10.0.12.1")])
        self.assertEqual(len(r.out["r1 cat /proc/net/arp"].splitlines()), 1)

    def test_s0_16_s0_17_what_cannot_be_said(self):
        r = run(two(), "a nc -s 127.0.0.1 -d x -w 1 10.0.0.2 7", "a nc -u -s 127.0.0.1 -d x 10.0.0.2 7", "a ping -c 1 127.9.9.9", "a ping -c 1 99.1.1.1", "a ip route flush table local",
                "a ping -c 1 127.0.0.1", ok=tuple(range(256)))
        self.assertEqual(r.err.count("Invalid argument"), 2)
        self.assertEqual(r.err.count("Network is unreachable"), 2)  # no route; and 127.0.0.1 without the local table
        few(self, [f for f in r.wire if f.ip and any(x.startswith("127.") for x in f.ip)])
        self.assertIn("1 received", r.out["a ping -c 1 127.9.9.9"])

    def test_s1_17_s1_08_s1_22_first_names_and_last_ones(self):
        r = run(two(a="sysctls: {net.ipv4.ping_group_range: 0 2147483647}"), "a ping -c 1 127.0.0.1", "a nc -u -d x 127.0.0.1 7", "a nc -l -q 5000 &", "a nc -d y 127.0.0.1 5000", "lab wait 1s")
        first, fourth = set(), set()
        for e in r.sel("enter", node="a"):
            if e["func"] in ("raw_sendmsg", "ping_v4_sendmsg", "udp_sendmsg", "tcp_sendmsg"):
                first.add(tuple(r.chain(e)[::-1][:3]))
                fourth.add(e["func"])
        self.assertEqual(first, {("SyS_sendto", "sock_sendmsg", "inet_sendmsg")})
        self.assertLessEqual({"udp_sendmsg", "tcp_sendmsg"}, fourth)
        self.assertTrue({"raw_sendmsg", "ping_v4_sendmsg"} & fourth)
        seg = {f.fl: f for f in r.hook("a:LOCAL_OUT") if f.proto == 6 and f.dport == 5000}
        tails = []
        for f in (seg["S"], seg["PA"] if "PA" in seg else seg["FPA"], [f for k, f in seg.items() if "F" in k][0]):
            c = r.chain(r.one(kind="enter", func="loopback_xmit", node="a", serial=f.serial))[::-1]
            tails.append(c[c.index("ip_queue_xmit"):])
        self.assertEqual(len({tuple(t) for t in tails}), 1)

    def test_s1_20_s2_36_mss_of_lo(self):
        r = run(two(), "a nc -l -q 5000 &", "a nc -d y 127.0.0.1 5000", "lab wait 1s", "a ifconfig lo")
        syn = [f for f in r.lo("a") if f.proto == 6 and f.flags & 2]
        self.assertEqual([int.from_bytes(f.option(2), "big") for f in syn], [65495, 65495])
        self.assertEqual((syn[0].fl, syn[0].ack), ("S", 0))
        self.assertIn("mtu 65536", r.out["a ifconfig lo"])


class Tables(unittest.TestCase):
    def test_s1_28_s1_36_s1_35_the_entry_is_there_and_hidden(self):
        r = pings()
        full, arp = r.out["a ip neigh show nud all"], r.out["a cat /proc/net/arp "]
        self.assertEqual(full.count("0.0.0.0 dev lo lladdr 00:00:00:00:00:00 NOARP"), 1)
        self.assertRegex(full, r"10\.0\.0\.2 dev eth1 lladdr \S+ (ref \d+ )?(used \S+ )?(REACHABLE|STALE|DELAY)")
        self.assertNotIn(" lo\n", arp)
        self.assertEqual(len(arp.splitlines()), 2)
        self.assertRegex(arp, r"(?m)^10\.0\.0\.2 +0x1 +0x2 +[0-9a-f:]{17} +\* +eth1$")
        self.assertEqual(len([e for e in r.sel("enter", "__neigh_create", "a")]), 2)  # one for lo, one for b
        got = [e["func"] for e in r.sel("enter", node="a") if e["func"] in ("arp_seq_start", "neigh_seq_start", "neigh_get_idx_any", "neigh_get_idx", "neigh_get_first", "neigh_get_next")]
        self.assertTrue(ordered(got, ["arp_seq_start", "neigh_seq_start", "neigh_get_idx_any", "neigh_get_idx", "neigh_get_first", "neigh_get_next"]), got)

    def test_s1_32_s1_38_noarp_by_flag_and_by_class(self):
        r = run(two(), "a ip link set eth1 arp off", "a ip neigh flush all", "a ping -c 1 -W 1 10.0.0.2", "a ip neigh show nud all", "a ip link set eth1 arp on", "a ip route add 224.0.0.0/4 dev eth1", "a ping -c 1 -W 1 224.0.0.1",
                "a ping -b -c 1 -W 1 10.0.0.255", "a ip neigh show nud all ", "a cat /proc/net/arp", "a ifconfig eth1")
        own = re.search(r"ether (\S+)", r.out["a ifconfig eth1"])[1]
        self.assertIn("10.0.0.2 dev eth1 lladdr %s NOARP" % own, r.out["a ip neigh show nud all"])
        few(self, [f for f in r.wire if f.type == 0x0806 and f.place == "a:eth1"])
        self.assertIn("224.0.0.1 dev eth1 lladdr 01:00:5e:00:00:01 NOARP", r.out["a ip neigh show nud all "])
        self.assertIn("10.0.0.255 dev eth1 lladdr ff:ff:ff:ff:ff:ff NOARP", r.out["a ip neigh show nud all "])
        self.assertNotRegex(r.out["a cat /proc/net/arp"], r"224\.0\.0\.1|10\.0\.0\.255")

    def test_s0_07_s0_25_s3_78_s3_79_s3_80_asked_once_and_waited_for(self):
        r = run(two(link="vars: {tc: {delay: 100ms}}"), "a cat /proc/net/arp", "a ping -c 1 10.0.0.2 &", "lab wait 150ms", "a cat /proc/net/arp ", "lab wait 1s", "a cat /proc/net/arp  ",
                "a ping -c 100 -i 0.02 10.0.0.2", "a ping -c 1 -W 5 10.0.0.77", "a cat /proc/net/arp   ", "a ip neigh show nud all")
        rows = [re.findall(r"(?m)^10\.0\.0\.2 +0x1 +(\S+) +(\S+)", r.out["a cat /proc/net/arp" + " " * k]) for k in range(3)]
        self.assertEqual(rows[0], [])
        self.assertEqual(rows[1], [("0x0", "00:00:00:00:00:00")])
        self.assertEqual(rows[2][0][0], "0x2")
        first = [(f.place, f.type) for f in r.wire][:3]
        self.assertEqual(first, [("a:eth1", 0x0806), ("b:eth1", 0x0806), ("a:eth1", 0x0800)])
        is_at = [f for f in r.wire if f.place == "b:eth1" and f.type == 0x0806][0]
        ip = [f for f in r.wire if f.place == "a:eth1" and f.type == 0x0800]
        self.assertEqual({f.dst for f in ip if f.ip[1] == "10.0.0.2"}, {is_at.src})
        q = r.one(kind="queue", func="neigh_enqueue", node="a", serial=ip[0].serial)
        self.assertLess(q["i"], r.sel("enter", "igb_xmit_frame", "a", ip[0].serial)[0]["i"])
        asked = [f for f in r.wire if f.place == "a:eth1" and f.type == 0x0806 and f.dst == "ff:ff:ff:ff:ff:ff" and f.l3[24:28] == bytes((10, 0, 0, 2))]
        self.assertEqual(len(asked), 1)  # for 101 packets
        nobody = [f for f in r.wire if f.place == "a:eth1" and f.type == 0x0806 and f.l3[24:28] == bytes((10, 0, 0, 77))]
        self.assertEqual(len(nobody), 3)
        for x, y in zip(nobody, nobody[1:]):
            self.assertAlmostEqual((y.t - x.t) / 1e9, 1.0, delta=0.1)
        self.assertIn("10.0.0.77 dev eth1 FAILED", r.out["a ip neigh show nud all"])
        self.assertRegex(r.out["a cat /proc/net/arp   "], r"(?m)^10\.0\.0\.77 +0x1 +0x0 +00:00:00:00:00:00")

    def test_s3_80_stale_delay_and_a_question_to_it_alone(self):
        r = run(two(), "a ping -c 1 10.0.0.2", "lab wait 70s", "a ip neigh show", "a nc -u -d x 10.0.0.2 7", "a ip neigh show ", "lab wait 6s", "a ip neigh show  ", "b ifconfig eth1")
        states = [re.search(r"(?m)^10\.0\.0\.2 .*?([A-Z]+) *$", r.out["a ip neigh show" + " " * k])[1] for k in range(3)]
        self.assertEqual(states, ["STALE", "DELAY", "REACHABLE"])
        use = [f for f in r.wire if f.place == "a:eth1" and f.proto == 17][0]  # used at once, unasked
        asks = [f for f in r.wire if f.place == "a:eth1" and f.type == 0x0806 and f.t > use.t and f.l3[6:8] == b"\0\1"]
        self.assertEqual([f.dst for f in asks], [re.search(r"ether (\S+)", r.out["b ifconfig eth1"])[1]])
        self.assertAlmostEqual((asks[0].t - use.t) / 1e9, 5, delta=0.1)

    def test_s2_25_s1_09_local_then_main_then_unreachable(self):
        r = run(two(), "a ping -c 1 10.0.0.1", "a ping -c 1 10.0.0.2", "a ping -c 1 99.1.1.1", ok=tuple(range(256)))
        def looks(dst):
            e = [e for e in r.sel("route", "fib_table_lookup", "a", text=r"dst=%s " % re.escape(dst)) if "SyS_connect" in r.chain(e) or "SyS_sendto" in r.chain(e)]
            return [(kv(x["text"])["table"], kv(x["text"])["result"]) for x in e]
        self.assertEqual(set(looks("10.0.0.1")), {("255", "hit")})
        self.assertEqual(looks("10.0.0.2")[:2], [("255", "miss"), ("254", "hit")])
        self.assertEqual(looks("99.1.1.1")[:2], [("255", "miss"), ("254", "miss")])
        self.assertIn("Network is unreachable", r.err)
        self.assertTrue(r.sel("syscall", text=r"ENETUNREACH"))
        hit = r.sel("route", "fib_table_lookup", "a", text=r"dst=10\.0\.0\.1 .*result=hit")[0]
        self.assertEqual((kv(hit["text"])["type"], kv(hit["text"])["scope"], kv(hit["text"])["dev"]), ("RTN_LOCAL", "254", "eth1"))

    def test_s2_28_the_local_table_follows_the_addresses(self):
        r = run(two(), "a ip route list table local", "a ip addr add 10.7.7.7/24 dev eth1", "a ip route list table local ", "a ip addr del 10.7.7.7/24 dev eth1",
                "a ip route list table local  ")
        t = [[l.strip() for l in r.out["a ip route list table local" + k].splitlines()] for k in ("", " ", "  ")]
        self.assertEqual(t[0], ["local 10.0.0.1 dev eth1 proto kernel scope host src 10.0.0.1", "broadcast 10.0.0.255 dev eth1 proto kernel scope link src 10.0.0.1",
                                "local 127.0.0.0/8 dev lo proto kernel scope host src 127.0.0.1", "local 127.0.0.1 dev lo proto kernel scope host src 127.0.0.1",
                                "broadcast 127.255.255.255 dev lo proto kernel scope link src 127.0.0.1"])
        self.assertEqual(set(t[1]) - set(t[0]), {"local 10.7.7.7 dev eth1 proto kernel scope host src 10.7.7.7", "broadcast 10.7.7.255 dev eth1 proto kernel scope link src 10.7.7.7"})
        self.assertEqual(t[2], t[0])

    def test_s1_33_s2_37_flags_and_mtu_as_ifconfig_shows_and_sets_them(self):
        r = run(two(), "a ifconfig", "a ifconfig eth1 mtu 1000", "a ifconfig eth1", "a ping -c 1 -s 1100 -M dont 10.0.0.2", "a ifconfig lo down", "a ifconfig lo")
        self.assertIn("lo: flags=73<UP,LOOPBACK,RUNNING>  mtu 65536", r.out["a ifconfig"])
        self.assertIn("eth1: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500", r.out["a ifconfig"])
        self.assertRegex(r.out["a ifconfig"], r"inet 10\.0\.0\.1  netmask 255\.255\.255\.0  broadcast 10\.0\.0\.255\s+ether [0-9a-f:]{17}")
        self.assertIn("mtu 1000", r.out["a ifconfig eth1"])
        self.assertEqual(max(f.total for f in r.wire if f.place == "a:eth1" and f.ip), 996)
        self.assertIn("lo: flags=8<LOOPBACK>", r.out["a ifconfig lo"])

    def test_s1_39_each_host_its_own(self):
        r = run(two(), "b nc -l -q 5000 &", "a nc -d x -w 1 127.0.0.1 5000", "a ip neigh show nud all", "b ip neigh show nud all", "lab wait 1s")
        self.assertIn("refused", r.err)  # b's program is not behind a's 127.0.0.1
        few(self, r.wire)
        self.assertIn("dev lo", r.out["a ip neigh show nud all"])
        self.assertNotIn("dev lo", r.out["b ip neigh show nud all"])
        few(self, r.sel("enter", "loopback_xmit", "b"))


class Cuts(unittest.TestCase):
    def test_s2_35_lo_cuts_too(self):
        r = run(two(), "a ip link set lo mtu 1500", "a nc -l -u -q 7 &", "a nc -u -d %s 127.0.0.1 7" % ("x" * 4000), "lab wait 1s", "a cat /proc/net/snmp", "a cat /proc/net/netfilter/hooks")
        f = [f for f in r.lo("a") if f.proto == 17]
        self.assertEqual([(x.off, x.mf, x.total) for x in f], [(0, 1, 1500), (1480, 1, 1500), (2960, 0, 1068)])
        self.assertEqual(len({x.ident for x in f}), 1)
        ip = proc(r.out["a cat /proc/net/snmp"])["Ip"]
        self.assertEqual([ip[k] for k in ("FragOKs", "FragCreates", "InReceives", "InDelivers", "OutRequests", "OutTransmits", "ReasmOKs")], [1, 3, 3, 1, 1, 3, 1])
        hooks = dict(re.findall(r"(?m)^(\w+)\s+(\d+)\s", r.out["a cat /proc/net/netfilter/hooks"]))
        self.assertEqual([hooks[k] for k in ("LOCAL_OUT", "POST_ROUTING", "PRE_ROUTING", "LOCAL_IN", "FORWARD")], ["1", "1", "3", "1", "0"])
        read = r.sel("copy", "skb_copy_datagram_iter", "a", text="len=4000 ")
        self.assertEqual(len(read), 1)


class Disciplines(unittest.TestCase):
    def test_s2_41_s2_43_s2_45_by_the_queues_pointer(self):
        r = run(two(), "a tc -s qdisc show", "a ping -c 1 127.0.0.1", "a tc -s qdisc show ", "a tc qdisc replace dev lo root pfifo", "a ping -c 1 127.0.0.2", "a tc -s qdisc show dev lo",
                "a tc qdisc replace dev eth1 root noqueue", "a ping -c 1 10.0.0.2")
        self.assertIn("qdisc noqueue 0: dev lo", r.out["a tc -s qdisc show"])
        self.assertRegex(r.out["a tc -s qdisc show "], r"(?s)dev lo.*?Sent 0 bytes 0 pkt")
        self.assertRegex(r.out["a tc -s qdisc show dev lo"], r"qdisc pfifo .*dev lo[^\n]*\n Sent 196 bytes 2 pkt")
        def inside(f):
            return set(r.enters(f.serial, "a")) & {"__dev_xmit_skb"}
        none, some, far = (echoes(r, "a", d)[0] for d in ("127.0.0.1", "127.0.0.2", "10.0.0.2"))
        self.assertEqual([bool(inside(f)) for f in (none, some, far)], [False, True, False])
        for f in (some,):
            self.assertTrue(r.sel("queue", "qdisc_enqueue_tail", "a", f.serial))
            self.assertTrue(r.sel("dequeue", "qdisc_dequeue_head", "a", f.serial))

    def test_s2_39_s2_40_s2_42_a_full_ring_sends_them_back_to_wait(self):
        tiny = lab_file("""name: tiny
topology:
  nodes:
    a: {config: {vars: {nic: {tx_ring: 32}}}}
    b: {}
  links:
    - {type: veth, endpoints: [{node: a, interface: eth1, ipv4: 10.0.0.1/24}, {node: b, interface: eth1, ipv4: 10.0.0.2/24}], vars: {cable: {speed: 10Mbit}}}
""")
        r = run(tiny, "b nc -l -u -q -k 7 &", "a ping -c 1 10.0.0.2", "a cat /proc/softirqs", "a nc -u -f 200000 10.0.0.2 7", "a tc -s qdisc show dev eth1", "lab wait 2s",
                "a tc -s qdisc show dev eth1 ", "a cat /proc/softirqs ", "a ethtool -S eth1")
        tx = [int(re.search(r"NET_TX: +(\d+)", r.out["a cat /proc/softirqs" + k])[1]) for k in ("", " ")]
        self.assertEqual(tx[0], 0)
        self.assertGreater(tx[1], 0)
        wait = re.search(r"backlog (\d+)b (\d+)p", r.out["a tc -s qdisc show dev eth1"])
        self.assertGreater(int(wait[2]), 10)
        self.assertIn("backlog 0b 0p", r.out["a tc -s qdisc show dev eth1 "])
        self.assertGreater(stats(r.out["a ethtool -S eth1"])["tx_queue_stopped"], 0)
        sent = [f for f in r.wire if f.place == "a:eth1" and f.proto == 17]
        made = [f for f in r.hook("a:LOCAL_OUT") if f.proto == 17]
        self.assertEqual([f.serial for f in sent], [f.serial for f in made])  # in order, and all of them
        late = [e for e in r.sel("enter", "igb_xmit_frame", "a") if "net_tx_action" in r.chain(e)]
        self.assertTrue(late)
        self.assertTrue(ordered(r.chain(late[0])[::-1], ["net_tx_action", "__qdisc_run", "qdisc_restart", "sch_direct_xmit", "dev_hard_start_xmit", "igb_xmit_frame"]))


class Interrupts(unittest.TestCase):
    def test_s2_08_s2_09_s2_10_s3_130_s3_134_s3_135_s3_137_from_the_card_to_the_poll(self):
        r = run(two(), "b ping -c 3 10.0.0.1", "a cat /proc/interrupts", "a ethtool -S eth1")
        table = re.search(r"(?m)^ *(\d+): +(\d+) +\S+ +igb_msix_ring +eth1-TxRx-0", r.out["a cat /proc/interrupts"])
        irqs = r.sel("irq", "handle_irq", "a", text=r"handler=igb_msix_ring")
        self.assertEqual(int(table[2]), len(irqs))
        self.assertEqual({kv(e["text"])["vector"] for e in irqs}, {table[1]})
        few(self, r.sel("irq", "net_raise_irq", text=r"^raise vector=\d+ device=$"))
        ask = [f for f in r.wire if f.place == "b:eth1" and f.proto == 1]
        for f in ask:
            wrote = r.one(kind="dma", func="rx_data", node="a", serial=f.serial)
            done = r.one(kind="dma", func="rx_write_back", node="a", serial=f.serial)
            raised = r.sel("irq", "nic_raise", "a", after=done["i"])[0]
            irq = r.sel("irq", "handle_irq", "a", after=raised["i"])[0]
            ring = r.sel("enter", "igb_msix_ring", "a", after=irq["i"])[0]
            poll = r.sel("enter", "igb_poll", "a", after=ring["i"])[0]
            self.assertTrue(wrote["i"] < done["i"] < raised["i"] < irq["i"] < ring["i"] < poll["i"])
            inside = [e for e in r.ev[ring["i"]:ring["end"]] if e["node"] == "a"]
            self.assertEqual([e["func"] for e in inside if e["kind"] == "enter"], ["igb_msix_ring", "napi_schedule", "__napi_schedule", "____napi_schedule", "__raise_softirq_irqoff"])
            self.assertIn("write IMC", [e["text"] for e in inside if e["kind"] == "reg"][0].split(" ", 1)[1])
            self.assertTrue([e for e in inside if e["kind"] == "softirq" and "raise NET_RX" in e["text"]])
            few(self, [e for e in inside if e["kind"] in ("born", "dma")])  # nothing is touched before the poll
            few(self, r.sel("born", node="a", serial=f.serial, before=poll["i"]))

    def test_s3_131_s3_132_s3_133_with_and_without_napi(self):
        def burst(nic):
            lab = lab_file("""name: burst
topology:
  nodes:
    a: {}
    b: {config: {vars: {nic: {%s}, cpus: {n: 1, irq_ns: 500, packet_ns: 20000}}}}
  links:
    - {type: veth, endpoints: [{node: a, interface: eth1, ipv4: 10.0.0.1/24}, {node: b, interface: eth1, ipv4: 10.0.0.2/24}]}
""" % nic)
            r = run(lab, "b nc -l -u -q -k 7 &", "a ping -c 1 10.0.0.2", "lab wait 100ms", "b ethtool -S eth1", "a nc -u -f 140000 10.0.0.2 7", "lab wait 1s", "b ethtool -S eth1 ")
            s, t = stats(r.out["b ethtool -S eth1"]), stats(r.out["b ethtool -S eth1 "])
            return t["interrupts"] - s["interrupts"], t["rx_packets"] - s["rx_packets"]
        napi, plain = burst("napi: true"), burst("napi: false")
        self.assertEqual((napi[1], plain[1]), (100, 100))
        self.assertLess(napi[0], 20)
        self.assertGreaterEqual(plain[0], 100)

    def test_s2_62_lo_raises_none(self):
        r = run(two(), "a cat /proc/interrupts", "a cat /proc/softirqs", "a ping -c 500 -i 0.001 127.0.0.1", "a cat /proc/interrupts ", "a cat /proc/softirqs ")
        self.assertEqual(r.out["a cat /proc/interrupts"], r.out["a cat /proc/interrupts "])
        rx = [int(re.search(r"NET_RX: +(\d+)", r.out["a cat /proc/softirqs" + k])[1]) for k in ("", " ")]
        self.assertGreaterEqual(rx[1] - rx[0], 500)
        self.assertIn("500 received", r.text)

    def test_s2_57_s2_66_two_cpus_two_queues(self):
        r = run(two(a="config: {vars: {cpus: {n: 2}}}"), "a ping -c 3 127.0.0.1", "a cat /proc/net/softnet_stat", "a cat /proc/net/napi")
        lines = r.out["a cat /proc/net/softnet_stat"].splitlines()
        self.assertEqual([len(l.split()) for l in lines], [15, 15])
        self.assertEqual([int(l.split()[12], 16) for l in lines], [0, 1])
        self.assertEqual(sum(int(l.split()[0], 16) for l in lines), 6)
        self.assertEqual(len(r.sel("enter", "net_dev_init", "a")), 2)
        self.assertEqual(len(re.findall(r"(?m)^backlog", r.out["a cat /proc/net/napi"])), 2)

    def test_s2_74_taps_first(self):
        r = run(two(), "a tcpdump -n -i lo icmp &", "a ping -c 1 127.0.0.1", "lab wait 1s")
        self.assertEqual(len(re.findall("ICMP echo re", r.text)), 2)
        f = echoes(r, "a", "127.0.0.1")[0]
        rx = [e for e in r.sel("enter", "deliver_skb", "a", f.serial) if "process_backlog" in r.chain(e)]
        self.assertEqual(len(rx), 1)
        self.assertLess(rx[0]["i"], r.sel("enter", "ip_rcv", "a", f.serial)[0]["i"])

    def test_s2_75_s2_13_a_blocked_reader_of_the_same_host(self):
        r = run(two(), "a nc -l -u 7 &", "lab wait 1s", "a nc -u -d hello-there 127.0.0.1 7", "lab wait 1s")
        self.assertIn("hello-there", r.text)
        u = [f for f in r.lo("a") if f.proto == 17][0].serial
        rcv, q, cp = r.one(kind="enter", func="udp_rcv", node="a", serial=u), r.one(kind="queue", func="sock_queue_rcv_skb", node="a", serial=u), r.sel("copy", "skb_copy_datagram_iter", "a", u)[0]
        wake = r.sel("enter", "sock_def_readable", "a", after=q["i"])[0]
        self.assertTrue(rcv["i"] < q["i"] < wake["i"] < cp["i"])
        few(self, r.sel("enter", "sock_def_readable", "a", after=rcv["i"], before=q["i"]))  # not before there is something to read
        self.assertTrue(r.sel("task", "task_resume", "a", after=wake["i"], before=cp["i"]))

    def test_s3_41_two_programs_two_ports(self):
        r = run(two(), "b nc -l 5000 &", "b nc -l 5001 &", "b nc -l -u 5000 &", "a ping -c 1 10.0.0.2", "a nc -d TO-5000 10.0.0.2 5000", "a nc -d TO-5001 10.0.0.2 5001", "a nc -u -d UDP-5000 10.0.0.2 5000",
                "lab wait 1s")
        got = {}
        for e in r.sel("syscall", "SyS_recvfrom", "b", text=r'"(TO|UDP)-'):
            got[e["ctx"]] = re.search(r'"((?:TO|UDP)-\d+)"', e["text"])[1]
        self.assertEqual(sorted(got.values()), ["TO-5000", "TO-5001", "UDP-5000"])
        self.assertEqual(len(got), 3)


if __name__ == "__main__":
    unittest.main()

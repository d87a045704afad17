"""What a packet meets between its hosts: routers, hop by hop (S3-66, S3-67, S3-75, S3-104 to S3-119, S3-142, S3-143)."""
import re
import unittest

from world import few, kv, lab_file, ordered, proc, run, stats, two, visit


def macs(text):
    """ifconfig: {interface: (address, MAC)}"""
    return {m[1]: (m[2], m[3]) for m in re.finditer(r"(?m)^(\S+): flags.*\n\s+inet (\S+).*\n\s+ether (\S+)", text)}


def facts():
    return run("internet", "client ifconfig", "r1 ifconfig", "r2 ifconfig", "www ifconfig", "client ping -c 1 10.0.2.80", "r1 cat /proc/net/arp", "r2 cat /proc/net/arp", "client cat /proc/net/arp",
               "r1 ip route", "r2 ip route")


class Hop(unittest.TestCase):
    def echo(self, r):
        return [f for f in r.wire if f.proto == 1 and f.ip == ("10.0.1.10", "10.0.2.80")]

    def test_s3_116_s3_67_s3_107_addresses_stay_and_macs_change(self):
        r = facts()
        m = {n: macs(r.out[n + " ifconfig"]) for n in ("client", "r1", "r2", "www")}
        hops = []
        for f in self.echo(r):
            if not hops or (f.src, f.dst) != hops[-1][:2]:
                hops.append((f.src, f.dst, f.ip, f.ttl, f.ip_ok))
        ip = ("10.0.1.10", "10.0.2.80")
        self.assertEqual(hops, [(m["client"]["eth1"][1], m["r1"]["eth1"][1], ip, 64, True), (m["r1"]["eth2"][1], m["r2"]["eth1"][1], ip, 63, True),
                                (m["r2"]["eth2"][1], m["www"]["eth1"][1], ip, 62, True)])
        # nothing of the old MAC header survives: the router's frame is its own, from the IP header on the same but for TTL and checksum
        a, b = self.echo(r)[0], [f for f in self.echo(r) if f.place == "r1:eth2"][0]
        self.assertFalse({a.src, a.dst} & {b.src, b.dst})
        x, y = bytearray(a.l3[:a.total]), bytearray(b.l3[:b.total])
        diff = [i for i in range(len(x)) if x[i] != y[i]]
        self.assertLessEqual(set(diff), {8, 10, 11})
        self.assertIn(8, diff)

    def test_s3_104_s3_143_the_way_through_a_router(self):
        r = facts()
        f = self.echo(r)[0]
        for node, out in (("r1", "eth2"), ("r2", "eth2")):
            names = r.enters(f.serial, node)
            self.assertTrue(ordered(names, ["netif_receive_skb", "ip_rcv", "ip_rcv_finish", "ip_route_input_noref", "ip_forward", "ip_forward_finish", "ip_output", "ip_finish_output",
                                            "neigh_output", "dev_queue_xmit", "igb_xmit_frame"]), names)
            self.assertNotIn("ip_local_deliver", names)
            hooks = [kv(e["text"]) for e in r.sel("hook", node=node, serial=f.serial)]
            self.assertEqual([h["hook"] for h in hooks], ["PRE_ROUTING", "FORWARD", "POST_ROUTING"])
            self.assertEqual(hooks[-1]["out"], out)
        here = r.enters(f.serial, "www")
        self.assertIn("ip_local_deliver", here)
        self.assertNotIn("ip_forward", here)

    def test_s3_112_s3_113_s3_118_s3_119_gateway_or_the_host_itself(self):
        r = facts()
        f = self.echo(r)[0]
        for node, hop in (("client", "10.0.1.1"), ("r1", "10.0.12.2"), ("r2", "10.0.2.80")):
            n = r.sel("neigh", "__ipv4_neigh_lookup_noref", node, f.serial)
            self.assertEqual(kv(n[0]["text"])["nexthop"], hop)
            ask = [g for g in r.wire if g.type == 0x0806 and g.place.startswith(node + ":") and g.l3[6:8] == b"\0\1"]
            self.assertIn(hop, {".".join(map(str, g.l3[24:28])) for g in ask})
            mine = macs(r.out[node + " ifconfig"])
            for g in ask:  # asked by the output port, with its own names
                port = g.place.split(":")[1]
                self.assertEqual((g.src, ".".join(map(str, g.l3[14:18]))), (mine[port][1], mine[port][0]))
        self.assertIn("10.0.2.80", r.out["r2 cat /proc/net/arp"])
        self.assertNotIn("10.0.2.80", r.out["client cat /proc/net/arp"])
        self.assertIn("10.0.1.1 ", r.out["client cat /proc/net/arp"])

    def test_s3_111_no_route_is_said(self):
        r = run("internet", "r1 ip route", "client ping -c 1 -W 2 99.9.9.9", ok=tuple(range(256)))
        self.assertNotIn("default", r.out["r1 ip route"])
        say = [f for f in r.wire if f.place == "r1:eth1" and f.proto == 1][0]
        self.assertEqual((say.l4[0], say.l4[1], say.ip), (3, 0, ("10.0.1.1", "10.0.1.10")))
        self.assertIn("Net", r.out["client ping -c 1 -W 2 99.9.9.9"])
        ask = [f for f in r.wire if f.place == "client:eth1" and f.proto == 1][0]
        self.assertEqual([e["reason"] for e in r.sel("drop", node="r1", serial=ask.serial)], ["IP_INNOROUTES"])

    def test_s3_143_a_host_is_no_router(self):
        lab = lab_file("""name: norouter
topology:
  nodes:
    a: {exec: ["ip route add 10.9.0.0/16 via 10.0.0.2"]}
    b: {}
  links:
    - {type: veth, endpoints: [{node: a, interface: eth1, ipv4: 10.0.0.1/24}, {node: b, interface: eth1, ipv4: 10.0.0.2/24}]}
    - {type: veth, endpoints: [{node: b, interface: eth2, ipv4: 10.9.0.2/16}, {node: a, interface: eth2, ipv4: 10.8.0.1/24}]}
""")
        r = run(lab, "a ping -c 1 -W 1 10.9.0.9", "b cat /proc/net/snmp", "b sysctl net.ipv4.ip_forward=1", "a ping -c 1 -W 4 10.9.0.9 ", "b cat /proc/net/snmp ")
        f = [f for f in r.wire if f.place == "a:eth1" and f.proto == 1][0]
        self.assertEqual(len(r.sel("drop", node="b", serial=f.serial)), 1)
        few(self, r.sel("enter", "ip_forward", "b", f.serial))
        few(self, [g for g in r.wire if g.place == "b:eth1" and g.proto == 1 and g.t < f.t + 10**9])  # and says nothing
        self.assertEqual([proc(r.out["b cat /proc/net/snmp" + k])["Ip"]["ForwDatagrams"] for k in ("", " ")], [0, 1])

    def test_s3_66_s3_36_unknown_protocols_and_ports_are_said(self):
        r = run(two(), "a ping -c 1 10.0.0.2", "a nc -u -d x 10.0.0.2 9", "lab wait 1s", "a traceroute -n 10.0.0.2", "b cat /proc/net/snmp")
        say = [f for f in r.wire if f.place == "b:eth1" and f.proto == 1 and f.l4[0] == 3][0]
        sent = [f for f in r.wire if f.place == "a:eth1" and f.proto == 17][0]
        self.assertEqual(say.l4[1], 3)
        self.assertEqual(say.l4[8:8 + sent.total], sent.l3[:sent.total])  # all of it fits
        self.assertEqual(say.l3[1], 0xC0)
        self.assertGreaterEqual(proc(r.out["b cat /proc/net/snmp"])["Udp"]["NoPorts"], 1)

    def test_s3_67_s3_36_a_loop_ends(self):
        r = run("internet", "r1 ip route add 10.77.0.0/16 via 10.0.12.2", "r2 ip route add 10.77.0.0/16 via 10.0.12.1", "client ping -c 1 -W 2 -t 9 10.77.0.1", "lab wait 1s", ok=tuple(range(256)))
        on = [f for f in r.wire if f.proto == 1 and f.ip[1] == "10.77.0.1" and f.place in ("r1:eth2", "r2:eth1")]
        self.assertEqual([f.ttl for f in on], [8, 7, 6, 5, 4, 3, 2, 1])
        say = [f for f in r.wire if f.proto == 1 and f.ip[1] == "10.0.1.10" and f.l4[0] == 11]
        self.assertTrue(say)
        self.assertEqual((say[0].l4[1], say[-1].ip[0]), (0, say[0].ip[0]))
        self.assertIn(say[0].ip[0], ("10.0.12.1", "10.0.12.2", "10.0.1.1"))

    def test_s3_142_padding_stays_below_ip(self):
        r = run(two(), "b nc -l -q 5000 &", "a nc -d x 10.0.0.2 5000", "lab wait 1s", "b ethtool -S eth1")
        s = stats(r.out["b ethtool -S eth1"])
        self.assertEqual([s[k] for k in ("rx_crc_errors", "rx_short_length_errors", "rx_long_length_errors", "rx_no_sfd_errors")], [0, 0, 0, 0])
        u = run(two(), "b nc -l -u 7 &", "a nc -u -d abc 10.0.0.2 7", "lab wait 1s")  # 3 octets: 31 of IP in a frame of 60
        short = [f for f in u.wire if f.proto == 17]
        self.assertEqual([(len(f.raw), f.total) for f in short], [(64, 31)])
        self.assertEqual([len(g.raw) for g in u.hook("b:PRE_ROUTING") if g.proto == 17], [31])
        self.assertTrue(u.sel("copy", "skb_copy_datagram_iter", "b", short[0].serial, "len=3 "))

    def test_s3_75_s3_37_every_card_its_own(self):
        r = facts()
        all_ = [m[1] for n in ("client", "r1", "r2", "www") for m in macs(r.out[n + " ifconfig"]).values()]
        self.assertEqual(len(set(all_)), len(all_))
        own = {f.place: set() for f in r.wire if not f.place.startswith("sw")}
        for f in r.wire:
            if not f.place.startswith("sw"):
                own[f.place].add(f.src)
        self.assertTrue(all(len(v) == 1 for v in own.values()), own)
        self.assertEqual(own["client:eth1"], {macs(r.out["client ifconfig"])["eth1"][1]})
        again = run("internet", "client ip link set eth1 down", "client ip link set eth1 address 02:00:00:00:00:99", "client ip link set eth1 up", "client ping -c 1 10.0.1.11")
        self.assertEqual({f.src for f in again.wire if f.place == "client:eth1"}, {"02:00:00:00:00:99"})


class Web(unittest.TestCase):
    def test_s3_14_s3_15_s3_16_s3_17_requests_and_refusals(self):
        r = run("internet", "client curl -s -v -o /a http://www.server.com", "client curl -s http://www.server.com/../../etc/passwd", "client curl -s -v -o /b http://www.server.com/nosuch",
                "client curl -s https://www.server.com/", ok=tuple(range(256)))
        req = [f.data for f in r.wire if f.place == "client:eth1" and f.data.startswith(b"GET ")]
        self.assertTrue(req[0].startswith(b"GET / HTTP/1.1\r\nHost: www.server.com\r\n"))
        self.assertTrue(req[0].endswith(b"\r\n\r\n"))
        self.assertNotIn("root:", r.text)
        self.assertIn("404", r.text + r.err)
        few(self, [f for f in r.wire if f.proto == 6 and 443 in (f.sport, f.dport)])


if __name__ == "__main__":
    unittest.main()

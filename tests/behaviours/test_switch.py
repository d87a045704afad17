"""Switches between hosts: what each cable of a LAN shows (S3-77, S3-81 to S3-100)."""
import re
import unittest
import zlib

from world import few, kv, lab_file, proc, run, stats, visit

BCAST = "ff:ff:ff:ff:ff:ff"


def lan(bridge="", a="", b="", c="", la="", lb=""):
    """Three hosts on a switch: a 10.0.0.1 on p1, b 10.0.0.2 on p2, c 10.0.0.3 on p3."""
    return lab_file("""name: lan
topology:
  nodes:
    sw: {kind: bridge, config: {vars: {bridge: {%s}}}}
    a: {%s}
    b: {%s}
    c: {%s}
  links:
    - {type: veth, endpoints: [{node: a, interface: eth1, ipv4: 10.0.0.1/24}, {node: sw, interface: p1}]%s}
    - {type: veth, endpoints: [{node: b, interface: eth1, ipv4: 10.0.0.2/24}, {node: sw, interface: p2}]%s}
    - {type: veth, endpoints: [{node: c, interface: eth1, ipv4: 10.0.0.3/24}, {node: sw, interface: p3}]}
""" % (bridge, a, b, c, la, lb))


def mac_of(text):
    return re.search(r"ether (\S+)", text)[1]


def fdb(text):
    return {m[1]: m[2] for m in re.finditer(r"(?m)^(\S+) dev (\S+) master sw used", text)}


def ping():
    return run(lan(), "a ifconfig eth1", "b ifconfig eth1", "c ifconfig eth1", "sw bridge fdb show", "a ping -c 2 10.0.0.2", "sw bridge fdb show ",
               "sw bridge -s link", "c cat /proc/net/snmp", "c ip -s link show eth1", "c cat /proc/net/arp")


class Forwarding(unittest.TestCase):
    def pairs(self, r):
        """(in, out) frames of each frame that the switch sent."""
        came = {}
        for f in r.wire:
            if not f.place.startswith("sw:"):
                came[f.serial] = f
        return [(came[f.serial], f) for f in r.wire if f.place.startswith("sw:")]

    def test_s3_87_very_octets(self):
        r = run(lan(), "b nc -l -q 5000 &", "a nc -f 30000 10.0.0.2 5000", "lab wait 1s")
        pairs = self.pairs(r)
        self.assertGreater(len(pairs), 30)
        for a, b in pairs:
            self.assertEqual(a.raw, b.raw)  # MACs, TTL, FCS and all

    def test_s3_83_s3_85_s3_86_fcs_of_every_frame(self):
        n = 0
        for r in (ping(), visit()):
            for f in r.wire:
                self.assertEqual(zlib.crc32(f.raw[:-4]).to_bytes(4, "little"), f.raw[-4:])
                self.assertGreaterEqual(len(f.raw), 64)
                n += 1
        self.assertGreater(n, 500)

    def test_s3_91_s3_94_known_on_one_port_unknown_on_all_others(self):
        r = ping()
        request = [f for f in r.wire if f.proto == 1 and f.place == "a:eth1"]
        for f in request:  # learned from the ARP exchange
            self.assertEqual([g.place for g in r.wire if g.serial == f.serial and g.place.startswith("sw:")], ["sw:p2"])
        # a forgets nothing, the switch has: unknown again, on all ports but the one it came by
        r = run(lan(), "a ping -c 1 10.0.0.2", "lab wait 20s", "a ip neigh replace 10.0.0.2 lladdr %s dev eth1 nud permanent" % mac_of(ping().out["b ifconfig eth1"]),
                "b ip neigh replace 10.0.0.1 lladdr %s dev eth1 nud permanent" % mac_of(ping().out["a ifconfig eth1"]), "lab wait 400s", "a ping -c 1 10.0.0.2 ")
        last = [f for f in r.wire if f.proto == 1 and f.place == "a:eth1"][-1]
        self.assertEqual(sorted(g.place for g in r.wire if g.serial == last.serial and g.place.startswith("sw:")), ["sw:p2", "sw:p3"])
        back = [f for f in r.wire if f.proto == 1 and f.place == "b:eth1"][-1]  # and the answer is not: a was learned from its question
        self.assertEqual([g.place for g in r.wire if g.serial == back.serial and g.place.startswith("sw:")], ["sw:p1"])

    def test_s3_99_s3_100_s3_77_broadcasts_go_everywhere_once(self):
        r = ping()
        who = [f for f in r.wire if f.place == "a:eth1" and f.type == 0x0806 and f.dst == BCAST]
        self.assertEqual(len(who), 1)
        self.assertEqual(sorted(f.place for f in r.wire if f.serial == who[0].serial and f.place.startswith("sw:")), ["sw:p2", "sw:p3"])
        self.assertNotIn(BCAST, fdb(r.out["sw bridge fdb show "]))
        arp = who[0].l3
        self.assertEqual((arp[6:8], arp[18:24], len(who[0].raw)), (b"\0\1", b"\0" * 6, 64))
        for n in "bc":  # all hear it, one answers, and the answer is for the asker alone
            self.assertTrue(r.sel("enter", "arp_rcv", n, who[0].serial))
        said = [f for f in r.wire if f.type == 0x0806 and f.l3[6:8] == b"\0\2" and not f.place.startswith("sw:")]
        self.assertEqual({(f.place, f.dst) for f in said if f.t < [g.t for g in r.wire if g.proto == 1][0]}, {("b:eth1", mac_of(r.out["a ifconfig eth1"]))})
        for addr in ("255.255.255.255", "10.0.0.255"):
            q = run(lan(), "a ip route add default via 10.0.0.3", "a ping -b -c 1 -W 1 " + addr)
            f = [f for f in q.wire if f.ip and f.ip[1] == addr]
            self.assertEqual([(g.place, g.dst) for g in f], [("a:eth1", BCAST), ("sw:p2", BCAST), ("sw:p3", BCAST)])
        q = run("internet", "r1 ip route add default via 10.0.12.2", "client ping -b -c 1 -W 1 255.255.255.255")
        few(self, [f for f in q.wire if f.ip and f.ip[1] == "255.255.255.255" and re.match(r"sw2|r[123]|sw[34]", f.place)])
        self.assertTrue([f for f in q.wire if f.ip and f.ip[1] == "255.255.255.255" and f.place == "sw1:p4"])  # it did reach the router

    def test_s3_90_ports_have_no_address(self):
        r = ping()
        own = {mac_of(r.out[n + " ifconfig eth1"]) for n in "abc"}
        self.assertEqual({f.src for f in r.wire}, own - {mac_of(r.out["c ifconfig eth1"])})  # nothing is from the switch
        hops = run("internet", "client traceroute -n 10.0.2.80")
        self.assertEqual(re.findall(r"(?m)^ *\d+  (\S+)", hops.text), ["10.0.1.1", "10.0.12.2", "10.0.2.80"])

    def test_s3_95_bystanders_ignore_it(self):
        r = run(lan(), "a ping -c 1 10.0.0.2", "lab wait 400s", "c ip -s link show eth1", "c ethtool -S eth1", "c cat /proc/net/snmp", "a ping -c 3 10.0.0.2",
                "c ethtool -S eth1 ", "c cat /proc/net/snmp ")
        # aged out: a's first frame to b reaches c too, and ends at its card
        far = [f for f in r.wire if f.place == "sw:p3" and f.dst != BCAST]
        self.assertTrue(far)
        for f in far:
            self.assertEqual([e["reason"] for e in r.sel("drop", node="c", serial=f.serial)], ["HW_FILTERED"])
            few(self, r.sel("enter", node="c", serial=f.serial))
        a, b = stats(r.out["c ethtool -S eth1"]), stats(r.out["c ethtool -S eth1 "])
        self.assertEqual(b["rx_filtered"] - a["rx_filtered"], len(far))
        ip = [proc(r.out["c cat /proc/net/snmp" + k])["Ip"]["InReceives"] for k in ("", " ")]
        self.assertEqual(ip, [0, 0])
        # promiscuous, the card takes them, the tap sees them, and IP leaves them alone
        p = run(lan("hub: true"), "a ping -c 1 10.0.0.2", "c tcpdump -n -i eth1 icmp &", "a ping -c 2 10.0.0.2", "c ip -s -s link show eth1", "c cat /proc/net/snmp")
        self.assertEqual(len(re.findall(r"ICMP echo re", p.text)), 4)
        self.assertEqual(proc(p.out["c cat /proc/net/snmp"])["Ip"]["InReceives"], 0)
        self.assertEqual(len([e for e in p.sel("drop", node="c") if e["reason"] == "OTHERHOST"]), 4)
        few(self, p.sel("enter", "ip_rcv_finish", "c"))


class Table(unittest.TestCase):
    def test_s3_96_s3_92_source_of_every_frame(self):
        r = ping()
        a, b, c = (mac_of(r.out[n + " ifconfig eth1"]) for n in "abc")
        self.assertEqual(fdb(r.out["sw bridge fdb show"]), {})
        self.assertEqual(fdb(r.out["sw bridge fdb show "]), {a: "p1", b: "p2"})  # c never sent
        learned = [kv(e["text"]) for e in r.sel("switch", "sw_learn", "sw", text="^learned")]
        self.assertEqual([(x["mac"], x["port"]) for x in learned], [(a, "p1"), (b, "p2")])
        who = [f for f in r.wire if f.place == "a:eth1" and f.dst == BCAST][0]
        self.assertEqual(r.sel("switch", "sw_learn", "sw")[0]["serial"], who.serial)  # the request's, not only the response's

    def test_s3_93_idle_ones_are_forgotten(self):
        quiet = "a ip neigh replace 10.0.0.2 lladdr %s dev eth1 nud permanent" % mac_of(ping().out["b ifconfig eth1"])
        also = "b ip neigh replace 10.0.0.1 lladdr %s dev eth1 nud permanent" % mac_of(ping().out["a ifconfig eth1"])
        r = run(lan(), quiet, also, "a ping -c 1 10.0.0.2", "lab wait 299s", "sw bridge fdb show", "lab wait 2s", "sw bridge fdb show ", "a ping -c 1 10.0.0.2 ")
        self.assertEqual(len(fdb(r.out["sw bridge fdb show"])), 2)
        self.assertEqual(fdb(r.out["sw bridge fdb show "]), {})
        self.assertEqual([f.place for f in r.wire if f.place == "sw:p3"], ["sw:p3", "sw:p3"])  # flooded at first, and after they were forgotten
        r = run(lan("ageing: 10s"), quiet, also, "a ping -c 1 10.0.0.2", "lab wait 11s", "sw bridge fdb show")
        self.assertEqual(fdb(r.out["sw bridge fdb show"]), {})

    def test_s3_96_an_address_moves_with_its_host(self):
        a = mac_of(ping().out["a ifconfig eth1"])
        r = run(lan(), "a ping -c 1 10.0.0.2", "sw bridge fdb show", "lab cut a:eth1", "lab wait 1s", "c ip link set eth1 down", "c ip link set eth1 address " + a,
                "c ip link set eth1 up", "c ping -c 2 10.0.0.2", "sw bridge fdb show ", "b ping -c 1 10.0.0.3")
        self.assertEqual(fdb(r.out["sw bridge fdb show "])[a], "p3")
        last = [f for f in r.wire if f.place == "b:eth1" and f.proto == 1][-1]
        self.assertEqual([f.place for f in r.wire if f.serial == last.serial and f.place.startswith("sw:")], ["sw:p3"])
        self.assertIn("1 received", r.out["b ping -c 1 10.0.0.3"])


class Octets(unittest.TestCase):
    def test_s3_89_s3_85_damage_ends_at_the_switch(self):
        r = run(lan(la=", vars: {tc: {corrupt: 20%}}"), "b nc -l -q 5000 &", "a nc -f 60000 10.0.0.2 5000", "lab wait 20s", "sw bridge -s link", "a cat /proc/net/snmp",
                "b ethtool -S eth1")
        self.assertIn("received 60000 bytes", r.text)
        bad = [e for e in r.sel("drop", node="sw") if e["reason"] == "HW_BAD_FCS"]
        self.assertGreater(len(bad), 3)
        port = re.search(r"(?s)1: p1:.*?fcs_errors (\d+)", r.out["sw bridge -s link"])
        self.assertEqual(int(port[1]), len(bad))
        for e in bad:
            few(self, [f for f in r.wire if f.serial == e["serial"] and f.place.startswith("sw:")])
            few(self, r.sel("enter", "ip_rcv", "b", e["serial"]))
        self.assertEqual(stats(r.out["b ethtool -S eth1"])["rx_crc_errors"], 0)  # none came that far
        self.assertGreater(proc(r.out["a cat /proc/net/snmp"])["Tcp"]["RetransSegs"], 0)

    def test_s3_85_damage_raises_nothing_and_tcp_repeats(self):
        r = run(lan(lb=", vars: {tc: {corrupt: 20%}}"), "b nc -l -q 5000 &", "a nc -f 60000 10.0.0.2 5000", "lab wait 20s", "b ethtool -S eth1", "a cat /proc/net/snmp")
        self.assertIn("received 60000 bytes", r.text)
        bad = [e for e in r.sel("drop", node="b") if e["reason"] == "HW_BAD_FCS"]
        self.assertGreater(len(bad), 3)
        self.assertEqual(stats(r.out["b ethtool -S eth1"])["rx_crc_errors"], len(bad))
        for e in bad:  # nothing of it: no buffer, no descriptor, no function
            few(self, [x for x in r.by_serial[e["serial"]] if x["node"] == "b" and x["kind"] in ("enter", "born", "dma") and x["i"] >= e["i"] and
                       x["t"] == e["t"]])
        self.assertGreater(proc(r.out["a cat /proc/net/snmp"])["Tcp"]["RetransSegs"], 0)

    def test_s3_89_s3_81_stored_then_forwarded(self):
        r = ping()
        for f in [f for f in r.wire if f.proto == 1 and f.place == "a:eth1"]:
            out = [g for g in r.wire if g.serial == f.serial and g.place == "sw:p2"][0]
            octets = len(f.raw) + 8
            self.assertGreaterEqual(out.t - f.t, octets * 8 + 500)  # all of it at 1 Gbit/s, and 100 m of cable
        full = run(lan(), "a ping -c 1 -s 1472 10.0.0.2")
        f = [f for f in full.wire if f.proto == 1 and f.place == "a:eth1"][0]
        out = [g for g in full.wire if g.serial == f.serial and g.place == "sw:p2"][0]
        self.assertEqual(len(f.raw) + 8, 1526)
        self.assertGreaterEqual(out.t - f.t, 1526 * 8 + 500)
        self.assertLess(out.t - f.t, 2 * 1526 * 8)
        # two senders, one port: what does not fit its buffer is dropped and counted
        r = run(lan("queue: 8KiB"), "b nc -l -u -q -k 7 &", "a ping -c 1 10.0.0.2", "c ping -c 1 10.0.0.2", "a nc -u -f 100000 10.0.0.2 7 &", "c nc -u -f 100000 10.0.0.2 7",
                "lab wait 1s", "sw bridge -s link")
        drops = [e for e in r.sel("drop", node="sw") if e["reason"] == "SWITCH_QUEUE"]
        self.assertTrue(drops)
        self.assertIn("queue_drops %d" % len(drops), r.out["sw bridge -s link"])

    def test_s3_97_a_hub_works_too(self):
        r = run(lan("hub: true"), "a ping -c 2 10.0.0.2", "sw bridge fdb show", "b nc -l -q 5000 &", "a nc -f 30000 10.0.0.2 5000", "lab wait 1s")
        self.assertIn("2 received", r.text)
        self.assertIn("received 30000 bytes", r.text)
        self.assertEqual(fdb(r.out["sw bridge fdb show"]), {})
        for f in [f for f in r.wire if f.proto == 1 and f.place == "a:eth1"]:
            self.assertEqual(sorted(g.place for g in r.wire if g.serial == f.serial and g.place.startswith("sw:")), ["sw:p2", "sw:p3"])


if __name__ == "__main__":
    unittest.main()

"""Private addresses behind a router that translates (the lab nat), and the same page without (the lab internet)."""
import re
import unittest

from world import run

CLIENT, ROUTER, SERVER = "192.168.1.10", "10.0.1.20", "10.0.2.80"
PAGE = "client curl -s -o /x http://www.server.com/small.html"


def web(r):
    """Frames of the connection to the web server, by the cable's end that they left from."""
    d = {}
    for f in r.wire:
        if f.ip and f.proto == 6 and 80 in (f.sport, f.dport):
            d.setdefault(f.place, []).append(f)
    return d


def hosts(frames):
    return {a for f in frames for a in f.ip}


class Nat(unittest.TestCase):
    def test_s3_117_addresses_are_rewritten_both_ways_and_checksums_are_right(self):
        r = run("nat", PAGE, "lab wait 100ms", "home conntrack -L -p tcp")
        places = web(r)
        inside = {p for p in places if re.match(r"(client|lan|home:eth1)", p)}
        self.assertTrue(inside and set(places) - inside)
        for p, frames in places.items():
            self.assertEqual(hosts(frames), {CLIENT, SERVER} if p in inside else {ROUTER, SERVER}, p)
            for f in frames:
                self.assertTrue(f.ip_ok and f.tcp_ok, f)
        # the same packet before and after: one end rewritten, what it carries untouched
        before = {f.serial: f for p in inside for f in places[p]}
        pairs = [(before[f.serial], f) for p in set(places) - inside for f in places[p] if f.serial in before]
        self.assertGreater(len(pairs), 8)
        for a, b in pairs:
            self.assertEqual((a.seq, a.ack, a.flags, a.win, a.opt, a.data), (b.seq, b.ack, b.flags, b.win, b.opt, b.data))
            self.assertEqual([x for x in a.ip if x != CLIENT], [x for x in b.ip if x != ROUTER])
        # no private address beyond the router, in any packet
        for f in r.wire:
            if f.ip and re.match(r"(sw[1-4]|r[1-3]|www|ns|dns|root|com|home:eth2|home2:eth2)\b", f.place):
                self.assertFalse([a for a in f.ip if a.startswith("192.168.")], f)

    def test_s3_117_the_mapping_table_says_so(self):
        r = run("nat", PAGE, "lab wait 100ms", "home conntrack -L -p tcp")
        m = re.search(r"^tcp +6 \d+ (\w+) src=(\S+) dst=(\S+) sport=(\d+) dport=80 src=(\S+) dst=(\S+) sport=80 dport=(\d+) \[ASSURED\] mark=0 use=1$",
                      r.out["home conntrack -L -p tcp"], re.M)
        self.assertEqual(m.groups()[:3] + m.groups()[4:6], ("TIME_WAIT", CLIENT, SERVER, SERVER, ROUTER))
        outside = [f for f in r.wire if f.proto == 6 and f.ip[0] == ROUTER]
        self.assertEqual({f.sport for f in outside}, {int(m[7])})

    def test_s3_117_each_packet_is_rewritten_at_its_hook(self):
        r = run("nat", PAGE, "lab wait 100ms", "home conntrack -L -p tcp")
        notes = r.sel("note", "nf_nat_packet", "home", text=r"^nat ")
        for e in notes:
            chain = r.chain(e)
            self.assertIn("nf_nat_ipv4_out" if "nat source" in e["text"] else "nf_nat_ipv4_pre_routing", chain)
        self.assertTrue([e for e in notes if "was=%s:" % CLIENT in e["text"] and "is=%s:" % ROUTER in e["text"]])
        self.assertTrue([e for e in notes if "was=%s:" % ROUTER in e["text"] and "is=%s:" % CLIENT in e["text"]])

    def test_s3_117_without_translation_addresses_stay(self):
        places = web(run("internet", PAGE, "lab wait 100ms"))
        self.assertGreater(len(places), 8)
        for p, frames in places.items():
            self.assertEqual(hosts(frames), {"10.0.1.10", SERVER}, p)


if __name__ == "__main__":
    unittest.main()

"""What culver lives prints: lo beside a cable, counted by the functions that did the work."""
import json
import unittest

from world import culver, run

SAVED = ("queue discipline", "driver: igb_xmit_frame", "DMA mappings made", "transmit descriptors", "doorbells", "frames on the cable",
         "interrupts", "softirq polls of a NIC")
KEPT = ("system calls", "UDP datagrams received", "IP output", "IP input", "netfilter hooks", "neighbour output", "device layer",
        "octets, program to skb", "octets, skb to program")


def table(size=100000):
    return {(c["what"], c["octets"], c["way"]): c for c in json.loads(culver("lives", "--json", "--size", str(size)))}


class Lives(unittest.TestCase):
    def test_s2_78_what_lo_saves(self):
        t = table()
        for what, n in (("datagram", 100), ("datagram", 4000), ("TCP", 100000)):
            lo, cable = t[what, n, "lo"], t[what, n, "cable"]
            for k in SAVED:
                self.assertEqual((k, lo[k]), (k, 0))
                self.assertGreater(cable[k], 0, k)
            self.assertGreaterEqual(lo["softirq polls of a backlog"], 1)
            self.assertEqual(cable["softirq polls of a backlog"], 0)
            self.assertEqual(lo["driver: loopback_xmit"], lo["CPU's backlog"])
            # each frame on the cable was in the discipline once, had one descriptor, and rang once
            for k in ("queue discipline", "driver: igb_xmit_frame", "transmit descriptors", "doorbells"):
                self.assertEqual((k, cable[k]), (k, cable["frames on the cable"]))

    def test_s2_79_what_it_does_not_save(self):
        t = table()
        lo, cable = t["datagram", 100, "lo"], t["datagram", 100, "cable"]
        for k in KEPT:
            self.assertEqual((k, lo[k]), (k, cable[k]))
        self.assertEqual(lo["driver: loopback_xmit"], cable["driver: igb_xmit_frame"])
        self.assertEqual((lo["IP output"], lo["IP input"], lo["netfilter hooks"]), (1, 1, 4))
        for size in (1, 1448):
            lo, cable = (table(size)["TCP", size, way] for way in ("lo", "cable"))
            for c in (lo, cable):  # every segment, either way, passes every layer once
                n = c["IP output"]
                self.assertEqual([c[k] for k in ("IP input", "neighbour output", "device layer")], [n, n, n])
                self.assertEqual(c["driver: loopback_xmit"] + c["driver: igb_xmit_frame"], n)
                self.assertEqual(c["netfilter hooks"], 4 * n)
                self.assertEqual(c["TCP segments received"], n)
            self.assertEqual(lo["clones"], cable["clones"])  # SYN, data, FINs (pure ACKs may be fewer on lo)

    def test_s3_163_s3_160_s3_161_copies(self):
        for size in (1, 1000, 20000):
            t = table(size)
            for (what, n, way), c in t.items():
                self.assertEqual(c["octets, program to skb"], n)
                self.assertGreaterEqual(c["octets, skb to program"], n)
                if way == "cable":
                    self.assertEqual(c["octets that they copied"], 0)
                if what == "datagram":
                    self.assertEqual(c["clones"], 0)
                elif way == "cable":  # each segment with data, SYN or FIN (one may go with data); pure ACKs are not kept
                    self.assertIn(c["clones"] - -(-n // 1448), (2, 3))

    def test_s2_54_s2_55_every_packet_ends(self):
        for c in table().values():
            self.assertEqual(c["skbs allocated"], c["skbs consumed"] + c["skbs dropped"] + c["skbs still queued"])
            self.assertEqual((c["skbs dropped"], c["skbs still queued"]), (0, 0))
        # a datagram on lo is one skb from the sender to the reader; over the cable two, of two hosts
        t = table()
        self.assertEqual((t["datagram", 100, "lo"]["skbs allocated"], t["datagram", 100, "cable"]["skbs allocated"]), (1, 2))

    def test_books_and_events_agree(self):
        r = run("pair", "a ping -c 3 10.0.0.2", "b nc -l -q 5000 &", "a nc -f 50000 10.0.0.2 5000", "lab wait 70s")
        self.assertEqual(r.queued, {"a": 0, "b": 0})


if __name__ == "__main__":
    unittest.main()

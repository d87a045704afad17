"""Names: four servers that know their own zone, eight messages, caches with an end (S3-18 to S3-30), in the lab internet."""
import re
import struct
import unittest

from world import few, run, visit

CLIENT, LOCAL, ROOT, COM, NS = "10.0.1.10", "10.0.1.53", "10.0.3.2", "10.0.3.3", "10.0.2.53"
SERVERS = {LOCAL, ROOT, COM, NS}


def messages(r):
    """Every DNS message once, as its sender's cable shows it: (from, to, id, flags, name, counts, octets)."""
    out, seen = [], set()
    for f in r.wire:
        if f.proto == 17 and 53 in (f.sport, f.dport) and f.serial not in seen and not f.place.startswith("sw"):
            seen.add(f.serial)
            ident, flags, *n = struct.unpack(">6H", f.data[:12])
            labels, at = [], 12
            while f.data[at]:
                labels.append(f.data[at + 1:at + 1 + f.data[at]].decode())
                at += 1 + f.data[at]
            out.append((f.ip[0], f.ip[1], ident, flags, ".".join(labels), tuple(n), bytes(f.data)))
    return out


QR, AA, RD, RA = 0x8000, 0x400, 0x100, 0x80


class Walk(unittest.TestCase):
    def test_s3_18_s3_23_s3_29_eight_messages_then_the_syn(self):
        r = visit()
        m = messages(r)
        self.assertEqual([(x[0], x[1]) for x in m], [(CLIENT, LOCAL), (LOCAL, ROOT), (ROOT, LOCAL), (LOCAL, COM), (COM, LOCAL), (LOCAL, NS), (NS, LOCAL), (LOCAL, CLIENT)])
        self.assertEqual({x[4] for x in m}, {"www.server.com"})
        self.assertTrue(m[0][3] & RD and not m[0][3] & QR)
        self.assertEqual((m[7][3] & (QR | RA | AA), m[7][2]), (QR | RA, m[0][2]))
        syn = [f for f in r.wire if f.proto == 6 and f.fl == "S"][0]
        last = [f for f in r.wire if f.proto == 17 and f.ip == (LOCAL, CLIENT)][-1]
        self.assertGreater(syn.t, last.t)
        self.assertIn(bytes(int(x) for x in syn.ip[1].split(".")), m[7][6])

    def test_s3_20_labels_on_the_wire(self):
        q = messages(visit())[0][6]
        self.assertIn(b"\x03www\x06server\x03com\x00\x00\x01\x00\x01", q)

    def test_s3_25_s3_26_s3_27_s3_28_referral_referral_answer(self):
        m = messages(visit())
        for reply, zone in ((m[2], b"\x03com\x00"), (m[4], b"\x06server")):
            flags, (qd, an, ns, ar) = reply[3], reply[5]
            self.assertEqual((flags & (QR | AA), an, ns >= 1, ar >= 1), (QR, 0, True, True))
            self.assertIn(zone, reply[6])
        self.assertIn(bytes((10, 0, 3, 3)), m[2][6])  # glue: where com is; nobody had told the resolver
        self.assertIn(bytes((10, 0, 2, 53)), m[4][6])
        flags, (qd, an, ns, ar) = m[6][3], m[6][5]
        self.assertEqual((flags & (QR | AA), an), (QR | AA, 1))
        self.assertIn(struct.pack(">I", 300) + b"\x00\x04" + bytes((10, 0, 2, 80)), m[6][6])

    def test_s3_21_each_server_knows_its_zone_alone(self):
        cmds = ["client dig +norecurse @%s %s" % (s, n) for s, n in ((ROOT, "www.server.com"), (COM, "www.server.com"), (NS, "www.server.com"), (NS, "www.other.org"), (COM, "x.org"))]
        r = run("internet", *cmds)
        got = [re.search(r"status: (\w+)", r.out[c])[1] + " %s/%s" % re.search(r"ANSWER: (\d+), AUTHORITY: (\d+)", r.out[c]).groups() for c in cmds]
        self.assertEqual(got, ["NOERROR 0/1", "NOERROR 0/1", "NOERROR 1/0", "REFUSED 0/0", "REFUSED 0/0"])

    def test_s3_22_s3_24_the_root_is_needed_once(self):
        r = run("internet", "client dig www.server.com", "lab cut root:eth1", "dns dns cache", "client dig ns.server.com", "dns dns cache flush", "client dig web.server.com")
        self.assertIn("10.0.2.53", r.out["client dig ns.server.com"])  # by what is kept of server.com
        self.assertNotIn("10.0.2.80", r.out["client dig web.server.com"])  # nothing is kept: it has to begin at the root, which is gone
        asked = [x[1] for x in messages(r) if x[0] == LOCAL and not x[3] & QR]
        self.assertEqual(asked[:4], [ROOT, COM, NS, NS])
        self.assertEqual(set(asked[4:]), {ROOT})


class Caches(unittest.TestCase):
    def test_s3_24_until_the_ttl_ends(self):
        r = run("internet", "client dig www.server.com", "lab wait 299s", "client dig www.server.com ", "lab wait 2s", "client dig www.server.com  ")
        ttl = [re.search(r"(?m)^www\.server\.com\.\s+(\d+)\s+IN\s+A", r.out["client dig www.server.com" + " " * k])[1] for k in range(3)]
        self.assertEqual(ttl[0], "300")
        self.assertLessEqual(int(ttl[1]), 1)
        self.assertEqual(ttl[2], "300")
        asked = [x[1] for x in messages(r) if x[0] == LOCAL and not x[3] & QR]
        self.assertEqual(asked, [ROOT, COM, NS, NS])  # after its end only the owner is asked: the way there is kept longer

    def test_s3_30_browser_system_hosts_file_server(self):
        r = visit("http://www.server.com/small.html", "--repeat", "3", "--pause", "1")
        self.assertEqual(len(messages(r)), 8)  # for three visits
        self.assertEqual(len(r.sel("app", "resolve", "client", text="browser cache hit")), 2)
        self.assertEqual(len(r.sel("app", "resolve", "client", text="browser cache miss")), 1)
        # another program has no browser's cache; the system's is there for all
        r = run("internet", "client curl -s -o /x http://www.server.com/small.html", "client curl -s -o /y http://www.server.com/small.html", "client dns os-cache", "client dns os-cache flush",
                "client curl -s -o /z http://www.server.com/small.html", "lab wait 1s")
        self.assertEqual(len(r.sel("app", "cached", "client", text="os cache miss")), 2)
        self.assertEqual(len(r.sel("app", "cached", "client", text="os cache hit")), 1)
        self.assertIn("www.server.com", r.out["client dns os-cache"])
        m = [x for x in messages(r) if x[0] == CLIENT]
        self.assertEqual(len(m), 2)
        self.assertEqual(len([x for x in messages(r) if x[0] == LOCAL and x[1] in (ROOT, COM, NS)]), 3)  # the second time the local server knows

    def test_s3_19_no_name_server_carries_it(self):
        few(self, [f for f in visit().wire if f.proto == 6 and SERVERS & set(f.ip)])


if __name__ == "__main__":
    unittest.main()

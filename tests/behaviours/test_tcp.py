"""TCP's connections as tools and captures show them: header, handshake, states, sizes (S3-40 to S3-63)."""
import re
import unittest

from world import few, kv, lab_file, proc, run, two


def slow():
    """A cable of 100 ms: every state lasts long enough to be seen with netstat."""
    return run(two(link="vars: {tc: {delay: 100ms}}"), "b nc -l 5000 &", "b netstat -napt", "a ping -c 1 10.0.0.2", "a nc -w 2 10.0.0.2 5000 &",
               "lab wait 50ms", "a netstat -napt ", "lab wait 100ms", "a netstat -napt  ", "b netstat -napt  ", "lab wait 100ms",
               "a netstat -napt   ", "b netstat -napt   ", "lab wait 100ms", "a netstat -napt    ", "b netstat -napt    ", "lab wait 2s",
               "a netstat -napt     ", "b netstat -napt     ", "lab wait 100ms", "a netstat -napt      ", "b netstat -napt      ",
               "lab wait 61s", "a netstat -napt       ")


def rows(text):
    """netstat: [(local, foreign, state, program)]"""
    return [(m[1], m[2], m[3], m[4]) for m in re.finditer(r"(?m)^tcp +\d+ +\d+ (\S+) +(\S+) +([A-Z_0-9]+)(?: +(\S+))?", text)]


def cause(r, e):
    """What a state change was caused by: the flags of the segment at hand, or the system call."""
    up = e["up"]
    while up is not None:
        x = r.ev[up]
        if x["func"] == "tcp_v4_rcv":
            return [f.fl for f in r.wire if f.serial == x["serial"]][0]
        if x["func"].startswith("SyS_"):
            return x["func"]
        up = x["up"]
    return None


class Handshake(unittest.TestCase):
    def frames(self, r):
        return [f for f in r.wire if f.proto == 6]

    def test_s3_49_listening_before_any_packet(self):
        r = slow()
        listen = rows(r.out["b netstat -napt"])
        self.assertEqual([x[:3] for x in listen], [("0.0.0.0:5000", "0.0.0.0:*", "LISTEN")])
        t = r.sel("state", "tcp_set_state", "b", text="new=LISTEN")[0]["t"]
        self.assertLess(t + 946684800 * 10**9, self.frames(r)[0].t)

    def test_s3_50_s3_51_syn_sent_and_syn_received(self):
        r = slow()
        self.assertEqual([x[2] for x in rows(r.out["a netstat -napt "])], ["SYN_SENT"])
        b = rows(r.out["b netstat -napt  "])
        self.assertEqual(sorted(x[2] for x in b), ["LISTEN", "SYN_RECV"])  # the listener stays one
        syn, synack = self.frames(r)[:2]
        self.assertEqual((syn.fl, synack.fl, synack.ack), ("S", "SA", syn.seq + 1 & 0xFFFFFFFF))
        late = rows(r.out["b netstat -napt   "])  # the last ACK is on its way: the client is further than the server
        self.assertIn("SYN_RECV", [x[2] for x in late])
        self.assertEqual([x[2] for x in rows(r.out["a netstat -napt   "])], ["ESTABLISHED"])

    def test_s3_52_client_is_established_by_syn_ack(self):
        r = slow()
        syn, synack, ack = self.frames(r)[:3]
        self.assertEqual((ack.fl, ack.ack, ack.seq), ("A", synack.seq + 1 & 0xFFFFFFFF, syn.seq + 1 & 0xFFFFFFFF))
        e = r.one(kind="state", func="tcp_set_state", node="a", text="old=SYN_SENT new=ESTABLISHED")
        self.assertEqual(cause(r, e), "SA")
        done = r.one(kind="syscall", func="SyS_connect", node="a", text=r"htons\(5000\)")
        self.assertTrue(done["text"].endswith("= 0"))
        self.assertGreater(done["i"], e["i"])
        self.assertLess(done["t"] - e["t"], 1000000)

    def test_s3_53_server_is_established_by_the_ack(self):
        r = slow()
        e = r.one(kind="state", func="tcp_set_state", node="b", text="old=SYN_RECV new=ESTABLISHED")
        self.assertEqual(cause(r, e), "A")
        acc = r.one(kind="syscall", func="SyS_accept4", node="b")
        self.assertGreater(acc["i"], e["i"])
        self.assertIn("ESTABLISHED", [x[2] for x in rows(r.out["b netstat -napt    "])])

    def test_s3_55_three_segments_with_their_numbers(self):
        r = slow()
        a, b, c = self.frames(r)[:3]
        self.assertEqual([f.fl for f in (a, b, c)], ["S", "SA", "A"])
        self.assertEqual((a.ack, b.ack - a.seq & 0xFFFFFFFF, c.ack - b.seq & 0xFFFFFFFF), (0, 1, 1))
        self.assertNotEqual(a.seq, b.seq)
        states = [(e["node"], kv(e["text"])["new"]) for e in r.sel("state", "tcp_set_state") if kv(e["text"])["new"] in
                  ("LISTEN", "SYN_SENT", "ESTABLISHED")]
        self.assertEqual(states, [("b", "LISTEN"), ("a", "SYN_SENT"), ("a", "ESTABLISHED"), ("b", "ESTABLISHED")])

    def test_s3_54_an_old_syn_leaves_no_connection(self):
        # the program gives up while its SYN is under way: it arrives as an old one
        r = run(two(link="vars: {tc: {delay: 3s}}"), "a ip neigh replace 10.0.0.2 lladdr %s dev eth1 nud permanent" % macs()[1],
                "b ip neigh replace 10.0.0.1 lladdr %s dev eth1 nud permanent" % macs()[0], "b nc -l 80 &",
                "a curl -s -m 1 http://10.0.0.2/", "lab wait 10s", "b netstat -nt", "a netstat -nt")
        fl = [(f.place, f.fl) for f in self.frames(r)]
        self.assertEqual(fl[0], ("a:eth1", "S"))
        self.assertIn(("b:eth1", "SA"), fl)
        self.assertEqual({f for p, f in fl if p == "a:eth1"}, {"S", "R"})
        for n in ("a netstat -nt", "b netstat -nt"):
            self.assertEqual(rows(r.out[n]), [])
        few(self, r.sel("state", "tcp_set_state", "b", text="new=ESTABLISHED"))

    def test_s3_46_both_ends_keep_the_connection(self):
        r = slow()
        a = rows(r.out["a netstat -napt    "])
        b = [x for x in rows(r.out["b netstat -napt    "]) if x[2] != "LISTEN"]
        self.assertEqual([(x[1], x[0], x[2]) for x in a], [(x[0], x[1], x[2]) for x in b])
        self.assertEqual(a[0][2], "ESTABLISHED")

    def test_s3_44_each_transition_has_its_flag_or_call(self):
        r = slow()  # b's program closes at once: its FIN carries the ACK of a's, which waits for a tick
        why = {(e["node"], kv(e["text"])["old"], kv(e["text"])["new"]): cause(r, e) for e in r.sel("state", "tcp_set_state")}
        for key, what in ((("a", "CLOSE", "SYN_SENT"), "SyS_connect"), (("a", "SYN_SENT", "ESTABLISHED"), "SA"),
                          (("b", "SYN_RECV", "ESTABLISHED"), "A"), (("a", "ESTABLISHED", "FIN_WAIT1"), "SyS_close"),
                          (("b", "ESTABLISHED", "CLOSE_WAIT"), "FA"), (("b", "CLOSE_WAIT", "LAST_ACK"), "SyS_close"),
                          (("a", "FIN_WAIT1", "FIN_WAIT2"), "FA"), (("b", "LAST_ACK", "CLOSE"), "A")):
            self.assertEqual((key, why.get(key)), (key, what))
        fin = [f for f in r.wire if f.place == "b:eth1" and f.fl == "FA"][0]
        tw = [e for e in r.sel("enter", node="a", serial=fin.serial) if e["func"] == "tcp_v4_rcv"][0]
        self.assertLess(r.sel("state", "tcp_set_state", "a", text="new=FIN_WAIT2")[-1]["i"], tw["end"])
        self.assertEqual([x[2] for x in rows(r.out["a netstat -napt      "])], ["TIME_WAIT"])

    def test_s3_56_netstat_names_every_state(self):
        r = slow()
        head = r.out["b netstat -napt"].splitlines()[1]
        self.assertEqual(head.split("  ")[0], "Proto Recv-Q Send-Q Local Address")
        for word in ("Foreign Address", "State", "PID/Program name"):
            self.assertIn(word, head)
        self.assertRegex(r.out["b netstat -napt"], r"LISTEN +\d+/nc")
        seen = {x[2] for t in r.out.values() for x in rows(t)}
        crossing = run(two(link="vars: {tc: {delay: 100ms}}"), "b nc -l -w 1.95 5000 &", "a ping -c 1 10.0.0.2", "a nc -w 2 10.0.0.2 5000 &",
                       "lab wait 2360ms", "a netstat -nt", "b netstat -nt")
        seen |= {x[2] for t in crossing.out.values() for x in rows(t)}
        half = run(two(link="vars: {tc: {delay: 20ms, rate: 1Mbit, limit: 256KiB}}"), "b nc -l -f 100000 5000 &", "a nc -d x 10.0.0.2 5000 &",
                   "lab wait 200ms", "a netstat -nt", "b netstat -nt", "lab wait 100ms", "a netstat -nt ", "b netstat -nt ")
        seen |= {x[2] for t in half.out.values() for x in rows(t)}
        self.assertEqual(seen, {"LISTEN", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE_WAIT", "LAST_ACK",
                                "CLOSING"})
        self.assertEqual(rows(r.out["a netstat -napt       "]), [])  # after a minute TIME_WAIT is gone, and CLOSE is not shown


def macs():
    t = run(two(), "a ifconfig eth1", "b ifconfig eth1")
    return [re.search(r"ether (\S+)", t.out[n + " ifconfig eth1"])[1] for n in "ab"]


class Header(unittest.TestCase):
    def test_s3_40_all_fields_and_the_checksum(self):
        r = slow()
        fr = [f for f in r.wire if f.proto == 6]
        for f in fr:
            self.assertTrue(f.tcp_ok and f.ip_ok)
            self.assertEqual(f.doff % 4, 0)
            self.assertEqual(len(f.l4), f.doff + len(f.data))
            self.assertEqual((f.urg, f.l4[12] & 15), (0, 0))  # no urgent data; reserved bits
            self.assertIn(5000, (f.sport, f.dport))
        n = r.wire.index(fr[0]) + 1
        t = r.trace("--wire", str(n))
        for word in ("source port", "destination port", "sequence", "acknowledgement", "window", "checksum", "urgent"):
            self.assertRegex(t, "(?i)" + word)
        bad = run(two(link="vars: {tc: {corrupt_inner: 5%}}"), "b nc -l -q 5000 &", "a nc -f 300000 10.0.0.2 5000", "lab wait 5s",
                  "b cat /proc/net/snmp", "a cat /proc/net/snmp")
        self.assertIn("received 300000 bytes", bad.text)
        errs = sum(proc(bad.out[n + " cat /proc/net/snmp"])["Tcp"]["InCsumErrors"] for n in "ab")
        drops = [e for e in bad.sel("drop") if e["reason"] == "TCP_CSUM"]
        self.assertGreater(errs, 3)
        self.assertEqual(errs, len(drops))
        for e in drops:  # the capture holds what was sent; the cable says what it did to it
            self.assertTrue(bad.sel("wire", serial=e["serial"], text="fate=corrupted inside, bit "))
            few(self, bad.sel("copy", "skb_copy_datagram_iter", serial=e["serial"]))

    def test_s3_59_mss_is_what_fits(self):
        p = lab_file("""name: mss
topology:
  nodes: {a: {}, b: {exec: ["ip link set eth1 mtu 1400"]}}
  links:
    - type: veth
      endpoints:
        - {node: a, interface: eth1, ipv4: 10.0.0.1/24}
        - {node: b, interface: eth1, ipv4: 10.0.0.2/24}
""")
        r = run(p, "b nc -l -q 5000 &", "a nc -f 20000 10.0.0.2 5000", "lab wait 2s")
        syn = {f.place: int.from_bytes(f.option(2), "big") for f in r.wire if f.proto == 6 and f.flags & 2}
        self.assertEqual(syn, {"a:eth1": 1460, "b:eth1": 1360})
        d = [f for f in r.wire if f.proto == 6 and f.data]
        self.assertEqual(max(len(f.data) for f in d), 1360 - 12)  # the smaller one, less the timestamps
        w = run(two(), "b nc -l -q 5000 &", "a nc -f 20000 10.0.0.2 5000", "lab wait 2s")
        self.assertEqual(max(len(f.data) for f in w.wire if f.proto == 6), 1448)
        off = run(two("sysctls: {net.ipv4.tcp_timestamps: 0}"), "b nc -l -q 5000 &", "a nc -f 20000 10.0.0.2 5000", "lab wait 2s")
        self.assertEqual(max(len(f.data) for f in off.wire if f.proto == 6), 1460)

    def test_s3_60_1500_is_20_and_32_and_1448(self):
        w = run(two(), "b nc -l -q 5000 &", "a nc -f 20000 10.0.0.2 5000", "lab wait 2s")
        full = [f for f in w.wire if f.proto == 6 and f.total == 1500]
        self.assertTrue(full)
        self.assertEqual({(f.hlen, f.doff, len(f.data)) for f in full}, {(20, 32, 1448)})
        off = run(two("sysctls: {net.ipv4.tcp_timestamps: 0}"), "b nc -l -q 5000 &", "a nc -f 20000 10.0.0.2 5000", "lab wait 2s")
        self.assertIn((20, 20, 1460), {(f.hlen, f.doff, len(f.data)) for f in off.wire if f.proto == 6 and f.total == 1500})

    def test_s3_142_padding_does_not_reach_tcp(self):
        off = run(two("sysctls: {net.ipv4.tcp_timestamps: 0}"), "b nc -l -q 5000 &", "a nc -f 20000 10.0.0.2 5000", "lab wait 2s")
        self.assertIn("received 20000 bytes", off.text)
        acks = [f for f in off.wire if f.proto == 6 and f.fl == "A" and not f.data and f.total == 40]
        self.assertTrue(acks)
        for f in acks:
            self.assertEqual(len(f.raw), 64)  # 14 + 40 + 6 of padding + FCS
            self.assertEqual({e["len"] for e in off.sel("hook", serial=f.serial, text="hook=LOCAL_IN")}, {40})
            few(self, off.sel("copy", "skb_copy_datagram_iter", serial=f.serial))

    def test_s3_63_ip_is_asked_in_every_phase(self):
        r = slow()
        for f in [f for f in r.wire if f.proto == 6]:
            node = f.place[0]
            names = r.enters(f.serial, node)
            last = f is [g for g in r.wire if g.proto == 6][-1]
            want = "ip_build_and_send_pkt" if f.fl == "SA" else "ip_queue_xmit"
            if last:  # TIME-WAIT's ACK may take the way of replies without a socket
                out = r.chain(r.one(kind="enter", func="ip_local_out", node=node, serial=f.serial))
                self.assertTrue({"ip_queue_xmit", "ip_send_unicast_reply"} & set(out), out)
            else:
                self.assertIn(want, names, f)
        fl = [f.fl for f in r.wire if f.proto == 6 and f.place == "a:eth1"]
        self.assertEqual(fl[0], "S")
        self.assertIn("FA", fl)


if __name__ == "__main__":
    unittest.main()

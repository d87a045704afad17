"""TCP, UDP and IP between hosts on cables that lose, reorder, damage and narrow (S3-09, S3-10, S3-39 to S3-64, S3-121 to S3-159)."""
import os
import re
import unittest

from world import TOP, few, kv, lab_file, ordered, proc, run, two, visit

MOD = 1 << 32
NC = "".join(chr(97 + i % 26) for i in range(65536))  # what nc -f sends, over and over


def pattern(n):
    return (NC * (n // 65536 + 1))[:n]


def tail(r, begin):
    """Counters printed last. (What nc received ends without a newline, so that r.out knows no borders behind it.)"""
    return proc(r.text[r.text.index(begin):].split("\n0.")[0])


def one_way(tc, back=""):
    """a 10.0.0.1 and b 10.0.0.2; tc: what happens to frames from a, back: to those from b."""
    return lab_file("""name: way
topology:
  nodes: {a: {}, b: {}}
  links:
    - type: veth
      endpoints:
        - {node: a, interface: eth1, ipv4: 10.0.0.1/24, vars: {tc: {%s}}}
        - {node: b, interface: eth1, ipv4: 10.0.0.2/24, vars: {tc: {%s}}}
""" % (tc, back))


def chain(mtu=1500):
    """a - r - b; the far cable takes mtu octets."""
    return lab_file("""name: chain
topology:
  nodes:
    a: {exec: ["ip route add default via 10.0.0.254"]}
    r: {sysctls: {net.ipv4.ip_forward: 1}}
    b: {exec: ["ip route add default via 10.0.1.254"]}
  links:
    - type: veth
      endpoints: [{node: a, interface: eth1, ipv4: 10.0.0.1/24}, {node: r, interface: eth1, ipv4: 10.0.0.254/24}]
    - type: veth
      endpoints: [{node: r, interface: eth2, ipv4: 10.0.1.254/24}, {node: b, interface: eth1, ipv4: 10.0.1.1/24}]
      mtu: %d
""" % mtu)


def stream(frames):
    """Octets of one direction of a connection, put together by their numbers as a receiver would."""
    syn = [f for f in frames if f.flags & 2][0]
    got = {}
    for f in frames:
        for k, c in enumerate(f.data):
            got[(f.seq + k - syn.seq - 1) % MOD] = c
    return bytes(got[k] for k in range(len(got)))


class Http(unittest.TestCase):
    def test_s3_39_s3_57_the_message_is_the_tcp_stream(self):
        r = visit()
        here = [f for f in r.wire if f.proto == 6 and f.place in ("client:eth1", "sw1:p4", "r1:eth1") and 80 in (f.sport, f.dport)]
        up = [f for f in here if f.dport == 80 and f.place == "client:eth1"]
        down = [f for f in r.wire if f.proto == 6 and f.sport == 80 and f.place == "www:eth1"]
        self.assertEqual([f.fl for f in up[:2]], ["S", "A"])
        self.assertGreater([f.t for f in up if f.data][0], [f.t for f in down if f.fl == "SA"][0])  # only after the handshake
        head, body = stream(down).split(b"\r\n\r\n", 1)
        with open(os.path.join(TOP, "labs", "internet", "site", "index.html"), "rb") as f:
            self.assertEqual(body, f.read())
        self.assertTrue(head.startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertTrue(stream(up).startswith(b"GET / HTTP/1.1\r\n"))
        # pieces of the MSS: contiguous, none over 1500 octets, none an IP fragment
        data = [f for f in down if f.data]
        total = len(head) + 4 + len(body)
        self.assertEqual(len(data), -(-total // 1448))
        for a, b in zip(data, data[1:]):
            self.assertEqual((a.seq + len(a.data)) % MOD, b.seq)
        self.assertEqual({(f.mf, f.off) for f in down}, {(0, 0)})
        self.assertLessEqual(max(f.total for f in down), 1500)
        self.assertEqual([len(f.data) for f in data[:3]], [1448] * 3)

    def test_s3_61_ports_of_the_client(self):
        cmds = ["client curl -s -o /x%d http://10.0.2.80/small.html" % i for i in range(6)]
        r = run("internet", *cmds)
        ports = [f.sport for f in r.wire if f.place == "client:eth1" and f.proto == 6 and f.fl == "S"]
        self.assertEqual({f.dport for f in r.wire if f.place == "client:eth1" and f.proto == 6}, {80})
        self.assertEqual(len(set(ports)), 6)
        self.assertTrue(all(32768 <= p <= 60999 and p % 2 == 0 for p in ports), ports)
        for p in ports:  # chosen by connect, and nobody listens there
            few(self, r.sel("state", "tcp_set_state", "client", text="new=LISTEN"))
        both = run("internet", "client curl -s -o /a http://10.0.2.80/ &", "client curl -s -o /b http://10.0.2.80/", "lab wait 1s")
        syn = [f for f in both.wire if f.place == "client:eth1" and f.proto == 6 and f.fl == "S"]
        self.assertEqual(len({f.sport for f in syn}), 2)


class Loss(unittest.TestCase):
    def test_s3_43_s3_149_what_is_lost_goes_again_from_the_original(self):
        r = run(one_way("drop: [6]"), "b nc -l 5000 &", "a nc -f 20000 10.0.0.2 5000", "lab wait 2s", "a cat /proc/net/snmp")
        self.assertIn(pattern(20000), r.text)  # octet for octet
        lost = [e for e in r.sel("wire", "cable") if "lost" in e["text"]]
        sent = [f for f in r.wire if f.place == "a:eth1" and f.data]
        again = [f for f in sent if len([g for g in sent if g.seq == f.seq and len(g.data) == len(f.data)]) > 1]
        self.assertEqual(len({f.seq for f in again}), 1)
        self.assertEqual(len(again), 2)
        self.assertEqual(bytes(again[0].data), bytes(again[1].data))
        self.assertEqual(tail(r, "Ip:")["Tcp"]["RetransSegs"], 1)
        born = r.sel("born", node="a", serial=again[1].serial, text="retransmit")[0]
        orig = int(kv(born["text"])["parent"])
        # one fill by the program, two clones of it, freed once, by the ACK
        self.assertEqual(len(r.sel("copy", "fill_segment", "a", orig)), 1)
        self.assertEqual(len(r.sel("clone", "skb_clone", "a", orig)), 2)
        freed = [e for e in r.sel("consume", node="a", serial=orig) if "tcp_clean_rtx_queue" in r.chain(e)]
        self.assertEqual(len(freed), 1)
        self.assertTrue(lost is not None)

    def test_s3_42_octets_in_order_whatever_the_cable_does(self):
        r = run(one_way("delay: 2ms, reorder: 25%"), "b nc -l 5000 &", "a nc -f 60000 10.0.0.2 5000", "lab wait 2s", "b cat /proc/net/netstat")
        self.assertIn(pattern(60000), r.text)
        self.assertGreater(tail(r, "TcpExt:")["TcpExt"]["TCPOFOQueue"], 0)
        acks = [f for f in r.wire if f.place == "b:eth1" and f.proto == 6 and not f.flags & 2]
        self.assertTrue([f for f in acks if f.option(5)])  # SACK says what is beyond the hole
        came = [f.seq for f in r.hook("b:PRE_ROUTING") if f.data]
        self.assertNotEqual(came, sorted(came))
        data = [f for f in r.hook("a:LOCAL_OUT") if f.data]  # numbers count octets
        end = 0
        for f in data:
            at = (f.seq - data[0].seq) % MOD
            self.assertLessEqual(at, end)  # what is new begins where the octets before it ended
            end = max(end, at + len(f.data))
        self.assertEqual(end, 60000)

    def test_s3_48_window_of_the_sender(self):
        r = run(one_way("delay: 10ms, rate: 10Mbit, limit: 1MiB, loss: 2%", "delay: 10ms"), "b nc -l -q 5000 &", "a nc -f 400000 10.0.0.2 5000 &",
                "lab wait 200ms", "a ss -tin", "lab wait 10s")
        self.assertIn("received 400000 bytes", r.text)
        ca = [(m[1] + ">" + m[2], int(m[3]), int(m[4])) for e in r.sel("state", "tcp_set_ca_state", "a")
              for m in [re.match(r"ca=(\d)->(\d) cwnd=(\d+) ssthresh=(\d+)", e["text"])]]
        first = [c for c in ca if c[0] in ("1>3", "0>3")][0]
        self.assertGreater(first[1], 10)  # slow start from 10
        self.assertEqual(first[2], first[1] * 717 // 1024)  # CUBIC's 0.7
        after = [c for c in ca if c[0] == "3>0"][0]
        self.assertEqual(after[1], first[2])
        self.assertRegex(r.out["a ss -tin"], r"cwnd:\d+ ssthresh:\d+")
        # the first flight is the initial window, and nothing is in the header of it
        data = [f for f in r.wire if f.place == "a:eth1" and f.data]
        ack = [f for f in r.wire if f.place == "b:eth1" and f.proto == 6 and not f.flags & 2][0]
        self.assertEqual(len([f for f in data if f.t < ack.t]), 10)
        # cut: the timer expires, the window is one segment
        r = run(one_way("delay: 10ms, rate: 10Mbit, limit: 1MiB", "delay: 10ms"), "b nc -l -q 5000 &", "a nc -f 800000 10.0.0.2 5000 &", "lab wait 200ms", "a ss -tin",
                "lab cut a:eth1", "lab wait 2s", "a ss -tin ", "lab mend a:eth1", "lab wait 20s")
        before = int(re.search(r"cwnd:(\d+)", r.out["a ss -tin"])[1])
        cut = re.search(r"cwnd:(\d+)(?: ssthresh:(\d+))?", r.out["a ss -tin "])
        self.assertGreater(before, 20)
        self.assertEqual(cut[1], "1")
        self.assertLess(int(cut[2]), before + 30)
        self.assertIn("received 800000 bytes", r.text)

    def test_s3_45_a_reset_refuses_and_nothing_reconnects(self):
        r = run(two(), "a ping -c 1 10.0.0.2", "a curl -s http://10.0.0.2:81/", "lab wait 10s", "a netstat -nt", "a nc -d x 10.0.0.2 82")
        tcp = [(f.place, f.fl) for f in r.wire if f.proto == 6 and 81 in (f.sport, f.dport)]
        self.assertEqual(tcp, [("a:eth1", "S"), ("b:eth1", "RA")])
        rst, syn = [[f for f in r.wire if f.proto == 6 and f.fl == k][0] for k in ("RA", "S")]
        self.assertEqual((rst.ack, rst.seq, len(rst.data)), ((syn.seq + 1) % MOD, 0, 0))
        self.assertIn("Connection refused", r.err)
        self.assertEqual([e["text"].rsplit("= ", 1)[1][:15] for e in r.sel("syscall", "SyS_connect", "a", text=r"htons\(82\)")], ["-1 ECONNREFUSED"])
        self.assertNotIn("10.0.0.2", r.out["a netstat -nt"])


def held():
    """The second connection to a program that serves one at a time: it is not accepted, and nobody reads it."""
    return run(two(), "b nc -l -k -q 5000 &", "a ping -c 1 10.0.0.2", "a nc -w 60 -p 40000 10.0.0.2 5000 &", "lab wait 100ms", "a nc -f 400000 -p 40002 10.0.0.2 5000 &",
               "lab wait 30s", "b netstat -nt", "a netstat -nt", "lab wait 60s", "a netstat -nt ", "a cat /proc/net/netstat")


class Windows(unittest.TestCase):
    def test_s3_47_zero_window_probes_and_its_end(self):
        r = held()
        b = [f for f in r.wire if f.place == "b:eth1" and f.dport == 40002]
        shut = [f for f in b if f.win == 0 and f.fl == "A"]
        self.assertTrue(shut)
        open_ = [f for f in b if f.t > shut[-1].t and f.win > 0]
        self.assertTrue(open_)
        wins = [f.win for f in b if f.fl == "A" and f.t <= shut[0].t]
        shrink = wins[wins.index(max(wins)):]
        self.assertEqual(shrink, sorted(shrink, reverse=True))  # it shrinks as it fills
        self.assertGreater(len(shrink), 10)
        probes = [f for f in r.wire if f.place == "a:eth1" and f.dport == 5000 and f.sport == 40002 and shut[0].t < f.t < open_[0].t]
        self.assertGreaterEqual(len(probes), 4)
        self.assertEqual({len(f.data) for f in probes}, {0})
        gap = [(y.t - x.t) / 1e9 for x, y in zip(probes, probes[1:])]
        for x, y in zip(gap, gap[1:]):
            self.assertAlmostEqual(y / x, 2, delta=0.3)  # less and less often
        self.assertIn("received 400000 bytes", r.text)
        self.assertGreaterEqual(proc(r.out["a cat /proc/net/netstat"])["TcpExt"]["TCPWinProbe"], 4)

    def test_s3_144_four_numbers_name_the_socket(self):
        r = held()
        rows = {m[4]: (int(m[1]), m[3]) for m in re.finditer(r"(?m)^tcp +(\d+) +(\d+) (\S+) +(\S+) +ESTABLISHED", r.out["b netstat -nt"])}
        self.assertEqual(set(rows), {"10.0.0.1:40000", "10.0.0.1:40002"})
        self.assertEqual({v[1] for v in rows.values()}, {"10.0.0.2:5000"})
        self.assertEqual(rows["10.0.0.1:40000"][0], 0)
        self.assertGreater(rows["10.0.0.1:40002"][0], 60000)  # Recv-Q grows for the one alone
        far = re.search(r"(?m)^tcp +\d+ +(\d+) 10.0.0.1:40002", r.out["a netstat -nt"])
        self.assertEqual(int(far[1]) + rows["10.0.0.1:40002"][0], 400000 + (int(far[1]) + rows["10.0.0.1:40002"][0] - 400000))
        self.assertGreater(int(far[1]), 100000)

    def test_s3_159_the_ack_frees(self):
        r = run(two(link="vars: {tc: {delay: 50ms}}"), "b nc -l -q 5000 &", "a ping -c 1 10.0.0.2", "a nc -f 4000 10.0.0.2 5000 &", "lab wait 120ms", "a netstat -nt",
                "a cat /proc/net/skb", "lab wait 100ms", "a netstat -nt ", "a cat /proc/net/skb ", "lab wait 1s")
        def q(t):
            return int(re.search(r"(?m)^tcp +\d+ +(\d+) ", t)[1])
        def live(t):
            return int(re.search(r"(?m)^live (\d+)", t)[1])
        self.assertIn(q(r.out["a netstat -nt"]), (4000, 4001))
        self.assertGreaterEqual(live(r.out["a cat /proc/net/skb"]), 3)
        self.assertLess(q(r.out["a netstat -nt "]), 2)
        self.assertEqual(live(r.out["a cat /proc/net/skb "]), 0)
        for f in [f for f in r.wire if f.place == "a:eth1" and f.data]:
            gone = [e for e in r.sel("consume", node="a", serial=f.serial) if "tcp_clean_rtx_queue" in r.chain(e)]
            ack = [g for g in r.hook("a:PRE_ROUTING") if g.proto == 6 and (g.ack - f.seq) % MOD >= len(f.data) and (g.ack - f.seq) % MOD < 1 << 20][0]
            self.assertEqual(len(gone), 1)
            up = [x for x in r.sel("enter", "tcp_v4_rcv", "a", before=gone[0]["i"])][-1]
            self.assertEqual(up["serial"], ack.serial)


class Reader(unittest.TestCase):
    def test_s3_145_s2_13_queued_then_woken_then_copied(self):
        r = run(one_way("rate: 1Mbit, limit: 1MiB"), "b nc -l -q 5000 &", "a nc -f 20000 10.0.0.2 5000 &", "lab wait 2s", "b nc -l -u -q 7 &", "lab wait 1s", "a nc -u -d hey 10.0.0.2 7",
                "lab wait 1s")
        seen = 0
        for f in [f for f in r.wire if f.place == "a:eth1" and f.data and f.proto == 6]:
            rcv = r.sel("enter", "tcp_v4_rcv", "b", f.serial)[0]
            copy = r.sel("copy", "skb_copy_datagram_iter", "b", f.serial)[0]
            wake = [e for e in r.sel("enter", "sock_def_readable", "b", after=rcv["i"], before=copy["i"])]
            self.assertTrue(wake)
            run_ = r.sel("task", "task_resume", "b", after=wake[0]["i"], before=copy["i"])
            if not run_:
                continue  # the reader was running already
            self.assertIn("SyS_recvfrom", r.chain(copy))  # the copy is the woken program's own
            few(self, r.sel("copy", node="b", after=rcv["i"], before=wake[0]["i"]))
            seen += 1
        self.assertGreater(seen, 3)
        u = [f for f in r.wire if f.place == "a:eth1" and f.proto == 17][0].serial
        queue = r.one(kind="queue", func="sock_queue_rcv_skb", node="b", serial=u)
        wake = r.sel("enter", "sock_def_readable", "b", after=queue["i"])[0]
        woken = r.sel("task", "task_wake", "b", after=wake["i"])[0]
        resumed = r.sel("task", "task_resume", "b", after=woken["i"])[0]
        copy = r.sel("copy", "skb_copy_datagram_iter", "b", u, after=resumed["i"])[0]
        self.assertLess(copy["i"], len(r.ev))
        few(self, r.sel("copy", node="b", serial=u, text="to=user", before=resumed["i"]))
        few(self, r.sel("enter", "sock_def_readable", "b", after=r.one(kind="enter", func="udp_rcv", node="b", serial=u)["i"], before=queue["i"]))


class Closing(unittest.TestCase):
    def test_s3_127_four_segments_and_a_minute(self):
        r = run(two(link="vars: {tc: {delay: 10ms}}"), "b nc -l -q 5000 &", "a nc -d x 10.0.0.2 5000", "lab wait 1s", "a netstat -nt", "b netstat -nt", "lab wait 58s",
                "a netstat -nt ", "lab wait 3s", "a netstat -nt  ")
        f = [f for f in r.wire if f.proto == 6]
        k = [i for i, x in enumerate(f) if x.flags & 1][0]
        fins = [x for x in f if x.flags & 1]
        self.assertEqual([x.place for x in fins], ["a:eth1", "b:eth1"])
        end = f[-1]
        self.assertEqual((end.place, end.fl, end.ack), ("a:eth1", "A", (fins[1].seq + 1) % MOD))
        self.assertTrue([x for x in f[k:] if x.place == "b:eth1" and x.ack == (fins[0].seq + len(fins[0].data) + 1) % MOD])
        self.assertIn("TIME_WAIT", r.out["a netstat -nt"])
        self.assertNotIn("10.0.0.1", r.out["b netstat -nt"])
        self.assertIn("TIME_WAIT", r.out["a netstat -nt "])
        self.assertNotIn("TIME_WAIT", r.out["a netstat -nt  "])
        new = [(e["node"], kv(e["text"])["new"]) for e in r.sel("state", "tcp_set_state") if kv(e["text"])["new"] in ("FIN_WAIT1", "FIN_WAIT2", "CLOSE_WAIT", "LAST_ACK")]
        self.assertEqual(new, [("a", "FIN_WAIT1"), ("b", "CLOSE_WAIT"), ("b", "LAST_ACK"), ("a", "FIN_WAIT2")])


class Ip(unittest.TestCase):
    def test_s3_64_fields_and_what_is_wrong_with_them(self):
        r = run(two(), "a ping -c 1 -s 100 10.0.0.2", "a nc -u -d abc 10.0.0.2 7")
        f = [f for f in r.wire if f.proto == 1][0]
        h = f.l3
        self.assertEqual((h[0], f.hlen, f.total, f.mf, f.off, f.ttl, f.proto, f.ip, f.ip_ok), (0x45, 20, 128, 0, 0, 64, 1, ("10.0.0.1", "10.0.0.2"), True))
        u = [f for f in r.wire if f.proto == 17][0]
        self.assertEqual((u.l3[0], u.total, u.proto, u.ip_ok), (0x45, 31, 17, True))
        # a bit flips before the FCS is made: nothing but the checksums can tell
        bad = run(one_way("corrupt_inner: 100%"), "a ping -c 200 -i 0.01 -W 0.1 10.0.0.2", "b cat /proc/net/snmp", "b cat /proc/net/netstat")
        ip, ext = proc(bad.out["b cat /proc/net/snmp"]), proc(bad.out["b cat /proc/net/netstat"])["IpExt"]
        why = {}
        for e in bad.sel("drop", node="b"):
            why[e["reason"]] = why.get(e["reason"], 0) + 1
        self.assertGreater(ip["Ip"]["InHdrErrors"], 10)
        self.assertGreater(ext["InCsumErrors"], 10)
        self.assertEqual(ext["InCsumErrors"], why.get("IP_CSUM", 0))
        self.assertEqual(ip["Ip"]["InHdrErrors"], sum(n for k, n in why.items() if k in ("IP_CSUM", "IP_INHDR")))
        self.assertEqual(ext["InTruncatedPkts"], why.get("IP_TRUNCATED", 0))
        for e in [e for e in bad.sel("drop", node="b") if e["reason"] in ("IP_CSUM", "IP_INHDR", "IP_TRUNCATED")]:
            few(self, bad.sel("enter", "ip_local_deliver", "b", e["serial"]))
            few(self, bad.sel("hook", node="b", serial=e["serial"]))

    def test_s3_09_s3_154_cut_here_put_together_there(self):
        r = run(chain(), "a ping -c 1 -s 4000 -M dont 10.0.1.1", "r cat /proc/net/snmp", "b cat /proc/net/snmp", "a cat /proc/net/snmp")
        self.assertIn("1 received", r.text)
        for place in ("a:eth1", "r:eth2"):
            f = [f for f in r.wire if f.place == place and f.ip and f.ip[1] == "10.0.1.1"]
            self.assertEqual([(x.off, x.mf, x.total) for x in f], [(0, 1, 1500), (1480, 1, 1500), (2960, 0, 1068)])
            self.assertEqual(len({x.ident for x in f}), 1)
            self.assertTrue(all(x.ip_ok for x in f))
        ip = {n: proc(r.out[n + " cat /proc/net/snmp"])["Ip"] for n in "rba"}
        self.assertEqual((ip["r"]["ReasmReqds"], ip["r"]["ForwDatagrams"], ip["r"]["FragCreates"]), (0, 6, 0))
        self.assertEqual((ip["b"]["ReasmReqds"], ip["b"]["ReasmOKs"], ip["b"]["InDelivers"]), (3, 1, 1))
        self.assertEqual((ip["a"]["FragOKs"], ip["a"]["FragCreates"]), (1, 3))
        small = run(chain(), "a ping -c 1 -s 1472 -M dont 10.0.1.1", "a cat /proc/net/snmp")
        self.assertEqual(proc(small.out["a cat /proc/net/snmp"])["Ip"]["FragCreates"], 0)

    def test_s3_10_s3_36_a_router_cuts_or_says_why_not(self):
        r = run(chain(576), "a ping -c 1 -s 1400 -M dont 10.0.1.1", "a ping -c 1 -W 1 -s 1400 -M do 10.0.1.1", "a ip route get 10.0.1.1", "b nc -l -q 5000 &", "a nc -f 5000 10.0.1.1 5000",
                "lab wait 1s", "r cat /proc/net/snmp")
        cut = [f for f in r.wire if f.place == "r:eth2" and f.proto == 1 and (f.mf or f.off)]
        self.assertEqual([(f.off, f.mf, f.total) for f in cut], [(0, 1, 572), (552, 1, 572), (1104, 0, 324)])
        big = [f for f in r.wire if f.place == "a:eth1" and f.proto == 1 and f.df and f.total == 1428][0]
        say = [f for f in r.wire if f.place == "r:eth1" and f.proto == 1 and f.l4[0] == 3][0]
        self.assertEqual((say.l4[1], int.from_bytes(say.l4[6:8], "big"), say.ip), (4, 576, ("10.0.0.254", "10.0.0.1")))
        self.assertEqual(say.l4[8:28][12:20], big.l3[12:20])  # it quotes the packet
        self.assertEqual(len(say.l4), 8 + 548)
        few(self, [f for f in r.wire if f.serial == big.serial and f.place == "r:eth2"])
        self.assertRegex(r.out["a ip route get 10.0.1.1"], r"expires \d+sec mtu 576")
        self.assertIn("received 5000 bytes", r.text)
        self.assertLessEqual(max(f.total for f in r.wire if f.place == "a:eth1" and f.data), 576)

    def test_s3_58_the_mtus_edge(self):
        r = run(two(), "a ping -c 1 -s 1472 -M dont 10.0.0.2", "a ping -c 1 -s 1473 -M dont 10.0.0.2", "a ip link set eth1 mtu 1000", "a ping -c 1 -s 972 -M dont 10.0.0.2",
                "a ping -c 1 -s 973 -M dont 10.0.0.2")
        out = [(f.total, f.mf, f.off) for f in r.wire if f.place == "a:eth1" and f.proto == 1]
        self.assertEqual(out, [(1500, 0, 0), (1500, 1, 0), (21, 0, 1480), (1000, 0, 0), (996, 1, 0), (25, 0, 976)])
        self.assertEqual(r.text.count("1 received"), 4)

    def test_s3_68_the_route_names_the_source(self):
        r = run("internet", "r1 nc -u -d x 10.0.1.10 9", "r1 nc -u -d x 10.0.2.80 9", "lab wait 1s", "r1 ip route get 10.0.1.10", "r1 ip route get 10.0.2.80")
        src = {f.ip for f in r.wire if f.proto == 17 and f.place.startswith("r1:") and f.dport == 9}
        self.assertEqual(src, {("10.0.1.1", "10.0.1.10"), ("10.0.12.1", "10.0.2.80")})
        self.assertIn("src 10.0.12.1", r.out["r1 ip route get 10.0.2.80"])

    def test_s3_70_s3_110_longest_prefix_whatever_came_first(self):
        rules = ["10.0.1.0/24 via 10.0.0.254", "10.0.0.0/8 via 10.0.0.9", "10.0.1.1/32 via 10.0.0.254", "0.0.0.0/0 via 10.0.0.9"]
        for order in ((0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)):
            cmds = ["a ip route del default"] + ["a ip route add " + rules[k] for k in order]
            r = run(chain(), *cmds, "a ip route get 10.0.1.1", "a ip route get 10.0.1.77", "a ip route get 10.9.1.1", "a ip route get 99.0.0.1", "a ping -c 1 10.0.1.1")
            via = [re.search(r"via (\S+)", r.out["a ip route get " + d])[1] for d in ("10.0.1.1", "10.0.1.77", "10.9.1.1", "99.0.0.1")]
            self.assertEqual(via, ["10.0.0.254", "10.0.0.254", "10.0.0.9", "10.0.0.9"])
            self.assertIn("1 received", r.text)
            hit = [e for e in r.sel("route", "fib_table_lookup", "a", text=r"dst=10\.0\.1\.1 .*result=hit")]
            self.assertEqual({kv(e["text"])["prefix"] for e in hit}, {"10.0.1.1/32"})


if __name__ == "__main__":
    unittest.main()

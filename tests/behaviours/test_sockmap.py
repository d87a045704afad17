"""The socket map: octets from one socket of a host to another without TCP's, IP's and the device's way (S2-81, S2-82)."""
import unittest

from world import kv, ordered, proc, run

PAGE = "curl -s -o /x http://127.0.0.1/small.html"
BIG = "curl -s -o /y http://127.0.0.1/"
DOWN = {"tcp_sendmsg", "tcp_write_xmit", "__tcp_transmit_skb", "ip_queue_xmit", "__ip_local_out", "ip_local_out", "ip_output",
        "ip_finish_output", "ip_finish_output2", "__ipv4_neigh_lookup_noref", "neigh_output", "dev_queue_xmit", "__dev_queue_xmit",
        "dev_hard_start_xmit", "loopback_xmit", "netif_rx", "process_backlog", "__netif_receive_skb", "ip_rcv",
        "ip_local_deliver", "tcp_v4_rcv"}


def both():
    return run("sockmap", "stack " + PAGE, "map " + PAGE, "stack " + BIG, "map " + BIG, "stack cat /x", "map cat /x", "stack cat /y", "map cat /y",
               "stack cat /proc/net/sockmap", "map cat /proc/net/sockmap", "stack cat /proc/sys/net/culver/sockmap",
               "map cat /proc/net/snmp", "lab wait 70s")


def lo_segments(r, node):
    return [f for f in r.lo(node) if f.proto == 6]


class Sockmap(unittest.TestCase):
    def test_s2_81_data_moves_above_tcp_setup_and_end_stay_tcp(self):
        r = both()
        # off by default
        self.assertEqual(r.out["stack cat /proc/sys/net/culver/sockmap"].strip(), "0")
        self.assertIn("sockets 0 pairs 0 joined 0", r.out["stack cat /proc/net/sockmap"])
        self.assertTrue([f for f in lo_segments(r, "stack") if f.data])
        # P(lo): handshake and FIN exchange of two connections, and not an octet of data
        segs = lo_segments(r, "map")
        self.assertFalse([f for f in segs if f.data])
        self.assertEqual(sum("S" in f.fl for f in segs), 4)
        self.assertEqual(sum("F" in f.fl for f in segs), 4)
        self.assertFalse([f for f in segs if "R" in f.fl])
        self.assertTrue(all(f.ip_ok for f in segs))
        # each octet has its number all the same: FIN stands behind all that was sent
        for syn in (f for f in segs if f.fl == "S"):
            conn = [f for f in segs if {f.sport, f.dport} == {syn.sport, syn.dport}]
            for port in (syn.sport, syn.dport):
                first = next(f for f in conn if f.sport == port and "S" in f.fl)
                fin = next(f for f in conn if f.sport == port and "F" in f.fl)
                sent = (fin.seq - first.seq - 1) % 2 ** 32
                self.assertGreater(sent, 60)
                self.assertEqual(max((f.ack - first.seq - 2) % 2 ** 32 for f in conn if f.sport != port and "A" in f.fl and f.t >= fin.t), sent)
        # the way: socket to socket; the packets that carried data entered nothing of TCP's output, IP, neighbour and device
        queued = r.sel("queue", func="sk_psock_queue_msg", node="map")
        self.assertGreater(len(queued), 4)
        for e in queued:
            entered = r.enters(e["serial"], "map")
            self.assertTrue(ordered(entered, ["__sys_sendto", "sk_msg_memcopy_from_iter", "sk_psock_queue_msg"]) or
                            ordered(r.chain(e)[::-1], ["tcp_bpf_sendmsg", "bpf_tcp_ingress", "sk_psock_queue_msg"]), entered)
            self.assertFalse(DOWN & set(entered), entered)
            self.assertFalse(r.sel("hook", serial=e["serial"]) or r.sel("neigh", serial=e["serial"]) or r.sel("route", serial=e["serial"]))
        # the byte stream is intact
        self.assertEqual(r.out["map cat /x"], r.out["stack cat /x"])
        self.assertEqual(r.out["map cat /y"], r.out["stack cat /y"])
        self.assertGreater(len(r.out["map cat /y"]), 100000)
        self.assertRegex(r.out["map cat /proc/net/sockmap"], r"joined 2 messages \d+ octets 11\d{4} by_tcp 0")
        self.assertEqual(proc(r.out["map cat /proc/net/snmp"])["Tcp"]["RetransSegs"], 0)

    def test_s2_82_both_ways_side_by_side(self):
        r = both()
        first = {}
        for node, func in (("stack", "tcp_sendmsg"), ("map", "tcp_bpf_sendmsg")):
            call = r.sel("enter", func=func, node=node)[0]
            copy = r.sel("copy", node=node, text="from=user to=skb", after=call["i"])[0]
            first[node] = copy["serial"], kv(copy["text"])["len"]
        self.assertEqual(first["stack"][1], first["map"][1])  # the same request
        chains = {n: [l.split()[2] for l in r.trace("--packet", str(first[n][0])).splitlines()] for n in first}
        stack = [f.rstrip("()") for f in chains["stack"] if f.endswith("()")]
        short = [f.rstrip("()") for f in chains["map"] if f.endswith("()")]
        self.assertTrue(ordered(stack, ["tcp_sendmsg", "__ip_queue_xmit", "ip_output", "ip_finish_output2", "loopback_xmit", "ip_rcv", "tcp_v4_rcv",
                                        "tcp_recvmsg"]), stack)
        self.assertTrue(ordered(short, ["tcp_bpf_sendmsg", "bpf_tcp_ingress", "sk_psock_queue_msg", "tcp_bpf_recvmsg", "tcp_recvmsg"]), short)
        self.assertFalse(DOWN & set(short), short)
        self.assertLess(len(short) * 2, len(stack))


if __name__ == "__main__":
    unittest.main()

"""Names, layers and the last metres: calls as kernels name them, softirqs, link layer, driver (S2-06, S2-11, S2-24, S2-54, S2-56, S3-04, S3-155, S3-157)."""
import re
import unittest

from world import few, kv, ordered, run, stats, two, visit

LAYERS = {"link": 1, "network": 2, "transport": 3, "application": 4}


def hello():
    return run(two(), "b nc -l -q 5000 &", "a ping -c 1 10.0.0.2", "a nc -d hello -w 1 10.0.0.2 5000", "lab wait 2s")


def local():
    return run(two(), "a nc -l -q 5000 &", "a nc -d hello -w 1 127.0.0.1 5000", "lab wait 2s", "a cat /proc/net/skb")


def data(r, place="a:eth1"):
    return [f for f in r.wire if f.place == place and f.proto == 6 and f.data][0]


class Names(unittest.TestCase):
    def test_s2_06_a_remote_send_as_3_10_names_it(self):
        r = hello()
        s = r.stack(data(r).serial, "igb_xmit_frame", "3.x")[::-1]
        self.assertTrue(ordered(s, ["SyS_sendto", "sock_sendmsg", "inet_sendmsg", "tcp_sendmsg", "tcp_transmit_skb", "ip_queue_xmit", "ip_local_out", "ip_output",
                                    "ip_finish_output", "dst_neigh_output", "dev_queue_xmit", "dev_hard_start_xmit", "igb_xmit_frame"]) or
                        ordered(s, ["sys_sendto", "sock_sendmsg", "inet_sendmsg", "tcp_sendmsg", "tcp_transmit_skb", "ip_queue_xmit", "ip_local_out", "ip_output",
                                    "ip_finish_output", "dst_neigh_output", "dev_queue_xmit", "dev_hard_start_xmit", "igb_xmit_frame"]), s)
        tags = [(e["func"], e["layer"]) for e in r.sel("enter", node="a", serial=data(r).serial)]
        for func, layer in (("__tcp_transmit_skb", "transport"), ("ip_queue_xmit", "network"), ("ip_output", "network"), ("neigh_output", "link"),
                            ("dev_queue_xmit", "link"), ("igb_xmit_frame", "link")):
            self.assertIn((func, layer), tags)
        for e in r.sel("enter", "tcp_sendmsg", "a")[:1]:
            self.assertEqual(e["layer"], "transport")
            self.assertEqual({r.ev[i]["layer"] for i in [e["up"]]}, {"application"})

    def test_s2_24_four_names_for_the_first_packet_none_for_the_next(self):
        r = run(two(), "b nc -l -q 5000 &", "a ping -c 1 10.0.0.2", "a nc -f 9000 10.0.0.2 5000", "lab wait 1s")
        con = r.sel("enter", "SyS_connect", "a")[-1]
        look = [e for e in r.sel("enter", "fib_lookup", "a", after=con["i"], before=con["end"])]
        self.assertTrue(look)
        c = r.chain(look[0])[::-1]
        self.assertTrue(ordered(c, ["ip_route_output_flow", "__ip_route_output_key", "fib_lookup"]), c)
        # a changed table: the next segment goes the articles' way, all four nested; those after it none
        r = run(two(link="vars: {tc: {rate: 1Mbit, limit: 256KiB}}"), "b nc -l -q 5000 &", "a nc -f 200000 10.0.0.2 5000 &", "lab wait 500ms",
                "a ip route add 10.9.0.0/16 via 10.0.0.2", "lab wait 5s")
        add = [e for e in r.sel("task", "task_finish", "a", text="comm=ip code=0")][-1]
        nested = [r.chain(e)[::-1] for e in r.sel("enter", "fib_lookup", "a", after=add["i"])]
        nested = [c for c in nested if "ip_queue_xmit" in c]
        self.assertEqual(len(nested), 1)
        self.assertTrue(ordered(nested[0], ["ip_queue_xmit", "ip_route_output_ports", "ip_route_output_flow", "__ip_route_output_key", "fib_lookup"]))

    def test_s2_56_s2_52_netif_rx_nested_once_on_lo_never_on_a_nic(self):
        r = local()
        xmits = r.sel("enter", "loopback_xmit", "a")
        self.assertGreater(len(xmits), 6)
        for x in xmits:
            inside = [e for e in r.ev[x["i"]:x["end"]] if e["kind"] == "enter" and e["node"] == "a"]
            names = [e["func"] for e in inside]
            self.assertEqual(names[1], "skb_orphan")
            self.assertEqual([n for n in names if n in ("netif_rx", "netif_rx_internal", "enqueue_to_backlog")], ["netif_rx", "netif_rx_internal", "enqueue_to_backlog"])
            e = [e for e in inside if e["func"] == "enqueue_to_backlog"][0]
            self.assertEqual(r.chain(e)[:4], ["enqueue_to_backlog", "netif_rx_internal", "netif_rx", "loopback_xmit"])
        few(self, hello().sel("enter", "netif_rx"))
        few(self, hello().sel("enter", "enqueue_to_backlog"))

    def test_s3_04_s3_33_each_call_has_its_layer_and_neighbours_call_neighbours(self):
        r = visit()
        tagged = [e for e in r.sel("enter") if e["layer"] != "none"]
        self.assertGreater(len(tagged), 10000)
        self.assertEqual({e["layer"] for e in tagged}, set(LAYERS))
        # of one packet's calls on its way, layers change by one step
        for e in tagged:
            if not e["serial"] or e["up"] is None or r.ev[e["up"]]["serial"] != e["serial"]:
                continue
            up = r.ev[e["up"]]
            if up["layer"] == "none":
                continue
            self.assertLessEqual(abs(LAYERS[up["layer"]] - LAYERS[e["layer"]]), 1, (up["func"], e["func"]))


class Softirqs(unittest.TestCase):
    def contexts(self, text):
        return [sum(int(x) for x in col) for col in zip(*[l.split()[1:4] for l in text.splitlines()[1:] if l.startswith("ksoftirqd")])]

    def test_s2_11_s3_138_at_the_interrupts_exit_and_the_thread_under_flood(self):
        idle = run(two(), "a ping -c 5 10.0.0.2", "b cat /proc/net/softirq_context")
        exit_, bh, thread = self.contexts(idle.out["b cat /proc/net/softirq_context"])
        self.assertGreaterEqual(exit_, 5)
        self.assertEqual(thread, 0)
        flood = run(two(b="config: {vars: {cpus: {n: 1, irq_ns: 500, packet_ns: 40000}}}"), "b nc -l -u -q -k 7 &", "a ping -c 1 10.0.0.2", "a nc -u -f 4000000 10.0.0.2 7",
                    "lab wait 2s", "b cat /proc/net/softirq_context", "b cat /proc/net/softnet_stat")
        exit_, bh, thread = self.contexts(flood.out["b cat /proc/net/softirq_context"])
        self.assertGreater(thread, 0)
        squeeze = sum(int(l.split()[2], 16) for l in flood.out["b cat /proc/net/softnet_stat"].splitlines())
        self.assertGreater(squeeze, 0)
        self.assertTrue(flood.sel("task", text="wake ksoftirqd", node="b"))
        few(self, idle.sel("task", text="wake ksoftirqd"))


class Driver(unittest.TestCase):
    def test_s2_54_the_same_buffer_reaches_the_reader(self):
        r = local()
        f = [f for f in r.lo("a") if f.data][0]
        ev = [e for e in r.by_serial[f.serial] if e["node"] == "a"]
        self.assertEqual([e["func"] for e in ev if e["kind"] == "born"], ["alloc_skb"])
        clone = [e for e in ev if e["kind"] == "clone"]
        self.assertEqual([e["text"] for e in clone], ["dataref=2"])  # the sender's retransmit queue and the way down share it
        x = [e for e in ev if e["kind"] == "enter" and e["func"] == "loopback_xmit"][0]
        read = [e for e in ev if e["kind"] == "copy" and "to=user" in e["text"]]
        self.assertEqual(len(read), 1)
        few(self, [e for e in ev if x["i"] < e["i"] < read[0]["i"] and e["kind"] in ("born", "clone", "copy", "drop")])
        gone = [e for e in ev if e["kind"] == "consume"]
        self.assertEqual(len(gone), 2)
        self.assertIn("SyS_recvfrom", r.chain(gone[-1]))  # the clone goes in the reader's call; nobody freed it below
        self.assertIn("tcp_clean_rtx_queue", r.chain(gone[0]))
        self.assertEqual(stats(r.out["a cat /proc/net/skb"])["copies"], 0)

    def test_s3_155_neighbour_header_discipline_and_no_trailer(self):
        r = run(two(), "b nc -l -q 5000 &", "a nc -d hello -w 1 10.0.0.2 5000", "lab wait 2s")
        syn = [f for f in r.wire if f.place == "a:eth1" and f.proto == 6][0]  # the first packet: a header is made for it
        names = r.enters(syn.serial, "a")
        self.assertTrue(ordered(names, ["ip_finish_output2", "__ipv4_neigh_lookup_noref", "neigh_output", "eth_header", "dev_queue_xmit", "__dev_queue_xmit", "__dev_xmit_skb",
                                        "dev_hard_start_xmit", "igb_xmit_frame"]), names)
        q = r.one(kind="queue", func="qdisc_enqueue_tail", node="a", serial=syn.serial)
        fill = r.one(kind="queue", func="igb_tx_fill", node="a", serial=syn.serial)
        self.assertLess(q["i"], fill["i"])
        for f in [f for f in r.wire if f.place == "a:eth1" and f.proto == 6]:
            n = int(kv(r.one(kind="queue", func="igb_tx_fill", node="a", serial=f.serial)["text"])["len"])
            self.assertEqual(n, 14 + f.total)  # what the driver hands over has neither padding nor FCS
            self.assertEqual(len(f.raw), max(n, 60) + 4)

    def test_s3_157_map_descriptor_doorbell(self):
        r = hello()
        live = None
        for f in [f for f in r.wire if f.place == "a:eth1" and f.proto == 6]:
            x = r.one(kind="enter", func="igb_xmit_frame", node="a", serial=f.serial)
            made = r.one(kind="dma", func="dma_map_single", node="a", serial=f.serial)
            fill = r.one(kind="queue", func="igb_tx_fill", node="a", serial=f.serial)
            bell = r.sel("reg", "nic_write", "a", text="write TDT", after=x["i"], before=x["end"])
            self.assertEqual(len(bell), 1)
            self.assertTrue(x["i"] < made["i"] < fill["i"] < bell[0]["i"] < x["end"])
            self.assertEqual(kv(made["text"])["addr"], kv(fill["text"])["addr"])
            self.assertEqual(kv(made["text"])["len"], kv(fill["text"])["len"])
            gone = r.one(kind="dma", func="dma_unmap", node="a", serial=f.serial)
            before, after = int(kv(made["text"])["live"]), int(kv(gone["text"])["live"])
            maps = len(r.sel("dma", "dma_map_single", "a", after=made["i"], before=gone["i"])) + len(r.sel("dma", "dma_map_lazy", "a", after=made["i"], before=gone["i"]))
            unmaps = len(r.sel("dma", "dma_unmap", "a", after=made["i"] - 1, before=gone["i"] + 1))
            self.assertEqual(after, before + maps - unmaps)
            live = after
        self.assertIsNotNone(live)

    def test_s2_46_lo_down_drops_and_counts(self):
        r = run(two(), "a ping -c 1 127.0.0.1", "a ip link set lo down", "a cat /proc/net/dev", "a ping -c 1 -W 1 127.0.0.1", "a cat /proc/net/dev ", "a ip route list table local")
        self.assertIn("1 received", r.out["a ping -c 1 127.0.0.1"])
        self.assertIn("0 received", r.out["a ping -c 1 -W 1 127.0.0.1"])
        self.assertNotIn("connect:", r.err)  # the send itself succeeds
        a, b = (re.search(r"lo:(.*)", r.out[k])[1].split() for k in ("a cat /proc/net/dev", "a cat /proc/net/dev "))
        self.assertEqual(int(b[11]) - int(a[11]), 1)  # tx drop
        self.assertEqual((a[1], b[1]), ("2", "2"))
        self.assertIn("local 127.0.0.1 dev lo", r.out["a ip route list table local"])
        self.assertNotIn("broadcast 127.255.255.255", r.out["a ip route list table local"])

    def test_s1_02_s2_53_the_senders_account_shrinks_in_lo(self):
        # the discipline of a busy cable holds packets for their sender, lo never does: the account is empty when send returns
        r = run(two(link="vars: {tc: {rate: 64kbit, limit: 256KiB}}"), "a nc -l -u -q 7 &", "a nc -u -f 5000 127.0.0.1 7", "lab wait 1s")
        for x in r.sel("enter", "loopback_xmit", "a"):
            o = r.sel("enter", "skb_orphan", "a", x["serial"], after=x["i"], before=x["end"])
            self.assertEqual(len(o), 1)
            first = [e for e in r.sel(node="a", serial=x["serial"], after=o[0]["end"]) if e["kind"] == "enter" and e["func"] == "ip_rcv"]
            self.assertTrue(first)


if __name__ == "__main__":
    unittest.main()

"""Packets over a cable: system call to NIC and NIC to program, interrupts, copies (the remote half of S2; S3-38, S3-128 to S3-163)."""
import re
import unittest

from world import few, kv, lab_file, ordered, proc, run, stats, two

SEND = ["SyS_sendto", "sock_sendmsg", "inet_sendmsg", "tcp_sendmsg", "tcp_write_xmit", "__tcp_transmit_skb", "ip_queue_xmit",
        "ip_local_out", "ip_output", "ip_finish_output", "ip_finish_output2", "neigh_output", "dev_queue_xmit", "dev_hard_start_xmit",
        "igb_xmit_frame"]
RECEIVE = ["do_softirq", "net_rx_action", "igb_poll", "igb_clean_rx_irq", "netif_receive_skb", "__netif_receive_skb", "ip_rcv",
           "ip_rcv_finish", "ip_local_deliver", "ip_local_deliver_finish", "tcp_v4_rcv", "tcp_rcv_established"]


def hello():
    """Five octets from a to b; afterwards one ping, so that a's completions are collected."""
    return run(two(), "b nc -l -q 5000 &", "a ping -c 1 10.0.0.2", "a nc -d hello -w 1 10.0.0.2 5000", "lab wait 2s",
               "a ping -c 1 -s 57 10.0.0.2", "a cat /proc/net/snmp", "a cat /proc/softirqs")


def page():
    return run("internet", "www cat /proc/net/skb", "client curl -s -o /x http://www.server.com/", "lab wait 1s", "www cat /proc/net/skb ",
               "client cat /proc/net/skb", "www cat /proc/softirqs", "client cat /proc/softirqs", "www cat /proc/net/snmp")


def data(r, place="a:eth1"):
    return [f for f in r.wire if f.place == place and f.proto == 6 and f.data][0]


class Stations(unittest.TestCase):
    def sent(self, r, s, node="a"):
        """Places of the stations of a packet's way out."""
        ev = r.by_serial[s]
        xmit = r.one(kind="enter", func="igb_xmit_frame", node=node, serial=s)
        fill = r.one(kind="queue", func="igb_tx_fill", node=node, serial=s)
        slot = kv(fill["text"])["slot"]
        bell = r.sel("reg", "nic_write", node, text="write TDT", after=fill["i"])[0]
        few(self, r.sel("reg", "nic_write", node, text="write TDT", after=xmit["i"], before=fill["i"]))  # not before it is filled
        fetch = r.sel("dma", "tx_read_descs", node, text=r"tx\[%s\]" % slot, after=fill["i"])[0]
        read = r.one(kind="dma", func="tx_gather", node=node, serial=s)
        wire = [e for e in ev if e["kind"] == "wire" and "from=%s:" % node in e["text"]][0]
        back = r.sel("dma", "nic_tx_write_back", node, text=r"tx\[%s\] status=DD" % slot, after=fill["i"])[0]
        irq = r.sel("irq", "handle_irq", node, text="handler=igb_msix_ring", after=back["i"])[0]
        clean = [e for e in ev if e["func"] == "igb_clean_tx_irq" and e["kind"] == "dequeue" and e["node"] == node][0]
        free = [e for e in ev if e["kind"] == "consume" and e["node"] == node and "igb_clean_tx_irq" in r.chain(e)]
        self.assertEqual(len(free), 1)
        return dict(xmit=xmit, fill=fill, bell=bell, fetch=fetch, read=read, wire=wire, back=back, irq=irq, clean=clean, free=free[0])

    def test_s2_05_send_overview(self):
        r = hello()
        f = data(r)
        st = self.sent(r, f.serial)
        self.assertTrue(ordered(r.chain(st["xmit"])[::-1], SEND))
        order = ["xmit", "fill", "bell", "fetch", "read", "wire", "irq", "clean"]
        at = [st[k]["i"] for k in order]
        self.assertEqual(at, sorted(at))
        self.assertEqual(len([e for e in r.by_serial[f.serial] if e["kind"] == "wire"]), 1)

    def test_s3_158_freed_by_the_poll_after_the_interrupt(self):
        r = hello()
        f = data(r)
        st = self.sent(r, f.serial)
        unmap = [e for e in r.by_serial[f.serial] if e["func"] == "dma_unmap" and e["node"] == "a"]
        self.assertEqual(len(unmap), 1)
        self.assertLess(st["back"]["i"], st["irq"]["i"])
        self.assertLess(st["irq"]["i"], unmap[0]["i"])
        names = r.chain(st["free"])[::-1]
        self.assertTrue(ordered(names, ["do_softirq", "net_rx_action", "igb_poll", "igb_clean_tx_irq"]))
        self.assertNotIn("do_IRQ", names)
        few(self, [e for e in r.sel("consume") if "igb_msix_ring" in r.chain(e)])  # no hard handler ever frees

    def received(self, r, s, node="b"):
        dma = r.one(kind="dma", func="rx_data", node=node, serial=s)
        done = r.one(kind="dma", func="rx_write_back", node=node, serial=s)
        rcv = r.one(kind="enter", func="ip_rcv", node=node, serial=s)
        raised = r.sel("irq", "nic_raise", node, after=dma["i"] - 200, before=rcv["i"])[-1]
        hard = r.sel("enter", "igb_msix_ring", node, before=rcv["i"])[-1]
        soft = r.sel("softirq", "__raise_softirq_irqoff", node, text="raise NET_RX", after=hard["i"], before=r.leave_of(hard))[0]
        run_ = r.sel("softirq", "softirq_round", node, text="begin NET_RX", before=rcv["i"])[-1]
        deq = r.one(kind="dequeue", func="igb_build_skb", node=node, serial=s)
        tcp = r.one(kind="enter", func="tcp_v4_rcv", node=node, serial=s)
        copy = r.one(kind="copy", func="skb_copy_datagram_iter", node=node, serial=s)
        return dict(dma=dma, done=done, raised=raised, hard=hard, soft=soft, round=run_, deq=deq, rcv=rcv, tcp=tcp, copy=copy)

    def test_s2_14_receive_overview(self):
        r = page()
        f = [f for f in r.wire if f.data.startswith(b"GET") and f.place == "sw3:p2"][0]
        st = self.received(r, f.serial, "www")
        order = ["dma", "done", "hard", "soft", "round", "deq", "rcv", "tcp", "copy"]
        self.assertEqual(sorted(order, key=lambda k: st[k]["i"]), order)
        wake = [e for e in r.sel("task", "task_wake", "www", text="http-server", after=st["tcp"]["i"]) if "sock_def_readable" in r.chain(e)][0]
        ran = r.sel("task", "task_resume", "www", text="http-server", after=wake["i"])[0]
        self.assertLess(wake["i"], st["copy"]["i"])
        self.assertLess(ran["i"], st["copy"]["i"])

    def test_s2_12_s2_15_s3_33_layers_in_turn(self):
        r = page()
        for f in [f for f in r.wire if f.data and f.place in ("sw3:p2", "sw1:p1") and f.proto == 6][:20]:
            node = "www" if f.place == "sw3:p2" else "client"
            x = r.one(kind="enter", func="tcp_rcv_established", node=node, serial=f.serial)
            chain = r.chain(x)[::-1]
            # GRO holds a segment back: what was held goes up at the end of the poll, not from inside the cleaning of the ring
            held = "napi_gro_flush" in chain
            self.assertTrue(ordered(chain, [f for f in RECEIVE if not held or f != "igb_clean_rx_irq"]), chain)
            self.assertIn("igb_clean_rx_irq", [f for e in r.sel("enter", func="napi_gro_receive", node=node, serial=f.serial) for f in r.chain(e)])
            layers = [r.ev[e]["layer"] for e in self.ups(r, x)]
            rank = {"none": 0, "link": 1, "network": 2, "transport": 3, "application": 4}
            up = [rank[l] for l in layers if l != "none"]
            self.assertEqual(up, sorted(up))
        get = [f for f in r.wire if f.data.startswith(b"GET") and f.place == "client:eth1"][0]
        x = r.one(kind="enter", func="igb_xmit_frame", node="client", serial=get.serial)
        down = [rank[r.ev[e]["layer"]] for e in self.ups(r, x) if r.ev[e]["layer"] != "none"]
        self.assertEqual(down, sorted(down, reverse=True))

    def ups(self, r, e):
        out = [e["i"]]
        while r.ev[out[-1]]["up"] is not None:
            out.append(r.ev[out[-1]]["up"])
        return out[::-1]

    def test_s2_15_receive_by_function(self):
        r = page()
        f = [f for f in r.wire if f.data.startswith(b"GET") and f.place == "sw3:p2"][0]
        st = self.received(r, f.serial, "www")
        seq = ["igb_msix_ring", "__napi_schedule", "net_rx_action", "igb_poll", "igb_clean_rx_irq", "netif_receive_skb", "ip_rcv",
               "ip_local_deliver", "tcp_v4_rcv", "sock_def_readable", "tcp_recvmsg"]
        names = [e["func"] for e in r.ev[st["hard"]["i"]:st["copy"]["i"]] if e["node"] == "www" and e["kind"] == "enter" and
                 e["serial"] in (0, f.serial)]
        self.assertTrue(ordered(names, seq))
        self.assertIn("tcp_recvmsg", r.chain(st["copy"]))

    def test_s2_16_two_hosts_in_one_trace(self):
        r = hello()
        f = data(r)
        t = r.trace("--packet", str(f.serial))
        lines = [m.groups() for m in re.finditer(r"(?m)^(\d+\.\d+) (\w+) +(\S.*)$", t)]
        nodes = [n for _, n, _ in lines]
        first_b = nodes.index("b")
        self.assertEqual({n for n in nodes[:first_b]}, {"a"})
        texts = [x for _, _, x in lines]
        a, b = texts[:first_b], texts[first_b:]
        self.assertTrue(any("igb_xmit_frame" in x for x in a) and any("tcp_v4_rcv" in x for x in b))
        wire = [i for i, x in enumerate(texts) if "octets=" in x]
        self.assertEqual(len(wire), 1)
        self.assertLess(wire[0], first_b)
        self.assertTrue(all(x <= y for x, y in zip([float(l[0]) for l in lines], [float(l[0]) for l in lines][1:])))

    def test_s2_65_the_nics_poll_has_its_own_name(self):
        r = hello()
        nic = [e for e in r.sel("softirq", "napi_poll", "b") if kv(e["text"])["napi"] == "eth1-rx0"]
        self.assertTrue(nic)
        polls = r.sel("enter", "igb_poll", "b")
        self.assertEqual(len(polls), len(nic))
        self.assertTrue(all(r.chain(e)[1] == "net_rx_action" for e in polls))

    def test_s3_146_request_and_response_in_two_columns(self):
        r = page()
        get = [f for f in r.wire if f.data.startswith(b"GET") and f.place == "client:eth1"][0]
        resp = [f for f in r.wire if f.data.startswith(b"HTTP/1.1") and f.place == "www:eth1"][0]
        for s, out, to in ((get.serial, "client", "www"), (resp.serial, "www", "client")):
            st, rx = self.sent(r, s, out), self.received(r, s, to)
            for names, node in ((["__tcp_transmit_skb", "ip_queue_xmit", "ip_local_out", "ip_output", "ip_finish_output2", "dev_queue_xmit",
                                  "dev_hard_start_xmit", "igb_xmit_frame"], out),
                                (["eth_type_trans", "netif_receive_skb", "ip_rcv", "ip_local_deliver", "tcp_v4_rcv"], to)):
                for n in names:
                    self.assertEqual(len(r.sel("enter", n, node, s)), 1, n)
            self.assertLess(st["wire"]["i"], rx["dma"]["i"])

    def test_s3_38_only_the_driver_touches_the_nic(self):
        r = hello()
        for e in r.sel("reg"):
            if e["t"] and e["up"] is not None and e["ctx"] == 0:
                self.assertTrue(any(n.startswith("igb_") for n in r.chain(e)), e)
        for node in "ab":
            sent = [e for e in r.sel("wire", text="from=%s:eth1" % node)]
            self.assertTrue(sent)
            for e in sent:
                self.assertTrue(r.sel("dma", "tx_gather", node, e["serial"], before=e["i"]))
                self.assertTrue(r.sel("reg", "nic_write", node, text="write TDT", before=e["i"]))
        few(self, [e for e in r.sel("wire") if e["func"] != "cable"])


class Interrupts(unittest.TestCase):
    def test_s3_136_unmasked_only_when_polling_is_complete(self):
        r = page()
        for node in ("client", "www", "r1"):
            masked = scheduled = polled = False
            n = 0
            for e in r.sel(node=node):
                t = e["text"]
                if "dev=eth1" in t and "write IMC(" in t:
                    masked = True
                elif e["kind"] == "enter" and e["func"] == "napi_schedule":
                    if node != "r1":
                        self.assertTrue(masked)
                    scheduled = True
                elif e["kind"] == "enter" and e["func"] == "igb_poll":
                    polled = True
                elif e["kind"] == "enter" and e["func"] == "igb_ring_irq_enable" and scheduled:
                    self.assertTrue(polled)
                    done = r.sel("enter", "napi_complete_done", node, before=e["i"])[-1]
                    poll = r.sel("enter", "igb_poll", node, before=e["i"])[-1]
                    self.assertGreater(done["i"], poll["i"])
                    self.assertEqual(e["up"], poll["i"])
                    masked = scheduled = polled = False
                    n += 1
            self.assertGreater(n, 5)
        few(self, [e for e in r.sel("reg", text="write IMS") if "igb_msix_ring" in r.chain(e)])

    def test_s3_156_the_sender_calls_the_driver_itself(self):
        r = page()
        for where in ("www cat /proc/softirqs", "client cat /proc/softirqs"):
            self.assertRegex(r.out[where], r"NET_TX:\s+0\b")
        few(self, r.sel("enter", "net_tx_action"))
        get = [f for f in r.wire if f.data.startswith(b"GET") and f.place == "client:eth1"][0]
        x = r.one(kind="enter", func="igb_xmit_frame", node="client", serial=get.serial)
        self.assertEqual(r.chain(x)[-1], "SyS_sendto")


class Copies(unittest.TestCase):
    def test_s3_147_system_call_buffer_copy_queue(self):
        r = page()
        s = r.sel("syscall", "SyS_sendto", "client", text=r'"GET ')[0]
        enter = r.ev[s["up"]]
        inside = [e for e in r.ev[enter["i"]:s["i"]] if e["node"] == "client" and e["ctx"] == enter["ctx"]]
        self.assertTrue(ordered([e["func"] for e in inside], ["SyS_sendto", "sock_sendmsg", "inet_sendmsg", "tcp_sendmsg", "alloc_skb",
                                                              "fill_segment", "__tcp_push_pending_frames"]))
        copy = [e for e in inside if e["kind"] == "copy"]
        self.assertEqual([kv(e["text"])["len"] for e in copy], [s["text"].rsplit("= ", 1)[1]])
        q = run(two(link="vars: {tc: {delay: 50ms}}"), "b nc -l -q 5000 &", "a ping -c 1 10.0.0.2", "a nc -f 4000 10.0.0.2 5000 &",
                "lab wait 120ms", "a netstat -nt")
        self.assertRegex(q.out["a netstat -nt"], r"tcp\s+0\s+(4000|4001) ")  # Send-Q: sent, kept until the ACK

    def test_s3_148_queue_is_drained_as_the_windows_allow(self):
        r = page()
        segs = [f for f in r.hook("www:LOCAL_OUT") if f.data]
        few(self, [s for s in segs if "tcp_write_xmit" not in r.chain(r.one(kind="enter", func="__tcp_transmit_skb", serial=s.serial, node="www"))])
        back = [f for f in r.hook("www:PRE_ROUTING") if f.proto == 6 and f.ack - segs[0].seq & 0xFFFFFFFF in range(1, 1 << 20)]
        most = sum(len(s.data) for s in segs if s.t < back[0].t)
        self.assertLessEqual(most, 10 * 1460)  # the first flight is the initial window, although more was queued
        self.assertGreater(most, 9 * 1400)
        self.assertGreater(sum(len(s.data) for s in segs), 100000)

    def test_s3_150_header_goes_to_the_clone(self):
        # the first segment is lost: what goes again is the original, with other TCP options and the same data
        r = run(lab_file("""name: lossy
topology:
  nodes: {a: {}, b: {}}
  links:
    - type: veth
      endpoints:
        - {node: a, interface: eth1, ipv4: 10.0.0.1/24, vars: {tc: {drop: [4]}}}
        - {node: b, interface: eth1, ipv4: 10.0.0.2/24}
"""), "b nc -l -q 5000 &", "a nc -f 1000 10.0.0.2 5000", "lab wait 3s", "a cat /proc/net/snmp")
        self.assertIn("received 1000 bytes", r.text)
        segs = [f for f in r.hook("a:LOCAL_OUT") if f.data]
        again = [f for f in segs if f.seq == segs[0].seq]
        self.assertGreater(len(again), 1)
        self.assertEqual(len({bytes(f.data) for f in again}), 1)
        self.assertGreater(len({bytes(f.opt) for f in again}), 1)  # a new header each time (timestamps)
        orig = again[0].serial  # a retransmission is a clone of the original with a number of its own
        for f in again[1:]:
            self.assertTrue(r.sel("born", node="a", serial=f.serial, text="parent=%d retransmit" % orig))
        self.assertEqual(len(r.sel("clone", "skb_clone", "a", orig)), len(again))
        self.assertEqual(len(r.sel("copy", "fill_segment", "a", orig)), 1)
        few(self, r.sel("copy", "count_copy", "a"))
        self.assertGreaterEqual(proc(r.out["a cat /proc/net/snmp"])["Tcp"]["RetransSegs"], 1)

    def test_s3_151_one_buffer_through_all_layers(self):
        r = page()
        for f in [f for f in r.hook("www:LOCAL_OUT") if f.data]:
            x = r.sel("enter", "__tcp_transmit_skb", "www", f.serial)[0]
            y = r.sel("queue", "igb_tx_fill", "www", f.serial)[0]
            few(self, [e for e in r.sel(serial=f.serial, after=x["i"], before=y["i"]) if e["kind"] in ("copy", "born")])
        a, b = (stats(r.out[k]) for k in ("www cat /proc/net/skb", "www cat /proc/net/skb "))
        self.assertEqual(b["copy_bytes"] - a["copy_bytes"], 0)

    def test_s3_153_room_is_reserved_and_used_downwards(self):
        r = page()
        for f in [f for f in r.hook("www:LOCAL_OUT") if f.data][:20]:
            n = len(f.data)
            self.assertEqual(f.total, n + f.doff + 20)
            fill = r.one(kind="queue", func="igb_tx_fill", node="www", serial=f.serial)
            self.assertEqual(int(kv(fill["text"])["len"]), 14 + 20 + f.doff + n)
            born = [e for e in r.sel("born", node="www", serial=f.serial)]
            self.assertEqual([e["func"] for e in born], ["alloc_skb"])  # never a second buffer
            self.assertGreaterEqual(int(kv(born[0]["text"])["size"]), n + f.doff + 20 + 14)
            few(self, r.sel("copy", "count_copy", "www", f.serial))

    def test_s3_160_first_copy_is_the_payload(self):
        r = page()
        a, b = (stats(r.out[k]) for k in ("www cat /proc/net/skb", "www cat /proc/net/skb "))
        sent = int(kv(r.one(kind="app", func="answered", node="www")["text"])["bytes"])
        self.assertEqual(b["user_to_skb_bytes"] - a["user_to_skb_bytes"], sent)
        self.assertEqual(sum(int(kv(e["text"])["len"]) for e in r.sel("copy", "fill_segment", "www")), sent)
        self.assertEqual(sum(len(f.data) for f in r.hook("www:LOCAL_OUT") if f.proto == 6), sent)

    def test_s3_161_a_clone_for_each_segment_and_no_octet(self):
        r = page()
        segs = [f for f in r.hook("www:LOCAL_OUT") if f.proto == 6 and (f.data or f.flags & 1)]
        clones = r.sel("clone", "skb_clone", "www")
        self.assertEqual(sorted(e["serial"] for e in clones), sorted(f.serial for f in segs))
        a, b = (stats(r.out[k]) for k in ("www cat /proc/net/skb", "www cat /proc/net/skb "))
        self.assertEqual(b["clones"] - a["clones"], len(segs))
        self.assertEqual(b["copies"] - a["copies"], 0)

    def test_s3_162_third_copy_only_when_ip_must_cut(self):
        r = page()
        self.assertEqual(proc(r.out["www cat /proc/net/snmp"])["Ip"]["FragCreates"], 0)
        few(self, [e for e in r.sel("copy") if "frag" in e["text"] or "ip_fragment" in r.chain(e) or "ip_do_fragment" in r.chain(e)])
        big = narrow()
        cut = proc(big.out["r cat /proc/net/snmp"])["Ip"]
        self.assertEqual((cut["FragOKs"], cut["FragCreates"]), (1, 3))
        copied = stats(big.out["r cat /proc/net/skb"])["copy_bytes"]
        self.assertEqual(copied, 1400 + 8)  # the ICMP message, header and all, into the fragments
        self.assertIn("1 received", big.text)

    def test_s3_163_at_most_three(self):
        small, large, udp = hello(), page(), narrow()
        s = data(small).serial
        table = {
            "TCP small": (len(small.sel("copy", "fill_segment", "a", s)), len(small.sel("clone", node="a", serial=s)),
                          len(small.sel("copy", "count_copy", "a", s))),
        }
        segs = [f for f in large.hook("www:LOCAL_OUT") if f.data]
        few(self, [f for f in segs if sum(int(kv(e["text"])["len"]) for e in large.sel("copy", "fill_segment", "www", f.serial)) != len(f.data)])
        table["TCP large"] = (len({e["serial"] for e in large.sel("copy", "fill_segment", "www")}), len([e for e in large.sel("clone", node="www") if e["serial"] in
                              {f.serial for f in segs}]), len(large.sel("copy", "count_copy", "www")))
        self.assertEqual(table["TCP small"], (1, 1, 0))
        self.assertEqual(table["TCP large"], (len(segs), len(segs), 0))
        self.assertTrue(udp.sel("copy", node="r"))
        few(self, udp.sel("clone", node="r"))


def narrow():
    """A router whose far cable takes 576 octets."""
    return run(lab_file("""name: narrow
topology:
  nodes:
    a: {exec: ["ip route add default via 10.0.0.254"]}
    r: {sysctls: {net.ipv4.ip_forward: 1}}
    b: {exec: ["ip route add default via 10.0.1.254"]}
  links:
    - type: veth
      endpoints:
        - {node: a, interface: eth1, ipv4: 10.0.0.1/24}
        - {node: r, interface: eth1, ipv4: 10.0.0.254/24}
    - type: veth
      endpoints:
        - {node: r, interface: eth2, ipv4: 10.0.1.254/24}
        - {node: b, interface: eth1, ipv4: 10.0.1.1/24}
      mtu: 576
"""), "a ping -c 1 -s 1400 -M dont 10.0.1.1", "r cat /proc/net/snmp", "r cat /proc/net/skb")


if __name__ == "__main__":
    unittest.main()

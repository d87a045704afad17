"""Packets that stay on their host: the loopback driver, its route, its neighbour, its backlog (S0, S1 and the local half of S2)."""
import os
import re
import unittest

from world import TOP, few, kv, ordered, proc, run, two

RAW = ["SyS_sendto", "sock_sendmsg", "inet_sendmsg", "raw_sendmsg", "ip_push_pending_frames", "ip_send_skb", "ip_local_out",
       "ip_output", "ip_finish_output", "ip_finish_output2", "dev_queue_xmit", "__dev_queue_xmit", "dev_hard_start_xmit",
       "loopback_xmit"]
SYN = ["SyS_connect", "inet_stream_connect", "__inet_stream_connect", "tcp_v4_connect", "tcp_connect", "__tcp_transmit_skb",
       "ip_queue_xmit", "ip_local_out", "ip_output", "ip_finish_output", "ip_finish_output2", "dev_queue_xmit",
       "__dev_queue_xmit", "dev_hard_start_xmit", "loopback_xmit"]
RX = ["process_backlog", "__netif_receive_skb", "__netif_receive_skb_core", "ip_rcv", "ip_rcv_finish", "ip_local_deliver",
      "ip_local_deliver_finish"]


def ping():
    return run("internet", "client ping -c 1 127.0.0.1", "client cat /proc/net/dev", "client cat /proc/net/snmp",
               "client cat /proc/net/netfilter/hooks", "client cat /proc/net/napi")


def tcp():
    """A page from the host's own server."""
    return run("internet", "www curl -s -o /x http://127.0.0.1/small.html", "lab wait 100ms", "www cat /proc/net/skb",
               "www cat /proc/net/dev")


def bulk():
    return run("internet", "www curl -s -o /x http://127.0.0.1/", "lab wait 100ms", "www cat /proc/net/dev")


def own():
    """Each local address of a router, with its tables."""
    return run("internet", "r1 ping -c 1 127.0.0.1", "r1 ping -c 1 127.9.9.9", "r1 ping -c 1 10.0.1.1", "r1 ping -c 1 10.0.12.1",
               "r1 ip route list table local", "r1 ip route list table main", "r1 ip route get 10.0.1.1",
               "r1 ip route get 10.0.12.1", "r1 ip route get 127.9.9.9")


def local_data(r):
    """The data packets of a local conversation, as they passed lo."""
    return [f for f in r.lo("www") if f.data]


class Driver(unittest.TestCase):
    def test_s0_03_nothing_but_the_queue(self):
        r = ping()
        for s in (1, 2):
            x = r.one(kind="enter", func="loopback_xmit", serial=s)
            end = r.leave_of(x)
            inside = [e for e in r.ev[x["i"] + 1:end] if e["node"] == "client"]
            self.assertLessEqual({e["func"] for e in inside if e["kind"] == "enter"},
                                 {"skb_orphan", "sock_wfree", "eth_type_trans", "netif_rx", "netif_rx_internal", "enqueue_to_backlog",
                                  "____napi_schedule", "__raise_softirq_irqoff"})
            self.assertFalse([e for e in inside if e["kind"] in ("reg", "dma", "irq", "wire", "born", "copy", "drop")])
            q = [e for e in inside if e["kind"] == "queue"]
            self.assertEqual([(e["serial"], kv(e["text"])["queue"], kv(e["text"])["len"]) for e in q], [(s, "input_pkt_queue", "1")])
        self.assertFalse(r.sel("wire", before=len(r.ev)))

    def test_s1_03_link_header_is_parsed_while_sending(self):
        r = run("internet", "client tcpdump -i lo -n -e -c 2 &", "client ping -c 1 127.0.0.1", "lab wait 1s")
        seen = re.findall(r"(\S+) > (\S+), ethertype IPv4 \(0x0800\), length (\d+)", "".join(r.out.values()))
        zero = "00:00:00:00:00:00"
        self.assertTrue(seen)
        self.assertEqual({(a, b, int(n)) for a, b, n in seen}, {(zero, zero, 98)})
        p = ping()
        for s in (1, 2):
            x = p.one(kind="enter", func="eth_type_trans", serial=s)
            self.assertEqual(p.ev[x["up"]]["func"], "loopback_xmit")
            self.assertEqual([e["len"] for e in p.sel("hook", serial=s, text="POST_ROUTING|PRE_ROUTING")], [84, 84])  # 98 - 14
            self.assertIn("ip_local_deliver", p.enters(s, "client"))  # PACKET_HOST: ip_rcv kept it

    def test_s1_04_netif_rx_for_each_packet_with_its_number(self):
        r = bulk()
        sent = [e for e in r.sel("enter", "loopback_xmit", "www")]
        self.assertGreater(len(sent), 8)
        for x in sent:
            n = [e for e in r.sel("enter", "netif_rx", serial=x["serial"], after=x["i"], before=r.leave_of(x))]
            self.assertEqual(len(n), 1)
            self.assertEqual(n[0]["up"], x["i"])
        dev = re.search(r"lo:\s*(\d+)\s+(\d+)(?:\s+\d+){6}\s+(\d+)\s+(\d+)", r.out["www cat /proc/net/dev"])
        self.assertEqual(int(dev[2]), len(sent))
        self.assertEqual((dev[1], dev[2]), (dev[3], dev[4]))

    def test_s1_06_the_sender_never_hears_of_a_full_backlog(self):
        r = run("internet", "www sysctl -w net.core.netdev_max_backlog=0", "www curl -s -o /x http://127.0.0.1/",
                "www cat /proc/net/softnet_stat", "www cat /proc/net/dev")
        lost = r.sel("drop", "enqueue_to_backlog", "www")
        self.assertTrue(lost)
        self.assertEqual({e["reason"] for e in lost}, {"CPU_BACKLOG"})
        softnet = r.out["www cat /proc/net/softnet_stat"].split()
        self.assertEqual(int(softnet[1], 16), len(lost))
        tx = len(r.sel("enter", "loopback_xmit", "www"))
        dev = re.search(r"lo:\s*\d+\s+(\d+)(?:\s+\d+){7}\s+(\d+)", r.out["www cat /proc/net/dev"])
        self.assertEqual(int(dev[2]), tx - len(lost))  # only what was queued is counted
        sends = r.sel("syscall", "SyS_sendto", "www", text="HTTP/1.1 200")
        self.assertTrue(all(int(e["text"].rsplit("= ", 1)[1]) > 0 for e in sends))
        got = r.sel("syscall", "SyS_write", "www", text=r"^write\(4, ")
        self.assertGreaterEqual(sum(int(e["text"].rsplit("= ", 1)[1]) for e in got), 109869)  # TCP sent it again

    def test_s1_07_out_and_in_again_without_a_copy(self):
        r = tcp()
        for f in local_data(r):
            x = r.sel("enter", "loopback_xmit", "www", f.serial)[0]
            y = r.sel("enter", "ip_rcv", "www", f.serial)[0]
            self.assertLess(x["i"], y["i"])
            self.assertFalse([e for e in r.sel(serial=f.serial, after=x["i"], before=y["i"]) if e["kind"] in ("born", "copy", "clone")])

    def test_s2_49_two_drivers_one_table_of_operations(self):
        r = tcp()
        v = run("internet", "client ping -c 1 10.0.1.53")
        self.assertTrue(all("dev_hard_start_xmit" == r.chain(e)[1] for e in r.sel("enter", "loopback_xmit")))
        nic = v.sel("enter", "igb_xmit_frame")
        self.assertTrue(nic and all("dev_hard_start_xmit" == v.chain(e)[1] for e in nic))
        src = os.path.join(TOP, "src", "drivers")
        mods = []
        for name in sorted(os.listdir(src)):
            with open(os.path.join(src, name)) as f:
                if re.search(r"struct net_device_ops \w+ = {", f.read()):
                    mods.append(name)
        self.assertIn("loopback.c", mods)
        self.assertTrue([m for m in mods if m.startswith("nicdrv")])

    def test_s2_53_orphaned_before_the_receiver_sees_it(self):
        r = run("internet", "client nc -u -l 7000 &", "client nc -u -d farewell 127.0.0.1 7000", "lab wait 1ms")
        f = [f for f in r.lo("client") if f.dport == 7000][0]
        o = [e for e in r.sel("enter", "skb_orphan", serial=f.serial) if "loopback_xmit" in r.chain(e)][0]
        self.assertTrue([e for e in r.sel("enter", "sock_wfree", serial=f.serial) if e["up"] == o["i"]])
        gone = r.sel("task", "task_finish", "client", text="comm=nc code=0")[0]
        copied = r.one(kind="copy", func="skb_copy_datagram_iter", serial=f.serial, text="len=8 from=skb to=user")
        self.assertLess(o["i"], gone["i"])
        self.assertLess(gone["i"], copied["i"])  # the sender was no more when its datagram was read
        self.assertIn("farewell", r.text)

    def test_s2_61_the_senders_part_ends_before_the_poll_begins(self):
        r = ping()
        x = r.one(kind="enter", func="loopback_xmit", serial=1)
        poll = r.sel("enter", "process_backlog", "client", after=x["i"])[0]
        self.assertLess(r.leave_of(x), poll["i"])


class Chains(unittest.TestCase):
    def test_s1_16_raw_ping_name_by_name(self):
        r = ping()
        f = r.lo("client")[0]
        self.assertEqual((f.proto, f.l4[0], f.serial), (1, 8, 1))  # an echo request, seen behind lo
        self.assertEqual(r.stack(1, "loopback_xmit", "4.x"), RAW[::-1])
        x = r.one(kind="enter", func="loopback_xmit", serial=1)
        self.assertTrue(ordered(r.chain(x)[::-1], RAW))  # the dump is read off the nesting of the events themselves

    def test_s1_20_tcp_syn_name_by_name(self):
        r = tcp()
        f = r.lo("www")[0]
        self.assertEqual((f.fl, f.ack, f.option(2)), ("S", 0, b"\xff\xd7"))  # MSS 65495
        self.assertEqual(r.stack(f.serial, "loopback_xmit", "4.x"), SYN[::-1])
        x = r.one(kind="enter", func="loopback_xmit", serial=f.serial)
        self.assertTrue(ordered(r.chain(x)[::-1], SYN))

    def test_s1_16_s1_20_in_the_order_in_which_they_were_entered(self):
        for r, want, node in ((ping(), RAW, "client"), (tcp(), SYN, "www")):
            s = r.lo(node)[0].serial
            x = r.one(kind="enter", func="loopback_xmit", serial=s)
            places, e = [x["i"]], x
            while e["up"] is not None:
                e = r.ev[e["up"]]
                places.append(e["i"])
            self.assertEqual(places, sorted(places, reverse=True))
            self.assertEqual(r.ev[places[-1]]["func"], want[0])


class Output(unittest.TestCase):
    def test_s0_04_class_of_the_destination_comes_first(self):
        r = run("internet", "client ping -b -c 1 -W 1 10.0.1.255", "client ping -b -c 1 -W 1 255.255.255.255",
                "client nc -u -d hi 224.0.0.1 9")
        for dst, kind, flag in (("10.0.1.255", 3, "broadcast"), ("255.255.255.255", 3, "broadcast"), ("224.0.0.1", 5, "multicast")):
            route = r.sel("route", "__ip_route_output_key", "client", text=r"dst=%s .* type=%d flags=\S*%s" % (re.escape(dst), kind, flag))
            self.assertTrue(route, dst)
            f = [f for f in r.wire if f.place == "client:eth1" and f.ip and f.ip[1] == dst]
            self.assertEqual(len(f), 1)
            out = r.sel("enter", "igb_xmit_frame", "client", f[0].serial)[0]
            self.assertLess(route[0]["i"], out["i"])
            tables = [kv(e["text"])["table"] for e in r.sel("route", "fib_table_lookup", "client", text="dst=%s " % re.escape(dst))]
            self.assertNotIn("table=254 ", " ".join(tables))
        self.assertFalse([f for f in r.wire if f.place == "client:eth1" and f.type == 0x0806 and f.l3[7] == 1])  # no who-has

    def test_s0_14_everything_above_the_cable_works_without_it(self):
        r = run("internet", "lab cut client:eth1", "client ping -c 1 127.0.0.1", "client ping -c 1 10.0.1.10",
                "client ping -c 1 -W 1 10.0.1.53", "client ifconfig eth1")
        self.assertIn("1 received", r.out["client ping -c 1 127.0.0.1"])
        self.assertIn("1 received", r.out["client ping -c 1 10.0.1.10"])
        self.assertIn("0 received", r.out["client ping -c 1 -W 1 10.0.1.53"])
        self.assertFalse([f for f in r.wire if f.place == "client:eth1" and f.ip])
        self.assertEqual(len(r.lo("client")), 4)

    def test_s0_15_two_programs_one_host_the_whole_stack(self):
        r = tcp()
        fr = r.lo("www")
        self.assertEqual(fr[0].fl, "S")
        self.assertEqual(len([f for f in fr if "F" in f.fl]), 2)
        self.assertEqual({f.ip for f in fr}, {("127.0.0.1", "127.0.0.1")})
        for f in fr:
            names = r.enters(f.serial, "www")
            self.assertTrue(ordered(names, ["ip_output", "dev_hard_start_xmit", "loopback_xmit", "ip_rcv", "ip_local_deliver",
                                            "tcp_v4_rcv"]), (f, names))
        got = sum(len(f.data) for f in fr if f.sport == 80)
        self.assertEqual(got, int(kv(r.one(kind="app", func="answered")["text"])["bytes"]))
        self.assertFalse(r.wire)

    def test_s0_26_only_ip_passes_lo(self):
        r = run("internet", "www tcpdump -i lo -n -e &", "www curl -s -o /x http://127.0.0.1/small.html", "www ping -c 2 10.0.2.80",
                "lab wait 1s")
        types = re.findall(r"ethertype (\S+) \((0x\w+)\), length", r.text)
        self.assertGreater(len(types), 10)
        self.assertEqual({t[1] for t in types}, {"0x0800"})
        self.assertFalse(r.sel("enter", "arp_send", "www"))

    def test_s1_10_s2_29_table_says_eth_and_the_packet_takes_lo(self):
        r = own()
        table = r.out["r1 ip route list table local"]
        for a, dev in (("10.0.1.1", "eth1"), ("10.0.12.1", "eth2")):
            self.assertRegex(table, r"(?m)^local %s dev %s proto kernel scope host src %s *$" % (a, dev, a))
            self.assertRegex(r.out["r1 ip route get %s" % a], r"^local %s dev lo src %s uid 0 *\n    cache <local> *$" % (a, a))
            self.assertEqual(len([f for f in r.lo("r1") if f.ip == (a, a)]), 2)
        self.assertRegex(r.out["r1 ip route get 127.9.9.9"], r"^local 127.9.9.9 dev lo src 127.0.0.1 uid 0")

    def test_s2_27_both_tables_by_command_and_the_first_ends_it(self):
        r = own()
        self.assertIn("local 127.0.0.0/8 dev lo", r.out["r1 ip route list table local"])
        main = r.out["r1 ip route list table main"]
        self.assertIn("10.0.2.0/24 via 10.0.12.2 dev eth2", main)
        self.assertNotIn("local", main)
        for a in ("127.0.0.1", "127.9.9.9", "10.0.1.1", "10.0.12.1"):
            t = [kv(e["text"]) for e in r.sel("route", "fib_table_lookup", "r1", text="dst=%s result" % re.escape(a))]
            self.assertTrue(t)
            self.assertEqual({(x["table"], x["result"]) for x in t}, {("255", "hit")})

    def test_s2_30_all_of_127_is_in_the_local_table(self):
        r = own()
        for a, prefix in (("127.0.0.1", "127.0.0.1/32"), ("127.9.9.9", "127.0.0.0/8")):
            t = r.sel("route", "fib_table_lookup", "r1", text="table=255 dst=%s result=hit" % re.escape(a))
            self.assertEqual({kv(e["text"])["prefix"] for e in t}, {prefix})
            self.assertEqual(len([f for f in r.lo("r1") if f.ip[1] == a and f.l4[0] == 8]), 1)

    def test_s2_31_every_local_address_by_lo_and_no_cable(self):
        r = own()
        for a in ("127.0.0.1", "127.9.9.9", "10.0.1.1", "10.0.12.1"):
            self.assertIn("1 received", r.out["r1 ping -c 1 %s" % a])
            route = r.sel("route", "__ip_route_output_key", "r1", text="dst=%s " % re.escape(a))
            self.assertEqual({kv(e["text"])["dev"] for e in route}, {"lo"})
            self.assertEqual(len([f for f in r.lo("r1") if f.ip[1] == a and f.l4[0] == 8]), 1)
        self.assertFalse(r.wire)

    def test_s2_21_local_table_alone_and_device_lo(self):
        r = tcp()
        t = r.sel("route", "fib_table_lookup", "www", text=r"dst=127\.0\.0\.1")
        c = [e for e in t if "tcp_v4_connect" in r.chain(e)]
        self.assertEqual({(kv(e["text"])["table"], kv(e["text"])["dev"]) for e in c}, {("255", "lo")})

    def test_s2_33_the_route_is_made_and_used(self):
        r = own()
        for a in ("10.0.1.1", "127.9.9.9"):
            route = r.sel("route", "__ip_route_output_key", "r1", text="dst=%s " % re.escape(a))[0]
            d = kv(route["text"])
            self.assertEqual((d["dev"], d["type"], d["flags"], d["gateway"]), ("lo", "2", "local", "-"))
            made = [e for e in r.sel("enter", "__mkroute_output", "r1", before=route["i"])][-1]
            look = r.sel("enter", "fib_lookup", "r1", before=route["i"])[-1]
            self.assertEqual(made["up"], route["up"])
            self.assertLess(look["i"], made["i"])
            f = [f for f in r.lo("r1") if f.ip[1] == a][0]
            self.assertTrue(ordered(r.enters(f.serial, "r1"), ["ip_output", "loopback_xmit", "ip_local_deliver"]))  # its output, its input


class Backlog(unittest.TestCase):
    def queues(self, r, node):
        """Replays input_pkt_queue and process_queue out of the events."""
        waiting, batch, seen = [], [], {"splices": 0, "most": 0}
        for e in r.sel(node=node):
            t = e["text"]
            if e["kind"] == "queue" and e["func"] == "enqueue_to_backlog":
                waiting.append(e["serial"])
                self.assertEqual(int(kv(t)["len"]), len(waiting))
            elif e["func"] == "backlog_splice" and e["kind"] == "queue":
                self.assertEqual(int(kv(t)["n"]), len(waiting))
                self.assertFalse(batch)
                batch, waiting = waiting, []
                seen["splices"] += 1
                seen["most"] = max(seen["most"], len(batch))
            elif e["kind"] == "dequeue" and e["func"] == "process_backlog":
                self.assertEqual(batch.pop(0), e["serial"])
                self.assertEqual(int(kv(t)["len"]), len(batch))
        self.assertFalse(waiting + batch)
        return seen

    def test_s2_58_s2_70_the_two_lists_before_and_after(self):
        r = run("internet", "www ip link set lo mtu 1500", "www ping -c 3 -s 5000 127.0.0.1", "lab wait 1s")
        self.assertIn("3 received", r.text)  # a reply in fragments is queued while the request's batch is worked on
        seen = self.queues(r, "www")
        self.assertGreaterEqual(seen["splices"], 6)
        self.assertGreater(seen["most"], 2)  # [a,b,c] and [] became [] and [a,b,c]
        self.assertEqual(self.queues(ping(), "client"), {"splices": 2, "most": 1})

    def test_s2_59_scheduled_only_when_it_was_not(self):
        r = bulk()
        depth, polling, yes, no = 0, False, 0, 0
        for e in r.sel(node="www"):
            if e["kind"] == "enter" and e["func"] == "enqueue_to_backlog":
                sched = [x for x in r.ev[e["i"]:r.leave_of(e)] if x["func"] == "____napi_schedule" and x["kind"] == "enter"]
                self.assertEqual(len(sched), 0 if depth or polling else 1)
                yes, no, polling = yes + len(sched), no + 1 - len(sched), True
                depth += 1
            elif e["func"] == "backlog_splice" and e["kind"] == "queue":
                depth = 0
            elif e["kind"] == "enter" and e["func"] == "napi_complete_done" and "process_backlog" in r.chain(e):
                polling = False
        self.assertGreater(min(yes, no), 1)

    def test_s2_63_local_receive_is_a_softirq_from_the_start(self):
        r = tcp()
        f = local_data(r)[-1]
        x = r.sel("enter", "ip_rcv", "www", f.serial)[0]
        self.assertTrue(ordered(r.chain(x)[::-1], ["do_softirq", "net_rx_action", "process_backlog", "__netif_receive_skb", "ip_rcv"]))
        self.assertNotIn("do_IRQ", r.chain(x))
        begin = r.sel("softirq", "softirq_round", "www", text="begin NET_RX cpu=0", before=x["i"])[-1]
        self.assertEqual(r.ev[begin["up"]]["func"], "do_softirq")
        wake = [e for e in r.sel("task", "task_wake", "www", after=x["i"]) if "tcp_rcv_established" in r.chain(e)][0]
        self.assertTrue(ordered(r.chain(wake)[::-1], ["process_backlog", "tcp_v4_rcv", "tcp_rcv_established", "sock_def_readable"]))
        self.assertFalse([e for e in r.sel("irq", node="www") if e["t"] > begin["t"] - 1])

    def test_s2_67_the_poll_list_links_napi_instances(self):
        r = ping()
        napi = r.out["client cat /proc/net/napi"]
        self.assertRegex(napi, r"(?m)^backlog/cpu0\s")
        self.assertRegex(napi, r"(?m)^eth1-rx0\s")
        self.assertEqual({kv(e["text"])["napi"] for e in r.sel("softirq", "napi_poll", "client")}, {"backlog/cpu0"})

    def test_s2_72_one_in_one_out(self):
        r = bulk()
        ins = [e["serial"] for e in r.sel("queue", "enqueue_to_backlog", "www")]
        outs = [e["serial"] for e in r.sel("dequeue", "process_backlog", "www")]
        self.assertEqual(ins, outs)
        self.assertEqual(len(set(ins)), len(ins))


class WholePath(unittest.TestCase):
    def test_s2_76_top_to_bottom_and_up_again(self):
        r = tcp()
        f = local_data(r)[0]
        x = r.one(kind="enter", func="loopback_xmit", serial=f.serial)
        down = r.chain(x)[::-1]
        self.assertTrue(ordered(down, ["SyS_sendto", "sock_sendmsg", "inet_sendmsg", "tcp_sendmsg", "tcp_write_xmit", "__tcp_transmit_skb",
                                       "ip_queue_xmit", "ip_local_out", "ip_output", "ip_finish_output", "ip_finish_output2", "neigh_output",
                                       "dev_queue_xmit", "dev_hard_start_xmit", "loopback_xmit"]))
        self.assertTrue(ordered(r.enters(f.serial, "www"), ["__tcp_transmit_skb", "loopback_xmit", "enqueue_to_backlog",
                                                            "__netif_receive_skb", "ip_rcv", "ip_local_deliver", "tcp_v4_rcv",
                                                            "tcp_rcv_established"]))
        copy = r.one(kind="copy", func="skb_copy_datagram_iter", serial=f.serial)
        self.assertTrue(ordered(r.chain(copy)[::-1], ["SyS_recvfrom", "sock_recvmsg", "inet_recvmsg", "tcp_recvmsg"]))
        route = [e for e in r.sel("route", "__ip_route_output_key", "www") if "tcp_v4_connect" in r.chain(e)][0]
        self.assertEqual(kv(route["text"])["dev"], "lo")

    def test_s2_80_local_traffic_has_its_price(self):
        r = tcp()
        f = [f for f in local_data(r) if f.sport == 80][0]
        calls = len(r.sel("enter", serial=f.serial))
        copies = [e["text"] for e in r.sel("copy", serial=f.serial)]
        self.assertGreater(calls, 20)  # a copy within one program enters none of these
        self.assertEqual(len(copies), 2)  # from the one program and to the other: as with a cable
        v = two_hosts()
        g = [g for g in v.wire if g.data and g.place == "a:eth1"][0]
        far = len(v.sel("enter", serial=g.serial))
        self.assertGreater(far, calls * 0.6)
        self.assertLess(far, calls * 1.8)  # of the same order as the way over a cable

    def test_s2_77_cable_out_while_local_data_flows(self):
        r = run("internet", "www nc -l -q 6000 &", "lab cut www:eth1", "www nc -f 500000 127.0.0.1 6000", "www cat /proc/interrupts",
                "lab wait 1s")
        self.assertIn("received 500000 bytes", r.text)
        self.assertRegex(r.out["www cat /proc/interrupts"], r"24:\s+0\s+PCI-MSI-edge\s+igb_msix_ring")


def two_hosts():
    return run(two(), "b nc -l -q 5000 &", "a ping -c 1 10.0.0.2", "a nc -d hello -w 1 10.0.0.2 5000", "lab wait 2s",
               "a cat /proc/net/netfilter/hooks", "a cat /proc/net/snmp")


class LocalAndRemote(unittest.TestCase):
    """The same five octets to a program here and to a program behind a cable."""

    def pair(self):
        here = run(two(), "a nc -l -q 5000 &", "a nc -d hello -w 1 127.0.0.1 5000", "lab wait 2s")
        there = two_hosts()
        h = [f for f in here.lo("a") if f.data][0]
        t = [f for f in there.wire if f.data and f.place == "a:eth1"][0]
        self.assertEqual((h.data, t.data), (b"hello", b"hello"))
        return here, h.serial, there, t.serial

    def down(self, r, serial, last):
        x = r.one(kind="enter", func=last, node="a", serial=serial)
        return r.chain(x)[::-1], x

    def test_s2_17_s2_34_where_the_ways_differ(self):
        here, h, there, t = self.pair()
        a, _ = self.down(here, h, "loopback_xmit")
        b, _ = self.down(there, t, "igb_xmit_frame")
        self.assertEqual(a[:-1], [n for n in b[:-1] if n not in ("__dev_xmit_skb", "__qdisc_run", "qdisc_restart", "sch_direct_xmit")])
        up_a = here.enters(h, "a", after=here.one(kind="enter", func="loopback_xmit", serial=h)["i"])
        up_b = there.enters(t, "b")
        ip_a, ip_b = up_a[up_a.index("ip_rcv"):], up_b[up_b.index("ip_rcv"):]
        differ = set(ip_a) ^ set(ip_b)
        self.assertLessEqual(differ, {"ip_route_input_noref", "__mkroute_input"})
        self.assertIn("process_backlog", here.chain(here.one(kind="enter", func="ip_rcv", serial=h)))
        self.assertIn("igb_clean_rx_irq", there.chain(there.one(kind="enter", func="ip_rcv", serial=t)))

    def test_s2_73_the_same_from_netif_receive_skb_on(self):
        here, h, there, t = self.pair()
        a = here.enters(h, "a", after=here.one(kind="enter", func="__netif_receive_skb", serial=h)["i"] - 1)
        b = there.enters(t, "b", after=there.one(kind="enter", func="__netif_receive_skb", serial=t)["i"] - 1)
        self.assertEqual([n for n in b if n != "ip_route_input_noref"], a)
        self.assertTrue(here.sel("route", "ip_rcv_finish", "a", h, "dst already valid"))  # the one difference (S1-15)

    def counts(self, r, serial, node):
        e = r.by_serial[serial]
        c = {"ring": "igb_tx_fill", "map": "dma_map_single", "neigh": "neigh_output", "dev": "dev_queue_xmit", "tcp": "__tcp_transmit_skb",
             "ip": "ip_output", "xmit": "dev_hard_start_xmit"}
        d = {k: len({x["i"] for x in e if x["func"] == f and x["kind"] in ("enter", "queue") and x["node"] == node}) for k, f in c.items()}
        d["wire"] = len([x for x in e if x["kind"] == "wire"])
        d["softirq"] = len([x for x in e if x["kind"] == "enter" and x["func"] == "ip_rcv" and "do_softirq" in r.chain(x)])
        d["syscall"] = len([x for x in e if x["kind"] == "copy" and x["func"] == "fill_segment" and "SyS_sendto" in r.chain(x)])
        return d

    def test_s2_78_what_local_traffic_saves(self):
        here, h, there, t = self.pair()
        a, b = self.counts(here, h, "a"), self.counts(there, t, "a")
        self.assertEqual([a[k] for k in ("ring", "map", "wire")], [0, 0, 0])
        self.assertEqual([b[k] for k in ("ring", "map", "wire")], [1, 1, 1])
        self.assertEqual(a["softirq"], 1)
        first = here.sel("enter", "SyS_connect", "a", after=here.one(kind="enter", func="loopback_xmit", serial=h)["i"] - 2000)[0]
        self.assertFalse([e for e in here.sel(after=first["i"]) if e["kind"] in ("irq", "dma", "reg")])  # no doorbell, no hardirq
        self.assertTrue(there.sel("reg", "nic_write", "a", text=r"write TDT"))
        self.assertTrue(there.sel("irq", "handle_irq", "b"))

    def test_s2_79_what_it_does_not_save(self):
        here, h, there, t = self.pair()
        a, b = self.counts(here, h, "a"), self.counts(there, t, "a")
        for k in ("syscall", "tcp", "ip", "neigh", "dev", "xmit"):
            self.assertEqual((k, a[k], b[k]), (k, 1, 1))
        # the packet is really there at each hook: a DROP in each stops it at another place
        hooks = [kv(e["text"])["hook"] for e in here.sel("hook", serial=h)]
        self.assertEqual(hooks, ["LOCAL_OUT", "POST_ROUTING", "PRE_ROUTING", "LOCAL_IN"])

    def test_s2_55_the_original_costs_the_same(self):
        here, h, there, t = self.pair()
        for r, s in ((here, h), (there, t)):
            e = [x for x in r.by_serial[s] if x["node"] == "a"]
            self.assertEqual(len([x for x in e if x["kind"] == "born" and x["func"] == "alloc_skb"]), 1)
            self.assertEqual(len([x for x in e if x["kind"] == "clone"]), 1)
            freed = [x for x in e if x["kind"] == "consume" and "tcp_clean_rtx_queue" in r.chain(x)]
            self.assertEqual(len(freed), 1)

    def test_s2_38_dev_queue_xmit_gets_a_whole_frame(self):
        for r, s, dev in ((self.pair()[0], self.pair()[1], "lo"), (self.pair()[2], self.pair()[3], "eth1")):
            x = r.one(kind="enter", func="dev_queue_xmit", node="a", serial=s)
            self.assertIn(r.ev[x["up"]]["func"], ("neigh_hh_output", "neigh_connected_output", "neigh_resolve_output"))
        there, t = self.pair()[2:]
        ip_len = there.sel("hook", serial=t, node="a", text="POST_ROUTING")[0]["len"]
        self.assertEqual(int(kv(there.one(kind="queue", func="igb_tx_fill", serial=t)["text"])["len"]), ip_len + 14)

    def test_s2_18_data_segments_enter_ip_by_ip_queue_xmit(self):
        for r, node in ((tcp(), "www"), (two_hosts(), "a")):
            for f in [f for f in r.hook(node + ":LOCAL_OUT") if f.data]:
                q = r.sel("enter", "ip_queue_xmit", node, f.serial)
                self.assertEqual(len(q), 1)
                self.assertEqual(r.chain(q[0])[1], "__tcp_transmit_skb")
                self.assertFalse(r.sel("hook", serial=f.serial, before=q[0]["i"]))  # no IP header before it

    def test_s2_19_s2_20_the_network_layers_order(self):
        r = two_hosts()
        f = [f for f in r.hook("a:LOCAL_OUT") if f.data][0]
        self.assertEqual((f.ip, f.ttl, f.proto, f.total, f.ip_ok), (("10.0.0.1", "10.0.0.2"), 64, 6, 20 + 32 + 5, True))
        ev = [e for e in r.by_serial[f.serial] if e["node"] == "a"]
        at = {}
        for e in ev:
            key = kv(e["text"]).get("hook") if e["kind"] == "hook" else e["func"] if e["kind"] == "enter" else None
            if key:
                at.setdefault(key, e["i"])
        route = r.sel("route", "queue_route", "a", after=at["ip_queue_xmit"])[0]["i"]
        at["route"] = route
        order = ["ip_queue_xmit", "route", "ip_local_out", "LOCAL_OUT", "ip_output", "POST_ROUTING", "ip_finish_output",
                 "ip_finish_output2", "neigh_output"]
        self.assertEqual(sorted(order, key=at.get), order)
        sent = len([e for e in r.sel("hook", node="a", text="hook=LOCAL_OUT")])
        snmp = proc(r.out["a cat /proc/net/snmp"])["Ip"]
        hooks = dict(re.findall(r"(?m)^(\w+)\s+(\d+)\s", r.out["a cat /proc/net/netfilter/hooks"]))
        self.assertEqual((snmp["OutRequests"], int(hooks["LOCAL_OUT"]), int(hooks["POST_ROUTING"])), (sent, sent, sent))

    def test_s2_44_adjacent_on_lo_only(self):
        here, h, there, t = self.pair()
        self.assertEqual(self.down(here, h, "loopback_xmit")[0][-4:], ["dev_queue_xmit", "__dev_queue_xmit", "dev_hard_start_xmit", "loopback_xmit"])
        b = self.down(there, t, "igb_xmit_frame")[0]
        self.assertEqual(b[b.index("__dev_queue_xmit") + 1:-2], ["__dev_xmit_skb", "__qdisc_run", "qdisc_restart", "sch_direct_xmit"])


class Hooks(unittest.TestCase):
    def test_s2_79_s1_23_s1_24_a_drop_in_each_hook_stops_it_elsewhere(self):
        rules = (("OUTPUT -o lo", "filter", []), ("POSTROUTING -o lo", "mangle", ["LOCAL_OUT"]),
                 ("PREROUTING -i lo", "raw", ["LOCAL_OUT", "POST_ROUTING"]), ("INPUT -i lo", "filter", ["LOCAL_OUT", "POST_ROUTING", "PRE_ROUTING"]))
        cmds = []
        for n, (rule, table, _) in enumerate(rules):
            cmds += ["client iptables -t %s -A %s -j DROP" % (table, rule), "client ping -c 1 -W 1 127.0.0.%d" % (n + 1), "client iptables -t %s -F" % table]
        cmds = [c + " " * n for n, c in enumerate(cmds)]
        r = run("internet", *cmds)
        for n, (rule, table, passed) in enumerate(rules):
            out = [v for k, v in r.out.items() if "127.0.0.%d " % (n + 1) in k + " "][0]
            self.assertIn("0 received", out)
            f = [f for f in r.steps if f.ip and f.ip[1] == "127.0.0.%d" % (n + 1)][0]
            hooks = [kv(e["text"]) for e in r.sel("hook", serial=f.serial)]
            self.assertEqual([h["hook"] for h in hooks if h["verdict"] == "ACCEPT"], passed)
            self.assertEqual([e["reason"] for e in r.sel("drop", serial=f.serial)], ["NETFILTER_DROP"])
            self.assertEqual(len(r.sel("enter", "loopback_xmit", serial=f.serial)), 1 if n > 1 else 0)
            few(self, r.sel("enter", "ip_local_deliver_finish", serial=f.serial))
        self.assertEqual(r.err.count("Operation not permitted"), 2)


class RouteCache(unittest.TestCase):
    def test_s2_22_one_lookup_for_many_segments(self):
        r = run("internet", "client curl -s -o /x http://www.server.com/")
        q = [e for e in r.sel("enter", "ip_queue_xmit", "client")]
        self.assertGreater(len(q), 30)
        syn = r.sel("enter", "tcp_connect", "client")[0]["i"]
        few(self, [e for e in r.sel("enter", "fib_lookup", "client", after=syn) if "ip_queue_xmit" in r.chain(e)])
        few(self, r.sel("enter", "ip_route_output_flow", "client", after=syn))
        self.assertEqual(len(r.sel("route", "queue_route", "client", text="dst cache hit")), len(q))

    def test_s2_22_s2_23_a_changed_table_costs_one_lookup(self):
        slow = two(link="vars: {tc: {rate: 1Mbit, limit: 256KiB}}")
        r = run(slow, "b nc -l -q 5000 &", "a nc -f 200000 10.0.0.2 5000 &", "lab wait 500ms", "a ip route add 10.9.0.0/16 via 10.0.0.2",
                "lab wait 5s")
        self.assertIn("received 200000 bytes", r.text)
        add = [e for e in r.sel("task", "task_finish", "a", text="comm=ip code=0") if e["t"] > 1000000][-1]
        before = r.sel("route", "queue_route", "a", before=add["i"])
        after = r.sel("route", "queue_route", "a", after=add["i"])
        self.assertEqual({e["text"] for e in before}, {"dst cache hit"})
        self.assertEqual([e["text"] for e in after], ["dst cache miss"] + ["dst cache hit"] * (len(after) - 1))
        self.assertGreater(len(after), 5)  # stored: the next segment finds it
        x = r.sel("enter", "ip_route_output_ports", "a", after=after[0]["i"])
        self.assertEqual(r.chain(x[0])[1], "ip_queue_xmit")


if __name__ == "__main__":
    unittest.main()

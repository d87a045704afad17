"""From a typed URL to the page: names, layers, headers, routers (S3 but for TCP's own rows and the way inside one host)."""
import re
import socket
import unittest
import zlib

from world import TOP, addr, culver, few, kv, lab_file, mac, ordered, run, stats, two, visit

DNS = {"dns": "10.0.1.53", "root": "10.0.3.2", "com": "10.0.3.3", "ns": "10.0.2.53"}


def facts():
    """The same page by commands, with what the hosts' own tools say."""
    return run("internet", "client curl -s -o /x http://www.server.com/", "lab wait 100ms", "client ifconfig", "www ifconfig",
               "r1 ifconfig", "r2 ifconfig", "client cat /proc/net/arp", "r2 cat /proc/net/arp", "r1 cat /proc/net/arp", "client route -n",
               "r1 route -n", "r2 ip route", "www cat /proc/net/arp")


def nics(text):
    """ifconfig: {name: (inet, ether)}"""
    return {m[1]: (m[2], m[3]) for m in re.finditer(r"(?m)^(\w+): .*\n\s+inet (\S+) .*\n\s+ether (\S+)", text)}


def get(r, place="client:eth1"):
    return [f for f in r.wire if f.place == place and f.data.startswith(b"GET")][0]


class Layers(unittest.TestCase):
    def test_s3_02_each_layer_puts_its_header_before_and_the_link_a_trailer_behind(self):
        r = visit()
        f = get(r)
        n = r.wire.index(f) + 1
        self.assertEqual(len(f.raw), 14 + 20 + f.doff + len(f.data) + 4)
        t = culver("trace", r.dir, "--wire", str(n))
        got = [bytes.fromhex(m[1].replace(" ", "")) for m in re.finditer(r"(?m)^  [\w ]+?  +((?:[0-9a-f]{2} ?)+)(?:  |$)", t)]
        self.assertEqual([h for h in re.findall(r"(?m)^([A-Za-z]\w+)", t) if h in ("cable", "Ethernet", "IP", "IPv4", "TCP", "HTTP")][:3], ["cable", "Ethernet", "IPv4" if "IPv4" in t else "IP"])
        self.assertIn(f.raw[0:6], got)
        self.assertIn(f.raw[26:30], got)  # every octet range is labelled
        self.assertIn(f.raw[-4:], got)
        hooks = [e["len"] for e in r.sel("hook", serial=f.serial, node="client")]
        self.assertEqual(set(hooks), {20 + f.doff + len(f.data)})

    def test_s3_86_six_parts_and_their_sum(self):
        r = visit()
        f = get(r)
        t = culver("trace", r.dir, "--wire", str(r.wire.index(f) + 1))
        self.assertRegex(t, r"preamble +55 55 55 55 55 55 55 ")
        self.assertRegex(t, r"SFD +d5 ")
        fcs = zlib.crc32(f.raw[:-4]).to_bytes(4, "little")
        self.assertEqual(f.raw[-4:], fcs)
        self.assertRegex(t, r"FCS +%s +right" % " ".join("%02x" % b for b in fcs))
        wire = [e for e in r.sel("wire", serial=f.serial) if "from=client" in e["text"]][0]
        self.assertEqual(int(kv(wire["text"])["octets"]), 8 + 14 + 20 + f.doff + len(f.data) + 4)

    def test_s3_06_eight_stations_and_no_way_round_the_system_calls(self):
        r = visit()
        f = get(r)
        x = r.one(kind="enter", func="igb_xmit_frame", node="client", serial=f.serial)
        names = r.chain(x)[::-1]
        self.assertTrue(ordered(names, ["SyS_sendto", "sock_sendmsg", "tcp_sendmsg", "ip_queue_xmit", "dev_queue_xmit", "igb_xmit_frame"]))
        self.assertTrue(r.sel("dma", "tx_gather", "client", f.serial))
        self.assertTrue(r.sel("app", "exchange", "client"))
        for e in r.sel("copy"):
            if "user" in e["text"]:
                self.assertTrue(r.chain(e)[-1].startswith("SyS_"), e)

    def test_s3_07_each_call_is_entered_answered_and_left(self):
        r = visit()
        calls = {}
        for e in r.sel("enter"):
            if e["func"].startswith("SyS_") and "end" in e:
                inside = [x for x in r.ev[e["i"]:e["end"]] if x["kind"] == "syscall" and x["up"] == e["i"]]
                self.assertEqual(len(inside), 1, e)
                self.assertIsNone(e["up"])  # from the program, not from the stack
                calls.setdefault(e["node"], {}).setdefault(e["func"][4:], []).append(e)
        for name in ("socket", "connect", "sendto", "recvfrom", "close"):
            self.assertIn(name, calls["client"])
        for name in ("socket", "bind", "listen", "accept4", "recvfrom", "sendto", "close"):
            self.assertIn(name, calls["www"])

    def test_s3_31_the_browser_uses_the_socket_library(self):
        r = visit()
        ctx = r.sel("app", "visit_one", "client")[0]["ctx"]
        since = r.sel("app", "visit_one", "client")[0]["i"]
        calls = {e["func"][4:] for e in r.sel("syscall", node="client", after=since) if e["ctx"] == ctx}
        self.assertLessEqual(calls, {"socket", "connect", "sendto", "recvfrom", "recvmsg", "close", "setsockopt", "getsockopt", "poll", "open", "read",
                                     "write", "rename", "getrandom", "fstat", "stat", "unlink"})
        self.assertLessEqual({"socket", "connect", "sendto", "recvfrom", "close"}, calls)
        tops = {r.chain(e)[-1] for e in r.sel("enter", node="client", after=since) if e["ctx"] == ctx and e["serial"]}
        self.assertTrue(all(t.startswith(("SyS_", "do_softirq", "do_IRQ")) for t in tops), tops)

    def test_s3_32_s3_34_udp_for_names_tcp_for_pages_one_ip(self):
        r = visit()
        q = [f for f in r.wire if f.place == "client:eth1" and f.proto == 17][0]
        g = get(r)
        tails = []
        for f, entry in ((q, "udp_sendmsg"), (g, "tcp_sendmsg")):
            s = r.sel("hook", serial=f.serial, node="client", text="hook=LOCAL_OUT")[0]
            names = r.chain(s)[::-1]
            self.assertTrue(ordered(names, ["SyS_sendto", "sock_sendmsg", "inet_sendmsg", entry, "ip_local_out", "__ip_local_out"]))
            tails.append([e for e in r.enters(f.serial, "client") if e in ("ip_local_out", "ip_output", "ip_finish_output", "ip_finish_output2",
                                                                         "dev_queue_xmit", "dev_hard_start_xmit", "igb_xmit_frame")])
        self.assertEqual(tails[0], tails[1])

    def test_s3_35_icmp_is_in_ip_and_arp_is_beside_it(self):
        r = run("internet", "client ping -c 1 10.0.2.80")
        icmp = [f for f in r.wire if f.proto == 1]
        arp = [f for f in r.wire if f.type == 0x0806]
        self.assertTrue(icmp and arp)
        self.assertTrue(all(f.type == 0x0800 and f.l3[9] == 1 for f in icmp))
        self.assertTrue(all(f.l3[:4] == b"\0\1\x08\0" and f.ip is None for f in arp))  # hardware type follows at once
        for f in arp[:2]:
            few(self, r.sel("hook", serial=f.serial))
            few(self, r.sel("enter", "ip_rcv", serial=f.serial))

    def test_s3_74_two_types_and_both_are_there(self):
        types = {}
        for f in visit().wire:
            types[f.type] = types.get(f.type, 0) + 1
        self.assertEqual(set(types), {0x0800, 0x0806})
        self.assertGreater(types[0x0806], 4)

    def test_s3_73_destination_source_type(self):
        r = facts()
        me, gw = nics(r.out["client ifconfig"])["eth1"][1], nics(r.out["r1 ifconfig"])["eth1"][1]
        f = get(r)
        self.assertEqual((mac(f.raw[0:6]), mac(f.raw[6:12]), f.raw[12:14]), (gw, me, b"\x08\0"))

    def test_s3_08_nothing_exceeds_the_mtu(self):
        sizes = [f.total for f in visit().wire if f.ip]
        self.assertEqual(max(sizes), 1500)
        self.assertEqual(max(len(f.raw) for f in visit().wire), 1514 + 4)

    def test_s3_11_smaller_mtu_more_packets_worse_goodput(self):
        rows = []
        for mtu in (576, 1500, 9000):
            p = two(link="mtu: %d" % mtu)
            r = run(p, "b nc -l -q 5000 &", "a ping -c 1 10.0.0.2", "a nc -f 1000000 10.0.0.2 5000", "lab wait 2s")
            self.assertIn("received 1000000 bytes", r.text)
            d = [f for f in r.wire if f.place == "a:eth1" and f.proto == 6 and f.data]
            self.assertEqual(sum(len(f.data) for f in d), 1000000)
            over = sum(len(f.raw) - len(f.data) + 8 for f in d)
            self.assertEqual(over, len(d) * (8 + 14 + 20 + 32 + 4))
            rows.append((mtu, len(d), (d[-1].t - d[0].t)))
        self.assertTrue(rows[0][1] > rows[1][1] > rows[2][1], rows)
        self.assertEqual(rows[1][1] >= -(-1000000 // 1448), True)
        self.assertTrue(rows[0][2] > rows[1][2] > rows[2][2], rows)


class Names(unittest.TestCase):
    def test_s3_19_name_servers_carry_no_page(self):
        r = visit()
        for f in r.wire:
            if f.proto == 6:
                self.assertFalse(set(f.ip) & set(DNS.values()), f)
            if f.place.split(":")[0] in DNS and f.ip:
                self.assertEqual(f.proto, 17)
                self.assertIn(53, (f.sport, f.dport))
        for node in DNS:
            few(self, [e for e in r.sel("enter", "tcp_v4_rcv", node) if e["t"] > 1001000])

    def test_s3_23_the_client_asks_its_local_server_alone(self):
        r = visit()
        q = [f for f in r.wire if f.place == "client:eth1" and f.proto == 17]
        self.assertEqual(len(q), 1)
        d = q[0].data
        self.assertEqual((q[0].ip[1], q[0].dport, d[2] & 0x81, int.from_bytes(d[4:6], "big")), (DNS["dns"], 53, 1, 1))  # query, RD, one question
        self.assertIn(b"\3www\6server\3com\0\0\1\0\1", d)

    def test_s3_26_root_gets_the_whole_name_and_refers(self):
        r = visit()
        q = [f for f in r.wire if f.place == "sw4:p2" and f.proto == 17][0]
        a = [f for f in r.wire if f.place == "root:eth1" and f.proto == 17][0]
        self.assertIn(b"\3www\6server\3com\0\0\1\0\1", q.data)
        self.assertEqual(q.data[2] & 1, 0)  # RD is off
        an, ns, ar = (int.from_bytes(a.data[i:i + 2], "big") for i in (6, 8, 10))
        self.assertEqual((an, ns), (0, 1))
        self.assertGreaterEqual(ar, 1)
        self.assertIn(b"gtld-servers", a.data)
        self.assertIn(socket.inet_aton(DNS["com"]), a.data)
        self.assertTrue(r.sel("app", "tell", "root", text="referral com"))

    def test_s3_65_source_is_the_clients_destination_is_the_answers(self):
        r = facts()
        me = nics(r.out["client ifconfig"])["eth1"][0]
        answer = [f for f in r.wire if f.place == "sw1:p1" and f.proto == 17][0].data
        a = addr(answer[answer.index(b"\0\1\0\1", answer.index(b"\3com\0") + 9) + 10:][:4])
        f = get(r)
        self.assertEqual((addr(f.raw[26:30]), addr(f.raw[30:34])), (me, a))


class Page(unittest.TestCase):
    def test_s3_123_s3_124_response_with_addresses_and_ports_swapped(self):
        r = visit()
        q, a = get(r), [f for f in r.wire if f.place == "www:eth1" and f.data.startswith(b"HTTP/1.1 200 OK\r\n")][0]
        self.assertEqual((a.ip, a.sport, a.dport), (q.ip[::-1], q.dport, q.sport))
        with open(r.dir + "/page.body", "rb") as f:
            body = f.read()
        self.assertIn(b"Content-Length: %d\r\n" % len(body), a.data)

    def test_s3_62_s3_126_the_page_is_the_servers_file(self):
        r = visit()
        self.assertTrue(get(r).data.startswith(b"GET / HTTP/1.1\r\nHost: www.server.com\r\n"))
        with open(r.dir + "/page.body", "rb") as f:
            body = f.read()
        with open(TOP + "/labs/internet/site/index.html", "rb") as f:
            self.assertEqual(f.read(), body)
        stream = {}
        for f in [f for f in r.wire if f.place == "sw1:p1" and f.proto == 6 and f.data]:
            stream[f.seq] = f.data
        text = b"".join(stream[s] for s in sorted(stream))
        self.assertEqual(text.split(b"\r\n\r\n", 1)[1], body)
        self.assertIn(body.split(b"\n")[0].decode(), r.text)  # shown

    def test_s3_120_headers_are_stripped_one_after_the_other(self):
        r = visit()
        f = get(r, "sw3:p2")
        s = f.serial
        dma = r.one(kind="dma", func="rx_write_back", node="www", serial=s)
        lens = [e["len"] for e in r.sel("hook", serial=s, node="www")]
        copy = r.one(kind="copy", func="skb_copy_datagram_iter", node="www", serial=s)
        n = int(kv(dma["text"])["len"])
        self.assertEqual([n - 14, n - 14], lens)
        self.assertEqual(int(kv(copy["text"])["len"]), n - 14 - 20 - f.doff)
        names = r.enters(s, "www")
        self.assertTrue(ordered(names, ["eth_type_trans", "ip_rcv", "ip_local_deliver_finish", "tcp_v4_rcv"]))
        other = run("internet", "client ip neigh add 10.0.1.99 lladdr %s dev eth1 nud permanent" % nics(facts().out["r1 ifconfig"])["eth1"][1],
                    "client ip route add 10.0.1.98 via 10.0.1.99", "bob ping -c 1 10.0.1.1",
                    "client ip neigh add 10.0.1.97 lladdr %s dev eth1 nud permanent" % bob_mac(), "client ping -c 1 -W 1 10.0.1.97")
        self.assertIn("0 received", other.text)
        s = [f for f in other.wire if f.ip and f.ip[1] == "10.0.1.97" and f.place == "sw1:p2"]
        self.assertTrue(s)
        self.assertTrue([e for e in other.sel("drop", node="bob", serial=s[0].serial)])  # right MAC, wrong address, no forwarding

    def test_s3_122_the_port_names_the_program(self):
        r = run("internet", "www netstat -napt", "client nc -z 10.0.2.80 80", "client nc -z 10.0.2.80 81")
        self.assertRegex(r.out["www netstat -napt"], r"0\.0\.0\.0:80 +0\.0\.0\.0:\* +LISTEN +\d+/http-server")
        rst = [f for f in r.wire if f.place == "www:eth1" and f.sport == 81]
        self.assertEqual([f.fl for f in rst], ["RA"])
        self.assertTrue([f for f in r.wire if f.place == "www:eth1" and f.sport == 80 and f.fl == "SA"])


def bob_mac():
    return nics(run("internet", "bob ifconfig").text)["eth1"][1]


class Hops(unittest.TestCase):
    def syn(self, r):
        """The SYN on every cable, in order, each cable once by its sender."""
        s = [f for f in r.wire if f.proto == 6 and f.fl == "S"]
        self.assertEqual(len({f.serial for f in s}), 1)
        return s

    def test_s3_101_s3_114_a_chain_of_switches_and_two_routers(self):
        r = visit()
        s = self.syn(r)
        self.assertEqual([f.place for f in s], ["client:eth1", "sw1:p4", "r1:eth2", "sw2:p2", "r2:eth2", "sw3:p2"])
        r2 = nics(facts().out["r2 ifconfig"])
        self.assertEqual({f.dst for f in s if f.place in ("r1:eth2", "sw2:p2")}, {r2["eth1"][1]})
        t = [f.t for f in s]
        self.assertEqual(t, sorted(t))

    def test_s3_102_a_switch_and_a_router_side_by_side(self):
        # r1 with sw1 on its LAN side: neighbours talk through the switch part alone, the far net through the router part
        r = run("internet", "client ping -c 1 10.0.1.11", "client ping -c 1 10.0.2.80")
        near = [f for f in r.wire if f.proto == 1 and "10.0.1.11" in f.ip]
        far = [f for f in r.wire if f.proto == 1 and "10.0.2.80" in f.ip]
        few(self, [e for f in near for e in r.sel("enter", "ip_forward", serial=f.serial)])
        self.assertEqual({f.ttl for f in near}, {64})
        self.assertEqual(len([e for e in r.sel("enter", "ip_forward", "r1")]), 2)
        self.assertTrue(far)

    def test_s3_103_each_port_of_a_router_has_mac_and_address(self):
        r = run("internet", "r1 ifconfig", "r1 ethtool -S eth1", "client ping -c 1 10.0.1.1", "client ping -c 1 10.0.12.1",
                "r1 cat /proc/interrupts", "client cat /proc/interrupts")
        n = nics(r.out["r1 ifconfig"])
        self.assertEqual((n["eth1"][0], n["eth2"][0]), ("10.0.1.1", "10.0.12.1"))
        self.assertNotEqual(n["eth1"][1], n["eth2"][1])
        self.assertIn("1 received", r.out["client ping -c 1 10.0.1.1"])
        self.assertIn("1 received", r.out["client ping -c 1 10.0.12.1"])
        self.assertIn("igb_msix_ring", r.out["r1 cat /proc/interrupts"])
        self.assertIn("igb_msix_ring", r.out["client cat /proc/interrupts"])

    def test_s3_105_a_damaged_frame_ends_at_the_routers_nic(self):
        r = run(damaged(), "a ping -c 20 -W 1 10.0.1.1", "r ethtool -S eth1")
        bad = r.sel("drop", node="r")
        bad = [e for e in bad if e.get("reason") == "HW_BAD_FCS"]
        self.assertTrue(bad)
        self.assertEqual(stats(r.out["r ethtool -S eth1"])["rx_crc_errors"], len(bad))
        for e in bad:
            few(self, r.sel("enter", node="r", serial=e["serial"]))

    def test_s3_106_a_router_takes_its_own_mac_and_broadcasts(self):
        r = run(lab_file("""name: hub
topology:
  nodes:
    sw: {kind: bridge, config: {vars: {bridge: {hub: true}}}}
    a: {}
    b: {}
    r: {sysctls: {net.ipv4.ip_forward: 1}}
  links:
    - {type: veth, endpoints: [{node: a, interface: eth1, ipv4: 10.0.0.1/24}, {node: sw, interface: p1}]}
    - {type: veth, endpoints: [{node: b, interface: eth1, ipv4: 10.0.0.2/24}, {node: sw, interface: p2}]}
    - {type: veth, endpoints: [{node: r, interface: eth1, ipv4: 10.0.0.254/24}, {node: sw, interface: p3}]}
"""), "a ping -c 3 10.0.0.2", "a ping -b -c 1 -W 1 10.0.0.255", "r ethtool -S eth1", "a ping -c 1 10.0.0.254")
        self.assertIn("3 received", r.text)
        ping = [f for f in r.wire if f.place == "sw:p3" and f.ip and "10.0.0.2" in f.ip]
        self.assertEqual(len(ping), 6)  # the hub shows the router everything
        for f in ping:
            self.assertTrue([e for e in r.sel("drop", node="r", serial=f.serial) if e["reason"] == "HW_FILTERED"])
            few(self, r.sel("enter", "ip_rcv", "r", f.serial))
        self.assertGreaterEqual(stats(r.out["r ethtool -S eth1"])["rx_filtered"], 6)
        who = [f for f in r.wire if f.place == "sw:p3" and f.type == 0x0806 and f.dst == "ff:ff:ff:ff:ff:ff"]
        self.assertTrue(who and r.sel("enter", "arp_rcv", "r", who[0].serial))
        b = [f for f in r.wire if f.ip and f.ip[1] == "10.0.0.255" and f.place == "sw:p3"]
        self.assertTrue(b and r.sel("enter", "ip_rcv", "r", b[0].serial))
        few(self, r.sel("enter", "ip_forward", "r"))

    def test_s3_108_looked_up_by_the_destination_alone(self):
        r = run("internet", "client ping -c 1 10.0.2.80", "bob nc -u -d x 10.0.2.80 7", "dns ping -c 1 10.0.2.80")
        look = r.sel("route", "ip_route_input_noref", "r1", text=r"dst=10\.0\.2\.80 ")
        self.assertEqual({kv(e["text"])["src"] for e in look}, {"10.0.1.10", "10.0.1.11", "10.0.1.53"})
        self.assertEqual({kv(e["text"])["dev"] for e in look}, {"eth2"})
        self.assertEqual({kv(e["text"])["gateway"] for e in look}, {"10.0.12.2"})
        keys = {kv(e["text"])["dst"] for e in r.sel("route", "fib_table_lookup", "r1", text="result=") if "ip_route_input_noref" in r.chain(e)
                and "__mkroute_input" not in r.chain(e)}
        self.assertLessEqual({"10.0.2.80"}, keys)

    def test_s3_109_a_routers_table(self):
        t = facts().out["r1 route -n"].splitlines()
        self.assertEqual(t[1].split()[:5] + t[1].split()[-1:], ["Destination", "Gateway", "Genmask", "Flags", "Metric", "Iface"])
        rows = {x.split()[0]: x.split() for x in t[2:]}
        self.assertEqual(rows["10.0.2.0"][1:4] + rows["10.0.2.0"][-1:], ["10.0.12.2", "255.255.255.0", "UG", "eth2"])
        self.assertEqual(rows["10.0.1.0"][1:4] + rows["10.0.1.0"][-1:], ["0.0.0.0", "255.255.255.0", "U", "eth1"])

    def test_s3_71_s3_118_default_gateway_gets_the_frame_server_the_packet(self):
        r = facts()
        self.assertRegex(r.out["client route -n"], r"(?m)^0\.0\.0\.0 +10\.0\.1\.1 +0\.0\.0\.0 +UG .* eth1$")
        f = get(r)
        gw = nics(r.out["r1 ifconfig"])["eth1"]
        self.assertEqual((f.dst, f.ip[1]), (gw[1], "10.0.2.80"))
        arp = r.out["client cat /proc/net/arp"]
        self.assertRegex(arp, r"(?m)^10\.0\.1\.1 +0x1 +0x2 +%s" % gw[1])
        self.assertNotIn("10.0.2.80", arp)

    def test_s3_72_the_gateways_address_is_in_no_packet(self):
        r = visit()
        near = [e for e in r.sel("neigh", "__ipv4_neigh_lookup_noref", "client", text=r"nexthop=10\.0\.1\.1 ")]
        self.assertTrue(near)
        few(self, [f for f in r.wire if f.ip and ("10.0.1.1" in f.ip or "10.0.12.2" in f.ip)])

    def test_s3_76_route_first_then_the_neighbour_it_names(self):
        r = visit()
        f = self.syn(r)[0]
        hop = r.one(kind="neigh", func="__ipv4_neigh_lookup_noref", node="client", serial=f.serial)
        route = r.sel("route", "__ip_route_output_key", "client", text=r"dst=10\.0\.2\.80 .*gateway=10\.0\.1\.1 ", before=hop["i"])
        self.assertTrue(route)
        self.assertEqual(kv(hop["text"])["nexthop"], "10.0.1.1")

    def test_s3_37_the_cache_holds_what_the_answerers_card_says(self):
        r = facts()
        for where, a, owner, dev in (("client", "10.0.1.1", "r1", "eth1"), ("r1", "10.0.1.10", "client", "eth1"), ("r2", "10.0.2.80", "www", "eth1"),
                                     ("www", "10.0.2.1", "r2", "eth2")):
            m = re.search(r"(?m)^%s +0x1 +0x2 +(\S+)" % re.escape(a), r.out[where + " cat /proc/net/arp"])
            self.assertEqual((a, m[1]), nics(r.out[owner + " ifconfig"])[dev])

    def test_s3_119_the_last_router_asks_for_the_host_itself(self):
        r = visit()
        who = [f for f in r.wire if f.place == "r2:eth2" and f.dst == "ff:ff:ff:ff:ff:ff" and f.type == 0x0806 and
               f.l3[24:28] == bytes([10, 0, 2, 80])]
        self.assertEqual(len(who), 1)
        self.assertEqual(addr(who[0].l3[14:18]), "10.0.2.1")
        first = [f for f in r.wire if f.place == "r2:eth2" and f.ip and f.ip[1] == "10.0.2.80"][0]
        self.assertLess(who[0].t, first.t)

    def test_s3_115_ttl_counts_the_routers(self):
        r = run("internet", "client traceroute -n 10.0.2.80", "client ping -c 1 10.0.2.80")
        hops = re.findall(r"(?m)^ *\d+ +(\S+)", r.out["client traceroute -n 10.0.2.80"])
        self.assertEqual(hops, ["10.0.1.1", "10.0.12.2", "10.0.2.80"])
        v = visit()
        self.assertEqual([f.ttl for f in self.syn(v)], [64, 64, 63, 63, 62, 62])
        for f in self.syn(v):
            self.assertTrue(f.ip_ok)

    def test_s3_67_ttl_falls_by_one_and_ends_a_loop(self):
        v = visit()
        for f in self.syn(v):
            self.assertTrue(f.ip_ok)
        a, b = [f for f in self.syn(v) if f.place in ("sw1:p4", "r1:eth2")]
        self.assertEqual((a.ttl, b.ttl), (64, 63))
        self.assertNotEqual(a.l3[10:12], b.l3[10:12])
        self.assertEqual(a.l3[12:20], b.l3[12:20])
        r = run(lab_file("""name: loop
topology:
  nodes:
    a: {exec: ["ip route add default via 10.0.0.254"]}
    r: {sysctls: {net.ipv4.ip_forward: 1, net.ipv4.conf.all.send_redirects: 0, net.ipv4.conf.eth2.send_redirects: 0},
        exec: ["ip route add default via 10.0.1.2"]}
    s: {sysctls: {net.ipv4.ip_forward: 1, net.ipv4.conf.all.send_redirects: 0, net.ipv4.conf.eth1.send_redirects: 0},
        exec: ["ip route add default via 10.0.1.1"]}
  links:
    - {type: veth, endpoints: [{node: a, interface: eth1, ipv4: 10.0.0.1/24}, {node: r, interface: eth1, ipv4: 10.0.0.254/24}]}
    - {type: veth, endpoints: [{node: r, interface: eth2, ipv4: 10.0.1.1/24}, {node: s, interface: eth1, ipv4: 10.0.1.2/24}]}
"""), "a ping -c 1 -W 2 203.0.113.9", "a traceroute -n 10.0.1.2")
        self.assertIn("Time to live exceeded", r.out["a ping -c 1 -W 2 203.0.113.9"])
        seen = [f.ttl for f in r.wire if f.ip and f.ip[1] == "203.0.113.9" and f.place != "a:eth1"]
        self.assertEqual(seen, list(range(63, 0, -1)))
        died = [e for e in r.sel("drop") if e["reason"] == "IP_TTL_EXPIRED"]
        self.assertGreaterEqual(len(died), 1)
        icmp = [f for f in r.wire if f.proto == 1 and f.l4[:2] == b"\x0b\0" and f.ip[1] == "10.0.0.1"]
        self.assertTrue(icmp)

    def test_s3_66_protocol_numbers_on_the_wire(self):
        v = visit()
        self.assertEqual({f.l3[9] for f in v.wire if f.ip and 80 in (f.sport, f.dport)}, {6})
        self.assertEqual({f.l3[9] for f in v.wire if f.ip and 53 in (f.sport, f.dport)}, {17})
        r = run("internet", "client ping -c 1 10.0.2.80")
        self.assertEqual({f.l3[9] for f in r.wire if f.ip}, {1})

    def test_s3_01_unlike_cards_understand_each_other(self):
        r = run(two("config: {vars: {nic: {rx_ring: 64, tx_ring: 32, napi: false}, cpus: {n: 1, packet_ns: 200}}}",
                    "config: {vars: {nic: {rx_ring: 1024, tx_ring: 512, hw_csum: true}, cpus: {n: 2}}}, exec: [\"ip link set eth1 mtu 1400\"]"),
                "b nc -l -q 5000 &", "a nc -f 300000 10.0.0.2 5000", "lab wait 2s", "a ethtool -g eth1", "b ethtool -g eth1", "b ip link")
        self.assertIn("received 300000 bytes", r.text)
        self.assertRegex(r.out["a ethtool -g eth1"], r"Current hardware settings:\nRX:\t\t64\nRX Mini:\tn/a\n")
        self.assertRegex(r.out["b ethtool -g eth1"], r"Current hardware settings:\nRX:\t\t1024\nRX Mini:\tn/a\n")
        self.assertIn("mtu 1400", r.out["b ip link"])


def damaged():
    return lab_file("""name: damaged
topology:
  nodes:
    a: {exec: ["ip route add default via 10.0.0.254"]}
    r: {sysctls: {net.ipv4.ip_forward: 1}}
    b: {exec: ["ip route add default via 10.0.1.254"]}
  links:
    - type: veth
      endpoints:
        - {node: a, interface: eth1, ipv4: 10.0.0.1/24, vars: {tc: {corrupt: 30%}}}
        - {node: r, interface: eth1, ipv4: 10.0.0.254/24}
    - type: veth
      endpoints:
        - {node: r, interface: eth2, ipv4: 10.0.1.254/24}
        - {node: b, interface: eth1, ipv4: 10.0.1.1/24}
""")


if __name__ == "__main__":
    unittest.main()

"""The worlds of compare: what is run, on which host of hosts.clab.yml, in which order."""
import fnmatch
import os

HERE = os.path.dirname(os.path.abspath(__file__))
WORLDS = []


def glob(pattern):
    return fnmatch.translate(pattern).replace(r"\Z", "")


class Step:
    def __init__(self, kind, name, node=None, kernel=None, culver=None, **kw):
        self.kind, self.name, self.node, self.kernel, self.culver = kind, name, node, kernel, culver or kernel
        self.ms, self.of = kw.get("ms", 0), kw.get("of")
        self.drop, self.subst, self.sort, self.fuzzy = kw.get("drop"), kw.get("subst", []), kw.get("sort", False), False


class World:
    """run(): a command to its end. start(): left running; end() and stop() wait for it. wait(): milliseconds."""

    def __init__(self, name):
        self.name, self.steps = name, []
        WORLDS.append(self)

    def run(self, node, kernel, culver=None, name=None, **kw):
        self.steps.append(Step("run", name or kernel, node, kernel, culver, **kw))
        return self

    def start(self, node, kernel, culver=None, name=None, **kw):
        self.steps.append(Step("start", name or kernel, node, kernel, culver, **kw))
        return len(self.steps) - 1

    def end(self, of, kind="end", **kw):
        s = self.steps[of]
        self.steps.append(Step(kind, s.name, s.node, s.kernel, s.culver, of=of, **kw))

    def stop(self, of, **kw):
        self.end(of, "stop", **kw)

    def wait(self, ms):
        self.steps.append(Step("wait", "wait", ms=ms))
        return self


def ip_shows(w):
    for table in ("local", "main", "all", "default"):
        w.run("a", "ip route list table " + table)
    w.run("r", "ip route list table all")
    for args in ("", "list", "show dev eth1", "show root 10.0.0.0/8", "show 10.1.0.0/24", "show scope link", "show proto kernel",
                 "show table 77", "show via 10.1.0.254", "show exact 10.1.0.0/24", "show match 10.1.0.5"):
        w.run("a", ("ip route " + args).strip())
    w.run("r", "ip route")
    for node in "ar":
        for cmd in ("ip addr", "ip -4 addr", "ip link", "ip -s link", "ip -br addr", "ip -br link", "ip addr show dev lo", "ip -o addr",
                    "ip -o link", "ip rule", "ip neigh show nud all", "ip maddr", "ip -4 maddr", "ip maddr show dev eth1"):
            w.run(node, cmd)


w = World("show")
ip_shows(w)
for f in ("arp", "dev", "route", "tcp", "udp", "raw", "icmp", "snmp", "netstat", "sockstat", "igmp", "fib_trie", "fib_triestat", "protocols",
          "packet", "ptype", "dev_mcast", "softnet_stat", "netlink", "rt_cache", "mcfilter", "udplite"):
    w.run("a", "cat /proc/net/" + f)
for cmd in ("netstat -napt", "netstat -s", "netstat -rn", "netstat -i", "netstat -g", "netstat -nau", "netstat -naw", "netstat -ie", "ss -tan", "ss -uan", "ss -s", "ss -ltn",
            "ifconfig", "ifconfig lo", "ifconfig eth1", "ifconfig -a", "ifconfig -s", "route -n", "route", "arp -n", "arp -an", "nstat -az", "ip -s -s link", "ip route get 10.1.0.1"):
    w.run("a", cmd)

GETS = ["127.0.0.1", "127.1.2.3", "10.1.0.1", "10.1.0.254", "10.1.0.77", "10.2.0.1", "8.8.8.8", "10.1.0.255", "10.1.0.0", "127.255.255.255",
        "255.255.255.255", "224.0.0.1", "239.1.2.3", "240.0.0.1", "0.0.0.0", "10.2.0.1 from 10.1.0.1", "10.2.0.1 from 127.0.0.1", "10.2.0.1 from 10.9.9.9",
        "10.2.0.1 oif eth1", "10.2.0.1 oif lo", "10.1.0.1 oif eth1", "127.0.0.1 oif eth1", "10.2.0.1 mark 5", "10.2.0.1 tos 0x10", "224.0.0.1 oif eth1", "255.255.255.255 oif eth1",
        "10.2.0.1 from 10.1.0.77 iif eth1", "10.1.0.1 from 10.1.0.77 iif eth1", "10.1.0.255 from 10.1.0.77 iif eth1", "255.255.255.255 from 10.1.0.77 iif eth1",
        "224.0.0.1 from 10.1.0.77 iif eth1", "127.0.0.1 from 10.1.0.77 iif eth1", "10.1.0.1 from 127.0.0.1 iif eth1", "10.2.0.1 iif nosuch", "10.2.0.1 oif nosuch", "bad.address.",
        "10.2.0.1 fibmatch", "fibmatch 10.2.0.1", "fibmatch 10.1.0.1", "10.2.0.1 ipproto tcp sport 1 dport 80", "10.2.0.1/24", "10.1.0.1 from 10.1.0.1", "10.1.0.1 from 127.0.0.1", "127.0.0.1 from 10.1.0.1"]
w = World("get")
for g in GETS:
    w.run("a", "ip route get " + g)
for g in GETS:
    w.run("r", "ip route get " + g)
for pre in ("blackhole 10.3.1.0/24", "unreachable 10.3.2.0/24", "prohibit 10.3.3.0/24", "throw 10.3.4.0/24", "10.3.5.0/24 via 10.1.0.99 mtu 600 advmss 500 metric 7",
            "10.3.6.0/24 dev eth1 src 10.1.0.1", "10.3.7.0/24 via 10.9.9.9", "10.3.8.1 via 10.1.0.1", "10.3.9.0/24 dev nosuch", "10.1.0.0/24 dev eth1",
            "10.3.10.0/24 via 10.1.0.254 dev eth1 onlink table 77", "10.3.11.1/24 via 10.1.0.254", "10.3.12.0/24 via 10.1.0.254 initcwnd 5 quickack 1 rto_min 50ms"):
    w.run("a", "ip route add " + pre)
w.run("a", "ip route")
w.run("a", "ip route show table all")
for g in ("10.3.1.1", "10.3.2.1", "10.3.3.1", "10.3.4.1", "10.3.5.1", "10.3.6.1", "10.3.10.1", "10.3.12.1"):
    w.run("a", "ip route get " + g)
    w.run("a", "ping -c 1 -W 1 -w 1 " + g) if g[5] in "123" else None
for c in ("ip route del 10.3.99.0/24", "ip route del 10.3.1.0/24", "ip route add 10.3.2.0/24 via 10.1.0.254", "ip route append unreachable 10.3.2.0/24 metric 9", "ip route replace unreachable 10.3.2.0/24 metric 9",
          "ip route change 10.3.77.0/24 via 10.1.0.254", "ip rule add from 10.1.0.1 to 10.3.10.0/24 table 77 pref 100", "ip rule add fwmark 5 blackhole pref 200", "ip rule add iif lo prohibit pref 300 to 10.3.13.0/24",
          "ip rule", "ip route get 10.3.10.1", "ip route get 10.3.10.1 from 10.1.0.1", "ip route get 10.2.0.1 mark 5", "ip route get 10.3.13.1", "ip rule del pref 200", "ip rule del pref 200", "ip rule add from 10.1.0.1 to 10.3.10.0/24 table 77 pref 100", "ip rule", "ip route flush table 77", "ip route show table 77"):
    w.run("a", c)

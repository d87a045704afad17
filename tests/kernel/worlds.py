"""The worlds of compare: what is run, on which host of hosts.clab.yml, in which order."""
import fnmatch
import os
import re

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
for f in ("arp", "dev", "route", "tcp", "udp", "raw", "icmp", "snmp", "netstat", "sockstat", "igmp", "packet", "dev_mcast"):
    w.run("a", "cat /proc/net/" + f, subst=[(r"(orphan|alloc|mem) \d+", r"\1 N")])
for cmd in ("netstat -napt", "netstat -s", "netstat -rn", "netstat -i", "netstat -gn", "netstat -nau", "netstat -naw", "netstat -ie", "ifconfig", "ifconfig lo", "ifconfig eth1", "ifconfig -a", "ifconfig -s", "route -n", "arp -n", "arp -an", "ip route get 10.1.0.1"):
    w.run("a", cmd)
w.run("a", "nstat -az", drop="^(Ip6|Icmp6|Udp6|UdpLite6|MPTcp)")

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


def sockets(w):
    """Settings that every table of cases begins with."""
    w.run("a", "ip neigh add 10.1.0.66 lladdr 02:00:00:00:00:66 dev eth1 nud permanent")
    w.run("a", "sysctl -w net.ipv4.ping_group_range='0 0'", "sysctl -w 'net.ipv4.ping_group_range=0 0'")
    for n in "arb":
        w.run(n, "sysctl -w net.ipv4.icmp_ratemask=0", name="icmp_ratemask " + n)
    w.run("a", "sysctl -w net.ipv4.tcp_congestion_control=cubic")


def table(name, path):
    """Cases of syscheck: one run each, ports of its own."""
    for i, line in enumerate(x for x in open(os.path.join(HERE, path)) if x.strip() and x[0] != "#"):
        case, ops = line.rstrip("\n").split(": ", 1)
        name.run("a", "syscheck ports %d; %s" % (1100 + 10 * i, ops), name=case)


w = World("calls")
sockets(w)
table(w, "syscalls.txt")


def pings(w):
    """Every ending of ping: what it prints and its exit code."""
    for host in ("127.0.0.1", "10.1.0.1", "10.1.0.254", "10.2.0.1"):
        w.run("a", "ping -c 2 -i 0.2 " + host)
    w.run("a", "ping -c 1 -W 1 10.1.0.77", name="unreachable-neighbour")
    w.run("a", "ping -c 1 -W 2 10.2.0.77", name="unreachable-behind-router")
    w.run("a", "ping -c 1 -W 1 10.99.0.1", name="net-unreachable-router")
    w.run("r", "ping -c 1 -W 1 10.99.0.1", name="net-unreachable-self")
    w.run("a", "ping -c 1 -W 1 -t 1 10.2.0.1", name="ttl-exceeded")
    w.run("a", "ping -c 1 -W 1 -t 2 10.2.0.1", name="ttl-enough")
    w.run("a", "ping -c 1 -W 1 -M do -s 1473 10.2.0.1", name="df-own-mtu")
    w.run("a", "ping -c 1 -W 1 -s 1473 10.2.0.1", name="fragments")
    w.run("a", "ping -c 1 -W 1 -s 8000 10.2.0.1", name="fragments-8000")
    w.run("a", "ping -c 1 -W 1 -s 65507 127.0.0.1", name="biggest")
    w.run("a", "ping -c 1 -W 1 -s 65508 127.0.0.1", name="too-big")
    w.run("a", "ping -c 1 -W 1 -s 0 10.2.0.1", name="empty")
    w.run("a", "ping -c 1 -W 1 -s 15 10.2.0.1", name="no-room-for-time")
    w.run("a", "ping -c 1 -W 1 -s 16 10.2.0.1", name="just-room-for-time")
    w.run("a", "ping -q -c 2 -i 0.2 10.2.0.1", name="quiet")
    w.run("a", "ping -c 1 -W 1 10.1.0.255", name="broadcast-refused")
    w.run("a", "ping -b -c 1 -W 1 10.1.0.255", name="broadcast-ignored")
    for n in "ar":
        w.run(n, "sysctl -w net.ipv4.icmp_echo_ignore_broadcasts=0", name="bcast-on-" + n)
    w.run("a", "ping -b -c 2 -i 0.2 -W 1 10.1.0.255", name="broadcast-dup", sort=True)
    w.run("a", "ping -c 1 -W 1 -I eth1 224.0.0.1", name="multicast", sort=True)
    w.run("a", "ping -c 1 -W 1 -I 10.1.0.1 10.2.0.1", name="from-address")
    w.run("a", "ping -c 1 -W 1 -I eth1 10.2.0.1", name="from-device")
    w.run("a", "ping -c 1 -W 1 -I nosuch 10.2.0.1", name="from-nosuch")
    w.run("a", "ping -c 1 -W 1 -I 10.9.9.9 10.2.0.1", name="from-foreign")
    w.run("a", "ping -c 1 -W 1 -I lo 10.2.0.1", name="from-lo")
    w.run("a", "ping -c 0 10.2.0.1", name="count-0")
    w.run("a", "ping -c x 10.2.0.1", name="count-x")
    w.run("a", "ping -c 1 -s 70000 10.2.0.1", name="size-70000")
    w.run("a", "ping -c 1 -t 0 10.2.0.1", name="ttl-0")
    w.run("a", "ping -c 1 -t 256 10.2.0.1", name="ttl-256")
    w.run("a", "ping -c 1 255.255.255.255", name="limited-broadcast")
    w.run("a", "ping -c 1 -W 1 0.0.0.0", name="any")
    w.run("a", "ping -c 1 -W 1 127.255.255.255", name="lo-broadcast")
    w.run("a", "ping -c 1 -W 1 240.0.0.1", name="class-e")
    w.run("b", "ip link set eth1 mtu 1300")
    w.run("r", "ip link set eth2 mtu 1300")
    w.run("a", "ping -c 1 -W 1 -M do -s 1400 10.2.0.1", name="frag-needed")
    w.run("a", "ping -c 1 -W 1 -M do -s 1400 10.2.0.1", name="frag-needed-cached")
    w.run("a", "ping -c 1 -W 1 -M want -s 1400 10.2.0.1", name="pmtu-want")
    w.run("a", "ping -c 1 -W 1 -M dont -s 1400 10.2.0.1", name="pmtu-dont")
    w.run("a", "ip route get 10.2.0.1", name="pmtu-route", subst=[(r"expires \d+sec", "expires Nsec")])
    w.run("a", "ip neigh show nud all", name="neigh", sort=True, subst=[("REACHABLE|DELAY|PROBE|STALE", "REACHABLE")])
    w.run("a", "ip -s neigh", name="neigh-stats", sort=True, subst=[("REACHABLE|DELAY|PROBE|STALE", "REACHABLE"), (r"used \d+/\d+/\d+", "used N/N/N"), (r"ref \d+ ", "")])
    w.run("a", "arp -n", sort=True)
    w.run("a", "arp -an", sort=True)
    w.run("a", "cat /proc/net/arp", sort=True)
    w.run("a", "cat /proc/net/icmp")
    w.run("a", "cat /proc/net/snmp")
    w.run("a", "netstat -s")
    w.run("r", "cat /proc/net/snmp", name="router-snmp")
    w.run("r", "netstat -s", name="router-netstat")


pings(World("ping"))

w = World("traceroute")
for n in "arb":
    w.run(n, "sysctl -w net.ipv4.icmp_ratemask=0", name="icmp_ratemask " + n)
for args in ("-n 10.2.0.1", "-n 10.1.0.1", "-n 127.0.0.1", "-n -I 10.2.0.1", "-n 10.1.0.254", "-n -m 1 10.2.0.1", "-n -q 1 10.2.0.1", "-n -f 2 10.2.0.1",
             "-n 10.2.0.1 1400", "-n -F 10.2.0.1 1500", "-n 10.99.0.1", "-n -w 1 -q 1 -m 3 10.1.0.77", "-n nosuch.invalid.", "-n -w 1 -q 1 -m 4 10.2.0.77"):
    w.run("a", "traceroute " + args)
w.run("r", "traceroute -n 10.99.0.1")

w = World("wire")
sockets(w)
w.run("a", "ping -c 1 10.2.0.1", name="neighbours are known")
# a transmission's second copy ("host") comes when the CPU gets to it: in order of direction the two sides agree
table(w, "wire.txt")
for mtu in (1280, 576, 100, 88, 87, 68):
    w = World("mtu%d" % mtu)
    sockets(w)
    w.run("a", "ip link set lo mtu %d" % mtu)
    table(w, "mtu.txt")

def tools_on_connections(w):
    """Sockets in several states on host a, and how the tools show them."""
    spaces = [(r"[ \t]+", " "), (r"Port ?Process", "Port Process")]
    w.run("a", "sysctl -w net.ipv4.tcp_congestion_control=cubic")
    hold = w.start("a", "syscheck ports 1100; tcp l; bind l 0.0.0.0:p0; listen l 5; tcp a; bind a 127.0.0.1:p1; connect a 127.0.0.1:p0; accept l b; "
                        "udp u; bind u 127.0.0.1:p2; udp v; bind v 10.1.0.1:p3; connect v 10.2.0.1:p4; raw r 200; tcp c; bind c 127.0.0.1:p5; connect c 127.0.0.1:p0; accept l d; "
                        "shut c 1; tcp e; bind e 127.0.0.1:p6; connect e 127.0.0.1:p0; accept l f; close e; wait 20; close f; send a 700; tcp g; bind g 127.0.0.1:p7; listen g 3; wait 1700")
    w.wait(700)
    ids = [(r"\b\d+/syscheck|\b\d+/kernel-libc", "PID/PROG"), (r'"(syscheck|kernel-libc)",pid=\d+', '"PROG",pid=N')]
    for c in ("netstat -nat", "netstat -nt", "netstat -nlt", "netstat -nau", "netstat -naw", "netstat -nap"):
        w.run("a", c, sort=True, subst=ids, drop="Active UNIX|^Proto RefCnt")
    for c in ("ss -tan", "ss -tn", "ss -ltn", "ss -uan", "ss -wan", "ss -tuan", "ss -tlnp", "ss -tanp"):
        w.run("a", c, sort=True, subst=spaces + ids, name=c + "#")
    blind = [(r"\b[0-9a-f]{16}\b", "PTR"), (r"^( *\d+: \S+ \S+ \S\S \S+ )\S+ \S+( +\d+ +\d+) \d+ .*", r"\1\2")]
    for f in ("tcp", "udp", "raw"):
        w.run("a", "cat /proc/net/" + f, sort=True, subst=blind + spaces + [(r"^ *\d+: ", "")])
    w.run("a", "cat /proc/net/sockstat", subst=[(r"(orphan|alloc|mem) \d+", r"\1 N")])
    w.end(hold)
    w.wait(100)
    for c in ("netstat -s", "nstat -a", "cat /proc/net/snmp"):
        w.run("a", c, name=c + " after")


tools_on_connections(World("conns"))

w = World("nettools")
for c in ("route add -net 10.44.0.0 netmask 255.255.0.0 gw 10.1.0.254", "route add -net 10.45.0.0/16 dev eth1", "route add -host 10.46.0.1 gw 10.1.0.254 metric 5", "route add -net 10.44.0.0 netmask 255.255.0.0 gw 10.1.0.254",
          "route -n", "route del -net 10.45.0.0/16", "route del -host 10.46.0.1", "route del -net 10.99.0.0/16", "route del default", "route add default gw 10.1.0.254", "route -n", "ip route",
          "arp -s 10.1.0.50 02:00:00:00:00:50", "arp -n", "arp -d 10.1.0.50", "ip neigh", "arp -n 10.1.0.51", "ifconfig eth1 mtu 1400", "ifconfig eth1", "ifconfig eth1 down", "ip route", "ifconfig eth1 up", "ip route",
          "ifconfig eth1 10.1.0.7 netmask 255.255.255.0", "ip -4 addr show dev eth1", "ip route list table local", "ifconfig nosuch", "ifconfig eth1:3 10.8.8.8 netmask 255.0.0.0", "ip -4 addr", "ifconfig eth1:3 down", "ip -4 addr",
          "ip addr add 10.1.0.9/24 dev eth1", "ip addr add 10.1.0.9/24 dev eth1", "ip addr del 10.1.0.99/24 dev eth1", "ip addr show dev eth1 secondary"[:21], "ip addr del 10.1.0.7/24 dev eth1", "ip addr show dev eth1", "ip link set eth1 mtu 60", "ip link set nosuch up", "ip link set eth1 txqueuelen 50", "ip link show eth1"):
    w.run("a", c)

w = World("ethtool")
for c in ("-g lo", "-g nosuch", "-k nosuch", "-S lo", "-S nosuch"):
    w.run("a", "ethtool " + c)

w = World("sysctl")
for tree in ("net.ipv4", "net.core"):
    w.run("a", "sysctl -a --pattern '^%s'" % tree.replace(".", "\\."), "sysctl -a", name="a/" + tree, sort=True, drop="^(?!%s)(?!exit)(?!!)" % tree.replace(".", "\\."))
for c in ("net.ipv4.ip_forward=2", "net.ipv4.ip_default_ttl=0", "net.ipv4.ip_default_ttl=256", "net.ipv4.ip_default_ttl=255", "net.ipv4.ip_default_ttl=x", "net.ipv4.nosuch=1",
          "net.ipv4.tcp_syn_retries=0", "net.ipv4.tcp_syn_retries=127", "net.ipv4.tcp_syn_retries=128", "net.ipv4.tcp_congestion_control=nosuch", "net.ipv4.tcp_congestion_control=reno",
          "net.ipv4.ip_local_port_range='1 2'", "net.ipv4.ip_local_port_range='5 2'", "net.ipv4.ip_local_port_range=1025", "net.ipv4.tcp_rmem='1 2 3'", "net.ipv4.tcp_rmem='4096 131072'", "net.ipv4.tcp_rmem='0 0 0'",
          "net.ipv4.conf.all.rp_filter=2", "net.ipv4.conf.nosuch.rp_filter=2", "net.ipv4.tcp_available_congestion_control=x", "net.ipv4.tcp_fin_timeout=-1", "net.ipv4.icmp_ratelimit=-5",
          "net.ipv4.ping_group_range='1 0'", "net.ipv4.ping_group_range='0 2147483647'", "net.ipv4.tcp_retries2=300", "net.ipv4.tcp_max_syn_backlog=-1", "net.ipv4.ip_no_pmtu_disc=9", "net.ipv4.neigh.eth1.base_reachable_time_ms=1000",
          "net.ipv4.tcp_timestamps=7", "net.ipv4.tcp_sack=256", "net.ipv4.tcp_ecn=9", "net.ipv4.tcp_syncookies=3", "net.ipv4.tcp_notsent_lowat=4294967295"):
    name, _, val = c.partition("=")
    w.run("a", "sysctl -w %s" % c, "sysctl -w %s" % (c if "'" not in c else "'%s=%s'" % (name, val.strip("'"))), name="set " + c)
    w.run("a", "sysctl " + name, name="get after " + c)

# Every net.ipv4.tcp_ knob that a namespace has of its own: what its file takes, and what it says to what it does not take. The value
# behind a name is written before and after.
KNOBS = """abort_on_overflow 0, adv_win_scale 1, allowed_congestion_control, app_win 31, autocorking 1, available_congestion_control, base_mss 1024,
challenge_ack_limit 2147483647, comp_sack_delay_ns 1000000, comp_sack_nr 44, comp_sack_slack_ns 100000, congestion_control cubic, dsack 1, early_retrans 3,
ecn 2, ecn_fallback 1, ecn_option 2, ecn_option_beacon 3, ehash_entries, fack 0, fastopen 1, fastopen_blackhole_timeout_sec 0, fastopen_key 1-2-3-4,
fin_timeout 60, frto 2, fwmark_accept 0, invalid_ratelimit 500, keepalive_intvl 75, keepalive_probes 9, keepalive_time 7200, limit_output_bytes 4194304,
max_reordering 300, max_syn_backlog 2048, max_tw_buckets 131072, migrate_req 0, min_rtt_wlen 300, min_snd_mss 48, min_tso_segs 2, moderate_rcvbuf 1,
mtu_probe_floor 48, mtu_probing 0, no_metrics_save 0, no_ssthresh_metrics_save 1, notsent_lowat 4294967295, orphan_retries 0, pacing_ca_ratio 120, pacing_ss_ratio 200,
pingpong_thresh 1, probe_interval 600, probe_threshold 8, recovery 1, reflect_tos 0, reordering 3, retrans_collapse 1, retries1 3, retries2 15, rfc1337 0,
rmem 4096 131072 33554432, rto_max_ms 120000, rto_min_us 200000, sack 1, shrink_window 0, slow_start_after_idle 1, stdurg 0, syn_linear_timeouts 4,
syn_retries 6, synack_retries 5, syncookies 1, thin_linear_timeouts 0, timestamps 1, tso_rtt_log 9, tso_win_divisor 3, tw_reuse 2, tw_reuse_delay 1000,
window_scaling 1, wmem 4096 16384 4194304, workaround_signed_windows 0"""
w = World("knobs")
for k in KNOBS.replace("\n", " ").split(", "):
    hosts_own = [(r"reads (reno [a-z ]+|-?\d+)(?=\\n, and so)", "reads ITS OWN")] if re.search("(available|allowed)_cong|ehash", k) else []
    w.run("a", "syscheck knob net/ipv4/tcp_" + k, name="tcp_" + k.split()[0], subst=hosts_own)

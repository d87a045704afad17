"""The skeletons of drill-matrix: which dialogues there are. A state of TCP is reached by a prologue; then comes an event, or
several; then probes (what poll, ioctl, recv, send and TCP_INFO say), the peer's next segment, and the end.

Everything is a function of the names alone: the same name is the same dialogue for ever. Each family is a function
that yields cases; FAMILIES lists them."""
import itertools, os, random

BASE = {"net.ipv4.tcp_congestion_control": "cubic", "net.ipv4.tcp_timestamps": "0", "net.ipv4.tcp_no_metrics_save": "1", "net.ipv4.tcp_ecn": "0"}
WIN = 64240  # the window that the host offers at first


class Case:
    def __init__(self, name, what, ts=False, mtu=1500, ports=False, tolerance=12, **sysctl):
        self.name, self.what, self.ts, self.mtu, self.ports = name, what, ts, mtu, ports
        self.tolerance = 40 if name.startswith(("timers", "blocking")) else tolerance  # ms: the kernel's timers are coarse
        self.sysctl = dict(BASE, **{"net.ipv4." + k: str(v) for k, v in sysctl.items()})
        if ts:
            self.sysctl["net.ipv4.tcp_timestamps"] = "1"
        self.steps, self.clock = [], 1000
        self.fd, self.rn, self.su, self.sn = None, 0, 0, 0  # descriptor; the peer's next number; the host's una and next

    def do(self, text, gap=0.004):
        self.steps.append((gap, text))
        return self

    def seg(self, flags, seq=None, n=0, ack=None, win=32768, opts=None, urg=None, gap=0.01, tsopt=True, head=""):
        """A segment of the peer; ack None: of everything, False: no number."""
        seq = self.rn if seq is None else seq
        t = f"< {head}{flags} {seq % 2**32}:{(seq + n) % 2**32}({n})"
        if ack is not False and "." in flags:
            t += f" ack {(self.sn if ack is None else ack) % 2**32}"
        t += f" win {win}"
        if urg is not None:
            t += f" urg {urg}"
        o = list(opts or [])
        if self.ts and tsopt:
            self.clock += 10
            o = ["nop", "nop", f"TS val {self.clock} ecr {'@' if '.' in flags else 0}"] + o
        return self.do(t + (f" <{','.join(o)}>" if o else ""), gap)

    def probe(self, send=False):
        if self.fd is None:
            return self
        f = self.fd
        self.do(f"poll([{{fd={f}, events=POLLIN|POLLOUT|POLLPRI|POLLRDHUP, revents=?}}], 1, 0)")
        self.do(f"ioctl({f}, SIOCINQ, [?])")
        self.do(f"recv({f}, ..., 2000, MSG_DONTWAIT)")
        if send:
            self.do(f"send({f}, ..., 20, MSG_DONTWAIT)")
        self.do(f"getsockopt({f}, SOL_SOCKET, SO_ERROR, [?], [4])")
        return self.do(f"info {f}")

    def end(self, wait=0.06):
        if self.fd is not None:
            self.do(f"close({self.fd})", 0.01)
        return self.do("wait", wait)


# ---- ways into each state ----

def syn_opts(c):
    return ["mss 1000", "sackOK", f"TS val {c.clock} ecr 0", "nop", "wscale 7"] if c.ts else ["mss 1000"]


def listen(c):
    c.do("socket(..., SOCK_STREAM, IPPROTO_TCP)", 0).do("setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4)", 0.001)
    c.do("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK)", 0.001).do("bind(3, ..., ...)", 0.001).do("listen(3, 1)", 0.001)
    c.fd = 3


def closed(c):
    c.do("socket(..., SOCK_STREAM, IPPROTO_TCP)", 0).do("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK)", 0.001).do("bind(3, ..., ...)", 0.001)
    c.fd = 3


def syn_recv(c):
    listen(c)
    c.seg("S", opts=syn_opts(c), tsopt=False)
    c.rn, c.sn = 1, 1
    c.fd = 3


def established(c):
    syn_recv(c)
    c.seg(".", gap=0.01)
    c.su = 1
    c.do("accept(3, ..., ...)").do("fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK)", 0.001)
    c.fd = 4


def syn_sent(c):
    c.do("socket(..., SOCK_STREAM, IPPROTO_TCP)", 0).do("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK)", 0.001).do("connect(3, ..., ...)", 0.001)
    c.fd, c.sn = 3, 1


def active(c):
    syn_sent(c)
    o = ["mss 1000"]
    if c.ts:
        c.clock += 10
        o = ["mss 1000", "sackOK", f"TS val {c.clock} ecr @", "nop", "wscale 7"]
    c.seg("S.", ack=1, opts=o, tsopt=False)
    c.rn, c.su = 1, 1


def syn_recv_simul(c):
    if not c.ts:  # of a SYN-ACK to a bare SYN the kernel and culver have two opinions: options/simul/bare asks that
        c.sysctl["net.ipv4.tcp_sack"] = c.sysctl["net.ipv4.tcp_window_scaling"] = "0"
    syn_sent(c)
    c.seg("S", opts=syn_opts(c), tsopt=False)
    c.rn = 1


def unacked(c):
    established(c)
    c.do("send(4, ..., 100, 0)")
    c.sn = 101


def unread(c):
    established(c)
    c.seg("P.", n=200)
    c.rn = 201


def out_of_order(c):
    established(c)
    c.seg("P.", seq=101, n=100)


def fin_wait_1(c):
    established(c)
    c.do("close(4)")
    c.fd, c.sn = None, 2


def fin_wait_1_shut(c):
    established(c)
    c.do("shutdown(4, SHUT_WR)")
    c.sn = 2


def fin_wait_1_data(c):
    established(c)
    c.do("send(4, ..., 100, 0)").do("shutdown(4, SHUT_WR)")
    c.sn = 102


def fin_wait_2(c):
    fin_wait_1(c)
    c.seg(".")
    c.su = 2


def fin_wait_2_shut(c):
    fin_wait_1_shut(c)
    c.seg(".")
    c.su = 2


def closing(c):
    fin_wait_1(c)
    c.seg("F.", ack=1)
    c.rn = 2


def closing_shut(c):
    fin_wait_1_shut(c)
    c.seg("F.", ack=1)
    c.rn = 2


def close_wait(c):
    established(c)
    c.seg("F.")
    c.rn = 2


def last_ack(c):
    close_wait(c)
    c.do("close(4)", 0.015)
    c.fd, c.sn = None, 2


def last_ack_shut(c):
    close_wait(c)
    c.do("shutdown(4, SHUT_WR)", 0.015)
    c.sn = 2


def time_wait(c):
    fin_wait_2(c)
    c.seg("F.")
    c.rn = 2


def time_wait_shut(c):
    fin_wait_2_shut(c)
    c.seg("F.")
    c.rn = 2


def time_wait_closing(c):
    closing(c)
    c.seg(".")
    c.su = 2


def dead(c):
    established(c)
    c.seg("R.")


STATES = dict(closed=closed, listen=listen, synrecv=syn_recv, synsent=syn_sent, simul=syn_recv_simul, estab=established, active=active,
              unacked=unacked, unread=unread, ooo=out_of_order, finwait1=fin_wait_1, finwait1s=fin_wait_1_shut, finwait1d=fin_wait_1_data,
              finwait2=fin_wait_2, finwait2s=fin_wait_2_shut, closing=closing, closings=closing_shut, closewait=close_wait, lastack=last_ack,
              lastacks=last_ack_shut, timewait=time_wait, timewaits=time_wait_shut, timewaitc=time_wait_closing, dead=dead)


# ---- segments in every state ----

def flag_sets():
    for bits in range(16):
        yield "".join(f for i, f in enumerate("SFR.") if bits >> i & 1) or "-"
    yield from ("P", "P.", "FP.", "PU", "P.U", "FP.U", "SFRP.U", "SP.", "RP.", "E.", "SEW")


def family_segments():
    """Every state, every set of flags, numbers below, at, inside, at the edge of and beyond the window, with data and without."""
    for (state, into), full in itertools.product(STATES.items(), (False, True)):
        for flags in flag_sets():
            seqs = {"old": -1000, "below": -1, "at": 0, "in": 50, "edge-1": WIN - 1, "edge": WIN, "edge+1": WIN + 1, "far": 1 << 20}
            acks = {"una-1": -1, "una": 0, "next": None, "next+1": 1, "old": -100000, "high": 1 << 30} if "." in flags else {"no": False}
            for (sn, so), (an, ao), n in itertools.product(seqs.items(), acks.items(), (0, 10)):
                name = f"segments/{state}{'-ts' if full else ''}/{flags}-{sn}-{an}-{n}"
                rnd = random.Random(name)
                main = sn in ("at", "in") and an in ("no", "next") and len(flags.strip("PUEW")) <= 2
                chief = not full and sn == "at" and an in ("no", "next", "una") and not set(flags) & set("PUEW")
                if rnd.random() > (1 if chief else 0.55 if main else 0.05) * (0.5 if full else 1):
                    continue
                c = Case(name, f"state {state}: {flags}, sequence number {sn}, acknowledgment {an}, {n} octets", ts=full)
                into(c)
                ack = c.sn if an == "next" else False if an == "no" else c.sn + 1 if an == "next+1" else c.su + ao
                c.seg(flags, seq=c.rn + so, n=n, ack=ack, urg=5 if "U" in flags else None)
                c.do("wait", 0.05).probe()
                c.seg("P.", n=10, gap=0.02).do("wait", 0.05).probe(send=True).end()
                yield c


# ---- system calls in every state ----

CALLS = ["bind({f}, ..., ...)", "listen({f}, 1)", "listen({f}, 0)", "connect({f}, ..., ...)", "accept({f}, ..., ...)", "send({f}, ..., 10, 0)",
         "send({f}, ..., 0, 0)", "send({f}, ..., 10, MSG_OOB)", "send({f}, ..., 1, MSG_MORE)", "recv({f}, ..., 10, 0)", "recv({f}, ..., 0, 0)",
         "recv({f}, ..., 10, MSG_PEEK)", "recv({f}, ..., 10, MSG_OOB)", "recv({f}, ..., 10, MSG_WAITALL)", "recv({f}, ..., 10, MSG_TRUNC)",
         "recv({f}, ..., 10, MSG_OOB|MSG_PEEK)",
         "read({f}, ..., 10)", "write({f}, ..., 10)", "shutdown({f}, SHUT_RD)", "shutdown({f}, SHUT_WR)", "shutdown({f}, SHUT_RDWR)", "shutdown({f}, 7)",
         "close({f})", "ioctl({f}, SIOCINQ, [?])", "ioctl({f}, SIOCOUTQ, [?])", "ioctl({f}, SIOCOUTQNSD, [?])", "ioctl({f}, SIOCATMARK, [?])",
         "getsockopt({f}, SOL_SOCKET, SO_ERROR, [?], [4])", "getsockopt({f}, SOL_SOCKET, SO_ACCEPTCONN, [?], [4])",
         "getsockopt({f}, SOL_TCP, TCP_MAXSEG, [?], [4])", "getsockopt({f}, SOL_TCP, TCP_QUICKACK, [?], [4])",
         "getsockopt({f}, SOL_TCP, TCP_DEFER_ACCEPT, [?], [4])", "getsockopt({f}, SOL_TCP, TCP_SYNCNT, [?], [4])",
         "getsockopt({f}, SOL_TCP, TCP_LINGER2, [?], [4])", "getsockopt({f}, SOL_TCP, TCP_WINDOW_CLAMP, [?], [4])",
         "getsockopt({f}, SOL_TCP, TCP_USER_TIMEOUT, [?], [4])", "getsockopt({f}, SOL_SOCKET, SO_RCVBUF, [?], [4])",
         "getsockopt({f}, SOL_SOCKET, SO_SNDBUF, [?], [4])",
         "setsockopt({f}, SOL_TCP, TCP_MAXSEG, [500], 4)", "setsockopt({f}, SOL_TCP, TCP_MAXSEG, [40000], 4)", "setsockopt({f}, SOL_TCP, TCP_MAXSEG, [20], 4)",
         "setsockopt({f}, SOL_TCP, TCP_NODELAY, [1], 4)",
         "setsockopt({f}, SOL_TCP, TCP_CORK, [1], 4)", "setsockopt({f}, SOL_TCP, TCP_QUICKACK, [1], 4)", "setsockopt({f}, SOL_TCP, TCP_QUICKACK, [0], 4)",
         "setsockopt({f}, SOL_TCP, TCP_WINDOW_CLAMP, [2000], 4)", "setsockopt({f}, SOL_TCP, TCP_WINDOW_CLAMP, [0], 4)",
         "setsockopt({f}, SOL_TCP, TCP_KEEPIDLE, [1], 4)",
         "setsockopt({f}, SOL_TCP, TCP_FASTOPEN, [1], 4)", "setsockopt({f}, SOL_TCP, TCP_DEFER_ACCEPT, [1], 4)",
         "setsockopt({f}, SOL_TCP, TCP_LINGER2, [1], 4)", "setsockopt({f}, SOL_TCP, TCP_LINGER2, [-1], 4)",
         "setsockopt({f}, SOL_TCP, TCP_USER_TIMEOUT, [100], 4)", "setsockopt({f}, SOL_TCP, TCP_REPAIR, [1], 4)",
         "setsockopt({f}, SOL_SOCKET, SO_RCVBUF, [5000], 4)", "setsockopt({f}, SOL_SOCKET, SO_SNDBUF, [5000], 4)",
         "setsockopt({f}, SOL_SOCKET, SO_LINGER, {{onoff=1, linger=0}}, 8)", "setsockopt({f}, SOL_SOCKET, SO_KEEPALIVE, [1], 4)",
         "setsockopt({f}, SOL_SOCKET, SO_RCVLOWAT, [100], 4)", "setsockopt({f}, SOL_SOCKET, SO_OOBINLINE, [1], 4)",
         "connect({f}, {{sa_family=AF_UNSPEC, sin_port=htons(0), sin_addr=inet_addr(\"0.0.0.0\")}}, ...)",
         "connect({f}, {{sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr(\"192.168.0.1\")}}, ...)"]


def family_calls():
    """Every state, every system call, and what the connection is afterwards."""
    for (state, into), (i, call), full in itertools.product(STATES.items(), enumerate(CALLS), (False, True)):
        c = Case(f"calls/{state}{'-ts' if full else ''}/{i:02}", f"state {state}: {call.format(f=3)}", ts=full)
        into(c)
        if c.fd is None or state == "closed" and "htons(9)" in call or full and random.Random(c.name).random() > 0.1:
            continue
        f = c.fd
        c.do(call.format(f=f), 0.01)
        if call.startswith("close"):
            c.fd = None
        c.do("wait", 0.02).probe()
        c.seg("P.", n=10, gap=0.02).do("wait", 0.05).probe(send=True).end()
        yield c


# ---- options ----

OPTION_SETS = [[], ["mss 0"], ["mss 1"], ["mss 63"], ["mss 64"], ["mss 87"], ["mss 88"], ["mss 536"], ["mss 1460"], ["mss 9000"], ["mss 65535"],
               ["mss 1000", "mss 500"], ["raw 0203", "mss 700"], ["raw 0205aabb00"], ["raw 02"], ["raw 0200"], ["raw 0201"], ["raw 0204"], ["nop", "nop", "nop", "mss 900"],
               ["eol", "mss 900"], ["nop", "eol", "raw 0204"], ["mss 1000", "eol", "raw 010101"], ["nop"] * 40, ["raw " + "01" * 36 + "020403e8"]]
OPTION_SETS += [["mss 1000", "nop", f"wscale {w}"] for w in (*range(0, 16), 31, 128, 255)]
OPTION_SETS += [["mss 1000", "sackOK"], ["sackOK", "sackOK", "mss 1000"], ["mss 1000", "raw 0403aa"], ["mss 1000", "raw 0400"], ["mss 1000", "raw 0401"], ["mss 1000", "raw 04"],
                ["mss 1000", "nop", "nop", "sackOK", "nop", "wscale 7"], ["wscale 7", "sackOK", "mss 1000"],
                ["mss 1000", "nop", "raw 030207"], ["mss 1000", "raw 03040707"], ["mss 1000", "raw 0300"], ["mss 1000", "nop", "wscale 3", "nop", "wscale 5"],
                ["mss 1000", "TS val 1 ecr 0"], ["mss 1000", "TS val 0 ecr 0"], ["mss 1000", "TS val 4294967295 ecr 77"], ["mss 1000", "raw 0809000000010000"],
                ["mss 1000", "raw 080b0000000100000000aa"], ["TS val 5 ecr 0", "TS val 6 ecr 0", "mss 1000"],
                ["mss 1000", "sackOK", "TS val 9 ecr 0", "nop", "wscale 7"], ["TS val 9 ecr 0", "wscale 7", "nop", "sackOK", "mss 1000"],
                ["mss 1000", "kind 254 01020304"], ["mss 1000", "kind 253"], ["mss 1000", "kind 28 0102"], ["mss 1000", "kind 30 000000000000"], ["mss 1000", "kind 69 0000"],
                ["mss 1000", "kind 172 "], ["mss 1000", "kind 19 " + "00" * 16], ["mss 1000", "kind 29 0001" + "00" * 12], ["kind 6 00000000", "mss 1000"], ["kind 7 00000000", "mss 1000"],
                ["kind 5 0000000100000002", "mss 1000"], ["mss 1000", "FO"], ["mss 1000", "FO 0102030405060708"], ["mss 1000", "FO 01"], ["mss 1000", "raw fe02"],
                ["mss 1000", "raw ff00"], ["mss 1000", "raw fe01"], ["mss 1000", "raw ff28"], ["mss 1000", "raw 00ffffff"]]
SWITCHES = [{}, {"tcp_timestamps": 1}, {"tcp_sack": 0}, {"tcp_window_scaling": 0}, {"tcp_timestamps": 1, "tcp_sack": 0, "tcp_window_scaling": 0}]


def exchange(c, fd):
    """Both send something that shows the MSS; then the end."""
    c.do(f"fcntl({fd}, F_SETFL, O_RDWR|O_NONBLOCK)", 0.001).do(f"getsockopt({fd}, SOL_TCP, TCP_MAXSEG, [?], [4])")
    c.fd = fd
    c.do(f"send({fd}, ..., 2500, 0)").do("wait", 0.03)
    c.seg("P.", n=100, gap=0.02, ack=1)
    c.rn += 100
    c.do("wait", 0.05).probe()
    c.seg("F.", ack=1, gap=0.02).do("wait", 0.02).end()


def family_options():
    """What a SYN, a SYN-ACK, and a segment with data may carry: odd values, odd lengths, odd places, nothing."""
    for i, (opts, sw) in enumerate(itertools.product(OPTION_SETS, SWITCHES)):
        if sw.get("tcp_timestamps") and any(o.startswith("TS") for o in opts):
            continue  # what follows would have to have them as well
        tag = "-".join(k[4:6] + str(v) for k, v in sw.items()) or "usual"
        n = OPTION_SETS.index(opts)
        keep = not sw or random.Random(f"options{i}").random() < 0.4
        if not keep:
            continue
        c = Case(f"options/syn/{n:02}-{tag}", f"a SYN with <{','.join(opts)}>, {tag}", **sw)
        listen(c)
        c.do(f"< S 0:0(0) win 32768" + (f" <{','.join(opts)}>" if opts else ""), 0.01)
        c.rn, c.sn = 1, 1
        c.seg(".").do("accept(3, ..., ...)")
        exchange(c, 4)
        yield c
        c = Case(f"options/synack/{n:02}-{tag}", f"a SYN-ACK with <{','.join(opts)}>, {tag}", **sw)
        syn_sent(c)
        c.do(f"< S. 0:0(0) ack 1 win 32768" + (f" <{','.join(opts)}>" if opts else ""), 0.01)
        c.rn = 1
        exchange(c, 3)
        yield c
        if not sw:
            for full in (False, True):
                if sum(len(o) for o in opts) > 60 or full and n % 24:  # a lacking timestamp: matrix-explained.txt
                    continue
                for into in (established, unacked):
                    c = Case(f"options/data/{n:02}-{into.__name__}{'-ts' if full else ''}", f"data with <{','.join(opts)}>", ts=full)
                    into(c)
                    c.seg("P.", n=10, opts=opts, tsopt=not n % 24 and full, gap=0.02).do("wait", 0.05).probe()
                    c.seg("P.", seq=c.rn + 10, n=10, opts=opts if not full else [], gap=0.02).do("wait", 0.05).probe().end()
                    yield c
    for full in (False, True):
        c = Case(f"options/simul/bare{'-ts' if full else ''}", "a bare SYN crosses ours", ts=full)
        syn_sent(c)
        c.seg("S", tsopt=False).do("wait", 0.05)
        c.rn = 1
        c.seg(".", tsopt=False).do("wait", 0.03).probe().end()
        yield c


# ---- ICMP ----

def family_icmp():
    """An ICMP error in each state, about the number that is expected, one that was never sent, and one that is acknowledged."""
    kinds = [f"icmp unreachable {k}" for k in ("net_unreachable host_unreachable protocol_unreachable port_unreachable source_route_failed net_unknown "
             "host_unknown source_host_isolated net_prohibited host_prohibited net_unreachable_for_tos host_unreachable_for_tos packet_filtered "
             "precedence_violation precedence_cutoff").split()]
    kinds += [f"icmp unreachable frag_needed mtu {m}" for m in (0, 68, 552, 600, 1000, 1400, 1500, 9000)]
    kinds += ["icmp time_exceeded ttl_exceeded", "icmp time_exceeded frag_time_exceeded", "icmp source_quench"]
    for (state, into), (i, k), where, re in itertools.product(STATES.items(), enumerate(kinds), ("una", "next", "old", "high"), (False, True)):
        name = f"icmp/{state}/{i:02}-{where}{'-recverr' if re else ''}"
        if state in ("closed", "listen") or random.Random(name).random() > (0.5 if where == "una" and not re else 0.06):
            continue
        c = Case(name, f"state {state}: {k}, quoting {where}{', IP_RECVERR' if re else ''}")
        into(c)
        f = c.fd
        if re and f is not None:
            c.do(f"setsockopt({f}, SOL_IP, IP_RECVERR, [1], 4)")
        una = c.su if c.su or state not in ("estab",) else 1
        at = {"una": una, "next": c.sn, "old": una - 1000, "high": c.sn + 100000}[where] % 2**32
        c.do(f"< {k} [{at}:{(at + 10) % 2**32}(10)]", 0.02).do("wait", 0.03).probe()
        c.seg("P.", n=10, gap=0.02).do("wait", 0.05).probe(send=True).do("wait", 0.38).end()
        yield c


# ---- closing ----

def family_close():
    """Both ends close, in every order, with and without data under way, acknowledged together, apart, or not at all."""
    ours = ["shutdown(4, SHUT_WR)", "close(4)", "shutdown(4, SHUT_RDWR)", "send(4, ..., 10, 0)", "shutdown(4, SHUT_RD)", "recv(4, ..., 2000, MSG_DONTWAIT)", "linger"]
    theirs = ["data", "fin", "datafin", "ack", "finagain", "rst", "ooofin", "emptyold"]
    for n in (2, 3, 4):
        for seq in itertools.product(ours + theirs, repeat=n):
            name = "close/" + "-".join((x.split("(")[0] if "(" in x else x) + ("" if "SHUT" not in x else x.split("SHUT_")[1][:-1].lower()) for x in seq)
            if sum(x in ours for x in seq) in (0, n) or random.Random(name).random() > (1.0, 0.15, 0.012)[n - 2]:
                continue
            for full in (False, True):
                if full and random.Random(name + "ts").random() > 0.3:
                    continue
                c = Case(name + ("-ts" if full else ""), " then ".join(seq), ts=full)
                established(c)
                closed_fd, fin, after = False, 0, 1
                for x in seq:
                    if x in ours:
                        if closed_fd:
                            continue
                        if x == "linger":
                            c.do("setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8)", 0.015)
                            continue
                        c.do(x, 0.015)
                        if x == "close(4)":
                            closed_fd = True
                            c.fd = None
                        if x.startswith("send") and not fin:
                            after += 10
                        if x in ("close(4)", "shutdown(4, SHUT_WR)", "shutdown(4, SHUT_RDWR)") and not fin:
                            after += 1
                            fin = 1
                        continue
                    if x == "ack":
                        c.sn = after
                        c.seg(".", gap=0.015)
                    elif x == "data":
                        c.seg("P.", n=20, ack=c.sn, gap=0.015)
                        c.rn += 20
                    elif x == "fin":
                        c.seg("F.", gap=0.015)
                        c.rn += 1
                    elif x == "datafin":
                        c.seg("FP.", n=30, gap=0.015)
                        c.rn += 31
                    elif x == "finagain":
                        c.seg("F.", seq=max(1, c.rn - 1), gap=0.015)
                    elif x == "rst":
                        c.seg("R.", gap=0.015)
                    elif x == "ooofin":
                        c.seg("F.", seq=c.rn + 30, gap=0.015)
                    elif x == "emptyold":
                        c.seg(".", seq=c.rn - 1, gap=0.015)
                c.do("wait", 0.05)
                c.probe(send=True)
                c.sn = after
                c.seg(".", gap=0.02)
                c.seg("F.", gap=0.02)
                c.do("wait", 0.05).probe().end()
                yield c


# ---- urgent octets ----

def family_urgent():
    """Urgent octets received at all places of a segment, aside and in line, peeked, marked, and sent."""
    for inline, urg, n, more, peek in itertools.product((0, 1), (0, 1, 2, 9, 10, 11, 15, 500), (0, 1, 10), (0, 1), (0, 1)):
        name = f"urgent/in-{inline}{urg}-{n}-{more}{peek}"
        if random.Random(name).random() > 0.7:
            continue
        c = Case(name, f"urgent pointer {urg} on {n} octets, {'in line' if inline else 'aside'}")
        established(c)
        c.do(f"setsockopt(4, SOL_SOCKET, SO_OOBINLINE, [{inline}], 4)")
        if more:
            c.seg("P.", n=5, gap=0.02)
            c.rn += 5
        c.seg("P.U", n=n, urg=urg, gap=0.02).do("wait", 0.02)
        c.rn += n
        for k in range(2):
            c.do("poll([{fd=4, events=POLLIN|POLLPRI|POLLRDHUP, revents=?}], 1, 0)").do("ioctl(4, SIOCATMARK, [?])").do("ioctl(4, SIOCINQ, [?])")
            if peek:
                c.do("recv(4, ..., 1, MSG_OOB|MSG_PEEK)")
            c.do("recv(4, ..., 1, MSG_OOB)")
            c.do("recv(4, ..., 100, MSG_PEEK|MSG_DONTWAIT)").do("recv(4, ..., 100, MSG_DONTWAIT)").do("ioctl(4, SIOCATMARK, [?])")
            c.do("recv(4, ..., 100, MSG_DONTWAIT)")
            c.seg("P.", n=10, gap=0.02).do("wait", 0.02)
            c.rn += 10
        c.seg("P.U", n=3, urg=2, gap=0.02)
        c.rn += 3
        c.seg("P.U", n=3, urg=3, gap=0.02)
        c.rn += 3
        c.do("recv(4, ..., 1, MSG_OOB)", 0.02).do("recv(4, ..., 1, MSG_DONTWAIT)").do("ioctl(4, SIOCATMARK, [?])").do("recv(4, ..., 100, MSG_DONTWAIT)").do("ioctl(4, SIOCATMARK, [?])")
        c.do("recv(4, ..., 100, MSG_DONTWAIT)").do("recv(4, ..., 100, MSG_DONTWAIT)").probe().end()
        yield c
    for seq in itertools.product(("oob1", "oob10", "send10", "oob2000", "ack"), repeat=3):
        name = "urgent/out-" + "-".join(seq)
        if random.Random(name).random() > 0.5:
            continue
        c = Case(name, "sends " + ", ".join(seq))
        established(c)
        for x in seq:
            if x == "ack":
                c.seg(".", ack=c.sn, gap=0.02)
                continue
            n = int(x.strip("obsend"))
            c.do(f"send(4, ..., {n}, {'MSG_OOB' if x[0] == 'o' else '0'})", 0.02)
            c.sn += n
        c.seg(".", gap=0.03).do("wait", 0.02).probe().end()
        yield c


# ---- windows ----

def family_window():
    """The peer's window: zero, small, opening, closing behind what was sent; and ours, full and read."""
    for first, n, then in itertools.product((0, 1, 10, 100, 500, 999, 1000, 1001, 1500, 3000), (1, 10, 999, 1000, 1500, 2500, 10000), ("open", "shrink", "creep", "zero", "dup")):
        name = f"window/peer-{first}-{n}-{then}"
        if random.Random(name).random() > 0.5:
            continue
        for nodelay in (0, 1):
            if nodelay and random.Random(name + "n").random() > 0.3:
                continue
            c = Case(name + ("-nodelay" if nodelay else ""), f"a window of {first}, {n} octets, then {then}")
            syn_recv(c)
            c.seg(".", win=first)
            c.do("accept(3, ..., ...)").do("fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK)", 0.001).do(f"setsockopt(4, SOL_TCP, TCP_NODELAY, [{nodelay}], 4)")
            c.fd, got = 4, min(first, n)
            c.do(f"send(4, ..., {n}, 0)", 0.01).do("wait", 0.02)
            if then == "open":
                c.seg(".", ack=1 + got if got < 1000 or got == n else 1 + got // 1000 * 1000, win=32768, gap=0.02).do("wait", 0.02)
            elif then == "shrink":
                c.seg(".", ack=1, win=max(0, first // 2), gap=0.02).do("wait", 0.02)
            elif then == "creep":
                for w in (5, 50, 300, 600, 1200):
                    c.seg(".", ack=1, win=first + w, gap=0.02)
            elif then == "zero":
                c.seg(".", ack=1, win=0, gap=0.02).do("wait", 0.02)
                c.seg(".", ack=1, win=2000, gap=0.02).do("wait", 0.02)
            else:
                for _ in range(4):
                    c.seg(".", ack=1, win=first, gap=0.01)
            c.do("send(4, ..., 50, 0)", 0.02).do("wait", 0.35).probe()
            c.seg("P.", n=10, ack=1, win=5000, gap=0.02).do("wait", 0.4).probe().end()
            yield c
    for buf, seg, count, read in itertools.product((0, 2304, 5000, 20000), (1, 100, 1000), (2, 8, 30), (0, 1, 2)):
        name = f"window/ours-{buf}-{seg}-{count}-{read}"
        for full in (False, True):
            if random.Random(name + str(full)).random() > 0.4:
                continue
            c = Case(name + ("-ts" if full else ""), f"receive buffer {buf}, {count} segments of {seg}, reader {read}", ts=full)
            listen(c)
            if buf:
                c.do(f"setsockopt(3, SOL_SOCKET, SO_RCVBUF, [{buf}], 4)")
            c.seg("S", opts=syn_opts(c), tsopt=False)
            c.rn = c.sn = 1
            c.seg(".")
            c.do("accept(3, ..., ...)").do("fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK)", 0.001)
            c.fd = 4
            for i in range(count):
                c.seg("P." if i % 3 == 2 else ".", n=seg, gap=0.006)
                c.rn += seg
                if read == 2 and i % 4 == 3:
                    c.do("recv(4, ..., 1000, MSG_DONTWAIT)", 0.002)
            c.do("wait", 0.06)
            if read:
                c.do(f"recv(4, ..., {seg}, MSG_DONTWAIT)").do("recv(4, ..., 3000, MSG_DONTWAIT)").do("recv(4, ..., 100000, MSG_DONTWAIT)").do("wait", 0.05)
            c.do("info 4").seg("P.", n=seg, gap=0.01).do("wait", 0.06).probe().end()
            yield c


# ---- timers ----

def family_timers():
    """Whole schedules: retransmissions of SYN, SYN-ACK, data and FIN to their end, keepalives, zero window probes, FIN-WAIT-2."""
    def t(name, what, into, wait, steps=(), **kw):
        c = Case("timers/" + name, what, **kw)
        into(c)
        for x in steps:
            c.do(x)
        c.do("wait", wait)
        c.probe(send=True)
        c.end()
        return c
    for n in (0, 1, 2, 3):
        yield t(f"syn-{n}", f"tcp_syn_retries={n}", syn_sent, (1.6, 3.0, 4.2, 5.4)[n], tcp_syn_retries=max(n, 1), tcp_syn_linear_timeouts=4 if n else 0)
        yield t(f"synack-{n}", f"tcp_synack_retries={n}", syn_recv, (1.6, 3.6, 7.6, 15.6)[n], tcp_synack_retries=n)
    for n in (1, 2, 3):
        c = Case(f"timers/syncnt-{n}", f"TCP_SYNCNT {n}")
        c.do("socket(..., SOCK_STREAM, IPPROTO_TCP)", 0).do("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK)", 0.001).do(f"setsockopt(3, SOL_TCP, TCP_SYNCNT, [{n}], 4)")
        c.fd, c.sn = 3, 1
        c.do("connect(3, ..., ...)").do("wait", 4.4).probe().end()
        yield c
    for state in ("unacked", "finwait1s", "finwait1d", "lastacks", "closings"):
        for r2 in (1, 2, 4):  # with 3 it is a matter of how late the kernel's timers are
            yield t(f"retries2-{state}-{r2}", f"{state}: tcp_retries2={r2}", STATES[state], (1.1, 2.3, 4.6, 9.0)[r2 - 1], tcp_retries2=r2)
        for ut in (100, 500, 1500):
            yield t(f"usertimeout-{state}-{ut}", f"{state}: TCP_USER_TIMEOUT {ut}", STATES[state], 3.6, [f"setsockopt(4, SOL_TCP, TCP_USER_TIMEOUT, [{ut}], 4)"])
    for state in ("finwait1", "lastack", "closing"):
        for r in (1, 2):
            yield t(f"orphan-{state}-{r}", f"{state}: tcp_orphan_retries={r}", STATES[state], (1.1, 2.3, 4.6)[r - 1], tcp_orphan_retries=r)
    for state in ("estab", "active", "closewait", "finwait2s", "unread", "timewaits", "dead", "listen"):
        for cnt in (1, 2):
            f = 3 if state in ("active", "listen") else 4
            on = [f"setsockopt({f}, SOL_TCP, TCP_KEEPIDLE, [1], 4)", f"setsockopt({f}, SOL_TCP, TCP_KEEPINTVL, [1], 4)",
                  f"setsockopt({f}, SOL_TCP, TCP_KEEPCNT, [{cnt}], 4)", f"setsockopt({f}, SOL_SOCKET, SO_KEEPALIVE, [1], 4)"]
            yield t(f"keepalive-{state}-{cnt}", f"{state}: keepalive, {cnt} probes", STATES[state], cnt + 1.6, on)
        c = Case(f"timers/keepalive-answered-{state}", f"{state}: a probe is answered, the next is not")
        STATES[state](c)
        for x in on:
            c.do(x)
        c.do("wait", 1.3).seg(".").do("wait", 1.4).probe().do("wait", 1.2).probe().end()
        yield c
    for n in (10, 1000, 3000):
        for r2 in (2, 3):
            c = Case(f"timers/zerowindow-{n}-{r2}", f"a window of zero before {n} octets, tcp_retries2={r2}", tcp_retries2=r2)
            established(c)
            c.seg(".", win=0).do(f"send(4, ..., {n}, 0)").do("wait", (2.3, 4.6)[r2 - 2]).probe().end()
            yield c
            c = Case(f"timers/zerowindow-answered-{n}-{r2}", f"a window of zero, probes answered, tcp_retries2={r2}", tcp_retries2=r2)
            established(c)
            c.seg(".", win=0).do(f"send(4, ..., {n}, 0)")
            for k in range(4):
                c.do("wait", 0.5)
                c.seg(".", ack=1, win=0)
            c.do("wait", 0.3)
            c.seg(".", ack=1, win=5000).do("wait", 0.1).probe().end()
            yield c
    for ft in (1, 2):
        yield t(f"finwait2-{ft}", f"tcp_fin_timeout={ft}", fin_wait_2, ft + 0.4, tcp_fin_timeout=ft)
        for l2 in (1, -1):
            c = Case(f"timers/linger2-{ft}-{l2}", f"TCP_LINGER2 {l2}", tcp_fin_timeout=ft)
            established(c)
            c.do(f"setsockopt(4, SOL_TCP, TCP_LINGER2, [{l2}], 4)").do("close(4)")
            c.fd, c.sn = None, 2
            c.seg(".").do("wait", 1.4)
            c.seg("P.", n=10).do("wait", 0.05)
            yield c
    for size in (1, 500, 1000):
        for gap in (0.01, 0.03, 0.06):
            c = Case(f"timers/delack-{size}-{int(gap * 1000)}", f"{size} octets every {gap} s: which ACKs are late")
            established(c)
            for k in range(24):
                c.seg("P.", n=size, gap=gap)
                c.rn += size
                if k in (12, 13, 18):
                    c.do("send(4, ..., 10, 0)", 0.004)
                    c.sn += 10
            c.do("wait", 0.25).probe().end()
            yield c


# ---- both at once, again, and to oneself ----

def family_twice():
    """Simultaneous opens and their orders, TIME-WAIT used again, ports and addresses bound twice, connections to oneself."""
    second = ["S.", ".", "S", "F.", "R.", "R", "P.", "SF", "FP.", "-"]
    for a, b, full in itertools.product(second, second, (False, True)):
        name = f"twice/simul-{a}-{b}{'-ts' if full else ''}"
        if random.Random(name).random() > 0.5:
            continue
        c = Case(name, f"a simultaneous open, then {a}, then {b}", ts=full)
        syn_recv_simul(c)
        for x in (a, b):
            o = ["mss 1000"] if "S" in x else None
            c.seg(x, seq=0 if "S" in x else None, n=10 if "P" in x else 0, ack=1 if "." in x else False, opts=o, gap=0.02)
            if "P" in x:
                c.rn += 10
            if "F" in x and "S" not in x:
                c.rn += 1
        c.do("wait", 0.06).probe(send=True)
        c.seg(".", gap=0.02).do("wait", 0.03).probe().end()
        yield c
    for first in ("S", "S.", "R.", "R", ".", "F.", "P.", "S.bad", ".bad", "Rbad"):
        for opts in (["mss 1000"], []):
            c = Case(f"twice/synsent-{first}-{len(opts)}", f"SYN-SENT: {first}, then a good SYN-ACK")
            syn_sent(c)
            x = first.replace("bad", "")
            c.seg(x, seq=0, ack=(777 if "bad" in first else 1) if "." in x else False, n=5 if "P" in x else 0, opts=opts if "S" in x else None)
            c.do("wait", 0.03).probe()
            c.rn = 0
            c.seg("S.", ack=1, opts=["mss 1000"], gap=0.02)
            c.rn = 1
            c.do("wait", 0.03).probe(send=True)
            if not first.startswith("R."):
                c.do("connect(3, ..., ...)").do("connect(3, ..., ...)")
            c.end()
            yield c
    for state, seq, ts, listen_on in itertools.product(("timewait", "timewaits", "timewaitc"), (-5000, -1, 0, 1, 5000), ("none", "older", "same", "newer"), (0, 1)):
        name = f"twice/timewait-{state}-{seq}-{ts}-{listen_on}"
        if random.Random(name).random() > 0.6:
            continue
        full = ts != "none"
        c = Case(name, f"a new SYN in TIME-WAIT: number {seq}, timestamp {ts}", ts=full)
        STATES[state](c)
        if not listen_on:
            c.do("close(3)")
        old = c.clock
        o = ["mss 1000"]
        if full:
            o = ["mss 1000", "sackOK", f"TS val {old + dict(older=-100, same=0, newer=100)[ts]} ecr 0", "nop", "wscale 7"]
        c.steps.append((0.02, f"< S {(c.rn + seq) % 2**32}:{(c.rn + seq) % 2**32}(0) win 32768 <{','.join(o)}>"))
        c.do("wait", 0.05)
        yield c
    adr = ['"192.168.0.1"', '"0.0.0.0"', '"127.0.0.1"', '"192.0.2.77"', '"127.1.2.3"']
    for a1, a2, r1, r2, l in itertools.product(adr, adr, (0, 1, 2), (0, 1, 2), (0, 1)):
        name = f"twice/bind-{adr.index(a1)}{adr.index(a2)}-{r1}{r2}-{l}"
        if random.Random(name).random() > 0.35:
            continue
        c = Case(name, f"bind {a1} and {a2}, reuse {r1} {r2}, {'listening' if l else 'not listening'}")
        for f, a, r in ((3, a1, r1), (4, a2, r2)):
            c.do("socket(..., SOCK_STREAM, IPPROTO_TCP)", 0.001)
            if r:
                c.do(f"setsockopt({f}, SOL_SOCKET, {'SO_REUSEADDR' if r == 1 else 'SO_REUSEPORT'}, [1], 4)", 0.001)
            c.do(f"bind({f}, {{sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr({a})}}, ...)", 0.001)
            if l:
                c.do(f"listen({f}, 1)", 0.001)
        c.do("listen(4, 1)", 0.001).do("listen(3, 1)", 0.001)
        c.do("close(3)", 0.001).do("listen(4, 1)", 0.001)
        yield c
    for n in range(0, 20, 2):
        c = Case(f"twice/bind-length-{n}", f"bind and connect with an address of {n} octets")
        c.do("socket(..., SOCK_STREAM, IPPROTO_TCP)", 0).do("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK)", 0.001).do(f"bind(3, ..., {n})").do(f"connect(3, ..., {n})")
        yield c
    self_ = '{sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("192.168.0.1")}'
    for how in range(4):
        c = Case(f"twice/self-{how}", "a socket connects to itself")
        c.do("socket(..., SOCK_STREAM, IPPROTO_TCP)", 0).do("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK)", 0.001).do("bind(3, ..., ...)", 0.001)
        c.do(f"connect(3, {self_}, ...)", 0.01).do(f"connect(3, {self_}, ...)", 0.01).do("send(3, ..., 100, 0)", 0.01).do("info 3", 0.01)
        c.fd = 3
        c.do(("shutdown(3, SHUT_WR)", "shutdown(3, SHUT_RD)", "shutdown(3, SHUT_RDWR)", "recv(3, ..., 50, 0)")[how], 0.01)
        c.probe(send=True).do("wait", 0.05).probe().end()
        yield c


# ---- calls that wait ----

def family_blocking():
    """A call waits; a segment, an error or nothing ends it."""
    ends = {"data": ("P.", 50), "fin": ("F.", 0), "rst": ("R.", 0), "rstbad": ("R.", 0), "datafin": ("FP.", 50), "urgent": ("P.U", 5), "ack": (".", 0), "icmp": None}
    calls = ["recv(4, ..., 100, 0)", "recv(4, ..., 100, MSG_WAITALL)", "recv(4, ..., 100, MSG_PEEK)", "read(4, ..., 10)",
             "poll([{fd=4, events=POLLIN|POLLRDHUP, revents=?}], 1, 600)", "poll([{fd=4, events=POLLPRI, revents=?}], 1, 200)",
             "poll([{fd=4, events=0, revents=?}], 1, 300)"]
    for (en, end), (i, call), full in itertools.product(ends.items(), enumerate(calls), (False, True)):
        c = Case(f"blocking/{i}-{en}{'-ts' if full else ''}", f"{call} while {en} comes", ts=full)
        established(c)
        c.do("fcntl(4, F_SETFL, O_RDWR)").do("setsockopt(4, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=0, tv_usec=400000}, 16)")
        c.do("block " + call, 0.01)
        if end:
            c.seg(end[0], seq=c.rn + (100 if en == "rstbad" else 0), n=end[1], urg=5 if "U" in end[0] else None, gap=0.05)
        else:
            c.do("< icmp unreachable host_unreachable [1:11(10)]", 0.05)
        c.do("wait", 0.65).probe(send=True).end()
        yield c
    for en in ("synack", "rst", "rstbad", "icmp", "none", "syn"):
        c = Case(f"blocking/connect-{en}", f"connect waits, {en} comes", tcp_syn_retries=1, tcp_syn_linear_timeouts=0)
        c.do("socket(..., SOCK_STREAM, IPPROTO_TCP)", 0).do("setsockopt(3, SOL_SOCKET, SO_SNDTIMEO, {tv_sec=0, tv_usec=300000}, 16)")
        c.do("block connect(3, ..., ...)", 0.01)
        c.fd, c.sn = 3, 1
        if en == "synack":
            c.seg("S.", seq=0, ack=1, opts=["mss 1000"], gap=0.05)
            c.rn = 1
        elif en in ("rst", "rstbad"):
            c.seg("R.", seq=0, ack=1 if en == "rst" else 9, gap=0.05)
        elif en == "icmp":
            c.do("< icmp unreachable host_unreachable [0:10(10)]", 0.05)
        elif en == "syn":
            c.seg("S", seq=0, opts=["mss 1000"], gap=0.05)
            c.rn = 1
        c.do("wait", 0.4).do("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK)")
        if en not in ("rst", "icmp"):
            c.do("connect(3, ..., ...)")
        c.probe(send=True).end()
        yield c
    for n, end in itertools.product((100000, 400000), ("acks", "rst", "fin", "none")):
        c = Case(f"blocking/send-{n}-{end}", f"a send of {n} waits for room, {end}")
        established(c)
        c.do("fcntl(4, F_SETFL, O_RDWR)").do("setsockopt(4, SOL_SOCKET, SO_SNDTIMEO, {tv_sec=0, tv_usec=150000}, 16)")
        c.do("setsockopt(4, SOL_SOCKET, SO_SNDBUF, [20000], 4)")
        c.do(f"block send(4, ..., {n}, 0)", 0.01)
        if end == "rst":
            c.seg("R.", gap=0.04)
        elif end == "fin":
            c.seg("F.", gap=0.04)
        elif end == "acks":
            c.seg(".", ack=5001, gap=0.04)
            c.seg(".", ack=10001, gap=0.04)
        c.do("wait", 0.12)
        yield c


# ---- random walks ----

def family_walks():
    """From some state, six to ten steps by chance, of the peer and of the program; what looks like nobody's test is here."""
    for i in range(1500):
        r = random.Random(f"walk {i}")
        full = r.random() < 0.4
        state = r.choice(["estab", "estab", "active", "unacked", "unread", "ooo", "closewait", "finwait1s", "finwait2s", "synrecv", "synsent", "closings", "lastacks", "timewaits"])
        c = Case(f"walks/{i:04}-{state}", f"a random walk from {state}", ts=full)
        STATES[state](c)
        fin = state in ("finwait1s", "finwait2s", "closings", "lastacks", "timewaits")
        for _ in range(r.randrange(6, 11)):
            k = r.random()
            if k < 0.55:
                flags = r.choice(["P."] * 6 + ["."] * 6 + ["F.", "FP.", "F.", "R.", "R", "S", "S.", "P.U", "-", "P", "F"] if r.random() < 0.7 else ["P.", "."])
                n = r.choice((0, 0, 1, 10, 100, 500, 1000)) if flags != "S" else 0
                n = n or (10 if flags == "P." else 0)
                off = r.choice((0, 0, 0, 0, 0, 10, 100, 1000, -1, -10, -100))
                off = min(off, 0) if "F" in flags else off  # a stream has one end: with two, each keeps the one that came first
                ack = r.choice([c.sn] * 6 + [c.su, c.sn + 1, c.su - 1, (c.su + c.sn) // 2])
                sack = None
                c.seg(flags, seq=c.rn + off, n=n, ack=ack if "." in flags else False, win=r.choice((32768, 32768, 32768, 0, 500, 2000)), urg=r.choice((1, n, n + 3)) if "U" in flags else None,
                      gap=r.choice((0.012, 0.012, 0.06)), opts=["mss 1000"] if "S" in flags and not full else sack)
                if off <= 0 and n + off > 0 and "S" not in flags and "R" not in flags and "." in flags:
                    c.rn += n + off + ("F" in flags)
                elif off == 0 and "F" in flags and "." in flags:
                    c.rn += 1
                if "." in flags and c.su < ack <= c.sn:
                    c.su = ack
            else:
                f = c.fd
                x = r.choice(["send"] * 5 + ["recv"] * 4 + ["peek", "shutwr", "shutrd", "nodelay", "cork", "uncork", "oob", "quick", "rcvoob", "close", "accept"])
                if f is None or state == "synrecv" and x in ("close", "accept"):
                    continue
                if x == "send":
                    n = r.choice((1, 10, 300, 1000, 2500))
                    c.do(f"send({f}, ..., {n}, MSG_DONTWAIT)", 0.012)
                    c.sn += 0 if fin or state in ("synrecv", "synsent") else n
                elif x in ("recv", "peek"):
                    c.do(f"recv({f}, ..., {r.choice((1, 50, 3000))}, MSG_DONTWAIT{'|MSG_PEEK' if x == 'peek' else ''})", 0.012)
                elif x.startswith("shut"):
                    c.do(f"shutdown({f}, SHUT_{x[4:].upper()})", 0.012)
                    if x == "shutwr" and not fin:
                        fin = True
                        c.sn += 1
                elif x == "close":
                    c.do(f"close({f})", 0.012)
                    c.fd = None
                elif x == "accept":
                    c.do(f"accept({f}, ..., ...)", 0.012)
                elif x in ("oob", "rcvoob"):
                    c.do(f"send({f}, ..., 3, MSG_OOB)" if x == "oob" else f"recv({f}, ..., 1, MSG_OOB)", 0.012)
                    c.sn += 3 if x == "oob" and not fin else 0
                else:
                    name, v = {"nodelay": ("TCP_NODELAY", 1), "cork": ("TCP_CORK", 1), "uncork": ("TCP_CORK", 0), "quick": ("TCP_QUICKACK", r.choice((0, 1)))}[x]
                    c.do(f"setsockopt({f}, SOL_TCP, {name}, [{v}], 4)", 0.012)
        c.do("wait", 0.02)
        if c.fd is not None:
            c.probe()
        c.end(0.02)
        yield c


FAMILIES = [family_segments, family_calls, family_options, family_icmp, family_close, family_urgent, family_window, family_timers, family_twice,
            family_blocking, family_walks]


def cases():
    out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "matrix-left-out.txt")
    left_out = {x.strip() for x in open(out) if not x.startswith("#")}
    for f in FAMILIES:
        yield from (c for c in f() if c.name not in left_out)

"""The recorder of drill-matrix: plays a skeleton (matrix_cases.py) to this machine's kernel over a TUN device in a network
namespace of its own, and writes down what the kernel sent and returned as a packet script.

A skeleton is a list of (gap in seconds, text). Text is a line of the language without its time; `?` stands for whatever
the kernel will say, and `@` in an ecr for the timestamp that the kernel sent last. What came at once is expected at once;
what came by a timer may be earlier by an eighth of the time since the start (the kernel's wheel is coarse) and 20 ms."""
import ctypes, fcntl, importlib.util, importlib.machinery, os, re, select, signal, socket, struct, sys, threading, time

here = os.path.dirname(os.path.abspath(__file__))
_spec = importlib.util.spec_from_loader("drill_live", importlib.machinery.SourceFileLoader("drill_live", os.path.join(here, "drill-live")))
dl = importlib.util.module_from_spec(_spec)
exec(compile(open(os.path.join(here, "drill-live")).read().replace("sys.exit(main())", ""), "drill-live", "exec"), dl.__dict__)
libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNET = 0x40000000
AT_ONCE = 0.004     # a packet that comes so soon after a step is its doing, no timer's
LATE, SLIP = 0.008, 0.016  # later than this at one step, or at all steps together, spoils the recording
ERRTEXT = {k: os.strerror(k) for k in dl.ERRNO}


class Unknown:
    """What a skeleton asks for."""


Q = Unknown()
dl.CONST.update(Q=Q, SIOCINQ=0x541B, SIOCOUTQ=0x5411, SIOCOUTQNSD=0x894B, SIOCATMARK=0x8905, O_NONBLOCK=0x800, O_RDWR=2, SO_DOMAIN=39,
                SO_ACCEPTCONN=30, SO_PROTOCOL=38, TCP_SYNCNT=7, TCP_QUICKACK=12, TCP_WINDOW_CLAMP=10, INADDR_LOOPBACK=0x7f000001)
TCPI = ("state ca_state retransmits probes backoff options snd_wscale rcv_wscale snd_mss rcv_mss unacked sacked lost retrans snd_cwnd "
        "snd_ssthresh advmss reordering total_retrans pmtu rcv_ssthresh rcv_space bytes_acked bytes_received notsent_bytes segs_out segs_in data_segs_in "
        "data_segs_out delivered bytes_sent bytes_retrans dsack_dups rcv_ooopack snd_wnd rcv_wnd").split()


class Stopped(Exception):
    """The recording cannot be used: a step came too late."""


def ioctl_up(name, addr=None, mask=None, mtu=None):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    n = name.encode()
    def sin(a):
        return struct.pack("16sHH4s8x", n, socket.AF_INET, 0, socket.inet_aton(a))
    if addr:
        fcntl.ioctl(s, 0x8916, sin(addr))
        fcntl.ioctl(s, 0x891C, sin(mask))
        fcntl.ioctl(s, 0x8922, struct.pack("16si12x", n, mtu))
    fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", n, 1 | 0x40))
    return s


def add_route(s, net, mask, gw):
    def sin(a):
        return struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(a))
    rt = struct.pack("L", 0) + sin(net) + sin(gw) + sin(mask) + struct.pack("HhLPhPLLH", 3, 0, 0, 0, 0, 0, 0, 0, 0)
    fcntl.ioctl(s, 0x890B, rt.ljust(120, b"\0"))


class Recorder(dl.Script):
    def __init__(self, case):
        super().__init__(case.name, False, 0)
        self.case, self.out, self.last_step, self.last_real = case, [], 0.0, 0.0
        self.ts_names, self.ts_last, self.blocked = {}, 0, []
        self.fd_of, self.strict = {}, True

    # ---- set-up ----

    def enter(self):
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        for k, v in self.case.sysctl.items():
            with open("/proc/sys/" + k.replace(".", "/"), "w") as f:
                f.write(v)
        fcntl.ioctl(self.fd, dl.TUNSETIFF, struct.pack("16sH", b"tun0", dl.IFF_TUN | dl.IFF_NO_PI))
        with open("/proc/sys/net/ipv6/conf/tun0/disable_ipv6", "w") as f:
            f.write("1")
        ioctl_up("lo")
        s = ioctl_up("tun0", dl.LOCAL, "255.255.0.0", self.case.mtu)
        add_route(s, "192.0.2.0", "255.255.255.0", dl.GATEWAY)
        s.close()

    # ---- packets of the host ----

    def drain(self, until):
        """Takes what the host sends until then (the script's time)."""
        while True:
            left = self.t0 + until - time.monotonic()
            r = select.select([self.fd], [], [], max(0, left))[0]
            if not r and left <= 0:
                return
            while r:
                try:
                    b = os.read(self.fd, 70000)
                except BlockingIOError:
                    break
                if b[0] >> 4 == 4 and b[9] in (6, 1) and socket.inet_ntoa(b[16:20]) == dl.REMOTE:
                    self.sees(dl.Live(b, time.monotonic()))

    def window(self, t):
        """The time of a packet as the script says it."""
        if t - self.last_real < AT_ONCE or t - self.last_step < AT_ONCE:
            return f"{self.last_step:.3f}~{self.last_step + 0.003:.3f}"
        lo = max(0, t - 0.020 - t / 8)
        return f"{lo:.3f}~{t + 0.012:.3f}"

    def sees(self, p):
        t = p.t - self.t0
        if p.proto == 1:
            ihl = (p.raw[0] & 15) * 4
            self.out.append(f"{self.window(t)} > icmp {p.raw[ihl]} {p.raw[ihl + 1]}")
            return
        if p.dport != self.rport or p.flags & 2 and self.l_isn is None:
            self.turn_to(p.dport)
        if p.flags & 2 and self.l_isn is None:
            self.l_isn, self.l_isn_script, self.lport, self.rport = p.seq, 0, p.sport, p.dport
        win = self.window(t)
        self.out.append(f"{win} > {self.ports(p)}{self.packet_text(p)}")

    def ports(self, p):
        return f"{p.sport} > {p.dport} " if self.case.ports else ""

    def packet_text(self, p):
        f = "".join(c for c, b in dl.FLAG.items() if p.flags & b) or "-"
        seq = 0 if p.flags & 20 == 20 and not p.seq else self.to_script_seq(p) & 0xFFFFFFFF  # a reset that answers what had no ACK
        o = f"{f} {seq}:{(seq + len(p.payload)) & 0xFFFFFFFF}({len(p.payload)})"
        if p.flags & 16:
            o += f" ack {self.to_script_ack(p)}"
        o += f" win {p.win}"
        if p.flags & 32 or p.urg:
            o += f" urg {p.urg}"
        opts = [self.option(x) for x in p.opts]
        return o + (f" <{','.join(opts)}>" if opts else "")

    def option(self, x):
        k = x[0]
        if k in ("nop", "eol"):
            return k
        if k == 2 and len(x[1]) == 2:
            return f"mss {struct.unpack('!H', x[1])[0]}"
        if k == 3 and len(x[1]) == 1:
            return f"wscale {x[1][0]}"
        if k == 4:
            return "sackOK"
        if k == 5:
            return "sack " + " ".join(f"{self.rel_r(a)}:{self.rel_r(b)}" for a, b in struct.iter_unpack("!II", x[1]))
        if k == 8:
            v, e = struct.unpack("!II", x[1])
            self.ts_last = 100 + len(self.ts_names)  # a name for each packet, though two may have the same time
            self.ts_names[self.ts_last] = v
            return f"TS val {self.ts_last} ecr {e}"
        if k == 34:
            return "FO " + x[1].hex()
        return f"kind {k} {x[1].hex()}"

    # ---- packets for the host ----

    def options(self, text):
        b = b""
        for o in text:
            k, _, a = o.partition(" ")
            a = a.split()
            if k == "mss":
                b += struct.pack("!BBH", 2, 4, int(a[0]))
            elif k == "nop":
                b += b"\1"
            elif k == "eol":
                b += b"\0"
            elif k == "wscale":
                b += bytes((3, 3, int(a[0])))
            elif k == "sackOK":
                b += bytes((4, 2))
            elif k == "sack":
                b += bytes((5, 2 + 8 * len(a))) + b"".join(struct.pack("!II", *(self.host_seq(int(v)) for v in x.split(":"))) for x in a)
            elif k == "TS":
                b += struct.pack("!BBII", 8, 10, int(a[1]), self.ts_names.get(int(a[3]), int(a[3])))
            elif k == "kind":
                h = bytes.fromhex(a[1]) if len(a) > 1 else b""
                b += bytes((int(a[0]), 2 + len(h))) + h
            elif k == "raw":
                b += bytes.fromhex(a[0])
            elif k == "FO":
                h = bytes.fromhex(a[0]) if a else b""
                b += bytes((34, 2 + len(h))) + h
            else:
                raise ValueError(f"option {o}")
        return b + bytes(-len(b) % 4)

    def host_seq(self, v):
        return (v - (self.l_isn_script or 0) + (self.l_isn or 0)) & 0xFFFFFFFF

    def inject_line(self, text):
        """Sends the packet of a line; returns the line with its blanks filled."""
        text = text.replace("ecr @", f"ecr {self.ts_last}")
        if text.startswith("icmp"):
            raw = dl.messages.icmp(text, (self.lport, self.rport, (self.l_isn or 0) - (self.l_isn_script or 0)), dl.LOCAL, dl.REMOTE)
            os.write(self.fd, raw)
            return text
        p = dl.Pkt(text)
        self.turn_to(p.sport)
        if self.r_isn is None:
            self.r_isn = self.r_script = 0
        opts = self.options(p.opts or [])
        ack = 0 if p.ack is None else self.host_seq(p.ack)
        win = p.win if p.win is not None else 65535 if p.flags & 2 else 0
        h = struct.pack("!HHIIBBHHH", p.sport or self.rport, p.dport or self.lport, p.seq, ack, (20 + len(opts)) << 2, p.flags, win, 0, p.urg or 0)
        seg = h + opts + bytes(p.len)
        src, dst = socket.inet_aton(dl.REMOTE), socket.inet_aton(dl.LOCAL)
        seg = seg[:16] + struct.pack("!H", dl.csum(src + dst + struct.pack("!BBH", 0, 6, len(seg)) + seg)) + seg[18:]
        iph = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(seg), 0, 0x4000, 64, 6, 0, src, dst)
        os.write(self.fd, iph[:10] + struct.pack("!H", dl.csum(iph)) + iph[12:] + seg)
        return text

    # ---- system calls, by number of descriptor as the script has it ----

    def live_fd(self, n):
        return self.fd_of.get(n, 999)

    def new_fd(self, fd):
        if fd < 0:
            return fd
        n = next(i for i in range(3, 100) if i not in self.fd_of)
        self.fd_of[n] = fd
        return n

    def addr(self, x, ip, port):
        if x is None:
            return None, 0
        if isinstance(x, dict):
            fam, port = x.get("sa_family", x.get("sin_family", 2)), x.get("sin_port", port)
            a = x.get("sin_addr", ip)
            ip = socket.inet_ntoa(struct.pack("!I", a)) if isinstance(a, int) else a
        else:
            fam = 2
        return struct.pack("=HH4s8x", fam, socket.htons(port), socket.inet_aton(ip)), 16

    def value(self, val):
        if isinstance(val, list):
            return struct.pack("i", val[0])
        if isinstance(val, dict):
            return struct.pack("ii", val["onoff"], val["linger"]) if "onoff" in val else struct.pack("qq", val["tv_sec"], val["tv_usec"])
        return val.encode() if isinstance(val, str) else struct.pack("i", val)

    def do_call(self, name, a):
        """Returns (result, [what the blanks are])."""
        c, fd = libc, self.live_fd(a[0]) if a and isinstance(a[0], int) else None
        if name == "socket":
            return self.new_fd(c.socket(2, a[1], a[2] if isinstance(a[2], int) else 0)), []
        if name in ("bind", "connect"):
            sa, n = self.addr(a[1], *((dl.LOCAL, 8080) if name == "bind" else (dl.REMOTE, 8080)))
            n = a[2] if isinstance(a[2], int) else n
            return getattr(c, name)(fd, sa, n), []
        if name == "listen":
            return c.listen(fd, a[1]), []
        if name in ("accept", "accept4"):
            r = c.accept4(fd, None, None, a[3] if name == "accept4" else 0)
            return self.new_fd(r), []
        if name == "close":
            self.fd_of.pop(a[0], None)
            return c.close(fd), []
        if name == "shutdown":
            return c.shutdown(fd, a[1]), []
        if name in ("send", "write"):
            return c.send(fd, bytes(a[2]), a[2], (a[3] if name == "send" else 0) | 0x4000), []
        if name in ("recv", "read"):
            return c.recv(fd, ctypes.create_string_buffer(max(1, a[2])), a[2], a[3] if name == "recv" else 0), []
        if name == "fcntl":
            return c.fcntl(fd, a[1], a[2] if len(a) > 2 else 0), []
        if name == "ioctl":
            v = ctypes.c_int(0 if not isinstance(a[2], list) or a[2][0] is Q else a[2][0])
            r = c.ioctl(fd, ctypes.c_ulong(a[1]), ctypes.byref(v))
            return r, [str(v.value) if r >= 0 else "..."]
        if name == "setsockopt":
            v = self.value(a[3])
            return c.setsockopt(fd, a[1], a[2], v, a[4]), []
        if name == "getsockopt":
            b, n = ctypes.create_string_buffer(64), ctypes.c_int(a[4][0])
            r = c.getsockopt(fd, a[1], a[2], b, ctypes.byref(n))
            return r, [str(struct.unpack("i", b.raw[:4])[0]) if r >= 0 else "..."]
        if name == "poll":
            p = (ctypes.c_char * (8 * len(a[0])))()
            p.raw = b"".join(struct.pack("ihh", self.live_fd(f["fd"]), f["events"], 0) for f in a[0])
            r = c.poll(p, len(a[0]), a[2])
            return r, [str(struct.unpack_from("H", p.raw, 8 * i + 6)[0]) for i in range(len(a[0]))]
        raise ValueError(f"call {name}")

    def call_line(self, text, blocking):
        name, args = re.match(r"(\w+)\((.*)\)$", text, re.S).groups()
        e, a = dl.Expr(args.replace("?", "Q")), []
        while e.peek()[0] != "e":
            a.append(e.expr())
            if e.peek() == ("o", ","):
                e.take()

        def go():
            ctypes.set_errno(0)
            r, blanks = self.do_call(name, a)
            err = ctypes.get_errno()
            for b in blanks:
                args_[0] = args_[0].replace("?", b, 1)
            return f"{name}({args_[0]}) = {r}" + (f" {dl.ERRNO.get(err, err)} ({ERRTEXT.get(err, '?')})" if r < 0 else "")
        args_ = [args]
        if not blocking:
            return go()
        at = len(self.out)
        start = self.last_step
        self.out.append(None)

        def wait():
            line = go()
            end = time.monotonic() - self.t0
            self.out[at] = f"{start:.3f}...{max(end, start):.3f} {line}"
        th = threading.Thread(target=wait, daemon=True)
        th.start()
        self.blocked.append(th)
        th.join(0.002)
        return None

    def info_line(self, fd):
        b = ctypes.create_string_buffer(300)
        n = ctypes.c_int(300)
        if libc.getsockopt(self.live_fd(fd), 6, 11, b, ctypes.byref(n)):
            return None
        class Fake:
            def getsockopt(s, *_):
                return b.raw[:n.value]
        self.fds[fd], self.last_fd = Fake(), fd
        v = self.tcp_info()
        keys = [k for k in TCPI if "tcpi_" + k in v]
        names = ", ".join("tcpi_" + k for k in keys)
        return f"%{{ assert ({names}) == ({', '.join(str(v['tcpi_' + k]) for k in keys)}), ({names}) }}%"

    # ---- all of it ----

    def record(self):
        self.enter()
        signal.alarm(int(sum(g for g, _ in self.case.steps)) + 20)  # a call that was not to block
        n = slip = 0.0
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))  # it mostly sleeps, and must not wake late
        self.t0 = time.monotonic() + 0.002
        for gap, text in self.case.steps:
            n += gap
            self.drain(n)
            real = time.monotonic() - self.t0
            slip += real - n
            if real - n > LATE or slip > SLIP:
                raise Stopped(f"{1000 * (real - n):.0f} ms late, {1000 * slip:.0f} in all")
            self.t0 += real - n
            self.last_step = self.last_real = n
            if text.startswith("<"):
                self.out.append(f"{n:.3f} < {self.inject_line(text[1:].strip())}")
            elif text.startswith("info"):
                line = self.info_line(int(text.split()[1]))
                if line:
                    self.out.append(f"{n:.3f} {line}")
            elif text == "wait":
                pass
            elif text.startswith("block "):
                self.call_line(text[6:], True)
            else:
                self.out.append(f"{n:.3f} {self.call_line(text, False)}")
            self.drain(n)
        for th in self.blocked:
            th.join(0.05)
        self.drain(n + 0.001)
        lines = [f"// {self.case.what}", f"--tolerance_usecs={self.case.tolerance}000", "--nothing_more"]
        if self.case.mtu != 1500:
            lines.append(f"--mtu={self.case.mtu}")
        lines.append("`sysctl -q " + " ".join(f'{k}="{v}"' if " " in v else f"{k}={v}" for k, v in self.case.sysctl.items()) + "`")
        lines += [x for x in self.out if x]
        lines.append(f"{n + 0.001:.3f} `true`")
        return "\n".join(lines) + "\n"

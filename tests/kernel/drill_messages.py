"""What drill-live needs for messages: sendmsg and recvmsg with control messages, files and pipes, and ICMP lines.

Live is mixed into drill-live's Script; it takes file descriptors from self.s() and the numbers of the connection from
self.l_isn and its like."""
import ctypes, os, re, socket, struct, time

libc = ctypes.CDLL(None, use_errno=True)
SOF = ("TX_HARDWARE TX_SOFTWARE RX_HARDWARE RX_SOFTWARE SOFTWARE SYS_HARDWARE RAW_HARDWARE OPT_ID TX_SCHED TX_ACK OPT_CMSG OPT_TSONLY "
       "OPT_STATS OPT_PKTINFO OPT_TX_SWHW BIND_PHC OPT_ID_TCP").split()
CONST = {"SOF_TIMESTAMPING_" + k: 1 << i for i, k in enumerate(SOF)}
CONST.update(SCM_TSTAMP_SND=0, SCM_TSTAMP_SCHED=1, SCM_TSTAMP_ACK=2, SCM_TIMESTAMPING=37, SO_EE_ORIGIN_NONE=0, SO_EE_ORIGIN_LOCAL=1,
             SO_EE_ORIGIN_ICMP=2, SO_EE_ORIGIN_TIMESTAMPING=4, SO_EE_ORIGIN_ZEROCOPY=5, SO_EE_CODE_ZEROCOPY_COPIED=1, CMSG_LEVEL_IP=0,
             CMSG_TYPE_RECVERR=11, ENOMSG=42, EHOSTUNREACH=113, ECONNREFUSED=111, ENETUNREACH=101, EMSGSIZE=90, ETIMEDOUT=110, ECONNRESET=104,
             ENOPROTOOPT=92, EPROTO=71, EACCES=13, EPOLLEXCLUSIVE=1 << 28, EPOLLRDHUP=0x2000, POLLRDHUP=0x2000, MSG_SPLICE_PAGES=0x8000000,
             SPLICE_F_MOVE=1, SPLICE_F_NONBLOCK=2, SPLICE_F_MORE=4, MSG_CTRUNC=8, MSG_TRUNC=0x20, TCP_MAXSEG=2, TCP_DEFER_ACCEPT=9, IP_RECVTTL=12)
COOKIES = {"TFO_COOKIE": "3021b9d889017eeb", "TFO_COOKIE_ZERO": "b7c12350a90dc8f5"}
ICMP_TYPE = dict(unreachable=3, source_quench=4, redirect=5, time_exceeded=11, parameter_problem=12)
ICMP_CODE = {3: ("net_unreachable host_unreachable protocol_unreachable port_unreachable frag_needed source_route_failed net_unknown "
                 "host_unknown source_host_isolated net_prohibited host_prohibited net_unreachable_for_tos host_unreachable_for_tos "
                 "packet_filtered precedence_violation precedence_cutoff").split(),
             11: ["ttl_exceeded", "frag_time_exceeded"]}


def csum(b):
    b += b"\0" * (len(b) & 1)
    s = sum(struct.unpack(f"!{len(b) // 2}H", b))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def icmp(text, conn, local, remote):
    """The packet of a line such as `icmp unreachable frag_needed mtu 1200 [1:1001(1000)]`, from the peer to the host;
    conn: (local port, remote port, what to add to a sequence number of the script). None if the line is not understood."""
    m = re.match(r"icmp (\w+)(?: (\w+))?(?: mtu (\d+))?\s*\[(?:[SFRP.]+ )?(-?\d+):(-?\d+)\((\d+)\)(?: ack \d+)?\]", text)
    if not m or m.group(1) not in ICMP_TYPE:
        return None
    t = ICMP_TYPE[m.group(1)]
    code = ICMP_CODE.get(t, []).index(m.group(2)) if m.group(2) else 0
    lport, rport, add = conn
    src, dst = socket.inet_aton(remote), socket.inet_aton(local)
    q = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40 + int(m.group(6)), 0, 0x4000, 64, 6, 0, dst, src)
    q = q[:10] + struct.pack("!H", csum(q)) + q[12:] + struct.pack("!HHIIBBHHH", lport, rport, (int(m.group(4)) + add) & 0xFFFFFFFF,
                                                                     0, 0x50, 16, 0, 0, 0)
    b = struct.pack("!BBHHH", t, code, 0, 0, int(m.group(3) or 0)) + q
    b = b[:2] + struct.pack("!H", csum(b)) + b[4:]
    h = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(b), 0, 0, 64, 1, 0, src, dst)
    return h[:10] + struct.pack("!H", csum(h)) + h[12:] + b


class Live:
    """System calls with messages, files and pipes."""

    def iov(self, v):
        return [x[1] if isinstance(x, list) else x["iov_len"] for x in v]

    def sys_writev(self, fd, v, n):
        return self.s(fd).sendmsg([bytes(k) for k in self.iov(v)])

    def sys_readv(self, fd, v, n):
        return self.s(fd).recvmsg_into([bytearray(k) for k in self.iov(v)])[0]

    def msg(self, m):
        return {k if isinstance(k, str) else k[0]: x for k, x in m.items()}

    def sys_sendmsg(self, fd, m, fl):
        return self.s(fd).sendmsg([bytes(k) for k in self.iov(self.msg(m)["msg_iov"])], [], fl)

    def sys_recvmsg(self, fd, m, fl):
        m = self.msg(m)
        data, got, flags, _ = self.s(fd).recvmsg(sum(self.iov(m["msg_iov"])), 512, fl)
        want = m.get("msg_control", [])
        for w in want if isinstance(want, list) else []:
            f = [d for lev, t, d in got if lev == w["cmsg_level"] and t == w["cmsg_type"]]
            if not f:
                raise self.fail(f"recvmsg: no control message {w}, but {got}")
            self.cmsg(w, f[0])
        if isinstance(want, list) and len(want) != len(got):
            raise self.fail(f"recvmsg: {len(got)} control messages: {got}")
        if isinstance(m.get("msg_flags"), int) and m["msg_flags"] != flags:
            raise self.fail(f"recvmsg: expected msg_flags {m['msg_flags']:#x}, got {flags:#x}")
        return len(data)

    def cmsg(self, w, d):
        v = w["cmsg_data"]
        if isinstance(v, int):
            g = int.from_bytes(d, "little")
        elif "scm_sec" in v:
            s, ns = struct.unpack_from("qq", d)
            at = s + ns / 1e9 - (time.time() - time.monotonic()) - self.t0
            if abs(at - (v["scm_sec"] + v["scm_nsec"] / 1e9)) > self.tol:
                raise self.fail(f"recvmsg: expected the time {v}, got {at:.6f}")
            return
        else:
            g = dict(zip("ee_errno ee_origin ee_type ee_code ee_pad ee_info ee_data".split(), struct.unpack_from("IBBBBII", d)))
            g = {k: g[k] for k in v}
        if g != v:
            raise self.fail(f"recvmsg: expected {v}, got {g}")

    def sys_open(self, path, flags, *mode):
        """Any file will do: the octets are not compared here."""
        if not os.path.exists(path):
            path = "/usr/bin/env"
        return self.new(open(path, "rb"))

    def sys_pipe(self, want):
        a, b = os.pipe()
        self.fds[want[0]], self.fds[want[1]] = os.fdopen(a, "rb", 0), os.fdopen(b, "wb", 0)
        return 0

    def sys_sendfile(self, out, src, off, n):
        return os.sendfile(self.s(out).fileno(), self.fds[src].fileno(), off[0] if isinstance(off, list) else None, n)

    def sys_splice(self, src, off, dst, off2, n, flags):
        a, b = self.fds[src].fileno(), self.fds[dst].fileno()
        r = libc.splice(a, None, b, None, ctypes.c_size_t(n), flags)
        if r < 0:
            raise OSError(ctypes.get_errno(), "")
        return r

    def sys_read(self, fd, b, n):
        return len(os.read(self.s(fd).fileno(), n))

    def sys_dup(self, fd):
        return self.new(self.s(fd).dup())

    def sys_usleep(self, n):
        time.sleep(n / 1e6)
        return 0

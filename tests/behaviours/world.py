"""Runs of culver for the tests of behaviours, and what they left: events, frames, and what was printed.

A run is made once and shared (run() and visit() keep what they made). Events are dicts as in events.jsonl with keys more:
"i", the place in the file, and "up", the place of the enclosing ENTER in the same node and context (or None); an ENTER has
"end" besides, the place of its LEAVE. Frames are
read from the pcapng files themselves; every one is joined to events by its packet number (option epb_packetid).
"""
import functools
import json
import os
import re
import shutil
import struct
import subprocess
import tempfile
import atexit

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CULVER = os.path.abspath(os.environ.get("CULVER", os.path.join(TOP, "build", "culver")))
LIVES = "host              allocated "  # how "lab lives" begins
MARK = r"^\d+\.\d{9} s\n"  # what "lab time" prints, between two commands

WORK = tempfile.mkdtemp(prefix="culver-behaviours.")
atexit.register(shutil.rmtree, WORK, True)


def culver2(*args, ok=(0,)):
    """Standard output, standard error."""
    p = subprocess.run([CULVER, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=WORK, timeout=300,
                       stdin=subprocess.DEVNULL)
    out, err = p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace")
    if p.returncode not in ok:
        raise AssertionError("culver %s: exit %d\n%s\n%s" % (" ".join(args), p.returncode, out[-2000:], err[-2000:]))
    return out, err


def culver(*args, ok=(0,)):
    return culver2(*args, ok=ok)[0]


def ip(s):
    return bytes(int(x) for x in s.split("."))


def addr(b):
    return ".".join(str(x) for x in b)


def mac(b):
    return ":".join("%02x" % x for x in b)


def csum(b):
    """RFC 1071's sum over octets; 0xffff when a checksum within is right."""
    if len(b) & 1:
        b += b"\0"
    s = sum(struct.unpack(">%dH" % (len(b) // 2), b))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return s


class Frame:
    """A frame on a cable (Ethernet, with its FCS), or a packet at a hook (an IP packet, no link header)."""

    def __init__(self, t, place, serial, raw, linktype):
        self.t, self.place, self.serial, self.raw = t, place, serial, raw
        self.ether = linktype == 1
        self.type = None
        if self.ether:
            self.dst, self.src, self.type = mac(raw[0:6]), mac(raw[6:12]), struct.unpack(">H", raw[12:14])[0]
            p = raw[14:]
        else:
            p = raw
            self.type = 0x0800
        self.l3 = p
        self.ip = None
        self.proto = None
        self.sport = self.dport = None
        self.flags = 0
        self.data = b""
        if self.type == 0x0800 and len(p) >= 20 and p[0] >> 4 == 4:
            self._ip(p)

    def _ip(self, p):
        self.hlen, self.total = (p[0] & 15) * 4, struct.unpack(">H", p[2:4])[0]
        self.ident, off = struct.unpack(">HH", p[4:8])
        self.df, self.mf, self.off = off >> 14 & 1, off >> 13 & 1, (off & 0x1FFF) * 8
        self.ttl, self.proto = p[8], p[9]
        self.ip = (addr(p[12:16]), addr(p[16:20]))
        self.ip_ok = csum(p[:self.hlen]) == 0xFFFF
        b = self.l4 = p[self.hlen:self.total]
        if self.off:
            return
        if self.proto in (6, 17) and len(b) >= 8:
            self.sport, self.dport = struct.unpack(">HH", b[:4])
        if self.proto == 17:
            self.data = b[8:]
        if self.proto == 6 and len(b) >= 20:
            self.seq, self.ack, offs, self.flags, self.win, self.sum, self.urg = struct.unpack(">IIBBHHH", b[4:20])
            self.doff = (offs >> 4) * 4
            self.opt, self.data = b[20:self.doff], b[self.doff:]
            pseudo = p[12:20] + struct.pack(">BBH", 0, 6, len(b))
            self.tcp_ok = csum(pseudo + b) == 0xFFFF

    def option(self, kind):
        o = self.opt
        while o:
            if o[0] == 0:
                return None
            if o[0] == 1:
                o = o[1:]
                continue
            if o[0] == kind:
                return o[2:o[1]]
            o = o[o[1]:]
        return None

    @property
    def fl(self):
        return "".join(c for n, c in ((2, "S"), (1, "F"), (4, "R"), (8, "P"), (16, "A")) if self.flags & n)

    def __repr__(self):
        return "<%s %s #%d %s %s>" % (self.t, self.place, self.serial, self.ip, self.fl)


def pcapng(path):
    """Every packet of a pcapng file, in order."""
    with open(path, "rb") as f:
        b = f.read()
    o, ifs, out = 0, [], []
    while o + 12 <= len(b):
        kind, n = struct.unpack_from("<II", b, o)
        if kind == 1:
            link = struct.unpack_from("<H", b, o + 8)[0]
            ifs.append((options(b, o + 16, o + n - 4).get(2, b"").decode(), link))
        elif kind == 6:
            i, hi, lo, cap, _ = struct.unpack_from("<IIIII", b, o + 8)
            opt = options(b, o + 28 + (cap + 3) // 4 * 4, o + n - 4)
            serial = struct.unpack("<Q", opt[5])[0] if 5 in opt else 0
            out.append(Frame((hi << 32) | lo, ifs[i][0], serial, b[o + 28:o + 28 + cap], ifs[i][1]))
        o += n
    return out


def options(b, o, end):
    d = {}
    while o + 4 <= end:
        k, n = struct.unpack_from("<HH", b, o)
        if not k:
            break
        d[k] = b[o + 4:o + 4 + n]
        o += 4 + (n + 3) // 4 * 4
    return d


class Run:
    def __init__(self, out, text, cmds=(), err=""):
        self.dir, self.text, self.err = out, text, err
        parts = re.split(MARK, text, flags=re.M)
        self.out = dict(zip(cmds, parts)) if cmds else {}

    @functools.cached_property
    def ev(self):
        ev, open_ = [], {}
        with open(os.path.join(self.dir, "events.jsonl"), "rb") as f:
            for i, line in enumerate(f):
                e = json.loads(line)
                e["i"] = i
                e.setdefault("text", "")
                st = open_.setdefault((e["node"], e["ctx"]), [])
                if e["kind"] == "leave" and st:
                    ev[st.pop()]["end"] = i
                e["up"] = st[-1] if st else None
                if e["kind"] == "enter":
                    st.append(i)
                ev.append(e)
        return ev

    @functools.cached_property
    def by_serial(self):
        d = {}
        for e in self.ev:
            if e["serial"]:
                d.setdefault(e["serial"], []).append(e)
        return d

    @functools.cached_property
    def wire(self):
        return pcapng(os.path.join(self.dir, "wire.pcapng"))

    @functools.cached_property
    def steps(self):
        return pcapng(os.path.join(self.dir, "steps.pcapng"))

    @functools.cached_property
    def by_func(self):
        d = {}
        for e in self.ev:
            d.setdefault(e["func"], []).append(e)
        return d

    @functools.cached_property
    def by_node(self):
        d = {}
        for e in self.ev:
            d.setdefault(e["node"], []).append(e)
        return d

    def sel(self, kind=None, func=None, node=None, serial=None, text=None, after=-1, before=None):
        src = (self.by_serial.get(serial, []) if serial is not None else self.by_func.get(func, []) if func is not None else
               self.by_node.get(node, []) if node is not None else self.ev)
        end = before if before is not None else len(self.ev)
        return [e for e in src if after < e["i"] < end and (kind is None or e["kind"] == kind) and
                (func is None or e["func"] == func) and (node is None or e["node"] == node) and
                (text is None or re.search(text, e["text"]))]

    def one(self, **k):
        r = self.sel(**k)
        if len(r) != 1:
            raise AssertionError("%d events, not one: %r" % (len(r), k))
        return r[0]

    def chain(self, e):
        """Functions open at an event, innermost first. The event itself counts if it is an ENTER."""
        names = [e["func"]] if e["kind"] == "enter" else []
        up = e["up"]
        while up is not None:
            names.append(self.ev[up]["func"])
            up = self.ev[up]["up"]
        return names

    def leave_of(self, e):
        """Where the call that began at ENTER e ended."""
        if "end" in e:
            return e["end"]
        raise AssertionError("%s never ended" % e["func"])

    def enters(self, serial, node, after=-1, before=None):
        """Names of the functions that a packet entered on a node, in order."""
        return [e["func"] for e in self.sel("enter", node=node, serial=serial, after=after, before=before)]

    def trace(self, *args):
        return culver("trace", self.dir, *args)

    def stack(self, serial, at, names="now"):
        t = self.trace("--packet", str(serial), "--stack", "--at", at, "--names", names)
        return [l for l in t.splitlines()[1:] if l]

    def hook(self, place):
        return [f for f in self.steps if f.place == place]

    def lo(self, node):
        """What passed lo on a node: packets at PRE_ROUTING that came by lo, joined by their numbers."""
        ids = {e["serial"] for e in self.sel("hook", node=node, text=r"hook=PRE_ROUTING in=lo ")}
        return [f for f in self.hook(node + ":PRE_ROUTING") if f.serial in ids]


def few(test, events, n=0):
    """At most n events; shows the first few when there are more."""
    events = list(events)
    if len(events) > n:
        test.fail("%d events, not %d: %s" % (len(events), n, [(e["node"], e["func"], e["text"]) if isinstance(e, dict) else e for e in events[:4]]))


def ordered(names, want):
    """Is want a subsequence of names?"""
    it = iter(names)
    return all(any(w == n for n in it) for w in want)


def kv(text):
    return dict(x.split("=", 1) for x in text.split() if "=" in x)


def proc(text):
    """/proc/net/snmp or netstat as {"Ip": {"InReceives": 1}}."""
    d = {}
    ls = text.splitlines()
    for a, b in zip(ls[::2], ls[1::2]):
        k = a.split(":")[0]
        d[k] = dict(zip(a.split()[1:], map(int, b.split()[1:])))
    return d


def stats(text):
    """Lines "name value" as a dict of numbers."""
    return {m[1]: int(m[2]) for m in re.finditer(r"^\s*(\w+):?\s+(\d+)\s*$", text, re.M)}


def balance(r, table):
    """Every packet of every host was born and ended, and both the hosts' books and the events say so: allocated = consumed +
    dropped + queued. table: what "lab lives" printed at the end; None: the events alone, and nothing may be left over."""
    seen = {}
    for e in r.ev:
        k, t = e["kind"], e["text"]
        if k == "clone" or k == "born" and e["func"] in ("alloc_skb", "build_skb") or k == "copy" and re.search(r" (copy|segment)$", t):
            n = "allocated"
        elif k == "consume":
            n = "consumed"
        elif k == "drop" and not e["reason"].startswith(("HW_", "SWITCH_")):
            n = "dropped"
        else:
            continue
        seen.setdefault(e["node"], {"allocated": 0, "consumed": 0, "dropped": 0})[n] += 1
    for host, s in sorted(seen.items()):
        left = s["allocated"] - s["consumed"] - s["dropped"]
        if left < 0 or table is None and left:
            raise AssertionError("%s: %d packets left over: %s" % (host, left, s))
    r.queued = {}
    for line in (table or "").splitlines()[1:]:
        m = re.match(r"(\S+) +(\d+) +(\d+) +(\d+) +(-?\d+)( +\d+){5}$", line)
        if not m:
            continue  # what a program said when it was ended
        host, v = m[1], dict(zip(("allocated", "consumed", "dropped", "queued"), map(int, m.groups()[1:5])))
        r.queued[host] = v["queued"]
        if v["allocated"] != v["consumed"] + v["dropped"] + v["queued"] or v["queued"] < 0:
            raise AssertionError("%s's books do not balance: %s" % (host, v))
        said = seen.get(host, {"allocated": 0, "consumed": 0, "dropped": 0})
        if any(said[k] != v[k] for k in said):
            raise AssertionError("%s: the books say %s, the events %s" % (host, v, said))


@functools.lru_cache(maxsize=None)
def run(lab, *cmds, ok=tuple(set(range(256)) - {2, 3, 124})):
    """culver lab with commands; .out[command] is what it printed until the next command began. To give a command twice,
    write it differently (a blank more)."""
    out = tempfile.mkdtemp(dir=WORK)
    args = []
    for c in cmds:
        args += ["-c", c, "-c", "lab time"]
    text, err = culver2("lab", lab, *args, "-c", "lab lives", "--out", out, ok=ok)
    text, head, table = text.rpartition(LIVES)
    r = Run(out, text, cmds, err)
    balance(r, head + table)
    return r


@functools.lru_cache(maxsize=None)
def visit(url="http://www.server.com/", *args):
    out = tempfile.mkdtemp(dir=WORK)
    r = Run(out, culver("visit", url, "--out", out, *args))
    balance(r, None)
    return r


def lab_file(text):
    """A lab file of its own, in the work folder; the same text is the same file."""
    import hashlib
    p = os.path.join(WORK, "lab%s.clab.yml" % hashlib.sha256(text.encode()).hexdigest()[:12])
    with open(p, "w") as f:
        f.write(text)
    return p


def two(a="", b="", link="", tail=""):
    """Two hosts on one cable: a 10.0.0.1 and b 10.0.0.2. a, b, link: YAML of each in flow style."""
    return lab_file("""name: two
topology:
  nodes:
    a: {%s}
    b: {%s}
  links:
    - type: veth
      endpoints:
        - {node: a, interface: eth1, ipv4: 10.0.0.1/24}
        - {node: b, interface: eth1, ipv4: 10.0.0.2/24}
      %s
%s""" % (a, b, link, tail))

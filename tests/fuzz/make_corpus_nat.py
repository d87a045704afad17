#!/usr/bin/env python3
"""Writes the first corpus of fuzz_nat: conversations through the router (see fuzz_nat.c for the records)."""
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
IN, OUT, RAW, ERROR = 0, 1, 2, 4
INSIDE, OUTSIDE, EXT = bytes([192, 168, 1, 2]), bytes([198, 51, 100, 10]), bytes([203, 0, 113, 1])


def ip(src, dst, proto, body, off=0, ident=1, options=b""):
    n = 20 + len(options)
    return struct.pack("!BBHHHBBH4s4s", 0x40 | n // 4, 0, n + len(body), ident, off, 64, proto, 0, src, dst) + options + body


def rec(flags, packet, wait=0):
    return struct.pack("!BH", flags | wait << 3, len(packet)) + packet


def udp(flags, sp, dp, data=b"hi", **k):
    src, dst = (OUTSIDE, EXT) if flags & OUT else (INSIDE, OUTSIDE)
    return rec(flags, ip(src, dst, 17, struct.pack("!HHHH", sp, dp, 8 + len(data), 0) + data), **k)


def tcp(flags, sp, dp, seq, ack, bits, data=b"", options=b"", **k):
    src, dst = (OUTSIDE, EXT) if flags & OUT else (INSIDE, OUTSIDE)
    h = struct.pack("!HHIIBBHHH", sp, dp, seq, ack, (5 + len(options) // 4) << 4, bits, 60000, 0, 0)
    return rec(flags, ip(src, dst, 6, h + options + data), **k)


def echo(flags, kind, ident):
    src, dst = (OUTSIDE, EXT) if flags & OUT else (INSIDE, OUTSIDE)
    return rec(flags, ip(src, dst, 1, struct.pack("!BBHHH", kind, 0, 0, ident, 1) + b"x" * 8))


OPTS = b"\x02\x04\x05\xb4\x04\x02\x01\x01\x01\x03\x03\x07"
CASES = {
    "udp": [udp(IN, 5000, 1), udp(OUT, 1, 5000), udp(IN, 5000, 1, wait=1), udp(OUT, 1, 5000, wait=15)],
    "dns": [udp(IN, 5000 + i, 53) for i in range(12)],
    "tcp": [tcp(IN, 5000, 80, 1000, 0, 2, options=OPTS), tcp(OUT, 80, 5000, 5000, 1001, 18, options=OPTS), tcp(IN, 5000, 80, 1001, 5001, 16),
            tcp(IN, 5000, 80, 1001, 5001, 24, b"GET"), tcp(OUT, 80, 5000, 5001, 1004, 25, b"yes"), tcp(IN, 5000, 80, 1004, 5005, 17),
            tcp(OUT, 80, 5000, 5005, 1005, 16), tcp(IN, 5000, 80, 9000, 0, 2)],
    "open": [tcp(IN, 5000, 80, 1000, 0, 2), tcp(OUT, 80, 5000, 5000, 0, 2), tcp(IN, 5000, 80, 1000, 5001, 18), tcp(OUT, 80, 5000, 5000, 1001, 18)],
    "reset": [tcp(IN, 5000, 80, 1000, 0, 2), tcp(OUT, 80, 5000, 5000, 1001, 18), tcp(IN, 5000, 80, 1001, 5001, 16),
              tcp(OUT, 80, 5000, 5002, 0, 4), tcp(OUT, 80, 5000, 5001, 0, 4)],
    "syn": [tcp(OUT, 80, 9999, 1, 0, 2), tcp(OUT, 81, 9998, 1, 0, 2, wait=1), tcp(OUT, 1, 80, 1, 0, 2)],
    "icmp": [echo(IN, 8, 7), echo(OUT, 0, 7), rec(OUT | ERROR, b"")],
    "error": [udp(IN, 5000, 1), rec(OUT | ERROR, b""), rec(OUT | ERROR, b"\x08\x03"), udp(OUT, 1, 5000), rec(IN | ERROR, b"")],
    "fragments": [rec(IN, ip(INSIDE, OUTSIDE, 17, b"b" * 40, 2)), rec(IN, ip(INSIDE, OUTSIDE, 17, b"\x13\x88\0\x01\0\x38\0\0" + b"a" * 8, 0x2000)),
                  rec(OUT, ip(OUTSIDE, EXT, 17, b"c" * 16, 0x2000), wait=2)],
    "reject": [tcp(IN, 5000, 23, 1, 0, 2), udp(IN, 5000, 7), tcp(IN, 5000, 6001, 1, 1, 16)],
    "hairpin": [udp(IN, 5000, 1), rec(IN, ip(INSIDE[:3] + b"\x03", bytes([203, 0, 113, 129]), 17, struct.pack("!HHHH", 6000, 5000, 10, 0) + b"hi"))],
    "gre": [rec(IN, ip(INSIDE, OUTSIDE, 47, b"GRE")), rec(OUT, ip(OUTSIDE, EXT, 47, b"GRE")), rec(IN | RAW, b"\x45")],
}

folder = os.path.join(HERE, "corpus", "nat")
os.makedirs(folder, exist_ok=True)
for name, records in CASES.items():
    with open(os.path.join(folder, name), "wb") as f:
        f.write(b"".join(records))

#!/usr/bin/env python3
"""Writes the first corpus of fuzz_host: one file per kind of frame, built from the headers' layouts."""
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
ME, PEER = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
MAC_ME, MAC_PEER = b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02"


def csum(b):
    if len(b) % 2:
        b += b"\0"
    s = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def eth(kind, body):
    return MAC_ME + MAC_PEER + struct.pack("!H", kind) + body


def ip(proto, body, off=0, options=b"", ttl=64, ident=1):
    ihl = 5 + len(options) // 4
    h = struct.pack("!BBHHHBBH4s4s", 0x40 | ihl, 0, ihl * 4 + len(body), ident, off, ttl, proto, 0, PEER, ME) + options
    return eth(0x0800, h[:10] + struct.pack("!H", csum(h)) + h[12:] + body)


def tcp(sp, dp, seq, ack, flags, data=b"", options=b"", win=65535):
    off = (5 + len(options) // 4) << 4
    h = struct.pack("!HHIIBBHHH", sp, dp, seq, ack, off, flags, win, 0, 0) + options + data
    pseudo = PEER + ME + struct.pack("!BBH", 0, 6, len(h))
    return ip(6, h[:16] + struct.pack("!H", csum(pseudo + h)) + h[18:])


def icmp(kind, code, rest, data=b""):
    h = struct.pack("!BBH", kind, code, 0) + rest + data
    return ip(1, h[:2] + struct.pack("!H", csum(h)) + h[4:])


def record(frame, wait=False):
    return struct.pack("!H", len(frame) | (0x8000 if wait else 0)) + frame


ARP = eth(0x0806, struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + MAC_PEER + PEER + b"\0" * 6 + ME)
ARP_REPLY = eth(0x0806, struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2) + MAC_PEER + PEER + MAC_ME + ME)
SYN_OPTS = b"\x02\x04\x05\xb4\x04\x02\x08\x0a\0\0\0\x01\0\0\0\0\x01\x03\x03\x07"
CASES = {
    "arp": [ARP, ARP_REPLY],
    "echo": [ARP, icmp(8, 0, b"\0\x01\0\x01", b"x" * 56)],
    "unreach": [icmp(3, 3, b"\0" * 4, ip(17, struct.pack("!HHHH", 53, 53, 8, 0))[14:])],
    "fragneeded": [icmp(3, 4, b"\0\0\x02\x40", ip(6, b"\x0f\xa0\x1f\x90" + b"\0" * 16)[14:])],
    "udp": [ip(17, struct.pack("!HHHH", 1000, 53, 12, 0) + b"abcd")],
    "fragments": [ip(17, b"a" * 1480, 0x2000), ip(17, b"b" * 1480, 0x2000 | 185), ip(17, b"c" * 40, 370)],
    "options": [ip(1, b"\x08\0\xf7\xff\0\0\0\0", options=b"\x07\x0b\x04" + b"\0" * 9)],
    "lsrr": [ip(6, b"\0" * 20, options=b"\x83\x07\x04\x0a\0\0\x09\0")],
    "syn": [ARP, tcp(5000, 80, 1000, 0, 2, options=SYN_OPTS), tcp(5000, 80, 1001, 1, 16), tcp(5000, 80, 1001, 1, 24, b"GET / HTTP/1.1\r\n\r\n")],
    "synack": [ARP_REPLY, tcp(8080, 4000, 9000, 1, 18, options=SYN_OPTS), tcp(8080, 4000, 9001, 1, 24, b"hello"), tcp(8080, 4000, 9006, 1, 17)],
    "rst": [tcp(8080, 4000, 0, 1, 20), tcp(5000, 81, 1, 1, 16)],
    "igmp": [ip(2, b"\x11\x64\xee\x9b\0\0\0\0", options=b"\x94\x04\0\0")],
}
for name, frames in CASES.items():
    with open(os.path.join(HERE, "corpus", "host", name), "wb") as f:
        f.write(b"".join(record(x, i > 0) for i, x in enumerate(frames)))

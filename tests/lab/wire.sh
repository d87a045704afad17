#!/usr/bin/env bash
# What tshark thinks of the wire: no malformed packet, no wrong checksum or FCS; in each interface's own file no expert item of
# warning or error; the page's bytes out of the followed TCP stream; MAC pairs, TTL and addresses along one packet's way (S3-115, S3-116).
# usage: wire.sh CULVER
set -u
culver=$(readlink -f "$1")
command -v tshark >/dev/null || { echo "wire.sh: no tshark: skipped"; exit 77; }
work=$(mktemp -d /tmp/culver-wire.XXXXXX); trap 'rm -rf "$work"' EXIT; cd "$work" || exit 3
"$culver" visit http://www.server.com/ --out d >story 2>err || { cat err; exit 1; }
T="tshark -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE -o eth.check_fcs:TRUE"
# The file holds each packet once a cable: tshark's reassembly would take the next cable's copy for a retransmission that overlaps.
bad=$($T -o tcp.desegment_tcp_streams:FALSE -r d/wire.pcapng -Y '_ws.malformed || ip.checksum.status==0 || tcp.checksum.status==0 || udp.checksum.status==0 || icmp.checksum.status==0 || eth.fcs.status==0' 2>/dev/null)
[ -z "$bad" ] || { echo "wire.pcapng: malformed or wrong checksums:"; echo "$bad" | head; exit 1; }
n=$($T -r d/wire.pcapng -Y 'eth.fcs.status==1' 2>/dev/null | wc -l)
all=$(tshark -r d/wire.pcapng 2>/dev/null | wc -l)
[ "$n" -gt 100 ] && [ "$n" = "$all" ] || { echo "FCS verified on $n of $all frames"; exit 1; }
for f in d/wire/*.pcapng; do
	x=$($T -r "$f" -Y '_ws.expert.severity >= 6291456' 2>/dev/null) # warning 0x600000, error 0x800000
	[ -z "$x" ] || { echo "$f: expert items:"; $T -r "$f" -z expert,warn -q 2>/dev/null | head -20; exit 1; }
done
f=d/wire/client-eth1.pcapng
tshark -r $f -q -z follow,tcp,raw,0 2>/dev/null | grep -P '^\t[0-9a-f]+$' | tr -d '\t\n' | xxd -r -p >stream
python3 - <<'P' || exit 1
s = open("stream", "rb").read(); page = open("d/page.body", "rb").read()
body = s[s.index(b"\r\n\r\n") + 4:]
assert body == page and len(page) > 100 * 1024, (len(body), len(page))
print("stream: %d octets equal" % len(page))
P
# one data packet of the server's on every cable
tshark -r d/wire.pcapng -Y 'tcp.flags.syn==1 && tcp.flags.ack==0' -T fields -e eth.src -e eth.dst -e ip.src -e ip.dst -e ip.ttl 2>/dev/null >syn
cat syn
python3 - <<'P' || exit 1
rows = [l.split() for l in open("syn")]
ips = {(r[2], r[3]) for r in rows}
ttls = [int(r[4]) for r in rows]
assert len(ips) == 1, ips
macs = list(dict.fromkeys((r[0], r[1]) for r in rows))
assert len(macs) == 3 and len({m for p in macs for m in p}) == 6, macs
assert sorted(set(ttls), reverse=True) == [64, 63, 62], ttls
dns = open("story").read()
print("SYN: 3 MAC pairs, TTL 64 63 62, addresses constant")
P
q=$(tshark -r $f -Y dns 2>/dev/null | wc -l); [ "$q" = 2 ] || { echo "client saw $q DNS messages, not 2"; exit 1; }
q=$(tshark -r d/wire/dns-eth1.pcapng -Y dns 2>/dev/null | wc -l); [ "$q" = 8 ] || { echo "resolver saw $q DNS messages, not 8 (S3-29)"; exit 1; }
echo "wire: $all frames, all verified"

#!/usr/bin/env bash
# Real programs of this machine as hosts of the built-in lab, and the kernel's TCP through culver's routers.
# usage: peers.sh CULVER SOURCE_ROOT [CASE...]       exit 0: all pass; 1: one fails; 77: cannot run here (no root, no TUN)
# Cases are functions named case_*; each runs in a folder of its own.
set -u
culver=$(readlink -f "$1"); top=$(readlink -f "$2"); shift 2
[ "$(id -u)" = 0 ] || { echo "peers.sh: needs root for namespaces: skipped"; exit 77; }
site=$top/labs/internet/site
work=$(mktemp -d /tmp/culver-peers.XXXXXX)
trap 'rm -rf "$work"; ip netns list 2>/dev/null | awk "/^culver-t/ {print \$1}" | xargs -r -n1 ip netns del' EXIT
chmod 755 "$work"
pass=0; failed=0; skipped=0

need() { for p in "$@"; do command -v "$p" >/dev/null || { echo "  (skipped: no $p)"; return 77; }; done; }
run() { timeout 120 "$culver" run -- "$@"; }
same() { cmp "$1" "$2" && echo "  $(stat -c %s "$1") octets equal"; }

case_curl() { need curl || return; run curl -sS http://www.server.com/ >page && same page "$site/index.html"; }
case_curl_small() { need curl || return; run curl -sS http://www.server.com/small.html >page && same page "$site/small.html"; }
case_curl_404() { need curl || return; [ "$(run curl -s -o /dev/null -w '%{http_code}' http://www.server.com/no-such)" = 404 ]; }
case_curl_refused() { need curl || return; run curl -s http://www.server.com:81/; [ $? = 7 ]; }
case_curl_unknown() { need curl || return; run curl -s http://no-such.server.com/; [ $? = 6 ]; }
case_wget() { need wget || return; run wget -q -O page http://www.server.com/ && same page "$site/index.html"; }
case_veth() { need curl || return; timeout 120 "$culver" run --veth -- curl -sS http://www.server.com/ >page && same page "$site/index.html"; }
case_user() { # as an unprivileged user: a page, or one line that says what is missing
	need curl setpriv || return
	timeout 120 setpriv --reuid=65534 --regid=65534 --clear-groups "$culver" run -- curl -sS http://www.server.com/ >page 2>err
	rc=$?
	if [ $rc = 0 ]; then same page "$site/index.html"; else cat err; [ $rc = 3 ] && [ "$(wc -l <err)" = 1 ]; fi
}
case_dig_trace() {
	need dig || return
	run dig +trace www.server.com >out || return 1
	grep -E '^www\.server\.com\..*IN[[:space:]]+A' out && grep -qE '^com\..*IN[[:space:]]+NS' out && grep -qE '^server\.com\..*IN[[:space:]]+NS' out
}
case_ping() { need ping || return; run ping -c 3 -i 0.2 www.server.com | tee out | tail -2; grep -q '3 received' out; }
case_traceroute() { # both routers appear (S3-115)
	need traceroute || return
	run traceroute -n www.server.com | tee out; grep -q ' 10\.0\.1\.1 ' out && grep -q ' 10\.0\.12\.2 ' out && grep -q ' 10\.0\.2\.80 ' out
}
case_nc() {
	need nc || return
	run sh -c 'printf "GET /small.html HTTP/1.1\r\nHost: www.server.com\r\nConnection: close\r\n\r\n" | nc -w 5 www.server.com 80' >out
	head -1 out; grep -q '^HTTP/1.1 200' out
}
case_put() { # curl -T of 10 MiB: 201, and the stored bytes are equal
	need curl || return
	head -c 10485760 /dev/urandom >big
	run sh -c 'curl -s -T big -o /dev/null -w "%{http_code}" http://www.server.com/upload/big && curl -s http://www.server.com/upload/big >back' >code
	[ "$(cat code)" = 201 ] && same big back
}
case_exit_code() { run sh -c 'exit 37'; [ $? = 37 ]; }
case_not_found() { run no-such-program-of-ours; [ $? = 127 ]; }
case_out() { # --out in real time: every frame, no bad checksum
	need curl tshark || return
	timeout 120 "$culver" run --out d -- curl -s http://www.server.com/small.html >page && same page "$site/small.html" || return 1
	bad=$(tshark -r d/wire.pcapng -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE -o eth.check_fcs:TRUE \
		-Y 'ip.checksum.status==0 || tcp.checksum.status==0 || udp.checksum.status==0 || eth.fcs.status==0 || _ws.malformed' 2>/dev/null | wc -l)
	[ "$bad" = 0 ]
}
two_taps() { # two kernel namespaces on the two sides of a culver router: $1 commands the left one
	cat >two.clab.yml <<-Y
	name: two
	topology:
	  nodes:
	    r:
	      sysctls: {net.ipv4.ip_forward: 1}
	  links:
	    - type: host
	      endpoint: {node: r, interface: eth1, ipv4: 10.77.1.1/24}
	      host-interface: culvert1
	    - type: host
	      endpoint: {node: r, interface: eth2, ipv4: 10.77.2.1/24}
	      host-interface: culvert2
	Y
	for i in 1 2; do ip netns add culver-t$i && ip tuntap add dev culvert$i mode tap || return 1; done
	"$culver" up two.clab.yml --for 60 >up.log 2>&1 & up=$!
	for _ in $(seq 50); do grep -q culvert2 up.log && break; sleep 0.1; done
	for i in 1 2; do
		ip link set culvert$i netns culver-t$i
		ip -n culver-t$i addr add 10.77.$i.2/24 dev culvert$i; ip -n culver-t$i link set lo up; ip -n culver-t$i link set culvert$i up
		ip -n culver-t$i route add default via 10.77.$i.1
	done
}
two_taps_end() {
	kill -TERM $up; wait $up; rc=$?
	for i in 1 2; do ip netns del culver-t$i; ip link del culvert$i 2>/dev/null; done
	return $rc
}
case_iperf3() { # kernel TCP through culver's router
	need iperf3 || return
	two_taps || return 1
	ip netns exec culver-t2 iperf3 -s -1 >server.log 2>&1 &
	sleep 0.5
	ip netns exec culver-t1 iperf3 -c 10.77.2.2 -t 3 >client.log 2>&1; rc=$?
	tail -4 client.log | head -2
	two_taps_end && [ $rc = 0 ]
}

cases=("$@"); [ $# -gt 0 ] || mapfile -t cases < <(declare -F | awk '$3 ~ /^case_/ {print substr($3, 6)}')
for c in "${cases[@]}"; do
	mkdir -p "$work/$c" && cd "$work/$c" || exit 3
	echo "- $c"
	"case_$c"; rc=$?
	case $rc in 0) pass=$((pass + 1)) ;; 77) skipped=$((skipped + 1)) ;; *) failed=$((failed + 1)); echo "  FAILED: $c" ;; esac
	cd /
done
echo "peers: $pass passed, $failed failed, $skipped skipped"
[ $failed = 0 ]

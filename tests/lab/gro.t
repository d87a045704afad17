# Receive coalescing: only frames that wait in one poll are merged.

# a CPU that keeps up takes each frame as it comes: GRO is on, and finds nothing to merge
$ culver lab pair -c 'b iperf -s &' -c 'a iperf -c 10.0.0.2 -n 200000' -c 'b cat /proc/net/napi' -c 'b ethtool -k eth1' | grep -v bytes
name                    cpu weight       polls        work scheduled held      merged      trains
backlog/cpu0              0     64           0           0 0            0           0           0
eth1-rx0                  0     64         142         142 0            0           0           0
Features for eth1:
rx-checksumming: off [fixed]
tx-checksumming: off [fixed]
scatter-gather: off [fixed]
tcp-segmentation-offload: off [fixed]
tx-udp-segmentation: off [fixed]
generic-receive-offload: on
large-receive-offload: off [fixed]
# one that takes 20 us for a packet finds several: fewer come up, fewer acknowledgments leave
$ printf 'name: slow\ntopology:\n  defaults: {config: {vars: {cpus: {n: 1, irq_ns: 500, packet_ns: 20000}}}}\n  nodes: {a: {}, b: {}}\n  links:\n    - type: veth\n      endpoints:\n        - {node: a, interface: eth1, ipv4: 10.0.0.1/24}\n        - {node: b, interface: eth1, ipv4: 10.0.0.2/24}\n' >slow.clab.yml
$ culver lab slow.clab.yml -c 'b iperf -s &' -c 'a iperf -c 10.0.0.2 -n 200000' -c 'b cat /proc/net/napi' -c 'b nstat' --out d | grep -E 'eth1|name|TcpInSegs|TcpOutSegs'
name                    cpu weight       polls        work scheduled held      merged      trains
eth1-rx0                  0     64          28         143 0            0         109          23
TcpInSegs                       33                 0.0
TcpOutSegs                      14                 0.0
# which went into which
$ sed -n 's/.*"node":"b".*"func":"skb_gro_receive".*"serial":\([0-9]*\),"text":"\(merged[^"]*\)".*/packet \1 \2/p' d/events.jsonl | head -6
packet 8 merged into=7 segs=2 len=2948
packet 10 merged into=9 segs=2 len=2948
packet 11 merged into=9 segs=3 len=4396
packet 13 merged into=12 segs=2 len=2948
packet 14 merged into=12 segs=3 len=4396
packet 15 merged into=12 segs=4 len=5844
# the tap of tcpdump lies above: it sees what was merged
$ culver lab slow.clab.yml -c 'b tcpdump -c 12 -n -i eth1 tcp &' -c 'b iperf -s &' -c 'a iperf -c 10.0.0.2 -n 200000' 2>/dev/null | grep -v bytes | sed 's/^[^ ]* //; s/options .*, length/length/'
IP 10.0.0.1.58770 > 10.0.0.2.5001: Flags [S], seq 2526991743, win 64240, length 0
IP 10.0.0.2.5001 > 10.0.0.1.58770: Flags [S.], seq 2734795108, ack 2526991744, win 65160, length 0
IP 10.0.0.1.58770 > 10.0.0.2.5001: Flags [.], ack 1, win 63, length 0
IP 10.0.0.1.58770 > 10.0.0.2.5001: Flags [.], seq 1:1449, ack 1, win 63, length 1448
IP 10.0.0.2.5001 > 10.0.0.1.58770: Flags [.], ack 1449, win 67, length 0
IP 10.0.0.1.58770 > 10.0.0.2.5001: Flags [.], seq 1449:4345, ack 1, win 63, length 2896
IP 10.0.0.2.5001 > 10.0.0.1.58770: Flags [.], ack 4345, win 73, length 0
IP 10.0.0.1.58770 > 10.0.0.2.5001: Flags [.], seq 4345:8689, ack 1, win 63, length 4344
IP 10.0.0.2.5001 > 10.0.0.1.58770: Flags [.], ack 8689, win 72, length 0
IP 10.0.0.1.58770 > 10.0.0.2.5001: Flags [.], seq 8689:15929, ack 1, win 63, length 7240
IP 10.0.0.2.5001 > 10.0.0.1.58770: Flags [.], ack 15929, win 65, length 0
IP 10.0.0.1.58770 > 10.0.0.2.5001: Flags [.], seq 15929:27513, ack 1, win 63, length 11584
# switched off
$ culver lab slow.clab.yml -c 'b ethtool -K eth1 gro off' -c 'b iperf -s &' -c 'a iperf -c 10.0.0.2 -n 200000' -c 'b cat /proc/net/napi' -c 'b nstat' | grep -E 'eth1|TcpInSegs|TcpOutSegs'
eth1-rx0                  0     64          27         143 0            0           0           0
TcpInSegs                       142                0.0
TcpOutSegs                      27                 0.0
$ culver lab pair -c 'a ethtool -K eth1 gro off' -c 'a ethtool -k eth1' -c 'a ethtool -K eth1 sg on' -c 'a ethtool -K eth1 nonsense on' -c 'a ethtool -K lo tso off' -c 'a ethtool -k lo'
Features for eth1:
rx-checksumming: off [fixed]
tx-checksumming: off [fixed]
scatter-gather: off [fixed]
tcp-segmentation-offload: off [fixed]
tx-udp-segmentation: off [fixed]
generic-receive-offload: off
large-receive-offload: off [fixed]
Actual changes:
scatter-gather: off [requested on]
Could not change any device features
netlink error: Operation not supported
Features for lo:
rx-checksumming: on [fixed]
tx-checksumming: on [fixed]
scatter-gather: on [fixed]
tcp-segmentation-offload: off
tx-udp-segmentation: on
generic-receive-offload: on
large-receive-offload: off [fixed]
? 92

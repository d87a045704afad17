# the lab nat: a page from a private address, what the router made of it, and the port that leads inside
$ culver lab nat -c 'client ping -c 1 10.0.2.80' -c 'client curl -s -o /x http://www.server.com/small.html' -c 'lab wait 1s' -c 'home conntrack -L' -c 'home conntrack -C' -c 'home conntrack -L -p tcp -o extended'
PING 10.0.2.80 (10.0.2.80) 56(84) bytes of data.
64 bytes from 10.0.2.80: icmp_seq=1 ttl=61 time=8.909 ms
.
--- 10.0.2.80 ping statistics ---
1 packets transmitted, 1 received, 0% packet loss, time 8ms
rtt min/avg/max/mdev = 8.909/8.909/8.909/0.000 ms
icmp     1 58 src=192.168.1.10 dst=10.0.2.80 type=8 code=0 id=59820 src=10.0.2.80 dst=10.0.1.20 type=0 code=0 id=59820 mark=0 use=1
udp      17 118 src=192.168.1.10 dst=10.0.1.53 sport=47536 dport=53 src=10.0.1.53 dst=10.0.1.20 sport=53 dport=47536 mark=0 use=1
tcp      6 239 TIME_WAIT src=192.168.1.10 dst=10.0.2.80 sport=39246 dport=80 src=10.0.2.80 dst=10.0.1.20 sport=80 dport=39246 [ASSURED] mark=0 use=1
conntrack v1.4.7 (conntrack-tools): 3 flow entries have been shown.
3
ipv4     2 tcp      6 239 TIME_WAIT src=192.168.1.10 dst=10.0.2.80 sport=39246 dport=80 src=10.0.2.80 dst=10.0.1.20 sport=80 dport=39246 [ASSURED] mark=0 use=1
conntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.
$ culver visit http://www.server.com/ --lab nat >story; grep -E 'nf_nat_packet|has come: client' story
  19. 0.001064025  dns, udp_rcv: packet 1 has come: client, lan, home, sw1, dns (4 cables, 57.6 us)
  82. 0.041195991  home, nf_nat_packet: translates: the source 192.168.1.10:39246 becomes 10.0.1.20:39246 (so that answers come to this router; checksums follow)
 115. 0.043461202  www, tcp_v4_rcv: packet 25 has come: client, lan, home, sw1, r1, sw2, r2, sw3, www (8 cables, 2268.1 us)
# both homes use the same addresses; from one to the other's port, and from inside to it (hairpin)
$ culver lab nat -c 'friend curl -s -o /x http://10.0.1.20:8080/small.html' -c 'client curl -s -o /x http://10.0.1.20:8080/small.html' -c 'lab wait 1s' -c 'home conntrack -L -g' -c 'home2 conntrack -L' -c 'home iptables -t nat -S'
tcp      6 239 TIME_WAIT src=10.0.1.30 dst=10.0.1.20 sport=54956 dport=8080 src=192.168.1.11 dst=10.0.1.30 sport=80 dport=54956 [ASSURED] mark=0 use=1
tcp      6 239 TIME_WAIT src=192.168.1.10 dst=10.0.1.20 sport=59008 dport=8080 src=192.168.1.11 dst=10.0.1.20 sport=80 dport=59008 [ASSURED] mark=0 use=1
conntrack v1.4.7 (conntrack-tools): 2 flow entries have been shown.
tcp      6 239 TIME_WAIT src=192.168.1.10 dst=10.0.1.20 sport=54956 dport=8080 src=10.0.1.20 dst=10.0.1.30 sport=8080 dport=54956 [ASSURED] mark=0 use=1
conntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.
-P PREROUTING ACCEPT
-P INPUT ACCEPT
-P OUTPUT ACCEPT
-P POSTROUTING ACCEPT
-A PREROUTING -p tcp -m tcp --dport 8080 -m addrtype --dst-type LOCAL -j DNAT --to-destination 192.168.1.11:80
-A POSTROUTING -o eth2 -j MASQUERADE
# bounds and refusals
$ culver lab nat -c 'home sysctl net.netfilter.nf_conntrack_max net.netfilter.nf_conntrack_host_max net.netfilter.nf_conntrack_count' -c 'home sysctl -w net.netfilter.nf_conntrack_max=0' -c 'home conntrack -D -p udp' -c 'home conntrack -F'
net.netfilter.nf_conntrack_max = 65536
net.netfilter.nf_conntrack_host_max = 16384
net.netfilter.nf_conntrack_count = 0
sysctl: setting key "net.netfilter.nf_conntrack_max": Invalid argument
conntrack v1.4.7 (conntrack-tools): 0 flow entries have been deleted.
conntrack v1.4.7 (conntrack-tools): connection tracking table has been emptied.
? 1
$ cat >bad.clab.yml <<'X'
> name: bad
> topology:
>   nodes:
>     r: {config: {vars: {nat: {out: [eth9]}}}}
> X
> culver lab bad.clab.yml -c 'r ip link'
culver: bad.clab.yml:4:37: nat.out: the node has no such interface
? 2
$ sed 's/out: .eth9./forward: [tcp 0 10.0.0.1:80]/' bad.clab.yml >bad2.clab.yml; culver lab bad2.clab.yml -c 'r ip link'
culver: bad2.clab.yml:4:41: nat.forward: write PROTOCOL PORT ADDRESS:PORT, as in tcp 80 10.0.0.2:80
? 2
$ sed 's/out: .eth9./forward: [sctp 80 10.0.0.1:80]/' bad.clab.yml >bad3.clab.yml; culver lab bad3.clab.yml -c 'r ip link'
culver: bad3.clab.yml:4:41: exec 'iptables -t nat -A PREROUTING -p sctp --dport 80 -m addrtype --dst-type LOCAL -j DNAT --to-destinati' on r: iptables v1: unknown protocol "sctp"
? 2

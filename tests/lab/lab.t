# culver lab: commands on nodes, in virtual time.

$ culver lab internet -c 'client ping -c 1 10.0.2.80'
PING 10.0.2.80 (10.0.2.80) 56(84) bytes of data.
64 bytes from 10.0.2.80: icmp_seq=1 ttl=62 time=8.837 ms
.
--- 10.0.2.80 ping statistics ---
1 packets transmitted, 1 received, 0% packet loss, time 8ms
rtt min/avg/max/mdev = 8.837/8.837/8.837/0.000 ms
$ culver lab internet -c 'client ip route' -c 'client ip neigh' -c 'r1 ip route'
default via 10.0.1.1 dev eth1 
10.0.1.0/24 dev eth1 proto kernel scope link src 10.0.1.10 
10.0.1.0/24 dev eth1 proto kernel scope link src 10.0.1.1 
10.0.2.0/24 via 10.0.12.2 dev eth2 
10.0.3.0/24 via 10.0.12.3 dev eth2 
10.0.12.0/24 dev eth2 proto kernel scope link src 10.0.12.1 
$ culver lab internet -c 'client curl -s http://www.server.com/small.html'
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>A small page</title></head>
<body>
<h1>A small page</h1>
<p>It fits into one TCP segment, with its headers.</p>
</body>
</html>
$ culver lab internet -c 'client getent hosts www.server.com' -c 'dns dns cache'
10.0.2.80       www.server.com
com.	172800	IN	NS	a.gtld-servers.net.	; referral
server.com.	172800	IN	NS	ns.server.com.	; referral
ns.server.com.	172800	IN	A	10.0.2.53	; additional
www.server.com.	300	IN	A	10.0.2.80	; answer
a.gtld-servers.net.	172800	IN	A	10.0.3.3	; additional
; 5 entries, 3127 of 8388608 octets
$ culver lab internet -c 'client ping -c 1 10.0.1.11' -c 'sw1 bridge fdb show'
PING 10.0.1.11 (10.0.1.11) 56(84) bytes of data.
64 bytes from 10.0.1.11: icmp_seq=1 ttl=64 time=0.013 ms
.
--- 10.0.1.11 ping statistics ---
1 packets transmitted, 1 received, 0% packet loss, time 0ms
rtt min/avg/max/mdev = 0.013/0.013/0.013/0.000 ms
02:c0:84:bb:f9:a6 dev p2 master sw1 used 0
02:c0:da:9a:ea:3a dev p1 master sw1 used 0
$ culver lab internet -c 'client ping -c 1 10.0.1.11' -c 'sw1 bridge -s link' | tail -n +7 | head -8
1: p1: <BROADCAST,MULTICAST,UP,LOWER_UP> master sw1 state forwarding
    RX: frames 2 octets 166 fcs_errors 0 runts 0 oversize 0
    TX: frames 2 octets 166 queue_drops 0
    forwarded 1 flooded 1 filtered 0 learned 1 moves 0 table_full 0 storm_drops 0 reserved 0
2: p2: <BROADCAST,MULTICAST,UP,LOWER_UP> master sw1 state forwarding
    RX: frames 2 octets 166 fcs_errors 0 runts 0 oversize 0
    TX: frames 2 octets 166 queue_drops 0
    forwarded 2 flooded 0 filtered 0 learned 1 moves 0 table_full 0 storm_drops 0 reserved 0

# exit codes: of the last that failed
$ culver lab internet -c 'client ping -c 1 -W 1 10.0.1.99' -c 'client ip route show table main'
PING 10.0.1.99 (10.0.1.99) 56(84) bytes of data.
.
--- 10.0.1.99 ping statistics ---
1 packets transmitted, 0 received, 100% packet loss, time 0ms
.
default via 10.0.1.1 dev eth1 
10.0.1.0/24 dev eth1 proto kernel scope link src 10.0.1.10 
? 1
$ culver lab internet -c 'client nosuch'
client: nosuch: command not found
? 127
$ culver lab internet -c 'client ping "open'
client: ping: the line does not parse: a quote is open, or nothing is there
? 126
$ culver lab internet -c 'sw1 ping 10.0.0.1'
sw1: ping: command not found (a bridge knows: bridge fdb show, bridge -s link)
? 127
$ culver lab internet -c 'nobody ip addr'
culver: lab: internet has no node 'nobody' (there are: client, bob, dns, sw1, r1, sw2, r2, r3, sw3, www, ns, alice, sw4, root, com)
? 2
$ culver lab internet -c 'client'
culver: lab: 'client': which command?
? 2
$ culver lab internet -c ''
culver: lab: -c needs 'NODE COMMAND ARG...', not an empty line
? 2
$ culver lab
culver: lab: which lab? a file, or the name of a built-in one, as in: lab internet (see: culver help lab)
? 2
$ culver lab internet other
culver: lab: one lab file at a time, not 'other' too (see: culver help lab)
? 2
$ culver lab internet --nosuch
culver: lab: unknown option '--nosuch' (see: culver help lab)
? 2

# the lab itself: time passes, cables are cut
$ culver lab internet -c 'lab time' -c 'lab wait 60s' -c 'lab time'
0.000001000 s
60.000001000 s
$ culver lab internet -c 'lab cut client:eth1' -c 'client ip link show dev eth1' -c 'lab mend client:eth1' -c 'client ping -c 1 10.0.1.53' | grep -E 'NO-CARRIER|received'
2: eth1: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc pfifo_fast state DOWN mode DEFAULT group default qlen 1000
1 packets transmitted, 1 received, 0% packet loss, time 0ms
$ culver lab internet -c 'lab cut client:eth9'
lab: cut: name a cable by one of its ends, as in client:eth1
? 2
$ culver lab internet -c 'lab wait 5'
lab: wait: a time needs a unit: ns, us, ms, s, min or h, as in 50ms
? 2
$ culver lab internet -c 'lab nodes' | head -4
client           linux   eth1--sw1:p1
bob              linux   eth1--sw1:p2
dns              linux   eth1--sw1:p3
sw1              bridge  p1--client:eth1 p2--bob:eth1 p3--dns:eth1 p4--r1:eth1

# left running, and talked to
$ culver lab internet -c 'bob nc -l 7 &' -c 'client nc -q -d hello 10.0.1.11 7'
helloreceived 0 bytes
# what waits for ever is ended
$ culver lab internet -c 'bob nc -l 7'
bob: nc: it waits for what can never come
? 124

# a prompt on a pipe
$ printf 'help\nclient ip route\n# a comment\n\nquit\nclient nosuch\n' | culver lab internet
NODE COMMAND ARG...   run a program on a node, as in: client ping -c 1 10.0.2.80
NODE COMMAND ... &    leave it running
lab nodes             who is there, and how they are joined
lab wait TIME         let virtual time pass, as in: lab wait 60s
lab time              what time it is
lab log NODE          what its servers printed
lab lives             each host's packets: allocated, consumed, dropped, queued; clones, copies
lab cut NODE:IFACE    cut the cable there; lab mend NODE:IFACE restores it
quit                  leave (^D too)
default via 10.0.1.1 dev eth1 
10.0.1.0/24 dev eth1 proto kernel scope link src 10.0.1.10 

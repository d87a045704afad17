# the lab nat: a page from a private address, what the router made of it, and the port that leads inside
$ culver lab nat -c 'client ping -c 1 10.0.2.80' -c 'client curl -s -o /x http://www.server.com/small.html' -c 'lab wait 1s' -c 'home conntrack -L' -c 'home conntrack -C' -c 'home conntrack -L -p tcp -o extended'
$ culver visit http://www.server.com/ --lab nat >story; grep -E 'nf_nat_packet|has come: client' story
# both homes use the same addresses; from one to the other's port, and from inside to it (hairpin)
$ culver lab nat -c 'friend curl -s -o /x http://10.0.1.20:8080/small.html' -c 'client curl -s -o /x http://10.0.1.20:8080/small.html' -c 'lab wait 1s' -c 'home conntrack -L -g' -c 'home2 conntrack -L' -c 'home iptables -t nat -S'
# bounds and refusals
$ culver lab nat -c 'home sysctl net.netfilter.nf_conntrack_max net.netfilter.nf_conntrack_host_max net.netfilter.nf_conntrack_count' -c 'home sysctl -w net.netfilter.nf_conntrack_max=0' -c 'home conntrack -D -p udp' -c 'home conntrack -F'
$ cat >bad.clab.yml <<'X'
> name: bad
> topology:
>   nodes:
>     r: {config: {vars: {nat: {out: [eth9]}}}}
> X
> culver lab bad.clab.yml -c 'r ip link'
$ sed 's/out: .eth9./forward: [tcp 0 10.0.0.1:80]/' bad.clab.yml >bad2.clab.yml; culver lab bad2.clab.yml -c 'r ip link'
$ sed 's/out: .eth9./forward: [sctp 80 10.0.0.1:80]/' bad.clab.yml >bad3.clab.yml; culver lab bad3.clab.yml -c 'r ip link'

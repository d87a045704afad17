# culver lives: lo beside a cable; lab lives: the hosts' books.

$ culver lives --size 1000 | cut -c1-68
                                    datagram 100       datagram 4000
                                    lo     cable        lo     cable
system calls                        11        11        11        11
TCP segments sent                    0         0         0         0
TCP segments received                0         0         0         0
UDP datagrams received               1         1         1         1
IP output                            1         1         1         1
IP input                             1         1         1         3
netfilter hooks                      4         4         4         6
neighbour output                     1         1         1         3
device layer                         1         1         1         3
queue discipline                     0         1         0         3
driver: loopback_xmit                1         0         1         0
driver: igb_xmit_frame               0         1         0         3
CPU's backlog                        1         0         1         0
DMA mappings made                    0         3         0        25
transmit descriptors                 0         1         0         3
doorbells                            0         1         0         3
frames on the cable                  0         1         0         3
interrupts                           0         2         0         4
softirq polls of a NIC               0         2         0         4
softirq polls of a backlog           1         0         1         0
octets summed by a NIC               0         0         0         0
octets summed by the CPU             0       208         0     12016
octets, program to skb             100       100      4000      4000
octets, skb to program             101       101      4001      4001
real copies in between               0         0         0         0
octets that they copied              0         0         0         0
clones                               0         0         0         0
skbs allocated                       1         2         1         6
skbs consumed                        1         2         1         6
skbs dropped                         0         0         0         0
skbs still queued                    0         0         0         0
$ culver lives --json --size 5 | tr '{' '\n' | sed -n -E 's/^"what": ("[^"]*"), ("octets": [0-9]+), ("way": "[^"]*").*("skbs still queued": [0-9]+)\}.*/\1 \2 \3 \4/p'
"datagram" "octets": 100 "way": "lo" "skbs still queued": 0
"datagram" "octets": 100 "way": "cable" "skbs still queued": 0
"datagram" "octets": 4000 "way": "lo" "skbs still queued": 0
"datagram" "octets": 4000 "way": "cable" "skbs still queued": 0
"TCP" "octets": 5 "way": "lo" "skbs still queued": 0
"TCP" "octets": 5 "way": "cable" "skbs still queued": 0
$ culver lab pair -c 'a ping -c 1 10.0.0.2' -c 'lab lives' | tail -3
host              allocated   consumed  dropped  queued   clones  copies     copied    from-user      to-user
a                         5          5        0       0        1       0          0           64           84
b                         4          3        0       1        0       1         56            0            0
# usage
$ culver lives here
culver: lives: it takes options only, not 'here' (see: culver help lives)
? 2
$ culver lives --size 0
culver: lives: --size needs a whole number from 1 to 100000000, not '0' (see: culver help lives)
? 2
$ culver lives --size
culver: lives: option --size needs a value (see: culver help lives)
? 2

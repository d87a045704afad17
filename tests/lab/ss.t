# ss: states, expressions, memory
$ culver lab pair -c 'b nc -l 99 &' -c 'a nc 10.0.0.2 99 &' -c 'lab wait 100ms' -c 'b ss -tan' -c 'a ss -tn state established' -c 'b ss -n state listening' -c 'b ss -tan exclude listening' -c 'b ss -tnH sport = :99' -c 'b ss -tnH dport = :99' -c 'b ss -tnH ( sport = :98 or src 10.0.0.0/8 ) and not dst 10.0.0.3' -c 'b ss -tnHm dst 10.0.0.1'
State      Recv-Q Send-Q    Local Address:Port     Peer Address:Port Process
LISTEN     0      5                 0.0.0.0:99             0.0.0.0:*
ESTAB      0      0                10.0.0.2:99        10.0.0.1:53970
Recv-Q Send-Q    Local Address:Port     Peer Address:Port Process
0      0             10.0.0.1:53970           10.0.0.2:99
Netid Recv-Q Send-Q    Local Address:Port     Peer Address:Port Process
tcp   0      5                 0.0.0.0:99             0.0.0.0:*
State      Recv-Q Send-Q    Local Address:Port     Peer Address:Port Process
ESTAB      0      0                10.0.0.2:99        10.0.0.1:53970
ESTAB      0      0                10.0.0.2:99        10.0.0.1:53970
ESTAB      0      0                10.0.0.2:99        10.0.0.1:53970
ESTAB      0      0                10.0.0.2:99        10.0.0.1:53970
	 skmem:(r0,rb131072,t0,tb87040,f0,w0,o0,bl0,d0)
$ culver lab pair -c 'a ss state bogus'; echo $?
ss: wrong state name: bogus
? 255
$ culver lab pair -c 'a ss -tn foo'; echo $?
Error: an inet prefix is expected rather than "foo".
Cannot parse dst/src address.
? 1
$ culver lab pair -c 'a ss -tn dport = x'; echo $?
Error: "x" does not look like a port.
Cannot parse dst/src address.
? 1
$ culver lab pair -c 'a ss -tn ( dport = :1'; echo $?
ss: syntax error in the filter
? 255
$ culver lab pair -c 'a ss -tn dport = :1 )'; echo $?
ss: syntax error in the filter
? 255
$ culver lab pair -c 'a ss -tn not'; echo $?
ss: syntax error in the filter
? 255

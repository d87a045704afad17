# ip tcp_metrics: what a host remembers of its peers
$ culver lab internet -c 'client curl -s -o /dev/null http://www.server.com/small.html' -c 'www ip tcp_metrics' -c 'www sysctl -w net.ipv4.tcp_no_metrics_save=1' -c 'client curl -s -o /dev/null http://www.server.com/small.html' -c 'lab wait 2s' -c 'client ip tcp_metrics show' -c 'client ip tcp_metrics show 10.0.0.0/8' -c 'client ip tcp_metrics show 10.0.2.80' -c 'client ip tcp_metrics show src 10.0.9.0/24' -c 'client ip tcp_metrics delete 10.0.2.80' -c 'client ip tcp_metrics'
net.ipv4.tcp_no_metrics_save = 1
10.0.2.80 age 1.995sec cwnd 10 rtt 4426us rttvar 3631us source 10.0.1.10
10.0.2.80 age 1.995sec cwnd 10 rtt 4426us rttvar 3631us source 10.0.1.10
10.0.2.80 age 1.995sec cwnd 10 rtt 4426us rttvar 3631us source 10.0.1.10
$ culver lab pair -c 'a ip tcp_metrics show 10.9.9.9'; echo $?
RTNETLINK answers: No such process
? 2
$ culver lab pair -c 'a ip tcp_metrics delete'; echo $?
Error: argument "address" is required
? 255
$ culver lab pair -c 'a ip tcp_metrics delete 10.0.0.0/8'; echo $?
Error: a specific IP address is expected rather than "10.0.0.0/8"
? 1
$ culver lab pair -c 'a ip tcp_metrics show x'; echo $?
Error: any valid prefix is expected rather than "x".
? 1
$ culver lab pair -c 'a ip tcp_metrics flush 10.0.0.0/8'; echo $?
Nothing to flush.
0
$ culver lab pair -c 'a ip tcp_metrics flush all'; echo $?
0
$ culver lab pair -c 'a ip tcp_metrics blah'; echo $?
Command "blah" is unknown, try "ip tcp_metrics help".
? 255
$ culver lab pair -c 'a ip tcp_metrics help'; echo $?
Usage:	ip tcp_metrics/tcpmetrics { COMMAND | help }
	ip tcp_metrics { show | flush } SELECTOR
	ip tcp_metrics delete [ address ] ADDRESS
SELECTOR := [ [ address ] PREFIX ]
? 255

# culver drill: what a script that fails says, and of what is wrong with a script.

$ cat >ok.pkt <<'X'
> 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
> +0 bind(3, ..., ...) = 0
> +0 listen(3, 1) = 0
> +0 < S 0:0(0) win 9000 <mss 1000>
> +0 > S. 0:0(0) ack 1 <mss 1460>
> X
> culver drill ok.pkt
$ culver drill - <ok.pkt
$ cat ok.pkt | culver drill /dev/fd/0
$ (printf '\357\273\277'; sed 's/$/\r/' ok.pkt) | culver drill -
$ (cat ok.pkt; echo nonsense) | culver drill -
-:6: syntax error: an event begins with a time
? 2
$ culver drill
culver: drill: which script? a file, or a folder of them, as in: drill tests/packet (see: culver help drill)
? 2
$ culver drill nosuch.pkt
culver: drill: nosuch.pkt: No such file or directory
? 2
$ culver drill --nosuch ok.pkt
culver: drill: unknown option --nosuch (see: culver help drill)
? 2
$ culver drill --mtu=9 ok.pkt
culver: drill: option --mtu needs a whole number from 68 to 65535, not '9' (see: culver help drill)
? 2
$ mkdir empty; culver drill empty
culver: drill: no *.pkt in that folder (see: culver help drill)
? 2
$ printf '0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 socket(..., NOT_A_TYPE, 0) = 4\n' >x.pkt; culver drill x.pkt
x.pkt:2: unknown symbol: 'NOT_A_TYPE'
? 2
$ printf '0 shoot(3) = 0\n' >x.pkt; culver drill x.pkt
x.pkt:1: unknown system call: 'shoot'
? 2
$ printf '0 < S 0:1(0) win 5\n' >x.pkt; culver drill x.pkt
x.pkt:1: inconsistent TCP sequence numbers and payload size
? 2
$ printf '0 < S 0:0(0) <mss 10\n' >x.pkt; culver drill x.pkt
x.pkt:2: syntax error: expected '>' but the file ends
? 2
$ printf -- '--ip_version=ipv6\n0 close(3) = 0\n' >six.pkt; culver drill six.pkt
six.pkt:2: it needs IPv6, which culver has not: skipped
$ printf '0 > gre ipv4 1.1.1.1 > 2.2.2.2: . 1:1(0)\n' >gre.pkt; culver drill gre.pkt
gre.pkt:1: it needs encapsulation (GRE, GUE, MPLS, IP in IP), which culver has not: skipped
# one line for each field that is not as the script says

$ (cat ok.pkt; printf '+.1 < . 1:1(0) ack 1 win 9000\n+0 accept(3, ..., ...) = 4\n+0 write(4, ..., 100) = 100\n') >open.pkt; culver drill open.pkt
$ (cat open.pkt; echo '+0 > P. 1:101(100) ack 1 win 77') >x.pkt; culver drill x.pkt
x.pkt:9: error handling packet: live packet field tcp_window: expected: 77 (0x4d) vs actual: 64240 (0xfaf0)
script packet: 0.100000 P. 1:101(100) ack 1 win 77 
actual packet: 0.100000 P. 1:101(100) ack 1 win 64240 
? 1
$ (cat open.pkt; echo '+0 > . 1:101(100) ack 1') >x.pkt; culver drill x.pkt
x.pkt:9: error handling packet: live packet field tcp_psh: expected: 0 (0x0) vs actual: 1 (0x1)
script packet: 0.100000 . 1:101(100) ack 1 
actual packet: 0.100000 P. 1:101(100) ack 1 win 64240 
? 1
$ (cat open.pkt; echo '+0 > P. 1:101(100) ack 2') >x.pkt; culver drill x.pkt
x.pkt:9: error handling packet: live packet field tcp_ack_seq: expected: 2 (0x2) vs actual: 1 (0x1)
script packet: 0.100000 P. 1:101(100) ack 2 
actual packet: 0.100000 P. 1:101(100) ack 1 win 64240 
? 1
$ (cat open.pkt; echo '+0 > P. 1:201(200) ack 1') >x.pkt; culver drill x.pkt
x.pkt:9: error handling packet: live packet field tcp_payload_length: expected: 200 (0xc8) vs actual: 100 (0x64)
script packet: 0.100000 P. 1:201(200) ack 1 
actual packet: 0.100000 P. 1:101(100) ack 1 win 64240 
? 1
$ (cat open.pkt; echo '+0 > P. 1:101(100) ack 1 <nop,nop,TS val 5 ecr 6>') >x.pkt; culver drill x.pkt
x.pkt:9: error handling packet: bad outbound TCP options
script packet: 0.100000 P. 1:101(100) ack 1 <nop,nop,TS val 5 ecr 6>
actual packet: 0.100000 P. 1:101(100) ack 1 win 64240 
? 1
$ (cat open.pkt; echo '+0 > [ect0] P. 1:101(100) ack 1') >x.pkt; culver drill x.pkt
x.pkt:9: error handling packet: live packet field ip_ecn: expected: 0x2 vs actual: 0x0
script packet: 0.100000 [ect0] P. 1:101(100) ack 1 
actual packet: 0.100000 P. 1:101(100) ack 1 win 64240 
? 1
$ (cat open.pkt; echo '+.2 > P. 1:101(100) ack 1') >x.pkt; culver drill x.pkt
x.pkt:9: error handling packet: timing error: expected outbound packet at 0.300000 sec but happened at 0.100000 sec; tolerance 0.004000 sec
script packet: 0.300000 P. 1:101(100) ack 1 
actual packet: 0.100000 P. 1:101(100) ack 1 win 64240 
? 1
$ (cat open.pkt; echo '+.2~+.3 > P. 1:101(100) ack 1') >x.pkt; culver drill x.pkt
x.pkt:9: error handling packet: timing error: expected outbound packet in relative time range from 0.300000 to 0.400000 sec but happened at 0.100000 sec
script packet: 0.300000 P. 1:101(100) ack 1 
actual packet: 0.100000 P. 1:101(100) ack 1 win 64240 
? 1
$ (cat open.pkt; printf '+0 > P. 1:101(100) ack 1\n+0 > . 101:201(100) ack 1\n') >x.pkt; culver drill x.pkt
x.pkt:10: error handling packet: live packet field tcp_psh: expected: 0 (0x0) vs actual: 1 (0x1)
script packet: 0.100000 . 101:201(100) ack 1 
actual packet: 0.400000 P. 1:101(100) ack 1 win 64240 
? 1
$ (cat open.pkt; echo '+0 read(4, ..., 100) = 5') >x.pkt; culver drill --tolerance_usecs=1 x.pkt
x.pkt:9: runtime error in read call: Expected result 5 but got -1 with errno 110 (Connection timed out)
? 1
$ (cat open.pkt; echo '+0 write(3, ..., 100) = -1 EBADF (Bad file descriptor)') >x.pkt; culver drill x.pkt
x.pkt:9: runtime error in write call: Expected errno 9 (Bad file descriptor) but got 32 (Broken pipe)
? 1
$ (cat open.pkt; echo '+0 getsockopt(4, SOL_TCP, TCP_MAXSEG, [999], [4]) = 0') >x.pkt; culver drill x.pkt
x.pkt:9: runtime error in getsockopt call: Bad getsockopt optval: expected: 999 actual: 1000
? 1
$ (cat open.pkt; echo '+0...0.5 read(4, ..., 10) = 10') >x.pkt; culver drill x.pkt
x.pkt:9: runtime error in read call: expected its return at 0.600000 sec, but it still blocks
? 1
$ (cat open.pkt; printf '+0 %%{\n\nassert tcpi_snd_cwnd == 11, "window %%d" %% tcpi_snd_cwnd }%%\n') >x.pkt; culver drill x.pkt
x.pkt:11: error executing code: assertion failed: tcpi_snd_cwnd == 11: window 10
? 1
$ (cat open.pkt; echo '+0 %{ print(tcpi_snd_cwnd, tcpi_state == TCP_ESTABLISHED) }%') >x.pkt; culver drill x.pkt
10 True
# errors that are told and forgiven; telling of everything; several scripts

$ (cat open.pkt; echo '+0 write(3, ..., 100) = 100') >x.pkt; culver drill --non_fatal=syscall x.pkt
x.pkt:9: runtime error in write call: Expected result 100 but got -1 with errno 32 (Broken pipe)
$ culver drill --verbose -D A=5 open.pkt
open.pkt:1: 0.000000 call socket()
open.pkt:2: 0.000000 call bind()
open.pkt:3: 0.000000 call listen()
open.pkt:4: 0.000000 < S 0:0(0) win 9000 <mss 1000>
open.pkt:5: 0.000000 > S. 0:0(0) ack 1 <mss 1460>
open.pkt:6: 0.100000 < . 1:1(0) ack 1 win 9000 
open.pkt:7: 0.100000 call accept()
open.pkt:8: 0.100000 call write()
$ mkdir some; cp ok.pkt six.pkt some; (cat open.pkt; echo '+0 close(9) = 0') >some/x.pkt; culver drill some
some/six.pkt:2: it needs IPv6, which culver has not: skipped
some/x.pkt:9: runtime error in close call: Expected result 0 but got -1 with errno 9 (Bad file descriptor)
1 passed, 1 failed, 1 skipped
? 1
$ culver drill --json some
{"script": "some/ok.pkt", "result": "passed", "text": ""}
{"script": "some/six.pkt", "result": "skipped", "text": "some/six.pkt:2: it needs IPv6, which culver has not\n"}
{"script": "some/x.pkt", "result": "failed", "text": "some/x.pkt:9: runtime error in close call: Expected result 0 but got -1 with errno 9 (Bad file descriptor)\n"}
? 1
$ printf '0 foo' >some/y.pkt; culver drill --dry_run some
some/six.pkt:2: it needs IPv6, which culver has not: skipped
some/y.pkt:1: syntax error: expected '(' but the file ends
2 passed, 0 failed, 1 skipped, 1 wrong
? 2
# what was left out of a command is told where the script fails; the command whose status it is; fields of tcp_info; codes of ICMP

$ (cat open.pkt; printf '+0 `kldload -n tcp_rack\ntrue`\n+0 close(9) = 0\n') >x.pkt; culver drill x.pkt
x.pkt:11: runtime error in close call: Expected result 0 but got -1 with errno 9 (Bad file descriptor)
x.pkt:9: note: 'kldload' has no meaning here, and is left out
? 1
$ (cat open.pkt; printf '+0 `sysctl -q net.ipv4.tcp_sack=1\n nstat -n\n [ $(sysctl -n net.ipv4.tcp_sack) = 0 ]`\n') >x.pkt; culver drill x.pkt
x.pkt:9: error executing `sysctl -q net.ipv4.tcp_sack=1` command: non-zero status 1, of: [ 1 = 0 ]
? 1
$ (cat open.pkt; echo '+0 getsockopt(4, SOL_TCP, TCP_INFO, {tcpi_state=TCP_ESTABLISHED, tcpi_snd_cwnd=11}, ...) = 0') >x.pkt; culver drill x.pkt
x.pkt:9: runtime error in getsockopt call: Bad getsockopt optval: tcpi_snd_cwnd: expected: 11 actual: 10
? 1
$ (cat open.pkt; echo '+0 getsockopt(4, SOL_TCP, TCP_INFO, {tcpi_cwnd=11}, ...) = 0') >x.pkt; culver drill x.pkt
x.pkt:9: runtime error in getsockopt call: Bad getsockopt optval: there is no tcpi_cwnd in what came back
? 1
$ (cat open.pkt; echo '+0 < icmp unreachable nobody_home [1:1(0)]') >x.pkt; culver drill x.pkt
x.pkt:9: unknown ICMP code 'nobody_home' (a number will do)
? 2
$ (cat open.pkt; echo '+0 > P. 1:101(100) ack 1 win * <nop,...>') >x.pkt; culver drill x.pkt
x.pkt:9: error handling packet: bad outbound TCP options
script packet: 0.100000 P. 1:101(100) ack 1 <nop,...>
actual packet: 0.100000 P. 1:101(100) ack 1 win 64240 
? 1

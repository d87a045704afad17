# a DROP rule in each hook of the loopback road stops the packet at a different place (S1-23, S1-24, S2-79)
$ for h in 'filter OUTPUT' 'mangle POSTROUTING' 'raw PREROUTING' 'filter INPUT'; do set -- $h
>   culver lab internet -c "client iptables -t $1 -A $2 -p icmp -d 127.0.0.1 -j DROP" -c 'client ping -c 1 -W 1 127.0.0.1' -c "client iptables -t $1 -L $2 -n -v" -c 'client ip -s link show lo' 2>&1 | grep -E 'sendmsg|received|DROP|^ +[0-9]+ +[0-9]+ +0 .* 0 $' || true
> done
ping: sendmsg: Operation not permitted
1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 0ms
    1    84 DROP       icmp --  *      *       0.0.0.0/0            127.0.0.1           
             0       0      0       0       0       0 
             0       0      0       0       0       0 
ping: sendmsg: Operation not permitted
1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 0ms
    1    84 DROP       icmp --  *      *       0.0.0.0/0            127.0.0.1           
             0       0      0       0       0       0 
             0       0      0       0       0       0 
1 packets transmitted, 0 received, 100% packet loss, time 0ms
    1    84 DROP       icmp --  *      *       0.0.0.0/0            127.0.0.1           
            84       1      0       0       0       0 
            84       1      0       0       0       0 
1 packets transmitted, 0 received, 100% packet loss, time 0ms
    1    84 DROP       icmp --  *      *       0.0.0.0/0            127.0.0.1           
            84       1      0       0       0       0 
            84       1      0       0       0       0 

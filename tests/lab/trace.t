# culver trace: what an --out folder tells.

$ culver visit http://www.server.com/small.html --out d >story && ls d d/wire | xargs && cmp story d/story.txt && head -1 d/page.body
d: events.jsonl events.schema.json page.body steps.pcapng story.txt wire wire.pcapng d/wire: alice-eth1.pcapng bob-eth1.pcapng client-eth1.pcapng com-eth1.pcapng dns-eth1.pcapng ns-eth1.pcapng r1-eth1.pcapng r1-eth2.pcapng r2-eth1.pcapng r2-eth2.pcapng r3-eth1.pcapng r3-eth2.pcapng root-eth1.pcapng sw1-p1.pcapng sw1-p2.pcapng sw1-p3.pcapng sw1-p4.pcapng sw2-p1.pcapng sw2-p2.pcapng sw2-p3.pcapng sw3-p1.pcapng sw3-p2.pcapng sw3-p3.pcapng sw3-p4.pcapng sw4-p1.pcapng sw4-p2.pcapng sw4-p3.pcapng www-eth1.pcapng
<!DOCTYPE html>
# the first frame of all: every octet
$ culver trace d --wire 1
frame 1, sent by client:eth1 at 0.001001000, packet 2
cable
  preamble           55 55 55 55 55 55 55     bits in turn, for the receiver's clock
  SFD                d5                       here the frame begins
Ethernet
  destination        ff ff ff ff ff ff        ff:ff:ff:ff:ff:ff (all)
  source             02 c0 da 9a ea 3a        02:c0:da:9a:ea:3a
  type               08 06                    ARP
ARP
  hardware           00 01                    1 Ethernet
  protocol           08 00                    IPv4
  hardware length    06                       6
  protocol length    04                       4
  operation          00 01                    1 who has
  sender MAC         02 c0 da 9a ea 3a        02:c0:da:9a:ea:3a
  sender IP          0a 00 01 0a              10.0.1.10
  target MAC         00 00 00 00 00 00        00:00:00:00:00:00
  target IP          0a 00 01 35              10.0.1.53
padding, 18 octets
  0000  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................
  0010  00 00                                            ..
cable
  FCS                2e db 8c a4              right
# a packet's calls: the client's SYN, from the system call to its NIC
$ n=$(sed -n 's/.*sends SYN from .*\[packet \([0-9]*\),.*/\1/p' story); culver trace d --packet $n | sed -n -E 's/^[0-9.]+ client     //p' | grep -v -- '- ' | head -40
__sys_connect()
  inet_stream_connect()
    __inet_stream_connect()
      tcp_v4_connect()
        tcp_connect()
          __tcp_transmit_skb()
            __ip_queue_xmit()
              ip_local_out()
                __ip_local_out()
                  ip_output()
                    ip_finish_output()
                      ip_finish_output2()
                        __ipv4_neigh_lookup_noref()
                        neigh_output()
                          neigh_resolve_output()
                            arp_solicit()
                              arp_send()
do_softirq()
  net_rx_action()
    igb_poll()
      igb_clean_rx_irq()
        napi_gro_receive()
          netif_receive_skb()
            __netif_receive_skb()
              __netif_receive_skb_core()
                arp_rcv()
                  arp_process()
                    neigh_update()
                      neigh_connected_output()
                        eth_header()
                        dev_queue_xmit()
                          __dev_queue_xmit()
                            __dev_xmit_skb()
                              __qdisc_run()
                                qdisc_restart()
                                  sch_direct_xmit()
                                    dev_hard_start_xmit()
                                      igb_xmit_frame()
                                        dma_map_single()
do_softirq()
# where it reached the server's TCP, innermost first; and with the names of Linux 3.x, without what that inlines
$ n=$(sed -n 's/.*sends SYN from .*\[packet \([0-9]*\),.*/\1/p' story); culver trace d --packet $n --stack --at tcp_v4_rcv | sed -E 's/packet [0-9]+/packet N/; s/at [0-9.]+/at T/'
packet N on www at T, innermost first
tcp_v4_rcv
ip_local_deliver_finish
ip_local_deliver
ip_rcv_finish
ip_rcv
__netif_receive_skb_core
__netif_receive_skb
netif_receive_skb
napi_gro_receive
igb_clean_rx_irq
igb_poll
net_rx_action
do_softirq
$ n=$(sed -n 's/.*sends SYN from .*\[packet \([0-9]*\),.*/\1/p' story); culver trace d --packet $n --stack --at igb_xmit_frame --names 3.x | sed -E 's/packet [0-9]+/packet N/; s/at [0-9.]+/at T/'
packet N on client at T, innermost first
igb_xmit_frame
dev_hard_start_xmit
sch_direct_xmit
qdisc_restart
__qdisc_run
__dev_xmit_skb
dev_queue_xmit
neigh_connected_output
neigh_update
arp_process
arp_rcv
__netif_receive_skb_core
__netif_receive_skb
netif_receive_skb
napi_gro_receive
igb_clean_rx_irq
igb_poll
net_rx_action
do_softirq

# who died of what
$ culver trace d --drops | sed -E 's/^[0-9.]+ //; s/packet [0-9]+/packet N/' | sort | uniq -c | sort -k2
      2 alice      arp_rcv packet N: ARP_NOT_FOR_US, an ARP packet that asks for somebody else
      3 bob        arp_rcv packet N: ARP_NOT_FOR_US, an ARP packet that asks for somebody else
      1 client     skb_queue_purge_reason packet N: SOCKET_CLOSE, the socket was closed with it still queued
      1 com        arp_rcv packet N: ARP_NOT_FOR_US, an ARP packet that asks for somebody else
      1 r1         arp_rcv packet N: ARP_NOT_FOR_US, an ARP packet that asks for somebody else
      1 r2         arp_rcv packet N: ARP_NOT_FOR_US, an ARP packet that asks for somebody else
      1 www        arp_rcv packet N: ARP_NOT_FOR_US, an ARP packet that asks for somebody else
# what is not there
$ culver trace d --packet 999999
culver: trace: d/events.jsonl: nothing of packet 999999
? 2
$ culver trace d --wire 999999
culver: trace: d/wire.pcapng: there is no frame 999999: the last is 186
? 2
$ culver trace nosuch
culver: trace: nosuch/events.jsonl: No such file or directory
? 2
$ culver trace
culver: trace: which folder? one that --out wrote (see: culver help trace)
? 2
$ culver trace d --stack
culver: trace: --stack needs --packet N (see: culver help trace)
? 2
$ culver trace d --names 5.x
culver: trace: --names takes now, 3.x or 4.x, not '5.x' (see: culver help trace)
? 2
$ echo '{' >d/events.jsonl; culver trace d
culver: trace: d/events.jsonl:1: not an event of culver's
? 2
$ head -c 1000 d/wire.pcapng >x; mv x d/wire.pcapng; culver trace d --wire 9
culver: trace: d/wire.pcapng: the file is cut off or damaged
? 2

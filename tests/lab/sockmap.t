# The socket map: the same request on host stack and on host map.

$ culver lab sockmap -c 'stack curl -s -o /x http://127.0.0.1/small.html' -c 'map curl -s -o /x http://127.0.0.1/small.html' -c 'stack cat /proc/net/sockmap' -c 'map cat /proc/net/sockmap' --out d
sockets 0 pairs 0 joined 0 messages 0 octets 0 by_tcp 0
sockets 0 pairs 0 joined 1 messages 2 octets 513 by_tcp 0
$ culver trace d --packet 4
0.000000000 stack      __sys_sendto()
0.000000000 stack        sock_sendmsg()
0.000000000 stack          inet_sendmsg()
0.000000000 stack            tcp_sendmsg()
0.000000000 stack              - born size=2208
0.000000000 stack              - copy len=87 from=user to=skb
0.000000000 stack              __tcp_push_pending_frames()
0.000000000 stack                tcp_write_xmit()
0.000000000 stack                  __tcp_transmit_skb()
0.000000000 stack                    - clone dataref=2
0.000000000 stack                    __ip_queue_xmit()
0.000000000 stack                      ip_local_out()
0.000000000 stack                        __ip_local_out()
0.000000000 stack                          - hook hook=LOCAL_OUT in= out=lo verdict=ACCEPT
0.000000000 stack                          ip_output()
0.000000000 stack                            - hook hook=POST_ROUTING in= out=lo verdict=ACCEPT
0.000000000 stack                            ip_finish_output()
0.000000000 stack                              ip_finish_output2()
0.000000000 stack                                __ipv4_neigh_lookup_noref()
0.000000000 stack                                  - neigh nexthop=127.0.0.1 dev=lo hit
0.000000000 stack                                neigh_output()
0.000000000 stack                                  neigh_hh_output()
0.000000000 stack                                    dev_queue_xmit()
0.000000000 stack                                      __dev_queue_xmit()
0.000000000 stack                                        dev_hard_start_xmit()
0.000000000 stack                                          loopback_xmit()
0.000000000 stack                                            skb_orphan()
0.000000000 stack                                            eth_type_trans()
0.000000000 stack                                            __netif_rx()
0.000000000 stack                                              netif_rx_internal()
0.000000000 stack                                                enqueue_to_backlog()
0.000000000 stack                                                  - queue queue=input_pkt_queue cpu=0 len=1
0.000003000 stack      do_softirq()
0.000003000 stack        net_rx_action()
0.000003000 stack          process_backlog()
0.000003000 stack            - dequeue queue=process_queue cpu=0 len=0
0.000003000 stack            __netif_receive_skb()
0.000003000 stack              __netif_receive_skb_core()
0.000003000 stack                ip_rcv()
0.000003000 stack                  - hook hook=PRE_ROUTING in=lo out= verdict=ACCEPT
0.000003000 stack                  ip_rcv_finish()
0.000003000 stack                    - route dst already valid, no input route lookup
0.000003000 stack                    ip_local_deliver()
0.000003000 stack                      - hook hook=LOCAL_IN in=lo out= verdict=ACCEPT
0.000003000 stack                      ip_local_deliver_finish()
0.000003000 stack                        tcp_v4_rcv()
0.000003000 stack                          tcp_v4_do_rcv()
0.000003000 stack                            tcp_rcv_established()
0.000003000 stack                              skb_orphan()
0.000003000 stack            __netif_receive_skb()
0.000003000 stack              __netif_receive_skb_core()
0.000003000 stack                ip_rcv()
0.000003000 stack                  ip_rcv_finish()
0.000003000 stack                    ip_local_deliver()
0.000003000 stack                      ip_local_deliver_finish()
0.000003000 stack                        tcp_v4_rcv()
0.000003000 stack                          tcp_v4_do_rcv()
0.000003000 stack                            tcp_rcv_established()
0.000003000 stack                              tcp_ack()
0.000003000 stack                                tcp_clean_rtx_queue()
0.000003000 stack                                  - consume len=87
0.000005000 stack      __sys_recvfrom()
0.000005000 stack        sock_recvmsg()
0.000005000 stack          inet_recvmsg()
0.000005000 stack            tcp_recvmsg()
0.000005000 stack              - copy len=87 from=skb to=user
0.000005000 stack              - consume len=87
$ culver trace d --packet 12
0.000007000 map        __sys_sendto()
0.000007000 map          sock_sendmsg()
0.000007000 map            inet_sendmsg()
0.000007000 map              tcp_bpf_sendmsg()
0.000007000 map                bpf_tcp_ingress()
0.000007000 map                  - born size=87
0.000007000 map                  sk_msg_memcopy_from_iter()
0.000007000 map                    - copy len=87 from=user to=skb
0.000007000 map                  sk_psock_queue_msg()
0.000007000 map                    skb_orphan()
0.000007000 map                    - queue queue=sk_receive_queue len=1 tcp=80:43190
0.000010000 map        __sys_recvfrom()
0.000010000 map          sock_recvmsg()
0.000010000 map            inet_recvmsg()
0.000010000 map              tcp_bpf_recvmsg()
0.000010000 map                tcp_recvmsg()
0.000010000 map                  - copy len=87 from=skb to=user
0.000010000 map                  - consume len=87

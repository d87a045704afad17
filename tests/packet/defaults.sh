#!/bin/sh
# What these scripts take for granted of the host under test; their own settings come after it.
ip tcp_metrics flush all > /dev/null 2>&1
sysctl -q net.ipv4.tcp_rmem="4096 540000 $((15*1024*1024))"
sysctl -q net.ipv4.tcp_wmem="4096 $((256*1024)) 4194304"
sysctl -q net.ipv4.tcp_no_metrics_save=1
sysctl -q net.ipv4.tcp_slow_start_after_idle=0
echo cubic > /proc/sys/net/ipv4/tcp_congestion_control

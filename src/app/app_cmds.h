/* The mains of the programs, for app.c's table. */
#ifndef APP_APP_CMDS_H
#define APP_APP_CMDS_H

#include "app/app.h"

int ping_main(struct task *t, int argc, char **argv);
int traceroute_main(struct task *t, int argc, char **argv);
int nc_main(struct task *t, int argc, char **argv);
int cat_main(struct task *t, int argc, char **argv);
int sysctl_main(struct task *t, int argc, char **argv);
int sleep_main(struct task *t, int argc, char **argv);
int iperf_main(struct task *t, int argc, char **argv);
int ip_main(struct task *t, int argc, char **argv);
int ifconfig_main(struct task *t, int argc, char **argv);
int route_main(struct task *t, int argc, char **argv);
int arp_main(struct task *t, int argc, char **argv);
int netstat_main(struct task *t, int argc, char **argv);
int ss_main(struct task *t, int argc, char **argv);
int nstat_main(struct task *t, int argc, char **argv);
int ethtool_main(struct task *t, int argc, char **argv);
int tc_main(struct task *t, int argc, char **argv);
int tcpdump_main(struct task *t, int argc, char **argv);
int conntrack_main(struct task *t, int argc, char **argv);
int iptables_main(struct task *t, int argc, char **argv);

#endif

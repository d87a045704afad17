/* The firewall's face: one line of iptables arguments in, an errno and text out.
 *
 * Registered as /proc/net/ip_tables. Writing a line ("-t filter -A INPUT -p tcp --dport 80 -j DROP", what would
 * stand behind "iptables") carries it out; reading the same descriptor then gives its answer: a listing for -L
 * and -S, the reason in iptables' words for a refusal. Reading without having written lists the filter table as
 * `iptables -L -n -v` does.
 *
 * Tables: filter (INPUT, FORWARD, OUTPUT), nat (PREROUTING, INPUT, OUTPUT, POSTROUTING), mangle (all five), raw (PREROUTING,
 * OUTPUT). A table hangs on its hooks from the first command that names it, so a host without firewall pays nothing.
 * Commands: -A -I [N] -D (rule or N) -R N -C -F -P -Z -L -S, with -v -n -x --line-numbers, and their long forms.
 * Matches: [!] -p -s -d -i -o, --sport --dport (N or N:M, with -p tcp or udp), --icmp-type (name, N or N/N), -m tcp,
 * udp, icmp (implied by -p), -m conntrack --ctstate, -m state --state, -m multiport --sports --dports --ports, -m addrtype
 * --src-type --dst-type. Targets: ACCEPT, DROP, RETURN (in these chains: the policy decides), REJECT --reject-with, SNAT
 * --to-source, DNAT --to-destination, MASQUERADE and REDIRECT --to-ports, with --random --random-fully --persistent; CT
 * --notrack. */
#ifndef NETFILTER_NF_TABLES_TEXT_H
#define NETFILTER_NF_TABLES_TEXT_H

#include "core/netfilter.h"

struct strbuf;
/* 0; -EINVAL (the line is wrong), -ENOENT (no such chain or rule), -ENOSPC (IPT_MAX_RULES), -E2BIG (line too
 * long). answer gets the listing, or one line that says why not. */
int iptables_command(struct net *net, const char *line, struct strbuf *answer);

extern const struct pernet_operations nf_conntrack_net_ops; /* after proc_net_ops and nf_net_ops */
extern const struct pernet_operations iptables_net_ops;	    /* after nf_conntrack_net_ops */

#endif

/* Rule tables: what a rule says, and what hangs where. For the files of netfilter/ only. */
#ifndef NETFILTER_IP_TABLES_H
#define NETFILTER_IP_TABLES_H

#include "base/strbuf.h"
#include "netfilter/nf_nat.h"

/* Rules of one chain: each packet walks them all in the worst case. */
#define IPT_MAX_RULES 1024u
#define IPT_IFNAME 16

enum ipt_target {
	IPT_NONE, IPT_ACCEPT, IPT_DROP, IPT_RETURN, IPT_REJECT, IPT_SNAT, IPT_DNAT, IPT_MASQUERADE, IPT_REDIRECT, IPT_CT
};
/* Which conditions are inverted ("!"). */
enum {
	IPT_INV_SRC = 1, IPT_INV_DST = 2, IPT_INV_IN = 4, IPT_INV_OUT = 8, IPT_INV_PROTO = 16, IPT_INV_SPORT = 32,
	IPT_INV_DPORT = 64, IPT_INV_ICMP = 128, IPT_INV_CT = 256, IPT_INV_MULTIPORT = 512, IPT_INV_SRC_TYPE = 1024,
	IPT_INV_DST_TYPE = 2048
};
enum {
	IPT_HAS_PROTO = 1, IPT_HAS_SPORT = 2, IPT_HAS_DPORT = 4, IPT_HAS_ICMP = 8, IPT_HAS_CTSTATE = 16, IPT_HAS_STATE = 32,
	IPT_HAS_SPORTS = 64, IPT_HAS_DPORTS = 128 /* both: --ports */, IPT_HAS_ADDRTYPE = 256
};
#define IPT_HAS_CT (IPT_HAS_CTSTATE | IPT_HAS_STATE)
#define IPT_HAS_MULTIPORT (IPT_HAS_SPORTS | IPT_HAS_DPORTS)
/* What a packet's connection can be (--ctstate, --state). */
enum {
	IPT_CT_INVALID = 1, IPT_CT_NEW = 2, IPT_CT_RELATED = 4, IPT_CT_ESTABLISHED = 8, IPT_CT_UNTRACKED = 16, IPT_CT_SNAT = 32,
	IPT_CT_DNAT = 64
};
#define IPT_MULTIPORTS 15 /* a range counts twice, as in Linux */
#define IPT_REJECT_TCP_RESET 0xff

/* What a rule says; compared as octets by -D and -C, so it is always zeroed first. */
struct ipt_spec {
	uint32_t src, src_mask, dst, dst_mask;
	char in[IPT_IFNAME], out[IPT_IFNAME]; /* "" any; a '+' at the end: any that begins so */
	uint16_t sport[2], dport[2];	      /* from, to */
	uint16_t has, inv;
	uint8_t proto, target;
	uint8_t icmp_type, icmp_code[2];
	uint8_t ctstate;
	uint8_t reject; /* ICMP code, or IPT_REJECT_TCP_RESET */
	uint8_t n_ports;
	uint16_t ports[IPT_MULTIPORTS];
	uint16_t port_ranges; /* bit i: ports[i] to ports[i + 1] */
	uint16_t src_type, dst_type; /* bits 1 << RTN_*, 0: any */
	struct nf_nat_range nat;
};

struct ipt_rule {
	struct ipt_spec spec;
	uint64_t packets, bytes;
};

struct ipt_chain {
	const char *name;
	const struct ipt_table *table;
	struct ipt_rule *rule;
	uint32_t n, room;
	uint8_t policy; /* IPT_ACCEPT or IPT_DROP */
	uint64_t packets, bytes; /* that the policy decided about */
	struct nf_hook_ops ops;
};

struct ipt_table {
	const char *name, *hook_name;
	struct net *net;
	int priority;
	bool loaded;
	uint32_t n;
	struct ipt_chain chain[NF_INET_NUMHOOKS];
};

enum { IPT_FILTER, IPT_NAT, IPT_MANGLE, IPT_RAW, IPT_TABLES };
struct ipt_net {
	struct ipt_table table[IPT_TABLES];
};

/* ipt_command.c */
int iptables_proc_init(struct net *net);

/* ip_tables.c */
struct ipt_table *ipt_table_get(struct net *net, const char *name); /* loads it; NULL: no such table */
struct ipt_chain *ipt_chain_find(struct ipt_table *t, const char *name);
/* Before rule at (n: append). 0 or -ENOSPC. */
int ipt_insert(struct ipt_chain *c, uint32_t at, const struct ipt_spec *spec);
void ipt_replace(struct ipt_chain *c, uint32_t at, const struct ipt_spec *spec);
void ipt_delete(struct ipt_chain *c, uint32_t at);
void ipt_flush(struct ipt_chain *c);
void ipt_zero(struct ipt_chain *c);
/* Index of a rule that says exactly this, or -1. */
int64_t ipt_find(const struct ipt_chain *c, const struct ipt_spec *spec);

/* ipt_rule.c: from words to a rule. */
struct ipt_words {
	char **w;
	size_t n, at;
};
/* Reads conditions and -j from words->at to the end. 0, or -EINVAL with the reason in err. */
int ipt_parse_spec(struct ipt_words *words, struct ipt_spec *spec, struct strbuf *err);
/* Is it an option that takes no word? */
bool ipt_opt_alone(const char *word);
/* "80", "1024:65535", ":1023", "1024:" with this sign between. 0 or -EINVAL. */
int ipt_parse_ports(const char *s, char sign, uint16_t range[2]);

enum ipt_opt {
	OPT_PROTO, OPT_SRC, OPT_DST, OPT_IN, OPT_OUT, OPT_SPORT, OPT_DPORT, OPT_ICMP, OPT_MATCH, OPT_JUMP, OPT_CTSTATE, OPT_STATE,
	OPT_SPORTS, OPT_DPORTS, OPT_PORTS, OPT_SRC_TYPE, OPT_DST_TYPE, OPT_TO_SOURCE, OPT_TO_DESTINATION, OPT_TO_PORTS, OPT_RANDOM,
	OPT_RANDOM_FULLY, OPT_PERSISTENT, OPT_REJECT_WITH, OPT_NOTRACK
};

/* ipt_match.c: -m conntrack, state, multiport, addrtype. */
bool ipt_match_parse(enum ipt_opt opt, const char *arg, struct ipt_spec *s);
/* Do the conditions of these matches hold? l4: ports of the packet, NULL: it has none. */
bool ipt_match_ext(const struct ipt_spec *s, const struct sk_buff *skb, const uint8_t *l4, const struct nf_hook_state *st);
void ipt_match_list(const struct ipt_spec *s, struct strbuf *out);
void ipt_match_save(const struct ipt_spec *s, struct strbuf *out);

/* ipt_target.c: -j. */
const char *ipt_target_name(uint8_t target);
uint8_t ipt_target_parse(const char *s);
bool ipt_target_option(enum ipt_opt opt, const char *arg, struct ipt_spec *s);
/* Is the rule's target right, with these options (bits 1 << enum ipt_opt)? NULL, or why not. */
const char *ipt_target_check(const struct ipt_spec *s, uint32_t seen);
/* May it stand in this chain? NULL, or why not. */
const char *ipt_target_place(const struct ipt_spec *s, const struct ipt_chain *c);
/* A verdict, or IPT_CONTINUE: the next rule. */
#define IPT_CONTINUE 0xfffffffeu
unsigned ipt_target_run(const struct ipt_spec *s, struct sk_buff *skb, const struct nf_hook_state *st);
void ipt_target_list(const struct ipt_spec *s, struct strbuf *out);
void ipt_target_save(const struct ipt_spec *s, struct strbuf *out);

/* ipt_list.c: from a rule to words. */
enum { IPT_FMT_VERBOSE = 1, IPT_FMT_NUMERIC = 2, IPT_FMT_EXACT = 4, IPT_FMT_LINES = 8 };
/* num: only this rule, and no head; 0: all. */
void ipt_list_chain(const struct ipt_chain *c, uint32_t num, unsigned fmt, struct strbuf *out);
void ipt_save_chain(const struct ipt_chain *c, uint32_t num, unsigned fmt, struct strbuf *out);
const char *ipt_proto_name(char buf[8], uint8_t proto);
const char *ipt_icmp_name(uint8_t type, const uint8_t code[2]);
/* 0, or -EINVAL. */
int ipt_icmp_parse(const char *s, uint8_t *type, uint8_t code[2]);

#endif

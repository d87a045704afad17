/* Rule tables: what a rule says, and what hangs where. For the files of netfilter/ only. */
#ifndef NETFILTER_IP_TABLES_H
#define NETFILTER_IP_TABLES_H

#include "base/strbuf.h"
#include "core/netfilter.h"

/* Rules of one chain: each packet walks them all in the worst case. */
#define IPT_MAX_RULES 1024u
#define IPT_IFNAME 16

enum ipt_target { IPT_NONE, IPT_ACCEPT, IPT_DROP, IPT_RETURN };
/* Which conditions are inverted ("!"). */
enum {
	IPT_INV_SRC = 1, IPT_INV_DST = 2, IPT_INV_IN = 4, IPT_INV_OUT = 8, IPT_INV_PROTO = 16, IPT_INV_SPORT = 32,
	IPT_INV_DPORT = 64, IPT_INV_ICMP = 128
};
enum { IPT_HAS_PROTO = 1, IPT_HAS_SPORT = 2, IPT_HAS_DPORT = 4, IPT_HAS_ICMP = 8 };

/* What a rule says; compared as octets by -D and -C, so it is always zeroed first. */
struct ipt_spec {
	uint32_t src, src_mask, dst, dst_mask;
	char in[IPT_IFNAME], out[IPT_IFNAME]; /* "" any; a '+' at the end: any that begins so */
	uint16_t sport[2], dport[2];	      /* from, to */
	uint8_t proto, has, inv, target;
	uint8_t icmp_type, icmp_code[2];
	uint8_t zero;
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
	int priority;
	bool loaded;
	uint32_t n;
	struct ipt_chain chain[NF_INET_NUMHOOKS];
};

#define IPT_TABLES 3
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
const char *ipt_target_name(uint8_t target);
uint8_t ipt_target_parse(const char *s);

/* ipt_list.c: from a rule to words. */
enum { IPT_FMT_VERBOSE = 1, IPT_FMT_NUMERIC = 2, IPT_FMT_EXACT = 4, IPT_FMT_LINES = 8 };
void ipt_list_chain(const struct ipt_chain *c, unsigned fmt, struct strbuf *out);
void ipt_save_chain(const struct ipt_chain *c, unsigned fmt, struct strbuf *out);
const char *ipt_proto_name(char buf[8], uint8_t proto);
const char *ipt_icmp_name(uint8_t type, const uint8_t code[2]);
/* 0, or -EINVAL. */
int ipt_icmp_parse(const char *s, uint8_t *type, uint8_t code[2]);

#endif

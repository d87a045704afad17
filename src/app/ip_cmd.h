/* The parts of the ip command. */
#ifndef APP_IP_CMD_H
#define APP_IP_CMD_H

#include "app/app_util.h"
#include "app/nlc.h"
#include "base/strbuf.h"

struct ip_cmd {
	struct task *t;
	struct nlc c;
	struct nlc_links links;
	bool stats, details, oneline, numeric, brief, inet; /* inet: -4, no link layer addresses in ip addr */
	const char *says; /* who speaks of a refusal: NULL (RTNETLINK answers), or the ioctl of net-tools */
	int argc; /* what is left */
	char **argv;
};

/* One command line for another program, which has a name of its own for the host's refusals. Exit code as ip's. */
int ip_run(struct task *t, int argc, char **argv, const char *says);
int ip_link_cmd(struct ip_cmd *ip);
int ip_addr_cmd(struct ip_cmd *ip);
int ip_route_cmd(struct ip_cmd *ip);
int ip_rule_cmd(struct ip_cmd *ip);
int ip_neigh_cmd(struct ip_cmd *ip);
int ip_maddr_cmd(struct ip_cmd *ip);
int ip_tcp_metrics_cmd(struct ip_cmd *ip);

/* Next word or NULL. */
static inline const char *ip_word(struct ip_cmd *ip)
{
	if (!ip->argc)
		return NULL;
	ip->argc--;
	return *ip->argv++;
}
/* Does w abbreviate full (as "a" for "addr")? */
bool ip_is(const char *w, const char *full);
/* Print "Error: ..." and return 255 (a bad command line) or "RTNETLINK answers: ..." and 2. */
int ip_usage(struct ip_cmd *ip, const char *what, const char *word);
int ip_answer(struct ip_cmd *ip, int err);
/* A command that OBJECT does not have: the line that ip(8) prints, with what there is. Returns the exit code. */
int ip_unknown(struct ip_cmd *ip, const char *command, const char *known);
/* The same as ip_dev below, in the words that ip(8) has where a device is to be shown. */
int ip_dev_shown(struct ip_cmd *ip, const char *name);
/* Device name to index; 0 with "Cannot find device" printed. */
int ip_dev(struct ip_cmd *ip, const char *name);
const char *rt_table_name(uint32_t id, char buf[12]);
int rt_table_parse(const char *s, uint32_t *id);
const char *rt_scope_name(uint8_t scope, char buf[12]);
int rt_scope_parse(const char *s, uint8_t *scope);
const char *rt_proto_name(uint8_t proto, char buf[12]);
int rt_proto_parse(const char *s, uint8_t *proto);
const char *rt_type_name(uint8_t type, char buf[12]);
int rt_type_parse(const char *s, uint8_t *type);

#endif

/* ss's filter words: states, and an expression over addresses and ports (ss(8), "STATE-FILTER" and "EXPRESSION"). */
#ifndef APP_SS_FILTER_H
#define APP_SS_FILTER_H

#include "core/task.h"

#define SS_FILTER_NODES 64

enum ss_op { SS_AND, SS_OR, SS_NOT, SS_SPORT, SS_DPORT, SS_SRC, SS_DST };
enum ss_cmp { SS_EQ, SS_NE, SS_GE, SS_LE, SS_GT, SS_LT };
struct ss_node {
	enum ss_op op;
	enum ss_cmp cmp;
	uint8_t a, b; /* of and, or, not: the nodes that it joins */
	uint32_t addr, mask;
	uint16_t port; /* 0: any */
};
struct ss_filter {
	uint32_t states; /* a bit for each state that the words name; 0: they name none */
	uint8_t n, root;
	bool has_expr;
	struct ss_node node[SS_FILTER_NODES];
};
struct ss_ends {
	uint32_t laddr, raddr;
	uint16_t lport, rport;
};

/* Parse the operands. 0, or ss's exit code after a line on stderr. */
int ss_filter_parse(struct ss_filter *f, struct task *t, char **argv, int argc);
bool ss_filter_match(const struct ss_filter *f, const struct ss_ends *e);
static inline bool ss_one_state(const struct ss_filter *f) { return f->states && !(f->states & (f->states - 1)); }

#endif

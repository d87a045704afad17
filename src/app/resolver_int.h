/* Inside the resolver: what its files share. */
#ifndef APP_RESOLVER_INT_H
#define APP_RESOLVER_INT_H

#include "app/resolver.h"

/* What is known of one server's behaviour. */
struct rinfra {
	struct hlist_node node;
	struct list_head lru;
	uint32_t addr;
	uint32_t inflight;
	uint32_t strikes;      /* timeouts in a row */
	uint64_t srtt_ns;      /* 0: never answered */
	uint64_t dead_until_ns;
	bool no_edns;
};
struct rinfra_table {
	struct hlist_head bucket[256];
	struct list_head lru;
	uint32_t n;
};
void rinfra_init(struct rinfra_table *t);
void rinfra_free(struct rinfra_table *t);
struct rinfra *rinfra_get(struct rinfra_table *t, uint32_t addr);
void rinfra_answered(struct rinfra *i, uint64_t rtt_ns);
void rinfra_timeout(struct rinfra *i, uint64_t now_ns);
/* How long to wait for the answer to the try-th query of a row. */
uint64_t rinfra_rto(const struct rinfra *i, unsigned tries);

/* A zone's servers as a job knows them. */
struct rdeleg {
	bool known;
	struct dname zone;
	unsigned n_ns, n_addrs, lookups;
	struct {
		struct dname name;
		bool resolved; /* its addresses are in the list, or cannot be had */
	} ns[RES_MAX_NS];
	struct {
		uint32_t addr;
		unsigned tries;
	} addr[RES_MAX_ADDRS];
};
void rdeleg_add_addrs(struct rdeleg *d, const struct rrset *a);

/* Upstream queries left, shared by a question and all its detours. */
struct rbudget {
	uint32_t refs, left;
};
enum rjob_why { WAIT_ALIAS, WAIT_NS };
struct rjob {
	struct resolver *r;
	struct hlist_node node;
	struct list_head all;
	uint64_t hash;
	struct dname name, cur; /* asked; where the aliases have led */
	uint16_t type;
	unsigned depth, links;
	struct ranswer ans;
	struct rbudget *budget;
	struct rdeleg d;
	struct rquery *q;
	struct rjob *waits_on;
	enum rjob_why why;
	struct list_head wait_node;  /* in waits_on->parents */
	struct list_head parents, waits;
	struct timer_list deadline;
	struct list_head ready;      /* in r->ready: to be run, or to end with verdict */
	int verdict;                 /* -1: run */
	unsigned height;             /* longest row of jobs that wait for this one */
};
struct rwait {
	struct list_head node;
	resolver_done done;
	void *arg;
	bool *gone;
};

struct rhint {
	struct dname name;
	struct rrset *a; /* NULL: no address given */
};
struct resolver {
	struct resolver_params p;
	const struct resolver_ops *ops;
	void *arg;
	uint64_t now_ns;
	struct rcache *cache;
	struct rinfra_table infra;
	struct timer_wheel wheel;
	uint8_t key[16];
	struct hlist_head bucket[1024];
	struct list_head jobs, ready;
	uint32_t n_jobs;
	struct rrset *hint_ns;
	struct rhint hint[RES_MAX_HINTS];
	unsigned n_hints;
	struct resolver_stats stats;
	uint8_t *scratch; /* DNS_RDATA_MAX */
};

/* resolver_chain.c: what cache and hints know. */
enum rlook { LOOK_DONE, LOOK_MISS };
/* Follow *cur through the cache, adding to a. LOOK_DONE: a is complete. */
enum rlook rchain_lookup(struct resolver *r, struct ranswer *a, struct dname *cur, uint16_t type,
			 unsigned *links);
void ranswer_add(struct ranswer *a, enum dns_section s, const struct dname *owner,
		 struct rrset *set, uint64_t expires_ns);
/* The deepest known delegation above name. */
void rdeleg_find(struct resolver *r, const struct dname *name, struct rdeleg *d);
bool rset_cname(const struct rrset *s, struct dname *to);
/* Addresses of a name server's name from cache or hints, of any rank; NULL: none. */
struct rrset *rchain_addrs(struct resolver *r, const struct dname *ns);

/* resolver_job.c */
void rjob_run(struct rjob *j);
void rjob_finish(struct rjob *j, unsigned rcode);
/* Ask the same server again, differently. */
void rjob_resend(struct rjob *j, uint32_t addr, bool tcp, bool edns);
void rjob_server_useless(struct rjob *j, uint32_t addr);
void rquery_end(struct rquery *q);
void rsay(struct resolver *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* resolver_msg.c: an accepted answer of q's server moves its job on. */
void rmsg_accept(struct rjob *j, const struct dns_msg *m, uint32_t addr, bool tcp, bool edns);

#endif

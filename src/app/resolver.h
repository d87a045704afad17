/* The recursive resolver without its sockets: questions in, queries out, messages in, answers out.
 * Time and chance are arguments, so that a test can be the whole internet. */
#ifndef APP_RESOLVER_H
#define APP_RESOLVER_H

#include "app/dns_build.h"
#include "app/dns_master.h"
#include "app/resolver_cache.h"
#include "base/timer.h"

#define RES_MAX_JOBS 2048          /* questions being worked on */
#define RES_BUDGET                                                                                 \
	64 /* upstream queries for one client's question, all detours included (DR-08, DR-10) */
#define RES_MAX_DEPTH 12           /* jobs waiting for jobs */
#define RES_MAX_LINKS 11           /* aliases in one answer (DR-07) */
#define RES_MAX_NS 16              /* name servers kept of one delegation */
#define RES_MAX_NS_LOOKUPS 5       /* of them, how many without glue are looked up (DR-08) */
#define RES_MAX_ADDRS 32
#define RES_TRIES 4                /* per server and delegation */
#define RES_BAD_MAX 10             /* forged-looking answers to one query before TCP (DR-05) */
#define RES_SERVER_INFLIGHT 200    /* queries outstanding to one server (DR-19) */
#define RES_JOB_NS (10 * NSEC_PER_SEC) /* an answer comes by then, or SERVFAIL (DR-12) */
#define RES_RTO_NS (800 * NSEC_PER_MSEC)
#define RES_RTO_MAX_NS (5 * NSEC_PER_SEC)
#define RES_TCP_NS (4 * NSEC_PER_SEC)
#define RES_INFRA_MAX 1024
#define RES_MAX_HINTS 13           /* root servers */
#define RES_ANSWER_SETS (RES_MAX_HINTS + 3)

struct resolver;
/* One query on its way to a server. */
struct rquery {
	struct rjob *job;
	uint32_t addr;
	bool tcp, edns;
	uint16_t id, bad;
	uint64_t sent_ns;
	struct dname qname; /* as sent: with its case */
	uint16_t type;
	uint8_t wire[DNS_UDP_MIN];
	uint16_t len;
	struct timer_list timer;
	void *port; /* the owner's: its socket */
};
struct resolver_ops {
	/* Send q->wire to q->addr port 53, from a port that nobody can guess, for UDP; by a new
	 * connection for TCP. 0, or -errno: the query has failed. */
	int (*send)(void *arg, struct rquery *q);
	/* q ends: close its socket. */
	void (*done)(void *arg, struct rquery *q);
	void (*random)(void *arg, void *out, size_t len);
	/* A step worth telling ("query www.server.com. A to 10.0.3.2 (zone .)"). May be NULL. */
	void (*say)(void *arg, const char *text);
};
struct resolver_params {
	bool use_0x20;        /* random case in queries, exact case wanted back (DR-06) */
	bool
	    prime; /* ask the root for its servers first instead of trusting the hints (RFC 8109) */
	bool filter_private;  /* addresses of private networks are cut from answers (DR-18) */
	uint64_t cache_bytes; /* 0: RCACHE_MAX_BYTES */
};
struct resolver_stats {
	uint64_t asked, cache_hits, queries, tcp_queries, timeouts, ignored, lame, servfail,
	    refused_full;
};
struct resolver *resolver_new(const struct resolver_params *p, const struct resolver_ops *ops,
			      void *arg, uint64_t now_ns);
void resolver_free(struct resolver *r);
/* One record of the root hints: NS of the root, or an address of such a server. 0, or -1 with why.
 */
int resolver_hint(struct resolver *r, const struct dns_record *rec, char *why, size_t room);
/* Whether there is a root to begin with. */
bool resolver_has_hints(const struct resolver *r);

/* What an answer consists of; borrowed for the call. */
struct ranswer_set {
	struct dname owner;
	struct rrset *set;
	uint64_t expires_ns;
	uint8_t section; /* DNS_AN, DNS_AUTH, DNS_AR */
};
struct ranswer {
	unsigned rcode;
	unsigned n;
	struct ranswer_set set[RES_ANSWER_SETS];
};
typedef void (*resolver_done)(void *arg, const struct ranswer *a);
/* Ask. done is called once, perhaps before this returns. The returned handle can be cancelled while
 * not done; NULL when done already. */
struct rwait;
struct rwait *resolver_ask(struct resolver *r, const struct dname *name, uint16_t type,
			   resolver_done done, void *arg, uint64_t now_ns);
void resolver_cancel(struct rwait *w);
/* From the cache and hints only (RD=0): true when that is an answer; else out holds the best
 * referral. */
bool resolver_peek(struct resolver *r, const struct dname *name, uint16_t type, struct ranswer *out,
		   uint64_t now_ns);
/* Release what resolver_peek held. */
void ranswer_clear(struct ranswer *a);
/* Into a message, TTLs counted down. */
void ranswer_fill(const struct ranswer *a, struct dns_out *o, uint64_t now_ns);

/* The owner got octets on q's socket. False: not an answer to q, keep listening (DR-01). After true
 * q is gone; p must outlive the call, though ops->done(q) happens in it. */
bool resolver_input(struct resolver *r, struct rquery *q, const uint8_t *p, size_t len,
		    uint64_t now_ns);
/* q's socket failed (refused, reset, no route). q is gone. */
void resolver_failed(struct resolver *r, struct rquery *q, uint64_t now_ns);
/* Next moment to call resolver_tick, TIME_NEVER if none. */
uint64_t resolver_next(struct resolver *r);
void resolver_tick(struct resolver *r, uint64_t now_ns);
struct rcache *resolver_cache(struct resolver *r);
const struct resolver_stats *resolver_stats(const struct resolver *r);

#endif

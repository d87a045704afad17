/* The stub resolver that programs call (getaddrinfo's work): hosts file, the host's cache, then the
 * name servers of resolv.conf. IPv4 only. */
#ifndef APP_STUB_H
#define APP_STUB_H

#include "app/dns_msg.h"
#include "core/task.h"

/* Errors are EAI_ values: negative. */
enum stub_error {
	STUB_NONAME = -2, /* there is no such name, or no address for it */
	STUB_AGAIN = -3,  /* no server answered, or it failed */
	STUB_FAIL = -4    /* the name cannot be one, or no server is configured */
};
const char *stub_strerror(int err);

enum stub_source { STUB_LITERAL, STUB_OS_CACHE, STUB_HOSTS, STUB_DNS };
#define STUB_MAX_ADDRS 16
struct stub_answer {
	enum stub_source source;
	unsigned n; /* 0 in the cache: the name is known not to exist */
	uint32_t addr[STUB_MAX_ADDRS];
	uint64_t expires_ns; /* of the host's clock; TIME_NEVER for literals and hosts lines */
	char canon[256];     /* canonical name: the end of the aliases */
};
/* Look a name up. 0, or a stub_error. Order: an address, the OS cache, then as /etc/nsswitch.conf
 * says ("files dns"). */
int stub_lookup(struct task *t, const char *host, struct stub_answer *out);
/* First address only. */
int stub_lookup4(struct task *t, const char *host, uint32_t *addr);

/* ---- what dig needs too ---- */

#define STUB_MAX_SERVERS 3
#define STUB_MAX_SEARCH 6
struct stub_conf {
	unsigned n_servers, n_search;
	uint32_t server[STUB_MAX_SERVERS];
	struct dname search[STUB_MAX_SEARCH];
	unsigned ndots, timeout_s, attempts;
	bool use_tcp, edns;
};
void stub_conf_read(struct task *t, struct stub_conf *c);
/* Parse resolv.conf's text. */
void stub_conf_parse(const char *text, struct stub_conf *c);

struct stub_exchange {
	uint32_t server;
	uint16_t port; /* 0: 53 */
	bool tcp, tcp_on_tc; /* with tcp_on_tc a truncated answer is asked for again by TCP */
	uint64_t timeout_ns;
};
/* Send a query, take its answer: same ID and question, from the server asked. reply: malloc'd
 * octets, checked; m is their view. 0; -ETIMEDOUT, -ECONNREFUSED or another -errno of the sockets.
 * *used_tcp may be NULL. */
int stub_exchange(struct task *t, const struct stub_exchange *x, const uint8_t *query, size_t len,
		  uint8_t **reply, struct dns_msg *m, bool *used_tcp);

/* ---- the OS cache: /run/oscache/hosts, a text file that all programs of a host share ---- */

#define OSCACHE_PATH "/run/oscache/hosts"
#define OSCACHE_MAX 256 /* names */
bool oscache_get(struct task *t, const char *name, struct stub_answer *out);
/* n == 0: the name is known not to exist until expires_ns. */
void oscache_put(struct task *t, const char *name, const struct stub_answer *a);
void oscache_flush(struct task *t);

/* ---- /etc/hosts ---- */

/* Addresses of name in hosts-file text. Count. */
unsigned stub_hosts_find(const char *text, const char *name, uint32_t *addr, unsigned room,
			 char canon[256]);
/* First name of an address. */
bool stub_hosts_reverse(const char *text, uint32_t addr, char canon[256]);

#endif

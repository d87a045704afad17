/* The resolver's control port: a word in, text out, on 127.0.0.1 only. */
#ifndef APP_DNS_CTL_H
#define APP_DNS_CTL_H

#include "app/web_loop.h"
#include "base/strbuf.h"

#define DNS_CTL_PORT 953
#define DNS_CTL_WORD 64
#define DNS_CTL_NS (5 * NSEC_PER_SEC)

/* One conversation at a time. */
struct dns_ctl {
	struct loop *l;
	struct loop_fd listener, conn;
	struct timer_list timer;
	void (*word)(void *arg, const char *word, struct strbuf *answer);
	void *arg;
	char in[DNS_CTL_WORD];
	size_t got, sent;
	struct strbuf out;
	bool answered;
};
int dns_ctl_open(struct dns_ctl *c, struct loop *l,
		 void (*word)(void *arg, const char *word, struct strbuf *answer), void *arg);
void dns_ctl_close(struct dns_ctl *c);

#endif

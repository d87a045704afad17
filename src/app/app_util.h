/* What several programs share: flags, names, messages. */
#ifndef APP_APP_UTIL_H
#define APP_APP_UTIL_H

#include <netinet/in.h>
#include "core/task.h"

/* getopt without globals: flags in spec as "c:nW:" (a colon: takes a value). Flags may stand after operands, as with
 * GNU's getopt; argv is reordered for it. A spec that begins with + ends at the first operand. */
struct opt {
	int argc;
	char **argv;
	const char *spec;
	int i, pos;        /* where we are */
	const char *value; /* of the last flag */
};
void opt_init(struct opt *o, int argc, char **argv, const char *spec);
/* Next flag's letter; -1 when only operands are left (o->i is the first's index); '?' after printing a usage error. */
int opt_next(struct opt *o, struct task *t);
/* The value as a whole decimal in [min,max], else prints "PROG: invalid argument: 'X'" and returns -EINVAL. */
int opt_u64(struct opt *o, struct task *t, uint64_t min, uint64_t max, uint64_t *out);
/* Decimal seconds ("0.2", "5") to ns. 0 or -EINVAL with a message. */
int opt_seconds(struct opt *o, struct task *t, uint64_t *ns);

/* A name or address to an IPv4 address: literals need no packet. 0, or prints
 * "PROG: HOST: Name or service not known" (or "Temporary failure in name resolution") and returns -1. */
int app_resolve(struct task *t, const char *host, uint32_t *addr);
struct sockaddr_in app_sockaddr(uint32_t addr, uint16_t port);
/* The C library's text of an errno, without the C library's state ("Network is unreachable"). */
const char *app_strerror(int err);

#endif

/* dig: what its two files share. */
#ifndef APP_DIG_H
#define APP_DIG_H

#include "app/dns_msg.h"
#include "base/strbuf.h"
#include "core/task.h"

struct dig_opts {
	bool trace, recurse, tcp, short_form, edns, ignore_tc;
	bool cmd, comments, question, answer, authority, additional, stats;
	uint16_t bufsize, port;
	uint64_t timeout_s, tries;
};
/* The lines of one record, columns as dig has them. */
void dig_record(struct strbuf *sb, const struct dns_msg *m, const struct dns_rr *rr);
/* A whole answer: header and the sections wanted. */
void dig_print(struct strbuf *sb, const struct dig_opts *o, const struct dns_msg *m);
void dig_print_short(struct strbuf *sb, const struct dns_msg *m);
/* "Sat Jan 01 00:00:07 UTC 2000" */
void dig_date(struct strbuf *sb, uint64_t seconds_since_1970);

#endif

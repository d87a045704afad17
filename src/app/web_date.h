/* Civil dates of a lab's clock, without the C library's time functions. */
#ifndef APP_WEB_DATE_H
#define APP_WEB_DATE_H

#include "base/strbuf.h"

/* A host's clock 0 is this moment: 2000-01-01T00:00:00Z. */
#define WEB_EPOCH_S 946684800ull

struct web_date {
	unsigned year, month, day, hour, min, sec; /* month, day from 1 */
	unsigned wday;                             /* 0 Sunday */
};
void web_date_of(uint64_t seconds_since_1970, struct web_date *d);
/* "Sat, 01 Jan 2000 00:00:00 GMT" (RFC 9110 5.6.7) */
#define WEB_DATE_LEN 30
const char *web_http_date(char buf[WEB_DATE_LEN], uint64_t seconds_since_1970);
/* All three forms of RFC 9110 5.6.7. 0, -EINVAL. */
int web_http_date_parse(const char *s, uint64_t *seconds_since_1970);
const char *web_day_name(unsigned wday);
const char *web_month_name(unsigned month);

#endif

/* Dates in HTTP and dig: days since 1970 to the Gregorian calendar and back.
 *
 * Called by http_server.c, http_file.c, dig_print.c. RFC 9110 5.6.7. Tests:
 * tests/unit/app/test_web_date.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/web_date.h"

#define DAY 86400u

const char *web_day_name(unsigned wday)
{
	static const char *const n[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	return n[wday % 7];
}

const char *web_month_name(unsigned month)
{
	static const char *const n[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	return n[(month + 11) % 12];
}

static bool leap(unsigned y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static unsigned month_days(unsigned y, unsigned m)
{
	static const uint8_t n[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	return m == 2 && leap(y) ? 29u : n[m - 1];
}

/* Days from 1970-01-01 to January 1st of y. */
static uint64_t days_before(unsigned y)
{
	uint64_t p = y - 1;

	return p * 365 + p / 4 - p / 100 + p / 400 - 719162;
}

void web_date_of(uint64_t s, struct web_date *d)
{
	uint64_t days = s / DAY;
	uint32_t in = (uint32_t)(s % DAY);
	unsigned y = 1970 + (unsigned)(days / 366);

	while (days_before(y + 1) <= days)
		y++;
	d->year = y;
	d->wday = (unsigned)((days + 4) % 7);
	days -= days_before(y);
	for (d->month = 1; days >= month_days(y, d->month); d->month++)
		days -= month_days(y, d->month);
	d->day = (unsigned)days + 1;
	d->hour = in / 3600;
	d->min = in / 60 % 60;
	d->sec = in % 60;
}

const char *web_http_date(char buf[WEB_DATE_LEN], uint64_t s)
{
	struct web_date d;

	web_date_of(s % (253402300800ull), &d); /* years of four digits */
	snprintf(buf, WEB_DATE_LEN, "%s, %02u %s %04u %02u:%02u:%02u GMT", web_day_name(d.wday),
		 d.day % 100, web_month_name(d.month), d.year % 10000, d.hour % 100, d.min % 100,
		 d.sec % 100);
	return buf;
}

static bool num(const char **s, unsigned digits, unsigned *v)
{
	*v = 0;
	while (digits--) {
		if (**s < '0' || **s > '9')
			return false;
		*v = *v * 10 + (unsigned)(*(*s)++ - '0');
	}
	return true;
}

static bool lit(const char **s, const char *w)
{
	size_t n = strlen(w);

	if (strncmp(*s, w, n))
		return false;
	*s += n;
	return true;
}

static bool month(const char **s, unsigned *m)
{
	for (*m = 1; *m <= 12; ++*m)
		if (lit(s, web_month_name(*m)))
			return true;
	return false;
}

static bool clock_time(const char **s, struct web_date *d)
{
	return num(s, 2, &d->hour) && lit(s, ":") && num(s, 2, &d->min) && lit(s, ":") &&
	       num(s, 2, &d->sec);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool imf_fixdate(const char *s, struct web_date *d)
{
	return lit(&s, ", ") && num(&s, 2, &d->day) && lit(&s, " ") && month(&s, &d->month) &&
	       lit(&s, " ") && num(&s, 4, &d->year) && lit(&s, " ") && clock_time(&s, d) &&
	       !strcmp(s, " GMT");
}

/* "Sunday, 06-Nov-94 08:49:37 GMT"; s after the day's name. Two digits: the century around 2000. */
static bool rfc850_date(const char *s, struct web_date *d)
{
	if (!(lit(&s, ", ") && num(&s, 2, &d->day) && lit(&s, "-") && month(&s, &d->month) &&
	      lit(&s, "-") && num(&s, 2, &d->year) && lit(&s, " ") && clock_time(&s, d) &&
	      !strcmp(s, " GMT")))
		return false;
	d->year += d->year < 70 ? 2000 : 1900;
	return true;
}

/* "Sun Nov  6 08:49:37 1994" */
static bool asctime_date(const char *s, struct web_date *d)
{
	if (!lit(&s, " ") || !month(&s, &d->month) || !lit(&s, " "))
		return false;
	if (!(s[0] == ' ' ? (s++, num(&s, 1, &d->day)) : num(&s, 2, &d->day)))
		return false;
	return lit(&s, " ") && clock_time(&s, d) && lit(&s, " ") && num(&s, 4, &d->year) && !*s;
}

int web_http_date_parse(const char *s, uint64_t *out)
{
	static const char *const rest[] = {"day", "day", "sday", "nesday", "rsday", "day", "urday"};
	struct web_date d = { 0 };
	unsigned w, m;

	for (w = 0; w < 7 && strncmp(s, web_day_name(w), 3); w++)
		;
	if (w == 7)
		return -EINVAL;
	s += 3;
	if (!imf_fixdate(s, &d) && !asctime_date(s, &d) &&
	    !(lit(&s, rest[w]) && rfc850_date(s, &d)))
		return -EINVAL;
	if (d.year < 1970 || d.day < 1 || d.day > month_days(d.year, d.month) || d.hour > 23 ||
	    d.min > 59 || d.sec > 60)
		return -EINVAL;
	*out = days_before(d.year) + d.day - 1;
	for (m = 1; m < d.month; m++)
		*out += month_days(d.year, m);
	*out = *out * DAY + d.hour * 3600 + d.min * 60 + d.sec;
	return 0;
}

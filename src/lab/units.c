/* Quantities with units. Called by labfile.c and the commands' flags. A number is kept as an integer
 * of 10^-9 of its unit, so no floating point takes part. Tests: tests/unit/lab/test_units.c. */
#include <string.h>
#include <strings.h>
#include "lab/units.h"

#define UNIT_FRACTION_DIGITS 9
#define UNIT_ONE 1000000000ULL /* 10^UNIT_FRACTION_DIGITS */

struct unit {
	const char *name;
	uint64_t factor;
};

enum unit_result { UNIT_OK, UNIT_SYNTAX, UNIT_RANGE, UNIT_NAME, UNIT_MISSING };

/* Digits, perhaps a point and more digits. *nano: value in units of 10^-9. Advances *s. */
static enum unit_result unit_number(const char **s, __uint128_t *nano)
{
	const char *p = *s;
	__uint128_t v = 0;
	unsigned digits = 0, frac = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (++digits > 20)
			return UNIT_RANGE;
		v = v * 10 + (unsigned)(*p - '0');
	}
	if (!digits)
		return UNIT_SYNTAX;
	v *= UNIT_ONE;
	if (*p == '.') {
		uint64_t scale = UNIT_ONE / 10;

		for (p++; *p >= '0' && *p <= '9'; p++, scale /= 10) {
			if (++frac > UNIT_FRACTION_DIGITS)
				return UNIT_RANGE;
			v += (uint64_t)(*p - '0') * scale;
		}
		if (!frac)
			return UNIT_SYNTAX;
	}
	*s = p;
	*nano = v;
	return UNIT_OK;
}

static enum unit_result unit_parse(const char *s, const struct unit *u, size_t n, bool any_case,
				   uint64_t *out)
{
	__uint128_t nano;
	enum unit_result r = unit_number(&s, &nano);

	if (r != UNIT_OK)
		return r;
	if (*s == ' ')
		s++;
	if (!*s && nano)
		return UNIT_MISSING;
	for (size_t i = 0; i < n; i++) {
		if (*s && (any_case ? strcasecmp(s, u[i].name) : strcmp(s, u[i].name)) != 0)
			continue;
		if (nano > ((__uint128_t)UINT64_MAX * UNIT_ONE) / u[i].factor)
			return UNIT_RANGE;
		*out = (uint64_t)(nano * u[i].factor / UNIT_ONE);
		/* What cannot be said exactly is an error, not a rounding. */
		return nano * u[i].factor % UNIT_ONE ? UNIT_RANGE : UNIT_OK;
	}
	return UNIT_NAME;
}

const char *unit_time(const char *s, uint64_t *ns)
{
	static const struct unit units[] = {
		{ "ns", 1 },
		{ "us", NSEC_PER_USEC },
		{ "ms", NSEC_PER_MSEC },
		{ "s", NSEC_PER_SEC },
		{ "min", 60 * NSEC_PER_SEC },
		{ "h", 3600 * NSEC_PER_SEC },
	};

	switch (unit_parse(s, units, ARRAY_SIZE(units), false, ns)) {
	case UNIT_OK:
		/* A thousand years: keeps every sum of times far from TIME_NEVER. */
		return *ns > TIME_NEVER / 2 ? "a time is at most 292 years" : NULL;
	case UNIT_RANGE:
		return "a time is a whole number of nanoseconds, at most 292 years";
	case UNIT_MISSING:
		return "a time needs a unit: ns, us, ms, s, min or h, as in 50ms";
	default:
		return "a time is written as a number and ns, us, ms, s, min or h, as in 50ms";
	}
}

const char *unit_rate(const char *s, uint64_t *bps)
{
	static const struct unit units[] = {
		{ "bit", 1 },
		{ "kbit", 1000 },
		{ "mbit", 1000000 },
		{ "gbit", 1000000000 },
		{ "tbit", 1000000000000 },
	};

	switch (unit_parse(s, units, ARRAY_SIZE(units), true, bps)) {
	case UNIT_OK:
		return *bps > 1000000000000ULL * 100 ? "a rate is at most 100Tbit" : NULL;
	case UNIT_RANGE:
		return "a rate is a whole number of bits per second, at most 100Tbit";
	case UNIT_MISSING:
		return "a rate needs a unit: bit, kbit, Mbit, Gbit or Tbit, as in 10Mbit";
	default:
		return "a rate is written as a number and bit, kbit, Mbit, Gbit or Tbit, as in 10Mbit";
	}
}

const char *unit_percent(const char *s, uint32_t *ppm)
{
	static const struct unit units[] = { { "%", 10000 } };
	uint64_t v;

	switch (unit_parse(s, units, ARRAY_SIZE(units), false, &v)) {
	case UNIT_OK:
		if (v > 1000000)
			return "a probability is at most 100%";
		*ppm = (uint32_t)v;
		return NULL;
	case UNIT_RANGE:
		return "a probability has at most four digits after the point, as in 0.0001%";
	default:
		return "a probability is written in percent, as in 0.3%";
	}
}

const char *unit_size(const char *s, uint64_t *bytes)
{
	static const struct unit units[] = {
		{ "B", 1 },
		{ "kB", 1000 },
		{ "MB", 1000000 },
		{ "GB", 1000000000 },
		{ "KiB", 1024 },
		{ "MiB", 1048576 },
		{ "GiB", 1073741824 },
	};

	switch (unit_parse(s, units, ARRAY_SIZE(units), false, bytes)) {
	case UNIT_OK:
		return NULL;
	case UNIT_RANGE:
		return "a size is a whole number of octets below 2^64";
	case UNIT_MISSING:
		return "a size needs a unit: B, kB, MB, GB, KiB, MiB or GiB, as in 256KiB";
	default:
		return "a size is written as a number and B, kB, MB, GB, KiB, MiB or GiB, as in 256KiB";
	}
}

const char *unit_length(const char *s, uint64_t *metres)
{
	static const struct unit units[] = { { "m", 1 }, { "km", 1000 } };

	switch (unit_parse(s, units, ARRAY_SIZE(units), false, metres)) {
	case UNIT_OK:
		return *metres > 1000000000 ? "a cable is at most 1000000km long" : NULL;
	case UNIT_RANGE:
		return "a cable's length is a whole number of metres";
	case UNIT_MISSING:
		return "a length needs a unit: m or km, as in 100m";
	default:
		return "a length is written as a number and m or km, as in 100m";
	}
}

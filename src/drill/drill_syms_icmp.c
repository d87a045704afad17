/* Names of ICMP's types and codes, as packetdrill's scripts write them.
 *
 * Decides nothing. Called by drill_parse_pkt.c and drill_show.c. RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1. Tests: tests/unit/drill/test_drill_parse.c. */
#include <string.h>
#include "drill/drill_script.h"
#include "wire/ip4.h"

struct sym {
	const char *name;
	int64_t v;
};

static const struct sym types[] = {
	{ "unreachable", ICMP_DEST_UNREACH },	  { "time_exceeded", ICMP_TIME_EXCEEDED },
	{ "parameter_problem", ICMP_PARAMETERPROB }, { "source_quench", ICMP_SOURCE_QUENCH },
	{ "redirect", ICMP_REDIRECT },		  { "echo_request", ICMP_ECHO },
	{ "echo_reply", ICMP_ECHOREPLY },	  { "echo", ICMP_ECHO },
	{ "echo_response", ICMP_ECHOREPLY },	  { "timestamp", ICMP_TIMESTAMP },
	{ "timestamp_reply", ICMP_TIMESTAMPREPLY },
};

static const struct sym unreach[] = {
	{ "net_unreachable", 0 },	  { "host_unreachable", 1 },	{ "protocol_unreachable", 2 },
	{ "port_unreachable", 3 },	  { "frag_needed", 4 },		{ "source_route_failed", 5 },
	{ "net_unknown", 6 },		  { "host_unknown", 7 },	{ "source_host_isolated", 8 },
	{ "net_prohibited", 9 },	  { "host_prohibited", 10 },	{ "net_unreachable_for_tos", 11 },
	{ "host_unreachable_for_tos", 12 }, { "packet_filtered", 13 },	{ "precedence_violation", 14 },
	{ "precedence_cutoff", 15 },
};
static const struct sym exceeded[] = {
	{ "ttl_exceeded", 0 }, { "frag_time_exceeded", 1 }, { "fragment_reassembly_time_exceeded", 1 },
};
static const struct sym redirects[] = {
	{ "net", 0 }, { "host", 1 }, { "net_for_tos", 2 }, { "host_for_tos", 3 },
};
static const struct sym problems[] = { { "bad_pointer", 0 }, { "missing_option", 1 }, { "bad_length", 2 } };

static const struct sym *codes_of(uint8_t type, size_t *n)
{
	switch (type) {
	case ICMP_DEST_UNREACH:
		*n = ARRAY_SIZE(unreach);
		return unreach;
	case ICMP_TIME_EXCEEDED:
		*n = ARRAY_SIZE(exceeded);
		return exceeded;
	case ICMP_REDIRECT:
		*n = ARRAY_SIZE(redirects);
		return redirects;
	case ICMP_PARAMETERPROB:
		*n = ARRAY_SIZE(problems);
		return problems;
	default:
		*n = 0;
		return NULL;
	}
}

static const struct sym *by_name(const struct sym *t, size_t n, const char *s, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(t[i].name) == len && !memcmp(t[i].name, s, len))
			return &t[i];
	return NULL;
}

static const char *by_value(const struct sym *t, size_t n, int64_t v)
{
	for (size_t i = 0; i < n; i++)
		if (t[i].v == v)
			return t[i].name;
	return NULL;
}

bool dicmp_type(const char *s, size_t len, uint8_t *type)
{
	const struct sym *y = by_name(types, ARRAY_SIZE(types), s, len);

	if (y)
		*type = (uint8_t)y->v;
	return y != NULL;
}

bool dicmp_code(uint8_t type, const char *s, size_t len, uint8_t *code)
{
	size_t n;
	const struct sym *t = codes_of(type, &n), *y = by_name(t, n, s, len);

	if (y)
		*code = (uint8_t)y->v;
	return y != NULL;
}

const char *dicmp_type_name(uint8_t type)
{
	return by_value(types, ARRAY_SIZE(types), type);
}

const char *dicmp_code_name(uint8_t type, uint8_t code)
{
	size_t n;
	const struct sym *t = codes_of(type, &n);

	return by_value(t, n, code);
}

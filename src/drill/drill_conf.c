/* Options of a script: the lines --name=value at its top and those of the command line.
 *
 * Decides which names there are, and their values' form. Called by drill_parse.c and drill_run.c.
 * Tests: tests/unit/drill/test_drill_parse.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "drill/drill_script.h"

void dconf_init(struct dconf *c)
{
	memset(c, 0, sizeof(*c));
	c->tolerance_ns = 4000 * (int64_t)NSEC_PER_USEC;
	c->tolerance_ppm = 10000;
	c->mtu = 1500;
	c->bind_port = c->connect_port = 8080;
	c->local_ip = 0xc0a80001;
	c->remote_ip = c->gateway_ip = 0xc0000201;
	c->netmask_ip = 0xffff0000;
}

const struct ddefine *dconf_define(const struct dconf *c, const char *name, size_t len)
{
	for (size_t i = c->n_defines; i-- > 0;)
		if (strlen(c->define[i].name) == len && !memcmp(c->define[i].name, name, len))
			return &c->define[i];
	return NULL;
}

/* ---- values ---- */

struct setting {
	struct dconf *c;
	struct darena *a;
	const char *name, *value;
	char *err;
	size_t room;
};

static int bad(struct setting *s, const char *want)
{
	snprintf(s->err, s->room, "option --%.40s needs %s, not '%.60s'", s->name, want, s->value ? s->value : "");
	return -EINVAL;
}

static int number(struct setting *s, uint64_t min, uint64_t max, uint64_t *v)
{
	char want[80];

	if (s->value && u64_parse(s->value, min, max, v) == 0)
		return 0;
	snprintf(want, sizeof(want), "a whole number from %llu to %llu", (unsigned long long)min, (unsigned long long)max);
	return bad(s, want);
}

static int address(struct setting *s, uint32_t *ip)
{
	if (s->value && strchr(s->value, ':')) {
		s->c->needs = "it needs IPv6, which culver has not";
		return 0;
	}
	return s->value && ip4_parse(s->value, ip) == 0 ? 0 : bad(s, "an IPv4 address");
}

static int set_version(struct setting *s)
{
	const char *p = s->value ? s->value : "";

	s->c->ipv4 = s->c->ipv6 = s->c->mapped = false;
	while (*p) {
		size_t n = strcspn(p, ",");

		if (n == 4 && !memcmp(p, "ipv4", 4))
			s->c->ipv4 = true;
		else if (n == 4 && !memcmp(p, "ipv6", 4))
			s->c->ipv6 = true;
		else if (n == 16 && !memcmp(p, "ipv4-mapped-ipv6", 16))
			s->c->mapped = true;
		else
			return bad(s, "ipv4, ipv6 or ipv4-mapped-ipv6");
		p += n + (p[n] == ',');
	}
	return 0;
}

/* Percent with decimals, in parts per million. */
static int set_percent(struct setting *s)
{
	unsigned whole = 0;
	int64_t frac = 0, unit = 1000;
	const char *p = s->value ? s->value : "";

	if (*p < '0' || *p > '9')
		return bad(s, "a percentage");
	for (; *p >= '0' && *p <= '9' && whole < 1000000; p++)
		whole = whole * 10 + (unsigned)(*p - '0');
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, unit /= 10)
			frac += (*p - '0') * unit;
	if (*p)
		return bad(s, "a percentage");
	s->c->tolerance_ppm = (int64_t)whole * 10000 + frac;
	return 0;
}

static int set_usecs(struct setting *s, int64_t *ns)
{
	uint64_t v;
	int err = number(s, 0, 1000000000, &v);

	if (!err)
		*ns = (int64_t)(v * NSEC_PER_USEC);
	return err;
}

static int set_netmask(struct setting *s)
{
	uint32_t m = 0;

	if (s->value && !strchr(s->value, ':') && (ip4_parse(s->value, &m) || (~m & (~m + 1u))))
		return bad(s, "a netmask as in 255.255.0.0");
	s->c->netmask_ip = m;
	return 0;
}

static int set_port(struct setting *s, uint16_t *port)
{
	uint64_t v;
	int err = number(s, 1, 65535, &v);

	if (!err)
		*port = (uint16_t)v;
	return err;
}

static int set_mtu(struct setting *s)
{
	uint64_t v;
	int err = number(s, 68, 65535, &v);

	if (!err)
		s->c->mtu = (uint32_t)v;
	return err;
}

static int set_non_fatal(struct setting *s)
{
	const char *p = s->value ? s->value : "";

	while (*p) {
		size_t n = strcspn(p, ",");

		if (n == 6 && !memcmp(p, "packet", 6))
			s->c->non_fatal_packet = true;
		else if (n == 7 && !memcmp(p, "syscall", 7))
			s->c->non_fatal_syscall = true;
		else
			return bad(s, "packet, syscall, or both with a comma");
		p += n + (p[n] == ',');
	}
	return 0;
}

int dconf_define_add(struct dconf *c, struct darena *a, const char *text, char *err, size_t room)
{
	struct ddefine *d = &c->define[c->n_defines];
	const char *eq = strchr(text, '='), *v = eq ? eq + 1 : "";
	size_t n = strlen(v);

	if (!eq || eq == text) {
		snprintf(err, room, "a macro is written NAME=VALUE, not '%.60s'", text);
		return -EINVAL;
	}
	if (c->n_defines == DRILL_MAX_DEFINES) {
		snprintf(err, room, "more than %d macros", DRILL_MAX_DEFINES);
		return -EINVAL;
	}
	d->name = darena_str(a, text, (size_t)(eq - text));
	d->kind = 'w';
	if (n >= 2 && (*v == '"' || *v == '`') && v[n - 1] == *v) {
		d->kind = *v == '"' ? 's' : '`';
		d->value = *v == '"' ? darena_str(a, v, n) : darena_str(a, v + 1, n - 2);
	} else {
		d->value = darena_str(a, v, n);
	}
	c->n_defines++;
	return 0;
}

/* ---- names ---- */

/* Names that mean nothing in a world without wires, threads or memory tricks: taken and forgotten. */
static const char *const ignored[] = {
	"send_omit_free", "stop_soon", "code", "code_command", "code_format", "code_sockopt", "strict_segments",
	"tcp_ts_ecr_scaled", "udp_encaps", "persistent_tun_dev", "speed", "so_filename", "so_flags", "hook", "sanity",
	"wire_client", "wire_server", "wire_server_ip", "wire_server_port", "wire_client_dev", "wire_server_dev",
	"wire_server_at", "wire_dev", "rcv_wnd", "mss", "is_anyip", "debug", "live_local_ip", "live_remote_ip", "live_gateway_ip",
	"live_netmask_ip", "live_bind_port", "live_connect_port",
};

static bool is_ignored(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		if (!strcmp(ignored[i], name))
			return true;
	return !strncmp(name, "wire_", 5);
}

static int set_flag(struct setting *s, bool *b)
{
	if (!s->value || !*s->value || !strcmp(s->value, "1") || !strcmp(s->value, "true"))
		*b = true;
	else if (!strcmp(s->value, "0") || !strcmp(s->value, "false"))
		*b = false;
	else
		return bad(s, "nothing, 0 or 1");
	return 0;
}

int dconf_set(struct dconf *c, struct darena *a, const char *name, const char *value, char *err, size_t room)
{
	struct setting s = { c, a, name, value, err, room };

	if (!strcmp(name, "ip_version"))
		return set_version(&s);
	if (!strcmp(name, "tolerance_usecs"))
		return set_usecs(&s, &c->tolerance_ns);
	if (!strcmp(name, "tolerance_percent"))
		return set_percent(&s);
	if (!strcmp(name, "tcp_ts_tick_usecs"))
		return set_usecs(&s, &c->ts_tick_ns);
	if (!strcmp(name, "mtu"))
		return set_mtu(&s);
	if (!strcmp(name, "bind_port"))
		return set_port(&s, &c->bind_port);
	if (!strcmp(name, "connect_port"))
		return set_port(&s, &c->connect_port);
	if (!strcmp(name, "local_ip"))
		return address(&s, &c->local_ip);
	if (!strcmp(name, "remote_ip"))
		return address(&s, &c->remote_ip);
	if (!strcmp(name, "gateway_ip"))
		return address(&s, &c->gateway_ip);
	if (!strcmp(name, "netmask_ip"))
		return set_netmask(&s);
	if (!strcmp(name, "non_fatal"))
		return set_non_fatal(&s);
	if (!strcmp(name, "nothing_more"))
		return set_flag(&s, &c->nothing_more);
	if (!strcmp(name, "dry_run"))
		return set_flag(&s, &c->dry_run);
	if (!strcmp(name, "verbose"))
		return set_flag(&s, &c->verbose);
	if (!strcmp(name, "define") || !strcmp(name, "D"))
		return value ? dconf_define_add(c, a, value, err, room) : bad(&s, "NAME=VALUE");
	if (!strcmp(name, "init_scripts")) {
		c->init_scripts = value ? darena_str(a, value, strlen(value)) : NULL;
		return 0;
	}
	if (is_ignored(name))
		return 0;
	snprintf(err, room, "unknown option --%.60s", name);
	return -EINVAL;
}

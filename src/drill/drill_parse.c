/* A script's outline: options, times, events; which kind of event it is.
 *
 * Called by drill_run.c and the fuzz target (dscript_parse); hands on to drill_parse_pkt.c for packets and to
 * drill_parse_expr.c for system calls. Grammar: docs/drill.md. Tests: tests/unit/drill/test_drill_parse.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "drill/drill_script.h"

/* ---- options ---- */

/* A value to the end of the word; a macro's may hold a quoted string or command. */
static const char *option_end(struct dparse *d, const char *v)
{
	const char *eq = v;
	char q;

	while (eq < d->end && *eq != '=' && *eq != '\n' && *eq != ' ')
		eq++;
	if (eq + 1 < d->end && *eq == '=' && (eq[1] == '"' || eq[1] == '`')) {
		q = eq[1];
		for (eq += 2; eq < d->end && *eq != q; eq++)
			d->line += *eq == '\n';
		return eq < d->end ? eq + 1 : eq;
	}
	while (v < d->end && *v != ' ' && *v != '\t' && *v != '\r' && *v != '\n')
		v++;
	return v;
}

static bool parse_option(struct dparse *d)
{
	char err[200], *name, *value = NULL;
	const char *from = d->p + 2, *q = from;

	while (q < d->end && *q != '=' && *q != ' ' && *q != '\t' && *q != '\r' && *q != '\n')
		q++;
	name = darena_str(&d->sc->mem, from, (size_t)(q - from));
	if (q < d->end && *q == '=') {
		const char *e = option_end(d, q + 1);

		value = darena_str(&d->sc->mem, q + 1, (size_t)(e - q - 1));
		q = e;
	}
	d->p = q;
	if (dconf_set(&d->sc->conf, &d->sc->mem, name, value, err, sizeof(err)))
		return dp_fail(d, "%s", err);
	return true;
}

/* "--name=value", "-DNAME=VALUE". */
static int apply_option(struct dconf *c, struct darena *a, const char *text, char *err, size_t room)
{
	const char *eq;
	char *name;

	if (!strncmp(text, "-D", 2))
		return dconf_define_add(c, a, text + 2, err, room);
	if (strncmp(text, "--", 2) != 0) {
		snprintf(err, room, "unknown option '%.60s'", text);
		return -EINVAL;
	}
	eq = strchr(text, '=');
	name = darena_str(a, text + 2, eq ? (size_t)(eq - text - 2) : strlen(text + 2));
	return dconf_set(c, a, name, eq ? eq + 1 : NULL, err, room);
}

int drill_option_check(const char *text, char *err, size_t room)
{
	struct dconf c;
	struct darena a = { NULL };
	int r;

	dconf_init(&c);
	r = apply_option(&c, &a, text, err, room);
	darena_free(&a);
	return r;
}

/* ---- times ---- */

/* Decimal seconds into ns; "0...5" is 0 and then three dots. */
static bool parse_seconds(struct dparse *d, int64_t *ns)
{
	int64_t v = 0, unit = 100000000;
	bool any = false;

	for (; d->p < d->end && *d->p >= '0' && *d->p <= '9'; d->p++, any = true) {
		v = v * 10 + (*d->p - '0');
		if (v > 100000000)
			return dp_fail(d, "a time that is too long");
	}
	v *= (int64_t)NSEC_PER_SEC;
	if (d->p + 1 < d->end && *d->p == '.' && d->p[1] >= '0' && d->p[1] <= '9') {
		for (d->p++; d->p < d->end && *d->p >= '0' && *d->p <= '9'; d->p++, unit /= 10)
			v += (*d->p - '0') * unit;
		any = true;
	} else if (any && d->p + 1 < d->end && *d->p == '.' && d->p[1] != '.') {
		d->p++;
	}
	if (!any)
		return dp_fail(d, "syntax error: an event begins with a time");
	*ns = v;
	return true;
}

static bool parse_time(struct dparse *d, struct dtime *t)
{
	memset(t, 0, sizeof(*t));
	if (dp_take(d, "*")) {
		t->kind = DTIME_ANY;
		return true;
	}
	t->kind = dp_take(d, "+") ? DTIME_REL : DTIME_ABS;
	dp_skip(d);
	if (!parse_seconds(d, &t->ns))
		return false;
	if (dp_take(d, "...")) {
		t->blocking = true;
	} else if (dp_take(d, "~")) {
		t->range = true;
	} else {
		return true;
	}
	if (dp_take(d, "+") && t->kind == DTIME_ABS)
		return dp_fail(d, "a range from an absolute to a relative time");
	dp_skip(d);
	if (!parse_seconds(d, &t->end_ns))
		return false;
	return t->end_ns >= t->ns || dp_fail(d, "a range that ends before it begins");
}

/* ---- commands and code ---- */

static bool parse_until(struct dparse *d, const char *close, const char **text, uint32_t *line, const char *what)
{
	const char *from = d->p;
	size_t n = strlen(close);

	*line = d->line;
	for (; (size_t)(d->end - d->p) >= n; d->p++) {
		if (!memcmp(d->p, close, n)) {
			*text = darena_str(&d->sc->mem, from, (size_t)(d->p - from));
			d->p += n;
			return true;
		}
		d->line += *d->p == '\n';
	}
	return dp_fail(d, "%s has no end ('%s')", what, close);
}

static bool parse_command(struct dparse *d, const char **text, uint32_t *line)
{
	return dp_expect(d, "`") && parse_until(d, "`", text, line, "a command");
}

/* ---- events ---- */

/* A macro that stands for a command. */
static const struct ddefine *command_macro(struct dparse *d)
{
	size_t n = dp_word(d);
	const struct ddefine *m = n ? dconf_define(&d->sc->conf, d->p, n) : NULL;

	if (!m || m->kind != '`')
		return NULL;
	d->p += n;
	return m;
}

static bool parse_action(struct dparse *d, struct devent *e)
{
	const struct ddefine *m;
	char c = dp_peek(d);

	e->line = d->line;
	if (c == '<' || c == '>') {
		d->p++;
		e->kind = DEV_PACKET;
		return dp_packet(d, c == '<', &e->pkt);
	}
	if (c == '`') {
		e->kind = DEV_COMMAND;
		return parse_command(d, &e->text, &e->text_line);
	}
	if (dp_take(d, "%{")) {
		e->kind = DEV_CODE;
		return parse_until(d, "}%", &e->text, &e->text_line, "code");
	}
	m = command_macro(d);
	if (m) {
		e->kind = DEV_COMMAND;
		e->text = m->value;
		e->text_line = d->line;
		return true;
	}
	if (dp_word(d)) {
		e->kind = DEV_CALL;
		return dp_call(d, &e->call);
	}
	return dp_fail(d, "syntax error: a packet, a system call, a command or code must follow the time");
}

static bool event_check(struct dparse *d, const struct devent *e)
{
	bool out = e->kind == DEV_PACKET && !e->pkt->inbound;

	if (e->when.blocking && e->kind != DEV_CALL)
		return dp_fail(d, "only a system call can take from one time until another");
	if ((e->when.kind == DTIME_ANY || e->when.range) && !out)
		return dp_fail(d, "only an outbound packet can have a time that is not exact");
	return true;
}

static bool parse_event(struct dparse *d)
{
	struct dscript *sc = d->sc;
	struct devent *e;

	if (sc->n_events == DRILL_MAX_EVENTS)
		return dp_fail(d, "more than %u events", DRILL_MAX_EVENTS);
	e = darena_get(&sc->mem, sizeof(*e));
	e->line = d->line;
	if (!parse_time(d, &e->when) || !parse_action(d, e) || !event_check(d, e))
		return false;
	*sc->tail = e;
	sc->tail = &e->next;
	sc->n_events++;
	return true;
}

/* Scripts are shared with tools that give these on the command line. */
static void own_defines(struct dconf *c)
{
	static const struct ddefine d[] = {
		{ "CMSG_LEVEL_IP", "SOL_IP", 'w' },
		{ "CMSG_TYPE_RECVERR", "IP_RECVERR", 'w' },
		{ "TFO_COOKIE", "3021b9d889017eeb", 'w' },
		{ "TFO_COOKIE_ZERO", "b7c12350a90dc8f5", 'w' },
	};

	memcpy(c->define, d, sizeof(d));
	c->n_defines = ARRAY_SIZE(d);
}

/* Where scripts name a level for either family: an AF_INET6 socket is told of IPv4's errors in IPv6's manner. */
static void own_defines_mapped(struct dconf *c)
{
	if (!c->mapped)
		return;
	c->define[0].value = "SOL_IPV6";
	c->define[1].value = "IPV6_RECVERR";
}

static bool parse_script(struct dparse *d, const struct drill_flags *flags)
{
	struct dscript *sc = d->sc;
	const struct ddefine *m;
	char err[200];

	while (dp_is(d, "--"))
		if (!parse_option(d))
			return false;
	for (size_t i = 0; i < flags->n_options; i++)
		if (apply_option(&sc->conf, &sc->mem, flags->option[i], err, sizeof(err)))
			return dp_fail(d, "%s", err);
	if (sc->conf.needs)
		return dp_unsupported(d, sc->conf.needs);
	if (sc->conf.ipv6 && !sc->conf.ipv4 && !sc->conf.mapped)
		return dp_unsupported(d, "it needs IPv6, which culver has not");
	sc->conf.mapped &= !sc->conf.ipv4;
	own_defines_mapped(&sc->conf);
	if (dp_peek(d) == '`' && !parse_command(d, &sc->init, &sc->init_line))
		return false;
	if (!sc->init && (m = command_macro(d)) != NULL) {
		sc->init = m->value;
		sc->init_line = d->line;
	}
	while (dp_peek(d) && !d->failed) {
		if (*d->p == '`' && !sc->cleanup) {
			if (!parse_command(d, &sc->cleanup, &sc->cleanup_line))
				return false;
		} else if (sc->cleanup) {
			return dp_fail(d, "syntax error: something stands behind the cleanup command");
		} else if (!parse_event(d)) {
			return false;
		}
	}
	return !d->failed && (sc->n_events || dp_fail(d, "a script without events"));
}

int dscript_parse(struct dscript *sc, const char *name, const char *text, size_t len, const struct drill_flags *flags,
		  struct strbuf *err)
{
	struct dparse d = { .sc = sc, .line = 1, .err = err };

	memset(sc, 0, sizeof(*sc));
	sc->name = name;
	sc->tail = &sc->first;
	dconf_init(&sc->conf);
	own_defines(&sc->conf);
	if (len > DRILL_MAX_TEXT) {
		dp_fail(&d, "longer than %u octets", DRILL_MAX_TEXT);
		return -EINVAL;
	}
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) { /* an editor's mark that it is UTF-8 */
		text += 3;
		len -= 3;
	}
	/* With a NUL behind it, whatever the caller had. */
	d.p = darena_str(&sc->mem, text, len);
	d.end = d.p + len;
	if (!parse_script(&d, flags))
		return d.unsupported ? -ENOSYS : -EINVAL;
	return 0;
}

void dscript_free(struct dscript *sc)
{
	darena_free(&sc->mem);
}

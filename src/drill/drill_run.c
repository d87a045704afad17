/* A script from its first event to its last.
 *
 * Decides when an event is: a relative time counts from the moment when the event before it had happened, so that
 * a packet that came late moves what follows. Called by cli/cmd_drill.c; hands on to drill_parse.c, drill_world.c and
 * the files of each kind of event. Tests: tests/packet, tests/lab/drill.t, tests/unit/drill. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "drill/drill_int.h"
#include "os/os_term.h"

const char *drill_time(char buf[32], int64_t ns)
{
	int64_t us = (ns < 0 ? -ns : ns) / 1000;

	snprintf(buf, 32, "%s%lld.%06lld", ns < 0 ? "-" : "", (long long)(us / 1000000), (long long)(us % 1000000));
	return buf;
}

void drill_error(struct drill *d, uint32_t line, const char *fmt, ...)
{
	va_list ap;

	if (d->failed)
		return;
	d->failed = true;
	sb_printf(d->out, "%s:%u: ", d->name, line);
	va_start(ap, fmt);
	sb_vprintf(d->out, fmt, ap);
	va_end(ap);
	sb_putc(d->out, '\n');
}

void drill_note(struct drill *d, uint32_t line, const char *fmt, ...)
{
	struct strbuf sb;
	va_list ap;

	sb_init(&sb);
	sb_printf(&sb, "%s:%u: note: ", d->name, line);
	va_start(ap, fmt);
	sb_vprintf(&sb, fmt, ap);
	va_end(ap);
	sb_putc(&sb, '\n');
	if (d->notes.len < DRILL_MAX_NOTES && (!d->notes.len || !strstr(sb_str(&d->notes), sb_str(&sb)))) {
		sb_puts(&d->notes, sb_str(&sb));
		if (d->sc.conf.verbose)
			sb_puts(d->out, sb_str(&sb));
	}
	sb_free(&sb);
}

/* ---- events ---- */

static void verbose(struct drill *d, const struct devent *e, const char *what)
{
	struct strbuf sb;
	char t[32];

	if (!d->sc.conf.verbose)
		return;
	sb_init(&sb);
	if (e->kind == DEV_PACKET)
		drill_show_script(&sb, e->pkt);
	else if (e->kind == DEV_CALL)
		sb_printf(&sb, "%s()", e->call->name);
	sb_printf(d->out, "%s:%u: %s %s %s\n", d->name, e->line, drill_time(t, (int64_t)drill_now(d)), what, sb_str(&sb));
	sb_free(&sb);
}

static void inject(struct drill *d, const struct devent *e)
{
	struct drill_flow *f = drill_flow_of_script(d, e);
	uint8_t *p;
	uint32_t n;

	if (!f)
		return;
	p = malloc(DRILL_PACKET_ROOM);
	if (!p)
		abort();
	n = drill_build(d, e, f, p);
	if (n) {
		if (e->pkt->proto == DPROTO_TCP && (e->pkt->flags & (DTCP_SYN | DTCP_ACK)) == DTCP_SYN)
			f->relearn = true;
		verbose(d, e, "<");
		if (drill_inject(d, p, n))
			drill_error(d, e->line, "error handling packet: the device did not take it");
		drill_settle(d);
	}
	free(p);
}

/* From when until when, in the script's time. */
static void event_times(const struct drill *d, const struct devent *e, int64_t *from, int64_t *until)
{
	int64_t base = e->when.kind == DTIME_ABS ? 0 : (int64_t)drill_now(d);

	*from = base + e->when.ns;
	*until = e->when.range || e->when.blocking ? base + e->when.end_ns : *from;
}

/* Let time pass until the event is due; what is due at that very moment does not happen before it. */
static bool wait_for(struct drill *d, const struct devent *e, int64_t at)
{
	char a[32], b[32];
	int64_t now = (int64_t)drill_now(d);

	if (at < now - d->sc.conf.tolerance_ns) {
		drill_error(d, e->line, "timing error: the event should be at %s sec, but it is %s sec already",
			    drill_time(a, at), drill_time(b, now));
		return false;
	}
	if (at > now)
		drill_pass(d, d->start_ns + (uint64_t)at, false, NULL, NULL);
	return true;
}

static void run_event(struct drill *d, const struct devent *e)
{
	int64_t from, until;

	event_times(d, e, &from, &until);
	if (e->kind == DEV_PACKET && !e->pkt->inbound) {
		drill_expect(d, e, from, until);
		if (!d->failed)
			verbose(d, e, ">"); /* with the time when it came */
		return;
	}
	if (!wait_for(d, e, from))
		return;
	if (e->kind == DEV_PACKET) {
		inject(d, e);
	} else if (e->kind == DEV_CALL) {
		verbose(d, e, "call");
		drill_call_start(d, e, e->when.blocking ? (uint64_t)until : TIME_NEVER);
	} else if (e->kind == DEV_COMMAND) {
		verbose(d, e, "command");
		drill_command(d, e->text, e->text_line);
	} else {
		verbose(d, e, "code");
		drill_code_run(d, e);
	}
}

/* An error that the script's options call harmless is said and forgotten. */
static void forgive(struct drill *d, const struct devent *e)
{
	const struct dconf *c = &d->sc.conf;

	if ((e->kind == DEV_PACKET && c->non_fatal_packet) || (e->kind == DEV_CALL && c->non_fatal_syscall))
		d->failed = false;
}

static void run_events(struct drill *d)
{
	for (const struct devent *e = d->sc.first; e && !d->failed; e = e->next) {
		run_event(d, e);
		if (d->failed)
			forgive(d, e);
		d->last_ns = drill_now(d);
		d->last_line = e->line;
		if (!d->failed)
			drill_calls_reap(d, false);
	}
	if (!d->failed)
		drill_calls_reap(d, true);
	if (!d->failed && d->sc.conf.nothing_more)
		drill_expect_nothing(d);
}

/* ---- a script ---- */

/* What the parser cannot know: are there such calls, with so many arguments? */
static bool calls_known(struct drill *d)
{
	for (const struct devent *e = d->sc.first; e; e = e->next) {
		const struct drill_call_entry *c;

		if (e->kind != DEV_CALL)
			continue;
		c = drill_call_find(e->call->name);
		if (!c) {
			drill_error(d, e->line, "unknown system call: '%s'", e->call->name);
			return false;
		}
		if (e->call->n_args < c->min_args || e->call->n_args > c->max_args) {
			if (c->min_args == c->max_args)
				drill_error(d, e->line, "%s takes %u argument%s, not %u", c->name, c->max_args, c->max_args == 1 ? "" : "s", e->call->n_args);
			else
				drill_error(d, e->line, "%s takes %u to %u arguments, not %u", c->name, c->min_args, c->max_args, e->call->n_args);
			return false;
		}
	}
	return true;
}

static enum drill_result run_parsed(struct drill *d, const struct drill_flags *flags)
{
	int err;

	if (!calls_known(d))
		return DRILL_BAD;
	d->sc.conf.verbose |= flags->verbose;
	if (flags->dry_run || d->sc.conf.dry_run)
		return DRILL_PASS;
	err = drill_world_open(d, flags->seed);
	if (err) {
		sb_printf(d->out, "%s: the host could not be set up: %s\n", d->name, os_strerror(-err));
		drill_calls_close(d);
		drill_world_close(d);
		return DRILL_BAD;
	}
	drill_calls_open(d);
	if (d->sc.conf.init_scripts)
		drill_command(d, d->sc.conf.init_scripts, 0);
	if (d->sc.init)
		drill_command(d, d->sc.init, d->sc.init_line);
	d->start_ns = d->net->now_ns;
	if (!d->failed)
		run_events(d);
	if (d->sc.cleanup && !d->failed)
		drill_command(d, d->sc.cleanup, d->sc.cleanup_line);
	if (d->failed && !d->sc.conf.verbose)
		sb_puts(d->out, sb_str(&d->notes)); /* what was left out may be why */
	drill_code_end(d);
	drill_calls_close(d);
	drill_flows_free(d);
	drill_world_close(d);
	return d->failed ? DRILL_FAIL : DRILL_PASS;
}

enum drill_result drill_run(const char *name, const char *dir, const char *text, size_t len, const struct drill_flags *flags,
			    struct strbuf *out)
{
	struct drill *d = xcalloc(1, sizeof(*d));
	enum drill_result r;
	int err;

	d->name = name;
	d->dir = dir;
	d->out = out;
	sb_init(&d->notes);
	err = dscript_parse(&d->sc, name, text, len, flags, out);
	if (err == -ENOSYS)
		sb_putc(out, '\n');
	r = !err ? run_parsed(d, flags) : err == -ENOSYS ? DRILL_SKIP : DRILL_BAD;
	sb_free(&d->notes);
	dscript_free(&d->sc);
	free(d);
	return r;
}

enum drill_result drill_parse_only(const char *name, const char *text, size_t len, struct strbuf *out)
{
	static const struct drill_flags none = { .dry_run = true };

	return drill_run(name, ".", text, len, &none, out);
}

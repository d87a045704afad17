/* dig: asks one server one question and shows all of the answer; with +trace walks from the root
 * itself.
 *
 * Exit codes as BIND's: 0 an answer came (whatever it says), 1 usage, 9 no server answered.
 * Decides which server is asked next in a trace: of the referral's NS names the first with an
 * address, from the additional section if given, else by the stub resolver. Output is
 * dig_print.c's. Tests: tests/unit/app/test_dig.c, test_dns_hosts.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app_net.h"
#include "app/app_util.h"
#include "app/dig.h"
#include "app/dns_build.h"
#include "app/stub.h"
#include "app/web_date.h"
#include "base/pool.h"
#include "socket/syscall.h"

#define TRACE_STEPS_MAX 32

enum { DIG_OK = 0, DIG_USAGE = 1, DIG_NO_ANSWER = 9, DIG_INTERNAL = 10 };

struct dig {
	struct task *t;
	struct dig_opts o;
	struct dname name;
	uint16_t type;
	bool has_name;
	const char *server_text; /* after '@' */
	uint32_t server[STUB_MAX_SERVERS];
	unsigned n_servers;
	char server_name[DNAME_TEXT_MAX]; /* of the one asked, for trace */
	struct strbuf args;
};
struct reply {
	uint8_t *p;
	struct dns_msg m;
	uint32_t server;
	bool tcp;
	uint64_t took_ns;
};

static int usage(struct dig *d, const char *why, const char *arg)
{
	task_eprintf(
	    d->t,
	    "dig: %s: %s\nusage: dig [@SERVER] [-p PORT] [-t TYPE] [-x ADDR] NAME [TYPE] [+trace] "
	    "[+norecurse] [+tcp] [+short] [+noedns]\n"
	    "           [+bufsize=N] [+time=N] [+tries=N] [+ignore] [+noall] [+answer] ...\n",
	    why, arg);
	return DIG_USAGE;
}

/* ---- the command line ---- */

static void show_all(struct dig_opts *o, bool on)
{
	o->comments = o->question = o->answer = o->authority = o->additional = o->stats = o->cmd =
	    on;
}

/* "+noXXX" or "+XXX[=N]"; a whole word or at least four letters of it, as one is used to. */
static bool plus_flag(struct dig_opts *o, const char *w)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {{"trace", &o->trace},
		     {"recurse", &o->recurse},
		     {"rdflag", &o->recurse},
		     {"tcp", &o->tcp},
		     {"vc", &o->tcp},
		     {"short", &o->short_form},
		     {"edns", &o->edns},
		     {"ignore", &o->ignore_tc},
		     {"cmd", &o->cmd},
		     {"comments", &o->comments},
		     {"question", &o->question},
		     {"answer", &o->answer},
		     {"authority", &o->authority},
		     {"additional", &o->additional},
		     {"stats", &o->stats}};
	bool on = strncmp(w, "no", 2) != 0;
	size_t i, n;

	w += on ? 0 : 2;
	n = strlen(w);
	if (!strcmp(w, "all")) {
		show_all(o, on);
		return true;
	}
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		if (strcmp(w, flags[i].name) && (n < 3 || strncmp(w, flags[i].name, n)))
			continue;
		*flags[i].flag = on;
		return true;
	}
	return false;
}

static bool plus_value(struct dig_opts *o, const char *w)
{
	const char *eq = strchr(w, '=');
	uint64_t v;

	if (!eq)
		return false;
	if (!strncmp(w, "time=", 5) || !strncmp(w, "timeout=", 8))
		return !u64_parse(eq + 1, 1, 300, &o->timeout_s);
	if (!strncmp(w, "tries=", 6))
		return !u64_parse(eq + 1, 1, 10, &o->tries);
	if (!strncmp(w, "retry=", 6)) {
		if (u64_parse(eq + 1, 0, 9, &v))
			return false;
		o->tries = v + 1;
		return true;
	}
	if (!strncmp(w, "bufsize=", 8) && !u64_parse(eq + 1, 0, 65535, &v)) {
		o->bufsize = (uint16_t)v;
		o->edns = true;
		return true;
	}
	return false;
}

static bool reverse_name(const char *addr, struct dname *n)
{
	char text[64];
	uint32_t a;

	if (ip4_parse(addr, &a))
		return false;
	snprintf(text, sizeof(text), "%u.%u.%u.%u.in-addr.arpa", a & 255, a >> 8 & 255,
		 a >> 16 & 255, a >> 24);
	return !dname_from_text(n, text, NULL);
}

/* A flag with its value. Arguments taken, 0: not one. */
static int dash_flag(struct dig *d, const char *f, const char *v)
{
	uint64_t p;

	if (!strcmp(f, "-p") && v && !u64_parse(v, 1, 65535, &p)) {
		d->o.port = (uint16_t)p;
		return 2;
	}
	if (!strcmp(f, "-t") && v && !dns_type_parse(v, &d->type))
		return 2;
	if (!strcmp(f, "-q") && v && !dname_from_text(&d->name, v, NULL)) {
		d->has_name = true;
		return 2;
	}
	if (!strcmp(f, "-x") && v && reverse_name(v, &d->name)) {
		d->has_name = true;
		d->type = DNS_PTR;
		return 2;
	}
	return !strcmp(f, "-4") ? 1 : 0;
}

static int operand(struct dig *d, const char *w, bool *type_given)
{
	uint16_t type;

	if (!strcasecmp(w, "IN"))
		return DIG_OK;
	if (!*type_given && !dns_type_parse(w, &type)) {
		d->type = type;
		*type_given = true;
		return DIG_OK;
	}
	if (d->has_name)
		return usage(d, "neither a record type nor a flag", w);
	if (dname_from_text(&d->name, w, NULL))
		return usage(d, "not a domain name", w);
	d->has_name = true;
	return DIG_OK;
}

static int parse(struct dig *d, int argc, char **argv)
{
	bool type_given = false;
	int i, n, rc = DIG_OK;

	for (i = 1; i < argc && !rc; i++) {
		sb_printf(&d->args, "%s%s", i > 1 ? " " : "", argv[i]);
		if (argv[i][0] == '@') {
			d->server_text = argv[i] + 1;
		} else if (argv[i][0] == '+') {
			if (!plus_flag(&d->o, argv[i] + 1) && !plus_value(&d->o, argv[i] + 1))
				rc = usage(d, "invalid option", argv[i]);
		} else if (argv[i][0] == '-') {
			n = dash_flag(d, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
			if (!n)
				rc = usage(d, "invalid option or value", argv[i]);
			else if (n == 2)
				sb_printf(&d->args, " %s", argv[++i]);
		} else {
			rc = operand(d, argv[i], &type_given);
		}
	}
	if (!rc && !d->has_name) { /* dig alone asks for the root's servers */
		dname_root(&d->name);
		d->type = type_given ? d->type : DNS_NS;
	}
	return rc;
}

static int find_servers(struct dig *d)
{
	struct stub_conf c;
	int err;

	if (!d->server_text) {
		stub_conf_read(d->t, &c);
		d->n_servers = c.n_servers;
		memcpy(d->server, c.server, sizeof(c.server));
		return DIG_OK;
	}
	d->n_servers = 1;
	err = stub_lookup4(d->t, d->server_text, &d->server[0]);
	if (!err)
		return DIG_OK;
	task_eprintf(d->t, "dig: couldn't get address for '%s': %s\n", d->server_text,
		     err == STUB_NONAME ? "not found" : "failure");
	return DIG_USAGE;
}

/* ---- one exchange ---- */

static void banner(struct dig *d)
{
	char found[40] = "";

	if (d->n_servers == 1 && d->server_text)
		snprintf(found, sizeof(found), "; (1 server found)\n");
	if (d->o.cmd && !d->o.short_form)
		task_printf(d->t, "\n; <<>> culver dig <<>> %s\n%s;; global options: +cmd\n",
			    sb_str(&d->args), found);
}

static int try_server(struct dig *d, uint32_t server, const struct dname *name, uint16_t type,
		      bool recurse, struct reply *r)
{
	struct stub_exchange x = {.server = server,
				  .port = d->o.port,
				  .tcp = d->o.tcp,
				  .tcp_on_tc = !d->o.ignore_tc,
				  .timeout_ns = d->o.timeout_s * NSEC_PER_SEC};
	uint8_t q[DNS_UDP_MIN];
	uint64_t start = sys_clock_ns(d->t);
	uint16_t id = 0;
	int len, err;

	sys_getrandom(d->t, &id, sizeof(id));
	len = dns_build_query(q, sizeof(q), id, recurse, name, type, d->o.edns ? d->o.bufsize : 0);
	if (len < 0)
		return -EINVAL;
	err = stub_exchange(d->t, &x, q, (size_t)len, &r->p, &r->m, &r->tcp);
	r->server = server;
	r->took_ns = sys_clock_ns(d->t) - start;
	return err;
}

/* Ask each server up to `tries` times. */
static int ask(struct dig *d, const struct dname *name, uint16_t type, bool recurse,
	       struct reply *r)
{
	char a[IP4_STRLEN];
	uint64_t i;
	unsigned s;
	int err = -ETIMEDOUT;

	for (i = 0; i < d->o.tries; i++) {
		for (s = 0; s < d->n_servers; s++) {
			err = try_server(d, d->server[s], name, type, recurse, r);
			if (!err || err == -EINTR)
				return err;
			task_printf(d->t, ";; communications error to %s#%u: %s\n",
				    ip4_str(a, d->server[s]), d->o.port ? d->o.port : DNS_PORT,
				    err == -ETIMEDOUT	   ? "timed out"
				    : err == -ECONNREFUSED ? "connection refused"
							   : app_strerror(err));
		}
	}
	return err;
}

static void stats(struct dig *d, const struct reply *r)
{
	char a[IP4_STRLEN];
	struct strbuf date;

	ip4_str(a, r->server);
	sb_init(&date);
	dig_date(&date, WEB_EPOCH_S + sys_clock_ns(d->t) / NSEC_PER_SEC);
	task_printf(d->t,
		    ";; Query time: %llu msec\n;; SERVER: %s#%u(%s) (%s)\n;; WHEN: %s\n;; MSG SIZE "
		    " rcvd: %zu\n\n",
		    (unsigned long long)(r->took_ns / NSEC_PER_MSEC), a,
		    d->o.port ? d->o.port : DNS_PORT, d->server_text ? d->server_text : a,
		    r->tcp ? "TCP" : "UDP", sb_str(&date), r->m.len);
	sb_free(&date);
}

static void print(struct dig *d, const struct reply *r)
{
	struct strbuf sb;

	sb_init(&sb);
	sb_puts(&sb, "");
	if (d->o.short_form)
		dig_print_short(&sb, &r->m);
	else
		dig_print(&sb, &d->o, &r->m);
	task_puts(d->t, sb_str(&sb));
	sb_free(&sb);
	if (d->o.stats && !d->o.short_form)
		stats(d, r);
}

static int query(struct dig *d)
{
	struct reply r = { 0 };
	int err = ask(d, &d->name, d->type, d->o.recurse, &r);

	if (!err && r.tcp && !d->o.tcp && !d->o.short_form)
		task_printf(d->t, ";; Truncated, retrying in TCP mode.\n");
	banner(d);
	if (err) {
		task_printf(d->t, ";; no servers could be reached\n");
		return DIG_NO_ANSWER;
	}
	print(d, &r);
	free(r.p);
	return DIG_OK;
}

/* ---- +trace ---- */

/* Answer or authority records of one step and where they came from. */
static void print_step(struct dig *d, const struct reply *r, enum dns_section s)
{
	char a[IP4_STRLEN];
	struct dns_walk w;
	struct dns_rr rr;
	struct strbuf sb;

	sb_init(&sb);
	sb_puts(&sb, "");
	dns_walk_init(&w, &r->m);
	while (dns_walk_next(&w, &rr))
		if (rr.section == s)
			dig_record(&sb, &r->m, &rr);
	ip4_str(a, r->server);
	sb_printf(&sb, ";; Received %zu bytes from %s#%u(%s) in %llu ms\n\n", r->m.len, a,
		  d->o.port ? d->o.port : DNS_PORT, d->server_name[0] ? d->server_name : a,
		  (unsigned long long)(r->took_ns / NSEC_PER_MSEC));
	task_puts(d->t, sb_str(&sb));
	sb_free(&sb);
}

static bool glue_of(const struct dns_msg *m, const struct dname *host, uint32_t *addr)
{
	struct dns_walk w;
	struct dns_rr rr;

	dns_walk_init(&w, m);
	while (dns_walk_next(&w, &rr)) {
		if (rr.section == DNS_AR && rr.type == DNS_A && dname_eq(&rr.owner, host)) {
			*addr = get_be32(m->p + rr.rd);
			return true;
		}
	}
	return false;
}

/* Servers to ask next, from the NS records of a section. False: none with an address. */
static bool next_servers(struct dig *d, const struct dns_msg *m, enum dns_section s,
			 struct dname *zone)
{
	uint8_t rd[DNAME_MAX];
	struct dns_walk w;
	struct dns_rr rr;

	d->n_servers = 0;
	dns_walk_init(&w, m);
	while (dns_walk_next(&w, &rr) && d->n_servers < STUB_MAX_SERVERS) {
		char text[DNAME_TEXT_MAX];
		struct dname host;
		uint32_t a;
		int n;

		if (rr.section != s || rr.type != DNS_NS)
			continue;
		n = dns_rdata_expand(m, &rr, rd, sizeof(rd));
		if (n <= 0 || !dname_from_wire(&host, rd, (size_t)n))
			continue;
		*zone = rr.owner;
		dname_text_nodot(text, &host);
		if (!glue_of(m, &host, &a) && stub_lookup4(d->t, text, &a)) {
			task_printf(d->t, "couldn't get address for '%s': not found\n", text);
			continue;
		}
		if (!d->n_servers)
			memcpy(d->server_name, text, sizeof(text));
		d->server[d->n_servers++] = a;
	}
	return d->n_servers != 0;
}

static bool has_section(const struct dns_msg *m, enum dns_section s, uint16_t type)
{
	struct dns_walk w;
	struct dns_rr rr;

	dns_walk_init(&w, m);
	while (dns_walk_next(&w, &rr))
		if (rr.section == s && (type == 0 || rr.type == type))
			return true;
	return false;
}

static int trace_failed(struct dig *d, const char *why)
{
	task_printf(d->t, ";; %s\n", why);
	return DIG_NO_ANSWER;
}

static int trace(struct dig *d)
{
	struct dname zone, root, was;
	struct reply r = { 0 };
	unsigned step;
	int rc = DIG_OK;
	bool more;

	banner(d);
	dname_root(&root);
	if (ask(d, &root, DNS_NS, true, &r))
		return trace_failed(d, "no servers could be reached");
	print_step(d, &r, DNS_AN);
	more = next_servers(d, &r.m, DNS_AN, &zone);
	free(r.p);
	if (!more)
		return trace_failed(d, "no root server with an address");
	for (step = 0; more && step < TRACE_STEPS_MAX; step++) {
		if (ask(d, &d->name, d->type, false, &r))
			return trace_failed(d, "no servers could be reached");
		more = !has_section(&r.m, DNS_AN, 0) && has_section(&r.m, DNS_AUTH, DNS_NS);
		print_step(d, &r, has_section(&r.m, DNS_AN, 0) ? DNS_AN : DNS_AUTH);
		was = zone;
		if (more && !next_servers(d, &r.m, DNS_AUTH, &zone))
			rc = trace_failed(d, "no servers could be reached");
		else if (more && (dname_eq(&was, &zone) || !dname_under(&zone, &was)))
			rc = trace_failed(d, "BAD (HORIZONTAL) REFERRAL");
		free(r.p);
		more = more && !rc;
	}
	return rc;
}

int dig_main(struct task *t, int argc, char **argv)
{
	struct dig *d = xcalloc(1, sizeof(*d));
	int rc;

	d->t = t;
	d->type = DNS_A;
	d->o = (struct dig_opts){
	    .recurse = true, .edns = true, .bufsize = DNS_EDNS_SIZE, .timeout_s = 5, .tries = 3};
	show_all(&d->o, true);
	sb_init(&d->args);
	sb_puts(&d->args, "");
	rc = parse(d, argc, argv);
	if (!rc)
		rc = find_servers(d);
	if (!rc)
		rc = d->o.trace ? trace(d) : query(d);
	sb_free(&d->args);
	free(d);
	return rc;
}

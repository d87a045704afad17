/* culver up and culver run: the lab in real time, joined to this machine's kernel. Called by main.c; hands on to lab/live.c,
 * lab/guest.c and os/. Exit codes as in docs: 2 for what the user got wrong, 3 for what this machine refused. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/strbuf.h"
#include "cli/cmd_live.h"
#include "lab/guest.h"
#include "lab/lab.h"
#include "lab/live.h"
#include "lab/out.h"
#include "os/os_live.h"
#include "os/os_ns.h"
#include "os/os_term.h"

struct live_cmd {
	const char *lab_file, *node, *out_dir;
	uint64_t for_ns;
	bool no_tun;
	struct lab_source src;
	struct lab_out *out;
	struct lab *lab;
	struct lab_opts opts;
};

static int say(const char *cmd, const char *text, int code)
{
	fprintf(stderr, "culver %s: %s\n", cmd, text);
	return code;
}

static int open_lab(const char *cmd, struct live_cmd *c)
{
	enum lab_err err;
	struct yerr e;

	err = lab_source_open(&c->src, c->lab_file, &e);
	if (err)
		return say(cmd, e.text, (int)err);
	c->opts.realtime = true;
	if (c->out_dir) {
		err = lab_out_open(&c->out, c->out_dir, &c->src, &e);
		if (err) {
			lab_source_close(&c->src);
			return say(cmd, e.text, (int)err);
		}
		lab_out_watch(c->out, &c->opts);
	}
	c->lab = lab_new(&c->src, &c->opts, &err, &e);
	if (!c->lab) {
		if (c->out)
			lab_out_abort(c->out);
		lab_source_close(&c->src);
		return say(cmd, e.text, (int)err);
	}
	return 0;
}

static int close_lab(const char *cmd, struct live_cmd *c, int code)
{
	struct yerr e;

	for (uint32_t i = 0; i < c->lab->n_links; i++)
		lab_detach(&c->lab->link[i]);
	if (c->out)
		lab_out_unwatch(c->out);
	lab_free(c->lab);
	if (c->out) {
		enum lab_err err = lab_out_commit(c->out, &e);
		if (err)
			code = say(cmd, e.text, (int)err);
	}
	lab_source_close(&c->src);
	return code;
}

/* ---- up ---- */

static int attach_taps(struct live_cmd *c)
{
	uint32_t n = 0;
	char line[256];

	for (uint32_t i = 0; i < c->lab->n_links; i++) {
		struct lab_link *l = &c->lab->link[i];
		const char *tap = l->topo->host_if;
		int fd;
		if (!tap)
			continue;
		fd = os_tap_open(tap, NULL, l->topo->mtu);
		if (fd < 0) {
			snprintf(line, sizeof(line), "TAP %s: %s%s", tap, os_strerror(-fd),
				 fd == -EPERM || fd == -EACCES ? " (run as root, or: ip tuntap add dev NAME mode tap user YOU)" : "");
			return say("up", line, 3);
		}
		if (lab_attach(l, l->end[0]->side ^ 1u, fd, "host", tap, false))
			return say("up", "a link of type host has both ends taken", 2);
		printf("%s:%s is on %s\n", l->end[0]->node->name, l->end[0]->name, tap);
		n++;
	}
	if (!n)
		return say("up", "the lab file has no link of type host: nothing to attach", 2);
	fflush(stdout);
	return 0;
}

static int parse_for(const char *s, uint64_t *ns)
{
	uint64_t v;

	if (u64_parse(s, 1, 1000000000, &v))
		return -EINVAL;
	*ns = v * NSEC_PER_SEC;
	return 0;
}

int cmd_up(int argc, char **argv)
{
	struct live_cmd c = { .for_ns = TIME_NEVER };
	int rc, sig;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--for") && i + 1 < argc && !parse_for(argv[i + 1], &c.for_ns))
			i++;
		else if (!strcmp(argv[i], "--out") && i + 1 < argc)
			c.out_dir = argv[++i];
		else if (argv[i][0] != '-' && !c.lab_file)
			c.lab_file = argv[i];
		else
			return fprintf(stderr, "culver up: '%s' is not understood (usage: culver up FILE [--for SECONDS] [--out DIR])\n", argv[i]), 2;
	}
	if (!c.lab_file)
		return say("up", "which lab? (usage: culver up FILE [--for SECONDS] [--out DIR])", 2);
	rc = open_lab("up", &c);
	if (rc)
		return rc;
	rc = attach_taps(&c);
	if (!rc) {
		sig = os_signal_fd();
		if (sig < 0)
			rc = say("up", os_strerror(-sig), 3);
		else
			lab_live_run(c.lab, &sig, 1, NULL, NULL, c.for_ns);
		os_close(sig);
	}
	return close_lab("up", &c, rc);
}

/* ---- run ---- */

struct run_state {
	struct os_ns_child child;
	int code;
};

static bool program_ended(void *arg)
{
	struct run_state *r = arg;

	return os_ns_exited(&r->child, &r->code);
}

/* Run until the program ends; signals to us are signals to it. */
static void serve(struct live_cmd *c, struct run_state *r)
{
	int fd[2] = { r->child.pidfd, os_signal_fd() };
	int sig = fd[1];

	os_ns_go(&r->child);
	/* The child's end wakes the loop by its pidfd. The terminal's ^C reaches the child by itself. */
	while (!program_ended(r)) {
		int which = lab_live_run(c->lab, fd, sig < 0 ? 1 : 2, program_ended, r, TIME_NEVER);
		if (which == LAB_LIVE_STOPPED)
			break;
		if (which == 1 && os_signal_take(sig) == SIGTERM)
			os_ns_kill(&r->child, SIGTERM);
	}
	os_close(sig);
}

static int run_program(struct live_cmd *c, struct lab_node *n, char **argv)
{
	struct os_ns_params *p = xcalloc(1, sizeof(*p));
	struct run_state r = { .code = 3 };
	struct strbuf resolv;
	char err[OS_NS_ERR];
	int rc = 3;

	sb_init(&resolv);
	p->argv = argv;
	p->no_tun = c->no_tun;
	if (lab_guest_describe(n, p, &resolv, err)) {
		rc = say("run", err, 2);
	} else if (os_ns_start(p, &r.child, err)) {
		rc = say("run", err, 3);
	} else {
		int e = lab_guest_plug(n, p, &r.child);
		if (e) {
			rc = say("run", os_strerror(-e), 3);
		} else {
			serve(c, &r);
			rc = r.code;
		}
		os_ns_close(&r.child);
	}
	sb_free(&resolv);
	free(p);
	return rc;
}

int cmd_run(int argc, char **argv)
{
	struct live_cmd c = { .lab_file = "internet", .node = "client" };
	struct lab_node *n;
	int i, rc;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--lab") && i + 1 < argc)
			c.lab_file = argv[++i];
		else if (!strcmp(argv[i], "--node") && i + 1 < argc)
			c.node = argv[++i];
		else if (!strcmp(argv[i], "--out") && i + 1 < argc)
			c.out_dir = argv[++i];
		else if (!strcmp(argv[i], "--veth"))
			c.no_tun = true;
		else
			break;
	}
	if (i < argc && !strcmp(argv[i], "--"))
		i++;
	else if (i < argc && argv[i][0] == '-')
		return fprintf(stderr, "culver run: '%s' is not understood (usage: culver run [--lab FILE] [--node NODE] [--out DIR] [--veth] -- PROGRAM ARG...)\n", argv[i]), 2;
	if (i >= argc)
		return say("run", "which program? (usage: culver run [--lab FILE] [--node NODE] [--out DIR] [--veth] -- PROGRAM ARG...)", 2);
	rc = open_lab("run", &c);
	if (rc)
		return rc;
	n = lab_find(c.lab, c.node);
	if (!n) {
		char line[256];
		snprintf(line, sizeof(line), "the lab has no node '%.100s'", c.node);
		return close_lab("run", &c, say("run", line, 2));
	}
	return close_lab("run", &c, run_program(&c, n, argv + i));
}

/* conntrack: the table of tracked connections, listed, filtered, counted, emptied; as conntrack-tools 1.4 prints it.
 *
 *     conntrack -L|-D [FILTER...] [-o extended]    -F    -C    -S
 *     FILTER: -p PROTO, -s/-d ADDR (original), -r/-q ADDR (reply), --sport/--dport PORT (original), --state STATE, -n (source
 *     translated), -g (destination translated), -j (either)
 *
 * Reads /proc/net/nf_conntrack and /proc/net/stat/nf_conntrack, and writes commands to the first. Exit: 0; 1 nothing was
 * deleted, or the host refused; 2 usage. Tests: tests/unit/netfilter/test_conntrack.c, tests/lab/nat.t. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "app/app_cmds.h"
#include "app/app_util.h"
#include "app/proc_text.h"

#define CT_FILE "/proc/net/nf_conntrack"
#define CT_NAME "conntrack v1.4.7 (conntrack-tools): "
#define CT_LINE_MAX 512u

struct ct_filter {
	const char *proto, *src, *dst, *reply_src, *reply_dst, *sport, *dport, *state;
	bool src_nat, dst_nat, any_nat, extended;
};

/* What a line of the file says, each "" where it says nothing. */
struct ct_entry {
	char text[CT_LINE_MAX]; /* cut up */
	const char *proto, *proto_num, *state;
	const char *src[2], *dst[2], *sport[2], *dport[2], *type, *code, *id;
};

/* ---- a line ---- */

static const char *after_key(const char *word, const char *key)
{
	size_t n = strlen(key);

	return !strncmp(word, key, n) && word[n] == '=' ? word + n + 1 : NULL;
}

static void take(const char *word, const char *key, const char **slot, unsigned dir)
{
	const char *v = after_key(word, key);

	if (v && !*slot[dir])
		slot[dir] = v;
}

static void take_word(struct ct_entry *e, const char *w, unsigned *dir)
{
	if (after_key(w, "src") && *e->src[0])
		*dir = 1;
	take(w, "src", e->src, *dir);
	take(w, "dst", e->dst, *dir);
	take(w, "sport", e->sport, *dir);
	take(w, "dport", e->dport, *dir);
	take(w, "type", &e->type, 0);
	take(w, "code", &e->code, 0);
	take(w, "id", &e->id, 0);
}

/* "ipv4     2 tcp      6 431999 ESTABLISHED src=..." */
static bool entry_parse(struct ct_entry *e, const char *line, size_t len)
{
	char *save, *w;
	unsigned n = 0, dir = 0;

	if (len >= sizeof(e->text))
		return false;
	memcpy(e->text, line, len);
	e->text[len] = '\0';
	e->proto = e->proto_num = e->state = e->type = e->code = e->id = "";
	for (unsigned i = 0; i < 2; i++)
		e->src[i] = e->dst[i] = e->sport[i] = e->dport[i] = "";
	for (w = strtok_r(e->text, " ", &save); w; w = strtok_r(NULL, " ", &save), n++) {
		if (n == 2)
			e->proto = w;
		else if (n == 3)
			e->proto_num = w;
		else if (n == 5 && !strchr(w, '='))
			e->state = w;
		else
			take_word(e, w, &dir);
	}
	return n > 5;
}

static bool is_src_nat(const struct ct_entry *e)
{
	return strcmp(e->src[0], e->dst[1]) != 0 || strcmp(e->sport[0], e->dport[1]) != 0;
}

static bool is_dst_nat(const struct ct_entry *e)
{
	return strcmp(e->dst[0], e->src[1]) != 0 || strcmp(e->dport[0], e->sport[1]) != 0;
}

static bool same(const char *want, const char *have)
{
	return !want || !strcmp(want, have);
}

static bool entry_wanted(const struct ct_entry *e, const struct ct_filter *f)
{
	if (f->proto && strcmp(f->proto, e->proto) != 0 && strcmp(f->proto, e->proto_num) != 0)
		return false;
	if (!same(f->src, e->src[0]) || !same(f->dst, e->dst[0]) || !same(f->reply_src, e->src[1]) ||
	    !same(f->reply_dst, e->dst[1]) || !same(f->sport, e->sport[0]) || !same(f->dport, e->dport[0]) ||
	    !same(f->state, e->state))
		return false;
	if ((f->src_nat && !is_src_nat(e)) || (f->dst_nat && !is_dst_nat(e)))
		return false;
	return !f->any_nat || is_src_nat(e) || is_dst_nat(e);
}

/* The tool prints the line without family and zone, and does not count the reference by which it looks. */
static void entry_print(struct task *t, const char *line, size_t len, bool extended)
{
	const char *p = line, *mark = memmem(line, len, " zone=", 6), *use = memmem(line, len, " use=", 5);
	int cut = (int)(mark ? mark - line : (ptrdiff_t)len);

	if (!extended) {
		p += 4;
		p += strspn(p, " ");
		p += strcspn(p, " ") + 1;
	}
	task_printf(t, "%.*s use=%u\n", cut - (int)(p - line), p, use ? (unsigned)proc_dec(use + 5) - 1 : 1);
}

/* ---- what it does ---- */

static int entry_delete(struct task *t, const struct ct_entry *e)
{
	struct strbuf ans;
	char cmd[96];
	unsigned sport = (unsigned)proc_dec(e->sport[0]), dport = (unsigned)proc_dec(e->dport[0]);
	int err;

	if (*e->id) { /* ICMP */
		sport = (unsigned)proc_dec(e->id);
		dport = (unsigned)(proc_dec(e->type) << 8 | proc_dec(e->code));
	}
	snprintf(cmd, sizeof(cmd), "delete %.3s %.15s %.15s %u %u", e->proto_num, e->src[0], e->dst[0], sport, dport);
	sb_init(&ans);
	err = proc_command(t, CT_FILE, cmd, &ans);
	sb_free(&ans);
	return err;
}

static int dump(struct task *t, const struct ct_filter *f, bool del)
{
	struct strbuf sb;
	struct ct_entry e;
	unsigned n = 0;
	int err;

	sb_init(&sb);
	err = proc_slurp(t, CT_FILE, &sb);
	for (const char *p = sb_str(&sb), *end; !err && *p; p = end + 1) {
		end = p + strcspn(p, "\n");
		if (!*end)
			break;
		if (!entry_parse(&e, p, (size_t)(end - p)) || !entry_wanted(&e, f))
			continue;
		if (del && entry_delete(t, &e))
			continue; /* it went by itself meanwhile */
		entry_print(t, p, (size_t)(end - p), f->extended);
		n++;
	}
	sb_free(&sb);
	if (err) {
		task_eprintf(t, CT_NAME "Operation failed: %s\n", app_strerror(err));
		return 1;
	}
	task_eprintf(t, CT_NAME "%u flow entries have been %s.\n", n, del ? "deleted" : "shown");
	return del && !n ? 1 : 0;
}

static int flush(struct task *t)
{
	struct strbuf ans;
	int err;

	sb_init(&ans);
	err = proc_command(t, CT_FILE, "flush", &ans);
	sb_free(&ans);
	if (err) {
		task_eprintf(t, CT_NAME "Operation failed: %s\n", app_strerror(err));
		return 1;
	}
	task_eprintf(t, CT_NAME "connection tracking table has been emptied.\n");
	return 0;
}

static int count(struct task *t)
{
	struct strbuf sb;
	int err;

	sb_init(&sb);
	err = proc_slurp(t, "/proc/sys/net/netfilter/nf_conntrack_count", &sb);
	if (!err)
		task_printf(t, "%llu\n", (unsigned long long)proc_dec(sb_str(&sb)));
	sb_free(&sb);
	return err ? 1 : 0;
}

static int stats(struct task *t)
{
	static const struct {
		const char *name;
		int column; /* of the file; -1: always 0 */
	} shown[] = { { "found", 2 },	    { "invalid", 4 },	  { "insert", 8 }, { "insert_failed", 9 },  { "drop", 10 },
		      { "early_drop", 11 }, { "error", 12 },	  { "search_restart", 16 }, { "clash_resolve", 1 }, { "chaintoolong", -1 } };
	struct proc_lines l;
	struct strbuf sb;
	int err, cpu = 0;

	sb_init(&sb);
	err = proc_slurp(t, "/proc/net/stat/nf_conntrack", &sb);
	proc_lines_init(&l, &sb);
	proc_lines_next(&l);
	while (!err && proc_lines_next(&l)) {
		task_printf(t, "cpu=%-4d\t", cpu++);
		for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
			task_printf(t, "%s=%llu ", shown[i].name,
				    shown[i].column >= 0 && shown[i].column < l.nf ? (unsigned long long)proc_hex(l.f[shown[i].column]) : 0ULL);
		task_puts(t, "\n");
	}
	sb_free(&sb);
	return err ? 1 : 0;
}

/* ---- the command line ---- */

enum ct_opt {
	O_PROTO, O_SRC, O_DST, O_REPLY_SRC, O_REPLY_DST, O_SPORT, O_DPORT, O_STATE, O_FAMILY, O_OUTPUT, O_SRC_NAT, O_DST_NAT, O_ANY_NAT
};
#define O_WITH_WORD O_OUTPUT /* this one and those before take a word */
static const struct {
	const char *names[3];
	enum ct_opt opt;
} ct_opts[] = {
	{ { "-p", "--proto", "--protonum" }, O_PROTO },	     { { "-s", "--src", "--orig-src" }, O_SRC },
	{ { "-d", "--dst", "--orig-dst" }, O_DST },	     { { "-r", "--reply-src", "" }, O_REPLY_SRC },
	{ { "-q", "--reply-dst", "" }, O_REPLY_DST },	     { { "--sport", "--orig-port-src", "" }, O_SPORT },
	{ { "--dport", "--orig-port-dst", "" }, O_DPORT },   { { "--state", "", "" }, O_STATE },
	{ { "-f", "--family", "" }, O_FAMILY },		     { { "-o", "--output", "" }, O_OUTPUT },
	{ { "-n", "--src-nat", "" }, O_SRC_NAT },	     { { "-g", "--dst-nat", "" }, O_DST_NAT },
	{ { "-j", "--any-nat", "" }, O_ANY_NAT },
};

static int usage(struct task *t, const char *what, const char *word)
{
	task_eprintf(t, "conntrack: %s%s%s%s\n", what, word ? " '" : "", word ? word : "", word ? "'" : "");
	return 2;
}

static int opt_find(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(ct_opts); i++)
		for (size_t k = 0; k < 3; k++)
			if (!strcmp(word, ct_opts[i].names[k]))
				return (int)ct_opts[i].opt;
	return -1;
}

static char command_of(const char *word)
{
	static const struct {
		char c;
		const char *name;
	} cmds[] = { { 'L', "--dump" }, { 'D', "--delete" }, { 'F', "--flush" }, { 'C', "--count" }, { 'S', "--stats" } };

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++)
		if (!strcmp(word, cmds[i].name) || (word[0] == '-' && word[1] == cmds[i].c && !word[2]))
			return cmds[i].c;
	return 0;
}

/* False: that is no value for it. */
static bool opt_set(struct ct_filter *f, enum ct_opt opt, const char *v)
{
	const char **const slot[] = { &f->proto, &f->src, &f->dst, &f->reply_src, &f->reply_dst, &f->sport, &f->dport, &f->state };
	uint32_t addr;
	uint64_t port;

	if (opt >= O_SRC && opt <= O_REPLY_DST && ip4_parse(v, &addr))
		return false;
	if ((opt == O_SPORT || opt == O_DPORT) && u64_parse(v, 0, 65535, &port))
		return false;
	if (opt < ARRAY_SIZE(slot)) {
		*slot[opt] = v;
		return true;
	}
	if (opt == O_FAMILY)
		return !strcmp(v, "ipv4");
	if (opt == O_OUTPUT) {
		f->extended = !strcmp(v, "extended");
		return f->extended;
	}
	f->src_nat |= opt == O_SRC_NAT;
	f->dst_nat |= opt == O_DST_NAT;
	f->any_nat |= opt == O_ANY_NAT;
	return true;
}

int conntrack_main(struct task *t, int argc, char **argv)
{
	struct ct_filter f = { 0 };
	bool filtered = false;
	char cmd = 0;

	for (int i = 1; i < argc; i++) {
		char c = command_of(argv[i]);
		int opt = c ? -1 : opt_find(argv[i]);
		const char *v = "";

		if (c && cmd)
			return usage(t, "one command at a time:", argv[i]);
		if (c) {
			cmd = c;
			if (i + 1 < argc && !strcmp(argv[i + 1], "conntrack"))
				i++;
			continue;
		}
		if (opt < 0)
			return usage(t, "unknown option", argv[i]);
		if (opt <= O_WITH_WORD) {
			if (i + 1 == argc)
				return usage(t, "option requires an argument:", argv[i]);
			v = argv[++i];
		}
		if (!opt_set(&f, (enum ct_opt)opt, v))
			return usage(t, "bad value", v);
		filtered = true;
	}
	if (!cmd)
		return usage(t, "say -L, -D, -F, -C or -S", NULL);
	if (filtered && !strchr("LD", cmd))
		return usage(t, "this command takes no filter", NULL);
	switch (cmd) {
	case 'F':
		return flush(t);
	case 'C':
		return count(t);
	case 'S':
		return stats(t);
	default:
		return dump(t, &f, cmd == 'D');
	}
}

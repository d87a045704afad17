/* Shared pieces of the programs: a re-entrant getopt, name lookup, error texts. Called by every program;
 * hands names to the stub resolver (stub.h). */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include "app/app_util.h"
#include "app/stub.h"
#include "base/strbuf.h"

void opt_init(struct opt *o, int argc, char **argv, const char *spec)
{
	*o = (struct opt){ .argc = argc, .argv = argv, .spec = spec, .i = 1, .pos = 1 };
}

static const char *opt_letter(const struct opt *o, char c)
{
	return c == ':' || c == '+' ? NULL : strchr(o->spec, c);
}

/* Whether the flags of "arg" end with one whose value is the next word. */
static bool value_follows(const struct opt *o, const char *arg)
{
	for (const char *p = arg + 1; *p; p++) {
		const char *s = opt_letter(o, *p);

		if (!s || s[1] == ':')
			return s && !p[1];
	}
	return false;
}

/* Brings the next flags, and their value, before the operands that stand in front of them: `ping HOST -c 1`. False if
 * no flags are left. */
static bool flags_forward(struct opt *o)
{
	int from = o->i, words;

	while (from < o->argc && (o->argv[from][0] != '-' || !o->argv[from][1]))
		from++;
	if (from == o->argc || (from > o->i && o->spec[0] == '+'))
		return false;
	words = value_follows(o, o->argv[from]) && from + 1 < o->argc ? 2 : 1;
	for (int w = 0; w < words; w++) {
		char *word = o->argv[from + w];

		for (int i = from + w; i > o->i + w; i--)
			o->argv[i] = o->argv[i - 1];
		o->argv[o->i + w] = word;
	}
	return true;
}

int opt_next(struct opt *o, struct task *t)
{
	const char *arg, *s;
	char c;

	if (o->pos == 1 && !flags_forward(o))
		return -1;
	arg = o->argv[o->i];
	if (o->pos == 1 && !strcmp(arg, "--")) {
		o->i++;
		return -1;
	}
	c = arg[o->pos++];
	s = opt_letter(o, c);
	if (!s) {
		task_eprintf(t, "%s: invalid option -- '%c'\n", o->argv[0], c);
		return '?';
	}
	if (s[1] == ':') {
		o->value = arg[o->pos] ? arg + o->pos : o->i + 1 < o->argc ? o->argv[++o->i] : NULL;
		o->i++;
		o->pos = 1;
		if (!o->value) {
			task_eprintf(t, "%s: option requires an argument -- '%c'\n", o->argv[0], c);
			return '?';
		}
	} else if (!arg[o->pos]) {
		o->i++;
		o->pos = 1;
	}
	return c;
}

int opt_u64(struct opt *o, struct task *t, uint64_t min, uint64_t max, uint64_t *out)
{
	if (u64_parse(o->value, min, max, out)) {
		uint64_t v;

		task_eprintf(t, "%s: invalid argument: '%s'", o->argv[0], o->value);
		if (!u64_parse(o->value, 0, UINT64_MAX, &v))
			task_eprintf(t, ": out of range: %llu <= value <= %llu", (unsigned long long)min, (unsigned long long)max);
		task_eprintf(t, "\n");
		return -EINVAL;
	}
	return 0;
}

int opt_seconds(struct opt *o, struct task *t, uint64_t *ns)
{
	const char *dot = strchr(o->value, '.');
	char whole[16] = "0", frac[10] = "000000000";
	uint64_t s, f;
	size_t n = dot ? (size_t)(dot - o->value) : strlen(o->value);

	if (n < sizeof(whole) && n > 0) {
		memcpy(whole, o->value, n);
		whole[n] = '\0';
	}
	if (dot && strlen(dot + 1) <= 9)
		memcpy(frac, dot + 1, strlen(dot + 1));
	if (n >= sizeof(whole) || (!n && !dot) || (dot && strlen(dot + 1) > 9) ||
	    u64_parse(whole, 0, 1000000000, &s) || u64_parse(frac, 0, 999999999, &f)) {
		task_eprintf(t, "%s: invalid argument: '%s'\n", o->argv[0], o->value);
		return -EINVAL;
	}
	*ns = s * NSEC_PER_SEC + f;
	return 0;
}

int app_resolve(struct task *t, const char *host, uint32_t *addr)
{
	int err;

	if (!ip4_parse(host, addr))
		return 0;
	err = stub_lookup4(t, host, addr);
	if (err)
		task_eprintf(t, "%s: %s: %s\n", t->comm, host, stub_strerror(err));
	return err ? -1 : 0;
}

struct sockaddr_in app_sockaddr(uint32_t addr, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(addr) };
	return a;
}

const char *app_strerror(int err)
{
	const char *s = strerrordesc_np(err < 0 ? -err : err);
	return s ? s : "Unknown error";
}

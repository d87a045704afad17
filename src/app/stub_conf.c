/* What /etc tells the stub resolver: resolv.conf(5), hosts(5).
 *
 * Decides which servers are asked with which patience, and what the hosts file says. Unknown words
 * are passed over, as the manual pages want. Called by stub.c and dig.c. Tests:
 * tests/unit/app/test_stub.c. */
#include <string.h>
#include <strings.h>

#include "app/proc_text.h"
#include "app/stub.h"
#include "base/strbuf.h"

/* Next word of a line; false at its end. '#' and ';' begin comments. */
static bool next_word(const char **s, const char *end, char *word, size_t room)
{
	size_t n = 0;

	while (*s < end && (**s == ' ' || **s == '\t' || **s == '\r'))
		++*s;
	if (*s >= end || **s == '#' || **s == ';')
		return false;
	while (*s < end && **s != ' ' && **s != '\t' && **s != '\r') {
		if (n + 1 < room)
			word[n++] = **s;
		++*s;
	}
	word[n] = 0;
	return true;
}

static const char *line_end(const char *s)
{
	const char *nl = strchr(s, '\n');

	return nl ? nl : s + strlen(s);
}

static void option(const char *w, struct stub_conf *c)
{
	uint64_t v;

	if (!strncmp(w, "ndots:", 6) && !u64_parse(w + 6, 0, 1000, &v))
		c->ndots = (unsigned)min_u64(v, 15);
	else if (!strncmp(w, "timeout:", 8) && !u64_parse(w + 8, 1, 1000, &v))
		c->timeout_s = (unsigned)min_u64(v, 30);
	else if (!strncmp(w, "attempts:", 9) && !u64_parse(w + 9, 1, 1000, &v))
		c->attempts = (unsigned)min_u64(v, 5);
	else if (!strcmp(w, "use-vc"))
		c->use_tcp = true;
	else if (!strcmp(w, "edns0"))
		c->edns = true;
}

static void conf_line(const char *s, const char *end, struct stub_conf *c)
{
	char key[64], w[300];
	struct dname root;

	dname_root(&root);
	if (!next_word(&s, end, key, sizeof(key)))
		return;
	if (!strcmp(key, "search") || !strcmp(key, "domain"))
		c->n_search = 0; /* the last such line counts */
	while (next_word(&s, end, w, sizeof(w))) {
		if (!strcmp(key, "nameserver") && c->n_servers < STUB_MAX_SERVERS &&
		    !ip4_parse(w, &c->server[c->n_servers]))
			c->n_servers++;
		else if ((!strcmp(key, "search") || (!strcmp(key, "domain") && !c->n_search)) &&
			 c->n_search < STUB_MAX_SEARCH &&
			 !dname_from_text(&c->search[c->n_search], w, &root))
			c->n_search++;
		else if (!strcmp(key, "options"))
			option(w, c);
	}
}

void stub_conf_parse(const char *text, struct stub_conf *c)
{
	memset(c, 0, sizeof(*c));
	c->ndots = 1;
	c->timeout_s = 5;
	c->attempts = 2;
	while (*text) {
		const char *end = line_end(text);

		conf_line(text, end, c);
		text = *end ? end + 1 : end;
	}
	if (!c->n_servers) { /* resolv.conf(5): the machine itself */
		c->server[0] = 0x7f000001;
		c->n_servers = 1;
	}
}

void stub_conf_read(struct task *t, struct stub_conf *c)
{
	struct strbuf sb;

	sb_init(&sb);
	proc_slurp(t, "/etc/resolv.conf", &sb);
	stub_conf_parse(sb.len ? sb_str(&sb) : "", c);
	sb_free(&sb);
}

static bool same_name(const char *a, const char *b)
{
	size_t n = strlen(b);

	if (n && b[n - 1] == '.')
		n--;
	return !strncasecmp(a, b, n) && (!a[n] || (a[n] == '.' && !a[n + 1]));
}

unsigned stub_hosts_find(const char *text, const char *name, uint32_t *addr, unsigned room,
			 char canon[256])
{
	unsigned n = 0;

	while (*text) {
		const char *end = line_end(text), *s = text;
		char w[256], first[256] = "";
		bool hit = false;
		uint32_t a;

		text = *end ? end + 1 : end;
		if (!next_word(&s, end, w, sizeof(w)) || ip4_parse(w, &a))
			continue;
		while (next_word(&s, end, w, sizeof(w))) {
			if (!first[0])
				memcpy(first, w, sizeof(w));
			hit = hit || same_name(w, name);
		}
		if (!hit || n == room)
			continue;
		if (n == 0)
			memcpy(canon, first, 256);
		addr[n++] = a;
	}
	return n;
}

bool stub_hosts_reverse(const char *text, uint32_t addr, char canon[256])
{
	while (*text) {
		const char *end = line_end(text), *s = text;
		char w[256];
		uint32_t a;

		text = *end ? end + 1 : end;
		if (next_word(&s, end, w, sizeof(w)) && !ip4_parse(w, &a) && a == addr &&
		    next_word(&s, end, canon, 256))
			return true;
	}
	return false;
}

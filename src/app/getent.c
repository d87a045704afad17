/* getent hosts NAME|ADDRESS...: what the host's name service says, in glibc's form.
 *
 * Exit codes: 0 all found, 1 usage, 2 one is not found. Addresses are looked up in /etc/hosts, then
 * as PTR. Tests: tests/unit/app/test_dns_hosts.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app_net.h"
#include "app/dns_build.h"
#include "app/proc_text.h"
#include "app/stub.h"
#include "base/strbuf.h"
#include "socket/syscall.h"

static bool ptr_answer(const struct dns_msg *m, char out[256])
{
	uint8_t rd[DNAME_MAX];
	char text[DNAME_TEXT_MAX];
	struct dns_walk w;
	struct dns_rr rr;

	dns_walk_init(&w, m);
	while (dns_walk_next(&w, &rr)) {
		struct dname n;
		int len;

		if (rr.section != DNS_AN || rr.type != DNS_PTR)
			continue;
		len = dns_rdata_expand(m, &rr, rd, sizeof(rd));
		if (len <= 0 || !dname_from_wire(&n, rd, (size_t)len))
			continue;
		dname_text_nodot(text, &n);
		if (strlen(text) < 256) {
			memcpy(out, text, strlen(text) + 1);
			return true;
		}
	}
	return false;
}

static bool ptr_lookup(struct task *t, uint32_t addr, char out[256])
{
	uint8_t q[DNS_UDP_MIN], *reply;
	char text[64];
	struct stub_conf c;
	struct dname n;
	struct dns_msg m;
	uint16_t id = 0;
	unsigned s;
	int len;

	snprintf(text, sizeof(text), "%u.%u.%u.%u.in-addr.arpa", addr & 255, addr >> 8 & 255,
		 addr >> 16 & 255, addr >> 24);
	stub_conf_read(t, &c);
	sys_getrandom(t, &id, sizeof(id));
	if (dname_from_text(&n, text, NULL))
		return false;
	len = dns_build_query(q, sizeof(q), id, true, &n, DNS_PTR, 0);
	for (s = 0; len > 0 && s < c.n_servers; s++) {
		struct stub_exchange x = {.server = c.server[s],
					  .tcp_on_tc = true,
					  .timeout_ns = c.timeout_s * NSEC_PER_SEC};
		bool hit;

		if (stub_exchange(t, &x, q, (size_t)len, &reply, &m, NULL))
			continue;
		hit = ptr_answer(&m, out);
		free(reply);
		return hit;
	}
	return false;
}

static bool by_address(struct task *t, uint32_t addr)
{
	char name[256] = "", a[IP4_STRLEN];
	struct strbuf sb;
	bool hit;

	sb_init(&sb);
	proc_slurp(t, "/etc/hosts", &sb);
	hit = sb.len && stub_hosts_reverse(sb_str(&sb), addr, name);
	sb_free(&sb);
	if (!hit)
		hit = ptr_lookup(t, addr, name);
	if (hit)
		task_printf(t, "%-15s %s\n", ip4_str(a, addr), name);
	return hit;
}

static bool by_name(struct task *t, const char *name)
{
	struct stub_answer ans;
	char a[IP4_STRLEN];
	unsigned i;

	if (stub_lookup(t, name, &ans))
		return false;
	for (i = 0; i < ans.n; i++)
		task_printf(t, "%-15s %s%s%s\n", ip4_str(a, ans.addr[i]), ans.canon,
			    strcasecmp(ans.canon, name) ? " " : "",
			    strcasecmp(ans.canon, name) ? name : "");
	return true;
}

int getent_main(struct task *t, int argc, char **argv)
{
	bool all = true;
	uint32_t addr;
	int i;

	if (argc < 3 || strcmp(argv[1], "hosts")) {
		task_eprintf(t, "usage: getent hosts NAME|ADDRESS...\n");
		return 1;
	}
	for (i = 2; i < argc; i++)
		all =
		    (ip4_parse(argv[i], &addr) ? by_name(t, argv[i]) : by_address(t, addr)) && all;
	return all ? 0 : 2;
}

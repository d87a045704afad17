/* DNS programs on whole hosts: S3-18..S3-30, DP-16, DR-02, DS-02, and what dig, getent and dns
 * print */
#include "test_hosts.h"
#include "app/dns_build.h"
#include "app/stub.h"

/* 1 client, 2 local DNS, 3 root, 4 com, 5 server.com's, 6 the web server's place */
enum { CLIENT = 1, LOCAL, ROOT, COM, AUTH, WEB };

struct lan {
	struct hosts *h;
	struct task *local, *root, *com, *auth;
	struct strbuf out;
};

static const char root_zone[] =
    "$TTL 86400\n@ SOA a.root-servers.net. h. 1 2 3 4 60\n@ NS "
    "a.root-servers.net.\na.root-servers.net. A 10.0.3.2\n"
    "com. 172800 NS a.gtld-servers.net.\na.gtld-servers.net. 172800 A 10.0.4.2\n";
static const char com_zone[] = "$TTL 86400\n@ SOA a.gtld-servers.net. h 1 2 3 4 60\n@ NS "
			       "a.gtld-servers.net.\nserver NS ns.server\nns.server A 10.0.5.2\n";
static const char server_zone[] =
    "$TTL 300\n@ SOA ns h 1 2 3 4 60\n@ NS ns\nns A 10.0.5.2\nwww A 10.0.6.2\nweb CNAME www\n"
    "$INCLUDE more.inc\n";

static int lan_new(void **state)
{
	struct lan *l = calloc(1, sizeof(*l));
	struct strbuf big;

	l->h = hosts_new(6);
	sb_init(&l->out);
	sb_init(&big);
	for (int i = 0; i < 60; i++)
		sb_printf(&big, "big TXT \"%03d-%080d\"\n", i, i);
	hosts_file(l->h, CLIENT, "/etc/resolv.conf", "nameserver 10.0.2.2\n");
	hosts_file(l->h, CLIENT, "/etc/hosts",
		   "127.0.0.1 localhost\n10.9.9.9 fromfile.server.com fromfile\n");
	hosts_file(l->h, LOCAL, "/etc/root.hints",
		   ". 3600000 NS a.root-servers.net.\na.root-servers.net. 3600000 A 10.0.3.2\n");
	hosts_file(l->h, ROOT, "/etc/root.zone", root_zone);
	hosts_file(l->h, COM, "/zones/com.zone", com_zone);
	hosts_file(l->h, AUTH, "/etc/server.zone", server_zone);
	hosts_file(l->h, AUTH, "/etc/more.inc", sb_str(&big));
	sb_free(&big);
	l->root = hosts_daemon(l->h, ROOT, "dns-server .=/etc/root.zone");
	l->com = hosts_daemon(l->h, COM, "dns-server /zones");
	l->auth = hosts_daemon(l->h, AUTH, "dns-server server.com=/etc/server.zone");
	l->local = hosts_daemon(l->h, LOCAL, "dns-resolver --hints /etc/root.hints");
	hosts_forget(l->h);
	*state = l;
	return 0;
}

static int lan_free(void **state)
{
	struct lan *l = *state;

	hosts_free(l->h);
	sb_free(&l->out);
	free(l);
	return 0;
}

static void getent(struct lan *l, const char *name, int code, const char *out)
{
	char line[200];

	snprintf(line, sizeof(line), "getent hosts %s", name);
	assert_int_equal(hosts_cmd(l->h, CLIENT, line, &l->out), code);
	if (out)
		assert_string_equal(sb_str(&l->out), out);
}

static void message(const struct hosts *h, size_t i, struct dns_msg *m)
{
	assert_true(i < h->n_p);
	assert_int_equal(h->p[i].proto, 17);
	assert_int_equal(dns_msg_check(m, h->p[i].b, h->p[i].snap), DNS_FINE);
}

static void s3_18_to_29_a_cold_lookup_is_eight_messages(void **state)
{
	static const struct {
		uint32_t src, dst;
	} path[] = {{0x0a000102, 0x0a000202}, {0x0a000202, 0x0a000302}, {0x0a000302, 0x0a000202},
		    {0x0a000202, 0x0a000402}, {0x0a000402, 0x0a000202}, {0x0a000202, 0x0a000502},
		    {0x0a000502, 0x0a000202}, {0x0a000202, 0x0a000102}};
	struct lan *l = *state;
	struct dns_msg m;

	getent(l, "www.server.com", 0, "10.0.6.2        www.server.com\n");
	assert_int_equal(l->h->n_p, 8);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(l->h->p[i].src, path[i].src);
		assert_int_equal(l->h->p[i].dst, path[i].dst);
		assert_int_equal(
		    i == 0 || i == 1 || i == 3 || i == 5 ? l->h->p[i].dport : l->h->p[i].sport, 53);
		message(l->h, i, &m);
		assert_int_equal(m.qtype, DNS_A);
		assert_memory_equal(m.qname.w, "\3www\6server\3com",
				    16); /* the whole name to each (S3-20, S3-26) */
	}
	message(l->h, 0, &m); /* S3-23 */
	assert_int_equal(m.flags, DNS_RD);
	assert_int_equal(m.count[DNS_QD], 1);
	message(l->h, 1, &m);
	assert_int_equal(m.flags & DNS_RD, 0);
	message(l->h, 2, &m); /* S3-25: the root points the way */
	assert_int_equal(m.flags & (DNS_AA | DNS_RA), 0);
	assert_int_equal(m.count[DNS_AN], 0);
	assert_int_equal(m.count[DNS_AUTH], 1);
	assert_int_equal(m.count[DNS_AR], 2); /* glue and OPT */
	message(l->h, 6, &m); /* S3-28: the origin of the data */
	assert_int_equal(m.flags & DNS_AA, DNS_AA);
	message(l->h, 7, &m); /* S3-29 */
	assert_int_equal(m.flags & (DNS_QR | DNS_RA | DNS_RD | DNS_AA), DNS_QR | DNS_RA | DNS_RD);
	assert_int_equal(m.count[DNS_AN], 1);
}

static void s3_24_30_caches_one_after_the_other(void **state)
{
	struct lan *l = *state;

	getent(l, "www.server.com", 0, NULL);
	assert_true(hosts_said(l->h, "os cache miss name=www.server.com"));
	assert_true(hosts_said(l->h, "hosts file miss name=www.server.com"));
	hosts_forget(l->h);
	getent(l, "www.server.com", 0, "10.0.6.2        www.server.com\n");
	assert_int_equal(l->h->n_p, 0);
	assert_true(hosts_said(l->h, "os cache hit name=www.server.com"));
	hosts_must(l->h, CLIENT, "dns os-cache flush");
	getent(l, "www.server.com", 0, NULL);
	assert_int_equal(l->h->n_p, 2); /* the local DNS server's cache */
	hosts_sleep(l->h, 301 * SEC);
	hosts_forget(l->h);
	getent(l, "www.server.com", 0, NULL);
	assert_int_equal(l->h->n_p,
			 4); /* the record has ended everywhere, the delegations have not */
	hosts_sleep(l->h, 2 * 86401 * SEC);
	hosts_forget(l->h);
	getent(l, "www.server.com", 0, NULL);
	assert_int_equal(l->h->n_p, 8); /* the walk is repeated */
}

static void s3_30_the_os_caches_ttl_is_what_is_left_of_it(void **state)
{
	struct lan *l = *state;

	getent(l, "www.server.com", 0, NULL);
	hosts_must(l->h, CLIENT, "dns os-cache flush");
	hosts_sleep(l->h, 200 * SEC);
	getent(l, "www.server.com", 0, NULL); /* 100 s left */
	hosts_sleep(l->h, 99 * SEC);
	hosts_forget(l->h);
	getent(l, "www.server.com", 0, NULL);
	assert_int_equal(l->h->n_p, 0);
	hosts_sleep(l->h, 2 * SEC);
	getent(l, "www.server.com", 0, NULL);
	assert_int_equal(l->h->n_p, 4);
}

static void s3_21_22_levels_hold_their_own_zones(void **state)
{
	struct lan *l = *state;

	assert_int_equal(hosts_cmd(l->h, CLIENT,
				   "dig @10.0.3.2 server.com NS +noall +answer +comments", &l->out),
			 0);
	assert_non_null(strstr(sb_str(&l->out), "ANSWER: 0, AUTHORITY: 1"));
	assert_int_equal(hosts_cmd(l->h, CLIENT, "dig @10.0.5.2 com NS +noall +comments", &l->out),
			 0);
	assert_non_null(strstr(sb_str(&l->out), "status: REFUSED"));
	getent(l, "www.server.com", 0, NULL);
	hosts_stop(l->h, l->root); /* after the warm-up the root may stop */
	getent(l, "web.server.com", 0, "10.0.6.2        www.server.com web.server.com\n");
	getent(l, "www.other.org", 2, "");
}

static void s3_29_a_moved_host_is_found_after_its_ttl(void **state)
{
	struct lan *l = *state;

	getent(l, "www.server.com", 0, "10.0.6.2        www.server.com\n");
	hosts_stop(l->h, l->auth);
	hosts_file(l->h, AUTH, "/etc/server.zone",
		   "$TTL 300\n@ SOA ns h 2 2 3 4 60\n@ NS ns\nns A 10.0.5.2\nwww A 10.0.6.77\n");
	hosts_daemon(l->h, AUTH, "dns-server server.com=/etc/server.zone");
	hosts_sleep(l->h, 299 * SEC);
	getent(l, "www.server.com", 0, "10.0.6.2        www.server.com\n");
	hosts_sleep(l->h, 2 * SEC);
	getent(l, "www.server.com", 0, "10.0.6.77       www.server.com\n");
}

static void s3_30_hosts_file_before_dns_and_nsswitch(void **state)
{
	struct lan *l = *state;

	getent(l, "fromfile.server.com", 0, "10.9.9.9        fromfile.server.com\n");
	getent(l, "FROMFILE", 0, "10.9.9.9        fromfile.server.com FROMFILE\n");
	getent(l, "10.9.9.9", 0, "10.9.9.9        fromfile.server.com\n");
	assert_int_equal(l->h->n_p, 0);
	hosts_file(l->h, CLIENT, "/etc/nsswitch.conf", "hosts: dns\n");
	getent(l, "fromfile.server.com", 2, "");
	assert_int_equal(l->h->n_p, 8);
	getent(l, "fromfile.server.com", 2, ""); /* that it does not exist is cached too */
	assert_int_equal(l->h->n_p, 8);
	hosts_sleep(l->h, 61 * SEC);
	getent(l, "fromfile.server.com", 2, "");
	assert_int_equal(l->h->n_p, 12);
}

static void search_list_completes_short_names(void **state)
{
	struct lan *l = *state;

	hosts_file(l->h, CLIENT, "/etc/resolv.conf",
		   "nameserver 10.0.2.2\nsearch nowhere.com server.com\n");
	getent(l, "www", 0, "10.0.6.2        www.server.com www\n");
	getent(l, "www.server.com.", 0, NULL);
	getent(l, "nope", 2, "");
}

static void no_server_is_a_temporary_failure(void **state)
{
	struct lan *l = *state;
	uint64_t t = l->h->now;

	hosts_stop(l->h, l->local);
	assert_int_equal(hosts_cmd(l->h, CLIENT, "ping -c 1 www.server.com", &l->out), 2);
	assert_non_null(strstr(sb_str(&l->out), "Temporary failure in name resolution"));
	assert_true(l->h->now - t < SEC); /* ICMP said so at once */
	hosts_file(l->h, CLIENT, "/etc/resolv.conf",
		   "nameserver 10.0.2.99\nnameserver 10.0.2.98\noptions timeout:2 attempts:2\n");
	t = l->h->now;
	getent(l, "www.server.com", 2, "");
	assert_true(l->h->now - t < 20 * SEC);
}

static void second_nameserver_takes_over(void **state)
{
	struct lan *l = *state;

	hosts_file(l->h, CLIENT, "/etc/resolv.conf", "nameserver 10.0.6.2\nnameserver 10.0.2.2\n");
	getent(l, "www.server.com", 0, "10.0.6.2        www.server.com\n");
}

static void dr_15_truncated_answers_come_by_tcp(void **state)
{
	struct lan *l = *state;

	assert_int_equal(hosts_cmd(l->h, CLIENT, "dig big.server.com TXT", &l->out), 0);
	assert_non_null(strstr(sb_str(&l->out), ";; Truncated, retrying in TCP mode."));
	assert_non_null(strstr(sb_str(&l->out), "ANSWER: 60,"));
	assert_non_null(strstr(sb_str(&l->out), "(TCP)"));
	assert_true(hosts_count(l->h, 6, 53) > 10); /* client to local, local to authoritative */
	assert_int_equal(
	    hosts_cmd(l->h, CLIENT, "dig big.server.com TXT +ignore +noall +comments", &l->out), 0);
	assert_non_null(strstr(sb_str(&l->out), " tc "));
	assert_int_equal(
	    hosts_cmd(l->h, CLIENT, "dig @10.0.5.2 www.server.com +tcp +short", &l->out), 0);
	assert_string_equal(sb_str(&l->out), "10.0.6.2\n");
}

static void dig_trace_walks_from_the_root(void **state)
{
	struct lan *l = *state;

	assert_int_equal(hosts_cmd(l->h, CLIENT, "dig www.server.com +trace", &l->out), 0);
	assert_string_equal(
	    sb_str(&l->out),
	    "\n; <<>> culver dig <<>> www.server.com +trace\n;; global options: +cmd\n"
	    ".\t\t\t604800\tIN\tNS\ta.root-servers.net.\n;; Received 75 bytes from "
	    "10.0.2.2#53(10.0.2.2) in 0 ms\n\n"
	    "com.\t\t\t172800\tIN\tNS\ta.gtld-servers.net.\n;; Received 91 bytes from "
	    "10.0.3.2#53(a.root-servers.net) in 0 ms\n\n"
	    "server.com.\t\t86400\tIN\tNS\tns.server.com.\n;; Received 76 bytes from "
	    "10.0.4.2#53(a.gtld-servers.net) in 0 ms\n\n"
	    "www.server.com.\t\t300\tIN\tA\t10.0.6.2\n;; Received 59 bytes from "
	    "10.0.5.2#53(ns.server.com) in 0 ms\n\n");
}

static void dig_exit_codes(void **state)
{
	struct lan *l = *state;

	assert_int_equal(hosts_cmd(l->h, CLIENT, "dig no.such.com", &l->out), 0);
	assert_non_null(strstr(sb_str(&l->out), "status: NXDOMAIN"));
	assert_int_equal(hosts_cmd(l->h, CLIENT, "dig @10.0.6.2 x.y", &l->out), 9);
	assert_non_null(
	    strstr(sb_str(&l->out), ";; communications error to 10.0.6.2#53: connection refused"));
	assert_non_null(strstr(sb_str(&l->out), ";; no servers could be reached"));
	assert_int_equal(hosts_cmd(l->h, CLIENT, "dig @10.0.2.77 x.y +tries=1 +time=2", &l->out),
			 9);
	assert_int_equal(hosts_cmd(l->h, CLIENT, "dig +nosuch x", &l->out), 1);
	assert_int_equal(hosts_cmd(l->h, CLIENT, "dig x y z", &l->out), 1);
	assert_int_equal(hosts_cmd(l->h, CLIENT, "dig www.server.com ANY +short", &l->out), 0);
	assert_string_equal(sb_str(&l->out), "\"RFC8482\" \"\"\n");
	assert_int_equal(
	    hosts_cmd(l->h, CLIENT,
		      "dig @10.0.2.2 www.server.com +norecurse +noall +comments +authority",
		      &l->out),
	    0);
	assert_non_null(strstr(sb_str(&l->out), "\tNS\t")); /* a referral, nobody was asked */
}

static void dns_shows_the_caches(void **state)
{
	struct lan *l = *state;

	getent(l, "www.server.com", 0, NULL);
	assert_int_equal(hosts_cmd(l->h, LOCAL, "dns cache", &l->out), 0);
	assert_string_equal(sb_str(&l->out),
			    "com.\t172800\tIN\tNS\ta.gtld-servers.net.\t; referral\n"
			    "server.com.\t86400\tIN\tNS\tns.server.com.\t; referral\n"
			    "ns.server.com.\t86400\tIN\tA\t10.0.5.2\t; additional\n"
			    "www.server.com.\t300\tIN\tA\t10.0.6.2\t; answer\n"
			    "a.gtld-servers.net.\t172800\tIN\tA\t10.0.4.2\t; additional\n"
			    "; 5 entries, 3127 of 8388608 octets\n");
	assert_int_equal(hosts_cmd(l->h, LOCAL, "dns cache flush", &l->out), 0);
	assert_int_equal(hosts_cmd(l->h, LOCAL, "dns cache", &l->out), 0);
	assert_string_equal(sb_str(&l->out), "; 0 entries, 0 of 8388608 octets\n");
	assert_int_equal(hosts_cmd(l->h, CLIENT, "dns cache", &l->out), 1); /* no resolver there */
	assert_int_equal(hosts_cmd(l->h, CLIENT, "dns os-cache", &l->out), 0);
	assert_non_null(strstr(sb_str(&l->out), "www.server.com "));
	assert_int_equal(hosts_cmd(l->h, CLIENT, "dns nonsense", &l->out), 2);
}

static void servers_refuse_bad_arguments_and_zones(void **state)
{
	struct lan *l = *state;

	hosts_file(l->h, WEB, "/etc/bad.zone",
		   "$TTL 300\n@ SOA ns h 1 2 3 4 60\n@ NS ns\n\nx A 300.1.2.3\n");
	assert_int_equal(hosts_cmd(l->h, WEB, "dns-server z=/etc/bad.zone", &l->out), 2);
	assert_non_null(strstr(sb_str(&l->out), "dns-server: /etc/bad.zone:5: "));
	assert_int_equal(hosts_cmd(l->h, WEB, "dns-server", &l->out), 2);
	assert_int_equal(hosts_cmd(l->h, WEB, "dns-server --frob", &l->out), 2);
	assert_int_equal(hosts_cmd(l->h, WEB, "dns-server z=/none", &l->out), 2);
	assert_int_equal(hosts_cmd(l->h, WEB, "dns-resolver", &l->out), 2);
	hosts_file(l->h, WEB, "/etc/h", ". 5 NS a.\n");
	assert_int_equal(hosts_cmd(l->h, WEB, "dns-resolver --hints /etc/h", &l->out), 2);
	assert_int_equal(hosts_cmd(l->h, ROOT, "dns-server .=/etc/root.zone", &l->out),
			 1); /* the port is taken */
	assert_non_null(strstr(sb_str(&l->out), "port 53: Address already in use"));
}

static void dr_02_source_ports_are_drawn_from_the_whole_range(void **state)
{
	struct lan *l = *state;
	unsigned octile[8] = { 0 }, n = 0, outside = 0;
	char line[64];

	for (int i = 0; i < 400; i++) {
		snprintf(line, sizeof(line), "n%d.server.com", i);
		getent(l, line, 2, "");
	}
	for (size_t i = 0; i < l->h->n_p; i++) {
		const struct hosts_packet *p = &l->h->p[i];

		if (p->src != 0x0a000202 || p->dport != 53)
			continue;
		n++;
		octile[p->sport / 8192]++;
		outside += p->sport < 1024;
	}
	assert_true(n >= 400);
	assert_int_equal(outside, 0);
	for (int i = 0; i < 8; i++)
		assert_in_range(octile[i], 25, 80); /* 50 each */
}

static void many_clients_at_once(void **state)
{
	struct lan *l = *state;
	struct task *t[60];
	struct strbuf out[60];
	char line[64];

	for (unsigned i = 0; i < 60; i++) {
		sb_init(&out[i]);
		snprintf(line, sizeof(line), "dig +short @10.0.2.2 %s",
			 i % 3 ? "www.server.com" : "web.server.com");
		t[i] = hosts_spawn(l->h, i % 2 ? CLIENT : WEB, line, &out[i]);
	}
	for (unsigned i = 0; i < 60; i++) {
		assert_int_equal(hosts_wait(l->h, t[i]), 0);
		assert_string_equal(sb_str(&out[i]),
				    i % 3 ? "10.0.6.2\n" : "www.server.com.\n10.0.6.2\n");
		sb_free(&out[i]);
	}
	/* 2 messages a client, and the walk (twice its last step: two names); nobody asked twice
	 * (DR-05) */
	assert_in_range(hosts_count(l->h, 17, 53), 126, 132);
}

static void a_lossy_moment_is_survived(void **state)
{
	struct lan *l = *state;

	hosts_stop(
	    l->h,
	    l->com); /* nobody at com for a second: ICMP, then silence is remembered, then back */
	getent(l, "www.server.com", 2, "");
	l->com = hosts_daemon(l->h, COM, "dns-server com=/zones/com.zone");
	hosts_sleep(l->h, 10 * SEC);
	getent(l, "www.server.com", 0, "10.0.6.2        www.server.com\n");
}

static void rfc_2181_answers_come_from_the_address_asked(void **state)
{
	struct lan *l = *state;

	hosts_must(l->h, LOCAL, "ip addr add 10.0.2.200/24 dev eth0");
	hosts_file(l->h, CLIENT, "/etc/resolv.conf", "nameserver 10.0.2.200\noptions attempts:1\n");
	getent(l, "www.server.com", 0, "10.0.6.2        www.server.com\n");
	assert_int_equal(l->h->p[l->h->n_p - 1].src, 0x0a0002c8);
}

/* ---- raw clients ---- */

static int tcp_to(struct task *t, uint32_t addr, uint16_t port)
{
	struct sockaddr_in to = app_sockaddr(addr, port);
	int fd = sys_socket(t, AF_INET, SOCK_STREAM, 0);

	return sys_connect(t, fd, (const struct sockaddr *)&to, sizeof(to)) ? -1 : fd;
}

static size_t query(uint8_t *q, const char *name, uint16_t id)
{
	struct dname n;
	int len;

	dname_from_text(&n, name, NULL);
	len = dns_build_query(q + 2, 500, id, true, &n, DNS_A, 0);
	put_be16(q, (uint16_t)len);
	return (size_t)len + 2;
}

/* Octets until the peer closes or 60 s pass; -1: it did neither. */
static ssize_t read_all(struct task *t, int fd, uint8_t *buf, size_t room, uint64_t *took)
{
	uint64_t start = sys_clock_ns(t);
	struct pollfd p = { fd, POLLIN, 0 };
	size_t got = 0;

	while (sys_poll(t, &p, 1, 60000) > 0) {
		ssize_t n = sys_recvfrom(t, fd, buf + got, room - got, 0, NULL, NULL);

		if (n <= 0) {
			*took = sys_clock_ns(t) - start;
			return (ssize_t)got;
		}
		got += (size_t)n;
	}
	return -1;
}

static int tcp_attacker(struct task *t, int argc, char **argv)
{
	uint8_t q[600], *buf = malloc(70000);
	uint64_t took = 0;
	ssize_t n;
	int fd, i;

	/* a length below a header's: the connection ends at once */
	for (i = 0; i < 2; i++) {
		fd = tcp_to(t, 0x0a000502, 53);
		put_be16(q, (uint16_t)i);
		sys_sendto(t, fd, q, 3, 0, NULL, 0);
		n = read_all(t, fd, buf, 70000, &took);
		sys_close(t, fd);
		if (n != 0 || took > SEC)
			return 10 + i;
	}
	/* 65535 announced, 100 sent: cut off in time */
	fd = tcp_to(t, 0x0a000502, 53);
	memset(q, 0xff, sizeof(q));
	sys_sendto(t, fd, q, 100, 0, NULL, 0);
	n = read_all(t, fd, buf, 70000, &took);
	sys_close(t, fd);
	if (n != 0 || took > 11 * SEC)
		return 20;
	/* an octet every 10 s */
	fd = tcp_to(t, 0x0a000502, 53);
	query(q, "www.server.com", 1);
	for (i = 0; i < 5; i++) {
		if (sys_sendto(t, fd, q + i, 1, MSG_NOSIGNAL, NULL, 0) < 0)
			break;
		sys_nanosleep(t, 10 * SEC);
	}
	sys_close(t, fd);
	if (i >= 3)
		return 30;
	/* an octet every 100 ms is slow, but whole in time */
	fd = tcp_to(t, 0x0a000502, 53);
	n = (ssize_t)query(q, "www.server.com", 1);
	for (i = 0; i < n; i++) {
		sys_sendto(t, fd, q + i, 1, MSG_NOSIGNAL, NULL, 0);
		sys_nanosleep(t, 100 * NSEC_PER_MSEC);
	}
	n = sys_recvfrom(t, fd, buf, 70000, 0, NULL, NULL);
	sys_close(t, fd);
	free(buf);
	return n > 12 ? 0 : 40;
}

static void dp_16_tcp_lengths_and_slow_senders(void **state)
{
	struct lan *l = *state;
	struct task *t = task_spawn(l->h->net[CLIENT], "raw", tcp_attacker, 0, NULL, NULL);

	assert_int_equal(hosts_wait(l->h, t), 0);
}

static int pipeliner(struct task *t, int argc, char **argv)
{
	uint8_t *buf = calloc(1, 70000), *out = calloc(1, 100000);
	size_t len = 0, at = 0, seen = 0;
	uint64_t took;
	ssize_t n;
	char name[40];
	int fd = tcp_to(t, argc ? 0x0a000202 : 0x0a000502, 53);

	for (uint16_t i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), argc && i % 2 ? "p%u.server.com" : "www.server.com",
			 i);
		len += query(out + len, name, i);
	}
	for (at = 0; at < len; at += (size_t)n) {
		n = sys_sendto(t, fd, out + at, min_sz(len - at, 1000), 0, NULL, 0);
		if (n <= 0)
			return 1;
	}
	sys_shutdown(t, fd, SHUT_WR);
	n = read_all(t, fd, buf, 70000, &took);
	for (at = 0; n > 0 && at + 2 <= (size_t)n; at += 2u + get_be16(buf + at))
		seen++;
	sys_close(t, fd);
	free(buf);
	free(out);
	return seen == 300 ? 0 : 2;
}

static void rfc_7766_pipelined_queries_are_all_answered(void **state)
{
	struct lan *l = *state;
	char *arg[] = { (char *)(uintptr_t)"x", NULL };

	assert_int_equal(
	    hosts_wait(l->h, task_spawn(l->h->net[CLIENT], "raw", pipeliner, 0, NULL, NULL)), 0);
	assert_int_equal(
	    hosts_wait(l->h, task_spawn(l->h->net[CLIENT], "raw", pipeliner, 1, arg, NULL)), 0);
}

static int flooder(struct task *t, int argc, char **argv)
{
	struct sockaddr_in to = app_sockaddr(0x0a000502, 53);
	int fd = sys_socket(t, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	unsigned full = 0, slipped = 0;
	uint8_t q[600], in[600];
	size_t len = query(q, "www.server.com", 9);

	for (int i = 0; i < 3000; i++) {
		sys_sendto(t, fd, q + 2, len - 2, 0, (const struct sockaddr *)&to, sizeof(to));
		sys_nanosleep(t, 10000); /* 30 ms in all */
		for (ssize_t n; (n = sys_recvfrom(t, fd, in, sizeof(in), 0, NULL, NULL)) > 0;) {
			full += n > 12;
			slipped += n == 12 && (in[2] & 2);
		}
	}
	task_printf(t, "%u %u", full, slipped);
	sys_close(t, fd);
	return 0;
}

static void ds_02_floods_are_answered_at_a_limited_rate(void **state)
{
	struct lan *l = *state;
	struct task *t = task_spawn(l->h->net[CLIENT], "raw", flooder, 0, NULL, NULL);
	unsigned full = 0, slipped = 0;

	t->write = hosts_capture;
	t->write_arg = &l->out;
	assert_int_equal(hosts_wait(l->h, t), 0);
	assert_int_equal(sscanf(sb_str(&l->out), "%u %u", &full, &slipped), 2);
	assert_in_range(full, 900, 1000);
	assert_in_range(slipped, 900, 1100);
	hosts_sleep(l->h, 2 * SEC);
	getent(l, "www.server.com", 0, "10.0.6.2        www.server.com\n");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, lan_new, lan_free)
	const struct CMUnitTest tests[] = {
	    T(s3_18_to_29_a_cold_lookup_is_eight_messages),
	    T(s3_24_30_caches_one_after_the_other),
	    T(s3_30_the_os_caches_ttl_is_what_is_left_of_it),
	    T(s3_21_22_levels_hold_their_own_zones),
	    T(s3_29_a_moved_host_is_found_after_its_ttl),
	    T(s3_30_hosts_file_before_dns_and_nsswitch),
	    T(search_list_completes_short_names),
	    T(no_server_is_a_temporary_failure),
	    T(second_nameserver_takes_over),
	    T(rfc_2181_answers_come_from_the_address_asked),
	    T(dr_15_truncated_answers_come_by_tcp),
	    T(dig_trace_walks_from_the_root),
	    T(dig_exit_codes),
	    T(dns_shows_the_caches),
	    T(servers_refuse_bad_arguments_and_zones),
	    T(dr_02_source_ports_are_drawn_from_the_whole_range),
	    T(many_clients_at_once),
	    T(a_lossy_moment_is_survived),
	    T(dp_16_tcp_lengths_and_slow_senders),
	    T(rfc_7766_pipelined_queries_are_all_answered),
	    T(ds_02_floods_are_answered_at_a_limited_rate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* http-server, curl and the visitor on whole hosts: S3-12..S3-17, S3-30, S3-39, S3-57, S3-61,
 * S3-62, S3-122..S3-127, HT-20..HT-23, HR-01..HR-05, HF-04, HF-06, HF-07 */
#include "test_hosts.h"
#include "tcp/tcp.h"

enum { CLIENT = 1, WEB, NAMES, OTHER };

struct lan {
	struct hosts *h;
	struct task *web;
	struct strbuf out;
	char *big; /* 300,000 octets */
};
#define BIG 300000u

static int lan_new(void **state)
{
	struct lan *l = calloc(1, sizeof(*l));

	l->h = hosts_new(4);
	sb_init(&l->out);
	sb_puts(&l->out, "");
	l->big = malloc(BIG + 1);
	for (uint32_t i = 0; i < BIG; i++)
		l->big[i] = (char)('a' + (i * 7 + i / 977) % 26);
	l->big[BIG] = 0;
	hosts_file(l->h, CLIENT, "/etc/resolv.conf", "nameserver 10.0.3.2\n");
	hosts_file(l->h, WEB, "/srv/www/index.html", "<h1>front page</h1>\n");
	hosts_file(l->h, WEB, "/srv/www/dir1/file1.html", "file one\n");
	hosts_file(l->h, WEB, "/srv/www/dir2/default.html", "default two\n");
	hosts_file(l->h, WEB, "/srv/www/empty.txt", "");
	hosts_file(l->h, WEB, "/srv/www/big.txt", l->big);
	hosts_file(l->h, WEB, "/srv/www/up/old.txt", "old");
	hosts_file(l->h, WEB, "/etc/secret", "root only\n");
	hosts_file(l->h, NAMES, "/etc/z",
		   "$TTL 300\n. SOA a. h. 1 2 3 4 60\n. NS a.\na. A 10.0.3.2\nwww.server.com. A "
		   "10.0.2.2\n");
	hosts_daemon(l->h, NAMES, "dns-server .=/etc/z");
	l->web =
	    hosts_daemon(l->h, WEB, "http-server --root /srv/www --put /up/ --max-body 1000000");
	hosts_forget(l->h);
	*state = l;
	return 0;
}

static int lan_free(void **state)
{
	struct lan *l = *state;

	hosts_free(l->h);
	sb_free(&l->out);
	free(l->big);
	free(l);
	return 0;
}

/* ---- raw clients: what they send, how, and what comes back ---- */

struct raw {
	const char *send;
	size_t len, piece;     /* piece: octets per send; 0: all at once */
	uint64_t gap_ns;       /* between pieces */
	uint64_t read_gap_ns;  /* wait before each read */
	uint64_t patience_ns;  /* give up reading after this silence */
	size_t max_read;       /* per read; 0: any */
	struct strbuf got;
	bool closed, reset;
	uint64_t took_ns;
	uint16_t port;         /* 0: 80 */
};

static bool raw_read(struct task *t, int fd, struct raw *r, uint64_t patience)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char buf[8192];
	ssize_t n;

	if (sys_poll(t, &p, 1, (int)(patience / NSEC_PER_MSEC)) <= 0)
		return false;
	if (r->read_gap_ns)
		sys_nanosleep(t, r->read_gap_ns);
	n = sys_recvfrom(t, fd, buf, r->max_read ? r->max_read : sizeof(buf), 0, NULL, NULL);
	r->closed = n == 0;
	r->reset = n < 0;
	if (n > 0)
		sb_add(&r->got, buf, (size_t)n);
	return n > 0;
}

static int raw_main(struct task *t, int argc, char **argv)
{
	struct raw *r = t->owner_data;
	struct sockaddr_in to = app_sockaddr(0x0a000202, r->port ? r->port : 80);
	int fd = sys_socket(t, AF_INET, SOCK_STREAM, 0), small = 4096;
	uint64_t start = sys_clock_ns(t);
	size_t at = 0;

	if (r->max_read) /* a small window */
		sys_setsockopt(t, fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (sys_connect(t, fd, (const struct sockaddr *)&to, sizeof(to)))
		return 1;
	while (at < r->len) {
		ssize_t n = sys_sendto(t, fd, r->send + at,
				       r->piece ? min_sz(r->piece, r->len - at) : r->len - at,
				       MSG_NOSIGNAL, NULL, 0);

		if (n <= 0)
			break;
		at += (size_t)n;
		if (r->gap_ns)
			sys_nanosleep(t, r->gap_ns);
	}
	while (raw_read(t, fd, r, r->patience_ns))
		;
	r->took_ns = sys_clock_ns(t) - start;
	sys_close(t, fd);
	return 0;
}

static struct task *raw_start(struct lan *l, struct raw *r)
{
	struct task *t = task_spawn(l->h->net[CLIENT], "raw", raw_main, 0, NULL, NULL);

	sb_init(&r->got);
	sb_puts(&r->got, "");
	if (!r->patience_ns)
		r->patience_ns = SEC;
	t->owner_data = r;
	l->h->kicked[CLIENT] = true;
	return t;
}

static void raw_run(struct lan *l, struct raw *r)
{
	assert_int_equal(hosts_wait(l->h, raw_start(l, r)), 0);
}

/* Send text in one piece; the statuses of what comes back, as "200 404". */
static void exchange(struct lan *l, const char *text, const char *statuses, bool closed)
{
	struct raw r = { .send = text, .len = strlen(text) };
	char list[200] = "";
	const char *p;

	raw_run(l, &r);
	for (p = sb_str(&r.got); (p = strstr(p, "HTTP/1.1 ")); p += 9) {
		if (list[0])
			strcat(list, " ");
		strncat(list, p + 9, 3);
	}
	if (strcmp(list, statuses) || r.closed != closed)
		fail_msg("%.60s...: '%s' %s", text, list, r.closed ? "closed" : "open");
	sb_free(&r.got);
}

static void curl(struct lan *l, const char *args, int code, const char *want)
{
	char line[300];
	int rc;

	snprintf(line, sizeof(line), "curl %s", args);
	rc = hosts_cmd(l->h, CLIENT, line, &l->out);
	if (rc != code)
		fail_msg("%s: %d %.200s", line, rc, sb_str(&l->out));
	if (want)
		assert_string_equal(sb_str(&l->out), want);
}

static const char get_big[] = "GET /big.txt HTTP/1.1\r\nHost: h\r\n\r\n";

/* ---- files ---- */

static void s3_14_15_files_and_default_pages(void **state)
{
	struct lan *l = *state;

	curl(l, "http://www.server.com", 0,
	     "<h1>front page</h1>\n"); /* no path: "/" is sent, the server maps it */
	curl(l, "http://10.0.2.2/dir1/file1.html", 0, "file one\n");
	curl(l, "http://10.0.2.2/dir2/", 0, "default two\n");
	curl(l, "http://10.0.2.2/empty.txt", 0, "");
	curl(l, "-f http://10.0.2.2/nope", 22, NULL);
	curl(l, "http://10.0.2.2/big.txt", 0, l->big); /* S3-126: byte for byte */
}

static void s3_16_62_122_to_124_the_request_and_the_response(void **state)
{
	struct lan *l = *state;
	size_t i, n = 0;

	curl(l, "http://www.server.com/dir1/file1.html?q=1#frag", 0, "file one\n");
	for (i = 0; i < l->h->n_p; i++) {
		const struct hosts_packet *p = &l->h->p[i];

		if (p->proto != 6 || !p->payload)
			continue;
		if (n++ == 0) { /* S3-62: the first payload begins with the request line */
			assert_memory_equal(
			    p->b, "GET /dir1/file1.html?q=1 HTTP/1.1\r\nHost: www.server.com\r\n",
			    57);
			assert_int_equal(p->src, 0x0a000102);
			assert_int_equal(p->dport, 80); /* S3-61 */
			assert_in_range(p->sport, 32768, 60999);
			assert_memory_equal(p->b + p->snap - 4, "\r\n\r\n", 4);
		} else {
			assert_memory_equal(p->b, "HTTP/1.1 200 OK\r\n", 17);
			assert_int_equal(p->src, 0x0a000202); /* S3-124: swapped */
			assert_int_equal(p->sport, 80);
			assert_non_null(memmem(p->b, p->snap, "Content-Length: 9\r\n", 19));
			assert_memory_equal(p->b + p->snap - 9, "file one\n", 9);
		}
	}
	assert_int_equal(n, 2);
}

static void s3_57_a_long_message_goes_in_pieces_of_the_mss(void **state)
{
	struct lan *l = *state;
	struct raw r = { .send = get_big, .len = sizeof(get_big) - 1 };
	uint64_t sum = 0;

	sysctl_set(l->h->net[WEB], "net.ipv4.tcp_timestamps", "1");
	raw_run(l, &r);
	for (size_t i = 0; i < l->h->n_p; i++) {
		const struct hosts_packet *p = &l->h->p[i];

		if (p->src != 0x0a000202 || p->proto != 6)
			continue;
		sum += p->payload;
		assert_int_equal(p->dst, 0x0a000102);
	}
	assert_int_equal(sum, r.got.len);
	assert_int_equal(memcmp(r.got.buf + r.got.len - BIG, l->big, BIG), 0);
	sb_free(&r.got);
}

static void hf_01_to_04_hf_06_s3_14_paths_over_the_wire(void **state)
{
	struct lan *l = *state;

	exchange(l, "GET /../../etc/secret HTTP/1.1\r\nHost: h\r\n\r\n", "400", false);
	exchange(l, "GET /..%2f..%2fetc/secret HTTP/1.1\r\nHost: h\r\n\r\n", "404", false);
	exchange(l, "GET /%2e%2e/%2e%2e/etc/secret HTTP/1.1\r\nHost: h\r\n\r\n", "400", false);
	exchange(l, "GET /a%00.html HTTP/1.1\r\nHost: h\r\n\r\n", "400", false);
	exchange(l, "GET /..\\x HTTP/1.1\r\nHost: h\r\n\r\n", "400", true);
	exchange(l, "GET /dir1/file1.html/ HTTP/1.1\r\nHost: h\r\n\r\n", "404", false);
	exchange(l, "GET /dir1/ HTTP/1.1\r\nHost: h\r\n\r\n", "404", false);
	hosts_file(l->h, WEB, "/srv/www/odd/index.html/x", "a folder named as the page");
	exchange(l, "GET /odd/ HTTP/1.1\r\nHost: h\r\n\r\n", "404", false);
	hosts_file(l->h, WEB, "/srv/www/empty/index.html", ""); /* HF-06: of no length at all */
	exchange(l, "GET /empty/ HTTP/1.1\r\nHost: h\r\n\r\n", "200", false);
}

static void hf_04_folders_redirect_within_the_site(void **state)
{
	static const char *const ask[][2] = {{"/dir2", "Location: /dir2/\r\n"},
					     {"//dir2", "Location: /dir2/\r\n"},
					     {"/dir2?a=b", "Location: /dir2/?a=b\r\n"}};
	struct lan *l = *state;
	char text[200];

	for (size_t i = 0; i < 3; i++) {
		struct raw r = { .send = text };

		r.len = (size_t)snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: h\r\n\r\n",
					 ask[i][0]);
		raw_run(l, &r);
		assert_memory_equal(r.got.buf, "HTTP/1.1 301 ", 13);
		assert_non_null(strstr(sb_str(&r.got), ask[i][1]));
		sb_free(&r.got);
	}
	exchange(l, "GET /dir2%0d%0aSet-Cookie:x HTTP/1.1\r\nHost: h\r\n\r\n", "400", false);
}

static void hf_07_a_file_that_changes_under_way_is_cut_off(void **state)
{
	struct lan *l = *state;
	struct raw r = {.send = get_big,
			.len = sizeof(get_big) - 1,
			.read_gap_ns = 20 * NSEC_PER_MSEC,
			.max_read = 4096,
			.patience_ns = 30 * SEC};
	struct task *t = raw_start(l, &r);

	hosts_sleep(l->h, 300 * NSEC_PER_MSEC);
	assert_in_range(r.got.len, 1, BIG - 1);
	hosts_file(l->h, WEB, "/srv/www/big.txt", "now it is short");
	assert_int_equal(hosts_wait(l->h, t), 0);
	assert_true(r.got.len <
		    BIG); /* fewer octets than Content-Length said, and no orderly end */
	assert_true(r.reset);
	sb_free(&r.got);
}

static void hf_07_a_replaced_file_of_equal_size_too(void **state)
{
	struct lan *l = *state;
	struct raw r = {.send = get_big,
			.len = sizeof(get_big) - 1,
			.read_gap_ns = 20 * NSEC_PER_MSEC,
			.max_read = 4096,
			.patience_ns = 30 * SEC};
	struct task *t = raw_start(l, &r);

	hosts_sleep(l->h, 300 * NSEC_PER_MSEC);
	memset(l->big, 'Z', BIG);
	hosts_file(l->h, WEB, "/srv/www/big.txt", l->big);
	assert_int_equal(hosts_wait(l->h, t), 0);
	assert_true(r.reset);
	assert_true(r.got.len < BIG);
	sb_free(&r.got);
}

/* ---- messages ---- */

static void ht_framing_over_the_wire(void **state)
{
	struct lan *l = *state;

#define ONE "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	exchange(l,
		 "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: "
		 "chunked\r\n\r\n0\r\n\r\nG",
		 "400", true);
	exchange(l, "GET / HTTP/1.1\r\n\r\n", "400", true);
	exchange(l, "GET / HTTP/1.1\nHost: h\n\n", "400", true);
	exchange(l, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505", true);
	exchange(l, "BREW / HTTP/1.1\r\nHost: h\r\n\r\n" ONE, "501 200", false);
	exchange(l, "DELETE / HTTP/1.1\r\nHost: h\r\n\r\n" ONE, "405 200", false);
	exchange(l, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n" ONE, "405 200",
		 false); /* HT-20 */
	exchange(l, "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody" ONE, "200 200",
		 false); /* HT-21 */
	exchange(l, "HEAD /big.txt HTTP/1.1\r\nHost: h\r\n\r\n" ONE, "200 200", false);
	exchange(l, "GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n", "200", false);
	exchange(l, "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
		 "200", false); /* HT-27 */
	exchange(l, "GET / HTTP/1.0\r\n\r\n", "200", true);
	exchange(l, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" ONE, "200 200", false);
	exchange(l, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" ONE, "200", true);
	exchange(l, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "405", false);
	exchange(l,
		 "GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=5-\r\n\r\nGET / HTTP/1.1\r\nHost: "
		 "h\r\nRange: bytes=99-\r\n\r\n",
		 "206 416", false);
}

static void ht_23_expect_continue(void **state)
{
	struct lan *l = *state;

	exchange(
	    l, "PUT /up/a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
	    "100", false); /* absent body: it waits */
	exchange(
	    l,
	    "PUT /up/a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
	    "201", false); /* early body */
	exchange(
	    l, "PUT /up/a HTTP/1.1\r\nHost: h\r\nExpect: something\r\nContent-Length: 3\r\n\r\nabc",
	    "417", true);
	exchange(
	    l, "PUT /no/a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
	    "405", true);
	exchange(l,
		 "PUT /up/a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: "
		 "1000001\r\n\r\n",
		 "413", true);
}

static void ht_22_pipelining_and_every_split_give_the_same(void **state)
{
	static const char three[] = ONE
	    "PUT /up/s HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
	    "chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\nGET /up/s HTTP/1.1\r\nHost: h\r\n\r\n";
	struct lan *l = *state;
	struct strbuf all;
	struct raw r = { 0 };
	size_t n = 0;
	const char *p;

	sb_init(&all);
	for (int i = 0; i < 1000; i++)
		sb_puts(&all, ONE);
	r.send = sb_str(&all);
	r.len = all.len;
	raw_run(l, &r);
	for (p = sb_str(&r.got); (p = strstr(p, "HTTP/1.1 200 OK")); p++)
		n++;
	assert_int_equal(n, 1000);
	assert_false(r.closed);
	sb_free(&r.got);
	sb_free(&all);
	hosts_file(l->h, WEB, "/srv/www/up/s", "x");
	for (size_t piece = 1; piece <= 7; piece += 2) {
		r = (struct raw){.send = three,
				 .len = sizeof(three) - 1,
				 .piece = piece,
				 .gap_ns = NSEC_PER_MSEC};
		raw_run(l, &r);
		assert_non_null(strstr(sb_str(&r.got), "HTTP/1.1 204 No Content"));
		assert_int_equal(strcmp(r.got.buf + r.got.len - 7, "\r\n\r\nabc"), 0);
		sb_free(&r.got);
	}
}

static void s3_125_two_requests_one_connection(void **state)
{
	struct lan *l = *state;
	unsigned syn = 0;

	exchange(l, ONE ONE, "200 200", false);
	for (size_t i = 0; i < l->h->n_p; i++)
		syn += l->h->p[i].proto == 6 && (l->h->p[i].flags & 2) && l->h->p[i].dport == 80;
	assert_int_equal(syn, 1);
}

/* ---- uploads ---- */

static void uploads_are_whole_or_not_at_all(void **state)
{
	struct lan *l = *state;
	struct raw r = {
	    .send =
		"PUT /up/new.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nonly this much",
	    .len = 72};
	struct vfs_stat st;
	struct task *probe = task_new_external(l->h->net[WEB], "look", NULL);

	hosts_file(l->h, CLIENT, "/tmp/new.txt", "new content\n");
	curl(l, "-T /tmp/new.txt http://10.0.2.2/up/made.txt", 0, "");
	curl(l, "http://10.0.2.2/up/made.txt", 0, "new content\n");
	curl(l, "-T /tmp/new.txt http://10.0.2.2/up/old.txt", 0, "");
	curl(l, "http://10.0.2.2/up/old.txt", 0, "new content\n");
	curl(l, "-f -T /tmp/new.txt http://10.0.2.2/forbidden.txt", 22, NULL);
	curl(l, "-f -T /tmp/new.txt http://10.0.2.2/up/.hidden", 22, NULL);
	raw_run(l, &r); /* goes away in the middle */
	sb_free(&r.got);
	hosts_sleep(l->h, 20 * SEC);
	assert_int_equal(sys_stat(probe, "/srv/www/up/new.txt", &st), -ENOENT);
	for (int i = 0; i < 20; i++) {
		char tmp[64];

		snprintf(tmp, sizeof(tmp), "/srv/www/up/.put-%d", i);
		assert_int_equal(sys_stat(probe, tmp, &st), -ENOENT);
	}
	exchange(l, "PUT /up/x HTTP/1.1\r\nHost: h\r\n\r\n", "411", false);
	exchange(l, "PUT /up/x HTTP/1.1\r\nHost: h\r\nContent-Length: 1000001\r\n\r\n", "413",
		 true);
	exchange(
	    l,
	    "PUT /up/old.txt HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\nContent-Length: 1\r\n\r\nx",
	    "412", false);
	exchange(l, "PUT /up/old.txt/below HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx",
		 "404", false);
	exchange(l, "PUT /up/ HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx", "405", false);
	exchange(l,
		 "PUT /up/y HTTP/1.1\r\nHost: h\r\nContent-Range: bytes 0-0/5\r\nContent-Length: "
		 "1\r\n\r\nx",
		 "400", false);
	task_free(probe);
}

/* ---- slow and many ---- */

static void hr_01_slow_heads_get_408_and_harm_nobody(void **state)
{
	struct lan *l = *state;
	struct raw slow[20];
	struct task *t[20];

	memset(slow, 0, sizeof(slow));
	for (int i = 0; i < 20; i++) {
		slow[i] = (struct raw){
		    .send = "GET / HTTP/1.1\r\nHost: h\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
		    .len = 57,
		    .piece = 1,
		    .gap_ns = 3 * SEC,
		    .patience_ns = SEC};
		t[i] = raw_start(l, &slow[i]);
	}
	hosts_sleep(l->h, 5 * SEC);
	curl(l, "http://10.0.2.2/", 0, "<h1>front page</h1>\n");
	for (int i = 0; i < 20; i++) {
		assert_int_equal(hosts_wait(l->h, t[i]), 0);
		assert_true(slow[i].took_ns < 20 * SEC);
		assert_true(slow[i].closed || slow[i].reset ||
			    strstr(sb_str(&slow[i].got), " 408 "));
		sb_free(&slow[i].got);
	}
}

static void hr_01_an_address_has_a_bounded_number_of_connections(void **state)
{
	struct lan *l = *state;
	struct raw r[12];
	struct task *t[12];
	unsigned refused = 0;

	hosts_daemon(l->h, WEB,
		     "http-server --root /srv/www --port 8080 --max-per-addr 10 --max-conns 11");
	memset(r, 0, sizeof(r));
	for (int i = 0; i < 12; i++) {
		r[i] = (struct raw){ .send = "G", .len = 1, .port = 8080, .patience_ns = 5 * SEC };
		t[i] = raw_start(l, &r[i]);
	}
	hosts_settle(l->h);
	assert_int_equal(hosts_cmd(l->h, OTHER, "curl http://10.0.2.2:8080/", &l->out),
			 0); /* another address gets in */
	for (int i = 0; i < 12; i++) {
		hosts_wait(l->h, t[i]);
		refused += strstr(sb_str(&r[i].got), " 503 ") != NULL;
		sb_free(&r[i].got);
	}
	assert_int_equal(refused, 2);
}

static void hr_02_slow_bodies_and_slow_readers_are_cut_off(void **state)
{
	struct lan *l = *state;
	char *text = calloc(1, 1000);
	struct raw put = { .send = text, .piece = 100, .gap_ns = 2 * SEC, .patience_ns = 30 * SEC };
	struct raw get = {.send = get_big,
			  .len = sizeof(get_big) - 1,
			  .max_read = 50,
			  .read_gap_ns = SEC,
			  .patience_ns = 40 * SEC};

	put.len = (size_t)snprintf(
	    text, 1000, "PUT /up/slow HTTP/1.1\r\nHost: h\r\nContent-Length: 900000\r\n\r\n%0800d",
	    0);
	raw_run(l, &put);
	assert_true(put.closed || put.reset);
	assert_true(put.took_ns < 40 * SEC);
	raw_run(l, &get);
	assert_true(get.reset);
	assert_true(get.got.len < BIG);
	sb_free(&put.got);
	sb_free(&get.got);
	free(text);
}

static void hr_05_idle_connections_end(void **state)
{
	struct lan *l = *state;
	struct raw quiet = {.send = "", .len = 0, .patience_ns = 60 * SEC},
		   idle = {.send = ONE, .len = strlen(ONE), .patience_ns = 60 * SEC};

	raw_run(l, &quiet);
	assert_true(quiet.closed);
	assert_in_range(quiet.took_ns, 9 * SEC, 12 * SEC);
	raw_run(l, &idle);
	assert_true(idle.closed);
	assert_in_range(idle.took_ns, 14 * SEC, 17 * SEC);
	sb_free(&quiet.got);
	sb_free(&idle.got);
}

static void hr_03_bombs(void **state)
{
	struct lan *l = *state;
	struct strbuf sb;

	sb_init(&sb);
	sb_puts(&sb, "GET / HTTP/1.1\r\nHost: h\r\n");
	for (int i = 0; i < 12000; i++)
		sb_puts(&sb, "X: y\r\n");
	exchange(l, sb_str(&sb), "431", true);
	sb_reset(&sb);
	sb_puts(&sb, "GET /");
	for (int i = 0; i < 10000; i++)
		sb_puts(&sb, "a");
	exchange(l, sb_str(&sb), "414", true);
	sb_free(&sb);
}

/* ---- curl ---- */

/* CVE-2021-27565: methods that nobody knows, and garbage, over and over: an answer for each, and nothing stays. */
static void hr_06_unknown_methods_and_garbage(void **state)
{
	static const char *const bad[] = { "BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n", "GET\r\n\r\n", "\x01\x02\x03\x04\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
					   "GET / HTTP/1.1\r\n: x\r\n\r\n", "get / HTTP/1.1\r\nHost: h\r\n\r\n" };
	struct lan *l = *state;
	int64_t live = 0;

	for (unsigned round = 0; round < 40; round++) {
		for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
			struct raw r = { .send = bad[i], .len = strlen(bad[i]) };

			raw_run(l, &r);
			if (strncmp(sb_str(&r.got), "HTTP/1.1 4", 10) && strncmp(sb_str(&r.got), "HTTP/1.1 5", 10))
				fail_msg("%s: '%.40s'", bad[i], sb_str(&r.got));
			sb_free(&r.got);
		}
		hosts_sleep(l->h, 200 * SEC); /* TIME-WAIT and idle limits are over */
		if (!round)
			live = l->h->net[WEB]->skb_mib.live;
		assert_int_equal(l->h->net[WEB]->skb_mib.live, live);
		assert_int_equal(l->h->net[WEB]->tcp->ehash.count, 0);
	}
	exchange(l, "GET /index.html HTTP/1.1\r\nHost: h\r\n\r\n", "200", false); /* and it serves */
}

static void curl_exit_codes(void **state)
{
	struct lan *l = *state;

	curl(l, "http://no.such.name/", 6, NULL);
	curl(l, "http://10.0.4.2/", 7, NULL);
	curl(l, "https://www.server.com/", 1, NULL);
	curl(l, "-s -f http://10.0.2.2/nope", 22, "");
	curl(l, "-m 2 http://10.0.9.9/", 7, NULL); /* the hub says: no route */
	curl(l, "-o /tmp/page http://10.0.2.2/dir1/file1.html", 0, "");
	assert_int_equal(hosts_cmd(l->h, CLIENT, "cat /tmp/page", &l->out), 0);
	assert_string_equal(sb_str(&l->out), "file one\n");
	curl(l, "-I http://10.0.2.2/", 0, NULL);
	assert_memory_equal(sb_str(&l->out), "HTTP/1.1 200 OK\r\n", 17);
	curl(l, "", 2, NULL);
}

/* ---- the visitor ---- */

struct visits {
	struct browser *b;
	const char *url;
	struct visit v;
};

static int visit_main(struct task *t, int argc, char **argv)
{
	struct visits *v = t->owner_data;

	browser_visit(t, v->b, v->url, &v->v);
	return 0;
}

static void visit(struct lan *l, struct visits *v, const char *url)
{
	struct task *t = task_spawn(l->h->net[CLIENT], "visit", visit_main, 0, NULL, NULL);

	v->url = url;
	t->owner_data = v;
	l->h->kicked[CLIENT] = true;
	hosts_forget(l->h);
	assert_int_equal(hosts_wait(l->h, t), 0);
}

static void s3_12_30_126_visits_and_their_caches(void **state)
{
	struct lan *l = *state;
	struct visits v = { .b = browser_new() };

	visit(l, &v, "http://www.server.com/");
	assert_int_equal(v.v.result, VISIT_OK);
	assert_int_equal(v.v.http_status, 200);
	assert_string_equal(sb_str(&v.v.body), "<h1>front page</h1>\n");
	assert_false(v.v.from_browser_dns_cache || v.v.from_os_cache || v.v.from_hosts);
	assert_int_equal(v.v.addr, 0x0a000202);
	assert_int_equal(hosts_count(l->h, 17, 53), 2);
	assert_true(v.v.t_start_ns <= v.v.t_parsed_ns && v.v.t_parsed_ns <= v.v.t_resolved_ns &&
		    v.v.t_resolved_ns <= v.v.t_connected_ns);
	assert_true(v.v.t_connected_ns <= v.v.t_first_byte_ns &&
		    v.v.t_first_byte_ns <= v.v.t_done_ns && v.v.t_done_ns <= v.v.t_closed_ns);
	sb_free(&v.v.body);
	visit(l, &v, "http://www.server.com/dir1/file1.html");
	assert_true(v.v.from_browser_dns_cache);
	assert_int_equal(hosts_count(l->h, 17, 53), 0);
	sb_free(&v.v.body);
	browser_free(v.b); /* the browser's own cache only */
	v.b = browser_new();
	visit(l, &v, "http://www.server.com/");
	assert_true(v.v.from_os_cache);
	assert_int_equal(hosts_count(l->h, 17, 53), 0);
	sb_free(&v.v.body);
	hosts_sleep(l->h, 301 * SEC);
	visit(l, &v, "http://www.server.com/"); /* both have ended */
	assert_false(v.v.from_browser_dns_cache || v.v.from_os_cache);
	assert_int_equal(hosts_count(l->h, 17, 53), 2);
	sb_free(&v.v.body);
	browser_free(v.b);
}

static void s3_127_the_client_closes_first(void **state)
{
	struct lan *l = *state;
	struct visits v = { .b = browser_new() };
	unsigned fins = 0;

	visit(l, &v, "http://10.0.2.2/");
	assert_int_equal(v.v.result, VISIT_OK);
	for (size_t i = 0; i < l->h->n_p; i++) {
		if (l->h->p[i].proto != 6 || !(l->h->p[i].flags & 1))
			continue;
		assert_int_equal(l->h->p[i].src, fins++ ? 0x0a000202 : 0x0a000102);
		assert_int_equal(l->h->p[i].flags & 4, 0);
	}
	assert_int_equal(fins, 2);
	hosts_sleep(l->h, SEC);
	assert_int_equal(hosts_cmd(l->h, CLIENT, "ss -tan", &l->out), 0);
	assert_non_null(strstr(sb_str(&l->out), "TIME-WAIT"));
	assert_int_equal(hosts_cmd(l->h, WEB, "ss -tan", &l->out), 0);
	assert_null(strstr(sb_str(&l->out), "TIME-WAIT"));
	hosts_sleep(l->h, 65 * SEC);
	assert_int_equal(hosts_cmd(l->h, CLIENT, "ss -tan", &l->out), 0);
	assert_null(strstr(sb_str(&l->out), "TIME-WAIT"));
	sb_free(&v.v.body);
	browser_free(v.b);
}

static void s3_17_https_and_bad_urls_send_nothing(void **state)
{
	static const char *const bad[] = {"https://www.server.com/", "www.server.com",
					  "http://a b/", "ftp://h/"};
	struct lan *l = *state;
	struct visits v = { .b = browser_new() };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		visit(l, &v, bad[i]);
		assert_int_equal(v.v.result, VISIT_USAGE);
		assert_true(v.v.error[0]);
		assert_int_equal(l->h->n_p, 0);
		sb_free(&v.v.body);
	}
	browser_free(v.b);
}

static void network_errors_are_said_in_one_line(void **state)
{
	struct lan *l = *state;
	struct visits v = { .b = browser_new() };

	visit(l, &v, "http://no.such.name/");
	assert_int_equal(v.v.result, VISIT_NETWORK);
	sb_free(&v.v.body);
	visit(l, &v, "http://10.0.2.2:81/");
	assert_int_equal(v.v.result, VISIT_NETWORK);
	assert_non_null(strstr(v.v.error, "refused"));
	sb_free(&v.v.body);
	visit(l, &v, "http://10.0.2.2/nope");
	assert_int_equal(v.v.result, VISIT_NETWORK);
	assert_int_equal(v.v.http_status, 404);
	assert_null(strchr(v.v.error, '\n'));
	sb_free(&v.v.body);
	visit(l, &v, "http://10.0.2.2/dir2");
	assert_int_equal(v.v.result, VISIT_OK); /* followed */
	assert_string_equal(sb_str(&v.v.body), "default two\n");
	sb_free(&v.v.body);
	browser_free(v.b);
}

static void server_arguments(void **state)
{
	struct lan *l = *state;

	assert_int_equal(hosts_cmd(l->h, WEB, "http-server", &l->out), 2);
	assert_int_equal(hosts_cmd(l->h, WEB, "http-server --root relative", &l->out), 2);
	assert_int_equal(hosts_cmd(l->h, WEB, "http-server --root /nowhere", &l->out), 2);
	assert_int_equal(hosts_cmd(l->h, WEB, "http-server --root /srv/www --port 0", &l->out), 2);
	assert_int_equal(hosts_cmd(l->h, WEB, "http-server --root /srv/www", &l->out), 1);
	assert_non_null(strstr(sb_str(&l->out), "Address already in use"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, lan_new, lan_free)
	const struct CMUnitTest tests[] = {
	    T(s3_14_15_files_and_default_pages),
	    T(s3_16_62_122_to_124_the_request_and_the_response),
	    T(s3_57_a_long_message_goes_in_pieces_of_the_mss),
	    T(hf_01_to_04_hf_06_s3_14_paths_over_the_wire),
	    T(hf_04_folders_redirect_within_the_site),
	    T(hf_07_a_file_that_changes_under_way_is_cut_off),
	    T(hf_07_a_replaced_file_of_equal_size_too),
	    T(ht_framing_over_the_wire),
	    T(ht_23_expect_continue),
	    T(ht_22_pipelining_and_every_split_give_the_same),
	    T(s3_125_two_requests_one_connection),
	    T(uploads_are_whole_or_not_at_all),
	    T(hr_01_slow_heads_get_408_and_harm_nobody),
	    T(hr_01_an_address_has_a_bounded_number_of_connections),
	    T(hr_02_slow_bodies_and_slow_readers_are_cut_off),
	    T(hr_05_idle_connections_end),
	    T(hr_03_bombs),
	    T(hr_06_unknown_methods_and_garbage),
	    T(curl_exit_codes),
	    T(s3_12_30_126_visits_and_their_caches),
	    T(s3_127_the_client_closes_first),
	    T(s3_17_https_and_bad_urls_send_nothing),
	    T(network_errors_are_said_in_one_line),
	    T(server_arguments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

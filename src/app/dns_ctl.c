/* `dns`: looks into the resolver's cache and the host's own; and the resolver's end of that
 * conversation.
 *
 *     dns cache [flush]      the resolver's cache on this host, as records, canonical order
 *     dns stats              its counters
 *     dns os-cache [flush]   what programs of this host have looked up (stub_cache.c)
 *
 * The conversation is TCP on 127.0.0.1:953: a word and a newline, text until the end. It does not
 * leave the host. Tests: tests/unit/app/test_dns_hosts.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/app_net.h"
#include "app/app_util.h"
#include "app/dns_ctl.h"
#include "app/proc_text.h"
#include "app/stub.h"
#include "socket/syscall.h"

#define LOOPBACK 0x7f000001u

/* ---- the resolver's end ---- */

static void conn_end(struct dns_ctl *c)
{
	loop_close(c->l, &c->conn);
	del_timer(&c->l->wheel, &c->timer);
	sb_reset(&c->out);
	c->got = c->sent = 0;
	c->answered = false;
	loop_want(c->l, &c->listener, EPOLLIN);
}

static void conn_timeout(struct timer_list *t)
{
	conn_end(container_of(t, struct dns_ctl, timer));
}

static void conn_answer(struct dns_ctl *c)
{
	ssize_t n = 0;

	while (c->sent < c->out.len && n >= 0) {
		n = sys_sendto(c->l->t, c->conn.fd, c->out.buf + c->sent, c->out.len - c->sent,
			       MSG_NOSIGNAL, NULL, 0);
		c->sent += n > 0 ? (size_t)n : 0;
	}
	if (n == -EAGAIN)
		loop_want(c->l, &c->conn, EPOLLOUT);
	else
		conn_end(c);
}

static void conn_ready(struct loop_fd *lf, uint32_t events)
{
	struct dns_ctl *c = container_of(lf, struct dns_ctl, conn);
	char *nl;
	ssize_t n;

	if (c->answered) {
		conn_answer(c);
		return;
	}
	n = sys_recvfrom(c->l->t, lf->fd, c->in + c->got, sizeof(c->in) - 1 - c->got, 0, NULL,
			 NULL);
	if (n == -EAGAIN)
		return;
	if (n > 0)
		c->got += (size_t)n;
	c->in[c->got] = 0;
	nl = strchr(c->in, '\n');
	if (!nl && n > 0 && c->got < sizeof(c->in) - 1)
		return;
	if (!nl) {
		conn_end(c);
		return;
	}
	*nl = 0;
	c->answered = true;
	c->word(c->arg, c->in, &c->out);
	conn_answer(c);
}

static void listener_ready(struct loop_fd *lf, uint32_t events)
{
	struct dns_ctl *c = container_of(lf, struct dns_ctl, listener);
	int fd = sys_accept4(c->l->t, lf->fd, NULL, NULL, SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (loop_add(c->l, &c->conn, fd, EPOLLIN, conn_ready)) {
		sys_close(c->l->t, fd);
		c->conn.fd = -1;
		return;
	}
	loop_want(c->l, &c->listener, 0); /* the next one waits in the backlog */
	loop_timer(c->l, &c->timer, DNS_CTL_NS);
}

int dns_ctl_open(struct dns_ctl *c, struct loop *l,
		 void (*word)(void *arg, const char *word, struct strbuf *answer), void *arg)
{
	int fd = loop_server_socket(l->t, SOCK_STREAM, LOOPBACK, DNS_CTL_PORT, 8), err;

	memset(c, 0, sizeof(*c));
	c->l = l;
	c->word = word;
	c->arg = arg;
	c->conn.fd = c->listener.fd = -1;
	sb_init(&c->out);
	timer_setup(&c->timer, conn_timeout);
	if (fd < 0)
		return fd;
	err = loop_add(l, &c->listener, fd, EPOLLIN, listener_ready);
	if (err) {
		sys_close(l->t, fd);
		c->listener.fd = -1;
	}
	return err;
}

void dns_ctl_close(struct dns_ctl *c)
{
	loop_close(c->l, &c->conn);
	loop_close(c->l, &c->listener);
	del_timer(&c->l->wheel, &c->timer);
	sb_free(&c->out);
}

/* ---- the program ---- */

static int resolver_word(struct task *t, const char *word)
{
	struct sockaddr_in to = app_sockaddr(LOOPBACK, DNS_CTL_PORT);
	int fd = sys_socket(t, AF_INET, SOCK_STREAM, 0), err;
	char buf[4096];
	ssize_t n = 0;

	if (fd < 0) {
		task_eprintf(t, "dns: %s\n", app_strerror(fd));
		return 1;
	}
	err = sys_connect(t, fd, (const struct sockaddr *)&to, sizeof(to));
	if (!err)
		n = sys_sendto(t, fd, word, strlen(word), MSG_NOSIGNAL, NULL, 0);
	while (!err && n > 0 &&
	       (n = sys_recvfrom(t, fd, buf, sizeof(buf) - 1, 0, NULL, NULL)) > 0) {
		buf[n] = 0;
		task_puts(t, buf);
	}
	sys_close(t, fd);
	if (err || n < 0) {
		task_eprintf(t, "dns: no resolver runs on this host (%s)\n",
			     app_strerror(err ? err : (int)n));
		return 1;
	}
	return 0;
}

static int os_cache(struct task *t, bool flush)
{
	struct strbuf sb;

	if (flush) {
		oscache_flush(t);
		return 0;
	}
	sb_init(&sb);
	proc_slurp(t, OSCACHE_PATH, &sb);
	if (sb.len)
		task_puts(t, sb_str(&sb));
	sb_free(&sb);
	return 0;
}

int dns_main(struct task *t, int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	bool flush = argc == 3 && !strcmp(argv[2], "flush");

	if (argc == 2 || flush) {
		if (!strcmp(what, "cache"))
			return resolver_word(t, flush ? "flush\n" : "cache\n");
		if (!strcmp(what, "os-cache"))
			return os_cache(t, flush);
		if (!strcmp(what, "stats") && !flush)
			return resolver_word(t, "stats\n");
	}
	task_eprintf(t, "usage: dns cache [flush] | dns os-cache [flush] | dns stats\n");
	return 2;
}

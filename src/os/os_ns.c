/* Parent's half of a program in a network of ours (see os_ns.h): fork, receive the interfaces' descriptors,
 * release, reap. The child's half is os_ns_child.c. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "os/os_ns.h"
#include "os/os_ns_int.h"
#include "os/os_term.h"

/* The child's report: a code and a line, with descriptors attached when it went well. */
static int receive(struct os_ns_child *c, uint32_t n, char err[OS_NS_ERR])
{
	union { char b[CMSG_SPACE(sizeof(int) * OS_NS_MAX_IFACES)]; struct cmsghdr align; } ctl;
	struct ns_report rep;
	struct iovec iov = { &rep, sizeof(rep) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl.b, .msg_controllen = sizeof(ctl.b) };
	ssize_t got;

	do {
		got = recvmsg(c->ctl, &m, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof(rep)) {
		snprintf(err, OS_NS_ERR, "the program's namespace could not be set up");
		return -1;
	}
	if (rep.failed) {
		rep.text[OS_NS_ERR - 1] = '\0';
		memcpy(err, rep.text, OS_NS_ERR);
		return -1;
	}
	c->tun = rep.tun;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h))
		if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS && h->cmsg_len == CMSG_LEN(sizeof(int) * n))
			memcpy(c->fd, CMSG_DATA(h), sizeof(int) * n);
	return 0;
}

int os_ns_start(const struct os_ns_params *p, struct os_ns_child *c, char err[OS_NS_ERR])
{
	int sv[2];

	memset(c, 0, sizeof(*c));
	c->pidfd = c->ctl = -1;
	for (uint32_t i = 0; i < OS_NS_MAX_IFACES; i++)
		c->fd[i] = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv)) {
		snprintf(err, OS_NS_ERR, "socketpair: %s", os_strerror(errno));
		return -1;
	}
	c->pid = fork();
	if (c->pid == 0) {
		close(sv[0]);
		ns_child_main(p, sv[1]);
	}
	close(sv[1]);
	c->ctl = sv[0];
	if (c->pid < 0) {
		snprintf(err, OS_NS_ERR, "fork: %s", os_strerror(errno));
		os_ns_close(c);
		return -1;
	}
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (receive(c, p->n_ifaces, err)) {
		waitpid(c->pid, NULL, 0);
		os_ns_close(c);
		return -1;
	}
	return 0;
}

void os_ns_go(struct os_ns_child *c)
{
	ssize_t n = send(c->ctl, "g", 1, MSG_NOSIGNAL);
	(void)n; /* a child that is gone is seen by os_ns_exited */
}

bool os_ns_exited(struct os_ns_child *c, int *code)
{
	int status;
	pid_t r = waitpid(c->pid, &status, WNOHANG);

	if (r == 0)
		return false;
	if (r < 0)
		*code = 3;
	else
		*code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return true;
}

void os_ns_kill(struct os_ns_child *c, int sig)
{
	if (c->pid > 0)
		kill(c->pid, sig);
}

void os_ns_close(struct os_ns_child *c)
{
	if (c->ctl >= 0)
		close(c->ctl);
	if (c->pidfd >= 0)
		close(c->pidfd);
	for (uint32_t i = 0; i < OS_NS_MAX_IFACES; i++)
		if (c->fd[i] >= 0)
			close(c->fd[i]);
	c->ctl = c->pidfd = -1;
}

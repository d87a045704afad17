/* Standard output and error, terminal, environment, signals. Called by cli/. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "os/os_term.h"

static int put_all(int fd, const char *s, size_t len)
{
	while (len) {
		ssize_t r = write(fd, s, len);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		s += r;
		len -= (size_t)r;
	}
	return 0;
}

int os_print(const char *s, size_t len)
{
	return put_all(STDOUT_FILENO, s, len);
}

int os_eprint(const char *s, size_t len)
{
	return put_all(STDERR_FILENO, s, len);
}

bool os_is_tty(int fd)
{
	return isatty(fd) == 1;
}

const char *os_env(const char *name)
{
	return getenv(name);
}

const char *os_strerror(int err)
{
	const char *s = strerrordesc_np(err < 0 ? -err : err);

	return s ? s : "Unknown error";
}

static void signal_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

int os_signals_open(struct os_signals *s)
{
	sigset_t set;

	signal_set(&set);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	s->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return s->fd < 0 ? -errno : 0;
}

int os_signals_take(struct os_signals *s)
{
	struct signalfd_siginfo si;

	return read(s->fd, &si, sizeof(si)) == (ssize_t)sizeof(si) ? (int)si.ssi_signo : 0;
}

void os_signals_close(struct os_signals *s)
{
	sigset_t set;

	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	signal_set(&set);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

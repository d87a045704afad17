/* Standard output and error, terminal, environment. Called by cli/. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
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

void os_hold_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

void os_ignore_sigpipe(void)
{
	signal(SIGPIPE, SIG_IGN);
}

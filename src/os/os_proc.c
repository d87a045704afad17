/* Processes and CPU time. Called by bench/ and drill/ (code of scripts); hands on to the kernel. */
#include <errno.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "os/os_proc.h"

extern char **environ;

static uint64_t clock_read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t os_cpu_ns(void) { return clock_read(CLOCK_PROCESS_CPUTIME_ID); }
uint64_t os_wall_ns(void) { return clock_read(CLOCK_MONOTONIC); }

uint64_t os_rss_bytes(void)
{
	unsigned long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f)
		return 0;
	if (fscanf(f, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	fclose(f);
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Is there something to read, or the end, before this moment (0: whenever)? */
static bool readable(int fd, uint64_t until_ns)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t now;

	for (;;) {
		now = os_wall_ns();
		if (until_ns && now >= until_ns)
			return false;
		if (poll(&p, 1, until_ns ? (int)((until_ns - now) / 1000000u) + 1 : -1) > 0)
			return true;
	}
}

/* Read fd to its end; keep what fits. False: time was up first. */
static bool drain(int fd, char *out, size_t room, uint64_t until_ns)
{
	size_t len = 0;
	char spill[512];
	bool in_time;

	while ((in_time = readable(fd, until_ns)) == true) {
		bool full = len + 1 >= room;
		ssize_t n = read(fd, full ? spill : out + len, full ? sizeof(spill) : room - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (!full)
			len += (size_t)n;
	}
	out[len] = '\0';
	return in_time;
}

/* A file of no name that holds the input, to be read from its start. Or -errno. */
static int input_fd(const char *input, size_t len)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	for (size_t at = 0; fd >= 0 && at < len;) {
		ssize_t n = write(fd, input + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			close(fd);
			return -EIO;
		}
		at += (size_t)n;
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd < 0 ? -errno : fd;
}

/* in: its standard input, -1: none. */
static int run(const char *const *argv, int in, uint64_t until_ns, char *out, size_t room)
{
	posix_spawn_file_actions_t fa;
	int fd[2], status, err;
	bool in_time;
	pid_t pid;

	if (pipe(fd))
		return -errno;
	posix_spawn_file_actions_init(&fa);
	if (in < 0)
		posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", 0, 0);
	else
		posix_spawn_file_actions_adddup2(&fa, in, 0);
	posix_spawn_file_actions_adddup2(&fa, fd[1], 1);
	posix_spawn_file_actions_addclose(&fa, fd[0]);
	posix_spawn_file_actions_addclose(&fa, fd[1]);
	err = posix_spawn(&pid, argv[0], &fa, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	close(fd[1]);
	if (err) {
		close(fd[0]);
		return -err;
	}
	in_time = drain(fd[0], out, room, until_ns);
	close(fd[0]);
	if (!in_time)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!in_time)
		return -ETIMEDOUT;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int os_run_capture(const char *const *argv, char *out, size_t room)
{
	return run(argv, -1, 0, out, room);
}

int os_run_fed(const char *const *argv, const char *input, size_t len, unsigned limit_ms, char *out, size_t room)
{
	int in = input_fd(input, len), r;

	if (in < 0)
		return in;
	r = run(argv, in, os_wall_ns() + limit_ms * NSEC_PER_MSEC, out, room);
	close(in);
	return r;
}

int os_regex(const char *expr, const char *text)
{
	regex_t re;
	int r;

	if (regcomp(&re, expr, REG_EXTENDED | REG_NOSUB))
		return -EINVAL;
	r = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return r;
}

int os_regex_find(const char *expr, unsigned flags, const char *text, size_t *from, size_t *to)
{
	regex_t re;
	regmatch_t m;
	int r;

	if (regcomp(&re, expr, (flags & OS_REGEX_EXTENDED ? REG_EXTENDED : 0) | (flags & OS_REGEX_FOLD ? REG_ICASE : 0)))
		return -EINVAL;
	r = regexec(&re, text + *from, 1, &m, *from ? REG_NOTBOL : 0) == 0;
	regfree(&re);
	if (r) {
		*to = *from + (size_t)m.rm_eo;
		*from += (size_t)m.rm_so;
	}
	return r;
}

int os_self_dir(char *buf, size_t room)
{
	ssize_t n = readlink("/proc/self/exe", buf, room - 1);
	char *slash;

	if (n < 0)
		return -errno;
	buf[n] = '\0';
	slash = strrchr(buf, '/');
	if (!slash)
		return -ENOENT;
	*slash = '\0';
	return 0;
}

/* Processes and CPU time. Called by bench/ only; hands on to the kernel. */
#include <errno.h>
#include <regex.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
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

/* Read fd to its end; keep what fits. */
static void drain(int fd, char *out, size_t room)
{
	size_t len = 0;
	char spill[512];

	for (;;) {
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
}

int os_run_capture(const char *const *argv, char *out, size_t room)
{
	posix_spawn_file_actions_t fa;
	int fd[2], status, err;
	pid_t pid;

	if (pipe(fd))
		return -errno;
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", 0, 0);
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
	drain(fd[0], out, room);
	close(fd[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
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

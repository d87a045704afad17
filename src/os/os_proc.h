/* Processes and CPU time of this machine: for the benchmark's peers, and for code of packet scripts. */
#ifndef OS_OS_PROC_H
#define OS_OS_PROC_H

#include "base/types.h"

/* CPU time of this process, and wall time, in ns. */
uint64_t os_cpu_ns(void);
uint64_t os_wall_ns(void);
/* Resident memory of this process in bytes, 0 if unknown. */
uint64_t os_rss_bytes(void);
/* Run argv (argv[0] is a path) with no input; its output, at most room - 1 bytes, into out, NUL-terminated.
 * Returns the exit status, or -errno when it could not be started. */
int os_run_capture(const char *const *argv, char *out, size_t room);
/* The same with input on its standard input, and at most limit_ms of this machine's time: then it is killed, and -ETIMEDOUT. */
int os_run_fed(const char *const *argv, const char *input, size_t len, unsigned limit_ms, char *out, size_t room);
/* Does an extended regular expression match somewhere in text? 1, 0, or -EINVAL when it is none. */
int os_regex(const char *expr, const char *text);
/* The first match at or behind *from: where it begins and ends. Results as above; *from > 0: that is not the beginning of the line. */
#define OS_REGEX_EXTENDED 1u
#define OS_REGEX_FOLD 2u
int os_regex_find(const char *expr, unsigned flags, const char *text, size_t *from, size_t *to);
/* Folder of the running executable into buf. 0 or -errno. */
int os_self_dir(char *buf, size_t room);

#endif

/* Programs. Each is a task_main: it gets its task, argc and argv, uses only system calls (socket/syscall.h),
 * prints with task_printf, and returns its exit code. The shell's table finds them by name. */
#ifndef APP_APP_H
#define APP_APP_H

#include "core/task.h"

struct app {
	const char *name;
	task_main main;
	const char *usage;   /* one line */
	bool daemon;         /* a server: started as a process in a lab file */
};
const struct app *app_find(const char *name);
const struct app *app_at(size_t i); /* NULL past the end */

/* Run one command line ("ping -c 1 10.0.0.1") on a host as a child of nobody; splits quotes like a shell.
 * Returns the spawned task, NULL with *err = -ENOENT (unknown command), -EINVAL (bad quoting). */
struct task *app_spawn_line(struct net *net, const char *line, int *err);

/* The visitor (app/visit.c): what culver visit runs on the client; state of its caches lives in the browser. */
struct browser;
struct browser *browser_new(void);
void browser_free(struct browser *b);
enum visit_result { VISIT_OK, VISIT_NETWORK, VISIT_USAGE };
struct visit {
	enum visit_result result;
	int http_status;
	char error[256];        /* one line, when not OK */
	struct strbuf body;     /* page bytes */
	bool from_browser_dns_cache, from_os_cache, from_hosts;
	uint32_t addr;
	uint64_t t_start_ns, t_url_ns /* the last URL: later than the start after a redirect */;
	uint64_t t_parsed_ns, t_resolved_ns, t_connected_ns, t_first_byte_ns, t_done_ns, t_closed_ns;
};
/* Runs inside task t; resolves, connects, gets, closes. */
void browser_visit(struct task *t, struct browser *b, const char *url, struct visit *out);
/* URL checks that need no network: 0, or -1 with a line in err (https refused: S3-17). */
int url_check(const char *url, char *err, size_t room);

#endif

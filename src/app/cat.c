/* cat, sysctl, sleep: the smallest programs. Files are /proc, /etc and what the lab mounted. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "app/app_cmds.h"
#include "app/app_util.h"
#include "base/strbuf.h"
#include "socket/syscall.h"
#include "socket/vfs.h"

static int copy_out(struct task *t, const char *path)
{
	char buf[4096];
	int fd = sys_open(t, path, O_RDONLY);
	ssize_t n = fd;

	while (fd >= 0 && (n = sys_read(t, fd, buf, sizeof(buf))) > 0)
		sys_write(t, 1, buf, (size_t)n);
	if (fd >= 0)
		sys_close(t, fd);
	if (n < 0)
		task_eprintf(t, "cat: %s: %s\n", path, app_strerror((int)n));
	return n < 0 ? 1 : 0;
}

int cat_main(struct task *t, int argc, char **argv)
{
	int rc = 0;

	if (argc < 2) {
		task_eprintf(t, "usage: cat FILE...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++)
		rc |= copy_out(t, argv[i]);
	return rc;
}

int sleep_main(struct task *t, int argc, char **argv)
{
	struct opt o = { .argc = argc, .argv = argv };
	uint64_t ns;

	if (argc != 2) {
		task_eprintf(t, "usage: sleep SECONDS\n");
		return 2;
	}
	o.value = argv[1];
	if (opt_seconds(&o, t, &ns))
		return 2;
	return sys_nanosleep(t, ns) ? 1 : 0;
}

/* Read or write one knob through its file below /proc/sys. */
static int one_knob(struct task *t, const char *arg, bool name_too, bool write)
{
	struct strbuf path;
	char buf[512], name[128];
	const char *eq = strchr(arg, '=');
	size_t n = eq ? (size_t)(eq - arg) : strlen(arg);
	ssize_t r;
	int fd;

	if (!n || n >= sizeof(name)) {
		task_eprintf(t, "sysctl: malformed setting \"%s\"\n", arg);
		return 1;
	}
	memcpy(name, arg, n);
	name[n] = '\0';
	sb_init(&path);
	sb_puts(&path, "/proc/sys/");
	for (size_t i = 0; i < n; i++)
		sb_putc(&path, name[i] == '.' ? '/' : name[i] == '/' ? '.' : name[i]);
	fd = sys_open(t, sb_str(&path), eq ? O_WRONLY : O_RDONLY);
	if (fd == -EACCES && eq) /* so sysctl(8) says of a file that nobody may write */
		task_eprintf(t, "sysctl: setting key \"%s\": %s\n", name, app_strerror(-EINVAL));
	else if (fd < 0)
		task_eprintf(t, "sysctl: cannot stat %s: %s\n", sb_str(&path), app_strerror(fd));
	sb_free(&path);
	if (fd < 0)
		return 1;
	if (eq || write) {
		const char *val = eq ? eq + 1 : "";
		struct strbuf line;

		sb_init(&line);
		sb_printf(&line, "%s\n", val);
		r = sys_write(t, fd, sb_str(&line), line.len);
		sb_free(&line);
		if (r < 0)
			task_eprintf(t, "sysctl: setting key \"%s\": %s\n", name, app_strerror((int)r));
		else if (name_too)
			task_printf(t, "%s = %s\n", name, val);
	} else {
		r = sys_read(t, fd, buf, sizeof(buf) - 1);
		if (r >= 0) {
			buf[r] = '\0';
			task_printf(t, name_too ? "%s = %s" : "%s%s", name_too ? name : "", buf);
		}
	}
	sys_close(t, fd);
	return r < 0 ? 1 : 0;
}

/* ---- sysctl -a ---- */

#define SYSCTL_DEPTH_MAX 8

struct knob_walk {
	struct task *t;
	bool name_too;
	unsigned depth;
	char path[160]; /* below /proc/sys, with a slash at the end, or empty */
	int rc;
};

/* One name in a folder of /proc/sys: a knob is shown, a folder is walked. */
static void walk_name(void *ctx, const char *name, bool is_dir)
{
	struct knob_walk *w = ctx, below = *w;
	char full[240], *p;

	if (is_dir && w->depth < SYSCTL_DEPTH_MAX) {
		snprintf(below.path, sizeof(below.path), "%.100s%.58s/", w->path, name);
		snprintf(full, sizeof(full), "/proc/sys/%s", below.path);
		below.depth++;
		sys_listdir(w->t, full, walk_name, &below);
		w->rc |= below.rc;
	} else if (!is_dir) {
		snprintf(full, sizeof(full), "%s%.64s", w->path, name);
		for (p = full; *p; p++)
			*p = *p == '/' ? '.' : *p == '.' ? '/' : *p; /* eth0.5 is eth0/5 in a name */
		w->rc |= one_knob(w->t, full, w->name_too, false);
	}
}

static int all_knobs(struct task *t, bool name_too)
{
	struct knob_walk w = { .t = t, .name_too = name_too };

	return sys_listdir(t, "/proc/sys", walk_name, &w) ? 1 : w.rc;
}

int sysctl_main(struct task *t, int argc, char **argv)
{
	bool name_too = true, write = false, all = false;
	struct opt o;
	int c, rc = 0;

	opt_init(&o, argc, argv, "nwqa");
	while ((c = opt_next(&o, t)) != -1) {
		if (c == 'n')
			name_too = false;
		else if (c == 'w')
			write = true;
		else if (c == 'a')
			all = true;
		else if (c == '?')
			return 2;
	}
	if (all)
		return all_knobs(t, name_too);
	if (o.i >= argc) {
		task_eprintf(t, "usage: sysctl [-a] [-n] [-w] NAME[=VALUE]...\n");
		return 2;
	}
	for (int i = o.i; i < argc; i++)
		rc |= one_knob(t, argv[i], name_too, write);
	return rc;
}

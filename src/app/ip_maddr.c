/* ip maddr: the groups that a device listens to, from /proc/net/dev_mcast (the card) and /proc/net/igmp (IP).
 * Tests: tests/kernel (world show). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "app/ip_cmd.h"
#include "app/proc_text.h"
#include "socket/syscall.h"

#define MADDR_TEXT_MAX 65536

/* The whole file, NUL-terminated, or NULL with *err. */
static char *slurp(struct task *t, const char *path, int *err)
{
	int fd = sys_open(t, path, O_RDONLY);
	char *buf;
	size_t len = 0;
	ssize_t n;

	*err = fd < 0 ? fd : 0;
	if (fd < 0)
		return NULL;
	buf = xcalloc(1, MADDR_TEXT_MAX);
	while (len < MADDR_TEXT_MAX - 1 && (n = sys_read(t, fd, buf + len, MADDR_TEXT_MAX - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	sys_close(t, fd);
	return buf;
}

/* The next line of *text into row, split at blanks into up to max words. How many; -1 at the end. */
static int next_line(const char **text, char *row, size_t room, char **f, int max)
{
	size_t n = strcspn(*text, "\n");
	char *save = NULL;
	int k = 0;

	if (!**text)
		return -1;
	memcpy(row, *text, min_sz(n, room - 1));
	row[min_sz(n, room - 1)] = '\0';
	*text += n + ((*text)[n] == '\n');
	for (char *w = strtok_r(row, " \t", &save); w && k < max; w = strtok_r(NULL, " \t", &save))
		f[k++] = w;
	return k;
}

/* Lines: INDEX NAME USERS GUSERS HEXADDRESS. */
static void show_card(struct task *t, const char *text, const char *dev)
{
	char row[128], *f[5];
	int k;

	while ((k = next_line(&text, row, sizeof(row), f, 5)) >= 0)
		if (k == 5 && !strcmp(f[1], dev) && strlen(f[4]) == 12)
			task_printf(t, "\tlink  %.2s:%.2s:%.2s:%.2s:%.2s:%.2s\n", f[4], f[4] + 2, f[4] + 4, f[4] + 6, f[4] + 8, f[4] + 10);
}

/* A line for each device: INDEX NAME : COUNT QUERIER; and a line that begins with a blank for each group: the address in hex as
 * it lies in memory, and how many members. */
static void show_groups(struct task *t, const char *text, const char *dev)
{
	char row[128], *f[4], a[IP4_STRLEN];
	bool mine = false;

	for (;;) {
		bool group = *text == '\t' || *text == ' ';
		int k = next_line(&text, row, sizeof(row), f, 4);
		unsigned long users;

		if (k < 0)
			return;
		if (!group) {
			mine = k > 1 && !strcmp(f[1], dev);
			continue;
		}
		if (!mine || k < 2)
			continue;
		users = strtoul(f[1], NULL, 10);
		task_printf(t, "\tinet  %s", ip4_str(a, ntohl((uint32_t)strtoul(f[0], NULL, 16))));
		if (users != 1)
			task_printf(t, " users %lu", users);
		task_puts(t, "\n");
	}
}

int ip_maddr_cmd(struct ip_cmd *ip)
{
	const char *w = ip_word(ip), *dev = NULL;
	char *card, *groups = NULL;
	int err;

	if (w && (ip_is(w, "show") || ip_is(w, "list")))
		w = ip_word(ip);
	if (w && !strcmp(w, "dev"))
		w = ip_word(ip);
	if (w) {
		dev = w;
		if (!ip_dev(ip, dev))
			return 1;
	}
	card = slurp(ip->t, "/proc/net/dev_mcast", &err);
	if (!err)
		groups = slurp(ip->t, "/proc/net/igmp", &err);
	for (size_t i = 0; !err && i < ip->links.n; i++) {
		if (dev && strcmp(dev, ip->links.v[i].name) != 0)
			continue;
		task_printf(ip->t, "%d:\t%s\n", ip->links.v[i].index, ip->links.v[i].name);
		if (!ip->inet)
			show_card(ip->t, card, ip->links.v[i].name);
		show_groups(ip->t, groups, ip->links.v[i].name);
	}
	free(card);
	free(groups);
	return ip_answer(ip, err);
}

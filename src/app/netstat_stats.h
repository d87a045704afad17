/* Parts of netstat. */
#ifndef APP_NETSTAT_STATS_H
#define APP_NETSTAT_STATS_H

#include "core/task.h"

int netstat_statistics(struct task *t);
/* Each section ("Tcp:", with name and val NULL) and then its counters, in /proc's order. */
void each_counter(struct task *t, void (*fn)(struct task *t, const char *section, const char *name, const char *val, void *arg), void *arg);
/* -i, and ifconfig -s (without the title). */
int netstat_interfaces(struct task *t, bool title);

#endif

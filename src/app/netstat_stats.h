/* Parts of netstat. */
#ifndef APP_NETSTAT_STATS_H
#define APP_NETSTAT_STATS_H

#include "core/task.h"

int netstat_statistics(struct task *t);
/* -i, and ifconfig -s (without the title). */
int netstat_interfaces(struct task *t, bool title);

#endif

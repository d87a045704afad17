/* What netstat wants of ifconfig. */
#ifndef APP_IFCONFIG_H
#define APP_IFCONFIG_H

#include "core/task.h"

/* MTU and flag letters ("BMRU") of a device as text. */
void ifconfig_short(struct task *t, const char *dev, char *mtu, size_t mtu_room, char *flg, size_t flg_room);
/* The order of devices by name. */
int ifconfig_name_cmp(const char *a, const char *b);
/* netstat -ie: those that are up, after a title. Exit code. */
int ifconfig_list(struct task *t, const char *title);

#endif

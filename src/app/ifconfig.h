/* What netstat -i wants of an interface. */
#ifndef APP_IFCONFIG_H
#define APP_IFCONFIG_H

#include "core/task.h"

/* MTU and flag letters ("BMRU") of a device as text. */
void ifconfig_short(struct task *t, const char *dev, char *mtu, size_t mtu_room, char *flg, size_t flg_room);

#endif

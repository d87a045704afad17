/* Real time: the machine's clock, frames from and to its kernel, signals. One thread, no callbacks. */
#ifndef OS_OS_LIVE_H
#define OS_OS_LIVE_H

#include <sys/types.h>
#include "base/types.h"

/* Monotonic clock, ns. */
uint64_t os_now_ns(void);

/* A TAP device of the network namespace we are in: created (or attached to, if it exists and is ours to use), without
 * packet information header, non-blocking. mac NULL: the kernel chooses. Returns the descriptor, or -errno
 * (-EPERM/-EACCES: /dev/net/tun is closed to us; -ENOENT: there is no such device file). */
int os_tap_open(const char *name, const uint8_t mac[6], uint32_t mtu);
/* Set an interface of our namespace up. 0 or -errno. */
int os_if_up(const char *name);

/* One frame (no FCS). Octets, or -errno (-EAGAIN: nothing there / no room). */
ssize_t os_frame_read(int fd, void *buf, size_t room);
ssize_t os_frame_write(int fd, const void *buf, size_t len);
void os_close(int fd);

/* Readable descriptors: waits until one is, or until deadline_ns of os_now_ns() (TIME_NEVER: no limit). ready[i] is set
 * for each of n. Returns how many, 0 at the deadline, -EINTR. */
#define OS_WAIT_MAX 64
int os_wait(const int *fd, size_t n, bool *ready, uint64_t deadline_ns);

/* From now on SIGINT and SIGTERM arrive as a readable descriptor (the same signals end os_wait). -errno on failure. */
int os_signal_fd(void);
/* Take one signal from it: its number, 0 if none. */
int os_signal_take(int fd);

#endif

/* The kernel's side of real time: TAP descriptors, ppoll, signalfd, the monotonic clock. Called by lab/live.c and cli/. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "os/os_live.h"

uint64_t os_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* An interface request on a throw-away socket. */
static int if_ioctl(unsigned long req, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	err = ioctl(fd, req, ifr) ? -errno : 0;
	close(fd);
	return err;
}

static int name_request(struct ifreq *ifr, const char *name)
{
	size_t len = strlen(name);

	memset(ifr, 0, sizeof(*ifr));
	if (!len || len >= IFNAMSIZ)
		return -EINVAL;
	memcpy(ifr->ifr_name, name, len);
	return 0;
}

int os_if_up(const char *name)
{
	struct ifreq ifr;
	int err = name_request(&ifr, name);

	if (!err)
		err = if_ioctl(SIOCGIFFLAGS, &ifr);
	ifr.ifr_flags |= IFF_UP;
	return err ? err : if_ioctl(SIOCSIFFLAGS, &ifr);
}

static int tap_set(const char *name, const uint8_t mac[6], uint32_t mtu)
{
	struct ifreq ifr;
	int err = name_request(&ifr, name);

	if (!err && mac) {
		ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
		memcpy(ifr.ifr_hwaddr.sa_data, mac, 6);
		err = if_ioctl(SIOCSIFHWADDR, &ifr);
		name_request(&ifr, name);
	}
	if (!err && mtu) {
		ifr.ifr_mtu = (int)mtu;
		err = if_ioctl(SIOCSIFMTU, &ifr);
	}
	return err;
}

int os_tap_open(const char *name, const uint8_t mac[6], uint32_t mtu)
{
	struct ifreq ifr;
	int err = name_request(&ifr, name), fd;

	if (err)
		return err;
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ifr.ifr_flags = (short)(IFF_TAP | IFF_NO_PI);
	err = ioctl(fd, TUNSETIFF, &ifr) ? -errno : tap_set(name, mac, mtu);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

ssize_t os_frame_read(int fd, void *buf, size_t room)
{
	ssize_t n = read(fd, buf, room);

	return n < 0 ? -errno : n;
}

ssize_t os_frame_write(int fd, const void *buf, size_t len)
{
	ssize_t n = write(fd, buf, len);

	return n < 0 ? -errno : n;
}

void os_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

int os_wait(const int *fd, size_t n, bool *ready, uint64_t deadline_ns)
{
	struct pollfd p[OS_WAIT_MAX];
	struct timespec ts, *tp = NULL;
	int got;

	if (n > OS_WAIT_MAX)
		n = OS_WAIT_MAX;
	for (size_t i = 0; i < n; i++)
		p[i] = (struct pollfd){ .fd = fd[i], .events = POLLIN };
	if (deadline_ns != TIME_NEVER) {
		uint64_t now = os_now_ns(), left = deadline_ns > now ? deadline_ns - now : 0;
		ts.tv_sec = (time_t)(left / NSEC_PER_SEC);
		ts.tv_nsec = (long)(left % NSEC_PER_SEC);
		tp = &ts;
	}
	got = ppoll(p, n, tp, NULL);
	if (got < 0)
		return -errno;
	for (size_t i = 0; i < n; i++)
		ready[i] = p[i].revents != 0;
	return got;
}

int os_signal_fd(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int os_signal_take(int fd)
{
	struct signalfd_siginfo si;

	return read(fd, &si, sizeof(si)) == (ssize_t)sizeof(si) ? (int)si.ssi_signo : 0;
}

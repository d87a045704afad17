/* Names that scripts use for numbers: those of Linux's headers, whatever machine this is built on.
 *
 * Decides nothing. Called by the parser and by drill_code.c. Both tables are sorted; a search halves them.
 * Tests: tests/unit/drill/test_drill_parse.c. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include "drill/drill_script.h"
#include "wire/ip4.h"

struct sym {
	const char *name;
	int64_t v;
};

static const struct sym symbols[] = {
	{ "AF_INET", AF_INET },
	{ "AF_INET6", AF_INET6 },
	{ "AF_LOCAL", AF_UNIX },
	{ "AF_NETLINK", 16 },
	{ "AF_PACKET", 17 },
	{ "AF_UNIX", AF_UNIX },
	{ "AF_UNSPEC", AF_UNSPEC },
	{ "AT_FDCWD", -100 },
	{ "CAP_CLEAR", 0 },
	{ "CAP_EFFECTIVE", 0 },
	{ "CAP_NET_ADMIN", 12 },
	{ "CAP_NET_BIND_SERVICE", 10 },
	{ "CAP_NET_RAW", 13 },
	{ "CAP_PERMITTED", 1 },
	{ "CAP_SET", 1 },
	{ "CLOCK_BOOTTIME", 7 },
	{ "CLOCK_MONOTONIC", 1 },
	{ "CLOCK_REALTIME", 0 },
	{ "CLOCK_TAI", 11 },
	{ "EPOLLERR", EPOLLERR },
	{ "EPOLLET", EPOLLET },
	{ "EPOLLEXCLUSIVE", EPOLLEXCLUSIVE },
	{ "EPOLLHUP", EPOLLHUP },
	{ "EPOLLIN", EPOLLIN },
	{ "EPOLLMSG", EPOLLMSG },
	{ "EPOLLONESHOT", EPOLLONESHOT },
	{ "EPOLLOUT", EPOLLOUT },
	{ "EPOLLPRI", EPOLLPRI },
	{ "EPOLLRDBAND", EPOLLRDBAND },
	{ "EPOLLRDHUP", EPOLLRDHUP },
	{ "EPOLLRDNORM", EPOLLRDNORM },
	{ "EPOLLWAKEUP", EPOLLWAKEUP },
	{ "EPOLLWRBAND", EPOLLWRBAND },
	{ "EPOLLWRNORM", EPOLLWRNORM },
	{ "EPOLL_CLOEXEC", EPOLL_CLOEXEC },
	{ "EPOLL_CTL_ADD", EPOLL_CTL_ADD },
	{ "EPOLL_CTL_DEL", EPOLL_CTL_DEL },
	{ "EPOLL_CTL_MOD", EPOLL_CTL_MOD },
	{ "FALSE", 0 },
	{ "FD_CLOEXEC", FD_CLOEXEC },
	{ "FIOASYNC", 21586 },
	{ "FIOGETOWN", 35075 },
	{ "FIONBIO", 21537 },
	{ "FIONREAD", 21531 },
	{ "FIOSETOWN", 35073 },
	{ "F_DUPFD", F_DUPFD },
	{ "F_DUPFD_CLOEXEC", F_DUPFD_CLOEXEC },
	{ "F_GETFD", F_GETFD },
	{ "F_GETFL", F_GETFL },
	{ "F_GETOWN", F_GETOWN },
	{ "F_GETPIPE_SZ", F_GETPIPE_SZ },
	{ "F_GETSIG", F_GETSIG },
	{ "F_SETFD", F_SETFD },
	{ "F_SETFL", F_SETFL },
	{ "F_SETOWN", F_SETOWN },
	{ "F_SETPIPE_SZ", F_SETPIPE_SZ },
	{ "F_SETSIG", F_SETSIG },
	{ "INADDR_ANY", INADDR_ANY },
	{ "INADDR_BROADCAST", 0xffffffff },
	{ "INADDR_LOOPBACK", INADDR_LOOPBACK },
	{ "INADDR_NONE", 0xffffffff },
	{ "INT_MAX", 0x7fffffff },
	{ "INT_MIN", -2147483648 },
	{ "IPPROTO_GRE", 47 },
	{ "IPPROTO_ICMP", IPPROTO_ICMP },
	{ "IPPROTO_IP", IPPROTO_IP },
	{ "IPPROTO_IPV6", IPPROTO_IPV6 },
	{ "IPPROTO_RAW", IPPROTO_RAW },
	{ "IPPROTO_TCP", IPPROTO_TCP },
	{ "IPPROTO_UDP", IPPROTO_UDP },
	{ "IPPROTO_UDPLITE", 136 },
	{ "IPTOS_DSCP_EF", 0xb8 },
	{ "IPTOS_ECN_CE", 3 },
	{ "IPTOS_ECN_ECT0", 2 },
	{ "IPTOS_ECN_ECT1", 1 },
	{ "IPTOS_ECN_MASK", 3 },
	{ "IPTOS_ECN_NOT_ECT", 0 },
	{ "IPTOS_LOWDELAY", 16 },
	{ "IPTOS_MINCOST", 2 },
	{ "IPTOS_RELIABILITY", 4 },
	{ "IPTOS_THROUGHPUT", 8 },
	{ "IPV6_FREEBIND", 78 },
	{ "IPV6_HOPLIMIT", 52 },
	{ "IPV6_MTU", 24 },
	{ "IPV6_MTU_DISCOVER", 23 },
	{ "IPV6_RECVERR", 25 },
	{ "IPV6_RECVTCLASS", 66 },
	{ "IPV6_TCLASS", 67 },
	{ "IPV6_UNICAST_HOPS", 16 },
	{ "IPV6_V6ONLY", 26 },
	{ "IP_ADD_MEMBERSHIP", IP_ADD_MEMBERSHIP },
	{ "IP_BIND_ADDRESS_NO_PORT", IP_BIND_ADDRESS_NO_PORT },
	{ "IP_CHECKSUM", 23 },
	{ "IP_DROP_MEMBERSHIP", IP_DROP_MEMBERSHIP },
	{ "IP_FREEBIND", IP_FREEBIND },
	{ "IP_HDRINCL", IP_HDRINCL },
	{ "IP_LOCAL_PORT_RANGE", 51 },
	{ "IP_MINTTL", IP_MINTTL },
	{ "IP_MSFILTER", 41 },
	{ "IP_MTU", IP_MTU },
	{ "IP_MTU_DISCOVER", IP_MTU_DISCOVER },
	{ "IP_MULTICAST_ALL", 49 },
	{ "IP_MULTICAST_IF", IP_MULTICAST_IF },
	{ "IP_MULTICAST_LOOP", IP_MULTICAST_LOOP },
	{ "IP_MULTICAST_TTL", IP_MULTICAST_TTL },
	{ "IP_NODEFRAG", 22 },
	{ "IP_OPTIONS", IP_OPTIONS },
	{ "IP_ORIGDSTADDR", IP_ORIGDSTADDR },
	{ "IP_PASSSEC", 18 },
	{ "IP_PKTINFO", IP_PKTINFO },
	{ "IP_PKTOPTIONS", IP_PKTOPTIONS },
	{ "IP_PMTUDISC_DO", IP_PMTUDISC_DO },
	{ "IP_PMTUDISC_DONT", IP_PMTUDISC_DONT },
	{ "IP_PMTUDISC_INTERFACE", IP_PMTUDISC_INTERFACE },
	{ "IP_PMTUDISC_OMIT", IP_PMTUDISC_OMIT },
	{ "IP_PMTUDISC_PROBE", IP_PMTUDISC_PROBE },
	{ "IP_PMTUDISC_WANT", IP_PMTUDISC_WANT },
	{ "IP_PROTOCOL", 52 },
	{ "IP_RECVERR", IP_RECVERR },
	{ "IP_RECVFRAGSIZE", 25 },
	{ "IP_RECVOPTS", IP_RECVOPTS },
	{ "IP_RECVORIGDSTADDR", IP_RECVORIGDSTADDR },
	{ "IP_RECVTOS", IP_RECVTOS },
	{ "IP_RECVTTL", IP_RECVTTL },
	{ "IP_RETOPTS", IP_RETOPTS },
	{ "IP_ROUTER_ALERT", IP_ROUTER_ALERT },
	{ "IP_TOS", IP_TOS },
	{ "IP_TRANSPARENT", IP_TRANSPARENT },
	{ "IP_TTL", IP_TTL },
	{ "IP_UNICAST_IF", 50 },
	{ "LONG_MAX", 9223372036854775807 },
	{ "MCAST_JOIN_GROUP", 42 },
	{ "MSG_BATCH", 0x40000 },
	{ "MSG_CMSG_CLOEXEC", MSG_CMSG_CLOEXEC },
	{ "MSG_CONFIRM", MSG_CONFIRM },
	{ "MSG_CTRUNC", MSG_CTRUNC },
	{ "MSG_DONTROUTE", MSG_DONTROUTE },
	{ "MSG_DONTWAIT", MSG_DONTWAIT },
	{ "MSG_EOR", MSG_EOR },
	{ "MSG_ERRQUEUE", MSG_ERRQUEUE },
	{ "MSG_FASTOPEN", MSG_FASTOPEN },
	{ "MSG_FIN", MSG_FIN },
	{ "MSG_MORE", MSG_MORE },
	{ "MSG_NOSIGNAL", MSG_NOSIGNAL },
	{ "MSG_OOB", MSG_OOB },
	{ "MSG_PEEK", MSG_PEEK },
	{ "MSG_PROBE", 16 },
	{ "MSG_PROXY", 16 },
	{ "MSG_RST", MSG_RST },
	{ "MSG_SENDPAGE_NOTLAST", 0x20000 },
	{ "MSG_SPLICE_PAGES", 0x8000000 },
	{ "MSG_SYN", MSG_SYN },
	{ "MSG_TRUNC", MSG_TRUNC },
	{ "MSG_TRYHARD", 4 },
	{ "MSG_WAITALL", MSG_WAITALL },
	{ "MSG_WAITFORONE", MSG_WAITFORONE },
	{ "MSG_ZEROCOPY", 0x4000000 },
	{ "O_ACCMODE", O_ACCMODE },
	{ "O_APPEND", O_APPEND },
	{ "O_ASYNC", O_ASYNC },
	{ "O_CLOEXEC", O_CLOEXEC },
	{ "O_CREAT", O_CREAT },
	{ "O_DIRECT", O_DIRECT },
	{ "O_DIRECTORY", O_DIRECTORY },
	{ "O_DSYNC", O_DSYNC },
	{ "O_EXCL", O_EXCL },
	{ "O_NDELAY", O_NDELAY },
	{ "O_NOCTTY", O_NOCTTY },
	{ "O_NOFOLLOW", O_NOFOLLOW },
	{ "O_NONBLOCK", O_NONBLOCK },
	{ "O_RDONLY", O_RDONLY },
	{ "O_RDWR", O_RDWR },
	{ "O_SYNC", O_SYNC },
	{ "O_TRUNC", O_TRUNC },
	{ "O_WRONLY", O_WRONLY },
	{ "PF_INET", PF_INET },
	{ "PF_INET6", PF_INET6 },
	{ "PF_LOCAL", PF_UNIX },
	{ "PF_UNIX", PF_UNIX },
	{ "PF_UNSPEC", PF_UNSPEC },
	{ "POLLERR", POLLERR },
	{ "POLLHUP", POLLHUP },
	{ "POLLIN", POLLIN },
	{ "POLLMSG", 0x400 },
	{ "POLLNVAL", POLLNVAL },
	{ "POLLOUT", POLLOUT },
	{ "POLLPRI", POLLPRI },
	{ "POLLRDBAND", POLLRDBAND },
	{ "POLLRDHUP", POLLRDHUP },
	{ "POLLRDNORM", POLLRDNORM },
	{ "POLLREMOVE", 0x1000 },
	{ "POLLWRBAND", POLLWRBAND },
	{ "POLLWRNORM", POLLWRNORM },
	{ "SCM_CREDENTIALS", SCM_CREDENTIALS },
	{ "SCM_RIGHTS", SCM_RIGHTS },
	{ "SCM_RXQ_OVFL", SO_RXQ_OVFL },
	{ "SCM_TIMESTAMP", SCM_TIMESTAMP },
	{ "SCM_TIMESTAMPING", SCM_TIMESTAMPING },
	{ "SCM_TIMESTAMPING_OPT_STATS", 54 },
	{ "SCM_TIMESTAMPNS", SCM_TIMESTAMPNS },
	{ "SCM_TSTAMP_ACK", 2 },
	{ "SCM_TSTAMP_COMPLETION", 3 },
	{ "SCM_TSTAMP_SCHED", 1 },
	{ "SCM_TSTAMP_SND", 0 },
	{ "SCM_TS_OPT_ID", 81 },
	{ "SCM_TXTIME", 61 },
	{ "SHRT_MAX", 32767 },
	{ "SHUT_RD", SHUT_RD },
	{ "SHUT_RDWR", SHUT_RDWR },
	{ "SHUT_WR", SHUT_WR },
	{ "SIOCATMARK", 35077 },
	{ "SIOCGPGRP", 35076 },
	{ "SIOCGSTAMP", 35078 },
	{ "SIOCGSTAMPNS", 35079 },
	{ "SIOCINQ", 21531 },
	{ "SIOCOUTQ", 21521 },
	{ "SIOCOUTQNSD", 35147 },
	{ "SIOCSPGRP", 35074 },
	{ "SK_MEMINFO_BACKLOG", 7 },
	{ "SK_MEMINFO_DROPS", 8 },
	{ "SK_MEMINFO_FWD_ALLOC", 4 },
	{ "SK_MEMINFO_OPTMEM", 6 },
	{ "SK_MEMINFO_RCVBUF", 1 },
	{ "SK_MEMINFO_RMEM_ALLOC", 0 },
	{ "SK_MEMINFO_SNDBUF", 3 },
	{ "SK_MEMINFO_WMEM_ALLOC", 2 },
	{ "SK_MEMINFO_WMEM_QUEUED", 5 },
	{ "SOCK_CLOEXEC", SOCK_CLOEXEC },
	{ "SOCK_DGRAM", SOCK_DGRAM },
	{ "SOCK_NONBLOCK", SOCK_NONBLOCK },
	{ "SOCK_RAW", SOCK_RAW },
	{ "SOCK_RDM", 4 },
	{ "SOCK_SEQPACKET", SOCK_SEQPACKET },
	{ "SOCK_STREAM", SOCK_STREAM },
	{ "SOF_TIMESTAMPING_BIND_PHC", 32768 },
	{ "SOF_TIMESTAMPING_OPT_CMSG", 1024 },
	{ "SOF_TIMESTAMPING_OPT_ID", 128 },
	{ "SOF_TIMESTAMPING_OPT_ID_TCP", 0x10000 },
	{ "SOF_TIMESTAMPING_OPT_PKTINFO", 8192 },
	{ "SOF_TIMESTAMPING_OPT_RX_FILTER", 0x20000 },
	{ "SOF_TIMESTAMPING_OPT_STATS", 4096 },
	{ "SOF_TIMESTAMPING_OPT_TSONLY", 2048 },
	{ "SOF_TIMESTAMPING_OPT_TX_SWHW", 16384 },
	{ "SOF_TIMESTAMPING_RAW_HARDWARE", 64 },
	{ "SOF_TIMESTAMPING_RX_HARDWARE", 4 },
	{ "SOF_TIMESTAMPING_RX_SOFTWARE", 8 },
	{ "SOF_TIMESTAMPING_SOFTWARE", 16 },
	{ "SOF_TIMESTAMPING_SYS_HARDWARE", 32 },
	{ "SOF_TIMESTAMPING_TX_ACK", 512 },
	{ "SOF_TIMESTAMPING_TX_HARDWARE", 1 },
	{ "SOF_TIMESTAMPING_TX_SCHED", 256 },
	{ "SOF_TIMESTAMPING_TX_SOFTWARE", 2 },
	{ "SOF_TXTIME_DEADLINE_MODE", 1 },
	{ "SOF_TXTIME_REPORT_ERRORS", 2 },
	{ "SOL_ICMP", 1 },
	{ "SOL_IP", 0 },
	{ "SOL_IPV6", 41 },
	{ "SOL_RAW", 255 },
	{ "SOL_SOCKET", SOL_SOCKET },
	{ "SOL_TCP", 6 },
	{ "SOL_UDP", 17 },
	{ "SOL_UDPLITE", 136 },
	{ "SOMAXCONN", SOMAXCONN },
	{ "SO_ACCEPTCONN", SO_ACCEPTCONN },
	{ "SO_ATTACH_BPF", 50 },
	{ "SO_ATTACH_FILTER", SO_ATTACH_FILTER },
	{ "SO_ATTACH_REUSEPORT_CBPF", 51 },
	{ "SO_ATTACH_REUSEPORT_EBPF", 52 },
	{ "SO_BINDTODEVICE", SO_BINDTODEVICE },
	{ "SO_BINDTOIFINDEX", 62 },
	{ "SO_BPF_EXTENSIONS", 48 },
	{ "SO_BROADCAST", SO_BROADCAST },
	{ "SO_BSDCOMPAT", SO_BSDCOMPAT },
	{ "SO_BUF_LOCK", 72 },
	{ "SO_BUSY_POLL", 46 },
	{ "SO_BUSY_POLL_BUDGET", 70 },
	{ "SO_CNX_ADVICE", 53 },
	{ "SO_COOKIE", 57 },
	{ "SO_DEBUG", SO_DEBUG },
	{ "SO_DETACH_BPF", 27 },
	{ "SO_DETACH_FILTER", SO_DETACH_FILTER },
	{ "SO_DETACH_REUSEPORT_BPF", 68 },
	{ "SO_DOMAIN", SO_DOMAIN },
	{ "SO_DONTROUTE", SO_DONTROUTE },
	{ "SO_EE_CODE_TXTIME_INVALID_PARAM", 1 },
	{ "SO_EE_CODE_TXTIME_MISSED", 2 },
	{ "SO_EE_CODE_ZEROCOPY_COPIED", 1 },
	{ "SO_EE_ORIGIN_ICMP", 2 },
	{ "SO_EE_ORIGIN_ICMP6", 3 },
	{ "SO_EE_ORIGIN_LOCAL", 1 },
	{ "SO_EE_ORIGIN_NONE", 0 },
	{ "SO_EE_ORIGIN_TIMESTAMPING", 4 },
	{ "SO_EE_ORIGIN_TXSTATUS", 4 },
	{ "SO_EE_ORIGIN_TXTIME", 6 },
	{ "SO_EE_ORIGIN_ZEROCOPY", 5 },
	{ "SO_ERROR", SO_ERROR },
	{ "SO_GET_FILTER", 26 },
	{ "SO_INCOMING_CPU", 49 },
	{ "SO_INCOMING_NAPI_ID", 56 },
	{ "SO_KEEPALIVE", SO_KEEPALIVE },
	{ "SO_LINGER", SO_LINGER },
	{ "SO_LOCK_FILTER", 44 },
	{ "SO_MARK", SO_MARK },
	{ "SO_MAX_PACING_RATE", 47 },
	{ "SO_MEMINFO", 55 },
	{ "SO_NETNS_COOKIE", 71 },
	{ "SO_NOFCS", 43 },
	{ "SO_NO_CHECK", SO_NO_CHECK },
	{ "SO_OOBINLINE", SO_OOBINLINE },
	{ "SO_PASSCRED", SO_PASSCRED },
	{ "SO_PASSPIDFD", 76 },
	{ "SO_PASSSEC", 34 },
	{ "SO_PEEK_OFF", SO_PEEK_OFF },
	{ "SO_PEERCRED", SO_PEERCRED },
	{ "SO_PEERGROUPS", 59 },
	{ "SO_PEERNAME", SO_PEERNAME },
	{ "SO_PEERPIDFD", 77 },
	{ "SO_PEERSEC", 31 },
	{ "SO_PREFER_BUSY_POLL", 69 },
	{ "SO_PRIORITY", SO_PRIORITY },
	{ "SO_PROTOCOL", SO_PROTOCOL },
	{ "SO_RCVBUF", SO_RCVBUF },
	{ "SO_RCVBUFFORCE", SO_RCVBUFFORCE },
	{ "SO_RCVLOWAT", SO_RCVLOWAT },
	{ "SO_RCVMARK", 75 },
	{ "SO_RCVPRIORITY", 82 },
	{ "SO_RCVTIMEO", SO_RCVTIMEO },
	{ "SO_RCVTIMEO_NEW", 66 },
	{ "SO_RCVTIMEO_OLD", 20 },
	{ "SO_RESERVE_MEM", 73 },
	{ "SO_REUSEADDR", SO_REUSEADDR },
	{ "SO_REUSEPORT", SO_REUSEPORT },
	{ "SO_RXQ_OVFL", SO_RXQ_OVFL },
	{ "SO_SELECT_ERR_QUEUE", 45 },
	{ "SO_SNDBUF", SO_SNDBUF },
	{ "SO_SNDBUFFORCE", SO_SNDBUFFORCE },
	{ "SO_SNDLOWAT", SO_SNDLOWAT },
	{ "SO_SNDTIMEO", SO_SNDTIMEO },
	{ "SO_SNDTIMEO_NEW", 67 },
	{ "SO_SNDTIMEO_OLD", 21 },
	{ "SO_TIMESTAMP", SO_TIMESTAMP },
	{ "SO_TIMESTAMPING", SO_TIMESTAMPING },
	{ "SO_TIMESTAMPING_NEW", 65 },
	{ "SO_TIMESTAMPING_OLD", 37 },
	{ "SO_TIMESTAMPNS", SO_TIMESTAMPNS },
	{ "SO_TIMESTAMPNS_NEW", 64 },
	{ "SO_TIMESTAMPNS_OLD", 35 },
	{ "SO_TIMESTAMP_NEW", 63 },
	{ "SO_TIMESTAMP_OLD", 29 },
	{ "SO_TXREHASH", 74 },
	{ "SO_TXTIME", 61 },
	{ "SO_TYPE", SO_TYPE },
	{ "SO_WIFI_STATUS", 41 },
	{ "SO_ZEROCOPY", 60 },
	{ "SPLICE_F_GIFT", SPLICE_F_GIFT },
	{ "SPLICE_F_MORE", SPLICE_F_MORE },
	{ "SPLICE_F_MOVE", SPLICE_F_MOVE },
	{ "SPLICE_F_NONBLOCK", SPLICE_F_NONBLOCK },
	{ "SSIZE_MAX", 9223372036854775807 },
	{ "TCPI_OPT_ECN", 8 },
	{ "TCPI_OPT_ECN_SEEN", 16 },
	{ "TCPI_OPT_SACK", 2 },
	{ "TCPI_OPT_SYN_DATA", 32 },
	{ "TCPI_OPT_TFO_CHILD", 128 },
	{ "TCPI_OPT_TIMESTAMPS", 1 },
	{ "TCPI_OPT_USEC_TS", 64 },
	{ "TCPI_OPT_WSCALE", 4 },
	{ "TCPOPT_MSS", 2 },
	{ "TCPOPT_SACK_PERM", 4 },
	{ "TCPOPT_TIMESTAMP", 8 },
	{ "TCPOPT_WINDOW", 3 },
	{ "TCP_AO_ADD_KEY", 38 },
	{ "TCP_AO_DEL_KEY", 39 },
	{ "TCP_AO_GET_KEYS", 41 },
	{ "TCP_AO_INFO", 40 },
	{ "TCP_AO_REPAIR", 42 },
	{ "TCP_CA_CWR", 2 },
	{ "TCP_CA_Disorder", 1 },
	{ "TCP_CA_Loss", 4 },
	{ "TCP_CA_Open", 0 },
	{ "TCP_CA_Recovery", 3 },
	{ "TCP_CC_INFO", 26 },
	{ "TCP_CLOSE", 7 },
	{ "TCP_CLOSE_WAIT", 8 },
	{ "TCP_CLOSING", 11 },
	{ "TCP_CM_INQ", 36 },
	{ "TCP_CONGESTION", 13 },
	{ "TCP_CORK", 3 },
	{ "TCP_DEFER_ACCEPT", 9 },
	{ "TCP_DELACK_MAX_US", 46 },
	{ "TCP_ESTABLISHED", 1 },
	{ "TCP_FASTOPEN", 23 },
	{ "TCP_FASTOPEN_CONNECT", 30 },
	{ "TCP_FASTOPEN_KEY", 33 },
	{ "TCP_FASTOPEN_NO_COOKIE", 34 },
	{ "TCP_FIN_WAIT1", 4 },
	{ "TCP_FIN_WAIT2", 5 },
	{ "TCP_INFO", 11 },
	{ "TCP_INQ", 36 },
	{ "TCP_IS_MPTCP", 43 },
	{ "TCP_KEEPCNT", 6 },
	{ "TCP_KEEPIDLE", 4 },
	{ "TCP_KEEPINTVL", 5 },
	{ "TCP_LAST_ACK", 9 },
	{ "TCP_LINGER2", 8 },
	{ "TCP_LISTEN", 10 },
	{ "TCP_MAXSEG", 2 },
	{ "TCP_MD5SIG", 14 },
	{ "TCP_MD5SIG_EXT", 32 },
	{ "TCP_NEW_SYN_RECV", 12 },
	{ "TCP_NODELAY", 1 },
	{ "TCP_NOTSENT_LOWAT", 25 },
	{ "TCP_NO_QUEUE", 0 },
	{ "TCP_QUEUE_SEQ", 21 },
	{ "TCP_QUICKACK", 12 },
	{ "TCP_RECV_QUEUE", 1 },
	{ "TCP_REPAIR", 19 },
	{ "TCP_REPAIR_OPTIONS", 22 },
	{ "TCP_REPAIR_QUEUE", 20 },
	{ "TCP_REPAIR_WINDOW", 29 },
	{ "TCP_RTO_MAX_MS", 44 },
	{ "TCP_RTO_MIN_US", 45 },
	{ "TCP_SAVED_SYN", 28 },
	{ "TCP_SAVE_SYN", 27 },
	{ "TCP_SEND_QUEUE", 2 },
	{ "TCP_SYNCNT", 7 },
	{ "TCP_SYN_RECV", 3 },
	{ "TCP_SYN_SENT", 2 },
	{ "TCP_THIN_DUPACK", 17 },
	{ "TCP_THIN_LINEAR_TIMEOUTS", 16 },
	{ "TCP_TIMESTAMP", 24 },
	{ "TCP_TIME_WAIT", 6 },
	{ "TCP_TX_DELAY", 37 },
	{ "TCP_ULP", 31 },
	{ "TCP_USER_TIMEOUT", 18 },
	{ "TCP_WINDOW_CLAMP", 10 },
	{ "TCP_ZEROCOPY_RECEIVE", 35 },
	{ "TFO_COOKIE_NOT_REQD", 512 },
	{ "TIOCINQ", 21531 },
	{ "TIOCOUTQ", 21521 },
	{ "TRUE", 1 },
	{ "UDP_CORK", 1 },
	{ "UDP_ENCAP", 100 },
	{ "UDP_GRO", 104 },
	{ "UDP_NO_CHECK6_RX", 102 },
	{ "UDP_NO_CHECK6_TX", 101 },
	{ "UDP_SEGMENT", 103 },
	{ "UINT_MAX", 4294967295 },
	{ "USHRT_MAX", 65535 },
	{ "false", 0 },
	{ "true", 1 },
};

static const struct sym errnos[] = {
	{ "E2BIG", E2BIG },
	{ "EACCES", EACCES },
	{ "EADDRINUSE", EADDRINUSE },
	{ "EADDRNOTAVAIL", EADDRNOTAVAIL },
	{ "EADV", EADV },
	{ "EAFNOSUPPORT", EAFNOSUPPORT },
	{ "EAGAIN", EAGAIN },
	{ "EALREADY", EALREADY },
	{ "EBADE", EBADE },
	{ "EBADF", EBADF },
	{ "EBADFD", EBADFD },
	{ "EBADMSG", EBADMSG },
	{ "EBADR", EBADR },
	{ "EBADRQC", EBADRQC },
	{ "EBADSLT", EBADSLT },
	{ "EBFONT", EBFONT },
	{ "EBUSY", EBUSY },
	{ "ECANCELED", ECANCELED },
	{ "ECHILD", ECHILD },
	{ "ECHRNG", ECHRNG },
	{ "ECOMM", ECOMM },
	{ "ECONNABORTED", ECONNABORTED },
	{ "ECONNREFUSED", ECONNREFUSED },
	{ "ECONNRESET", ECONNRESET },
	{ "EDEADLK", EDEADLK },
	{ "EDESTADDRREQ", EDESTADDRREQ },
	{ "EDOM", EDOM },
	{ "EDOTDOT", EDOTDOT },
	{ "EDQUOT", EDQUOT },
	{ "EEXIST", EEXIST },
	{ "EFAULT", EFAULT },
	{ "EFBIG", EFBIG },
	{ "EHOSTDOWN", EHOSTDOWN },
	{ "EHOSTUNREACH", EHOSTUNREACH },
	{ "EHWPOISON", EHWPOISON },
	{ "EIDRM", EIDRM },
	{ "EILSEQ", EILSEQ },
	{ "EINPROGRESS", EINPROGRESS },
	{ "EINTR", EINTR },
	{ "EINVAL", EINVAL },
	{ "EIO", EIO },
	{ "EISCONN", EISCONN },
	{ "EISDIR", EISDIR },
	{ "EISNAM", EISNAM },
	{ "EKEYEXPIRED", EKEYEXPIRED },
	{ "EKEYREJECTED", EKEYREJECTED },
	{ "EKEYREVOKED", EKEYREVOKED },
	{ "ELIBACC", ELIBACC },
	{ "ELIBBAD", ELIBBAD },
	{ "ELIBEXEC", ELIBEXEC },
	{ "ELIBMAX", ELIBMAX },
	{ "ELIBSCN", ELIBSCN },
	{ "ELNRNG", ELNRNG },
	{ "ELOOP", ELOOP },
	{ "EMEDIUMTYPE", EMEDIUMTYPE },
	{ "EMFILE", EMFILE },
	{ "EMLINK", EMLINK },
	{ "EMSGSIZE", EMSGSIZE },
	{ "EMULTIHOP", EMULTIHOP },
	{ "ENAMETOOLONG", ENAMETOOLONG },
	{ "ENAVAIL", ENAVAIL },
	{ "ENETDOWN", ENETDOWN },
	{ "ENETRESET", ENETRESET },
	{ "ENETUNREACH", ENETUNREACH },
	{ "ENFILE", ENFILE },
	{ "ENOANO", ENOANO },
	{ "ENOBUFS", ENOBUFS },
	{ "ENOCSI", ENOCSI },
	{ "ENODATA", ENODATA },
	{ "ENODEV", ENODEV },
	{ "ENOENT", ENOENT },
	{ "ENOEXEC", ENOEXEC },
	{ "ENOKEY", ENOKEY },
	{ "ENOLCK", ENOLCK },
	{ "ENOLINK", ENOLINK },
	{ "ENOMEDIUM", ENOMEDIUM },
	{ "ENOMEM", ENOMEM },
	{ "ENOMSG", ENOMSG },
	{ "ENONET", ENONET },
	{ "ENOPKG", ENOPKG },
	{ "ENOPROTOOPT", ENOPROTOOPT },
	{ "ENOSPC", ENOSPC },
	{ "ENOSR", ENOSR },
	{ "ENOSTR", ENOSTR },
	{ "ENOSYS", ENOSYS },
	{ "ENOTBLK", ENOTBLK },
	{ "ENOTCONN", ENOTCONN },
	{ "ENOTDIR", ENOTDIR },
	{ "ENOTEMPTY", ENOTEMPTY },
	{ "ENOTNAM", ENOTNAM },
	{ "ENOTRECOVERABLE", ENOTRECOVERABLE },
	{ "ENOTSOCK", ENOTSOCK },
	{ "ENOTTY", ENOTTY },
	{ "ENOTUNIQ", ENOTUNIQ },
	{ "ENXIO", ENXIO },
	{ "EOPNOTSUPP", EOPNOTSUPP },
	{ "EOVERFLOW", EOVERFLOW },
	{ "EOWNERDEAD", EOWNERDEAD },
	{ "EPERM", EPERM },
	{ "EPFNOSUPPORT", EPFNOSUPPORT },
	{ "EPIPE", EPIPE },
	{ "EPROTO", EPROTO },
	{ "EPROTONOSUPPORT", EPROTONOSUPPORT },
	{ "EPROTOTYPE", EPROTOTYPE },
	{ "ERANGE", ERANGE },
	{ "EREMCHG", EREMCHG },
	{ "EREMOTE", EREMOTE },
	{ "EREMOTEIO", EREMOTEIO },
	{ "ERESTART", ERESTART },
	{ "ERFKILL", ERFKILL },
	{ "EROFS", EROFS },
	{ "ESHUTDOWN", ESHUTDOWN },
	{ "ESOCKTNOSUPPORT", ESOCKTNOSUPPORT },
	{ "ESPIPE", ESPIPE },
	{ "ESRCH", ESRCH },
	{ "ESRMNT", ESRMNT },
	{ "ESTALE", ESTALE },
	{ "ESTRPIPE", ESTRPIPE },
	{ "ETIME", ETIME },
	{ "ETIMEDOUT", ETIMEDOUT },
	{ "ETOOMANYREFS", ETOOMANYREFS },
	{ "ETXTBSY", ETXTBSY },
	{ "EUCLEAN", EUCLEAN },
	{ "EUNATCH", EUNATCH },
	{ "EUSERS", EUSERS },
	{ "EXDEV", EXDEV },
	{ "EXFULL", EXFULL },
};

static const struct sym *find(const struct sym *t, size_t n, const char *name, size_t len)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = strncmp(name, t[mid].name, len);

		if (!c && t[mid].name[len])
			c = -1;
		if (!c)
			return &t[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

int dsym_errno(const char *name, size_t len)
{
	const struct sym *s = find(errnos, ARRAY_SIZE(errnos), name, len);

	if (!s && len == 11 && !memcmp(name, "EWOULDBLOCK", len))
		return EAGAIN;
	if (!s && len == 7 && !memcmp(name, "ENOTSUP", len))
		return EOPNOTSUPP;
	return s ? (int)s->v : 0;
}

bool dsym_find(const char *name, size_t len, int64_t *v)
{
	const struct sym *s = find(symbols, ARRAY_SIZE(symbols), name, len);

	if (s) {
		*v = s->v;
		return true;
	}
	*v = dsym_errno(name, len);
	return *v != 0;
}

const char *dsym_foreign(const char *name, size_t len)
{
	static const struct { const char *start, *what; } f[] = {
		{ "SCTP_", "it needs SCTP, which culver has not" },
		{ "IPPROTO_SCTP", "it needs SCTP, which culver has not" },
		{ "IPPROTO_MPTCP", "it needs MPTCP, which culver has not" },
		{ "TCP_FUNCTION_BLK", "it needs FreeBSD's TCP stacks" },
		{ "TCP_RACK_", "it needs FreeBSD's TCP stacks" },
		{ "TCP_LOG", "it needs FreeBSD's TCP stacks" },
		{ "TCP_BBR_", "it needs FreeBSD's TCP stacks" },
		{ "TCP_REMOTE_UDP_ENCAPS_PORT", "it needs FreeBSD's TCP over UDP" },
		{ "TCP_NOOPT", "it needs an option of FreeBSD's" },
		{ "TCP_NOPUSH", "it needs an option of FreeBSD's" },
		{ "TCP_KEEPINIT", "it needs an option of FreeBSD's" },
		{ "TCP_DELACK", "it needs an option of FreeBSD's" },
		{ "TCP_CCALGOOPT", "it needs an option of FreeBSD's" },
		{ "TCP_RXTLS", "it needs FreeBSD's TLS in the kernel" },
		{ "TCP_TXTLS", "it needs FreeBSD's TLS in the kernel" },
		{ "SO_NOSIGPIPE", "it needs an option of FreeBSD's" },
		{ "SO_ACCEPTFILTER", "it needs an option of FreeBSD's" },
		{ "SO_SETFIB", "it needs an option of FreeBSD's" },
		{ "IP_RECVDSTADDR", "it needs an option of FreeBSD's" },
		{ "IP_SENDSRCADDR", "it needs an option of FreeBSD's" },
		{ "IP_DONTFRAG", "it needs an option of FreeBSD's" },
		{ "MSG_EOF", "it needs FreeBSD's T/TCP flag" },
		{ "IPV6_", "it needs IPv6, which culver has not" },
		{ "ICMP6_", "it needs IPv6, which culver has not" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(f); i++)
		if (len >= strlen(f[i].start) && !memcmp(name, f[i].start, strlen(f[i].start)))
			return f[i].what;
	return NULL;
}

const char *dsym_errno_name(int err)
{
	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++)
		if (errnos[i].v == err)
			return errnos[i].name;
	return NULL;
}

/* ---- ICMP (RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1) ---- */

static const struct sym types[] = {
	{ "unreachable", ICMP_DEST_UNREACH },	  { "time_exceeded", ICMP_TIME_EXCEEDED },
	{ "parameter_problem", ICMP_PARAMETERPROB }, { "source_quench", ICMP_SOURCE_QUENCH },
	{ "redirect", ICMP_REDIRECT },		  { "echo_request", ICMP_ECHO },
	{ "echo_reply", ICMP_ECHOREPLY },	  { "echo", ICMP_ECHO },
	{ "echo_response", ICMP_ECHOREPLY },	  { "timestamp", ICMP_TIMESTAMP },
	{ "timestamp_reply", ICMP_TIMESTAMPREPLY },
};

static const struct sym unreach[] = {
	{ "net_unreachable", 0 },	  { "host_unreachable", 1 },	{ "protocol_unreachable", 2 },
	{ "port_unreachable", 3 },	  { "frag_needed", 4 },		{ "source_route_failed", 5 },
	{ "net_unknown", 6 },		  { "host_unknown", 7 },	{ "source_host_isolated", 8 },
	{ "net_prohibited", 9 },	  { "host_prohibited", 10 },	{ "net_unreachable_for_tos", 11 },
	{ "host_unreachable_for_tos", 12 }, { "packet_filtered", 13 },	{ "precedence_violation", 14 },
	{ "precedence_cutoff", 15 },
};
static const struct sym exceeded[] = {
	{ "ttl_exceeded", 0 }, { "frag_time_exceeded", 1 }, { "fragment_reassembly_time_exceeded", 1 },
};
static const struct sym redirects[] = {
	{ "net", 0 }, { "host", 1 }, { "net_for_tos", 2 }, { "host_for_tos", 3 },
};
static const struct sym problems[] = { { "bad_pointer", 0 }, { "missing_option", 1 }, { "bad_length", 2 } };

static const struct sym *codes_of(uint8_t type, size_t *n)
{
	switch (type) {
	case ICMP_DEST_UNREACH:
		*n = ARRAY_SIZE(unreach);
		return unreach;
	case ICMP_TIME_EXCEEDED:
		*n = ARRAY_SIZE(exceeded);
		return exceeded;
	case ICMP_REDIRECT:
		*n = ARRAY_SIZE(redirects);
		return redirects;
	case ICMP_PARAMETERPROB:
		*n = ARRAY_SIZE(problems);
		return problems;
	default:
		*n = 0;
		return NULL;
	}
}

static const struct sym *by_name(const struct sym *t, size_t n, const char *s, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(t[i].name) == len && !memcmp(t[i].name, s, len))
			return &t[i];
	return NULL;
}

static const char *by_value(const struct sym *t, size_t n, int64_t v)
{
	for (size_t i = 0; i < n; i++)
		if (t[i].v == v)
			return t[i].name;
	return NULL;
}

bool dicmp_type(const char *s, size_t len, uint8_t *type)
{
	const struct sym *y = by_name(types, ARRAY_SIZE(types), s, len);

	if (y)
		*type = (uint8_t)y->v;
	return y != NULL;
}

bool dicmp_code(uint8_t type, const char *s, size_t len, uint8_t *code)
{
	size_t n;
	const struct sym *t = codes_of(type, &n), *y = by_name(t, n, s, len);

	if (y)
		*code = (uint8_t)y->v;
	return y != NULL;
}

const char *dicmp_type_name(uint8_t type)
{
	return by_value(types, ARRAY_SIZE(types), type);
}

const char *dicmp_code_name(uint8_t type, uint8_t code)
{
	size_t n;
	const struct sym *t = codes_of(type, &n);

	return by_value(t, n, code);
}

/* The kernel's end of a transfer of tcp-grid: grid_peer send IP MILLISECONDS CC [KEY], or grid_peer recv CC [KEY]; KEY: with TCP MD5 signatures. Ends with 0 when all
 * went well: the receiver when every octet was right up to the end. What time it took the bench reads from the cable. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "grid_pattern.h"

static uint8_t pattern[GRID_PATTERN], buf[GRID_CHUNK];

static int die(const char *what)
{
	fprintf(stderr, "culver-peer-grid: %s: %s\n", what, strerror(errno));
	return 3;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* The peer is any: a prefix of length 0. */
static int sign(int fd, const char *key)
{
	struct { /* Linux's struct tcp_md5sig; glibc's lacks a member */
		struct sockaddr_storage addr;
		uint8_t flags, prefix;
		uint16_t keylen;
		int ifindex;
		uint8_t key[80];
	} m = { .flags = 1 };

	if (!key)
		return 0;
	m.addr.ss_family = AF_INET;
	m.keylen = (uint16_t)strlen(key);
	memcpy(m.key, key, m.keylen);
	return setsockopt(fd, IPPROTO_TCP, 32 /* TCP_MD5SIG_EXT */, &m, sizeof m);
}

static int send_for(const char *ip, uint64_t ms, const char *cc, const char *key)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(GRID_PORT) };
	uint64_t at = 0, end;
	int fd;
	char b;

	for (unsigned tries = 0;; tries++) { /* the machine is busy: the receiver may not be there yet */
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (fd < 0 || !inet_aton(ip, &a.sin_addr) || setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cc, (socklen_t)strlen(cc)))
			return die(cc);
		if (sign(fd, key))
			return die("TCP_MD5SIG_EXT");
		if (!connect(fd, (struct sockaddr *)&a, sizeof a))
			break;
		if (errno != ECONNREFUSED || tries == GRID_TRIES)
			return die("connect");
		close(fd);
		nanosleep(&(struct timespec){ .tv_nsec = GRID_TRY_MS * 1000000l }, NULL);
	}
	for (end = now_ms() + ms; now_ms() < end;) {
		ssize_t n = send(fd, pattern + at % GRID_PATTERN, grid_piece(at), MSG_NOSIGNAL);

		if (n < 0)
			return die("send");
		at += (uint64_t)n;
	}
	shutdown(fd, SHUT_WR);
	return read(fd, &b, 1) ? die("the end") : 0;
}

static int receive(const char *cc, const char *key)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(GRID_PORT) };
	int l = socket(AF_INET, SOCK_STREAM, 0), fd;
	uint64_t at = 0;
	ssize_t n;

	setsockopt(l, IPPROTO_TCP, TCP_CONGESTION, cc, (socklen_t)strlen(cc));
	if (sign(l, key))
		return die("TCP_MD5SIG_EXT");
	if (bind(l, (struct sockaddr *)&a, sizeof a) || listen(l, 1))
		return die("listen");
	fd = accept(l, NULL, NULL);
	while ((n = read(fd, buf, grid_piece(at))) > 0) {
		if (memcmp(buf, pattern + at % GRID_PATTERN, (size_t)n)) {
			fprintf(stderr, "culver-peer-grid: octets differ after %llu\n", (unsigned long long)at);
			return 4;
		}
		at += (uint64_t)n;
	}
	return n ? die("read") : 0;
}

int main(int argc, char **argv)
{
	grid_pattern(pattern);
	if ((argc == 5 || argc == 6) && !strcmp(argv[1], "send"))
		return send_for(argv[2], strtoull(argv[3], NULL, 10), argv[4], argv[5]);
	if ((argc == 3 || argc == 4) && !strcmp(argv[1], "recv"))
		return receive(argv[2], argv[3]);
	fprintf(stderr, "usage: culver-peer-grid send IP MILLISECONDS CC [KEY] | recv CC [KEY]\n");
	return 2;
}

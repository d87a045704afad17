/* One connection of the web server, and the server around it. */
#ifndef APP_HTTP_CONN_H
#define APP_HTTP_CONN_H

#include "app/http_file.h"
#include "app/web_loop.h"
#include "socket/vfs.h"

#define HTTPD_IN 16384              /* octets read ahead */
#define HTTPD_OUT 65536             /* octets made ahead */
#define HTTPD_HEAD_NS (10 * NSEC_PER_SEC)  /* from the first octet of a head to its end (HR-01) */
#define HTTPD_IDLE_NS (15 * NSEC_PER_SEC)  /* between requests (HR-05) */
#define HTTPD_RATE_NS (10 * NSEC_PER_SEC)  /* in each such stretch of a body, in or out, ... */
#define HTTPD_RATE_MIN 5000                /* ... so many octets must move (HR-02) */
#define HTTPD_LINGER_NS                                                                            \
	(2 * NSEC_PER_SEC) /* after our last octet, for the peer to read it (RFC 9112 9.6) */
#define HTTPD_ADDR_SLOTS 4096
#define HTTPD_INDEX_MAX 8

struct httpd {
	struct task *t;
	struct loop *l;
	struct loop_fd listener;
	const char *root;
	const char *put;                    /* prefix of paths that may be written; NULL: none */
	const char *index[HTTPD_INDEX_MAX]; /* NULL-terminated */
	uint64_t max_body;
	uint32_t max_conns, max_per_addr;
	uint32_t n_conns;
	uint16_t by_addr[HTTPD_ADDR_SLOTS];
	uint8_t key[16];
	struct list_head conns;
	uint64_t requests, refused, uploads; /* uploads: numbers temporary files too */
	bool log;
};

enum httpd_state {
	CONN_READ,  /* a head or a body is being read; nothing is to be sent but 100 Continue */
	CONN_WRITE, /* an answer is being sent; input waits */
	CONN_LINGER /* all is said: what still comes is thrown away until the peer closes */
};
struct httpd_conn {
	struct loop_fd lf;
	struct httpd *s;
	struct list_head node;
	struct timer_list timer;
	uint32_t addr;
	uint16_t port;
	enum httpd_state state;
	bool close_after; /* this answer is the connection's last */
	bool peer_closed, in_request, in_body;
	struct http_parser p;

	uint8_t in[HTTPD_IN];
	size_t in_at, in_len;
	struct strbuf out;
	size_t out_at;
	uint64_t moved, moved_mark; /* octets, for the minimal rate */
	uint64_t sent;              /* octets of this answer */

	/* the answer's body, when it is a file */
	int file;
	uint64_t file_off, file_left;
	struct vfs_stat file_stat;
	char path[2 * HTTP_PATH_ROOM];

	/* a PUT being received */
	int put_fd;
	char put_tmp[2 * HTTP_PATH_ROOM];
	uint64_t put_bytes;
	unsigned put_error; /* status, once writing failed */
};

void httpd_accept(struct httpd *s);
void httpd_conn_end(struct httpd_conn *c);

/* http_answer.c: a request is whole (or its head is bad): make the answer. */
/* With a head: refuse at once (status), or 0 to read the body. */
unsigned httpd_begin(struct httpd_conn *c);
void httpd_body(struct httpd_conn *c, const uint8_t *p, size_t len);
void httpd_answer(struct httpd_conn *c);
void httpd_error(struct httpd_conn *c, unsigned status, const char *why);
/* Throw away what a PUT has written so far. */
void httpd_put_abort(struct httpd_conn *c);
/* Read more of the file into c->out. False: the file has changed under us (HF-07). */
bool httpd_fill(struct httpd_conn *c);

#endif

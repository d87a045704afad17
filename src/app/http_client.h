/* One HTTP/1.1 exchange as a client does it, over system calls. Blocking; bounded by an idle timeout. */
#ifndef APP_HTTP_CLIENT_H
#define APP_HTTP_CLIENT_H

#include "app/http_parse.h"
#include "core/task.h"

#define HTTP_CLIENT_BUF 65536

struct http_client {
	struct task *t;
	int fd;
	struct http_parser p;
	uint8_t *buf;
	const uint8_t *at; /* unread input */
	size_t have;
	uint64_t idle_ns;  /* nothing moved for this long: -ETIMEDOUT */
	uint64_t sent, first_byte_ns;
};

struct http_call {
	const char *method, *host, *path, *query; /* host as the Host header has it; query NULL: none */
	const char *const *headers;                /* extra lines "Name: value", NULL-terminated; may be NULL */
	const void *body;                          /* NULL: none unless next */
	uint64_t body_len;
	/* Body in pieces: fill buf, octets or -errno, 0 at the end. body_len tells its length. */
	ssize_t (*next)(void *arg, void *buf, size_t room);
	void *next_arg;
	bool expect_continue; /* send the body only after 100 Continue, or a second's silence (RFC 9110 10.1.1) */
};

/* Connect. 0 or -errno; then http_client_close() is due in any case. */
int http_client_dial(struct http_client *c, struct task *t, uint32_t addr, uint16_t port, uint64_t idle_ns);
/* Send the request. 0 or -errno. An early final answer ends a body half way; http_client_head has it. */
int http_client_send(struct http_client *c, const struct http_call *call);
/* Wait for the final response's head (1xx are passed over). 0; -EPROTO: c->p.why says what is wrong with it; -errno. */
int http_client_head(struct http_client *c);
/* Next slice of the body. >0 octets at *data, 0 end, -EPROTO, -errno. */
ssize_t http_client_body(struct http_client *c, const uint8_t **data);
void http_client_close(struct http_client *c);

#endif

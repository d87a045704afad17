/* URLs of RFC 3986 as far as a browser needs them, strictly checked before any packet leaves. */
#ifndef APP_URL_H
#define APP_URL_H

#include "base/types.h"

#define URL_MAX 8000  /* octets; RFC 9112 3: at least 8000 for a request line's target */
#define URL_HOST_MAX 253

enum url_scheme { URL_HTTP, URL_HTTPS };

struct url {
	enum url_scheme scheme;
	char
	    host[URL_HOST_MAX + 2]; /* lower case, without a final dot; as written for an address */
	bool is_addr;
	uint32_t addr;
	uint16_t port; /* given, or the scheme's */
	bool port_given;
	char *path;     /* absolute, at least "/", still percent-encoded; owned */
	char *query;    /* NULL: none; without '?'; owned */
	char *fragment; /* NULL: none; never sent; owned */
};

enum { URL_RAW_PATH = 1 /* leave "." and ".." segments alone */ };

/* Parse text whole. 0; or -1 with one line in err saying what is wrong and what would be right.
 * https parses (port 443): whoever wants to fetch it asks url_fetchable(). */
int url_parse(const char *text, unsigned flags, struct url *u, char *err, size_t room);
void url_free(struct url *u);
/* 0, or -1 and a line: only plain http is spoken here (S3-17). */
int url_fetchable(const struct url *u, char *err, size_t room);

/* Octet of two hex digits at s, or -1. */
int url_hex_octet(const char *s);
/* RFC 3986 5.2.4 on a path in place. */
void url_remove_dot_segments(char *path);

#endif

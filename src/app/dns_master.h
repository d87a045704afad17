/* Master files (RFC 1035 5), with $ORIGIN, $TTL (RFC 2308 4) and $INCLUDE; errors with file and
 * line. */
#ifndef APP_DNS_MASTER_H
#define APP_DNS_MASTER_H

#include "app/dns_name.h"
#include "base/strbuf.h"

#define MASTER_INCLUDE_DEPTH 8
#define MASTER_MAX_RECORDS 500000
#define MASTER_MAX_FILE (64u << 20)
#define MASTER_MAX_ENTRY 65536 /* octets of one record's text */
#define MASTER_ERR 512

struct dns_record {
	const struct dname *owner;
	uint16_t type;
	uint32_t ttl;
	const uint8_t *rd; /* no compression, valid for its type */
	uint16_t rdlen;
};
struct dns_master_ops {
	/* Whole file into *sb. 0 or -errno. */
	int (*read)(void *arg, const char *path, struct strbuf *sb);
	/* One record. 0; or -1 with why written: becomes "file:line: why". */
	int (*record)(void *arg, const struct dns_record *r, char *why, size_t room);
	uint32_t max_records; /* 0: MASTER_MAX_RECORDS */
};
/* Read path with origin as first $ORIGIN. 0, or -1 with "file:line: text" in err (MASTER_ERR
 * octets). */
int dns_master_load(const char *path, const struct dname *origin, const struct dns_master_ops *ops,
		    void *arg, char *err);

#endif

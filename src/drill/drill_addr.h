/* Addresses and buffers of a script's calls: shared by the files of the calls. */
#ifndef DRILL_DRILL_ADDR_H
#define DRILL_DRILL_ADDR_H

#include <netinet/in.h>
#include <sys/socket.h>
#include "drill/drill_int.h"

/* An address as a call has it (len octets), and the IPv4 address that it means. */
struct drill_name {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage ss;
	};
	socklen_t len;
	struct sockaddr_in v4;
};
/* What the script wrote for an address, in the family of the socket that is the call's first argument; dots and nothing mean
 * port of otherwise_ip, NULL no address (len 0). False: the error is said. */
bool djob_addr(struct drill_job *j, struct task *t, const struct dexpr *x, uint32_t otherwise_ip, uint16_t port, struct drill_name *n);
/* Fill v4 from what a call gave. */
void drill_name_v4(struct drill_name *n);
/* Does what came equal what the script wrote? */
void djob_check_addr(struct drill_job *j, const struct dexpr *x, const struct sockaddr_in *a);
/* Memory for octets that a call sends, or gets: text of a string in front, zeros behind. NULL where the script says NULL or
 * gives a number as the address (EFAULT is the kernel's answer); free it. */
uint8_t *djob_buffer(struct drill_job *j, const struct dexpr *x, size_t len);
static inline bool dexpr_null(const struct dexpr *x) { return x && x->kind == DX_NULL; }
/* A buffer that is not there. */
static inline bool dexpr_nowhere(const struct dexpr *x) { return x && (x->kind == DX_NULL || x->kind == DX_INT); }
/* After a read: the string that the script expects. */
void djob_check_data(struct drill_job *j, const struct dexpr *x, const uint8_t *data, int64_t n);

#define DCALL_MAX_BUFFER (64u << 20)
#define DCALL_MAX_IOV 1024u

#endif

/* Addresses and buffers of a script's calls: shared by the files of the calls. */
#ifndef DRILL_DRILL_ADDR_H
#define DRILL_DRILL_ADDR_H

#include <netinet/in.h>
#include <sys/socket.h>
#include "drill/drill_int.h"

/* The address of argument i: 0 and *len; dots and nothing mean port of otherwise_ip. */
bool djob_addr(struct drill_job *j, const struct dexpr *x, uint32_t otherwise_ip, uint16_t port, struct sockaddr_in *a, socklen_t *len);
/* Does what came equal what the script wrote? */
void djob_check_addr(struct drill_job *j, const struct dexpr *x, const struct sockaddr_in *a);
/* Memory for octets that a call sends, or gets: text of a string in front, zeros behind. Never NULL; free it. */
uint8_t *djob_buffer(struct drill_job *j, const struct dexpr *x, size_t len);
/* A buffer is NULL in the script and has a length: EFAULT is the kernel's answer. */
static inline bool dexpr_null(const struct dexpr *x)
{
	return x && x->kind == DX_NULL;
}
/* After a read: the string that the script expects. */
void djob_check_data(struct drill_job *j, const struct dexpr *x, const uint8_t *data, int64_t n);

#define DCALL_MAX_BUFFER (64u << 20)
#define DCALL_MAX_IOV 1024u

#endif

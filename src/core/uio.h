/* iov_iter: a program's buffers, walked once. The only place where user memory is touched. */
#ifndef CORE_UIO_H
#define CORE_UIO_H

#include <sys/uio.h>
#include "base/types.h"

struct iov_iter {
	const struct iovec *iov;
	size_t nr, off; /* segments left, the current one first, and offset in it */
	size_t count;	/* bytes left */
};

void iov_iter_init(struct iov_iter *it, const struct iovec *iov, size_t nr);
/* Copy up to len bytes from the program / to the program; return bytes copied: fewer at the end, or where iov_base is NULL. */
size_t copy_from_iter(void *to, size_t len, struct iov_iter *it);
size_t copy_to_iter(const void *from, size_t len, struct iov_iter *it);
/* The same; the checksum of what was copied is added to *sum (which covers an even number of
 * octets). */
size_t csum_copy_from_iter(void *to, size_t len, struct iov_iter *it, uint32_t *sum);
void iov_iter_advance(struct iov_iter *it, size_t n);

#endif

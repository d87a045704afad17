/* iov_iter: the walk over a program's buffers.
 *
 * Decides nothing but where the next byte is. Called by sendmsg and recvmsg of all protocols; hands
 * on to wire/'s fused copy and checksum. Tests: tests/unit/core. */
#include "core/uio.h"

#include <string.h>
#include "wire/ip4.h"

void iov_iter_init(struct iov_iter *it, const struct iovec *iov, size_t nr)
{
	it->iov = iov;
	it->nr = nr;
	it->off = 0;
	it->count = 0;
	for (size_t i = 0; i < nr; i++)
		it->count += iov[i].iov_len;
}

/* The contiguous bytes at the position, at most len; NULL: none left. */
static char *iov_here(struct iov_iter *it, size_t len, size_t *n)
{
	while (it->nr && it->off == it->iov->iov_len) {
		it->iov++;
		it->nr--;
		it->off = 0;
	}
	if (!it->nr || !len || !it->iov->iov_base) /* no memory behind a length: as a page that is not there */
		return NULL;
	*n = min_sz(len, it->iov->iov_len - it->off);
	return (char *)it->iov->iov_base + it->off;
}

static void iov_step(struct iov_iter *it, size_t n)
{
	it->off += n;
	it->count -= n;
}

size_t copy_from_iter(void *to, size_t len, struct iov_iter *it)
{
	size_t done = 0, n;
	const char *p;

	while ((p = iov_here(it, len - done, &n)) != NULL) {
		memcpy((char *)to + done, p, n);
		iov_step(it, n);
		done += n;
	}
	return done;
}

size_t copy_to_iter(const void *from, size_t len, struct iov_iter *it)
{
	size_t done = 0, n;
	char *p;

	while ((p = iov_here(it, len - done, &n)) != NULL) {
		memcpy(p, (const char *)from + done, n);
		iov_step(it, n);
		done += n;
	}
	return done;
}

size_t csum_copy_from_iter(void *to, size_t len, struct iov_iter *it, uint32_t *sum)
{
	size_t done = 0, n;
	const char *p;

	while ((p = iov_here(it, len - done, &n)) != NULL) {
		*sum = csum_block_add(*sum, csum_partial_copy((char *)to + done, p, n, 0), done);
		iov_step(it, n);
		done += n;
	}
	return done;
}

void iov_iter_advance(struct iov_iter *it, size_t n)
{
	size_t here;

	n = min_sz(n, it->count);
	while (n && iov_here(it, n, &here)) {
		iov_step(it, here);
		n -= here;
	}
}

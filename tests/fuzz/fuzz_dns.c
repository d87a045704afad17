/* Fuzz target: DNS messages (DP-01..16). A message that passes the check can be walked to its end: every record's RDATA expands to
 * a shape that is valid for its type, and names print. The message stands in memory of its exact size. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "app/dns_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_msg m;
	struct dns_walk w;
	struct dns_rr rr;
	uint8_t *msg, *rd;

	if (size > DNS_MSG_MAX)
		return 0;
	msg = malloc(size ? size : 1);
	memcpy(msg, data, size);
	rd = malloc(DNS_RDATA_MAX);
	if (dns_msg_check(&m, msg, size) == DNS_FINE) {
		uint32_t n = 0;
		dns_walk_init(&w, &m);
		while (dns_walk_next(&w, &rr)) {
			int len = dns_rdata_expand(&m, &rr, rd, DNS_RDATA_MAX);
			struct dname inner;
			n++;
			assert(rr.owner.len >= 1 && rr.owner.len <= 255);
			if (len >= 0 && rr.cls == DNS_IN && rr.type != DNS_OPT) {
				assert(dns_rdata_valid(rr.type, rd, (size_t)len));
				if (dns_rdata_name(rr.type, rd, (size_t)len, &inner))
					assert(inner.len >= 1 && inner.len <= 255);
			}
		}
		assert(n == (uint32_t)m.count[DNS_AN] + m.count[DNS_AUTH] + m.count[DNS_AR]);
	}
	free(rd);
	free(msg);
	return 0;
}

/* Domain names as values: RFC 1035 3.1 wire form without compression, at most 255 octets, octets of
 * any value in labels, compared without regard to ASCII case (RFC 4343). Never a C string. */
#ifndef APP_DNS_NAME_H
#define APP_DNS_NAME_H

#include "base/types.h"

#define DNAME_MAX 255
#define DNAME_LABEL_MAX 63
#define DNAME_TEXT_MAX 1024 /* every octet as \DDD, dots, NUL */

struct dname {
	uint8_t len; /* including the root's zero octet: 1..255; 0: no name */
	uint8_t w[DNAME_MAX];
};

/* Master file presentation (RFC 1035 5.1: \X, \DDD). A name without a final dot is completed by
 * origin (NULL: root). 0, or -EINVAL. "@" is not special here. */
int dname_from_text(struct dname *n, const char *text, const struct dname *origin);
/* With a final dot; octets that could confuse a reader are escaped. Returns buf. */
const char *dname_text(char buf[DNAME_TEXT_MAX], const struct dname *n);
/* The same without the final dot (but "." for the root). */
const char *dname_text_nodot(char buf[DNAME_TEXT_MAX], const struct dname *n);
/* From uncompressed octets. Octets taken, or 0 when it is not a whole valid name. */
size_t dname_from_wire(struct dname *n, const uint8_t *p, size_t len);

void dname_root(struct dname *n);
static inline bool dname_is_root(const struct dname *n) { return n->len == 1; }
bool dname_eq(const struct dname *a, const struct dname *b);
/* Same octets, same case (0x20). */
bool dname_same(const struct dname *a, const struct dname *b);
/* n is zone or below it. */
bool dname_under(const struct dname *n, const struct dname *zone);
/* Labels without the root's: 0 for ".". */
unsigned dname_labels(const struct dname *n);
/* The last `keep` labels of n. out may be n. */
void dname_suffix(struct dname *out, const struct dname *n, unsigned keep);
/* One label fewer; false (out untouched) at the root. */
bool dname_parent(struct dname *out, const struct dname *n);
/* "label.n"; false when too long. */
bool dname_prepend(struct dname *out, const char *label, const struct dname *n);
/* Replace suffix `from` of n by `to` (DNAME, RFC 6672 2.2); false when too long. */
bool dname_rebase(struct dname *out, const struct dname *n, const struct dname *from,
		  const struct dname *to);
bool dname_is_wild(const struct dname *n);
/* Case-blind keyed hash. */
uint64_t dname_hash(const uint8_t key[16], const struct dname *n, uint16_t type);
/* Canonical order (RFC 4034 6.1): <0, 0, >0. */
int dname_cmp(const struct dname *a, const struct dname *b);

#endif

/* Fuzz target: master files (DS-03). One text as a zone for example.com; an $INCLUDE of any name gives the same text again, so that
 * loops are met at once. Ends in a zone that answers, or in one line with file and line. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "app/dns_zone.h"

struct text {
	const uint8_t *p;
	size_t n;
};

static int read_text(void *arg, const char *path, struct strbuf *sb)
{
	const struct text *t = arg;

	(void)path;
	sb_add(sb, t->p, t->n);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[16] = "fuzz";
	struct text t = { data, size };
	char err[MASTER_ERR] = "";
	struct dname apex;
	struct zone_hit hit;
	struct zone *z;

	if (size > 65536 || dname_from_text(&apex, "server.com.", NULL))
		return 0;
	z = zone_load("fuzz.zone", &apex, key, read_text, &t, err);
	if (z) {
		zone_find(z, &apex, 1, &hit);
		zone_free(z);
	} else {
		assert(err[0] && !strchr(err, '\n'));
	}
	return 0;
}

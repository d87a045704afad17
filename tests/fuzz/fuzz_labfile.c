/* Fuzz target: lab files. Whatever comes, the reader gives a checked topology or one error with a place. */
#include <assert.h>
#include "lab/topo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct topo t;
	struct yerr e = { 0 };

	if (size > 65536)
		return 0;
	topo_init(&t, "fuzz.clab.yml");
	if (!labfile_parse(&t, "fuzz.clab.yml", data, size, &e))
		topo_check(&t, &e);
	topo_free(&t);
	return 0;
}

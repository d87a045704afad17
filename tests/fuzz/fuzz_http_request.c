/* Fuzz target: HTTP requests (HT-01..HT-28). However the octets are cut, the parser tells the same messages. */
#include "http_common.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_http(HTTP_REQUEST, data, size);
}

/* Shared by fuzz_http_request and fuzz_http_response: the message is fed whole and octet by octet; both must tell the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "app/http_parse.h"

struct outcome {
	uint64_t body, heads, done;
	uint32_t sum;
	uint16_t error;
	bool failed;
};

static void feed(struct http_parser *p, const uint8_t *data, size_t len, struct outcome *o)
{
	for (;;) {
		enum http_event ev = http_step(p, &data, &len);

		if (ev == HTTP_HEAD) {
			o->heads++;
			for (unsigned i = 0; i < p->n_fields; i++)
				assert(strlen(p->field[i].name) && p->field[i].value);
		} else if (ev == HTTP_DATA) {
			o->body += p->slice_len;
			for (size_t i = 0; i < p->slice_len; i++)
				o->sum = o->sum * 31 + p->slice[i];
		} else if (ev == HTTP_DONE) {
			o->done++;
			http_next(p);
			if (!len)
				return;
		} else {
			o->failed |= ev == HTTP_ERROR;
			o->error = p->error;
			return;
		}
	}
}

static int fuzz_http(enum http_kind kind, const uint8_t *data, size_t size)
{
	struct outcome whole = { 0 }, split = { 0 };
	struct http_parser *p = malloc(sizeof(*p));

	http_parser_init(p, kind);
	feed(p, data, size, &whole);
	http_eof(p);
	http_parser_free(p);
	http_parser_init(p, kind);
	for (size_t i = 0; i < size && !split.failed; i++) {
		uint8_t one = data[i];
		feed(p, &one, 1, &split);
	}
	http_parser_free(p);
	free(p);
	assert(whole.heads == split.heads && whole.body == split.body && whole.sum == split.sum);
	assert(whole.failed == split.failed && whole.error == split.error);
	return 0;
}

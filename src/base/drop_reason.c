/* Names and sentences of the drop reasons, made from the one list in drop_reason.h. Called by
 * whoever shows a drop (trace/, procfs, nstat). Tests: tests/unit/base/test_probe.c. */
#include "base/drop_reason.h"

static const char *const drop_names[] = {
#define X(name, text) #name,
	DROP_REASONS(X)
#undef X
};

static const char *const drop_texts[] = {
#define X(name, text) text,
	DROP_REASONS(X)
#undef X
};

const char *drop_reason_name(enum drop_reason r)
{
	return (unsigned)r < DROP_REASON_MAX ? drop_names[r] : drop_names[DROP_NOT_SPECIFIED];
}

const char *drop_reason_text(enum drop_reason r)
{
	return (unsigned)r < DROP_REASON_MAX ? drop_texts[r] : drop_texts[DROP_NOT_SPECIFIED];
}

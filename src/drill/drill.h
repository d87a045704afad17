/* Packet scripts: the language of packetdrill, run in virtual time against one host of ours. The door of the room;
 * docs/drill.md is the language's reference. */
#ifndef DRILL_DRILL_H
#define DRILL_DRILL_H

#include "base/strbuf.h"

enum drill_result { DRILL_PASS, DRILL_FAIL, DRILL_BAD, DRILL_SKIP };

/* Options, from a script's own lines and from the command line (which wins, as it is applied last). */
#define DRILL_MAX_DEFINES 256
#define DRILL_MAX_OPTIONS 64
struct drill_flags {
	bool verbose, dry_run;
	uint64_t seed;
	/* "--name=value", and "NAME=VALUE" of -D; borrowed. */
	const char *option[DRILL_MAX_OPTIONS];
	size_t n_options;
};
/* Is text ("--mtu=1400", "-DNAME=VALUE") an option that scripts know? 0, or -EINVAL with a reason in err. */
int drill_option_check(const char *text, char *err, size_t room);
/* Run one script. name is what messages call it, dir the folder that relative paths in commands start from. What
 * it has to say is added to out. Nothing of one script is left when the next one runs. */
enum drill_result drill_run(const char *name, const char *dir, const char *text, size_t len,
			    const struct drill_flags *flags, struct strbuf *out);
/* Parse only; used by the fuzz target. */
enum drill_result drill_parse_only(const char *name, const char *text, size_t len, struct strbuf *out);

#endif

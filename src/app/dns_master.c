/* The master file reader.
 *
 *   file -> entries (quotes, parentheses, comments; line numbers) -> $-lines here
 *                                                                 -> records: owner, TTL, class
 * here; RDATA text by ldns -> wire -> shape check
 *
 * Decides which text is a record and where it is wrong. ldns gets one normalised line at a time,
 * never the file, because it lacks $INCLUDE and line numbers. Loops of $INCLUDE are found by
 * looking through the files that are open. Called by dns_server.c, dns_resolver.c (root hints). RFC
 * 1035 5, RFC 2308 4. Tests: tests/unit/app/test_dns_master.c (DS-03). */
#include <errno.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/app_util.h"
#include "app/dns_master.h"
#include "app/dns_msg.h"

struct include {
	const struct include *outer;
	const char *path;
	unsigned depth;
};

struct reader {
	const struct dns_master_ops *ops;
	void *arg;
	char *err;
	const struct include *inc;
	const char *s, *end; /* rest of the current file */
	unsigned line;       /* of s */
	unsigned entry_line; /* where the current entry began */
	struct strbuf entry; /* its fields, each followed by NUL */
	unsigned fields;
	bool blank_start;    /* begins with white space: owner as before */
	struct dname origin, owner;
	bool has_owner, has_ttl, ttl_is_default;
	uint32_t ttl;
	uint32_t records;
};

static int fail(struct reader *r, unsigned line, const char *fmt, ...) PRINTF_LIKE(3, 4);

static int fail(struct reader *r, unsigned line, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(r->err, MASTER_ERR, "%.200s:%u: ", r->inc->path, line);

	va_start(ap, fmt);
	vsnprintf(r->err + n, (size_t)(MASTER_ERR - n), fmt, ap);
	va_end(ap);
	return -1;
}

/* ---- entries ---- */

static int take_quoted(struct reader *r)
{
	unsigned line = r->line;

	sb_putc(&r->entry, *r->s++);
	while (r->s < r->end && *r->s != '"') {
		if (*r->s == '\n')
			return fail(r, line, "unterminated quote");
		if (*r->s == '\\' && r->s + 1 < r->end && r->s[1] != '\n')
			sb_putc(&r->entry, *r->s++);
		sb_putc(&r->entry, *r->s++);
	}
	if (r->s == r->end)
		return fail(r, line, "unterminated quote");
	sb_putc(&r->entry, *r->s++);
	return 0;
}

static bool ends_field(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ';' || c == '(' || c == ')';
}

/* One field: bare or quoted, or (as in a="b c") both glued together. */
static int take_field(struct reader *r)
{
	while (r->s < r->end && !ends_field(*r->s)) {
		if (*r->s == 0)
			return fail(r, r->line, "NUL octet in the file");
		if (r->entry.len > MASTER_MAX_ENTRY)
			return fail(r, r->line, "record longer than %d octets", MASTER_MAX_ENTRY);
		if (*r->s == '"') {
			if (take_quoted(r))
				return -1;
			continue;
		}
		if (*r->s == '\\' && r->s + 1 < r->end && r->s[1] != '\n')
			sb_putc(&r->entry, *r->s++);
		sb_putc(&r->entry, *r->s++);
	}
	sb_putc(&r->entry, 0);
	r->fields++;
	return 0;
}

/* The next entry with at least one field. 1 an entry, 0 end of file, -1 error. */
static int next_entry(struct reader *r)
{
	unsigned paren = 0, paren_line = 0;

	sb_reset(&r->entry);
	r->fields = 0;
	r->blank_start = r->s < r->end && (*r->s == ' ' || *r->s == '\t');
	while (r->s < r->end) {
		char c = *r->s;

		if (c == '\n') {
			r->s++;
			r->line++;
			if (paren)
				continue;
			if (r->fields)
				return 1;
			r->blank_start = r->s < r->end && (*r->s == ' ' || *r->s == '\t');
		} else if (c == ';') {
			while (r->s < r->end && *r->s != '\n')
				r->s++;
		} else if (c == '(') {
			if (paren++)
				return fail(r, r->line, "'(' inside parentheses");
			paren_line = r->line;
			r->s++;
		} else if (c == ')') {
			if (!paren)
				return fail(r, r->line, "')' without '('");
			paren = 0;
			r->s++;
		} else if (c == ' ' || c == '\t' || c == '\r') {
			r->s++;
		} else {
			if (!r->fields)
				r->entry_line = r->line;
			if (take_field(r))
				return -1;
		}
	}
	if (paren)
		return fail(r, paren_line, "'(' is never closed");
	return r->fields ? 1 : 0;
}

static const char *next_field(const char *f)
{
	return f + strlen(f) + 1;
}

/* ---- values ---- */

/* "3600" or "1h30m" (units s m h d w). */
static bool parse_ttl(const char *s, uint32_t *out)
{
	uint64_t sum = 0, v;
	bool unit = false;

	if (*s < '0' || *s > '9')
		return false;
	while (*s) {
		const char *start = s;

		for (v = 0; *s >= '0' && *s <= '9' && v <= UINT32_MAX; s++)
			v = v * 10 + (uint64_t)(*s - '0');
		if (s == start)
			return false;
		switch (*s | 0x20) {
		case 's': s++; unit = true; break;
		case 'm': v *= 60; s++; unit = true; break;
		case 'h': v *= 3600; s++; unit = true; break;
		case 'd': v *= 86400; s++; unit = true; break;
		case 'w': v *= 604800; s++; unit = true; break;
		default:
			if (*s || unit)
				return false;
		}
		sum += v;
		if (sum > INT32_MAX)
			return false;
	}
	*out = (uint32_t)sum;
	return true;
}

static int parse_name(struct reader *r, const char *text, struct dname *out)
{
	if (!strcmp(text, "@")) {
		*out = r->origin;
		return 0;
	}
	if (dname_from_text(out, text, &r->origin))
		return fail(r, r->entry_line,
			    "bad name '%.80s' (labels have 1 to 63 octets, a name at most 255)",
			    text);
	return 0;
}

static bool is_class(const char *s)
{
	return !strcasecmp(s, "IN") || !strcasecmp(s, "CH") || !strcasecmp(s, "HS") ||
	       !strcasecmp(s, "CS") || !strcasecmp(s, "ANY") ||
	       (!strncasecmp(s, "CLASS", 5) && s[5] >= '0' && s[5] <= '9');
}

/* ---- $-lines ---- */

static int load_file(struct reader *r, const char *path);

/* Relative to the folder of the file that includes. */
static void include_path(struct strbuf *sb, const char *from, const char *to)
{
	const char *slash = strrchr(from, '/');

	if (to[0] != '/' && slash)
		sb_add(sb, from, (size_t)(slash - from) + 1);
	sb_puts(sb, to);
}

static int do_include(struct reader *r, const char *file, const char *origin)
{
	struct dname saved_origin = r->origin, saved_owner = r->owner;
	bool saved_has = r->has_owner;
	const struct include *i;
	struct strbuf path;
	int rc;

	if (origin && parse_name(r, origin, &r->origin))
		return -1;
	if (r->inc->depth >= MASTER_INCLUDE_DEPTH)
		return fail(r, r->entry_line, "$INCLUDE deeper than %d files",
			    MASTER_INCLUDE_DEPTH);
	sb_init(&path);
	include_path(&path, r->inc->path, file);
	for (i = r->inc; i; i = i->outer)
		if (!strcmp(i->path, sb_str(&path)))
			break;
	rc =
	    i ? fail(r, r->entry_line, "$INCLUDE loop: %.200s is already being read", sb_str(&path))
	      : load_file(r, sb_str(&path));
	sb_free(&path);
	r->origin = saved_origin; /* RFC 1035 5.1: the parent's origin and owner come back */
	r->owner = saved_owner;
	r->has_owner = saved_has;
	return rc;
}

static int do_directive(struct reader *r)
{
	const char *name = sb_str(&r->entry), *arg = r->fields > 1 ? next_field(name) : NULL;

	if (!strcasecmp(name, "$ORIGIN")) {
		if (r->fields != 2)
			return fail(r, r->entry_line, "$ORIGIN takes one name");
		return parse_name(r, arg, &r->origin);
	}
	if (!strcasecmp(name, "$TTL")) {
		if (r->fields != 2 || !parse_ttl(arg, &r->ttl))
			return fail(r, r->entry_line,
				    "$TTL takes one time (seconds, or like 1h30m)");
		r->has_ttl = r->ttl_is_default = true;
		return 0;
	}
	if (!strcasecmp(name, "$INCLUDE")) {
		if (r->fields != 2 && r->fields != 3)
			return fail(r, r->entry_line,
				    "$INCLUDE takes a file and perhaps an origin");
		/* The entry's buffer is reused by the file that is read now. */
		char *file = strdup(arg), *origin = r->fields == 3 ? strdup(next_field(arg)) : NULL;
		int rc = do_include(r, file, origin);

		free(file);
		free(origin);
		return rc;
	}
	return fail(r, r->entry_line, "unknown line '%.40s' ($ORIGIN, $TTL and $INCLUDE are known)",
		    name);
}

/* ---- records ---- */

/* RDATA's text to wire by ldns. Malloc'd, or NULL with the error said. */
static uint8_t *rdata_wire(struct reader *r, const char *type, const char *f, unsigned left,
			   size_t *len)
{
	ldns_rdf *origin = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, r->origin.len, r->origin.w);
	ldns_buffer *b = ldns_buffer_new(512);
	ldns_rr *rr = NULL;
	struct strbuf text;
	ldns_status st;
	uint8_t *wire = NULL;

	sb_init(&text);
	sb_printf(&text, ". 1 IN %s", type);
	for (; left; left--, f = next_field(f))
		sb_printf(&text, " %s", f);
	st = ldns_rr_new_frm_str(&rr, sb_str(&text), 1, origin, NULL);
	if (st == LDNS_STATUS_OK)
		st = ldns_rr_rdata2buffer_wire(b, rr);
	if (st != LDNS_STATUS_OK) {
		fail(r, r->entry_line, "bad %s record: %s", type, ldns_get_errorstr_by_id(st));
	} else {
		*len = ldns_buffer_position(b);
		wire = malloc(*len + 1);
		if (wire && *len)
			memcpy(wire, ldns_buffer_begin(b), *len);
	}
	ldns_rr_free(rr);
	ldns_buffer_free(b);
	ldns_rdf_deep_free(origin);
	sb_free(&text);
	return wire;
}

static bool type_loadable(uint16_t t)
{
	/* MD and MF may not be loaded (RFC 1123 6.1.2.2); the others are for messages only. */
	return t != 0 && t != 3 && t != 4 && t != DNS_OPT && !(t >= 128 && t <= 255);
}

static int emit(struct reader *r, const char *tname, const char *rdata, unsigned left, uint32_t ttl)
{
	struct dns_record rec = { .owner = &r->owner, .ttl = ttl };
	uint32_t max = r->ops->max_records ? r->ops->max_records : MASTER_MAX_RECORDS;
	char why[256] = "";
	size_t len = 0;
	uint8_t *wire;
	int t = (int)ldns_get_rr_type_by_name(tname), rc = 0;

	if (t <= 0 || !type_loadable((uint16_t)t))
		return fail(r, r->entry_line, "unknown record type '%.40s'", tname);
	if (++r->records > max)
		return fail(r, r->entry_line, "more than %u records", max);
	wire = rdata_wire(r, tname, rdata, left, &len);
	if (!wire)
		return -1;
	rec.type = (uint16_t)t;
	rec.rd = wire;
	rec.rdlen = (uint16_t)len;
	if (len > UINT16_MAX || !dns_rdata_valid(rec.type, wire, len))
		rc = fail(r, r->entry_line,
			  "bad %.16s record: its data does not have the form of its type", tname);
	else if (r->ops->record(r->arg, &rec, why, sizeof(why)))
		rc = fail(r, r->entry_line, "%s", why);
	free(wire);
	return rc;
}

/* [owner] [ttl] [class] type rdata..., ttl and class in either order. */
static int do_record(struct reader *r)
{
	const char *f = sb_str(&r->entry);
	unsigned left = r->fields;
	bool got_ttl = false, got_class = false;
	uint32_t ttl = r->ttl;

	if (!r->blank_start) {
		if (parse_name(r, f, &r->owner))
			return -1;
		r->has_owner = true;
		f = next_field(f);
		left--;
	} else if (!r->has_owner) {
		return fail(r, r->entry_line, "the first record needs an owner name");
	}
	for (; left; left--, f = next_field(f)) {
		if (!got_ttl && parse_ttl(f, &ttl)) {
			got_ttl = true;
		} else if (!got_class && is_class(f)) {
			if (strcasecmp(f, "IN") && strcasecmp(f, "CLASS1"))
				return fail(r, r->entry_line,
					    "class '%.20s' is not supported (IN only)", f);
			got_class = true;
		} else {
			break;
		}
	}
	if (left < 2)
		return fail(r, r->entry_line, "a record needs a type and data");
	if (!got_ttl && !r->has_ttl)
		return fail(r, r->entry_line, "no TTL: write one here or $TTL before");
	if (got_ttl && !r->ttl_is_default) { /* RFC 1035 5.1: the last stated, unless $TTL rules */
		r->ttl = ttl;
		r->has_ttl = true;
	}
	return emit(r, f, next_field(f), left - 1, ttl);
}

static int load_text(struct reader *r)
{
	int rc;

	while ((rc = next_entry(r)) > 0) {
		rc =
		    sb_str(&r->entry)[0] == '$' && !r->blank_start ? do_directive(r) : do_record(r);
		if (rc)
			return -1;
	}
	return rc;
}

static int load_file(struct reader *r, const char *path)
{
	struct include inc = { r->inc, path, r->inc ? r->inc->depth + 1 : 1 };
	const char *s = r->s, *end = r->end;
	unsigned line = r->line;
	struct strbuf text;
	int rc;

	sb_init(&text);
	rc = r->ops->read(r->arg, path, &text);
	if (rc && r->inc) {
		rc = fail(r, r->entry_line, "cannot read %.200s: %s", path, app_strerror(-rc));
	} else if (rc) {
		snprintf(r->err, MASTER_ERR, "%.200s: cannot read: %s", path, app_strerror(-rc));
	} else if (text.len > MASTER_MAX_FILE) {
		r->inc = &inc;
		rc = fail(r, 1, "file larger than %u octets", MASTER_MAX_FILE);
	} else {
		r->inc = &inc;
		r->s = text.len ? text.buf : "";
		r->end = r->s + text.len;
		r->line = 1;
		rc = load_text(r);
	}
	sb_free(&text);
	r->inc = inc.outer;
	r->s = s;
	r->end = end;
	r->line = line;
	return rc ? -1 : 0;
}

int dns_master_load(const char *path, const struct dname *origin, const struct dns_master_ops *ops,
		    void *arg, char *err)
{
	struct reader r = { .ops = ops, .arg = arg, .err = err, .origin = *origin };
	int rc;

	sb_init(&r.entry);
	rc = load_file(&r, path);
	sb_free(&r.entry);
	return rc;
}

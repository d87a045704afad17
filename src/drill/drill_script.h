/* A script as the parser leaves it: options, and a list of events. All of it lives in one arena.
 *
 *     script: conf (options), init command, event, event, ..., cleanup command
 *     event:  when (dtime) + one of: packet, system call, command, code
 *
 * Times are ns. Numbers in packets are as written (relative sequence numbers and all). */
#ifndef DRILL_DRILL_SCRIPT_H
#define DRILL_DRILL_SCRIPT_H

#include "base/strbuf.h"
#include "drill/drill.h"

#define DRILL_MAX_TEXT (4u << 20)
#define DRILL_MAX_EVENTS 100000u
#define DRILL_MAX_DEPTH 24u
#define DRILL_MAX_ITEMS 1024u

/* ---- memory: blocks, freed together ---- */
struct darena {
	struct darena_block *block;
};
void *darena_get(struct darena *a, size_t n); /* zeroed */
char *darena_str(struct darena *a, const char *s, size_t len);
void darena_free(struct darena *a);

/* ---- options ---- */
struct ddefine {
	const char *name, *value;
	char kind; /* 'w' word, 's' string, '`' command */
};
struct dconf {
	bool ipv4, ipv6, mapped; /* the ip_version list; none: IPv4. Once parsed, mapped: "..." is AF_INET6, over IPv4 */
	int64_t tolerance_ns, ts_tick_ns;
	int64_t tolerance_ppm; /* tolerance_percent * 10000 */
	uint32_t mtu, mss_unused;
	uint16_t bind_port, connect_port;
	uint32_t local_ip, remote_ip, gateway_ip, netmask_ip;
	bool non_fatal_packet, non_fatal_syscall, dry_run, verbose, nothing_more;
	const char *init_scripts; /* run before the script's own init command */
	struct ddefine define[DRILL_MAX_DEFINES];
	size_t n_defines;
	const char *needs; /* something asked for that is not here: the script is skipped */
};
void dconf_init(struct dconf *c);
/* name without dashes; value may be NULL. 0, or -EINVAL with the reason in err. */
int dconf_set(struct dconf *c, struct darena *a, const char *name, const char *value, char *err, size_t room);
const struct ddefine *dconf_define(const struct dconf *c, const char *name, size_t len);
int dconf_define_add(struct dconf *c, struct darena *a, const char *text, char *err, size_t room);

/* ---- time ---- */
enum dtime_kind { DTIME_ABS, DTIME_REL, DTIME_ANY };
struct dtime {
	enum dtime_kind kind;
	bool range, blocking; /* end_ns says until when it may happen, or when the call returns */
	int64_t ns, end_ns;
};

/* ---- packets ---- */
enum decn { DECN_UNSAID, DECN_NONE, DECN_ECT0, DECN_ECT1, DECN_ECT01, DECN_CE };
#define DTCP_FIN 0x01
#define DTCP_SYN 0x02
#define DTCP_RST 0x04
#define DTCP_PSH 0x08
#define DTCP_ACK 0x10
#define DTCP_URG 0x20
#define DTCP_ECE 0x40
#define DTCP_CWR 0x80
#define DTCP_AE 0x100

enum dopt_kind {
	DOPT_EOL, DOPT_NOP, DOPT_MSS, DOPT_WSCALE, DOPT_SACKOK, DOPT_SACK, DOPT_TS, DOPT_FO, DOPT_FOEXP, DOPT_MD5,
	DOPT_ACCECN, DOPT_RAW, DOPT_OCTETS
};
#define DOPT_MAX_SACK 8
struct dopt {
	enum dopt_kind kind;
	uint32_t a, b; /* mss; shift; val and ecr */
	uint8_t n, raw_kind;
	struct { uint32_t start, end; } sack[DOPT_MAX_SACK];
	uint32_t len; /* of data */
	uint8_t data[40];
	char field[3]; /* accecn: '0', 'c', '1' in the order written */
	uint32_t value[3];
};
#define DPKT_MAX_OPTS 40

enum dproto { DPROTO_TCP, DPROTO_UDP, DPROTO_ICMP };
struct dpkt {
	bool inbound;
	enum decn ecn;
	bool has_tos, has_ttl, has_ports, has_ack, has_win, has_urg, opts_any, has_ace;
	uint8_t tos, ttl, ace;
	enum dproto proto;
	uint16_t sport, dport;
	/* TCP */
	uint16_t flags, win, urg;
	uint32_t seq, ack;
	uint32_t len; /* payload octets, TCP and UDP; octets behind the header, ICMP echo */
	uint32_t n_opts;
	struct dopt *opt;
	/* ICMP */
	uint8_t type, code;
	bool has_mtu, has_id, has_seqno, quoted, quote_seq;
	uint16_t quoted_flags; /* 0: not said */
	uint32_t mtu, id, seqno, quoted_seq, quoted_len;
	enum dproto quoted_proto;
};

/* ---- expressions ---- */
enum dexpr_kind { DX_DOTS, DX_INT, DX_STR, DX_LIST, DX_STRUCT, DX_NULL };
struct dexpr {
	enum dexpr_kind kind;
	uint32_t line;
	int64_t v;
	bool is_hex, addr; /* addr: an inet_addr() */
	const char *s;  /* string; its length in v */
	bool dots;      /* "abc"... */
	uint32_t n;
	struct dexpr **item;
	const char **name;     /* of a structure's fields; NULL where it has none */
	struct dexpr **arg;    /* msg_iov(ARG)=... */
};

struct dcall {
	const char *name;
	uint32_t n_args;
	struct dexpr **arg;
	struct dexpr *result; /* DX_DOTS: any */
	int err;              /* errno, 0: none said */
};

enum devent_kind { DEV_PACKET, DEV_CALL, DEV_COMMAND, DEV_CODE };
struct devent {
	struct devent *next;
	uint32_t line;
	enum devent_kind kind;
	struct dtime when;
	struct dpkt *pkt;
	struct dcall *call;
	const char *text; /* command or code */
	uint32_t text_line;
};

struct dscript {
	struct darena mem;
	const char *name;
	struct dconf conf;
	const char *init, *cleanup;
	uint32_t init_line, cleanup_line;
	struct devent *first, **tail;
	uint32_t n_events;
};
/* 0; -EINVAL: "file:line: what" is in err; -ENOSYS: err says what the script needs that is not here. */
int dscript_parse(struct dscript *sc, const char *name, const char *text, size_t len, const struct drill_flags *flags, struct strbuf *err);
void dscript_free(struct dscript *sc);

/* ---- inside the parser ---- */
struct dparse {
	struct dscript *sc;
	const char *p, *end;
	uint32_t line, depth;
	struct strbuf *err;
	bool failed, unsupported;
};
/* The first error is kept: always false. */
bool dp_fail(struct dparse *d, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool dp_unsupported(struct dparse *d, const char *what);
void dp_skip(struct dparse *d); /* blanks and comments */
char dp_peek(struct dparse *d); /* after dp_skip; '\0' at the end */
bool dp_is(struct dparse *d, const char *s);   /* does s come next? */
bool dp_take(struct dparse *d, const char *s); /* and past it */
bool dp_expect(struct dparse *d, const char *s);
/* A word [A-Za-z_][A-Za-z0-9_]* that comes next: its length (0: none), not taken. */
size_t dp_word(struct dparse *d);
bool dp_take_word(struct dparse *d, const char *w);
bool dp_number(struct dparse *d, int64_t *out); /* decimal, hex, a symbol or a macro */
bool dp_u32(struct dparse *d, uint32_t *out, const char *what);
bool dp_ranged(struct dparse *d, int64_t min, int64_t max, int64_t *out, const char *what);
bool dp_string(struct dparse *d, const char **s, size_t *len);
bool dp_packet(struct dparse *d, bool inbound, struct dpkt **out);
struct dexpr *dp_expr(struct dparse *d);
bool dp_call(struct dparse *d, struct dcall **out);

/* Constants by name. */
bool dsym_find(const char *name, size_t len, int64_t *v);
/* Names of what culver has not, in scripts for other systems: what that is. NULL: just unknown. */
const char *dsym_foreign(const char *name, size_t len);
/* "EAGAIN" or NULL; the text of strerror in the C locale is os_strerror's. */
const char *dsym_errno_name(int err);
int dsym_errno(const char *name, size_t len); /* 0: none */
/* ICMP types and codes by name. */
bool dicmp_type(const char *s, size_t len, uint8_t *type);
bool dicmp_code(uint8_t type, const char *s, size_t len, uint8_t *code);
const char *dicmp_type_name(uint8_t type);
const char *dicmp_code_name(uint8_t type, uint8_t code);

#endif

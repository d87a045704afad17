/* The socket's state as names: every field of tcp_info, the congestion control's own, memory accounts.
 *
 * Decides which socket: the one that the script works on, else the newest that is open. Called by drill_code.c; reads by
 * getsockopt, as a program would. Tests: tests/packet/code. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include "drill/drill_code.h"
#include "socket/syscall.h"
#include "tcp/tcp_info.h"

#define TCP_INFO_OPT 11
#define TCP_CONGESTION_OPT 13
#define TCP_CC_INFO_OPT 26
#define SO_MEMINFO_OPT 55

struct field {
	const char *name;
	uint16_t at;
	uint8_t size;
};
#define F(n) { "tcpi_" #n, offsetof(struct tcp_info_full, n), sizeof(((struct tcp_info_full *)0)->n) }
static const struct field fields[] = {
	F(state), F(ca_state), F(retransmits), F(probes), F(backoff), F(options), F(rto), F(ato), F(snd_mss), F(rcv_mss),
	F(unacked), F(sacked), F(lost), F(retrans), F(fackets), F(last_data_sent), F(last_ack_sent), F(last_data_recv),
	F(last_ack_recv), F(pmtu), F(rcv_ssthresh), F(rtt), F(rttvar), F(snd_ssthresh), F(snd_cwnd), F(advmss), F(reordering),
	F(rcv_rtt), F(rcv_space), F(total_retrans), F(pacing_rate), F(max_pacing_rate), F(bytes_acked), F(bytes_received),
	F(segs_out), F(segs_in), F(notsent_bytes), F(min_rtt), F(data_segs_in), F(data_segs_out), F(delivery_rate),
	F(busy_time), F(rwnd_limited), F(sndbuf_limited), F(delivered), F(delivered_ce), F(bytes_sent), F(bytes_retrans),
	F(dsack_dups), F(reord_seen), F(rcv_ooopack), F(snd_wnd), F(rcv_wnd), F(rehash), F(total_rto), F(total_rto_recoveries),
	F(total_rto_time), F(received_ce), F(delivered_e1_bytes), F(delivered_e0_bytes), F(delivered_ce_bytes), F(received_e1_bytes),
	F(received_e0_bytes), F(received_ce_bytes), F(accecn_fail_mode), F(accecn_opt_seen),
};

static void info_set(struct drill_code *c, const char *name, int64_t v)
{
	struct dvar *x;

	for (x = c->info; x; x = x->next)
		if (!strcmp(x->name, name))
			break;
	if (!x) {
		x = darena_get(&c->mem, sizeof(*x));
		x->name = name;
		x->next = c->info;
		c->info = x;
	}
	x->v.kind = DVAL_INT;
	x->v.i = v;
}

/* One field out of a struct tcp_info of which len octets are there. */
static bool field_value(const struct field *f, const uint8_t *ti, size_t len, int64_t *v)
{
	uint16_t h;
	uint32_t w;

	if (f->at + (size_t)f->size > len)
		return false;
	if (f->size == 1) {
		*v = ti[f->at];
	} else if (f->size == 2) {
		memcpy(&h, ti + f->at, 2);
		*v = h;
	} else if (f->size == 4) {
		memcpy(&w, ti + f->at, 4);
		*v = w;
	} else {
		memcpy(v, ti + f->at, 8);
	}
	return true;
}

bool drill_info_value(const uint8_t *p, size_t len, const char *name, int64_t *v)
{
	struct tcp_info_full ti = { 0 };

	memcpy(&ti, p, min_sz(len, sizeof(ti)));
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!strcmp(fields[i].name, name))
			return field_value(&fields[i], p, len, v);
	if (!strcmp(name, "tcpi_snd_wscale"))
		*v = ti.wscale & 15;
	else if (!strcmp(name, "tcpi_rcv_wscale"))
		*v = ti.wscale >> 4;
	else if (!strcmp(name, "tcpi_delivery_rate_app_limited"))
		*v = ti.app_limited;
	else if (!strcmp(name, "tcpi_fastopen_client_fail"))
		*v = ti.fastopen_client_fail;
	else
		return false;
	return true;
}

static void read_tcp_info(struct drill_code *c, struct task *t, int fd)
{
	static const char *const bits[] = { "tcpi_snd_wscale", "tcpi_rcv_wscale", "tcpi_delivery_rate_app_limited", "tcpi_fastopen_client_fail" };
	struct tcp_info_full ti = { 0 };
	socklen_t len = sizeof(ti);
	int64_t v;

	if (sys_getsockopt(t, fd, IPPROTO_TCP, TCP_INFO_OPT, &ti, &len))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		info_set(c, fields[i].name, field_value(&fields[i], (const uint8_t *)&ti, sizeof(ti), &v) ? v : 0);
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		info_set(c, bits[i], drill_info_value((const uint8_t *)&ti, sizeof(ti), bits[i], &v) ? v : 0);
}

static void read_words(struct drill_code *c, const char *const *names, size_t n, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < n && i * 4 + 4 <= len; i++) {
		uint32_t w;

		memcpy(&w, p + i * 4, 4);
		info_set(c, names[i], w);
	}
}

static void read_dctcp(struct drill_code *c, const uint8_t *p, size_t len)
{
	static const char *const rest[] = { "dctcp_alpha", "dctcp_ab_ecn", "dctcp_ab_tot" };
	uint16_t h[2];

	if (len < 16)
		return;
	memcpy(h, p, 4);
	info_set(c, "dctcp_enabled", h[0]);
	info_set(c, "dctcp_ce_state", h[1]);
	read_words(c, rest, 3, p + 4, len - 4);
}

static void read_cc_info(struct drill_code *c, struct task *t, int fd)
{
	static const char *const vegas[] = { "tcpv_enabled", "tcpv_rttcnt", "tcpv_rtt", "tcpv_minrtt" };
	static const char *const bbr[] = { "bbr_bw_lo", "bbr_bw_hi", "bbr_min_rtt", "bbr_pacing_gain", "bbr_cwnd_gain" };
	uint8_t buf[64] = { 0 };
	char name[16] = "";
	socklen_t len = sizeof(buf), nlen = sizeof(name) - 1;

	if (sys_getsockopt(t, fd, IPPROTO_TCP, TCP_CONGESTION_OPT, name, &nlen) ||
	    sys_getsockopt(t, fd, IPPROTO_TCP, TCP_CC_INFO_OPT, buf, &len) || !len)
		return;
	if (!strcmp(name, "dctcp"))
		read_dctcp(c, buf, len);
	else if (!strcmp(name, "bbr"))
		read_words(c, bbr, ARRAY_SIZE(bbr), buf, len);
	else
		read_words(c, vegas, ARRAY_SIZE(vegas), buf, len);
}

static void read_meminfo(struct drill_code *c, struct task *t, int fd)
{
	static const char *const names[] = {
		"SK_MEMINFO_RMEM_ALLOC", "SK_MEMINFO_RCVBUF", "SK_MEMINFO_WMEM_ALLOC", "SK_MEMINFO_SNDBUF", "SK_MEMINFO_FWD_ALLOC",
		"SK_MEMINFO_WMEM_QUEUED", "SK_MEMINFO_OPTMEM", "SK_MEMINFO_BACKLOG", "SK_MEMINFO_DROPS",
	};
	uint8_t buf[64] = { 0 };
	socklen_t len = sizeof(buf);

	if (sys_getsockopt(t, fd, SOL_SOCKET, SO_MEMINFO_OPT, buf, &len) == 0)
		read_words(c, names, ARRAY_SIZE(names), buf, len);
}

void drill_info_read(struct drill *d, struct drill_code *c)
{
	struct drill_flow *f = d->cur, *any;
	struct task *was = d->net->current;
	int fd = f && f->proto == DPROTO_TCP ? f->fd : -1;

	list_for_each_entry(any, &d->flows, list)
		if (fd < 0 && any->proto == DPROTO_TCP && any->fd >= 0)
			fd = any->fd;
	if (fd < 0)
		return;
	d->net->current = d->proc;
	read_tcp_info(c, d->proc, fd);
	read_cc_info(c, d->proc, fd);
	read_meminfo(c, d->proc, fd);
	d->net->current = was;
}

static const struct dvar *find_var(const struct dvar *v, const char *name, size_t len)
{
	for (; v; v = v->next)
		if (strlen(v->name) == len && !memcmp(v->name, name, len))
			return v;
	return NULL;
}

bool drill_code_lookup(const struct drill_code *c, const char *name, size_t len, struct dval *v)
{
	const struct dvar *x = find_var(c->vars, name, len);

	if (!x)
		x = find_var(c->info, name, len);
	if (x) {
		*v = x->v;
		return true;
	}
	memset(v, 0, sizeof(*v));
	v->kind = DVAL_INT;
	if ((len == 4 && !memcmp(name, "True", 4)) || (len == 5 && !memcmp(name, "False", 5))) {
		v->i = len == 4;
		v->truth = true;
		return true;
	}
	if (len == 4 && !memcmp(name, "None", 4)) {
		v->kind = DVAL_NONE;
		return true;
	}
	return dsym_find(name, len, &v->i);
}

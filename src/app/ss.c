/* ss -tuanpliom: TCP from sock_diag (with -i the fields of struct tcp_info), UDP and raw from /proc. */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <string.h>
#include "app/app_cmds.h"
#include "app/app_util.h"
#include "app/nlc.h"
#include "app/proc_text.h"
#include "app/ss_filter.h"

#define SS_ESTABLISHED 1
#define SS_TIME_WAIT 6
#define SS_CLOSE 7
#define SS_LISTEN 10

struct ss {
	struct task *t;
	bool all, listen, tcp, udp, raw, info, timers, procs, mem, numeric, no_header;
	struct strbuf owners;
	struct ss_filter filter;
};

static const char *state_name(unsigned s)
{
	static const char *const n[] = { "UNKNOWN", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT",
					 "UNCONN", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING", "SYN-RECV" };
	return s < ARRAY_SIZE(n) ? n[s] : n[0];
}

static bool wanted(const struct ss *s, unsigned st)
{
	if (s->filter.states)
		return s->filter.states >> st & 1;
	if (s->all)
		return true;
	if (s->listen)
		return st == SS_LISTEN || st == SS_CLOSE;
	return st != SS_LISTEN && st != SS_CLOSE && st != SS_TIME_WAIT && st != 3;
}

static void print_owner(struct ss *s, uint64_t inode)
{
	struct strbuf key;
	const char *p = s->owners.len ? sb_str(&s->owners) : "";

	if (!s->procs || !inode)
		return;
	sb_init(&key);
	sb_printf(&key, "%llu ", (unsigned long long)inode);
	for (; *p; p = strchrnul(p, '\n'), p += *p == '\n')
		if (!strncmp(p, sb_str(&key), key.len)) {
			const char *pid = p + key.len, *comm = strchr(pid, ' ');
			if (comm)
				task_printf(s->t, " users:((\"%.*s\",pid=%.*s))", (int)strcspn(comm + 1, "\n"), comm + 1, (int)(comm - pid), pid);
			break;
		}
	sb_free(&key);
}

static void print_line(struct ss *s, const char *netid, unsigned st, uint64_t rq, uint64_t wq, uint32_t la, uint16_t lp, uint32_t ra, uint16_t rp)
{
	char a[IP4_STRLEN], l[32], r[32];
	struct strbuf sb;
	bool both = (s->tcp + s->udp + s->raw) != 1;

	sb_init(&sb);
	sb_printf(&sb, "%s:%u", ip4_str(a, la), lp);
	memcpy(l, sb_str(&sb), sb.len + 1);
	sb_reset(&sb);
	if (rp)
		sb_printf(&sb, "%s:%u", ip4_str(a, ra), rp);
	else
		sb_printf(&sb, "%s:*", ip4_str(a, ra));
	memcpy(r, sb_str(&sb), sb.len + 1);
	sb_free(&sb);
	if (both)
		task_printf(s->t, "%-5s ", netid);
	if (!ss_one_state(&s->filter))
		task_printf(s->t, "%-10s ", state_name(st));
	task_printf(s->t, "%-6llu %-6llu %21s %21s", (unsigned long long)rq, (unsigned long long)wq, l, r);
}

/* Milliseconds out of microseconds, six digits, no zeros at the end (printf's %g). */
static void ms(struct task *t, const char *name, uint32_t us, const char *sep)
{
	uint32_t places = 3, whole = us / 1000, frac = us % 1000;

	for (uint32_t top = 1000; top <= whole && places; top *= 10) {
		uint32_t last = us % 10;

		us = us / 10 + (last >= 5); /* a place less */
		places--;
		whole = us / (places == 2 ? 100 : places == 1 ? 10 : 1);
		frac = us % (places == 2 ? 100 : places == 1 ? 10 : 1);
	}
	while (places && frac % 10 == 0) {
		frac /= 10;
		places--;
	}
	task_printf(t, "%s%u", name, whole);
	if (places)
		task_printf(t, ".%0*u", (int)places, frac);
	task_puts(t, sep);
}

/* Bits per second: all digits with -n, else three and a letter. */
static void rate(const struct ss *s, const char *name, uint64_t bytes)
{
	uint64_t bps = bytes > UINT64_MAX / 8 ? UINT64_MAX : bytes * 8, milli;
	unsigned unit = 0;

	if (s->numeric || bps < 1000) {
		task_printf(s->t, "%s%llubps", name, (unsigned long long)bps);
		return;
	}
	for (; bps >= 1000000; unit++)
		bps = (bps + 500) / 1000;
	milli = bps;
	task_puts(s->t, name);
	if (milli >= 99950)
		task_printf(s->t, "%llu", (unsigned long long)((milli + 500) / 1000));
	else if (milli >= 9995)
		task_printf(s->t, (milli + 50) / 100 % 10 ? "%llu.%llu" : "%llu", (unsigned long long)((milli + 50) / 1000),
			    (unsigned long long)((milli + 50) / 100 % 10));
	else
		task_printf(s->t, (milli + 5) / 10 % 100 ? (milli + 5) / 10 % 10 ? "%llu.%02llu" : "%llu.%llu" : "%llu",
			    (unsigned long long)((milli + 5) / 1000),
			    (unsigned long long)((milli + 5) / 10 % 10 ? (milli + 5) / 10 % 100 : (milli + 5) / 100 % 10));
	task_printf(s->t, "%cbps", "KMGT"[unit < 4 ? unit : 3]);
}

/* A gain in 1/256, six digits (printf's %g). */
static void gain(struct task *t, const char *label, uint32_t g)
{
	uint32_t frac = (uint32_t)(((uint64_t)(g % 256) * 100000 + 128) / 256), places = 5;

	task_printf(t, "%s%u", label, g / 256);
	for (; places && frac % 10 == 0; places--)
		frac /= 10;
	if (places)
		task_printf(t, ".%0*u", (int)places, frac);
}

static void print_bbr(const struct ss *s, const void *p)
{
	struct tcp_bbr_info b;

	memcpy(&b, p, sizeof(b));
	rate(s, " bbr:(bw:", (uint64_t)b.bbr_bw_hi << 32 | b.bbr_bw_lo);
	ms(s->t, ",mrtt:", b.bbr_min_rtt, "");
	gain(s->t, ",pacing_gain:", b.bbr_pacing_gain);
	gain(s->t, ",cwnd_gain:", b.bbr_cwnd_gain);
	task_puts(s->t, ")");
}

/* Fields of struct tcp_info that the C library's does not know yet, by their place. 0: not there. */
enum { TI_RCV_WND = 232, TI_REHASH = 236 };
static uint32_t late_field(const struct nlc_msg *m, size_t at)
{
	uint32_t v = 0;

	if (nlc_len(m->tb[INET_DIAG_INFO]) >= at + sizeof(v))
		memcpy(&v, (const uint8_t *)nlc_data(m->tb[INET_DIAG_INFO]) + at, sizeof(v));
	return v;
}

static void num(struct task *t, const char *name, uint64_t v)
{
	if (v)
		task_printf(t, " %s:%llu", name, (unsigned long long)v);
}

/* What the connection is: options, algorithm, timers, sizes. */
static void print_setup(struct ss *s, const struct nlc_msg *m, const struct tcp_info *i)
{
	static const struct {
		uint8_t bit;
		const char *name;
	} opts[] = { { TCPI_OPT_TIMESTAMPS, "ts" }, { TCPI_OPT_SACK, "sack" }, { TCPI_OPT_ECN, "ecn" }, { TCPI_OPT_ECN_SEEN, "ecnseen" },
		     { TCPI_OPT_SYN_DATA, "fastopen" } };
	struct task *t = s->t;

	for (size_t k = 0; k < ARRAY_SIZE(opts); k++)
		if (i->tcpi_options & opts[k].bit)
			task_printf(t, " %s", opts[k].name);
	if (m->tb[INET_DIAG_CONG])
		task_printf(t, " %.*s", (int)nlc_len(m->tb[INET_DIAG_CONG]), (const char *)nlc_data(m->tb[INET_DIAG_CONG]));
	if (i->tcpi_options & TCPI_OPT_WSCALE)
		task_printf(t, " wscale:%u,%u", i->tcpi_snd_wscale, i->tcpi_rcv_wscale);
	if (i->tcpi_rto && i->tcpi_rto != 3000000)
		ms(t, " rto:", i->tcpi_rto, "");
	num(t, "backoff", i->tcpi_backoff);
	if (i->tcpi_rtt) {
		ms(t, " rtt:", i->tcpi_rtt, "/");
		ms(t, "", i->tcpi_rttvar, "");
	}
	if (i->tcpi_ato)
		ms(t, " ato:", i->tcpi_ato, "");
	num(t, "mss", i->tcpi_snd_mss);
	num(t, "pmtu", i->tcpi_pmtu);
	num(t, "rcvmss", i->tcpi_rcv_mss);
	num(t, "advmss", i->tcpi_advmss);
	num(t, "cwnd", i->tcpi_snd_cwnd);
	if (i->tcpi_snd_ssthresh < 0xffff)
		num(t, "ssthresh", i->tcpi_snd_ssthresh);
	num(t, "bytes_sent", i->tcpi_bytes_sent);
	num(t, "bytes_retrans", i->tcpi_bytes_retrans);
	num(t, "bytes_acked", i->tcpi_bytes_acked);
	num(t, "bytes_received", i->tcpi_bytes_received);
	num(t, "segs_out", i->tcpi_segs_out);
	num(t, "segs_in", i->tcpi_segs_in);
	num(t, "data_segs_out", i->tcpi_data_segs_out);
	num(t, "data_segs_in", i->tcpi_data_segs_in);
}

static void limited(struct task *t, const char *name, uint64_t us, uint64_t busy)
{
	uint64_t permille = busy ? (us * 1000 + busy / 2) / busy : 0;

	if (us)
		task_printf(t, " %s:%llums(%llu.%llu%%)", name, (unsigned long long)(us / 1000), (unsigned long long)(permille / 10),
			    (unsigned long long)(permille % 10));
}

/* How fast it goes, and what holds it back. */
static void print_rates(struct ss *s, const struct tcp_info *i)
{
	struct task *t = s->t;

	if (i->tcpi_rtt && i->tcpi_snd_mss && i->tcpi_snd_cwnd)
		rate(s, " send ", (uint64_t)i->tcpi_snd_cwnd * i->tcpi_snd_mss * 1000000 / i->tcpi_rtt);
	num(t, "lastsnd", i->tcpi_last_data_sent);
	num(t, "lastrcv", i->tcpi_last_data_recv);
	num(t, "lastack", i->tcpi_last_ack_recv);
	if (i->tcpi_pacing_rate && i->tcpi_pacing_rate != UINT64_MAX) {
		rate(s, " pacing_rate ", i->tcpi_pacing_rate);
		if (i->tcpi_max_pacing_rate && i->tcpi_max_pacing_rate != UINT64_MAX)
			rate(s, "/", i->tcpi_max_pacing_rate);
	}
	if (i->tcpi_delivery_rate)
		rate(s, " delivery_rate ", i->tcpi_delivery_rate);
	num(t, "delivered", i->tcpi_delivered);
	num(t, "delivered_ce", i->tcpi_delivered_ce);
	if (i->tcpi_delivery_rate_app_limited)
		task_puts(t, " app_limited");
	if (i->tcpi_busy_time) {
		task_printf(t, " busy:%llums", (unsigned long long)(i->tcpi_busy_time / 1000));
		limited(t, "rwnd_limited", i->tcpi_rwnd_limited, i->tcpi_busy_time);
		limited(t, "sndbuf_limited", i->tcpi_sndbuf_limited, i->tcpi_busy_time);
	}
}

struct diag_md5sig { /* linux/tcp.h: tcp_diag_md5sig */
	uint8_t family, prefixlen;
	uint16_t keylen;
	uint8_t addr[16], key[80];
};

/* md5keys: ADDR/PREFIX=KEY, what is no plain letter as \ooo. */
static void print_md5_keys(struct task *t, const struct nlc_msg *m)
{
	size_t n = nlc_len(m->tb[INET_DIAG_MD5SIG]) / sizeof(struct diag_md5sig);

	for (size_t i = 0; i < n; i++) {
		const struct diag_md5sig *k = (const struct diag_md5sig *)nlc_data(m->tb[INET_DIAG_MD5SIG]) + i;
		const uint8_t *a = k->addr;

		task_printf(t, "%s%u.%u.%u.%u/%u=", i ? "," : " md5keys:", a[0], a[1], a[2], a[3], k->prefixlen);
		for (size_t j = 0; j < k->keylen && j < sizeof(k->key); j++) {
			uint8_t c = k->key[j];

			task_printf(t, c > ' ' && c < 127 && c != '\\' && c != ',' ? "%c" : "\\%03o", c);
		}
	}
}

static void print_info(struct ss *s, const struct nlc_msg *m)
{
	struct task *t = s->t;
	struct tcp_info i;
	size_t n = nlc_len(m->tb[INET_DIAG_INFO]);
	bool listens = ((const struct inet_diag_msg *)m->hdr)->idiag_state == SS_LISTEN;

	memset(&i, 0, sizeof(i));
	if (!n)
		return;
	memcpy(&i, nlc_data(m->tb[INET_DIAG_INFO]), min_sz(n, sizeof(i)));
	task_puts(t, "\n\t");
	if (listens) { /* two fields mean other things there: the accept queue */
		if (m->tb[INET_DIAG_CONG])
			task_printf(t, " %.*s", (int)nlc_len(m->tb[INET_DIAG_CONG]), (const char *)nlc_data(m->tb[INET_DIAG_CONG]));
		task_printf(t, " cwnd:%u", i.tcpi_snd_cwnd);
		print_md5_keys(t, m);
		return;
	}
	print_setup(s, m, &i);
	if (m->tb[INET_DIAG_BBRINFO] && nlc_len(m->tb[INET_DIAG_BBRINFO]) >= sizeof(struct tcp_bbr_info))
		print_bbr(s, nlc_data(m->tb[INET_DIAG_BBRINFO]));
	print_rates(s, &i);
	num(t, "unacked", i.tcpi_unacked);
	if (i.tcpi_retrans || i.tcpi_total_retrans)
		task_printf(t, " retrans:%u/%u", i.tcpi_retrans, i.tcpi_total_retrans);
	num(t, "lost", i.tcpi_lost);
	num(t, "sacked", i.tcpi_sacked);
	num(t, "dsack_dups", i.tcpi_dsack_dups);
	num(t, "fackets", i.tcpi_fackets);
	if (i.tcpi_reordering != 3)
		num(t, "reordering", i.tcpi_reordering);
	num(t, "reord_seen", i.tcpi_reord_seen);
	if (i.tcpi_rcv_rtt)
		ms(t, " rcv_rtt:", i.tcpi_rcv_rtt, "");
	num(t, "rcv_space", i.tcpi_rcv_space);
	num(t, "rcv_ssthresh", i.tcpi_rcv_ssthresh);
	num(t, "notsent", i.tcpi_notsent_bytes);
	if (i.tcpi_min_rtt && i.tcpi_min_rtt != UINT32_MAX)
		ms(t, " minrtt:", i.tcpi_min_rtt, "");
	num(t, "rcv_ooopack", i.tcpi_rcv_ooopack);
	num(t, "snd_wnd", i.tcpi_snd_wnd);
	num(t, "rcv_wnd", late_field(m, TI_RCV_WND));
	num(t, "rehash", late_field(m, TI_REHASH));
	print_md5_keys(t, m);
}

/* skmem: what the socket holds and may hold (ss(8), -m). */
static void print_mem(struct ss *s, const struct nlc_msg *m)
{
	uint32_t v[9];

	if (!m->tb[INET_DIAG_SKMEMINFO] || nlc_len(m->tb[INET_DIAG_SKMEMINFO]) < sizeof(v))
		return;
	memcpy(v, nlc_data(m->tb[INET_DIAG_SKMEMINFO]), sizeof(v));
	task_printf(s->t, "\n\t skmem:(r%u,rb%u,t%u,tb%u,f%u,w%u,o%u,bl%u,d%u)", v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8]);
}

static void one_tcp(const struct nlc_msg *m, void *arg)
{
	static const char *const timer[] = { "off", "on", "keepalive", "timewait", "persist", "unknown" };
	struct ss *s = arg;
	const struct inet_diag_msg *d = m->hdr;
	struct ss_ends e;

	if (d->idiag_family != AF_INET || !wanted(s, d->idiag_state))
		return;
	e = (struct ss_ends){ get_be32((const uint8_t *)d->id.idiag_src), get_be32((const uint8_t *)d->id.idiag_dst),
			      get_be16((const uint8_t *)&d->id.idiag_sport), get_be16((const uint8_t *)&d->id.idiag_dport) };
	if (!ss_filter_match(&s->filter, &e))
		return;
	print_line(s, "tcp", d->idiag_state, d->idiag_rqueue, d->idiag_wqueue, e.laddr, e.lport, e.raddr, e.rport);
	print_owner(s, d->idiag_inode);
	if (s->timers && d->idiag_timer)
		task_printf(s->t, " timer:(%s,%u.%03usec,%u)", timer[min_u32(d->idiag_timer, 5)], d->idiag_expires / 1000, d->idiag_expires % 1000, d->idiag_retrans);
	if (s->mem)
		print_mem(s, m);
	if (s->info)
		print_info(s, m);
	task_puts(s->t, "\n");
}

static int show_tcp(struct ss *s)
{
	struct inet_diag_req_v2 q = { .sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = 0xfff };
	struct nlc_req r;
	struct nlc c;
	int err = nlc_open(&c, s->t, NETLINK_SOCK_DIAG);

	if (err)
		return err;
	if (s->info)
		q.idiag_ext = (1 << (INET_DIAG_INFO - 1)) | (1 << (INET_DIAG_VEGASINFO - 1)) | (1 << (INET_DIAG_CONG - 1));
	if (s->mem)
		q.idiag_ext |= 1 << (INET_DIAG_SKMEMINFO - 1);
	nlc_begin(&r, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &q, sizeof(q));
	err = nlc_talk(&c, &r, sizeof(struct inet_diag_msg), one_tcp, s);
	nlc_close(&c);
	return err;
}

static int show_file(struct ss *s, const char *netid, const char *file)
{
	struct strbuf sb;
	struct proc_lines l;
	int err;

	sb_init(&sb);
	err = proc_slurp(s->t, file, &sb);
	proc_lines_init(&l, &sb);
	proc_lines_next(&l);
	while (!err && proc_lines_next(&l)) {
		uint32_t la, ra;
		uint16_t lp, rp;
		char *rxq;
		unsigned st;
		if (l.nf < 10 || !proc_addr(l.f[1], &la, &lp) || !proc_addr(l.f[2], &ra, &rp) || !(rxq = strchr(l.f[4], ':')))
			continue;
		st = (unsigned)proc_hex(l.f[3]);
		if (!wanted(s, st) || !ss_filter_match(&s->filter, &(struct ss_ends){ la, ra, lp, rp }))
			continue;
		print_line(s, netid, st, proc_hex(rxq + 1), proc_hex(l.f[4]), la, lp, ra, rp);
		print_owner(s, proc_dec(l.f[9]));
		task_puts(s->t, "\n");
	}
	sb_free(&sb);
	return err;
}

int ss_main(struct task *t, int argc, char **argv)
{
	struct ss s = { .t = t };
	struct opt o;
	int c, err = 0;
	bool any;

	opt_init(&o, argc, argv, "tuwanpliomH4");
	while ((c = opt_next(&o, t)) != -1) {
		switch (c) {
		case 't': s.tcp = true; break;
		case 'u': s.udp = true; break;
		case 'w': s.raw = true; break;
		case 'a': s.all = true; break;
		case 'l': s.listen = true; break;
		case 'p': s.procs = true; break;
		case 'i': s.info = true; break;
		case 'o': s.timers = true; break;
		case 'm': s.mem = true; break;
		case 'H': s.no_header = true; break;
		case 'n': s.numeric = true; break;
		case '4': break;
		default: return 255;
		}
	}
	err = ss_filter_parse(&s.filter, t, argv + o.i, argc - o.i);
	if (err)
		return err;
	any = s.tcp || s.udp || s.raw;
	sb_init(&s.owners);
	if (s.procs)
		proc_slurp(t, "/proc/net/sockowners", &s.owners);
	if (!s.no_header) {
		if ((s.tcp + s.udp + s.raw) != 1)
			task_puts(t, "Netid ");
		if (!ss_one_state(&s.filter))
			task_printf(t, "%-10s ", "State");
		task_printf(t, "%-6s %-6s %21s %21s%s\n", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port", " Process");
	}
	if (s.raw || !any)
		err = show_file(&s, "raw", "/proc/net/raw");
	if (!err && (s.udp || !any))
		err = show_file(&s, "udp", "/proc/net/udp");
	if (!err && (s.tcp || !any))
		err = show_tcp(&s);
	sb_free(&s.owners);
	if (err)
		task_eprintf(t, "ss: %s\n", app_strerror(err));
	return err ? 1 : 0;
}

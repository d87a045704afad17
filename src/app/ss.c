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

#define SS_ESTABLISHED 1
#define SS_TIME_WAIT 6
#define SS_CLOSE 7
#define SS_LISTEN 10

struct ss {
	struct task *t;
	bool all, listen, tcp, udp, raw, info, timers, procs, mem, numeric, no_header;
	struct strbuf owners;
};

static const char *state_name(unsigned s)
{
	static const char *const n[] = { "UNKNOWN", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT",
					 "UNCONN", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING", "SYN-RECV" };
	return s < ARRAY_SIZE(n) ? n[s] : n[0];
}

static bool wanted(const struct ss *s, unsigned st)
{
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
	task_printf(s->t, "%-10s %-6llu %-6llu %21s %21s", state_name(st), (unsigned long long)rq, (unsigned long long)wq, l, r);
}

static void ms(struct task *t, const char *name, uint32_t us, const char *sep)
{
	task_printf(t, "%s%u.%03u%s", name, us / 1000, us % 1000, sep);
}

/* A gain in 1/256 with two places. */
static void gain(struct task *t, const char *label, uint32_t g)
{
	uint32_t centi = (uint32_t)((uint64_t)g * 100 / 256);

	task_printf(t, "%s%u.%02u", label, centi / 100, centi % 100);
}

static void print_bbr(struct task *t, const void *p)
{
	struct tcp_bbr_info b;

	memcpy(&b, p, sizeof(b));
	task_printf(t, " bbr:(bw:%llubps", (unsigned long long)(((uint64_t)b.bbr_bw_hi << 32 | b.bbr_bw_lo) * 8));
	ms(t, ",mrtt:", b.bbr_min_rtt, "");
	gain(t, ",pacing_gain:", b.bbr_pacing_gain);
	gain(t, ",cwnd_gain:", b.bbr_cwnd_gain);
	task_puts(t, ")");
}

static void print_info(struct task *t, const struct nlc_msg *m)
{
	struct tcp_info i;
	size_t n = nlc_len(m->tb[INET_DIAG_INFO]);

	memset(&i, 0, sizeof(i));
	if (!n)
		return;
	memcpy(&i, nlc_data(m->tb[INET_DIAG_INFO]), min_sz(n, sizeof(i)));
	task_puts(t, "\n\t");
	if (((const struct inet_diag_msg *)m->hdr)->idiag_state == SS_LISTEN) {
		if (m->tb[INET_DIAG_CONG])
			task_printf(t, " %.*s", (int)nlc_len(m->tb[INET_DIAG_CONG]), (const char *)nlc_data(m->tb[INET_DIAG_CONG]));
		task_printf(t, " cwnd:%u", i.tcpi_snd_cwnd);
		return;
	}
	if (i.tcpi_options & TCPI_OPT_TIMESTAMPS)
		task_puts(t, " ts");
	if (i.tcpi_options & TCPI_OPT_SACK)
		task_puts(t, " sack");
	if (i.tcpi_options & TCPI_OPT_ECN)
		task_puts(t, " ecn");
	if (m->tb[INET_DIAG_CONG])
		task_printf(t, " %.*s", (int)nlc_len(m->tb[INET_DIAG_CONG]), (const char *)nlc_data(m->tb[INET_DIAG_CONG]));
	if (i.tcpi_options & TCPI_OPT_WSCALE)
		task_printf(t, " wscale:%u,%u", i.tcpi_snd_wscale, i.tcpi_rcv_wscale);
	ms(t, " rto:", i.tcpi_rto, "");
	if (i.tcpi_backoff)
		task_printf(t, " backoff:%u", i.tcpi_backoff);
	ms(t, " rtt:", i.tcpi_rtt, "/");
	ms(t, "", i.tcpi_rttvar, "");
	if (i.tcpi_ato)
		task_printf(t, " ato:%u", i.tcpi_ato / 1000);
	task_printf(t, " mss:%u pmtu:%u rcvmss:%u advmss:%u cwnd:%u", i.tcpi_snd_mss, i.tcpi_pmtu, i.tcpi_rcv_mss, i.tcpi_advmss, i.tcpi_snd_cwnd);
	if (m->tb[INET_DIAG_BBRINFO] && nlc_len(m->tb[INET_DIAG_BBRINFO]) >= sizeof(struct tcp_bbr_info))
		print_bbr(t, nlc_data(m->tb[INET_DIAG_BBRINFO]));
	if (i.tcpi_snd_ssthresh < 0x7fffffff)
		task_printf(t, " ssthresh:%u", i.tcpi_snd_ssthresh);
	task_printf(t, " bytes_sent:%llu", (unsigned long long)i.tcpi_bytes_sent);
	if (i.tcpi_bytes_retrans)
		task_printf(t, " bytes_retrans:%llu", (unsigned long long)i.tcpi_bytes_retrans);
	task_printf(t, " bytes_acked:%llu bytes_received:%llu segs_out:%u segs_in:%u data_segs_out:%u data_segs_in:%u",
		    (unsigned long long)i.tcpi_bytes_acked, (unsigned long long)i.tcpi_bytes_received, i.tcpi_segs_out, i.tcpi_segs_in,
		    i.tcpi_data_segs_out, i.tcpi_data_segs_in);
	task_printf(t, " lastsnd:%u lastrcv:%u lastack:%u", i.tcpi_last_data_sent, i.tcpi_last_data_recv, i.tcpi_last_ack_recv);
	if (i.tcpi_unacked)
		task_printf(t, " unacked:%u", i.tcpi_unacked);
	if (i.tcpi_retrans || i.tcpi_total_retrans)
		task_printf(t, " retrans:%u/%u", i.tcpi_retrans, i.tcpi_total_retrans);
	if (i.tcpi_lost)
		task_printf(t, " lost:%u", i.tcpi_lost);
	if (i.tcpi_sacked)
		task_printf(t, " sacked:%u", i.tcpi_sacked);
	if (i.tcpi_dsack_dups)
		task_printf(t, " dsack_dups:%u", i.tcpi_dsack_dups);
	if (i.tcpi_reordering != 3)
		task_printf(t, " reordering:%u", i.tcpi_reordering);
	task_printf(t, " rcv_space:%u rcv_ssthresh:%u", i.tcpi_rcv_space, i.tcpi_rcv_ssthresh);
	if (i.tcpi_min_rtt)
		ms(t, " minrtt:", i.tcpi_min_rtt, "");
	task_printf(t, " snd_wnd:%u", i.tcpi_snd_wnd);
}

static void one_tcp(const struct nlc_msg *m, void *arg)
{
	static const char *const timer[] = { "off", "on", "keepalive", "timewait", "persist", "unknown" };
	struct ss *s = arg;
	const struct inet_diag_msg *d = m->hdr;

	if (d->idiag_family != AF_INET || !wanted(s, d->idiag_state))
		return;
	print_line(s, "tcp", d->idiag_state, d->idiag_rqueue, d->idiag_wqueue, get_be32((const uint8_t *)d->id.idiag_src),
		   get_be16((const uint8_t *)&d->id.idiag_sport), get_be32((const uint8_t *)d->id.idiag_dst), get_be16((const uint8_t *)&d->id.idiag_dport));
	print_owner(s, d->idiag_inode);
	if (s->timers && d->idiag_timer)
		task_printf(s->t, " timer:(%s,%u.%03usec,%u)", timer[min_u32(d->idiag_timer, 5)], d->idiag_expires / 1000, d->idiag_expires % 1000, d->idiag_retrans);
	if (s->info)
		print_info(s->t, m);
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
		if (!wanted(s, st))
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
		case 'n': case '4': break;
		default: return 255;
		}
	}
	any = s.tcp || s.udp || s.raw;
	sb_init(&s.owners);
	if (s.procs)
		proc_slurp(t, "/proc/net/sockowners", &s.owners);
	if (!s.no_header) {
		if ((s.tcp + s.udp + s.raw) != 1)
			task_puts(t, "Netid ");
		task_printf(t, "%-10s %-6s %-6s %21s %21s%s\n", "State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port", " Process");
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

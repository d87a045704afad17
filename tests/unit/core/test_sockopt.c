/* SOL_SOCKET options: each keeps what it promises, and refuses what Linux refuses (SY-01). */
#include <errno.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <sys/time.h>
#include "room_fixture.h"

static unsigned space_calls, keepalives, lowats, rehashes;

static void t_space(struct sock *sk)
{
	space_calls++;
}

static void t_keepalive(struct sock *sk, bool on)
{
	keepalives += on ? 1 : 100;
}

static void t_lowat(struct sock *sk, int32_t val)
{
	lowats++;
}

static void t_rehash(struct sock *sk)
{
	rehashes++;
}

static struct proto test_proto = { .name = "TEST", .obj_size = sizeof(struct sock), .keepalive = t_keepalive,
				   .set_rcvlowat = t_lowat, .rehash = t_rehash };

struct env {
	struct fx *f;
	struct sock *sk;
};

static struct env env_new(int type, int protocol)
{
	struct env e = { .f = fx_rooms(NULL) };

	e.sk = sk_alloc(e.f->net, AF_INET, type, protocol, &test_proto);
	sock_init_data(NULL, e.sk);
	e.sk->type = (uint16_t)type;
	e.sk->write_space = t_space;
	space_calls = keepalives = lowats = rehashes = 0;
	return e;
}

static void env_end(struct env *e)
{
	sock_put(e->sk);
	fx_free(e->f);
}

static int set(struct env *e, int name, int v)
{
	return sock_setsockopt(e->sk, name, &v, sizeof(v));
}

static int get(struct env *e, int name)
{
	int v = -12345;
	socklen_t len = sizeof(v);

	assert_int_equal(sock_getsockopt(e->sk, name, &v, &len), 0);
	assert_int_equal(len, sizeof(v));
	return v;
}

static void flags_are_kept(void **state)
{
	static const int names[] = { SO_DEBUG, SO_DONTROUTE, SO_BROADCAST, SO_OOBINLINE, SO_NO_CHECK, SO_RXQ_OVFL,
				     SO_SELECT_ERR_QUEUE, SO_KEEPALIVE, SO_REUSEADDR, SO_REUSEPORT, SO_TIMESTAMP,
				     SO_TIMESTAMPNS };
	struct env e = env_new(SOCK_STREAM, IPPROTO_TCP);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(get(&e, names[i]), 0);
		assert_int_equal(set(&e, names[i], 5), 0);
		assert_int_equal(get(&e, names[i]), 1);
		assert_int_equal(set(&e, names[i], 0), 0);
		assert_int_equal(get(&e, names[i]), 0);
	}
	assert_int_equal(keepalives, 101);
	/* the two timestamp options are one choice */
	set(&e, SO_TIMESTAMP, 1);
	set(&e, SO_TIMESTAMPNS, 1);
	assert_int_equal(get(&e, SO_TIMESTAMP), 0);
	assert_int_equal(get(&e, SO_TIMESTAMPNS), 1);
	env_end(&e);
}

static void buffers_double_and_have_bounds(void **state)
{
	struct env e = env_new(SOCK_DGRAM, IPPROTO_UDP);

	assert_int_equal(get(&e, SO_RCVBUF), 212992);
	assert_int_equal(set(&e, SO_RCVBUF, 10000), 0);
	assert_int_equal(get(&e, SO_RCVBUF), 20000);
	assert_int_equal(set(&e, SO_RCVBUF, 0), 0);
	assert_int_equal(get(&e, SO_RCVBUF), 2304);
	assert_int_equal(set(&e, SO_RCVBUF, 1 << 30), 0);
	assert_int_equal(get(&e, SO_RCVBUF), 2 * 212992);
	assert_int_equal(set(&e, SO_RCVBUF, -1), 0); /* as unsigned: the most */
	assert_int_equal(get(&e, SO_RCVBUF), 2 * 212992);
	assert_int_equal(set(&e, SO_RCVBUFFORCE, 1000000), 0);
	assert_int_equal(get(&e, SO_RCVBUF), 2000000);
	assert_int_equal(set(&e, SO_RCVBUFFORCE, INT32_MAX), 0);
	assert_true(get(&e, SO_RCVBUF) > 0);
	assert_int_equal(set(&e, SO_SNDBUF, 1), 0);
	assert_int_equal(get(&e, SO_SNDBUF), 4608);
	assert_int_equal(set(&e, SO_SNDBUF, 50000), 0);
	assert_int_equal(get(&e, SO_SNDBUF), 100000);
	assert_int_equal(space_calls, 2); /* writers may go on */
	assert_int_equal(e.sk->userlocks & 3, 3);
	assert_int_equal(sysctl_set(e.f->net, "net.core.rmem_max", "5000"), 0);
	assert_int_equal(set(&e, SO_RCVBUF, 100000), 0);
	assert_int_equal(get(&e, SO_RCVBUF), 10000);
	env_end(&e);
}

static void timeouts(void **state)
{
	struct env e = env_new(SOCK_DGRAM, IPPROTO_UDP);
	struct timeval tv = { 2, 500000 }, out;
	socklen_t len = sizeof(out);

	assert_int_equal(sock_setsockopt(e.sk, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	assert_int_equal(e.sk->rcvtimeo_ns, 2500 * NSEC_PER_MSEC);
	assert_int_equal(sock_getsockopt(e.sk, SO_RCVTIMEO, &out, &len), 0);
	assert_int_equal(out.tv_sec, 2);
	assert_int_equal(out.tv_usec, 500000);
	tv = (struct timeval){ 0, 0 };
	assert_int_equal(sock_setsockopt(e.sk, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	assert_true(e.sk->rcvtimeo_ns == TIME_NEVER);
	tv.tv_usec = 1000000;
	assert_int_equal(sock_setsockopt(e.sk, SO_SNDTIMEO, &tv, sizeof(tv)), -EDOM);
	tv.tv_usec = -1;
	assert_int_equal(sock_setsockopt(e.sk, SO_SNDTIMEO, &tv, sizeof(tv)), -EDOM);
	tv = (struct timeval){ -1, 0 };
	assert_int_equal(sock_setsockopt(e.sk, SO_SNDTIMEO, &tv, sizeof(tv)), 0);
	assert_int_equal(e.sk->sndtimeo_ns, 0);
	tv = (struct timeval){ INT64_MAX, 0 };
	assert_int_equal(sock_setsockopt(e.sk, SO_SNDTIMEO, &tv, sizeof(tv)), 0);
	assert_true(e.sk->sndtimeo_ns == TIME_NEVER);
	assert_int_equal(sock_setsockopt(e.sk, SO_SNDTIMEO, &tv, 8), -EINVAL);
	env_end(&e);
}

static void linger(void **state)
{
	struct env e = env_new(SOCK_STREAM, IPPROTO_TCP);
	struct linger l = { 1, 7 }, out;
	socklen_t len = sizeof(out);

	assert_int_equal(sock_setsockopt(e.sk, SO_LINGER, &l, sizeof(l)), 0);
	assert_true(sock_flag(e.sk, SOCK_F_LINGER));
	assert_int_equal(e.sk->lingertime_ns, 7 * NSEC_PER_SEC);
	assert_int_equal(sock_getsockopt(e.sk, SO_LINGER, &out, &len), 0);
	assert_int_equal(out.l_onoff, 1);
	assert_int_equal(out.l_linger, 7);
	l.l_onoff = 0;
	assert_int_equal(sock_setsockopt(e.sk, SO_LINGER, &l, sizeof(l)), 0);
	assert_false(sock_flag(e.sk, SOCK_F_LINGER));
	assert_int_equal(sock_setsockopt(e.sk, SO_LINGER, &l, 4), -EINVAL);
	env_end(&e);
}

static void facts_are_read_only(void **state)
{
	static const int ro[] = { SO_TYPE, SO_PROTOCOL, SO_DOMAIN, SO_ERROR, SO_ACCEPTCONN, SO_SNDLOWAT, SO_COOKIE,
				  SO_PEERCRED, 9999 };
	struct env e = env_new(SOCK_STREAM, IPPROTO_TCP);
	uint64_t cookie[2] = { 0, 0 };
	socklen_t len = 8;

	for (size_t i = 0; i < ARRAY_SIZE(ro); i++)
		assert_int_equal(set(&e, ro[i], 1), -ENOPROTOOPT);
	assert_int_equal(get(&e, SO_TYPE), SOCK_STREAM);
	assert_int_equal(get(&e, SO_PROTOCOL), IPPROTO_TCP);
	assert_int_equal(get(&e, SO_DOMAIN), AF_INET);
	assert_int_equal(get(&e, SO_ACCEPTCONN), 0);
	e.sk->state = SK_STATE_LISTEN;
	assert_int_equal(get(&e, SO_ACCEPTCONN), 1);
	e.sk->err = ECONNREFUSED;
	e.sk->err_soft = EHOSTUNREACH;
	assert_int_equal(get(&e, SO_ERROR), ECONNREFUSED);
	assert_int_equal(get(&e, SO_ERROR), EHOSTUNREACH);
	assert_int_equal(get(&e, SO_ERROR), 0);
	assert_int_equal(sock_getsockopt(e.sk, SO_COOKIE, &cookie[0], &len), 0);
	assert_int_equal(sock_getsockopt(e.sk, SO_COOKIE, &cookie[1], &len), 0);
	assert_true(cookie[0] && cookie[0] == cookie[1]);
	len = 4;
	assert_int_equal(sock_getsockopt(e.sk, SO_COOKIE, &cookie[0], &len), -EINVAL);
	env_end(&e);
}

static void numbers(void **state)
{
	struct env e = env_new(SOCK_STREAM, IPPROTO_TCP);
	uint64_t rate = 5000000000ull, out = 0;
	socklen_t len = sizeof(out);

	assert_int_equal(set(&e, SO_PRIORITY, 6), 0);
	assert_int_equal(get(&e, SO_PRIORITY), 6);
	assert_int_equal(set(&e, SO_MARK, 0x77), 0);
	assert_int_equal(e.sk->mark, 0x77);
	assert_int_equal(set(&e, SO_RCVLOWAT, 0), 0);
	assert_int_equal(get(&e, SO_RCVLOWAT), 1);
	assert_int_equal(set(&e, SO_RCVLOWAT, -1), 0);
	assert_int_equal(get(&e, SO_RCVLOWAT), INT32_MAX);
	assert_int_equal(lowats, 2);
	assert_int_equal(get(&e, SO_INCOMING_CPU), -1);
	assert_int_equal(set(&e, SO_INCOMING_CPU, 1), 0);
	assert_int_equal(get(&e, SO_INCOMING_CPU), 1);
	assert_int_equal(set(&e, SO_TIMESTAMPING, SOF_TIMESTAMPING_SOFTWARE), 0);
	assert_int_equal(get(&e, SO_TIMESTAMPING), SOF_TIMESTAMPING_SOFTWARE);
	assert_int_equal(set(&e, SO_TIMESTAMPING, 1 << 30), -EINVAL);
	assert_int_equal(sock_setsockopt(e.sk, SO_MAX_PACING_RATE, &rate, 8), 0);
	assert_int_equal(e.sk->max_pacing_rate, rate);
	assert_int_equal(e.sk->pacing_rate, rate);
	assert_int_equal(sock_getsockopt(e.sk, SO_MAX_PACING_RATE, &out, &len), 0);
	assert_int_equal(out, rate);
	assert_int_equal(get(&e, SO_MAX_PACING_RATE), -1);
	assert_int_equal(set(&e, SO_MAX_PACING_RATE, 1000), 0);
	assert_int_equal(e.sk->max_pacing_rate, 1000);
	assert_int_equal(set(&e, SO_MAX_PACING_RATE, -1), 0);
	assert_true(e.sk->max_pacing_rate == UINT64_MAX);
	assert_int_equal(set(&e, SO_ZEROCOPY, 1), 0);
	assert_int_equal(set(&e, SO_ZEROCOPY, 2), -EINVAL);
	assert_int_equal(set(&e, SO_PASSCRED, 1), -EOPNOTSUPP);
	e.sk->protocol = IPPROTO_ICMP;
	assert_int_equal(set(&e, SO_ZEROCOPY, 1), -EOPNOTSUPP);
	env_end(&e);
}

static void bind_to_device(void **state)
{
	struct env e = env_new(SOCK_DGRAM, IPPROTO_UDP);
	struct tdev *d = tdev_new(e.f->net, "eth0");
	char name[32];
	socklen_t len = sizeof(name);

	assert_int_equal(sock_setsockopt(e.sk, SO_BINDTODEVICE, "eth9", 5), -ENODEV);
	assert_int_equal(sock_setsockopt(e.sk, SO_BINDTODEVICE, "eth0", 4), 0);
	assert_int_equal(e.sk->bound_dev_if, d->dev->ifindex);
	assert_int_equal(rehashes, 1);
	assert_int_equal(sock_getsockopt(e.sk, SO_BINDTODEVICE, name, &len), 0);
	assert_string_equal(name, "eth0");
	assert_int_equal(len, 5);
	len = 3;
	assert_int_equal(sock_getsockopt(e.sk, SO_BINDTODEVICE, name, &len), -EINVAL);
	assert_int_equal(sock_setsockopt(e.sk, SO_BINDTODEVICE, "", 0), 0);
	assert_int_equal(e.sk->bound_dev_if, 0);
	len = 16;
	assert_int_equal(sock_getsockopt(e.sk, SO_BINDTODEVICE, name, &len), 0);
	assert_int_equal(len, 0);
	assert_int_equal(sock_setsockopt(e.sk, SO_BINDTODEVICE, NULL, 4), -EFAULT);
	assert_int_equal(set(&e, 62, d->dev->ifindex), 0); /* SO_BINDTOIFINDEX */
	assert_int_equal(get(&e, 62), d->dev->ifindex);
	assert_int_equal(set(&e, 62, 99), 0); /* not looked up, unlike a name */
	assert_int_equal(set(&e, 62, 0), 0);
	assert_int_equal(set(&e, 62, -1), -EINVAL);
	env_end(&e);
}

static void filters_attach_lock_and_detach(void **state)
{
	struct env e = env_new(SOCK_DGRAM, IPPROTO_UDP);
	struct sock_filter ins[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog p = { 1, ins };
	struct sk_buff *skb = alloc_skb(e.f->net, 10);

	skb_put(skb, 10);
	assert_int_equal(set(&e, SO_DETACH_FILTER, 0), -ENOENT);
	assert_int_equal(sock_setsockopt(e.sk, SO_ATTACH_FILTER, &p, 4), -EINVAL);
	assert_int_equal(sock_setsockopt(e.sk, SO_ATTACH_FILTER, &p, sizeof(p)), 0);
	assert_int_equal(sock_queue_rcv_skb(e.sk, skb), -EPERM);
	assert_int_equal(set(&e, SO_LOCK_FILTER, 1), 0);
	assert_int_equal(set(&e, SO_DETACH_FILTER, 0), -EPERM);
	assert_int_equal(set(&e, SO_LOCK_FILTER, 0), -EPERM);
	assert_int_equal(get(&e, SO_LOCK_FILTER), 1);
	kfree_skb_reason(skb, DROP_SOCKET_FILTER);
	env_end(&e);
}

static void sy_01_bad_arguments(void **state)
{
	struct env e = env_new(SOCK_DGRAM, IPPROTO_UDP);
	uint32_t info[9];
	socklen_t len = 0, neg = (socklen_t)-1;
	int v = 1;

	assert_int_equal(sock_setsockopt(e.sk, SO_REUSEADDR, NULL, 4), -EFAULT);
	assert_int_equal(sock_setsockopt(e.sk, SO_REUSEADDR, &v, 3), -EINVAL);
	assert_int_equal(sock_setsockopt(e.sk, SO_REUSEADDR, &v, 0), -EINVAL);
	assert_int_equal(sock_getsockopt(e.sk, SO_TYPE, &v, NULL), -EFAULT);
	assert_int_equal(sock_getsockopt(e.sk, SO_TYPE, NULL, &len), -EFAULT);
	assert_int_equal(sock_getsockopt(e.sk, SO_TYPE, &v, &neg), -EINVAL);
	assert_int_equal(sock_getsockopt(e.sk, 4242, &v, &len), -ENOPROTOOPT);
	len = 2; /* as much as there is room for */
	v = 0;
	assert_int_equal(sock_getsockopt(e.sk, SO_TYPE, &v, &len), 0);
	assert_int_equal(len, 2);
	assert_int_equal(v, SOCK_DGRAM);
	len = 1000;
	assert_int_equal(sock_getsockopt(e.sk, SO_MEMINFO, info, &len), 0);
	assert_int_equal(len, sizeof(info));
	assert_int_equal(info[1], 212992);
	env_end(&e);
}

static int get_or_err(struct env *e, int name)
{
	int v = -12345;
	socklen_t len = sizeof(v);
	int err = sock_getsockopt(e->sk, name, &v, &len);

	return err ? err : v;
}

/* The younger options: value, result, what reads back. */
static void so_younger_options(void **state)
{
	static const struct {
		int name, v, err, read;
	} t[] = {
		{ SO_BUSY_POLL, -1, -EINVAL, 0 }, { SO_BUSY_POLL, 50, 0, 50 }, { 69 /* SO_PREFER_BUSY_POLL */, 1, 0, 1 },
		{ 70 /* SO_BUSY_POLL_BUDGET */, 65536, -EINVAL, -ENOPROTOOPT }, { 70, 64, 0, -ENOPROTOOPT }, { SO_INCOMING_NAPI_ID, 1, -ENOPROTOOPT, 0 },
		{ 72 /* SO_BUF_LOCK */, 4, -EINVAL, 0 }, { 72, 3, 0, 3 }, { 73 /* SO_RESERVE_MEM */, -1, -EINVAL, 0 },
		{ 73, 4096, -EOPNOTSUPP, 0 }, { 74 /* SO_TXREHASH */, 1, -EOPNOTSUPP, -EOPNOTSUPP } /* of TCP */,
		{ 75 /* SO_RCVMARK */, 1, 0, 1 }, { 82 /* SO_RCVPRIORITY */, 1, 0, 1 }, { SO_PEEK_OFF, 5, 0, 5 }, { SO_PEEK_OFF, -1, 0, -1 },
		{ SO_WIFI_STATUS, 1, 0, 1 }, { SO_NOFCS, 1, 0, 1 }, { SO_ATTACH_BPF, 3, -EBADF, INT32_MIN }, { SO_CNX_ADVICE, 1, 0, -ENOPROTOOPT },
		{ SO_BPF_EXTENSIONS, 1, -ENOPROTOOPT, SKF_AD_MAX }, { 76 /* SO_PASSPIDFD */, 1, -EOPNOTSUPP, INT32_MIN },
		{ 63 /* SO_TIMESTAMP_NEW */, 1, 0, 1 }, { SO_TIMESTAMP, 0, 0, 0 }, { 64 /* SO_TIMESTAMPNS_NEW */, 7, 0, 1 },
		{ SO_TIMESTAMPNS, 1, 0, 1 }, { 64, 0, 0, 0 }, { SO_BSDCOMPAT, 1, 0, 0 }, { SO_DETACH_REUSEPORT_BPF, 1, -EINVAL, -ENOPROTOOPT }, { 1000, 1, -ENOPROTOOPT, -ENOPROTOOPT },
	};
	struct env e = env_new(SOCK_DGRAM, IPPROTO_UDP);

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		int r = set(&e, t[i].name, t[i].v), g = t[i].read == INT32_MIN ? INT32_MIN : get_or_err(&e, t[i].name);

		if (r != t[i].err || g != t[i].read)
			fail_msg("option %d = %d: %d, reads %d", t[i].name, t[i].v, r, g);
	}
	env_end(&e);
	e = env_new(SOCK_RAW, IPPROTO_ICMP);
	assert_int_equal(set(&e, SO_PEEK_OFF, 0), -EOPNOTSUPP);
	env_end(&e);
}

static void so_txtime_and_get_filter(void **state)
{
	struct sock_filter f[2] = { BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), BPF_STMT(BPF_RET | BPF_K, 9) }, got[2];
	struct sock_fprog prog = { 2, f };
	struct env e = env_new(SOCK_DGRAM, IPPROTO_UDP);
	uint32_t tx[2] = { 1, 4 }, back[2];
	socklen_t len = sizeof(back);

	assert_int_equal(sock_setsockopt(e.sk, SO_TXTIME, tx, sizeof(tx)), -EINVAL); /* no such flag */
	tx[1] = 2;
	assert_int_equal(sock_setsockopt(e.sk, SO_TXTIME, tx, 4), -EINVAL);
	assert_int_equal(sock_setsockopt(e.sk, SO_TXTIME, tx, sizeof(tx)), 0);
	assert_int_equal(sock_getsockopt(e.sk, SO_TXTIME, back, &len), 0);
	assert_memory_equal(tx, back, sizeof(tx));
	len = 2;
	assert_int_equal(sock_getsockopt(e.sk, SO_GET_FILTER, got, &len), 0);
	assert_int_equal(len, 0); /* none */
	assert_int_equal(sock_setsockopt(e.sk, SO_ATTACH_FILTER, &prog, sizeof(prog)), 0);
	len = 1;
	assert_int_equal(sock_getsockopt(e.sk, SO_GET_FILTER, got, &len), -EINVAL);
	len = 2;
	assert_int_equal(sock_getsockopt(e.sk, SO_GET_FILTER, got, &len), 0);
	assert_int_equal(len, 2);
	assert_memory_equal(got, f, sizeof(f));
	len = sizeof(back);
	assert_int_equal(sock_getsockopt(e.sk, SO_PEERNAME, back, &len), -ENOTCONN);
	assert_int_equal(sock_getsockopt(e.sk, SO_PEERGROUPS, back, &len), -ENODATA);
	env_end(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_younger_options),
		cmocka_unit_test(so_txtime_and_get_filter),
		cmocka_unit_test(flags_are_kept),	  cmocka_unit_test(buffers_double_and_have_bounds),
		cmocka_unit_test(timeouts),		  cmocka_unit_test(linger),
		cmocka_unit_test(facts_are_read_only),	  cmocka_unit_test(numbers),
		cmocka_unit_test(bind_to_device),	  cmocka_unit_test(filters_attach_lock_and_detach),
		cmocka_unit_test(sy_01_bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

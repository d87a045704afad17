/* lwIP as Debian ships it (liblwip): one thread, raw API, two Ethernet interfaces joined back to back in
 * memory, MTU 1500, ARP real, checksums made and verified. One lwIP is one stack, so both ends are the
 * same instance, bound each to its own interface. */
#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <lwip/udp.h>
#include <netif/ethernet.h>
#include "peer.h"

#define QUEUE 4096
#define MSG 64

/* The wire: frames in flight, either way. */
struct wire {
	struct pbuf *p[QUEUE];
	struct netif *to[QUEUE];
	unsigned head, tail;
};
static struct wire wire;
static struct netif nif[2];
static ip_addr_t addr[2];
static int failed;

static err_t wire_output(struct netif *n, struct pbuf *p)
{
	struct pbuf *q;

	if (wire.tail - wire.head == QUEUE)
		return ERR_MEM;
	q = pbuf_alloc(PBUF_RAW, p->tot_len, PBUF_RAM);
	if (!q)
		return ERR_MEM;
	pbuf_copy(q, p);
	wire.p[wire.tail % QUEUE] = q;
	wire.to[wire.tail++ % QUEUE] = n == &nif[0] ? &nif[1] : &nif[0];
	return ERR_OK;
}

static void wire_run(void)
{
	while (wire.head != wire.tail) {
		struct pbuf *p = wire.p[wire.head % QUEUE];
		struct netif *n = wire.to[wire.head++ % QUEUE];
		if (n->input(p, n) != ERR_OK)
			pbuf_free(p);
	}
}

static err_t wire_init(struct netif *n)
{
	n->name[0] = 'w';
	n->name[1] = (char)('0' + (n == &nif[1]));
	n->output = etharp_output;
	n->linkoutput = wire_output;
	n->mtu = 1500;
	n->hwaddr_len = 6;
	memcpy(n->hwaddr, "\x02\0\0\0\0", 5);
	n->hwaddr[5] = (u8_t)(1 + (n == &nif[1]));
	n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_LINK_UP | NETIF_FLAG_ETHERNET;
	return ERR_OK;
}

static void tick(void)
{
	wire_run();
	sys_check_timeouts();
	wire_run();
}

static struct tcp_pcb *client, *server;
static uint64_t got[2]; /* bytes received by client [0], server [1] */
static int connected;
static unsigned closed;

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	int side = arg != NULL;

	(void)err;
	if (!p) { /* the peer's FIN */
		tcp_recv(pcb, NULL);
		if (side) {
			tcp_close(pcb);
			server = NULL;
		}
		closed++;
		return ERR_OK;
	}
	got[side] += p->tot_len;
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static void on_err(void *arg, err_t err)
{
	(void)arg;
	failed = err;
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	static int one = 1;

	(void)arg;
	(void)err;
	server = pcb;
	tcp_arg(pcb, &one);
	tcp_recv(pcb, on_recv);
	tcp_err(pcb, on_err);
	tcp_nagle_disable(pcb);
	return ERR_OK;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)arg;
	(void)pcb;
	(void)err;
	connected = 1;
	return ERR_OK;
}

static struct tcp_pcb *listen_on(u16_t port)
{
	struct tcp_pcb *l = tcp_new();

	tcp_bind(l, &addr[1], port);
	tcp_bind_netif(l, &nif[1]);
	l = tcp_listen(l);
	tcp_accept(l, on_accept);
	return l;
}

static int dial(u16_t port)
{
	connected = 0;
	server = NULL;
	client = tcp_new();
	if (!client)
		return -1;
	tcp_arg(client, NULL);
	tcp_recv(client, on_recv);
	tcp_err(client, on_err);
	tcp_nagle_disable(client);
	tcp_bind_netif(client, &nif[0]);
	if (tcp_bind(client, &addr[0], 0) != ERR_OK ||
	    tcp_connect(client, &addr[1], port, on_connected) != ERR_OK)
		return -1;
	for (int i = 0; (!connected || !server) && i < 100000; i++)
		tick();
	return connected && server ? 0 : -1;
}

static int bulk(struct peer_args a)
{
	static char out[128 * 1024];
	uint64_t t0, t;

	listen_on(7);
	if (dial(7))
		return 3;
	for (t0 = t = cpu_ns(); t - t0 < a.ns && !failed; t = cpu_ns())
		for (int i = 0; i < 64; i++) {
			u16_t n = tcp_sndbuf(client);
			if (n)
				tcp_write(client, out, n, TCP_WRITE_FLAG_COPY);
			tcp_output(client);
			tick();
		}
	return failed ? 3 : report(got[1] / sizeof out, got[1], t - t0);
}

static int exchange(void)
{
	static const char msg[MSG];
	uint64_t c = got[0], s = got[1];
	int i;

	if (tcp_write(client, msg, MSG, TCP_WRITE_FLAG_COPY) != ERR_OK)
		return -1;
	tcp_output(client);
	for (i = 0; got[1] < s + MSG && !failed && i < 1000; i++)
		tick();
	if (tcp_write(server, msg, MSG, TCP_WRITE_FLAG_COPY) != ERR_OK)
		return -1;
	tcp_output(server);
	for (i = 0; got[0] < c + MSG && !failed && i < 1000; i++)
		tick();
	return failed || got[0] < c + MSG ? -1 : 0;
}

static int rr(struct peer_args a)
{
	uint64_t t0, t, ops = 0;

	listen_on(7);
	if (dial(7))
		return 3;
	for (t0 = t = cpu_ns(); t - t0 < a.ns; t = cpu_ns())
		for (int i = 0; i < 256; i++, ops++)
			if (exchange())
				return 3;
	return report(ops, ops * 2 * MSG, t - t0);
}

static int crr(struct peer_args a)
{
	uint64_t t0, t, ops = 0;

	listen_on(7);
	for (t0 = t = cpu_ns(); t - t0 < a.ns; t = cpu_ns())
		for (int i = 0; i < 16; i++, ops++) {
			if (dial(7) || exchange())
				return 3;
			closed = 0;
			tcp_arg(client, NULL);
			tcp_close(client);
			for (int k = 0; closed < 2 && k < 1000; k++)
				tick();
			failed = 0;
		}
	return report(ops, ops * 2 * MSG, t - t0);
}

static uint64_t datagrams;

static void on_udp(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from, u16_t port)
{
	static char buf[MSG];

	(void)arg;
	(void)pcb;
	(void)from;
	(void)port;
	datagrams += pbuf_copy_partial(p, buf, MSG, 0) == MSG;
	pbuf_free(p);
}

static int udp(struct peer_args a)
{
	struct udp_pcb *s = udp_new(), *r = udp_new();
	static const char msg[MSG];
	uint64_t t0, t;

	udp_bind(r, &addr[1], 9);
	udp_bind_netif(r, &nif[1]);
	udp_recv(r, on_udp, NULL);
	udp_bind(s, &addr[0], 10);
	udp_bind_netif(s, &nif[0]);
	for (t0 = t = cpu_ns(); t - t0 < a.ns; t = cpu_ns())
		for (int i = 0; i < 16; i++) {
			for (int k = 0; k < 32; k++) {
				struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, MSG, PBUF_RAM);
				pbuf_take(p, msg, MSG);
				udp_sendto(s, p, &addr[1], 9);
				pbuf_free(p);
			}
			wire_run();
		}
	return report(datagrams, datagrams * MSG, t - t0);
}

int main(int argc, char **argv)
{
	struct peer_args a = peer_args(argc, argv);
	ip4_addr_t ip, mask, gw;

	lwip_init();
	IP4_ADDR(&mask, 255, 255, 255, 0);
	IP4_ADDR(&gw, 0, 0, 0, 0);
	for (int i = 0; i < 2; i++) {
		IP4_ADDR(&ip, 10, 9, 0, (u8_t)(i + 1));
		ip_addr_copy_from_ip4(addr[i], ip);
		netif_add(&nif[i], &ip, &mask, &gw, NULL, wire_init, ethernet_input);
		netif_set_up(&nif[i]);
	}
	if (!strcmp(a.work, "tcp-bulk"))
		return bulk(a);
	if (!strcmp(a.work, "tcp-rr"))
		return rr(a);
	if (!strcmp(a.work, "tcp-crr"))
		return crr(a);
	if (!strcmp(a.work, "udp-64"))
		return udp(a);
	fprintf(stderr, "lwip_peer: unknown work %s\n", a.work);
	return 2;
}

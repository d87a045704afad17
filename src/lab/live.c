/* Real time (see live.h): the loop, and the ports whose other side is a descriptor. Called by cli's up and run; hands
 * frames to hw/ and to os/. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lab/live.h"
#include "lab/topo.h"
#include "os/os_live.h"
#include "wire/ethernet.h"

#define ATTACH_BURST 64 /* frames taken from one descriptor in one turn */
#define ATTACH_FRAME_MAX 65550
#define LIVE_MAX_FDS OS_WAIT_MAX

struct lab_attach {
	struct hw_port port; /* first */
	struct lab_link *link;
	struct lab *lab;
	int fd;
	char node[64], name[32];
	struct hw_frame *queue[LAB_ATTACH_QUEUE];
	uint32_t head, n;
	struct lab_attach_stats st;
	uint8_t buf[ATTACH_FRAME_MAX];
};

static struct lab_attach *attach_of(struct hw_port *p) { return container_of(p, struct lab_attach, port); }

/* Give the transmitter what waits, while it is idle. */
static void pump(struct lab_attach *a)
{
	while (a->n && hw_port_idle(&a->port)) {
		struct hw_frame *f = a->queue[a->head];
		a->head = (a->head + 1) % LAB_ATTACH_QUEUE;
		a->n--;
		hw_port_send(&a->port, f);
	}
}

static void attach_tx_done(struct hw_port *p) { pump(attach_of(p)); }

/* A frame came out of the cable: check and strip what hardware checks and strips, then the kernel has it. */
static void attach_rx(struct hw_port *p, struct hw_frame *f)
{
	struct lab_attach *a = attach_of(p);
	int off = hw_frame_find_sfd(f);
	uint32_t len;

	if (off < 0 || f->len < (uint32_t)off + HW_FRAME_MIN || !hw_frame_check_fcs(f, (uint32_t)off)) {
		a->st.bad_fcs++;
		hw_frame_drop(NULL, f, off < 0 ? DROP_HW_NO_SFD : DROP_HW_BAD_FCS);
		return;
	}
	len = f->len - (uint32_t)off - ETH_FCS_LEN;
	if (os_frame_write(a->fd, f->data + off, len) == (ssize_t)len) {
		a->st.tx_frames++;
		a->st.tx_octets += len;
		hw_frame_put(f);
	} else {
		a->st.tx_refused++;
		hw_frame_drop(NULL, f, DROP_TAP_WRITE);
	}
}

static void attach_link(struct hw_port *p, bool up) { (void)p, (void)up; }

int lab_attach(struct lab_link *link, unsigned side, int fd, const char *node, const char *name, bool replace)
{
	struct lab *lab = link->end[0]->node->lab;
	struct lab_attach *a;

	if (link->attach)
		return -EBUSY;
	if (!link->cable || side > 1)
		return -EINVAL;
	if (replace)
		hw_cable_unplug(link->cable, side);
	else if (link->end[side])
		return -EBUSY;
	a = xcalloc(1, sizeof(*a));
	a->fd = fd;
	a->link = link;
	a->lab = lab;
	memcpy(a->node, node, min_sz(strlen(node), sizeof(a->node) - 1));
	memcpy(a->name, name, min_sz(strlen(name), sizeof(a->name) - 1));
	a->port.world = &lab->hw;
	a->port.node = a->node;
	a->port.name = a->name;
	a->port.node_id = lab->n_nodes + 1 + side;
	a->port.rx = attach_rx;
	a->port.link = attach_link;
	a->port.tx_done = attach_tx_done;
	a->port.owner = a;
	if (lab->opts.plugged)
		lab->opts.plugged(lab->opts.built_arg, &a->port, link->end[side]);
	hw_cable_plug(link->cable, side, &a->port);
	link->attach = a;
	return 0;
}

void lab_detach(struct lab_link *link)
{
	struct lab_attach *a = link->attach;

	if (!a)
		return;
	hw_cable_unplug(link->cable, a->port.side);
	for (; a->n; a->n--) {
		hw_frame_put(a->queue[a->head]);
		a->head = (a->head + 1) % LAB_ATTACH_QUEUE;
	}
	os_close(a->fd);
	link->attach = NULL;
	free(a);
}

const struct lab_attach_stats *lab_attach_stats(const struct lab_link *link)
{
	return link->attach ? &link->attach->st : NULL;
}

/* Take a burst of frames from the kernel. */
static void attach_read(struct lab_attach *a)
{
	for (int i = 0; i < ATTACH_BURST && a->n < LAB_ATTACH_QUEUE; i++) {
		ssize_t n = os_frame_read(a->fd, a->buf, sizeof(a->buf));
		struct hw_frame *f;
		if (n <= 0)
			break;
		if (n < (ssize_t)ETH_HLEN)
			continue;
		f = hw_frame_make(&a->lab->hw, a->buf, (uint32_t)n, ++a->lab->serials.next);
		a->st.rx_frames++;
		a->st.rx_octets += (uint64_t)n;
		a->queue[(a->head + a->n++) % LAB_ATTACH_QUEUE] = f;
	}
	pump(a);
}

struct live {
	int fd[LIVE_MAX_FDS];
	struct lab_attach *at[LIVE_MAX_FDS];
	bool ready[LIVE_MAX_FDS];
	size_t n;
};

/* Descriptors that may be read now: the extra ones, and those whose queue has room. */
static void gather(struct live *lv, struct lab *lab, const int *extra, size_t n_extra)
{
	for (lv->n = 0; lv->n < n_extra && lv->n < LAB_LIVE_MAX_EXTRA; lv->n++) {
		lv->fd[lv->n] = extra[lv->n];
		lv->at[lv->n] = NULL;
	}
	for (uint32_t i = 0; i < lab->n_links && lv->n < LIVE_MAX_FDS; i++) {
		struct lab_attach *a = lab->link[i].attach;
		if (a && a->n < LAB_ATTACH_QUEUE) {
			lv->fd[lv->n] = a->fd;
			lv->at[lv->n++] = a;
		}
	}
}

int lab_live_run(struct lab *lab, const int *extra, size_t n_extra, bool (*stop)(void *arg), void *arg, uint64_t for_ns)
{
	uint64_t wall0 = os_now_ns() - lab->q.now_ns, end = for_ns == TIME_NEVER ? TIME_NEVER : os_now_ns() + for_ns;
	struct live lv;

	for (;;) {
		uint64_t now = os_now_ns(), next;
		lab_run(lab, NULL, NULL, now - wall0);
		if (stop && stop(arg))
			return LAB_LIVE_STOPPED;
		if (now >= end)
			return LAB_LIVE_TIME;
		next = evq_next(&lab->q);
		next = next >= TIME_NEVER - wall0 ? TIME_NEVER : next + wall0;
		gather(&lv, lab, extra, n_extra);
		if (os_wait(lv.fd, lv.n, lv.ready, min_u64(next, end)) <= 0)
			continue;
		now = os_now_ns();
		lab_run(lab, NULL, NULL, now - wall0); /* what came, came now */
		for (size_t i = 0; i < lv.n; i++) {
			if (!lv.ready[i])
				continue;
			if (!lv.at[i])
				return (int)i;
			attach_read(lv.at[i]);
		}
	}
}

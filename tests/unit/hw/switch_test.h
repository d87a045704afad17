/* Hosts (bare ports) around one switch. */
#ifndef TEST_SWITCH_TEST_H
#define TEST_SWITCH_TEST_H

#include "hw/switch.h"
#include "hw_test.h"

#define SW_HOSTS 4u

struct lan {
	struct world w;
	struct hw_switch *sw;
	struct end *host; /* [SW_HOSTS] */
	struct hw_cable *c[SW_HOSTS];
	struct counting_sink sink;
};

static inline void lan_setup(struct lan *l, const struct hw_switch_params *p)
{
	struct hw_switch_params sp = { 0 };
	struct hw_cable_params cp = { .max_frame = 16500 };

	memset(l, 0, sizeof(*l));
	if (p)
		sp = *p;
	sp.name = "sw";
	sp.node_id = 100;
	sp.n_ports = SW_HOSTS;
	world_init(&l->w);
	counting_init(&l->sink);
	l->sw = hw_switch_new(&l->w.w, &sp);
	probe_attach(hw_switch_probe(l->sw), &l->sink.sink);
	l->host = calloc(SW_HOSTS, sizeof(*l->host));
	for (uint32_t i = 0; i < SW_HOSTS; i++) {
		end_init(&l->host[i], "h", i + 1);
		l->c[i] = hw_cable_new(&l->w.w, "c", i, &cp);
		hw_cable_plug(l->c[i], 0, &l->host[i].port);
		hw_cable_plug(l->c[i], 1, hw_switch_port(l->sw, i));
	}
}

static inline void lan_clear(struct lan *l)
{
	for (uint32_t i = 0; i < SW_HOSTS; i++)
		end_clear(&l->host[i]);
}

static inline void lan_teardown(struct lan *l)
{
	lan_clear(l);
	hw_switch_free(l->sw);
	for (uint32_t i = 0; i < SW_HOSTS; i++)
		hw_cable_free(l->c[i]);
	free(l->host);
	world_free(&l->w);
}

/* Host numbers from 0; their addresses are mac_of(number + 1). */
static inline struct hw_frame *from_to(struct lan *l, uint32_t from, uint32_t to, uint32_t len)
{
	uint8_t a[ETH_ALEN], b[ETH_ALEN];

	mac_of(a, from + 1);
	mac_of(b, to + 1);
	return frame_of(&l->w, b, a, 0x88b5, len);
}

static inline void lan_send(struct lan *l, uint32_t from, struct hw_frame *f)
{
	send_next(&l->w, &l->host[from], f);
	run_all(&l->w);
}

/* Everybody says something, so that all are learned. */
static inline void lan_learn_all(struct lan *l)
{
	for (uint32_t i = 0; i < SW_HOSTS; i++)
		lan_send(l, i, from_to(l, i, i + 50, 60));
	lan_clear(l);
}

static inline size_t fdb_count(struct lan *l)
{
	struct hw_fdb_entry e[64];

	return hw_switch_fdb(l->sw, e, ARRAY_SIZE(e));
}

#endif

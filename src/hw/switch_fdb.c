/* The MAC table of a switch (IEEE 802.1D 7.9, filtering database).
 *
 * Decides: what is learned, moved, refused, forgotten. Called by switch.c for every frame.
 *
 * A hash by index (keyed: chosen addresses do not share a chain), and a list from the oldest to the
 * newest sighting. All entries age alike, so the oldest is always the next to go: forgetting is
 * popping the list's head, when somebody looks. An idle switch needs no timer.
 *
 *     reserve of port 0 | of port 1 | ... | shared: whoever comes first
 *     <-------- half of the table ------> <-------- the other half ---->
 *
 * So a flood of invented addresses on one port cannot keep the others from learning, and it evicts
 * nobody (SW-01).
 *
 * An address that appears on another port moves there (a host was replugged), at most
 * FDB_FLAP_MOVES times in FDB_FLAP_WINDOW_NS: what flaps faster is a loop or a forger, and stays
 * where it is (SW-02).
 * Bounds: max entries; the table starts at 16 and doubles.
 * Tests: tests/unit/hw/test_switch.c, test_switch_attack.c */
#include <stdlib.h>
#include <string.h>
#include "hw/switch_int.h"

#define FDB_ROOM_FIRST 16u

static uint64_t fdb_hash(const struct fdb *t, const uint8_t *mac)
{
	return hash_words(t->key, (uint64_t)get_be16(mac) << 32 | get_be32(mac + 2), 0);
}

static uint32_t *fdb_bucket(const struct fdb *t, const uint8_t *mac)
{
	return &t->bucket[fdb_hash(t, mac) & (t->room - 1)];
}

static uint32_t fdb_find(const struct fdb *t, const uint8_t *mac)
{
	uint32_t i;

	if (!t->n)
		return FDB_NONE;
	for (i = *fdb_bucket(t, mac); i != FDB_NONE; i = t->e[i].hash_next)
		if (mac_equal(t->e[i].mac, mac))
			return i;
	return FDB_NONE;
}

void fdb_init(struct fdb *t, uint32_t max, uint32_t n_ports, uint64_t key)
{
	memset(t, 0, sizeof(*t));
	t->max = max;
	t->n_ports = n_ports;
	t->reserve = max / 2 / n_ports;
	t->shared_max = max - t->reserve * n_ports;
	t->count = xcalloc(n_ports, sizeof(*t->count));
	t->free = t->oldest = t->newest = FDB_NONE;
	t->key = key;
}

void fdb_free(struct fdb *t)
{
	free(t->e);
	free(t->bucket);
	free(t->count);
}

static void fdb_hash_in(struct fdb *t, uint32_t i)
{
	uint32_t *b = fdb_bucket(t, t->e[i].mac);

	t->e[i].hash_next = *b;
	*b = i;
}

/* Twice the room; only called when every entry is in use. */
static void fdb_grow(struct fdb *t)
{
	uint32_t old = t->room, i;

	t->room = old ? old * 2 : FDB_ROOM_FIRST;
	t->e = xrealloc(t->e, t->room * sizeof(*t->e));
	t->bucket = xrealloc(t->bucket, t->room * sizeof(*t->bucket));
	memset(t->bucket, 0xff, t->room * sizeof(*t->bucket)); /* FDB_NONE */
	for (i = 0; i < old; i++)
		fdb_hash_in(t, i);
	for (i = t->room; i-- > old;) {
		t->e[i].hash_next = t->free;
		t->free = i;
	}
}

static void fdb_list_del(struct fdb *t, uint32_t i)
{
	struct fdb_entry *e = &t->e[i];

	*(e->older == FDB_NONE ? &t->oldest : &t->e[e->older].newer) = e->newer;
	*(e->newer == FDB_NONE ? &t->newest : &t->e[e->newer].older) = e->older;
}

static void fdb_list_add(struct fdb *t, uint32_t i)
{
	struct fdb_entry *e = &t->e[i];

	e->newer = FDB_NONE;
	e->older = t->newest;
	*(e->older == FDB_NONE ? &t->oldest : &t->e[e->older].newer) = i;
	t->newest = i;
}

static void fdb_charge(struct fdb *t, uint32_t port)
{
	if (++t->count[port] > t->reserve)
		t->shared++;
}

static void fdb_uncharge(struct fdb *t, uint32_t port)
{
	if (t->count[port]-- > t->reserve)
		t->shared--;
}

static bool fdb_may_add(const struct fdb *t, uint32_t port)
{
	return t->count[port] < t->reserve || t->shared < t->shared_max;
}

static void fdb_remove(struct fdb *t, uint32_t i)
{
	uint32_t *at = fdb_bucket(t, t->e[i].mac);

	while (*at != i)
		at = &t->e[*at].hash_next;
	*at = t->e[i].hash_next;
	fdb_list_del(t, i);
	fdb_uncharge(t, t->e[i].port);
	t->e[i].hash_next = t->free;
	t->free = i;
	t->n--;
}

static enum fdb_verdict fdb_add(struct fdb *t, const uint8_t *mac, uint32_t port, uint64_t now_ns)
{
	struct fdb_entry *e;
	uint32_t i;

	if (!fdb_may_add(t, port))
		return FDB_FULL;
	if (t->free == FDB_NONE)
		fdb_grow(t);
	i = t->free;
	e = &t->e[i];
	t->free = e->hash_next;
	memset(e, 0, sizeof(*e));
	memcpy(e->mac, mac, ETH_ALEN);
	e->port = (uint16_t)port;
	e->seen_ns = e->flap_ns = now_ns;
	fdb_hash_in(t, i);
	fdb_list_add(t, i);
	fdb_charge(t, port);
	t->n++;
	return FDB_LEARNED;
}

static enum fdb_verdict fdb_move(struct fdb *t, uint32_t i, uint32_t port, uint64_t now_ns)
{
	struct fdb_entry *e = &t->e[i];

	if (now_ns - e->flap_ns >= FDB_FLAP_WINDOW_NS) {
		e->flap_ns = now_ns;
		e->moves = 0;
	}
	if (e->moves == FDB_FLAP_MOVES)
		return FDB_DAMPED;
	if (!fdb_may_add(t, port)) { /* better unknown (flooded) than known at the wrong port */
		fdb_remove(t, i);
		return FDB_FULL;
	}
	fdb_uncharge(t, e->port);
	fdb_charge(t, port);
	e->port = (uint16_t)port;
	e->moves++;
	return FDB_MOVED;
}

enum fdb_verdict fdb_learn(struct fdb *t, const uint8_t *mac, uint32_t port, uint64_t now_ns)
{
	uint32_t i = fdb_find(t, mac);
	enum fdb_verdict v = FDB_SEEN;

	if (i == FDB_NONE)
		return fdb_add(t, mac, port, now_ns);
	if (t->e[i].port != port) {
		v = fdb_move(t, i, port, now_ns);
		if (v != FDB_MOVED)
			return v;
	}
	t->e[i].seen_ns = now_ns;
	if (t->newest != i) {
		fdb_list_del(t, i);
		fdb_list_add(t, i);
	}
	return v;
}

int fdb_lookup(const struct fdb *t, const uint8_t *mac)
{
	uint32_t i = fdb_find(t, mac);

	return i == FDB_NONE ? -1 : t->e[i].port;
}

void fdb_expire(struct fdb *t, uint64_t now_ns, uint64_t ageing_ns)
{
	while (t->oldest != FDB_NONE && now_ns - t->e[t->oldest].seen_ns >= ageing_ns) {
		fdb_remove(t, t->oldest);
		t->aged++;
	}
}

void fdb_flush_port(struct fdb *t, uint32_t port)
{
	uint32_t i, newer;

	for (i = t->oldest; i != FDB_NONE; i = newer) {
		newer = t->e[i].newer;
		if (t->e[i].port == port)
			fdb_remove(t, i);
	}
}

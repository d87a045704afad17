/* The prefixes of one table. Private to the fib files.
 *
 * A path-compressed tree bitmap: each node decides six address bits. "internal" has a bit for each prefix that ends inside the
 * node, numbered as a heap (1 is the node's own prefix, 2 and 3 one bit longer, ..., 32..63 five bits longer);
 * "external" has a bit for each of the 64 children. Children and leaves stand packed in arrays, in bit order.
 *
 *      bits 0-5    6-11    12-17    18-23    24-29    30-31
 *      root  --->  node -> node  -> node  -> node  -> node      at most six nodes on the way to any address
 *      root  ------------------------------> node  -> node      where nothing branches off, nodes are left out
 *
 * So a node says where it stands: off, the number of address bits above it, and key, those bits. Who comes from
 * above compares them.
 * Invariants: popcount(external) children, popcount(internal) leaves; a node but the root holds a prefix or has two
 * children. The shape depends on what is in it, never on the order in which it came. */
#ifndef IPV4_FIB_TRIE_H
#define IPV4_FIB_TRIE_H

#include "ipv4/fib.h"

#define TRIE_STRIDE 6u

/* One route: aliases of a prefix are sorted by TOS (highest first), then priority (lowest first). */
struct fib_alias {
	struct fib_alias *next;
	struct fib_info *fi;
	uint8_t tos, type;
};

struct trie_node {
	uint64_t internal, external;
	struct trie_node *child;
	struct fib_alias **leaf;
	uint32_t key; /* 0 beyond the first off bits */
	uint32_t off; /* a multiple of the stride */
};

struct fib_table {
	struct net *net;
	struct hlist_node hash;
	uint32_t id;
	uint32_t nr_routes, nr_prefixes;
	struct trie_node root;
};

typedef void (*fib_walk_fn)(void *arg, uint32_t key, uint8_t plen, struct fib_alias *fa);

/* Where the chain of a prefix hangs; NULL when the prefix is not there. */
struct fib_alias **trie_find(struct fib_table *tb, uint32_t key, uint8_t plen);
/* The same, made when it is not there: then *result is NULL and must be set before any other call. */
struct fib_alias **trie_find_or_add(struct fib_table *tb, uint32_t key, uint8_t plen);
/* The chain of a prefix became empty: take the prefix out. */
void trie_remove(struct fib_table *tb, uint32_t key, uint8_t plen);
/* Every route, by address, then from short prefix to long. fn must not change the table. */
void trie_walk(struct fib_table *tb, fib_walk_fn fn, void *arg);
void trie_free(struct fib_table *tb);

/* Names and errors of the route types. */
struct fib_prop {
	int error;
	uint8_t scope;
	const char *name;
};
const struct fib_prop *fib_prop_of(uint8_t type);

/* fib_semantics: find or make the info that says what cfg says. NULL: *err. Takes a reference (refcnt and
 * treeref). */
struct fib_info *fib_create_info(struct net *net, const struct fib_config *cfg, int *err);
void fib_info_hold(struct fib_info *fi);
void fib_info_put(struct fib_info *fi);
/* A route that used it left a table. */
void fib_release_info(struct fib_info *fi);
bool fib_nh_match(const struct fib_config *cfg, const struct fib_info *fi);
/* Mark next hops over dev dead. force: local ones too. Returns how many infos died whole. */
uint32_t fib_sync_down_dev(struct net *net, struct net_device *dev, bool force);
void fib_sync_up(struct net *net, const struct net_device *dev);
uint32_t fib_sync_down_addr(struct net *net, uint32_t local);
/* Take routes with dead infos out of all tables. */
void fib_flush(struct net *net);

/* For dumps: every route in the order that Linux shows, by address, longer prefixes first. */
struct fib_dump_item {
	uint32_t key;
	uint8_t plen;
	struct fib_alias *fa;
};
/* malloc'ed array (free it), *n long. */
struct fib_dump_item *fib_table_collect(struct fib_table *tb, size_t *n);

#endif

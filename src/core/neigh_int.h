/* Between neigh_table.c, neigh_state.c and neigh_proc.c. */
#ifndef CORE_NEIGH_INT_H
#define CORE_NEIGH_INT_H

#include "core/neighbour.h"

/* reachable_time is drawn anew at most this often (RFC 4861 6.3.2 says "every few hours", Linux 300 s). */
#define NEIGH_RAND_EVERY_NS (300 * NSEC_PER_SEC)
#define NEIGH_RETRANS_MIN_NS (10 * NSEC_PER_MSEC)

/* neigh_state.c */
void neigh_timer_handler(struct timer_list *t);
/* New state, with its event. */
void neigh_set_state(struct neighbour *n, uint8_t state);
/* Nothing goes through it any more; what waits dies. */
void neigh_make_dead(struct neighbour *n);
/* neigh_table.c */
void neigh_new_reachable_time(struct neigh_table *tbl);
/* neigh_proc.c */
int neigh_proc_init(struct net *net, struct neigh_table *tbl);

#endif

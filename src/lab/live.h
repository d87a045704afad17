/* A lab in real time: the machine's clock moves it, and descriptors carry frames between its cables and the
 * machine's kernel (TAP devices, packet sockets).
 *
 *     kernel's interface <== descriptor ==> struct lab_attach (a hw_port) <== cable ==> the lab
 *
 * What comes from the descriptor is sealed into a frame (preamble, FCS) and waits in a bounded queue until the
 * transmitter is free; while the queue is full the descriptor is not read, so the kernel's own queue fills. */
#ifndef LAB_LIVE_H
#define LAB_LIVE_H

#include "lab/lab.h"

#define LAB_ATTACH_QUEUE 512u

struct lab_attach_stats {
	uint64_t rx_frames, rx_octets; /* from the kernel into the lab */
	uint64_t tx_frames, tx_octets; /* from the lab to the kernel */
	uint64_t tx_refused, bad_fcs;
};

/* Plug a descriptor (non-blocking; closed by lab_detach) into a link's free end: of a link of type host, end 1; or,
 * with replace, in place of the interface at end side. name is what captures call it. 0 or -errno. */
int lab_attach(struct lab_link *link, unsigned side, int fd, const char *node, const char *name, bool replace);
void lab_detach(struct lab_link *link);
const struct lab_attach_stats *lab_attach_stats(const struct lab_link *link);

/* Run in real time until stop(arg) says so (asked after every turn), one of the n_extra descriptors in extra becomes
 * readable, or for_ns of real time have passed (TIME_NEVER: no limit). */
enum { LAB_LIVE_STOPPED = -1, LAB_LIVE_TIME = -2 };
#define LAB_LIVE_MAX_EXTRA 4
/* Returns the index of the readable extra descriptor, or one of the above. */
int lab_live_run(struct lab *lab, const int *extra, size_t n_extra, bool (*stop)(void *arg), void *arg, uint64_t for_ns);

#endif

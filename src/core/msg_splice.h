/* A flag of messages that no program gives: splice(2) reads a socket. */
#ifndef CORE_MSG_SPLICE_H
#define CORE_MSG_SPLICE_H

/* The number of Linux's MSG_SPLICE_PAGES. TCP stops at the urgent mark and does not step over it; -ENODATA: it stands there, and nothing
 * is in front of it. */
#define MSG_FOR_SPLICE 0x8000000

#endif

/* Lines that ip link and ip addr share. */
#ifndef APP_IP_SHOW_H
#define APP_IP_SHOW_H

#include "app/nlc.h"
#include "base/strbuf.h"

void ip_print_link(struct strbuf *sb, const struct nlc_msg *m, bool for_addr, bool oneline, bool mac);
/* Name and state, as ip -br begins a line. */
void ip_print_brief(struct strbuf *sb, const struct nlc_msg *m);
void ip_print_stats(struct strbuf *sb, const struct nlc_msg *m);

#endif

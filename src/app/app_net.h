/* The programs of names and pages, for the table in app.c. */
#ifndef APP_APP_NET_H
#define APP_APP_NET_H

#include "core/task.h"

int dns_server_main(struct task *t, int argc, char **argv);
int dns_resolver_main(struct task *t, int argc, char **argv);
int http_server_main(struct task *t, int argc, char **argv);
int curl_main(struct task *t, int argc, char **argv);
int dig_main(struct task *t, int argc, char **argv);
int getent_main(struct task *t, int argc, char **argv);
int dns_main(struct task *t, int argc, char **argv);

#endif

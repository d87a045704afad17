/* culver up, culver run. argv[0] is the command's name. Exit codes. */
#ifndef CLI_CMD_LIVE_H
#define CLI_CMD_LIVE_H

int cmd_up(int argc, char **argv);
int cmd_run(int argc, char **argv);

#endif

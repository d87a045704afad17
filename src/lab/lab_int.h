/* Inside the lab: what world.c and run.c share. */
#ifndef LAB_LAB_INT_H
#define LAB_LAB_INT_H

#include "lab/lab.h"

/* Where one program's output goes. */
struct lab_stdout {
	lab_output out;
	void *arg;
};
/* A program that was left running: its output's place lives until the lab ends. */
struct lab_job {
	struct lab_job *next;
	struct lab_stdout o;
};
void lab_free_jobs(struct lab *lab);

/* Append to a node's log, forgetting the oldest half when it is full. */
void lab_log(struct lab_node *n, const char *s, size_t len);
/* The processes of the lab file: those due now are spawned, the others get their event. */
enum lab_err lab_start_processes(struct lab_node *n, struct yerr *e);
/* After their first turn: one that ended with an error (a zone file that is wrong) is the lab file's. */
enum lab_err lab_check_processes(struct lab_node *n, struct yerr *e);
/* Those that have not started yet never will. */
void lab_stop_processes(struct lab_node *n);

#endif

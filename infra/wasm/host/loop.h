/* The loop that runs the program, once its script has run. */
#ifndef LOOP_H
#define LOOP_H

#include "host.h"

/* Exit statuses of the process, besides what the program itself says. */
enum host_status {
	STATUS_DONE = 0,
	STATUS_FAILED = 1,
	STATUS_WRONG_USE = 64, /* EX_USAGE */
	STATUS_OUT_OF_MEMORY = 70, /* EX_SOFTWARE; a supervisor starts it again */
};

/* Runs jobs and turns until the program ends; its exit status. */
int host_run_loop(JSContext *context);

/* Tells the uncaught error on standard error; the exit status for it. Takes `error`. */
int host_tell_error(JSContext *context, JSValue error, const char *introduction);

#endif

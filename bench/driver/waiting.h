/*
 * Scripts that wait: a host with few threads and many scripts. A call that the plugin parks frees its thread; when the
 * plugin schedules the script, any thread takes its answer and makes the next call. So the number of calls that wait is
 * the number of scripts, whatever the number of threads.
 */
#ifndef DRIVER_WAITING_H
#define DRIVER_WAITING_H

#include "load.h"

/*
 * Keeps `scripts` calls outstanding until the phase is over, and waits for the last answer. It takes function,
 * shape and threads from `load`, which need not have begun. outcome->calls is from a call to its answer, the wait
 * included. The phase has no pace. An answer that has an errno ends the process.
 */
void waiting_run(const struct load *load, unsigned scripts, const struct phase *phase, struct outcome *outcome);

#endif

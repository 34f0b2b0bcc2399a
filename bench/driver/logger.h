/*
 * What a mail server does that writes a log for another program to ship: its threads append lines to one file, and each
 * waits until its own is on the disk. It is the baseline of the durable cells and uses no plugin.
 */
#ifndef DRIVER_LOGGER_H
#define DRIVER_LOGGER_H

#include "load.h"

/* Appends lines of `bytes` from `threads` threads to the file "log" in `folder` for `seconds`. */
void logger_run(const char *folder, unsigned threads, size_t bytes, double seconds, struct outcome *outcome);

#endif

/*
 * What the kernel knows of this process.
 */
#ifndef DRIVER_PROCESS_H
#define DRIVER_PROCESS_H

/* A figure of /proc/self/status, in the unit that it has there; 0: there is none. */
unsigned long long process_status(const char *name);

#endif

/*
 * The driver's line to the control address of the black-hole broker. One thread.
 */
#ifndef DRIVER_BROKER_H
#define DRIVER_BROKER_H

#include <stdint.h>

/* Connects to HOST:PORT; returns the connection. What is wrong, here and below, ends the process with a sentence. */
int broker_connect(const char *address);

/* The number of records that the broker has acknowledged. */
uint64_t broker_records(int control);

/* Sets the broker's mode: ack, hang or refuse. */
void broker_mode(int control, const char *mode);

#endif

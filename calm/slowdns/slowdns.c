/*
 * Preloaded, it takes the place of the C library's resolver: each name takes five seconds and is not found. A process
 * with GODEBUG=netdns=cgo asks it, as it does on machines whose nsswitch.conf Go's own resolver can't follow.
 */
#include <netdb.h>
#include <stdio.h>
#include <time.h>

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints, struct addrinfo **found)
{
    static const struct timespec pause = {5, 0};

    (void)service;
    (void)hints;
    *found = NULL;
    fprintf(stderr, "slowdns: asked for %s\n", node ? node : "");
    nanosleep(&pause, NULL);
    return EAI_AGAIN;
}

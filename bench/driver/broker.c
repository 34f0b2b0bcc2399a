#include "broker.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"

int broker_connect(const char *address)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found;
    char host[256];
    const char *colon = strrchr(address, ':');

    if (!colon || (size_t)(colon - address) >= sizeof host)
        fail("--control %s: want HOST:PORT", address);
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = '\0';
    int err = getaddrinfo(host, colon + 1, &hints, &found);
    if (err)
        fail("--control %s: %s", address, gai_strerror(err));
    int control = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (control < 0 || connect(control, found->ai_addr, found->ai_addrlen) != 0)
        fail("--control %s: %s", address, strerror(errno));
    freeaddrinfo(found);
    return control;
}

/* Sends a line and reads the line that answers it, which never spans more than `size`. */
static void ask(int control, const char *line, char *answer, size_t size)
{
    size_t len = 0;

    if (write(control, line, strlen(line)) != (ssize_t)strlen(line))
        fail("the broker's control connection is closed");
    while (len == 0 || answer[len - 1] != '\n') {
        ssize_t got = len + 1 < size ? read(control, answer + len, size - len - 1) : -1;
        if (got <= 0)
            fail("the broker's control connection is closed");
        len += (size_t)got;
    }
    answer[len - 1] = '\0';
}

uint64_t broker_records(int control)
{
    static const char field[] = "\"records\":";
    char answer[512];

    ask(control, "stat\n", answer, sizeof answer);
    const char *at = strstr(answer, field);
    if (!at)
        fail("the broker answered stat with %s", answer);
    return strtoull(at + strlen(field), NULL, 10);
}

void broker_mode(int control, const char *mode)
{
    char line[32], answer[512];

    snprintf(line, sizeof line, "mode %s\n", mode);
    ask(control, line, answer, sizeof answer);
    if (strcmp(answer, "ok") != 0)
        fail("the broker answered mode %s with %s", mode, answer);
}

/*
 * log.c - the plugin's syslog(3) ends here.
 *
 * The host exports functions of the C library's names. The plugin leaves them undefined, and the dynamic
 * linker looks into the executable first. The __*_chk forms are what a compiler with _FORTIFY_SOURCE makes of the
 * same calls.
 *
 * smtpd has opened the log for the whole process, so a plugin that opens, closes or masks it changes the
 * host's own lines: that is a fault.
 */
#define _GNU_SOURCE

/* With it, <syslog.h> defines syslog itself, inline. */
#undef _FORTIFY_SOURCE

#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <syslog.h>

static struct {
    void (*line)(void *context, int priority, const char *text);
    void *context;
} sink; /* standin_lock */

void standin_log_to(void (*line)(void *context, int priority, const char *text), void *context)
{
    pthread_mutex_lock(&standin_lock);
    sink.line = line;
    sink.context = context;
    pthread_mutex_unlock(&standin_lock);
}

/* One write, so that lines of many threads don't mix. */
static void to_stderr(int priority, const char *text, size_t len)
{
    static const char *const names[] = {"<emerg> ",   "<alert> ",  "<crit> ", "<err> ",
                                        "<warning> ", "<notice> ", "<info> ", "<debug> "};
    const char *name = names[priority];
    struct iovec parts[3] = {{(void *)name, strlen(name)}, {(void *)text, len}, {(void *)"\n", 1}};
    ssize_t written = writev(2, parts, 3);

    (void)written; /* nowhere to tell */
}

static void record(int priority, const char *format, va_list args)
{
    void (*line)(void *, int, const char *);
    void *context;
    char *text;
    int len = vasprintf(&text, format, args);

    if (len < 0)
        return;
    priority &= LOG_PRIMASK;
    pthread_mutex_lock(&standin_lock);
    line = sink.line;
    context = sink.context;
    pthread_mutex_unlock(&standin_lock);
    if (line)
        line(context, priority, text);
    else
        to_stderr(priority, text, (size_t)len);
    free(text);
}

void vsyslog(int priority, const char *format, va_list args)
{
    record(priority, format, args);
}

void syslog(int priority, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    record(priority, format, args);
    va_end(args);
}

void __syslog_chk(int priority, int flag, const char *format, ...);
void __vsyslog_chk(int priority, int flag, const char *format, va_list args);

void __vsyslog_chk(int priority, int flag, const char *format, va_list args)
{
    (void)flag;
    record(priority, format, args);
}

void __syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list args;

    (void)flag;
    va_start(args, format);
    record(priority, format, args);
    va_end(args);
}

void openlog(const char *ident, int option, int facility)
{
    (void)option;
    (void)facility;
    standin_fault_add("openlog(\"%s\"): the log is the host's", ident ? ident : "");
}

void closelog(void)
{
    standin_fault_add("closelog(): the log is the host's");
}

int setlogmask(int mask)
{
    standin_fault_add("setlogmask(%d): the log is the host's", mask);
    return LOG_UPTO(LOG_DEBUG);
}

/*
 * main.c - driver PLUGIN.so SCENARIO [key=value...]     runs one scenario
 *          driver --list                                name, need and loss of each, separated by tabs
 *
 * Prints "ok SCENARIO" and exits 0, or the fault and the plugin's log on standard error and exits 1; 2 is a
 * wrong command line.
 */
#include "driver.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
const bool sanitized = true;
#else
const bool sanitized = false;
#endif

/*
 * The leak checker does not see Go's heap, so all C memory that only Go knows would be a leak to it; the
 * scenario "leaks" measures instead. A small quarantine, so that it can.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0:quarantine_size_mb=8:abort_on_error=0";
}

static const struct scenario *const chapters[] = {arguments_scenarios, values_scenarios, queue_scenarios,
                                                  life_scenarios,      config_scenarios, threads_scenarios};

static const struct scenario *current;
static char **options;
static int option_count;

double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

const char *option(const char *key, const char *otherwise)
{
    size_t len = strlen(key);

    for (int i = 0; i < option_count; i++)
        if (strncmp(options[i], key, len) == 0 && options[i][len] == '=')
            return options[i] + len + 1;
    return otherwise;
}

void fail(const char *format, ...)
{
    va_list args;

    fprintf(stderr, "FAIL %s: ", current->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    for (size_t i = 0; standin_fault(i); i++)
        fprintf(stderr, "  fault: %s\n", standin_fault(i));
    log_print(stderr);
    fflush(NULL);
    /* Not exit(3): the plugin's threads still run. */
    _exit(1);
}

/* ------------------------------------------------------------------------------------------------
 * The log is kept, and looked at by scenarios
 */
static struct line {
    int priority;
    char *text;
    struct line *next;
} *lines, **last_line = &lines;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void keep_line(void *context, int priority, const char *text)
{
    struct line *line = malloc(sizeof(*line));

    (void)context;
    *line = (struct line){priority, strdup(text), NULL};
    pthread_mutex_lock(&log_lock);
    *last_line = line;
    last_line = &line->next;
    pthread_mutex_unlock(&log_lock);
}

static size_t count_lines(int priority, const char *text, bool part)
{
    size_t n = 0;

    pthread_mutex_lock(&log_lock);
    for (const struct line *line = lines; line; line = line->next)
        n += line->priority == priority && (part ? strstr(line->text, text) != NULL : strcmp(line->text, text) == 0);
    pthread_mutex_unlock(&log_lock);
    return n;
}

size_t logged(int priority, const char *text)
{
    return count_lines(priority, text, false);
}

size_t logged_with(int priority, const char *part)
{
    return count_lines(priority, part, true);
}

void log_forget(void)
{
    pthread_mutex_lock(&log_lock);
    while (lines) {
        struct line *next = lines->next;

        free(lines->text);
        free(lines);
        lines = next;
    }
    last_line = &lines;
    pthread_mutex_unlock(&log_lock);
}

void log_print(FILE *to)
{
    pthread_mutex_lock(&log_lock);
    for (const struct line *line = lines; line; line = line->next)
        fprintf(to, "  log %d: %s\n", line->priority, line->text);
    pthread_mutex_unlock(&log_lock);
}

/* ------------------------------------------------------------------------------------------------ */
static const struct scenario *find(const char *name)
{
    for (size_t c = 0; c < sizeof(chapters) / sizeof(chapters[0]); c++)
        for (const struct scenario *s = chapters[c]; s->name; s++)
            if (strcmp(s->name, name) == 0)
                return s;
    return NULL;
}

static int list(void)
{
    for (size_t c = 0; c < sizeof(chapters) / sizeof(chapters[0]); c++)
        for (const struct scenario *s = chapters[c]; s->name; s++)
            printf("%s\t%s\t%s\n", s->name, *s->needs ? s->needs : "-", s->loses);
    return 0;
}

int main(int argc, char **argv)
{
    char error[512];

    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return list();
    if (argc < 3 || !(current = find(argv[2]))) {
        fprintf(stderr, "usage: driver PLUGIN.so SCENARIO [key=value...]\n       driver --list\n");
        return 2;
    }
    options = argv + 3;
    option_count = argc - 3;
    if (strcmp(current->needs, "broker") == 0 && !option("broker", NULL)) {
        fprintf(stderr, "driver: %s needs broker=HOST:PORT\n", current->name);
        return 2;
    }
    /* What hangs is a failure: a mail server that does not stop is killed, with its messages. */
    alarm((unsigned)atoi(option("limit", "110")));
    standin_log_to(keep_line, NULL);
    if (!standin_open(argv[1], strcmp(option("global", "no"), "yes") == 0, error, sizeof(error))) {
        fprintf(stderr, "driver: %s\n", error);
        return 2;
    }
    current->run();
    stop();
    standin_quarantine_flush();
    if (standin_parked() != 0)
        fail("%ld calls are still parked after Halon_cleanup", standin_parked());
    if (standin_faults() != 0)
        fail("%zu faults", standin_faults());
    if (standin_live_values() != 0)
        fail("%ld values are still alive", standin_live_values());
    if (strcmp(option("log", "no"), "yes") == 0)
        log_print(stderr);
    printf("ok %s\n", current->name);
    fflush(stdout);
    _exit(0);
}

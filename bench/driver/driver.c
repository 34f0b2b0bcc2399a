/*
 * driver: loads a plugin into a minimal host, calls kafka_producer as a mail server would, and prints one JSON object of
 * what it cost. It is the same program for each plugin: what differs is --plugin.
 *
 * How the figures are taken
 *   window      from the first call after the warm-up until the broker has acknowledged every accepted message. So
 *               messages_per_second is of messages that arrived, not of calls, and a plugin gains nothing by taking
 *               more into its queue than it can send.
 *   cpu         user and system time of the whole process over the window and 100 ms more, in which the last delivery
 *               reports are dealt with. It includes the driver's own, which a run with noop.so shows.
 *   latency     of each call, none left out, from before the entry to after the return; that includes two readings of the
 *               clock. Calls that were refused with -184 are in `refused_ns` instead.
 *   queue full  the same message is tried again after 200 us, with every plugin. No call passes block=true unless --block
 *               says so; the time of such a call includes its wait.
 *
 * In durable mode the window ends with the last answer instead, and the time of a call is up to its answer, as there the
 * answer is what a script waits for. What was accepted must arrive all the same, after the window.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <syslog.h>
#include <time.h>

#include "broker.h"
#include "calm.h"
#include "load.h"
#include "logger.h"
#include "process.h"
#include "queues.h"
#include "settings.h"
#include "ticks.h"
#include "waiting.h"

#define DRAIN_NS 60000000000u

struct usage {
    double cpu_seconds;
    uint64_t ns;
};

static struct usage usage_now(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (struct usage){(double)used.ru_utime.tv_sec + (double)used.ru_utime.tv_usec / 1e6 + (double)used.ru_stime.tv_sec +
                              (double)used.ru_stime.tv_usec / 1e6,
                          nanoseconds()};
}

static void pause_seconds(double seconds)
{
    struct timespec wait = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

    nanosleep(&wait, NULL);
}

/* Waits until the broker has acknowledged `records` in all. */
static void drain(int control, uint64_t records)
{
    uint64_t until = nanoseconds() + DRAIN_NS, arrived;

    while ((arrived = broker_records(control)) < records) {
        if (nanoseconds() > until)
            fail("%llu of %llu messages arrived within a minute", (unsigned long long)arrived, (unsigned long long)records);
        pause_seconds(500e-6);
    }
}

static void print_latency(const char *name, const struct histogram *h, double ns_per_tick)
{
    printf(",\"%s\":{\"count\":%llu,\"p50\":%.0f,\"p99\":%.0f,\"p999\":%.0f,\"max\":%.0f}", name, (unsigned long long)h->count,
           histogram_quantile(h, 0.5) * ns_per_tick, histogram_quantile(h, 0.99) * ns_per_tick,
           histogram_quantile(h, 0.999) * ns_per_tick, (double)h->max * ns_per_tick);
}

static void print_process(void)
{
    printf(",\"rss_bytes\":%llu,\"rss_peak_bytes\":%llu,\"process_threads\":%llu", process_status("VmRSS") * 1024,
           process_status("VmHWM") * 1024, process_status("Threads"));
}

/* The warm-up of produce, idle and outage: connections, metadata, and what the plugin does only once. */
static uint64_t warm(struct load *load, uint64_t messages, int control)
{
    static struct outcome outcome;
    struct phase phase = {.messages = messages, .retry = true};

    if (messages == 0)
        return 0;
    load_run(load, &phase, &outcome);
    if (control >= 0) {
        drain(control, outcome.accepted);
        pause_seconds(0.1);
    }
    return outcome.accepted;
}

static void produce(const struct settings *s, struct load *load, int control)
{
    static struct outcome outcome;
    struct phase phase = s->phase;
    uint64_t warmed = warm(load, s->warmup, control);

    phase.retry = true;
    struct usage before = usage_now();
    load_run(load, &phase, &outcome);
    if (control >= 0)
        drain(control, warmed + outcome.accepted);
    double seconds = (double)(nanoseconds() - before.ns) / 1e9;
    pause_seconds(0.1);
    double cpu = usage_now().cpu_seconds - before.cpu_seconds;
    double accepted = outcome.accepted ? (double)outcome.accepted : 1;

    printf(",\"accepted\":%llu,\"refused\":%llu,\"seconds\":%.9f,\"call_seconds\":%.9f,\"messages_per_second\":%.0f,"
           "\"cpu_seconds\":%.6f,\"cpu_us_per_message\":%.4f",
           (unsigned long long)outcome.accepted, (unsigned long long)outcome.refused, seconds, outcome.call_seconds,
           (double)outcome.accepted / seconds, cpu, cpu * 1e6 / accepted);
    print_latency("latency_ns", &outcome.calls, load->ns_per_tick);
    print_latency("refused_ns", &outcome.calls_refused, load->ns_per_tick);
    print_process();
}

/* Answers a second, and how long they took. */
static void print_answers(const struct outcome *outcome, double ns_per_tick)
{
    printf(",\"accepted\":%llu,\"seconds\":%.9f,\"messages_per_second\":%.0f", (unsigned long long)outcome->accepted,
           outcome->call_seconds, (double)outcome->accepted / outcome->call_seconds);
    print_latency("latency_ns", &outcome->calls, ns_per_tick);
}

static void durable(const struct settings *s, const struct load *load, int control)
{
    static struct outcome outcome;
    struct phase warmup = {.messages = s->warmup};
    uint64_t warmed = 0;

    if (s->warmup) {
        waiting_run(load, s->waiting, &warmup, &outcome);
        warmed = outcome.accepted;
        if (control >= 0)
            drain(control, warmed);
    }
    waiting_run(load, s->waiting, &s->phase, &outcome);
    print_answers(&outcome, load->ns_per_tick);
    if (control >= 0)
        drain(control, warmed + outcome.accepted);
    print_process();
}

/* Waits for a backlog; `begin` is from before the plugin was loaded. */
static void replay(const struct settings *s, uint64_t begin, int control)
{
    drain(control, s->phase.messages);
    double seconds = (double)(nanoseconds() - begin) / 1e9;
    printf(",\"accepted\":%llu,\"seconds\":%.9f,\"messages_per_second\":%.0f", (unsigned long long)s->phase.messages, seconds,
           (double)s->phase.messages / seconds);
    print_process();
}

/* Ends the output and the process, without a stop of the plugin. */
static _Noreturn void end_now(void)
{
    printf("}\n");
    fflush(stdout);
    _Exit(0);
}

static int log_lines(const struct settings *s)
{
    static struct outcome outcome;
    double ns_per_tick = ticks_calibrate();

    logger_run(s->folder, s->threads, s->shape.value_bytes, s->phase.seconds, &outcome);
    printf("{\"mode\":\"%s\",\"threads\":%u", mode_names[s->mode], s->threads);
    print_answers(&outcome, ns_per_tick);
    printf("}\n");
    return 0;
}

/* Fills the queue, to the first refusal or to --messages, and looks at the process once it has come to rest. */
static uint64_t fill(const struct settings *s, struct load *load)
{
    static struct outcome outcome;
    struct phase phase = {.messages = s->phase.messages};

    load_run(load, &phase, &outcome);
    printf(",\"accepted\":%llu,\"refused\":%llu", (unsigned long long)outcome.accepted, (unsigned long long)outcome.refused);
    print_latency("latency_ns", &outcome.calls, load->ns_per_tick);
    return outcome.accepted;
}

/* The CPU time that the process takes while nobody calls it. */
static void watch(double seconds)
{
    struct usage before = usage_now();

    pause_seconds(seconds);
    struct usage after = usage_now();
    printf(",\"watched_seconds\":%.3f,\"cpu_cores\":%.6f", (double)(after.ns - before.ns) / 1e9,
           (after.cpu_seconds - before.cpu_seconds) / ((double)(after.ns - before.ns) / 1e9));
    print_process();
}

/* The broker is back: how long until the first record arrives, and until the last of those that were queued. */
static void come_back(int control, uint64_t records)
{
    uint64_t had = broker_records(control), begin = nanoseconds();

    broker_mode(control, "ack");
    drain(control, had + 1);
    double first = (double)(nanoseconds() - begin) / 1e6;
    drain(control, had + records);
    printf(",\"first_ms\":%.3f,\"drained_ms\":%.3f", first, (double)(nanoseconds() - begin) / 1e6);
}

int main(int argc, char *argv[])
{
    static struct settings s;
    struct plugin plugin = {0};

    /* A plugin that refuses to start says why in its log, and a machine for benchmarks may have no syslogd. */
    openlog("driver", LOG_PERROR, LOG_MAIL);
    settings_parse(&s, argc, argv);
    if (s.mode == LOGGER)
        return log_lines(&s);

    int control = s.control ? broker_connect(s.control) : -1;
    uint64_t begin = nanoseconds(), filled;
    HalonConfig *config = queues_config(&s);
    host_start(&plugin, s.plugin, s.mode == RELOAD ? NULL : config, s.mode == RELOAD ? config : NULL);
    printf("{\"plugin\":\"%s\",\"mode\":\"%s\",\"threads\":%u,\"load_ms\":%.3f,\"init_ms\":%.3f", s.plugin, mode_names[s.mode],
           s.threads, plugin.load_ms, plugin.init_ms);

    struct load load = {.function = plugin.function,
                        .shape = s.shape,
                        .tick_seconds = s.tick_seconds,
                        .ns_per_tick = ticks_calibrate(),
                        .threads = s.threads};
    if (s.mode == CALM || s.mode == STOP || s.mode == RELOAD || s.mode == PARK) {
        if (s.mode == PARK)
            park_run(&s, &load, control);
        else if (s.mode == RELOAD)
            reload_run(&s, &load, &plugin, config, control);
        else
            calm_run(&s, &load, s.mode == STOP ? &plugin : NULL);
        print_process();
        end_now();
    }
    load_begin(&load);
    switch (s.mode) {
    case PRODUCE:
        produce(&s, &load, control);
        break;
    case DURABLE:
        durable(&s, &load, control);
        break;
    case REPLAY:
        replay(&s, begin, control);
        break;
    case LOGGER:
    case CALM:
    case STOP:
    case RELOAD:
    case PARK:
    case INIT:
        break;
    case IDLE:
        warm(&load, s.warmup, control);
        pause_seconds(1);
        watch(s.phase.seconds);
        break;
    case OUTAGE:
        warm(&load, s.warmup, control);
        broker_mode(control, "refuse");
        pause_seconds(1);
        filled = fill(&s, &load);
        pause_seconds(2);
        watch(s.phase.seconds);
        if (s.returns)
            come_back(control, filled);
        break;
    case RSS:
        fill(&s, &load);
        pause_seconds(2);
        print_process();
        break;
    }
    /* Both have a broker that answers nothing: a stop would wait for the whole time of a drain. */
    if (s.mode == RSS || s.mode == OUTAGE)
        end_now();
    load_end(&load);
    printf(",\"cleanup_ms\":%.3f}\n", host_stop(&plugin));
    return 0;
}

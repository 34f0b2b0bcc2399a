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
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <syslog.h>
#include <time.h>

#include "broker.h"
#include "load.h"
#include "ticks.h"

#define QUEUE_ID "bench"
#define MAX_CONF 64
#define DRAIN_NS 60000000000u

enum mode { PRODUCE, INIT, OUTAGE, IDLE, RSS };

static const char *const mode_names[] = {"produce", "init", "outage", "idle", "rss"};

struct settings {
    const char *plugin, *control;
    enum mode mode;
    unsigned threads;
    uint64_t warmup;
    double tick_seconds;
    struct phase phase;
    struct shape shape;
    /* Names and values of the queue's configuration, of equal length. */
    HalonConfig names[MAX_CONF], values[MAX_CONF];
    size_t conf_len;
};

struct usage {
    double cpu_seconds;
    uint64_t ns;
};

static const char usage_text[] =
    "usage: driver --plugin FILE [--broker HOST:PORT] [--control HOST:PORT] [--mode produce|init|outage|idle|rss]\n"
    "  --threads N       host threads (1)\n"
    "  --messages N      messages in all, over all threads; or\n"
    "  --seconds S       duration (produce), or how long to watch (outage, idle)\n"
    "  --rate R          messages a second in all; 0 is full speed (0)\n"
    "  --tick-us T       messages that fall due within this time are sent in one go (1000)\n"
    "  --warmup N        messages before the measurement (0)\n"
    "  --value-bytes B, --key-bytes K, --headers H, --topics T   shape of the messages (200, 12, 0, 1)\n"
    "  --pool-kib N      size of the pool that values are taken from in turns (256)\n"
    "  --block           pass block=true\n"
    "  --conf NAME=VALUE property of the queue; again for more\n"
    "--control is the black-hole broker's: without it nothing is known of what arrived.\n";

static void set_conf(struct settings *s, const char *name, const char *value)
{
    if (s->conf_len == MAX_CONF)
        fail("more than %d properties", MAX_CONF);
    s->names[s->conf_len] = (HalonConfig){.scalar = name};
    s->values[s->conf_len++] = (HalonConfig){.scalar = value};
}

static double number(const char *name, const char *text)
{
    char *end;
    double n = strtod(text, &end);

    if (end == text || *end || !(n >= 0))
        fail("--%s %s: want a number of at least 0", name, text);
    return n;
}

static enum mode parse_mode(const char *text)
{
    for (size_t i = 0; i < sizeof mode_names / sizeof *mode_names; ++i)
        if (strcmp(text, mode_names[i]) == 0)
            return (enum mode)i;
    fail("--mode %s: want produce, init, outage, idle or rss", text);
}

static void parse(struct settings *s, int argc, char *argv[])
{
    enum { PLUGIN, BROKER, CONTROL, MODE, THREADS, MESSAGES, SECONDS, RATE, TICK, WARMUP, VALUE, KEY, HEADERS, TOPICS,
           POOL, BLOCK, CONF, HELP };
    static const struct option options[] = {
        {"plugin", 1, NULL, PLUGIN},       {"broker", 1, NULL, BROKER},     {"control", 1, NULL, CONTROL},
        {"mode", 1, NULL, MODE},           {"threads", 1, NULL, THREADS},   {"messages", 1, NULL, MESSAGES},
        {"seconds", 1, NULL, SECONDS},     {"rate", 1, NULL, RATE},         {"tick-us", 1, NULL, TICK},
        {"warmup", 1, NULL, WARMUP},       {"value-bytes", 1, NULL, VALUE}, {"key-bytes", 1, NULL, KEY},
        {"headers", 1, NULL, HEADERS},     {"topics", 1, NULL, TOPICS},     {"pool-kib", 1, NULL, POOL},
        {"block", 0, NULL, BLOCK},         {"conf", 1, NULL, CONF},         {"help", 0, NULL, HELP},         {0},
    };
    int option, at = 0;

    *s = (struct settings){.threads = 1,
                           .tick_seconds = 1e-3,
                           .shape = {.value_bytes = 200, .key_bytes = 12, .topics = 1, .pool_bytes = 256 << 10}};
    while ((option = getopt_long(argc, argv, "", options, &at)) != -1) {
        const char *name = option == '?' ? "" : options[at].name;
        char *equals;

        switch (option) {
        case PLUGIN: s->plugin = optarg; break;
        case BROKER: set_conf(s, "bootstrap.servers", optarg); break;
        case CONTROL: s->control = optarg; break;
        case MODE: s->mode = parse_mode(optarg); break;
        case THREADS: s->threads = (unsigned)number(name, optarg); break;
        case MESSAGES: s->phase.messages = (uint64_t)number(name, optarg); break;
        case SECONDS: s->phase.seconds = number(name, optarg); break;
        case RATE: s->phase.rate = number(name, optarg); break;
        case TICK: s->tick_seconds = number(name, optarg) / 1e6; break;
        case WARMUP: s->warmup = (uint64_t)number(name, optarg); break;
        case VALUE: s->shape.value_bytes = (unsigned)number(name, optarg); break;
        case KEY: s->shape.key_bytes = (unsigned)number(name, optarg); break;
        case HEADERS: s->shape.headers = (unsigned)number(name, optarg); break;
        case TOPICS: s->shape.topics = (unsigned)number(name, optarg); break;
        case POOL: s->shape.pool_bytes = (size_t)number(name, optarg) << 10; break;
        case BLOCK: s->shape.block = true; break;
        case CONF:
            equals = strchr(optarg, '=');
            if (!equals)
                fail("--conf %s: want NAME=VALUE", optarg);
            *equals = '\0';
            set_conf(s, optarg, equals + 1);
            break;
        case HELP:
            fputs(usage_text, stdout);
            exit(0);
        default:
            fputs(usage_text, stderr);
            exit(2);
        }
    }
    if (!s->plugin || optind != argc || s->threads == 0 || s->shape.topics == 0 || s->tick_seconds <= 0) {
        fputs(usage_text, stderr);
        exit(2);
    }
    if (s->mode == PRODUCE && (s->phase.messages == 0) == (s->phase.seconds == 0))
        fail("--mode produce wants --messages or --seconds, and not both");
    if ((s->mode == OUTAGE || s->mode == IDLE) && !s->control)
        fail("--mode %s wants --control", mode_names[s->mode]);
}

static struct usage usage_now(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (struct usage){(double)used.ru_utime.tv_sec + (double)used.ru_utime.tv_usec / 1e6 + (double)used.ru_stime.tv_sec +
                              (double)used.ru_stime.tv_usec / 1e6,
                          nanoseconds()};
}

/* A figure of /proc/self/status, in the unit that it has there. */
static unsigned long long proc_status(const char *name)
{
    char line[256];
    size_t len = strlen(name);
    unsigned long long value = 0;
    FILE *status = fopen("/proc/self/status", "r");

    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, name, len) == 0 && line[len] == ':')
            value = strtoull(line + len + 1, NULL, 10);
    if (status)
        fclose(status);
    return value;
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
    printf(",\"rss_bytes\":%llu,\"rss_peak_bytes\":%llu,\"process_threads\":%llu", proc_status("VmRSS") * 1024,
           proc_status("VmHWM") * 1024, proc_status("Threads"));
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

/* Fills the queue, to the first refusal or to --messages, and looks at the process once it has come to rest. */
static void fill(const struct settings *s, struct load *load)
{
    static struct outcome outcome;
    struct phase phase = {.messages = s->phase.messages};

    load_run(load, &phase, &outcome);
    printf(",\"accepted\":%llu,\"refused\":%llu", (unsigned long long)outcome.accepted, (unsigned long long)outcome.refused);
    print_latency("latency_ns", &outcome.calls, load->ns_per_tick);
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

int main(int argc, char *argv[])
{
    static struct settings s;
    struct plugin plugin = {0};

    /* A plugin that refuses to start says why in its log, and a machine for benchmarks may have no syslogd. */
    openlog("driver", LOG_PERROR, LOG_MAIL);
    parse(&s, argc, argv);
    HalonConfig key_names[] = {{.scalar = "id"}, {.scalar = "config"}};
    HalonConfig key_values[] = {{.scalar = QUEUE_ID}, {.len = s.conf_len, .names = s.names, .items = s.values}};
    HalonConfig queue = {.len = 2, .names = key_names, .items = key_values};
    HalonConfig queues = {.len = 1, .items = &queue};
    HalonConfig root_name = {.scalar = "queues"};
    HalonConfig root = {.len = 1, .names = &root_name, .items = &queues};

    int control = s.control ? broker_connect(s.control) : -1;
    host_start(&plugin, s.plugin, &root);
    printf("{\"plugin\":\"%s\",\"mode\":\"%s\",\"threads\":%u,\"load_ms\":%.3f,\"init_ms\":%.3f", s.plugin, mode_names[s.mode],
           s.threads, plugin.load_ms, plugin.init_ms);

    struct load load = {.function = plugin.function,
                        .queue = QUEUE_ID,
                        .shape = s.shape,
                        .tick_seconds = s.tick_seconds,
                        .ns_per_tick = ticks_calibrate(),
                        .threads = s.threads};
    load_begin(&load);
    switch (s.mode) {
    case PRODUCE:
        produce(&s, &load, control);
        break;
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
        fill(&s, &load);
        pause_seconds(2);
        watch(s.phase.seconds);
        break;
    case RSS:
        fill(&s, &load);
        pause_seconds(2);
        print_process();
        break;
    }
    /* Both have a broker that answers nothing: a stop would wait for the whole time of a drain. */
    if (s.mode == RSS || s.mode == OUTAGE) {
        printf("}\n");
        fflush(stdout);
        _Exit(0);
    }
    load_end(&load);
    printf(",\"cleanup_ms\":%.3f}\n", host_stop(&plugin));
    return 0;
}

#include "settings.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const mode_names[] = {"produce", "init", "outage", "idle", "rss", "durable", "replay",
                                  "logger",  "calm", "stop",   "reload", "park"};

static const char usage_text[] =
    "usage: driver --plugin FILE [--broker HOST:PORT] [--control HOST:PORT] [--mode MODE]\n"
    "  --mode MODE       produce, init, outage, idle, rss, durable, replay, logger, calm, stop, reload or park (produce)\n"
    "  --threads N       host threads (1)\n"
    "  --messages N      messages in all, over all threads (replay: in the backlog); or\n"
    "  --seconds S       duration (produce), or how long to watch (outage, idle)\n"
    "  --waiting N       scripts that wait at once (durable, park; 1)\n"
    "  --folder DIR      the queue gets a durable spool there (logger: the log is written there)\n"
    "  --rate R          messages a second in all; 0 is full speed (0)\n"
    "  --tick-us T       messages that fall due within this time are sent in one go (1000)\n"
    "  --warmup N        messages before the measurement (0)\n"
    "  --value-bytes B, --key-bytes K, --headers H, --topics T   shape of the messages (200, 12, 0, 1)\n"
    "  --queues N        queues of the plugin, which the calls take in turns (1)\n"
    "  --pool-kib N      size of the pool that values are taken from in turns (256)\n"
    "  --block           pass block=true\n"
    "  --return          the broker comes back in the end (outage)\n"
    "  --fresh-every N   a new topic each N calls (calm, stop)\n"
    "  --bad-every N     each Nth call goes to one of the topics bad-0, bad-1 and so on; --bad-topics of them (calm, stop; 1)\n"
    "  --pause-us T      pause after a call that found the queue full (calm, stop; 0)\n"
    "  --reloads N       how often the changed configuration is loaded (reload; 20)\n"
    "  --limit-us T      count calls that were held longer (calm, stop, reload, park; 1000)\n"
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
    fail("--mode %s: want produce, init, outage, idle, rss, durable, replay, logger, calm, stop, reload or park", text);
}

void settings_parse(struct settings *s, int argc, char *argv[])
{
    enum { PLUGIN, BROKER, CONTROL, MODE, THREADS, MESSAGES, SECONDS, RATE, TICK, WARMUP, VALUE, KEY, HEADERS, TOPICS,
           POOL, BLOCK, CONF, WAITING, FOLDER, QUEUES, RETURN, FRESH, BAD, BAD_TOPICS,
           PAUSE, LIMIT, RELOADS, HELP };
    static const struct option options[] = {
        {"plugin", 1, NULL, PLUGIN},       {"broker", 1, NULL, BROKER},     {"control", 1, NULL, CONTROL},
        {"mode", 1, NULL, MODE},           {"threads", 1, NULL, THREADS},   {"messages", 1, NULL, MESSAGES},
        {"seconds", 1, NULL, SECONDS},     {"rate", 1, NULL, RATE},         {"tick-us", 1, NULL, TICK},
        {"warmup", 1, NULL, WARMUP},       {"value-bytes", 1, NULL, VALUE}, {"key-bytes", 1, NULL, KEY},
        {"headers", 1, NULL, HEADERS},     {"topics", 1, NULL, TOPICS},     {"pool-kib", 1, NULL, POOL},
        {"block", 0, NULL, BLOCK},         {"conf", 1, NULL, CONF},
        {"waiting", 1, NULL, WAITING},     {"folder", 1, NULL, FOLDER},     {"queues", 1, NULL, QUEUES},
        {"return", 0, NULL, RETURN},       {"fresh-every", 1, NULL, FRESH}, {"bad-every", 1, NULL, BAD},
        {"bad-topics", 1, NULL, BAD_TOPICS}, {"pause-us", 1, NULL, PAUSE},  {"limit-us", 1, NULL, LIMIT},
        {"reloads", 1, NULL, RELOADS},     {"help", 0, NULL, HELP},         {0},
    };
    int option, at = 0;

    *s = (struct settings){.threads = 1,
                           .waiting = 1,
                           .reloads = 20,
                           .bad_topics = 1,
                           .limit_ns = 1000000,
                           .tick_seconds = 1e-3,
                           .shape = {.value_bytes = 200, .key_bytes = 12, .topics = 1, .queues = 1, .pool_bytes = 256 << 10}};
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
        case WAITING: s->waiting = (unsigned)number(name, optarg); break;
        case FOLDER: s->folder = optarg; break;
        case QUEUES: s->shape.queues = (unsigned)number(name, optarg); break;
        case BLOCK: s->shape.block = true; break;
        case RETURN: s->returns = true; break;
        case FRESH: s->fresh_every = (unsigned)number(name, optarg); break;
        case BAD: s->bad_every = (unsigned)number(name, optarg); break;
        case BAD_TOPICS: s->bad_topics = (unsigned)number(name, optarg); break;
        case PAUSE: s->pause_us = (unsigned)number(name, optarg); break;
        case RELOADS: s->reloads = (unsigned)number(name, optarg); break;
        case LIMIT: s->limit_ns = (uint64_t)(number(name, optarg) * 1e3); break;
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
    if ((!s->plugin && s->mode != LOGGER) || s->waiting == 0 || optind != argc || s->threads == 0 ||
        s->shape.topics == 0 || s->shape.queues == 0 || s->tick_seconds <= 0 || s->bad_topics == 0 || s->pause_us >= 1000000) {
        fputs(usage_text, stderr);
        exit(2);
    }
    if ((s->mode == PRODUCE || s->mode == DURABLE) && (s->phase.messages == 0) == (s->phase.seconds == 0))
        fail("--mode %s wants --messages or --seconds, and not both", mode_names[s->mode]);
    if (s->folder && s->shape.queues > 1)
        fail("--queues %u: --folder is for one queue", s->shape.queues);
    if (s->mode == REPLAY && (!s->folder || s->phase.messages == 0))
        fail("--mode replay wants --folder and --messages");
    if (s->mode == LOGGER && (!s->folder || s->phase.seconds == 0 || s->shape.value_bytes == 0))
        fail("--mode logger wants --folder, --seconds and --value-bytes");
    if (s->mode == RELOAD)
        set_conf(s, "client.id", strcpy(s->change, "reload-0"));
    if ((s->mode == CALM || s->mode == STOP || s->mode == RELOAD) && (s->phase.seconds == 0 || s->shape.block))
        fail("--mode %s wants --seconds and no --block", mode_names[s->mode]);
    if (s->mode == PARK && !s->shape.block)
        fail("--mode park wants --block");
    if ((s->mode == OUTAGE || s->mode == IDLE || s->mode == REPLAY || s->mode == PARK || s->mode == RELOAD) && !s->control)
        fail("--mode %s wants --control", mode_names[s->mode]);
}

#include "queue.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

/* The poller wakes this often without a report. It bounds the time that queues_close waits for it. */
#define POLL_MS 100

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    syslog(level, "kafka: %s: %s: %s", rk ? rd_kafka_name(rk) : "", facility, text);
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    (void)opaque;
    if (message->err)
        syslog(LOG_ERR, "kafka: message delivery failed: %s", rd_kafka_err2str(message->err));
}

static void *poll_reports(void *arg)
{
    struct queue *queue = arg;

    while (!atomic_load_explicit(&queue->stop, memory_order_relaxed))
        rd_kafka_poll(queue->rk, POLL_MS);
    return NULL;
}

/*
 * Builds the librdkafka configuration of one queue; a value that is no scalar is left out.
 *
 * returns | when
 * a conf  | the caller owns it
 * NULL    | librdkafka refused a property; errstr says why
 */
static rd_kafka_conf_t *queue_conf(HalonConfig *config, char *errstr, size_t errlen)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    for (size_t i = 0;; ++i) {
        const char *name = HalonMTA_config_string_get(HalonMTA_config_object_key_get(config, i), NULL);
        if (!name)
            return conf;
        const char *value = HalonMTA_config_string_get(HalonMTA_config_object_get(config, name), NULL);
        if (value && rd_kafka_conf_set(conf, name, value, errstr, errlen) != RD_KAFKA_CONF_OK)
            break;
    }
    rd_kafka_conf_destroy(conf);
    return NULL;
}

static bool queue_open(struct queue *queue, HalonConfig *entry)
{
    char errstr[512];
    const char *id = HalonMTA_config_string_get(HalonMTA_config_object_get(entry, "id"), NULL);
    HalonConfig *config = HalonMTA_config_object_get(entry, "config");

    if (!id || !config) {
        syslog(LOG_CRIT, "kafka: %s: missing %s", id ? id : "queues[]", id ? "config" : "id");
        return false;
    }
    rd_kafka_conf_t *conf = queue_conf(config, errstr, sizeof errstr);
    if (!conf) {
        syslog(LOG_CRIT, "kafka: %s: %s", id, errstr);
        return false;
    }
    queue->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, errstr, sizeof errstr);
    if (!queue->rk) {
        rd_kafka_conf_destroy(conf);
        syslog(LOG_CRIT, "kafka: %s: %s", id, errstr);
        return false;
    }
    queue->id = strdup(id);
    atomic_init(&queue->stop, false);
    if (!queue->id || pthread_create(&queue->poller, NULL, poll_reports, queue) != 0) {
        syslog(LOG_CRIT, "kafka: %s: cannot start the thread for delivery reports", id);
        rd_kafka_destroy(queue->rk);
        free(queue->id);
        return false;
    }
    return true;
}

bool queues_open(struct queues *queues, HalonConfig *config)
{
    HalonConfig *list = HalonMTA_config_object_get(config, "queues");
    size_t len = 0;

    while (HalonMTA_config_array_get(list, len))
        ++len;
    if (len == 0)
        return true;
    /* The array never moves once a poller holds a pointer into it. */
    queues->all = calloc(len, sizeof *queues->all);
    if (!queues->all) {
        syslog(LOG_CRIT, "kafka: out of memory for %zu queues", len);
        return false;
    }
    for (size_t i = 0; i < len; ++i) {
        if (!queue_open(&queues->all[i], HalonMTA_config_array_get(list, i)))
            return false;
        queues->len = i + 1;
    }
    return true;
}

struct queue *queues_find(const struct queues *queues, const char *id)
{
    for (size_t i = 0; i < queues->len; ++i)
        if (strcmp(queues->all[i].id, id) == 0)
            return &queues->all[i];
    return NULL;
}

static long long now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

void queues_close(struct queues *queues, int seconds)
{
    long long deadline = now_ms() + seconds * 1000LL;

    /* A flush without a wait makes a queue send what lingers, so that none stays behind while another is waited for. */
    for (size_t i = 0; i < queues->len; ++i)
        rd_kafka_flush(queues->all[i].rk, 0);
    for (size_t i = 0; i < queues->len; ++i) {
        struct queue *queue = &queues->all[i];
        long long left = deadline - now_ms();

        rd_kafka_flush(queue->rk, left > 0 ? (int)left : 0);
        atomic_store(&queue->stop, true);
    }
    for (size_t i = 0; i < queues->len; ++i) {
        struct queue *queue = &queues->all[i];

        pthread_join(queue->poller, NULL);
        int lost = rd_kafka_outq_len(queue->rk);
        if (lost > 0) {
            syslog(LOG_CRIT, "kafka: %s: %d messages lost", queue->id, lost);
            rd_kafka_purge(queue->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
        }
        rd_kafka_destroy(queue->rk);
        free(queue->id);
    }
    free(queues->all);
    queues->all = NULL;
    queues->len = 0;
}

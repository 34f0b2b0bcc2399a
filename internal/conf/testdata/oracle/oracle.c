/*
 * Asks librdkafka itself. One question a line on standard input, fields separated by tabs, texts in
 * hex; one answer a line on standard output:
 *
 *   set NAME VALUE                  -> verdict, error text, value after the call
 *   new COUNT NAME... NAME VALUE... -> verdict, error text or client name, log, values of the COUNT names
 *
 * Built and run by oracle_test.go only.
 */
#include "rdkafka.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char line[1 << 22];
static char text[1 << 16];
static char logged[1 << 20];
static size_t logged_len;

static void keep_log(const rd_kafka_t *rk, int level, const char *fac, const char *buf) {
    (void)rk;
    if (level > 6 || !strcmp(fac, "FAIL") || !strcmp(fac, "ERROR"))
        return;
    logged_len += (size_t)snprintf(logged + logged_len, sizeof(logged) - logged_len, "%s%d|%s|%s",
                                   logged_len > 0 ? "\n" : "", level, fac, buf);
}

static char *unhex(const char *hex) {
    size_t n = strlen(hex) / 2;
    char *out = malloc(n + 1);
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        sscanf(hex + 2 * i, "%2x", &byte);
        out[i] = (char)byte;
    }
    out[n] = '\0';
    return out;
}

static void put(const char *s) {
    for (; *s != '\0'; s++)
        printf("%02x", (unsigned char)*s);
}

static void put_value(rd_kafka_conf_res_t found) {
    if (found == RD_KAFKA_CONF_OK) {
        putchar('=');
        put(text);
    } else {
        putchar('-');
    }
}

static rd_kafka_conf_res_t set(rd_kafka_conf_t *conf, const char *name, const char *value, char *err, size_t size) {
    char *n = unhex(name), *v = unhex(value);
    err[0] = '\0';
    rd_kafka_conf_res_t res = rd_kafka_conf_set(conf, n, v, err, size);
    free(n);
    free(v);
    return res;
}

static const char *verdict(rd_kafka_conf_res_t res) {
    return res == RD_KAFKA_CONF_OK ? "OK" : res == RD_KAFKA_CONF_INVALID ? "INVALID" : "UNKNOWN";
}

static void answer_set(char **field) {
    char err[4096];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_res_t res = set(conf, field[1], field[2], err, sizeof(err));
    printf("%s\t", verdict(res));
    /* The search among the global properties leaves its text behind, also when the second one succeeds. */
    put(res == RD_KAFKA_CONF_OK ? "" : err);
    putchar('\t');
    char *name = unhex(field[1]);
    size_t size = sizeof(text);
    rd_kafka_conf_res_t found = rd_kafka_conf_get(conf, name, text, &size);
    rd_kafka_topic_conf_t *topic = rd_kafka_conf_get_default_topic_conf(conf);
    if (found != RD_KAFKA_CONF_OK && topic != NULL && !strncmp(name, "topic.", 6)) {
        size = sizeof(text);
        found = rd_kafka_topic_conf_get(topic, name + 6, text, &size);
    }
    put_value(found);
    putchar('\n');
    free(name);
    rd_kafka_conf_destroy(conf);
}

static void answer_new(char **field, int fields) {
    char err[4096];
    int values = atoi(field[1]);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, keep_log);
    logged_len = 0;
    logged[0] = '\0';
    for (int i = 2 + values; i + 1 < fields; i += 2) {
        rd_kafka_conf_res_t res = set(conf, field[i], field[i + 1], err, sizeof(err));
        if (res != RD_KAFKA_CONF_OK) {
            printf("CONF_SET_%s\t", verdict(res));
            put(err);
            printf("\t\t\n");
            rd_kafka_conf_destroy(conf);
            return;
        }
    }
    err[0] = '\0';
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, err, sizeof(err));
    if (rk == NULL) {
        printf("NEW_FAIL\t");
        put(err);
        printf("\t\t\n");
        rd_kafka_conf_destroy(conf);
        return;
    }
    printf("OK\t");
    put(rd_kafka_name(rk));
    putchar('\t');
    put(logged);
    putchar('\t');
    for (int i = 0; i < values; i++) {
        char *name = unhex(field[2 + i]);
        size_t size = sizeof(text);
        put_value(rd_kafka_conf_get(rd_kafka_conf(rk), name, text, &size));
        if (i + 1 < values)
            putchar(',');
        free(name);
    }
    putchar('\n');
    rd_kafka_destroy(rk);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        char *field[1024];
        int fields = 0;
        line[strcspn(line, "\n")] = '\0';
        for (char *p = line; p != NULL && fields < 1024; fields++) {
            field[fields] = p;
            p = strchr(p, '\t');
            if (p != NULL)
                *p++ = '\0';
        }
        if (!strcmp(field[0], "set") && fields == 3)
            answer_set(field);
        else
            answer_new(field, fields);
    }
    return 0;
}

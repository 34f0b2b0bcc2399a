/*
 * verdict asks librdkafka what it makes of configurations.
 *
 * Each line of stdin is one: properties as name=value between tabs, where a value that begins with @ is what the file of
 * that name holds. Each is answered by one line on stdout:
 *
 *     taken                       a client could be made
 *     refused TAB text            it could not, with librdkafka's words
 *     connected                   with bootstrap.servers: a TLS handshake with a server came to its end
 *     failed TAB text             it did not, within ten seconds
 */
#include <rdkafka.h>

#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What the log told of the handshake; guarded by lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int connected;
static char failure[1024];

static void one_line(char *text)
{
	for (; *text; text++)
		if (*text == '\n' || *text == '\r' || *text == '\t')
			*text = ' ';
}

static void on_log(const rd_kafka_t *rk, int level, const char *fac, const char *buf)
{
	(void)rk;
	(void)level;
	(void)fac;
	pthread_mutex_lock(&lock);
	if (strstr(buf, "state SSL_HANDSHAKE -> APIVERSION_QUERY") || strstr(buf, "state SSL_HANDSHAKE -> AUTH"))
		connected = 1;
	else if (!failure[0] && (strstr(buf, "SSL handshake failed") || strstr(buf, "certificate verify")))
		snprintf(failure, sizeof failure, "%s", buf);
	pthread_mutex_unlock(&lock);
}

/* resolve takes every name for this machine, so that certificates can have any. Both names are NULL when *res is to be freed. */
static int resolve(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res, void *opaque)
{
	(void)opaque;
	if (node || service)
		return getaddrinfo("127.0.0.1", service, hints, res);
	freeaddrinfo(*res);
	return 0;
}

/* slurp returns what a file holds, which the caller frees, or NULL. */
static char *slurp(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return NULL;
	size_t size = 0, room = 1 << 20;
	char *text = malloc(room + 1);
	if (text)
		size = fread(text, 1, room, f);
	fclose(f);
	if (text)
		text[size] = '\0';
	return text;
}

static void judge(char *line)
{
	char err[1024] = "";
	int connect = 0;
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_conf_set_log_cb(conf, on_log);
	connected = 0;
	failure[0] = '\0';
	for (char *rest = line, *item; (item = strsep(&rest, "\t"));) {
		char *value = strchr(item, '=');
		if (!value)
			continue;
		*value++ = '\0';
		char *content = *value == '@' ? slurp(value + 1) : NULL;
		connect |= !strcmp(item, "bootstrap.servers");
		rd_kafka_conf_res_t res = rd_kafka_conf_set(conf, item, content ? content : value, err, sizeof err);
		free(content);
		if (res != RD_KAFKA_CONF_OK) {
			rd_kafka_conf_destroy(conf);
			one_line(err);
			printf("refused\t%s\n", err);
			return;
		}
	}
	rd_kafka_conf_set_resolve_cb(conf, resolve);
	if (connect)
		rd_kafka_conf_set(conf, "debug", "broker,security", err, sizeof err);
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, err, sizeof err);
	if (!rk) {
		rd_kafka_conf_destroy(conf);
		one_line(err);
		printf("refused\t%s\n", err);
		return;
	}
	if (!connect) {
		puts("taken");
	} else {
		const struct timespec pause = {.tv_nsec = 5000000};
		int done = 0;
		for (int i = 0; i < 2000 && !done; i++) {
			nanosleep(&pause, NULL);
			pthread_mutex_lock(&lock);
			done = connected || failure[0];
			pthread_mutex_unlock(&lock);
		}
		pthread_mutex_lock(&lock);
		one_line(failure);
		if (connected)
			puts("connected");
		else
			printf("failed\t%s\n", failure);
		pthread_mutex_unlock(&lock);
	}
	rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;
	for (ssize_t n; (n = getline(&line, &room, stdin)) > 0;) {
		line[strcspn(line, "\n")] = '\0';
		judge(line);
		fflush(stdout);
	}
	free(line);
	return 0;
}

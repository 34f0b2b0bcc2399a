/*
 * life.c - start, stop and all that an operator does in between.
 */
#include "driver.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------------
 * For all scenarios
 */
const char *nobody(void)
{
    static char address[32];
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(name);
    int fd;

    if (*address)
        return address;
    /* Bound and never listening: refused at once, and nobody else gets the port. */
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&name, len) != 0 || getsockname(fd, (struct sockaddr *)&name, &len) != 0)
        fail("no port on the loopback");
    snprintf(address, sizeof(address), "127.0.0.1:%d", ntohs(name.sin_port));
    return address;
}

HalonConfig *text_node(const char *text)
{
    return standin_config_scalar(text, strlen(text), STANDIN_STRING);
}

static void put(HalonConfig *object, const char *key, const char *text)
{
    bool number = *text != '\0';

    for (const char *c = text; *c; c++)
        number = number && isdigit((unsigned char)*c);
    standin_config_put(object, key, strlen(key),
                       standin_config_scalar(text, strlen(text), number ? STANDIN_NUMBER : STANDIN_STRING));
}

static HalonConfig *entry_of(const char *id, const char *bootstrap, va_list args)
{
    HalonConfig *entry = standin_config_object(), *config = standin_config_object();
    const char *key;

    put(config, "bootstrap.servers", bootstrap);
    while ((key = va_arg(args, const char *)))
        put(config, key, va_arg(args, const char *));
    standin_config_put(entry, "id", 2, text_node(id));
    standin_config_put(entry, "config", 6, config);
    return entry;
}

HalonConfig *queue_entry(const char *id, const char *bootstrap, ...)
{
    HalonConfig *entry;
    va_list args;

    va_start(args, bootstrap);
    entry = entry_of(id, bootstrap, args);
    va_end(args);
    return entry;
}

HalonConfig *with_queues(HalonConfig *entry, ...)
{
    HalonConfig *root = standin_config_object(), *list = standin_config_list();
    va_list args;

    va_start(args, entry);
    for (; entry; entry = va_arg(args, HalonConfig *))
        standin_config_append(list, entry);
    va_end(args);
    standin_config_put(root, "queues", 6, list);
    return root;
}

HalonConfig *one_queue(const char *bootstrap, ...)
{
    HalonConfig *entry;
    va_list args;

    va_start(args, bootstrap);
    entry = entry_of("kafka1", bootstrap, args);
    va_end(args);
    return with_queues(entry, NULL);
}

void start(HalonConfig *config)
{
    standin_configure(config, NULL);
    if (!standin_register())
        fail("Halon_hsl_register returned false");
    if (!standin_init())
        fail("Halon_init returned false");
    standin_ready();
}

void stop(void)
{
    standin_early_cleanup();
    standin_cleanup();
}

/* ------------------------------------------------------------------------------------------------
 * Scenarios
 */
/* Nobody outside Halon knows which of the two comes first, and an update may change it. */
static void register_first(void)
{
    standin_configure(one_queue(nobody(), "message.timeout.ms", "1000", NULL), NULL);
    if (!standin_register())
        fail("Halon_hsl_register before Halon_init returned false");
    want_exception(produce("ss", "kafka1", "topic"), "No such id", "a call before Halon_init");
    if (!standin_init())
        fail("Halon_init returned false");
    want_accepted(produce("ss", "kafka1", "topic"), "a call");
}

static void init_first(void)
{
    standin_configure(one_queue(nobody(), "message.timeout.ms", "1000", NULL), NULL);
    if (!standin_init())
        fail("Halon_init before Halon_hsl_register returned false");
    if (!standin_register())
        fail("Halon_hsl_register returned false");
    want_accepted(produce("ss", "kafka1", "topic"), "a call");
}

/* A host that stops twice, or starts again in the same process, must not end in a crash. */
static void twice(void)
{
    for (int i = 0; i < 3; i++) {
        start(one_queue(nobody(), "message.timeout.ms", "1000", NULL));
        want_accepted(produce("ss", "kafka1", "topic"), "a call after a start");
        stop();
        stop();
        if (!is_answer(produce("ss", "kafka1", "topic")))
            fail("a call after the stop has no answer");
    }
    log_forget();
    standin_configure(one_queue(nobody(), "no.such.property", "1", NULL), NULL);
    if (standin_init())
        fail("Halon_init with an unknown property returned true");
    if (logged_with(LOG_CRIT, "no.such.property") != 1)
        fail("a start that fails after a stop leaves no line in the log");
}

/* A host whose start failed may still call the end, and a host may call it without any start. */
static void stop_alone(void)
{
    stop();
    standin_configure(one_queue(nobody(), "no.such.property", "1", NULL), NULL);
    if (standin_init())
        fail("Halon_init with an unknown property returned true");
    stop();
}

/* Mail must not wait for Kafka: the mail server starts as fast when Kafka is down. */
static void fast_init(void)
{
    double limit = atof(option("milliseconds", "100")) / 1000, began, took;

    standin_configure(with_queues(queue_entry("kafka1", nobody(), NULL), queue_entry("kafka2", nobody(), NULL),
                                  queue_entry("kafka3", "no-such-host.invalid:9092", NULL), NULL),
                      NULL);
    standin_register();
    began = seconds();
    if (!standin_init())
        fail("Halon_init with Kafka down returned false");
    took = seconds() - began;
    if (took > limit)
        fail("Halon_init took %.0f ms with Kafka down, want %.0f at most", took * 1000, limit * 1000);
}

static struct {
    char *text;
    size_t len;
    bool ok;
} answer;

static void command(size_t argc, const char *const *argv)
{
    size_t lengths[8] = {0};

    for (size_t i = 0; i < argc; i++)
        lengths[i] = strlen(argv[i]);
    free(answer.text);
    answer.ok = standin_command(argc, argv, lengths, &answer.text, &answer.len);
}

/* What an operator types at three in the morning, and mistypes. */
static void commands(void)
{
    start(one_queue(nobody(), "message.timeout.ms", "1000", NULL));
    want_accepted(produce("ss", "kafka1", "topic"), "a call");
    command(2, (const char *const[]){"dump", "kafka1"});
    if (!answer.ok || !answer.text || answer.len == 0)
        fail("dump kafka1: no text, or failed");
    command(2, (const char *const[]){"dump", "nosuch"});
    if (answer.ok || !answer.text || strncmp(answer.text, "No such id", 10) != 0)
        fail("dump nosuch: \"%s\", want \"No such id\" and a failure", answer.text ? answer.text : "");
    for (size_t n = 0; n < 4; n++) {
        command(n, (const char *const[]){n == 1 ? "dump" : "x\xff%s", "", "\x01"});
        if (answer.ok || !answer.text || !strstr(answer.text, "dump <"))
            fail("%zu words of junk: \"%s\", want the usage and a failure", n, answer.text ? answer.text : "");
    }
    stop();
    command(2, (const char *const[]){"dump", "kafka1"});
    if (answer.ok)
        fail("dump after the stop succeeded");
    free(answer.text);
    answer.text = NULL;
}

/* A reload of the running configuration is for other plugins too: it must not disturb a queue. */
static void reload(void)
{
    start(one_queue(nobody(), "message.timeout.ms", "1000", NULL));
    standin_reload(NULL);
    standin_reload(standin_config_object());
    standin_reload(one_queue(nobody(), NULL));
    standin_reload(text_node("text"));
    standin_reload(standin_config_list());
    want_accepted(produce("ss", "kafka1", "topic"), "a call after reloads");
}

/*
 * A host that forks after it has loaded a Go library leaves a child in which Go hangs at the first call. The
 * plugin must say so instead.
 */
static void forked(void)
{
    pid_t child;
    int status;

    start(one_queue(nobody(), "message.timeout.ms", "1000", NULL));
    child = fork();
    if (child < 0)
        fail("no fork");
    if (child == 0) {
        struct answer answer;

        alarm(10);
        answer = produce("ss", "kafka1", "topic");
        standin_reload(NULL);
        stop();
        _exit(answer.state == STANDIN_THREW || answer.has_errno ? 0 : 1);
    }
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
        fail("a call in a forked child hangs or crashes");
    if (WEXITSTATUS(status) != 0)
        fail("a call in a forked child is accepted, and its message lost");
    want_accepted(produce("ss", "kafka1", "topic"), "a call in the parent");
}

/* A fault in our own code is an exception in one script, and not the end of the mail server. */
static void panic(void)
{
    struct answer thrown;

    start(one_queue(nobody(), "message.timeout.ms", "1000", NULL));
    for (int i = 0; i < 3; i++) {
        thrown = call_function("kafka_fault");
        if (thrown.state != STANDIN_THREW || !*thrown.exception)
            fail("a panic is no exception");
        want_accepted(produce("ss", "kafka1", "topic"), "a call after a panic");
    }
    stop(); /* it waits for the log, and no call does */
    if (logged_with(LOG_ERR, "kafka: ") + logged_with(LOG_CRIT, "kafka: ") == 0)
        fail("a panic leaves no line in the log");
}

const struct scenario life_scenarios[] = {
    {"register-first", "", "an update of Halon that registers before it starts would break the plugin", register_first},
    {"init-first", "", "an update of Halon that starts before it registers would break the plugin", init_first},
    {"twice", "", "a second stop would crash the mail server while it writes its own queue", twice},
    {"stop-alone", "", "a failed start would end in a crash that hides its reason", stop_alone},
    {"fast-init", "", "the mail server would not start while Kafka is down", fast_init},
    {"commands", "", "a mistyped command would end the mail server", commands},
    {"reload", "", "a reload for another plugin would stop a queue", reload},
    {"forked", "", "a host that forks would hang at the first message", forked},
    {"panic", "fault", "a fault of ours would end the mail server", panic},
    {NULL, NULL, NULL, NULL},
};

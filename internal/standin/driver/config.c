/*
 * config.c - what may stand in smtpd.yaml.
 */
#include "driver.h"

#include <string.h>
#include <syslog.h>

static void starts(HalonConfig *config, const char *what)
{
    standin_configure(config, NULL);
    if (!standin_init())
        fail("%s: Halon_init returned false", what);
}

/* Refused, with exactly one line at LOG_CRIT; the whole line where `line` is given. */
static void refused(HalonConfig *config, const char *line, const char *what)
{
    log_forget();
    standin_configure(config, NULL);
    if (standin_init())
        fail("%s: Halon_init returned true", what);
    if (logged_with(LOG_CRIT, "kafka: ") != 1)
        fail("%s: %zu lines at LOG_CRIT, want one", what, logged_with(LOG_CRIT, "kafka: "));
    if (line && logged(LOG_CRIT, line) != 1)
        fail("%s: the line at LOG_CRIT is not \"%s\"", what, line);
    stop();
}

/* The package links the plugin into the autoload folder: a server without a Kafka must still start. */
static void no_queues(void)
{
    HalonConfig *list = standin_config_object(), *null = standin_config_object();

    standin_register();
    standin_config_put(list, "queues", 6, standin_config_list());
    standin_config_put(null, "queues", 6, standin_config_scalar("", 0, STANDIN_NULL));
    starts(NULL, "no configuration");
    want_exception(produce("ss", "kafka1", "topic"), "No such id", "a call without a configuration");
    stop();
    starts(standin_config_object(), "an empty configuration");
    stop();
    starts(list, "no element in queues");
    stop();
    starts(null, "queues: null");
    want_exception(produce("ss", "kafka1", "topic"), "No such id", "a call without queues");
}

/* A queue that does not exist would refuse every record at run time: better at the start. */
static void bad_entry(void)
{
    HalonConfig *no_id = standin_config_object(), *no_config = standin_config_object(),
                *id_list = standin_config_object();

    standin_config_put(no_id, "config", 6, standin_config_object());
    standin_config_put(no_config, "id", 2, text_node("kafka1"));
    standin_config_put(id_list, "id", 2, standin_config_list());
    standin_config_put(id_list, "config", 6, standin_config_object());
    refused(with_queues(no_id, NULL), NULL, "no id");
    refused(with_queues(no_config, NULL), NULL, "no config");
    refused(with_queues(id_list, NULL), NULL, "an id that is no text");
    refused(with_queues(text_node("kafka1"), NULL), NULL, "a queue that is a text");
    refused(with_queues(queue_entry("good", nobody(), NULL), queue_entry("bad", nobody(), "no.such", "1", NULL), NULL),
            "kafka: bad: No such configuration property: \"no.such\"", "a good queue and a bad one");
}

/* A typing error in a setting must be found at the start and in librdkafka's words, which the web explains. */
static void bad_property(void)
{
    refused(one_queue(nobody(), "no.such.property", "1", NULL),
            "kafka: kafka1: No such configuration property: \"no.such.property\"", "an unknown property");
    refused(one_queue(nobody(), "queue.buffering.max.messages", "many", NULL),
            "kafka: kafka1: Invalid value for configuration property \"queue.buffering.max.messages\"", "a value of words");
    refused(one_queue(nobody(), "compression.codec", "best", NULL),
            "kafka: kafka1: Invalid value \"best\" for configuration property \"compression.codec\"", "an unknown codec");
    refused(one_queue(nobody(), "enable.idempotence", "perhaps", NULL),
            "kafka: kafka1: Expected bool value for \"enable.idempotence\": true or false", "a wrong boolean");
}

/* What the original skips, a drop-in must skip: an installed file must not stop the server after an update. */
static void odd_values(void)
{
    HalonConfig *entry = standin_config_object(), *config = standin_config_object(), *number = standin_config_object();

    standin_config_put(config, "bootstrap.servers", 17, text_node(nobody()));
    standin_config_put(config, "client.id", 9, standin_config_list());
    standin_config_put(config, "no.such.property", 16, standin_config_object());
    standin_config_put(config, "acks", 4, standin_config_scalar("~", 1, STANDIN_NULL));
    standin_config_put(config, "linger.ms", 9, standin_config_scalar("5", 1, STANDIN_NUMBER));
    standin_config_put(config, "enable.idempotence", 18, standin_config_scalar("false", 5, STANDIN_BOOLEAN));
    standin_config_put(config, "message.timeout.ms", 18, standin_config_scalar("1000", 4, STANDIN_NUMBER));
    standin_config_put(entry, "id", 2, standin_config_scalar("7", 1, STANDIN_NUMBER));
    standin_config_put(entry, "config", 6, config);
    standin_config_put(number, "id", 2, text_node("empty"));
    standin_config_put(number, "config", 6, standin_config_object());
    standin_register();
    starts(with_queues(entry, number, NULL), "values of all types");
    want_accepted(produce("ss", "7", "topic"), "a call of the queue with a number as its id");
}

/* Whatever YAML can hold in place of the list: an answer, not a crash. */
static void odd_forms(void)
{
    HalonConfig *forms[] = {text_node("text"), standin_config_list(), standin_config_scalar("", 0, STANDIN_NULL),
                            standin_config_object(), standin_config_object(), standin_config_object()};
    HalonConfig *nested = standin_config_list();

    standin_config_append(nested, standin_config_list());
    standin_config_put(forms[3], "queues", 6, text_node("kafka1"));
    standin_config_put(forms[4], "queues", 6, queue_entry("kafka1", nobody(), NULL));
    standin_config_put(forms[5], "queues", 6, nested);
    standin_register();
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        standin_configure(forms[i], NULL);
        standin_init();
        if (!is_answer(produce("ss", "kafka1", "topic")))
            fail("form %zu: a call has no answer", i);
        stop();
    }
}

const struct scenario config_scenarios[] = {
    {"no-queues", "", "a server that has the package installed but no Kafka would not start", no_queues},
    {"bad-entry", "", "a mistake in queues would show as lost records instead of a refused start", bad_entry},
    {"bad-property", "", "a mistyped property would be ignored in silence", bad_property},
    {"odd-values", "", "a file that worked with the original would stop the server", odd_values},
    {"odd-forms", "", "a mistake in the YAML would end the mail server without a reason", odd_forms},
    {NULL, NULL, NULL, NULL},
};

/*
 * plugin.c - a plugin for the tests of the stand-in host: its entry points.
 */
#include "plugin.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

char *config_json, *appconfig_json, *shape;
int inits, cleanups, early_cleanups, readies;
HalonHSLRegisterContext *kept_register;
HalonInitContext *kept_init;
HalonConfig *kept_config;

HALON_EXPORT int Halon_version(void)
{
    return HALONMTA_PLUGIN_VERSION;
}

static const char *scalar(HalonConfig *config, const char *key)
{
    const char *text = HalonMTA_config_string_get(HalonMTA_config_object_get(config, key), NULL);

    return text ? text : "";
}

HALON_EXPORT bool Halon_init(HalonInitContext *context)
{
    HalonConfig *config = NULL, *appconfig = NULL, *list;
    const char *item, *key;
    char text[128] = "";

    free(config_json);
    free(appconfig_json);
    free(shape);
    config_json = appconfig_json = NULL;
    inits++;
    kept_init = context;
    HalonMTA_init_getinfo(context, HALONMTA_INIT_CONFIG, NULL, 0, &config, NULL);
    HalonMTA_init_getinfo(context, HALONMTA_INIT_APPCONFIG, NULL, 0, &appconfig, NULL);
    HalonMTA_config_to_json(config, &config_json, NULL);
    HalonMTA_config_to_json(appconfig, &appconfig_json, NULL);
    kept_config = config;

    /* Each scalar of "list", then each key: what the node functions give, without to_json. */
    list = HalonMTA_config_object_get(config, "list");
    for (size_t i = 0; HalonMTA_config_array_get(list, i); i++) {
        item = HalonMTA_config_string_get(HalonMTA_config_array_get(list, i), NULL);
        strncat(text, item ? item : "NULL", sizeof(text) - strlen(text) - 1);
        strncat(text, "|", sizeof(text) - strlen(text) - 1);
    }
    for (size_t i = 0; (key = HalonMTA_config_string_get(HalonMTA_config_object_key_get(config, i), NULL)); i++) {
        strncat(text, key, sizeof(text) - strlen(text) - 1);
        strncat(text, ",", sizeof(text) - strlen(text) - 1);
    }
    shape = strdup(text);
    if (strcmp(scalar(config, "number"), "7") == 0)
        HalonMTA_init_getinfo(context, 1, NULL, 0, &config, NULL);
    if (strcmp(scalar(config, "refuse"), "true") != 0)
        return true;
    syslog(LOG_CRIT, "test: %s", "told to refuse");
    return false;
}

HALON_EXPORT void Halon_ready(HalonReadyContext *context)
{
    (void)context;
    readies++;
}

HALON_EXPORT void Halon_config_reload(HalonConfig *config)
{
    free(appconfig_json);
    appconfig_json = NULL;
    HalonMTA_config_to_json(config, &appconfig_json, NULL);
}

HALON_EXPORT void Halon_early_cleanup(void)
{
    early_cleanups++;
}

HALON_EXPORT void Halon_cleanup(void)
{
    cleanups++;
    release_all("stopped");
}

HALON_EXPORT bool Halon_command_execute(HalonCommandExecuteContext *context, size_t argc, const char *argv[],
                                        size_t argvl[], char **out, size_t *outlen)
{
    (void)context;
    if (argc == 0 || *out != NULL || *outlen != 0)
        return argc == 0;
    if (strcmp(argv[0], "text") == 0) {
        *out = strdup("some text");
        return true;
    }
    if (strcmp(argv[0], "bytes") == 0 && argc == 2) {
        *out = malloc(argvl[1]);
        memcpy(*out, argv[1], argvl[1]);
        *outlen = argvl[1];
        return true;
    }
    if (strcmp(argv[0], "length alone") == 0) {
        *outlen = 3;
        return true;
    }
    *out = strdup("usage");
    return false;
}

static void register_all(HalonHSLRegisterContext *context, const struct function *functions)
{
    for (; functions->name; functions++) {
        /* The host copies the name. */
        char *name = strdup(functions->name);

        HalonMTA_hsl_module_register_function(context, name, functions->function);
        memset(name, 'x', strlen(name));
        free(name);
    }
}

HALON_EXPORT bool Halon_hsl_register(HalonHSLRegisterContext *context)
{
    kept_register = context;
    register_all(context, good_functions);
    register_all(context, broken_functions);
    HalonMTA_hsl_register_function(context, "everywhere", good_functions[0].function);
    return true;
}

/*
 * config.c - configuration trees.
 *
 * The plugin never sees the tree that the user of the host built, but a copy that lives for one entry
 * (Halon_init, Halon_config_reload) and is poisoned at its end: a plugin that keeps a node or a text is
 * caught at the next use.
 */
#include "host.h"

#include <stdlib.h>
#include <string.h>

enum form { SCALAR, LIST, OBJECT };

struct HalonConfig {
    uint64_t magic;
    enum form form;
    enum standin_scalar kind;
    char *text;
    size_t len;
    HalonConfig **keys, **items; /* keys: of an object only, scalars */
    size_t count, capacity;
};

static HalonConfig *node(enum form form)
{
    HalonConfig *config = standin_block_new(sizeof(*config), STANDIN_HANDLE);

    config->magic = STANDIN_MAGIC_CONFIG;
    config->form = form;
    return config;
}

HalonConfig *standin_config_scalar(const char *text, size_t len, enum standin_scalar kind)
{
    HalonConfig *config = node(SCALAR);

    config->kind = kind;
    config->text = standin_block_new(len + 1, STANDIN_BYTES);
    config->len = len;
    if (len > 0)
        memcpy(config->text, text, len);
    return config;
}

HalonConfig *standin_config_list(void)
{
    return node(LIST);
}

HalonConfig *standin_config_object(void)
{
    return node(OBJECT);
}

static void add(HalonConfig *config, HalonConfig *key, HalonConfig *item)
{
    if (config->count == config->capacity) {
        size_t capacity = config->capacity ? config->capacity * 2 : 4;
        HalonConfig **keys = standin_alloc(capacity * sizeof(*keys)), **items = standin_alloc(capacity * sizeof(*items));

        for (size_t i = 0; i < config->count; i++) {
            keys[i] = config->keys[i];
            items[i] = config->items[i];
        }
        free(config->keys);
        free(config->items);
        config->keys = keys;
        config->items = items;
        config->capacity = capacity;
    }
    config->keys[config->count] = key;
    config->items[config->count++] = item;
}

void standin_config_append(HalonConfig *list, HalonConfig *item)
{
    add(list, NULL, item);
}

void standin_config_put(HalonConfig *object, const char *key, size_t len, HalonConfig *value)
{
    add(object, standin_config_scalar(key, len, STANDIN_STRING), value);
}

HalonConfig *standin_config_copy(const HalonConfig *config)
{
    HalonConfig *copy;

    if (!config)
        return NULL;
    if (config->form == SCALAR)
        return standin_config_scalar(config->text, config->len, config->kind);
    copy = node(config->form);
    for (size_t i = 0; i < config->count; i++)
        add(copy, standin_config_copy(config->keys[i]), standin_config_copy(config->items[i]));
    return copy;
}

static void kill_tree(struct standin_chain *chain, HalonConfig *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < config->count; i++) {
        kill_tree(chain, config->keys[i]);
        kill_tree(chain, config->items[i]);
    }
    free(config->keys);
    free(config->items);
    standin_block_kill(chain, config->text);
    standin_block_kill(chain, config);
}

void standin_config_kill(HalonConfig *config)
{
    struct standin_chain chain = {NULL, NULL, 0};

    kill_tree(&chain, config);
    standin_chain_release(&chain);
}

void standin_config_free(HalonConfig *config)
{
    standin_config_kill(config);
}

/* ------------------------------------------------------------------------------------------------
 * What the plugin calls
 */
static bool is_form(const HalonConfig *config, enum form form, const char *function)
{
    if (!config)
        return false;
    if (config->magic != STANDIN_MAGIC_CONFIG) {
        standin_fault_add("%s: the node is dead: a configuration lives until the entry that got it returns", function);
        return false;
    }
    return config->form == form;
}

HalonConfig *HalonMTA_config_object_get(HalonConfig *config, const char *key)
{
    if (!is_form(config, OBJECT, "HalonMTA_config_object_get"))
        return NULL;
    if (!key) {
        standin_fault_add("HalonMTA_config_object_get: the key is NULL");
        return NULL;
    }
    for (size_t i = 0; i < config->count; i++)
        if (strcmp(config->keys[i]->text, key) == 0)
            return config->items[i];
    return NULL;
}

HalonConfig *HalonMTA_config_object_key_get(HalonConfig *config, size_t i)
{
    if (!is_form(config, OBJECT, "HalonMTA_config_object_key_get") || i >= config->count)
        return NULL;
    return config->keys[i];
}

HalonConfig *HalonMTA_config_array_get(HalonConfig *config, size_t i)
{
    if (!is_form(config, LIST, "HalonMTA_config_array_get") || i >= config->count)
        return NULL;
    return config->items[i];
}

const char *HalonMTA_config_string_get(HalonConfig *config, size_t *len)
{
    if (!is_form(config, SCALAR, "HalonMTA_config_string_get") || config->kind == STANDIN_NULL)
        return NULL;
    if (len)
        *len = config->len;
    return config->text;
}

/* Whether the text is a number as JSON writes them: YAML also has 0x1f, .5, 1_000 and .inf. */
static bool json_number(const char *text)
{
    const char *at = text + (*text == '-');
    size_t n = strspn(at, "0123456789");

    if (n == 0 || (n > 1 && *at == '0'))
        return false;
    at += n;
    if (*at == '.') {
        n = strspn(at + 1, "0123456789");
        if (n == 0)
            return false;
        at += 1 + n;
    }
    if (*at == 'e' || *at == 'E') {
        at += 1 + (at[1] == '+' || at[1] == '-');
        n = strspn(at, "0123456789");
        if (n == 0)
            return false;
        at += n;
    }
    return !*at;
}

static bool write_config(struct standin_text *text, const HalonConfig *config)
{
    if (config->form == SCALAR) {
        bool yes = config->len > 0 && strchr("tTyY", config->text[0]) != NULL;

        if (config->kind == STANDIN_NULL)
            standin_text_puts(text, "null");
        else if (config->kind == STANDIN_BOOLEAN)
            standin_text_puts(text, yes ? "true" : "false");
        else if (config->kind == STANDIN_NUMBER && json_number(config->text))
            standin_text_add(text, config->text, config->len);
        else
            return standin_text_quote(text, config->text, config->len);
        return true;
    }
    standin_text_puts(text, config->form == LIST ? "[" : "{");
    for (size_t i = 0; i < config->count; i++) {
        if (i > 0)
            standin_text_puts(text, ",");
        if (config->form == OBJECT) {
            if (!write_config(text, config->keys[i]))
                return false;
            standin_text_puts(text, ":");
        }
        if (!write_config(text, config->items[i]))
            return false;
    }
    standin_text_puts(text, config->form == LIST ? "]" : "}");
    return true;
}

bool HalonMTA_config_to_json(HalonConfig *config, char **out, size_t *outlen)
{
    struct standin_text text = {NULL, 0, 0};
    bool ok;

    if (!out) {
        standin_fault_add("HalonMTA_config_to_json: out is NULL");
        return false;
    }
    *out = NULL;
    if (!is_form(config, config ? config->form : SCALAR, "HalonMTA_config_to_json"))
        return false;
    ok = write_config(&text, config);
    if (!ok) {
        text.len = 0;
        standin_text_puts(&text, "a text is not UTF-8");
    }
    *out = text.bytes;
    if (outlen)
        *outlen = text.len;
    return ok;
}

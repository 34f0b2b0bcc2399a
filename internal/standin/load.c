/*
 * load.c - the plugin itself: loading, its entry points, and the functions that it registers.
 */
#include "host.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct HalonInitContext {
    uint64_t magic;
    HalonConfig *config, *appconfig;
};

struct HalonHSLRegisterContext {
    uint64_t magic;
};

struct HalonReadyContext {
    uint64_t magic;
};

struct HalonCommandExecuteContext {
    uint64_t magic;
};

struct function {
    char *name;
    HalonHSLFunction *entry;
    bool global;
};

/* Changed by the one thread that drives the life of the plugin; calls and commands only read it. */
static struct {
    void *library;
    HalonConfig *config, *appconfig;
    struct function *functions;
    size_t count;
} plugin;

static void forget_functions(void)
{
    for (size_t i = 0; i < plugin.count; i++)
        free(plugin.functions[i].name);
    free(plugin.functions);
    plugin.functions = NULL;
    plugin.count = 0;
}

bool standin_open(const char *path, bool global, char *error, size_t size)
{
    char local[4096];
    int (*version)(void);

    if (plugin.library) {
        snprintf(error, size, "a plugin is open in this process already");
        return false;
    }
    /* Without a slash dlopen(3) would search the folders of the system. */
    snprintf(local, sizeof(local), "%s%s", strchr(path, '/') ? "" : "./", path);
    plugin.library = dlopen(local, RTLD_LAZY | (global ? RTLD_GLOBAL : RTLD_LOCAL));
    if (!plugin.library) {
        snprintf(error, size, "%s", dlerror());
        return false;
    }
    version = (int (*)(void))dlsym(plugin.library, "Halon_version");
    if (!version)
        snprintf(error, size, "%s: no Halon_version: not a plugin of Halon", path);
    else if (version() != HALONMTA_PLUGIN_VERSION)
        snprintf(error, size, "%s: Halon_version is %d, this host has %d: built on another header", path, version(),
                 HALONMTA_PLUGIN_VERSION);
    else {
        standin_faults_reset();
        return true;
    }
    dlclose(plugin.library);
    plugin.library = NULL;
    return false;
}

void standin_close(void)
{
    standin_configure(NULL, NULL);
    forget_functions();
    if (plugin.library)
        dlclose(plugin.library);
    plugin.library = NULL;
    standin_quarantine_flush();
}

void standin_configure(HalonConfig *config, HalonConfig *appconfig)
{
    standin_config_kill(plugin.config);
    standin_config_kill(plugin.appconfig);
    plugin.config = config;
    plugin.appconfig = appconfig;
}

/* ------------------------------------------------------------------------------------------------
 * Entry points. Each context and tree is made for one entry and dies with it.
 */
static void *symbol(const char *name)
{
    return plugin.library ? dlsym(plugin.library, name) : NULL;
}

static void kill_handle(void *handle)
{
    struct standin_chain chain = {NULL, NULL, 0};

    standin_block_kill(&chain, handle);
    standin_chain_release(&chain);
}

static bool enter_init(const char *name)
{
    bool (*entry)(HalonInitContext *) = (bool (*)(HalonInitContext *))symbol(name);
    HalonInitContext *context;
    bool ok;

    if (!entry)
        return true;
    context = standin_block_new(sizeof(*context), STANDIN_HANDLE);
    context->magic = STANDIN_MAGIC_INIT;
    context->config = standin_config_copy(plugin.config);
    context->appconfig = standin_config_copy(plugin.appconfig);
    ok = entry(context);
    standin_config_kill(context->config);
    standin_config_kill(context->appconfig);
    kill_handle(context);
    return ok;
}

bool standin_init(void)
{
    return enter_init("Halon_early_init") && enter_init("Halon_init");
}

bool standin_register(void)
{
    bool (*entry)(HalonHSLRegisterContext *) = (bool (*)(HalonHSLRegisterContext *))symbol("Halon_hsl_register");
    HalonHSLRegisterContext *context;
    bool ok;

    forget_functions();
    if (!entry)
        return true;
    context = standin_block_new(sizeof(*context), STANDIN_HANDLE);
    context->magic = STANDIN_MAGIC_REGISTER;
    ok = entry(context);
    kill_handle(context);
    return ok;
}

void standin_ready(void)
{
    void (*entry)(HalonReadyContext *) = (void (*)(HalonReadyContext *))symbol("Halon_ready");
    HalonReadyContext *context;

    if (!entry)
        return;
    context = standin_block_new(sizeof(*context), STANDIN_HANDLE);
    entry(context);
    kill_handle(context);
}

void standin_reload(HalonConfig *config)
{
    void (*entry)(HalonConfig *) = (void (*)(HalonConfig *))symbol("Halon_config_reload");

    if (entry)
        entry(config);
    standin_config_kill(config);
}

static void enter_plain(const char *name)
{
    void (*entry)(void) = (void (*)(void))symbol(name);

    if (entry)
        entry();
}

void standin_early_cleanup(void)
{
    enter_plain("Halon_early_cleanup");
}

void standin_cleanup(void)
{
    enter_plain("Halon_cleanup");
}

typedef bool command_entry(HalonCommandExecuteContext *, size_t, const char *[], size_t[], char **, size_t *);

bool standin_command(size_t argc, const char *const *argv, const size_t *argvl, char **out, size_t *outlen)
{
    command_entry *entry = (command_entry *)symbol("Halon_command_execute");
    struct standin_chain chain = {NULL, NULL, 0};
    HalonCommandExecuteContext *context;
    const char **lent;
    size_t *lentl, len = 0;
    char *text = NULL;
    bool ok;

    *out = NULL;
    *outlen = 0;
    if (!entry)
        return false;
    /* Exactly argc entries and no NULL at the end: the interface gives a count. */
    context = standin_block_new(sizeof(*context), STANDIN_HANDLE);
    lent = standin_block_new(argc * sizeof(*lent), STANDIN_BYTES);
    lentl = standin_block_new(argc * sizeof(*lentl), STANDIN_BYTES);
    for (size_t i = 0; i < argc; i++) {
        char *copy = standin_block_new(argvl[i] + 1, STANDIN_BYTES);

        memcpy(copy, argv[i], argvl[i]);
        lent[i] = copy;
        lentl[i] = argvl[i];
    }
    ok = entry(context, argc, lent, lentl, &text, &len);
    if (text) {
        struct standin_text whole = {NULL, 0, 0};

        standin_text_add(&whole, text, len ? len : strlen(text));
        free(text); /* fails loudly when the plugin gave memory that is not malloc(3)'s */
        *out = whole.bytes;
        *outlen = whole.len;
    } else if (len > 0) {
        standin_fault_add("Halon_command_execute: outlen is %zu and out is NULL", len);
    }
    for (size_t i = 0; i < argc; i++)
        standin_block_kill(&chain, (void *)lent[i]);
    standin_block_kill(&chain, lent);
    standin_block_kill(&chain, lentl);
    standin_block_kill(&chain, context);
    standin_chain_release(&chain);
    return ok;
}

/* ------------------------------------------------------------------------------------------------
 * Functions
 */
size_t standin_function_count(void)
{
    return plugin.count;
}

const char *standin_function_name(size_t i)
{
    return i < plugin.count ? plugin.functions[i].name : NULL;
}

bool standin_function_global(size_t i)
{
    return i < plugin.count && plugin.functions[i].global;
}

int standin_function(const char *name)
{
    for (size_t i = 0; i < plugin.count; i++)
        if (strcmp(plugin.functions[i].name, name) == 0)
            return (int)i;
    return -1;
}

HalonHSLFunction *standin_function_entry(int function)
{
    return plugin.functions[function].entry;
}

static void add_function(HalonHSLRegisterContext *context, const char *name, HalonHSLFunction *entry, bool global,
                         const char *caller)
{
    struct function *functions;

    if (!context || context->magic != STANDIN_MAGIC_REGISTER) {
        standin_fault_add("%s: outside Halon_hsl_register", caller);
        return;
    }
    if (!name || !*name) {
        standin_fault_add("%s: a function without a name", caller);
        return;
    }
    if (standin_function(name) >= 0) {
        standin_fault_add("%s: %s is registered twice", caller, name);
        return;
    }
    if (!entry)
        entry = (HalonHSLFunction *)symbol(name);
    if (!entry) {
        standin_fault_add("%s: %s has no entry and the plugin exports no symbol of that name", caller, name);
        return;
    }
    functions = standin_alloc((plugin.count + 1) * sizeof(*functions));
    if (plugin.count > 0)
        memcpy(functions, plugin.functions, plugin.count * sizeof(*functions));
    free(plugin.functions);
    plugin.functions = functions;
    functions[plugin.count++] = (struct function){strdup(name), entry, global};
}

/* ------------------------------------------------------------------------------------------------
 * What the plugin calls
 */
void HalonMTA_hsl_module_register_function(HalonHSLRegisterContext *context, const char *name,
                                           HalonHSLFunction *function)
{
    add_function(context, name, function, false, "HalonMTA_hsl_module_register_function");
}

void HalonMTA_hsl_register_function(HalonHSLRegisterContext *context, const char *name, HalonHSLFunction *function)
{
    add_function(context, name, function, true, "HalonMTA_hsl_register_function");
}

bool HalonMTA_init_getinfo(HalonInitContext *context, int what, const void *in, size_t inlen, void *out,
                           size_t *outlen)
{
    HalonConfig **config = out;

    if (!config) {
        standin_fault_add("HalonMTA_init_getinfo: out is NULL");
        return false;
    }
    *config = NULL;
    if (!context || context->magic != STANDIN_MAGIC_INIT) {
        standin_fault_add("HalonMTA_init_getinfo: outside Halon_early_init and Halon_init");
        return false;
    }
    if (in || inlen || outlen)
        standin_fault_add("HalonMTA_init_getinfo: in, inlen and outlen are not used: NULL, 0, NULL");
    if (what == HALONMTA_INIT_CONFIG)
        *config = context->config;
    else if (what == HALONMTA_INIT_APPCONFIG)
        *config = context->appconfig;
    else {
        standin_fault_add("HalonMTA_init_getinfo: there is no information %d: a number of another header?", what);
        return false;
    }
    return true;
}

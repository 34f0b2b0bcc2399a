/*
 * HalonMTA.h - our own declaration of the part of the Halon MTA's native plugin
 * interface that the Kafka plugin uses.
 *
 * THIS IS NOT HALON'S HEADER. Halon's is installed at /opt/halon/include/HalonMTA.h and wins
 * wherever it is present: every build searches -I/opt/halon/include first. This file stands in for
 * it on machines without Halon, so that the plugin can be compiled, tested and measured there.
 *
 * A plugin built on this header must NEVER be loaded into a real smtpd or hsh. The real values of
 * the constants below are not public; ours are odd on purpose, and a second set of numbers
 * (-DHALONMTA_STANDIN_ALT_NUMBERS) builds the same plugin again to prove that none of them leaked
 * into the source. The numbers, the order of declarations and the return types written as void are
 * NOT part of any ABI: only names, argument types and meaning are.
 *
 * Rules for the use of this header
 *   - Use the names, never a number: the compiler reads the number from the header that it finds.
 *   - Functions whose return type no public source shows are declared void here. Never use their
 *     result, whatever the real header says.
 *   - The entry points of a plugin (Halon_version, Halon_init, ...) are not declared here, as they
 *     are not in the original: the host finds them by name with dlsym(3). They are listed at the end.
 *
 * Words
 *   host      smtpd, hsh, or the stand-in of this project; it defines the HalonMTA_* functions
 *   plugin    the shared library; it defines the Halon_* functions
 *   the call  one invocation of a registered HSL function: from its entry until it returns or, when
 *             it was parked with HalonMTA_hsl_suspend_return, until HalonMTA_hsl_schedule
 *   lent      the host owns the memory; the plugin reads it for as long as is said and never frees it
 *
 * Clean for C11, C++ and cgo: declarations only, no function bodies.
 */
#ifndef HALONMTA_H
#define HALONMTA_H

/* Tells our sources, and the packaging, which header they were compiled on. */
#define HALONMTA_STANDIN 1

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
#define HALON_EXPORT extern "C" __attribute__((visibility("default")))
extern "C" {
#else
#define HALON_EXPORT __attribute__((visibility("default")))
#endif

/* ------------------------------------------------------------------------------------------------
 * Constants. Macros, not a named enum, so that cgo and bindgen see them without a type.
 */
#ifndef HALONMTA_STANDIN_ALT_NUMBERS

#define HALONMTA_PLUGIN_VERSION 9173 /* Halon_version returns it; any other value is refused */

#define HALONMTA_INIT_CONFIG    407 /* plugins[].config of smtpd.yaml */
#define HALONMTA_INIT_APPCONFIG 419 /* plugins[].config of smtpd-app.yaml, the running configuration */

#define HALONMTA_HSL_TYPE_NONE       61
#define HALONMTA_HSL_TYPE_BOOLEAN    37
#define HALONMTA_HSL_TYPE_NUMBER     83
#define HALONMTA_HSL_TYPE_STRING     29
#define HALONMTA_HSL_TYPE_ARRAY      53
#define HALONMTA_HSL_TYPE_FILE       71
#define HALONMTA_HSL_TYPE_X509       97
#define HALONMTA_HSL_TYPE_PRIVATEKEY 43
#define HALONMTA_HSL_TYPE_OBJECT     101
#define HALONMTA_HSL_TYPE_EXCEPTION  31
#define HALONMTA_HSL_TYPE_THIS       109

#else

#define HALONMTA_PLUGIN_VERSION 22091

#define HALONMTA_INIT_CONFIG    3571
#define HALONMTA_INIT_APPCONFIG 3559

#define HALONMTA_HSL_TYPE_NONE       1543
#define HALONMTA_HSL_TYPE_BOOLEAN    1201
#define HALONMTA_HSL_TYPE_NUMBER     1213
#define HALONMTA_HSL_TYPE_STRING     1607
#define HALONMTA_HSL_TYPE_ARRAY      1153
#define HALONMTA_HSL_TYPE_FILE       1279
#define HALONMTA_HSL_TYPE_X509       1301
#define HALONMTA_HSL_TYPE_PRIVATEKEY 1373
#define HALONMTA_HSL_TYPE_OBJECT     1409
#define HALONMTA_HSL_TYPE_EXCEPTION  1427
#define HALONMTA_HSL_TYPE_THIS       1483

#endif

/* ------------------------------------------------------------------------------------------------
 * Handles. All are opaque: the host makes and frees them, a plugin passes them back and no more.
 */
typedef struct HalonInitContext HalonInitContext;               /* lives during Halon_init */
typedef struct HalonReadyContext HalonReadyContext;             /* lives during Halon_ready */
typedef struct HalonCommandExecuteContext HalonCommandExecuteContext; /* lives during the command */
typedef struct HalonConfig HalonConfig;                         /* one node of a configuration tree */
typedef struct HalonHSLRegisterContext HalonHSLRegisterContext; /* lives during Halon_hsl_register */
typedef struct HalonHSLContext HalonHSLContext;                 /* one call; lives until its end */
typedef struct HalonHSLArguments HalonHSLArguments; /* the list of arguments; dead once the function returned */
typedef struct HalonHSLValue HalonHSLValue;         /* one HSL value; lives until the end of the call */

/*
 * An HSL function that a plugin defines. A typedef of a function, not of a pointer to one.
 *
 * The host enters it on its script threads, several at once. Arity and types are not checked before
 * entry. `ret` is none until set. Nothing may be thrown, panicked or longjmp'ed out of it.
 */
typedef void HalonHSLFunction(HalonHSLContext *context, HalonHSLArguments *arguments, HalonHSLValue *ret);

/* ------------------------------------------------------------------------------------------------
 * Start and configuration
 */

/*
 * Gives what the host knows about the plugin's start; here: its configuration.
 *
 * Callable  inside Halon_early_init and Halon_init only.
 * what      HALONMTA_INIT_CONFIG or HALONMTA_INIT_APPCONFIG.
 * in, inlen not used by these two: NULL and 0.
 * out       HalonConfig **, always written; the tree is lent until the entry point returns.
 * outlen    not used by these two: NULL.
 *
 * returns | *out     | when
 * true    | the tree | the plugin has a configuration
 * true    | NULL     | loaded without one (autoload folder): treat as an empty one
 * false   | NULL     | `what` is not known to this host
 */
bool HalonMTA_init_getinfo(HalonInitContext *context, int what, const void *in, size_t inlen, void *out,
                           size_t *outlen);

/*
 * The value of a key of an object node.
 *
 * Callable  while the tree is lent (Halon_init, Halon_config_reload).
 * Pointers  `key` stays the caller's; the node returned is lent with its tree.
 *
 * returns | when
 * a node  | the key is there
 * NULL    | the key is not there, the node is no object, or `config` is NULL
 */
HalonConfig *HalonMTA_config_object_get(HalonConfig *config, const char *key);

/*
 * The i-th key of an object node, as a scalar node: read it with HalonMTA_config_string_get. The
 * order is the host's; it must not carry meaning.
 *
 * Callable  while the tree is lent.
 * Pointers  the node returned is lent with its tree.
 *
 * returns | when
 * a node  | i is below the number of keys
 * NULL    | past the end, the node is no object, or `config` is NULL
 */
HalonConfig *HalonMTA_config_object_key_get(HalonConfig *config, size_t i);

/*
 * The i-th item of a list node. NULL ends a loop: there is no length function.
 *
 * Callable  while the tree is lent.
 * Pointers  the node returned is lent with its tree.
 *
 * returns | when
 * a node  | i is below the length
 * NULL    | past the end, the node is no list, or `config` is NULL
 */
HalonConfig *HalonMTA_config_array_get(HalonConfig *config, size_t i);

/*
 * A scalar as text, whatever its YAML type: 100000, true and "x" all come as written.
 *
 * Callable  while the tree is lent.
 * len       may be NULL; receives the length without the final NUL.
 * Pointers  the text is lent with its tree and ends with a NUL.
 *
 * returns | *len      | when
 * text    | length    | the node is a string, a number or a boolean
 * NULL    | untouched | the node is null, a list or an object, or `config` is NULL
 */
const char *HalonMTA_config_string_get(HalonConfig *config, size_t *len);

/*
 * A whole tree as JSON. Scalars keep their type: numbers are JSON numbers.
 *
 * Callable  while the tree is lent.
 * out       receives a buffer from malloc(3), or NULL; the caller frees it in both cases.
 * outlen    may be NULL; receives the length of the text, which ends with a NUL as well.
 *
 * returns | *out                | when
 * true    | JSON                | done
 * false   | error text, or NULL | `config` is NULL
 */
bool HalonMTA_config_to_json(HalonConfig *config, char **out, size_t *outlen);

/* ------------------------------------------------------------------------------------------------
 * Registration of HSL functions
 */

/*
 * Makes a function visible to scripts that import it: import { name } from "extras://<plugin id>".
 *
 * Callable  inside Halon_hsl_register only.
 * name      copied.
 * function  the entry; NULL means "the symbol of that name in the plugin", found with dlsym(3).
 * returns   nothing to use (the real type is not public).
 */
void HalonMTA_hsl_module_register_function(HalonHSLRegisterContext *context, const char *name,
                                           HalonHSLFunction *function);

/*
 * As HalonMTA_hsl_module_register_function, but the function is there in every script without an import.
 */
void HalonMTA_hsl_register_function(HalonHSLRegisterContext *context, const char *name, HalonHSLFunction *function);

/* ------------------------------------------------------------------------------------------------
 * Arguments of a call
 */

/*
 * The number of arguments that the script passed.
 *
 * Callable  inside the HSL function, until it returns.
 * returns   the number; an explicit none counts.
 */
size_t HalonMTA_hsl_argument_length(HalonHSLArguments *arguments);

/*
 * The i-th argument.
 *
 * Callable  inside the HSL function, until it returns.
 * Pointers  the value is lent until the end of the call, and so is what it lends: a parked call may
 *           still read it. The plugin must not set it.
 *
 * returns  | when
 * a value  | the script passed it; an explicit none is a value of type NONE
 * NULL     | the script passed fewer arguments
 */
HalonHSLValue *HalonMTA_hsl_argument_get(HalonHSLArguments *arguments, size_t i);

/* ------------------------------------------------------------------------------------------------
 * Values. Callable until the end of the call that the value belongs to, from the thread that runs the
 * call or, while it is parked, from one other thread. One value is not for two threads at once.
 */

/*
 * The type of a value.
 *
 * returns                 | when
 * a HALONMTA_HSL_TYPE_*   | `value` is a value
 * HALONMTA_HSL_TYPE_NONE  | `value` is NULL (the stand-in; the real host is not known to promise it)
 */
int HalonMTA_hsl_value_type(const HalonHSLValue *value);

/*
 * Reads a value as the type named. Nothing is converted.
 *
 * type     | out                         | memory
 * STRING   | const char ** (or char **)  | lent until the value changes or the call ends; ends with a
 *          |                             | NUL that *len does not count, and may hold NULs before it
 * NUMBER   | double *                    | a copy
 * BOOLEAN  | bool *                      | a copy
 *
 * len      may be NULL; written for STRING only.
 *
 * returns | out, len  | when
 * true    | written   | the value has that type
 * false   | untouched | it has another one, the type can't be read this way (ARRAY, NONE), or value is NULL
 */
bool HalonMTA_hsl_value_get(const HalonHSLValue *value, int type, void *out, size_t *len);

/*
 * Replaces a value. Every pointer that the old value lent is dead afterwards, and so are its children.
 *
 * type      | in                      | len
 * STRING    | const char *, copied    | exact bytes; 0 MEANS strlen(in), so that an empty string needs a
 *           |                         | buffer that ends with a NUL
 * NUMBER    | const double *          | 0
 * BOOLEAN   | const bool *            | 0
 * ARRAY     | NULL: an empty array    | 0
 * NONE      | NULL                    | 0
 * EXCEPTION | const char *, copied    | as STRING; only on the value that HalonMTA_hsl_throw returned
 *
 * returns  nothing to use (the real type is not public).
 */
void HalonMTA_hsl_value_set(HalonHSLValue *value, int type, const void *in, size_t len);

/*
 * The number of pairs of an array.
 *
 * returns | when
 * n       | the value is an array
 * 0       | it is not, or `value` is NULL
 */
size_t HalonMTA_hsl_value_array_length(const HalonHSLValue *value);

/*
 * The i-th pair of an array, in the order of insertion.
 *
 * key       may be NULL; receives the key, a value of type STRING or NUMBER.
 * Pointers  key and value are lent until the array changes or the call ends.
 *
 * returns   | *key      | when
 * the value | the key   | i is below the length
 * NULL      | untouched | past the end, the value is no array, or `value` is NULL
 */
HalonHSLValue *HalonMTA_hsl_value_array_get(const HalonHSLValue *value, size_t i, HalonHSLValue **key);

/*
 * The value of a string key of an array.
 *
 * Pointers  `key` stays the caller's; the value is lent until the array changes or the call ends.
 *
 * returns   | when
 * the value | the key is there
 * NULL      | it is not, the value is no array, or `value` is NULL
 */
HalonHSLValue *HalonMTA_hsl_value_array_find(const HalonHSLValue *value, const char *key);

/*
 * Appends a pair to an array; a value of type NONE becomes an array. Set the key (STRING or NUMBER) and
 * the value before the next HalonMTA_hsl_value_array_add on the same array: it may move the storage, and
 * then both pointers are dead.
 *
 * key, value  receive the new pair, lent as said; both are of type NONE at first.
 * returns     nothing to use (the real type is not public).
 */
void HalonMTA_hsl_value_array_add(HalonHSLValue *array, HalonHSLValue **key, HalonHSLValue **value);

/*
 * A value as JSON.
 *
 * out      receives a buffer from malloc(3), or NULL; the caller frees it in both cases.
 * outlen   may be NULL; receives the length of the text, which ends with a NUL as well.
 *
 * returns | *out                | when
 * true    | JSON                | done
 * false   | error text, or NULL | `value` is NULL, or has no JSON form
 */
bool HalonMTA_hsl_value_to_json(const HalonHSLValue *value, char **out, size_t *outlen);

/*
 * Replaces a value by what a JSON text says. `json` ends with a NUL and stays the caller's.
 *
 * err      receives a buffer from malloc(3), or NULL; the caller frees it in both cases.
 * errlen   may be NULL; receives the length of the text, which ends with a NUL as well.
 *
 * returns | *err                | value
 * true    | NULL                | replaced
 * false   | error text, or NULL | none
 */
bool HalonMTA_hsl_value_from_json(HalonHSLValue *value, const char *json, char **err, size_t *errlen);

/* ------------------------------------------------------------------------------------------------
 * The end of a call
 */

/*
 * Begins an exception. Set the message on the value returned (HALONMTA_HSL_TYPE_EXCEPTION) and return
 * from the HSL function at once; the script may catch it. What was written to `ret` is dropped.
 *
 * Callable  inside the HSL function, before HalonMTA_hsl_suspend_return. A parked call can't throw:
 *           report what went wrong in `ret`.
 * Pointers  the value is lent until the function returns.
 * returns   the value; never NULL.
 */
HalonHSLValue *HalonMTA_hsl_throw(HalonHSLContext *context);

/*
 * Parks the script: once the function has returned, its thread runs other scripts, and this one goes on
 * after HalonMTA_hsl_schedule. The context, `ret` and the argument values stay valid until then; the
 * HalonHSLArguments list does not.
 *
 * Callable  once in a call, as the last act of the HSL function, on its thread.
 * returns   nothing to use (the real type is not public).
 */
void HalonMTA_hsl_suspend_return(HalonHSLContext *context);

/*
 * Wakes a parked script. `ret` must be complete: afterwards nobody may touch `context`, `ret` or anything
 * that the call lent.
 *
 * Callable  exactly once in each call that parks, from any thread; it may come before the function has
 *           called HalonMTA_hsl_suspend_return (which it then still does), and is remembered.
 * returns   nothing to use (the real type is not public).
 */
void HalonMTA_hsl_schedule(HalonHSLContext *context);

#ifdef __cplusplus
}
#endif

/* ------------------------------------------------------------------------------------------------
 * What a plugin exports, found by name; only Halon_version must be there:
 *
 *   int  Halon_version(void)                          returns HALONMTA_PLUGIN_VERSION
 *   bool Halon_early_init(HalonInitContext *)         before Halon_init; false: the host does not start
 *   bool Halon_init(HalonInitContext *)               false: the host does not start
 *   bool Halon_hsl_register(HalonHSLRegisterContext *) before or after Halon_init: the order is not known
 *   void Halon_ready(HalonReadyContext *)             the host is up
 *   void Halon_config_reload(HalonConfig *)           the new running configuration; maybe NULL; lent
 *   bool Halon_command_execute(HalonCommandExecuteContext *, size_t argc, const char *argv[],
 *                              size_t argvl[], char **out, size_t *outlen)
 *                                                     halonctl plugin command <id> argv...; *out is NULL and
 *                                                     *outlen 0 on entry; *out is given to the host, which
 *                                                     frees it with free(3); *outlen 0 means strlen(*out);
 *                                                     true: success, false: failed, both may carry text
 *   void Halon_early_cleanup(void)                    the host stops; scripts may still be parked
 *   void Halon_cleanup(void)                          the last call; maybe also after Halon_init said false
 */

#endif

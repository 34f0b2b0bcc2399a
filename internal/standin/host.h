/*
 * host.h - what the C files of the stand-in host share with one another, and nobody else.
 *
 * Every name starts with standin_: the executable exports its symbols so that the plugin finds
 * HalonMTA_*, and a shorter name could take the place of one of the plugin's own.
 */
#ifndef STANDIN_HOST_H
#define STANDIN_HOST_H

#include "standin.h"

#include <pthread.h>

/*
 * One lock for the state of calls, the quarantine, faults and events. No plugin code runs and nothing
 * blocks under it, so there is no order of locks to keep.
 */
extern pthread_mutex_t standin_lock;

/* ------------------------------------------------------------------------------------------------
 * Memory that outlives its meaning (block.c)
 *
 * A HANDLE is a struct that the plugin only passes back to us: when it ends we poison it and keep it, so
 * that a late use finds a wrong magic number and becomes a fault with a text. BYTES are read by the plugin
 * itself: they are poisoned too, and under AddressSanitizer freed at once, so that a late read stops the
 * process with both stacks.
 */
enum standin_block_kind { STANDIN_HANDLE, STANDIN_BYTES };

/* Dead blocks of one operation, so that the quarantine's lock is taken once for all of them. */
struct standin_block;
struct standin_chain {
    struct standin_block *first, *last;
    size_t bytes;
};

void *standin_block_new(size_t size, enum standin_block_kind kind); /* zeroed, never NULL */
void standin_block_kill(struct standin_chain *chain, void *body);   /* NULL is allowed */
void standin_chain_release(struct standin_chain *chain);            /* takes standin_lock */
void standin_chain_release_locked(struct standin_chain *chain);     /* has it */

/* Every handle starts with one of these; a poisoned one starts with none. */
#define STANDIN_MAGIC_VALUE    0x56414c5545a1u
#define STANDIN_MAGIC_ARGS     0x41524753a1u
#define STANDIN_MAGIC_CALL     0x43414c4ca1u
#define STANDIN_MAGIC_CONFIG   0x434f4e46a1u
#define STANDIN_MAGIC_INIT     0x494e4954a1u
#define STANDIN_MAGIC_REGISTER 0x524547a1u

/* Has no lock and must be called without standin_lock. */
void standin_fault_add(const char *format, ...) __attribute__((format(printf, 1, 2)));
void standin_faults_reset(void);

/* ------------------------------------------------------------------------------------------------
 * Values (value.c, array.c)
 */
enum standin_access {
    STANDIN_WRITABLE,  /* the result of a call, and what was added to it */
    STANDIN_READONLY,  /* an argument, and what it holds */
    STANDIN_EXCEPTION, /* made by HalonMTA_hsl_throw */
    STANDIN_PRIVATE    /* the host's own copy of a result */
};

struct standin_pair {
    HalonHSLValue *key, *value;
    bool lent;        /* the plugin got a pointer to one of them */
    size_t next_lent; /* the next such pair: its index + 1, or 0 */
};

struct HalonHSLValue {
    uint64_t magic;
    enum standin_access access;
    int type; /* HALONMTA_HSL_TYPE_* */
    union {
        double number;
        bool boolean;
        struct {
            char *bytes;
            size_t len;
        } string;
        struct {
            struct standin_pair *pairs;
            size_t count, capacity, first_lent;
        } array;
    } as;
};

HalonHSLValue *standin_value_new(enum standin_access access);
HalonHSLValue *standin_value_copy(const HalonHSLValue *value, enum standin_access access);
HalonHSLValue *standin_value_move(struct standin_chain *chain, HalonHSLValue *value); /* a new handle, the old one dies */
void standin_value_clear(struct standin_chain *chain, HalonHSLValue *value);          /* to none */
void standin_value_kill(struct standin_chain *chain, HalonHSLValue *value);           /* NULL is allowed */
bool standin_value_alive(const HalonHSLValue *value, const char *function);           /* or a fault; false for NULL */
const char *standin_type_name(int type);                                              /* NULL: no such type */

/* ------------------------------------------------------------------------------------------------
 * Text that grows (text.c)
 */
struct standin_text {
    char *bytes; /* for free(3); ends with a NUL */
    size_t len, capacity;
};

void standin_text_add(struct standin_text *text, const char *bytes, size_t len);
void standin_text_puts(struct standin_text *text, const char *string);
void standin_text_number(struct standin_text *text, double number);
bool standin_text_quote(struct standin_text *text, const char *bytes, size_t len); /* false: not UTF-8 */

/* malloc(3), or the end of the process: a test host has nothing to save when memory is out. */
void *standin_alloc(size_t size);

/* ------------------------------------------------------------------------------------------------
 * Configuration, registration, events: what load.c and call.c need of each other
 */
HalonConfig *standin_config_copy(const HalonConfig *config); /* NULL for NULL */
void standin_config_kill(HalonConfig *config);               /* poisons; NULL is allowed */

HalonHSLFunction *standin_function_entry(int function);

void standin_event_put_locked(struct standin_event event);

#endif

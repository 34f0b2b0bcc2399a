/*
 * block.c - memory that is kept, poisoned, after its end.
 *
 * A plugin that keeps a pointer which the host only lent works in every simple test: freed memory
 * usually still holds the old bytes. So nothing that a plugin may have seen goes straight back to malloc(3): it is
 * filled with a pattern and waits in a queue. Whoever reads it reads the pattern; whoever passes it back
 * to us is found by the missing magic number; whoever writes it is found when it leaves the queue.
 *
 *     +--------+--------+--------+--------+----------------------+--------+
 *     | size   | next   | kind   | -      | body                 | canary |
 *     +--------+--------+--------+--------+----------------------+--------+
 *                                         ^ what the users see
 */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define STANDIN_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STANDIN_ASAN 1
#endif
#endif
#ifndef STANDIN_ASAN
#define STANDIN_ASAN 0
#endif

#define POISON 0xA5

/* Long enough that a plugin which is a few thousand calls late is still caught. */
#define QUARANTINE_BYTES (32u << 20)

static const unsigned char canary[8] = {0xC3, 0x5A, 0xC3, 0x5A, 0xC3, 0x5A, 0xC3, 0x5A};

struct standin_block {
    size_t size;
    struct standin_block *next;
    enum standin_block_kind kind;
    uint64_t padding; /* the body starts at a multiple of 16 */
};

static struct standin_chain quarantine; /* standin_lock */

void *standin_alloc(size_t size)
{
    void *memory = malloc(size ? size : 1);

    if (!memory) {
        fprintf(stderr, "standin: out of memory for %zu bytes\n", size);
        abort();
    }
    return memory;
}

static unsigned char *body_of(struct standin_block *block)
{
    return (unsigned char *)(block + 1);
}

void *standin_block_new(size_t size, enum standin_block_kind kind)
{
    struct standin_block *block = standin_alloc(sizeof(*block) + size + sizeof(canary));

    block->size = size;
    block->next = NULL;
    block->kind = kind;
    block->padding = 0;
    memset(body_of(block), 0, size);
    memcpy(body_of(block) + size, canary, sizeof(canary));
    return body_of(block);
}

void standin_block_kill(struct standin_chain *chain, void *body)
{
    struct standin_block *block;

    if (!body)
        return;
    block = (struct standin_block *)body - 1;
    if (memcmp(body_of(block) + block->size, canary, sizeof(canary)) != 0)
        standin_fault_add("memory: the plugin wrote past the end of %zu bytes that the host lent", block->size);
    memset(body_of(block), POISON, block->size);
    if (STANDIN_ASAN && block->kind == STANDIN_BYTES) {
        free(block);
        return;
    }
    block->next = NULL;
    if (chain->last)
        chain->last->next = block;
    else
        chain->first = block;
    chain->last = block;
    chain->bytes += sizeof(*block) + block->size;
}

static bool untouched(struct standin_block *block)
{
    const unsigned char *body = body_of(block);

    /* The first byte is the pattern and each byte equals the one before it. */
    return block->size == 0 || (body[0] == POISON && memcmp(body, body + 1, block->size - 1) == 0);
}

/* Takes blocks out of the quarantine until no more than `keep` bytes are left. */
static struct standin_block *evict_locked(size_t keep)
{
    struct standin_block *first = quarantine.first, *last = NULL;

    while (quarantine.first && quarantine.bytes > keep) {
        last = quarantine.first;
        quarantine.bytes -= sizeof(*last) + last->size;
        quarantine.first = last->next;
    }
    if (!quarantine.first)
        quarantine.last = NULL;
    if (!last)
        return NULL;
    last->next = NULL;
    return first;
}

/* Outside the lock: a fault takes it. */
static void check_and_free(struct standin_block *block)
{
    while (block) {
        struct standin_block *next = block->next;

        if (!untouched(block))
            standin_fault_add("memory: the plugin wrote to %zu bytes after the host had taken them back", block->size);
        free(block);
        block = next;
    }
}

void standin_chain_release_locked(struct standin_chain *chain)
{
    if (!chain->first)
        return;
    if (quarantine.last)
        quarantine.last->next = chain->first;
    else
        quarantine.first = chain->first;
    quarantine.last = chain->last;
    quarantine.bytes += chain->bytes;
    *chain = (struct standin_chain){NULL, NULL, 0};
}

void standin_chain_release(struct standin_chain *chain)
{
    struct standin_block *old;

    pthread_mutex_lock(&standin_lock);
    standin_chain_release_locked(chain);
    old = evict_locked(QUARANTINE_BYTES);
    pthread_mutex_unlock(&standin_lock);
    check_and_free(old);
}

void standin_quarantine_flush(void)
{
    struct standin_block *old;

    pthread_mutex_lock(&standin_lock);
    old = evict_locked(0);
    pthread_mutex_unlock(&standin_lock);
    check_and_free(old);
}

#include "explore.h"

#undef malloc
#undef free

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define LONGEST 1024 /* steps of a run */
#define STACK   65536
#define ARENA   262144
#define REGIONS 64
#define MEMORY  4096 /* places that steps touch, a power of two; a few hundred are used */
#define BELOW   8192 /* bytes of a stack that calls without a step use at most */

struct pending {
    enum step_kind kind;
    const volatile void *at;
    const char *file; /* NULL before the first step */
    int line;
    bool over; /* the thread has ended */
};

/* A place in the run: which threads can go on, and which of them have been tried. */
struct place {
    unsigned enabled, tried;
    int chosen;
    struct pending did;
};

static struct {
    const struct scenario *scenario;
    ucontext_t begin[THREADS];
    jmp_buf scheduler, thread[THREADS];
    bool begun[THREADS];
    char *resume[THREADS]; /* where the stack of a thread that waits begins */
    char *lowest[THREADS]; /* of the stacks that a run has had: what is behind it is 0 */
    _Alignas(64) char stack[THREADS][STACK], arena[ARENA];
    size_t arena_used;
    int current; /* -1: none, and steps are not counted */
    struct pending next[THREADS];
    struct place run[LONGEST];
    int depth;
    struct {
        const volatile void *lock;
        int owner;
    } locks[16];
    int lock_count;
    struct {
        char *at, *begin;
        size_t size;
        bool decides;
    } regions[REGIONS];
    int region_count;
    struct {
        const volatile void *at;
        unsigned readers, writers; /* bits of threads */
        bool shared;
    } memory[MEMORY];
    bool more_shared; /* since the exploration was begun */
    uint64_t *visited; /* hashes, 0 is a free place */
    size_t visited_size, visited_count;
} x = {.current = -1};

int explore_current(void)
{
    return x.current;
}

void broken(const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "\n%s:\n", x.scenario->name);
    for (int i = 0; i < x.depth; i++) {
        static const char *const kinds[] = {"reads", "writes", "locks", "unlocks", "awaits"};
        const struct pending *p = &x.run[i].did;

        fprintf(stderr, "  thread %d %-7s %s:%d\n", x.run[i].chosen, p->file ? kinds[p->kind] : "begins", p->file ? p->file : "", p->line);
    }
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

void explore_memory(void *at, size_t size, bool decides)
{
    char *begin = malloc(size);

    if (x.region_count == REGIONS || !begin)
        broken("too much memory");
    memcpy(begin, at, size);
    x.regions[x.region_count].at = at;
    x.regions[x.region_count].begin = begin;
    x.regions[x.region_count].decides = decides;
    x.regions[x.region_count++].size = size;
}

/* The addresses in a run depend on nothing but the order of its steps. Nothing is used again: the run is short. */
void *explore_alloc(size_t size)
{
    if (x.current < 0)
        return malloc(size);
    char *at = x.arena + x.arena_used;
    x.arena_used += (size + 63) & ~(size_t)63;
    if (x.arena_used > ARENA)
        broken("the arena is too small");
    return at;
}

void explore_free(void *at)
{
    if ((char *)at < x.arena || (char *)at >= x.arena + ARENA)
        free(at);
}

static int *owner_of(const volatile void *lock)
{
    for (int i = 0; i < x.lock_count; i++)
        if (x.locks[i].lock == lock)
            return &x.locks[i].owner;
    if (x.lock_count == sizeof x.locks / sizeof x.locks[0])
        broken("too many locks");
    x.locks[x.lock_count].lock = lock;
    x.locks[x.lock_count].owner = -1;
    return &x.locks[x.lock_count++].owner;
}

/* Goes back to the scheduler. swapcontext would ask the kernel for the mask of signals, each time. */
static __attribute__((noinline)) void yield(int self)
{
    x.resume[self] = __builtin_frame_address(0);
    if (x.resume[self] < x.lowest[self])
        x.lowest[self] = x.resume[self];
    if (_setjmp(x.thread[self]) == 0)
        _longjmp(x.scheduler, 1);
}

/*
 * Whether one thread writes a place that another one uses, as far as that was seen. What is done elsewhere needs no step. When a place
 * turns out to be shared, everything is explored again with steps there.
 */
static bool is_shared(enum step_kind kind, const volatile void *at, int thread)
{
    size_t i = (uintptr_t)at / 4 * UINT64_C(0x9e3779b97f4a7c15) >> 52;

    while (x.memory[i].at && x.memory[i].at != at)
        i = (i + 1) % MEMORY;
    x.memory[i].at = at;
    if (kind == STEP_READ || kind == STEP_AWAIT)
        x.memory[i].readers |= 1u << thread;
    else
        x.memory[i].writers |= 1u << thread;
    unsigned writers = x.memory[i].writers, users = writers | x.memory[i].readers;
    if (kind >= STEP_LOCK) /* these wait */
        return true;
    if (!x.memory[i].shared && writers && (users & (users - 1)))
        x.memory[i].shared = x.more_shared = true;
    return x.memory[i].shared;
}

void step(enum step_kind kind, const volatile void *at, const char *file, int line)
{
    int self = x.current;

    if (self < 0 || explore_ignores(at) || !is_shared(kind, at, self))
        return;
    x.next[self] = (struct pending){kind, at, file, line, false};
    yield(self);
    if (kind == STEP_LOCK)
        *owner_of(at) = self;
    if (kind == STEP_UNLOCK)
        *owner_of(at) = -1;
}

void await(const _Atomic uint64_t *at)
{
    STEP(STEP_AWAIT, at);
}

static void begin_thread(void)
{
    int self = x.current;

    x.scenario->thread[self]();
    x.next[self] = (struct pending){.over = true};
    yield(self);
}

static bool is_enabled(const struct pending *p)
{
    if (p->over)
        return false;
    if (p->file && p->kind == STEP_LOCK)
        return *owner_of(p->at) < 0;
    if (p->file && p->kind == STEP_AWAIT)
        return __atomic_load_n((const _Atomic uint64_t *)p->at, __ATOMIC_SEQ_CST) != 0;
    return true;
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
    const uint64_t *word = bytes;

    for (size_t i = 0; i < size / 8; i++) {
        hash = (hash ^ word[i]) * UINT64_C(0x9fb21c651e98df25);
        hash ^= hash >> 29;
    }
    return hash;
}

/* The registers of a thread and its stack, from the frame of yield on. */
static uint64_t mix_thread(uint64_t hash, int t)
{
    if (x.next[t].over || !x.begun[t])
        return (hash ^ (x.next[t].over ? 1 : 2)) * UINT64_C(0x9fb21c651e98df25);
    const char *from = x.resume[t];
    hash = mix(hash, x.thread[t], 64);
    return mix(hash, from, (size_t)(x.stack[t] + STACK - from));
}

/* Notes the state, and says whether it was visited before. */
static bool visited(void)
{
    uint64_t hash = 1;

    for (int i = 0; i < x.region_count; i++)
        if (x.regions[i].decides)
            hash = mix(hash, x.regions[i].at, x.regions[i].size);
    hash = mix(hash, x.arena, (x.arena_used + 7) & ~(size_t)7);
    for (int i = 0; i < x.lock_count; i++)
        hash = (hash ^ (uint64_t)(x.locks[i].owner + 2)) * UINT64_C(0x9fb21c651e98df25);
    for (int t = 0; t < THREADS; t++)
        hash = mix_thread(hash, t);
    hash += !hash;
    if (2 * x.visited_count >= x.visited_size) {
        size_t size = x.visited_size ? 2 * x.visited_size : 1 << 16;
        uint64_t *larger = calloc(size, sizeof *larger);

        if (!larger)
            broken("no memory for the states");
        for (size_t i = 0; i < x.visited_size; i++)
            if (x.visited[i]) {
                size_t at = x.visited[i] & (size - 1);
                while (larger[at])
                    at = (at + 1) & (size - 1);
                larger[at] = x.visited[i];
            }
        free(x.visited);
        x.visited = larger;
        x.visited_size = size;
    }
    size_t at = hash & (x.visited_size - 1);
    for (; x.visited[at]; at = (at + 1) & (x.visited_size - 1))
        if (x.visited[at] == hash)
            return true;
    x.visited[at] = hash;
    x.visited_count++;
    return false;
}

static void run_thread(int thread)
{
    x.current = thread;
    if (_setjmp(x.scheduler) == 0) {
        if (x.begun[thread])
            _longjmp(x.thread[thread], 1);
        x.begun[thread] = true;
        setcontext(&x.begin[thread]);
    }
    x.current = -1;
}

/* Runs once: the first `replayed` choices are those of the run before. False: it came to a state that was visited before. */
static bool run_once(int replayed)
{
    x.depth = x.lock_count = 0;
    memset(x.arena, 0, x.arena_used);
    x.arena_used = 0;
    for (int i = 0; i < x.region_count; i++)
        memcpy(x.regions[i].at, x.regions[i].begin, x.regions[i].size);
    for (int t = 0; t < THREADS; t++) {
        if (x.lowest[t]) /* what an earlier run has left in a frame must not look like another state */
            memset(x.lowest[t] - BELOW, 0, (size_t)(x.stack[t] + STACK - x.lowest[t]) + BELOW);
        x.lowest[t] = x.stack[t] + STACK;
        getcontext(&x.begin[t]);
        x.begin[t].uc_stack.ss_sp = x.stack[t];
        x.begin[t].uc_stack.ss_size = STACK;
        makecontext(&x.begin[t], begin_thread, 0);
        x.begun[t] = false;
        x.next[t] = (struct pending){.kind = STEP_READ};
    }
    for (;; x.depth++) {
        struct place *here = &x.run[x.depth];
        bool alive = false;

        if (x.depth == LONGEST - 1)
            broken("more than %d steps", LONGEST);
        if (x.depth >= replayed) {
            if (visited())
                return false;
            here->enabled = here->tried = 0;
            for (int t = 0; t < THREADS; t++) {
                here->enabled |= (unsigned)is_enabled(&x.next[t]) << t;
                alive = alive || !x.next[t].over;
            }
            if (!alive)
                return true;
            if (!here->enabled)
                broken("all threads wait");
            here->chosen = __builtin_ctz(here->enabled);
        }
        here->tried |= 1u << here->chosen;
        here->did = x.next[here->chosen];
        run_thread(here->chosen);
    }
}

uint64_t explore(const struct scenario *scenario)
{
    x.scenario = scenario;
    for (; x.region_count > 0; x.region_count--)
        free(x.regions[x.region_count - 1].begin);
    free(x.visited);
    x.visited = NULL;
    x.visited_size = x.visited_count = 0;
    scenario->setup();
    memset(x.memory, 0, sizeof x.memory);
    for (int replayed = 0;;) {
        x.more_shared = false;
        if (run_once(replayed))
            scenario->verdict();
        if (x.more_shared) {
            memset(x.visited, 0, x.visited_size * sizeof *x.visited);
            x.visited_count = replayed = 0;
            continue;
        }
        int i = x.depth - 1;
        while (i >= 0 && !(x.run[i].enabled & ~x.run[i].tried))
            i--;
        if (i < 0)
            return x.visited_count;
        x.run[i].chosen = __builtin_ctz(x.run[i].enabled & ~x.run[i].tried);
        replayed = i + 1;
    }
}

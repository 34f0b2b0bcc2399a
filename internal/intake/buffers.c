#include <stdlib.h>
#include <string.h>

#include "buffers.h"

/* The smallest buffer, 4 KiB, is for a trickle; a batch begins with as much as the last of its partition has needed, up to BEGIN. */
#define SMALLEST 12
#define BEGIN 6 /* 256 KiB */

static size_t size_of(unsigned room)
{
    return (size_t)1 << (SMALLEST + room);
}

static unsigned room_for(size_t bytes)
{
    unsigned room = 0;

    while (room < INTAKE_ROOMS && size_of(room) < bytes)
        room++;
    return room;
}

/* A buffer of that size, or NULL. */
static char *take_buffer(struct intake_packer *p, unsigned room)
{
    char *buffer = p->buffers[room];

    if (!buffer) {
        p->idle[room] = 0;
        return malloc(size_of(room));
    }
    memcpy(&p->buffers[room], buffer, sizeof(char *));
    if (--p->buffer_count[room] < p->idle[room])
        p->idle[room] = p->buffer_count[room];
    return buffer;
}

static void put_buffer(struct intake_packer *p, char *buffer, size_t size)
{
    unsigned room = room_for(size);

    if (room >= INTAKE_ROOMS || size_of(room) != size) {
        free(buffer);
        return;
    }
    memcpy(buffer, &p->buffers[room], sizeof(char *));
    p->buffers[room] = buffer;
    p->buffer_count[room]++;
}

bool intake_batch_reserve(struct intake_packer *p, struct intake_batch *b, size_t more)
{
    size_t need = b->used + more;

    if (need <= b->room)
        return true;
    unsigned room = room_for(need > 4 * b->room ? need : 4 * b->room);
    if (room >= INTAKE_ROOMS)
        room = room_for(need);
    size_t size = room < INTAKE_ROOMS ? size_of(room) : need;
    char *buffer = room < INTAKE_ROOMS ? take_buffer(p, room) : malloc(size);
    if (!buffer)
        return false;
    memcpy(buffer, b->bytes, b->used);
    put_buffer(p, b->bytes, b->room);
    b->bytes = buffer;
    b->room = size;
    return true;
}

struct intake_batch *intake_batch_begin(struct intake_packer *p, struct intake_route *route, int32_t partition, int64_t first)
{
    struct intake_batch *b = p->free;
    unsigned room = route->rooms[partition];

    if (b)
        p->free = b->next;
    else if (!(b = malloc(sizeof *b)))
        return NULL;
    memset(b, 0, sizeof *b);
    b->bytes = take_buffer(p, room);
    if (!b->bytes) {
        free(b);
        return NULL;
    }
    b->room = size_of(room);
    b->topic = route->topic;
    b->partition = partition;
    b->first = b->oldest = b->newest = first;
    b->size = b->used = INTAKE_BATCH_HEAD;
    b->older = p->newest;
    if (b->older)
        b->older->newer = b;
    p->newest = b;
    return b;
}

static struct intake_route *route_of(const struct intake_packer *p, uint32_t topic)
{
    return topic < p->route_room ? p->routes[topic] : NULL;
}

void intake_batch_free(struct intake_packer *p, struct intake_batch *b)
{
    struct intake_route *route = route_of(p, b->topic);

    if (route && b->partition < route->partitions) {
        if (route->open[b->partition] == b)
            route->open[b->partition] = NULL;
        unsigned room = room_for(b->used);
        route->rooms[b->partition] = (uint8_t)(room < BEGIN ? room : BEGIN);
    }
    if (b->newer)
        b->newer->older = b->older;
    else
        p->newest = b->older;
    if (b->older)
        b->older->newer = b->newer;
    for (uint32_t i = 0; i < b->chunk_count; i++)
        intake_free(p->in, b->chunks[i]);
    free(b->chunks);
    free(b->pieces);
    free(b->named);
    put_buffer(p, b->bytes, b->room);
    b->next = p->free;
    p->free = b;
}

static void close_open(struct intake_route *route, int32_t from)
{
    for (int32_t i = from; i < route->partitions; i++)
        if (route->open[i]) {
            route->open[i]->closed = true;
            route->open[i] = NULL;
        }
}

static void free_route(struct intake_route *route)
{
    free(route->led);
    free(route->open);
    free(route->rooms);
    free(route);
}

void intake_route_drop(struct intake_packer *p, uint32_t topic)
{
    struct intake_route *route = route_of(p, topic);

    if (!route)
        return;
    close_open(route, 0);
    p->routes[topic] = NULL;
    free_route(route);
}

static bool make_room(struct intake_packer *p, uint32_t topic)
{
    if (topic < p->route_room)
        return true;
    uint32_t room = p->route_room ? 2 * p->route_room : 64;
    while (room <= topic)
        room *= 2;
    struct intake_route **routes = realloc(p->routes, room * sizeof *routes);
    if (!routes)
        return false;
    memset(routes + p->route_room, 0, (room - p->route_room) * sizeof *routes);
    p->routes = routes;
    p->route_room = room;
    return true;
}

static bool resize(struct intake_route *route, int32_t partitions, int32_t led_count)
{
    struct intake_batch **open = realloc(route->open, (size_t)partitions * sizeof *open);
    if (open)
        route->open = open;
    uint8_t *rooms = realloc(route->rooms, (size_t)partitions);
    if (rooms)
        route->rooms = rooms;
    int32_t *led = realloc(route->led, (size_t)(led_count ? led_count : 1) * sizeof *led);
    if (led)
        route->led = led;
    return open && rooms && led;
}

bool intake_route_set(struct intake_packer *p, uint32_t topic, int32_t partitions, const int32_t *led, int32_t led_count)
{
    if (!make_room(p, topic))
        return false;
    struct intake_route *route = p->routes[topic];
    if (!route) {
        route = calloc(1, sizeof *route);
        if (!route)
            return false;
        route->topic = topic;
        route->choice.partition = -1;
        p->routes[topic] = route;
    }
    int32_t before = partitions < route->partitions ? partitions : route->partitions;
    close_open(route, before);
    route->partitions = before; /* what a failure below leaves */
    if (!resize(route, partitions, led_count)) {
        intake_route_drop(p, topic);
        return false;
    }
    memset(route->open + before, 0, (size_t)(partitions - before) * sizeof *route->open);
    memset(route->rooms + before, 0, (size_t)(partitions - before));
    if (led_count)
        memcpy(route->led, led, (size_t)led_count * sizeof *led);
    route->led_count = led_count;
    route->partitions = partitions;
    return true;
}

struct intake_packer *intake_packer_new(struct intake *in, struct intake_chooser chooser, int32_t max_records, int64_t max_bytes)
{
    struct intake_packer *p = calloc(1, sizeof *p);

    if (p) {
        p->in = in;
        p->chooser = chooser;
        p->max_records = max_records;
        p->max_bytes = max_bytes;
    }
    return p;
}

static void trim(struct intake_packer *p, unsigned room, uint32_t give)
{
    for (; give; give--) {
        char *buffer = p->buffers[room];

        memcpy(&p->buffers[room], buffer, sizeof(char *));
        p->buffer_count[room]--;
        free(buffer);
    }
}

void intake_packer_trim(struct intake_packer *p)
{
    for (unsigned room = 0; room < INTAKE_ROOMS; room++) {
        trim(p, room, (p->idle[room] + 1) / 2);
        p->idle[room] = p->buffer_count[room];
    }
}

void intake_packer_free(struct intake_packer *p)
{
    while (p->newest)
        intake_batch_free(p, p->newest);
    for (uint32_t i = 0; i < p->route_room; i++)
        if (p->routes[i])
            free_route(p->routes[i]);
    for (unsigned room = 0; room < INTAKE_ROOMS; room++)
        trim(p, room, p->buffer_count[room]);
    while (p->free) {
        struct intake_batch *next = p->free->next;

        free(p->free);
        p->free = next;
    }
    free(p->routes);
    free(p);
}

/*
 * producer_shim.h - what crosses the border between the host's C and our Go.
 *
 * Everything that a call needs is gathered in C into one struct kafka_call, and Go is entered once.
 * Asking the host for each argument from Go would cost five times as much.
 */
#ifndef KAFKA_PRODUCER_SHIM_H
#define KAFKA_PRODUCER_SHIM_H

#include <HalonMTA.h>
#include <intake.h>
#include <stdbool.h>
#include <stddef.h>

/* The order is that of binding.Kind. */
enum kafka_kind {
    KAFKA_MISSING,
    KAFKA_NONE,
    KAFKA_STRING,
    KAFKA_NUMBER,
    KAFKA_BOOLEAN,
    KAFKA_ARRAY,
    KAFKA_OTHER
};

/* The order is that of the arguments of kafka_producer and kafka_deliver, which differ in the last. */
enum kafka_position {
    KAFKA_ID,
    KAFKA_TOPIC,
    KAFKA_VALUE,
    KAFKA_KEY,
    KAFKA_HEADERS,
    KAFKA_PARTITION,
    KAFKA_BLOCK,
    KAFKA_TIMEOUT = KAFKA_BLOCK,
    KAFKA_ARGUMENTS
};

/* What Go has decided, and C does. */
enum kafka_action {
    KAFKA_DONE,   /* [] */
    KAFKA_FAILED, /* ["errno"=>code,"errstr"=>text] */
    KAFKA_THROW,  /* an exception with text */
    KAFKA_PARK    /* suspend; kafka_resume comes later, or has come already */
};

/* One argument. bytes is lent by the host until the call ends. */
struct kafka_arg {
    int kind;
    bool boolean;
    double number;
    const char *bytes;
    size_t length;
};

struct kafka_call {
    HalonHSLContext *context;
    HalonHSLValue *ret;
    struct kafka_arg args[KAFKA_ARGUMENTS];
    struct intake_pair *pairs; /* headers whose name and value are strings; lent like bytes */
    size_t pair_count;
    long long milliseconds; /* since 1970: the time of the message */

    enum kafka_action action; /* from here on written by Go */
    int code;
    char text[256]; /* NUL-terminated, also when it is empty */
};

/* The numbers of kafka_status, in the order in which a script gets them. */
enum kafka_number {
    KAFKA_SINCE,
    KAFKA_QUEUED,
    KAFKA_ON_DISK,
    KAFKA_IN_FLIGHT,
    KAFKA_OLDEST_AGE,
    KAFKA_IN,
    KAFKA_DELIVERED,
    KAFKA_GIVEN_UP,
    KAFKA_DROPPED,
    KAFKA_EXPIRED,
    KAFKA_DEAD,
    KAFKA_REFUSED,
    KAFKA_IN_RATE,
    KAFKA_DELIVERED_RATE,
    KAFKA_NUMBERS
};

/* One call of kafka_status, and its answer; the texts end with a NUL. */
struct kafka_status {
    struct kafka_arg id;
    enum kafka_action action; /* from here on written by Go: KAFKA_DONE or KAFKA_THROW */
    char state[16], kind[16];
    char text[512]; /* the reason, or the exception */
    double numbers[KAFKA_NUMBERS];
    bool paused;
};

/*
 * kafka_resume - ends a parked call: writes its result, then schedules the script.
 *
 * When callable: once for each call whose action was KAFKA_PARK, from any thread.
 * Owns: nothing; context and ret are the host's and must not be touched afterwards.
 *
 *   code 0      ret becomes []
 *   other       ret becomes ["errno"=>code,"errstr"=>text]
 */
void kafka_resume(HalonHSLContext *context, HalonHSLValue *ret, int code, const char *text);

/*
 * kafka_resume_delivered - ends a parked call of kafka_deliver with what the broker has acknowledged.
 *
 * When callable, owns: as kafka_resume. topic stays the caller's.
 *
 *   ret becomes ["topic"=>topic,"partition"=>partition,"offset"=>offset,"timestamp"=>timestamp]
 */
void kafka_resume_delivered(HalonHSLContext *context, HalonHSLValue *ret, const char *topic, double partition,
                            double offset, double timestamp);

/*
 * kafka_text - says the text of a code that a call is answered with when Go need not be asked.
 *
 * When callable: before the first call of a script. text stays the caller's. A code keeps its first text.
 */
void kafka_text(int code, const char *text);

/*
 * kafka_gone - says the exception of a call whose queue has ended and is known no more. As kafka_text.
 */
void kafka_gone(const char *text);

/*
 * kafka_syslog - syslog(3) with a text that is not a format.
 *
 * When callable: at any time, from any thread. text stays the caller's.
 */
void kafka_syslog(int priority, const char *text);

#endif

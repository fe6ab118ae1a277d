/* What several links share and must not overload: a host takes only so many jobs at a time; an account that refused the
 * sign-in, is out of reach or asked to wait is left alone for a while and is then tried by one link only, so that fifty
 * links with a wrong password are one try and no lock-out. Used by core/scheduler.c, on the loop's thread. Times are
 * monotonic. */
#ifndef ABGLEICH_THROTTLE_H
#define ABGLEICH_THROTTLE_H

#include "base/fault.h"
#include "core/due_queue.h"

#include <uthash.h>

struct throttle {
    char *name;
    size_t most, running, links; /* jobs at a time; jobs now; links that pass through it */
    unsigned failures;           /* in a row */
    enum fault_code code;        /* of the last failure */
    int64_t closed_until_ms, failed_ms;
    struct due_queue waiting; /* for room */
    UT_hash_handle hh;        /* names come from the configuration, not from strangers: uthash's own hash will do */
};

/* The throttle of that name in a table (NULL = empty table), made where there is none. */
struct throttle *throttle_of(struct throttle **table, const char *name);
/* Frees the throttles nobody passes through any more. all: every one. */
void throttles_drop(struct throttle **table, bool all);
bool throttle_is_closed(const struct throttle *g, int64_t now_ms);
size_t throttle_room(const struct throttle *g); /* for how many more jobs */
/* A job that began at started_ms failed. Several that ran side by side are one failure. */
void throttle_failed(struct throttle *g, enum fault_code code, int64_t started_ms, int64_t now_ms);
void throttle_close(struct throttle *g, int64_t until_ms); /* never opens it earlier */
void throttle_open(struct throttle *g);                    /* it works again */

#endif

/* What several links share and must not overload: a host takes only so many jobs at a time; an account that refused the
 * sign-in, is out of reach or asked to wait is left alone for a while and is then tried by one link only, so that fifty
 * links with a wrong password are one try and no lock-out. Used by core/scheduler.c, on the loop's thread. Times are
 * monotonic. */
#ifndef ABGLEICH_GATE_H
#define ABGLEICH_GATE_H

#include "base/fault.h"
#include "core/due_queue.h"

#include <uthash.h>

struct gate {
    char *name;
    size_t most, running, links; /* jobs at a time; jobs now; links that pass through it */
    unsigned failures;           /* in a row */
    enum fault_code code;        /* of the last failure */
    int64_t closed_until_ms, failed_ms;
    struct due_queue waiting; /* for room */
    UT_hash_handle hh;        /* names come from the configuration, not from strangers: uthash's own hash will do */
};

/* The gate of that name in a table (NULL = empty table), made where there is none. */
struct gate *gate_of(struct gate **table, const char *name);
/* Frees the gates nobody passes through any more. all: every one. */
void gates_drop(struct gate **table, bool all);
bool gate_is_closed(const struct gate *g, int64_t now_ms);
size_t gate_room(const struct gate *g); /* for how many more jobs */
/* A job that began at started_ms failed. Several that ran side by side are one failure. */
void gate_failed(struct gate *g, enum fault_code code, int64_t started_ms, int64_t now_ms);
void gate_close(struct gate *g, int64_t until_ms); /* never opens it earlier */
void gate_open(struct gate *g);                    /* it works again */

#endif

/* Worker threads' ways to the database: a connection each, kept for the next request. Used by server/. */
#ifndef ABGLEICH_DESK_H
#define ABGLEICH_DESK_H

#include "base/env.h"
#include "state/db.h"

#include <pthread.h>

struct desk {
    struct env_system system;
    struct db *db;
    bool broken; /* its database said something: it is not used again */
    struct desk *next;
};
struct desks {
    char *state; /* path of the database */
    enum log_level max_level;
    const volatile int *cancel;
    pthread_mutex_t mutex;
    struct desk *free;
};
void desks_init(struct desks *d, const char *state, enum log_level max_level, const volatile int *cancel);
void desks_end(struct desks *d);
struct desk *desk_take(struct desks *d, struct fault *f); /* NULL: *f */
void desk_give_back(struct desks *d, struct desk *desk);

#endif

#include "server/desk.h"

#include "base/mem.h"

#include <stdlib.h>

void desks_init(struct desks *d, const char *state, enum log_level max_level, const volatile int *cancel)
{
    *d = (struct desks){.state = mem_strdup(state), .max_level = max_level, .cancel = cancel};
    pthread_mutex_init(&d->mutex, NULL);
}

static void close_one(struct desk *desk)
{
    db_close(desk->db);
    free(desk);
}

void desks_end(struct desks *d)
{
    while (d->free) {
        struct desk *one = d->free;
        d->free = one->next;
        close_one(one);
    }
    pthread_mutex_destroy(&d->mutex);
    free(d->state);
}

struct desk *desk_take(struct desks *d, struct fault *f)
{
    pthread_mutex_lock(&d->mutex);
    struct desk *one = d->free;
    if (one) d->free = one->next;
    pthread_mutex_unlock(&d->mutex);
    if (one) return one;
    one = mem_calloc(1, sizeof *one);
    env_system_init(&one->system, d->max_level, d->cancel);
    if (!db_open(d->state, DB_EXISTING, &one->system.env, &one->db, f)) return one;
    free(one);
    return NULL;
}

/* One whose database said something is not used again. */
void desk_give_back(struct desks *d, struct desk *desk)
{
    if (desk->broken || db_check(desk->db, NULL)) {
        close_one(desk);
        return;
    }
    pthread_mutex_lock(&d->mutex);
    desk->next = d->free;
    d->free = desk;
    pthread_mutex_unlock(&d->mutex);
}

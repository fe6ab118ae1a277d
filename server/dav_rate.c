/* How many requests each user may make: so many a second on average, and what a minute brings at once. Bounded: two
 * users that share a place in the table only give each other a full measure. */
#include "server/dav_impl.h"

#include "base/mem.h"

#include <stdlib.h>

#define USERS_MAX 4096
#define BURST_S 60

struct rates {
    pthread_mutex_t mutex;
    struct rate {
        int64_t user, left, at_ms; /* left: thousandths of a request */
    } list[USERS_MAX];
};

struct rates *rates_new(void)
{
    struct rates *r = mem_calloc(1, sizeof *r);
    pthread_mutex_init(&r->mutex, NULL);
    return r;
}

void rates_free(struct rates *r)
{
    if (r) pthread_mutex_destroy(&r->mutex);
    free(r);
}

bool rates_take(struct rates *r, int64_t user, int64_t per_s, int64_t now_ms, unsigned *wait_s)
{
    int64_t most = per_s * BURST_S * 1000;
    if (per_s <= 0) return true;
    pthread_mutex_lock(&r->mutex);
    struct rate *one = &r->list[(uint64_t)user % USERS_MAX];
    if (one->user != user || now_ms < one->at_ms) *one = (struct rate){user, most, now_ms};
    int64_t passed = now_ms - one->at_ms;
    one->left = passed > BURST_S * 1000 || one->left + passed * per_s > most ? most : one->left + passed * per_s;
    one->at_ms = now_ms;
    bool fine = one->left >= 1000;
    if (fine) one->left -= 1000;
    pthread_mutex_unlock(&r->mutex);
    *wait_s = 1;
    return fine;
}

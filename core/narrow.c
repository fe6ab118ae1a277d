#include "core/job.h"

/* Where records come from: what the filter is asked about. */
static bool is_source(const struct job *job, enum side s)
{
    return job->policy >= POLICY_TWO_WAY_A || s == (job->policy == POLICY_ONE_WAY ? SIDE_A : SIDE_B);
}

/* Is a record of the item known as it is now, and does none pass? What cannot be read is not the filter's matter. */
static bool is_outside(struct job *job, const struct item *item)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    bool known = false;
    for (int s = 0; s < 2; s++) {
        if (!is_source(job, (enum side)s) || item->side[s].gone || !item->side[s].body.there) continue;
        const struct record *r = job_record(job, item, (enum side)s, &arena);
        if (!r || filter_passes(&job->link->filter, r)) return false;
        known = true;
    }
    return known;
}

/* What left the filter of a link in one direction has vanished for it. */
static void leave(struct job *job, struct item *item)
{
    for (int s = 0; s < 2; s++) {
        if (!is_source(job, (enum side)s) || !item->side[s].id.p) continue;
        item->side[s].gone = true;
        item->side[s].seen = SEEN_GONE;
        item->side[s].filtered = true;
    }
}

void narrow(struct job *job)
{
    if (!filter_is_set(&job->link->filter)) return;
    for (size_t i = 0; i < job->items.n; i++) {
        struct item *item = &job->items.list[i];
        if (item->dead || item->settled || item->waits || item->unknown || !is_outside(job, item)) continue;
        if (item->row && !item->adopted) {
            if (job->policy < POLICY_TWO_WAY_A) leave(job, item);
            continue;
        }
        item->settled = true;
        for (int s = 0; s < 2; s++) item->side[s].filtered = item->side[s].body.there && !item->side[s].gone;
    }
}

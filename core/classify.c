#include "core/job.h"

#include "base/i18n.h"

struct record *job_record(struct job *job, const struct item *item, enum side side, struct arena *arena)
{
    if (!item->side[side].body.there) return NULL;
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct str body = spool_get(job->spool, &item->side[side].body, arena, &why);
    return body.p ? record_parse(arena, job->kind, body, &job->key, &why) : NULL;
}

struct str job_title(struct job *job, const struct item *item, struct arena *arena)
{
    for (int s = 0; s < 2; s++) {
        struct record *r = job_record(job, item, (enum side)s, arena);
        if (r) return record_title(r);
    }
    if (item->past && item->past->title.n) return item->past->title;
    for (int s = 0; s < 2; s++) {
        struct fault why AUTO_FAULT = FAULT_INIT;
        struct str body = spool_get(job->spool, &item->side[s].body, arena, &why);
        struct str guess = body.p ? record_guess_title(arena, job->kind, body) : STR_NONE;
        if (guess.n) return guess;
    }
    for (int s = 0; s < 2; s++)
        if (item->side[s].id.p) return item->side[s].id;
    return str_of(_("unnamed"));
}

static uint8_t seen_without_base(struct job *job, const struct item *item, enum side s, struct arena *arena)
{
    const struct item_side *at = &item->side[s];
    if (at->unreadable && !at->gone && !at->body.there) return SEEN_UNREADABLE;
    if (at->gone || !at->body.there) return SEEN_NEVER;
    return at->plain || job_record(job, item, s, arena) ? SEEN_NEW : SEEN_UNREADABLE;
}

/* Fingerprints of another normaliser say nothing about content; an equal version does. */
static bool looks_like(const struct item_side *at, const struct fingerprint *base, const struct record *now)
{
    if (base->version == NORMALISER_VERSION) return fingerprint_matches(base, now);
    return at->version.p && str_eq(at->version, at->base_version);
}

/* The other side was written there, the answer was lost and nobody changed it since: nothing that a deletion on the other side
 * would have to give way to. (Merging finds the same and takes it for the base, effect.c.) */
static bool is_our_lost_write(const struct item *item, enum side s, const struct record *now, struct arena *arena)
{
    if (!item->past || !item->past->wrote[s] || !item->side[side_other(s)].gone) return false;
    struct fingerprint fp = fingerprint_of(arena, now);
    return fingerprint_hash(&fp) == item->past->wrote[s];
}

static uint8_t seen_against_base(struct job *job, const struct item *item, enum side s, const struct fingerprint *base,
                                 struct arena *arena)
{
    const struct item_side *at = &item->side[s];
    if (at->gone) return SEEN_GONE;
    if (!at->body.there) return at->unreadable ? SEEN_UNREADABLE : SEEN_SAME;
    struct record *now = job_record(job, item, s, arena);
    if (!now) return SEEN_UNREADABLE;
    return looks_like(at, base, now) || is_our_lost_write(item, s, now, arena) ? SEEN_SAME : SEEN_CHANGED;
}

/* The journal's word where the side is the store and the record is missing there. */
static uint8_t seen_on_a(struct job *job, const struct item *item, uint8_t seen)
{
    bool settled = (item->flags & JOURNAL_DELETED_HERE) != 0;
    if (settled && seen != SEEN_NEW && !item->side[SIDE_A].body.there) return seen_missing_a(true, true, job->policy);
    if (seen != SEEN_GONE) return seen;
    return seen_missing_a(item->side[SIDE_A].by_person, settled, job->policy);
}

/* Does the record hold nothing that the print does not? Then nobody wrote to it since it was made from that. (A server may spell
 * phone numbers its own way.) */
static bool adds_nothing(struct job *job, const struct fingerprint *print, const struct record *r)
{
    size_t n;
    record_equivalents(r, job->region);
    const struct element *e = record_elements(r, &n);
    for (size_t i = 0; i < n; i++) {
        bool found = false;
        for (uint32_t p = 0; p < print->n && !found; p++)
            found = print->prints[p].key == e[i].key && (print->prints[p].value == e[i].value || print->prints[p].value == e[i].same);
        if (!found) return false;
    }
    return true;
}

/* One side was made from the other and not read back. If the source is gone by now, or the side names the made one as deleted, that is
 * a deletion. If the made one is merely not there, it may never have been (a server can say yes and keep nothing): it is made again.
 * Else both are there and are united like two that meet for the first time. */
static void classify_half(struct job *job, struct item *item)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct journal_row row;
    item->has_base = false;
    for (int s = 0; s < 2; s++) item->side[s].seen = seen_without_base(job, item, (enum side)s, &arena);
    if (!journal_get(job->db, job->link->name, item->row, &arena, &row)) return;
    enum side source = row.base[SIDE_A].version ? SIDE_A : SIDE_B, made = side_other(source);
    if (item->side[made].told_gone) {
        item->side[made].seen = SEEN_GONE;
        item->side[source].seen = seen_against_base(job, item, source, &row.base[source], &arena);
        item->has_base = true;
    } else if (item->side[source].gone && item->side[made].seen == SEEN_NEW) {
        struct record *now = job_record(job, item, made, &arena);
        item->side[source].seen = SEEN_GONE;
        item->side[made].seen = adds_nothing(job, &row.base[source], now) ? SEEN_SAME : SEEN_CHANGED;
        item->has_base = true;
    }
}

void classify(struct job *job, struct item *item)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct journal_row row = {0};
    if (item->half_base) {
        classify_half(job, item);
        item->side[SIDE_A].seen = seen_on_a(job, item, item->side[SIDE_A].seen);
        return;
    }
    bool base = item->has_base && journal_get(job->db, job->link->name, item->row, &arena, &row);
    for (int s = 0; s < 2; s++)
        item->side[s].seen = base && row.id[s].p ? seen_against_base(job, item, (enum side)s, &row.base[s], &arena)
                                  : seen_without_base(job, item, (enum side)s, &arena);
    item->side[SIDE_A].seen = seen_on_a(job, item, item->side[SIDE_A].seen);
}

#include "core/job.h"

#include "base/i18n.h"
#include "base/mem.h"

#include <stdlib.h>

/* The journal's ids and versions of one side as hashes, so that a listing of 100 000 unchanged records costs 20 bytes
 * each and no string is copied. */
struct known {
    int64_t row;
    uint64_t version;
    bool listed;
};

struct gathering {
    struct job *job;
    enum side side;
    struct known *known; /* full listings only */
    size_t n_known, cap_known;
    struct map64 by_id;
    bool full;
    size_t entries;
};

static void known_free(struct gathering *g)
{
    free(g->known);
    map64_free(&g->by_id);
    g->known = NULL;
    g->n_known = g->cap_known = 0;
}

static void remember_known(void *ctx, int64_t row, struct str id, struct str version)
{
    struct gathering *g = ctx;
    if (g->n_known == g->cap_known) {
        g->cap_known = g->cap_known ? g->cap_known * 2 : 256;
        g->known = mem_realloc(g->known, g->cap_known * sizeof *g->known);
    }
    map64_put(&g->by_id, hash_str(&g->job->key, id), (uint32_t)g->n_known);
    g->known[g->n_known++] = (struct known){row, version.p ? hash_str(&g->job->key, version) : 0, false};
}

/* A whole listing that follows another answer of this run stands alone: what was new in the first may have another name
 * now. */
static void forget_new(struct gathering *g)
{
    for (size_t i = 0; i < g->job->items.n; i++) {
        struct item *item = &g->job->items.list[i];
        if (!item->row) item->side[g->side].listed = item->side[g->side].body.there = false;
    }
}

static enum fault_code begin(void *ctx, bool full)
{
    struct gathering *g = ctx;
    g->full = full;
    g->entries = 0;
    if (!full) return FAULT_NONE;
    known_free(g);
    forget_new(g);
    return journal_each_version(g->job->db, g->job->link->name, g->side, remember_known, g, g->job->fault);
}

/* A row without fingerprints says nothing about content: both sides must be looked at. */
static struct item *item_of_row(struct job *job, int64_t row)
{
    struct item *item = items_find_row(&job->items, row);
    if (item) return item;
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct journal_row found;
    if (!journal_get(job->db, job->link->name, row, &scratch, &found)) return NULL;
    item = items_add(&job->items, row);
    item->flags = (uint8_t)found.flags;
    bool a = found.base[SIDE_A].version != 0, b = found.base[SIDE_B].version != 0;
    item->has_base = a && b;
    item->half_base = a != b;
    for (int s = 0; s < 2; s++) {
        struct item_side *at = &item->side[s];
        if (found.id[s].p) items_name(&job->items, item, (enum side)s, found.id[s]);
        at->base_version = arena_str(&job->items.strings, found.version[s]);
        at->look = found.id[s].p && !item->has_base && !(found.flags & JOURNAL_DELETED_HERE);
    }
    return item;
}

/* The item an id belongs to: one of this run, one of the journal, else a new one where `make` says so. */
static struct item *item_of_id(struct job *job, enum side side, struct str id, bool make)
{
    struct item *item = items_find(&job->items, side, id);
    if (item) return item;
    int64_t row = journal_find(job->db, job->link->name, side, id);
    if (row) return item_of_row(job, row);
    if (!make) return NULL;
    item = items_add(&job->items, 0);
    items_name(&job->items, item, side, id);
    return item;
}

static enum fault_code take(struct job *job, struct item *item, enum side side, const struct entry *e)
{
    struct item_side *at = &item->side[side];
    at->listed = true;
    at->by_person = e->by_person;
    at->version = e->version.p ? arena_str(&job->items.strings, e->version) : STR_NONE;
    at->body.there = false;
    at->gone = e->gone;
    at->content = e->body.p ? hash_str(&job->key, e->body) : 0;
    at->plain = e->body.p && record_is_plain(job->kind, e->body);
    return e->gone || !e->body.p ? FAULT_NONE : spool_put(job->spool, e->body, &at->body, job->fault);
}

/* In a full listing: what the journal has of that id, or NULL if it has none. */
static struct known *known_of(struct gathering *g, struct str id)
{
    uint32_t index;
    return g->full && map64_get(&g->by_id, hash_str(&g->job->key, id), &index) ? &g->known[index] : NULL;
}

/* Nearly every record of a full listing is as the journal has it: one look into the table and no more. */
static bool is_unchanged(struct gathering *g, const struct known *k, const struct entry *e)
{
    return !g->job->refingerprint && k->version && e->version.p && k->version == hash_str(&g->job->key, e->version) &&
           !items_find_row(&g->job->items, k->row);
}

/* The item an entry speaks of. What a full listing names and the journal's table does not is new: nobody needs to be
 * asked. */
static struct item *item_of_entry(struct gathering *g, const struct known *k, const struct entry *e)
{
    struct item *item = items_find(&g->job->items, g->side, e->id);
    if (item || !g->full || k) return item ? item : item_of_id(g->job, g->side, e->id, !e->gone);
    if (e->gone) return NULL;
    item = items_add(&g->job->items, 0);
    items_name(&g->job->items, item, g->side, e->id);
    return item;
}

static enum fault_code entry(void *ctx, const struct entry *e)
{
    struct gathering *g = ctx;
    struct job *job = g->job;
    if (!e->gone || !g->full) g->entries++; /* (the store's listings also name what a person deleted) */
    struct known *k = known_of(g, e->id);
    if (k) k->listed = true;
    if (k && is_unchanged(g, k, e)) return FAULT_NONE;
    struct item *item = item_of_entry(g, k, e);
    if (!item) return FAULT_NONE; /* the deletion of something we never knew */
    struct item_side *at = &item->side[g->side];
    bool echo = !e->gone && item->has_base && e->version.p && str_eq(e->version, at->base_version);
    if (echo && !at->look && !g->job->refingerprint) {
        at->listed = true;
        at->version = at->base_version;
        return FAULT_NONE;
    }
    at->told_gone = e->gone;
    if (e->gone && e->now.p)
        items_past(&job->items, item)->joined[g->side] = arena_str(&job->items.strings, e->now);
    return take(job, item, g->side, e);
}

/* A full and complete listing is the only thing absence may be read from. (What an earlier run left is looked at
 * itself.) */
static enum fault_code note_absent(struct gathering *g)
{
    for (size_t i = 0; i < g->job->items.n; i++) {
        struct item *item = &g->job->items.list[i];
        const struct item_side *at = &item->side[g->side];
        if (!item->row && !item->past && at->id.p && !at->listed && !at->look) item->dead = true;
    }
    for (size_t i = 0; i < g->n_known; i++) {
        if (g->known[i].listed) continue;
        struct item *item = item_of_row(g->job, g->known[i].row);
        if (!item) continue;
        item->side[g->side].listed = true;
        item->side[g->side].gone = true;
    }
    return FAULT_NONE;
}

/* A delta that names more than half of what we know may be a server's answer to a token it does not know (DAViCal,
 * SOGo): then deletions are missing. Such an answer is checked by a full listing. */
static bool is_suspicious(const struct gathering *g)
{
    if (g->full || g->entries <= 10 || (g->job->side[g->side].connector->capabilities & HUB)) return false;
    int64_t known = job_pairs(g->job);
    return known > 20 && (int64_t)g->entries * 2 > known;
}

static enum fault_code changes_of(struct gathering *g, const char *token, bool list)
{
    struct job *job = g->job;
    struct job_side *s = &job->side[g->side];
    struct changes got = {.token = NULL};
    const struct sink sink = {g, begin, entry};
    enum fault_code code = s->connector->changes(s->session, token, list, &sink, &got, job->fault);
    if (!code && !got.complete)
        code = fault_set(job->fault, FAULT_INCOMPLETE, _("nothing was changed, the next run asks again"),
                         _("the listing ended early"));
    if (!code) {
        free(s->new_token);
        s->new_token = got.token;
        got.token = NULL;
        s->full = got.full;
        s->listed = (int64_t)g->entries;
    }
    free(got.token);
    return code;
}

static enum fault_code gather_side(struct job *job, enum side side)
{
    struct gathering g = {.job = job, .side = side};
    bool list = job->options->full_listing || job->side[side].list;
    tell_progress(job, PHASE_LIST, 0, 0);
    enum fault_code code = changes_of(&g, job->state.token[side], list);
    if (!code && is_suspicious(&g)) code = changes_of(&g, job->state.token[side], true);
    if (!code && g.full) code = note_absent(&g);
    known_free(&g);
    if (code) fault_about(job->fault, NULL, job->side[side].account->name);
    return code;
}

/* -- what earlier runs left -- */

/* What an earlier run could not finish is looked at again, whatever the tokens say; a card that could not be read, too,
 * for it may have been the answer that was bad. */
static void note_pending(void *ctx, const struct pending *p)
{
    struct job *job = ctx;
    struct item *item = item_of_id(job, (enum side)p->side, p->id, true);
    if (!item) return;
    struct item_past *past = items_past(&job->items, item);
    past->title = arena_str(&job->items.strings, p->title);
    past->reason = arena_str(&job->items.strings, p->text);
    if (!past->code || p->reason != FAULT_GONE) past->code = p->reason;
    if (p->content.n == sizeof past->refused[0]) memcpy(&past->refused[p->side], p->content.p, p->content.n);
    item->side[p->side].look = true;
    item->side[p->side].missed = p->reason == FAULT_GONE;
    item->side[p->side].unreadable = p->reason == FAULT_UNREADABLE;
}

/* An open intent is a write whose answer we do not know: its record is looked at on both sides. */
static void note_intent(void *ctx, const struct intent *intent)
{
    struct job *job = ctx;
    struct item *item = item_of_id(job, (enum side)intent->side, intent->id, true);
    if (!item) return;
    struct item_past *past = items_past(&job->items, item);
    item->side[intent->side].look = true;
    item->side[intent->side].sought = intent->kind != WRITE_DELETE;
    enum side other = side_other((enum side)intent->side);
    if (item->side[other].id.p) item->side[other].look = true;
    if (intent->kind != WRITE_DELETE)
        past->wrote[intent->side] = intent->content; /* a deletion after it that did not arrive changes nothing of it */
    if (intent->kind == WRITE_CREATE && !item->row && intent->source_id.p)
        past->created_from = arena_str(&job->items.strings, intent->source_id);
    job->intents = mem_realloc(job->intents, (job->n_intents + 1) * sizeof *job->intents);
    job->intents[job->n_intents++] = (struct open_intent){intent->no, (uint32_t)(item - job->items.list)};
}

/* The record an open create was made from has to be looked at as well: its side's token may be past it. */
static void look_at_sources(struct job *job)
{
    for (size_t i = 0; i < job->n_intents; i++) {
        struct item *item = &job->items.list[job->intents[i].item];
        if (item->row || !item->past || !item->past->created_from.p) continue;
        enum side there = item->side[SIDE_A].id.p ? SIDE_A : SIDE_B;
        struct item *source = item_of_id(job, side_other(there), item->past->created_from, true);
        if (source) source->side[side_other(there)].look = true;
    }
}

/* -- bodies -- */

struct fetching {
    struct job *job;
    enum side side;
    size_t done, total;
};

/* The side calls it otherwise now: it was created under a name of ours, or renamed. What the listing said under that name is part of it;
 * a journal row of that name has the last word. */
static struct item *called_now(struct job *job, enum side side, struct str id, struct str now)
{
    struct item *there = item_of_id(job, side, now, false), *item = items_find(&job->items, side, id);
    if (!item || there == item) return item;
    if (there && there->row) {
        item->side[side].id = there->side[side].id; /* whoever looks for it is led there */
        item->dead = true;
        return there;
    }
    struct str base_version = item->side[side].base_version;
    if (there) {
        items_join(&job->items, item, there, side);
        item->adopted = false;
    } else
        items_name(&job->items, item, side, now);
    item->side[side].base_version = base_version;
    item->moved = item->row != 0;
    return item;
}

static enum fault_code fetched(void *ctx, const struct entry *e)
{
    struct fetching *f = ctx;
    struct item *item = e->now.p ? called_now(f->job, f->side, e->id, e->now) : items_find(&f->job->items, f->side, e->id);
    tell_progress(f->job, PHASE_FETCH, ++f->done, f->total);
    if (!item) return FAULT_NONE;
    item->side[f->side].sought = false;
    /* The listing of this run did not say that it is gone, so neither does it say where it may be now: the next one
     * will. (Nothing moves to another name in the store.) */
    bool told = job_can(f->job, f->side, HUB) || item->side[f->side].gone || item->side[f->side].missed ||
                (item->past && item->past->code == FAULT_GONE);
    if (e->gone && item->row && !told) item->unknown = true;
    if (e->withheld) {
        item->unknown = true;
        item->withheld = arena_strdup(&f->job->items.strings, str_of(e->withheld));
        return FAULT_NONE;
    }
    return take(f->job, item, f->side, e);
}

static enum fault_code fetch_side(struct job *job, enum side s, const struct str *ids, size_t n)
{
    struct fetching f = {job, s, 0, n};
    const struct sink sink = {&f, NULL, fetched};
    enum fault_code code = job->side[s].connector->fetch(job->side[s].session, ids, n, &sink, job->fault);
    if (code) fault_about(job->fault, NULL, job->side[s].account->name);
    return code;
}

/* What was asked for and not answered at all: nothing may be concluded about it in this run. */
static void mark_unknown(struct job *job, enum side s, const struct str *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct item *item = items_find(&job->items, s, ids[i]);
        if (!item || item->side[s].body.there) continue;
        if (!item->side[s].gone || item->side[s].sought) item->unknown = true;
    }
}

enum fault_code gather_bodies(struct job *job, bool (*need)(const struct job *, const struct item *, enum side))
{
    struct str *ids AUTO_FREE = mem_alloc((job->items.n + 1) * sizeof *ids);
    for (int s = 0; s < 2; s++) {
        size_t n = 0;
        for (size_t i = 0; i < job->items.n; i++) {
            const struct item *item = &job->items.list[i];
            if (!item->dead && !item->settled && item->side[s].id.p && need(job, item, (enum side)s))
                ids[n++] = item->side[s].id;
        }
        if (!n) continue;
        enum fault_code code = fetch_side(job, (enum side)s, ids, n);
        if (code) return code;
        mark_unknown(job, (enum side)s, ids, n);
    }
    return FAULT_NONE;
}

/* Said to be there and changed, but without its body; or to be looked at again and not heard of. */
static bool needs_body(const struct job *job, const struct item *item, enum side side)
{
    const struct item_side *at = &item->side[side];
    if (at->body.there || (at->gone && !at->sought)) return false;
    if (at->look || at->sought || job->refingerprint) return true;
    return at->listed && (!item->has_base || !at->version.p || !str_eq(at->version, at->base_version));
}

static bool is_new_on(const struct item *item, enum side s)
{
    return !item->row && item->side[s].body.there;
}

/* In the modes that leave records of a side without a journal row, a new record on one side may be one of those of the
 * other: it must see them all before it counts as new. */
static enum fault_code gather_partners(struct job *job)
{
    if (job->policy >= POLICY_TWO_WAY_A && !filter_is_set(&job->link->filter)) return FAULT_NONE;
    for (int s = 0; s < 2; s++) {
        bool fresh = false;
        for (size_t i = 0; i < job->items.n && !fresh; i++) fresh = is_new_on(&job->items.list[i], (enum side)s);
        enum side other = side_other((enum side)s);
        if (!fresh || job->side[other].full) continue;
        job->side[other].list = true;
        enum fault_code code = gather_side(job, other);
        if (code) return code;
    }
    return gather_bodies(job, needs_body);
}

struct item *gather_item(struct job *job, enum side side, struct str id)
{
    return item_of_id(job, side, id, true);
}

/* Where deletions are to be forgotten, what was deleted here is looked at though nothing changed there. */
static void look_at_deleted(void *ctx, int64_t row)
{
    struct item *item = item_of_row(ctx, row);
    if (item) item->side[SIDE_B].look = true;
}

enum fault_code gather(struct job *job)
{
    enum fault_code code = intent_each(job->db, job->link->name, note_intent, job, job->fault);
    if (!code) code = pending_list(job->db, job->link->name, note_pending, job, job->fault);
    if (!code && job->switches & SWITCH_IGNORE_TOMBSTONES)
        code = journal_each_deleted(job->db, job->link->name, look_at_deleted, job, job->fault);
    if (code) return code;
    look_at_sources(job);
    code = gather_side(job, SIDE_A);
    if (!code) code = gather_side(job, SIDE_B);
    if (!code && job->items.n) code = gather_bodies(job, needs_body);
    return code ? code : gather_partners(job);
}

static bool is_retried(const struct job *job, const struct item *item, enum side side)
{
    (void)job;
    return item->retry && item->side[side].id.p;
}

/* A precondition was lost though nothing changed: the side's versions change by themselves, and content has to decide
 * (the next write follows its reading directly, without a precondition; protocols carddav 5.2). */
static void note_noisy(struct job *job)
{
    for (size_t i = 0; i < job->items.n; i++) {
        struct item *item = &job->items.list[i];
        for (int s = 0; item->retry && s < 2; s++) {
            struct item_past *past = item->past;
            bool same = item->side[s].body.there && past->content[s] && past->content[s] == item->side[s].content;
            past->noisy[s] = past->lost[s] && same;
            past->lost[s] = false;
        }
    }
}

enum fault_code gather_again(struct job *job)
{
    for (size_t i = 0; i < job->items.n; i++) {
        struct item *item = &job->items.list[i];
        if (!item->retry) continue;
        for (int s = 0; s < 2; s++) {
            items_past(&job->items, item)->content[s] = item->side[s].content;
            item->side[s].missed |= item->side[s].gone;
            item->side[s].body.there = item->side[s].gone = false;
        }
    }
    enum fault_code code = gather_bodies(job, is_retried);
    note_noisy(job);
    return code;
}

#include "core/job.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "core/match.h"
#include "state/runs.h"
#include "state/store.h"
#include "state/subject.h"

#include <stdlib.h>

/* -- creates whose answer was lost -- */

static struct item *find_source(struct job *job, const struct item *created, enum side there)
{
    return items_find(&job->items, side_other(there), created->past->created_from);
}

/* What was created from a record that is gone by now is deleted with it, unless somebody changed it since: the intent stands for
 * the journal row that was never written. */
static void orphan(struct job *job, struct item *item, struct item *source, enum side there)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct record *now = job_record(job, item, there, &arena);
    if (!now) return;
    struct fingerprint fp = fingerprint_of(&arena, now);
    items_join(&job->items, item, source, side_other(there));
    item->adopted = false;
    item->has_base = true;
    item->side[there].seen = fingerprint_hash(&fp) == item->past->wrote[there] ? SEEN_SAME : SEEN_CHANGED;
    item->side[side_other(there)].seen = SEEN_GONE;
}

static void pair_open_creates(struct job *job)
{
    for (size_t i = 0; i < job->n_intents; i++) {
        struct item *item = &job->items.list[job->intents[i].item];
        if (item->dead || item->row || !item->past || !item->past->created_from.p) continue;
        enum side there = item->side[SIDE_A].id.p ? SIDE_A : SIDE_B;
        struct item *source = find_source(job, item, there);
        if (!source || source->row || source == item) continue;
        if (source->unknown || item->unknown) source->unknown = item->unknown = true;
        else if (source->side[side_other(there)].gone) orphan(job, item, source, there);
        else {
            items_join(&job->items, source, item, there);
            source->adopted = false;
        }
    }
}

/* -- records that moved to another name -- */

static uint64_t uid_at(struct job *job, const struct item *item, enum side s)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct record *r = job_record(job, item, s, &arena);
    struct str uid = r ? record_uid(r) : STR_NONE;
    return uid.n ? hash_str(&job->key, uid) : 0;
}

static bool is_unpaired_new(const struct item *item, enum side s)
{
    return !item->dead && !item->row && !item->unknown && item->side[s].seen == SEEN_NEW &&
           item->side[side_other(s)].seen == SEEN_NEVER;
}

/* Half known (classify.c) and merely not there: a later write to it, with its answer lost, may have given it another name. */
static bool has_lost_half(const struct item *item, enum side s)
{
    return item->half_base && !item->has_base && item->side[s].id.p && item->side[s].seen == SEEN_NEVER &&
           item->side[side_other(s)].seen == SEEN_NEW;
}

static bool has_lost(const struct item *item, enum side s)
{
    uint8_t other = item->side[side_other(s)].seen;
    if (item->dead || !item->row) return false;
    return has_lost_half(item, s) ||
           (item->has_base && item->side[s].seen == SEEN_GONE && (other == SEEN_SAME || other == SEEN_CHANGED));
}

static size_t count_of(const struct job *job, bool (*is)(const struct item *, enum side), enum side s)
{
    size_t n = 0;
    for (size_t i = 0; i < job->items.n; i++) n += is(&job->items.list[i], s);
    return n;
}

static bool needs_uid_of_a(const struct job *job, const struct item *item, enum side s)
{
    (void)job;
    return s == SIDE_A && has_lost(item, SIDE_B) && !item->side[s].body.there;
}

static bool needs_uid_of_b(const struct job *job, const struct item *item, enum side s)
{
    (void)job;
    return s == SIDE_B && has_lost(item, SIDE_A) && !item->side[s].body.there;
}

static void follow(struct job *job, enum side s)
{
    struct map64 fresh = {0};
    map64_init(&fresh, 64);
    for (size_t i = 0; i < job->items.n; i++) {
        if (!is_unpaired_new(&job->items.list[i], s)) continue;
        uint64_t uid = uid_at(job, &job->items.list[i], s);
        uint32_t twin;
        if (uid) map64_put(&fresh, uid, map64_get(&fresh, uid, &twin) ? UINT32_MAX : (uint32_t)i);
    }
    for (size_t i = 0; i < job->items.n; i++) {
        struct item *item = &job->items.list[i];
        uint32_t index;
        if (!has_lost(item, s) || !map64_get(&fresh, uid_at(job, item, side_other(s)), &index) || index == UINT32_MAX) continue;
        if (job->items.list[index].dead) continue;
        items_join(&job->items, item, &job->items.list[index], s);
        item->adopted = false;
        item->moved = true;
        classify(job, item);
    }
    map64_free(&fresh);
}

/* A server that gives a card another href, or a client that deletes and writes it again, does not make another person: a new
 * record with the UID of one that vanished from the same side takes its place. */
static enum fault_code pair_moved(struct job *job, enum side s)
{
    if (!count_of(job, has_lost, s) || !count_of(job, is_unpaired_new, s)) return FAULT_NONE;
    enum fault_code code = gather_bodies(job, s == SIDE_B ? needs_uid_of_a : needs_uid_of_b);
    for (size_t i = 0; !code && i < job->items.n; i++) /* what was fetched just now may say more than the listing did */
        if (has_lost(&job->items.list[i], s)) classify(job, &job->items.list[i]);
    if (!code) follow(job, s);
    return code;
}

/* -- the same person on both sides -- */

struct remembering {
    struct job *job;
    struct match_input *in;
    struct match_remembered *list[2]; /* same, different */
    size_t n[2];
    const uint32_t *position; /* of an item in its side's array; UINT32_MAX = not in it */
};

static void remember(void *ctx, struct str id_a, struct str id_b, enum decision d)
{
    struct remembering *m = ctx;
    struct item *a = items_find(&m->job->items, SIDE_A, id_a);
    struct item *b = items_find(&m->job->items, SIDE_B, id_b);
    if (!a || !b || d == DECISION_NONE) return;
    uint32_t at_a = m->position[a - m->job->items.list], at_b = m->position[b - m->job->items.list];
    if (at_a == UINT32_MAX || at_b == UINT32_MAX) return;
    int which = d == DECISION_DIFFERENT;
    m->list[which] = mem_realloc(m->list[which], (m->n[which] + 1) * sizeof **m->list);
    m->list[which][m->n[which]++] = (struct match_remembered){at_a, at_b};
}

struct matching {
    struct arena arena;
    struct match_record *records[2];
    uint32_t *items[2];
    uint32_t *position;
    size_t n[2];
};

static void matching_fill(struct job *job, struct matching *m, enum side s)
{
    for (size_t i = 0; i < job->items.n; i++) {
        struct item *item = &job->items.list[i];
        if (!is_unpaired_new(item, s)) continue;
        struct arena scratch AUTO_ARENA = ARENA_INIT;
        struct record *r = job_record(job, item, s, &scratch);
        if (!r) continue;
        struct match_record *out = &m->records[s][m->n[s]];
        record_signals(r, job->region, &m->arena, &out->signals);
        out->is_group = record_is_group(r);
        m->position[i] = (uint32_t)m->n[s];
        m->items[s][m->n[s]++] = (uint32_t)i;
        tell_progress(job, PHASE_MATCH, m->n[s], 0);
    }
}

static void remember_ambiguous(struct job *job, struct item *a, struct item *b, unsigned reasons, bool write)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct buf text AUTO_BUF = BUF_INIT;
    match_reason_text(reasons, &text);
    struct review r = {.id_a = a->side[SIDE_A].id, .id_b = b->side[SIDE_B].id, .reason = buf_str(&text)};
    r.title_a = job_title(job, a, &arena);
    r.title_b = job_title(job, b, &arena);
    const struct item both = {.side = {a->side[SIDE_A], b->side[SIDE_B]}};
    tell_problem(job, PROBLEM_AMBIGUOUS, &both, SIDE_A, r.title_a, r.title_b, FAULT_NONE, buf_cstr(&text));
    if (!write) return;
    r.title_a = job_kept(job, r.title_a);
    r.title_b = job_kept(job, r.title_b);
    review_add(job->db, job->link->name, &r, job->fault);
    for (int s = 0; s < 2; s++) {
        const struct pending p = {.side = (unsigned)s, .id = s ? r.id_b : r.id_a, .title = s ? r.title_b : r.title_a,
                                  .reason = FAULT_HELD, .text = buf_str(&text)};
        pending_put(job->db, job->link->name, &p, job->fault);
    }
}

static void apply(struct job *job, struct matching *m, const struct match_result *found)
{
    for (int s = 0; s < 2; s++)
        for (size_t i = 0; i < m->n[s]; i++) job->items.list[m->items[s][i]].waits = found->waits[s][i];
    bool write = !job->options->check_only;
    for (size_t i = 0; i < found->n_ambiguous; i++)
        remember_ambiguous(job, &job->items.list[m->items[SIDE_A][found->ambiguous[i].a]],
                           &job->items.list[m->items[SIDE_B][found->ambiguous[i].b]], found->ambiguous[i].reasons, write);
    for (size_t i = 0; i < found->n_pairs; i++) {
        job->result->matched[found->pairs[i].rule]++;
        items_join(&job->items, &job->items.list[m->items[SIDE_A][found->pairs[i].a]],
                   &job->items.list[m->items[SIDE_B][found->pairs[i].b]], SIDE_B);
    }
}

static enum fault_code match(struct job *job, size_t n_a, size_t n_b)
{
    struct matching m = {.arena = ARENA_INIT};
    const size_t expected[2] = {n_a, n_b};
    for (int s = 0; s < 2; s++) {
        m.records[s] = arena_zalloc(&m.arena, (expected[s] + 1) * sizeof **m.records);
        m.items[s] = arena_alloc(&m.arena, (expected[s] + 1) * sizeof **m.items);
    }
    m.position = arena_alloc(&m.arena, (job->items.n + 1) * sizeof *m.position);
    memset(m.position, 0xff, (job->items.n + 1) * sizeof *m.position);
    for (int s = 0; s < 2; s++) matching_fill(job, &m, (enum side)s);
    struct match_input in = {.records = {m.records[0], m.records[1]}, .n = {m.n[0], m.n[1]}};
    struct remembering r = {.job = job, .in = &in, .position = m.position};
    enum fault_code code = decision_each(job->db, job->link->name, remember, &r, job->fault);
    in.same = r.list[0], in.n_same = r.n[0];
    in.different = r.list[1], in.n_different = r.n[1];
    struct match_result found;
    match_records(&m.arena, &in, &found);
    if (!code) apply(job, &m, &found);
    free(r.list[0]);
    free(r.list[1]);
    arena_free(&m.arena);
    return code;
}

static enum fault_code pair_same(struct job *job)
{
    size_t n_a = count_of(job, is_unpaired_new, SIDE_A), n_b = count_of(job, is_unpaired_new, SIDE_B);
    bool write = !job->options->check_only;
    bool stale = write && review_count(job->db, job->link->name) > 0;
    if (!stale && (!n_a || !n_b)) return FAULT_NONE;
    enum fault_code code = write ? db_begin(job->db, job->fault) : FAULT_NONE;
    if (!code && write) code = review_clear(job->db, job->link->name, job->fault);
    if (!code && n_a && n_b) code = match(job, n_a, n_b);
    if (!write) return code;
    if (code) db_rollback(job->db);
    return code ? code : db_commit(job->db, job->fault);
}

/* -- what a person deleted in the store -- */

struct tombstones {
    struct job *job;
    struct map64 by_uid, by_digest; /* -> index in ids; digest: of name and one e-mail address */
    bool digests;
    struct arena strings;
    struct str *ids;
    size_t n;
};

/* One e-mail address of a named record; 0 where there is none. Twins (not likely) would only mean that somebody is not created. */
static uint64_t digest_of(const struct signals *s, size_t email)
{
    return s->name && email < s->n_emails ? (s->name * 0x9e3779b97f4a7c15u) ^ s->emails[email] : 0;
}

static void note_digests(struct tombstones *t, struct str body)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct record *r = body.n ? record_parse(&arena, t->job->kind, body, &t->job->key, &why) : NULL;
    struct signals signals;
    if (!r) return;
    record_signals(r, NULL, &arena, &signals);
    for (size_t i = 0; digest_of(&signals, i); i++) map64_put(&t->by_digest, digest_of(&signals, i), (uint32_t)t->n);
}

static bool note_tombstone(void *ctx, const struct store_record *r)
{
    struct tombstones *t = ctx;
    uint64_t uid;
    if (!r->by_person) return true;
    t->ids = mem_realloc(t->ids, (t->n + 1) * sizeof *t->ids);
    t->ids[t->n] = arena_str(&t->strings, r->id);
    if (subject_uid_hash(&t->job->key, r->uid, &uid)) map64_put(&t->by_uid, uid, (uint32_t)t->n);
    if (t->digests) note_digests(t, r->body);
    t->n++;
    return true;
}

/* By UID, and in imports by name and e-mail: a server that changed href and UID made no other person of it (contactbox 5, rule 2). */
static bool find_tombstone(const struct tombstones *t, const struct item *item, uint32_t *index)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct signals signals;
    struct record *r = job_record(t->job, item, SIDE_B, &arena);
    if (map64_get(&t->by_uid, uid_at(t->job, item, SIDE_B), index)) return true;
    if (!r || !t->digests) return false;
    record_signals(r, NULL, &arena, &signals);
    for (size_t i = 0; digest_of(&signals, i); i++)
        if (map64_get(&t->by_digest, digest_of(&signals, i), index)) return true;
    return false;
}

static void recall(struct job *job, struct item *item, struct str deleted_id)
{
    struct item *row = items_find(&job->items, SIDE_A, deleted_id);
    if (!row) {
        items_name(&job->items, item, SIDE_A, deleted_id);
        item->side[SIDE_A].gone = item->side[SIDE_A].by_person = true;
        item->side[SIDE_A].seen = SEEN_TOMBSTONE;
    } else if (row->row && row->side[SIDE_B].seen == SEEN_GONE) { /* deleted here, and moved there at the same time */
        items_join(&job->items, row, item, SIDE_B);
        row->adopted = false;
        row->moved = true;
        classify(job, row);
    }
}

/* "A record deleted in the Contactbox is never created again": known by its UID, also where this link never saw it. */
static enum fault_code recall_deleted(struct job *job)
{
    if (!job_can(job, SIDE_A, HUB) || !count_of(job, is_unpaired_new, SIDE_B)) return FAULT_NONE;
    struct tombstones t = {.job = job, .strings = ARENA_INIT, .digests = job->policy < POLICY_ONE_WAY || job->policy == POLICY_TWO_WAY_RECREATE};
    map64_init(&t.by_uid, 64);
    map64_init(&t.by_digest, 64);
    enum fault_code code = store_list(job->db, str_of(job->side[SIDE_A].collection->path), STR_NONE, true, note_tombstone, &t,
                                      job->fault);
    for (size_t i = 0; !code && t.n && i < job->items.n; i++) {
        struct item *item = &job->items.list[i];
        uint32_t index;
        if (!is_unpaired_new(item, SIDE_B) || item->waits) continue;
        if (find_tombstone(&t, item, &index)) recall(job, item, t.ids[index]);
    }
    map64_free(&t.by_uid);
    map64_free(&t.by_digest);
    arena_free(&t.strings);
    free(t.ids);
    return code;
}

/* A new record whose body nobody delivered may be any of the other side's new ones, or one that vanished from its own side: none of
 * these may be created, revived or deleted now. */
static void wait_for_unknown(struct job *job)
{
    for (int s = 0; s < 2; s++) {
        bool any = false;
        for (size_t i = 0; i < job->items.n && !any; i++) {
            const struct item *item = &job->items.list[i];
            const struct item_side *at = &item->side[s];
            bool vanished = at->gone && !item->past; /* listed as new, and not there a moment later: it may be under another name */
            any = !item->dead && !item->row && at->id.p && !at->body.there && (item->unknown || vanished);
        }
        for (size_t i = 0; any && i < job->items.n; i++)
            if (is_unpaired_new(&job->items.list[i], side_other((enum side)s)) || has_lost(&job->items.list[i], (enum side)s))
                job->items.list[i].unknown = true;
    }
}

static bool is_unknown_row(const struct job *job, const struct item *item, enum side s)
{
    (void)job;
    return !item->dead && item->row && item->unknown && !item->side[s].body.there && !item->side[s].gone;
}

/* A known record that a side did not answer for may have moved, and a create nobody answered for may have another name there: a new one
 * with its UID must not become another person. */
static enum fault_code wait_for_moving(struct job *job)
{
    struct map64 uids = {0};
    size_t n = 0;
    for (size_t i = 0; i < job->items.n; i++) n += !job->items.list[i].dead && job->items.list[i].unknown;
    if (!n || (!count_of(job, is_unpaired_new, SIDE_A) && !count_of(job, is_unpaired_new, SIDE_B))) return FAULT_NONE;
    enum fault_code code = gather_bodies(job, is_unknown_row);
    map64_init(&uids, n * 2);
    for (size_t i = 0; !code && i < job->items.n; i++) {
        const struct item *item = &job->items.list[i];
        for (int s = 0; !item->dead && item->unknown && s < 2; s++) {
            uint64_t uid = uid_at(job, item, (enum side)s);
            if (uid) map64_put(&uids, uid, 1);
        }
    }
    for (size_t i = 0; !code && i < job->items.n; i++) {
        uint32_t found;
        struct item *item = &job->items.list[i];
        for (int s = 0; s < 2; s++)
            if (is_unpaired_new(item, (enum side)s) && map64_get(&uids, uid_at(job, item, (enum side)s), &found)) item->unknown = true;
    }
    map64_free(&uids);
    return code;
}

enum fault_code pair_new(struct job *job)
{
    pair_open_creates(job);
    for (size_t i = 0; i < job->items.n; i++) {
        struct item *item = &job->items.list[i];
        bool orphaned = item->has_base && !item->row;
        if (!item->dead && !orphaned) classify(job, item);
    }
    enum fault_code code = pair_moved(job, SIDE_A);
    if (!code) code = pair_moved(job, SIDE_B);
    if (!code) code = pair_same(job);
    if (!code) wait_for_unknown(job);
    if (!code) code = wait_for_moving(job);
    return code ? code : recall_deleted(job);
}

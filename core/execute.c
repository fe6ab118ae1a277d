#include "core/execute.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "state/runs.h"

#include <stdlib.h>

/* Effects carried out together: one commit of intents, one volley of requests, one read-back, one commit of outcomes. */
#define BATCH_REMOTE 64
#define BATCH_LOCAL 200

struct batch {
    struct job *job;
    struct arena arena;
    struct effect *effects;
    size_t n;
    enum fault_code wide[2]; /* a fault that concerns the whole side */
};

static bool is_remote(const struct job *job, enum side s)
{
    return !job_can(job, s, IN_STATE);
}

/* -- making -- */

static void batch_make(struct batch *b, const uint32_t *work, size_t n)
{
    struct job *job = b->job;
    b->effects = arena_zalloc(&b->arena, n * sizeof *b->effects);
    b->n = n;
    for (size_t i = 0; i < n; i++) {
        struct fault why AUTO_FAULT = FAULT_INIT;
        struct effect *e = &b->effects[i];
        effect_make(job, &job->items.list[work[i]], &b->arena, e, &why);
        if (!e->failed) continue;
        e->write[SIDE_A].code = why.code;
        fault_copy(&e->write[SIDE_A].fault, &why);
    }
}

/* -- intent -- */

/* The report of a conflict and the loser's old version are kept with the intent: if the answer is lost, nothing later could tell
 * that there was another value. */
static enum fault_code intend_one(struct job *job, struct effect *e, enum side s)
{
    keep_loser(job, e, s);
    tell_conflicts(job, e);
    undo_journal(job, e, true);
    struct arena arena AUTO_ARENA = ARENA_INIT;
    const struct write *w = &e->write[s];
    struct intent intent = {.side = s, .kind = w->kind, .id = w->id, .version = w->version, .row = e->item->row,
                            .source_id = e->item->side[side_other(s)].id, .run = job->result->run};
    /* Known again only if nothing flows the other way: what holds edits of this side is nobody's base. */
    if (e->sent[s] && !e->merged.n_edits[side_other(s)]) {
        struct fingerprint fp = fingerprint_of(&arena, e->sent[s]);
        intent.content = fingerprint_hash(&fp);
    }
    enum fault_code code = intent_add(job->db, job->link->name, &intent, 1, job->fault);
    e->intent[s] = intent.no;
    return code;
}

static enum fault_code batch_intend(struct batch *b)
{
    struct job *job = b->job;
    enum fault_code code = FAULT_NONE;
    bool any = false;
    for (size_t i = 0; !code && i < b->n; i++) {
        for (int s = 0; !code && s < 2; s++) {
            if (!b->effects[i].writes[s] || !is_remote(job, (enum side)s)) continue;
            if (!any) code = db_begin(job->db, job->fault);
            any = true;
            if (!code) code = intend_one(job, &b->effects[i], (enum side)s);
        }
    }
    if (!any) return code;
    if (code) db_rollback(job->db);
    return code ? code : db_commit(job->db, job->fault);
}

/* -- act -- */

static void sent_one(void *ctx, struct write *w)
{
    struct job *job = ctx;
    (void)w;
    tell_progress(job, PHASE_WRITE, ++job->done, job->total);
}

/* Sends one side's writes and puts the outcomes back where they belong. A wide fault stops what follows, not what was done. */
static void batch_send(struct batch *b, enum side s)
{
    struct job *job = b->job;
    struct write *writes = arena_alloc(&b->arena, (b->n + 1) * sizeof *writes);
    struct effect **owners = arena_alloc(&b->arena, (b->n + 1) * sizeof *owners);
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++) {
        if (!b->effects[i].writes[s]) continue;
        writes[n] = b->effects[i].write[s];
        writes[n].code = FAULT_CANCELLED;
        owners[n++] = &b->effects[i];
    }
    if (!n) return;
    struct fault why AUTO_FAULT = FAULT_INIT;
    b->wide[s] = job->side[s].connector->write(job->side[s].session, writes, n, sent_one, job, &why);
    if (b->wide[s]) {
        fault_about(&why, NULL, job->side[s].account->name);
        if (!job->fault->code) fault_copy(job->fault, &why);
    }
    for (size_t i = 0; i < n; i++) owners[i]->write[s] = writes[i];
}

static bool wrote(const struct effect *e, enum side s)
{
    return e->writes[s] && e->write[s].code == FAULT_NONE;
}

/* -- read back -- */

struct reading {
    struct batch *batch;
    enum side side;
    struct map64 by_id;
};

static struct str name_now(const struct effect *e, enum side s)
{
    return e->write[s].new_id ? str_of(e->write[s].new_id) : e->write[s].id;
}

static enum fault_code read_one(void *ctx, const struct entry *entry)
{
    struct reading *r = ctx;
    struct batch *b = r->batch;
    uint32_t index;
    if (entry->gone || !entry->body.p || !map64_get(&r->by_id, hash_str(&b->job->key, entry->id), &index)) return FAULT_NONE;
    struct effect *e = &b->effects[index];
    const struct write *w = &e->write[r->side];
    if (w->kind == WRITE_DELETE) { /* under another version it is a new one, which the next listing tells */
        e->undeleted[r->side] = entry->version.p && str_eq(entry->version, w->version);
        return FAULT_NONE;
    }
    struct fault why AUTO_FAULT = FAULT_INIT;
    e->version[r->side] = arena_str(&b->arena, entry->version);
    e->after[r->side] = record_parse(&b->arena, b->job->kind, arena_str(&b->arena, entry->body), &b->job->key, &why);
    return FAULT_NONE;
}

static enum fault_code batch_read_back(struct batch *b, enum side s)
{
    struct job *job = b->job;
    struct reading r = {.batch = b, .side = s};
    struct str *ids = arena_alloc(&b->arena, (b->n + 1) * sizeof *ids);
    size_t n = 0;
    map64_init(&r.by_id, b->n);
    for (size_t i = 0; i < b->n; i++) {
        struct effect *e = &b->effects[i];
        if (!wrote(e, s) || (e->write[s].kind == WRITE_DELETE && job_can(job, s, KEEPS_BYTES))) continue;
        if (e->write[s].kept || job_can(job, s, KEEPS_BYTES)) {
            e->after[s] = e->sent[s];
            e->version[s] = str_of(e->write[s].new_version);
            continue;
        }
        ids[n] = name_now(e, s);
        map64_put(&r.by_id, hash_str(&job->key, ids[n++]), (uint32_t)i);
    }
    const struct sink sink = {&r, NULL, read_one};
    enum fault_code code = n ? job->side[s].connector->fetch(job->side[s].session, ids, n, &sink, job->fault) : FAULT_NONE;
    if (code) fault_about(job->fault, NULL, job->side[s].account->name);
    map64_free(&r.by_id);
    return code;
}

/* -- all of it -- */

/* What a remote could not take must not be half done here: the next round decides anew. */
static void hold_back(struct batch *b, enum side s)
{
    for (size_t i = 0; i < b->n; i++) {
        struct effect *e = &b->effects[i];
        enum side other = side_other(s);
        if (!e->writes[s] || !e->writes[other] || is_remote(b->job, s)) continue;
        if (e->write[other].code) e->writes[s] = false;
    }
}

static enum fault_code batch_confirm(struct batch *b)
{
    struct job *job = b->job;
    enum fault_code code = db_begin(job->db, job->fault);
    if (code) return code;
    for (int s = 0; s < 2; s++) {
        if (is_remote(job, (enum side)s)) continue;
        hold_back(b, (enum side)s);
        batch_send(b, (enum side)s);
        batch_read_back(b, (enum side)s);
    }
    for (size_t i = 0; i < b->n; i++) confirm(job, &b->effects[i]);
    return db_commit(job->db, job->fault);
}

static void batch_free(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        for (int s = 0; s < 2; s++) write_clear(&b->effects[i].write[s]);
    arena_reset(&b->arena);
    b->n = 0;
}

static enum fault_code batch_run(struct batch *b, const uint32_t *work, size_t n)
{
    struct job *job = b->job;
    b->wide[SIDE_A] = b->wide[SIDE_B] = FAULT_NONE;
    batch_make(b, work, n);
    enum fault_code code = batch_intend(b), wide = FAULT_NONE;
    for (int s = 0; !code && s < 2; s++) {
        if (!is_remote(job, (enum side)s)) continue;
        batch_send(b, (enum side)s);
        enum fault_code read = b->wide[s] ? b->wide[s] : batch_read_back(b, (enum side)s);
        if (read && !wide) wide = read;
    }
    if (!code) code = batch_confirm(b);
    batch_free(b);
    if (!code) code = wide;
    return code ? code : job->env->cancelled(job->env) ? fault_set(job->fault, FAULT_CANCELLED, _("the next run goes on"), _("stopped"))
                                                       : FAULT_NONE;
}

static enum fault_code run_phase(struct batch *b, bool late)
{
    struct job *job = b->job;
    bool remote = (is_remote(job, SIDE_A) && job->n_writes[SIDE_A]) || (is_remote(job, SIDE_B) && job->n_writes[SIDE_B]);
    size_t step = remote ? BATCH_REMOTE : BATCH_LOCAL;
    enum fault_code code = FAULT_NONE;
    for (size_t at = 0; !code && at < job->n_work[late]; at += step) {
        size_t left = job->n_work[late] - at;
        code = batch_run(b, job->work[late] + at, left < step ? left : step);
    }
    return code;
}

static enum fault_code run_both(struct job *job)
{
    struct batch b = {.job = job, .arena = ARENA_INIT};
    enum fault_code code = run_phase(&b, false);
    if (!code) code = run_phase(&b, true);
    arena_free(&b.arena);
    return code;
}

static size_t count_retries(const struct job *job)
{
    size_t n = 0;
    for (size_t i = 0; i < job->items.n; i++) n += job->items.list[i].retry;
    return n;
}

/* What lost its precondition is looked at and decided again at once; the rest of the items is done with. */
static enum fault_code plan_again(struct job *job)
{
    job->round++;
    enum fault_code code = gather_again(job);
    for (size_t i = 0; !code && i < job->items.n; i++)
        if (job->items.list[i].retry) classify(job, &job->items.list[i]);
    if (!code) code = plan_build(job);
    for (size_t i = 0; i < job->items.n; i++) job->items.list[i].retry = false;
    return code;
}

static enum fault_code start_run(struct job *job)
{
    if (job->result->run) return FAULT_NONE;
    enum fault_code code = db_begin(job->db, job->fault);
    if (code) return code;
    code = tell_start(job, job->fault);
    if (code) db_rollback(job->db);
    return code ? code : db_commit(job->db, job->fault);
}

/* Import neu-anlegen replaces a book: all of it or nothing. */
static bool is_one_piece(const struct job *job)
{
    return (job->policy == POLICY_RECREATE || job->policy == POLICY_TWO_WAY_RECREATE) && job_can(job, SIDE_A, IN_STATE) &&
           !job->n_writes[SIDE_B];
}

enum fault_code execute(struct job *job)
{
    if (!job->n_work[0] && !job->n_work[1]) return FAULT_NONE;
    enum fault_code code = start_run(job);
    if (code) return code;
    bool whole = is_one_piece(job);
    if (whole) code = db_begin(job->db, job->fault);
    if (code) return code;
    code = run_both(job);
    while (!code && count_retries(job) && job->round < ROUNDS_MAX) {
        code = plan_again(job);
        if (!code) code = run_both(job);
    }
    if (!whole) return code;
    if (code) db_rollback(job->db);
    return code ? code : db_commit(job->db, job->fault);
}

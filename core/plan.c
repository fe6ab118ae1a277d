#include "core/job.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "state/runs.h"

#include <inttypes.h>
#include <stdio.h>

/* -- deciding -- */

/* Several links may feed one collection: a record goes when the last of them has lost it. */
static bool is_brought_by_another(struct job *job, const struct item *item)
{
    if (!job->feeders_known) {
        job->n_feeders = journal_feeders(job->db, job->link->name, buf_cstr(&job->side[SIDE_B].identity), &job->memory, &job->feeders);
        job->feeders_known = true;
    }
    for (size_t i = 0; i < job->n_feeders; i++)
        if (journal_find(job->db, job->feeders[i].p, SIDE_B, item->side[SIDE_B].id)) return true;
    return false;
}

static void decide_item(struct job *job, struct item *item)
{
    enum base_kind base = !item->has_base ? BASE_NONE : item->flags & JOURNAL_APART ? BASE_APART : BASE_PAIR;
    item->rule = decide(base, (enum seen)item->side[SIDE_A].seen, (enum seen)item->side[SIDE_B].seen, job->policy, job->switches);
    bool mirrors = (job->switches & SWITCH_MIRROR) != 0;
    if (job->policy == POLICY_ONE_WAY && item->rule->action == ACTION_DELETE_B && !mirrors && is_brought_by_another(job, item))
        item->rule = &decision_left_to_others;
}

static bool is_open(const struct item *item)
{
    return !item->dead && !item->settled && !item->waits && !item->unknown;
}

static bool writes_to(enum action action, enum side s)
{
    switch (action) {
    case ACTION_MERGE: return true;
    case ACTION_UPDATE_A_FROM_B:
    case ACTION_DELETE_A: return s == SIDE_A;
    case ACTION_UPDATE_B_FROM_A:
    case ACTION_DELETE_B: return s == SIDE_B;
    default: return false;
    }
}

/* What an action reads from a side that is not written by it. */
static bool reads_from(enum action action, enum side s)
{
    switch (action) {
    case ACTION_CREATE_A:
    case ACTION_REVIVE_A:
    case ACTION_UPDATE_A_FROM_B: return s == SIDE_B;
    case ACTION_CREATE_B:
    case ACTION_REVIVE_B:
    case ACTION_UPDATE_B_FROM_A: return s == SIDE_A;
    default: return false;
    }
}

/* Whatever is about to be overwritten or deleted is looked at as it is now: to merge into it, to keep the loser, and to learn
 * that it is not what the journal says. */
static bool action_needs_body(const struct job *job, const struct item *item, enum side s)
{
    if (!is_open(item) || !item->rule || item->side[s].body.there || item->side[s].gone) return false;
    enum action action = (enum action)item->rule->action;
    if (job->refingerprint && action == ACTION_NOTHING) return true;
    if (action == ACTION_QUARANTINE) return !item->past && item->side[s].seen != SEEN_UNREADABLE; /* who it is about */
    return writes_to(action, s) || reads_from(action, s);
}

static enum fault_code decide_all(struct job *job)
{
    bool *asked AUTO_FREE = mem_calloc(job->items.n + 1, sizeof *asked);
    for (size_t i = 0; i < job->items.n; i++) {
        struct item *item = &job->items.list[i];
        if (!is_open(item)) continue;
        decide_item(job, item);
        asked[i] = action_needs_body(job, item, SIDE_A) || action_needs_body(job, item, SIDE_B);
    }
    enum fault_code code = gather_bodies(job, action_needs_body);
    for (size_t i = 0; !code && i < job->items.n; i++) {
        struct item *item = &job->items.list[i];
        if (!asked[i] || !is_open(item)) continue;
        if (item->row) classify(job, item); /* an orphan (pair.c) keeps what was found out about it */
        decide_item(job, item);
    }
    return code;
}

/* -- what there is to do -- */

static bool version_moved(const struct item *item)
{
    for (int s = 0; s < 2; s++) {
        const struct item_side *at = &item->side[s];
        if (at->listed && at->version.p && !str_eq(at->version, at->base_version)) return true;
    }
    return false;
}

/* Not said before, or other bytes than those that were. */
static bool is_newly_unreadable(const struct item *item)
{
    if (!item->past || item->past->code != FAULT_UNREADABLE) return true;
    for (int s = 0; s < 2; s++) {
        const struct item_side *at = &item->side[s];
        if (at->seen == SEEN_UNREADABLE && at->body.there && at->content != item->past->refused[s]) return true;
    }
    return false;
}

static bool has_work(const struct job *job, const struct item *item)
{
    switch ((enum action)item->rule->action) {
    case ACTION_NOTHING: return item->row && (item->moved || version_moved(item) || job->refingerprint || item->past);
    case ACTION_KEEP: return item->past && item->side[SIDE_A].seen == SEEN_NEVER && item->side[SIDE_B].seen == SEEN_NEVER;
    case ACTION_QUARANTINE: return is_newly_unreadable(item);
    case ACTION_SKIP_TOMBSTONE: return !item->row || !(item->flags & JOURNAL_DELETED_HERE) || version_moved(item);
    default: return true;
    }
}

static bool is_late(const struct item *item)
{
    enum action action = (enum action)item->rule->action;
    return action == ACTION_DELETE_A || action == ACTION_DELETE_B || action == ACTION_FORGET;
}

static void add_work(struct job *job, size_t index, bool late)
{
    if (!job->work[late]) job->work[late] = mem_alloc((job->items.n + 1) * sizeof **job->work);
    job->work[late][job->n_work[late]++] = (uint32_t)index;
}

/* -- counting for the guard and the report -- */

static int64_t total_of(struct job *job, enum side s)
{
    if (job->side[s].full) return job->side[s].listed;
    if (job_can(job, s, IN_STATE) && job->side[s].collection->records >= 0) return job->side[s].collection->records;
    int64_t total = job->state.records[s];
    for (size_t i = 0; i < job->items.n; i++) {
        const struct item *item = &job->items.list[i];
        const struct item_side *at = &item->side[s];
        bool known = item->row || item->past;
        if (item->dead) continue;
        if (known && at->gone) total--;
        if (!known && !at->gone && (at->body.there || at->unreadable)) total++;
    }
    return total > 0 ? total : 0;
}

/* The one row of contactbox 6 a record stands in; NULL: it is not there, or unchanged (which is all the others). */
static int64_t *count_of(const struct item *item, enum side s, struct side_counts *c)
{
    enum seen seen = (enum seen)item->side[s].seen, other = (enum seen)item->side[side_other(s)].seen;
    enum action action = item->rule ? (enum action)item->rule->action : ACTION_NOTHING;
    if (seen == SEEN_UNREADABLE) return &c->invalid;
    if (item->side[s].filtered) return &c->filtered;
    if (seen != SEEN_NEW && seen != SEEN_CHANGED && seen != SEEN_SAME) return NULL;
    if (action == ACTION_SKIP_TOMBSTONE) return &c->skipped_deleted;
    if (action == (s == SIDE_A ? ACTION_DELETE_A : ACTION_DELETE_B)) return &c->to_delete;
    if (seen == SEEN_NEW) return &c->fresh;
    if (seen == SEEN_SAME) return NULL;
    return other == SEEN_CHANGED ? &c->conflict : &c->changed;
}

static void count_seen(struct job *job, const struct item *item)
{
    for (int s = 0; s < 2; s++) {
        struct side_counts *c = job->side[s].counts;
        int64_t *row = count_of(item, (enum side)s, c);
        if (row) ++*row;
    }
}

/* What was deleted here earlier and is as it was there is no item of this run. */
static void count_skipped_before(struct job *job)
{
    int64_t n = journal_count_deleted(job->db, job->link->name);
    for (size_t i = 0; n > 0 && i < job->items.n; i++) {
        const struct item *item = &job->items.list[i];
        n -= !item->dead && item->row && item->flags & JOURNAL_DELETED_HERE && item->side[SIDE_B].id.p;
    }
    job->side[SIDE_B].counts->skipped_deleted += n;
}

static void count_unchanged(struct job *job)
{
    for (int s = 0; s < 2; s++) {
        struct side_counts *c = job->side[s].counts;
        c->total = total_of(job, (enum side)s);
        int64_t known = c->fresh + c->changed + c->conflict + c->to_delete + c->filtered + c->invalid + c->skipped_deleted;
        if (c->total < known) c->total = known; /* changed while it was counted */
        c->unchanged = c->total - known;
    }
}

static void note_write(struct job *job, struct guard_input *guard, const struct effect *e, enum side s, struct arena *arena)
{
    struct guard_side *g = &guard->side[s];
    job->n_writes[s]++;
    if (e->write[s].kind == WRITE_CREATE) g->creates++;
    else if (e->write[s].kind == WRITE_DELETE)
        g->deletes++;
    else {
        g->updates++;
        size_t n_before, n_after;
        const struct element *before = record_elements(e->before[s], &n_before);
        const struct element **after = merge_expected(arena, &e->input, &e->merged, s, &n_after);
        guard_note_update(g, before, n_before, after, n_after);
    }
}

/* A create is known without merging anything: the plan of a first import of 100 000 must not build 100 000 records. */
static bool is_plain_create(const struct item *item)
{
    enum action a = (enum action)item->rule->action;
    return a == ACTION_CREATE_A || a == ACTION_CREATE_B;
}

static void plan_create(struct job *job, struct guard_input *guard, const struct item *item)
{
    enum side to = item->rule->action == ACTION_CREATE_A ? SIDE_A : SIDE_B, from = side_other(to);
    struct buf text AUTO_BUF = BUF_INIT;
    buf_addf(&text, "%d %d %016" PRIx64 " ", (int)to, (int)WRITE_CREATE, item->side[from].content);
    buf_addstr(&text, item->side[from].id);
    job->plan_sum += hash_str(&job->key, buf_str(&text));
    job->n_writes[to]++;
    guard->side[to].creates++;
}

static void plan_item(struct job *job, struct guard_input *guard, struct item *item)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct fault why AUTO_FAULT = FAULT_INIT;
    if (is_plain_create(item)) {
        plan_create(job, guard, item);
        return;
    }
    struct effect e;
    effect_make(job, item, &arena, &e, &why);
    job->plan_sum += effect_hash(job, &e);
    for (int s = 0; s < 2; s++)
        if (e.writes[s]) note_write(job, guard, &e, (enum side)s, &arena);
}

/* -- the guard -- */

/* How many records have a field is counted only when so many lose it that it matters. */
static void count_field(void *ctx, int64_t number)
{
    struct {
        struct job *job;
        struct guard_input *guard;
    } *c = ctx;
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct journal_row row;
    if (!journal_get(c->job->db, c->job->link->name, number, &arena, &row)) return;
    for (int s = 0; s < 2; s++) {
        struct guard_side *g = &c->guard->side[s];
        for (size_t f = 0; f < g->n_fields; f++) {
            bool has = false;
            for (uint32_t i = 0; i < row.base[s].n && !has; i++) has = row.base[s].prints[i].field == g->fields[f].field->id;
            g->fields[f].had += has;
        }
    }
}

static enum fault_code count_fields(struct job *job, struct guard_input *guard)
{
    bool many = false;
    for (int s = 0; s < 2; s++)
        for (size_t f = 0; f < guard->side[s].n_fields; f++) many |= guard->side[s].fields[f].wiped > GUARD_WIPE_MIN;
    if (!many || !job_pairs(job)) return FAULT_NONE;
    for (int s = 0; s < 2; s++)
        for (size_t f = 0; f < guard->side[s].n_fields; f++) guard->side[s].fields[f].had = 0;
    struct {
        struct job *job;
        struct guard_input *guard;
    } c = {job, guard};
    return journal_each_row(job->db, job->link->name, count_field, &c, job->fault);
}

static const char *identity_change(struct job *job)
{
    for (int s = 0; s < 2; s++) {
        const char *then = job->state.identity[s];
        if (then && strcmp(then, buf_cstr(&job->side[s].identity)) != 0)
            return arena_printf(&job->memory, _("%s is now %s, it was %s"), job->side[s].account->name,
                                buf_cstr(&job->side[s].identity), then);
    }
    const char *settings = job->link->settings_hash ? job->link->settings_hash : "";
    if (job->state.settings_hash && strcmp(job->state.settings_hash, settings) != 0)
        return arena_printf(&job->memory, _("the address, user or filter of this link was changed in the configuration"));
    return NULL;
}

static enum fault_code check_guard(struct job *job, struct guard_input *guard)
{
    guard->identity_changed = identity_change(job);
    if (!job->items.n && !guard->identity_changed) return FAULT_NONE; /* nothing happens */
    guard->pairs = job_pairs(job);
    guard->first_run = !job->state.first_run_done;
    guard->recreates = job->policy == POLICY_RECREATE || job->policy == POLICY_TWO_WAY_RECREATE;
    guard->replaces_a = guard->recreates && !(job->switches & SWITCH_NEW_MODE);
    guard->former_b = job->state.records[SIDE_B];
    guard->policy = &job->link->policy;
    for (int s = 0; s < 2; s++) guard->side[s].total = total_of(job, (enum side)s);
    enum fault_code code = count_fields(job, guard);
    job->held = guard_check(&job->memory, guard);
    return code;
}

/* -- */

/* A quarantined card is named in every report until it can be read. The run that meets it first, or meets other bytes, has failed in
 * part; later ones only name it, or an administrator would stop to look. */
static void tell_left_alone(struct job *job, struct item *item)
{
    job->newly_unreadable |= is_newly_unreadable(item);
    struct arena arena AUTO_ARENA = ARENA_INIT;
    for (int s = 0; s < 2; s++) {
        if (item->side[s].seen != SEEN_UNREADABLE) continue;
        struct fault why AUTO_FAULT = FAULT_INIT;
        struct str body = spool_get(job->spool, &item->side[s].body, &arena, &why);
        if (body.p) record_parse(&arena, job->kind, body, &job->key, &why);
        struct buf text AUTO_BUF = BUF_INIT;
        if (why.what) buf_adds(&text, why.what);
        else
            buf_addstr(&text, item->past ? item->past->reason : STR_NONE);
        tell_problem(job, PROBLEM_QUARANTINED, item, (enum side)s, job_title(job, item, &arena), STR_NONE, FAULT_UNREADABLE,
                     buf_cstr(&text));
    }
}

/* Found out in the middle of a run: no guard has seen such a delete, and what vanished may have moved to a name that only the next
 * listing shows. */
static bool is_for_next_run(const struct item *item)
{
    switch ((enum action)item->rule->action) {
    case ACTION_DELETE_A:
    case ACTION_DELETE_B: return !item->delete_seen;
    case ACTION_REVIVE_A:
    case ACTION_REVIVE_B: return true;
    case ACTION_CREATE_A: return item->side[SIDE_A].gone;
    case ACTION_CREATE_B: return item->side[SIDE_B].gone;
    default: return false;
    }
}

/* Somebody works on a contact there that was deleted here: the deletion stands, but it is worth a word (contactbox 5, rule 3). */
static void tell_changed_after(struct job *job, struct item *item)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    if (!version_moved(item)) return;
    tell_problem(job, PROBLEM_QUARANTINED, item, SIDE_B, job_title(job, item, &arena), STR_NONE, FAULT_NONE,
                 _("changed on the server after deletion here; \"abgleich contact restore\" brings it back"));
}

static void collect_work(struct job *job, struct guard_input *guard)
{
    job->n_work[0] = job->n_work[1] = 0;
    for (size_t i = 0; i < job->items.n; i++) {
        struct item *item = &job->items.list[i];
        if (job->round && !item->retry) continue;
        if (item->dead) continue;
        if (!job->round) count_seen(job, item);
        if (!is_open(item)) continue;
        if (item->rule->action == ACTION_QUARANTINE) tell_left_alone(job, item);
        if (item->rule->action == ACTION_SKIP_TOMBSTONE && item->side[SIDE_B].seen == SEEN_CHANGED) tell_changed_after(job, item);
        if (!has_work(job, item)) {
            item->settled = true;
            continue;
        }
        if (job->round && is_for_next_run(item)) continue;
        item->delete_seen = item->rule->action == ACTION_DELETE_A || item->rule->action == ACTION_DELETE_B;
        plan_item(job, guard, item);
        add_work(job, i, is_late(item));
        tell_progress(job, PHASE_PLAN, i, job->items.n);
    }
}

/* No guard counts what is forgotten or made again because a listing did not have it: the record itself is asked for, once. (A server
 * that has mislaid everything for a moment would get it twice, or a deletion would never reach it.) */
static bool is_absence_to_prove(const struct job *job, const struct item *item, enum side s)
{
    const struct item_side *at = &item->side[s];
    if (!is_open(item) || !item->rule || at->body.there || !at->gone || at->told_gone || at->filtered || !at->listed || !item->row || job->round || job_can(job, s, HUB)) return false;
    switch ((enum action)item->rule->action) {
    case ACTION_FORGET:
    case ACTION_CREATE_A:
    case ACTION_CREATE_B:
    case ACTION_REVIVE_A:
    case ACTION_REVIVE_B: return true;
    default: return false;
    }
}

/* One that is there after all says that the listing was none, and nothing else may be concluded from it either. */
static enum fault_code prove_absences(struct job *job)
{
    uint8_t *absent AUTO_FREE = mem_calloc(job->items.n + 1, 1);
    for (size_t i = 0; i < job->items.n; i++)
        for (int s = 0; s < 2; s++) absent[i] |= (uint8_t)(is_absence_to_prove(job, &job->items.list[i], (enum side)s) << s);
    enum fault_code code = gather_bodies(job, is_absence_to_prove);
    for (size_t i = 0; !code && i < job->items.n; i++)
        for (int s = 0; s < 2 && !code; s++) {
            if (!(absent[i] >> s & 1) || !job->items.list[i].side[s].body.there) continue;
            code = fault_set(job->fault, FAULT_INCOMPLETE, _("nothing was changed, the next run asks again"),
                             _("the listing left out records that are there"));
            fault_about(job->fault, NULL, job->side[s].account->name);
        }
    return code;
}

enum fault_code plan_build(struct job *job)
{
    enum fault_code code = decide_all(job);
    if (code) return code;
    struct guard_input guard = {0};
    for (int s = 0; s < 2; s++) {
        guard.side[s].name = job->side[s].account->name;
        guard_fields_init(&guard.side[s], &job->memory, job->kind);
    }
    collect_work(job, &guard);
    if (job->round) return FAULT_NONE;
    count_skipped_before(job);
    count_unchanged(job);
    job->total = job->n_writes[SIDE_A] + job->n_writes[SIDE_B];
    snprintf(job->result->plan, sizeof job->result->plan, "%016" PRIx64, job->plan_sum);
    code = check_guard(job, &guard);
    return code || job->held ? code : prove_absences(job);
}

void plan_tell(struct job *job)
{
    for (int late = 0; late < 2; late++) {
        for (size_t i = 0; i < job->n_work[late]; i++) {
            struct arena arena AUTO_ARENA = ARENA_INIT;
            struct fault why AUTO_FAULT = FAULT_INIT;
            struct effect e;
            effect_make(job, &job->items.list[job->work[late][i]], &arena, &e, &why);
            for (int s = 0; s < 2; s++)
                if (e.writes[s]) tell_operation(job, &e, (enum side)s);
            tell_conflicts(job, &e);
        }
    }
}

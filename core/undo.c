#include "core/undo.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "core/execute.h"
#include "core/job.h"
#include "state/archive.h"
#include "state/runs.h"

#include <inttypes.h>
#include <stdio.h>

/* -- the decision -- */

static enum undo_verdict decide_touched(const struct undo_look *l)
{
    if (l->then == UNDO_WAS_ABSENT && l->now == UNDO_ABSENT) return UNDO_DONE_ALREADY;
    if (l->now == UNDO_AS_BEFORE) return UNDO_DONE_ALREADY;
    bool as_left = l->left_absent ? l->now == UNDO_ABSENT : l->now == UNDO_AS_LEFT;
    if (as_left) return l->then == UNDO_NOT_KEPT ? UNDO_FORGOTTEN : UNDO_WRITE;
    if (l->left_absent) return UNDO_MADE_AGAIN;
    return l->now == UNDO_ABSENT ? UNDO_GONE : UNDO_CHANGED;
}

enum undo_verdict undo_decide(const struct undo_look look[2], enum side *where)
{
    enum undo_verdict all = UNDO_DONE_ALREADY;
    *where = SIDE_A;
    for (int s = 0; s < 2; s++) {
        const struct undo_look *l = &look[s];
        enum undo_verdict v = l->then != UNDO_UNTOUCHED ? decide_touched(l)
                              : l->now == UNDO_AS_LEFT  ? UNDO_DONE_ALREADY
                                                        : UNDO_CHANGED_APART;
        if (v == UNDO_DONE_ALREADY) continue;
        *where = (enum side)s;
        all = v;
        if (v != UNDO_WRITE) return v;
    }
    return all;
}

const char *undo_verdict_text(enum undo_verdict v)
{
    static const char *const texts[UNDO_VERDICTS] = {
        [UNDO_CHANGED] = N_("it was changed since, and stays as it is now"),
        [UNDO_CHANGED_APART] = N_("it was changed on this side since, and not synced yet; it stays as it is now"),
        [UNDO_GONE] = N_("it was deleted since, and stays deleted"),
        [UNDO_MADE_AGAIN] = N_("it is there again since, and stays as it is now"),
        [UNDO_FORGOTTEN] = N_("what it was before is not kept any more"),
    };
    return texts[v];
}

/* -- what the run did to a record -- */

struct undo_side {
    bool touched, was_absent, left_absent;
    int64_t archived; /* 0 = not kept */
    uint64_t content; /* as the run left it */
};
struct undo_item {
    uint32_t item;
    struct str title;
    struct undo_side side[2];
};
struct undo {
    struct amend amend;
    struct undo_item *list;
    size_t n;
    struct map64 by_item; /* index of an item -> index in list */
};

/* Of several operations on a side the first says what was before, the last what was left. */
static void add_operation(struct undo_side *u, const struct report_operation *o)
{
    if (!u->touched) {
        u->was_absent = o->op == WRITE_CREATE;
        u->archived = o->archived;
    }
    u->touched = true;
    u->left_absent = o->op == WRITE_DELETE;
    u->content = o->content;
}

/* The record on its other side, unless that name belongs to another record by now. */
static void name_other(struct job *job, uint32_t index, enum side s, struct str id)
{
    struct item *item = &job->items.list[index];
    if (!id.p || item->side[s].id.p || items_find(&job->items, s, id)) return;
    int64_t row = journal_find(job->db, job->link->name, s, id);
    if (!row || row == item->row) items_name(&job->items, item, s, arena_str(&job->items.strings, id));
}

static struct undo_item *undo_of(struct job *job, struct undo *u, const struct report_operation *o)
{
    struct item *item = items_find(&job->items, (enum side)o->side, o->id);
    if (!item && o->other.p) item = items_find(&job->items, side_other((enum side)o->side), o->other);
    if (!item && o->other.p && !journal_find(job->db, job->link->name, o->side, o->id) &&
        journal_find(job->db, job->link->name, side_other((enum side)o->side), o->other))
        item = gather_item(job, side_other((enum side)o->side), o->other);
    if (!item) item = gather_item(job, (enum side)o->side, o->id);
    uint32_t index = (uint32_t)(item - job->items.list);
    name_other(job, index, (enum side)o->side, o->id);
    name_other(job, index, side_other((enum side)o->side), o->other);
    uint32_t known;
    if (map64_get(&u->by_item, index + 1u, &known)) return &u->list[known];
    map64_put(&u->by_item, index + 1u, (uint32_t)u->n);
    u->list[u->n] = (struct undo_item){.item = index, .title = o->title};
    items_past(&job->items, &job->items.list[index])->title = arena_str(&job->items.strings, o->title);
    return &u->list[u->n++];
}

/* -- what is there now -- */

static bool needs_body(const struct job *job, const struct item *item, enum side s)
{
    (void)job;
    return item->side[s].id.p && !item->side[s].body.there && !item->side[s].gone;
}

static struct record *old_record(struct job *job, const struct undo_side *u, struct arena *arena)
{
    struct archived a;
    struct fault why AUTO_FAULT = FAULT_INIT;
    if (!u->archived || !archive_get(job->db, u->archived, arena, &a) || !a.body.p) return NULL;
    return record_parse(arena, job->kind, a.body, &job->key, &why);
}

static uint64_t content_of(const struct record *r, struct arena *arena)
{
    struct fingerprint fp = fingerprint_of(arena, r);
    return fingerprint_hash(&fp);
}

static enum undo_now now_untouched(const struct item *item, enum side s, bool there)
{
    enum seen seen = (enum seen)item->side[s].seen;
    if (!item->row) return there ? UNDO_OTHER : UNDO_AS_LEFT;
    bool apart = (item->flags & JOURNAL_APART) != 0;
    bool as_known = seen == SEEN_SAME || (!there && (apart || !item->side[s].id.p || seen == SEEN_TOMBSTONE));
    return as_known ? UNDO_AS_LEFT : UNDO_OTHER;
}

static struct undo_look look_at(struct job *job, const struct undo_item *u, enum side s)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    const struct item *item = &job->items.list[u->item];
    const struct undo_side *side = &u->side[s];
    struct record *now = job_record(job, item, s, &arena);
    bool there = item->side[s].body.there;
    if (!side->touched) return (struct undo_look){.then = UNDO_UNTOUCHED, .now = now_untouched(item, s, there)};
    struct record *old = old_record(job, side, &arena);
    struct undo_look l = {.then = side->was_absent ? UNDO_WAS_ABSENT
                                  : old            ? UNDO_WAS_THERE
                                                   : UNDO_NOT_KEPT,
                          .left_absent = side->left_absent,
                          .now = there ? UNDO_OTHER : UNDO_ABSENT};
    if (!now) return l;
    uint64_t content = content_of(now, &arena);
    if (old && content == content_of(old, &arena))
        l.now = UNDO_AS_BEFORE;
    else if (side->content && content == side->content)
        l.now = UNDO_AS_LEFT;
    return l;
}

/* -- the plan -- */

static const struct decision_row put_back = {
    0, 0, 0, 0, ACTION_PUT_BACK, N_("Taken back: as it was before the run that is undone."),
};

static struct undo_item *undo_at(const struct job *job, const struct item *item)
{
    struct undo *u = job->amend->ctx;
    uint32_t known;
    return map64_get(&u->by_item, (uint64_t)(item - job->items.list) + 1, &known) ? &u->list[known] : NULL;
}

/* The old version as that side takes it: what came in an XML answer has lost its CRLF (XML 1.0 2.11). NULL with *f set
 * if it cannot. */
static struct record *in_form(struct job *job, struct record *old, enum side s, struct arena *arena, struct fault *f)
{
    struct buf body AUTO_BUF = BUF_INIT;
    if (record_write_new(old, &job->side[s].form, &body, f)) return NULL;
    if (str_eq(buf_str(&body), record_bytes(old))) return old;
    return record_parse(arena, job->kind, arena_str(arena, buf_str(&body)), &job->key, f);
}

static void make_side(struct job *job, struct item *item, const struct undo_side *u, enum side s, struct arena *arena,
                      struct effect *out, struct fault *f)
{
    const struct item_side *at = &item->side[s];
    struct write *w = &out->write[s];
    struct record *old = old_record(job, u, arena);
    if (u->was_absent) {
        if (!out->before[s]) return;
        *w = (struct write){.kind = WRITE_DELETE, .id = at->id, .version = at->version, .title = out->title};
    } else if (!old) {
        fault_set(f, FAULT_GONE, NULL, "%s", _(undo_verdict_text(UNDO_FORGOTTEN)));
        return;
    } else {
        if (out->before[s] && content_of(out->before[s], arena) == content_of(old, arena)) return;
        struct record *form = in_form(job, old, s, arena, f);
        if (!form) return;
        *w = (struct write){.kind = out->before[s] ? WRITE_UPDATE : WRITE_CREATE,
                            .id = at->id,
                            .body = record_bytes(form),
                            .version = out->before[s] ? at->version : STR_NONE,
                            .uid = record_uid(form),
                            .title = record_title(form)};
        out->sent[s] = form;
    }
    out->writes[s] = true;
}

static void undo_free(struct amend *amend)
{
    struct undo *u = amend->ctx;
    map64_free(&u->by_item);
}

static void make(struct job *job, struct item *item, struct arena *arena, struct effect *out, struct fault *f)
{
    const struct undo_item *u = undo_at(job, item);
    for (int s = 0; u && s < 2 && !f->code; s++)
        if (u->side[s].touched) make_side(job, item, &u->side[s], (enum side)s, arena, out, f);
}

void amend_add(struct job *job, struct item *item, bool late)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct effect e;
    if (!job->work[late]) job->work[late] = mem_alloc((job->items.n + 1) * sizeof **job->work);
    job->work[late][job->n_work[late]++] = (uint32_t)(item - job->items.list);
    effect_make(job, item, &arena, &e, &why);
    job->plan_sum += effect_hash(job, &e);
    for (int s = 0; s < 2; s++) job->n_writes[s] += e.writes[s];
    job->total = job->n_writes[SIDE_A] + job->n_writes[SIDE_B];
    snprintf(job->result->plan, sizeof job->result->plan, "%016" PRIx64, job->plan_sum);
}

static void plan_one(struct job *job, const struct undo_item *u)
{
    enum side where;
    struct item *item = &job->items.list[u->item];
    for (int s = 0; s < 2; s++)
        if (item->side[s].gone) item->unknown = false; /* nothing is concluded from it but that it cannot be put back */
    classify(job, item);
    struct undo_look look[2] = {look_at(job, u, SIDE_A), look_at(job, u, SIDE_B)};
    enum undo_verdict v = undo_decide(look, &where);
    item->rule = &put_back;
    if (item->unknown) return;
    if (v == UNDO_WRITE || (v == UNDO_DONE_ALREADY && item->row)) {
        amend_add(job, item, u->side[SIDE_A].was_absent || u->side[SIDE_B].was_absent);
        return;
    }
    item->settled = true;
    if (v != UNDO_DONE_ALREADY)
        tell_problem(job, PROBLEM_FAILED, item, where, u->title, STR_NONE, FAULT_CHANGED, _(undo_verdict_text(v)));
}

/* An address that is another one than then is no place to put anything back. */
static enum fault_code check_places(struct job *job)
{
    for (int s = 0; s < 2; s++)
        if (!job->state.identity[s] || strcmp(job->state.identity[s], buf_cstr(&job->side[s].identity)) != 0)
            return fault_set(job->fault, FAULT_CONFIG, _("sync the link first, then undo"),
                             _("%s is another collection than in that run"), job->side[s].account->name);
    return FAULT_NONE;
}

enum fault_code undo_plan(struct job *job)
{
    struct run_report run;
    if (job->side[SIDE_B].connector->push)
        return fault_set(job->fault, FAULT_UNSUPPORTED, _("change the book as it is to be, and sync"),
                         _("\"%s\" takes lists only, a single run cannot be taken back there"),
                         job->side[SIDE_B].account->name);
    enum fault_code code = check_places(job);
    if (code) return code;
    if (!runs_load(job->db, job->options->undo, &job->memory, &run) || !str_eq(run.link, str_of(job->link->name)))
        return fault_set(job->fault, FAULT_USAGE, _("\"abgleich runs\" shows those there are"),
                         _("there is no run %lld of this link"), (long long)job->options->undo);
    struct undo *u = arena_zalloc(&job->memory, sizeof *u);
    u->list = arena_zalloc(&job->memory, ((size_t)run.n_operations + 1) * sizeof *u->list);
    u->amend = (struct amend){make, undo_free, u};
    map64_init(&u->by_item, (size_t)run.n_operations);
    job->amend = &u->amend;
    job->round = ROUNDS_MAX; /* what is changed meanwhile is left as it is */
    for (int64_t i = 0; i < run.n_operations; i++) {
        const struct report_operation *o = &run.operations[i];
        if (o->id.p) add_operation(&undo_of(job, u, o)->side[o->side], o);
    }
    code = gather_bodies(job, needs_body);
    for (size_t i = 0; !code && i < u->n; i++) plan_one(job, &u->list[i]);
    return code;
}

/* -- the journal of a record that is to be on one side only -- */

static struct record *left_on(const struct effect *e, enum side s)
{
    if (!e->writes[s]) return e->before[s];
    return e->write[s].kind == WRITE_DELETE ? NULL : e->after[s] ? e->after[s] : e->sent[s];
}

bool undo_journal(struct job *job, struct effect *e, bool before)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct record *left[2] = {left_on(e, SIDE_A), left_on(e, SIDE_B)};
    if (e->item->rule->action != ACTION_PUT_BACK || (left[0] && left[1])) return false;
    if (!left[0] && !left[1]) {
        if (!before && e->item->row) journal_delete(job->db, job->link->name, e->item->row, job->fault);
        return true;
    }
    struct record *there = left[left[SIDE_A] ? SIDE_A : SIDE_B];
    struct journal_row row = {.row = e->apart ? e->apart : e->item->row, .flags = e->item->flags | JOURNAL_APART};
    for (int s = 0; s < 2; s++) {
        row.id[s] = e->item->side[s].id;
        row.version[s] = e->version[s].p ? e->version[s] : e->item->side[s].version;
    }
    fingerprint_both(&arena, there, there, &row.base[SIDE_A], &row.base[SIDE_B]);
    journal_put(job->db, job->link->name, &row, job->fault);
    e->apart = row.row;
    return true;
}

void undo_take_back(struct job *job, struct effect *e)
{
    if (!e->apart) return;
    if (!e->item->row)
        journal_delete(job->db, job->link->name, e->apart, job->fault);
    else
        journal_set_flags(job->db, job->link->name, e->item->row, e->item->flags, job->fault);
}

#include "core/job.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "state/runs.h"

#include <stdlib.h>

/* Lists grow by doubling: `n` before the add decides. (One that shrank is given the memory it has once more, which is
 * fine.) */
static void *grown(void *list, size_t n, size_t size)
{
    bool full = n == 0 || (n >= 8 && (n & (n - 1)) == 0);
    return full ? mem_realloc(list, (n < 8 ? 8 : n * 2) * size) : list;
}

static char *copied(struct str s)
{
    return s.p ? mem_strndup(s.p, s.n) : NULL;
}

struct str job_kept(const struct job *job, struct str text)
{
    bool store = job_can(job, SIDE_A, HUB) || job_can(job, SIDE_B, HUB);
    return store || job->link->history_ms ? text : STR_NONE;
}

static struct str side_name(struct job *job, enum side side)
{
    const char *collection = side == SIDE_A ? job->link->collection_a : job->link->collection_b;
    return str_of(arena_printf(&job->memory, "%s:%s", job->side[side].account->name, collection));
}

enum fault_code tell_start(struct job *job, struct fault *f)
{
    const char *trigger = job->options->trigger ? job->options->trigger : "command";
    struct run_report r = {.run = job->options->run,
                           .link = str_of(job->link->name),
                           .trigger = str_of(trigger),
                           .name_a = side_name(job, SIDE_A),
                           .name_b = side_name(job, SIDE_B)};
    enum fault_code code = runs_start(job->db, &r, f);
    job->result->run = r.run;
    return code;
}

/* -- what was killed -- */

static void count_operation(const struct report_operation *o, struct report_counts *c)
{
    switch ((enum write_kind)o->op) {
    case WRITE_CREATE: c->created++; break;
    case WRITE_UPDATE: c->updated++; break;
    case WRITE_DELETE: c->deleted++; break;
    }
}

static void close_killed(struct job *job, int64_t run)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct run_report r;
    if (!runs_load(job->db, run, &arena, &r)) return;
    for (int64_t i = 0; i < r.n_operations; i++) count_operation(&r.operations[i], &r.counts[r.operations[i].side]);
    r.status = STR("interrupted");
    runs_finish(job->db, &r, job->fault);
}

enum fault_code tell_interrupted(struct job *job)
{
    int64_t *runs;
    size_t n = runs_under_way(job->db, job->link->name, &job->memory, &runs);
    if (!n) return db_check(job->db, job->fault);
    enum fault_code code = db_begin(job->db, job->fault);
    if (code) return code;
    for (size_t i = 0; i < n; i++) close_killed(job, runs[i]);
    return db_commit(job->db, job->fault);
}

/* -- operations and conflicts -- */

static uint64_t content_after(const struct effect *e, enum side s)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    if (e->write[s].kind == WRITE_DELETE || !e->after[s]) return 0;
    struct fingerprint fp = fingerprint_of(&arena, e->after[s]);
    return fingerprint_hash(&fp);
}

static struct str name_after(const struct effect *e, enum side s)
{
    return e->write[s].new_id ? str_of(e->write[s].new_id) : e->writes[s] ? e->write[s].id : e->item->side[s].id;
}

void tell_operation(struct job *job, const struct effect *e, enum side side)
{
    enum write_kind kind = e->write[side].kind;
    struct run_result *r = job->result;
    r->operations = grown(r->operations, r->n_operations, sizeof *r->operations);
    r->operations[r->n_operations++] = (struct run_operation){(uint8_t)kind, side == SIDE_A, copied(e->title)};
    if (!r->run) return;
    const struct report_operation o = {.op = kind,
                                       .side = side,
                                       .title = job_kept(job, e->title),
                                       .id = name_after(e, side),
                                       .rule = str_of(e->item->rule->rule),
                                       .other = name_after(e, side_other(side)),
                                       .content = content_after(e, side),
                                       .archived = e->archived[side]};
    runs_add_operation(job->db, r->run, &o, job->fault);
}

void tell_listed(struct job *job, unsigned op, struct str title, struct str id, struct str source)
{
    struct run_result *r = job->result;
    r->operations = grown(r->operations, r->n_operations, sizeof *r->operations);
    r->operations[r->n_operations++] = (struct run_operation){(uint8_t)op, false, copied(title)};
    const struct report_operation o = {.op = op, .side = SIDE_B, .title = job_kept(job, title), .id = id, .other = source};
    if (r->run) runs_add_operation(job->db, r->run, &o, job->fault);
}

static void store_conflict(struct job *job, struct report_conflict *c)
{
    struct report_conflict kept = *c;
    struct str *const texts[] = {&kept.contact, &kept.a, &kept.b};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) *texts[i] = job_kept(job, *texts[i]);
    runs_add_conflict(job->db, job->result->run, &kept, &c->no, job->fault);
}

static void add_conflict(struct job *job, struct effect *e, struct report_conflict *c)
{
    struct run_result *r = job->result;
    c->contact = e->title;
    c->id = e->item->side[e->item->side[SIDE_A].id.p ? SIDE_A : SIDE_B].id;
    if (r->run && r->status != RUN_HELD) /* a plan that is held has settled nothing */
        store_conflict(job, c);
    if (!e->first_conflict) e->first_conflict = c->no;
    e->last_conflict = c->no;
    r->conflicts = grown(r->conflicts, r->n_conflicts, sizeof *r->conflicts);
    r->conflicts[r->n_conflicts++] = (struct run_conflict){.id = c->no,
                                                           .contact = copied(c->contact),
                                                           .field = copied(c->field),
                                                           .a = copied(c->a),
                                                           .b = copied(c->b),
                                                           .winner_a = c->winner == SIDE_A,
                                                           .rule = c->rule.p};
}

static void tell_field_conflict(struct job *job, struct effect *e, const struct merge_conflict *m)
{
    struct buf label AUTO_BUF = BUF_INIT;
    struct buf a AUTO_BUF = BUF_INIT;
    struct buf b AUTO_BUF = BUF_INIT;
    element_label(m->a ? m->a : m->b, &label);
    if (m->a) element_value(m->a, &a);
    if (m->b) element_value(m->b, &b);
    struct report_conflict c = {.field = buf_str(&label),
                                .a = m->a ? buf_str(&a) : STR_NONE,
                                .b = m->b ? buf_str(&b) : STR_NONE,
                                .winner = m->winner,
                                .rule = str_of(merge_rule_text(m->rule))};
    add_conflict(job, e, &c);
}

/* Deleted here, changed there: the change survives, and a person is told. */
static void tell_revived(struct job *job, struct effect *e, enum side revived)
{
    struct str gone = str_of(_("deleted")), kept = str_of(_("changed"));
    struct report_conflict c = {.field = str_of(_("whole record")),
                                .a = revived == SIDE_A ? gone : kept,
                                .b = revived == SIDE_B ? gone : kept,
                                .winner = side_other(revived),
                                .rule = str_of(e->item->rule->rule)};
    add_conflict(job, e, &c);
}

/* Two contacts of ours became one there, so one goes here, too: by a person's hand, or by the remote's own. */
static void tell_joined(struct job *job, struct effect *e, enum side there)
{
    const struct item_past *past = e->item->past;
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct buf text AUTO_BUF = BUF_INIT;
    if (!past || !past->joined[there].p) return;
    const struct item *into = items_find(&job->items, there, past->joined[there]);
    struct str title = into ? job_title(job, into, &arena) : STR_NONE, own = str_of(_("a contact of its own"));
    if (title.n)
        buf_addf(&text, _("joined with \"%.*s\""), STR_ARG(title));
    else
        buf_adds(&text, _("joined with another contact"));
    struct report_conflict c = {.field = str_of(_("whole record")),
                                .a = there == SIDE_A ? buf_str(&text) : own,
                                .b = there == SIDE_B ? buf_str(&text) : own,
                                .winner = there,
                                .rule = str_of(N_("Two contacts became one there; the other one is deleted here."))};
    add_conflict(job, e, &c);
}

void tell_conflicts(struct job *job, struct effect *e)
{
    if (e->told) return;
    e->told = true;
    for (size_t i = 0; i < e->merged.n_conflicts; i++) tell_field_conflict(job, e, &e->merged.conflicts[i]);
    if (e->item->rule->action == ACTION_REVIVE_A) tell_revived(job, e, SIDE_A);
    if (e->item->rule->action == ACTION_REVIVE_B) tell_revived(job, e, SIDE_B);
    if (e->item->rule->action == ACTION_DELETE_A) tell_joined(job, e, SIDE_B);
    if (e->item->rule->action == ACTION_DELETE_B) tell_joined(job, e, SIDE_A);
}

void tell_conflicts_off(struct job *job, const struct effect *e)
{
    struct run_result *r = job->result;
    size_t kept = 0;
    if (!e->first_conflict) return;
    for (size_t i = 0; i < r->n_conflicts; i++) {
        struct run_conflict *c = &r->conflicts[i];
        if (c->id < e->first_conflict || c->id > e->last_conflict) {
            r->conflicts[kept++] = *c;
            continue;
        }
        runs_remove_conflict(job->db, c->id, job->fault);
        free(c->contact);
        free(c->field);
        free(c->a);
        free(c->b);
    }
    r->n_conflicts = kept;
}

void tell_problem(struct job *job, unsigned kind, const struct item *item, enum side side, struct str title,
                  struct str other, unsigned code, const char *reason)
{
    struct run_result *r = job->result;
    bool ambiguous = kind == PROBLEM_AMBIGUOUS;
    struct run_problem **list = ambiguous ? &r->ambiguous : &r->quarantined;
    size_t *n = ambiguous ? &r->n_ambiguous : &r->n_quarantined;
    *list = grown(*list, *n, sizeof **list);
    (*list)[(*n)++] = (struct run_problem){.contact = copied(title),
                                           .other = copied(other),
                                           .id_a = copied(item->side[SIDE_A].id),
                                           .id_b = copied(item->side[SIDE_B].id),
                                           .side_a = side == SIDE_A,
                                           .kind = (uint8_t)kind,
                                           .code = code,
                                           .reason = mem_strdup(reason)};
}

static void store_problems(struct job *job, const struct run_problem *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct run_problem *p = &list[i];
        const struct report_problem row = {.kind = p->kind,
                                           .side = p->side_a ? SIDE_A : SIDE_B,
                                           .id_a = str_of(p->id_a),
                                           .id_b = str_of(p->id_b),
                                           .title = job_kept(job, str_of(p->contact)),
                                           .other = job_kept(job, str_of(p->other)),
                                           .code = p->code,
                                           .reason = str_of(p->reason)};
        runs_add_problem(job->db, job->result->run, &row, job->fault);
    }
}

void tell_problems_stored(struct job *job)
{
    store_problems(job, job->result->ambiguous, job->result->n_ambiguous);
    store_problems(job, job->result->quarantined, job->result->n_quarantined);
}

void tell_progress(struct job *job, enum run_phase phase, size_t done, size_t total)
{
    if (job->options->progress) job->options->progress(job->options->progress_ctx, phase, done, total);
}

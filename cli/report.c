#include "cli/report.h"

#include "base/i18n.h"

#include <inttypes.h>

static struct report_counts counts_of(const struct side_counts *c)
{
    return (struct report_counts){c->total,     c->fresh,           c->changed, c->created,  c->updated,   c->deleted,
                                  c->unchanged, c->skipped_deleted, c->invalid, c->conflict, c->to_delete, c->filtered};
}

static void copy_operations(const struct run_result *r, struct report *out, struct arena *arena)
{
    out->n_operations = r->n_operations;
    out->run.operations = arena_zalloc(arena, (r->n_operations + 1) * sizeof *out->run.operations);
    for (size_t i = 0; i < r->n_operations; i++) {
        const struct run_operation *o = &r->operations[i];
        out->run.operations[i] =
            (struct report_operation){.op = o->op, .side = !o->side_a, .title = str_of(o->contact)};
    }
}

static void copy_conflicts(const struct run_result *r, struct report *out, struct arena *arena)
{
    out->n_conflicts = r->n_conflicts;
    out->run.conflicts = arena_zalloc(arena, (r->n_conflicts + 1) * sizeof *out->run.conflicts);
    for (size_t i = 0; i < r->n_conflicts; i++) {
        const struct run_conflict *c = &r->conflicts[i];
        out->run.conflicts[i] = (struct report_conflict){.no = c->id,
                                                         .contact = str_of(c->contact),
                                                         .field = str_of(c->field),
                                                         .a = str_of(c->a),
                                                         .b = str_of(c->b),
                                                         .winner = !c->winner_a,
                                                         .rule = str_of(c->rule)};
    }
}

static struct report_problem problem_of(const struct run_problem *p, unsigned kind)
{
    return (struct report_problem){.kind = kind,
                                   .side = !p->side_a,
                                   .id_a = str_of(p->id_a),
                                   .id_b = str_of(p->id_b),
                                   .title = str_of(p->contact),
                                   .other = str_of(p->other),
                                   .code = p->code,
                                   .reason = str_of(p->reason)};
}

static void copy_problems(const struct run_result *r, struct report *out, struct arena *arena)
{
    size_t n = 0;
    out->run.problems = arena_zalloc(arena, (r->n_ambiguous + r->n_quarantined + 1) * sizeof *out->run.problems);
    for (size_t i = 0; i < r->n_quarantined; i++)
        out->run.problems[n++] = problem_of(&r->quarantined[i], r->quarantined[i].kind);
    for (size_t i = 0; i < r->n_ambiguous; i++)
        out->run.problems[n++] = problem_of(&r->ambiguous[i], PROBLEM_AMBIGUOUS);
    out->n_problems = n;
}

static struct str side_name(const struct account *a, const char *collection, struct arena *arena)
{
    return str_of(arena_printf(arena, "%s:%s", a->name, collection));
}

static struct str fault_sentence(const struct fault *f, struct arena *arena)
{
    if (!f->code) return STR_NONE;
    struct buf text AUTO_BUF = BUF_INIT;
    fault_text(f, &text);
    return arena_str(arena, buf_str(&text));
}

/* A check has done nothing: what it would do is in its operations. */
static void count_operations(struct report *r)
{
    for (int side = 0; side < 2; side++) {
        struct report_counts *c = &r->run.counts[side];
        c->created = c->updated = c->deleted = 0;
    }
    for (size_t i = 0; i < r->n_operations; i++) {
        const struct report_operation *o = &r->run.operations[i];
        struct report_counts *c = &r->run.counts[o->side];
        *(o->op == WRITE_CREATE ? &c->created : o->op == WRITE_UPDATE ? &c->updated : &c->deleted) += 1;
    }
}

struct report report_of_result(const struct run_result *r, const struct link *link, bool check_only,
                               struct arena *arena)
{
    struct report out = {.check_only = check_only, .matched = r->matched, .stored = r->run != 0};
    out.run = (struct run_report){.run = r->run,
                                  .name_a = side_name(&link->a, link->collection_a, arena),
                                  .name_b = side_name(&link->b, link->collection_b, arena),
                                  .link = str_of(link->name),
                                  .status = str_of(run_status_name(r->status)),
                                  .plan = str_of(r->plan),
                                  .finished_ms = r->duration_ms,
                                  .counts = {counts_of(&r->a), counts_of(&r->b)},
                                  .requests = r->requests,
                                  .bytes_in = r->bytes_in,
                                  .bytes_out = r->bytes_out,
                                  .held = str_of(r->held),
                                  .fault = fault_sentence(&r->fault, arena),
                                  .fault_code = r->fault.code};
    copy_operations(r, &out, arena);
    copy_conflicts(r, &out, arena);
    copy_problems(r, &out, arena);
    if (check_only) count_operations(&out);
    return out;
}

struct report report_of_stored(const struct run_report *run)
{
    return (struct report){.run = *run,
                           .n_operations = (size_t)run->n_operations,
                           .n_conflicts = (size_t)run->n_conflicts,
                           .n_problems = (size_t)run->n_problems,
                           .stored = true};
}

/* -- words -- */

struct str report_side_name(const struct report *r, unsigned side)
{
    struct str name = side ? r->run.name_b : r->run.name_a;
    return name.n ? name : side ? STR("B") : STR("A");
}

struct str report_value(struct str value)
{
    return value.n ? value : str_of(_("(removed)"));
}

void report_take(const struct report *r, const struct report_conflict *c, struct buf *out)
{
    if (r->stored && c->no) buf_addf(out, "abgleich conflicts take %" PRId64 " %s", c->no, c->winner ? "a" : "b");
}

const char *report_status_text(struct str status)
{
    static const struct {
        const char *status, *text;
    } texts[] = {{"done", N_("done")},
                 {"partial", N_("done in part; some records have to wait")},
                 {"held", N_("held by a guard: nothing was changed")},
                 {"failed", N_("failed")},
                 {"unchanged", N_("nothing to do")},
                 {"pending", N_("changes are waiting")},
                 {"queued", N_("waits for the daemon")},
                 {"running", N_("running, or was ended from outside")},
                 {"interrupted", N_("was ended from outside; the next run went on")}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (str_eq(status, str_of(texts[i].status))) return _(texts[i].text);
    return "?";
}

/* A remote without collections takes its list whole and cannot be read (connector.h, `push`): what it made of it nobody
 * knows. */
static bool is_list(const struct report *r)
{
    return str_ends(r->run.name_b, STR(":"));
}

static const char *const done[] = {N_("added"), N_("changed"), N_("deleted")};
static const char *const coming[] = {N_("to be added"), N_("to be changed"), N_("to be deleted")};
static const char *const sent[] = {N_("sent as new"), N_("sent as changed"), N_("no longer in the list")};

const char *report_operation_text(const struct report *r, unsigned op, bool would)
{
    return op > WRITE_DELETE ? "?" : would ? _(coming[op]) : is_list(r) ? _(sent[op]) : _(done[op]);
}

/* -- counts -- */

const struct report_column report_columns[] = {
    {N_("there"), N_("there"), offsetof(struct report_counts, total), true},
    {N_("new"), N_("new"), offsetof(struct report_counts, fresh), true},
    {N_("edited"), N_("edited"), offsetof(struct report_counts, changed), false},
    {N_("added"), N_("to be added"), offsetof(struct report_counts, created), true},
    {N_("changed"), N_("to be changed"), offsetof(struct report_counts, updated), true},
    {N_("deleted"), N_("to be deleted"), offsetof(struct report_counts, deleted), true},
    {N_("edited on both"), N_("edited on both"), offsetof(struct report_counts, conflict), false},
    {N_("unchanged"), N_("unchanged"), offsetof(struct report_counts, unchanged), false},
    {N_("deleted here, skipped"), N_("deleted here, skipped"), offsetof(struct report_counts, skipped_deleted), false},
    {N_("not readable"), N_("not readable"), offsetof(struct report_counts, invalid), false},
    {N_("left out by the filter"), N_("left out by the filter"), offsetof(struct report_counts, filtered), false},
};
const size_t report_n_columns = sizeof report_columns / sizeof report_columns[0];

const char *report_column_text(const struct report *r, size_t column, bool would)
{
    const struct report_column *c = &report_columns[column];
    for (unsigned op = 0; op <= WRITE_DELETE; op++)
        if (strcmp(c->label, done[op]) == 0) return report_operation_text(r, op, would);
    return would ? _(c->would) : _(c->label);
}

int64_t report_count_at(const struct report *r, unsigned side, size_t column)
{
    return *(const int64_t *)(const void *)((const char *)&r->run.counts[side] + report_columns[column].offset);
}

size_t report_columns_shown(const struct report *r, size_t *shown)
{
    size_t n = 0;
    for (size_t i = 0; i < report_n_columns; i++)
        if (report_columns[i].always || report_count_at(r, 0, i) || report_count_at(r, 1, i)) shown[n++] = i;
    return n;
}

/* -- JSON -- */

json_t *report_counts_json(const struct report_counts *c)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "total", (json_int_t)c->total, "new",
                     (json_int_t)c->fresh, "changed", (json_int_t)c->changed, "created", (json_int_t)c->created,
                     "updated", (json_int_t)c->updated, "deleted", (json_int_t)c->deleted, "unchanged",
                     (json_int_t)c->unchanged, "skipped_deleted", (json_int_t)c->skipped_deleted, "invalid",
                     (json_int_t)c->invalid, "conflict", (json_int_t)c->conflict, "to_delete", (json_int_t)c->to_delete,
                     "filtered", (json_int_t)c->filtered);
}

static const char *side_letter(unsigned side)
{
    return side ? "b" : "a";
}

json_t *report_conflict_json(const struct report_conflict *c)
{
    json_t *o = json_pack("{s:o,s:o,s:o,s:o,s:o,s:s,s:o}", "id", json_count(c->no), "contact", json_text(c->contact),
                          "field", json_text(c->field), "a", json_text(c->a), "b", json_text(c->b), "winner",
                          side_letter(c->winner), "rule", json_cstr(c->rule.n ? _(c->rule.p) : NULL));
    if (c->id.p) json_object_set_new(o, "record", json_text(c->id));
    return o;
}

static json_t *problem_json(const struct report_problem *p)
{
    json_t *o = json_pack("{s:o,s:s,s:o,s:o,s:o}", "contact", json_text(p->title), "side", side_letter(p->side),
                          "reason", json_text(p->reason), "id_a", json_text(p->id_a), "id_b", json_text(p->id_b));
    if (p->kind == PROBLEM_AMBIGUOUS) json_object_set_new(o, "other", json_text(p->other));
    return o;
}

static json_t *problems_json(const struct report *r, bool ambiguous)
{
    json_t *all = json_array();
    for (size_t i = 0; i < r->n_problems; i++)
        if ((r->run.problems[i].kind == PROBLEM_AMBIGUOUS) == ambiguous)
            json_array_append_new(all, problem_json(&r->run.problems[i]));
    return all;
}

static json_t *operations_json(const struct report *r)
{
    static const char *const ops[] = {"create", "update", "delete"};
    json_t *all = json_array();
    for (size_t i = 0; i < r->n_operations; i++) {
        const struct report_operation *o = &r->run.operations[i];
        json_t *entry = json_pack("{s:s,s:s,s:o}", "op", o->op > WRITE_DELETE ? "?" : ops[o->op], "side",
                                  side_letter(o->side), "contact", json_text(o->title));
        if (o->id.p) json_object_set_new(entry, "id", json_text(o->id));
        if (o->rule.n) json_object_set_new(entry, "rule", json_cstr(_(o->rule.p)));
        json_array_append_new(all, entry);
    }
    return all;
}

static json_t *conflicts_json(const struct report *r)
{
    json_t *all = json_array();
    for (size_t i = 0; i < r->n_conflicts; i++) json_array_append_new(all, report_conflict_json(&r->run.conflicts[i]));
    return all;
}

static json_t *matched_json(const struct report *r)
{
    json_t *o = json_object();
    for (unsigned i = 0; i < RUN_MATCHES; i++) json_object_set_new(o, run_match_name(i), json_count(r->matched[i]));
    return o;
}

json_t *report_json(const struct report *r)
{
    const struct run_report *run = &r->run;
    json_t *o = json_object();
    json_object_set_new(o, "link", json_text(run->link));
    json_object_set_new(o, "run", run->run ? json_count(run->run) : json_null());
    json_object_set_new(o, "plan", run->plan.n ? json_text(run->plan) : json_null());
    json_object_set_new(o, "status", json_text(run->status));
    json_object_set_new(
        o, "sides",
        json_pack("{s:o,s:o}", "a", json_text(report_side_name(r, 0)), "b", json_text(report_side_name(r, 1))));
    json_object_set_new(o, "a", report_counts_json(&run->counts[0]));
    json_object_set_new(o, "b", report_counts_json(&run->counts[1]));
    if (r->matched) json_object_set_new(o, "matched", matched_json(r));
    json_object_set_new(o, "conflicts", conflicts_json(r));
    json_object_set_new(o, "ambiguous", problems_json(r, true));
    json_object_set_new(o, "quarantined", problems_json(r, false));
    json_object_set_new(o, "held", run->held.n ? json_pack("{s:o}", "reason", json_text(run->held)) : json_null());
    json_object_set_new(o, "operations", operations_json(r));
    json_object_set_new(o, "fault",
                        run->fault.n ? json_pack("{s:s,s:o}", "code", fault_name((enum fault_code)run->fault_code),
                                                 "text", json_text(run->fault))
                                     : json_null());
    json_object_set_new(o, "requests", json_count(run->requests));
    json_object_set_new(o, "bytes_in", json_count(run->bytes_in));
    json_object_set_new(o, "bytes_out", json_count(run->bytes_out));
    json_object_set_new(o, "duration_ms", json_count(run->finished_ms - run->started_ms));
    if (run->started_ms) json_object_set_new(o, "started", json_time(run->started_ms));
    if (run->trigger.p) json_object_set_new(o, "trigger", json_text(run->trigger));
    return o;
}

#include "core/take.h"

#include "base/i18n.h"
#include "core/execute.h"
#include "core/job.h"
#include "state/archive.h"

/* -- pure -- */

const struct element *take_find(const struct record *r, struct str label, struct str value)
{
    size_t n;
    const struct element *all = record_elements(r, &n);
    const struct element *other_label = NULL;
    for (size_t i = 0; i < n; i++) {
        struct buf text AUTO_BUF = BUF_INIT, name AUTO_BUF = BUF_INIT;
        element_value(&all[i], &text);
        if (!str_eq(buf_str(&text), value)) continue;
        element_label(&all[i], &name);
        if (str_eq(buf_str(&name), label)) return &all[i];
        if (!other_label) other_label = &all[i]; /* reported in another language, or under another type */
    }
    return other_label;
}

static struct str value_of(const struct report_conflict *c, unsigned side)
{
    return side == 0 ? c->a : c->b;
}

static const struct element *of_field(const struct record *r, const struct element *like)
{
    size_t n;
    const struct element *all = record_elements(r, &n);
    for (size_t i = 0; i < n; i++)
        if (all[i].key == like->key) return &all[i];
    return NULL;
}

bool take_edit(const struct report_conflict *c, const struct record *now, const struct record *old, struct edit *out)
{
    struct str won = value_of(c, c->winner), lost = value_of(c, !c->winner);
    const struct element *target = won.n ? take_find(now, c->field, won) : NULL;
    const struct element *source = lost.n ? take_find(old, c->field, lost) : NULL;
    if ((won.n && !target) || (lost.n && !source) || (!target && !source)) return false;
    if (!target && source->field->arity != ARITY_SET && of_field(now, source)) return false;
    *out = (struct edit){target && source ? EDIT_SET : source ? EDIT_ADD : EDIT_REMOVE, target, source, old};
    return true;
}

/* -- the run -- */

struct take {
    struct amend amend;
    struct report_conflict conflict;
    struct str old; /* the loser's card */
    uint32_t item;
};

static const struct decision_row decided = {
    0, 0, 0, 0, ACTION_PUT_BACK, N_("Decided by a person: the other value of a conflict."),
};

/* What follows the field (the formatted name the parts of it) follows it here, too. */
static size_t add_derived(const struct record *now, const struct record *old, struct edit *edits)
{
    size_t n;
    const struct element *all = record_elements(now, &n);
    if (!edits->target || !edits->source || strncmp(edits->target->field->name, "name", 4) != 0) return 1;
    for (size_t i = 0; i < n; i++) {
        const struct element *source = all[i].field->flags & FIELD_DERIVED ? of_field(old, &all[i]) : NULL;
        if (!source) continue;
        edits[1] = (struct edit){EDIT_SET, &all[i], source, old};
        return 2;
    }
    return 1;
}

static void make_side(struct job *job, const struct take *t, struct item *item, enum side s, struct arena *arena,
                      struct effect *out, struct fault *f)
{
    struct edit edits[2];
    struct buf body AUTO_BUF = BUF_INIT;
    struct record *now = out->before[s], *old = record_parse(arena, job->kind, t->old, &job->key, f);
    if (!now || !old || !take_edit(&t->conflict, now, old, edits)) {
        fault_set(f, FAULT_CHANGED, NULL, "%s", _("the field was changed since, and stays as it is now"));
        return;
    }
    if (record_write_edited(now, edits, add_derived(now, old, edits), &job->side[s].form, &body, f)) return;
    struct str bytes = arena_str(arena, buf_str(&body));
    if (str_eq(bytes, record_bytes(now))) return;
    out->sent[s] = record_parse(arena, job->kind, bytes, &job->key, f);
    if (!out->sent[s]) return;
    out->writes[s] = true;
    out->write[s] = (struct write){.kind = WRITE_UPDATE,
                                   .id = item->side[s].id,
                                   .version = item->side[s].version,
                                   .body = bytes,
                                   .uid = record_uid(out->sent[s]),
                                   .title = record_title(out->sent[s])};
}

static void make(struct job *job, struct item *item, struct arena *arena, struct effect *out, struct fault *f)
{
    for (int s = 0; s < 2 && !f->code; s++) make_side(job, job->amend->ctx, item, (enum side)s, arena, out, f);
}

static bool needs_body(const struct job *job, const struct item *item, enum side s)
{
    (void)job;
    return item->side[s].id.p && !item->side[s].body.there && !item->side[s].gone;
}

struct search {
    struct str id;
    unsigned side;
    int64_t no;
};

static void note_archived(void *ctx, const struct archived *a)
{
    struct search *s = ctx;
    if (a->side == s->side && str_eq(a->id, s->id)) s->no = a->no; /* newest first: the oldest of the run stays */
}

static enum fault_code load_loser(struct job *job, struct take *t)
{
    struct archived a;
    enum side loser = side_other((enum side)t->conflict.winner);
    struct search s = {.id = job->items.list[t->item].side[loser].id, .side = loser};
    enum fault_code code = archive_each(job->db, t->conflict.run, s.id, note_archived, &s, job->fault);
    if (code) return code;
    if (!s.no || !archive_get(job->db, s.no, &job->memory, &a) || !a.body.p)
        return fault_set(job->fault, FAULT_USAGE, _("change the contact itself: \"abgleich contact edit\""),
                         _("the card the other value stood in is not kept any more"));
    t->old = a.body;
    return FAULT_NONE;
}

static bool is_of_a_field(const struct report_conflict *c)
{
    for (int r = MERGE_RULE_AUTHORITY; r <= MERGE_RULE_OWN; r++)
        if (str_eq(c->rule, str_of(merge_rule_text((enum merge_rule)r)))) return true;
    return false;
}

static enum fault_code load_conflict(struct job *job, struct take *t)
{
    struct report_conflict *c = &t->conflict;
    long long no = (long long)job->options->take;
    if (!runs_conflict_get(job->db, no, &job->memory, c) || !str_eq(c->link, str_of(job->link->name)))
        return fault_set(job->fault, FAULT_USAGE, _("\"abgleich conflicts\" shows those there are"),
                         _("there is no conflict %lld"), no);
    if (!is_of_a_field(c))
        return fault_set(job->fault, FAULT_USAGE, _("if it is to go, delete it: \"abgleich contact remove\""),
                         _("a whole contact was kept here because it was changed; there is no other value"));
    int64_t row = journal_find(job->db, job->link->name, SIDE_A, c->id);
    struct item *item = gather_item(job, row ? SIDE_A : SIDE_B, c->id);
    t->item = (uint32_t)(item - job->items.list);
    if (item->row && item->side[SIDE_A].id.p && item->side[SIDE_B].id.p) return FAULT_NONE;
    return fault_set(job->fault, FAULT_GONE, NULL, _("\"%.*s\" is not there on both sides any more"),
                     STR_ARG(c->contact));
}

/* Both sides as the journal says: else what nobody has carried over yet would count as agreed. */
static enum fault_code check_settled(struct job *job, struct item *item)
{
    classify(job, item);
    if (item->side[SIDE_A].seen == SEEN_SAME && item->side[SIDE_B].seen == SEEN_SAME && !item->unknown)
        return FAULT_NONE;
    return fault_set(job->fault, FAULT_CHANGED, _("sync the link first, then look again"),
                     _("the contact was changed since, and no run has seen it yet"));
}

static enum fault_code check_field(struct job *job, const struct take *t)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct record *old = record_parse(&arena, job->kind, t->old, &job->key, &why);
    for (int s = 0; s < 2; s++) {
        struct edit edit;
        struct record *now = job_record(job, &job->items.list[t->item], (enum side)s, &arena);
        if (!old || !now || !take_edit(&t->conflict, now, old, &edit))
            return fault_set(job->fault, FAULT_CHANGED,
                             _("\"abgleich why\" tells what it was; \"abgleich contact edit\" changes it"),
                             _("the field does not hold \"%.*s\" any more: it was changed since"),
                             STR_ARG(value_of(&t->conflict, t->conflict.winner)));
    }
    return FAULT_NONE;
}

enum fault_code take_plan(struct job *job)
{
    struct take *t = arena_zalloc(&job->memory, sizeof *t);
    t->amend = (struct amend){.make = make, .ctx = t};
    job->amend = &t->amend;
    job->round = ROUNDS_MAX;
    enum fault_code code = load_conflict(job, t);
    if (!code) code = load_loser(job, t);
    if (!code) code = gather_bodies(job, needs_body);
    if (code) return code;
    struct item *item = &job->items.list[t->item];
    code = check_settled(job, item);
    if (!code) code = check_field(job, t);
    if (code) return code;
    item->rule = &decided;
    amend_add(job, item, false);
    return FAULT_NONE;
}

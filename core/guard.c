#include "core/guard.h"

#include "base/i18n.h"
#include "base/mem.h"

void guard_fields_init(struct guard_side *side, struct arena *arena, enum record_kind kind)
{
    const struct field *table = field_table(kind, &side->n_fields);
    side->fields = arena_zalloc(arena, side->n_fields * sizeof *side->fields + 1);
    for (size_t i = 0; i < side->n_fields; i++) side->fields[i].field = &table[i];
}

/* Ids follow each other in a kind's table. side->n_fields if there is none. */
static size_t field_index(const struct guard_side *side, const struct field *field)
{
    size_t i = field->id >= side->fields[0].field->id ? (size_t)(field->id - side->fields[0].field->id) : 0;
    if (i < side->n_fields && side->fields[i].field->id == field->id) return i;
    for (i = 0; i < side->n_fields && side->fields[i].field->id != field->id;) i++;
    return i;
}

void guard_note_update(struct guard_side *side, const struct element *before, size_t n_before,
                       const struct element *const *after, size_t n_after)
{
    if (!side->n_fields) return;
    enum { HAD = 1, HAS = 2 };
    unsigned char *marks AUTO_FREE = mem_calloc(side->n_fields + 1, 1);
    for (size_t i = 0; i < n_before; i++) marks[field_index(side, before[i].field)] |= HAD;
    for (size_t i = 0; i < n_after; i++) marks[field_index(side, after[i]->field)] |= HAS;
    for (size_t i = 0; i < side->n_fields; i++) {
        side->fields[i].had += (marks[i] & HAD) != 0;
        side->fields[i].wiped += marks[i] == HAD;
    }
}

void guard_note_unchanged(struct guard_side *side, const struct element *elements, size_t n)
{
    if (!side->n_fields) return;
    unsigned char *marks AUTO_FREE = mem_calloc(side->n_fields + 1, 1);
    for (size_t i = 0; i < n; i++) marks[field_index(side, elements[i].field)] = 1;
    for (size_t i = 0; i < side->n_fields; i++) side->fields[i].had += marks[i];
}

/* More than that share? Counts are of records: far from overflow. */
static bool exceeds(int64_t part, int64_t percent, int64_t whole)
{
    return part * 100 > percent * whole;
}

/* Starts the next sentence of several. */
static void sentence_begin(struct buf *out)
{
    if (out->len) buf_adds(out, "; ");
}

static void check_deletes(struct buf *out, const struct guard_side *side, const struct policy *policy)
{
    int64_t left = side->total - side->deletes + side->creates;
    bool many =
        side->deletes > policy->max_delete_count && exceeds(side->deletes, policy->max_delete_percent, side->total);
    bool empties = side->deletes > 0 && side->total >= GUARD_EMPTY_MIN && left <= 0;
    if (empties) {
        sentence_begin(out);
        buf_addf(out, _("all %lld records would vanish on %s"), (long long)side->total, side->name);
    } else if (many) {
        sentence_begin(out);
        buf_addf(out, _("%lld of %lld records would vanish on %s, %lld new"), (long long)side->deletes,
                 (long long)side->total, side->name, (long long)side->creates);
    }
}

/* Nothing is left on a side that had records: more often a server that forgot than a person who deleted all. */
static void check_emptied(struct buf *out, const struct guard_side *emptied, const struct guard_side *other, int64_t pairs)
{
    bool said = other->total >= GUARD_EMPTY_MIN && other->total - other->deletes + other->creates <= 0;
    if (emptied->total > 0 || pairs < GUARD_EMPTY_MIN || other->deletes <= 0 || said) return;
    sentence_begin(out);
    buf_addf(out, _("%s is empty now though %lld records were known there; %lld would vanish on %s"), emptied->name,
             (long long)pairs, (long long)other->deletes, other->name);
}

/* In a first run there are no pairs to compare with: everything may change. */
static void check_updates(struct buf *out, const struct guard_side *side, const struct guard_input *in)
{
    if (in->first_run || in->pairs <= 0 || side->updates <= GUARD_UPDATE_MIN) return;
    if (!exceeds(side->updates, GUARD_UPDATE_PERCENT, in->pairs)) return;
    sentence_begin(out);
    buf_addf(out, _("%lld of %lld records would change on %s"), (long long)side->updates, (long long)in->pairs,
             side->name);
}

static void check_wipes(struct buf *out, const struct guard_side *side)
{
    for (size_t i = 0; i < side->n_fields; i++) {
        const struct guard_field *f = &side->fields[i];
        if (f->wiped <= GUARD_WIPE_MIN || !exceeds(f->wiped, GUARD_WIPE_PERCENT, f->had)) continue;
        sentence_begin(out);
        buf_addf(out, _("%s: %lu of %lu records would lose the field \"%s\""), side->name, (unsigned long)f->wiped,
                 (unsigned long)f->had, _(f->field->label));
    }
}

/* A book is not replaced by a listing that looks like a server's bad day. */
static void check_source(struct buf *out, const struct guard_input *in)
{
    const struct guard_side *a = &in->side[SIDE_A], *b = &in->side[SIDE_B];
    if (!in->recreates || a->total <= 0) return;
    bool empty = b->total <= 0, is_short = b->total * 2 < in->former_b;
    if (!empty && !is_short) return;
    sentence_begin(out);
    if (empty) buf_addf(out, _("%s is empty: replacing would leave nothing of the %lld records on %s"), b->name, (long long)a->total, a->name);
    else
        buf_addf(out, _("%s has %lld records, it had %lld: %s is not replaced by less than half"), b->name, (long long)b->total,
                 (long long)in->former_b, a->name);
}

const char *guard_check(struct arena *arena, const struct guard_input *in)
{
    struct buf out AUTO_BUF = BUF_INIT;
    if (in->identity_changed) buf_adds(&out, in->identity_changed);
    check_source(&out, in);
    bool said = in->recreates && in->side[SIDE_B].total <= 0 && in->side[SIDE_A].total > 0;
    for (int s = SIDE_A; s <= SIDE_B; s++) {
        bool replaced = s == SIDE_A && ((in->replaces_a && in->side[SIDE_B].total > 0) || said);
        if (!replaced) check_deletes(&out, &in->side[s], in->policy);
        if (!replaced) check_emptied(&out, &in->side[s == SIDE_A ? SIDE_B : SIDE_A], &in->side[s], in->pairs);
        check_updates(&out, &in->side[s], in);
        check_wipes(&out, &in->side[s]);
    }
    return out.len ? arena_strdup(arena, buf_str(&out)) : NULL;
}

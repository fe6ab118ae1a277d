#include "core/merge.h"

#include "core/merge_outcome.h"
#include "core/ref_join.h"

#include "base/i18n.h"

#include <stdlib.h>

/* The unit of merging is a slot: what stands for one thing on both sides. A slot is made from a pair of prints (both
 * sides had it when they agreed), from a print without counterpart, or from an element that is new; then slots that
 * turn out to be one thing are joined. What happens to a slot is looked up in a table (merge_outcome.c). */

#define NOWHERE UINT32_MAX

struct slot {
    uint32_t element[2]; /* as it is now, or NOWHERE */
    uint8_t state[2];
    bool paired;
};

struct trace { /* what became of a print */
    uint32_t element;
    uint8_t state;
};

struct merge {
    const struct merge_input *in;
    struct arena *scratch;
    bool based, spelled; /* spelled: some element has a `same` of its own */
    struct trace *traces[2];
    bool *fresh[2];    /* per element: new against the base */
    uint32_t *twin[2]; /* per element: the one of the other side that says the same under the same label */
    struct slot *slots;
    size_t n_slots;
    struct edit *edits[2];
    size_t n_edits[2];
    struct merge_conflict *conflicts;
    size_t n_conflicts;
};

static const struct element *element_at(const struct merge *m, enum side s, uint32_t index)
{
    return index == NOWHERE ? NULL : &m->in->side[s].elements[index];
}

static int pair_cmp(uint64_t key_x, uint64_t value_x, uint64_t key_y, uint64_t value_y)
{
    if (key_x != key_y) return key_x < key_y ? -1 : 1;
    return value_x < value_y ? -1 : value_x > value_y;
}

/* ---- a side against its own base ---- */

static int print_cmp(const struct print *p, const struct element *e)
{
    return pair_cmp(p->key, p->value, e->key, e->value);
}

static void link_edited(void *ctx, enum side s, uint32_t print, uint32_t element)
{
    struct merge *m = ctx;
    m->traces[s][print] = (struct trace){element, EDITED};
    m->fresh[s][element] = false;
}

static void print_gone(struct merge *m, enum side s, uint32_t i, struct refs *gone)
{
    const struct print *p = &m->in->side[s].base->prints[i];
    m->traces[s][i] = (struct trace){NOWHERE, REMOVED};
    gone->list[gone->n++] = (struct ref){
        .key = p->key, .value = p->value, .index = i, .field = p->field, .loose = p->pair == PRINT_UNPAIRED};
}

static void diff(struct merge *m, enum side s)
{
    const struct merge_side *now = &m->in->side[s];
    const struct fingerprint *base = now->base;
    struct refs gone = refs_make(m->scratch, base->n), fresh = refs_make(m->scratch, now->n);
    size_t i = 0, k = 0;
    while (i < base->n || k < now->n) {
        int order = i == base->n ? 1 : k == now->n ? -1 : print_cmp(&base->prints[i], &now->elements[k]);
        if (order == 0) {
            m->traces[s][i++] = (struct trace){(uint32_t)k, KEPT};
            m->fresh[s][k++] = false;
        } else if (order < 0) {
            print_gone(m, s, (uint32_t)i++, &gone);
        } else {
            refs_add(&fresh, &now->elements[k], (uint32_t)k);
            k++;
        }
    }
    /* A value of a set is what it is: another value is another thing, only the label can be edited. What the other side
     * cannot hold follows its label, so that it is still known as such. */
    refs_join(&gone, &fresh, BY_VALUE, link_edited, m, s);
    refs_join(&gone, &fresh, BY_KEY, link_edited, m, s);
    refs_join(&gone, &fresh, BY_FIELD, link_edited, m, s);
}

/* ---- the same on both sides ---- */

static void link_twin(struct merge *m, uint32_t a, uint32_t b)
{
    if (m->twin[SIDE_A][a] == NOWHERE) m->twin[SIDE_A][a] = b;
    if (m->twin[SIDE_B][b] == NOWHERE) m->twin[SIDE_B][b] = a;
}

static void twins_exact(struct merge *m)
{
    const struct merge_side *a = &m->in->side[SIDE_A], *b = &m->in->side[SIDE_B];
    size_t i = 0, k = 0;
    while (i < a->n && k < b->n) {
        const struct element *x = &a->elements[i], *y = &b->elements[k];
        int order = pair_cmp(x->key, x->value, y->key, y->value);
        if (order == 0) link_twin(m, (uint32_t)i, (uint32_t)k);
        i += order <= 0;
        k += order >= 0;
    }
}

static int spelling_cmp(const void *px, const void *py)
{
    const struct ref *x = px, *y = py;
    int order = pair_cmp(x->key, x->same, y->key, y->same);
    return order ? order : x->index < y->index ? -1 : x->index > y->index;
}

static struct refs refs_by_spelling(struct merge *m, enum side s)
{
    const struct merge_side *now = &m->in->side[s];
    struct refs r = refs_make(m->scratch, now->n);
    for (size_t i = 0; i < now->n; i++) refs_add(&r, &now->elements[i], (uint32_t)i);
    qsort(r.list, r.n, sizeof *r.list, spelling_cmp);
    return r;
}

/* Several spellings of one thing on a side all have the same twin. */
static void twins_spelled(struct merge *m)
{
    struct refs a = refs_by_spelling(m, SIDE_A), b = refs_by_spelling(m, SIDE_B);
    size_t i = 0, k = 0;
    while (i < a.n && k < b.n) {
        const struct ref *x = &a.list[i], *y = &b.list[k];
        int order = pair_cmp(x->key, x->same, y->key, y->same);
        if (order != 0) {
            i += order < 0;
            k += order > 0;
            continue;
        }
        link_twin(m, x->index, y->index);
        bool more_x = i + 1 < a.n && pair_cmp(x->key, x->same, x[1].key, x[1].same) == 0;
        bool more_y = k + 1 < b.n && pair_cmp(y->key, y->same, y[1].key, y[1].same) == 0;
        i += more_x || !more_y;
        k += more_y || !more_x;
    }
}

/* ---- slots ---- */

static struct slot *slot_add(struct merge *m, enum side s, struct trace t)
{
    struct slot *slot = &m->slots[m->n_slots++];
    *slot = (struct slot){.element = {NOWHERE, NOWHERE}, .state = {ABSENT, ABSENT}};
    slot->element[s] = t.element;
    slot->state[s] = t.state;
    return slot;
}

static size_t pairs_limit(const struct fingerprint *fp)
{
    size_t limit = 0;
    for (uint32_t i = 0; i < fp->n; i++) {
        if (fp->prints[i].pair != PRINT_UNPAIRED && fp->prints[i].pair >= limit) limit = fp->prints[i].pair + 1u;
    }
    return limit;
}

static void slots_of_base(struct merge *m)
{
    const struct fingerprint *a = m->in->side[SIDE_A].base, *b = m->in->side[SIDE_B].base;
    size_t limit = pairs_limit(a);
    uint32_t *by_pair = arena_alloc(m->scratch, (limit + 1) * sizeof *by_pair); /* pair -> print of A, also its slot */
    memset(by_pair, 0xff, limit * sizeof *by_pair);
    for (uint32_t i = 0; i < a->n; i++) {
        slot_add(m, SIDE_A, m->traces[SIDE_A][i]);
        if (a->prints[i].pair != PRINT_UNPAIRED) by_pair[a->prints[i].pair] = i;
    }
    for (uint32_t i = 0; i < b->n; i++) {
        const struct print *p = &b->prints[i];
        uint32_t at = p->pair < limit ? by_pair[p->pair] : NOWHERE;
        struct slot *slot = at == NOWHERE ? NULL : &m->slots[at];
        /* The base comes from a file: a pair that cannot be is none. */
        if (!slot || slot->paired || a->prints[at].field != p->field) {
            slot_add(m, SIDE_B, m->traces[SIDE_B][i]);
            continue;
        }
        slot->element[SIDE_B] = m->traces[SIDE_B][i].element;
        slot->state[SIDE_B] = m->traces[SIDE_B][i].state;
        slot->paired = true;
    }
}

static void slots_of_fresh(struct merge *m, enum side s)
{
    for (size_t i = 0; i < m->in->side[s].n; i++) {
        if (m->fresh[s][i]) slot_add(m, s, (struct trace){(uint32_t)i, ADDED});
    }
}

/* Takes what `from` has on side s into `to`. */
static void slot_take(struct merge *m, enum side s, uint32_t to, uint32_t from, enum merge_state state)
{
    m->slots[to].element[s] = m->slots[from].element[s];
    m->slots[to].state[s] = (uint8_t)state;
    m->slots[from].element[s] = NOWHERE;
    m->slots[from].state[s] = ABSENT;
}

static void link_successor(void *ctx, enum side s, uint32_t slot, uint32_t fresh)
{
    struct merge *m = ctx;
    slot_take(m, s, slot, fresh, EDITED);
}

static void link_across(void *ctx, enum side s, uint32_t a, uint32_t b)
{
    struct merge *m = ctx;
    (void)s;
    slot_take(m, SIDE_B, a, b, m->slots[b].state[SIDE_B]);
}

/* Prints know no spellings. Where a paired value is gone on side s, but something new there is what its counterpart
 * still says (the number written differently and under another label), that is its new form. */
static void slots_find_successors(struct merge *m, enum side s)
{
    enum side other = side_other(s);
    struct refs lost = refs_make(m->scratch, m->n_slots), fresh = refs_make(m->scratch, m->n_slots);
    for (uint32_t i = 0; i < m->n_slots; i++) {
        const struct slot *slot = &m->slots[i];
        if (slot->state[s] == REMOVED && slot->element[other] != NOWHERE)
            refs_add(&lost, element_at(m, other, slot->element[other]), i);
        if (slot->state[s] == ADDED) refs_add(&fresh, element_at(m, s, slot->element[s]), i);
    }
    refs_join(&lost, &fresh, BY_VALUE, link_successor, m, s);
    if (m->spelled) refs_join(&lost, &fresh, BY_SAME, link_successor, m, s);
}

static bool slot_is_lone(const struct merge *m, const struct slot *slot, enum side s)
{
    uint32_t e = slot->element[s];
    return e != NOWHERE && slot->state[side_other(s)] == ABSENT && m->twin[s][e] == NOWHERE;
}

/* What only A has and what only B has may be one thing under two labels, or two values of a single field. */
static void slots_join_lone(struct merge *m)
{
    struct refs a = refs_make(m->scratch, m->n_slots), b = refs_make(m->scratch, m->n_slots);
    for (uint32_t i = 0; i < m->n_slots; i++) {
        const struct slot *slot = &m->slots[i];
        if (slot_is_lone(m, slot, SIDE_A)) refs_add(&a, element_at(m, SIDE_A, slot->element[SIDE_A]), i);
        if (slot_is_lone(m, slot, SIDE_B)) refs_add(&b, element_at(m, SIDE_B, slot->element[SIDE_B]), i);
    }
    refs_join(&a, &b, BY_VALUE, link_across, m, SIDE_A);
    if (m->spelled) refs_join(&a, &b, BY_SAME, link_across, m, SIDE_A);
    refs_join(&a, &b, BY_KEY, link_across, m, SIDE_A);
    refs_join(&a, &b, BY_FIELD, link_across, m, SIDE_A);
}

/* ---- outcomes ---- */

/* A difference alone takes nothing away here: fields that follow others, and fields only the store knows. */
static bool never_removed(const struct merge *m, const struct field *field, enum side s)
{
    return field->flags & FIELD_DERIVED || (s == m->in->hub && field->flags & FIELD_HUB_ONLY);
}

/* Makes side `to` of the slot as the other one. What both sides have is never touched: equal is success, whatever the
 * history says. Returns the edit made, or NULL. */
static struct edit *slot_apply(struct merge *m, const struct slot *slot, enum side to)
{
    enum side from = side_other(to);
    const struct element *source = element_at(m, from, slot->element[from]);
    const struct element *target = element_at(m, to, slot->element[to]);
    if (source && m->twin[from][slot->element[from]] != NOWHERE) source = NULL;
    if (target && m->twin[to][slot->element[to]] != NOWHERE) target = NULL;
    if (!source && (!target || never_removed(m, target->field, to))) return NULL;
    struct edit *e = &m->edits[to][m->n_edits[to]++];
    *e = (struct edit){.kind = !target  ? EDIT_ADD
                               : source ? EDIT_SET
                                        : EDIT_REMOVE,
                       .target = target,
                       .source = source,
                       .source_record = source ? m->in->side[from].record : NULL};
    return e;
}

static void conflict_add(struct merge *m, const struct slot *slot, enum side winner, enum merge_rule rule)
{
    const struct element *a = element_at(m, SIDE_A, slot->element[SIDE_A]);
    const struct element *b = element_at(m, SIDE_B, slot->element[SIDE_B]);
    const struct field *field = a ? a->field : b->field;
    if (field->flags & FIELD_DERIVED) return;
    m->conflicts[m->n_conflicts++] = (struct merge_conflict){field, a, b, winner, rule};
}

static void slot_clash(struct merge *m, const struct slot *slot)
{
    const struct element *a = element_at(m, SIDE_A, slot->element[SIDE_A]);
    const struct element *b = element_at(m, SIDE_B, slot->element[SIDE_B]);
    enum side winner = m->in->winner;
    const struct edit *e = slot_apply(m, slot, side_other(winner));
    if (!e || e->kind == EDIT_ADD) return; /* nobody loses anything */
    bool label = a->value == b->value || a->same == b->same;
    conflict_add(m, slot, winner, label ? MERGE_RULE_LABEL : MERGE_RULE_AUTHORITY);
}

static const struct field *slot_field(const struct merge *m, const struct slot *slot)
{
    const struct element *a = element_at(m, SIDE_A, slot->element[SIDE_A]);
    const struct element *b = element_at(m, SIDE_B, slot->element[SIDE_B]);
    return a ? a->field : b ? b->field : NULL;
}

static enum merge_outcome outcome_of(const struct merge *m, const struct slot *slot)
{
    const struct field *field = slot_field(m, slot);
    enum merge_state a = (enum merge_state)slot->state[SIDE_A], b = (enum merge_state)slot->state[SIDE_B];
    bool own = field && field->flags & FIELD_HUB_ONLY;
    return own ? merge_outcome_own(m->in->kind, m->in->hub, a, b) : merge_outcome(m->in->kind, a, b);
}

static void slot_own(struct merge *m, const struct slot *slot)
{
    const struct edit *e = slot_apply(m, slot, side_other(m->in->hub));
    if (e && e->kind != EDIT_ADD) conflict_add(m, slot, m->in->hub, MERGE_RULE_OWN);
}

static void slot_settle(struct merge *m, const struct slot *slot)
{
    switch (outcome_of(m, slot)) {
    case LEAVE:
        return;
    case TO_A:
        slot_apply(m, slot, SIDE_A);
        return;
    case TO_B:
        slot_apply(m, slot, SIDE_B);
        return;
    case CLASH:
        slot_clash(m, slot);
        return;
    case EDIT_A:
        if (slot_apply(m, slot, SIDE_B)) conflict_add(m, slot, SIDE_A, MERGE_RULE_EDIT_WINS);
        return;
    case EDIT_B:
        if (slot_apply(m, slot, SIDE_A)) conflict_add(m, slot, SIDE_B, MERGE_RULE_EDIT_WINS);
        return;
    case OWN:
        slot_own(m, slot);
        return;
    }
}

/* ---- edits ---- */

static void link_fold(void *ctx, enum side s, uint32_t removed, uint32_t added)
{
    struct merge *m = ctx;
    struct edit *e = &m->edits[s][removed];
    e->kind = EDIT_SET;
    e->source = m->edits[s][added].source;
    e->source_record = m->edits[s][added].source_record;
    m->edits[s][added].source = NULL; /* marks it empty */
}

/* One value of a set goes and another comes under the same label: written in place, so that group and neighbours stay.
 */
static void edits_fold(struct merge *m, enum side s)
{
    struct refs gone = refs_make(m->scratch, m->n_edits[s]), come = refs_make(m->scratch, m->n_edits[s]);
    for (uint32_t i = 0; i < m->n_edits[s]; i++) {
        const struct edit *e = &m->edits[s][i];
        if (e->kind == EDIT_REMOVE) refs_add(&gone, e->target, i);
        if (e->kind == EDIT_ADD) refs_add(&come, e->source, i);
    }
    for (size_t i = 0; i < gone.n; i++) gone.list[i].loose = true;
    refs_join(&gone, &come, BY_KEY, link_fold, m, s);
    size_t n = 0;
    for (size_t i = 0; i < m->n_edits[s]; i++) {
        if (m->edits[s][i].kind != EDIT_ADD || m->edits[s][i].source) m->edits[s][n++] = m->edits[s][i];
    }
    m->n_edits[s] = n;
}

static int place_cmp(const struct element *x, const struct element *y)
{
    if (x->field->id != y->field->id) return x->field->id < y->field->id ? -1 : 1;
    if (x->prop != y->prop) return x->prop < y->prop ? -1 : 1;
    if (x->item != y->item) return x->item < y->item ? -1 : 1;
    return pair_cmp(x->key, x->value, y->key, y->value);
}

/* By field, what is there before what is added, each in the order of the record it stands in. */
static int edit_cmp(const void *px, const void *py)
{
    const struct edit *x = px, *y = py;
    const struct element *ex = x->target ? x->target : x->source, *ey = y->target ? y->target : y->source;
    if (ex->field->id == ey->field->id && !x->target != !y->target) return x->target ? -1 : 1;
    return place_cmp(ex, ey);
}

static const struct element *conflict_place(const struct merge_conflict *c)
{
    const struct element *wins = c->winner == SIDE_A ? c->a : c->b;
    return wins ? wins : c->winner == SIDE_A ? c->b : c->a;
}

static int conflict_cmp(const void *px, const void *py)
{
    const struct merge_conflict *x = px, *y = py;
    if (x->field->id != y->field->id) return x->field->id < y->field->id ? -1 : 1;
    return place_cmp(conflict_place(x), conflict_place(y));
}

static void *sorted_copy(struct arena *arena, void *list, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
    if (n == 0) return NULL;
    if (n > 1) qsort(list, n, size, cmp);
    return memcpy(arena_alloc(arena, n * size), list, n * size);
}

static const struct field *edit_field(const struct edit *e)
{
    return e->target ? e->target->field : e->source->field;
}

static bool derived_is_stale(const struct merge *m)
{
    bool derived = false, single[2] = {false, false};
    for (int s = SIDE_A; s <= SIDE_B; s++) {
        for (size_t i = 0; i < m->n_edits[s]; i++) {
            const struct field *f = edit_field(&m->edits[s][i]);
            if (f->flags & FIELD_DERIVED)
                derived = true;
            else if (f->arity == ARITY_ONE)
                single[s] = true;
        }
    }
    return derived && single[SIDE_A] && single[SIDE_B];
}

/* ---- the merge ---- */

static void side_begin(struct merge *m, enum side s)
{
    const struct merge_side *now = &m->in->side[s];
    m->fresh[s] = arena_alloc(m->scratch, now->n + 1);
    memset(m->fresh[s], 1, now->n);
    m->twin[s] = arena_alloc(m->scratch, (now->n + 1) * sizeof *m->twin[s]);
    memset(m->twin[s], 0xff, now->n * sizeof *m->twin[s]);
    for (size_t i = 0; i < now->n; i++) m->spelled |= now->elements[i].same != now->elements[i].value;
    if (!m->based) return;
    m->traces[s] = arena_alloc(m->scratch, (now->base->n + 1) * sizeof *m->traces[s]);
    diff(m, s);
}

static bool side_changed(const struct merge *m, enum side s)
{
    if (!m->based) return true;
    for (uint32_t i = 0; i < m->in->side[s].base->n; i++)
        if (m->traces[s][i].state != KEPT) return true;
    for (size_t i = 0; i < m->in->side[s].n; i++)
        if (m->fresh[s][i]) return true;
    return false;
}

static void slots_make(struct merge *m)
{
    const struct merge_side *a = &m->in->side[SIDE_A], *b = &m->in->side[SIDE_B];
    size_t cap = a->n + b->n + (m->based ? a->base->n + b->base->n : 0) + 1;
    m->slots = arena_alloc(m->scratch, cap * sizeof *m->slots);
    if (m->based) slots_of_base(m);
    slots_of_fresh(m, SIDE_A);
    slots_of_fresh(m, SIDE_B);
    if (m->based) {
        slots_find_successors(m, SIDE_A);
        slots_find_successors(m, SIDE_B);
    }
    slots_join_lone(m);
}

static void settle_all(struct merge *m)
{
    for (int s = SIDE_A; s <= SIDE_B; s++) m->edits[s] = arena_alloc(m->scratch, m->n_slots * sizeof(struct edit) + 1);
    m->conflicts = arena_alloc(m->scratch, m->n_slots * sizeof *m->conflicts + 1);
    for (size_t i = 0; i < m->n_slots; i++) slot_settle(m, &m->slots[i]);
    edits_fold(m, SIDE_A);
    edits_fold(m, SIDE_B);
}

void merge_records(struct arena *arena, const struct merge_input *in, struct merge_result *out)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct merge m = {.in = in, .scratch = &scratch};
    *out = (struct merge_result){{NULL, NULL}, {0, 0}, NULL, 0, false};
    m.based = in->side[SIDE_A].base && in->side[SIDE_B].base;
    side_begin(&m, SIDE_A);
    side_begin(&m, SIDE_B);
    bool changed_a = side_changed(&m, SIDE_A);
    if (!changed_a && ((in->kind == MERGE_PUSH && !in->enforce) || !side_changed(&m, SIDE_B))) return;
    twins_exact(&m);
    if (m.spelled) twins_spelled(&m);
    slots_make(&m);
    settle_all(&m);
    for (int s = SIDE_A; s <= SIDE_B; s++) {
        out->n_edits[s] = m.n_edits[s];
        out->edits[s] = sorted_copy(arena, m.edits[s], m.n_edits[s], sizeof(struct edit), edit_cmp);
    }
    out->n_conflicts = m.n_conflicts;
    out->conflicts = sorted_copy(arena, m.conflicts, m.n_conflicts, sizeof *m.conflicts, conflict_cmp);
    out->derived_stale = derived_is_stale(&m);
}

const char *merge_rule_text(enum merge_rule rule)
{
    static const char *const texts[] = {
        [MERGE_RULE_AUTHORITY] = N_("Changed differently on both sides: the link's authority decided."),
        [MERGE_RULE_EDIT_WINS] = N_("Changed on one side and removed on the other: the change was kept."),
        [MERGE_RULE_LABEL] = N_("The same value under two labels: the label of the link's authority was kept."),
        [MERGE_RULE_OWN] = N_("An own field of the Contactbox can be edited only there: its value was restored."),
    };
    return texts[rule];
}

static int element_cmp(const void *px, const void *py)
{
    const struct element *x = *(const struct element *const *)px, *y = *(const struct element *const *)py;
    return pair_cmp(x->key, x->value, y->key, y->value);
}

const struct element **merge_expected(struct arena *arena, const struct merge_input *in, const struct merge_result *r,
                                      enum side side, size_t *n)
{
    const struct merge_side *now = &in->side[side];
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    bool *stays = arena_alloc(&scratch, now->n + 1);
    memset(stays, 1, now->n);
    const struct element **list = arena_alloc(arena, (now->n + r->n_edits[side] + 1) * sizeof *list);
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < r->n_edits[side]; i++) {
        const struct edit *e = &r->edits[side][i];
        if (e->target) stays[e->target - now->elements] = false;
        if (e->source) list[count++] = e->source;
    }
    for (size_t i = 0; i < now->n; i++)
        if (stays[i]) list[count++] = &now->elements[i];
    if (r->n_edits[side]) qsort(list, count, sizeof *list, element_cmp);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || element_cmp(&list[kept - 1], &list[i]) != 0) list[kept++] = list[i];
    *n = kept;
    return list;
}

bool merge_is_empty(const struct merge_result *r)
{
    return r->n_edits[SIDE_A] == 0 && r->n_edits[SIDE_B] == 0 && r->n_conflicts == 0;
}

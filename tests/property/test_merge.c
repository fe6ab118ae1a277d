#include "tests/elements.h"

#include <stdio.h>

enum { ROUNDS = 4000, SEED = 20260314 };

struct world {
    struct arena arena;
    uint64_t seed;
    unsigned fields; /* how many of test_fields are used: without the last there is no side of the store */
    struct bag base[2], now[2];
    struct fingerprint fp[2];
};

/* One random line; phone numbers come in two spellings of three numbers. */
static struct element random_element(struct world *w)
{
    static const char *const labels[] = {"", ";CELL", ";WORK"};
    const struct field *f = &test_fields[dice_to(&w->seed, w->fields)];
    const char *label = f->arity == ARITY_SET || f->arity == ARITY_KEYED ? labels[dice_to(&w->seed, 3)] : "";
    unsigned value = dice_to(&w->seed, 4);
    const char *line = f->flags & FIELD_PHONE && dice_to(&w->seed, 2)
                           ? arena_printf(&w->arena, "%s%s=+49 %u~%u", f->name, label, value, value)
                           : arena_printf(&w->arena, "%s%s=%u", f->name, label, value);
    return element_of(str_of(line));
}

/* Adds, where a single field, or the key of a keyed one, has no value yet. */
static void bag_add(struct bag *b, struct element e)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->list[i].field == e.field && e.field->arity != ARITY_SET && (e.field->arity != ARITY_KEYED || b->list[i].key == e.key)) return;
    b->list[b->n++] = e;
}

static void bag_change(struct world *w, struct bag *b)
{
    switch (dice_to(&w->seed, 3)) {
    case 0:
        bag_add(b, random_element(w));
        return;
    case 1:
        if (b->n) b->list[dice_to(&w->seed, (unsigned)b->n)] = b->list[b->n - 1], b->n--;
        return;
    default:
        for (int tries = 0; b->n && tries < 20; tries++) {
            struct element e = random_element(w), *old = &b->list[dice_to(&w->seed, (unsigned)b->n)];
            if (old->field != e.field) continue;
            *old = e;
            return;
        }
    }
}

static struct bag bag_copy(struct world *w, const struct bag *b)
{
    struct bag copy = {arena_alloc(&w->arena, (b->n + 64) * sizeof(struct element)), b->n};
    for (size_t i = 0; i < b->n; i++) copy.list[i] = b->list[i];
    return copy;
}

/* A base, perturbed twice. lossy: B held something else than A when they agreed. */
static void world_make(struct world *w, unsigned round, unsigned fields, bool lossy)
{
    *w = (struct world){.seed = SEED + round, .fields = fields};
    struct bag none = {NULL, 0};
    w->base[SIDE_A] = bag_copy(w, &none);
    for (unsigned i = dice_to(&w->seed, 12); i; i--) bag_add(&w->base[SIDE_A], random_element(w));
    bag_settle(&w->base[SIDE_A]);
    w->base[SIDE_B] = bag_copy(w, &w->base[SIDE_A]);
    if (lossy)
        for (unsigned i = dice_to(&w->seed, 4); i; i--) bag_change(w, &w->base[SIDE_B]);
    bag_settle(&w->base[SIDE_B]);
    for (int s = 0; s < 2; s++) {
        w->now[s] = bag_copy(w, &w->base[s]);
        for (unsigned i = dice_to(&w->seed, 6); i; i--) bag_change(w, &w->now[s]);
        bag_settle(&w->now[s]);
    }
    pair_up(&w->arena, &w->base[SIDE_A], &w->base[SIDE_B], &w->fp[SIDE_A], &w->fp[SIDE_B]);
}

static struct merge_input world_input(const struct world *w, enum merge_kind kind, enum side winner, bool based)
{
    struct merge_input in = {.kind = kind, .winner = winner};
    for (int s = 0; s < 2; s++)
        in.side[s] = (struct merge_side){based ? &w->fp[s] : NULL, w->now[s].list, w->now[s].n, NULL};
    return in;
}

/* Both sides take their edits and agree. */
static void world_settle(struct world *w, const struct merge_input *in, const struct merge_result *r)
{
    struct bag a = bag_after(&w->arena, in, r, SIDE_A), b = bag_after(&w->arena, in, r, SIDE_B);
    w->base[SIDE_A] = w->now[SIDE_A] = a;
    w->base[SIDE_B] = w->now[SIDE_B] = b;
    pair_up(&w->arena, &a, &b, &w->fp[SIDE_A], &w->fp[SIDE_B]);
}

static bool bag_says(const struct bag *b, const struct element *e)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->list[i].field == e->field && (b->list[i].value == e->value || b->list[i].same == e->same)) return true;
    return false;
}

static bool bag_covers(const struct bag *b, const struct bag *other)
{
    for (size_t i = 0; i < other->n; i++)
        if (!bag_says(b, &other->list[i])) return false;
    return true;
}

static void check_form(const struct world *w, const struct merge_input *in, const struct merge_result *r,
                       unsigned round)
{
    for (int s = 0; s < 2; s++) {
        const struct merge_side *own = &in->side[s], *other = &in->side[!s];
        for (size_t i = 0; i < r->n_edits[s]; i++) {
            const struct edit *e = &r->edits[s][i];
            cr_assert_eq(e->kind != EDIT_ADD, e->target != NULL, "round %u", round);
            cr_assert_eq(e->kind != EDIT_REMOVE, e->source != NULL, "round %u", round);
            if (e->target)
                cr_assert(e->target >= own->elements && e->target < own->elements + own->n, "round %u", round);
            if (e->source)
                cr_assert(e->source >= other->elements && e->source < other->elements + other->n, "round %u", round);
            if (e->target && e->source) cr_assert_eq(e->target->field, e->source->field, "round %u", round);
            for (size_t k = 0; k < i; k++)
                cr_assert(!e->target || e->target != r->edits[s][k].target, "round %u: one target twice", round);
        }
    }
    (void)w;
}

static bool is_reported(const struct merge_result *r, enum side s, const struct element *e)
{
    for (size_t i = 0; i < r->n_conflicts; i++)
        if ((s == SIDE_A ? r->conflicts[i].a : r->conflicts[i].b) == e) return true;
    return false;
}

/* What somebody wrote on s is on both sides, or is reported (P1). */
static void check_no_loss(const struct world *w, const struct merge_result *r, const struct bag after[2],
                          unsigned round)
{
    for (int s = 0; s < 2; s++) {
        for (size_t i = 0; i < w->now[s].n; i++) {
            const struct element *e = &w->now[s].list[i];
            if (bag_says(&w->base[s], e) || e->field->flags & FIELD_DERIVED) continue;
            bool both = bag_says(&after[0], e) && bag_says(&after[1], e);
            cr_assert(both || is_reported(r, (enum side)s, e), "round %u: lost %.*s=%.*s of side %d", round,
                      STR_ARG(e->key_text), STR_ARG(e->value_text), s);
        }
    }
}

Test(merge, two_way_loses_nothing_and_converges)
{
    fprintf(stderr, "seed %d\n", SEED);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct world w;
        bool lossy = round & 1, based = round & 2;
        world_make(&w, round, N_TEST_FIELDS, lossy);
        struct merge_input in = world_input(&w, MERGE_TWO_WAY, round & 4 ? SIDE_A : SIDE_B, based);
        struct merge_result r;
        merge_records(&w.arena, &in, &r);
        check_form(&w, &in, &r, round);
        struct bag after[2] = {bag_after(&w.arena, &in, &r, SIDE_A), bag_after(&w.arena, &in, &r, SIDE_B)};
        check_no_loss(&w, &r, after, round);
        world_settle(&w, &in, &r);
        in = world_input(&w, MERGE_TWO_WAY, in.winner, true);
        merge_records(&w.arena, &in, &r);
        cr_assert(merge_is_empty(&r), "round %u: the second merge writes", round);
        /* Without base nothing is known of dropped fields: united, and then empty as well. */
        in = world_input(&w, MERGE_TWO_WAY, in.winner, false);
        merge_records(&w.arena, &in, &r);
        if (!based) cr_assert(merge_is_empty(&r), "round %u: the second first contact writes", round);
        arena_free(&w.arena);
    }
}

Test(merge, sides_agree_where_both_can_hold_all)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct world w;
        world_make(&w, round, N_TEST_FIELDS - 1, false);
        struct merge_input in = world_input(&w, MERGE_TWO_WAY, SIDE_A, round & 2);
        struct merge_result r;
        merge_records(&w.arena, &in, &r);
        struct bag a = bag_after(&w.arena, &in, &r, SIDE_A), b = bag_after(&w.arena, &in, &r, SIDE_B);
        for (size_t i = 0; i < a.n; i++)
            cr_assert(a.list[i].field->flags & FIELD_DERIVED || bag_says(&b, &a.list[i]), "round %u: A %s, B %s", round,
                      bag_text(&w.arena, &a), bag_text(&w.arena, &b));
        for (size_t i = 0; i < b.n; i++)
            cr_assert(b.list[i].field->flags & FIELD_DERIVED || bag_says(&a, &b.list[i]), "round %u: A %s, B %s", round,
                      bag_text(&w.arena, &a), bag_text(&w.arena, &b));
        if (!(round & 2)) cr_assert(bag_covers(&a, &b) && bag_covers(&b, &a), "round %u", round);
        arena_free(&w.arena);
    }
}

/* Swapped sides, a swapped winner and a swapped hub: the same edits on the other side. */
Test(merge, is_symmetric)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct world w;
        world_make(&w, round, N_TEST_FIELDS, round & 1);
        struct merge_input in = world_input(&w, MERGE_TWO_WAY, SIDE_A, round & 2), mirrored = in;
        struct merge_result r, q;
        mirrored.side[0] = in.side[1];
        mirrored.side[1] = in.side[0];
        mirrored.winner = mirrored.hub = SIDE_B;
        merge_records(&w.arena, &in, &r);
        merge_records(&w.arena, &mirrored, &q);
        for (int s = 0; s < 2; s++) {
            cr_assert_eq(r.n_edits[s], q.n_edits[!s], "round %u", round);
            for (size_t i = 0; i < r.n_edits[s]; i++) {
                const struct edit *x = &r.edits[s][i], *y = &q.edits[!s][i];
                cr_assert(x->kind == y->kind && x->target == y->target && x->source == y->source, "round %u", round);
            }
        }
        cr_assert_eq(r.n_conflicts, q.n_conflicts, "round %u", round);
        for (size_t i = 0; i < r.n_conflicts; i++) {
            const struct merge_conflict *x = &r.conflicts[i], *y = &q.conflicts[i];
            cr_assert(x->a == y->b && x->b == y->a && x->winner != y->winner && x->rule == y->rule, "round %u", round);
        }
        cr_assert_eq(r.derived_stale, q.derived_stale, "round %u", round);
        arena_free(&w.arena);
    }
}

Test(merge, of_the_same_writes_nothing)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct world w;
        world_make(&w, round, N_TEST_FIELDS, round & 1);
        for (int s = 0; s < 2; s++) w.now[s] = w.base[s];
        for (int kind = MERGE_TWO_WAY; kind <= MERGE_REPLACE; kind++) {
            struct merge_input in = world_input(&w, (enum merge_kind)kind, SIDE_A, true);
            struct merge_result r;
            merge_records(&w.arena, &in, &r);
            cr_assert(merge_is_empty(&r), "round %u, kind %d, with base", round, kind);
            w.now[SIDE_B] = w.now[SIDE_A];
            in = world_input(&w, (enum merge_kind)kind, SIDE_A, false);
            merge_records(&w.arena, &in, &r);
            cr_assert(merge_is_empty(&r), "round %u, kind %d, without base", round, kind);
            w.now[SIDE_B] = w.base[SIDE_B];
        }
        arena_free(&w.arena);
    }
}

Test(merge, push_and_replace_write_one_side_once)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct world w;
        world_make(&w, round, N_TEST_FIELDS, round & 1);
        enum merge_kind kind = round & 4 ? MERGE_PUSH : MERGE_REPLACE;
        enum side silent = kind == MERGE_PUSH ? SIDE_A : SIDE_B;
        struct merge_input in = world_input(&w, kind, SIDE_A, round & 2);
        struct merge_result r;
        merge_records(&w.arena, &in, &r);
        check_form(&w, &in, &r, round);
        cr_assert_eq(r.n_edits[silent], 0u, "round %u", round);
        cr_assert_eq(r.n_conflicts, 0u, "round %u", round);
        world_settle(&w, &in, &r);
        in = world_input(&w, kind, SIDE_A, true);
        merge_records(&w.arena, &in, &r);
        cr_assert(merge_is_empty(&r), "round %u: with base", round);
        if (!(round & 2)) {
            cr_assert(kind != MERGE_PUSH || bag_covers(&w.now[SIDE_B], &w.now[SIDE_A]), "round %u", round);
            in = world_input(&w, kind, SIDE_A, false);
            merge_records(&w.arena, &in, &r);
            cr_assert(merge_is_empty(&r), "round %u: without base", round);
        }
        arena_free(&w.arena);
    }
}

#include "tests/elements.h"

#include "core/guard.h"

/* held: words of the sentence, NULL = not held. */
static const struct row {
    const char *what;
    struct {
        int64_t total, creates, updates, deletes;
    } a, b;
    int64_t pairs;
    bool first_run, replaces_a;
    const char *identity;
    const char *held;
} rows[] = {
    {"nothing", {0, 0, 0, 0}, {0, 0, 0, 0}, 0, true, false, NULL, NULL},
    {"ten of ten and one stay", {11, 0, 0, 10}, {11, 0, 0, 0}, 11, false, false, NULL, NULL},
    {"eleven of 110 are ten percent", {110, 0, 0, 11}, {110, 0, 0, 0}, 110, false, false, NULL, NULL},
    {"eleven of 109 are more",
     {109, 0, 0, 11},
     {109, 0, 0, 0},
     109,
     false,
     false,
     NULL,
     "11 of 109 records would vanish on store, 0 new"},
    {"on b",
     {1030, 0, 0, 0},
     {1030, 9, 0, 412},
     1030,
     false,
     false,
     NULL,
     "412 of 1030 records would vanish on cloud, 9 new"},
    {"both sides",
     {100, 0, 0, 50},
     {100, 0, 0, 50},
     100,
     false,
     false,
     NULL,
     "50 of 100 records would vanish on store, 0 new; 50 of 100 records would vanish on cloud, 0 new"},
    {"a side is emptied", {2, 0, 0, 2}, {0, 0, 0, 0}, 2, false, false, NULL, "all 2 records would vanish on store"},
    {"the last one", {1, 0, 0, 1}, {0, 0, 0, 0}, 1, false, false, NULL, NULL},
    {"emptied, but one comes", {2, 1, 0, 2}, {1, 0, 0, 0}, 2, false, false, NULL, NULL},
    {"an empty side that stays so", {0, 0, 0, 0}, {0, 0, 0, 0}, 5, false, false, NULL, NULL},
    {"the other side is empty",
     {6, 0, 0, 5},
     {0, 0, 0, 0},
     5,
     false,
     false,
     NULL,
     "cloud is empty now though 5 records were known there; 5 would vanish on store"},
    {"the store is empty and is to be replaced",
     {0, 0, 0, 0},
     {6, 0, 0, 5},
     5,
     false,
     true,
     NULL,
     "store is empty now though 5 records were known there; 5 would vanish on cloud"},
    {"the store is empty",
     {0, 0, 0, 0},
     {6, 0, 0, 5},
     5,
     false,
     false,
     NULL,
     "store is empty now though 5 records were known there; 5 would vanish on cloud"},
    {"nearly all change",
     {100, 0, 91, 0},
     {100, 0, 0, 0},
     100,
     false,
     false,
     NULL,
     "91 of 100 records would change on store"},
    {"ninety percent change", {100, 0, 90, 0}, {100, 0, 0, 0}, 100, false, false, NULL, NULL},
    {"all of few change", {50, 0, 50, 0}, {50, 0, 0, 0}, 50, false, false, NULL, NULL},
    {"all of some change",
     {51, 0, 0, 0},
     {51, 0, 51, 0},
     51,
     false,
     false,
     NULL,
     "51 of 51 records would change on cloud"},
    {"all change in a first run", {100, 0, 100, 0}, {100, 0, 100, 0}, 0, true, false, NULL, NULL},
    {"all change in the first run of another mode", {100, 0, 100, 0}, {100, 0, 0, 0}, 100, true, false, NULL, NULL},
    {"a's book is replaced", {100, 80, 20, 80}, {100, 0, 0, 0}, 0, true, true, NULL, NULL},
    {"but not by nothing",
     {100, 0, 0, 100},
     {0, 0, 0, 0},
     0,
     true,
     true,
     NULL,
     "all 100 records would vanish on store"},
    {"replacing a says nothing of b",
     {100, 0, 0, 0},
     {100, 0, 0, 50},
     0,
     true,
     true,
     NULL,
     "50 of 100 records would vanish on cloud, 0 new"},
    {"another collection", {5, 0, 0, 0}, {5, 0, 0, 0}, 5, false, false, "cloud is another one", "cloud is another one"},
    {"another one and deletes",
     {5, 0, 0, 5},
     {5, 0, 0, 0},
     5,
     false,
     false,
     "cloud is another one",
     "cloud is another one; all 5 records would vanish on store"},
};

static void input_make(const struct row *row, const struct policy *policy, struct guard_input *in)
{
    *in = (struct guard_input){
        .side = {{"store", row->a.total, row->a.creates, row->a.updates, row->a.deletes, NULL, 0},
                 {"cloud", row->b.total, row->b.creates, row->b.updates, row->b.deletes, NULL, 0}},
        .pairs = row->pairs,
        .first_run = row->first_run,
        .replaces_a = row->replaces_a,
        .identity_changed = row->identity,
        .policy = policy,
    };
}

Test(guard, table)
{
    const struct policy policy = POLICY_INIT;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct guard_input in;
        input_make(&rows[i], &policy, &in);
        const char *held = guard_check(&arena, &in);
        cr_expect_eq(held != NULL, rows[i].held != NULL, "%s: %s", rows[i].what, held ? held : "not held");
        if (held && rows[i].held) cr_expect_str_eq(held, rows[i].held, "%s: %s", rows[i].what, held);
    }
}

/* What max_delete does not name is 0: "25" alone means more than 25. */
Test(guard, max_delete_as_configured)
{
    static const struct {
        const char *max_delete;
        int64_t total, deletes;
        bool held;
    } cases[] = {{"25", 10000, 26, true}, {"25", 10000, 25, false}, {"50%", 10, 6, true},
                 {"50%", 10, 5, false},   {"0", 10, 1, true},       {"100%", 10, 9, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct policy policy = POLICY_INIT;
        cr_assert(policy_set_max_delete(&policy, str_of(cases[i].max_delete)));
        const struct row row = {.a = {cases[i].total, 0, 0, cases[i].deletes}, .b = {1, 0, 0, 0}, .pairs = 10};
        struct guard_input in;
        input_make(&row, &policy, &in);
        cr_expect_eq(guard_check(&arena, &in) != NULL, cases[i].held, "row %zu", i);
    }
}

/* `had` records have a phone, of which `wiped` lose it; the others keep one. */
static const char *wipe(struct arena *arena, unsigned had, unsigned wiped)
{
    const struct policy policy = POLICY_INIT;
    const struct row row = {.a = {1000, 0, 0, 0}, .b = {1000, 0, 0, 0}, .pairs = 1000};
    struct guard_field fields[N_TEST_FIELDS] = {{NULL, 0, 0}};
    for (size_t i = 0; i < N_TEST_FIELDS; i++) fields[i].field = &test_fields[i];
    struct guard_input in;
    input_make(&row, &policy, &in);
    struct guard_side *side = &in.side[SIDE_B];
    side->fields = fields;
    side->n_fields = N_TEST_FIELDS;
    struct bag two = bag_of(arena, "note=x|tel=1|tel=2"), without = bag_of(arena, "note=x");
    const struct element *note = &without.list[0], *both[] = {&two.list[0], &two.list[1], &two.list[2]};
    for (unsigned i = 0; i < had; i++) {
        if (i < wiped)
            guard_note_update(side, two.list, two.n, &note, 1);
        else if (i % 2)
            guard_note_update(side, two.list, two.n, both, 2);
        else
            guard_note_unchanged(side, two.list, two.n);
    }
    return guard_check(arena, &in);
}

Test(guard, one_field_wiped)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    const char *held = wipe(&arena, 25, 11);
    cr_assert_not_null(held);
    cr_expect_str_eq(held, "cloud: 11 of 25 records would lose the field \"Phone\"");
    cr_expect_null(wipe(&arena, 10, 10));
    cr_expect_null(wipe(&arena, 50, 20));
    cr_expect_not_null(wipe(&arena, 50, 21));
}

Test(guard, counts_fields_of_the_kind)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct guard_side side = {"store", 0, 0, 0, 0, NULL, 0};
    guard_fields_init(&side, &arena, RECORD_CONTACT);
    size_t n;
    const struct field *table = field_table(RECORD_CONTACT, &n);
    cr_assert_eq(side.n_fields, n);
    for (size_t i = 0; i < n; i++) {
        struct element e = {.field = &table[i]};
        const struct element *same = &e;
        guard_note_update(&side, &e, 1, NULL, 0);
        guard_note_update(&side, &e, 1, &same, 1);
        cr_expect(side.fields[i].had == 2 && side.fields[i].wiped == 1, "field %s", table[i].name);
    }
}

/* A book is not replaced from a listing that looks like a server's bad day (contactbox 7). */
Test(guard, neu_anlegen_wants_a_source)
{
    static const struct {
        const char *what;
        int64_t a, b, former, deletes;
        const char *held;
    } sources[] = {
        {"as many as before", 10, 10, 10, 5, NULL},
        {"never seen before", 10, 1, 0, 9, NULL},
        {"half of before", 10, 5, 10, 5, NULL},
        {"less than half", 10, 4, 10, 6, "cloud has 4 records, it had 10: store is not replaced by less than half"},
        {"empty", 1, 0, 0, 1, "cloud is empty: replacing would leave nothing of the 1 records on store"},
        {"empty, and nothing to lose", 0, 0, 10, 0, NULL},
    };
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        const struct policy policy = POLICY_INIT;
        const struct guard_input in = {.side = {{.name = "store", .total = sources[i].a, .deletes = sources[i].deletes},
                                                {.name = "cloud", .total = sources[i].b}},
                                       .recreates = true, .replaces_a = true, .former_b = sources[i].former, .policy = &policy};
        const char *held = guard_check(&arena, &in);
        cr_expect_eq(held != NULL, sources[i].held != NULL, "%s: %s", sources[i].what, held ? held : "not held");
        if (held && sources[i].held) cr_expect_str_eq(held, sources[i].held, "%s", sources[i].what);
    }
}

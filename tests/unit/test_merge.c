#include "core/merge_outcome.h"
#include "tests/elements.h"

/* base_a / base_b NULL = no base. Expected texts are sorted by key and value. conflicts: "field:winner:rule ...". */
static const struct row {
    const char *what;
    enum merge_kind kind;
    enum side winner;
    const char *base_a, *base_b, *a, *b;
    const char *after_a, *after_b;
    const char *conflicts;
    int edits_a, edits_b;
} rows[] = {
    {"nothing changed", MERGE_TWO_WAY, SIDE_A, "family=M|tel=1", "family=M|tel=1", "family=M|tel=1", "family=M|tel=1",
     "family=M|tel=1", "family=M|tel=1", "", 0, 0},
    {"edit goes over", MERGE_TWO_WAY, SIDE_B, "family=M", "family=M", "family=N", "family=M", "family=N", "family=N",
     "", 0, 1},
    {"edits of different fields", MERGE_TWO_WAY, SIDE_A, "family=M|given=A", "family=M|given=A", "family=N|given=A",
     "family=M|given=B", "family=N|given=B", "family=N|given=B", "", 1, 1},
    {"the winner's stays", MERGE_TWO_WAY, SIDE_A, "family=M", "family=M", "family=N", "family=O", "family=N",
     "family=N", "family:A:0", 0, 1},
    {"the winner's stays, server", MERGE_TWO_WAY, SIDE_B, "family=M", "family=M", "family=N", "family=O", "family=O",
     "family=O", "family:B:0", 1, 0},
    {"both the same", MERGE_TWO_WAY, SIDE_A, "family=M", "family=M", "family=N", "family=N", "family=N", "family=N", "",
     0, 0},
    {"edit beats removal", MERGE_TWO_WAY, SIDE_B, "bday=1", "bday=1", "bday=2", "", "bday=2", "bday=2", "bday:A:1", 0,
     1},
    {"edit on b beats removal", MERGE_TWO_WAY, SIDE_A, "note=1", "note=1", "", "note=2", "note=2", "note=2", "note:B:1",
     1, 0},
    {"removal goes over", MERGE_TWO_WAY, SIDE_B, "bday=1|tel=1", "bday=1|tel=1", "tel=1", "bday=1|tel=1", "tel=1",
     "tel=1", "", 0, 1},
    {"both added a birthday", MERGE_TWO_WAY, SIDE_B, "", "", "bday=1", "bday=2", "bday=2", "bday=2", "bday:B:0", 1, 0},
    {"sets unite", MERGE_TWO_WAY, SIDE_A, "tel=1", "tel=1", "tel=1|tel=2", "tel=1|tel=3", "tel=1|tel=2|tel=3",
     "tel=1|tel=2|tel=3", "", 1, 1},
    {"a changed number is written in place", MERGE_TWO_WAY, SIDE_A, "tel;CELL=1|tel;WORK=9", "tel;CELL=1|tel;WORK=9",
     "tel;CELL=2|tel;WORK=9", "tel;CELL=1|tel;WORK=9", "tel;CELL=2|tel;WORK=9", "tel;CELL=2|tel;WORK=9", "", 0, 1},
    {"a set loses nothing where both changed", MERGE_TWO_WAY, SIDE_A, "cat=x", "cat=x", "cat=y", "cat=z", "cat=y|cat=z",
     "cat=y|cat=z", "", 1, 1},
    {"label edit goes over", MERGE_TWO_WAY, SIDE_A, "tel;CELL=1", "tel;CELL=1", "tel;CELL=1", "tel;WORK=1",
     "tel;WORK=1", "tel;WORK=1", "", 1, 0},
    {"two labels", MERGE_TWO_WAY, SIDE_B, "tel;CELL=1", "tel;CELL=1", "tel;HOME=1", "tel;WORK=1", "tel;WORK=1",
     "tel;WORK=1", "tel:B:2", 1, 0},
    {"label edit against removal", MERGE_TWO_WAY, SIDE_A, "tel;CELL=1", "tel;CELL=1", "", "tel;WORK=1", "tel;WORK=1",
     "tel;WORK=1", "tel:B:1", 1, 0},
    {"what the server rewrites is no edit", MERGE_TWO_WAY, SIDE_A, "tel;WORK,FAX=0171 1~1", "tel;WORK=+49171 1~1",
     "tel;WORK,FAX=0171 1~1", "tel;WORK=+49171 1~1", "tel;WORK,FAX=0171 1", "tel;WORK=+49171 1", "", 0, 0},
    {"the one's edit is the other's", MERGE_TWO_WAY, SIDE_A, "tel;WORK,FAX=0171 1~1", "tel;WORK=+49171 1~1", "",
     "tel;WORK=+49171 1~1", "", "", "", 0, 1},
    {"a new spelling is no change", MERGE_TWO_WAY, SIDE_A, "tel=0171 1~1", "tel=0171 1~1", "tel=0171 1~1",
     "tel=+49171 1~1", "tel=0171 1", "tel=+49171 1", "", 0, 0},
    {"a new spelling under a new label is a label edit", MERGE_TWO_WAY, SIDE_A, "tel;CELL=0171 1~1",
     "tel;CELL=0171 1~1", "tel;CELL=0171 1~1", "tel;WORK=+49171 1~1", "tel;WORK=+49171 1", "tel;WORK=+49171 1", "", 1,
     0},
    {"spelled and labelled twice", MERGE_TWO_WAY, SIDE_A, "tel;CELL=0171 1~1", "tel;CELL=0171 1~1", "tel;HOME=0171 1~1",
     "tel;WORK=+49171 1~1", "tel;HOME=0171 1", "tel;HOME=0171 1", "tel:A:2", 0, 1},
    {"what the server cannot hold stays", MERGE_TWO_WAY, SIDE_A, "email=1|email=2|email=3|email=4",
     "email=1|email=2|email=3", "email=1|email=2|email=3|email=4", "email=2|email=3", "email=2|email=3|email=4",
     "email=2|email=3", "", 1, 0},
    {"own fields are not removed by the server", MERGE_TWO_WAY, SIDE_B, "hub=1|tel=1", "hub=1|tel=1", "hub=1|tel=1",
     "tel=2", "hub=1|tel=2", "hub=1|tel=2", "", 1, 1},
    {"own fields a server cannot hold are not sent again", MERGE_TWO_WAY, SIDE_B, "hub=1|tel=1", "tel=1", "hub=1|tel=1", "tel=2",
     "hub=1|tel=2", "tel=2", "", 1, 0},
    {"own fields are not edited by the server", MERGE_TWO_WAY, SIDE_B, "hub;k=1", "hub;k=1", "hub;k=1", "hub;k=2", "hub;k=1", "hub;k=1",
     "hub:A:3", 0, 1},
    {"own fields, edited on both sides", MERGE_TWO_WAY, SIDE_B, "hub;k=1", "hub;k=1", "hub;k=3", "hub;k=2", "hub;k=3", "hub;k=3",
     "hub:A:3", 0, 1},
    {"own fields, edited here and dropped there", MERGE_TWO_WAY, SIDE_B, "hub;k=1", "hub;k=1", "hub;k=3", "", "hub;k=3", "hub;k=3", "", 0,
     1},
    {"own fields, removed here and edited there", MERGE_TWO_WAY, SIDE_B, "hub;k=1", "hub;k=1", "", "hub;k=2", "", "", "hub:A:3", 0, 1},
    {"own fields are one a name", MERGE_TWO_WAY, SIDE_B, "hub;k=1|hub;m=1", "hub;k=1|hub;m=1", "hub;k=1|hub;m=2", "hub;k=1|hub;m=1",
     "hub;k=1|hub;m=2", "hub;k=1|hub;m=2", "", 0, 1},
    {"an equal value makes no other own field of one", MERGE_TWO_WAY, SIDE_B, "hub;k=1", "hub;k=1", "hub;k=1", "hub;m=1",
     "hub;k=1|hub;m=1", "hub;k=1|hub;m=1", "", 1, 1},
    {"own fields the hub never had are taken", MERGE_TWO_WAY, SIDE_B, "tel=1", "tel=1", "tel=1", "hub;k=2|tel=1", "hub;k=2|tel=1",
     "hub;k=2|tel=1", "", 1, 0},
    {"own fields of two origins: the hub's", MERGE_TWO_WAY, SIDE_B, "tel=1", "hub;k=2|tel=1", "hub;k=1|tel=1", "hub;k=2|tel=1",
     "hub;k=1|tel=1", "hub;k=1|tel=1", "hub:A:3", 0, 1},
    {"first contact, own fields fill what the hub lacks", MERGE_TWO_WAY, SIDE_B, NULL, NULL, "hub;k=1", "hub;k=2|hub;m=3",
     "hub;k=1|hub;m=3", "hub;k=1|hub;m=3", "hub:A:3", 1, 1},
    {"own fields are removed from the server", MERGE_TWO_WAY, SIDE_B, "hub=1", "hub=1", "", "hub=1", "", "", "", 0, 1},
    {"the formatted name follows", MERGE_TWO_WAY, SIDE_B, "family=M|fn=M", "family=M|fn=M", "family=N|fn=N",
     "family=M|fn=X", "family=N|fn=X", "family=N|fn=X", "", 1, 1},
    {"a single field under another label is still the one", MERGE_TWO_WAY, SIDE_B, "bday=1", "bday=1", "bday;CIRCA=2",
     "", "bday;CIRCA=2", "bday;CIRCA=2", "bday:A:1", 0, 1},
    {"and contradicts the other", MERGE_TWO_WAY, SIDE_B, NULL, NULL, "bday=1", "bday;CIRCA=2", "bday;CIRCA=2",
     "bday;CIRCA=2", "bday:B:0", 1, 0},
    {"variants of a single field meet their like, x", MERGE_TWO_WAY, SIDE_B, NULL, NULL, "bday;x=2",
     "bday;x=4|bday;y=3", "bday;x=4|bday;y=3", "bday;x=4|bday;y=3", "bday:B:0", 2, 0},
    {"variants of a single field meet their like, y", MERGE_TWO_WAY, SIDE_B, NULL, NULL, "bday;y=3",
     "bday;x=4|bday;y=2", "bday;x=4|bday;y=2", "bday;x=4|bday;y=2", "bday:B:0", 2, 0},
    {"the server's old spelling ends with a new label", MERGE_TWO_WAY, SIDE_A, "tel;CELL=1", "tel;CELL=x", "tel;CELL=1",
     "tel;WORK=1", "tel;WORK=1", "tel;WORK=1", "", 1, 0},
    {"a dropped formatted name is no removal", MERGE_TWO_WAY, SIDE_B, "fn=M|tel=1", "fn=M|tel=1", "fn=M|tel=1", "tel=2",
     "fn=M|tel=2", "tel=2", "", 1, 0},
    {"who keeps his label has lost nothing, work", MERGE_TWO_WAY, SIDE_A, "tel;CELL=1", "tel;CELL=1",
     "tel;HOME=1|tel;WORK=1", "tel;WORK=1", "tel;HOME=1|tel;WORK=1", "tel;HOME=1|tel;WORK=1", "", 0, 1},
    {"who keeps his label has lost nothing, home", MERGE_TWO_WAY, SIDE_A, "tel;CELL=1", "tel;CELL=1",
     "tel;HOME=1|tel;WORK=1", "tel;HOME=1", "tel;HOME=1|tel;WORK=1", "tel;HOME=1|tel;WORK=1", "", 0, 1},
    {"first contact, equal", MERGE_TWO_WAY, SIDE_A, NULL, NULL, "family=M|tel;CELL=0171 1~1",
     "family=M|tel;CELL=+49171 1~1", "family=M|tel;CELL=0171 1", "family=M|tel;CELL=+49171 1", "", 0, 0},
    {"first contact unites", MERGE_TWO_WAY, SIDE_A, NULL, NULL, "family=M|tel=1", "bday=2|family=N|tel=2",
     "bday=2|family=M|tel=1|tel=2", "bday=2|family=M|tel=1|tel=2", "family:A:0", 2, 2},
    {"first contact, two labels", MERGE_TWO_WAY, SIDE_B, NULL, NULL, "tel;CELL=0171 1~1", "tel;WORK=+49171 1~1",
     "tel;WORK=+49171 1", "tel;WORK=+49171 1", "tel:B:2", 1, 0},
    {"a base of one side is none", MERGE_TWO_WAY, SIDE_A, "tel=1", NULL, "tel=2", "tel=1", "tel=1|tel=2", "tel=1|tel=2",
     "", 1, 1},

    {"push: nothing changed on a", MERGE_PUSH, SIDE_A, "family=M", "family=M", "family=M", "family=X|tel=5", "family=M",
     "family=X|tel=5", "", 0, 0},
    {"push: all of b's base becomes a's", MERGE_PUSH, SIDE_A, "family=M|given=A|tel=1", "family=M|given=A|tel=1",
     "family=N|given=A|tel=1", "family=M|given=B", "family=N|given=A|tel=1", "family=N|given=A|tel=1", "", 0, 3},
    {"push: what b added stays", MERGE_PUSH, SIDE_A, "family=M", "family=M", "family=N", "family=M|tel=5", "family=N",
     "family=N|tel=5", "", 0, 1},
    {"push: unless it contradicts a single field", MERGE_PUSH, SIDE_A, "family=M", "family=M", "bday=1|family=M",
     "bday=2|family=M", "bday=1|family=M", "bday=1|family=M", "", 0, 1},
    {"push: removal", MERGE_PUSH, SIDE_A, "note=1|tel=1", "note=1|tel=1", "tel=1", "note=2|tel=1", "tel=1", "tel=1", "",
     0, 1},
    {"push: first contact", MERGE_PUSH, SIDE_A, NULL, NULL, "family=M|tel;CELL=1", "family=N|tel;WORK=1|tel=2",
     "family=M|tel;CELL=1", "family=M|tel=2|tel;CELL=1", "", 0, 2},

    {"exact: b becomes as a, though a did not change", MERGE_EXACT, SIDE_A, "family=M|tel=1", "family=M|tel=1", "family=M|tel=1",
     "family=N|tel=1|tel=5", "family=M|tel=1", "family=M|tel=1", "", 0, 2},
    {"exact: what b cannot hold is no difference", MERGE_EXACT, SIDE_A, "email=1|email=4|tel=1", "email=1|tel=1",
     "email=1|email=4|tel=1", "email=1|tel=1", "email=1|email=4|tel=1", "email=1|tel=1", "", 0, 0},

    {"replace: a becomes as b", MERGE_REPLACE, SIDE_B, NULL, NULL, "bday=1|family=M|hub=h|tel=1", "family=N|tel=2",
     "family=N|hub=h|tel=2", "family=N|tel=2", "", 3, 0},
    {"replace: what b could not hold stays", MERGE_REPLACE, SIDE_B, "email=1|email=4|tel=1", "email=1|tel=1",
     "email=1|email=4|tel=1", "email=1|tel=2", "email=1|email=4|tel=2", "email=1|tel=2", "", 1, 0},
    {"replace: even if edited", MERGE_REPLACE, SIDE_B, "email=1|email;HOME=4|tel=1", "email=1|tel=1",
     "email=1|email;HOME=5|tel=1", "email=1|tel=2", "email=1|email;HOME=5|tel=2", "email=1|tel=2", "", 1, 0},
    {"replace: own fields stay as they are", MERGE_REPLACE, SIDE_B, "hub;k=1|hub;m=1|tel=1", "hub;k=1|hub;m=1|tel=1",
     "hub;k=3|hub;m=1|tel=1", "hub;k=2|tel=2", "hub;k=3|hub;m=1|tel=2", "hub;k=2|tel=2", "", 1, 0},
    {"replace: own fields fill what the hub lacks", MERGE_REPLACE, SIDE_B, NULL, NULL, "hub;k=1", "hub;k=2|hub;m=3", "hub;k=1|hub;m=3",
     "hub;k=2|hub;m=3", "", 1, 0},
    {"push: own fields go over", MERGE_PUSH, SIDE_A, "hub;k=1", "hub;k=1", "hub;k=3", "hub;k=2", "hub;k=3", "hub;k=3", "", 0, 1},
    {"replace: edits of a go", MERGE_REPLACE, SIDE_B, "family=M|tel=1", "family=M|tel=1", "family=N|tel=1|tel=7",
     "family=M|tel=1", "family=M|tel=1", "family=M|tel=1", "", 2, 0},
    {"replace: b's respelling is no edit", MERGE_REPLACE, SIDE_B, "tel=0171 1~1|note=a", "tel=+49171 1~1|note=a",
     "tel=0171 1~1|note=a", "tel=+49171 1~1|note=b", "note=b|tel=0171 1", "note=b|tel=+49171 1", "", 1, 0},
};

static const char *conflicts_text(struct arena *arena, const struct merge_result *r)
{
    struct buf out AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < r->n_conflicts; i++) {
        const struct merge_conflict *c = &r->conflicts[i];
        buf_addf(&out, "%s%s:%c:%d", i ? " " : "", c->field->name, c->winner == SIDE_A ? 'A' : 'B', (int)c->rule);
    }
    return arena_strdup(arena, buf_str(&out));
}

/* Fills `in` from texts; everything lives in the arena. */
static void input_make(struct arena *arena, const struct row *row, struct merge_input *in)
{
    const char *bases[2] = {row->base_a, row->base_b}, *now[2] = {row->a, row->b};
    struct bag base[2];
    struct fingerprint *fp = arena_zalloc(arena, 2 * sizeof *fp);
    *in = (struct merge_input){.kind = row->kind, .winner = row->winner};
    for (int s = 0; s < 2; s++) {
        struct bag b = bag_of(arena, now[s]);
        base[s] = bag_of(arena, bases[s] ? bases[s] : "");
        in->side[s] = (struct merge_side){bases[s] ? &fp[s] : NULL, b.list, b.n, NULL};
    }
    pair_up(arena, &base[0], &base[1], &fp[0], &fp[1]);
}

Test(merge, table)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct merge_input in;
        struct merge_result r;
        input_make(&arena, row, &in);
        merge_records(&arena, &in, &r);
        struct bag a = bag_after(&arena, &in, &r, SIDE_A), b = bag_after(&arena, &in, &r, SIDE_B);
        cr_expect_str_eq(bag_text(&arena, &a), row->after_a, "%s: A is %s", row->what, bag_text(&arena, &a));
        cr_expect_str_eq(bag_text(&arena, &b), row->after_b, "%s: B is %s", row->what, bag_text(&arena, &b));
        const char *conflicts = conflicts_text(&arena, &r);
        cr_expect_str_eq(conflicts, row->conflicts, "%s: conflicts %s", row->what, conflicts);
        cr_expect_eq(r.n_edits[SIDE_A], (size_t)row->edits_a, "%s: %zu edits on A", row->what, r.n_edits[SIDE_A]);
        cr_expect_eq(r.n_edits[SIDE_B], (size_t)row->edits_b, "%s: %zu edits on B", row->what, r.n_edits[SIDE_B]);
    }
}

Test(merge, says_when_a_derived_field_is_stale)
{
    static const struct {
        const char *a, *b;
        bool stale;
    } cases[] = {{"fn=A N|family=N|given=A", "fn=B M|family=M|given=B", true},
                 {"fn=A N|family=N|given=A", "fn=A M|family=M|given=A|tel=1", false},
                 {"fn=A M|family=M|given=A", "fn=B M|family=M|given=B", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        const char *base = "fn=A M|family=M|given=A";
        struct row row = {.what = "", .base_a = base, .base_b = base, .a = cases[i].a, .b = cases[i].b};
        struct merge_input in;
        struct merge_result r;
        input_make(&arena, &row, &in);
        merge_records(&arena, &in, &r);
        cr_expect_eq(r.derived_stale, cases[i].stale, "row %zu", i);
        cr_expect_eq(r.n_conflicts, 0u, "row %zu", i);
    }
}

Test(merge, conflicts_show_both_values)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct row row = {.what = "",
                      .winner = SIDE_B,
                      .base_a = "note=1|bday=1",
                      .base_b = "note=1|bday=1",
                      .a = "note=2|bday=2",
                      .b = "note=3"};
    struct merge_input in;
    struct merge_result r;
    input_make(&arena, &row, &in);
    merge_records(&arena, &in, &r);
    cr_assert_eq(r.n_conflicts, 2u);
    cr_expect_str_eq(r.conflicts[0].field->name, "bday");
    cr_expect(str_eq(r.conflicts[0].a->value_text, STR("2")));
    cr_expect_null(r.conflicts[0].b);
    cr_expect(str_eq(r.conflicts[1].a->value_text, STR("2")));
    cr_expect(str_eq(r.conflicts[1].b->value_text, STR("3")));
    cr_expect_not(merge_is_empty(&r));
    for (int rule = MERGE_RULE_AUTHORITY; rule <= MERGE_RULE_OWN; rule++)
        cr_expect_not_null(merge_rule_text((enum merge_rule)rule));
}

/* Two edits of one kind in place keep the order of the record they come from. */
Test(merge, adds_in_the_order_of_the_source)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct row row = {.what = "", .a = "tel=3|tel=1|email=x|tel=2", .b = ""};
    struct merge_input in;
    struct merge_result r;
    input_make(&arena, &row, &in);
    merge_records(&arena, &in, &r);
    cr_assert_eq(r.n_edits[SIDE_B], 4u);
    const char *want[] = {"3", "1", "2", "x"};
    for (size_t i = 0; i < 4; i++)
        cr_expect(str_eq(r.edits[SIDE_B][i].source->value_text, str_of(want[i])), "edit %zu", i);
}

/* Bases come from a file. Pairs across fields, pairs of three and numbers without counterpart are no pairs. */
Test(merge, survives_pairs_that_cannot_be)
{
    static const uint16_t numbers[] = {0, 1, 65534, PRINT_UNPAIRED};
    for (unsigned round = 0; round < 4 * 4 * 4; round++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct bag a = bag_of(&arena, "tel=7|bday=1"), b = bag_of(&arena, "note=1|tel=1"),
                   now = bag_of(&arena, "tel=1");
        struct fingerprint fa = prints_of(&arena, &a), fb = prints_of(&arena, &b);
        for (size_t i = 0; i < 2; i++) ((struct print *)fa.prints)[i].pair = numbers[round % 4];
        ((struct print *)fb.prints)[0].pair = numbers[round / 4 % 4];
        ((struct print *)fb.prints)[1].pair = numbers[round / 16];
        struct merge_input in = {.side = {{&fa, a.list, a.n, NULL}, {&fb, now.list, now.n, NULL}},
                                 .kind = MERGE_TWO_WAY};
        struct merge_result r;
        merge_records(&arena, &in, &r);
        cr_expect_eq(r.n_edits[SIDE_A], 0u, "round %u: the note's removal is no removal of something else", round);
        cr_expect_eq(r.n_edits[SIDE_B], 0u, "round %u", round);
    }
}

/* Of several values of a single field those with the same label are compared. */
Test(merge, variants_meet_their_like)
{
    static const char *const labels[] = {"x", "y"};
    for (int i = 0; i < 2; i++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        const char *a = arena_printf(&arena, "bday;%s=1", labels[i]);
        struct row row = {.what = "", .a = a, .b = "bday;x=2|bday;y=3"};
        struct merge_input in;
        struct merge_result r;
        input_make(&arena, &row, &in);
        merge_records(&arena, &in, &r);
        cr_assert_eq(r.n_conflicts, 1u, "label %s", labels[i]);
        cr_expect_eq(r.conflicts[0].a->key, r.conflicts[0].b->key, "label %s", labels[i]);
    }
}

Test(merge, own_fields_where_the_store_is_b)
{
    static const struct {
        enum merge_kind kind;
        enum merge_state a, b;
        enum merge_outcome wanted;
    } mirror[] = {
        {MERGE_TWO_WAY, EDITED, KEPT, OWN},   {MERGE_TWO_WAY, REMOVED, KEPT, TO_A}, {MERGE_TWO_WAY, KEPT, EDITED, TO_A},
        {MERGE_TWO_WAY, KEPT, REMOVED, TO_A}, {MERGE_TWO_WAY, ADDED, ABSENT, TO_B}, {MERGE_PUSH, EDITED, KEPT, LEAVE},
        {MERGE_PUSH, REMOVED, KEPT, LEAVE},   {MERGE_PUSH, ADDED, ABSENT, TO_B},    {MERGE_REPLACE, KEPT, EDITED, TO_A},
        {MERGE_REPLACE, KEPT, REMOVED, TO_A},
    };
    for (size_t i = 0; i < sizeof mirror / sizeof *mirror; i++)
        cr_expect_eq(merge_outcome_own(mirror[i].kind, SIDE_B, mirror[i].a, mirror[i].b), mirror[i].wanted, "row %zu", i);
}

#include "core/decision.h"

#include <criterion/criterion.h>

static bool writes(enum action action, enum side side)
{
    switch (action) {
    case ACTION_CREATE_A:
    case ACTION_UPDATE_A_FROM_B:
    case ACTION_DELETE_A:
    case ACTION_REVIVE_A:
        return side == SIDE_A;
    case ACTION_CREATE_B:
    case ACTION_UPDATE_B_FROM_A:
    case ACTION_DELETE_B:
    case ACTION_REVIVE_B:
        return side == SIDE_B;
    case ACTION_MERGE:
        return true;
    default:
        return false;
    }
}

static bool is_there(enum seen s)
{
    return s == SEEN_NEW || s == SEEN_SAME || s == SEEN_CHANGED;
}

static bool is_missing(enum seen s)
{
    return s == SEEN_NEVER || s == SEEN_GONE || s == SEEN_TOMBSTONE;
}

/* The action needs what it names: creating something absent from something present, and so on. */
static bool is_possible(enum action action, enum seen a, enum seen b)
{
    switch (action) {
    case ACTION_CREATE_A:
    case ACTION_REVIVE_A:
        return is_missing(a) && is_there(b);
    case ACTION_CREATE_B:
    case ACTION_REVIVE_B:
        return is_there(a) && is_missing(b);
    case ACTION_MERGE:
    case ACTION_UPDATE_A_FROM_B:
    case ACTION_UPDATE_B_FROM_A:
    case ACTION_ADOPT:
        return is_there(a) && is_there(b);
    case ACTION_DELETE_A:
        return is_there(a) && is_missing(b);
    case ACTION_DELETE_B:
        return is_missing(a) && is_there(b);
    case ACTION_QUARANTINE:
        return a == SEEN_UNREADABLE || b == SEEN_UNREADABLE;
    default:
        return true;
    }
}

struct combination {
    enum base_kind base;
    enum seen a, b;
    enum policy_row policy;
};

static void check(const struct combination *c)
{
    const struct decision_row *row = decide(c->base, c->a, c->b, c->policy, 0);
    enum action action = row->action;
    bool replaces = c->policy == POLICY_RECREATE || c->policy == POLICY_TWO_WAY_RECREATE;
    size_t n;
    const struct decision_row *table = decision_table(&n);
#define HOLDS(condition)                                                                                               \
    cr_expect(condition, "base %d, a %s, b %s, %s: %s breaks %s", c->base, seen_name(c->a), seen_name(c->b),           \
              policy_row_name(c->policy), action_name(action), #condition)
    HOLDS(row >= table && row < table + n);
    HOLDS(is_possible(action, c->a, c->b));
    HOLDS(!writes(action, SIDE_A) || policy_writes(c->policy, SIDE_A));
    HOLDS(!writes(action, SIDE_B) || policy_writes(c->policy, SIDE_B));
    if (c->a == SEEN_UNREADABLE || c->b == SEEN_UNREADABLE) HOLDS(!writes(action, SIDE_A) && !writes(action, SIDE_B));
    bool deletes = action == ACTION_DELETE_A || action == ACTION_DELETE_B;
    if (c->base == BASE_NONE && deletes) HOLDS(replaces && action == ACTION_DELETE_A);
    if (c->a == SEEN_CHANGED && !replaces) HOLDS(action != ACTION_DELETE_A);
    if (c->b == SEEN_CHANGED) HOLDS(action != ACTION_DELETE_B);
    if (c->a == SEEN_TOMBSTONE) HOLDS(!writes(action, SIDE_A) && !writes(action, SIDE_B));
    if (c->a == SEEN_TOMBSTONE && !is_missing(c->b)) HOLDS(action == ACTION_SKIP_TOMBSTONE);
    if (c->a == SEEN_SAME && c->b == SEEN_SAME) HOLDS(action == ACTION_NOTHING);
    if (is_missing(c->a) && is_missing(c->b)) HOLDS(action == ACTION_FORGET || action == ACTION_NOTHING);
    if (action == ACTION_FORGET) HOLDS(is_missing(c->a) || is_missing(c->b));
#undef HOLDS
}

Test(decision, invariants_of_all_combinations)
{
    struct combination c;
    for (unsigned i = 0; i < BASE_KINDS * SEEN_KINDS * SEEN_KINDS * POLICY_ROWS; i++) {
        c = (struct combination){(enum base_kind)(i % BASE_KINDS), (enum seen)(i / BASE_KINDS % SEEN_KINDS),
                                 (enum seen)(i / BASE_KINDS / SEEN_KINDS % SEEN_KINDS),
                                 (enum policy_row)(i / BASE_KINDS / SEEN_KINDS / SEEN_KINDS)};
        if (decision_reachable(c.base, c.a, c.b)) {
            check(&c);
        } else {
            cr_expect_eq(decide(c.base, c.a, c.b, c.policy, 0)->action, ACTION_KEEP);
            cr_expect_not_null(decide(c.base, c.a, c.b, c.policy, 0)->rule);
        }
    }
}

/* Two-way rows and those of the two authorities never differ: the authority decides fields, not records. */
Test(decision, authority_decides_no_record)
{
    for (unsigned i = 0; i < BASE_KINDS * SEEN_KINDS * SEEN_KINDS; i++) {
        enum base_kind base = (enum base_kind)(i % BASE_KINDS);
        enum seen a = (enum seen)(i / BASE_KINDS % SEEN_KINDS), b = (enum seen)(i / BASE_KINDS / SEEN_KINDS);
        cr_expect_eq(decide(base, a, b, POLICY_TWO_WAY_A, 0), decide(base, a, b, POLICY_TWO_WAY_B, 0));
        cr_expect_eq(decide(base, a, b, POLICY_RECREATE, 0), decide(base, a, b, POLICY_TWO_WAY_RECREATE, 0));
    }
}

/* Each row is the answer to something: none is hidden by those above it. */
Test(decision, every_row_is_used)
{
    size_t n;
    const struct decision_row *table = decision_table(&n);
    for (size_t r = 0; r < n; r++) {
        bool used = false;
        for (unsigned i = 0; i < BASE_KINDS * SEEN_KINDS * SEEN_KINDS * POLICY_ROWS; i++)
            used |= decide((enum base_kind)(i % BASE_KINDS), (enum seen)(i / BASE_KINDS % SEEN_KINDS),
                           (enum seen)(i / BASE_KINDS / SEEN_KINDS % SEEN_KINDS),
                           (enum policy_row)(i / BASE_KINDS / SEEN_KINDS / SEEN_KINDS), 0) == &table[r];
        cr_expect(used, "row %zu: %s", r, table[r].rule);
    }
}

Test(decision, what_the_manual_says)
{
    static const struct {
        enum policy_row policy;
        enum base_kind base;
        enum seen a, b;
        enum action want;
    } rows[] = {
        {POLICY_ADD, BASE_NONE, SEEN_NEVER, SEEN_NEW, ACTION_CREATE_A},
        {POLICY_ADD, BASE_NONE, SEEN_NEW, SEEN_NEW, ACTION_ADOPT},
        {POLICY_ADD, BASE_PAIR, SEEN_SAME, SEEN_CHANGED, ACTION_KEEP},
        {POLICY_ADD, BASE_PAIR, SEEN_TOMBSTONE, SEEN_CHANGED, ACTION_SKIP_TOMBSTONE},
        {POLICY_UPDATE, BASE_NONE, SEEN_NEW, SEEN_NEW, ACTION_UPDATE_A_FROM_B},
        {POLICY_UPDATE, BASE_PAIR, SEEN_SAME, SEEN_CHANGED, ACTION_UPDATE_A_FROM_B},
        {POLICY_UPDATE, BASE_PAIR, SEEN_SAME, SEEN_GONE, ACTION_FORGET},
        {POLICY_UPDATE, BASE_PAIR, SEEN_TOMBSTONE, SEEN_SAME, ACTION_SKIP_TOMBSTONE},
        {POLICY_RECREATE, BASE_NONE, SEEN_NEW, SEEN_NEVER, ACTION_DELETE_A},
        {POLICY_RECREATE, BASE_NONE, SEEN_NEW, SEEN_NEW, ACTION_UPDATE_A_FROM_B},
        {POLICY_RECREATE, BASE_PAIR, SEEN_CHANGED, SEEN_GONE, ACTION_DELETE_A},
        {POLICY_RECREATE, BASE_PAIR, SEEN_TOMBSTONE, SEEN_SAME, ACTION_SKIP_TOMBSTONE},
        {POLICY_ONE_WAY, BASE_NONE, SEEN_NEW, SEEN_NEVER, ACTION_CREATE_B},
        {POLICY_ONE_WAY, BASE_NONE, SEEN_NEVER, SEEN_NEW, ACTION_NOTHING},
        {POLICY_ONE_WAY, BASE_PAIR, SEEN_SAME, SEEN_CHANGED, ACTION_KEEP},
        {POLICY_ONE_WAY, BASE_PAIR, SEEN_CHANGED, SEEN_CHANGED, ACTION_UPDATE_B_FROM_A},
        {POLICY_ONE_WAY, BASE_PAIR, SEEN_SAME, SEEN_GONE, ACTION_KEEP},
        {POLICY_ONE_WAY, BASE_PAIR, SEEN_CHANGED, SEEN_GONE, ACTION_REVIVE_B},
        {POLICY_ONE_WAY, BASE_PAIR, SEEN_GONE, SEEN_SAME, ACTION_DELETE_B},
        {POLICY_ONE_WAY, BASE_PAIR, SEEN_GONE, SEEN_CHANGED, ACTION_FORGET},
        {POLICY_TWO_WAY_A, BASE_NONE, SEEN_NEVER, SEEN_NEW, ACTION_CREATE_A},
        {POLICY_TWO_WAY_A, BASE_NONE, SEEN_NEW, SEEN_NEVER, ACTION_CREATE_B},
        {POLICY_TWO_WAY_B, BASE_NONE, SEEN_NEW, SEEN_NEW, ACTION_MERGE},
        {POLICY_TWO_WAY_B, BASE_PAIR, SEEN_CHANGED, SEEN_SAME, ACTION_MERGE},
        {POLICY_TWO_WAY_A, BASE_PAIR, SEEN_GONE, SEEN_SAME, ACTION_DELETE_B},
        {POLICY_TWO_WAY_A, BASE_PAIR, SEEN_GONE, SEEN_CHANGED, ACTION_REVIVE_A},
        {POLICY_TWO_WAY_B, BASE_PAIR, SEEN_CHANGED, SEEN_GONE, ACTION_REVIVE_B},
        {POLICY_TWO_WAY_B, BASE_PAIR, SEEN_GONE, SEEN_GONE, ACTION_FORGET},
        {POLICY_TWO_WAY_B, BASE_NONE, SEEN_GONE, SEEN_NEW, ACTION_SKIP_TOMBSTONE},
        {POLICY_TWO_WAY_RECREATE, BASE_NONE, SEEN_NEW, SEEN_NEVER, ACTION_DELETE_A},
        {POLICY_TWO_WAY_A, BASE_PAIR, SEEN_UNREADABLE, SEEN_GONE, ACTION_QUARANTINE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum action got = decide(rows[i].base, rows[i].a, rows[i].b, rows[i].policy, 0)->action;
        cr_expect_eq(got, rows[i].want, "row %zu: %s", i, action_name(got));
    }
}

Test(decision, missing_on_a)
{
    static const struct {
        bool by_person, settled;
        enum policy_row policy;
        enum seen want;
    } rows[] = {
        {false, false, POLICY_ADD, SEEN_GONE},
        {true, false, POLICY_ADD, SEEN_TOMBSTONE},
        {true, false, POLICY_TWO_WAY_RECREATE, SEEN_TOMBSTONE},
        {false, true, POLICY_UPDATE, SEEN_TOMBSTONE},
        {true, false, POLICY_TWO_WAY_A, SEEN_GONE},
        {true, true, POLICY_TWO_WAY_A, SEEN_TOMBSTONE},
        {true, false, POLICY_ONE_WAY, SEEN_GONE},
        {false, true, POLICY_ONE_WAY, SEEN_TOMBSTONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(seen_missing_a(rows[i].by_person, rows[i].settled, rows[i].policy), rows[i].want, "row %zu", i);
}

/* Lines that begin with a number: "7. " or "| 7 | ". */
static size_t numbered_lines(const struct buf *b, const char *before)
{
    size_t n = 0;
    for (struct str rest = buf_str(b); rest.p;) {
        struct str line = str_split(&rest, '\n');
        bool begins = line.n > strlen(before) && str_starts(line, str_of(before));
        n += begins && line.p[strlen(before)] >= '0' && line.p[strlen(before)] <= '9';
    }
    return n;
}

Test(decision, prints_each_row)
{
    size_t n;
    const struct decision_row *table = decision_table(&n);
    struct buf text AUTO_BUF = BUF_INIT, markdown AUTO_BUF = BUF_INIT;
    decision_print_text(&text);
    decision_print_markdown(&markdown);
    cr_expect_eq(numbered_lines(&text, ""), n);
    cr_expect_eq(numbered_lines(&markdown, "| "), n);
    static const char *const settings[] = {"delete = never", "delete = mirror", "delete = wipe", "oneway_enforce = yes", "--ignore-tombstones"};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        cr_expect_neq(str_find(buf_str(&text), str_of(settings[i])), (size_t)-1, "%s", settings[i]);
        cr_expect_neq(str_find(buf_str(&markdown), str_of(settings[i])), (size_t)-1, "%s", settings[i]);
    }
    for (size_t i = 0; i < n; i++) {
        cr_expect_neq(str_find(buf_str(&text), str_of(table[i].rule)), (size_t)-1);
        cr_expect_neq(str_find(buf_str(&markdown), str_of(table[i].rule)), (size_t)-1);
    }
    for (int a = 0; a < ACTIONS; a++) cr_expect_not_null(action_name((enum action)a), "action %d", a);
}

/* What a link or run asks for beyond its row changes that one answer and no other. */
Test(decision, switches)
{
    static const struct {
        unsigned switches;
        enum policy_row policy;
        enum base_kind base;
        enum seen a, b;
        enum action without, with;
    } rows[] = {
        {SWITCH_KEEP_ON_B, POLICY_ONE_WAY, BASE_PAIR, SEEN_GONE, SEEN_SAME, ACTION_DELETE_B, ACTION_FORGET},
        {SWITCH_KEEP_ON_B, POLICY_TWO_WAY_A, BASE_PAIR, SEEN_GONE, SEEN_SAME, ACTION_DELETE_B, ACTION_DELETE_B},
        {SWITCH_ENFORCE, POLICY_ONE_WAY, BASE_PAIR, SEEN_SAME, SEEN_CHANGED, ACTION_KEEP, ACTION_UPDATE_B_FROM_A},
        {SWITCH_ENFORCE, POLICY_ONE_WAY, BASE_PAIR, SEEN_SAME, SEEN_GONE, ACTION_KEEP, ACTION_KEEP},
        {SWITCH_IGNORE_TOMBSTONES, POLICY_RECREATE, BASE_NONE, SEEN_TOMBSTONE, SEEN_NEW, ACTION_SKIP_TOMBSTONE, ACTION_CREATE_A},
        {SWITCH_IGNORE_TOMBSTONES, POLICY_ADD, BASE_NONE, SEEN_TOMBSTONE, SEEN_NEW, ACTION_SKIP_TOMBSTONE, ACTION_SKIP_TOMBSTONE},
        {SWITCH_NEW_MODE, POLICY_TWO_WAY_A, BASE_PAIR, SEEN_SAME, SEEN_GONE, ACTION_DELETE_A, ACTION_CREATE_B},
        {SWITCH_NEW_MODE, POLICY_TWO_WAY_B, BASE_PAIR, SEEN_GONE, SEEN_CHANGED, ACTION_REVIVE_A, ACTION_SKIP_TOMBSTONE},
        {SWITCH_NEW_MODE, POLICY_ONE_WAY, BASE_PAIR, SEEN_GONE, SEEN_SAME, ACTION_DELETE_B, ACTION_SKIP_TOMBSTONE},
        {SWITCH_NEW_MODE, POLICY_TWO_WAY_B, BASE_PAIR, SEEN_CHANGED, SEEN_CHANGED, ACTION_MERGE, ACTION_MERGE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum action without = decide(rows[i].base, rows[i].a, rows[i].b, rows[i].policy, 0)->action;
        enum action with = decide(rows[i].base, rows[i].a, rows[i].b, rows[i].policy, rows[i].switches)->action;
        cr_expect_eq(without, rows[i].without, "row %zu without: %s", i, action_name(without));
        cr_expect_eq(with, rows[i].with, "row %zu with: %s", i, action_name(with));
    }
}

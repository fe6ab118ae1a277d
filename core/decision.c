#include "core/decision.h"

#include "base/i18n.h"

#define IN(value) (1u << (value))

enum {
    NO_BASE = IN(BASE_NONE),
    AGREED = IN(BASE_PAIR),
    APART = IN(BASE_APART),
    PAIR = IN(BASE_PAIR) | APART,
    ANY_BASE = NO_BASE | PAIR,

    NEVER = IN(SEEN_NEVER),
    NEW = IN(SEEN_NEW),
    SAME = IN(SEEN_SAME),
    CHANGED = IN(SEEN_CHANGED),
    GONE = IN(SEEN_GONE),
    UNREADABLE = IN(SEEN_UNREADABLE),
    TOMBSTONE = IN(SEEN_TOMBSTONE),
    MISSING = NEVER | GONE,
    KNOWN = SAME | CHANGED,
    THERE = NEW | KNOWN,
    ANY_B = MISSING | THERE | UNREADABLE,
    ANY_A = ANY_B | TOMBSTONE,

    ADD = IN(POLICY_ADD),
    UPDATE = IN(POLICY_UPDATE),
    RECREATE = IN(POLICY_RECREATE) | IN(POLICY_TWO_WAY_RECREATE),
    IMPORT = ADD | UPDATE | RECREATE,
    ONE_WAY = IN(POLICY_ONE_WAY),
    TWO_WAY = IN(POLICY_TWO_WAY_A) | IN(POLICY_TWO_WAY_B),
    ANY_POLICY = IMPORT | ONE_WAY | TWO_WAY,
};

/* The first row that fits decides, so a row may rely on what those above it took away. */
static const struct decision_row table[] = {
    /* What holds everywhere. A person's deletion comes before "unreadable": it must be remembered in any case. */
    {ANY_BASE, TOMBSTONE, MISSING, ANY_POLICY, ACTION_FORGET,
     N_("Deleted on A by a person and no longer on B: nothing is left to remember.")},
    {ANY_BASE, TOMBSTONE, THERE | UNREADABLE, ANY_POLICY, ACTION_SKIP_TOMBSTONE,
     N_("Deleted on A by a person: not created again, whatever B has.")},
    {ANY_BASE, UNREADABLE, ANY_B, ANY_POLICY, ACTION_QUARANTINE,
     N_("The record on A cannot be read: left alone on both sides until it can.")},
    {ANY_BASE, ANY_A, UNREADABLE, ANY_POLICY, ACTION_QUARANTINE,
     N_("The record on B cannot be read: left alone on both sides until it can.")},
    {NO_BASE, NEVER, NEVER, ANY_POLICY, ACTION_NOTHING, N_("It vanished before anything was done with it.")},
    {ANY_BASE, MISSING, MISSING, ANY_POLICY, ACTION_FORGET, N_("Gone on both sides: the link forgets it.")},
    {PAIR, SAME, SAME, ANY_POLICY, ACTION_NOTHING, N_("Neither side changed since both agreed.")},
    {APART, SAME, GONE, ANY_POLICY, ACTION_KEEP, N_("Undone by a person: only A has it, until it changes there.")},
    {APART, GONE, SAME, ANY_POLICY, ACTION_KEEP, N_("Undone by a person: only B has it, until it changes there.")},

    /* Imports: B to A. A record missing on A was not deleted by a person here; that would be a tombstone. */
    {ANY_BASE, MISSING, THERE, IMPORT, ACTION_CREATE_A, N_("B has it and A does not: created on A.")},
    {NO_BASE, NEW, NEVER, ADD | UPDATE, ACTION_NOTHING, N_("Only A has it: an import leaves it as it is.")},
    {ANY_BASE, THERE, MISSING, ADD | UPDATE, ACTION_FORGET,
     N_("No longer on B: A keeps its record, the link forgets it.")},
    {ANY_BASE, THERE, MISSING, RECREATE, ACTION_DELETE_A, N_("A's book is replaced by B's, and B does not have it.")},
    {NO_BASE, NEW, NEW, ADD, ACTION_ADOPT,
     N_("Both have it: A's record stays untouched, the link remembers that they belong together.")},
    {PAIR, KNOWN, KNOWN, ADD, ACTION_KEEP,
     N_("Both have it and they differ: this import leaves existing records alone.")},
    {ANY_BASE, THERE, THERE, UPDATE | RECREATE, ACTION_UPDATE_A_FROM_B, N_("Both have it: A takes B's data.")},

    /* One-way: A to B. */
    {NO_BASE, NEVER, NEW, ONE_WAY, ACTION_NOTHING, N_("Only B has it: a one-way link leaves it as it is.")},
    {NO_BASE, NEW, NEW, ONE_WAY, ACTION_UPDATE_B_FROM_A, N_("Both have it: B takes A's data.")},
    {PAIR, SAME, CHANGED, ONE_WAY, ACTION_KEEP,
     N_("Changed on B only: left so until A changes, a one-way link ignores changes on B.")},
    {PAIR, CHANGED, KNOWN, ONE_WAY, ACTION_UPDATE_B_FROM_A, N_("Changed on A: B takes A's data.")},
    {PAIR, SAME, GONE, ONE_WAY, ACTION_KEEP, N_("Deleted on B only: created again when it next changes on A.")},
    {PAIR, GONE, CHANGED, ONE_WAY, ACTION_FORGET,
     N_("Deleted on A and changed on B: B keeps it, the link forgets it.")},

    /* Both ways. The three rows of plain creating and deleting are those of one-way, too. */
    {NO_BASE, GONE, NEW, ONE_WAY | TWO_WAY, ACTION_SKIP_TOMBSTONE,
     N_("It was on A and is gone there, and nothing was ever agreed: not created again, B keeps its record.")},
    {NO_BASE, NEW, MISSING, ONE_WAY | TWO_WAY, ACTION_CREATE_B, N_("A has it and B does not: created on B.")},
    {PAIR, GONE, SAME, ONE_WAY | TWO_WAY, ACTION_DELETE_B, N_("Deleted on A and unchanged on B: deleted on B.")},
    {PAIR, CHANGED, GONE, ONE_WAY | TWO_WAY, ACTION_REVIVE_B,
     N_("Changed on A and deleted on B: the edit wins, created on B again.")},
    {NO_BASE, NEVER, NEW, TWO_WAY, ACTION_CREATE_A, N_("B has it and A does not: created on A.")},
    {NO_BASE, NEW, NEW, TWO_WAY, ACTION_MERGE, N_("Both have it and never agreed: united field by field.")},
    {PAIR, SAME, GONE, TWO_WAY, ACTION_DELETE_A, N_("Deleted on B and unchanged on A: deleted on A.")},
    {PAIR, GONE, CHANGED, TWO_WAY, ACTION_REVIVE_A,
     N_("Changed on B and deleted on A: the edit wins, created on A again.")},
    {PAIR, KNOWN, KNOWN, TWO_WAY, ACTION_MERGE, N_("Changed since both agreed: merged field by field.")},
};
enum { N_ROWS = sizeof table / sizeof *table };

static const struct {
    unsigned needs; /* enum decision_switch */
    struct decision_row row;
} switched[] = {
    {SWITCH_IGNORE_TOMBSTONES,
     {ANY_BASE, TOMBSTONE, THERE, RECREATE, ACTION_CREATE_A, N_("Deleted on A by a person, which this import was told to ignore: created again.")}},
    {SWITCH_KEEP_ON_B,
     {AGREED, GONE, SAME, ONE_WAY, ACTION_FORGET, N_("Deleted on A: this link deletes nothing on B, it forgets the record.")}},
    {SWITCH_MIRROR,
     {NO_BASE, NEVER, NEW, ONE_WAY, ACTION_DELETE_B, N_("Only B has it, and this link makes B hold what A holds and nothing else: deleted on B.")}},
    {SWITCH_MIRROR,
     {PAIR, GONE, CHANGED, ONE_WAY, ACTION_DELETE_B, N_("Deleted on A, and this link makes B hold what A holds and nothing else: deleted on B.")}},
    {SWITCH_WIPE, {PAIR, SAME, GONE, ONE_WAY, ACTION_CREATE_B, N_("Deleted on B only: this link fills B anew, created on B again.")}},
    {SWITCH_ENFORCE, {AGREED, SAME, CHANGED, ONE_WAY, ACTION_UPDATE_B_FROM_A, N_("Changed on B only: this link makes B as A at once.")}},
    {SWITCH_NEW_MODE,
     {AGREED, GONE, KNOWN, ONE_WAY | TWO_WAY, ACTION_SKIP_TOMBSTONE,
      N_("Gone on A before this mode was set: B keeps its record, and it is not created again.")}},
    {SWITCH_NEW_MODE,
     {AGREED, SAME, GONE, TWO_WAY, ACTION_CREATE_B, N_("Gone on B before this mode was set: a first run deletes nothing, created on B again.")}},
};

const struct decision_row decision_left_to_others = {
    0, 0, 0, 0, ACTION_FORGET, N_("Deleted on A, and another link still brings it: left on B, this link forgets it."),
};

static const struct decision_row impossible = {
    0, 0, 0, 0, ACTION_KEEP, N_("This cannot be: left as it is. Please report it."),
};

static const char *const base_names[BASE_KINDS] = {"none", "pair", "apart"};
static const char *const seen_names[SEEN_KINDS] = {"never", "new",        "same",     "changed",
                                                   "gone",  "unreadable", "tombstone"};
static const char *const action_names[ACTIONS] = {
    [ACTION_NOTHING] = "nothing",
    [ACTION_CREATE_A] = "create_a",
    [ACTION_CREATE_B] = "create_b",
    [ACTION_MERGE] = "merge",
    [ACTION_UPDATE_A_FROM_B] = "update_a_from_b",
    [ACTION_UPDATE_B_FROM_A] = "update_b_from_a",
    [ACTION_DELETE_A] = "delete_a",
    [ACTION_DELETE_B] = "delete_b",
    [ACTION_ADOPT] = "adopt",
    [ACTION_FORGET] = "forget",
    [ACTION_REVIVE_A] = "revive_a",
    [ACTION_REVIVE_B] = "revive_b",
    [ACTION_SKIP_TOMBSTONE] = "skip_tombstone",
    [ACTION_QUARANTINE] = "quarantine",
    [ACTION_KEEP] = "keep",
    [ACTION_PUT_BACK] = "put_back",
};

static bool fits(const struct decision_row *r, enum base_kind base, enum seen a, enum seen b, enum policy_row policy)
{
    return r->bases & IN(base) && r->a & IN(a) && r->b & IN(b) && r->policies & IN(policy);
}

const struct decision_row *decide(enum base_kind base, enum seen a, enum seen b, enum policy_row policy, unsigned switches)
{
    if (!decision_reachable(base, a, b)) return &impossible;
    for (size_t i = 0; i < sizeof switched / sizeof *switched; i++)
        if (switched[i].needs & switches && fits(&switched[i].row, base, a, b, policy)) return &switched[i].row;
    for (size_t i = 0; i < N_ROWS; i++) {
        if (fits(&table[i], base, a, b, policy)) return &table[i];
    }
    return &impossible;
}

/* GONE without base is a record whose row has ids only (ACTION_ADOPT). */
bool decision_reachable(enum base_kind base, enum seen a, enum seen b)
{
    unsigned there = base != BASE_NONE ? KNOWN : NEVER | NEW;
    unsigned fits = there | GONE | UNREADABLE;
    return (fits | TOMBSTONE) & IN(a) && fits & IN(b);
}

enum seen seen_missing_a(bool by_person, bool settled, enum policy_row policy)
{
    bool import = IN(policy) & IMPORT;
    return settled || (by_person && import) ? SEEN_TOMBSTONE : SEEN_GONE;
}

const char *action_name(enum action a)
{
    return action_names[a];
}

const char *seen_name(enum seen s)
{
    return seen_names[s];
}

const struct decision_row *decision_table(size_t *n)
{
    *n = N_ROWS;
    return table;
}

static const char *base_name_at(unsigned i)
{
    return base_names[i];
}

static const char *seen_name_at(unsigned i)
{
    return seen_names[i];
}

static const char *policy_name_at(unsigned i)
{
    return policy_row_name((enum policy_row)i);
}

static void set_print(struct buf *out, unsigned set, unsigned all, const char *(*name)(unsigned))
{
    if (set == all) {
        buf_adds(out, _("any"));
        return;
    }
    const char *comma = "";
    for (unsigned i = 0; set >> i; i++) {
        if (!(set & IN(i))) continue;
        buf_addf(out, "%s%s", comma, name(i));
        comma = ", ";
    }
}

/* The cells of a row, each followed by `sep`. */
static void cells_print(struct buf *out, const struct decision_row *r, const char *sep)
{
    set_print(out, r->bases, ANY_BASE, base_name_at);
    buf_adds(out, sep);
    set_print(out, r->a, ANY_A, seen_name_at);
    buf_adds(out, sep);
    set_print(out, r->b, ANY_B, seen_name_at);
    buf_adds(out, sep);
    set_print(out, r->policies, ANY_POLICY, policy_name_at);
    buf_addf(out, "%s%s%s%s", sep, action_names[r->action], sep, _(r->rule));
}

/* By the setting that brings them: what a person would write. */
static const struct {
    unsigned bit;
    const char *words;
} switch_words[] = {{SWITCH_KEEP_ON_B, "delete = never"},
                    {SWITCH_MIRROR, "delete = mirror"},
                    {SWITCH_WIPE, "delete = wipe"},
                    {SWITCH_ENFORCE, "oneway_enforce = yes"},
                    {SWITCH_IGNORE_TOMBSTONES, "--ignore-tombstones"},
                    {SWITCH_NEW_MODE, N_("another mode than before")}};

static const char *switch_text(unsigned bit)
{
    for (size_t i = 0; i < sizeof switch_words / sizeof *switch_words; i++)
        if (switch_words[i].bit == bit) return _(switch_words[i].words);
    return "?";
}

#define N_SWITCHED (sizeof switched / sizeof *switched)

void decision_print_text(struct buf *out)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        buf_addf(out, "%zu. ", i + 1);
        cells_print(out, &table[i], "; ");
        buf_addc(out, '\n');
    }
    buf_addf(out, "\n%s\n", _("Settings that come before these rows:"));
    for (size_t i = 0; i < N_SWITCHED; i++) {
        buf_addf(out, "%s: ", switch_text(switched[i].needs));
        cells_print(out, &switched[i].row, "; ");
        buf_addc(out, '\n');
    }
    buf_addf(out, "%s: %s\n", _("several links into one collection"), _(decision_left_to_others.rule));
}

static void markdown_row(struct buf *out, const char *first, const struct decision_row *row)
{
    buf_addf(out, "| %s | ", first);
    cells_print(out, row, " | ");
    buf_adds(out, " |\n");
}

static void markdown_head(struct buf *out, const char *first)
{
    buf_addf(out, "| %s | %s | A | B | %s | %s | %s |\n|---|---|---|---|---|---|---|\n", first, _("Base"), _("Link"), _("Action"),
             _("Why"));
}

void decision_print_markdown(struct buf *out)
{
    markdown_head(out, "#");
    for (size_t i = 0; i < N_ROWS; i++) {
        struct buf number AUTO_BUF = BUF_INIT;
        buf_addf(&number, "%zu", i + 1);
        markdown_row(out, buf_cstr(&number), &table[i]);
    }
    buf_addf(out, "\n%s\n\n", _("Settings that come before these rows:"));
    markdown_head(out, _("Setting"));
    for (size_t i = 0; i < N_SWITCHED; i++) markdown_row(out, switch_text(switched[i].needs), &switched[i].row);
}

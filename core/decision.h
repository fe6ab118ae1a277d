/* What happens to a record, seen as a whole: the decision table (contactbox 3, 5, 10 and promises 1) as data.
 *
 * A record of a link is known by what the journal has (base), how each side looks against it (seen), and the policy
 * row. The table maps these to one action and one sentence; the first row that fits decides. Pure. Called by
 * core/plan.c for each record and by `abgleich explain`, so that what is printed is what runs.
 *
 * What holds for every row (tests/unit/test_decision.c proves it for all combinations):
 * - a record that cannot be read is left alone on both sides;
 * - import never writes to B, one-way never to A;
 * - without a base nothing is deleted, except A's own records by neu-anlegen, which is what that mode is;
 * - an edit beats a delete, except where neu-anlegen replaces A's book;
 * - what a person deleted in the store (SEEN_TOMBSTONE) is never created again. */
#ifndef ABGLEICH_DECISION_H
#define ABGLEICH_DECISION_H

#include "base/buf.h"
#include "core/policy.h"

/* How a side's record looks now. */
enum seen {
    SEEN_NEVER,      /* not there, and this link never knew it there */
    SEEN_NEW,        /* there, without base */
    SEEN_SAME,       /* there, as in the base */
    SEEN_CHANGED,    /* there, other than in the base */
    SEEN_GONE,       /* was in the base, is not there any more */
    SEEN_UNREADABLE, /* there, but its bytes cannot be understood */
    SEEN_TOMBSTONE,  /* A only: a person deleted it and that is settled; see seen_missing_a */
    SEEN_KINDS
};

/* What the journal has. A row with ids but without fingerprints (ACTION_ADOPT) is no base: nothing was ever agreed. */
enum base_kind { BASE_NONE, BASE_PAIR, BASE_APART /* JOURNAL_APART: only one side is to have it */, BASE_KINDS };

enum action {
    ACTION_NOTHING, /* both sides agree, or the record is none of this link's business */
    ACTION_CREATE_A,
    ACTION_CREATE_B,
    ACTION_MERGE,           /* field by field, both ways (MERGE_TWO_WAY) */
    ACTION_UPDATE_A_FROM_B, /* MERGE_REPLACE */
    ACTION_UPDATE_B_FROM_A, /* MERGE_PUSH */
    ACTION_DELETE_A,
    ACTION_DELETE_B,
    ACTION_ADOPT,    /* the journal learns the two ids, without fingerprints; no side is written */
    ACTION_FORGET,   /* the journal row goes; no side is written */
    ACTION_REVIVE_A, /* edit beats delete: created on A again from B; a conflict in the report */
    ACTION_REVIVE_B,
    ACTION_SKIP_TOMBSTONE, /* deleted here by a person: not created again; the journal remembers it; counted
                              skipped_deleted */
    ACTION_QUARANTINE,     /* unreadable: left alone everywhere, named in the report */
    ACTION_KEEP,           /* the sides differ and are left so; base and journal row stay as they are */
    ACTION_PUT_BACK,       /* not of the table: a person wants it otherwise (core/undo.h, core/take.h) */
    ACTIONS
};

/* One row: sets of what fits (bit n = value n) and what follows. */
struct decision_row {
    uint8_t bases;    /* of enum base_kind */
    uint8_t a, b;     /* of enum seen */
    uint8_t policies; /* of enum policy_row */
    uint8_t action;   /* enum action */
    const char *rule; /* msgid: one plain sentence */
};

/* What a link or a run may ask for beyond its row; rows that answer to one come before the table. */
enum decision_switch {
    SWITCH_KEEP_ON_B = 1,         /* delete = never (A4) */
    SWITCH_ENFORCE = 2,           /* oneway_enforce = yes (A5) */
    SWITCH_IGNORE_TOMBSTONES = 4, /* import --ignore-tombstones (A6) */
    SWITCH_MIRROR = 16,           /* delete = mirror, or wipe */
    SWITCH_WIPE = 32,             /* delete = wipe */
    SWITCH_NEW_MODE = 8           /* first run after the mode was changed: nothing is deleted (A2, A11) */
};

/* In place of a deletion on B, where another link still brings the record there. */
extern const struct decision_row decision_left_to_others;

/* Never NULL: a combination that cannot occur gives a row with ACTION_KEEP that is not part of the table. */
const struct decision_row *decide(enum base_kind base, enum seen a, enum seen b, enum policy_row policy, unsigned switches);

/* True for the combinations gather.c can produce; the table has an answer for each of them. */
bool decision_reachable(enum base_kind base, enum seen a, enum seen b);

/* What to call a record that is missing on A. settled: the journal says a person deleted it (JOURNAL_DELETED_HERE);
 * by_person: the store says so just now. An import takes a person's deletion as final at once; a two-way or one-way
 * link first carries it to B, where an edit may still beat it. */
enum seen seen_missing_a(bool by_person, bool settled, enum policy_row policy);

const char *action_name(enum action a); /* stable: "create_a", "merge" ... */
const char *seen_name(enum seen s);     /* stable: "new", "gone" ... */

/* The table for people: one line per row, in its order; rule sentences in the current language. */
const struct decision_row *decision_table(size_t *n);
void decision_print_text(struct buf *out);
void decision_print_markdown(struct buf *out);

#endif

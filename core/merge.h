/* Merges one record that both sides have, element by element, against what each side looked like when they last agreed.
 *
 * Fields of the store's own (FIELD_HUB_ONLY; contactbox 3.1, 9) are edited on one side only, the hub: what the other does to one that the
 * hub has, or had, is undone there, and reported where it had another value. One that the hub never had it takes, so that nothing is lost.
 *
 * Pure: elements and bases in, edits and conflicts out, all in an arena. A now is compared with A's base only, B now
 * with B's base only; elements of the two bases correspond by struct print.pair. So what a server rewrites or cannot
 * hold is never an edit. Called by core/plan.c; time O(n log n) in elements, memory linear.
 *
 * MERGE_TWO_WAY  changes go to the other side; both changed one element: the winner's stays, the other is reported;
 * changed here and removed there: the edit survives and is reported. Without base the sides are united. MERGE_PUSH A ->
 * B (one-way): nothing if A did not change; else B is made as A in all that B held in its base. What somebody added on
 * B stays unless it contradicts a single field. Never writes to A; no conflicts. MERGE_REPLACE  B -> A (import): A
 * takes B's elements; what B lacks goes, except fields of the store's own (FIELD_HUB_ONLY) and what B could not hold
 * anyway (unpaired in the base). Never writes to B; no conflicts. MERGE_EXACT  the same from A to B (one-way, delete = wipe). */
#ifndef ABGLEICH_MERGE_H
#define ABGLEICH_MERGE_H

#include "core/side.h"
#include "mapping/fingerprint.h"

enum merge_kind { MERGE_TWO_WAY, MERGE_PUSH, MERGE_REPLACE, MERGE_EXACT };

/* One side as it is now. Everything borrowed; edits point into it. */
struct merge_side {
    const struct fingerprint *base; /* NULL = none; a base counts only if both sides have one */
    const struct element *elements; /* sorted by (key, value), each once */
    size_t n;
    const struct record *record; /* what the elements belong to; only copied into edits */
};

struct merge_input {
    struct merge_side side[2]; /* indexed by enum side */
    enum merge_kind kind;
    enum side winner; /* of conflicts, MERGE_TWO_WAY only */
    enum side hub;    /* where fields of the store's own are edited: A, unless the store is B */
    bool enforce;     /* MERGE_PUSH: also where only B changed */
};

enum merge_rule {
    MERGE_RULE_AUTHORITY, /* changed differently on both sides: the authority decided */
    MERGE_RULE_EDIT_WINS, /* changed here, removed there: the edit survives */
    MERGE_RULE_LABEL,     /* the same value under two labels or types: the authority's label is kept */
    MERGE_RULE_OWN        /* a field of the store's own, changed elsewhere: the hub's value, or that it has none, stays */
};
const char *merge_rule_text(enum merge_rule rule); /* msgid, one sentence */

struct merge_conflict {
    const struct field *field;
    const struct element *a, *b; /* NULL = removed there */
    enum side winner;
    enum merge_rule rule;
};

struct merge_result {
    struct edit *edits[2]; /* for each side; no two edits have the same target */
    size_t n_edits[2];
    struct merge_conflict *conflicts; /* by field id */
    size_t n_conflicts;
    /* A field that follows others (FIELD_DERIVED) was taken from one side although single fields came from both: the
     * codec's owner may want to rebuild it ("Meier, Anna" where one side changed the family and the other the given
     * name). */
    bool derived_stale;
};

/* in->side[].base etc. stay the caller's; *out lives in the arena. */
void merge_records(struct arena *arena, const struct merge_input *in, struct merge_result *out);

/* The elements a side will have after its edits, sorted by (key, value), each once: an array of *n pointers in the
 * arena. */
const struct element **merge_expected(struct arena *arena, const struct merge_input *in, const struct merge_result *r,
                                      enum side side, size_t *n);

/* True if the first contact of two records would write nothing and report nothing: they say the same. */
bool merge_is_empty(const struct merge_result *r);

#endif

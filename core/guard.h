/* Looks at a finished plan as a whole and holds it if it does not look like what people do (design.md 2.6, promises
 * P6). Nothing of a held plan is sent; it waits for `approve` of exactly this plan. Pure; called by core/plan.c once
 * per run.
 *
 * Held is, per side:
 * - more deletes than max_delete_count and more than max_delete_percent of what was there (both must be exceeded).
 * Deletes that only mirror what a person did on the other side count too;
 * - a side that had at least GUARD_EMPTY_MIN records and would have none left. (Somebody who deletes the last one of a
 * book with one record means it.) Both sides empty is fine;
 * - a side that is empty altogether while the journal knew records there and the other side would lose some;
 * - more than 90 % of the journal's pairs updated, and more than 50;
 * - one field wiped from more than 40 % of the records that had it, and from more than 10;
 * and per link: a side that is not the collection it was (address, principal, filter).
 * The first run of neu-anlegen replaces A's book on purpose: `replaces_a` lifts the delete rules for A unless B is
 * empty. It is held where B is empty or holds less than half of what it held before (contactbox 7). */
#ifndef ABGLEICH_GUARD_H
#define ABGLEICH_GUARD_H

#include "base/arena.h"
#include "core/policy.h"
#include "mapping/record.h"

#define GUARD_EMPTY_MIN 2
#define GUARD_UPDATE_PERCENT 90
#define GUARD_UPDATE_MIN 50
#define GUARD_WIPE_PERCENT 40
#define GUARD_WIPE_MIN 10

struct guard_field {
    const struct field *field;
    uint32_t had;   /* records of this side that had a value. Of all records; counting only those written is stricter */
    uint32_t wiped; /* records that lose all values of it */
};

struct guard_side {
    const char *name; /* account as the administrator knows it: "nextcloud" */
    int64_t total;    /* records there before the run */
    int64_t creates, updates, deletes;
    struct guard_field *fields; /* by guard_fields_init; NULL = no field was looked at */
    size_t n_fields;
};

struct guard_input {
    struct guard_side side[2]; /* indexed by enum side */
    int64_t pairs;             /* in the journal before the run */
    bool first_run;
    bool recreates;               /* policy row 3 or 7: A's book is replaced */
    bool replaces_a;              /* ... and that was asked for just now: deletes on A are no surprise */
    int64_t former_b;             /* records on B after the last run that went through; 0 = not known */
    const char *identity_changed; /* translated sentence, NULL = all is as it was */
    const struct policy *policy;
};

/* One counter per field of the kind; in the arena. */
void guard_fields_init(struct guard_side *side, struct arena *arena, enum record_kind kind);
/* Notes one record that is updated: what it has before, and after (merge_expected). Deleted records are not noted. */
void guard_note_update(struct guard_side *side, const struct element *before, size_t n_before,
                       const struct element *const *after, size_t n_after);
/* Notes one record that is not updated, so that `had` is of all; optional. */
void guard_note_unchanged(struct guard_side *side, const struct element *elements, size_t n);

/* NULL: nothing speaks against it. Else the sentence why it is held, translated, in the arena:
 * "412 of 1030 records would vanish on nextcloud, 9 new". */
const char *guard_check(struct arena *arena, const struct guard_input *in);

#endif

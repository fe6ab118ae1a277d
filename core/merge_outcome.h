/* What a merge does with one thing, by what became of it on either side since both last agreed: a table. Used by
 * core/merge.c only. */
#ifndef ABGLEICH_MERGE_OUTCOME_H
#define ABGLEICH_MERGE_OUTCOME_H

#include "core/merge.h"

enum merge_state {
    ABSENT,  /* never was there */
    KEPT,    /* as in the base */
    EDITED,  /* in the base with another label (sets) or another value (single fields) */
    REMOVED, /* was in the base */
    ADDED,   /* was not in the base */
    MERGE_STATES
};

enum merge_outcome {
    LEAVE,
    TO_A,   /* A becomes as B in this slot; empty on B: removed from A */
    TO_B,   /* the other way round */
    CLASH,  /* both changed: the winner's stays */
    EDIT_A, /* changed on A, removed on B: to B, and reported */
    EDIT_B,
    OWN /* the other side changed what only the hub may: the hub's goes there, and it is reported */
};

enum merge_outcome merge_outcome(enum merge_kind kind, enum merge_state a, enum merge_state b);
/* Of a field of the store's own (FIELD_HUB_ONLY), edited on `hub` only. */
enum merge_outcome merge_outcome_own(enum merge_kind kind, enum side hub, enum merge_state a, enum merge_state b);

#endif

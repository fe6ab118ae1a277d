#include "core/merge_outcome.h"

static const uint8_t outcomes[3][MERGE_STATES][MERGE_STATES] = {
    /* rows: A, columns: B        ABSENT KEPT  EDITED REMOVED ADDED */
    [MERGE_TWO_WAY] = {[ABSENT] = {LEAVE, LEAVE, TO_A, LEAVE, TO_A},
                       [KEPT] = {LEAVE, LEAVE, TO_A, TO_A, TO_A},
                       [EDITED] = {TO_B, TO_B, CLASH, EDIT_A, CLASH},
                       [REMOVED] = {LEAVE, TO_B, EDIT_B, LEAVE, TO_A},
                       [ADDED] = {TO_B, TO_B, CLASH, TO_B, CLASH}},
    [MERGE_PUSH] = {[ABSENT] = {LEAVE, LEAVE, LEAVE, LEAVE, LEAVE},
                    [KEPT] = {LEAVE, LEAVE, TO_B, TO_B, TO_B},
                    [EDITED] = {TO_B, TO_B, TO_B, TO_B, TO_B},
                    [REMOVED] = {LEAVE, TO_B, TO_B, LEAVE, LEAVE},
                    [ADDED] = {TO_B, TO_B, TO_B, TO_B, TO_B}},
    [MERGE_REPLACE] = {[ABSENT] = {LEAVE, LEAVE, TO_A, LEAVE, TO_A},
                       [KEPT] = {LEAVE, LEAVE, TO_A, TO_A, TO_A},
                       [EDITED] = {LEAVE, TO_A, TO_A, TO_A, TO_A},
                       [REMOVED] = {LEAVE, TO_A, TO_A, LEAVE, TO_A},
                       [ADDED] = {TO_A, TO_A, TO_A, TO_A, TO_A}},
};

/* The same for fields of the store's own; a push is as any other. That B lacks one which it had means that a client
 * dropped it: it comes back. A takes what it never had. */
static const uint8_t own_outcomes[3][MERGE_STATES][MERGE_STATES] = {
    [MERGE_TWO_WAY] = {[ABSENT] = {LEAVE, LEAVE, TO_A, LEAVE, TO_A},
                       [KEPT] = {LEAVE, LEAVE, OWN, TO_B, OWN},
                       [EDITED] = {TO_B, TO_B, OWN, TO_B, OWN},
                       [REMOVED] = {LEAVE, TO_B, OWN, LEAVE, OWN},
                       [ADDED] = {TO_B, OWN, OWN, TO_B, OWN}},
    [MERGE_REPLACE] = {[ABSENT] = {LEAVE, LEAVE, TO_A, LEAVE, TO_A}},
};

enum merge_outcome merge_outcome(enum merge_kind kind, bool own, enum merge_state a, enum merge_state b)
{
    return (enum merge_outcome)(own && kind != MERGE_PUSH ? own_outcomes : outcomes)[kind][a][b];
}

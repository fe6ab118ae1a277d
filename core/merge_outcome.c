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

static enum merge_outcome mirrored(enum merge_outcome o)
{
    return o == TO_A ? TO_B : o == TO_B ? TO_A : o;
}

enum merge_outcome merge_outcome(enum merge_kind kind, enum merge_state a, enum merge_state b)
{
    return kind == MERGE_EXACT ? mirrored((enum merge_outcome)outcomes[MERGE_REPLACE][b][a]) : (enum merge_outcome)outcomes[kind][a][b];
}

/* Rows: the hub, columns: the other side; written as if the hub were A. That the other side lacks one which it had
 * means that a client dropped it: it comes back. The hub takes what it never had. */
static const uint8_t own_two_way[MERGE_STATES][MERGE_STATES] = {
    [ABSENT] = {LEAVE, LEAVE, TO_A, LEAVE, TO_A}, [KEPT] = {LEAVE, LEAVE, OWN, TO_B, OWN},
    [EDITED] = {TO_B, TO_B, OWN, TO_B, OWN},      [REMOVED] = {LEAVE, TO_B, OWN, LEAVE, OWN},
    [ADDED] = {TO_B, OWN, OWN, TO_B, OWN},
};
/* Nothing may be written but the hub. */
static const uint8_t own_into_hub[MERGE_STATES][MERGE_STATES] = {[ABSENT] = {LEAVE, LEAVE, TO_A, LEAVE, TO_A}};

enum merge_outcome merge_outcome_own(enum merge_kind kind, enum side hub, enum merge_state a, enum merge_state b)
{
    bool out_of_hub = hub == SIDE_A ? kind == MERGE_PUSH || kind == MERGE_EXACT : kind == MERGE_REPLACE;
    if (out_of_hub)
        return merge_outcome(kind, a, b); /* out of the hub: as any other */
    const uint8_t(*table)[MERGE_STATES] = kind == MERGE_TWO_WAY ? own_two_way : own_into_hub;
    return hub == SIDE_A ? (enum merge_outcome)table[a][b] : mirrored((enum merge_outcome)table[b][a]);
}

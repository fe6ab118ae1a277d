/* What can be taken back of a record, and what not any more (core/undo.h). */
#include "core/undo.h"

#include <criterion/criterion.h>

#define UNTOUCHED                                                                                                      \
    {                                                                                                                  \
        UNDO_UNTOUCHED, false, UNDO_AS_LEFT                                                                            \
    }
#define CREATED(now)                                                                                                   \
    {                                                                                                                  \
        UNDO_WAS_ABSENT, false, now                                                                                    \
    }
#define UPDATED(now)                                                                                                   \
    {                                                                                                                  \
        UNDO_WAS_THERE, false, now                                                                                     \
    }
#define DELETED(now)                                                                                                   \
    {                                                                                                                  \
        UNDO_WAS_THERE, true, now                                                                                      \
    }

Test(undo, decides)
{
    static const struct {
        const char *name;
        struct undo_look look[2];
        enum undo_verdict verdict;
        enum side where;
    } rows[] = {
        {"created on A, untouched since", {CREATED(UNDO_AS_LEFT), UNTOUCHED}, UNDO_WRITE, SIDE_A},
        {"created on B, edited there since", {UNTOUCHED, CREATED(UNDO_OTHER)}, UNDO_CHANGED, SIDE_B},
        {"created on B, deleted since", {UNTOUCHED, CREATED(UNDO_ABSENT)}, UNDO_DONE_ALREADY, SIDE_A},
        {"created on B, its source edited and not synced",
         {{UNDO_UNTOUCHED, false, UNDO_OTHER}, CREATED(UNDO_AS_LEFT)},
         UNDO_CHANGED_APART,
         SIDE_A},
        {"updated on both", {UPDATED(UNDO_AS_LEFT), UPDATED(UNDO_AS_LEFT)}, UNDO_WRITE, SIDE_B},
        {"updated on both, one edited since", {UPDATED(UNDO_AS_LEFT), UPDATED(UNDO_OTHER)}, UNDO_CHANGED, SIDE_B},
        {"updated on both, one put back already", {UPDATED(UNDO_AS_LEFT), UPDATED(UNDO_AS_BEFORE)}, UNDO_WRITE, SIDE_A},
        {"updated on both, both put back already",
         {UPDATED(UNDO_AS_BEFORE), UPDATED(UNDO_AS_BEFORE)},
         UNDO_DONE_ALREADY,
         SIDE_A},
        {"updated, deleted since", {UPDATED(UNDO_ABSENT), UNTOUCHED}, UNDO_GONE, SIDE_A},
        {"updated, old version not kept", {{UNDO_NOT_KEPT, false, UNDO_AS_LEFT}, UNTOUCHED}, UNDO_FORGOTTEN, SIDE_A},
        {"updated, old version not kept, edited since",
         {{UNDO_NOT_KEPT, false, UNDO_OTHER}, UNTOUCHED},
         UNDO_CHANGED,
         SIDE_A},
        {"deleted on B", {UNTOUCHED, DELETED(UNDO_ABSENT)}, UNDO_WRITE, SIDE_B},
        {"deleted on B, made again with other content", {UNTOUCHED, DELETED(UNDO_OTHER)}, UNDO_MADE_AGAIN, SIDE_B},
        {"deleted on B, restored already", {UNTOUCHED, DELETED(UNDO_AS_BEFORE)}, UNDO_DONE_ALREADY, SIDE_A},
        {"deleted on B, old version not kept", {UNTOUCHED, {UNDO_NOT_KEPT, true, UNDO_ABSENT}}, UNDO_FORGOTTEN, SIDE_B},
        {"created and deleted in one run",
         {{UNDO_WAS_ABSENT, true, UNDO_ABSENT}, UNTOUCHED},
         UNDO_DONE_ALREADY,
         SIDE_A},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum side where;
        enum undo_verdict v = undo_decide(rows[i].look, &where);
        cr_expect_eq(v, rows[i].verdict, "%s: %d, not %d", rows[i].name, v, rows[i].verdict);
        cr_expect_eq(where, rows[i].where, "%s: side %d", rows[i].name, where);
    }
}

Test(undo, says_why_not)
{
    for (int v = 0; v < UNDO_VERDICTS; v++)
        cr_expect_eq(undo_verdict_text((enum undo_verdict)v) == NULL, v == UNDO_WRITE || v == UNDO_DONE_ALREADY,
                     "verdict %d", v);
}

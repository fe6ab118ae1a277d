/* Taking a run back: what it wrote on either side is put back as it was, record by record, wherever both sides still
 * are as the run left them. Values in, values out; the work around it (undo.c) is called by run.c for run_options.undo.
 *
 * What the run did not write stays: where it carried a person's change from one side to the other, only the other side
 * is put back, and the journal says that this is how both are to be, so that the next run does not carry it over again.
 * A record that then is on one side only is JOURNAL_APART: left so until it changes. An undo is a run with a report and
 * an archive, and can be undone. */
#ifndef ABGLEICH_UNDO_H
#define ABGLEICH_UNDO_H

#include "core/side.h"

#include <stdbool.h>

enum undo_then {
    UNDO_UNTOUCHED,
    UNDO_WAS_ABSENT,
    UNDO_WAS_THERE,
    UNDO_NOT_KEPT
}; /* a side before the run; NOT_KEPT: no old version */
enum undo_now {
    UNDO_ABSENT,
    UNDO_AS_BEFORE,
    UNDO_AS_LEFT,
    UNDO_OTHER
}; /* the side as it is; AS_LEFT: as after the run */

struct undo_look {
    enum undo_then then;
    bool left_absent;  /* the run deleted it */
    enum undo_now now; /* of an untouched side: AS_LEFT = as the journal says, there or not */
};

enum undo_verdict {
    UNDO_WRITE,         /* at least one side is written */
    UNDO_DONE_ALREADY,  /* it is as it was */
    UNDO_CHANGED,       /* somebody changed it since */
    UNDO_CHANGED_APART, /* changed on the side the run did not write, and no run has seen it yet */
    UNDO_GONE,          /* deleted since */
    UNDO_MADE_AGAIN,    /* deleted by the run, and there again */
    UNDO_FORGOTTEN,     /* the old version is not kept (any more) */
    UNDO_VERDICTS
};
/* Of one record. *where: the side that stands in the way. */
enum undo_verdict undo_decide(const struct undo_look look[2], enum side *where);
const char *undo_verdict_text(enum undo_verdict v); /* msgid, one sentence; NULL for WRITE and DONE_ALREADY */

#endif

/* Deciding a conflict otherwise: the losing value is written on both sides, where the field still holds the winner's.
 * Called by run.c for run_options.take; a run like any other, with its report, that can be undone. The losing value
 * comes out of the archive, as it stood in the card that was overwritten. */
#ifndef ABGLEICH_TAKE_H
#define ABGLEICH_TAKE_H

#include "mapping/record.h"
#include "state/runs.h"

/* The element a conflict speaks of: by the words of the report. NULL if the record does not hold it (any more). Pure.
 */
const struct element *take_find(const struct record *r, struct str label, struct str value);

/* The edit that makes `now` hold what `old`, the loser's card, held. False: the field is not as the conflict left it.
 * Pure. */
bool take_edit(const struct report_conflict *c, const struct record *now, const struct record *old, struct edit *out);

#endif

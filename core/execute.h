/* What execute.c and confirm.c share. Private to core/. */
#ifndef ABGLEICH_EXECUTE_H
#define ABGLEICH_EXECUTE_H

#include "core/job.h"

/* A record that loses its precondition is looked at and decided again this often in one run. */
#define ROUNDS_MAX 3

/* Turns one effect's outcome into journal, archive and report rows. Inside a transaction; e->failed afterwards if it must be
 * looked at again. */
/* Before anything is sent: the loser of an update or delete goes to the archive. */
void keep_loser(struct job *job, struct effect *e, enum side s);
void confirm(struct job *job, struct effect *e);
/* Leaves a record for the next run: both of its sides are looked at again. refused: hash of bytes that side `s` did not take. */
void leave_pending(struct job *job, const struct item *item, struct str title, const struct fault *why, enum side s,
                   const uint64_t *refused);

#endif

/* All that hangs on records of the store - follow-ups, attachments, relations - at once, when the records themselves
 * change.
 *
 * Deleting and restoring a record needs nothing from here: what hangs on it names it by id and waits. */
#ifndef ABGLEICH_ATTACHED_H
#define ABGLEICH_ATTACHED_H

#include "state/db.h"

/* Everything goes from one record to another (import neu-anlegen: the same person under a new id). What the other has
 * already is not doubled. Inside a transaction of the caller. */
enum fault_code attached_move(struct db *db, struct str from, struct str to, struct fault *f);
/* After records were purged, and for what was detached before that time: attachments and relations of records that are
 * no more go for good. Follow-ups stay, unassigned. */
enum fault_code attached_purge(struct db *db, int64_t detached_before_ms, struct fault *f);
/* All of it goes for good, follow-ups too: of a person who is to be forgotten (state/subject.h). */
enum fault_code attached_erase(struct db *db, struct str record, struct fault *f);

#endif

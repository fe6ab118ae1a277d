/* What keeps an installation small and its administrator informed: forgets what has outlived its time, once a day, and
 * mails what needs a person (digest.h). Called by the daemon now and then, and by `sync` (the first half). */
#ifndef ABGLEICH_UPKEEP_H
#define ABGLEICH_UPKEEP_H

#include "cli/config.h"
#include "state/db.h"

/* Purges archive, runs and tombstones by history, retain and tombstone_keep if the last time is a day ago. A run with
 * conflicts nobody has read stays. */
enum fault_code upkeep_purge(const struct config *c, struct db *db, struct env *env, struct fault *f);
/* Both, with a connection of its own; logs what happened. Blocks while a mail is sent: not for the loop's thread. */
void upkeep_run(const struct config *c, struct env *env);

#endif

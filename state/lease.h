/* One run per link, whichever process it comes from, and no late word from a process that stood still.
 *
 * Who runs a link holds its byte lock (state/lock.h), which dies with the process, and its row in `lease`: until when,
 * and a fence, a number that grows whenever the link changes hands. The lock tells at once that a holder is gone; the
 * row tells it of a holder that is there and does nothing: suspended, or on another machine. Every commit of the holder
 * proves its fence and prolongs the row (db_guard), so that what a process writes after it lost the link is refused as
 * a whole. Remotes cannot check a fence: the holder's environment (lease_env) says "cancelled" as soon as less than a
 * fifth of the time is left and it cannot be prolonged, so that nothing is sent any more.
 *
 * Called by core/run.c and by commands that change a link. */
#ifndef ABGLEICH_LEASE_H
#define ABGLEICH_LEASE_H

#include "state/db.h"

#define LEASE_MS (120 * 1000)

struct lease;
/* FAULT_BUSY if somebody runs it now. db: the one that will write for this link; its commits carry the fence until the
 * release. *out is NULL on failure. */
enum fault_code lease_take(struct db *db, const char *link, struct lease **out, struct fault *f);
void lease_release(struct lease *lease); /* NULL is fine */
/* db's environment, which keeps the lease alive and is cancelled when it is nearly over. Valid until the release. */
struct env *lease_env(struct lease *lease);
/* Somebody else has taken it over. */
bool lease_is_lost(const struct lease *lease);

void lease_cleanup(struct lease **lease);
#define AUTO_LEASE __attribute__((cleanup(lease_cleanup)))

#endif

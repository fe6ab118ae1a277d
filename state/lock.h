/* One run per link, whichever process it comes from: an open-file-description byte lock in `<state>.lock`, one byte a link (its number
 * in the database, so no two links share one). It dies with the process. Called by state/lease.c, and by core/run.c for its turn at a collection; lock_daemon
 * by the daemon and whoever wants to know whether there is one. */
#ifndef ABGLEICH_LOCK_H
#define ABGLEICH_LOCK_H

#include "state/db.h"

struct lock;
/* FAULT_BUSY if somebody runs it now. *out is NULL on failure. */
enum fault_code lock_link(struct db *db, const char *link, struct lock **out, struct fault *f);
/* One daemon per state. FAULT_BUSY if there is one already. */
enum fault_code lock_daemon(struct db *db, struct lock **out, struct fault *f);
void lock_release(struct lock *lock); /* NULL is fine */
void lock_cleanup(struct lock **lock);
#define AUTO_LOCK __attribute__((cleanup(lock_cleanup)))

#endif

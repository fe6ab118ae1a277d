/* Where a value came from: which run wrote an element of a record to a side. Keyed hashes and ids only, no contact
 * data; only what an update brought, for what a create brought stands in its operation (state/runs.h). Written by
 * core/confirm.c in the transaction of the outcome, read by `why`; a row goes with its run. Conventions of
 * state/journal.h. */
#ifndef ABGLEICH_PROVENANCE_H
#define ABGLEICH_PROVENANCE_H

#include "state/db.h"

/* The element (key, value: struct element) of the record `id` on that side of the link was written by that run;
 * replaces. */
enum fault_code provenance_put(struct db *db, const char *link, unsigned side, struct str id, uint64_t key,
                               uint64_t value, int64_t run, struct fault *f);
/* The run that wrote it; 0 = none did by an update, or it is not known any more. */
int64_t provenance_get(struct db *db, const char *link, unsigned side, struct str id, uint64_t key, uint64_t value);

#endif

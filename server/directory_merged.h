/* A phonebook over CardDAV: what it says, merged, is kept as a book of the store that users are given read-only, so
 * that the CardDAV server needs to know nothing of phonebooks. It is brought up to date when somebody asks. Used by
 * server/dav*.c and cli/. */
#ifndef ABGLEICH_DIRECTORY_MERGED_H
#define ABGLEICH_DIRECTORY_MERGED_H

#include "state/directory.h"

/* Of one phonebook; made where it is missing. region: for numbers. */
enum fault_code directory_merged_refresh(struct db *db, struct directory *d, const char *region, struct arena *arena,
                                         struct fault *f);
/* Has this user of the CardDAV server one that is not up to date? Only reads. */
bool directory_merged_is_stale(struct db *db, int64_t user);
/* Of all that this user of the CardDAV server has (state/user.h). Costs a look where nothing changed. */
enum fault_code directory_merged_refresh_for(struct db *db, int64_t user, const char *region, struct fault *f);

#endif

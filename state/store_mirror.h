/* Makes a book of the store hold exactly the given records, writing only what differs: how a phonebook takes a file
 * that replaces the one before, and how the book that shows it over CardDAV is kept up to date. Records are known again
 * by their UID. Called by server/. */
#ifndef ABGLEICH_STORE_MIRROR_H
#define ABGLEICH_STORE_MIRROR_H

#include "base/hash.h"
#include "state/db.h"

struct mirror_record { /* borrowed until the next call */
    struct str uid, title, body;
};
struct mirror_counts {
    size_t created, changed, deleted;
    int64_t seq; /* the book's change number when it was done */
};
/* In the caller's transaction. next: the next record, false at the end; the UIDs differ. key: of the state
 * (settings.h). FAULT_NO_COLLECTION if there is no such book. */
enum fault_code store_mirror(struct db *db, struct str book, struct str origin, const struct hash_key *key,
                             bool (*next)(void *ctx, struct mirror_record *out), void *ctx,
                             struct mirror_counts *counts, struct fault *f);

#endif

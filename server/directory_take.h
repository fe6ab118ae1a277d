/* A file becomes what a phonebook's own book holds: read completely, looked at, and then put in place of what was
 * there, at once or not at all. Used by the Directory's pushes and by cli/ to take one back. */
#ifndef ABGLEICH_DIRECTORY_TAKE_H
#define ABGLEICH_DIRECTORY_TAKE_H

#include "mapping/directory_csv.h"
#include "state/directory.h"

struct directory_take {
    /* in */
    const struct directory_csv_options *csv; /* charset is the phonebook's; NULL = none */
    bool allow_empty, allow_shrink;
    /* out */
    bool unchanged;  /* nothing differed */
    struct str told; /* JSON for whoever sent it; in the arena */
};
/* FAULT_UNREADABLE: the file is none; FAULT_HELD: it lacks more than max_shrink allows; anything else: the state.
 * Nothing is changed then. */
enum fault_code directory_take(struct db *db, const struct directory *d, struct str file, struct arena *arena,
                               struct directory_take *take, struct fault *f);

#endif

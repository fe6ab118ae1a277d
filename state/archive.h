/* The losers: what a record was before a run overwrote or deleted it, on either side (design.md 2.8). Written by core/execute.c in the
 * transaction of the intent; read by `undo` and `contact restore`. Bodies are compressed. Conventions of state/journal.h. */
#ifndef ABGLEICH_ARCHIVE_H
#define ABGLEICH_ARCHIVE_H

#include "state/db.h"

enum archive_reason { ARCHIVE_OVERWRITTEN, ARCHIVE_DELETED, ARCHIVE_CREATED }; /* created: no body; undo deletes it */

struct archived {
    int64_t no;      /* set by archive_put */
    int64_t run;
    struct str link; /* name */
    unsigned side;
    struct str id, title;
    unsigned reason; /* enum archive_reason */
    int64_t time_ms; /* set by archive_put */
    struct str body; /* {NULL,0} = none, or not read (archive_each) */
    struct str after; /* version the side had after the write, to tell whether undo is still safe; {NULL,0} = unknown */
};
enum fault_code archive_put(struct db *db, struct archived *a, struct fault *f);
enum fault_code archive_set_after(struct db *db, int64_t no, struct str version, struct fault *f);
/* Takes one back: its write turned out not to have happened. */
enum fault_code archive_remove(struct db *db, int64_t no, struct fault *f);
/* Of a run (0 = any) or of one record (id {NULL,0} = any), newest first, without bodies; borrowed for the call. */
enum fault_code archive_each(struct db *db, int64_t run, struct str id, void (*fn)(void *ctx, const struct archived *), void *ctx,
                             struct fault *f);
/* With body, in the arena. False if not there. */
bool archive_get(struct db *db, int64_t no, struct arena *arena, struct archived *out);
/* What is older: of a link, or of all (NULL). n may be NULL. */
enum fault_code archive_purge(struct db *db, const char *link, int64_t before_ms, int64_t *n, struct fault *f);

#endif

/* Relations: typed links between two contacts of the store ("Firma X is Anna's employer"). They never leave it by a
 * sync.
 *
 * Called by cli/ and server/. A relation is kept once and read from both ends: as `employer` from Anna, as `employee`
 * from Firma X. It hangs on ids, so it survives every edit, waits while one of the two is deleted, and is back when it
 * is restored. Writes belong into a transaction of the caller; faults stick in the db. */
#ifndef ABGLEICH_RELATION_H
#define ABGLEICH_RELATION_H

#include "state/db.h"

struct relation_kind {
    const char *name;    /* "employer": stable, for JSON and the command line */
    const char *inverse; /* name of what it is from the other end; its own for "spouse" */
    const char *label;   /* msgid */
};
/* Rows up to one whose name is NULL. Static memory. */
const struct relation_kind *relation_kinds(void);
const struct relation_kind *relation_kind_named(struct str name); /* NULL if there is none */

struct relation {                     /* as seen from one record */
    const struct relation_kind *kind; /* what the other is to it */
    struct str other, title;          /* the other's id and title */
};

/* `other` is the `kind` of `record`. Saying it twice, or once from each end, is one relation. FAULT_USAGE for a record
 * with itself. */
enum fault_code relation_add(struct db *db, struct str record, const struct relation_kind *kind, struct str other,
                             struct fault *f);
/* From either end. FAULT_USAGE if there is none. */
enum fault_code relation_remove(struct db *db, struct str record, const struct relation_kind *kind, struct str other,
                                struct fault *f);
/* Those of a record with living ones; in the arena. */
size_t relation_list(struct db *db, struct str record, struct arena *arena, struct relation **out);

#endif

/* The last list that was accepted by a remote which takes its list whole and cannot be read (connector.h, `push`): what
 * the next list is compared with, and what could be sent again. Bodies are kept as they were sent; the state is
 * readable by its owner only.
 *
 * Called by core/push.c, and by commands that delete one record there. Strings read are in the arena. */
#ifndef ABGLEICH_PUSHED_H
#define ABGLEICH_PUSHED_H

#include "state/db.h"

struct pushed_row {
    struct str id;     /* its name there */
    struct str source; /* its id on side A */
    struct str uid;    /* {NULL,0} = none */
    struct str title, body, who;
    unsigned vital; /* enum vital */
};

/* By id. */
size_t pushed_load(struct db *db, const char *link, struct arena *arena, struct pushed_row **out);
/* Within a transaction: these rows in place of those there, as accepted by that remote at this moment. */
enum fault_code pushed_replace(struct db *db, const char *link, struct str identity, const struct pushed_row *rows,
                               size_t n, struct fault *f);
enum fault_code pushed_remove(struct db *db, const char *link, struct str id, struct fault *f);
/* When the last list was accepted, and by whom; false if never. */
bool pushed_list_get(struct db *db, const char *link, struct arena *arena, struct str *identity, int64_t *sent_ms);
/* Another link that sends its list to this remote: two would delete each other's records. NULL = none. */
const char *pushed_owner(struct db *db, struct str identity, const char *link, struct arena *arena);

#endif

/* The last list that was accepted by a remote which takes its list whole and cannot be read (connector.h, `push`): what
 * the next list is compared with, and what could be sent again. Bodies are kept as they were sent; the state is
 * readable by its owner only.
 *
 * Before a list is sent it is written down as tried: if its answer is lost, or this process dies, the remote may have
 * taken it. Whoever was new in it then counts as there, with what it was made with, until a list is accepted.
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
    bool accepted;  /* false: only in lists whose answer was lost */
};
struct pushed_list {
    struct str identity; /* of the remote */
    int64_t sent_ms;     /* when its last list was accepted; 0 = never */
    bool unsure;         /* a later one was sent, and nobody knows whether it was taken */
};

/* What the remote refused a list for, where trying again does not help (core/push_stop.h). */
struct pushed_stop {
    unsigned code;           /* enum fault_code */
    struct str what, advice; /* sentences */
    struct str cause;        /* digest of what has to change */
};

/* By id. */
size_t pushed_load(struct db *db, const char *link, struct arena *arena, struct pushed_row **out);
/* How many are in the last accepted list. */
int64_t pushed_count(struct db *db, const char *link);
/* Within a transaction: these rows in place of those there, as accepted by that remote at this moment. */
enum fault_code pushed_replace(struct db *db, const char *link, struct str identity, const struct pushed_row *rows,
                               size_t n, struct fault *f);
/* Within a transaction, before a list is sent: it may be taken from now on. */
enum fault_code pushed_try(struct db *db, const char *link, struct str identity, const struct pushed_row *rows,
                           size_t n, struct fault *f);
/* Within a transaction: the list tried last was refused for sure, and none before it is unsure. */
enum fault_code pushed_refused(struct db *db, const char *link, struct fault *f);
enum fault_code pushed_remove(struct db *db, const char *link, struct str id, struct fault *f);
/* False if none was ever tried. */
bool pushed_list_get(struct db *db, const char *link, struct arena *arena, struct pushed_list *out);
/* Another link that sends its list to this remote: two would delete each other's records. NULL = none. */
const char *pushed_owner(struct db *db, struct str identity, const char *link, struct arena *arena);

/* Within a transaction; faults: db_check(). */
void pushed_stop_set(struct db *db, const char *link, const struct pushed_stop *stop);
void pushed_stop_forget(struct db *db, const char *link);
bool pushed_stop_get(struct db *db, const char *link, struct arena *arena, struct pushed_stop *out);

#endif
